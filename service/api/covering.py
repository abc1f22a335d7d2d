"""The routes of coverage: what there is for whom, what is missing where, and the standards it is measured by."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from geodata.coverage.answer import coverage
from geodata.coverage.drawn import drawn_of
from geodata.coverage.request import DRAWN, CoverageRequest, CoverageRow
from geodata.gap_request import MOST_NEED_WEIGHT, GapsRequest
from geodata.gaps import GapRow, gaps
from geodata.standards import StandardRow, standards
from service.api import analysis
from service.api import documentation as docs
from service.api import parameters as query
from service.api.routes import AnyFormat, FlatFormat, render_flat
from service.context import context_of, today
from service.delivery import Asked, deliver
from service.formats import Format

router = APIRouter(prefix="/api/v1", tags=["Auswertung"], dependencies=[Depends(query.only_known_parameters)])

# The largest standard there is per 1,000; what is allowed for a measure is the question's matter.
_MOST_STANDARD = 1e9


def _coverage_query(
    request: Request,
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    stated: analysis.Measured,
    category: analysis.Category = None,
    type_: analysis.Type = None,
    barrier_free: analysis.BarrierFree = None,
    period: analysis.Period = None,
) -> tuple[Asked, CoverageRequest]:
    """Return the request without its areas."""
    stated.require_applying(stated.measure or "supply")
    return asked, CoverageRequest(
        level=DRAWN,
        on=today(),
        categories=query.listed(category),
        types=query.listed(type_),
        barrier_free=query.listed(barrier_free),
        period=period or None,
        pace=context_of(request).settings.pace(),
        geometry=_needs_geometry(asked),
        limit=limit,
        after=cursor,
        version=asked.version,
        **stated.given(),
    )


CoverageQuery = Annotated[tuple[Asked, CoverageRequest], Depends(_coverage_query)]


@router.get("/coverage", summary="Versorgung und Erreichbarkeit je Gebiet", responses=docs.answers(CoverageRow, 409))
def get_coverage(
    request: Request, given: CoverageQuery, area: analysis.Within, level: analysis.Level = None
) -> Response:
    """Versorgung (supply), Erreichbarkeit (reach) oder erreichbare Kapazität (catchment) für alle Gebiete einer Ebene.

    Ein Gebiet ohne Einrichtung hat 0; fehlende Einwohner ergeben null. Die Zeile `ohne` ist, was in keinem Gebiet liegt
    oder für die ganze Stadt da ist: Summen über alle Zeilen sind die der Stadt. Ist kein Wegenetz geladen, werden
    Entfernungen ohne mode in Luftlinie geschätzt; mode=walk und mode=bike ergeben dann 409.
    """
    asked, wanted = given
    wanted = replace(wanted, level=analysis.require_level(level), area=area)
    name = f"versorgung-{wanted.measure}"
    return deliver(request, asked, name, lambda s: coverage(s, wanted), render_flat("versorgung", CoverageRow))


@router.post(
    "/coverage",
    summary="Versorgung und Erreichbarkeit eigener Flächen",
    responses=docs.answers(CoverageRow, 409, 413),
    openapi_extra=analysis.GEOJSON_BODY,
)
def post_coverage(request: Request, given: CoverageQuery, body: analysis.Body) -> Response:
    """Wie GET, aber für gezeichnete Flächen: Ein Punkt der Einwohnerkarte und eine Einrichtung zählen, wo sie liegen.

    Schlüssel einer Zeile ist die `id` des Features, sonst seine Eigenschaft `key`, sonst seine Nummer; der Name ist
    seine Eigenschaft `name`. Kanten sind gerade Linien in Länge und Breite. Einrichtungen, deren Standort nicht
    gezeigt wird, liegen in keiner Fläche.
    """
    asked, wanted = given
    render = render_flat("versorgung", CoverageRow)
    # Read only when asked for the first time: an answer that is held needs no look at what was sent.
    return deliver(
        request, asked, "versorgung-auswahl", lambda s: coverage(s, replace(wanted, drawn=drawn_of(body))), render, body
    )


@router.get("/gaps", summary="Bestand und Bedarf: Rangfolge der Gebiete", responses=docs.answers(GapRow, 409))
def get_gaps(
    request: Request,
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    stated: analysis.Measured,
    area: analysis.Within,
    level: analysis.Level = None,
    category: analysis.Category = None,
    standard: Annotated[
        str | None, Query(description="Richtwert nach seinem Kürzel; welche es gibt, sagt /standards.")
    ] = None,
    standard_value: Annotated[
        str | None,
        Query(
            description="Statt eines Richtwerts ein angenommener Wert: je 1.000, bei reach ein Anteil (0 bis 1).",
            examples=["30"],
        ),
    ] = None,
    need: Annotated[
        str | None,
        Query(
            description="Kennzahlen des Bedarfs: kennzahl[:position][*gewicht], mit Komma getrennt; ein Minus davor: "
            "Ein niedriger Wert ist mehr Bedarf."
        ),
    ] = None,
    need_weight: Annotated[
        str | None,
        Query(description="Gewicht des Bedarfs gegenüber dem Fehlbedarf; ohne Angabe 1, ohne need 0.", examples=["1"]),
    ] = None,
    period: analysis.Period = None,
) -> Response:
    """Was Gebieten gegenüber einem Richtwert fehlt, und wo zuerst: Rang 1 hat die höchste Priorität.

    `rank_low` bis `rank_high` ist die Spanne der Ränge, wenn der Richtwert um 10 % und die Gewichte um 25 % anders
    wären; `reason` sagt es in einem Satz. Gebiete ohne Angabe stehen ohne Rang am Ende.
    """
    if stated.measure or not standard:
        stated.require_applying(stated.measure or "supply")
    wanted = GapsRequest(
        level=analysis.require_level(level),
        on=today(),
        categories=query.listed(category),
        standard=standard or None,
        standard_value=query.decimal_number("standard_value", standard_value, 0, _MOST_STANDARD),
        area=area,
        period=period or None,
        need=query.need_of(need),
        need_weight=query.decimal_number("need_weight", need_weight, 0, MOST_NEED_WEIGHT),
        pace=context_of(request).settings.pace(),
        geometry=_needs_geometry(asked),
        limit=limit,
        after=cursor,
        version=asked.version,
        **stated.given(),
    )
    return deliver(request, asked, "bedarf", lambda s: gaps(s, wanted), render_flat("bedarf", GapRow))


@router.get("/standards", summary="Richtwerte", responses=docs.answers(StandardRow))
def get_standards(request: Request, asked: FlatFormat) -> Response:
    """Die hinterlegten Richtwerte mit Quelle, Beschluss und Datum; mitgeliefert ist keiner."""
    name = "richtwerte"
    return deliver(request, asked, name, lambda s: standards(s, asked.version), render_flat(name, StandardRow))


def _needs_geometry(asked: Asked) -> bool:
    return asked.format in {Format.GEOJSON, Format.GPKG}
