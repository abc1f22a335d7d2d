"""The tables of the view of placements: shares by area, places near, series and providers' states."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from geodata import words
from geodata.figure_tables import ABROAD, PROVIDER_STATES, UNKNOWN_STATE, WITHOUT_AREA
from geodata.home_request import HomeGapRow
from geodata.periods import spoken
from geodata.placement_sentences import change_interval_text, interval_text, signed
from geodata.placements import PlacementRow
from geodata.viewer import Version
from service.pages.components import Cell, Column, DataTable, Kind, Link, Mark, Sort, ordered, sort_of
from service.pages.planning_maps import AREA_PAGE, row_attributes
from service.pages.planning_placements_asked import CHANGE, PER_1000, PlacementView

_USUAL = {PER_1000: Sort("per_1000", descending=True), CHANGE: Sort("change", descending=True)}
_WORST = Sort("share", descending=True)
# Columns that not every answer has: a link to one may be kept while what is shown changes.
_SOMETIMES = frozenset({
    "unknown", "per_1000", "change", "change_interval", "secured", "distance", "own", "near",
})  # fmt: skip
_SECURED = {True: "ja", False: "nein"}
# A whole and its parts: of what is not counted at all there is no share, which is not the same as missing.
_NO_SHARE = frozenset({"outside_share", "ci_low", "ci_high"})


@dataclass(frozen=True, slots=True)
class _Told:
    """A column: how its cell is made of a row, and what rows are ordered by (None: as the cell)."""

    column: Column
    cell: Callable[[PlacementRow], Cell]
    value: Callable[[PlacementRow], Any]


def value_of(row: Any, field: str) -> Cell:  # noqa: ANN401 - a row of the field
    """Return a row's number, or why there is none: suppressed, of nothing (a share without cases), or missing."""
    value: Cell = getattr(row, field)
    if value is not None:
        return value
    if field in row.suppressed_fields:
        return Mark.SUPPRESSED
    return Mark.NOT_APPLICABLE if field in _NO_SHARE and row.cases is not None else None


def shares_table(
    view: PlacementView, rows: Sequence[PlacementRow], homes: Mapping[str, HomeGapRow], sort_text: str | None
) -> DataTable:
    """Return the table of the answer; ``homes``: of the same areas by key."""
    told = _columns(view, rows, homes)
    columns = [one.column for one in told]
    sort = _sort(view, sort_text, columns)
    value = next(one.value for one in told if one.column.key == sort.key)
    # What lies in no area is not compared with areas, wherever the order puts it.
    areas = [row for row in rows if row.area_key != WITHOUT_AREA]
    shown = [*ordered(areas, value, sort), *(row for row in rows if row.area_key == WITHOUT_AREA)]
    return DataTable(
        f"Unterbringungen nach § {view.offer.paragraph}, {spoken(view.period)}, Ebene {view.offer.title} "
        f"({view.subtitle})",
        columns,
        [{one.column.key: one.cell(row) for one in told} for row in shown],
        sort=sort,
        attributes=row_attributes(view.offer.level, [row.area_key for row in shown]),
        identity="anteile",
        empty="In diesem Ausschnitt gibt es keine Angaben, die Sie sehen dürfen.",
    )


def _sort(view: PlacementView, sort_text: str | None, columns: Sequence[Column]) -> Sort:
    """Return the order asked for; the usual one where this answer lacks the column, which another would have."""
    usual = _USUAL.get(view.show, _WORST)
    wanted = (sort_text or "").removeprefix("-")
    lacking = wanted in _SOMETIMES and all(column.key != wanted for column in columns)
    return sort_of(None if lacking else sort_text, columns, usual)


def _columns(view: PlacementView, rows: Sequence[PlacementRow], homes: Mapping[str, HomeGapRow]) -> list[_Told]:
    def plain(key: str, field: str, title: str, kind: Kind = Kind.NUMBER, decimals: int = 0,
              note: str | None = None) -> _Told:  # fmt: skip
        def cell(row: PlacementRow) -> Cell:
            return value_of(row, field)

        return _Told(Column(key, title, kind, decimals, note=note), cell, cell)

    def written(key: str, title: str, fields: tuple[str, ...], text: Callable[..., Cell], note: str = "") -> _Told:
        def cell(row: PlacementRow) -> Cell:
            marks = [value_of(row, field) for field in fields]
            without = [one for one in marks if one is None or isinstance(one, Mark)]
            return without[0] if without else text(*marks)

        return _Told(Column(key, title, Kind.NUMBER, note=note or None), cell, lambda row: value_of(row, fields[0]))

    def secured(row: PlacementRow) -> Cell:
        if row.change_secured is not None:
            return _SECURED[row.change_secured]
        return value_of(row, "change_secured")

    found = [
        _Told(Column("name", "Gebiet", header=True), _name, lambda row: row.area_name or row.area_key),
        plain("cases", "cases", "Fälle"),
        plain("outside", "outside_cases", "davon außerhalb"),
    ]
    if any(row.unknown_cases != 0 for row in rows):
        found.append(plain("unknown", "unknown_cases", "ohne Angabe"))
    found += [
        plain("share", "outside_share", "Anteil außerhalb", Kind.PERCENT, 1),
        written("interval", "95-%-Intervall", ("ci_low", "ci_high"), interval_text),
    ]
    if view.offer.area_role == "herkunft":
        found.append(plain("per_1000", "per_1000", "je 1.000 unter 21-Jährige", Kind.NUMBER, 2))
    if view.compare is not None:
        found += [
            written("change", "Veränderung", ("change_pp",), signed, f"Prozentpunkte seit {spoken(view.compare)}"),
            written("change_interval", "95-%-Intervall der Veränderung", ("change_ci_low", "change_ci_high"),
                    change_interval_text),
            _Told(Column("secured", "statistisch gesichert", Kind.NUMBER), secured, secured),
        ]  # fmt: skip
    if view.wanted.version is Version.INTERNAL and view.offer.area_role == "herkunft":
        found += [
            plain("distance", "distance_km", "mittlere Entfernung", Kind.NUMBER, 1, "km"),
            plain("own", "own_area_share", "im eigenen Gebiet", Kind.PERCENT, 1),
        ]
    near = f"Plätze bis {words.plain(view.wanted.near_km, 3)} km"
    if homes:
        found.append(
            _Told(
                Column("near", near, Kind.NUMBER),
                lambda row: places_near(homes.get(row.area_key), view.wanted.near_km),
                lambda row: _near_order(homes.get(row.area_key), view.wanted.near_km),
            )
        )
    return found


def _name(row: PlacementRow) -> Cell:
    # Areas reported together have no page of their own.
    if row.area_name is None or row.area_key == WITHOUT_AREA or "+" in row.area_key:
        return row.area_name or row.area_key
    level, key = (quote(part, safe="") for part in (row.area_level, row.area_key))
    return Link(row.area_name, AREA_PAGE.format(level=level, key=key))


def places_near(row: HomeGapRow | None, near_km: float) -> Cell:
    """Return the places within so many km, "keiner" where there is none, in words where no home states any."""
    if row is None or row.none_near is None:
        return None if row is None or row.area_key != WITHOUT_AREA else Mark.NOT_APPLICABLE
    band = next(one for one in row.bands if one.km == near_km)
    if row.none_near:
        return "keiner"
    if not band.places and row.places and not band.homes_without_places:
        return f"0 (im Gebiet {words.plain(row.places, 1)})"
    if band.places is not None and (band.places or not band.homes_without_places):
        return words.plain(band.places, 1)
    return "ohne Platzangabe"


def _near_order(row: HomeGapRow | None, near_km: float) -> float | None:
    if row is None or row.none_near is None:
        return None
    return next(one.places for one in row.bands if one.km == near_km)


def near_table(view: PlacementView, rows: Sequence[HomeGapRow]) -> DataTable:
    """Return the ranked table: where young people are placed and no place is near, each row with its reason."""
    km = view.wanted.near_km
    internal = view.wanted.version is Version.INTERNAL
    columns = [
        Column("rank", "Rang", Kind.NUMBER, sortable=False),
        Column("name", "Gebiet", sortable=False, header=True),
        Column("cases", "Fälle", Kind.NUMBER, sortable=False),
        Column("places", "Plätze im Gebiet", Kind.PLAIN, 1, sortable=False),
        Column("near", f"Plätze bis {words.plain(km, 3)} km", Kind.NUMBER, sortable=False),
        Column("per_case", "Plätze in der Nähe je Fall", Kind.NUMBER, 2, sortable=False),
        *([Column("local", "Anteil bei Trägern im Gebiet", Kind.PERCENT, 1, sortable=False),
           Column("occupancy", "Belegung", Kind.PERCENT, 1, sortable=False)] if internal else []),
        Column("reason", "Begründung", sortable=False),
    ]  # fmt: skip
    cells: list[dict[str, Cell]] = [
        {
            "rank": Mark.NOT_APPLICABLE if row.rank is None and not row.suppressed else value_of(row, "rank"),
            "name": row.area_name or row.area_key,
            "cases": value_of(row, "cases"),
            "places": row.places,
            "near": places_near(row, km),
            "per_case": _per_case(row),
            "local": row.local_share,
            "occupancy": row.own_occupancy,
            "reason": " ".join(filter(None, (row.reason, row.note))),
        }
        for row in rows
    ]
    return DataTable(
        f"Fälle und {'' if internal else 'freigegebene '}Plätze in der Nähe, {spoken(view.period)} ({view.subtitle})",
        columns,
        cells,
        attributes=row_attributes(view.offer.level, [row.area_key for row in rows]),
        identity="naehe-tabelle",
        stacked=True,
    )


def _per_case(row: HomeGapRow) -> Cell:
    found = value_of(row, "near_places_per_case")
    # Without cases, or without any home that states its places, there is nothing to divide.
    return Mark.NOT_APPLICABLE if found is None and row.bands[0].homes is not None else found


def states_table(row: PlacementRow) -> DataTable:
    """Return the cases by the provider's Bundesland, most first; suppressed ones after them, those without last."""
    by_state = row.by_state or {}
    known = {state: by_state.get(state, 0) for state in PROVIDER_STATES if state not in {ABROAD, UNKNOWN_STATE}}
    more = {state: by_state.get(state, 0) for state in (ABROAD, UNKNOWN_STATE)}
    order = sorted(known, key=lambda state: (known[state] == 0, known[state] is None, -(known[state] or 0), state))
    cells = {**{state: known[state] for state in order}, **more}
    return DataTable(
        f"Fälle nach Bundesland des Trägers: {row.area_name or row.area_key}, {spoken(row.period)}",
        [Column("state", "Bundesland des Trägers", sortable=False, header=True),
         Column("cases", "Fälle", Kind.NUMBER, sortable=False)],
        [{"state": state, "cases": Mark.SUPPRESSED if cases is None else cases} for state, cases in cells.items()],
        attributes=[{"data-area-key": state} for state in cells],
        identity="laender",
    )  # fmt: skip


def series_table(rows: Sequence[PlacementRow], names: Mapping[str, str], *, per_1000: bool) -> DataTable:
    """Return the series: a line per area, a column per period; counts beside the share."""
    periods = list(dict.fromkeys(row.period for row in rows))
    field = "per_1000" if per_1000 else "outside_share"
    kind, decimals = (Kind.NUMBER, 2) if per_1000 else (Kind.PERCENT, 1)
    held = {(row.area_key, row.period): row for row in rows}

    def cell(key: str, period: str) -> Cell:
        row = held.get((key, period))
        return None if row is None else value_of(row, field)

    cells: list[dict[str, Cell]] = [
        {"name": name, **{period: cell(key, period) for period in periods}} for key, name in names.items()
    ]
    return DataTable(
        "Fälle je 1.000 unter 21-Jährige nach Zeitraum" if per_1000 else "Anteil außerhalb nach Zeitraum",
        [Column("name", "Gebiet", sortable=False, header=True),
         *(Column(period, spoken(period), kind, decimals, sortable=False) for period in periods)],
        cells,
        identity="verlauf-tabelle",
    )  # fmt: skip
