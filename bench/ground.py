"""What the benchmarks share: a durable throwaway cluster, whole processes timed, generated data."""

import contextlib
import csv
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyogrio.raw
import shapely

from geodata.cluster import Cluster
from geodata.migrate import SERVING_LOGIN, prepare_private_database

PROJECT = Path(__file__).resolve().parents[1]
HAMBURG = PROJECT.parent / "shared" / "data" / "hamburg"
CLI = str(Path(sys.executable).parent / "sozialraumkarte")


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process: wall seconds and peak memory in MiB."""

    wall_s: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Bench:
    """A fresh migrated database in a durable cluster."""

    cluster: Cluster
    name: str
    folder: Path

    @property
    def writing_url(self) -> str:
        return self.cluster.url(self.name)

    @property
    def serving_url(self) -> str:
        return self.cluster.url(self.name, SERVING_LOGIN)

    def environment(self) -> dict[str, str]:
        return {**os.environ, "SRK_DATABASE_URL": self.serving_url, "SRK_ADMIN_DATABASE_URL": self.writing_url}

    def psql(self, statement: str) -> Run:
        host = str(self.cluster._socket_folder(create=True))  # noqa: SLF001 - a bench knows the house
        command = ["psql", "-h", host, "-U", "postgres", "-d", self.name, "-qAtX", "-f", "-"]
        return timed(command, stdin=statement)

    def ogr_target(self) -> str:
        host = str(self.cluster._socket_folder(create=True))  # noqa: SLF001
        return f"PG:dbname={self.name} host={host} user=postgres"


@contextlib.contextmanager
def fresh() -> Iterator[Bench]:
    """Open a fresh database in a throwaway cluster that writes as durably as a real one."""
    root = Path("/var/lib/sozialraumkarte") if os.geteuid() == 0 else Path(tempfile.gettempdir())
    home = root / f"bench-{uuid.uuid4().hex[:8]}"
    cluster = Cluster(home)
    with tempfile.TemporaryDirectory(prefix="srk-bench-") as folder:
        try:
            with cluster.in_use():
                prepare_private_database(cluster, "srk_bench")
                yield Bench(cluster, "srk_bench", Path(folder))
        finally:
            cluster.destroy()


@contextlib.contextmanager
def serving(bench: Bench) -> Iterator[str]:
    """Run the real service over the bench's database; yield its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**bench.environment(), "SRK_LOG_LEVEL": "error"}
    process = subprocess.Popen([CLI, "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health"):
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


# The kernel counts towards a process's peak what its parent held when it was started: a small one goes between.
_LAUNCHER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdin=0, stdout=1, stderr=1)
_pid, status, usage = os.wait4(child.pid, 0)
wall_s = time.perf_counter() - started
json.dump([wall_s, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)], sys.stderr)
"""


def timed(command: list[str], *, env: dict[str, str] | None = None, stdin: str | None = None) -> Run:
    """Run a process to its end; raise if it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as given:
        given.write((stdin or "").encode())
        given.seek(0)
        launched = [sys.executable, "-c", _LAUNCHER, *command]
        done = subprocess.run(launched, env=env, stdin=given, stdout=out, stderr=subprocess.PIPE, check=True)
        wall_s, peak_mib, code = json.loads(done.stderr)
        if code != 0:
            out.seek(0)
            raise RuntimeError(f"{command[0]} failed: {out.read().decode(errors='replace')[-800:]}")
    return Run(wall_s, peak_mib)


def median(runs: int, measure: Callable[[], Run]) -> Run:
    """Return the medians of several runs after one that is not counted."""
    measure()
    made = [measure() for _ in range(runs)]
    return Run(statistics.median(r.wall_s for r in made), statistics.median(r.peak_mib for r in made))


def line(name: str, value: str, target: str = "") -> None:
    """Print one figure."""
    sys.stdout.write(f"{name:<66} {value:>22}   {target}\n")
    sys.stdout.flush()


def polygons(path: Path, count: int) -> None:
    """Write ``count`` adjoining cells of 25 vertices (their edges are shared and crooked) as GeoPackage."""
    side = int(np.ceil(np.sqrt(count)))
    rng = np.random.default_rng(1)
    size, parts = 100.0, 6
    # Every grid line is one crooked line that both neighbours follow.
    steps = side * parts + 1
    wobble_h = rng.uniform(-8, 8, (side + 1, steps))
    wobble_v = rng.uniform(-8, 8, (side + 1, steps))
    wobble_h[:, ::parts] = 0
    wobble_v[:, ::parts] = 0
    cells = []
    for index in range(count):
        row, column = divmod(index, side)
        along = np.arange(parts) * size / parts
        x0, y0 = column * size, row * size
        h, v = slice(column * parts, column * parts + parts), slice(row * parts, row * parts + parts)
        south = np.column_stack([x0 + along, y0 + wobble_h[row, h]])
        east = np.column_stack([x0 + size + wobble_v[column + 1, v], y0 + along])
        top = slice(column * parts + 1, column * parts + parts + 1)
        north = np.column_stack([x0 + along + size / parts, y0 + size + wobble_h[row + 1, top]])[::-1]
        side_ = slice(row * parts + 1, row * parts + parts + 1)
        west = np.column_stack([x0 + wobble_v[column, side_], y0 + along + size / parts])[::-1]
        ring = np.vstack([south, east, north, west, south[:1]])
        cells.append(shapely.Polygon(ring + np.array([540_000, 5_900_000])))
    keys = np.array([f"{i:06d}" for i in range(count)], dtype=object)
    names = np.array([f"Gebiet {i}" for i in range(count)], dtype=object)
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(cells, dtype=object)),
        [keys, names],
        ["key", "name"],
        layer="zellen",
        driver="GPKG",
        geometry_type="Polygon",
        crs="EPSG:25832",
    )


def facilities_csv(path: Path, count: int, bounds: tuple[float, float, float, float]) -> None:
    """Write ``count`` generated offers, each a place of its own, inside lon/lat bounds."""
    rng = np.random.default_rng(2)
    west, south, east, north = bounds
    lon = rng.uniform(west, east, count)
    lat = rng.uniform(south, north, count)
    header = (
        "id;name;category;type;provider;provider_key;street;house_number;postcode;city;lon;lat;paragraphs;age_from;"
        "age_to;supply;supply_unit;opening_hours;barrier_free;website;release;as_of"
    )
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(header.split(";"))
        for i in range(count):
            writer.writerow(
                (
                    f"e{i}", f"Beispiel-Jugendhaus {i}", ("okja", "famfoe", "sha", "kita")[i % 4], "Haus der Jugend",
                    f"Beispielträger {i % 300}", f"t{i % 300}", f"Beispielweg {i % 900}", str(i % 90 + 1), "20095",
                    "Hamburg", f"{lon[i]:.6f}", f"{lat[i]:.6f}", "11", str(i % 10), str(i % 10 + 8), str(i % 60),
                    "places", "Mo–Fr 14–19 Uhr", ("yes", "no", "partly", "")[i % 4], f"https://beispiel.invalid/{i}",
                    "public", "2026-01-01",
                )
            )  # fmt: skip
