"""Residents by age group: the counts per Stadtteil are facts, their split by age and by Gebiet is invented."""

from collections.abc import Iterable, Mapping, Sequence

from importers.demo.dice import Dice, apportion
from importers.demo.facts import Stadtteil

TOTAL = "einwohner"
"""Column with all residents (persons); always the sum of the age groups."""

UNDER_18 = ("einwohner_0_3", "einwohner_3_6", "einwohner_6_10", "einwohner_10_14", "einwohner_14_18")
"""Columns of the age groups under 18; ages from (inclusive) to (exclusive)."""

ADULTS = ("einwohner_18_21", "einwohner_21_27", "einwohner_27_")
"""Columns of the age groups from 18; the last one is open."""

COLUMNS = (TOTAL, *UNDER_18, *ADULTS)
"""All columns of residents in their order."""

_TOPIC = 2
_SHARES_UNDER_18 = (0.178, 0.172, 0.220, 0.212, 0.218)
_SHARES_ADULTS = (0.034, 0.101, 0.865)
_SPREAD_SIZE = 0.45
_SPREAD_YOUNG = 0.25
_SPREAD_AGE = 0.12


def residents(stadtteile: Sequence[Stadtteil]) -> dict[str, dict[str, int]]:
    """Return the residents of each statistisches Gebiet by column.

    The Gebiete of a Stadtteil add up exactly to its residents and to its residents under 18.
    """
    result: dict[str, dict[str, int]] = {}
    for stadtteil in stadtteile:
        dice = Dice(_TOPIC, int(stadtteil.key))
        size = [_varied(1.0, _SPREAD_SIZE, dice) for _ in range(stadtteil.gebiete)]
        young = apportion(stadtteil.residents_u18, [_varied(weight, _SPREAD_YOUNG, dice) for weight in size])
        adult = apportion(stadtteil.residents - stadtteil.residents_u18, size)
        for number, (minors, others) in enumerate(zip(young, adult, strict=True), start=1):
            groups = _split(minors, UNDER_18, _SHARES_UNDER_18, dice) | _split(others, ADULTS, _SHARES_ADULTS, dice)
            result[f"{stadtteil.key}{number:03d}"] = {TOTAL: minors + others} | groups
    return result


def added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of several areas' residents, column by column."""
    rows = list(parts)
    return {column: sum(row[column] for row in rows) for column in COLUMNS}


def under_18(row: Mapping[str, int]) -> int:
    """Return the residents aged 0 to under 18."""
    return sum(row[column] for column in UNDER_18)


def _split(count: int, columns: Sequence[str], shares: Sequence[float], dice: Dice) -> dict[str, int]:
    weights = [_varied(share, _SPREAD_AGE, dice) for share in shares]
    return dict(zip(columns, apportion(count, weights), strict=True))


def _varied(value: float, spread: float, dice: Dice) -> float:
    return value * dice.between(1 - spread, 1 + spread)
