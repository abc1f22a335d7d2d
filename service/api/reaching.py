"""The route of a point's view: what is in reach of it, who lives there, and the area itself."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from geodata.coverage.request import Mode
from geodata.errors import ParameterError
from geodata.point_reach import PointReachAnswer, PointReachRequest, PointReachRow, ReachedResidents, point_reach
from service import formats
from service.api import analysis
from service.api import documentation as docs
from service.api import parameters as query
from service.api.routes import AnyFormat, write_table
from service.context import context_of, today
from service.delivery import deliver
from service.formats import Format

router = APIRouter(prefix="/api/v1", tags=["Auswertung"], dependencies=[Depends(query.only_known_parameters)])

_BESIDE = {
    "residents": list[ReachedResidents],
    "residents_total": float | None,
    "mode": Mode,
    "polygon": dict[str, Any],
}
_RESIDENTS = tuple(field.name for field in fields(ReachedResidents))


@router.get(
    "/reach",
    summary="Blick von einem Punkt",
    responses=docs.answers(PointReachRow, 409, beside=_BESIDE),
)
def get_reach(
    request: Request,
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    way: analysis.ByWay,
    lon: Annotated[str | None, Query(description="Länge in Grad (WGS 84).", examples=["10.0"])] = None,
    lat: Annotated[str | None, Query(description="Breite in Grad (WGS 84).", examples=["53.55"])] = None,
    category: analysis.Category = None,
    type_: analysis.Type = None,
    barrier_free: analysis.BarrierFree = None,
) -> Response:
    """Welche Einrichtungen, wie viele Menschen und welche Fläche von einem Punkt aus erreichbar sind.

    JSON nennt neben den Einrichtungen (`rows`) die Einwohner nach Alter (`residents`, zusammen `residents_total`),
    die Fläche (`polygon`) und wie jemand unterwegs ist (`mode`). In GeoJSON ist das erste Feature die Fläche, danach
    kommen die Einrichtungen; CSV und GeoPackage enthalten die Einrichtungen, XLSX auch die Einwohner.
    """
    wanted = PointReachRequest(
        lon=_degrees("lon", lon, 180),
        lat=_degrees("lat", lat, 85),
        on=today(),
        categories=query.listed(category),
        types=query.listed(type_),
        barrier_free=query.listed(barrier_free),
        pace=context_of(request).settings.pace(),
        limit=limit,
        after=cursor,
        version=asked.version,
        **way.given(),
    )
    return deliver(request, asked, "erreichbar", lambda s: point_reach(s, wanted), render_reach)


def _degrees(name: str, value: str | None, most: float) -> float:
    found = query.decimal_number(name, value, -most, most)
    if found is None:
        raise ParameterError(name, "Bitte mit lon und lat einen Punkt in Grad angeben, etwa lon=10.0 und lat=53.55.")
    return found


def render_reach(answer: PointReachAnswer, wanted: Format) -> bytes:
    """Write a point's view in a format."""
    answer.meta.next = query.as_cursor(answer.meta.next)
    rows = formats.properties_of(answer.rows)
    residents = [asdict(band) for band in answer.residents]
    polygon = orjson.Fragment(answer.polygon)
    beside = {"residents": residents, "residents_total": answer.residents_total, "mode": answer.mode}
    if wanted is Format.JSON:
        return formats.to_json(answer.meta, rows, {**beside, "polygon": polygon})
    if wanted is Format.GEOJSON:
        places = [({"kind": "place", **row}, _point(row)) for row in rows]
        return formats.to_geojson(answer.meta, [({"kind": "polygon", **beside}, polygon), *places])
    points = [orjson.dumps(_point(row)).decode() for row in rows]
    columns = tuple(field.name for field in fields(PointReachRow))
    table = formats.Table(answer.meta, "erreichbar", columns, rows, points)
    if wanted is Format.XLSX:
        return formats.to_xlsx(table, [formats.Table(answer.meta, "Einwohner", _RESIDENTS, residents, None)])
    return write_table(table, wanted)


def _point(row: dict[str, Any]) -> dict[str, Any]:
    coordinates: Sequence[float] = (row["lon"], row["lat"])
    return {"type": "Point", "coordinates": coordinates}
