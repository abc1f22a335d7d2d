"""From an entry of the list of sources to the import of its kind. Kinds are loaded only when one is imported."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from importers.load import Footnotes, Limit, Rules
from importers.report import Report
from importers.sources import Source
from importers.sync_file import Task


@dataclass(frozen=True, slots=True)
class Home:
    """The office's settings that imports depend on: the level that says what is inside, and the Land."""

    level: str
    state: str


def reads_a_path(task: Task) -> bool:
    """Tell whether the importer of this source takes a file as it lies, not rows."""
    place = str(task.path or task.url).partition("?")[0].lower()
    return task.source.kind == "catalogue" or (task.source.kind == "network" and place.endswith((".pbf", ".osm")))


def load(engine: Engine, task: Task, rows: Source | Path, home: Home, *, dry_run: bool) -> Report:
    """Import one source as its entry says; raises what the import raises."""
    source, mapping = task.source, task.mapping
    notes = Footnotes(source.title, source.licence, source.attribution, source.as_of)
    usual = "0" if source.kind in {"areas", "catalogue"} else "5%"
    rules = Rules(
        Limit.parse(source.max_rejects or usual, "max_rejects"),
        Limit.parse(source.max_shrink or "30%", "max_shrink"),
        source.allow_orphans,
        dry_run,
        unattended=True,
        allow_wider_release=source.allow_wider_release,
    )
    if source.kind == "catalogue":
        from importers.kinds.catalogue import CatalogueImport, import_catalogue  # noqa: PLC0415 - only what is needed

        assert isinstance(rows, Path)  # noqa: S101 - see reads_a_path
        return import_catalogue(engine, rows, CatalogueImport(source.name, notes, rules))
    if source.kind == "network":
        from importers.kinds.network import NetworkImport, import_network  # noqa: PLC0415

        return import_network(
            engine, rows, NetworkImport(source.name, source.crs, source.decimal, mapping, notes, rules)
        )
    assert not isinstance(rows, Path)  # noqa: S101 - see reads_a_path
    if source.kind == "areas":
        from importers.kinds.areas import AreasImport, import_areas  # noqa: PLC0415

        assert source.level is not None  # noqa: S101 - the list was checked
        areas = AreasImport(
            source.level, source.name, source.level_title, source.parent_level, crs=source.crs, mapping=mapping,
            footnotes=notes, rules=rules,
        )  # fmt: skip
        return import_areas(engine, rows, areas)
    if source.kind == "addresses":
        from importers.kinds.addresses import AddressesImport, import_addresses  # noqa: PLC0415

        addresses = AddressesImport(
            dataset=source.name, home_level=home.level, crs=source.crs, mapping=mapping, footnotes=notes, rules=rules
        )
        return import_addresses(engine, rows, addresses)
    if source.kind == "population":
        from importers.kinds.population import PopulationImport, import_population  # noqa: PLC0415

        return import_population(engine, rows, PopulationImport(home.level, source.name, notes, rules))
    return _load_counted(engine, task, rows, home, notes, rules)


def _load_counted(engine: Engine, task: Task, rows: Source, home: Home, notes: Footnotes, rules: Rules) -> Report:
    """Import what has numbers of which the source leaves open how they are written."""
    source, mapping = task.source, task.mapping
    if source.kind == "facilities":
        from importers.kinds.facilities import FacilitiesImport, import_facilities  # noqa: PLC0415

        category = source.category or mapping.category
        assert category is not None  # noqa: S101 - the list was checked
        facilities = FacilitiesImport(
            category, home.level, home.state, source.name, source.crs, source.decimal, source.dash,
            source.keep_outside, mapping, notes, rules,
        )  # fmt: skip
        return import_facilities(engine, rows, facilities)
    replace = source.replace or "periods"
    if source.kind == "placements":
        from importers.kinds.placements import PlacementsImport, import_placements  # noqa: PLC0415

        placements = PlacementsImport(
            dataset=source.name, home_level=home.level, mapping=mapping, decimal=source.decimal, dash=source.dash,
            replace=replace, area_level=source.level, period=source.period, footnotes=notes, rules=rules,
        )  # fmt: skip
        return import_placements(engine, rows, placements)
    from importers.kinds.statistics import StatisticsImport, import_statistics  # noqa: PLC0415

    statistics = StatisticsImport(
        dataset=source.name, mapping=mapping, decimal=source.decimal, dash=source.dash, replace=replace,
        area_level=source.level, period=source.period, footnotes=notes, rules=rules,
    )  # fmt: skip
    return import_statistics(engine, rows, statistics)
