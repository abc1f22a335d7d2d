"""Tables for a terminal: columns of text, aligned, with German numbers. What came from a file is text in them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from geodata import words
from geodata.answer import Meta

MOST_ROWS = 50
# A dash would be read as "exactly nothing", as in the tables of German statistical offices.
MISSING = "fehlt"
SUPPRESSED = "•"
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and one cell per row; numbers stand on the right."""

    heading: str
    cells: Sequence[str]
    right: bool = True


class Hidden(Enum):
    """Stands for a number that is suppressed to protect small counts; it is shown otherwise than a missing one."""

    COUNT = SUPPRESSED


def column_of(rows: Iterable[Any], name: str) -> list[float | Hidden | None]:
    """Return the values of a column, where a row says so (``suppressed_fields``) that the value is suppressed."""
    return [Hidden.COUNT if name in getattr(row, "suppressed_fields", ()) else getattr(row, name) for row in rows]


def texts(heading: str, values: Iterable[object]) -> Column:
    """Return a column of words; None stays empty."""
    return Column(heading, ["" if value is None else printable(str(value)) for value in values], right=False)


def numbers(heading: str, values: Iterable[float | Hidden | None], decimals: int = 0, missing: str = MISSING) -> Column:
    """Return a column of numbers with so many decimals."""
    return Column(heading, [_cell(value, lambda known: words.number(known, decimals), missing) for value in values])


def percents(
    heading: str, values: Iterable[float | Hidden | None], decimals: int = 1, missing: str = MISSING
) -> Column:
    """Return a column of shares (0 to 1) in percent."""
    return Column(
        heading, [_cell(value, lambda known: printable(words.percent(known, decimals)), missing) for value in values]
    )


def _cell(value: float | Hidden | None, written: Callable[[float], str], missing: str) -> str:
    if value is None:
        return missing
    return value.value if isinstance(value, Hidden) else written(value)


def people(heading: str, values: Sequence[float | None]) -> Column:
    """Return a column of residents as whole numbers that still add up to their (rounded) sum."""
    import numpy as np  # noqa: PLC0415 - not for --help

    from geodata.rounding import whole  # noqa: PLC0415

    known = [value for value in values if value is not None]
    shown = iter(whole(np.array(known, dtype=np.float64)).tolist())
    return numbers(heading, [None if value is None else next(shown) for value in values])


def given(columns: Iterable[Column | None]) -> list[Column]:
    """Return the columns there are: those that are None, or have nothing but empty cells, are left out."""
    return [column for column in columns if column is not None and any(column.cells)]


def table(columns: Sequence[Column], most: int = MOST_ROWS) -> Iterator[str]:
    """Yield headings, a rule and at most so many rows, and how many more there are."""
    rows = len(columns[0].cells) if columns else 0
    if not rows:
        yield "Keine Zeilen."
        return
    shown = [[column.heading, *column.cells[:most]] for column in columns]
    widths = [max(map(len, cells)) for cells in shown]
    for number, cells in enumerate(zip(*shown, strict=True)):
        padded = (
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(cells, widths, columns, strict=True)
        )
        yield _GAP.join(padded).rstrip()
        if number == 0:
            yield _GAP.join("-" * width for width in widths)
    if rows > most:
        more = words.counted(rows - most, "eine weitere Zeile", "weitere Zeilen")
        yield f"… und {more} (alle mit --out DATEI)"


def footnotes(meta: Meta) -> Iterator[str]:
    """Yield what stands under an answer, one line each: the same words as in every other format."""
    from service.formats import footnote_lines  # noqa: PLC0415 - not for --help

    for label, value in footnote_lines(meta)[1:]:
        yield f"{label}: {printable(value)}"


def legend(lines: Iterable[str]) -> Iterator[str]:
    """Yield what the sign of suppressed numbers means, where the lines show it."""
    from service.formats import SUPPRESSED_LINE  # noqa: PLC0415 - not for --help

    if any(SUPPRESSED in line for line in lines):
        yield " = ".join(SUPPRESSED_LINE)


def printable(text: str) -> str:
    """Return text in one line without what would steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
