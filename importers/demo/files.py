"""Write the demo city into the files that the ordinary importers read."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import pyogrio

from importers.demo import addresses, helps, network, placements
from importers.demo.catalogue import CATALOGUE, HELP_CATALOGUE
from importers.demo.city import DemoArea, DemoCity
from importers.demo.facilities import COLUMNS
from importers.demo.population import GRID_COLUMNS, POSITIONS

LEVELS_WITH_RESIDENTS = ("land", "bezirk", "stadtteil", "statgebiet")
"""The levels for which residents are published; those of Sozialräume follow from where people live."""

PERIOD = "2025"
"""The year the residents are counted for."""

_STATISTICS = ("area_level", "area_key", "indicator", "position", "period", "value", "flag")
_FILE_DATE = "2026-01-01T00:00:00.000Z"


def write(city: DemoCity, folder: Path) -> None:
    """Write the city's files into the folder.

    `gebiete-<level>.gpkg` (EPSG:25832, one layer), `einrichtungen-<category>.csv`, `einwohner.csv` (residents by age
    as canonical statistics), `zensus-gitter.csv` (the census grid in its publisher's layout, Windows-1252),
    `merkmale.csv` (indicators as canonical statistics), `katalog.toml` (what they mean, and standards), `wegenetz.csv`
    (ways as an edge list), `jugendeinwohner.csv` and `hilfen-<table>.csv` (canonical statistics),
    `katalog-hilfen.toml` (the Hilfearten), `unterbringungen.csv` (canonical placements), `anschriften.csv` (addresses
    with x and y). The folder is made where it is
    missing; files of these names are replaced. The same city gives the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _fixed_date():
        for level, areas in city.areas.items():
            _write_areas(areas, folder / f"gebiete-{level}.gpkg", f"gebiete_{level}")
    for category, rows in city.facilities.items():
        _write_facilities(rows, folder / f"einrichtungen-{category}.csv")
    _write_table(folder / "einwohner.csv", _STATISTICS, _residents(city))
    _write_table(folder / "zensus-gitter.csv", GRID_COLUMNS, city.grid, encoding="cp1252")
    _write_table(folder / "merkmale.csv", _STATISTICS, city.figures)
    _write_table(folder / "wegenetz.csv", network.COLUMNS, city.ways)
    _write_table(folder / "jugendeinwohner.csv", helps.COLUMNS, city.youth)
    for name, rows_of_helps in city.helps.items():
        _write_table(folder / f"hilfen-{name}.csv", helps.COLUMNS, rows_of_helps)
    _write_table(folder / "unterbringungen.csv", placements.COLUMNS, city.placements)
    _write_table(folder / "anschriften.csv", addresses.COLUMNS, city.addresses)
    for name, catalogue in (("katalog", CATALOGUE), ("katalog-hilfen", HELP_CATALOGUE)):
        (folder / f"{name}.toml").write_text(catalogue, encoding="utf-8", newline="\n")


def _write_areas(areas: Sequence[DemoArea], path: Path, layer: str) -> None:
    columns: dict[str, Sequence[str | int | None]] = {
        "key": [area.key for area in areas],
        "name": [area.name for area in areas],
        "parent_key": [area.parent_key for area in areas],
        "flaeche_ha": [round(area.geometry.area / 10_000) for area in areas],
    }
    frame = gpd.GeoDataFrame(columns, geometry=[area.geometry for area in areas], crs="EPSG:25832")
    path.unlink(missing_ok=True)
    pyogrio.write_dataframe(frame, path, layer=layer, driver="GPKG", geometry_type="MultiPolygon")


def _write_facilities(rows: Sequence[Mapping[str, str]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _residents(city: DemoCity) -> Iterator[tuple[str, ...]]:
    for level in LEVELS_WITH_RESIDENTS:
        for area in city.areas[level]:
            for column, position in POSITIONS.items():
                yield level, area.key, "population", position, PERIOD, str(area.residents[column]), "ok"


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]], *, encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle, delimiter=";", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


@contextmanager
def _fixed_date() -> Iterator[None]:
    """Let GDAL write a fixed date of change into the files, else no two of them are alike."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FILE_DATE})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
