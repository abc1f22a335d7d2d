"""The walking and cycling network as a sparse graph, and the nodes nearest to places and cells.

Distances are metres, coordinates EPSG:25832. The graph is read whole, once per version of the network, and kept in
the process; shortest ways are then scipy's matter (``scipy.sparse.csgraph``). Only one network is visible at a time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.bulk import raw_connection, read_arrays, write_arrays
from geodata.database import unhurried
from geodata.kept import Kept, database_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.spatial import cKDTree

Mode: TypeAlias = Literal["walk", "bike"]
MODES: tuple[Mode, ...] = ("walk", "bike")

# What is no length at all would be no edge in a sparse matrix.
SHORTEST_EDGE_M = 1e-6
# Both modes of the visible network and of the one before, for readers that began before an import.
MAX_GRAPHS_KEPT = 4

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """The network of one mode. Nodes are numbered from 0 to n - 1, as stored.

    ``matrix[u, v]`` is the length in metres of the shortest edge from u to v (``csr_array``, float64; symmetric for
    ``walk``, directed for ``bike``); an edge of length 0 stands as ``SHORTEST_EDGE_M``. ``xy``: shape (n, 2),
    EPSG:25832. ``component``: the connected part of each node in this mode (directions set aside), 0 the largest;
    -1: the node has no edge in this mode.
    """

    mode: Mode
    matrix: "csr_array"
    xy: Floats
    component: Ints

    @cached_property
    def towards(self) -> "csr_array":
        """The matrix searched from a destination: ``towards[v, u]`` is the edge from u to v."""
        return self.matrix if self.mode == "walk" else self.matrix.T.tocsr()

    @cached_property
    def reachable(self) -> Ints:
        """The nodes that have at least one edge in this mode."""
        return np.flatnonzero(self.component >= 0)

    @cached_property
    def tree(self) -> "cKDTree":
        """The search tree over the ``reachable`` nodes."""
        from scipy.spatial import cKDTree  # noqa: PLC0415 - numeric libraries only for those who ask

        return cKDTree(self.xy[self.reachable])


def parts_of(u: Ints, v: Ints, nodes: int) -> Ints:
    """Return for each of ``nodes`` the connected part it lies in, directions of the edges u-v set aside.

    Parts are numbered from 0 by their number of nodes, the largest first; among equals that with the lowest node
    comes first. A node without edge to another is -1.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    part = np.full(nodes, -1, dtype=np.int64)
    real = u != v
    used, ends = np.unique(np.concatenate([u[real], v[real]]), return_inverse=True)
    if not len(used):
        return part
    half = len(ends) // 2
    graph = coo_array((np.ones(half, np.int8), (ends[:half], ends[half:])), shape=(len(used), len(used)))
    _count, label = connected_components(graph.tocsr(), directed=False)
    _labels, first, size = np.unique(label, return_index=True, return_counts=True)
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.lexsort((first, -size))] = np.arange(len(size))
    part[used] = rank[label]
    return part


def load_graph(session: Session, mode: Mode) -> Graph | None:
    """Read the visible network of one mode; None: no network has been imported.

    Parallel edges count by the shortest, loops (u = v) not at all.
    """
    return _read(session, mode, import_id) if (import_id := _visible(session)) is not None else None


def _visible(session: Session) -> int | None:
    return session.execute(text("SELECT import_id FROM network_node_visible LIMIT 1")).scalar()


def _read(session: Session, mode: Mode, import_id: int) -> Graph:
    nodes = read_arrays(
        session,
        f"SELECT node, ST_X(geom), ST_Y(geom) FROM network_node_visible WHERE import_id = {import_id:d}",
        {"node": "i4", "x": "f8", "y": "f8"},
    )
    edges = read_arrays(
        session,
        "SELECT u, v, length_m, walk, bike_forward, bike_backward FROM network_edge_visible "
        f"WHERE import_id = {import_id:d}",
        {"u": "i4", "v": "i4", "m": "f8", "walk": "b", "forward": "b", "backward": "b"},
    )
    count = len(nodes["node"])
    xy = np.full((count, 2), np.nan)
    xy[nodes["node"]] = np.column_stack([nodes["x"], nodes["y"]])
    u, v, m = edges["u"].astype(np.int64), edges["v"].astype(np.int64), edges["m"]
    forth, back = ("walk", "walk") if mode == "walk" else ("forward", "backward")
    forward, backward = (edges[name] & (u != v) for name in (forth, back))
    start = np.concatenate([u[forward], v[backward]])
    end = np.concatenate([v[forward], u[backward]])
    return Graph(
        mode,
        matrix_of(start, end, np.concatenate([m[forward], m[backward]]), count),
        xy,
        parts_of(start, end, count),
    )


def matrix_of(start: Ints, end: Ints, length_m: Floats, nodes: int) -> "csr_array":
    """Return the sparse matrix of directed edges: of parallel ones the shortest, none shorter than the least length."""
    from scipy.sparse import csr_array  # noqa: PLC0415

    order = np.lexsort((length_m, end, start))
    start, end, length_m = start[order], end[order], np.maximum(length_m[order], SHORTEST_EDGE_M)
    first = np.ones(len(start), dtype=bool)
    first[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    return csr_array((length_m[first], (start[first], end[first])), shape=(nodes, nodes))


_graphs: "Kept[Graph]" = Kept(MAX_GRAPHS_KEPT)


def graph_for(session: Session, mode: Mode) -> Graph | None:
    """Return the network of one mode that this transaction sees, read once per version; None: there is none.

    Kept per database, instance and import: an import of another kind raises the data version and leaves the graph.
    """
    import_id = _visible(session)
    if import_id is None:
        return None

    def read() -> Graph:
        with unhurried(session):
            return _read(session, mode, import_id)

    return _graphs.get((*database_of(session), import_id, mode), read)


def nearest_nodes(graph: Graph, xy: Floats) -> tuple[Ints, Floats]:
    """Return for points (shape (k, 2), EPSG:25832) the nearest node with an edge in the mode, and how far it is.

    The distance is the straight line in metres, however far. Where a point is NaN, or no node has an edge: node -1,
    distance NaN.
    """
    node = np.full(len(xy), -1, dtype=np.int64)
    distance = np.full(len(xy), np.nan)
    given = np.isfinite(xy).all(axis=1)
    if given.any() and len(graph.reachable):
        metres, index = graph.tree.query(xy[given])
        node[given] = graph.reachable[index]
        distance[given] = metres
    return node, distance


def snap_facilities(session: Session, import_ids: Collection[int] | None = None) -> int:
    """Rebuild the nearest nodes of visible places, per mode; return how many rows there are.

    ``import_ids``: the facility imports whose places changed; None: all of them (the network changed). Places without
    point have no row; without network there is none at all.
    """
    values = {"imports": None if import_ids is None else list(import_ids)}
    chosen = "(CAST(:imports AS int[]) IS NULL OR {0}.import_id = ANY (:imports))"
    session.execute(text(f"DELETE FROM facility_snap s WHERE {chosen.format('s')}"), values)
    if _visible(session) is None:
        return 0
    rows = session.execute(
        text(f"""
            SELECT p.import_id, p.facility_id, ST_X(p.geom) AS x, ST_Y(p.geom) AS y
            FROM place p JOIN dataset d ON d.current_import_id = p.import_id
            WHERE p.geom IS NOT NULL AND {chosen.format("p")}
        """),
        values,
    ).all()
    xy = np.array([(row.x, row.y) for row in rows], dtype=np.float64).reshape(-1, 2)
    written = 0
    for mode in MODES:
        node, distance = _snapped(session, mode, xy)
        kept = np.flatnonzero(node >= 0).tolist()
        statement = "COPY facility_snap (import_id, facility_id, mode, node, distance_m) FROM STDIN"
        with raw_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
            for i, n, m in zip(kept, node[kept].tolist(), distance[kept].tolist(), strict=True):
                copy.write_row((rows[i].import_id, rows[i].facility_id, mode, n, m))
        written += len(kept)
    return written


def snap_cells(session: Session) -> int:
    """Rebuild the nearest nodes of all cells of the population surface, per mode; return how many rows there are.

    To be called when the surface or the network changes. Without network or surface the table is empty.
    """
    session.execute(text("DELETE FROM cell_snap"))
    if _visible(session) is None:
        return 0
    columns = {"cell": "i4", "x": "f8", "y": "f8"}
    cells = read_arrays(session, "SELECT cell, ST_X(geom), ST_Y(geom) FROM surface_cell", columns)
    xy = np.column_stack([cells["x"], cells["y"]])
    written = 0
    for mode in MODES:
        node, distance = _snapped(session, mode, xy)
        kept = node >= 0
        snaps = {
            "cell": cells["cell"][kept],
            "mode": np.full(int(kept.sum()), mode.encode()),
            "node": node[kept].astype(np.int32),
            "distance_m": distance[kept],
        }
        write_arrays(session, "cell_snap", snaps)
        written += int(kept.sum())
    return written


def _snapped(session: Session, mode: Mode, xy: Floats) -> tuple[Ints, Floats]:
    graph = graph_for(session, mode)
    assert graph is not None  # noqa: S101 - the callers have seen the network in this transaction
    return nearest_nodes(graph, xy)
