"""The question "which data is there, and how old is it?"."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.answer import Answer, Source, footnotes
from geodata.viewer import Version


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One visible dataset: its Stand (``as_of``), licence and last import.

    What the import counted is None for whoever may not see all of it.
    """

    dataset: str
    kind: str
    title: str
    as_of: date | None
    licence: str | None
    attribution: str | None
    imported_at: datetime
    rows_loaded: int | None
    rows_rejected: int | None


def datasets(session: Session, *, version: Version = Version.PUBLISHED) -> Answer[DatasetRow]:
    """Return all datasets with a visible version, by name."""
    found = session.execute(
        text("""
            SELECT dataset, kind, title, as_of, licence, attribution, imported_at, rows_loaded, rows_rejected
            FROM dataset_visible ORDER BY dataset
        """)
    )
    rows = [DatasetRow(*row) for row in found]
    meta = footnotes(
        session,
        title="Datenbestände",
        method="Alle sichtbaren Datenbestände mit Stand, Lizenz und letztem Import.",
        unit="Datenbestände",
        version=version,
        sources=[Source(r.dataset, r.title, r.as_of, r.licence, r.attribution) for r in rows],
        missing=sum(r.as_of is None for r in rows),
    )
    return Answer(meta, rows)


def loaded_datasets(session: Session) -> set[str]:
    """Return the names of the datasets that have a visible version."""
    return set(session.execute(text("SELECT dataset FROM dataset_visible")).scalars())


def set_notice(session: Session, notice: str) -> None:
    """Mark the whole database with a sentence that every answer then carries ("Beispieldaten …")."""
    session.execute(
        text("UPDATE instance_state SET notice = :notice WHERE notice IS DISTINCT FROM :notice"), {"notice": notice}
    )
