"""Two parts of the view of placements: how shares went over the quarters, and to which Bundesländer cases went."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import Answer, Meta
from geodata.controlling_areas import read_tree
from geodata.errors import ParameterError
from geodata.figure_tables import WITHOUT_AREA
from geodata.periods import spoken
from geodata.placements import PlacementRow, placements
from layers.canvas import MapParts, Tiles, canvas
from layers.canvas import parts as map_parts
from layers.charts import SUPPRESSED, Series, SeriesChart, Value, series_chart
from layers.flows import GERMANY, add_flows, flows_of
from service import assets
from service.context import context_of
from service.pages.components import DataTable, Download, Option, Picture
from service.pages.frame import address
from service.pages.planning_maps import attribution
from service.pages.planning_placements_asked import PER_1000, PlacementView
from service.pages.planning_placements_tables import series_table
from service.pages.planning_view import options

MOST_LINES, _FEWER_LINES = 7, 5
_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Flow:
    """Where an area's cases went: its row, told by Bundesland, and which other areas can be chosen."""

    answer: Answer[PlacementRow]
    row: PlacementRow
    choices: list[Option]


def flow_of(session: Session, view: PlacementView) -> Flow | None:
    """Return the cases by Bundesland of the area asked for; None where nobody tells of states.

    Without one asked for it is the area the view is narrowed to, else the widest. Raises ``ParameterError`` for an area
    that is not told of by state.
    """
    offers = view.by_state()
    if not offers:
        return None
    levels = {one.level: one for one in offers}
    names = read_tree(session).names
    areas = {(level, key): name for (level, key), name in names.items() if level in levels}
    narrowed = view.wanted.area if view.wanted.area in areas else None
    widest = min((area for area in areas if area[0] == offers[0].level), default=None)
    chosen = view.wanted.flow or narrowed or widest
    if chosen is None or chosen not in areas:
        raise ParameterError("flow", "Für dieses Gebiet sind die Bundesländer nicht angegeben.",
                             [":".join(area) for area in sorted(areas)])  # fmt: skip
    offer = levels[chosen[0]]
    answer = placements(
        session, view.request(level=offer.level, area=chosen, area_role=offer.area_role, compare=None)
    )  # fmt: skip
    row = next((one for one in answer.rows if one.area_key == chosen[1]), None)
    if row is None or row.by_state is None:
        return None
    order = {one.level: place for place, one in enumerate(offers)}
    listed = sorted(areas, key=lambda area: (order[area[0]], area))
    return Flow(answer, row, options({":".join(area): areas[area] for area in listed}, ":".join(chosen)))


def flow_title(row: PlacementRow) -> str:
    """Return what a map of the Bundesländer is called."""
    return f"Bundesland des Trägers: {row.area_name or row.area_key}, {spoken(row.period)} (§ {row.paragraph})"


def flow_map(request: Request, row: PlacementRow, home_state: str, meta: Meta) -> MapParts:
    """Return the map of the Bundesländer."""
    settings = context_of(request).settings
    drawn = canvas(
        GERMANY,
        urls=assets.urls(),
        tiles=Tiles(settings.tiles_url, settings.tiles_attribution or "") if settings.tiles_url else None,
        attribution=attribution(meta),
        name="laenderkarte",
        label=f"Karte: {flow_title(row)}",
    )
    add_flows(
        drawn,
        flows_of(row.by_state or {}),
        home_state=home_state,
        title=flow_title(row),
        unit="Fälle",
        urls=assets.urls(),
        origin=row.area_name or row.area_key,
    )
    return map_parts(drawn)


@dataclass(frozen=True, slots=True)
class ShownSeries:
    """The chart of the series with the table behind it, and how its areas were chosen (None: they are all)."""

    svg: str
    title: str
    description: str
    table: DataTable
    chosen: str | None

    def picture(self, downloads: Sequence[Download]) -> Picture:
        """Return it as the page shows it."""
        return Picture("verlauf-bild", self.title, self.description, self.svg, self.table, downloads)


def series_of(session: Session, view: PlacementView, rows: Sequence[PlacementRow]) -> ShownSeries | None:
    """Return the series of an answer's areas, of many only the highest; None where there is one period only."""
    answer = placements(session, view.request(series=True, compare=None))
    periods = list(dict.fromkeys(row.period for row in answer.rows))
    if len(periods) < 2:
        return None
    per_1000 = view.show == PER_1000
    field = "per_1000" if per_1000 else "outside_share"
    areas = [row for row in rows if row.area_key != WITHOUT_AREA]
    chosen = None
    if len(areas) > MOST_LINES:
        known = [row for row in areas if getattr(row, field) is not None]
        areas = sorted(known, key=lambda row: -getattr(row, field))[:_FEWER_LINES]
        what = "den meisten Fällen je 1.000" if per_1000 else "dem höchsten Anteil"
        chosen = f"Gezeigt sind die {len(areas)} Gebiete mit {what} im {spoken(view.period)}; alle stehen in der Datei."
    names = {row.area_key: row.area_name or row.area_key for row in areas}
    held = {(row.area_key, row.period): row for row in answer.rows}

    def value(key: str, period: str) -> Value:
        row = held.get((key, period))
        found: float | None = None if row is None else getattr(row, field)
        if row is not None and found is None and field in row.suppressed_fields:
            return SUPPRESSED
        return found if found is None or per_1000 else _PERCENT * found

    title = "Fälle je 1.000 unter 21-Jährige" if per_1000 else f"Anteil außerhalb von {view.home_state}"
    span = f"{spoken(periods[0])} bis {spoken(periods[-1])}"
    chart = SeriesChart(
        title=f"{title}, {span}",
        description=f"Liniendiagramm mit einer Linie für {words.listed(list(names.values()), MOST_LINES)}.",
        unit="Fälle je 1.000" if per_1000 else "Prozent der Fälle mit bekanntem Bundesland",
        ticks=periods,
        series=[Series(name, [value(key, period) for period in periods]) for key, name in names.items()],
        width=520,
    )
    table = series_table([held[at] for at in held if at[0] in names], names, per_1000=per_1000)
    return ShownSeries(series_chart(chart), chart.title, chart.description, table, chosen)


def series_files(request: Request, path: str) -> list[Download]:
    """Return the chart as a file."""
    return [Download("Diagramm als SVG", address(f"{path}/verlauf.svg", request.query_params.multi_items()))]
