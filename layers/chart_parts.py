"""What charts are drawn from: how series look, the scale of an axis, and pieces of SVG whose texts are escaped.

The SVG stands in pages with a strict policy: it has neither style attributes nor ids, so that two charts on one page
never disturb each other, and no script. Sizes are px of the chart's own box.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from html import escape
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from geodata import words
from layers.drawing import cleaned_text, text_width, wrapped
from layers.palette import INK, SOFT

TEXT, SMALL = 12.5, 11.0
GRID = "#d5d9de"
FONTS = "Liberation Sans, Arial, Helvetica, DejaVu Sans, sans-serif"
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MOST_DECIMALS = 6
_NOTHING = 1e-9  # smaller differences cannot be drawn, nor written


class Lack(Enum):
    """Why there is no number, where it is not simply missing (None)."""

    SUPPRESSED = "•"


SUPPRESSED: Final = Lack.SUPPRESSED
Value: TypeAlias = float | Lack | None
"""A number; None: missing; ``SUPPRESSED``: not published. Nought is a number."""

Mark: TypeAlias = Literal["circle", "square", "triangle", "diamond", "down", "plus", "cross"]
Anchor: TypeAlias = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a line is told from the others: colour, mark and dashes (as SVG writes them, "" for none)."""

    colour: str
    mark: Mark
    dashes: str


# Colours that remain distinct for colour-blind readers and on a grey printer, each with a mark and dashes of its own.
LOOKS: tuple[Look, ...] = (
    Look("#0072b2", "circle", ""),
    Look("#d55e00", "square", "7 3"),
    Look("#00785a", "triangle", "7 3 2 3"),
    Look("#7a1f5c", "diamond", "2 2.5"),
    Look("#8a6d00", "down", "12 3"),
    Look("#4d4d4d", "plus", "12 3 2 3"),
)
CITY_LOOK = Look("#000000", "cross", "")
BARS: tuple[str, ...] = ("#a6cbe3", "#5d6b78", "#f2e3c2")
BAR_EDGE = "#0b3a5e"
TARGET = "#a11b1b"


@dataclass(frozen=True, slots=True)
class Wording:
    """What a chart says besides its texts: ``write`` writes a number with so many decimals."""

    suppressed: str = "• nicht veröffentlicht (kleine Fallzahl)"
    gap: str = "Lücke: keine Angabe"
    dashed: str = "gestrichelt: keine Angabe"
    missing: str = "fehlt"
    nothing: str = "ohne Wert"
    write: Callable[[float, int], str] = words.number


GERMAN = Wording()


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from ``low`` to ``high`` drawn from ``start`` to ``end`` px, with round ``ticks``."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return where a value is drawn."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def decimals(self) -> int:
        """Return how many decimals tell the ticks apart."""
        return decimals_of([other - one for one, other in pairwise(self.ticks)])


def known(values: Iterable[Value]) -> list[float]:
    """Return the numbers among values."""
    return [float(value) for value in values if isinstance(value, int | float) and math.isfinite(value)]


def number_of(value: Value) -> float | None:
    """Return a value if it is a number."""
    return next(iter(known([value])), None)


def is_missing(value: Value) -> bool:
    """Return whether there is neither a number nor a suppressed one."""
    return value is not SUPPRESSED and number_of(value) is None


def scale_of(values: Sequence[float], start: float, end: float, most_ticks: int = 6) -> Scale:
    """Return an axis over values and nought, its ends at round ticks, at most so many."""
    low, high = min([0.0, *values]), max([0.0, *values])
    if high - low < _NOTHING:
        low, high = 0.0, 1.0
    rough = (high - low) / max(1, most_ticks - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in _STEPS:
        step = factor * power
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first < most_ticks:
            break
    ticks = tuple(round(number * step, 12) for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], start, end, ticks)


def decimals_of(steps: Iterable[float]) -> int:
    """Return how many decimals numbers with these differences need to be told apart."""
    least = min((abs(step) for step in steps if step), default=1.0)
    for decimals in range(_MOST_DECIMALS):
        scaled = least * 10**decimals
        if abs(scaled - round(scaled)) < 1e-6 * max(1.0, scaled):
            return decimals
    return _MOST_DECIMALS


def px(value: float) -> str:
    """Return a length as SVG takes it, to a tenth."""
    rounded = round(value, 1)
    return f"{rounded:g}" if abs(rounded) < 1e5 else f"{rounded:.1f}"


def width_of(said: str, size: float) -> float:
    """Return how wide a text is as ``text`` writes it; call within ``drawing()``."""
    return text_width(cleaned_text(said), size)


def text(
    x: float, y: float, said: str, *, size: float = TEXT, anchor: Anchor = "start", colour: str = INK,
    bold: bool = False, italic: bool = False,
) -> str:  # fmt: skip
    """Return one line of text, escaped, with its baseline at a point."""
    look = (' font-weight="bold"' if bold else "") + (' font-style="italic"' if italic else "")
    return (
        f'<text x="{px(x)}" y="{px(y)}" font-size="{px(size)}" text-anchor="{anchor}" fill="{colour}"{look}>'
        f"{escape(cleaned_text(said))}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0, dashes: str = "") -> str:
    """Return a straight line."""
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{px(x1)}" y1="{px(y1)}" x2="{px(x2)}" y2="{px(y2)}" stroke="{colour}" '
        f'stroke-width="{px(width)}"{dash}/>'
    )


def rect(x: float, y: float, width: float, height: float, fill: str, edge: str = BAR_EDGE, dashes: str = "") -> str:
    """Return a rectangle."""
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<rect x="{px(x)}" y="{px(y)}" width="{px(max(0.0, width))}" height="{px(max(0.0, height))}" fill="{fill}" '
        f'stroke="{edge}" stroke-width="0.8"{dash}/>'
    )


def polyline(points: Sequence[tuple[float, float]], look: Look, width: float = 2.0) -> str:
    """Return a line through points."""
    along = " ".join(f"{px(x)},{px(y)}" for x, y in points)
    dash = f' stroke-dasharray="{look.dashes}"' if look.dashes else ""
    return f'<polyline points="{along}" fill="none" stroke="{look.colour}" stroke-width="{px(width)}"{dash}/>'


_SHAPES: dict[Mark, tuple[tuple[float, float], ...]] = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "triangle": ((0, -1.2), (1.2, 0.9), (-1.2, 0.9)),
    "diamond": ((0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)),
    "down": ((0, 1.2), (1.2, -0.9), (-1.2, -0.9)),
    "plus": (
        (-0.4, -1.3), (0.4, -1.3), (0.4, -0.4), (1.3, -0.4), (1.3, 0.4), (0.4, 0.4), (0.4, 1.3), (-0.4, 1.3),
        (-0.4, 0.4), (-1.3, 0.4), (-1.3, -0.4), (-0.4, -0.4),
    ),
    "cross": (
        (0, -0.5), (0.8, -1.3), (1.3, -0.8), (0.5, 0), (1.3, 0.8), (0.8, 1.3), (0, 0.5), (-0.8, 1.3), (-1.3, 0.8),
        (-0.5, 0), (-1.3, -0.8), (-0.8, -1.3),
    ),
}  # fmt: skip


def mark(x: float, y: float, look: Look, radius: float = 4.0) -> str:
    """Return the mark of a line at a point."""
    paint = f'fill="{look.colour}" stroke="#ffffff" stroke-width="0.8"'
    if look.mark == "circle":
        return f'<circle cx="{px(x)}" cy="{px(y)}" r="{px(radius)}" {paint}/>'
    corners = " ".join(f"{px(x + radius * dx)},{px(y + radius * dy)}" for dx, dy in _SHAPES[look.mark])
    return f'<polygon points="{corners}" {paint}/>'


def document(title: str, description: str, width: float, height: float, pieces: Iterable[str]) -> str:
    """Return a whole SVG with title and description; it scales with the page's width."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{px(width)}" height="{px(height)}" '
        f'viewBox="0 0 {px(width)} {px(height)}" font-family="{FONTS}" role="img" focusable="false">'
        f"<title>{escape(cleaned_text(title))}</title><desc>{escape(cleaned_text(description, 2000))}</desc>"
        f"{''.join(pieces)}</svg>"
    )


@dataclass(slots=True)
class Label:
    """A label beside a line's end: its lines of text, where it would stand (middle) and where it does."""

    lines: list[str]
    wanted: float
    look: Look
    point: tuple[float, float] | None
    y: float = 0.0

    @property
    def height(self) -> float:
        """How tall it is."""
        return 1.2 * SMALL * len(self.lines) + 2


def label_of(title: str, room: float, wanted: float, look: Look, point: tuple[float, float] | None) -> Label:
    """Return a label in at most two lines of a width."""
    return Label(wrapped(title, room, SMALL, most_lines=2) or ["–"], wanted, look, point)


def spread(labels: Sequence[Label], top: float, bottom: float) -> None:
    """Move labels apart so that none covers another, as little as may be, from top to bottom."""
    ordered = sorted(labels, key=lambda one: one.wanted)
    below = top
    for one in ordered:
        one.y = max(one.wanted, below + one.height / 2)
        below = one.y + one.height / 2
    above = bottom
    for one in reversed(ordered):
        one.y = min(one.y, above - one.height / 2)
        above = one.y - one.height / 2


def note_lines(notes: Iterable[str], width: float) -> list[str]:
    """Return notes in lines below a chart."""
    said = "; ".join(notes)
    return wrapped(said, width, SMALL, most_lines=3) if said else []


def notes_at(lines: Sequence[str], x: float, y: float) -> list[str]:
    """Return notes as text, the first line's baseline at y."""
    return [text(x, y + 1.3 * SMALL * at, said, size=SMALL, colour=SOFT) for at, said in enumerate(lines)]
