"""Homes and where they stand: which there are in an area, and which within so many km of where its young people live.

Distances are as the crow flies in EPSG:25832. Half a millimetre is let pass, so that "within" (``<=``) does not hang on
the noise of sums. A home whose point the viewer may not see has no distance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages
from geodata.areas import VALID_ON
from geodata.coverage.people import Floats, Ints, People
from geodata.coverage.places import Flags, Places
from geodata.coverage.supply import supplied
from geodata.figure_tables import WITHOUT_AREA
from geodata.rounding import cleaned

YOUNG = Ages(0, 21)
_ALL_AGES = Ages(0)
_HALF_MM = 0.0005
# Distances held at once.
_MOST_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class Level:
    """The visible areas of a level in the order of their keys, and which of them are ``mapped``."""

    level: str
    keys: list[str]
    names: list[str]
    mapped: Flags

    def numbers(self) -> dict[str, int]:
        """Return the number of each key."""
        return {key: number for number, key in enumerate(self.keys)}


@dataclass(frozen=True, slots=True)
class Ground:
    """The areas asked about, those of the home level, and in which of these each lies (-1: that is not known)."""

    areas: Level
    offices: Level
    office: Ints


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an answer as sets of areas: row ``row[i]`` has area ``area[i]`` in it (a merged area has several).

    The number after the last area stands for what lies in none. ``mapped``: all areas of the row have borders.
    """

    number: int
    row: Ints
    area: Ints
    mapped: Flags

    def added(self, values: NDArray[np.generic]) -> Floats:
        """Return the sums of the rows from values of the areas (and, where they have it, of what lies in none)."""
        there = self.area < len(values)
        sums = np.bincount(self.row[there], weights=values[self.area[there]], minlength=self.number)
        return np.asarray(sums, dtype=np.float64)

    def first(self, values: Ints) -> Ints:
        """Return the value all areas of a row have in common, -1 where they differ."""
        low, high = np.full(self.number, np.iinfo(np.int64).max), np.full(self.number, -1)
        there = self.area < len(values)
        np.minimum.at(low, self.row[there], values[self.area[there]])
        np.maximum.at(high, self.row[there], values[self.area[there]])
        return np.where(low == high, high, -1)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is in one area: homes, those of them that state no places, and the places; None: not known."""

    homes: int | None
    without: int | None
    places: float | None


@dataclass(frozen=True, slots=True)
class Stock:
    """Homes of some areas: how many, how many of them state no places, and the places (NaN: none of them does)."""

    homes: Floats
    without: Floats
    places: Floats

    @classmethod
    def of(cls, homes: Floats, stating: Floats, places: Floats) -> "Stock":
        """Return the stock of homes of which some state ``places``."""
        return cls(homes, homes - stating, np.where((homes > 0) & (stating == 0) & (places == 0), np.nan, places))

    def of_each(self, numbers: Ints) -> "Stock":
        """Return the stock of the areas with these numbers, in their order."""
        return Stock(self.homes[numbers], self.without[numbers], self.places[numbers])

    def amounts(self) -> list[Amounts]:
        """Return the stock area by area."""
        columns = (self.homes, self.without, cleaned(self.places))
        return [
            Amounts(
                None if math.isnan(homes) else round(homes),
                None if math.isnan(without) else round(without),
                None if math.isnan(places) else places,
            )
            for homes, without, places in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def known_where(self, known: Flags) -> "Stock":
        """Return the stock with all missing where it cannot be known."""
        return Stock(*(np.where(known, values, np.nan) for values in (self.homes, self.without, self.places)))


@dataclass(frozen=True, slots=True)
class Homes:
    """The homes with at least one matching offer that the viewer may see, as places of the level asked about.

    ``office``: the same as places of the home level. ``xy`` (homes, 2) in EPSG:25832, NaN: not shown or not known.
    ``supply``: places of all matching offers, NaN: none states any.
    """

    places: Places
    office: Places
    xy: Floats
    supply: Floats

    @property
    def shown(self) -> Flags:
        """Which homes have a point the viewer may see."""
        return np.asarray(~np.isnan(self.xy[:, 0]), dtype=np.bool_)

    @property
    def offering(self) -> Flags:
        """Which homes have places, or may have some: all but those that state 0."""
        return np.asarray(self.supply != 0, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Near:
    """What is near the rows' centres.

    ``bands``: stock within each band. ``offering``: homes within the near band that have or may have places.
    ``nearest_m``: to the nearest such home anywhere (NaN: none is known, or the row has no centre), ``stated``: that
    one states its places.
    """

    bands: list[Stock]
    offering: Floats
    nearest_m: Floats
    stated: Flags


# Protected offers never take part, whoever asks: their release stands above what an office may do with its own.
# The areas are asked for home by home: joined, the view of all facilities' areas would be gone through.
_OFFERS = f"""
SELECT p.import_id, p.facility_id, p.dataset, p.exact, ST_X(p.point) AS x, ST_Y(p.point) AS y,
       lies.area_key, lies.office_key, CASE WHEN o.supply_unit = 'places' THEN o.supply END AS supply,
       coalesce(o.service_area = 'citywide', false) AS citywide
FROM offer_visible o
JOIN place_visible p ON p.import_id = o.import_id AND p.facility_id = o.facility_id
CROSS JOIN LATERAL (
    SELECT max(f.area_key) FILTER (WHERE f.level = :level) AS area_key,
           max(f.area_key) FILTER (WHERE f.level = :home_level) AS office_key
    FROM facility_area_visible f
    WHERE f.import_id = o.import_id AND f.facility_id = o.facility_id AND f.level IN (:level, :home_level)
) lies
WHERE :paragraph = ANY (o.paragraphs) AND o.release < 'protected' AND {VALID_ON}
"""


def read_ground(session: Session, level: str, home_level: str) -> Ground:
    """Return the areas of a level with the offices they lie in."""
    offices = _read_level(session, home_level)
    if level == home_level:
        return Ground(offices, offices, np.arange(len(offices.keys)))
    areas = _read_level(session, level)
    number = offices.numbers()
    found = session.execute(
        text("""
            WITH RECURSIVE up(origin, level, key) AS (
                SELECT key, level, key FROM area_visible WHERE level = :level
                UNION
                SELECT up.origin, a.parent_level, a.parent_key
                FROM up JOIN area_visible a ON a.level = up.level AND a.key = up.key
                WHERE a.parent_key IS NOT NULL AND up.level <> :home_level
            )
            SELECT origin, key FROM up WHERE level = :home_level
        """),
        {"level": level, "home_level": home_level},
    )
    above = {origin: number[key] for origin, key in found if key in number}
    return Ground(areas, offices, np.array([above.get(key, -1) for key in areas.keys], dtype=np.int64))


def _read_level(session: Session, level: str) -> Level:
    found = session.execute(
        text("""
            SELECT key, name, geom IS NOT NULL AS mapped FROM area_visible
            WHERE level = :level ORDER BY key COLLATE "C"
        """),
        {"level": level},
    ).all()
    mapped = np.array([row.mapped for row in found], dtype=np.bool_)
    return Level(level, [row.key for row in found], [row.name for row in found], mapped)


def rows_of(areas: Level, members: Sequence[Sequence[str]]) -> Rows:
    """Return rows of the areas with these keys; ``ohne`` stands for what lies in no area."""
    number = areas.numbers() | {WITHOUT_AREA: len(areas.keys)}
    borders = [*areas.mapped.tolist(), False]
    parts = [[number.get(key, -1) for key in own] for own in members]
    mapped = [all(n >= 0 and borders[n] for n in own) for own in parts]
    pairs = [(row, n) for row, own in enumerate(parts) for n in own if n >= 0]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Rows(len(parts), table[:, 0], table[:, 1], np.array(mapped, dtype=np.bool_))


def read_homes(session: Session, ground: Ground, paragraph: str, on: date) -> Homes:
    """Return the homes with an offer under a paragraph that is valid on a day."""
    areas, offices = ground.areas, ground.offices
    found = session.execute(
        text(_OFFERS), {"level": areas.level, "home_level": offices.level, "paragraph": paragraph, "on": on}
    ).all()
    rows = sorted(found, key=lambda row: (row.import_id, row.facility_id))
    coarse = set(
        session.execute(text("SELECT ancestor FROM level_closure WHERE level = srk_release_level()")).scalars()
    )
    places = list({(row.import_id, row.facility_id): row for row in rows}.values())
    number = {(row.import_id, row.facility_id): i for i, row in enumerate(places)}
    exact = np.array([row.exact for row in places], dtype=np.bool_)
    place = np.array([number[row.import_id, row.facility_id] for row in rows], dtype=np.int64)
    supply = np.array([np.nan if row.supply is None else row.supply for row in rows], dtype=np.float64)

    def at(level: Level, keys: Sequence[str | None]) -> Places:
        where, outside = level.numbers(), len(level.keys)
        return Places(
            keys=list(number),
            datasets=[row.dataset for row in places],
            area=np.array([outside if key is None else where.get(key, outside) for key in keys], dtype=np.int64),
            # What appears by area only, appears at the release level and those that contain it.
            counted=exact | (level.level in coarse),
            place=place,
            spans=[_ALL_AGES],
            span=np.zeros(len(rows), dtype=np.int64),
            supply=supply,
            use=np.full(len(rows), np.nan),
            citywide=np.array([row.citywide for row in rows], dtype=np.bool_),
            ageless=np.zeros(len(rows), dtype=np.bool_),
            sentence="",
        )

    stated = np.isfinite(supply)
    total = np.bincount(place[stated], weights=supply[stated], minlength=len(places))
    stating = np.bincount(place[stated], minlength=len(places)) > 0
    return Homes(
        at(areas, [row.area_key for row in places]),
        at(offices, [row.office_key for row in places]),
        np.array([(np.nan, np.nan) if row.x is None else (row.x, row.y) for row in places]).reshape(-1, 2),
        np.where(stating, total, np.nan),
    )


def stock_of_areas(places: Places, areas: int) -> Stock:
    """Return what stands in each area; the number after the last: what lies in none, or is there for the whole city."""
    made = supplied(places, places.area, areas, _ALL_AGES, None)
    return Stock(made.facilities.astype(float), made.without.astype(float), made.supply)


def stock_of_rows(rows: Rows, stock: Stock, known: Flags) -> Stock:
    """Return what stands in the areas of each row; missing where that is not known."""
    homes, without = rows.added(stock.homes), rows.added(stock.without)
    return Stock.of(homes, homes - without, rows.added(np.nan_to_num(stock.places))).known_where(known)


def hidden_in_areas(homes: Homes, areas: int) -> Floats:
    """Return how many homes that have or may have places are known to stand in each area, but not where."""
    taking = homes.places.counted & ~homes.shown & homes.offering
    return np.bincount(homes.places.area[taking], minlength=areas + 1).astype(float)


def centres(session: Session, areas: Level, rows: Rows, people: People | None) -> tuple[Floats, Flags]:
    """Return the middle of where the residents under 21 of each row live (EPSG:25832), NaN: the row has no borders.

    Where nobody of that age is known to live it is a point inside the borders; also returns for which rows that is so.
    """
    found = np.full((rows.number, 2), np.nan)
    lived = np.zeros(rows.number, dtype=np.bool_)
    residents = None if people is None else people.of(YOUNG)
    if people is not None and residents is not None:
        owner = people.owner(session, areas.level)
        inside = (owner >= 0) & (residents > 0)
        weights = residents[inside]

        def summed(values: Floats) -> Floats:
            return rows.added(np.bincount(owner[inside], weights=values, minlength=len(areas.keys)))

        everyone = summed(weights)
        lived = rows.mapped & (everyone > 0)
        for axis in (0, 1):
            found[lived, axis] = summed(weights * people.xy[inside, axis])[lived] / everyone[lived]
    inner = rows.mapped & ~lived
    if inner.any():
        found[inner] = _inner_points(session, areas, rows, inner)
    return found, inner


def _inner_points(session: Session, areas: Level, rows: Rows, wanted: Flags) -> Floats:
    part = wanted[rows.row]
    points = session.execute(
        text("""
            SELECT number, ST_X(middle) AS x, ST_Y(middle) AS y FROM (
                SELECT w.number, ST_PointOnSurface(ST_Collect(a.geom)) AS middle
                FROM unnest(CAST(:numbers AS integer[]), CAST(:keys AS text[])) AS w(number, key)
                JOIN area_visible a ON a.level = :level AND a.key = w.key
                GROUP BY w.number
            ) found ORDER BY number
        """),
        {
            "level": areas.level,
            "numbers": rows.row[part].tolist(),
            "keys": [areas.keys[area] for area in rows.area[part].tolist()],
        },
    ).all()
    return np.array([(point.x, point.y) for point in points], dtype=np.float64).reshape(-1, 2)


def near(homes: Homes, centre: Floats, bands_km: Sequence[float], near_km: float) -> Near:
    """Return what is within each band (``<=``) of the centres; rows without one have nothing, and no nearest home."""
    from scipy.spatial.distance import cdist  # noqa: PLC0415 - numeric libraries only for those who ask

    shown = homes.shown
    xy, supply, offering = homes.xy[shown], homes.supply[shown], homes.offering[shown]
    columns = np.column_stack([np.ones(len(xy)), np.isfinite(supply), np.nan_to_num(supply), offering])
    sums = np.zeros((len(bands_km), len(centre), 4))
    nearest_m, stated = np.full(len(centre), np.nan), np.zeros(len(centre), dtype=np.bool_)
    at_once = max(1, _MOST_AT_ONCE // max(1, len(xy)))
    for begin in range(0, len(centre) if len(xy) else 0, at_once):
        some = slice(begin, begin + at_once)
        metres = cdist(centre[some], xy)
        for band, km in enumerate(bands_km):
            sums[band, some] = (metres <= 1000 * km + _HALF_MM) @ columns
        if offering.any():
            best = np.where(offering, metres, np.inf).argmin(axis=1)
            nearest_m[some] = metres[np.arange(len(best)), best]
            stated[some] = np.isfinite(supply[best])
    there = ~np.isnan(centre[:, 0])
    bands = [Stock.of(*(part[:, column] for column in range(3))).known_where(there) for part in sums]
    return Near(bands, sums[list(bands_km).index(near_km), :, 3], nearest_m, stated)
