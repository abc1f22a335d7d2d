"""The same map as anybody makes it with Folium: all places and areas written into one page."""

import contextlib
import html
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli
import folium
import orjson

from geodata.categories import TITLES
from layers.browser_assets import ASSETS

# What Folium's popups ask of jQuery, at a fraction of its weight.
_JQUERY = """window.$ = (text) => {
  const made = document.createElement('template');
  made.innerHTML = text.trim();
  return [made.content.firstElementChild];
};"""
LEVELS = ("bezirk", "stadtteil", "statgebiet")


def folium_page(url: str, *, circles: bool) -> tuple[bytes, int]:
    """Return the page for the content of a running service, and how many shapes it draws.

    Each category is a group of markers with name, address, provider and offers in a popup, each level a layer of areas
    with names. ``circles``: the lightest markers it has instead of its usual ones. Of its own files only Leaflet is
    loaded, and a stand-in for jQuery: that is in its favour.
    """
    places = _answer(f"{url}/api/v1/facilities?limit=10000&format=json")["rows"]
    made = folium.Map(location=[53.55, 10.0], zoom_start=11, tiles=None)
    made.default_js = [("leaflet", "/leaflet.js"), ("jquery", "/jquery.js")]
    made.default_css = [("leaflet_css", "/leaflet.css")]
    shapes = 0
    for level in LEVELS:
        areas = _answer(f"{url}/api/v1/areas?level={level}&format=geojson&limit=10000")
        names = folium.GeoJsonTooltip(["area_name"], labels=False)
        folium.GeoJson(areas, name=level, tooltip=names).add_to(made)
        shapes += len(areas["features"])
    groups = {code: folium.FeatureGroup(name=title).add_to(made) for code, title in TITLES.items()}
    for place in places:
        if place["lon"] is None:
            continue
        first = place["offers"][0]
        at, popup = [place["lat"], place["lon"]], folium.Popup(_card(place))
        marker = folium.CircleMarker(at, radius=6, popup=popup) if circles else folium.Marker(at, popup=popup)
        marker.add_to(groups[first["category"]])
        shapes += 1
    folium.LayerControl().add_to(made)
    return bytes(made.get_root().render(), "utf-8"), shapes


def _answer(url: str) -> Any:  # noqa: ANN401 - JSON
    with urllib.request.urlopen(url) as answer:
        return orjson.loads(answer.read())


def _card(place: dict[str, Any]) -> str:
    lines = [place["name"], place.get("provider"), place.get("street"), place.get("website")]
    for offer in place["offers"]:
        lines += [offer.get("name"), offer.get("type"), offer.get("opening_hours"), str(offer.get("age_from") or "")]
    return "<br>".join(html.escape(str(one)) for one in lines if one)


@contextlib.contextmanager
def serving_bytes(page: bytes) -> Iterator[str]:
    """Serve a page and Leaflet, compressed as the service compresses; yield the address."""
    held = {"/": ("text/html; charset=utf-8", page)}
    for name, kind in (("leaflet.js", "text/javascript"), ("leaflet.css", "text/css")):
        held[f"/{name}"] = (kind, ASSETS[name].read_bytes())
    held["/jquery.js"] = ("text/javascript", _JQUERY.encode())
    for path in ASSETS["leaflet.js"].with_name("images").glob("*.png"):
        held[f"/images/{path.name}"] = ("image/png", path.read_bytes())
    packed = {path: (kind, brotli.compress(body, quality=5)) for path, (kind, body) in held.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = packed.get(self.path, ("text/plain", b""))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Encoding", "br" if body else "identity")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
