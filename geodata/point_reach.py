"""The question "what can be reached from here": places, residents by age, and the area itself.

Ways lead from the point outward (one-way streets count for bicycles in that direction); what ``geodata.coverage`` says
of a cell, that is of the people who live there, holds for a point in the same place on foot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.ages import Ages
from geodata.answer import WITHOUT_RELEASE, Meta, Source, footnotes, read_sources
from geodata.categories import TITLES
from geodata.coverage.notes import pace_in_words
from geodata.coverage.people import People, people_of
from geodata.coverage.places import overlap_clause
from geodata.coverage.request import MODES, Mode, Pace, require_ages, require_minutes, without_network
from geodata.errors import ParameterError
from geodata.facilities import Clause, FacilitiesRequest, offer_clauses, place_clauses
from geodata.geometry import lonlat
from geodata.point_view import View, in_words, view_from
from geodata.rounding import cleaned
from geodata.viewer import Version

_USUAL_PACE = Pace()


@dataclass(frozen=True, slots=True)
class PointReachRequest:
    """What is reached from a point (CRS84) within ``minutes`` (inclusive, 1 to 120).

    ``on``: the day on which offers must be valid. ``mode`` None: walking where a network is loaded, else the straight
    line. Places need one offer that fits all filters; ages are ``age_from`` inclusive to ``age_to`` exclusive (None:
    open). The residents are of all ages. ``limit`` None: all places; ``after`` is ``meta.next`` of the page before.
    """

    lon: float
    lat: float
    on: date
    minutes: int = 15
    mode: Mode | None = None
    categories: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    age_from: int = 0
    age_to: int | None = None
    barrier_free: tuple[str, ...] = ()
    pace: Pace = _USUAL_PACE
    limit: int | None = None
    after: str | None = None
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class PointReachRow:
    """A place that is reached, with the way to it in metres and minutes; ``lon``/``lat`` in CRS84.

    ``categories`` are those of the offers that fit, in the order of the alphabet.
    """

    dataset: str
    facility_id: str
    name: str
    provider: str | None
    street: str | None
    house_number: str | None
    postcode: str | None
    city: str | None
    barrier_free: str | None
    categories: list[str]
    lon: float
    lat: float
    minutes: float
    metres: float


@dataclass(frozen=True, slots=True)
class ReachedResidents:
    """Residents of an age who are reached; ``age_from`` inclusive to ``age_to`` exclusive (None: open)."""

    age_from: int
    age_to: int | None
    residents: float


@dataclass(slots=True)
class PointReachAnswer:
    """Places by their way, nearest first (among equals by dataset and id), and what else is reached.

    ``residents``: per band of age of the population surface, youngest first; ``residents_total`` is their sum. Empty
    and None: no residents are loaded. ``polygon``: the area reached, as GeoJSON geometry in CRS84. ``mode``: how
    people go.
    """

    meta: Meta
    rows: list[PointReachRow]
    residents: list[ReachedResidents]
    residents_total: float | None
    polygon: str
    mode: Mode


def point_reach(session: Session, request: PointReachRequest) -> PointReachAnswer:
    """Return the places and residents within reach of a point, and the area reached.

    Places whose point the viewer may not see take no part. Raises ``ParameterError`` for values out of bounds, ages
    reversed, a point more than 5 km outside of all areas or more than 1 km from the network, and an unknown category
    or mode; ``ConflictError`` where the network asked for is not loaded.
    """
    _require_fitting(request)
    view = view_from(session, request.lon, request.lat, request.minutes, request.mode, request.pace)
    per_minute = request.pace.metres_per_minute(view.mode)
    of_offer, of_place = _clauses(request)
    rows, ageless = _places(session, view, of_offer, of_place, per_minute)
    page, following = _page(rows, request)
    people = people_of(session)
    residents, total = _residents(session, view, people)
    polygon, area_in_words = view.area()
    meta = footnotes(
        session,
        title=_title(request),
        method=_method(request, view, [*of_offer, *of_place], area_in_words),
        unit="Minuten",
        version=request.version,
        sources=_sources(session, rows, people, view.mode),
        missing=0,
        warnings=[
            *_warnings(request, view, people, ageless),
            *_without_point(session, of_offer, of_place),
            *(people.notes if people is not None else ()),
        ],
    )
    meta.next = following
    return PointReachAnswer(meta, page, residents, total, polygon, view.mode)


def _require_fitting(request: PointReachRequest) -> None:
    require_minutes(request.minutes)
    require_ages(request.age_from, request.age_to)
    if request.mode is not None and request.mode not in MODES:
        raise ParameterError(
            "mode", f"„mode“ kennt den Wert „{request.mode[:60]}“ nicht. Möglich sind: {', '.join(MODES)}.", MODES
        )


def _clauses(request: PointReachRequest) -> tuple[list[Clause], list[Clause]]:
    chosen = FacilitiesRequest(
        on=request.on, categories=request.categories, types=request.types, barrier_free=request.barrier_free
    )
    ages = Ages(request.age_from, request.age_to)
    return [*offer_clauses(chosen), overlap_clause(ages)], list(place_clauses(chosen))


_PLACES = """
SELECT ST_X(g.geom), ST_Y(g.geom), coalesce(s.node, -1), coalesce(s.distance_m, 'NaN'), f.categories, f.ageless,
       p.dataset, p.facility_id, p.name, p.provider, p.street, p.house_number, p.postcode, p.city, p.barrier_free
FROM place_point_visible g
JOIN place_visible p ON p.import_id = g.import_id AND p.facility_id = g.facility_id
LEFT JOIN facility_snap_visible s ON s.import_id = g.import_id AND s.facility_id = g.facility_id AND s.mode = :mode
JOIN LATERAL (
    SELECT array_agg(DISTINCT o.category) AS categories, count(*) FILTER (WHERE o.age_from IS NULL) AS ageless
    FROM offer_visible o
    WHERE o.import_id = g.import_id AND o.facility_id = g.facility_id AND {offers}
) f ON f.categories IS NOT NULL
WHERE g.geom && ST_MakeEnvelope(:west, :south, :east, :north, 25832) AND {places}
"""


def _places(
    session: Session, view: View, of_offer: Sequence[Clause], of_place: Sequence[Clause], per_minute: float
) -> tuple[list[PointReachRow], int]:
    """Return the places that are reached, in order, and how many of their offers name no ages."""
    box = view.envelope()
    if box is None:
        return [], 0
    sql, values = _filled(_PLACES, of_offer, of_place)
    values |= {"mode": view.mode, **dict(zip(("west", "south", "east", "north"), box, strict=True))}
    found = session.execute(text(sql), values).all()
    table = np.array([tuple(row[:4]) for row in found], dtype=np.float64).reshape(-1, 4)
    metres = view.metres(table[:, :2], table[:, 2].astype(np.int64), table[:, 3])
    reached = [i for i in range(len(found)) if metres[i] <= view.limit_m]
    reached.sort(key=lambda i: (metres[i], found[i].dataset, found[i].facility_id))
    degrees = lonlat(table[reached, :2]).tolist()
    rows = []
    for i, point, way in zip(reached, degrees, metres[reached].tolist(), strict=True):
        values_of_row: list[Any] = [*found[i][6:], sorted(found[i].categories), *point, way / per_minute, way]
        rows.append(PointReachRow(*values_of_row))
    return rows, sum(found[i].ageless for i in reached)


def _filled(sql: str, of_offer: Sequence[Clause], of_place: Sequence[Clause]) -> tuple[str, dict[str, Any]]:
    """Return a statement with its conditions, and the values of these."""
    values: dict[str, Any] = {}
    for clause in (*of_offer, *of_place):
        values |= clause.values
    offers = " AND ".join(clause.sql for clause in of_offer)
    places = " AND ".join(clause.sql for clause in of_place) or "true"
    return sql.format(offers=offers, places=places), values


def _page(rows: list[PointReachRow], request: PointReachRequest) -> tuple[list[PointReachRow], str | None]:
    """Return the rows of the page asked for, and what the next one comes after."""
    keys = [f"{row.dataset}\n{row.facility_id}" for row in rows]
    if request.after is not None and request.after not in keys:
        raise ParameterError("cursor", "Diese Seite gibt es nicht mehr; bitte von vorn beginnen.")
    begin = 0 if request.after is None else keys.index(request.after) + 1
    end = len(rows) if request.limit is None else begin + request.limit
    page = rows[begin:end]
    return page, keys[end - 1] if page and end < len(rows) else None


def _residents(session: Session, view: View, people: People | None) -> tuple[list[ReachedResidents], float | None]:
    if people is None:
        return [], None
    node, to_node = (np.empty(0, np.int64), np.empty(0)) if view.mode == "line" else people.snaps(session, view.mode)
    within = view.metres(people.xy, node, to_node) <= view.limit_m
    sums = people.people[within].sum(axis=0)
    rows = [
        ReachedResidents(band.age_from, band.age_to, residents)
        for band, residents in zip(people.bands, cleaned(sums).tolist(), strict=True)
    ]
    return rows, float(cleaned(np.array([sums.sum()]))[0])


_WITHOUT_POINT = """
SELECT count(*) FROM place_visible p
WHERE p.point IS NULL AND {places}
  AND EXISTS (SELECT FROM offer_visible o
              WHERE o.import_id = p.import_id AND o.facility_id = p.facility_id AND {offers})
"""


def _without_point(session: Session, of_offer: Sequence[Clause], of_place: Sequence[Clause]) -> Iterator[str]:
    """Yield how many places take no part because their point is not known, or not shown to this viewer."""
    sql, values = _filled(_WITHOUT_POINT, of_offer, of_place)
    hidden: int = session.execute(text(sql), values).scalar_one()
    if hidden:
        yield (
            f"{words.counted(hidden, 'Eine Einrichtung', 'Einrichtungen')} ohne gezeigten Standort "
            f"{'ist' if hidden == 1 else 'sind'} nicht enthalten, wo immer sie {'liegt' if hidden == 1 else 'liegen'}."
        )


def _warnings(request: PointReachRequest, view: View, people: People | None, ageless: int) -> Iterator[str]:
    yield WITHOUT_RELEASE
    if view.mode == "line" and request.mode is None:
        yield without_network(request.pace)
    if view.cut_off:
        yield "Der nächste Weg gehört zu einem Teil des Wegenetzes, der mit dem größten nicht verbunden ist."
    if ageless and (request.age_from or request.age_to is not None):
        yield (
            f"{words.counted(ageless, 'Ein Angebot', 'Angebote')} ohne Altersangabe („Alter nicht angegeben“): für "
            "das gefragte Alter gezählt."
        )
    if people is None:
        yield "Es sind keine Einwohnerzahlen geladen; wie viele Menschen in Reichweite wohnen, fehlt deshalb."


def _title(request: PointReachRequest) -> str:
    within = f"In {words.counted(request.minutes, 'einer Minute', 'Minuten')} von einem Punkt aus erreichbar"
    return " · ".join(filter(None, (within, words.listed([TITLES[category] for category in request.categories]))))


def _method(request: PointReachRequest, view: View, clauses: Sequence[Clause], area: str) -> str:
    which = "; ".join(clause.sentence for clause in clauses if clause.sentence)
    snapped = "" if view.mode == "line" else ", das Stück bis zum Weg eingerechnet"
    return (
        f"Einrichtungen mit einem passenden Angebot ({which}) und Einwohner nach ihrem Wohnpunkt, zu denen der Weg "
        f"vom Punkt ({in_words(request.lon, request.lat)}) aus "
        f"höchstens {words.counted(request.minutes, 'eine Minute', 'Minuten')} dauert; "
        f"{pace_in_words(request.pace, view.mode)}{snapped}; {area}."
    )


def _sources(session: Session, rows: Sequence[PointReachRow], people: People | None, mode: Mode) -> list[Source]:
    made = read_sources(session, "facilities", {row.dataset for row in rows} or None)
    if people is not None:
        made += read_sources(session, "statistics", {people.dataset} if people.dataset else set())
        if people.basis == "grid":
            made += read_sources(session, "population")
    return made if mode == "line" else [*made, *read_sources(session, "network")]
