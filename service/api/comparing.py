"""The routes that compare areas by their indicators: those most alike, and where like values lie together."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathParameter

from geodata.clusters import ClusterRow, ClustersRequest, clusters
from geodata.errors import ParameterError
from geodata.similar import SimilarRequest, SimilarRow, similar
from service.api import analysis
from service.api import documentation as docs
from service.api import parameters as query
from service.api.routes import AnyFormat, render_flat
from service.delivery import deliver
from service.formats import Format

router = APIRouter(prefix="/api/v1", tags=["Auswertung"], dependencies=[Depends(query.only_known_parameters)])

MOST_SIMILAR = 50


@router.get("/areas/{level}/{key}/similar", summary="Vergleichsgebiete", responses=docs.answers(SimilarRow))
def get_similar(
    request: Request,
    asked: AnyFormat,
    level: Annotated[str, PathParameter(description="Gebietsebene.", examples=["stadtteil"])],
    key: Annotated[str, PathParameter(description="Schlüssel des Gebiets auf dieser Ebene.", examples=["02101"])],
    indicators: Annotated[
        str | None,
        Query(
            description="Kennzahlen des Vergleichs: kennzahl[:position][*gewicht], mit Komma getrennt; ohne Angabe "
            "alle Anteile, Raten und Indizes der Ebene."
        ),
    ] = None,
    period: analysis.Period = None,
    limit: Annotated[
        str | None, Query(description="So viele Gebiete (1 bis 50); ohne Angabe 5.", examples=["5"])
    ] = None,
) -> Response:
    """Die Gebiete derselben Ebene, die diesem in standardisierten Kennzahlen am nächsten sind, mit deren Anteilen."""
    wanted = SimilarRequest(
        level=level,
        key=key,
        indicators=query.indicators_of(indicators),
        period=period or None,
        limit=query.whole_number("limit", limit, 1, MOST_SIMILAR) or 5,
        geometry=asked.format in {Format.GEOJSON, Format.GPKG},
        version=asked.version,
    )
    name = "vergleichsgebiete"
    return deliver(request, asked, name, lambda s: similar(s, wanted), render_flat(name, SimilarRow))


@router.get("/statistics/clusters", summary="Räumliche Häufungen", responses=docs.answers(ClusterRow))
def get_clusters(
    request: Request,
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    indicator: Annotated[
        str | None, Query(description="Kennzahl; welche es gibt, sagt /indicators.", examples=["population"])
    ] = None,
    level: analysis.Level = None,
    position: Annotated[
        str | None,
        Query(description="Position der Kennzahl, etwa 0-18; nötig, wo es mehrere gibt.", examples=["total"]),
    ] = None,
    period: analysis.Period = None,
) -> Response:
    """Wo hohe oder niedrige Werte einer Kennzahl beieinanderliegen (lokales Moran-I mit Kontrolle der Fehlalarme)."""
    if not indicator:
        raise ParameterError("indicator", "Bitte mit indicator eine Kennzahl angeben, etwa indicator=population.")
    wanted = ClustersRequest(
        indicator=indicator,
        level=analysis.require_level(level),
        position=position or None,
        period=period or None,
        geometry=asked.format in {Format.GEOJSON, Format.GPKG},
        limit=limit,
        after=cursor,
        version=asked.version,
    )
    return deliver(request, asked, "haeufungen", lambda s: clusters(s, wanted), render_flat("haeufungen", ClusterRow))
