"""Generated ground for the coverage benchmarks: a city through the real importers, and a country of Germany's size.

The city is a square of areas with census cells, residents by age, a network and places, all random and seeded. Its
density does not change with its size: more cells are a larger city, over which the same number of nodes and places is
spread. The country has too many cells to take the long way through a census file and its calibration: its residents
are written by the function that the import ends with (``surface_store.write``); areas and places are imported.
"""

import csv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyogrio.raw
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from bench.ground import CLI, Bench, facilities_csv, timed
from bench.people import city_grid, figures_csv
from geodata import surface_store
from geodata.ages import Ages
from geodata.database import make_engine, writing
from geodata.surface_cells import read_areas
from geodata.surface_store import Cells

AREAS = 941
_SIDE = 31
_NODES_ASIDE = 316
_ORIGIN = np.array([540_000.0, 5_900_000.0])
_INHABITED = 2 / 3

COUNTRY_AREAS, COUNTRY_CELLS, COUNTRY_PLACES = 11_000, 3_000_000, 100_000
_COUNTRY_ORIGIN, _COUNTRY_COLUMNS, _COUNTRY_SIZE = np.array([300_000.0, 5_250_000.0]), 100, (6_000.0, 7_300.0)
_BANDS = (0, 3, 6, 10, 14, 18, 21, 27, 45, 65, None)


@dataclass(frozen=True, slots=True)
class City:
    """How large a city: inhabited cells and places (of all categories together; a quarter in each)."""

    cells: int = 40_000
    places: int = 1_300

    @property
    def area_m(self) -> float:
        """The side of an area in whole tens of metres, so that about two thirds of the census cells are inhabited."""
        return float(10 * np.ceil(10 * np.sqrt(self.cells / _INHABITED / AREAS)))


def load_city(bench: Bench, city: City) -> None:
    """Load a city of 941 areas with its residents, 99,856 nodes and places, each by its import."""
    folder, side = bench.folder, city.area_m
    row, column = np.divmod(np.arange(AREAS), _SIDE)
    corners = _ORIGIN + np.column_stack([column, row]) * side
    fine = np.array([f"{i:04d}" for i in range(AREAS)], dtype=object)
    coarse = row // 3 * 11 + column // 3
    shapes = shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + side, corners[:, 1] + side)
    districts = np.array([f"{i:03d}" for i in np.unique(coarse)], dtype=object)
    unions = np.array([shapely.union_all(shapes[coarse == i]) for i in np.unique(coarse)], dtype=object)
    whole = np.array([shapely.union_all(shapes)], dtype=object)
    parent = np.array([f"{i:03d}" for i in coarse], dtype=object)
    _areas(bench, "bezirk", np.array(["1"], dtype=object), whole, None)
    _areas(bench, "stadtteil", districts, unions, ("bezirk", np.array(["1"] * len(districts), dtype=object)))
    _areas(bench, "statgebiet", fine, shapes, ("stadtteil", parent))
    _facilities(bench, city.places, _ORIGIN, _ORIGIN + side * np.array([_SIDE, _SIDE - 1]))
    figures_csv(folder / "einwohner.csv", "statgebiet", fine.tolist())
    _import(bench, "statistics", folder / "einwohner.csv")
    city_grid(folder / "zensus.csv", whole.tolist(), city.cells)
    _import(bench, "population", folder / "zensus.csv")
    edges_csv(folder / "kanten.csv", _SIDE * side / (_NODES_ASIDE - 1))
    _import(bench, "network", folder / "kanten.csv", "--crs", "EPSG:25832")


def load_country(bench: Bench) -> None:
    """Load a country of 11,000 areas, 3,000,000 inhabited cells with ten bands of age, and 100,000 places."""
    rng = np.random.default_rng(12)
    width, height = _COUNTRY_SIZE
    row, column = np.divmod(np.arange(COUNTRY_AREAS), _COUNTRY_COLUMNS)
    corners = _COUNTRY_ORIGIN + np.column_stack([column * width, row * height])
    rows = COUNTRY_AREAS // _COUNTRY_COLUMNS
    end = _COUNTRY_ORIGIN + np.array([_COUNTRY_COLUMNS * width, rows * height])
    keys = np.array([f"{i:05d}" for i in range(COUNTRY_AREAS)], dtype=object)
    shapes = shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + width, corners[:, 1] + height)
    whole = shapely.box(*_COUNTRY_ORIGIN, *end)
    _areas(bench, "bezirk", np.array(["1"], dtype=object), np.array([whole], dtype=object), None)
    _areas(bench, "gemeinde", keys, shapes, ("bezirk", np.array(["1"] * COUNTRY_AREAS, dtype=object)))
    _facilities(bench, COUNTRY_PLACES, _COUNTRY_ORIGIN, end, {"category": "okja"})
    # People live in clusters: most of the country's 100 m squares are empty.
    towns = rng.uniform(_COUNTRY_ORIGIN + 3_000, end - 3_000, (20_000, 2))
    spread = towns[rng.integers(0, len(towns), int(COUNTRY_CELLS * 1.3))]
    squares = ((spread + rng.normal(0, 800, spread.shape)) // 100).astype(np.int64)
    squares = np.unique(squares, axis=0)
    xy = rng.permutation(squares)[:COUNTRY_CELLS] * 100.0 + 50
    inside = ((xy > _COUNTRY_ORIGIN) & (xy < end)).all(axis=1)
    xy = xy[inside]
    people = rng.gamma(0.6, 3.0, (len(xy), len(_BANDS) - 1))
    at = ((xy - _COUNTRY_ORIGIN) // _COUNTRY_SIZE).astype(np.int64)
    engine = make_engine(bench.writing_url)
    try:
        with writing(engine) as session:
            areas = read_areas(session)
            owner = {"bezirk": np.zeros(len(xy), dtype=np.int64), "gemeinde": at[:, 1] * _COUNTRY_COLUMNS + at[:, 0]}
            cells = Cells(xy, people, np.ones(len(xy), dtype=np.bool_), owner)
            bands = [Ages(low or 0, high) for low, high in pairwise(_BANDS)]
            surface_store.write(session, cells, bands, basis="grid", choice=None, notes=[])
            surface_store.write_areas(session, cells, areas)
    finally:
        engine.dispose()


def edges_csv(path: Path, step_m: float) -> None:
    """Write a square grid of 316 × 316 nodes, ``step_m`` apart, without every tenth edge, as an edge list."""
    side = _NODES_ASIDE
    node = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [np.column_stack([a.ravel(), b.ravel()]) for a, b in ((node[:, :-1], node[:, 1:]), (node[:-1], node[1:]))]
    )
    pairs = pairs[np.random.default_rng(13).random(len(pairs)) > 0.1]
    xy = _ORIGIN + step_m * np.column_stack([node.ravel() % side, node.ravel() // side])
    table = np.column_stack([pairs, np.full(len(pairs), step_m), xy[pairs[:, 0]], xy[pairs[:, 1]]])
    np.savetxt(path, table, fmt="%d;%d;%.2f;%.2f;%.2f;%.2f;%.2f", header="u;v;length;u_x;u_y;v_x;v_y", comments="")


def _areas(
    bench: Bench,
    level: str,
    keys: NDArray[np.object_],
    shapes: NDArray[np.object_],
    above: tuple[str, NDArray[np.object_]] | None,
) -> None:
    names = np.array([f"Gebiet {key}" for key in keys], dtype=object)
    fields = [keys, names] if above is None else [keys, names, above[1]]
    path = bench.folder / f"{level}.gpkg"
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        fields,
        ["key", "name", "parent_key"][: len(fields)],
        layer=level,
        driver="GPKG",
        geometry_type="Polygon",
        crs="EPSG:25832",
    )
    _import(bench, "areas", path, "--level", level, *(() if above is None else ("--parent-level", above[0])))


def _facilities(
    bench: Bench, count: int, low: NDArray[np.float64], high: NDArray[np.float64], fixed: dict[str, str] | None = None
) -> None:
    """Import generated places in a rectangle of EPSG:25832; ``fixed``: columns that are the same in all rows."""
    path = bench.folder / "einrichtungen.csv"
    facilities_csv(path, count, (0.0, 0.0, 1.0, 1.0))
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter=";"))
    # The generated coordinates are shares of the way across.
    share = np.array([(float(row["lon"]), float(row["lat"])) for row in rows])
    lon, lat = Transformer.from_crs(25832, 4326, always_xy=True).transform(*(low + share * (high - low)).T)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), delimiter=";")
        writer.writeheader()
        for row, x, y in zip(rows, lon.tolist(), lat.tolist(), strict=True):
            writer.writerow(row | {"lon": f"{x:.7f}", "lat": f"{y:.7f}"} | (fixed or {}))
    _import(bench, "facilities", path, "--category", "okja")


def _import(bench: Bench, kind: str, path: Path, *options: str) -> None:
    timed([CLI, "import", kind, str(path), *options], env=bench.environment())
