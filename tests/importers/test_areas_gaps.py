"""Holes between the areas of a level are found, measured and placed; lakes between islands too, coasts never."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from importer_help import Database, box, findings, load_areas, write_geojson

from importers.kinds.area_rows import gaps, rows_that_do_not_fit


def holes(cells: list[shapely.Polygon]) -> list[tuple[float, float, float]]:
    polygons = np.array([shapely.MultiPolygon([cell]) for cell in cells], dtype=object)
    rows = np.arange(1, len(cells) + 1)
    return gaps(rows, polygons, rows_that_do_not_fit(rows, polygons))


def test_a_hole_is_reported_with_its_size_and_place(database: Database, tmp_path: Path) -> None:
    ring = [
        ({"id": str(i), "name": f"Feld {i}"}, box(x, y, 100, 100))
        for i, (x, y) in enumerate([(0, 0), (100, 0), (200, 0), (0, 100), (200, 100), (0, 200), (100, 200), (200, 200)])
    ]
    report = load_areas(database.writing, write_geojson(tmp_path / "f.geojson", ring), "bezirk")
    [(row, field, value, reason)] = findings(report, "warning")
    assert (row, field, reason) == (None, "geometry", "Zwischen den Gebieten ist eine Lücke.")
    assert value.startswith("10000 m² bei Länge 9.9")
    assert report.counts["Lücken"] == 1


def test_areas_that_meet_leave_none_and_an_open_bay_is_none() -> None:
    assert holes([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]) == []
    assert holes([shapely.box(0, 0, 30, 10), shapely.box(0, 10, 10, 30), shapely.box(20, 10, 30, 30)]) == []


def test_an_island_makes_the_hole_around_it_smaller() -> None:
    shore = shapely.box(0, 0, 100, 100) - shapely.box(20, 20, 80, 80)
    assert [size for size, _x, _y in holes([shore, shapely.box(40, 40, 60, 60)])] == [3600 - 400]


def test_a_sliver_between_badly_drawn_neighbours_is_found() -> None:
    left = shapely.box(0, 0, 100, 100)
    right = shapely.Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (103, 50)])
    [(size, x, y)] = holes([left, right])
    assert size == pytest.approx(150)
    assert 100 < x < 103
    assert 0 < y < 100


@settings(max_examples=40, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6))))
def test_holes_are_what_cannot_be_reached_from_outside(missing: set[tuple[int, int]]) -> None:
    there = {(x, y) for x in range(7) for y in range(7)} - missing
    cells = [shapely.box(10 * x, 10 * y, 10 * x + 10, 10 * y + 10) for x, y in sorted(there)]
    # From field to field over edges, from outside the board: areas that meet in a corner close it.
    reached, todo = {(-1, -1)}, [(-1, -1)]
    while todo:
        x, y = todo.pop()
        for step in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            if step not in there | reached and max(step) <= 7 and min(step) >= -1:
                reached.add(step)
                todo.append(step)
    assert sum(size for size, _x, _y in holes(cells)) == pytest.approx(100 * len(missing - reached))
