"""The routes of ``/api/v1``."""

from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathParameter
from sqlalchemy.orm import Session

from geodata.answer import Answer
from geodata.areas import AreaProfile, AreaRow, AreasRequest, area_profile, areas
from geodata.datasets import DatasetRow, datasets
from geodata.errors import NotFoundError, ParameterError
from geodata.facilities import FacilitiesRequest, OfferRow, PlaceRow, facilities
from service import formats
from service.api import documentation as docs
from service.api import parameters as query
from service.area_names import area_pair
from service.context import today
from service.delivery import Asked, deliver
from service.formats import Format

router = APIRouter(prefix="/api/v1", tags=["Daten"], dependencies=[Depends(query.only_known_parameters)])

_ALL = (Format.JSON, Format.GEOJSON, Format.CSV, Format.XLSX, Format.GPKG)
_FLAT = (Format.JSON, Format.CSV, Format.XLSX)
AnyFormat = Annotated[Asked, Depends(query.asked_of(*_ALL))]
FlatFormat = Annotated[Asked, Depends(query.asked_of(*_FLAT))]


def render_flat(name: str, kind: type) -> Any:  # noqa: ANN401 - a renderer
    """Return a renderer for answers whose rows, of this kind, are flat and may carry a ``geometry``."""

    def render(answer: Answer[Any], wanted: Format) -> bytes:
        answer.meta.next = query.as_cursor(answer.meta.next)
        table = formats.table_of(answer, name, kind)
        if wanted is Format.JSON:
            return formats.to_json(answer.meta, table.rows)
        if wanted is Format.GEOJSON:
            geometries = table.geometries or [None] * len(table.rows)
            return formats.to_geojson(answer.meta, zip(table.rows, geometries, strict=True))
        return write_table(table, wanted)

    return render


def write_table(table: formats.Table, wanted: Format) -> bytes:
    """Write a table as CSV, XLSX or GeoPackage."""
    writers = {Format.CSV: formats.to_csv, Format.XLSX: formats.to_xlsx, Format.GPKG: formats.to_gpkg}
    return writers[wanted](table)


@router.get("/datasets", summary="Datenbestände mit Stand und Lizenz", responses=docs.answers(DatasetRow))
def get_datasets(request: Request, asked: FlatFormat) -> Response:
    """Alle sichtbaren Datenbestände mit Stand, Lizenz, Quellenangabe, letztem Import und letzter Prüfung der Quelle.

    `age_days` sind die Tage, seit die Quelle zuletzt in Ordnung war; `failed_at` ist der letzte Fehlschlag beim
    Erneuern und leer, sobald es wieder gelingt.
    """
    name = "datenbestaende"
    render = render_flat(name, DatasetRow)
    return deliver(request, asked, name, lambda s: datasets(s, on=today(), version=asked.version), render)


@router.get("/areas", summary="Gebiete einer Ebene", responses=docs.answers(AreaRow))
def get_areas(
    request: Request,
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    level: Annotated[
        str | None, Query(description="Gebietsebene, etwa bezirk oder stadtteil.", examples=["bezirk"])
    ] = None,
    parent: Annotated[str | None, Query(description="Nur Gebiete in diesem: ebene:schlüssel.")] = None,
    simplify_m: Annotated[
        str | None,
        Query(description="Grenzen um etwa so viele Meter vereinfachen (gemeinsame Grenzen bleiben gemeinsam)."),
    ] = None,
) -> Response:
    """Gebiete mit Fläche und Zahl der sichtbaren Einrichtungen; Geometrie in GeoJSON und GeoPackage."""
    if not level:
        raise ParameterError("level", "Bitte mit level eine Gebietsebene angeben, etwa level=stadtteil.")
    wanted = AreasRequest(
        level=level,
        on=today(),
        parent=area_pair("parent", parent),
        geometry=asked.format in {Format.GEOJSON, Format.GPKG},
        simplify_m=float(query.whole_number("simplify_m", simplify_m, 0, 1000) or 0),
        limit=limit,
        after=cursor,
        version=asked.version,
    )
    render = render_flat("gebiete", AreaRow)
    return deliver(request, asked, f"gebiete-{wanted.level}", lambda s: areas(s, wanted), render)


@router.get("/areas/{level}/{key}", summary="Ein Gebiet", responses=docs.answers(AreaProfile))
def get_area(
    request: Request,
    asked: AnyFormat,
    level: Annotated[str, PathParameter(description="Gebietsebene.", examples=["stadtteil"])],
    key: Annotated[str, PathParameter(description="Schlüssel des Gebiets auf dieser Ebene.", examples=["02101"])],
) -> Response:
    """Ein Gebiet: übergeordnetes Gebiet, enthaltene Gebiete, Einrichtungen nach Kategorie, Angaben der Quelle."""

    def question(session: Session) -> Answer[AreaProfile]:
        return area_profile(session, level, key, on=today(), version=asked.version)

    return deliver(request, asked, "gebiet", question, render_flat("gebiet", AreaProfile))


@router.get("/facilities", summary="Einrichtungen und Angebote", responses=docs.answers(PlaceRow))
def get_facilities(
    request: Request,
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    age: query.Age,
    area: query.Area,
    bbox: query.Bbox,
    q: query.Search,
    category: Annotated[
        str | None, Query(description="Kategorien, mit Komma getrennt.", examples=["okja", "okja,famfoe"])
    ] = None,
    type_: Annotated[str | None, Query(alias="type", description="Arten von Angeboten, mit Komma getrennt.")] = None,
    barrier_free: Annotated[
        str | None, Query(description="yes, partly, no; mit Komma getrennt.", examples=["yes"])
    ] = None,
    fields: Annotated[str | None, Query(description="Nur diese Felder (JSON und GeoJSON), mit Komma getrennt.")] = None,
) -> Response:
    """Einrichtungen mit mindestens einem passenden Angebot.

    JSON und GeoJSON: eine Zeile je Einrichtung mit ihren Angeboten; CSV, XLSX und GeoPackage: eine je Angebot.
    Ein Angebot ohne Altersangabe passt zu jedem Alter.
    """
    wanted = FacilitiesRequest(
        on=today(),
        categories=query.listed(category),
        types=query.listed(type_),
        age=age,
        barrier_free=query.listed(barrier_free),
        area=area,
        bbox=bbox,
        q=q,
        limit=limit,
        after=_after(cursor),
        version=asked.version,
    )
    only = _fields(fields)
    return deliver(request, asked, "einrichtungen", lambda s: facilities(s, wanted), render_places(only))


@router.get("/facilities/{dataset}/{facility_id:path}", summary="Eine Einrichtung", responses=docs.answers(PlaceRow))
def get_facility(
    request: Request,
    asked: AnyFormat,
    dataset: Annotated[str, PathParameter(description="Bestand der Einrichtung.", examples=["facilities.okja"])],
    facility_id: Annotated[str, PathParameter(description="Kennung der Einrichtung in diesem Bestand.")],
) -> Response:
    """Eine Einrichtung mit allen ihren sichtbaren, gültigen Angeboten."""
    wanted = FacilitiesRequest(
        on=today(),
        dataset=dataset,
        facility_id=facility_id,
        version=asked.version,
    )

    def question(session: Session) -> Answer[PlaceRow]:
        answer = facilities(session, wanted)
        if not answer.rows:
            raise NotFoundError("Diese Einrichtung gibt es nicht, oder sie ist nicht freigegeben.")
        return answer

    return deliver(request, asked, "einrichtung", question, render_places(None))


def _after(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    dataset, newline, facility_id = cursor.partition("\n")
    if not newline:
        raise ParameterError("cursor", "Der cursor ist ungültig; bitte den Wert von meta.next übernehmen.")
    return dataset, facility_id


_PLACE_COLUMNS = tuple(name for name in PlaceRow.__dataclass_fields__ if name not in {"offers", "categories"})
_OFFER_COLUMNS = tuple({"id": "offer_id", "name": "offer_name"}.get(name, name) for name in OfferRow.__annotations__)
_PLACE_FIELDS = tuple(name for name in PlaceRow.__dataclass_fields__ if name not in {"lon", "lat"})


def _fields(given: str | None) -> frozenset[str] | None:
    if not given:
        return None
    wanted = query.listed(given)
    for name in wanted:
        if name not in PlaceRow.__dataclass_fields__:
            raise ParameterError(
                "fields",
                f"Das Feld „{query.short(name)}“ gibt es nicht. Möglich: {', '.join(_PLACE_FIELDS)}.",
                _PLACE_FIELDS,
            )
    return frozenset(wanted)


def render_places(only: frozenset[str] | None) -> Any:  # noqa: ANN401 - a renderer
    """Return a renderer for places; ``only`` keeps these fields in JSON and GeoJSON."""

    def render(answer: Answer[PlaceRow], wanted: Format) -> bytes:
        answer.meta.next = query.as_cursor(answer.meta.next)
        if wanted is Format.JSON:
            return formats.to_json(answer.meta, formats.properties_of(answer.rows, only))
        if wanted is Format.GEOJSON:
            names = (only or frozenset(PlaceRow.__dataclass_fields__)) - {"lon", "lat"}
            points = map(_point, answer.rows)
            properties = formats.properties_of(answer.rows, names)
            return formats.to_geojson(answer.meta, zip(properties, points, strict=True))
        return write_table(offer_table(answer), wanted)

    return render


def _point(row: PlaceRow) -> dict[str, object] | None:
    return None if row.lon is None else {"type": "Point", "coordinates": [row.lon, row.lat]}


def offer_table(answer: Answer[PlaceRow]) -> formats.Table:
    """Flatten places to one row per Angebot: the place's columns, then the offer's."""
    rows, geometries = [], []
    for place, shared in zip(answer.rows, formats.properties_of(answer.rows), strict=True):
        point = _point(place)
        del shared["offers"], shared["categories"]
        for offer in place.offers:
            own: dict[str, Any] = {**offer}
            rows.append({**shared, "offer_id": own.pop("id"), "offer_name": own.pop("name"), **own})
            geometries.append(None if point is None else orjson.dumps(point).decode())
    columns = _PLACE_COLUMNS + _OFFER_COLUMNS
    return formats.Table(replace(answer.meta, unit="Angebote"), "einrichtungen", columns, rows, geometries)
