"""``sozialraumkarte import population``: the census grid."""

from service.cli import import_options as options
from service.cli.common import load_settings


def population(
    source: options.Source,
    dataset: options.Dataset = None,
    layer: options.Layer = None,
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
    """Import the census grid (Zensus 2022, 100 m): where people live, by age."""
    from importers.kinds.population import PopulationImport, import_population  # noqa: PLC0415 - heavy libraries

    rules = options.mapping_of(None)
    wanted = PopulationImport(
        home_level=load_settings().home_level,
        dataset=dataset,
        footnotes=options.footnotes_of(title, licence, attribution, as_of),
        rules=options.rules_of(max_rejects, "5%", max_shrink, dry_run=dry_run),
    )
    rows = options.rows_of(source, rules, layer)
    options.run(lambda engine: import_population(engine, rows, wanted), source, report_file, as_json, dry_run=dry_run)
