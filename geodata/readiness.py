"""The question "can this database be served?"."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.schema_version import SCHEMA_VERSION


def what_is_missing(session: Session) -> str | None:
    """Return what keeps the service from being ready as a German sentence, None if nothing does."""
    revision = session.execute(text("SELECT version_num FROM schema_revision")).scalar()
    if revision != SCHEMA_VERSION:
        return "Die Datenbank hat einen anderen Stand als der Dienst; bitte „sozialraumkarte db migrate“ ausführen."
    if not session.execute(text("SELECT count(*) FROM dataset_visible")).scalar_one():
        return "Es sind noch keine Daten geladen."
    return None


def unpublished(session: Session) -> bool:
    """Tell whether there are placements of which nothing is derived yet; to be asked with an administrator's eyes."""
    return bool(
        session.execute(
            text("""
                SELECT EXISTS (SELECT FROM dataset_visible d WHERE d.kind = 'placements' AND NOT EXISTS (
                    SELECT FROM placement_sheet_visible s WHERE d.dataset = ANY (s.datasets)))
            """)
        ).scalar_one()
    )


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """Versions, and whether the login behind the session could do more than read."""

    server_version: str
    postgis_version: str
    can_write: bool


def connection_facts(session: Session) -> ConnectionFacts:
    """Return what kind of server and login this is."""
    row = session.execute(
        text("""
            SELECT current_setting('server_version'), PostGIS_Lib_Version(),
                   pg_has_role(session_user, 'srk_write', 'MEMBER')
        """)
    ).one()
    return ConnectionFacts(*row)


def home_areas(session: Session, level: str) -> int:
    """Return how many areas of the home level have borders."""
    return int(
        session.execute(
            text("SELECT count(geom) FROM area_visible WHERE level = :level"), {"level": level}
        ).scalar_one()
    )
