"""The question "which offers would a wider circle see than before?", asked of two versions of a list of facilities."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# As far apart two versions may put one place.
_SAME_PLACE_M = 1.0


@dataclass(frozen=True, slots=True)
class Loosened:
    """An offer of the newer version that more people would see, or whose place they would see.

    ``before`` and ``after``: the release as it was and is, those in force beside the list included. ``itself`` False:
    not this offer was hidden, but one at its place that has gone, and what stays would show where that was. ``new``:
    the version before has no offer of this id.
    """

    offer_id: str
    name: str
    place: str
    before: str
    after: str
    itself: bool
    new: bool


def loosened(session: Session, dataset_id: int, before: int | None, after: int) -> list[Loosened]:
    """Return the offers of the import ``after`` that are released more widely than in the import ``before``.

    What is no longer there under its id is recognised by its place: the facility's id, and for offers that are new
    also the point. From the narrowest release before to the widest, then by offer. To be called with the rights of
    the writing group.
    """
    if before is None:
        return []
    found = session.execute(
        text("""
            WITH judged AS MATERIALIZED (
                SELECT o.import_id = :after AS new, o.offer_id, o.facility_id, o.name, p.name AS place, p.geom,
                       GREATEST(o.release, r.release) AS release
                FROM offer o JOIN place p ON p.import_id = o.import_id AND p.facility_id = o.facility_id
                LEFT JOIN release r ON r.dataset_id = :dataset_id AND r.offer_id = o.offer_id
                WHERE o.import_id IN (:before, :after)
            ), hidden AS MATERIALIZED (
                SELECT * FROM judged WHERE NOT new AND release > 'public'
            ), gone AS MATERIALIZED (
                SELECT * FROM hidden h
                WHERE NOT EXISTS (SELECT FROM judged n WHERE n.new AND n.offer_id = h.offer_id)
            ), pairs AS (
                SELECT offer_id, release, true AS itself FROM hidden
                UNION ALL
                SELECT n.offer_id, g.release, false FROM gone g JOIN judged n ON n.new AND n.facility_id = g.facility_id
                UNION ALL
                SELECT n.offer_id, g.release, false FROM gone g
                JOIN place p ON p.import_id = :after AND ST_DWithin(p.geom, g.geom, :same_place_m)
                JOIN judged n ON n.new AND n.facility_id = p.facility_id
                WHERE NOT EXISTS (SELECT FROM judged o WHERE NOT o.new AND o.offer_id = n.offer_id)
            )
            SELECT n.offer_id, n.name, n.place, max(pairs.release)::text, n.release::text, bool_or(pairs.itself),
                   NOT EXISTS (SELECT FROM judged o WHERE NOT o.new AND o.offer_id = n.offer_id)
            FROM judged n JOIN pairs USING (offer_id)
            WHERE n.new AND n.release < pairs.release
            GROUP BY n.offer_id, n.name, n.place, n.release
            ORDER BY max(pairs.release) DESC, n.release, n.offer_id
        """),
        {"dataset_id": dataset_id, "before": before, "after": after, "same_place_m": _SAME_PLACE_M},
    )
    return [Loosened(*row) for row in found]
