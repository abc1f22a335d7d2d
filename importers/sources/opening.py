"""From a path to the reader that fits; everything that is plainly wrong with a file is said here."""

from pathlib import Path

from importers.errors import SourceError
from importers.sources.base import MAX_FILE_BYTES, Source

_TABLES = {".csv", ".tsv", ".txt"}
_EXCEL = {".xlsx", ".xlsm"}
_GEOJSON = {".geojson", ".json"}
_VECTORS = {".gpkg", ".shp", ".zip"}


def open_source(path: Path, *, layer: str | None = None) -> Source:
    """Open a file as a source of rows.

    ``layer`` names the layer of a GeoPackage, the shapefile inside a zip or the sheet of a workbook where
    there are several. Raises ``SourceError`` with a German sentence for whatever cannot be read.
    """
    _require_file(path)
    suffix = path.suffix.lower()
    if suffix in _TABLES:
        from importers.sources.table import CsvSource  # noqa: PLC0415 - readers load only what they need

        return CsvSource(path)
    if suffix in _EXCEL:
        from importers.sources.workbook import ExcelSource  # noqa: PLC0415

        return ExcelSource(path, sheet=layer)
    if suffix in _GEOJSON:
        from importers.sources.geojson import GeoJsonSource  # noqa: PLC0415

        return GeoJsonSource(path)
    if suffix in _VECTORS:
        from importers.sources.vector import open_vector  # noqa: PLC0415

        return open_vector(path, layer=layer)
    known = ", ".join(sorted(_TABLES | _EXCEL | _GEOJSON | _VECTORS))
    raise SourceError(f"„{path.name}“: Dateien mit der Endung „{suffix}“ werden nicht gelesen. Möglich sind: {known}.")


def _require_file(path: Path) -> None:
    try:
        path.name.encode()
    except UnicodeEncodeError:
        raise SourceError("Der Dateiname ist kein gültiges UTF-8; bitte die Datei umbenennen.") from None
    if path.is_dir():
        raise SourceError(f"„{path.name}“ ist ein Ordner; bitte eine Datei angeben.")
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise SourceError(f"Die Datei „{path.name}“ gibt es nicht.") from None
    except OSError as error:
        raise SourceError(f"Die Datei „{path.name}“ lässt sich nicht öffnen ({error.strerror}).") from None
    if not path.is_file():
        raise SourceError(f"„{path.name}“ ist keine gewöhnliche Datei.")
    if size == 0:
        raise SourceError(f"Die Datei „{path.name}“ ist leer.")
    if size > MAX_FILE_BYTES:
        raise SourceError(f"Die Datei „{path.name}“ ist größer als {MAX_FILE_BYTES // 1024**3} GiB.")
