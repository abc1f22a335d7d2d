"""``sozialraumkarte export``: reports to take along as a workbook or a PDF, and the map as files."""

import contextlib
import gc
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from geodata.errors import ParameterError
from service.area_names import area_pair
from service.cli import analysing_options as options
from service.cli.answering import Output, Questions, ask, check_writable, stated_only, write_file
from service.cli.common import tell, working


class ReportFormat(StrEnum):
    """The formats of a report."""

    XLSX = "xlsx"
    PDF = "pdf"


_Areas = Annotated[
    list[str] | None,
    typer.Option("--area", help="Gebiet: ebene:schlüssel, etwa sozialraum:101; mehrere mit --area … --area …"),
]
_Base = Annotated[
    str | None,
    typer.Option(help="Basiszeitraum für Veränderung, Zielschwelle und Effekt; ohne Angabe das erste Jahr mit Zahlen."),
]
_Format = Annotated[str | None, typer.Option("--format", help="xlsx oder pdf; ohne Angabe nach der Endung von --out.")]
_Out = Annotated[
    Path | None,
    typer.Option(metavar="DATEI", help="In diese Datei schreiben; ohne Angabe controlling.xlsx oder controlling.pdf."),
]

_MapOut = Annotated[
    Path,
    typer.Option(
        metavar="ORDNER|DATEI.html",
        help="Ein neuer oder hier geschriebener Ordner, oder eine Datei, die alles enthält.",
    ),
]
_Language = Annotated[str, typer.Option(help="Sprache der Seite: de oder en.")]

app = typer.Typer(
    cls=Questions,
    no_args_is_help=True,
    help="Zum Mitnehmen: Berichte als Arbeitsmappe oder PDF, die Karte als Dateien.",
)


@app.command(help="Controlling der Hilfen zur Erziehung: Kennzahlen, Hilfearten, Vergleich und Budget von Gebieten.")
def controlling(
    context: typer.Context,
    area: _Areas = None,
    period_from: options.From = None,
    period_to: options.To = None,
    base: _Base = None,
    yearly_growth: options.YearlyGrowth = None,
    scenario: options.Scenario = None,
    city_level: options.CityLevel = None,
    format_: _Format = None,
    out: _Out = None,
    version: options.Version = None,
) -> None:
    """Write the controlling report."""
    from geodata.viewer import Version  # noqa: PLC0415 - not for --help
    from service.exports.report import ReportRequest, report_of  # noqa: PLC0415

    wanted, file = _target(format_, out)
    output = Output.of(context, as_json=False, out=file, version=version)
    request = ReportRequest(
        tuple(pair for one in area or () if (pair := area_pair("area", one)) is not None),
        period_from=period_from or None,
        period_to=period_to or None,
        base=base or None,
        city_level=city_level or None,
        version=output.version,
        **stated_only(yearly_growth=yearly_growth, scenario=scenario),
    )
    report = ask(output, lambda session: report_of(session, request))
    with working("Der Bericht wird geschrieben …"), _without_collector():
        if wanted is ReportFormat.XLSX:
            from service.exports.xlsx import to_xlsx as written  # noqa: PLC0415 - only the format that is asked for
        else:
            from service.exports.pdf import to_pdf as written  # noqa: PLC0415
        body = written(report)
    write_file(file, body)
    tell(f"Geschrieben: {file}" + (f" ({report.mark()})" if output.version is Version.INTERNAL else ""))


@app.command("map", help="Die öffentliche Karte als Dateien, die ohne diesen Dienst zu öffnen sind.")
def map_files(context: typer.Context, out: _MapOut, language: _Language = "de") -> None:
    """Write the public map as one page or as a folder of files."""
    from service.cli.common import load_settings  # noqa: PLC0415 - not for --help
    from service.cli.folders import check_folder, write_folder  # noqa: PLC0415
    from service.exports.map import PAGE, static_map  # noqa: PLC0415
    from service.texts import LANGUAGES  # noqa: PLC0415

    if language not in LANGUAGES:
        allowed = list(LANGUAGES)
        raise ParameterError("language", f"Als Sprache gibt es {' und '.join(allowed)}.", allowed)
    one_file = out.suffix.lower() in {".html", ".htm"}
    (check_writable if one_file else check_folder)(out)
    output = Output.of(context, as_json=False, out=out, version=None)
    settings = load_settings()
    made = ask(output, lambda session: static_map(session, settings, language))
    with working("Die Karte wird geschrieben …"):
        if one_file:
            write_file(out, made.as_file())
        else:
            write_folder(out, made.as_folder())
    tell(f"Geschrieben: {out if one_file else out / PAGE}")


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector from walking a document's objects again and again (measured: a tenth of its time)."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _target(format_: str | None, out: Path | None) -> tuple[ReportFormat, Path]:
    """Return format and file; raise ``ParameterError`` or ``OutputError`` where they do not go together."""
    allowed = [one.value for one in ReportFormat]
    said = format_ or (out.suffix.lower().removeprefix(".") if out else "")
    if said not in allowed:
        raise ParameterError("format", f"Als Format gibt es {' und '.join(allowed)}, etwa --format pdf.", allowed)
    wanted = ReportFormat(said)
    file = out or Path(f"controlling.{wanted.value}")
    if file.suffix.lower() != f".{wanted.value}":
        raise ParameterError("out", f"Die Datei „{file}“ endet nicht auf .{wanted.value} (--out).", allowed)
    check_writable(file)
    return wanted, file
