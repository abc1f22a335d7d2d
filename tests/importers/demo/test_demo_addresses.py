"""The streets of the demo city."""

from collections import defaultdict

import shapely
from demo_built import built

from importers.demo.addresses import COLUMNS, PER_STADTTEIL, addresses


def test_each_street_lies_in_one_stadtteil_and_has_a_name_of_its_own() -> None:
    streets = defaultdict(list)
    for row in built().addresses:
        given = dict(zip(COLUMNS, row, strict=True))
        streets[given["street"]].append((given["house_number"], float(given["x"]), float(given["y"])))
    stadtteile = built().areas["stadtteil"]
    assert len(streets) == PER_STADTTEIL * len(stadtteile)
    for name, held in streets.items():
        assert name.startswith("Beispiel-")
        assert len({number for number, _x, _y in held}) == len(held) >= 4
        points = shapely.points([(x, y) for _number, x, y in held])
        # A tenth of a metre is what rounding may cost at a border.
        assert sum(bool(shapely.dwithin(points, area.geometry, 0.1).all()) for area in stadtteile) >= 1, name


def test_the_streets_are_the_same_every_time() -> None:
    stadtteile = [(area.key, area.geometry) for area in built().areas["stadtteil"]]
    assert tuple(addresses(stadtteile)) == built().addresses
