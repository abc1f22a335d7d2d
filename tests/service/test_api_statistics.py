"""``/api/v1/statistics`` and ``/api/v1/indicators``: the same rows in every format, errors as problems, pages, eyes."""

import re
from collections.abc import Callable
from typing import Any

import figures_town as town
import pytest
from conftest import Database
from service_help import API, client_of, csv_rows, gpkg_frame, is_problem, rows_of, sign_in, workbook
from starlette.testclient import TestClient

from geodata.indicators import HIDDEN_COUNTS
from geodata.viewer import Role, Viewer
from service.formats import MEDIA_TYPES
from service.labels import LABELS

PATH = "/statistics"
TOTAL = {"indicator": "population", "level": "stadtteil", "position": "total"}
COLUMNS = ["area_level", "area_key", "area_name", "indicator", "position", "period", "scenario", "counting", "value",
           "flag", "unit", "kind", "dataset"]  # fmt: skip


@pytest.fixture(scope="module")
def database(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = new_database()
    town.build(made.writing, tmp_path_factory.mktemp("town"))
    return made


@pytest.fixture
def client(database: Database) -> TestClient:
    return client_of(database.serving)


def test_rows_and_footnotes(client: TestClient) -> None:
    body = client.get(API + PATH, params=TOTAL).json()
    assert list(body["rows"][0]) == COLUMNS
    assert {row["area_key"]: row["value"] for row in body["rows"] if row["flag"] == "ok"} == town.TOTAL | {
        "ohne": town.WITHOUT}  # fmt: skip
    missing = [row for row in body["rows"] if row["value"] is None]
    assert [(row["area_key"], row["flag"], row["dataset"]) for row in missing] == [("14", "missing", None)]
    meta = body["meta"]
    assert (meta["missing"], meta["unit"], meta["next"]) == (1, "Personen", None)
    assert {source["dataset"] for source in meta["sources"]} == {town.AMTLICH, "areas.stadtteil"}
    assert meta["sources"][0]["licence"] == "dl-de/by-2-0"


@pytest.mark.parametrize("asked", [TOTAL, {"indicator": "wohnungen", "level": "stadtteil"},
                                   {"indicator": "eigenes", "level": "stadtteil"}])  # fmt: skip
def test_every_format_says_the_same(client: TestClient, asked: dict[str, str]) -> None:
    rows = rows_of(client, PATH, **asked)
    for wanted, media in MEDIA_TYPES.items():
        answer = client.get(API + PATH, params=asked | {"format": wanted.value})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == media
    get = lambda wanted: client.get(API + PATH, params=asked | {"format": wanted})  # noqa: E731
    features = get("geojson").json()["features"]
    assert [feature["properties"] for feature in features] == rows
    drawn = {feature["properties"]["area_key"] for feature in features if feature["geometry"] is not None}
    assert drawn == {row["area_key"] for row in rows} - {"ohne"}
    table = csv_rows(get("csv").content)
    assert [[row[name] for name in COLUMNS] for row in table] == [
        ["" if row[name] is None else str(row[name]) for name in COLUMNS] for row in rows]  # fmt: skip
    sheet = workbook(get("xlsx").content)["Daten"]
    assert [cell.value for cell in sheet[1]] == [LABELS[name] for name in COLUMNS]
    assert [row[8].value for row in sheet.iter_rows(min_row=2)] == [row["value"] for row in rows]
    frame = gpkg_frame(get("gpkg").content)
    assert frame["area_key"].tolist() == [row["area_key"] for row in rows]
    assert frame["value"].isna().sum() == sum(row["value"] is None for row in rows)


def test_filters(client: TestClient) -> None:
    assert [row["area_key"] for row in rows_of(client, PATH, **TOTAL, area="bezirk:1")] == ["11", "12", "13", "14"]
    assert {row["period"] for row in rows_of(client, PATH, **TOTAL, period="2019-12-31")} == {"2019-12-31"}
    assert {row["value"] for row in rows_of(client, PATH, **TOTAL, scenario="prognose")} == {120, None}
    assert len(rows_of(client, PATH, indicator="population", level="stadtteil")) == 2 * 8 + 1


@pytest.mark.parametrize(("changed", "parameter"), [
    ({"indicator": ""}, "indicator"), ({"level": ""}, "level"), ({"indicator": "hunde"}, "indicator"),
    ({"level": "kiez"}, "level"), ({"level": "Stadtteil"}, "level"), ({"period": "2021-Q5"}, "period"),
    ({"period": "1999"}, "period"), ({"scenario": "IST"}, "scenario"), ({"position": "31"}, "position"),
    ({"area": "bezirk"}, "area"), ({"area": "bezirk:9"}, "area"), ({"format": "pdf"}, "format"),
    ({"limit": "0"}, "limit"), ({"cursor": "Quatsch"}, "cursor"), ({"jahr": "2020"}, "jahr"),
    ({"version": "geheim"}, "version"),
])  # fmt: skip
def test_errors_name_the_parameter(client: TestClient, changed: dict[str, str], parameter: str) -> None:
    is_problem(client.get(API + PATH, params=TOTAL | changed), 400, parameter)


def test_errors_say_what_there_is(client: TestClient) -> None:
    problem = is_problem(client.get(API + PATH, params=TOTAL | {"period": "1999"}), 400)
    assert problem["allowed"] == ["2020", "2019-12-31"]
    problem = is_problem(client.get(API + PATH, params=TOTAL | {"indicator": "hunde"}), 400)
    assert problem["allowed"] == ["cases", "eigenes", "population", "wohnungen"]


def test_a_cursor_of_another_question_is_refused(client: TestClient) -> None:
    cursor = client.get(API + "/areas", params={"level": "bezirk", "limit": 1}).json()["meta"]["next"]
    is_problem(client.get(API + PATH, params=TOTAL | {"cursor": cursor}), 400, "cursor")


@pytest.mark.parametrize("limit", [1, 4, 16])
def test_pages_visit_every_row_once(client: TestClient, limit: int) -> None:
    asked = {"indicator": "population", "level": "stadtteil", "limit": limit}
    everything = rows_of(client, PATH, **asked | {"limit": 1000})
    url, seen = f"{API}{PATH}?indicator=population&level=stadtteil&limit={limit}", []
    while url:
        answer = client.get(url)
        seen += answer.json()["rows"]
        link = re.match(r"<([^>]+)>", answer.headers.get("link", ""))
        url = link[1] if link else ""
    assert seen == everything


def test_an_import_makes_a_new_answer(client: TestClient, database: Database, tmp_path: Any) -> None:
    first = client.get(API + PATH, params={"indicator": "neu", "level": "bezirk"})
    assert first.status_code == 400
    kept = client.get(API + PATH, params=TOTAL)
    assert client.get(API + PATH, params=TOTAL, headers={"If-None-Match": kept.headers["etag"]}).status_code == 304
    rows = [town.figure("bezirk", "1", "neu", "", "2020", 5)]
    town.load_figures(database.writing, tmp_path, rows, "statistics.neu", town.Counting("stichtag"))
    assert rows_of(client, PATH, indicator="neu", level="bezirk")[0]["value"] == 5
    again = client.get(API + PATH, params=TOTAL, headers={"If-None-Match": kept.headers["etag"]})
    assert again.status_code == 200
    assert again.json()["rows"] == kept.json()["rows"]


class TestHelps:
    """Small counts of helps are shown in the Interne Fassung, inside the own office's areas."""

    ASKED = {"indicator": "cases", "level": "bezirk"}  # noqa: RUF012

    def test_the_public_sees_what_is_published(self, client: TestClient) -> None:
        body = client.get(API + PATH, params=self.ASKED).json()
        shown = [(row["area_key"], row["value"], row["flag"]) for row in body["rows"]]
        assert shown == [("1", 12, "ok"), ("2", None, "suppressed")]
        assert HIDDEN_COUNTS in body["meta"]["warnings"]
        body = client.get(API + PATH, params=self.ASKED | {"indicator": "counselling_new"}).json()
        assert body["rows"] == []
        assert body["meta"]["warnings"] == [HIDDEN_COUNTS]
        is_problem(client.get(API + PATH, params=self.ASKED | {"version": "intern"}), 403)

    def test_the_planner_takes_small_ones_from_the_internal_version_only(self, database: Database) -> None:
        client = client_of(database.serving)
        sign_in(client, Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),)))
        shown = [(row["area_key"], row["value"]) for row in rows_of(client, PATH, **self.ASKED)]
        assert shown == [("1", 12), ("2", None)]
        answer = client.get(API + PATH, params=self.ASKED | {"version": "intern"})
        assert [(row["area_key"], row["value"]) for row in answer.json()["rows"]] == [("1", 12), ("2", 2)]
        assert answer.headers["cache-control"] == "private, no-cache"

    def test_what_is_not_published_is_unreadable_by_any_format(self, client: TestClient) -> None:
        for wanted in MEDIA_TYPES:
            body = client.get(API + PATH, params=self.ASKED | {"indicator": "hours", "format": wanted.value}).content
            assert b"statistics.hilfen" not in body


def test_the_list_of_indicators(client: TestClient) -> None:
    rows = {row["indicator"]: row for row in rows_of(client, "/indicators")}
    assert {"cases", "eigenes", "population", "wohnungen"} <= set(rows)
    assert rows["population"]["title"] == "Einwohnerinnen und Einwohner"
    assert rows["population"]["levels"] == ["bezirk", "stadtteil"]
    table = {
        row["indicator"]: row for row in csv_rows(client.get(API + "/indicators", params={"format": "csv"}).content)
    }
    assert table["population"]["periods"] == "2030;2020;2019-12-31"
    assert client.get(API + "/indicators", params={"format": "geojson"}).status_code == 400
    heads = [
        cell.value for cell in workbook(client.get(API + "/indicators", params={"format": "xlsx"}).content)["Daten"][1]
    ]
    assert heads == [LABELS[name] for name in rows["population"]]


def test_figures_without_position_and_of_one_counting(client: TestClient) -> None:
    flats = rows_of(client, PATH, indicator="wohnungen", level="stadtteil", position="ohne")
    assert flats == rows_of(client, PATH, indicator="wohnungen", level="stadtteil")
    assert is_problem(client.get(API + PATH, params=TOTAL | {"position": "ohne"}), 400, "position")
    own = {"indicator": "eigenes", "level": "stadtteil"}
    means = rows_of(client, PATH, **own, counting="mittel_12_stichtage")
    assert {row["counting"] for row in means} == {"mittel_12_stichtage"}
    assert len(means) < len(rows_of(client, PATH, **own))
    for counting in ("quatsch", "kumuliert", "ohne"):
        assert "stichtag" in is_problem(client.get(API + PATH, params=own | {"counting": counting}), 400, "counting")[
            "allowed"]  # fmt: skip
