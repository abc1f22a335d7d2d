"""The official residents by age that the population surface is to keep: which they are, and their numbers.

Only figures that everyone may see are used, since everyone may see the surface.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages, parse_position
from geodata.indicators import POPULATION
from geodata.surface_cells import Areas

# A later period is taken though some areas are missing in it, but not where it is a mere beginning.
NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class Choice:
    """The level, dataset and period whose official figures the surface keeps."""

    level: str
    dataset: str
    period: str


@dataclass(frozen=True, slots=True)
class Official:
    """Official residents: ``figures`` (areas of the level in their order, spans), NaN where not published.

    ``title`` and ``level_title``: the names of dataset and level. ``estimated`` (areas,): split from the figure of a
    merged area.
    """

    choice: Choice
    title: str
    level_title: str
    spans: list[Ages]
    figures: NDArray[np.float64]
    estimated: NDArray[np.bool_]


def choose(session: Session) -> Choice | None:
    """Return what the surface keeps; None if no residents are published for areas with geometry.

    The finest level (most areas) that has both geometry and residents by age (where no level has ages: residents at
    all), and of whose areas nearly all have them: a few figures of a finer level would leave the rest of the city
    without. Where no level is so complete, the one with the most areas that have them. On it the latest period, no
    forecast, that speaks of nearly as many areas as any; one dataset.
    """
    rows = session.execute(
        text("""
            SELECT o.level, o.dataset, o.period, o.ends, o.position ~ '^[0-9]' AND o.position <> '0-' AS by_age,
                   count(DISTINCT o.area_key) AS areas, count(DISTINCT o.position) AS positions
            FROM observation_visible o
            WHERE o.indicator = :population AND o.scenario = 'ist' AND o.value IS NOT NULL
              AND o.position ~ '^(total|[0-9]+-[0-9]*)$' AND (o.level, o.area_key) IN (
                SELECT a.level, a.key FROM dataset d JOIN area a ON a.import_id = d.current_import_id
                WHERE a.geom IS NOT NULL)
            GROUP BY 1, 2, 3, 4, 5
        """),
        {"population": POPULATION},
    ).all()
    known = [row for row in rows if row.by_age] or rows
    if not known:
        return None
    mapped: dict[str, int] = dict(
        session.execute(
            text("""
                SELECT a.level, count(*) FROM dataset d JOIN area a ON a.import_id = d.current_import_id
                WHERE a.geom IS NOT NULL GROUP BY a.level
            """)
        ).all()
    )
    complete = [row for row in known if row.areas >= NEARLY_ALL * mapped[row.level]]
    most = max(row.areas for row in complete or known)
    level = min(row.level for row in complete or known if row.areas == most)
    enough = [row for row in known if row.level == level and row.areas >= NEARLY_ALL * most]
    best = max(sorted(enough, key=lambda row: str(row.dataset)), key=lambda row: (row.ends, row.areas, row.positions))
    return Choice(best.level, best.dataset, best.period)


def read_official(session: Session, choice: Choice, areas: Mapping[str, Areas]) -> Official:
    """Return the chosen figures. An area's own figure goes before one split from a merged area."""
    rows = session.execute(
        text("""
            SELECT area_key, position, value, merged_key IS NOT NULL AS split FROM observation_visible
            WHERE indicator = :population AND scenario = 'ist' AND value IS NOT NULL
              AND level = :level AND dataset = :dataset AND period = :period
            ORDER BY split DESC
        """),
        {"population": POPULATION, "level": choice.level, "dataset": choice.dataset, "period": choice.period},
    ).all()
    number = {key: i for i, key in enumerate(areas[choice.level].keys)}
    spans = {
        position: span for position in sorted({row.position for row in rows}) if (span := parse_position(position))
    }
    distinct = sorted(set(spans.values()), key=lambda span: (span.age_from, span.end))
    column = {position: distinct.index(span) for position, span in spans.items()}
    figures = np.full((len(number), len(distinct)), np.nan)
    estimated = np.zeros(len(number), dtype=np.bool_)
    for row in rows:
        if row.area_key in number and row.position in column:
            figures[number[row.area_key], column[row.position]] = max(row.value, 0.0)
            estimated[number[row.area_key]] |= row.split
    title, level_title = session.execute(
        text("""
            SELECT d.title, l.title FROM dataset_visible d CROSS JOIN level l
            WHERE d.dataset = :dataset AND l.level = :level
        """),
        {"dataset": choice.dataset, "level": choice.level},
    ).one()
    return Official(choice, title, level_title, distinct, figures, estimated)
