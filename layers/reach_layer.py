"""The area reached from a point, drawn on a map: one band per limit, the nearest on top, and the point itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import folium

from layers.embed import Json, call

START_TITLE = "Ausgangspunkt"
COLOURS = ("#12507d", "#1f6aa5", "#3d82b3")
"""From the nearest band outwards; as lines each is 3:1 against the ground."""
DASHES = ("", "10 5", "3 5")
OPACITY = 0.14


@dataclass(frozen=True, slots=True)
class ReachBand:
    """An area reached and what it is called ("zu Fuß in 15 Minuten"); a GeoJSON Polygon or MultiPolygon in CRS84."""

    title: str
    geometry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reached:
    """What is drawn upon a map of numbers: areas reached (the nearest first) and where from.

    ``start`` (lon, lat) None: they belong to many points, none of which is drawn.
    """

    title: str
    bands: Sequence[ReachBand]
    start: tuple[float, float] | None = None
    start_title: str = START_TITLE


def add_reach(
    target: folium.Map,
    bands: Sequence[ReachBand],
    *,
    start: tuple[float, float] | None,
    urls: Mapping[str, str],
    title: str = "Erreichbarkeit",
    start_title: str = START_TITLE,
    fit: bool = True,
) -> None:
    """Add the bands, from the nearest outwards, and their starting point (lon, lat); ``fit`` moves the map to them.

    ``start`` None: the bands belong to many points, none of which is drawn.
    Lines differ in dashes too, so that bands are told apart without colours. At most three bands.
    """
    if not 1 <= len(bands) <= len(COLOURS):
        raise ValueError(f"one to {len(COLOURS)} bands can be told apart")
    drawn: list[Json] = [
        {"title": band.title, "geometry": dict(band.geometry), "colour": COLOURS[at], "dashes": DASHES[at]}
        for at, band in enumerate(bands)
    ]
    call(
        target,
        "reach",
        {
            "title": title,
            "bands": drawn,
            "start": None if start is None else [start[1], start[0]],
            "startTitle": start_title,
            "fit": fit,
        },
        scripts=[("srk-reach", urls["srk-reach.js"])],
    )
