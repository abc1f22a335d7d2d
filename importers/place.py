"""From any coordinates to metres (EPSG:25832), and what is said when they cannot be where they claim."""

from functools import cache
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from importers.errors import MappingError

TARGET = 25832
# Generous bounds around Germany (Neuwerk, Sylt and the neighbouring homes of § 38 near the border included).
_WEST, _SOUTH, _EAST, _NORTH = 4.5, 46.0, 16.5, 56.5

SWAPPED = "Die Koordinaten liegen nicht in Deutschland; sieht nach vertauschter Reihenfolge (Breite/Länge) aus."
METRES = "Die Koordinaten sind keine Grad; sieht nach UTM-Metern aus (--crs EPSG:25832)."
DEGREES = "Die Koordinaten sehen nach Grad aus, nicht nach Metern (--crs EPSG:4326)."
ELSEWHERE = "Die Koordinaten liegen nicht in Deutschland."


@cache
def crs(name: str) -> pyproj.CRS:
    """Return the coordinate reference system of that name; raise ``MappingError`` for an unknown one."""
    try:
        return pyproj.CRS.from_user_input(name).to_2d()
    except pyproj.exceptions.CRSError:
        raise MappingError(
            f"Das Koordinatensystem „{name}“ ist unbekannt; üblich sind EPSG:25832 und EPSG:4326."
        ) from None


@cache
def _transformer(source: str, target: int) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs(source), target, always_xy=True)


def to_metres(x: NDArray[np.float64], y: NDArray[np.float64], source: str) -> NDArray[np.float64]:
    """Return coordinates of CRS ``source`` (east or longitude first) as metres, shape (n, 2); inf where impossible."""
    if crs(source).to_epsg() == TARGET:
        return np.column_stack([x, y])
    east, north = _transformer(source, TARGET).transform(x, y, errcheck=False)
    return np.column_stack([east, north])


def geometry_to_metres(geometry: NDArray[Any], source: str) -> NDArray[Any]:
    """Return geometry of CRS ``source`` in metres."""
    if crs(source).to_epsg() == TARGET:
        return geometry
    return np.asarray(
        shapely.transform(geometry, lambda points: to_metres(points[:, 0], points[:, 1], source)), dtype=object
    )


def _plausible(x: NDArray[np.float64], y: NDArray[np.float64], source: str) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        if crs(source).is_geographic:
            lon, lat = x, y
        else:
            lon, lat = _transformer(source, 4326).transform(x, y, errcheck=False)
        return np.asarray((lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH))


def implausible(x: NDArray[np.float64], y: NDArray[np.float64], source: str) -> list[str | None]:
    """Return for each coordinate pair None if it can lie in Germany, else the likely cause as a sentence.

    NaN pairs (no coordinates) give None: they are another check's.
    """
    fine = _plausible(x, y, source) | np.isnan(x) | np.isnan(y)
    causes: list[str | None] = [None] * len(x)
    if fine.all():
        return causes
    swapped = _plausible(y, x, source)
    degrees = crs(source).is_geographic
    for i in np.flatnonzero(~fine):
        if swapped[i]:
            causes[i] = SWAPPED
        elif degrees and max(abs(x[i]), abs(y[i])) > 360:
            causes[i] = METRES
        elif not degrees and max(abs(x[i]), abs(y[i])) <= 180:
            causes[i] = DEGREES
        else:
            causes[i] = ELSEWHERE
    return causes
