"""The lines of the controlling report: what each is called, how its numbers look, and how a spreadsheet makes them.

The figures themselves come from the questions; a formula only says again how one follows from others on the sheet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum
from types import MappingProxyType

from geodata import words
from geodata.controlling_figures import GROUP_OFFER_TARGET
from service.exports.parts import PERIOD, At, Formula, Key, Look, Ref

GROWTH: Key = ("yearly_growth", "")
# What belongs to an area as a whole; and the figures of the city beside those of an area.
WHOLE, CITY = "", "city"

AMOUNT, SIGNED_AMOUNT = Look(), Look(signed=True)
RATE, SIGNED_RATE = Look(1), Look(1, signed=True)
QUOTIENT = Look(2)
SHARE = Look(1, percent="share")
CHANGE = Look(1, percent="pct", signed=True)
PERCENT = Look(2, percent="pct")


@dataclass(frozen=True, slots=True)
class Spec:
    """A kind of line: its title (with its unit) and how its numbers are shown."""

    title: str
    look: Look


LINES: Mapping[str, Spec] = MappingProxyType({
    "cases": Spec("Fälle", AMOUNT),
    "spending_eur": Spec("Ausgaben in €", AMOUNT),
    "residents": Spec("Jugendeinwohner (0 bis unter 21)", AMOUNT),
    "help_density": Spec("Hilfedichte (Fälle je 1.000 Jugendeinwohner)", RATE),
    "spending_per_resident": Spec("Kosten je Jugendeinwohner in €", AMOUNT),
    "spending_per_case": Spec("Kosten je Fall in €", AMOUNT),
    "hours_per_case": Spec("Stunden je Fall", RATE),
    "group_offer_share": Spec(
        f"Anteil der Gruppenangebote an den Stunden (Ziel: mindestens {words.percent(GROUP_OFFER_TARGET, 0)})", SHARE
    ),
    "help_quotient": Spec("Hilfequotient (ambulant je Hilfe außerhalb der Familie)", QUOTIENT),
    "follow_up_share": Spec("Anteil Folgehilfen an den neuen Beratungen", SHARE),
    "counselling_ratio": Spec("Quotient Beratungen/Hilfen", QUOTIENT),
    "target_eur": Spec("Zielschwelle der Ausgaben in €", AMOUNT),
    "spending_change": Spec("Veränderung der Ausgaben zum Basiszeitraum", CHANGE),
    "cases_change": Spec("Veränderung der Fälle zum Basiszeitraum", CHANGE),
    "spending_diff": Spec("Abstand zur Stadt: Kosten je Jugendeinwohner in €", SIGNED_AMOUNT),
    "cases_diff": Spec("Abstand zur Stadt: Hilfedichte", SIGNED_RATE),
    "spending_effect": Spec("Effekt gegen Vergleich: Ausgaben, in Prozentpunkten", SIGNED_RATE),
    "cases_effect": Spec("Effekt gegen Vergleich: Fälle, in Prozentpunkten", SIGNED_RATE),
})  # fmt: skip

# Of what a measure is told: change, difference and Effekt are asked for twice.
COMPARED = MappingProxyType({"spending": "spending_eur", "cases": "cases"})


def formulas_of(measure: str, subject: str, residents: str = WHOLE, city: str = CITY) -> tuple[Formula, ...]:
    """Return how a line is made from others of its table.

    ``subject``: the position or area of the line; ``residents``: that of the line of residents; ``city``: that of the
    lines it is compared with.
    """
    cases, spending = ("cases", subject), ("spending_eur", subject)
    people: Key = ("residents", residents)
    quotients = {
        "help_density": Formula("{0}/{1}*1000", (Ref(cases), Ref(people)), lambda c, j: c / j * 1000),
        "spending_per_resident": _ratio(spending, people),
        "spending_per_case": _ratio(spending, cases),
        "help_quotient": _ratio(("cases", "ambulant"), ("cases", "ausserhalb_familie")),
        "target_eur": Formula(
            "{0}*(1+{1})^({2}-{3})",
            (Ref(spending, At.BASE), Ref(GROWTH), Ref(PERIOD), Ref(PERIOD, At.BASE)),
            lambda spent, growth, year, base: spent * (1 + growth) ** (year - base),
        ),
        "spending_diff": difference(("spending_per_resident", subject), ("spending_per_resident", city)),
        "cases_diff": difference(("help_density", subject), ("help_density", city)),
    }
    if measure in quotients:
        return (quotients[measure],)
    of, _, what = measure.partition("_")
    if of in COMPARED and what == "change":
        counted: Key = (COMPARED[of], subject)
        return (Formula("{0}/{1}-1", (Ref(counted), Ref(counted, At.BASE)), lambda now, base: now / base - 1),)
    if of in COMPARED and what == "effect":
        return _effects((COMPARED[of], subject), (COMPARED[of], city))
    return ()


def difference(one: Key, other: Key) -> Formula:
    """Return the formula one − other."""
    return Formula("{0}-{1}", (Ref(one), Ref(other)), lambda here, there: here - there)


def total_less(total: Key, parts: list[Key]) -> Formula:
    """Return the formula of what parts lack to their total."""
    summed = ",".join(f"{{{place}}}" for place in range(1, len(parts) + 1))
    refs = tuple(Ref(key) for key in (total, *parts))
    return Formula(f"{{0}}-SUM({summed})", refs, lambda whole, *some: whole - fsum(some))


def _ratio(over: Key, under: Key) -> Formula:
    return Formula("{0}/{1}", (Ref(over), Ref(under)), lambda number, by: number / by)


def _effects(area: Key, city: Key) -> tuple[Formula, ...]:
    """Return the Effekt against the city without the area, and against the whole city."""
    refs = (Ref(area), Ref(area, At.BASE), Ref(city), Ref(city, At.BASE))
    return (
        Formula(
            "(({0}/{1}-1)-(({2}-{0})/({3}-{1})-1))*100",
            refs,
            lambda now, base, all_now, all_base: ((now / base - 1) - ((all_now - now) / (all_base - base) - 1)) * 100,
        ),
        Formula(
            "(({0}/{1}-1)-({2}/{3}-1))*100",
            refs,
            lambda now, base, all_now, all_base: ((now / base - 1) - (all_now / all_base - 1)) * 100,
        ),
    )
