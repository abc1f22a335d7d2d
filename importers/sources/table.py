"""Delimited text: encoding and delimiter recognised, never silently guessed wrong."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from importers.errors import SourceError
from importers.sources.base import CHUNK_ROWS, MAX_LINE_BYTES, Chunk, Provenance

_DELIMITERS = (";", "\t", ",", "|")
_BLOCK_BYTES = 1024**2
# UTF-8 read once as cp1252 and saved again: the usual trace of it in German text.
_DOUBLE_ENCODED = ("Ã¤", "Ã¶", "Ã¼", "ÃŸ", "Ã„", "Ã–", "Ãœ", "â€“", "Â§")


class CsvSource:
    """A CSV or TSV file. Encoding: UTF-8 (with or without BOM), else cp1252; the choice is in the provenance.

    Row numbers count as a spreadsheet does: the header is row 1.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        digest, encoding, double_encoded = _scan(path)
        self._encoding = encoding
        self.notes: list[str] = []
        self.bad_rows: dict[int, str] = {}
        if encoding == "cp1252":
            self.notes.append("Die Datei ist nicht UTF-8; sie wurde als Windows-1252 gelesen.")
        if double_encoded:
            self.notes.append(
                "Umlaute sehen doppelt kodiert aus (etwa „Ã¼“ statt „ü“); bitte die Datei neu als UTF-8 speichern."
            )
        self._delimiter = self._recognise_delimiter()
        self.columns = self._header()
        self.provenance = Provenance(path.name, digest, "CSV", encoding=encoding)

    def _recognise_delimiter(self) -> str:
        with self._path.open(encoding=self._encoding, newline="") as handle:
            first = handle.readline()
        counts = {delimiter: first.count(delimiter) for delimiter in _DELIMITERS}
        best = max(_DELIMITERS, key=counts.__getitem__)
        if counts[best] == 0:
            raise SourceError(
                f"„{self._path.name}“: In der ersten Zeile ist kein Trennzeichen (Semikolon, Tabulator, Komma) "
                "zu erkennen. Ist das eine CSV-Datei mit Kopfzeile?"
            )
        return best

    def _records(self) -> Iterator[list[str]]:
        csv.field_size_limit(MAX_LINE_BYTES)
        with self._path.open(encoding=self._encoding, newline="") as handle:
            reader = csv.reader(handle, delimiter=self._delimiter, strict=True)
            try:
                yield from reader
            except csv.Error as error:
                raise SourceError(
                    f"„{self._path.name}“: Zeile {reader.line_num} ist keine gültige CSV-Zeile; "
                    "vielleicht fehlt ein schließendes Anführungszeichen."
                ) from error

    def _header(self) -> tuple[str, ...]:
        names = [name.strip() for name in next(self._records(), [])]
        while names and not names[-1]:
            names.pop()
        if not names or not all(names):
            raise SourceError(f"„{self._path.name}“: Die Kopfzeile hat eine Spalte ohne Namen.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SourceError(f"„{self._path.name}“: Die Spalte „{twice[0]}“ kommt in der Kopfzeile mehrfach vor.")
        return tuple(names)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows; rows with another number of fields than the header go to ``bad_rows``."""
        self.bad_rows.clear()
        width = len(self.columns)
        records = self._records()
        next(records)
        rows: list[int] = []
        values: list[list[str]] = []
        for number, record in enumerate(records, start=2):
            if not any(record):
                continue
            if len(record) != width:
                # A spreadsheet leaves empty fields at the end of a row; anything else is a broken row.
                if len(record) < width or any(record[width:]):
                    self.bad_rows[number] = f"Die Zeile hat {len(record)} statt {width} Felder."
                    continue
                del record[width:]
            rows.append(number)
            values.append(record)
            if len(rows) == CHUNK_ROWS:
                yield self._chunk(rows, values)
                rows, values = [], []
        if rows:
            yield self._chunk(rows, values)

    def _chunk(self, rows: list[int], values: list[list[str]]) -> Chunk:
        table = np.array(values, dtype=object)
        return Chunk(np.array(rows), {name: table[:, i] for i, name in enumerate(self.columns)})


def _scan(path: Path) -> tuple[str, str, bool]:
    """Read the file once: checksum, encoding, whether umlauts look encoded twice; keep the limits."""
    digest = hashlib.sha256()
    since_newline = 0
    with path.open("rb") as handle:
        start = handle.read(4)
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise SourceError(f"„{path.name}“ ist in UTF-16 gespeichert; bitte als „CSV UTF-8“ speichern.")
        if start.startswith(b"PK\x03\x04"):
            raise SourceError(f"„{path.name}“ ist eine Excel- oder ZIP-Datei mit der Endung einer Textdatei.")
        handle.seek(0)
        while block := handle.read(_BLOCK_BYTES):
            digest.update(block)
            if b"\x00" in block:
                raise SourceError(f"„{path.name}“ enthält Nullbytes; das ist keine Textdatei.")
            newline = block.rfind(b"\n")
            since_newline = since_newline + len(block) if newline < 0 else len(block) - newline - 1
            if since_newline > MAX_LINE_BYTES:
                raise SourceError(f"„{path.name}“ hat eine Zeile von mehr als {MAX_LINE_BYTES // 1024**2} MiB.")
    encoding = "utf-8-sig" if start.startswith(b"\xef\xbb\xbf") else "utf-8"
    for candidate in (encoding, "cp1252"):
        try:
            with path.open(encoding=candidate, newline="") as text:
                twice = False
                while part := text.read(_BLOCK_BYTES):
                    twice = twice or any(mark in part for mark in _DOUBLE_ENCODED)
        except UnicodeDecodeError:
            continue
        return digest.hexdigest(), candidate, twice
    raise SourceError(f"„{path.name}“: Die Zeichenkodierung ist weder UTF-8 noch Windows-1252.")
