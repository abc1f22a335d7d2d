"""How long networks take: importing as a whole process, loading and asking in this one."""

import time
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import dijkstra
from sqlalchemy import create_engine

from bench.ground import CLI, HAMBURG, fresh, line, timed
from geodata.database import reading
from geodata.network import load_graph, nearest_nodes

SIDE = 708  # a grid of 708 × 708 nodes has about 1,000,000 edges
_HEIDELBERG = HAMBURG.parent / "netz" / "heidelberg.osm.pbf"


def run() -> None:
    """Measure and print."""
    if _HEIDELBERG.exists():
        _measured("Heidelberg (OpenStreetMap, 2,5 MB)", _HEIDELBERG)
    else:
        line("Heidelberg", "shared/data fehlt")
    many_edges()


def many_edges() -> None:
    """Load 1,000,000 edges from a CSV edge list and ask the graph."""
    with fresh() as bench:
        source = bench.folder / "kanten.csv"
        edges_csv(source, SIDE)
        _measured("1 Mio. Kanten (CSV)", source, crs="EPSG:25832", target="Ziel 60 s")


def edges_csv(path: Path, side: int) -> None:
    """Write a square grid of ``side`` × ``side`` nodes, 50 m apart, as an edge list with metres."""
    node = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [np.column_stack([a.ravel(), b.ravel()]) for a, b in ((node[:, :-1], node[:, 1:]), (node[:-1], node[1:]))]
    )
    xy = np.column_stack([540_000 + 50.0 * (node.ravel() % side), 5_900_000 + 50.0 * (node.ravel() // side)])
    table = np.column_stack([pairs, np.full(len(pairs), 50.0), xy[pairs[:, 0]], xy[pairs[:, 1]]])
    header = "u;v;length;u_x;u_y;v_x;v_y"
    np.savetxt(path, table, fmt="%d;%d;%d;%d;%d;%d;%d", header=header, comments="")


def _measured(name: str, source: Path, *, crs: str | None = None, target: str = "") -> None:
    with fresh() as bench:
        options = [] if crs is None else ["--crs", crs]
        ours = timed([CLI, "import", "network", str(source), *options], env=bench.environment())
        line(f"Import {name}", f"{ours.wall_s:.1f} s {ours.peak_mib:.0f} MiB", target)
        serving = create_engine(bench.serving_url)
        started = time.perf_counter()
        with reading(serving) as session:
            graph = load_graph(session, "walk")
        assert graph is not None
        line("  Knoten zu Fuß", str(len(graph.reachable)))
        line("  Netz aus der Datenbank", f"{time.perf_counter() - started:.2f} s")
        chance = np.random.default_rng(1)
        low, high = graph.xy.min(axis=0), graph.xy.max(axis=0)
        started = time.perf_counter()
        node, _metres = nearest_nodes(graph, chance.uniform(low, high, (100_000, 2)))
        line("  100 000 Punkte an das Netz", f"{time.perf_counter() - started:.2f} s")
        started = time.perf_counter()
        dijkstra(graph.matrix, indices=np.unique(node[:300]), min_only=True)
        line("  von überall zur nächsten von 300 Einrichtungen", f"{1000 * (time.perf_counter() - started):.0f} ms")
        serving.dispose()
