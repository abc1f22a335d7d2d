"""Planning desk, budget: expected spending, Steuerungseffekt and net effect, the forecast beside what came."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.controlling_areas import Area
from geodata.controlling_budget_question import BudgetRequest, BudgetRow, budget
from geodata.controlling_offer import ControllingOffer, controlling_offers
from geodata.controlling_sentences import budget_sentences
from geodata.errors import NotFoundError
from geodata.periods import spoken
from layers.chart_sheet import chart_sheet
from layers.charts import SUPPRESSED, Series, SeriesChart, Value
from service.area_names import area_pair
from service.context import context_of
from service.exports import explanations
from service.exports.budget_table import of_budget
from service.exports.parts import MISSING
from service.formats import footnote_lines
from service.pages.components import Cell, Column, DataTable, Download, Kind, Mark, Picture, chart_picture
from service.pages.frame import Content, address
from service.pages.planning_controlling import PATH as CONTROLLING
from service.pages.planning_controlling import SLUG
from service.pages.planning_maps import caption_of, picture_answer
from service.pages.planning_view import (
    Pairs,
    api_files,
    filled_in,
    given,
    options,
    require_known,
    version_of,
    view_page,
)

router = APIRouter(include_in_schema=False)

PATH = f"{CONTROLLING}/budget"
PARAMETERS = ("area", "from", "to", "base")
_MILLION = 1e6
_CHARTS: dict[str, tuple[str, tuple[tuple[str, str, bool], ...]]] = {
    "ausgaben": (
        "Ausgaben: tatsächlich, erwartet und vorhergesagt",
        (("spending_eur", "Ausgaben", True), ("expected_eur", "erwartet", False),
         ("forecast_spending_eur", "Prognose", False)),
    ),
    "nettoeffekt": (
        "Nettoeffekt, kumuliert: Prognose und Ist",
        (("cumulated_net_effect_eur", "Ist", True), ("forecast_cumulated_net_effect_eur", "Prognose", False)),
    ),
}  # fmt: skip
# Year by year, what was forecast beside what came.
_BESIDE = (
    ("forecast_reduced_growth_eur", "Verminderter Ausgabenzuwachs: Prognose"),
    ("reduced_growth_eur", "Verminderter Ausgabenzuwachs: Ist"),
    ("forecast_net_effect_eur", "Nettoeffekt: Prognose"),
    ("net_effect_eur", "Nettoeffekt: Ist"),
    ("net_effect_difference_eur", "Nettoeffekt: Abstand zur Prognose"),
    ("forecast_cumulated_net_effect_eur", "Nettoeffekt kumuliert: Prognose"),
    ("cumulated_net_effect_eur", "Nettoeffekt kumuliert: Ist"),
)


@router.get(PATH)
def get_budget(request: Request) -> Response:
    """Serve the budget of one area."""
    require_known(request, PARAMETERS)
    home_level = context_of(request).settings.home_level

    def content(session: Session) -> Content:
        offers = controlling_offers(session)
        asked = _asked(request, offers, home_level)
        answer = budget(session, asked)
        table = of_budget(answer.rows, "Budget")
        again = filled_in(request, _filled(asked, answer.rows))
        names = {area: name for offer in offers for area, name in offer.areas}
        values: dict[str, Any] = {
            "name": names.get(asked.area, asked.area[1]),
            "form": _form(request, offers, asked),
            "table": table,
            "beside": _beside(answer.rows),
            "pictures": [] if table is None else _pictures(answer.rows, again),
            "sentences": budget_sentences(answer.rows),
            "row_notes": [(row.period, row.note) for row in answer.rows if row.note],
            "notes": footnote_lines(answer.meta),
            "legend": explanations.legend(MISSING),
            "spoken": spoken,
            "asked_again": again,
            "files": api_files(
                "controlling/budget", _filled(asked, answer.rows), asked.version, limit=None, formats=("csv", "xlsx"),
            ),
            "back": address(CONTROLLING, [("area", ":".join(asked.area)), *_kept(request)]),
        }  # fmt: skip
        return Content("Budget und Nettoeffekt", values, scripts=["srk-planung.js"], styles=["srk-hilfen.css"])

    return view_page(request, SLUG, content, template="planung/controlling_budget.html")


@router.get(PATH + "/{name}.svg")
def get_chart(request: Request, name: str) -> Response:
    """Serve a chart of the budget as a file."""
    require_known(request, PARAMETERS)
    home_level = context_of(request).settings.home_level

    def produce(session: Session) -> bytes:
        answer = budget(session, _asked(request, controlling_offers(session), home_level))
        if name not in _CHARTS or not _known(name, answer.rows):
            raise NotFoundError("Dieses Diagramm gibt es hier nicht.")
        chart = _chart(name, answer.rows)
        return chart_sheet(chart, caption_of(chart.title, chart.unit, answer.meta, answer.rows[0].area_name))

    return picture_answer(request, SLUG, "svg", produce, name if name in _CHARTS else "diagramm")


def _asked(request: Request, offers: Sequence[ControllingOffer], home_level: str) -> BudgetRequest:
    """Return the question: of the area asked for, else of the first of the home level or the widest there is."""
    area: Area | None = area_pair("area", given(request, "area"))
    if area is None:
        if not offers:
            raise NotFoundError("Es sind keine Zahlen zu den Hilfen zur Erziehung geladen, die Sie sehen dürfen.")
        offer = next((one for one in offers if one.level == home_level), offers[0])
        area = offer.areas[0][0]
    return BudgetRequest(
        area, given(request, "from"), given(request, "to"), given(request, "base"), version_of(request)
    )  # fmt: skip


def _filled(asked: BudgetRequest, rows: Sequence[BudgetRow]) -> dict[str, object]:
    """Return the parameters with everything filled in: they ask for the same years when there are more."""
    return {
        "area": ":".join(asked.area),
        "from": asked.period_from or (rows[0].period if rows else None),
        "to": asked.period_to or (rows[-1].period if rows else None),
        "base": asked.base or (rows[0].base if rows else None),
    }


def _form(request: Request, offers: Sequence[ControllingOffer], asked: BudgetRequest) -> dict[str, Any]:
    areas = {":".join(area): f"{name} ({offer.title})" for offer in offers for area, name in offer.areas}
    areas.setdefault(":".join(asked.area), asked.area[1])
    years = {period: period for offer in offers for period in offer.periods if period.isdecimal()}
    years = dict(sorted(years.items()))
    return {
        "areas": options(areas, ":".join(asked.area)),
        "from": options({"": "Anfang", **years}, given(request, "from") or ""),
        "to": options({"": "Ende", **years}, given(request, "to") or ""),
        "base": options({"": "erstes Jahr mit Ausgaben", **years}, given(request, "base") or ""),
    }


def _beside(rows: Sequence[BudgetRow]) -> DataTable | None:
    """Return the net effects by year, forecast beside actual; None where neither is known."""
    known = [one for one in _BESIDE if any(getattr(row, one[0]) is not None for row in rows)]
    if not known:
        return None
    return DataTable(
        "Nettoeffekt nach Jahren in €: Prognose neben Ist",
        [Column("period", "Jahr", sortable=False, header=True),
         *(Column(field, title, Kind.NUMBER, sortable=False) for field, title in known)],
        [{"period": row.period, **{field: _cell(row, field) for field, _title in known}} for row in rows],
    )  # fmt: skip


def _cell(row: BudgetRow, field: str) -> Cell:
    value: float | None = getattr(row, field)
    return Mark.SUPPRESSED if field in row.suppressed_fields else value


def _known(name: str, rows: Sequence[BudgetRow]) -> list[tuple[str, str, bool]]:
    """Return the columns of a chart of which anything is known or suppressed."""
    return [one for one in _CHARTS[name][1] if any(_cell(row, one[0]) is not None for row in rows)]


def _pictures(rows: Sequence[BudgetRow], asked: Pairs) -> list[Picture]:
    made = []
    for name in _CHARTS:
        title, columns = _CHARTS[name][0], _known(name, rows)
        if not columns:
            continue
        table = DataTable(
            f"{title}, in €",
            [Column("period", "Jahr", sortable=False, header=True),
             *(Column(field, said, Kind.NUMBER, sortable=False) for field, said, _bar in columns)],
            [{"period": row.period, **{field: _cell(row, field) for field, _said, _bar in columns}} for row in rows],
        )  # fmt: skip
        file = Download("Diagramm als SVG", address(f"{PATH}/{name}.svg", asked))
        made.append(chart_picture(name, _chart(name, rows), table, [file]))
    return made


def _description(name: str) -> str:
    return f"Diagramm nach Jahren, Millionen Euro: {', '.join(said for _field, said, _bar in _CHARTS[name][1])}."


def _chart(name: str, rows: Sequence[BudgetRow]) -> SeriesChart:
    title, columns = _CHARTS[name][0], _known(name, rows)

    def value(row: BudgetRow, field: str) -> Value:
        found = _cell(row, field)
        return SUPPRESSED if found is Mark.SUPPRESSED else None if found is None else float(str(found)) / _MILLION

    series = [
        Series(said, [value(row, field) for row in rows], "bar" if bar else "line") for field, said, bar in columns
    ]
    ticks = [row.period for row in rows]
    return SeriesChart(title, _description(name), "Millionen €", ticks, series, width=520)


def _kept(request: Request) -> list[tuple[str, str]]:
    return [pair for pair in request.query_params.multi_items() if pair[0] in {"from", "to", "base", "version"}]
