"""Ways between the cells where people live and places, in metres: on a network, or as straight lines.

People go from their cell to a place. On a network the way from the cell to its nearest node, the shortest way on, and
the way from the last node to the place are all walked. What has no node, or lies in another part of the network, is
unconnected: its distance is infinite.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geodata.network import Graph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

# What distances from some places to all nodes, or to all cells, may take; three such tables are held at once.
MAX_BLOCK_BYTES = 16 * 1024**2
# An edge of length 0 would be no edge in a sparse matrix: all first edges are longer by this, and taken off again.
_STEP_M = 1.0


class Travel(Protocol):
    """The ways from cells to places, both in the order in which they were given."""

    def nearest(self) -> Floats:
        """Return the metres from each cell to its nearest place; infinite: there is no way to any."""

    def blocks(self, limit_m: float) -> Iterator[tuple[Ints, Floats]]:
        """Yield numbers of places (k,) and the metres from each cell to them (k, cells).

        Infinite beyond ``limit_m`` (which still counts) and where there is no way. Places that nobody can get to are
        left out.
        """


@dataclass(frozen=True, slots=True)
class NetworkTravel:
    """Ways on a network: for cells and places their node (−1: none) and the metres to it (NaN: none)."""

    graph: Graph
    cell_node: Ints
    cell_m: Floats
    place_node: Ints
    place_m: Floats

    def nearest(self) -> Floats:
        """Return the metres from each cell to its nearest place: one search from all places at once."""
        found = np.full(len(self.cell_node), np.inf)
        if (self.place_node >= 0).any():
            metres = search_from(self.graph.towards, self.place_node, self.place_m)
            there = self.cell_node >= 0
            found[there] = metres[self.cell_node[there]] + self.cell_m[there]
        return found

    def blocks(self, limit_m: float) -> Iterator[tuple[Ints, Floats]]:
        """Yield the ways to some places after the other; places at the same node are searched for once."""
        places = np.flatnonzero((self.place_node >= 0) & (self.place_m <= limit_m))
        places = places[np.argsort(self.place_node[places], kind="stable")]
        nodes, first = np.unique(self.place_node[places], return_index=True)
        ends = np.append(first[1:], len(places))
        at_once = max(1, MAX_BLOCK_BYTES // (8 * max(len(self.graph.xy), len(self.cell_node))))
        homes = _Homes(self.cell_node, self.cell_m, len(self.graph.xy))
        for begin in range(0, len(nodes), at_once):
            own = nodes[begin : begin + at_once]
            metres = homes.ways(self.graph.towards, own, limit_m)
            numbers = places[first[begin] : ends[min(begin + at_once, len(nodes)) - 1]]
            row = np.searchsorted(own, self.place_node[numbers])
            # Hundreds of places may share a node: no more of them at once than there are nodes at once.
            for start in range(0, len(numbers), at_once):
                some = slice(start, start + at_once)
                block = metres[row[some]]
                block += self.place_m[numbers[some], None]
                block[block > limit_m] = np.inf
                yield numbers[some], block


class _Homes:
    """The cells at each node, so that a search that gets to few nodes need not look at every cell."""

    def __init__(self, node: Ints, metres: Floats, nodes: int) -> None:
        there = np.flatnonzero(node >= 0)
        self._cells = len(node)
        self._cell = there[np.argsort(node[there], kind="stable")]
        self._metres = metres[self._cell]
        self._count = np.bincount(node[there], minlength=nodes)
        self._start = np.cumsum(self._count) - self._count

    def ways(self, matrix: "csr_array", nodes: Ints, limit_m: float) -> Floats:
        """Return the metres from each cell to these nodes (k, cells); infinite where the node is beyond the limit."""
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - numeric libraries only for those who ask

        found = np.full((len(nodes), self._cells), np.inf)
        metres = dijkstra(matrix, indices=nodes, limit=limit_m)
        row, node = np.nonzero((metres <= limit_m) & (self._count > 0))
        count = self._count[node]
        # Of each way the numbers of the cells at its end: those from its first one on.
        begun = np.cumsum(count) - count
        at = np.repeat(self._start[node] - begun, count) + np.arange(count.sum())
        found[np.repeat(row, count), self._cell[at]] = np.repeat(metres[row, node], count) + self._metres[at]
        return found


def search_from(matrix: "csr_array", node: Ints, metres: Floats) -> Floats:
    """Return for each node the metres to the nearest of some points, each so many metres from its node (−1: none).

    ``matrix[u, v]``: metres from u to v, searched along the edges. One run of Dijkstra's algorithm from a source that
    is added, with an edge to every point's node; infinite where there is no way.
    """
    from scipy.sparse import csr_array  # noqa: PLC0415
    from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

    count = matrix.shape[0]
    at = node >= 0
    order = np.lexsort((metres[at], node[at]))
    nodes, first = np.unique(node[at][order], return_index=True)
    widened = csr_array(
        (
            np.concatenate([matrix.data, metres[at][order][first] + _STEP_M]),
            np.concatenate([matrix.indices, nodes.astype(matrix.indices.dtype)]),
            np.append(matrix.indptr, matrix.indptr[-1] + len(nodes)),
        ),
        shape=(count + 1, count + 1),
    )
    found: Floats = dijkstra(widened, indices=count)[:count] - _STEP_M
    return found


@dataclass(frozen=True, slots=True)
class LineTravel:
    """Ways as straight lines times a factor: points of cells and places of shape (n, 2) in metres (EPSG:25832)."""

    cell_xy: Floats
    place_xy: Floats
    detour_factor: float

    def nearest(self) -> Floats:
        """Return the metres from each cell to its nearest place."""
        from scipy.spatial import cKDTree  # noqa: PLC0415

        if not len(self.place_xy):
            return np.full(len(self.cell_xy), np.inf)
        metres: Floats = cKDTree(self.place_xy).query(self.cell_xy, workers=-1)[0]
        return self.detour_factor * metres

    def blocks(self, limit_m: float) -> Iterator[tuple[Ints, Floats]]:
        """Yield the ways to some places after the other."""
        at_once = max(1, MAX_BLOCK_BYTES // (8 * max(1, len(self.cell_xy))))
        for begin in range(0, len(self.place_xy), at_once):
            own = self.place_xy[begin : begin + at_once]
            block = self.detour_factor * np.hypot(
                own[:, :1] - self.cell_xy[None, :, 0], own[:, 1:] - self.cell_xy[None, :, 1]
            )
            block[block > limit_m] = np.inf
            yield np.arange(begin, begin + len(own)), block
