"""One area with the places in it: as a map, and as a picture made on the server for print and pages without scripts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import folium
import numpy as np

from layers import chart_parts as parts
from layers.canvas import GERMAN, Bounds, Tiles, Wording, canvas
from layers.embed import call
from layers.extent import body_bounds, in_body, polygons
from layers.facilities import FacilityLayer, add_facilities
from layers.legend import add_legend
from layers.palette import BOX, GROUND, INK, STYLES, WHITE, style_of
from layers.sheet import frame_of

# So many symbols can be told apart on a picture; of more each is smaller.
_MANY = 60
_LARGE, _SMALL = 15.0, 9.0
_LINE = 20.0  # of the legend
_MARGIN = 0.06  # around the area, of its width and height


@dataclass(frozen=True, slots=True)
class PlacePoint:
    """A place on the picture: where it is (degrees) and the category of its symbol."""

    lon: float
    lat: float
    category: str


def bounds_of(geometry: str) -> Bounds | None:
    """Return what a map of an area (GeoJSON) shows: its body with a margin; None of what has no area."""
    found = body_bounds({"features": [{"geometry": json.loads(geometry)}]})
    if found is None:
        return None
    west, south, east, north = found
    across, up = _MARGIN * (east - west), _MARGIN * (north - south)
    return west - across, south - up, east + across, north + up


def area_map(
    geometry: str,
    bounds: Bounds,
    categories: Sequence[FacilityLayer],
    *,
    places_url: str,
    detail_url: str,
    page_url: str,
    urls: Mapping[str, str],
    tiles: Tiles | None,
    attribution: str,
    label: str,
    wording: Wording = GERMAN,
) -> folium.Map:
    """Return the map of an area (GeoJSON, CRS84) with the places of one resource (``places.compact``)."""
    result = canvas(
        bounds, urls=urls, tiles=tiles, attribution=attribution, name="gebiet", label=label, wording=wording
    )
    call(result, "outline", {"geometry": json.loads(geometry)}, scripts=[("srk-outline", urls["srk-outline.js"])])
    if categories:
        add_facilities(result, categories, url=places_url, detail_url=detail_url, page_url=page_url, urls=urls)
        add_legend(result, [layer.category for layer in categories], areas=False, clusters=True)
    return result


def area_picture(
    geometry: str,
    places: Sequence[PlacePoint],
    *,
    title: str,
    description: str,
    width: float,
    titles: Mapping[str, str],
) -> str:
    """Return an area (GeoJSON, CRS84) with its places as SVG without style attributes and ids; north is up.

    Below it stands what each symbol means, in the words of ``titles`` by category. What lies far from the body of the
    area (see layers.extent) is left out.
    """
    found = polygons(json.loads(geometry))
    near = in_body([polygon[0] for polygon in found]).tolist()
    # An island far out would shrink the rest to a dot; it is left to the map.
    rings = [ring for polygon, shown in zip(found, near, strict=True) if shown for ring in polygon]
    frame = frame_of(rings, 0.0, 0.0, width, (width / 3, width))
    pieces = [parts.rect(0, 0, frame.width, frame.height, GROUND, "none")]
    along = " ".join("M" + "L".join(f"{x:g} {y:g}" for x, y in frame.points(ring).tolist()) + "Z" for ring in rings)
    pieces.append(
        f'<path d="{along}" fill="{WHITE}" fill-rule="evenodd" stroke="{INK}" stroke-width="1.6" '
        'stroke-linejoin="round"/>'
    )
    size = _LARGE if len(places) <= _MANY else _SMALL
    scale = size / BOX
    for place in places:
        (x, y) = frame.points(np.array([[place.lon, place.lat]]))[0].tolist()
        if not (0 <= x <= frame.width and 0 <= y <= frame.height):
            continue
        style = style_of(place.category)
        at = f"translate({parts.px(x - size / 2)} {parts.px(y - size / 2)}) scale({scale:g})"
        pieces.append(
            f'<path transform="{at}" d="{style.shape}" fill="{style.colour}" stroke="{WHITE}" stroke-width="1.5"/>'
        )
    shown = [category for category in STYLES if any(place.category == category for place in places)]
    for line, category in enumerate(shown):
        style, y = style_of(category), frame.height + _LINE * (line + 0.5) + 4
        move = f"translate(4 {parts.px(y - _LARGE / 2)}) scale({_LARGE / BOX:g})"
        pieces.append(f'<path transform="{move}" d="{style.shape}" fill="{style.colour}"/>')
        pieces.append(parts.text(26, y + 4.5, titles.get(category, style.title)))
    height = frame.height + (_LINE * len(shown) + 8 if shown else 0)
    return parts.document(title, description, frame.width, height, pieces)
