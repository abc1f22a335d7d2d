"""Invented, schematic borders in EPSG:25832 (metres): Voronoi cells of the Stadtteile's centres, cut into Gebiete.

All lines are noded together on a grid of one metre, so the finest cells share every vertex. Larger areas are unions
of these cells; no level has gaps or overlaps.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer
from shapely import MultiPolygon, Polygon

from importers.demo.dice import Dice
from importers.demo.facts import NEUWERK, Stadtteil

GRID_M = 1.0
"""Every vertex lies on this grid (metres)."""

_TOPIC = 1
_LLOYD_ROUNDS = 5
_NEIGHBOURS = 4
_DISC_FACTOR = 0.8
_DISC_MIN_M, _DISC_MAX_M = 1_400.0, 2_250.0
_CLOSE_M, _OPEN_M = 1_600.0, 800.0
_SIMPLIFY_M = 60.0
_NEUWERK_RADIUS_M = 1_000.0

Points = npt.NDArray[np.float64]
Cells = npt.NDArray[np.object_]


def centres(stadtteile: Sequence[Stadtteil]) -> Points:
    """Return the rounded centres as an array of x, y in EPSG:25832 (metres)."""
    to_metres = Transformer.from_crs("OGC:CRS84", "EPSG:25832", always_xy=True)
    x, y = to_metres.transform([s.lon for s in stadtteile], [s.lat for s in stadtteile])
    return np.column_stack([x, y])


def outline(points: Points) -> Polygon:
    """Return a smooth outline round the points: discs as wide as the points are apart, closed, opened, simplified."""
    apart = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
    nearest = np.sort(apart, axis=1)[:, 1 : _NEIGHBOURS + 1].mean(axis=1)
    radius = np.clip(_DISC_FACTOR * nearest, _DISC_MIN_M, _DISC_MAX_M)
    discs = shapely.union_all(shapely.buffer(shapely.points(points), radius, quad_segs=12))
    smooth = discs.buffer(_CLOSE_M).buffer(-_CLOSE_M - _OPEN_M).buffer(_OPEN_M).simplify(_SIMPLIFY_M)
    largest = max(_polygons(smooth), key=lambda part: part.area)
    return Polygon(largest.exterior)


def statgebiete(stadtteile: Sequence[Stadtteil]) -> dict[str, MultiPolygon]:
    """Return the finest cells by key (Stadtteil key and three running digits, from north to south)."""
    mainland = [s for s in stadtteile if s.key != NEUWERK]
    points = centres(mainland)
    rough: dict[str, Polygon] = {}
    for stadtteil, cell in zip(mainland, _voronoi(points, outline(points)), strict=True):
        parts = _subdivide(cell, stadtteil.gebiete, Dice(_TOPIC, int(stadtteil.key)))
        rough |= {f"{stadtteil.key}{number:03d}": part for number, part in enumerate(parts, start=1)}
    cells = _noded(rough)
    island = [s for s in stadtteile if s.key == NEUWERK]
    for (x, y), stadtteil in zip(centres(island), island, strict=True):
        blob = shapely.Point(x, y).buffer(_NEUWERK_RADIUS_M, quad_segs=5)
        cells[f"{stadtteil.key}001"] = _multi(shapely.set_precision(blob, GRID_M))
    return dict(sorted(cells.items()))


def merge(cells: Sequence[MultiPolygon]) -> MultiPolygon:
    """Return the union of cells of this coverage, as one normalised MultiPolygon."""
    return _multi(shapely.union_all(cells, grid_size=GRID_M))


def _voronoi(points: Points, within: Polygon) -> list[Polygon]:
    """Cut `within` into the cells of the points; a piece cut off from its point goes to a neighbour."""
    raw = shapely.voronoi_polygons(shapely.multipoints(points), extend_to=within, ordered=True)
    pieces = [_polygons(cell) for cell in shapely.intersection(shapely.get_parts(raw), within)]
    cells = [max(parts, key=lambda part: part.area) for parts in pieces]
    for parts in pieces:
        for lost in sorted(parts, key=lambda part: -part.area)[1:]:
            shared = shapely.length(shapely.intersection(shapely.boundary(cells), lost.boundary))
            heir = int(np.argmax(shared))
            cells[heir] = max(_polygons(cells[heir].union(lost)), key=lambda part: part.area)
    return cells


def _subdivide(cell: Polygon, count: int, dice: Dice) -> list[Polygon]:
    """Cut a cell into `count` parts of similar size (Voronoi with some rounds of Lloyd), north to south."""
    if count == 1:
        return [cell]
    points = random_points(cell, count, dice)
    parts = _voronoi(points, cell)
    for _ in range(_LLOYD_ROUNDS):
        parts = _voronoi(shapely.get_coordinates(shapely.centroid(parts)), cell)
    return sorted(parts, key=lambda part: (-round(part.centroid.y), round(part.centroid.x)))


def random_points(cell: Polygon | MultiPolygon, count: int, dice: Dice) -> Points:
    """Return `count` points inside the cell, evenly spread by chance (same CRS as the cell)."""
    low_x, low_y, high_x, high_y = cell.bounds
    found = np.empty((0, 2))
    while len(found) < count:
        draws = dice.many(4 * count + 8, 2) * (high_x - low_x, high_y - low_y) + (low_x, low_y)
        found = np.vstack([found, draws[shapely.contains_xy(cell, draws)]])
    return found[:count]


def _noded(rough: dict[str, Polygon]) -> dict[str, MultiPolygon]:
    """Snap all borders to the grid together and rebuild the cells from the noded lines."""
    keys, cells = list(rough), list(rough.values())
    lines = shapely.union_all(shapely.boundary(cells), grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    tree = shapely.STRtree(cells)
    owners: dict[str, list[Polygon]] = {}
    for face, owner in zip(faces, tree.nearest(shapely.point_on_surface(faces)), strict=True):
        owners.setdefault(keys[int(owner)], []).append(face)
    if len(owners) != len(keys):
        raise ValueError("Die Beispielgebiete sind zu klein für das Raster von einem Meter.")
    return {key: merge([_multi(face) for face in owners[key]]) for key in keys}


def _polygons(shape: shapely.Geometry) -> list[Polygon]:
    return [part for part in shapely.get_parts(shape) if isinstance(part, Polygon) and not part.is_empty]


def _multi(shape: shapely.Geometry) -> MultiPolygon:
    normal = MultiPolygon(_polygons(shape)).normalize()
    if not isinstance(normal, MultiPolygon):
        raise TypeError("Aus den Zellen entstand keine Fläche.")
    return normal
