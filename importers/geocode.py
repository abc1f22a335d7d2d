"""The local geocoder: facilities without coordinates are placed by their address, all inside the database.

Addresses come from ``import addresses``; none ever leaves the machine. Whatever is placed has a quality (1: the very
address), and what is not sure is a reject with candidates, never a guess. How: see ``geocode_match``.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from importers import geocode_findings, geocode_match
from importers.load import Job


def loaded_addresses(session: Session) -> list[int]:
    """Return the imports whose addresses are visible now; empty: none are loaded."""
    return list(
        session.execute(
            text("""
                SELECT current_import_id FROM dataset WHERE kind = 'addresses' AND current_import_id IS NOT NULL
                ORDER BY current_import_id
            """)
        ).scalars()
    )


def place_by_address(job: Job) -> None:
    """Give the rows of ``stage_offer`` that have no point the point of their address; those without one go.

    Sets ``geom`` and ``location_quality``; notes what was placed how well, rejects with up to three candidates, and
    rows whose coordinates lie far from their address. Rows with coordinates keep them. Does nothing where no
    addresses are loaded.
    """
    session = job.session
    imports = loaded_addresses(session)
    if not imports:
        return
    _take_points_of_the_same_place(job)
    geocode_match.read_spellings(session, imports)
    geocode_match.match_exactly(session, imports)
    geocode_match.match_roughly(session, imports)
    geocode_match.match_similar_streets(session, imports)
    geocode_match.take_best(session)
    geocode_findings.tell_what_was_placed(job)
    geocode_findings.reject_ambiguous(job)
    geocode_findings.reject_others(job, imports)
    session.execute(text("DELETE FROM stage_offer WHERE geom IS NULL"))
    geocode_findings.warn_of_points_far_from_their_address(job, imports)


def _take_points_of_the_same_place(job: Job) -> None:
    """Give offers without coordinates those that another offer of the same place has."""
    taken = job.session.execute(
        text("""
            UPDATE stage_offer s SET geom = f.geom
            FROM (SELECT DISTINCT ON (facility_id) facility_id, geom FROM stage_offer
                  WHERE geom IS NOT NULL AND facility_id IN (SELECT facility_id FROM stage_offer WHERE geom IS NULL)
                  ORDER BY facility_id, row) f
            WHERE s.geom IS NULL AND s.facility_id = f.facility_id
            RETURNING 1
        """)
    )
    count = len(taken.all())
    if count:
        job.report.counts["Koordinate eines anderen Angebots derselben Einrichtung"] = count
