"""Planning desk, "Daten": a file is uploaded, checked, shown with what it would change, and taken over or discarded."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from geodata import audit, words
from geodata.areas import LevelRow, extent, levels
from geodata.categories import TITLES
from geodata.database import Access, reading
from geodata.errors import NotFoundError, ParameterError
from geodata.import_reports import ImportRow, State, imports
from geodata.viewer import Role, Viewer
from importers.kinds.areas import KNOWN_LEVELS
from service.access import COOKIE, viewer_of
from service.context import Context, context_of
from service.pages import planning_data_tables as tables
from service.pages.components import Option
from service.pages.frame import Content, page
from service.pages.planning_changes import changes_geojson, changes_map
from service.pages.planning_data import (
    STYLES,
    page_number,
    posted,
    report_file,
    report_values,
    require_admin,
    token_of,
    uploads_of,
    waiting_upload,
)
from service.pages.planning_words import COUNTINGS, UNITS
from service.uploads.fields import KIND_TITLES, Field, Kind, fields_of
from service.uploads.options import read_form, shipped_mappings
from service.uploads.receiving import receive
from service.uploads.work import Outcome, Stage, Upload

router = APIRouter(include_in_schema=False)

_FORM = "/planung/daten/hochladen"
_CHECK = "/planung/daten/pruefung"
# How long a page waits for the end of a check before it says that it goes on, and when the browser asks again.
_WAIT_S = 3.0
_AGAIN_S = 2
_ADMINS = frozenset({Role.ADMIN})
_ABOUT = {
    Kind.FACILITIES: "Einrichtungen mit ihren Angeboten: eine Zeile je Angebot, mit Ort oder Anschrift.",
    Kind.AREAS: "Gebiete einer Ebene mit Schlüssel, Namen und meist Grenzen.",
    Kind.STATISTICS: "Zahlen je Gebiet und Zeitraum: Einwohner, Kennzahlen, Fälle, Ausgaben.",
    Kind.PLACEMENTS: "Unterbringungen: Anzahlen je Gebiet, Quartal und Bundesland, keine Personen.",
}


def _held(context: Context, viewer: Viewer, dataset: str) -> ImportRow | None:
    with reading(context.engine, Access(viewer)) as session:
        return next((row for row in imports(session, dataset) if row.state is State.VISIBLE), None)


@router.get(_FORM)
def get_form(request: Request) -> Response:
    """Serve the form: first the choice of what is uploaded, then its fields."""
    viewer = require_admin(request)
    kind, values = request.query_params.get("art"), {}
    if dataset := request.query_params.get("bestand"):
        held = _held(context_of(request), viewer, dataset)
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
            },
            styles=STYLES,
        )

    answer = page(request, "planung/daten_hochladen.html", content, section="planung", roles=_ADMINS, cached=False)
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


@router.post(_FORM)
async def post_file(request: Request) -> Response:
    """Take a file in and have it checked."""
    # Before the first byte is read: who nobody lets in, and where nothing can be written, sends nothing.
    require_admin(request)
    uploads = uploads_of(request)
    if not uploads.enabled:
        return await run_in_threadpool(_form, request, None, {})
    session = request.cookies.get(COOKIE, "")
    folder = await run_in_threadpool(uploads.folder)
    received = await receive(request, folder, most_bytes=uploads.most_bytes, secret=uploads.secret, session=session)
    given = dict(received.fields)
    try:
        if given.get("art") not in set(Kind):
            raise ParameterError("art", "Bitte sagen, was hochgeladen wird.", [one.value for one in Kind])
        kind = Kind(given["art"])
        wanted = read_form(kind, given)
        held = await run_in_threadpool(_held, context_of(request), viewer_of(request), wanted.dataset())
        uploads.begin(session, received, wanted, held)
    except ParameterError as error:
        folder.remove(received.path)
        chosen = Kind(given["art"]) if given.get("art") in set(Kind) else None
        return await run_in_threadpool(_form, request, chosen, given, error)
    except BaseException:
        folder.remove(received.path)
        raise
    return RedirectResponse(_CHECK, HTTPStatus.SEE_OTHER)


@router.get(_CHECK)
def get_check(request: Request) -> Response:
    """Serve how far the upload of this session is: at work, the check report, or done."""
    require_admin(request)
    upload = uploads_of(request).of(request.cookies.get(COOKIE))
    if upload is None:
        return RedirectResponse(_FORM, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    upload.settled.wait(_WAIT_S)
    outcome = upload.outcome

    def content(session: Session) -> Content:
        return _shown(request, session, upload, outcome)

    answer = page(request, "planung/daten_pruefung.html", content, section="planung", roles=_ADMINS, cached=False)
    if outcome.stage.busy:
        # The browser's own way to look again; nothing else on the page could be lost by it.
        answer.headers["Refresh"] = str(_AGAIN_S)
    return answer


def _shown(request: Request, session: Session, upload: Upload, outcome: Outcome) -> Content:
    values: dict[str, Any] = {
        "upload": upload,
        "outcome": outcome,
        "stage": outcome.stage.value,
        "size": _size(upload.received.size),
        "kind": KIND_TITLES[upload.wanted.kind],
        "token": token_of(request),
        "href": tables.dataset_href(upload.dataset),
        "check": None,
        "preview": None,
        "map": None,
        "visible": None,
        "again": f"{_FORM}?art={upload.wanted.kind.value}",
    }
    maps = []
    if outcome.report is not None:
        files = {ending: f"{_CHECK}/bericht.{ending}" for ending in ("json", "csv", "xlsx")}
        values["check"] = outcome.report.headline()
        values |= report_values(request, outcome.report.to_json(), files)
    if outcome.preview is not None and outcome.stage is Stage.CHECKED:
        found = outcome.preview
        table, pager = tables.differences_table(found.differences, page_number(request, "aenderungen"), "aenderungen")
        values["preview"] = {
            "first": found.first,
            "counts": tables.counts_table(found.counts),
            "notes": tables.notes_lines(found.notes),
            "table": table,
            "pager": pager,
            "left_out": found.shapes_left_out,
        }
        if found.shapes:
            mapped: list[LevelRow] = [row for row in levels(session) if row.mapped]
            made = changes_map(context_of(request), found, mapped, extent(session), f"{_CHECK}/aenderungen.geojson")
            values["map"] = made
            maps.append(made)
    if outcome.stage is Stage.IMPORTED:
        held = _held(context_of(request), viewer_of(request), upload.dataset)
        values["visible"] = held if outcome.preview is not None and not outcome.preview.first else None
    titles = {Stage.IMPORTED: "Übernommen", Stage.CHECKED: "Prüfbericht", Stage.REFUSED: "Nicht angenommen"}
    return Content(titles.get(outcome.stage, "Die Datei wird geprüft"), values, maps, styles=STYLES)


def _size(size: int) -> str:
    if size < 1024**2:
        return f"{words.number(max(size / 1024, 1))} KB"
    return f"{words.number(size / 1024**2, 1)} MB"


def _checked(request: Request) -> tuple[Upload, Outcome]:
    require_admin(request)
    upload = uploads_of(request).of(request.cookies.get(COOKIE))
    if upload is None or upload.outcome.report is None:
        raise NotFoundError("Zu dieser Anmeldung liegt kein Prüfbericht vor.")
    return upload, upload.outcome


@router.get(f"{_CHECK}/aenderungen.geojson")
def get_changes(request: Request) -> Response:
    """Serve what would change as GeoJSON, for the map."""
    _upload, outcome = _checked(request)
    if outcome.preview is None:
        raise NotFoundError("Zu dieser Anmeldung liegt kein Prüfbericht vor.")
    return Response(
        changes_geojson(outcome.preview), headers={"Cache-Control": "private, no-store"},
        media_type="application/geo+json",
    )  # fmt: skip


@router.get(f"{_CHECK}/bericht.{{ending}}")
def get_check_file(request: Request, ending: str) -> Response:
    """Serve the check report as JSON, or its rejected rows as CSV or XLSX."""
    upload, outcome = _checked(request)
    assert outcome.report is not None  # noqa: S101 - see _checked
    with reading(context_of(request).engine) as session:
        return report_file(session, outcome.report.to_json(), upload.dataset, ending)


@router.post(f"{_CHECK}/uebernehmen")
async def post_confirm(request: Request) -> Response:
    """Have the checked file imported."""
    fields = await posted(request)
    upload = uploads_of(request).confirm(request.cookies.get(COOKIE, ""), fields.get("datei", ""))
    detail = {"dataset": upload.dataset, "file": upload.received.name, "checksum": upload.received.checksum}
    await run_in_threadpool(audit.record, context_of(request).engine, viewer_of(request), "upload", detail)
    return RedirectResponse(_CHECK, HTTPStatus.SEE_OTHER)


@router.post(f"{_CHECK}/verwerfen")
async def post_discard(request: Request) -> Response:
    """Let the file go; nothing has been changed."""
    fields = await posted(request)
    uploads_of(request).discard(request.cookies.get(COOKIE), fields.get("datei", ""))
    return RedirectResponse("/planung/daten?getan=verworfen", HTTPStatus.SEE_OTHER)
