"""Intervals for shares and for the difference of two shares.

**Wilson's score interval** (E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
Journal of the American Statistical Association 22 (1927), 209-212). Of ``n`` cases ``x`` have the property, p = x/n; z
is the quantile of the standard normal distribution to the confidence (1.95996 for 95 %). The interval holds every share
π whose distance from p is at most z standard errors *of π*: (p − π)² ≤ z² π (1 − π) / n. Solved for π::

    (p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n)

It stays between 0 and 1 and keeps its confidence with few cases and shares near 0 or 1, where p ± z √(p (1 − p)/n) does
not.

**Newcombe's hybrid score interval** for a difference d = p₂ − p₁ of two *independent* shares (R. G. Newcombe, "Interval
estimation for the difference between independent proportions: comparison of eleven methods", Statistics in Medicine 17
(1998), 873-890, method 10). With Wilson's limits l₁, u₁ and l₂, u₂ of the two shares::

    d − √((p₂ − l₂)² + (u₁ − p₁)²)   to   d + √((u₂ − p₂)² + (p₁ − l₁)²)

Many young people are in two quarters both; the shares are then not independent, and the interval of their difference is
rather too wide: what it calls secured is.

Worked example (§ 34, Hamburg-Mitte, provider outside Hamburg): 311 of 617 in 2019-Q3 are 50.41 % [46.47; 54.34], 287 of
540 in 2021-Q3 are 53.15 % [48.93; 57.32]; the difference is + 2.74 percentage points [−3.02; + 8.48] and covers 0.
"""

from dataclasses import dataclass
from functools import cache
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval, ``low`` to ``high``, both fractions (0.5041) or differences of fractions."""

    low: float
    high: float

    def covers(self, value: float) -> bool:
        """Tell whether the value lies in the interval; a limit does."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Proportion:
    """``hits`` of ``total`` cases; ``total`` 0 has no share.

    Raises ``ValueError`` for negative numbers and for more hits than cases.
    """

    hits: float
    total: float

    def __post_init__(self) -> None:
        # A NaN fails every comparison, so it is refused too.
        if not 0 <= self.hits <= self.total < float("inf"):
            raise ValueError(f"{self.hits} of {self.total} is no share")

    def share(self) -> float | None:
        """Return the share as a fraction, None without any case."""
        return self.hits / self.total if self.total else None


def wilson(proportion: Proportion, confidence: float = CONFIDENCE) -> Interval | None:
    """Return Wilson's interval of a share (fractions from 0 to 1); None without any case.

    ``confidence`` lies between 0 and 1, both exclusive; ``ValueError`` otherwise.
    """
    share = proportion.share()
    z = _quantile(confidence)
    if share is None:
        return None
    n = proportion.total
    middle = share + z * z / (2 * n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At 0 and 1 the limit is the share itself; floating point would miss it by a hair.
    low = 0.0 if proportion.hits == 0 else max(0.0, (middle - half) / scale)
    high = 1.0 if proportion.hits == n else min(1.0, (middle + half) / scale)
    return Interval(low, high)


def newcombe(before: Proportion, after: Proportion, confidence: float = CONFIDENCE) -> Interval | None:
    """Return Newcombe's interval of the difference "share after − share before" (fractions, −1 to 1).

    None where either has no case. Where it covers 0, the change is not secured. ``confidence`` as for ``wilson``.
    """
    first, second = wilson(before, confidence), wilson(after, confidence)
    share_before, share_after = before.share(), after.share()
    if first is None or second is None or share_before is None or share_after is None:
        return None
    change = share_after - share_before
    down = sqrt((share_after - second.low) ** 2 + (first.high - share_before) ** 2)
    up = sqrt((second.high - share_after) ** 2 + (share_before - first.low) ** 2)
    return Interval(change - down, change + up)


@cache
def _quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence} lies not between 0 and 1")
    return NormalDist().inv_cdf((1 + confidence) / 2)
