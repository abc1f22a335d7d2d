"""``sozialraumkarte import addresses``: the list that places facilities without coordinates."""

from service.cli import import_options as options
from service.cli.common import load_settings


def addresses(
    source: options.Source,
    mapping: options.MappingFile = None,
    dataset: options.Dataset = None,
    crs: options.Crs = None,
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
    """Import addresses: facilities without coordinates are placed by them, on this machine only."""
    from importers.kinds.addresses import AddressesImport, import_addresses  # noqa: PLC0415 - heavy libraries

    rules = options.mapping_of(mapping)
    wanted = AddressesImport(
        home_level=load_settings().home_level,
        dataset=dataset,
        crs=crs,
        mapping=rules,
        footnotes=options.footnotes_of(title, licence, attribution, as_of),
        rules=options.rules_of(max_rejects, "5%", max_shrink, dry_run=dry_run),
    )
    rows = options.rows_of(source, rules, layer)
    options.run(lambda engine: import_addresses(engine, rows, wanted), source, report_file, as_json, dry_run=dry_run)
