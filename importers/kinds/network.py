"""The walking and cycling network: from OpenStreetMap or a plain edge list to one visible version."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from sqlalchemy import Engine, text

from geodata.bulk import points, write_arrays
from geodata.database import refresh_statistics
from geodata.derive import rebuild
from geodata.network import parts_of
from geodata.tables import SRID
from importers.errors import MappingError, RefusedError
from importers.kinds.network_graph import Ints, Network, graph_of
from importers.kinds.network_rows import graph_of_rows
from importers.load import NOTHING_SAID, Footnotes, Job, Limit, Rules, check_rejects, check_shrink, importing, publish
from importers.mapping import Mapping
from importers.report import Report
from importers.sources import Provenance, Source, open_source
from importers.sources.osm import is_osm, read_streets
from importers.sources.osm_access import BACKWARD, FORWARD, WALK

# Where the largest connected part holds less, the source is probably not one network.
_WHOLE_SHARE = 0.9
_OSM = Footnotes("Wegenetz (OpenStreetMap)", "ODbL 1.0", "© OpenStreetMap-Mitwirkende")


@dataclass(frozen=True, slots=True)
class NetworkImport:
    """What to load. ``crs``, ``decimal`` and ``mapping`` are for edge lists; an OpenStreetMap extract needs none."""

    dataset: str | None = None
    crs: str | None = None
    decimal: Literal[",", "."] | None = None
    mapping: Mapping = field(default_factory=Mapping)
    footnotes: Footnotes = NOTHING_SAID
    rules: Rules = field(default_factory=lambda: Rules(max_rejects=Limit(share=0.05)))


def import_network(engine: Engine, source: Source | Path, wanted: NetworkImport | None = None) -> Report:
    """Load a network in one transaction, snap places and cells to it, and return the report.

    ``source``: an OpenStreetMap extract (``.osm.pbf``, ``.osm``) by its path, or an edge list (``network_rows``) by
    path or opened. Raises ``SourceError`` for a file that cannot be read, ``MappingError`` when columns or CRS do not
    fit or another dataset holds the network, ``RefusedError`` when the limits on rejects or shrinkage are passed.
    Nothing is changed then.
    """
    wanted = wanted or NetworkImport()
    report = Report(wanted.dataset or wanted.mapping.dataset.name or "network", "network", "")
    network, provenance, notes = _read(source, wanted, report)
    with importing(engine, report, provenance, notes, wanted.rules) as job:
        _require_only_network(job)
        check_rejects(job)
        if not len(network.u):
            raise RefusedError("Die Quelle enthält keine brauchbare Kante; nichts wurde geändert.", report)
        check_shrink(job, _rows_before(job), report.rows_loaded)
        component = parts_of(*_walked(network), len(network.xy))
        _store(job, network, component)
        _describe(network, component, report)
        publish(job, loaded=report.rows_loaded)
        refresh_statistics(job.session, ("network_node", "network_edge"))
        report.counts |= rebuild(job.session, "network", job.import_id)
    return report


def _read(source: Source | Path, wanted: NetworkImport, report: Report) -> tuple[Network, Provenance, Footnotes]:
    """Read the whole source, before the writers' lock is taken."""
    if isinstance(source, Path) and is_osm(source):
        streets = read_streets(source)
        network, provenance = graph_of(streets, report), streets.provenance
        report.crs = provenance.crs
        report.rows_loaded = len(streets.use)
        usual = replace(_OSM, as_of=streets.as_of)
    else:
        opened = open_source(source) if isinstance(source, Path) else source
        network, provenance = (
            graph_of_rows(opened, wanted.mapping, wanted.crs, report, wanted.decimal),
            opened.provenance,
        )
        report.rows_loaded = len(network.u)
        usual = Footnotes("Wegenetz")
    return network, provenance, wanted.footnotes.over(wanted.mapping.dataset, usual)


def _require_only_network(job: Job) -> None:
    other = job.session.execute(
        text("SELECT name FROM dataset WHERE kind = 'network' AND current_import_id IS NOT NULL AND id <> :own"),
        {"own": job.dataset_id},
    ).scalar()
    if other is not None:
        raise MappingError(
            f"Das Wegenetz liegt schon im Bestand „{other}“, und es gibt immer nur eines; bitte diesen Namen nehmen "
            f"(--dataset {other})."
        )


def _rows_before(job: Job) -> int:
    found = job.session.execute(
        text("SELECT rows_loaded FROM import_run WHERE id = :previous_id"), {"previous_id": job.previous_id}
    ).scalar()
    return int(found or 0)


def _walked(network: Network) -> tuple[Ints, Ints]:
    walk = (network.use & WALK) > 0
    return network.u[walk], network.v[walk]


def _store(job: Job, network: Network, component: Ints) -> None:
    nodes, edges = len(network.xy), len(network.u)
    rows = {
        "import_id": np.full(nodes, job.import_id, np.int32),
        "node": np.arange(nodes, dtype=np.int32),
        "component": component.astype(np.int32),
        "geom": points(network.xy, SRID),
    }
    if network.osm_id is not None:
        rows["osm_id"] = network.osm_id
    write_arrays(job.session, "network_node", rows)
    write_arrays(
        job.session,
        "network_edge",
        {
            "import_id": np.full(edges, job.import_id, np.int32),
            "edge": np.arange(edges, dtype=np.int32),
            "u": network.u.astype(np.int32),
            "v": network.v.astype(np.int32),
            "length_m": network.length_m,
            "walk": (network.use & WALK) > 0,
            "bike_forward": (network.use & FORWARD) > 0,
            "bike_backward": (network.use & BACKWARD) > 0,
        },
    )


def _describe(network: Network, component: Ints, report: Report) -> None:
    """Put sizes and connected parts into the report."""
    walk, bike = (network.use & WALK) > 0, (network.use & (FORWARD | BACKWARD)) > 0
    sizes = np.bincount(component[component >= 0])
    report.counts |= {
        "Knoten": len(network.xy),
        "Kanten": len(network.u),
        "Knoten im Fußwegenetz": int(sizes.sum()),
        "Kilometer zu Fuß": round(float(network.length_m[walk].sum()) / 1000),
        "Kilometer mit dem Rad": round(float(network.length_m[bike].sum()) / 1000),
        "zusammenhängende Teile (zu Fuß)": len(sizes),
    }
    if not len(sizes):
        report.warn("Keine Kante ist zu Fuß begehbar; Wege zu Fuß lassen sich mit diesem Netz nicht berechnen.")
    elif len(sizes) > 1:
        share = float(sizes[0] / sizes.sum())
        others = ", ".join(str(size) for size in sizes[1:6])
        words = (
            f"Der größte zusammenhängende Teil umfasst {100 * share:.1f} % der Knoten zu Fuß; ".replace(".", ",")
            + f"die übrigen {len(sizes) - 1} sind von ihm aus nicht erreichbar (Knoten der größten: {others})."
        )
        if share < _WHOLE_SHARE:
            report.warn(f"Das Netz zerfällt. {words}")
        else:
            report.info(words)
