"""How long the national census grid takes, and how long the population surface of a city."""

import time
from pathlib import Path

import numpy as np
from sqlalchemy import text

from bench.ground import CLI, HAMBURG, Bench, fresh, line, timed
from geodata.database import make_engine, writing
from geodata.surface import rebuild
from geodata.surface_cells import read_areas
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.sources import open_source

CELLS = 3_100_000
# Germany in EPSG:3035 (metres): its bounding box, a little rounded.
_WEST, _EAST, _SOUTH, _NORTH = 4_031_000, 4_673_000, 2_684_000, 3_551_000
_HEADER = (
    "GITTER_ID_100m;x_mp_100m;y_mp_100m;Insgesamt_Bevoelkerung;Unter18;a18bis29;a30bis49;a50bis64;a65undaelter\r\n"
)
_POSITIONS = ("0-3", "3-6", "6-10", "10-14", "14-18", "18-21", "21-27", "27-45", "45-65", "65-", "total")
_TARGET_S, _TARGET_MIB = 120, 1536


def run() -> None:
    """Measure and print."""
    if not HAMBURG.exists():
        line("Zensus-Gitter", "shared/data fehlt")
        return
    with fresh() as bench:
        for file, level in (("bezirke", "bezirk"), ("stadtteile", "stadtteil"), ("ortsteile", "ortsteil")):
            source = str(HAMBURG / "grenzen" / f"{file}.geojson")
            command = [CLI, "import", "areas", source, "--level", level, "--mapping", f"hamburg/{file}.toml"]
            timed(command, env=bench.environment())
        grid = bench.folder / "zensus.csv"
        national_grid(grid, CELLS)
        ours = timed([CLI, "import", "population", str(grid)], env=bench.environment())
        line(
            f"Import Zensus-Gitter, {CELLS / 1e6:.1f} Mio. Zellen ({grid.stat().st_size / 1024**2:.0f} MiB)",
            f"{ours.wall_s:.1f} s {ours.peak_mib:.0f} MiB",
            f"Ziel {_TARGET_S} s, {_TARGET_MIB} MiB",
        )
        surface(bench)


def national_grid(path: Path, count: int) -> None:
    """Write that many different cells of Germany's bounding box in the publisher's layout, ordered by cell."""
    rng = np.random.default_rng(7)
    columns, rows = (_EAST - _WEST) // 100, (_NORTH - _SOUTH) // 100
    chosen = np.sort(rng.choice(columns * rows, count, replace=False))
    with path.open("w", encoding="cp1252", newline="") as handle:
        handle.write(_HEADER)
        for part in np.array_split(chosen, 62):
            y, x = _SOUTH + part // columns * 100, _WEST + part % columns * 100
            groups = rng.poisson(rng.gamma(1.0, 27, len(part))[:, None] * (0.17, 0.13, 0.25, 0.23, 0.22))
            total = np.maximum(groups.sum(axis=1), 3)
            shown = np.where(groups < 3, "–", groups.astype(str))
            handle.writelines(
                f"CRS3035RES100mN{south}E{west};{west + 50};{south + 50};{people};{';'.join(own)}\r\n"
                for west, south, people, own in zip(x.tolist(), y.tolist(), total.tolist(), shown.tolist(), strict=True)
            )


def surface(bench: Bench) -> None:
    """Rebuild the surface from 40,000 inhabited cells and 11 positions of age in 181 Ortsteile."""
    grid = bench.folder / "stadt.csv"
    engine = make_engine(bench.writing_url)
    try:
        with writing(engine) as session:
            areas = read_areas(session)
        shapes = list(areas["bezirk"].shapes)
        city_grid(grid, shapes, 40_000)
        figures = bench.folder / "einwohner.csv"
        figures_csv(figures, "ortsteil", areas["ortsteil"].keys)
        timed([CLI, "import", "population", str(grid), "--max-shrink", "100%"], env=bench.environment())
        import_statistics(engine, open_source(figures), StatisticsImport())
        with writing(engine) as session:
            rebuild(session, "population", 0)
        with writing(engine) as session:
            started = time.perf_counter()
            rebuild(session, "population", 0)
            cells = session.execute(text("SELECT count(*) FROM surface_cell")).scalar_one()
            took = time.perf_counter() - started
        line(f"Bevölkerungsfläche, {cells} Zellen × 181 Gebiete × 3 Ebenen", f"{took:.2f} s", "Ziel 2 s")
    finally:
        engine.dispose()


def city_grid(path: Path, shapes: list[object], count: int) -> None:
    """Write that many cells inside the shapes (EPSG:25832) in the layout of the census grid."""
    import shapely  # noqa: PLC0415 - only here
    from pyproj import Transformer  # noqa: PLC0415

    rng = np.random.default_rng(8)
    union = shapely.union_all(np.array(shapes, dtype=object))
    shapely.prepare(union)
    to_grid = Transformer.from_crs(25832, 3035, always_xy=True)
    west, south, east, north = to_grid.transform_bounds(*union.bounds)
    x, y = np.arange(west // 100 * 100 + 50, east, 100), np.arange(south // 100 * 100 + 50, north, 100)
    grid = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
    metres = np.column_stack(to_grid.transform(grid[:, 0], grid[:, 1], direction="INVERSE"))
    inside = grid[shapely.intersects_xy(union, metres)].astype(int)
    chosen = inside[rng.permutation(len(inside))[:count]]
    groups = rng.poisson(8, (len(chosen), 5))
    with path.open("w", encoding="cp1252", newline="") as handle:
        handle.write(_HEADER)
        for (px, py), own in zip(chosen.tolist(), groups.tolist(), strict=True):
            numbers = ";".join(map(str, [sum(own), *own]))
            handle.write(f"CRS3035RES100mN{py - 50}E{px - 50};{px};{py};{numbers}\r\n")


def figures_csv(path: Path, level: str, keys: list[str]) -> None:
    """Write residents of each area in eleven positions of age as canonical statistics."""
    rng = np.random.default_rng(9)
    with path.open("w", encoding="utf-8") as handle:
        handle.write("area_level;area_key;indicator;position;period;value\n")
        for key in keys:
            ages = rng.integers(0, 900, len(_POSITIONS) - 1)
            for position, value in zip(_POSITIONS, [*ages.tolist(), int(ages.sum())], strict=True):
                handle.write(f"{level};{key};population;{position};2024;{value}\n")
