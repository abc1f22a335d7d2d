"""Two parts of the view of placements: how shares went over the quarters, and to which Bundesländer cases went."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import Answer, Meta
from geodata.errors import ParameterError
from geodata.figure_tables import WITHOUT_AREA
from geodata.periods import short, spoken, when, within
from geodata.placement_notes import ROLES
from geodata.placement_offer import PlacementOffer
from geodata.placements import PlacementRow, placements
from layers.canvas import MapParts, Tiles, canvas
from layers.canvas import parts as map_parts
from layers.charts import SUPPRESSED, Series, SeriesChart, Value
from layers.flows import GERMANY, add_flows, flows_of
from service import assets
from service.context import context_of
from service.pages.components import DataTable, Download, Option, Picture, chart_picture
from service.pages.frame import address
from service.pages.planning_maps import attribution
from service.pages.planning_placements_asked import COUNTINGS, PER_1000, PlacementView
from service.pages.planning_placements_tables import series_table
from service.pages.planning_view import Pairs, options

MOST_LINES, _FEWER_LINES = 7, 5
_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Flow:
    """Where an area's cases went: its row, told by Bundesland, and which other areas can be chosen."""

    answer: Answer[PlacementRow]
    row: PlacementRow
    choices: list[Option]


def flow_of(session: Session, view: PlacementView, known: Sequence[Answer[PlacementRow]] = ()) -> Flow | None:
    """Return the cases by Bundesland of the area asked for; None where nobody tells of states.

    Without one asked for it is the area the view is narrowed to, else the widest. Raises ``ParameterError`` for an area
    that is not told of by state. ``known``: answers of the same view, not to ask again what they tell.
    """
    offers = view.by_state()
    if not offers:
        return None
    levels = {one.level: one for one in offers}
    areas = {(level, key): name for (level, key), name in view.names.items() if level in levels}
    narrowed = view.wanted.area if view.wanted.area in areas else None
    widest = min((area for area in areas if area[0] == offers[0].level), default=None)
    chosen = view.wanted.flow or narrowed or widest
    if chosen is None or chosen not in areas:
        raise ParameterError("flow", "Für dieses Gebiet sind die Bundesländer nicht angegeben.",
                             [":".join(area) for area in sorted(areas)])  # fmt: skip
    offer = levels[chosen[0]]
    there = next((one for one in known if _row_in(one, offer, chosen) is not None), None)
    answer = there or placements(
        session, view.request(level=offer.level, area=chosen, area_role=offer.area_role, compare=None)
    )
    row = _row_in(answer, offer, chosen)
    if row is None or row.by_state is None:
        return None
    order = {one.level: place for place, one in enumerate(offers)}
    listed = sorted(areas, key=lambda area: (order[area[0]], area))
    return Flow(answer, row, options({":".join(area): areas[area] for area in listed}, ":".join(chosen)))


def _row_in(answer: Answer[PlacementRow], offer: PlacementOffer, area: tuple[str, str]) -> PlacementRow | None:
    """Return the row of an area in an answer, if it is counted as in the offer."""
    wanted = (*area, offer.area_role, offer.counting)
    return next(
        (row for row in answer.rows if (row.area_level, row.area_key, row.area_role, row.counting) == wanted), None
    )  # fmt: skip


def flow_subtitle(row: PlacementRow) -> str:
    """Return how the cases of a map of the Bundesländer are counted."""
    return f"{ROLES[row.area_role]}, {COUNTINGS[row.counting]}"


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
        one="Fall",
    )
    return map_parts(drawn)


@dataclass(frozen=True, slots=True)
class ShownSeries:
    """The chart of the series with the table behind it, and how its areas were chosen (None: they are all)."""

    chart: SeriesChart
    table: DataTable
    chosen: str | None
    meta: Meta

    def picture(self, downloads: Sequence[Download]) -> Picture:
        """Return it as the page shows it."""
        return chart_picture("verlauf-bild", self.chart, self.table, downloads)


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
        chosen = f"Gezeigt sind die {len(areas)} Gebiete mit {what} {within(view.period)}; alle stehen in der Datei."
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
        ticks=[short(period) for period in periods],
        times=[when(period) for period in periods],
        series=[Series(name, [value(key, period) for period in periods]) for key, name in names.items()],
        width=520,
    )
    table = series_table([held[at] for at in held if at[0] in names], names, per_1000=per_1000)
    return ShownSeries(chart, table, chosen, answer.meta)


def series_files(path: str, asked: Pairs) -> list[Download]:
    """Return the chart as a file; ``asked``: the parameters of the view."""
    return [Download("Diagramm als SVG", address(f"{path}/verlauf.svg", asked))]
