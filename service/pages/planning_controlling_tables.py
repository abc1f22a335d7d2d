"""Tables and charts of controlling on a page: those of the report, so that page and file say the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from geodata.controlling_rows import ALL_HELPS
from geodata.periods import spoken
from layers.charts import SeriesChart
from service.exports import charts
from service.exports.lines import LINES
from service.exports.parts import Cell, Chart, Group, Key, Line, Report, Section, Table
from service.pages.components import Cell as Shown
from service.pages.components import Column, DataTable, Download, Kind, Mark, Picture, chart_picture

MEASURES = (
    "spending_per_resident", "help_density", "spending_per_case", "help_quotient", "follow_up_share",
    "counselling_ratio", "spending_eur", "cases",
)  # fmt: skip
"""The measures areas are set beside each other by; the first is the usual one."""

# What is told besides a measure: how far from the city, how changed, and how against the others.
_BESIDE = {
    "cases": ("cases_change", "cases_effect"),
    "help_density": ("cases_diff", "cases_change", "cases_effect"),
    "spending_eur": ("spending_change", "spending_effect"),
    "spending_per_resident": ("spending_diff", "spending_change", "spending_effect"),
}
_UNITS = {
    "cases": "Fälle",
    "spending_eur": "Millionen €",
    "help_density": "Fälle je 1.000 Jugendeinwohner",
    "spending_per_resident": "€ je Jugendeinwohner",
    "spending_per_case": "€ je Fall",
    "help_quotient": "ambulante Hilfen je Hilfe außerhalb der Familie",
    "follow_up_share": "Prozent der neuen Beratungen",
    "counselling_ratio": "Beratungen je Hilfe",
}
_MILLION, _PERCENT = 1e6, 0.01
_CHART_PX, _CHART_HEIGHT_PX = 520.0, 290.0


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison: areas of the same city, counted alike, by one measure, with its charts."""

    table: Table
    charts: tuple[Chart, ...]


def comparisons(report: Report, measure: str) -> list[Compared]:
    """Return the comparisons of a report by a measure; none where no area tells of it."""
    found = []
    for section in report.sections:
        for table in section.tables:
            if not _of_areas(table):
                continue
            wanted = (measure, *_BESIDE.get(measure, ()))
            groups = tuple(_group(table, name) for name in wanted)
            kept = tuple(group for group in groups if group is not None)
            if any(group.title == LINES[measure].title for group in kept):
                one = replace(table, groups=kept, without=())
                found.append(Compared(one, tuple(_charts(one, measure))))
    return found


def _of_areas(table: Table) -> bool:
    """Tell whether a table sets areas beside each other: its lines are of areas, not of positions."""
    return all(":" in line.key[1] for line in table.lines())


def _group(table: Table, name: str) -> Group | None:
    return next((group for group in table.groups if group.title == LINES[name].title), None)


def _charts(table: Table, measure: str) -> Iterator[Chart]:
    divisor = {"spending_eur": _MILLION, "follow_up_share": _PERCENT}.get(measure, 1.0)
    for one in charts.of_areas(table, measure, LINES[measure].title, _UNITS[measure], city_key(table, measure)):
        yield replace(one, divisor=divisor)


def city_key(table: Table, measure: str) -> Key | None:
    """Return the line of the city the areas are compared with: the comparison is called after it."""
    lines = (line for line in table.lines() if line.key[0] == measure)
    return next((line.key for line in lines if table.title.startswith(f"{line.title} (")), None)


def chapters(report: Report) -> list[Section]:
    """Return the chapters of single areas."""
    return [section for section in report.sections if not any(map(_of_areas, section.tables)) and section.tables]


def last_values(table: Table, measure: str) -> tuple[str, dict[str, float]] | None:
    """Return the last period in which a measure is known of an area, and its values by the areas' names."""
    lines = [line for line in table.lines() if line.key[0] == measure and "-nicht-" not in line.key[1]]
    for at in range(len(table.periods) - 1, -1, -1):
        values = {line.title: value for line in lines if (value := line.cells[at].value) is not None}
        if values:
            return table.periods[at], values
    return None


@dataclass(frozen=True, slots=True)
class Spent:
    """An area's spending in the last period in which its Zielschwelle is known too, which is told against ``base``."""

    period: str
    base: str | None
    spending: float
    target: float


def against_target(section: Section) -> Spent | None:
    """Return spending and Zielschwelle of an area's chapter; None where they are not known."""
    for table in section.tables:
        spending, target = (table.line((name, ALL_HELPS)) for name in ("spending_eur", "target_eur"))
        if spending is None or target is None:
            continue
        pairs = zip(table.periods, spending.cells, target.cells, strict=True)
        known = [Spent(period, table.base, one.value, other.value) for period, one, other in pairs
                 if one.value is not None and other.value is not None]  # fmt: skip
        if known:
            return known[-1]
    return None


def picture(chart: Chart, identity: str, downloads: Sequence[Download] = ()) -> Picture:
    """Return a chart as the page shows it, with the table of its lines behind."""
    return chart_picture(identity, drawing(chart), _table_of(chart), downloads)


def drawing(chart: Chart) -> SeriesChart:
    """Return what is drawn of a chart."""
    return charts.drawing_of(chart, _CHART_PX, _CHART_HEIGHT_PX)


def _table_of(chart: Chart) -> DataTable:
    """Return the lines of a chart as a table: the numbers as the report's tables write them."""
    periods = chart.table.periods
    columns = [
        Column("title", "Zeile", sortable=False, header=True),
        *(Column(period, spoken(period), Kind.NUMBER, sortable=False) for period in periods),
    ]
    rows: list[dict[str, Shown]] = [
        {"title": title, **{period: shown(cell, line) for period, cell in zip(periods, line.cells, strict=True)}}
        for title, line in chart.series()
    ]
    return DataTable(chart.title, columns, rows)


def shown(cell: Cell, line: Line) -> Shown:
    """Return a cell of the report as a page's cell: its number as it is written there, suppressed, or missing."""
    if cell.value is None:
        return Mark.SUPPRESSED if cell.suppressed else None
    return cell.text(line.look)
