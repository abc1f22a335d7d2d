"""Excel workbooks (XLSX): one sheet, one header row, values as they are stored."""

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

from importers.errors import SourceError
from importers.sources.base import CHUNK_ROWS, MAX_UNPACKED_BYTES, Chunk, Provenance, checksum

# Whole numbers up to here are exact in a workbook; a key stored as 2101.0 is 2101.
_EXACT_BELOW = 2**53


class ExcelSource:
    """A sheet of an XLSX workbook: the named one, else the first. Row numbers are the sheet's own.

    Numbers stay numbers; dates become ISO text; formulas are read as their last stored result.
    """

    def __init__(self, path: Path, *, sheet: str | None = None) -> None:
        self._path = path
        _require_sane_zip(path)
        self.notes: list[str] = []
        self.bad_rows: dict[int, str] = {}
        self._rows = self._read(sheet)
        self._header_row, self.columns = self._header()
        self.provenance = Provenance(path.name, checksum(path), "XLSX")

    def _read(self, sheet: str | None) -> list[tuple[int, tuple[Any, ...]]]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(self._path, read_only=True, data_only=True)
        except Exception as error:  # the reader raises whatever a broken workbook makes it stumble over
            raise SourceError(f"„{self._path.name}“ ist keine lesbare Excel-Datei.") from error
        try:
            if sheet is not None and sheet not in book.sheetnames:
                raise SourceError(
                    f"„{self._path.name}“ hat kein Blatt „{sheet}“. Vorhanden: {', '.join(book.sheetnames)}."
                )
            if sheet is None and len(book.sheetnames) > 1:
                self.notes.append(f"Von {len(book.sheetnames)} Blättern wurde das erste gelesen (--layer wählt).")
            chosen = book[sheet or book.sheetnames[0]]
            numbered = enumerate(chosen.iter_rows(values_only=True), start=1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return [(number, row) for number, row in numbered if any(value is not None for value in row)]
        except SourceError:
            raise
        except Exception as error:
            raise SourceError(f"„{self._path.name}“ ist keine lesbare Excel-Datei.") from error
        finally:
            book.close()

    def _header(self) -> tuple[int, tuple[str, ...]]:
        if not self._rows:
            raise SourceError(f"„{self._path.name}“: Das Blatt ist leer.")
        number, cells = self._rows[0]
        names = ["" if cell is None else str(cell).strip() for cell in cells]
        while names and not names[-1]:
            names.pop()
        if not all(names):
            raise SourceError(f"„{self._path.name}“: Die Kopfzeile hat eine Spalte ohne Namen.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SourceError(f"„{self._path.name}“: Die Spalte „{twice[0]}“ kommt in der Kopfzeile mehrfach vor.")
        return number, tuple(names)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows below the header."""
        width = len(self.columns)
        body = self._rows[1:]
        for start in range(0, len(body), CHUNK_ROWS):
            part = body[start : start + CHUNK_ROWS]
            table = np.empty((len(part), width), dtype=object)
            for i, (_number, cells) in enumerate(part):
                for j, cell in enumerate(cells[:width]):
                    table[i, j] = _plain(cell)
            columns = {name: table[:, j] for j, name in enumerate(self.columns)}
            yield Chunk(np.array([number for number, _cells in part]), columns)


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
