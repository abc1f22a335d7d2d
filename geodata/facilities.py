"""Places and what they offer: the one question behind map, list and export.

A place is found when at least one of its offers fits all filters; only those offers are listed with it.
Each filter yields its SQL and its plain German sentence together, so that the footnote cannot disagree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session
from typing_extensions import TypedDict  # pydantic reads it before Python 3.12

from geodata.answer import WITHOUT_RELEASE, Answer, footnotes, read_sources
from geodata.areas import VALID_ON, require_level
from geodata.categories import TITLES
from geodata.errors import ParameterError
from geodata.geometry import lonlat
from geodata.tables import BARRIER_FREE, CATEGORIES
from geodata.viewer import Version

_BARRIER_FREE_WORDS = {"yes": "barrierefrei", "partly": "teilweise barrierefrei", "no": "nicht barrierefrei"}


class OfferRow(TypedDict):
    """One Angebot. Ages: ``age_from`` inclusive to ``age_to`` exclusive, None = open or not given."""

    id: str
    name: str
    category: str
    type: str | None
    paragraphs: list[str]
    age_from: int | None
    age_to: int | None
    supply: float | None
    supply_unit: str | None
    use: float | None
    use_unit: str | None
    service_area: str | None
    opening_hours: str | None
    release: str
    valid_from: str | None
    valid_to: str | None
    as_of: str | None


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One place with its matching offers.

    ``lon``/``lat`` (CRS84), address and contact are None where the viewer may only know the area, and where
    they are not known. ``categories`` are those of the listed offers. ``area_*`` is the area of the release level
    the place lies in, None outside of all.
    """

    dataset: str
    facility_id: str
    name: str
    provider: str | None
    provider_key: str | None
    street: str | None
    house_number: str | None
    postcode: str | None
    city: str | None
    state: str | None
    barrier_free: str | None
    phone: str | None
    email: str | None
    website: str | None
    area_level: str | None
    area_key: str | None
    area_name: str | None
    lon: float | None
    lat: float | None
    offers: list[OfferRow]
    categories: list[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "categories", sorted({offer["category"] for offer in self.offers}))


@dataclass(frozen=True, slots=True)
class FacilitiesRequest:
    """Filters; all that are given must hold. ``on`` is the day on which offers must be valid.

    ``age`` in full years. ``bbox`` is (west, south, east, north) in CRS84. ``area`` is (level, key), where the
    key ``ohne`` means places in no area of that level. ``q`` is looked for in names, types, provider and address,
    in one spelling (``St.Pauli`` is ``Sankt Pauli``, ``Hauptstr.`` is ``Hauptstraße``).
    ``after`` is the (dataset, facility_id) of the page before.
    """

    on: date
    categories: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    age: int | None = None
    barrier_free: tuple[str, ...] = ()
    area: tuple[str, str] | None = None
    bbox: tuple[float, float, float, float] | None = None
    q: str | None = None
    dataset: str | None = None
    facility_id: str | None = None
    limit: int = 1000
    after: tuple[str, str] | None = None
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition as SQL with its values, and the same in words ("" where it need not be said)."""

    sql: str
    values: dict[str, Any]
    sentence: str


def offer_clauses(request: FacilitiesRequest) -> Iterator[Clause]:
    """Yield the conditions on an offer ``o``."""
    yield Clause(VALID_ON, {"on": request.on}, f"gültig am {request.on:%d.%m.%Y}")
    if request.categories:
        unknown = [c for c in request.categories if c not in CATEGORIES]
        if unknown:
            raise ParameterError(
                "category",
                f"Die Kategorie „{unknown[0]}“ gibt es nicht. Möglich sind: {', '.join(CATEGORIES)}.",
                CATEGORIES,
            )
        titles = " oder ".join(TITLES[c] for c in request.categories)
        yield Clause("o.category = ANY (:categories)", {"categories": list(request.categories)}, f"Kategorie {titles}")
    if request.types:
        yield Clause("o.type = ANY (:types)", {"types": list(request.types)}, f"Art {' oder '.join(request.types)}")
    if request.age is not None:
        yield Clause(
            "(o.age_from IS NULL OR o.age_from <= :age) AND (o.age_to IS NULL OR o.age_to > :age)",
            {"age": request.age},
            f"{_age_in_words(request.age)} (Angebote ohne Altersangabe eingeschlossen)",
        )


def _age_in_words(age: int) -> str:
    if not age:
        return "im Alter unter 1 Jahr"
    return f"im Alter von {age} {'Jahr' if age == 1 else 'Jahren'}"


def place_clauses(request: FacilitiesRequest, area_words: str = "") -> Iterator[Clause]:
    """Yield the conditions on a place ``p``; ``area_words``: what the area asked for is called."""
    if request.barrier_free:
        if not set(request.barrier_free) <= set(BARRIER_FREE):
            raise ParameterError(
                "barrier_free", f"barrier_free kennt nur die Werte {', '.join(BARRIER_FREE)}.", BARRIER_FREE
            )
        words = " oder ".join(_BARRIER_FREE_WORDS[value] for value in request.barrier_free)
        yield Clause("p.barrier_free = ANY (:barrier_free)", {"barrier_free": list(request.barrier_free)}, words)
    if request.area is not None:
        level, key = request.area
        found = "SELECT FROM facility_area_visible f WHERE f.import_id = p.import_id AND f.facility_id = p.facility_id"
        if key == "ohne":
            sql = f"NOT EXISTS ({found} AND f.level = :level)"
        else:
            sql = f"EXISTS ({found} AND f.level = :level AND f.area_key = :area_key)"
        yield Clause(sql, {"level": level, "area_key": key}, area_words)
    if request.bbox is not None:
        west, south, east, north = request.bbox
        # The edges of a box in degrees are curves in metres: cut into pieces, with 100 m to spare, and kept to where
        # the projection is defined, the index finds every candidate; the second condition is the exact one.
        yield Clause(
            """(p.import_id, p.facility_id) IN (
                   SELECT g.import_id, g.facility_id FROM place_point_visible g
                   WHERE g.geom && ST_Expand(ST_Transform(ST_Segmentize(ST_MakeEnvelope(
                             greatest(:west, -40), greatest(:south, 0), least(:east, 60), least(:north, 84), 4326),
                             0.25), 25832), 100)
                     AND ST_Intersects(ST_Transform(g.geom, 4326),
                                       ST_MakeEnvelope(:west, :south, :east, :north, 4326)))""",
            {"west": west, "south": south, "east": east, "north": north},
            f"im Ausschnitt {west}, {south}, {east}, {north}",
        )
    if request.dataset is not None:
        yield Clause("p.dataset = :dataset", {"dataset": request.dataset}, f"aus dem Bestand {request.dataset}")
    if request.facility_id is not None:
        yield Clause("p.facility_id = :facility_id", {"facility_id": request.facility_id}, "")
    if request.q:
        # Words of letters and digits only, which may stand apart or together: nothing else in it is a pattern. As
        # typed, for "St" may be the beginning of a word, and with abbreviations spelt out. Signs alone find nothing.
        yield Clause(
            # IS TRUE: looked up in a table of its own, whatever the database expects to find.
            f"""((p.import_id, p.facility_id) IN (
                   SELECT o.import_id, o.facility_id FROM place_text_visible o
                   WHERE srk_plain(:q) <> '' AND {VALID_ON}
                     AND (o.spelt ~ replace(srk_plain(:q), ' ', ' ?')
                          OR o.spelt ~ replace(srk_spelt(:q), ' ', ' ?')))) IS TRUE""",
            {"q": request.q, "on": request.on},
            f"Suche nach „{request.q}“",
        )
    if request.after is not None:
        yield Clause(
            "(p.dataset, p.facility_id) > (:after_dataset, :after_id)",
            {"after_dataset": request.after[0], "after_id": request.after[1]},
            "",
        )


def statement(request: FacilitiesRequest, area_words: str = "") -> tuple[str, dict[str, Any], str]:
    """Return the SQL of a request, its values, and the filters in words. Pure: needs no database.

    One row per place; ``limit`` + 1 rows are asked for, so that the next page is known without a count.
    """
    of_offer, of_place = list(offer_clauses(request)), list(place_clauses(request, area_words))
    values: dict[str, Any] = {"limit": request.limit + 1}
    for clause in (*of_offer, *of_place):
        values |= clause.values
    places = " AND ".join(clause.sql for clause in of_place) or "true"
    offers = " AND ".join(clause.sql for clause in of_offer)
    words = "; ".join(clause.sentence for clause in (*of_offer, *of_place) if clause.sentence)
    sql = f"""
        SELECT p.dataset, p.facility_id, p.name, p.provider, p.provider_key, p.street, p.house_number, p.postcode,
               p.city, p.state, p.barrier_free, p.phone, p.email, p.website, p.area_key,
               ST_X(p.point) AS x, ST_Y(p.point) AS y, f.offers
        FROM place_visible p
        JOIN LATERAL (
            SELECT json_agg(json_build_object(
                'id', o.offer_id, 'name', o.name, 'category', o.category, 'type', o.type,
                'paragraphs', o.paragraphs, 'age_from', o.age_from, 'age_to', o.age_to, 'supply', o.supply,
                'supply_unit', o.supply_unit, 'use', o.use, 'use_unit', o.use_unit, 'service_area', o.service_area,
                'opening_hours', o.opening_hours, 'release', o.release, 'valid_from', o.valid_from,
                'valid_to', o.valid_to, 'as_of', o.as_of) ORDER BY o.offer_id) AS offers
            FROM offer_visible o
            WHERE o.import_id = p.import_id AND o.facility_id = p.facility_id AND {offers}
        ) f ON f.offers IS NOT NULL
        WHERE {places}
        ORDER BY p.dataset, p.facility_id
        LIMIT :limit
    """
    return sql, values, words


def facilities(session: Session, request: FacilitiesRequest) -> Answer[PlaceRow]:
    """Return the places that fit, ordered by dataset and id, each with its matching offers.

    Raises ``ParameterError`` for an unknown category, level or barrier_free value.
    """
    sql, values, words = statement(request, _area_in_words(session, request.area) if request.area else "")
    found = session.execute(text(sql), values).all()
    rows = _places(session, found[: request.limit])
    without_ages = sum(offer["age_from"] is None for row in rows for offer in row.offers)
    warnings = [WITHOUT_RELEASE]
    if without_ages:
        warnings.append(f"{without_ages} Angebote ohne Altersangabe („Alter nicht angegeben“).")
    without_point = sum(row.lon is None for row in rows)
    if without_point:
        warnings.append(f"{without_point} Einrichtungen ohne gezeigten Standort.")
    meta = footnotes(
        session,
        title="Einrichtungen und Angebote",
        method=f"Einrichtungen mit mindestens einem passenden Angebot: {words}.",
        unit="Einrichtungen",
        version=request.version,
        sources=read_sources(session, "facilities", {row.dataset for row in rows} if rows else None),
        missing=without_point,
        warnings=warnings,
    )
    if len(found) > request.limit:
        meta.next = f"{rows[-1].dataset}\n{rows[-1].facility_id}"
    return Answer(meta, rows)


def _area_in_words(session: Session, area: tuple[str, str]) -> str:
    """Return what an area is called; raise ``ParameterError`` for an unknown level."""
    level, key = area
    title = require_level(session, level, "area").title
    if key == "ohne":
        return f"in keinem Gebiet der Ebene {title}"
    name = session.execute(
        text("SELECT name FROM area_visible WHERE level = :level AND key = :key"), {"level": level, "key": key}
    ).scalar()
    return f"im Gebiet {name} ({title})" if name else f"im Gebiet {key} ({title}), das es nicht gibt"


def _places(session: Session, found: Sequence[Any]) -> list[PlaceRow]:
    """Return database rows as places: points in degrees, areas with their names.

    Both are done here for all rows at once: row by row in SQL they would cost more than all the rest.
    """
    if not found:
        return []
    named = session.execute(
        text("SELECT a.level, a.key, a.name FROM area_visible a WHERE a.level = srk_release_level()")
    ).all()
    level = named[0].level if named else None
    names = {row.key: row.name for row in named}
    # By position: asking a row for a column by name costs ten times as much.
    metres = np.array([row[-3:-1] for row in found], dtype=float)
    known = (~np.isnan(metres[:, 0])).tolist()
    places = []
    for row, point, there in zip(found, lonlat(metres).tolist(), known, strict=True):
        *place, key, _x, _y, offers = row
        area = (level if key else None, key, names.get(key))
        values: list[Any] = [*place, *area, *(point if there else (None, None)), offers]
        places.append(PlaceRow(*values))
    return places


@dataclass(frozen=True, slots=True)
class TypeCount:
    """Fitting places with an offer of this type in this category."""

    category: str
    type: str
    places: int


@dataclass(frozen=True, slots=True)
class PlaceCounts:
    """Visible places: all there are, those that fit a request, and what would fit if one choice were another.

    ``by_category``: of each category if all else stayed asked for; ``by_type`` likewise (a place of two counts in
    both). Categories in the order of the field's table, types in that of their categories and then by name; those
    that nobody has are left out.
    """

    places: int
    fitting: int
    by_category: dict[str, int]
    by_type: list[TypeCount]


def place_counts(session: Session, request: FacilitiesRequest) -> PlaceCounts:
    """Count the places that have a visible offer on a day, whether their point is shown or not.

    The same rules as the browser's (``srk-places.js``): one offer must fit category, type and age together.
    """
    of_place = list(place_clauses(request))
    of_offer = [clause for clause in offer_clauses(replace(request, categories=(), types=())) if clause.sql != VALID_ON]
    values: dict[str, Any] = {"on": request.on, "categories": list(request.categories), "types": list(request.types)}
    for clause in (*of_place, *of_offer):
        values |= clause.values
    fits = " AND ".join(f"({clause.sql})" for clause in of_offer) or "true"
    narrowed = ""
    if of_place:
        # Asked of each place once; a condition would be asked of each offer.
        fits += " AND n.facility_id IS NOT NULL"
        inside = f"SELECT p.import_id, p.facility_id FROM place_visible p WHERE {' AND '.join(c.sql for c in of_place)}"
        narrowed = f"LEFT JOIN ({inside}) n ON n.import_id = o.import_id AND n.facility_id = o.facility_id"
    of_category = "o.category = ANY (:categories)" if request.categories else "true"
    of_type = "coalesce(o.type = ANY (:types), false)" if request.types else "true"
    found = session.execute(
        text(f"""
            SELECT category, type, grouping(category, type) AS kind,
                   count(DISTINCT place) AS places,
                   count(DISTINCT place) FILTER (WHERE fits AND of_type) AS of_category,
                   count(DISTINCT place) FILTER (WHERE fits AND of_category) AS of_type,
                   count(DISTINCT place) FILTER (WHERE fits AND of_category AND of_type) AS fitting
            FROM (
                SELECT o.category, o.type, (o.import_id, o.facility_id) AS place, {fits} AS fits,
                       {of_category} AS of_category, {of_type} AS of_type
                FROM offer_visible o
                JOIN place_visible v ON v.import_id = o.import_id AND v.facility_id = o.facility_id
                {narrowed}
                WHERE {VALID_ON}) told
            GROUP BY GROUPING SETS ((category, type), (category), ())
        """),
        values,
    ).all()
    of_type_kind, of_category_kind, of_all = 0, 1, 3
    counts = {row.category: row.of_category for row in found if row.kind == of_category_kind}
    types = [
        TypeCount(row.category, row.type, row.of_type)
        for row in found
        if row.kind == of_type_kind and row.type is not None
    ]
    places, fitting = next(((row.places, row.fitting) for row in found if row.kind == of_all), (0, 0))
    return PlaceCounts(
        places,
        fitting,
        {c: counts[c] for c in CATEGORIES if c in counts},
        sorted(types, key=lambda one: (CATEGORIES.index(one.category), one.type)),
    )
