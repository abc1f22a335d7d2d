"""What the serving login may do in the database, and what it may not."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg.errors
import pytest
from hand_rows import FACILITIES, rows_in
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from geodata.audit import record
from geodata.database import Access, QueryTimeoutError, make_engine, reading, writing
from geodata.errors import DatabaseStateError
from geodata.migrate import SERVING_LOGIN
from geodata.viewer import Role, Viewer

if TYPE_CHECKING:
    from conftest import Database

ADMIN = Viewer(Role.ADMIN)
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))

# Everything of ours in the schema: what belongs to an extension is PostGIS's.
OURS = """
    SELECT c.oid, c.relname, c.relkind FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


@pytest.fixture(scope="module")
def untouched(new_database: "Callable[[], Database]") -> "Database":
    """An empty database for the tests that change nothing."""
    return new_database()


def names(database: "Database", condition: str) -> set[str]:
    with database.serving.connect() as connection:
        assert connection.scalar(text("SELECT session_user")) == SERVING_LOGIN
        return set(connection.execute(text(f"SELECT relname FROM ({OURS}) c WHERE {condition}")).scalars())


def test_of_base_tables_only_the_levels_and_the_state_can_be_read(database: "Database") -> None:
    assert {"place", "offer", "release", "audit", "alembic_version"} <= names(database, "relkind IN ('r', 'p')")
    readable = names(database, "relkind IN ('r', 'p', 'm', 'f') AND has_any_column_privilege(oid, 'SELECT')")
    assert readable == {"level", "instance_state"}


def test_nothing_can_be_written_but_lines_of_the_record(database: "Database") -> None:
    relations = "relkind IN ('r', 'p', 'm', 'f', 'v') AND "
    assert names(database, relations + "has_any_column_privilege(oid, 'INSERT')") == {"audit"}
    for right in ("UPDATE", "REFERENCES"):
        assert names(database, relations + f"has_any_column_privilege(oid, '{right}')") == set()
    for right in ("DELETE", "TRUNCATE", "TRIGGER"):
        assert names(database, relations + f"has_table_privilege(oid, '{right}')") == set()
    with database.serving.connect() as connection:
        assert not connection.scalar(text("SELECT has_schema_privilege('public', 'CREATE')"))
        columns = connection.execute(
            text("""
                SELECT attname FROM pg_attribute WHERE attrelid = 'audit'::regclass AND attnum > 0
                AND has_column_privilege('audit', attnum, 'INSERT')
            """)
        ).scalars()
        assert set(columns) == {"viewer", "action", "detail"}


def test_the_serving_login_is_a_plain_member_of_the_reading_group(database: "Database") -> None:
    with database.serving.connect() as connection:
        row = connection.execute(
            text("""
                SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication
                FROM pg_roles WHERE rolname = current_user
            """)
        ).one()
        groups = connection.execute(
            text("""
                SELECT rolname FROM pg_roles
                WHERE rolname LIKE 'srk%' AND rolname <> current_user AND pg_has_role(current_user, oid, 'MEMBER')
            """)
        ).scalars()
        assert tuple(row) == (False,) * 5
        assert set(groups) == {"srk_read"}
        elevated = connection.execute(
            text("SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace")
        ).scalars()
        assert [name for name in elevated if name.startswith("srk_")] == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT geom FROM place",
        "SELECT count(*) FROM offer",
        "SELECT * FROM release",
        "SELECT * FROM audit",
        "SELECT report FROM import_run",
        "SELECT * FROM facility_area",
        "INSERT INTO level (level, title) VALUES ('x', 'X')",
        "UPDATE instance_state SET data_version = 99",
        "DELETE FROM release",
        "DELETE FROM audit",
        "UPDATE schema_revision SET version_num = 'x'",
        "INSERT INTO audit (at, viewer, action) VALUES (now(), 'x', 'x')",
        "SET ROLE srk_write",
        "SET ROLE srk_owner",
        "CREATE TABLE mine (x int)",
    ],
)
def test_the_serving_login_is_refused(untouched: "Database", statement: str) -> None:
    with untouched.serving.connect() as connection:
        with pytest.raises(DBAPIError) as refused:
            connection.execute(text(statement))
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_the_serving_login_cannot_write_as_an_importer(database: "Database") -> None:
    def write() -> None:
        with writing(database.serving) as session:
            session.execute(text("DELETE FROM release"))

    with pytest.raises(DatabaseStateError, match="SRK_ADMIN_DATABASE_URL") as refused:
        write()
    cause = refused.value.__cause__
    assert isinstance(cause, DBAPIError)
    assert isinstance(cause.orig, psycopg.errors.InsufficientPrivilege)


def test_the_record_can_be_written_and_not_read(database: "Database") -> None:
    record(database.serving, PLANNER, "intern", {"request": "/x?q='ä"})
    with writing(database.writing) as session:
        lines = session.execute(text("SELECT viewer, action, detail FROM audit")).all()
    assert [tuple(line) for line in lines] == [(PLANNER.scope(), "intern", {"request": "/x?q='ä"})]


def one_protected_house(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "public", (600, 300), "public")
        rows.house(made, "protected", (610, 300), "protected")
        rows.link()


OFFERS = text("SELECT offer_id FROM offer_visible ORDER BY offer_id")


@pytest.mark.parametrize("viewer", [ADMIN, PLANNER, Viewer(Role.PROVIDER, provider_key="t1")], ids=lambda v: v.role)
@pytest.mark.parametrize("ending", ["well", "badly", "committed"])
def test_a_viewer_s_eyes_do_not_outlive_the_transaction(database: "Database", viewer: Viewer, ending: str) -> None:
    one_protected_house(database)
    engine = make_engine(database.serving_url, pool_size=1)

    def look() -> None:
        with reading(engine, Access(viewer, "bezirk"), statement_timeout_ms=4321) as session:
            assert session.execute(OFFERS).scalars().all() == ["protected", "public"]
            if ending == "committed":
                session.commit()
            if ending == "badly":
                raise ZeroDivisionError

    try:
        with engine.connect() as connection:
            first = connection.scalar(text("SELECT pg_backend_pid()"))
        if ending == "badly":
            with pytest.raises(ZeroDivisionError):
                look()
        else:
            look()
        with Session(engine) as session:
            assert session.scalar(text("SELECT pg_backend_pid()")) == first, "the same connection came back"
            assert session.scalar(text("SELECT current_user")) == SERVING_LOGIN
            assert session.execute(OFFERS).scalars().all() == ["public"]
            assert session.scalar(text("SHOW statement_timeout")) != "4321ms"
            for name in ("viewer_role", "viewer_provider", "viewer_areas", "release_level"):
                assert not session.scalar(text(f"SELECT current_setting('srk.{name}', true)"))
        with reading(engine) as session:
            assert session.scalar(text("SELECT pg_backend_pid()")) == first
            assert session.execute(OFFERS).scalars().all() == ["public"]
    finally:
        engine.dispose()


def test_two_transactions_of_one_session_both_have_their_eyes(database: "Database") -> None:
    one_protected_house(database)
    with reading(database.serving, Access(ADMIN)) as session:
        assert len(session.execute(OFFERS).all()) == 2
        session.rollback()
        assert len(session.execute(OFFERS).all()) == 2
        assert session.scalar(text("SELECT current_user")) == "srk_read"


@pytest.mark.parametrize("role", [None, "", "public", "planer", "ADMIN", "admin "])
def test_an_unset_empty_or_unknown_role_is_the_public(database: "Database", role: str | None) -> None:
    one_protected_house(database)
    engine = make_engine(database.serving_url, pool_size=1)
    try:
        with engine.begin() as connection:
            if role is not None:
                connection.execute(text("SELECT set_config('srk.viewer_role', :role, true)"), {"role": role})
            assert connection.execute(OFFERS).scalars().all() == ["public"]
    finally:
        engine.dispose()


def test_a_provider_without_key_owns_nothing_not_even_places_without_provider(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.place(made, "orphan", (600, 300), provider=None, provider_key=None)
        rows.offer(made, "orphan", "orphan", "internal")
    for key in (None, "", "t1"):
        with reading(database.serving, Access(Viewer(Role.PROVIDER, provider_key=key))) as session:
            assert session.execute(OFFERS).all() == []
    with reading(database.serving, Access(ADMIN)) as session:
        assert session.execute(OFFERS).scalars().all() == ["orphan"]


def test_a_reading_session_cannot_write(database: "Database") -> None:
    for engine in (database.serving, database.writing):
        with reading(engine) as session:
            with pytest.raises(DBAPIError) as refused:
                session.execute(text("INSERT INTO audit (viewer, action) VALUES ('x', 'x')"))
            assert isinstance(refused.value.orig, psycopg.errors.ReadOnlySqlTransaction)
    record(database.serving, ADMIN, "after", {})
    with writing(database.writing) as session:
        assert session.scalar(text("SELECT count(*) FROM audit")) == 1


def test_a_reading_session_sees_one_moment(database: "Database") -> None:
    with reading(database.serving, Access(ADMIN)) as session:
        assert session.execute(OFFERS).all() == []
        one_protected_house(database)
        assert session.execute(OFFERS).all() == []
    with reading(database.serving, Access(ADMIN)) as session:
        assert len(session.execute(OFFERS).all()) == 2


def test_a_question_that_takes_too_long_is_cut_short_and_named(database: "Database") -> None:
    def ask() -> None:
        with reading(database.serving, statement_timeout_ms=50) as session:
            session.execute(text("SELECT pg_sleep(20)"))

    with pytest.raises(QueryTimeoutError, match="zu lange gedauert"):
        ask()
    with reading(database.serving) as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_a_writing_transaction_leaves_no_trace_when_it_fails(database: "Database") -> None:
    def fail() -> None:
        with rows_in(database.writing) as rows:
            rows.city()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with writing(database.writing) as session:
        assert session.scalar(text("SELECT count(*) FROM level")) == 0
