"""The parameters that the routes of analysis share: measure, ages, ways, and the areas a user sends."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.requests import ClientDisconnect

from geodata.coverage.drawn import MAX_BODY_BYTES, PARAMETER, too_large
from geodata.coverage.request import MEASURES, MODES, MOST_MINUTES, OLDEST_ASKED, Measure, Mode
from geodata.errors import ParameterError, TooLargeError
from geodata.tables import SUPPLY_UNITS
from service.api import parameters as query
from service.area_names import area_pair

_AGE_FROM = Annotated[str | None, Query(description="Alter ab (einschließlich); ohne Angabe ab 0.", examples=["10"])]
_AGE_TO = Annotated[
    str | None, Query(description="Alter bis unter (ausschließlich); ohne Angabe offen.", examples=["18"])
]
_MINUTES = Annotated[
    str | None,
    Query(description="Höchstens so viele Minuten Weg (1 bis 120, einschließlich); ohne Angabe 15.", examples=["15"]),
]
_MODE = Annotated[
    str | None,
    Query(
        description="walk (zu Fuß), bike (Fahrrad), line (Luftlinie mal Umwegfaktor); ohne Angabe walk, und ohne "
        "geladenes Wegenetz line.",
        examples=["line"],
    ),
]
# What matters to which measure; a parameter without effect would be taken for one with.
_ONLY_FOR: dict[str, tuple[Measure, ...]] = {
    "minutes": ("reach", "catchment"),
    "mode": ("reach", "catchment"),
    "decay": ("catchment",),
}


@dataclass(frozen=True, slots=True)
class Ways:
    """What is said of ages and ways; None: left open. Ages are from inclusive to exclusive."""

    age_from: int | None
    age_to: int | None
    minutes: int | None
    mode: Mode | None

    def given(self) -> dict[str, Any]:
        """Return what is not left open; the rest has its default in the request."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Stated(Ways):
    """What is said of measure, ages and ways; None: left open."""

    measure: Measure | None
    decay: str | None
    supply_unit: str | None

    def require_applying(self, measure: Measure) -> None:
        """Raise ``ParameterError`` for what is said but means nothing to this measure."""
        for name, measures in _ONLY_FOR.items():
            if getattr(self, name) is not None and measure not in measures:
                raise ParameterError(
                    name,
                    f"„{name}“ gehört zu measure={' oder measure='.join(measures)} und hat bei measure={measure} keine "
                    "Wirkung; bitte weglassen.",
                )


def stated_query(
    measure: Annotated[
        str | None,
        Query(
            description="supply (Versorgung im Gebiet), reach (Erreichbarkeit) oder catchment (erreichbare Kapazität "
            "je 1.000, die darum konkurrieren); ohne Angabe supply.",
            examples=["supply"],
        ),
    ] = None,
    age_from: _AGE_FROM = None,
    age_to: _AGE_TO = None,
    minutes: _MINUTES = None,
    mode: _MODE = None,
    decay: Annotated[
        str | None,
        Query(
            description="Gewicht eines Weges nach Entfernung (nur catchment): bands, gaussian, none oder eigene Stufen "
            "wie 5:1,10:0.68,15:0.22 (Obergrenze in Minuten:Gewicht); ohne Angabe bands.",
            examples=["bands"],
        ),
    ] = None,
    supply_unit: Annotated[
        str | None,
        Query(
            description="Einheit der Kapazität: places oder hours_per_week; ohne Angabe places.", examples=["places"]
        ),
    ] = None,
) -> Stated:
    """Return measure, ages and ways as far as they are said."""
    return Stated(
        measure=query.one_of("measure", measure, MEASURES),
        **_ages_and_way(age_from, age_to, minutes, mode),
        decay=decay or None,
        supply_unit=query.one_of("supply_unit", supply_unit, SUPPLY_UNITS),
    )


def ways_query(
    age_from: _AGE_FROM = None, age_to: _AGE_TO = None, minutes: _MINUTES = None, mode: _MODE = None
) -> Ways:
    """Return ages and ways as far as they are said."""
    return Ways(**_ages_and_way(age_from, age_to, minutes, mode))


def _ages_and_way(age_from: str | None, age_to: str | None, minutes: str | None, mode: str | None) -> dict[str, Any]:
    return {
        "age_from": query.whole_number("age_from", age_from, 0, OLDEST_ASKED),
        "age_to": query.whole_number("age_to", age_to, 0, OLDEST_ASKED),
        "minutes": query.whole_number("minutes", minutes, 1, MOST_MINUTES),
        "mode": query.one_of("mode", mode, MODES),
    }


def within_query(
    area: Annotated[
        str | None,
        Query(description="Nur dieses Gebiet oder die Gebiete darin: ebene:schlüssel.", examples=["bezirk:1"]),
    ] = None,
) -> tuple[str, str] | None:
    """Return (level, key)."""
    return area_pair("area", area)


async def body_of(request: Request) -> bytes:
    """Return what was sent, read only as far as it may be long, whatever the headers say of its length."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and len(told) < 20 and int(told) > MAX_BODY_BYTES:
        raise TooLargeError(PARAMETER, too_large())
    held = bytearray()
    try:
        async for chunk in request.stream():
            held += chunk
            if len(held) > MAX_BODY_BYTES:
                raise TooLargeError(PARAMETER, too_large())
    except ClientDisconnect:
        raise ParameterError(PARAMETER, "Die Verbindung brach ab, ehe alle Flächen da waren.") from None
    return bytes(held)


def require_level(level: str | None) -> str:
    """Return the level; raise ``ParameterError`` where none is said."""
    if not level:
        raise ParameterError("level", "Bitte mit level eine Gebietsebene angeben, etwa level=stadtteil.")
    return level


Level = Annotated[
    str | None, Query(description="Gebietsebene, etwa bezirk, stadtteil oder statgebiet.", examples=["stadtteil"])
]
Category = Annotated[
    str | None, Query(description="Kategorien der Angebote, mit Komma getrennt.", examples=["okja", "okja,famfoe"])
]
Type = Annotated[str | None, Query(alias="type", description="Nur diese Arten von Angeboten, mit Komma getrennt.")]
BarrierFree = Annotated[str | None, Query(description="Nur yes, partly, no; mit Komma getrennt.", examples=["yes"])]
Period = Annotated[str | None, Query(description="Zeitraum, etwa 2024; ohne Angabe der letzte.")]
Measured = Annotated[Stated, Depends(stated_query)]
ByWay = Annotated[Ways, Depends(ways_query)]
Within = Annotated[tuple[str, str] | None, Depends(within_query)]
Body = Annotated[bytes, Depends(body_of)]

GEOJSON_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Flächen als GeoJSON in WGS 84 (Länge, Breite): Polygon, MultiPolygon, Feature oder "
        "FeatureCollection; höchstens 2 MiB, 100 Flächen, 10.000 Stützpunkte.",
        "content": {
            media: {
                "schema": {
                    "type": "object",
                    "required": ["type"],
                    "properties": {"type": {"enum": ["Polygon", "MultiPolygon", "Feature", "FeatureCollection"]}},
                },
                "example": {
                    "type": "Feature",
                    "id": "1",
                    "properties": {"name": "Rund um den Markt"},
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [[[9.98, 53.55], [10.02, 53.55], [10.02, 53.57], [9.98, 53.55]]],
                    },
                },
            }
            for media in ("application/geo+json", "application/json")
        },
    }
}
