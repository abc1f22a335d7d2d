"""``sozialraumkarte import network``: the ways people walk and cycle."""

import contextlib
from pathlib import Path
from urllib.parse import urlsplit

from importers.mapping import Mapping
from importers.sources import Source as Rows
from service.cli import import_options as options


def network(
    source: options.Source,
    mapping: options.MappingFile = None,
    dataset: options.Dataset = None,
    crs: options.Crs = None,
    layer: options.Layer = None,
    decimal: options.DecimalMark = None,
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
    """Import a walking and cycling network: an OpenStreetMap extract (.osm.pbf) or an edge list."""
    from importers.kinds.network import NetworkImport, import_network  # noqa: PLC0415 - heavy libraries

    rules = options.mapping_of(mapping)
    wanted = NetworkImport(
        dataset=dataset,
        crs=crs,
        decimal=decimal.value if decimal else None,
        mapping=rules,
        footnotes=options.footnotes_of(title, licence, attribution, as_of),
        rules=options.rules_of(max_rejects, "5%", max_shrink, dry_run=dry_run),
    )
    with contextlib.ExitStack() as kept:
        found = _located(source, rules, layer, kept)
        options.run(lambda engine: import_network(engine, found, wanted), source, report_file, as_json, dry_run=dry_run)


def _located(source: str, mapping: Mapping, layer: str | None, kept: contextlib.ExitStack) -> Path | Rows:
    """Return the extract as a file, fetched if need be, or an edge list as rows."""
    from importers.sources.osm import is_osm  # noqa: PLC0415 - heavy libraries

    web = source.lower().startswith(("http://", "https://"))
    name = Path(urlsplit(source).path) if web else Path(source)
    if not is_osm(name):
        return options.rows_of(source, mapping, layer)
    if not web:
        return name
    from importers.sources.http import Fetcher  # noqa: PLC0415 - most extracts are files
    from importers.sources.remote import fetch_as_it_is  # noqa: PLC0415

    return fetch_as_it_is(source, kept.enter_context(Fetcher()))[0]
