"""The application: routes, pages and middleware put together around one context."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from sqlalchemy import Engine
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geodata.answer import read_state
from geodata.database import reading
from service import assets, errors, health, metrics
from service.api import comparing, covering, homes, placing, reaching, routes, statistics
from service.caching import APP_VERSION
from service.context import Context
from service.logs import RequestLog
from service.pages import public, signing_in
from service.pages.rendering import SAFE_HEADERS, content_security_policy, render
from service.settings import Settings

_DESCRIPTION = """
Offene Sozialraumkarte für die Jugendhilfeplanung (§ 80 SGB VIII): Gebiete, Einrichtungen und ihre Angebote,
Kennzahlen, Versorgung und Erreichbarkeit, Unterbringungen und Controlling der Hilfen zur Erziehung.

Jede Antwort trägt in `meta` ihre Fußnoten: Methode, Einheit, Quellen mit Stand und Lizenz, fehlende Werte.
Fehlende Werte sind `null`, nie 0; kleine Fallzahlen sind unterdrückt (`null` mit `suppressed: true`).
Ohne Anmeldung ist zu sehen, was freigegeben ist.
"""


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
                headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


def create_app(settings: Settings, engine: Engine) -> FastAPI:
    """Return the service over one database."""
    app = FastAPI(
        title="Sozialraumkarte",
        version=APP_VERSION,
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.srk = Context.of(settings, engine)
    errors.install(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(assets.router)
    app.include_router(routes.router)
    app.include_router(statistics.router)
    app.include_router(covering.router)
    app.include_router(reaching.router)
    app.include_router(comparing.router)
    app.include_router(placing.router)
    app.include_router(homes.router)
    app.include_router(public.router)
    app.include_router(signing_in.router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's own way

    @app.get("/api/docs", include_in_schema=False)
    def api_docs(_request: Request) -> Response:
        with reading(engine) as session:
            notice = read_state(session).notice
        page = render("api_docs.html", urls=assets.urls(), notice=notice)
        # Swagger UI writes style attributes; its scripts stay under the strict policy.
        policy = content_security_policy(inline_styles=True)
        return Response(page, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})

    app.add_middleware(_SafeHeaders)
    app.add_middleware(RequestLog)
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
