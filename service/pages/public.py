"""The public Sozialraumkarte at ``/``: a Folium map whose data is fetched as cached resources."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.answer import Source, read_sources, read_state
from geodata.areas import LevelRow, extent, levels
from geodata.facilities import PlaceCounts, place_counts
from geodata.viewer import PUBLIC, Version
from layers.areas import AreaLayer
from layers.canvas import Tiles, parts
from layers.facilities import FacilityLayer
from layers.palette import STYLES
from layers.public_map import public_map
from service import assets
from service.access import viewer_of
from service.context import Context, context_of, today
from service.delivery import respond
from service.pages.rendering import content_security_policy, render

router = APIRouter(include_in_schema=False)

# Germany, for a service that has no areas yet.
_GERMANY = (5.9, 47.3, 15.0, 55.1)
_SIMPLIFY_M = 15
_SHOWN_AT_FIRST = "stadtteil"
FACILITIES_URL = "/api/v1/facilities?format=geojson&fields=dataset,facility_id,name,categories&limit={limit}"


@dataclass(frozen=True, slots=True)
class _Content:
    levels: list[LevelRow]
    counts: PlaceCounts
    bounds: tuple[float, float, float, float]
    sources: list[Source]
    notice: str | None


@router.get("/")
def get_public_map(request: Request) -> Response:
    """Serve the public map. It shows what the public may see, whoever looks."""
    context = context_of(request)
    viewer = viewer_of(request)

    def produce(session: Session) -> tuple[bytes, dict[str, str]]:
        return _page(context, _content(session), role=viewer.role.value)

    # Read with the public's eyes, but the page names the role it is seen with.
    seen = viewer.seeing(Version.PUBLISHED)
    kind = f"html-{viewer.role.value}"
    return respond(request, context, seen, kind, "text/html; charset=utf-8", produce, private=viewer != PUBLIC)


def _content(session: Session) -> _Content:
    return _Content(
        levels=[row for row in levels(session) if row.mapped],
        counts=place_counts(session, on=today()),
        bounds=extent(session) or _GERMANY,
        sources=read_sources(session, "areas") + read_sources(session, "facilities"),
        notice=read_state(session).notice,
    )


def _page(context: Context, content: _Content, *, role: str) -> tuple[bytes, dict[str, str]]:
    settings = context.settings
    shown = next((r.level for r in content.levels if r.level == _SHOWN_AT_FIRST), None)
    shown = shown or (content.levels[0].level if content.levels else None)
    drawn = public_map(
        content.bounds,
        [
            AreaLayer(
                row.level,
                row.title,
                f"/api/v1/areas?level={row.level}&format=geojson&simplify_m={_SIMPLIFY_M}&limit={settings.max_rows}",
                row.level == shown,
            )
            for row in content.levels
        ],
        [
            FacilityLayer(category, STYLES[category].title, count)
            for category, count in content.counts.by_category.items()
        ],
        facilities_url=FACILITIES_URL.format(limit=settings.max_rows),
        detail_url="/api/v1/facilities/{dataset}/{facility_id}",
        urls=assets.urls(),
        tiles=Tiles(settings.tiles_url, settings.tiles_attribution or "") if settings.tiles_url else None,
        attribution=_attribution(content),
    )
    made = parts(drawn)
    body = render(
        "public_map.html",
        parts=made,
        notice=content.notice,
        total=content.counts.places,
        sources=content.sources,
        role=role,
        table_url=f"/api/v1/facilities?format=csv&limit={settings.max_rows}",
    )
    policy = content_security_policy(scripts=[made.script], styles=[made.css], tiles_url=settings.tiles_url)
    return body, {"Content-Security-Policy": policy}


def _attribution(content: _Content) -> str:
    """Return who is to be named under the map, once each, with licence."""
    named = dict.fromkeys(
        f"{s.attribution} ({s.licence})" if s.licence else str(s.attribution) for s in content.sources if s.attribution
    )
    return " · ".join(filter(None, [content.notice, *named]))
