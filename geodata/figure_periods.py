"""Which periods and ways of counting are not published beside others, as their differences would give counts away.

A year less its first half is the second half; what was counted over a year less what was there at its beginning is what
began. A pattern of suppression protects the figures of one table against each other; figures of two tables that are
tied like this must not both be public. Of those that exclude each other one is published for the areas of a city: the
one that tells most. The others stay with the office.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from enum import StrEnum

from geodata.periods import Period

# How something is counted (empty: nobody says), and when.
Counted = tuple[str, Period]

_DAY = dt.timedelta(days=1)
_KEY_DATE, _MEAN, _CUMULATED, _BEGUN, _ENDED = "stichtag", "mittel_12_stichtage", "kumuliert", "begonnen", "beendet"
# A mean of twelve key dates less eleven of them is the twelfth.
_NEARLY_TWELVE = 11
# What begun and ended cases add up to is known from the key dates at both ends.
_BOTH_ENDS = 2
# Of amounts counted differently for one period the first is published.
_ORDER = (_CUMULATED, _BEGUN, _ENDED, _KEY_DATE, _MEAN, "")


class Why(StrEnum):
    """Why figures stay with the office."""

    PLACEMENTS = "placements"  # placements of the same day or period are published
    PERIOD = "period"  # they are part of a longer period that is published, or of the same day
    COUNTING = "counting"  # they are counted in another way than what is published
    LEVEL = "level"  # the level is below those that are published
    TIES = "ties"  # it is not known how the areas hang together with wider ones


def withheld_cases(there: Collection[Counted], placed: Collection[Counted]) -> dict[Counted, Why]:
    """Return which cases of a city are not published; ``there``: all it has, ``placed``: published placements."""
    found: dict[Counted, Why] = {}
    every = [*there, *placed]
    for one in there:
        if any(_tells(one, other) for other in placed):
            found[one] = Why.PLACEMENTS
        elif any(_longer(other, one) for other in there):
            found[one] = Why.PERIOD
        elif _other_counting(one, every):
            found[one] = Why.COUNTING
    return found


def withheld_amounts(there: Collection[Counted]) -> dict[Counted, Why]:
    """Return which amounts (or counselling cases) of a city are not published: they add up over time."""
    found: dict[Counted, Why] = {}
    for counting, period in there:
        others = [other for other in there if other != (counting, period)]
        if any(other != period and within(period, other) for _counting, other in others):
            found[counting, period] = Why.PERIOD
        elif any(other == period and _rank(way) < _rank(counting) for way, other in others):
            found[counting, period] = Why.COUNTING
    return found


def overlap(one: Period, other: Period) -> bool:
    """Tell whether two periods have a day in common."""
    return one.starts <= other.ends and other.starts <= one.ends


def within(inner: Period, outer: Period) -> bool:
    """Tell whether a period lies in another, or is it."""
    return outer.starts <= inner.starts and inner.ends <= outer.ends


def _rank(counting: str) -> int:
    return _ORDER.index(counting) if counting in _ORDER else len(_ORDER)


def _tells(one: Counted, placed: Counted) -> bool:
    """Tell whether cases and placements together would give counts away."""
    (counting, period), (way, when) = one, placed
    if way == _KEY_DATE:
        return counting in {_KEY_DATE, ""} and period.ends == when.ends
    return counting in {_BEGUN, _CUMULATED, ""} and overlap(period, when)


def _longer(other: Counted, one: Counted) -> bool:
    """Tell whether other cases, counted in the same way, are of a longer period that makes these superfluous."""
    (way, when), (counting, period) = other, one
    if way != counting or when == period:
        return False
    same_day = counting in {_KEY_DATE, ""} and when.ends == period.ends
    return within(period, when) and (counting != _KEY_DATE or same_day)


def _other_counting(one: Counted, every: Collection[Counted]) -> bool:
    counting, period = one
    others = [(way, when) for way, when in every if way != counting and overlap(period, when)]
    ways = {way for way, _when in others}
    if counting == "":
        return bool(ways)
    if counting == _CUMULATED:
        return bool(ways & {_BEGUN, _ENDED})
    if counting == _MEAN:
        return len(set(_key_dates(every, period.starts, period.ends))) >= _NEARLY_TWELVE
    if counting in {_BEGUN, _ENDED}:
        against = [when for way, when in others if way == (_ENDED if counting == _BEGUN else _BEGUN)]
        return any(
            len(set(_key_dates(every, min(period.starts, when.starts) - _DAY, max(period.ends, when.ends))))
            >= _BOTH_ENDS
            for when in against
        )
    return False


def _key_dates(every: Collection[Counted], first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for counting, period in every:
        if counting == _KEY_DATE and first <= period.ends <= last:
            yield period.ends
