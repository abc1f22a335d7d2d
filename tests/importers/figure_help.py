"""What the tests of figures share: canonical rows, short ways to load them and to look at what was loaded."""

from pathlib import Path
from typing import Any

from importer_help import query, write_csv
from sqlalchemy import Engine

from importers.kinds.placements import PlacementsImport, import_placements
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.load import Counting
from importers.mapping import Mapping
from importers.report import Report
from importers.sources import open_source

FIGURE_TABLES = (
    "instance_state", "dataset", "import_run", "merged_area", "observation", "observation_split", "indicator",
    "help_type", "help_group", "standard", "dataset_rank", "placement", "placement_delivery",
)  # fmt: skip
KEY_DATE = Counting(counting="stichtag")


def mapping(**parts: Any) -> Mapping:
    return Mapping.model_validate(parts)


def people(key: str = "02101", position: str = "total", value: object = 100, **columns: Any) -> dict[str, Any]:
    """Return one canonical row of residents of a Stadtteil of the tiny city."""
    return {"area_level": "stadtteil", "area_key": key, "indicator": "population", "position": position,
            "period": "2020", "value": value} | columns  # fmt: skip


def cases(key: str = "1", position: str = "31", value: object = 5, **columns: Any) -> dict[str, Any]:
    """Return one canonical row of helps of a Bezirk of the tiny city."""
    return people(key, position, value, area_level="bezirk", indicator="cases") | columns


GOOD = [
    people("02101", "total", 1000),
    people("02101", "0-18", 200, flag="provisional"),
    people("02102", "total", "", flag="suppressed"),
    people("02102", "0-18", ""),
    people("ohne", "total", 7),
    people("1", "total", 2007, area_level="bezirk"),
    people("02101", "65-", 120, period="2021-Q3", scenario="prognose"),
]


def load_rows(engine: Engine, path: Path, rows: list[dict[str, Any]], **options: Any) -> Report:
    """Write rows as CSV and import them as statistics."""
    options.setdefault("counting", KEY_DATE)
    return load_statistics(engine, write_csv(path / "werte.csv", rows), **options)


def load_statistics(engine: Engine, path: Path, **options: Any) -> Report:
    return import_statistics(engine, open_source(path), StatisticsImport(**options))


def load_placements(engine: Engine, path: Path, rows: list[dict[str, Any]], **options: Any) -> Report:
    return import_placements(engine, open_source(write_csv(path / "unterbringungen.csv", rows)),
                             PlacementsImport(**options))  # fmt: skip


def observations(engine: Engine, dataset: str = "statistics") -> dict[tuple[str, ...], tuple[Any, str]]:
    """Return the current figures of a dataset: (level, key, indicator, position, period, scenario) -> (value, flag)."""
    found = query(
        engine,
        "SELECT o.level, o.area_key, o.indicator, o.position, o.period, o.scenario, o.value, o.flag "
        "FROM dataset d JOIN observation o ON o.import_id = d.current_import_id WHERE d.name = :dataset",
        dataset=dataset,
    )
    return {tuple(row[:6]): (row[6], row[7]) for row in found}


def figures_state(engine: Engine) -> dict[str, str]:
    """Return a digest of every table that an import of figures writes."""
    return {
        table: query(engine, f"SELECT count(*) || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) "
                             f"FROM {table} t")[0][0]
        for table in FIGURE_TABLES
    }  # fmt: skip
