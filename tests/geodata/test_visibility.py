"""Who sees what: releases against viewers, versions, validity, filters, pages and counts."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hand_rows import DAY, FACILITIES, TODAY, rows_in
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.answer import read_state
from geodata.areas import AreasRequest, area_profile, areas
from geodata.database import Access, reading
from geodata.datasets import datasets
from geodata.facilities import FacilitiesRequest, PlaceRow, facilities, place_counts
from geodata.viewer import Role, Version, Viewer

if TYPE_CHECKING:
    from conftest import Database

CITY = (9.9, 53.5, 10.1, 53.6)  # contains the whole city of hand_rows
HIDDEN_FIELDS = ("street", "house_number", "postcode", "phone", "email", "website", "lon", "lat")

PUBLIC = Viewer()
OWN_PROVIDER = Viewer(Role.PROVIDER, provider_key="t1")
OTHER_PROVIDER = Viewer(Role.PROVIDER, provider_key="t2")
NO_PROVIDER = Viewer(Role.PROVIDER)
OWN_OFFICE = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
OTHER_OFFICE = Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),))
NO_OFFICE = Viewer(Role.PLANNER)
ADMIN = Viewer(Role.ADMIN)

NARROW = [PUBLIC, OTHER_PROVIDER, NO_PROVIDER, OTHER_OFFICE, NO_OFFICE]
WIDE = [OWN_PROVIDER, OWN_OFFICE, ADMIN]
VIEWERS = NARROW + WIDE


def name_of(viewer: object) -> str:
    return viewer.scope() if isinstance(viewer, Viewer) else str(viewer)


def found(session: Session, **filters: object) -> dict[str, PlaceRow]:
    request = FacilitiesRequest(**({"on": TODAY} | filters))  # type: ignore[arg-type]
    return {row.facility_id: row for row in facilities(session, request).rows}


def seen(database: "Database", viewer: Viewer = PUBLIC, **filters: object) -> dict[str, PlaceRow]:
    with reading(database.serving, Access(viewer)) as session:
        return found(session, **filters)


@pytest.fixture(scope="module")
def four_releases(new_database: "Callable[[], Database]") -> "Database":
    """Four houses of Träger t1 in Stadtteil 11, Gebiet 111, Sozialraum S1, one of each release."""
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        for i, release in enumerate(("public", "area_only", "internal", "protected")):
            rows.house(made, release, (600 + 10 * i, 300), release)
        assert rows.link() == 16
    return database


@pytest.mark.parametrize("viewer", VIEWERS, ids=name_of)
def test_each_viewer_sees_what_is_released_to_it(four_releases: "Database", viewer: Viewer) -> None:
    places = seen(four_releases, viewer)
    if viewer in WIDE:
        assert set(places) == {"public", "area_only", "internal", "protected"}
        exact = set(places)
    else:
        assert set(places) == {"public", "area_only"}
        exact = {"public"}
    for key, place in places.items():
        shown = [getattr(place, name) for name in HIDDEN_FIELDS]
        assert all(value is not None for value in shown) if key in exact else shown == [None] * len(shown)
        assert (place.area_level, place.area_key, place.area_name) == ("stadtteil", "11", "stadtteil 11")
        assert [offer["id"] for offer in place.offers] == [key]
    assert set(seen(four_releases, viewer, bbox=CITY)) == exact
    with reading(four_releases.serving, Access(viewer)) as session:
        counts = place_counts(session, FacilitiesRequest(TODAY))
        assert (counts.places, counts.by_category) == (len(places), {"okja": len(places)})
        points = session.execute(text("SELECT facility_id FROM place_point_visible")).scalars()
        assert set(points) == exact
        assert set(session.execute(text("SELECT facility_id FROM place_visible")).scalars()) == set(places)
        assert set(session.execute(text("SELECT offer_id FROM offer_visible")).scalars()) == set(places)


@pytest.mark.parametrize("viewer", VIEWERS, ids=name_of)
def test_what_appears_by_area_only_appears_at_the_release_level_and_above(
    four_releases: "Database", viewer: Viewer
) -> None:
    everywhere = {"bezirk": "1", "stadtteil": "11", "statgebiet": "111", "sozialraum": "S1"}
    wide_only = {"bezirk": "1", "stadtteil": "11"}
    with reading(four_releases.serving, Access(viewer)) as session:
        linked: dict[str, dict[str, str]] = {}
        for facility, level, key in session.execute(
            text("SELECT facility_id, level, area_key FROM facility_area_visible")
        ):
            linked.setdefault(facility, {})[level] = key
        if viewer in WIDE:
            assert linked == dict.fromkeys(("public", "area_only", "internal", "protected"), everywhere)
        else:
            assert linked == {"public": everywhere, "area_only": wide_only}
        for level, key in everywhere.items():
            at_level = {facility for facility, areas_of in linked.items() if level in areas_of}
            assert set(found(session, area=(level, key))) == at_level
            counted = {r.area_key: r.facilities for r in areas(session, AreasRequest(level, TODAY)).rows}
            assert counted[key] == len(at_level)
            assert sum(counted.values()) == len(at_level)
            assert area_profile(session, level, key, on=TODAY).rows[0].facilities == len(at_level)


@pytest.mark.parametrize(
    ("release_level", "levels"),
    [("bezirk", {"bezirk"}), ("statgebiet", {"bezirk", "stadtteil", "statgebiet"}), ("sozialraum", {"sozialraum"})],
)
def test_the_release_level_is_a_setting(four_releases: "Database", release_level: str, levels: set[str]) -> None:
    with reading(four_releases.serving, Access(PUBLIC, release_level)) as session:
        shown = session.execute(
            text("SELECT level FROM facility_area_visible WHERE facility_id = 'area_only'")
        ).scalars()
        assert set(shown) == levels
        assert found(session)["area_only"].area_level == release_level


@pytest.mark.parametrize("viewer", NARROW, ids=name_of)
@pytest.mark.parametrize("q", ["Geheimweg", "7", "20095", "internal", "protected"])
def test_a_search_finds_nothing_that_is_not_shown(four_releases: "Database", viewer: Viewer, q: str) -> None:
    assert set(seen(four_releases, viewer, q=q)) <= {"public"}
    assert "area_only" in seen(four_releases, viewer, q="Haus area_only")
    assert "area_only" in seen(four_releases, ADMIN, q="Geheimweg")


@pytest.mark.parametrize("viewer", [OWN_OFFICE, ADMIN], ids=name_of)
def test_the_published_version_shows_a_planner_what_the_public_sees(four_releases: "Database", viewer: Viewer) -> None:
    public = seen(four_releases, PUBLIC)
    assert seen(four_releases, viewer.seeing(Version.PUBLISHED)) == public
    assert set(seen(four_releases, viewer.seeing(Version.INTERNAL))) > set(public)


def test_an_office_s_area_counts_at_its_own_level_only(four_releases: "Database") -> None:
    """The key 11 is a Stadtteil; an office that answers for a Bezirk of that key sees nothing of it."""
    assert "protected" in seen(four_releases, Viewer(Role.PLANNER, office_areas=(("bezirk", "2"), ("stadtteil", "11"))))
    assert "protected" not in seen(
        four_releases, Viewer(Role.PLANNER, office_areas=(("bezirk", "11"), ("stadtteil", "1")))
    )


def test_places_in_no_area_are_seen_by_planners_but_not_by_others(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "far", (90_000, 0), "internal")
        rows.house(made, "nowhere", None, "internal")
        assert rows.link() == 0
    assert seen(database, PUBLIC) == seen(database, OTHER_PROVIDER) == {}
    assert set(seen(database, OTHER_OFFICE)) == set(seen(database, ADMIN)) == {"far", "nowhere"}


WIDTHS = ("public", "area_only", "internal", "protected")


@pytest.mark.parametrize("imported", WIDTHS)
@pytest.mark.parametrize("decided", WIDTHS)
def test_the_narrower_of_source_and_release_wins(database: "Database", imported: str, decided: str) -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "house", (600, 300), imported)
        rows.link()
        other = rows.version("facilities.other", "facilities")
        rows.house(other, "house", (600, 300), "public")
        rows.link()
    with reading(database.serving) as session:
        before = read_state(session)
    with rows_in(database.writing) as rows:
        rows.insert("release", dataset_id=rows.dataset_id(FACILITIES), offer_id="house", release=decided)
    with reading(database.serving) as session:
        after = read_state(session)
    assert after.visibility_version > before.visibility_version
    assert (after.data_version, after.instance_id) == (before.data_version, before.instance_id)

    narrowest = max(imported, decided, key=WIDTHS.index)
    shown = seen(database, dataset=FACILITIES)
    assert set(shown) == ({"house"} if narrowest in WIDTHS[:2] else set())
    if shown:
        assert (shown["house"].lon is not None) == (narrowest == "public")
        assert shown["house"].offers[0]["release"] == narrowest
    assert seen(database, ADMIN, dataset=FACILITIES)["house"].offers[0]["release"] == narrowest
    assert seen(database, dataset="facilities.other")["house"].lon is not None, "a release is of one dataset only"


def test_a_release_taken_back_or_changed_raises_the_visibility_version_too(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        rows.house(rows.version(FACILITIES, "facilities"), "house", (600, 300))
        rows.link()
    versions = []
    for change in (
        "INSERT INTO release (dataset_id, offer_id, release) SELECT id, 'house', 'internal' FROM dataset WHERE name = 'facilities.hand'",  # noqa: E501
        "UPDATE release SET release = 'area_only'",
        "DELETE FROM release",
    ):
        with rows_in(database.writing) as rows:
            rows.session.execute(text(change))
        with reading(database.serving) as session:
            versions.append((read_state(session).visibility_version, len(found(session))))
    assert [count for _, count in versions] == [0, 1, 1]
    assert [version for version, _ in versions] == sorted({version for version, _ in versions})


def test_a_release_outlives_an_import(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        rows.house(rows.version(FACILITIES, "facilities"), "house", (600, 300))
        rows.insert("release", dataset_id=rows.dataset_id(FACILITIES), offer_id="house", release="internal")
    with rows_in(database.writing) as rows:
        rows.house(rows.version(FACILITIES, "facilities"), "house", (600, 300))
        rows.link()
    assert seen(database) == {}
    assert set(seen(database, ADMIN)) == {"house"}


def test_one_offer_by_area_only_hides_the_whole_place_s_point(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "house", (600, 300))
        rows.offer(made, "house", "second", "area_only", category="hze")
        rows.link()
    place = seen(database)["house"]
    assert [offer["id"] for offer in place.offers] == ["house", "second"]
    assert [getattr(place, name) for name in HIDDEN_FIELDS] == [None] * len(HIDDEN_FIELDS)
    assert seen(database, bbox=CITY) == {}
    filtered = seen(database, categories=("okja",))["house"]
    assert [offer["id"] for offer in filtered.offers] == ["house"]
    assert (filtered.lon, filtered.street) == (None, None), "a filter must not bring the point back"
    assert seen(database, OWN_OFFICE)["house"].lon is not None


def test_an_ended_offer_by_area_only_still_hides_the_point(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "house", (600, 300))
        rows.offer(made, "house", "ended", "area_only", valid_to=TODAY - DAY)
        rows.link()
    place = seen(database)["house"]
    assert [offer["id"] for offer in place.offers] == ["house"]
    assert (place.lon, place.street) == (None, None)


def test_only_the_current_version_is_visible(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        first = rows.version(FACILITIES, "facilities")
        rows.house(first, "old", (600, 300))
        second = rows.version(FACILITIES, "facilities", publish=False)
        rows.house(second, "new", (700, 300))
        rows.link()
    assert set(seen(database, ADMIN)) == {"old"}
    with rows_in(database.writing) as rows:
        rows.publish(FACILITIES, second)
        rows.link()
    for viewer in (PUBLIC, ADMIN):
        assert set(seen(database, viewer)) == set(seen(database, viewer, bbox=CITY)) == {"new"}
        with reading(database.serving, Access(viewer)) as session:
            for view in ("offer_visible", "place_visible", "place_point_visible", "facility_area_visible"):
                assert set(session.execute(text(f"SELECT import_id FROM {view}")).scalars()) == {second}
            assert sum(r.facilities for r in areas(session, AreasRequest("stadtteil", TODAY)).rows) == 1


def test_only_the_current_version_of_areas_is_visible(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        rows.house(rows.version(FACILITIES, "facilities"), "house", (600, 300))
        fresh = rows.version("areas.stadtteil", "areas")
        rows.area(
            fresh,
            "stadtteil",
            "neu",
            "SRID=25832;MULTIPOLYGON(((564000 5934000,570000 5934000,570000 5940000,564000 5934000)))",
        )
        rows.link()
    with reading(database.serving) as session:
        assert [(r.area_key, r.facilities) for r in areas(session, AreasRequest("stadtteil", TODAY)).rows] == [
            ("neu", 1)
        ]
        assert set(found(session, area=("stadtteil", "neu"))) == {"house"}
        assert found(session, area=("stadtteil", "11")) == {}


VALIDITIES = {
    "open": (None, None, True),
    "ended": (None, TODAY - DAY, False),
    "last day": (None, TODAY, True),
    "first day": (TODAY, None, True),
    "this day only": (TODAY, TODAY, True),
    "not yet": (TODAY + DAY, None, False),
    "long ago to far": (dt.date(1900, 1, 1), dt.date(9999, 12, 31), True),
}


def test_offers_count_from_their_first_to_their_last_day(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        for key, (valid_from, valid_to, _) in VALIDITIES.items():
            rows.house(made, key, (600, 300), valid_from=valid_from, valid_to=valid_to)
        rows.link()
    valid = {key for key, (_, _, counts) in VALIDITIES.items() if counts}
    for viewer in (PUBLIC, ADMIN):
        assert set(seen(database, viewer)) == valid
        with reading(database.serving, Access(viewer)) as session:
            counted = {r.area_key: r.facilities for r in areas(session, AreasRequest("stadtteil", TODAY)).rows}
            assert counted == {"11": len(valid), "12": 0, "21": 0, "22": 0}
            assert place_counts(session, FacilitiesRequest(TODAY)).by_category == {"okja": len(valid)}
            profile = area_profile(session, "stadtteil", "11", on=TODAY).rows[0]
            assert (profile.facilities, profile.facilities_by_category) == (len(valid), {"okja": len(valid)})


AGES = {"none": (None, None), "six up": (6, None), "six to twelve": (6, 12), "to three": (0, 3)}


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, {"none", "to three"}),
        (2, {"none", "to three"}),
        (3, {"none"}),
        (5, {"none"}),
        (6, {"none", "six up", "six to twelve"}),
        (11, {"none", "six up", "six to twelve"}),
        (12, {"none", "six up"}),
        (120, {"none", "six up"}),
    ],
)
def test_ages_are_from_inclusive_to_exclusive_and_none_matches_all(
    database: "Database", age: int, expected: set[str]
) -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        for key, (age_from, age_to) in AGES.items():
            rows.house(made, key, (600, 300), age_from=age_from, age_to=age_to)
    with reading(database.serving) as session:
        answer = facilities(session, FacilitiesRequest(TODAY, age=age))
    assert {row.facility_id for row in answer.rows} == expected
    assert any("1 Angebote ohne Altersangabe" in warning for warning in answer.meta.warnings)


def test_places_in_no_area_are_found_as_ohne_and_the_sums_hold(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        for i, x in enumerate((600, 1200, 2200, 2600)):
            rows.house(made, f"in {i}", (x, 300))
        rows.house(made, "far", (90_000, 0))
        rows.house(made, "nowhere", None)
        rows.link()
    with reading(database.serving) as session:
        everything = set(found(session))
        assert len(everything) == 6
        for level, outside in (
            ("bezirk", {"far", "nowhere"}),
            ("stadtteil", {"far", "nowhere"}),
            ("sozialraum", {"far", "nowhere", "in 2"}),
        ):
            without = set(found(session, area=(level, "ohne")))
            assert without == outside
            counted = {r.area_key: r.facilities for r in areas(session, AreasRequest(level, TODAY)).rows}
            assert sum(counted.values()) + len(without) == len(everything)
        assert {r.area_key: r.facilities for r in areas(session, AreasRequest("stadtteil", TODAY)).rows} == {
            "11": 1,
            "12": 1,
            "21": 2,
            "22": 0,
        }
        assert area_profile(session, "stadtteil", "22", on=TODAY).rows[0].facilities == 0
        assert found(session, area=("stadtteil", "22")) == {}


def test_a_place_with_several_offers_counts_once(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "house", (600, 300))
        rows.offer(made, "house", "second", category="famfoe")
        rows.offer(made, "house", "third", category="famfoe")
        rows.link()
    with reading(database.serving) as session:
        assert areas(session, AreasRequest("stadtteil", TODAY)).rows[0].facilities == 1
        profile = area_profile(session, "stadtteil", "11", on=TODAY).rows[0]
        assert profile.facilities == 1
        assert profile.facilities_by_category == {"famfoe": 1, "okja": 1}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_visit_every_place_once(database: "Database", limit: int) -> None:
    keys = ["a", "B", "ä", "10", "9", "z z", "Ω"]
    with rows_in(database.writing) as rows:
        rows.city()
        for dataset in (FACILITIES, "facilities.other"):
            made = rows.version(dataset, "facilities")
            for key in keys:
                rows.house(made, key, (600, 300))
    visited: list[tuple[str, str]] = []
    after: tuple[str, str] | None = None
    with reading(database.serving) as session:
        for _ in range(20):
            answer = facilities(session, FacilitiesRequest(TODAY, limit=limit, after=after))
            assert len(answer.rows) <= limit
            visited += [(row.dataset, row.facility_id) for row in answer.rows]
            if answer.meta.next is None:
                break
            dataset, _, facility_id = answer.meta.next.partition("\n")
            after = (dataset, facility_id)
    assert len(visited) == 14
    assert set(visited) == {(dataset, key) for dataset in (FACILITIES, "facilities.other") for key in keys}


@pytest.mark.parametrize("limit", [1, 3, 4])
def test_pages_of_areas_visit_every_area_once(database: "Database", limit: int) -> None:
    with rows_in(database.writing) as rows:
        rows.city()
    visited: list[str] = []
    after: str | None = None
    with reading(database.serving) as session:
        for _ in range(10):
            answer = areas(session, AreasRequest("statgebiet", TODAY, limit=limit, after=after))
            visited += [row.area_key for row in answer.rows]
            after = answer.meta.next
            if after is None:
                break
    assert visited == ["111", "112", "121", "122", "211", "212", "221", "222"]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        # Signs are not searched: what is typed is never a pattern, and of signs alone nothing is left to find.
        ("%", set()),
        ("100 %", {"percent", "plain"}),
        ("_", set()),
        ("a_b", {"underscore"}),
        ("a%b", {"underscore"}),
        ("'", set()),
        ("O'Neill", {"quote"}),
        ('"', set()),
        ('"Mitte"', {"double"}),
        ("\\", set()),
        ("C:\\Haus", {"backslash"}),
        ("'; DROP TABLE place; --", set()),
        (":limit", {"colon"}),
        ("ONEILL", {"quote"}),
    ],
)
def test_a_search_is_literal(database: "Database", q: str, expected: set[str]) -> None:
    names = {
        "percent": "100 % Jugend",
        "underscore": "a_b",
        "quote": "O'Neill",
        "double": 'Haus "Mitte"',
        "backslash": "C:\\Haus",
        "colon": "Punkt:limit",
        "plain": "axb 100 Jugend",
    }
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        for key, name in names.items():
            rows.place(made, key, (600, 300), name=name)
            rows.offer(made, key, key, name="Treff")
    assert set(seen(database, q=q)) == expected
    assert len(seen(database, q="treff")) == len(names)


@pytest.mark.parametrize("narrowed", ["internal", "protected"])
def test_narrowing_a_release_brings_no_point_back(database: "Database", narrowed: str) -> None:
    """Whoever kept the earlier answer must not learn from the later one where the home is."""
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "house", (600, 300))
        rows.offer(made, "house", "home", "area_only", category="hze")
        rows.link()
    before = seen(database)["house"]
    with rows_in(database.writing) as rows:
        rows.insert("release", dataset_id=rows.dataset_id(FACILITIES), offer_id="home", release=narrowed)
    after = seen(database)["house"]
    assert {offer["id"] for offer in before.offers} == {"house", "home"}
    assert [offer["id"] for offer in after.offers] == ["house"]
    for place in (before, after):
        assert (place.lon, place.lat, place.street, place.website) == (None, None, None, None)
    assert seen(database, bbox=CITY) == {}


def test_a_protected_place_outside_all_areas_is_for_administrators_only(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.place(made, "refuge", (90_000, 90_000))
        rows.offer(made, "refuge", "refuge", "protected", category="hze")
        rows.link()
    assert set(seen(database, ADMIN)) == {"refuge"}
    assert seen(database, OWN_OFFICE) == {}
    assert seen(database) == {}


def test_a_search_does_not_find_what_has_ended(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "house", (600, 300))
        rows.offer(made, "house", "second", "public", name="Nachtcafé", valid_to=TODAY - DAY)
        rows.link()
    assert set(seen(database)) == {"house"}
    assert seen(database, q="Nachtcafé") == {}


def test_what_an_import_counted_is_not_for_the_public(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
    with reading(database.serving) as session:
        assert {row.rows_loaded for row in datasets(session, on=TODAY).rows} == {None}
    with reading(database.serving, Access(ADMIN)) as session:
        assert None not in {row.rows_loaded for row in datasets(session, on=TODAY).rows}


def test_what_appears_by_area_only_must_lie_in_one(database: "Database") -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "outside", (90_000, 90_000), "area_only")
        rows.house(made, "inside", (600, 300), "area_only")
        rows.link()
    assert set(seen(database)) == {"inside"}
    assert set(seen(database, ADMIN)) == {"inside", "outside"}
