"""JSON rows: an array of flat objects, or an object that holds one under a key."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from importers.errors import SourceError
from importers.sources.base import CHUNK_ROWS, MAX_GEOJSON_BYTES, Chunk, Layout, Provenance, Source, objects
from importers.sources.geojson import GeoJsonSource

_PLAIN = Layout()
_HEAD_BYTES = 64 * 1024


class JsonRowsSource:
    """Rows of a JSON document. Row numbers are the entries' positions, from 1; other entries are in ``bad_rows``.

    Numbers, texts and yes/no stay what they are; a nested value becomes its JSON text, null is missing. The columns
    are those of all rows in order of appearance.
    """

    def __init__(self, path: Path, layout: Layout = _PLAIN) -> None:
        raw = _read(path)
        rows = _rows(_parsed(raw, path.name), layout.rows_path, path.name)
        self.notes: list[str] = []
        self.bad_rows: dict[int, str] = {}
        self._rows: list[tuple[int, dict[str, Any]]] = []
        names: dict[str, None] = {}
        for number, row in enumerate(rows, start=1):
            if isinstance(row, dict):
                self._rows.append((number, row))
                names |= dict.fromkeys(row)
            else:
                self.bad_rows[number] = "Der Eintrag ist kein JSON-Objekt."
        if not self._rows:
            raise SourceError(f"„{path.name}“ enthält keine Zeilen (JSON-Objekte).")
        if any(not name.strip() or "\x00" in name for name in names):
            raise SourceError(f"„{path.name}“ hat eine Spalte ohne Namen oder mit einem Nullzeichen im Namen.")
        self.columns = tuple(names)
        self.provenance = Provenance(path.name, hashlib.sha256(raw).hexdigest(), "JSON")

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows in order."""
        for start in range(0, len(self._rows), CHUNK_ROWS):
            part = self._rows[start : start + CHUNK_ROWS]
            columns = {name: objects([_plain(row.get(name)) for _number, row in part]) for name in self.columns}
            yield Chunk(np.array([number for number, _row in part]), columns)


def open_json(path: Path, layout: Layout = _PLAIN) -> Source:
    """Open a JSON document as what it is: GeoJSON, or rows."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    if layout.rows_path is None and head.startswith(b"{"):
        if b'"FeatureCollection"' in head:
            return GeoJsonSource(path)
        document = _parsed(_read(path), path.name)
        if document.get("type") in {"FeatureCollection", "Feature"}:
            return GeoJsonSource(path)
    return JsonRowsSource(path, layout)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_GEOJSON_BYTES:
        raise SourceError(f"„{path.name}“ ist größer als {MAX_GEOJSON_BYTES // 1024**2} MiB; bitte als CSV liefern.")
    return path.read_bytes()


def _parsed(raw: bytes, name: str) -> Any:  # noqa: ANN401 - a JSON document
    try:
        return orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise SourceError(
            f"„{name}“ ist kein vollständiges JSON (Fehler bei Zeile {error.lineno}, Spalte {error.colno}); "
            "vielleicht wurde die Datei abgeschnitten."
        ) from None


def _rows(document: Any, rows_path: str | None, name: str) -> list[Any]:  # noqa: ANN401 - a JSON document
    """Return the array of rows: the document itself, or what lies under ``rows_path`` (``a.b`` goes two keys deep)."""
    found = document
    for key in rows_path.split(".") if rows_path is not None else ():
        found = found.get(key) if isinstance(found, dict) else None
    if isinstance(found, list):
        return found
    if rows_path is not None:
        raise SourceError(f"„{name}“ hat unter „{rows_path}“ keine Liste von Zeilen (rows_path in der Zuordnung).")
    lists = [key for key, value in document.items() if isinstance(value, list)] if isinstance(document, dict) else []
    if lists:
        raise SourceError(
            f"„{name}“ ist keine Liste von Zeilen; bitte in der Zuordnung unter [source] mit rows_path nennen, wo sie "
            f"steht. Listen gibt es unter: {', '.join(lists[:20])}."
        )
    raise SourceError(f"„{name}“ enthält keine Liste von Zeilen (JSON-Objekten).")


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return value.replace("\x00", "")
    return orjson.dumps(value).decode().replace("\\u0000", "") if isinstance(value, dict | list) else value
