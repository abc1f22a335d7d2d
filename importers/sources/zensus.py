"""The 100 m grid of the Zensus 2022: residents by age per cell, as the statistical offices publish it.

Columns (any order, any case): ``GITTER_ID_100m``, ``x_mp_100m``, ``y_mp_100m`` (midpoint, EPSG:3035, metres), the total
``Insgesamt_Bevoelkerung`` (or ``Einwohner``) and, all five or none, ``Unter18``, ``a18bis29``, ``a30bis49``,
``a50bis64``, ``a65undaelter``. The id names the lower left corner (``CRS3035RES100mN…E…``), so it must lie 50 m south
and west of the midpoint. A lone dash is 0; an empty cell is missing.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from importers import numbers
from importers.errors import MappingError
from importers.report import Report
from importers.sources.base import Chunk, Source

CRS = "EPSG:3035"
CELL_M = 100
# Nobody lives denser on a hectare; the densest cell of Germany has some thousands.
MAX_PEOPLE = 50_000

_ID, _X, _Y = "gitter_id_100m", "x_mp_100m", "y_mp_100m"
_TOTALS = ("insgesamt_bevoelkerung", "einwohner")
_GROUPS = ("unter18", "a18bis29", "a30bis49", "a50bis64", "a65undaelter")
_LEFT_OUT = "werterlaeuternde_zeichen"
_WHOLE = re.compile(r"[0-9]+")
_CELL = re.compile(r"CRS3035RES100mN(\d+)E(\d+)")

_NOT_METRES = "Der Mittelpunkt ist keine ganze Zahl von Metern."
_DEGREES = "Der Mittelpunkt sieht nach Grad aus; das Gitter braucht Meter in EPSG:3035 (ETRS89-LAEA)."
_UTM = "Der Mittelpunkt sieht nach UTM-Metern (EPSG:25832) aus; das Gitter braucht EPSG:3035 (ETRS89-LAEA)."
_SWAPPED = "Gitter-Kennung und Mittelpunkt passen nicht zusammen; sieht nach vertauschten Spalten x und y aus."
_MISFIT = "Gitter-Kennung und Mittelpunkt passen nicht zusammen."
_NO_CELL = "Das ist keine Kennung einer 100-m-Zelle (CRS3035RES100mN…E…)."
_COMPARE = "Bitte mit der veröffentlichten Datei vergleichen."


@dataclass(frozen=True, slots=True)
class GridColumns:
    """The source's names of the columns: id, midpoint, total, and the five age groups (or none)."""

    cell: str
    x: str
    y: str
    total: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GridCells:
    """Cells of a chunk whose id and midpoint are sound: row numbers, ids, midpoints (n, 2) in EPSG:3035.

    ``where``: their positions in the chunk.
    """

    rows: NDArray[Any]
    ids: NDArray[Any]
    midpoints: NDArray[np.float64]
    where: NDArray[np.int64]


def grid_columns(source: Source) -> GridColumns:
    """Find the columns of the grid; raise ``MappingError`` naming what is missing."""
    name = source.provenance.source
    by_name: dict[str, str] = {}
    for column in source.columns:
        plain = column.strip().lower()
        if plain in by_name:
            raise MappingError(
                f"„{name}“ hat die Spalten „{by_name[plain]}“ und „{column}“; bitte eine davon entfernen."
            )
        by_name[plain] = column
    totals = [total for total in _TOTALS if total in by_name]
    missing = [column for column in (_ID, _X, _Y) if column not in by_name]
    if not totals:
        missing.append("Insgesamt_Bevoelkerung")
    if missing:
        raise MappingError(
            f"„{name}“ ist kein 100-m-Gitter des Zensus: Es fehlen die Spalten {', '.join(missing)}. Gefunden: "
            f"{', '.join(source.columns[:12])}."
        )
    groups = [group for group in _GROUPS if group in by_name]
    if groups and len(groups) < len(_GROUPS):
        lost = ", ".join(group for group in _GROUPS if group not in by_name)
        raise MappingError(f"„{name}“ hat nur einen Teil der Altersgruppen; es fehlen: {lost}.")
    return GridColumns(
        by_name[_ID], by_name[_X], by_name[_Y], by_name[totals[0]], tuple(by_name[group] for group in groups)
    )


def unused(source: Source, columns: GridColumns) -> list[str]:
    """Return the columns of the source that are not read."""
    used = {columns.cell, columns.x, columns.y, columns.total, *columns.groups}
    return [column for column in source.columns if column not in used and column.strip().lower() != _LEFT_OUT]


def located(chunk: Chunk, columns: GridColumns, report: Report) -> GridCells:
    """Return the cells of a chunk whose id fits their midpoint; the others are rejects with the likely cause."""
    x, y = (_read(chunk.columns[name], _metres)[0] for name in (columns.x, columns.y))
    ids = chunk.columns[columns.cell]
    with np.errstate(invalid="ignore"):
        sound = (x % CELL_M == CELL_M / 2) & (y % CELL_M == CELL_M / 2)
    half = CELL_M // 2
    corners = zip(np.where(sound, y, 0).astype(int).tolist(), np.where(sound, x, 0).astype(int).tolist(), strict=True)
    expected = [f"CRS3035RES100mN{north - half}E{east - half}" for north, east in corners]
    fits = sound & np.array([given == wanted for given, wanted in zip(ids, expected, strict=True)], dtype=np.bool_)
    for i in np.flatnonzero(~fits).tolist():
        field, value, reason = _misfit(columns, chunk, i, float(x[i]), float(y[i]))
        report.reject(int(chunk.rows[i]), field, value, reason, _COMPARE)
    where = np.flatnonzero(fits)
    return GridCells(chunk.rows[where], ids[where], np.column_stack([x[where], y[where]]), where)


def _misfit(columns: GridColumns, chunk: Chunk, i: int, x: float, y: float) -> tuple[str, object, str]:
    """Return field, value and cause of a cell whose id and midpoint do not fit."""
    given = chunk.columns[columns.cell][i]
    middle = f"{chunk.columns[columns.x][i]} {chunk.columns[columns.y][i]}"
    if not (math.isfinite(x) and math.isfinite(y)):
        return columns.x, middle, _DEGREES if _looks_like_degrees(chunk, columns, i) else _NOT_METRES
    if x < 180 and y < 180:
        return columns.x, middle, _DEGREES
    match = _CELL.fullmatch(str(given))
    if match is None:
        return columns.cell, given, _NO_CELL
    north, east = float(match[1]) + CELL_M / 2, float(match[2]) + CELL_M / 2
    if (x, y) == (north, east):
        return columns.x, middle, _SWAPPED
    return columns.x, middle, _UTM if 200_000 < x < 1_000_000 and y > 5_000_000 else _MISFIT


def _looks_like_degrees(chunk: Chunk, columns: GridColumns, i: int) -> bool:
    pair = [chunk.columns[name][i] for name in (columns.x, columns.y)]
    degrees = [numbers.parse_coordinate(value) if isinstance(value, str) else value for value in pair]
    return all(isinstance(value, int | float) and abs(value) <= 180 for value in degrees)


def residents(
    chunk: Chunk, columns: GridColumns, cells: GridCells, wanted: NDArray[np.bool_], report: Report
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Return the residents of the wanted cells of a chunk.

    An array (cells, 6): total, then the five groups (NaN: not stated), which of the rows are sound (the others are
    rejects), and how many lone dashes were read as 0.
    """
    where, rows = cells.where[wanted], cells.rows[wanted]
    values = np.full((len(where), 1 + len(_GROUPS)), np.nan)
    sound = np.ones(len(where), dtype=np.bool_)
    dashes = 0
    for number, name in enumerate((columns.total, *columns.groups)):
        column = chunk.columns[name][where]
        values[:, number], faults, dashed = _read(column, _people)
        dashes += dashed
        for i, reason in faults.items():
            sound[i] = False
            report.reject(int(rows[i]), name, column[i], reason, _COMPARE)
    silent = sound & np.isnan(values).all(axis=1)
    for row in rows[silent].tolist():
        report.reject(row, columns.total, None, "Die Zelle nennt keine Einwohner.", _COMPARE)
    return values, sound & ~silent, dashes


def _read(
    column: NDArray[Any], parse: Callable[[object], float | str]
) -> tuple[NDArray[np.float64], dict[int, str], int]:
    """Parse each different value of a column once; return numbers, faults by position, and how many are dashes."""
    import pandas as pd  # noqa: PLC0415 - slow to load

    codes, different = pd.factorize(column, use_na_sentinel=False)
    parsed = [parse(value) for value in different]
    table = np.array([math.nan if isinstance(result, str) else result for result in parsed], dtype=np.float64)
    bad = np.array([isinstance(result, str) for result in parsed], dtype=np.bool_)
    dash = np.array([isinstance(value, str) and numbers.is_dash(value) for value in different], dtype=np.bool_)
    faults = {i: str(parsed[codes[i]]) for i in np.flatnonzero(bad[codes]).tolist()} if bad.any() else {}
    return table[codes], faults, int(dash[codes].sum()) if dash.any() else 0


def _metres(value: object) -> float:
    """Return a whole number of metres; NaN for anything else."""
    result = _whole(value)
    return result if isinstance(result, float) else math.nan


def _people(value: object) -> float | str:
    """Return a number of residents, NaN where missing, or why it is none."""
    if isinstance(value, str) and numbers.is_dash(value):
        return 0.0
    result = _whole(value)
    if isinstance(result, float) and result > MAX_PEOPLE:
        return "So viele Menschen wohnen nicht auf einem Hektar."
    return result


def _whole(value: object) -> float | str:
    if value is None or (isinstance(value, str) and numbers.is_missing(value)):
        return math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        if math.isnan(value):
            return math.nan
        return float(value) if 0 <= value < 1e12 and value == int(value) else _no_count(value < 0)
    text = numbers.squeeze(str(value))
    return float(text) if _WHOLE.fullmatch(text) and len(text) <= 12 else _no_count(text.startswith("-"))


def _no_count(negative: bool) -> str:
    return "Eine Zahl von Menschen kann nicht negativ sein." if negative else "Das ist keine ganze Zahl."
