"""The attacker: what can be worked out about a cell from everything that is published, by linear programming.

Whoever holds the published cells, the equalities and perhaps some cells of the own office knows that the true table
is one of those that agree with all of it. The lowest and the highest value that a cell takes in these tables are the
attacker's interval. All programmes are written in deviations from the true table, so that the true table is 0 and
every equality has the sum 0.

Counts are whole, linear programmes are not. An attacker who uses that counts are whole could know more only where a
bound of the interval is not reached by a whole table. For two-way tables in which areas or categories, but not both,
are nested the equalities are a network and both bounds are whole; crossing levels with the cells where they overlap
are no network, and for them nothing is promised against whole-number reasoning.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from geodata.disclosure.table import EXACT, Attacker, Bools, Floats, Table


@dataclass(frozen=True, slots=True, order=True)
class Goal:
    """A deviation that must be possible: ``cell`` up (``sign`` 1) or down (−1) by ``need``."""

    cell: int
    sign: int
    need: float


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that a pattern does not keep: how far a cell can go (``reach``) and how far it should (``wanted``).

    Both are values of the cell; ``sign`` 1: its highest, −1: its lowest.
    """

    attacker: str
    cell: int
    sign: int
    reach: float
    wanted: float


class View:
    """The tables that one attacker holds possible: those that deviate from the true one in ``free`` cells only."""

    def __init__(self, table: Table, free: Bools) -> None:
        self._cells = np.flatnonzero(free)
        self._place = {int(cell): number for number, cell in enumerate(self._cells)}
        part = table.equalities[:, self._cells]
        self._part: sp.csc_array = part[np.diff(part.indptr) > 0].tocsc()
        self._low = (table.lower - table.values)[self._cells]
        self._high = (table.upper - table.values)[self._cells]

    def unreached(self, goals: Iterable[Goal]) -> list[Goal]:
        """Return the goals that no table reaches.

        One programme moves all cells with an open goal towards it at once, which reaches many of them; it is repeated
        as long as it helps. Only what is left then needs a programme of its own.
        """
        listed = list(goals)
        left = [goal for goal in listed if goal.cell in self._place]
        while left:
            still = self._missed(left, self._moved(left))
            if len(still) == len(left):
                break
            left = still
        shut = [goal for goal in listed if goal.cell not in self._place]
        while left:
            goal = left.pop()
            deviation = self._moved([goal])
            if self._missed([goal], deviation):
                shut.append(goal)
            left = self._missed(left, deviation)
        return sorted(shut)

    def reach(self, goal: Goal) -> float:
        """Return how far towards a goal the tables go, at most as far as it needs."""
        if goal.cell not in self._place:
            return 0.0
        return float(goal.sign * self._moved([goal])[self._place[goal.cell]])

    def interval(self, cell: int) -> tuple[float, float]:
        """Return the lowest and highest deviation of a cell; infinite where there is no bound."""
        if cell not in self._place:
            return 0.0, 0.0
        ends = []
        for sign in (-1, 1):
            pull = np.zeros(len(self._cells))
            pull[self._place[cell]] = -sign
            found = self._solved(pull, self._low, self._high)
            ends.append(sign * np.inf if found.x is None else float(found.x[self._place[cell]]))
        return ends[0], ends[1]

    def _moved(self, goals: list[Goal]) -> Floats:
        """Move the cells of the goals (the first one of a cell counts) as far as needed, and no further."""
        pull = np.zeros(len(self._cells))
        low, high = self._low.copy(), self._high.copy()
        for goal in goals:
            place = self._place[goal.cell]
            if pull[place]:
                continue
            pull[place] = -goal.sign / goal.need
            if goal.sign > 0:
                high[place] = min(high[place], goal.need)
            else:
                low[place] = max(low[place], -goal.need)
        found = self._solved(pull, low, high)
        return np.zeros(len(self._cells)) if found.x is None else np.asarray(found.x, dtype=np.float64)

    def _solved(self, pull: Floats, low: Floats, high: Floats) -> Any:  # noqa: ANN401 - scipy's untyped result
        zero = np.zeros(self._part.shape[0])
        rows = (LinearConstraint(self._part, zero, zero),) if len(zero) else ()
        return milp(pull, bounds=Bounds(low, high), constraints=rows)

    def _missed(self, goals: list[Goal], deviation: Floats) -> list[Goal]:
        return [goal for goal in goals if goal.sign * deviation[self._place[goal.cell]] < goal.need - EXACT]


def goals_of(table: Table, attacker: Attacker) -> list[Goal]:
    """Return what must be possible in the eyes of an attacker, as deviations from the true table.

    No promise can be kept about what somebody knows already: goals go as far as they could if nothing at all were
    published, and cells that the attacker knows have none.
    """
    wanted = []
    for aim in table.aims:
        value = float(table.values[aim.cell])
        if attacker.known[aim.cell]:
            continue
        if aim.at_least > value + EXACT:
            wanted.append(Goal(aim.cell, 1, aim.at_least - value))
        if aim.at_most < value - EXACT:
            wanted.append(Goal(aim.cell, -1, value - aim.at_most))
    before = View(table, ~attacker.known)
    out_of_reach = set(before.unreached(wanted))
    goals = [goal for goal in wanted if goal not in out_of_reach]
    for goal in sorted(out_of_reach):
        reach = before.reach(goal)
        if reach > EXACT:
            goals.append(Goal(goal.cell, goal.sign, reach))
    return sorted(goals)


def audit(table: Table, suppressed: Bools) -> list[Breach]:
    """Return every promise that publishing all but the ``suppressed`` and hidden cells does not keep."""
    breaches = []
    for attacker in table.attackers:
        view = View(table, (suppressed | table.hidden) & ~attacker.known)
        for goal in view.unreached(goals_of(table, attacker)):
            value = float(table.values[goal.cell])
            breaches.append(
                Breach(
                    attacker.name,
                    goal.cell,
                    goal.sign,
                    value + goal.sign * view.reach(goal),
                    value + goal.sign * goal.need,
                )
            )
    return breaches


def interval(table: Table, suppressed: Bools, attacker: Attacker, cell: int) -> tuple[float, float]:
    """Return the lowest and highest value of a cell that agree with all that an attacker sees and knows."""
    low, high = View(table, (suppressed | table.hidden) & ~attacker.known).interval(cell)
    return float(table.values[cell]) + low, float(table.values[cell]) + high
