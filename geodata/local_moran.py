"""Local Moran's I: where high values lie among high ones, and low among low, beyond what chance would do.

For area i of n with value x_i, neighbours N(i), and k_i = |N(i)|::

    z_i   = (x_i − mean(x)) / sigma(x)                 sigma without Bessel's correction
    lag_i = (1 / k_i) · Σ_{j in N(i)} z_j              row-standardised weights: every neighbour counts the same
    I_i   = (n − 1) / n · z_i · lag_i

======= ================================================================================================
I_i     > 0: the area is like its neighbours (both high or both low); < 0: unlike; no unit
lag_i   mean of the neighbours' standardised values
p_i     pseudo p-value, two-sided: how often chance gives so extreme a lag
======= ================================================================================================

p by conditional permutation: the value of i stays, k_i values are drawn R times from all others without replacement;
with g and s the numbers of draws whose lag is at least, or at most, that observed,
p_i = min(1, 2 · (min(g, s) + 1) / (R + 1)). It cannot be below 2 / (R + 1). As many areas are tested at once, the
p-values are adjusted by Benjamini and Hochberg: among the areas then called significant, the expected share of false
ones is at most the level chosen.

Anselin, L. (1995): Local Indicators of Spatial Association – LISA. Geographical Analysis 27 (2), 93–115.
Benjamini, Y., Hochberg, Y. (1995): Controlling the False Discovery Rate. J. Royal Stat. Soc. B 57 (1), 289–300.

The statistic and its quadrants are esda's. The draws are ours: esda's set the random numbers of the whole process
anew, give one-sided p-values, and count a draw of the same values as different where adding them up in another order
changes the last bit.

Worked example: four areas in a row with values 1, 1, 5, 5: z = −1, −1, 1, 1, lags −1, 0, 0, 1, so I = ¾, 0, 0, ¾.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

HIGH_HIGH, LOW_HIGH, LOW_LOW, HIGH_LOW = 1, 2, 3, 4
_SEED = 19950401
# A spread below this share of the values is noise: all values are the same.
_NO_SPREAD = 1e-9
# Lags nearer to each other than this many standard deviations are equal.
_TIE = 1e-9


@dataclass(frozen=True)
class LocalMoran:
    """Per area: statistic, quadrant (``HIGH_LOW``: a high value among low ones), p-values plain and adjusted."""

    statistic: Floats
    quadrant: Ints
    p: Floats
    p_adjusted: Floats


def differ(values: Floats) -> bool:
    """Tell whether values (finite) differ by more than the noise of arithmetic."""
    scale = float(np.abs(values).max(initial=0.0))
    return scale > 0 and float(np.std(values / scale)) > _NO_SPREAD


def local_moran(values: Floats, first: Ints, second: Ints, permutations: int) -> LocalMoran:
    """Return local Moran's I of values (areas,), finite and not all the same (see the module).

    ``first`` and ``second`` are the pairs of neighbours, each in both directions; every area has at least one. The same
    input gives the same answer; the draws belong to the numbers of areas.
    """
    # esda draws in half of the scientific stack; only this question pays for it.
    from esda.moran import Moran_Local  # noqa: PLC0415 - see above
    from libpysal.graph import Graph  # noqa: PLC0415 - see above
    from scipy.stats import false_discovery_control  # noqa: PLC0415 - see above

    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    graph = Graph.from_arrays(first, second, np.ones(len(first)))
    made = Moran_Local(values / np.abs(values).max(), graph, permutations=0)
    p = _pseudo_p(made.z, first, second, permutations)
    return LocalMoran(made.Is, made.q.astype(np.int64), p, false_discovery_control(p, method="bh"))


def _pseudo_p(z: Floats, first: Ints, second: Ints, permutations: int) -> Floats:
    count = len(z)
    neighbours = np.bincount(first, minlength=count)
    lag = np.bincount(first, z[second], count) / neighbours
    random = np.random.default_rng(_SEED)
    most = int(neighbours.max())
    drawn = np.array([random.choice(count - 1, most, replace=False) for _ in range(permutations)])
    p = np.ones(count)
    for i, own in enumerate(neighbours.tolist()):
        # A value at the mean is neither high nor low: nothing its neighbours do makes it part of a cluster.
        if abs(z[i]) <= _TIE:
            continue
        others = drawn[:, :own]
        lags = z[others + (others >= i)].mean(axis=1)
        extreme = min((lags >= lag[i] - _TIE).sum(), (lags <= lag[i] + _TIE).sum())
        p[i] = min(1.0, 2 * (int(extreme) + 1) / (permutations + 1))
    return p
