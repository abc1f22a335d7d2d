"""What ties the areas of published levels together: which add up to which, and where two levels share ground.

Everything known to tie areas together becomes an equality of disclosure control. Where two levels cover the same ground
without nesting, their pieces are (from borders), else the areas that contain both, and the whole: what lies in no area
belongs to it. What cannot be tied to a wider level that is published, is not published.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geodata.disclosure.cube import Crossing, Sums
from geodata.figure_tables import WITHOUT_AREA
from geodata.placement_ground import Ground

EVERYTHING = "*"


@dataclass(frozen=True, slots=True, eq=False)
class Ties:
    """The areas of each level that may be published (``areas``), and what ties them together.

    ``hidden``: areas of levels that nobody publishes but to which others add up; ``sums`` speak of both.
    """

    areas: Mapping[str, tuple[str, ...]]
    hidden: Mapping[str, tuple[str, ...]]
    sums: tuple[Sums, ...]
    crossings: tuple[Crossing, ...]


def tie(ground: Ground, counted: Mapping[str, Collection[str]]) -> Ties:
    """Return the ties between areas that have counts of their own; ``counted``: their keys by level."""
    making = _Making(ground, {level: _distinct(ground, level, counted[level]) for level in sorted(counted)})
    left = {level: [key for key in keys if not making.untied(level, key)] for level, keys in making.areas.items()}
    making.areas = {level: keys for level, keys in left.items() if keys}
    for parts in making.areas:
        for whole in making.areas:
            if parts != whole and making.nested(parts, whole):
                making.sums.append(making.summed(parts, whole, making.areas[whole]))
    making.tie_crossing()
    return Ties(
        {level: tuple(keys) for level, keys in making.areas.items()},
        {level: tuple(keys) for level, keys in making.hidden.items()},
        tuple(making.sums),
        tuple(making.crossings),
    )


def _distinct(ground: Ground, level: str, counted: Collection[str]) -> list[str]:
    """Return the areas with counts but for merged ones of which a member has counts of its own, or another has it."""
    merged = {key: ground.members[level, key] for key in counted if (level, key) in ground.members}
    held = [member for members in merged.values() for member in members] + [key for key in counted if key not in merged]
    return sorted(key for key in counted if all(held.count(member) == 1 for member in merged.get(key, ())))


@dataclass(slots=True)
class _Making:
    """Ties on their way: what is published of each level, and what is found so far."""

    ground: Ground
    areas: dict[str, list[str]]
    sums: list[Sums] = field(default_factory=list)
    crossings: list[Crossing] = field(default_factory=list)
    hidden: dict[str, Sequence[str]] = field(default_factory=dict)

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

    def summed(self, parts: str, whole: str, among: Sequence[str]) -> Sums:
        """Return how the areas of a level add up to some of another."""
        return Sums(parts, whole, tuple(self.container(parts, key, whole, among) for key in self.areas[parts]))

    def tie_crossing(self) -> None:
        """Tie levels that cover the same ground and do not nest."""
        ground, levels = self.ground, list(self.areas)
        pairs = [
            (one, other)
            for number, one in enumerate(levels)
            for other in levels[number + 1 :]
            if not self.nested(one, other) and not self.nested(other, one)
        ]
        shared: dict[str, set[str]] = {}
        for one, other in pairs:
            overlaps = ground.overlaps.get((one, other))
            if overlaps:
                self.crossings.append(Crossing(one, other, self._grid(one, other, overlaps)))
            else:
                for level in ground.levels_above(one) & ground.levels_above(other) - set(levels):
                    shared.setdefault(level, set()).update((one, other))
        for level, parts in sorted(shared.items()):
            known = {ground.area_at(level, (part, key)) for part in parts for key in self.areas[part]}
            self._hide(level, sorted(key for key in known if key is not None), sorted(parts))
        if pairs:
            self._hide(EVERYTHING, [EVERYTHING], sorted({level for pair in pairs for level in pair}))

    def _hide(self, level: str, keys: Sequence[str], parts: Iterable[str]) -> None:
        """Add a level nobody publishes to which others add up."""
        if keys:
            self.hidden[level] = keys
            self.sums += [self.summed(part, level, keys) for part in parts]

    def _grid(self, one: str, other: str, overlaps: frozenset[tuple[str, str]]) -> NDArray[np.bool_]:
        """Return which areas of one level share ground with which of the other; merged ones where a member does."""
        members = self.ground.members
        rows = [members.get((one, key), {key}) for key in self.areas[one]]
        columns = [members.get((other, key), {key}) for key in self.areas[other]]
        return np.array(
            [[any((a, b) in overlaps for a in mine for b in theirs) for theirs in columns] for mine in rows],
            dtype=np.bool_,
        )
