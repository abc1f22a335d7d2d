"""The public Sozialraumkarte: ground, places, areas and legend composed."""

from collections.abc import Mapping, Sequence

import folium

from layers.areas import AreaLayer, add_area_levels
from layers.canvas import Bounds, Tiles, canvas
from layers.facilities import FacilityLayer, add_facilities
from layers.legend import add_legend


def public_map(
    bounds: Bounds,
    area_layers: Sequence[AreaLayer],
    facility_layers: Sequence[FacilityLayer],
    *,
    facilities_url: str,
    detail_url: str,
    urls: Mapping[str, str],
    tiles: Tiles | None,
    attribution: str,
) -> folium.Map:
    """Return the public map. Places come first in the panel: they are what most people look for."""
    result = canvas(bounds, urls=urls, tiles=tiles, attribution=attribution)
    if facility_layers:
        add_facilities(result, facility_layers, url=facilities_url, detail_url=detail_url, urls=urls)
    add_area_levels(result, area_layers, urls=urls)
    add_legend(result, areas=bool(area_layers), clusters=bool(facility_layers))
    return result
