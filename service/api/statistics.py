"""The routes of figures: observations per area, and which indicators there are."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from geodata.errors import ParameterError
from geodata.indicators import IndicatorRow, indicators
from geodata.statistics import After, ObservationRow, StatisticsRequest, statistics
from service.api import documentation as docs
from service.api import parameters as query
from service.api.routes import AnyFormat, FlatFormat, render_flat
from service.delivery import deliver
from service.formats import Format

router = APIRouter(prefix="/api/v1", tags=["Daten"], dependencies=[Depends(query.only_known_parameters)])


@router.get("/indicators", summary="Kennzahlen mit Werten", responses=docs.answers(IndicatorRow))
def get_indicators(request: Request, asked: FlatFormat) -> Response:
    """Alle Kennzahlen mit Titel, Einheit und Art, und auf welchen Ebenen und für welche Zeiträume es Werte gibt."""
    name = "kennzahlen"
    return deliver(
        request, asked, name, lambda s: indicators(s, version=asked.version), render_flat(name, IndicatorRow)
    )


@router.get("/statistics", summary="Werte einer Kennzahl je Gebiet", responses=docs.answers(ObservationRow))
def get_statistics(
    request: Request,
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    area: query.Area,
    indicator: Annotated[
        str | None, Query(description="Kennzahl; welche es gibt, sagt /indicators.", examples=["population"])
    ] = None,
    level: Annotated[
        str | None, Query(description="Gebietsebene, etwa bezirk oder stadtteil.", examples=["stadtteil"])
    ] = None,
    period: Annotated[
        str | None,
        Query(
            description="Zeitraum: 2020, 2014-H1, 2021-Q3, 2019-07 oder 2019-07-31; ohne Angabe der letzte.",
            examples=["2020"],
        ),
    ] = None,
    scenario: Annotated[str | None, Query(description="ist (Voreinstellung), prognose oder plan.")] = None,
    position: Annotated[
        str | None,
        Query(description="Nur diese Position: ein Alter wie 6-10, eine Hilfeart, total.", examples=["0-18"]),
    ] = None,
) -> Response:
    """Veröffentlichte Werte einer Kennzahl für alle Gebiete einer Ebene; fehlende stehen als null mit Grund (flag).

    Mit area nur dieses Gebiet oder die Gebiete darin.
    """
    if not indicator:
        raise ParameterError("indicator", "Bitte mit indicator eine Kennzahl angeben, etwa indicator=population.")
    if not level:
        raise ParameterError("level", "Bitte mit level eine Gebietsebene angeben, etwa level=stadtteil.")
    wanted = StatisticsRequest(
        indicator=indicator,
        level=level,
        period=period or None,
        scenario=scenario or "ist",
        position=position or None,
        area=area,
        geometry=asked.format in {Format.GEOJSON, Format.GPKG},
        limit=limit,
        after=_after(cursor),
        version=asked.version,
    )
    render = render_flat("statistik", ObservationRow)
    return deliver(request, asked, "statistik", lambda s: statistics(s, wanted), render)


def _after(cursor: str | None) -> After | None:
    if cursor is None:
        return None
    parts = cursor.split("\n")
    if len(parts) != 4:
        raise ParameterError("cursor", "Der cursor ist ungültig; bitte den Wert von meta.next übernehmen.")
    return parts[0], parts[1], parts[2], parts[3]
