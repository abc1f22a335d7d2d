"""All or nothing, whatever is killed: the importer or PostgreSQL, at any moment, with the old version whole after it.

The moments are drawn from a seeded generator over the length of a whole import, so that they fall on reading,
copying, checking, deriving and committing alike.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from conftest import throwaway_home
from importer_help import load_city, lonlat, rules, write_csv

from geodata.cluster import Cluster
from geodata.database import make_engine
from geodata.migrate import prepare_private_database

ROWS = 6_000
NAME = "srk_kills"
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["importers.kinds.facilities", "importers.sources.table", "geodata.surface", "pandas"])


def run_import(url: str, path: str) -> None:
    """One import in a process of its own: what the command line does after its start-up."""
    from importers.kinds.facilities import FacilitiesImport, import_facilities
    from importers.sources import open_source

    engine = make_engine(url, pool_size=2)
    import_facilities(engine, open_source(Path(path)), FacilitiesImport("okja", rules=rules("0", "100%")))
    engine.dispose()


class Ground:
    """A durable cluster of its own with the tiny city and two files that share no row."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.url = cluster.url(NAME)
        self.files = [self._file(folder, which) for which in ("eins", "zwei")]
        engine = make_engine(self.url)
        load_city(engine, folder)
        engine.dispose()
        started = time.monotonic()
        self.start_import(0).join()
        self.import_s = time.monotonic() - started
        self.expected = [self.digest()]
        self.start_import(1).join()
        self.expected.append(self.digest())
        assert self.expected[0] != self.expected[1]

    def _file(self, folder: Path, which: str) -> str:
        offset = 0.0 if which == "eins" else 300.0
        rows = []
        for n in range(ROWS):
            lon, lat = lonlat(5 + (n % 300) * 10 + offset, 5 + (n // 300) * 90)
            rows.append({"id": f"{which}-{n}", "name": f"Treff {which} {n}", "lon": lon, "lat": lat, "age_from": n % 9})
        return str(write_csv(folder / f"{which}.csv", rows))

    def start_import(self, which: int) -> BaseProcess:
        process = SERVER.Process(target=run_import, args=(self.url, self.files[which]))
        process.start()
        return process

    def digest(self) -> tuple[object, ...]:
        """What a reader sees, links and counts included; and that nothing of another version lies about."""
        with self.cluster.connect(NAME) as connection:
            seen = connection.execute("""
                SELECT count(*), md5(string_agg(o.offer_id || o.name || coalesce(o.age_from, -1), '|'
                                                ORDER BY o.offer_id)),
                       (SELECT count(*) FROM place_visible), (SELECT count(*) FROM facility_area_visible),
                       (SELECT md5(string_agg(f.facility_id || f.level || f.area_key, '|'
                                              ORDER BY f.facility_id, f.level)) FROM facility_area_visible f)
                FROM offer_visible o
            """).fetchone()
            strays = connection.execute("""
                SELECT count(*) FROM offer WHERE import_id NOT IN (
                    SELECT unnest(ARRAY[current_import_id, previous_import_id]) FROM dataset
                    WHERE current_import_id IS NOT NULL)
            """).fetchone()
        assert strays == (0,)
        assert seen is not None
        return seen

    def current(self) -> int:
        """Which of the two files is visible; fails if it is neither, or not whole."""
        found = self.digest()
        assert found in self.expected
        return self.expected.index(found)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    cluster = Cluster(throwaway_home())
    try:
        with cluster.in_use():
            prepare_private_database(cluster, NAME)
            yield Ground(cluster, tmp_path_factory.mktemp("kills"))
    finally:
        cluster.destroy()


def kill_importers(ground: Ground, number: int, seed: int) -> None:
    moments = random.Random(seed)  # noqa: S311 - a sequence that can be repeated, no secret
    ended_early = 0
    for _ in range(number):
        before = ground.current()
        process = ground.start_import(1 - before)
        time.sleep(moments.uniform(0.02, ground.import_s))
        assert process.pid is not None
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        after = ground.current()
        if process.exitcode == 0:
            assert after == 1 - before
        ended_early += after == before
    assert ended_early, "no import was interrupted: the test tests nothing"
    # Without any hand work, and without waiting for a lock the dead have left.
    wanted = 1 - ground.current()
    process = ground.start_import(wanted)
    process.join()
    assert process.exitcode == 0
    assert ground.current() == wanted


def kill_servers(ground: Ground, number: int, seed: int) -> None:
    moments = random.Random(seed)  # noqa: S311 - a sequence that can be repeated, no secret
    for _ in range(number):
        before = ground.current()
        process = ground.start_import(1 - before)
        time.sleep(moments.uniform(0.05, ground.import_s * 0.9))
        with (ground.cluster.data / "postmaster.pid").open() as handle:
            postmaster = int(handle.readline())
        os.kill(postmaster, signal.SIGKILL)
        process.join()
        restart(ground.cluster)
        after = ground.current()
        if process.exitcode == 0:
            assert after == 1 - before
        process = ground.start_import(1 - after)
        process.join()
        assert process.exitcode == 0
        assert ground.current() == 1 - after


def restart(cluster: Cluster) -> None:
    """Start again as any command does: by using the cluster."""
    cluster.start()
    with cluster.connect(NAME) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_importer_leaves_the_old_version_whole(ground: Ground) -> None:
    kill_importers(ground, 4, seed=1)


def test_a_killed_server_leaves_the_old_version_whole(ground: Ground) -> None:
    kill_servers(ground, 1, seed=2)


@pytest.mark.long
def test_many_killed_importers(ground: Ground) -> None:
    kill_importers(ground, 50, seed=3)


@pytest.mark.long
def test_many_killed_servers(ground: Ground) -> None:
    kill_servers(ground, 10, seed=4)
