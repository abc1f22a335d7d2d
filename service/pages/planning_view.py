"""What the views of the planning desk share: navigation, version, parameters, what can be taken along.

A view is a template that extends ``planung/ansicht.html`` and one function of a session to its ``Content``::

    @router.get("/planung/kennzahlen")
    def get_indicators(request: Request) -> Response:
        require_known(request, PARAMETERS)
        return view_page(request, "kennzahlen", content)
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.errors import ParameterError
from geodata.viewer import Version
from service.api import parameters as query
from service.pages.components import Download, Option
from service.pages.frame import PLANNERS, Content, address, page
from service.pages.planning_views import VIEWS, view_of

router = APIRouter(include_in_schema=False)

STYLE = "srk-planung.css"
Pairs: TypeAlias = Sequence[tuple[str, str]]
"""The parameters of an address, in order."""
_FORMATS = {"csv": "CSV", "xlsx": "Excel (XLSX)", "geojson": "GeoJSON", "gpkg": "GeoPackage"}
_NOTHING: tuple[object, ...] = (None, "", (), [])
MAPPED = tuple(_FORMATS)


@router.get("/planung")
def get_start(request: Request) -> Response:
    """Serve the start of the planning desk: its views, each with its question."""
    require_known(request, ())

    def content(_session: Session) -> Content:
        return Content("Planung", {"cards": VIEWS}, styles=[STYLE])

    return page(request, "planung/start.html", content, section="planung", roles=PLANNERS)


def view_page(
    request: Request, slug: str, content: Callable[[Session], Content], *, template: str | None = None
) -> Response:
    """Answer with a view of the planning desk, ``planung/<slug>.html`` unless another template is named.

    The template also reads ``view``, ``version`` and ``internal``. The Interne Fassung is for planners and logged.
    A content whose values have ``asked_again`` (see ``filled_in``) is copied as an address that shows the same numbers
    when there are newer ones.
    """
    view = view_of(slug)
    version = version_of(request)

    def framed(session: Session) -> Content:
        made = content(session)
        values = {"view": view, "version": version, "internal": version is Version.INTERNAL, **made.values}
        again = made.values.get("asked_again")
        values["address"] = None if again is None else address(request.scope["path"], again)
        return replace(made, values=values, styles=[STYLE, *made.styles])

    return page(
        request,
        template or f"planung/{slug}.html",
        framed,
        section="planung",
        roles=PLANNERS,
        version=version,
    )


def version_of(request: Request) -> Version:
    """Return the version a page is asked for in; the Veröffentlichungsfassung where none is named."""
    return query.version_query(request.query_params.get("version"))


def require_known(request: Request, single: Collection[str], several: Collection[str] = ()) -> None:
    """Refuse a parameter the view does not know, or one given twice that may be given once only.

    ``version`` is always known. A misspelt parameter would show a wrong number silently.
    """
    known = sorted({*single, *several, "version"})
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in known:
            said = query.short(name.replace("\x00", ""))
            raise ParameterError(
                said, f"Den Parameter „{said}“ gibt es hier nicht. Möglich: {', '.join(known)}.", known
            )
        if name in seen and name not in several:
            raise ParameterError(name, f"„{name}“ ist mehrmals angegeben.")
        if "\x00" in value or len(value) > query.MAX_VALUE_CHARS:
            raise ParameterError(name, f"Der Wert von „{name}“ ist zu lang oder enthält ein Nullzeichen.")
        seen.add(name)


def given(request: Request, name: str) -> str | None:
    """Return a parameter's value; None where it is not given or empty (a form sends empty fields too)."""
    return request.query_params.get(name) or None


def given_several(request: Request, name: str) -> tuple[str, ...]:
    """Return all values of a parameter, given several times (as a form does) or with commas, each once."""
    return tuple(dict.fromkeys(one for value in request.query_params.getlist(name) for one in query.listed(value)))


def options(titles: Mapping[str, str], chosen: str | Collection[str] | None) -> list[Option]:
    """Return the choices of a form, by value and title."""
    marked = {chosen} if isinstance(chosen, str) else set(chosen or ())
    return [Option(value, title, value in marked) for value, title in titles.items()]


def api_files(
    path: str, parameters: Mapping[str, object], version: Version, *, limit: int | None, formats: Sequence[str] = MAPPED
) -> list[Download]:
    """Return the files of exactly what is shown: the API's answer to the same question.

    ``parameters`` that are None or empty are left out, sequences are joined by commas. ``limit``: the settings'
    ``max_rows``, so that nothing is cut off; None for an answer that is not paged.
    """
    pairs = [(name, _text(value)) for name, value in parameters.items() if value not in _NOTHING]
    if version is Version.INTERNAL:
        pairs.append(("version", version.value))
    if limit is not None:
        pairs.append(("limit", str(limit)))
    return [Download(_FORMATS[code], address(f"/api/v1/{path}", [*pairs, ("format", code)])) for code in formats]


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def filled_in(request: Request, filled: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the parameters of the view with what was left open filled in: they ask for the same whatever is loaded.

    ``filled``: the values by name; one that is None or empty is left out, sequences are joined by commas.
    """
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in filled and value]
    return [*((name, _text(value)) for name, value in filled.items() if value not in _NOTHING), *kept]


def pairs_of(request: Request, asked: Pairs | None) -> Pairs:
    """Return the parameters a view was resolved to; None: those it was given."""
    return request.query_params.multi_items() if asked is None else asked


def map_files(request: Request, asked: Pairs | None = None) -> list[Download]:
    """Return the pictures of the map shown: of the same parameters, from the same classes.

    ``asked``: the parameters filled in; None: as they were given.
    """
    return [
        Download(title, address(f"{request.scope['path']}/karte.{kind}", pairs_of(request, asked)))
        for kind, title in (("svg", "Karte als SVG"), ("png", "Karte als PNG"))
    ]
