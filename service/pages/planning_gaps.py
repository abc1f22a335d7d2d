"""Planning desk, "Bestand und Bedarf": what areas lack against a Richtwert, where first, and how sure that is."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.answer import Answer, Meta
from geodata.errors import ParameterError
from geodata.figure_tables import WITHOUT_AREA
from geodata.gap_steadiness import RULE, in_words, steadiness
from geodata.gaps import GapRow, gaps
from geodata.standards import value_in_words
from layers.choropleth import AreaValue
from service.api import parameters as query
from service.context import context_of
from service.formats import footnote_lines
from service.pages import planning_words as said
from service.pages.components import Cell, Column, DataTable, Kind, Lines, Link, Mark, Sort, ordered, sort_of
from service.pages.frame import Content, address
from service.pages.planning_choices import category_options, mode_options
from service.pages.planning_gaps_asked import (
    MEASURE_WORDS,
    SEVERAL,
    SINGLE,
    Wanted,
    assumptions_of,
    fitting,
    form_values,
    need_parameters,
    parameters_of,
    wanted_of,
)
from service.pages.planning_maps import NumberMap, classing_of, draw, number_map, picture
from service.pages.planning_view import api_files, given, options, require_known, view_page

router = APIRouter(include_in_schema=False)

SLUG = "bedarf"
PATH = f"/planung/{SLUG}"
_SHOWS = {
    "deficit_per_1000": "Fehlbedarf je 1.000",
    "deficit": "Fehlbedarf",
    "priority": "Priorität (Fehlbedarf und Bedarf zusammen)",
}
_COLUMNS = (
    Column("rank", "Rang", Kind.NUMBER),
    Column("range", "Spanne", sortable=False),
    Column("name", "Gebiet und Begründung", header=True),
    Column("deficit_per_1000", "Fehlbedarf je 1.000", Kind.NUMBER, 1),
)
_MOVES = ((0.9, "10 % niedriger"), (1.1, "10 % höher"))


@dataclass(frozen=True, slots=True)
class Ranked:
    """The answer, and the map of one of its columns (``show``)."""

    wanted: Wanted
    answer: Answer[GapRow]
    show: str
    map: NumberMap


@router.get(PATH)
def get_gaps(request: Request) -> Response:
    """Serve the view."""
    require_known(request, SINGLE, SEVERAL)
    sort = sort_of(given(request, "sort"), _COLUMNS, Sort("rank"))

    def content(session: Session) -> Content:
        shown = _ranked(request, session)
        if shown is None:
            return Content("Bestand und Bedarf", {"ranked": None, **_first_form()}, scripts=["srk-planung.js"])
        drawn = draw(request, session, shown.map, shown.answer.meta)
        limit = context_of(request).settings.max_rows
        values = {
            "ranked": shown,
            "asked": shown.wanted.asked.coverage,
            "drawn": drawn,
            "table": _table(shown, sort),
            "sentence": in_words(shown.answer.rows, weighed=shown.wanted.asked.need_weight > 0),
            "standard": _standard(shown),
            "moves": _moves(request, shown.wanted),
            "classing": classing_of(request),
            "shows": options(_SHOWS, shown.show),
            "notes": [*footnote_lines(shown.answer.meta), ("Hinweis", RULE)],
            "files": api_files("gaps", parameters_of(shown.wanted), shown.wanted.request.version, limit=limit),
            **form_values(request, session, shown.wanted),
        }
        return Content(f"{shown.map.title} – Bestand und Bedarf", values, maps=drawn.maps, scripts=["srk-planung.js"])

    return view_page(request, SLUG, content)


@router.get(f"{PATH}/karte.{{kind}}")
def get_picture(request: Request, kind: str) -> Response:
    """Serve the map as a file."""
    require_known(request, SINGLE, SEVERAL)

    def made(session: Session) -> tuple[NumberMap, Meta]:
        shown = _ranked(request, session)
        if shown is None:
            raise ParameterError(
                "standard", "Es ist kein Richtwert hinterlegt; bitte mit standard_value einen annehmen."
            )
        return shown.map, shown.answer.meta

    return picture(request, SLUG, kind, made)


def _ranked(request: Request, session: Session) -> Ranked | None:
    wanted = wanted_of(request, session)
    if wanted is None:
        return None
    answer = gaps(session, wanted.request, wanted.asked)
    usual = "priority" if wanted.asked.need_weight else "deficit_per_1000"
    show = query.one_of("show", given(request, "show"), list(_SHOWS)) or usual
    areas = [
        AreaValue(
            row.area_key,
            row.area_name,
            # What is not ranked has no deficit to be compared, for the reason in its row.
            None if row.rank is None else getattr(row, show),
            note="nicht eingeordnet; der Grund steht in der Tabelle" if row.rank is None else f"Rang {row.rank}",
        )
        for row in answer.rows
        if row.area_key != WITHOUT_AREA
    ]
    made = number_map(
        wanted.request.level,
        areas,
        title=_title(answer.meta, show),
        unit=_unit(wanted, show),
        classing=classing_of(request),
        diverging_at=0.0 if show == "priority" else None,
        subtitle=wanted.narrowed.subtitle,
    )
    return Ranked(wanted, answer, show, made)


def _title(meta: Meta, show: str) -> str:
    return meta.title.replace("Bestand und Bedarf", _SHOWS[show].partition(" (")[0], 1)


def _unit(wanted: Wanted, show: str) -> str:
    if show == "priority":
        return "Standardabweichungen"
    one = wanted.asked.coverage
    what = "Personen" if one.measure == "reach" else said.SUPPLY_UNITS[one.supply_unit]
    return f"{what} je 1.000" if show == "deficit_per_1000" else what


def _standard(shown: Ranked) -> str:
    """Return the standard in force, in words."""
    asked = shown.wanted.asked
    if asked.stored is not None:
        return asked.stored.sentence()
    one = asked.coverage
    minutes = None if one.measure == "supply" else one.minutes
    mode = None if one.measure == "supply" else one.mode
    value = value_in_words(one.measure, asked.value, one.supply_unit, minutes, mode)
    return f"Angenommen sind {value}; ein Beschluss liegt dem nicht zugrunde."


def _moves(request: Request, wanted: Wanted) -> list[Link]:
    """Return the ways to move the standard a little: everything else stays, ranks may move."""
    kept: dict[str, object] = {
        "level": wanted.request.level, "area": wanted.narrowed.text, "period": wanted.request.period,
        **need_parameters(wanted.request),
        **{name: given(request, name) for name in ("method", "classes", "show", "sort", "version")},
    }  # fmt: skip

    def link(title: str, parameters: dict[str, object]) -> Link:
        pairs = [(name, str(value)) for name, value in {**parameters, **kept}.items() if value not in (None, "")]
        return Link(title, address(PATH, pairs))

    reach = wanted.asked.coverage.measure == "reach"
    moves = [
        link(title, assumptions_of(wanted.asked, factor))
        for factor, title in _MOVES
        if not (reach and factor > 1 and wanted.asked.value >= 1)
    ]
    if wanted.asked.stored is None:
        near = fitting(wanted)
        back = [*near, *(row for row in wanted.standards if row not in near)]
        moves += [link(f"Richtwert „{row.title}“", {"standard": row.code}) for row in back]
    return moves


def _table(shown: Ranked, sort: Sort) -> DataTable:
    rows = shown.answer.rows
    ranked = sum(row.rank is not None for row in rows)
    made = ordered(rows, lambda row: _sort_value(row, sort.key), sort)
    return DataTable(
        shown.map.title,
        _COLUMNS,
        [_cells(row, ranked) for row in made],
        sort=sort,
        attributes=[
            {} if row.area_key == WITHOUT_AREA else {"data-area-level": row.area_level, "data-area-key": row.area_key}
            for row in made
        ],
        empty="Auf dieser Ebene gibt es keine Gebiete.",
    )


def _sort_value(row: GapRow, key: str) -> object:
    return {"rank": row.rank, "name": row.area_name, "deficit_per_1000": row.deficit_per_1000}[key]


def _cells(row: GapRow, ranked: int) -> dict[str, Cell]:
    without = row.area_key == WITHOUT_AREA
    name = row.area_name if without else Link(row.area_name, address(f"/gebiete/{row.area_level}/{row.area_key}"))
    return {
        "rank": Mark.NOT_APPLICABLE if row.rank is None else row.rank,
        "range": Mark.NOT_APPLICABLE if row.rank is None else _range(row, ranked),
        "name": Lines([name, row.reason]),
        "deficit_per_1000": Mark.NOT_APPLICABLE if without else row.deficit_per_1000,
    }


def _range(row: GapRow, ranked: int) -> str:
    """Return the range of a rank when assumptions move, and how far it is to be trusted (``2 bis 5: stabil``)."""
    word = steadiness(row, ranked)
    if row.rank_low == row.rank_high:
        return str(word)
    return f"{row.rank_low} bis {row.rank_high}: {word}"


def _first_form() -> dict[str, object]:
    """Return what the form offers where no standard is stored and none is assumed yet."""
    return {
        "categories": category_options(("okja",)),
        "chosen_categories": [said.CATEGORIES["okja"]],
        "measures": options(MEASURE_WORDS, "reach"),
        "units": options(said.SUPPLY_UNITS, "places"),
        "modes": mode_options(None),
    }
