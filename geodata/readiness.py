"""The question "can this database be served?"."""

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
