"""GML feature collections as WFS 2.0 servers write them: attributes as the schema types them, geometry, counts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element
from xml.parsers import expat

import numpy as np
import orjson

from importers.errors import SourceError
from importers.sources.base import Chunk, objects
from importers.sources.gml_shapes import ShapeReader, UnreadableShapeError, is_shape, local
from importers.sources.pages import Page

_XML_BLOCK = 64 * 1024
_MAX_SAID_CHARS = 300
_GML_ID = re.compile(r"\{http://www\.opengis\.net/gml[^}]*\}id|fid")
_HREF = "{http://www.w3.org/1999/xlink}href"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_WHOLE = {
    "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger",
    "negativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte",
}  # fmt: skip
_KINDS = dict.fromkeys(_WHOLE, "number") | dict.fromkeys(("decimal", "double", "float"), "number") | {"boolean": "bool"}
# A number with leading zeros is a key that someone typed as a number: it stays text.
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*)?(?:\.\d*)?(?:[eE][+-]?\d+)?")


class GmlError(SourceError):
    """The answer is no collection of features; the message says what it is instead."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The attributes of a feature type in their order: name -> ``number``, ``bool`` or ``text``."""

    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class GmlPage:
    """A page with what its server says of it.

    ``matched``: None where it says "unknown"; ``references``: the reference systems of the geometry.
    """

    page: Page
    matched: int | None
    returned: int | None
    references: frozenset[str]


def checked_root(path: Path, shown: str) -> None:
    """Raise ``SourceError`` for XML with a document type: entities that grow, or files of this machine, hide there."""

    class Reached(Exception):  # noqa: N818 - ends the look, no error
        pass

    def root(*_said: object) -> None:
        raise Reached

    def doctype(*_said: object) -> None:
        raise GmlError(f"„{shown}“ liefert XML mit einer Dokumenttyp-Angabe (DOCTYPE); das wird nicht gelesen.")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = root
    try:
        with path.open("rb") as file:
            while block := file.read(_XML_BLOCK):
                parser.Parse(block, False)
    except (Reached, expat.ExpatError):
        # What is no XML at all is said by the reading itself.
        return


def read_xml(path: Path, shown: str) -> Element:
    """Read a small XML document whole (capabilities, a schema); ``shown``: its address for messages."""
    checked_root(path, shown)
    try:
        root = ET.parse(path).getroot()  # noqa: S314 - document types are refused above
    except (ET.ParseError, ValueError, LookupError):
        raise _broken(shown) from None
    if local(root) in {"ExceptionReport", "ServiceExceptionReport"}:
        raise _said(root, shown)
    return root


def _broken(shown: str) -> GmlError:
    return GmlError(f"„{shown}“ liefert kein vollständiges XML; vielleicht brach die Antwort ab.")


def _said(report: Element, shown: str) -> GmlError:
    """Return the error that repeats what a server reports as its own."""
    texts = [
        " ".join("".join(part.itertext()).split()) for part in report.iter() if local(part).startswith("Exception")
    ]
    text = next((text for text in texts if text), "Fehler ohne Angabe").rstrip(". ")
    return GmlError(f"Der Dienst „{shown}“ meldet einen Fehler: „{text[:_MAX_SAID_CHARS]}“.")


def exception_text(body: bytes, shown: str) -> GmlError | None:
    """Return the error in the body of a refused request; None if there is no such report."""
    if b"<!DOCTYPE" in body:
        return None
    try:
        root = ET.fromstring(body)  # noqa: S314 - document types are refused above
    except (ET.ParseError, ValueError, LookupError):
        return None
    return _said(root, shown) if local(root) in {"ExceptionReport", "ServiceExceptionReport"} else None


def read_schema(root: Element, feature: str) -> Schema:
    """Read the attributes of a feature type (its local name) from a ``DescribeFeatureType`` answer.

    Empty where the answer does not describe it.
    """
    kinds: dict[str, str] = {}
    declared = next((e for e in root.findall(f"{_XS}element") if e.get("name") == feature), None)
    if declared is None:
        return Schema(kinds)
    named = str(declared.get("type", "")).rpartition(":")[2]
    body = next((e for e in root.findall(f"{_XS}complexType") if e.get("name") == named), declared)
    extended = body.find(f".//{_XS}extension")
    for element in _members(body if extended is None else extended):
        name = str(element.get("name", ""))
        said = element.get("type")
        if said is None:
            base = element.find(f"{_XS}simpleType/{_XS}restriction")
            said = base.get("base") if base is not None else None
        if said is not None and not said.rpartition(":")[2].endswith("PropertyType"):
            kinds[name] = _KINDS.get(said.rpartition(":")[2], "text")
    kinds.pop("", None)
    return Schema(kinds)


def _members(body: Element) -> Iterator[Element]:
    """Yield the elements a type declares itself, not those of types inside it."""
    for part in body:
        if local(part) == "element":
            yield part
        elif local(part) in {"complexType", "sequence", "choice", "all"}:
            yield from _members(part)


def read_page(path: Path, shown: str, *, feature: str, schema: Schema, default_srs: str | None) -> GmlPage:
    """Read a page of features whose local name is ``feature``.

    ``default_srs``: the name of the reference system of geometry that names none. Raises ``GmlError`` for anything
    but a complete collection of such features.
    """
    checked_root(path, shown)
    reader = _Reader(shown, feature, schema, ShapeReader(default_srs))
    try:
        for element in _features(path, reader):
            reader.take(element)
    except (ET.ParseError, ValueError, LookupError) as error:
        if isinstance(error, SourceError):
            raise
        raise _broken(shown) from None
    return reader.page()


def _features(path: Path, reader: "_Reader") -> Iterator[Element]:
    """Yield the features, each whole, and forget it afterwards."""
    above: list[Element] = []
    for event, element in ET.iterparse(path, ("start", "end")):  # noqa: S314 - document types are refused
        if event == "start":
            if not above:
                reader.begin(element)
            above.append(element)
            continue
        above.pop()
        if len(above) == 2 and local(above[1]) in {"member", "featureMember", "featureMembers"}:
            yield element
            element.clear()
        elif len(above) == 1:
            reader.beside(element)
            if not reader.report:
                above[0].remove(element)
        elif not above and reader.report:
            raise _said(element, reader.shown)


class _Reader:
    def __init__(self, shown: str, feature: str, schema: Schema, shapes: ShapeReader) -> None:
        self.shown = shown
        self.report = False
        self._feature = feature
        self._schema = schema
        self._shapes = shapes
        self._said: dict[str, str] = {}
        self._rows: list[dict[str, Any]] = []
        self._drawn: list[Any] = []
        self._ids: list[str] = []
        self._numbers: list[int] = []
        self._bad: dict[int, str] = {}
        self._notes: dict[str, None] = {}

    def begin(self, root: Element) -> None:
        """Look at the root."""
        self.report = local(root) in {"ExceptionReport", "ServiceExceptionReport"}
        if not self.report and local(root) != "FeatureCollection":
            raise GmlError(f"„{self.shown}“ liefert keine Objekte, sondern XML der Art „{local(root)[:50]}“.")
        self._said = dict(root.attrib)

    def beside(self, element: Element) -> None:
        """Look at what stands beside the members."""
        if local(element) == "boundedBy":
            named = [e.get("srsName") for e in element.iter() if e.get("srsName")]
            self._shapes.default_srs = named[0] if named else self._shapes.default_srs
        elif local(element) == "truncatedResponse":
            raise _said(element, self.shown)

    def take(self, element: Element) -> None:
        """Take one feature."""
        if local(element) != self._feature:
            raise GmlError(f"„{self.shown}“ liefert Objekte der Art „{local(element)[:50]}“ statt „{self._feature}“.")
        number = len(self._numbers) + len(self._bad) + 1
        named = [value for name, value in element.attrib.items() if _GML_ID.fullmatch(name)]
        self._ids += named[:1]
        values: dict[str, Any] = {}
        standard: dict[str, Any] = {}
        shapes = [inner[0] for inner in element if len(inner) == 1 and is_shape(inner[0])]
        for inner in element:
            if local(inner) != "boundedBy" and not (len(inner) == 1 and is_shape(inner[0])):
                # Every GML feature may have a gml:name; the type's own attribute of that name is the one meant.
                self._add(standard if "/gml" in inner.tag.partition("}")[0] else values, local(inner), _value(inner))
        values |= {name: value for name, value in standard.items() if name not in values and value is not None}
        if len(shapes) > 1:
            self._notes["Von mehreren Geometrien eines Objekts wurde die erste genommen."] = None
        try:
            shape = self._shapes.read(shapes[0]) if shapes else None
        except UnreadableShapeError as error:
            self._bad[number] = str(error)
            return
        self._numbers.append(number)
        self._rows.append({name: self._typed(name, value) for name, value in values.items()})
        self._drawn.append(shape)

    def _add(self, values: dict[str, Any], name: str, value: Any) -> None:  # noqa: ANN401 - text or nested
        if name in values:
            before = values[name]
            values[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            values[name] = value

    def _typed(self, name: str, value: Any) -> Any:  # noqa: ANN401 - as the schema says
        if isinstance(value, dict | list):
            return orjson.dumps(value).decode()
        if value is None:
            return None
        kind, text = self._schema.columns.get(name, "text"), str(value)
        if kind == "bool":
            return {"true": True, "1": True, "false": False, "0": False}.get(text.strip(), text)
        if kind == "number":
            return _number(text)
        return text

    def page(self) -> GmlPage:
        """Return what was read."""
        if self._shapes.heights:
            self._notes["Höhenangaben (3D) wurden weggelassen."] = None
        names = dict.fromkeys([*self._schema.columns, *(name for row in self._rows for name in row)])
        columns = {name: objects([row.get(name) for row in self._rows]) for name in names}
        chunk = Chunk(np.array(self._numbers, dtype=int), columns, objects(self._drawn))
        count = len(self._numbers) + len(self._bad)
        page = Page(count, chunk, self._bad, tuple(self._notes), tuple(self._ids))
        matched, returned = (_count(self._said.get(name)) for name in ("numberMatched", "numberReturned"))
        return GmlPage(page, matched, returned, frozenset(self._shapes.references))


def _value(element: Element) -> Any:  # noqa: ANN401 - text, None, or nested
    """Return an attribute's value; empty, nil and not there are the same: servers do not tell them apart reliably."""
    if element.get(_NIL) in {"true", "1"}:
        return None
    if len(element) == 0:
        text = element.text or ""
        return text if text.strip() else element.get(_HREF)
    nested: dict[str, Any] = {}
    for inner in element:
        value = _value(inner)
        before = nested.get(local(inner))
        nested[local(inner)] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return nested


def _number(text: str) -> Any:  # noqa: ANN401 - int, float, None for "not a number", or the text where it is none
    bare = text.strip()
    if _INTEGER.fullmatch(bare):
        return int(bare)
    if _NUMBER.fullmatch(bare) and any(c.isdigit() for c in bare.partition("e")[0]):
        return float(bare)
    return None if bare in {"NaN", "INF", "-INF"} else text


def _count(said: str | None) -> int | None:
    return int(said) if said is not None and said.strip().isdecimal() else None
