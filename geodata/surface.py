"""The population surface: residents by age on points, from the census grid and the official figures.

With a grid, its cells are scaled per area and band of age to the official figures of the finest level that has them;
without, the residents of each area are spread evenly over points every 100 m. Rebuilt in the transaction of whatever
import changes its inputs, with all that follows from it: areas of the cells, crosswalks, splits of merged areas, snaps
to the network.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import figures, merged, surface_store
from geodata.ages import Ages, bands
from geodata.calibrate import fit, runs
from geodata.figures import Official
from geodata.indicators import POPULATION
from geodata.surface_cells import (
    NOWHERE,
    Areas,
    Grid,
    add_up,
    by_bands,
    owners,
    points_inside,
    read_areas,
    read_grid,
)
from geodata.surface_notes import Notes
from geodata.surface_store import Cells

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(slots=True)
class _Ground:
    """What stands before any scaling: areas with geometry, the grid, and in which area each of its cells lies."""

    areas: dict[str, Areas]
    grid: Grid | None
    owner: dict[str, Ints] = field(init=False)

    def __post_init__(self) -> None:
        xy = np.empty((0, 2)) if self.grid is None else self.grid.xy
        self.owner = {level: owners(xy, areas) for level, areas in self.areas.items()}

    def groups(self, level: str) -> tuple[Floats, list[Ages]] | None:
        """Return the grid's residents per area of a level and group of age; None without a grid."""
        if self.grid is None:
            return None
        return add_up(self.grid.residents, self.owner[level], len(self.areas[level].keys)), self.grid.ages


def rebuild(session: Session, kind: str, import_id: int) -> dict[str, int]:
    """Rebuild the surface and what follows from it where an import of this kind has changed its inputs.

    ``kind``: ``areas``, ``statistics``, ``population`` or ``catalogue`` (which ranks datasets and says what counts
    residents); ``import_id``: the version just made visible. Returns what was counted, under German names.
    """
    if not _people_known(session):
        surface_store.clear(session)
        return {}
    if kind == "statistics" and not _speaks_of_people(session, import_id):
        return {}
    areas = read_areas(session)
    if kind == "areas" and _only_other_levels(session, import_id):
        return _counted(session, surface_store.stored(session, areas), areas)
    ground = _Ground(areas, read_grid(session))
    split = merged.rebuild(session, areas, ground.groups)
    counts = {"aufgeteilte Zahlen zusammengefasster Gebiete": split.figures} if split.figures else {}
    choice = figures.choose(session)
    official = None if choice is None else figures.read_official(session, choice, areas)
    notes = Notes(split=list(merged.words(split)))
    if ground.grid is not None:
        cut = bands([*ground.grid.ages, *(official.spans if official else ())])
        cells = _from_grid(ground, ground.grid, official, cut, notes)
    elif official is not None:
        cut = bands(official.spans)
        cells = _from_areas(ground, official, cut, notes)
    else:
        surface_store.clear(session)
        return counts
    cells = cells.inhabited()
    basis = "area" if ground.grid is None else "grid"
    surface_store.write(session, cells, cut, basis=basis, choice=choice, notes=notes.sentences())
    return counts | _counted(session, cells, areas)


def _counted(session: Session, cells: Cells, areas: dict[str, Areas]) -> dict[str, int]:
    weights = surface_store.write_areas(session, cells, areas)
    return {"bewohnte Punkte der Karte": len(cells.xy), "Gewichte zwischen Ebenen": weights}


def _people_known(session: Session) -> bool:
    found: bool = session.execute(
        text("""
            SELECT EXISTS (SELECT FROM dataset WHERE kind = 'population' AND current_import_id IS NOT NULL)
                OR EXISTS (SELECT FROM merged_area)
                OR EXISTS (SELECT FROM observation o JOIN dataset d ON d.current_import_id = o.import_id
                           WHERE o.indicator = :population)
        """),
        {"population": POPULATION},
    ).scalar_one()
    return found


def _speaks_of_people(session: Session, import_id: int) -> bool:
    """Tell whether this version or the one before holds residents, or figures of merged areas."""
    found: bool = session.execute(
        text("""
            SELECT EXISTS (
                SELECT FROM dataset d
                JOIN observation o ON o.import_id IN (d.current_import_id, d.previous_import_id)
                LEFT JOIN merged_area m ON m.level = o.level AND m.key = o.area_key
                WHERE d.current_import_id = :import_id AND (o.indicator = :population OR m.key IS NOT NULL))
        """),
        {"import_id": import_id, "population": POPULATION},
    ).scalar_one()
    return found


def _only_other_levels(session: Session, import_id: int) -> bool:
    """Tell whether the areas of this import leave the cells of the surface and all splits as they are."""
    held = session.execute(text("SELECT level, dataset, period FROM surface")).one_or_none()
    if held is None:
        return False
    changed = session.execute(
        text("""
            SELECT DISTINCT a.level FROM dataset d
            JOIN area a ON a.import_id IN (d.current_import_id, d.previous_import_id)
            WHERE d.current_import_id = :import_id
        """),
        {"import_id": import_id},
    ).scalars()
    depends = {held.level, *session.execute(text("SELECT DISTINCT level FROM merged_area")).scalars()}
    if depends & set(changed):
        return False
    choice = figures.choose(session)
    return tuple(held) == (None, None, None) if choice is None else tuple(held) == (
        choice.level, choice.dataset, choice.period,
    )  # fmt: skip


def _from_grid(ground: _Ground, grid: Grid, official: Official | None, cut: list[Ages], notes: Notes) -> Cells:
    """Return the cells of the grid, those in areas with official figures scaled to them."""
    prior = by_bands(grid.residents, grid.ages, cut)
    notes.grid(grid)
    if official is None:
        notes.uncalibrated()
        return Cells(grid.xy, prior, np.zeros(len(prior), dtype=np.bool_), ground.owner)
    areas = ground.areas[official.choice.level]
    own = ground.owner[areas.level]
    there = add_up(prior, own, len(areas.keys))
    wanted, spoken = _fitted(there, official, cut, areas, notes)
    notes.without_figures(areas.names, ~spoken, "grid")
    scaled = (own != NOWHERE) & spoken[own]
    people = prior.copy()
    people[scaled] = _scaled(prior[scaled], own[scaled], there, wanted)
    lonely = spoken & (there.sum(axis=1) == 0) & (wanted.sum(axis=1) > 0)
    notes.without_cells(areas.names, lonely)
    notes.outside(int(((own == NOWHERE) & (prior.sum(axis=1) > 0)).sum()))
    return Cells(grid.xy, people, scaled, ground.owner).joined(_even(ground, areas, wanted, lonely))


def _from_areas(ground: _Ground, official: Official, cut: list[Ages], notes: Notes) -> Cells:
    """Return points every 100 m with the residents of each area spread evenly over them."""
    areas = ground.areas[official.choice.level]
    notes.spread()
    wanted, spoken = _fitted(_usual_ages(official, cut), official, cut, areas, notes)
    notes.without_figures(areas.names, ~spoken, "area")
    return _even(ground, areas, wanted, spoken & (wanted.sum(axis=1) > 0))


def _fitted(prior: Floats, official: Official, cut: list[Ages], areas: Areas, notes: Notes) -> tuple[Floats, Flags]:
    """Return the residents (areas, bands) fitted to the official figures, and which areas have any of these."""
    fitted = fit(prior, cut, official.spans, official.figures)
    spoken: Flags = np.asarray(np.isfinite(official.figures).any(axis=1))
    notes.fitted(official, fitted, spoken, areas.names)
    return fitted.people, spoken


def _usual_ages(official: Official, cut: list[Ages]) -> Floats:
    """Return the age structure of all areas together, scaled to the widest figure known of each area."""
    years = by_bands(np.ones((1, 1)), [Ages(0)], cut)
    plain = fit(np.repeat(years, len(official.figures), axis=0), cut, official.spans, official.figures)
    usual = plain.people[plain.bounded].sum(axis=0) if plain.bounded.any() else years[0]
    size = np.full(len(official.figures), np.nan)
    where = runs(cut, official.spans)
    for number in sorted(range(len(where)), key=lambda n: official.spans[n].age_from - official.spans[n].end):
        expected = usual[where[number]].sum()
        if expected > 0:
            size = np.where(np.isnan(size), official.figures[:, number] / expected, size)
    scaled: Floats = np.nan_to_num(size)[:, None] * usual
    return scaled


def _scaled(prior: Floats, own: Ints, there: Floats, wanted: Floats) -> Floats:
    """Return the cells' residents scaled band by band to the number wanted in their area.

    A band of which the grid has nobody in the area is shared like the residents of all ages.
    """
    factor = np.divide(wanted, there, out=np.zeros_like(wanted), where=there > 0)
    everyone = there.sum(axis=1)
    share = np.divide(prior.sum(axis=1), everyone[own], out=np.zeros(len(prior)), where=everyone[own] > 0)
    scaled: Floats = prior * factor[own] + share[:, None] * np.where(there > 0, 0.0, wanted)[own]
    return scaled


def _even(ground: _Ground, areas: Areas, people: Floats, wanted: Flags) -> Cells:
    """Return points inside the wanted areas with the areas' residents spread evenly over them."""
    xy, own = points_inside(areas, wanted)
    number = np.bincount(own, minlength=len(wanted))
    owner = {level: own if level == areas.level else owners(xy, other) for level, other in ground.areas.items()}
    return Cells(xy, people[own] / number[own][:, None], np.ones(len(xy), dtype=np.bool_), owner)
