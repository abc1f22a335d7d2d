"""Migrations: up, down and up again; the same tables as SQLAlchemy knows them; one plain owner."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from hand_rows import FACILITIES, rows_in
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

import geodata.figure_tables
import geodata.placement_tables
import geodata.published_tables
import geodata.surface_tables  # noqa: F401 - their tables join the metadata
from geodata.cluster import Cluster
from geodata.database import make_engine, reading
from geodata.migrate import config, downgrade, migrate, prepare_private_database, revision_of, revision_of_url
from geodata.readiness import what_is_missing
from geodata.schema_version import SCHEMA_VERSION
from geodata.tables import Base

PROJECT = Path(__file__).resolve().parents[2]
# What is in the schema and belongs to no extension.
RELATIONS = """
    SELECT relname, relkind::text, pg_get_userbyid(relowner) FROM pg_class c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
FUNCTIONS = """
    SELECT proname, 'function', pg_get_userbyid(proowner) FROM pg_proc p
    WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
TYPES = """
    SELECT typname, 'type', pg_get_userbyid(typowner) FROM pg_type t
    WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
"""
# What tables are made with and only the migrations make.
SPELLING = """
    CREATE FUNCTION srk_spelt(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1;
"""
TABLES = ", ".join(f"'{table}'" for table in Base.metadata.tables)
SHAPE = {
    "columns": f"""
        SELECT table_name, column_name, udt_name, is_nullable, column_default, is_identity, identity_generation,
               generation_expression
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name IN ({TABLES})
    """,
    "geometries": "SELECT f_table_name, f_geometry_column, coord_dimension, srid, type FROM geometry_columns "
    f"WHERE f_table_name IN ({TABLES})",
    "constraints": f"""
        SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN ({TABLES})
    """,
    "indexes": f"SELECT tablename, indexname, indexdef FROM pg_indexes WHERE tablename IN ({TABLES})",
    "enums": "SELECT t.typname, e.enumlabel, e.enumsortorder FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid",
}


@pytest.fixture
def new_name(cluster: Cluster) -> Iterator[Callable[[], str]]:
    """A function that gives fresh names of databases, and removes the databases at the end."""
    given: list[str] = []

    def name() -> str:
        given.append(f"srk_m_{uuid.uuid4().hex[:10]}")
        return given[-1]

    yield name
    with cluster.connect("postgres") as connection:
        for made in given:
            connection.execute(f'DROP DATABASE IF EXISTS "{made}" WITH (FORCE)')


@pytest.fixture
def blank(cluster: Cluster, new_name: Callable[[], str]) -> str:
    name = new_name()
    with cluster.connect("postgres") as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return name


def query(cluster: Cluster, database: str, sql: str) -> set[tuple[Any, ...]]:
    with cluster.connect(database) as connection:
        return set(connection.execute(sql).fetchall())


def ours(cluster: Cluster, database: str) -> set[str]:
    found = set().union(*(query(cluster, database, sql) for sql in (RELATIONS, FUNCTIONS, TYPES)))
    return {row[0] for row in found} - {"alembic_version"}


def test_the_schema_version_is_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(config())
    assert scripts.get_heads() == [SCHEMA_VERSION]


def test_up_down_with_data_and_up_again(cluster: Cluster, blank: str) -> None:
    url = cluster.url(blank)
    assert revision_of(cluster, blank) is None
    assert revision_of_url(url) is None
    migrate(url)
    assert revision_of(cluster, blank) == revision_of_url(url) == SCHEMA_VERSION
    first = {name: query(cluster, blank, sql) for name, sql in SHAPE.items()}
    made = ours(cluster, blank)
    assert {"place", "place_visible", "srk_viewer_role", "release_level"} <= made

    engine = make_engine(url)
    try:
        with rows_in(engine) as rows:
            rows.city()
            version = rows.version(FACILITIES, "facilities")
            rows.house(version, "house", (600, 300), "protected")
            rows.insert("release", dataset_id=rows.dataset_id(FACILITIES), offer_id="house", release="internal")
            rows.insert("provider_alias", alias="eins", provider_key="t1")
            rows.insert("audit", viewer="x", action="x")
            rows.link()
    finally:
        engine.dispose()

    downgrade(url, "base")
    assert revision_of(cluster, blank) is None
    assert ours(cluster, blank) == set()

    migrate(url)
    assert revision_of(cluster, blank) == SCHEMA_VERSION
    assert {name: query(cluster, blank, sql) for name, sql in SHAPE.items()} == first
    assert ours(cluster, blank) == made
    assert query(cluster, blank, "SELECT count(*) FROM place") == {(0,)}
    assert query(cluster, blank, "SELECT count(*) FROM instance_state") == {(1,)}


def test_migrating_twice_is_harmless(cluster: Cluster, blank: str) -> None:
    migrate(cluster.url(blank))
    with cluster.connect(blank) as connection:
        connection.execute("INSERT INTO provider VALUES ('t', 'T')")
        instance = connection.execute("SELECT instance_id FROM instance_state").fetchone()
    migrate(cluster.url(blank))
    prepare_private_database(cluster, blank)
    assert revision_of(cluster, blank) == SCHEMA_VERSION
    assert query(cluster, blank, "SELECT key FROM provider") == {("t",)}
    assert query(cluster, blank, "SELECT instance_id FROM instance_state") == {instance}


def test_a_second_database_of_the_cluster_migrates_and_stands_alone(
    cluster: Cluster, new_name: Callable[[], str]
) -> None:
    names = [new_name(), new_name()]
    for name in names:
        prepare_private_database(cluster, name)
        assert revision_of(cluster, name) == SCHEMA_VERSION
        engine = make_engine(cluster.url(name, "srk_app"))
        with reading(engine) as session:
            assert what_is_missing(session) == "Es sind noch keine Daten geladen."
        engine.dispose()
    downgrade(cluster.url(names[0]), "base")
    assert revision_of(cluster, names[1]) == SCHEMA_VERSION
    assert query(cluster, names[1], "SELECT count(*) FROM place_visible") == {(0,)}


def test_two_processes_preparing_one_database_at_once_both_succeed(
    cluster: Cluster, new_name: Callable[[], str]
) -> None:
    source = """
import sys
from pathlib import Path
import alembic.command
from geodata.cluster import Cluster
from geodata.migrate import prepare_private_database
sys.stdin.readline()
prepare_private_database(Cluster(Path(sys.argv[1]), durable=False), sys.argv[2])
"""
    name = new_name()
    both = [
        subprocess.Popen(
            [sys.executable, "-c", source, str(cluster.home), name],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert revision_of(cluster, name) == SCHEMA_VERSION


def test_everything_belongs_to_the_plain_owner(cluster: Cluster, blank: str) -> None:
    migrate(cluster.url(blank))
    for sql in (RELATIONS, FUNCTIONS, TYPES):
        found = query(cluster, blank, sql)
        assert found
        assert {row for row in found if row[2] != "srk_owner"} == set()
    assert query(
        cluster,
        blank,
        "SELECT rolsuper, rolcanlogin, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = 'srk_owner'",
    ) == {(False, False, False, False)}


def test_the_migrated_tables_are_those_of_the_code(cluster: Cluster, blank: str) -> None:
    migrate(cluster.url(blank))

    def of_ours(thing: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
        return not (kind == "table" and reflected and name in {"spatial_ref_sys", "alembic_version"}) or thing is None

    engine = create_engine(cluster.url(blank), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": of_ours, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []
        connection.rollback()
        connection.execute(text("ALTER TABLE place ADD COLUMN extra text"))
        assert compare_metadata(context, Base.metadata) != []
    engine.dispose()


def test_the_tables_made_from_the_code_are_those_of_the_migrations(
    cluster: Cluster, blank: str, new_name: Callable[[], str]
) -> None:
    """What Alembic's comparison does not look at: checks, defaults, identities, indexes' kinds."""
    migrate(cluster.url(blank))
    other = new_name()
    with cluster.connect("postgres") as connection:
        connection.execute(f'CREATE DATABASE "{other}"')
    with cluster.connect(other) as connection:
        connection.execute("CREATE EXTENSION postgis; CREATE EXTENSION pg_trgm")
        connection.execute(SPELLING)
    engine = create_engine(cluster.url(other), poolclass=NullPool)
    Base.metadata.create_all(engine)
    engine.dispose()
    for name, sql in SHAPE.items():
        migrated, coded = query(cluster, blank, sql), query(cluster, other, sql)
        assert migrated, name
        assert migrated - coded == set(), name
        assert coded - migrated == set(), name
