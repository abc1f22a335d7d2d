"""Which placements there are to ask for: levels, roles, ways of counting and their periods."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.figure_tables import AREA_ROLES, PLACEMENT_COUNTINGS
from geodata.periods import parse_period

_COMPARED_YEARS = 2


@dataclass(frozen=True, slots=True)
class PlacementOffer:
    """Placements of one level by one role and way of counting; ``title`` of the level, ``periods`` oldest first."""

    level: str
    title: str
    paragraph: str
    area_role: str
    counting: str
    periods: tuple[str, ...]


def placement_offers(session: Session) -> list[PlacementOffer]:
    """Return what the viewer may ask for: widest level (fewest areas) first, by responsible office before by origin."""
    found = session.execute(
        text("""
            SELECT s.level, l.title, s.paragraph, s.area_role, s.counting,
                   array_agg(s.period ORDER BY s.ends, s.starts DESC, s.period) AS periods,
                   (SELECT count(*) FROM area_visible a WHERE a.level = s.level) AS areas
            FROM placement_sheet_visible s JOIN level l ON l.level = s.level
            GROUP BY s.level, l.title, s.paragraph, s.area_role, s.counting
        """)
    ).all()
    ordered = sorted(
        found,
        key=lambda row: (row.areas, row.level, row.paragraph, AREA_ROLES.index(row.area_role),
                         PLACEMENT_COUNTINGS.index(row.counting)),
    )  # fmt: skip
    return [
        PlacementOffer(row.level, row.title, row.paragraph, row.area_role, row.counting, tuple(row.periods))
        for row in ordered
    ]


def comparable(period: str, offered: Sequence[str]) -> list[str]:
    """Return the periods of the same length that ended before this one, oldest first."""
    own = parse_period(period)
    known = sorted(parse_period(one) for one in offered if _kind(one) == _kind(own.text))
    return [one.text for one in known if one.ends < own.ends]


def _kind(period: str) -> str:
    return re.sub(r"\d", "0", period)


def usual_comparison(period: str, offered: Sequence[str]) -> str | None:
    """Return the period a change is told against unless another is asked for: two years before, else the earliest.

    None where none came before.
    """
    before = comparable(period, offered)
    wanted = f"{int(period[:4]) - _COMPARED_YEARS}{period[4:]}"
    return wanted if wanted in before else next(iter(before), None)
