"""OGC API – Features: one collection, page by page. What the server can do is read from it, not guessed."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import orjson
import shapely

from importers.errors import SourceError
from importers.sources.addresses import shown, with_secrets
from importers.sources.base import MAX_GEOJSON_BYTES
from importers.sources.crs_names import CRS84, METRES, METRES_URI, Reference, reference
from importers.sources.geojson import GeoJsonSource
from importers.sources.http import Fetched, Fetcher, HttpStatusError, Validators, refuse_step
from importers.sources.pages import PAGE_ROWS, Page, PagedSource, Spool, refuse_html

_COLLECTION = re.compile(r"(?P<base>.*)/collections/(?P<name>[^/]+)(?:/items)?/?")
_GEOJSON = re.compile(r"https?://www\.opengis\.net/spec/ogcapi-features-1/1\.\d+(?:\.\d+)?/conf/geojson")
_CRS = re.compile(r"https?://www\.opengis\.net/spec/ogcapi-features-2/1\.\d+(?:\.\d+)?/conf/crs")
_CONFORMANCE = {"conformance", "http://www.opengis.net/def/rel/ogc/1.0/conformance"}
_NO_DATA_LINKS = {"text/html", "application/xhtml+xml"}
_ACCEPT = "application/geo+json, application/json;q=0.9"
_EAST_FIRST = Reference(CRS84, north_first=False)
_Json = dict[str, Any]


def is_collection(url: str) -> bool:
    """Tell whether a URL has the form of a collection of features or of its items."""
    return _COLLECTION.fullmatch(urlsplit(url).path) is not None


def open_ogc_api(url: str, *, fetcher: Fetcher, known: Validators | None = None) -> PagedSource:
    """Read a collection (``…/collections/{id}`` or its ``/items``; filters in the query stay) as a source of rows.

    The CRS is EPSG:25832 where the server offers it, else CRS84. ``known`` asks first whether anything changed, and
    ``NotModified`` is raised if not. Raises ``SourceError`` with a German sentence for whatever cannot be the whole
    collection.
    """
    return _Collection(url, fetcher).read(known)


class _Collection:
    def __init__(self, url: str, fetcher: Fetcher) -> None:
        parts = urlsplit(url)
        found = _COLLECTION.fullmatch(parts.path)
        if found is None:
            raise SourceError(f"„{shown(url)}“ ist keine Sammlung eines OGC-API-Dienstes (…/collections/…).")
        self._url = url
        self._fetcher = fetcher
        self._name = re.sub(r"[^\w.-]", "_", found["name"])
        self._parts = parts
        self._base = found["base"]
        self._path = f"{found['base']}/collections/{found['name']}"
        self._asked = parse_qsl(parts.query, keep_blank_values=True)
        self._reference = _EAST_FIRST

    def read(self, known: Validators | None) -> PagedSource:
        asked = dict(self._asked)
        # Without knowing the server this is the likeliest first page; only one read so is ever asked for again so.
        likely = self._items(asked.get("crs", METRES_URI))
        first = self._unless_known(likely, known) if known is not None else None
        crs = self._choose_crs(self._document(self._at(self._path)), self._conformance(), asked)
        url = self._items(crs)
        spool = Spool(self._url, self._fetcher, self._page)
        self._reference = _EAST_FIRST if crs is None else self._known(crs)
        fetched = first if first is not None and url == likely else self._get(url)
        one_page_of = fetched.validators if url == likely else None
        seen = {url}
        while True:
            following = self._take(spool, fetched)
            if following is None:
                break
            one_page_of = None
            if following in seen:
                raise spool.refused("verweist im Kreis von Seite zu Seite")
            seen.add(following)
            fetched = self._get(following)
        source = spool.finish("OGC API – Features", self._reference.name)
        source.validators = one_page_of
        return source

    def _unless_known(self, url: str, known: Validators) -> Fetched | None:
        try:
            return self._fetcher.get(url, accept=_ACCEPT, known=known, origin=self._url, max_bytes=MAX_GEOJSON_BYTES)
        except HttpStatusError:
            return None

    def _get(self, url: str) -> Fetched:
        url = with_secrets(url, self._url)
        return self._fetcher.get(url, accept=_ACCEPT, origin=self._url, max_bytes=MAX_GEOJSON_BYTES)

    def _at(self, path: str, pairs: list[tuple[str, str]] | None = None) -> str:
        """Return a URL at the operator's server."""
        return urlunsplit((self._parts.scheme, self._parts.netloc, path, urlencode(pairs or []), ""))

    def _items(self, crs: str | None) -> str:
        pairs = [pair for pair in self._asked if pair[0] != "crs"]
        if all(name != "limit" for name, _value in pairs):
            pairs.append(("limit", str(PAGE_ROWS)))
        return self._at(f"{self._path}/items", pairs if crs is None else [*pairs, ("crs", crs)])

    def _document(self, url: str) -> _Json:
        document = self._parsed(self._get(url))
        if not isinstance(document, dict):
            raise SourceError(f"„{shown(url)}“ ist keine Antwort eines OGC-API-Dienstes.")
        return document

    def _parsed(self, fetched: Fetched) -> Any:  # noqa: ANN401 - a JSON document
        refuse_html(fetched)
        try:
            return orjson.loads(fetched.path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError:
            raise SourceError(
                f"„{shown(fetched.url)}“ liefert kein vollständiges JSON; vielleicht brach die Antwort ab."
            ) from None

    def _conformance(self) -> list[str]:
        """Return the conformance classes the server declares: on its landing page, or where that points to."""
        try:
            landing_url = self._at(self._base or "/")
            landing = self._document(landing_url)
        except SourceError:
            landing = {}
        declared = landing.get("conformsTo")
        if not isinstance(declared, list):
            links = [link["href"] for link in _links(landing) if link.get("rel") in _CONFORMANCE]
            url = urljoin(landing_url, links[0]) if links else self._at(f"{self._base}/conformance")
            declared = self._document(url).get("conformsTo")
        if not isinstance(declared, list):
            raise SourceError(
                f"Der Dienst „{shown(self._url)}“ sagt nicht, was er kann; bitte prüfen, ob es ein OGC-API-Dienst ist."
            )
        return [entry for entry in declared if isinstance(entry, str)]

    def _choose_crs(self, collection: _Json, conformance: list[str], asked: dict[str, str]) -> str | None:
        """Return the reference system to ask for, None to leave it at CRS84."""
        if not any(_GEOJSON.fullmatch(entry) for entry in conformance):
            raise SourceError(f"Der Dienst „{shown(self._url)}“ liefert kein GeoJSON; bitte eine Datei angeben.")
        if collection.get("itemType", "feature") != "feature":
            raise SourceError(f"Die Sammlung „{shown(self._url)}“ enthält keine Geoobjekte.")
        if not any(_CRS.fullmatch(entry) for entry in conformance):
            for name in ("crs", "bbox-crs"):
                if name in asked:
                    raise SourceError(
                        f"Der Dienst „{shown(self._url)}“ kennt nur Längen- und Breitengrade; bitte „{name}“ weglassen."
                    )
            return None
        if "crs" in asked:
            return asked["crs"]
        offered = collection.get("crs")
        if isinstance(offered, list) and "#/crs" in offered:
            shared = self._document(self._at(f"{self._base}/collections")).get("crs")
            offered = [*offered, *(shared if isinstance(shared, list) else [])]
        for entry in offered if isinstance(offered, list) else []:
            found = reference(entry) if isinstance(entry, str) else None
            if found is not None and found.name == METRES:
                return str(entry)
        return None

    def _known(self, crs: str) -> Reference:
        found = reference(crs)
        if found is None:
            raise SourceError(f"Das Koordinatensystem „{crs}“ ist unbekannt; bitte „crs“ in der Adresse prüfen.")
        return found

    def _take(self, spool: Spool, fetched: Fetched) -> str | None:
        """Check a page and keep it; return the URL of the next one."""
        document = self._parsed(fetched)
        features = document.get("features") if isinstance(document, dict) else None
        if not isinstance(features, list) or document.get("type") != "FeatureCollection":
            raise spool.refused("liefert eine Seite, die keine GeoJSON-FeatureCollection ist")
        if not all(isinstance(feature, dict) for feature in features):
            raise spool.refused("liefert etwas anderes als Objekte in „features“")
        self._require_crs(spool, fetched.headers.get("Content-Crs"))
        following = self._next(document, fetched)
        path = fetched.path.rename(fetched.path.with_name(self._name))
        if not features and following is not None:
            raise spool.refused("liefert eine leere Seite, auf die noch eine folgen soll")
        ids = tuple(str(f["id"]) for f in features if isinstance(f.get("id"), str | int))
        page = self._page(path, ids) if features else Page.empty()
        spool.add(path, page, matched=_count(document, "numberMatched"), returned=_count(document, "numberReturned"))
        return following

    def _require_crs(self, spool: Spool, said: str | None) -> None:
        if said is None and self._reference == _EAST_FIRST:
            return
        found = reference(said.strip().strip("<>")) if said else None
        if found != self._reference:
            raise spool.refused(
                f"antwortet nicht im verlangten Koordinatensystem {self._reference.name}, sondern in "
                f"{f'„{said[:100]}“' if said else 'einem, das er nicht nennt'}"
            )

    def _next(self, document: _Json, fetched: Fetched) -> str | None:
        for link in _links(document):
            if link.get("rel") == "next" and link.get("type") not in _NO_DATA_LINKS:
                url = urljoin(fetched.url, str(link["href"]))
                refuse_step(url, fetched.url)
                return url
        return None

    def _page(self, path: Path, ids: tuple[str, ...] = ()) -> Page:
        """Read a page that has features."""
        source = GeoJsonSource(path)
        chunk = next(source.chunks())
        if self._reference.north_first:
            chunk.geometry = shapely.transform(chunk.geometry, lambda points: points[:, ::-1])
        return Page(len(chunk.rows) + len(source.bad_rows), chunk, source.bad_rows, tuple(source.notes), ids)


def _links(document: _Json) -> list[_Json]:
    links = document.get("links")
    entries = links if isinstance(links, list) else []
    return [link for link in entries if isinstance(link, dict) and isinstance(link.get("href"), str)]


def _count(document: _Json, name: str) -> int | None:
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
