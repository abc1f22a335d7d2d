"""The observations that controlling works with: read per area, and paired to what belongs together in one row.

A row is a period, a position (a Hilfeart or a group) and how its cases are counted. Amounts (spending, hours) and
residents are observations of their own, often of other datasets; which belong to a row is said at ``Held``.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages, tiling
from geodata.controlling_offices import Offices
from geodata.controlling_values import Basis, Figure, absent, computed, observed, refused, span_of, with_notes
from geodata.indicators import CASES, HELP_GROUPS, POPULATION, WELL_KNOWN
from geodata.periods import Period, accusative, parse_period, spoken

AMBULANT, OUTSIDE_FAMILY, ALL_HELPS = HELP_GROUPS
GROUP_OFFERS = "gruppenangebot"
SPENDING, HOURS, NEW, FOLLOWED = "spending_eur", "hours", "counselling_new", "counselling_followed"
# Counselling is not divided by Hilfearten: sources write its position as they like. The first there is, is meant.
TOTALS = (ALL_HELPS, "", "total", "beratungen")
YOUTH = Ages(0, 21)

# Figures that sources print without all that they are made from, with what divides them to make them ours.
PUBLISHED: Mapping[str, tuple[str, float]] = {
    "help_density": ("hilfedichte", 1),
    "spending_per_resident": ("kosten_je_jew_eur", 1),
    "help_quotient": ("hilfequotient", 1),
    "follow_up_share": ("anteil_folgehilfen_pct", 100),
    "counselling_ratio": ("quotient_beratungen", 1),
}
# Of these the position is the whole, however it is written; of the others it is that of the row.
_OF_THE_WHOLE = frozenset({"help_quotient", "follow_up_share", "counselling_ratio"})
_COUNTED_AS_CASES = frozenset({"help_density", "help_quotient"})
# A printed change since a period; the period stands in the code.
PUBLISHED_CHANGES = {SPENDING: "ausgaben_veraenderung_{}_pct", CASES: "faelle_veraenderung_{}_pct"}
CODES = (CASES, SPENDING, HOURS, NEW, FOLLOWED, *(code for code, _divisor in PUBLISHED.values()))
_WHOLE_CODES = frozenset({NEW, FOLLOWED, *(PUBLISHED[measure][0] for measure in _OF_THE_WHOLE)})
_CASE_CODES = frozenset({CASES, *(PUBLISHED[measure][0] for measure in _COUNTED_AS_CASES)})

_TITLES = {code: info.title for code, info in WELL_KNOWN.items()} | {
    CASES: "Fallzahl",
    SPENDING: "Ausgaben",
    HOURS: "Stunden",
    "minderausgaben_uma_eur": "Minderausgaben UMA",
    "reduzierter_ausgabenzuwachs_eur": "Verminderter Ausgabenzuwachs",
}

_OBSERVATIONS = """
SELECT area_key, indicator, position, period, counting, unit, dataset, value, flag
FROM observation_visible
WHERE level = :level AND area_key = ANY (:keys) AND scenario = :scenario
  AND indicator = ANY (:codes)
  AND (CAST(:firsts AS date[]) IS NULL OR EXISTS (
      SELECT FROM unnest(CAST(:firsts AS date[]), CAST(:lasts AS date[])) AS span(first, last)
      WHERE starts <= span.last AND ends >= span.first))
ORDER BY value IS NULL, merged_key NULLS FIRST, dataset
"""
_LAID = """
SELECT DISTINCT place.root, o.indicator, o.position, o.period, o.counting
FROM observation_visible o
JOIN unnest(CAST(:keys AS text[]), CAST(:roots AS text[])) AS place(key, root) ON place.key = o.area_key
WHERE o.level = :level AND o.scenario = :scenario AND o.indicator = ANY (:codes)
"""


@dataclass(frozen=True, slots=True)
class RowKey:
    """What a row is about, besides its area."""

    period: Period
    position: str
    counting: str | None


@dataclass(frozen=True, slots=True)
class Laid:
    """That there is an observation: of what, when, and how counted."""

    indicator: str
    position: str
    period: Period
    counting: str | None


@dataclass(slots=True)
class Held:
    """The figures of one area. ``where`` is said in reasons if it is not the row's own area (`` (Stadt Bremen)``).

    Cases are those of the row's period, position and counting. An amount is that of the row's period; where the cases
    are of a key date, that of the shortest period that contains the day. Residents are those of the row's period, else
    of the first period within it, else of the shortest that contains it; a note says of which. Where two observations
    would fit, none is taken.
    """

    where: str = ""
    datasets: set[str] = field(default_factory=set)
    _figures: dict[tuple[str, str], list[Figure]] = field(default_factory=dict)
    _residents: dict[Period, dict[str, dict[str, Figure]]] = field(default_factory=dict)
    _youth: dict[Period, Figure] | None = None

    def add(self, indicator: str, position: str, figure: Figure) -> None:
        """Take in an observation; of two of the same dataset's series the first is kept."""
        assert figure.basis is not None  # noqa: S101 - for the type checker
        known = self._figures.setdefault((indicator, position), [])
        series = (figure.basis.period, figure.basis.counting)
        if series not in {(one.basis.period, one.basis.counting) for one in known if one.basis}:
            known.append(figure)

    def add_residents(self, position: str, figure: Figure) -> None:
        """Take in an observation of residents; the first of a dataset, period and position is kept."""
        basis = figure.basis
        assert basis is not None  # noqa: S101 - for the type checker
        of_dataset = self._residents.setdefault(basis.period, {}).setdefault(basis.dataset or "", {})
        of_dataset.setdefault(position, figure)

    def laid(self) -> Iterator[Laid]:
        """Yield what observations there are, residents aside."""
        for (indicator, position), figures in self._figures.items():
            for figure in figures:
                assert figure.basis is not None  # noqa: S101 - for the type checker
                yield Laid(indicator, position, figure.basis.period, figure.basis.counting)

    def counted(self, position: str, key: RowKey, indicator: str = CASES) -> Figure:
        """Return the cases of a position (or a printed figure made from them) for a row's period and counting."""
        for figure in self._figures.get((indicator, position), ()):
            if figure.basis and (figure.basis.period, figure.basis.counting) == (key.period, key.counting):
                return figure
        return absent(self.named(indicator, position, key.period))

    def amount(self, indicator: str, position: str, key: RowKey) -> Figure:
        """Return the amount that belongs to a row."""
        known = self._figures.get((indicator, position), ())
        period = matching([figure.basis.period for figure in known if figure.basis], key.period)
        if period is None:
            return absent(self.named(indicator, position, key.period))
        made = self._one(indicator, position, period)
        return made if period == key.period else with_notes(made, f"{_TITLES[indicator]} {_of(period)}.")

    def whole(self, indicator: str, period: Period) -> Figure:
        """Return a figure of the area as a whole, such as its new counselling cases."""
        for position in TOTALS:
            if any(one.basis and one.basis.period == period for one in self._figures.get((indicator, position), ())):
                return self._one(indicator, position, period)
        return absent(self.named(indicator, "", period))

    def published(self, measure: str, key: RowKey) -> Figure:
        """Return a figure as its source prints it; missing where it prints none."""
        code, divisor = PUBLISHED[measure]
        if measure in _OF_THE_WHOLE:
            found = self.whole(code, key.period)
        elif measure in _COUNTED_AS_CASES:
            found = self.counted(key.position, key, code)
        else:
            found = self._one(code, key.position, key.period)
        counting = found.basis.counting if found.basis else None
        if measure in _COUNTED_AS_CASES and counting != key.counting:
            return absent(self.named(code, key.position, key.period))
        return computed(lambda value: value / divisor, found, basis=found.basis)

    def published_change(self, code: str, key: RowKey) -> Figure:
        """Return a change as its source prints it, in percent; missing where it prints none."""
        own = self._one(code, key.position, key.period)
        return self._one(code, "", key.period) if own.basis is None and key.position == ALL_HELPS else own

    def residents(self, period: Period) -> Figure:
        """Return the Jugendeinwohner (0 to under 21) that belong to a period: printed, or exactly from other ages."""
        if self._youth is None:
            made = {one: self._youth_at(one) for one in self._residents}
            self._youth = {one: figure for one, figure in made.items() if figure is not None}
        found = _residents_at(self._youth.keys(), period)
        if found is None:
            return absent(f"Jugendeinwohner {spoken(period.text)}{self.where}")
        figure = self._youth[found]
        return figure if found == period else with_notes(figure, f"Jugendeinwohner {_of(found)}.")

    def _youth_at(self, period: Period) -> Figure | None:
        for positions in self._residents[period].values():
            way = tiling(YOUTH, positions)
            if way is not None and not way.estimated:
                parts = [positions[position] for position in way.factors]
                factors = list(way.factors.values())
                return computed(lambda *n, f=factors: sum(a * b for a, b in zip(f, n, strict=True)), *parts,
                                basis=parts[0].basis)  # fmt: skip
        return None

    def _one(self, indicator: str, position: str, period: Period) -> Figure:
        """Return the only observation there is for a period, however it is counted."""
        figures = [one for one in self._figures.get((indicator, position), ())
                   if one.basis and one.basis.period == period]  # fmt: skip
        what = self.named(indicator, position, period)
        if len(figures) > 1:
            why = f"{what}: verschieden gezählt; welche Zahl gilt, ist nicht zu sagen."
            return refused(why, *figures, basis=figures[0].basis)
        return figures[0] if figures else absent(what)

    def named(self, indicator: str, position: str, period: Period) -> str:
        """Return what a figure is called where it is missing."""
        words = {AMBULANT: "ambulant ", OUTSIDE_FAMILY: "außerhalb der Familie ", GROUP_OFFERS: "in Gruppenangeboten "}
        return f"{_TITLES.get(indicator, indicator)} {words.get(position, '')}{spoken(period.text)}{self.where}"


def matching(periods: Iterable[Period], period: Period) -> Period | None:
    """Return the period an amount must be of: the same; for a day the shortest that contains it; None without one."""
    there = set(periods)
    if period in there:
        return period
    if span_of(period) != "Tag":
        return None
    around = [one for one in there if one.starts <= period.starts and period.ends <= one.ends]
    return min(around, key=lambda one: (one.ends - one.starts, one), default=None)


def _residents_at(periods: Collection[Period], period: Period) -> Period | None:
    if period in periods:
        return period
    within = [one for one in periods if period.starts <= one.starts and one.ends <= period.ends]
    if within:
        return min(within, key=lambda one: (one.starts, one.ends, one.text))
    around = [one for one in periods if one.starts <= period.starts and period.ends <= one.ends]
    return min(around, key=lambda one: (one.ends - one.starts, one), default=None)


@lru_cache(maxsize=4096)
def _period(text_of_it: str) -> Period:
    """Return a period of the database; there are few, in many rows."""
    return parse_period(text_of_it)


def _of(period: Period) -> str:
    """Return what a figure is of, as a note says it (``vom 01.01.2020``, ``für Juli 2019``)."""
    return f"vom {period.starts:%d.%m.%Y}" if span_of(period) == "Tag" else f"für {accusative(period.text)}"


def row_keys(there: Iterable[Laid], changes: str | None = None) -> set[RowKey]:
    """Return the rows that observations make; ``changes``: the code of printed changes that are asked for.

    Every counting of cases has its rows. An amount, or a printed figure, has one of its own only where no cases are
    there that it belongs to.
    """
    laid = [one for one in there if one.indicator in CODES or one.indicator == changes]
    keys = {RowKey(one.period, _row_position(one), one.counting) for one in laid if one.indicator in _CASE_CODES}
    with_cases: dict[str, set[Period]] = {}
    for key in keys:
        with_cases.setdefault(key.position, set()).add(key.period)
    amounts: dict[tuple[str, str], set[Period]] = {}
    for one in laid:
        if one.indicator in {SPENDING, HOURS}:
            amounts.setdefault((one.indicator, one.position), set()).add(one.period)
    taken = {
        (indicator, position, matching(periods, period))
        for (indicator, position), periods in amounts.items()
        for period in with_cases.get(position, ())
    }
    counted: dict[tuple[Period, str], str | None] = {}
    # Of what has no cases the counting is that of its spending, else of its hours, else of what is printed.
    for one in sorted(
        laid, key=lambda one: (*(one.indicator != code for code in (SPENDING, HOURS)), str(one.counting))
    ):
        position = _row_position(one)
        theirs = one.indicator in _CASE_CODES or one.period in with_cases.get(position, ())
        if not theirs and (one.indicator, one.position, one.period) not in taken:
            counted.setdefault((one.period, position), one.counting)
    keys |= {RowKey(period, position, counting) for (period, position), counting in counted.items()}
    # The quotient of two groups is known though nobody has counted all helps.
    for key in [key for key in keys if key.position == AMBULANT]:
        if RowKey(key.period, OUTSIDE_FAMILY, key.counting) in keys and key.period not in with_cases.get(ALL_HELPS, ()):
            keys = {one for one in keys if (one.period, one.position) != (key.period, ALL_HELPS)}
            keys.add(RowKey(key.period, ALL_HELPS, key.counting))
    return keys


def _row_position(one: Laid) -> str:
    if one.indicator in _WHOLE_CODES:
        return ALL_HELPS
    # Of a printed change only: cases without a position are what their source says they are.
    return ALL_HELPS if one.position == "" and one.indicator not in CODES else one.position


def read_held(
    session: Session, level: str, names: Mapping[str, str], scenario: str, offices: Offices,
    codes: Sequence[str] = CODES, spans: Sequence[tuple[dt.date, dt.date]] | None = None,
) -> dict[str, Held]:  # fmt: skip
    """Return the figures of some areas of a level by key; ``names``: what is added to what is missing there.

    ``spans``: only those of periods that touch one of these spans of days (both ends inclusive); None: all.
    """
    held = {key: Held(where) for key, where in names.items()}
    found = session.execute(
        text(_OBSERVATIONS),
        {"level": level, "keys": list(names), "scenario": scenario, "codes": [*codes, POPULATION],
         "firsts": None if spans is None else [first for first, _last in spans],
         "lasts": None if spans is None else [last for _first, last in spans]},
    )  # fmt: skip
    for row in found:
        period = _period(row.period)
        mine = held[row.area_key]
        residents = row.indicator == POPULATION
        # What is in and out of the population is no matter of the helps.
        basis = Basis(
            period, row.dataset, row.counting, offices.unit(row.dataset, row.position, row.unit),
            None if residents else offices.composition(row.dataset, row.position),
            None if residents else offices.scope(row.dataset),
        )  # fmt: skip
        # The words are for what is missing; most is not.
        what = "" if row.value is not None else mine.named(row.indicator, row.position, period)
        figure = observed(row.value, row.flag, what, basis)
        mine.datasets.add(row.dataset)
        if residents:
            mine.add_residents(row.position, figure)
        else:
            mine.add(row.indicator, row.position, figure)
    return held


def read_laid(
    session: Session, level: str, roots: Mapping[str, str], scenario: str, codes: Sequence[str]
) -> dict[str, list[Laid]]:
    """Return what is observed anywhere among the areas of one root; ``roots``: the root of each area's key."""
    found = session.execute(
        text(_LAID),
        {"level": level, "scenario": scenario, "codes": list(codes), "keys": list(roots),
         "roots": list(roots.values())},
    )  # fmt: skip
    made: dict[str, list[Laid]] = {}
    for root, indicator, position, period, counting in found:
        made.setdefault(root, []).append(Laid(indicator, position, _period(period), counting))
    return made
