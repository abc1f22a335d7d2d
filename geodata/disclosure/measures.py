"""What can be done where a column of the Land table cannot be kept: give up its total, or merge states.

A planner who knows the own Bezirk's row takes it out of the table; where few Bezirke place in a state, what is left
with the Land's total gives the others away. :func:`geodata.disclosure.suppress.protect` then suppresses the total
(and what it takes along). The other measure is to publish several states as one, "übrige Länder": the single states
are lost for all Bezirke, but their sum is larger and can more often be shown. Both are worked out in full and compared
by the same measure, the weight of what is still published against the weight of the sheet as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geodata.disclosure.cube import Level, Rule, Sheet, Weights, build, masks
from geodata.disclosure.suppress import Effort, Pattern, protect
from geodata.disclosure.table import Floats, Table

REST = "übrige Länder"


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """One way to publish a sheet. ``merged``: the states shown as one; empty: none.

    ``without_total``: the columns of ``sheet`` whose total for the Land is suppressed. ``loss``: weight of all that
    the sheet as given would show less the weight of what this one shows.
    """

    merged: tuple[str, ...]
    without_total: tuple[str, ...]
    sheet: Sheet
    pattern: Pattern
    loss: float

    @property
    def words(self) -> str:
        """The measure in one German sentence."""
        said = []
        if self.merged:
            said.append(f"{_listed(self.merged)} werden als „{REST}“ zusammengefasst")
        if self.without_total:
            said.append(f"die Summe für das Land entfällt bei {_listed(self.without_total)}")
        sentence = "; ".join(said) or "alle Summen für das Land bleiben stehen"
        return f"{sentence[0].upper()}{sentence[1:]}."


def measures(
    sheet: Sheet,
    mergeable: Sequence[str],
    rule: Rule = Rule(),  # noqa: B008 - frozen
    weights: Weights = Weights(),  # noqa: B008 - frozen
    effort: Effort = Effort(),  # noqa: B008 - frozen
    *,
    land: str = "land",
    most: int = 5,
) -> tuple[Measure, ...]:
    """Return the ways to publish a sheet, the one with the least loss first.

    The first tried is the sheet as it is. If it loses totals of the level ``land`` in ``mergeable`` categories, those
    are merged, the smallest two of them, three and so on up to all (at least two: then with the next smallest), at most
    ``most`` such merges. Equal losses: the one that merges less comes first.
    """
    full = _weight(build([sheet], rule, weights))
    plain = _measure(sheet, (), full, rule, weights, effort, land)
    found = [plain]
    totals = sheet.level(land).counts.sum(axis=0)
    size = {name: float(totals[number]) for number, name in enumerate(sheet.categories)}
    lost = [name for name in plain.without_total if name in set(mergeable)]
    order = sorted(mergeable, key=lambda name: (name not in lost, size[name], name))
    if lost and len(order) > 1:
        counts = range(2, max(2, len(lost)) + 1)
        for number in sorted({counts[at] for at in np.linspace(0, len(counts) - 1, most).astype(int).tolist()}):
            chosen = tuple(sorted(order[:number]))
            found.append(_measure(merge(sheet, chosen), chosen, full, rule, weights, effort, land))
    return tuple(sorted(found, key=lambda one: (round(one.loss, 6), len(one.merged))))


def merge(sheet: Sheet, states: Sequence[str], name: str = REST) -> Sheet:
    """Return the sheet with some categories added up to one, which comes last; groups keep what they contain.

    Raises ValueError for a group that contains some of them but not all.
    """
    gone = set(states)
    keep = [number for number, category in enumerate(sheet.categories) if category not in gone]
    add = [number for number, category in enumerate(sheet.categories) if category in gone]
    groups = {}
    for group, inside in sheet.groups.items():
        if gone & set(inside) and not gone <= set(inside):
            raise ValueError(f"merged categories lie partly in the group {group}")
        left = tuple(one for one in inside if one not in gone)
        groups[group] = (*left, name) if len(left) < len(inside) else left

    def merged(counts: Floats) -> Floats:
        return np.column_stack([counts[:, keep], counts[:, add].sum(axis=1)])

    return Sheet(
        name=sheet.name,
        categories=(*(sheet.categories[number] for number in keep), name),
        levels=tuple(
            Level(one.name, one.areas, merged(one.counts), one.totals, one.offices, one.slack) for one in sheet.levels
        ),
        sums=sheet.sums,
        crossings=sheet.crossings,
        groups={group: inside for group, inside in groups.items() if len(inside) > 1},
    )


def _measure(
    sheet: Sheet, merged: tuple[str, ...], full: float, rule: Rule, weights: Weights, effort: Effort, land: str
) -> Measure:
    pattern = protect(build([sheet], rule, weights), effort)
    lost = masks(pattern, sheet, land).counts
    without = tuple(name for number, name in enumerate(sheet.categories) if lost[:, number].any())
    return Measure(merged, without, sheet, pattern, full - (_weight(pattern.table) - pattern.loss))


def _weight(table: Table) -> float:
    return float(table.weights.sum())


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} und {names[-1]}"
