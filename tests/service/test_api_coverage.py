"""``/api/v1/coverage``: the same rows in every format, sums that are the city's, drawn areas, eyes, errors, caching."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import demo_truth as truth
import gaps_town as town
import pytest
from analysis_help import all_finite, feature_of, post, same_in_every_format
from conftest import Database
from importer_help import load_facilities, offer, write_csv
from pydantic import ValidationError
from service_help import API, client_of, is_problem, rows_of, settings
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.coverage.answer import coverage
from geodata.coverage.drawn import MAX_BODY_BYTES
from geodata.coverage.request import CoverageRequest, Measure, Pace
from geodata.database import reading
from geodata.viewer import Role, Viewer
from service.context import today

PATH = "/coverage"
MEASURES: dict[str, dict[str, str]] = {
    "supply": {"measure": "supply", "supply_unit": "hours_per_week"},
    "reach": {"measure": "reach", "mode": "line", "minutes": "10"},
    "walk": {"measure": "reach", "mode": "walk"},
    "catchment": {"measure": "catchment", "mode": "line", "decay": "gaussian", "supply_unit": "hours_per_week"},
}
LEVELS = ("land", "bezirk", "stadtteil", "statgebiet")
YOUNG = {"age_from": "10", "age_to": "18"}
OFFICE = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
LINE = {"level": "stadtteil", "category": "okja", "mode": "line"}


@pytest.fixture(scope="module")
def demo(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


@pytest.fixture
def made(database: Database, tmp_path: Path) -> Database:
    """A town of its own for tests that change it."""
    town.build(database.writing, tmp_path)
    return database


@pytest.fixture(scope="module")
def small(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    made = new_database()
    town.build(made.writing, tmp_path_factory.mktemp("town"))
    return client_of(made.serving)


def by_key(client: TestClient, **asked: str) -> dict[str, dict[str, Any]]:
    return {row["area_key"]: row for row in rows_of(client, PATH, **asked)}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("level", ["bezirk", "stadtteil"])
def test_every_format_says_the_same(demo: TestClient, measure: str, level: str) -> None:
    same_in_every_format(demo, PATH, {"level": level, "category": "okja", **YOUNG, **MEASURES[measure]})


@pytest.mark.parametrize("category", ["okja", "kita", "famfoe,sha"])
@pytest.mark.parametrize("ages", [{}, YOUNG, {"age_from": "3", "age_to": "6"}])
def test_sums_over_every_level_are_the_citys(demo: TestClient, category: str, ages: dict[str, str]) -> None:
    sums = {}
    for level in LEVELS:
        rows = rows_of(demo, PATH, level=level, category=category, supply_unit="hours_per_week", **ages)
        # What appears by area only is not there at levels below the release level: it is missing, not elsewhere.
        seen = {
            o.place for o in truth.seen(category=category)
            if _overlaps(o, ages) and (level in truth.AREA_ONLY_LEVELS or o.place in truth.exact_places())
        }  # fmt: skip
        assert sum(row["facilities"] for row in rows) == len(seen), level
        sums[level] = math.fsum(row["population"] for row in rows), math.fsum(row["supply"] or 0 for row in rows)
    people, supply = sums["land"]
    for level, (residents, hours) in sums.items():
        assert residents == pytest.approx(people, rel=1e-9), level
        if level != "statgebiet":
            assert hours == pytest.approx(supply, rel=1e-9), level
    assert people > 1000


def _overlaps(one: truth.Offer, ages: dict[str, str]) -> bool:
    low, high = one.row["age_from"], one.row["age_to"]
    if not ages or not low:
        return True
    return int(low) < int(ages["age_to"]) and (not high or int(high) > int(ages["age_from"]))


@pytest.mark.parametrize("mode", ["line", "walk", "bike"])
def test_reach_adds_up_over_every_level(demo: TestClient, mode: str) -> None:
    asked = {"category": "okja", "measure": "reach", "mode": mode, "minutes": "10"} | YOUNG
    sums = []
    for level in LEVELS:
        rows = rows_of(demo, PATH, level=level, **asked)
        for row in rows:
            assert row["reached"] + row["not_reached"] == pytest.approx(row["population"], abs=1e-6)
            assert row["unconnected"] <= row["not_reached"] + 1e-6
        sums.append([math.fsum(row[name] for row in rows) for name in ("reached", "not_reached", "unconnected")])
    for one in sums[1:]:
        assert one == pytest.approx(sums[0], rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("level", ["bezirk", "stadtteil"])
@pytest.mark.parametrize("measure", ["supply", "reach", "catchment"])
def test_an_areas_own_shape_gives_what_the_area_gives(demo: TestClient, level: str, measure: str) -> None:
    # Schools have no offer by area only, which a drawn shape would not find.
    asked = {"category": "schule", "age_from": "6", "age_to": "10"} | MEASURES[measure]
    known = by_key(demo, level=level, **asked)
    keys = [key for key in known if key != "ohne"][:20]
    shapes = {"type": "FeatureCollection", "features": [feature_of(demo, level, key) for key in keys]}
    answer = post(demo, shapes, **asked)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["rows"]
    assert [row["area_key"] for row in rows] == keys
    places = {o.place for o in truth.seen(category="schule")} - truth.exact_places()
    for row in rows:
        own = known[row["area_key"]]
        assert (row["area_level"], row["area_name"]) == ("auswahl", f"Gezeichnet {row['area_key']}")
        if not any(truth.areas_of()[place].get(level) == row["area_key"] for place in places):
            assert row["facilities"] == own["facilities"]
        assert row["population"] == pytest.approx(own["population"], rel=1e-6, abs=1e-6)
        for name in ("reach_share", "access_index", "nearest_m"):
            if own[name] is not None:
                assert row[name] == pytest.approx(own[name], rel=1e-6, abs=1e-6), name


def test_drawn_areas_in_every_format(demo: TestClient) -> None:
    body = {"type": "FeatureCollection", "features": [feature_of(demo, "bezirk", key) for key in ("1", "2")]}
    rows = post(demo, body).json()["rows"]
    features = post(demo, body, format="geojson").json()["features"]
    assert [feature["properties"] for feature in features] == rows
    assert {feature["geometry"]["type"] for feature in features} <= {"Polygon", "MultiPolygon"}
    for wanted in ("csv", "xlsx", "gpkg"):
        answer = post(demo, body, format=wanted)
        assert answer.status_code == 200
        assert f'filename="versorgung-auswahl.{wanted}"' in answer.headers["content-disposition"]


def test_reach_by_hand(small: TestClient) -> None:
    rows = by_key(small, measure="reach", minutes="10", **LINE, **YOUNG)
    # The next place is 2.45 km off, times 1.3; 10 minutes are 800 m.
    assert (rows["A"]["reach_share"], rows["C"]["reach_share"], rows["G"]["reach_share"]) == (1, 1, 0)
    assert rows["E"]["population"] is None
    assert (rows["E"]["reach_share"], rows["E"]["flag"]) == (None, "missing")
    assert (rows["F"]["population"], rows["F"]["reach_share"]) == (0, None)
    assert rows["B"]["reached"] + rows["B"]["not_reached"] == 200
    fast = client_of(small.app.state.srk.engine, walk_speed_km_per_h=20, detour_factor=1)  # type: ignore[attr-defined]
    assert by_key(fast, measure="reach", minutes="10", **LINE, **YOUNG)["B"]["reach_share"] == 1
    said = fast.get(API + PATH, params={"measure": "reach"} | LINE).json()["meta"]["method"]
    assert "20 km/h" in said
    assert "mal 1" in said


def test_without_a_network_ways_are_straight_lines_and_said_to_be(small: TestClient) -> None:
    asked = {"level": "stadtteil", "category": "okja", "measure": "reach"}
    body = small.get(API + PATH, params=asked).json()
    sentence = "Es ist kein Wegenetz geladen; Entfernungen sind Luftlinien mal 1,3."
    assert sentence in body["meta"]["warnings"]
    line = small.get(API + PATH, params=asked | {"mode": "line"}).json()
    assert line["rows"] == body["rows"]
    for mode in ("walk", "bike"):
        problem = is_problem(small.get(API + PATH, params=asked | {"mode": mode}), 409)
        assert problem["detail"] == sentence


def test_a_category_without_places_is_zero_everywhere(small: TestClient) -> None:
    body = small.get(API + PATH, params={"level": "stadtteil", "category": "netzwerk"}).json()
    assert "Es ist keine passende Einrichtung bekannt; die Versorgung ist überall 0." in body["meta"]["warnings"]
    assert {(row["facilities"], row["supply"]) for row in body["rows"]} == {(0, 0)}
    reach = by_key(small, measure="reach", level="stadtteil", category="netzwerk", mode="line")
    assert (reach["A"]["reach_share"], reach["A"]["nearest_m"]) == (0, None)


def test_areas_without_geometry_or_residents(made: Database) -> None:
    with made.writing.begin() as connection:
        connection.execute(text("UPDATE area SET geom = NULL WHERE level = 'stadtteil' AND key = 'B'"))
    rows = by_key(client_of(made.serving), level="stadtteil", category="okja")
    assert (rows["B"]["population"], rows["B"]["supply_per_1000"], rows["B"]["flag"]) == (None, None, "missing")
    with made.writing.begin() as connection:
        connection.execute(text("TRUNCATE surface, surface_band, surface_cell, surface_area CASCADE"))
        connection.execute(text("UPDATE instance_state SET data_version = data_version + 1"))
    client = client_of(made.serving)
    answer = client.get(API + PATH, params={"level": "stadtteil", "category": "okja"}).json()
    assert {row["population"] for row in answer["rows"]} == {None}
    assert {row["supply_per_1000"] for row in answer["rows"]} == {None}
    problem = is_problem(client.get(API + PATH, params=LINE | {"measure": "reach"}), 409)
    assert "keine Einwohnerzahlen" in problem["detail"]


def test_only_areas_inside_and_pages(demo: TestClient) -> None:
    asked = {"level": "stadtteil", "category": "okja"}
    inside = rows_of(demo, PATH, **asked, area="bezirk:2")
    whole = rows_of(demo, PATH, **asked)
    assert 0 < len(inside) < len(whole)
    assert inside == [row for row in whole if row["area_key"] in {one["area_key"] for one in inside}]
    assert rows_of(demo, PATH, **asked, area=f"stadtteil:{inside[0]['area_key']}") == inside[:1]
    pages, cursor = [], None
    while True:
        answer = demo.get(API + PATH, params=asked | {"limit": "40"} | ({"cursor": cursor} if cursor else {}))
        pages.append(answer.json()["rows"])
        cursor = answer.json()["meta"]["next"]
        if cursor is None:
            break
        assert f"cursor={cursor}" in answer.headers["link"]
    assert [row for page in pages for row in page] == whole
    assert [len(page) for page in pages][:2] == [40, 40]


def test_pages_of_drawn_areas(demo: TestClient) -> None:
    keys = [row["area_key"] for row in rows_of(demo, "/areas", level="bezirk")]
    body = {"type": "FeatureCollection", "features": [feature_of(demo, "bezirk", key) for key in reversed(keys)]}
    first = post(demo, body, limit="4").json()
    rest = post(demo, body, limit="4", cursor=first["meta"]["next"]).json()
    assert [row["area_key"] for row in first["rows"] + rest["rows"]] == sorted(keys)


def requests(**more: Any) -> Iterator[CoverageRequest]:
    measures: tuple[Measure, ...] = ("supply", "reach", "catchment")
    for measure in measures:
        for level in LEVELS:
            for category in ("okja", "netzwerk"):
                yield CoverageRequest(level, today(), (category,), measure=measure, **more)


@pytest.mark.parametrize("more", [{"mode": "line"}, {"mode": "walk", "age_from": 10, "age_to": 18},
                                  {"mode": "bike", "age_from": 95},
                                  {"minutes": 1, "supply_unit": "hours_per_week"}])  # fmt: skip
def test_no_nan_and_no_infinity_leaves_the_question(demo_database: Database, more: dict[str, Any]) -> None:
    with reading(demo_database.serving) as session:
        for request in requests(**more):
            assert all_finite(coverage(session, request)) > 4


@pytest.mark.parametrize(("changed", "parameter"), [
    ({"age_from": "18", "age_to": "10"}, "age_to"),
    ({"age_from": "10", "age_to": "10"}, "age_to"),
    ({"age_from": "-1"}, "age_from"),
    ({"age_to": "121"}, "age_to"),
    ({"age_from": "zehn"}, "age_from"),
    ({"measure": "reach", "minutes": "0"}, "minutes"),
    ({"measure": "reach", "minutes": "10000"}, "minutes"),
    ({"measure": "reach", "minutes": "7.5"}, "minutes"),
    ({"measure": "reach", "mode": "auto"}, "mode"),
    ({"measure": "dichte"}, "measure"),
    ({"measure": "catchment", "decay": "steil"}, "decay"),
    ({"measure": "catchment", "decay": "5:1,10:0.5", "minutes": "15"}, "decay"),
    ({"minutes": "15"}, "minutes"),
    ({"mode": "line"}, "mode"),
    ({"decay": "none"}, "decay"),
    ({"measure": "reach", "decay": "none"}, "decay"),
    ({"supply_unit": "betten"}, "supply_unit"),
    ({"level": "mond"}, "level"),
    ({"level": ""}, "level"),
    ({"category": ""}, "category"),
    ({"category": "okja,quatsch"}, "category"),
    ({"barrier_free": "vielleicht"}, "barrier_free"),
    ({"area": "bezirk"}, "area"),
    ({"area": "bezirk:999"}, "area"),
    ({"area": "mond:1"}, "area"),
    ({"area": "bezirk:ohne"}, "area"),
    ({"period": "1999"}, "period"),
    ({"format": "pdf"}, "format"),
    ({"limit": "0"}, "limit"),
    ({"cursor": "quatsch"}, "cursor"),
    ({"minuten": "5"}, "minuten"),
])  # fmt: skip
def test_bad_requests(demo: TestClient, changed: dict[str, str], parameter: str) -> None:
    is_problem(demo.get(API + PATH, params={"level": "bezirk", "category": "okja"} | changed), 400, parameter)


def test_bad_areas(demo: TestClient, small: TestClient) -> None:
    square = feature_of(demo, "bezirk", "1")["geometry"]
    bow = {"type": "Polygon", "coordinates": [[[10, 53.5], [10.1, 53.6], [10.1, 53.5], [10, 53.6], [10, 53.5]]]}
    far = {"type": "Polygon", "coordinates": [[[20, 50], [20.1, 50], [20.1, 50.1], [20, 50]]]}
    for body, said in ((b"", "keine Fläche"), (b"{}", "ohne type"), (bow, "schneidet sich selbst bei Länge"),
                       (far, "außerhalb aller geladenen Gebiete")):  # fmt: skip
        assert said in is_problem(post(demo, body), 400, "geometry")["detail"]
    for unknown in ("level", "area"):
        is_problem(post(demo, square, **{unknown: "bezirk"}), 400, unknown)
    is_problem(post(demo, square, minutes="5"), 400, "minutes")
    is_problem(post(small, feature_of(small, "stadtteil", "B"), measure="reach", mode="walk"), 409)
    assert is_problem(demo.get(API + "/coverage/x"), 404)
    assert demo.put(API + PATH, content=b"{}").status_code == 405


def test_too_much_is_not_read_whatever_the_headers_say(demo: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 65_536
            yield b" " * 65_536

    ring = json.dumps([[10, 53.5]] * 10**6)
    million = f'{{"type":"Polygon","coordinates":[{ring}]}}'
    for body, headers in (
        (million, {}),
        (b" " * (MAX_BODY_BYTES + 1), {}),
        (b" " * (MAX_BODY_BYTES + 1), {"content-length": "10"}),
        (b"{}", {"content-length": str(10**12)}),
        (endless(), {}),
    ):
        answer = demo.post(API + PATH, params={"category": "okja"}, content=body, headers=headers)
        problem = is_problem(answer, 413, "geometry")
        assert "höchstens 2 MiB" in problem["detail"]
        assert answer.headers["connection"] == "close"
    assert sent == 200 * 65_536  # the test client sends all; the service keeps none of it
    assert post(demo, b" " * MAX_BODY_BYTES).status_code == 400


@pytest.mark.parametrize("media", ["application/json", "application/geo+json", "text/plain", "image/png", ""])
def test_any_media_type_will_do(demo: TestClient, media: str) -> None:
    body = json.dumps(feature_of(demo, "bezirk", "1"))
    answer = demo.post(API + PATH, params={"category": "okja"}, content=body, headers={"content-type": media})
    assert answer.status_code == 200


def houses(database: Database, folder: Path, home: tuple[float, float]) -> None:
    """The town's places, one of them a home that is not published, and one shown by its area only."""
    young = {"age_from": 10, "age_to": 18, "supply": 10, "supply_unit": "places"}
    rows = [offer("a", 50, 50, **young), offer("home", *home, **young, release="internal"),
            offer("by-area", 550, 40, **young, release="area_only")]  # fmt: skip
    load_facilities(database.writing, write_csv(folder / "okja.csv", rows))


def test_where_an_unpublished_home_stands_changes_nothing_for_the_public(made: Database, tmp_path: Path) -> None:
    # Both in Stadtteil B: 0 and 900 m from its western end.
    measures = ("measure=supply", "measure=reach&minutes=5&mode=line", "measure=catchment&mode=line")
    urls = [f"level={level}&category=okja&age_from=10&age_to=18&{measure}" for level in ("stadtteil", "bezirk")
            for measure in measures]  # fmt: skip
    seen, internal = [], []
    for at in ((510.0, 50.0), (1450.0, 50.0)):
        houses(made, tmp_path, at)
        public, planner = client_of(made.serving), client_of(made.serving, OFFICE)
        seen.append([public.get(f"{API}{PATH}?{url}").json()["rows"] for url in urls])
        assert seen[-1] == [planner.get(f"{API}{PATH}?{url}").json()["rows"] for url in urls]
        internal.append([planner.get(f"{API}{PATH}?{url}&version=intern").json()["rows"] for url in urls])
    assert seen[0] == seen[1]
    supply, reach = seen[0][0], seen[0][1]
    assert [row["facilities"] for row in supply if row["area_key"] == "B"] == [1]  # by its area only
    assert [row["reached"] for row in reach if row["area_key"] == "B"] == [0]  # … and never by its distance
    assert [row["facilities"] for row in internal[0][0] if row["area_key"] == "B"] == [2]
    assert internal[0][1] != internal[1][1]


def test_the_internal_version_is_for_the_own_office_and_is_recorded(made: Database, tmp_path: Path) -> None:
    houses(made, tmp_path, (510, 50))
    asked = {"level": "stadtteil", "category": "okja", "version": "intern"}
    is_problem(client_of(made.serving).get(API + PATH, params=asked), 403)
    other = client_of(made.serving, Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),)))
    own = client_of(made.serving, OFFICE)
    assert by_key(other, **asked)["B"]["facilities"] == 1
    answer = own.get(API + PATH, params=asked)
    assert {row["area_key"]: row["facilities"] for row in answer.json()["rows"]}["B"] == 2
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.json()["meta"]["version"] == "intern"
    shape = feature_of(own, "stadtteil", "B")
    drawn = [post(client, shape, version="intern").json()["rows"][0]["facilities"] for client in (other, own)]
    assert drawn == [0, 2]
    with made.writing.begin() as connection:
        logged = connection.execute(text("SELECT detail->>'request' FROM audit ORDER BY id")).scalars().all()
    assert len(logged) == 4
    assert all("version=intern" in line for line in logged)
    assert "#" in logged[-1]  # what was drawn stands as its digest


def test_answers_are_kept_until_something_is_imported(made: Database, tmp_path: Path) -> None:
    client = client_of(made.serving)
    asked = LINE | {"measure": "reach"}
    shape = feature_of(client, "stadtteil", "B")
    first, drawn = client.get(API + PATH, params=asked), post(client, shape)
    again = client.get(API + PATH, params=dict(reversed(asked.items())))
    assert (again.headers["etag"], again.content) == (first.headers["etag"], first.content)
    assert post(client, shape).content == drawn.content
    unchanged = client.get(API + PATH, params=asked, headers={"if-none-match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    tags = {first.headers["etag"], drawn.headers["etag"]}
    tags |= {
        post(client, one).headers["etag"] for one in (feature_of(client, "stadtteil", "A"), json.dumps(shape) + " ")
    }
    tags |= {client.get(API + PATH, params=asked | more).headers["etag"]
             for more in ({"minutes": "14"}, {"age_to": "18"}, {"format": "csv"})}  # fmt: skip
    assert len(tags) == 7
    other = client_of(made.serving, walk_speed_km_per_h=5).get(API + PATH, params=asked)
    assert other.headers["etag"] not in tags
    houses(made, tmp_path, (510, 50))
    new = client.get(API + PATH, params=asked, headers={"if-none-match": first.headers["etag"]})
    assert new.status_code == 200
    assert new.json()["rows"] != first.json()["rows"]
    assert post(client, shape).headers["etag"] not in tags


@pytest.mark.parametrize("name", ["walk_speed_km_per_h", "bike_speed_km_per_h", "detour_factor"])
def test_pace_has_bounds_and_is_part_of_every_key(name: str) -> None:
    usual = settings()
    assert usual.pace() == Pace(4.8, 15.0, 1.3)
    other = settings(**{name: getattr(usual, name) + 0.1})
    assert other.digest() != usual.digest()
    assert other.pace() != usual.pace()
    for wrong in (0, -1, 41, math.nan, math.inf, "schnell"):
        with pytest.raises(ValidationError):
            settings(**{name: wrong})


def test_a_held_answer_of_a_drawn_area_is_not_read_again(demo: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    body = feature_of(demo, "bezirk", "3")
    first = post(demo, body)
    monkeypatch.setattr("service.api.covering.drawn_of", lambda _body: pytest.fail("read again"))
    assert post(demo, body).content == first.content
