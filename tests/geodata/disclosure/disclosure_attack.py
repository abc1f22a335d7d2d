"""An attacker written for the tests alone: it gets what is printed (NaN where nothing is), and knows the layout.

It shares no code with the module it attacks. What it says a cell can be is proven by a whole table that it has found;
what it says a cell cannot be is the result of one linear programme for this cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from geodata.disclosure.cube import Level, Sheet, masks
from geodata.disclosure.suppress import Pattern

HIGH = 1e5
Name = tuple[Any, ...]


@dataclass
class Printed:
    """What one can read of a set of sheets: name of a figure to its value, NaN for "•"; and the equations."""

    figures: dict[Name, float] = field(default_factory=dict)
    equations: list[tuple[list[Name], list[Name]]] = field(default_factory=list)
    pieces: set[Name] = field(default_factory=set)
    true: dict[Name, float] = field(default_factory=dict)
    office: dict[Name, str | None] = field(default_factory=dict)

    def add_sheet(self, sheet: Sheet, pattern: Pattern) -> None:
        for level in sheet.levels:
            self._add_level(sheet, level, pattern)
        columns = [*sheet.categories, *(f"G:{name}" for name in sheet.groups), "T"]
        for sums in sheet.sums:
            for whole in sheet.level(sums.whole).areas:
                parts = [a for a, of in zip(sheet.level(sums.parts).areas, sums.of, strict=True) if of == whole]
                for column in columns if parts else []:
                    left = [(sheet.name, sums.parts, part, column) for part in parts]
                    self.equations.append((left, [(sheet.name, sums.whole, whole, column)]))
        for crossing in sheet.crossings:
            ones, others = sheet.level(crossing.one).areas, sheet.level(crossing.other).areas
            for column in sheet.categories:
                grid = {
                    (i, j): ("piece", sheet.name, one, other, column)
                    for i, one in enumerate(ones)
                    for j, other in enumerate(others)
                    if crossing.overlaps[i, j]
                }
                self.pieces |= set(grid.values())
                for i, one in enumerate(ones):
                    inside = [name for at, name in grid.items() if at[0] == i]
                    self.equations.append((inside, [(sheet.name, crossing.one, one, column)]))
                for j, other in enumerate(others):
                    inside = [name for at, name in grid.items() if at[1] == j]
                    self.equations.append((inside, [(sheet.name, crossing.other, other, column)]))

    def _add_level(self, sheet: Sheet, level: Level, pattern: Pattern) -> None:
        mask = masks(pattern, sheet, level.name)
        for row, area in enumerate(level.areas):
            true = dict(zip(sheet.categories, level.counts[row], strict=True))
            hidden = dict(zip(sheet.categories, mask.counts[row], strict=True))
            for number, (group, inside) in enumerate(sheet.groups.items()):
                true[f"G:{group}"] = sum(true[one] for one in inside)
                hidden[f"G:{group}"] = mask.groups[row, number]
                of = [(sheet.name, level.name, area, one) for one in inside]
                self.equations.append((of, [(sheet.name, level.name, area, f"G:{group}")]))
            true["T"], hidden["T"] = level.counts[row].sum(), mask.totals[row]
            of = [(sheet.name, level.name, area, one) for one in sheet.categories]
            self.equations.append((of, [(sheet.name, level.name, area, "T")]))
            for column, value in true.items():
                name = (sheet.name, level.name, area, column)
                self.true[name] = float(value)
                self.figures[name] = np.nan if hidden[column] else float(value)
                self.office[name] = level.offices[row] if level.offices else None

    def small(self) -> list[Name]:
        return [name for name, value in self.true.items() if 0 < value < 3]

    def offices(self) -> list[str]:
        return sorted({office for office in self.office.values() if office is not None})

    def seen_by(self, office: str | None, *, nothing_published: bool = False) -> "Attack":
        """What the public (None) or an office's planner holds."""
        held = {}
        for name, value in self.figures.items():
            own = office is not None and self.office[name] == office
            held[name] = self.true[name] if own else np.nan if nothing_published else value
        return Attack({**held, **dict.fromkeys(self.pieces, np.nan)}, self.equations)


class Attack:
    """Everything that agrees with some figures and equations, none below 0."""

    def __init__(self, held: Mapping[Name, float], equations: Sequence[tuple[list[Name], list[Name]]]) -> None:
        self.held = held
        self.names = [name for name, value in held.items() if np.isnan(value)]
        self.at = {name: number for number, name in enumerate(self.names)}
        rows, columns, factors, sums = [], [], [], []
        for left, right in equations:
            rest, any_open = 0.0, False
            for names, sign in ((left, 1.0), (right, -1.0)):
                for name in names:
                    if name in self.at:
                        any_open = True
                        rows.append(len(sums))
                        columns.append(self.at[name])
                        factors.append(sign)
                    else:
                        rest += sign * held[name]
            if any_open:
                sums.append(-rest)
            else:
                assert abs(rest) < 1e-9
        self.matrix = sp.csr_matrix((factors, (rows, columns)), shape=(len(sums), len(self.names)))
        self.sums = np.array(sums)

    def solve(self, names: Sequence[Name], signs: Sequence[float], stop: float = HIGH) -> dict[Name, float]:
        """Return the whole table (what is not held in it) that goes as far as possible in a direction."""
        pull = np.zeros(len(self.names))
        for name, sign in zip(names, signs, strict=True):
            if name in self.at:
                pull[self.at[name]] -= sign
        found = linprog(pull, A_eq=self.matrix, b_eq=self.sums, bounds=(0, stop), method="highs")
        if found.status == 2 and stop < HIGH:
            return self.solve(names, signs)
        assert found.status == 0, found.message
        return dict(zip(self.names, found.x.tolist(), strict=True))

    def sum_in(self, found: Mapping[Name, float], names: Sequence[Name]) -> float:
        return sum(found.get(name, self.held[name]) for name in names)

    def interval(self, *names: Name) -> tuple[float, float]:
        """Return the lowest and the highest sum of some figures."""
        low, high = (self.sum_in(self.solve(names, [sign] * len(names)), names) for sign in (-1.0, 1.0))
        return low, high

    def too_tight(self, sums: Sequence[tuple[list[Name], float, float]]) -> list[list[Name]]:
        """Return the sums of figures whose interval does not reach from the one number to the other.

        Tables found for one sum serve for the others as well; first some that pull all sums at random.
        """
        rng = np.random.default_rng(5)
        left = [(names, sign, stop) for names, low, high in sums for sign, stop in ((-1.0, -low), (1.0, high))]
        tight = []
        for turn in range(8):
            if left:
                signs = rng.choice([-1.0, 1.0], len(left)) if turn > 1 else np.ones(len(left))
                pulls = [
                    (name, own * sign) for (names, own, _), sign in zip(left, signs, strict=True) for name in names
                ]
                left = self._still_open(left, self.solve(*zip(*pulls, strict=True), stop=1000.0))
        while left:
            names, sign, stop = left.pop()
            found = self.solve(names, [sign] * len(names))
            if sign * self.sum_in(found, names) < stop - 1e-5:
                tight.append(names)
            left = self._still_open(left, found)
        return tight

    def _still_open(
        self, left: list[tuple[list[Name], float, float]], found: Mapping[Name, float]
    ) -> list[tuple[list[Name], float, float]]:
        return [one for one in left if one[1] * self.sum_in(found, one[0]) < one[2] - 1e-5]


def lone_categories(sheet: Sheet) -> list[list[Name]]:
    """For every area of fewer than ten that lies wholly in one category or group: the other categories."""
    found = []
    for level in sheet.levels:
        for row, area in enumerate(level.areas):
            counts = dict(zip(sheet.categories, level.counts[row], strict=True))
            total = sum(counts.values())
            found += [
                [(sheet.name, level.name, area, one) for one in counts if one not in inside]
                for inside in [*([one] for one in sheet.categories), *sheet.groups.values()]
                if 0 < total < 10 and sum(counts[one] for one in inside) == total
            ]
    return found


def leaks(sheets: Sequence[Sheet], pattern: Pattern) -> list[tuple[str | None, Any]]:
    """Return everything that the public or a planner learns more closely than promised."""
    printed = Printed()
    for sheet in sheets:
        printed.add_sheet(sheet, pattern)
    found: list[tuple[str | None, Any]] = []
    lone = [rest for sheet in sheets for rest in lone_categories(sheet)]
    for office in (None, *printed.offices()):
        attack = printed.seen_by(office)
        wanted = [([name], 1.0, 3.0) for name in printed.small()] + [(rest, 1.0, 3.0) for rest in lone if rest]
        wanted = [one for one in wanted if office is None or printed.office[one[0][0]] != office]
        before = printed.seen_by(office, nothing_published=True)
        for names in attack.too_tight(wanted):
            (least, most), (low, high) = before.interval(*names), attack.interval(*names)
            if low > max(1.0, least) + 1e-5 or high < min(3.0, most) - 1e-5:
                found.append((office, (names, low, high)))
    return found
