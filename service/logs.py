"""Structured logs with a request id.

Paths are logged; query values, addresses of visitors and the words of errors, which may quote either or a row of a
list, are not.
"""

import logging
import re
import sys
import time
import uuid
from collections.abc import MutableMapping
from typing import Any, TypeAlias

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geodata.discreet import discreet

Event: TypeAlias = MutableMapping[str, Any]

_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def configure(level: str) -> None:
    """Log JSON lines to stderr."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            discreet_error,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    # What others log: the server tells of every error once more, libraries of theirs.
    logging.setLogRecordFactory(_DiscreetRecord)


def discreet_error(_logger: object, _method: str, event: Event) -> Event:
    """Put the error being logged (``exc_info``) into the event as ``exception``: type and stack, not its words."""
    error = _error_of(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = discreet(error)
    return event


def _error_of(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return next((part for part in given if isinstance(part, BaseException)), None)
    return sys.exc_info()[1] if given else None


class _DiscreetRecord(logging.LogRecord):
    """A record of the standard library's logging whose error is told like those of our own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as logging calls it
        super().__init__(*args, **kwargs)
        error = _error_of(self.exc_info)
        if error is not None:
            self.exc_info, self.exc_text = None, discreet(error)


class RequestLog:
    """ASGI middleware: gives each request an id, returns it as ``X-Request-ID``, logs status and duration."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._log: Any = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given.decode() if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        status = 500
        started = time.perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, sending)
            finally:
                self._log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    duration_ms=round(1000 * (time.perf_counter() - started), 1),
                )
