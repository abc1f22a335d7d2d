"""Planning desk, "Versorgung": what there is for those who live there, inside each area or within reach of it."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.answer import Answer, Meta
from geodata.areas import levels
from geodata.coverage.answer import coverage
from geodata.coverage.request import CoverageRequest, CoverageRow, Measure
from geodata.coverage.sentences import in_words, unit_of, value_of
from geodata.figure_tables import WITHOUT_AREA
from geodata.tables import SUPPLY_UNITS
from layers.choropleth import AreaValue
from service.api import parameters as query
from service.context import context_of, today
from service.formats import footnote_lines
from service.pages import planning_words as said
from service.pages.components import Cell, Column, DataTable, Kind, Link, Sort, ordered, sort_of
from service.pages.frame import Content, address
from service.pages.planning_choices import (
    Narrowed,
    ages_of,
    area_options,
    categories_of,
    category_options,
    level_of,
    level_options,
    minutes_of,
    mode_of,
    mode_options,
    narrowed,
    without_last,
)
from service.pages.planning_maps import CLASSING, NumberMap, classing_of, draw, number_map, picture
from service.pages.planning_view import api_files, given, options, require_known, version_of, view_page

router = APIRouter(include_in_schema=False)

SLUG = "versorgung"
SINGLE = (*CLASSING, "level", "age_from", "age_to", "minutes", "mode", "supply_unit", "area", "sort", "measure")
SEVERAL = ("category",)
_MEASURES = {
    "supply": "Angebote im Gebiet",
    "catchment": "erreichbare Angebote, geteilt durch alle, die darum konkurrieren",
}
_USUAL_CATEGORIES = ("okja",)
_USUAL_AGES = (6, 18)


@dataclass(frozen=True, slots=True)
class Covered:
    """An answer about coverage and its map, of the part of the city asked for."""

    request: CoverageRequest
    answer: Answer[CoverageRow]
    map: NumberMap
    narrowed: Narrowed


@router.get("/planung/versorgung")
def get_coverage(request: Request) -> Response:
    """Serve the view."""
    require_known(request, SINGLE, SEVERAL)
    sort = sort_of(given(request, "sort"), _columns("supply", 0), Sort("value"))

    def content(session: Session) -> Content:
        shown = covered(request, session, _measure(request))
        drawn = draw(request, session, shown.map, shown.answer.meta)
        asked, wanted = shown.request, shown.answer
        values = {
            "drawn": drawn,
            "table": _table(shown, sort),
            "sentence": in_words(asked, wanted.rows, shown.map.classes.decimals),
            "classing": classing_of(request),
            "notes": footnote_lines(wanted.meta),
            "files": files(request, asked),
            "map": shown.map,
            "measures": options(_MEASURES, asked.measure),
            "units": options(said.SUPPLY_UNITS, asked.supply_unit),
            "ways": asked.measure == "catchment",
            **form_values(request, session, shown),
        }
        return Content(f"{shown.map.title} – Versorgung", values, maps=drawn.maps, scripts=["srk-planung.js"])

    return view_page(request, SLUG, content)


@router.get("/planung/versorgung/karte.{kind}")
def get_picture(request: Request, kind: str) -> Response:
    """Serve the map as a file."""
    require_known(request, SINGLE, SEVERAL)

    def made(session: Session) -> tuple[NumberMap, Meta]:
        shown = covered(request, session, _measure(request))
        return shown.map, shown.answer.meta

    return picture(request, SLUG, kind, made)


def _measure(request: Request) -> Measure:
    return query.one_of("measure", given(request, "measure"), ("supply", "catchment")) or "supply"


def covered(request: Request, session: Session, measure: Measure) -> Covered:
    """Return coverage as a view's address asks for it, and its map."""
    level = level_of(request, levels(session))
    part = narrowed(request, session, level)
    asked = _asked(request, level, part, measure)
    answer = coverage(session, asked)
    areas = [
        AreaValue(row.area_key, row.area_name, value_of(asked, row), note=said.note_of(row.flag))
        for row in answer.rows
        if row.area_key != WITHOUT_AREA
    ]
    made = number_map(
        asked.level, areas, title=answer.meta.title, unit=unit_of(asked), classing=classing_of(request),
        subtitle=part.subtitle,
    )  # fmt: skip
    return Covered(asked, answer, made, part)


def _asked(request: Request, level: str, part: Narrowed, measure: Measure) -> CoverageRequest:
    age_from, age_to = ages_of(request, _USUAL_AGES)
    categories = categories_of(request, _USUAL_CATEGORIES)
    usual_unit = "places" if "kita" in categories else "hours_per_week"
    return CoverageRequest(
        level=level,
        on=today(),
        categories=categories,
        measure=measure,
        age_from=age_from,
        age_to=age_to,
        minutes=minutes_of(request),
        mode=mode_of(request) if measure != "supply" else None,
        supply_unit=query.one_of("supply_unit", given(request, "supply_unit"), SUPPLY_UNITS) or usual_unit,
        area=part.area,
        pace=context_of(request).settings.pace(),
        version=version_of(request),
    )


def form_values(request: Request, session: Session, shown: Covered) -> dict[str, object]:
    """Return what the forms of coverage are filled with, and what is said above the answer."""
    asked = shown.request
    return {
        "notices": [*filter(None, [shown.narrowed.notice])],
        "asked": asked,
        "levels": level_options(levels(session), asked.level),
        "areas": area_options(request, session, asked.area),
        "categories": category_options(asked.categories),
        "modes": mode_options(asked.mode),
        "chosen_categories": [said.CATEGORIES[one] for one in asked.categories],
    }


def parameters_of(asked: CoverageRequest) -> dict[str, object]:
    """Return the parameters with which the API answers the same question."""
    ways = asked.measure != "supply"
    return {
        "level": asked.level,
        "category": asked.categories,
        "measure": asked.measure,
        "age_from": asked.age_from,
        "age_to": asked.age_to,
        "minutes": asked.minutes if ways else None,
        "mode": asked.mode if ways else None,
        "supply_unit": asked.supply_unit if asked.measure != "reach" else None,
        "area": ":".join(asked.area) if asked.area else None,
    }


def files(request: Request, asked: CoverageRequest) -> object:
    """Return the files of what a view of coverage shows."""
    limit = context_of(request).settings.max_rows
    return api_files("coverage", parameters_of(asked), asked.version, limit=limit)


def area_cell(row: CoverageRow) -> Cell:
    """Return an area's name, leading to its profile."""
    if row.area_key == WITHOUT_AREA:
        return row.area_name
    return Link(row.area_name, address(f"/gebiete/{row.area_level}/{row.area_key}"))


def _columns(measure: str, decimals: int) -> list[Column]:
    own = "je 1.000" if measure == "supply" else "erreichbar je 1.000"
    return [
        Column("name", "Gebiet", header=True),
        Column("value", own, Kind.NUMBER, decimals),
        Column("supply", "Bestand", Kind.NUMBER, 0),
        Column("population", "Einwohner dieses Alters", Kind.NUMBER, 0),
        Column("facilities", "Einrich\N{SOFT HYPHEN}tungen", Kind.NUMBER, 0),
        Column("silent", "davon ohne Angabe", Kind.NUMBER, 0),
    ]


def _table(shown: Covered, sort: Sort) -> DataTable:
    asked = shown.request
    made = [(row, _cells(asked, row)) for row in shown.answer.rows]
    made = without_last(ordered(made, lambda pair: pair[1][sort.key], sort), lambda pair: pair[0].area_key)
    return DataTable(
        f"{shown.map.title} ({said.SUPPLY_UNITS[asked.supply_unit]})",
        _columns(asked.measure, shown.map.classes.decimals),
        [cells for _row, cells in made],
        sort=sort,
        attributes=[attributes(row) for row, _cells in made],
        empty="Auf dieser Ebene gibt es keine Gebiete.",
    )


def attributes(row: CoverageRow) -> dict[str, str]:
    """Return the attributes of a table's row, by which map and table highlight each other."""
    if row.area_key == WITHOUT_AREA:
        return {}
    return {"data-area-level": row.area_level, "data-area-key": row.area_key}


def _cells(asked: CoverageRequest, row: CoverageRow) -> dict[str, Cell]:
    return {
        "name": area_cell(row),
        "value": value_of(asked, row),
        "supply": row.supply,
        "population": row.population,
        "facilities": row.facilities,
        "silent": row.facilities_without_supply,
    }
