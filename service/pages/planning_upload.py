"""Planning desk, "Daten": the form a file is uploaded with."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from geodata.areas import levels
from geodata.categories import TITLES
from geodata.errors import NotFoundError, ParameterError
from geodata.import_reports import ImportRow
from geodata.viewer import Role
from importers.kinds.areas import KNOWN_LEVELS
from service.access import COOKIE, viewer_of
from service.context import context_of
from service.pages.components import Option
from service.pages.frame import Content, page
from service.pages.planning_data import STYLES, require_admin, token_of, uploads_of, waiting_upload
from service.pages.planning_words import COUNTINGS, UNITS
from service.uploads.fields import KIND_TITLES, Field, Kind, fields_of
from service.uploads.options import read_form, shipped_mappings
from service.uploads.receiving import NoFileError, receive
from service.uploads.work import visible_version

router = APIRouter(include_in_schema=False)

FORM = "/planung/daten/hochladen"
CHECK = "/planung/daten/pruefung"
ADMINS = frozenset({Role.ADMIN})
_ABOUT = {
    Kind.FACILITIES: "Einrichtungen mit ihren Angeboten: eine Zeile je Angebot, mit Ort oder Anschrift.",
    Kind.AREAS: "Gebiete einer Ebene mit Schlüssel, Namen und meist Grenzen.",
    Kind.STATISTICS: "Zahlen je Gebiet und Zeitraum: Einwohner, Kennzahlen, Fälle, Ausgaben.",
    Kind.PLACEMENTS: "Unterbringungen: Anzahlen je Gebiet, Quartal und Bundesland, keine Personen.",
}


@router.get(FORM)
def get_form(request: Request) -> Response:
    """Serve the form: first the choice of what is uploaded, then its fields."""
    viewer = require_admin(request)
    kind, values = request.query_params.get("art"), {}
    upload = uploads_of(request).of(request.cookies.get(COOKIE))
    if upload is not None and request.query_params.get("wie") == upload.identity:
        kind, values = upload.wanted.kind.value, dict(upload.wanted.given)
    elif dataset := request.query_params.get("bestand"):
        # No name of a dataset holds anything but these; the database is not asked for others.
        held = visible_version(context_of(request).engine, viewer, dataset) if dataset.isprintable() else None
        if held is None or held.kind not in set(Kind):
            raise NotFoundError(f"Den Bestand „{dataset[:100]}“ gibt es hier nicht.")
        kind, values = held.kind, _known(held)
    if kind is not None and kind not in set(Kind):
        raise ParameterError("art", "Diese Art von Daten gibt es nicht.", [one.value for one in Kind])
    return _form(request, Kind(kind) if kind else None, values)


def _known(held: ImportRow) -> dict[str, str]:
    """Return what the form begins with for a dataset there is."""
    suffix = held.dataset.partition(".")[2]
    known = {
        "category": suffix if held.kind == "facilities" and suffix in TITLES else None,
        "level": suffix if held.kind == "areas" else None,
        **{one.name: getattr(held, one.name, None) for one in fields_of(Kind(held.kind)) if one.filled},
    }
    return {name: value for name, value in known.items() if value}


def _form(request: Request, kind: Kind | None, values: dict[str, str], error: ParameterError | None = None) -> Response:
    uploads = uploads_of(request)

    def content(session: Session) -> Content:
        known = {row.level: row.title for row in levels(session)}
        fields = fields_of(kind) if kind else []
        return Content(
            f"{KIND_TITLES[kind]} hochladen" if kind else "Datei hochladen",
            {
                "kind": kind.value if kind else None,
                "kinds": [(one.value, KIND_TITLES[one], _ABOUT[one]) for one in Kind],
                "about": _ABOUT[kind] if kind else "",
                "basic": [one for one in fields if one.basic],
                "more": [one for one in fields if not one.basic],
                "options": {one.name: _options(kind, one, values) for one in fields if one.choices is not None}
                if kind
                else {},
                "levels": KNOWN_LEVELS | known,
                "values": values,
                "error": str(error) if error else None,
                "wrong": error.parameter if error else None,
                "enabled": uploads.enabled,
                "most_mb": uploads.most_bytes // 1024**2,
                "token": token_of(request),
                "pending": waiting_upload(request),
                "expired": request.query_params.get("getan") == "abgelaufen",
            },
            styles=STYLES,
        )

    answer = page(request, "planung/daten_hochladen.html", content, section="planung", roles=ADMINS, cached=False)
    if error is not None:
        answer.status_code = HTTPStatus.BAD_REQUEST
    return answer


def _options(kind: Kind, field: Field, values: dict[str, str]) -> list[Option]:
    choices = list(field.choices or ())
    if field.name == "mapping":
        choices = [("", "keine: Die Spalten heißen wie im Handbuch"), *shipped_mappings(kind)]
    said = {"counting": COUNTINGS, "unit": UNITS}.get(field.name, {})
    chosen = values.get(field.name, "")
    return [Option(value, said.get(value, title) if value else title, value == chosen) for value, title in choices]


@router.post(FORM)
async def post_file(request: Request) -> Response:
    """Take a file in and have it checked."""
    # Before the first byte is read: who nobody lets in, and where nothing can be written, sends nothing.
    require_admin(request)
    uploads = uploads_of(request)
    if not uploads.enabled:
        return await run_in_threadpool(_form, request, None, {})
    session = request.cookies.get(COOKIE, "")
    folder = await run_in_threadpool(uploads.folder)
    try:
        received = await receive(request, folder, most_bytes=uploads.most_bytes, secret=uploads.secret, session=session)
    except NoFileError as error:
        given = dict(error.fields)
        return await run_in_threadpool(_form, request, _kind(given), given, error)
    given = dict(received.fields)
    try:
        kind = _kind(given)
        if kind is None:
            raise ParameterError("art", "Bitte sagen, was hochgeladen wird.", [one.value for one in Kind])
        uploads.begin(session, received, read_form(kind, given), viewer_of(request))
    except ParameterError as error:
        folder.remove(received.path)
        return await run_in_threadpool(_form, request, kind, given, error)
    except BaseException:
        folder.remove(received.path)
        raise
    return RedirectResponse(CHECK, HTTPStatus.SEE_OTHER)


def _kind(given: Mapping[str, str]) -> Kind | None:
    return Kind(given["art"]) if given.get("art") in set(Kind) else None
