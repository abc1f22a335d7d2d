"""Areas: from any geodata file or table of keys and names to one visible version of a level."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray
from sqlalchemy import Engine, text

from geodata.derive import link_facilities, parents_by_overlap
from importers import place
from importers.copying import copy_rows, staging_table
from importers.errors import MappingError, RefusedError
from importers.load import (
    Footnotes,
    Job,
    Limit,
    Rules,
    check_rejects,
    check_shrink,
    importing,
    publish,
    refresh_statistics,
)
from importers.mapping import Mapping, Rule, canonical, require_columns, require_known
from importers.report import Report
from importers.sources import Chunk, Source

KNOWN_LEVELS = {
    "land": "Land",
    "bezirk": "Bezirk",
    "region": "Jugendamtsregion",
    "stadtteil": "Stadtteil",
    "ortsteil": "Ortsteil",
    "statgebiet": "Statistisches Gebiet",
    "sozialraum": "Sozialraum",
}
_COLUMNS = ("key", "name", "parent_key")
_STAGE = (("row", "int"), ("key", "text"), ("name", "text"), ("parent_key", "text"), ("attributes", "jsonb"),
          ("geom", "geometry(MultiPolygon, 25832)"))  # fmt: skip
_MAX_TEXT_CHARS = 500
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
    footnotes: Footnotes | None = None
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
    require_known(rules, _COLUMNS, "Gebieten")
    require_columns(rules, source.columns, ("key", "name"), source.provenance.source)
    notes = wanted.footnotes or Footnotes(
        info.title or f"Gebiete: {wanted.title()}", info.licence, info.attribution, info.as_of
    )
    with importing(engine, report, source.provenance, notes, wanted.rules) as job:
        parent_level = _levels(job, wanted)
        staging_table(job.session, "stage_area", _STAGE)
        for chunk in source.chunks():
            columns = [name for name, _kind in _STAGE]
            copy_rows(job.session, "stage_area", columns, _checked(chunk, wanted, rules, source, report))
        for row, why in source.bad_rows.items():
            report.rows_read += 1
            report.reject(row, None, None, why)
        for note in source.notes:
            report.info(note)
        _check_in_database(job, wanted.level, parent_level)
        check_rejects(job)
        _load(job, wanted.level, parent_level)
    if not report.dry_run:
        refresh_statistics(engine, ("area", "area_registry", "facility_area"))
    return report


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


def _checked(
    chunk: Chunk, wanted: AreasImport, rules: dict[str, Rule], source: Source, report: Report
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that may be staged; note the others."""
    report.rows_read += len(chunk.rows)
    table = canonical(chunk.frame, rules, _COLUMNS)
    used = {name for rule in rules.values() for name in rule.sources()}
    rest = [name for name in chunk.frame.columns if name not in used and name.lower() not in _COLUMNS]
    attributes = chunk.frame[rest].to_dict("records") if wanted.mapping.keep_attributes and rest else None
    geometry = _polygons(chunk, wanted, source, report)
    hexed = [None] * len(table) if geometry is None else shapely.to_wkb(geometry, hex=True, include_srid=True)
    refused = report.rejected_rows()
    for i, (row, key, name, parent) in enumerate(zip(chunk.rows.tolist(), *_texts(table), strict=True)):
        if not key:
            report.reject(row, "key", key, "Der Schlüssel fehlt.", "Bitte ergänzen.")
        elif not name:
            report.reject(row, "name", name, "Der Name fehlt.", "Bitte ergänzen.")
        elif max(len(key), len(name)) > _MAX_TEXT_CHARS:
            report.reject(row, "name", name, f"Schlüssel oder Name ist länger als {_MAX_TEXT_CHARS} Zeichen.")
        elif row not in refused:
            extra = orjson.dumps(attributes[i]).decode() if attributes else "{}"
            yield row, key, name, parent, extra, hexed[i]


def _texts(table: pd.DataFrame) -> Iterator[list[str | None]]:
    for column in _COLUMNS:
        yield [None if pd.isna(v) or not (t := str(v).replace("\x00", "").strip()) else t for v in table[column]]


def _polygons(chunk: Chunk, wanted: AreasImport, source: Source, report: Report) -> NDArray[Any] | None:
    """Return valid MultiPolygons in metres (None: without map); note repairs and rejects."""
    if chunk.geometry is None or shapely.is_missing(chunk.geometry).all():
        return None
    declared = wanted.crs or wanted.mapping.source.crs or source.provenance.crs
    if declared is None:
        raise MappingError(f"„{source.provenance.source}“ nennt kein Koordinatensystem; bitte --crs angeben.")
    report.crs = place.crs(declared).to_string()
    geometry = chunk.geometry.copy()
    rows = chunk.rows
    kinds = shapely.get_type_id(geometry)
    for i in np.flatnonzero(~np.isin(kinds, (-1, 3, 6, 7))):
        report.reject(int(rows[i]), "geometry", geometry[i].geom_type, "Die Geometrie ist keine Fläche.")
        geometry[i] = None
    for i in np.flatnonzero(shapely.is_empty(geometry)):
        report.reject(int(rows[i]), "geometry", None, "Die Geometrie ist leer.")
        geometry[i] = None
    bounds = shapely.bounds(geometry)
    causes = place.implausible((bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2, declared)
    for at, cause in enumerate(causes):
        if cause:
            report.reject(int(rows[at]), "geometry", _first_point(geometry[at]), cause, "Bitte die Quelle prüfen.")
            geometry[at] = None
    metres = place.geometry_to_metres(geometry, declared)
    for at, shape in enumerate(metres):
        if not np.isfinite(shapely.get_coordinates(shape)).all():
            report.reject(int(rows[at]), "geometry", None, "Die Fläche hat eine Ecke, die es nicht geben kann.")
            metres[at] = None
    return _repaired(metres, rows, report)


def _repaired(metres: NDArray[Any], rows: NDArray[Any], report: Report) -> NDArray[Any]:
    """Return every geometry as a valid MultiPolygon; a bow-tie is repaired and reported."""
    broken = np.flatnonzero(~shapely.is_valid(metres) & ~shapely.is_missing(metres))
    for i in broken:
        reason = shapely.is_valid_reason(metres[i])
        fixed = shapely.make_valid(metres[i], method="structure", keep_collapsed=False)
        fixed = shapely.union_all([part for part in shapely.get_parts(fixed) if part.area > 0])
        if fixed.is_empty or fixed.area == 0:
            report.reject(int(rows[i]), "geometry", reason, "Die Fläche ist ungültig und nicht zu reparieren.")
            metres[i] = None
            continue
        metres[i] = fixed
        report.warn(
            f"Ungültige Fläche repariert; sie misst jetzt {fixed.area:.0f} m².",
            row=int(rows[i]),
            field="geometry",
            value=reason,
        )
    for i in np.flatnonzero(shapely.get_type_id(metres) == 7):
        metres[i] = shapely.union_all([part for part in shapely.get_parts(metres[i]) if part.area > 0])
        if metres[i].is_empty:
            report.reject(int(rows[i]), "geometry", None, "Die Geometrie enthält keine Fläche.")
            metres[i] = None
    singles = shapely.get_type_id(metres) == 3
    metres[singles] = shapely.multipolygons(metres[singles].reshape(-1, 1))
    return shapely.set_srid(metres, place.TARGET)


def _first_point(geometry: Any) -> str:  # noqa: ANN401 - a shapely geometry of any kind
    x, y = shapely.get_coordinates(geometry)[0]
    return f"{x:.6g} {y:.6g}"


def _check_in_database(job: Job, level: str, parent_level: str | None) -> None:
    """Check over all rows: keys twice, keys of another dataset, unknown parents, overlaps."""
    session, report = job.session, job.report
    session.execute(text("CREATE INDEX ON stage_area (key)"))
    session.execute(text("ANALYZE stage_area"))
    values = {"level": level, "dataset_id": job.dataset_id, "parent_level": parent_level}
    twice = session.execute(
        text("""
            SELECT row, key FROM (
                SELECT row, key, count(*) OVER (PARTITION BY key) AS n FROM stage_area) s
            WHERE n > 1 ORDER BY row
        """)
    )
    for row, key in twice:
        report.reject(row, "key", key, "Der Schlüssel kommt mehrfach vor.", "Jeder Schlüssel darf nur einmal stehen.")
    foreign = session.execute(
        text("""
            SELECT s.row, s.key, d.name FROM stage_area s
            JOIN area_registry r ON r.level = :level AND r.key = s.key
            JOIN dataset d ON d.id = r.dataset_id
            WHERE r.dataset_id <> :dataset_id ORDER BY s.row
        """),
        values,
    )
    for row, key, owner in foreign:
        report.reject(row, "key", key, f"Das Gebiet gehört schon zum Bestand „{owner}“.")
    if parent_level is None:
        given = session.execute(text("SELECT row, parent_key FROM stage_area WHERE parent_key IS NOT NULL LIMIT 1"))
        if given.first():
            raise MappingError("Die Quelle nennt übergeordnete Gebiete; bitte deren Ebene mit --parent-level angeben.")
    else:
        unknown = session.execute(
            text("""
                SELECT s.row, s.parent_key FROM stage_area s
                WHERE s.parent_key IS NOT NULL AND NOT EXISTS (
                    SELECT FROM area_visible a WHERE a.level = :parent_level AND a.key = s.parent_key)
                ORDER BY s.row
            """),
            values,
        )
        for row, key in unknown:
            report.reject(row, "parent_key", key, f"Das übergeordnete Gebiet gibt es auf „{parent_level}“ nicht.")
    _check_overlaps(job)


def _check_overlaps(job: Job) -> None:
    """Warn of areas of one level that overlap by more than 1 m² (digitising slivers stay below)."""
    session = job.session
    session.execute(text("CREATE INDEX ON stage_area USING gist (geom)"))
    found = session.execute(
        text("""
            SELECT a.row, a.key, b.key, o.shared
            FROM stage_area a
            JOIN stage_area b ON a.row < b.row AND a.geom && b.geom AND ST_Relate(a.geom, b.geom, '2********')
            CROSS JOIN LATERAL (SELECT ST_Area(ST_Intersection(a.geom, b.geom)) AS shared) o
            WHERE o.shared > 1 ORDER BY o.shared DESC LIMIT 1000
        """)
    ).all()
    for row, key, other, shared in found:
        job.report.warn(
            "Gebiete einer Ebene überlappen sich.",
            row=row,
            field="geometry",
            value=f"{key} und {other}: {shared:.0f} m²",
        )
    if found:
        job.report.counts["Überlappungen"] = len(found)


def _load(job: Job, level: str, parent_level: str | None) -> None:
    session, report = job.session, job.report
    values = {
        "import_id": job.import_id,
        "dataset_id": job.dataset_id,
        "previous_id": job.previous_id,
        "level": level,
        "parent_level": parent_level,
        "rejected": sorted(report.rejected_rows()),
    }
    if report.rows_rejected:
        session.execute(text("DELETE FROM stage_area WHERE row = ANY (:rejected)"), values)
    loaded = session.execute(text("SELECT count(*) FROM stage_area")).scalar_one()
    before = session.execute(text("SELECT count(*) FROM area WHERE import_id = :previous_id"), values).scalar_one()
    check_shrink(job, before, loaded)
    _check_orphans(job, level)
    session.execute(
        text("""
            INSERT INTO area_registry (level, key, dataset_id) SELECT :level, key, :dataset_id FROM stage_area
            ON CONFLICT (level, key) DO NOTHING
        """),
        values,
    )
    session.execute(
        text("""
            INSERT INTO area (import_id, level, key, name, parent_level, parent_key, attributes, geom)
            SELECT :import_id, :level, key, name, CASE WHEN parent_key IS NOT NULL THEN :parent_level END, parent_key,
                   attributes, geom
            FROM stage_area ORDER BY row
        """),
        values,
    )
    if parent_level is not None:
        missing = session.execute(text("SELECT count(*) FROM stage_area WHERE parent_key IS NULL")).scalar_one()
        if missing:
            found = parents_by_overlap(session, job.import_id, level, parent_level)
            report.counts["übergeordnetes Gebiet aus größter Überlappung"] = found
            lost = session.execute(
                text("SELECT key, name FROM area WHERE import_id = :import_id AND parent_key IS NULL ORDER BY key"),
                values,
            )
            for key, name in lost:
                report.warn(
                    "Das Gebiet überlappt kein übergeordnetes Gebiet.", field="parent_key", value=f"{key} {name}"
                )
    without_map = session.execute(text("SELECT count(*) FROM stage_area WHERE geom IS NULL")).scalar_one()
    if without_map:
        report.counts["Gebiete ohne Karte"] = without_map
    publish(job, loaded=loaded, tables=("area",))
    linked = link_facilities(session, levels=[level])
    report.counts["verknüpfte Einrichtungen"] = linked


def _check_orphans(job: Job, level: str) -> None:
    """Refuse to drop areas that others still name as their parent."""
    dropped = job.session.execute(
        text("""
            SELECT count(*), count(DISTINCT old.key) FROM area old
            JOIN area_visible child ON child.parent_level = old.level AND child.parent_key = old.key
            WHERE old.import_id = :previous_id AND old.level = :level
              AND NOT EXISTS (SELECT FROM stage_area s WHERE s.key = old.key)
        """),
        {"previous_id": job.previous_id, "level": level},
    ).one()
    if not dropped[0]:
        return
    sentence = f"{dropped[1]} Gebiete fallen weg, auf die sich noch {dropped[0]} andere Gebiete beziehen"
    if not job.rules.allow_orphans:
        raise RefusedError(f"{sentence}; nichts wurde geändert. Mit --allow-orphans geschieht es trotzdem.", job.report)
    job.report.warn(f"{sentence}.")
