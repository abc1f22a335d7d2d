"""Reach: who lives within so many metres of the nearest place, and how far the others have to go.

Per area, with the residents p_i of its cells and their way d_i to the nearest place wherever it stands::

    reached = Σ p_i over d_i <= limit        share = reached / Σ p_i
    median  = the smallest d such that at least half of the residents live within d
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_HALF = 0.5 - 1e-9


@dataclass(frozen=True, slots=True)
class Reached:
    """Per area, the last entry for cells in none; shape (areas + 1,).

    ``population``, ``reached``, ``not_reached`` and ``unconnected`` in people (the last: those without any way, part
    of the not reached); ``median_m`` in metres, NaN where nobody lives or half of the residents have no way.
    """

    population: Floats
    reached: Floats
    not_reached: Floats
    median_m: Floats
    unconnected: Floats


def reached(metres: Floats, residents: Floats, owner: Ints, areas: int, limit_m: float) -> Reached:
    """Return who is reached within ``limit_m`` (inclusive), per area.

    ``metres``: from each cell to the nearest place, infinite: no way. ``residents`` of each cell; ``owner``: the number
    of its area, negative: in none.
    """
    own = np.where(owner < 0, areas, owner)
    within, lost = metres <= limit_m, ~np.isfinite(metres)
    there, beyond, without = (_added(residents, own, areas, which) for which in (within, ~within, lost))
    population = there + beyond
    return Reached(population, there, beyond, medians(metres, residents, own, areas + 1), without)


def _added(residents: Floats, own: Ints, areas: int, which: NDArray[np.bool_]) -> Floats:
    return np.asarray(np.bincount(own[which], weights=residents[which], minlength=areas + 1), dtype=np.float64)


def medians(metres: Floats, residents: Floats, own: Ints, areas: int) -> Floats:
    """Return the median of the metres of each area's residents, weighted; NaN: nobody there, or it is infinite."""
    found = np.full(areas, np.nan)
    lived = np.flatnonzero(residents > 0)
    order = lived[np.lexsort((metres[lived], own[lived]))]
    if not len(order):
        return found
    starts = np.flatnonzero(np.diff(own[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    running = np.cumsum(residents[order])
    before = np.where(starts > 0, running[starts - 1], 0.0)
    # A little less than half: the noise of sums must not decide where exactly half live within.
    half = before + (running[ends - 1] - before) * _HALF
    middle = np.clip(np.searchsorted(running, half), starts, ends - 1)
    value = metres[order[middle]]
    found[own[order[starts]]] = np.where(np.isfinite(value), value, np.nan)
    return found
