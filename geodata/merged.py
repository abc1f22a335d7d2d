"""Merged areas: counts of residents that statistics publish for several areas together, split over the members.

Only counts of residents are split: ``population`` and what the catalogue calls residents. Everything else stays with
the merged area. A split figure is an estimate; the members' figures add up to the published one exactly, and whole
figures are split into whole residents.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages, bands, parse_position
from geodata.bulk import raw_connection
from geodata.calibrate import fit, runs
from geodata.indicators import POPULATION, indicators_of
from geodata.surface_cells import Areas, by_bands

Floats = NDArray[np.float64]
Groups = Callable[[str], tuple[Floats, list[Ages]] | None]

_KEY = ("import_id", "level", "area_key", "indicator", "position", "period", "scenario")


@dataclass(slots=True)
class Split:
    """What was split: how many figures, and the merged areas that could not be (a member has no geometry)."""

    figures: int = 0
    areas: set[tuple[str, str]] = field(default_factory=set)
    left: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Series:
    """The figures of one merged area that belong together, by position."""

    import_id: int
    level: str
    merged_key: str
    indicator: str
    period: str
    scenario: str


def rebuild(session: Session, areas: Mapping[str, Areas], groups: Groups) -> Split:
    """Split all visible counts of residents of merged areas anew.

    ``areas``: the areas with geometry by level. ``groups``: residents of the census grid per area of a level
    (areas, groups) with the ages of the groups; None without a grid. The grid as published decides how ages are
    split, the size of the areas where there is no grid or nobody lives. A figure of which a member has its own in
    the same import is not split.
    """
    session.execute(text("DELETE FROM observation_split"))
    made = Split()
    rows: list[tuple[object, ...]] = []
    names: dict[tuple[str, str], str] = {}
    for series, (name, members, figures) in _published(session).items():
        names[series.level, series.merged_key] = name
        weights = _Weights.of(areas.get(series.level), members, groups)
        if weights is None:
            made.left.add((series.level, name))
            continue
        made.areas.add((series.level, name))
        made.figures += len(figures)
        for position, parts in _split(series, figures, weights).items():
            rows += [
                (series.import_id, series.level, member, series.indicator, position, series.period, series.scenario,
                 series.merged_key, value)
                for member, value in zip(members, parts.tolist(), strict=True)
            ]  # fmt: skip
    statement = f"COPY observation_split ({', '.join(_KEY)}, merged_key, value) FROM STDIN"
    with raw_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
    return made


def _published(session: Session) -> dict[_Series, tuple[str, list[str], dict[str, float]]]:
    codes = session.execute(
        text("""
            SELECT DISTINCT o.indicator FROM dataset d
            JOIN observation o ON o.import_id = d.current_import_id
            JOIN merged_area m ON m.level = o.level AND m.key = o.area_key
        """)
    ).scalars()
    residents = sorted(code for code, info in indicators_of(session, list(codes)).items() if info.residents)
    if not residents:
        return {}
    found = session.execute(
        text("""
            SELECT o.import_id, o.level, o.area_key, o.indicator, o.period, o.scenario, o.position, o.value, m.name,
                   m.members
            FROM dataset d
            JOIN observation o ON o.import_id = d.current_import_id
            JOIN merged_area m ON m.level = o.level AND m.key = o.area_key
            WHERE o.indicator = ANY (:residents) AND o.value >= 0 AND NOT EXISTS (
                SELECT FROM observation own
                WHERE own.import_id = o.import_id AND own.level = o.level AND own.area_key = ANY (m.members)
                  AND own.indicator = o.indicator AND own.position = o.position AND own.period = o.period
                  AND own.scenario = o.scenario AND own.value IS NOT NULL)
            ORDER BY o.import_id, o.level, o.area_key, o.indicator, o.period, o.scenario, o.position
        """),
        {"residents": residents},
    )
    series: dict[_Series, tuple[str, list[str], dict[str, float]]] = {}
    for row in found:
        key = _Series(row.import_id, row.level, row.area_key, row.indicator, row.period, row.scenario)
        series.setdefault(key, (row.name, list(row.members), {}))[2][row.position] = row.value
    return series


@dataclass(frozen=True, slots=True)
class _Weights:
    """By what the members of a merged area share: residents of the grid by groups, and m² where nobody lives."""

    residents: Floats
    ages: list[Ages]
    square_metres: Floats

    @classmethod
    def of(cls, areas: Areas | None, members: Sequence[str], groups: Groups) -> "_Weights | None":
        if areas is None or not set(members) <= set(areas.keys):
            return None
        numbers = [areas.keys.index(member) for member in members]
        size = shapely.area(areas.shapes[numbers])
        found = groups(areas.level)
        if found is None:
            return cls(np.zeros((len(members), 1)), [Ages(0)], size)
        return cls(found[0][numbers], found[1], size)

    def by_bands(self, wanted: Sequence[Ages]) -> Floats:
        """Return the members' shares of each band (members, bands); their sum is 1 in every band."""
        weight = by_bands(self.residents, self.ages, wanted)
        everyone = self.residents.sum(axis=1)
        instead = everyone if everyone.sum() > 0 else self.square_metres
        weight = np.where(weight.sum(axis=0) > 0, weight, instead[:, None])
        shares: Floats = weight / weight.sum(axis=0)
        return shares


def _split(series: _Series, figures: Mapping[str, float], weights: _Weights) -> dict[str, Floats]:
    """Return the members' parts of each figure."""
    spans = {position: parse_position(position) for position in figures}
    aged = {position: span for position, span in spans.items() if span is not None}
    parts: dict[str, Floats] = {}
    if series.indicator == POPULATION and aged:
        parts = _split_by_age({position: figures[position] for position in aged}, aged, weights)
    for position, value in figures.items():
        if position not in parts:
            share = weights.by_bands([spans[position] or Ages(0)])[:, 0]
            parts[position] = apportion(value, share)
    return parts


def _split_by_age(figures: Mapping[str, float], spans: Mapping[str, Ages], weights: _Weights) -> dict[str, Floats]:
    """Split figures by age so that they also fit together: through the bands that all of them are made of.

    Left out is a figure that contradicts finer ones.
    """
    cut = bands(spans.values())
    values = np.array(list(figures.values()))
    whole = bool((values == np.round(values)).all())
    prior = by_bands(weights.residents, weights.ages, cut).sum(axis=0, keepdims=True)
    fitted = fit(prior, cut, list(spans.values()), values[None, :], whole=whole)
    shares = weights.by_bands(cut)
    divided = _whole_parts(fitted.people[0], shares) if whole else shares * fitted.people[0]
    return {
        position: divided[:, run].sum(axis=1)
        for position, run, contradicted in zip(
            figures, runs(cut, list(spans.values())), fitted.contradicted[0].tolist(), strict=True
        )
        if not contradicted
    }


def _whole_parts(people: Floats, shares: Floats) -> Floats:
    """Divide whole residents band by band (members, bands), carrying on what rounding gave or took before.

    Without the carry, the smallest member would lose every band of a few residents to the largest.
    """
    parts = np.zeros(shares.shape)
    due = np.zeros(len(shares))
    for band, number in enumerate(people):
        due += number * shares[:, band]
        parts[:, band] = np.floor(number * shares[:, band])
        for _ in range(round(number - parts[:, band].sum())):
            parts[np.argmax(np.where(shares[:, band] > 0, due - parts[:, band], -np.inf)), band] += 1
        due -= parts[:, band]
    return parts


def apportion(value: float, shares: Floats) -> Floats:
    """Divide a number by shares (sum 1); a whole number into whole ones (largest remainder, ties to the first)."""
    exact = value * shares
    if value != round(value):
        return exact
    parts = np.floor(exact + 1e-9)
    rest = round(value - parts.sum())
    parts[np.argsort(parts - exact, kind="stable")[:rest]] += 1
    return parts


def words(split: Split) -> Iterable[str]:
    """Yield the footnotes a split needs."""
    if split.areas:
        named = ", ".join(name for _level, name in sorted(split.areas))
        yield (
            f"Zusammengefasst veröffentlichte Gebiete ({named}) sind nach Einwohnern auf ihre Teile aufgeteilt "
            "(geschätzt)."
        )
    if split.left:
        named = ", ".join(name for _level, name in sorted(split.left))
        yield f"Nicht aufgeteilt, weil die Karte Teile davon nicht kennt: {named}."
