"""Delimited text: encoding and delimiter recognised, never silently guessed wrong."""

import csv
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from importers.errors import SourceError
from importers.sources.base import CHUNK_ROWS, DOUBLE_ENCODED, MAX_LINE_BYTES, Chunk, Layout, Provenance
from importers.sources.header import Line, Marks, column_names, end_note, filled_right, title

_DELIMITERS = (";", "\t", ",", "|")
_PLAIN = Layout()
_BLOCK_BYTES = 1024**2


class CsvSource:
    """A CSV or TSV file. Encoding: UTF-8 (with or without BOM), else cp1252; the choice is in the provenance.

    ``layout`` says where the header lies and settles encoding and delimiter where it names them. Row numbers count as
    a spreadsheet does: the header is row 1, or what follows the skipped lines.
    """

    def __init__(self, path: Path, layout: Layout = _PLAIN) -> None:
        self._path = path
        self._layout = layout
        digest, encoding, double_encoded = _scan(path, layout.encoding)
        self._encoding = encoding
        self.notes: list[str] = []
        self.bad_rows: dict[int, str] = {}
        if encoding == "cp1252" and layout.encoding is None:
            self.notes.append("Die Datei ist nicht UTF-8; sie wurde als Windows-1252 gelesen.")
        if double_encoded:
            self.notes.append(
                "Umlaute sehen doppelt kodiert aus (etwa „Ã¼“ statt „ü“); bitte die Datei neu als UTF-8 speichern."
            )
        self._delimiter = layout.delimiter or self._recognise_delimiter()
        self.columns = self._header()
        self.provenance = Provenance(path.name, digest, "CSV", encoding=encoding)

    def _recognise_delimiter(self) -> str:
        with self._path.open(encoding=self._encoding, newline="") as handle:
            skip = self._layout.skip_rows
            lines = list(itertools.islice(handle, skip, skip + self._layout.header_rows))
        counts = {delimiter: sum(line.count(delimiter) for line in lines) for delimiter in _DELIMITERS}
        best = max(_DELIMITERS, key=counts.__getitem__)
        if counts[best] == 0:
            where = "der ersten Zeile" if skip == 0 else f"Zeile {skip + 1}"
            raise SourceError(
                f"„{self._path.name}“: In {where} ist kein Trennzeichen (Semikolon, Tabulator, Komma) "
                "zu erkennen. Ist das eine CSV-Datei mit Kopfzeile?"
            )
        return best

    def _records(self) -> Iterator[list[str]]:
        """Yield the records below the skipped lines."""
        csv.field_size_limit(MAX_LINE_BYTES)
        skip = self._layout.skip_rows
        with self._path.open(encoding=self._encoding, newline="") as handle:
            reader = csv.reader(itertools.islice(handle, skip, None), delimiter=self._delimiter, strict=True)
            try:
                yield from reader
            except csv.Error as error:
                raise SourceError(
                    f"„{self._path.name}“: Zeile {skip + reader.line_num} ist keine gültige CSV-Zeile; "
                    "vielleicht fehlt ein schließendes Anführungszeichen."
                ) from error

    def _header(self) -> tuple[str, ...]:
        records = itertools.islice(self._records(), self._layout.header_rows)
        rows = filled_right([[title(cell) for cell in record] for record in records])
        return column_names(rows, self._layout, self._path.name)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows; rows with another number of fields than the header go to ``bad_rows``."""
        self.bad_rows.clear()
        layout = self._layout
        marks = Marks(layout)
        width = len(self.columns) - bool(layout.sections)
        first = layout.skip_rows + layout.header_rows + 1
        rows: list[int] = []
        values: list[list[str | None]] = []
        for number, record in enumerate(itertools.islice(self._records(), layout.header_rows, None), start=first):
            if not any(record):
                continue
            line = marks.line(record)
            if line is Line.END:
                self._note_end(number)
                break
            if line is Line.HEADING:
                continue
            if len(record) != width:
                # A spreadsheet leaves empty fields at the end of a row; anything else is a broken row.
                if len(record) < width or any(record[width:]):
                    self.bad_rows[number] = f"Die Zeile hat {len(record)} statt {width} Felder."
                    continue
                del record[width:]
            rows.append(number)
            values.append([*record, marks.section] if layout.sections else [*record])
            if len(rows) == CHUNK_ROWS:
                yield self._chunk(rows, values)
                rows, values = [], []
        if rows:
            yield self._chunk(rows, values)

    def _note_end(self, row: int) -> None:
        note = end_note(row)
        if note not in self.notes:
            self.notes.append(note)

    def _chunk(self, rows: list[int], values: list[list[str | None]]) -> Chunk:
        table = np.array(values, dtype=object)
        return Chunk(np.array(rows), {name: table[:, i] for i, name in enumerate(self.columns)})


def _scan(path: Path, wanted: str | None) -> tuple[str, str, bool]:
    """Read the file once: checksum, encoding, whether umlauts look encoded twice; keep the limits.

    ``wanted``: the encoding where it is known; else it is recognised.
    """
    digest = hashlib.sha256()
    since_newline = 0
    wide = wanted is not None and wanted.startswith("utf-16")
    with path.open("rb") as handle:
        start = handle.read(4)
        if start.startswith((b"\xff\xfe", b"\xfe\xff")) and not wide:
            raise SourceError(f"„{path.name}“ ist in UTF-16 gespeichert; bitte als „CSV UTF-8“ speichern.")
        if start.startswith(b"PK\x03\x04"):
            raise SourceError(f"„{path.name}“ ist eine Excel- oder ZIP-Datei mit der Endung einer Textdatei.")
        handle.seek(0)
        while block := handle.read(_BLOCK_BYTES):
            digest.update(block)
            if b"\x00" in block and not wide:
                raise SourceError(f"„{path.name}“ enthält Nullbytes; das ist keine Textdatei.")
            newline = block.rfind(b"\n")
            since_newline = since_newline + len(block) if newline < 0 else len(block) - newline - 1
            if since_newline > MAX_LINE_BYTES:
                raise SourceError(f"„{path.name}“ hat eine Zeile von mehr als {MAX_LINE_BYTES // 1024**2} MiB.")
    bom = start.startswith(b"\xef\xbb\xbf")
    recognised = ("utf-8-sig" if bom else "utf-8", "cp1252")
    candidates = recognised if wanted is None else ("utf-8-sig" if bom and wanted == "utf-8" else wanted,)
    for candidate in candidates:
        try:
            with path.open(encoding=candidate, newline="") as text:
                twice = False
                while part := text.read(_BLOCK_BYTES):
                    twice = twice or any(mark in part for mark in DOUBLE_ENCODED)
        except UnicodeError:
            continue
        except LookupError as error:
            raise SourceError(f"„{path.name}“: Die Zeichenkodierung „{wanted}“ gibt es nicht.") from error
        return digest.hexdigest(), candidate, twice
    if wanted is not None:
        raise SourceError(f"„{path.name}“ lässt sich nicht als „{wanted}“ lesen; so nennt es die Zuordnung.")
    raise SourceError(f"„{path.name}“: Die Zeichenkodierung ist weder UTF-8 noch Windows-1252.")
