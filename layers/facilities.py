"""Places as clustered symbols, switchable by category; points and details are fetched, never written into the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import folium

from layers.embed import Json, call
from layers.palette import STYLES, style_of


@dataclass(frozen=True, slots=True)
class FacilityLayer:
    """One category in the choice, with the number of its places; an empty title means the palette's."""

    category: str
    title: str
    count: int
    shown: bool = True


def symbol(category: str) -> dict[str, Json]:
    """Return what the browser needs to draw a category's symbol."""
    style = style_of(category)
    return {"colour": style.colour, "shape": style.shape}


def add_facilities(
    target: folium.Map, layers: Sequence[FacilityLayer], *, url: str, detail_url: str, urls: Mapping[str, str]
) -> None:
    """Add all places of one GeoJSON; `detail_url` has the placeholders {dataset} and {facility_id}.

    A place of several categories is shown while one of them is, with the symbol of the first that is.
    """
    if "{facility_id}" not in detail_url:
        raise ValueError("detail_url lacks the placeholder {facility_id}")
    call(
        target,
        "facilities",
        {
            "url": url,
            "detail": detail_url,
            "titles": {category: style.title for category, style in STYLES.items()},
            "categories": [
                {
                    "category": layer.category,
                    "title": layer.title or style_of(layer.category).title,
                    "count": layer.count,
                    "shown": layer.shown,
                    **symbol(layer.category),
                }
                for layer in layers
            ],
        },
        scripts=[
            ("markercluster", urls["leaflet.markercluster.js"]),
            ("srk-detail", urls["srk-detail.js"]),
            ("srk-facilities", urls["srk-facilities.js"]),
        ],
        styles=[("markercluster_css", urls["MarkerCluster.css"])],
    )
