"""``sozialraumkarte import``: areas and facilities from files."""

import datetime as dt
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from sqlalchemy import Engine

from importers.errors import MappingError, RefusedError
from importers.load import Footnotes, Limit, Rules
from importers.mapping import Mapping, read_mapping
from importers.report import Report
from importers.sources import Source as Rows
from importers.sources import open_source
from service.cli.common import chosen_stock, load_settings, say, say_json, working
from service.instance import opened

app = typer.Typer(no_args_is_help=True, help="Daten importieren: Gebiete, Einrichtungen.")


class Decimal(StrEnum):
    """How a file writes its decimals."""

    COMMA = ","
    POINT = "."


class Replace(StrEnum):
    """What an import replaces: the whole dataset, or only the periods it brings."""

    ALL = "all"
    PERIODS = "periods"


class DashMeaning(StrEnum):
    """What a lone dash in a numeric column says."""

    ZERO = "zero"
    MISSING = "missing"


Source = Annotated[Path, typer.Argument(help="GeoJSON, GeoPackage, Shapefile (auch ZIP), CSV, TSV oder XLSX.")]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="Zuordnung (TOML); mitgelieferte etwa hamburg/stadtteile.toml.")
]
Dataset = Annotated[str | None, typer.Option(help="Name des Bestands.")]
Crs = Annotated[str | None, typer.Option(help="Koordinatensystem der Quelle, etwa EPSG:25832.")]
Layer = Annotated[str | None, typer.Option(help="Ebene, Shapefile oder Blatt, wenn es mehrere gibt.")]
MaxRejects = Annotated[str | None, typer.Option(help="So viele Zurückweisungen sind erlaubt: Zahl oder Anteil (5%).")]
MaxShrink = Annotated[str, typer.Option(help="Um höchstens so viel darf der Bestand schrumpfen (30%).")]
ReplaceMode = Annotated[Replace, typer.Option(help="Was ersetzt wird; Gebiete und Einrichtungen immer ganz (all).")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Nur prüfen und berichten.")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Bericht als JSON in diese Datei.")]
AsJson = Annotated[bool, typer.Option("--json", help="Bericht als JSON ausgeben.")]
Title = Annotated[str | None, typer.Option(help="Titel des Bestands.")]
Licence = Annotated[str | None, typer.Option(help="Lizenz der Daten, etwa dl-de/by-2-0.")]
Attribution = Annotated[str | None, typer.Option(help="Quellenangabe.")]
AsOf = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Stand der Daten (JJJJ-MM-TT).")]


def _footnotes(
    mapping: Mapping, default: str, title: str | None, licence: str | None, attribution: str | None,
    as_of: dt.datetime | None,
) -> Footnotes:  # fmt: skip
    info = mapping.dataset
    return Footnotes(
        title or info.title or default,
        licence or info.licence,
        attribution or info.attribution,
        as_of.date() if as_of else info.as_of,
    )


def _rules(max_rejects: str | None, default: str, max_shrink: str, allow_orphans: bool, dry_run: bool) -> Rules:
    shrink = Limit.parse(max_shrink, "--max-shrink")
    if shrink.share is None:
        raise MappingError("--max-shrink braucht einen Anteil wie „30%“.")
    return Rules(Limit.parse(max_rejects or default, "--max-rejects"), shrink, allow_orphans, dry_run)


def _tell(report: Report, report_file: Path | None, as_json: bool) -> None:
    if report_file is not None:
        report_file.write_bytes(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2))
    if as_json:
        say_json(report.to_json())
        return
    for line in report.lines():
        say(line)


@app.command()
def areas(
    source: Source,
    level: Annotated[str, typer.Option(help="Gebietsebene, etwa bezirk, stadtteil, statgebiet, sozialraum.")],
    key: Annotated[str | None, typer.Option(help="Spalte mit dem Schlüssel.")] = None,
    name: Annotated[str | None, typer.Option(help="Spalte mit dem Namen.")] = None,
    parent_level: Annotated[str | None, typer.Option(help="Ebene, die diese enthält.")] = None,
    level_title: Annotated[str | None, typer.Option(help="Bezeichnung der Ebene.")] = None,
    mapping: MappingFile = None,
    dataset: Dataset = None,
    crs: Crs = None,
    layer: Layer = None,
    max_rejects: MaxRejects = None,
    max_shrink: MaxShrink = "30%",
    allow_orphans: Annotated[bool, typer.Option(help="Auch Gebiete entfernen, auf die sich andere beziehen.")] = False,
    replace: ReplaceMode = Replace.ALL,
    dry_run: DryRun = False,
    report_file: ReportFile = None,
    as_json: AsJson = False,
    title: Title = None,
    licence: Licence = None,
    attribution: Attribution = None,
    as_of: AsOf = None,
) -> None:
    """Import the areas of one level."""
    from importers.kinds.areas import AreasImport, import_areas  # noqa: PLC0415 - heavy libraries

    _require_sensible(report_file, replace)
    rules = read_mapping(mapping) if mapping else Mapping()
    wanted = AreasImport(
        level=level,
        dataset=dataset,
        level_title=level_title,
        parent_level=parent_level,
        key=key,
        name=name,
        crs=crs,
        mapping=rules,
        footnotes=_footnotes(rules, f"Gebiete: {level}", title, licence, attribution, as_of),
        rules=_rules(max_rejects, "0", max_shrink, allow_orphans, dry_run),
    )
    layer = layer or rules.source.layer
    _run(lambda engine, rows: import_areas(engine, rows, wanted), source, layer, report_file, as_json)


@app.command()
def facilities(
    source: Source,
    category: Annotated[str, typer.Option(help="Kategorie, etwa okja, famfoe, sha, hze, kita, schule.")],
    mapping: MappingFile = None,
    dataset: Dataset = None,
    crs: Crs = None,
    layer: Layer = None,
    decimal: Annotated[Decimal | None, typer.Option(help="Dezimalzeichen der Quelle.")] = None,
    dash: Annotated[DashMeaning | None, typer.Option(help="Bedeutung eines Strichs.")] = None,
    keep_outside: Annotated[
        float | None, typer.Option(help="Einrichtungen bis so viele km außerhalb behalten.")
    ] = None,
    max_rejects: MaxRejects = None,
    max_shrink: MaxShrink = "30%",
    replace: ReplaceMode = Replace.ALL,
    dry_run: DryRun = False,
    report_file: ReportFile = None,
    as_json: AsJson = False,
    title: Title = None,
    licence: Licence = None,
    attribution: Attribution = None,
    as_of: AsOf = None,
) -> None:
    """Import facilities (one row per Angebot)."""
    from importers.kinds.facilities import FacilitiesImport, import_facilities  # noqa: PLC0415 - heavy libraries

    _require_sensible(report_file, replace)
    rules = read_mapping(mapping) if mapping else Mapping()
    settings = load_settings()
    wanted = FacilitiesImport(
        category=category,
        home_level=settings.home_level,
        home_state=settings.home_state,
        dataset=dataset,
        crs=crs,
        decimal=decimal.value if decimal else None,
        dash=dash.value if dash else None,
        keep_outside_km=keep_outside,
        mapping=rules,
        footnotes=_footnotes(rules, f"Einrichtungen: {category}", title, licence, attribution, as_of),
        rules=_rules(max_rejects, "5%", max_shrink, allow_orphans=False, dry_run=dry_run),
    )
    layer = layer or rules.source.layer
    _run(lambda engine, rows: import_facilities(engine, rows, wanted), source, layer, report_file, as_json)


def _require_sensible(report_file: Path | None, replace: Replace) -> None:
    """Refuse before the import what would fail after it, or what this kind of data does not have."""
    if replace is Replace.PERIODS:
        raise MappingError("Gebiete und Einrichtungen haben keine Zeiträume; bitte --replace all.")
    if report_file is not None and not (report_file.parent.is_dir() and os.access(report_file.parent, os.W_OK)):
        raise MappingError(f"Der Bericht lässt sich nicht nach „{report_file}“ schreiben (--report).")


def _run(
    load: Callable[[Engine, Rows], Report],
    source: Path,
    layer: str | None,
    report_file: Path | None,
    as_json: bool,
) -> None:
    """Open the source, then the database, import, and tell how it went."""
    rows = open_source(source, layer=layer)
    with opened(load_settings(), chosen_stock()) as instance, instance.writing_engine() as engine:
        try:
            with working(f"Importiere {source.name} …"):
                report = load(engine, rows)
        except RefusedError as refused:
            if report_file is not None or as_json:
                _tell(refused.report, report_file, as_json)
            raise
    _tell(report, report_file, as_json)
