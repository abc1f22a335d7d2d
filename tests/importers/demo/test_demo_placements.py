"""The demo's placements: the same young people at every level, plausible numbers, and what is made of them."""

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest
import shapely
from demo_built import built

from geodata.database import Access, reading
from geodata.figure_tables import PROVIDER_STATES, UNKNOWN_STATE, WITHOUT_AREA
from geodata.placements import PlacementRow, PlacementsRequest, placements
from geodata.viewer import PUBLIC, Role, Version, Viewer
from importers.demo import placements as demo_placements
from importers.demo.city import LAND_KEY, DemoCity

if TYPE_CHECKING:
    from conftest import Database

SHEETS = [("stichtag", period) for period in demo_placements.PERIODS] + [
    ("begonnen", period) for period in demo_placements.BEGUN_PERIODS
]
NEWEST, YEAR_BEFORE = "2025-Q4", "2024-Q4"
MITTE = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
Row = dict[str, str]


@pytest.fixture(scope="module")
def city() -> DemoCity:
    return built()


@pytest.fixture(scope="module")
def rows(city: DemoCity) -> list[Row]:
    return [dict(zip(demo_placements.COLUMNS, row, strict=True)) for row in city.placements]


def cases(rows: list[Row], *by: str, **of: str) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        if all(row[name] == value for name, value in of.items()):
            found[tuple(row[name] for name in by)] += int(row["cases"])
    return found


def test_rows_are_canonical_and_each_is_there_once(city: DemoCity, rows: list[Row]) -> None:
    keys = {level: {area.key for area in areas} for level, areas in city.areas.items()}
    roles = {"bezirk": "zustaendig", "stadtteil": "herkunft", "sozialraum": "herkunft"}
    for row in rows:
        assert row["area_role"] == roles[row["area_level"]]
        outside = row["area_key"] == WITHOUT_AREA and row["area_role"] == "herkunft"
        assert outside or row["area_key"] in keys[row["area_level"]]
        assert (row["counting"], row["period"]) in SHEETS
        assert (row["paragraph"], row["provider_state"] in PROVIDER_STATES) == ("34", True)
        assert int(row["cases"]) >= 1
        if row["provider_area_key"]:
            assert row["provider_state"] == "Hamburg"
            assert row["provider_area_level"] == row["area_level"]
            assert row["provider_area_key"] in keys[row["area_level"]]
        else:
            assert row["provider_area_level"] == ""
    named = [tuple(value for name, value in row.items() if name != "cases") for row in rows]
    assert len(set(named)) == len(named)


@pytest.mark.parametrize(("counting", "period"), SHEETS)
def test_every_level_counts_the_same_young_people(rows: list[Row], counting: str, period: str) -> None:
    of = {"counting": counting, "period": period}
    by_level = {level: cases(rows, "provider_state", area_level=level, **of)
                for level in ("bezirk", "stadtteil", "sozialraum")}  # fmt: skip
    assert by_level["bezirk"] == by_level["stadtteil"] == by_level["sozialraum"]
    no_area = [cases(rows, "provider_state", area_level=level, area_key=WITHOUT_AREA, **of)
               for level in ("stadtteil", "sozialraum")]  # fmt: skip
    assert no_area[0] == no_area[1]


@pytest.mark.parametrize(("counting", "period"), SHEETS)
def test_levels_of_origin_agree_on_the_ground_they_share(
    city: DemoCity, rows: list[Row], counting: str, period: str
) -> None:
    """Both levels hold the same cases of a Bezirk; a Sozialraum no more than the Stadtteile it touches."""
    of = {"counting": counting, "period": period}
    stadtteile = {key: count for (key,), count in cases(rows, "area_key", area_level="stadtteil", **of).items()}
    raeume = {key: count for (key,), count in cases(rows, "area_key", area_level="sozialraum", **of).items()}
    for bezirk in "1234567":
        here = [sum(count for key, count in counts.items() if key != WITHOUT_AREA and key[at] == bezirk)
                for counts, at in ((stadtteile, 2), (raeume, 1))]  # fmt: skip
        assert here[0] == here[1]
    tree = shapely.STRtree([area.geometry for area in city.areas["stadtteil"]])
    for raum in city.areas["sozialraum"]:
        touched = [city.areas["stadtteil"][number].key for number in tree.query(raum.geometry, predicate="intersects")]
        assert raeume.get(raum.key, 0) <= sum(stadtteile.get(key, 0) for key in touched)


def test_the_responsible_office_is_mostly_that_of_the_origin(rows: list[Row]) -> None:
    of = {"counting": "stichtag", "period": NEWEST}
    office = {key: count for (key,), count in cases(rows, "area_key", area_level="bezirk", **of).items()}
    origin: Counter[str] = Counter()
    for (key,), count in cases(rows, "area_key", area_level="stadtteil", **of).items():
        origin[key[2] if key != WITHOUT_AREA else key] += count
    assert 20 <= origin[WITHOUT_AREA] <= 80
    assert all(origin[key] == pytest.approx(count, rel=0.12) for key, count in office.items())
    assert any(origin[key] != count for key, count in office.items())


def test_numbers_are_of_hamburgs_size_with_a_long_tail(rows: list[Row]) -> None:
    for counting, period in SHEETS:
        (whole,) = cases(rows, area_level="bezirk", counting=counting, period=period).values()
        assert (2_000 <= whole <= 2_600) if counting == "stichtag" else (200 <= whole <= 320)
    newest = {"counting": "stichtag", "period": NEWEST}
    states = {state: count for (state,), count in cases(rows, "provider_state", area_level="bezirk", **newest).items()}
    assert 0.42 < states["Hamburg"] / sum(states.values()) < 0.58
    largest = sorted(states, key=lambda state: -states[state])[:4]
    assert largest == ["Hamburg", "Schleswig-Holstein", "Niedersachsen", "Mecklenburg-Vorpommern"]
    assert states["Ausland"] >= 3
    assert states[UNKNOWN_STATE] >= 3
    assert sum(count < 3 for count in states.values()) >= 2
    of_stadtteile = cases(rows, "area_key", area_level="stadtteil", **newest)
    assert sum(count <= 2 for count in of_stadtteile.values()) >= 5


def test_homes_named_are_those_of_the_facilities_and_have_room(city: DemoCity, rows: list[Row]) -> None:
    """More young people in a Stadtteil's homes than these have places: nowhere, for some of them are not told."""
    gebiete = {area.key: area.geometry for area in city.areas["statgebiet"]}
    places: dict[str, int] = defaultdict(int)
    for home in demo_placements.homes(city.facilities["hze"], gebiete):
        places[home.gebiet[:5]] += home.places
    for period in demo_placements.PERIODS:
        told = cases(rows, "provider_area_key", area_level="stadtteil", counting="stichtag", period=period)
        used = {key: count for (key,), count in told.items() if key}
        assert used.keys() <= places.keys()
        assert all(count <= places[key] for key, count in used.items())
        assert 0.4 < sum(used.values()) / sum(places.values()) < 1


def test_of_some_bezirke_every_area_of_a_home_is_told(rows: list[Row]) -> None:
    told: dict[tuple[str, str], set[bool]] = defaultdict(set)
    at = {"bezirk": 0, "stadtteil": 2, "sozialraum": 1}
    for row in rows:
        if row["provider_state"] == "Hamburg" and row["area_key"] != WITHOUT_AREA:
            level = row["area_level"]
            told[level, row["area_key"][at[level]]].add(bool(row["provider_area_key"]))
    for (_level, bezirk), found in told.items():
        assert (found == {True}) == (bezirk in demo_placements.TELLING)


def asked(database: "Database", level: str, viewer: Viewer = PUBLIC, **more: str | Version) -> list[PlacementRow]:
    with reading(database.serving, Access(viewer)) as session:
        return placements(session, PlacementsRequest(level, **more)).rows  # type: ignore[arg-type]


def test_the_public_sees_shares_and_changes_of_every_bezirk(demo_database: "Database") -> None:
    found = asked(demo_database, "bezirk", compare=YEAR_BEFORE)
    assert len(found) == 7
    assert all(row.cases and row.outside_share and row.change_cases is not None for row in found)
    assert sum(row.change_pp is not None for row in found) >= 5
    (land,) = asked(demo_database, "land", compare=YEAR_BEFORE)
    assert (land.area_key, land.cases) == (LAND_KEY, sum(row.cases or 0 for row in found))
    assert land.change_pp is not None
    assert land.begun_outside_share is not None
    assert land.outside_share is not None
    assert land.begun_outside_share < land.outside_share, "fewer go outside than did before"


def test_the_office_sees_what_was_delivered_and_others_no_small_counts(
    demo_database: "Database", rows: list[Row]
) -> None:
    of = {"area_level": "stadtteil", "counting": "stichtag", "period": NEWEST}
    delivered = {key: count for (key,), count in cases(rows, "area_key", **of).items()}
    own = asked(demo_database, "stadtteil", MITTE, version=Version.INTERNAL)
    mitte = {row.area_key: row.cases for row in own if row.area_key[2] == "1"}
    assert mitte == {row.area_key: delivered.get(row.area_key, 0) for row in own if row.area_key[2] == "1"}
    assert sum(row.distance_km is not None and row.own_area_share is not None for row in own) >= 8
    public = asked(demo_database, "stadtteil")
    assert any(row.cases is None and row.suppressed for row in public)
    assert all(row.cases is None or row.cases == 0 or row.cases >= 3 for row in public)
    assert sum(row.cases is not None for row in public) > 0.8 * len(public)
    assert sum(row.per_1000 is not None for row in public) > 0.8 * len(public)
