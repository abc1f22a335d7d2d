"""From a URL to the reader that fits: a service, or a file that is fetched and read like any other."""

import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import orjson

from importers.errors import SourceError
from importers.sources.addresses import require_http, shown
from importers.sources.base import Chunk, Layout, Source
from importers.sources.http import Fetched, Fetcher, Validators, header_text
from importers.sources.pages import refuse_html

_TYPES = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/geo+json": ".geojson",
    "application/vnd.geo+json": ".geojson",
    "application/json": ".json",
    "application/geopackage+sqlite3": ".gpkg",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
}
_READ = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".geojson", ".json", ".gpkg", ".zip"})
_HEAD_BYTES = 4096
_UNFIT = re.compile(r"[^\w.,() -]")


class RemoteSource(Source, Protocol):
    """A source from the web. ``validators``: set where one answer determined all content, to ask for news with."""

    validators: Validators | None


class RemoteFile:
    """A file from the web, read by the reader of its kind; row numbers are those of the file."""

    def __init__(self, inner: Source, url: str, validators: Validators | None, fetcher: Fetcher) -> None:
        self._inner = inner
        # The file lives as long as the fetcher.
        self._fetcher = fetcher
        self.provenance = replace(inner.provenance, source=shown(url))
        self.validators = validators
        self.columns = inner.columns
        self.notes = inner.notes
        self.bad_rows = inner.bad_rows

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows in order."""
        return self._inner.chunks()


def open_remote(
    url: str,
    *,
    layer: str | None = None,
    layout: Layout | None = None,
    fetcher: Fetcher,
    known: Validators | None = None,
) -> RemoteSource:
    """Open a URL as a source of rows: a collection of an OGC API, a feature type of a WFS 2.0, or a file.

    ``layer``: the feature type, or the layer or sheet of a file. ``known``: the ``validators`` of an earlier reading;
    ``NotModified`` is raised if nothing changed since. The fetcher must stay open while the source is read. Raises
    ``SourceError`` with a German sentence.
    """
    from importers.sources.ogc_api import is_collection, open_ogc_api  # noqa: PLC0415 - only what is needed is loaded
    from importers.sources.wfs import is_wfs, open_wfs  # noqa: PLC0415

    require_http(url)
    if is_collection(url):
        return open_ogc_api(url, fetcher=fetcher, known=known)
    if is_wfs(url):
        return open_wfs(url, layer=layer, fetcher=fetcher)
    from importers.sources.opening import open_source  # noqa: PLC0415 - it opens URLs by this function

    fetched = fetcher.get(url, known=known)
    path = fetch_name(fetched, url)
    return RemoteFile(open_source(path, layer=layer, layout=layout), url, fetched.validators, fetcher)


def fetch_as_it_is(url: str, fetcher: Fetcher, known: Validators | None = None) -> tuple[Path, Fetched]:
    """Fetch a file under its own name, for importers that read it as it lies (OpenStreetMap extracts, catalogues).

    Raises like ``open_remote``; the file lives as long as the fetcher.
    """
    require_http(url)
    fetched = fetcher.get(url, known=known)
    refuse_html(fetched)
    return fetched.path.rename(fetched.path.with_name(_last(url) or "datei")), fetched


def fetch_name(fetched: Fetched, url: str) -> Path:
    """Give a fetched file the name it has at its server, with an ending that says what it is; return its new path.

    Raises ``SourceError`` for what is no file that is read, such as a page for people.
    """
    with fetched.path.open("rb") as file:
        head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise SourceError(f"„{shown(url)}“ liefert nichts; die Datei ist leer.")
    refuse_html(fetched)
    if head.startswith(b"<"):
        raise SourceError(
            f"„{shown(url)}“ liefert XML; gelesen werden WFS-Dienste (Adresse mit service=WFS) und "
            f"Dateien mit der Endung {', '.join(sorted(_READ))}."
        )
    names = [_disposition(fetched.headers.get("Content-Disposition", "")), *map(_last, (url, fetched.url))]
    name = next((name for name in names if Path(name).suffix.lower() in _READ), None)
    if name is None:
        suffix = _TYPES.get(fetched.content_type)
        if suffix is None:
            raise SourceError(
                f"„{shown(url)}“: Es ist nicht zu erkennen, was für eine Datei das ist "
                f"(„{fetched.content_type[:80] or 'ohne Angabe'}“). Möglich sind: {', '.join(sorted(_READ))}."
            )
        name = (next(filter(None, names), "") or "datei") + suffix
    path = fetched.path.rename(fetched.path.with_name(name))
    if path.suffix.lower() == ".json":
        _refuse_landing_page(path, url)
    return path


def _last(url: str) -> str:
    """Return the last part of a URL's path as the name of a file."""
    return _fit(unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2])


def _disposition(header: str) -> str:
    """Return the name a server gives a download, "" where it gives none."""
    if not header:
        return ""
    message = Message()
    message["Content-Disposition"] = header_text(header)
    return _fit(re.split(r"[/\\]", message.get_filename() or "")[-1])


def _fit(name: str) -> str:
    """Return a name without anything a file system or a terminal could trip over."""
    stem, dot, suffix = _UNFIT.sub("_", name).strip(". ").rpartition(".")
    return f"{stem[:80]}{dot}{suffix[:20]}"


def _refuse_landing_page(path: Path, url: str) -> None:
    """Say what to do where the answer is the entry of an OGC API and not one of its collections."""
    if path.stat().st_size > _HEAD_BYTES * 256:
        return
    try:
        document = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        return
    if isinstance(document, dict) and isinstance(document.get("links"), list) and "features" not in document:
        raise SourceError(
            f"„{shown(url)}“ ist der Einstieg eines Dienstes; bitte die Adresse einer Sammlung angeben "
            "(…/collections/…)."
        )
