"""The application: routes, pages and middleware put together around one context."""

from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from sqlalchemy import Engine
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geodata import audit
from importers.sync_kinds import Home
from service import assets, errors, health, metrics
from service.api import comparing, covering, homes, placing, reaching, routes, searching, statistics
from service.caching import APP_VERSION
from service.context import Context
from service.logs import RequestLog
from service.pages import (
    area_profile,
    embedding,
    failing,
    listing,
    planning_budget,
    planning_controlling,
    planning_controlling_files,
    planning_coverage,
    planning_data,
    planning_gaps,
    planning_indicators,
    planning_placements,
    planning_reach,
    planning_similar,
    planning_upload,
    planning_upload_check,
    planning_view,
    public,
    signing_in,
)
from service.pages.frame import Content, page
from service.pages.rendering import SAFE_HEADERS
from service.settings import Settings
from service.uploads.work import Uploads, Writing

_DESCRIPTION = """
Offene Sozialraumkarte für die Jugendhilfeplanung (§ 80 SGB VIII): Gebiete, Einrichtungen und ihre Angebote,
Kennzahlen, Versorgung und Erreichbarkeit, Unterbringungen und Controlling der Hilfen zur Erziehung.

Jede Antwort trägt in `meta` ihre Fußnoten: Methode, Einheit, Quellen mit Stand und Lizenz, fehlende Werte.
Fehlende Werte sind `null`, nie 0; kleine Fallzahlen sind unterdrückt (`null` mit `suppressed: true`).
Ohne Anmeldung ist zu sehen, was freigegeben ist.
"""


class _NoNul:
    """ASGI middleware: a path with a NUL, which no text of the database can hold, is one that is not there."""

    # What is said of it depends on who asks where: programs, browsers, the planning desk.
    _PARTS = ("/api/v1/", "/static/", "/planung/", "/")
    _NOWHERE = "\ufffd/\ufffd/\ufffd/\ufffd/\ufffd"

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if "\x00" in path:
            part = next((part for part in self._PARTS if path.startswith(part)), "/")
            scope = {**scope, "path": part + self._NOWHERE}
        await self._app(scope, receive, send)


class _SafeHeaders:
    """ASGI middleware: the headers every response carries; pages set a policy of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                # A 304 renews the headers of what the browser holds: the page's own policy stays in force.
                if message["status"] != HTTPStatus.NOT_MODIFIED:
                    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


def create_app(settings: Settings, engine: Engine, writing: Writing | None = None) -> FastAPI:
    """Return the service over one database; ``writing`` opens an engine for uploads, None: they are switched off."""
    app = FastAPI(
        title="Sozialraumkarte",
        version=APP_VERSION,
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.srk = Context.of(settings, engine)
    home = Home(settings.home_level, settings.home_state)
    app.state.srk_uploads = Uploads(
        writing, home, most_bytes=settings.upload_max_mb * 1024**2, record=partial(audit.record, engine)
    )
    errors.install(app)
    failing.install(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(assets.router)
    app.include_router(routes.router)
    app.include_router(statistics.router)
    app.include_router(covering.router)
    app.include_router(reaching.router)
    app.include_router(searching.router)
    app.include_router(comparing.router)
    app.include_router(placing.router)
    app.include_router(homes.router)
    app.include_router(public.router)
    app.include_router(listing.router)
    app.include_router(area_profile.router)
    app.include_router(embedding.router)
    app.include_router(signing_in.router)
    for view in (planning_view, planning_indicators, planning_coverage, planning_reach, planning_gaps):
        app.include_router(view.router)
    for desk in (planning_placements, planning_controlling, planning_controlling_files, planning_budget):
        app.include_router(desk.router)
    app.include_router(planning_data.router)
    app.include_router(planning_upload.router)
    app.include_router(planning_upload_check.router)
    app.include_router(planning_similar.router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's own way

    @app.get("/api/docs", include_in_schema=False)
    def api_docs(request: Request) -> Response:
        shown = Content(
            "Schnittstelle", scripts=("swagger-ui-bundle.js", "srk-api-docs.js"), styles=("swagger-ui.css",)
        )
        # Swagger UI writes style attributes; its scripts stay under the strict policy.
        return page(request, "api_docs.html", lambda _session: shown, section="", inline_styles=True)

    app.add_middleware(_SafeHeaders)
    app.add_middleware(RequestLog)
    app.add_middleware(_NoNul)
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for path in made["paths"].values():
            for operation in path.values():
                # A parameter that is wrong is a 400 here, as problem+json.
                operation["responses"].pop("422", None)
        for unused in ("HTTPValidationError", "ValidationError"):
            made.get("components", {}).get("schemas", {}).pop(unused, None)
        app.openapi_schema = made
    return app.openapi_schema
