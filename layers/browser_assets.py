"""The files a map needs in the browser, by public name: pinned npm packages and our own small scripts."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent / "assets"
_LEAFLET = _FOLDER / "node_modules" / "leaflet" / "dist"
_CLUSTER = _FOLDER / "node_modules" / "leaflet.markercluster" / "dist"

# Leaflet's images are left out on purpose: markers and switches are drawn as SVG, so the browser asks for none of them.
ASSETS: Mapping[str, Path] = MappingProxyType(
    {
        "leaflet.js": _LEAFLET / "leaflet.js",
        "leaflet.css": _LEAFLET / "leaflet.css",
        "leaflet.markercluster.js": _CLUSTER / "leaflet.markercluster.js",
        "MarkerCluster.css": _CLUSTER / "MarkerCluster.css",
        "srk-map.js": _FOLDER / "srk-map.js",
        "srk-areas.js": _FOLDER / "srk-areas.js",
        "srk-facilities.js": _FOLDER / "srk-facilities.js",
        "srk-detail.js": _FOLDER / "srk-detail.js",
        "srk-map.css": _FOLDER / "srk-map.css",
    }
)

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
)


def media_type(name: str) -> str:
    """Return the media type an asset is served with."""
    return MEDIA_TYPES[Path(name).suffix]
