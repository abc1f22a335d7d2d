"""GML as servers write it: attributes by their schema, axes by the form of a name, shapes as GDAL reads them."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from importer_help import EAST, NORTH, lonlat
from remote_help import opened, rows_of
from scripted_server import Answer, Scripted
from wfs_server import UTM, at, capabilities, gml, ort, serve

from importers.sources.crs_names import reference


def one(scripted: Scripted, shape: str, head: str = "", **about: Any) -> tuple[Any, Any]:
    """Return the only geometry of a service, and its source."""
    source = opened(serve(scripted, gml(ort(1, shape), head=head, numberMatched=1), about=capabilities(**about)))
    (chunk,) = source.chunks()
    assert chunk.geometry is not None
    return (chunk.geometry[0] if len(chunk.geometry) else None), source


# Attributes.


def test_values_are_what_the_schema_says(scripted: Scripted) -> None:
    more = (
        "<a:plaetze>12</a:plaetze><a:wert>0.5</a:wert><a:offen>true</a:offen><a:text> 007 &amp; mehr </a:text>"
        "<a:leer/><a:nil xsi:nil='true'>x</a:nil><a:art xlink:href='http://x/1'/><a:mehr>1</a:mehr><a:mehr>2</a:mehr>"
        "<a:tief><a:b><a:c>1</a:c></a:b></a:tief>"
    )
    (row,) = rows_of(opened(serve(scripted, gml(ort(1, more=more), numberMatched=1))))
    del row[""]
    assert row == {
        "id": "a1", "name": "Treff 1", "plaetze": 12, "wert": 0.5, "offen": True, "text": " 007 & mehr ",
        "art": "http://x/1", "mehr": '["1","2"]', "tief": '{"b":{"c":"1"}}',
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("-3", -3), ("007", "007"), ("1.50", 1.5), ("1e3", 1000.0), ("NaN", None), ("zwölf", "zwölf"),
     ("12345678901234567890", 12345678901234567890.0), (" 4 ", 4), ("", None)],
)  # fmt: skip
def test_numbers(scripted: Scripted, text: str, value: Any) -> None:
    source = opened(serve(scripted, gml(ort(1, more=f"<a:plaetze>{text}</a:plaetze>"), numberMatched=1)))
    (chunk,) = source.chunks()
    found = chunk.columns["plaetze"][0]
    assert (found, type(found)) == (value, type(value))


def test_columns_of_the_schema_are_there_even_if_empty(scripted: Scripted) -> None:
    source = opened(serve(scripted, gml(ort(1), numberMatched=1)))
    assert source.columns == ("id", "name", "plaetze", "wert", "offen")


def test_without_schema_everything_is_text_and_that_is_said(scripted: Scripted) -> None:
    page = gml(ort(1, more="<a:plaetze>12</a:plaetze>"), numberMatched=1)
    source = opened(serve(scripted, page, schema=Answer(b"nein", 400)))
    (row,) = rows_of(source)
    assert row["plaetze"] == "12"
    assert source.notes == ["Der Dienst beschreibt seine Spalten nicht; alle Werte wurden als Text gelesen."]


def test_the_types_own_name_is_meant(scripted: Scripted) -> None:
    (row,) = rows_of(opened(serve(scripted, gml(ort(1, more="<gml:name>anders</gml:name>"), numberMatched=1))))
    assert row["name"] == "Treff 1"


# Axis order: the form of the name decides.

LON, LAT = lonlat(0, 0)


@pytest.mark.parametrize(
    ("srs", "x", "y"),
    [
        ("urn:ogc:def:crs:EPSG::4326", LAT, LON),
        ("urn:x-ogc:def:crs:EPSG:4326", LAT, LON),
        ("http://www.opengis.net/def/crs/EPSG/0/4258", LAT, LON),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", LON, LAT),
        ("EPSG:4326", LON, LAT),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", LON, LAT),
        (UTM, EAST, NORTH),
        ("EPSG:25832", EAST, NORTH),
        ("urn:adv:crs:ETRS89_UTM32", EAST, NORTH),
        ("urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::7837", EAST, NORTH),
        ("urn:ogc:def:crs:EPSG::31467", 5_931_000.0, 3_560_000.0),
        ("EPSG:31467", 3_560_000.0, 5_931_000.0),
    ],
)
def test_axis_order(scripted: Scripted, srs: str, x: float, y: float) -> None:
    shape, source = one(scripted, at(x, y, srs))
    assert shape == shapely.Point(*sorted((x, y)))
    assert source.provenance.crs in {"EPSG:4326", "EPSG:4258", "EPSG:25832", "EPSG:31467", "OGC:CRS84"}


def test_unknown_reference_systems() -> None:
    assert reference("urn:ogc:def:crs:EPSG::1") is None
    assert reference("Gauß-Krüger") is None
    assert reference("") is None


def test_geometry_without_name_has_that_of_the_collection_or_the_default(scripted: Scripted) -> None:
    head = '<wfs:boundedBy><gml:Envelope srsName="urn:ogc:def:crs:EPSG::4326"/></wfs:boundedBy>'
    shape, source = one(scripted, at(LAT, LON, None), head)
    assert (shape, source.provenance.crs) == (shapely.Point(LON, LAT), "EPSG:4326")
    shape, source = one(scripted, at(EAST, NORTH, None))
    assert (shape, source.provenance.crs) == (shapely.Point(EAST, NORTH), "EPSG:25832")


# Shapes; GDAL's reading of the same GML is the oracle.

RING = "0 0 10 0 10 10 0 10 0 0"
HOLE = "2 2 2 4 4 4 4 2 2 2"
POLYGON = (
    f"<gml:exterior><gml:LinearRing><gml:posList>{RING}</gml:posList></gml:LinearRing></gml:exterior>"
    f"<gml:interior><gml:LinearRing><gml:posList>{HOLE}</gml:posList></gml:LinearRing></gml:interior>"
)
SMALL = (
    "<gml:exterior><gml:LinearRing><gml:pos>20 0</gml:pos><gml:pos>30 0</gml:pos><gml:pos>30 9</gml:pos>"
    "<gml:pos>20 0</gml:pos></gml:LinearRing></gml:exterior>"
)
ARC = (
    "<gml:Ring><gml:curveMember><gml:Curve><gml:segments><gml:LineStringSegment><gml:posList>0 0 10 0</gml:posList>"
    "</gml:LineStringSegment><gml:Arc><gml:posList>10 0 5 5 0 0</gml:posList></gml:Arc></gml:segments></gml:Curve>"
    "</gml:curveMember></gml:Ring>"
)
SHAPES = {
    "polygon": f'<gml:Polygon srsName="{UTM}">{POLYGON}</gml:Polygon>',
    "multi surface": f'<gml:MultiSurface srsName="{UTM}"><gml:surfaceMember><gml:Polygon>{POLYGON}</gml:Polygon>'
    f"</gml:surfaceMember><gml:surfaceMember><gml:Polygon>{SMALL}</gml:Polygon></gml:surfaceMember></gml:MultiSurface>",
    "surface members": f'<gml:MultiSurface srsName="{UTM}"><gml:surfaceMembers><gml:Polygon>{POLYGON}</gml:Polygon>'
    f"<gml:Polygon>{SMALL}</gml:Polygon></gml:surfaceMembers></gml:MultiSurface>",
    "multi polygon": f'<gml:MultiPolygon srsName="{UTM}"><gml:polygonMember><gml:Polygon>{SMALL}</gml:Polygon>'
    "</gml:polygonMember></gml:MultiPolygon>",
    "surface": f'<gml:Surface srsName="{UTM}"><gml:patches><gml:PolygonPatch>{POLYGON}</gml:PolygonPatch></gml:patches>'
    "</gml:Surface>",
    "surface in multi": f'<gml:MultiSurface srsName="{UTM}"><gml:surfaceMember><gml:Surface><gml:patches>'
    f"<gml:PolygonPatch>{POLYGON}</gml:PolygonPatch></gml:patches></gml:Surface></gml:surfaceMember></gml:MultiSurface>",
    "arc": f'<gml:Polygon srsName="{UTM}"><gml:exterior>{ARC}</gml:exterior></gml:Polygon>',
    "line": f'<gml:LineString srsName="{UTM}"><gml:posList>{HOLE}</gml:posList></gml:LineString>',
    "curve": f'<gml:Curve srsName="{UTM}"><gml:segments><gml:LineStringSegment><gml:posList>{HOLE}</gml:posList>'
    "</gml:LineStringSegment></gml:segments></gml:Curve>",
    "multi curve": f'<gml:MultiCurve srsName="{UTM}"><gml:curveMember><gml:LineString><gml:posList>{HOLE}</gml:posList>'
    "</gml:LineString></gml:curveMember></gml:MultiCurve>",
    "composite curve": f'<gml:CompositeCurve srsName="{UTM}"><gml:curveMember><gml:LineString><gml:posList>0 0 1 1'
    "</gml:posList></gml:LineString></gml:curveMember><gml:curveMember><gml:LineString><gml:posList>1 1 2 0"
    "</gml:posList></gml:LineString></gml:curveMember></gml:CompositeCurve>",
    "multi point": f'<gml:MultiPoint srsName="{UTM}"><gml:pointMember><gml:Point><gml:pos>1 2</gml:pos></gml:Point>'
    "</gml:pointMember></gml:MultiPoint>",
    "old coordinates": f'<gml:LineString srsName="{UTM}"><gml:coordinates>1,2 3,4</gml:coordinates></gml:LineString>',
    "in degrees": f'<gml:LineString srsName="urn:ogc:def:crs:EPSG::4326"><gml:posList>{LAT} {LON} 54 11</gml:posList>'
    "</gml:LineString>",
    "with heights": f'<gml:LineString srsName="{UTM}" srsDimension="3"><gml:posList>1 2 9 3 4 9</gml:posList>'
    "</gml:LineString>",
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_those_that_gdal_reads(scripted: Scripted, tmp_path: Path, name: str) -> None:
    shape, source = one(scripted, SHAPES[name])
    (tmp_path / "a.gml").write_bytes(gml(ort(1, SHAPES[name]).replace("srsName='EPSG:4326'", "")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _meta, _fids, wkb, _fields = pyogrio.raw.read(tmp_path / "a.gml", force_2d=True, WRITE_GFS="NO")
    expected = shapely.from_wkb(wkb[0])
    assert shape.geom_type == expected.geom_type
    assert shapely.hausdorff_distance(shape, expected) < 1e-9
    assert shape.area == pytest.approx(expected.area)
    assert not shape.has_z
    assert source.bad_rows == {}
    assert source.notes == (["Höhenangaben (3D) wurden weggelassen."] if name == "with heights" else [])


def test_arcs_and_circles_are_round(scripted: Scripted) -> None:
    """The analytical areas are the oracle: half a disc, and a disc, both of radius 5."""
    half, _ = one(scripted, SHAPES["arc"])
    assert half.area == pytest.approx(math.pi * 25 / 2, rel=2e-3)
    circle = (
        f'<gml:Polygon srsName="{UTM}"><gml:exterior><gml:Ring><gml:curveMember><gml:Curve><gml:segments><gml:Circle>'
        f"<gml:posList>{EAST + 5} {NORTH} {EAST} {NORTH + 5} {EAST} {NORTH - 5}</gml:posList></gml:Circle>"
        "</gml:segments></gml:Curve></gml:curveMember></gml:Ring></gml:exterior></gml:Polygon>"
    )
    whole, _ = one(scripted, circle)
    assert whole.is_valid
    assert whole.area == pytest.approx(math.pi * 25, rel=2e-3)
    distances = np.hypot(*(shapely.get_coordinates(whole) - [EAST, NORTH]).T)
    assert distances == pytest.approx(5, abs=1e-6)


def test_patches_that_touch_are_one_surface(scripted: Scripted) -> None:
    patches = "".join(
        f"<gml:PolygonPatch><gml:exterior><gml:LinearRing><gml:posList>{x} 0 {x + 1} 0 {x + 1} 1 {x} 1 {x} 0"
        "</gml:posList></gml:LinearRing></gml:exterior></gml:PolygonPatch>"
        for x in (0, 1)
    )
    shape, _ = one(scripted, f'<gml:Surface srsName="{UTM}"><gml:patches>{patches}</gml:patches></gml:Surface>')
    assert (shape.geom_type, shape.area, shape.is_valid) == ("Polygon", 2, True)


SHORT = (
    f'<gml:Polygon srsName="{UTM}"><gml:exterior><gml:LinearRing><gml:posList>0 0 1 1</gml:posList></gml:LinearRing>'
    "</gml:exterior></gml:Polygon>"
)
MIXED = (
    f'<gml:MultiPoint srsName="{UTM}"><gml:pointMember><gml:Point srsName="EPSG:4326"><gml:pos>1 2</gml:pos>'
    "</gml:Point></gml:pointMember></gml:MultiPoint>"
)


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (f'<gml:Point srsName="{UTM}"><gml:pos>1</gml:pos></gml:Point>', "kein gültiges GML"),
        (f'<gml:Point srsName="{UTM}"><gml:pos>1 zwei</gml:pos></gml:Point>', "kein gültiges GML"),
        (f'<gml:Point srsName="{UTM}"><gml:pos>nan 1</gml:pos></gml:Point>', "kein gültiges GML"),
        (f'<gml:Point srsName="{UTM}"/>', "kein gültiges GML"),
        (f'<gml:Polygon srsName="{UTM}"/>', "kein gültiges GML"),
        (SHORT, "kein gültiges GML"),
        (f'<gml:LineString srsName="{UTM}" srsDimension="7"><gml:posList>1 2</gml:posList></gml:LineString>', "gültig"),
        ('<gml:Point srsName="urn:nichts"><gml:pos>1 2</gml:pos></gml:Point>', "Koordinatensystem"),
        (MIXED, "nicht eindeutig"),
        (f'<gml:MultiPoint srsName="{UTM}"><gml:pointMember xlink:href="#p1"/></gml:MultiPoint>', "verweist"),
        (f'<gml:Curve srsName="{UTM}"><gml:segments><gml:Clothoid/></gml:segments></gml:Curve>', "„Clothoid“"),
    ],
)  # fmt: skip
def test_a_shape_that_cannot_be_read_is_a_row_of_its_own(scripted: Scripted, shape: str, why: str) -> None:
    source = opened(serve(scripted, gml(ort(1), ort(2, shape), ort(3), numberMatched=3)))
    (chunk,) = source.chunks()
    assert chunk.rows.tolist() == [1, 3]
    assert list(source.bad_rows) == [2]
    assert why in source.bad_rows[2]
