"""What every source yields: columns, chunks of rows, and where they come from."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

CHUNK_ROWS = 50_000
MAX_FILE_BYTES = 2 * 1024**3
MAX_GEOJSON_BYTES = 256 * 1024**2
MAX_LINE_BYTES = 1024**2
MAX_UNPACKED_BYTES = 1024**3
# UTF-8 read once as cp1252 and saved again: the usual trace of it in German text.
DOUBLE_ENCODED = ("Ã¤", "Ã¶", "Ã¼", "ÃŸ", "Ã„", "Ã–", "Ãœ", "â€“", "Â§")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where rows come from. ``crs`` is what the source declares (``EPSG:4326``), None if it declares nothing."""

    source: str
    checksum: str
    format: str
    encoding: str | None = None
    crs: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table lies in its file, where that is not one header row above plain rows.

    ``skip_rows`` come before the header of ``header_rows`` rows (their parts joined by `` | ``; or only the
    ``title_row``-th of them gives the names). ``fill_merged``: every cell of a merged range has its value.
    ``footer``: a pattern; a row whose first filled cell matches ends the table. ``sections``: (name, pattern)
    pairs; from the row on whose first filled cell matches, an additional column ``section`` says the name. A
    matching row with nothing else in it is a heading, no data. ``rows_path``: the key under which a JSON document
    holds its rows. ``encoding`` and ``delimiter`` settle what would else be recognised.
    """

    header_rows: int = 1
    skip_rows: int = 0
    sheet: str | None = None
    rows_path: str | None = None
    fill_merged: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    footer: str | None = None
    title_row: int | None = None
    sections: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Chunk:
    """Some rows. ``rows`` are their numbers as a reader of the file counts them.

    ``columns`` holds str, int, float, bool or None (dtype object) under the source's own column names;
    ``geometry`` is shapely geometry in the source's CRS, or None for tables.
    """

    rows: NDArray[Any]
    columns: dict[str, NDArray[Any]]
    geometry: NDArray[Any] | None = None


class Source(Protocol):
    """A source of rows; ``chunks`` may be called again and starts from the beginning each time.

    ``notes`` are sentences for the report; ``bad_rows`` maps a row number to why it could not be read
    (filled while ``chunks`` is consumed).
    """

    provenance: Provenance
    columns: tuple[str, ...]
    notes: list[str]
    bad_rows: dict[int, str]

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows in order."""
        ...


def objects(values: Sequence[Any]) -> NDArray[Any]:
    """Return values as an array of objects, each as it is."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
