"""The routes of figures: observations per area, and which indicators there are."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from geodata.errors import ParameterError
from geodata.figure_tables import COUNTINGS
from geodata.indicators import IndicatorRow, indicators
from geodata.statistics import After, ObservationRow, StatisticsRequest, statistics
from geodata.statistics_change import ChangeRow, statistics_change
from service.api import documentation as docs
from service.api import parameters as query
from service.api.routes import AnyFormat, FlatFormat, render_flat
from service.delivery import Asked, deliver
from service.formats import Format

WITHOUT = "ohne"
"""As ``position`` or ``counting``: the figures that have none."""

router = APIRouter(prefix="/api/v1", tags=["Daten"], dependencies=[Depends(query.only_known_parameters)])


@router.get("/indicators", summary="Kennzahlen mit Werten", responses=docs.answers(IndicatorRow))
def get_indicators(request: Request, asked: FlatFormat) -> Response:
    """Alle Kennzahlen mit Titel, Einheit und Art, und auf welchen Ebenen und für welche Zeiträume es Werte gibt."""
    name = "kennzahlen"
    return deliver(
        request, asked, name, lambda s: indicators(s, version=asked.version), render_flat(name, IndicatorRow)
    )


_Indicator = Annotated[
    str | None, Query(description="Kennzahl; welche es gibt, sagt /indicators.", examples=["population"])
]
_Level = Annotated[str | None, Query(description="Gebietsebene, etwa bezirk oder stadtteil.", examples=["stadtteil"])]
_Period = Annotated[
    str | None,
    Query(
        description="Zeitraum: 2020, 2014-H1, 2021-Q3, 2019-07 oder 2019-07-31; ohne Angabe der letzte.",
        examples=["2020"],
    ),
]
_Scenario = Annotated[str | None, Query(description="ist (Voreinstellung), prognose oder plan.")]
_Position = Annotated[
    str | None,
    Query(
        description="Nur diese Position: ein Alter wie 6-10, eine Hilfeart, total; ohne: Werte, die keine Position "
        "haben.",
        examples=["0-18"],
    ),
]
_Counting = Annotated[
    str | None,
    Query(
        description="Nur so gezählte Werte: stichtag, mittel_12_stichtage, kumuliert, begonnen, beendet; ohne: Werte, "
        "bei denen es nicht angegeben ist. Ohne diesen Parameter alle.",
        examples=["stichtag"],
    ),
]


def _statistics_query(
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    area: query.Area,
    indicator: _Indicator = None,
    level: _Level = None,
    period: _Period = None,
    scenario: _Scenario = None,
    position: _Position = None,
    counting: _Counting = None,
) -> tuple[Asked, StatisticsRequest]:
    if not indicator:
        raise ParameterError("indicator", "Bitte mit indicator eine Kennzahl angeben, etwa indicator=population.")
    if not level:
        raise ParameterError("level", "Bitte mit level eine Gebietsebene angeben, etwa level=stadtteil.")
    return asked, StatisticsRequest(
        indicator=indicator,
        level=level,
        period=period or None,
        scenario=scenario or "ist",
        position="" if position == WITHOUT else position or None,
        counting="" if counting == WITHOUT else query.one_of("counting", counting, (*COUNTINGS, WITHOUT)),
        area=area,
        geometry=asked.format in {Format.GEOJSON, Format.GPKG},
        limit=limit,
        after=_after(cursor),
        version=asked.version,
    )


StatisticsQuery = Annotated[tuple[Asked, StatisticsRequest], Depends(_statistics_query)]


@router.get("/statistics", summary="Werte einer Kennzahl je Gebiet", responses=docs.answers(ObservationRow))
def get_statistics(request: Request, given: StatisticsQuery) -> Response:
    """Veröffentlichte Werte einer Kennzahl für alle Gebiete einer Ebene; fehlende stehen als null mit Grund (flag).

    Mit area nur dieses Gebiet oder die Gebiete darin.
    """
    asked, wanted = given
    render = render_flat("statistik", ObservationRow)
    return deliver(request, asked, "statistik", lambda s: statistics(s, wanted), render)


@router.get(
    "/statistics/change",
    summary="Veränderung einer Kennzahl zwischen zwei Zeiträumen",
    responses=docs.answers(ChangeRow),
)
def get_change(
    request: Request,
    given: StatisticsQuery,
    compare: Annotated[
        str | None,
        Query(
            description="Zeitraum, mit dem verglichen wird: geschrieben wie period und ebenso lang.", examples=["2019"]
        ),
    ] = None,
) -> Response:
    """Werte zweier Zeiträume nebeneinander und ihre Differenz (`change`, in % des früheren Werts `change_pct`).

    Fehlt einer der beiden oder ist er unterdrückt, so ist es auch die Differenz (`flag`); verschieden Gezähltes wird
    nicht verglichen.
    """
    if not compare:
        raise ParameterError("compare", "Bitte mit compare den Zeitraum angeben, mit dem verglichen wird.")
    asked, wanted = given
    name = "veraenderung"
    render = render_flat(name, ChangeRow)
    return deliver(request, asked, name, lambda s: statistics_change(s, wanted, compare), render)


def _after(cursor: str | None) -> After | None:
    if cursor is None:
        return None
    parts = cursor.split("\n")
    if len(parts) != 4:
        raise ParameterError("cursor", "Der cursor ist ungültig; bitte den Wert von meta.next übernehmen.")
    return parts[0], parts[1], parts[2], parts[3]
