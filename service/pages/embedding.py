"""How a provider shows the map on its own site: the frame to copy, with the choices it opens with."""

from html import escape

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from service.api import parameters as query
from service.context import context_of
from service.pages.components import Option
from service.pages.filtering import PlaceFilter, area_sentence, filter_of, form_of
from service.pages.frame import Content, address, language_of, page
from service.texts import LANGUAGES, SOURCE_LANGUAGE, texts

router = APIRouter(include_in_schema=False)

EMBEDDED = "/einbetten"
_HEIGHT_PX = 600
_LEAST_PX, _MOST_PX = 300, 2000


@router.get("/einbetten/anleitung")
def get_guide(request: Request) -> Response:
    """Serve the page with the frame to copy."""
    wanted = filter_of(request)
    language = language_of(request, translated=True)
    given = request.query_params
    inside = query.one_of("map_lang", given.get("map_lang"), tuple(LANGUAGES)) or language
    height = query.whole_number("height", given.get("height"), _LEAST_PX, _MOST_PX) or _HEIGHT_PX
    settings = context_of(request).settings
    source = (settings.public_url or str(request.base_url)).rstrip("/") + embedded_address(wanted, inside)
    origins = settings.embed_origins

    def content(session: Session) -> Content:
        said = texts(language).gettext
        values = {
            "choices": form_of(wanted, wanted.counts(session), language),
            "filter": wanted.parameters(),
            "area": area_sentence(session, wanted.area, language),
            "text": wanted.q,
            "languages": [Option(code, title, code == inside) for code, title in LANGUAGES.items()],
            "height": height,
            "least": _LEAST_PX,
            "most": _MOST_PX,
            "snippet": frame_element(source, "Sozialraumkarte", height),
            "preview": embedded_address(wanted, inside),
            "origins": () if "*" in origins else origins,
            "allowed": bool(origins),
        }
        return Content(said("Karte einbetten"), values, scripts=("srk-copy.js",))

    # The frame names the address this service was asked at: it is made for who asks.
    return page(request, "embedding.html", content, section="", translated=True, cached=False)


def embedded_address(wanted: PlaceFilter, language: str) -> str:
    """Return the address of the map for other sites with these choices."""
    pairs = [
        (name, str(one))
        for name, value in wanted.parameters().items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    return address(EMBEDDED, [*pairs, *([] if language == SOURCE_LANGUAGE else [("lang", language)])])


def frame_element(source: str, title: str, height: int) -> str:
    """Return the element that shows an address in a page, of this height in pixels and as wide as there is room."""
    return (
        f'<iframe src="{escape(source)}" title="{escape(title)}" width="100%" height="{height}" '
        'loading="lazy" referrerpolicy="no-referrer"></iframe>'
    )
