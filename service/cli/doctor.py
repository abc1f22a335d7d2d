"""``sozialraumkarte doctor``: what is still missing before the service can be relied on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated

import typer

from geodata.database import Access, make_engine, reading
from geodata.errors import SrkError
from geodata.placement_rule import PlacementRule, read_rule
from geodata.readiness import connection_facts, home_areas, unpublished, what_is_missing
from geodata.viewer import Role, Viewer
from service.cli.common import chosen_stock, load_settings, say, say_json
from service.instance import Instance, Stock, opened, uses_private_cluster
from service.rules import deviations, rule_of
from service.settings import Settings


class Verdict(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warnung"
    FAILED = "fehlt"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and its result in a German sentence."""

    verdict: Verdict
    sentence: str


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Als JSON ausgeben.")] = False) -> None:
    """Check settings, database, rights and data, and say what is still missing."""
    settings = load_settings()
    findings = [*_settings(settings), *_assets()]
    try:
        with opened(settings, chosen_stock()) as instance:
            findings += _database(settings, instance)
    except SrkError as error:
        findings.append(Finding(Verdict.FAILED, str(error)))
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{finding.verdict.value:8} {finding.sentence}")
    if any(finding.verdict is Verdict.FAILED for finding in findings):
        raise typer.Exit(1)


def _settings(settings: Settings) -> Iterator[Finding]:
    if uses_private_cluster(settings, chosen_stock()):
        yield Finding(Verdict.OK, f"Eigener PostGIS-Cluster unter {settings.cluster_home()}.")
    elif settings.admin_database_url is None:
        yield Finding(
            Verdict.WARNING,
            "SRK_ADMIN_DATABASE_URL ist nicht gesetzt: Importe und Migrationen nehmen den Zugang des Dienstes.",
        )
    if not settings.office_areas:
        yield Finding(Verdict.WARNING, "SRK_OFFICE_AREAS ist leer: Die Planung sieht keine internen Angebote.")


def _assets() -> Iterator[Finding]:
    from service.assets import FILES  # noqa: PLC0415 - only here

    absent = [name for name, path in FILES.items() if not path.exists()]
    if absent:
        yield Finding(
            Verdict.FAILED, f"Dateien für den Browser fehlen ({', '.join(absent)}); bitte scripts/setup.sh ausführen."
        )
    else:
        yield Finding(Verdict.OK, "Die Dateien für den Browser sind da.")


def _database(settings: Settings, instance: Instance) -> Iterator[Finding]:
    engine = make_engine(instance.serving_url, pool_size=1)
    try:
        with reading(engine, Access(Viewer(Role.ADMIN))) as session:
            facts = connection_facts(session)
            missing = what_is_missing(session)
            if not missing:
                findings = [*_rules(settings, read_rule(session), derived=not unpublished(session))]
            inside = home_areas(session, settings.home_level)
    finally:
        engine.dispose()
    yield Finding(Verdict.OK, f"PostgreSQL {facts.server_version}, PostGIS {facts.postgis_version}.")
    if facts.can_write:
        yield Finding(
            Verdict.WARNING,
            "Der Zugang des Dienstes darf mehr als lesen; besser einer nur mit srk_read (docs/betrieb.md).",
        )
    else:
        yield Finding(Verdict.OK, "Der Zugang des Dienstes darf nur lesen.")
    if missing:
        yield Finding(Verdict.FAILED, missing)
        return
    yield Finding(Verdict.OK, "Die Datenbank ist eingerichtet und hat Daten.")
    yield from findings
    # The published tables have no map.
    if not inside and instance.stock is not Stock.EXAMPLES:
        yield Finding(
            Verdict.FAILED, f"Auf der Ebene „{settings.home_level}“ (SRK_HOME_LEVEL) sind keine Grenzen geladen."
        )


def _rules(settings: Settings, stored: PlacementRule, *, derived: bool) -> Iterator[Finding]:
    """Tell whether what is published is so by the rules of the settings."""
    differing = list(deviations(stored, rule_of(settings)))
    todo = "bitte „sozialraumkarte db migrate“ ausführen."
    if differing:
        yield Finding(Verdict.FAILED, f"Veröffentlicht wird nach anderen Regeln: {'; '.join(differing)}; {todo}")
    if not derived:
        yield Finding(Verdict.FAILED, f"Geladene Unterbringungen sind noch nicht für Auswertungen aufbereitet; {todo}")
    if derived and not differing:
        yield Finding(Verdict.OK, "Kleine Fallzahlen sind nach den eingestellten Regeln geschützt.")
