"""The measures of a row: made from its parts, or printed; their change, and how they stand against the city.

A measure is one number of a row (``MEASURES``). What it is made from are its parts; the city without an area has the
parts of the city less those of the area, so that quotients are rebuilt and never subtracted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from geodata import controlling_figures as formulas
from geodata.controlling_rows import (
    ALL_HELPS,
    AMBULANT,
    FOLLOWED,
    GROUP_OFFERS,
    HOURS,
    NEW,
    OUTSIDE_FAMILY,
    PUBLISHED,
    PUBLISHED_CHANGES,
    SPENDING,
    Held,
    RowKey,
)
from geodata.controlling_values import Figure, absent, refused, with_notes
from geodata.periods import Period, spoken

AS_PUBLISHED = "wie veröffentlicht, aus den Angaben nicht nachzurechnen."


@dataclass(frozen=True, slots=True)
class Parts:
    """What the measures of one row are made from; ``group_hours``: of group offers. Anything may be missing."""

    cases: Figure
    spending: Figure
    hours: Figure
    residents: Figure
    group_hours: Figure
    ambulant: Figure
    outside_family: Figure
    new: Figure
    followed: Figure

    def without(self, area: "Parts") -> "Parts":
        """Return the parts of a city without one of its areas."""
        return Parts(*(
            formulas.without_area(getattr(self, name), getattr(area, name)) for name in Parts.__slots__
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: its ``title``, what it is made from (``needs``, of ``Parts``), and how.

    ``against_city``: the measure whose difference to the city is told where this one is chosen; an amount or a count of
    an area is no match for that of the city, its rate per resident is.
    """

    title: str
    needs: tuple[str, ...]
    make: Callable[..., Figure]
    against_city: str


def _itself(figure: Figure) -> Figure:
    return figure


def _measures() -> Mapping[str, Measure]:
    def rate(name: str, title: str, make: Callable[..., Figure], *needs: str) -> tuple[str, Measure]:
        return name, Measure(title, needs, make, name)

    return MappingProxyType(dict((
        ("cases", Measure("Fälle", ("cases",), _itself, "help_density")),
        (SPENDING, Measure("Ausgaben", ("spending",), _itself, "spending_per_resident")),
        rate("help_density", "Hilfedichte", formulas.help_density, "cases", "residents"),
        rate("spending_per_resident", "Kosten je Jugendeinwohner", formulas.spending_per_resident, "spending",
             "residents"),
        rate("spending_per_case", "Kosten je Fall", formulas.spending_per_case, "spending", "cases"),
        rate("hours_per_case", "Stunden je Fall", formulas.hours_per_case, "hours", "cases"),
        rate("group_offer_share", "Anteil der Gruppenangebote an den Stunden", formulas.group_offer_share,
             "group_hours", "hours"),
        rate("help_quotient", "Hilfequotient", formulas.help_quotient, "ambulant", "outside_family"),
        rate("follow_up_share", "Anteil Folgehilfen", formulas.follow_up_share, "followed", "new"),
        rate("counselling_ratio", "Quotient Beratungen/Hilfen", formulas.counselling_ratio, "new", "cases"),
    )))  # fmt: skip


MEASURES = _measures()
_ON_ALL_HELPS = ("help_quotient", "follow_up_share", "counselling_ratio")
_ON_GROUPS = ("group_offer_share",)


def measures_of(position: str) -> list[str]:
    """Return the measures a row of this position has.

    Group offers are told as a share of all helps' hours and of those of ambulant helps, wherever hours are given.
    """
    left = set() if position == ALL_HELPS else {*_ON_ALL_HELPS}
    if position not in {ALL_HELPS, AMBULANT}:
        left |= {*_ON_GROUPS}
    return [name for name in MEASURES if name not in left]


def parts_of(held: Held, key: RowKey) -> Parts:
    """Return the parts of a row."""
    return Parts(
        cases=held.counted(key.position, key),
        spending=held.amount(SPENDING, key.position, key),
        hours=held.amount(HOURS, key.position, key),
        residents=held.residents(key.period),
        group_hours=held.amount(HOURS, GROUP_OFFERS, key),
        ambulant=held.counted(AMBULANT, key),
        outside_family=held.counted(OUTSIDE_FAMILY, key),
        new=held.whole(NEW, key.period),
        followed=held.whole(FOLLOWED, key.period),
    )


def made_from(parts: Parts, measure: str) -> Figure:
    """Return a measure as its parts make it."""
    meant = MEASURES[measure]
    return meant.make(*(getattr(parts, name) for name in meant.needs))


@dataclass(frozen=True, slots=True)
class Side:
    """An area's side of a row: its figures, and the parts there are at the row's period and at the base's."""

    held: Held
    key: RowKey
    now: Parts
    base_key: RowKey | None
    base: Parts | None

    @classmethod
    def of(cls, held: Held, key: RowKey, base: Period | None) -> "Side":
        """Return the side of an area whose figures are ``held``."""
        base_key = None if base is None else replace(key, period=base)
        return cls(held, key, parts_of(held, key), base_key, None if base_key is None else parts_of(held, base_key))

    def value(self, measure: str) -> Figure:
        """Return a measure of the row's period."""
        return _known(self.held, self.key, self.now, measure)

    def change(self, measure: str) -> Figure:
        """Return the change since the base in percent; as printed only where the levels are not known."""
        assert self.base_key is not None  # noqa: S101 - nobody asks without a base
        assert self.base is not None  # noqa: S101
        before = _known(self.held, self.base_key, self.base, measure)
        made = formulas.change_pct(before, self.value(measure))
        code = PUBLISHED_CHANGES.get(measure)
        if made.flag != "missing" or code is None or before.value is not None:
            return made
        printed = self.held.published_change(code.format(self.base_key.period.text), self.key)
        if printed.value is None or printed.basis is None:
            return made
        basis = replace(printed.basis, since=self.base_key.period)
        return with_notes(replace(printed, basis=basis), f"Veränderung {AS_PUBLISHED}")

    def target(self, yearly_growth: float) -> Figure:
        """Return the Zielschwelle: the base's spending, grown by so much a year."""
        assert self.base_key is not None  # noqa: S101 - nobody asks without a base
        assert self.base is not None  # noqa: S101
        base, period = self.base_key.period, self.key.period
        if base.text[4:] != period.text[4:]:
            return refused(
                "Eine Zielschwelle gibt es nur zum gleichen Zeitraum eines anderen Jahres "
                f"({spoken(base.text)} und {spoken(period.text)} sind es nicht).",
                self.base.spending,
            )
        return formulas.spending_target(self.base.spending, period.starts.year - base.starts.year, yearly_growth)


def _known(held: Held, key: RowKey, parts: Parts, measure: str) -> Figure:
    """Return a measure as its parts make it; as printed only where a part of it is not known."""
    made = made_from(parts, measure)
    lacking = any(getattr(parts, name).value is None for name in MEASURES[measure].needs)
    if measure not in PUBLISHED or made.flag != "missing" or not lacking:
        return made
    printed = held.published(measure, key)
    return made if printed.value is None else with_notes(printed, f"{MEASURES[measure].title} {AS_PUBLISHED}")


def difference_to_city(area: Side, city: Side, measure: str) -> Figure:
    """Return the difference of an area to its city (the city with the area in it) in the measure fit for it."""
    fit = MEASURES[measure].against_city
    return formulas.difference(area.value(fit), city.value(fit))


def effect_against_rest(area: Side, city: Side, measure: str) -> Figure:
    """Return the Effekt gegen Vergleich of a measure, in percentage points.

    The comparison is the city without the area where its parts are known, else the city, as a note then says.
    """
    return formulas.effect_pp(area.change(measure), _change_of_rest(area, city, measure), city.change(measure))


def _change_of_rest(area: Side, city: Side, measure: str) -> Figure:
    if area.base is None or city.base is None:
        return absent("Basiszeitraum")
    before, now = (made_from(theirs.without(mine), measure)
                   for mine, theirs in ((area.base, city.base), (area.now, city.now)))  # fmt: skip
    return formulas.change_pct(before, now)
