"""The question "how did the imports of a dataset go?": what was counted and found, row by row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geodata.errors import NotFoundError


class State(StrEnum):
    """Where an import's rows are: visible now, kept as the version before, or no longer kept."""

    VISIBLE = "visible"
    BEFORE = "before"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One committed import of a dataset. Counts are in rows; ``source`` is the name of the file or the address."""

    import_id: int
    dataset: str
    kind: str
    imported_at: datetime
    source: str
    checksum: str
    title: str
    licence: str | None
    attribution: str | None
    as_of: date | None
    counting: str | None
    unit: str | None
    scope: str | None
    population_period: str | None
    release: str
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    state: State


_COLUMNS = (
    "import_id, dataset, kind, imported_at, source, checksum, title, licence, attribution, as_of, counting, unit, "
    "scope, population_period, release::text, rows_read, rows_loaded, rows_rejected, state"
)


def imports(session: Session, dataset: str) -> list[ImportRow]:
    """Return the imports of a dataset, newest first.

    Empty for a dataset that is not there, and for whoever is neither planner nor administrator.
    """
    found = session.execute(
        text(f"SELECT {_COLUMNS} FROM import_visible WHERE dataset = :dataset ORDER BY import_id DESC"),
        {"dataset": dataset},
    )
    return [_import(row) for row in found]


def import_report(session: Session, import_id: int) -> tuple[ImportRow, Mapping[str, Any]]:
    """Return an import and its report (the shape of ``importers.report.Report.to_json``).

    For planners the report has no ``findings``, ``reasons`` and ``counts``: only how many rows were read, loaded and
    rejected, and where from. Raises ``NotFoundError`` for an import that is not there or not theirs to see.
    """
    row = session.execute(
        text(f"SELECT {_COLUMNS}, report FROM import_visible WHERE import_id = :id"),
        {"id": import_id},
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"Einen Import mit der Nummer {import_id} gibt es nicht.")
    return _import(row), row.report


def _import(row: Row[Any]) -> ImportRow:
    values = row._asdict()
    values.pop("report", None)
    return ImportRow(**values | {"state": State(row.state)})
