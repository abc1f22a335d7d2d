"""Search by a few letters: addresses and streets, areas, places. Small answers, nothing about people.

A text is compared in one spelling (``spelling``): "St.Pauli", "st pauli" and "Große Bergstr. 12" are found as they
are meant. Addresses come from the local list; without one the places' own addresses still match.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.answer import WITHOUT_RELEASE, Answer, footnotes, read_sources
from geodata.areas import VALID_ON
from geodata.errors import ParameterError
from geodata.facilities import FacilitiesRequest, place_clauses
from geodata.geometry import lonlat
from geodata.spelling import normalised, number_plain, street_plain

Kind: TypeAlias = Literal["area", "street", "address", "place"]
MIN_CHARS = 2
_MIN_STREET_CHARS = 3  # fewer letters would look at every street
_LEADING_POSTCODE = re.compile(r"\d{5}[\s,]+(?=\S)")
# A postcode with what follows it, or what follows the last comma: the city.
_CITY = re.compile(r"[\s,]+\d{5}(?!\d)[^\d]*|\s*,[^\d,]*")
_NUMBER = re.compile(r"(?<!\d)\d{1,4}(?!\d)")
_NUMBER_AND_CITY = re.compile(
    r"(?P<number>\d{1,4}(?:\s*[a-z](?!\w))?(?:\s*[-–/+]\s*\d{1,4}(?:\s*[a-z](?!\w))?)?)"
    r"(?:[\s,]+(?P<postcode>\d{5})(?!\d))?(?:[\s,]+(?P<city>[^\d]+))?",
    re.IGNORECASE,
)
_MOST_READINGS = 4
_ORDER: tuple[Kind, ...] = ("area", "street", "address", "place")


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What is looked for: ``q`` as typed. ``on``: the day on which an offer must be valid. At most ``limit`` rows."""

    q: str
    on: date
    limit: int = 10


@dataclass(frozen=True, slots=True)
class SearchRow:
    """One thing found; ``title`` names it, ``detail`` says where it is.

    ``lon``/``lat`` (CRS84) is where to look, None where the viewer may not know a place's point or an area has no map;
    ``west`` to ``north`` is the box of an area. ``area_*`` of an area, ``dataset``/``facility_id`` of a place.
    """

    kind: Kind
    title: str
    detail: str | None
    lon: float | None
    lat: float | None
    west: float | None = None
    south: float | None = None
    east: float | None = None
    north: float | None = None
    area_level: str | None = None
    area_key: str | None = None
    dataset: str | None = None
    facility_id: str | None = None


def search(session: Session, request: SearchRequest) -> Answer[SearchRow]:
    """Return what fits a text, best first: what begins with it before what contains it, areas before places.

    Raises ``ParameterError`` for a text of fewer than two letters or digits.
    """
    wanted = normalised(request.q)
    if len(wanted) < MIN_CHARS:
        raise ParameterError("q", f"Bitte mindestens {MIN_CHARS} Buchstaben oder Ziffern eingeben.")
    most = max(1, (request.limit + 1) // 2)
    found = [
        *_areas(session, wanted, most),
        *_streets(session, request.q, most),
        *_places(session, request, request.limit),
    ]
    found.sort(key=lambda row: (_likeness(row.title, wanted), _ORDER.index(row.kind)))
    meta = footnotes(
        session,
        title="Suche",
        method="Gebiete, Straßen und Anschriften, deren Name den Suchtext enthält, und Einrichtungen, die ihn in Name, "
        "Angebot, Träger oder Anschrift enthalten; was damit beginnt, steht vorn.",
        unit="Treffer",
        version=FacilitiesRequest(request.on).version,
        sources=[source for kind in ("areas", "addresses", "facilities") for source in read_sources(session, kind)],
        missing=0,
        warnings=[WITHOUT_RELEASE],
    )
    return Answer(meta, found[: request.limit])


def _likeness(title: str, wanted: str) -> int:
    """Return 0 for the very name, 1 where it begins with the text, 2 where it contains it, 3 where it does not."""
    name = normalised(title)
    if name == wanted:
        return 0
    return 1 if name.startswith(wanted) else 2 if wanted in name else 3


def areas_and_streets(session: Session) -> list[SearchRow]:
    """Return all areas that have a map and all streets: what a search without a server looks through."""
    found = session.execute(text(_STREETS.format(condition="true", order="street_plain, city")), {"most": None}).all()
    return [*_area_rows(session, _named_areas(session)), *_street_rows(found)]


def _named_areas(session: Session) -> Sequence[Any]:
    return session.execute(
        text("""
            SELECT a.level, a.key, a.name, l.title, up.name AS inside
            FROM area_visible a JOIN level l ON l.level = a.level
            LEFT JOIN area_visible up ON up.level = a.parent_level AND up.key = a.parent_key
            WHERE a.geom IS NOT NULL ORDER BY a.level, a.key
        """)
    ).all()


def _areas(session: Session, wanted: str, most: int) -> list[SearchRow]:
    """Find areas by name; there are about a thousand, so that all names are compared here in one spelling."""
    spelt = [(normalised(row.name), row) for row in _named_areas(session)]
    hits = [(name, row) for name, row in spelt if wanted in name]
    hits.sort(key=lambda hit: (not hit[0].startswith(wanted), len(hit[0]), hit[0], hit[1].level))
    return _area_rows(session, [row for _name, row in hits[:most]])


def _area_rows(session: Session, chosen: Sequence[Any]) -> list[SearchRow]:
    """Return areas as they are found, each with its box."""
    if not chosen:
        return []
    boxes = session.execute(
        text("""
            SELECT a.level, a.key, ST_XMin(b.g), ST_YMin(b.g), ST_XMax(b.g), ST_YMax(b.g)
            FROM area_visible a CROSS JOIN LATERAL (SELECT ST_Transform(a.geom, 4326) AS g) b
            WHERE (a.level, a.key) IN (SELECT * FROM unnest(CAST(:levels AS text[]), CAST(:keys AS text[])))
        """),
        {"levels": [row.level for row in chosen], "keys": [row.key for row in chosen]},
    ).all()
    of = {(level, key): tuple(round(float(v), 6) for v in box) for level, key, *box in boxes}
    rows = []
    for row in chosen:
        west, south, east, north = of[row.level, row.key]
        rows.append(
            SearchRow(
                "area", row.name, ", ".join(filter(None, (row.title, row.inside))),
                round((west + east) / 2, 6), round((south + north) / 2, 6), west, south, east, north,
                area_level=row.level, area_key=row.key,
            )
        )  # fmt: skip
    return rows


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a text as an address: spellings to compare, ``city`` and ``postcode`` as typed or ""."""

    street: str
    number: str
    postcode: str = ""
    city: str = ""


def _readings(asked: str) -> Iterator[_Reading]:
    """Yield how a text may be meant as an address, the number farthest to the right first.

    ``Straße des 17. Juni 135`` has two numbers; what stands behind one is part of it (``12 Haus 3``) or names the city.
    """
    for found in list(_NUMBER.finditer(asked))[: -_MOST_READINGS - 1 : -1]:
        street, rest = street_plain(asked[: found.start()]), asked[found.start() :]
        if len(street) < _MIN_STREET_CHARS:
            continue
        if number := number_plain(rest):
            yield _Reading(street, number)
        match = _NUMBER_AND_CITY.fullmatch(rest.rstrip(" ,."))
        if match and (match["postcode"] or match["city"]) and (number := number_plain(match["number"])):
            yield _Reading(street, number, match["postcode"] or "", match["city"] or "")


def _street_readings(asked: str) -> Iterator[str]:
    """Yield what may be the street of a text: as it stands, without the city, without a number and what follows it."""
    yield asked
    if city := list(_CITY.finditer(asked)):
        yield asked[: city[-1].start()]
        yield asked[: city[0].start()]
    for found in list(_NUMBER.finditer(asked))[: -_MOST_READINGS - 1 : -1]:
        yield asked[: found.start()]
    yield asked.rpartition(" ")[0]


def _streets(session: Session, asked: str, most: int) -> list[SearchRow]:
    """Find the address that is asked for; without a number, or where the list lacks it, the streets so called."""
    asked = asked.strip()
    leading = _LEADING_POSTCODE.match(asked)
    asked = asked[leading.end() :] if leading else asked
    for reading in _readings(asked):
        if rows := _addresses(session, reading, most):
            return rows
    sql = _STREETS.format(
        condition="street_plain LIKE '%' || :street || '%'",
        order="NOT starts_with(street_plain, :street), length(street_plain), street_plain, city",
    )
    # Letters and digits only: nothing in it is a pattern.
    for street in dict.fromkeys(map(street_plain, _street_readings(asked))):
        if len(street) < _MIN_STREET_CHARS:
            continue
        if found := session.execute(text(sql), {"street": street, "most": most}).all():
            return _street_rows(found)
    return []


# One row per street and city, in the middle of its addresses.
_STREETS = """
    SELECT min(street), city, avg(ST_X(geom)), avg(ST_Y(geom)) FROM address_visible
    WHERE {condition} GROUP BY street_plain, city ORDER BY {order} LIMIT :most
"""


def _street_rows(found: Sequence[Any]) -> list[SearchRow]:
    points = lonlat(np.array([row[2:4] for row in found], dtype=float).reshape(-1, 2)).tolist()
    return [SearchRow("street", row[0], row[1], *point) for row, point in zip(found, points, strict=True)]


def _addresses(session: Session, wanted: _Reading, most: int) -> list[SearchRow]:
    """Find addresses with a number (12 finds 12a and 12-14, not 120), those of the postcode and the city first.

    A word behind the number that is no city of the street (a district) is passed over only where the street's name is
    whole: else the number may be part of the name (``Straße des 17 Juni``).
    """
    found = session.execute(
        text("""
            SELECT street, house_number, postcode, city, ST_X(geom), ST_Y(geom) FROM address_visible a
            CROSS JOIN LATERAL (SELECT srk_plain(coalesce(a.city, '')) AS theirs, srk_plain(:city) AS asked) c
            CROSS JOIN LATERAL (
                SELECT starts_with(c.theirs, c.asked) OR c.theirs <> '' AND starts_with(c.asked, c.theirs) AS fits) f
            WHERE street_plain LIKE '%' || :street || '%' AND starts_with(number_plain, :number)
              AND substr(number_plain, length(:number) + 1) ~ '^([a-z]|[-+/]|$)'
              AND (f.fits OR :postcode <> '' OR street_plain = :street)
            ORDER BY postcode IS DISTINCT FROM :postcode, NOT f.fits, NOT starts_with(street_plain, :street),
                     length(street_plain), street_plain, length(number_plain), number_plain, postcode, city
            LIMIT :most
        """),
        {
            "street": wanted.street, "number": wanted.number, "postcode": wanted.postcode, "city": wanted.city,
            "most": most,
        },
    ).all()  # fmt: skip
    points = lonlat(np.array([row[4:6] for row in found], dtype=float).reshape(-1, 2)).tolist()
    return [
        SearchRow("address", f"{row[0]} {row[1]}", " ".join(filter(None, row[2:4])) or None, *point)
        for row, point in zip(found, points, strict=True)
    ]


def _places(session: Session, request: SearchRequest, most: int) -> list[SearchRow]:
    """Find places by the list's own search; the name counts more than what else matches."""
    clauses = list(place_clauses(FacilitiesRequest(request.on, q=request.q.strip())))
    values = {name: value for clause in clauses for name, value in clause.values.items()}
    found = session.execute(
        text(f"""
            SELECT p.dataset, p.facility_id, p.name,
                   concat_ws(', ', nullif(concat_ws(' ', p.street, p.house_number), ''), a.name) AS detail,
                   ST_X(p.point), ST_Y(p.point)
            FROM place_visible p
            LEFT JOIN area_visible a ON a.level = srk_release_level() AND a.key = p.area_key
            WHERE {" AND ".join(clause.sql for clause in clauses)}
              AND EXISTS (SELECT FROM offer_visible o WHERE o.import_id = p.import_id
                          AND o.facility_id = p.facility_id AND {VALID_ON})
            ORDER BY NOT starts_with(srk_plain(p.name), srk_plain(:q)), strpos(srk_plain(p.name), srk_plain(:q)) = 0,
                     p.name, p.dataset, p.facility_id
            LIMIT :most
        """),
        {**values, "on": request.on, "most": most},
    ).all()
    if not found:
        return []
    metres = np.array([row[4:6] for row in found], dtype=float)
    shown = (~np.isnan(metres[:, 0])).tolist()
    points = lonlat(metres).tolist()
    rows = []
    for row, (lon, lat), there in zip(found, points, shown, strict=True):
        where = (lon, lat) if there else (None, None)
        rows.append(
            SearchRow(
                "place", row.name, row.detail or None, where[0], where[1], dataset=row.dataset,
                facility_id=row.facility_id,
            )
        )  # fmt: skip
    return rows
