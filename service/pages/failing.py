"""Errors of pages: a person reads a page, not JSON. The words are those of ``service.errors``."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from geodata.errors import SrkError
from geodata.viewer import PUBLIC
from service.access import viewer_of
from service.caching import qualities
from service.pages.frame import bare_page

_Handler = Callable[[Request, Any], Response]


def install(app: FastAPI) -> None:
    """Answer with a page instead of problem+json where a browser asked for one, outside the API."""
    for kind in (SrkError, HTTPException):
        app.exception_handlers[kind] = _with_page(app.exception_handlers[kind])  # type: ignore[arg-type]  # all of ours are plain functions


def _with_page(handler: _Handler) -> Callable[[Request, Any], Awaitable[Response]]:
    async def handle(request: Request, error: Any) -> Response:  # noqa: ANN401 - an exception of any kind
        answer = await run_in_threadpool(handler, request, error)
        if not wants_page(request):
            return answer
        said = orjson.loads(bytes(answer.body))
        refused = answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        shown = {"detail": said["detail"], "sign_in": refused and viewer_of(request) == PUBLIC}
        page = bare_page(request, "error.html", said["title"], shown, status=answer.status_code)
        for name in ("retry-after", "allow", "connection"):
            if name in answer.headers:
                page.headers[name] = answer.headers[name]
        return page

    return handle


def wants_page(request: Request) -> bool:
    """Tell whether a browser waits for a page: it names HTML, and the address is none of the API's."""
    path = request.scope["path"]
    return "text/html" in qualities(request.headers.get("accept")) and not path.startswith(("/api/v1", "/static/"))
