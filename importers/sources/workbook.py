"""Excel workbooks (XLSX): one sheet, its header rows, values as they are stored."""

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

from importers.errors import SourceError
from importers.sources.base import (
    CHUNK_ROWS,
    DOUBLE_ENCODED,
    MAX_UNPACKED_BYTES,
    Chunk,
    Layout,
    Provenance,
    checksum,
)
from importers.sources.formulas import unanswered
from importers.sources.header import Line, Marks, column_names, end_note, filled_right, title
from importers.sources.merged import Range, fill, merged_ranges, within

# Whole numbers up to here are exact in a workbook; a key stored as 2101.0 is 2101.
_EXACT_BELOW = 2**53
# Excel's own limit; a row beyond it is a broken file, and counting up to it would take for ever.
_MAX_ROWS = 1_048_576
_PLAIN = Layout()


class ExcelSource:
    """A sheet of an XLSX workbook: the named one, else the first. Row numbers are the sheet's own.

    The header is the first filled row below the skipped ones, and as many rows after it as ``layout`` says. Numbers
    stay numbers; dates become ISO text; formulas are read as their last stored result, those without one are noted.
    Merged cells: in several header rows each cell of a range has its value, in the body only with ``fill_merged``.
    """

    def __init__(self, path: Path, *, sheet: str | None = None, layout: Layout = _PLAIN) -> None:
        self._path = path
        self._layout = layout
        _require_sane_zip(path)
        self.notes: list[str] = []
        self.bad_rows: dict[int, str] = {}
        self._merged: list[Range] = []
        self._unanswered: dict[int, list[int]] = {}
        self._rows = self._read(sheet or layout.sheet)
        self._body_from, self.columns = self._header()
        self.notes += _broken_umlauts(self._rows, self.columns)
        self.notes += self._open_formulas()
        self.provenance = Provenance(path.name, checksum(path), "XLSX")

    def _read(self, sheet: str | None) -> list[tuple[int, tuple[Any, ...]]]:
        try:
            # The reader leaves a file open when it stumbles over a workbook; this one is closed whatever happens.
            with self._path.open("rb") as handle, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._rows_of(openpyxl.load_workbook(handle, read_only=True, data_only=True), sheet)
        except SourceError:
            raise
        except Exception as error:  # the reader raises whatever a broken workbook makes it stumble over
            raise SourceError(f"„{self._path.name}“ ist keine lesbare Excel-Datei.") from error

    def _rows_of(self, book: openpyxl.Workbook, sheet: str | None) -> list[tuple[int, tuple[Any, ...]]]:
        if sheet is not None and sheet not in book.sheetnames:
            raise SourceError(f"„{self._path.name}“ hat kein Blatt „{sheet}“. Vorhanden: {', '.join(book.sheetnames)}.")
        if sheet is None and len(book.sheetnames) > 1:
            self.notes.append(f"Von {len(book.sheetnames)} Blättern wurde das erste gelesen (--layer wählt).")
        chosen: Any = book[sheet or book.sheetnames[0]]
        # What a sheet says of its own size may be wrong; the rows themselves count.
        chosen.reset_dimensions()
        if self._layout.header_rows > 1 or self._layout.title_row is not None or self._layout.fill_merged:
            with chosen._get_source() as stream:  # noqa: SLF001 - a sheet read as a stream shows no merged cells
                self._merged = merged_ranges(stream, self._path.name)
        self._unanswered = unanswered(chosen._get_source)  # noqa: SLF001 - nor what is a formula
        return list(self._filled_rows(chosen.iter_rows(values_only=True)))

    def _open_formulas(self) -> Iterator[str]:
        """Yield a note for each column with formulas that no program has calculated yet: their cells are empty."""
        for number, name in enumerate(self.columns, start=1):
            rows = [row for row in self._unanswered.get(number, ()) if row >= self._body_from]
            if rows:
                stand = "steht eine Formel" if len(rows) == 1 else f"stehen {len(rows)} Formeln"
                yield (
                    f"In der Spalte „{name}“ {stand} ohne Ergebnis, zuerst in Zeile {min(rows)}; gelesen wird dort "
                    "nichts. Bitte die Datei in Excel öffnen und speichern."
                )

    def _filled_rows(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[int, tuple[Any, ...]]]:
        for number, row in enumerate(rows, start=1):
            if number > _MAX_ROWS:
                raise SourceError(f"„{self._path.name}“ hat mehr als {_MAX_ROWS} Zeilen.")
            if any(value is not None for value in row):
                yield number, row

    def _header(self) -> tuple[int, tuple[str, ...]]:
        """Return the first row below the header and the names of the columns; fill merged cells."""
        if not self._rows:
            raise SourceError(f"„{self._path.name}“: Das Blatt ist leer.")
        cells_of = dict(self._rows)
        first = next((number for number in cells_of if number > self._layout.skip_rows), None)
        if first is None:
            raise SourceError(
                f"„{self._path.name}“: Unter den {self._layout.skip_rows} übersprungenen ist keine Zeile."
            )
        body_from = first + self._layout.header_rows

        def origin(row: int, column: int) -> object:
            cells = cells_of.get(row, ())
            return cells[column - 1] if column <= len(cells) else None

        width = max(len(cells) for number, cells in self._rows if first <= number < body_from)
        header = [(n, [*cells_of.get(n, ()), *[None] * width][:width]) for n in range(first, body_from)]
        any_merged = fill(header, list(within(self._merged, 1, body_from - 1)), origin, self._path.name)
        titles = [[title(_plain(cell)) for cell in cells] for _number, cells in header]
        names = column_names(titles if any_merged else filled_right(titles), self._layout, self._path.name)
        body = [(number, cells) for number, cells in self._rows if number >= body_from]
        if self._layout.fill_merged:
            open_rows = [(number, list(cells)) for number, cells in body]
            fill(open_rows, list(within(self._merged, body_from)), origin, self._path.name)
            body = [(number, tuple(cells)) for number, cells in open_rows]
        self._rows = body
        return body_from, names

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows below the header."""
        marks = Marks(self._layout)
        numbers: list[int] = []
        rows: list[tuple[tuple[Any, ...], str | None]] = []
        for number, cells in self._rows:
            line = marks.line(cells)
            if line is Line.END:
                note = end_note(number)
                if note not in self.notes:
                    self.notes.append(note)
                break
            if line is Line.HEADING:
                continue
            numbers.append(number)
            rows.append((cells, marks.section))
            if len(rows) == CHUNK_ROWS:
                yield self._chunk(numbers, rows)
                numbers, rows = [], []
        if rows:
            yield self._chunk(numbers, rows)

    def _chunk(self, numbers: list[int], rows: list[tuple[tuple[Any, ...], str | None]]) -> Chunk:
        width = len(self.columns) - bool(self._layout.sections)
        table = np.empty((len(rows), len(self.columns)), dtype=object)
        for i, (cells, section) in enumerate(rows):
            for j, cell in enumerate(cells[:width]):
                table[i, j] = _plain(cell)
            if self._layout.sections:
                table[i, width] = section
        return Chunk(np.array(numbers), {name: table[:, j] for j, name in enumerate(self.columns)})


def _broken_umlauts(rows: list[tuple[int, tuple[Any, ...]]], columns: tuple[str, ...]) -> Iterator[str]:
    """Yield a note for each column in which umlauts were spoilt before the table was saved as a workbook."""
    first: dict[str, tuple[int, int]] = {}  # column -> first row, and how many rows
    for number, cells in rows:
        for name, cell in zip(columns, cells, strict=False):
            if isinstance(cell, str) and ("\ufffd" in cell or any(mark in cell for mark in DOUBLE_ENCODED)):
                row, count = first.get(name, (number, 0))
                first[name] = row, count + 1
    for name, (row, count) in first.items():
        cells_said = "einer Zelle" if count == 1 else f"{count} Zellen"
        yield (
            f"In der Spalte „{name}“ sehen Umlaute in {cells_said} falsch kodiert aus (etwa „Ã¼“ statt „ü“), zuerst in "
            f"Zeile {row}; übernommen wird, was dasteht. Bitte die Liste an ihrer Quelle neu ausgeben."
        )


def _plain(cell: object) -> object:
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time(0) else cell.isoformat(sep=" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT_BELOW:
        return int(cell)
    if isinstance(cell, int) and abs(cell) >= _EXACT_BELOW:
        return str(cell)
    if isinstance(cell, str | int | float | bool) or cell is None:
        return cell
    return str(cell)


def _require_sane_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SourceError(f"„{path.name}“ ist keine lesbare Excel-Datei.") from error
    if size > MAX_UNPACKED_BYTES:
        raise SourceError(f"„{path.name}“ ist entpackt größer als {MAX_UNPACKED_BYTES // 1024**3} GiB.")
