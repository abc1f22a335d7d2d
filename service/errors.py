"""Errors on their way out: one table of status codes, one JSON shape (problem+json, RFC 9457), German sentences."""

from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from geodata.database import QueryTimeoutError
from geodata.errors import (
    BusyError,
    ConflictError,
    DatabaseStateError,
    ForbiddenError,
    NotFoundError,
    ParameterError,
    SrkError,
    TooLargeError,
)

STATUS = {
    ParameterError: HTTPStatus.BAD_REQUEST,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    QueryTimeoutError: HTTPStatus.SERVICE_UNAVAILABLE,
    DatabaseStateError: HTTPStatus.SERVICE_UNAVAILABLE,
    BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    SrkError: HTTPStatus.BAD_REQUEST,
}

_TITLES = {
    HTTPStatus.BAD_REQUEST: "Ungültige Anfrage",
    HTTPStatus.FORBIDDEN: "Nicht erlaubt",
    HTTPStatus.NOT_FOUND: "Nicht gefunden",
    HTTPStatus.METHOD_NOT_ALLOWED: "Methode nicht erlaubt",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Anfrage zu groß",
    HTTPStatus.CONFLICT: "Mit den geladenen Daten nicht möglich",
    HTTPStatus.SERVICE_UNAVAILABLE: "Dienst nicht bereit",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Interner Fehler",
}
_DETAILS = {
    HTTPStatus.NOT_FOUND: "Diese Adresse gibt es hier nicht.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Diese Adresse nimmt die Methode nicht an.",
}
_NOT_POSSIBLE = "Die Anfrage ist nicht möglich."
_UNEXPECTED = "Ein unerwarteter Fehler ist aufgetreten; er wurde protokolliert."
# What is said of errors whatever was asked, for the catalogues of the pages.
TEXTS = (*_TITLES.values(), *_DETAILS.values(), _NOT_POSSIBLE, _UNEXPECTED)

_log = structlog.get_logger()


def problem(status: int, detail: str, *, parameter: str | None = None, allowed: tuple[str, ...] = ()) -> Response:
    """Return a problem+json response; ``detail`` is a German sentence a planner understands."""
    known = HTTPStatus(status)
    body: dict[str, object] = {
        "type": "about:blank",
        "title": _TITLES.get(known, known.phrase),
        "status": status,
        "detail": detail,
    }
    if parameter is not None:
        body["parameter"] = parameter
    if allowed:
        body["allowed"] = list(allowed)
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        headers["Connection"] = "close"  # what is still on its way is not read
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


def problem_of(error: SrkError) -> Response:
    """Return the response to an expected failure."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if isinstance(error, ParameterError):
        return problem(status, str(error), parameter=error.parameter, allowed=error.allowed)
    return problem(status, str(error))


def install(app: FastAPI) -> None:
    """Give every way to fail its response."""

    @app.exception_handler(SrkError)
    def _expected(_request: Request, error: SrkError) -> Response:
        return problem_of(error)

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1]) if first.get("loc") else None
        return problem(HTTPStatus.BAD_REQUEST, f"Der Wert von „{name}“ ist ungültig.", parameter=name)

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> Response:
        known = HTTPStatus(error.status_code)
        answer = problem(error.status_code, _DETAILS.get(known, _NOT_POSSIBLE))
        answer.headers.update(error.headers or {})  # a 405 names what is allowed
        return answer

    @app.exception_handler(Exception)
    def _unexpected(_request: Request, error: Exception) -> Response:
        _log.exception("unexpected", error=type(error).__name__)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, _UNEXPECTED)
