"""Geometry on its way out."""

import json
import math
import random

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer
from shapely import MultiPolygon, Polygon
from shapely.geometry import shape

from geodata.geometry import area_geojson, lonlat

X0, Y0 = 565_000.0, 5_935_000.0


def jagged_neighbours(across: int = 4, steps: int = 40) -> list[MultiPolygon]:
    """Squares of 1 km whose shared borders are jagged lines with many points."""
    chance = random.Random(7)  # noqa: S311

    def corner(column: int, line: int) -> tuple[float, float]:
        return (X0 + 1000 * column, Y0 + 1000 * line)

    def border(a: tuple[float, float], b: tuple[float, float]) -> list[tuple[float, float]]:
        across_x, across_y = (b[1] - a[1]) / 1000, (b[0] - a[0]) / 1000
        middle = []
        for i in range(1, steps):
            off = chance.uniform(-8, 8)
            t = i / steps
            middle.append((a[0] + t * (b[0] - a[0]) + off * across_x, a[1] + t * (b[1] - a[1]) + off * across_y))
        return [a, *middle, b]

    flat = {(c, r): border(corner(c, r), corner(c + 1, r)) for c in range(across) for r in range(across + 1)}
    upright = {(c, r): border(corner(c, r), corner(c, r + 1)) for c in range(across + 1) for r in range(across)}
    return [
        MultiPolygon([Polygon(flat[c, r][:-1] + upright[c + 1, r][:-1] + flat[c, r + 1][:0:-1] + upright[c, r][:0:-1])])
        for c in range(across)
        for r in range(across)
    ]


def read(geojson: list[str | None]) -> list[MultiPolygon]:
    return [shape(json.loads(text)) for text in geojson if text is not None]


def test_geojson_is_where_the_metres_are() -> None:
    areas = jagged_neighbours()
    geod = Geod(ellps="GRS80")
    inverse = Transformer.from_crs(25832, 4326, always_xy=True)
    for area, given in zip(areas, read(area_geojson(shapely.to_wkb(areas).tolist())), strict=True):
        assert given.geom_type == "MultiPolygon"
        metres, degrees = shapely.get_coordinates(area), shapely.get_coordinates(given)
        assert len(metres) == len(degrees)
        lon, lat = inverse.transform(metres[:, 0], metres[:, 1])
        _, _, apart = geod.inv(lon, lat, degrees[:, 0], degrees[:, 1])
        assert np.max(apart) < 0.1
        back = np.column_stack(inverse.transform(degrees[:, 0], degrees[:, 1], direction="INVERSE"))
        assert np.max(np.hypot(*(back - metres).T)) < 0.1


def test_geojson_is_longitude_first_with_six_decimals() -> None:
    [geojson] = area_geojson([shapely.to_wkb(jagged_neighbours(1)[0])])
    assert geojson is not None
    for lon, lat in json.loads(geojson)["coordinates"][0][0]:
        assert 9.9 < lon < 10.1
        assert 53.5 < lat < 53.6
        assert (round(lon, 6), round(lat, 6)) == (lon, lat)


def test_a_known_point() -> None:
    """Central meridian of zone 32 and equator, from the definition of the projection."""
    [[lon, lat]] = lonlat(np.array([[500_000.0, 0.0]]))
    assert (lon, lat) == (9.0, 0.0)


def test_simplified_neighbours_keep_meeting() -> None:
    areas = jagged_neighbours()
    assert shapely.coverage_is_valid(areas)
    plain = read(area_geojson(shapely.to_wkb(areas).tolist()))
    simple = read(area_geojson(shapely.to_wkb(areas).tolist(), 50))
    assert shapely.coverage_is_valid(plain)
    assert shapely.coverage_is_valid(simple)
    assert all(area.is_valid for area in simple)
    before, after = (sum(len(shapely.get_coordinates(a)) for a in given) for given in (plain, simple))
    assert after < before / 4
    # Simplified each by itself and differently they would not: the check above can fail.
    alone = [shapely.simplify(area, 0.00005 * (1 + i % 2)) for i, area in enumerate(plain)]
    assert not shapely.coverage_is_valid(alone)
    whole, kept = shapely.union_all(plain), shapely.union_all(simple)
    assert kept.area == pytest.approx(whole.area, rel=0.01)
    assert whole.hausdorff_distance(kept) < 50 / 60_000
    assert kept.geom_type == "Polygon"
    assert not kept.interiors


def test_none_stays_none_in_its_place() -> None:
    first, second = (shapely.to_wkb(area) for area in jagged_neighbours()[:2])
    for simplify_m in (0.0, 20.0):
        given = area_geojson([None, first, None, second, None], simplify_m)
        assert [text is None for text in given] == [True, False, True, False, True]
        assert given[1] == area_geojson([first, second], simplify_m)[0]
        assert given[3] == area_geojson([first, second], simplify_m)[1]
        assert area_geojson([None, None], simplify_m) == [None, None]
        assert area_geojson([], simplify_m) == []


def test_holes_and_parts_survive() -> None:
    holed = Polygon(
        [(X0, Y0), (X0 + 100, Y0), (X0 + 100, Y0 + 100), (X0, Y0 + 100)],
        [[(X0 + 40, Y0 + 40), (X0 + 60, Y0 + 40), (X0 + 60, Y0 + 60), (X0 + 40, Y0 + 60)]],
    )
    island = Polygon([(X0 + 900, Y0), (X0 + 950, Y0), (X0 + 950, Y0 + 50)])
    [given] = read(area_geojson([shapely.to_wkb(MultiPolygon([holed, island]))]))
    assert [len(part.interiors) for part in given.geoms] == [1, 0]
    assert math.isclose(given.geoms[0].area / Polygon(given.geoms[0].exterior).area, 0.96, rel_tol=1e-2)
