"""The area within reach: it holds every way that is reached, nothing far from one, and is a valid polygon."""

import json
import math

import numpy as np
import pytest
import shapely
from graphs_help import Town, columns, graph_of_edges, towns
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyproj import Transformer

from geodata.coverage.travel import search_from
from geodata.network import Graph
from geodata.reach_polygon import Area, _outline, geojson, line_area, network_area, tolerance_m

CALM = settings(max_examples=120, deadline=None, derandomize=True, database=None)
X0, Y0 = 565_000.0, 5_935_000.0
TO_METRES = Transformer.from_crs(4326, 25832, always_xy=True)


def reached_ways(graph: Graph, metres: np.ndarray, limit_m: float, start: np.ndarray) -> shapely.Geometry:
    """Every piece of way within the limit, one after the other."""
    lines = []
    first = float(np.hypot(*(start[1] - start[0])))
    lines.append(_cut(start[0], start[1], min(1.0, limit_m / first) if first else 0.0))
    entries = graph.matrix.tocoo()
    for u, v, m in zip(entries.row.tolist(), entries.col.tolist(), entries.data.tolist(), strict=True):
        if metres[u] <= limit_m:
            lines.append(_cut(graph.xy[u], graph.xy[v], min(1.0, (limit_m - metres[u]) / m)))
    return shapely.union_all(lines)


def _cut(begin: np.ndarray, end: np.ndarray, share: float) -> shapely.Geometry:
    point = begin + share * (end - begin)
    return shapely.Point(begin) if (point == begin).all() else shapely.LineString([begin, point])


def require_right(graph: Graph, metres: np.ndarray, limit_m: float, start: np.ndarray) -> tuple[Area, float]:
    area, cell_m = network_area(graph, metres, limit_m, start)
    ways = reached_ways(graph, metres, limit_m, start)
    assert area.is_valid
    assert not area.is_empty
    assert area.geom_type in {"Polygon", "MultiPolygon"}
    # The noise of sums apart, a quarter of a cell to each side (of a circle drawn with corners, so a little less).
    assert area.buffer(1e-6).contains(ways.buffer(0.25 * cell_m, quad_segs=16))
    assert ways.buffer(tolerance_m(cell_m), quad_segs=32).contains(area)
    return area, cell_m


def placed(town: Town) -> Graph:
    return graph_of_edges(town.mode, np.array(town.xy) + np.array([X0, Y0]), town.directed())


@CALM
@given(towns(), st.floats(1, 3000), st.tuples(*[st.floats(-100, 100)] * 2))
def test_it_holds_the_ways_and_nothing_far_from_them(town: Town, limit_m: float, off: tuple[float, float]) -> None:
    graph = placed(town)
    start = np.stack([graph.xy[0] + off, graph.xy[0]])
    metres = search_from(graph.matrix, *columns([(0, math.hypot(*off))]))
    area, cell_m = require_right(graph, metres, limit_m, start)
    assert 10 <= cell_m <= 50
    assert shapely.contains_xy(area, *start[0])
    assert shapely.contains_xy(area, graph.xy[metres <= limit_m]).all()
    shown = shapely.from_geojson(geojson(area))
    assert shown.is_valid
    back = shapely.transform(shown, lambda degrees: np.column_stack(TO_METRES.transform(*degrees.T)))
    assert shapely.contains_xy(back, graph.xy[metres <= limit_m]).all()
    assert back.symmetric_difference(area).area <= 0.2 * area.length + 1


def test_a_dead_end_is_followed_as_far_as_the_way_allows() -> None:
    """1,000 m of street, 300 m of walk: the area ends a little after these."""
    graph = graph_of_edges("walk", np.array([[X0, Y0], [X0 + 1000, Y0]]), [(0, 1, 1000.0), (1, 0, 1000.0)])
    start = np.array([[X0, Y0], [X0, Y0]])
    area, cell_m = require_right(graph, np.array([0.0, 1000.0]), 300, start)
    assert cell_m == 10
    assert X0 + 300 < area.bounds[2] <= X0 + 300 + 2 * cell_m
    # The street of 1,000 m that is 500 m long on the map has a bend: 300 m of it are 150 m on the map.
    graph = graph_of_edges("walk", np.array([[X0, Y0], [X0 + 500, Y0]]), [(0, 1, 1000.0), (1, 0, 1000.0)])
    area, cell_m = require_right(graph, np.array([0.0, 1000.0]), 300, start)
    assert X0 + 150 < area.bounds[2] <= X0 + 150 + 2 * cell_m


def test_too_far_from_the_network_the_area_ends_on_the_way_there() -> None:
    graph = graph_of_edges("walk", np.array([[X0, Y0], [X0 + 100, Y0]]), [(0, 1, 100.0), (1, 0, 100.0)])
    area, _cell_m = require_right(graph, np.array([500.0, 600.0]), 80, np.array([[X0, Y0 + 500], [X0, Y0]]))
    assert shapely.contains_xy(area, X0, Y0 + 500)
    assert not shapely.contains_xy(area, X0, Y0)


def test_the_raster_stays_small_whatever_the_file_says() -> None:
    """An edge of 1 m between points 900 km apart must not take the machine's memory."""
    graph = graph_of_edges("walk", np.array([[X0, Y0], [X0 + 900_000, Y0 + 900_000]]), [(0, 1, 1.0), (1, 0, 1.0)])
    area, cell_m = network_area(graph, np.array([0.0, 1.0]), 80, graph.xy[[0, 0]])
    assert cell_m == pytest.approx(900)
    assert shapely.contains_xy(area, graph.xy).all()


@CALM
@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_the_outline_of_any_cells_is_these_cells(marked: np.ndarray) -> None:
    marked = np.pad(marked, 1)
    if not marked.any():
        return
    area = _outline(marked)
    assert area.is_valid
    assert area.area == marked.sum()
    row, column = np.indices(marked.shape)
    assert (shapely.contains_xy(area, column + 0.5, row + 0.5) == marked).all()


@CALM
@given(st.floats(1, 30_000))
def test_a_straight_line_reaches_a_circle(metres: float) -> None:
    area = line_area((X0, Y0), metres)
    angle = np.linspace(0, 2 * np.pi, 720)
    assert area.is_valid
    assert area.buffer(1e-6 * metres).contains(shapely.MultiPoint(
        np.column_stack([X0 + metres * np.cos(angle), Y0 + metres * np.sin(angle)])))  # fmt: skip
    away = np.hypot(*(shapely.get_coordinates(area) - (X0, Y0)).T)
    assert (away <= 1.0004 * metres).all()
    (ring,) = json.loads(geojson(area))["coordinates"]
    assert ring[0] == ring[-1]
    assert all(round(value, 6) == value for point in ring for value in point)


def test_a_block_of_houses_is_no_hole_but_a_park_is() -> None:
    """A square of streets: with sides of 100 m all of it is reached, with sides of 600 m there is a hole."""
    for side, holes in ((100.0, 0), (600.0, 1)):
        xy = np.array([[X0, Y0], [X0 + side, Y0], [X0 + side, Y0 + side], [X0, Y0 + side]])
        edges = [(i, (i + 1) % 4, side) for i in range(4)]
        graph = graph_of_edges("walk", xy, [*edges, *((v, u, m) for u, v, m in edges)])
        metres = np.array([0, side, 2 * side, side])
        area, _cell_m = require_right(graph, metres, 3 * side, xy[[0, 0]])
        assert isinstance(area, shapely.Polygon)
        assert len(area.interiors) == holes
