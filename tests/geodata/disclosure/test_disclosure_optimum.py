"""Against all patterns there are: the exact search finds the least loss, the repair loses less than twice as much."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from geodata.disclosure.attacker import audit
from geodata.disclosure.cube import Level, Rule, Sheet, Sums, build
from geodata.disclosure.suppress import Effort, protect
from geodata.disclosure.table import Bools, Floats, Table


def table_of(counts: Floats, *, planners: bool) -> Table:
    areas = tuple(str(row) for row in range(len(counts)))
    categories = tuple("wxyz"[: counts.shape[1]])
    land = Level("land", ("all",), counts.sum(axis=0, keepdims=True))
    parts = Level("bezirk", areas, counts, offices=areas if planners else ())
    sheet = Sheet("s", categories, (parts, land), (Sums("bezirk", "land", ("all",) * len(areas)),))
    return build([sheet], Rule(sensitive_below=4))


class Oracle:
    """Which patterns of a small table keep the promise, by linear programmes of its own.

    A pattern within one that fails fails as well; so every failing one found is first made as large as it can be.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.equalities = table.equalities.toarray()
        self.failing: list[Bools] = []
        everything = np.ones(len(table.keys), dtype=np.bool_)
        self.asked: list[tuple[Bools, int, float, float]] = []
        for attacker in table.attackers:
            for aim in table.aims:
                value = table.values[aim.cell]
                for sign, need in ((1.0, aim.at_least - value), (-1.0, value - aim.at_most)):
                    if not attacker.known[aim.cell] and need > 0:
                        possible = self.reach(everything, attacker.known, aim.cell, sign, need)
                        self.asked.append((attacker.known, aim.cell, sign, min(need, possible)))

    def reach(self, chosen: Bools, known: Bools, cell: int, sign: float, need: float) -> float:
        free = (chosen | self.table.hidden) & ~known
        high = np.where(free, 1000.0, 0.0)
        low = np.where(free, -self.table.values, 0.0)
        pull = np.zeros(len(high))
        pull[cell] = -sign
        low[cell], high[cell] = max(low[cell], -need), min(high[cell], need)
        found = linprog(
            pull, A_eq=self.equalities, b_eq=np.zeros(len(self.equalities)), bounds=np.column_stack([low, high])
        )
        return -float(found.fun)

    def keeps(self, chosen: Bools) -> bool:
        if any(not (chosen & ~failing).any() for failing in self.failing):
            return False
        for known, cell, sign, need in self.asked:
            if self.reach(chosen, known, cell, sign, need) < need - 1e-6:
                most = chosen.copy()
                for other in np.flatnonzero(~chosen):
                    most[other] = True
                    if self.reach(most, known, cell, sign, need) >= need - 1e-6:
                        most[other] = False
                self.failing.append(most)
                return False
        return True

    def least(self, weights: Floats, below: float) -> float:
        """Try all patterns, cheapest first, until one keeps the promise; none above ``below`` needs to be tried."""
        table = self.table
        fixed = float(weights[table.primary].sum())
        free = np.flatnonzero(~table.primary & ~table.hidden)
        tried = []
        for number in range(len(free) + 1):
            if fixed + np.sort(weights[free])[:number].sum() > below + 1e-9:
                break
            tried += [
                (loss, cells)
                for cells in itertools.combinations(free.tolist(), number)
                if (loss := fixed + float(weights[list(cells)].sum())) <= below + 1e-9
            ]
        for loss, cells in sorted(tried):
            chosen = table.primary.copy()
            chosen[list(cells)] = True
            if self.keeps(chosen):
                return loss
        raise AssertionError("no pattern at all, not even the one found, keeps the promise")


@pytest.mark.parametrize("shape", [(3, 3), (3, 4)])
@pytest.mark.parametrize("planners", [False, True])
@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 15))])
def test_against_all_patterns(shape: tuple[int, int], planners: bool, seed: int) -> None:
    counts = np.random.default_rng(seed).choice([0.0, 1, 2, 4, 7, 15], shape, p=[0.1, 0.08, 0.07, 0.25, 0.25, 0.25])
    table = table_of(counts, planners=planners)
    exact, quick = protect(table), protect(table, Effort(rounds=0))
    assert audit(table, exact.suppressed) == audit(table, quick.suppressed) == []
    oracle = Oracle(table)
    best = oracle.least(table.weights, exact.loss)
    assert exact.exact
    assert exact.loss == pytest.approx(best)
    assert exact.bound == pytest.approx(best)
    assert best - 1e-9 <= quick.loss
    assert quick.loss < 2 * best or best == 0
    fewest = oracle.least(np.where(table.hidden, 0.0, 1.0), float(exact.suppressed.sum()))
    for pattern in (exact, quick):
        assert pattern.suppressed.sum() < 2 * fewest or fewest == 0
        assert pattern.bound <= pattern.loss + 1e-9


def test_a_search_cut_short_says_what_it_does_not_know() -> None:
    table = table_of(np.array([[1.0, 5, 9, 4], [7, 2, 8, 6], [5, 6, 1, 9]]), planners=True)
    exact = protect(table)
    for rounds in (0, 1, 2):
        short = protect(table, Effort(rounds=rounds))
        assert audit(table, short.suppressed) == []
        assert short.bound <= exact.loss + 1e-9 <= short.loss + 2e-9
        assert short.exact == (short.loss <= short.bound + 1e-6)
    assert protect(table, Effort(nodes=0)).loss >= exact.loss - 1e-9
