"""By what rules placements are published: stored in the database, so that every import derives by the same ones."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.errors import ParameterError
from geodata.tables import STATES


@dataclass(frozen=True, slots=True)
class PlacementRule:
    """What counts as outside, which levels are published, and which counts are small.

    ``home_state``: providers elsewhere, ``Ausland`` included, are outside. ``home_level``: the level of the youth
    offices; it and the levels that contain it are published by the provider's state, and each of its areas is an
    office whose planners know their own areas exactly. ``origin_levels``: published by home state or not. Counts
    above 0 and below ``small`` (at least 2) are suppressed.
    """

    home_state: str = "Hamburg"
    home_level: str = "bezirk"
    origin_levels: tuple[str, ...] = ("stadtteil", "sozialraum")
    small: int = 3


def read_rule(session: Session) -> PlacementRule:
    """Return the rules by which what is stored was derived."""
    row = session.execute(text("SELECT home_state, home_level, origin_levels, small FROM placement_rule_visible")).one()
    return PlacementRule(row.home_state, row.home_level, tuple(row.origin_levels), row.small)


def store_rule(session: Session, rule: PlacementRule) -> bool:
    """Store the rules in a writing transaction that holds the writers' lock; return whether they are other ones.

    Then ``derive.rebuild_published`` is to be called in the same transaction, and the data version rises: answers
    change. Raises ``ParameterError`` for an unknown state and a bound below 2.
    """
    if rule.home_state not in STATES:
        raise ParameterError(
            "home_state", f"„{rule.home_state[:60]}“ ist kein Bundesland. Möglich sind: {', '.join(STATES)}.", STATES
        )
    if rule.small < 2:
        raise ParameterError("small", "Fallzahlen unter 2 sind immer klein; die Grenze muss mindestens 2 sein.")
    if rule == read_rule(session):
        return False
    session.execute(
        text("""
            UPDATE placement_rule SET home_state = :home_state, home_level = :home_level,
                                      origin_levels = :origin_levels, small = :small
        """),
        {
            "home_state": rule.home_state,
            "home_level": rule.home_level,
            "origin_levels": list(rule.origin_levels),
            "small": rule.small,
        },
    )
    session.execute(text("UPDATE instance_state SET data_version = data_version + 1"))
    return True
