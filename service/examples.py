"""The published tables in a database of their own, loaded by the same importers as any other source."""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Engine

from geodata.database import writing
from geodata.datasets import loaded_datasets, set_notice
from importers.examples import FOLDER, LEVELS, OFFICES, PLACEMENTS, STATISTICS
from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.kinds.placements import PlacementsImport, import_placements
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.load import Limit, Rules
from importers.mapping import Mapping, read_mapping
from importers.report import Report
from importers.sources import Source, open_source

NOTICE = (
    "Veröffentlichte Zahlen, Quelle: Berichte aus Bremen, Bremerhaven, Hamburg-Mitte und Norderstedt; "
    "genau ist sie bei jedem Bestand genannt"
)
# A published table is whole or it is not that table.
_WHOLE = Rules(max_rejects=Limit(number=0))


def load_examples(engine: Engine, tell: Callable[[str], None]) -> None:
    """Load what is missing of the published tables; ``tell`` hears how it goes. Nothing is done if all is there.

    The database gets the notice ``NOTICE``, which every answer carries. Datasets are named ``areas.<level>``,
    ``catalogue.<office>``, ``statistics.<table>`` and ``placements.<table>``.
    """
    loads = _loads(engine)
    with writing(engine) as session:
        missing = loads.keys() - loaded_datasets(session)
        set_notice(session, NOTICE)
    if not missing:
        return
    tell("Die veröffentlichten Tabellen werden geladen …")
    for dataset, load in loads.items():
        if dataset in missing:
            tell("  " + load().headline())


def _loads(engine: Engine) -> dict[str, Callable[[], Report]]:
    """Return how each dataset is loaded, in order: areas before figures, and what figures mean before them."""
    loads: dict[str, Callable[[], Report]] = {}
    loads |= {f"areas.{level}": partial(_areas, engine, level) for level in LEVELS}
    loads |= {f"catalogue.{office}": partial(_catalogue, engine, office) for office in OFFICES}
    loads |= {f"statistics.{table}": partial(_statistics, engine, table) for table in STATISTICS}
    loads |= {f"placements.{table}": partial(_placements, engine, table) for table in PLACEMENTS}
    return loads


def _opened(name: str) -> tuple[Source, Mapping]:
    mapping = read_mapping(FOLDER / f"{name}.toml")
    return open_source(FOLDER / f"{name}.csv", layout=mapping.source.layout()), mapping


def _areas(engine: Engine, level: str) -> Report:
    source, mapping = _opened(f"gebiete-{level}")
    return import_areas(engine, source, AreasImport(level, mapping=mapping, rules=_WHOLE))


def _catalogue(engine: Engine, office: str) -> Report:
    wanted = CatalogueImport(dataset=f"catalogue.{office}", rules=_WHOLE)
    return import_catalogue(engine, FOLDER / f"katalog-{office}.toml", wanted)


def _statistics(engine: Engine, table: str) -> Report:
    source, mapping = _opened(table)
    wanted = StatisticsImport(dataset=f"statistics.{table}", mapping=mapping, rules=_WHOLE)
    return import_statistics(engine, source, wanted)


def _placements(engine: Engine, table: str) -> Report:
    source, mapping = _opened(table)
    wanted = PlacementsImport(dataset=f"placements.{table}", mapping=mapping, rules=_WHOLE)
    return import_placements(engine, source, wanted)
