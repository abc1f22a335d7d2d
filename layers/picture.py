"""Maps of numbers as pictures made on the server: the same classes, colours and legend as the map in the browser."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geodata.words import listed
from layers.choropleth import AreaValue
from layers.classes import Classes
from layers.drawing import Canvas, ImageKind, cleaned_text, drawing, text_width, wrapped
from layers.extent import in_body, polygons
from layers.legend import ClassEntry, areas_text, class_entries, entry_numbers
from layers.palette import INK, SOFT, WHITE, ink_on
from layers.paths import path_of
from layers.reach_layer import Reached
from layers.reach_picture import draw_reached, reached_height, reached_legend
from layers.sheet import (
    LEGEND_LEFT,
    MARGIN,
    SIDE,
    SMALL,
    STRIP,
    TEXT,
    WIDTH,
    Caption,
    Frame,
    Heading,
    footer,
    footer_height,
    frame_of,
    ground,
    scale_and_north,
)

Points: TypeAlias = NDArray[np.float64]
Parts: TypeAlias = list[list[Points]]

_INSET_HEIGHT = 70.0
_HATCHES = {"missing": "/////", "suppressed": "...."}


def choropleth_picture(
    areas: Sequence[AreaValue],
    classes: Classes,
    shapes: Mapping[str, Any],
    caption: Caption,
    *,
    image: ImageKind = "svg",
    reached: Reached | None = None,
) -> bytes:
    """Return the map as a file: SVG whose texts are texts, or PNG of 150 dots per inch; the same input, the same bytes.

    ``classes`` are those of ``classify`` over the same areas in the same order; ``shapes`` is a GeoJSON
    FeatureCollection with ``area_key`` among its properties. An area without a shape is named under the legend, a shape
    without an area is left out. ``reached`` is drawn upon the areas. An SVG is a file of its own, to be shown with
    <img>, never pasted into a page.
    """
    if len(areas) != len(classes.members):
        raise ValueError("classes are of the same areas")
    by_key = {str(one["properties"]["area_key"]): polygons(one.get("geometry")) for one in shapes["features"]}
    parts = [by_key.get(area.key, []) for area in areas]
    without = [area.name for area, found in zip(areas, parts, strict=True) if not found]
    near, far = _near_and_far(parts)
    entries = class_entries(classes)
    entry_of = entry_numbers(classes, entries)
    with drawing():
        heading = Heading(caption, WIDTH)
        frame = frame_of([part[0] for found in near for part in found], MARGIN, heading.height)
        below = _below_legend(classes, without)
        rows = sum(2 if _on_two_lines(entry) else 1 for entry in entries)
        legend_end = heading.height + 34.0 + 18.0 * rows + 1.35 * SMALL * len(below)
        legend_end += reached_height(reached)
        inset_end = legend_end + (_INSET_HEIGHT + 4 * SMALL if any(far) else 0.0)
        bottom = max(frame.top + frame.height + STRIP, inset_end)
        sheet = Canvas(WIDTH, round(bottom + footer_height(caption, WIDTH)))
        heading.draw(sheet)
        ground(sheet, frame)
        thin = 0.4 if sum(map(len, near)) > 300 else 0.7
        _areas(sheet, frame, near, entry_of, entries, thin)
        if reached is not None:
            draw_reached(sheet, frame, reached)
        size = 8.0 if len(areas) <= 30 else 6.5
        for area, found, at in zip(areas, near, entry_of, strict=True):
            _label(sheet, frame, cleaned_text(area.name), found, entries[at], size)
        scale_and_north(sheet, frame)
        _legend(sheet, heading.height, caption, entries, below, reached)
        if any(far):
            box = frame_of(
                [part[0] for found in far for part in found], LEGEND_LEFT, legend_end, SIDE / 2,
                (_INSET_HEIGHT, _INSET_HEIGHT),
            )  # fmt: skip
            ground(sheet, box, 0)
            _areas(sheet, box, far, entry_of, entries, thin)
            names = listed([cleaned_text(area.name, 40) for area, found in zip(areas, far, strict=True) if found], 3)
            lines = wrapped(f"{names} (nicht lagegetreu)", SIDE, SMALL, most_lines=2)
            sheet.lines(LEGEND_LEFT, legend_end + _INSET_HEIGHT + 3, lines, SMALL, color=SOFT)
        footer(sheet, bottom, caption)
        return sheet.image(image, caption.title, _description(caption, entries, without, reached))


def _near_and_far(parts: Sequence[Parts]) -> tuple[list[Parts], list[Parts]]:
    """Return the polygons of each area that belong to the body of the map, and those that lie far from it."""
    near = iter(in_body([part[0] for found in parts for part in found]).tolist())
    flags = [[next(near) for _ in found] for found in parts]
    split = [
        [[part for part, flag in zip(found, flagged, strict=True) if flag is wanted]
         for found, flagged in zip(parts, flags, strict=True)]
        for wanted in (True, False)
    ]  # fmt: skip
    return split[0], split[1]


def _areas(
    sheet: Canvas,
    frame: Frame,
    parts: Sequence[Parts],
    entry_of: Sequence[int],
    entries: Sequence[ClassEntry],
    line: float,
) -> None:
    """Draw areas in their classes, class by class."""
    paths: dict[int, list[Any]] = {}
    for found, at in zip(parts, entry_of, strict=True):
        if found:
            paths.setdefault(at, []).append(path_of([[frame.points(ring) for ring in part] for part in found]))
    for at, drawn in sorted(paths.items()):
        _fill(sheet, drawn, entries[at], line)


def _fill(sheet: Canvas, paths: list[Any], entry: ClassEntry, line: float) -> None:
    """Draw paths in a class's colour or pattern, outlined."""
    from matplotlib.collections import PathCollection  # noqa: PLC0415

    outline: dict[str, Any] = {"edgecolor": INK, "linewidth": line, "joinstyle": "round"}
    if entry.pattern is None:
        looks = [outline | {"facecolor": entry.colour}]
    else:
        # A hatch has the colour of the edge, so the edge in ink is drawn apart.
        hatch = {
            "facecolor": entry.colour,
            "edgecolor": entry.pattern.ink,
            "linewidth": 0,
            "hatch": _HATCHES[entry.kind],
        }
        looks = [hatch, outline | {"facecolor": "none"}]
    for look in looks:
        sheet.axes.add_collection(PathCollection(paths, **look), autolim=False)


def _label(sheet: Canvas, frame: Frame, name: str, parts: Parts, entry: ClassEntry, size: float) -> None:
    """Write a name into its area if the largest part is wide enough for it."""
    if not parts:
        return
    boxes = [frame.points(part[0]) for part in parts]
    largest = max(boxes, key=lambda ring: float(np.ptp(ring[:, 0]) * np.ptp(ring[:, 1])))
    if len(name) > 40 or np.ptp(largest[:, 1]) < 2.2 * size or np.ptp(largest[:, 0]) < 0.5 * size * len(name):
        return
    import shapely  # noqa: PLC0415 - a point that lies inside, however bent the area is

    y = shapely.Polygon(largest).buffer(0).representative_point().y
    # Free room over the whole height of the letters.
    spans = [_width_at(largest, y + at * size) for at in (-0.4, 0.0, 0.4)]
    inside = max(left for left, _ in spans), min(right for _, right in spans)
    wide = text_width(name, size)
    if wide + 3 > inside[1] - inside[0]:
        return
    look: dict[str, Any] = {"ha": "center", "va": "center", "color": ink_on(entry.colour)}
    if entry.pattern is not None:
        look["bbox"] = {"facecolor": WHITE, "edgecolor": "none", "pad": 0.8}
    sheet.text((inside[0] + inside[1]) / 2, y, name, size, **look)


def _width_at(ring: Points, y: float) -> tuple[float, float]:
    """Return the widest stretch of a ring at a height, from left to right."""
    a, b = ring[:-1], ring[1:]
    crossing = (a[:, 1] <= y) != (b[:, 1] <= y)
    a, b = a[crossing], b[crossing]
    xs = np.sort(a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))
    spans = list(zip(xs[::2].tolist(), xs[1::2].tolist(), strict=False))
    return max(spans, key=lambda span: span[1] - span[0], default=(0.0, 0.0))


def _below_legend(classes: Classes, without: Sequence[str]) -> list[str]:
    """Return the small lines under the legend: how the classes were made, and which areas have no shape."""
    lines = wrapped(classes.sentence, SIDE, SMALL)
    if without:
        names = listed([cleaned_text(name, 40) for name in without], 5)
        lines += ["", *wrapped(f"Ohne Fläche auf der Karte: {names}.", SIDE, SMALL, most_lines=6)]
    return lines


def _on_two_lines(entry: ClassEntry) -> bool:
    """Return whether a class's name leaves no room for its count beside it; call within ``drawing()``."""
    return 29 + text_width(entry.title, TEXT) + 6 + text_width(areas_text(entry.count), SMALL) > SIDE


def _legend(
    sheet: Canvas,
    y: float,
    caption: Caption,
    entries: Sequence[ClassEntry],
    below: list[str],
    reached: Reached | None,
) -> None:
    from matplotlib.path import Path  # noqa: PLC0415

    x = LEGEND_LEFT
    title = wrapped(caption.unit, SIDE, TEXT, bold=True, most_lines=2)
    y = sheet.lines(x, y, title, TEXT, bold=True) + 4
    for entry in entries:
        box = Path([(x, y), (x + 22, y), (x + 22, y + 13), (x, y + 13), (x, y)], closed=True)
        _fill(sheet, [box], entry, 0.7)
        sheet.text(x + 29, y + 10, entry.title, TEXT)
        if _on_two_lines(entry):
            y += 18
        sheet.text(x + SIDE, y + 10, areas_text(entry.count), SMALL, ha="right", color=SOFT)
        y += 18
    if reached is not None:
        y = reached_legend(sheet, x, y + 2, reached)
    sheet.lines(x, y + 4, below, SMALL, color=SOFT)


def _description(
    caption: Caption, entries: Sequence[ClassEntry], without: Sequence[str], reached: Reached | None
) -> str:
    """Return the picture in words, for those who do not see it."""
    counts = "; ".join(f"{entry.title}: {areas_text(entry.count)}" for entry in entries)
    rest = f" Ohne Fläche auf der Karte: {areas_text(len(without))}." if without else ""
    upon = "" if reached is None else f" {reached.title}: {listed([band.title for band in reached.bands])}."
    return f"Karte: {caption.title}. {caption.subtitle} ({caption.unit}; {caption.version}). {counts}.{rest}{upon}"
