"""The list at ``/angebote`` and the page of one place: the map's equal for those who do not use maps."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from geodata.answer import Answer
from geodata.errors import NotFoundError
from geodata.facilities import FacilitiesRequest, PlaceRow, facilities
from geodata.viewer import Version
from layers.palette import style_of
from service.api import parameters as query
from service.api.routes import render_places
from service.context import context_of, today
from service.delivery import Asked, deliver, format_of
from service.formats import Format, footnote_lines
from service.pages.components import (
    Column,
    DataTable,
    Download,
    Option,
    Pager,
    Sort,
    ordered,
    sort_of,
)
from service.pages.filtering import PARAMETERS, PlaceFilter, area_sentence, filter_of, form_of
from service.pages.frame import Content, address, language_of, page
from service.pages.place_table import (
    ORDER_VALUES,
    access,
    cells_of,
    columns_of,
    mail_link,
    phone_link,
    postal_address,
    web_address,
)
from service.texts import texts

router = APIRouter(include_in_schema=False)

PER_PAGE = 50
_FILES = {"csv": "CSV", "xlsx": "Excel (XLSX)", "geojson": "GeoJSON"}
_FORMATS = (Format.JSON, Format.GEOJSON, Format.CSV, Format.XLSX, Format.GPKG)


@router.get("/angebote")
def get_list(request: Request) -> Response:
    """Serve the places that fit as a table, or with ``format`` as a file of exactly those."""
    wanted = filter_of(request)
    given = request.query_params.get("format")
    if given:
        return _file(request, wanted, given)
    language = language_of(request, translated=True)
    columns = columns_of(language)
    sort = sort_of(request.query_params.get("sort"), columns, Sort("name"))
    number = query.whole_number("seite", request.query_params.get("seite"), 1, 1_000_000) or 1
    most = context_of(request).settings.max_rows

    def content(session: Session) -> Content:
        counts = wanted.counts(session)
        answer = facilities(session, wanted.request(limit=most))
        if wanted.nothing:
            answer.rows.clear()
        rows = ordered(answer.rows, ORDER_VALUES[sort.key], sort)
        pager = Pager.of(number, len(rows), PER_PAGE)
        shown = rows[max(0, pager.first - 1) : pager.last]
        said = texts(language)
        table = DataTable(
            said.gettext("Orte mit ihren Angeboten"),
            columns,
            [cells_of(row, language) for row in shown],
            sort=sort,
            empty=said.gettext("Kein Ort passt zur Auswahl."),
            language=language,
            stacked=True,
        )
        values = {
            "table": table,
            "pages": pager,
            "filter": wanted.parameters(),
            "empty_filter": wanted.empty,
            "choices": form_of(wanted, counts, language),
            "wanted": wanted,
            "area": area_sentence(session, wanted.area, language),
            "orders": _orders(columns, sort, language),
            "total": counts.places,
            "found": len(rows),
            "files": _downloads(wanted, sort),
            "notes": footnote_lines(answer.meta),
        }
        return Content(said.gettext("Angebote"), values)

    return page(
        request, "places.html", content, section="angebote", translated=True, only=(*PARAMETERS, "sort", "seite")
    )


def _file(request: Request, wanted: PlaceFilter, given: str) -> Response:
    asked = Asked(format_of(request, given, _FORMATS), Version.PUBLISHED)
    most = context_of(request).settings.max_rows

    def question(session: Session) -> Answer[PlaceRow]:
        answer = facilities(session, wanted.request(limit=most))
        if wanted.nothing:
            answer.rows.clear()
        return answer

    return deliver(request, asked, "angebote", question, render_places(None))


def _downloads(wanted: PlaceFilter, sort: Sort) -> list[Download]:
    del sort  # a file is sorted by who reads it
    pairs = [
        (name, str(one))
        for name, value in wanted.parameters().items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    return [Download(title, address("/angebote", [*pairs, ("format", code)])) for code, title in _FILES.items()]


def _orders(columns: Sequence[Column], sort: Sort, language: str) -> list[Option]:
    said = texts(language).gettext
    up, down = said("{column}, aufsteigend"), said("{column}, absteigend")
    return [
        Option(one.text(), words.format(column=column.title), one == sort)
        for column in columns
        for one, words in ((Sort(column.key), up), (Sort(column.key, descending=True), down))
    ]


@router.get("/angebote/{dataset}/{facility_id:path}")
def get_place(request: Request, dataset: str, facility_id: str) -> Response:
    """Serve the page of one place with all its visible offers."""
    language = language_of(request, translated=True)
    wanted = FacilitiesRequest(on=today(), dataset=dataset, facility_id=facility_id)

    def content(session: Session) -> Content:
        answer = facilities(session, wanted)
        if not answer.rows:
            raise NotFoundError("Diesen Ort gibt es nicht, oder er ist nicht freigegeben.")
        row = answer.rows[0]
        offers = [
            {
                **offer,
                "title": offer["name"] if offer["name"] != row.name else offer["type"],
                "category_title": texts(language).gettext(style_of(offer["category"]).title),
            }
            for offer in row.offers
        ]
        values = {
            "place": row,
            "offers": offers,
            "address": postal_address(row),
            "access": access(row.barrier_free, language),
            "web": web_address(row.website),
            "mail": mail_link(row.email),
            "dial": phone_link(row.phone),
            "notes": footnote_lines(answer.meta),
        }
        return Content(row.name, values)

    return page(request, "place.html", content, section="angebote", translated=True, only=())
