"""The public Sozialraumkarte at ``/``: a Folium map whose data is fetched as cached resources."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import Source, read_sources, read_state
from geodata.areas import LevelRow, extent, levels
from geodata.facilities import FacilitiesRequest, PlaceCounts, facilities
from geodata.viewer import Version
from layers.areas import AreaLayer
from layers.browser_assets import ASSETS
from layers.canvas import MapParts, Tiles, Wording, parts
from layers.facilities import FacilityLayer, Kept, Walking
from layers.palette import style_of
from layers.places import compact
from layers.public_map import Addresses, public_map
from service import assets
from service.access import viewer_of
from service.context import Context, context_of, today
from service.delivery import respond
from service.pages.filtering import PARAMETERS, PlaceFilter, area_sentence, filter_of, form_of
from service.pages.frame import Content, address, language_of, page
from service.settings import Settings
from service.texts import SOURCE_LANGUAGE, script_texts, texts

router = APIRouter(include_in_schema=False)

# Germany, for a service that has no areas yet.
_GERMANY = (5.9, 47.3, 15.0, 55.1)
SIMPLIFY_M = 15
_SHOWN_AT_FIRST = "stadtteil"
_LOCALES = {"de": "de-DE", "en": "en-GB"}
AREA_PAGE = "/gebiete/{level}/{key}"
AREA_LIST = "/angebote?area={level}:{key}"
PLACES_URL = "/karte/orte.json"
ADDRESSES = Addresses(
    places=PLACES_URL,
    detail="/api/v1/facilities/{dataset}/{facility_id}",
    page="/angebote/{dataset}/{facility_id}",
    list="/angebote",
    search="/api/v1/search?limit=8&q=",
)


@dataclass(frozen=True, slots=True)
class MapContent:
    """What the public map is made from; ``area``: the sentence that says what area it is narrowed to."""

    levels: list[LevelRow]
    counts: PlaceCounts
    bounds: tuple[float, float, float, float]
    sources: list[Source]
    notice: str | None
    area: str | None = None


@router.get("/")
def get_public_map(request: Request) -> Response:
    """Serve the public map. It shows what the public may see, whoever looks."""
    return _map_page(request, "public_map.html", embedded=False)


@router.get("/einbetten")
def get_embedded_map(request: Request) -> Response:
    """Serve the map for other sites' pages: nobody is signed in on it, and it sets and reads no cookie."""
    return _map_page(request, "embedded_map.html", embedded=True)


def _map_page(request: Request, template: str, *, embedded: bool) -> Response:
    context = context_of(request)
    wanted = filter_of(request)
    language = language_of(request, translated=True)

    def content(session: Session) -> Content:
        read = map_content(session, wanted, language, search=not embedded)
        return shown_map(context, read, wanted, language, search=not embedded)

    # What else stands in the address (the view, an opened place) the map's scripts read.
    return page(
        request, template, content, section="" if embedded else "karte", translated=True, embeddable=embedded,
        only=PARAMETERS,
    )  # fmt: skip


@router.get(PLACES_URL)
def get_places(request: Request) -> Response:
    """Serve the places the public may see, compact: the map filters them in the browser.

    All of them, but for an area and a search text: those the browser could not tell.
    """
    context = context_of(request)
    wanted = filter_of(request)

    def produce(session: Session) -> tuple[bytes, dict[str, str]]:
        return places_body(session, context.settings, wanted), {}

    eyes = viewer_of(request).seeing(Version.PUBLISHED)
    private = eyes.provider_key is not None
    return respond(request, context, eyes, "places", "application/json", produce, private=private, only=("area", "q"))


def places_body(session: Session, settings: Settings, wanted: PlaceFilter) -> bytes:
    """Return the places of an area or a search text, or all, as the map's resource."""
    asked = FacilitiesRequest(on=today(), area=wanted.area, q=wanted.q, limit=settings.max_rows)
    return orjson.dumps(compact(facilities(session, asked).rows))


def map_content(session: Session, wanted: PlaceFilter, language: str, *, search: bool = True) -> MapContent:
    """Read what the public map is made from; ``search``: a search is part of it, with the streets of its addresses."""
    kinds = ("areas", "facilities", *(("addresses",) if search else ()))
    inside = extent(session, wanted.area[0], [wanted.area[1]]) if wanted.area else None
    return MapContent(
        levels=[row for row in levels(session) if row.mapped],
        counts=wanted.counts(session),
        bounds=inside or extent(session) or _GERMANY,
        sources=[source for kind in kinds for source in read_sources(session, kind)],
        notice=read_state(session).notice,
        area=area_sentence(session, wanted.area, language),
    )


def shown_map(
    context: Context, content: MapContent, wanted: PlaceFilter, language: str, *, search: bool = True
) -> Content:
    """Return the map's page with its form in a language; ``search``: whether the page has a search."""
    settings = context.settings
    given = [] if language == SOURCE_LANGUAGE else [("lang", language)]
    narrowing = wanted.narrowing()
    addresses = replace(
        ADDRESSES,
        places=address(PLACES_URL, list(narrowing.items())),
        page=_with(ADDRESSES.page or "", given),
        search=ADDRESSES.search if search else "",
    )

    def layer(row: LevelRow) -> AreaLayer:
        url = f"/api/v1/areas?level={row.level}&format=geojson&simplify_m={SIMPLIFY_M}&limit={settings.max_rows}"
        return AreaLayer(row.level, "", url, page_url=_with(AREA_PAGE, given), list_url=_with(AREA_LIST, given))

    made = drawn_map(
        content,
        settings,
        language,
        addresses=addresses,
        layer=layer,
        urls=assets.urls(),
        tiles=Tiles(settings.tiles_url, settings.tiles_attribution or "") if settings.tiles_url else None,
        kept=Kept(narrowing, content.counts.places) if narrowing else None,
    )
    values = map_values(content, made, wanted, language)
    title = "Sozialraumkarte"
    return Content(title, values, [made], scripts=("srk-map-page.js", "srk-copy.js"), styles=("srk-map-page.css",))


def drawn_map(
    content: MapContent,
    settings: Settings,
    language: str,
    *,
    addresses: Addresses,
    layer: Callable[[LevelRow], AreaLayer],
    urls: Mapping[str, str],
    tiles: Tiles | None = None,
    kept: Kept | None = None,
) -> MapParts:
    """Return the rendered map; ``layer`` says where a level's areas come from."""
    said = texts(language).gettext
    shown = next((r.level for r in content.levels if r.level == _SHOWN_AT_FIRST), None)
    shown = shown or (content.levels[0].level if content.levels else None)
    drawn = public_map(
        content.bounds,
        [replace(layer(row), title=said(row.title), shown=row.level == shown) for row in content.levels],
        [
            FacilityLayer(category, said(style_of(category).title), count)
            for category, count in content.counts.by_category.items()
        ],
        addresses=addresses,
        urls=urls,
        tiles=tiles,
        attribution=attribution(content.sources, content.notice, language),
        walking=_walking(settings, language),
        label=said("Karte"),
        wording=wording(language),
        kept=kept,
    )
    return parts(drawn)


def map_values(content: MapContent, made: MapParts, wanted: PlaceFilter, language: str) -> dict[str, Any]:
    """Return what the templates of the map's page read."""
    return {
        "map": made,
        "total": content.counts.places,
        "found": content.counts.fitting,
        "sources": content.sources,
        "choices": form_of(wanted, content.counts, language),
        "filter": wanted.parameters(),
        "area": content.area,
        "text": wanted.q,
        "day": today(),
    }


def _with(pattern: str, given: list[tuple[str, str]]) -> str:
    """Return an address with placeholders in it, and parameters behind it."""
    return f"{pattern}{'&' if '?' in pattern else '?'}{urlencode(given)}" if given else pattern


def wording(language: str) -> Wording:
    """Return what the map's scripts say in a language."""
    scripts = sorted(path for name, path in ASSETS.items() if name.startswith("srk-") and name.endswith(".js"))
    return Wording(_LOCALES[language], script_texts(language, scripts))


def _walking(settings: Settings, language: str) -> Walking:
    note = texts(language).gettext("Gehzeit geschätzt: Luftlinie mal {detour}, {speed} km je Stunde.")
    detour, speed = settings.detour_factor, settings.walk_speed_km_per_h
    numbers = [words.plain(value) for value in (detour, speed)]
    if language != SOURCE_LANGUAGE:
        numbers = [f"{value:g}" for value in (detour, speed)]
    return Walking(speed * 1000 / 60, detour, note.format(detour=numbers[0], speed=numbers[1]))


def attribution(sources: Iterable[Source], notice: str | None, language: str) -> str:
    """Return who is to be named under a map, once each, with licence; the database's notice first."""
    named = dict.fromkeys(
        f"{s.attribution} ({s.licence})" if s.licence else str(s.attribution) for s in sources if s.attribution
    )
    said = texts(language).gettext(notice) if notice else None
    return " · ".join(filter(None, [said, *named]))
