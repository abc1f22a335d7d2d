"""Errors of pages: a person reads a page, not JSON. The words are those of ``service.errors``."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from geodata.errors import SrkError
from geodata.viewer import PUBLIC
from service.access import viewer_of
from service.caching import qualities
from service.pages.frame import bare_page, language_of
from service.pages.rendering import SAFE_HEADERS
from service.texts import SOURCE_LANGUAGE, texts

_Handler = Callable[[Request, Any], Response]
_log = structlog.get_logger()


def install(app: FastAPI) -> None:
    """Answer with a page instead of problem+json where a browser asked for one, outside the API."""
    for kind in (SrkError, HTTPException, RequestValidationError, Exception):
        app.exception_handlers[kind] = _with_page(app, app.exception_handlers[kind])  # type: ignore[arg-type]  # all of ours are plain functions


def _with_page(app: FastAPI, handler: _Handler) -> Callable[[Request, Any], Awaitable[Response]]:
    # Not in a thread: who logs an unexpected error does so where it is being handled.
    async def handle(request: Request, error: Any) -> Response:  # noqa: ANN401 - an exception of any kind
        if not wants_page(request):
            return handler(request, error)
        if isinstance(error, RequestValidationError) and error.errors()[0]["loc"][0] == "path":
            # An address of a page that cannot be one, such as a word where a number stands.
            return await app.exception_handlers[HTTPException](request, HTTPException(HTTPStatus.NOT_FOUND))  # type: ignore[no-any-return, misc]
        answer = handler(request, error)
        try:
            return _page(request, answer)
        except Exception as failed:  # nobody is left to say so but the answer there is
            _log.exception("error page", error=type(failed).__name__)
            return answer

    return handle


def _page(request: Request, answer: Response) -> Response:
    said = orjson.loads(bytes(answer.body))
    refused = answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    # The planning desk is German; of what is said elsewhere other languages know what is always the same.
    language = language_of(request, translated=not f"{request.scope['path']}/".startswith("/planung/"))
    known = texts(language).gettext
    detail = known(said["detail"])
    shown = {
        "detail": detail,
        "detail_language": SOURCE_LANGUAGE if detail == said["detail"] else language,
        "sign_in": refused and viewer_of(request) == PUBLIC,
    }
    page = bare_page(request, "error.html", known(said["title"]), shown, status=answer.status_code, language=language)
    for name in ("retry-after", "allow", "connection"):
        if name in answer.headers:
            page.headers[name] = answer.headers[name]
    # An unexpected error is answered outside of all middleware.
    page.headers.update(SAFE_HEADERS)
    return page


def wants_page(request: Request) -> bool:
    """Tell whether a browser waits for a page: it names HTML, and the address is none of the API's."""
    path = request.scope["path"]
    return "text/html" in qualities(request.headers.get("accept")) and not path.startswith(("/api/v1", "/static/"))
