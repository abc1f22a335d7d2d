"""The empty map, and the way its rendered parts reach a page that has a strict content security policy."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from typing import TypeAlias

import folium
from branca.element import Figure
from folium.template import Template

from layers.embed import script_json

Bounds: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north in degrees, as in GeoJSON."""

_MAX_ZOOM = 19
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_TILE_URL = re.compile(r"(https?://|/)")
_TEMPLATE = re.compile(r"\{[{%#]")
_UNSAFE_BODY = re.compile(r"<\s*/?\s*(script|style)\b|\s(on\w+|style)\s*=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tiles:
    """Background tiles the operator configured: a Leaflet URL template and its attribution as plain text."""

    url: str
    attribution: str


@dataclass(frozen=True, slots=True)
class MapParts:
    """A rendered map, split so that a page can load the files and put css and script under its nonce."""

    styles: list[str]
    css: str
    body: str
    scripts: list[str]
    script: str


@dataclass(frozen=True, slots=True)
class Wording:
    """What our scripts say: by its German, what it is in the page's language (a pair: for one, and for several).

    ``locale`` is how numbers are written.
    """

    locale: str = "de-DE"
    texts: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


GERMAN = Wording()


class _Canvas(folium.Map):
    """Folium's map without its third-party files, its page-wide CSS and its ban on zooming the page."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}
            <style>#{{ this.get_name() }} { position: relative; width: 100%; height: 100%; }</style>
        {% endmacro %}
        {% macro html(this, kwargs) %}
            <div class="folium-map srk-map" id="{{ this.get_name() }}" role="region"
                 aria-label="{{ this.label }}"></div>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = L.map({{ this.get_name()|tojson }}, {
                center: {{ this.location|tojson }},
                crs: L.CRS.{{ this.crs }},
                ...{{ this.options|tojavascript }}
            });
            srkMap.canvas({{ this.get_name() }}, {{ this.frame }});
        {% endmacro %}
        """
    )

    def __init__(
        self, bounds: Bounds, *, name: str, urls: Mapping[str, str], attribution: str, label: str, wording: Wording,
        tiles: bool,
    ) -> None:  # fmt: skip
        west, south, east, north = bounds
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            raise ValueError("bounds are west, south, east, north in degrees")
        if not _NAME.match(name):
            raise ValueError(f"not a name for a map: {name!r}")
        super().__init__(
            location=[round((south + north) / 2, 6), round((west + east) / 2, 6)],
            tiles=None,
            zoom_control=False,  # ours has German titles
            attribution_control=False,  # ours has no link and flag of a third party
            font_size="1rem",
        )
        self._id = name
        self.options["maxZoom"] = _MAX_ZOOM
        # Tiles are sharp at whole steps only; without them the map fills its frame better.
        self.options["zoomSnap"] = 1 if tiles else 0.5
        # The equals sign too: a name such as "x onerror=…" would look like a handler to the check in ``parts``.
        self.label = _html(label).replace("=", "&#61;")
        self.frame = script_json(
            {
                "bounds": [[south, west], [north, east]],
                "attribution": attribution,
                "locale": wording.locale,
                "texts": wording.texts,
            }
        )
        # Folium keeps both kinds of files in one dictionary: a name counts once over both.
        self.default_js = [("leaflet", urls["leaflet.js"]), ("srk_map", urls["srk-map.js"])]
        self.default_css = [("leaflet_css", urls["leaflet.css"]), ("srk_map_css", urls["srk-map.css"])]


def _html(said: str) -> str:
    """Return a text as HTML that branca, which compiles what a part renders once more, takes for no template."""
    return escape(said).replace("{", "&#123;")


class _TileLayer(folium.TileLayer):
    """Folium's tile layer with an id that does not change between renderings."""

    def __init__(self, target: folium.Map, tiles: Tiles) -> None:
        # Leaflet writes attributions as HTML; ours is text.
        said = _html(tiles.attribution) or "&nbsp;"
        super().__init__(tiles=tiles.url, attr=said, name="tiles", control=False, max_zoom=_MAX_ZOOM)
        self._id = target.get_name()


def canvas(
    bounds: Bounds,
    *,
    urls: Mapping[str, str],
    tiles: Tiles | None,
    attribution: str,
    name: str = "sozialraumkarte",
    label: str = "Karte",
    wording: Wording = GERMAN,
) -> folium.Map:
    """Return an empty map showing the bounds; urls say where each of our assets is served, name tells maps apart.

    Without tiles the ground is plain and light. The attribution is text. ``label`` is the map's name for those who
    do not see it.
    """
    result = _Canvas(
        bounds, name=name, urls=urls, attribution=attribution, label=label, wording=wording, tiles=tiles is not None
    )
    if tiles is not None:
        # Folium looks up anything else in a catalogue of third-party services.
        if not _TILE_URL.match(tiles.url) or _TEMPLATE.search(tiles.url):
            raise ValueError(f"not a URL of tiles: {tiles.url!r}")
        result.add_child(_TileLayer(result, tiles), name="tiles")
    return result


class _Header(HTMLParser):
    """Collects what Folium wrote into the page's head."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.styles: list[str] = []
        self.scripts: list[str] = []
        self.css: list[str] = []
        self.inline: list[str] = []
        self._into: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") == "stylesheet" and (href := given.get("href")):
            self.styles.append(href)
        elif tag == "script" and (src := given.get("src")):
            self.scripts.append(src)
        elif tag == "script":
            self._into = self.inline
        elif tag == "style":
            self._into = self.css

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None and data.strip():
            self._into.append(data.strip())


def parts(target: folium.Map) -> MapParts:
    """Render a map and split it; refuse a part of Folium that a strict content security policy would block."""
    figure = target.get_root()
    if not isinstance(figure, Figure):
        raise TypeError("a map is rendered in a figure of its own")
    sections = (figure.header, figure.html, figure.script)
    # Rendering adds to the figure; it is put back, so that rendering again does not say everything twice.
    before = [section._children.copy() for section in sections]  # noqa: SLF001  # branca has no other way
    try:
        target.render()  # type: ignore[no-untyped-call]  # branca leaves it unannotated
        head, body, script = (section.render().strip() for section in sections)
    finally:
        for section, children in zip(sections, before, strict=True):
            section._children = children  # noqa: SLF001
    header = _Header()
    header.feed(head)
    header.close()
    css = "\n".join(header.css)
    script = "\n".join([*header.inline, script])
    if _UNSAFE_BODY.search(body):
        raise ValueError("a part of the map writes inline styles, handlers or scripts")
    if "</" in css or re.search(r"</\s*script|<!--", script, re.IGNORECASE):
        raise ValueError("a part of the map would close its own element")
    return MapParts(header.styles, css, body, header.scripts, script)
