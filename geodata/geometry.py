"""Geometry on its way in and out: between metres (EPSG:25832) and CRS84, simplified where a map asks for it."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

COORDINATE_DECIMALS = 6  # about 0.1 m


@cache
def _to_lonlat() -> Transformer:
    return Transformer.from_crs(25832, 4326, always_xy=True)


@cache
def _to_metres() -> Transformer:
    return Transformer.from_crs(4326, 25832, always_xy=True)


def metres(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return longitude and latitude (CRS84, shape (n, 2)) as metres (EPSG:25832)."""
    return np.column_stack(_to_metres().transform(degrees[:, 0], degrees[:, 1]))


def lonlat(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return metres (EPSG:25832, shape (n, 2)) as longitude and latitude (CRS84), rounded to about 0.1 m."""
    lon, lat = _to_lonlat().transform(points[:, 0], points[:, 1])
    return np.column_stack([lon, lat]).round(COORDINATE_DECIMALS)


def area_geojson(wkb: Sequence[bytes | None], simplify_m: float = 0.0) -> list[str | None]:
    """Return polygons (WKB, EPSG:25832) as GeoJSON geometries in CRS84; None stays None.

    ``simplify_m`` > 0 simplifies the areas together (Visvalingam-Whyatt on their shared edges), so that
    neighbours keep meeting; about that many metres of detail are lost.
    """
    polygons: NDArray[Any] = shapely.from_wkb(np.array(wkb, dtype=object))
    given = ~shapely.is_missing(polygons)
    if simplify_m > 0 and given.any():
        polygons[given] = shapely.coverage_simplify(polygons[given], simplify_m)
    texts = shapely.to_geojson(shapely.transform(polygons[given], lonlat))
    result: list[str | None] = [None] * len(polygons)
    for index, geojson in zip(np.flatnonzero(given), texts, strict=True):
        result[index] = geojson
    return result
