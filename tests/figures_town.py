"""A little town with figures, for the tests of the question and of its route: two Bezirke, four Stadtteile each.

Everything that can happen to a figure happens to one of them.
"""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.load import Counting, Footnotes
from importers.mapping import Mapping
from importers.sources import open_source

EAST, NORTH = 565_000, 5_935_000
BEZIRKE = ("1", "2")
STADTTEILE = tuple(f"{bezirk}{number}" for bezirk in BEZIRKE for number in range(1, 5))
TOTAL = {"11": 100.0, "12": 200.0, "13": 300.0, "21": 50.0, "22": 60.0}  # 14 is not stated, 23 and 24 together
YOUNG = {"11": 10.0, "12": 20.0, "13": 30.0, "21": 5.0, "22": 6.0}
TOGETHER = 40.0
WITHOUT = 7.0
AMTLICH = "statistics.amtlich"
HELPS = "statistics.hilfen"
OTHER_COUNTING = "statistics.jahresmittel"


def square(column: int, row: int, width: int) -> dict[str, Any]:
    west, south = EAST + 1000 * column, NORTH + 1000 * row
    ring = [[west, south], [west + width, south], [west + width, south + 1000], [west, south + 1000], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _geojson(path: Path, features: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> Path:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    listed = [{"type": "Feature", "properties": given, "geometry": shape} for given, shape in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": listed}), encoding="utf-8")
    return path


def figure(
    level: str, key: str, indicator: str, position: str, period: str, value: object = "", **more: Any
) -> dict[str, Any]:
    return {"area_level": level, "area_key": key, "indicator": indicator, "position": position, "period": period,
            "value": value, "flag": "", "scenario": "ist"} | more  # fmt: skip


def load_figures(
    engine: Engine, folder: Path, rows: list[dict[str, Any]], dataset: str, counting: Counting, title: str = "Zahlen"
) -> None:
    path = folder / f"{dataset}.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    import_statistics(engine, open_source(path), StatisticsImport(
        dataset=dataset, counting=counting, footnotes=Footnotes(title, "dl-de/by-2-0", "Amt")))  # fmt: skip


def build(engine: Engine, folder: Path) -> None:
    """Load the town: areas, the catalogue of its indicators, and its figures."""
    bezirke = _geojson(folder / "b.geojson", (
        ({"key": key, "name": f"Bezirk {key}"}, square(0, row, 4000)) for row, key in enumerate(BEZIRKE)))  # fmt: skip
    import_areas(engine, open_source(bezirke), AreasImport("bezirk"))
    stadtteile = _geojson(folder / "s.geojson", (
        ({"key": key, "name": f"Stadtteil {key}", "b": key[0]}, square(int(key[1]) - 1, int(key[0]) - 1, 1000))
        for key in STADTTEILE))  # fmt: skip
    by_column = Mapping.model_validate({"columns": {"parent_key": "b"}})
    import_areas(engine, open_source(stadtteile), AreasImport("stadtteil", parent_level="bezirk", mapping=by_column))
    catalogue = folder / "katalog.toml"
    catalogue.write_text(
        'indicator = [{ code = "wohnungen", title = "Wohnungen", unit = "wohnungen", kind = "count" }]\n',
        encoding="utf-8",
    )
    import_catalogue(engine, catalogue, CatalogueImport())
    residents = [
        *(figure("stadtteil", key, "population", "total", "2020", value) for key, value in TOTAL.items()),
        *(figure("stadtteil", key, "population", "0-18", "2020", value) for key, value in YOUNG.items()),
        figure("stadtteil", "23+24", "population", "total", "2020", TOGETHER),
        figure("stadtteil", "ohne", "population", "total", "2020", WITHOUT),
        figure("stadtteil", "11", "population", "total", "2019-12-31", 99),
        figure("stadtteil", "11", "population", "total", "2030", 120, scenario="prognose"),
        figure("bezirk", "1", "population", "total", "2020", 600),
        figure("stadtteil", "11", "wohnungen", "", "2020", 55, flag="provisional"),
        figure("stadtteil", "12", "wohnungen", "", "2020", flag="suppressed"),
        figure("stadtteil", "23+24", "wohnungen", "", "2020", 9),
        figure("stadtteil", "13", "eigenes", "", "2020", 0.5),
    ]
    load_figures(engine, folder, residents, AMTLICH, Counting("stichtag", scope="nur Hauptwohnsitz"), "Amtliche Zahlen")
    helps = [figure("bezirk", key, "cases", "31", "2021-Q3", number) for key, number in (("1", 12), ("2", 2))]
    helps.append(figure("stadtteil", "11", "cases", "31", "2021-Q3", 4))
    load_figures(engine, folder, helps, HELPS, Counting("stichtag", "hilfen"), "Hilfen")
    means = [figure("stadtteil", "11", "eigenes", "", "2020", 0.25)]
    load_figures(engine, folder, means, OTHER_COUNTING, Counting("mittel_12_stichtage"), "Jahresmittel")
