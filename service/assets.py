"""Files for the browser under ``/static/<hash of content>/<name>``: cached for good, compressed once."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from geodata.errors import NotFoundError
from layers.browser_assets import ASSETS as MAP_ASSETS
from service.caching import preferred_coding
from service.delivery import compressed

_OWN = Path(__file__).parent / "static"
_SWAGGER = Path(next(iter(MAP_ASSETS.values()))).parents[2] / "swagger-ui-dist"
_MEDIA = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

FILES: Mapping[str, Path] = {
    **MAP_ASSETS,
    "swagger-ui-bundle.js": _SWAGGER / "swagger-ui-bundle.js",
    "swagger-ui.css": _SWAGGER / "swagger-ui.css",
    **{path.name: path for path in sorted(_OWN.iterdir())},
}

router = APIRouter()


@cache
def _content(name: str) -> tuple[str, bytes]:
    body = FILES[name].read_bytes()
    return hashlib.sha256(body).hexdigest()[:16], body


@cache
def _coded(name: str, coding: str) -> bytes:
    return compressed(_content(name)[1], coding)


@cache
def urls() -> dict[str, str]:
    """Return where each file is served: a new content is a new URL."""
    return {name: f"/static/{_content(name)[0]}/{name}" for name in FILES}


@router.get("/static/{digest}/{name}", include_in_schema=False)
def get_asset(request: Request, digest: str, name: str) -> Response:
    """Serve one file of the browser's."""
    if name not in FILES or _content(name)[0] != digest:
        raise NotFoundError("Diese Datei gibt es hier nicht.")
    coding = preferred_coding(request.headers.get("accept-encoding"))
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return Response(_coded(name, coding), 200, headers, media_type=_MEDIA[Path(name).suffix])
