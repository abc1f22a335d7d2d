"""The area reached, drawn on a picture of a map of numbers, and its lines of the legend."""

from typing import Any

import numpy as np

from layers.drawing import Canvas, wrapped
from layers.extent import polygons
from layers.palette import INK, WHITE
from layers.paths import path_of
from layers.reach_layer import COLOURS, DASHES, OPACITY, Reached
from layers.sheet import SIDE, TEXT, Frame

_ROW = 18.0


def draw_reached(sheet: Canvas, frame: Frame, reached: Reached) -> None:
    """Draw the bands from the outermost inwards, then the point; nothing beside the map."""
    from matplotlib.collections import PathCollection  # noqa: PLC0415
    from matplotlib.patches import Circle, Rectangle  # noqa: PLC0415

    inside = Rectangle((frame.left, frame.top), frame.width, frame.height, transform=sheet.axes.transData)
    for at, band in reversed(list(enumerate(reached.bands))):
        path = path_of([[frame.points(ring) for ring in part] for part in polygons(band.geometry)])
        looks: tuple[dict[str, Any], ...] = (
            {"facecolor": COLOURS[at], "alpha": OPACITY, "linewidth": 0},
            {"facecolor": "none", "edgecolor": COLOURS[at], "linewidth": 1.6, "linestyle": _dashes(at)},
        )
        for look in looks:
            drawn = PathCollection([path], **look)
            sheet.axes.add_collection(drawn, autolim=False)
            drawn.set_clip_path(inside)
    if reached.start is not None:
        (x, y) = frame.points(np.array([reached.start]))[0].tolist()
        point = Circle((x, y), 4.0, facecolor=INK, edgecolor=WHITE, linewidth=1.4)
        sheet.axes.add_patch(point)
        point.set_clip_path(inside)


def reached_height(reached: Reached | None) -> float:
    """Return how much room the lines of the legend take; call within ``drawing()``."""
    if reached is None:
        return 0.0
    lines = [len(_said(title)) for title in _titles(reached)]
    return 1.35 * TEXT * len(_heading(reached)) + 4 + sum(_ROW + 1.35 * TEXT * (count - 1) for count in lines) + 6


def reached_legend(sheet: Canvas, x: float, y: float, reached: Reached) -> float:
    """Write the lines of the legend below a point; return where they end."""
    from matplotlib.patches import Circle, Rectangle  # noqa: PLC0415

    y = sheet.lines(x, y, _heading(reached), TEXT, bold=True) + 4
    for at, title in enumerate(_titles(reached)):
        band = at - (reached.start is not None)
        if band < 0:
            sheet.axes.add_patch(Circle((x + 11, y + 6.5), 4.0, facecolor=INK, edgecolor=WHITE, linewidth=1.4))
        else:
            line, dashes = COLOURS[band], _dashes(band)
            sheet.axes.add_patch(Rectangle((x, y), 22, 13, facecolor=line, alpha=OPACITY, linewidth=0))
            sheet.axes.add_patch(
                Rectangle((x, y), 22, 13, facecolor="none", edgecolor=line, linewidth=1.6, linestyle=dashes)
            )
        said = _said(title)
        sheet.lines(x + 29, y + 10 - TEXT, said, TEXT)
        y += _ROW + 1.35 * TEXT * (len(said) - 1)
    return y + 6


def _dashes(at: int) -> tuple[int, tuple[float, ...]] | str:
    return (0, tuple(0.6 * float(part) for part in DASHES[at].split())) if DASHES[at] else "solid"


def _heading(reached: Reached) -> list[str]:
    return wrapped(reached.title, SIDE, TEXT, bold=True, most_lines=2)


def _titles(reached: Reached) -> list[str]:
    return [*([reached.start_title] if reached.start is not None else []), *(band.title for band in reached.bands)]


def _said(title: str) -> list[str]:
    return wrapped(title, SIDE - 29, TEXT, most_lines=3)
