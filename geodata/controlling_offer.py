"""Which controlling figures there are to ask for: levels, their areas and periods."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.controlling_areas import Area
from geodata.controlling_rows import CODES
from geodata.periods import parse_period


@dataclass(frozen=True, slots=True)
class ControllingOffer:
    """A level with figures: its ``areas`` with their names, by key, and the periods in order."""

    level: str
    title: str
    areas: tuple[tuple[Area, str], ...]
    periods: tuple[str, ...]


def controlling_offers(session: Session, scenario: str = "ist") -> list[ControllingOffer]:
    """Return the levels of whose areas the viewer may see figures, narrowest of these last.

    Areas that are reported together or that no longer exist are not named: they stand in the answers.
    """
    found = session.execute(
        text("""
            SELECT a.level, l.title, a.key, a.name, array_agg(DISTINCT o.period) AS periods,
                   (SELECT count(*) FROM area_visible every WHERE every.level = a.level) AS size
            FROM observation_visible o
            JOIN area_visible a ON a.level = o.level AND a.key = o.area_key
            JOIN level l ON l.level = a.level
            WHERE o.scenario = :scenario AND o.indicator = ANY (:codes)
            GROUP BY a.level, l.title, a.key, a.name
            ORDER BY size, a.level, a.key
        """),
        {"scenario": scenario, "codes": list(CODES)},
    ).all()
    made: dict[str, ControllingOffer] = {}
    for level in dict.fromkeys(row.level for row in found):
        rows = [row for row in found if row.level == level]
        periods = sorted({period for row in rows for period in row.periods}, key=parse_period)
        areas = tuple(((level, row.key), row.name) for row in rows)
        made[level] = ControllingOffer(level, rows[0].title, areas, tuple(periods))
    return list(made.values())
