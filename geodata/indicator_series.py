"""Series of published figures: which there are of an indicator, which one is meant, and its figures by area.

A series is what belongs together: one indicator and position at one level for one period. Only what was (``ist``)
takes part, never forecasts or plans; only what the viewer may see.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.areas import LevelRow
from geodata.errors import ParameterError
from geodata.indicators import POPULATION, IndicatorInfo
from geodata.periods import spoken

# A later period is taken though some areas are missing in it, but not where it is a mere beginning.
NEARLY_ALL = 0.9
# So many values are offered where one that is not there was asked for.
MOST_OFFERED = 20
# Kinds that numerator and denominator make.
REBUILT = ("share", "rate")


@dataclass(frozen=True, slots=True)
class Series:
    """One indicator and position at one level for one period (first day ``starts``, last day ``ends``).

    ``countings`` and ``units``: how and in what its datasets count, empty text: not said. ``areas``: areas with a
    value. Where there are several countings, the figures cannot be compared with each other.
    """

    indicator: str
    position: str
    level: str
    period: str
    starts: date
    ends: date
    countings: tuple[str, ...]
    units: tuple[str, ...]
    areas: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One area's figure. ``value`` None: suppressed or missing; ``estimated``: split from a merged area, or said so."""

    value: float | None
    flag: str
    estimated: bool
    dataset: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: an indicator at a level for areas (``keys``). ``there``: all levels with areas, by name.

    ``position`` None: the only one; ``period`` None: the latest that is meant (see ``chosen``).
    """

    info: IndicatorInfo
    level: LevelRow
    there: Mapping[str, LevelRow]
    keys: Sequence[str]
    position: str | None
    period: str | None


def series_of(session: Session, codes: Collection[str], level: str | None = None) -> list[Series]:
    """Return all series of some indicators, of one level or of all, in a fixed order."""
    found = session.execute(
        text("""
            SELECT indicator, position, level, period, starts, ends,
                   array_agg(DISTINCT coalesce(counting, '')) AS countings,
                   array_agg(DISTINCT coalesce(unit, '')) AS units,
                   count(DISTINCT area_key) FILTER (WHERE value IS NOT NULL AND area_key <> 'ohne') AS areas
            FROM observation_visible
            WHERE indicator = ANY (:codes) AND scenario = 'ist' AND (CAST(:level AS text) IS NULL OR level = :level)
            GROUP BY indicator, position, level, period, starts, ends
            ORDER BY indicator COLLATE "C", position COLLATE "C", level COLLATE "C", ends, starts, period COLLATE "C"
        """),
        {"codes": sorted(codes), "level": level},
    )
    return [
        Series(row.indicator, row.position, row.level, row.period, row.starts, row.ends,
               tuple(row.countings), tuple(row.units), row.areas)
        for row in found
    ]  # fmt: skip


def chosen(series: Sequence[Series], period: str | None) -> Series | None:
    """Return the series of a period, or the latest that speaks of nearly as many areas as any; None without one.

    All are of one indicator, position and level.
    """
    if period is not None:
        return next((one for one in series if one.period == period), None)
    most = max((one.areas for one in series), default=0)
    enough = [one for one in series if one.areas >= NEARLY_ALL * most]
    return max(enough, key=lambda one: (one.ends, one.starts, one.period), default=None)


def positions(series: Iterable[Series]) -> list[str]:
    """Return the positions of some series, each once, in order."""
    return sorted({one.position for one in series})


def position_of(asked: Asked, series: Sequence[Series]) -> str | None:
    """Return the position asked for, or the only one; None where there are no series.

    Raises ``ParameterError`` where there are several.
    """
    found = positions(series)
    if asked.position is not None or not found:
        return asked.position
    if len(found) > 1:
        raise ParameterError(
            "position",
            f"„{asked.info.title}“ gibt es in mehreren Positionen; bitte eine nennen: "
            f"{words.listed(found, MOST_OFFERED)}.",
            found[:MOST_OFFERED],
        )
    return found[0]


def counts_residents(info: IndicatorInfo) -> bool:
    """Tell whether an indicator is a count of residents, which may be distributed by residents."""
    return info.residents or info.code == POPULATION


def parts_of(info: IndicatorInfo) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """Return numerator and denominator of a share or rate, each as (code, position); None where it has none."""
    if info.kind not in REBUILT or info.numerator is None or info.denominator is None:
        return None
    top, bottom = info.numerator.partition(":"), info.denominator.partition(":")
    return (top[0], top[2]), (bottom[0], bottom[2])


def require_comparable(info: IndicatorInfo, series: Series) -> None:
    """Raise ``ParameterError`` where figures of a series are counted in different ways, or in different units."""
    units = series.units if info.unit is None else ()
    if len(series.countings) > 1 or len(units) > 1:
        raise ParameterError(
            "indicator",
            f"Die Werte von „{info.title}“ ({spoken(series.period)}) sind verschieden gezählt und darum nicht "
            "vergleichbar.",
        )


def figures_of(session: Session, series: Series) -> dict[str, Figure]:
    """Return the figures of a series by area key, among the keys ``ohne`` and those of merged areas.

    An area's own figure goes before one split from a merged area.
    """
    found = session.execute(
        text("""
            SELECT DISTINCT ON (area_key) area_key, value, flag, merged_key IS NOT NULL OR flag = 'estimated', dataset
            FROM observation_visible
            WHERE indicator = :indicator AND position = :position AND level = :level AND period = :period
              AND scenario = 'ist'
            ORDER BY area_key, merged_key NULLS FIRST, dataset
        """),
        {"indicator": series.indicator, "position": series.position, "level": series.level, "period": series.period},
    )
    return {key: Figure(*rest) for key, *rest in found}
