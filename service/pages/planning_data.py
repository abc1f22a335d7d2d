"""Planning desk, "Daten": which data there is, how its imports went, its versions and the way back."""

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from geodata import audit
from geodata.answer import footnotes
from geodata.database import Access, lock_writers, reading, writing
from geodata.datasets import datasets, never_loaded
from geodata.errors import ConflictError, ForbiddenError, NotFoundError, ParameterError
from geodata.import_reports import ImportRow, State, import_report, imports
from geodata.periods import spoken
from geodata.versions import OrphansError, OtherVersionError, rollback
from geodata.viewer import Role, Version, Viewer
from importers.report import Severity
from service.access import COOKIE, viewer_of
from service.caching import canonical_request
from service.context import context_of, today
from service.formats import MEDIA_TYPES, Format, to_csv, to_xlsx
from service.pages import planning_data_tables as tables
from service.pages import planning_data_words as words
from service.pages.frame import PLANNERS, Content, page
from service.pages.planning_words import COUNTINGS, UNITS
from service.uploads.fields import KIND_TITLES, Kind
from service.uploads.receiving import GUARD_FIELD, form_token, require_token
from service.uploads.stages import Upload
from service.uploads.work import Uploads, visible_version

router = APIRouter(include_in_schema=False)

STYLES = ("srk-planung.css", "srk-daten.css")
_REPORT_FIELDS = 20
_FIELD_BYTES = 4096
_PAGE_DIGITS, _ID_DIGITS = 7, 18


def uploads_of(request: Request) -> Uploads:
    """Return the uploads of the service that got this request."""
    found: Uploads = request.app.state.srk_uploads
    return found


def waiting_upload(request: Request) -> Upload | None:
    """Return the upload of this session that still waits for a decision."""
    found = uploads_of(request).of(request.cookies.get(COOKIE))
    return found if found is not None and (found.outcome.stage.busy or found.outcome.stage.kept) else None


def token_of(request: Request) -> str:
    """Return what a form on this page carries."""
    return form_token(uploads_of(request).secret, request.cookies.get(COOKIE, ""))


def require_admin(request: Request) -> Viewer:
    """Return the viewer if it is an administrator; raise ``ForbiddenError`` otherwise."""
    viewer = viewer_of(request)
    if viewer.role is not Role.ADMIN:
        raise ForbiddenError("Daten hochladen und zurücknehmen darf nur die Verwaltung; bitte als Verwaltung anmelden.")
    return viewer


async def posted(request: Request) -> dict[str, str]:
    """Return the fields of a small form an administrator of this session has sent.

    Raises ``ForbiddenError`` for anybody else, and for a form that was not made for the session.
    """
    require_admin(request)
    async with request.form(max_files=0, max_fields=_REPORT_FIELDS, max_part_size=_FIELD_BYTES) as form:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    require_token(uploads_of(request).secret, request.cookies.get(COOKIE), fields.get(GUARD_FIELD))
    return fields


def page_number(request: Request, parameter: str) -> int:
    """Return which page of a long table is asked for, from 1; raise ``ParameterError`` for what is no number."""
    given = request.query_params.get(parameter, "1")
    if not given.isdecimal() or len(given) > _PAGE_DIGITS or int(given) < 1:
        raise ParameterError(parameter, "Die Seite einer Tabelle ist eine Zahl ab 1.")
    return int(given)


@router.get("/planung/daten")
def get_datasets(request: Request) -> Response:
    """Serve the table of all datasets."""
    admin = viewer_of(request).role is Role.ADMIN

    def content(session: Session) -> Content:
        rows, never = datasets(session, on=today(), version=Version.INTERNAL).rows, never_loaded(session)
        return Content(
            "Daten",
            {
                "table": tables.datasets_table(rows, never),
                "count": len(rows),
                "failed": [row.title for row in rows if row.failed_at],
                "never": [one.dataset for one in never],
                "discarded": request.query_params.get("getan") == "verworfen",
                "admin": admin,
                "enabled": uploads_of(request).enabled,
                "pending": waiting_upload(request),
            },
            styles=STYLES,
        )

    return page(
        request,
        "planung/daten.html",
        content,
        section="planung",
        roles=PLANNERS,
        version=Version.INTERNAL,
        cached=False,
    )


@router.get("/planung/daten/bestand/{name}")
def get_dataset(request: Request, name: str) -> Response:
    """Serve one dataset with its versions and imports."""

    def content(session: Session) -> Content:
        listed = imports(session, name)
        if not listed:
            raise NotFoundError(f"Den Bestand „{name[:100]}“ gibt es nicht.")
        visible = next((row for row in listed if row.state is State.VISIBLE), listed[0])
        before = next((row for row in listed if row.state is State.BEFORE), None)
        may = viewer_of(request).role is Role.ADMIN and uploads_of(request).enabled
        return Content(
            visible.title,
            {
                "row": visible,
                "kind": KIND_TITLES[visible.kind],
                "facts": _facts(visible),
                "before": before,
                "moment": words.moment,
                "table": tables.imports_table(listed),
                "may_change": may,
                "may_upload": may and visible.kind in set(Kind),
                "token": token_of(request),
                "done": request.query_params.get("wieder") == str(visible.import_id),
            },
            styles=STYLES,
        )

    return page(
        request, "planung/daten_bestand.html", content, section="planung", roles=PLANNERS, version=Version.INTERNAL,
        cached=False,
    )  # fmt: skip


def _facts(row: ImportRow) -> list[tuple[str, str]]:
    stand = f"{row.as_of:%d.%m.%Y}" if row.as_of else "nicht angegeben"
    facts = [
        ("Stand", stand), ("Lizenz", row.licence or "nicht angegeben"),
        ("Quellenangabe", row.attribution or "nicht angegeben"), ("Importiert am", words.moment(row.imported_at)),
        ("Datei oder Adresse", row.source), ("Prüfsumme (SHA-256)", row.checksum),
    ]  # fmt: skip
    figures = row.kind in {Kind.STATISTICS, Kind.PLACEMENTS}
    more = [
        ("Zählweise", COUNTINGS.get(row.counting, row.counting) if row.counting else None),
        ("Einheit", UNITS.get(row.unit, row.unit) if row.unit else None),
        ("Umfang", row.scope),
        ("Zeitraum der Einwohnerzahlen", spoken(row.population_period) if row.population_period else None),
        # Of offers each has its own.
        (
            "Freigabe",
            words.FIGURE_RELEASES.get(row.release) if figures else None,
        ),
    ]
    return facts + [(label, value) for label, value in more if value]


@router.get("/planung/daten/bericht/{import_id}.{ending}")
def get_report_file(request: Request, import_id: int, ending: str) -> Response:
    """Serve the report as JSON, or its rejected rows as CSV or XLSX."""
    context, viewer = context_of(request), viewer_of(request)
    if viewer.role not in PLANNERS:
        raise ForbiddenError("Importberichte sind der Jugendhilfeplanung vorbehalten; bitte anmelden.")
    note_taken_along(request)
    with reading(context.engine, Access(viewer, context.settings.release_level)) as session:
        row, report = import_report(session, import_id)
        return report_file(session, report, row.dataset, ending)


def note_taken_along(request: Request) -> None:
    """Write down that somebody takes along what is marked Interne Fassung."""
    detail = {"request": canonical_request(request)}
    audit.record(context_of(request).engine, viewer_of(request), "intern", detail)


@router.get("/planung/daten/bericht/{import_id}")
def get_report(request: Request, import_id: int) -> Response:
    """Serve the report of an import."""

    def content(session: Session) -> Content:
        row, report = import_report(session, import_id)
        files = [(ending, tables.report_href(import_id, f".{ending}")) for ending in ("json", "csv", "xlsx")]
        return Content(
            f"Bericht: {row.title}",
            {"row": row, "moment": words.moment, "href": tables.dataset_href(row.dataset),
             **report_values(request, report, dict(files))},
            styles=STYLES,
        )  # fmt: skip

    return page(
        request, "planung/daten_bericht.html", content, section="planung", roles=PLANNERS, version=Version.INTERNAL,
        cached=False,
    )  # fmt: skip


def report_values(request: Request, report: Any, files: dict[str, str]) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return what ``planung/daten_befunde.html`` shows of a report. ``files``: where it is as JSON, CSV and XLSX.

    A report without findings is one whose findings this viewer may not see: the page says who does.
    """
    shown = {}
    for severity, caption, parameter in (
        (Severity.REJECT, "Zurückgewiesene Zeilen", "zurueckgewiesen"),
        (Severity.WARNING, "Warnungen", "warnungen"),
        (Severity.INFO, "Hinweise", "hinweise"),
    ):
        found = tables.findings_of(report, severity)
        if found:
            table, pager = tables.findings_table(caption, found, page_number(request, parameter), parameter)
            shown[severity.value] = {"table": table, "pager": pager, "cut": tables.cut_short(report, severity)}
    told = "findings" in report
    rejects = told and report.get("rows_rejected", 0) > 0
    return {
        "told": told,
        "findings": shown,
        "reasons": tables.reasons(report),
        "counts": list(report.get("counts", {}).items()),
        "report_json": files["json"],
        "reject_files": [("CSV", files["csv"]), ("Excel", files["xlsx"])] if rejects else [],
    }


def report_file(session: Session, report: Any, dataset: str, ending: str) -> Response:  # noqa: ANN401 - JSON
    """Return a report as a file; raise ``NotFoundError`` for other endings than json, csv and xlsx.

    Raises ``ForbiddenError`` for the rejected rows of a report whose findings this viewer may not see.
    """
    name = f"{dataset}-{'bericht' if ending == 'json' else 'zurueckgewiesen'}.{ending}"
    if ending == "json":
        body, media = orjson.dumps(report, option=orjson.OPT_INDENT_2), MEDIA_TYPES[Format.JSON]
    elif ending in {"csv", "xlsx"}:
        if "findings" not in report:
            raise ForbiddenError("Die einzelnen Befunde eines Imports sieht die Verwaltung.")
        meta = footnotes(
            session, title=f"Zurückgewiesene Zeilen: {dataset}", unit="Zeilen", version=Version.INTERNAL, sources=[],
            missing=0, method=f"Nicht übernommene Zeilen der Datei „{report.get('source', '')}“, mit dem Grund.",
            warnings=[cut] if (cut := tables.cut_short(report, Severity.REJECT)) else [],
        )  # fmt: skip
        table = tables.rejects_file(report, meta)
        body = to_csv(table) if ending == "csv" else to_xlsx(table)
        media = MEDIA_TYPES[Format(ending)]
    else:
        raise NotFoundError("Diese Datei gibt es hier nicht.")
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, headers=headers, media_type=media)


@router.post("/planung/daten/bestand/{name}/zurueck")
async def post_rollback(request: Request, name: str) -> Response:
    """Make the version before visible again."""
    fields = await posted(request)
    visible = await run_in_threadpool(_roll_back, request, name, fields)
    return RedirectResponse(f"{tables.dataset_href(name)}?wieder={visible}", HTTPStatus.SEE_OTHER)


def _roll_back(request: Request, name: str, fields: dict[str, str]) -> int:
    """Return the import that is visible now."""
    context, viewer = context_of(request), viewer_of(request)
    given = [fields.get(field, "") for field in ("fassung", "davor")]
    if not all(one.isdecimal() and len(one) <= _ID_DIGITS for one in given):
        raise ParameterError("fassung", "Das Formular ist unvollständig; bitte die Seite neu laden.")
    seen, before = map(int, given)
    try:
        with uploads_of(request).writing() as engine, writing(engine) as session:
            lock_writers(session)
            done = rollback(session, name, allow_orphans="allow_orphans" in fields, visible=seen)
    except OtherVersionError:
        # A second click, or somebody else's: what was asked for is so already.
        held = visible_version(context.engine, viewer, name)
        if held is not None and held.import_id == before:
            return before
        raise
    except OrphansError as error:
        sentence = str(error).replace(
            "Mit --allow-orphans geschieht", "Mit einem Haken bei „Auch wenn Gebiete entfallen …“ geschieht"
        )
        raise ConflictError(sentence) from error
    audit.record(context.engine, viewer, "rollback", {"dataset": name, "import_id": done.import_id})
    return done.import_id
