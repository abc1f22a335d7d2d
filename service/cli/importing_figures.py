"""``sozialraumkarte import statistics|placements|catalogue``: figures, and what says what they mean."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli import import_options as options
from service.cli.common import load_settings

_CountingWord = Annotated[
    str | None,
    typer.Option("--counting", help="Zählweise: stichtag, mittel_12_stichtage, kumuliert, begonnen, beendet."),
]
_Level = Annotated[str | None, typer.Option(help="Gebietsebene der Zeilen, die keine nennen, etwa stadtteil.")]
_Period = Annotated[str | None, typer.Option(help="Zeitraum der Zeilen, die keinen nennen, etwa 2021-Q3.")]


def statistics(
    source: options.Source,
    mapping: options.MappingFile = None,
    dataset: options.Dataset = None,
    level: _Level = None,
    period: _Period = None,
    counting: _CountingWord = None,
    unit: Annotated[
        str | None, typer.Option(help="Was gezählt wird: hilfen, junge_menschen, familien, personen, eur.")
    ] = None,
    scope: Annotated[str | None, typer.Option(help="Was enthalten ist und was nicht, in Worten.")] = None,
    population_period: Annotated[
        str | None, typer.Option(help="Zeitraum der Einwohnerzahlen, auf die sich Quoten beziehen.")
    ] = None,
    release: Annotated[str | None, typer.Option(help="public oder internal (nur für die Planung).")] = None,
    layer: options.Layer = None,
    decimal: options.DecimalMark = None,
    dash: options.Dash = None,
    replace: options.ReplacePeriods = options.Replace.PERIODS,
    max_rejects: options.MaxRejects = None,
    max_shrink: options.MaxShrink = "30%",
    dry_run: options.DryRun = False,
    report_file: options.ReportFile = None,
    as_json: options.AsJson = False,
    title: options.Title = None,
    licence: options.Licence = None,
    attribution: options.Attribution = None,
    as_of: options.AsOf = None,
) -> None:
    """Import statistics: one figure per area, indicator, position and period."""
    from importers.kinds.figures import counting_of  # noqa: PLC0415 - heavy libraries
    from importers.kinds.statistics import StatisticsImport, import_statistics  # noqa: PLC0415

    rules = options.mapping_of(mapping)
    wanted = StatisticsImport(
        dataset=dataset,
        mapping=rules,
        mapping_name=mapping.stem if mapping else None,
        decimal=decimal.value if decimal else None,
        dash=dash.value if dash else None,
        replace=replace.value,
        counting=counting_of(
            rules.dataset,
            counting=counting,
            unit=unit,
            scope=scope,
            population_period=population_period,
            release=release,
        ),
        area_level=level,
        period=period,
        rules=options.rules_of(max_rejects, "5%", max_shrink, dry_run=dry_run),
        footnotes=options.footnotes_of(title, licence, attribution, as_of),
    )
    rows = options.rows_of(source, rules, layer)
    options.run(lambda engine: import_statistics(engine, rows, wanted), source, report_file, as_json, dry_run=dry_run)


def placements(
    source: options.Source,
    mapping: options.MappingFile = None,
    dataset: options.Dataset = None,
    level: _Level = None,
    period: _Period = None,
    counting: Annotated[
        str | None, typer.Option(help="Zählweise der Zeilen, die keine nennen: stichtag oder begonnen.")
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(help="Gebiet (ebene:schlüssel), für das die Lieferung gilt; sonst alle, die vorkommen."),
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(help="public (Voreinstellung; veröffentlicht wird ohne kleine Fallzahlen) oder internal (nie)."),
    ] = None,
    layer: options.Layer = None,
    decimal: options.DecimalMark = None,
    dash: options.Dash = None,
    replace: options.ReplacePeriods = options.Replace.PERIODS,
    max_rejects: options.MaxRejects = None,
    max_shrink: options.MaxShrink = "30%",
    dry_run: options.DryRun = False,
    report_file: options.ReportFile = None,
    as_json: options.AsJson = False,
    title: options.Title = None,
    licence: options.Licence = None,
    attribution: options.Attribution = None,
    as_of: options.AsOf = None,
) -> None:
    """Import placements: counts by area, paragraph and the provider's Bundesland; no person."""
    from importers.kinds.placements import PlacementsImport, import_placements  # noqa: PLC0415 - heavy libraries

    rules = options.mapping_of(mapping)
    wanted = PlacementsImport(
        dataset=dataset or rules.dataset.name or "placements",
        home_level=load_settings().home_level,
        mapping=rules,
        decimal=decimal.value if decimal else None,
        dash=dash.value if dash else None,
        replace=replace.value,
        scope=scope,
        counting=counting,
        release=release,
        area_level=level,
        period=period,
        rules=options.rules_of(max_rejects, "5%", max_shrink, dry_run=dry_run),
        footnotes=options.footnotes_of(title, licence, attribution, as_of),
    )
    rows = options.rows_of(source, rules, layer)
    options.run(lambda engine: import_placements(engine, rows, wanted), source, report_file, as_json, dry_run=dry_run)


def catalogue(
    source: Annotated[Path, typer.Argument(help="Katalog (TOML); mitgeliefert ist hamburg.toml.")],
    dataset: options.Dataset = None,
    dry_run: options.DryRun = False,
    report_file: options.ReportFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Import the catalogue: indicators, Hilfearten and groups, Richtwerte, and which dataset goes first."""
    from importers.kinds.catalogue import CatalogueImport, import_catalogue  # noqa: PLC0415 - heavy libraries

    wanted = CatalogueImport(dataset=dataset, rules=options.rules_of(None, "0", "100%", dry_run=dry_run))
    options.run(
        lambda engine: import_catalogue(engine, source, wanted), str(source), report_file, as_json, dry_run=dry_run
    )
