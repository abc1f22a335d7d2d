"""Levels of areas as a choice on the map; their polygons are fetched when a level is first shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import folium

from layers.embed import call


@dataclass(frozen=True, slots=True)
class AreaLayer:
    """One level: GeoJSON from `url` with area_level, area_key, area_name and facilities; at most one is shown.

    `page_url` and `list_url` may name the page of an area and the list of its places, with the placeholders {level}
    and {key}.
    """

    level: str
    title: str
    url: str
    shown: bool = False
    page_url: str | None = None
    list_url: str | None = None


def add_area_levels(target: folium.Map, layers: Sequence[AreaLayer], *, urls: Mapping[str, str]) -> None:
    """Add the levels to a map as one choice, with "Keine Gebiete" as the last option."""
    if not layers:
        return
    shown = [layer.level for layer in layers if layer.shown]
    if len(shown) > 1:
        raise ValueError(f"only one level of areas can be shown: {', '.join(shown)}")
    call(
        target,
        "areas",
        {
            "shown": shown[0] if shown else None,
            "levels": [
                {
                    "level": layer.level,
                    "title": layer.title,
                    "url": layer.url,
                    "page": layer.page_url,
                    "list": layer.list_url,
                }
                for layer in layers
            ],
        },
        scripts=[("srk-roving", urls["srk-roving.js"]), ("srk-areas", urls["srk-areas.js"])],
    )
