"""The sums of areas that tie a column of figures together, each told once and from one level to the next.

Land less its Stadtteile says nothing that Land less Bezirke and Bezirke less Stadtteile do not say. Told again it would
do harm: what lies in no Bezirk would follow from it, and a table would no longer fall apart between Bezirke.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from geodata.area_ties import EVERYTHING, Ties, tie
from geodata.disclosure.cube import Sums
from geodata.placement_ground import Area, Ground


@dataclass(frozen=True, slots=True)
class AreaSum:
    """The ``parts`` add up to the ``whole``; most of them are of the level ``of``."""

    whole: Area
    of: str
    parts: tuple[Area, ...]


def column_ties(ground: Ground, counted: Mapping[str, list[str]]) -> Ties:
    """Return the ties between the areas of a column; ``counted``: keys by level.

    Where the home level has no figures but others are tied, its areas are added as what nobody publishes: between them
    a large table can be taken apart.
    """
    ties = tie(ground, counted)
    home = ground.rule.home_level
    below = [level for level in ties.areas if home in ground.levels_above(level)]
    if below and (ties.sums or ties.crossings) and home not in ties.areas and home not in ties.hidden:
        sums = [
            Sums(level, home, tuple(ground.area_at(home, (level, key)) for key in ties.areas[level])) for level in below
        ]
        keys = sorted({key for one in sums for key in one.of if key is not None})
        ties = replace(ties, hidden={**ties.hidden, home: tuple(keys)}, sums=(*ties.sums, *sums))
    return _without_everything(ties)


def area_sums(ties: Ties) -> Iterator[AreaSum]:
    """Yield the sums, whole by whole."""
    inside: dict[tuple[str, str], dict[str, str]] = {}
    for one in ties.sums:
        pairs = zip(ties.areas.get(one.parts) or ties.hidden[one.parts], one.of, strict=True)
        inside[one.parts, one.whole] = {part: whole for part, whole in pairs if whole is not None}
    wholes = [(level, key) for found in (ties.areas, ties.hidden) for level, keys in found.items() for key in keys]
    for whole in wholes:
        made: dict[str, list[Area]] = {}
        more: dict[str, list[Area]] = {}
        for parts, above in sorted(inside):
            if above != whole[0]:
                continue
            mine = [part for part, of in inside[parts, above].items() if of == whole[1]]
            told = {part: _between(inside, parts, part, whole) for part in mine}
            by = sorted({level for level in told.values() if level is not None})
            left = [(parts, part) for part in mine if told[part] is None]
            if by and left:
                more.setdefault(by[0], []).extend(left)
            elif left:
                made[parts] = left
        for level, areas in made.items():
            yield AreaSum(whole, level, (*areas, *more.get(level, ())))


def _between(inside: Mapping[tuple[str, str], Mapping[str, str]], level: str, part: str, whole: Area) -> str | None:
    """Return a level between a part and a whole by which the one is told to lie in the other."""
    for (parts, middle), of in sorted(inside.items()):
        if parts == level and part in of and inside.get((middle, whole[0]), {}).get(of[part]) == whole[1]:
            return middle
    return None


def _without_everything(ties: Ties) -> Ties:
    """Leave out that levels add up to the same whole where they do so area by area."""
    parts = [one.parts for one in ties.sums if one.whole == EVERYTHING]
    if not parts:
        return ties
    all_in = {
        level: {one.whole for one in ties.sums if one.parts == level and None not in one.of} - {EVERYTHING}
        for level in parts
    }
    if not set.intersection(*all_in.values()):
        return ties
    hidden = {level: keys for level, keys in ties.hidden.items() if level != EVERYTHING}
    return replace(ties, hidden=hidden, sums=tuple(one for one in ties.sums if one.whole != EVERYTHING))
