"""A network as a plain edge list: one row per edge with its two nodes and its length in metres.

Columns: ``u``, ``v`` (the nodes' names), ``length`` (metres), where the nodes lie: the ends of a line geometry, or
``u_lon, u_lat, v_lon, v_lat`` (degrees), or ``u_x, u_y, v_x, v_y`` (in the CRS named by option). Optional: ``oneway``
(bicycles only; walked both ways), ``walk`` and ``bike`` (``no`` closes the edge to them), ``from`` and ``to`` (the
nodes in the line's direction, where ``u`` and ``v`` are not in that order).
"""

import contextlib
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from importers import numbers, place
from importers.errors import MappingError
from importers.kinds.network_graph import Network
from importers.mapping import Mapping, canonical, require_columns, require_known
from importers.report import Report
from importers.rules import is_empty, plain_text
from importers.sources import Chunk, Source
from importers.sources.osm_access import BACKWARD, BIKE, FORWARD, WALK

COLUMNS = (
    "u", "v", "from", "to", "length", "oneway", "walk", "bike", "u_lon", "u_lat", "v_lon", "v_lat", "u_x", "u_y", "v_x",
    "v_y",
)  # fmt: skip
_DEGREES = ("u_lon", "u_lat", "v_lon", "v_lat")
_METRES = ("u_x", "u_y", "v_x", "v_y")

# A way is never shorter than the straight line; so much is borne for rounding and for the map's projection.
SHORTER_SHARE = 0.01
SHORTER_M = 0.5
# The same node may not lie in two places.
SAME_PLACE_M = 1.0

_PLAIN_DECIMALS = frozenset("0123456789.+-")
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")

_YES = frozenset({"yes", "true", "1", "ja", "y", "j", "wahr"})
_NO = frozenset({"no", "false", "0", "nein", "n", "falsch"})
_REVERSE = frozenset({"-1", "reverse"})

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """How an edge list is read: the column rules, the decimal mark and the CRS given by option or mapping."""

    mapping: Mapping
    decimal: str | None
    crs: str | None


@dataclass(slots=True)
class _Edges:
    """Rows that may become edges: node names, ends in metres (shape (n, 4): u then v), length and use."""

    rows: NDArray[np.int64]
    u: NDArray[Any]
    v: NDArray[Any]
    ends: Floats
    length_m: Floats
    use: NDArray[np.uint8]


def graph_of_rows(
    source: Source, mapping: Mapping, crs: str | None, report: Report, decimal: str | None = None
) -> Network:
    """Make the graph of an edge list; rows that cannot be edges are noted as rejects.

    ``crs`` and ``decimal`` (how lengths are written) go before what the mapping says.
    Raises ``MappingError`` where columns, numbers or CRS do not fit. The graph may be empty.
    """
    name = source.provenance.source
    require_known(mapping.columns, COLUMNS, "Wegenetzen")
    require_columns(mapping.columns, source.columns, ("u", "v", "length"), name)
    reading = Reading(mapping, decimal or _decimal(source, mapping), crs or mapping.source.crs)
    parts = [part for chunk in source.chunks() if (part := _checked(chunk, source, reading, report)) is not None]
    for row, why in source.bad_rows.items():
        report.rows_read += 1
        report.reject(row, None, None, why)
    for note in source.notes:
        report.info(note)
    if not parts:
        none = np.array([], dtype=np.int64)
        return Network(np.empty((0, 2)), None, none, none, np.array([]), none.astype(np.uint8))
    return _graph(parts, report)


def _decimal(source: Source, mapping: Mapping) -> str | None:
    if mapping.source.decimal is not None:
        return mapping.source.decimal
    cells: set[str] = set()
    for chunk in source.chunks():
        length = canonical(chunk.columns, len(chunk.rows), mapping.columns, ("length",))["length"]
        cells.update(value for value in length if isinstance(value, str))
    return numbers.infer_decimal(sorted(cells))


def _checked(chunk: Chunk, source: Source, reading: Reading, report: Report) -> _Edges | None:
    """Return the rows of a chunk that may be edges; points among the features are nodes and no rows."""
    rows = chunk.rows
    given = canonical(chunk.columns, len(rows), reading.mapping.columns, COLUMNS)
    geometry = chunk.geometry
    if geometry is not None:
        nodes = shapely.get_type_id(geometry) == shapely.GeometryType.POINT
        if nodes.any():
            report.info(f"Punkte sind Knoten und werden nicht als Kanten gelesen ({int(nodes.sum())}).")
            rows, geometry = rows[~nodes], geometry[~nodes]
            given = {name: column[~nodes] for name, column in given.items()}
    report.rows_read += len(rows)
    if not len(rows):
        return None
    u, v = _names(given, rows, report)
    length = np.array([_length(value, reading.decimal) for value in given["length"]], dtype=np.float64)
    ends = _ends(given, geometry, rows, source, reading, report)
    use = _use(given, rows, report)
    refused = report.rejected_rows()
    _check_lengths(rows, given["length"], length, ends, refused, report)
    refused = report.rejected_rows()
    keep = np.array([row not in refused for row in rows.tolist()])
    return _Edges(rows[keep], u[keep], v[keep], ends[keep], length[keep], use[keep])


def _names(given: dict[str, NDArray[Any]], rows: NDArray[Any], report: Report) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the nodes' names in the line's direction: ``from``, ``to`` where both are given, else ``u``, ``v``."""
    texts = {
        name: np.array(["" if is_empty(value) else plain_text(value) for value in given[name]], dtype=object)
        for name in ("u", "v", "from", "to")
    }
    for name in ("u", "v"):
        for i in np.flatnonzero(texts[name] == ""):
            report.reject(int(rows[i]), name, None, "Der Knoten fehlt.", "Bitte ergänzen.")
    told = (texts["from"] != "") & (texts["to"] != "")
    same = (texts["from"] == texts["u"]) & (texts["to"] == texts["v"])
    turned = (texts["from"] == texts["v"]) & (texts["to"] == texts["u"])
    for i in np.flatnonzero(told & ~same & ~turned):
        value = f"{texts['from'][i]} → {texts['to'][i]}"
        report.reject(int(rows[i]), "from", value, "„from“ und „to“ sind andere Knoten als „u“ und „v“.")
    turn = told & turned
    return np.where(turn, texts["v"], texts["u"]), np.where(turn, texts["u"], texts["v"])


def _length(value: object, decimal: str | None) -> float:
    """Return a length in metres; NaN where it is missing or no number."""
    if isinstance(value, bool) or value is None:
        return np.nan
    if isinstance(value, int | float):
        return float(value)
    try:
        return numbers.parse(str(value), decimal)
    except ValueError:
        return np.nan


def _use(given: dict[str, NDArray[Any]], rows: NDArray[Any], report: Report) -> NDArray[np.uint8]:
    """Return how the edges may be used (bits of ``osm_access``), the direction being that of the line."""
    walk, bike = (_flags(name, given[name], rows, report) for name in ("walk", "bike"))
    oneway = _flags("oneway", given["oneway"], rows, report)
    directions = np.select([oneway == "yes", oneway == "reverse"], [FORWARD, BACKWARD], BIKE)
    return (np.where(walk == "no", 0, WALK) | np.where(bike == "no", 0, directions)).astype(np.uint8)


def _flags(name: str, column: NDArray[Any], rows: NDArray[Any], report: Report) -> NDArray[Any]:
    """Return the cells as ``yes``, ``no``, ``reverse`` or, where empty, an empty text; others are noted as rejects."""
    reverse = name == "oneway"
    told = np.array([_flag(value) for value in column], dtype=object)
    wrong = (told == "unknown") | ((told == "reverse") & (not reverse))
    for i in np.flatnonzero(wrong):
        possible = "yes, no, -1" if reverse else "yes, no"
        report.reject(int(rows[i]), name, column[i], f"Der Wert ist unbekannt; möglich sind: {possible}.")
    return told


def _flag(value: object) -> str:
    if is_empty(value):
        return ""
    said = plain_text(value).lower()
    if said in _YES:
        return "yes"
    if said in _NO:
        return "no"
    return "reverse" if said in _REVERSE else "unknown"


def _ends(
    given: dict[str, NDArray[Any]],
    geometry: NDArray[Any] | None,
    rows: NDArray[Any],
    source: Source,
    reading: Reading,
    report: Report,
) -> Floats:
    """Return where the edges begin and end in metres, shape (n, 4); rows without are noted as rejects."""
    if geometry is not None:
        declared = reading.crs or source.provenance.crs
        if declared is None:
            raise MappingError(f"„{source.provenance.source}“ nennt kein Koordinatensystem; bitte --crs angeben.")
        raw = _line_ends(geometry)
        reason = "Die Zeile hat keine einfache Linie als Geometrie."
    else:
        raw, declared = _column_ends(given, source, reading)
        reason = "Die Koordinate eines Knotens fehlt oder ist keine Zahl."
    report.crs = place.crs(declared).to_string()
    for i in np.flatnonzero(~np.isfinite(raw).all(axis=1)):
        report.reject(int(rows[i]), None, None, reason, "Bitte ergänzen.")
    ends = np.empty_like(raw)
    for start in (0, 2):
        x, y = raw[:, start], raw[:, start + 1]
        for row, cause, east, north in zip(rows, place.implausible(x, y, declared), x, y, strict=True):
            if cause:
                report.reject(int(row), None, f"{east:.8g} {north:.8g}", cause, "Bitte die Koordinaten prüfen.")
        ends[:, start : start + 2] = place.to_metres(x, y, declared)
    return ends


def _line_ends(geometry: NDArray[Any]) -> Floats:
    """Return first and last point of lines, shape (n, 4); NaN for what is no line of one part."""
    single = shapely.get_num_geometries(geometry) == 1
    lines = np.asarray(shapely.get_geometry(geometry, 0), dtype=object)
    lines[~single | (shapely.get_type_id(lines) != shapely.GeometryType.LINESTRING)] = None
    first, last = shapely.get_point(lines, 0), shapely.get_point(lines, -1)
    return np.column_stack([shapely.get_x(first), shapely.get_y(first), shapely.get_x(last), shapely.get_y(last)])


def _column_ends(given: dict[str, NDArray[Any]], source: Source, reading: Reading) -> tuple[Floats, str]:
    for names in (_DEGREES, _METRES):
        if any(not is_empty(value) for name in names for value in given[name]):
            declared = "EPSG:4326" if names is _DEGREES else reading.crs
            if declared is None:
                raise MappingError(
                    "Die Quelle hat Koordinaten in u_x, u_y, v_x und v_y; bitte ihr Koordinatensystem mit --crs "
                    "angeben."
                )
            return np.column_stack([_coordinates(given[name]) for name in names]), declared
    raise MappingError(
        f"„{source.provenance.source}“ sagt nicht, wo die Knoten liegen; gebraucht werden Linien (GeoJSON, GeoPackage) "
        "oder die Spalten u_lon, u_lat, v_lon und v_lat."
    )


def _coordinates(column: NDArray[Any]) -> Floats:
    """Return a column of coordinates, NaN where one is missing or none; at once where all are plain decimals."""
    if all(type(value) is str for value in column) and set("".join(column)) <= _PLAIN_DECIMALS:
        with contextlib.suppress(ValueError):
            return column.astype(np.float64)
    return np.array([_coordinate(value) for value in column], dtype=np.float64)


def _coordinate(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return np.nan if value is None else numbers.parse_coordinate(str(value))


def _check_lengths(
    rows: NDArray[Any],
    cells: NDArray[Any],
    length: Floats,
    ends: Floats,
    refused: frozenset[int],
    report: Report,
) -> None:
    straight = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    with np.errstate(invalid="ignore"):
        short = length < (1 - SHORTER_SHARE) * straight - SHORTER_M
        in_km = short & (np.abs(length * 1000 - straight) <= 0.5 * straight)
    for i in np.flatnonzero(~np.isfinite(length) | (length < 0) | short):
        if int(rows[i]) in refused:
            continue
        if not np.isfinite(length[i]):
            reason = "Die Länge fehlt oder ist keine Zahl."
        elif length[i] < 0:
            reason = "Die Länge ist negativ."
        elif in_km[i]:
            reason = "Die Länge ist kürzer als die Luftlinie; sieht nach Kilometern aus (gebraucht werden Meter)."
        else:
            reason = "Die Länge ist kürzer als die Luftlinie zwischen den Knoten."
        report.reject(int(rows[i]), "length", cells[i], reason, "Bitte die Länge in Metern angeben.")


def _graph(parts: list[_Edges], report: Report) -> Network:
    """Make the graph: nodes numbered in the order of their names; one that lies in two places is noted as reject."""
    rows = np.concatenate([part.rows for part in parts])
    ends = np.concatenate([part.ends for part in parts])
    length_m = np.concatenate([part.length_m for part in parts])
    use = np.concatenate([part.use for part in parts])
    names = np.concatenate([part.u for part in parts] + [part.v for part in parts])
    _known, first, node = np.unique(_sortable(names), return_index=True, return_inverse=True)
    where = np.concatenate([ends[:, :2], ends[:, 2:]])
    xy = where[first]
    count = len(rows)
    away = np.hypot(*(where - xy[node]).T)
    for i in np.flatnonzero(away > SAME_PLACE_M):
        report.reject(
            int(rows[i % count]), "u" if i < count else "v", names[i],
            "Der Knoten liegt in einer früheren Zeile an einem anderen Ort.",
            "Bitte die Richtung der Linie (u nach v) und die Namen der Knoten prüfen.",
        )  # fmt: skip
    u, v = node[:count], node[count:]
    loops = int((u == v).sum())
    if loops:
        report.info(f"Schleifen (von einem Knoten zu ihm selbst) sind weggelassen ({loops}): Sie führen nirgends hin.")
    refused = report.rejected_rows()
    keep = (u != v) & (use > 0) & np.array([row not in refused for row in rows.tolist()], dtype=bool)
    used, packed = np.unique(np.concatenate([u[keep], v[keep]]), return_inverse=True)
    kept = int(keep.sum())
    return Network(xy[used], None, packed[:kept], packed[kept:], length_m[keep], use[keep])


def _sortable(names: NDArray[Any]) -> NDArray[Any]:
    """Return names as whole numbers where they all are (which sort faster, and 9 before 10), else as text."""
    whole = all(_WHOLE_NUMBER.fullmatch(name) for name in names)
    return names.astype(np.int64) if whole else names.astype(str)
