"""The population surface in memory: where residents live and how old they are, read once per state of the data.

Everyone may see the surface, so it is kept for all viewers alike. Cells are numbered from 0 as stored; coordinates
are EPSG:25832 (metres); residents are fractions of people.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages, band_factors, tiling
from geodata.answer import read_state
from geodata.bulk import read_arrays
from geodata.database import unhurried
from geodata.indicators import POPULATION
from geodata.kept import Kept, database_of

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

NOWHERE = -1
# The visible surface and that of readers who began before the last import.
MOST_KEPT = 2
_MOST_LEVELS = 12


@dataclass(frozen=True)
class People:
    """The surface: ``xy`` (cells, 2), ``people`` (cells, bands), the age bands, and what it was made from.

    ``basis``: ``grid`` or ``area``; ``level``, ``dataset`` and ``period`` name the official figures it keeps (None:
    none). ``notes`` are sentences for footnotes.
    """

    xy: Floats
    people: Floats
    bands: list[Ages]
    basis: str
    level: str | None
    dataset: str | None
    period: str | None
    notes: list[str]
    positions: frozenset[str]
    _read: "Kept[tuple[Ints, Floats] | Ints]" = field(default_factory=lambda: Kept(_MOST_LEVELS))

    def of(self, ages: Ages) -> Floats | None:
        """Return the residents of these ages in each cell; None: the surface does not know such ages."""
        found = band_factors(ages, self.bands)
        if found is None:
            return None
        factors = np.array(found[0])
        used = np.flatnonzero(factors)
        residents: Floats = self.people[:, used] @ factors[used]
        return residents

    def total(self, ages: Ages) -> float:
        """Return all residents of these ages; NaN: the surface does not know such ages."""
        found = band_factors(ages, self.bands)
        return float("nan") if found is None else float(self._sums @ np.array(found[0]))

    @cached_property
    def _sums(self) -> Floats:
        sums: Floats = self.people.sum(axis=0)
        return sums

    def is_estimated(self, ages: Ages) -> bool:
        """Tell whether residents of these ages had to be divided by years of age, or by the grid's coarse groups."""
        found = band_factors(ages, self.bands)
        if found is None or found[1] or not self.positions:
            return True
        official = tiling(ages, self.positions)
        return official is None or official.estimated

    def owner(self, session: Session, level: str) -> Ints:
        """Return for each cell the number of its area among the visible areas of the level, ordered by key."""

        def read() -> Ints:
            owner = np.full(len(self.xy), NOWHERE, dtype=np.int64)
            with unhurried(session):
                for number, cells in session.execute(text(_OWNERS), {"level": level}):
                    # An array in its binary form: a head of 20 bytes, then width and value of each.
                    owner[np.frombuffer(cells, dtype=">i4", offset=20)[1::2] - 1] = number
            return owner

        made = self._read.get(("owner", level), read)
        assert isinstance(made, np.ndarray)  # noqa: S101 - the key says so
        return made

    def snaps(self, session: Session, mode: str) -> tuple[Ints, Floats]:
        """Return for each cell its node in the network (−1: none) and how far it is in metres (NaN: none)."""

        def read() -> tuple[Ints, Floats]:
            query = f"SELECT cell, node, distance_m FROM cell_snap_visible WHERE mode = '{mode}'"  # walk or bike
            with unhurried(session):
                found = read_arrays(session, query, {"cell": "i4", "node": "i4", "m": "f8"})
            node = np.full(len(self.xy), -1, dtype=np.int64)
            metres = np.full(len(self.xy), np.nan)
            node[found["cell"] - 1], metres[found["cell"] - 1] = found["node"], found["m"]
            return node, metres

        made = self._read.get(("snaps", mode), read)
        assert isinstance(made, tuple)  # noqa: S101 - the key says so
        return made


_OWNERS = """
WITH area AS (SELECT key, row_number() OVER (ORDER BY key COLLATE "C") - 1 AS number
              FROM area_visible WHERE level = :level)
SELECT area.number, array_send(array_agg(s.cell))
FROM surface_area_visible s JOIN area ON area.key = s.area_key WHERE s.level = :level
GROUP BY area.number
"""

_surfaces: "Kept[People | None]" = Kept(MOST_KEPT)


def people_of(session: Session) -> People | None:
    """Return the population surface that this transaction sees; None: there are no residents."""
    key = (*database_of(session), read_state(session).data_version)
    return _surfaces.get(key, lambda: _read_people(session))


def _read_people(session: Session) -> People | None:
    made = session.execute(text("SELECT basis, level, dataset, period, notes FROM surface_visible")).one_or_none()
    if made is None:
        return None
    bands = [
        Ages(*row) for row in session.execute(text("SELECT age_from, age_to FROM surface_band_visible ORDER BY number"))
    ]
    with unhurried(session):
        found = read_arrays(
            session,
            "SELECT cell, geom, people FROM surface_cell_visible",
            {"cell": "i4", "geom": "point", "people": f"f8[{len(bands)}]"},
        )
    # Read as they lie and put in order here: sorting in the database would cost more than reading.
    order = found["cell"] - 1
    xy, people = np.empty_like(found["geom"]), np.empty_like(found["people"])
    xy[order], people[order] = found["geom"], found["people"]
    return People(xy, people, bands, made.basis, made.level, made.dataset, made.period, list(made.notes),
                  _positions(session, made.level, made.dataset, made.period))  # fmt: skip


def _positions(session: Session, level: str | None, dataset: str | None, period: str | None) -> frozenset[str]:
    found = session.execute(
        text("""
            SELECT DISTINCT position FROM observation_visible
            WHERE indicator = :population AND level = :level AND dataset = :dataset AND period = :period
              AND scenario = 'ist' AND value IS NOT NULL
        """),
        {"population": POPULATION, "level": level, "dataset": dataset, "period": period},
    ).scalars()
    return frozenset(found)
