"""Files of the controlling view: the report as a workbook or a PDF, as ``sozialraumkarte export`` writes it."""

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata import audit
from geodata.errors import ForbiddenError, NotFoundError, ParameterError
from geodata.viewer import Version
from service.access import viewer_of
from service.caching import canonical_request
from service.context import context_of
from service.delivery import eyes, respond
from service.formats import MEDIA_TYPES, Format
from service.pages.frame import PLANNERS
from service.pages.planning_controlling import PATH, SEVERAL, SINGLE, choice_of, wanted_of
from service.pages.planning_view import require_known

router = APIRouter(include_in_schema=False)

_MEDIA = {"xlsx": MEDIA_TYPES[Format.XLSX], "pdf": "application/pdf"}


@router.get(PATH + "/bericht.{kind}")
def get_report(request: Request, kind: str) -> Response:
    """Serve the report on the areas of the view, in the version asked for; the internal one is logged."""
    require_known(request, SINGLE, SEVERAL)
    if kind not in _MEDIA:
        raise NotFoundError("Den Bericht gibt es als XLSX und als PDF.")
    wanted, looking = wanted_of(request), viewer_of(request)
    if looking.role not in PLANNERS:
        raise ForbiddenError("Dieser Bericht ist der Jugendhilfeplanung vorbehalten; bitte anmelden.")
    context = context_of(request)
    seeing = eyes(request, wanted.version)
    if wanted.version is Version.INTERNAL:
        audit.record(context.engine, looking, "intern", {"request": canonical_request(request)})

    def produce(session: Session) -> tuple[bytes, dict[str, str]]:
        from service.exports.report import report_of  # noqa: PLC0415 - what follows is heavy, and rarely asked for

        choice = choice_of(session, wanted, context.settings.home_level)
        if not choice.areas:
            raise ParameterError("area", "Bitte Gebiete für den Bericht wählen, etwa area=bezirk:1.")
        report = report_of(session, wanted.report(choice.areas))
        if kind == "xlsx":
            from service.exports.xlsx import to_xlsx as written  # noqa: PLC0415
        else:
            from service.exports.pdf import to_pdf as written  # noqa: PLC0415
        return written(report), {}

    return respond(
        request, context, seeing, f"controlling-{kind}", _MEDIA[kind], produce,
        filename=f"controlling-{wanted.version.value}.{kind}", compress=False, private=True,
    )  # fmt: skip
