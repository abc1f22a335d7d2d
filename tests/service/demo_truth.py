"""What the public should see of the demo city, worked out from its own rows without the database."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import shapely
from pyproj import Transformer

from importers.demo.city import LEVELS, DemoCity, build
from service.context import today

# Levels at which a place shown by area only may appear: the release level and those that contain it.
AREA_ONLY_LEVELS = {"stadtteil", "bezirk", "land"}
_TO_METRES = Transformer.from_crs(4326, 25832, always_xy=True)

Row = Mapping[str, str]


@dataclass(frozen=True)
class Offer:
    dataset: str
    row: Row

    @property
    def place(self) -> tuple[str, str]:
        return self.dataset, self.row["facility_id"]

    @property
    def published(self) -> bool:
        """Whether the public may see it; what appears by area only must lie in an area."""
        located = self.place in exact_places() or "stadtteil" in areas_of()[self.place]
        return self.row["release"] in {"public", "area_only"} and located

    def valid(self, on: dt.date) -> bool:
        start, end = self.row["valid_from"], self.row["valid_to"]
        return (not start or start <= on.isoformat()) and (not end or end >= on.isoformat())

    def fits_age(self, age: int) -> bool:
        start, end = self.row["age_from"], self.row["age_to"]
        return not start or (int(start) <= age and (not end or int(end) > age))


@cache
def city() -> DemoCity:
    return build()


@cache
def offers() -> tuple[Offer, ...]:
    return tuple(Offer(f"facilities.{c}", row) for c, rows in city().facilities.items() for row in rows)


@cache
def exact_places() -> frozenset[tuple[str, str]]:
    """Places whose point the public may know: everything offered there is public."""
    releases = defaultdict(set)
    for offer in offers():
        releases[offer.place].add(offer.row["release"])
    return frozenset(place for place, found in releases.items() if found == {"public"})


@cache
def points() -> dict[tuple[str, str], tuple[float, float]]:
    return {o.place: (float(o.row["lon"]), float(o.row["lat"])) for o in offers() if o.row["lon"]}


@cache
def areas_of() -> dict[tuple[str, str], dict[str, str]]:
    """For each place the key of its area by level; on a border the lowest key."""
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    names = list(points())
    metres = [shapely.Point(*_TO_METRES.transform(*points()[name])) for name in names]
    for level in LEVELS:
        keyed = sorted((area.key, area.geometry) for area in city().areas[level])
        tree = shapely.STRtree([geometry for _, geometry in keyed])
        for at, area in sorted(zip(*tree.query(metres, predicate="intersects"), strict=True)):
            found[names[at]].setdefault(level, keyed[area][0])
    return found


def seen(**filters: object) -> Iterator[Offer]:
    """Yield the public's offers that fit: category, type, age, barrier_free, area, bbox."""
    for offer in offers():
        if offer.published and offer.valid(today()) and _fits(offer, filters):
            yield offer


def _fits(offer: Offer, filters: Mapping[str, object]) -> bool:
    row, place = offer.row, offer.place
    for name, wanted in filters.items():
        if name == "age":
            assert isinstance(wanted, int)
            fits = offer.fits_age(wanted)
        elif name == "area":
            level, key = str(wanted).split(":")
            known = place in exact_places() or level in AREA_ONLY_LEVELS
            here = areas_of()[place].get(level) if known else None
            fits = here is None if key == "ohne" else here == key
        elif name == "bbox":
            west, south, east, north = (float(part) for part in str(wanted).split(","))
            lon, lat = points()[place]
            fits = place in exact_places() and west <= lon <= east and south <= lat <= north
        else:
            fits = row[name] in str(wanted).split(",")
        if not fits:
            return False
    return True
