"""What a report is made of: tables of lines by period, charts of some of their lines, and what is said beside them.

A writer needs nothing else: every cell knows how it is shown, every line from which cells a spreadsheet makes it.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from geodata import words
from service.formats import SUPPRESSED

MISSING = "k.\N{NO-BREAK SPACE}A."
# What stands behind a number that is not final.
MARKS = {"estimated": "g", "provisional": "v"}
INTERNAL = "Interne Fassung – enthält kleine Fallzahlen, nicht für öffentliche Sitzungen"
PUBLISHED = "Veröffentlichungsfassung"

# What a line tells (cases, spending …), and of what (a position, an area).
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """How a number is shown.

    ``decimals``: so many. ``percent``: ``share`` for a fraction, ``pct`` for what is in percent already. ``signed``: a
    plus is shown.
    """

    decimals: int = 0
    percent: str | None = None
    signed: bool = False

    def text(self, value: float) -> str:
        """Return the number as a German reader expects it (``1.234,5``, ``+4,5 %``)."""
        said = words.number(100 * value if self.percent == "share" else value, self.decimals)
        if self.signed and not said.startswith("−") and said.strip("0,"):
            said = f"+{said}"
        return f"{said}\N{NO-BREAK SPACE}%" if self.percent else said

    def in_sheet(self, value: float) -> float:
        """Return the number a spreadsheet holds: percent are fractions there."""
        return value / 100 if self.percent == "pct" else value

    def number_format(self, flag: str = "ok") -> str:
        """Return the spreadsheet's format for it; the mark of a number that is not final belongs to it."""
        shown = "#,##0" + ("." + "0" * self.decimals if self.decimals else "")
        if self.percent:
            shown += '"\N{NO-BREAK SPACE}"%'
        if flag in MARKS:
            shown += f'"\N{NO-BREAK SPACE}{MARKS[flag]}"'
        return f'+{shown};"−"{shown};{shown}' if self.signed else f'{shown};"−"{shown}'


@dataclass(frozen=True, slots=True)
class Cell:
    """A number, or none: then it is ``suppressed`` or not known. ``flag``: one of ``figure_tables.FLAGS``."""

    value: float | None = None
    suppressed: bool = False
    flag: str = "ok"

    def text(self, look: Look) -> str:
        """Return what stands on paper."""
        if self.value is None:
            return SUPPRESSED if self.suppressed else MISSING
        mark = f"\N{NO-BREAK SPACE}{MARKS[self.flag]}" if self.flag in MARKS else ""
        return look.text(self.value) + mark


class At(Enum):
    """In which column a cell is: the same, that of the base, or the one before."""

    HERE, BASE, BEFORE = range(3)


@dataclass(frozen=True, slots=True)
class Ref:
    """A cell of the same table: of this line, in this column; ``PERIOD`` is the heading."""

    key: Key
    at: At = At.HERE


PERIOD: Key = ("period", "")


@dataclass(frozen=True, slots=True)
class Formula:
    """How a spreadsheet makes a cell from others.

    ``text``: its formula, the cells of ``refs`` as ``{0}``, ``{1}`` …; ``make``: the same in Python, so that a formula
    is only written where it gives the figure that is shown.
    """

    text: str
    refs: tuple[Ref, ...]
    make: Callable[..., float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: a cell per period. Of several ``formulas`` the first that fits a cell is taken."""

    key: Key
    title: str
    look: Look
    cells: tuple[Cell, ...]
    formulas: tuple[Formula, ...] = ()

    def empty(self) -> bool:
        """Tell whether nothing is known in any period, and nothing is suppressed."""
        return all(cell.value is None and not cell.suppressed for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under a common heading."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that formulas of a table use, such as the growth of the Zielschwelle."""

    key: Key
    title: str
    value: float
    look: Look


@dataclass(frozen=True, slots=True)
class Table:
    """Groups of lines by period.

    ``name``: short, for a sheet; ``base``: the period changes are told against; ``without``: the titles of lines that
    are left out because nothing is known of them.
    """

    name: str
    title: str
    periods: tuple[str, ...]
    groups: tuple[Group, ...]
    base: str | None = None
    parameters: tuple[Parameter, ...] = ()
    without: tuple[str, ...] = ()

    def lines(self) -> Iterator[Line]:
        """Yield the lines in order."""
        for group in self.groups:
            yield from group.lines

    def line(self, key: Key) -> Line | None:
        """Return the line of a key."""
        return next((line for line in self.lines() if line.key == key), None)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of lines of a table: ``bars`` beside each other, ``lines`` over them.

    ``alt``: what it shows, in words; ``unit``: what its axis counts; ``divisor``: of the numbers on the axis;
    ``titles``: what the lines are called in the chart, in the order of bars and lines; ``city``: the line the others
    are compared with, if it is drawn.
    """

    title: str
    alt: str
    unit: str
    table: Table
    bars: tuple[Key, ...] = ()
    lines: tuple[Key, ...] = ()
    divisor: float = 1.0
    titles: tuple[str, ...] = ()
    city: Key | None = None

    def series(self) -> list[tuple[str, Line]]:
        """Return the lines that are drawn with their titles, bars first."""
        found = [self.table.line(key) for key in (*self.bars, *self.lines)]
        return [(title, line) for title, line in zip(self.titles, found, strict=True) if line is not None]


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter: what is said first, charts, tables."""

    title: str
    remarks: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Notes:
    """Explanations under a heading: what it is about, and what is to be said of it."""

    title: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report: ``facts`` for its title page, chapters, explanations.

    ``internal``: it holds small counts and is marked so; ``as_of``: the Stand of its newest source, the only date a
    file may bear, so that the same data give the same bytes. ``notice``: what is to be said of all the data, such as
    that they are invented; every page and sheet bears it. ``bases``: the periods changes are told against, more than
    one where areas of several cities are told of, None among them where there is none.
    """

    title: str
    subtitle: str
    internal: bool
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    notes: tuple[Notes, ...]
    as_of: dt.date | None
    notice: str | None = None
    bases: frozenset[str | None] = frozenset()

    def mark(self) -> str:
        """Return which version it is, as every page and sheet says."""
        return INTERNAL if self.internal else PUBLISHED

    def heading(self) -> str:
        """Return what a sheet begins with: the version and the notice."""
        return " · ".join(filter(None, (self.mark(), self.notice)))
