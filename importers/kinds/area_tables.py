"""Areas inside the database: from the staging table to one visible version of a level, all in SQL."""

import numpy as np
from sqlalchemy import text

from geodata.database import refresh_statistics
from geodata.derive import rebuild
from geodata.geometry import lonlat
from geodata.references import orphans_between
from importers.errors import MappingError, RefusedError
from importers.load import Job, check_shrink, publish


def check(job: Job, level: str, parent_level: str | None) -> None:
    """Check over all rows: keys twice, keys of another dataset, unknown parents."""
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
        _warn_of_strays(job, parent_level)


def _warn_of_strays(job: Job, parent_level: str) -> None:
    """Warn of areas that lie elsewhere than the area their source names above them (Neuwerk, or a wrong key)."""
    strays = job.session.execute(
        text("""
            SELECT s.row, s.key, s.name, p.key AS parent_key, p.name AS parent_name
            FROM stage_area s JOIN area_visible p ON p.level = :parent_level AND p.key = s.parent_key
            WHERE s.geom IS NOT NULL AND p.geom IS NOT NULL AND NOT ST_Covers(p.geom, ST_PointOnSurface(s.geom))
            ORDER BY s.row
        """),
        {"parent_level": parent_level},
    )
    for row, key, name, parent_key, parent_name in strays:
        job.report.warn(
            "Das Gebiet liegt nicht in den Grenzen des Gebiets, das die Quelle darüber nennt.",
            row=row,
            field="parent_key",
            value=f"{key} {name}, darüber {parent_key} {parent_name}",
        )


def warn_of_overlaps(job: Job, suspects: list[int]) -> None:
    """Warn of areas of one level that overlap by more than 1 m² (digitising slivers stay below)."""
    if not suspects:
        return
    session = job.session
    session.execute(text("CREATE INDEX ON stage_area USING gist (geom)"))
    found = session.execute(
        text("""
            SELECT a.row, a.key, b.key, o.shared
            FROM stage_area a
            JOIN stage_area b ON a.row < b.row AND a.geom && b.geom AND ST_Relate(a.geom, b.geom, '2********')
            CROSS JOIN LATERAL (SELECT ST_Area(ST_Intersection(a.geom, b.geom)) AS shared) o
            WHERE a.row = ANY (:suspects) AND b.row = ANY (:suspects) AND o.shared > 1
            ORDER BY o.shared DESC LIMIT 1000
        """),
        {"suspects": suspects},
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


def warn_of_gaps(job: Job, gaps: list[tuple[float, float, float]]) -> None:
    """Warn of holes between the areas of a level (m², x, y in EPSG:25832), largest first."""
    if not gaps:
        return
    places = lonlat(np.array([(x, y) for _area, x, y in gaps]))
    for (size_m2, _x, _y), (lon, lat) in zip(gaps, places, strict=True):
        job.report.warn(
            "Zwischen den Gebieten ist eine Lücke.",
            field="geometry",
            value=f"{size_m2:.0f} m² bei Länge {lon:.5f}, Breite {lat:.5f}",
        )
    job.report.counts["Lücken"] = len(gaps)


def load(job: Job, level: str, parent_level: str | None) -> None:
    """Write registry and areas from the staging table."""
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
    _check_orphans(job, level)
    without_map = session.execute(text("SELECT count(*) FROM stage_area WHERE geom IS NULL")).scalar_one()
    if without_map:
        report.counts["Gebiete ohne Karte"] = without_map
    report.rows_loaded = loaded


def show(job: Job, parent_level: str | None) -> None:
    """Make the loaded version visible and rebuild what derives from it."""
    session, report = job.session, job.report
    publish(job, loaded=report.rows_loaded)
    refresh_statistics(session, ("area", "area_registry"))
    report.counts |= rebuild(session, "areas", job.import_id)
    if parent_level is not None:
        _warn_of_lost(job)


def _warn_of_lost(job: Job) -> None:
    lost = job.session.execute(
        text("SELECT key, name FROM area WHERE import_id = :import_id AND parent_key IS NULL ORDER BY key"),
        {"import_id": job.import_id},
    )
    for key, name in lost:
        job.report.warn("Das Gebiet überlappt kein übergeordnetes Gebiet.", field="parent_key", value=f"{key} {name}")


def _check_orphans(job: Job, level: str) -> None:
    """Refuse to drop areas that others still refer to."""
    lost = None if job.previous_id is None else orphans_between(job.session, level, job.previous_id, job.import_id)
    if lost is None:
        return
    if not job.rules.allow_orphans:
        raise RefusedError(
            f"{lost.sentence()}; nichts wurde geändert. Mit --allow-orphans geschieht es trotzdem.", job.report
        )
    job.report.warn(f"{lost.sentence()}.")
