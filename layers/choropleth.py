"""A map of numbers: areas coloured by class, hatched where a value is missing, dotted where it is suppressed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import folium

from geodata.words import not_nought
from layers.canvas import Bounds
from layers.classes import Classes
from layers.embed import Json, call
from layers.legend import MISSING_TITLE, SUPPRESSED_TITLE, class_entries, entry_numbers, pattern_data
from layers.palette import INK

NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class AreaValue:
    """An area and its value in the unit shown (percent, not fractions); None is missing.

    Of a suppressed area nothing but its name reaches page or picture, whatever else is here. ``note`` is what the
    tooltip says besides (such as "geschätzt" or "12 von 40"); ``text`` replaces the value as it would be written.
    """

    key: str
    name: str
    value: float | None
    suppressed: bool = False
    note: str = ""
    text: str = ""


def value_text(area: AreaValue, classes: Classes, unit: str) -> str:
    """Return an area's value as tooltips and labels write it, with its unit, or which kind of nothing it is."""
    if area.suppressed:
        return SUPPRESSED_TITLE
    if area.value is None or math.isnan(area.value):
        return MISSING_TITLE
    if area.text:
        return area.text
    return f"{not_nought(area.value, classes.decimals)}{NO_BREAK if unit else ''}{unit}"


def add_choropleth(
    target: folium.Map,
    areas: Sequence[AreaValue],
    classes: Classes,
    shapes: str | Mapping[str, Any],
    *,
    title: str,
    unit: str,
    urls: Mapping[str, str],
    page_url: str | None = None,
    level: str = "",
    fit: Bounds | None = None,
    legend: bool = True,
    labels: bool = True,
    only: bool = False,
) -> None:
    """Add the areas to a map; ``classes`` are those of ``classify`` over the same areas in the same order.

    ``shapes`` is the URL of a GeoJSON FeatureCollection or the collection itself, with ``area_key`` among its
    properties; ``unit`` is written behind each value, "" writes none. ``page_url`` may name the page of an area with
    the placeholders {level} and {key}. ``labels`` writes names where they fit. ``fit`` moves the map so that these
    bounds fill it (see layers.extent.body_bounds).

    Rows of tables on the page with the attribute ``data-area-key`` and their areas highlight each other; the map's
    element tells of it with the event ``srk:select`` ({key} or {key: null}). ``srk:choropleth`` tells that the areas
    are drawn ({areas, without_shape}). Areas beyond the shapes are named under the legend. Shapes beyond the areas are
    drawn as missing; with ``only`` they are left out, as in pictures.
    """
    if len(areas) != len(classes.members):
        raise ValueError("classes are of the same areas")
    entries = class_entries(classes)
    rows: list[Json] = [
        [
            area.key,
            area.name,
            entry,
            value_text(area, classes, unit),
            "" if area.suppressed else area.note,
        ]
        for area, entry in zip(areas, entry_numbers(classes, entries), strict=True)
    ]
    call(
        target,
        "choropleth",
        {
            "title": title,
            "unit": unit,
            "shapes": shapes if isinstance(shapes, str) else dict(shapes),
            "areas": rows,
            "classes": [
                {"kind": entry.kind, "title": entry.title, "colour": entry.colour, "count": entry.count}
                for entry in entries
            ],
            "missing": next(at for at, entry in enumerate(entries) if entry.kind == "missing"),
            "patterns": pattern_data(),
            "ink": INK,
            "page": page_url,
            "level": level,
            "fit": fit,
            "legend": legend,
            "labels": labels,
            "only": only,
        },
        scripts=[("srk-roving", urls["srk-roving.js"]), ("srk-choropleth", urls["srk-choropleth.js"])],
    )
