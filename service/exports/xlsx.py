"""The report as a workbook: a sheet per table with real numbers and formulas, charts, sources on the last sheet.

A formula stands where a planner expects one and both its inputs are on the sheet; it is written with its value, and
only where it gives exactly the figure of the report.
"""

import datetime as dt
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from layers.chart_parts import Mark
from service.exports import explanations
from service.exports.charts import BAR, style_of
from service.exports.parts import (
    PERIOD,
    At,
    Cell,
    Chart,
    Formula,
    Key,
    Line,
    Look,
    Notes,
    Ref,
    Report,
    Table,
)
from service.formats import SUPPRESSED

_TITLE_WIDTH, _NUMBER_WIDTH, _TEXT_WIDTH = 52, 13, 100
_FIRST_PERIOD = 1  # the column after the titles
# What a sheet's name may not hold, and what its name in a formula would have to be quoted for.
_NO_NAME = re.compile(r"[\[\]:*?/\\'!=\x00-\x1f]")
_LONGEST_NAME = 31
_LONGEST_TEXT = 32_767
# A footer holds 255 signs, commands included.
_LONGEST_NOTICE = 200
_MARKERS: dict[Mark, str] = {
    "circle": "circle", "square": "square", "triangle": "triangle", "diamond": "diamond", "down": "short_dash",
    "plus": "plus", "cross": "x",
}  # fmt: skip
# A spreadsheet reckons with the same numbers; what differs by more is another figure.
_SAME = 1e-12
# Before that a spreadsheet's file knows no date.
_NO_DATE = dt.date(1980, 1, 1)
_MISSING = "leere Zelle"


def to_xlsx(report: Report) -> bytes:
    """Return the workbook; the same report gives the same bytes."""
    import xlsxwriter  # noqa: PLC0415 - only this format pays for it

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    writer = _Book(book, report)
    writer.write()
    book.close()
    return buffer.getvalue()


class _Book:
    """Writes the sheets of one report."""

    def __init__(self, book: Any, report: Report) -> None:  # noqa: ANN401 - xlsxwriter has no types
        self._book = book
        self._report = report
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._names: set[str] = set()
        self._places: dict[int, _Sheet] = {}
        created = report.as_of or _NO_DATE
        book.set_properties({
            "title": f"{report.title}: {report.subtitle}"[:255], "subject": report.mark(), "author": "Sozialraumkarte",
            "comments": report.mark(), "created": dt.datetime.combine(created, dt.time(), dt.UTC),
        })  # fmt: skip
        book.set_custom_property("Sprache", "de-DE")
        book.set_custom_property("Fassung", report.mark())
        # A program that does not compute shows the written values; one that does, computes on opening.
        book.set_calc_mode("auto")

    def write(self) -> None:
        report = self._report
        first = self._sheet("Übersicht", frozen=0)
        tables = [(section.title, table) for section in report.sections for table in section.tables]
        for section, table in tables:
            self._places[id(table)] = self._table(section, table)
        charts = [chart for section in report.sections for chart in section.charts]
        if charts:
            self._charts(charts)
        notes = (explanations.legend(_MISSING), *report.notes)
        self._notes("Quellen und Erläuterungen", notes)
        self._overview(first, [(section, table, self._places[id(table)].name) for section, table in tables])
        first.activate()

    def format(self, **look: Any) -> Any:  # noqa: ANN401 - what xlsxwriter takes
        """Return a cell format; each is made once."""
        key = tuple(sorted(look.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "top", **look})
        return self._formats[key]

    def _sheet(self, wanted: str, *, frozen: int, columns: int = 0) -> Any:  # noqa: ANN401 - a worksheet
        """Add a sheet, marked and set up for printing: A4 across, as wide as the page, the heading on every page."""
        sheet = self._book.add_worksheet(self._name(wanted))
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.7)
        mark, title, notice = (
            text.replace("&", "&&") for text in (self._report.mark(), self._report.title, self._report.notice or "")
        )
        sheet.set_header(f"&L&8{mark}&R&8{title}")
        sheet.set_footer(f"&L&8&A&C&8{notice[:_LONGEST_NOTICE]}&R&8Seite &P von &N")
        look = {"bold": True, "font_color": "#9c0006"} if self._report.internal else {"italic": True}
        sheet.write_string(0, 0, self._report.heading(), self.format(**look))
        if frozen:
            sheet.freeze_panes(frozen, _FIRST_PERIOD)
            sheet.repeat_rows(frozen - 1)
        if columns:
            sheet.set_column(0, 0, _TITLE_WIDTH)
            sheet.set_column(_FIRST_PERIOD, columns, _NUMBER_WIDTH)
        return sheet

    def _name(self, wanted: str) -> str:
        """Return a sheet's name: without signs it may not have, short enough, not yet taken."""
        plain = _NO_NAME.sub("-", wanted).strip()[:_LONGEST_NAME].strip() or "Blatt"
        name, number = plain, 2
        while name.casefold() in self._names or name.casefold() == "history":
            more = f" ({number})"
            name, number = plain[: _LONGEST_NAME - len(more)] + more, number + 1
        self._names.add(name.casefold())
        return name

    def _overview(self, sheet: Any, listed: Sequence[tuple[str, Table, str]]) -> None:  # noqa: ANN401
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, _TEXT_WIDTH)
        bold, wrapped = self.format(bold=True), self.format(text_wrap=True)
        sheet.write_string(1, 0, self._report.title, self.format(bold=True, font_size=16))
        row = 3
        for label, text in self._report.facts:
            sheet.write_string(row, 0, label, bold)
            sheet.write_string(row, 1, text[:_LONGEST_TEXT], wrapped)
            row += 1
        row += 1
        sheet.write_string(row, 0, "Blatt", bold)
        sheet.write_string(row, 1, "Inhalt", bold)
        link = self.format(font_color="#0b4f8a", underline=1)
        others = [name for name in ("Diagramme", "Quellen und Erläuterungen") if name.casefold() in self._names]
        shown = [*((name, f"{section}: {table.title}") for section, table, name in listed), *((n, n) for n in others)]
        for number, (name, text) in enumerate(shown, start=row + 1):
            sheet.write_url(number, 0, f"internal:'{name}'!A1", link, name)
            sheet.write_string(number, 1, text[:_LONGEST_TEXT], wrapped)
        row += len(shown) + 2
        for remark in (f"{section.title}: {said}" for section in self._report.sections for said in section.remarks):
            sheet.write_string(row, 0, remark[:_LONGEST_TEXT])
            row += 1

    def _table(self, section: str, table: Table) -> "_Sheet":
        made = _Sheet(table)
        sheet = self._sheet(table.name, frozen=made.heading + 1, columns=len(table.periods))
        made.name = sheet.get_name()
        sheet.write_string(1, 0, f"{section}: {table.title}"[:_LONGEST_TEXT], self.format(bold=True, font_size=13))
        for parameter in table.parameters:
            row, column = made.parameters[parameter.key]
            sheet.write_string(row, 0, parameter.title)
            look = self.format(num_format=parameter.look.number_format(), bg_color="#fff3cd", border=1)
            sheet.write_number(row, column, parameter.look.in_sheet(parameter.value), look)
        head = self.format(bold=True, bottom=1, align="right", bg_color="#eef0f2")
        sheet.write_string(made.heading, 0, "Zeitraum", self.format(bold=True, bottom=1, bg_color="#eef0f2"))
        for column, period in enumerate(table.periods, start=_FIRST_PERIOD):
            # A year is a number: the formula of the Zielschwelle counts with it.
            if period.isdecimal():
                sheet.write_number(made.heading, column, int(period), head)
            else:
                sheet.write_string(made.heading, column, period, head)
        for group, row in made.groups:
            sheet.write_string(row, 0, group, self.format(bold=True, font_color="#0b4f8a"))
        title = self.format(text_wrap=True, indent=1)
        for line in table.lines():
            row = made.rows[line.key]
            sheet.write_string(row, 0, line.title[:_LONGEST_TEXT], title)
            for place, cell in enumerate(line.cells):
                self._cell(sheet, made, line, row, place, cell)
        self._under(sheet, made, table)
        return made

    def _cell(self, sheet: Any, made: "_Sheet", line: Line, row: int, place: int, cell: Cell) -> None:  # noqa: ANN401
        column = _FIRST_PERIOD + place
        if cell.value is None:
            if cell.suppressed:
                sheet.write_string(row, column, SUPPRESSED, self.format(align="right"))
            return
        look = self.format(num_format=line.look.number_format(cell.flag))
        value = line.look.in_sheet(cell.value)
        formula = made.formula(line, place, value)
        if formula is None:
            sheet.write_number(row, column, value, look)
        else:
            sheet.write_formula(row, column, formula, look, value)

    def _under(self, sheet: Any, made: "_Sheet", table: Table) -> None:  # noqa: ANN401
        """Write what the signs mean and which lines are left out; this ends what is printed."""
        said = [" · ".join(f"{sign}: {text}" for sign, text in explanations.legend(_MISSING).entries)]
        if table.without:
            said.append(f"Ohne Angaben: {', '.join(table.without)}.")
        said.append("Methode, Hinweise und Quellen stehen auf dem letzten Blatt.")
        small = self.format(italic=True, font_size=9, text_wrap=True)
        for number, text in enumerate(said, start=made.end + 1):
            # Over all columns: what runs past the last one is not printed.
            sheet.merge_range(number, 0, number, len(table.periods), text[:_LONGEST_TEXT], small)
            sheet.set_row(number, 13 * math.ceil(len(text) / (_TITLE_WIDTH + _NUMBER_WIDTH * len(table.periods))))
        sheet.print_area(0, 0, made.end + len(said), len(table.periods))

    def _charts(self, charts: Iterable[Chart]) -> None:
        sheet = self._sheet("Diagramme", frozen=0)
        sheet.set_column(0, 0, 12)
        row = 2
        for chart in charts:
            made = self._places[id(chart.table)]
            hidden = self._chart(sheet, row, chart, made)
            if hidden:
                said = f"Nicht gezeichnet, weil Werte unterdrückt sind: {', '.join(hidden)}."
                sheet.write_string(row + 20, 0, said, self.format(italic=True, font_size=9))
            row += 22

    def _chart(self, sheet: Any, row: int, chart: Chart, made: "_Sheet") -> list[str]:  # noqa: ANN401
        """Insert a chart over a table's cells; return the titles of lines it cannot show."""
        bars = self._book.add_chart({"type": "column"})
        lines = self._book.add_chart({"type": "line"})
        last = _FIRST_PERIOD + len(chart.table.periods) - 1
        hidden, counts = [], {"bars": 0, "lines": 0}
        for number, (title, line) in enumerate(chart.series()):
            # A text would be drawn as 0: a line with a suppressed value is left out.
            if any(cell.suppressed for cell in line.cells):
                hidden.append(title)
                continue
            colour, mark, dash = style_of(chart, number)
            place = made.rows[line.key]
            series = {
                "name": [made.name, place, 0],
                "categories": [made.name, made.heading, _FIRST_PERIOD, made.heading, last],
                "values": [made.name, place, _FIRST_PERIOD, place, last],
            }
            if number < len(chart.bars):
                pattern = {"pattern": "wide_upward_diagonal", "fg_color": "#0072b2", "bg_color": BAR}
                bars.add_series({**series, "pattern": pattern, "border": {"color": "#0072b2"}, "gap": 60})
                counts["bars"] += 1
            else:
                marker = {"type": _MARKERS[mark], "size": 6, "fill": {"color": colour}, "border": {"color": colour}}
                lines.add_series(
                    {**series, "line": {"color": colour, "width": 1.75, "dash_type": dash}, "marker": marker}
                )
                counts["lines"] += 1
        if not any(counts.values()):
            return hidden
        shown = bars if counts["bars"] else lines
        if counts["bars"] and counts["lines"]:
            bars.combine(lines)
        # As a cell, like the names of the lines: a text with an exclamation mark would be taken for an address.
        sheet.write_string(row, 0, chart.title, self.format(bold=True, font_size=12))
        shown.set_title({"name": [sheet.get_name(), row, 0], "name_font": {"size": 12}, "overlay": False})
        axis = {"name": chart.unit, "min": 0, "num_format": "#,##0", "major_gridlines": {"visible": True}}
        if chart.divisor != 1:
            axis |= {"display_units": "millions", "display_units_visible": False}
        else:
            axis["num_format"] = next(line.look.number_format() for _title, line in chart.series())
        shown.set_y_axis(axis)
        shown.set_legend({"position": "bottom"})
        shown.show_blanks_as("gap")
        shown.set_size({"width": 860, "height": 370})
        sheet.insert_chart(row + 1, 0, shown, {"description": chart.alt[:2000], "object_position": 1})
        return hidden

    def _notes(self, name: str, notes: Iterable[Notes]) -> None:
        sheet = self._sheet(name, frozen=0)
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 1, _TEXT_WIDTH)
        bold, wrapped = self.format(bold=True, font_size=12), self.format(text_wrap=True)
        row = 2
        for one in notes:
            sheet.write_string(row, 0, one.title, bold)
            row += 1
            for label, text in one.entries:
                sheet.write_string(row, 0, label[:_LONGEST_TEXT], wrapped)
                sheet.write_string(row, 1, text[:_LONGEST_TEXT], wrapped)
                row += 1
            row += 1


class _Sheet:
    """Where the parts of a table stand on its sheet."""

    def __init__(self, table: Table) -> None:
        self.name = ""
        self._table = table
        row = 2
        self.parameters: dict[Key, tuple[int, int]] = {}
        for parameter in table.parameters:
            self.parameters[parameter.key] = (row, _FIRST_PERIOD)
            row += 1
        self.heading = row + 1
        row = self.heading + 1
        self.groups: list[tuple[str, int]] = []
        self.rows: dict[Key, int] = {}
        for group in table.groups:
            self.groups.append((group.title, row))
            row += 1
            for line in group.lines:
                self.rows[line.key] = row
                row += 1
        self.end = row
        self._values: Mapping[Key, Line] = {line.key: line for line in table.lines()}
        self._base = table.periods.index(table.base) if table.base in table.periods else None

    def formula(self, line: Line, place: int, value: float) -> str | None:
        """Return the first formula of a line whose inputs are all there and that gives the value."""
        for formula in line.formulas:
            found = [self._find(ref, place) for ref in formula.refs]
            if all(found) and _gives(formula, [one[1] for one in found if one], value):
                return "=" + formula.text.format(*(one[0] for one in found if one))
        return None

    def _find(self, ref: Ref, place: int) -> tuple[str, float] | None:
        """Return a cell's address and its number; None where there is none."""
        from xlsxwriter.utility import xl_rowcol_to_cell as address  # noqa: PLC0415 - only this format pays for it

        if ref.key in self.parameters:
            at = address(*self.parameters[ref.key], row_abs=True, col_abs=True)
            parameter = next(one for one in self._table.parameters if one.key == ref.key)
            return at, parameter.look.in_sheet(parameter.value)
        there = {At.HERE: place, At.BASE: self._base, At.BEFORE: place - 1 if place else None}[ref.at]
        if there is None:
            return None
        column, fixed = _FIRST_PERIOD + there, ref.at is At.BASE
        if ref.key == PERIOD:
            period = self._table.periods[there]
            if not period.isdecimal():
                return None
            return address(self.heading, column, row_abs=True, col_abs=fixed), float(period)
        line = self._values.get(ref.key)
        if line is None or line.cells[there].value is None:
            return None
        given = line.cells[there].value
        look: Look = line.look
        return address(self.rows[ref.key], column, col_abs=fixed), look.in_sheet(given or 0.0)


def _gives(formula: Formula, values: Sequence[float], wanted: float) -> bool:
    """Tell whether a formula gives the figure that is shown."""
    try:
        made = formula.make(*values)
    except (ZeroDivisionError, OverflowError):
        return False
    return math.isclose(made, wanted, rel_tol=_SAME, abs_tol=100 * _SAME)
