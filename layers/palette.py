"""Colour and shape of each category of places, and the colours and patterns of maps of numbers.

Eleven hues cannot all be told apart by everybody, so each category also has a shape of its own; colour only helps.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TypeAlias

from geodata.categories import TITLES

WHITE = "#ffffff"
GROUND = "#eef0f2"  # the map without background tiles; --srk-ground in srk-map.css
BOX = 24  # symbols are drawn in a box of 24 by 24 units


@dataclass(frozen=True, slots=True)
class CategoryStyle:
    """How one category is shown: its German title, its colour and its outline as an SVG path in a 24 by 24 box."""

    category: str
    title: str
    colour: str
    shape: str


_CLOVER = "M12 7.5a5 5 0 1 1 4.5 4.5a5 5 0 1 1-4.5 4.5a5 5 0 1 1-4.5-4.5a5 5 0 1 1 4.5-4.5z"
_HEART = "M12 21.5C4.5 15.5 2 12 2 8.2A5.3 5.3 0 0 1 12 5.6A5.3 5.3 0 0 1 22 8.2C22 12 19.5 15.5 12 21.5z"
_STAR = "M12 1.5l3.1 6.9 7.4.8-5.5 5 1.6 7.3-6.6-3.8-6.6 3.8 1.6-7.3-5.5-5 7.4-.8z"

_ALL = (
    CategoryStyle("okja", TITLES["okja"], "#0072b2", "M12 2a10 10 0 1 1 0 20a10 10 0 1 1 0-20z"),
    CategoryStyle("famfoe", TITLES["famfoe"], "#d1495b", _HEART),
    CategoryStyle("sha", TITLES["sha"], "#00785a", "M7 2.5h10L22.5 12 17 21.5H7L1.5 12z"),
    CategoryStyle("hze", TITLES["hze"], "#7a1f5c", "M12 1l11 11-11 11L1 12z"),
    CategoryStyle("jsa", TITLES["jsa"], "#b04e00", "M12 2.5L22.5 21h-21z"),
    CategoryStyle("asd", TITLES["asd"], "#332288", "M3 3h18v18H3z"),
    CategoryStyle("kita", TITLES["kita"], "#c8328c", _CLOVER),
    CategoryStyle("schule", TITLES["schule"], "#8a5fd0", "M12 1.5L22 9.5V22H2V9.5z"),
    CategoryStyle("spielplatz", TITLES["spielplatz"], "#587a00", _STAR),
    CategoryStyle("netzwerk", TITLES["netzwerk"], "#1f2328", "M8 2h8v6h6v8h-6v6H8v-6H2V8h6z"),
    CategoryStyle("sonstige", TITLES["sonstige"], "#6a6f76", "M1.5 3h21L12 21.5z"),
)

STYLES: Mapping[str, CategoryStyle] = MappingProxyType({style.category: style for style in _ALL})


def style_of(category: str) -> CategoryStyle:
    """Return a category's style; a category we do not know looks like "Sonstige Orte"."""
    return STYLES.get(category, STYLES["sonstige"])


def symbol_svg(style: CategoryStyle, size_px: int, title: str | None = None) -> str:
    """Return the symbol as inline SVG, without style attributes; with a title it speaks, else it is decoration."""
    # The outline in white keeps a symbol apart from what lies under it, so the box is a little larger than the shape.
    spoken = f'role="img" aria-label="{escape(title)}"' if title else 'aria-hidden="true"'
    return (
        f'<svg class="srk-symbol" width="{int(size_px)}" height="{int(size_px)}" viewBox="-1 -1 26 26" '
        f'focusable="false" {spoken}><path d="{escape(style.shape)}" fill="{escape(style.colour)}" '
        f'stroke="{WHITE}" stroke-width="1.5" stroke-linejoin="round"></path></svg>'
    )


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour "#rrggbb" (WCAG 2)."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2), from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


# Maps of numbers. Colours run in equal steps of lightness (CIELAB L*), so that they keep their order in every kind of
# colour blindness and on a grey printer; none is darker than L* 48, so that the ink of outlines stays 3:1 against all.
INK = "#1f2328"  # outlines and labels; --srk-ink in srk-map.css
SOFT = "#4a5663"  # the second ink; --srk-soft
ZERO = WHITE
_LIGHTEST, _DARKEST = 89.0, 48.0
_SEQUENTIAL = ((89.0, -5.0, 24.0), (68.0, -27.0, -3.0), (48.0, -6.0, -38.0))  # straw, sea green, blue
_BELOW = ((89.0, -6.0, -12.0), (48.0, -6.0, -40.0))  # blue
_ABOVE = ((89.0, 8.0, 20.0), (48.0, 33.0, 48.0))  # orange
_MIDDLE = "#f4f2ee"

Lab: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A fill that is no colour: an SVG path in a square tile of ``size`` px, in one ink on one ground.

    ``stroke`` is the width of its lines in px, or 0 where the path is filled.
    """

    size: int
    path: str
    stroke: float
    ink: str
    ground: str


PATTERNS: Mapping[str, Pattern] = MappingProxyType(
    {
        # Missing: thin lines from lower left to upper right. Suppressed: dots, like the dot in the tables.
        "missing": Pattern(8, "M-2 2l4-4M0 8l8-8M6 10l4-4", 1.0, "#767c84", WHITE),
        "suppressed": Pattern(7, "M3.5 1.9a1.6 1.6 0 1 1 0 3.2a1.6 1.6 0 1 1 0-3.2z", 0.0, SOFT, "#f1ecf4"),
    }
)


def sequential(count: int) -> list[str]:
    """Return colours for ``count`` classes from few (light) to many (dark)."""
    if count == 1:
        return [_on(_SEQUENTIAL, 0.5)]
    return [_on(_SEQUENTIAL, at / (count - 1)) for at in range(count)]


def diverging(step: int, steps: int) -> str:
    """Return the colour of a class ``step`` (signed) away from the middle of a scale of ``steps`` to each side.

    Below the middle is blue, above it orange; equal distances are equally light.
    """
    if not 0 < abs(step) <= steps:
        if step == 0:
            return _MIDDLE
        raise ValueError("a step lies within its scale")
    ramp = _BELOW if step < 0 else _ABOVE
    return _on(ramp, 0.5 if steps == 1 else (abs(step) - 1) / (steps - 1))


def _on(ramp: Sequence[Lab], at: float) -> str:
    """Return the colour at a share (0 to 1) of a ramp's lightness."""
    light = _LIGHTEST + at * (_DARKEST - _LIGHTEST)
    for start, end in itertools.pairwise(ramp):
        if light >= end[0] - 1e-9:
            part = (start[0] - light) / (start[0] - end[0])
            a, b = (s + part * (e - s) for s, e in zip(start[1:], end[1:], strict=True))
            return _hex((light, a, b))
    raise ValueError("a share of a ramp is 0 to 1")


def _hex(lab: Lab) -> str:
    """Return a CIELAB colour (D65) as "#rrggbb"; what a screen cannot show is cut to the nearest channel."""
    light, a, b = lab
    middle = (light + 16) / 116
    x, y, z = (
        white * (f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29))
        for white, f in zip((0.95047, 1.0, 1.08883), (middle + a / 500, middle, middle - b / 200), strict=True)
    )
    linear = (
        3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
        -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
        0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
    )
    channels = (min(1.0, max(0.0, c)) for c in linear)
    coded = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in channels)
    return "#" + "".join(f"{round(255 * c):02x}" for c in coded)


def ink_on(fill: str) -> str:
    """Return the ink, black or white, in which text reads best on a fill: at least 4.5:1 on every colour."""
    return max(("#000000", WHITE), key=lambda ink: contrast(ink, fill))
