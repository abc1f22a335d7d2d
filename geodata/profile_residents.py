"""Residents of one area by age and over time, for its profile: published figures of its own level, else the surface.

Published figures are never mixed with the surface, nor figures that were counted in different ways. A span of ages is
put together from the positions there are (``ages.tiling``); what cannot be put together is missing, never 0.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages, band_factors, bands, parse_position, tiling
from geodata.answer import Source, read_sources
from geodata.coverage.people import People
from geodata.indicators import POPULATION
from geodata.periods import spoken
from geodata.rounding import cleaned

UNDER_18, UNDER_21, EVERYBODY = Ages(0, 18), Ages(0, 21), Ages(0)
GROUPS: tuple[Ages, ...] = (UNDER_18, UNDER_21, EVERYBODY)
# Where there are single years of age, so many bars say nothing: then these bounds are kept.
_MOST_BANDS = 10
_BOUNDS = frozenset({0.0, 3.0, 6.0, 10.0, 14.0, 18.0, 21.0, 27.0, 45.0, 65.0, math.inf})

Basis: TypeAlias = Literal["published", "surface"]
DOUBTS: tuple[Literal["estimated", "provisional"], ...] = ("estimated", "provisional")
# Ages from here on are no concern of youth welfare.
YOUNG = 27

Flag: TypeAlias = Literal["ok", "estimated", "provisional", "missing", "suppressed"]


@dataclass(frozen=True, slots=True)
class Count:
    """Residents of a span of ages in a period; ``value`` None: missing or suppressed, as ``flag`` says."""

    value: float | None
    flag: Flag = "ok"


MISSING = Count(None, "missing")


@dataclass(frozen=True, slots=True)
class Residents:
    """Residents of an area. ``basis``: where the latest figures come from; None: nothing is known.

    ``period``: of the latest figures, ``counts`` by span, for the ``bands`` (disjoint, in order) and the groups.
    ``periods``: all with published figures at this level, oldest first, and ``history`` by span and period: published
    figures only. What is not there is missing.
    """

    basis: Basis | None = None
    period: str = ""
    bands: tuple[Ages, ...] = ()
    counts: Mapping[Ages, Count] = field(default_factory=dict)
    periods: tuple[str, ...] = ()
    history: Mapping[tuple[Ages, str], Count] = field(default_factory=dict)
    sources: Sequence[Source] = ()
    notes: Sequence[str] = ()

    def of(self, span: Ages) -> Count:
        """Return the residents of a span in the latest period."""
        return self.counts.get(span, MISSING)

    def series(self, span: Ages) -> list[tuple[str, Count]]:
        """Return a span's published residents in every period, oldest first."""
        return [(period, self.history.get((span, period), MISSING)) for period in self.periods]

    def trends(self) -> list[Ages]:
        """Return the groups and bands of the young that are known in at least two periods, groups first."""
        young = [span for span in self.bands if span.end <= YOUNG]
        spans = dict.fromkeys([UNDER_18, UNDER_21, *young])
        return [span for span in spans if sum(count.value is not None for _p, count in self.series(span)) > 1]


@dataclass(frozen=True, slots=True)
class _Block:
    """Figures of one dataset and counting for one period, by position."""

    period: str
    ends: date
    dataset: str
    counting: str | None
    counts: dict[str, Count]


def residents_of(session: Session, level: str, key: str, people: People | None) -> Residents:
    """Return the residents of a visible area: published ones where these tell the ages of the young apart.

    Where they do not, the latest figures are the surface's, and the published ones remain as history.
    """
    blocks = _blocks(session, level, key)
    published = Residents()
    if any(_known(block) for block in blocks):
        published = _published(session, level, blocks, people)
    if people is None or sum(span.end <= YOUNG for span in published.bands) > 1:
        return published
    surface = _of_surface(session, level, key, people)
    if surface.basis is None:
        return published
    sources = tuple(dict.fromkeys([*surface.sources, *published.sources]))
    return replace(
        surface, periods=published.periods, history=published.history, sources=sources,
        notes=[*surface.notes, *published.notes],
    )  # fmt: skip


def _blocks(session: Session, level: str, key: str) -> list[_Block]:
    found = session.execute(
        text("""
            SELECT DISTINCT ON (period, dataset, counting, position)
                   period, ends, dataset, counting, position, value, flag, merged_key IS NOT NULL AS split
            FROM observation_visible
            WHERE indicator = :population AND level = :level AND area_key = :key AND scenario = 'ist'
            ORDER BY period, dataset, counting, position, merged_key NULLS FIRST
        """),
        {"population": POPULATION, "level": level, "key": key},
    ).all()
    made: dict[tuple[str, str, str | None], _Block] = {}
    for row in found:
        if parse_position(row.position) is None:
            continue
        block = made.setdefault(
            (row.period, row.dataset, row.counting), _Block(row.period, row.ends, row.dataset, row.counting, {})
        )
        block.counts[row.position] = Count(row.value, "estimated" if row.split else row.flag)
    return list(made.values())


def _periods(session: Session, level: str) -> list[str]:
    """Return the periods for which any area of a level has figures, oldest first: one without this area is a gap."""
    found = session.execute(
        text("""
            SELECT DISTINCT period, ends, starts FROM observation_visible
            WHERE indicator = :population AND level = :level AND scenario = 'ist' AND value IS NOT NULL
        """),
        {"population": POPULATION, "level": level},
    )
    return [row.period for row in sorted(found, key=lambda row: (row.ends, row.starts, row.period))]


def _published(session: Session, level: str, blocks: list[_Block], people: People | None) -> Residents:
    own = None if people is None else people.dataset
    # The dataset behind the surface first, then the one that tells more ages apart.
    blocks.sort(key=lambda one: (one.dataset != own, -len(one.counts), one.dataset, one.counting or ""))
    periods = _periods(session, level)
    latest = _latest(blocks, periods)
    main = next(block for block in blocks if block.period == latest and _known(block))
    spans = _bands([span for position in _known(main) if (span := parse_position(position)) is not None])
    history: dict[tuple[Ages, str], Count] = {}
    used: set[str] = set()
    for period in periods:
        comparable = [one for one in blocks if one.period == period and one.counting == main.counting]
        for span in dict.fromkeys([*spans, *GROUPS]):
            history[span, period], dataset = _tiled(span, comparable)
            used |= {dataset} if dataset is not None else set()
    notes = []
    if any(block.counting != main.counting for block in blocks):
        notes.append("Einwohnerzahlen anderer Zählweise sind weggelassen; sie lassen sich nicht vergleichen.")
    if any(count.flag == "estimated" for count in history.values()):
        notes.append("Einzelne Einwohnerzahlen sind geschätzt, weil die Quelle mehrere Gebiete zusammen nennt.")
    counts = {span: history[span, latest] for span in dict.fromkeys([*spans, *GROUPS])}
    return Residents(
        "published", latest, tuple(spans), counts, tuple(periods), history,
        read_sources(session, "statistics", used), notes,
    )  # fmt: skip


def _known(block: _Block) -> list[str]:
    return [position for position, count in block.counts.items() if count.value is not None]


def _latest(blocks: Iterable[_Block], periods: Sequence[str]) -> str:
    """Return the latest period in which the young are known, or else anybody."""
    for span in GROUPS:
        fitting = {block.period for block in blocks if _tiled(span, [block])[0].value is not None}
        if fitting:
            return max(fitting, key=periods.index)
    return max((block.period for block in blocks if _known(block)), key=periods.index)


def _tiled(span: Ages, blocks: Iterable[_Block]) -> tuple[Count, str | None]:
    """Return the residents of a span by the first of the blocks that tells them exactly, and its dataset.

    Nothing is divided by years of age: a series would then rise and fall with the way it is published.
    """
    hidden = False
    for block in blocks:
        tiles = tiling(span, _known(block))
        if tiles is not None and not tiles.estimated:
            value = sum(factor * (block.counts[one].value or 0.0) for one, factor in tiles.factors.items())
            flags = {block.counts[one].flag for one in tiles.factors}
            flag: Flag = next((one for one in DOUBTS if one in flags), "ok")
            return Count(float(cleaned(np.array([value]))[0]), flag), block.dataset
        every = tiling(span, block.counts)
        hidden = hidden or (
            every is not None
            and not every.estimated
            and any(block.counts[one].flag == "suppressed" for one in every.factors)
        )
    return Count(None, "suppressed" if hidden else "missing"), None


def _bands(spans: Sequence[Ages]) -> list[Ages]:
    """Return the bands that spans tell apart; of very many only those between usual bounds."""
    fine = bands(spans)
    if len(fine) <= _MOST_BANDS:
        return fine
    # Bounds that hold in the fine bands, so that every coarse band is a sum of fine ones.
    cut = sorted({float(one.age_from) for one in fine} & _BOUNDS | ({one.end for one in fine} & _BOUNDS))
    coarse = [Ages(int(low), None if math.isinf(high) else int(high)) for low, high in pairwise(cut)]
    return [one for one in coarse if band_factors(one, fine) is not None]


def _of_surface(session: Session, level: str, key: str, people: People) -> Residents:
    """Return what the population surface knows of an area; nothing of one without cells and without map."""
    row = session.execute(
        text("""
            SELECT number, mapped FROM (
                SELECT key, row_number() OVER (ORDER BY key COLLATE "C") - 1 AS number, geom IS NOT NULL AS mapped
                FROM area_visible WHERE level = :level) numbered
            WHERE key = :key
        """),
        {"level": level, "key": key},
    ).one()
    inside = people.owner(session, level) == row.number
    if not row.mapped or (people.basis == "area" and not inside.any()):
        return Residents()
    sums = people.people[inside].sum(axis=0)
    period = people.period or ""
    spans = _bands(people.bands)
    counts: dict[Ages, Count] = {}
    for span in dict.fromkeys([*spans, *GROUPS]):
        found = band_factors(span, people.bands)
        if found is not None:
            value = float(cleaned(np.array([sums @ np.array(found[0])]))[0])
            counts[span] = Count(value, "estimated" if people.is_estimated(span) else "ok")
    when = f" (Zeitraum {spoken(period)})" if period else ""
    said = (
        f"Die Einwohner des Gebiets nach Alter sind aus den Wohnpunkten auf der Karte summiert{when}, weil es für "
        "seine Ebene keine veröffentlichten Zahlen nach Alter gibt."
    )
    return Residents(
        "surface", period, tuple(spans), counts, sources=people.sources(session), notes=[said, *people.notes]
    )
