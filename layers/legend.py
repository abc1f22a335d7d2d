"""The legend: what the signs on the map mean, in the same panel as the switches."""

from collections.abc import Sequence

import folium

from layers.embed import Json, call
from layers.facilities import symbol
from layers.palette import style_of

AREA_TITLE = "Gebiet"
CLUSTER_TITLE = "zusammengefasste Einrichtungen"


def add_legend(
    target: folium.Map, categories: Sequence[str] = (), *, areas: bool = True, clusters: bool = True
) -> None:
    """Add the legend; categories are those that have no switch, since a switch already shows symbol and title."""
    entries: list[Json] = [
        {"kind": "symbol", "title": style_of(category).title, **symbol(category)} for category in categories
    ]
    if areas:
        entries.append({"kind": "area", "title": AREA_TITLE})
    if clusters:
        entries.append({"kind": "cluster", "title": CLUSTER_TITLE})
    if entries:
        call(target, "legend", {"entries": entries})
