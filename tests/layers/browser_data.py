"""What the fake service of the browser test answers: few places, many places, two areas with a map and one without."""

from typing import Any

from geodata.facilities import OfferRow, PlaceRow
from layers.palette import STYLES

HOSTILE = '<img src=x onerror="window.hacked=1">'
MANY = 5000
NOT_SAID: dict[str, Any] = dict.fromkeys(OfferRow.__annotations__) | {"paragraphs": [], "release": "public"}


def offer(
    category: str, kind: str | None = None, age_from: int | None = None, age_to: int | None = None, **given: Any
) -> Any:
    return NOT_SAID | {"category": category, "type": kind, "age_from": age_from, "age_to": age_to} | given


def place(
    number: int, name: str, offers: list[Any], lon: float | None, lat: float | None, barrier_free: str | None = None
) -> PlaceRow:
    given: dict[str, Any] = dict.fromkeys(
        field for field in PlaceRow.__dataclass_fields__ if field != "categories"
    ) | {
        "dataset": "d/1", "facility_id": f"f {number}", "name": name, "offers": offers, "lon": lon, "lat": lat,
        "barrier_free": barrier_free,
    }  # fmt: skip
    return PlaceRow(**given)


FEW = [
    place(1, HOSTILE, [offer("okja", "Jugendclub", 6, 14), offer("kita", None, None, 3)], 9.90, 53.60, "partly"),
    place(2, "Haus der Jugend", [offer("okja", HOSTILE, 12, 18)], 10.05, 53.55, "yes"),
    place(3, "Kita Sonnenblume", [offer("kita", "Kita, Krippe", 0, 6)], 10.15, 53.50, "no"),
    *[place(10 + i, f"Schule {i}", [offer("schule", "Grundschule")], 10.0 + i / 1e4, 53.65) for i in range(12)],
    *[place(40 + i, f"Gruppe {i}", [offer("hze")], 10.2, 53.45) for i in range(3)],
    place(30, "Ohne Punkt", [offer("okja", "Jugendclub", 6, 14)], None, None),
]
LOTS = [
    place(
        i, f"Ort {i}", [offer(list(STYLES)[i % 11], f"Art {i % 40}", i % 18, i % 18 + 6)],
        9.75 + (i * 7919 % 5500) / 1e4, 53.4 + (i * 104729 % 3300) / 1e4,
    )
    for i in range(MANY)
]  # fmt: skip
DETAIL = {
    "name": HOSTILE,
    "provider": "Träger " + HOSTILE,
    "street": "Musterweg",
    "house_number": "3a",
    "postcode": "22111",
    "city": "Hamburg",
    "website": "https://example.org/haus",
    "phone": "040 123-45",
    "barrier_free": "partly",
    "offers": [
        {"name": "Treff", "category": "okja", "type": "Jugendclub", "age_from": 6, "age_to": 14}
        | {"opening_hours": "Mo-Fr 14-20 Uhr", "as_of": "2026-01-01"},
        {"name": "Krippe", "category": "kita", "type": None, "age_from": None, "age_to": 3}
        | {"opening_hours": "Mo-Fr 7-17 Uhr", "as_of": "2025-12-31"},
    ],
}
BAD_LINK = DETAIL | {"name": "Haus der Jugend", "website": "javascript:window.hacked=1", "offers": [], "phone": None}
HITS = [
    {"kind": "street", "title": "Musterweg " + HOSTILE, "detail": "Hamburg", "lon": 10.05, "lat": 53.551},
    {"kind": "area", "title": "Billstedt", "detail": "Stadtteil", "lon": 10.1, "lat": 53.55}
    | {"west": 10.03, "south": 53.45, "east": 10.23, "north": 53.65},
    {"kind": "place", "title": "Kita Sonnenblume", "detail": None, "lon": 10.15, "lat": 53.5}
    | {"dataset": "d/1", "facility_id": "f 3"},
]


def area(key: str, name: str, count: int, west: float | None, south: float = 53.45) -> dict[str, Any]:
    geometry = None
    if west is not None:
        ring = [[west, south], [west + 0.2, south], [west + 0.2, south + 0.2], [west, south + 0.2], [west, south]]
        geometry = {"type": "MultiPolygon", "coordinates": [[ring]]}
    properties = {"area_level": "stadtteil", "area_key": key, "area_name": name, "facilities": count}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


AREAS = [area("1", "Billstedt", 12, 10.03), area("2", "Altona " + HOSTILE, 1, 9.83), area("3", "Neuwerk", 0, None)]
