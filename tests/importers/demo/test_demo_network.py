"""The demo's ways against networkx and geometry, and the network as it stands in the database."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pytest
import shapely
from demo_built import built
from pyproj import Transformer
from scipy.spatial import cKDTree
from sqlalchemy import text

from importers.demo.city import DemoCity
from importers.demo.network import BARRIERS, COLUMNS, CUT_OFF

if TYPE_CHECKING:
    from conftest import Database

Row = Mapping[str, str]
FAR_M = 500.0


@pytest.fixture(scope="module")
def city() -> DemoCity:
    return built()


@pytest.fixture(scope="module")
def edges(city: DemoCity) -> list[Row]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in city.ways]


@pytest.fixture(scope="module")
def points(edges: list[Row]) -> dict[str, tuple[float, float]]:
    """Return where the nodes are; a node named twice is in one place."""
    found: dict[str, tuple[float, float]] = {}
    for edge in edges:
        for end in ("u", "v"):
            place = float(edge[f"{end}_x"]), float(edge[f"{end}_y"])
            assert found.setdefault(edge[end], place) == place
    return found


@pytest.fixture(scope="module")
def walked(edges: list[Row]) -> nx.Graph:
    graph = nx.Graph()
    graph.add_weighted_edges_from((edge["u"], edge["v"], float(edge["length"])) for edge in edges)
    return graph


def test_rows_are_an_edge_list(edges: list[Row], points: dict[str, tuple[float, float]]) -> None:
    assert 20_000 <= len(points) <= 30_000
    assert {edge["oneway"] for edge in edges} == {"", "yes"}
    assert {edge["bike"] for edge in edges} == {"", "no"}
    assert not any(edge["oneway"] and edge["bike"] for edge in edges)
    assert all(re.fullmatch(r"\d+\.\d", edge[name]) for edge in edges for name in COLUMNS[2:7])
    assert all(edge["u"] != edge["v"] for edge in edges)
    assert len({frozenset((edge["u"], edge["v"])) for edge in edges}) == len(edges)


def test_no_way_is_shorter_than_the_straight_line(edges: list[Row]) -> None:
    ends = np.array([[float(edge[name]) for name in COLUMNS[3:7]] for edge in edges])
    straight = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    length = np.array([float(edge["length"]) for edge in edges])
    assert (length >= straight - 1e-9).all()
    assert (length <= 1.3 * straight + 0.1).all()
    assert straight.min() > 1


def test_all_but_the_islands_hang_together(
    city: DemoCity, walked: nx.Graph, points: dict[str, tuple[float, float]]
) -> None:
    main, *islands = sorted(nx.connected_components(walked), key=len, reverse=True)
    assert len(main) > 0.95 * len(points)
    shapes = {area.key: area.geometry.buffer(60) for area in city.areas["statgebiet"]}
    held = [next(key for key in CUT_OFF if shapes[key].contains(shapely.Point(points[min(part)]))) for part in islands]
    assert sorted(held) == sorted(CUT_OFF)
    for key, part in zip(held, islands, strict=True):
        assert all(shapes[key].contains(shapely.Point(points[node])) for node in part)


def test_bicycles_can_go_and_come_back_nearly_everywhere(edges: list[Row]) -> None:
    graph = nx.DiGraph()
    for edge in edges:
        if not edge["bike"]:
            graph.add_edge(edge["u"], edge["v"])
            if not edge["oneway"]:
                graph.add_edge(edge["v"], edge["u"])
    assert len(max(nx.strongly_connected_components(graph), key=len)) > 0.95 * len(graph)
    one_way = sum(bool(edge["oneway"]) for edge in edges)
    assert 0.02 * len(edges) < one_way < 0.1 * len(edges)
    assert 0.01 * len(edges) < sum(bool(edge["bike"]) for edge in edges) < 0.05 * len(edges)


def test_barriers_are_crossed_at_few_places(edges: list[Row]) -> None:
    lines = shapely.linestrings([
        [(float(edge["u_x"]), float(edge["u_y"])), (float(edge["v_x"]), float(edge["v_y"]))] for edge in edges
    ])  # fmt: skip
    for barrier in BARRIERS:
        shapely.prepare(barrier.line)
        crossed = int(shapely.intersects(barrier.line, lines).sum())
        # A crossing of another barrier may lie on this one too, where they meet.
        assert 1 <= crossed <= len(barrier.crossings) + 1


def test_the_way_over_the_river_is_long(walked: nx.Graph, points: dict[str, tuple[float, float]]) -> None:
    river = BARRIERS[0].line
    main = sorted(max(nx.connected_components(walked), key=len))
    xy = np.array([points[node] for node in main])
    distance = shapely.distance(river, shapely.points(xy))
    beside = np.flatnonzero(distance < 400)
    pairs = cKDTree(xy[beside]).query_pairs(600, output_type="ndarray")
    lines = shapely.linestrings(xy[beside[pairs]])
    across = beside[pairs[shapely.intersects(river, lines)]]
    factors = []
    for u, v in across[:: max(1, len(across) // 40)].tolist():
        straight = float(np.hypot(*(xy[u] - xy[v])))
        factors.append(nx.dijkstra_path_length(walked, main[u], main[v]) / straight)
    assert len(factors) >= 20
    assert min(factors) >= 1
    assert np.median(factors) > 3


def test_ways_are_near_where_people_live(city: DemoCity, points: dict[str, tuple[float, float]]) -> None:
    to_metres = Transformer.from_crs(3035, 25832, always_xy=True)
    cells = to_metres.transform([int(row[1]) for row in city.grid], [int(row[2]) for row in city.grid])
    away, _node = cKDTree(list(points.values())).query(np.column_stack(cells))
    assert away.max() < FAR_M
    assert np.median(away) < 100


def test_the_network_is_loaded_whole(
    demo_database: "Database", city: DemoCity, points: dict[str, tuple[float, float]]
) -> None:
    with demo_database.writing.connect() as connection:
        one = lambda sql: connection.execute(text(sql)).one()  # noqa: E731
        assert one("SELECT count(*), sum(length_m) FROM network_edge") == (
            len(city.ways), pytest.approx(sum(float(row[2]) for row in city.ways)),
        )  # fmt: skip
        assert one("SELECT count(*) FROM network_node") == (len(points),)
        cells, snapped = one("SELECT (SELECT count(*) FROM surface_cell), count(*) FROM cell_snap WHERE mode = 'walk'")
        assert cells == snapped > len(city.grid) * 0.9
        apart = one("""
            SELECT count(*) FROM cell_snap s JOIN network_node n USING (node)
            WHERE s.mode = 'walk' AND n.component > 0
        """)
        places = one("""
            SELECT count(*) FROM facility_snap s JOIN network_node n USING (node)
            WHERE s.mode = 'walk' AND n.component > 0
        """)
    assert 1 <= apart[0] <= 40, "a few people live where no way leads to the rest"
    assert 1 <= places[0] <= 5
