"""WFS 2.0 against a real MapServer, and against servers that answer what they must not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import shapely
from importer_help import EAST, NORTH, Database, findings, load_city, lonlat, query
from published_servers import PAGE_ROWS, PROBE, Published
from remote_help import areas_of, changes_nothing, farthest_m, load, offers_of, opened, refusal, rows_of, shapes_of
from scripted_server import Answer, Scripted, said
from wfs_server import UTM, XMLNS, at, capabilities, constraint, gml, ort, serve

from importers.sources import open_source

LON, LAT = lonlat(0, 0)


def asked_features(scripted: Scripted) -> list[dict[str, list[str]]]:
    asked = [parse_qs(urlsplit(path).query) for path in scripted.paths()]
    return [query for query in asked if query["request"] == ["GetFeature"]]


# The real server.


def test_areas_from_the_server_are_those_of_the_file(
    mapserver_url: str, published: Published, new_database: Callable[[], Database]
) -> None:
    from_server, from_file = new_database(), new_database()
    for database in (from_server, from_file):
        published.above(database.writing)
    report = published.load_areas(from_server.writing, opened(mapserver_url, layer="stadtteile"), keep=False)
    published.load_areas(from_file.writing, open_source(published.areas), keep=False)
    assert areas_of(from_server) == areas_of(from_file)
    assert len(areas_of(from_file)) > PAGE_ROWS, "more than a page"
    assert farthest_m(from_server, shapes_of(from_file)) < 0.01
    assert (report.format, report.crs, report.rows_rejected) == ("WFS 2.0", "EPSG:25832", 0)
    assert report.source == f"{mapserver_url} (stadtteile)"


def test_facilities_from_the_server_are_those_of_the_file(
    mapserver_url: str, published: Published, new_database: Callable[[], Database]
) -> None:
    from_server, from_file = new_database(), new_database()
    for database in (from_server, from_file):
        published.above(database.writing)
    url = f"{mapserver_url}?SERVICE=WFS&REQUEST=GetFeature&TYPENAMES=ms:jugendorte&COUNT=3"
    published.load_facilities(from_server.writing, opened(url))
    published.load_facilities(from_file.writing, open_source(published.facilities))
    assert offers_of(from_server) == offers_of(from_file)
    assert len(offers_of(from_file)) > PAGE_ROWS


def test_every_kind_of_value_comes_through(mapserver_url: str, published: Published) -> None:
    ours, expected = rows_of(opened(mapserver_url, layer="probe")), rows_of(open_source(published.probe))
    assert [{k: v for k, v in row.items() if k} for row in ours] == [
        {k: v for k, v in row.items() if k} for row in expected
    ]
    assert [type(row["zahl"]) for row in ours] == [int] * len(PROBE)
    for row, other in zip(ours, expected, strict=True):
        assert shapely.hausdorff_distance(row[""], other[""]) < 0.001
        assert len(shapely.get_parts(row[""])) == len(shapely.get_parts(other[""]))


def test_both_services_and_the_file_say_the_same(mapserver_url: str, pygeoapi_url: str) -> None:
    sums = {
        opened(f"{pygeoapi_url}/collections/jugendorte").provenance.checksum,
        opened(mapserver_url, layer="jugendorte").provenance.checksum,
    }
    assert len(sums) == 1, "the checksum is over the content, not over how it was told"


def test_types_that_are_not_there_are_listed(mapserver_url: str) -> None:
    sentence = refusal(mapserver_url, layer="gibtsnicht")
    assert "„gibtsnicht“" in sentence
    assert "ms:jugendorte, ms:probe, ms:stadtteile" in sentence
    assert "mehrere Objektarten" in refusal(mapserver_url)


# What a server is asked for.


def test_what_the_operator_asks_for_stays(scripted: Scripted) -> None:
    url = serve(scripted, gml(ort(1), numberMatched=1, numberReturned=1))
    opened(f"{url}?service=wfs&Version=1.1.0&MAP=x&cql_filter=a>1&maxFeatures=3&outputFormat=json&resultType=hits")
    (asked,) = asked_features(scripted)
    assert asked == {
        "MAP": ["x"], "cql_filter": ["a>1"], "service": ["WFS"], "version": ["2.0.0"], "request": ["GetFeature"],
        "typenames": ["a:orte"], "srsName": [UTM], "count": ["10000"], "startIndex": ["0"],
    }  # fmt: skip


def test_the_crs_is_asked_for_where_it_is_offered(scripted: Scripted) -> None:
    offered = ("urn:ogc:def:crs:EPSG::4326", "http://www.opengis.net/def/crs/EPSG/0/25832")
    opened(serve(scripted, gml(ort(1), numberMatched=1), about=capabilities(crs=offered)))
    assert asked_features(scripted)[0]["srsName"] == [offered[1]]
    lon, lat = lonlat(0, 0)
    source = opened(
        serve(scripted, gml(ort(1, at(lat, lon, offered[0])), numberMatched=1), about=capabilities(crs=offered[:1]))
    )
    assert "srsName" not in asked_features(scripted)[1]
    assert source.provenance.crs == "EPSG:4326"
    (row,) = rows_of(source)
    assert row[""] == shapely.Point(lon, lat)


def test_pages_are_fetched_until_all_are_there(scripted: Scripted, database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    pages = [gml(ort(1), ort(2), numberMatched=3, numberReturned=2), gml(ort(3), numberMatched=3, numberReturned=1)]
    report = load(database, serve(scripted, *pages))
    assert report.rows_loaded == 3
    assert [asked["startIndex"] for asked in asked_features(scripted)] == [["0"], ["2"]]


def test_text_is_taken_as_it_stands(scripted: Scripted) -> None:
    odd = ort(1).replace("Treff 1", "&lt;b&gt;Straße&lt;/b&gt; &amp;amp; <![CDATA[<mehr>]]>")
    url = serve(scripted, gml(odd, numberMatched=1, numberReturned=1))
    assert [row["name"] for row in rows_of(opened(url))] == ["<b>Straße</b> &amp; <mehr>"]


def test_where_the_number_is_unknown_an_empty_page_ends(scripted: Scripted) -> None:
    unknown = {"numberMatched": "unknown"}
    source = opened(serve(scripted, gml(ort(1), **unknown), gml(ort(2), **unknown), gml(**unknown)))
    assert [row["id"] for row in rows_of(source)] == ["a1", "a2"]
    assert len(asked_features(scripted)) == 3


def test_a_server_that_cannot_page_is_asked_once(scripted: Scripted) -> None:
    about = capabilities(constraints=constraint("ImplementsResultPaging", "FALSE") + constraint("CountDefault", "2"))
    assert len(rows_of(opened(serve(scripted, gml(ort(1), numberMatched="unknown"), about=about)))) == 1
    assert "count" not in asked_features(scripted)[0]
    full = gml(ort(1), ort(2), numberMatched="unknown")
    assert "höchstens 2 Objekte" in refusal(serve(scripted, full, about=about))


def test_a_token_is_sent_and_not_shown(scripted: Scripted) -> None:
    source = opened(serve(scripted, gml(ort(1), numberMatched=1)) + "?access_token=geheim1")
    assert all("access_token=geheim1" in path for path in scripted.paths())
    assert source.provenance.source == f"{scripted.url}/wfs?access_token=***"


def test_heights_are_dropped_and_said(scripted: Scripted, database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    high = f'<gml:Point srsName="{UTM}"><gml:pos>{EAST + 110} {NORTH + 500} 17.5</gml:pos></gml:Point>'
    report = load(database, serve(scripted, gml(ort(1, high), numberMatched=1)))
    assert [text for *_rest, text in findings(report, "info")] == ["Höhenangaben (3D) wurden weggelassen."]
    rows = offers_of(database)
    load(database, serve(scripted, gml(ort(1), numberMatched=1)))
    assert offers_of(database) == rows
    assert query(database.writing, "SELECT DISTINCT ST_NDims(geom) FROM place") == [(2,)]


# Servers that must be refused; nothing is changed.

TEXT = "<ows:ExceptionText>Die Karte\n fehlt.</ows:ExceptionText>"
REPORT = f"<ows:ExceptionReport {XMLNS}><ows:Exception>{TEXT}</ows:Exception></ows:ExceptionReport>".encode()
TRUNCATED = f"<wfs:truncatedResponse>{REPORT.decode()}</wfs:truncatedResponse>"
BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
XXE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
EVIL: dict[str, tuple[list[Any], str]] = {
    "html": ([said(b"<html>Anmeldung</html>", "text/html")], "Internetseite"),
    "exception with 200": ([REPORT], "meldet einen Fehler: „Die Karte fehlt“."),
    "exception with 400": ([Answer(REPORT, 400, {"Content-Type": "text/xml"})], "Fehler: „Die Karte fehlt“."),
    "400 without words": ([Answer(b"", 400)], "lehnt die Anfrage ab (400)"),
    "exception in the middle": ([gml(ort(1), head=TRUNCATED)], "„Die Karte fehlt“"),
    "half a document": ([gml(ort(1), ort(2))[:-40]], "kein vollständiges XML"),
    "no xml": ([b"Hallo"], "kein vollständiges XML"),
    "other xml": ([b"<a><b/></a>"], "XML der Art „a“"),
    "a bomb": ([BOMB + gml(ort(1)).partition(b"?>")[2].replace(b"Treff", b"&c;")], "DOCTYPE"),
    "a file of ours": ([XXE + gml(ort(1)).partition(b"?>")[2].replace(b"Treff", b"&b;")], "DOCTYPE"),
    "other features": ([gml(ort(1).replace("a:orte", "a:andere"), numberMatched=1)], "„andere“ statt „orte“"),
    "nothing": ([gml(numberMatched=0)], "keine Objekte"),
    "nothing of five": ([gml(numberMatched=5)], "kündigt 5 Objekte an und liefert 0"),
    "fewer than matched": ([gml(ort(1), numberMatched=3), gml(numberMatched=3)], "kündigt 3 Objekte an und liefert 1"),
    "more than matched": ([gml(ort(1), ort(2), numberMatched=1)], "kündigt 1 Objekte an und liefert mehr"),
    "matched changes": ([gml(ort(1), numberMatched=3), gml(ort(2), numberMatched=4)], "geändert"),
    "returned lies": ([gml(ort(1), numberMatched=1, numberReturned=2)], "kündigt auf einer Seite 2 Objekte an"),
    "an id twice": ([gml(ort(1), ort(1), numberMatched=2)], "„orte.1“ mehrfach"),
    "pages not turned": ([gml(ort(1, gml_id=None), numberMatched="unknown")], "dieselbe Seite"),
    "two reference systems": ([gml(ort(1), ort(2, at(LAT, LON, "urn:ogc:def:crs:EPSG::4326")), numberMatched=2)],
                              "mehreren Koordinatensystemen"),
    "dies in the middle": ([Answer(gml(ort(1)), cut=60)], "bricht die Verbindung ab"),
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


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (b"<html></html>", "Internetseite"),
        (REPORT, "„Die Karte fehlt“"),
        (b"<a/>", "ist kein WFS"),
        (BOMB + b"<a>&c;</a>", "DOCTYPE"),
        (capabilities(version="1.1.0"), "spricht WFS 1.1.0; nötig ist WFS 2.0"),
        (capabilities(types=()), "keine Objektarten"),
        (capabilities().replace(b"ows:OperationsMetadata", b"ows:Anderes"), "nicht lesbar"),
        (capabilities(types=("a:orte", "b:orte")), "mehrere Objektarten"),
        (capabilities(types=tuple(f"a:t{n:02}" for n in range(30))), "a:t19 und 10 weitere"),
    ],
)
def test_capabilities_that_do_not_fit(scripted: Scripted, about: bytes, expected: str) -> None:
    assert expected in refusal(serve(scripted, gml(ort(1)), about=about), layer="orte")


def test_names_match_with_or_without_prefix(scripted: Scripted) -> None:
    for wanted in ("orte", "a:orte", "x:orte"):
        assert len(rows_of(opened(serve(scripted, gml(ort(1), numberMatched=1)), layer=wanted))) == 1
