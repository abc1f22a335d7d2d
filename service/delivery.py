"""From a question to a response: one transaction, one key for ETag and cache, then format and compression."""

import gzip
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import brotli
from fastapi import Request, Response
from sqlalchemy.orm import Session

from geodata import audit
from geodata.answer import Meta, read_state
from geodata.database import Access, reading
from geodata.errors import ForbiddenError, ParameterError
from geodata.viewer import Version, Viewer
from service.access import viewer_of
from service.caching import cache_key, canonical_request, matches, preferred_coding, qualities
from service.context import Context, context_of, today
from service.formats import MEDIA_TYPES, Format

VARY = "Accept, Accept-Encoding, Authorization, Cookie"
_UNCOMPRESSIBLE = {Format.XLSX, Format.GPKG}


class _Noted(Protocol):
    @property
    def meta(self) -> Meta: ...


Answered = TypeVar("Answered", bound=_Noted)


@dataclass(frozen=True, slots=True)
class Asked:
    """What every question of the API asks besides its own parameters."""

    format: Format
    version: Version


def eyes(request: Request, version: Version) -> Viewer:
    """Return whose eyes an answer is made for; raise ``ForbiddenError`` where the version is not for this role."""
    viewer = viewer_of(request)
    if version is Version.INTERNAL and not viewer.may_read_internal():
        raise ForbiddenError("Die Interne Fassung ist der Jugendhilfeplanung vorbehalten; bitte anmelden.")
    return viewer.seeing(version)


def deliver(
    request: Request,
    asked: Asked,
    name: str,
    question: Callable[[Session], Answered],
    render: Callable[[Answered, Format], bytes],
    body: bytes = b"",
) -> Response:
    """Answer a question of the API.

    State, ETag and rows come from one REPEATABLE READ transaction. ``name`` is the file name of a download, ``body``
    what was sent with the question.
    """
    context = context_of(request)
    viewer = eyes(request, asked.version)
    if asked.version is Version.INTERNAL:
        audit.record(context.engine, viewer, "intern", {"request": canonical_request(request, body)})

    def produce(session: Session) -> tuple[bytes, dict[str, str]]:
        answer = question(session)
        rendered = render(answer, asked.format)
        # Only now: rendering makes the cursor opaque.
        return rendered, _link(request, answer.meta.next)

    return respond(
        request, context, viewer, asked.format.value, MEDIA_TYPES[asked.format], produce,
        filename=f"{name}.{asked.format.value}" if asked.format not in {Format.JSON, Format.GEOJSON} else None,
        compress=asked.format not in _UNCOMPRESSIBLE,
        private=asked.version is Version.INTERNAL or viewer.provider_key is not None,
        body=body,
    )  # fmt: skip


def respond(
    request: Request,
    context: Context,
    viewer: Viewer,
    format_name: str,
    media_type: str,
    produce: Callable[[Session], tuple[bytes | Callable[[], bytes], dict[str, str]]],
    *,
    filename: str | None = None,
    compress: bool = True,
    private: bool = False,
    body: bytes = b"",
    only: Collection[str] | None = None,
) -> Response:
    """Answer with what ``produce`` makes (body, headers), or 304, or the same bytes as before from the cache.

    A body may be a function that makes it: it is called when the transaction has ended, so that slow work holds no
    connection. ``only``: the parameters the answer depends on; None means all.
    """
    settings = context.settings
    coding = preferred_coding(request.headers.get("accept-encoding")) if compress else "identity"
    access = Access(viewer, settings.release_level)
    with reading(context.engine, access, statement_timeout_ms=settings.statement_timeout_ms) as session:
        key = cache_key(
            read_state(session),
            viewer=viewer,
            request=canonical_request(request, body, only),
            format_name=format_name,
            settings_digest=settings.digest(),
            today=today(),
        )
        headers = {
            "ETag": f'"{key}"' if coding == "identity" else f'"{key}-{coding}"',
            "Cache-Control": "private, no-cache" if private else "public, no-cache",
            "Vary": VARY,
        }
        if matches(request.headers.get("if-none-match"), key):
            return Response(None, 304, headers)
        held = context.cache.get(key, coding)
        made = None if held is not None else produce(session)
    if held is not None:
        content, kept = _unpacked(held)
    elif made is not None:
        whole, kept = made
        content = compressed(whole() if callable(whole) else whole, coding)
        context.cache.put(key, coding, _packed(content, kept))
    headers |= kept
    if coding != "identity":
        headers["Content-Encoding"] = coding
    if filename is not None:
        headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return Response(content, 200, headers, media_type=media_type)


def compressed(body: bytes, coding: str) -> bytes:
    """Return the body in a content coding; brotli 5 and gzip 6 are quick and near their best."""
    if coding == "br":
        return bytes(brotli.compress(body, quality=5))
    return gzip.compress(body, 6, mtime=0) if coding == "gzip" else body


def _packed(body: bytes, headers: Mapping[str, str]) -> bytes:
    head = "\n".join(f"{name}: {value}" for name, value in headers.items()).encode()
    return len(head).to_bytes(4, "big") + head + body


def _unpacked(held: bytes) -> tuple[bytes, dict[str, str]]:
    size = int.from_bytes(held[:4], "big")
    lines = held[4 : 4 + size].decode().splitlines()
    return held[4 + size :], dict(line.split(": ", 1) for line in lines)


def _link(request: Request, cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    following = request.url.include_query_params(cursor=cursor)
    return {"Link": f'<{following.path}?{following.query}>; rel="next"'}


def format_of(request: Request, given: str | None, offered: tuple[Format, ...]) -> Format:
    """Return the format asked for by ``format=`` or else by ``Accept``; JSON where neither says."""
    if given is not None:
        if given not in {f.value for f in offered}:
            allowed = [f.value for f in offered]
            raise ParameterError(
                "format", f"Das Format „{given[:60]}“ gibt es hier nicht. Möglich sind: {', '.join(allowed)}.", allowed
            )
        return Format(given)
    accepted = qualities(request.headers.get("accept"))
    by_media = {MEDIA_TYPES[f].split(";")[0]: f for f in offered}
    # The first of the best: sorting keeps the client's order among equals.
    wanted = sorted((media for media in accepted if accepted[media] > 0), key=lambda media: -accepted[media])
    return next((by_media[media] for media in wanted if media in by_media), offered[0])
