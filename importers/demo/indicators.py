"""Invented social indicators of the Gebiete in two years: neighbouring areas are alike, larger areas are exact sums.

Where somebody might be recognised (one or two cases) the figure is suppressed, and a second one of the same Stadtteil
with it, so that it cannot be worked out; households are missing in a few Gebiete.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon

from importers.demo.borders import random_points
from importers.demo.dice import Dice
from importers.demo.population import UNDER_18, under_18

PERIODS = ("2024", "2025")
"""The years; residents of the last one are those of the demo's population."""

UNDER_14, MINORS, FAMILIES = "bev_u14_anz", "bev_u18_anz", "haushalte_mit_kindern_anz"
"""Counts that the shares refer to: residents under 14, residents under 18, households with children."""

FINEST = "statgebiet"
"""The level the other levels' counts are sums of."""

FACTOR = 100
"""Shares are in percent."""


@dataclass(frozen=True)
class Share:
    """A share in percent: `numerator` ÷ `denominator` × `FACTOR`.

    `usual` is its middle; `common` and `own` say how much of it follows the need that all shares have in common, and a
    pattern of its own (fractions each).
    """

    code: str
    numerator: str
    denominator: str
    usual: float
    common: float
    own: float


SHARES = (
    Share("sgb2_u14_proz", "sgb2_u14_anz", UNDER_14, 0.20, 0.16, 0.05),
    Share("alleinerziehende_proz", "alleinerziehende_anz", FAMILIES, 0.26, 0.11, 0.08),
    Share(
        "bev_u18_migrationshintergrund_proz", "bev_u18_migrationshintergrund_anz", MINORS, 0.50, 0.24, 0.12,
    ),
)  # fmt: skip
"""The shares; each is published with its numerator."""

COUNTS = (UNDER_14, MINORS, FAMILIES, *(share.numerator for share in SHARES))
"""The counts, each with figures for every level."""

_TOPIC = 7
_HILLS = 16
_NOISE, _CHANGE = 0.03, 0.05
_LEAST, _MOST = 0.01, 0.9
_PER_FAMILY = (1.5, 1.75)
_CASES_TO_HIDE = (1, 2)
_MISSING = 0.008

Row = tuple[str, str, str, str, str, str, str]
Counts = dict[str, int]
Floats = NDArray[np.float64]


def figures(
    gebiete: Mapping[str, MultiPolygon],
    people: Mapping[str, Mapping[str, int]],
    above: Mapping[str, Mapping[str, str]],
) -> Iterator[Row]:
    """Yield rows of canonical statistics: level, key, indicator, position (none), period, value, flag.

    `gebiete` (EPSG:25832) and `people` (residents by column) are keyed by statistisches Gebiet; `above` is for each
    larger level the area in which each Gebiet lies. Counts are whole numbers; a share of nothing is missing.
    """
    patterns = _patterns(gebiete)
    missing = {key: Dice(_TOPIC, 1, int(key)).chance(_MISSING) for key in gebiete}
    for number, period in enumerate(PERIODS):
        finest = {key: _counts(key, people[key], patterns[key], number) for key in gebiete}
        hidden = {share.numerator: _hide(finest, share.numerator) for share in SHARES}
        for level, owner in above.items():
            for key, counts in _sums(finest, owner).items():
                yield from _rows(level, key, period, counts, {})
        for key, counts in finest.items():
            flags = {code: "suppressed" for code, keys in hidden.items() if key in keys}
            if missing[key]:
                flags |= dict.fromkeys((FAMILIES, "alleinerziehende_anz"), "missing")
            yield from _rows(FINEST, key, period, counts, flags)


def _patterns(gebiete: Mapping[str, MultiPolygon]) -> dict[str, Floats]:
    """Return for each Gebiet a value from -1 to 1 per pattern: the common one, then one per share."""
    middle = shapely.get_coordinates(shapely.centroid(list(gebiete.values())))
    shapes = list(gebiete.values())
    columns = []
    for pattern in range(len(SHARES) + 1):
        dice = Dice(_TOPIC, 2, pattern)
        height = np.zeros(len(middle))
        for number in range(_HILLS):
            x, y = random_points(dice.pick(shapes), 1, dice)[0]
            away = ((middle - (x, y)) ** 2).sum(axis=1) / dice.between(1_500, 4_500) ** 2
            height += (-1) ** number / (1 + away) ** 2
        columns.append(height / np.abs(height).max())
    return dict(zip(gebiete, np.column_stack(columns), strict=True))


def _counts(key: str, residents: Mapping[str, int], pattern: Floats, number: int) -> Counts:
    """Return the counts of a Gebiet in a year; the years differ a little, the last is that of the residents."""
    steady, dice = Dice(_TOPIC, 3, int(key)), Dice(_TOPIC, 4 + number, int(key))
    last = number == len(PERIODS) - 1
    under_14 = sum(residents[column] for column in UNDER_18[:-1])
    older = under_18(residents) - under_14
    if not last:
        under_14, older = (round(group * dice.between(1 - _CHANGE, 1 + _CHANGE / 2)) for group in (under_14, older))
    made = {UNDER_14: under_14, MINORS: under_14 + older}
    made[FAMILIES] = round(made[MINORS] / steady.between(*_PER_FAMILY))
    for share, own in zip(SHARES, pattern[1:].tolist(), strict=True):
        part = share.usual + share.common * float(pattern[0]) + share.own * own
        part = (part + steady.between(-_NOISE, _NOISE)) * dice.between(1 - _CHANGE, 1 + _CHANGE)
        made[share.numerator] = round(made[share.denominator] * min(max(part, _LEAST), _MOST))
    return made


def _hide(finest: Mapping[str, Counts], code: str) -> set[str]:
    """Return the Gebiete whose count is suppressed; a lone Gebiet of a Stadtteil is rounded to 0 or 3 instead."""
    stadtteile: dict[str, list[str]] = {}
    for key in finest:
        stadtteile.setdefault(key[:5], []).append(key)
    hidden: set[str] = set()
    for keys in stadtteile.values():
        few = [key for key in keys if finest[key][code] in _CASES_TO_HIDE]
        if few and len(keys) == 1:
            finest[keys[0]][code] = 3 if finest[keys[0]][code] > 1 else 0
        elif len(few) == 1:
            others = [key for key in keys if key not in few]
            hidden |= {*few, min(others, key=lambda key: (finest[key][code] == 0, finest[key][code], key))}
        else:
            hidden |= set(few)
    return hidden


def _sums(finest: Mapping[str, Counts], owner: Mapping[str, str]) -> dict[str, Counts]:
    made: dict[str, Counts] = {}
    for key, counts in finest.items():
        own = made.setdefault(owner[key], dict.fromkeys(COUNTS, 0))
        for code, count in counts.items():
            own[code] += count
    return dict(sorted(made.items()))


def _rows(level: str, key: str, period: str, counts: Counts, flags: Mapping[str, str]) -> Iterator[Row]:
    for code in COUNTS:
        flag = flags.get(code, "ok")
        yield level, key, code, "", period, str(counts[code]) if flag == "ok" else "", flag
    for share in SHARES:
        whole = counts[share.denominator]
        flag = flags.get(share.numerator, "ok") if whole else "missing"
        value = repr(FACTOR * counts[share.numerator] / whole) if flag == "ok" else ""
        yield level, key, share.code, "", period, value, flag
