"""What is published of one quarter's placements, as the sheets that disclosure control works on.

By responsible office: the home level and the levels that contain it, by the provider's state. By origin: the origin
levels (and wider ones, where delivered), by home state, außerhalb and ohne Angabe. Nothing below these levels, and of
periods that are no quarters nothing at all: the cases of a month, quarter and year are not independent.

Everything known to tie areas together becomes an equality. Where two levels cover the same ground without nesting,
their pieces are (from borders), else the areas that contain both, and the whole: what lies in no area belongs to it.
What cannot be tied to a wider level that is published, is not published.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.disclosure.cube import Crossing, Level, Sheet, Sums
from geodata.figure_tables import PROVIDER_STATES, UNKNOWN_STATE, WITHOUT_AREA
from geodata.placement_ground import Ground
from geodata.placement_raw import Cube
from geodata.placement_tables import OUTSIDE, TOTAL

RESPONSIBLE, ORIGIN = "zustaendig", "herkunft"
_QUARTER = re.compile(r"\d{4}-Q[1-4]")
_EVERYTHING = "*"

# Area key -> category -> cases; a category that is not there is 0.
Counts = Mapping[str, Mapping[str, int]]


@dataclass(slots=True)
class _Making:
    """A sheet on its way: what is published of each level, and the ties found so far."""

    ground: Ground
    role: str
    areas: dict[str, list[str]]
    sums: list[Sums] = field(default_factory=list)
    crossings: list[Crossing] = field(default_factory=list)
    hidden: list[Level] = field(default_factory=list)

    def nested(self, parts: str, whole: str) -> bool:
        """Tell whether a level adds up to another: by parents, or because that one has a single area."""
        if whole in self.ground.levels_above(parts):
            return True
        return self.wider(parts, whole) and len([key for key in self.areas[whole] if key != WITHOUT_AREA]) == 1

    def wider(self, parts: str, whole: str) -> bool:
        """Tell whether areas of a level are larger than those of another by what they are for."""
        wide, home = self.ground.wide, self.ground.rule.home_level
        return whole in wide and (parts not in wide or parts == home) and parts not in self.ground.levels_above(whole)

    def container(self, level: str, key: str, whole: str, among: Sequence[str]) -> str | None:
        """Return the area of ``whole`` that an area is part of: as known, else the only one there is."""
        if key != WITHOUT_AREA:
            found = self.ground.area_at(whole, (level, key))
            if found is not None:
                return found if found in among else None
        proper = [one for one in among if one != WITHOUT_AREA]
        return proper[0] if len(proper) == 1 else None

    def untied(self, level: str, key: str) -> bool:
        """Tell whether it is not known how an area and those of a wider published level hang together."""
        return any(self._untied(level, key, whole) for whole in self.areas if whole != level)

    def _untied(self, level: str, key: str, whole: str) -> bool:
        if not self.nested(level, whole):
            return self.wider(level, whole) and (min(level, whole), max(level, whole)) not in self.ground.overlaps
        known = key != WITHOUT_AREA and self.ground.area_at(whole, (level, key)) is not None
        return not known and self.container(level, key, whole, self.areas[whole]) is None


def is_published(period: str) -> bool:
    """Tell whether placements of a period are published: only of quarters."""
    return _QUARTER.fullmatch(period) is not None


def categories_of(role: str, home_state: str) -> tuple[str, ...]:
    """Return the categories published by a role, which add up to all cases."""
    return PROVIDER_STATES if role == RESPONSIBLE else (home_state, OUTSIDE, UNKNOWN_STATE)


def read_sheets(session: Session, ground: Ground, cube: Cube) -> list[Sheet]:
    """Return what is to be published of a cube, from the counts written before; sheets are named by their role."""
    found = session.execute(
        text("""
            SELECT level, area_role, area_key, category, value FROM placement_cell
            WHERE period = :period AND paragraph = :paragraph AND counting = :counting AND level = ANY (:levels)
            ORDER BY level, area_role, area_key COLLATE "C"
        """),
        {**cube.values(), "levels": sorted({*ground.wide, *ground.rule.origin_levels})},
    )
    by_role: dict[str, dict[str, dict[str, dict[str, int]]]] = {}
    for level, role, key, category, value in found:
        by_role.setdefault(role, {}).setdefault(level, {}).setdefault(key, {})[category] = value
    sheets = (make_sheet(ground, role, levels) for role, levels in sorted(by_role.items()))
    return [sheet for sheet in sheets if sheet is not None]


def make_sheet(ground: Ground, role: str, counts: Mapping[str, Counts]) -> Sheet | None:
    """Return the sheet of one role: what is published of each level, and all that ties it together.

    ``counts``: level to area to category. None where nothing is published.
    """
    allowed = ground.wide if role == RESPONSIBLE else (*ground.wide, *ground.rule.origin_levels)
    areas = {level: _distinct(ground, level, counts[level]) for level in sorted(counts) if level in allowed}
    making = _Making(ground, role, areas)
    making.areas = {level: [key for key in keys if not making.untied(level, key)] for level, keys in areas.items()}
    making.areas = {level: keys for level, keys in making.areas.items() if keys}
    if not making.areas:
        return None
    levels = [_level(making, level, counts[level]) for level in making.areas]
    for parts in making.areas:
        for whole in making.areas:
            if parts != whole and making.nested(parts, whole):
                making.sums.append(_sums(making, parts, whole, making.areas[whole]))
    _tie_crossing(making)
    states = categories_of(role, ground.rule.home_state)
    groups = {}
    if role == RESPONSIBLE:
        away = tuple(state for state in states if state not in {ground.rule.home_state, UNKNOWN_STATE})
        groups = {OUTSIDE: away}
    return Sheet(role, states, (*levels, *making.hidden), tuple(making.sums), tuple(making.crossings), groups)


def _distinct(ground: Ground, level: str, counts: Counts) -> list[str]:
    """Return the areas with counts but for merged ones of which a member has counts of its own, or another has it."""
    merged = {key: ground.members[level, key] for key in counts if (level, key) in ground.members}
    held = [member for members in merged.values() for member in members] + [key for key in counts if key not in merged]
    return sorted(key for key in counts if all(held.count(member) == 1 for member in merged.get(key, ())))


def _level(making: _Making, level: str, counts: Counts) -> Level:
    keys = making.areas[level]
    states = categories_of(making.role, making.ground.rule.home_state)
    table = np.array([[counts[key].get(state, 0) for state in states] for key in keys], dtype=np.float64)
    totals = np.array([counts[key][TOTAL] for key in keys], dtype=np.float64)
    return Level(level, tuple(keys), table, totals, tuple(making.ground.office((level, key)) for key in keys))


def _sums(making: _Making, parts: str, whole: str, among: Sequence[str]) -> Sums:
    return Sums(parts, whole, tuple(making.container(parts, key, whole, among) for key in making.areas[parts]))


def _tie_crossing(making: _Making) -> None:
    """Tie levels that cover the same ground and do not nest."""
    ground, levels = making.ground, list(making.areas)
    pairs = [
        (one, other)
        for number, one in enumerate(levels)
        for other in levels[number + 1 :]
        if not making.nested(one, other) and not making.nested(other, one)
    ]
    shared: dict[str, set[str]] = {}
    for one, other in pairs:
        overlaps = ground.overlaps.get((one, other))
        if overlaps:
            making.crossings.append(Crossing(one, other, _grid(making.areas[one], making.areas[other], overlaps)))
        else:
            for level in ground.levels_above(one) & ground.levels_above(other) - set(levels):
                shared.setdefault(level, set()).update((one, other))
    for level, parts in sorted(shared.items()):
        known = {ground.area_at(level, (part, key)) for part in parts for key in making.areas[part]}
        _hide(making, level, sorted(key for key in known if key is not None), sorted(parts))
    if pairs:
        _hide(making, _EVERYTHING, [_EVERYTHING], sorted({level for pair in pairs for level in pair}))


def _hide(making: _Making, level: str, keys: Sequence[str], parts: Iterable[str]) -> None:
    """Add a level nobody publishes to which others add up."""
    if not keys:
        return
    states = categories_of(making.role, making.ground.rule.home_state)
    making.hidden.append(Level(level, tuple(keys), np.full((len(keys), len(states)), np.nan)))
    making.sums += [_sums(making, part, level, keys) for part in parts]


def _grid(
    ones: Sequence[str], others: Sequence[str], overlaps: frozenset[tuple[str, str]]
) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    return np.array([[(one, other) in overlaps for other in others] for one in ones], dtype=np.bool_)
