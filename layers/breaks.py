"""Where the classes of a map begin: breaks between whole numbers, found by a method and then made round.

Values come as whole numbers in units of the last decimal shown; a break is the lowest number of the class it opens.
"""

import warnings
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Breaks:
    """Ascending breaks, and for a diverging scale one signed step from the middle per class (one more than breaks).

    ``single``: each class was made for one value.
    """

    breaks: tuple[int, ...]
    steps: tuple[int, ...] | None = None
    single: bool = False


def breaks_of(units: Sequence[int], method: str, count: int, centre: int | None = None) -> Breaks:
    """Return the breaks for at most ``count`` classes of the units; with a ``centre`` mirrored about it.

    No more distinct values than classes: each has one. Methods: see layers.classes.
    """
    if centre is not None:
        return _mirrored(units, method, count, centre)
    distinct = sorted(set(units))
    if len(distinct) <= count:
        return Breaks(tuple(distinct[1:]), single=True)
    if method == "stddev":
        return _by_deviation(distinct, units, count)
    return Breaks(_found(distinct, units, method, count))


def _found(distinct: list[int], units: Sequence[int], method: str, count: int) -> tuple[int, ...]:
    """Return round breaks for more distinct values than classes."""
    if count == 1:
        return ()
    if method == "natural":
        return _between(distinct, natural_limits(units, count))
    import mapclassify  # noqa: PLC0415 - two seconds that only maps of numbers pay

    # That ties leave fewer classes is said in the sentence of the classes.
    warnings.filterwarnings("ignore", "Not enough unique values", UserWarning, "mapclassify")
    values = np.array(sorted(units), dtype=np.float64)
    if method == "quantile":
        return _between(distinct, mapclassify.Quantiles(values, k=count).bins[:-1])
    if method == "equal":
        return _near(distinct, mapclassify.EqualInterval(values, k=count).bins[:-1].tolist())
    if method == "pretty":
        # It takes the number of classes for a wish; we take the finest of its answers that has no more.
        tried = (mapclassify.PrettyBreaks(values, k=k).bins[:-1] for k in range(2 * count, 1, -1))
        made = (_inside(distinct, (round(float(limit)) for limit in limits)) for limits in tried)
        return next((found for found in made if len(found) < count), ())
    if method == "stddev":
        # Distances from a centre: one, two, three … standard deviations about the centre itself.
        deviation = float(np.sqrt(np.mean(np.square(values))))
        return _near(distinct, [deviation * at for at in range(1, count)])
    raise ValueError(f"not a method of classing: {method!r}")


def _by_deviation(distinct: list[int], units: Sequence[int], count: int) -> Breaks:
    """Return breaks one standard deviation apart, symmetric about the mean; classes beyond the values fall away."""
    import mapclassify  # noqa: PLC0415

    multiples = [at - count / 2 for at in range(1, count)]
    limits = [float(limit) for limit in mapclassify.StdMean(np.array(units, dtype=np.float64), multiples).bins]
    limits = limits[: count - 1]  # it adds the largest value
    breaks = [_near(distinct, [limit], limits[1] - limits[0] if count > 2 else None) for limit in limits]
    kept = [(found[0], at) for at, found in enumerate(breaks) if found]
    chosen = {number: at for number, at in reversed(kept)}
    below = [chosen[number] for number in sorted(chosen)]
    classes = [below[0], *(at + 1 for at in below)] if below else [count // 2]
    return Breaks(tuple(sorted(chosen)), tuple(_step(at, count) for at in classes))


def _step(at: int, count: int) -> int:
    """Return the signed distance of class ``at`` from the middle of ``count``; there is a class 0 if count is odd."""
    half, odd = divmod(count, 2)
    return at - half if odd or at < half else at - half + 1


def _mirrored(units: Sequence[int], method: str, count: int, centre: int) -> Breaks:
    """Return breaks at equal distances below and above the centre, which is a break itself."""
    distances = [abs(unit - centre) for unit in units if unit != centre]
    if not distances:
        return Breaks((), (1,))
    limits = _beside(_one_sided(distances, method, (count + 1) // 2), distances)
    # A value at a break belongs to the class above it: above the centre the stronger one, below it the weaker one. Of
    # few values each is looked at by itself, so there the break moves on, and equal distances are equally strong; of
    # many the same round numbers on both sides are worth more.
    seen = set(units) if len(set(distances)) <= 2 * count else set()
    lower = [centre - limit + (centre - limit in seen) for limit in reversed(limits)]
    every = [*lower, centre, *(centre + limit for limit in limits)]
    breaks = tuple(number for number in every if min(units) < number <= max(units))
    lowest = sum(number <= min(units) for number in every)
    half = len(limits) + 1
    return Breaks(breaks, tuple(_step(lowest + at, 2 * half) for at in range(len(breaks) + 1)))


def _one_sided(distances: Sequence[int], method: str, count: int) -> tuple[int, ...]:
    """Return breaks of the distances from a centre."""
    distinct = sorted(set(distances))
    return tuple(distinct[1:]) if len(distinct) <= count else _found(distinct, distances, method, count)


def _beside(limits: Sequence[int], distances: Sequence[int]) -> tuple[int, ...]:
    """Return limits that part the distances as these do and lie on none of them, wherever there is room."""
    distinct = sorted(set(distances))
    found = []
    for limit in limits:
        at = bisect_left(distinct, limit)
        least = distinct[at - 1] + 1 if at else 1
        on_one = at < len(distinct) and distinct[at] == limit and least < limit
        found.append(roundest(least, limit - 1, (least + limit) / 2) if on_one else limit)
    return tuple(found)


def _between(distinct: list[int], lasts: Iterable[float]) -> tuple[int, ...]:
    """Return the roundest breaks behind the last values of classes: no value changes its class."""
    found = []
    for last in lasts:
        at = bisect_left(distinct, last + 1e-9)
        if 0 < at < len(distinct):
            below, above = distinct[at - 1], distinct[at]
            found.append(roundest(below + 1, above, (below + above) / 2))
    return tuple(sorted(set(found)))


def _near(distinct: list[int], limits: Sequence[float], apart: float | None = None) -> tuple[int, ...]:
    """Return round breaks near the limits that part the values as the limits do.

    All are rounded alike, to about an eighth of the distance between them, so that widths stay what they were; where
    that would move a value into another class the limit is rounded on its own.
    """
    if apart is None:
        apart = limits[1] - limits[0] if len(limits) > 1 else (distinct[-1] - distinct[0]) / 2
    step = _step_within(apart / 8)
    found = []
    for limit in limits:
        first = int(np.ceil(limit - 1e-9))
        at = bisect_left(distinct, first)
        low = max(distinct[at - 1] + 1 if at else first, int(np.ceil(limit - apart / 4)))
        high = min(distinct[at] if at < len(distinct) else first, int(np.floor(limit + apart / 4)))
        alike = round(limit / step) * step
        if low <= high:
            found.append(alike if low <= alike <= high else roundest(low, high, limit))
        else:
            found.append(first)
    return _inside(distinct, found)


def _step_within(most: float) -> int:
    """Return the largest 1, 2 or 5 times a power of ten that is not more, at least 1."""
    power = int(10 ** np.floor(np.log10(max(most, 1.0))))
    return max(step for step in (power, 2 * power, 5 * power) if step <= max(most, 1.0))


def _inside(distinct: list[int], breaks: Iterable[int]) -> tuple[int, ...]:
    """Return the breaks that part the values, ascending and once each."""
    return tuple(sorted({number for number in breaks if distinct[0] < number <= distinct[-1]}))


def roundest(low: int, high: int, target: float) -> int:
    """Return the roundest whole number from ``low`` to ``high`` (both inclusive), of equally round ones the nearest.

    Round are 0, then multiples of ever smaller 1, 5 and 2 times a power of ten.
    """
    if low <= 0 <= high:
        return 0
    if low > high:
        raise ValueError("no number lies between")
    powers: list[int] = [10**digits for digits in range(len(str(max(abs(low), abs(high)))), -1, -1)]
    steps = [step for power in powers for step in (power, power // 2, power // 5) if step]
    step = next(step for step in steps if -(-low // step) * step <= high)  # 1 always fits
    return min(max(round(target / step) * step, -(-low // step) * step), high // step * step)


def natural_limits(units: Sequence[int], count: int) -> list[int]:
    """Return the last value of each class but the last, with the least sum of squared deviations within the classes.

    Exact (Fisher 1958), over distinct values weighted by how often they occur: for 941 of them some hundredths of a
    second, where mapclassify's FisherJenks needs a whole one without a compiler and its k-means is drawn by lot.
    """
    values, weights = np.unique(np.array(units, dtype=np.float64), return_counts=True)
    n = len(values)
    if n <= count:
        return [int(value) for value in values[:-1]]
    centred = values - values.mean()  # squares of large numbers would lose the small differences
    weight = np.concatenate(([0.0], np.cumsum(weights)))
    total = np.concatenate(([0.0], np.cumsum(weights * centred)))
    square = np.concatenate(([0.0], np.cumsum(weights * centred**2)))

    def within(end: int) -> Floats:
        """Return the squared deviations of values[start:end] for all starts before the end."""
        mass = weight[end] - weight[:end]
        spread: Floats = square[end] - square[:end] - (total[end] - total[:end]) ** 2 / mass
        return spread

    best = np.full((count + 1, n + 1), np.inf)
    begins = np.zeros((count + 1, n + 1), dtype=np.int64)
    best[0, 0] = 0.0
    for end in range(1, n + 1):
        cost = best[:count, :end] + within(end)
        begins[1:, end] = cost.argmin(axis=1)
        best[1:, end] = cost.min(axis=1)
    lasts, end = [], n
    for k in range(count, 1, -1):
        end = int(begins[k, end])
        lasts.append(int(values[end - 1]))
    return lasts[::-1]
