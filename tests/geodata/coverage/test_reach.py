"""Reach and catchment asked of a little town: by straight line and on a little network, for every viewer."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from coverage_town import CELLS, answer, asked, changed, people, residents
from hand_rows import FACILITIES, Rows, rows_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from test_network import lay

from geodata.ages import Ages
from geodata.coverage import answer as coverage_answer
from geodata.coverage.request import Pace
from geodata.database import writing
from geodata.errors import ConflictError, ParameterError
from geodata.network import snap_cells, snap_facilities
from geodata.viewer import Role, Viewer

if TYPE_CHECKING:
    from conftest import Database

YOUNG = {"age_from": 10, "age_to": 18}
OFFICE = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
# A road along y = 500 from west to east, one up to the northern cell in the west, and a piece with no way to it.
SPOTS = [(500, 500), (1500, 500), (2500, 500), (3500, 500), (500, 1500), (3500, 1500), (3500, 1600)]
EDGES = [(0, 1, 1000, True, True, True), (1, 2, 1200, True, True, False), (2, 3, 1000, True, True, True),
         (0, 4, 1100, True, True, True), (5, 6, 100, True, True, True)]  # fmt: skip


def house(rows: Rows, made: int, name: str, at: tuple[float, float], release: str = "public", **more: Any) -> None:
    rows.house(
        made, name, at, release, **({"age_from": 10, "age_to": 18, "supply": 20, "supply_unit": "places"} | more)
    )


@pytest.fixture(scope="module")
def town(new_database: "Callable[[], Database]") -> "Database":
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        people(rows)
        made = rows.version(FACILITIES, "facilities")
        house(rows, made, "west", (500, 500))
        house(rows, made, "home", (1500, 1500), "internal")
        house(rows, made, "by-area", (1500, 1400), "area_only")
        rows.link()
    return database


@pytest.fixture(scope="module")
def walked(new_database: "Callable[[], Database]") -> "Database":
    """The same people with a network; the houses stand in the west and by the piece that is cut off."""
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        cells = {key: cell for key, cell in CELLS.items() if key}
        people(rows, cells)
        made = rows.version(FACILITIES, "facilities")
        house(rows, made, "west", (500, 480))
        house(rows, made, "nowhere", (3900, 1900), category="kita", age_from=14)
        rows.link()
        lay(rows, SPOTS, EDGES)
    with writing(database.writing) as session:
        snap_cells(session)
        snap_facilities(session)
    return database


def test_by_straight_line(town: "Database") -> None:
    """The only house the public may go to is in the west: 1,000 m are 1,300 m of way, at 80 m a minute 16.25 min."""
    got = answer(town.serving, measure="reach", minutes=17, level="statgebiet", **YOUNG)
    rows = {row.area_key: row for row in got.rows}
    assert [key for key, row in rows.items() if row.reached] == ["111", "112", "121"]
    assert rows["111"].nearest_m == 0
    assert rows["112"].nearest_m == pytest.approx(1300, rel=1e-12)
    assert rows["122"].nearest_m is None  # nobody of these ages lives there
    assert rows["222"].nearest_m == pytest.approx(1.3 * math.hypot(3000, 1000), rel=1e-12)
    for row in got.rows:
        assert (row.reached or 0) + (row.not_reached or 0) == row.population
        assert row.reach_share == (row.reached / row.population if row.population else None)
    assert got.meta.warnings.count("Es ist kein Wegenetz geladen; Entfernungen sind Luftlinien mal 1,3.") == 1


def test_within_means_up_to_and_including(town: "Database") -> None:
    """At 4.8 km/h and 1.6 times the line, 1,000 m are exactly 20 minutes."""
    pace = Pace(detour_factor=1.6)
    for minutes, there in ((19, 0), (20, 40)):
        rows = asked(town.serving, measure="reach", minutes=minutes, level="statgebiet", pace=pace, **YOUNG)
        assert rows["112"].reached == there


def test_an_explicit_network_that_is_not_loaded_is_refused(town: "Database") -> None:
    for mode in ("walk", "bike"):
        with pytest.raises(ConflictError, match=r"kein Wegenetz geladen.*mal 1,3"):
            asked(town.serving, measure="reach", mode=mode, **YOUNG)
    rows = answer(town.serving, measure="reach", mode="line", **YOUNG)
    assert not any("Wegenetz geladen" in sentence for sentence in rows.meta.warnings)


@pytest.mark.parametrize("measure", ["reach", "catchment"])
@pytest.mark.parametrize("level", ["stadtteil", "statgebiet"])
def test_no_distance_gives_an_unpublished_home_away(
    new_database: "Callable[[], Database]", measure: str, level: str
) -> None:
    """Wherever the unpublished houses stand in their Stadtteil, the public's answer is the same."""
    answers = []
    for at in ((1500, 1500), (1100, 300)):
        database = new_database()
        with rows_in(database.writing) as rows:
            rows.city()
            people(rows)
            made = rows.version(FACILITIES, "facilities")
            house(rows, made, "west", (500, 500))
            house(rows, made, "home", at, "internal")
            house(rows, made, "by-area", at, "area_only")
            rows.link()
        public = asked(database.serving, measure=measure, level=level, mode="line", **YOUNG)
        office = asked(database.serving, OFFICE, measure=measure, level=level, mode="line", **YOUNG)
        answers.append((public, office))
    assert answers[0][0] == answers[1][0]
    assert answers[0][1] != answers[1][1]  # the office sees its own


def test_on_the_network(walked: "Database") -> None:
    got = answer(walked.serving, measure="reach", minutes=14, level="statgebiet", **YOUNG)
    rows = {row.area_key: row for row in got.rows}
    metres = {"111": 20, "112": 1120, "121": 1020, "211": 2220}  # the 20 m from the house to the road are walked too
    assert {key: rows[key].nearest_m for key in metres} == pytest.approx(metres, rel=1e-12)
    assert {key for key, row in rows.items() if row.reached} == {"111", "112", "121"}  # 1,120 m are 14 minutes
    # Cells that are off the road walk to it: 212 is 1,000 m north of the road.
    assert rows["212"].nearest_m == pytest.approx(2220 + 1000, rel=1e-12)
    cut_off = rows["222"]
    assert (cut_off.unconnected, cut_off.nearest_m, cut_off.reached) == (80, None, 0)
    assert sum(row.unconnected or 0 for row in got.rows) == 80
    (said,) = [sentence for sentence in got.meta.warnings if "keine Verbindung" in sentence]
    assert said == ("Ein bewohnter Punkt der Karte (80 Personen in statgebiet 222) hat über das Wegenetz keine "
                    "Verbindung zu einer Einrichtung.")  # fmt: skip
    assert "network" in {source.dataset for source in got.meta.sources}


def test_bicycles_keep_to_one_way_streets(walked: "Database") -> None:
    """The stretch from 121 to 211 may be cycled eastwards only; the house lies west of both."""
    rows = asked(walked.serving, measure="reach", mode="bike", minutes=60, level="statgebiet", **YOUNG)
    assert rows["121"].nearest_m == pytest.approx(1020, rel=1e-12)
    assert (rows["211"].nearest_m, rows["211"].unconnected) == (None, 40)


def test_a_place_that_nobody_can_get_to_is_named(new_database: "Callable[[], Database]") -> None:
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        people(rows, {"111": CELLS["111"]})
        made = rows.version(FACILITIES, "facilities")
        house(rows, made, "island", (3500, 1590))
        rows.place(made, "mapless", None)
        rows.offer(made, "mapless", "mapless", age_from=10, age_to=18)
        rows.link()
        lay(rows, SPOTS, EDGES)
    with writing(database.writing) as session:
        snap_cells(session)
        snap_facilities(session)
    said = answer(database.serving, measure="reach", **YOUNG).meta.warnings
    assert "Über das Wegenetz nicht zu erreichen: Haus island." in said
    assert "Eine Einrichtung ohne gezeigten Standort nimmt an Wegen nicht teil." in said


def test_nothing_to_go_to(walked: "Database") -> None:
    got = answer(walked.serving, measure="reach", categories=("jsa",), **YOUNG)
    assert {(row.reached, row.nearest_m) for row in got.rows} == {(0, None)}
    assert {row.reach_share for row in got.rows if row.population} == {0}


def test_catchment_by_hand(walked: "Database") -> None:
    """One house, 15 minutes (1,200 m): 111 at 20 m, 121 at 1,020 m, 112 at 1,120 m; weights 1, 0.22, 0.22."""
    rows = asked(walked.serving, measure="catchment", minutes=15, level="statgebiet", **YOUNG)
    competing = 80 + 0.22 * 20 + 0.22 * 40
    assert rows["111"].access_index == pytest.approx(1000 * 20 / competing, rel=1e-12)
    assert rows["112"].access_index == pytest.approx(0.22 * 1000 * 20 / competing, rel=1e-12)
    assert rows["211"].access_index == 0
    assert rows["122"].access_index is None  # nobody of these ages
    stadtteil = asked(walked.serving, measure="catchment", minutes=15, **YOUNG)["11"]
    assert stadtteil.access_index == pytest.approx(1000 * 20 / competing * (80 + 0.22 * 40) / 120, rel=1e-12)


def test_one_catchment_over_everything(town: "Database") -> None:
    """Where everything is near and every way counts alike, each area has total supply per total residents."""
    pace = Pace(walk_km_per_h=600)
    rows = asked(town.serving, measure="catchment", decay="none", minutes=120, mode="line", pace=pace, **YOUNG)
    expected = 1000 * 20 / residents("", Ages(10, 18))
    assert {key: row.access_index for key, row in rows.items()} == pytest.approx(
        dict.fromkeys(rows, expected), rel=1e-12
    )


def test_too_many_straight_lines_are_refused(town: "Database", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage_answer, "MOST_LINES", 8)  # nine cells, one house
    with pytest.raises(ParameterError, match="zu viele Wohnpunkte") as raised:
        asked(town.serving, measure="catchment", mode="line", **YOUNG)
    assert raised.value.parameter == "mode"


def test_offers_without_figures_leave_the_index_missing(new_database: "Callable[[], Database]") -> None:
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        people(rows)
        made = rows.version(FACILITIES, "facilities")
        house(rows, made, "west", (500, 500), supply=None)
        rows.link()
    got = answer(database.serving, measure="catchment", mode="line", **YOUNG)
    assert {row.access_index for row in got.rows} == {None}
    assert got.meta.missing == len(got.rows)


SPOT = st.tuples(st.integers(0, 4000), st.integers(0, 2000))


@pytest.fixture(scope="module")
def open_town(new_database: "Callable[[], Database]") -> "Database":
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        people(rows)
        rows.version(FACILITIES, "facilities")
        lay(rows, SPOTS, EDGES)
    with writing(database.writing) as session:
        snap_cells(session)
    return database


def settle(database: "Database", spots: dict[str, tuple[int, int]]) -> None:
    """Let exactly these houses stand."""
    with rows_in(database.writing) as rows:
        for table in ("facility_area", "facility_snap", "offer", "place"):
            rows.session.execute(text(f"DELETE FROM {table}"))
        made = rows.session.execute(text("SELECT current_import_id FROM dataset WHERE name = :name"),
                                    {"name": FACILITIES}).scalar_one()  # fmt: skip
        for name, at in spots.items():
            house(rows, made, name, at)
        rows.link()
        changed(rows)
        snap_facilities(rows.session)


CALM = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@CALM
@given(spots=st.lists(SPOT, min_size=1, max_size=4), more=SPOT, mode=st.sampled_from(["walk", "bike", "line"]))
def test_reach_never_falls_and_comes_back(
    open_town: "Database", spots: list[tuple[int, int]], more: tuple[int, int], mode: str
) -> None:
    def ask(minutes: int, houses: list[tuple[int, int]], prefix: str = "h") -> list[float]:
        settle(open_town, {f"{prefix}{i}": at for i, at in enumerate(houses)})
        rows = asked(open_town.serving, measure="reach", mode=mode, minutes=minutes, level="statgebiet", **YOUNG)
        return [row.reached or 0.0 for row in rows.values()]

    first = ask(10, spots)
    assert all(a <= b for a, b in zip(first, ask(25, spots), strict=True)), "monotone in minutes"
    assert all(a <= b for a, b in zip(first, ask(10, [*spots, more]), strict=True)), "monotone in places"
    assert ask(10, spots) == first, "away and back"
    assert ask(10, spots[::-1], "umbenannt") == first, "renamed and in another order"
