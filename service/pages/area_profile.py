"""The profile of an area at ``/gebiete/{level}/{key}``: who lives there, what is there, who is reached; also as PDF."""

import re
from dataclasses import dataclass

import orjson
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.ages import Ages
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
from service.context import Context, context_of, today
from service.delivery import respond
from service.formats import footnote_lines
from service.pages.area_tables import ProfileView, area_address, downloads_of, view_of
from service.pages.frame import Content, address, language_of, page
from service.pages.public import wording
from service.pages.rendering import look_digest
from service.texts import SOURCE_LANGUAGE, texts

router = APIRouter(include_in_schema=False)

_PICTURE_PX = 520.0
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

    def produce(session: Session) -> tuple[bytes, dict[str, str]]:
        from service.exports.profile_pdf import profile_pdf  # noqa: PLC0415 - slow to load, for this file only

        made = profile(session, _wanted(context, level, key))
        view = view_of(made, SOURCE_LANGUAGE)
        return profile_pdf(made, view, _picture(made, _places(session, context, made), SOURCE_LANGUAGE)), {}

    eyes = viewer_of(request).seeing(Version.PUBLISHED)
    return respond(
        request, context, eyes, f"pdf-{look_digest()}", "application/pdf", produce,
        filename=f"gebietsprofil-{_UNSAFE.sub('-', f'{level}-{key}')}.pdf", compress=False,
        private=eyes.provider_key is not None,
    )  # fmt: skip


@router.get("/gebiete/{level}/{key}/orte.json")
def get_places(request: Request, level: str, key: str) -> Response:
    """Serve the places of an area that the viewer may see, compact, for its map."""
    context = context_of(request)

    def produce(session: Session) -> tuple[bytes, dict[str, str]]:
        wanted = FacilitiesRequest(on=today(), area=(level, key), limit=context.settings.max_rows)
        return orjson.dumps(compact(facilities(session, wanted).rows)), {}

    eyes = viewer_of(request).seeing(Version.PUBLISHED)
    private = eyes.provider_key is not None
    return respond(request, context, eyes, "places", "application/json", produce, private=private)


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
            "files": downloads_of(made, _age_parameters, language),
            "notes": footnote_lines(made.meta),
        }
        maps = [drawn.map] if drawn is not None else []
        return Content(area.area_name, values, maps, styles=[_STYLE])

    return page(request, "gebiet.html", content, section="", translated=True)


def _wanted(context: Context, level: str, key: str) -> ProfileRequest:
    return ProfileRequest(level, key, today(), pace=context.settings.pace())


def _of(area: AreaName, language: str) -> str:
    return area_address(area.level, area.key, language)


def _opening(view: ProfileView) -> str:
    return " ".join([*view.said["residents"], *view.said["places"]])


def _age_parameters(ages: Ages) -> list[tuple[str, str]]:
    """Return a span of ages as the API takes it."""
    upper = [] if ages.age_to is None else [("age_to", str(ages.age_to))]
    return [("age_from", str(ages.age_from)), *upper]


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
    named = dict.fromkeys(source.attribution for source in made.meta.sources if source.attribution)
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
        attribution=" · ".join(named),
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
        area.geometry, points, title=title, description=described.format(n=len(points)), width=_PICTURE_PX
    )
