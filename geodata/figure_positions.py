"""Which positions of an area add up to which: Hilfearten to their groups, groups and Hilfearten to all helps."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from geodata.controlling_rows import ALL_HELPS, AMBULANT, GROUP_OFFERS, OUTSIDE_FAMILY, TOTALS


class Members(Protocol):
    """Says which Hilfearten a group has, by the office's catalogue; nothing where nobody says."""

    def __call__(self, position: str) -> frozenset[str]:
        """Return the Hilfearten of a group."""


@dataclass(frozen=True, slots=True)
class PositionSum:
    """The ``parts`` add up to the ``whole``; ``complete``: nothing that belongs to it is without a figure."""

    whole: str
    parts: tuple[str, ...]
    complete: bool


def is_whole(position: str) -> bool:
    """Tell whether a position means all helps (or all counselling) of an area, however it is written."""
    return position in TOTALS


def position_sums(present: Collection[str], members: Members) -> Iterator[PositionSum]:
    """Yield what adds up to what among the positions an area has figures of.

    Where no catalogue says what all helps consist of, everything that is no group is taken to be part of them: who
    thinks so knows more than who does not.
    """
    wholes = [position for position in TOTALS if position in present]
    for other in wholes[1:]:
        yield PositionSum(wholes[0], (other,), complete=True)
    groups = [one for one in (AMBULANT, OUTSIDE_FAMILY) if one in present]
    named = sorted(one for one in present if one not in wholes and members(one))
    for group in named:
        yield from _summed(group, members(group) & set(present), members(group))
    if not wholes:
        return
    if groups:
        yield from _summed(wholes[0], groups, {AMBULANT, OUTSIDE_FAMILY})
    single = {one for one in present if one not in {*wholes, *groups, *named, GROUP_OFFERS}}
    # In the office's words all helps may be meant by any of their names.
    kinds = members(ALL_HELPS)
    if kinds:
        yield from _summed(wholes[0], kinds & single, kinds)
    elif single:
        yield PositionSum(wholes[0], tuple(sorted(single)), complete=False)


def _summed(whole: str, parts: Collection[str], wanted: Collection[str]) -> Iterator[PositionSum]:
    if parts:
        yield PositionSum(whole, tuple(sorted(parts)), set(wanted) <= set(parts))
