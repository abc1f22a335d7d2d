"""Which placements there are to ask for: levels, roles, ways of counting and their periods."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.figure_tables import AREA_ROLES, PLACEMENT_COUNTINGS
from geodata.periods import kind_of, parse_period, when

_COMPARED_YEARS = 2
_DAYS_PER_YEAR = 365


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
    known = sorted(parse_period(one) for one in offered if kind_of(one) == kind_of(own.text))
    return [one.text for one in known if one.ends < own.ends]


def usual_comparison(period: str, offered: Sequence[str]) -> str | None:
    """Return the period a change is told against unless another is asked for: the one nearest to two years before.

    Of two equally near the earlier; None where none came before.
    """
    wanted = when(period) - _COMPARED_YEARS
    # To the day: years are not all of the same length.
    return min(
        comparable(period, offered), key=lambda one: round(abs(when(one) - wanted) * _DAYS_PER_YEAR), default=None
    )
