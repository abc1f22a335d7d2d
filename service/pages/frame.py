"""The frame all pages share: who looks, in which language, under which policy, with what around the content.

A page is one template that extends ``base.html`` and one function of a session to its ``Content``::

    @router.get("/planung/beispiel")
    def get_example(request: Request) -> Response:
        def content(session: Session) -> Content:
            answer = question(session, wanted)
            return Content("Beispiel", {"answer": answer})

        return page(request, "example.html", content, section="planung", roles=PLANNERS)

The answer is cached and carries an ETag like the API's. What came from a file is text: templates escape it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from sqlalchemy.orm import Session

from geodata import audit
from geodata.answer import read_state
from geodata.database import Access, reading
from geodata.errors import ForbiddenError
from geodata.viewer import PUBLIC, Role, Version, Viewer
from layers.canvas import MapParts
from service import assets
from service.access import viewer_of
from service.caching import canonical_request
from service.context import Context, context_of
from service.delivery import VARY, eyes, respond
from service.pages.planning_views import VIEWS
from service.pages.rendering import content_security_policy, look_digest, render
from service.settings import Settings
from service.texts import LANGUAGES, SOURCE_LANGUAGE, texts

PLANNERS = frozenset({Role.PLANNER, Role.ADMIN})
EVERYBODY = frozenset(Role)
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Content:
    """What a page shows.

    ``title``: of the page. ``values``: what the template reads. ``maps``: rendered maps, whose files and scripts the
    frame loads; the template places each with ``{{ map.body|safe }}``. ``scripts``, ``styles``: names of our own files
    for the browser. ``notice`` is the database's, shown above everything.
    """

    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    maps: Sequence[MapParts] = ()
    scripts: Sequence[str] = ()
    styles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a navigation: where it leads and whether it is where we are."""

    title: str
    href: str
    current: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What ``base.html`` shows around the content; templates read it as ``frame``."""

    title: str
    language: str
    section: str
    role: Role
    notice: str | None
    navigation: Sequence[Entry]
    languages: Sequence[Entry]
    legal: Sequence[Entry]
    urls: Mapping[str, str]
    maps: Sequence[MapParts]
    script_urls: Sequence[str]
    style_urls: Sequence[str]
    path: str
    query: Sequence[tuple[str, str]]

    @property
    def map_styles(self) -> list[str]:
        """The style sheets of all maps, once each."""
        return list(dict.fromkeys(href for one in self.maps for href in one.styles))

    @property
    def map_scripts(self) -> list[str]:
        """The scripts of all maps, once each."""
        return list(dict.fromkeys(src for one in self.maps for src in one.scripts))

    @property
    def views(self) -> list[Entry]:
        """The views of the planning desk, for its own navigation."""
        return [Entry(one.title, one.href, f"{self.path}/".startswith(f"{one.href}/")) for one in VIEWS]

    def here(self, **changes: object) -> str:
        """Return this page's address with parameters changed; None takes one out, a list gives it several times."""
        kept = [(name, value) for name, value in self.query if name not in changes]
        return address(self.path, [*kept, *_pairs(changes)])

    def link(self, path: str, **parameters: object) -> str:
        """Return the address of another page, in the same language."""
        given = {**parameters, **({} if self.language == SOURCE_LANGUAGE else {"lang": self.language})}
        return address(path, _pairs(given))

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """Return this page's parameters but for those named: a form hands them on as hidden fields."""
        return [(name, value) for name, value in self.query if name not in without]


def _pairs(given: Mapping[str, object]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in given.items():
        several = value if isinstance(value, list | tuple) else [] if value is None else [value]
        pairs += [(name, str(one)) for one in several]
    return pairs


def address(path: str, parameters: Sequence[tuple[str, str]] = ()) -> str:
    """Return an address of this service; ``path`` is as it is read, not yet encoded."""
    query = urlencode(list(parameters))
    return quote(path, safe="/:@!$,;~*'()") + (f"?{query}" if query else "")


def language_of(request: Request, *, translated: bool) -> str:
    """Return the language a page is asked for in.

    Only the address counts (``?lang=en``), so that a shared link shows the same to everybody; a page that is not
    translated is German.
    """
    given = request.query_params.get("lang", "")
    return given if translated and given in LANGUAGES else SOURCE_LANGUAGE


def page(
    request: Request,
    template: str,
    content: Callable[[Session], Content],
    *,
    section: str,
    version: Version = Version.PUBLISHED,
    roles: frozenset[Role] = EVERYBODY,
    translated: bool = False,
    cached: bool = True,
    embeddable: bool = False,
    inline_styles: bool = False,
    only: Collection[str] | None = None,
) -> Response:
    """Answer with a page.

    ``section``: which entry of the navigation is current (karte, angebote, planung, or "" for none). ``version``: what
    it shows; the Interne Fassung needs a planner and is logged. ``roles``: who may see the page at all. ``translated``:
    it can be asked for in other languages. ``cached``: False for an answer to something sent, or one that must be
    made anew. ``embeddable``: other sites may embed it; then nobody is signed in on it. ``only``: the parameters it
    knows, besides the language; all others are passed over. None: it refuses those it does not know.

    Raises ``ForbiddenError`` for other roles.
    """
    context = context_of(request)
    looking = PUBLIC if embeddable else viewer_of(request)
    if looking.role not in roles:
        raise ForbiddenError("Diese Seite ist der Jugendhilfeplanung vorbehalten; bitte anmelden.")
    seeing = PUBLIC if embeddable else eyes(request, version)
    if version is Version.INTERNAL:
        audit.record(context.engine, looking, "intern", {"request": canonical_request(request)})
    language = language_of(request, translated=translated)
    known = None if only is None else {*only, "lang"}

    def produce(session: Session) -> tuple[bytes, dict[str, str]]:
        made = content(session)
        notice = request.app.state.srk_notice = read_state(session).notice
        frame = _frame(request, context, made, section, language, looking, translated, notice, known)
        policy = content_security_policy(
            scripts=[one.script for one in made.maps],
            styles=[one.css for one in made.maps],
            tiles_url=context.settings.tiles_url if made.maps else None,
            inline_styles=inline_styles,
            frame_ancestors=_ancestors(context.settings) if embeddable else "'none'",
        )
        body = render(template, language, frame=frame, **made.values)
        return body, {"Content-Security-Policy": policy}

    private = looking != PUBLIC
    if not cached:
        access = Access(seeing, context.settings.release_level)
        with reading(context.engine, access, statement_timeout_ms=context.settings.statement_timeout_ms) as session:
            body, headers = produce(session)
        return Response(body, headers={**headers, "Cache-Control": "no-store", "Vary": VARY}, media_type=HTML)
    # The page names the role it is seen with, whoever's eyes its content is for.
    kind = f"html-{looking.role.value}-{look_digest()}"
    return respond(request, context, seeing, kind, HTML, produce, private=private, only=known)


def bare_page(
    request: Request, template: str, title: str, values: Mapping[str, Any] | None = None, *, status: int = 200,
    language: str = SOURCE_LANGUAGE,
) -> Response:  # fmt: skip
    """Answer with a page that asks the database nothing: an error, or a hint. It is not cached.

    The database's notice is the one the last page from it had.
    """
    notice = getattr(request.app.state, "srk_notice", None)
    frame = _frame(request, context_of(request), Content(title), "", language, viewer_of(request), False, notice)
    body = render(template, language, frame=frame, **(values or {}))
    headers = {"Content-Security-Policy": content_security_policy(), "Cache-Control": "no-store", "Vary": VARY}
    return Response(body, status, headers, media_type=HTML)


def _ancestors(settings: Settings) -> str:
    return " ".join(settings.embed_origins) or "'none'"


def _frame(
    request: Request, context: Context, made: Content, section: str, language: str, looking: Viewer,
    translated: bool, notice: str | None, known: Collection[str] | None = None,
) -> Frame:  # fmt: skip
    said = texts(language).gettext
    path = request.scope["path"]
    query = [pair for pair in request.query_params.multi_items() if known is None or pair[0] in known]
    others = [(name, value) for name, value in query if name != "lang"]
    suffix = "" if language == SOURCE_LANGUAGE else f"?lang={language}"
    entries = [
        Entry(said("Karte"), f"/{suffix}", section == "karte"),
        Entry(said("Angebote"), f"/angebote{suffix}", section == "angebote"),
    ]
    if looking.role in PLANNERS:
        entries.append(Entry(said("Planung"), "/planung", section == "planung"))
    switches = [
        Entry(title, address(path, [*others, *([("lang", code)] if code != SOURCE_LANGUAGE else [])]),
              code == language, code)
        for code, title in LANGUAGES.items()
    ]  # fmt: skip
    urls = assets.urls()
    settings = context.settings
    legal = [(said("Impressum"), settings.imprint_url), (said("Datenschutz"), settings.privacy_url)]
    return Frame(
        title=made.title,
        language=language,
        section=section,
        role=looking.role,
        notice=said(notice) if notice else None,
        navigation=entries,
        languages=switches if translated else (),
        legal=[Entry(title, href) for title, href in legal if href],
        urls=urls,
        maps=made.maps,
        script_urls=[urls[name] for name in made.scripts],
        style_urls=[urls[name] for name in made.styles],
        path=path,
        query=query,
    )
