"""``/api/v1/controlling`` and its budget: the same rows in every format, errors as problems, pages, eyes."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from analysis_help import all_finite, same_in_every_format
from conftest import Database
from controlling_town import ADMIN, PLANNER, town
from service_help import API, client_of, csv_rows, is_problem, rows_of, workbook
from starlette.testclient import TestClient

from geodata.viewer import Role, Viewer
from service.formats import MEDIA_TYPES
from service.labels import label

PATH, BUDGET = "/controlling", "/controlling/budget"
PROVIDER = Viewer(Role.PROVIDER, provider_key="t1")
WALLE = {"level": "sozialzentrum", "base": "2014", "version": "intern"}
MITTE = {"area": "bezirk:1", "version": "intern"}
COLUMNS = ["area_level", "area_key", "area_name", "period", "position", "counting", "unit", "flag", "cases",
           "spending_eur", "residents", "help_density", "spending_per_resident", "spending_per_case", "hours_per_case",
           "group_offer_share", "change_pct", "target_eur", "diff_to_city", "effect_pp", "help_quotient",
           "follow_up_share", "counselling_ratio"]  # fmt: skip


@pytest.fixture
def client(examples_database: Database) -> TestClient:
    return client_of(examples_database.serving, ADMIN)


@pytest.fixture(scope="module")
def made(new_database: Callable[[], Database]) -> Database:
    database = new_database()
    with town(database.writing) as rows:
        rows.dataset("statistics.hilfen")
        for area in ("1", "2"):
            for position, cases in (("alle_hilfen", 120.0), ("31", 70.0)):
                rows.figure("statistics.hilfen", area, "cases", position, "2020", cases)
                rows.figure("statistics.hilfen", area, "spending_eur", position, "2020", cases * 1000)
    return database


def test_columns_of_the_contract(client: TestClient) -> None:
    rows = rows_of(client, PATH, **WALLE)
    assert set(COLUMNS) <= set(rows[0])
    assert all_finite(rows) > 500
    assert any(row["target_eur"] is not None for row in rows)
    (walle,) = rows_of(client, PATH, level="stadtteil", base="2011", version="intern")
    assert (walle["area_key"], walle["period"], walle["change_pct"]) == ("walle", "2012", -5.04)
    assert round(walle["effect_pp"], 2) == -9.55


def test_every_format_says_the_same(client: TestClient) -> None:
    refused = ("geojson", "gpkg")
    same_in_every_format(client, BUDGET, MITTE, refused=refused)
    rows = rows_of(client, PATH, **WALLE)
    for wanted in refused:
        is_problem(client.get(API + PATH, params=WALLE | {"format": wanted}), 400, "format")
    table = csv_rows(client.get(API + PATH, params=WALLE | {"format": "csv"}).content)
    assert [row["cases"] for row in table] == ["" if row["cases"] is None else str(row["cases"]) for row in rows]
    heads, *cells = workbook(client.get(API + PATH, params=WALLE | {"format": "xlsx"}).content)["Daten"].iter_rows()
    by_name = {cell.value: column for column, cell in enumerate(heads)}
    for name, look in (("cases", "#,##0.0"), ("spending_eur", "#,##0"), ("help_quotient", "0.00"),
                       ("follow_up_share", "0.0%"), ("residents", "#,##0")):  # fmt: skip
        column = by_name[label("controlling", name)]
        assert [row[column].value for row in cells] == [pytest.approx(row[name]) for row in rows]
        assert {row[column].number_format for row in cells if row[column].value is not None} == {look}
    assert label("controlling", "residents") == "Jugendeinwohner (0 bis unter 21)"


def test_filters(client: TestClient) -> None:
    some = rows_of(client, PATH, level="sozialzentrum", version="intern", area="sozialzentrum:SZ2", **{"from": "2018"},
                   to="2019")  # fmt: skip
    assert {(row["area_key"], row["period"]) for row in some} == {("SZ2", "2018"), ("SZ2", "2019")}
    assert {row["change_pct"] for row in some} == {row["target_eur"] for row in some} == {None}
    plain, steep = (rows_of(client, PATH, **WALLE, to="2014", **more) for more in ({}, {"yearly_growth": "0.5"}))
    assert [row["target_eur"] for row in plain] == [row["target_eur"] for row in steep]
    later = [rows_of(client, PATH, **WALLE, **{"from": "2015"}, to="2015", yearly_growth=growth)[0]["target_eur"]
             for growth in ("0.04", "-0.5")]  # fmt: skip
    assert later[0] == pytest.approx(later[1] / 0.5 * 1.04)
    dense = rows_of(client, PATH, **WALLE, measure="help_density", city_level="stadt")
    assert any(row["diff_to_city"] is not None for row in dense)
    assert {row["scenario"] for row in rows_of(client, "/statistics", indicator="spending_eur", level="stadt",
                                               version="intern", scenario="prognose")} == {"prognose"}  # fmt: skip


@pytest.mark.parametrize(("asked", "parameter"), [
    ({"level": ""}, "level"), ({"level": "mond"}, "level"), ({"from": "2021-Q5"}, "from"), ({"to": "bald"}, "to"),
    ({"from": "2020", "to": "2014"}, "to"), ({"base": "damals"}, "base"), ({"area": "sozialzentrum"}, "area"),
    ({"area": "sozialzentrum:SZ9"}, "area"), ({"yearly_growth": "-1"}, "yearly_growth"),
    ({"yearly_growth": "viel"}, "yearly_growth"), ({"yearly_growth": "11"}, "yearly_growth"),
    ({"scenario": "wunsch"}, "scenario"), ({"measure": "glueck"}, "measure"), ({"city_level": "mond"}, "city_level"),
    ({"format": "gpkg"}, "format"), ({"limit": "0"}, "limit"), ({"cursor": "Quatsch"}, "cursor"),
    ({"period": "2020"}, "period"), ({"version": "geheim"}, "version"),
])  # fmt: skip
def test_errors_name_the_parameter(client: TestClient, asked: dict[str, str], parameter: str) -> None:
    is_problem(client.get(API + PATH, params={"level": "sozialzentrum"} | asked), 400, parameter)


@pytest.mark.parametrize(("asked", "parameter"), [
    ({"area": ""}, "area"), ({"area": "bezirk"}, "area"), ({"area": "bezirk:9"}, "area"), ({"area": "mond:1"}, "area"),
    ({"from": "2021-Q5"}, "from"), ({"from": "2020-Q1"}, "from"), ({"to": "2020-H1"}, "to"),
    ({"from": "2020", "to": "2017"}, "to"), ({"base": "2020-12-31"}, "base"), ({"level": "bezirk"}, "level"),
    ({"limit": "5"}, "limit"), ({"format": "geojson"}, "format"),
])  # fmt: skip
def test_errors_of_the_budget_name_the_parameter(client: TestClient, asked: dict[str, str], parameter: str) -> None:
    is_problem(client.get(API + BUDGET, params={"area": "bezirk:1"} | asked), 400, parameter)


def test_the_published_budget(client: TestClient) -> None:
    rows = {row["period"]: row for row in rows_of(client, BUDGET, **MITTE)}
    assert list(rows) == ["2017", "2018", "2019", "2020"]
    assert round(rows["2020"]["steering_effect_eur"]) == -3_812_290
    assert rows["2020"]["budget_use"] == pytest.approx(1.07)
    based = rows_of(client, BUDGET, **MITTE, base="2018", **{"from": "2019"}, to="2019")
    assert [(row["period"], row["base"]) for row in based] == [("2019", "2018")]


class TestEyes:
    """Who reads what; of small counts ``geodata`` decides."""

    @pytest.mark.parametrize("path", [PATH + "?level=bezirk", BUDGET + "?area=bezirk:1"])
    def test_the_internal_version_is_the_planners(self, made: Database, path: str) -> None:
        for viewer in (None, PROVIDER):
            is_problem(client_of(made.serving, viewer).get(f"{API}{path}&version=intern"), 403)
        for viewer in (PLANNER, ADMIN):
            answer = client_of(made.serving, viewer).get(f"{API}{path}&version=intern")
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "private, no-cache"

    @pytest.mark.parametrize("path", [PATH + "?level=bezirk", BUDGET + "?area=bezirk:1"])
    def test_the_published_version_is_the_same_to_everyone(self, made: Database, path: str) -> None:
        bodies = {
            client_of(made.serving, viewer).get(API + path).content for viewer in (None, PLANNER, ADMIN, PROVIDER)
        }
        assert len(bodies) == 1

    def test_a_planner_reads_the_own_bezirk(self, made: Database) -> None:
        rows = rows_of(client_of(made.serving, PLANNER), PATH, level="bezirk", version="intern")
        own = {row["position"]: row["cases"] for row in rows if row["area_key"] == "1"}
        assert (own["alle_hilfen"], own["31"]) == (120, 70)


def test_a_position_is_asked_for_by_name(client: TestClient) -> None:
    whole, some = rows_of(client, PATH, **WALLE), rows_of(client, PATH, **WALLE, position="ambulant")
    assert some == [row for row in whole if row["position"].removesuffix("-nicht-zuordenbar") == "ambulant"]
    assert 0 < len(some) < len(whole)
    refused = client.get(API + PATH, params=WALLE | {"position": "ambulannt"})
    assert (refused.status_code, refused.json()["parameter"]) == (400, "position")
    assert "ambulant" in refused.json()["allowed"]


def test_pages_come_in_order_and_end(client: TestClient) -> None:
    whole = rows_of(client, PATH, **WALLE)
    got: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(API + PATH, params=WALLE | {"limit": "40"} | cursor).json()
        got += page["rows"]
        if page["meta"]["next"] is None:
            break
        cursor = {"cursor": page["meta"]["next"]}
    names = [(row["area_key"], row["period"], row["position"], row["counting"]) for row in got]
    assert names == [(row["area_key"], row["period"], row["position"], row["counting"]) for row in whole]
    assert len(whole) > 120


@pytest.mark.parametrize("held", ["SZ1\n2020", "SZ1\ngestern\nalle_hilfen\n", "SZ99\n2020\nalle_hilfen\n"])
def test_cursors_of_other_questions_are_refused(client: TestClient, held: str) -> None:
    cursor = base64.urlsafe_b64encode(f"srk:{held}".encode()).decode().rstrip("=")
    is_problem(client.get(API + PATH, params=WALLE | {"cursor": cursor}), 400, "cursor")


@pytest.mark.parametrize(("path", "asked"), [(PATH, WALLE), (BUDGET, MITTE), ("/placements", {"level": "bezirk"})])
def test_rows_and_formats_are_those_described(client: TestClient, path: str, asked: dict[str, str]) -> None:
    described = client.get("/api/openapi.json").json()["paths"][API + path]["get"]["responses"]["200"]["content"]
    body = client.get(API + path, params=asked).json()
    rows = described["application/json"]["schema"]["properties"]["rows"]["items"]
    assert set(body["rows"][0]) == set(rows["properties"])
    served = {media.split(";")[0] for wanted, media in MEDIA_TYPES.items()
              if client.get(API + path, params=asked | {"format": wanted.value}).status_code == 200}  # fmt: skip
    assert served == set(described)
