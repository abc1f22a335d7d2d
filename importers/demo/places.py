"""Where the invented places stand: in which Stadtteil or neighbouring Land, at which point, under which address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import shapely
from pyproj import Transformer
from shapely import MultiPolygon

from importers.demo.borders import random_points
from importers.demo.dice import Dice, apportion
from importers.demo.facts import NEUWERK, Stadtteil
from importers.demo.offers import PLACES

HZE_OUTSIDE = 25
"""So many hze places stand in the surrounding Länder."""

CITY, STATE = "Hamburg", "Hamburg"

_TOPIC = 13
_TO_DEGREES = Transformer.from_crs("EPSG:25832", "OGC:CRS84", always_xy=True)
_FROM_BORDER_M = 40.0
_STREETS = ("Beispielweg", "Beispielweg", "Beispielstraße", "Beispielallee", "Beispielplatz", "Beispielring")
# First and last postcode that is plausible in the Bezirk.
_POSTCODES = {
    "1": (20095, 20539),
    "2": (22525, 22769),
    "3": (20144, 20259),
    "4": (22297, 22419),
    "5": (22041, 22399),
    "6": (21029, 21039),
    "7": (21073, 21149),
}
_POSTCODES_NEUWERK = (27499, 27499)
# Chance that a Stadtteil has no place at all or only few: first without any, then thin.
_WITHOUT = {"okja": 0.14, "famfoe": 0.14, "sha": 0.18, "hze": 0.12, "kita": 0.02, "schule": 0.04}
_THIN = 0.18


@dataclass(frozen=True)
class Region:
    """A part of a neighbouring Land well outside Hamburg: box of lon, lat (CRS84) and a range of postcodes."""

    state: str
    city: str
    weight: float
    lon: tuple[float, float]
    lat: tuple[float, float]
    postcodes: tuple[int, int]


_REGIONS = (
    Region("Schleswig-Holstein", "Beispielstadt in Holstein", 12, (9.70, 10.50), (53.85, 54.25), (24534, 24640)),
    Region("Niedersachsen", "Beispielstadt in der Heide", 9, (9.40, 10.20), (53.00, 53.33), (21244, 21279)),
    Region("Mecklenburg-Vorpommern", "Beispielstadt in Mecklenburg", 4, (11.05, 11.50), (53.45, 53.75), (19205, 19258)),
)


@dataclass(frozen=True)
class Place:
    """A place's position and address; `area` is the Stadtteil's or town's name, `lon`, `lat` have 6 decimals (CRS84).

    `bezirk` is 1 to 7, or 0 outside Hamburg.
    """

    area: str
    bezirk: int
    lon: str
    lat: str
    street: str
    house_number: str
    postcode: str
    city: str
    state: str


def places(
    category: str,
    stadtteile: Sequence[Stadtteil],
    cells: Mapping[str, MultiPolygon],
    residents_u18: Mapping[str, int],
) -> list[Place]:
    """Return the places of a category, the more of them in an area the more residents under 18 it has.

    `cells` (EPSG:25832) and `residents_u18` (persons) are keyed by statistisches Gebiet. Some Stadtteile have
    few places on purpose, some none.
    """
    topic = list(PLACES).index(category)
    outside = HZE_OUTSIDE if category == "hze" else 0
    dice = Dice(_TOPIC, topic)
    weights = [s.residents_u18 * _density(category, dice) for s in stadtteile]
    result: list[Place] = []
    for stadtteil, count in zip(stadtteile, apportion(PLACES[category] - outside, weights), strict=True):
        gebiete = [key for key in cells if key.startswith(stadtteil.key)]
        local = Dice(_TOPIC, topic, int(stadtteil.key))
        chosen = [local.pick(gebiete, [residents_u18[key] for key in gebiete]) for _ in range(count)]
        result += [_inside(stadtteil, cells[key], local) for key in chosen]
    return result + _outside(outside, Dice(_TOPIC, topic, 0))


def _density(category: str, dice: Dice) -> float:
    draw, usual = dice.between(0, 1), dice.between(0.8, 1.3)
    if draw < _WITHOUT[category]:
        return 0.0
    return 0.3 if draw < _WITHOUT[category] + _THIN else usual


def _inside(stadtteil: Stadtteil, cell: MultiPolygon, dice: Dice) -> Place:
    core = shapely.buffer(cell, -_FROM_BORDER_M)
    x, y = random_points(cell if core.is_empty else core, 1, dice)[0]
    lon, lat = _TO_DEGREES.transform(float(x), float(y))
    postcodes = _POSTCODES[stadtteil.bezirk_key]
    if stadtteil.key == NEUWERK:
        postcodes = _POSTCODES_NEUWERK
    return Place(
        area=stadtteil.name,
        bezirk=int(stadtteil.bezirk_key),
        lon=f"{lon:.6f}",
        lat=f"{lat:.6f}",
        street=dice.pick(_STREETS),
        house_number=_house_number(dice),
        postcode=str(dice.whole(*postcodes)),
        city=CITY,
        state=STATE,
    )


def _outside(count: int, dice: Dice) -> list[Place]:
    numbers = apportion(count, [region.weight for region in _REGIONS])
    return [
        Place(
            area=region.city,
            bezirk=0,
            lon=f"{dice.between(*region.lon):.6f}",
            lat=f"{dice.between(*region.lat):.6f}",
            street=dice.pick(_STREETS),
            house_number=_house_number(dice),
            postcode=str(dice.whole(*region.postcodes)),
            city=region.city,
            state=region.state,
        )
        for region, number in zip(_REGIONS, numbers, strict=True)
        for _ in range(number)
    ]


def _house_number(dice: Dice) -> str:
    return f"{dice.whole(1, 140)}{'a' if dice.chance(0.08) else ''}"
