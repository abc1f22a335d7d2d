"""The question "where are young people placed": inside and outside the home state, per area and quarter.

What is read is what ``geodata.placement_pattern`` published; a planner in the Interne Fassung reads the own areas'
counts as they are. Nothing is computed from a suppressed count: shares, rates, intervals and changes that rest on one
are None too, so that an answer holds nothing that the published counts do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import placement_notes as notes
from geodata.answer import Answer, Source, footnotes, read_sources
from geodata.areas import area_sources
from geodata.figure_tables import WITHOUT_AREA
from geodata.geometry import area_geojson
from geodata.placement_figures import Change, Counts, change_between, counts_of, suppressed_fields
from geodata.placement_request import Asked, PlacementsRequest, SheetInfo, filled
from geodata.placement_residents import Residents, residents_under_21

__all__ = ["PlacementRow", "PlacementsRequest", "placements"]

_BEGUN = "begonnen"
_PER = 1000.0


@dataclass(frozen=True, slots=True)
class PlacementRow:
    """Placements of one area in one period. None: missing, suppressed, or resting on such; ``note`` says why.

    ``outside_cases`` of ``cases`` are with providers outside the home state; ``unknown_cases`` (``ohne Angabe``)
    are in neither part of ``outside_share`` (0 to 1), whose Wilson interval is ``ci_low`` to ``ci_high``.
    ``per_1000`` residents under 21, by origin only. ``by_state``: cases by provider's state, None in it:
    suppressed; None where states are not published. ``begun_outside_share``: of the placements begun in the period.
    ``distance_km`` (mean) and ``own_area_share``: by origin, for the own office. ``change_cases``, ``change_pp``
    (percentage points, with Newcombe's interval; ``change_secured``: it leaves out 0): against the comparison
    period. ``suppressed``: something here is None to protect small counts; ``suppressed_fields``: which fields are,
    but for the states in ``by_state``.
    """

    area_level: str
    area_key: str
    area_name: str | None
    period: str
    paragraph: str
    area_role: str
    counting: str
    cases: int | None
    outside_cases: int | None
    unknown_cases: int | None
    outside_share: float | None
    ci_low: float | None
    ci_high: float | None
    per_1000: float | None
    by_state: Mapping[str, int | None] | None
    begun_outside_share: float | None
    distance_km: float | None
    own_area_share: float | None
    change_cases: int | None
    change_pp: float | None
    change_ci_low: float | None
    change_ci_high: float | None
    change_secured: bool | None
    suppressed: bool
    suppressed_fields: tuple[str, ...]
    note: str | None
    geometry: str | None


# One line per area, period and counting: its categories as JSON, null where suppressed.
_COUNTS = """
SELECT area_key, period, counting, json_object_agg(category, value) AS categories, bool_or(whole) AS whole
FROM placement_visible
WHERE level = :level AND area_role = :role AND paragraph = :paragraph AND counting = ANY (:countings)
  AND period = ANY (:periods)
GROUP BY area_key, period, counting
"""

# Where counts are visible only inside the viewer's own areas, no others are listed: they are not missing.
_AREAS = """
WITH RECURSIVE inside(level, key) AS (
    SELECT CAST(:area_level AS text), CAST(:area_key AS text)
    UNION
    SELECT a.level, a.key FROM area_visible a JOIN inside i ON a.parent_level = i.level AND a.parent_key = i.key
)
SELECT a.key, a.name, {own_geometry} AS geometry FROM area_visible a
WHERE a.level = :level
  AND (:published OR srk_viewer_role() = 'admin' OR (a.level, a.key) IN (SELECT level, key FROM own_area))
  AND (CAST(:area_key AS text) IS NULL OR (a.level, a.key) IN (SELECT level, key FROM inside))
UNION ALL
SELECT m.key, m.name, {joint_geometry} AS geometry FROM merged_area_visible m
WHERE m.level = :level AND m.key = ANY (:counted)
  AND (CAST(:area_key AS text) IS NULL OR NOT EXISTS (
       SELECT FROM unnest(m.members) AS member(key) WHERE (:level, member.key) NOT IN (SELECT level, key FROM inside)))
"""
_OWN_GEOMETRY = "ST_AsBinary(a.geom)"
_JOINT_GEOMETRY = """
(SELECT ST_AsBinary(ST_Multi(ST_Union(part.geom))) FROM area_visible part
 WHERE part.level = m.level AND part.key = ANY (m.members))
"""


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read: counts by (area, period, counting), areas (key, name, WKB) in order, and what goes with them."""

    counts: Mapping[tuple[str, str, str], Counts]
    areas: Sequence[tuple[str, str | None, bytes | None]]
    near: Mapping[tuple[str, str], tuple[float | None, float | None]]
    residents: Residents | None


def placements(session: Session, request: PlacementsRequest) -> Answer[PlacementRow]:
    """Return placements per area and period, ordered by area key (``ohne`` last), then period.

    An area for which nothing was delivered is a row of its own, all None. Raises ``ParameterError`` for what does not
    exist or does not fit, ``ConflictError`` for a home state other than that of the stored placements.
    """
    asked = filled(session, request)
    found = _read(session, asked)
    listed = [(area, sheet) for area in found.areas for sheet in asked.sheets]
    begin = 0
    if request.after is not None:
        key, period = request.after
        places = {(area[0], sheet.period): number for number, (area, sheet) in enumerate(listed)}
        begin = places.get((key, period), len(listed) - 1) + 1
    page = listed[begin:] if request.limit is None else listed[begin : begin + request.limit]
    geometries = area_geojson([area[2] for area, _sheet in page]) if request.geometry else [None] * len(page)
    made = [
        _row(asked, found, area, sheet, geometry)
        for (area, sheet), geometry in zip(page, geometries, strict=True)
    ]  # fmt: skip
    rows = [row for row, _unsecured in made]
    meta = footnotes(
        session,
        title=notes.title(asked),
        method=notes.method(asked),
        unit="Fälle",
        version=request.version,
        sources=_sources(session, asked, found.residents),
        missing=sum(row.cases is None for row in rows),
        warnings=list(
            notes.warnings(
                asked,
                sum(unsecured for _row, unsecured in made),
                len(rows),
                found.residents,
                suppressed=any(row.suppressed for row in rows),
                missing_residents=_without_residents(found, rows),
            )
        ),
    )
    if page and begin + len(page) < len(listed):
        meta.next = "\n".join((rows[-1].area_key, rows[-1].period))
    return Answer(meta, rows)


def _read(session: Session, asked: Asked) -> _Found:
    request = asked.request
    counted = session.execute(
        text(_COUNTS),
        {
            "level": request.level,
            "role": asked.area_role,
            "paragraph": request.paragraph,
            "countings": sorted({request.counting, _BEGUN}),
            "periods": sorted({one.period for one in asked.used}),
        },
    ).all()
    by_state = asked.area_role == "zustaendig"
    counts = {
        (row.area_key, row.period, row.counting): counts_of(
            row.categories, asked.rule.home_state, states=by_state or row.whole
        )
        for row in counted
    }
    near: dict[tuple[str, str], tuple[float | None, float | None]] = {}
    residents = None
    if asked.area_role == "herkunft":
        near = _near(session, asked)
        residents = residents_under_21(session, request.level, asked.level.areas, asked.sheets[-1].ends)
    keys = {key for key, _period, counting in counts if counting == request.counting}
    return _Found(counts, _areas(session, asked, keys), near, residents)


def _near(session: Session, asked: Asked) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    request = asked.request
    found = session.execute(
        text("""
            SELECT area_key, period, distance_km, own_area_share FROM placement_near_visible
            WHERE level = :level AND paragraph = :paragraph AND counting = :counting AND period = ANY (:periods)
        """),
        {
            "level": request.level,
            "paragraph": request.paragraph,
            "counting": request.counting,
            "periods": [one.period for one in asked.sheets],
        },
    )
    return {(row.area_key, row.period): (row.distance_km, row.own_area_share) for row in found}


def _areas(session: Session, asked: Asked, counted: set[str]) -> list[tuple[str, str | None, bytes | None]]:
    request = asked.request
    shown = (_OWN_GEOMETRY, _JOINT_GEOMETRY) if request.geometry else ("CAST(NULL AS bytea)",) * 2
    found = session.execute(
        text(_AREAS.format(own_geometry=shown[0], joint_geometry=shown[1])),
        {
            "level": request.level,
            "area_level": request.area[0] if request.area else None,
            "area_key": request.area[1] if request.area else None,
            "published": any(one.published for one in asked.sheets),
            "counted": sorted(counted),
        },
    )
    areas: dict[str, tuple[str, str | None, bytes | None]] = {
        row.key: (row.key, row.name, row.geometry) for row in found
    }
    if WITHOUT_AREA in counted and request.area in {None, (request.level, WITHOUT_AREA)}:
        areas[WITHOUT_AREA] = (WITHOUT_AREA, "ohne räumliche Zuordnung", None)
    if request.area is None:
        # An area that no current version has any more keeps its counts, without name and map.
        areas |= {key: (key, None, None) for key in counted - areas.keys()}
    return sorted(areas.values(), key=lambda area: (area[0] == WITHOUT_AREA, area[0]))


def _row(
    asked: Asked, found: _Found, area: tuple[str, str | None, Any], sheet: SheetInfo, geometry: str | None
) -> tuple[PlacementRow, bool]:
    """Return a row, and whether its change is not secured."""
    key, name, _wkb = area
    counting = asked.request.counting
    counts = found.counts.get((key, sheet.period, counting))
    begun = found.counts.get((key, sheet.period, _BEGUN))
    compared = asked.compare is not None and asked.compare.period != sheet.period
    before = found.counts.get((key, asked.compare.period, counting)) if asked.compare and compared else None
    change = change_between(before, counts) if counts is not None and compared else Change()
    interval = counts.interval() if counts is not None else None
    distance, own = found.near.get((key, sheet.period), (None, None))
    row = PlacementRow(
        area_level=asked.request.level,
        area_key=key,
        area_name=name,
        period=sheet.period,
        paragraph=asked.request.paragraph,
        area_role=asked.area_role,
        counting=counting,
        cases=counts.cases if counts else None,
        outside_cases=counts.outside if counts else None,
        unknown_cases=counts.unknown if counts else None,
        outside_share=counts.share() if counts else None,
        ci_low=interval.low if interval else None,
        ci_high=interval.high if interval else None,
        per_1000=_per_1000(counts, key, found.residents),
        by_state=counts.by_state if counts else None,
        begun_outside_share=begun.share() if begun else None,
        distance_km=distance,
        own_area_share=own,
        change_cases=change.cases,
        change_pp=change.pp,
        change_ci_low=change.low,
        change_ci_high=change.high,
        change_secured=change.secured,
        suppressed=any(one is not None and one.suppressed for one in (counts, begun, before)),
        suppressed_fields=suppressed_fields(counts, before, begun, with_residents=_young(key, found.residents) > 0),
        note=" ".join(notes.of_row(asked, counts, before, change, compared=compared)) or None,
        geometry=geometry,
    )
    return row, change.unsecured


def _per_1000(counts: Counts | None, key: str, residents: Residents | None) -> float | None:
    young = _young(key, residents)
    if counts is None or counts.cases is None or not young:
        return None
    return _PER * counts.cases / young


def _young(key: str, residents: Residents | None) -> float:
    """Return an area's residents under 21; 0 where they are not known."""
    return residents.values.get(key, 0.0) if residents else 0.0


def _without_residents(found: _Found, rows: Sequence[PlacementRow]) -> list[str]:
    if found.residents is None:
        return []
    values = found.residents.values
    lacking = {
        row.area_key: row.area_name or row.area_key
        for row in rows
        if row.cases is not None and row.area_key != WITHOUT_AREA and not values.get(row.area_key)
    }
    return list(lacking.values())


def _sources(session: Session, asked: Asked, residents: Residents | None) -> list[Source]:
    names = {name for sheet in asked.used for name in sheet.datasets}
    found = read_sources(session, "placements", names)
    if residents is not None:
        found += read_sources(session, "statistics", set(residents.datasets))
    return found + area_sources(session, asked.request.level)
