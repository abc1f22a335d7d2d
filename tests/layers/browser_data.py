"""What the fake service of the browser test answers: few places, many places, two areas with a map and one without."""

from typing import Any

from layers.palette import STYLES

HOSTILE = '<img src=x onerror="window.hacked=1">'
MANY = 5000


def place(number: int, name: str, categories: list[str], lon: float | None, lat: float | None) -> dict[str, Any]:
    geometry = None if lon is None else {"type": "Point", "coordinates": [lon, lat]}
    properties = {"dataset": "d/1", "facility_id": f"f {number}", "name": name, "categories": categories}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


FEW = [
    place(1, HOSTILE, ["okja", "kita"], 9.90, 53.60),
    place(2, "Haus der Jugend", ["okja"], 10.05, 53.55),
    place(3, "Kita Sonnenblume", ["kita"], 10.15, 53.50),
    *[place(10 + i, f"Schule {i}", ["schule"], 10.0 + i / 1e4, 53.65) for i in range(12)],
    place(30, "Ohne Punkt", ["okja"], None, None),
]
LOTS = [
    place(i, f"Ort {i}", [list(STYLES)[i % 11]], 9.75 + (i * 7919 % 5500) / 1e4, 53.4 + (i * 104729 % 3300) / 1e4)
    for i in range(MANY)
]
DETAIL = {
    "name": HOSTILE,
    "provider": "Träger " + HOSTILE,
    "street": "Musterweg",
    "house_number": "3a",
    "postcode": "22111",
    "city": "Hamburg",
    "website": "https://example.org/haus",
    "phone": "040 123-45",
    "as_of": "2026-01-01",
    "offers": [
        {"name": "Treff", "category": "okja", "type": "Jugendclub", "age_from": 6, "age_to": 14}
        | {"opening_hours": "Mo-Fr 14-20 Uhr", "barrier_free": "partly", "as_of": "2026-01-01"},
        {"name": "Krippe", "category": "kita", "type": None, "age_from": None, "age_to": 3}
        | {"opening_hours": "Mo-Fr 7-17 Uhr", "barrier_free": None, "as_of": "2025-12-31"},
    ],
}
BAD_LINK = DETAIL | {"name": "Haus der Jugend", "website": "javascript:window.hacked=1", "offers": [], "phone": None}


def area(key: str, name: str, count: int, west: float | None, south: float = 53.45) -> dict[str, Any]:
    geometry = None
    if west is not None:
        ring = [[west, south], [west + 0.2, south], [west + 0.2, south + 0.2], [west, south + 0.2], [west, south]]
        geometry = {"type": "MultiPolygon", "coordinates": [[ring]]}
    properties = {"area_level": "stadtteil", "area_key": key, "area_name": name, "facilities": count}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


AREAS = [area("1", "Billstedt", 12, 10.03), area("2", "Altona " + HOSTILE, 1, 9.83), area("3", "Neuwerk", 0, None)]
