"""WFS 2.0: one feature type, page by page. OWSLib reads the capabilities; our ``Fetcher`` makes every request."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from xml.etree.ElementTree import Element

from importers.errors import SourceError
from importers.sources.addresses import shown
from importers.sources.base import MAX_GEOJSON_BYTES
from importers.sources.crs_names import METRES, reference
from importers.sources.gml import GmlPage, Schema, exception_text, read_page, read_schema, read_xml
from importers.sources.gml_shapes import local
from importers.sources.http import Fetched, Fetcher, HttpStatusError
from importers.sources.pages import PAGE_ROWS, Page, PagedSource, Spool, refuse_html

_VERSION = "2.0.0"
_ACCEPT = "application/gml+xml, text/xml;q=0.9, application/xml;q=0.9, */*;q=0.1"
_MAX_NAMED = 20
# What of a given address is ours to say; anything else (map, token, filter) is the operator's and stays.
_OURS = {
    "service", "request", "version", "acceptversions", "typename", "typenames", "srsname", "count", "maxfeatures",
    "startindex", "resulttype", "outputformat", "namespaces",
}  # fmt: skip
_LIKE_WFS = re.compile(r"wfs", re.IGNORECASE)


def is_wfs(url: str) -> bool:
    """Tell whether a URL has the form of a WFS: by its query, else by the last part of its path."""
    parts = urlsplit(url)
    asked = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
    if "service" in asked:
        return asked["service"].lower() == "wfs"
    last = parts.path.rstrip("/").rpartition("/")[2]
    return "typename" in asked or "typenames" in asked or (bool(_LIKE_WFS.search(last)) and "." not in last)


def open_wfs(url: str, *, layer: str | None, fetcher: Fetcher) -> PagedSource:
    """Read a feature type as a source of rows.

    The type is ``layer``, else ``typenames`` of the URL, else the only one there is; with or without prefix. The CRS
    is EPSG:25832 where the type offers it, else its default. Numbers are numbers and yes/no is that where the schema
    says so, everything else is text. Raises ``SourceError`` with a German sentence.
    """
    return _FeatureType(url, fetcher).read(layer)


class _FeatureType:
    def __init__(self, url: str, fetcher: Fetcher) -> None:
        self._url = url
        self._shown = shown(url)
        self._fetcher = fetcher
        self._parts = urlsplit(url)
        pairs = parse_qsl(self._parts.query, keep_blank_values=True)
        self._kept = [pair for pair in pairs if pair[0].lower() not in _OURS]
        self._asked = {name.lower(): value for name, value in pairs}
        self._feature = ""
        self._schema = Schema({})
        self._srs: str | None = None

    def read(self, layer: str | None) -> PagedSource:
        capabilities = self._capabilities()
        service = self._service(capabilities)
        name = self._choose(service.contents, layer or self._asked.get("typenames") or self._asked.get("typename"))
        self._feature = name.rpartition(":")[2]
        note = self._read_schema(name)
        srs = self._offered_metres(service.contents[name])
        self._srs = srs or _default_srs(service.contents[name])
        spool = Spool(self._url, self._fetcher, self._page)
        systems = self._pages(spool, name, srs, paged=_constraint(capabilities, "ImplementsResultPaging") != "FALSE",
                              most=_constraint(capabilities, "CountDefault"))  # fmt: skip
        if len(systems) > 1:
            raise spool.refused(f"liefert Geometrien in mehreren Koordinatensystemen ({', '.join(sorted(systems))})")
        source = spool.finish("WFS 2.0", next(iter(systems), None))
        source.notes += note
        if layer is not None:
            source.provenance = replace(source.provenance, source=f"{source.provenance.source} ({layer})")
        return source

    def _get(self, request: str, **said: str | int) -> Fetched:
        pairs = [*self._kept, ("service", "WFS"), ("version", _VERSION), ("request", request), *said.items()]
        url = urlunsplit((self._parts.scheme, self._parts.netloc, self._parts.path, urlencode(pairs), ""))
        try:
            fetched = self._fetcher.get(url, accept=_ACCEPT, origin=self._url, max_bytes=MAX_GEOJSON_BYTES)
        except HttpStatusError as error:
            raise exception_text(error.body, self._shown) or error from None
        refuse_html(fetched)
        return fetched

    def _capabilities(self) -> Element:
        self._fetched = self._get("GetCapabilities", acceptversions=_VERSION)
        root = read_xml(self._fetched.path, self._shown)
        if local(root) != "WFS_Capabilities":
            raise SourceError(f"„{self._shown}“ ist kein WFS; der Dienst antwortet mit „{local(root)[:50]}“.")
        version = root.get("version", "")
        if not version.startswith("2."):
            raise SourceError(f"Der Dienst „{self._shown}“ spricht WFS {version or 'ohne Fassung'}; nötig ist WFS 2.0.")
        return root

    def _service(self, capabilities: Element) -> Any:  # noqa: ANN401 - OWSLib has no types
        from owslib.wfs import WebFeatureService  # noqa: PLC0415 - slow to load, and only few sources need it

        if not any(local(element) == "FeatureType" for element in capabilities.iter()):
            raise SourceError(f"Der Dienst „{self._shown}“ bietet keine Objektarten an.")
        try:
            return WebFeatureService(self._shown, version=_VERSION, xml=self._fetched.path.read_bytes())
        except Exception:  # OWSLib stumbles in many ways over what a capabilities document lacks
            raise SourceError(f"Die Selbstbeschreibung des Dienstes „{self._shown}“ ist nicht lesbar.") from None

    def _choose(self, there: dict[str, Any], wanted: str | None) -> str:
        names = sorted(there)
        listed = ", ".join(names[:_MAX_NAMED])
        if len(names) > _MAX_NAMED:
            listed += f" und {len(names) - _MAX_NAMED} weitere"
        if wanted is None:
            if len(names) == 1:
                return names[0]
            raise SourceError(
                f"Der Dienst „{self._shown}“ hat mehrere Objektarten; bitte eine mit --layer wählen: {listed}."
            )
        found = [name for name in names if name == wanted]
        found = found or [name for name in names if name.rpartition(":")[2] == wanted.rpartition(":")[2]]
        if len(found) != 1:
            what = "keine Objektart" if not found else "mehrere Objektarten"
            raise SourceError(f"Der Dienst „{self._shown}“ hat {what} „{wanted}“. Vorhanden: {listed}.")
        return found[0]

    def _read_schema(self, name: str) -> list[str]:
        """Read how the type's attributes are typed; return a note for the report where the server does not say it."""
        try:
            described = self._get("DescribeFeatureType", typenames=name, typename=name)
            self._schema = read_schema(read_xml(described.path, self._shown), self._feature)
        except SourceError:
            self._schema = Schema({})
        if self._schema.columns:
            return []
        return ["Der Dienst beschreibt seine Spalten nicht; alle Werte wurden als Text gelesen."]

    def _offered_metres(self, described: Any) -> str | None:  # noqa: ANN401 - OWSLib has no types
        for crs in described.crsOptions:
            found = reference(str(crs.id))
            if found is not None and found.name == METRES:
                return str(crs.id)
        return None

    def _pages(self, spool: Spool, name: str, srs: str | None, *, paged: bool, most: str | None) -> set[str]:
        """Fetch all pages; return the reference systems of their geometry."""
        systems: set[str] = set()
        said: dict[str, str | int] = {"typenames": name}
        if srs is not None:
            said["srsName"] = srs
        while True:
            if paged:
                said |= {"count": PAGE_ROWS, "startIndex": spool.count}
            fetched = self._get("GetFeature", **said)
            told = self._told(fetched.path)
            systems |= told.references
            spool.add(fetched.path, told.page, matched=told.matched, returned=told.returned)
            if not paged:
                if told.matched is None and str(told.page.count) == most:
                    raise spool.refused(f"liefert höchstens {most} Objekte und kann nicht blättern")
                return systems
            # The server may give fewer than asked for; where it does not know how many there are, only an empty page
            # says that there are no more.
            if told.page.count == 0 or told.matched == spool.count:
                return systems

    def _told(self, path: Path) -> GmlPage:
        return read_page(path, self._shown, feature=self._feature, schema=self._schema, default_srs=self._srs)

    def _page(self, path: Path) -> Page:
        return self._told(path).page


def _default_srs(described: Any) -> str | None:  # noqa: ANN401 - OWSLib has no types
    return str(described.crsOptions[0].id) if described.crsOptions else None


def _constraint(capabilities: Element, name: str) -> str | None:
    """Return the default of a constraint of the service; OWSLib does not read these."""
    for element in capabilities.iter():
        if local(element) == "Constraint" and element.get("name") == name:
            return next(((part.text or "").strip().upper() for part in element if local(part) == "DefaultValue"), None)
    return None
