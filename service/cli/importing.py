"""``sozialraumkarte import``: areas and facilities; what else is imported joins from its own module."""

from typing import Annotated

import typer

from service.cli import import_options as options
from service.cli.common import load_settings
from service.cli.importing_addresses import addresses
from service.cli.importing_figures import catalogue, placements, statistics
from service.cli.importing_network import network
from service.cli.importing_people import population

app = typer.Typer(no_args_is_help=True, help="Daten importieren: Gebiete, Einrichtungen, Zahlen, Wege, Adressen.")


@app.command()
def areas(
    source: options.Source,
    level: Annotated[
        str | None, typer.Option(help="Gebietsebene, etwa bezirk, stadtteil, statgebiet, sozialraum.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Spalte mit dem Schlüssel.")] = None,
    name: Annotated[str | None, typer.Option(help="Spalte mit dem Namen.")] = None,
    parent_level: Annotated[str | None, typer.Option(help="Ebene, die diese enthält.")] = None,
    level_title: Annotated[str | None, typer.Option(help="Bezeichnung der Ebene.")] = None,
    mapping: options.MappingFile = None,
    dataset: options.Dataset = None,
    crs: options.Crs = None,
    layer: options.Layer = None,
    max_rejects: options.MaxRejects = None,
    max_shrink: options.MaxShrink = "30%",
    allow_orphans: Annotated[bool, typer.Option(help="Auch Gebiete entfernen, auf die sich andere beziehen.")] = False,
    replace: options.ReplaceMode = options.Replace.ALL,
    dry_run: options.DryRun = False,
    report_file: options.ReportFile = None,
    as_json: options.AsJson = False,
    title: options.Title = None,
    licence: options.Licence = None,
    attribution: options.Attribution = None,
    as_of: options.AsOf = None,
) -> None:
    """Import the areas of one level."""
    from importers.kinds.areas import AreasImport, import_areas  # noqa: PLC0415 - heavy libraries

    options.require_all(replace)
    rules = options.mapping_of(mapping)
    wanted = AreasImport(
        level=_said(level or rules.level, "--level"),
        dataset=dataset,
        level_title=level_title,
        parent_level=parent_level,
        key=key,
        name=name,
        crs=crs,
        mapping=rules,
        footnotes=options.footnotes_of(title, licence, attribution, as_of),
        rules=options.rules_of(max_rejects, "0", max_shrink, allow_orphans=allow_orphans, dry_run=dry_run),
    )
    rows = options.rows_of(source, rules, layer)
    options.run(lambda engine: import_areas(engine, rows, wanted), source, report_file, as_json, dry_run=dry_run)


@app.command()
def facilities(
    source: options.Source,
    category: Annotated[str | None, typer.Option(help="Kategorie, etwa okja, famfoe, sha, hze, kita, schule.")] = None,
    mapping: options.MappingFile = None,
    dataset: options.Dataset = None,
    crs: options.Crs = None,
    layer: options.Layer = None,
    decimal: options.DecimalMark = None,
    dash: options.Dash = None,
    keep_outside: Annotated[
        float | None, typer.Option(help="Einrichtungen bis so viele km außerhalb behalten.")
    ] = None,
    max_rejects: options.MaxRejects = None,
    max_shrink: options.MaxShrink = "30%",
    replace: options.ReplaceMode = options.Replace.ALL,
    dry_run: options.DryRun = False,
    report_file: options.ReportFile = None,
    as_json: options.AsJson = False,
    title: options.Title = None,
    licence: options.Licence = None,
    attribution: options.Attribution = None,
    as_of: options.AsOf = None,
) -> None:
    """Import facilities (one row per Angebot)."""
    from importers.kinds.facilities import FacilitiesImport, import_facilities  # noqa: PLC0415 - heavy libraries

    options.require_all(replace)
    rules = options.mapping_of(mapping)
    settings = load_settings()
    wanted = FacilitiesImport(
        category=_said(category or rules.category, "--category"),
        home_level=settings.home_level,
        home_state=settings.home_state,
        dataset=dataset,
        crs=crs,
        decimal=decimal.value if decimal else None,
        dash=dash.value if dash else None,
        keep_outside_km=keep_outside,
        mapping=rules,
        footnotes=options.footnotes_of(title, licence, attribution, as_of),
        rules=options.rules_of(max_rejects, "5%", max_shrink, dry_run=dry_run),
    )
    rows = options.rows_of(source, rules, layer)
    options.run(lambda engine: import_facilities(engine, rows, wanted), source, report_file, as_json, dry_run=dry_run)


def _said(value: str | None, option: str) -> str:
    """Return what the option or the mapping says; wrong usage where neither does."""
    if value is None:
        raise typer.BadParameter("fehlt, und auch die Zuordnung nennt nichts.", param_hint=option)
    return value


app.command()(addresses)
app.command()(catalogue)
app.command()(network)
app.command()(placements)
app.command()(population)
app.command()(statistics)
