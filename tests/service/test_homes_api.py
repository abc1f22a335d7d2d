"""The route and the command of homes: the same answer in every format, and nothing in it that a viewer may not see."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from analysis_help import all_finite
from conftest import TODAY, Database
from home_town import build_homes
from service_help import API, client_of, csv_rows, gpkg_frame, is_problem, rows_of, workbook
from starlette.testclient import TestClient

from geodata.database import Access, reading
from geodata.home_gaps import HomeGapsRequest, home_gaps
from geodata.viewer import Role, Version, Viewer
from service.api.homes import render_homes
from service.cli.analysing_homes import shown
from service.formats import MEDIA_TYPES, Format
from service.labels import band_column, label

PATH = "/placements/gaps"
ASKED = {"level": "stadtteil", "bands_km": "0.8,5"}
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
INTERNAL = {"version": "intern"}


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database]) -> Database:
    made = new_database()
    build_homes(made.writing)
    return made


@pytest.fixture(scope="module")
def client(town: Database) -> TestClient:
    return client_of(town.serving)


@pytest.fixture(scope="module")
def planner(town: Database) -> TestClient:
    return client_of(town.serving, PLANNER)


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row of JSON as tables have it."""
    bands = {f"{name}_{str(band['km']).removesuffix('.0').replace('.', '_')}km": band[name]
             for band in row["bands"] for name in ("homes", "homes_without_places", "places")}  # fmt: skip
    return {name: value for name, value in row.items() if name != "bands"} | bands


def test_bands_are_objects_in_json(client: TestClient) -> None:
    body = client.get(API + PATH, params=ASKED).json()
    first = body["rows"][0]
    assert (first["area_key"], first["rank"], first["cases"]) == ("23", 1, 42)
    assert first["bands"] == [
        {"km": 0.8, "homes": 0, "homes_without_places": 0, "places": 0.0},
        {"km": 5.0, "homes": 3, "homes_without_places": 0, "places": 14.0},
    ]
    assert first["reason"].startswith("42 Fälle, kein freigegebener Platz nach § 34 im Umkreis von 0,8 km; ")
    hidden = next(row for row in body["rows"] if row["area_key"] == "21")
    assert (hidden["cases"], hidden["rank"], hidden["suppressed"]) == (None, None, True)
    assert "Einrichtungen ohne Freigabe sind nicht enthalten." in body["meta"]["warnings"]


def test_every_format_says_the_same(client: TestClient) -> None:
    rows = [flat(row) for row in rows_of(client, PATH, **ASKED)]
    answers = {wanted: client.get(API + PATH, params=ASKED | {"format": wanted.value}) for wanted in Format}
    for wanted, answer in answers.items():
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == MEDIA_TYPES[wanted]
    table = csv_rows(answers[Format.CSV].content)
    numbers = ("cases", "rank", "homes", "places", "homes_0_8km", "places_5km", "homes_without_places_5km",
               "nearest_km", "office_places", "near_places_per_case")  # fmt: skip
    for name in numbers:
        assert [row[name] for row in table] == ["" if row[name] is None else str(row[name]) for row in rows], name
    assert "bands" not in table[0]
    frame = gpkg_frame(answers[Format.GPKG].content)
    assert frame["places_5km"].fillna(-1).tolist() == [-1 if r["places_5km"] is None else r["places_5km"] for r in rows]
    assert frame.geometry.isna().sum() == 1
    features = answers[Format.GEOJSON].json()["features"]
    assert [one["properties"] for one in features] == rows_of(client, PATH, **ASKED)


def test_a_workbook_tells_suppressed_from_missing(client: TestClient) -> None:
    sheet = workbook(client.get(API + PATH, params=ASKED | {"format": "xlsx"}).content)["Daten"]
    headings = [cell.value for cell in sheet[1]]
    assert "Plätze bis 0,8 km" in headings
    assert "Einrichtungen ohne Platzangabe bis 5 km" in headings
    by_key = {row[headings.index("Gebietsschlüssel")].value: row for row in sheet.iter_rows(min_row=2)}
    cases = headings.index("Fälle")
    assert (by_key["21"][cases].value, by_key["34"][cases].value, by_key["23"][cases].value) == ("•", None, 42)
    assert by_key["21"][headings.index("Rang")].value == "•"
    assert by_key["23"][headings.index("Plätze bis 5 km")].value == 14


def test_columns_of_bands_have_names_and_headings() -> None:
    for km, name, heading in ((5.0, "places_5km", "Plätze bis 5 km"), (2.5, "places_2_5km", "Plätze bis 2,5 km"),
                              (123.456, "places_123_456km", "Plätze bis 123,456 km")):  # fmt: skip
        assert band_column("places", km) == name
        assert label("heimplaetze", name) == heading


def test_pages_and_areas(client: TestClient) -> None:
    rows = rows_of(client, PATH, **ASKED)
    first = client.get(API + PATH, params=ASKED | {"limit": "4"}).json()
    rest = client.get(API + PATH, params=ASKED | {"cursor": first["meta"]["next"]}).json()
    assert first["rows"] + rest["rows"] == rows
    assert {row["area_key"] for row in rows_of(client, PATH, **ASKED, area="bezirk:1")} == {"11", "12", "13", "14"}
    assert rows_of(client, PATH, level="bezirk", area_role="zustaendig", period="2021-Q3")[0]["area_key"] == "2"


def test_who_may_ask_for_the_internal_version(client: TestClient, planner: TestClient, town: Database) -> None:
    is_problem(client.get(API + PATH, params=ASKED | INTERNAL), 403)
    is_problem(client_of(town.serving, Viewer(Role.PROVIDER, "t2")).get(API + PATH, params=ASKED | INTERNAL), 403)
    answer = planner.get(API + PATH, params=ASKED | INTERNAL)
    assert answer.headers["cache-control"] == "private, no-cache"
    rows = {row["area_key"]: row for row in answer.json()["rows"]}
    assert (rows["14"]["homes"], rows["21"]["cases"]) == (1, None)
    # Unless asked for, planners too get what the public gets.
    assert rows_of(planner, PATH, **ASKED) == rows_of(client, PATH, **ASKED)


@pytest.mark.parametrize(("changed", "parameter"), [
    ({"level": ""}, "level"), ({"level": "mond"}, "level"), ({"paragraph": "Heim"}, "paragraph"),
    ({"paragraph": "33"}, "paragraph"), ({"period": "2021-Q5"}, "period"), ({"period": "1999-Q1"}, "period"),
    ({"area_role": "x"}, "area_role"), ({"counting": "begonnen"}, "counting"), ({"area": "bezirk"}, "area"),
    ({"area": "bezirk:9"}, "area"), ({"bands_km": "5,,10"}, "bands_km"), ({"bands_km": "5;10"}, "bands_km"),
    ({"bands_km": "10,5"}, "bands_km"), ({"bands_km": "0"}, "bands_km"), ({"bands_km": "5,201"}, "bands_km"),
    ({"bands_km": "1,2,3,4,5,6"}, "bands_km"), ({"bands_km": "nan"}, "bands_km"), ({"near_km": "6"}, "near_km"),
    ({"near_km": "x"}, "near_km"), ({"cursor": "c3JrOm1pc3Npbmc"}, "cursor"), ({"category": "hze"}, "category"),
])  # fmt: skip
def test_bad_requests(client: TestClient, changed: dict[str, str], parameter: str) -> None:
    problem = is_problem(client.get(API + PATH, params=ASKED | changed), 400, parameter)
    # No count is in an error's text.
    assert not re.search(r"\b(42|30)\b", problem["detail"])


def test_no_nan_and_no_infinity(town: Database) -> None:
    for viewer, version in ((Viewer(), Version.PUBLISHED), (Viewer(Role.ADMIN), Version.INTERNAL)):
        for level in ("stadtteil", "bezirk", "land"):
            with reading(town.serving, Access(viewer)) as session:
                assert all_finite(home_gaps(session, HomeGapsRequest(level, TODAY, version=version))) > 10


def test_the_command_shows_what_the_route_says(town: Database) -> None:
    with reading(town.serving) as session:
        answer = home_gaps(session, HomeGapsRequest("stadtteil", TODAY, bands_km=(0.8, 5.0)))
    lines = list(shown(answer))
    assert " ".join(lines[0].split()) == (
        "Rang Schlüssel Gebiet Fälle Einrichtungen ohne Angabe Plätze Plätze bis 0,8 km Plätze bis 5 km nächste in km"
    )
    by_key = {line.split()[1]: line for line in lines[2:15]}
    assert by_key["21"].split()[:5] == ["•", "21", "stadtteil", "21", "•"]
    assert by_key["34"].split()[:5] == ["–", "34", "stadtteil", "34", "fehlt"]
    assert any(line.startswith("stadtteil 23: 42 Fälle, kein freigegebener Platz nach § 34") for line in lines)
    body = json.loads(render_homes(answer, Format.JSON))
    assert len(body["rows"]) == 13
