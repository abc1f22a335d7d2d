"""What pages are put together from, as plain data: tables, choices, downloads. ``components.html`` draws them."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from geodata.errors import ParameterError
from layers.charts import BarChart, SeriesChart, chart_svg, phone_svg
from service.pages.wording import filters
from service.texts import SOURCE_LANGUAGE, texts

Row = TypeVar("Row")


class Mark(StrEnum):
    """A cell that holds no value, and why. None in a cell is a missing value."""

    SUPPRESSED = "•"
    NOT_APPLICABLE = "–"


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads somewhere."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Lines:
    """A cell of several lines, one entry each."""

    entries: Sequence["str | Link"]


Cell: TypeAlias = str | int | float | dt.date | bool | Link | Lines | Mark | None


class Kind(StrEnum):
    """How a column's values are written; all but text stand on the right."""

    TEXT = "text"
    NUMBER = "number"
    PLAIN = "plain"
    PERCENT = "percent"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. ``key``: in rows and in ``?sort=``. ``decimals`` of numbers (at most so many for PLAIN).

    ``header``: its cells name their rows (one column of a table should). ``note``: what the heading means.
    """

    key: str
    title: str
    kind: Kind = Kind.TEXT
    decimals: int = 0
    sortable: bool = True
    header: bool = False
    note: str | None = None

    @property
    def right(self) -> bool:
        """Whether values stand on the right."""
        return self.kind not in {Kind.TEXT, Kind.DATE}


@dataclass(frozen=True, slots=True)
class Sort:
    """What rows are ordered by: a column's key, and whether downwards. As text: ``name`` or ``-name``."""

    key: str
    descending: bool = False

    def text(self) -> str:
        """Return the order as a parameter."""
        return f"-{self.key}" if self.descending else self.key


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table to be drawn: ``rows`` hold a cell for each column's key.

    ``attributes`` of a row go on its ``<tr>`` by its number (``{"data-area-key": "1"}``). ``sort``: how the rows are
    ordered now; None: the columns cannot be ordered by links. ``sort_parameter``: its name in the address.
    ``stacked``: on phones each row is a block of its own, for tables of text.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]
    sort: Sort | None = None
    attributes: Sequence[Mapping[str, str]] = ()
    sort_parameter: str = "sort"
    empty: str | None = None
    language: str = SOURCE_LANGUAGE
    identity: str | None = None
    stacked: bool = False

    def text(self, column: Column, value: Cell) -> str:
        """Return a value as the column writes it."""
        if isinstance(value, bool):
            said = texts(self.language).gettext
            return said("ja") if value else said("nein")
        if isinstance(value, int | float) and column.kind is not Kind.TEXT:
            writes = filters(self.language)
            if column.kind is Kind.DATE:
                return str(value)
            return str(writes[column.kind.value](value, column.decimals))
        if isinstance(value, dt.date):
            return str(filters(self.language)["date"](value))
        return str(value)

    def shape(self, value: Cell) -> str:
        """Return how a cell is drawn: ``missing``, ``suppressed``, ``link``, ``lines`` or ``text``."""
        if value is None:
            return "missing"
        if value is Mark.SUPPRESSED:
            return "suppressed"
        return {Link: "link", Lines: "lines"}.get(type(value), "text")

    def next_sort(self, column: Column) -> str:
        """Return the order a click on a column's heading asks for: upwards, then downwards."""
        same = self.sort is not None and self.sort.key == column.key
        return Sort(column.key, descending=same and self.sort is not None and not self.sort.descending).text()

    def direction(self, column: Column) -> str | None:
        """Return ``ascending`` or ``descending`` where the rows are ordered by this column."""
        if self.sort is None or self.sort.key != column.key:
            return None
        return "descending" if self.sort.descending else "ascending"

    @property
    def has_suppressed(self) -> bool:
        """Whether a cell is suppressed; its sign is then explained below the table."""
        return any(value is Mark.SUPPRESSED for row in self.rows for value in row.values())

    @property
    def has_missing(self) -> bool:
        """Whether a value is missing."""
        keys = [column.key for column in self.columns]
        return any(row.get(key) is None for row in self.rows for key in keys)


def sort_of(text: str | None, columns: Iterable[Column], default: Sort, parameter: str = "sort") -> Sort:
    """Return the order a parameter asks for; raise ``ParameterError`` for a column that is not there."""
    if not text:
        return default
    wanted = Sort(text.removeprefix("-"), text.startswith("-"))
    known = [column.key for column in columns if column.sortable]
    if wanted.key not in known:
        raise ParameterError(parameter, f"Nach „{wanted.key[:60]}“ kann nicht sortiert werden.", known)
    return wanted


def ordered(rows: Iterable[Row], value: Callable[[Row], Any], sort: Sort) -> list[Row]:
    """Return rows ordered by a value; those without one (None, a mark) come last in both directions.

    Text is ordered as a German dictionary does: ä as a, ß as ss, capitals like small letters. Equal rows keep their
    order.
    """
    given, without = [], []
    for row in rows:
        key = value(row)
        if key is None or isinstance(key, Mark):
            without.append(row)
        else:
            given.append((_sort_key(key), row))
    given.sort(key=lambda pair: pair[0], reverse=sort.descending)
    return [row for _key, row in given] + without


_PLAIN_LETTERS = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss", "é": "e", "è": "e", "á": "a", "ç": "c"})


def _sort_key(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, Link):
        value = value.text
    if isinstance(value, tuple):
        return tuple(_sort_key(part) for part in value)
    return value.casefold().translate(_PLAIN_LETTERS) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a form: ``count`` beside it where it is known."""

    value: str
    title: str
    chosen: bool = False
    count: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """A file to take along: of exactly what is shown."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Pager:
    """Where in a long list we are: pages count from 1; ``parameter`` names the page in the address."""

    number: int
    pages: int
    first: int
    last: int
    total: int
    parameter: str = "seite"

    @classmethod
    def of(cls, number: int, total: int, per_page: int, parameter: str = "seite") -> "Pager":
        """Return the pager of a list of ``total`` rows; a page beyond the last is the last."""
        pages = max(1, -(-total // per_page))
        number = min(number, pages)
        return cls(number, pages, min(total, (number - 1) * per_page + 1), min(total, number * per_page), total,
                   parameter)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure made on the server as SVG: ``svg`` is our own markup, whose text is escaped; ``table`` says the same.

    ``phone``: the same drawn for a narrow screen, where it is another drawing.
    """

    identity: str
    title: str
    description: str
    svg: str
    table: DataTable | None = None
    downloads: Sequence[Download] = field(default_factory=tuple)
    phone: str | None = None


def chart_picture(
    identity: str, chart: SeriesChart | BarChart, table: DataTable | None, downloads: Sequence[Download] = ()
) -> Picture:
    """Return a chart as a page shows it, drawn for wide and for narrow screens."""
    return Picture(identity, chart.title, chart.description, chart_svg(chart), table, downloads, phone=phone_svg(chart))
