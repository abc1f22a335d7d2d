"""The question "where is something missing, and where first": coverage against a standard, weighted by need.

What is asked is filled in by ``geodata.gap_request``; what is needed, what is missing and how areas are ranked is
computed in ``geodata.gap_ranks``, said in ``geodata.gap_reasons`` and ``geodata.gap_notes``. This module brings
coverage, standard and indicators together and puts them into rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from geodata import gap_notes as notes
from geodata.answer import Answer, Source, page_after, read_sources
from geodata.areas import require_level
from geodata.coverage.answer import coverage
from geodata.coverage.request import CoverageRow
from geodata.errors import ParameterError
from geodata.figure_tables import WITHOUT_AREA
from geodata.gap_ranks import PER, UNRANKED, Need, Ranked, rank_areas
from geodata.gap_reasons import Place, Reasons
from geodata.gap_request import Asked, GapsRequest, NeedIndicator, filled
from geodata.indicator_values import IndicatorValues, values_at

__all__ = ["GapRow", "GapsRequest", "NeedIndicator", "gaps"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GapRow(CoverageRow):
    """Coverage of one area and what it lacks.

    ``standard``: per 1,000 residents, for reach a share. ``needed`` and ``deficit``: places or hours per week, for
    reach residents; ``deficit_per_1000`` residents. ``need_index``: weighted mean of z-scores. ``rank`` 1 is the
    greatest ``priority``; equal ones share it; ``rank_low`` (best) to ``rank_high`` (worst): its range when assumptions
    move. None: not known, ``reason`` says why. ``flag`` is ``estimated`` also where an indicator of need is.
    """

    standard: float
    needed: float | None
    deficit: float | None
    deficit_per_1000: float | None
    need_index: float | None
    priority: float | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    reason: str


def gaps(session: Session, request: GapsRequest, asked: Asked | None = None) -> Answer[GapRow]:
    """Return what areas lack, ordered by rank, then key; those not ranked last, ``ohne`` at the very end.

    Ranks compare the areas asked about. ``asked``: the request filled in, where that was done before. Raises
    ``ParameterError`` for an unknown standard or indicator, a value that contradicts the standard, numbers out of
    bounds, and whatever coverage refuses; ``ConflictError`` as coverage does.
    """
    level = require_level(session, request.level)
    asked = filled(session, request) if asked is None else asked
    covered = coverage(session, asked.coverage)
    found = [
        _values(session, request, one, [row.area_key for row in covered.rows if row.area_key != WITHOUT_AREA])
        for one in asked.need
    ]
    ranked = _ranked(asked, covered.rows, found)
    rows = _rows(asked, covered.rows, ranked, found)
    page, following = page_after(rows, [row.area_key for row in rows], request.after, request.limit)
    areas = [(row.area_name, row.rank_low, row.rank_high) for row in rows if row.area_key != WITHOUT_AREA]
    meta = covered.meta
    catalogue = {asked.stored.dataset} if asked.stored is not None else set()
    figures = {name for one in found for name in one.datasets}
    meta.title = f"Bestand und Bedarf · {meta.title}"
    meta.method = notes.method(asked, found, meta.method)
    meta.unit = notes.unit(asked.coverage)
    meta.sources = _once(
        [*meta.sources, *read_sources(session, "statistics", figures), *read_sources(session, "catalogue", catalogue)]
    )
    meta.missing = sum(row.rank is None and row.area_key != WITHOUT_AREA for row in page)
    # Two indicators may rest on the same assumption.
    meta.warnings = list(dict.fromkeys([*notes.warnings(asked, areas, found, level.title), *meta.warnings]))
    meta.next = following
    return Answer(meta, page)


def _values(session: Session, request: GapsRequest, one: NeedIndicator, keys: Sequence[str]) -> IndicatorValues:
    """Return an indicator's values; what is wrong with it is wrong with ``need``."""
    try:
        return values_at(session, request.level, keys, one.code, one.position, request.period)
    except ParameterError as error:
        if error.parameter in {"indicator", "position"}:
            raise ParameterError("need", str(error), error.allowed) from None
        raise


def _ranked(asked: Asked, covered: Sequence[CoverageRow], found: Sequence[IndicatorValues]) -> Ranked:
    residents = _column([row.population for row in covered])
    without = np.array([row.area_key == WITHOUT_AREA for row in covered], dtype=np.bool_)
    if asked.coverage.measure == "supply":
        have = _column([row.supply for row in covered])
    elif asked.coverage.measure == "reach":
        have = _column([row.reached for row in covered])
    else:
        have = _column([row.access_index for row in covered]) * residents / PER
    # Where nobody lives nothing is needed, whatever there is; what lies in no area is nowhere to build.
    have = np.where(residents == 0, 0.0, np.where(without, np.nan, have))
    if not asked.need:
        return rank_areas(asked.standard, residents, have)
    inside = np.full((len(found), len(covered)), np.nan)
    inside[:, ~without] = [one.values for one in found]
    weights = np.array([one.weight * one.direction for one in asked.need])
    return rank_areas(asked.standard, residents, have, Need(inside, weights, asked.need_weight))


def _column(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _rows(
    asked: Asked, covered: Sequence[CoverageRow], ranked: Ranked, found: Sequence[IndicatorValues]
) -> list[GapRow]:
    names = [one.name for one in fields(CoverageRow)]
    values = attrgetter(*names)
    request = asked.coverage
    reasons = Reasons(request.measure, request.ages, request.minutes, request.supply_unit, asked.value)
    made = []
    for i, row in enumerate(covered):
        without = row.area_key == WITHOUT_AREA
        place = Place(
            needed=_given(ranked.needed[i]),
            deficit=None if without else _given(ranked.deficit[i]),
            deficit_per_1000=_given(ranked.deficit_per_1000[i]),
            need_index=_given(ranked.need_index[i]),
            rank=int(ranked.rank[i]),
            low=int(ranked.low[i]),
            high=int(ranked.high[i]),
            lacking=() if without else [one.info.title for one in found if np.isnan(one.values[i])],
        )
        there = place.rank != UNRANKED
        own = dict(zip(names, values(row), strict=True))
        if row.flag == "ok" and not without and any(one.estimated[i] for one in found):
            own["flag"] = "estimated"
        made.append(GapRow(
            **own,
            standard=asked.value,
            needed=place.needed,
            deficit=place.deficit,
            deficit_per_1000=place.deficit_per_1000,
            need_index=place.need_index,
            priority=_given(ranked.priority[i]),
            rank=place.rank if there else None,
            rank_low=place.low if there else None,
            rank_high=place.high if there else None,
            reason=reasons.of(row, place),
        ))  # fmt: skip
    # By key already; the sort keeps that among equals.
    return sorted(made, key=lambda row: (row.rank is None, row.rank or 0, row.area_key == WITHOUT_AREA))


def _given(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _once(sources: Sequence[Source]) -> list[Source]:
    return list({source.dataset: source for source in sources}.values())
