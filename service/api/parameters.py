"""One small function per query parameter, declared as a dependency; what is wrong is said in German."""

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from geodata import words
from geodata.errors import NotFoundError, ParameterError
from geodata.gap_request import NeedIndicator
from geodata.similar import SimilarIndicator
from geodata.viewer import Version
from service.area_names import area_pair
from service.context import context_of
from service.delivery import Asked, format_of
from service.formats import Format

One = TypeVar("One", bound=str)

MAX_QUERY_CHARS = 200
MAX_VALUE_CHARS = 4000
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,18})?")
_INDICATOR = re.compile(
    r"(?P<minus>-?)(?P<code>[^-:*\s][^:*\s]*)(:(?P<position>[^:*]+))?(\*(?P<weight>[0-9]{1,12}(\.[0-9]{1,18})?))?"
)
# What a cursor begins with once it is decoded: other text that happens to decode is none.
_CURSOR = "srk:"
_BAD_CURSOR = "Der cursor ist ungültig; bitte den Wert von meta.next übernehmen."


def only_known_parameters(request: Request) -> None:
    """Refuse a query parameter the route does not know: a misspelt filter would give a wrong number silently.

    The same holds for one given twice, of which only the last would count.
    """
    if "\x00" in request.scope["path"]:
        raise NotFoundError("Diese Adresse gibt es hier nicht.")
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = sorted(_names(route.dependant))
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in known:
            name = short(name)  # noqa: PLW2901 - it is said, not used
            raise ParameterError(
                name, f"Den Parameter „{name}“ gibt es hier nicht. Möglich sind: {', '.join(known)}.", known
            )
        if name in seen:
            raise ParameterError(name, f"„{name}“ ist mehrmals angegeben; mehrere Werte werden mit Komma getrennt.")
        if len(value) > MAX_VALUE_CHARS:
            raise ParameterError(name, f"Der Wert von „{name}“ darf höchstens {MAX_VALUE_CHARS} Zeichen haben.")
        if "\x00" in value:
            raise ParameterError(name, f"Der Wert von „{name}“ enthält ein Nullzeichen.")
        seen.add(name)


def short(text: str, most: int = 60) -> str:
    """Return text as an error repeats it."""
    return text if len(text) <= most else text[:most] + "…"


def _names(dependant: Dependant) -> set[str]:
    own = {parameter.alias for parameter in dependant.query_params}
    return own.union(*(_names(needed) for needed in dependant.dependencies))


def whole_number(name: str, value: str | None, lowest: int, highest: int) -> int | None:
    """Return a whole number within bounds (both inclusive); raise ``ParameterError`` for anything else."""
    if value is None or value == "":
        return None
    number = int(value) if _WHOLE.fullmatch(value) else None
    if number is None or not lowest <= number <= highest:
        raise ParameterError(name, f"„{name}“ muss eine ganze Zahl von {lowest} bis {highest} sein.")
    return number


def decimal_number(name: str, value: str | None, lowest: float, highest: float) -> float | None:
    """Return a number with a decimal point within bounds (both inclusive); raise ``ParameterError`` otherwise."""
    if value is None or value == "":
        return None
    number = float(value) if _DECIMAL.fullmatch(value) else None
    if number is None or not lowest <= number <= highest:
        raise ParameterError(
            name,
            f"„{name}“ muss eine Zahl von {words.plain(lowest)} bis {words.plain(highest)} sein, mit Dezimalpunkt "
            "geschrieben.",
        )
    return number


def one_of(name: str, value: str | None, allowed: Sequence[One]) -> One | None:
    """Return the value among those allowed, None where none is given; raise ``ParameterError`` for another."""
    if not value:
        return None
    for known in allowed:
        if known == value:
            return known
    raise ParameterError(
        name, f"„{name}“ kennt den Wert „{short(value)}“ nicht. Möglich sind: {', '.join(allowed)}.", allowed
    )


def yes_no(name: str, value: str | None) -> bool:
    """Return whether ``true`` is said; nothing and ``false`` are no. Raises ``ParameterError`` for anything else."""
    return one_of(name, value, ("true", "false")) == "true"


def parts_of(cursor: str, number: int) -> list[str]:
    """Return the parts a cursor is made of; raise ``ParameterError`` for one of another question."""
    parts = cursor.split("\n")
    if len(parts) != number:
        raise ParameterError("cursor", _BAD_CURSOR)
    return parts


def limit_query(
    request: Request,
    limit: Annotated[
        str | None,
        Query(description="Höchstzahl der Zeilen; mehr als das Höchstmaß wird auf dieses gesenkt.", examples=["1000"]),
    ] = None,
) -> int:
    """Return the number of rows asked for, clamped at ``max_rows``."""
    settings = context_of(request).settings
    if limit is not None and limit.isdecimal() and len(limit) > 12:
        return settings.max_rows
    number = whole_number("limit", limit, 1, 10**12)
    return min(settings.default_limit if number is None else number, settings.max_rows)


def cursor_query(
    cursor: Annotated[str | None, Query(description="Fortsetzung: der Wert von meta.next der vorigen Seite.")] = None,
) -> str | None:
    """Return what an opaque cursor holds."""
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        raise ParameterError("cursor", _BAD_CURSOR) from None
    held = text.removeprefix(_CURSOR)
    # Encoded again, because decoding passes over characters that do not belong.
    if "\x00" in text or as_cursor(held) != cursor:
        raise ParameterError("cursor", _BAD_CURSOR)
    return held


def as_cursor(text: str | None) -> str | None:
    """Return text as an opaque cursor."""
    return None if text is None else base64.urlsafe_b64encode((_CURSOR + text).encode()).decode().rstrip("=")


def version_query(
    version: Annotated[
        str | None,
        Query(description="veroeffentlichung (Voreinstellung) oder intern (nur Planung, eigene Gebiete).",
              examples=["veroeffentlichung"]),
    ] = None,
) -> Version:  # fmt: skip
    """Return the version asked for."""
    if not version:
        return Version.PUBLISHED
    allowed = [v.value for v in Version]
    if version not in allowed:
        raise ParameterError(
            "version", f"Die Fassung „{short(version)}“ gibt es nicht. Möglich: {', '.join(allowed)}.", allowed
        )
    return Version(version)


_FORMAT = Annotated[
    str | None, Query(alias="format", description="json, geojson, csv, xlsx oder gpkg; sonst nach Accept.")
]


def asked_of(*offered: Format) -> Callable[..., Asked]:
    """Return a dependency for format and version, with the formats this route offers."""

    def asked(request: Request, version: Annotated[Version, Depends(version_query)], given: _FORMAT = None) -> Asked:
        return Asked(format_of(request, given or None, offered), version)

    return asked


def area_query(
    area: Annotated[
        str | None,
        Query(description="Gebiet als ebene:schlüssel; Schlüssel „ohne“ = in keinem.", examples=["bezirk:1"]),
    ] = None,
) -> tuple[str, str] | None:
    """Return (level, key)."""
    return area_pair("area", area)


def bbox_query(
    bbox: Annotated[
        str | None, Query(description="Ausschnitt: West,Süd,Ost,Nord in Grad.", examples=["9.9,53.5,10.1,53.6"])
    ] = None,
) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north in degrees."""
    if not bbox:
        return None
    try:
        west, south, east, north = (float(part) for part in bbox.split(","))
    except ValueError:
        raise ParameterError("bbox", "bbox braucht vier Zahlen: West,Süd,Ost,Nord in Grad.") from None
    if not all(math.isfinite(v) for v in (west, south, east, north)):
        raise ParameterError("bbox", "bbox braucht vier Zahlen: West,Süd,Ost,Nord in Grad.")
    if not (-180 <= west < east <= 180 and -85 <= south < north <= 85):
        raise ParameterError("bbox", "bbox ist West,Süd,Ost,Nord in Grad, mit West unter Ost und Süd unter Nord.")
    return west, south, east, north


def search_query(
    q: Annotated[str | None, Query(description="Suchtext für Name, Art, Träger und Anschrift.")] = None,
) -> str | None:
    """Return the text to look for."""
    if not q or not q.strip():
        return None
    if len(q) > MAX_QUERY_CHARS:
        raise ParameterError("q", f"Der Suchtext darf höchstens {MAX_QUERY_CHARS} Zeichen haben.")
    return q.strip()


def age_query(
    age: Annotated[str | None, Query(description="Alter in vollendeten Jahren.", examples=["12"])] = None,
) -> int | None:
    """Return an age in full years."""
    return whole_number("age", age, 0, 120)


def listed(value: str | None) -> tuple[str, ...]:
    """Return the parts of a comma-separated parameter."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def need_of(value: str | None) -> tuple[NeedIndicator, ...]:
    """Return indicators of need: ``code[:position][*weight]``, by comma; with a minus a lower value is more need."""
    return tuple(
        NeedIndicator(code, position, weight, -1 if minus else 1)
        for minus, code, position, weight in _weighted("need", value)
    )


def indicators_of(value: str | None) -> tuple[SimilarIndicator, ...]:
    """Return indicators to compare by: ``code[:position][*weight]``, by comma."""
    found = list(_weighted("indicators", value))
    for minus, code, _position, _weight in found:
        if minus:
            raise ParameterError("indicators", f"Vor „{short(code)}“ gehört in „indicators“ kein Minus.")
    return tuple(SimilarIndicator(code, position, weight) for _minus, code, position, weight in found)


def _weighted(name: str, value: str | None) -> Iterator[tuple[bool, str, str | None, float]]:
    """Yield (minus, code, position, weight); what is not said of a weight is 1. Bounds are the question's matter."""
    for part in (value or "").split(",") if value else ():
        found = _INDICATOR.fullmatch(part.strip())
        if found is None:
            raise ParameterError(
                name,
                f"„{short(part.strip())}“ ist in „{name}“ keine Kennzahl der Form kennzahl, kennzahl:position, "
                "kennzahl*gewicht oder kennzahl:position*gewicht (Gewicht mit Dezimalpunkt).",
            )
        yield bool(found["minus"]), found["code"], found["position"], float(found["weight"] or 1)


Limit = Annotated[int, Depends(limit_query)]
Cursor = Annotated[str | None, Depends(cursor_query)]
Area = Annotated[tuple[str, str] | None, Depends(area_query)]
Bbox = Annotated[tuple[float, float, float, float] | None, Depends(bbox_query)]
Search = Annotated[str | None, Depends(search_query)]
Age = Annotated[int | None, Depends(age_query)]
