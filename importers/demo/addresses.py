"""Invented streets with house numbers, so that the search of the demo city has something to find."""

from collections.abc import Iterable, Iterator
from itertools import product

import numpy as np
import shapely
from shapely import MultiPolygon

from importers.demo.dice import Dice
from importers.demo.places import CITY

COLUMNS = ("street", "house_number", "city", "x", "y")
"""Columns of the list; x and y in metres."""

CRS = "EPSG:25832"
"""The CRS of x and y."""

PER_STADTTEIL = 2
"""So many streets there are in each."""

_TOPIC = 21
_TREES = (
    "Ahorn", "Birken", "Buchen", "Dohlen", "Eichen", "Erlen", "Eschen", "Falken", "Fichten", "Finken", "Ginster",
    "Hasel", "Heide", "Holunder", "Kiefern", "Kirsch", "Lärchen", "Lerchen", "Linden", "Meisen", "Mohn", "Nelken",
    "Pappel", "Reiher", "Rosen", "Schlehen", "Tannen", "Ulmen", "Weiden", "Zeisig",
)  # fmt: skip
_ENDS = ("weg", "straße", "allee", "ring", "stieg", "kamp", "twiete")
_LENGTH_M = (250.0, 900.0)
_NUMBER_EVERY_M = 18.0
_FROM_MIDDLE_M = 8.0


def addresses(stadtteile: Iterable[tuple[str, MultiPolygon]]) -> Iterator[tuple[str, ...]]:
    """Yield the addresses of Stadtteile (key, polygon in EPSG:25832) as rows of text under ``COLUMNS``.

    Each street is straight, lies in one Stadtteil and has a name of its own in the city; even numbers stand on its one
    side, odd ones on the other.
    """
    names = [f"Beispiel-{tree}{end}" for end, tree in product(_ENDS, _TREES)]
    for at, (key, polygon) in enumerate(stadtteile):
        for nth in range(PER_STADTTEIL):
            yield from _street(names[at * PER_STADTTEIL + nth], polygon, Dice(_TOPIC, int(key), nth))


def _street(name: str, polygon: MultiPolygon, dice: Dice) -> Iterator[tuple[str, ...]]:
    middle = shapely.point_on_surface(max(shapely.get_parts(polygon), key=shapely.area))
    angle, length = dice.between(0, np.pi), dice.between(*_LENGTH_M)
    along = np.array((np.cos(angle), np.sin(angle)))
    aside = np.array((-along[1], along[0])) * _FROM_MIDDLE_M
    start = np.array((middle.x, middle.y)) + aside * dice.whole(-9, 9) - along * length / 2
    for step in range(int(length / _NUMBER_EVERY_M)):
        for number, side in ((2 * step + 1, -1), (2 * step + 2, 1)):
            x, y = start + along * step * _NUMBER_EVERY_M + aside * side
            if shapely.contains_xy(polygon, x, y):
                yield name, str(number), CITY, f"{x:.1f}", f"{y:.1f}"
