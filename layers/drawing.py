"""Drawing on the server: matplotlib without its global state, texts that stay text, the same bytes each time."""

import io
import re
import threading
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from html import escape
from typing import Any, Literal, TypeAlias

ImageKind: TypeAlias = Literal["svg", "png"]
IMAGE_TYPES: dict[ImageKind, str] = {"svg": "image/svg+xml", "png": "image/png"}
PNG_DPI = 150
_POINTS_PER_INCH = 72
_LONGEST = 600
_LOCK = threading.RLock()
_RULES: dict[Any, Any] = {
    "svg.fonttype": "none",  # text is text: it can be selected, searched and read aloud
    "svg.hashsalt": "sozialraumkarte",
    "hatch.linewidth": 0.7,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "axes.unicode_minus": True,
    "path.simplify": False,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Hold matplotlib's rules for the time of one drawing; they are global, so one is drawn after the other."""
    import matplotlib as mpl  # noqa: PLC0415 - only pictures pay for it

    with _LOCK, mpl.rc_context(_RULES):
        # A sign that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        yield


def cleaned_text(text: str, longest: int = _LONGEST) -> str:
    """Return a text as one line that every XML reader takes: no control or direction signs, cut with "…".

    Line ends become spaces, what is no character at all becomes "\N{REPLACEMENT CHARACTER}".
    """
    # Cut first: nobody reads ten thousand letters in a picture, and each would be looked at.
    kept = text if len(text) <= longest else text[: longest - 1] + "…"
    signs = []
    for sign in kept:
        kind = "" if sign.isprintable() else unicodedata.category(sign)
        if kind in {"", "Zs"}:
            signs.append(sign)
        elif kind in {"Cc", "Zl", "Zp"}:
            signs.append(" ")
        elif kind in {"Cs", "Cn"}:
            signs.append("\N{REPLACEMENT CHARACTER}")
    return re.sub(" +", " ", "".join(signs)).strip(" ")


@lru_cache(maxsize=20_000)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is in points when drawn at a size in points."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415
    from matplotlib.textpath import text_to_path  # noqa: PLC0415

    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width)


def wrapped(text: str, width: float, size: float, *, bold: bool = False, most_lines: int = 8) -> list[str]:
    """Return a cleaned text in lines that fit into a width (points); what is beyond the last line ends in "…"."""
    lines: list[str] = [""]
    words = [part for word in cleaned_text(text).split(" ") for part in _pieces(word, width, size, bold=bold)]
    for word in words:
        longer = f"{lines[-1]} {word}".strip(" ")
        if text_width(longer, size, bold=bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    lines = [line for line in lines if line]
    if len(lines) > most_lines:
        last = lines[most_lines - 1]
        while last and text_width(last + "…", size, bold=bold) > width:
            last = last[:-1]
        lines = [*lines[: most_lines - 1], last.rstrip(" ") + "…"]
    return lines


def _pieces(word: str, width: float, size: float, *, bold: bool) -> list[str]:
    """Return a word cut into pieces that each fit; a usual word stays whole."""
    pieces = []
    while word and text_width(word, size, bold=bold) > width:
        low, high = 1, len(word)
        while low < high:
            half = (low + high + 1) // 2
            low, high = (half, high) if text_width(word[:half], size, bold=bold) <= width else (low, half - 1)
        pieces.append(word[:low])
        word = word[low:]
    return [*pieces, word] if word else pieces


class Canvas:
    """A white sheet measured in points from its upper left corner; what is drawn later lies above."""

    def __init__(self, width: float, height: float) -> None:
        """Open a sheet; call within ``drawing()``."""
        from matplotlib.figure import Figure  # noqa: PLC0415

        self.width, self.height = width, height
        self._figure = Figure((width / _POINTS_PER_INCH, height / _POINTS_PER_INCH), facecolor="white")
        self.axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.set_axis_off()

    def text(self, x: float, y: float, text: str, size: float, *, bold: bool = False, **look: Any) -> None:  # noqa: ANN401 - matplotlib's
        """Write one line of cleaned text, by default with its baseline's left end at the point."""
        look = {"color": "#1f2328", "ha": "left", "va": "baseline", **look}
        # Without this a name between two dollar signs would be read as a formula.
        self.axes.text(
            x, y, cleaned_text(text), fontsize=size, fontweight="bold" if bold else "normal", parse_math=False, **look
        )

    def lines(self, x: float, y: float, lines: list[str], size: float, *, bold: bool = False, **look: Any) -> float:  # noqa: ANN401 - matplotlib's
        """Write lines below each other, the first with its top at y; return where the next would begin."""
        for line in lines:
            self.text(x, y + size, line, size, bold=bold, **look)
            y += 1.35 * size
        return y

    def image(self, kind: ImageKind, title: str, description: str) -> bytes:
        """Return the sheet as a file; title and description are read aloud and stand in the SVG only."""
        out = io.BytesIO()
        if kind == "png":
            self._figure.savefig(out, format="png", dpi=PNG_DPI, metadata={"Software": None})
            return out.getvalue()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        self._figure.savefig(out, format="svg", dpi=_POINTS_PER_INCH, metadata=nothing)
        text = re.sub(r"<!DOCTYPE[^>]*>\s*", "", out.getvalue().decode("utf-8"), count=1)
        said = f"<title>{escape(cleaned_text(title))}</title>\n <desc>{escape(cleaned_text(description, 2000))}</desc>"
        head = re.search(r"<svg\b[^>]*>", text)
        if head is None:
            raise ValueError("the drawing is no SVG")
        opened = head[0].replace("<svg", '<svg role="img"', 1)
        return f"{text[: head.start()]}{opened}\n {said}{text[head.end() :]}".encode()
