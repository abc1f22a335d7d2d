"""Colour and shape of each category of places.

Eleven hues cannot all be told apart by everybody, so each category also has a shape of its own; colour only helps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

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
