"""The public Sozialraumkarte: ground, places, areas and legend composed, and the page's forms bound to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import folium

from layers.areas import AreaLayer, add_area_levels
from layers.canvas import GERMAN, Bounds, Tiles, Wording, canvas
from layers.facilities import FacilityLayer, Kept, Walking, add_facilities, add_filters, add_search
from layers.legend import add_legend


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a public map finds what it shows.

    ``places``: all places (``places.compact``); ``detail``: one of them, ``page``: its page, with the placeholders
    {dataset} and {facility_id}; ``list``: the list of the same filter; ``search``: takes its text at the end, ""
    for none.
    """

    places: str
    detail: str
    page: str | None
    list: str
    search: str


@dataclass(frozen=True, slots=True)
class Forms:
    """The ids of the page's elements that a public map works with."""

    filters: str = "filter"
    search: str = "suche"
    near: str = "naehe"


FORMS = Forms()


def public_map(
    bounds: Bounds,
    area_layers: Sequence[AreaLayer],
    facility_layers: Sequence[FacilityLayer],
    *,
    addresses: Addresses,
    urls: Mapping[str, str],
    tiles: Tiles | None,
    attribution: str,
    walking: Walking,
    forms: Forms | None = FORMS,
    label: str = "Karte",
    wording: Wording = GERMAN,
    kept: Kept | None = None,
) -> folium.Map:
    """Return the public map. ``forms`` None: a page without them, where all places are shown.

    Areas and legend stand in the page's element ``<map id>-host``, where there is one, else in a panel on the map.
    """
    result = canvas(bounds, urls=urls, tiles=tiles, attribution=attribution, label=label, wording=wording)
    if facility_layers:
        add_facilities(
            result, facility_layers,
            url=addresses.places, detail_url=addresses.detail, page_url=addresses.page, urls=urls,
        )  # fmt: skip
    add_area_levels(result, area_layers, urls=urls)
    # Without a form no switch shows the symbols.
    unnamed = [layer.category for layer in facility_layers] if forms is None else []
    add_legend(result, unnamed, areas=bool(area_layers), clusters=bool(facility_layers))
    if facility_layers and forms is not None:
        if addresses.search:
            add_search(result, form=forms.search, near=forms.near, url=addresses.search, walking=walking, urls=urls)
        add_filters(result, form=forms.filters, list_url=addresses.list, urls=urls, kept=kept)
    return result
