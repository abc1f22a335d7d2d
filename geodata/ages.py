"""Spans of ages: what the positions of statistics say, and how any span is put together from those there are.

Ages are whole years, from inclusive to exclusive; an open end stands as None. A position is ``0-18``, ``65-`` (open)
or ``total`` (all ages).
"""

import heapq
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

TOTAL = "total"
_POSITION = re.compile(r"(\d{1,3})-(\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Ages:
    """A span of ages: ``age_from`` inclusive, ``age_to`` exclusive, None: open."""

    age_from: int
    age_to: int | None = None

    @property
    def end(self) -> float:
        """The upper bound as a number; infinite where open."""
        return math.inf if self.age_to is None else self.age_to

    def words(self) -> str:
        """Return the span as a reader writes it (``0 bis unter 18``)."""
        if self.age_to is None:
            return f"ab {self.age_from}" if self.age_from else "alle Altersjahre"
        return f"{self.age_from} bis unter {self.age_to}"


@dataclass(frozen=True, slots=True)
class Tiling:
    """Positions with their factors, whose weighted sum is the span asked for.

    The factors of an exact tiling are 1 and −1; ``estimated``: a position was divided evenly by years of age.
    """

    factors: Mapping[str, float]
    estimated: bool


def parse_position(position: str) -> Ages | None:
    """Return the ages a position stands for; None if it is no position of ages."""
    if position == TOTAL:
        return Ages(0)
    match = _POSITION.fullmatch(position)
    if match is None:
        return None
    age_from, age_to = int(match[1]), None if match[2] is None else int(match[2])
    return None if age_to is not None and age_to <= age_from else Ages(age_from, age_to)


def bands(spans: Iterable[Ages]) -> list[Ages]:
    """Return the elementary bands in order: the ages that spans cover, cut at every boundary of theirs."""
    given = list(spans)
    bounds = sorted({float(span.age_from) for span in given} | {span.end for span in given})
    cut = [Ages(int(low), None if math.isinf(high) else int(high)) for low, high in pairwise(bounds)]
    return [band for band in cut if any(s.age_from <= band.age_from and band.end <= s.end for s in given)]


def share_of(band: Ages, span: Ages, open_end: int) -> float:
    """Return the share of a band's years of age that lie in a span (0 to 1), an open band ending at ``open_end``."""
    end = min(band.end, max(open_end, band.age_from + 1))
    reach = end if band.age_to is None and span.age_to is None else min(end, span.end)
    return max(0.0, reach - max(band.age_from, span.age_from)) / (end - band.age_from)


def band_factors(wanted: Ages, given: Sequence[Ages]) -> tuple[list[float], bool] | None:
    """Return the factor of each band (disjoint, in order) in the wanted span, and whether a band was divided.

    None where the bands do not cover the span, or an open band would have to be divided.
    """
    factors: list[float] = []
    reached = float(wanted.age_from)
    for band in given:
        low, high = max(band.age_from, wanted.age_from), min(band.end, wanted.end)
        if low >= high:
            factors.append(0.0)
            continue
        if low != reached:
            return None
        reached = high
        if low == band.age_from and high == band.end:
            factors.append(1.0)
        elif band.age_to is None:
            return None
        else:
            factors.append((high - low) / (band.end - band.age_from))
    return (factors, any(0 < factor < 1 for factor in factors)) if reached == wanted.end else None


def tiling(wanted: Ages, positions: Iterable[str]) -> Tiling | None:
    """Return how a span is put together from the positions there are; None if it cannot be.

    First choice: exactly, from the fewest positions, differences allowed (15–18 is ``0-18`` − ``0-15``), then with
    the fewest differences. Else the narrowest span that positions give is divided evenly by years of age
    (``estimated``); nothing is divided that is open to old age.
    """
    graph = _Graph(positions)
    exact = graph.ways(float(wanted.age_from)).get(wanted.end)
    if exact is not None:
        return Tiling(exact, estimated=False)
    return graph.prorated(wanted)


class _Graph:
    """Boundaries of age, joined by the positions that lead from one to the other."""

    def __init__(self, positions: Iterable[str]) -> None:
        self._steps: dict[float, list[tuple[str, float, float]]] = {}
        for position in sorted(set(positions)):
            span = parse_position(position)
            if span is not None:
                self._steps.setdefault(span.age_from, []).append((position, span.end, 1.0))
                self._steps.setdefault(span.end, []).append((position, span.age_from, -1.0))

    def ways(self, start: float) -> dict[float, dict[str, float]]:
        """Return for each boundary that can be reached the fewest positions that lead there, with their signs."""
        found: dict[float, dict[str, float]] = {}
        queue: list[tuple[int, int, tuple[tuple[str, float], ...], float]] = [(0, 0, (), start)]
        while queue:
            steps, differences, way, bound = heapq.heappop(queue)
            if bound in found:
                continue
            found[bound] = dict(way)
            for position, other, sign in self._steps.get(bound, ()):
                if other not in found:
                    heapq.heappush(queue, (steps + 1, differences + (sign < 0), (*way, (position, sign)), other))
        return found

    def prorated(self, wanted: Ages) -> Tiling | None:
        """Divide the narrowest span around each bound of the wanted one that is no boundary itself."""
        best: tuple[float, int, dict[str, float]] | None = None
        for anchor in sorted(self._steps):
            ways = self.ways(anchor)
            upper, lower = _between(wanted.end, ways), _between(wanted.age_from, ways)
            if upper is None or lower is None:
                continue
            factors: dict[str, float] = {}
            for sign, parts in ((1.0, upper), (-1.0, lower)):
                for bound, share in parts.items():
                    for position, factor in ways[bound].items():
                        factors[position] = factors.get(position, 0.0) + sign * share * factor
            used = {position: factor for position, factor in factors.items() if abs(factor) > 1e-12}
            divided = sum(max(parts) - min(parts) for parts in (upper, lower) if len(parts) > 1)
            if used and (best is None or (divided, len(used)) < best[:2]):
                best = (divided, len(used), used)
        return None if best is None else Tiling(best[2], estimated=True)


def _between(age: float, bounds: Iterable[float]) -> dict[float, float] | None:
    """Return the known bounds next to an age with their shares; None if it does not lie between two."""
    below = max((bound for bound in bounds if bound <= age), default=None)
    above = min((bound for bound in bounds if bound >= age), default=None)
    if below is None or above is None:
        return None
    if below == above:
        return {below: 1.0}
    if math.isinf(above):
        return None
    share = (age - below) / (above - below)
    return {below: 1 - share, above: share}
