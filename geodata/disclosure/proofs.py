"""Proofs that too little is suppressed, as inequalities over all patterns (cuts).

Let ``y`` be a deviation from the true table and ``p`` the cell of a goal, ``A`` the equalities. For any prices ``g``
of the equalities ``sign · y_p = sign · y_p + g·(A y) = Σ r_i y_i`` with ``r = sign · e_p + Aᵀ g``. A published cell
has ``y_i = 0``; a suppressed one gives at most ``c_i = max(r_i · (upper_i − a_i), r_i · (lower_i − a_i))``. So a
pattern ``z`` (1: suppressed) under which the goal can be reached has ``Σ c_i z_i ≥ need``, whatever the prices. A
linear programme that cannot reach a goal gives prices under which its own pattern violates this. As ``z`` is 0 or 1,
every ``c_i`` may be cut down to ``need``. (Fischetti & Salazar 2001, "capacity constraints", there found likewise.)

The same prices are valid for every attacker: what somebody knows does not deviate, so its ``c_i`` is 0. One proof
thus forbids the same mistake for all planners at once.

Many prices prove the same; good ones name few cells. Therefore published cells are let deviate by a very small number
when prices are sought: the programme then finds, among the proofs, one with few published cells in it.
"""

from collections.abc import Iterable

import numpy as np
from scipy.optimize import linprog

from geodata.disclosure.attacker import Goal, View, goals_of
from geodata.disclosure.table import EXACT, Attacker, Bools, Floats, Table

Failed = tuple[Attacker, Goal]

_LITTLE = 1e-4
_VIOLATED = 1e-5
_FINE = 1e6


class Proofs:
    """All that is known about which patterns of a table cannot do.

    ``cuts`` (proofs, cells): under a pattern that keeps the promise each row's sum over suppressed cells is >= 1.
    Cells that are suppressed anyway are already counted and have 0 there.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.always: Bools = table.primary | table.hidden
        self._columns = table.equalities.tocsc()
        self._low = table.lower - table.values
        self._high = table.upper - table.values
        self._cuts: dict[bytes, Floats] = {}
        self._stacked: Floats = np.zeros((0, len(table.values)))
        self._goals = undominated({one: goals_of(table, one) for one in table.attackers})
        self._alike: dict[tuple[int, int], list[tuple[Attacker, Goal]]] = {}
        for attacker, goals in self._goals.items():
            for goal in goals:
                self._alike.setdefault((goal.cell, goal.sign), []).append((attacker, goal))
        self._learn_single_equalities()

    @property
    def cuts(self) -> Floats:
        """The proofs found so far, shape (proofs, cells)."""
        if len(self._stacked) != len(self._cuts):
            self._stacked = np.array(list(self._cuts.values()))
        return self._stacked

    def allows(self, suppressed: Bools) -> bool:
        """Return whether no proof found so far speaks against a pattern."""
        return bool((self.cuts @ suppressed >= 1 - _VIOLATED).all())

    def examine(self, suppressed: Bools, *, first: bool = False) -> list[Failed]:
        """Return the goals that cannot be reached under a pattern, each with one attacker, and learn from them.

        No goals: the pattern keeps the promise. ``first``: stop at the first attacker who has any.
        """
        found: list[Failed] = []
        seen: set[tuple[int, int]] = set()
        for attacker, goals in self._goals.items():
            open_ = [goal for goal in goals if (goal.cell, goal.sign) not in seen]
            failed = self.again([(attacker, goal) for goal in open_], suppressed)
            found += failed
            seen |= {(goal.cell, goal.sign) for _, goal in failed}
            if first and found:
                break
        return found

    def again(self, goals: Iterable[Failed], suppressed: Bools) -> list[Failed]:
        """Return which of these goals cannot be reached under a pattern, and learn from them."""
        asked: dict[Attacker, list[Goal]] = {}
        for attacker, goal in goals:
            asked.setdefault(attacker, []).append(goal)
        found: list[Failed] = []
        for attacker, own in asked.items():
            for goal in View(self.table, suppressed & ~attacker.known).unreached(own):
                found.append((attacker, goal))
                self._learn(attacker, goal, suppressed)
        return found

    def _learn_single_equalities(self) -> None:
        """Learn what each equality says alone: if one of its cells deviates, the others must make up for it."""
        table = self.table
        for cell, sign in self._alike:
            column = self._columns[:, [cell]]
            for row, factor in zip(column.indices, column.data, strict=True):
                prices = np.zeros(table.equalities.shape[0])
                prices[row] = -sign / factor
                self._keep(cell, sign, prices, self.always)

    def _learn(self, attacker: Attacker, goal: Goal, suppressed: Bools) -> None:
        for little in (_LITTLE * goal.need, 0.0):
            prices = self._prices(attacker, goal, suppressed, little)
            own = self._cut(attacker, goal, prices)
            if own is not None and own @ suppressed < 1 - _VIOLATED:
                break
        self._keep(goal.cell, goal.sign, prices, suppressed)

    def _keep(self, cell: int, sign: int, prices: Floats, suppressed: Bools) -> None:
        """Keep what prices prove to all attackers about a cell, as far as a pattern violates it."""
        for attacker, goal in self._alike[cell, sign]:
            cut = self._cut(attacker, goal, prices)
            if cut is not None and cut @ suppressed < 1 - _VIOLATED:
                self._cuts.setdefault(cut.tobytes(), cut)

    def _prices(self, attacker: Attacker, goal: Goal, suppressed: Bools, little: float) -> Floats:
        """Return the prices that stop a goal when published cells may deviate by ``little``; 0 proves nothing."""
        free = suppressed & ~attacker.known
        low = np.where(free, self._low, np.maximum(self._low, -little))
        high = np.where(free, self._high, np.minimum(self._high, little))
        low[attacker.known] = high[attacker.known] = 0.0
        pull = np.zeros(len(low))
        pull[goal.cell] = -goal.sign
        if goal.sign > 0:
            high[goal.cell] = min(high[goal.cell], goal.need)
        else:
            low[goal.cell] = max(low[goal.cell], -goal.need)
        found = linprog(
            pull,
            A_eq=self._columns,
            b_eq=np.zeros(self._columns.shape[0]),
            bounds=np.column_stack([low, high]),
            method="highs",
        )
        if found.status != 0:
            return np.zeros(self._columns.shape[0])
        return np.asarray(found.eqlin.marginals, dtype=np.float64)

    def _cut(self, attacker: Attacker, goal: Goal, prices: Floats) -> Floats | None:
        """Return the inequality that prices prove, scaled to >= 1; None if it says nothing."""
        pull = self._columns.T @ prices
        pull[goal.cell] += goal.sign
        pull[np.abs(pull) < EXACT] = 0.0
        with np.errstate(invalid="ignore"):
            most = np.where(pull > 0, pull * self._high, pull * self._low)
        most[(pull == 0) | attacker.known] = 0.0
        if pull[goal.cell] * goal.sign > 0:
            # Going further than needed is no help: the programme stops the cell there.
            most[goal.cell] = min(most[goal.cell], abs(pull[goal.cell]) * goal.need)
        need = goal.need - most[self.always].sum()
        if not need > EXACT:
            return None
        shares = np.where(self.always, 0.0, np.minimum(most, need)) / need
        # Rounded up, so that what the arithmetic blurs never makes a proof say too much.
        return np.asarray(np.ceil(shares * _FINE - EXACT) / _FINE, dtype=np.float64)


def undominated(goals: dict[Attacker, list[Goal]]) -> dict[Attacker, list[Goal]]:
    """Leave out goals that somebody who knows more has as well: what deceives the one deceives the other."""
    kept = {}
    for attacker, own in goals.items():
        better: set[Goal] = set()
        for other, theirs in goals.items():
            if other is not attacker and not (attacker.known & ~other.known).any():
                better |= set(theirs)
        kept[attacker] = [goal for goal in own if goal not in better]
    return kept
