"""The suite's own PostGIS: a throwaway cluster, a migrated template cloned per database, all removed at the end."""

import datetime as dt
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine

from geodata.cluster import Cluster
from geodata.database import make_engine
from geodata.migrate import SERVING_LOGIN, prepare_private_database
from service.logs import discreet_error

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"
HAMBURG = SHARED / "data" / "hamburg"
TODAY = dt.date(2026, 6, 1)
_TEMPLATE = "srk_template"

# As a service that runs: without it a stack is printed with all variables of all frames, which takes ten seconds.
structlog.configure(processors=[structlog.processors.add_log_level, discreet_error, structlog.dev.ConsoleRenderer()])

# The importers' real servers, as fixtures. No second conftest.py: tests import from this one by its name.
pytest_plugins = ["published_servers"]


class Database:
    """A migrated database of its own: ``writing`` as its owner, ``serving`` with the service's rights."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.writing_url = cluster.url(name)
        self.serving_url = cluster.url(name, SERVING_LOGIN)
        self.writing: Engine = make_engine(self.writing_url, pool_size=4)
        self.serving: Engine = make_engine(self.serving_url, pool_size=8)

    def rest(self) -> None:
        """Give back idle connections; the next question opens new ones."""
        self.writing.dispose()
        self.serving.dispose()

    def close(self) -> None:
        self.rest()
        with self.cluster.connect("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


def throwaway_home() -> Path:
    """A folder the cluster may live in: for root under /var/lib, where the system user postgres can reach it."""
    if os.geteuid() == 0:
        home = Path("/var/lib/sozialraumkarte") / f"test-{uuid.uuid4().hex[:12]}"
        home.mkdir(parents=True)
        return home
    return Path(tempfile.mkdtemp(prefix="srk-test-"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    home = throwaway_home()
    made = Cluster(home, durable=False)
    try:
        with made.in_use():
            prepare_private_database(made, _TEMPLATE)
            yield made
    finally:
        made.destroy()


@pytest.fixture(scope="session")
def new_database(cluster: Cluster) -> Iterator[Callable[[], Database]]:
    """A function that clones the migrated template; every clone goes at the end of the session."""
    opened: list[Database] = []

    def clone() -> Database:
        # Databases of whole modules stay to the end, and the cluster takes a hundred connections.
        for database in opened:
            database.rest()
        name = f"srk_{uuid.uuid4().hex[:12]}"
        with cluster.connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}')
        opened.append(Database(cluster, name))
        return opened[-1]

    yield clone
    for database in opened:
        database.close()


@pytest.fixture
def database(new_database: Callable[[], Database]) -> Iterator[Database]:
    """An empty migrated database for one test."""
    made = new_database()
    yield made
    made.close()


@pytest.fixture(scope="session")
def demo_database(new_database: Callable[[], Database]) -> Database:
    """The demo city, loaded once; tests only read it."""
    from service.demo import load_demo

    made = new_database()
    load_demo(made.writing, lambda _line: None)
    return made


@pytest.fixture(scope="session")
def examples_database(new_database: Callable[[], Database]) -> Database:
    """The published tables, for tests that only read."""
    from service.examples import load_examples

    loaded = new_database()
    load_examples(loaded.writing, lambda _line: None)
    return loaded


@pytest.fixture(scope="session")
def hamburg_database(new_database: Callable[[], Database]) -> Database:
    """Hamburg's real areas and facilities, loaded once by the shipped mappings; tests only read it."""
    from importers.kinds.areas import AreasImport, import_areas
    from importers.kinds.facilities import FacilitiesImport, import_facilities
    from importers.mapping import read_mapping
    from importers.sources import open_source

    made = new_database()
    for level, name in (("bezirk", "bezirke"), ("stadtteil", "stadtteile"), ("ortsteil", "ortsteile")):
        mapping = read_mapping(Path(f"hamburg/{name}.toml"))
        source = open_source(HAMBURG / "grenzen" / f"{name}.geojson")
        import_areas(made.writing, source, AreasImport(level, mapping=mapping))
    for category, name in (("okja", "jugendorte"), ("famfoe", "familienorte")):
        mapping = read_mapping(Path(f"hamburg/{name}.toml"))
        source = open_source(HAMBURG / "einrichtungen" / f"{name}.geojson")
        import_facilities(made.writing, source, FacilitiesImport(category, mapping=mapping))
    return made
