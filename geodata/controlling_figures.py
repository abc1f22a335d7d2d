"""The figures of controlling, one function each. Nothing here is rounded; shares are fractions.

Every function takes figures (``controlling_values``) and returns one; what is missing, suppressed, divided by 0 or not
comparable comes back without a value and with its reason. Quotients are always made from counts, never from rounded
quotients, and shares are never averaged.

Symbols: C cases, S spending in €, J Jugendeinwohner (residents from 0 to under 21), H hours, B new counselling cases.
"""

from collections.abc import Sequence
from dataclasses import replace

from geodata.controlling_values import (
    Figure,
    computed,
    divided,
    incomparable,
    other_scope,
    other_time,
    refused,
    with_notes,
)
from geodata.periods import spoken

GROUP_OFFER_TARGET = 0.15
"""The share of hours in group offers that is aimed at (at least)."""

YEARLY_GROWTH = 0.04
"""Bremen's ceiling for the growth of spending, a year."""

UNASSIGNED = "nicht zuordenbar / Rundung"
"""What the difference between a published total and its published parts is called."""

WITH_THE_AREA = (
    "Verglichen wird mit der Stadt einschließlich des Gebiets, weil sich die Stadt ohne das Gebiet nicht bilden lässt; "
    "der Effekt erscheint dadurch etwas kleiner."
)
_NO_RESIDENTS = "Die Zahl der Jugendeinwohner ist 0; ein Wert je Einwohner lässt sich nicht bilden."
_NO_CASES = "Es gibt keine Fälle; ein Wert je Fall lässt sich nicht bilden."


def help_density(cases: Figure, residents: Figure) -> Figure:
    """Return the Hilfedichte C / J · 1000: cases per 1,000 Jugendeinwohner."""
    return divided(cases, residents, 1000, _NO_RESIDENTS)


def spending_per_resident(spending: Figure, residents: Figure) -> Figure:
    """Return the Kosten je JEW S / J, in €."""
    return divided(spending, residents, 1, _NO_RESIDENTS)


def spending_per_case(spending: Figure, cases: Figure) -> Figure:
    """Return the Kosten je Fall S / C, in €. The spending's period must contain that of the cases."""
    return _outside(spending, cases) or divided(spending, cases, 1, _NO_CASES)


def hours_per_case(hours: Figure, cases: Figure) -> Figure:
    """Return the hours per case H / C. The hours' period must contain that of the cases (a month its key date)."""
    return _outside(hours, cases) or divided(hours, cases, 1, _NO_CASES)


def help_quotient(ambulant: Figure, outside_family: Figure) -> Figure:
    """Return the Hilfequotient C(ambulant) / C(außerhalb der Familie); higher is "ambulant vor stationär".

    Both must be for the same period and counted alike. Where one counts families and the other young people, a note
    says so.
    """
    if why := other_time(ambulant, outside_family) or incomparable(ambulant, _as_unit_of(ambulant, outside_family)):
        return refused(why, ambulant, outside_family, basis=ambulant.basis)
    notes = other_scope(ambulant, outside_family)
    if ambulant.basis and outside_family.basis and ambulant.basis.unit != outside_family.basis.unit:
        notes = (*notes, "Ambulante Hilfen und Hilfen außerhalb der Familie sind in verschiedenen Einheiten gezählt.")
    empty = "Es gibt keine Hilfen außerhalb der Familie; ein Hilfequotient lässt sich nicht bilden."
    return divided(ambulant, outside_family, 1, empty, notes)


def follow_up_share(followed: Figure, new: Figure) -> Figure:
    """Return the Anteil Folgehilfen: the share of new counselling cases that led to a paid help, a fraction."""
    return _part(followed, new, "Es gibt keine neuen Beratungen; ein Anteil der Folgehilfen lässt sich nicht bilden.",
                 "Es sind mehr Folgehilfen als neue Beratungen angegeben; das kann nicht stimmen.")  # fmt: skip


def counselling_ratio(new: Figure, cases: Figure) -> Figure:
    """Return the Quotient Beratungen/Hilfen B / C(alle Hilfen). The two are counted differently by their nature."""
    why = other_time(new, cases)
    return refused(why, new, cases, basis=new.basis) if why else divided(new, cases, 1, _NO_CASES)


def group_offer_share(group_hours: Figure, all_hours: Figure) -> Figure:
    """Return the share of hours in group offers, H(gruppenangebot) / H(all), a fraction."""
    return _part(group_hours, all_hours, "Es gibt keine Stunden; ein Anteil für Gruppen lässt sich nicht bilden.",
                 "Für Gruppenangebote sind mehr Stunden angegeben als insgesamt; das kann nicht stimmen.")  # fmt: skip


def target_met(share: Figure, target: float = GROUP_OFFER_TARGET) -> bool | None:
    """Tell whether a share reaches its target (equal does); None where the share has no value."""
    return None if share.value is None else share.value >= target


def change_pct(base: Figure, now: Figure) -> Figure:
    """Return the change since the base period in percent, (now / base − 1) · 100. The base must be above 0."""
    why = incomparable(base, now)
    if why is None and base.value is not None and now.value is not None and base.value <= 0:
        kind = "0" if base.value == 0 else "negativ"
        why = f"Der Ausgangswert ist {kind}; eine Veränderung in Prozent gibt es nicht."
    basis = replace(now.basis, since=base.basis.period) if now.basis and base.basis else now.basis
    if why is not None:
        return refused(why, base, now, basis=basis)
    return computed(lambda b, n: (n / b - 1) * 100, base, now, basis=basis, notes=other_scope(base, now))


def spending_target(base: Figure, years: int, yearly_growth: float = YEARLY_GROWTH) -> Figure:
    """Return the Zielschwelle base · (1 + growth)^years, in €, of the year that many years after the base year.

    ``yearly_growth`` is a fraction above −1 (0.04: 4 % a year); ``ValueError`` otherwise. Before the base year there is
    no Zielschwelle.
    """
    if not -1 < yearly_growth < float("inf"):
        raise ValueError(f"a yearly growth of {yearly_growth} is none")
    if years < 0:
        return refused("Vor dem Basisjahr gibt es keine Zielschwelle.", base, basis=base.basis)
    return computed(lambda spent: spent * (1 + yearly_growth) ** years, base, basis=base.basis)


def difference(area: Figure, city: Figure) -> Figure:
    """Return the difference area − city (the city with the area in it), in the unit of the two figures."""
    if why := other_time(area, city) or incomparable(area, city):
        return refused(why, area, city, basis=area.basis)
    return computed(lambda a, c: a - c, area, city, basis=area.basis, notes=other_scope(area, city))


def without_area(city: Figure, area: Figure) -> Figure:
    """Return the city without one of its areas: city − area, of counts or amounts in € (never of rates).

    Missing where the area has more than the city: then the two were not counted together.
    """
    if why := other_time(city, area) or incomparable(city, area):
        return refused(why, city, area, basis=city.basis)
    if city.value is not None and area.value is not None and area.value > city.value:
        return refused("Das Gebiet hat mehr als die Stadt; die Stadt ohne das Gebiet lässt sich nicht bilden.",
                       basis=city.basis)  # fmt: skip
    return computed(lambda c, a: c - a, city, area, basis=city.basis, notes=other_scope(city, area))


def effect_pp(area_change: Figure, rest_change: Figure, city_change: Figure) -> Figure:
    """Return the Effekt gegen Vergleich (difference-in-differences), in percentage points.

    The relative change of the area − that of the comparison, all in percent. The comparison is the city without the
    area (``rest_change``, of the rest's own counts); where that has no value it is the whole city, and a footnote says
    so. Below 0: the area grew less. Example: Walle's spending −5.04 %, Bremen's + 4.51 % with Walle in it: −9.55.
    """
    if rest_change.value is not None or city_change.value is None:
        return difference(area_change, rest_change)
    return with_notes(difference(area_change, city_change), WITH_THE_AREA)


def unassigned(total: Figure, parts: Sequence[Figure]) -> Figure:
    """Return what the published parts lack to their published total: total − Σ parts, shown as ``UNASSIGNED``.

    Missing where a part is: what it holds is not "nicht zuordenbar".
    """
    for part in parts:
        if why := other_time(total, part) or incomparable(total, _as_group_of(total, part)):
            return refused(why, total, *parts, basis=total.basis)
    return computed(lambda whole, *some: whole - sum(some), total, *parts, basis=total.basis)


def _part(part: Figure, whole: Figure, empty: str, contradiction: str) -> Figure:
    """Return the share of a part in its whole, both for the same period and counted alike."""
    if why := other_time(part, whole) or incomparable(part, _as_group_of(part, whole)):
        return refused(why, part, whole, basis=part.basis)
    if part.value is not None and whole.value is not None and 0 < whole.value < part.value:
        return refused(contradiction, basis=part.basis)
    return divided(part, whole, 1, empty)


def _outside(amount: Figure, cases: Figure) -> Figure | None:
    """Return the refusal where the amount's period does not contain that of the cases; None where it does."""
    if amount.basis is None or cases.basis is None:
        return None
    span, inner = amount.basis.period, cases.basis.period
    if span.starts <= inner.starts and inner.ends <= span.ends:
        return None
    periods = f"{spoken(span.text)} und {spoken(inner.text)}"
    return refused(f"Die Zahlen gehören zu verschiedenen Zeiträumen ({periods}).", amount, cases, basis=amount.basis)


def _as_unit_of(one: Figure, other: Figure) -> Figure:
    """Return the other figure as if it were in the unit and of the Hilfearten of the one."""
    if one.basis is None or other.basis is None:
        return other
    return replace(other, basis=replace(other.basis, unit=one.basis.unit, composition=one.basis.composition))


def _as_group_of(one: Figure, other: Figure) -> Figure:
    """Return the other figure as if it were of the Hilfearten of the one: parts and wholes differ in them."""
    if one.basis is None or other.basis is None:
        return other
    return replace(other, basis=replace(other.basis, composition=one.basis.composition))
