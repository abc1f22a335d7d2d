"""The tables of an area's profile as a workbook, in German: exactly what the page shows, numbers as numbers."""

import datetime as dt
import io
from collections.abc import Sequence
from typing import Any

from geodata.answer import Meta
from service.formats import SUPPRESSED_LINE, footnote_lines
from service.pages.area_tables import ProfileView
from service.pages.components import Cell, Column, DataTable, Kind, Lines, Link, Mark

_LONGEST_TEXT = 32_767  # a cell of Excel holds no more
_NO_DATE = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
_TEXT_WIDTH = 100


def tables_of(view: ProfileView) -> list[tuple[str, DataTable]]:
    """Return the tables a profile shows, each with its title."""
    pictured = [("Einwohner im Verlauf", view.trend), ("Versorgung im Vergleich", view.compared)]
    return [
        *((title, one) for title, one in (("Einrichtungen", view.categories), ("Einwohner nach Alter", view.residents))
          if one is not None),
        *((title, picture.table) for title, picture in pictured if picture is not None and picture.table is not None),
        *([("Vergleichsgebiete", view.peers)] if view.peers is not None else []),
    ]  # fmt: skip


def profile_xlsx(meta: Meta, view: ProfileView) -> bytes:
    """Return the workbook: a sheet per table, last the footnotes. The same profile gives the same bytes.

    A missing value is an empty cell, a suppressed one its sign.
    """
    import xlsxwriter  # noqa: PLC0415 - only this format pays for it

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"title": meta.title[:255], "author": "Sozialraumkarte", "created": _NO_DATE})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    tables = tables_of(view)
    for title, table in tables:
        _write(book, book.add_worksheet(title), table, bold)
    notes = book.add_worksheet("Erläuterungen")
    notes.set_column(0, 0, 24)
    notes.set_column(1, 1, _TEXT_WIDTH)
    marked = [SUPPRESSED_LINE] if any(table.has_suppressed for _title, table in tables) else []
    lines = [*footnote_lines(meta), *marked, ("leere Zelle", "keine Angabe; fehlende Werte sind nicht 0")]
    for number, (label, text) in enumerate(lines):
        notes.write_string(number, 0, label, bold)
        notes.write_string(number, 1, text[:_LONGEST_TEXT], wrapped)
    book.close()
    return buffer.getvalue()


def _write(book: Any, sheet: Any, table: DataTable, bold: Any) -> None:  # noqa: ANN401 - xlsxwriter has no types
    sheet.write_string(0, 0, table.caption[:_LONGEST_TEXT], book.add_format({"bold": True}))
    looks = [book.add_format({"num_format": _look(column)}) for column in table.columns]
    for number, column in enumerate(table.columns):
        sheet.write_string(1, number, column.title[:_LONGEST_TEXT], bold)
        sheet.set_column(number, number, 36 if column.header else 16)
    for line, row in enumerate(table.rows, start=2):
        for number, column in enumerate(table.columns):
            _cell(sheet, line, number, row[column.key], looks[number])
    sheet.freeze_panes(2, 1)


def _look(column: Column) -> str:
    if column.kind not in {Kind.NUMBER, Kind.PERCENT}:
        return "General"
    decimals = f".{'0' * column.decimals}" if column.decimals else ""
    return f"0{decimals}%" if column.kind is Kind.PERCENT else f"#,##0{decimals}"


def _cell(sheet: Any, line: int, column: int, value: Cell, look: Any) -> None:  # noqa: ANN401
    if isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(line, column, value, look)
    elif value is not None:
        sheet.write_string(line, column, _text(value)[:_LONGEST_TEXT])


def _text(value: Cell) -> str:
    if isinstance(value, Mark):
        return value.value
    if isinstance(value, Link):
        return value.text
    if isinstance(value, Lines):
        entries: Sequence[str | Link] = value.entries
        return "; ".join(_text(one) for one in entries)
    return str(value)
