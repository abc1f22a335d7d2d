"""Who sees which figures: residents everyone, counts of helps the own office only, and of two equal ones the better."""

from typing import TYPE_CHECKING, Any

import pytest
from hand_rows import rows_in
from sqlalchemy import text

from geodata.database import Access, reading
from geodata.viewer import PUBLIC, Role, Version, Viewer

if TYPE_CHECKING:
    from conftest import Database

ADMIN = Viewer(Role.ADMIN)
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
PROVIDER = Viewer(Role.PROVIDER, provider_key="t1")


@pytest.fixture
def figures(database: "Database") -> "Database":
    """Bezirk 1 with Stadtteil 11, Bezirk 2 with 21; residents, cases, and an office's own table of people."""
    with rows_in(database.writing) as rows:
        rows.level("bezirk")
        rows.level("stadtteil", "bezirk")
        areas = rows.version("areas.hand", "areas")
        for key in ("1", "2"):
            rows.area(areas, "bezirk", key, None)
            rows.area(areas, "stadtteil", f"{key}1", None, ("bezirk", key))
            rows.area(areas, "stadtteil", f"{key}2", None, ("bezirk", key))
        rows.insert("merged_area", level="stadtteil", key="11+12", name="Elf/Zwölf", members=["11", "12"])
        rows.insert("merged_area", level="stadtteil", key="12+21", name="Zwölf/Einundzwanzig", members=["12", "21"])
        for name, columns in {
            "statistics.amt": {},
            "statistics.hilfen": {"unit": "hilfen"},
            "statistics.intern": {"release": "internal"},
        }.items():
            version = rows.version(name, "statistics")
            for column, value in columns.items():
                rows.session.execute(
                    text(f"UPDATE import_run SET {column} = :value WHERE id = :id"), {"value": value, "id": version}
                )
            for level, key in (("bezirk", "1"), ("bezirk", "2"), ("stadtteil", "11"), ("stadtteil", "21"),
                               ("stadtteil", "11+12"), ("stadtteil", "12+21"), ("stadtteil", "ohne")):  # fmt: skip
                for indicator in ("population", "cases") if name == "statistics.amt" else ("betreute",):
                    rows.insert("observation", import_id=version, level=level, area_key=key, indicator=indicator,
                                position="total", period="2024", value=10, flag="ok", starts="2024-01-01",
                                ends="2024-12-31")  # fmt: skip
    return database


def seen(database: "Database", viewer: Viewer) -> set[tuple[str, str, str]]:
    with reading(database.serving, Access(viewer)) as session:
        found = session.execute(text("SELECT dataset, indicator, area_key FROM observation_visible"))
        return {tuple(row) for row in found}


EVERYWHERE = {"1", "2", "11", "21", "11+12", "12+21", "ohne"}
OPEN = {("statistics.amt", "population", key) for key in EVERYWHERE}
CLOSED = {("statistics.amt", "cases"), ("statistics.hilfen", "betreute"), ("statistics.intern", "betreute")}


@pytest.mark.parametrize("viewer", [PUBLIC, PROVIDER, Viewer(Role.PLANNER), PLANNER.seeing(Version.PUBLISHED)])
def test_counts_of_helps_and_internal_figures_are_not_for_everyone(figures: "Database", viewer: Viewer) -> None:
    assert seen(figures, viewer) == OPEN


def test_a_planner_sees_the_own_areas_and_what_is_merged_of_them(figures: "Database") -> None:
    own = {(dataset, indicator, key) for dataset, indicator in CLOSED for key in ("1", "11", "11+12")}
    assert seen(figures, PLANNER) == OPEN | own


def test_an_admin_sees_all(figures: "Database") -> None:
    everything = {(dataset, indicator, key) for dataset, indicator in CLOSED for key in EVERYWHERE}
    assert seen(figures, ADMIN) == OPEN | everything


def test_the_better_ranked_of_two_datasets_is_shown(figures: "Database") -> None:
    def values() -> list[tuple[Any, ...]]:
        with reading(figures.serving) as session:
            return [
                tuple(row)
                for row in session.execute(
                    text("""
                        SELECT dataset, area_key, value FROM observation_visible
                        WHERE indicator = 'population' AND area_key IN ('1', '2') ORDER BY 1, 2
                    """)
                )
            ]

    with rows_in(figures.writing) as rows:
        other = rows.version("statistics.zensus", "statistics")
        rows.insert("observation", import_id=other, level="bezirk", area_key="1", indicator="population",
                    position="total", period="2024", value=12, flag="ok", starts="2024-01-01",
                    ends="2024-12-31")  # fmt: skip
    assert [row[0] for row in values()] == ["statistics.amt", "statistics.amt", "statistics.zensus"]
    with rows_in(figures.writing) as rows:
        catalogue = rows.version("catalogue", "catalogue")
        rows.insert("dataset_rank", import_id=catalogue, dataset="statistics.zensus", rank=1)
        rows.insert("dataset_rank", import_id=catalogue, dataset="statistics.amt", rank=2)
    assert values() == [("statistics.amt", "2", 10.0), ("statistics.zensus", "1", 12.0)]


def test_split_figures_stand_beside_the_merged_one_as_estimated(figures: "Database") -> None:
    with rows_in(figures.writing) as rows:
        version = rows.session.execute(
            text("SELECT current_import_id FROM dataset WHERE name = 'statistics.amt'")
        ).scalar_one()
        for key, value in (("11", 4), ("12", 6)):
            rows.insert("observation_split", import_id=version, level="stadtteil", area_key=key,
                        indicator="population", position="total", period="2024", scenario="ist",
                        merged_key="11+12", value=value)  # fmt: skip
        # Stadtteil 11 has a published figure of its own: it needs no estimate.
    with reading(figures.serving) as session:
        found = session.execute(
            text("SELECT area_key, value, flag FROM observation_visible WHERE merged_key = '11+12' ORDER BY 1")
        ).all()
    assert [tuple(row) for row in found] == [("12", 6.0, "estimated")]
