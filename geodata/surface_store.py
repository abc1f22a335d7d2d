"""The population surface in the database: written whole, by COPY, and read back where only its areas change."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import crosswalk
from geodata.ages import Ages
from geodata.bulk import arrays, points, raw_connection, read_arrays, write_arrays
from geodata.database import refresh_statistics
from geodata.figures import Choice
from geodata.surface_cells import NOWHERE, Areas, owners
from geodata.tables import SRID

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_TABLES = ("surface", "surface_band", "surface_cell", "surface_area", "crosswalk")


@dataclass(slots=True)
class Cells:
    """The cells of a surface: points (n, 2) in EPSG:25832, residents (n, bands), whether scaled to official figures.

    ``owner``: per level the number of each cell's area (``NOWHERE``: in none).
    """

    xy: Floats
    people: Floats
    calibrated: Flags
    owner: dict[str, Ints]

    def inhabited(self) -> "Cells":
        """Return the cells in which somebody lives."""
        which = self.people.sum(axis=1) > 0
        owner = {level: numbers[which] for level, numbers in self.owner.items()}
        return Cells(self.xy[which], self.people[which], self.calibrated[which], owner)

    def joined(self, other: "Cells") -> "Cells":
        """Return these cells and then the others; both know the same levels."""
        return Cells(
            np.vstack([self.xy, other.xy]),
            np.vstack([self.people, other.people]),
            np.concatenate([self.calibrated, other.calibrated]),
            {level: np.concatenate([numbers, other.owner[level]]) for level, numbers in self.owner.items()},
        )


def clear(session: Session) -> None:
    """Empty the surface and all that follows from it, where there is one."""
    if session.execute(text("SELECT EXISTS (SELECT FROM surface)")).scalar_one():
        # TRUNCATE would make readers wait until the import is done.
        for table in _TABLES:
            session.execute(text(f"DELETE FROM {table}"))
        _snap(session)


def write(
    session: Session, cells: Cells, bands: list[Ages], *, basis: str, choice: Choice | None, notes: list[str]
) -> None:
    """Write the surface anew: what it was made from, its bands and cells, and the cells' snaps to the network."""
    for table in _TABLES:
        session.execute(text(f"DELETE FROM {table}"))
    session.execute(
        text("""
            INSERT INTO surface (basis, level, period, dataset, notes)
            VALUES (:basis, :level, :period, :dataset, :notes)
        """),
        {
            "basis": basis,
            "level": choice.level if choice else None,
            "period": choice.period if choice else None,
            "dataset": choice.dataset if choice else None,
            "notes": notes,
        },
    )
    session.execute(
        text("INSERT INTO surface_band (number, age_from, age_to) VALUES (:number, :age_from, :age_to)"),
        [{"number": i, "age_from": band.age_from, "age_to": band.age_to} for i, band in enumerate(bands, start=1)],
    )
    columns = {
        "cell": np.arange(1, len(cells.xy) + 1, dtype=np.int32),
        "geom": points(cells.xy, SRID),
        "people": arrays(cells.people),
        "calibrated": cells.calibrated,
    }
    write_arrays(session, "surface_cell", columns)
    refresh_statistics(session, ("surface_cell",))
    _snap(session)


def write_areas(session: Session, cells: Cells, areas: dict[str, Areas]) -> int:
    """Write in which areas the stored cells lie and the crosswalks between levels; return how many weights."""
    session.execute(text("DELETE FROM surface_area"))
    statement = "COPY surface_area (cell, level, area_key) FROM STDIN"
    with raw_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        for level, own in areas.items():
            keys = [key.translate(_COPY_TEXT) for key in own.keys]
            inside = np.flatnonzero(cells.owner[level] != NOWHERE)
            placed = zip((inside + 1).tolist(), cells.owner[level][inside].tolist(), strict=True)
            copy.write("".join([f"{cell}\t{level}\t{keys[area]}\n" for cell, area in placed]))
    refresh_statistics(session, ("surface_area",))
    return crosswalk.rebuild(session, cells.people, cells.owner, areas)


def stored(session: Session, areas: dict[str, Areas]) -> Cells:
    """Return the surface as it is stored, its cells in the areas as they are now."""
    number = session.execute(text("SELECT count(*) FROM surface_band")).scalar_one()
    found = read_arrays(
        session,
        "SELECT geom, people, calibrated FROM surface_cell ORDER BY cell",
        {"geom": "point", "people": f"f8[{number}]", "calibrated": "b"},
    )
    xy = found["geom"]
    owner = {level: owners(xy, own) for level, own in areas.items()}
    return Cells(xy, found["people"], found["calibrated"], owner)


_COPY_TEXT = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _snap(session: Session) -> None:
    from geodata.network import snap_cells  # noqa: PLC0415 - loads SciPy

    snap_cells(session)
