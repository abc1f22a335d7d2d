"""The area that can be reached from a point: on a network a band along the ways gone, else a circle.

On a network the ways are marked on a raster, together with the cells around each, and the marked cells are drawn
round. Edges run straight between their nodes here: the network keeps the lengths of their bends, not their course.
"""

import math
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.geometry import COORDINATE_DECIMALS, lonlat
from geodata.network import Graph

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Area: TypeAlias = shapely.Polygon | shapely.MultiPolygon

_CELLS_ACROSS = 100
_FINEST_M, _COARSEST_M = 10.0, 50.0
_MOST_ACROSS = 1000
# Steps of the raster along a slope are 0.71 cells deep: this makes them a line, and keeps every way inside, which is
# a whole cell away from the border.
_SMOOTHED_CELLS = 0.75
# Smaller holes are the yards of a block of houses. No point of one is farther than 57 m from its border.
_SMALLEST_HOLE_M2 = 10_000.0
_QUARTER_SEGMENTS = 32


def line_area(xy: tuple[float, float], metres: float) -> Area:
    """Return the circle of so many metres around a point (EPSG:25832); its corners lie outside, up to 0.03 %."""
    wider = metres / math.cos(math.pi / (4 * _QUARTER_SEGMENTS))
    circle: Area = shapely.Point(xy).buffer(wider, quad_segs=_QUARTER_SEGMENTS)
    return circle


def network_area(graph: Graph, metres: Floats, limit_m: float, start: Floats) -> tuple[Area, float]:
    """Return the area reached within ``limit_m`` (inclusive) in EPSG:25832, and the size of the raster's cells in m.

    ``metres``: from the starting point to each node, infinite: no way; edges that lead on from a node are reached as
    far as the rest of the way allows. ``start``: shape (2, 2), the starting point and the node it walks to. The area
    holds every way reached with at least a quarter of a cell to each side, and nothing farther from one than
    ``tolerance_m``; it is valid and not empty. Cells are a hundredth of the extent, 10 to 50 m, larger only where there
    would be more than 1,000 of them side by side.
    """
    ends = _stretches(graph, metres, limit_m, start)
    corner, opposite = ends.min(axis=(0, 1)), ends.max(axis=(0, 1))
    extent = float((opposite - corner).max())
    cell_m = max(min(max(extent / _CELLS_ACROSS, _FINEST_M), _COARSEST_M), extent / _MOST_ACROSS)
    points = _along(ends, cell_m)
    # Two cells to spare: the one around each way, and an empty one, so that every border has two sides.
    column, row = (np.floor((points - corner) / cell_m).astype(np.int64) + 2).T
    marked = np.zeros((row.max() + 3, column.max() + 3), dtype=np.bool_)
    marked[row, column] = True
    drawn = shapely.transform(_outline(_widened(marked)), lambda xy: corner + (xy - 2) * cell_m)
    return _smoothed(drawn, cell_m), cell_m


def tolerance_m(cell_m: float) -> float:
    """Return how far from the nearest way reached a point of the area may lie, in metres.

    To the far corner of the next cell are 2.83 cells, what is smoothed adds 0.75, a closed hole 57 m.
    """
    return 4 * cell_m + 60


def geojson(area: Area) -> str:
    """Return an area in EPSG:25832 as GeoJSON in CRS84, valid after rounding to about 0.1 m."""
    # Rounding point by point could let edges cross that only just passed each other.
    degrees = shapely.set_precision(shapely.transform(area, lonlat), 10.0**-COORDINATE_DECIMALS)
    text: str = shapely.to_geojson(shapely.transform(degrees, lambda xy: xy.round(COORDINATE_DECIMALS)))
    return text


def _stretches(graph: Graph, metres: Floats, limit_m: float, start: Floats) -> Floats:
    """Return the straight stretches that are gone, shape (n, 2 ends, 2); the first leads to the network."""
    first = float(np.hypot(*(start[1] - start[0])))
    share = min(1.0, limit_m / first) if first > 0 else 1.0
    to_network = np.stack([start[0], start[0] + share * (start[1] - start[0])])[None]
    reached = np.flatnonzero(metres <= limit_m)
    matrix = graph.matrix
    count = matrix.indptr[reached + 1] - matrix.indptr[reached]
    edge = _counting(count) + np.repeat(matrix.indptr[reached], count)
    u, v = np.repeat(reached, count), matrix.indices[edge]
    shares = np.minimum(1.0, (limit_m - metres[u]) / matrix.data[edge])[:, None]
    gone = np.stack([graph.xy[u], graph.xy[u] + shares * (graph.xy[v] - graph.xy[u])], axis=1)
    alone = np.repeat(graph.xy[reached[count == 0]][:, None], 2, axis=1)
    return np.concatenate([to_network, gone, alone])


def _along(ends: Floats, step_m: float) -> Floats:
    """Return points along straight stretches, their ends included, none farther than ``step_m`` from the next."""
    begin, whole = ends[:, 0], ends[:, 1] - ends[:, 0]
    pieces = np.ceil(np.hypot(whole[:, 0], whole[:, 1]) / step_m).astype(np.int64)
    share = (_counting(pieces) + 1) / np.repeat(pieces, pieces)
    between = np.repeat(begin, pieces, axis=0) + share[:, None] * np.repeat(whole, pieces, axis=0)
    return np.concatenate([begin, between])


def _counting(counts: Ints) -> Ints:
    """Return 0 to n - 1 for each of some counts n, one after the other."""
    numbers: Ints = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return numbers


def _widened(marked: Flags) -> Flags:
    """Return the marked cells with the eight around each; those at the rim must not be marked."""
    rows = marked.copy()
    rows[1:] |= marked[:-1]
    rows[:-1] |= marked[1:]
    wide = rows.copy()
    wide[:, 1:] |= rows[:, :-1]
    wide[:, :-1] |= rows[:, 1:]
    return wide


def _outline(marked: Flags) -> Area:
    """Return the area of the marked cells, cell (row, column) being the square from (column, row) on.

    It is built from the borders between a marked cell and one that is not: far fewer than there are cells. Each face
    between them is asked for its mark: by even and odd, faces that meet only at corners would be taken wrongly.
    """
    lines: Any = shapely.linestrings(np.concatenate([_borders(marked), _borders(marked.T)[:, :, ::-1]]))
    faces = shapely.get_parts(shapely.polygonize(lines))
    column, row = np.floor(shapely.get_coordinates(shapely.point_on_surface(faces))).astype(np.int64).T
    area: Area = shapely.MultiPolygon(faces[marked[row, column]].tolist())
    return area


def _borders(marked: Flags) -> Floats:
    """Return the lines between a row and the next where only one of two cells is marked, as (n, 2 ends, x and y).

    A line goes on as long as the same side is marked, so that lines meet at their ends only.
    """
    side = np.diff(marked.astype(np.int8), axis=0)
    row, begin = np.nonzero((side[:, 1:-1] != 0) & (side[:, 1:-1] != side[:, :-2]))
    _row, last = np.nonzero((side[:, 1:-1] != 0) & (side[:, 1:-1] != side[:, 2:]))
    return np.stack([np.column_stack([x, row + 1]) for x in (begin + 1, last + 2)], axis=1).astype(np.float64)


def _smoothed(area: Area, cell_m: float) -> Area:
    """Return the area without its small holes and without the steps of the raster."""
    parts = [
        shapely.Polygon(
            part.exterior, [hole for hole in part.interiors if shapely.Polygon(hole).area >= _SMALLEST_HOLE_M2]
        )
        for part in shapely.get_parts(area).tolist()
    ]
    whole = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    smooth: Area = shapely.simplify(whole, _SMOOTHED_CELLS * cell_m, preserve_topology=True)
    return smooth
