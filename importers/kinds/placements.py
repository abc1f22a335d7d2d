"""Placements: counts of young people placed, by responsible or original area, paragraph and the provider's state.

Counts only; no person is ever stored. Without a word about it (``release``) a delivery is ``public``: what is then
published is not the raw counts but the cube that disclosure control has made of them (``geodata.placement_pattern``).
A delivery that is ``internal`` is read by the own office only, and nothing it has a part in is published.
"""

from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Engine, text

from geodata.database import refresh_statistics
from geodata.derive import rebuild
from geodata.figure_tables import PLACEMENT_COUNTINGS, WITHOUT_AREA
from importers.copying import copy_rows, staging_table
from importers.errors import MappingError
from importers.kinds import figures, placement_rows
from importers.load import NOTHING_SAID, Counting, Footnotes, Job, Limit, Rules, check_rejects, importing, publish
from importers.lookup import Lookup, read_lookup, resolved
from importers.mapping import Mapping, canonical, factors, require_columns, require_known
from importers.report import Report
from importers.sources import Source

_STAGE = "stage_placement"
# Levels that are a youth office's own, wherever their areas hang in the tree.
_OFFICES = ("land", "region")


@dataclass(frozen=True, slots=True)
class PlacementsImport:
    """What to load and how doubtful cases are decided.

    ``home_level``: the level of the youth offices; it and what contains it can be responsible. ``scope``: the area
    (``level:key``) for which the delivery speaks, None: for all areas that occur. ``counting``: for rows that say
    none. ``release``: ``public`` or ``internal``, None: as the mapping says, else ``public``. The other fields as in
    ``StatisticsImport``.
    """

    dataset: str = "placements"
    home_level: str = "bezirk"
    mapping: Mapping = field(default_factory=Mapping)
    decimal: Literal[",", "."] | None = None
    dash: Literal["zero", "missing"] | None = None
    replace: figures.Replace = "periods"
    scope: str | None = None
    counting: str | None = None
    release: str | None = None
    area_level: str | None = None
    period: str | None = None
    footnotes: Footnotes = NOTHING_SAID
    rules: Rules = field(default_factory=lambda: Rules(max_rejects=Limit(share=0.05)))


def import_placements(engine: Engine, source: Source, wanted: PlacementsImport) -> Report:
    """Load placements in one transaction; return the report.

    Raises ``MappingError`` when columns, numbers, periods or scope do not fit, ``RefusedError`` when the limits on
    rejects or shrinkage are passed. Nothing is changed then.
    """
    mapping, info = wanted.mapping, wanted.mapping.dataset
    report = Report(wanted.dataset, "placements", source.provenance.source)
    level = wanted.area_level or mapping.level
    _require_fitting(source, wanted, level)
    counting = wanted.counting or info.counting or "stichtag"
    if counting not in PLACEMENT_COUNTINGS:
        raise MappingError(
            f"„{counting}“ gibt es als counting von Unterbringungen nicht. "
            f"Möglich sind: {', '.join(PLACEMENT_COUNTINGS)}."
        )
    reading = figures.reading_of(source, mapping, "cases", wanted.decimal, wanted.dash)
    period = figures.require_period(wanted.period, "--period") if wanted.period else None
    notes = wanted.footnotes.over(info, "Unterbringungen")
    # Each row says how it counts; what the import says holds for all of them.
    says = Counting(unit=info.unit, release=figures.counting_of(info, release=wanted.release).release)
    with importing(engine, report, source.provenance, notes, wanted.rules, says) as job:
        lookup = read_lookup(job.session, None, mapping.aliases)
        scope = _scope(wanted.scope or info.scope, lookup)
        defaults = placement_rows.Defaults(level, period, counting, _responsible(job, wanted.home_level))
        staging_table(job.session, _STAGE, placement_rows.STAGE)
        columns = [name for name, _kind in placement_rows.STAGE]
        for chunk in source.chunks():
            report.rows_read += len(chunk.rows)
            table = canonical(chunk.columns, len(chunk.rows), mapping.columns, placement_rows.COLUMNS)
            table = resolved(table, chunk.rows, mapping.columns, lookup, report, level=level)
            copy_rows(
                job.session, _STAGE, columns, placement_rows.checked(table, chunk.rows, reading, defaults, report)
            )
        figures.note_unread(source, report)
        _load(job, lookup, wanted.replace, scope)
    return report


def _require_fitting(source: Source, wanted: PlacementsImport, level: str | None) -> None:
    mapping = wanted.mapping
    if mapping.unpivot is not None:
        raise MappingError("Unterbringungen stehen eine je Zeile; [unpivot] gibt es für sie nicht.")
    require_known(mapping.makes(), placement_rows.COLUMNS, "Unterbringungen")
    factors(mapping.columns, ())
    needed = ["area_key", "paragraph", "provider_state", "cases"]
    if level is None:
        needed.insert(0, "area_level")
    if wanted.period is None:
        needed.append("period")
    require_columns(mapping.columns, source.columns, tuple(needed), source.provenance.source)


def _scope(given: str | None, lookup: Lookup) -> tuple[str, str] | None:
    if given is None:
        return None
    level, _, key = given.partition(":")
    if lookup.name(level, key) is None:
        raise MappingError(
            f"Die Lieferung soll für „{given}“ gelten, aber dieses Gebiet ist nicht geladen; geschrieben wird es als "
            "ebene:schlüssel, etwa bezirk:1 (--scope)."
        )
    return level, key


def _responsible(job: Job, home_level: str) -> set[str]:
    above = job.session.execute(
        text("SELECT ancestor FROM level_closure WHERE level = :home"), {"home": home_level}
    ).scalars()
    return {home_level, *_OFFICES, *above}


def _load(job: Job, lookup: Lookup, replace: figures.Replace, scope: tuple[str, str] | None) -> None:
    """Check over all rows, then write the new version with its deliveries and make it visible."""
    session, report = job.session, job.report
    figures.check_areas(job, _STAGE, lookup)
    _check_provider_areas(job)
    if scope is not None:
        _check_scope(job, scope)
    figures.drop_rejected(job, _STAGE)
    figures.check_twice(job, _STAGE, placement_rows.KEY, "Diese Angabe")
    check_rejects(job)
    figures.drop_rejected(job, _STAGE)
    columns = (*placement_rows.KEY, "cases")
    kept = figures.keep_other_periods(job, "placement", _STAGE, columns, replace, beside=("placement_delivery",))
    listed = ", ".join(columns)
    session.execute(
        text(f"INSERT INTO placement (import_id, {listed}) SELECT :import_id, {listed} FROM {_STAGE}"),  # noqa: S608
        {"import_id": job.import_id},
    )
    session.execute(
        text(f"""
            INSERT INTO placement_delivery (import_id, level, period, scope_level, scope_key)
            SELECT DISTINCT :import_id, level, period, CAST(:level AS text), CAST(:key AS text) FROM {_STAGE}
        """),  # noqa: S608
        {"import_id": job.import_id, "level": scope[0] if scope else None, "key": scope[1] if scope else None},
    )
    figures.note_merged(job, lookup)
    _count(job, kept)
    publish(job, loaded=report.rows_read - report.rows_rejected)
    refresh_statistics(session, ("placement",))
    report.counts |= rebuild(session, "placements", job.import_id)


def _check_provider_areas(job: Job) -> None:
    """Reject a provider's area that is not known where its level is; levels of other cities are not ours to check."""
    unknown = job.session.execute(
        text(f"""
            SELECT s.row, s.provider_area_level AS level, s.provider_area_key AS key FROM {_STAGE} s
            WHERE s.provider_area_key <> '' AND s.provider_area_key <> :without
              AND EXISTS (SELECT FROM area_visible a WHERE a.level = s.provider_area_level)
              AND NOT EXISTS (SELECT FROM area_registry r
                              WHERE r.level = s.provider_area_level AND r.key = s.provider_area_key)
            ORDER BY s.row
        """),  # noqa: S608
        {"without": WITHOUT_AREA},
    )
    for row, level, key in unknown.all():
        job.report.reject(
            row, "provider_area_key", key, f"Dieses Gebiet gibt es auf der Ebene „{level}“ nicht.",
            "Bitte den Schlüssel berichtigen oder beide Angaben leeren.",
        )  # fmt: skip


def _check_scope(job: Job, scope: tuple[str, str]) -> None:
    """Reject rows on areas outside the area for which the delivery says it speaks."""
    outside = job.session.execute(
        text(f"""
            WITH RECURSIVE inside(level, key) AS (
                SELECT CAST(:level AS text), CAST(:key AS text)
                UNION
                SELECT a.level, a.key FROM area_visible a
                JOIN inside i ON a.parent_level = i.level AND a.parent_key = i.key
            )
            SELECT s.row, s.area_key FROM {_STAGE} s
            WHERE s.area_key <> :without AND EXISTS (
                SELECT FROM unnest(string_to_array(s.area_key, '+')) AS member(key)
                WHERE (s.level, member.key) NOT IN (SELECT level, key FROM inside))
            ORDER BY s.row
        """),  # noqa: S608
        {"level": scope[0], "key": scope[1], "without": WITHOUT_AREA},
    )
    for row, key in outside.all():
        job.report.reject(
            row, "area_key", key, f"Das Gebiet liegt nicht in „{scope[0]}:{scope[1]}“, für das die Lieferung gilt.",
            "Bitte die Zeile oder --scope berichtigen.",
        )  # fmt: skip


def _count(job: Job, kept: int) -> None:
    cases, deliveries = job.session.execute(
        text(f"SELECT sum(cases), count(DISTINCT (level, period)) FROM {_STAGE}")  # noqa: S608
    ).one()
    job.report.counts["Fälle"] = int(cases or 0)
    job.report.counts["Lieferungen (Ebene und Zeitraum)"] = deliveries
    if kept:
        job.report.counts["Angaben anderer Zeiträume, behalten"] = kept
