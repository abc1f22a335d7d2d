from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from people_help import (
    aged,
    bands,
    box,
    derived,
    load_areas,
    load_grid,
    load_statistics,
    near,
    of_age,
    query,
    random_grid,
    residents,
    residents_rows,
    surface,
    write_grid,
)
from sqlalchemy import text

from geodata.ages import parse_position
from geodata.database import reading, writing
from geodata.surface import rebuild
from importers.demo.city import build
from importers.demo.population import POSITIONS
from importers.kinds.areas import AreasImport, import_areas
from importers.load import Counting, Limit, Rules
from importers.mapping import read_mapping
from importers.sources import open_source

HAMBURG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hamburg"
CITY = {"A": box(0, 0, 1000, 1000), "B": box(1000, 0, 1000, 1000), "C": box(2000, 0, 1000, 1000)}
LENIENT = Rules(Limit(share=0.5), Limit(share=1.0))


@pytest.fixture
def city(database: Any, tmp_path: Path) -> Any:
    """Three Stadtteile in a row, and two Sozialräume that cut the middle one."""
    load_areas(database.writing, tmp_path, "stadtteil", CITY)
    halves = {"1": box(0, 0, 1500, 1000), "2": box(1500, 0, 1500, 1000)}
    load_areas(database.writing, tmp_path, "sozialraum", halves)
    return database


def small_grid(folder: Path) -> Path:
    """Two cells in A, one in each half of B, none in C."""
    rows = [
        near(300, 300, 10, 4, "–", 6, "–", "–"),
        near(700, 700, 30, 6, "–", 24, "–", "–"),
        near(1200, 500, 20, 5, "–", 15, "–", "–"),
        near(1800, 500, 20, 5, "–", 15, "–", "–"),
    ]
    return write_grid(folder / "gitter.csv", rows, encoding="cp1252")


def notes(database: Any) -> str:
    return " ".join(surface(database.writing)["notes"])


def test_without_people_there_is_no_surface(city: Any) -> None:
    assert surface(city.writing) == {}
    assert query(city.writing, "SELECT count(*) FROM surface_cell, crosswalk") == [(0,)]


def test_the_grid_alone_is_kept_as_it_is(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, small_grid(tmp_path))
    made = surface(city.writing)
    assert (made["basis"], made["level"], made["period"], made["dataset"]) == ("grid", None, None, None)
    assert "keine amtlichen Einwohnerzahlen" in notes(city)
    assert bands(city.writing) == [(0, 18), (18, 30), (30, 50), (50, 65), (65, None)]
    assert residents(city.writing, "stadtteil") == {
        "A": pytest.approx([10, 0, 30, 0, 0]),
        "B": pytest.approx([10, 0, 30, 0, 0]),
    }
    assert query(city.writing, "SELECT DISTINCT calibrated FROM surface_cell") == [(False,)]


def test_calibrated_by_hand(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, small_grid(tmp_path))
    figures = {"A": {"0-18": 20, "total": 60}, "B": {"0-18": 8, "total": 48}, "C": {"0-18": 3, "total": 9}}
    report = load_statistics(city.writing, tmp_path, residents_rows("stadtteil", figures))
    assert report.rows_rejected == 0
    made = surface(city.writing)
    assert (made["level"], made["period"], made["dataset"]) == ("stadtteil", "2024", "statistics")
    assert aged(city.writing, "stadtteil", 0, 18) == pytest.approx({"A": 20, "B": 8, "C": 3})
    assert aged(city.writing, "stadtteil", 0, None) == pytest.approx({"A": 60, "B": 48, "C": 9})
    # In A the two cells hold 4 and 6 of the young, 6 and 24 of the others.
    cells = query(
        city.writing,
        """
            SELECT c.people[1], (SELECT sum(p) FROM unnest(c.people) AS p) FROM surface_cell c
            JOIN surface_area s USING (cell) WHERE s.level = 'stadtteil' AND s.area_key = 'A' ORDER BY 1
        """,
    )
    assert [pytest.approx(cell, rel=1e-6) for cell in ((8, 16), (12, 44))] == cells
    assert "Gitter keine bewohnte Zelle" in notes(city)
    assert "stadtteil C" in notes(city)
    assert query(city.writing, "SELECT count(*) FROM surface_area WHERE level = 'stadtteil' AND area_key = 'C'") == [
        (100,)
    ]


def test_the_groups_of_a_cell_are_scaled_to_its_total(city: Any, tmp_path: Path) -> None:
    rows = [
        near(300, 300, 12, 4, "–", 6, "–", "–"),  # the publisher's parts are 10
        near(700, 700, 5, "–", "–", "–", "–", "–"),  # too few for any part
        near(1200, 500, None, 2, "–", 3, "–", "–"),
    ]
    load_grid(city.writing, write_grid(tmp_path / "gitter.csv", rows))
    profile = [6 / 15, 9 / 15]
    assert residents(city.writing, "stadtteil") == {
        "A": pytest.approx([4.8 + 5 * profile[0], 0, 7.2 + 5 * profile[1], 0, 0]),
        "B": pytest.approx([2, 0, 3, 0, 0]),
    }
    assert "Für eine Zelle nennt das Gitter kein Alter" in notes(city)


def test_no_more_points_than_can_be_handled(city: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geodata.surface_cells.MOST_POINTS", 80)
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", {key: {"0-18": 30} for key in CITY}))
    assert query(city.writing, "SELECT count(*) FROM surface_cell") == [(75,)]
    assert aged(city.writing, "stadtteil", 0, None) == pytest.approx(dict.fromkeys("ABC", 30))


def test_missing_figures_keep_the_grid_and_are_named(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, small_grid(tmp_path))
    rows = residents_rows("stadtteil", {"A": {"0-18": 20, "18-": 40}, "C": {"0-18": 0, "18-": 0}})
    rows += residents_rows("stadtteil", {"B": {"0-18": None, "18-": None}}, flag="suppressed")
    load_statistics(city.writing, tmp_path, rows)
    assert aged(city.writing, "stadtteil", 0, None) == pytest.approx({"A": 60, "B": 40})
    assert "In einem Gebiet (stadtteil B) fehlen amtliche Zahlen; dort gelten die Zahlen des Gitters." in notes(city)
    flags = query(
        city.writing,
        "SELECT DISTINCT area_key, calibrated FROM surface_cell JOIN surface_area USING (cell) "
        "WHERE level = 'stadtteil' ORDER BY 1",
    )
    assert flags == [("A", True), ("B", False)]


def test_contradicting_figures_are_named(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, small_grid(tmp_path))
    figures = {"A": {"0-18": 20, "18-": 40, "total": 65}, "B": {"0-18": 8, "18-": 40, "total": 48}}
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", figures))
    assert aged(city.writing, "stadtteil", 0, None) == pytest.approx({"A": 60, "B": 48})
    assert "In einem Gebiet (stadtteil A) widersprechen sich" in notes(city)


def test_without_grid_residents_are_spread_evenly(city: Any, tmp_path: Path) -> None:
    figures = {"A": {"0-18": 20, "18-": 40}, "B": {"0-18": 8, "18-": 40}, "C": {"0-18": 0, "18-": 0}}
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", figures))
    assert surface(city.writing)["basis"] == "area"
    assert bands(city.writing) == [(0, 18), (18, None)]
    assert query(city.writing, "SELECT people, count(*) FROM surface_cell GROUP BY 1 ORDER BY 1") == [
        ([pytest.approx(0.08), pytest.approx(0.4)], 100),
        ([pytest.approx(0.2), pytest.approx(0.4)], 100),
    ]
    assert aged(city.writing, "sozialraum", 0, None) == pytest.approx({"1": 60 + 24, "2": 24})
    assert "gleichmäßig über seine Fläche verteilt" in notes(city)


def test_without_grid_missing_figures_are_no_people_and_a_missing_age_is_estimated(city: Any, tmp_path: Path) -> None:
    rows = residents_rows("stadtteil", {"A": {"0-18": 20, "18-": 60}, "B": {"0-18": 10}})
    load_statistics(city.writing, tmp_path, rows)
    assert residents(city.writing, "stadtteil") == {"A": pytest.approx([20, 60]), "B": pytest.approx([10, 30])}
    assert "In einem Gebiet (stadtteil C) fehlen amtliche Zahlen; dort sind keine Einwohner bekannt." in notes(city)
    assert "In einem Gebiet (stadtteil B) fehlen einzelne Altersangaben" in notes(city)


def test_tiny_areas_have_a_point_too(database: Any, tmp_path: Path) -> None:
    load_areas(database.writing, tmp_path, "stadtteil", {"A": box(0, 0, 1000, 1000), "B": box(1003, 3, 20, 20)})
    load_statistics(database.writing, tmp_path, residents_rows("stadtteil", {"A": {"0-18": 1}, "B": {"0-18": 7}}))
    assert aged(database.writing, "stadtteil", 0, 18) == pytest.approx({"A": 1, "B": 7})


def test_a_point_on_a_border_belongs_to_the_lowest_key(database: Any, tmp_path: Path) -> None:
    east, north = 50, 50  # the border runs through the points every 100 m
    shapes = {"B": box(-1000 + east, 0, 1000, 1000), "A": box(east, 0, 1000, 1000)}
    load_areas(database.writing, tmp_path, "bezirk", shapes)
    load_areas(database.writing, tmp_path, "stadtteil", {"S": box(east - 100, north - 10, 200, 20)})
    load_statistics(database.writing, tmp_path, residents_rows("stadtteil", {"S": {"0-18": 30}}))
    points = query(database.writing, "SELECT count(*) FROM surface_cell")
    assert points == [(1,)]
    assert aged(database.writing, "bezirk", 0, 18) == pytest.approx({"A": 30})


def test_the_finest_level_and_the_latest_period_are_kept(city: Any, tmp_path: Path) -> None:
    older = {key: {"0-18": 5, "18-": 5} for key in CITY}
    newer = {key: {"0-18": 6, "18-": 6} for key in CITY}
    rows = residents_rows("stadtteil", older, "2022") + residents_rows("stadtteil", newer, "2023")
    rows += residents_rows("stadtteil", {"A": {"0-18": 9, "18-": 9}}, "2024")
    rows += residents_rows("stadtteil", newer, "2030", scenario="prognose")
    rows += residents_rows("sozialraum", {"1": {"0-18": 50, "18-": 1}, "2": {"0-18": 50, "18-": 1}}, "2025")
    load_statistics(city.writing, tmp_path, rows)
    assert (surface(city.writing)["level"], surface(city.writing)["period"]) == ("stadtteil", "2023")
    assert sum(aged(city.writing, "stadtteil", 0, None).values()) == pytest.approx(36)


def test_internal_figures_do_not_shape_what_everyone_sees(city: Any, tmp_path: Path) -> None:
    rows = residents_rows("stadtteil", {key: {"0-18": 5} for key in CITY})
    load_statistics(city.writing, tmp_path, rows, counting=Counting(release="internal"))
    assert surface(city.writing) == {}


def test_a_new_level_joins_without_moving_the_cells(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, small_grid(tmp_path))
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", {key: {"0-18": 30, "18-": 6} for key in CITY}))
    before = derived(city.writing)
    load_areas(city.writing, tmp_path, "region", {"R": box(0, 0, 3000, 1000)})
    after = derived(city.writing)
    assert (before["surface"], before["surface_cell"]) == (after["surface"], after["surface_cell"])
    assert aged(city.writing, "region", 0, None) == pytest.approx({"R": 108})
    with writing(city.writing) as session:
        rebuild(session, "population", 0)
    assert derived(city.writing) == after


def test_areas_that_move_take_their_residents_along(city: Any, tmp_path: Path) -> None:
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", {key: {"0-18": 30} for key in CITY}))
    load_areas(city.writing, tmp_path, "stadtteil", {**CITY, "C": box(5000, 0, 500, 500)}, rules=LENIENT)
    assert aged(city.writing, "stadtteil", 0, None) == pytest.approx(dict.fromkeys("ABC", 30))
    assert query(city.writing, "SELECT count(*) FROM surface_cell") == [(225,)]


def test_figures_that_go_take_the_surface_with_them(city: Any, tmp_path: Path) -> None:
    rows = residents_rows("stadtteil", {key: {"0-18": 30} for key in CITY})
    load_statistics(city.writing, tmp_path, rows)
    assert surface(city.writing)
    other = [{**row, "indicator": "wohnungen", "position": ""} for row in rows]
    load_statistics(city.writing, tmp_path, other, replace="all", rules=LENIENT)
    assert surface(city.writing) == {}
    assert query(city.writing, "SELECT count(*) FROM surface_cell") == [(0,)]


def test_figures_of_other_things_leave_the_surface_alone(city: Any, tmp_path: Path) -> None:
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", {key: {"0-18": 30} for key in CITY}))
    before = query(city.writing, "SELECT DISTINCT xmin::text FROM surface_cell")
    rows = residents_rows("stadtteil", {"A": {"": 3}}, indicator="wohnungen")
    load_statistics(city.writing, tmp_path, rows, dataset="statistics.wohnungen")
    assert query(city.writing, "SELECT DISTINCT xmin::text FROM surface_cell") == before


def test_everyone_may_read_the_surface(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, small_grid(tmp_path))
    with reading(city.serving) as session:
        for view in ("surface", "surface_band", "surface_cell", "surface_area", "crosswalk"):
            assert session.execute(text(f"SELECT count(*) FROM {view}_visible")).scalar_one() > 0


def test_the_demo_city_has_its_residents_on_every_level(demo_database: Any) -> None:
    city = build()
    cut = bands(demo_database.writing)
    assert {(0, 3), (3, 6), (6, 10), (10, 14), (14, 18), (18, 21), (21, 27)} <= set(cut)
    for level, areas in city.areas.items():
        people = residents(demo_database.writing, level)
        for column, position in POSITIONS.items():
            span = parse_position(position)
            assert span is not None
            got = of_age(cut, people, span.age_from, span.age_to)
            wanted = {area.key: float(area.residents[column]) for area in areas}
            assert {key: got.get(key, 0.0) for key in wanted} == pytest.approx(wanted, abs=1e-6)


@pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data is absent")
def test_hamburg_keeps_every_official_figure(database: Any, tmp_path: Path) -> None:
    for level, name in (("bezirk", "bezirke"), ("stadtteil", "stadtteile"), ("ortsteil", "ortsteile")):
        source = open_source(HAMBURG / "grenzen" / f"{name}.geojson")
        import_areas(database.writing, source, AreasImport(level, mapping=read_mapping(Path(f"hamburg/{name}.toml"))))
    found = query(
        database.writing, "SELECT key, ST_AsBinary(geom) FROM area_visible WHERE level = 'stadtteil' ORDER BY key"
    )
    shapes = dict(zip((key for key, _ in found), shapely.from_wkb([bytes(s) for _, s in found]), strict=True))
    grid = random_grid(list(shapes.values()), 6000, 11)
    load_grid(database.writing, write_grid(tmp_path / "gitter.csv", grid, encoding="cp1252"))
    rng = np.random.default_rng(5)
    cut = [(0, 3), (3, 6), (6, 10), (10, 14), (14, 15), (15, 18), (18, 21), (21, 65), (65, None)]
    people = {key: rng.integers(0, 900, len(cut)) * (rng.random(len(cut)) > 0.05) for key in shapes}
    wanted = [(0, 3), (0, 18), (0, 21), (3, 6), (6, 10), (10, 14), (14, 18), (15, 21), (65, None), (0, None)]

    def count(key: str, low: int, high: int | None) -> int:
        ends = [(a, b) for a, b in cut if a >= low and (high is None or (b is not None and b <= high))]
        return int(sum(people[key][cut.index(pair)] for pair in ends))

    figures = {
        key: {f"{low}-{'' if high is None else high}": count(key, low, high) for low, high in wanted} for key in shapes
    }
    report = load_statistics(database.writing, tmp_path, residents_rows("stadtteil", figures))
    assert report.rows_rejected == 0
    fitted, spread = bands(database.writing), residents(database.writing, "stadtteil")
    for low, high in wanted:
        official = {key: figures[key][f"{low}-{'' if high is None else high}"] for key in shapes}
        got = of_age(fitted, spread, low, high)
        assert {key: got.get(key, 0.0) for key in shapes} == pytest.approx(official, rel=1e-6, abs=1e-6)
    total = sum(sum(numbers) for numbers in people.values())
    assert query(database.writing, "SELECT sum(p) FROM surface_cell, unnest(people) p")[0][0] == pytest.approx(total)
    for level in ("stadtteil", "ortsteil"):
        outside = query(
            database.writing,
            "SELECT coalesce(sum(p), 0) FROM surface_cell c, unnest(people) p WHERE NOT EXISTS "
            "(SELECT FROM surface_area s WHERE s.cell = c.cell AND s.level = :level)",
            level=level,
        )[0][0]
        assert sum(aged(database.writing, level, 0, None).values()) + outside == pytest.approx(total)
        assert outside < 0.001 * total
    assert query(database.writing, "SELECT count(*) FROM surface_cell WHERE NOT calibrated") == [(0,)]
    oracle = query(
        database.writing,
        """
            SELECT count(*) FROM surface_cell c JOIN surface_area s USING (cell)
            WHERE s.area_key <> (SELECT min(a.key COLLATE "C") FROM area_visible a
                                 WHERE a.level = s.level AND ST_Covers(a.geom, c.geom))
        """,
    )
    assert oracle == [(0,)]
    before = derived(database.writing)
    source = open_source(HAMBURG / "grenzen" / "stadtteile.geojson")
    again = import_areas(
        database.writing, source, AreasImport("stadtteil", mapping=read_mapping(Path("hamburg/stadtteile.toml")))
    )
    assert again.unchanged
    with writing(database.writing) as session:
        rebuild(session, "population", 0)
    assert derived(database.writing) == before
