"""GML geometry (3.2 and 3.1) to shapely: heights dropped, east first, curves as lines.

Not through GDAL, though its driver knows GML: as bound here it refuses layers of several kinds with heights, takes
the bounding boxes of features for attributes, strips blanks of texts, guesses types from what a page happens to hold
and is set by options of the whole process, which sources read side by side would share.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import shapely
from numpy.typing import NDArray

from importers.sources.crs_names import Reference, reference

_Points = NDArray[np.float64]

_POINTS = {"Point"}
_LINES = {"LineString", "Curve", "CompositeCurve", "OrientableCurve", "LinearRing", "Ring"}
_SURFACES = {"Surface", "CompositeSurface", "PolyhedralSurface", "TriangulatedSurface", "Tin"}
_PATCHES = {"Polygon", "PolygonPatch", "Rectangle", "Triangle", "OrientableSurface"}
_MULTI: dict[str, Callable[..., Any]] = {
    "MultiPoint": shapely.multipoints,
    "MultiLineString": shapely.multilinestrings,
    "MultiCurve": shapely.multilinestrings,
    "MultiPolygon": shapely.multipolygons,
    "MultiSurface": shapely.multipolygons,
    "MultiGeometry": shapely.geometrycollections,
}
_KINDS = _POINTS | _LINES | _SURFACES | _PATCHES | _MULTI.keys()
# An arc becomes a line with a corner at least every so many degrees: less than 2 cm beside an arc of 25 m radius.
_ARC_STEP = math.radians(4)


class UnreadableShapeError(Exception):
    """The geometry of one feature cannot be read; the argument is the German reason."""


def local(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def is_shape(element: Element) -> bool:
    """Tell whether an element is GML geometry."""
    return "/gml" in str(element.tag).partition("}")[0] and local(element) in _KINDS


class ShapeReader:
    """Reads geometries; notes which reference systems they name (``references``) and whether heights were dropped."""

    def __init__(self, default_srs: str | None) -> None:
        self.default_srs = default_srs
        self.references: set[str] = set()
        self.heights = False
        self._sizes: dict[Element, str] = {}

    def read(self, element: Element) -> Any:  # noqa: ANN401 - a shapely geometry of any kind
        """Return the geometry, east first; raise ``UnreadableShapeError``."""
        named = {str(e.get("srsName")) for e in element.iter() if e.get("srsName")}
        found = {known for name in named or {self.default_srs or ""} if (known := reference(name))}
        if len(found) != 1 or (named and len(found) != len({reference(name) for name in named})):
            what = f"„{min(named)}“" if named else "nicht"
            raise UnreadableShapeError(f"Das Koordinatensystem der Geometrie ist {what} bekannt oder nicht eindeutig.")
        system: Reference = found.pop()
        self._sizes = _sizes(element, None)
        try:
            shape = self._shape(element)
        except (ValueError, IndexError, shapely.errors.GEOSException):
            raise UnreadableShapeError("Die Geometrie ist kein gültiges GML.") from None
        self.references.add(system.name)
        return shapely.transform(shape, lambda points: points[:, ::-1]) if system.north_first else shape

    def _shape(self, element: Element) -> Any:  # noqa: ANN401 - a shapely geometry of any kind
        kind = local(element)
        if kind in _POINTS:
            (point,) = self._positions(element)
            return shapely.Point(point)
        if kind in _LINES:
            return shapely.LineString(self._line(element))
        if kind in _PATCHES:
            return self._patch(element)
        if kind in _SURFACES:
            patches = [self._shape(inner) for inner in self._inner(element)]
            return patches[0] if len(patches) == 1 else shapely.union_all(patches)
        if kind in _MULTI:
            parts = np.array([self._shape(inner) for inner in self._inner(element)], dtype=object)
            # A surface of patches that touch in points only is several polygons itself.
            flat = parts if kind == "MultiGeometry" else shapely.get_parts(parts)
            return _MULTI[kind](flat)
        raise UnreadableShapeError(f"Geometrien der Art „{kind}“ werden nicht gelesen.")

    def _inner(self, element: Element) -> Iterator[Element]:
        """Yield the geometries inside the properties (members, patches) of one."""
        for member in element:
            if local(member) in {"boundedBy", "metaDataProperty", "name", "description", "identifier"}:
                continue
            inner = list(member)
            if not inner and any(local_name.endswith("}href") for local_name in map(str, member.attrib)):
                raise UnreadableShapeError("Die Geometrie verweist auf eine andere Stelle und ist nicht dabei.")
            yield from inner

    def _patch(self, element: Element) -> Any:  # noqa: ANN401 - a polygon
        if local(element) == "OrientableSurface":
            (surface,) = self._inner(element)
            return self._shape(surface)
        rings: dict[bool, list[_Points]] = {True: [], False: []}
        for bound in element:
            if local(bound) in {"exterior", "outerBoundaryIs", "interior", "innerBoundaryIs"}:
                (ring,) = bound
                rings[local(bound) in {"exterior", "outerBoundaryIs"}].append(self._line(ring))
        (shell,) = rings[True]
        return shapely.Polygon(shell, rings[False])

    def _line(self, element: Element) -> _Points:
        """Return the corners of a line, ring or segment, shape (n, 2)."""
        kind = local(element)
        if kind in {"LineString", "LinearRing", "LineStringSegment", "GeodesicString"}:
            return self._positions(element)
        if kind in {"Arc", "ArcString"}:
            points = self._positions(element)
            return _joined([_arc(*points[i : i + 3]) for i in range(0, len(points) - 2, 2)])
        if kind == "Circle":
            start, second, third = self._positions(element)
            return _joined([_arc(start, second, third), _arc(third, _opposite(start, second, third), start)])
        if kind in {"Curve", "CompositeCurve", "Ring"}:
            return _joined([self._line(inner) for inner in self._inner(element)])
        if kind == "OrientableCurve":
            (curve,) = self._inner(element)
            line = self._line(curve)
            return line[::-1] if element.get("orientation") == "-" else line
        raise UnreadableShapeError(f"Linien der Art „{kind}“ werden nicht gelesen.")

    def _positions(self, element: Element) -> _Points:
        """Return the positions of an element in the order of the file, shape (n, 2), without heights."""
        rows: list[_Points] = []
        for child in element:
            kind = local(child)
            if kind == "pointProperty":
                (point,) = child
                rows.append(self._positions(point))
            elif kind == "coordinates":
                # The old form: "x,y x,y".
                text = child.text or ""
                rows.append(self._flat(np.array([part.split(",") for part in text.split()], dtype=float)))
            elif kind in {"pos", "posList"}:
                values = np.array((child.text or "").split(), dtype=float)
                size = len(values) if kind == "pos" else self._dimension(child, len(values))
                rows.append(self._flat(values.reshape(-1, size)))
        points = np.concatenate(rows)
        if not np.isfinite(points).all():
            raise ValueError(points)
        return points

    def _dimension(self, element: Element, length: int) -> int:
        """Return how many numbers make a position: as said, else two, or three where two cannot be."""
        said = self._sizes.get(element)
        if said is not None:
            return int(said)
        return 2 if length % 2 == 0 else 3

    def _flat(self, points: _Points) -> _Points:
        if points.ndim != 2 or points.shape[1] not in {2, 3}:
            raise ValueError(points)
        self.heights = self.heights or points.shape[1] == 3
        return points[:, :2]


def _sizes(element: Element, said: str | None) -> dict[Element, str]:
    """Return the ``srsDimension`` that holds for each list of positions: its own, else that of what it lies in."""
    said = element.get("srsDimension", said)
    made = {} if said is None or local(element) != "posList" else {element: said}
    for child in element:
        made |= _sizes(child, said)
    return made


def _joined(lines: list[_Points]) -> _Points:
    """Return lines one after the other, the shared ends once."""
    made = [lines[0]]
    made += [line[1:] if np.array_equal(line[0], before[-1]) else line for before, line in pairwise(lines)]
    return np.concatenate(made)


def _centre(a: _Points, b: _Points, c: _Points) -> _Points | None:
    """Return the centre of the circle through three points, None if they lie on a line."""
    # Relative to the first point: squares of whole UTM coordinates would cost the millimetres.
    (bx, by), (cx, cy) = b - a, c - a
    twice = 2 * (bx * cy - by * cx)
    if abs(twice) < 1e-9:
        return None
    b2, c2 = bx * bx + by * by, cx * cx + cy * cy
    return np.asarray(a + np.array([cy * b2 - by * c2, bx * c2 - cx * b2]) / twice)


def _opposite(a: _Points, b: _Points, c: _Points) -> _Points:
    """Return the point of the circle on the other side of its part from ``c`` to ``a``."""
    centre = _centre(a, b, c)
    if centre is None:
        raise ValueError(a)
    middle = np.asarray(_arc(a, b, c))
    mean = middle[len(middle) // 2]
    return np.asarray(2 * centre - mean)


def _arc(start: _Points, through: _Points, end: _Points) -> _Points:
    """Return the arc through three points as a line that meets its ends exactly; three points on a line stay one."""
    centre = _centre(start, through, end)
    if centre is None:
        return np.array([start, through, end])
    at = [math.atan2(*(point - centre)[::-1]) for point in (start, through, end)]
    turn = 2 * math.pi
    sweep, halfway = (at[2] - at[0]) % turn, (at[1] - at[0]) % turn
    if halfway > sweep:
        sweep -= turn
    angles = at[0] + sweep * np.linspace(0, 1, max(math.ceil(abs(sweep) / _ARC_STEP), 2) + 1)
    radius = math.dist(start, centre)
    line = centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])
    line[0], line[-1] = start, end
    return np.asarray(line)
