"""Reach on real networks, asked of the database and of networkx: what Heidelberg's and Altona's tests share."""

from dataclasses import dataclass
from typing import Any, Literal

import networkx as nx
import numpy as np
import pytest
from conftest import TODAY, Database
from coverage_town import BANDS, changed
from graphs_help import Floats, nearest_by_networkx, snapped, ways
from hand_rows import Rows
from pyproj import Transformer

from geodata.coverage.answer import coverage
from geodata.coverage.frame import frame_of
from geodata.coverage.people import people_of
from geodata.coverage.places import read_places
from geodata.coverage.request import CoverageRequest
from geodata.coverage.ways import ways_of
from geodata.database import reading, writing
from geodata.network import snap_cells
from geodata.point_reach import PointReachRequest, point_reach

TO_DEGREES = Transformer.from_crs(25832, 4326, always_xy=True)
METRES_PER_MINUTE = {"walk": 80.0, "bike": 250.0}
# An edge of no length (a gate one walks through) counts a thousandth of a millimetre.
NEAR: dict[str, float] = {"rel": 1e-9, "abs": 1e-3}


@dataclass(frozen=True)
class Judge:
    """What an independent reader knows: the graph, its nodes, where people live and places stand (EPSG:25832)."""

    mode: Literal["walk", "bike"]
    graph: "nx.DiGraph[Any]"
    xy: Floats
    cells: Floats
    people: Floats
    places: Floats

    def snaps(self, points: Floats) -> list[tuple[int, float]]:
        return snapped(self.xy, self.graph, points)


def scatter(database: Database, corner: Floats, opposite: Floats, cells: int, level: str) -> tuple[Floats, Floats]:
    """Let people live at random points of a box; each belongs to the area of the level it lies in."""
    chance = np.random.default_rng(20)
    xy = chance.uniform(corner, opposite, (cells, 2))
    people = chance.integers(0, 40, (cells, len(BANDS))).astype(float)
    with writing(database.writing) as session:
        rows = Rows(session)
        rows.insert("surface", basis="grid", notes=["Erdachte Einwohner."])
        for number, (low, high) in enumerate(BANDS, start=1):
            rows.insert("surface_band", number=number, age_from=low, age_to=high)
        for number, (at, own) in enumerate(zip(xy.tolist(), people.tolist(), strict=True), start=1):
            point = f"SRID=25832;POINT({at[0]!r} {at[1]!r})"
            rows.insert("surface_cell", cell=number, geom=point, people=own, calibrated=True)
        found = session.connection().exec_driver_sql(
            "INSERT INTO surface_area (cell, level, area_key) SELECT c.cell, a.level, a.key FROM surface_cell c "
            f"JOIN area_visible a ON a.level = '{level}' AND ST_Covers(a.geom, c.geom)"
        )
        assert found.rowcount == cells
        changed(rows)
        snap_cells(session)
    return xy, people


def require_reach(database: Database, judge: Judge, category: str, level: str, owner: list[str], minutes: int) -> None:
    """Every cell's way, some of them searched the other way round, and the rows of all areas."""
    cells, places = judge.snaps(judge.cells), judge.snaps(judge.places)
    expected = nearest_by_networkx(judge.graph, cells, places)
    assert np.isfinite(expected).any()
    some = np.random.default_rng(3).choice(len(cells), 5, replace=False).tolist()
    onwards = ways(judge.graph, [cells[i] for i in some], places).min(axis=0)
    assert onwards.tolist() == pytest.approx(expected[some].tolist(), **NEAR)
    request = CoverageRequest(level, TODAY, (category,), "reach", 6, 18, minutes, judge.mode)
    with reading(database.serving) as session:
        surface = people_of(session)
        assert surface is not None
        found_places = read_places(session, request, frame_of(session, request, surface))
        ours = ways_of(session, request, surface, found_places).travel.nearest()
        rows = {row.area_key: row for row in coverage(session, request).rows}
    assert ours.tolist() == pytest.approx(expected.tolist(), **NEAR)
    wanted = judge.people[:, [BANDS.index((6, 10)), BANDS.index((10, 14)), BANDS.index((14, 18))]].sum(axis=1)
    within = expected <= minutes * METRES_PER_MINUTE[judge.mode]
    assert 0 < within.sum() < len(within)
    for key in set(owner):
        own = np.array([name == key for name in owner])
        row, people = rows[key], wanted[own].sum()
        assert (row.population, row.reached) == (people, wanted[own & within].sum())
        assert row.unconnected == wanted[own & np.isinf(expected)].sum()
        order = np.argsort(expected[own])
        half = np.searchsorted(np.cumsum(wanted[own][order]), people / 2)
        median = expected[own][order][half]
        assert row.nearest_m == (pytest.approx(median, **NEAR) if np.isfinite(median) else None), key
    assert sum(row.reached or 0 for row in rows.values()) == wanted[within].sum()


def require_view(database: Database, judge: Judge, category: str, at: Floats, minutes: int) -> int:
    """From a point: the places by their way, and the residents of each age; returns how many places there are."""
    ((node, snap),) = judge.snaps(at[None])
    onwards = nx.single_source_dijkstra_path_length(judge.graph, node, weight="m")

    def metres(points: Floats) -> Floats:
        return np.array([snap + onwards.get(n, np.inf) + m for n, m in judge.snaps(points)])

    limit_m = minutes * METRES_PER_MINUTE[judge.mode]
    lon, lat = TO_DEGREES.transform(*at)
    with reading(database.serving) as session:
        got = point_reach(session, PointReachRequest(lon, lat, TODAY, minutes, judge.mode, (category,)))
    to_places, to_cells = metres(judge.places), metres(judge.cells)
    expected = sorted(to_places[to_places <= limit_m].tolist())
    assert [row.metres for row in got.rows] == pytest.approx(expected, **NEAR)
    people = judge.people[to_cells <= limit_m].sum(axis=0)
    assert [row.residents for row in got.residents] == people.tolist()
    assert got.residents_total == people.sum()
    return len(expected)
