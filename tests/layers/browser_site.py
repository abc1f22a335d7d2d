"""A tiny service on loopback for the browser test, under the content security policy the real one sends."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from browser_data import AREAS, BAD_LINK, DETAIL, FEW, HITS

from layers.areas import AreaLayer
from layers.browser_assets import ASSETS, media_type
from layers.canvas import parts
from layers.facilities import FacilityLayer, Walking
from layers.palette import STYLES
from layers.places import compact
from layers.public_map import Addresses, public_map

HOSTILE = '<img src=x onerror="window.hacked=1">'
ADDRESSES = Addresses("/orte", "/orte/{dataset}/{facility_id}", "/ort/{dataset}/{facility_id}", "/liste", "/suche?q=")
WALKING = Walking(metres_per_minute=80, detour=1.3, note="Gehzeit geschätzt.")
_AGES = "".join(f'<option value="{age}">{age} Jahre</option>' for age in range(28))


def forms(types: dict[str, str]) -> str:
    """The page's forms, as the service's templates make them."""
    categories = "".join(
        f'<label><input type="checkbox" name="category" value="{code}" checked>{style.title}'
        f'<span class="anzahl"></span></label>'
        for code, style in STYLES.items()
    )
    kinds = "".join(
        f'<label><input type="checkbox" name="type" value="{escape(name)}" data-categories="{code}">{escape(name)}'
        f'<span class="anzahl"></span></label>'
        for name, code in types.items()
    )
    return (
        '<form id="suche" action="/liste"><input name="q" id="q" aria-label="Suche"><button>Suchen</button>'
        '<button type="button" hidden data-locate>In meiner Nähe</button></form><section id="naehe" hidden></section>'
        '<p role="status" data-found="filter"></p>'
        '<button type="button" hidden data-reset="filter">Zurücksetzen</button>'
        f'<form id="filter" action="/liste">{categories}<button type="button" data-all>Alle</button>'
        f'<button type="button" data-none>Keine</button>{kinds}'
        '<label for="age">Alter</label><select id="age" name="age">'
        f'<option value="">alle Alter</option>{_AGES}</select><label><input type="checkbox" name="barrier_free" '
        'value="yes">barrierefrei</label><button type="submit">Liste</button></form>'
    )


class Site:
    """What the fake service answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: set[str] = set()
        self.places = FEW
        self.with_forms = True

    def page(self) -> str:
        rendered = parts(
            public_map(
                (9.73, 53.39, 10.33, 53.74),
                [
                    AreaLayer("bezirk", "Bezirke", "/flaechen/bezirk"),
                    AreaLayer("stadtteil", "Stadtteile", "/flaechen/stadtteil", page_url="/gebiete/{level}/{key}"),
                ],
                [FacilityLayer(c, s.title, sum(c in p.categories for p in self.places)) for c, s in STYLES.items()],
                addresses=ADDRESSES,
                urls={name: f"/static/abc/{name}" for name in ASSETS},
                tiles=None,
                attribution="Freie und Hansestadt Hamburg, dl-de/by-2-0 " + HOSTILE,
                walking=WALKING,
                **({} if self.with_forms else {"forms": None}),
            )
        )
        types = {str(o["type"]): o["category"] for p in self.places for o in p.offers if o["type"]}
        links = "".join(f'<link rel="stylesheet" href="{escape(url)}">' for url in rendered.styles)
        scripts = "".join(f'<script src="{escape(url)}"></script>' for url in rendered.scripts)
        return (
            '<!doctype html><html lang="de"><meta charset="utf-8"><title>Karte</title><link rel="icon" href="data:,">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{links}'
            "<style nonce=n>body{margin:0;font-family:system-ui,sans-serif}main{height:100vh}"
            f"{rendered.css}</style><main>{rendered.body}</main>{forms(types) if self.with_forms else ''}"
            f"{scripts}<script nonce=n>{rendered.script}</script>"
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
            "/orte": compact(self.places),
            "/orte/d%2F1/f%201": {"rows": [DETAIL]},
            "/orte/d%2F1/f%202": {"rows": [BAD_LINK]},
            "/suche": {"rows": HITS},
            "/flaechen/stadtteil": {"type": "FeatureCollection", "features": AREAS},
            "/flaechen/bezirk": {"type": "FeatureCollection", "features": AREAS[:1]},
        }
        if path == "/liste":
            return 200, "text/html", b"<title>Liste</title>"
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
