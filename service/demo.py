"""The demo city in its own database: written as files and loaded by the same importers as any other source."""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator
from collections.abc import Mapping as AbstractMapping
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from geodata.categories import TITLES
from geodata.database import writing
from geodata.datasets import loaded_datasets, set_notice
from importers.demo import addresses, files, network
from importers.demo import city as demo_city
from importers.kinds.addresses import AddressesImport, import_addresses
from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.kinds.network import NetworkImport, import_network
from importers.kinds.placements import PlacementsImport, import_placements
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
CATALOGUE, INDICATORS, NETWORK, ADDRESSES = "catalogue", "statistics.merkmale", "network", "addresses"
CATEGORIES = ("okja", "famfoe", "sha", "hze", "kita", "schule")
YOUTH, HELP_CATALOGUE, PLACEMENTS = "statistics.jugendeinwohner", "catalogue.hilfen", "placements"
_SCOPE = (
    "Erfunden. Hilfen für junge Volljährige (§ 41) und für unbegleitete minderjährige Ausländer sind bei ihrer "
    "Hilfeart mitgezählt. Das Land hat etwas mehr, als Hilfearten und Bezirken zuzuordnen ist."
)
# Dataset: title, and how it counts. The file has the dataset's name without its kind.
FIGURES: AbstractMapping[str, tuple[str, Counting]] = {
    YOUTH: ("Jugendeinwohner (0 bis unter 21 Jahre)", Counting(counting="stichtag", unit="personen")),
    "statistics.hilfen-faelle": (
        "Hilfen zur Erziehung: Fälle", Counting(counting="mittel_12_stichtage", unit="hilfen", scope=_SCOPE),
    ),
    "statistics.hilfen-ausgaben": (
        "Hilfen zur Erziehung: Ausgaben",
        Counting(counting="kumuliert", unit="eur", scope=f"{_SCOPE} Ausgaben 2025 sind vorläufig."),
    ),
    "statistics.hilfen-stunden": (
        "Hilfen zur Erziehung: Stunden",
        Counting(counting="kumuliert", unit="hilfen", scope="Erfunden. Fachleistungsstunden ambulanter Hilfen, die der "
                 "Gruppenangebote sind darin enthalten."),
    ),
    "statistics.hilfen-beratungen": (
        "Beratungen und Folgehilfen",
        Counting(counting="begonnen", unit="hilfen", scope="Erfunden. Im Jahr begonnene Beratungen, und wie viele zu "
                 "einer Hilfe führten."),
    ),
    "statistics.hilfen-budget": (
        "Budget und Wirkungen der Hilfen zur Erziehung", Counting(counting="kumuliert", unit="eur", scope="Erfunden."),
    ),
}  # fmt: skip


def load_demo(engine: Engine, tell: Callable[[str], None]) -> None:
    """Load what is missing of the demo city; ``tell`` hears how it goes. Nothing is done if all is there."""
    wanted = {
        *(f"areas.{level}" for level in LEVELS),
        *PEOPLE,
        *(CATALOGUE, INDICATORS, NETWORK, ADDRESSES),
        *(f"facilities.{category}" for category in CATEGORIES),
        *(*FIGURES, HELP_CATALOGUE, PLACEMENTS),
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
        for datasets, load in _loads(engine, folder, tell):
            if missing & datasets:
                load()


def _loads(engine: Engine, folder: Path, tell: Callable[[str], None]) -> Iterator[tuple[set[str], Callable[[], None]]]:
    """Yield datasets and what loads them, in order."""
    for level in LEVELS:
        yield {f"areas.{level}"}, partial(_load_level, engine, folder, level, tell)
    yield {*PEOPLE}, partial(_load_people, engine, folder, tell)
    yield {YOUTH}, partial(_load_figures, engine, folder, YOUTH, tell)
    # The catalogue first: it says what the figures are. The network after the places: they and the cells of residents
    # are then snapped once.
    yield {CATALOGUE}, partial(_load_catalogue, engine, folder, tell)
    yield {INDICATORS}, partial(_load_indicators, engine, folder, tell)
    for category in CATEGORIES:
        yield {f"facilities.{category}"}, partial(_load_category, engine, folder, category, tell)
    yield {NETWORK}, partial(_load_network, engine, folder, tell)
    yield {HELP_CATALOGUE}, partial(_load_help_catalogue, engine, folder, tell)
    for dataset in (name for name in FIGURES if name != YOUTH):
        yield {dataset}, partial(_load_figures, engine, folder, dataset, tell)
    yield {PLACEMENTS}, partial(_load_placements, engine, folder, tell)
    yield {ADDRESSES}, partial(_load_addresses, engine, folder, tell)


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


def _load_addresses(engine: Engine, folder: Path, tell: Callable[[str], None]) -> None:
    wanted = AddressesImport(dataset=ADDRESSES, crs=addresses.CRS, footnotes=_footnotes("Anschriften"))
    tell("  " + import_addresses(engine, open_source(folder / "anschriften.csv"), wanted).headline())


def _load_help_catalogue(engine: Engine, folder: Path, tell: Callable[[str], None]) -> None:
    wanted = CatalogueImport(dataset=HELP_CATALOGUE, footnotes=_footnotes("Hilfearten"))
    tell("  " + import_catalogue(engine, folder / "katalog-hilfen.toml", wanted).headline())


def _load_figures(engine: Engine, folder: Path, dataset: str, tell: Callable[[str], None]) -> None:
    title, counting = FIGURES[dataset]
    wanted = StatisticsImport(dataset=dataset, decimal=".", counting=counting, footnotes=_footnotes(title))
    source = open_source(folder / f"{dataset.removeprefix('statistics.')}.csv")
    tell("  " + import_statistics(engine, source, wanted).headline())


def _load_placements(engine: Engine, folder: Path, tell: Callable[[str], None]) -> None:
    # A Stadtteil without a row has no case: the delivery speaks for the whole Land.
    wanted = PlacementsImport(
        dataset=PLACEMENTS, scope=f"land:{demo_city.LAND_KEY}", footnotes=_footnotes("Unterbringungen nach § 34")
    )
    tell("  " + import_placements(engine, open_source(folder / "unterbringungen.csv"), wanted).headline())
