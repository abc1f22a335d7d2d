"""One line of the controlling table: its measures beside each other, how reliable they are, and what is to be noted."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from geodata.controlling_figures import UNASSIGNED
from geodata.controlling_measures import MEASURES, Parts, Side, difference_to_city, effect_against_rest, measures_of
from geodata.controlling_notes import Noted
from geodata.controlling_offices import Offices
from geodata.controlling_rests import SUFFIX, Rest
from geodata.controlling_rows import ALL_HELPS, AMBULANT, OUTSIDE_FAMILY, SPENDING, RowKey
from geodata.controlling_values import Figure
from geodata.periods import Period

# (area key, period, position, counting) of the last row of the page before.
After = tuple[str, str, str, str]
Where = tuple[str, str, str]  # level, key, name
_PLACES = {ALL_HELPS: 0, AMBULANT: 1, OUTSIDE_FAMILY: 2}


@dataclass(frozen=True, slots=True)
class ControllingRow:
    """One area, period and position. A value that is None is missing or suppressed; ``note`` says why, in German.

    ``cases`` may be fractional (means of key dates) and are counted as ``counting`` and ``unit`` say; of a row without
    cases ``counting`` is that of its amounts. ``residents``: Jugendeinwohner (0 to under 21). ``help_density``: cases
    per 1,000 residents; ``spending_per_resident``, ``spending_per_case`` and ``target_eur`` (Zielschwelle): €.
    ``group_offer_share``, ``follow_up_share``: fractions. ``change_pct``: against the base, in percent;
    ``diff_to_city``: area − city, in the unit of what is compared; ``effect_pp``: Effekt gegen Vergleich, in percentage
    points. ``help_quotient``, ``follow_up_share`` and ``counselling_ratio`` stand on all helps only. ``flag``: the
    least reliable of what the row is made from. Rows of what published parts lack end in ``-nicht-zuordenbar``, in
    ``position`` or ``area_key``. ``suppressed_fields``: the names of the columns that are None because a small count
    could be told from them.
    """

    area_level: str
    area_key: str
    area_name: str
    period: str
    position: str
    position_title: str
    counting: str | None
    unit: str | None
    flag: str
    cases: float | None = None
    spending_eur: float | None = None
    residents: float | None = None
    help_density: float | None = None
    spending_per_resident: float | None = None
    spending_per_case: float | None = None
    hours_per_case: float | None = None
    group_offer_share: float | None = None
    change_pct: float | None = None
    target_eur: float | None = None
    diff_to_city: float | None = None
    effect_pp: float | None = None
    help_quotient: float | None = None
    follow_up_share: float | None = None
    counselling_ratio: float | None = None
    note: str | None = None
    suppressed_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, checked: the first and last period, the base, what is compared, and the codes that are read."""

    first: Period | None
    last: Period | None
    base: Period | None
    measure: str
    yearly_growth: float
    change_code: str | None
    codes: tuple[str, ...]

    def covers(self, period: Period) -> bool:
        """Tell whether a period lies in what is asked for; one at its edge does."""
        return (self.first is None or self.first.starts <= period.starts) and (
            self.last is None or period.ends <= self.last.ends
        )

    def spans(self) -> list[tuple[dt.date, dt.date]]:
        """Return the spans of days that figures must touch to matter: what is asked for, and the base."""
        asked = (self.first.starts if self.first else dt.date.min, self.last.ends if self.last else dt.date.max)
        return [asked] if self.base is None else [asked, (self.base.starts, self.base.ends)]


@dataclass(frozen=True, slots=True)
class Line:
    """A row before its notes are written.

    ``known``: the parts that are reported of it, with a value or without; ``datasets``: what it rests on; ``empty``: it
    has no value but residents.
    """

    area_key: str
    key: RowKey
    values: dict[str, Any]
    noted: Noted
    known: frozenset[str]
    datasets: frozenset[str]
    empty: bool = False

    def row(self, unreported: list[str]) -> ControllingRow:
        """Return the row; what no row has is not noted in it."""
        return ControllingRow(**self.values, note=self.noted.text(unreported))

    def cursor(self) -> After:
        """Return what names this row for the next page."""
        return self.area_key, self.key.period.text, self.key.position, self.key.counting or ""


def order(key: RowKey) -> tuple[object, ...]:
    """Return the place of a row within its area: by period, all helps and groups first, each followed by its rest."""
    group, rest = key.position.removesuffix(SUFFIX), key.position.endswith(SUFFIX)
    return key.period, _PLACES.get(group, len(_PLACES)), group, rest, key.counting or ""


def line_of(where: Where, side: Side, city: Side | None, asked: Asked, offices: Offices) -> Line:
    """Return the line of an area; ``city``: the same of its city, None where it has none."""
    noted, parts = Noted(), side.now
    figures = {name: side.value(name) for name in measures_of(side.key.position)}
    values: dict[str, Any] = {name: noted.take(figure, _lacking(parts, name)) for name, figure in figures.items()}
    values["residents"] = noted.take(parts.residents)
    targets: dict[str, Figure] = {}
    if asked.base is not None and side.base is not None:
        targets["target_eur"] = side.target(asked.yearly_growth)
        values["target_eur"] = noted.take(targets["target_eur"], _lacking(side.base, SPENDING))
    if asked.measure in figures:
        compared = _compared(noted, side, city, asked)
        values |= {name: figure.value for name, figure in compared.items()}
        figures |= compared
    first = next((one for one in (parts.cases, parts.spending, parts.hours) if one.basis is not None), None)
    dataset = first.basis.dataset if first and first.basis else min(side.held.datasets, default=None)
    values |= _head(where, side.key, _flag(parts, list(figures.values())))
    values["unit"] = parts.cases.basis.unit if parts.cases.basis else None
    values["position_title"] = offices.title(dataset, side.key.position)
    values["suppressed_fields"] = _suppressed({**figures, **targets, "residents": parts.residents})
    known = frozenset(name for name in Parts.__slots__ if getattr(parts, name).basis is not None)
    empty = all(figure.value is None for figure in figures.values())
    return Line(where[1], side.key, values, noted, known, _datasets(side, city, figures.values()), empty)


def position_rest(where: Where, rest: Rest, offices: Offices) -> Line:
    """Return the line of what positions lack to their group."""
    values = _head(where, rest.key, _rest_flag(rest)) | _rest_values(rest)
    values["position_title"] = f"{offices.title(_dataset(rest), rest.position_of)}: {UNASSIGNED}"
    return Line(where[1], rest.key, values, Noted(), frozenset(), _rest_datasets(rest))


def area_rest(where: Where, rest: Rest, offices: Offices) -> Line:
    """Return the line of what areas lack to their city, whose name is that of ``where``."""
    level, key, name = where
    values = _head((level, key, f"{name}: {UNASSIGNED}"), rest.key, _rest_flag(rest)) | _rest_values(rest)
    values["position_title"] = offices.title(_dataset(rest), rest.position_of)
    return Line(key, rest.key, values, Noted(), frozenset(), _rest_datasets(rest))


def _compared(noted: Noted, side: Side, city: Side | None, asked: Asked) -> dict[str, Figure]:
    """Return change, difference and Effekt; where a value of the row is missing, its reason is noted already."""
    made: dict[str, Figure] = {}
    name = asked.measure
    if asked.base is not None and side.base is not None:
        change = made["change_pct"] = side.change(name)
        there = change.value is not None or side.value(name).value is not None
        noted.take(change, _lacking(side.base, name), silent=not there)
        if city is not None and city.base is not None:
            lacking = _lacking(city.now, name) or _lacking(city.base, name)
            made["effect_pp"] = effect_against_rest(side, city, name)
            noted.take(made["effect_pp"], lacking, silent=change.value is None)
    if city is not None:
        fit = MEASURES[name].against_city
        made["diff_to_city"] = difference_to_city(side, city, name)
        noted.take(made["diff_to_city"], _lacking(city.now, fit), silent=side.value(fit).value is None)
    return made


def _lacking(parts: Parts, measure: str) -> dict[str, Figure]:
    """Return the parts of a measure that have no value."""
    needed = {name: getattr(parts, name) for name in MEASURES[measure].needs}
    return {name: part for name, part in needed.items() if part.value is None}


def _head(where: Where, key: RowKey, flag: str) -> dict[str, Any]:
    level, area_key, name = where
    return {
        "area_level": level, "area_key": area_key, "area_name": name, "period": key.period.text,
        "position": key.position, "counting": key.counting, "unit": None, "flag": flag,
    }  # fmt: skip


def _flag(parts: Parts, figures: list[Figure]) -> str:
    if any(figure.flag == "suppressed" for figure in (parts.cases, parts.spending, parts.hours)):
        return "suppressed"
    flags = {figure.flag for figure in figures if figure.value is not None}
    return next((flag for flag in ("estimated", "provisional", "ok") if flag in flags), "missing")


def _rest_flag(rest: Rest) -> str:
    flags = {figure.flag for figure in (rest.cases, rest.spending) if figure.value is not None}
    return next(flag for flag in ("estimated", "provisional", "ok") if flag in flags)


def _rest_values(rest: Rest) -> dict[str, Any]:
    unit = rest.cases.basis.unit if rest.cases.basis and rest.cases.value is not None else None
    return {
        "cases": rest.cases.value, "spending_eur": rest.spending.value, "unit": unit,
        "suppressed_fields": _suppressed({"cases": rest.cases, "spending_eur": rest.spending}),
    }  # fmt: skip


def _suppressed(figures: Mapping[str, Figure]) -> tuple[str, ...]:
    return tuple(sorted(name for name, figure in figures.items() if figure.flag == "suppressed"))


def _rest_datasets(rest: Rest) -> frozenset[str]:
    bases = [figure.basis for figure in (rest.cases, rest.spending) if figure.value is not None]
    return frozenset(basis.dataset for basis in bases if basis and basis.dataset)


def _dataset(rest: Rest) -> str | None:
    basis = rest.cases.basis or rest.spending.basis
    return basis.dataset if basis else None


def _datasets(side: Side, city: Side | None, figures: Iterable[Figure]) -> frozenset[str]:
    sides = [parts for one in (side, city) if one is not None for parts in (one.now, one.base) if parts is not None]
    used = [getattr(parts, name) for parts in sides for name in Parts.__slots__]
    return frozenset(
        figure.basis.dataset for figure in (*used, *figures) if figure.basis is not None and figure.basis.dataset
    )
