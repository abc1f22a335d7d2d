"""What a service tells page by page, believed only when the pages fit together; kept in files, not in memory."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import shapely

from importers.errors import SourceError
from importers.sources.addresses import shown
from importers.sources.base import CHUNK_ROWS, Chunk, Provenance, objects
from importers.sources.http import Fetched, Fetcher, Validators

PAGE_ROWS = 10_000
_MAX_PAGES = 20_000


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``chunk``: its readable features, their rows counted from 1 within the page; ``bad_rows``: the others.

    ``ids``: the features' ids, of those that have one.
    """

    count: int
    chunk: Chunk
    bad_rows: dict[int, str]
    notes: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @classmethod
    def empty(cls) -> "Page":
        """Return a page without features."""
        return cls(0, Chunk(np.arange(0), {}, objects([])), {})


class PagedSource:
    """The features of a service in the order it told them; rows count from 1 over all pages.

    ``validators`` is set where one answer determined all of the content.
    """

    def __init__(
        self, pages: list[Path], read: Callable[[Path], Page], columns: tuple[str, ...], provenance: Provenance,
        fetcher: Fetcher,
    ) -> None:  # fmt: skip
        self._pages = pages
        self._read = read
        # The pages' files live as long as the fetcher.
        self._fetcher = fetcher
        self.columns = columns
        self.provenance = provenance
        self.notes: list[str] = []
        self.bad_rows: dict[int, str] = {}
        self.validators: Validators | None = None

    def chunks(self) -> Iterator[Chunk]:
        """Yield the features in order, small pages together."""
        self.bad_rows.clear()
        waiting: list[Chunk] = []
        before = 0
        for path in self._pages:
            page = self._read(path)
            for row, why in page.bad_rows.items():
                self.bad_rows[before + row] = why
            for note in page.notes:
                if note not in self.notes:
                    self.notes.append(note)
            waiting.append(Chunk(page.chunk.rows + before, page.chunk.columns, page.chunk.geometry))
            before += page.count
            if sum(len(chunk.rows) for chunk in waiting) >= CHUNK_ROWS:
                yield self._together(waiting)
                waiting = []
        if waiting:
            yield self._together(waiting)

    def _together(self, chunks: list[Chunk]) -> Chunk:
        columns = {
            name: np.concatenate([chunk.columns.get(name, objects([None] * len(chunk.rows))) for chunk in chunks])
            for name in self.columns
        }
        geometry = np.concatenate([_geometry(chunk) for chunk in chunks])
        return Chunk(np.concatenate([chunk.rows for chunk in chunks]), columns, geometry)


class Spool:
    """Collects the pages of one service and refuses them where they cannot be all and nothing but the data."""

    def __init__(self, url: str, fetcher: Fetcher, read: Callable[[Path], Page]) -> None:
        self._url = shown(url)
        self._fetcher = fetcher
        self._read = read
        self._pages: list[Path] = []
        self._told = 0
        self._bytes = 0
        self._count = 0
        self._matched: int | None = None
        self._columns: dict[str, None] = {}
        self._ids: set[str] = set()
        self._rows: list[bytes] = []
        self._seen: set[bytes] = set()

    @property
    def count(self) -> int:
        """Return the number of features so far."""
        return self._count

    def add(self, path: Path, page: Page, *, matched: int | None, returned: int | None) -> None:
        """Take a page. ``matched`` and ``returned``: what the server says the whole and this page count, if it does."""
        self._told += 1
        if page.count:
            self._pages.append(path)
        self._bytes += path.stat().st_size
        self._count += page.count
        if self._bytes > self._fetcher.rules.max_bytes or self._told > _MAX_PAGES:
            raise self.refused(
                "liefert mehr, als gelesen wird; bitte den Ausschnitt verkleinern oder eine Datei nehmen"
            )
        if returned is not None and returned != page.count:
            raise self.refused(f"kündigt auf einer Seite {returned} Objekte an und liefert {page.count}")
        # Some servers know the number only when they come to the last page.
        if self._matched is not None and matched not in {None, self._matched}:
            raise self.refused(
                f"nennt erst {self._matched} Objekte, dann {matched}; die Daten haben sich beim Lesen geändert"
            )
        self._matched = matched if self._matched is None else self._matched
        if self._matched is not None and self._count > self._matched:
            raise self.refused(f"kündigt {self._matched} Objekte an und liefert mehr")
        for name in page.ids:
            if name in self._ids:
                raise self.refused(f"liefert das Objekt „{name[:100]}“ mehrfach; die Daten sind so nicht vollständig")
            self._ids.add(name)
        self._columns |= dict.fromkeys(page.chunk.columns)
        digests = _digests(page)
        whole = hashlib.sha256(b"".join(digests) + "\n".join(page.ids).encode()).digest()
        if page.count and whole in self._seen:
            raise self.refused("liefert dieselbe Seite noch einmal; die Daten sind so nicht vollständig")
        self._seen.add(whole)
        self._rows += digests

    def refused(self, what: str) -> SourceError:
        """Return the error that says what is wrong with the service."""
        return SourceError(f"Der Dienst „{self._url}“ {what}. Nichts wurde gelesen.")

    def finish(self, kind: str, crs: str | None) -> PagedSource:
        """Return the source, if all that was announced came. ``kind``: of the service; ``crs``: of its geometry.

        The checksum is over what the rows say, in whatever order and pages they came.
        """
        if self._matched is not None and self._count != self._matched:
            raise self.refused(f"kündigt {self._matched} Objekte an und liefert {self._count}")
        if self._count == 0:
            raise SourceError(f"Der Dienst „{self._url}“ enthält keine Objekte.")
        checksum = hashlib.sha256(b"".join(sorted(self._rows)) + (crs or "").encode()).hexdigest()
        provenance = Provenance(self._url, checksum, kind, crs=crs)
        return PagedSource(self._pages, self._read, tuple(self._columns), provenance, self._fetcher)


def refuse_html(fetched: Fetched) -> None:
    """Raise ``SourceError`` if a server shows a page for people where data should be."""
    with fetched.path.open("rb") as file:
        start = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")) or (fetched.content_type == "text/html" and start[:1] != b"{"):
        raise SourceError(
            f"„{shown(fetched.url)}“ liefert eine Internetseite statt Daten; bitte die Adresse des Dienstes oder der "
            "Datei angeben."
        )


def _geometry(chunk: Chunk) -> "np.ndarray[tuple[int, ...], np.dtype[np.object_]]":
    return objects([None] * len(chunk.rows)) if chunk.geometry is None else chunk.geometry


def _digests(page: Page) -> list[bytes]:
    """Return a digest per feature; a value that is missing and one that is not there are the same."""
    chunk = page.chunk
    names = sorted(chunk.columns)
    shapes = shapely.to_wkb(_geometry(chunk))
    values = [chunk.columns[name].tolist() for name in names]
    made = []
    for i, shape in enumerate(shapes):
        row = {name: column[i] for name, column in zip(names, values, strict=True) if column[i] is not None}
        made.append(hashlib.sha256(orjson.dumps(row) + b"|" + (shape or b"")).digest())
    return made + [hashlib.sha256(why.encode()).digest() for why in page.bad_rows.values()]
