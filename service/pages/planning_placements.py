"""Planning desk, "Auswärtige Unterbringung (§ 34 SGB VIII)": how many outside, its change, and where no place is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import Answer
from geodata.errors import NotFoundError
from geodata.figure_tables import WITHOUT_AREA
from geodata.home_gaps import HomeGapRow, home_gaps
from geodata.periods import spoken
from geodata.placement_sentences import answer_sentences, none_near_sentence
from geodata.placements import PlacementRow, placements
from geodata.viewer import Version
from layers.chart_sheet import chart_sheet
from layers.choropleth import AreaValue
from layers.flow_picture import flow_picture
from layers.flows import flows_of
from service.context import context_of
from service.formats import footnote_lines
from service.pages import planning_placements_parts as parts
from service.pages import planning_placements_tables as tables
from service.pages.components import Download, Option
from service.pages.frame import Content, address
from service.pages.planning_maps import (
    Classing,
    NumberMap,
    caption_of,
    classing_of,
    draw,
    image_kind,
    number_map,
    picture,
    picture_answer,
)
from service.pages.planning_placements_asked import (
    CHANGE,
    PARAMETERS,
    PER_1000,
    SHARE,
    SHOWN,
    PlacementView,
    Wanted,
    form_of,
    resolved,
    wanted_of,
)
from service.pages.planning_view import Pairs, api_files, filled_in, given, require_known, view_page

router = APIRouter(include_in_schema=False)

SLUG = "unterbringung"
PATH = "/planung/unterbringung"
_UNITS = {SHARE: "%", PER_1000: "je 1.000", CHANGE: "Prozentpunkte"}
_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers of the view: rows of placements, ``around``: of the area they make together, and homes near."""

    view: PlacementView
    placed: Answer[PlacementRow]
    around: Answer[PlacementRow] | None
    homes: Answer[HomeGapRow]

    @property
    def whole(self) -> PlacementRow | None:
        """The row of all areas together; None: there is none, or several."""
        rows = [] if self.around is None else self.around.rows
        return rows[0] if len(rows) == 1 else None

    @property
    def by_key(self) -> Mapping[str, HomeGapRow]:
        """The rows of homes by area."""
        return {row.area_key: row for row in self.homes.rows}


def answered(session: Session, wanted: Wanted, home_state: str) -> Answered:
    """Ask the questions of the view."""
    view = resolved(session, wanted, home_state)
    placed = placements(session, view.request())
    offer = view.whole()
    around = None
    if offer is not None:
        compare = view.compare if view.compare in offer.periods else None
        around = placements(session, view.request(level=offer.level, compare=compare, area_role=offer.area_role))
    return Answered(view, placed, around, home_gaps(session, view.homes()))


@router.get(PATH)
def get_placements(request: Request) -> Response:
    """Serve the view."""
    require_known(request, PARAMETERS)
    wanted, classing = wanted_of(request), classing_of(request)
    settings = context_of(request).settings

    def content(session: Session) -> Content:
        found = answered(session, wanted, settings.home_state)
        view = found.view
        asked = filled_in(request, view.filled())
        shown = shares_map(view, found.placed.rows, classing)
        drawn = draw(request, session, shown, found.placed.meta, asked=asked)
        flow = parts.flow_of(session, view, [one for one in (found.placed, found.around) if one is not None])
        flows = None if flow is None else parts.flow_map(request, flow.row, view.home_state, flow.answer.meta)
        series = parts.series_of(session, view, found.placed.rows)
        published = wanted.version is Version.PUBLISHED
        values: dict[str, Any] = {
            "asked": view,
            "asked_again": asked,
            "form": form_of(view),
            "switch": _switch(request, view),
            "classing": classing,
            "sentences": list(
                answer_sentences(
                    found.whole, found.placed.rows, view.compare, view.home_state, per_1000=view.show == PER_1000
                )
            ),
            "period": spoken(view.period),
            "shown": shown,
            "drawn": drawn,
            "table": tables.shares_table(view, found.placed.rows, found.by_key, given(request, "sort")),
            "near": tables.near_table(view, found.homes.rows),
            "near_sentence": none_near_sentence(found.homes.rows, wanted.near_km, published=published),
            "series": None if series is None else series.picture(parts.series_files(PATH, asked)),
            "series_chosen": None if series is None else series.chosen,
            "flow": flow,
            "flow_map": flows,
            "flow_table": None if flow is None else tables.states_table(flow.row),
            "flow_image": address(f"{PATH}/laender.svg", asked),
            "flow_files": _pictures("laender", "Karte", asked),
            "notes": footnote_lines(found.placed.meta),
            "near_notes": footnote_lines(found.homes.meta),
            "files": api_files("placements", view.parameters(), wanted.version, limit=settings.max_rows),
            "near_files": api_files(
                "placements/gaps", view.home_parameters(), wanted.version, limit=settings.max_rows
            ),
            "series_files": api_files(
                "placements", {**view.parameters(), "series": "true"}, wanted.version, limit=settings.max_rows,
                formats=("csv", "xlsx"),
            ),
        }  # fmt: skip
        maps = [*drawn.maps, *([flows] if flows is not None else [])]
        return Content(
            "Auswärtige Unterbringung (§ 34 SGB VIII)",
            values,
            maps=maps,
            scripts=["srk-planung.js"],
            styles=["srk-hilfen.css"],
        )

    return view_page(request, SLUG, content)


@router.get(PATH + "/karte.{kind}")
def get_map_picture(request: Request, kind: str) -> Response:
    """Serve the map of the view as a picture."""
    require_known(request, PARAMETERS)
    wanted, classing = wanted_of(request), classing_of(request)
    home_state = context_of(request).settings.home_state

    def shown(session: Session) -> tuple[NumberMap, Any]:
        view = resolved(session, wanted, home_state)
        placed = placements(session, view.request())
        return shares_map(view, placed.rows, classing), placed.meta

    return picture(request, SLUG, kind, shown)


@router.get(PATH + "/laender.{kind}")
def get_flow_picture(request: Request, kind: str) -> Response:
    """Serve the map of the Bundesländer as a picture."""
    require_known(request, PARAMETERS)
    wanted, image = wanted_of(request), image_kind(kind)
    home_state = context_of(request).settings.home_state

    def produce(session: Session) -> bytes:
        flow = parts.flow_of(session, resolved(session, wanted, home_state))
        if flow is None:
            raise NotFoundError("Nach Bundesländern sind für diese Auswahl keine Fälle angegeben.")
        told = parts.flow_subtitle(flow.row)
        return flow_picture(
            flows_of(flow.row.by_state or {}), caption_of(parts.flow_title(flow.row), "Fälle", flow.answer.meta, told),
            home_state=home_state, origin=flow.row.area_name or flow.row.area_key, one="Fall", image=image,
        )  # fmt: skip

    return picture_answer(request, SLUG, image, produce, "laender")


@router.get(PATH + "/verlauf.svg")
def get_series_picture(request: Request) -> Response:
    """Serve the chart of the series."""
    require_known(request, PARAMETERS)
    wanted = wanted_of(request)
    home_state = context_of(request).settings.home_state

    def produce(session: Session) -> bytes:
        view = resolved(session, wanted, home_state)
        made = parts.series_of(session, view, placements(session, view.request()).rows)
        if made is None:
            raise NotFoundError("Zu dieser Auswahl gibt es keinen Verlauf: Es ist nur ein Zeitraum geladen.")
        return chart_sheet(made.chart, caption_of(made.chart.title, made.chart.unit, made.meta, view.subtitle))

    return picture_answer(request, SLUG, "svg", produce, "verlauf")


def shares_map(view: PlacementView, rows: Sequence[PlacementRow], classing: Classing) -> NumberMap:
    """Return the map of what is shown: the share outside, cases per 1,000, or the change of the share."""
    show = view.show
    period = spoken(view.period)
    title = f"{SHOWN[show]}, {period}"
    if show == CHANGE and view.compare is not None:
        title = f"{SHOWN[show]}, {spoken(view.compare)} bis {period}"
    areas = [_area_value(row, show) for row in rows if row.area_key != WITHOUT_AREA]
    return number_map(
        view.offer.level, areas, title=f"{title} (§ {view.offer.paragraph})", unit=_UNITS[show], classing=classing,
        diverging_at=0 if show == CHANGE else None, decimals=2 if show == PER_1000 else 1,
        subtitle=view.subtitle,
    )  # fmt: skip


def _area_value(row: PlacementRow, show: str) -> AreaValue:
    field = {SHARE: "outside_share", PER_1000: "per_1000", CHANGE: "change_pp"}[show]
    value: float | None = getattr(row, field)
    if value is not None and show == SHARE:
        value *= _PERCENT
    return AreaValue(
        row.area_key, row.area_name or row.area_key, value, value is None and field in row.suppressed_fields,
        _note(row, show),
    )  # fmt: skip


def _note(row: PlacementRow, show: str) -> str:
    if row.cases is None:
        return ""
    if show == SHARE and row.outside_cases is not None and row.unknown_cases is not None:
        return f"{row.outside_cases} von {words.counted(row.cases - row.unknown_cases, 'einem Fall', 'Fällen')}"
    if show == CHANGE:
        return {True: "statistisch gesichert", False: "statistisch nicht gesichert", None: ""}[row.change_secured]
    return words.counted(row.cases, "1 Fall", "Fälle")


def _switch(request: Request, view: PlacementView) -> Sequence[tuple[Option, str]]:
    """Return what can be shown, each with its address and, where it needs another level, that level's title."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {"show", "sort"}]
    made: list[tuple[Option, str]] = []
    for show, title in SHOWN.items():
        changed = dict(kept)
        note, target = None, view.offer
        if show != SHARE:
            changed["show"] = show
        if show == PER_1000:
            origin = view.with_origin()
            if origin is None:
                continue
            changed.pop("area_role", None)
            target = origin
            if origin.level != view.offer.level:
                changed["level"] = origin.level
                note = f"nach Herkunft, Ebene {origin.title}"
        if show == CHANGE and view.compare is None:
            continue
        # What the other level does not have would be refused there.
        for name, value in view.kept_in(target).items():
            if value is None:
                changed.pop(name, None)
            else:
                changed[name] = value
        made.append((Option(show, title, show == view.show, note=note), address(PATH, list(changed.items()))))
    return made


def _pictures(name: str, title: str, asked: Pairs) -> list[Download]:
    return [Download(f"{title} als {kind.upper()}", address(f"{PATH}/{name}.{kind}", asked)) for kind in ("svg", "png")]
