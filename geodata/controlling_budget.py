"""The budget's figures: expected spending, Steuerungseffekt, Ausschöpfungsgrad, and the table of net effects.

Amounts in €, percentages as such (2.93 is 2.93 %), nothing rounded. A value that is missing makes what rests on it
missing, with its reason; cumulated sums from that year on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum
from typing import TypeVar

from geodata.controlling_values import Figure, absent, computed, divided, refused

_Entry = TypeVar("_Entry")
_AT_THE_BASE = "Im Basisjahr gibt es nichts zu vergleichen."
_BEFORE_THE_BASE = "Das Jahr liegt vor dem Basisjahr."


def fee_increase_since(base_year: int, year: int, yearly_pct: Mapping[int, Figure]) -> Figure:
    """Return the fee increase since the base year in percent: the sum of the yearly ones, added and not chained.

    ``yearly_pct``: the increase of each year against the one before it. A year without one makes the sum missing.
    """
    if year <= base_year:
        return refused(_AT_THE_BASE if year == base_year else _BEFORE_THE_BASE)
    named = [yearly_pct.get(y, absent(f"Entgeltsteigerung {y}")) for y in range(base_year + 1, year + 1)]
    return computed(lambda *values: fsum(values), *named)


def expected_spending(base: Figure, increase_pct: Figure) -> Figure:
    """Return what would have been spent had only fees risen: base · (1 + increase / 100), in €."""
    return computed(lambda spent, pct: spent * (1 + pct / 100), base, increase_pct)


def steering_effect(actual: Figure, expected: Figure) -> Figure:
    """Return the Steuerungseffekt actual − expected, in €; negative: less was spent than expected."""
    return computed(lambda spent, foreseen: spent - foreseen, actual, expected)


def reduced_uma_spending(base: Figure, now: Figure) -> Figure:
    """Return the Minderausgaben UMA base − now, in €: how much less was spent on UMA than in the base year."""
    return computed(lambda then, today: then - today, base, now)


def effect_net_of_uma(effect: Figure, reduced_uma: Figure) -> Figure:
    """Return the Steuerungseffekt without what less was spent on UMA: effect + Minderausgaben UMA, in €.

    No source prints it; it is always shown as "eigene Berechnung". Example of Hamburg-Mitte, 2019:
    −1,063,925 + 2,665,952 = + 1,602,027.
    """
    return computed(lambda steered, less: steered + less, effect, reduced_uma)


def budget_use(spending: Figure, budget: Figure) -> Figure:
    """Return the Ausschöpfungsgrad spending / budget, a fraction (1.14: 14 % more than was planned)."""
    return divided(spending, budget, 1, "Das Budget ist 0; ein Ausschöpfungsgrad lässt sich nicht bilden.")


@dataclass(frozen=True, slots=True)
class BudgetYear:
    """What is known of a year: spending, this year's fee increase, Minderausgaben UMA, budget (€ and percent)."""

    year: int
    spending: Figure
    fee_increase_pct: Figure
    reduced_uma: Figure
    budget: Figure


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A year of the budget table, in € but for the increase (percent) and ``budget_use`` (a fraction)."""

    year: int
    spending: Figure
    fee_increase_since_pct: Figure
    expected: Figure
    effect: Figure
    reduced_uma: Figure
    effect_net_of_uma: Figure
    budget_use: Figure


def budget_table(base_year: int, years: Iterable[BudgetYear]) -> list[BudgetRow]:
    """Return the budget table by year, every year against the base year.

    In the base year and before it nothing is expected. Raises ``ValueError`` for a year twice.
    """
    known = {entry.year: entry for entry in _once(years, lambda entry: entry.year)}
    increases = {year: entry.fee_increase_pct for year, entry in known.items()}
    base = known[base_year].spending if base_year in known else absent(f"Ausgaben im Basisjahr {base_year}")
    rows = []
    for year, entry in known.items():
        increase = fee_increase_since(base_year, year, increases)
        # Before it is asked what is missing of the base year: in it and before it there is nothing to expect.
        expected = expected_spending(base, increase) if year > base_year else increase
        effect = steering_effect(entry.spending, expected) if year > base_year else increase
        net = effect_net_of_uma(effect, entry.reduced_uma) if year > base_year else increase
        rows.append(
            BudgetRow(
                year, entry.spending, increase, expected, effect, entry.reduced_uma, net,
                budget_use(entry.spending, entry.budget),
            )
        )  # fmt: skip
    return rows


@dataclass(frozen=True, slots=True)
class EffectYear:
    """What the net effect of a year is made from, in €.

    ``reduced_growth`` None: forecast spending − spending. A forecast states its own: it foresees that much less growth,
    and its forecast spending is that without steering.
    """

    year: int
    forecast_spending: Figure
    spending: Figure
    staff_costs: Figure
    prevention_costs: Figure
    base_effect: Figure
    reduced_growth: Figure | None = None


@dataclass(frozen=True, slots=True)
class EffectRow:
    """A year of the table of net effects, in €; ``cumulated_…``: from the table's first year to this one."""

    year: int
    reduced_growth: Figure
    staff_costs: Figure
    prevention_costs: Figure
    base_effect: Figure
    net_effect: Figure
    cumulated_reduced_growth: Figure
    cumulated_net_effect: Figure


@dataclass(frozen=True, slots=True)
class EffectComparison:
    """Forecast beside actual of one year; ``difference``: actual − forecast net effect. A row is None if absent."""

    year: int
    forecast: EffectRow | None
    actual: EffectRow | None
    difference: Figure


def reduced_growth(forecast_spending: Figure, spending: Figure) -> Figure:
    """Return the reduced growth of spending: forecast − actual, in €; positive: less than forecast."""
    return computed(lambda foreseen, spent: foreseen - spent, forecast_spending, spending)


def net_effect(growth: Figure, staff_costs: Figure, prevention_costs: Figure, base_effect: Figure) -> Figure:
    """Return the Nettoeffekt: reduced growth − staff costs − prevention costs + continued base effect, in €."""
    return computed(lambda less, staff, care, base: less - staff - care + base, growth, staff_costs, prevention_costs,
                    base_effect)  # fmt: skip


def effects_table(years: Iterable[EffectYear]) -> list[EffectRow]:
    """Return the table of net effects by year, with cumulated sums from its first year on.

    A year left out between two others makes the sums missing from there on. Raises ``ValueError`` for a year twice.
    """
    entries = _once(years, lambda entry: entry.year)
    growths = [
        reduced_growth(entry.forecast_spending, entry.spending)
        if entry.reduced_growth is None
        else entry.reduced_growth
        for entry in entries
    ]
    nets = [
        net_effect(growth, entry.staff_costs, entry.prevention_costs, entry.base_effect)
        for entry, growth in zip(entries, growths, strict=True)
    ]
    gaps = _gaps([entry.year for entry in entries])
    sums = zip(_cumulated(growths, gaps), _cumulated(nets, gaps), strict=True)
    return [
        EffectRow(entry.year, growth, entry.staff_costs, entry.prevention_costs, entry.base_effect, net, *both)
        for entry, growth, net, both in zip(entries, growths, nets, sums, strict=True)
    ]


def forecast_beside_actual(forecast: Iterable[EffectRow], actual: Iterable[EffectRow]) -> list[EffectComparison]:
    """Return forecast and actual side by side for every year that either has."""
    foreseen = {row.year: row for row in forecast}
    real = {row.year: row for row in actual}
    made = []
    for year in sorted(foreseen.keys() | real.keys()):
        before, after = foreseen.get(year), real.get(year)
        promised = before.net_effect if before else absent(f"Prognose {year}")
        reached = after.net_effect if after else absent(f"Ist {year}")
        made.append(EffectComparison(year, before, after, computed(lambda now, then: now - then, reached, promised)))
    return made


def _once(entries: Iterable[_Entry], year_of: Callable[[_Entry], int]) -> list[_Entry]:
    """Return the entries by year; raise ``ValueError`` where a year stands twice."""
    ordered = sorted(entries, key=year_of)
    for one, other in pairwise(ordered):
        if year_of(one) == year_of(other):
            raise ValueError(f"the year {year_of(one)} stands twice")
    return ordered


def _gaps(years: Sequence[int]) -> dict[int, list[Figure]]:
    """Return, per place in the years, a missing figure for each year left out just before it."""
    return {
        place + 1: [absent(f"Wirkung {year}") for year in range(one + 1, other)]
        for place, (one, other) in enumerate(pairwise(years))
    }


def _cumulated(values: Sequence[Figure], gaps: Mapping[int, Sequence[Figure]]) -> list[Figure]:
    taken: list[Figure] = []
    sums = []
    for place, value in enumerate(values):
        taken += [*gaps.get(place, ()), value]
        sums.append(computed(lambda *all_so_far: fsum(all_so_far), *taken))
    return sums
