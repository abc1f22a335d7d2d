"""Large tables in parts: what lies within an outer cell is protected as if everybody knew the outer cells.

A table of Land, Bezirke, Stadtteile and Sozialräume by all Hilfearten is too large for its optimum. Its ``outer`` cells
(Land and Bezirke) are few, and who knows them all sees it fall apart: the Stadtteile and Sozialräume of each Bezirk
hang together, those of two Bezirke no longer do. Each such part gets its own pattern of least loss, against attackers
who know all outer cells besides; the outer cells get one against attackers who see nothing but outer cells. Whoever
knows less can tell less, so what the parts promise holds for the whole as well. What is left is checked on the whole
table by linear programmes: the outer cells, which must be able to go where their parts let them, and inner ones that
nothing hides from who knows the outer ones (the only Stadtteil of a Bezirk). Where a promise is not kept, the cheapest
other table that keeps it says what else is suppressed (as in :mod:`geodata.disclosure.suppress`).

The result keeps all promises; it may lose more than the optimum of the whole, and no bound of it is known.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from geodata.disclosure.attacker import Goal, View, goals_of
from geodata.disclosure.proofs import Failed, undominated
from geodata.disclosure.quiet import quiet_solver
from geodata.disclosure.suppress import Effort, Pattern, alternative, protect
from geodata.disclosure.table import EXACT, Aim, Attacker, Bools, Floats, Table

SMALL = 100
"""So many published cells are protected as one."""

# The optimum of each part would take ten times as long and lose some per cent less.
_QUICK = Effort(rounds=5, nodes=3)

Cells = np.ndarray[tuple[int, ...], np.dtype[np.intp]]


@quiet_solver()
def protect_in_parts(table: Table, outer: Bools, effort: Effort = _QUICK) -> Pattern:
    """Return a pattern that keeps the table's promises, found part by part; a small table is protected as one.

    ``outer`` has the shape (cells,). Its result depends on keys and values only, as that of ``protect`` does.
    """
    if int((~table.hidden).sum()) <= SMALL or not outer.any() or outer.all():
        return protect(table, effort)
    pattern = table.primary.copy()
    owed: set[int] = set(np.flatnonzero(outer).tolist())
    inner = _without(table, outer)
    place = np.flatnonzero(~outer)
    for cells in inner.blocks():
        part = inner.part(cells)
        if part.aims:
            own = protect(part, effort).suppressed
            pattern[place[cells]] |= own
            owed |= {int(place[cells[cell]]) for cell in _unkept(part, own)}
    top = _only(table, outer)
    pattern[np.flatnonzero(outer)] |= protect(top, effort).suppressed
    pattern = _repaired(table, pattern | table.hidden, _goals(table, owed)) & ~table.hidden
    loss = float(table.weights[pattern].sum())
    return Pattern(table, pattern, loss, float(table.weights[table.primary].sum()), exact=False)


def _without(table: Table, known: Bools) -> Table:
    """Return the table as who knows some cells sees it: they are gone from it, and from its equalities."""
    return _restricted(table, np.flatnonzero(~known), np.ones(table.equalities.shape[0], dtype=np.bool_))


def _only(table: Table, cells: Bools) -> Table:
    """Return the table of some cells with the equalities in which no others stand."""
    others = table.equalities[:, np.flatnonzero(~cells)].tocsr()
    return _restricted(table, np.flatnonzero(cells), np.diff(others.indptr) == 0)


def _restricted(table: Table, cells: Cells, rows: Bools) -> Table:
    equalities = table.equalities[np.flatnonzero(rows)][:, cells].tocsr()
    equalities = equalities[np.flatnonzero(np.diff(equalities.indptr) > 0)]
    place = {int(cell): number for number, cell in enumerate(cells)}
    attackers: dict[bytes, Attacker] = {}
    for one in table.attackers:
        known = one.known[cells]
        attackers.setdefault(known.tobytes(), Attacker(one.name, known))

    def taken(values: Floats) -> Floats:
        return values[cells]

    return Table(
        keys=tuple(table.keys[cell] for cell in cells),
        values=taken(table.values),
        lower=taken(table.lower),
        upper=taken(table.upper),
        weights=taken(table.weights),
        hidden=table.hidden[cells],
        primary=table.primary[cells],
        equalities=equalities,
        aims=tuple(Aim(place[aim.cell], aim.at_most, aim.at_least) for aim in table.aims if aim.cell in place),
        attackers=tuple(attackers.values()),
    )


def _unkept(part: Table, suppressed: Bools) -> set[int]:
    """Return the cells of a part that do not get all that is asked for, as nothing in the part could give it them."""
    wanted = {
        goal
        for aim in part.aims
        for goal in (
            Goal(aim.cell, 1, aim.at_least - float(part.values[aim.cell])),
            Goal(aim.cell, -1, float(part.values[aim.cell]) - aim.at_most),
        )
        if goal.need > EXACT and np.isfinite(goal.need)
    }
    found: set[int] = set()
    for attacker in part.attackers:
        mine = [goal for goal in sorted(wanted) if not attacker.known[goal.cell]]
        view = View(part, (suppressed | part.hidden) & ~attacker.known)
        found |= {goal.cell for goal in view.unreached(mine)}
    return found


def _goals(table: Table, cells: Iterable[int]) -> list[Failed]:
    """Return what must be possible of some cells, each for the attackers who are hardest to deceive about it."""
    mine = set(cells)
    asked = replace(table, aims=tuple(aim for aim in table.aims if aim.cell in mine))
    if not asked.aims:
        return []
    goals = undominated({one: goals_of(asked, one) for one in asked.attackers})
    return [(attacker, goal) for attacker, own in goals.items() for goal in own]


def _repaired(table: Table, pattern: Bools, wanted: list[Failed]) -> Bools:
    """Suppress more until all goals can be reached: for each that cannot, along the cheapest other table."""
    by_attacker: dict[Attacker, list[Goal]] = {}
    for attacker, goal in wanted:
        by_attacker.setdefault(attacker, []).append(goal)
    for attacker, goals in by_attacker.items():
        # More suppression takes nothing away from what was possible: one attacker after the other will do.
        while shut := View(table, pattern & ~attacker.known).unreached(goals):
            for goal in shut:
                if View(table, pattern & ~attacker.known).unreached([goal]):
                    pattern = pattern | alternative(table, attacker, goal, pattern)
    return pattern
