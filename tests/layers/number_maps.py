"""Data and pages for the tests of maps of numbers: areas of a made-up city, served under a strict policy."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import folium
import numpy as np
import shapely

from layers.browser_assets import ASSETS, media_type
from layers.canvas import canvas, parts
from layers.choropleth import AreaValue

HAMBURG = (9.73, 53.39, 10.33, 53.74)
HOSTILE = '<img src=x onerror="window.hacked=1">'
HOSTILES = [
    HOSTILE,
    "</script><script>window.hacked=1</script>",
    "</title></desc></text></svg><svg onload=alert(1)>",
    "{{ 7*7 }} {% raw %} ${7*7}",
    "$\\frac{1}{2}$ $x$ \\alpha",
    "javascript:alert(1)' onmouseover='window.hacked=1",
    "]]> <!-- --> &amp; &lt;b&gt;",
    "=1+1; @SUM(A1)",
    "\u202etxt.exe\u202c \u2066x\u2069",
    "Null\x00 Glocke\x07 Umbruch\n neue Zeile\u2028 Ende\x0b",
    "漢字 🏠 👨‍👩‍👧 é ß Ǆ",
    "\ud800 halb",
    "W" * 10_000,
    "url(#x) expression(alert(1))",
]
URLS = {name: f"/static/abc/{name}" for name in ASSETS}


def city(count: int, seed: int = 5) -> dict[str, Any]:
    """Return a made-up city of ``count`` areas as GeoJSON: cells of a Voronoi diagram with wavy borders.

    The smallest slivers at its rim are left out.
    """
    rng = np.random.default_rng(seed)
    west, south, east, north = HAMBURG
    seeds = round(count * 1.2)
    across = int(np.ceil(np.sqrt(seeds)))
    # So many more that the corners outside the round city are made good.
    grid = np.array([(i % across, i // across) for i in range(seeds)], dtype=float) + rng.uniform(0.1, 0.9, (seeds, 2))
    grid = grid / [across, grid[:, 1].max() + 1] * [east - west, north - south] + [west, south]
    cells = shapely.voronoi_polygons(shapely.MultiPoint(grid), extend_to=shapely.box(*HAMBURG)).geoms
    outline = shapely.Point((west + east) / 2, (south + north) / 2).buffer(1)
    outline = shapely.affinity.scale(outline, (east - west) / 2, (north - south) / 2)
    waved = shapely.transform(
        shapely.segmentize(list(cells), 0.0015),
        lambda xy: xy + 0.0004 * np.sin(xy[:, ::-1] * 1500) + 0.00003 * np.sin(xy * 6100),
    )
    cut = (shapely.set_precision(shapely.intersection(cell, outline), 1e-5) for cell in waved)
    shapes = sorted((s for s in cut if not s.is_empty), key=lambda s: -s.area)[:count]
    features = [feature(str(at), f"Gebiet {at}", shape) for at, shape in enumerate(shapes)]
    return {"type": "FeatureCollection", "features": features}


def feature(key: str, name: str, shape: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": json.loads(shapely.to_geojson(shape)),
        "properties": {"area_level": "statgebiet", "area_key": key, "area_name": name},
    }


def values_of(shapes: dict[str, Any], seed: int = 6) -> list[AreaValue]:
    """Return a value for each area, some of them missing, suppressed and zero."""
    rng = np.random.default_rng(seed)
    drawn = rng.lognormal(3, 0.8, len(shapes["features"])).round(1)
    result = []
    for at, one in enumerate(shapes["features"]):
        kind = at % 17
        value = None if kind == 3 else 0.0 if kind == 5 else float(drawn[at])
        key, name = one["properties"]["area_key"], one["properties"]["area_name"]
        result.append(AreaValue(key, name, value, suppressed=kind == 9, note="geschätzt" if kind == 11 else ""))
    return result


def three_by_three() -> tuple[dict[str, Any], list[AreaValue]]:
    """Return nine square areas: values 5 to 40, one each missing, suppressed and zero, one of a hostile name."""
    west, south, step = 9.80, 53.42, 0.10
    names = ["Altona", "Billstedt", HOSTILE, "Dulsberg", "Eimsbüttel", "Farmsen", "Groß Borstel", "Hamm", "Iserbrook"]
    given = [5.0, 12.0, 18.0, 25.0, 40.0, 33.0, None, 2.0, 0.0]
    corners = [(west + at % 3 * step, south + at // 3 * step) for at in range(9)]
    features = [
        feature(str(at), name, shapely.box(x, y, x + step, y + step))
        for at, (name, (x, y)) in enumerate(zip(names, corners, strict=True))
    ]
    areas = [
        AreaValue(str(at), name, value, suppressed=name == "Hamm", note="3 von 8" if at == 1 else "")
        for at, (name, value) in enumerate(zip(names, given, strict=True))
    ]
    return {"type": "FeatureCollection", "features": features}, areas


class NumberSite:
    """A page with one map, and what else the service answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.json: dict[str, Any] = {}
        self.broken: set[str] = set()
        self.body = ""
        self.map = canvas(HAMBURG, urls=URLS, tiles=None, attribution="Amt")

    def show(self, target: folium.Map, body: str = "") -> None:
        self.map, self.body = target, body

    def page(self) -> str:
        rendered = parts(self.map)
        links = "".join(f'<link rel="stylesheet" href="{escape(url)}">' for url in rendered.styles)
        scripts = "".join(f'<script src="{escape(url)}"></script>' for url in rendered.scripts)
        return (
            '<!doctype html><html lang="de"><meta charset="utf-8"><title>Karte</title><link rel="icon" href="data:,">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{links}'
            "<style nonce=n>body{margin:0;font-family:system-ui,sans-serif}main{height:34rem}"
            f"{rendered.css}</style><main>{rendered.body}</main>{self.body}{scripts}"
            "<script nonce=n>window.heard=[];for(const n of ['srk:select','srk:choropleth','srk:flows'])"
            "document.addEventListener(n,(e)=>heard.push([n,e.detail,performance.now()]))</script>"
            f"<script nonce=n>window.begun=performance.now();{rendered.script}</script>"
        )

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if path in self.broken:
            return 503, "text/plain", b"down"
        if path == "/":
            return 200, "text/html; charset=utf-8", self.page().encode()
        if path.startswith("/static/abc/"):
            name = path.removeprefix("/static/abc/")
            return 200, media_type(name), ASSETS[name].read_bytes()
        if path not in self.json:
            return 404, "text/plain", b"unknown"
        return 200, "application/geo+json", json.dumps(self.json[path]).encode()


@contextmanager
def serving_numbers() -> Iterator[tuple[NumberSite, str]]:
    state = NumberSite()

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
