"""Values for a level without published ones: counts of residents distributed, shares rebuilt from their counts.

For a target area t and source areas s, with P(s) the residents of s and P(s, t) those of them who live in t::

    count(t) = Σ_s count(s) · P(s, t) / P(s)        share(t) = factor · numerator(t) / denominator(t)

Only counts of residents are distributed; a count without ages of its own, inside a share, by the residents of its
denominator's ages. Missing where a source that has residents in t, or may have, has no figure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.ages import Ages, parse_position
from geodata.crosswalk import Weight, distribute, weights
from geodata.errors import ParameterError
from geodata.figure_tables import WITHOUT_AREA
from geodata.indicator_series import (
    NEARLY_ALL,
    Asked,
    Figure,
    Series,
    chosen,
    counts_residents,
    figures_of,
    parts_of,
    position_of,
    require_comparable,
    series_of,
)
from geodata.indicator_words import position_title
from geodata.indicators import POPULATION, indicators_of
from geodata.periods import spoken
from geodata.rounding import cleaned

_NAMED = 5


@dataclass(slots=True)
class Column:
    """Values by area key (None: missing) with what has to be said of them; ``estimated``: keys of estimates."""

    values: dict[str, float | None]
    estimated: set[str]
    datasets: set[str]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Values made from a series (of a share: of its numerator), at the position they stand for."""

    series: Series
    position: str
    column: Column


def column_of(found: dict[str, Figure]) -> Column:
    """Return figures as they are."""
    return Column(
        {key: figure.value for key, figure in found.items()},
        {key for key, figure in found.items() if figure.estimated},
        {figure.dataset for figure in found.values()},
    )


def distributed_count(session: Session, asked: Asked) -> Estimate | None:
    """Return a count of residents distributed from the finest level that has it; None where none can be.

    Raises ``ParameterError`` where a position has to be named, or figures are counted in different ways.
    """
    linked = _linked(session, asked)
    found = [one for one in series_of(session, [asked.info.code]) if one.level in linked]
    position = position_of(asked, found)
    meant = _finest(asked, [(one,) for one in found if one.position == position])
    if meant is None:
        return None
    series = meant[0]
    require_comparable(asked.info, series)
    column = _distributed(session, asked, series, _ages(series.indicator, series.position))
    made = (
        f"„{asked.info.title}“ ist auf der Ebene {asked.level.title} nicht veröffentlicht; die Werte sind aus den "
        f"Zahlen der Ebene {_title(asked, series)} ({spoken(series.period)}) nach Einwohnern verteilt (geschätzt)."
    )
    column.notes = [made, *_assumed(asked, series), *column.notes]
    return Estimate(series, series.position, column)


def rebuilt_share(session: Session, asked: Asked) -> Estimate | None:
    """Return a share or rate rebuilt from its counts; None where it cannot be.

    Both counts are of one level, period and way of counting: the level's own, whatever they count, else, for counts of
    residents, those of the finest level that has both. Raises ``ParameterError`` as ``distributed_count`` does.
    """
    parts = parts_of(asked.info)
    if parts is None or asked.position:
        return None
    meant = indicators_of(session, {code for code, _position in parts})
    spread = all(counts_residents(meant[code]) for code, _position in parts)
    found = series_of(session, list(meant))
    top, bottom = ([one for one in found if (one.indicator, one.position) == part] for part in parts)
    pairs = [
        (a, b) for a in top for b in bottom if (a.level, a.period, a.countings) == (b.level, b.period, b.countings)
    ]
    series = _finest(asked, [pair for pair in pairs if pair[0].level == asked.level.level])
    own = series is not None
    if series is None and spread:
        linked = _linked(session, asked)
        series = _finest(asked, [pair for pair in pairs if pair[0].level in linked])
    if series is None:
        return None
    for one in series:
        require_comparable(meant[one.indicator], one)
    if own:
        columns = [column_of(figures_of(session, one)) for one in series]
    else:
        ages = [_ages(code, position) for code, position in parts]
        columns = [_distributed(session, asked, one, at or ages[1]) for one, at in zip(series, ages, strict=True)]
    column = _quotient(columns[0], columns[1], asked.info.factor)
    named = [(meant[code].title, position_title(session, position)) for code, position in parts]
    refers = words.listed([f"„{title}{whom and f', {whom}'}“" for title, whom in named])
    how = "" if own else f" der Ebene {_title(asked, series[0])}, nach Einwohnern verteilt (geschätzt)"
    made = (
        f"„{asked.info.title}“ ist auf der Ebene {asked.level.title} nicht veröffentlicht und darum neu gebildet aus "
        f"{refers} ({spoken(series[0].period)}){how}."
    )
    column.notes = [made, *_assumed(asked, series[0]), *dict.fromkeys(columns[0].notes + columns[1].notes)]
    return Estimate(series[0], "", column)


def _ages(code: str, position: str) -> Ages | None:
    return parse_position(position) if code == POPULATION else None


def _linked(session: Session, asked: Asked) -> set[str]:
    """Return the other levels from which residents can be distributed to this one."""
    return set(
        session.execute(
            text("SELECT DISTINCT source_level FROM crosswalk_visible WHERE target_level = :level"),
            {"level": asked.level.level},
        ).scalars()
    )


def _finest(asked: Asked, groups: Iterable[tuple[Series, ...]]) -> tuple[Series, ...] | None:
    """Return of groups (each of one level and period) the one of the finest level, in the period asked for or meant.

    Finest is the level with the most values, where possible among those that have one for nearly all their areas.
    What a group has is what its scarcest series has.
    """
    by_level: dict[str, dict[Series, tuple[Series, ...]]] = {}
    for group in groups:
        scarcest = min(group, key=lambda one: one.areas)
        by_level.setdefault(scarcest.level, {})[scarcest] = group
    usable = [
        (one, own[one])
        for level, own in sorted(by_level.items())
        if level in asked.there and (one := chosen(list(own), asked.period)) is not None and one.areas
    ]
    best = max(
        usable,
        key=lambda pair: (pair[0].areas >= NEARLY_ALL * asked.there[pair[0].level].areas, pair[0].areas),
        default=None,
    )
    return None if best is None else best[1]


def _distributed(session: Session, asked: Asked, series: Series, ages: Ages | None) -> Column:
    """Return a count of residents distributed over the level asked for, by residents of the ages (None: all)."""
    found = figures_of(session, series)
    by = weights(session, series.level, asked.level.level)
    if ages is not None and ages != Ages(0):
        by = _aged(session, asked, series, ages, by)
    counts = {key: figure.value for key, figure in found.items()}
    if _census(session):
        # By the census nobody lives there, and nobody says otherwise.
        by = [row for row in by if row.weight is not None or counts.get(row.source_key) is not None]
    made = distribute(counts, by)
    spread = {row.source_key for row in by}
    lost = sorted(key for key, one in found.items() if one.value and key not in spread and key != WITHOUT_AREA)
    known = [key for key, value in made.items() if value is not None]
    values = cleaned(np.array([made[key] for key in known], dtype=np.float64)).tolist()
    return Column(
        dict(zip(known, values, strict=True)),
        set(known),
        {one.dataset for one in found.values()},
        list(_not_spread(session, asked, series, lost)),
    )


def _census(session: Session) -> bool:
    """Tell whether a census grid says where people live; without one an empty area may only be unknown."""
    return session.execute(text("SELECT basis FROM surface_visible")).scalar_one_or_none() == "grid"


def _aged(session: Session, asked: Asked, series: Series, ages: Ages, by: Sequence[Weight]) -> list[Weight]:
    try:
        aged = weights(session, series.level, asked.level.level, ages)
    except ParameterError as error:
        raise ParameterError(
            "indicator", f"„{asked.info.title}“ lässt sich nicht auf die Ebene {asked.level.title} verteilen: {error}"
        ) from None
    # A source where nobody of these ages lives would else lose what it counts without a word.
    weighed = {row.source_key for row in aged}
    return [*aged, *(Weight(row.source_key, row.target_key, None) for row in by if row.source_key not in weighed)]


def _not_spread(session: Session, asked: Asked, series: Series, keys: Sequence[str]) -> Iterator[str]:
    names = list(
        session.execute(
            text("SELECT name FROM area_visible WHERE level = :level AND key = ANY (:keys) ORDER BY name, key"),
            {"level": series.level, "keys": list(keys)},
        ).scalars()
    )
    if names:
        one, several = f"ein Gebiet der Ebene {_title(asked, series)}", f"Gebiete der Ebene {_title(asked, series)}"
        yield (
            f"Nicht auf die Ebene {asked.level.title} verteilt, weil außerhalb oder ohne Einwohner auf der Karte: "
            f"{words.counted(len(names), one, several)} ({words.listed(names, _NAMED)})."
        )


def _quotient(top: Column, bottom: Column, factor: float) -> Column:
    """Return numerator ÷ denominator × factor; missing where one is missing or the denominator is not above 0."""
    values: dict[str, float | None] = {}
    for key in top.values.keys() | bottom.values.keys():
        above, below = top.values.get(key), bottom.values.get(key)
        values[key] = None if above is None or below is None or below <= 0 else above / below * factor
    return Column(values, top.estimated | bottom.estimated, top.datasets | bottom.datasets)


def _title(asked: Asked, series: Series) -> str:
    return asked.there[series.level].title


def _assumed(asked: Asked, series: Series) -> Iterator[str]:
    if asked.there[series.level].areas < asked.level.areas:
        yield f"Innerhalb eines Gebiets der Ebene {_title(asked, series)} ist dabei kein Unterschied bekannt."
