"""Derivations: what follows from imported rows, rebuilt in the transaction that changes its inputs.

One function per derivation, and ``rebuild``, which knows which of them follow from which kind of data. They run
with the writing group's rights on the base tables.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import CursorResult, Result, text
from sqlalchemy.orm import Session

from geodata.placement_raw import is_due


def rebuild(session: Session, kind: str, import_id: int) -> dict[str, int]:
    """Rebuild all that follows from this version, which has just become the visible one of its dataset.

    Returns what was counted on the way, under German names for the report.
    """
    from geodata import figure_pattern, network, surface  # noqa: PLC0415 - numeric, for those who derive only

    counts: dict[str, int] = {}
    if kind == "areas":
        levels = session.execute(
            text("SELECT DISTINCT level FROM area WHERE import_id = :import_id ORDER BY level"),
            {"import_id": import_id},
        ).scalars()
        for level in list(levels):
            counts["verknüpfte Einrichtungen"] = link_facilities(session, levels=[level])
            derived = parents_by_overlap(session, level)
            if derived:
                counts["übergeordnetes Gebiet aus größter Überlappung"] = derived
            for child in child_levels(session, level):
                parents_by_overlap(session, child)
    if kind == "facilities":
        link_facilities(session, import_ids=[import_id])
        network.snap_facilities(session, import_ids=[import_id])
    if kind == "network":
        network.snap_facilities(session)
        network.snap_cells(session)
    # The catalogue says which indicators count residents, and which of two datasets is shown.
    if kind in {"areas", "statistics", "population", "catalogue"}:
        counts |= surface.rebuild(session, kind, import_id)
    if kind in {"areas", "placements"}:
        counts |= rebuild_published(session)
    elif kind in {"statistics", "catalogue"}:
        counts |= figure_pattern.rebuild(session)
    return counts


def rebuild_published(session: Session) -> dict[str, int]:
    """Rebuild all that is published under disclosure control, as far as it is out of date; return as ``rebuild`` does.

    Placements first: what is published of them decides which figures of helps are. To be called in a writing
    transaction that holds the writers' lock, also after the rules changed (``placement_rule``) or where what is there
    was loaded before there was anything to derive (``published_is_due``).
    """
    from geodata import figure_pattern, placement_pattern  # noqa: PLC0415 - numeric, for those who derive only

    return placement_pattern.rebuild(session) | figure_pattern.rebuild(session)


def published_is_due(session: Session) -> bool:
    """Tell whether something is there of which what is published was never derived; for a writing transaction."""
    from geodata import figure_store  # noqa: PLC0415 - for those who derive only

    return is_due(session) or figure_store.is_due(session)


def link_facilities(
    session: Session, *, import_ids: Collection[int] | None = None, levels: Collection[str] | None = None
) -> int:
    """Rebuild the links from places to the area of each level their point lies in; return how many there are.

    ``import_ids`` are the facility imports whose places changed, ``levels`` the levels whose areas changed;
    None means all visible ones. A point on a border belongs to the lowest key (byte order).
    """
    values = {
        "imports": None if import_ids is None else list(import_ids),
        "levels": None if levels is None else list(levels),
    }
    of_interest = """
        (CAST(:imports AS int[]) IS NULL OR {f}.import_id = ANY (:imports))
        AND (CAST(:levels AS text[]) IS NULL OR {level} = ANY (:levels))
    """
    session.execute(text(f"DELETE FROM facility_area f WHERE {of_interest.format(f='f', level='f.level')}"), values)
    linked = session.execute(
        text(f"""
            INSERT INTO facility_area (import_id, facility_id, level, area_key)
            SELECT p.import_id, p.facility_id, a.level, min(a.key COLLATE "C")
            FROM area a
            JOIN dataset da ON da.current_import_id = a.import_id
            JOIN place p ON ST_Covers(a.geom, p.geom)
            JOIN dataset dp ON dp.current_import_id = p.import_id
            WHERE {of_interest.format(f="p", level="a.level")}
            GROUP BY p.import_id, p.facility_id, a.level
        """),
        values,
    )
    return _rows(linked)


def parents_by_overlap(session: Session, level: str) -> int:
    """Give visible areas of a level whose source names no parent the area they overlap most; return how many.

    The parent comes from the level's parent level, at least 1 m² must be shared, ties go to the lowest key. An area
    that overlaps none (Neuwerk) has no parent. To be called when areas of the level or of its parent level change.
    """
    above = session.execute(text("SELECT parent_level FROM level WHERE level = :level"), {"level": level}).scalar()
    if above is None:
        return 0
    session.execute(
        text("""
            UPDATE area a SET parent_level = NULL, parent_key = NULL, parent_derived = false
            FROM dataset d
            WHERE d.current_import_id = a.import_id AND a.level = :level AND a.parent_derived
        """),
        {"level": level},
    )
    found = session.execute(
        text("""
            UPDATE area a SET parent_level = best.level, parent_key = best.key, parent_derived = true
            FROM (
                SELECT DISTINCT ON (c.import_id, c.key) c.import_id, c.key AS child, p.level, p.key
                FROM area c
                JOIN dataset dc ON dc.current_import_id = c.import_id
                JOIN area p ON p.level = :above AND ST_Intersects(p.geom, c.geom)
                JOIN dataset dp ON dp.current_import_id = p.import_id
                CROSS JOIN LATERAL (SELECT ST_Area(ST_Intersection(p.geom, c.geom)) AS shared) o
                WHERE c.level = :level AND c.parent_key IS NULL AND o.shared >= 1
                ORDER BY c.import_id, c.key, o.shared DESC, p.key COLLATE "C"
            ) best
            WHERE a.import_id = best.import_id AND a.level = :level AND a.key = best.child
        """),
        {"level": level, "above": above},
    )
    return _rows(found)


def _rows(done: Result[Any]) -> int:
    """Return how many rows a statement wrote, as the server counted them: fetching millions back would cost memory."""
    assert isinstance(done, CursorResult)  # noqa: S101 - every statement of ours is one
    return int(done.rowcount)


def child_levels(session: Session, level: str) -> list[str]:
    """Return the levels that nest directly in this one."""
    return list(
        session.execute(
            text("SELECT level FROM level WHERE parent_level = :level ORDER BY level"), {"level": level}
        ).scalars()
    )
