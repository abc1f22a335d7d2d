"""What the tests of people share: areas, figures and census grids in the layouts of their publishers, and ways to look.

The tiny city lies at ``EAST``, ``NORTH`` (EPSG:25832); x and y of boxes and cells count in metres from there.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer
from sqlalchemy import Engine, text

from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.population import PopulationImport, import_population
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.report import Report
from importers.sources import open_source

EAST, NORTH = 560_000, 5_930_000
HEADER = (
    "GITTER_ID_100m", "x_mp_100m", "y_mp_100m", "Insgesamt_Bevoelkerung", "Unter18", "a18bis29", "a30bis49",
    "a50bis64", "a65undaelter",
)  # fmt: skip
TO_GRID = Transformer.from_crs(25832, 3035, always_xy=True)
FROM_GRID = Transformer.from_crs(3035, 25832, always_xy=True)
GROUP_SHARES = np.array([0.17, 0.16, 0.29, 0.2, 0.18])


def box(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    return shapely.box(EAST + x, NORTH + y, EAST + x + width, NORTH + y + height)


def load_areas(
    engine: Engine, folder: Path, level: str, shapes: Mapping[str, shapely.Geometry | None], **options: Any
) -> Report:
    """Load areas; the key is the name too."""
    features = [
        {"type": "Feature", "properties": {"key": key, "name": f"{level} {key}"},
         "geometry": None if shape is None else json.loads(shapely.to_geojson(shape))}
        for key, shape in shapes.items()
    ]  # fmt: skip
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    path = folder / f"{level}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), encoding="utf-8")
    return import_areas(engine, open_source(path), AreasImport(level, **options))


def residents_rows(
    level: str, figures: Mapping[str, Mapping[str, object]], period: str = "2024", **more: object
) -> list[dict[str, object]]:
    """Rows of statistics: area key -> position -> residents."""
    return [
        {"area_level": level, "area_key": key, "indicator": "population", "position": position, "period": period,
         "value": value} | more
        for key, values in figures.items() for position, value in values.items()
    ]  # fmt: skip


def load_statistics(engine: Engine, folder: Path, rows: Iterable[Mapping[str, object]], **options: Any) -> Report:
    listed = list(rows)
    path = folder / "zahlen.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(dict.fromkeys(name for row in listed for name in row)), delimiter=";")
        writer.writeheader()
        writer.writerows(listed)
    return import_statistics(engine, open_source(path), StatisticsImport(**options))


def cell_row(x: int, y: int, *people: object) -> list[Any]:
    """A row of the grid; x and y are the midpoint in EPSG:3035."""
    return [f"CRS3035RES100mN{y - 50}E{x - 50}", x, y, *people]


def near(x: float, y: float, *people: object) -> list[Any]:
    """A row of the grid: the cell in which a point of the tiny city lies."""
    east, north = TO_GRID.transform(EAST + x, NORTH + y)
    return cell_row(int(east // 100 * 100 + 50), int(north // 100 * 100 + 50), *people)


def write_grid(
    path: Path, rows: Iterable[Sequence[Any]], *, header: Sequence[str] = HEADER, encoding: str = "utf-8"
) -> Path:
    lines = [";".join(header), *(";".join("" if v is None else str(v) for v in row) for row in rows)]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


def load_grid(engine: Engine, path: Path, **options: Any) -> Report:
    options.setdefault("home_level", "stadtteil")
    return import_population(engine, open_source(path), PopulationImport(**options))


def random_grid(shapes: Sequence[Any], cells: int, seed: int) -> list[list[Any]]:
    """Rows of a seeded grid: cells whose midpoints lie in the shapes (EPSG:25832), total and groups perturbed apart."""
    rng = np.random.default_rng(seed)
    union = shapely.union_all(shapes)
    west, south, east, north = TO_GRID.transform_bounds(*union.bounds)
    x = np.arange(west // 100 * 100 + 50, east, 100)
    y = np.arange(south // 100 * 100 + 50, north, 100)
    grid = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
    shapely.prepare(union)
    inside = grid[shapely.contains_xy(union, *FROM_GRID.transform(grid[:, 0], grid[:, 1]))]
    chosen = inside[np.sort(rng.permutation(len(inside))[:cells])].astype(int)
    groups = rng.poisson(rng.gamma(1.2, 40, len(chosen))[:, None] * GROUP_SHARES)
    total = np.maximum(groups.sum(axis=1) + rng.integers(-2, 3, len(chosen)), 3)
    return [
        cell_row(px, py, people, *("–" if group < 2 else group for group in own))
        for (px, py), people, own in zip(chosen.tolist(), total.tolist(), groups.tolist(), strict=True)
    ]


def query(engine: Engine, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def surface(engine: Engine) -> dict[str, Any]:
    """What the surface was made from; empty without one."""
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM surface")).one_or_none()
        return {} if row is None else dict(row._mapping)


def bands(engine: Engine) -> list[tuple[int, int | None]]:
    return [(low, high) for low, high in query(engine, "SELECT age_from, age_to FROM surface_band ORDER BY number")]


def residents(engine: Engine, level: str) -> dict[str, list[float]]:
    """Residents of the surface by area and band."""
    found = query(
        engine,
        """
            SELECT s.area_key, u.band, sum(u.people)
            FROM surface_area s JOIN surface_cell c USING (cell),
                 unnest(c.people) WITH ORDINALITY AS u (people, band)
            WHERE s.level = :level GROUP BY s.area_key, u.band ORDER BY s.area_key, u.band
        """,
        level=level,
    )
    made: dict[str, list[float]] = {}
    for key, _band, people in found:
        made.setdefault(key, []).append(people)
    return made


def aged(engine: Engine, level: str, age_from: int, age_to: int | None) -> dict[str, float]:
    """Residents of an age by area, from whole bands."""
    return of_age(bands(engine), residents(engine, level), age_from, age_to)


def of_age(
    cut: Sequence[tuple[int, int | None]], people: Mapping[str, Sequence[float]], age_from: int, age_to: int | None
) -> dict[str, float]:
    which = [
        i for i, (low, high) in enumerate(cut)
        if low >= age_from and (age_to is None or (high is not None and high <= age_to))
    ]  # fmt: skip
    return {key: sum(own[i] for i in which) for key, own in people.items()}


_DERIVED = ("surface", "surface_band", "surface_cell", "surface_area", "crosswalk", "observation_split")


def derived(engine: Engine) -> dict[str, str]:
    """Return a digest of every table the surface fills."""
    return {
        table: query(engine, f"SELECT count(*) || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) "
                             f"FROM {table} t")[0][0]
        for table in _DERIVED
    }  # fmt: skip
