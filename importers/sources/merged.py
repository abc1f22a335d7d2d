"""Merged cells of a workbook's sheet, read as a stream and filled in."""

import bisect
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, TypeAlias
from xml.parsers import expat

from openpyxl.utils.cell import range_boundaries

from importers.errors import SourceError

MAX_RANGES = 200_000
_BLOCK_BYTES = 1024**2

Range: TypeAlias = tuple[int, int, int, int]  # first row, first column, last row, last column; all from 1


def merged_ranges(sheet: IO[bytes], source: str) -> list[Range]:
    """Return the merged ranges of a sheet's XML, in the order of their first cells.

    Only this one element is kept; the cells pass by. Raises ``SourceError`` for more than ``MAX_RANGES``, and the
    parser's own error for what is no XML.
    """
    found: list[Range] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] != "mergeCell":
            return
        left, top, right, bottom = range_boundaries(attributes["ref"])
        if left is None or top is None or right is None or bottom is None:
            raise ValueError(attributes["ref"])
        found.append((top, left, bottom, right))
        if len(found) > MAX_RANGES:
            raise SourceError(f"„{source}“ hat mehr als {MAX_RANGES} verbundene Zellbereiche; bitte die Datei prüfen.")

    def declaration(*_args: object) -> None:
        raise ValueError("a sheet declares no entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = declaration
    while block := sheet.read(_BLOCK_BYTES):
        parser.Parse(block, False)
    parser.Parse(b"", True)
    return sorted(found)


def fill(
    rows: Sequence[tuple[int, list[Any]]],
    ranges: Sequence[Range],
    origin: Callable[[int, int], Any],
    source: str,
) -> bool:
    """Give every cell of the ranges within ``rows`` (number, cells) the value of its range; tell if there was any.

    ``origin`` returns the value of a cell by row and column number. Raises ``SourceError`` if ranges overlap, which
    no program writes: otherwise a small file could ask for any amount of work.
    """
    numbers = [number for number, _cells in rows]
    width = max((len(cells) for _number, cells in rows), default=0)
    left_to_do = len(rows) * width
    any_filled = False
    for top, left, bottom, right in ranges:
        inside = range(bisect.bisect_left(numbers, top), bisect.bisect_right(numbers, bottom))
        last = min(right, width)
        if not inside or last < left:
            continue
        left_to_do -= len(inside) * (last - left + 1)
        if left_to_do < 0:
            raise SourceError(f"„{source}“: Verbundene Zellbereiche überlappen sich; die Datei ist beschädigt.")
        value = origin(top, left)
        for i in inside:
            cells = rows[i][1]
            cells.extend([None] * (last - len(cells)))
            cells[left - 1 : last] = [value] * (last - left + 1)
        any_filled = True
    return any_filled


def within(ranges: Sequence[Range], first: int, last: int | None = None) -> Iterator[Range]:
    """Yield the ranges that begin in the rows from ``first`` to ``last`` (None: to the end)."""
    return (found for found in ranges if found[0] >= first and (last is None or found[0] <= last))
