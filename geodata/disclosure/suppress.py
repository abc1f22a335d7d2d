"""The choice of what else to suppress so that what must stay in doubt does, at the least loss.

Search. The loss of a pattern is the sum of the weights of the cells it suppresses. The least loss that agrees with
the proofs found so far (:mod:`geodata.disclosure.proofs`) is an integer programme with one 0/1 variable per cell; a
linear programme per attacker then looks for promises that its pattern does not keep, and each of them is a new proof.
When none is left the pattern keeps the promise, and as it is the best of all patterns that the proofs allow, none
that keeps it loses less: it is the optimum. This is the scheme of Fischetti & Salazar (2001) with the attacker
extended to many, and with the proofs added from whole patterns instead of inside the branching.

Limits. The search ends after ``Effort.rounds`` rounds or ``Effort.nodes`` nodes of branching, never after a time, so
that the same table always gets the same pattern. What it has then is repaired: for each promise not kept the cheapest
alternative table that keeps it is found by a linear programme (a published cell costs its weight per unit that it
deviates), and the cells in which it deviates are suppressed. As suppressing a cell takes nothing away from what an
attacker holds possible, this ends after at most one step per promise, with a pattern that keeps all of them. Then
every suppression that was not required is tried the other way round, dearest first, and is taken back if the promise
still holds without it. The result is right because the attacker's programmes have the last word, not because of how
it was found; it may lose more than the optimum, and ``Pattern.bound`` says how much at most.

Everything suppressed at once always keeps the promise (goals reach no further than that), so there always is a
pattern; where inner cells do not suffice, totals go.

Sources: M. Fischetti, J. J. Salazar (2001): Solving the cell suppression problem on tabular data with linear
constraints. Management Science 47 (7), 1008-1027. A. Hundepool et al. (2012): Statistical disclosure control. Wiley,
chapter 4 (primary and secondary suppression, singletons, linked tables). J. P. Kelly, B. L. Golden, A. A. Assad
(1992): Cell suppression: disclosure protection for sensitive tabular data. Networks 22, 397-417 (the repair step).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from geodata.disclosure.attacker import Goal
from geodata.disclosure.proofs import Failed, Proofs
from geodata.disclosure.quiet import quiet_solver
from geodata.disclosure.table import EXACT, Attacker, Bools, Table

_ROOM = 1e-6


@dataclass(frozen=True, slots=True)
class Effort:
    """How long the optimum of a block is sought: rounds of proofs, and nodes of branching over all rounds.

    The first node of each round is free: as long as the programmes of the search solve at their root it goes on
    quickly, and once they do not it gains little. With the defaults a quarter takes a few seconds and mostly gets its
    optimum; the others lose some per cent more than they had to.
    """

    rounds: int = 24
    nodes: int = 3


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What is not published.

    ``suppressed`` (cells,) contains the primary cells and never the hidden ones. ``loss`` is the sum of the weights of
    all suppressed cells; no pattern that keeps the promise loses less than ``bound``. ``exact``: this one is the best.
    """

    table: Table
    suppressed: Bools
    loss: float
    bound: float
    exact: bool

    @property
    def complementary(self) -> Bools:
        """The cells suppressed only to protect others, shape (cells,)."""
        return self.suppressed & ~self.table.primary


@quiet_solver()
def protect(table: Table, effort: Effort = Effort()) -> Pattern:
    """Return the pattern of least loss under which every attacker is left in doubt as the table's aims ask.

    Blocks that share no equality are treated one by one. The result depends on the keys and values of the table only:
    neither on the order in which it was put together nor on chance or the clock.
    """
    suppressed = table.primary.copy()
    loss = bound = 0.0
    exact = True
    for cells in table.blocks():
        block = table.part(cells)
        if not block.aims:
            best, least = block.primary, float(block.weights[block.primary].sum())
        else:
            best, least = _protected(block, effort)
        own = float(block.weights[best].sum())
        suppressed[cells] = best
        loss, bound = loss + own, bound + least
        exact = exact and own <= least + EXACT * max(1.0, own)
    return Pattern(table, suppressed, loss, bound, exact)


def _protected(table: Table, effort: Effort) -> tuple[Bools, float]:
    """Return a pattern of one block that keeps the promise, and a loss that none goes below."""
    proofs = Proofs(table)
    pattern = proofs.always
    failed: list[Failed] = []
    bound, nodes = _loss(table, pattern), effort.nodes
    for _ in range(effort.rounds):
        found = _cheapest(proofs, nodes)
        pattern, bound, nodes = found.pattern, max(bound, found.bound), nodes - found.nodes
        known = len(proofs.cuts)
        # What failed last mostly fails again: only a pattern that passes there is worth a look at everything.
        failed = proofs.again(failed, pattern) or proofs.examine(pattern)
        if not failed and _loss(table, pattern) <= bound + EXACT * max(1.0, bound):
            return pattern & ~table.hidden, bound
        if nodes <= 0 or not failed or len(proofs.cuts) == known:
            break
    kept = _pruned(proofs, _repaired(proofs, pattern))
    return kept & ~table.hidden, bound


def _loss(table: Table, pattern: Bools) -> float:
    return float(table.weights[pattern].sum())


@dataclass(frozen=True, slots=True)
class _Found:
    pattern: Bools
    bound: float
    nodes: int


def _cheapest(proofs: Proofs, nodes: int) -> _Found:
    """Return the cheapest pattern that no proof speaks against, or the best one found within so many nodes."""
    open_ = np.flatnonzero(~proofs.always)
    fixed = _loss(proofs.table, proofs.always)
    if not len(proofs.cuts) or not len(open_):
        return _Found(proofs.always, fixed, 0)
    weights = proofs.table.weights[open_]
    found = milp(
        weights,
        integrality=np.ones(len(open_)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(sp.csr_array(proofs.cuts[:, open_]), 1 - _ROOM, np.inf),
        options={"mip_rel_gap": 0.0, "node_limit": nodes + 1},
    )
    pattern = proofs.always.copy()
    if found.x is not None:
        pattern[open_] = found.x > 0.5
    least = found.mip_dual_bound
    used = max(0, int(found.mip_node_count or 0) - 1)
    return _Found(pattern, fixed + (float(least) if least is not None and np.isfinite(least) else 0.0), used)


def _repaired(proofs: Proofs, pattern: Bools) -> Bools:
    """Suppress more until the promise is kept: for each promise that is not, along the cheapest other table."""
    while shut := proofs.examine(pattern):
        for attacker, goal in shut:
            pattern = pattern | alternative(proofs.table, attacker, goal, pattern)
    return pattern


def alternative(table: Table, attacker: Attacker, goal: Goal, pattern: Bools) -> Bools:
    """Return the cells of the cheapest deviation that reaches a goal without touching what the attacker knows.

    All cells where there is none but for rounding.
    """
    free = np.flatnonzero(~attacker.known)
    columns = table.equalities[:, free].tocsc()
    ups = (table.upper - table.values)[free]
    downs = (table.values - table.lower)[free]
    price = np.where(pattern[free], 0.0, table.weights[free])
    place = int(np.searchsorted(free, goal.cell))
    least = np.zeros(2 * len(free))
    most = np.concatenate([ups, downs])
    there, back = (place, place + len(free)) if goal.sign > 0 else (place + len(free), place)
    least[there] = most[there] = goal.need
    most[back] = 0.0
    zero = np.zeros(columns.shape[0])
    found = milp(
        np.concatenate([price, price]),
        bounds=Bounds(least, most),
        constraints=LinearConstraint(sp.hstack([columns, -columns]).tocsc(), zero, zero),
    )
    cells = np.ones(len(table.values), dtype=np.bool_)
    if found.x is not None:
        cells[:] = False
        cells[free] = np.abs(found.x[: len(free)] - found.x[len(free) :]) > EXACT
    return cells


def _pruned(proofs: Proofs, pattern: Bools) -> Bools:
    """Publish again what need not be suppressed, the dearest cells first."""
    table = proofs.table
    extra = np.flatnonzero(pattern & ~proofs.always)
    for cell in extra[np.argsort(-table.weights[extra], kind="stable")]:
        trial = pattern.copy()
        trial[cell] = False
        if proofs.allows(trial) and not proofs.examine(trial, first=True):
            pattern = trial
    return pattern
