"""``/api/v1/gaps`` and ``/api/v1/standards``: rows, formats, what may be asked, and what is refused."""

from collections.abc import Callable
from typing import Any

import gaps_town as town
import pytest
from analysis_help import all_finite, same_in_every_format
from conftest import Database
from service_help import API, client_of, is_problem, rows_of
from starlette.testclient import TestClient

from geodata.database import reading
from geodata.gap_request import GapsRequest, NeedIndicator
from geodata.gaps import gaps
from geodata.standards import standards
from service.api.parameters import indicators_of, need_of
from service.context import today

PATH = "/gaps"
STANDARDS = ("plaetze", "wege", "kapazitaet", "alle_alter")
OKJA = {"level": "stadtteil", "category": "okja"}


@pytest.fixture(scope="module")
def made(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = new_database()
    town.build(made.writing, tmp_path_factory.mktemp("town"))
    return made


@pytest.fixture(scope="module")
def client(made: Database) -> TestClient:
    return client_of(made.serving)


@pytest.fixture(scope="module")
def demo(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


@pytest.mark.parametrize("standard", STANDARDS)
def test_every_format_says_the_same(client: TestClient, standard: str) -> None:
    same_in_every_format(client, PATH, {"level": "stadtteil", "standard": standard, "need": "sgb2,-wohnflaeche*0.5"})


def test_a_standard_says_what_is_asked(client: TestClient) -> None:
    by_code = {row["area_key"]: row for row in rows_of(client, PATH, level="stadtteil", standard="plaetze")}
    by_value = {
        row["area_key"]: row for row in rows_of(
            client, PATH, **OKJA, standard_value="50", measure="supply", age_from="10", age_to="18"
        )
    }  # fmt: skip
    assert by_code == by_value
    # 50 per 1,000 of 100 young people: 5 needed, 2 there.
    assert (by_code["A"]["standard"], by_code["A"]["needed"], by_code["A"]["deficit"]) == (50, 5, 3)
    assert by_code["A"]["deficit_per_1000"] == 30
    assert (by_code["E"]["rank"], by_code["E"]["deficit"]) == (None, None)
    assert (
        "Richtwert"
        in client.get(API + PATH, params={"level": "stadtteil", "standard": "wege"}).json()["meta"]["method"]
    )


def test_ranks_pages_and_need(client: TestClient) -> None:
    asked = {"level": "stadtteil", "standard": "plaetze", "need": "sgb2*2,-wohnflaeche", "need_weight": "0.5"}
    rows = rows_of(client, PATH, **asked)
    ranks = [row["rank"] for row in rows if row["rank"] is not None]
    assert ranks == sorted(ranks)
    assert ranks[0] == 1
    for row in rows:
        if row["rank"] is not None:
            assert row["rank_low"] <= row["rank"] <= row["rank_high"]
        assert row["reason"].endswith(".")
    first = client.get(API + PATH, params=asked | {"limit": "3"}).json()
    rest = client.get(API + PATH, params=asked | {"cursor": first["meta"]["next"]}).json()
    assert first["rows"] + rest["rows"] == rows
    assert "33,3" in first["meta"]["method"]
    assert rows != rows_of(client, PATH, level="stadtteil", standard="plaetze")


def test_standards(client: TestClient, demo: TestClient) -> None:
    assert {row["code"] for row in rows_of(client, "/standards")} == set(STANDARDS)
    same_in_every_format(client, "/standards", {}, refused=("geojson", "gpkg"))
    for row in rows_of(demo, "/standards"):
        assert row["title"].startswith("Beispiel-Richtwert")
        assert row["resolution"] == "Beispiel, kein Beschluss"


def test_no_standard_is_an_empty_answer(database: Database) -> None:
    body = client_of(database.serving).get(API + "/standards").json()
    assert body["rows"] == []
    assert "kein Richtwert hinterlegt" in body["meta"]["warnings"][0]


def test_the_demos_standards_in_the_demo(demo: TestClient) -> None:
    for standard in rows_of(demo, "/standards"):
        for level in ("bezirk", "stadtteil"):
            rows = rows_of(demo, PATH, level=level, standard=standard["code"], need="sgb2_u14_proz")
            assert {row["standard"] for row in rows} == {standard["value"]}
            assert any(row["rank"] == 1 for row in rows)
    same_in_every_format(demo, PATH, {"level": "bezirk", "standard": standard["code"]})


@pytest.mark.parametrize("standard", STANDARDS)
def test_no_nan_and_no_infinity_leaves_the_question(made: Database, standard: str) -> None:
    with reading(made.serving) as session:
        for level in ("stadtteil", "bezirk"):
            for need in ((), (NeedIndicator("sgb2", direction=-1), NeedIndicator("wohnflaeche"))):
                if level == "bezirk" and need:
                    continue
                answer = gaps(session, GapsRequest(level, today(), standard=standard, need=need))
                assert all_finite(answer) > 10
        assert all_finite(standards(session)) > 3


def test_no_nan_and_no_infinity_in_the_demo(demo_database: Database) -> None:
    with reading(demo_database.serving) as session:
        for row in standards(session).rows:
            for level in ("land", "bezirk", "stadtteil", "statgebiet"):
                request = GapsRequest(level, today(), standard=row.code, need=(NeedIndicator("sgb2_u14_proz"),))
                assert all_finite(gaps(session, request)) > 4


@pytest.mark.parametrize(("changed", "parameter"), [
    ({"standard_value": ""}, "standard"),
    ({"standard": "gibtesnicht", "standard_value": ""}, "standard"),
    ({"standard_value": "0"}, "standard_value"),
    ({"standard_value": "-5"}, "standard_value"),
    ({"standard_value": "nan"}, "standard_value"),
    ({"standard_value": "1e3"}, "standard_value"),
    ({"standard_value": "1,5"}, "standard_value"),
    ({"standard_value": "1.5", "measure": "reach"}, "standard_value"),
    ({"standard": "wege", "standard_value": ""}, "measure"),
    ({"standard": "plaetze", "category": "kita", "standard_value": ""}, "category"),
    ({"age_from": "18", "age_to": "10"}, "age_to"),
    ({"minutes": "15"}, "minutes"),
    ({"measure": "reach", "standard_value": "0.5", "minutes": "0"}, "minutes"),
    ({"measure": "reach", "standard_value": "0.5", "decay": "none"}, "decay"),
    ({"level": "mond"}, "level"),
    ({"level": ""}, "level"),
    ({"category": ""}, "category"),
    ({"need": "gibtesnicht"}, "need"),
    ({"need": "sgb2*x"}, "need"),
    ({"need": "sgb2,,wohnflaeche"}, "need"),
    ({"need": "--sgb2"}, "need"),
    ({"need": "sgb2*0"}, "need"),
    ({"need": "sgb2,sgb2"}, "need"),
    ({"need": ",".join(f"k{number}" for number in range(7))}, "need"),
    ({"need": "sgb2", "need_weight": "-1"}, "need_weight"),
    ({"need_weight": "1"}, "need_weight"),
    ({"type": "x"}, "type"),
])  # fmt: skip
def test_bad_requests(client: TestClient, changed: dict[str, str], parameter: str) -> None:
    asked = OKJA | {"standard_value": "30", "measure": "supply"} | changed
    is_problem(client.get(API + PATH, params=asked), 400, parameter)


def test_a_network_that_is_not_there_is_a_conflict(client: TestClient) -> None:
    asked = OKJA | {"measure": "reach", "standard_value": "0.5", "mode": "walk"}
    is_problem(client.get(API + PATH, params=asked), 409)


@pytest.mark.parametrize(("given", "meant"), [
    (None, ()), ("", ()),
    ("sgb2", (NeedIndicator("sgb2"),)),
    (" -sgb2 , cases:35-ambulant*0.5",
     (NeedIndicator("sgb2", direction=-1), NeedIndicator("cases", "35-ambulant", 0.5))),
    ("-a:0-18*2,b*3", (NeedIndicator("a", "0-18", 2, -1), NeedIndicator("b", None, 3))),
    ("population:65-", (NeedIndicator("population", "65-"),)),
])  # fmt: skip
def test_how_need_is_written(given: Any, meant: Any) -> None:
    assert need_of(given) == meant
    if given and "-sgb2" not in given and not given.startswith("-"):
        assert [(one.code, one.position, one.weight) for one in indicators_of(given)] == [
            (one.code, one.position, one.weight) for one in meant
        ]
