"""Formulas of a workbook's sheet whose result nobody has stored: a reader of values finds their cells empty."""

import re
from collections.abc import Callable
from typing import IO
from xml.parsers import expat

from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

_BLOCK_BYTES = 1024**2
_FORMULA = re.compile(rb"<(\w+:)?f[\s/>]")
_LONGEST_TAG_BYTES = 64


def unanswered(open_sheet: Callable[[], IO[bytes]]) -> dict[int, list[int]]:
    """Return the rows of formulas without a result, by the number of their column; both counted from 1.

    ``open_sheet`` opens the sheet's XML. An empty text is a result. Raises the parser's own error for what is no XML.
    """
    with open_sheet() as sheet:
        if not _has_formulas(sheet):
            return {}
    cells = _Cells()
    parser = expat.ParserCreate()
    parser.StartElementHandler = cells.start
    parser.EndElementHandler = cells.end
    parser.CharacterDataHandler = cells.text
    parser.EntityDeclHandler = _declaration
    with open_sheet() as sheet:
        while block := sheet.read(_BLOCK_BYTES):
            parser.Parse(block, False)
    parser.Parse(b"", True)
    return cells.found


def _has_formulas(sheet: IO[bytes]) -> bool:
    rest = b""
    while block := sheet.read(_BLOCK_BYTES):
        seen = rest + block
        if _FORMULA.search(seen):
            return True
        rest = seen[-_LONGEST_TAG_BYTES:]
    return False


def _declaration(*_args: object) -> None:
    raise ValueError("a sheet declares no entities")


class _Cells:
    """Follows the cells of a sheet. Where one does not say where it stands, it follows the one before."""

    def __init__(self) -> None:
        self.found: dict[int, list[int]] = {}
        self._row = self._column = 0
        self._is_text = self._formula = self._answered = self._in_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0
        elif kind == "c":
            self._column += 1
            if "r" in attributes:
                letters, self._row = coordinate_from_string(attributes["r"])
                self._column = column_index_from_string(letters)
            self._is_text = attributes.get("t") in {"str", "inlineStr"}
            self._formula = self._answered = False
        elif kind == "f":
            self._formula = True
        elif kind in {"v", "is"}:
            self._in_value = True
            self._answered = self._answered or self._is_text

    def text(self, _data: str) -> None:
        self._answered = self._answered or self._in_value

    def end(self, name: str) -> None:
        kind = name.rpartition(":")[2]
        if kind in {"v", "is"}:
            self._in_value = False
        elif kind == "c" and self._formula and not self._answered:
            self.found.setdefault(self._column, []).append(self._row)
