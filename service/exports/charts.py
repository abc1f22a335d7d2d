"""The charts of the report: which lines they show and what they show in words; drawn as SVG for the PDF.

They can be read without colour: bars are hatched, lines have their own marks and dashes.
"""

import io
import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import ceil, nan
from typing import Any

from geodata.controlling_rows import ALL_HELPS
from service.exports.parts import Cell, Chart, Key, Line, Look, Table

# Lines of one chart, the city's among them: more cannot be told apart.
_MOST_AREAS = 6
_MILLION = 1e6
# A legend's line holds so many signs, of which each entry's mark takes some.
_LEGEND_SIGNS, _LEGEND_SIGN = 110, 8
# Colours that remain distinct for colour-blind readers and on a grey printer, each with a mark and a dash.
STYLES = (
    ("#0072b2", "o", "solid"),
    ("#d55e00", "s", "dash"),
    ("#00785a", "^", "dash_dot"),
    ("#7a1f5c", "D", "round_dot"),
    ("#8a6d00", "v", "long_dash"),
    ("#4d4d4d", "P", "long_dash_dot"),
    ("#000000", "X", "solid"),
)
BAR, BAR_HATCH = "#a6cbe3", "////"
_DASHES = {
    "solid": "-",
    "dash": (0, (5, 2)),
    "dash_dot": (0, (5, 2, 1, 2)),
    "round_dot": (0, (1, 1.5)),
    "long_dash": (0, (9, 2)),
    "long_dash_dot": (0, (9, 2, 1, 2)),
}


def against_target(table: Table, area_name: str) -> Chart | None:
    """Return the chart of an area's spending against the Zielschwelle; None where no spending is known."""
    spending, target = ("spending_eur", ALL_HELPS), ("target_eur", ALL_HELPS)
    if _blank(table.line(spending)):
        return None
    lines = () if _blank(table.line(target)) else (target,)
    titles = ("Ausgaben", "Zielschwelle")[: 1 + len(lines)]
    said = [
        f"{title}: {_told(table, line)}."
        for title, key in zip(titles, (spending, *lines), strict=True)
        if (line := table.line(key)) is not None
    ]
    title = f"Ausgaben und Zielschwelle: {area_name}" if lines else f"Ausgaben: {area_name}"
    alt = f"Balken- und Liniendiagramm, Millionen Euro. {' '.join(said)}"
    return Chart(title, alt, "Millionen €", table, (spending,), lines, _MILLION, titles)


def of_areas(table: Table, measure: str, title: str, unit: str, city: Key | None) -> Iterator[Chart]:
    """Yield line charts of a measure of the areas, each with the city's line; none where nothing is known."""
    drawn = [line for line in table.lines() if line.key[0] == measure and not _blank(line)]
    areas = [line for line in drawn if line.key != city]
    cities = [line for line in drawn if line.key == city]
    for start in range(0, len(areas), _MOST_AREAS):
        shown = [*areas[start : start + _MOST_AREAS], *cities]
        said = " ".join(f"{line.title}: {_told(table, line)}." for line in shown)
        more = f" ({start // _MOST_AREAS + 1})" if len(areas) > _MOST_AREAS else ""
        yield Chart(
            f"{title}{more}", f"Liniendiagramm. {said}", unit, table, (), tuple(line.key for line in shown), 1.0,
            tuple(line.title for line in shown),
        )  # fmt: skip


def _blank(line: Line | None) -> bool:
    return line is None or all(cell.value is None for cell in line.cells)


def _told(table: Table, line: Line) -> str:
    """Return the first and the last value of a line in words, and how many are lacking."""
    known = [(period, cell) for period, cell in zip(table.periods, line.cells, strict=True) if cell.value is not None]
    ends = [known[0], *known[-1:]] if len(known) > 1 else known
    said = " bis ".join(f"{_shown(cell, line.look)} ({period})" for period, cell in ends)
    lacking = len(line.cells) - len(known)
    return f"{said}, {lacking} ohne Wert" if lacking else said


def _shown(cell: Cell, look: Look) -> str:
    return cell.text(look)


def drawn(charts: Sequence[Chart]) -> list[bytes]:
    """Return the charts as SVG, 17.4 cm wide, the same bytes for the same figures; gaps where there is no value."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to load, for the PDF only

    # That a font is not there, or its list not kept, is no matter of the report's reader.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    # Text stays text, set in the document's own font; ids come from the content, not from chance.
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "sozialraumkarte", "font.family": "sans-serif",
                "font.sans-serif": ["Liberation Sans", "DejaVu Sans"], "font.size": 8, "hatch.linewidth": 0.6,
                "hatch.color": "#0072b2"}  # fmt: skip
    with mpl.rc_context(settings), warnings.catch_warnings():
        # A name may hold a sign the measuring font lacks; the page is set by another program.
        warnings.simplefilter("ignore")
        return [_drawn(chart) for chart in charts]


def _drawn(chart: Chart) -> bytes:
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - slow to load, for the PDF only
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    figure = Figure(figsize=(6.85, 2.45))
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    places = range(len(chart.table.periods))
    shown: list[tuple[Any, str]] = []
    for number, (title, line) in enumerate(chart.series()):
        label = _label(title)
        values = [nan if cell.value is None else cell.value / chart.divisor for cell in line.cells]
        if number < len(chart.bars):
            mark_of: Any = axes.bar(
                places, values, 0.6, label=label, color=BAR, edgecolor="#0072b2", hatch=BAR_HATCH, linewidth=0.8
            )
        else:
            colour, mark, dash = STYLES[number % len(STYLES)]
            (mark_of,) = axes.plot(
                places,
                values,
                label=label,
                color=colour,
                marker=mark,
                linestyle=_DASHES[dash],
                linewidth=1.4,
                markersize=4.5,
            )
        shown.append((mark_of, label))
    axes.set_xticks(list(places), chart.table.periods)
    axes.set_xlim(-0.6, len(places) - 0.4)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.set_ylabel(chart.unit)
    decimals = _decimals(axes.get_yticks())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: Look(decimals).text(value)))
    axes.grid(axis="y", color="#c5cad1", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    names = [label for _handle, label in shown]
    columns = max(1, min(len(names), _LEGEND_SIGNS // (max(map(len, names)) + _LEGEND_SIGN)))
    figure.legend([handle for handle, _label in shown], names, loc="lower center", ncols=columns, frameon=False)
    # Set by hand: letting the library find it draws every chart twice.
    figure.subplots_adjust(left=0.09, right=0.99, top=0.97, bottom=0.12 + 0.075 * ceil(len(names) / columns))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _label(title: str) -> str:
    """Return a name as matplotlib shows it as it is: no formula between dollars, and no underscore that hides it."""
    plain = title.replace("$", r"\$")
    return f"\N{NO-BREAK SPACE}{plain}" if plain.startswith("_") else plain


def _decimals(ticks: Iterable[float]) -> int:
    """Return how many decimals tell the ticks of an axis apart."""
    step = min((abs(one - other) for one, other in pairwise(ticks)), default=1.0)
    return 0 if step >= 1 else 1 if step >= 0.1 else 2
