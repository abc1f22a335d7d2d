"""How areas hang together, as far as placements of one level tell about those of another."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.bulk import raw_connection
from geodata.figure_tables import WITHOUT_AREA
from geodata.placement_rule import PlacementRule

Area = tuple[str, str]

INSIDE = "placement_inside"
# Slivers along borders drawn differently hold nobody: an overlap is at least this share of the smaller area.
_SLIVER = 0.01


@dataclass(frozen=True, eq=False)
class Ground:
    """The visible areas, for disclosure control.

    ``wide``: the levels published by the provider's state, from the home level up. ``within``: of each area the key of
    the area of every other level that contains it, by its parents. ``members``: of each merged area. ``overlaps``: of
    two origin levels that do not nest the pairs of keys that share ground, where both have borders.
    """

    rule: PlacementRule
    wide: tuple[str, ...]
    within: Mapping[Area, Mapping[str, str]]
    members: Mapping[Area, frozenset[str]]
    overlaps: Mapping[tuple[str, str], frozenset[tuple[str, str]]]

    def area_at(self, level: str, area: Area) -> str | None:
        """Return the key of the area of a level that contains an area, or is it; None if it is not known.

        A merged area lies in what contains all its members.
        """
        if area[0] == level and area not in self.members:
            return area[1]
        if area in self.members:
            found = {self.area_at(level, (area[0], key)) for key in self.members[area]}
            return found.pop() if len(found) == 1 else None
        return self.within.get(area, {}).get(level)

    def office(self, area: Area) -> str | None:
        """Return the office whose planners read an area's counts as they are; None: nobody's."""
        return None if area[1] == WITHOUT_AREA else self.area_at(self.rule.home_level, area)

    def levels_above(self, level: str) -> frozenset[str]:
        """Return the levels of which areas contain areas of a level."""
        return self._above.get(level, frozenset())

    @cached_property
    def _above(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for (level, _key), above in self.within.items():
            found.setdefault(level, set()).update(above)
        return {level: frozenset(above) for level, above in found.items()}

    def nested(self, one: str, other: str) -> bool:
        """Tell whether areas of one level lie in areas of the other."""
        return one in self.levels_above(other) or other in self.levels_above(one)

    def digest(self) -> str:
        """Return a text that changes whenever something here does."""
        parts = (
            self.rule,
            self.wide,
            sorted((area, sorted(above.items())) for area, above in self.within.items()),
            sorted((area, sorted(keys)) for area, keys in self.members.items()),
            sorted((pair, sorted(keys)) for pair, keys in self.overlaps.items()),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def read_ground(
    session: Session, rule: PlacementRule, levels: Collection[str], crossing: Collection[str] | None = None
) -> Ground:
    """Return how the visible areas hang together; ``levels``: those that have figures.

    ``crossing``: the levels between which overlaps matter; None: those on which placements are published.
    """
    above = session.execute(
        text("SELECT ancestor FROM level_closure WHERE level = :home"), {"home": rule.home_level}
    ).scalars()
    wide = tuple(dict.fromkeys((rule.home_level, *sorted(set(above) - {rule.home_level}), "land")))
    within = _within(session)
    merged = session.execute(
        text("SELECT level, key, members FROM merged_area WHERE level = ANY (:levels)"), {"levels": sorted(levels)}
    )
    members = {(level, key): frozenset(keys) for level, key, keys in merged}
    bare = Ground(rule, wide, within, members, {})
    published = sorted(({*wide, *rule.origin_levels} if crossing is None else set(crossing)) & set(levels))
    overlaps = {
        (one, other): found
        for one, other in combinations(published, 2)
        if not bare.nested(one, other) and (found := _overlaps(session, one, other))
    }
    return Ground(rule, wide, within, members, overlaps)


def _within(session: Session) -> dict[Area, dict[str, str]]:
    parents: dict[Area, Area | None] = {
        (row.level, row.key): None if row.parent_key is None else (row.parent_level, row.parent_key)
        for row in session.execute(text("SELECT level, key, parent_level, parent_key FROM area_visible"))
    }
    found: dict[Area, dict[str, str]] = {}
    for area, parent in parents.items():
        above: dict[str, str] = {}
        # A level met twice would be a circle.
        while parent is not None and parent[0] not in above and parent[0] != area[0]:
            above[parent[0]] = parent[1]
            parent = parents.get(parent)  # noqa: PLW2901 - the way up begins at the area's own parent
        found[area] = above
    return found


def _overlaps(session: Session, one: str, other: str) -> frozenset[tuple[str, str]]:
    found = session.execute(
        text("""
            SELECT a.key, b.key FROM area_visible a JOIN area_visible b ON ST_Intersects(a.geom, b.geom)
            WHERE a.level = :one AND b.level = :other
              AND ST_Area(ST_Intersection(a.geom, b.geom)) >= :sliver * LEAST(ST_Area(a.geom), ST_Area(b.geom))
        """),
        {"one": one, "other": other, "sliver": _SLIVER},
    )
    return frozenset((first, second) for first, second in found)


def stage_inside(session: Session, ground: Ground) -> None:
    """Write the temporary table ``placement_inside``: level, key, and ancestor_level, ancestor_key that contain it.

    Every area contains itself. What lies in no area (``ohne``) belongs to the one area of a level that contains all
    of the home level, where there is only one.
    """
    session.execute(text(f"DROP TABLE IF EXISTS pg_temp.{INSIDE}"))
    session.execute(
        text(f"""
            CREATE TEMPORARY TABLE {INSIDE} (level text, key text, ancestor_level text, ancestor_key text)
            ON COMMIT DROP
        """)
    )
    with (
        raw_connection(session).cursor() as cursor,
        cursor.copy(f"COPY {INSIDE} (level, key, ancestor_level, ancestor_key) FROM STDIN") as copy,
    ):
        for row in _inside(ground):
            copy.write_row(row)
    session.execute(text(f"ANALYZE {INSIDE}"))


def _inside(ground: Ground) -> Iterable[tuple[str, str, str, str]]:
    home = ground.rule.home_level
    tops: dict[str, set[str]] = {}
    for (level, key), above in ground.within.items():
        yield level, key, level, key
        for other, container in above.items():
            yield level, key, other, container
            if level == home:
                tops.setdefault(other, set()).add(container)
    for level, containers in tops.items():
        if len(containers) == 1:
            yield home, WITHOUT_AREA, level, next(iter(containers))
