"""Write the demo city into the files that the ordinary importers read."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import pyogrio

from importers.demo.city import DemoArea, DemoCity
from importers.demo.facilities import COLUMNS
from importers.demo.population import COLUMNS as RESIDENTS

_FILE_DATE = "2026-01-01T00:00:00.000Z"


def write(city: DemoCity, folder: Path) -> None:
    """Write `gebiete-<level>.gpkg` (EPSG:25832, one layer) and `einrichtungen-<category>.csv` into the folder.

    The folder is made where it is missing; files of these names are replaced. The same city gives the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _fixed_date():
        for level, areas in city.areas.items():
            _write_areas(areas, folder / f"gebiete-{level}.gpkg", f"gebiete_{level}")
    for category, rows in city.facilities.items():
        _write_facilities(rows, folder / f"einrichtungen-{category}.csv")


def _write_areas(areas: Sequence[DemoArea], path: Path, layer: str) -> None:
    columns: dict[str, Sequence[str | int | None]] = {
        "key": [area.key for area in areas],
        "name": [area.name for area in areas],
        "parent_key": [area.parent_key for area in areas],
    }
    columns |= {column: [area.residents[column] for area in areas] for column in RESIDENTS}
    frame = gpd.GeoDataFrame(columns, geometry=[area.geometry for area in areas], crs="EPSG:25832")
    path.unlink(missing_ok=True)
    pyogrio.write_dataframe(frame, path, layer=layer, driver="GPKG", geometry_type="MultiPolygon")


def _write_facilities(rows: Sequence[Mapping[str, str]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, delimiter=";", lineterminator="\n")
        writer.writeheader()
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
