"""Who reads what of an import report, and the migration that lets it be read."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hand_rows import FACILITIES, TODAY, Rows, rows_in
from sqlalchemy import Engine, text

from geodata.cluster import Cluster
from geodata.database import Access, make_engine, reading
from geodata.datasets import datasets, never_loaded
from geodata.errors import NotFoundError
from geodata.import_reports import State, import_report, imports
from geodata.migrate import SERVING_LOGIN, downgrade, migrate
from geodata.viewer import Role, Viewer
from importers.report import Report

if TYPE_CHECKING:
    from conftest import Database

ADMIN = Viewer(Role.ADMIN)
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
HOME = "Geheimweg 7"  # the address of a protected home
COUNTS = {"rows_read": 3, "rows_loaded": 2, "rows_rejected": 1}
RAW = text("SELECT * FROM import_run ORDER BY id")


def report() -> dict[str, Any]:
    """A report that tells of a protected home wherever a report may."""
    made = Report(FACILITIES, "facilities", "liste.xlsx", checksum="c", format="XLSX", rows_read=3, rows_loaded=2)
    made.reject(4, "street", HOME, f"„{HOME}“ wurde nicht gefunden.", f"Bitte „{HOME}“ prüfen.")
    made.warn(f"„{HOME}“ steht zweimal da.", row=2)
    made.info(f"{HOME} ist geschützt.", value=HOME)
    made.counts["Fälle"] = 2
    return made.to_json()


def imported(rows: Rows, told: object) -> int:
    """Write an import with a report, as the importers do."""
    version = rows.version(FACILITIES, "facilities")
    rows.session.execute(
        text("""
            UPDATE import_run SET report = CAST(:report AS jsonb), source = 'liste.xlsx', as_of = '2026-03-31',
                   rows_read = 3, rows_loaded = 2, rows_rejected = 1 WHERE id = :id
        """),
        {"report": orjson.dumps(told).decode(), "id": version},
    )
    return version


def test_administrators_read_it_all_and_planners_the_counts(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        version = imported(rows, report())
    with reading(database.serving, Access(ADMIN)) as session:
        row, whole = import_report(session, version)
    assert whole == report()
    with reading(database.serving, Access(PLANNER)) as session:
        hers, counted = import_report(session, version)
        everything = session.execute(text("SELECT v::text FROM import_visible v")).scalars().all()
    assert hers == row
    assert {name: getattr(row, name) for name in COUNTS} == COUNTS
    assert (row.source, f"{row.as_of}") == ("liste.xlsx", "2026-03-31")
    assert counted == {name: value for name, value in whole.items() if name not in {"findings", "reasons", "counts"}}
    assert COUNTS.items() <= counted.items()
    assert len(everything) == 1
    assert "Geheimweg" not in everything[0]
    assert "Geheimweg" in str(whole), "there is something to hide"


def test_what_a_later_report_may_hold_is_not_the_planners(database: "Database") -> None:
    for told in (report() | {"homes": [HOME]}, [HOME], HOME, None, {}):
        with rows_in(database.writing) as rows:
            version = imported(rows, told)
        with reading(database.serving, Access(PLANNER)) as session:
            _row, counted = import_report(session, version)
        assert isinstance(counted, dict)
        assert "Geheimweg" not in str(counted)
        assert "homes" not in counted


@pytest.mark.parametrize("viewer", [None, Viewer(Role.PROVIDER, provider_key="t1")], ids=["public", "provider"])
def test_nobody_else_sees_an_import(database: "Database", viewer: Viewer | None) -> None:
    with rows_in(database.writing) as rows:
        version = imported(rows, report())
    with reading(database.serving, Access(viewer) if viewer else None) as session:
        assert imports(session, FACILITIES) == []
        assert session.scalar(text("SELECT count(*) FROM import_visible")) == 0
        with pytest.raises(NotFoundError, match="gibt es nicht"):
            import_report(session, version)


def test_the_versions_of_a_dataset_newest_first(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        made = [imported(rows, report()) for _ in range(3)]
    with reading(database.serving, Access(PLANNER)) as session:
        listed = imports(session, FACILITIES)
    assert [row.import_id for row in listed] == made[::-1]
    assert [row.state for row in listed] == [State.VISIBLE, State.BEFORE, State.GONE]


def failing(rows: Rows) -> None:
    """A dataset whose source cannot be renewed and one that never came in, with reasons that quote a row."""
    rows.version(FACILITIES, "facilities")
    for name in (FACILITIES, "facilities.neu"):
        rows.insert("source_state", dataset=name, failure=f"„liste.csv“ hat keine Spalte „name“. Vorhanden: {HOME}.")
    rows.session.execute(text("UPDATE source_state SET failed_at = now()"))


@pytest.mark.parametrize(
    ("viewer", "told"),
    [(ADMIN, True), (PLANNER, False), (Viewer(Role.PROVIDER, provider_key="t1"), False), (None, False)],
    ids=["admin", "planner", "provider", "public"],
)
def test_why_a_source_failed_is_the_administrators_to_know(
    database: "Database", viewer: Viewer | None, told: bool
) -> None:
    with rows_in(database.writing) as rows:
        failing(rows)
    with reading(database.serving, Access(viewer) if viewer else None) as session:
        (row,) = datasets(session, on=TODAY).rows
        (never,) = never_loaded(session)
        views = [session.execute(text(f"SELECT v::text FROM {view} v")).scalars().all()
                 for view in ("dataset_visible", "source_state_visible")]  # fmt: skip
    assert row.failed_at is not None, "that it failed is no secret"
    assert (never.dataset, never.failed_at is not None) == ("facilities.neu", True)
    assert [HOME in str(one.failure) for one in (row, never)] == [told, told]
    assert [HOME in str(view) for view in views] == [told, told]


def test_a_source_that_came_in_is_not_among_those_that_never_did(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        failing(rows)
        rows.version("facilities.neu", "facilities")
        rows.insert("source_state", dataset="areas.gut", checked_at=datetime.now(UTC))
    with reading(database.serving, Access(ADMIN)) as session:
        assert never_loaded(session) == []


@pytest.fixture
def fifth(cluster: Cluster) -> Iterator[tuple[str, Engine, Engine]]:
    """A database at the revision before, with engines to write and to read it as the service does."""
    name = f"srk_m_{uuid.uuid4().hex[:10]}"
    with cluster.connect("postgres") as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = cluster.url(name)
    migrate(url, "0005")
    engines = make_engine(url), make_engine(cluster.url(name, SERVING_LOGIN))
    yield url, *engines
    for engine in engines:
        engine.dispose()
    with cluster.connect("postgres") as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def test_reports_and_addresses_come_and_go_with_their_migrations(fifth: tuple[str, Engine, Engine]) -> None:
    url, engine, serving = fifth
    addresses = text("SELECT street, house_number FROM address_visible ORDER BY number")
    with rows_in(engine) as rows:
        version = imported(rows, report())
        rows.insert("source_state", dataset=FACILITIES, failure=HOME)
        listed = rows.version("addresses", "addresses")
        rows.session.execute(
            text("""
                INSERT INTO address (import_id, number, street, house_number, street_plain, number_plain, geom)
                VALUES (:id, 1, 'Übungsweg', '7', 'uebungsweg', '7', 'SRID=25832;POINT(565000 5935000)')
            """),
            {"id": listed},
        )
        raw = rows.session.execute(RAW).all()

    def seen() -> tuple[Any, Any]:
        with reading(serving, Access(PLANNER)) as session:
            told = import_report(session, version)
        with reading(serving) as session:
            return told, session.execute(addresses).all()

    def failures() -> tuple[Any, Any]:
        with reading(serving, Access(PLANNER)) as session:
            return tuple(session.scalar(text(f"SELECT failure FROM {view} WHERE dataset = :name"), {"name": FACILITIES})
                         for view in ("dataset_visible", "source_state_visible"))  # type: ignore[return-value]  # fmt: skip

    assert failures() == (HOME, HOME)
    migrate(url)
    assert failures() == (None, None)
    first = seen()
    assert "findings" not in first[0][1]
    assert [tuple(row) for row in first[1]] == [("Übungsweg", "7")]
    for revision, gone in (("0006", ["address_visible"]), ("0005", ["address_visible", "import_visible"])):
        downgrade(url, revision)
        with engine.connect() as connection:
            assert connection.execute(RAW).all() == raw
            assert connection.scalar(text("SELECT count(*) FROM address")) == 1
            for view in ("address_visible", "import_visible"):
                there = connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": view})
                assert there == (view not in gone)
    assert failures() == (HOME, HOME)
    migrate(url)
    assert failures() == (None, None)
    assert seen() == first
