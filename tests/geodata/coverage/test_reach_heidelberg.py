"""Reach on Heidelberg's streets and paths to its Kitas and playgrounds, networkx being the judge."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import osmium
import pytest
import shapely
from conftest import Database
from graphs_help import Edge, Floats, graph_of_edges, judged, nearest_by_networkx
from hand_rows import FACILITIES, X0, Y0, Rows, rows_in, square
from pyproj import Transformer
from sqlalchemy import text
from ways_oracle import Judge, require_reach, require_view, scatter

from geodata.network import nearest_nodes, snap_facilities
from geodata.reach_polygon import network_area, tolerance_m
from importers.kinds.network import import_network

HEIDELBERG = Path(__file__).resolve().parents[4] / "shared" / "data" / "netz" / "heidelberg.osm.pbf"
KINDS = {"kita": ("amenity", "kindergarten"), "spielplatz": ("leisure", "playground")}
TO_METRES = Transformer.from_crs(4326, 25832, always_xy=True)
Mode = Literal["walk", "bike"]

pytestmark = pytest.mark.skipif(not HEIDELBERG.exists(), reason="shared/data is absent")


def places_of_file() -> dict[str, Floats]:
    """Kitas and playgrounds of the extract: points as they are, outlines by the middle of their corners."""
    found: dict[str, list[tuple[float, float]]] = {category: [] for category in KINDS}
    entities = osmium.FileProcessor(str(HEIDELBERG), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for item in entities.with_filter(osmium.filter.TagFilter(*KINDS.values())):
        category = next(name for name, (key, value) in KINDS.items() if item.tags.get(key) == value)
        if isinstance(item, osmium.osm.Node):
            found[category].append((item.lon, item.lat))
        elif isinstance(item, osmium.osm.Way):
            corners = [(node.lon, node.lat) for node in item.nodes if node.location.valid()]
            if corners:
                found[category].append(tuple(np.mean(corners, axis=0)))
    return {category: np.column_stack(TO_METRES.transform(*np.array(spots).T)) for category, spots in found.items()}


class Town:
    """The database, and what an independent reader took from its tables and the file."""

    def __init__(self, database: Database) -> None:
        self.database = database
        import_network(database.writing, HEIDELBERG)
        self.places = places_of_file()
        with database.writing.connect() as connection:
            nodes = connection.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM network_node ORDER BY node")).all()
            self.edges = connection.execute(
                text("SELECT u, v, length_m, walk, bike_forward, bike_backward FROM network_edge")
            ).all()
        self.xy = np.array([tuple(row) for row in nodes])
        corner, opposite = self.xy.min(axis=0), self.xy.max(axis=0)
        self.middle = (corner + opposite) / 2
        with rows_in(database.writing) as rows:
            self._quarters(rows, corner - 3000, opposite + 3000)
            made = rows.version(FACILITIES, "facilities")
            for category, spots in self.places.items():
                for number, (x, y) in enumerate(spots.tolist()):
                    rows.place(made, f"{category}{number}", (x - X0, y - Y0), provider_key=None)
                    rows.offer(made, f"{category}{number}", f"{category}{number}", category=category)
            rows.link()
            snap_facilities(rows.session)
        self.cells, self.people = scatter(database, corner + 1000, opposite - 1000, 500, "stadtteil")
        self.owner = [("n" if y > self.middle[1] else "s") + ("o" if x > self.middle[0] else "w")
                      for x, y in self.cells.tolist()]  # fmt: skip

    def _quarters(self, rows: Rows, corner: Floats, opposite: Floats) -> None:
        (west, south), (east, north), (x, y) = (tuple(at - (X0, Y0)) for at in (corner, opposite, self.middle))
        rows.level("stadtteil")
        made = rows.version("areas.stadtteil", "areas")
        for key, box in {"sw": (west, south, x, y), "so": (x, south, east, y), "nw": (west, y, x, north),
                         "no": (x, y, east, north)}.items():  # fmt: skip
            rows.area(made, "stadtteil", key, square(*box))

    def directed(self, mode: Mode) -> list[Edge]:
        made: list[Edge] = []
        for u, v, metres, walk, forward, backward in self.edges:
            if walk if mode == "walk" else forward:
                made.append((u, v, metres))
            if walk if mode == "walk" else backward:
                made.append((v, u, metres))
        return [edge for edge in made if edge[0] != edge[1]]

    def judge(self, mode: Mode, category: str) -> Judge:
        return Judge(mode, judged(self.directed(mode)), self.xy, self.cells, self.people, self.places[category])


@pytest.fixture(scope="module")
def heidelberg(new_database: Callable[[], Database]) -> Town:
    town = Town(new_database())
    assert {category: len(spots) > 20 for category, spots in town.places.items()} == dict.fromkeys(KINDS, True)
    return town


@pytest.mark.parametrize(("mode", "category", "minutes"), [("walk", "kita", 15), ("bike", "spielplatz", 4)])
def test_reach_by_networkx(heidelberg: Town, mode: Mode, category: str, minutes: int) -> None:
    judge = heidelberg.judge(mode, category)
    require_reach(heidelberg.database, judge, category, "stadtteil", heidelberg.owner, minutes)


@pytest.mark.parametrize(("mode", "category", "minutes"), [("walk", "spielplatz", 25), ("bike", "kita", 12)])
def test_points_of_view_by_networkx(heidelberg: Town, mode: Mode, category: str, minutes: int) -> None:
    judge = heidelberg.judge(mode, category)
    start = judge.places[:3] + 40.0
    assert sum(require_view(heidelberg.database, judge, category, at, minutes) for at in start) > 10


@pytest.mark.parametrize(("mode", "limit_m"), [("walk", 400.0), ("walk", 1200.0), ("walk", 4000.0), ("bike", 3750.0)])
def test_the_area_holds_what_is_reached_and_nothing_far_from_it(heidelberg: Town, mode: Mode, limit_m: float) -> None:
    graph = graph_of_edges(mode, heidelberg.xy, heidelberg.directed(mode))
    network = judged(heidelberg.directed(mode))
    for at in heidelberg.places["kita"][:2]:
        (node,), (snap,) = nearest_nodes(graph, at[None])
        everywhere = [(int(n), 0.0) for n in graph.reachable]
        metres = np.full(len(heidelberg.xy), np.inf)
        metres[graph.reachable] = nearest_by_networkx(network.reverse(), everywhere, [(int(node), float(snap))])
        area, cell_m = network_area(graph, metres, limit_m, np.stack([at, graph.xy[node]]))
        reached = metres <= limit_m
        assert reached.sum() > 20
        assert area.is_valid
        assert shapely.contains_xy(area, graph.xy[reached]).all()
        # What is not reached and yet inside lies beside something that is: no farther than the tolerance.
        inside = np.isfinite(metres) & ~reached & shapely.contains_xy(area, graph.xy)
        ways = []
        for u, v, length in heidelberg.directed(mode):
            if reached[u]:
                share = min(1.0, (limit_m - metres[u]) / max(length, 1e-6))
                ways.append([graph.xy[u], graph.xy[u] + share * (graph.xy[v] - graph.xy[u])])
        gone = shapely.STRtree(shapely.linestrings(np.array(ways)))
        (_points, _lines), away = gone.query_nearest(
            shapely.points(graph.xy[inside]), return_distance=True, all_matches=False
        )
        assert (away <= tolerance_m(cell_m)).all()
        assert area.area < 3.2 * limit_m**2
