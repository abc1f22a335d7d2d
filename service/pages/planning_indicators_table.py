"""The table of "Kennzahlen": one row per area, of one period or of two and what lies between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from geodata.figure_tables import WITHOUT_AREA
from geodata.indicator_words import shown_in
from geodata.statistics import ObservationRow
from geodata.statistics_change import ChangeRow
from service.pages import planning_words as said
from service.pages.components import Cell, Column, DataTable, Kind, Link, Mark, Sort, ordered
from service.pages.frame import address
from service.pages.planning_choices import without_last
from service.pages.planning_maps import NumberMap


@dataclass(frozen=True, slots=True)
class Row:
    """One area's figures as the table shows them; ``value`` and the others are in the unit shown.

    ``flags``: of the value, of the one before and of the change.
    """

    key: str
    name: str
    value: float | None
    before: float | None
    change: float | None
    change_pct: float | None
    flags: tuple[str, str, str]
    note: str


def figure_row(row: ObservationRow) -> Row:
    """Return a figure as the table shows it."""
    factor, _unit = shown_in(row.kind, row.unit)
    value = None if row.value is None else factor * row.value
    return Row(row.area_key, row.area_name or row.area_key, value, None, None, None, (row.flag, "ok", "ok"),
               said.note_of(row.flag))  # fmt: skip


def change_row(row: ChangeRow) -> Row:
    """Return a change as the table shows it."""
    factor, _unit = shown_in(row.kind, row.unit)
    value, before, change = (None if one is None else factor * one for one in (row.value, row.before, row.change))
    return Row(row.area_key, row.area_name or row.area_key, value, before, change, row.change_pct,
               (row.value_flag, row.before_flag, row.flag), said.note_of(row.flag))  # fmt: skip


def columns_of(compared: bool, decimals: int, unit: str) -> list[Column]:
    """Return the columns; of a change in percentage points there is none in percent of the value before."""
    name = Column("name", "Gebiet", header=True)
    value = Column("value", "Wert", Kind.NUMBER, decimals, note=unit or None)
    note = Column("note", "Hinweis", sortable=False)
    if not compared:
        return [name, value, note]
    points = unit == "Prozentpunkte"
    made = [
        name,
        Column("change", "Veränderung", Kind.NUMBER, decimals, note=unit or None),
        Column("change_pct", "in %", Kind.NUMBER, 1),
        Column("before", "vorher", Kind.NUMBER, decimals, note="%" if points else None),
        Column("value", "Wert", Kind.NUMBER, decimals, note="%" if points else None),
        note,
    ]
    return [column for column in made if not (points and column.key == "change_pct")]


def table_of(drawn: NumberMap, rows: Sequence[Row], sort: Sort, *, compared: bool, unit: str) -> DataTable:
    """Return the table behind a map; what belongs to no area stands last, however it is sorted."""
    columns = columns_of(compared, drawn.classes.decimals, unit)
    if sort.key not in {column.key for column in columns}:
        sort = Sort("change" if compared else "value", descending=True)
    if not any(row.note for row in rows):
        columns = columns[:-1]
    made = [(row, _cells(row, drawn.level)) for row in rows]
    made = without_last(ordered(made, lambda pair: pair[1][sort.key], sort), lambda pair: pair[0].key)
    return DataTable(
        drawn.title,
        columns,
        [cells for _row, cells in made],
        sort=sort,
        attributes=[
            {} if row.key == WITHOUT_AREA else {"data-area-level": drawn.level, "data-area-key": row.key}
            for row, _cells in made
        ],
        empty="Kein Gebiet hat hier einen Wert, der gezeigt werden kann.",
    )


def _cells(row: Row, level: str) -> dict[str, Cell]:
    name: Cell = row.name
    if row.key != WITHOUT_AREA and "+" not in row.key:
        name = Link(row.name, address(f"/gebiete/{level}/{row.key}"))
    now, before, both = row.flags
    return {
        "name": name,
        "value": _cell(row.value, now),
        "before": _cell(row.before, before),
        "change": _cell(row.change, both),
        "change_pct": Mark.NOT_APPLICABLE if row.change is not None and row.change_pct is None
        else _cell(row.change_pct, both),
        "note": row.note,
    }  # fmt: skip


def _cell(value: float | None, flag: str) -> Cell:
    return Mark.SUPPRESSED if flag == "suppressed" else value
