"""The question of the budget: per year what was spent and expected, and what steering has brought, forecast beside it.

Everything is of one area and all its helps. Expected spending, Steuerungseffekt and the table of net effects are
computed (``controlling_budget``); what a source prints instead of its parts is taken as printed, and a note says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import Answer, footnotes, read_sources
from geodata.areas import area_sources
from geodata.controlling import parsed
from geodata.controlling_areas import Area, read_tree, require_area
from geodata.controlling_budget import BudgetRow as Budget
from geodata.controlling_budget import (
    BudgetYear,
    EffectRow,
    EffectYear,
    budget_table,
    effects_table,
    forecast_beside_actual,
    reduced_uma_spending,
)
from geodata.controlling_measures import AS_PUBLISHED
from geodata.controlling_notes import Noted, scopes
from geodata.controlling_offices import read_offices
from geodata.controlling_rows import SPENDING, Held, read_held
from geodata.controlling_values import Figure, absent, computed, refused, with_notes
from geodata.errors import ParameterError
from geodata.figure_notes import kept_by_office, small_suppressed
from geodata.indicators import HIDDEN_COUNTS
from geodata.periods import parse_period
from geodata.viewer import Version

FEES, BUDGET, USED = "fee_increase_pct", "budget_eur", "ausschoepfungsgrad_pct"
UMA, LESS_UMA = "uma_spending_eur", "minderausgaben_uma_eur"
STAFF, PREVENTION, BASE_EFFECT = "staff_cost_eur", "prevention_cost_eur", "base_effect_eur"
GROWTH = "reduzierter_ausgabenzuwachs_eur"
CODES = (SPENDING, FEES, BUDGET, USED, UMA, LESS_UMA, STAFF, PREVENTION, BASE_EFFECT, GROWTH)
_EFFECTS = (STAFF, PREVENTION, BASE_EFFECT)
# What many offices do not report at all: said once under the table, not in every row.
_SAID_ONCE = {
    SPENDING: "Ausgaben",
    FEES: "Steigerungen der Entgelte",
    "budget": "Budget oder Ausschöpfungsgrad",
    "uma": "Ausgaben für unbegleitete minderjährige Ausländer",
    "effects": "Personal- und Präventionskosten",
    "forecast": "eine Prognose",
}
_NO_YEAR = 1900
_METHOD = (
    "Erwartet sind die Ausgaben des Basisjahrs, um die Summe der jährlichen Steigerungen der Entgelte erhöht (addiert, "
    "nicht verkettet); Steuerungseffekt sind die Ausgaben abzüglich der erwarteten (negativ: weniger ausgegeben als "
    "erwartet), daneben die Minderausgaben für unbegleitete minderjährige Ausländer und der Steuerungseffekt nach "
    "Abzug der UMA-Minderausgaben (eigene Berechnung); Ausschöpfungsgrad sind die Ausgaben geteilt durch das Budget; "
    "Nettoeffekt ist der verminderte Ausgabenzuwachs (Prognose der Ausgaben minus Ausgaben; in der Prognose deren "
    "eigene Annahme) minus Personalkosten minus Präventionskosten plus Basiseffekt, kumuliert ab dem ersten Jahr mit "
    "Angaben; der Abstand zur Prognose ist der Nettoeffekt minus dem der Prognose."
)


@dataclass(frozen=True, slots=True)
class BudgetRequest:
    """The budget of ``area`` (level, key) by year.

    ``period_from``, ``period_to``: only years between these, both inclusive; None: all. ``base``: the year that
    expected spending starts from; None: the first year with spending.
    """

    area: Area
    period_from: str | None = None
    period_to: str | None = None
    base: str | None = None
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One year, in € but for ``fee_increase_since_pct`` (percent, summed since the base) and ``budget_use`` (fraction).

    ``steering_effect_net_eur``: after deducting the Minderausgaben UMA (own computation). ``forecast_…``: as was
    forecast; the same without: actual; ``cumulated_…``: from the first year with figures on, whatever range is asked
    for. A value that is None is missing, or suppressed where ``suppressed_fields`` names it; ``note`` says why, in
    German. ``flag``: the least reliable of what the row is made from.
    """

    area_level: str
    area_key: str
    area_name: str
    period: str
    base: str | None
    flag: str
    spending_eur: float | None
    fee_increase_since_pct: float | None
    expected_eur: float | None
    steering_effect_eur: float | None
    reduced_uma_eur: float | None
    steering_effect_net_eur: float | None
    budget_use: float | None
    forecast_spending_eur: float | None
    forecast_reduced_growth_eur: float | None
    forecast_staff_cost_eur: float | None
    forecast_prevention_cost_eur: float | None
    forecast_base_effect_eur: float | None
    forecast_net_effect_eur: float | None
    forecast_cumulated_reduced_growth_eur: float | None
    forecast_cumulated_net_effect_eur: float | None
    reduced_growth_eur: float | None
    staff_cost_eur: float | None
    prevention_cost_eur: float | None
    base_effect_eur: float | None
    net_effect_eur: float | None
    cumulated_reduced_growth_eur: float | None
    cumulated_net_effect_eur: float | None
    net_effect_difference_eur: float | None
    note: str | None
    suppressed_fields: tuple[str, ...]


def budget(session: Session, request: BudgetRequest) -> Answer[BudgetRow]:
    """Return a row per year of which anything is known, in order.

    Raises ``ParameterError`` for an unknown area, a base that is no year, and a range that ends before it begins.
    """
    base, first, last = (_year(*one) for one in (("base", request.base), ("from", request.period_from),
                                                 ("to", request.period_to)))  # fmt: skip
    if first is not None and last is not None and last < first:
        raise ParameterError("to", f"Der Zeitraum endet ({last}), bevor er beginnt ({first}).")
    tree = read_tree(session)
    require_area(tree, request.area)
    offices = read_offices(session)
    level, key = request.area
    held = {
        scenario: read_held(session, level, {key: where}, scenario, offices, CODES)[key]
        for scenario, where in (("ist", ""), ("prognose", " (Prognose)"))
    }
    table = _Table(held["ist"], held["prognose"], base)
    years = [year for year in table.years if (first is None or first <= year) and (last is None or year <= last)]
    unreported = [part for part in _SAID_ONCE if part not in table.reported]
    made = [table.row((level, key, tree.names[request.area]), year, unreported) for year in years]
    datasets = {name for one in held.values() for name in one.datasets} if made else set()
    catalogues = {name for name in map(offices.catalogue_of, datasets) if name is not None}
    warnings = [HIDDEN_COUNTS]
    if any(row.flag == "suppressed" for row, _missing in made):
        warnings.append(small_suppressed(session))
    warnings += kept_by_office(session, level, [SPENDING])
    if table.base is not None and made:
        warnings.append(f"Basisjahr: {table.base}.")
    if made and unreported:
        warnings.append(f"In keinem Jahr angegeben: {words.listed([_SAID_ONCE[part] for part in unreported])}.")
    meta = footnotes(
        session,
        title=f"Budget und Steuerungseffekt · {tree.names[request.area]}",
        method=_METHOD,
        unit="Euro; Steigerungen in Prozent, Ausschöpfungsgrad als Bruch",
        version=request.version,
        sources=[
            *read_sources(session, "statistics", datasets),
            *read_sources(session, "catalogue", catalogues),
            *area_sources(session, level),
        ],
        missing=sum(missing for _row, missing in made),
        warnings=[*warnings, *scopes(offices, datasets)],
    )
    return Answer(meta, [row for row, _missing in made])


def _year(parameter: str, period: str | None) -> int | None:
    found = parsed(parameter, period)
    if found is None:
        return None
    if found.text != str(found.starts.year):
        raise ParameterError(parameter, f"„{found.text}“ ist kein Jahr; das Budget gibt es nur nach Jahren.")
    return found.starts.year


class _Table:
    """The tables of one area: what is known of each year, and what is made of it."""

    def __init__(self, actual: Held, forecast: Held, base: int | None) -> None:
        self._actual, self._forecast = actual, forecast
        # Half-years and quarters are no years: they are not added up to one.
        there = {scenario: [one for one in held.laid() if one.period.text == str(one.period.starts.year)]
                 for scenario, held in (("ist", actual), ("prognose", forecast))}  # fmt: skip
        of = {scenario: {(one.indicator, one.period.starts.year) for one in laid} for scenario, laid in there.items()}
        self.years = sorted({year for known in of.values() for _code, year in known})
        spent = [year for year in self.years if self._known(SPENDING, year).value is not None]
        self.base = base if base is not None else min(spent, default=None)
        self.reported = _reported(of)
        # Without any spending there is nothing to start from; the other figures are shown all the same.
        start = self.base if self.base is not None else min(self.years, default=_NO_YEAR)
        self._budget = {row.year: row for row in budget_table(start, [self._budget_year(y, start) for y in self.years])}
        self._effects: dict[str, dict[int, EffectRow]] = {}
        for scenario, known in of.items():
            wanted = {year for code, year in known if code in {*_EFFECTS, GROWTH}}
            made = effects_table([self._effect_year(scenario, year) for year in sorted(wanted)])
            self._effects[scenario] = {row.year: row for row in made}
        pairs = forecast_beside_actual(self._effects["prognose"].values(), self._effects["ist"].values())
        self._differences = {pair.year: pair.difference for pair in pairs}

    def row(self, where: tuple[str, str, str], year: int, unreported: list[str]) -> tuple[BudgetRow, int]:
        """Return the row of a year, and how many of its values are missing."""
        noted = Noted()
        figures: dict[str, Figure] = {}

        def take(name: str, figure: Figure, *parts: str) -> None:
            figures[name] = figure
            # What no year has is said once, not in each.
            noted.take(figure, {part: figure for part in parts if part in unreported})

        self._take_budget(take, self._budget[year])
        forecast, actual = (self._effects[scenario].get(year) for scenario in ("prognose", "ist"))
        spending = self._known(SPENDING, year, forecast=True)
        take("forecast_spending_eur", spending, "forecast")
        for prefix, effects, part in (("forecast_", forecast, "forecast"), ("", actual, "effects")):
            nothing = absent(f"Wirkungen {year}{' (Prognose)' if prefix else ''}")
            for name in ("reduced_growth", "staff_cost", "prevention_cost", "base_effect", "net_effect",
                         "cumulated_reduced_growth", "cumulated_net_effect"):  # fmt: skip
                field = f"{name}s" if name in {"staff_cost", "prevention_cost"} else name
                take(f"{prefix}{name}_eur", nothing if effects is None else getattr(effects, field), part)
        take("net_effect_difference_eur", self._differences.get(year, absent(f"Nettoeffekt {year}")),
             "forecast", "effects")  # fmt: skip
        flags = {figure.flag for figure in figures.values()}
        values = {name: figure.value for name, figure in figures.items()}
        there = any(value is not None for value in values.values())
        reliable = ("suppressed", "estimated", "provisional", "ok") if there else ("suppressed", "missing")
        flag = next((one for one in reliable if one in flags), "missing")
        level, key, title = where
        base = None if self.base is None else str(self.base)
        hidden = tuple(name for name, one in figures.items() if one.value is None and one.flag == "suppressed")
        row = BudgetRow(
            level, key, title, str(year), base, flag, **values, note=noted.text(unreported), suppressed_fields=hidden
        )
        return row, noted.missing(unreported)

    def _take_budget(self, take: Callable[..., None], row: Budget) -> None:
        take("spending_eur", row.spending, SPENDING)
        take("fee_increase_since_pct", row.fee_increase_since_pct, FEES)
        take("expected_eur", row.expected, FEES, SPENDING)
        take("steering_effect_eur", row.effect, FEES, SPENDING)
        take("reduced_uma_eur", row.reduced_uma, "uma")
        take("steering_effect_net_eur", row.effect_net_of_uma, FEES, SPENDING, "uma")
        used, printed = row.budget_use, self._known(USED, row.year)
        if used.flag == "missing" and printed.value is not None and self._known(BUDGET, row.year).value is None:
            used = with_notes(computed(lambda pct: pct / 100, printed), f"Ausschöpfungsgrad {AS_PUBLISHED}")
        take("budget_use", used, "budget")

    def _known(self, code: str, year: int, *, forecast: bool = False) -> Figure:
        held = self._forecast if forecast else self._actual
        return held.whole(code, parse_period(str(year)))

    def _budget_year(self, year: int, base: int) -> BudgetYear:
        return BudgetYear(
            year, self._known(SPENDING, year), self._known(FEES, year), self._reduced_uma(year, base),
            self._known(BUDGET, year),
        )  # fmt: skip

    def _reduced_uma(self, year: int, base: int) -> Figure:
        """Return the Minderausgaben UMA since the base: from what was spent, else as printed."""
        made = reduced_uma_spending(self._known(UMA, base), self._known(UMA, year))
        printed = self._known(LESS_UMA, year)
        if made.value is not None or printed.value is None:
            return made if made.value is not None or year > base else absent(f"Minderausgaben UMA {year}")
        said = f"Minderausgaben UMA {AS_PUBLISHED}"
        first = next(one for one in self.years if self._known(LESS_UMA, one).value is not None)
        if base == first - 1:
            return with_notes(printed, said)
        # Two printed amounts have the year they are counted from in common: it cancels out.
        since = computed(lambda now, then: now - then, printed, self._known(LESS_UMA, base))
        if since.value is not None:
            return with_notes(since, said)
        return refused(
            f"Die veröffentlichten Minderausgaben UMA beziehen sich nicht auf das Basisjahr {base}.", printed
        )

    def _effect_year(self, scenario: str, year: int) -> EffectYear:
        forecast = scenario == "prognose"
        staff, prevention, base_effect = (self._known(code, year, forecast=forecast) for code in _EFFECTS)
        foreseen, spent = self._known(SPENDING, year, forecast=True), self._known(SPENDING, year)
        printed = self._known(GROWTH, year, forecast=forecast)
        lacking = foreseen.value is None or spent.value is None
        if not forecast and printed.value is not None and lacking and "suppressed" not in {foreseen.flag, spent.flag}:
            printed = with_notes(printed, f"Verminderter Ausgabenzuwachs {AS_PUBLISHED}")
        elif not forecast:
            return EffectYear(year, foreseen, spent, staff, prevention, base_effect)
        return EffectYear(year, foreseen, spent, staff, prevention, base_effect, printed)


def _reported(of: Mapping[str, set[tuple[str, int]]]) -> set[str]:
    """Return which parts of the tables anyone reports."""
    actual = {code for code, _year in of["ist"]}
    there = {
        SPENDING: SPENDING in actual,
        FEES: FEES in actual,
        "budget": bool(actual & {BUDGET, USED}),
        "uma": bool(actual & {UMA, LESS_UMA}),
        "effects": bool(actual & {*_EFFECTS}),
        "forecast": bool(of["prognose"]),
    }
    return {part for part, reported in there.items() if reported}
