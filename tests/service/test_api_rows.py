"""The API's rows against the demo city's own, worked out without the database; the same in every format."""

import json
import math
import re
from collections import Counter, defaultdict
from typing import Any

import demo_truth as truth
import pytest
from conftest import Database
from service_help import API, client_of, csv_rows, gpkg_frame, rows_of, workbook
from starlette.testclient import TestClient

from geodata.answer import WITHOUT_RELEASE
from service.demo import NOTICE
from service.labels import LABELS

ROUTES = {
    "/datasets": {},
    "/areas": {"level": "stadtteil"},
    "/areas/bezirk/1": {},
    "/facilities": {"category": "okja", "limit": "100000"},
    "/facilities/facilities.kita/beispiel-kita-0001": {},
}
ALL = ("json", "geojson", "csv", "xlsx", "gpkg")
FORMATS = [(path, f) for path in ROUTES for f in ALL if path != "/datasets" or f in {"json", "csv", "xlsx"}]


@pytest.fixture(scope="module")
def client(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


def places(client: TestClient, **parameters: Any) -> list[dict[str, Any]]:
    return rows_of(client, "/facilities", limit=100_000, **parameters)


FILTERS: list[Any] = [
    {},
    {"category": "okja"},
    {"category": "famfoe,kita"},
    {"category": "hze"},
    {"type": "Kita,Grundschule"},
    {"age": 0}, {"age": 5}, {"age": 6}, {"age": 13}, {"age": 14}, {"age": 18}, {"age": 27}, {"age": 120},
    {"barrier_free": "yes"}, {"barrier_free": "no,partly"},
    {"area": "bezirk:1"}, {"area": "stadtteil:02101"}, {"area": "sozialraum:S102"}, {"area": "stadtteil:ohne"},
    {"area": "statgebiet:ohne"}, {"area": "land:02"},
    {"bbox": "9.9,53.5,10.05,53.6"}, {"bbox": "5.9,47.3,15,55.1"}, {"bbox": "0,0,1,1"},
    # Wide boxes: their edges are curves in metres, and far from the meridian the projection ends.
    {"bbox": "5,53.55,15,54"}, {"bbox": "-180,-85,180,85"},
    {"category": "okja", "age": 12, "barrier_free": "yes"},
    {"category": "okja,schule", "age": 12, "barrier_free": "yes,partly", "area": "bezirk:1",
     "bbox": "9.8,53.3,10.2,53.7"},
]  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS, ids=lambda f: ",".join(f"{k}={v}" for k, v in f.items()) or "none")
def test_filters_find_what_the_rows_say(client: TestClient, filters: dict[str, Any]) -> None:
    if str(filters.get("area", "")).startswith("sozialraum:"):
        filters = filters | {"area": f"sozialraum:{truth.city().areas['sozialraum'][1].key}"}
    expected = defaultdict(set)
    for offer in truth.seen(**filters):
        expected[offer.place].add(offer.row["id"])
    found = {
        (row["dataset"], row["facility_id"]): {o["id"] for o in row["offers"]} for row in places(client, **filters)
    }
    assert found == dict(expected)


def test_the_filters_of_this_test_are_not_idle(client: TestClient) -> None:
    counted = [len(places(client, **f)) for f in FILTERS if isinstance(f, dict) and "sozialraum" not in str(f)]
    assert counted.count(0) == 1, "only the box off Africa is empty"
    assert len(set(counted)) > 15


def test_search_finds_names_types_providers_and_addresses(client: TestClient) -> None:
    for needle in ("jugendCAFÉ", "20534", "Ahorn", "grundschule", "Beispielplatz 37"):
        wanted = set()
        for offer in truth.offers():
            row = offer.row
            address = [row[n] for n in ("name", "provider", "street", "house_number", "postcode", "city")]
            texts = (" ".join(part for part in address if part), f"{row['name']} {row['type']}")
            if offer.published and any(needle.lower() in text.lower() for text in texts):
                wanted.add(offer.place)
        # A place is found by any of its published offers, listed with those that are valid.
        wanted &= {offer.place for offer in truth.seen()}
        assert {(r["dataset"], r["facility_id"]) for r in places(client, q=needle)} == wanted, needle


def test_values_of_places_and_offers(client: TestClient) -> None:
    by_id = {(offer.dataset, offer.row["id"]): offer for offer in truth.offers()}
    for place in places(client):
        for offer in place["offers"]:
            known = by_id[place["dataset"], offer["id"]]
            row = known.row
            assert place["categories"] == sorted({o["category"] for o in place["offers"]})
            assert place["provider_key"] == row["provider_key"]
            assert place["barrier_free"] == (row["barrier_free"] or None)
            for column in ("type", "category", "supply_unit", "release", "valid_from", "valid_to", "as_of"):
                assert offer[column] == (row[column] or None), column
            for column in ("age_from", "age_to", "supply", "use"):
                assert offer[column] == (float(row[column]) if row[column] else None), column
            assert offer["paragraphs"] == [part for part in row["paragraphs"].split(";") if part]
            if known.place in truth.exact_places():
                assert (place["lon"], place["lat"]) == pytest.approx((float(row["lon"]), float(row["lat"])), abs=2e-6)
                assert place["street"] == (row["street"] or None)
                assert place["phone"] == (row["phone"] or None)
            else:
                hidden = ("lon", "lat", "street", "house_number", "postcode", "phone", "email", "website")
                assert [place[column] for column in hidden] == [None] * len(hidden)
            assert place["area_key"] == truth.areas_of()[known.place].get("stadtteil")


@pytest.mark.parametrize("level", ["land", "bezirk", "stadtteil", "statgebiet", "sozialraum"])
def test_areas_count_their_places(client: TestClient, level: str) -> None:
    counted: Counter[str] = Counter()
    for place in {offer.place for offer in truth.seen()}:
        key = truth.areas_of()[place].get(level)
        if key and (place in truth.exact_places() or level in truth.AREA_ONLY_LEVELS):
            counted[key] += 1
    known = {area.key: area for area in truth.city().areas[level]}
    rows = rows_of(client, "/areas", level=level, limit=2000)
    assert [row["area_key"] for row in rows] == sorted(known)
    for row in rows:
        area = known[row["area_key"]]
        assert row["area_name"] == area.name
        assert row["facilities"] == counted[area.key]
        assert row["area_km2"] == pytest.approx(area.geometry.area / 1e6, abs=0.001)
        assert row["parent_key"] == area.parent_key


def test_area_profile_agrees_with_the_list(client: TestClient) -> None:
    listed = rows_of(client, "/areas", level="bezirk")
    for row in listed:
        (profile,) = rows_of(client, f"/areas/bezirk/{row['area_key']}")
        assert {name: profile[name] for name in row} == row
        by_category: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for offer in truth.seen(area=f"bezirk:{row['area_key']}"):
            by_category[offer.row["category"]].add(offer.place)
        assert profile["facilities_by_category"] == {c: len(found) for c, found in by_category.items()}
        assert profile["children"]["stadtteil"] == len(
            rows_of(client, "/areas", level="stadtteil", parent=f"bezirk:{row['area_key']}", limit=1000)
        )
        assert profile["attributes"]


def test_datasets_name_stand_and_licence_but_not_how_much_is_hidden(client: TestClient) -> None:
    rows = {row["dataset"]: row for row in rows_of(client, "/datasets")}
    assert len(rows) == 25
    for category in truth.city().facilities:
        row = rows[f"facilities.{category}"]
        assert (row["rows_loaded"], row["rows_rejected"]) == (None, None)
        assert (row["as_of"], row["licence"]) == ("2026-01-01", "CC0-1.0")


def flat(path: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """JSON rows as a table has them: one per Angebot where places are asked for."""
    if not path.startswith("/facilities"):
        return rows
    return [
        {**{k: v for k, v in row.items() if k not in {"offers", "categories"}},
         **{{"id": "offer_id", "name": "offer_name"}.get(k, k): v for k, v in offer.items()}}
        for row in rows for offer in row["offers"]
    ]  # fmt: skip


def text_of(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(value)
    if isinstance(value, dict):
        return "; ".join(f"{k}: {v}" for k, v in value.items())
    if isinstance(value, bool | str):
        return str(value)
    return "" if value is None else repr(float(value))


def same(cell: Any, value: Any) -> bool:
    """Tell whether a cell says what the JSON value says; missing is empty, never 0."""
    if cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell)):
        return value is None or value in ("", [], {})
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(cell) == pytest.approx(float(value), rel=1e-12)
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return str(cell)[:19] == value[:19]
    return str(cell).removeprefix("'") == text_of(value)


def check_features(path: str, answer: Any, rows: list[dict[str, Any]]) -> None:
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    assert body["type"] == "FeatureCollection"
    assert [f["properties"] for f in body["features"]] == [
        {k: v for k, v in row.items() if k not in {"lon", "lat"}} for row in rows
    ]
    for feature, row in zip(body["features"], rows, strict=True):
        kind = feature["geometry"] and feature["geometry"]["type"]
        if path.startswith("/facilities"):
            point = row["lon"] and {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
            assert feature["geometry"] == point
        else:
            assert kind in {"Polygon", "MultiPolygon"}


@pytest.mark.parametrize(("path", "wanted"), FORMATS)
def test_every_format_carries_the_same_rows(client: TestClient, path: str, wanted: str) -> None:
    rows = rows_of(client, path, **ROUTES[path])
    assert rows
    answer = client.get(API + path, params={**ROUTES[path], "format": wanted})
    assert answer.status_code == 200, answer.text
    if wanted == "json":
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["rows"] == rows
        return
    if wanted == "geojson":
        check_features(path, answer, rows)
        return
    expected = flat(path, rows)
    columns = list(expected[0])
    if wanted == "csv":
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.content.startswith(b"\xef\xbb\xbf")
        read = csv_rows(answer.content)
        assert list(read[0]) == [*columns, "notice"]
        assert {row.pop("notice") for row in read} == {"Beispieldaten – keine amtlichen Angaben"}
        cells = [list(row.values()) for row in read]
    elif wanted == "xlsx":
        sheet = workbook(answer.content)["Daten"]
        cells = [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)]
        assert [cell.value for cell in sheet[1]] == [LABELS[name] for name in columns]
    else:
        frame = gpkg_frame(answer.content)
        assert frame.crs.to_epsg() == 4326
        cells = frame.drop(columns="geometry").to_numpy().tolist()
        assert list(frame.columns) == [*columns, "geometry"]
        if "lon" in columns:
            assert [None if g is None else (g.x, g.y) for g in frame.geometry] == [
                None if row["lon"] is None else (row["lon"], row["lat"]) for row in expected
            ]
        else:
            assert {g.geom_type for g in frame.geometry} == {"MultiPolygon"}
    assert len(cells) == len(expected)
    for line, row in zip(cells, expected, strict=True):
        for cell, name in zip(line, columns, strict=True):
            assert same(cell, row[name]), (name, cell, row[name])
    if wanted != "gpkg":
        assert "attachment" in answer.headers["content-disposition"]
        assert f'.{wanted}"' in answer.headers["content-disposition"]


@pytest.mark.parametrize("path", ROUTES)
def test_numbers_are_numbers_in_excel(client: TestClient, path: str) -> None:
    rows = flat(path, rows_of(client, path, **ROUTES[path]))
    book = workbook(client.get(API + path, params={**ROUTES[path], "format": "xlsx"}).content)
    numeric = {name for row in rows for name, v in row.items() if isinstance(v, int | float)}
    assert numeric or path == "/datasets"
    for column in book["Daten"].iter_cols():
        name = next(n for n in rows[0] if LABELS[n] == column[0].value)
        types = {cell.data_type for cell in column[1:] if cell.value is not None}
        assert types <= ({"n"} if name in numeric else {"s"}), name


@pytest.mark.parametrize("path", ROUTES)
def test_footnotes_say_what_the_data_is(client: TestClient, path: str) -> None:
    meta = client.get(API + path, params=ROUTES[path]).json()["meta"]
    assert meta["notice"] == NOTICE == "Beispieldaten – keine amtlichen Angaben"
    assert meta["version"] == "veroeffentlichung"
    assert meta["method"].endswith(".")
    assert meta["title"]
    assert meta["unit"]
    assert meta["next"] is None
    assert isinstance(meta["data_version"], int)
    assert meta["sources"]
    for source in meta["sources"]:
        assert set(source) == {"dataset", "title", "as_of", "licence", "attribution"}
        assert (source["as_of"], source["licence"]) == ("2026-01-01", "CC0-1.0")
        assert "Beispiel" in source["attribution"]
        assert "Beispieldaten" in source["title"]
    if path != "/datasets":
        assert WITHOUT_RELEASE in meta["warnings"]


@pytest.mark.parametrize("path", ROUTES)
def test_second_sheet_has_the_words_of_meta(client: TestClient, path: str) -> None:
    meta = client.get(API + path, params=ROUTES[path]).json()["meta"]
    book = workbook(client.get(API + path, params={**ROUTES[path], "format": "xlsx"}).content)
    assert book.sheetnames == ["Daten", "Erläuterungen"]
    said = [(row[0], row[1]) for row in book["Erläuterungen"].iter_rows(values_only=True)]
    for pair in [("Titel", meta["title"]), ("Methode", meta["method"]), ("Hinweis", NOTICE),
                 ("Fassung", "Veröffentlichungsfassung"), ("Fehlende Werte", str(meta["missing"])),
                 ("Datenversion", str(meta["data_version"])),
                 *(("Hinweis", warning) for warning in meta["warnings"])]:  # fmt: skip
        assert pair in said
    quoted = [text for label, text in said if label == "Quelle"]
    assert len(quoted) == len(meta["sources"])
    for source, line in zip(meta["sources"], quoted, strict=True):
        for words in (source["title"], source["dataset"], source["licence"], source["attribution"], "01.01.2026"):
            assert words in line
    explained = {row[1] for row in said[[label for label, _ in said].index("Spalte") + 1 :]}
    assert explained == set(flat(path, rows_of(client, path, **ROUTES[path]))[0])


def test_missing_counts_and_warnings(client: TestClient) -> None:
    answer = client.get(API + "/facilities", params={"limit": 100_000}).json()
    without_point = [row for row in answer["rows"] if row["lon"] is None]
    ageless = sum(o["age_from"] is None for row in answer["rows"] for o in row["offers"])
    assert answer["meta"]["missing"] == len(without_point) > 0
    assert f"{ageless} Angebote ohne Altersangabe („Alter nicht angegeben“)." in answer["meta"]["warnings"]
    assert f"{len(without_point)} Einrichtungen ohne gezeigten Standort." in answer["meta"]["warnings"]


def test_method_names_the_filters(client: TestClient) -> None:
    method = client.get(API + "/facilities", params={"category": "okja", "age": 12, "q": "Haus"}).json()["meta"][
        "method"
    ]
    for words in ("Offene Kinder- und Jugendarbeit", "im Alter von 12 Jahren", "Suche nach „Haus“"):
        assert words in method


def test_fields_narrow_rows_and_properties(client: TestClient) -> None:
    wanted = {"fields": "dataset,facility_id,name,categories", "limit": 3}
    names = {"dataset", "facility_id", "name", "categories"}
    assert {frozenset(row) for row in rows_of(client, "/facilities", **wanted)} == {frozenset(names)}
    features = client.get(API + "/facilities", params={**wanted, "format": "geojson"}).json()["features"]
    assert len(features) == 3
    assert {frozenset(f["properties"]) for f in features} == {frozenset(names)}
    assert any(f["geometry"] for f in features)


@pytest.mark.parametrize("wanted", ALL)
@pytest.mark.parametrize("path", ["/facilities", "/areas"])
def test_an_empty_answer_is_an_answer(client: TestClient, path: str, wanted: str) -> None:
    empty = {"bbox": "0,0,1,1"} if path == "/facilities" else {"level": "bezirk", "parent": "land:nirgends"}
    full = {} if path == "/facilities" else {"level": "bezirk"}
    answer = client.get(API + path, params={**empty, "format": wanted})
    assert answer.status_code == 200, answer.text
    if wanted in {"json", "geojson"}:
        assert answer.json()["rows" if wanted == "json" else "features"] == []
        assert answer.json()["meta"]["sources"]
    elif wanted == "csv":
        header = client.get(API + path, params={**full, "format": "csv"}).content.splitlines()[0]
        assert answer.content.splitlines() == [header]
    elif wanted == "xlsx":
        assert workbook(answer.content)["Daten"].max_row == 1
        assert workbook(answer.content)["Daten"].cell(1, 1).value
    else:
        assert len(gpkg_frame(answer.content)) == 0


def test_simplified_borders_are_smaller_and_still_there(client: TestClient) -> None:
    asked = {"level": "stadtteil", "format": "geojson", "limit": 1000}
    whole = client.get(API + "/areas", params=asked)
    simple = client.get(API + "/areas", params={**asked, "simplify_m": 200})
    assert len(simple.content) < len(whole.content)
    assert [f["properties"] for f in simple.json()["features"]] == [f["properties"] for f in whole.json()["features"]]
    assert all(f["geometry"]["coordinates"] for f in simple.json()["features"])


def test_geojson_is_in_degrees(client: TestClient) -> None:
    body = client.get(API + "/areas", params={"level": "land", "format": "geojson"}).text
    numbers = re.findall(r"\[(-?\d+\.?\d*),(-?\d+\.?\d*)\]", json.dumps(json.loads(body)["features"]).replace(" ", ""))
    assert len(numbers) > 10
    assert all(8 < float(lon) < 11 and 53 < float(lat) < 54.5 for lon, lat in numbers)


@pytest.mark.parametrize("path", ["/", "/api/docs"])
def test_every_page_says_that_the_data_is_invented(client: TestClient, path: str) -> None:
    assert "Beispieldaten – keine amtlichen Angaben" in client.get(path).text
