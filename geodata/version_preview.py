"""The question "what would this file change?", asked inside an import's own transaction before it is taken back.

To be called when the new version is written and already the visible one of its dataset, for this transaction alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.geometry import area_geojson, lonlat
from geodata.loosening import Loosened, loosened
from geodata.versions import TABLES, Change, compare

# A place that moves less has only been rounded differently (as importers bear it between rows of one place).
MOVED_M = 1.0
MOST_LISTED = 5000
MOST_SHAPES = 2000
_SIMPLIFY_M = 10.0
# What moves is told before what else changes, also where not everything can be listed (see ``compare``).
_MOVED = f"(ST_Distance(o.geom, n.geom) > {MOVED_M} OR (o.geom IS NULL) <> (n.geom IS NULL))"
_URGENT = {
    "Einrichtungen": f"CASE WHEN o.facility_id IS NOT NULL AND n.facility_id IS NOT NULL AND {_MOVED} THEN 2 END"
}


class Fate(StrEnum):
    """What becomes of a row, in the order in which a reader wants to know it."""

    REMOVED = "removed"
    MOVED = "moved"
    CHANGED = "changed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of one kind (``title``: Angebote, Gebiete …) meet each fate; ``same``: stay as they are."""

    title: str
    fates: dict[Fate, int]
    same: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that differs. ``name``: as people call it, None where there is only the key.

    ``fields``: old and new value of what changed. ``moved_m``: how far a place moved, None where it did not or where
    one of both points is not known. ``loosened``: an offer that a wider circle would see than before; its fields say
    by ``release`` from where to where, that of its place where it is this which would show.
    """

    fate: Fate
    title: str
    key: str
    name: str | None
    fields: dict[str, tuple[Any, Any]]
    moved_m: float | None = None
    loosened: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What a map shows of a difference, as GeoJSON geometries in CRS84.

    ``before``: where a moved place was, or the border an area had; else None. What goes has its old ``geometry``.
    """

    fate: Fate
    name: str
    geometry: dict[str, Any]
    before: dict[str, Any] | None = None
    moved_m: float | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would change. ``first``: there is no version yet, all is new. ``notes``: footnotes that differ.

    ``loosened``: how many offers a wider circle would see than of the visible version; they stand first.
    ``differences`` lists at most ``MOST_LISTED`` per kind of row, without the offers of places that come or go as a
    whole; ``differences_left_out`` counts what had no room. ``shapes`` at most ``MOST_SHAPES``, ``shapes_left_out``
    counts the rest. Figures have no shapes. ``data_version`` is the one the comparison was made against.
    """

    dataset: str
    kind: str
    first: bool
    notes: dict[str, tuple[str | None, str | None]]
    counts: list[Counts]
    differences: list[Difference]
    differences_left_out: int
    loosened: int
    shapes: list[Shape]
    shapes_left_out: int
    data_version: int


def preview(session: Session, name: str) -> Preview:
    """Return what the version just written changes against the one visible until now.

    ``name`` is the dataset's; the session must be the import's own, after it has published.
    """
    held = session.execute(
        text("""
            SELECT id, kind, current_import_id AS after, previous_import_id AS before FROM dataset WHERE name = :name
        """),
        {"name": name},
    ).one()
    found = compare(session, name, held.kind, held.before, held.after, limit=MOST_LISTED, urgent=_URGENT)
    versions = {"before": held.before, "after": held.after}
    moves = _moves(session, versions) if held.kind == "facilities" else {}
    counts = [
        _counts(session, held, title, counted, len(moves) if title == "Einrichtungen" else 0)
        for title, counted in found.counts.items()
    ]
    differences = _named(session, held.kind, found.changes, moves, versions)
    wider = loosened(session, held.id, held.before, held.after) if held.kind == "facilities" else []
    differences = _marked(differences, wider[:MOST_LISTED])
    order = list(Fate)
    differences.sort(
        key=lambda one: (not one.loosened, order.index(one.fate), one.name is None, one.name or "", one.key)
    )
    shapes = _shapes(session, held.kind, differences, versions)
    drawable = next((one for one in counts if one.title == _DRAWN.get(held.kind)), None)
    version = session.execute(text("SELECT data_version FROM instance_state")).scalar_one()
    # Publishing has raised it by one, for this transaction.
    return Preview(
        dataset=name,
        kind=held.kind,
        first=held.before is None,
        notes=found.notes,
        counts=counts,
        differences=differences,
        differences_left_out=sum(map(_total, counts)) - len(found.changes),
        loosened=len(wider),
        shapes=shapes,
        shapes_left_out=max(0, _total(drawable) - MOST_SHAPES) if drawable else 0,
        data_version=version - 1,
    )


def _total(counts: Counts) -> int:
    return sum(counts.fates.values())


def _marked(differences: Sequence[Difference], wider: Sequence[Loosened]) -> list[Difference]:
    """Return the differences with those of offers that become more widely visible marked, and told where they lack."""
    told = {one.key: one for one in differences if one.title == "Angebote"}
    marked = []
    for one in wider:
        name = one.name if one.name == one.place else f"{one.name} ({one.place})"
        # An offer whose row stays as it is, or comes with its place, is told for what becomes of its release.
        fate = Fate.ADDED if one.new else Fate.CHANGED
        found = told.get(one.offer_id) or Difference(fate, "Angebote", one.offer_id, name, {})
        marked.append(replace(found, fields=found.fields | {"release": (one.before, one.after)}, loosened=True))
    keys = {one.key for one in marked}
    return [*marked, *(one for one in differences if one.title != "Angebote" or one.key not in keys)]


def _counts(session: Session, held: Any, title: str, counted: dict[str, int], moved: int) -> Counts:  # noqa: ANN401 - a row
    fates = {
        Fate.ADDED: counted["added"],
        Fate.MOVED: moved,
        Fate.CHANGED: counted["changed"] - moved,
        Fate.REMOVED: counted["removed"],
    }
    table = next(one.table for one in TABLES[held.kind] if one.title == title)
    rows = session.execute(
        text(f"SELECT count(*) FROM {table} WHERE import_id = :after"), {"after": held.after}
    ).scalar_one()
    return Counts(title, fates, rows - counted["added"] - counted["changed"])


def _moves(session: Session, versions: dict[str, int | None]) -> dict[str, float | None]:
    """Return the places that moved, with the distance in metres; None where a point came or went."""
    found = session.execute(
        text(f"""
            SELECT facility_id, ST_Distance(o.geom, n.geom) AS distance_m
            FROM (SELECT facility_id, geom FROM place WHERE import_id = :before) o
            JOIN (SELECT facility_id, geom FROM place WHERE import_id = :after) n USING (facility_id)
            WHERE {_MOVED}
        """),
        versions,
    )
    return {row.facility_id: row.distance_m for row in found}


def _named(
    session: Session,
    kind: str,
    changes: Sequence[Change],
    moves: dict[str, float | None],
    versions: dict[str, int | None],
) -> list[Difference]:
    keys: dict[str, list[str]] = defaultdict(list)
    for change in changes:
        keys[change.table].append(change.key)
    names: dict[tuple[str, str], str | None] = {}
    whole: set[str] = set()  # offers of places that come or go as a whole
    if kind == "areas":
        found = session.execute(
            text("""
                SELECT DISTINCT ON (level, key) level || ' · ' || key AS key, name FROM area
                WHERE import_id IN (:before, :after) AND level || ' · ' || key = ANY (:keys)
                ORDER BY level, key, import_id = :after DESC
            """),
            versions | {"keys": keys["Gebiete"]},
        )
        names = {("Gebiete", row.key): row.name for row in found}
    if kind == "facilities":
        found = session.execute(
            text("""
                SELECT DISTINCT ON (facility_id) facility_id, name FROM place
                WHERE import_id IN (:before, :after) AND facility_id = ANY (:keys)
                ORDER BY facility_id, import_id = :after DESC
            """),
            versions | {"keys": keys["Einrichtungen"]},
        )
        names = {("Einrichtungen", row.facility_id): row.name for row in found}
        found = session.execute(
            text("""
                SELECT DISTINCT ON (o.offer_id) o.offer_id, o.name, p.name AS place,
                       (SELECT count(*) FROM place q
                        WHERE q.facility_id = o.facility_id AND q.import_id IN (:before, :after)) = 2 AS stays
                FROM offer o JOIN place p USING (import_id, facility_id)
                WHERE import_id IN (:before, :after) AND o.offer_id = ANY (:keys)
                ORDER BY o.offer_id, import_id = :after DESC
            """),
            versions | {"keys": keys["Angebote"]},
        )
        for row in found:
            names["Angebote", row.offer_id] = row.name if row.name == row.place else f"{row.name} ({row.place})"
            if not row.stays:
                whole.add(row.offer_id)
    return [
        _difference(change, names.get((change.table, change.key)), moves)
        for change in changes
        if not (change.table == "Angebote" and change.key in whole)
    ]


def _difference(change: Change, name: str | None, moves: dict[str, float | None]) -> Difference:
    fate, moved_m = Fate(change.change), None
    if change.table == "Einrichtungen" and fate is Fate.CHANGED and change.key in moves:
        fate, moved_m = Fate.MOVED, moves[change.key]
    return Difference(fate, change.table, change.key, name, change.fields, moved_m)


_DRAWN = {"areas": "Gebiete", "facilities": "Einrichtungen"}


def _shapes(
    session: Session, kind: str, differences: Sequence[Difference], versions: dict[str, int | None]
) -> list[Shape]:
    """Return what can be drawn, the first ``MOST_SHAPES`` of it."""
    if kind not in _DRAWN:
        return []
    shown = [one for one in differences if one.title == _DRAWN[kind]][:MOST_SHAPES]
    drawn = _areas if kind == "areas" else _points
    before, after = (
        drawn(session, versions[which], [one.key for one in shown]) if versions[which] is not None else {}
        for which in ("before", "after")
    )
    shapes = []
    for one in shown:
        old, new = before.get(one.key), after.get(one.key)
        geometry = new if new is not None else old
        if geometry is None:
            continue
        kept = old if new is not None and old is not None and _position_differs(one) else None
        shapes.append(Shape(one.fate, one.name or one.key, geometry, kept, one.moved_m))
    return shapes


def _position_differs(one: Difference) -> bool:
    return one.fate is Fate.MOVED or (one.title == "Gebiete" and "geom" in one.fields)


def _points(session: Session, import_id: int | None, keys: list[str]) -> dict[str, dict[str, Any]]:
    found = session.execute(
        text("""
            SELECT facility_id, ST_X(geom) AS x, ST_Y(geom) AS y FROM place
            WHERE import_id = :id AND facility_id = ANY (:keys) AND geom IS NOT NULL
        """),
        {"id": import_id, "keys": keys},
    ).all()
    if not found:
        return {}
    degrees = lonlat(np.array([(row.x, row.y) for row in found], dtype=np.float64))
    return {
        row.facility_id: {"type": "Point", "coordinates": point}
        for row, point in zip(found, degrees.tolist(), strict=True)
    }


def _areas(session: Session, import_id: int | None, keys: list[str]) -> dict[str, dict[str, Any]]:
    found = session.execute(
        text("""
            SELECT level || ' · ' || key AS key, ST_AsBinary(geom) AS geom FROM area
            WHERE import_id = :id AND level || ' · ' || key = ANY (:keys) AND geom IS NOT NULL ORDER BY key
        """),
        {"id": import_id, "keys": keys},
    ).all()
    drawn = area_geojson([bytes(row.geom) for row in found], _SIMPLIFY_M) if found else []
    return {row.key: orjson.loads(shape) for row, shape in zip(found, drawn, strict=True) if shape is not None}
