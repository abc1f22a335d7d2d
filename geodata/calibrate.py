"""Iterative proportional fitting of residents by age to official figures whose spans of age may overlap.

Every official figure says how many residents lie between two ages; so all of them are statements about the number of
residents below each age, which can only grow. That gives each span a least and a most that the figures taken so far
allow. Figures are taken from the finest span to the widest; one that contradicts finer ones is moved to the nearest
number that they allow. Proportional fitting then finds the residents per band that keep what is left open closest to
the prior, and a last pass, band by band within least and most, makes the sums exact to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.ages import Ages

Floats = NDArray[np.float64]

MAX_SWEEPS = 200
CLOSE = 1e-9
CONTRADICTION = 1e-6
_BLOCK_AREAS = 4096


@dataclass(frozen=True, slots=True)
class Fitted:
    """Residents per area and band (shape (areas, bands)).

    ``contradicted`` (areas, figures): the figure contradicts finer ones and is not kept. ``bounded`` (areas,): the
    figures leave no band without an upper limit.
    """

    people: Floats
    contradicted: NDArray[np.bool_]
    bounded: NDArray[np.bool_]


def fit(prior: Floats, bands: Sequence[Ages], spans: Sequence[Ages], figures: Floats, *, whole: bool = False) -> Fitted:
    """Fit residents per band to official figures.

    ``prior``: residents (areas, bands) to stay close to; ``bands`` are disjoint and ascending, and every one of
    ``spans`` is a run of them; ``figures``: residents (areas, spans), NaN where not published. Bands that no figure
    speaks of keep the prior. ``whole``: keep to whole residents (the figures must be whole).
    """
    blocks = [
        _fit(prior[start : start + _BLOCK_AREAS], bands, spans, figures[start : start + _BLOCK_AREAS], whole=whole)
        for start in range(0, max(len(prior), 1), _BLOCK_AREAS)
    ]
    return Fitted(
        np.concatenate([block.people for block in blocks]),
        np.concatenate([block.contradicted for block in blocks]),
        np.concatenate([block.bounded for block in blocks]),
    )


def runs(bands: Sequence[Ages], spans: Sequence[Ages]) -> list[slice]:
    """Return for each span the run of bands it consists of."""
    starts = {band.age_from: number for number, band in enumerate(bands)}
    ends = {band.end: number + 1 for number, band in enumerate(bands)}
    return [slice(starts[span.age_from], ends[span.end]) for span in spans]


def _fit(prior: Floats, bands: Sequence[Ages], spans: Sequence[Ages], figures: Floats, *, whole: bool) -> Fitted:
    limits = _Limits(len(prior), len(bands))
    where = runs(bands, spans)
    known = ~np.isnan(figures)
    wanted = np.array(figures)
    for number in sorted(range(len(spans)), key=lambda n: (spans[n].end - spans[n].age_from, -spans[n].age_from)):
        wanted[:, number] = limits.nearest(where[number], figures[:, number])
        limits.fix(where[number], wanted[:, number], known[:, number])
    with np.errstate(invalid="ignore"):
        contradicted = known & (np.abs(wanted - figures) > CONTRADICTION * np.maximum(1.0, np.abs(figures)))
    people = _scaled(np.maximum(prior, CLOSE * np.maximum(1.0, prior.sum(axis=1, keepdims=True))), where, wanted)
    bounded = np.ones(len(prior), dtype=np.bool_)
    everywhere = np.ones(len(prior), dtype=np.bool_)
    for number in range(len(bands)):
        band = slice(number, number + 1)
        bounded &= np.isfinite(limits.most(band))
        near = np.round(people[:, number]) if whole else people[:, number]
        people[:, number] = np.maximum(limits.nearest(band, near), 0.0)
        limits.fix(band, people[:, number], everywhere)
    return Fitted(people, contradicted, bounded)


def _scaled(people: Floats, where: Sequence[slice], wanted: Floats) -> Floats:
    """Scale run after run to the number wanted (NaN: none), until nothing moves any more."""
    for _ in range(MAX_SWEEPS):
        moved = 0.0
        for number, run in enumerate(where):
            there = people[:, run].sum(axis=1)
            open_ = np.isnan(wanted[:, number]) | (there <= 0)
            ratio = np.where(open_, 1.0, wanted[:, number] / np.where(there > 0, there, 1.0))
            people[:, run] *= ratio[:, None]
            off = np.abs(ratio - 1.0) * (there > CLOSE)
            moved = max(moved, float(off.max(initial=0.0)))
        if moved < CLOSE:
            break
    return people


class _Limits:
    """The most residents that may lie between any two bounds of age, for all areas at once.

    ``_most[a, i, j]`` limits the residents below bound j less those below bound i; with j before i it is the negative
    of the least between them. It is kept as tight as the figures fixed so far make it (shortest paths).
    """

    def __init__(self, areas: int, bands: int) -> None:
        backwards = np.tri(bands + 1, dtype=np.bool_)
        self._most = np.broadcast_to(np.where(backwards, 0.0, np.inf), (areas, bands + 1, bands + 1)).copy()

    def most(self, run: slice) -> Floats:
        """Return the upper limit of a run of bands in each area."""
        limit: Floats = self._most[:, run.start, run.stop]
        return limit

    def nearest(self, run: slice, values: Floats) -> Floats:
        """Return the allowed number of residents in a run of bands that is nearest to each value; NaN stays."""
        low = -self._most[:, run.stop, run.start]
        near: Floats = np.minimum(np.maximum(values, low), self._most[:, run.start, run.stop])
        return near

    def fix(self, run: slice, values: Floats, known: NDArray[np.bool_]) -> None:
        """Fix the number of residents of a run of bands where it is known."""
        most, first, last = self._most, run.start, run.stop
        up = np.where(known, values, np.inf)[:, None, None]
        down = np.where(known, -values, np.inf)[:, None, None]
        forth = most[:, :, first, None] + up + most[:, None, last, :]
        back = most[:, :, last, None] + down + most[:, None, first, :]
        np.minimum(most, np.minimum(forth, back), out=most)
