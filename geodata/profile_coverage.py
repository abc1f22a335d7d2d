"""What is there for the young of one area, against the whole city and against comparable areas.

Nothing is measured anew: rows come from ``coverage``. Shares of several areas together are rebuilt from their counts,
never averaged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.ages import Ages
from geodata.answer import Answer, Source
from geodata.areas import VALID_ON
from geodata.categories import TITLES
from geodata.coverage.answer import coverage
from geodata.coverage.notes import UNITS
from geodata.coverage.people import People
from geodata.coverage.request import CoverageRequest, CoverageRow, Pace
from geodata.tables import SUPPLY_UNITS

# For whom places of a category are measured in a profile; categories beyond these serve no age of their own.
COMPARED_AGES: Mapping[str, Ages] = MappingProxyType(
    {
        "okja": Ages(10, 18),
        "famfoe": Ages(0, 6),
        "sha": Ages(0, 18),
        "jsa": Ages(14, 27),
        "kita": Ages(0, 6),
        "schule": Ages(6, 18),
        "spielplatz": Ages(0, 14),
    }
)


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """Visible places of a category in an area, and their offers; 0 where there is none.

    ``places_stated`` and ``hours_stated``: what the offers state together, None where none states it (0 where there
    is no offer); ``unstated``: offers without any figure.
    """

    category: str
    places: int
    offers: int
    places_stated: float | None
    hours_stated: float | None
    unstated: int


@dataclass(frozen=True, slots=True)
class Level:
    """How well an area, or several together, is served. None: missing.

    ``without_supply``: so many of the ``facilities`` state no figure; they take no part in ``supply``.
    """

    population: float | None
    facilities: int
    without_supply: int
    supply: float | None
    supply_per_1000: float | None
    reached: float | None
    not_reached: float | None
    reach_share: float | None


@dataclass(frozen=True, slots=True)
class PeerLevel:
    """A comparable area with its own figures."""

    area_key: str
    area_name: str
    level: Level


@dataclass(frozen=True, slots=True)
class Compared:
    """A category measured for ``ages``: here, in the whole city, in the comparable areas together and each.

    ``city`` None: this area is the whole city. ``peers_together`` None: there are no comparable areas.
    """

    category: str
    ages: Ages
    supply_unit: str
    here: Level
    city: Level | None
    peers_together: Level | None
    peers: tuple[PeerLevel, ...]

    def better(self) -> list[tuple[PeerLevel, float]]:
        """Return the comparable areas in which more of the young are known to reach a place, the best first.

        Each with its share.
        """
        own = self.here.reach_share
        known = [(one, share) for one in self.peers if (share := one.level.reach_share) is not None]
        return sorted(
            [(one, share) for one, share in known if own is not None and share > own], key=lambda one: -one[1]
        )


@dataclass(frozen=True, slots=True)
class ComparedAll:
    """All categories, with the sources and warnings of their answers."""

    rows: tuple[Compared, ...]
    sources: tuple[Source, ...]
    warnings: tuple[str, ...]


def categories_in(session: Session, level: str, key: str, *, on: date) -> list[CategoryCount]:
    """Return what is in an area by category, in the field's order; categories that nobody has are left out."""
    found = session.execute(
        text(f"""
            SELECT o.category, bool_or(f.area_key IS NOT NULL) AS here,
                   count(DISTINCT (f.import_id, f.facility_id)) FILTER (WHERE f.area_key IS NOT NULL) AS places,
                   count(*) FILTER (WHERE f.area_key IS NOT NULL) AS offers,
                   sum(o.supply) FILTER (WHERE f.area_key IS NOT NULL AND o.supply_unit = 'places') AS places_stated,
                   sum(o.supply) FILTER (WHERE f.area_key IS NOT NULL AND o.supply_unit = 'hours_per_week') AS hours,
                   count(*) FILTER (WHERE f.area_key IS NOT NULL AND o.supply IS NULL) AS unstated
            FROM offer_visible o
            LEFT JOIN facility_area_visible f ON f.import_id = o.import_id AND f.facility_id = o.facility_id
                AND f.level = :level AND f.area_key = :key
            WHERE {VALID_ON} GROUP BY o.category
        """),
        {"level": level, "key": key, "on": on},
    ).all()
    rows = {row.category: row for row in found}
    return [
        CategoryCount(
            category,
            row.places,
            row.offers,
            row.places_stated if row.offers else 0.0,
            row.hours if row.offers else 0.0,
            row.unstated,
        )
        for category in TITLES
        if (row := rows.get(category)) is not None
    ]


def compared(
    session: Session,
    area: tuple[str, str],
    peers: Sequence[str],
    categories: Iterable[str],
    *,
    on: date,
    minutes: int,
    pace: Pace,
    people: People | None,
) -> ComparedAll:
    """Return how an area (level, key) is served in each of the categories that have ages of their own.

    Without residents there is nothing to compare with: no rows.
    """
    level, key = area
    wanted = [category for category in categories if category in COMPARED_AGES]
    if people is None or not wanted:
        return ComparedAll((), (), ())
    units = _units(session, on)
    asked = CoverageRequest(level, on, ("okja",), measure="reach", minutes=minutes, pace=pace)
    answers: dict[str, Answer[CoverageRow]] = {}
    for category in wanted:
        ages = COMPARED_AGES[category]
        if people.knows(ages):
            answers[category] = coverage(
                session,
                replace(
                    asked,
                    categories=(category,),
                    age_from=ages.age_from,
                    age_to=ages.age_to,
                    supply_unit=units.get(category, SUPPLY_UNITS[0]),
                ),
            )
    rows = tuple(_compared(category, answer.rows, key, peers) for category, answer in answers.items())
    sources = dict.fromkeys(source for answer in answers.values() for source in answer.meta.sources)
    return ComparedAll(rows, tuple(sources), (*_warnings(answers), *filter(None, map(_without_supply, rows))))


def _units(session: Session, on: date) -> dict[str, str]:
    """Return for each category the unit in which most of its offers state what they can take."""
    found = session.execute(
        text(f"""
            SELECT DISTINCT ON (category) category, supply_unit FROM (
                SELECT o.category, o.supply_unit, count(*) AS offers FROM offer_visible o
                WHERE o.supply_unit IS NOT NULL AND o.supply IS NOT NULL AND {VALID_ON} GROUP BY 1, 2) counted
            ORDER BY category, offers DESC, supply_unit
        """),
        {"on": on},
    )
    return {row.category: row.supply_unit for row in found}


def _compared(category: str, rows: Sequence[CoverageRow], key: str, peers: Sequence[str]) -> Compared:
    by_key = {row.area_key: row for row in rows}
    here = by_key[key]
    alike = [by_key[one] for one in peers if one in by_key]
    areas = [row for row in rows if row.area_key != "ohne"]
    return Compared(
        category,
        COMPARED_AGES[category],
        here.supply_unit,
        together([here]),
        together(rows) if len(areas) > 1 else None,
        together(alike) if alike else None,
        tuple(PeerLevel(row.area_key, row.area_name, together([row])) for row in alike),
    )


def together(rows: Sequence[CoverageRow]) -> Level:
    """Return several areas as one: counts added, shares rebuilt from them.

    A sum leaves out what is missing only of places without a figure; residents or reached ones that are missing in one
    area are missing in the sum.
    """
    population = _sum([row.population for row in rows if row.population is not None or row.area_key != "ohne"])
    reached = _sum([row.reached for row in rows if row.reached is not None or row.area_key != "ohne"])
    stated = [row.supply for row in rows if row.supply is not None]
    supply = sum(stated) if stated else None
    return Level(
        population=population,
        facilities=sum(row.facilities for row in rows),
        without_supply=sum(row.facilities_without_supply for row in rows),
        supply=supply,
        supply_per_1000=1000 * supply / population if population and supply is not None else None,
        reached=reached,
        not_reached=None if population is None or reached is None else population - reached,
        reach_share=reached / population if population and reached is not None else None,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _without_supply(one: Compared) -> str | None:
    """Return how many places take no part in the capacity, because they state none; None where all do."""
    levels = (("hier", one.here), ("in der ganzen Stadt", one.city), ("in den Vergleichsgebieten", one.peers_together))
    named = [
        f"{where} {level.without_supply} von {words.counted(level.facilities, 'einer Einrichtung', 'Einrichtungen')}"
        for where, level in levels
        if level is not None and level.without_supply
    ]
    if not named:
        return None
    return (
        f"{TITLES[one.category]}: ohne Angabe der {UNITS[one.supply_unit]} {words.listed(named)}; in der Kapazität je "
        "1.000 fehlen sie."
    )


def _warnings(answers: Mapping[str, Answer[CoverageRow]]) -> Iterable[str]:
    """Yield each warning once; those that hold for some categories only with their names."""
    said: dict[str, list[str]] = {}
    for category, answer in answers.items():
        for warning in answer.meta.warnings:
            said.setdefault(warning, []).append(TITLES[category])
    for warning, titles in said.items():
        yield warning if len(titles) == len(answers) else f"{', '.join(titles)}: {warning}"
