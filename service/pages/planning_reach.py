"""Planning desk, "Erreichbarkeit": who gets to an offer in so many minutes, and what is reached from one point."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata import words
from geodata.ages import Ages
from geodata.answer import Meta
from geodata.coverage.request import CoverageRequest, CoverageRow
from geodata.coverage.sentences import in_words, value_of
from geodata.errors import ParameterError
from geodata.facilities import FacilitiesRequest, PlaceRow, facilities
from geodata.indicator_words import ages_in_words
from geodata.point_reach import PointReachAnswer, PointReachRequest, point_reach
from geodata.point_sentences import in_words as point_in_words
from geodata.point_sentences import way_in_words
from geodata.reach_area import ReachArea, reach_area
from layers.canvas import Bounds
from layers.extent import body_bounds
from layers.reach_layer import ReachBand, Reached
from service.api import parameters as query
from service.context import context_of, today
from service.formats import footnote_lines
from service.pages.components import Cell, Column, DataTable, Kind, Link, Sort, ordered, sort_of
from service.pages.frame import Content
from service.pages.place_table import place_address
from service.pages.planning_choices import categories_of, with_point
from service.pages.planning_coverage import Covered, area_cell, attributes, covered, files, form_values
from service.pages.planning_maps import CLASSING, NumberMap, classing_of, draw, picture
from service.pages.planning_view import api_files, given, options, require_known, view_page
from service.pages.planning_words import CATEGORIES

router = APIRouter(include_in_schema=False)

SLUG = "erreichbarkeit"
_SINGLE = (*CLASSING, "level", "age_from", "age_to", "minutes", "mode", "area", "sort", "place", "lon", "lat", "show")
_SEVERAL = ("category",)
_COLUMNS = (
    Column("name", "Gebiet", header=True),
    Column("value", "erreicht", Kind.NUMBER, 1, note="%"),
    Column("reached", "Erreichte", Kind.NUMBER, 0),
    Column("not_reached", "nicht Erreichte", Kind.NUMBER, 0),
    Column("nearest_m", "mittlerer Weg", Kind.NUMBER, 0, note="m"),
    Column("facilities", "Einrich\N{SOFT HYPHEN}tungen", Kind.NUMBER, 0),
)
# A list to choose from that is longer helps nobody; a part of the city makes it shorter.
_MOST_PLACES = 1500


@dataclass(frozen=True, slots=True)
class Start:
    """A point to look from: its name and where it is (CRS84); ``place``: the value that chooses it in the form."""

    name: str
    lon: float
    lat: float
    place: str = ""

    @property
    def said(self) -> str:
        """The point as a sentence names it after "von"."""
        return f"„{self.name}“" if self.place else self.name


@router.get("/planung/erreichbarkeit")
def get_reach(request: Request) -> Response:
    """Serve the view."""
    require_known(request, _SINGLE, _SEVERAL)
    sort = sort_of(given(request, "sort"), _COLUMNS, Sort("value"))

    def content(session: Session) -> Content:
        shown = covered(request, session, "reach")
        there, too_many = _places(request, session, shown.request)
        start = _start(request, session, there)
        view = None if start is None else _view(session, shown.request, start)
        asked_for = _around_wanted(request)
        around = reach_area(session, shown.request) if asked_for and start is None else None
        reached = _reached(shown.request, start, view, around)
        # From a point the map shows what is reached from there; around all places it shows the areas.
        bounds = None if start is None or reached is None else _bounds(reached)
        number_map = replace(shown.map, reached=reached)
        drawn = draw(request, session, number_map, shown.answer.meta, bounds=bounds)
        values = {
            "drawn": drawn,
            "table": _table(shown, sort),
            "sentence": in_words(shown.request, shown.answer.rows, shown.map.classes.decimals),
            "classing": classing_of(request),
            "notes": _notes(shown.answer.meta, view, around),
            "files": files(request, shown.request),
            "map": shown.map,
            "start": start,
            "places": _place_options(there, start),
            "too_many": too_many,
            # From a point its own area is drawn instead.
            "around": asked_for and start is None,
            "point": None if start is None or view is None else _point(request, shown.request, start, view),
            **form_values(request, session, shown),
        }
        return Content(f"{shown.map.title} – Erreichbarkeit", values, maps=drawn.maps, scripts=["srk-planung.js"])

    return view_page(request, SLUG, content)


@router.get("/planung/erreichbarkeit/karte.{kind}")
def get_picture(request: Request, kind: str) -> Response:
    """Serve the map as a file."""
    require_known(request, _SINGLE, _SEVERAL)

    def made(session: Session) -> tuple[NumberMap, Meta]:
        shown = covered(request, session, "reach")
        start = _start(request, session, [])
        view = None if start is None else _view(session, shown.request, start)
        around = reach_area(session, shown.request) if start is None and _around_wanted(request) else None
        return replace(shown.map, reached=_reached(shown.request, start, view, around)), shown.answer.meta

    return picture(request, SLUG, kind, made)


def _around_wanted(request: Request) -> bool:
    """Return whether the area around all places is to be drawn."""
    return query.one_of("show", given(request, "show"), ("area",)) is not None


def _places(request: Request, session: Session, asked: CoverageRequest) -> tuple[list[PlaceRow], bool]:
    """Return the places one may look from, and whether there are more.

    They are of the categories asked for, and their point is shown.
    """
    wanted = FacilitiesRequest(
        on=asked.on, categories=categories_of(request, asked.categories), area=asked.area, limit=_MOST_PLACES,
        version=asked.version,
    )  # fmt: skip
    found = facilities(session, wanted)
    return [row for row in found.rows if row.lon is not None], found.meta.next is not None


def _start(request: Request, session: Session, there: Sequence[PlaceRow]) -> Start | None:
    """Return the point asked for, by a place or by lon and lat; None where none is."""
    place = given(request, "place")
    if place is not None:
        for row in there:
            if f"{row.dataset}/{row.facility_id}" == place and row.lon is not None and row.lat is not None:
                return Start(row.name, row.lon, row.lat, place)
        found = _place(session, place)
        if found is None:
            raise ParameterError("place", "Diesen Ort gibt es nicht, oder sein Standort ist nicht freigegeben.")
        return found
    lon = query.decimal_number("lon", with_point(given(request, "lon")), -180, 180)
    lat = query.decimal_number("lat", with_point(given(request, "lat")), -85, 85)
    if lon is None and lat is None:
        return None
    if lon is None or lat is None:
        raise ParameterError("lon", "Ein Punkt braucht Länge und Breite.")
    return Start("diesem Punkt", lon, lat)


def _place(session: Session, place: str) -> Start | None:
    dataset, _slash, facility_id = place.partition("/")
    rows = facilities(session, FacilitiesRequest(on=today(), dataset=dataset, facility_id=facility_id)).rows
    if not rows or rows[0].lon is None or rows[0].lat is None:
        return None
    return Start(rows[0].name, rows[0].lon, rows[0].lat, place)


def _view(session: Session, asked: CoverageRequest, start: Start) -> PointReachAnswer:
    return point_reach(session, PointReachRequest(
        lon=start.lon, lat=start.lat, on=asked.on, minutes=asked.minutes, mode=asked.mode, categories=asked.categories,
        age_from=asked.age_from, age_to=asked.age_to, pace=asked.pace, version=asked.version,
    ))  # fmt: skip


def _reached(
    asked: CoverageRequest, start: Start | None, view: PointReachAnswer | None, around: ReachArea | None
) -> Reached | None:
    """Return what is drawn upon the areas: what is reached from a point, or the area around all places."""
    if start is not None and view is not None:
        band = ReachBand(way_in_words(asked.minutes, view.mode), orjson.loads(view.polygon))
        named = start.name if start.place else "gewählter Punkt"
        return Reached("Erreichbar von einem Punkt", [band], (start.lon, start.lat), named)
    if around is None or around.polygon is None:
        return None
    which = words.listed([CATEGORIES[one] for one in asked.categories])
    band = ReachBand(f"{which}: {way_in_words(asked.minutes, around.mode)}", orjson.loads(around.polygon))
    return Reached("Erreichte Fläche", [band])


def _bounds(reached: Reached) -> Bounds | None:
    return body_bounds({"features": [{"geometry": band.geometry} for band in reached.bands]})


def _point(request: Request, asked: CoverageRequest, start: Start, view: PointReachAnswer) -> dict[str, Any]:
    """Return what the template says of the view from a point."""
    parameters: dict[str, object] = {
        "lon": start.lon, "lat": start.lat, "category": asked.categories, "minutes": asked.minutes, "mode": asked.mode,
        "age_from": asked.age_from, "age_to": asked.age_to,
    }  # fmt: skip
    places = DataTable(
        f"Einrichtungen in Reichweite von {start.said}",
        [
            Column("name", "Einrichtung", header=True),
            Column("minutes", "Minuten", Kind.NUMBER, 1),
            Column("metres", "Weg", Kind.NUMBER, 0, note="m"),
            Column("provider", "Träger"),
        ],
        [
            {
                "name": Link(row.name, place_address(row.dataset, row.facility_id)),
                "minutes": row.minutes,
                "metres": row.metres,
                "provider": row.provider or "",
            }
            for row in view.rows
        ],
        empty="Keine passende Einrichtung liegt in Reichweite.",
    )
    people = DataTable(
        f"Menschen in Reichweite von {start.said}",
        [Column("age", "Alter", header=True), Column("residents", "Menschen", Kind.NUMBER, 0)],
        [
            {
                "age": ages_in_words(Ages(band.age_from, band.age_to)),
                "residents": band.residents,
            }
            for band in view.residents
        ],
        empty="Es sind keine Einwohnerzahlen geladen.",
    )
    return {
        "sentence": point_in_words(view, asked.minutes, start.said),
        "places": places,
        "people": people,
        "files": api_files("reach", parameters, asked.version, limit=context_of(request).settings.max_rows),
    }


def _notes(meta: Meta, view: PointReachAnswer | None, around: ReachArea | None) -> list[tuple[str, str]]:
    """Return the footnotes of the areas, and what those of the view from a point say besides."""
    lines = footnote_lines(meta)
    if around is not None and around.sentence:
        lines.append(("Hinweis", around.sentence))
    own = [] if view is None else [line for line in footnote_lines(view.meta) if line[0] in {"Methode", "Hinweis"}]
    return [*lines, *(line for line in own if line not in lines)]


def _place_options(there: Sequence[PlaceRow], start: Start | None) -> object:
    titles = {"": "kein Ort gewählt"}
    titles |= {
        f"{row.dataset}/{row.facility_id}": row.name for row in sorted(there, key=lambda row: row.name.casefold())
    }
    if start is not None and start.place and start.place not in titles:
        titles[start.place] = start.name
    return options(titles, "" if start is None else start.place)


def _table(shown: Covered, sort: Sort) -> DataTable:
    made = ordered([(row, _cells(shown.request, row)) for row in shown.answer.rows],
                   lambda pair: pair[1][sort.key], sort)  # fmt: skip
    return DataTable(
        shown.map.title,
        _COLUMNS,
        [cells for _row, cells in made],
        sort=sort,
        attributes=[attributes(row) for row, _cells in made],
        empty="Auf dieser Ebene gibt es keine Gebiete.",
    )


def _cells(asked: CoverageRequest, row: CoverageRow) -> dict[str, Cell]:
    return {
        "name": area_cell(row),
        "value": value_of(asked, row),
        "reached": row.reached,
        "not_reached": row.not_reached,
        "nearest_m": row.nearest_m,
        "facilities": row.facilities,
    }
