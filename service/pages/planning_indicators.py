"""Planning desk, "Kennzahlen": one indicator for all areas of a level, at one time or between two."""

from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.answer import Meta
from geodata.areas import levels
from geodata.controlling_offices import Offices, read_offices
from geodata.errors import ParameterError
from geodata.figure_tables import COUNTINGS, SCENARIOS, WITHOUT_AREA
from geodata.indicator_choices import Choice, Chosen, choices, choose, known_indicators, usual_indicator
from geodata.indicator_words import position_in_words
from geodata.indicators import IndicatorInfo
from geodata.periods import parse_period, spoken
from geodata.spread import NamedFigure, spread, spread_of_change
from geodata.statistics import StatisticsRequest, statistics
from geodata.statistics_change import statistics_change
from geodata.viewer import Version
from layers.choropleth import AreaValue
from service.api import parameters as query
from service.api.statistics import WITHOUT
from service.context import context_of
from service.formats import footnote_lines
from service.pages import planning_words as said
from service.pages.components import Sort, sort_of
from service.pages.frame import Content
from service.pages.planning_choices import USUAL_LEVELS, Narrowed, area_options, level_options, narrowed
from service.pages.planning_indicators_table import Row, change_row, columns_of, figure_row, table_of
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
    "counting": "So gezählt gibt es hier keine Werte",
}
_NO_COMPARISON = "Mit dem gewählten Zeitraum lässt sich hier nicht vergleichen: Er muss ebenso lang und früher sein."


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
    classing: Classing
    version: Version


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to choose from: all indicators, the sets of figures of the chosen one, and whose words they use."""

    known: list[IndicatorInfo]
    there: list[Choice]
    offices: Offices

    def position(self, choice: Choice) -> str:
        """Return of whom or what a set of figures is, "" where there is nothing to say."""
        return position_in_words(self.offices, choice.position, choice.dataset)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the view shows: the figures, their map, and what they were chosen from."""

    info: IndicatorInfo
    chosen: Chosen
    compare: str | None
    narrowed: Narrowed
    rows: list[Row]
    map: NumberMap
    unit: str
    meta: Meta
    found: Found


@dataclass(frozen=True, slots=True)
class Step:
    """A period of the time line, and with which one it may still be compared."""

    title: str
    period: str
    compare: str | None
    current: bool


def _wanted(request: Request) -> Wanted:
    require_known(request, _PARAMETERS)
    period, compare = (_period(name, given(request, name)) for name in ("period", "compare"))
    counting = query.one_of("counting", given(request, "counting"), (*COUNTINGS, WITHOUT))
    return Wanted(
        indicator=given(request, "indicator"),
        level=given(request, "level"),
        position=_or_none(given(request, "position")),
        period=period,
        scenario=query.one_of("scenario", given(request, "scenario"), SCENARIOS),
        compare=compare,
        counting=_or_none(counting),
        classing=classing_of(request),
        version=version_of(request),
    )


def _or_none(value: str | None) -> str | None:
    """Return what a parameter says; the word for "none" (an empty one would say nothing) as ""."""
    return "" if value == WITHOUT else value


def _period(name: str, value: str | None) -> str | None:
    try:
        return None if value is None else parse_period(value).text
    except ValueError as error:
        raise ParameterError(name, str(error)) from None


@router.get("/planung/kennzahlen")
def get_indicators(request: Request) -> Response:
    """Serve the view."""
    wanted = _wanted(request)
    sort = sort_of(given(request, "sort"), columns_of(True, 0, ""), Sort(""))

    def content(session: Session) -> Content:
        shown = _shown(request, session, wanted)
        if shown is None:
            return Content("Kennzahlen", {"shown": None})
        drawn = draw(request, session, shown.map, shown.meta)
        compared = shown.compare is not None
        table = table_of(shown.map, shown.rows, sort, compared=compared, unit=shown.unit)
        values = {
            "shown": shown,
            "drawn": drawn,
            "table": table,
            "classing": wanted.classing,
            "sentence": _sentence(shown),
            "notices": _notices(shown, wanted),
            "notes": footnote_lines(shown.meta),
            "files": _files(request, shown, wanted),
            "steps": _steps(shown),
            **_options(request, session, shown),
        }
        return Content(f"{shown.map.title} – Kennzahlen", values, maps=drawn.maps, scripts=["srk-planung.js"])

    return view_page(request, SLUG, content)


@router.get("/planung/kennzahlen/karte.{kind}")
def get_picture(request: Request, kind: str) -> Response:
    """Serve the map as a file."""
    wanted = _wanted(request)

    def made(session: Session) -> tuple[NumberMap, Meta]:
        shown = _shown(request, session, wanted)
        if shown is None:
            raise ParameterError("indicator", "Es sind noch keine Statistiken geladen.")
        return shown.map, shown.meta

    return picture(request, SLUG, kind, made)


def _shown(request: Request, session: Session, wanted: Wanted) -> Shown | None:
    """Return what is to be shown; None where there are no figures at all."""
    known = known_indicators(session)
    by_code = {one.code: one for one in known}
    usual = usual_indicator(known)
    if usual is None:
        return None
    if wanted.indicator is not None and wanted.indicator not in by_code:
        raise ParameterError("indicator", f"Die Kennzahl „{query.short(wanted.indicator)}“ gibt es hier nicht.")
    info = by_code[wanted.indicator] if wanted.indicator else usual
    if wanted.level is not None:
        query.one_of("level", wanted.level, [row.level for row in levels(session)])
    found = Found(known, choices(session, info.code), read_offices(session))
    chosen = choose(
        found.there, USUAL_LEVELS, level=wanted.level, position=wanted.position, period=wanted.period,
        scenario=wanted.scenario, counting=wanted.counting,
    )  # fmt: skip
    if chosen is None:
        return None
    part = narrowed(request, session, chosen.level)
    compare = wanted.compare if wanted.compare in [one.period for one in chosen.earlier] else None
    asked = StatisticsRequest(
        info.code, chosen.level, period=chosen.period, scenario=chosen.scenario, position=chosen.position,
        counting=chosen.counting, area=part.area, limit=1_000_000, version=wanted.version,
    )  # fmt: skip
    if compare is None:
        answer = statistics(session, asked)
        rows, meta = [figure_row(row) for row in answer.rows], answer.meta
    else:
        changed = statistics_change(session, asked, compare)
        rows, meta = [change_row(row) for row in changed.rows], changed.meta
    unit = _unit(meta, info, change=compare is not None)
    title = _title(info, found, chosen, compare)
    drawn = number_map(
        chosen.level, _areas(rows, compare), title=title, unit=unit, classing=wanted.classing,
        diverging_at=None if compare is None else 0.0, subtitle=part.subtitle,
    )  # fmt: skip
    return Shown(info, chosen, compare, part, rows, drawn, unit, meta, found)


def _unit(meta: Meta, info: IndicatorInfo, *, change: bool) -> str:
    """Return the unit shown; shares without one are fractions, shown in percent."""
    unknown = meta.unit in {"", "ohne Angabe"}
    unit = "" if unknown else meta.unit
    if unknown and info.kind == "share":
        unit = "%"
    return "Prozentpunkte" if change and unit == "%" else unit


def _title(info: IndicatorInfo, found: Found, chosen: Chosen, compare: str | None) -> str:
    when = spoken(chosen.period)
    parts = [
        info.title,
        found.position(chosen.choice),
        when if compare is None else f"Veränderung {spoken(compare)} bis {when}",
        said.COUNTINGS[chosen.counting] if len(chosen.choice.countings) > 1 else "",
    ]
    scenario = "" if chosen.scenario == "ist" else f" ({said.SCENARIOS[chosen.scenario]})"
    return ", ".join(part for part in parts if part) + scenario


def _areas(rows: list[Row], compare: str | None) -> list[AreaValue]:
    return [
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


def _sentence(shown: Shown) -> str:
    figures = [NamedFigure(area.name, area.value, area.suppressed) for area in shown.map.areas]
    decimals = shown.map.classes.decimals
    if shown.compare is None:
        return spread(figures, shown.unit, decimals)
    return spread_of_change(figures, shown.unit, decimals, spoken(shown.compare))


def _notices(shown: Shown, wanted: Wanted) -> list[str]:
    """Return what of the address could not be shown: choices that fit one indicator need not fit another."""
    chosen = shown.chosen
    made = {"level": "", "position": _position_text(shown.found, chosen.choice), "period": spoken(chosen.period),
            "scenario": said.SCENARIOS[chosen.scenario], "counting": said.COUNTINGS[chosen.counting]}  # fmt: skip
    said_so = [f"{_LEFT_OUT[name]}; gezeigt wird {made[name] or 'eine andere'}." for name in chosen.left_out]
    if wanted.compare is not None and shown.compare is None:
        said_so.append(_NO_COMPARISON)
    return [*said_so, *filter(None, [shown.narrowed.notice])]


def _files(request: Request, shown: Shown, wanted: Wanted) -> object:
    chosen = shown.chosen
    parameters: dict[str, object] = {
        "indicator": shown.info.code,
        "level": chosen.level,
        "position": chosen.position or WITHOUT,
        "period": chosen.period,
        "scenario": None if chosen.scenario == "ist" else chosen.scenario,
        "counting": chosen.counting or WITHOUT,
        "area": shown.narrowed.text,
        "compare": shown.compare,
    }
    path = "statistics" if shown.compare is None else "statistics/change"
    return api_files(path, parameters, wanted.version, limit=context_of(request).settings.max_rows)


def _steps(shown: Shown) -> list[Step]:
    """Return the periods in their order; a comparison is kept where it still looks back."""
    chosen = shown.chosen

    def earlier(one: Choice) -> bool:
        return shown.compare in [before.period for before in replace(chosen, choice=one).earlier]

    return [
        Step(spoken(one.period), one.period, shown.compare if earlier(one) else None, one.period == chosen.period)
        for one in sorted(chosen.periods, key=lambda one: (one.ends, one.starts))
    ]


def _options(request: Request, session: Session, shown: Shown) -> dict[str, object]:
    chosen, there = shown.chosen, shown.found.there
    at = [one for one in there if one.level == chosen.level]
    with_figures = {one.level for one in there}
    by_position = {one.position: one for one in at if one.scenario == chosen.scenario}
    return {
        "indicators": options({one.code: one.title for one in shown.found.known}, shown.info.code),
        "levels": level_options([row for row in levels(session) if row.level in with_figures], chosen.level),
        "positions": options(
            {one or WITHOUT: _position_text(shown.found, by_position[one])
             for one in sorted(by_position, key=_position_key)},
            chosen.position or WITHOUT,
        ),
        "period_options": options({one.period: spoken(one.period) for one in chosen.periods}, chosen.period),
        "compares": options(
            {"": "kein Vergleich", **{one.period: spoken(one.period) for one in chosen.earlier}}, shown.compare or ""
        ),
        "scenarios": options({one: said.SCENARIOS[one] for one in SCENARIOS if one in {c.scenario for c in at}},
                             chosen.scenario),
        "countings": options({one or WITHOUT: said.COUNTINGS[one] for one in chosen.choice.countings},
                             chosen.counting or WITHOUT),
        "areas": area_options(request, session, shown.narrowed.area),
    }  # fmt: skip


def _position_text(found: Found, choice: Choice) -> str:
    return said.position_text(found.offices, choice.position, choice.dataset)


def _position_key(position: str) -> tuple[bool, tuple[int, ...], str]:
    """Return ages in their order, ``total`` first, other positions as they are written."""
    numbers = tuple(int(part) for part in position.split("-") if part.isdecimal())
    return position != "total", numbers, position
