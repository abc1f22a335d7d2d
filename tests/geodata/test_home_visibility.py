"""Cases beside places in homes for each pair of eyes: nothing tells what is hidden, or is an office's own."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg.errors
import pytest
from hand_rows import TODAY, rows_in
from home_town import (
    ADMIN,
    HIDDEN,
    ORIGIN,
    PLANNER,
    PROVIDER,
    STRANGER,
    asked,
    build_homes,
    by_key,
)
from placement_town import derive, place
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geodata.database import Access, reading
from geodata.errors import ParameterError
from geodata.home_gaps import HomeGapsRequest, home_gaps
from geodata.placements import PlacementsRequest, placements
from geodata.viewer import PUBLIC, Role, Version, Viewer

if TYPE_CHECKING:
    from conftest import Database


@pytest.fixture(scope="module")
def town(new_database: "Callable[[], Database]") -> "Database":
    made = new_database()
    build_homes(made.writing)
    return made


@pytest.fixture(scope="module")
def bare(new_database: "Callable[[], Database]") -> "Database":
    """The same town without any home that the public may not see."""
    made = new_database()
    build_homes(made.writing, hidden=False)
    return made


@pytest.mark.parametrize("level", ["stadtteil", "bezirk", "land"])
def test_what_the_public_may_not_see_changes_nothing(town: "Database", bare: "Database", level: str) -> None:
    for viewer in (PUBLIC, PROVIDER, PLANNER.seeing(Version.PUBLISHED)):
        with_hidden, without = (asked(one, viewer, level, geometry=True) for one in (town, bare))
        assert with_hidden == without
    assert asked(town, level=level).rows == asked(bare, STRANGER.seeing(Version.PUBLISHED), level).rows
    assert HIDDEN


def test_who_sees_which_homes(town: "Database") -> None:
    def homes(viewer: Viewer) -> int:
        return sum(row.homes or 0 for row in asked(town, viewer).rows)

    # Planners: the own office's and those in no area; protected ones never count, not even the own.
    assert (homes(PUBLIC), homes(STRANGER), homes(PLANNER), homes(ADMIN)) == (9, 10, 11, 12)
    own = Viewer(Role.PROVIDER, provider_key="t1")
    assert homes(own) == homes(ADMIN)


def test_an_offer_shown_by_area_only_has_no_distance(town: "Database") -> None:
    row = by_key(asked(town))["13"]
    assert (row.homes, row.places) == (1, 12)
    # It is 0 m from the centre of 13: nothing of that is told.
    assert row.nearest_km == pytest.approx(1.004988)
    assert by_key(asked(town, ADMIN))["13"].nearest_km == 0
    finer = asked(town, PUBLIC, "bezirk")
    assert by_key(finer)["1"].places == 12


def test_below_the_release_level_it_does_not_appear(town: "Database") -> None:
    request = HomeGapsRequest("stadtteil", TODAY)
    with reading(town.serving, Access(PUBLIC, release_level="bezirk")) as session:
        answer = home_gaps(session, request)
    row = by_key(answer)["13"]
    assert (row.homes, row.places, row.office_places) == (0, 0, 12)
    assert any("erscheinen auf dieser Ebene nicht" in warning for warning in answer.meta.warnings)


def test_suppressed_counts_are_told_by_nothing(town: "Database", new_database: "Callable[[], Database]") -> None:
    other = new_database()
    swapped = dict(ORIGIN)
    one, two = ("stadtteil", "21", "herkunft"), ("stadtteil", "22", "herkunft")
    swapped[one], swapped[two] = ORIGIN[two], ORIGIN[one]
    build_homes(other.writing, origin=swapped)

    def published(database: "Database") -> Any:
        with reading(database.serving) as session:
            return placements(session, PlacementsRequest("stadtteil")).rows

    assert published(town) == published(other)
    answers = [asked(database, bands_km=(0.3, 5)) for database in (town, other)]
    assert answers[0] == answers[1]
    rows = by_key(answers[0])
    for key in ("21", "22"):
        assert rows[key].cases is rows[key].rank is rows[key].near_places_per_case is None
        assert rows[key].suppressed
        assert rows[key].suppressed_fields == ("cases", "near_places_per_case", "rank")
        assert rows[key].reason == (
            f"Die Fallzahl von stadtteil {key} ist zum Schutz kleiner Fallzahlen unterdrückt, deshalb nicht "
            "eingeordnet."
        )
    assert not rows["11"].suppressed_fields
    assert by_key(asked(other, STRANGER))["21"].cases == 2


@pytest.mark.parametrize("viewer", [PUBLIC, PROVIDER, PLANNER, STRANGER, ADMIN])
def test_cases_are_those_of_placements(merged: "Database", viewer: Viewer) -> None:
    version = Version.INTERNAL if viewer.may_read_internal() else Version.PUBLISHED
    some = 0
    for level, period in (("stadtteil", "2021-Q3"), ("stadtteil", "2022-Q1"), ("stadtteil", "2022-02"),
                          ("bezirk", "2021-Q3"), ("land", "2021-Q3")):  # fmt: skip
        for area in (None, ("bezirk", "1"), ("land", "02"), ("stadtteil", "ohne"), ("stadtteil", "12")):
            wanted = {"level": level, "period": period, "area": area, "version": version}
            try:
                with reading(merged.serving, Access(viewer)) as session:
                    told = placements(session, PlacementsRequest(**wanted, geometry=True)).rows
            except ParameterError:
                with pytest.raises(ParameterError), reading(merged.serving, Access(viewer)) as session:
                    home_gaps(session, HomeGapsRequest(on=TODAY, **wanted))
                continue
            with reading(merged.serving, Access(viewer)) as session:
                found = home_gaps(session, HomeGapsRequest(on=TODAY, **wanted, geometry=True)).rows
            cases = {row.area_key: (row.area_name, row.cases, row.suppressed, row.geometry) for row in found}
            if "ohne" not in {row.area_key for row in told}:
                cases.pop("ohne", None)
            assert cases == {
                row.area_key: (row.area_name, row.cases, "cases" in row.suppressed_fields, row.geometry) for row in told
            }
            some += len(cases)
    assert some > 20


def _provided(database: "Database", given: list[tuple[str, str, str, str, str, int]], counting: str) -> None:
    """Write placements of 2022-Q1: level, key, role, state, provider's Stadtteil ("": not given), cases."""
    with rows_in(database.writing) as rows:
        version = rows.version("placements.traeger", "placements")
        for level, key, role, state, at, cases in given:
            rows.insert("placement", import_id=version, level=level, area_key=key, area_role=role, period="2022-Q1",
                        paragraph="34", counting=counting, provider_state=state, cases=cases,
                        provider_area_level="stadtteil" if at else "", provider_area_key=at)  # fmt: skip
        place(rows, {}, version=version)
        for level in sorted({one[0] for one in given}):
            rows.session.execute(
                text("INSERT INTO placement_delivery VALUES (:id, :level, '2022-Q1', NULL, NULL)"),
                {"id": version, "level": level},
            )
        derive(rows)


PROVIDED = [
    # 14: 6 of 10 known in the Stadtteil itself; of 2 more nobody says the state.
    ("stadtteil", "14", "herkunft", "Hamburg", "14", 6), ("stadtteil", "14", "herkunft", "Hamburg", "12", 1),
    ("stadtteil", "14", "herkunft", "Bayern", "", 3), ("stadtteil", "14", "herkunft", "ohne Angabe", "", 2),
    # 23: more of its own than there are places (8).
    ("stadtteil", "23", "herkunft", "Hamburg", "23", 12),
    # 12: its home does not state places. 13: of one it is not known where. 11: nowhere near.
    ("stadtteil", "12", "herkunft", "Hamburg", "12", 5),
    ("stadtteil", "13", "herkunft", "Hamburg", "13", 5), ("stadtteil", "13", "herkunft", "Hamburg", "", 1),
    ("stadtteil", "11", "herkunft", "Hamburg", "12", 4),
    # By responsible office too: 12 of 16 known in Bezirk 1.
    ("bezirk", "1", "zustaendig", "Hamburg", "11", 5), ("bezirk", "1", "zustaendig", "Hamburg", "14", 7),
    ("bezirk", "1", "zustaendig", "Hamburg", "21", 4),
]  # fmt: skip


def test_local_cases_and_occupancy_by_hand(new_database: "Callable[[], Database]") -> None:
    made = new_database()
    build_homes(made.writing)
    _provided(made, PROVIDED, "stichtag")
    rows = by_key(asked(made, ADMIN, period="2022-Q1"))
    assert [rows["14"].local_share, rows["14"].own_occupancy] == pytest.approx([0.6, 6 / 9])
    assert rows["14"].note == "2 Fälle ohne Angabe des Bundeslands: Die Belegung ist eher höher."
    assert (rows["23"].local_share, rows["23"].own_occupancy) == (1, 1.5)
    assert rows["23"].note is not None
    assert rows["23"].note.startswith("Die Belegung liegt über 100\N{NO-BREAK SPACE}%")
    assert (rows["12"].local_share, rows["12"].own_occupancy) == (1, None)
    assert rows["12"].note == "Ohne Plätze oder Platzangabe im Gebiet gibt es keine Belegung."
    assert (rows["13"].local_share, rows["13"].own_occupancy) == (None, None)
    assert (rows["11"].local_share, rows["11"].own_occupancy) == (0, None)
    by_office = by_key(asked(made, ADMIN, "bezirk", period="2022-Q1"))
    # 12 places by area and 9 internal ones in Bezirk 1; the protected 5 do not count.
    assert [by_office["1"].local_share, by_office["1"].own_occupancy] == pytest.approx([0.75, 12 / 21])
    # The share is the one that placements tell by origin.
    with reading(made.serving, Access(ADMIN)) as session:
        told = placements(session, PlacementsRequest("stadtteil", period="2022-Q1", version=Version.INTERNAL)).rows
    assert {row.area_key: row.own_area_share for row in told if row.cases} == {
        row.area_key: row.local_share for row in rows.values() if row.cases}  # fmt: skip
    for viewer, seen in ((PUBLIC, set()), (PROVIDER, set()), (STRANGER, {"23"}), (PLANNER, {"11", "12", "14"})):
        found = asked(made, viewer, period="2022-Q1")
        assert {row.area_key for row in found.rows if row.local_share is not None} == seen
        assert {row.area_key for row in found.rows if row.own_occupancy is not None} <= seen


def test_begun_placements_occupy_nothing(new_database: "Callable[[], Database]") -> None:
    made = new_database()
    build_homes(made.writing)
    _provided(made, PROVIDED, "begonnen")
    row = by_key(asked(made, ADMIN, period="2022-Q1", counting="begonnen"))["14"]
    assert (row.cases, row.local_share, row.own_occupancy, row.note) == (12, 0.6, None, None)


@pytest.fixture(scope="module")
def merged(new_database: "Callable[[], Database]") -> "Database":
    """A town in which two Stadtteile are told as one, one that is no more has cases, and a month is told too."""
    made = new_database()
    build_homes(made.writing)
    with rows_in(made.writing) as rows:
        rows.insert("merged_area", level="stadtteil", key="12+13", name="Zwölf/Dreizehn", members=["12", "13"])
        place(
            rows,
            {
                ("stadtteil", "11", "herkunft"): {"Hamburg": 7},
                ("stadtteil", "99", "herkunft"): {"Hamburg": 7},
                ("stadtteil", "ohne", "herkunft"): {"Hamburg": 4},
            },
            period="2022-02",
            dataset="placements.monat",
        )
    _provided(made, [("stadtteil", "12+13", "herkunft", "Hamburg", "13", 9),
                     ("stadtteil", "12+13", "herkunft", "Hamburg", "14", 3),
                     ("stadtteil", "ohne", "herkunft", "Hamburg", "", 8)], "stichtag")  # fmt: skip
    return made


def test_merged_areas_have_what_their_members_have(merged: "Database") -> None:
    row = by_key(asked(merged, ADMIN, period="2022-Q1"))["12+13"]
    assert (row.cases, row.homes, row.homes_without_places, row.places, row.office_key) == (12, 2, 1, 12, "1")
    # 20 young people at (1500, 1000), 10 at (2500, 1000) on average.
    centre = (55_000 / 30, 1000)
    assert row.nearest_km == pytest.approx(math.dist(centre, (1500, 1100)) / 1000, abs=1e-6)
    assert (row.local_share, row.own_occupancy) == (0.75, 0.75)
    assert row.note is not None
    assert "Ihre Einrichtungen stehen auch in den Zeilen der einzelnen Gebiete." in row.note
    with reading(merged.serving, Access(ADMIN)) as session:
        told = placements(session, PlacementsRequest("stadtteil", period="2022-Q1", version=Version.INTERNAL)).rows
    assert {one.area_key: one.own_area_share for one in told}["12+13"] == 0.75


def test_raw_local_cases_are_nobody_s_who_serves(town: "Database") -> None:
    with (
        reading(town.serving, Access(ADMIN)) as session,
        pytest.raises(DBAPIError) as refused,
    ):
        session.execute(text("SELECT * FROM placement_local"))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_homes_that_moved_out_of_sight_are_not_found_by_distance(town: "Database") -> None:
    """A second offer at a public home that is not public hides the home's point, and with it its distances."""
    with rows_in(town.writing) as rows:
        home = rows.session.execute(text("SELECT import_id FROM place WHERE facility_id = 'east'")).scalar_one()
        rows.offer(home, "east", "east-shelter", "protected", category="hze", paragraphs=["34"], supply=2,
                   supply_unit="places")  # fmt: skip
    try:
        row = by_key(asked(town, bands_km=(1, 5)))["23"]
        assert (row.homes, row.places, row.bands[0].homes) == (1, 8, 0)
        assert row.nearest_km == pytest.approx(2.1)
        assert by_key(asked(town, ADMIN, bands_km=(1, 5)))["23"].places == 8
    finally:
        with rows_in(town.writing) as rows:
            rows.session.execute(text("DELETE FROM offer WHERE offer_id = 'east-shelter'"))
