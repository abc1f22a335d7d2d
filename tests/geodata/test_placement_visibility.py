"""Who reads which counts of placements: everyone the published ones, an office its own as they are."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg.errors
import pytest
from hand_rows import rows_in
from placement_town import build, derive, place
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geodata.database import Access, reading
from geodata.viewer import PUBLIC, Role, Version, Viewer

if TYPE_CHECKING:
    from conftest import Database

ADMIN = Viewer(Role.ADMIN)
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
PROVIDER = Viewer(Role.PROVIDER, provider_key="t1")

Cell = tuple[str, str, str, str]

BY_OFFICE = {
    ("bezirk", "1", "zustaendig"): {"Hamburg": 50, "Bayern": 1, "Hessen": 2, "Bremen": 20},
    ("bezirk", "2", "zustaendig"): {"Hamburg": 60, "Bayern": 12, "Hessen": 1, "Bremen": 15},
    ("bezirk", "3", "zustaendig"): {"Hamburg": 70, "Bayern": 14, "Hessen": 11, "Bremen": 2},
}
BY_ORIGIN = {
    ("stadtteil", "11", "herkunft"): {"Hamburg": 20, "Bayern": 1, "Hessen": 1},
    ("stadtteil", "21", "herkunft"): {"Hamburg": 20, "Bayern": 1},
    ("stadtteil", "22", "herkunft"): {"Hamburg": 20, "Bayern": 10},
    ("statgebiet", "111", "herkunft"): {"Hamburg": 9},
    ("statgebiet", "211", "herkunft"): {"Hamburg": 9},
}


@pytest.fixture(scope="module")
def town(new_database: "Callable[[], Database]") -> "Database":
    made = new_database()
    build(made.writing)
    with rows_in(made.writing) as rows:
        version = place(rows, {**BY_OFFICE, **BY_ORIGIN})
        place(rows, {("bezirk", "1", "zustaendig"): {"Hamburg": 40}}, period="2021-09", version=version)
        rows.insert("placement", import_id=version, level="stadtteil", area_key="12", area_role="herkunft",
                    period="2021-Q3", paragraph="34", counting="stichtag", provider_state="Hamburg", cases=4,
                    provider_area_level="stadtteil", provider_area_key="12")  # fmt: skip
        derive(rows)
    return made


def seen(town: "Database", viewer: Viewer, period: str = "2021-Q3") -> dict[Cell, int | None]:
    with reading(town.serving, Access(viewer)) as session:
        found = session.execute(
            text("SELECT level, area_key, category, value, suppressed FROM placement_visible WHERE period = :period"),
            {"period": period},
        ).all()
    assert all((row.value is None) == row.suppressed for row in found)
    return {(row.level, row.area_key, row.category): row.value for row in found}


@pytest.mark.parametrize("viewer", [PUBLIC, PROVIDER, Viewer(Role.PLANNER), PLANNER.seeing(Version.PUBLISHED)])
def test_everyone_reads_published_counts_and_no_small_one(town: "Database", viewer: Viewer) -> None:
    found = seen(town, viewer)
    assert found == seen(town, PUBLIC)
    assert not [value for value in found.values() if value is not None and 0 < value < 3]
    small = [(level, key, state) for (level, key, _role), states in BY_OFFICE.items()
             for state, cases in states.items() if 0 < cases < 3]  # fmt: skip
    assert len(small) == 4
    assert all(found[cell] is None for cell in small)
    assert found["bezirk", "1", "Hamburg"] == 50
    assert {level for level, _key, _category in found} == {"land", "bezirk", "stadtteil"}
    # By origin no single state, and nothing below the levels that are published.
    assert {category for level, _key, category in found if level == "stadtteil"} <= {
        "Hamburg", "außerhalb", "ohne Angabe", "gesamt"}  # fmt: skip
    assert seen(town, viewer, "2021-09") == {}


def test_a_planner_reads_the_own_areas_as_they_are(town: "Database") -> None:
    found, public = seen(town, PLANNER), seen(town, PUBLIC)
    assert {state: found["bezirk", "1", state] for state in ("Hamburg", "Bayern", "Hessen", "Bremen")} == {
        "Hamburg": 50, "Bayern": 1, "Hessen": 2, "Bremen": 20}  # fmt: skip
    assert (found["stadtteil", "11", "Hessen"], found["stadtteil", "11", "außerhalb"]) == (1, 2)
    assert found["statgebiet", "111", "gesamt"] == 9
    elsewhere = {cell for cell in found if not cell[1].startswith("1")}
    assert {cell: found[cell] for cell in elsewhere} == {cell: public[cell] for cell in public if cell in elsewhere}
    assert not [cell for cell in elsewhere if cell[0] == "statgebiet"]
    assert seen(town, PLANNER, "2021-09") == {
        ("bezirk", "1", "Hamburg"): 40, ("bezirk", "1", "gesamt"): 40}  # fmt: skip


def test_an_admin_reads_everything_as_it_is(town: "Database") -> None:
    found = seen(town, ADMIN)
    assert None not in found.values()
    for (level, key, _role), states in {**BY_OFFICE, **BY_ORIGIN}.items():
        for state, cases in states.items():
            assert found[level, key, state] == cases
        assert found[level, key, "gesamt"] == sum(states.values())
        assert found.get((level, key, "außerhalb"), 0) == sum(states.values()) - states["Hamburg"]
    assert found["land", "02", "Hessen"] == 14


@pytest.mark.parametrize(("viewer", "rows"), [(PUBLIC, 0), (PROVIDER, 0), (Viewer(Role.PLANNER), 0), (PLANNER, 1),
                                              (Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),)), 0),
                                              (ADMIN, 1)])  # fmt: skip
def test_how_near_young_people_live_is_the_own_office_s(town: "Database", viewer: Viewer, rows: int) -> None:
    with reading(town.serving, Access(viewer)) as session:
        assert len(session.execute(text("SELECT * FROM placement_near_visible")).all()) == rows


def test_what_only_offices_have_is_not_even_named(town: "Database") -> None:
    def levels(viewer: Viewer) -> set[tuple[str, str]]:
        with reading(town.serving, Access(viewer)) as session:
            return {tuple(row) for row in session.execute(text("SELECT level, period FROM placement_sheet_visible"))}

    assert levels(PUBLIC) == {(level, "2021-Q3") for level in ("land", "bezirk", "stadtteil")}
    assert levels(PLANNER) == levels(ADMIN) == levels(PUBLIC) | {("statgebiet", "2021-Q3"), ("bezirk", "2021-09")}
    assert levels(Viewer(Role.PLANNER)) == levels(PUBLIC)


@pytest.mark.parametrize(
    "table", ["placement_rule", "placement_pattern", "placement_sheet", "placement_cell", "placement_near"]
)
def test_the_tables_themselves_are_closed(town: "Database", table: str) -> None:
    with town.serving.connect() as connection:
        with pytest.raises(DBAPIError) as refused:
            connection.execute(text(f"SELECT * FROM {table}"))
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_a_count_is_found_by_its_key(town: "Database") -> None:
    for viewer in (PUBLIC, PLANNER, ADMIN):
        with reading(town.serving, Access(viewer)) as session:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = "\n".join(
                session.execute(
                    text("""
                        EXPLAIN SELECT * FROM placement_visible WHERE level = 'bezirk' AND area_role = 'zustaendig'
                        AND paragraph = '34' AND counting = 'stichtag' AND period = '2021-Q3'
                    """)
                ).scalars()
            )
        assert "placement_cell_pkey" in plan
