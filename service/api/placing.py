"""The routes of helps: where young people are placed, what helps cost, and what steering them has brought."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from geodata.answer import Answer
from geodata.controlling import ControllingRequest, controlling
from geodata.controlling_budget_question import BudgetRequest, BudgetRow, budget
from geodata.controlling_figures import YEARLY_GROWTH
from geodata.controlling_line import ControllingRow
from geodata.controlling_rows import SPENDING
from geodata.errors import ParameterError
from geodata.figure_tables import PROVIDER_STATES
from geodata.placements import PlacementRow, PlacementsRequest, placements
from geodata.viewer import Version
from service import formats
from service.api import analysis
from service.api import documentation as docs
from service.api import parameters as query
from service.api.routes import AnyFormat, FlatFormat, render_flat, write_table
from service.area_names import area_pair
from service.context import context_of
from service.delivery import deliver
from service.formats import Format

router = APIRouter(prefix="/api/v1", tags=["Hilfen"], dependencies=[Depends(query.only_known_parameters)])

PLACEMENTS, CONTROLLING, BUDGET = "unterbringungen", "controlling", "budget"
MOST_GROWTH = 10.0

_From = Annotated[
    str | None, Query(alias="from", description="Zeiträume ab diesem, einschließlich, etwa 2018.", examples=["2018"])
]
_To = Annotated[
    str | None, Query(alias="to", description="Zeiträume bis zu diesem, einschließlich, etwa 2020.", examples=["2020"])
]


@router.get("/placements", summary="Unterbringungen innerhalb und außerhalb", responses=docs.answers(PlacementRow, 409))
def get_placements(
    request: Request,
    asked: AnyFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    level: analysis.Level = None,
    paragraph: Annotated[
        str | None, Query(description="Paragraf des SGB VIII; ohne Angabe 34.", examples=["34"])
    ] = None,
    period: Annotated[
        str | None, Query(description="Zeitraum, etwa 2021-Q3; ohne Angabe der letzte.", examples=["2021-Q3"])
    ] = None,
    compare: Annotated[
        str | None,
        Query(description="Zeitraum gleicher Art, gegen den die Veränderung gezählt wird.", examples=["2019-Q3"]),
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
    area: query.Area = None,
    series: Annotated[
        str | None, Query(description="true: alle Zeiträume dieser Art, der älteste zuerst.", examples=["false"])
    ] = None,
) -> Response:
    """Fälle je Gebiet und Zeitraum: wie viele bei Trägern außerhalb des eigenen Bundeslands, mit Intervall und Wandel.

    Kleine Fallzahlen und solche, aus denen sie sich errechnen ließen, sind unterdrückt: `null` mit `suppressed: true`;
    `suppressed_fields` nennt die Spalten, in `by_state` ist das Land dann `null`. CSV, XLSX und GeoPackage haben statt
    `by_state` eine Spalte je Bundesland.
    """
    wanted = PlacementsRequest(
        level=analysis.require_level(level),
        paragraph=paragraph or "34",
        period=period or None,
        compare=compare or None,
        area_role=area_role or None,
        counting=counting or "stichtag",
        area=area,
        series=query.yes_no("series", series),
        home_state=context_of(request).settings.home_state,
        geometry=asked.format in {Format.GEOJSON, Format.GPKG},
        limit=limit,
        after=_after_placement(cursor),
        version=asked.version,
    )
    return deliver(request, asked, PLACEMENTS, lambda s: placements(s, wanted), render_placements)


@router.get("/controlling", summary="Kennzahlen der Hilfen zur Erziehung", responses=docs.answers(ControllingRow))
def get_controlling(
    request: Request,
    asked: FlatFormat,
    limit: query.Limit,
    cursor: query.Cursor,
    area: analysis.Within,
    level: analysis.Level = None,
    period_from: _From = None,
    period_to: _To = None,
    base: Annotated[
        str | None,
        Query(
            description="Basisjahr für Veränderung, Zielschwelle und Effekt; ohne Angabe fehlen diese.",
            examples=["2014"],
        ),
    ] = None,
    yearly_growth: Annotated[
        str | None,
        Query(
            description="Jährliche Steigerung der Zielschwelle als Bruch (−0.99 bis 10); ohne Angabe 0.04 für 4 %.",
            examples=["0.04"],
        ),
    ] = None,
    scenario: Annotated[
        str | None, Query(description="ist, prognose oder plan; ohne Angabe ist.", examples=["ist"])
    ] = None,
    measure: Annotated[
        str | None,
        Query(
            description="Wovon Veränderung, Unterschied zur Stadt und Effekt sind, etwa spending_eur, cases, "
            "help_density; ohne Angabe spending_eur.",
            examples=["spending_eur"],
        ),
    ] = None,
    city_level: Annotated[
        str | None, Query(description="Ebene der Stadt, mit der verglichen wird; ohne Angabe die weiteste mit Zahlen.")
    ] = None,
    position: Annotated[
        str | None,
        Query(description="Nur diese Hilfeart oder Gruppe; ohne Angabe alle.", examples=["alle_hilfen"]),
    ] = None,
) -> Response:
    """Hilfedichte, Kosten je Jugendeinwohner und je Fall, Hilfequotient und mehr je Gebiet, Zeitraum und Hilfeart.

    Veröffentlichte Summen bleiben, wie sie sind; was den Teilen zu ihnen fehlt, steht in Zeilen „nicht zuordenbar“.
    Was verschieden gezählt ist, wird nicht verglichen; `note` sagt, warum ein Wert fehlt.
    """
    wanted = ControllingRequest(
        level=analysis.require_level(level),
        period_from=period_from or None,
        period_to=period_to or None,
        area=area,
        base=base or None,
        yearly_growth=_growth(yearly_growth),
        scenario=scenario or "ist",
        measure=measure or SPENDING,
        city_level=city_level or None,
        position=position or None,
        limit=limit,
        after=_after_controlling(cursor),
        version=asked.version,
    )
    render = render_flat(CONTROLLING, ControllingRow)
    return deliver(request, asked, CONTROLLING, lambda s: controlling(s, wanted), render)


@router.get("/controlling/budget", summary="Budget und Steuerungseffekt", responses=docs.answers(BudgetRow))
def get_budget(
    request: Request,
    asked: FlatFormat,
    area: Annotated[str | None, Query(description="Das Gebiet: ebene:schlüssel.", examples=["bezirk:1"])] = None,
    period_from: _From = None,
    period_to: _To = None,
    base: Annotated[
        str | None, Query(description="Basisjahr der erwarteten Ausgaben; ohne Angabe das erste mit Ausgaben.")
    ] = None,
) -> Response:
    """Ausgaben und erwartete Ausgaben eines Gebiets je Jahr, Steuerungseffekt und Nettoeffekt neben der Prognose."""
    wanted = BudgetRequest(
        area=require_area(area),
        period_from=period_from or None,
        period_to=period_to or None,
        base=base or None,
        version=asked.version,
    )
    return deliver(request, asked, BUDGET, lambda s: budget(s, wanted), render_flat(BUDGET, BudgetRow))


def require_area(given: str | None) -> tuple[str, str]:
    """Return (level, key); raise ``ParameterError`` where no area is said."""
    area = area_pair("area", given)
    if area is None:
        raise ParameterError("area", "Bitte mit area ein Gebiet angeben, etwa area=bezirk:1.")
    return area


def _growth(given: str | None) -> float:
    found = query.decimal_number("yearly_growth", given, -0.99, MOST_GROWTH)
    return YEARLY_GROWTH if found is None else found


def _after_placement(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    key, period = query.parts_of(cursor, 2)
    return key, period


def _after_controlling(cursor: str | None) -> tuple[str, str, str, str] | None:
    if cursor is None:
        return None
    key, period, position, counting = query.parts_of(cursor, 4)
    return key, period, position, counting


def render_placements(answer: Answer[PlacementRow], wanted: Format) -> bytes:
    """Write placements in a format: states as an object in JSON, as a column each in tables."""
    if wanted in {Format.JSON, Format.GEOJSON}:
        rendered: bytes = render_flat(PLACEMENTS, PlacementRow)(answer, wanted)
        return rendered
    answer.meta.next = query.as_cursor(answer.meta.next)
    return write_table(_by_columns(answer), wanted)


def _by_columns(answer: Answer[PlacementRow]) -> formats.Table:
    """Return placements with a column per state where states are told of any area; a state without cases has 0."""
    table = formats.table_of(answer, PLACEMENTS, PlacementRow)
    # Told by the question, not by the rows: every page of an answer has the same columns.
    told = answer.meta.version is Version.INTERNAL or any(row.area_role == "zustaendig" for row in answer.rows)
    states = PROVIDER_STATES if told else ()
    columns = [part for name in table.columns for part in (states if name == "by_state" else (name,))]
    rows = [_flat(row, states) for row in table.rows]
    return formats.Table(answer.meta, table.name, tuple(columns), rows, table.geometries)


def _flat(row: Mapping[str, Any], states: tuple[str, ...]) -> dict[str, Any]:
    by_state: Mapping[str, int | None] | None = row["by_state"]
    flat = {name: value for name, value in row.items() if name != "by_state"}
    if by_state is None:
        return flat | dict.fromkeys(states)
    hidden: Iterator[str] = (state for state in states if state in by_state and by_state[state] is None)
    suppressed = (*row["suppressed_fields"], *hidden)
    return flat | {state: by_state.get(state, 0) for state in states} | {"suppressed_fields": suppressed}
