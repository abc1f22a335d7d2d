"""Maps of numbers on the planning desk: the page's map, its legend and its picture come from the same classes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request, Response
from sqlalchemy.orm import Session

from geodata import areas as area_questions
from geodata import audit, words
from geodata.answer import Meta
from geodata.errors import ForbiddenError, NotFoundError
from geodata.viewer import Version
from layers.canvas import Bounds, MapParts, Tiles, canvas, parts
from layers.choropleth import AreaValue, add_choropleth
from layers.classes import FEWEST_CLASSES, METHOD_TITLES, METHODS, MOST_CLASSES, Classes, Method, classify
from layers.drawing import IMAGE_TYPES, ImageKind
from layers.extent import body_bounds
from layers.legend import class_legend_html
from layers.picture import choropleth_picture
from layers.reach_layer import Reached, add_reach
from layers.sheet import Caption
from service import assets
from service.access import viewer_of
from service.api import parameters as query
from service.caching import canonical_request
from service.context import Context, context_of, today
from service.delivery import eyes, respond
from service.formats import footnote_lines
from service.pages.components import Download, Option
from service.pages.frame import PLANNERS, address
from service.pages.planning_view import Pairs, map_files, pairs_of, version_of
from service.pages.planning_views import view_of

AREA_PAGE = "/gebiete/{level}/{key}"
NAME = "planungskarte"
_SIMPLIFY_M = 15
# A map of the whole city at the finest level is drawn from fewer corners; nobody sees them.
_COARSE_M, _MANY, _FEW = 40, 300, 60
_NAMED = 5
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Classing:
    """How values become classes: the parameters ``method`` and ``classes`` of a view."""

    method: Method = "quantile"
    count: int = 5

    def method_options(self) -> list[Option]:
        """Return the methods as choices of a form."""
        return [Option(method, METHOD_TITLES[method], method == self.method) for method in METHODS]

    def count_options(self) -> list[Option]:
        """Return the numbers of classes as choices of a form."""
        return [Option(str(n), str(n), n == self.count) for n in range(FEWEST_CLASSES, MOST_CLASSES + 1)]


CLASSING = ("method", "classes")
"""The names of the parameters of ``classing_of``."""


def classing_of(request: Request, usual: Classing = Classing()) -> Classing:
    """Return how values are to be classed; raise ``ParameterError`` for a method or number there is not."""
    given = request.query_params
    method = query.one_of("method", given.get("method"), METHODS)
    count = query.whole_number("classes", given.get("classes"), FEWEST_CLASSES, MOST_CLASSES)
    return Classing(method or usual.method, count or usual.count)


@dataclass(frozen=True, slots=True)
class NumberMap:
    """Areas of a level with a number each, and their classes. ``title``: what is shown; ``unit`` is at the legend.

    ``subtitle``: how it was counted and what of it is shown ("nach Herkunft, am Stichtag; nur Hamburg-Mitte").
    ``reached`` is drawn upon the areas. Which areas have a shape is found later: one without stands in the table.
    """

    level: str
    title: str
    unit: str
    areas: Sequence[AreaValue]
    classes: Classes
    subtitle: str = ""
    reached: Reached | None = None


def row_attributes(level: str, keys: Sequence[str]) -> list[Mapping[str, str]]:
    """Return the attributes of a table's rows for these areas."""
    return [{"data-area-level": level, "data-area-key": key} for key in keys]


def number_map(
    level: str,
    areas: Sequence[AreaValue],
    *,
    title: str,
    unit: str,
    classing: Classing,
    diverging_at: float | None = None,
    decimals: int | None = None,
    subtitle: str = "",
) -> NumberMap:
    """Return the map of these areas; see ``layers.classes.classify`` for what the rest means."""
    classes = classify(
        [area.value for area in areas],
        [area.suppressed for area in areas],
        classing.method,
        classing.count,
        diverging_at=diverging_at,
        decimals=decimals,
    )
    return NumberMap(level, title, unit, areas, classes, subtitle)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A map as a template shows it (``teile.karte``). ``parts`` None: no area has a shape.

    ``host``: the id of the element that takes the legends of what was added; ``image``: the picture without scripts,
    ``alternative`` what it shows; ``without``: names of areas without shape.
    """

    parts: MapParts | None
    host: str
    legend: str
    image: str
    alternative: str
    without: str
    files: Sequence[Download]

    @property
    def maps(self) -> list[MapParts]:
        """What the frame must load."""
        return [] if self.parts is None else [self.parts]


def draw(
    request: Request,
    session: Session,
    shown: NumberMap,
    meta: Meta,
    *,
    bounds: Bounds | None = None,
    asked: Pairs | None = None,
) -> Drawn:
    """Draw the map of a view.

    ``bounds``: what the map shows at first; None: the areas. ``asked``: the view's parameters with all that was left
    open filled in (``planning_view.filled_in``), which its pictures are made of; None: as they were given.
    """
    context = context_of(request)
    keys = [area.key for area in shown.areas]
    without = area_questions.unmapped(session, shown.level, keys)
    legend = class_legend_html(shown.classes, title=shown.title, unit=shown.unit)
    names = words.listed([area.name for area in shown.areas if area.key in without], _NAMED)
    image = address(f"{request.scope['path']}/karte.svg", pairs_of(request, asked))
    if len(without) == len(keys):
        return Drawn(None, "", legend, image, "Zu diesen Gebieten sind keine Flächen geladen; die Zahlen stehen in der "
                     "Tabelle.", names, ())  # fmt: skip
    bounds = bounds or _bounds(session, shown.level, keys)
    settings = context.settings
    drawn = canvas(
        bounds,
        urls=assets.urls(),
        tiles=Tiles(settings.tiles_url, settings.tiles_attribution or "") if settings.tiles_url else None,
        attribution=attribution(meta),
        name=NAME,
        label="Karte mit Zahlen je Gebiet",
    )
    add_choropleth(
        drawn,
        shown.areas,
        shown.classes,
        _shapes_url(context, shown.level, len(keys)),
        title=shown.title,
        unit=shown.unit,
        urls=assets.urls(),
        page_url=AREA_PAGE,
        level=shown.level,
        fit=bounds,
        legend=False,
        only=True,
    )
    if (upon := shown.reached) is not None:
        add_reach(
            drawn, upon.bands, start=upon.start, urls=assets.urls(), title=upon.title, start_title=upon.start_title,
            fit=False,
        )  # fmt: skip
    made = parts(drawn)
    files = map_files(request, asked)
    host = f"{drawn.get_name()}-host"
    return Drawn(made, host, legend, image, f"Karte: {shown.title}", names, files)


def _simplify_m(count: int) -> int:
    return _COARSE_M if count > _MANY else _SIMPLIFY_M


def _shapes_url(context: Context, level: str, count: int) -> str:
    parameters = [
        ("level", level),
        ("format", "geojson"),
        ("simplify_m", str(_simplify_m(count))),
        ("limit", str(context.settings.max_rows)),
    ]
    return address("/api/v1/areas", parameters)


def _bounds(session: Session, level: str, keys: Sequence[str]) -> Bounds:
    everything = next((row for row in area_questions.levels(session) if row.level == level), None)
    whole = everything is not None and len(keys) >= everything.areas
    if whole:
        found = area_questions.extent(session)
    elif len(keys) <= _FEW:
        # An island that belongs to one of few areas would shrink all of them to a dot.
        shapes = area_questions.geometries(session, level, keys).values()
        found = body_bounds({"features": [{"geometry": orjson.loads(one)} for one in shapes if one is not None]})
    else:
        found = area_questions.extent(session, level, keys)
    return found or area_questions.extent(session) or (5.9, 47.3, 15.0, 55.1)


def attribution(meta: Meta) -> str:
    """Return who is to be named under a map, once each, with licence."""
    named = dict.fromkeys(
        f"{s.attribution} ({s.licence})" if s.licence else str(s.attribution) for s in meta.sources if s.attribution
    )
    return " · ".join(filter(None, [meta.notice, *named]))


def picture(request: Request, slug: str, kind: str, shown: Callable[[Session], tuple[NumberMap, Meta]]) -> Response:
    """Answer with a view's map as a file (``svg`` or ``png``), made from the classes of the page with these parameters.

    It carries title, version, sources with Stand, and the notice of a demo database.
    """
    image = image_kind(kind)

    def produce(session: Session) -> bytes:
        made, meta = shown(session)
        shapes = _shapes(session, made)
        caption = caption_of(made.title, made.unit, meta, made.subtitle)
        return choropleth_picture(made.areas, made.classes, shapes, caption, image=image, reached=made.reached)

    return picture_answer(request, slug, image, produce)


def image_kind(text: str) -> ImageKind:
    """Return the kind of picture an address names; raise ``NotFoundError`` for another."""
    for known in IMAGE_TYPES:
        if known == text:
            return known
    raise NotFoundError("Karten gibt es als SVG und als PNG.")


def picture_answer(
    request: Request, slug: str, image: ImageKind, produce: Callable[[Session], bytes], name: str = "karte"
) -> Response:
    """Answer with a picture of a planning view: for planners, in the version asked for; the internal one is logged.

    ``name``: what its file is called, besides the view and the version.
    """
    context = context_of(request)
    looking = viewer_of(request)
    if looking.role not in PLANNERS:
        raise ForbiddenError("Diese Karte ist der Jugendhilfeplanung vorbehalten; bitte anmelden.")
    version = version_of(request)
    seeing = eyes(request, version)
    if version is Version.INTERNAL:
        audit.record(context.engine, looking, "intern", {"request": canonical_request(request)})
    return respond(
        request,
        context,
        seeing,
        f"picture-{image}",
        IMAGE_TYPES[image],
        lambda session: (produce(session), {"Content-Security-Policy": _PICTURE_POLICY}),
        filename=f"{name}-{view_of(slug).slug}-{version.value}.{image}",
        compress=image == "svg",
        private=True,
    )


def caption_of(title: str, unit: str, meta: Meta, subtitle: str = "") -> Caption:
    """Return what a picture says about itself, in the words of the footnotes."""
    lines = footnote_lines(meta)
    return Caption(
        title=title,
        unit=unit or "ohne Einheit",
        version=next(value for label, value in lines if label == "Fassung"),
        sources=[value for label, value in lines if label == "Quelle"],
        subtitle=subtitle,
        notice=meta.notice or "",
        notes=[*(f"{label}: {value}" for label, value in lines if label == "Methode"), *meta.warnings],
    )


def _shapes(session: Session, made: NumberMap) -> dict[str, Any]:
    """Return the areas' shapes as a GeoJSON FeatureCollection."""
    wanted = {area.key for area in made.areas}
    found = area_questions.areas(
        session,
        area_questions.AreasRequest(
            made.level, today(), simplify_m=float(_simplify_m(len(made.areas))), limit=1_000_000
        ),
    )
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"area_key": row.area_key},
                "geometry": None if row.geometry is None else orjson.loads(row.geometry),
            }
            for row in found.rows
            if row.area_key in wanted
        ],
    }
