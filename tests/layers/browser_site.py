"""A tiny service on loopback for the browser test, under the content security policy the real one sends."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from browser_data import AREAS, BAD_LINK, DETAIL, FEW, HOSTILE

from layers.areas import AreaLayer
from layers.browser_assets import ASSETS, media_type
from layers.canvas import parts
from layers.facilities import FacilityLayer
from layers.palette import STYLES
from layers.public_map import public_map


class Site:
    """What the fake service answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: set[str] = set()
        self.places = FEW

    def page(self) -> str:
        rendered = parts(
            public_map(
                (9.73, 53.39, 10.33, 53.74),
                [
                    AreaLayer("bezirk", "Bezirke", "/flaechen/bezirk"),
                    AreaLayer("stadtteil", "Stadtteile", "/flaechen/stadtteil", page_url="/gebiete/{level}/{key}"),
                ],
                [FacilityLayer(c, s.title, sum(c in f["properties"]["categories"] for f in self.places))
                 for c, s in STYLES.items()],
                facilities_url="/orte",
                detail_url="/orte/{dataset}/{facility_id}",
                urls={name: f"/static/abc/{name}" for name in ASSETS},
                tiles=None,
                attribution="Freie und Hansestadt Hamburg, dl-de/by-2-0 " + HOSTILE,
            )
        )  # fmt: skip
        links = "".join(f'<link rel="stylesheet" href="{escape(url)}">' for url in rendered.styles)
        scripts = "".join(f'<script src="{escape(url)}"></script>' for url in rendered.scripts)
        return (
            '<!doctype html><html lang="de"><meta charset="utf-8"><title>Karte</title><link rel="icon" href="data:,">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{links}'
            "<style nonce=n>body{margin:0;font-family:system-ui,sans-serif}main{height:100vh}"
            f"{rendered.css}</style><main>{rendered.body}</main>{scripts}<script nonce=n>{rendered.script}</script>"
        )

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if path in self.broken:
            return 503, "text/plain", b"down"
        if path == "/":
            return 200, "text/html; charset=utf-8", self.page().encode()
        if path.startswith("/static/abc/"):
            name = path.removeprefix("/static/abc/")
            return 200, media_type(name), ASSETS[name].read_bytes()
        known: dict[str, Any] = {
            "/orte": {"type": "FeatureCollection", "features": self.places},
            "/orte/d%2F1/f%201": {"rows": [DETAIL]},
            "/orte/d%2F1/f%202": {"rows": [BAD_LINK]},
            "/flaechen/stadtteil": {"type": "FeatureCollection", "features": AREAS},
            "/flaechen/bezirk": {"type": "FeatureCollection", "features": AREAS[:1]},
        }
        if path not in known:
            return 404, "text/plain", b"unknown"
        return 200, "application/json", json.dumps(known[path]).encode()


@contextmanager
def serving() -> Iterator[tuple[Site, str]]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            state.asked.append(unquote(path))
            status, kind, body = state.answer(path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header(
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self' 'nonce-n'; style-src 'self' 'nonce-n'; "
                "img-src 'self' data:; connect-src 'self'",
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()
