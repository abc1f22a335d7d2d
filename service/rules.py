"""The rules of disclosure control: brought from the settings into the database, by which what is published is derived.

They are stored so that every import, whoever starts it, derives by the same ones. Where settings and stored rules
differ, the stored ones hold until a writing command applies the settings.
"""

from collections.abc import Callable, Iterator

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geodata.database import lock_writers, writing
from geodata.derive import published_is_due, rebuild_published
from geodata.errors import ConflictError
from geodata.placement_rule import PlacementRule, read_rule, store_rule
from service.instance import Stock, settings_of
from service.settings import Settings

_SETTINGS = {
    "home_state": "SRK_HOME_STATE",
    "home_level": "SRK_HOME_LEVEL",
    "origin_levels": "SRK_PUBLISHED_LEVELS",
    "small": "SRK_SMALL_COUNTS_BELOW",
}


def rule_of(settings: Settings) -> PlacementRule:
    """Return the rules the settings say."""
    return PlacementRule(
        settings.home_state, settings.home_level, settings.published_levels, settings.small_counts_below
    )


def apply_rules(engine: Engine, settings: Settings, stock: Stock, *, anew: bool = False) -> dict[str, int] | None:
    """Store the rules of a stock of data, and rebuild what is published if they changed or it was never derived.

    Returns what was counted on the way, under German names; None where nothing was to be done. ``anew``: look at
    everything, as after a migration; what is up to date stays as it is all the same. Raises ``ConflictError`` where two
    datasets speak for the same figures; nothing is changed then.
    """
    wanted = rule_of(settings_of(settings, stock))
    with writing(engine) as session:
        # Without the lock: a running import holds nobody up who has nothing to write.
        if not anew and not _is_due(session, wanted):
            return None
    with writing(engine) as session:
        lock_writers(session)
        if not anew and not _is_due(session, wanted):
            return None
        stored = store_rule(session, wanted)
        counts = rebuild_published(session)
        if counts and not stored:
            session.execute(text("UPDATE instance_state SET data_version = data_version + 1"))
        return counts if stored or counts else None


def _is_due(session: Session, wanted: PlacementRule) -> bool:
    return read_rule(session) != wanted or published_is_due(session)


def apply_or_tell(engine: Engine, settings: Settings, stock: Stock, tell: Callable[[str], None]) -> None:
    """Apply the rules; what keeps them from being applied is told, so that it can be put right by an import."""
    try:
        apply_rules(engine, settings, stock)
    except ConflictError as error:
        tell(f"Die Regeln der Veröffentlichung ließen sich nicht anwenden: {error}")


def deviations(stored: PlacementRule, wanted: PlacementRule) -> Iterator[str]:
    """Yield where the stored rules are not those of the settings, in German words."""
    for name, variable in _SETTINGS.items():
        held, given = (_shown(getattr(rule, name)) for rule in (stored, wanted))
        if held != given:
            yield f"{variable} ist „{given}“, gespeichert ist „{held}“"


def _shown(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
