"""Areas: from any geodata file or table of keys and names to one visible version of a level."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, text

from importers.agreement import note_disagreement
from importers.copying import copy_rows, staging_table
from importers.errors import MappingError
from importers.joined import JoinedSource
from importers.kinds import area_rows, area_tables
from importers.load import (
    NOTHING_SAID,
    Footnotes,
    Job,
    Limit,
    Rules,
    check_rejects,
    importing,
)
from importers.lookup import read_lookup
from importers.mapping import Mapping, Rule, require_columns, require_known
from importers.report import Report
from importers.sources import Source

KNOWN_LEVELS = {
    "land": "Land",
    "bezirk": "Bezirk",
    "region": "Jugendamtsregion",
    "stadtteil": "Stadtteil",
    "ortsteil": "Ortsteil",
    "statgebiet": "Statistisches Gebiet",
    "sozialraum": "Sozialraum",
}
_LEVEL_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class AreasImport:
    """What to load: the level, and how columns are found where no mapping says it.

    ``keep_attributes``: keep the source's other columns with each area.
    """

    level: str
    dataset: str | None = None
    level_title: str | None = None
    parent_level: str | None = None
    key: str | None = None
    name: str | None = None
    crs: str | None = None
    mapping: Mapping = field(default_factory=Mapping)
    footnotes: Footnotes = NOTHING_SAID
    rules: Rules = field(default_factory=lambda: Rules(max_rejects=Limit(number=0)))

    def columns(self) -> dict[str, Rule]:
        """Return the column rules: the mapping's, overlaid by ``key`` and ``name``."""
        rules = dict(self.mapping.columns)
        for column, given in (("key", self.key), ("name", self.name)):
            if given is not None:
                rules[column] = Rule.model_validate({"from": given})
        return rules

    def title(self) -> str:
        """Return the German title of the level."""
        return self.level_title or self.mapping.level_title or KNOWN_LEVELS.get(self.level) or self.level.capitalize()


def import_areas(engine: Engine, source: Source, wanted: AreasImport) -> Report:
    """Load areas in one transaction; return the report.

    Raises ``MappingError`` when columns, CRS or levels do not fit, ``RefusedError`` when the limits on
    rejects, shrinkage or orphans are passed. Nothing is changed then.
    """
    if not _LEVEL_NAME.fullmatch(wanted.level):
        raise MappingError(
            f"„{wanted.level}“ taugt nicht als Name einer Ebene; erlaubt sind Kleinbuchstaben a–z, Ziffern und "
            "Unterstrich, etwa „stadtteil“ (die Bezeichnung nennt --level-title)."
        )
    info = wanted.mapping.dataset
    report = Report(wanted.dataset or info.name or f"areas.{wanted.level}", "areas", source.provenance.source)
    rules = wanted.columns()
    require_known(rules, area_rows.COLUMNS, "Gebieten")
    require_columns(rules, source.columns, ("key", "name"), source.provenance.source)
    source = JoinedSource(source, rules) if wanted.mapping.join_parts else source
    notes = wanted.footnotes.over(info, f"Gebiete: {wanted.title()}")
    with importing(engine, report, source.provenance, notes, wanted.rules) as job:
        parent_level = _levels(job, wanted)
        staging_table(job.session, "stage_area", area_rows.STAGE)
        declared = wanted.crs or wanted.mapping.source.crs or source.provenance.crs
        columns = [name for name, _kind in area_rows.STAGE]
        drawn: list[tuple[NDArray[Any], NDArray[Any]]] = []
        looked_up = {rule.lookup for rule in rules.values() if rule.lookup is not None}
        lookup = read_lookup(job.session, looked_up, wanted.mapping.aliases)
        for chunk in source.chunks():
            note_disagreement(chunk, wanted.mapping, report)
            keep = wanted.mapping.keep_attributes
            rows, polygons = area_rows.checked(chunk, rules, declared, report, lookup, keep_attributes=keep)
            copy_rows(job.session, "stage_area", columns, rows)
            if polygons is not None:
                drawn.append((chunk.rows, polygons))
        for row, why in source.bad_rows.items():
            report.rows_read += 1
            report.reject(row, None, None, why)
        for note in source.notes:
            report.info(note)
        # GEOS looks for misfits on one core while the database checks and loads on the other.
        with ThreadPoolExecutor(max_workers=1) as pool:
            looked = pool.submit(_misfits_and_gaps, drawn)
            area_tables.check(job, wanted.level, parent_level)
            check_rejects(job)
            area_tables.load(job, wanted.level, parent_level)
            misfits, gaps = looked.result()
            area_tables.warn_of_overlaps(job, misfits)
            area_tables.warn_of_gaps(job, gaps)
        area_tables.show(job, parent_level)
    return report


def _misfits_and_gaps(
    drawn: list[tuple[NDArray[Any], NDArray[Any]]],
) -> tuple[list[int], list[tuple[float, float, float]]]:
    if not drawn:
        return [], []
    numbers, polygons = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    misfits = area_rows.rows_that_do_not_fit(numbers, polygons)
    return misfits, area_rows.gaps(numbers, polygons, misfits)


def _levels(job: Job, wanted: AreasImport) -> str | None:
    """Make the level known (levels are data) and return the parent level, which must have areas already."""
    held = job.session.execute(
        text("SELECT level FROM area WHERE import_id = :previous_id AND level <> :level LIMIT 1"),
        {"previous_id": job.previous_id, "level": wanted.level},
    ).scalar()
    if held:
        raise MappingError(
            f"Der Bestand „{job.report.dataset}“ enthält die Ebene „{held}“; bitte für „{wanted.level}“ einen anderen "
            "Namen wählen (--dataset)."
        )
    parent = wanted.parent_level or wanted.mapping.parent_level
    if parent is not None:
        there = job.session.execute(
            text("SELECT count(*) FROM area_visible WHERE level = :parent"), {"parent": parent}
        ).scalar_one()
        if not there:
            raise MappingError(
                f"Die übergeordnete Ebene „{parent}“ hat noch keine Gebiete; bitte zuerst diese importieren."
            )
        above = job.session.execute(
            text("SELECT 1 FROM level_closure WHERE level = :parent AND ancestor = :level"),
            {"parent": parent, "level": wanted.level},
        ).scalar()
        if above or parent == wanted.level:
            raise MappingError(f"Die Ebene „{parent}“ liegt unter „{wanted.level}“ und kann sie nicht enthalten.")
    job.session.execute(
        text("""
            INSERT INTO level (level, title, parent_level) VALUES (:level, :title, :parent)
            ON CONFLICT (level) DO UPDATE SET
                title = CASE WHEN :titled THEN excluded.title ELSE level.title END,
                parent_level = coalesce(excluded.parent_level, level.parent_level)
        """),
        {
            "level": wanted.level,
            "title": wanted.title(),
            "parent": parent,
            "titled": wanted.level_title is not None or wanted.mapping.level_title is not None,
        },
    )
    return parent
