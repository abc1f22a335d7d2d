"""Derivations: what follows from imported rows, rebuilt in the transaction that changes its inputs.

One function per derivation. They run with the writing group's rights on the base tables.
"""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session


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
            RETURNING 1
        """),
        values,
    )
    return len(linked.all())


def parents_by_overlap(session: Session, import_id: int, level: str, parent_level: str) -> int:
    """Give areas without parent the area of ``parent_level`` they overlap most (at least 1 m²); return how many.

    Ties go to the lowest key. An area that overlaps none (Neuwerk) stays without parent.
    """
    found = session.execute(
        text("""
            UPDATE area a SET parent_level = :parent_level, parent_key = best.key
            FROM (
                SELECT DISTINCT ON (c.key) c.key AS child, p.key
                FROM area c
                JOIN area p ON p.level = :parent_level AND ST_Intersects(p.geom, c.geom)
                JOIN dataset d ON d.current_import_id = p.import_id
                CROSS JOIN LATERAL (SELECT ST_Area(ST_Intersection(p.geom, c.geom)) AS shared) o
                WHERE c.import_id = :import_id AND c.level = :level AND c.parent_key IS NULL AND o.shared >= 1
                ORDER BY c.key, o.shared DESC, p.key COLLATE "C"
            ) best
            WHERE a.import_id = :import_id AND a.level = :level AND a.key = best.child
            RETURNING 1
        """),
        {"import_id": import_id, "level": level, "parent_level": parent_level},
    )
    return len(found.all())
