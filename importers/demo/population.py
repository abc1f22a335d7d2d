"""Residents by age group: the counts per Stadtteil are facts, their split by age and by Gebiet is invented.

So is the census grid: the residents of each Gebiet live in some of its cells, and the published numbers are a little
off, as those of the real grid are.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import shapely
from pyproj import Transformer
from shapely import MultiPolygon

from importers.demo.dice import Dice, apportion
from importers.demo.facts import Stadtteil

TOTAL = "einwohner"
"""Column with all residents (persons); always the sum of the age groups."""

UNDER_18 = ("einwohner_0_3", "einwohner_3_6", "einwohner_6_10", "einwohner_10_14", "einwohner_14_18")
"""Columns of the age groups under 18; ages from (inclusive) to (exclusive)."""

ADULTS = ("einwohner_18_21", "einwohner_21_27", "einwohner_27_")
"""Columns of the age groups from 18; the last one is open."""

COLUMNS = (TOTAL, *UNDER_18, *ADULTS)
"""All columns of residents in their order."""

POSITIONS = {column: column.removeprefix("einwohner_").replace("_", "-") for column in COLUMNS} | {TOTAL: "total"}
"""Column to the position it has in statistics (`0-3`, `27-`, `total`)."""

GRID_COLUMNS = (
    "GITTER_ID_100m", "x_mp_100m", "y_mp_100m", "Insgesamt_Bevoelkerung", "Unter18", "a18bis29", "a30bis49",
    "a50bis64", "a65undaelter",
)  # fmt: skip
"""Columns of the census grid as the statistical offices publish it."""

_TOPIC = 2
_SHARES_UNDER_18 = (0.178, 0.172, 0.220, 0.212, 0.218)
_SHARES_ADULTS = (0.034, 0.101, 0.865)
_SPREAD_SIZE = 0.45
_SPREAD_YOUNG = 0.25
_SPREAD_AGE = 0.12
_GRID_TOPIC = 5
_GRID_M = 100
_PER_CELL = 60
_SPREAD_CELL = 0.8
# How those from 27 are split into the grid's groups 27-30, 30-50, 50-65 and from 65 years.
_SHARES_GRID = (0.05, 0.38, 0.29, 0.28)

Midpoints = np.ndarray[tuple[int, int], np.dtype[np.int64]]


def residents(stadtteile: Sequence[Stadtteil]) -> dict[str, dict[str, int]]:
    """Return the residents of each statistisches Gebiet by column.

    The Gebiete of a Stadtteil add up exactly to its residents and to its residents under 18.
    """
    result: dict[str, dict[str, int]] = {}
    for stadtteil in stadtteile:
        dice = Dice(_TOPIC, int(stadtteil.key))
        size = [_varied(1.0, _SPREAD_SIZE, dice) for _ in range(stadtteil.gebiete)]
        young = apportion(stadtteil.residents_u18, [_varied(weight, _SPREAD_YOUNG, dice) for weight in size])
        adult = apportion(stadtteil.residents - stadtteil.residents_u18, size)
        for number, (minors, others) in enumerate(zip(young, adult, strict=True), start=1):
            groups = _split(minors, UNDER_18, _SHARES_UNDER_18, dice) | _split(others, ADULTS, _SHARES_ADULTS, dice)
            result[f"{stadtteil.key}{number:03d}"] = {TOTAL: minors + others} | groups
    return result


def added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of several areas' residents, column by column."""
    rows = list(parts)
    return {column: sum(row[column] for row in rows) for column in COLUMNS}


def under_18(row: Mapping[str, int]) -> int:
    """Return the residents aged 0 to under 18."""
    return sum(row[column] for column in UNDER_18)


def _split(count: int, columns: Sequence[str], shares: Sequence[float], dice: Dice) -> dict[str, int]:
    weights = [_varied(share, _SPREAD_AGE, dice) for share in shares]
    return dict(zip(columns, apportion(count, weights), strict=True))


def _varied(value: float, spread: float, dice: Dice) -> float:
    return value * dice.between(1 - spread, 1 + spread)


def grid(gebiete: Mapping[str, MultiPolygon], people: Mapping[str, Mapping[str, int]]) -> list[tuple[str, ...]]:
    """Return the census grid as rows of text under `GRID_COLUMNS`, ordered by cell id; `–` is 0.

    A Gebiet without any midpoint of a cell in it (EPSG:3035) is left out, as are cells where nobody lives.
    """
    rows: list[tuple[str, ...]] = []
    for key, shape in gebiete.items():
        dice = Dice(_GRID_TOPIC, int(key))
        cells = _cells(shape)
        order = np.argsort(dice.many(len(cells)), kind="stable")
        chosen = cells[np.sort(order[: max(1, people[key][TOTAL] // _PER_CELL)])]
        if len(chosen):
            rows += _inhabited(chosen, people[key], dice)
    return sorted(rows)


def _cells(shape: MultiPolygon) -> Midpoints:
    """Return the midpoints (x, y in EPSG:3035) of the grid cells whose midpoint lies in the shape (EPSG:25832)."""
    to_grid = Transformer.from_crs(25832, 3035, always_xy=True)
    west, south, east, north = to_grid.transform_bounds(*shape.bounds)
    half = _GRID_M // 2
    x = np.arange(west // _GRID_M * _GRID_M + half, east, _GRID_M)
    y = np.arange(south // _GRID_M * _GRID_M + half, north, _GRID_M)
    middle = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
    metres = np.column_stack(to_grid.transform(middle[:, 0], middle[:, 1], direction="INVERSE"))
    return middle[shapely.contains_xy(shape, metres)].astype(np.int64).reshape(-1, 2)


def _inhabited(cells: Midpoints, row: Mapping[str, int], dice: Dice) -> list[tuple[str, ...]]:
    """Divide the residents of a Gebiet among cells; each number is published a little off, one or two as 0 or 3."""
    to_30, *older = apportion(row["einwohner_27_"], _SHARES_GRID)
    groups = (under_18(row), row["einwohner_18_21"] + row["einwohner_21_27"] + to_30, *older)
    size = 1 + _SPREAD_CELL * (2 * dice.many(len(cells)) - 1)
    off = 1 + _SPREAD_AGE * (2 * dice.many(len(groups), len(cells)) - 1)
    parts = [apportion(group, (size * own).tolist()) for group, own in zip(groups, off, strict=True)]
    rows = []
    for (x, y), *own in zip(cells.tolist(), *parts, strict=True):
        total = sum(own)
        if not total:
            continue
        name = f"CRS3035RES{_GRID_M}mN{y - _GRID_M // 2}E{x - _GRID_M // 2}"
        shown = (_shown(part, dice) for part in own)
        told = max(3, total + dice.whole(-1, 1))
        rows.append((name, str(x), str(y), str(told), *(str(part) if part else "–" for part in shown)))
    return rows


def _shown(people: int, dice: Dice) -> int:
    """Return a number as a perturbed grid shows it: one and two never occur, and are right on the whole."""
    if people in {1, 2}:
        return 3 if dice.chance(people / 3) else 0
    return people
