"""Areas that a user sends: what is read, in which place, and what is refused with which words."""

import json
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geodata.coverage.drawn import MAX_BODY_BYTES, MOST_AREAS, MOST_VERTICES, drawn_of
from geodata.errors import ParameterError, TooLargeError

_TO_METRES = Transformer.from_crs(4326, 25832, always_xy=True)
SQUARE = [[9.9, 53.5], [10.0, 53.5], [10.0, 53.6], [9.9, 53.6], [9.9, 53.5]]
HOLE = [[9.94, 53.54], [9.96, 53.54], [9.96, 53.56], [9.94, 53.56], [9.94, 53.54]]
BOW = [[9.9, 53.5], [10.0, 53.6], [10.0, 53.5], [9.9, 53.6], [9.9, 53.5]]


def polygon(*rings: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)} | more


def feature(geometry: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": None, "geometry": geometry} | more


def collection(*features: Any, **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)} | more


def read(body: Any) -> Any:
    return drawn_of(body if isinstance(body, bytes) else json.dumps(body).encode())


def circle(vertices: int, radius: float = 0.05) -> list[list[float]]:
    """A ring of so many positions, the last the first."""
    turn = np.linspace(0, 2 * np.pi, vertices)[:-1]
    ring = np.column_stack([10 + radius * np.cos(turn), 53.5 + radius * np.sin(turn)]).tolist()
    return [*ring, ring[0]]


@pytest.mark.parametrize("body", [
    polygon(SQUARE, HOLE), feature(polygon(SQUARE, HOLE)), collection(feature(polygon(SQUARE, HOLE))),
    {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]}, polygon(SQUARE[::-1], HOLE),
    polygon([[*point, 12.5] for point in SQUARE], HOLE), polygon(SQUARE, HOLE, crs=None),
    collection(feature(polygon(SQUARE, HOLE)),
               crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}),
])  # fmt: skip
def test_every_kind_of_area_is_the_same_place(body: dict[str, Any]) -> None:
    (drawn,) = read(body)
    assert (drawn.key, drawn.name) == ("1", "Auswahl 1")
    expected = shapely.transform(
        shapely.segmentize(shapely.Polygon(SQUARE, [HOLE]), 0.001),
        lambda xy: np.column_stack(_TO_METRES.transform(*xy.T)),
    )
    assert drawn.shape.is_valid
    # An edge of 0.1 degrees (7 km) would miss its place by metres if only its ends were turned into metres.
    assert drawn.shape.hausdorff_distance(expected) < 0.03
    assert drawn.shape.area == pytest.approx(expected.area, rel=1e-6)


def test_a_byte_order_mark_is_no_error() -> None:
    assert read(b"\xef\xbb\xbf" + json.dumps(polygon(SQUARE)).encode())[0].key == "1"


def test_keys_and_names() -> None:
    square = polygon(SQUARE)
    drawn = read(collection(
        feature(square, id="x", properties={"key": "nicht", "name": "Markt"}),
        feature(square, properties={"key": 7, "name": 12}),
        feature(square, properties={"key": True, "name": None}),
        feature(square, id=2.5, properties={"name": "a\nb\x00" + "c" * 200}),
        feature(square, id="", properties={"name": "  "}),
    ))  # fmt: skip
    assert [(one.key, one.name) for one in drawn] == [
        ("2.5", "a b " + "c" * 96), ("3", "Auswahl 3"), ("5", "Auswahl 5"), ("7", "12"), ("x", "Markt"),
    ]  # fmt: skip


def test_many_areas_stay_in_their_order() -> None:
    drawn = read(collection(*(feature(polygon(SQUARE)) for _ in range(MOST_AREAS))))
    assert [one.name for one in drawn] == [f"Auswahl {number}" for number in range(1, MOST_AREAS + 1)]
    assert drawn[0].key == "001"


def test_as_many_vertices_as_allowed_are_read() -> None:
    (drawn,) = read(polygon(circle(MOST_VERTICES)))
    assert len(drawn.shape.exterior.coords) == MOST_VERTICES


def test_whoever_draws_across_a_continent_gets_no_million_points() -> None:
    teeth = [[-14 + number * 0.05, 31 + 43 * (number % 2)] for number in range(900)]
    (drawn,) = read(polygon([*teeth, [31, 30], [-14, 30], teeth[0]]))
    assert shapely.get_num_coordinates(drawn.shape) < 10_000


BAD: list[tuple[Any, str]] = [
    (b"", "enthält keine Fläche"),
    (b"{", "kein gültiges JSON"),
    (b"\xff\xfe", "kein gültiges JSON"),
    (json.dumps(polygon(SQUARE)).replace("53.6", "NaN").encode(), "kein gültiges JSON"),
    (json.dumps(polygon(SQUARE)).replace("53.6", "1e999").encode(), "kein gültiges JSON"),
    (b"[" * 100_000 + b"]" * 100_000, "kein gültiges JSON"),
    (None, "kein GeoJSON"),
    ([], "kein GeoJSON"),
    ("Polygon", "kein GeoJSON"),
    ({}, "ohne type"),
    ({"type": ["Polygon"]}, "keine Fläche"),
    ({"type": "Point", "coordinates": [10, 53]}, "„Point“"),
    ({"type": "LineString", "coordinates": SQUARE}, "„LineString“"),
    ({"type": "GeometryCollection", "geometries": [polygon(SQUARE)]}, "„GeometryCollection“"),
    (polygon(), "ist leer"),
    (polygon([]), "ist leer"),
    ({"type": "Polygon"}, "ist leer"),
    ({"type": "Polygon", "coordinates": "x"}, "ist leer"),
    ({"type": "MultiPolygon", "coordinates": []}, "ist leer"),
    ({"type": "MultiPolygon", "coordinates": [[]]}, "ist leer"),
    ({"type": "MultiPolygon", "coordinates": [1]}, "ist leer"),
    (feature(None), "keine Geometrie"),
    (collection(), "enthält keine Fläche"),
    ({"type": "FeatureCollection"}, "keine Liste „features“"),
    (collection(1), "keine Liste „features“"),
    (collection(polygon(SQUARE)), "etwas anderes als ein Feature"),
    (polygon([*SQUARE[:4]]), "nicht geschlossen"),
    (polygon(SQUARE[:3]), "nicht geschlossen"),
    (polygon([[9.9, 53.5], *SQUARE[1:4], ["9.9", 53.5]]), "keine Längen"),
    (polygon([[True, 53.5], *SQUARE[1:]]), "keine Längen"),
    (polygon([[9.9], *SQUARE[1:]]), "keine Längen"),
    (polygon([[181, 53.5], *SQUARE[1:4], [181, 53.5]]), "keine Längen"),
    (polygon([[9.9, 85.1], *SQUARE[1:4], [9.9, 85.1]]), "keine Längen"),
    (polygon([[lat, lon] for lon, lat in SQUARE]), "Zuerst steht die Länge"),
    (polygon([[-100, 40], [-99, 40], [-99, 41], [-100, 40]]), "außerhalb der Karte, etwa bei Länge −100, Breite 40"),
    (polygon(BOW), "schneidet sich selbst bei Länge 9,95, Breite 53,55"),
    (feature(polygon(BOW), properties={"name": "Schleife"}), "Die Fläche „Schleife“ schneidet sich selbst"),
    (polygon([SQUARE[0]] * 4), "weniger als drei verschiedenen Punkten"),
    (polygon(SQUARE, [[x + 1, y] for x, y in HOLE]), "Loch außerhalb ihres Randes"),
    (polygon(SQUARE, HOLE, HOLE), "schneidet sich selbst"),
    ({"type": "MultiPolygon", "coordinates": [[SQUARE], [HOLE]]}, "Teilfläche in einer anderen"),
    (collection(feature(polygon(SQUARE), id="a"), feature(polygon(SQUARE), id="a")), "denselben Schlüssel „a“"),
    (feature(polygon(SQUARE), id="ohne"), "kann kein Schlüssel"),
    (collection(*(feature(polygon(SQUARE)) for _ in range(MOST_AREAS + 1))), "höchstens 100 Flächen"),
    (polygon(circle(MOST_VERTICES + 1)), "mehr als 10.000 Stützpunkte"),
    (collection(*(feature(polygon(circle(1001))) for _ in range(10))), "mehr als 10.000 Stützpunkte"),
    (polygon(SQUARE, crs={"type": "name", "properties": {"name": "EPSG:25832"}}), "nicht in „EPSG:25832“"),
    (polygon(SQUARE, crs="EPSG:4326"), "WGS 84"),
    (feature(polygon(SQUARE, crs={})), "WGS 84"),
    (collection(feature(polygon(SQUARE), crs=[])), "WGS 84"),
]


@pytest.mark.parametrize(("body", "said"), BAD)
def test_what_cannot_be_used_is_refused_with_a_sentence(body: Any, said: str) -> None:
    with pytest.raises(ParameterError) as refused:
        read(body)
    assert said in str(refused.value)
    assert str(refused.value).endswith(".")
    assert refused.value.parameter == "geometry"
    assert not isinstance(refused.value, TooLargeError)


def test_a_million_vertices_are_not_read() -> None:
    body = json.dumps(polygon(circle(1_000_001))).encode()
    with pytest.raises(TooLargeError, match="höchstens 2 MiB"):
        drawn_of(body)
    small = json.dumps(polygon([[1, 1]] * 200_000), separators=(",", ":")).encode()
    assert len(small) < MAX_BODY_BYTES
    with pytest.raises(ParameterError, match=r"10\.000 Stützpunkte"):
        drawn_of(small)


NUMBERS = st.floats(allow_nan=False) | st.integers() | st.booleans() | st.none() | st.text(max_size=3)
LEAVES = NUMBERS | st.sampled_from(["Polygon", "MultiPolygon", "Feature", "FeatureCollection"])
NAMES = st.sampled_from(["type", "coordinates", "features", "geometry", "properties", "crs", "id", "name"])
JSONS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=20
)
RINGS = st.lists(st.tuples(st.floats(9, 11), st.floats(53, 54)), min_size=3, max_size=8).map(lambda r: [*r, r[0]])
BODIES = (
    JSONS
    | st.builds(lambda kind, held: {"type": kind, "coordinates": held}, LEAVES, JSONS)
    | st.lists(RINGS, min_size=1, max_size=3).map(lambda rings: polygon(*rings))
)


@settings(max_examples=300, deadline=None)
@given(held=BODIES)
def test_whatever_is_sent_is_an_area_or_a_sentence(held: Any) -> None:
    body = json.dumps(held).encode()  # NaN and infinity as Python writes them
    refused, drawn = None, ()
    try:
        drawn = drawn_of(body)
    except ParameterError as error:
        refused = str(error)
    assert bool(drawn) != bool(refused)
    assert refused is None or refused.endswith(".")
    for one in drawn:
        assert one.shape.is_valid
        assert one.shape.area > 0
        assert np.isfinite(shapely.get_coordinates(one.shape)).all()
