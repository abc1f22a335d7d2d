"""Templates and the headers that keep a page from loading or running what is not ours."""

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from service import assets
from service.pages.wording import filters
from service.texts import LOCALE, SOURCE_LANGUAGE, texts

TEMPLATES = Path(__file__).parents[1] / "templates"


@cache
def environment(language: str) -> Environment:
    """Return the templates in a language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    known = texts(language)
    made.install_gettext_callables(known.gettext, known.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    made.policies["ext.i18n.trimmed"] = True
    made.filters |= filters(language)
    return made


def render(template: str, language: str = SOURCE_LANGUAGE, **values: Any) -> bytes:  # noqa: ANN401 - what a template shows
    """Return a page as UTF-8 bytes."""
    return environment(language).get_template(template).render(**values).encode()


@cache
def look_digest() -> str:
    """Return a hash of templates, catalogues and files of the browser: what a page looks like besides its data."""
    digest = hashlib.sha256("".join(assets.urls().values()).encode())
    for path in sorted((*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.css"), *LOCALE.rglob("*.po"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def content_security_policy(
    *,
    scripts: Iterable[str] = (),
    styles: Iterable[str] = (),
    tiles_url: str | None = None,
    inline_styles: bool = False,
    frame_ancestors: str = "'none'",
) -> str:
    """Return the policy of a page whose only inline scripts and styles are these texts.

    Hashes rather than nonces: the page stays the same bytes, so that its ETag holds. ``tiles_url`` is the one
    third party an operator may have configured, for images only. ``frame_ancestors``: who may embed the page.
    """
    images = ["'self'", "data:"]
    if tiles_url and (origin := urlsplit(tiles_url)).scheme in {"http", "https"}:
        images.append(f"{origin.scheme}://{origin.netloc.replace('{s}', '*')}")
    style = "'unsafe-inline'" if inline_styles else " ".join(_hash(text) for text in styles)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {' '.join(_hash(text) for text in scripts)}".strip(),
            f"style-src 'self' {style}".strip(),
            f"img-src {' '.join(images)}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestors}",
        )
    )


SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
}
