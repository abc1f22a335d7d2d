"""An indicator's values for the areas of any level, to compare areas with each other.

As published where the level has published figures. Where it has none, counts of residents are distributed through the
population surface, and shares are rebuilt from their counts, never averaged (``geodata.indicator_estimates``). Counts
of helps, spending and the like are never distributed. Missing stays missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.areas import levels, require_level
from geodata.errors import ParameterError
from geodata.indicator_estimates import Estimate, column_of, distributed_count, rebuilt_share
from geodata.indicator_series import (
    MOST_OFFERED,
    NEARLY_ALL,
    REBUILT,
    Asked,
    Figure,
    Series,
    chosen,
    counts_residents,
    figures_of,
    parts_of,
    position_of,
    positions,
    require_comparable,
    series_of,
)
from geodata.indicator_words import position_title
from geodata.indicators import (
    COUNTS_HELPS,
    HIDDEN_COUNTS,
    IndicatorInfo,
    described_codes,
    indicator_of,
    indicators_of,
    tells_of_work,
)
from geodata.periods import parse_period, spoken

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_COMPARABLE = ("share", "rate", "index")
_NAMED = 5


@dataclass(frozen=True, slots=True)
class IndicatorValues:
    """Values (areas,) in the order asked for; NaN: missing or suppressed.

    ``estimated`` (areas,): distributed, rebuilt or split by residents, or published as an estimate. ``from_level``:
    the level whose figures the values were made from; ``from_coarser``: it has fewer areas than the level asked for,
    so that inside each of them the values follow from an assumption. ``note``: German sentences for the reader.
    ``position_title``: the position in words, "" where there is nothing to say.
    """

    info: IndicatorInfo
    position: str
    period: str
    values: Floats
    estimated: Flags
    datasets: set[str]
    note: str | None
    from_level: str
    from_coarser: bool = False
    position_title: str = ""

    @property
    def name(self) -> str:
        """The indicator as requests and rows name it: ``code`` or ``code:position``."""
        return f"{self.info.code}:{self.position}" if self.position else self.info.code

    @property
    def title(self) -> str:
        """The indicator as sentences name it, with position and period."""
        return f"„{self.info.title}{self.position_title and f', {self.position_title}'}“ ({spoken(self.period)})"


def values_at(
    session: Session, level: str, keys: Sequence[str], code: str, position: str | None = None, period: str | None = None
) -> IndicatorValues:
    """Return an indicator's values for areas of a level.

    ``position`` None: the one there is. ``period`` None: the latest that speaks of nearly as many areas as any. Raises
    ``ParameterError`` (level, indicator, position or period) for what is not there, cannot be brought to this level,
    or is counted in different ways.
    """
    there = {row.level: row for row in levels(session)}
    own_level = there.get(level) or require_level(session, level)
    asked = Asked(indicator_of(session, code), own_level, there, keys, position, period_of(period))
    published = series_of(session, [code], level)
    where = position_of(asked, published)
    fitting = [one for one in published if one.position == where]
    own = chosen(fitting, asked.period)
    if own is not None:
        return _published(session, asked, own, fitting)
    made = distributed_count(session, asked) if counts_residents(asked.info) else rebuilt_share(session, asked)
    if made is None:
        raise _refusal(session, asked, published)
    return _made(session, asked, made)


def shares_at(session: Session, level: str, *, social: bool = False) -> list[tuple[str, str | None]]:
    """Return the indicators (code, position) with which areas of a level can be compared, by code and position.

    Those the catalogue calls share, rate or index that are published at the level for nearly all areas (90 %); where
    the level has none at all, those that may be rebuilt from residents (position None). ``values_at`` may still
    refuse one of them. ``social``: none that tells of helps or money, which are no trait of those who live there.
    Raises ``ParameterError`` for an unknown level.
    """
    areas = require_level(session, level).areas
    described = indicators_of(session, described_codes(session))
    known = [
        code for code, info in described.items()
        if info.kind in _COMPARABLE and not (social and tells_of_work(info))
    ]  # fmt: skip
    found = series_of(session, known, level)
    if found:
        return sorted({(one.indicator, one.position) for one in found if one.areas >= NEARLY_ALL * areas})
    parts = {code: both for code in known if (both := parts_of(described[code])) is not None}
    used = indicators_of(session, {part for both in parts.values() for part, _position in both})
    return [
        (code, None)
        for code, both in sorted(parts.items())
        if all(counts_residents(used[part]) for part, _position in both)
    ]


def period_of(period: str | None) -> str | None:
    """Return a period in its one form; raise ``ParameterError`` for what is none."""
    try:
        return None if period is None else parse_period(period).text
    except ValueError as error:
        raise ParameterError("period", str(error)) from None


def _published(session: Session, asked: Asked, own: Series, others: Sequence[Series]) -> IndicatorValues:
    require_comparable(asked.info, own)
    found = figures_of(session, own)
    column = column_of(found)
    column.notes = [
        *_later(asked, own, others),
        *_suppressed(asked, found),
        *_together(session, asked, found),
    ]
    return _made(session, asked, Estimate(own, own.position, column))


def _made(session: Session, asked: Asked, made: Estimate) -> IndicatorValues:
    column, source = made.column, made.series.level
    values = [column.values.get(key) for key in asked.keys]
    return IndicatorValues(
        info=asked.info,
        position=made.position,
        period=made.series.period,
        values=np.array([np.nan if value is None else value for value in values], dtype=np.float64),
        estimated=np.array([key in column.estimated for key in asked.keys], dtype=np.bool_),
        datasets=column.datasets,
        note=" ".join(column.notes) or None,
        from_level=source,
        from_coarser=asked.there[source].areas < asked.level.areas,
        position_title=position_title(session, made.position, min(column.datasets, default=None)),
    )


def _later(asked: Asked, own: Series, others: Sequence[Series]) -> Iterator[str]:
    """Say which later figures were left aside because only a few areas have them yet."""
    later = max((one for one in others if one.ends > own.ends and one.areas), key=lambda one: one.ends, default=None)
    if asked.period is None and later is not None:
        have = words.counted(later.areas, "hat erst ein Gebiet", "Gebiete")
        yield (
            f"Von „{asked.info.title}“ sind die Werte für {spoken(own.period)} verwendet; für {spoken(later.period)} "
            f"{have if later.areas == 1 else f'haben erst {have}'} einen Wert."
        )


def _suppressed(asked: Asked, found: Mapping[str, Figure]) -> Iterator[str]:
    hidden = sum(found[key].flag == "suppressed" for key in asked.keys if key in found)
    if hidden:
        said = words.counted(hidden, "Ein Wert", "Werte")
        yield f"{said} von „{asked.info.title}“ {'ist' if hidden == 1 else 'sind'} unterdrückt."


def _together(session: Session, asked: Asked, found: Mapping[str, Figure]) -> Iterator[str]:
    """Say which areas have a figure only together with others, and so none of their own."""
    given = {key for key, figure in found.items() if figure.value is not None}
    wanted = set(asked.keys)
    if given <= wanted:
        return
    merged = session.execute(
        text("SELECT name, members FROM merged_area_visible WHERE level = :level AND key = ANY (:keys) ORDER BY name"),
        {"level": asked.level.level, "keys": sorted(given - wanted)},
    )
    names = [f"„{name}“" for name, members in merged if not wanted.isdisjoint(members) and not given >= set(members)]
    if names:
        yield f"Nur gemeinsam ausgewiesen und darum ohne eigenen Wert: {words.listed(names, _NAMED)}."


def _refusal(session: Session, asked: Asked, published: Sequence[Series]) -> ParameterError:
    """Return why there are no values."""
    title, level = asked.info.title, asked.level.title
    if published and asked.position not in (None, *positions(published)):
        offered = positions(published)[:MOST_OFFERED]
        named = words.listed([one or "ohne Position" for one in offered])
        sentence = f"Die Position „{(asked.position or '')[:60]}“ gibt es von „{title}“ auf der Ebene {level} nicht."
        return ParameterError("position", f"{sentence} Vorhanden: {named}.", offered)
    if published:
        newest = sorted(published, key=lambda one: (one.ends, one.starts), reverse=True)
        offered = list(dict.fromkeys(one.period for one in newest))[:MOST_OFFERED]
        sentence = f"Für „{asked.period}“ gibt es von „{title}“ auf der Ebene {level} keine Werte."
        return ParameterError("period", f"{sentence} Vorhanden: {words.listed(offered)}.", offered)
    if asked.info.code in COUNTS_HELPS:
        return ParameterError("indicator", HIDDEN_COUNTS)
    elsewhere = {one.level for one in series_of(session, [asked.info.code])}
    titles = [row.title for name, row in asked.there.items() if name in elsewhere]
    if titles:
        return ParameterError(
            "indicator",
            f"„{title}“ gibt es auf der Ebene {level} nicht, nur auf: {words.listed(titles)}. {_why(asked)}",
        )
    return _unknown(session, asked)


def _why(asked: Asked) -> str:
    """Return why what other levels have cannot be brought to this one."""
    if counts_residents(asked.info):
        return (
            "Zum Verteilen fehlen Werte für diesen Zeitraum oder diese Position, oder Einwohner auf der Karte, die die "
            "Ebenen verbinden."
        )
    if asked.info.kind in REBUILT:
        return (
            "Anteile werden nie gemittelt, sondern aus ihren Anzahlen neu gebildet; die dieses Anteils sind keine "
            "Zahlen von Einwohnern, oder sie fehlen."
        )
    if asked.info.kind == "count":
        return "Auf andere Ebenen verteilt werden nur Zahlen von Einwohnern, nicht Hilfen, Ausgaben oder anderes."
    return "Werte dieser Art lassen sich nicht auf andere Ebenen übertragen."


def _unknown(session: Session, asked: Asked) -> ParameterError:
    only_ahead = session.execute(
        text("SELECT EXISTS (SELECT FROM observation_visible WHERE indicator = :code AND scenario <> 'ist')"),
        {"code": asked.info.code},
    ).scalar_one()
    if only_ahead:
        return ParameterError(
            "indicator",
            f"Von „{asked.info.title}“ gibt es nur Prognosen oder Pläne; verglichen werden nur eingetretene Werte.",
        )
    offered = list(
        session.execute(
            text(
                "SELECT DISTINCT indicator FROM observation_visible WHERE level = :level ORDER BY indicator LIMIT :most"
            ),
            {"level": asked.level.level, "most": MOST_OFFERED},
        ).scalars()
    )
    there = f"Vorhanden sind hier etwa: {words.listed(offered)}." if offered else "Hier gibt es keine Kennzahlen."
    return ParameterError(
        "indicator", f"Von der Kennzahl „{asked.info.code[:60]}“ gibt es keine Werte. {there}", offered
    )
