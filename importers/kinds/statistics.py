"""Statistics: from any table, wide or long, to one visible version of observations."""

from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Engine

from importers.agreement import note_disagreement
from importers.copying import copy_rows, staging_table
from importers.errors import MappingError
from importers.kinds import figures, statistics_rows, statistics_tables
from importers.load import NOTHING_SAID, Counting, Footnotes, Limit, Rules, importing
from importers.lookup import read_lookup
from importers.mapping import Mapping, factors, require_columns, require_known
from importers.report import Report
from importers.sources import Source
from importers.unpivot import long_chunks


@dataclass(frozen=True, slots=True)
class StatisticsImport:
    """What to load and how doubtful cases are decided.

    ``mapping_name``: names the dataset where nothing else does. ``replace``: the whole dataset, or exactly the
    (level, period) pairs of the source. ``counting``: how the figures count (else the mapping says it).
    ``area_level``, ``period``: for rows that name none.
    """

    dataset: str | None = None
    mapping: Mapping = field(default_factory=Mapping)
    mapping_name: str | None = None
    decimal: Literal[",", "."] | None = None
    dash: Literal["zero", "missing"] | None = None
    replace: figures.Replace = "periods"
    counting: Counting | None = None
    area_level: str | None = None
    period: str | None = None
    footnotes: Footnotes = NOTHING_SAID
    rules: Rules = field(default_factory=lambda: Rules(max_rejects=Limit(share=0.05)))

    def name(self) -> str:
        """Return the dataset's name: given, stated by the mapping, or made from the mapping's file name."""
        made = f"statistics.{self.mapping_name.lower()}" if self.mapping_name else "statistics"
        return self.dataset or self.mapping.dataset.name or made


def import_statistics(engine: Engine, source: Source, wanted: StatisticsImport) -> Report:
    """Load observations in one transaction; return the report.

    Raises ``MappingError`` when columns, numbers, periods or counting do not fit, ``RefusedError`` when the limits
    on rejects or shrinkage are passed or another dataset has the same figures. Nothing is changed then.
    """
    info = wanted.mapping.dataset
    report = Report(wanted.name(), "statistics", source.provenance.source)
    mapping = _prepared(source, wanted)
    says = wanted.counting or figures.counting_of(info)
    reading = figures.reading_of(source, mapping, "value", wanted.decimal, wanted.dash)
    defaults = statistics_rows.Defaults(
        mapping.level, figures.require_period(wanted.period, "--period") if wanted.period else None, says.counting
    )
    notes = wanted.footnotes.over(info, f"Statistik: {report.dataset}")
    with importing(engine, report, source.provenance, notes, wanted.rules, says) as job:
        lookup = read_lookup(job.session, None, mapping.aliases)
        staging_table(job.session, "stage_observation", statistics_rows.STAGE)
        columns = [name for name, _kind in statistics_rows.STAGE]
        for chunk in source.chunks():
            report.rows_read += len(chunk.rows)
            note_disagreement(chunk, mapping, report)
            for long in long_chunks(chunk, mapping, statistics_rows.COLUMNS, lookup=lookup, report=report):
                staged = statistics_rows.checked(long, reading, defaults, lookup, report)
                copy_rows(job.session, "stage_observation", columns, staged)
        figures.note_unread(source, report)
        statistics_tables.load(job, lookup, wanted.replace)
    return report


def _prepared(source: Source, wanted: StatisticsImport) -> Mapping:
    """Return the mapping with the options laid over it, once it is sure to fit the source."""
    mapping = wanted.mapping
    if wanted.area_level is not None:
        mapping = mapping.model_copy(update={"level": wanted.area_level})
    require_known(mapping.makes(), statistics_rows.COLUMNS, "Statistiken")
    factors(mapping.columns, ("value",))
    needed = ["area_key", "indicator", "value"]
    if mapping.level is None:
        needed.insert(0, "area_level")
    if wanted.period is None:
        needed.append("period")
    name = source.provenance.source
    require_columns(mapping.columns, source.columns, tuple(needed), name, mapping.unpivot)
    if mapping.unpivot is None and "value" in mapping.columns and mapping.columns["value"].constant is not None:
        raise MappingError("Die Zuordnung gibt jeder Zeile denselben Wert; „value“ braucht eine Spalte der Quelle.")
    return mapping
