"""Where first: deficits, need, priority and rank of areas, and how far ranks move when the assumptions do.

For area a with P residents of the ages asked for and the standard v::

    needed(a)   = v · P / per                        per: 1,000, or 1 where the standard is a share of residents
    deficit(a)  = max(0, needed(a) − have(a))
    D(a)        = 1000 · deficit(a) / P
    z(x)(a)     = (x(a) − mean(x)) / sigma(x)        mean and sigma weighted with P; 0 where sigma is 0
    need(a)     = Σ_i w_i · z(x_i)(a) / Σ_i |w_i|    w_i < 0: a lower value of indicator i means more need
    priority(a) = z(D)(a) + W · need(a)              W: the weight of need
    rank(a)     = 1 + number of areas with a greater priority

========= ==============================================================================================
P         residents (people, may be fractional), > 0 in ranked areas
v         standard: supply per 1,000 residents, or a share (0 to 1)
have      supply (places or hours per week), residents reached, or what an access index stands for
D         deficit per 1,000 residents
sigma     standard deviation over the ranked areas, without Bessel's correction: they are all there are
========= ==============================================================================================

Only areas with residents, a known ``have`` and all indicators are ranked; mean and sigma are theirs.

Sensitivity. Factors move the assumptions: the standard by 0.9 or 1.1 (a share never beyond 1), each indicator's weight
and W by 0.75 or 1.25. Ranks are formed anew for: no change; each assumption alone at either of its ends; and all
combinations of ends ("corners"). The best and the worst rank are the range. Where W or there is no need weighting, only
the standard moves; with a single indicator its weight cancels out and stays.

Worked example: three areas with 100 residents each, 1, 3 and 5 places, and a standard of 40 per 1,000: needed are 4
each, deficits 3, 1 and 0, per 1,000 30, 10 and 0 with mean 13.33 and sigma 12.47.

>>> got = rank_areas(Standard(40.0), np.full(3, 100.0), np.array([1.0, 3.0, 5.0]))
>>> got.deficit.tolist(), got.priority.round(4).tolist(), got.rank.tolist()
([3.0, 1.0, 0.0], [1.3363, -0.2673, -1.069], [1, 2, 3])
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from geodata.rounding import cleaned

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

PER = 1000
MOST_INDICATORS = 6
STANDARD_MOVES = (0.9, 1.1)
WEIGHT_MOVES = (0.75, 1.25)
# Priorities nearer to each other are equal; noise of arithmetic is far below, a difference that matters far above.
TIE = 1e-9
# A spread below this share of the values is noise: all values are the same.
_NO_SPREAD = 1e-9
UNRANKED = 0


@dataclass(frozen=True, slots=True)
class Standard:
    """So much ``value`` per ``per`` residents, at most ``most`` however it moves (1 for a share)."""

    value: float
    per: float = PER
    most: float = np.inf

    def needed(self, residents: Floats, factor: float = 1.0) -> Floats:
        """Return what so many residents need, the standard moved by a factor."""
        return cleaned(min(self.value * factor, self.most) * residents / self.per)


@dataclass(frozen=True, slots=True)
class Need:
    """Indicators (k, areas; NaN: missing), their signed weights (k,), and the weight of need as a whole (>= 0)."""

    indicators: Floats
    weights: Floats
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """Per area; NaN, or 0 for ranks, where it is not known or not ranked."""

    needed: Floats
    deficit: Floats
    deficit_per_1000: Floats
    need_index: Floats
    priority: Floats
    rank: Ints
    low: Ints
    high: Ints


def deficits(needed: Floats, have: Floats) -> Floats:
    """Return max(0, needed − have), without the noise of subtraction; NaN where either is missing."""
    short = needed - have
    return np.where(short <= TIE * np.maximum(1.0, needed), np.where(np.isnan(short), np.nan, 0.0), cleaned(short))


def z_scores(values: Floats, weights: Floats, among: Flags) -> Floats:
    """Return how many weighted standard deviations values lie above the weighted mean of those ``among``.

    0 everywhere where these do not differ; NaN where a value is missing. The unit of the values does not matter.
    """
    made = np.where(np.isnan(values), np.nan, 0.0)
    scale = float(np.abs(values[among]).max(initial=0.0))
    if scale == 0.0:
        return made
    own, weight = values[among] / scale, weights[among] / weights[among].sum()
    mean = float(weight @ own)
    sigma = float(np.sqrt(weight @ np.square(own - mean)))
    if sigma <= _NO_SPREAD:
        return made
    result: Floats = (values / scale - mean) / sigma
    return result


def ranks(priority: Floats) -> Ints:
    """Return ranks from 1 for the greatest; values within 1e-9 of their neighbour share the better rank."""
    order = np.argsort(-priority, kind="stable")
    lower = np.diff(priority[order]) < -TIE
    place = np.arange(1, len(priority) + 1)
    made = np.empty(len(priority), dtype=np.int64)
    made[order] = np.maximum.accumulate(np.where(np.concatenate(([True], lower))[: len(place)], place, 1))
    return made


def rank_areas(standard: Standard, residents: Floats, have: Floats, need: Need | None = None) -> Ranked:
    """Return deficits, need, priority, ranks and their range (see the module).

    ``residents`` and ``have`` of shape (areas,), NaN: not known. Independent of the areas' order.
    """
    count = len(residents)
    given = Need(np.zeros((0, count)), np.zeros(0), 0.0) if need is None else need
    needed = standard.needed(residents)
    deficit = deficits(needed, have)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_1000 = np.where(residents > 0, PER * deficit / residents, np.nan)
    among = np.isfinite(per_1000) & np.isfinite(given.indicators).all(axis=0)
    z_need = np.array([z_scores(own, residents, among) for own in given.indicators])
    z_need = z_need.reshape(len(given.weights), count)
    made = Ranked(
        needed, deficit, per_1000,
        _index(z_need, given.weights) if need is not None else np.full(count, np.nan),
        np.full(count, np.nan), *(np.full(count, UNRANKED, dtype=np.int64) for _ in range(3)),
    )  # fmt: skip
    if not among.any():
        return made
    own, own_have, own_need = residents[among], have[among], z_need[:, among]
    everywhere = np.ones(len(own), dtype=np.bool_)
    short = {
        factor: z_scores(deficits(standard.needed(own, factor), own_have) / own, own, everywhere)
        for factor in (1.0, *STANDARD_MOVES)
    }
    low, high = np.full(len(own), len(own)), np.ones(len(own), dtype=np.int64)
    for factor, whole, parts in _moves(given):
        found = ranks(short[factor] + given.weight * whole * _index(own_need, given.weights * parts))
        low, high = np.minimum(low, found), np.maximum(high, found)
    priority = short[1.0] + given.weight * _index(own_need, given.weights)
    made.priority[among], made.rank[among] = priority, ranks(priority)
    made.low[among], made.high[among] = low, high
    return made


def _index(z_need: Floats, weights: Floats) -> Floats:
    """Return the need index: the mean of the z-scores with weights whose amounts add up to 1."""
    total = np.abs(weights).sum()
    result: Floats = weights / (total if total > 0 else 1.0) @ z_need
    return result


def _moves(need: Need) -> Iterator[tuple[float, float, Floats]]:
    """Yield the factors of the standard, of the weight of need, and of each indicator's weight."""
    count = len(need.weights)
    whole = WEIGHT_MOVES if count and need.weight > 0 else ()
    parts = count if whole and count > 1 else 0
    ends: list[tuple[float, ...]] = [STANDARD_MOVES, *([whole] if whole else []), *([WEIGHT_MOVES] * parts)]
    none = [1.0] * len(ends)
    alone = [[*none[:i], end, *none[i + 1 :]] for i, both in enumerate(ends) for end in both]
    for factors in [none, *alone, *product(*ends)]:
        standard, *rest = factors
        yield (
            standard,
            rest[0] if whole else 1.0,
            np.array(rest[1:]) if parts else np.ones(count),
        )
