"""The demo city in its own database: written as files and loaded by the same importers as any other source."""

import datetime as dt
import tempfile
from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from pathlib import Path

from sqlalchemy import Engine

from geodata.categories import TITLES
from geodata.database import writing
from geodata.datasets import loaded_datasets, set_notice
from importers.demo import city as demo_city
from importers.demo import files, network
from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.kinds.network import NetworkImport, import_network
from importers.kinds.population import PopulationImport, import_population
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.load import Counting, Footnotes
from importers.mapping import Mapping
from importers.sources import open_source

NOTICE = "Beispieldaten – keine amtlichen Angaben"
_AS_OF = dt.date(2026, 1, 1)
_LICENCE = "CC0-1.0"
_ATTRIBUTION = "Sozialraumkarte, Beispielstadt"
_PARENTS: AbstractMapping[str, str] = {
    "bezirk": "land",
    "stadtteil": "bezirk",
    "statgebiet": "stadtteil",
    "sozialraum": "bezirk",
}
_LEVEL_TITLES = {"land": "Land", "bezirk": "Bezirk", "stadtteil": "Stadtteil", "statgebiet": "Statistisches Gebiet",
                 "sozialraum": "Sozialraum"}  # fmt: skip
LEVELS = tuple(_LEVEL_TITLES)
# The grid first: residents are then scaled on it once, not spread over areas before.
PEOPLE = ("population", "statistics.einwohner")
CATALOGUE, INDICATORS, NETWORK = "catalogue", "statistics.merkmale", "network"
CATEGORIES = ("okja", "famfoe", "sha", "hze", "kita", "schule")


def load_demo(engine: Engine, tell: Callable[[str], None]) -> None:
    """Load what is missing of the demo city; ``tell`` hears how it goes. Nothing is done if all is there."""
    wanted = {
        *(f"areas.{level}" for level in LEVELS),
        *PEOPLE,
        *(CATALOGUE, INDICATORS, NETWORK),
        *(f"facilities.{category}" for category in CATEGORIES),
    }
    with writing(engine) as session:
        missing = wanted - loaded_datasets(session)
        set_notice(session, NOTICE)
    if not missing:
        return
    tell("Die Beispielstadt wird angelegt …")
    with tempfile.TemporaryDirectory(prefix="srk-") as name:
        folder = Path(name)
        files.write(demo_city.build(), folder)
        for level in LEVELS:
            if f"areas.{level}" in missing:
                _load_level(engine, folder, level, tell)
        if missing & {*PEOPLE}:
            _load_people(engine, folder, tell)
        # The catalogue first: it says what the figures are. The network last: places and cells are then snapped once.
        if CATALOGUE in missing:
            _load_catalogue(engine, folder, tell)
        if INDICATORS in missing:
            _load_indicators(engine, folder, tell)
        for category in CATEGORIES:
            if f"facilities.{category}" in missing:
                _load_category(engine, folder, category, tell)
        if NETWORK in missing:
            _load_network(engine, folder, tell)


def _footnotes(title: str) -> Footnotes:
    return Footnotes(f"{title} (Beispieldaten)", _LICENCE, _ATTRIBUTION, _AS_OF)


def _load_level(engine: Engine, folder: Path, level: str, tell: Callable[[str], None]) -> None:
    wanted = AreasImport(
        level=level,
        level_title=_LEVEL_TITLES[level],
        parent_level=_PARENTS.get(level),
        mapping=Mapping(keep_attributes=True),
        footnotes=_footnotes(f"Gebiete: {_LEVEL_TITLES[level]}"),
    )
    tell("  " + import_areas(engine, open_source(folder / f"gebiete-{level}.gpkg"), wanted).headline())


def _load_people(engine: Engine, folder: Path, tell: Callable[[str], None]) -> None:
    grid, statistics = PEOPLE
    cells = PopulationImport(dataset=grid, footnotes=_footnotes("Einwohner im 100-m-Gitter"))
    tell("  " + import_population(engine, open_source(folder / "zensus-gitter.csv"), cells).headline())
    residents = StatisticsImport(
        dataset=statistics,
        counting=Counting(counting="stichtag", unit="personen"),
        footnotes=_footnotes("Einwohner nach Alter"),
    )
    tell("  " + import_statistics(engine, open_source(folder / "einwohner.csv"), residents).headline())


def _load_category(engine: Engine, folder: Path, category: str, tell: Callable[[str], None]) -> None:
    wanted = FacilitiesImport(category=category, footnotes=_footnotes(TITLES[category]))
    source = open_source(folder / f"einrichtungen-{category}.csv")
    tell("  " + import_facilities(engine, source, wanted).headline())


def _load_catalogue(engine: Engine, folder: Path, tell: Callable[[str], None]) -> None:
    wanted = CatalogueImport(dataset=CATALOGUE, footnotes=_footnotes("Kennzahlen und Richtwerte"))
    tell("  " + import_catalogue(engine, folder / "katalog.toml", wanted).headline())


def _load_indicators(engine: Engine, folder: Path, tell: Callable[[str], None]) -> None:
    wanted = StatisticsImport(
        dataset=INDICATORS,
        decimal=".",
        counting=Counting(counting="stichtag"),
        footnotes=_footnotes("Soziale Merkmale"),
    )
    tell("  " + import_statistics(engine, open_source(folder / "merkmale.csv"), wanted).headline())


def _load_network(engine: Engine, folder: Path, tell: Callable[[str], None]) -> None:
    wanted = NetworkImport(dataset=NETWORK, crs=network.CRS, decimal=".", footnotes=_footnotes("Wegenetz"))
    tell("  " + import_network(engine, open_source(folder / "wegenetz.csv"), wanted).headline())
