"""The enhanced two-step floating catchment area: how many places there are for those who compete for them.

Step 1, for each offer o at a place j: its supply, divided among the residents of the offer's own ages around it::

    R_o = S_o / Σ_i W(d_ij) · P_i,c(o)

Step 2, for each cell i: what it gets of all offers around it, per 1,000 competing residents::

    A_i = 1000 · Σ_o W(d_ij) · R_o

====== =====================================================================================================
S_o    supply of the offer (places, or hours per week)
P_i,c  residents of cell i in class of age c, the offer's own ages (people)
d_ij   way from cell i to place j (metres; compared in metres with minutes · metres per minute)
W      weight of a way, 0 to 1, 0 beyond the limit (``geodata.coverage.decay``); d <= bound belongs to the band
R_o    supply per competing resident at the offer
A_i    access index of cell i: supply per 1,000 competing residents
====== =====================================================================================================

Areas take the mean of their cells, weighted with the residents asked about. Where these are the ones who compete, the
supply is kept: Σ_i A_i / 1000 · P_i is the supply of all offers that somebody can get to.

Limits: the index says nothing about quality, opening hours or whom a place admits; it takes for granted that people
choose by distance alone; places and residents beyond the data's border are not in it.

Luo, W. & Qi, Y. (2009): An enhanced two-step floating catchment area (E2SFCA) method for measuring spatial
accessibility to primary care physicians. Health & Place 15(4), 1100–1107.

Worked example: four cells with 44, 50, 100 and 32 children, a place with 30 and one with 20 places, walking 80 metres a
minute, 15 minutes, weights 1 to 5, 0.68 to 10 and 0.22 to 15 minutes. The first place is 400, 800, 1200 and 1600 m
away: 44·1 + 50·0.68 + 100·0.22 = 100 children compete, R = 0.3. The second is 2000, 1300, 800 and 160 m away:
100·0.68 + 32·1 = 100, R = 0.2. So the third cell has 0.22·0.3 + 0.68·0.2 = 0.202, or 202 places per 1,000.

>>> from geodata.coverage.decay import parse_decay
>>> metres = np.array([[400.0, 800.0, 1200.0, 1600.0], [2000.0, 1300.0, 800.0, 160.0]])
>>> children = np.array([44.0, 50.0, 100.0, 32.0])
>>> supply = Supply(place=np.array([0, 1]), group=np.array([0, 0]), amount=np.array([30.0, 20.0]))
>>> got = access([(np.array([0, 1]), metres)], 80, parse_decay("bands", 15), supply, children[:, None])
>>> got.index.round(9).tolist()
[300.0, 204.0, 202.0, 200.0]
>>> per_area(got.index, children, np.array([0, 0, 1, 1]), 2).round(2).tolist()  # the last: cells outside all areas
[248.94, 201.52, nan]
>>> float((got.index / 1000 @ children).round(9))
50.0
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from geodata.coverage.decay import Decay

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

PER = 1000


@dataclass(frozen=True, slots=True)
class Supply:
    """What is offered, one entry per offer: number of its place, number of its class of age, and how much.

    All of shape (offers,). ``group`` is the column of the residents who compete for the offer; ``amount`` >= 0. Offers
    that state no figure are not in it.
    """

    place: Ints
    group: Ints
    amount: Floats


@dataclass(frozen=True, slots=True)
class Access:
    """``index`` (cells,): supply per 1,000 competing residents; 0 where nothing is within the limit.

    ``unused``: offers with a supply in whose catchment nobody of their ages lives, or that no way leads to; they give
    nothing. ``unused_supply``: theirs together.
    """

    index: Floats
    unused: int
    unused_supply: float


def access(
    blocks: Iterable[tuple[Ints, Floats]], metres_per_minute: float, decay: Decay, supply: Supply, demand: Floats
) -> Access:
    """Return the access index of each cell, in one pass over the ways.

    ``blocks``: numbers of places (k,) and metres from each cell to them (k, cells), infinite or NaN where there is no
    way; each place comes at most once. ``decay`` is in minutes. ``demand``: residents per cell and class of age
    (cells, classes), >= 0. Only cells within the limit are touched: memory is that of a block and of one row of cells.
    """
    metric = decay.scaled(metres_per_minute)
    # A class of age lies together in memory, and the offers of a place too.
    competing = np.ascontiguousarray(demand.T)
    order = np.argsort(supply.place, kind="stable")
    place, group, amount = supply.place[order], supply.group[order], supply.amount[order]
    index = np.zeros(demand.shape[0])
    used = np.zeros(len(place), dtype=bool)
    for numbers, metres in blocks:
        starts, ends = np.searchsorted(place, numbers, "left"), np.searchsorted(place, numbers, "right")
        for row, start, end in zip(metres, starts.tolist(), ends.tolist(), strict=True):
            if start == end:
                continue
            near = np.flatnonzero(row <= metric.limit)
            weights = metric.weights(row[near])
            classes, own = np.unique(group[start:end], return_inverse=True)
            sought = np.array([weights @ competing[number, near] for number in classes.tolist()])[own]
            possible = sought > 0
            used[start:end] = possible
            index[near] += weights * (PER * (amount[start:end][possible] / sought[possible]).sum())
    unused = ~used & (amount > 0)
    return Access(index, int(unused.sum()), float(amount[unused].sum()))


def per_area(index: Floats, residents: Floats, owner: Ints, areas: int) -> Floats:
    """Return the mean index of each area, weighted with residents; shape (areas + 1,), NaN where none of them lives.

    ``owner``: number of each cell's area, −1: in none; such cells make up the last entry.
    """
    own = np.where(owner < 0, areas, owner)
    weight = np.bincount(own, weights=residents, minlength=areas + 1)
    total = np.bincount(own, weights=residents * index, minlength=areas + 1)
    means: Floats = np.divide(total, weight, out=np.full(areas + 1, np.nan), where=weight > 0)
    return means
