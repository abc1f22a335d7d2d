"""What lies around the rows of a table: header rows, section headings, the notes below."""

import re
from collections.abc import Sequence
from enum import Enum

from importers.errors import SourceError
from importers.sources.base import Layout

_JOIN = " | "
SECTION = "section"
_SOFT_HYPHEN = "\u00ad"
_HYPHEN_AT_BREAK = re.compile(r"(?<=\w)-[ \t]*[\r\n]+\s*")


def title(cell: object) -> str:
    """Return a header cell in one line: "Unter 18-⏎Jährige" is "Unter 18-Jährige", soft hyphens are gone."""
    if cell is None:
        return ""
    text = _HYPHEN_AT_BREAK.sub("-", str(cell).replace(_SOFT_HYPHEN, ""))
    return " ".join(text.split())


def filled_right(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return header rows with the gaps of all but the last filled from the left, as merged cells are exported.

    A gap stays where the column has nothing below either.
    """
    width = max(map(len, rows), default=0)
    made = [[*row, *[""] * (width - len(row))] for row in rows]
    for at, row in enumerate(made[:-1]):
        for i in range(1, width):
            if not row[i] and any(below[i] for below in made[at + 1 :]):
                row[i] = row[i - 1]
    return made


def column_names(rows: Sequence[Sequence[str]], layout: Layout, source: str) -> tuple[str, ...]:
    """Return the names of the columns from the cells of the header rows, one per column.

    Several rows are joined, empty parts left out, a part that repeats the one above taken once; with
    ``title_row`` only that row counts. Raises ``SourceError`` for a column without name or a name that stands twice.
    """
    if layout.title_row is not None:
        rows = rows[layout.title_row - 1 : layout.title_row]
    width = max(map(len, rows), default=0)
    names: list[str] = []
    for i in range(width):
        parts = (row[i] for row in rows if i < len(row) and row[i])
        names.append(_JOIN.join(dict.fromkeys(parts)))
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise SourceError(f"„{source}“: Die Kopfzeile hat eine Spalte ohne Namen.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(f"„{source}“: Die Spalte „{twice[0]}“ kommt in der Kopfzeile mehrfach vor.")
    if layout.sections:
        if SECTION in names:
            raise SourceError(f"„{source}“ hat schon eine Spalte „{SECTION}“; mit Abschnitten geht das nicht zusammen.")
        names.append(SECTION)
    return tuple(names)


class Line(Enum):
    """What a row below the header is."""

    DATA = "data"
    HEADING = "heading"
    END = "end"


class Marks:
    """Follows a table from its first row: which section the rows belong to, and where it ends."""

    def __init__(self, layout: Layout) -> None:
        self._footer = re.compile(layout.footer) if layout.footer is not None else None
        self._sections = [(name, re.compile(pattern)) for name, pattern in layout.sections]
        self.section: str | None = None

    def line(self, cells: Sequence[object]) -> Line:
        """Say what the row is, and enter the section it begins."""
        if self._footer is None and not self._sections:
            return Line.DATA
        filled = (text for text in map(title, cells) if text)
        first = next(filled, None)
        if first is None:
            return Line.DATA
        if self._footer is not None and self._footer.search(first):
            return Line.END
        for name, pattern in self._sections:
            if pattern.search(first):
                self.section = name
                return Line.HEADING if next(filled, None) is None else Line.DATA
        return Line.DATA


def end_note(row: int) -> str:
    """Return the note for the report that the table ended before its file did."""
    return f"Ab Zeile {row} folgen Anmerkungen; sie wurden nicht gelesen."
