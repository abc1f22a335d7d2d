"""Where helps are counted: which levels and areas are published, which of them belong to one city, which are wide."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.figure_tables import WITHOUT_AREA
from geodata.placement_ground import Area, Ground, read_ground
from geodata.placement_rule import PlacementRule

ALL = ""


@dataclass(frozen=True, eq=False)
class FigureGround:
    """The visible areas of levels that have figures of helps; ``ancestors``: of each level, itself among them.

    ``roots``: the level of the areas that lie in no other, where all that have figures lie in areas of one level: these
    are cities that share no ground. None: what lies in what is not so clear, and everything is one city.
    """

    ground: Ground
    ancestors: Mapping[str, frozenset[str]]
    roots: str | None

    @property
    def rule(self) -> PlacementRule:
        """The rules by which is published."""
        return self.ground.rule

    def is_level_published(self, level: str) -> bool:
        """Tell whether figures of a level are published: wide and origin levels, and what is below none of these."""
        origin = set(self.rule.origin_levels)
        if level in self.ground.wide or level in origin:
            return True
        return not (self.ancestors.get(level, frozenset()) - {level}) & origin

    def is_published(self, area: Area) -> bool:
        """Tell whether figures of an area are published as far as its level goes."""
        level = area[0]
        if not self.is_level_published(level):
            return False
        if level in self.ground.wide or level in self.rule.origin_levels:
            return True
        return not any(self.ground.area_at(origin, area) for origin in self.rule.origin_levels)

    def city(self, area: Area) -> str | None:
        """Return the city an area belongs to; None where that is not known (``ohne`` of one of several cities)."""
        if self.roots is None:
            return ALL
        if area[1] == WITHOUT_AREA:
            cities = self._cities_with.get(area[0], frozenset())
            return next(iter(cities)) if len(cities) == 1 else None
        return self.ground.area_at(self.roots, area)

    def is_wide(self, area: Area) -> bool:
        """Tell whether an area is one of the home level or wider; in a city that has none: the whole of it."""
        if area[0] in self.ground.wide:
            return True
        if area[1] == WITHOUT_AREA or self.city(area) in self._cities_with.get(self.rule.home_level, frozenset()):
            return False
        above = self.ground.within.get(area)
        return above is not None and above.keys() <= set(self.ground.wide)

    def digest(self) -> str:
        """Return a text that changes whenever something here does."""
        parts = (self.ground.digest(), self.roots, sorted((level, sorted(up)) for level, up in self.ancestors.items()))
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def inside(self, level: str, whole: Area) -> frozenset[str]:
        """Return the keys of the visible areas of a level that lie in an area."""
        return self._inside.get((level, whole), frozenset())

    def covered(self, level: str, keys: Collection[str]) -> frozenset[str]:
        """Return the areas that some areas are or are merged of."""
        return frozenset(member for key in keys for member in self.ground.members.get((level, key), {key}))

    def containers(self, area: Area) -> Collection[Area]:
        """Return the areas that contain an area; a merged one is contained in what contains all its members."""
        if area in self.ground.members:
            members = [(area[0], key) for key in self.ground.members[area]]
            levels = {above for member in members for above in self.ground.within.get(member, {})}
            found = {level: self.ground.area_at(level, area) for level in levels}
            return [(level, key) for level, key in found.items() if key is not None]
        return list(self.ground.within.get(area, {}).items())

    @cached_property
    def _inside(self) -> dict[tuple[str, Area], frozenset[str]]:
        found: dict[tuple[str, Area], set[str]] = {}
        for (level, key), above in self.ground.within.items():
            for whole in above.items():
                found.setdefault((level, whole), set()).add(key)
        return {where: frozenset(keys) for where, keys in found.items()}

    @cached_property
    def _cities_with(self) -> dict[str, frozenset[str | None]]:
        """Return the cities that have areas of each level."""
        found: dict[str, set[str | None]] = {}
        for area in self.ground.within:
            found.setdefault(area[0], set()).add(ALL if self.roots is None else self.ground.area_at(self.roots, area))
        return {level: frozenset(cities) for level, cities in found.items()}


def read_figure_ground(session: Session, rule: PlacementRule, areas: Collection[Area]) -> FigureGround:
    """Return the ground on which helps are counted; ``areas``: all that have figures, ``ohne`` and merged ones too."""
    ancestors: dict[str, set[str]] = {}
    for level, ancestor in session.execute(text("SELECT level, ancestor FROM level_closure")):
        ancestors.setdefault(level, set()).add(ancestor)
    closed = {level: frozenset(above) for level, above in ancestors.items()}
    levels = {level for level, _key in areas}
    bare = FigureGround(Ground(rule, (), {}, {}, {}), closed, None)
    ground = read_ground(
        session, rule, levels, {level for level in levels if bare.is_level_published(level) or level == rule.home_level}
    )
    # Only what can matter to these levels: other areas come and go without a new pattern.
    near = levels | {above for level in levels for above in ground.levels_above(level)} | {rule.home_level}
    within = {area: above for area, above in ground.within.items() if area[0] in near}
    return FigureGround(replace(ground, within=within), closed, _roots(ground, areas))


def _roots(ground: Ground, areas: Collection[Area]) -> str | None:
    """Return the level of the areas in which all areas lie; None where there is no such level."""
    found = set()
    for level, key in areas:
        if key == WITHOUT_AREA:
            continue
        for member in ground.members.get((level, key), {key}):
            above = ground.within.get((level, member))
            found.add(level if not above else list(above)[-1])
    return found.pop() if len(found) == 1 else None
