"""Areas a user has drawn, as GeoJSON (CRS84), read and checked: nothing that cannot be reckoned with gets further."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geodata import words
from geodata.coverage.request import Drawn
from geodata.errors import ParameterError, TooLargeError
from geodata.figure_tables import WITHOUT_AREA
from geodata.geometry import lonlat, metres

Floats = NDArray[np.float64]

MAX_BODY_BYTES = 2 * 1024**2
MOST_AREAS = 100
MOST_VERTICES = 10_000
MOST_TEXT = 100
PARAMETER = "geometry"

_CRS84 = {"urn:ogc:def:crs:ogc:1.3:crs84", "urn:ogc:def:crs:ogc::crs84", "ogc:crs84", "crs84",
          "http://www.opengis.net/def/crs/ogc/1.3/crs84", "https://www.opengis.net/def/crs/ogc/1.3/crs84"}  # fmt: skip
_MOST_LON, _MOST_LAT = 180.0, 85.0
# Where metres of EPSG:25832 still mean something; far wider than any city's map. Swapped coordinates lie outside.
_WEST, _SOUTH, _EAST, _NORTH = -15.0, 30.0, 35.0, 75.0
# An edge that is straight in degrees is a curve in metres. Cut into pieces of 0.01° (about 1 km) it keeps to its place
# within 3 cm; whoever draws across half a continent gets longer pieces instead of millions of points.
_PIECE_DEGREES = 0.01
_MOST_PIECES = 2_000

_FLAWS = {
    "Self-intersection": "schneidet sich selbst",
    "Ring Self-intersection": "berührt oder schneidet sich selbst",
    "Hole lies outside shell": "hat ein Loch außerhalb ihres Randes",
    "Holes are nested": "hat ein Loch in einem Loch",
    "Nested shells": "hat eine Teilfläche in einer anderen",
    "Duplicate Rings": "hat denselben Rand zweimal",
    "Interior is disconnected": "zerfällt in Teile, die nur an Punkten zusammenhängen",
    "Too few points in geometry component": "hat einen Rand aus weniger als drei verschiedenen Punkten",
}
_NO_AREA = "Bitte Flächen als GeoJSON senden: Polygon, MultiPolygon, Feature oder FeatureCollection daraus."
_EMPTY = f"Die Anfrage enthält keine Fläche. {_NO_AREA}"


@dataclass(slots=True)
class _Budget:
    """How many vertices may still come."""

    left: int = MOST_VERTICES

    def take(self, vertices: int) -> None:
        self.left -= vertices
        if self.left < 0:
            raise ParameterError(
                PARAMETER,
                f"Die Flächen haben zusammen mehr als {words.number(MOST_VERTICES)} Stützpunkte; bitte vereinfachen.",
            )


def drawn_of(body: bytes) -> tuple[Drawn, ...]:
    """Return the areas of a GeoJSON text in CRS84 (longitude, latitude), in the order of their keys.

    A key is the feature's ``id``, else its property ``key``, else its number (from 1, with leading zeros where there
    are ten or more); the name is the property ``name``, else „Auswahl n“. Both are cut to 100 characters. Shapes are
    valid, in EPSG:25832; heights are dropped. Raises ``ParameterError`` (``geometry``) naming what is wrong and where,
    ``TooLargeError`` for more than 2 MiB.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLargeError(PARAMETER, too_large())
    try:
        # Strict: NaN, infinity and bytes that are no UTF-8 are refused here.
        held = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        raise ParameterError(PARAMETER, f"Die Anfrage ist kein gültiges JSON. {_NO_AREA}" if body else _EMPTY) from None
    features = list(_features(held))
    if len(features) > MOST_AREAS:
        raise ParameterError(
            PARAMETER, f"Es sind höchstens {MOST_AREAS} Flächen je Anfrage möglich, gesendet sind {len(features)}."
        )
    budget, digits = _Budget(), len(str(len(features)))
    made: dict[str, Drawn] = {}
    for number, feature in enumerate(features, start=1):
        properties = feature.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        name = _text(properties.get("name")) or f"Auswahl {number}"
        key = _text(feature.get("id")) or _text(properties.get("key")) or f"{number:0{digits}}"
        if key in made:
            raise ParameterError(PARAMETER, f"Zwei Flächen haben denselben Schlüssel „{key}“ (id oder key).")
        if key == WITHOUT_AREA:
            raise ParameterError(PARAMETER, f"„{WITHOUT_AREA}“ kann kein Schlüssel (id oder key) einer Fläche sein.")
        made[key] = Drawn(key, name, _shape(feature.get("geometry"), name, budget))
    return tuple(made[key] for key in sorted(made))


def too_large() -> str:
    """Return what is said to more bytes than are read."""
    return f"Die Flächen dürfen zusammen höchstens {MAX_BODY_BYTES // 1024**2} MiB groß sein; bitte vereinfachen."


def _features(held: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Yield what was sent as features, whichever of the four kinds it is."""
    if not isinstance(held, dict):
        raise ParameterError(PARAMETER, f"Die Anfrage ist kein GeoJSON. {_NO_AREA}")
    _require_crs84(held)
    kind = held.get("type")
    if kind == "FeatureCollection":
        features = held.get("features")
        if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
            raise ParameterError(PARAMETER, f"Die FeatureCollection hat keine Liste „features“. {_NO_AREA}")
        if not features:
            raise ParameterError(PARAMETER, _EMPTY)
        for feature in features:
            if feature.get("type") != "Feature":
                raise ParameterError(PARAMETER, f"In „features“ steht etwas anderes als ein Feature. {_NO_AREA}")
            _require_crs84(feature)
            yield feature
    elif kind == "Feature":
        yield held
    else:
        yield {"geometry": held}


def _require_crs84(held: dict[str, Any]) -> None:
    crs = held.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or name.lower() not in _CRS84:
        raise ParameterError(
            PARAMETER,
            f"Flächen werden in Länge und Breite (WGS 84, CRS84) angegeben, nicht in „{_text(name) or 'crs'}“.",
        )


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return a text or number as one line of at most 100 characters; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return "".join(sign if sign.isprintable() else " " for sign in str(value)[:MOST_TEXT]).strip()


def _shape(geometry: Any, name: str, budget: _Budget) -> shapely.Polygon | shapely.MultiPolygon:  # noqa: ANN401 - JSON
    if not isinstance(geometry, dict):
        raise ParameterError(PARAMETER, f"„{name}“ hat keine Geometrie. {_NO_AREA}")
    _require_crs84(geometry)
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        raise ParameterError(
            PARAMETER, f"„{name}“ ist keine Fläche, sondern „{_text(kind) or 'ohne type'}“. {_NO_AREA}"
        )
    parts = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(parts, list) or not parts or not all(isinstance(part, list) and part for part in parts):
        raise ParameterError(PARAMETER, f"Die Fläche „{name}“ ist leer.")
    polygons = []
    for part in parts:
        shell, *holes = [_ring(ring, name, budget) for ring in part]
        polygons.append(shapely.Polygon(shell, holes))
    shape = polygons[0] if kind == "Polygon" else shapely.MultiPolygon(polygons)
    _require_valid(shape, name)
    piece = max(_PIECE_DEGREES, shape.length / _MOST_PIECES)
    metric = shapely.transform(shapely.segmentize(shape, piece), metres)
    _require_valid(metric, name, lonlat)  # again, as the last digit may cross what nearly touched
    return metric


def _ring(ring: Any, name: str, budget: _Budget) -> Floats:  # noqa: ANN401 - JSON
    """Return a closed ring as (n, 2) degrees."""
    if not isinstance(ring, list) or not ring:
        raise ParameterError(PARAMETER, f"Die Fläche „{name}“ ist leer.")
    budget.take(len(ring))
    if not all(_is_position(position) for position in ring):
        raise ParameterError(
            PARAMETER,
            f"Die Fläche „{name}“ hat Koordinaten, die keine Längen (±{_MOST_LON:.0f}) und Breiten (±{_MOST_LAT:.0f}) "
            "in Grad sind.",
        )
    points = np.array([position[:2] for position in ring], dtype=np.float64)
    if len(points) < 4 or not np.array_equal(points[0], points[-1]):
        raise ParameterError(
            PARAMETER, f"Ein Rand der Fläche „{name}“ ist nicht geschlossen: Der letzte Punkt muss der erste sein."
        )
    far = points[~_is_near(points)]
    if len(far):
        raise ParameterError(
            PARAMETER,
            f"Die Fläche „{name}“ liegt außerhalb der Karte, etwa bei {_place(*far[0].tolist())}. Zuerst steht die "
            "Länge, dann die Breite.",
        )
    return points


def _is_position(position: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(position, list) or not 2 <= len(position) <= 4:
        return False
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in position):
        return False
    lon, lat = position[:2]
    return bool(all(map(math.isfinite, position)) and abs(lon) <= _MOST_LON and abs(lat) <= _MOST_LAT)


def _is_near(points: Floats) -> NDArray[np.bool_]:
    lon, lat = points.T
    near: NDArray[np.bool_] = (lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH)
    return near


def _require_valid(shape: shapely.Geometry, name: str, to_lonlat: Callable[[Floats], Floats] | None = None) -> None:
    reason = str(shapely.is_valid_reason(shape))
    if reason == "Valid Geometry":
        return
    what, _, where = reason.partition("[")
    at = ""
    if where:
        points = np.array([[float(part) for part in where.rstrip("]").split()[:2]]])
        at = f" bei {_place(*(points if to_lonlat is None else to_lonlat(points))[0].tolist())}"
    raise ParameterError(PARAMETER, f"Die Fläche „{name}“ {_FLAWS.get(what.strip(), 'ist keine gültige Fläche')}{at}.")


def _place(lon: float, lat: float) -> str:
    return f"Länge {words.plain(lon, 5)}, Breite {words.plain(lat, 5)}"
