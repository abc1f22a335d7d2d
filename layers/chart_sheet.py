"""A chart as a file of its own: what it is, its version, notice and sources stand on it, as on pictures of maps."""

from collections.abc import Sequence
from dataclasses import replace

from layers import chart_parts as parts
from layers.charts import BarChart, SeriesChart, chart_svg
from layers.drawing import drawing, wrapped
from layers.palette import INK, SOFT, WHITE
from layers.sheet import MARGIN, WIDTH, Caption

_TITLE, _UNDER, _NOTE = 18.0, 12.5, 10.5
_LINE = 1.35
_GAP = 12.0
_NOTICE = "#8a1c1c"


def chart_sheet(chart: SeriesChart | BarChart, caption: Caption) -> bytes:
    """Return the chart as an SVG file with its caption; the same input gives the same bytes.

    The caption's title is the file's, its unit stands at the chart's axis already.
    """
    room = WIDTH - 2 * MARGIN
    inner = chart_svg(replace(chart, width=room))
    height = float(inner.partition(' height="')[2].partition('"')[0])
    pieces: list[str] = []
    with drawing():
        y = MARGIN
        under = " · ".join(part for part in (caption.subtitle, caption.version) if part)
        for said, size, colour, bold, most in (
            (caption.title, _TITLE, INK, True, 3),
            (under, _UNDER, SOFT, False, 3),
            (caption.notice, _UNDER, _NOTICE, True, 2),
        ):
            lines = wrapped(said, room, size, bold=bold, most_lines=most)
            pieces += _written(lines, y, size, colour, bold=bold)
            y += _LINE * size * len(lines)
        y += _GAP
        pieces.append(inner.replace("<svg ", f'<svg x="{parts.px(MARGIN)}" y="{parts.px(y)}" ', 1))
        y += height + _GAP
        sources = (one if one.startswith("Quelle") else f"Quelle: {one}" for one in caption.sources)
        below = [line for said in (*caption.notes, *sources) for line in wrapped(said, room, _NOTE, most_lines=8)]
        pieces += _written(below, y, _NOTE, SOFT)
        y += _LINE * _NOTE * len(below) + MARGIN
    white = parts.rect(0, 0, WIDTH, y, WHITE, WHITE)
    return parts.document(caption.title, chart.description, WIDTH, y, [white, *pieces]).encode()


def _written(lines: Sequence[str], y: float, size: float, colour: str, *, bold: bool = False) -> list[str]:
    """Return lines of text below each other, the first with its top at y."""
    return [
        parts.text(MARGIN, y + size + _LINE * size * at, said, size=size, colour=colour, bold=bold)
        for at, said in enumerate(lines)
    ]
