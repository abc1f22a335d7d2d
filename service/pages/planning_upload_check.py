"""Planning desk, "Daten": an uploaded file is checked, shown with what it would change, and taken over or discarded."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from geodata import words
from geodata.areas import LevelRow, extent, levels
from geodata.database import Access, reading
from geodata.errors import NotFoundError, ParameterError
from geodata.import_reports import State, imports
from geodata.version_preview import Preview
from service.access import COOKIE, viewer_of
from service.context import context_of
from service.pages import planning_data_tables as tables
from service.pages.frame import Content, page
from service.pages.planning_changes import changes_geojson, changes_map
from service.pages.planning_data import (
    STYLES,
    note_taken_along,
    page_number,
    posted,
    report_file,
    report_values,
    require_admin,
    token_of,
    uploads_of,
)
from service.pages.planning_upload import ADMINS, CHECK, FORM
from service.uploads.fields import KIND_TITLES
from service.uploads.stages import Outcome, Stage, Upload, opens_up

router = APIRouter(include_in_schema=False)

# How long a page waits for the end of a check before it says that it goes on.
_WAIT_S = 3.0
_PARAMETER = "aenderungen"
_TITLES = {
    Stage.WAITING: "Die Datei wird geprüft",
    Stage.CHECKING: "Die Datei wird geprüft",
    Stage.CHECKED: "Prüfbericht",
    Stage.POSTPONED: "Noch nicht geprüft",
    Stage.REFUSED: "Nicht angenommen",
    Stage.IMPORTING: "Die Datei wird übernommen",
    Stage.IMPORTED: "Übernommen",
}
_AT_WORK = {
    Stage.WAITING: "Die Datei wartet, bis eine andere fertig ist.",
    Stage.CHECKING: "Die Datei wird gelesen und geprüft. Geändert wird dabei nichts.",
    Stage.IMPORTING: "Die Datei wird übernommen. Bis das fertig ist, bleibt die bisherige Fassung sichtbar.",
}


@router.get(CHECK)
def get_check(request: Request) -> Response:
    """Serve how far the upload of this session is: at work, the check report, or done."""
    require_admin(request)
    uploads, session = uploads_of(request), request.cookies.get(COOKIE)
    upload = uploads.of(session)
    if upload is None:
        there = f"{FORM}?getan=abgelaufen" if uploads.expired(session) else FORM
        return RedirectResponse(there, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    upload.settled.wait(_WAIT_S)
    return _page(request, upload)


@router.get(f"{CHECK}/stand")
def get_stage(request: Request) -> Response:
    """Serve how far it is for the script of the page, which waits for the end of it."""
    require_admin(request)
    upload = uploads_of(request).of(request.cookies.get(COOKIE))
    if upload is not None:
        upload.settled.wait(_WAIT_S)
    stage = upload.outcome.stage if upload is not None else None
    told = {"busy": stage is not None and stage.busy, "said": _AT_WORK.get(stage) if stage is not None else None}
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


def _page(request: Request, upload: Upload, wrong: str | None = None) -> Response:
    outcome = upload.outcome

    def content(session: Session) -> Content:
        return _shown(request, session, upload, outcome, wrong)

    return page(request, "planung/daten_pruefung.html", content, section="planung", roles=ADMINS, cached=False)


def _shown(request: Request, session: Session, upload: Upload, outcome: Outcome, wrong: str | None) -> Content:
    values: dict[str, Any] = {
        "upload": upload,
        "outcome": outcome,
        "stage": outcome.stage.value,
        "busy": _AT_WORK.get(outcome.stage),
        "wrong": wrong,
        "size": _size(upload.received.size),
        "kind": KIND_TITLES[upload.wanted.kind],
        "token": token_of(request),
        "href": tables.dataset_href(upload.dataset),
        "check": None,
        "preview": None,
        "map": None,
        "again": f"{FORM}?art={upload.wanted.kind.value}&wie={upload.identity}",
    }
    maps = []
    if outcome.report is not None:
        files = {ending: f"{CHECK}/bericht.{ending}" for ending in ("json", "csv", "xlsx")}
        rehearsed = " (Probelauf, nichts geändert)" if outcome.report.dry_run else ""
        values["check"] = f"{outcome.report.taken().removesuffix('.')}{rehearsed}."
        values |= report_values(request, outcome.report.to_json(), files)
    if outcome.preview is not None and outcome.stage is Stage.CHECKED:
        found = outcome.preview
        values["preview"] = _preview_values(request, found)
        if found.shapes:
            mapped: list[LevelRow] = [row for row in levels(session) if row.mapped]
            made = changes_map(context_of(request), found, mapped, extent(session), f"{CHECK}/aenderungen.geojson")
            values["map"] = made
            maps.append(made)
    if outcome.stage is Stage.IMPORTED:
        values |= _versions(request, upload, outcome)
    scripts = ("srk-daten.js",) if outcome.stage.busy else ()
    return Content(_TITLES[outcome.stage], values, maps, scripts=scripts, styles=STYLES)


def _preview_values(request: Request, found: Preview) -> dict[str, Any]:
    table, pager = tables.differences_table(found.differences, page_number(request, _PARAMETER), _PARAMETER)
    listed = len(found.differences)
    return {
        "first": found.first,
        "opens_up": opens_up(found),
        "loosened": found.loosened,
        "counts": tables.counts_table(found.counts),
        "notes": tables.notes_lines(found.notes),
        "table": table,
        "pager": pager,
        "listed": listed,
        "all": listed + found.differences_left_out,
        "left_out": found.shapes_left_out,
    }


def _versions(request: Request, upload: Upload, outcome: Outcome) -> dict[str, Any]:
    """Return the version this upload has become and the one before, as long as the way back leads from one to other."""
    with reading(context_of(request).engine, Access(viewer_of(request))) as session:
        listed = {row.state: row for row in imports(session, upload.dataset) if row.state is not State.GONE}
    visible = listed.get(State.VISIBLE)
    still = visible is not None and visible.import_id == outcome.import_id
    return {"visible": visible if still else None, "before": listed.get(State.BEFORE) if still else None}


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


@router.get(f"{CHECK}/aenderungen.geojson")
def get_changes(request: Request) -> Response:
    """Serve what would change as GeoJSON, for the map."""
    _upload, outcome = _checked(request)
    if outcome.preview is None:
        raise NotFoundError("Zu dieser Anmeldung liegt kein Prüfbericht vor.")
    note_taken_along(request)
    return Response(
        changes_geojson(outcome.preview), headers={"Cache-Control": "private, no-store"},
        media_type="application/geo+json",
    )  # fmt: skip


@router.get(f"{CHECK}/bericht.{{ending}}")
def get_check_file(request: Request, ending: str) -> Response:
    """Serve the check report as JSON, or its rejected rows as CSV or XLSX."""
    upload, outcome = _checked(request)
    assert outcome.report is not None  # noqa: S101 - see _checked
    note_taken_along(request)
    with reading(context_of(request).engine) as session:
        return report_file(session, outcome.report.to_json(), upload.dataset, ending)


@router.post(f"{CHECK}/uebernehmen")
async def post_confirm(request: Request) -> Response:
    """Have the checked file imported."""
    fields = await posted(request)
    uploads, session = uploads_of(request), request.cookies.get(COOKIE, "")
    try:
        uploads.confirm(session, fields.get("datei", ""), opened_up=fields.get("freigabe") == "ja")
    except ParameterError as error:
        upload = uploads.of(session)
        if upload is None:
            raise
        answer = await run_in_threadpool(_page, request, upload, str(error))
        answer.status_code = HTTPStatus.BAD_REQUEST
        return answer
    return RedirectResponse(CHECK, HTTPStatus.SEE_OTHER)


@router.post(f"{CHECK}/nochmal")
async def post_again(request: Request) -> Response:
    """Have a file checked that could not be at the moment."""
    fields = await posted(request)
    uploads_of(request).check_again(request.cookies.get(COOKIE, ""), fields.get("datei", ""))
    return RedirectResponse(CHECK, HTTPStatus.SEE_OTHER)


@router.post(f"{CHECK}/verwerfen")
async def post_discard(request: Request) -> Response:
    """Let the file go; nothing has been changed."""
    fields = await posted(request)
    uploads_of(request).discard(request.cookies.get(COOKIE), fields.get("datei", ""))
    return RedirectResponse("/planung/daten?getan=verworfen", HTTPStatus.SEE_OTHER)
