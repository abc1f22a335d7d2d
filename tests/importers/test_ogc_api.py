"""OGC API – Features against a real pygeoapi, and against servers that answer what they must not."""

import copy
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import shapely
from conftest import HAMBURG
from importer_help import Database, Json, collection, findings, load_city, lonlat, point, query, state
from published_servers import PAGE_ROWS, Published
from remote_help import (
    QUICK,
    areas_of,
    changes_nothing,
    farthest_m,
    load,
    offers_of,
    opened,
    refusal,
    rows_of,
    shapes_of,
)
from scripted_server import Answer, Handler, Scripted, said

from importers.sources import open_source
from importers.sources.http import Fetcher, HttpRules, NotModified

METRES = "http://www.opengis.net/def/crs/EPSG/0/25832"
CLASSES = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
]
ITEMS = "/collections/orte/items"


def offers(*numbers: int) -> list[Json]:
    """Return canonical facilities of the tiny city as features with ids, in metres."""
    rows: list[tuple[Json, Json | None]] = [
        ({"id": f"a{n}", "name": f"Treff {n}", "lon": None, "lat": None}, point(100 + 10 * n, 500)) for n in numbers
    ]
    features: list[Json] = collection(rows)["features"]
    return [{**feature, "id": f"orte.{n}"} for n, feature in zip(numbers, features, strict=True)]


def page(features: list[Json], following: str | None = None, **more: Any) -> Answer:
    links = [] if following is None else [{"rel": "next", "href": following, "type": "application/geo+json"}]
    document = {"type": "FeatureCollection", "features": features, "links": links, **more}
    return said(document, headers={"Content-Crs": f"<{METRES}>"})


def serve(scripted: Scripted, *items: Any, classes: list[str] | None = None, **collection: Any) -> str:
    """Let a server offer one collection with these answers for its items; return the collection's address."""
    scripted.put("/", said({"links": [{"rel": "conformance", "href": "conformance"}]}, "application/json"))
    scripted.put("/conformance", said({"conformsTo": CLASSES if classes is None else classes}, "application/json"))
    scripted.put(ITEMS, *items)
    described = {"id": "orte", "crs": ["http://www.opengis.net/def/crs/OGC/1.3/CRS84", METRES], **collection}
    return scripted.put("/collections/orte", said(described, "application/json"))


def asked_items(scripted: Scripted) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(path).query) for path in scripted.paths() if path.startswith(ITEMS)]


# The real server.


def test_areas_from_the_server_are_those_of_the_file(
    pygeoapi_url: str, published: Published, new_database: Callable[[], Database]
) -> None:
    from_server, from_file = new_database(), new_database()
    for database in (from_server, from_file):
        published.above(database.writing)
    report = published.load_areas(from_server.writing, opened(f"{pygeoapi_url}/collections/stadtteile"))
    published.load_areas(from_file.writing, open_source(published.areas))
    assert areas_of(from_server) == areas_of(from_file)
    assert len(areas_of(from_file)) > PAGE_ROWS, "more than a page"
    assert farthest_m(from_server, shapes_of(from_file)) < 0.01
    assert (report.format, report.crs, report.rows_rejected) == ("OGC API – Features", "EPSG:25832", 0)
    assert report.source == f"{pygeoapi_url}/collections/stadtteile"


def test_facilities_from_the_server_are_those_of_the_file(
    pygeoapi_url: str, published: Published, new_database: Callable[[], Database]
) -> None:
    from_server, from_file = new_database(), new_database()
    for database in (from_server, from_file):
        published.above(database.writing)
    published.load_facilities(from_server.writing, opened(f"{pygeoapi_url}/collections/jugendorte/items"))
    published.load_facilities(from_file.writing, open_source(published.facilities))
    assert offers_of(from_server) == offers_of(from_file)
    assert len(offers_of(from_file)) > PAGE_ROWS


def test_every_kind_of_value_comes_through(pygeoapi_url: str, published: Published) -> None:
    assert rows_of(opened(f"{pygeoapi_url}/collections/probe")) == rows_of(open_source(published.probe))


def test_a_filter_of_the_operator_stays(pygeoapi_url: str) -> None:
    (row,) = rows_of(opened(f"{pygeoapi_url}/collections/probe/items?id=p2&limit=1"))
    assert row["nr"] == "02101"
    box = ",".join(str(part) for corner in ((290, -5), (600, 95)) for part in lonlat(*corner))
    (row,) = rows_of(opened(f"{pygeoapi_url}/collections/probe/items?bbox={box}"))
    assert row["id"] == "p3"


def test_the_same_content_has_the_same_checksum_however_it_comes(pygeoapi_url: str) -> None:
    url = f"{pygeoapi_url}/collections/jugendorte/items"
    sums = {opened(f"{url}?limit={limit}").provenance.checksum for limit in (7, 40)}
    assert len(sums) == 1
    assert opened(f"{url}?limit=40&crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84").provenance.checksum not in sums


def test_another_crs_may_be_asked_for(pygeoapi_url: str) -> None:
    url = f"{pygeoapi_url}/collections/probe/items"
    degrees = opened(f"{url}?crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84")
    assert degrees.provenance.crs == "OGC:CRS84"
    (chunk,) = degrees.chunks()
    assert chunk.geometry is not None
    west, south = shapely.get_coordinates(chunk.geometry).min(axis=0)
    assert (west, south) == pytest.approx(lonlat(0, 0), abs=1e-4)
    assert "unbekannt" in refusal(f"{url}?crs=http://www.opengis.net/def/crs/EPSG/0/1")


def test_a_collection_that_is_not_there_is_said(pygeoapi_url: str) -> None:
    assert "(404)" in refusal(f"{pygeoapi_url}/collections/gibtsnicht")
    assert "Einstieg" in refusal(f"{pygeoapi_url}/?f=json")


# What a server is asked for, and what of its answers is taken.


def test_conformance_is_read_and_the_crs_chosen(scripted: Scripted) -> None:
    url = serve(scripted, page(offers(1)))
    assert opened(url).provenance.crs == "EPSG:25832"
    assert asked_items(scripted) == [{"limit": ["10000"], "crs": [METRES]}]
    shared = {"collections": [], "crs": [METRES]}
    serve(scripted, page(offers(1)), crs=["#/crs"])
    scripted.put("/collections", said(shared, "application/json"))
    assert opened(url).provenance.crs == "EPSG:25832"


@pytest.mark.parametrize("classes", [CLASSES[:2], CLASSES])
def test_without_offer_it_stays_at_degrees(scripted: Scripted, classes: list[str]) -> None:
    crs = [METRES] if classes == CLASSES[:2] else ["http://www.opengis.net/def/crs/OGC/1.3/CRS84"]
    lon, lat = lonlat(100, 500)
    feature = {"type": "Feature", "properties": {"id": "a"}, "geometry": {"type": "Point", "coordinates": [lon, lat]}}
    url = serve(scripted, said({"type": "FeatureCollection", "features": [feature]}), classes=classes, crs=crs)
    assert opened(url).provenance.crs == "OGC:CRS84"
    assert "crs" not in asked_items(scripted)[0]
    if classes == CLASSES[:2]:
        assert "Längen- und Breitengrade" in refusal(f"{url}/items?crs={METRES}")
        assert "„bbox-crs“" in refusal(f"{url}/items?bbox=1,2,3,4&bbox-crs={METRES}")


def test_text_is_taken_as_it_stands(scripted: Scripted) -> None:
    feature = {"type": "Feature", "properties": {"name": "<b>Straße</b> &amp; mehr"}, "geometry": None}
    url = serve(scripted, page([feature]))
    assert [row["name"] for row in rows_of(opened(url))] == ["<b>Straße</b> &amp; mehr"]


def test_a_crs_with_north_first_is_turned(scripted: Scripted) -> None:
    north_first = "http://www.opengis.net/def/crs/EPSG/0/4326"
    lon, lat = lonlat(100, 500)
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [lat, lon, 3]}}
    document = {"type": "FeatureCollection", "features": [feature]}
    serve(scripted, said(document, headers={"Content-Crs": f"<{north_first}>"}))
    source = opened(f"{scripted.url}{ITEMS}?crs={north_first}")
    (chunk,) = source.chunks()
    assert source.provenance.crs == "EPSG:4326"
    assert chunk.geometry is not None
    assert chunk.geometry[0] == shapely.Point(lon, lat)


def test_a_server_without_geojson_is_refused(scripted: Scripted) -> None:
    assert "kein GeoJSON" in refusal(serve(scripted, page(offers(1)), classes=CLASSES[:1]))
    url = serve(scripted, page(offers(1)))
    scripted.put("/conformance", said({"was": "anderes"}, "application/json"))
    assert "sagt nicht, was er kann" in refusal(url)
    assert "keine Geoobjekte" in refusal(serve(scripted, page(offers(1)), itemType="record"))


def test_conformance_on_the_landing_page_or_without_one(scripted: Scripted) -> None:
    url = serve(scripted, page(offers(1)))
    scripted.put("/", said({"conformsTo": CLASSES}, "application/json"))
    opened(url)
    assert "/conformance" not in scripted.paths()
    scripted.put("/", said(b"<html>Hallo</html>", "text/html"))
    opened(url)
    assert "/conformance" in scripted.paths()


def test_an_operators_token_goes_with_every_request_and_is_shown_nowhere(scripted: Scripted) -> None:
    url = serve(scripted, page(offers(1)))
    source = opened(f"{url}?token=geheim1")
    assert all("token=geheim1" in path for path in scripted.paths())
    assert source.provenance.source == f"{url}?token=***"


def test_pages_follow_each_other_by_relative_links(scripted: Scripted, database: Database, tmp_path: Any) -> None:
    load_city(database.writing, tmp_path)
    url = serve(
        scripted,
        page(offers(1, 2), "?offset=2", numberMatched=5, numberReturned=2),
        page(offers(3, 4), f"{ITEMS}?offset=4", numberMatched=5, numberReturned=2),
        page(offers(5), numberMatched=5, numberReturned=1),
    )
    report = load(database, url)
    assert report.rows_loaded == 5
    assert [row["offer_id"] for row in offers_of(database)] == ["a1", "a2", "a3", "a4", "a5"]
    assert len(asked_items(scripted)) == 3


def test_rows_count_over_all_pages(scripted: Scripted) -> None:
    broken = offers(2)
    broken[0]["geometry"] = {"type": "Point", "coordinates": ["x"]}
    url = serve(scripted, page(offers(1), "?o=1"), page(broken, "?o=2"), page(offers(3)))
    source = opened(url)
    for _again in range(2):
        (chunk,) = source.chunks()
        assert chunk.rows.tolist() == [1, 3]
        assert list(source.bad_rows) == [2]


def test_columns_that_only_some_pages_have(scripted: Scripted) -> None:
    first, second = offers(1), offers(2)
    del first[0]["properties"]["lon"]
    second[0]["properties"]["mehr"] = {"a": [1]}
    (chunk,) = opened(serve(scripted, page(first, "?o=1"), page(second))).chunks()
    assert chunk.columns["lon"].tolist() == [None, None]
    assert chunk.columns["mehr"].tolist() == [None, '{"a":[1]}']


def test_heights_are_dropped_and_said(scripted: Scripted, database: Database, tmp_path: Any) -> None:
    load_city(database.writing, tmp_path)
    flat, high = offers(1, 2), copy.deepcopy(offers(1, 2))
    for feature in high:
        feature["geometry"]["coordinates"].append(17.5)
    report = load(database, serve(scripted, page(high)))
    assert [text for *_rest, text in findings(report, "info")] == ["Höhenangaben (3D) wurden weggelassen."]
    rows = offers_of(database)
    load(database, serve(scripted, page(flat)))
    assert offers_of(database) == rows
    assert query(database.writing, "SELECT DISTINCT ST_NDims(geom) FROM place") == [(2,)]


@pytest.mark.parametrize("number", [20_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_large_collection_is_read_whole(scripted: Scripted, number: int) -> None:
    features = offers(*range(number))

    def part(handler: Handler) -> Answer:
        start = int(parse_qs(urlsplit(handler.path).query).get("offset", ["0"])[0])
        following = f"?offset={start + 10_000}" if start + 10_000 < number else None
        return page(features[start : start + 10_000], following, numberMatched=number)

    source = opened(serve(scripted, part), rules=HttpRules())
    chunks = list(source.chunks())
    assert np.concatenate([chunk.rows for chunk in chunks]).tolist() == list(range(1, number + 1))
    assert chunks[-1].columns["id"][-1] == f"a{number - 1}"
    assert max(len(chunk.rows) for chunk in chunks) <= 60_000


# Asking again.


def test_an_unchanged_page_costs_one_request(scripted: Scripted) -> None:
    def by_tag(handler: Handler) -> Answer:
        if handler.headers["If-None-Match"] == '"v1"':
            return Answer(status=304)
        answer = page(offers(1, 2))
        answer.headers["ETag"] = '"v1"'
        return answer

    url = serve(scripted, by_tag)
    source = open_source(url)
    known = source.validators  # type: ignore[attr-defined]
    assert known.etag == '"v1"'
    scripted.asked.clear()
    with pytest.raises(NotModified):
        opened(url, known=known)
    assert len(scripted.asked) == 1
    changed = page(offers(1, 3))
    changed.headers["ETag"] = '"v2"'
    scripted.put(ITEMS, changed)
    scripted.asked.clear()
    again = opened(url, known=known)
    assert again.validators.etag == '"v2"'  # type: ignore[attr-defined]
    assert len(asked_items(scripted)) == 1, "what was fetched to see whether it changed is taken"


def test_several_pages_or_another_crs_have_nothing_to_ask_with(scripted: Scripted) -> None:
    first = page(offers(1), "?o=1")
    first.headers["ETag"] = '"v1"'
    assert opened(serve(scripted, first, page(offers(2)))).validators is None  # type: ignore[attr-defined]
    lone = said({"type": "FeatureCollection", "features": offers(1)}, headers={"ETag": '"v1"'})
    url = serve(scripted, lone, classes=CLASSES[:2])
    assert opened(url).validators is None  # type: ignore[attr-defined]


# Servers that must be refused; nothing is changed.

TWO = "?offset=2"
EVIL: dict[str, tuple[list[Any], str]] = {
    "html": ([said(b"<!DOCTYPE html><html>Anmeldung</html>", "text/html")], "Internetseite"),
    "html on the second page": ([page(offers(1), TWO), said(b" <html></html>", "text/html")], "Internetseite"),
    "html called json": ([said(b"<html></html>", "application/geo+json")], "Internetseite"),
    "half a document": ([said(b'{"type": "FeatureCollection", "features": [')], "kein vollständiges JSON"),
    "no features": ([said({"type": "Feature"})], "keine GeoJSON-FeatureCollection"),
    "an error with 200": ([said({"code": "NotFound", "description": "x"})], "keine GeoJSON-FeatureCollection"),
    "a list": ([said([1, 2])], "keine GeoJSON-FeatureCollection"),
    "no objects": ([page([1, 2])], "etwas anderes als Objekte"),  # type: ignore[list-item]
    "nothing": ([page([])], "keine Objekte"),
    "nothing of five": ([page([], numberMatched=5)], "kündigt 5 Objekte an und liefert 0"),
    "next is itself": ([page(offers(1), TWO), page(offers(2), TWO)], "im Kreis"),
    "next leads back": ([page(offers(1), TWO), page(offers(2), "?offset=1"), page(offers(3), TWO)], "im Kreis"),
    "the same page": ([page(offers(1), TWO), page(offers(1), "?offset=3")], "mehrfach"),
    "endless empty pages": ([page(offers(1), TWO), page([], "?offset=3")], "leere Seite"),
    "fewer than matched": ([page(offers(1), TWO, numberMatched=3), page(offers(2), numberMatched=3)],
                           "kündigt 3 Objekte an und liefert 2"),
    "more than matched": ([page(offers(1, 2), numberMatched=1)], "kündigt 1 Objekte an und liefert mehr"),
    "matched changes": ([page(offers(1), TWO, numberMatched=2), page(offers(2), numberMatched=3)], "geändert"),
    "returned lies": ([page(offers(1, 2), numberReturned=3)], "kündigt auf einer Seite 3 Objekte an und liefert 2"),
    "an id twice": ([page(offers(1, 2, 1))], "„orte.1“ mehrfach"),
    "no crs said": ([said({"type": "FeatureCollection", "features": offers(1)})], "einem, das er nicht nennt"),
    "another crs": ([said({"type": "FeatureCollection", "features": offers(1)}, headers={
        "Content-Crs": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"})], "nicht im verlangten Koordinatensystem"),
    "another crs later": ([page(offers(1), TWO), said({"type": "FeatureCollection", "features": offers(2)})],
                          "nicht im verlangten Koordinatensystem"),
    "next into the house": ([page(offers(1), "http://127.0.0.1:1/x")], "privaten Netz"),
    "next to the cloud's own": ([page(offers(1), "http://169.254.169.254/latest/")], "privaten Netz"),
    "next by IPv6": ([page(offers(1), "http://[::1]:1/x")], "privaten Netz"),
    "next to a file": ([page(offers(1), "file:///etc/passwd")], "keine Adresse"),
    "dies in the middle": ([page(offers(1), TWO), Answer(page(offers(2)).body, cut=40)], "bricht die Verbindung ab"),
}  # fmt: skip


@pytest.fixture(scope="module")
def city(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The tiny city; its tests change nothing, or have failed."""
    made = new_database()
    load_city(made.writing, tmp_path_factory.mktemp("city"))
    return made


@pytest.mark.parametrize("name", EVIL)
def test_a_server_that_cannot_be_believed_is_refused(scripted: Scripted, city: Database, name: str) -> None:
    answers, expected = EVIL[name]
    assert expected in changes_nothing(city, serve(scripted, *answers))


def test_a_server_that_dies_between_opening_and_reading_changes_nothing(scripted: Scripted, city: Database) -> None:
    before = state(city.writing)
    with Fetcher(QUICK) as fetcher:
        source = open_source(serve(scripted, page(offers(1), "?o=1"), page(offers(2))), fetcher=fetcher)
        scripted.answers.clear()
        assert sum(len(chunk.rows) for chunk in source.chunks()) == 2, "all of it was fetched before"
    assert state(city.writing) == before


@pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data/hamburg is not beside this checkout")
def test_what_the_servers_publish_is_hamburg(published: Published) -> None:
    assert published.areas.is_relative_to(HAMBURG)
