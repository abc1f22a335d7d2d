"""Planning desk, "Controlling": what helps cost, areas beside each other, over the years, against the Zielschwelle."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.controlling import parsed
from geodata.controlling_areas import Area
from geodata.controlling_figures import YEARLY_GROWTH
from geodata.controlling_offer import ControllingOffer, controlling_offers
from geodata.controlling_sentences import extremes_sentence, target_sentence
from geodata.errors import NotFoundError, ParameterError
from geodata.periods import parse_period, spoken
from geodata.viewer import Version
from layers.chart_sheet import chart_sheet
from layers.sheet import Caption
from service.api import parameters as query
from service.api.placing import MOST_GROWTH
from service.area_names import area_pair
from service.context import context_of
from service.exports import explanations
from service.exports.lines import LINES
from service.exports.parts import MISSING, Chart, Report, Section
from service.exports.report import MOST_AREAS, ReportRequest, budget_years, report_of
from service.pages import planning_controlling_tables as tables
from service.pages.components import Download, Option, Picture
from service.pages.frame import Content, address
from service.pages.planning_maps import picture_answer
from service.pages.planning_view import (
    api_files,
    filled_in,
    given,
    given_several,
    options,
    require_known,
    version_of,
    view_page,
)

router = APIRouter(include_in_schema=False)

SLUG = "controlling"
PATH = "/planung/controlling"
SINGLE = ("level", "from", "to", "base", "measure", "growth_pct", "city_level")
SEVERAL = ("area",)
# So many areas are set beside each other unattended; of more a choice is asked for.
_ALL_AT_ONCE = 12
_PERCENT = 100.0
_LEAST_PCT = -99.0
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters as they are given; None: left open. ``growth`` of the Zielschwelle is a fraction."""

    level: str | None
    areas: tuple[Area, ...]
    period_from: str | None
    period_to: str | None
    base: str | None
    measure: str
    growth: float
    city_level: str | None
    version: Version

    def report(self, areas: Sequence[Area]) -> ReportRequest:
        """Return the question of the report on these areas."""
        return ReportRequest(
            tuple(areas), self.period_from, self.period_to, self.base, self.growth, self.city_level,
            version=self.version,
        )  # fmt: skip


def wanted_of(request: Request) -> Wanted:
    """Return what is asked for; raise ``ParameterError`` for what is wrong whatever is loaded."""
    growth = query.decimal_number("growth_pct", given(request, "growth_pct"), _LEAST_PCT, _PERCENT * MOST_GROWTH)
    areas = [area_pair("area", one) for one in given_several(request, "area")]
    return Wanted(
        level=given(request, "level"),
        areas=tuple(dict.fromkeys(area for area in areas if area is not None)),
        period_from=_period(request, "from"),
        period_to=_period(request, "to"),
        base=_period(request, "base"),
        measure=query.one_of("measure", given(request, "measure"), tables.MEASURES) or tables.MEASURES[0],
        growth=YEARLY_GROWTH if growth is None else growth / _PERCENT,
        city_level=given(request, "city_level"),
        version=version_of(request),
    )


def _period(request: Request, name: str) -> str | None:
    found = parsed(name, given(request, name))
    return None if found is None else found.text


@dataclass(frozen=True, slots=True)
class Choice:
    """What there is, and what of it is shown: the level, its areas, the areas chosen (none: a choice is asked for)."""

    offers: Sequence[ControllingOffer]
    offer: ControllingOffer
    areas: tuple[Area, ...]

    @property
    def whole(self) -> bool:
        """Whether all areas of the level are shown."""
        return set(self.areas) == {area for area, _name in self.offer.areas}


def choice_of(session: Session, wanted: Wanted, home_level: str) -> Choice:
    """Return what is shown; raise ``ParameterError`` for a level without figures, ``NotFoundError`` without any."""
    offers = controlling_offers(session)
    if not offers:
        raise NotFoundError("Es sind keine Zahlen zu den Hilfen zur Erziehung geladen, die Sie sehen dürfen.")
    levels = {one.level: one for one in offers}
    level = wanted.level or (wanted.areas[0][0] if wanted.areas else home_level if home_level in levels else None)
    offer = offers[0] if level is None else levels.get(level)
    if offer is None:
        raise ParameterError(
            "level",
            f"Auf der Ebene „{query.short(level or '')}“ gibt es keine Zahlen. Vorhanden: {', '.join(levels)}.",
            list(levels),
        )
    every = tuple(area for area, _name in offer.areas)
    chosen = wanted.areas or (every if len(every) <= _ALL_AT_ONCE else ())
    return Choice(offers, offer, chosen)


@router.get(PATH)
def get_controlling(request: Request) -> Response:
    """Serve the view: areas beside each other by one measure, then each area by itself."""
    require_known(request, SINGLE, SEVERAL)
    wanted = wanted_of(request)
    settings = context_of(request).settings

    def content(session: Session) -> Content:
        choice = choice_of(session, wanted, settings.home_level)
        report, refusal = _report(session, wanted, choice)
        values: dict[str, Any] = {
            "wanted": wanted,
            "choice": choice,
            "growth_pct": _pct(wanted.growth),
            "levels": _levels(request, choice),
            "form": _form(wanted, choice),
            "most": MOST_AREAS,
            "report": report,
            "refusal": refusal,
            "sentences": [],
            "compared": [],
            "chapters": [],
            "notes": [],
            "files": [],
            "api": [],
            "legend": explanations.legend(MISSING),
            "spoken": spoken,
            "budget": address(f"{PATH}/budget", _budget(wanted, choice.areas[0])) if choice.areas else None,
        }  # fmt: skip
        if report is not None:
            values |= _shown(request, wanted, choice, report, settings.max_rows)
        return Content("Controlling", values, scripts=["srk-planung.js"], styles=["srk-hilfen.css"])

    return view_page(request, SLUG, content)


def _report(session: Session, wanted: Wanted, choice: Choice) -> tuple[Report | None, str | None]:
    """Return the report, or why there is none."""
    if not choice.areas:
        return None, None
    try:
        return report_of(session, wanted.report(choice.areas)), None
    except NotFoundError as error:
        return None, str(error)


def _shown(request: Request, wanted: Wanted, choice: Choice, report: Report, most: int) -> dict[str, Any]:
    """Return what the template shows of a report."""
    compared = tables.comparisons(report, wanted.measure)
    chapters = tables.chapters(report)
    asked = filled_in(request, _filled(wanted, choice, report))
    number = 0

    def pictures(charts: Sequence[Chart]) -> list[Picture]:
        nonlocal number
        made = []
        for chart in charts:
            number += 1
            files = [Download("Diagramm als SVG", address(f"{PATH}/diagramm-{number}.svg", asked))]
            made.append(tables.picture(chart, f"diagramm-{number}", files))
        return made

    return {
        "sentences": list(_sentences(wanted, compared, chapters)),
        "compared": [(one.table, pictures(one.charts)) for one in compared],
        "measure_title": LINES[wanted.measure].title,
        "chapters": [(section, pictures(section.charts)) for section in chapters],
        "open": len(chapters) == 1,
        "notes": report.notes,
        "facts": report.facts,
        "asked_again": asked,
        "files": [Download(title, address(f"{PATH}/bericht.{kind}", asked))
                  for kind, title in (("xlsx", "Bericht als Excel (XLSX)"), ("pdf", "Bericht als PDF"))],
        "api": _api(wanted, choice, report, most),
    }  # fmt: skip


def charts_of(report: Report, measure: str) -> list[Chart]:
    """Return all charts of the view in their order."""
    compared = [chart for one in tables.comparisons(report, measure) for chart in one.charts]
    return [*compared, *(chart for section in tables.chapters(report) for chart in section.charts)]


@router.get(PATH + "/diagramm-{number}.svg")
def get_chart(request: Request, number: str) -> Response:
    """Serve one chart of the view as a file."""
    require_known(request, SINGLE, SEVERAL)
    wanted = wanted_of(request)
    home_level = context_of(request).settings.home_level
    at = int(number) if _NUMBER.fullmatch(number) else 0

    def produce(session: Session) -> bytes:
        choice = choice_of(session, wanted, home_level)
        report = report_of(session, wanted.report(choice.areas))
        charts = charts_of(report, wanted.measure)
        if not 1 <= at <= len(charts):
            raise NotFoundError("Dieses Diagramm gibt es hier nicht.")
        chart = charts[at - 1]
        return chart_sheet(tables.drawing(chart), caption_of_report(report, chart.title, chart.unit, chart.table.title))

    return picture_answer(request, SLUG, "svg", produce, f"diagramm-{at}")


def caption_of_report(report: Report, title: str, unit: str, subtitle: str) -> Caption:
    """Return what a chart of a report says about itself, in the report's own words."""
    said = [entry for note in report.notes for entry in note.entries]
    return Caption(
        title=title,
        unit=unit,
        version=report.mark(),
        sources=[text for label, text in said if label == "Quelle"],
        subtitle=subtitle,
        notice=report.notice or "",
        notes=[f"{label}: {text}" for label, text in said if label == "Methode"][:1],
    )


def _sentences(wanted: Wanted, compared: Sequence[tables.Compared], chapters: Sequence[Section]) -> Sequence[str]:
    found: list[str | None] = []
    write = LINES[wanted.measure].look.text
    for one in compared:
        last = tables.last_values(one.table, wanted.measure)
        if last is None:
            continue
        period, values = last
        key = tables.city_key(one.table, wanted.measure)
        name = next((line.title for line in one.table.lines() if line.key == key), None)
        city = (name, values.pop(name)) if name is not None and name in values else None
        found.append(extremes_sentence(LINES[wanted.measure].title, period, values, write, city))
    amounts: dict[tuple[str, str | None], dict[str, tuple[float, float]]] = {}
    for section in chapters:
        told = tables.against_target(section)
        if told is not None:
            amounts.setdefault((told.period, told.base), {})[section.title] = (told.spending, told.target)
    found += [target_sentence(period, base, wanted.growth, spent) for (period, base), spent in amounts.items()]
    return [sentence for sentence in found if sentence]


def _levels(request: Request, choice: Choice) -> list[tuple[Option, str]]:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"level", "area"}]
    return [
        (Option(one.level, one.title, one.level == choice.offer.level), address(PATH, [("level", one.level), *kept]))
        for one in choice.offers
    ]


def _form(wanted: Wanted, choice: Choice) -> dict[str, list[Option]]:
    periods = {one: spoken(one) for one in choice.offer.periods}
    # An end or a base that is not among them is said as it was asked for.
    asked = (("from", wanted.period_from), ("to", wanted.period_to), ("base", wanted.base))
    said = {name: {value: spoken(value)} if value and value not in periods else {} for name, value in asked}
    return {
        "areas": [Option(":".join(area), name, area in choice.areas) for area, name in choice.offer.areas],
        "measures": options({name: LINES[name].title for name in tables.MEASURES}, wanted.measure),
        "from": options({"": "Anfang", **said["from"], **periods}, wanted.period_from or ""),
        "to": options({"": "Ende", **said["to"], **periods}, wanted.period_to or ""),
        "base": options({"": "erstes Jahr mit Zahlen", **said["base"], **periods}, wanted.base or ""),
    }


def _budget(wanted: Wanted, area: Area) -> list[tuple[str, str]]:
    """Return what the budget of an area is asked for: the same years."""
    years = zip(("from", "to", "base"), budget_years(wanted.period_from, wanted.period_to, wanted.base), strict=True)
    version = [("version", wanted.version.value)] if wanted.version is Version.INTERNAL else []
    return [("area", ":".join(area)), *((name, year) for name, year in years if year), *version]


def _filled(wanted: Wanted, choice: Choice, report: Report) -> dict[str, object]:
    """Return the view's parameters with everything filled in: they ask for the same when there are newer figures."""
    shown = sorted({period for one in report.sections for table in one.tables for period in table.periods},
                   key=parse_period)  # fmt: skip
    return {
        "level": choice.offer.level,
        "area": [":".join(area) for area in wanted.areas],
        "from": wanted.period_from or min(shown, key=lambda one: parse_period(one).starts, default=None),
        "to": wanted.period_to or (shown[-1] if shown else None),
        "base": _base(wanted, report),
        "measure": wanted.measure,
        "growth_pct": _pct(wanted.growth),
    }


def _base(wanted: Wanted, report: Report) -> str | None:
    """Return the period changes are told against; None where there is none or there are several."""
    return wanted.base or (next(iter(report.bases)) if len(report.bases) == 1 else None)


def _pct(growth: float) -> str:
    return f"{_PERCENT * growth:.4f}".rstrip("0").rstrip(".")


def _api(wanted: Wanted, choice: Choice, report: Report, most: int) -> list[Download]:
    """Return the API's table where it holds what is shown and nothing else.

    It knows all areas of a level or a single one, and one period that changes are told against.
    """
    if (not choice.whole and len(choice.areas) > 1) or (wanted.base is None and len(report.bases) > 1):
        return []
    level = choice.areas[0][0]
    parameters = {
        "level": level,
        "area": None if choice.whole else ":".join(choice.areas[0]),
        "from": wanted.period_from,
        "to": wanted.period_to,
        "base": _base(wanted, report),
        "yearly_growth": f"{wanted.growth:.6f}".rstrip("0").rstrip("."),
        "measure": wanted.measure,
        "city_level": wanted.city_level,
    }
    return api_files("controlling", parameters, wanted.version, limit=most, formats=("csv", "xlsx"))
