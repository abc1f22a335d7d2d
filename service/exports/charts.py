"""The charts of the report: which lines they show and what they show in words; drawn as SVG for the PDF.

They can be read without colour: lines have their own marks, dashes and labels (``layers.charts``).
"""

from collections.abc import Iterator, Sequence

from geodata.controlling_rows import ALL_HELPS
from geodata.periods import short, spoken, when
from layers.chart_parts import BARS, CITY_LOOK, LOOKS, Mark
from layers.charts import SUPPRESSED, Kind, Series, SeriesChart, Value, series_chart
from service.exports.parts import Cell, Chart, Key, Line, Look, Table

# The measure that is a threshold.
TARGET = "target_eur"
# Areas in one chart, besides the city: more cannot be told apart.
_MOST_AREAS = 6
_MILLION = 1e6
# How a spreadsheet names the dashes of our lines.
_DASHES = ("solid", "dash", "dash_dot", "round_dot", "long_dash", "long_dash_dot")
_STYLES = tuple((look.colour, look.mark, dash) for look, dash in zip(LOOKS, _DASHES, strict=True))
BAR = BARS[0]
# The width of the text on a page of the PDF, in px.
_WIDTH, _HEIGHT = 657.0, 255.0


def against_target(table: Table, area_name: str) -> Chart | None:
    """Return the chart of an area's spending against the Zielschwelle; None where no spending is known."""
    spending, target = ("spending_eur", ALL_HELPS), (TARGET, ALL_HELPS)
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
            tuple(line.title for line in shown), city,
        )  # fmt: skip


def _blank(line: Line | None) -> bool:
    return line is None or all(cell.value is None for cell in line.cells)


def _told(table: Table, line: Line) -> str:
    """Return the first and the last value of a line in words, and how many are lacking."""
    known = [(period, cell) for period, cell in zip(table.periods, line.cells, strict=True) if cell.value is not None]
    ends = [known[0], *known[-1:]] if len(known) > 1 else known
    said = " bis ".join(f"{_shown(cell, line.look)} ({spoken(period)})" for period, cell in ends)
    lacking = len(line.cells) - len(known)
    return f"{said}, {lacking} ohne Wert" if lacking else said


def _shown(cell: Cell, look: Look) -> str:
    return cell.text(look)


def style_of(chart: Chart, number: int) -> tuple[str, Mark, str]:
    """Return colour, mark and dashes of a chart's line (counted from 0, bars first), for a writer that draws itself."""
    keys = [line.key for _title, line in chart.series()]
    if keys[number] == chart.city:
        return CITY_LOOK.colour, CITY_LOOK.mark, "solid"
    return _STYLES[sum(key != chart.city for key in keys[:number]) % len(_STYLES)]


def drawn(charts: Sequence[Chart]) -> list[bytes]:
    """Return the charts as SVG, 17.4 cm wide, the same bytes for the same figures; gaps where there is no value."""
    return [_drawn(chart).encode() for chart in charts]


def _drawn(chart: Chart) -> str:
    return series_chart(drawing_of(chart, _WIDTH, _HEIGHT))


def drawing_of(chart: Chart, width: float, height: float) -> SeriesChart:
    """Return what is drawn of a chart, so wide and high (px); the city looks the same in every chart."""
    series = [
        Series(title, [_value(cell, chart.divisor) for cell in line.cells], _kind(chart, line),
               city=line.key == chart.city)
        for title, line in chart.series()
    ]  # fmt: skip
    periods = chart.table.periods
    return SeriesChart(
        chart.title, chart.alt, chart.unit, [short(period) for period in periods], series, width=width, height=height,
        times=[when(period) for period in periods],
    )  # fmt: skip


def _value(cell: Cell, divisor: float) -> Value:
    return cell.value / divisor if cell.value is not None else SUPPRESSED if cell.suppressed else None


def _kind(chart: Chart, line: Line) -> Kind:
    if line.key in chart.bars:
        return "bar"
    return "target" if line.key[0] == TARGET else "line"
