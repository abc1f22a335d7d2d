"""Figures of helps of one counting and period as a table for disclosure control.

A cell is an indicator of an area in a position. What ties cells together: positions of an area add up to groups and to
all helps, areas of a level to those of a wider one, and where levels cross both are sums of the same pieces. What
printed totals have more (or less) than their parts is taken as known to everybody, which is the safe side. Only where a
part is without a figure, what is left is a cell of its own that nobody publishes, and if it is a small count it is to
be kept in doubt; nothing left is known to be nothing.

Counts above 0 and below the bound are suppressed and kept in doubt, as are the others beside the only position of an
area of fewer than 10. Amounts are suppressed where counts are, and kept open to a tenth of their value both ways.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from geodata.area_ties import Ties
from geodata.disclosure.cube import Rule, Weights
from geodata.disclosure.table import EXACT, Aim, Bools, Key, Table, TableBuilder
from geodata.figure_ground import FigureGround
from geodata.figure_positions import PositionSum, is_whole, position_sums
from geodata.figure_ties import AreaSum, area_sums, column_ties

OPEN_SHARE = 0.1
"""A suppressed amount may be so much lower or higher, as a share of it, in the eyes of everybody (p % rule)."""

_SIZED = 10.0
_WEIGHTS = Weights()
# Amounts in euros would be too large for linear programmes, whose tolerance is absolute.
_LARGEST = 1e4


class Spot(NamedTuple):
    """What a figure is of, but for its period."""

    level: str
    area: str
    indicator: str
    position: str


@dataclass(frozen=True, slots=True)
class Given:
    """A figure: its value (None: its source suppresses it), and what its catalogue says groups consist of."""

    value: float | None
    members: Callable[[str], frozenset[str]] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Kind:
    """What figures are and what else is known to be closed.

    ``counts``: above 0 and below the rule's bound they are small; else they are euros. ``amounts``: suppressed values
    stay open to a share of them. ``closed``: suppressed because of other figures; ``kept``: not published at all.
    """

    counts: bool
    amounts: bool = False
    closed: frozenset[Spot] = frozenset()
    kept: frozenset[Spot] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class FigureTable:
    """The table, which of its cells are wide ones (``outer``, shape (cells,)), and what is to be published of it."""

    table: Table
    outer: Bools
    published: frozenset[Spot]


Column = tuple[str, str]
_Counted = tuple[tuple[str, tuple[str, ...]], ...]


def build_table(ground: FigureGround, given: Mapping[Spot, Given], kind: Kind, rule: Rule) -> FigureTable:
    """Return the table of some figures, all of areas of published levels."""
    return _Building(ground, given, kind, rule).build()


def key_of(spot: Spot) -> Key:
    """Return the key of a figure's cell."""
    return ("figure", *spot)


class _Building:
    def __init__(self, ground: FigureGround, given: Mapping[Spot, Given], kind: Kind, rule: Rule) -> None:
        self._ground, self._given, self._kind, self._rule = ground, given, kind, rule
        self._builder = TableBuilder()
        self._outer: set[Key] = set()
        self._ties: dict[_Counted, Ties] = {}
        most = max((abs(one.value) for one in given.values() if one.value is not None), default=0.0)
        scale = 1.0 if kind.counts else min(1.0, _LARGEST / max(most, 1.0))
        self._values = {spot: math.nan if one.value is None else one.value * scale for spot, one in given.items()}

    def build(self) -> FigureTable:
        tied = [(column, city, ties) for column, spots in self._columns() for city, ties in self._tied(spots)]
        published = {
            Spot(level, key, *column) for column, _city, ties in tied for level, keys in ties.areas.items()
            for key in keys
        } - self._kind.kept  # fmt: skip
        for spot, value in self._values.items():
            self._add(spot, value, shown=spot in published)
        for column, city, ties in tied:
            self._tie(column, city, ties)
        by_area: dict[tuple[str, str, str], list[Spot]] = {}
        for spot in sorted(self._values):
            by_area.setdefault(spot[:3], []).append(spot)
        for spots in by_area.values():
            self._add_positions(spots)
        table = self._with_unknown(self._builder.build())
        return FigureTable(table, np.array([key in self._outer for key in table.keys]), frozenset(published))

    # --- Cells

    def _add(self, spot: Spot, value: float, *, shown: bool) -> None:
        key, wide = key_of(spot), self._ground.is_wide(spot[:2])
        lower = 0.0 if not value < 0 else -math.inf
        if wide:
            self._outer.add(key)
        if math.isnan(value) or not shown:
            self._builder.hidden(key, value, lower=lower)
        else:
            kinds = (wide, is_whole(spot.position))
            base = _WEIGHTS.grand if all(kinds) else _WEIGHTS.total if any(kinds) else _WEIGHTS.cell
            size = _WEIGHTS.size * min(value, _SIZED) if self._kind.counts else 0.0
            self._builder.cell(key, value, base + max(size, 0.0), lower=lower)
        low, high = self._wanted(spot, value)
        if low < value or high > value:
            self._builder.keep_open(key, at_most=low, at_least=high)
            if shown:
                self._builder.suppress(key)
        elif shown and spot in self._kind.closed:
            self._builder.suppress(key)
        self._know(spot[:2], key)

    def _wanted(self, spot: Spot, value: float) -> tuple[float, float]:
        """Return how low and how high a figure must be able to be; the value itself where nothing is asked for."""
        low = high = value
        if self._kind.counts and 0 < value < self._rule.small:
            low, high = min(low, self._rule.floor), max(high, self._rule.small)
        if self._kind.amounts and (spot in self._kind.closed or spot in self._kind.kept or high > value):
            low, high = min(low, value - OPEN_SHARE * abs(value)), max(high, value + OPEN_SHARE * abs(value))
        return low, high

    def _know(self, area: tuple[str, str], key: Key) -> None:
        office = self._ground.ground.office(area)
        if office is not None:
            self._builder.knows(office, [key])

    def _with_unknown(self, table: Table) -> Table:
        """Keep in doubt as well what a source suppresses: from all that is published beside it, it may follow."""
        place = table.position
        aims = list(table.aims)
        for spot, value in self._values.items():
            cell = place[key_of(spot)]
            follows = float(table.values[cell])
            if not math.isnan(value):
                continue
            if not self._kind.counts:
                aims.append(Aim(cell, follows * (1 - OPEN_SHARE), follows * (1 + OPEN_SHARE)))
            elif follows < self._rule.small:
                aims.append(Aim(cell, self._rule.floor, self._rule.small))
        return replace(table, aims=tuple(sorted(aims)))

    # --- Areas

    def _columns(self) -> Iterator[tuple[Column, list[Spot]]]:
        found: dict[Column, list[Spot]] = {}
        for spot in sorted(self._values):
            found.setdefault((spot.indicator, spot.position), []).append(spot)
        yield from found.items()

    def _tied(self, spots: Sequence[Spot]) -> Iterator[tuple[str, Ties]]:
        """Yield the ties of a column's areas, city by city."""
        cities: dict[str, dict[str, list[str]]] = {}
        for spot in spots:
            city = self._ground.city(spot[:2])
            if city is not None:
                cities.setdefault(city, {}).setdefault(spot.level, []).append(spot.area)
        for city, counted in sorted(cities.items()):
            known = tuple((level, tuple(keys)) for level, keys in sorted(counted.items()))
            if known not in self._ties:
                self._ties[known] = column_ties(self._ground.ground, counted)
            yield city, self._ties[known]

    def _tie(self, column: Column, city: str, ties: Ties) -> None:
        for level, keys in ties.hidden.items():
            first = next(one for one in ties.sums if one.whole == level)
            for key in keys:
                inside = [part for part, of in zip(ties.areas[first.parts], first.of, strict=True) if of == key]
                value = sum(self._values[Spot(first.parts, part, *column)] for part in inside)
                whole = self._whole(column, city, ties, level, key)
                self._builder.hidden(whole, value, lower=-math.inf)
                self._outer.add(whole)
                self._know((level, key), whole)
        for one in area_sums(ties):
            self._add_up(column, city, ties, one)
        for crossing in ties.crossings:
            mine = [(crossing.one, one) for one in ties.areas[crossing.one]]
            theirs = [(crossing.other, other) for other in ties.areas[crossing.other]]
            pieces: dict[tuple[str, str], dict[Key, float]] = {}
            for left, right in np.argwhere(crossing.overlaps).tolist():
                piece: Key = ("piece", *mine[left], *theirs[right], *column)
                self._builder.hidden(piece, lower=0.0)
                for area in (mine[left], theirs[right]):
                    pieces.setdefault(area, {})[piece] = 1.0
            for area, terms in pieces.items():
                self._builder.equal({**terms, key_of(Spot(*area, *column)): -1.0})

    def _whole(self, column: Column, city: str, ties: Ties, level: str, key: str) -> Key:
        if level in ties.areas:
            return key_of(Spot(level, key, *column))
        return ("sum", city, level, key, *column)

    def _add_up(self, column: Column, city: str, ties: Ties, one: AreaSum) -> None:
        terms = {self._whole(column, city, ties, *part): 1.0 for part in one.parts}
        terms[self._whole(column, city, ties, *one.whole)] = -1.0
        keys = [key for level, key in one.parts if level == one.of]
        if one.whole[0] in ties.areas and one.of in ties.areas:
            complete = self._ground.inside(one.of, one.whole) <= self._ground.covered(one.of, keys)
            parts = sum(self._values[Spot(*part, *column)] for part in one.parts)
            left = self._values[Spot(*one.whole, *column)] - parts
            if not complete and left > EXACT:
                rest: Key = ("rest", *one.whole, one.of, *column)
                terms[self._rest(rest, one.whole, left)] = 1.0
        self._builder.equal(terms)

    # --- Positions

    def _add_positions(self, spots: Sequence[Spot]) -> None:
        of = {spot.position: spot for spot in spots}

        def members(position: str) -> frozenset[str]:
            # A group that is reported is what its own dataset says; one that is not, what any of the others do.
            asked = [of[position]] if position in of else spots
            return next((found for spot in asked if (found := self._given[spot].members(position))), frozenset())

        for number, one in enumerate(position_sums(of.keys(), members)):
            self._add_position_sum(of, one, number)

    def _add_position_sum(self, of: Mapping[str, Spot], one: PositionSum, number: int) -> None:
        whole, parts = of[one.whole], [of[part] for part in one.parts]
        terms = {**{key_of(spot): 1.0 for spot in parts}, key_of(whole): -1.0}
        total, values = self._values[whole], [self._values[spot] for spot in parts]
        left = total - sum(values)
        area = whole[:2]
        rest: Key = ("rest", *whole, str(number))
        others: list[Key] = []
        alone = [spot for spot, value in zip(parts, values, strict=True) if abs(value) > EXACT]
        lonely = self._kind.counts and 0 < total < self._rule.sensitive_below and len(alone) == 1 and abs(left) <= EXACT
        if not one.complete and (lonely or left > EXACT):
            others = [self._rest(rest, area, left)]
            terms[rest] = 1.0
        self._builder.equal(terms)
        if not lonely:
            return
        others += [key_of(spot) for spot in parts if spot not in alone]
        if others:
            kept: Key = ("others", *whole, str(number))
            self._builder.hidden(kept, 0.0)
            self._builder.equal({**dict.fromkeys(others, 1.0), kept: -1.0})
            self._builder.keep_open(kept, at_least=self._rule.small)
            self._know(area, kept)

    def _is_small(self, left: float) -> bool:
        return self._kind.counts and EXACT < left < self._rule.small

    def _rest(self, key: Key, area: tuple[str, str], left: float) -> Key:
        """Add the cell of what is left to parts without a figure."""
        self._builder.hidden(key, max(left, 0.0))
        if self._is_small(left):
            self._builder.keep_open(key, at_most=self._rule.floor, at_least=self._rule.small)
        self._know(area, key)
        return key
