"""The route of homes: where young people are placed, and how many places there are near."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from geodata.answer import Answer
from geodata.errors import ParameterError
from geodata.home_gaps import HomeBand, HomeGapRow, HomeGapsRequest, home_gaps
from geodata.home_request import MOST_KM
from service import formats
from service.api import analysis
from service.api import documentation as docs
from service.api import parameters as query
from service.api.routes import AnyFormat, render_flat, write_table
from service.context import today
from service.delivery import deliver
from service.formats import Format
from service.labels import HOMES, band_column

router = APIRouter(prefix="/api/v1", tags=["Hilfen"], dependencies=[Depends(query.only_known_parameters)])


@router.get(
    "/placements/gaps",
    summary="Fälle und Plätze in der Nähe: Rangfolge der Gebiete",
    responses=docs.answers(HomeGapRow),
)
def get_home_gaps(
    request: Request,
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    area: query.Area,
    level: analysis.Level = None,
    paragraph: Annotated[
        str | None, Query(description="Paragraf des SGB VIII; ohne Angabe 34.", examples=["34"])
    ] = None,
    period: Annotated[
        str | None, Query(description="Zeitraum der Fälle, etwa 2021-Q3; ohne Angabe der letzte.", examples=["2021-Q3"])
    ] = None,
    area_role: Annotated[
        str | None,
        Query(
            description="zustaendig (nach Jugendamt) oder herkunft (nach Wohnort der Familie); ohne Angabe zustaendig, "
            "wo es das gibt.",
            examples=["zustaendig"],
        ),
    ] = None,
    counting: Annotated[
        str | None,
        Query(description="stichtag oder begonnen (im Zeitraum); ohne Angabe stichtag.", examples=["stichtag"]),
    ] = None,
    bands_km: Annotated[
        str | None,
        Query(
            description="Bis zu fünf ansteigende Entfernungen in km (Luftlinie, einschließlich, höchstens 200), mit "
            "Komma getrennt; ohne Angabe 5,10,20.",
            examples=["5,10,20"],
        ),
    ] = None,
    near_km: Annotated[
        str | None,
        Query(description="Welche der Entfernungen als nah gilt; ohne Angabe die kleinste.", examples=["5"]),
    ] = None,
) -> Response:
    """Fälle eines Gebiets neben den Plätzen von Einrichtungen im Gebiet, im Bezirk und im Umkreis, mit Begründung.

    Rang 1 hat die meisten Fälle unter den Gebieten ohne Platz in der Nähe. Gebiete mit unterdrückter Fallzahl haben
    keinen Rang. CSV, XLSX und GeoPackage haben statt `bands` je Entfernung eigene Spalten, etwa `places_5km`.
    Anteil bei Trägern im eigenen Gebiet und Belegung stehen nur in der Internen Fassung.
    """
    wanted = HomeGapsRequest(
        level=analysis.require_level(level),
        on=today(),
        paragraph=paragraph or "34",
        period=period or None,
        area_role=area_role or None,
        counting=counting or "stichtag",
        area=area,
        near_km=query.decimal_number("near_km", near_km, 0, MOST_KM),
        geometry=asked.format in {Format.GEOJSON, Format.GPKG},
        limit=limit,
        after=cursor,
        version=asked.version,
        **bands_of(bands_km),
    )
    return deliver(request, asked, HOMES, lambda s: home_gaps(s, wanted), render_homes)


def bands_of(given: str | None) -> dict[str, Any]:
    """Return the bands as far as they are said; raise ``ParameterError`` for what is no list of numbers."""
    if not given:
        return {}
    found = [query.decimal_number("bands_km", part.strip(), 0, MOST_KM) for part in given.split(",")]
    if None in found:
        raise ParameterError("bands_km", "Zwischen den Kommas von bands_km fehlt eine Zahl; etwa bands_km=5,10,20.")
    return {"bands_km": tuple(found)}


def render_homes(answer: Answer[HomeGapRow], wanted: Format) -> bytes:
    """Write the answer in a format: bands as a list of objects in JSON, as columns of their own in tables."""
    if wanted in {Format.JSON, Format.GEOJSON}:
        rendered: bytes = render_flat(HOMES, HomeGapRow)(answer, wanted)
        return rendered
    answer.meta.next = query.as_cursor(answer.meta.next)
    table = formats.table_of(answer, HOMES, HomeGapRow)
    rows = [_flat(row) for row in table.rows]
    own = [name for row in answer.rows[:1] for band in row.bands for name in _columns(band)]
    columns = tuple(part for name in table.columns for part in (own if name == "bands" else (name,)))
    return write_table(formats.Table(answer.meta, HOMES, columns, rows, table.geometries), wanted)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in row.items() if name != "bands"}
    for band in row["bands"]:
        flat |= _columns(band)
    return flat


def _columns(band: HomeBand) -> dict[str, float | None]:
    """Return a band's numbers by the names of their columns."""
    names = ("homes", "homes_without_places", "places")
    return {band_column(name, band.km): getattr(band, name) for name in names}
