"""Templates and the headers that keep a page from loading or running what is not ours."""

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from service import assets

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> bytes:  # noqa: ANN401 - what a template shows
    """Return a page as UTF-8 bytes."""
    given = {"page_css": assets.urls()["srk-page.css"], "icon": assets.urls()["srk-icon.svg"], **values}
    return _ENVIRONMENT.get_template(template).render(**given).encode()


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def content_security_policy(
    *,
    scripts: Iterable[str] = (),
    styles: Iterable[str] = (),
    tiles_url: str | None = None,
    inline_styles: bool = False,
) -> str:
    """Return the policy of a page whose only inline scripts and styles are these texts.

    Hashes rather than nonces: the page stays the same bytes, so that its ETag holds. ``tiles_url`` is the one
    third party an operator may have configured, for images only.
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
            "frame-ancestors 'none'",
        )
    )


SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
}
