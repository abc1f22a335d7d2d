"""Tables as an attacker sees them: cells, the equalities between them, what has to stay in doubt, and for whom.

A published structure is a list of cells (counts and totals, none negative; means of key dates may be fractional) and
linear equalities ``equalities @ values = constants``. A total is an equality; a total that is known only up to
rounding or up to a part "nicht zuordenbar" is an equality with one more cell, bounded and never published
(:meth:`TableBuilder.equal` makes it from ``slack``).

Cells stand in the order of their keys and equalities in the order of their cells, so that a table does not depend on
the order in which it was put together, and neither does anything computed from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Key = tuple[str, ...]

EXACT = 1e-6
"""Two sums differ if they differ by more than this; it is also the tolerance of the linear programmes."""


@dataclass(frozen=True, slots=True, order=True)
class Aim:
    """What must stay possible in the eyes of an attacker: ``cell`` at most ``at_most`` and at least ``at_least``.

    ``cell`` is a position in the table. Either bound is infinite (``inf``, ``-inf``) where nothing is asked for.
    """

    cell: int
    at_most: float
    at_least: float


@dataclass(frozen=True, slots=True, eq=False)
class Attacker:
    """Somebody who knows some cells exactly, whatever is published. ``known`` has the shape (cells,)."""

    name: str
    known: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Cells (all arrays have the shape (cells,)) and the equalities between them.

    ``values`` are the true ones; ``lower`` and ``upper`` is what everybody knows about a cell beforehand; ``weights``
    is what is lost when a cell is not published. ``hidden`` cells are never published and cost nothing; ``primary``
    cells must be suppressed. ``equalities`` has the shape (equalities, cells); ``equalities @ values`` are constants
    that everybody knows.
    """

    keys: tuple[Key, ...]
    values: Floats
    lower: Floats
    upper: Floats
    weights: Floats
    hidden: Bools
    primary: Bools
    equalities: sp.csr_array
    aims: tuple[Aim, ...]
    attackers: tuple[Attacker, ...]

    @property
    def position(self) -> Mapping[Key, int]:
        """The position of every key."""
        return {key: number for number, key in enumerate(self.keys)}

    def blocks(self) -> list[NDArray[np.intp]]:
        """Return the positions of the cells of each part that shares no equality with another, in order."""
        there = abs(self.equalities).sign()
        count, label = sp.csgraph.connected_components(there.T @ there, directed=False)
        return [np.flatnonzero(label == number) for number in range(count)]

    def part(self, cells: NDArray[np.intp]) -> "Table":
        """Return the table of some cells (ascending positions) that no equality joins to others.

        Attackers who know the same of these cells become one.
        """
        there = np.diff(self.equalities[:, cells].indptr) > 0
        place = {int(cell): number for number, cell in enumerate(cells)}
        attackers: dict[bytes, Attacker] = {}
        for one in self.attackers:
            known = one.known[cells]
            attackers.setdefault(known.tobytes(), Attacker(one.name, known))
        return Table(
            keys=tuple(self.keys[cell] for cell in cells),
            values=self.values[cells],
            lower=self.lower[cells],
            upper=self.upper[cells],
            weights=self.weights[cells],
            hidden=self.hidden[cells],
            primary=self.primary[cells],
            equalities=self.equalities[there][:, cells],
            aims=tuple(Aim(place[aim.cell], aim.at_most, aim.at_least) for aim in self.aims if aim.cell in place),
            attackers=tuple(attackers.values()),
        )


@dataclass(slots=True)
class _Cell:
    value: float
    weight: float
    lower: float
    upper: float
    hidden: bool
    primary: bool = False


@dataclass(slots=True)
class TableBuilder:
    """Puts a table together, cell by cell and equality by equality, in any order."""

    _cells: dict[Key, _Cell] = field(default_factory=dict)
    _equalities: list[dict[Key, float]] = field(default_factory=list)
    _aims: dict[Key, tuple[float, float]] = field(default_factory=dict)
    _known: dict[str, set[Key]] = field(default_factory=lambda: {"": set()})

    def cell(self, key: Key, value: float, weight: float = 1.0, *, lower: float = 0.0, upper: float = np.inf) -> None:
        """Add a cell that is to be published if it can be; ``weight`` (above 0) is the loss if it is not.

        Raises ValueError for a key added before and for a value that is no number or outside its bounds.
        """
        self._add(key, _Cell(float(value), float(weight), lower, upper, hidden=False))

    def hidden(self, key: Key, value: float = np.nan, *, lower: float = 0.0, upper: float = np.inf) -> None:
        """Add a cell that nobody ever publishes but that stands in equalities; NaN: we do not know its value either."""
        self._add(key, _Cell(float(value), 0.0, lower, upper, hidden=True))

    def _add(self, key: Key, cell: _Cell) -> None:
        if key in self._cells:
            raise ValueError(f"cell twice: {key}")
        unknown = cell.hidden and np.isnan(cell.value)
        if not unknown and not cell.lower - EXACT <= cell.value <= cell.upper + EXACT:
            raise ValueError(f"cell outside what is known about it: {key} = {cell.value}")
        if not cell.hidden and not cell.weight > 0:
            raise ValueError(f"a cell that costs nothing: {key}")
        self._cells[key] = cell

    def equal(self, parts: Mapping[Key, float], slack: tuple[float, float] | None = None) -> None:
        """Add the equality in which each cell stands with its factor; the sum itself is known to everybody.

        ``slack``: the sum is known only to lie within these two numbers, both included (rounding, "nicht zuordenbar").
        Raises ValueError where it does not. With cells whose values nobody knows the sum is 0, or as near to it as
        the known values allow.
        """
        if slack is not None:
            rest = sum(factor * self._cells[key].value for key, factor in parts.items())
            spare: Key = ("\x7fslack", *(text for key in sorted(parts) for text in key))
            self.hidden(spare, rest, lower=slack[0], upper=slack[1])
            parts = {**parts, spare: -1.0}
        self._equalities.append({key: factor for key, factor in parts.items() if factor})

    def suppress(self, key: Key) -> None:
        """Say that a cell must not be published."""
        self._cells[key].primary = True

    def keep_open(self, key: Key, *, at_most: float = np.inf, at_least: float = -np.inf) -> None:
        """Ask that a cell may be as low as ``at_most`` and as high as ``at_least`` in the eyes of every attacker."""
        low, high = self._aims.get(key, (np.inf, -np.inf))
        self._aims[key] = (min(low, at_most), max(high, at_least))

    def knows(self, attacker: str, keys: Iterable[Key]) -> None:
        """Say what an attacker knows. The public, who knows nothing, is always one of them."""
        self._known.setdefault(attacker, set()).update(keys)

    def build(self) -> Table:
        """Return the table."""
        keys = tuple(sorted(self._cells))
        place = {key: number for number, key in enumerate(keys)}
        cells = [self._cells[key] for key in keys]
        rows = sorted({tuple(sorted((place[key], factor) for key, factor in row.items())) for row in self._equalities})
        starts = np.cumsum([0, *(len(row) for row in rows)])
        where = [cell for row in rows for cell, _ in row]
        factors = [factor for row in rows for _, factor in row]
        attackers = []
        for name in sorted(self._known):
            known = np.zeros(len(keys), dtype=np.bool_)
            known[[place[key] for key in self._known[name]]] = True
            attackers.append(Attacker(name, known))
        equalities = sp.csr_array((factors, where, starts), shape=(len(rows), len(keys)), dtype=np.float64)
        lower = np.array([cell.lower for cell in cells], dtype=np.float64)
        upper = np.array([cell.upper for cell in cells], dtype=np.float64)
        values = np.array([cell.value for cell in cells], dtype=np.float64)
        return Table(
            keys=keys,
            values=_completed(values, lower, upper, equalities),
            lower=lower,
            upper=upper,
            weights=np.array([cell.weight for cell in cells], dtype=np.float64),
            hidden=np.array([cell.hidden for cell in cells], dtype=np.bool_),
            primary=np.array([cell.primary for cell in cells], dtype=np.bool_),
            equalities=equalities,
            aims=tuple(sorted(Aim(place[key], low, high) for key, (low, high) in self._aims.items())),
            attackers=tuple(attackers),
        )


def _completed(values: Floats, lower: Floats, upper: Floats, equalities: sp.csr_array) -> Floats:
    """Fill in values nobody knows so that their equalities come as near to 0 as they can (least sum of distances).

    Which of several fillings is taken does not matter: attackers hold every one of them possible.
    """
    unknown = np.isnan(values)
    if not unknown.any():
        return values
    touched = np.diff(equalities[:, unknown].indptr) > 0
    if not touched.any():
        return np.where(unknown, np.clip(0.0, lower, upper), values)
    rows = equalities[touched]
    number, open_ = rows.shape[0], int(unknown.sum())
    short = -(rows[:, ~unknown] @ values[~unknown])
    found = milp(
        np.concatenate([np.zeros(open_), np.ones(2 * number)]),
        constraints=LinearConstraint(
            sp.hstack([rows[:, unknown], sp.eye_array(number), -sp.eye_array(number)]).tocsc(), short, short
        ),
        bounds=Bounds(
            np.concatenate([lower[unknown], np.zeros(2 * number)]),
            np.concatenate([upper[unknown], np.full(2 * number, np.inf)]),
        ),
    )
    filled = values.copy()
    filled[unknown] = np.clip(found.x[:open_], lower[unknown], upper[unknown])
    return filled
