"""The graph, its cache, and the nodes nearest to places and cells, against loops written out by hand."""

import random
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hand_rows import FACILITIES, X0, Y0, Rows, point, rows_in
from scipy.sparse.csgraph import dijkstra
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from geodata import network
from geodata.bulk import points, read_arrays, write_arrays
from geodata.database import Access, reading
from geodata.errors import DatabaseStateError
from geodata.kept import Kept
from geodata.network import SHORTEST_EDGE_M, Graph, Mode, graph_for, load_graph, matrix_of, nearest_nodes, parts_of
from geodata.viewer import Role, Viewer

if TYPE_CHECKING:
    from conftest import Database

Spot = tuple[float, float]
# (u, v, metres, walk, bike forward, bike backward)
Edge = tuple[int, int, float, bool, bool, bool]

SPOTS: list[Spot] = [(0, 0), (100, 0), (200, 0), (200, 100), (1000, 1000), (1100, 1000), (5000, 5000)]
EDGES: list[Edge] = [
    (0, 1, 100, True, True, True),
    (1, 0, 90, True, False, False),  # beside the first, shorter, on foot only
    (1, 2, 120, True, True, False),
    (2, 3, 0, True, False, True),
    (4, 5, 100, False, True, True),  # a cycleway of its own
    (2, 2, 50, True, True, True),  # a loop
]


def lay(rows: Rows, spots: Sequence[Spot], edges: Sequence[Edge], *, publish: bool = True) -> int:
    """Write a network as a new version of the dataset."""
    made = rows.version("network", "network", publish=publish)
    for node, spot in enumerate(spots):
        rows.insert("network_node", import_id=made, node=node, component=0, geom=point(*spot))
    for edge, (u, v, metres, walk, forward, backward) in enumerate(edges):
        rows.insert(
            "network_edge", import_id=made, edge=edge, u=u, v=v, length_m=metres, walk=walk, bike_forward=forward,
            bike_backward=backward,
        )  # fmt: skip
    return made


@pytest.fixture
def laid(database: "Database") -> "Database":
    with rows_in(database.writing) as rows:
        lay(rows, SPOTS, EDGES)
    return database


def graph(engine: Engine, mode: Mode) -> Graph:
    with reading(engine) as session:
        found = load_graph(session, mode)
    assert found is not None
    return found


def test_without_a_network_there_is_no_graph(database: "Database") -> None:
    with reading(database.serving) as session:
        assert load_graph(session, "walk") is None
        assert graph_for(session, "bike") is None


def test_only_the_visible_version_counts(laid: "Database") -> None:
    with rows_in(laid.writing) as rows:
        lay(rows, SPOTS[:2], EDGES[:1], publish=False)
    assert graph(laid.serving, "walk").matrix.shape == (7, 7)


def test_walking_is_symmetric_and_takes_the_shorter_of_two_edges(laid: "Database") -> None:
    found = graph(laid.serving, "walk")
    dense = found.matrix.toarray()
    assert (dense == dense.T).all()
    expected = np.zeros((7, 7))
    for u, v, metres in ((0, 1, 90), (1, 2, 120), (2, 3, SHORTEST_EDGE_M)):
        expected[u, v] = expected[v, u] = metres
    assert (dense == expected).all()
    assert found.component.tolist() == [0, 0, 0, 0, -1, -1, -1]
    assert found.reachable.tolist() == [0, 1, 2, 3]
    assert found.xy.tolist() == [[X0 + x, Y0 + y] for x, y in SPOTS]


def test_cycling_keeps_to_the_directions(laid: "Database") -> None:
    found = graph(laid.serving, "bike")
    expected = np.zeros((7, 7))
    for u, v, metres in ((0, 1, 100), (1, 0, 100), (1, 2, 120), (3, 2, SHORTEST_EDGE_M), (4, 5, 100), (5, 4, 100)):
        expected[u, v] = metres
    assert (found.matrix.toarray() == expected).all()
    assert found.component.tolist() == [0, 0, 0, 0, 1, 1, -1]


def test_an_edge_of_no_length_still_connects(laid: "Database") -> None:
    metres = dijkstra(graph(laid.serving, "walk").matrix, indices=0)
    assert metres[:4] == pytest.approx([0, 90, 210, 210], abs=1e-5)
    assert np.isinf(metres[4:]).all()


def test_the_matrix_keeps_the_shortest_of_many() -> None:
    chance = np.random.default_rng(3)
    start, end = chance.integers(0, 30, 2000), chance.integers(0, 30, 2000)
    metres = chance.uniform(0, 100, 2000)
    expected = np.zeros((30, 30))
    for u, v, m in zip(start, end, metres, strict=True):
        expected[u, v] = m if expected[u, v] == 0 else min(m, expected[u, v])
    assert (matrix_of(start, end, metres, 30).toarray() == expected).all()
    assert matrix_of(start[:0], end[:0], metres[:0], 3).nnz == 0


def test_parts_are_numbered_by_size() -> None:
    u, v = np.array([5, 1, 2, 8, 9]), np.array([6, 2, 3, 9, 9])
    assert parts_of(u, v, 11).tolist() == [-1, 0, 0, 0, -1, 1, 1, -1, 2, 2, -1]
    assert parts_of(u[4:], v[4:], 11).tolist() == [-1] * 11


def test_the_nearest_node_is_one_that_has_an_edge(laid: "Database") -> None:
    chance = random.Random(5)  # noqa: S311
    asked = [(X0 + chance.uniform(-200, 5500), Y0 + chance.uniform(-200, 5500)) for _ in range(200)]
    asked += [(X0 + 5000, Y0 + 5000), (X0, Y0)]
    for mode in network.MODES:
        found = graph(laid.serving, mode)
        node, distance = nearest_nodes(found, np.array(asked))
        for (x, y), chosen, metres in zip(asked, node.tolist(), distance.tolist(), strict=True):
            by_hand = {i: float(np.hypot(*(found.xy[i] - (x, y)))) for i in found.reachable.tolist()}
            assert metres == pytest.approx(min(by_hand.values()))
            assert by_hand[chosen] == pytest.approx(metres)


def test_a_point_that_is_missing_stays_missing(laid: "Database") -> None:
    node, distance = nearest_nodes(graph(laid.serving, "walk"), np.array([[np.nan, 1.0], [X0, Y0]]))
    assert node.tolist() == [-1, 0]
    assert np.isnan(distance[0])
    assert distance[1] == 0
    assert nearest_nodes(graph(laid.serving, "walk"), np.empty((0, 2)))[0].shape == (0,)


def test_where_nothing_can_be_cycled_no_node_is_near(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        lay(rows, SPOTS[:2], [(0, 1, 100, True, False, False)])
    node, distance = nearest_nodes(graph(database.serving, "bike"), np.array([[X0, Y0]]))
    assert node.tolist() == [-1]
    assert np.isnan(distance).all()


def test_a_graph_is_read_once_per_version(laid: "Database", monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Mode] = []
    read = network._read

    def counted(session: Session, mode: Mode, import_id: int) -> Graph:
        reads.append(mode)
        return read(session, mode, import_id)

    monkeypatch.setattr(network, "_read", counted)
    with reading(laid.serving) as before:
        first = graph_for(before, "walk")
        with rows_in(laid.writing) as rows:
            rows.session.execute(text("UPDATE instance_state SET data_version = data_version + 1"))
        with reading(laid.serving) as later:
            assert graph_for(later, "walk") is first
            assert graph_for(later, "bike") is not first
        assert reads == ["walk", "bike"]
        with rows_in(laid.writing) as rows:
            lay(rows, SPOTS[:3], EDGES[:3])
        with reading(laid.serving) as after:
            renewed = graph_for(after, "walk")
            assert renewed is not None
            assert renewed.matrix.shape == (3, 3)
        # A reader that began before the import goes on with what it saw.
        assert graph_for(before, "walk") is first
    assert reads == ["walk", "bike", "walk"]


def test_threads_share_one_reading_and_the_cache_is_bounded(laid: "Database", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_graphs", Kept(network.MAX_GRAPHS_KEPT))
    reads: list[Mode] = []
    read = network._read

    def counted(session: Session, mode: Mode, import_id: int) -> Graph:
        reads.append(mode)
        return read(session, mode, import_id)

    monkeypatch.setattr(network, "_read", counted)
    found: list[Graph | None] = []
    gate = threading.Barrier(6)

    def ask() -> None:
        with reading(laid.serving) as session:
            gate.wait()
            found.append(graph_for(session, "walk"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads == ["walk"]
    assert len({id(one) for one in found}) == 1
    for size in (2, 3, 2, 3):
        with rows_in(laid.writing) as rows:
            lay(rows, SPOTS[:size], EDGES[: size - 1])
        with reading(laid.serving) as session:
            graph_for(session, "walk")
            graph_for(session, "bike")
    assert len(network._graphs) == network.MAX_GRAPHS_KEPT
    assert not network._graphs._making


def snaps(rows: Rows) -> dict[tuple[str, str], tuple[int, float]]:
    found = rows.session.execute(text("SELECT facility_id, mode, node, distance_m FROM facility_snap"))
    return {(facility, mode): (node, metres) for facility, mode, node, metres in found}


def test_places_are_snapped_to_the_nearest_node_of_each_mode(database: "Database") -> None:
    chance = random.Random(11)  # noqa: S311
    at = {f"p{i}": (chance.uniform(-300, 1500), chance.uniform(-300, 1500)) for i in range(120)}
    with rows_in(database.writing) as rows:
        made = rows.version(FACILITIES, "facilities")
        rows.insert("provider", key="t1", name="Träger eins")
        for facility, spot in at.items():
            rows.place(made, facility, spot)
        rows.place(made, "ohne", None)
        assert network.snap_facilities(rows.session) == 0
        lay(rows, SPOTS, EDGES)
        assert network.snap_facilities(rows.session) == 2 * len(at)
        found = snaps(rows)
        nodes = {"walk": [0, 1, 2, 3], "bike": [0, 1, 2, 3, 4, 5]}
        for mode, near in nodes.items():
            for facility, (x, y) in at.items():
                by_hand = min((float(np.hypot(x - SPOTS[n][0], y - SPOTS[n][1])), n) for n in near)
                assert found[(facility, mode)] == (by_hand[1], pytest.approx(by_hand[0], abs=1e-6))
        assert len(found) == 2 * len(at)


def test_only_the_imports_named_are_snapped_anew(laid: "Database") -> None:
    with rows_in(laid.writing) as rows:
        rows.insert("provider", key="t1", name="Träger eins")
        one, two = (rows.version(f"facilities.{name}", "facilities") for name in ("eins", "zwei"))
        rows.place(one, "a", (10, 0))
        rows.place(two, "b", (90, 0))
        network.snap_facilities(rows.session)
        rows.session.execute(text("UPDATE place SET geom = ST_Translate(geom, 5, 0)"))
        assert network.snap_facilities(rows.session, [one]) == 2
        assert snaps(rows)[("a", "walk")] == (0, pytest.approx(15))
        assert snaps(rows)[("b", "walk")] == (1, pytest.approx(10))
        # A version that is no longer visible has no snaps once all are rebuilt.
        newer = rows.version("facilities.eins", "facilities")
        rows.place(newer, "c", (0, 0))
        assert network.snap_facilities(rows.session) == 4
        assert {facility for facility, _mode in snaps(rows)} == {"b", "c"}


def test_cells_are_snapped_and_emptied_without_a_network(laid: "Database") -> None:
    with rows_in(laid.writing) as rows:
        assert network.snap_cells(rows.session) == 0
        for cell in range(40):
            rows.insert("surface_cell", cell=cell, geom=point(cell * 30, 40), people=[1.0], calibrated=False)
        assert network.snap_cells(rows.session) == 80
        found = rows.session.execute(text("SELECT cell, mode, node, distance_m FROM cell_snap")).all()
        for cell, mode, node, metres in found:
            near = [0, 1, 2, 3] if mode == "walk" else [0, 1, 2, 3, 4, 5]
            by_hand = {n: float(np.hypot(cell * 30 - SPOTS[n][0], 40 - SPOTS[n][1])) for n in near}
            assert metres == pytest.approx(min(by_hand.values()))
            assert by_hand[node] == pytest.approx(metres)
        assert len({(cell, mode) for cell, mode, _node, _metres in found}) == 80
        rows.session.execute(text("UPDATE dataset SET current_import_id = NULL WHERE name = 'network'"))
        assert network.snap_cells(rows.session) == 0
        assert rows.session.execute(text("SELECT count(*) FROM cell_snap")).scalar_one() == 0


def test_a_snap_gives_no_hidden_home_away(laid: "Database") -> None:
    with rows_in(laid.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "offen", (10, 10))
        rows.house(made, "geschützt", (20, 20), "protected")
        rows.house(made, "im Gebiet", (30, 30), "area_only")
        rows.link()
        network.snap_facilities(rows.session)
    seen = "SELECT facility_id FROM facility_snap_visible WHERE mode = 'walk' ORDER BY facility_id"
    with reading(laid.serving) as session:
        assert list(session.execute(text(seen)).scalars()) == ["offen"]
    with reading(laid.serving, Access(Viewer(Role.ADMIN))) as session:
        assert "geschützt" in session.execute(text(seen)).scalars().all()
    for table in ("facility_snap", "network_node", "network_edge", "cell_snap"):
        with pytest.raises((DatabaseStateError, ProgrammingError)), reading(laid.serving) as session:
            session.execute(text(f"SELECT * FROM {table}"))


def test_columns_survive_the_way_through_the_database(laid: "Database") -> None:
    chance = np.random.default_rng(1)
    spots = chance.uniform([4e5, 5e6], [7e5, 6e6], (500, 2))
    with rows_in(laid.writing) as rows:
        made = rows.version("network", "network")
        write_arrays(
            rows.session,
            "network_node",
            {
                "import_id": np.full(500, made, np.int32),
                "node": np.arange(500, dtype=np.int32),
                "component": chance.integers(-1, 5, 500, dtype=np.int32),
                "osm_id": np.arange(500, dtype=np.int64) * 2**40,
                "geom": points(spots, 25832),
            },
        )
        kinds = {"node": "i4", "osm_id": "i8", "x": "f8", "y": "f8", "right": "b"}
        query = (
            "SELECT node, osm_id, ST_X(geom), ST_Y(geom), ST_SRID(geom) = 25832 AND ST_IsValid(geom) "
            f"FROM network_node WHERE import_id = {made} ORDER BY node"
        )
        read = read_arrays(rows.session, query, kinds)
        assert (np.column_stack([read["x"], read["y"]]) == spots).all()
        assert (read["osm_id"] == np.arange(500) * 2**40).all()
        assert read["right"].all()
        assert len(read_arrays(rows.session, f"{query} LIMIT 0", kinds)["node"]) == 0
        with pytest.raises(ValueError, match="NULL"):
            read_arrays(rows.session, "SELECT NULL::int", {"node": "i4"})
