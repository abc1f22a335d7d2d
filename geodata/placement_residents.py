"""Residents aged 0 to under 21 (JEW) as published for a level, the denominator of cases per 1,000."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages, Tiling, tiling
from geodata.indicators import POPULATION

_YOUNG = Ages(0, 21)
# A later period is taken though some areas are missing in it, but not where it is a mere beginning.
_NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class Residents:
    """Residents under 21 by area key; areas without a figure are missing. ``estimated``: split from a merged area."""

    period: str
    values: Mapping[str, float]
    estimated: frozenset[str]
    datasets: frozenset[str]


def residents_under_21(session: Session, level: str, areas: int, on: date) -> Residents | None:
    """Return the latest published figures of a level that are not from after a day; None without any.

    From the position ``0-21``, or exactly put together from others. A period that speaks of fewer than nine tenths of
    the ``areas`` of the level is taken only where no other speaks of more.
    """
    there = session.execute(
        text("""
            SELECT DISTINCT ends, starts, period, position FROM observation_visible
            WHERE indicator = :population AND level = :level AND scenario = 'ist' AND ends <= :on
            ORDER BY ends DESC, starts DESC, period
        """),
        {"population": POPULATION, "level": level, "on": on},
    )
    positions: dict[str, list[str]] = {}
    for row in there:
        positions.setdefault(row.period, []).append(row.position)
    best: Residents | None = None
    for period, found in positions.items():
        tiles = tiling(_YOUNG, found)
        if tiles is None or tiles.estimated:
            continue
        made = _read(session, level, period, tiles)
        if len(made.values) >= _NEARLY_ALL * areas:
            return made
        if best is None or len(made.values) > len(best.values):
            best = made
    return best if best is not None and best.values else None


def _read(session: Session, level: str, period: str, tiles: Tiling) -> Residents:
    positions = sorted(tiles.factors)
    found = session.execute(
        text("""
            WITH part AS (
                SELECT DISTINCT ON (area_key, position)
                       area_key, position, value, merged_key IS NOT NULL OR flag = 'estimated' AS estimated, dataset
                FROM observation_visible
                WHERE indicator = :population AND level = :level AND scenario = 'ist' AND period = :period
                  AND position = ANY (:positions)
                ORDER BY area_key, position, merged_key NULLS FIRST, counting <> 'stichtag', dataset
            )
            SELECT area_key, sum(value * factor) AS residents, bool_or(estimated) AS estimated,
                   array_agg(DISTINCT dataset) AS datasets
            FROM part JOIN unnest(CAST(:positions AS text[]), CAST(:factors AS double precision[]))
                AS way(position, factor) USING (position)
            WHERE value IS NOT NULL
            GROUP BY area_key HAVING count(*) = cardinality(:positions)
        """),
        {
            "population": POPULATION,
            "level": level,
            "period": period,
            "positions": positions,
            "factors": [float(tiles.factors[position]) for position in positions],
        },
    ).all()
    return Residents(
        period,
        {row.area_key: row.residents for row in found if row.residents >= 0},
        frozenset(row.area_key for row in found if row.estimated),
        frozenset(dataset for row in found for dataset in row.datasets),
    )
