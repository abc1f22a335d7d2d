"""Reading the documents as their user does: save the files they print, run their commands, compare what is said."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import geopandas
import openpyxl
from conftest import PROJECT

DOCS = PROJECT / "docs"
# In the order in which a reader meets them; the examples of the second build on those of the first.
WALK = ("datenquellen.md", "zuordnungen.md")
_FENCE = re.compile(r"^```(\w*)(?: ([^\n]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILES = frozenset({"csv", "tsv", "json", "geojson", "toml", "tabelle"})


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language, what stands behind it (a file's name, or what a command is to do), its text."""

    language: str
    info: str | None
    body: str

    @property
    def is_file(self) -> bool:
        return self.language in _FILES and self.info is not None

    def commands(self) -> list[list[str]]:
        """Return the arguments of the commands of the program in the block."""
        lines = (shlex.split(line, comments=True) for line in self.body.splitlines())
        return [words[1:] for words in lines if words and words[0].endswith("sozialraumkarte")]


def text_of(name: str) -> str:
    path = PROJECT / name if name == "README.md" else DOCS / name
    return path.read_text(encoding="utf-8")


def fences(name: str) -> list[Fence]:
    return [Fence(*found.groups()) for found in _FENCE.finditer(text_of(name))]


def prose(name: str) -> str:
    """Return a document without its fenced blocks."""
    return _FENCE.sub("", text_of(name))


def save(fence: Fence, folder: Path) -> Path:
    """Write the file a block prints; a table for a workbook becomes one, with its merged cells."""
    assert fence.info is not None
    path = folder / fence.info
    if fence.language == "tabelle":
        _workbook([[cell.strip() for cell in line.split("|")] for line in fence.body.splitlines()], path)
    else:
        path.write_text(fence.body, encoding="utf-8")
    return path


def _workbook(rows: list[list[str]], path: Path) -> None:
    """``<`` belongs to the cell on the left, ``^`` to the one above."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell in {"<", "^"}:
                continue
            sheet.cell(r + 1, c + 1, int(cell) if cell.isdecimal() else cell or None)
            right, down = c + 1, r + 1
            while right < len(row) and row[right] == "<":
                right += 1
            while down < len(rows) and rows[down][c : c + 1] == ["^"]:
                down += 1
            if (right, down) != (c + 1, r + 1):
                sheet.merge_cells(start_row=r + 1, start_column=c + 1, end_row=down, end_column=right)
    book.save(path)


def saved_by_qgis(folder: Path, name: str) -> None:
    """Make a GeoPackage, a Shapefile or its zip of the GeoJSON of the same name, the key in a column ``id``."""
    frame = geopandas.read_file(folder / f"{name}.geojson").rename(columns={"key": "id"})
    frame.to_file(folder / f"{name}.gpkg", layer=name)
    # GDAL writes a Shapefile into the zip.
    frame.to_file(folder / f"{name}.shz", driver="ESRI Shapefile")
    (folder / f"{name}.shz").rename(folder / f"{name}.zip")


def tables(name: str) -> list[list[dict[str, str]]]:
    """Return the tables of a document as rows by heading; ``|`` in a cell stands as ``\\|``."""
    found: list[list[dict[str, str]]] = []
    for block in re.findall(r"(?:^\|.*\n)+", text_of(name), re.MULTILINE):
        heads, _line, *rows = ([c.strip() for c in re.split(r"(?<!\\)\|", row)[1:-1]] for row in block.splitlines())
        found.append([dict(zip(heads, row, strict=True)) for row in rows])
    return found


def table(name: str, *columns: str) -> list[dict[str, str]]:
    """Return the one table whose first columns are these."""
    (found,) = [made for made in tables(name) if tuple(made[0])[: len(columns)] == columns]
    return found


def backticked(name: str) -> set[str]:
    """Return the words in code style of a document's text, its fenced blocks left out."""
    return {word for code in re.findall(r"`([^`\n]+)`", prose(name)) for word in re.findall(r"[\w./-]+", code)}
