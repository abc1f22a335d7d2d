"""The files a map needs in the browser, by public name: pinned npm packages and our own small scripts."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent / "assets"
_LEAFLET = _FOLDER / "node_modules" / "leaflet" / "dist"

# Leaflet's images are left out on purpose: markers and switches are drawn as SVG, so the browser asks for none of them.
ASSETS: Mapping[str, Path] = MappingProxyType(
    {
        "leaflet.js": _LEAFLET / "leaflet.js",
        "leaflet.css": _LEAFLET / "leaflet.css",
        "srk-map.js": _FOLDER / "srk-map.js",
        "srk-areas.js": _FOLDER / "srk-areas.js",
        "srk-places.js": _FOLDER / "srk-places.js",
        "srk-facilities.js": _FOLDER / "srk-facilities.js",
        "srk-filters.js": _FOLDER / "srk-filters.js",
        "srk-search.js": _FOLDER / "srk-search.js",
        "srk-detail.js": _FOLDER / "srk-detail.js",
        "srk-roving.js": _FOLDER / "srk-roving.js",
        "srk-choropleth.js": _FOLDER / "srk-choropleth.js",
        "srk-flows.js": _FOLDER / "srk-flows.js",
        "srk-reach.js": _FOLDER / "srk-reach.js",
        "srk-changes.js": _FOLDER / "srk-changes.js",
        "srk-outline.js": _FOLDER / "srk-outline.js",
        "srk-map.css": _FOLDER / "srk-map.css",
    }
)

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
)


def media_type(name: str) -> str:
    """Return the media type an asset is served with."""
    return MEDIA_TYPES[Path(name).suffix]
