"""Which areas controlling speaks of, in which order, and with which "city" each of them is compared.

The city of an area is the widest area containing it of which the viewer sees figures; which that is, a footnote says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.areas import LevelRow, require_level
from geodata.errors import ParameterError
from geodata.figure_tables import WITHOUT_AREA

Area = tuple[str, str]  # level, key

_WITHOUT_NAME = "ohne räumliche Zuordnung"
_KEYS = """
SELECT DISTINCT o.area_key, m.name
FROM observation_visible o LEFT JOIN merged_area_visible m ON m.level = o.level AND m.key = o.area_key
WHERE o.level = :level AND o.scenario = :scenario AND o.indicator = ANY (:codes)
  AND (o.area_key = :without OR m.key IS NOT NULL)
"""
_WITH_FIGURES = """
SELECT DISTINCT level, area_key FROM observation_visible
WHERE scenario = :scenario AND indicator = ANY (:codes) AND level = ANY (:levels) AND area_key = ANY (:keys)
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """All visible areas: ``names`` of each, and the one each lies in (``parents``; absent: in none)."""

    names: Mapping[Area, str]
    parents: Mapping[Area, Area]

    def above(self, area: Area) -> list[Area]:
        """Return the areas that contain this one, from the narrowest to the widest."""
        found: list[Area] = []
        while (parent := self.parents.get(area)) is not None and parent not in found:
            found.append(parent)
            area = parent
        return found

    def widest(self, area: Area) -> Area:
        """Return the widest area containing this one, or itself."""
        return [area, *self.above(area)][-1]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The areas of a level that are asked for, by key in the order of the answer, with their names.

    ``cities``: the city of each that has one. ``listed``: the keys that get a row where they lack a figure that others
    have; of the others only what there is is shown, for what nobody else may see is not missing.
    """

    level: LevelRow
    tree: Tree
    names: Mapping[str, str]
    cities: Mapping[str, Area]
    listed: frozenset[str]

    def city_names(self) -> list[str]:
        """Return the names of all cities that areas are compared with, in order."""
        return sorted({self.tree.names[city] for city in self.cities.values()})


def read_tree(session: Session) -> Tree:
    """Return all visible areas."""
    names: dict[Area, str] = {}
    parents: dict[Area, Area] = {}
    for level, key, name, *parent in session.execute(
        text("SELECT level, key, name, parent_level, parent_key FROM area_visible")
    ):
        names[level, key] = name
        if parent[1] is not None:
            parents[level, key] = (parent[0], parent[1])
    # What an area lies in may itself be gone.
    return Tree(names, {area: parent for area, parent in parents.items() if parent in names})


def require_area(tree: Tree, area: Area, level: LevelRow | None = None) -> None:
    """Raise ``ParameterError`` for an area that does not exist or holds none of the level."""
    if area == (level and level.level, WITHOUT_AREA):
        return
    inside = area in tree.names and (
        level is None or any(one[0] == level.level and area in [one, *tree.above(one)] for one in tree.names)
    )
    if not inside:
        shown = ":".join(area)[:80]
        what = f"In „{shown}“ liegt kein Gebiet der Ebene {level.title}, oder es" if level else f"Das Gebiet „{shown}“"
        raise ParameterError("area", f"{what} gibt es nicht.")


def choose(
    session: Session, level: str, area: Area | None, *, city_level: str | None, scenario: str, codes: Sequence[str]
) -> Chosen:
    """Return the areas of a level (of ``area``: it, or those inside it) and their cities.

    ``codes``: the indicators whose figures make an area a city; ``city_level`` None: at the widest level that has
    such. Areas reported together and ``ohne`` (no area) come last. Raises ``ParameterError`` for an unknown level,
    city level or area.
    """
    level_row = require_level(session, level)
    if city_level is not None:
        require_level(session, city_level, "city_level")
    tree = read_tree(session)
    if area is not None:
        require_area(tree, area, level_row)
    own = {key: name for (at, key), name in tree.names.items()
           if at == level and (area is None or area in [(at, key), *tree.above((at, key))])}  # fmt: skip
    more = _without_map(session, tree, level, area, scenario, codes)
    names = {key: own[key] for key in sorted(own)} | {key: more[key] for key in sorted(more)}
    if WITHOUT_AREA in names:
        names[WITHOUT_AREA] = names.pop(WITHOUT_AREA)
    above = {key: [one for one in tree.above((level, key)) if city_level in {None, one[0]}] for key in own}
    known = _with_figures(session, {one for areas in above.values() for one in areas}, scenario, codes)
    cities = {key: seen[-1] for key, areas in above.items() if (seen := [one for one in areas if one in known])}
    return Chosen(level_row, tree, names, cities, _listed(session, level, scenario, codes) & own.keys())


def _without_map(
    session: Session, tree: Tree, level: str, area: Area | None, scenario: str, codes: Sequence[str]
) -> dict[str, str]:
    """Return the names of what has figures at the level but is no area: ``ohne``, and areas reported together."""
    found = session.execute(
        text(_KEYS), {"level": level, "scenario": scenario, "codes": list(codes), "without": WITHOUT_AREA}
    )
    names = {key: name or _WITHOUT_NAME for key, name in found}

    def asked(key: str) -> bool:
        if area is None or area == (level, key):
            return True
        return key != WITHOUT_AREA and all(
            area in [(level, member), *tree.above((level, member))] for member in key.split("+")
        )

    return {key: name for key, name in names.items() if asked(key)}


def _with_figures(session: Session, areas: Iterable[Area], scenario: str, codes: Sequence[str]) -> set[Area]:
    asked = sorted(areas)
    if not asked:
        return set()
    levels, keys = zip(*asked, strict=True)
    found = session.execute(
        text(_WITH_FIGURES),
        {"scenario": scenario, "codes": list(codes), "levels": sorted(set(levels)), "keys": sorted(set(keys))},
    )
    return {(level, key) for level, key in found} & set(asked)


def _listed(session: Session, level: str, scenario: str, codes: Sequence[str]) -> frozenset[str]:
    """Return the keys of the areas that have a row where a figure is missing: of figures the viewer could see.

    The own ones; all of the level where figures of others are published.
    """
    return frozenset(
        session.execute(
            text("""
                SELECT key FROM area_visible WHERE level = :level
                    AND (srk_viewer_role() = 'admin' OR (level, key) IN (SELECT level, key FROM own_area)
                         OR EXISTS (SELECT FROM observation_visible o
                                    WHERE o.level = :level AND o.scenario = :scenario AND o.indicator = ANY (:codes)
                                      AND (o.level, o.area_key) NOT IN (SELECT level, key FROM own_area)))
            """),
            {"level": level, "scenario": scenario, "codes": list(codes)},
        ).scalars()
    )
