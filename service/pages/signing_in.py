"""Signing in by one-time link, and out again. Only there when ``serve`` listens on loopback."""

import re
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from geodata.errors import ForbiddenError
from service.access import COOKIE
from service.context import context_of
from service.pages.frame import bare_page

router = APIRouter(include_in_schema=False)

# A path with a query: "//elsewhere" and "/\\elsewhere" are other hosts, control characters are dropped by browsers.
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")


def is_local(target: str) -> bool:
    """Tell whether an address leads to a page of this service and nowhere else, whatever a browser makes of it."""
    return _LOCAL.fullmatch(target) is not None


@router.get("/anmelden")
def sign_in(request: Request, code: str = "", next: str = "/") -> Response:  # noqa: A002 - its name in the address
    """Redeem a one-time link and go to ``next``, a page of this service; without a code, ask for it."""
    context = context_of(request)
    wanted = next if is_local(next) else "/"
    if not code:
        return bare_page(request, "planung_anmelden.html", "Anmelden", {"next": None if wanted == "/" else wanted})
    token = context.sessions.redeem(code.strip())
    if token is None:
        raise ForbiddenError("Dieser Anmeldelink ist ungültig oder schon benutzt.")
    answer = RedirectResponse(wanted, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(context.sessions.lifetime_s),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/abmelden")
def sign_out(request: Request) -> Response:
    """Close the session."""
    context_of(request).sessions.close(request.cookies.get(COOKIE))
    request.app.state.srk_uploads.leave(request.cookies.get(COOKIE))
    answer = RedirectResponse("/", HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
