"""The route of the search: streets and addresses, areas and places by a few letters."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from geodata.errors import ParameterError
from geodata.search import SearchRequest, SearchRow, search
from service.api import documentation as docs
from service.api import parameters as query
from service.api.routes import render_flat
from service.context import today
from service.delivery import Asked, deliver
from service.formats import Format

router = APIRouter(prefix="/api/v1", tags=["Daten"], dependencies=[Depends(query.only_known_parameters)])

_JSON = "application/json"
_ANSWERS = docs.answers(SearchRow)
# It answers a field in a form, not a table: JSON only.
_ANSWERS[200]["content"] = {_JSON: _ANSWERS[200]["content"][_JSON]}

MOST = 20
_USUAL = 8


@router.get("/search", summary="Suche nach Straße, Gebiet oder Einrichtung", responses=_ANSWERS)
def get_search(
    request: Request,
    asked: Annotated[Asked, Depends(query.asked_of(Format.JSON))],
    q: Annotated[str | None, Query(description="Suchtext, mindestens zwei Zeichen.", examples=["Billstedt"])] = None,
    limit: Annotated[str | None, Query(description=f"Höchstzahl der Treffer, bis {MOST}.", examples=["8"])] = None,
) -> Response:
    """Straßen und Anschriften der örtlichen Adressliste, Gebiete und Einrichtungen, die zum Suchtext passen.

    `kind` ist `area`, `street`, `address` oder `place`. Der Suchtext wird nicht gespeichert.
    """
    text = query.search_query(q)
    if text is None:
        raise ParameterError("q", "Bitte mit q einen Suchtext angeben, etwa q=Billstedt.")
    most = query.whole_number("limit", limit, 1, MOST) or _USUAL
    wanted = SearchRequest(text, today(), most)
    return deliver(request, asked, "suche", lambda s: search(s, wanted), render_flat("suche", SearchRow))
