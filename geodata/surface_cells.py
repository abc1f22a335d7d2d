"""Where people live: the census grid as stored, the areas its cells lie in, and points where there is no grid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages, share_of
from geodata.bulk import read_arrays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GRID_M = 100.0
GROUPS = {
    "under_18": Ages(0, 18),
    "from_18_to_30": Ages(18, 30),
    "from_30_to_50": Ages(30, 50),
    "from_50_to_65": Ages(50, 65),
    "from_65": Ages(65),
}
# Where an open band has to be cut by years of age, hardly anyone is older.
OLDEST = 95
# A whole Land without grid would else become millions of points.
MOST_POINTS = 200_000
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Grid:
    """The visible census grid: midpoints (n, 2) in EPSG:25832 and residents (n, groups), scaled to each cell's total.

    ``ages`` are the groups; only "all ages" where the grid has no ages. ``inferred``: cells whose residents had to be
    divided by the age structure of the whole grid, because their groups are missing or all 0.
    """

    xy: Floats
    residents: Floats
    ages: list[Ages]
    inferred: int


@dataclass(frozen=True, slots=True)
class Areas:
    """The visible areas of a level that have geometry, in the order of their keys (byte order)."""

    level: str
    keys: list[str]
    names: list[str]
    shapes: NDArray[Any]


def read_grid(session: Session) -> Grid | None:
    """Return the visible census grid, cells in the order of their ids; None if there is none."""
    counts = ("total", *GROUPS)
    found = read_arrays(
        session,
        f"""
            SELECT ST_X(c.geom), ST_Y(c.geom), {", ".join(f"coalesce(c.{count}, -1)" for count in counts)}
            FROM dataset d JOIN population_cell c ON c.import_id = d.current_import_id
            ORDER BY c.cell_id COLLATE "C"
        """,
        {"x": "f8", "y": "f8", **dict.fromkeys(counts, "i4")},
    )
    if not len(found["x"]):
        return None
    xy = np.column_stack([found["x"], found["y"]])
    table = np.column_stack([found[count] for count in counts]).astype(np.float64)
    table[table < 0] = np.nan
    total, parts = table[:, 0], table[:, 1:]
    if np.nansum(parts) == 0:
        return Grid(xy, np.nan_to_num(total)[:, None], [Ages(0)], 0)
    total = np.where(np.isnan(total), np.nansum(parts, axis=1), total)
    profile = np.nansum(parts, axis=0) / np.nansum(parts)
    # The publisher perturbs total and parts apart from each other: a cell of a few people may have no part at all.
    unsaid = np.isnan(parts) | (np.nan_to_num(parts).sum(axis=1, keepdims=True) == 0)
    rest = np.maximum(total - np.where(unsaid, 0.0, parts).sum(axis=1), 0.0)
    spread = np.where(unsaid, profile, 0.0)
    weight = spread.sum(axis=1)
    share = spread / np.where(weight > 0, weight, 1.0)[:, None]
    residents = np.where(unsaid, share * rest[:, None], parts)
    sums = residents.sum(axis=1)
    residents *= (total / np.where(sums > 0, sums, 1.0))[:, None]
    return Grid(xy, residents, list(GROUPS.values()), int(((total > 0) & unsaid.any(axis=1)).sum()))


def read_areas(session: Session) -> dict[str, Areas]:
    """Return the visible areas with geometry by level."""
    rows = session.execute(
        text("""
            SELECT a.level, a.key, a.name, ST_AsBinary(a.geom) AS shape
            FROM dataset d JOIN area a ON a.import_id = d.current_import_id
            WHERE a.geom IS NOT NULL ORDER BY a.level COLLATE "C", a.key COLLATE "C"
        """)
    ).all()
    found: dict[str, Areas] = {}
    for level in dict.fromkeys(row.level for row in rows):
        own = [row for row in rows if row.level == level]
        shapes = shapely.from_wkb(np.array([bytes(row.shape) for row in own], dtype=object))
        found[level] = Areas(level, [row.key for row in own], [row.name for row in own], shapes)
    return found


def owners(xy: Floats, areas: Areas) -> Ints:
    """Return for each point the number of the area that covers it, the first of several; ``NOWHERE`` if none does."""
    owner = np.full(len(xy), len(areas.keys), dtype=np.int64)
    area, point = shapely.STRtree(np.asarray(shapely.points(xy), dtype=object)).query(areas.shapes, predicate="covers")
    np.minimum.at(owner, point, area)
    owner[owner == len(areas.keys)] = NOWHERE
    return owner


def by_bands(residents: Floats, ages: Sequence[Ages], bands: Sequence[Ages]) -> Floats:
    """Divide residents (n, groups) into bands (n, bands), spreading each group evenly over its years of age.

    The open group is taken to end at ``OLDEST`` (at least ten years after its last bound); bands that no group
    reaches get nobody.
    """
    oldest = max(OLDEST, *(band.age_from + 10 for band in bands), *(group.age_from + 10 for group in ages))
    shares = np.array([[share_of(group, band, oldest) for band in bands] for group in ages])
    divided: Floats = residents @ shares
    return divided


def points_inside(areas: Areas, wanted: NDArray[np.bool_]) -> tuple[Floats, Ints]:
    """Return points every 100 m inside the wanted areas, and the number of the area each belongs to.

    The points are the middles of the 100 m squares of EPSG:25832 (wider ones where there would be more than
    ``MOST_POINTS``); a point that several areas cover belongs to the first. An area that gets none of them has one
    point on its surface.
    """
    squares = float(shapely.area(areas.shapes[wanted]).sum()) / GRID_M**2
    step = GRID_M * max(1, math.ceil(math.sqrt(squares / MOST_POINTS)))
    made = [_raster(shape, step) for shape in areas.shapes[wanted]]
    xy = np.unique(np.concatenate([np.empty((0, 2)), *made]), axis=0)
    owner = owners(xy, areas) if len(xy) else np.empty(0, dtype=np.int64)
    kept = wanted[owner] & (owner != NOWHERE)
    xy, owner = xy[kept], owner[kept]
    without = np.flatnonzero(wanted & (np.bincount(owner, minlength=len(wanted)) == 0))
    if len(without):
        single = shapely.get_coordinates(shapely.point_on_surface(areas.shapes[without]))
        xy, owner = np.vstack([xy, single]), np.concatenate([owner, without])
    order = np.argsort(owner, kind="stable")
    return xy[order], owner[order]


def _raster(shape: shapely.MultiPolygon, step: float) -> Floats:
    west, south, east, north = shape.bounds
    x = np.arange(west // step * step + step / 2, east, step)
    y = np.arange(south // step * step + step / 2, north, step)
    grid = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
    inside: Floats = grid[shapely.contains_xy(shape, grid)]
    return inside


def add_up(values: Floats, owner: Ints, areas: int) -> Floats:
    """Add rows (n, columns) up by area (areas, columns); rows without an area are left out."""
    there = owner != NOWHERE
    order = np.argsort(owner[there], kind="stable")
    sorted_owner, rows = owner[there][order], values[there][order]
    sums = np.zeros((areas, values.shape[1]))
    if len(rows):
        starts = np.flatnonzero(np.diff(sorted_owner, prepend=-1))
        sums[sorted_owner[starts]] = np.add.reduceat(rows, starts, axis=0)
    return sums
