"""The shape of every answer: rows and the footnotes that explain them.

The same footnotes stand in the JSON ``meta``, on the page and on the second sheet of the Excel file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, NotRequired, TypedDict, TypeVar, Unpack

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.errors import ParameterError
from geodata.viewer import Version

Row = TypeVar("Row")

WITHOUT_RELEASE = "Einrichtungen ohne Freigabe sind nicht enthalten."
BUT_OWN = "Einrichtungen ohne Freigabe sind nicht enthalten, außer den eigenen."


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset that went into an answer; ``as_of`` is the Stand of its figures."""

    dataset: str
    title: str
    as_of: date | None
    licence: str | None
    attribution: str | None


@dataclass(slots=True)
class Meta:
    """Footnotes: what was done in one German sentence, in which unit, from which sources, and what is missing.

    ``missing`` counts missing values in the rows, ``notice`` says of a demo or example database what it is,
    ``next`` is the opaque cursor of the next page or None.
    """

    title: str
    method: str
    unit: str
    version: Version
    sources: list[Source]
    missing: int
    data_version: int
    warnings: list[str] = field(default_factory=list)
    notice: str | None = None
    next: str | None = None


@dataclass(slots=True)
class Answer(Generic[Row]):
    """Rows of one question with their footnotes."""

    meta: Meta
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class State:
    """What an answer depends on besides its request; part of every cache key.

    ``instance_id`` changes with a restore, ``data_version`` with an import or rollback,
    ``visibility_version`` with a release.
    """

    instance_id: str
    data_version: int
    visibility_version: int
    notice: str | None


def page_after(
    rows: list[Row], keys: Sequence[str], after: str | None, limit: int | None
) -> tuple[list[Row], str | None]:
    """Return the rows after that of key ``after``, at most ``limit``, and the key the next page comes after.

    ``keys``: of each row; None for all rows, and for no next page. Raises ``ParameterError`` where the key is gone.
    """
    if after is not None and after not in keys:
        raise ParameterError("cursor", "Diese Seite gibt es nicht mehr; bitte von vorn beginnen.")
    begin = 0 if after is None else keys.index(after) + 1
    end = len(rows) if limit is None else begin + limit
    page = rows[begin:end]
    return page, keys[end - 1] if page and end < len(rows) else None


def read_state(session: Session) -> State:
    """Read the state this transaction sees."""
    row = session.execute(
        text("SELECT instance_id::text, data_version, visibility_version, notice FROM instance_state")
    ).one()
    return State(*row)


def identity_secret(session: Session) -> bytes:
    """Return the instance's secret for derived ids; only a writing transaction may read it."""
    return bytes(session.execute(text("SELECT identity_secret FROM instance_state")).scalar_one().bytes)


def read_sources(session: Session, kind: str, datasets: set[str] | None = None) -> list[Source]:
    """Return the visible datasets of a kind (``areas``, ``facilities``), or those of them that are named."""
    rows = session.execute(
        text("""
            SELECT dataset, title, as_of, licence, attribution FROM dataset_visible
            WHERE kind = :kind AND (CAST(:names AS text[]) IS NULL OR dataset = ANY (:names))
            ORDER BY dataset
        """),
        {"kind": kind, "names": None if datasets is None else sorted(datasets)},
    )
    return [Source(*row) for row in rows]


class _Given(TypedDict):
    title: str
    method: str
    unit: str
    sources: list[Source]
    missing: int
    warnings: NotRequired[list[str]]


def footnotes(session: Session, *, version: Version, **given: Unpack[_Given]) -> Meta:
    """Return the footnotes of an answer, with data version and notice of the transaction's moment.

    Each warning is said once; a provider, who sees the own places in any case, is told so.
    """
    state = read_state(session)
    warnings = given.get("warnings", [])
    if WITHOUT_RELEASE in warnings and session.execute(text("SELECT srk_viewer_role() = 'provider'")).scalar_one():
        warnings = [BUT_OWN if one == WITHOUT_RELEASE else one for one in warnings]
    given["warnings"] = list(dict.fromkeys(warnings))
    return Meta(version=version, data_version=state.data_version, notice=state.notice, **given)
