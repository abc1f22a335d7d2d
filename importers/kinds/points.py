"""Where rows lie: coordinates in columns or geometry, from any CRS to metres (EPSG:25832)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from importers import numbers, place
from importers.errors import MappingError
from importers.report import Report
from importers.sources import Chunk

COORDINATES = ("lon", "lat", "x", "y")
NO_COORDINATE = "Die Koordinate fehlt oder ist keine Zahl."


def coordinates(column: NDArray[Any]) -> NDArray[np.float64]:
    """Return a column of coordinates as numbers; NaN is missing or no number."""
    return np.array(
        [
            float(v) if isinstance(v, int | float) else numbers.parse_coordinate(v) if isinstance(v, str) else np.nan
            for v in column
        ],
        dtype=np.float64,
    )


def is_blank(value: object) -> bool:
    """Tell whether a coordinate's cell says nothing (unlike one that holds what is no number)."""
    return value is None or value != value or (isinstance(value, str) and numbers.is_missing(value))  # noqa: PLR0124


def in_metres(chunk: Chunk, table: Mapping[str, Any], declared: str | None, report: Report) -> NDArray[np.float64]:
    """Return the rows' points in metres, shape (n, 2); not finite where a row has no usable coordinate.

    From the geometry, where the source has one, else from ``lon`` and ``lat`` or from ``x`` and ``y`` of the table
    (columns of numbers). ``declared``: the CRS of geometry or of ``x`` and ``y``. Points that cannot be in Germany
    are noted as rejects; missing ones are the caller's to judge. Raises ``MappingError`` where the CRS is needed
    and not known.
    """
    rows = chunk.rows
    if chunk.geometry is not None:
        if declared is None:
            raise MappingError(f"„{report.source}“ nennt kein Koordinatensystem; bitte --crs angeben.")
        x, y = _feature_points(chunk, report)
        report.crs = place.crs(declared).to_string()
        return _placed(x, y, declared, rows, report)
    metres = np.full((len(rows), 2), np.nan)
    for columns, crs in ((("lon", "lat"), "EPSG:4326"), (("x", "y"), declared)):
        x, y = (np.asarray(table[name], dtype=np.float64) for name in columns)
        use = ~np.isnan(x) & ~np.isnan(y) & np.isnan(metres[:, 0])
        if not use.any():
            continue
        if crs is None:
            raise MappingError("Die Quelle hat Koordinaten in x und y; bitte ihr Koordinatensystem mit --crs angeben.")
        report.crs = place.crs(crs).to_string()
        metres[use] = _placed(x[use], y[use], crs, rows[use], report)
    return metres


def as_wkb(metres: NDArray[np.float64]) -> list[str | None]:
    """Return points in metres as the database reads them (EWKB in hexadecimal); None where not finite."""
    made = np.full(len(metres), None, dtype=object)
    there = np.isfinite(metres).all(axis=1)
    made[there] = shapely.set_srid(shapely.points(metres[there]), place.TARGET)
    written: list[str | None] = shapely.to_wkb(made, hex=True, include_srid=True).tolist()
    return written


def _feature_points(chunk: Chunk, report: Report) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    geometry = chunk.geometry
    assert geometry is not None  # noqa: S101 - the caller asked
    # Of an empty point GEOS tells no coordinate: it is as good as none.
    geometry = geometry.copy()
    geometry[shapely.is_empty(geometry)] = None
    other = np.flatnonzero(~np.isin(shapely.get_type_id(geometry), (-1, 0)))
    geometry[other] = shapely.point_on_surface(geometry[other])
    for i in other:
        report.info("Statt einer Fläche oder Linie wurde ein Punkt darin genommen.", row=int(chunk.rows[i]))
    return shapely.get_x(geometry), shapely.get_y(geometry)


def _placed(
    x: NDArray[np.float64], y: NDArray[np.float64], declared: str, rows: NDArray[Any], report: Report
) -> NDArray[np.float64]:
    causes = place.implausible(x, y, declared)
    for i, cause in enumerate(causes):
        if cause:
            report.reject(int(rows[i]), "lon", f"{x[i]:.8g} {y[i]:.8g}", cause, "Bitte die Koordinaten prüfen.")
    return place.to_metres(x, y, declared)
