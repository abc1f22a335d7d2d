"""What the tests of ways share: little towns for hypothesis, and networkx as the judge of ways."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import networkx as nx
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from geodata.coverage.travel import NetworkTravel
from geodata.network import Graph, matrix_of, parts_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# From, to, metres.
Edge = tuple[int, int, float]


@dataclass(frozen=True)
class Town:
    """Nodes with their points, edges, and cells and places as (node or −1, metres to it)."""

    mode: Literal["walk", "bike"]
    xy: list[tuple[float, float]]
    edges: list[Edge]
    cells: list[tuple[int, float]]
    places: list[tuple[int, float]]

    def directed(self) -> list[Edge]:
        """Each edge once per direction in which it may be gone: on foot both."""
        return self.edges if self.mode == "bike" else [*self.edges, *((v, u, m) for u, v, m in self.edges)]

    def graph(self) -> Graph:
        return graph_of_edges(self.mode, np.array(self.xy, dtype=float).reshape(-1, 2), self.directed())

    def travel(self) -> NetworkTravel:
        return NetworkTravel(self.graph(), *columns(self.cells), *columns(self.places))

    def ways(self) -> Floats:
        """The metres from each cell to each place, shape (places, cells), by networkx."""
        judge = judged(self.directed(), range(len(self.xy)))
        return ways(judge, self.cells, self.places)


def columns(pairs: Sequence[tuple[int, float]]) -> tuple[Ints, Floats]:
    """Nodes and metres; NaN where there is no node."""
    nodes = np.array([node for node, _m in pairs], dtype=np.int64)
    return nodes, np.array([m if node >= 0 else np.nan for node, m in pairs], dtype=float)


def graph_of_edges(mode: Literal["walk", "bike"], xy: Floats, directed: Iterable[Edge]) -> Graph:
    table = np.array(list(directed), dtype=float).reshape(-1, 3)
    u, v = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    real = u != v
    return Graph(mode, matrix_of(u[real], v[real], table[real, 2], len(xy)), xy, parts_of(u, v, len(xy)))


def judged(directed: Iterable[Edge], nodes: Iterable[int] = ()) -> "nx.DiGraph[Any]":
    """The graph for networkx; of parallel edges the shortest."""
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    for u, v, m in directed:
        if m < graph.get_edge_data(u, v, {"m": np.inf})["m"]:
            graph.add_edge(u, v, m=m)
    return graph


def ways(graph: "nx.DiGraph[Any]", cells: Sequence[tuple[int, float]], places: Sequence[tuple[int, float]]) -> Floats:
    """The metres from each cell to each place, shape (places, cells): one search from each cell onwards."""
    found = np.full((len(places), len(cells)), np.inf)
    for j, (cell_node, cell_m) in enumerate(cells):
        if cell_node >= 0:
            there = nx.single_source_dijkstra_path_length(graph, cell_node, weight="m")
            for i, (place_node, place_m) in enumerate(places):
                if place_node in there:
                    found[i, j] = there[place_node] + cell_m + place_m
    return found


def nearest_by_networkx(
    graph: "nx.DiGraph[Any]", cells: Sequence[tuple[int, float]], places: Iterable[tuple[int, float]]
) -> Floats:
    """The metres from each cell to its nearest place: one search from the places against the edges."""
    against = graph.reverse()
    for node, m in places:
        if m < against.get_edge_data("start", node, {"m": np.inf})["m"]:
            against.add_edge("start", node, m=m)
    there = nx.single_source_dijkstra_path_length(against, "start", weight="m")
    return np.array([there.get(node, np.inf) + m for node, m in cells])


def snapped(xy: Floats, usable: Iterable[int], points: Floats) -> list[tuple[int, float]]:
    """The nearest usable node of each point, and how far it is: all distances looked at."""
    nodes = np.array(sorted(usable))
    found = []
    for point in points:
        metres = np.hypot(*(xy[nodes] - point).T)
        best = int(metres.argmin())
        found.append((int(nodes[best]), float(metres[best])))
    return found


METRES = st.integers(1, 900)


@st.composite
def towns(draw: st.DrawFn, mode: Literal["walk", "bike"] | None = None) -> Town:
    """Small towns; whole metres, so that sums are exact and "up to and including" can be told."""
    nodes = draw(st.integers(2, 9))
    node = st.integers(0, nodes - 1)
    spots = draw(
        st.lists(st.tuples(*[st.integers(0, 1500).map(float)] * 2), min_size=nodes, max_size=nodes, unique=True)
    )
    edges = draw(st.lists(st.tuples(node, node, METRES), max_size=18))
    snap = st.tuples(st.integers(-1, nodes - 1), st.integers(0, 300).map(float))
    return Town(
        mode or draw(st.sampled_from(("walk", "bike"))),
        spots,
        [(u, v, float(m)) for u, v, m in edges if u != v],
        draw(st.lists(snap, max_size=7)),
        draw(st.lists(snap, max_size=5)),
    )
