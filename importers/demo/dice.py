"""Seeded chance. Only the plain uniform draw is used, so a new numpy does not change the city."""

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np
import numpy.typing as npt

_SEED = 20260101

Item = TypeVar("Item")


class Dice:
    """A stream of draws of its own for each combination of `parts` (such as a topic and an area key)."""

    def __init__(self, *parts: int) -> None:
        self._generator = np.random.default_rng([_SEED, *parts])

    def many(self, *shape: int) -> npt.NDArray[np.float64]:
        """Return an array of draws, each from 0 (inclusive) to 1 (exclusive)."""
        return self._generator.random(shape)

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` (inclusive) to `high` (exclusive)."""
        return low + (high - low) * float(self._generator.random())

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both inclusive."""
        return int(self.between(low, high + 1))

    def chance(self, probability: float) -> bool:
        """Return True with the given probability (a fraction)."""
        return self.between(0, 1) < probability

    def pick(self, items: Sequence[Item], weights: Sequence[float] | None = None) -> Item:
        """Return one of the items, by weight where weights are given (at least one of them above 0)."""
        if weights is None:
            return items[self.whole(0, len(items) - 1)]
        sums = list(accumulate(weights))
        draw = self.between(0, sums[-1])
        return next(item for item, upto in zip(items, sums, strict=True) if draw < upto)


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Distribute `total` whole units by weight (largest remainder; ties to the first), so that the sum is exact.

    Weights that are all 0 count as equal.

    >>> apportion(10, [1, 1, 1])
    [4, 3, 3]
    """
    shares = np.asarray(weights, dtype=np.float64)
    if not shares.any():
        shares = np.ones(len(shares))
    exact = total * shares / shares.sum()
    counts = np.floor(exact + 1e-9).astype(np.int64)
    rest = np.argsort(counts - exact, kind="stable")[: total - int(counts.sum())]
    counts[rest] += 1
    return [int(count) for count in counts]
