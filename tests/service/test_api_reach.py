"""``/api/v1/reach``: places, residents and area around a point, the same in every format; eyes, errors, caching."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gaps_town as town
import pytest
import shapely
from analysis_help import all_finite, same_in_every_format
from conftest import Database
from importer_help import load_facilities, lonlat, offer, write_csv
from people_help import load_areas
from service_help import API, client_of, is_problem, workbook
from starlette.testclient import TestClient

from geodata.coverage.request import MODES
from geodata.database import reading
from geodata.point_reach import PointReachRequest, point_reach
from geodata.viewer import Role, Viewer
from service.context import today
from service.labels import LABELS

PATH = "/reach"
MIDDLE = {"lon": "10.0", "lat": "53.56"}
OFFICE = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))


@pytest.fixture(scope="module")
def demo(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


@pytest.fixture(scope="module")
def small(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    made = new_database()
    town.build(made.writing, tmp_path_factory.mktemp("town"))
    return client_of(made.serving)


def at(x: float, y: float) -> dict[str, str]:
    """A point of the little town, in metres from its corner."""
    lon, lat = lonlat(x, y)
    return {"lon": f"{lon:.9f}", "lat": f"{lat:.9f}"}


@pytest.mark.parametrize("mode", MODES)
def test_every_format_says_the_same(demo: TestClient, mode: str) -> None:
    asked = MIDDLE | {"mode": mode, "category": "okja,kita", "minutes": "20"}
    body = demo.get(API + PATH, params=asked).json()
    assert body["rows"]
    assert body["mode"] == mode
    same_in_every_format(demo, PATH, asked, geometry=False)
    first, *places = demo.get(API + PATH, params=asked | {"format": "geojson"}).json()["features"]
    assert first["geometry"] == body["polygon"]
    assert first["properties"] == {"kind": "polygon", "residents": body["residents"], "mode": mode,
                                   "residents_total": body["residents_total"]}  # fmt: skip
    assert [place["properties"] for place in places] == [{"kind": "place"} | row for row in body["rows"]]
    assert [place["geometry"]["coordinates"] for place in places] == [[row["lon"], row["lat"]] for row in body["rows"]]
    book = workbook(demo.get(API + PATH, params=asked | {"format": "xlsx"}).content)
    assert book.sheetnames == ["Daten", "Einwohner", "Erläuterungen"]
    people = list(book["Einwohner"].iter_rows(values_only=True))
    assert list(people[0]) == [LABELS[name] for name in ("age_from", "age_to", "residents")]
    assert [row[2] for row in people[1:]] == pytest.approx([band["residents"] for band in body["residents"]], rel=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_rows_residents_and_polygon_belong_together(demo: TestClient, mode: str) -> None:
    body = demo.get(API + PATH, params=MIDDLE | {"mode": mode, "minutes": "10"}).json()
    metres = [row["metres"] for row in body["rows"]]
    assert metres == sorted(metres)
    per_minute = 250 if mode == "bike" else 80
    assert all(row["minutes"] == pytest.approx(row["metres"] / per_minute) for row in body["rows"])
    assert all(row["minutes"] <= 10 for row in body["rows"])
    assert math.fsum(band["residents"] for band in body["residents"]) == pytest.approx(body["residents_total"])
    area = shapely.from_geojson(json.dumps(body["polygon"]))
    assert area.is_valid
    assert area.covers(shapely.Point(10.0, 53.56))
    assert all(area.distance(shapely.Point(row["lon"], row["lat"])) < 0.002 for row in body["rows"])


def test_filters_narrow_and_minutes_widen(demo: TestClient) -> None:
    def found(**asked: str) -> list[tuple[str, str]]:
        rows = demo.get(API + PATH, params=MIDDLE | asked).json()["rows"]
        return [(row["dataset"], row["facility_id"]) for row in rows]

    everything = found(minutes="20")
    assert set(found(minutes="10")) < set(everything)
    assert set(found(minutes="20", category="kita")) < set(everything)
    kita = found(minutes="20", category="kita", age_from="3", age_to="6")
    assert set(kita) <= set(found(minutes="20", category="kita"))
    assert not set(found(minutes="20", category="kita", age_from="30")) & set(kita)
    assert set(found(minutes="20", barrier_free="yes")) < set(everything)
    first = demo.get(API + PATH, params=MIDDLE | {"minutes": "20", "limit": "2"})
    rest = found(minutes="20", cursor=first.json()["meta"]["next"])
    assert [(row["dataset"], row["facility_id"]) for row in first.json()["rows"]] + rest == everything
    assert 'rel="next"' in first.headers["link"]


def test_by_hand(small: TestClient) -> None:
    body = small.get(API + PATH, params=at(50, 50) | {"category": "okja", "minutes": "1"}).json()
    # 80 m a minute, straight lines times 1.3: the place in the same spot, and that 10 m away.
    assert [row["facility_id"] for row in body["rows"]] == ["aa", "acity"]
    assert [row["metres"] for row in body["rows"]] == pytest.approx([0, 13], abs=0.2)
    assert body["residents_total"] == pytest.approx(480)
    assert body["residents"] == [
        {"age_from": 0, "age_to": 10, "residents": 80}, {"age_from": 10, "age_to": 18, "residents": 100},
        {"age_from": 18, "age_to": None, "residents": 300},
    ]  # fmt: skip
    assert any("kein Wegenetz" in sentence for sentence in body["meta"]["warnings"])
    fast = client_of(small.app.state.srk.engine, walk_speed_km_per_h=20)  # type: ignore[attr-defined]
    assert len(fast.get(API + PATH, params=at(50, 50) | {"minutes": "12"}).json()["rows"]) == 3


def test_a_town_without_residents_is_answered(database: Database, tmp_path: Path) -> None:
    from people_help import box

    load_areas(database.writing, tmp_path, "bezirk", {"1": box(0, 0, 1000, 1000)})
    load_facilities(database.writing, write_csv(tmp_path / "okja.csv", [offer("a", 50, 50)]))
    client = client_of(database.serving)
    body = client.get(API + PATH, params=at(50, 50)).json()
    assert (len(body["rows"]), body["residents"], body["residents_total"]) == (1, [], None)
    assert any("keine Einwohnerzahlen" in sentence for sentence in body["meta"]["warnings"])
    for wanted in ("geojson", "csv", "xlsx", "gpkg"):
        assert client.get(API + PATH, params=at(50, 50) | {"format": wanted}).status_code == 200
        empty = client.get(API + PATH, params=at(900, 900) | {"format": wanted, "minutes": "1"})
        assert empty.status_code == 200


def test_where_an_unpublished_home_stands_changes_nothing_for_the_public(database: Database, tmp_path: Path) -> None:
    town.build(database.writing, tmp_path)
    seen, internal = [], []
    for x in (100.0, 1450.0):
        rows = [offer("a", 50, 50), offer("home", x, 50, release="internal"),
                offer("by-area", x, 60, release="area_only")]  # fmt: skip
        load_facilities(database.writing, write_csv(tmp_path / "okja.csv", rows))
        public, planner = client_of(database.serving), client_of(database.serving, OFFICE)
        asked = at(50, 50) | {"minutes": "5", "mode": "line"}
        seen.append(public.get(API + PATH, params=asked).json()["rows"])
        assert planner.get(API + PATH, params=asked).json()["rows"] == seen[-1]
        internal.append(planner.get(API + PATH, params=asked | {"version": "intern"}).json()["rows"])
        is_problem(public.get(API + PATH, params=asked | {"version": "intern"}), 403)
    assert seen[0] == seen[1]
    assert [row["facility_id"] for row in seen[0]] == ["aa"]
    assert {row["facility_id"] for row in internal[0]} == {"aa", "ahome", "aby-area"}
    assert {row["facility_id"] for row in internal[1]} == {"aa"}


def test_answers_are_kept(demo: TestClient) -> None:
    first, again = (demo.get(API + PATH, params=MIDDLE) for _ in range(2))
    tag = first.headers["etag"]
    assert (first.content, tag) == (again.content, again.headers["etag"])
    assert demo.get(API + PATH, params=MIDDLE, headers={"if-none-match": tag}).status_code == 304
    assert demo.get(API + PATH, params=MIDDLE | {"lon": "10.001"}).headers["etag"] != tag


def test_no_nan_and_no_infinity_leaves_the_question(demo_database: Database) -> None:
    with reading(demo_database.serving) as session:
        for mode in (*MODES, None):
            for lon, lat in ((10.0, 53.56), (9.95, 53.55), (10.1, 53.48)):
                request = PointReachRequest(lon, lat, today(), mode=mode, minutes=5)
                assert all_finite(point_reach(session, request)) > 5


@pytest.mark.parametrize(("changed", "parameter"), [
    ({"lon": ""}, "lon"),
    ({"lat": ""}, "lat"),
    ({"lon": "zehn"}, "lon"),
    ({"lon": "nan"}, "lon"),
    ({"lon": "1e1"}, "lon"),
    ({"lon": "181"}, "lon"),
    ({"lat": "85.1"}, "lat"),
    ({"minutes": "0"}, "minutes"),
    ({"minutes": "121"}, "minutes"),
    ({"minutes": "10000"}, "minutes"),
    ({"mode": "auto"}, "mode"),
    ({"category": "quatsch"}, "category"),
    ({"barrier_free": "egal"}, "barrier_free"),
    ({"age_from": "18", "age_to": "6"}, "age_to"),
    ({"cursor": "quatsch"}, "cursor"),
    ({"level": "bezirk"}, "level"),
])  # fmt: skip
def test_bad_requests(demo: TestClient, changed: dict[str, str], parameter: str) -> None:
    is_problem(demo.get(API + PATH, params=MIDDLE | changed), 400, parameter)


@pytest.mark.parametrize("point", [{"lon": "0", "lat": "0"}, {"lon": "53.56", "lat": "10"},
                                   {"lon": "-170", "lat": "-80"}, {"lon": "13.4", "lat": "52.5"}])  # fmt: skip
def test_points_far_away(demo: TestClient, point: dict[str, Any]) -> None:
    for mode in MODES:
        assert is_problem(demo.get(API + PATH, params=point | {"mode": mode}), 400)["parameter"] in {"lon", "lat"}


def test_a_network_that_is_not_there_is_a_conflict(small: TestClient) -> None:
    for mode in ("walk", "bike"):
        is_problem(small.get(API + PATH, params=at(50, 50) | {"mode": mode}), 409)
