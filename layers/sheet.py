"""What all pictures of maps share: the caption, where the map lies on the sheet, north, scale and sources."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from geodata.words import number
from layers.drawing import Canvas, wrapped
from layers.palette import GROUND, INK, SOFT

Points: TypeAlias = NDArray[np.float64]

WIDTH = 760.0
MARGIN = 24.0
SIDE = 196.0  # the column of the legend
LEGEND_LEFT = WIDTH - MARGIN - SIDE
MAP_WIDTH = WIDTH - 3 * MARGIN - SIDE
STRIP = 28.0  # below the map, for scale and north
TEXT, SMALL = 9.0, 7.5
_TALLEST, _LOWEST = 560.0, 300.0
_INNER = 12.0
_METRES_PER_DEGREE = 111_320.0  # along a meridian, and at the equator


@dataclass(frozen=True, slots=True)
class Caption:
    """What a picture says about itself: title, below it what and when, its version ("Veröffentlichungsfassung").

    ``unit`` stands at the legend. ``sources`` are whole lines, ``notes`` other footnotes; ``notice`` says of a demo or
    example database what it is.
    """

    title: str
    unit: str
    version: str
    sources: Sequence[str]
    subtitle: str = ""
    notice: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the map lies on the sheet (points), and how degrees become points on it; north is up."""

    left: float
    top: float
    width: float
    height: float
    west: float
    north: float
    per_lon: float
    per_lat: float

    def points(self, lonlat: Points) -> Points:
        """Return degrees (n, 2) as points of the sheet, to a tenth: finer is not seen and only makes files large."""
        xy = (lonlat[:, :2] - [self.west, self.north]) * [self.per_lon, -self.per_lat] + [self.left, self.top]
        rounded: Points = np.round(xy, 1)
        return rounded

    @property
    def metres_per_point(self) -> float:
        """How many metres a point of the sheet is, from north to south and, in the middle, from west to east."""
        return _METRES_PER_DEGREE / self.per_lat


def frame_of(
    lonlat: Sequence[Points],
    left: float,
    top: float,
    width: float = MAP_WIDTH,
    heights: tuple[float, float] = (_LOWEST, _TALLEST),
) -> Frame:
    """Return the frame in which all points (degrees, n by 2) fit, so wide and of a height between the two (points)."""
    every = np.concatenate(list(lonlat)) if lonlat else np.array([(5.9, 47.3), (15.0, 55.1)])
    (west, south), (east, north) = every.min(axis=0), every.max(axis=0)
    shrink = math.cos(math.radians((south + north) / 2))  # a degree of longitude against one of latitude
    across, down = max((east - west) * shrink, 1e-6), max(north - south, 1e-6)
    inner = min(_INNER, width / 8)
    height = min(heights[1], max(heights[0], (width - 2 * inner) * down / across + 2 * inner))
    per_lat = min((width - 2 * inner) / across, (height - 2 * inner) / down)
    west_edge = west - (width / per_lat - across) / 2 / shrink
    north_edge = north + (height / per_lat - down) / 2
    return Frame(left, top, width, height, float(west_edge), float(north_edge), per_lat * shrink, per_lat)


class Heading:
    """Title, what and when, version and notice above the map."""

    def __init__(self, caption: Caption, width: float) -> None:
        """Break the lines for a sheet of a width in points."""
        room = width - 2 * MARGIN
        self.title = wrapped(caption.title, room, 15, bold=True, most_lines=3)
        under = " · ".join(part for part in (caption.subtitle, caption.version) if part)
        self.under = wrapped(under, room, 10, most_lines=3)
        self.notice = wrapped(caption.notice, room, 10, bold=True, most_lines=2)
        self.height = MARGIN + 20.25 * len(self.title) + 13.5 * (len(self.under) + len(self.notice)) + 10

    def draw(self, sheet: Canvas) -> None:
        """Write it at the top of a sheet."""
        y = sheet.lines(MARGIN, MARGIN, self.title, 15, bold=True)
        y = sheet.lines(MARGIN, y, self.under, 10, color=SOFT)
        sheet.lines(MARGIN, y, self.notice, 10, bold=True, color="#8a1c1c")


def ground(sheet: Canvas, frame: Frame, strip: float = STRIP) -> None:
    """Draw the ground of the map, as light as in the browser, and a strip of it below for scale and north."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    size = (frame.width, frame.height + strip)
    sheet.axes.add_patch(Rectangle((frame.left, frame.top), *size, facecolor=GROUND, edgecolor="none"))


def scale_and_north(sheet: Canvas, frame: Frame) -> None:
    """Draw into the strip a round length of at most a fifth of the map's width, and where north is."""
    from matplotlib.patches import Polygon  # noqa: PLC0415

    metres = scale_metres(frame.metres_per_point * frame.width / 5)
    long = metres / frame.metres_per_point
    x, y = frame.left + 12, frame.top + frame.height + STRIP - 8
    sheet.axes.plot([x, x, x + long, x + long], [y - 4, y, y, y - 4], color=INK, linewidth=1.2, solid_joinstyle="miter")
    text = f"{number(metres / 1000)} km" if metres >= 1000 else f"{number(metres)} m"
    sheet.text(x + long / 2, y - 6, text, 8, ha="center")
    x = frame.left + frame.width - 16
    arrow = [(x, y - 16), (x + 5, y - 1), (x, y - 4), (x - 5, y - 1)]
    sheet.axes.add_patch(Polygon(arrow, facecolor=INK, linewidth=0))
    sheet.text(x - 9, y - 3, "N", 9, bold=True, ha="right")


def scale_metres(most: float) -> int:
    """Return the largest 1, 2 or 5 times a power of ten that is at most so many metres (and at least 1)."""
    power = 10 ** max(0, math.floor(math.log10(most)))
    return max([step * power for step in (1, 2, 5) if step * power <= most], default=1)


def _footer_lines(caption: Caption, width: float) -> list[str]:
    said = [
        *caption.notes,
        *(source if source.startswith("Quelle") else f"Quelle: {source}" for source in caption.sources),
    ]
    return [line for text in said for line in wrapped(text, width - 2 * MARGIN, SMALL, most_lines=4)]


def footer_height(caption: Caption, width: float) -> float:
    """Return how tall notes and sources are below the map, in points."""
    return MARGIN + 10 + 1.35 * SMALL * len(_footer_lines(caption, width))


def footer(sheet: Canvas, y: float, caption: Caption) -> None:
    """Write notes and sources below the map."""
    sheet.lines(MARGIN, y + 10, _footer_lines(caption, sheet.width), SMALL, color=SOFT)
