"""Planning desk: which areas are like one, and what is different there (``/planung/vergleichsgebiete``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata import areas as area_questions
from geodata.answer import Answer, Meta
from geodata.areas import LevelRow, levels
from geodata.controlling_offices import Offices, read_offices
from geodata.errors import ParameterError
from geodata.indicator_values import shares_at
from geodata.indicator_words import position_in_words, shown_in
from geodata.indicators import IndicatorInfo, indicators_of
from geodata.similar import MOST_AREAS, SimilarIndicator, SimilarRequest, SimilarRow, similar
from geodata.similar_reasons import Named, difference, headline
from layers.choropleth import AreaValue
from service.api import parameters as query
from service.api.comparing import MOST_SIMILAR
from service.formats import footnote_lines
from service.pages.components import Cell, Column, DataTable, Kind, Link, Option
from service.pages.frame import Content, address
from service.pages.planning_choices import level_of, level_options
from service.pages.planning_maps import (
    CLASSING,
    NumberMap,
    classing_of,
    draw,
    number_map,
    picture,
    row_attributes,
)
from service.pages.planning_view import MAPPED, api_files, given, options, require_known, version_of, view_page

router = APIRouter(include_in_schema=False)

SLUG = "vergleichsgebiete"
SINGLE = ("level", "key", "period", "limit", *CLASSING)
SEVERAL = ("indicator",)
_USUAL_LIMIT = 5
_LIMITS = (3, 5, 10, 20)
_WEIGHTS = {"0.5": "halb", "1": "einfach", "2": "doppelt", "3": "dreifach"}


@dataclass(frozen=True, slots=True)
class Shown:
    """The question as the address asks it, its answer for all areas, and the names of all areas of the level.

    ``answer`` None: no area is chosen. ``used``: the indicators compared by, as a reader knows them.
    """

    asked: SimilarRequest
    answer: Answer[SimilarRow] | None
    names: Mapping[str, str]
    used: Mapping[str, Named]
    levels: Sequence[LevelRow]
    offices: Offices

    @property
    def rows(self) -> list[SimilarRow]:
        """The areas that are shown in the table."""
        return [] if self.answer is None else self.answer.rows[: self.asked.limit]

    @property
    def name(self) -> str:
        """The name of the area asked about."""
        return self.names.get(self.asked.key, self.asked.key)


@router.get("/planung/vergleichsgebiete")
def get_similar(request: Request) -> Response:
    """Serve the view."""
    require_known(request, SINGLE, SEVERAL)

    def content(session: Session) -> Content:
        shown = _shown(request, session)
        asked = shown.asked
        values: dict[str, object] = {
            "asked": asked,
            "levels": level_options(shown.levels, asked.level),
            "areas": options({"": "bitte wählen", **shown.names}, asked.key),
            "limits": _limits(asked.limit),
            "choices": _choices(session, shown),
            "classing": classing_of(request),
            "answer": shown.answer,
        }
        if shown.answer is None:
            return Content("Vergleichsgebiete", values)
        drawn = draw(request, session, _map(request, shown), shown.answer.meta)
        values |= {
            "drawn": drawn,
            "sentence": headline(shown.name, shown.rows),
            "table": _table(shown),
            "figures": _figures(shown),
            "notes": footnote_lines(shown.answer.meta),
            "files": api_files(
                f"areas/{asked.level}/{asked.key}/similar",
                _parameters(asked),
                asked.version,
                limit=None,
                formats=MAPPED,
            ),
            "profile": address(f"/gebiete/{asked.level}/{asked.key}"),
            "name": shown.name,
        }
        return Content(f"{shown.name} – Vergleichsgebiete", values, maps=drawn.maps, scripts=["srk-planung.js"])

    return view_page(request, SLUG, content)


@router.get("/planung/vergleichsgebiete/karte.{kind}")
def get_picture(request: Request, kind: str) -> Response:
    """Serve the map as a file."""
    require_known(request, SINGLE, SEVERAL)

    def made(session: Session) -> tuple[NumberMap, Meta]:
        shown = _shown(request, session)
        if shown.answer is None:
            raise ParameterError("key", "Bitte mit key ein Gebiet der Ebene angeben.")
        return _map(request, shown), shown.answer.meta

    return picture(request, SLUG, kind, made)


def _shown(request: Request, session: Session) -> Shown:
    there, offices = levels(session), read_offices(session)
    level = level_of(request, there)
    names = area_questions.names(session, level)
    asked = SimilarRequest(
        level=level,
        key=given(request, "key") or "",
        indicators=_indicators(request),
        period=given(request, "period"),
        limit=query.whole_number("limit", given(request, "limit"), 1, MOST_SIMILAR) or _USUAL_LIMIT,
        version=version_of(request),
    )
    # After the level was changed the form still sends an area of the level before: then one is to be chosen.
    if asked.key not in names:
        return Shown(replace(asked, key=""), None, names, {}, there, offices)
    answer = similar(session, replace(asked, limit=MOST_AREAS))
    compared = [name for row in answer.rows[:1] for name in row.values]
    meant = indicators_of(session, {name.partition(":")[0] for name in compared})
    used = {name: _named(name, meant[name.partition(":")[0]], offices) for name in compared}
    return Shown(asked, answer, names, used, there, offices)


def _indicators(request: Request) -> tuple[SimilarIndicator, ...]:
    """Return the indicators asked for, each ``code[:position][*weight]`` in a parameter of its own or with commas."""
    return query.indicators_of(",".join(value for value in request.query_params.getlist("indicator") if value))


def _name(code: str, position: str | None) -> str:
    return f"{code}:{position}" if position else code


def _parameters(asked: SimilarRequest) -> dict[str, object]:
    """Return the parameters with which the API answers the same question."""
    return {
        "indicators": [f"{_name(one.code, one.position)}*{one.weight:g}" for one in asked.indicators],
        "period": asked.period,
        "limit": asked.limit,
    }


def _limits(chosen: int) -> list[Option]:
    return [Option(str(one), f"{one} Gebiete", one == chosen) for one in sorted({*_LIMITS, chosen})]


def _choices(session: Session, shown: Shown) -> list[tuple[str, list[Option]]]:
    """Return for each indicator of the level, and those asked for besides, its title and the weights to choose from."""
    weights = {_name(one.code, one.position): f"{one.weight:g}" for one in shown.asked.indicators}
    if not weights:
        weights = dict.fromkeys(shown.used, "1")
    offered = dict.fromkeys([_name(code, position) for code, position in shares_at(session, shown.asked.level)])
    offered |= dict.fromkeys(weights)
    meant = indicators_of(session, {name.partition(":")[0] for name in offered})
    made = []
    for name in offered:
        info, weight = meant[name.partition(":")[0]], weights.get(name)
        titles = {"": "nicht vergleichen", **{f"{name}*{code}": title for code, title in _WEIGHTS.items()}}
        if weight is not None and weight not in _WEIGHTS:
            titles[f"{name}*{weight}"] = f"{weight.replace('.', ',')}-fach"
        made.append(
            (_named(name, info, shown.offices).title, options(titles, "" if weight is None else f"{name}*{weight}"))
        )
    return made


def _named(name: str, info: IndicatorInfo, offices: Offices) -> Named:
    position = position_in_words(offices, name.partition(":")[2])
    return Named(", ".join(filter(None, [info.title, position])), *shown_in(info.kind, info.unit))


def _map(request: Request, shown: Shown) -> NumberMap:
    """Return the map of the distance of every area from the one asked about."""
    asked = shown.asked
    distances = {row.area_key: row for row in shown.answer.rows} if shown.answer is not None else {}
    areas = []
    for key, name in shown.names.items():
        row = distances.get(key)
        own = key == asked.key
        note = "gewähltes Gebiet" if own else "" if row is None else f"Rang {row.rank}"
        areas.append(AreaValue(key, name, 0.0 if own else None if row is None else row.distance, note=note))
    title = f"Abstand von {shown.name}"
    unit = "Standardabweichungen"
    return number_map(asked.level, areas, title=title, unit=unit, classing=classing_of(request), decimals=2)


def _table(shown: Shown) -> DataTable:
    """Return the areas that are most alike, and in what each differs most."""
    columns = [
        Column("area", "Gebiet", header=True),
        Column("rank", "Rang", Kind.NUMBER),
        Column("distance", "Abstand", Kind.NUMBER, decimals=2),
        Column("difference", "Größter Unterschied"),
    ]
    rows: list[dict[str, Cell]] = [
        {
            "area": Link(row.area_name, address(f"/gebiete/{row.area_level}/{row.area_key}")),
            "rank": row.rank,
            "distance": row.distance,
            "difference": difference(row, shown.used),
        }
        for row in shown.rows
    ]
    attributes = row_attributes(shown.asked.level, [row.area_key for row in shown.rows])
    empty = "Kein anderes Gebiet hat Werte aller Kennzahlen."
    return DataTable(f"Die ähnlichsten Gebiete zu {shown.name}", columns, rows, attributes=attributes, empty=empty)


def _figures(shown: Shown) -> DataTable:
    """Return the indicators of all these areas beside each other."""
    columns = [
        Column("indicator", "Kennzahl", header=True),
        Column("own", shown.name, Kind.PLAIN, decimals=1),
        *(Column(f"area{row.rank}", row.area_name, Kind.PLAIN, decimals=1) for row in shown.rows),
    ]
    rows = []
    for name, one in shown.used.items():
        unit = f" ({one.unit})" if one.unit not in {"", "Personen"} else ""
        cells: dict[str, Cell] = {"indicator": f"{one.title}{unit}", "own": one.factor * shown.rows[0].own_values[name]}
        rows.append(cells | {f"area{row.rank}": one.factor * row.values[name] for row in shown.rows})
    return DataTable(f"Kennzahlen von {shown.name} und den ähnlichsten Gebieten", columns, rows)
