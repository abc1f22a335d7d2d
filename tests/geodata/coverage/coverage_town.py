"""The little city of ``hand_rows`` with people on it: a surface written by hand, with numbers one can reckon with.

One cell lies in the middle of each Gebiet, one outside the city; bands of age are 0-6, 6-10, 10-14, 14-18 and 18-.
"""

from collections.abc import Mapping
from typing import Any

from hand_rows import TODAY, Rows, point
from sqlalchemy import Engine

from geodata.ages import Ages
from geodata.coverage.answer import coverage
from geodata.coverage.request import CoverageRequest, CoverageRow
from geodata.database import Access, reading
from geodata.viewer import Viewer

BANDS = [(0, 6), (6, 10), (10, 14), (14, 18), (18, None)]
CELLS: dict[str, tuple[tuple[float, float], list[float]]] = {
    "111": ((500, 500), [60, 40, 40, 40, 200]),
    "112": ((500, 1500), [30, 20, 20, 20, 100]),
    "121": ((1500, 500), [10, 10, 10.5, 9.5, 60]),
    "122": ((1500, 1500), [0, 0, 0, 0, 50]),
    "211": ((2500, 500), [20, 20, 20, 20, 100]),
    "212": ((2500, 1500), [5, 5, 5, 5, 20]),
    "221": ((3500, 500), [0, 0, 0, 0, 0.5]),
    "222": ((3500, 1500), [40, 40, 40, 40, 40]),
    "": ((9000, 9000), [1, 2, 3, 4, 5]),
}


def people(rows: Rows, cells: Mapping[str, tuple[tuple[float, float], list[float]]] | None = None) -> None:
    """Write the surface: each cell lies in its Gebiet, Stadtteil and Bezirk, in a Sozialraum by its place."""
    rows.insert("surface", basis="grid", notes=["Erdachte Einwohner."])
    for number, (low, high) in enumerate(BANDS, start=1):
        rows.insert("surface_band", number=number, age_from=low, age_to=high)
    for number, (key, (at, own)) in enumerate((CELLS if cells is None else cells).items(), start=1):
        rows.insert("surface_cell", cell=number, geom=point(*at), people=[float(n) for n in own], calibrated=True)
        levels = {"statgebiet": key, "stadtteil": key[:2], "bezirk": key[:1]} if key else {}
        if 500 <= at[0] < 1500 and key:
            levels["sozialraum"] = "S1"
        elif 2500 <= at[0] < 3500 and key:
            levels["sozialraum"] = "S2"
        for level, area_key in levels.items():
            rows.insert("surface_area", cell=number, level=level, area_key=area_key)
    changed(rows)


def changed(rows: Rows) -> None:
    """Raise the data version, as every import does."""
    from sqlalchemy import text

    rows.session.execute(text("UPDATE instance_state SET data_version = data_version + 1"))


def asked(engine: Engine, viewer: Viewer | None = None, **request: Any) -> dict[str, CoverageRow]:
    """Ask and return the rows by key."""
    return {row.area_key: row for row in answer(engine, viewer, **request).rows}


def answer(engine: Engine, viewer: Viewer | None = None, **request: Any) -> Any:
    given = {"level": "stadtteil", "on": TODAY, "categories": ("okja",)} | request
    with reading(engine, Access(viewer) if viewer else None) as session:
        return coverage(session, CoverageRequest(**given))


def residents(key: str, ages: Ages) -> float:
    """The residents of all cells whose key begins so, of ages that bands make up exactly."""
    which = [i for i, (low, high) in enumerate(BANDS)
             if low >= ages.age_from and ((high is None and ages.age_to is None)
                                          or (high is not None and high <= ages.end))]  # fmt: skip
    return sum(sum(own[i] for i in which) for name, (_at, own) in CELLS.items() if name.startswith(key))
