"""Area rows: canonical columns, checks, and polygons made valid in metres (EPSG:25832)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from importers import place
from importers.errors import MappingError
from importers.kinds.cells import CONTROL, SPOILT, SPOILT_SAID
from importers.lookup import Lookup, resolved
from importers.mapping import Columns, Rule, canonical
from importers.report import Report
from importers.sources import Chunk

COLUMNS = ("key", "name", "parent_key")
STAGE = (("row", "int"), ("key", "text"), ("name", "text"), ("parent_key", "text"), ("attributes", "jsonb"),
          ("geom", "geometry(MultiPolygon, 25832)"))  # fmt: skip
_MAX_TEXT_CHARS = 500
_SMALLEST_GAP_M2 = 1.0


def checked(
    chunk: Chunk,
    rules: dict[str, Rule],
    declared_crs: str | None,
    report: Report,
    lookup: Lookup,
    *,
    keep_attributes: bool,
) -> tuple[Iterator[tuple[Any, ...]], NDArray[Any] | None]:
    """Return the rows that may be staged (as ``STAGE`` names their columns), and the chunk's polygons.

    Other rows are noted as rejects. ``lookup`` finds the areas that rules give by name. Polygons are valid
    MultiPolygons in metres, one per row, or None without map.
    """
    report.rows_read += len(chunk.rows)
    polygons = _polygons(chunk, declared_crs, report)
    named = canonical(chunk.columns, len(chunk.rows), rules, COLUMNS)
    table = resolved(named, chunk.rows, rules, lookup, report)
    return _staged(chunk, table, rules, polygons, report, keep_attributes=keep_attributes), polygons


def _staged(
    chunk: Chunk,
    table: Columns,
    rules: dict[str, Rule],
    polygons: NDArray[Any] | None,
    report: Report,
    *,
    keep_attributes: bool,
) -> Iterator[tuple[Any, ...]]:
    count = len(chunk.rows)
    used = {name for rule in rules.values() for name in rule.sources()}
    rest = [name for name in chunk.columns if name not in used and name.lower() not in COLUMNS]
    hexed = [None] * count if polygons is None else shapely.to_wkb(polygons, hex=True, include_srid=True)
    refused = report.rejected_rows()
    texts = [[_text(value) for value in table[name]] for name in COLUMNS]
    for i, (row, key, name, parent) in enumerate(zip(chunk.rows.tolist(), *texts, strict=True)):
        if not key:
            report.reject(row, "key", key, "Der Schlüssel fehlt.", "Bitte ergänzen.")
        elif not name:
            report.reject(row, "name", name, "Der Name fehlt.", "Bitte ergänzen.")
        elif SPOILT & {key, name}:
            field, value = ("key", key) if key in SPOILT else ("name", name)
            report.reject(row, field, value, SPOILT_SAID, "Bitte in der Tabelle berichtigen.")
        elif max(len(key), len(name)) > _MAX_TEXT_CHARS:
            report.reject(row, "name", name, f"Schlüssel oder Name ist länger als {_MAX_TEXT_CHARS} Zeichen.")
        elif row not in refused:
            extra = {column: chunk.columns[column][i] for column in rest} if keep_attributes else {}
            yield row, key, name, parent, orjson.dumps(extra).decode(), hexed[i]


def _text(value: object) -> str | None:
    return None if value is None else CONTROL.sub("", str(value)).strip() or None


def _polygons(chunk: Chunk, declared: str | None, report: Report) -> NDArray[Any] | None:
    """Return valid MultiPolygons in metres (None: without map); note repairs and rejects."""
    if chunk.geometry is None or shapely.is_missing(chunk.geometry).all():
        return None
    if declared is None:
        raise MappingError(f"„{report.source}“ nennt kein Koordinatensystem; bitte --crs angeben.")
    report.crs = place.crs(declared).to_string()
    geometry = chunk.geometry.copy()
    rows = chunk.rows
    kinds = shapely.get_type_id(geometry)
    for i in np.flatnonzero(~np.isin(kinds, (-1, 3, 6, 7))):
        report.reject(int(rows[i]), "geometry", geometry[i].geom_type, "Die Geometrie ist keine Fläche.")
        geometry[i] = None
    for i in np.flatnonzero(shapely.is_empty(geometry)):
        report.reject(int(rows[i]), "geometry", None, "Die Geometrie ist leer.")
        geometry[i] = None
    bounds = shapely.bounds(geometry)
    causes = place.implausible((bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2, declared)
    for at, cause in enumerate(causes):
        if cause:
            report.reject(int(rows[at]), "geometry", _first_point(geometry[at]), cause, "Bitte die Quelle prüfen.")
            geometry[at] = None
    metres = place.geometry_to_metres(geometry, declared)
    corners, owners = shapely.get_coordinates(metres, return_index=True)
    for i in np.unique(owners[~np.isfinite(corners).all(axis=1)]):
        report.reject(int(rows[i]), "geometry", None, "Die Fläche hat eine Ecke, die es nicht geben kann.")
        metres[i] = None
    return _repaired(metres, rows, report)


def _repaired(metres: NDArray[Any], rows: NDArray[Any], report: Report) -> NDArray[Any]:
    """Return every geometry as a valid MultiPolygon; a bow-tie is repaired and reported."""
    broken = np.flatnonzero(~shapely.is_valid(metres) & ~shapely.is_missing(metres))
    for i in broken:
        reason = shapely.is_valid_reason(metres[i])
        fixed = shapely.make_valid(metres[i], method="structure", keep_collapsed=False)
        fixed = shapely.union_all([part for part in shapely.get_parts(fixed) if part.area > 0])
        if fixed.is_empty or fixed.area == 0:
            report.reject(int(rows[i]), "geometry", reason, "Die Fläche ist ungültig und nicht zu reparieren.")
            metres[i] = None
            continue
        metres[i] = fixed
        report.warn(
            f"Ungültige Fläche repariert; sie misst jetzt {fixed.area:.0f} m².",
            row=int(rows[i]),
            field="geometry",
            value=reason,
        )
    for i in np.flatnonzero(shapely.get_type_id(metres) == 7):
        metres[i] = shapely.union_all([part for part in shapely.get_parts(metres[i]) if part.area > 0])
        if metres[i].is_empty:
            report.reject(int(rows[i]), "geometry", None, "Die Geometrie enthält keine Fläche.")
            metres[i] = None
    singles = shapely.get_type_id(metres) == 3
    metres[singles] = shapely.multipolygons(metres[singles].reshape(-1, 1))
    return shapely.set_srid(metres, place.TARGET)


def _first_point(geometry: Any) -> str:  # noqa: ANN401 - a shapely geometry of any kind
    x, y = shapely.get_coordinates(geometry)[0]
    return f"{x:.6g} {y:.6g}"


def rows_that_do_not_fit(rows: NDArray[Any], polygons: NDArray[Any]) -> list[int]:
    """Return the numbers of the rows whose area meets a neighbour other than along shared edges.

    Only these can overlap another one. GEOS finds them in one sweep over all areas; comparing them pair by pair in
    the database costs many times as much.
    """
    mapped = ~shapely.is_missing(polygons)
    edges = shapely.coverage_invalid_edges(polygons[mapped])
    return [int(row) for row in rows[mapped][~shapely.is_empty(edges) & ~shapely.is_missing(edges)]]


def gaps(rows: NDArray[Any], polygons: NDArray[Any], misfits: list[int]) -> list[tuple[float, float, float]]:
    """Return the holes that the areas of a level leave between them: (m², x, y of a point inside, EPSG:25832).

    Areas that fit are joined along their shared edges, which is quick; only the ``misfits`` are cut against each
    other. A lake that belongs to no area is a hole too: the reader decides.
    """
    mapped = ~shapely.is_missing(polygons)
    apart = mapped & np.isin(rows, misfits)
    whole = shapely.union_all([
        shapely.coverage_union_all(polygons[mapped & ~apart]),
        shapely.union_all(polygons[apart]),
    ])  # fmt: skip
    # Faces of the outline's lines: also what neighbours enclose that meet in corners only.
    faces = shapely.get_parts(shapely.polygonize([shapely.node(shapely.boundary(whole))]))
    points = shapely.point_on_surface(faces)
    shapely.prepare(whole)
    empty = ~shapely.contains(whole, points) & (shapely.area(faces) > _SMALLEST_GAP_M2)
    found = zip(shapely.area(faces)[empty], shapely.get_x(points)[empty], shapely.get_y(points)[empty], strict=True)
    return sorted(((float(size), float(x), float(y)) for size, x, y in found), reverse=True)
