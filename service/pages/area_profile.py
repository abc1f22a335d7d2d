"""The profile of an area at ``/gebiete/{level}/{key}``: who lives there, what is there, who is reached; also as PDF."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.categories import TITLES
from geodata.errors import BusyError, ParameterError
from geodata.facilities import FacilitiesRequest, PlaceRow, facilities
from geodata.profile import AreaName, Profile, ProfileRequest, profile
from geodata.viewer import Version
from layers.area_map import PlacePoint, area_map, area_picture, bounds_of
from layers.canvas import MapParts, Tiles, parts
from layers.facilities import FacilityLayer
from layers.palette import style_of
from layers.places import compact
from service import assets
from service.access import viewer_of
from service.api import parameters as query
from service.context import Context, context_of, today
from service.delivery import respond
from service.exports.profile_xlsx import profile_xlsx
from service.formats import MEDIA_TYPES, Format, footnote_lines
from service.pages.area_tables import ProfileView, area_address, downloads_of, view_of
from service.pages.frame import Content, address, language_of, page
from service.pages.public import attribution, wording
from service.pages.rendering import look_digest
from service.texts import SOURCE_LANGUAGE, texts

router = APIRouter(include_in_schema=False)

_PICTURE_PX = 520.0
# So many PDFs are made at a time; who waits longer is asked to come again.
_TURNS = threading.BoundedSemaphore(2)
_LONGEST_WAIT_S = 20.0
_STYLE = "srk-profil.css"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Drawn:
    """An area on the map: ``map`` for the browser, ``svg`` for print, PDF and pages without scripts."""

    map: MapParts
    svg: str


@router.get("/gebiete/{level}/{key}.pdf")
def get_pdf(request: Request, level: str, key: str) -> Response:
    """Serve the profile as an accessible PDF, in the Veröffentlichungsfassung, in German."""
    context = context_of(request)

    def produce(session: Session) -> tuple[Callable[[], bytes], dict[str, str]]:
        made = profile(session, _wanted(context, level, key))
        view = view_of(made, SOURCE_LANGUAGE)
        picture = _picture(made, _places(session, context, made), SOURCE_LANGUAGE)

        def pdf() -> bytes:
            from service.exports.profile_pdf import profile_pdf  # noqa: PLC0415 - slow to load, for this file only

            return profile_pdf(made, view, picture)

        # Setting pages takes seconds: without a connection, and not for everybody at once.
        return lambda: _in_turn(pdf), {}

    return _file(request, context, "pdf", "application/pdf", produce, f"{level}-{key}")


@router.get("/gebiete/{level}/{key}.xlsx")
def get_workbook(request: Request, level: str, key: str) -> Response:
    """Serve the tables of the profile as a workbook, in the Veröffentlichungsfassung, in German."""
    context = context_of(request)

    def produce(session: Session) -> tuple[Callable[[], bytes], dict[str, str]]:
        made = profile(session, _wanted(context, level, key))
        return lambda: profile_xlsx(made.meta, view_of(made, SOURCE_LANGUAGE)), {}

    return _file(request, context, "xlsx", MEDIA_TYPES[Format.XLSX], produce, f"{level}-{key}")


def _file(
    request: Request, context: Context, kind: str, media_type: str,
    produce: Callable[[Session], tuple[Callable[[], bytes], dict[str, str]]], name: str,
) -> Response:  # fmt: skip
    """Answer with a file made of a profile; it takes no parameters."""
    for parameter in request.query_params:
        said = query.short(parameter)
        raise ParameterError(said, f"Den Parameter „{said}“ gibt es hier nicht; die Datei gibt es nur so.")
    eyes = viewer_of(request).seeing(Version.PUBLISHED)
    return respond(
        request, context, eyes, f"{kind}-{look_digest()}", media_type, produce,
        filename=f"gebietsprofil-{_UNSAFE.sub('-', name)}.{kind}", compress=False,
        private=eyes.provider_key is not None,
    )  # fmt: skip


def _in_turn(make: Callable[[], bytes]) -> bytes:
    """Return what is made, when it is its turn; raise ``BusyError`` where others take too long."""
    if not _TURNS.acquire(timeout=_LONGEST_WAIT_S):
        raise BusyError("Gerade werden schon mehrere PDF-Dateien erstellt; bitte gleich noch einmal versuchen.")
    try:
        return make()
    finally:
        _TURNS.release()


@router.get("/gebiete/{level}/{key}/orte.json")
def get_places(request: Request, level: str, key: str) -> Response:
    """Serve the places of an area that the viewer may see, compact, for its map."""
    context = context_of(request)

    def produce(session: Session) -> tuple[bytes, dict[str, str]]:
        wanted = FacilitiesRequest(on=today(), area=(level, key), limit=context.settings.max_rows)
        return orjson.dumps(compact(facilities(session, wanted).rows)), {}

    eyes = viewer_of(request).seeing(Version.PUBLISHED)
    private = eyes.provider_key is not None
    return respond(request, context, eyes, "places", "application/json", produce, private=private, only=())


@router.get("/gebiete/{level}/{key}")
def get_profile(request: Request, level: str, key: str) -> Response:
    """Serve the profile of an area."""
    context = context_of(request)
    language = language_of(request, translated=True)

    def content(session: Session) -> Content:
        made = profile(session, _wanted(context, level, key))
        view = view_of(made, language)
        drawn = _drawn(context, session, made, language)
        area = made.area
        said = texts(language).gettext
        values = {
            "area": area,
            "level_title": said(area.level_title),
            "above": [(one, _of(one, language)) for one in made.above],
            "inside": [
                (said(one.level_title), one.more, [(child.name, _of(child, language)) for child in one.areas])
                for one in made.inside
            ],
            "view": view,
            "sentences": _opening(view),
            "drawn": drawn,
            "peers_note": made.peers_note,
            "files": downloads_of(made, language, max_rows=context.settings.max_rows),
            "notes": footnote_lines(made.meta),
        }
        maps = [drawn.map] if drawn is not None else []
        return Content(area.area_name, values, maps, styles=[_STYLE])

    return page(request, "gebiet.html", content, section="", translated=True, only=())


def _wanted(context: Context, level: str, key: str) -> ProfileRequest:
    return ProfileRequest(level, key, today(), pace=context.settings.pace())


def _of(area: AreaName, language: str) -> str:
    return area_address(area.level, area.key, language)


def _opening(view: ProfileView) -> str:
    return " ".join([*view.said["residents"], *view.said["places"]])


def _places(session: Session, context: Context, made: Profile) -> list[PlaceRow]:
    if made.area.geometry is None:
        return []
    area = (made.area.area_level, made.area.area_key)
    return facilities(session, FacilitiesRequest(on=today(), area=area, limit=context.settings.max_rows)).rows


def _drawn(context: Context, session: Session, made: Profile, language: str) -> Drawn | None:
    """Return the map of an area with its places; None of one without geometry."""
    area, settings, said = made.area, context.settings, texts(language).gettext
    bounds = None if area.geometry is None else bounds_of(area.geometry)
    if area.geometry is None or bounds is None:
        return None
    suffix = "" if language == SOURCE_LANGUAGE else f"?lang={language}"
    target = area_map(
        area.geometry,
        bounds,
        [
            FacilityLayer(one.category, said(style_of(one.category).title), one.places)
            for one in made.categories
            if one.places
        ],
        places_url=address(f"/gebiete/{area.area_level}/{area.area_key}/orte.json"),
        detail_url="/api/v1/facilities/{dataset}/{facility_id}",
        page_url=f"/angebote/{{dataset}}/{{facility_id}}{suffix}",
        urls=assets.urls(),
        tiles=Tiles(settings.tiles_url, settings.tiles_attribution or "") if settings.tiles_url else None,
        attribution=attribution(made.meta.sources, made.meta.notice, language),
        label=said("Karte von {area}").format(area=area.area_name),
        wording=wording(language),
    )
    return Drawn(parts(target), _picture(made, _places(session, context, made), language) or "")


def _picture(made: Profile, places: list[PlaceRow], language: str) -> str | None:
    """Return the area with its places as SVG; None of an area without geometry."""
    area, said = made.area, texts(language)
    if area.geometry is None or bounds_of(area.geometry) is None:
        return None
    points = [
        PlacePoint(row.lon, row.lat, row.categories[0]) for row in places if row.lon is not None and row.lat is not None
    ]
    title = said.gettext("Karte von {area}").format(area=area.area_name)
    described = said.ngettext("{n} Ort ist eingezeichnet.", "{n} Orte sind eingezeichnet.", len(points))
    return area_picture(
        area.geometry,
        points,
        title=title,
        description=described.format(n=len(points)),
        width=_PICTURE_PX,
        titles={category: said.gettext(name) for category, name in TITLES.items()},
    )
