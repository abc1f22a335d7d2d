"""What published parts lack to their published total: rows "nicht zuordenbar / Rundung", of positions and of areas.

Totals stay as printed. A rest is told only where every part is known, and only where it is not 0.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.controlling_areas import Area, Chosen
from geodata.controlling_figures import UNASSIGNED, unassigned
from geodata.controlling_offices import Offices
from geodata.controlling_rows import ALL_HELPS, AMBULANT, OUTSIDE_FAMILY, SPENDING, Held, RowKey
from geodata.controlling_values import Basis, Figure, absent
from geodata.figure_tables import WITHOUT_AREA
from geodata.indicators import CASES
from geodata.periods import parse_period

SUFFIX = "-nicht-zuordenbar"
# Sums of fractions are off by less; no rest that anyone prints is so small.
_NOISE = 1e-9
_SUMS = """
SELECT indicator, position, period, counting, min(dataset) AS dataset, min(unit) AS unit, sum(value) AS value,
       count(*) FILTER (WHERE value IS NOT NULL AND area_key <> :without) AS known,
       count(DISTINCT (dataset, unit)) AS sources, bool_and(value IS NOT NULL) AS whole,
       bool_or(flag = 'suppressed') AS suppressed,
       bool_or(flag = 'estimated') AS estimated, bool_or(flag = 'provisional') AS provisional
FROM observation_visible
WHERE level = :level AND area_key = ANY (:keys) AND scenario = :scenario AND indicator = ANY (:codes)
GROUP BY indicator, position, period, counting
"""


@dataclass(frozen=True, slots=True)
class Rest:
    """A rest: of cases and of spending; a figure without value where it is 0 or cannot be told."""

    key: RowKey
    position_of: str
    cases: Figure
    spending: Figure


def rests_of_positions(held: Held, keys: Iterable[RowKey], given: frozenset[str]) -> Iterator[Rest]:
    """Yield what Hilfearten and groups lack to the printed groups of an area.

    ``given``: the positions of which anyone around has figures; a Hilfeart that nobody reports lacks nowhere. All helps
    are held against the two groups where these are given, else against the Hilfearten.
    """
    for key in keys:
        made = [_rest(total, _parts(held, code, key, total, given))
                for code in (CASES, SPENDING) if (total := _figure(held, code, key.position, key))]  # fmt: skip
        if any(rest.value is not None for rest in made):
            yield Rest(RowKey(key.period, key.position + SUFFIX, key.counting), key.position, *made)


def _parts(held: Held, code: str, key: RowKey, total: Figure, given: frozenset[str]) -> list[Figure]:
    groups = [_figure(held, code, group, key) for group in (AMBULANT, OUTSIDE_FAMILY)]
    if key.position == ALL_HELPS and all(group.basis is not None for group in groups):
        return groups
    members = total.basis.composition if total.basis else None
    return [_figure(held, code, one, key) for one in sorted((members or frozenset()) & given)]


def _figure(held: Held, code: str, position: str, key: RowKey) -> Figure:
    return held.counted(position, key) if code == CASES else held.amount(code, position, key)


def _rest(total: Figure, parts: list[Figure]) -> Figure:
    if not parts:
        return absent(UNASSIGNED)
    made = unassigned(total, parts)
    if made.value is None or total.value is None or abs(made.value) <= _NOISE * max(1.0, abs(total.value)):
        return absent(UNASSIGNED, suppressed=made.flag == "suppressed")
    return made


def whole_cities(chosen: Chosen) -> dict[Area, list[str]]:
    """Return the cities all of whose areas at the level are asked for, each with their keys."""
    made: dict[Area, list[str]] = {}
    for city in sorted(set(chosen.cities.values())):
        inside = [one[1] for one in chosen.tree.names
                  if one[0] == chosen.level.level and city in chosen.tree.above(one)]  # fmt: skip
        if chosen.names.keys() >= set(inside):
            made[city] = inside
    return made


def rests_of_areas(
    session: Session, chosen: Chosen, inside: list[str], held: Held, offices: Offices, scenario: str
) -> list[Rest]:
    """Return what the areas of a city, with what belongs to none of them, lack to the figures of the city (``held``).

    Told only where every area has the figure, from one dataset, counted as the city's.
    """
    # What belongs to no area is that of the only city there is.
    keys = [*inside, WITHOUT_AREA] if len(set(chosen.cities.values())) == 1 else inside
    found = session.execute(
        text(_SUMS),
        {"level": chosen.level.level, "keys": keys, "scenario": scenario, "codes": [CASES, SPENDING],
         "without": WITHOUT_AREA},
    )  # fmt: skip
    rests: dict[RowKey, dict[str, Figure]] = {}
    amounts = []
    shut: set[tuple[str, str, str | None, str]] = set()
    for row in found:
        if row.suppressed:
            shut.add((row.period, row.position, row.counting if row.indicator == CASES else None, row.indicator))
        if row.known != len(inside) or row.sources != 1 or not row.whole:
            continue
        period = parse_period(row.period)
        basis = Basis(
            period, row.dataset, row.counting, offices.unit(row.dataset, row.position, row.unit),
            offices.composition(row.dataset, row.position), offices.scope(row.dataset),
        )  # fmt: skip
        flag = "estimated" if row.estimated else "provisional" if row.provisional else "ok"
        key = RowKey(period, row.position, row.counting)
        total = _figure(held, row.indicator, row.position, key)
        made = _rest(total, [Figure(row.value, flag, basis=basis)])
        if made.value is not None and row.indicator == CASES:
            rests.setdefault(key, {})[CASES] = made
        elif made.value is not None:
            amounts.append((key, made))
    for key, made in amounts:
        same = [one for one in rests if (one.period, one.position) == (key.period, key.position)]
        for one in same or [key]:
            rests.setdefault(one, {})[SPENDING] = made

    def figure(key: RowKey, code: str) -> Figure:
        counting = key.counting if code == CASES else None
        hidden = (key.period.text, key.position, counting, code) in shut
        return rests[key].get(code) or absent(UNASSIGNED, suppressed=hidden)

    return [Rest(key, key.position, figure(key, CASES), figure(key, SPENDING)) for key in rests]
