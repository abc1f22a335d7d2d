"""What the import commands share: their options, footnotes and limits, and how an import is run and told."""

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
from service.cli.common import chosen_stock, load_settings, say, say_json, tell, working
from service.instance import opened
from service.rules import apply_or_tell


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


Source = Annotated[
    str,
    typer.Argument(
        help="Datei (GeoJSON, GeoPackage, Shapefile, auch ZIP, CSV, TSV, XLSX, JSON) oder Adresse im Netz "
        "(OGC API – Features, WFS 2.0 oder eine solche Datei)."
    ),
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="Zuordnung (TOML); mitgelieferte etwa hamburg/stadtteile.toml.")
]
Dataset = Annotated[str | None, typer.Option(help="Name des Bestands.")]
Crs = Annotated[str | None, typer.Option(help="Koordinatensystem der Quelle, etwa EPSG:25832.")]
Layer = Annotated[str | None, typer.Option(help="Ebene, Shapefile, Blatt oder Featuretyp, wenn es mehrere gibt.")]
DecimalMark = Annotated[Decimal | None, typer.Option(help="Dezimalzeichen der Quelle.")]
Dash = Annotated[DashMeaning | None, typer.Option(help="Bedeutung eines Strichs.")]
MaxRejects = Annotated[str | None, typer.Option(help="So viele Zurückweisungen sind erlaubt: Zahl oder Anteil (5%).")]
MaxShrink = Annotated[str, typer.Option(help="Um höchstens so viel darf der Bestand schrumpfen (30%).")]
ReplaceMode = Annotated[Replace, typer.Option(help="Was ersetzt wird; Gebiete und Einrichtungen immer ganz (all).")]
ReplacePeriods = Annotated[
    Replace, typer.Option("--replace", help="periods: nur die Zeiträume der Datei; all: der ganze Bestand.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Nur prüfen und berichten.")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Bericht als JSON in diese Datei.")]
AsJson = Annotated[bool, typer.Option("--json", help="Bericht als JSON ausgeben.")]
Title = Annotated[str | None, typer.Option(help="Titel des Bestands.")]
Licence = Annotated[str | None, typer.Option(help="Lizenz der Daten, etwa dl-de/by-2-0.")]
Attribution = Annotated[str | None, typer.Option(help="Quellenangabe.")]
AsOf = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Stand der Daten (JJJJ-MM-TT).")]


def mapping_of(path: Path | None) -> Mapping:
    """Return the mapping of that file, or one that changes nothing."""
    return read_mapping(path) if path else Mapping()


def footnotes_of(
    title: str | None, licence: str | None, attribution: str | None, as_of: dt.datetime | None
) -> Footnotes:
    """Return the footnotes the options say."""
    return Footnotes(title, licence, attribution, as_of.date() if as_of else None)


def rules_of(
    max_rejects: str | None, default: str, max_shrink: str, *, allow_orphans: bool = False, dry_run: bool = False
) -> Rules:
    """Return the limits the options say; raise ``MappingError`` for what is no limit."""
    shrink = Limit.parse(max_shrink, "--max-shrink")
    if shrink.share is None:
        raise MappingError("--max-shrink braucht einen Anteil wie „30%“.")
    return Rules(Limit.parse(max_rejects or default, "--max-rejects"), shrink, allow_orphans, dry_run)


def rows_of(source: str, mapping: Mapping, layer: str | None = None) -> Rows:
    """Open file or address as the mapping says its table lies."""
    layout = mapping.source.layout(source)
    return open_source(source, layer=layer or mapping.source.layer, layout=layout)


def require_all(replace: Replace) -> None:
    """Refuse periods for kinds of data that have none."""
    if replace is Replace.PERIODS:
        raise MappingError("Gebiete und Einrichtungen haben keine Zeiträume; bitte --replace all.")


def run(
    load: Callable[[Engine], Report], source: str, report_file: Path | None, as_json: bool, *, dry_run: bool
) -> None:
    """Open the database, import by the rules of the settings, and tell how it went.

    Raises what the import raises; a refused one is told too where a report was asked for.
    """
    # Before the import, so that it does not fail after it.
    if report_file is not None and not (report_file.parent.is_dir() and os.access(report_file.parent, os.W_OK)):
        raise MappingError(f"Der Bericht lässt sich nicht nach „{report_file}“ schreiben (--report).")
    settings = load_settings()
    with opened(settings, chosen_stock()) as instance, instance.writing_engine() as engine:
        if not dry_run:
            apply_or_tell(engine, settings, instance.stock, tell)
        try:
            with working(f"Importiere {Path(source).name} …"):
                report = load(engine)
        except RefusedError as refused:
            if report_file is not None or as_json:
                _tell(refused.report, report_file, as_json)
            raise
    _tell(report, report_file, as_json)


def _tell(report: Report, report_file: Path | None, as_json: bool) -> None:
    if report_file is not None:
        report_file.write_bytes(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2))
    if as_json:
        say_json(report.to_json())
        return
    for line in report.lines():
        say(line)
