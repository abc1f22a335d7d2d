"""The question "which data is there, and how old is it?"."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.answer import Answer, Source, footnotes
from geodata.viewer import Version


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One visible dataset: its Stand (``as_of``), licence, how it counts, last import and how it fares since.

    ``checked_at``: when the source was last found well, by an import or because nothing had changed; ``age_days``: the
    whole days since then, by German dates. ``failed_at``: when renewing it failed last, None once it succeeds again.
    ``failure`` (why) is for administrators, who see all a source may hold; None for others, as is what the import
    counted for whoever is neither planner nor administrator.
    """

    dataset: str
    kind: str
    title: str
    as_of: date | None
    licence: str | None
    attribution: str | None
    counting: str | None
    imported_at: datetime
    checked_at: datetime
    age_days: int
    failed_at: datetime | None
    failure: str | None
    rows_loaded: int | None
    rows_rejected: int | None


def datasets(session: Session, *, on: date, version: Version = Version.PUBLISHED) -> Answer[DatasetRow]:
    """Return all datasets with a visible version, by name; ``on`` is the day their age is counted to."""
    found = session.execute(
        text("""
            SELECT dataset, kind, title, as_of, licence, attribution, counting, imported_at, checked_at,
                   greatest(:on - (checked_at AT TIME ZONE 'Europe/Berlin')::date, 0) AS age_days,
                   failed_at, failure, rows_loaded, rows_rejected
            FROM dataset_visible ORDER BY dataset
        """),
        {"on": on},
    )
    rows = [DatasetRow(*row) for row in found]
    meta = footnotes(
        session,
        title="Datenbestände",
        method="Alle sichtbaren Datenbestände mit Stand, Lizenz, letztem Import und letzter Prüfung der Quelle.",
        unit="Datenbestände",
        version=version,
        sources=[Source(r.dataset, r.title, r.as_of, r.licence, r.attribution) for r in rows],
        missing=sum(r.as_of is None for r in rows),
        warnings=[
            *(f"Der Bestand „{r.dataset}“ ließ sich zuletzt nicht erneuern." for r in rows if r.failed_at),
            *(f"Der Bestand „{one.dataset}“ ließ sich noch nie laden." for one in never_loaded(session)),
        ],
    )
    return Answer(meta, rows)


@dataclass(frozen=True, slots=True)
class NeverLoaded:
    """A source that never came in: when it failed last, and why (None for whoever is no administrator)."""

    dataset: str
    failed_at: datetime
    failure: str | None


def never_loaded(session: Session) -> list[NeverLoaded]:
    """Return the sources that were tried and have no version yet, by name."""
    found = session.execute(
        text("""
            SELECT dataset, failed_at, failure FROM source_state_visible s
            WHERE failed_at IS NOT NULL AND NOT EXISTS (SELECT FROM dataset_visible d WHERE d.dataset = s.dataset)
            ORDER BY dataset
        """)
    )
    return [NeverLoaded(*row) for row in found]


@dataclass(frozen=True, slots=True)
class Health:
    """How a dataset fares, for supervision: moments as seconds since 1970, None where there was none.

    ``imported``: the visible version; ``checked``: its source last found well; ``failed``: when renewing failed
    last, None once it succeeds again.
    """

    dataset: str
    imported: float | None
    checked: float | None
    failed: float | None


def health(session: Session) -> list[Health]:
    """Return how every dataset fares, by name, those included whose source never came in."""
    found = session.execute(
        text("""
            SELECT coalesce(d.dataset, s.dataset) AS dataset, extract(epoch FROM d.imported_at)::float8,
                   extract(epoch FROM coalesce(d.checked_at, s.checked_at))::float8,
                   extract(epoch FROM s.failed_at)::float8
            FROM dataset_visible d FULL JOIN source_state_visible s USING (dataset) ORDER BY 1
        """)
    )
    return [Health(*row) for row in found]


def loaded_datasets(session: Session) -> set[str]:
    """Return the names of the datasets that have a visible version."""
    return set(session.execute(text("SELECT dataset FROM dataset_visible")).scalars())


def set_notice(session: Session, notice: str) -> None:
    """Mark the whole database with a sentence that every answer then carries ("Beispieldaten …")."""
    session.execute(
        text("UPDATE instance_state SET notice = :notice WHERE notice IS DISTINCT FROM :notice"), {"notice": notice}
    )
