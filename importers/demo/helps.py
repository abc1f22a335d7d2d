"""Invented helps of the demo city by year: Jugendeinwohner, cases, spending, hours, counselling and budgets.

Cases are means of twelve key dates. What is published of a Bezirk or of the Land is the exact sum of its Sozialräume;
only the Land has a few cases, and what they cost, that belong to no Hilfeart and no Bezirk. A group is the sum of its
Hilfearten.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from importers.demo.catalogue import HELP_CATALOGUE
from importers.demo.dice import Dice
from importers.demo.population import UNDER_18

COLUMNS = ("area_level", "area_key", "indicator", "position", "period", "value", "flag", "scenario")
"""Columns of every table here (canonical statistics)."""

YEARS = tuple(range(2019, 2026))
"""The years; residents of the last one are those of the demo's population. Its spending is provisional."""

RESIDENT_LEVELS = ("land", "bezirk", "stadtteil", "sozialraum")
"""Levels with Jugendeinwohner of all years."""

LEVELS = ("land", "bezirk", "sozialraum")
"""Levels with helps."""

YOUNG = (*UNDER_18, "einwohner_18_21")
"""Columns of the residents from 0 to under 21 years."""

ALL_HELPS, GROUP_OFFERS = "alle_hilfen", "gruppenangebot"

OFFICE_WITH_PROGRAMME = "1"
"""The Bezirk that spends on prevention since `PROGRAMME_SINCE`, with a forecast of what that is to bring."""

PROGRAMME_SINCE = 2021

WITHOUT_HOURS = ("7", 2019)
"""Bezirk and year whose hours nobody has: missing there, in its Sozialräume and in the Land."""

UNASSIGNED = 0.004
"""Share of all cases and all spending that only the Land has (what belongs to no Bezirk and no Hilfeart)."""

FEE_INCREASES = {2019: 2.2, 2020: 2.6, 2021: 1.4, 2022: 2.0, 2023: 5.1, 2024: 4.6, 2025: 2.9}
"""Increase of the fees against the year before, in percent."""

_TOPIC = 8
_LESS_YOUNG_A_YEAR = 0.008
_FIRST, _LAST = YEARS[0], YEARS[-1]
_DATES = 12

Row = tuple[str, ...]
# Whole numbers by (Sozialraum, what), where what is a code, and by year.
Counts = Mapping[tuple[str, str, int], int]


@dataclass(frozen=True)
class _Usual:
    """What is usual of a Hilfeart: cases per 1,000 Jugendeinwohner and € a case and year (both in the last year).

    `growth` of the cases a year (fraction); `need`: 0 as many everywhere, 1 in proportion to need; `hours` a case and
    year (0: not told in hours).
    """

    per_1000: float
    growth: float
    eur: int
    need: float
    hours: int = 0


_USUAL = {
    "27.2-flexible-hilfen": _Usual(2.7, 0.035, 11_000, 0.8, 165),
    "27.2-familientherapie": _Usual(0.65, 0.01, 9_500, 0.4, 90),
    "29": _Usual(0.8, 0.04, 4_800, 0.9, 60),
    "30": _Usual(6.0, 0.02, 10_500, 0.7, 150),
    "31": _Usual(14.0, 0.025, 12_000, 1.0, 190),
    "32": _Usual(0.9, 0.0, 32_000, 0.6),
    "35-ambulant": _Usual(0.4, -0.02, 19_000, 0.5, 260),
    "33": _Usual(3.5, 0.0, 17_500, 0.7),
    "34": _Usual(4.6, 0.012, 82_000, 0.8),
    "34-betreutes-jugendwohnen": _Usual(1.5, 0.015, 48_000, 0.6),
    "35-stationaer": _Usual(0.18, 0.03, 98_000, 0.6),
    "19": _Usual(0.6, 0.02, 92_000, 0.9),
}
_NEW_PER_1000, _FOLLOWED = 52.0, (0.43, 0.36)
# In the year of the closed schools fewer were seen.
_CLOSED = {2020: 0.94, 2021: 0.97}
_OWN, _OWN_YEAR, _OWN_COST = 0.22, 0.05, 0.08
# What the programme changes a year: more ambulant helps, fewer outside the family.
_PROGRAMME = {"ambulant": 1.015, "ausserhalb_familie": 0.965}
# Group offers: their share of the hours, and how much more or less of the cases and of the spending is theirs.
_GROUP_SHARE, _GROUP_CASES, _GROUP_EUR = (0.07, 0.13), 1.4, 0.7
_NEED_LEAST, _NEED_MOST = 0.25, 2.6
_FORECAST_GROWTH = 1.035


@cache
def groups() -> Mapping[str, tuple[str, ...]]:
    """Return the codes of the Hilfearten of each group, as the catalogue says."""
    types = tomllib.loads(HELP_CATALOGUE)["help_type"]
    names = [group["code"] for group in tomllib.loads(HELP_CATALOGUE)["help_group"]]
    return {name: tuple(entry["code"] for entry in types if name in entry["groups"]) for name in names}


def need(figures: Iterable[Row], people: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Return how much need there is in each statistisches Gebiet, 1 being the city's mean.

    From the share of children who live on benefits among `figures` (rows of `indicators.figures`); where it is
    hidden, the mean. `people`: residents by column, by Gebiet.
    """
    shares = {
        key: float(value)
        for level, key, code, _position, period, value, _flag in figures
        if (level, code, period) == ("statgebiet", "sgb2_u14_proz", str(_LAST)) and value
    }
    weights = {key: young(people[key]) for key in shares}
    mean = sum(shares[key] * weights[key] for key in shares) / sum(weights.values())
    return {key: min(max(shares.get(key, mean) / mean, _NEED_LEAST), _NEED_MOST) for key in people}


def young(residents: Mapping[str, int]) -> int:
    """Return the residents from 0 to under 21 years."""
    return sum(residents[column] for column in YOUNG)


def youth(people: Mapping[str, Mapping[str, int]]) -> dict[int, dict[str, int]]:
    """Return the Jugendeinwohner (0 to under 21) of each year and statistisches Gebiet."""
    made: dict[int, dict[str, int]] = {year: {} for year in YEARS}
    for key, residents in people.items():
        dice = Dice(_TOPIC, 1, int(key))
        drift = _LESS_YOUNG_A_YEAR + dice.between(-0.006, 0.006)
        for year in YEARS:
            back = _LAST - year
            off = dice.between(-0.01, 0.01) if back else 0.0
            made[year][key] = max(0, round(young(residents) * (1 - drift * back + off)))
    return made


def youth_rows(of_gebiete: Mapping[int, Mapping[str, int]], above: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    """Yield the Jugendeinwohner of larger areas; `above`: for each level the area in which each Gebiet lies."""
    for level in RESIDENT_LEVELS:
        for year, gebiete in of_gebiete.items():
            for key, count in _added(gebiete, above[level]).items():
                yield level, key, "population", "0-21", str(year), str(count), "ok", "ist"


def helps(
    of_gebiete: Mapping[int, Mapping[str, int]],
    needs: Mapping[str, float],
    above: Mapping[str, Mapping[str, str]],
) -> dict[str, list[Row]]:
    """Return the tables by name: `faelle`, `ausgaben`, `stunden`, `beratungen`, `budget`; rows under `COLUMNS`.

    `of_gebiete`: Jugendeinwohner by year and Gebiet; `needs`: as `need` returns; `above`: for each level the area in
    which each Gebiet lies.
    """
    office = {above["sozialraum"][key]: above["bezirk"][key] for key in above["sozialraum"]}
    land = next(iter(above["land"].values()))
    where = {"sozialraum": {key: key for key in office}, "bezirk": office, "land": dict.fromkeys(office, land)}
    weighed = {
        key: sum(needs[gebiet] * of_gebiete[_LAST][gebiet] for gebiet in above["sozialraum"]
                 if above["sozialraum"][gebiet] == key)
        for key in office
    }  # fmt: skip
    residents = {year: _added(gebiete, above["sozialraum"]) for year, gebiete in of_gebiete.items()}
    pressure = {key: weighed[key] / max(1, residents[_LAST][key]) for key in office}
    dates: dict[tuple[str, str, int], int] = {}
    for code in _USUAL:
        for key, bezirk in office.items():
            dates |= _dates(code, key, bezirk, pressure[key], residents)
    spent, hours = _spending(dates, office), _hours(dates)
    dates |= _group_offers(dates, office, _GROUP_CASES)
    spent |= _group_offers(spent, office, _GROUP_EUR)
    hours |= _group_offers(hours, office, 1.0)
    return {
        "faelle": list(_cases(dates, where, land)),
        "ausgaben": list(_spending_rows(spent, where, land)),
        "stunden": list(_hours_rows(hours, where, office)),
        "beratungen": list(_counselling(residents, pressure, where)),
        "budget": list(_budget(spent, office)),
    }


def _added(gebiete: Mapping[str, int], owner: Mapping[str, str]) -> dict[str, int]:
    made: dict[str, int] = {}
    for gebiet, count in gebiete.items():
        made[owner[gebiet]] = made.get(owner[gebiet], 0) + count
    return dict(sorted(made.items()))


def _dates(
    code: str, key: str, bezirk: str, pressure: float, residents: Mapping[int, Mapping[str, int]]
) -> Iterator[tuple[tuple[str, str, int], int]]:
    """Yield the cases of a Hilfeart on the twelve key dates of each year together."""
    usual = _USUAL[code]
    dice = Dice(_TOPIC, 2, list(_USUAL).index(code), int(key[1:]))
    own = dice.between(1 - _OWN, 1 + _OWN)
    group = next(name for name, codes in groups().items() if name != ALL_HELPS and code in codes)
    for year in YEARS:
        expected = residents[year][key] / 1000 * usual.per_1000 * pressure**usual.need * own
        expected *= (1 + usual.growth) ** (year - _LAST) * _CLOSED.get(year, 1.0)
        if bezirk == OFFICE_WITH_PROGRAMME and year > PROGRAMME_SINCE:
            expected *= _PROGRAMME[group] ** (year - PROGRAMME_SINCE)
        yield (key, code, year), round(_DATES * expected * dice.between(1 - _OWN_YEAR, 1 + _OWN_YEAR))


def _positions(of_types: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield each Hilfeart and each group that has one of them, with its number."""
    yield from of_types.items()
    for name, codes in groups().items():
        told = [of_types[code] for code in codes if code in of_types]
        if told:
            yield name, sum(told)


def _told(level: str, of_types: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield what is told of an area: of a Sozialraum only groups, its Hilfearten would be small counts."""
    for position, number in _positions(of_types):
        if level != "sozialraum" or position in groups() or position == GROUP_OFFERS:
            yield position, number


def _by_area(counts: Counts, owner: Mapping[str, str]) -> dict[tuple[str, int], dict[str, int]]:
    """Return the sums over larger areas: of each area and year the number by code."""
    made: dict[tuple[str, int], dict[str, int]] = {}
    for (key, code, year), count in counts.items():
        own = made.setdefault((owner[key], year), {})
        own[code] = own.get(code, 0) + count
    return dict(sorted(made.items()))


def _cases(dates: Counts, where: Mapping[str, Mapping[str, str]], land: str) -> Iterator[Row]:
    for level in LEVELS:
        for (key, year), of_types in _by_area(dates, where[level]).items():
            for position, count in _told(level, of_types):
                mean = (count + _unassigned(key, position, count, land)) / _DATES
                yield level, key, "cases", position, str(year), _number(mean), "ok", "ist"


def _unassigned(key: str, position: str, number: int, land: str) -> int:
    return round(UNASSIGNED * number) if (key, position) == (land, ALL_HELPS) else 0


def _spending(dates: Counts, office: Mapping[str, str]) -> dict[tuple[str, str, int], int]:
    """Return the spending of each Sozialraum, Hilfeart and year in whole euros."""
    made = {}
    for (key, code, year), count in dates.items():
        dice = Dice(_TOPIC, 3, list(_USUAL).index(code), int(key[1:]), year)
        dear = 1 + 0.01 * (int(office[key]) - 4) + dice.between(-_OWN_COST, _OWN_COST)
        made[key, code, year] = round(count / _DATES * _USUAL[code].eur * _price(year) * dear)
    return made


def _price(year: int) -> float:
    """Return what helps cost in a year, the last one being 1."""
    made = 1.0
    for later in range(year + 1, _LAST + 1):
        made /= 1 + FEE_INCREASES[later] / 100
    return made


def _spending_rows(spent: Counts, where: Mapping[str, Mapping[str, str]], land: str) -> Iterator[Row]:
    for level in LEVELS:
        for (key, year), of_types in _by_area(spent, where[level]).items():
            flag = "provisional" if year == _LAST else "ok"
            for position, eur in _told(level, of_types):
                whole = eur + _unassigned(key, position, eur, land)
                yield level, key, "spending_eur", position, str(year), str(whole), flag, "ist"


def _hours(dates: Counts) -> dict[tuple[str, str, int], int]:
    """Return the hours of each Sozialraum, Hilfeart told in hours, and year."""
    made = {}
    for (key, code, year), count in dates.items():
        if _USUAL[code].hours:
            dice = Dice(_TOPIC, 4, list(_USUAL).index(code), int(key[1:]), year)
            made[key, code, year] = round(count / _DATES * _USUAL[code].hours * dice.between(0.9, 1.1))
    return made


def _group_offers(counts: Counts, office: Mapping[str, str], more: float) -> dict[tuple[str, str, int], int]:
    """Return what of the ambulant helps is in group offers; `more`: against their share of the hours."""
    made = {}
    for (key, year), of_types in _by_area(counts, {key: key for key in office}).items():
        own = Dice(_TOPIC, 5, int(key[1:])).between(0.6, 1.4) * (1.15 if office[key] == OFFICE_WITH_PROGRAMME else 1.0)
        ambulant = dict(_positions(of_types))["ambulant"]
        made[key, GROUP_OFFERS, year] = round(_between(_GROUP_SHARE, year) * own * more * ambulant)
    return made


def _hours_rows(hours: Counts, where: Mapping[str, Mapping[str, str]], office: Mapping[str, str]) -> Iterator[Row]:
    bezirk, year_without = WITHOUT_HOURS
    lacking = {"land": set(where["land"].values()), "bezirk": {bezirk},
               "sozialraum": {key for key in office if office[key] == bezirk}}  # fmt: skip
    for level in LEVELS:
        for (key, year), of_types in _by_area(hours, where[level]).items():
            missing = key in lacking[level] and year == year_without
            for position, count in _told(level, of_types):
                value, flag = ("", "missing") if missing else (str(count), "ok")
                # Not all helps are told in hours.
                if position != ALL_HELPS:
                    yield level, key, "hours", position, str(year), value, flag, "ist"


def _counselling(
    residents: Mapping[int, Mapping[str, int]], pressure: Mapping[str, float], where: Mapping[str, Mapping[str, str]]
) -> Iterator[Row]:
    made: dict[tuple[str, str, int], int] = {}
    for key in pressure:
        own = Dice(_TOPIC, 6, int(key[1:])).between(0.85, 1.15)
        for year in YEARS:
            dice = Dice(_TOPIC, 7, int(key[1:]), year)
            usual = residents[year][key] / 1000 * _NEW_PER_1000 * _CLOSED.get(year, 1.0)
            new = round(usual * pressure[key] ** 0.6 * own * dice.between(0.95, 1.05))
            made[key, "counselling_new", year] = new
            made[key, "counselling_followed", year] = round(new * _between(_FOLLOWED, year) * dice.between(0.92, 1.08))
    for level in LEVELS:
        for (key, year), counts in _by_area(made, where[level]).items():
            for code, count in counts.items():
                yield level, key, code, ALL_HELPS, str(year), str(count), "ok", "ist"


def _between(ends: Sequence[float], year: int) -> float:
    """Return what lies between the values of the first and the last year."""
    return ends[0] + (ends[1] - ends[0]) * (year - _FIRST) / (_LAST - _FIRST)


def _budget(spent: Counts, office: Mapping[str, str]) -> Iterator[Row]:
    """Yield budgets, fee increases and spending on unaccompanied minors; for one office the effects of its programme.

    The forecast is what the office would spend without the programme.
    """
    of_offices = {key: dict(_positions(of_types))[ALL_HELPS] for key, of_types in _by_area(spent, office).items()}
    for bezirk in sorted(set(office.values())):
        dice = Dice(_TOPIC, 9, int(bezirk))
        minors = dice.between(0.05, 0.08) * of_offices[bezirk, _FIRST]
        for year in YEARS:
            whole = of_offices[bezirk, year]
            flag = "provisional" if year == _LAST else "ok"
            budget = round(whole * dice.between(0.93, 1.03), -3)
            # Fewer came until 2021, more again since 2022.
            uma = round(minors * (0.72 ** min(year - _FIRST, 2)) * 1.16 ** max(0, year - PROGRAMME_SINCE), -3)
            yield _whole_row(bezirk, "budget_eur", year, budget)
            yield _whole_row(bezirk, "fee_increase_pct", year, FEE_INCREASES[year])
            yield _whole_row(bezirk, "uma_spending_eur", year, uma, flag=flag)
        if bezirk == OFFICE_WITH_PROGRAMME:
            yield from _programme({year: of_offices[bezirk, year] for year in YEARS}, dice)


def _programme(spent: Mapping[int, int], dice: Dice) -> Iterator[Row]:
    bezirk, forecast = OFFICE_WITH_PROGRAMME, float(spent[PROGRAMME_SINCE])
    for number, year in enumerate(range(PROGRAMME_SINCE + 1, _LAST + 1)):
        flag = "provisional" if year == _LAST else "ok"
        forecast *= _FORECAST_GROWTH + FEE_INCREASES[year] / 100
        yield _whole_row(bezirk, "spending_eur", year, round(forecast, -3), scenario="prognose", position=ALL_HELPS)
        yield _whole_row(bezirk, "reduzierter_ausgabenzuwachs_eur", year, 500_000 * (number + 1), scenario="prognose")
        for code, eur in (("staff_cost_eur", 420_000), ("prevention_cost_eur", 650_000), ("base_effect_eur", 150_000)):
            yield _whole_row(bezirk, code, year, eur, scenario="prognose")
            actual = eur if code == "base_effect_eur" else round(eur * dice.between(0.8, 1.1), -3)
            yield _whole_row(bezirk, code, year, actual, flag=flag)


def _whole_row(
    bezirk: str, code: str, year: int, value: float, *, flag: str = "ok", scenario: str = "ist", position: str = ""
) -> Row:
    return "bezirk", bezirk, code, position, str(year), _number(value), flag, scenario


def _number(value: float) -> str:
    """Return a number with all its digits, whole ones without a point."""
    return str(int(value)) if value == int(value) else repr(value)
