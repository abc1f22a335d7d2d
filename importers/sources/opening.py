"""From a path or URL to the reader that fits; everything that is plainly wrong with a file is said here."""

from pathlib import Path
from typing import TYPE_CHECKING

from importers.errors import SourceError
from importers.sources.base import MAX_FILE_BYTES, Layout, Source

if TYPE_CHECKING:
    from importers.sources.http import Fetcher, Validators

_TABLES = {".csv", ".tsv", ".txt"}
_EXCEL = {".xlsx", ".xlsm"}
_GEOJSON = {".geojson"}
_JSON = {".json"}
_VECTORS = {".gpkg", ".shp", ".zip"}
_WEB = ("http://", "https://")


def open_source(
    location: Path | str,
    *,
    layer: str | None = None,
    layout: Layout | None = None,
    folder: Path | None = None,
    fetcher: "Fetcher | None" = None,
    known: "Validators | None" = None,
) -> Source:
    """Open a file or a URL (``http://``, ``https://``) as a source of rows.

    ``layer`` names the layer of a GeoPackage, the shapefile inside a zip, the sheet of a workbook or the feature type
    of a WFS where there are several; ``layout`` says how a table lies in its file. An archive is unpacked into a folder
    of its own inside ``folder``, else where temporary files go. For URLs only: ``fetcher`` (must stay open while the
    source is read; without one a new one is made that lives as long as the source) and ``known``, the ``validators``
    of an earlier reading: ``NotModified`` is raised if nothing changed since. Raises ``SourceError`` with a German
    sentence for whatever cannot be read.
    """
    if isinstance(location, str) and location.lower().startswith(_WEB):
        from importers.sources.http import Fetcher  # noqa: PLC0415 - most sources are files
        from importers.sources.remote import open_remote  # noqa: PLC0415

        return open_remote(location, layer=layer, layout=layout, fetcher=fetcher or Fetcher(), known=known)
    path = Path(location)
    _require_file(path)
    suffix = path.suffix.lower()
    how = layout or Layout()
    if suffix in _TABLES:
        from importers.sources.table import CsvSource  # noqa: PLC0415 - readers load only what they need

        return CsvSource(path, how)
    if suffix in _EXCEL:
        from importers.sources.workbook import ExcelSource  # noqa: PLC0415

        return ExcelSource(path, sheet=layer, layout=how)
    if suffix in _GEOJSON:
        from importers.sources.geojson import GeoJsonSource  # noqa: PLC0415

        return GeoJsonSource(path)
    if suffix in _JSON:
        from importers.sources.json_rows import open_json  # noqa: PLC0415

        return open_json(path, how)
    if suffix in _VECTORS:
        from importers.sources.vector import open_vector  # noqa: PLC0415

        return open_vector(path, layer=layer, folder=folder)
    known_suffixes = ", ".join(sorted(_TABLES | _EXCEL | _GEOJSON | _JSON | _VECTORS))
    raise SourceError(
        f"„{path.name}“: Dateien mit der Endung „{suffix}“ werden nicht gelesen. Möglich sind: {known_suffixes}."
    )


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
