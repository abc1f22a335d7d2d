"""Planning desk, "Kennzahlen": one indicator for all areas of a level, at one time or between two."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.answer import Meta
from geodata.areas import levels
from geodata.errors import ParameterError
from geodata.figure_tables import SCENARIOS, WITHOUT_AREA
from geodata.indicator_choices import Choice, Chosen, choices, choose, known_indicators, usual_indicator
from geodata.indicators import IndicatorInfo
from geodata.periods import parse_period
from geodata.spread import NamedFigure, spread, spread_of_change
from geodata.statistics import ObservationRow, StatisticsRequest, statistics
from geodata.statistics_change import ChangeRow, statistics_change
from geodata.viewer import Version
from layers.choropleth import AreaValue
from service.api import parameters as query
from service.context import context_of
from service.formats import footnote_lines
from service.pages import planning_words as said
from service.pages.components import Cell, Column, DataTable, Kind, Link, Mark, Sort, ordered, sort_of
from service.pages.frame import Content, address
from service.pages.planning_choices import USUAL_LEVELS, area_of, area_options, level_options
from service.pages.planning_maps import CLASSING, Classing, NumberMap, classing_of, draw, number_map, picture
from service.pages.planning_view import api_files, given, options, require_known, version_of, view_page

router = APIRouter(include_in_schema=False)

SLUG = "kennzahlen"
_PARAMETERS = (*CLASSING, "indicator", "level", "position", "period", "scenario", "compare", "counting", "area", "sort")
_LEFT_OUT = {
    "level": "Auf der gewählten Ebene gibt es diese Kennzahl nicht",
    "position": "Die gewählte Untergliederung gibt es hier nicht",
    "period": "Für den gewählten Zeitraum gibt es hier keine Werte",
    "scenario": "Im gewählten Szenario gibt es hier keine Werte",
    "compare": "Mit dem gewählten Zeitraum lässt sich hier nicht vergleichen.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for; None: not said."""

    indicator: str | None
    level: str | None
    position: str | None
    period: str | None
    scenario: str | None
    compare: str | None
    counting: str | None
    area: tuple[str, str] | None
    classing: Classing
    version: Version


@dataclass(frozen=True, slots=True)
class Row:
    """One area's figures as the table shows them; ``value`` and the others are in the unit shown."""

    key: str
    name: str
    value: float | None
    before: float | None
    change: float | None
    change_pct: float | None
    flags: tuple[str, str, str]
    note: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What the view shows: the figures, their map, and what they were chosen from."""

    info: IndicatorInfo
    chosen: Chosen
    compare: str | None
    countings: Sequence[str]
    counting: str
    rows: Sequence[Row]
    map: NumberMap
    unit: str
    meta: Meta


def _wanted(request: Request) -> Wanted:
    require_known(request, _PARAMETERS)
    period, compare = (_period(name, given(request, name)) for name in ("period", "compare"))
    return Wanted(
        indicator=given(request, "indicator"),
        level=given(request, "level"),
        position=given(request, "position"),
        period=period,
        scenario=query.one_of("scenario", given(request, "scenario"), SCENARIOS),
        compare=compare,
        counting=given(request, "counting"),
        area=area_of(request),
        classing=classing_of(request),
        version=version_of(request),
    )


def _period(name: str, value: str | None) -> str | None:
    try:
        return None if value is None else parse_period(value).text
    except ValueError as error:
        raise ParameterError(name, str(error)) from None


@router.get("/planung/kennzahlen")
def get_indicators(request: Request) -> Response:
    """Serve the view."""
    wanted = _wanted(request)
    sort = sort_of(given(request, "sort"), _columns(True, 0, ""), Sort(""))

    def content(session: Session) -> Content:
        known = known_indicators(session)
        shown = _shown(session, wanted, known)
        if shown is None:
            return Content("Kennzahlen", {"shown": None})
        drawn = draw(request, session, shown.map, shown.meta)
        there = choices(session, shown.info.code)
        values = {
            "shown": shown,
            "drawn": drawn,
            "table": _table(shown, sort),
            "classing": wanted.classing,
            "sentence": _sentence(shown),
            "notices": _notices(shown, wanted),
            "notes": footnote_lines(shown.meta),
            "files": _files(request, shown, wanted),
            "periods": sorted(_periods(there, shown.chosen), key=_when),
            **_options(request, session, wanted, shown, known, there),
        }
        return Content(f"{shown.map.title} – Kennzahlen", values, maps=drawn.maps, scripts=["srk-planung.js"])

    return view_page(request, SLUG, content)


@router.get("/planung/kennzahlen/karte.{kind}")
def get_picture(request: Request, kind: str) -> Response:
    """Serve the map as a file."""
    wanted = _wanted(request)

    def made(session: Session) -> tuple[NumberMap, Meta]:
        shown = _shown(session, wanted, known_indicators(session))
        if shown is None:
            raise ParameterError("indicator", "Es sind noch keine Statistiken geladen.")
        return shown.map, shown.meta

    return picture(request, SLUG, kind, made)


def _shown(session: Session, wanted: Wanted, known: Sequence[IndicatorInfo]) -> Shown | None:
    """Return what is to be shown; None where there are no figures at all."""
    by_code = {one.code: one for one in known}
    usual = usual_indicator(known)
    if usual is None:
        return None
    if wanted.indicator is not None and wanted.indicator not in by_code:
        raise ParameterError("indicator", f"Die Kennzahl „{query.short(wanted.indicator)}“ gibt es hier nicht.")
    info = by_code[wanted.indicator] if wanted.indicator else usual
    if wanted.level is not None:
        query.one_of("level", wanted.level, [row.level for row in levels(session)])
    chosen = choose(
        choices(session, info.code), USUAL_LEVELS, level=wanted.level, position=wanted.position, period=wanted.period,
        scenario=wanted.scenario,
    )  # fmt: skip
    if chosen is None:
        return None
    asked = StatisticsRequest(
        info.code, chosen.level, period=chosen.period, scenario=chosen.scenario, position=chosen.position,
        area=wanted.area, limit=1_000_000, version=wanted.version,
    )  # fmt: skip
    compare = _compare(session, wanted, chosen, info.code)
    if compare is None:
        answer = statistics(session, asked)
        found, meta = [_of_figure(row) for row in answer.rows], answer.meta
        countings = [row.counting or "" for row in answer.rows]
    else:
        changed = statistics_change(session, asked, compare)
        found, meta = [_of_change(row) for row in changed.rows], changed.meta
        countings = [row.counting or "" for row in changed.rows]
    there = sorted(set(countings))
    counting = wanted.counting if wanted.counting in there else (there or [""])[0]
    by_key = {row.key: row for row, own in zip(reversed(found), reversed(countings), strict=True) if own == counting}
    rows = list(reversed(by_key.values()))
    unit = _unit(meta, info, change=compare is not None)
    return Shown(
        info, chosen, compare, there, counting, rows, _map(wanted, info, chosen, compare, rows, unit), unit, meta
    )


def _compare(session: Session, wanted: Wanted, chosen: Chosen, code: str) -> str | None:
    """Return the period to compare with, if it is there and another one."""
    if wanted.compare is None or wanted.compare == chosen.period:
        return None
    there = [one.period for one in _periods(choices(session, code), chosen)]
    return wanted.compare if wanted.compare in there else None


def _periods(there: Sequence[Choice], chosen: Chosen) -> list[Choice]:
    return [one for one in there
            if (one.level, one.position, one.scenario) == (chosen.level, chosen.position, chosen.scenario)]  # fmt: skip


def _when(choice: Choice) -> tuple[object, object]:
    return choice.ends, choice.starts


def _factor(kind: str | None, unit: str | None) -> float:
    """Return what a value is multiplied with to be shown: shares without a unit are fractions."""
    return 100.0 if kind == "share" and not unit else 1.0


def _unit(meta: Meta, info: IndicatorInfo, *, change: bool) -> str:
    share = info.kind == "share"
    unit = "%" if share and meta.unit in {"", "ohne Angabe"} else said.unit_text(meta.unit)
    unit = "" if unit == "ohne Angabe" else unit
    return "Prozentpunkte" if change and share and unit == "%" else unit


def _of_figure(row: ObservationRow) -> Row:
    factor = _factor(row.kind, row.unit)
    value = None if row.value is None else factor * row.value
    return Row(row.area_key, row.area_name or row.area_key, value, None, None, None, (row.flag, "ok", "ok"),
               said.note_of(row.flag))  # fmt: skip


def _of_change(row: ChangeRow) -> Row:
    factor = _factor(row.kind, row.unit)
    value, before, change = (None if one is None else factor * one for one in (row.value, row.before, row.change))
    return Row(row.area_key, row.area_name or row.area_key, value, before, change, row.change_pct,
               (row.value_flag, row.before_flag, row.flag), said.note_of(row.flag))  # fmt: skip


def _map(
    wanted: Wanted, info: IndicatorInfo, chosen: Chosen, compare: str | None, rows: Sequence[Row], unit: str
) -> NumberMap:
    areas = [
        AreaValue(
            row.key,
            row.name,
            row.value if compare is None else row.change,
            row.flags[0 if compare is None else 2] == "suppressed",
            row.note,
        )
        for row in rows
        if row.key != WITHOUT_AREA
    ]
    position = "" if chosen.position in {"total", ""} else f", {said.position_text(chosen.position)}"
    when = chosen.period if compare is None else f"Veränderung {compare} bis {chosen.period}"
    scenario = "" if chosen.scenario == "ist" else f" ({said.SCENARIOS[chosen.scenario]})"
    title = f"{info.title}{position}, {when}{scenario}"
    at = None if compare is None else 0.0
    return number_map(chosen.level, areas, title=title, unit=unit, classing=wanted.classing, diverging_at=at)


def _sentence(shown: Shown) -> str:
    figures = [NamedFigure(area.name, area.value, area.suppressed) for area in shown.map.areas]
    decimals = shown.map.classes.decimals
    if shown.compare is None:
        return spread(figures, shown.unit, decimals)
    return spread_of_change(figures, shown.unit, decimals, shown.compare)


def _notices(shown: Shown, wanted: Wanted) -> list[str]:
    """Return what of the address could not be shown: choices that fit one indicator need not fit another."""
    chosen = shown.chosen
    made = {"level": "", "position": said.position_text(chosen.position), "period": chosen.period,
            "scenario": said.SCENARIOS[chosen.scenario]}  # fmt: skip
    said_so = [f"{_LEFT_OUT[name]}; gezeigt wird {made[name] or 'eine andere'}." for name in chosen.left_out]
    if wanted.compare is not None and shown.compare is None:
        said_so.append(_LEFT_OUT["compare"])
    return said_so


def _columns(compared: bool, decimals: int, unit: str) -> list[Column]:
    name = Column("name", "Gebiet", header=True)
    value = Column("value", "Wert", Kind.NUMBER, decimals, note=unit or None)
    if not compared:
        return [name, value, Column("note", "Hinweis", sortable=False)]
    return [
        name,
        Column("change", "Veränderung", Kind.NUMBER, decimals, note=unit or None),
        Column("change_pct", "in %", Kind.NUMBER, 1),
        Column("before", "vorher", Kind.NUMBER, decimals),
        Column("value", "Wert", Kind.NUMBER, decimals),
        Column("note", "Hinweis", sortable=False),
    ]


def _table(shown: Shown, sort: Sort) -> DataTable:
    columns = _columns(shown.compare is not None, shown.map.classes.decimals, shown.unit)
    if sort.key not in {column.key for column in columns}:
        sort = Sort("value" if shown.compare is None else "change", descending=True)
    if not any(row.note for row in shown.rows):
        columns = columns[:-1]
    if shown.info.kind == "share":
        columns = [column for column in columns if column.key != "change_pct"]
    made = [(row, _cells(row, shown.chosen.level)) for row in shown.rows]
    made = ordered(made, lambda pair: pair[1][sort.key], sort)
    return DataTable(
        shown.map.title,
        columns,
        [cells for _row, cells in made],
        sort=sort,
        attributes=[
            {} if row.key == WITHOUT_AREA else {"data-area-level": shown.chosen.level, "data-area-key": row.key}
            for row, _cells in made
        ],
        empty="Kein Gebiet hat hier einen Wert, der gezeigt werden kann.",
    )


def _cells(row: Row, level: str) -> dict[str, Cell]:
    name: Cell = row.name
    if row.key != WITHOUT_AREA and "+" not in row.key:
        name = Link(row.name, address(f"/gebiete/{level}/{row.key}"))
    now, before, both = row.flags
    return {
        "name": name,
        "value": _cell(row.value, now),
        "before": _cell(row.before, before),
        "change": _cell(row.change, both),
        "change_pct": Mark.NOT_APPLICABLE if row.change is not None and row.change_pct is None
        else _cell(row.change_pct, both),
        "note": row.note,
    }  # fmt: skip


def _cell(value: float | None, flag: str) -> Cell:
    return Mark.SUPPRESSED if flag == "suppressed" else value


def _files(request: Request, shown: Shown, wanted: Wanted) -> object:
    chosen = shown.chosen
    parameters: dict[str, object] = {
        "indicator": shown.info.code,
        "level": chosen.level,
        "position": chosen.position,
        "period": chosen.period,
        "scenario": None if chosen.scenario == "ist" else chosen.scenario,
        "area": ":".join(wanted.area) if wanted.area else None,
        "compare": shown.compare,
    }
    path = "statistics" if shown.compare is None else "statistics/change"
    return api_files(path, parameters, wanted.version, limit=context_of(request).settings.max_rows)


def _options(
    request: Request, session: Session, wanted: Wanted, shown: Shown, known: Sequence[IndicatorInfo],
    there: Sequence[Choice],
) -> dict[str, object]:  # fmt: skip
    chosen = shown.chosen
    at = [one for one in there if one.level == chosen.level]
    with_figures = {one.level for one in there}
    periods = [one.period for one in _periods(there, chosen)]
    return {
        "indicators": options({one.code: one.title for one in known}, shown.info.code),
        "levels": level_options([row for row in levels(session) if row.level in with_figures], chosen.level),
        "positions": options(
            {one: said.position_text(one) for one in sorted({c.position for c in at if c.scenario == chosen.scenario},
                                                            key=_position_key)},
            chosen.position,
        ),
        "period_options": options({one: one for one in periods}, chosen.period),
        "compares": options(
            {"": "kein Vergleich", **{one: one for one in periods if one != chosen.period}}, shown.compare or ""
        ),
        "scenarios": options({one: said.SCENARIOS[one] for one in SCENARIOS if one in {c.scenario for c in at}},
                             chosen.scenario),
        "countings": options({one: said.COUNTINGS.get(one, one) for one in shown.countings}, shown.counting),
        "areas": area_options(request, session, wanted.area),
    }  # fmt: skip


def _position_key(position: str) -> tuple[bool, tuple[int, ...], str]:
    """Return ages in their order, ``total`` first, other positions as they are written."""
    numbers = tuple(int(part) for part in position.split("-") if part.isdecimal())
    return position != "total", numbers, position
