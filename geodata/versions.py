"""Versions of a dataset: what makes two equal, what differs between them, and the way back.

Two versions are kept: the visible one and the one before. A rollback changes places between them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

import geodata.figure_tables
import geodata.surface_tables  # noqa: F401 - their tables join the metadata
from geodata.conflicts import require_no_conflicts
from geodata.derive import rebuild
from geodata.errors import ConflictError, NotFoundError, SrkError
from geodata.references import orphans_between
from geodata.tables import Base


class NoVersionBeforeError(SrkError, LookupError):
    """There is no version to go back to or to compare with."""


class OtherVersionError(ConflictError):
    """Another version is visible by now than the one somebody saw."""


class OrphansError(SrkError, ValueError):
    """The version before lacks areas that other data refer to by now."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """A table whose rows carry ``import_id``: its key within a version, and the words for it.

    ``derived`` tables are rebuilt, never compared. ``as_given`` replaces columns by SQL expressions: what the source
    said where a derivation may have filled them, or a text where a key may be NULL. ``left_out`` columns are a
    numbering that means nothing, or made from the others.
    """

    table: str
    key: tuple[str, ...]
    title: str
    derived: bool = False
    as_given: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def columns(self) -> dict[str, str]:
        """Return the columns that make the content, name to SQL expression."""
        names = (column.name for column in Base.metadata.tables[self.table].columns)
        return {
            name: self.as_given.get(name, f'"{name}"') for name in names if name not in {"import_id", *self.left_out}
        }


_GIVEN_PARENT = {
    "parent_level": "CASE WHEN NOT parent_derived THEN parent_level END",
    "parent_key": "CASE WHEN NOT parent_derived THEN parent_key END",
    "parent_derived": "false",
}
_PLACEMENT_KEY = (
    "level", "period", "paragraph", "area_key", "area_role", "counting", "provider_state", "provider_area_level",
    "provider_area_key", "place_state",
)  # fmt: skip
_OBSERVATION_KEY = ("level", "area_key", "indicator", "position", "period", "scenario")
_ADDRESS_KEY = {
    "street_plain": "street_plain",
    "number_plain": "number_plain",
    "postcode": "coalesce(postcode, '')",
    "city": "coalesce(city, '')",
}

# Children first: rows go in this order.
TABLES: Mapping[str, tuple[Versioned, ...]] = MappingProxyType(
    {
        "areas": (Versioned("area", ("level", "key"), "Gebiete", as_given=_GIVEN_PARENT),),
        "facilities": (
            Versioned("facility_snap", (), "", derived=True),
            Versioned("facility_area", (), "", derived=True),
            Versioned("offer", ("offer_id",), "Angebote", left_out=("spelt",)),
            Versioned("place", ("facility_id",), "Einrichtungen", left_out=("spelt", "spelt_address")),
        ),
        "statistics": (
            Versioned("observation_split", (), "", derived=True),
            Versioned("observation", _OBSERVATION_KEY, "Beobachtungen"),
        ),
        "placements": (
            Versioned("placement", _PLACEMENT_KEY, "Unterbringungen"),
            Versioned("placement_delivery", ("level", "period"), "Lieferungen"),
        ),
        "population": (Versioned("population_cell", ("cell_id",), "Gitterzellen"),),
        "network": (
            Versioned("network_edge", ("edge",), "Kanten"),
            Versioned("network_node", ("node",), "Knoten"),
        ),
        "addresses": (
            Versioned("address", tuple(_ADDRESS_KEY), "Adressen", as_given=_ADDRESS_KEY, left_out=("number",)),
        ),
        "catalogue": (
            Versioned("indicator", ("code",), "Kennzahlen"),
            Versioned("help_type", ("code",), "Hilfearten"),
            Versioned("help_group", ("code",), "Gruppen von Hilfearten"),
            Versioned("standard", ("code",), "Richtwerte"),
            Versioned("dataset_rank", ("dataset",), "Rangfolge der Bestände"),
        ),
    }
)

# What an import says of its figures is part of the content: a new Stand is a new version.
_FOOTNOTES = ("title", "licence", "attribution", "as_of", "counting", "unit", "scope", "population_period", "release")


def content_digest(session: Session, kind: str, import_id: int) -> str:
    """Return a digest that two versions share exactly if their rows and footnotes are the same, whatever the order.

    To be taken before anything derived is written into the rows.
    """
    digest = hashlib.sha256()
    for table in TABLES[kind]:
        if table.derived:
            continue
        row = f"ROW({', '.join(table.columns().values())})::text"
        counted = session.execute(
            text(f"""
                SELECT count(*), sum(hashtextextended({row}, 0)), sum(hashtextextended({row}, 1))
                FROM {table.table} WHERE import_id = :import_id
            """),
            {"import_id": import_id},
        ).one()
        digest.update(f"{table.table}{tuple(map(str, counted))}".encode())
    if kind == "areas":
        # What an import says of the level itself is news too.
        levels = session.execute(
            text("""
                SELECT ROW(level, title, parent_level)::text FROM level
                WHERE level IN (SELECT level FROM area WHERE import_id = :import_id) ORDER BY level
            """),
            {"import_id": import_id},
        ).scalars()
        digest.update(str(list(levels)).encode())
    notes = session.execute(
        text(f"SELECT ROW({', '.join(_FOOTNOTES)})::text FROM import_run WHERE id = :import_id"),
        {"import_id": import_id},
    ).scalar_one()
    digest.update(str(notes).encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Held:
    dataset_id: int
    kind: str
    current: int
    previous: int


def _held(session: Session, name: str) -> _Held:
    row = session.execute(
        text("SELECT id, kind, current_import_id, previous_import_id FROM dataset WHERE name = :name"), {"name": name}
    ).one_or_none()
    if row is None or row.current_import_id is None:
        known = session.execute(
            text("SELECT name FROM dataset WHERE current_import_id IS NOT NULL ORDER BY name")
        ).scalars()
        raise NotFoundError(f"Den Bestand „{name}“ gibt es nicht. Vorhanden: {', '.join(known) or 'keiner'}.")
    if row.previous_import_id is None:
        raise NoVersionBeforeError(f"Vom Bestand „{name}“ gibt es nur eine Fassung; davor ist nichts aufgehoben.")
    return _Held(row.id, row.kind, row.current_import_id, row.previous_import_id)


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What a rollback did: the version visible now (``as_of``: its Stand) and the new data version."""

    dataset: str
    import_id: int
    imported_at: str
    as_of: str | None
    rows: int
    data_version: int
    counts: dict[str, int]


def rollback(session: Session, name: str, *, allow_orphans: bool = False, visible: int | None = None) -> RolledBack:
    """Make the version before visible again; the one taken back stays as the version before.

    ``visible``: the import whoever asks saw as the visible one, so that two who ask at once do not go there and back.
    To be called in a writing transaction that holds the writers' lock. An unattended renewal does not bring the
    content taken back again until the source changes. Raises ``NotFoundError`` for an unknown dataset,
    ``NoVersionBeforeError`` where only one version is kept, ``OtherVersionError`` where another one is visible,
    ``OrphansError`` where areas would go that others refer to, ``geodata.conflicts.ConflictError`` where another
    dataset has the same figures by now; nothing may be committed then.
    """
    held = _held(session, name)
    if visible not in {None, held.current}:
        raise OtherVersionError(
            f"Vom Bestand „{name}“ ist inzwischen eine andere Fassung sichtbar; nichts wurde geändert. "
            "Bitte die Seite neu laden."
        )
    if not allow_orphans:
        _require_no_orphans(session, held)
    session.execute(
        text("""
            UPDATE dataset SET current_import_id = :previous, previous_import_id = :current,
                refused_digest = coalesce((SELECT content_digest FROM import_run WHERE id = :current), :digest)
            WHERE id = :dataset_id
        """),
        {
            "previous": held.previous,
            "current": held.current,
            "dataset_id": held.dataset_id,
            "digest": content_digest(session, held.kind, held.current),
        },
    )
    counts = rebuild(session, held.kind, held.previous)
    if held.kind in {"statistics", "catalogue"}:
        require_no_conflicts(session)
    version = session.execute(
        text("UPDATE instance_state SET data_version = data_version + 1 RETURNING data_version")
    ).scalar_one()
    row = session.execute(
        text("SELECT imported_at::text, as_of::text, rows_loaded FROM import_run WHERE id = :id"),
        {"id": held.previous},
    ).one()
    return RolledBack(name, held.previous, row.imported_at, row.as_of, row.rows_loaded, version, counts)


def _require_no_orphans(session: Session, held: _Held) -> None:
    levels = session.execute(
        text("SELECT DISTINCT level FROM area WHERE import_id = :current ORDER BY level"), {"current": held.current}
    ).scalars()
    for level in list(levels):
        lost = orphans_between(session, level, held.current, held.previous)
        if lost is not None:
            raise OrphansError(f"{lost.sentence()}; nichts wurde geändert. Mit --allow-orphans geschieht es trotzdem.")


@dataclass(frozen=True, slots=True)
class Change:
    """One row that differs: ``change`` is ``added``, ``changed`` or ``removed``.

    ``fields``: of a changed row the old and new value of each field that differs. Of a geometry it says where it is
    and how large (EPSG:25832); two that differ only in their course may read the same.
    """

    table: str
    change: str
    key: str
    fields: dict[str, tuple[Any, Any]]


@dataclass(slots=True)
class Diff:
    """What the visible version changed against the one before.

    ``notes``: old and new of the footnotes that differ (title, Stand, licence …); ``counts``: per kind of row and
    change, all of them; ``changes``: at most ``limit`` per kind of row.
    """

    dataset: str
    notes: dict[str, tuple[str | None, str | None]]
    counts: dict[str, dict[str, int]]
    changes: list[Change]
    limit: int


def diff(session: Session, name: str, *, limit: int = 1000) -> Diff:
    """Compare the visible version with the one before; list at most ``limit`` changes per kind of row.

    Raises like ``rollback``.
    """
    held = _held(session, name)
    return compare(session, name, held.kind, held.previous, held.current, limit=limit)


def compare(
    session: Session,
    name: str,
    kind: str,
    before: int | None,
    after: int,
    *,
    limit: int = 1000,
    urgent: Mapping[str, str] = MappingProxyType({}),
) -> Diff:
    """Compare two versions of a dataset by the ids of their imports; ``before`` None: with nothing, all is added.

    What is listed first, where there is more than ``limit``: what goes, then what changes, then what comes.
    ``urgent``: per title of a table the place of a row in that order, as a SQL expression over the old row ``o`` and
    the new one ``n``: 0 before all, 2 before other changes, NULL as usual. To be called with the rights of the writing
    group: no other reads versions that are not visible.
    """
    made = Diff(name, {} if before is None else _notes_diff(session, before, after), {}, [], limit)
    for table in TABLES[kind]:
        if not table.derived:
            rank = urgent.get(table.title, "NULL")
            made.counts[table.title], changes = _table_diff(session, table, before, after, limit, rank)
            made.changes += changes
    return made


def _notes_diff(session: Session, before: int, after: int) -> dict[str, tuple[str | None, str | None]]:
    names = ", ".join(f"CAST({name} AS text) AS {name}" for name in _FOOTNOTES)
    old, new = (
        session.execute(text(f"SELECT {names} FROM import_run WHERE id = :id"), {"id": number}).mappings().one()
        for number in (before, after)
    )
    return {name: (old[name], new[name]) for name in _FOOTNOTES if old[name] != new[name]}


def _table_diff(
    session: Session, table: Versioned, previous: int | None, current: int, limit: int, rank: str
) -> tuple[dict[str, int], list[Change]]:
    columns = table.columns()
    given = ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())
    key = ", ".join(f'"{name}"' for name in table.key)
    before, after = (", ".join(f"'{name}', {_shown(side, name)}" for name in columns) for side in ("o", "n"))
    tests = {name: f'o."{name}" IS DISTINCT FROM n."{name}"' for name in columns if name not in table.key}
    differing = " OR ".join(tests.values())
    fields = ", ".join(f"CASE WHEN {test} THEN '{name}' END" for name, test in tests.items())
    first = table.key[0]
    query = f"""
        WITH o AS (SELECT {given} FROM {table.table} WHERE import_id = :previous),
             n AS (SELECT {given} FROM {table.table} WHERE import_id = :current)
        SELECT CASE WHEN o."{first}" IS NULL THEN 'added' WHEN n."{first}" IS NULL THEN 'removed' ELSE 'changed' END
                   AS change,
               coalesce({rank}, CASE WHEN n."{first}" IS NULL THEN 1 WHEN o."{first}" IS NULL THEN 4 ELSE 3 END)
                   AS rank,
               concat_ws(' · ', {key}) AS key, jsonb_build_object({before}) AS before,
               jsonb_build_object({after}) AS after,
               array_remove(CAST(ARRAY[{fields}] AS text[]), NULL) AS fields
        FROM o FULL JOIN n USING ({key})
        WHERE o."{first}" IS NULL OR n."{first}" IS NULL OR {differing or "false"}
    """
    versions = {"previous": previous, "current": current}
    counted = session.execute(text(f"SELECT change, count(*) FROM ({query}) q GROUP BY change"), versions)
    counts = {"added": 0, "changed": 0, "removed": 0} | {change: number for change, number in counted}
    rows: Sequence[Any] = session.execute(
        text(f"{query} ORDER BY rank, key LIMIT :limit"), versions | {"limit": limit}
    ).all()
    changes = [
        Change(
            table.title,
            row.change,
            row.key,
            {name: (row.before[name], row.after[name]) for name in row.fields} if row.change == "changed" else {},
        )
        for row in rows
    ]
    return counts, changes


def _shown(side: str, name: str) -> str:
    """Return the SQL expression of a value as a reader of a diff needs it."""
    column = f'{side}."{name}"'
    if name != "geom":
        return column
    return f"""CASE WHEN ST_Dimension({column}) = 0 THEN ST_AsText({column}, 1)
        WHEN {column} IS NOT NULL THEN format('%s, %s m², %s Ecken', GeometryType({column}),
                                              round(ST_Area({column})), ST_NPoints({column})) END"""
