from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from people_help import (
    aged,
    box,
    load_areas,
    load_grid,
    load_statistics,
    near,
    query,
    residents_rows,
    surface,
    write_grid,
)
from sqlalchemy import text

from geodata.merged import apportion

CITY = {"A": box(0, 0, 1000, 1000), "B": box(1000, 0, 500, 1000), "C": box(2000, 0, 1000, 1000)}


@pytest.fixture
def city(database: Any, tmp_path: Path) -> Any:
    load_areas(database.writing, tmp_path, "stadtteil", CITY)
    return database


def with_grid(database: Any, folder: Path) -> None:
    """In A live 90 (all grown up), in B 30 (all young)."""
    rows = [near(500, 500, 90, "–", "–", 90, "–", "–"), near(1250, 500, 30, 30, "–", "–", "–", "–")]
    load_grid(database.writing, write_grid(folder / "gitter.csv", rows))


def split(database: Any, indicator: str = "population") -> dict[str, dict[str, float]]:
    rows = query(
        database.writing,
        "SELECT area_key, position, value FROM observation_split WHERE indicator = :indicator ORDER BY 1, 2",
        indicator=indicator,
    )
    made: dict[str, dict[str, float]] = {}
    for key, position, value in rows:
        made.setdefault(key, {})[position] = value
    return made


def test_ages_are_split_by_the_grid(city: Any, tmp_path: Path) -> None:
    with_grid(city, tmp_path)
    figures = {"A+B": {"0-18": 40, "total": 140}, "C": {"0-18": 3, "total": 5}}
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", figures))
    assert split(city) == {"A": {"0-18": 0, "total": 100}, "B": {"0-18": 40, "total": 40}}
    assert aged(city.writing, "stadtteil", 0, 18) == pytest.approx({"A": 0, "B": 40, "C": 3}, abs=1e-6)
    assert aged(city.writing, "stadtteil", 0, None) == pytest.approx({"A": 100, "B": 40, "C": 5})
    assert "sind nach Einwohnern auf ihre Teile aufgeteilt (geschätzt)" in " ".join(surface(city.writing)["notes"])
    shown = query(
        city.serving, "SELECT area_key, value, flag, merged_key FROM observation_visible WHERE position = 'total'"
    )
    assert sorted(shown, key=str) == [
        ("A", 100.0, "estimated", "A+B"),
        ("A+B", 140.0, "ok", None),
        ("B", 40.0, "estimated", "A+B"),
        ("C", 5.0, "ok", None),
    ]


def test_without_grid_the_size_decides(city: Any, tmp_path: Path) -> None:
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", {"A+B": {"0-18": 31}, "C": {"0-18": 3}}))
    assert split(city) == {"A": {"0-18": 21}, "B": {"0-18": 10}}
    assert aged(city.writing, "stadtteil", 0, 18) == pytest.approx({"A": 21, "B": 10, "C": 3})


def test_split_figures_fit_together_and_add_up(city: Any, tmp_path: Path) -> None:
    rows = [near(500, 500, 73, 13, 20, 11, 19, 10), near(1250, 500, 31, 9, 5, 7, 3, 7)]
    load_grid(city.writing, write_grid(tmp_path / "gitter.csv", rows))
    merged = {"0-3": 5, "3-6": 4, "0-6": 9, "6-18": 17, "0-18": 26, "15-18": 4, "18-65": 71, "65-": 20, "total": 117}
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", {"A+B": merged}))
    made = split(city)
    for position, value in merged.items():
        assert made["A"][position] + made["B"][position] == value
    for own in made.values():
        assert all(value == int(value) >= 0 for value in own.values())
        assert own["0-3"] + own["3-6"] == own["0-6"]
        assert own["0-6"] + own["6-18"] == own["0-18"]
        assert own["0-18"] + own["18-65"] + own["65-"] == own["total"]
        assert own["15-18"] <= own["6-18"]
    assert made["A"]["total"] == pytest.approx(117 * 73 / 104, abs=6)


def test_small_members_keep_their_part_of_many_small_bands(city: Any, tmp_path: Path) -> None:
    rows = [near(500, 500, 90, 18, 18, 18, 18, 18), near(1250, 500, 30, 6, 6, 6, 6, 6)]
    load_grid(city.writing, write_grid(tmp_path / "gitter.csv", rows))
    years = {f"{year}-{year + 1}": 1 for year in range(16)}
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", {"A+B": years}))
    made = split(city)
    assert sum(made["B"].values()) == 4
    assert sum(made["A"].values()) == 12


def test_other_figures_stay_together(city: Any, tmp_path: Path) -> None:
    rows = residents_rows("stadtteil", {"A+B": {"": 12}}, indicator="cases")
    rows = [{**row, "position": "ambulant"} for row in rows]
    rows += residents_rows("stadtteil", {"A+B": {"": 7}}, indicator="wohnungen")
    load_statistics(city.writing, tmp_path, rows)
    assert query(city.writing, "SELECT count(*) FROM observation_split") == [(0,)]


def test_missing_figures_are_not_split(city: Any, tmp_path: Path) -> None:
    rows = residents_rows("stadtteil", {"A+B": {"0-18": None}}, flag="suppressed")
    rows += residents_rows("stadtteil", {"A+B": {"total": 10}})
    load_statistics(city.writing, tmp_path, rows)
    assert split(city) == {"A": {"total": 7}, "B": {"total": 3}}


def test_a_member_with_its_own_figure_is_not_estimated(city: Any, tmp_path: Path) -> None:
    figures = {"A+B": {"0-18": 30, "total": 90}, "A": {"0-18": 25}}
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", figures))
    assert split(city) == {"A": {"total": 60}, "B": {"total": 30}}


def test_a_member_without_map_leaves_the_figure_together(database: Any, tmp_path: Path) -> None:
    load_areas(database.writing, tmp_path, "stadtteil", {"A": CITY["A"], "B": None, "C": CITY["C"]})
    load_statistics(database.writing, tmp_path, residents_rows("stadtteil", {"A+B": {"0-18": 30}, "C": {"0-18": 4}}))
    assert split(database) == {}
    assert aged(database.writing, "stadtteil", 0, 18) == pytest.approx({"C": 4})


def test_contradicting_figures_are_each_split_exactly(city: Any, tmp_path: Path) -> None:
    figures = {"A+B": {"0-18": 30, "18-": 60, "total": 95}}
    load_statistics(city.writing, tmp_path, residents_rows("stadtteil", figures))
    made = split(city)
    assert [made["A"][position] + made["B"][position] for position in figures["A+B"]] == [30, 60, 95]


@given(st.integers(0, 10_000), st.lists(st.floats(0.001, 1000), min_size=1, max_size=6))
def test_whole_numbers_are_divided_into_whole_ones(value: int, weights: Sequence[float]) -> None:
    shares = np.array(weights) / sum(weights)
    parts = apportion(float(value), shares)
    assert parts.sum() == value
    assert (parts == np.round(parts)).all()
    assert (np.abs(parts - value * shares) < 1 + 1e-6).all()


def test_fractions_are_divided_as_they_are() -> None:
    assert apportion(2.5, np.array([0.5, 0.5])).tolist() == [1.25, 1.25]


def test_what_the_catalogue_calls_residents_is_split_too(city: Any, tmp_path: Path) -> None:
    with_grid(city, tmp_path)
    with city.writing.begin() as connection:
        connection.execute(
            text("""
                WITH made AS (INSERT INTO dataset (name, kind) VALUES ('catalogue', 'catalogue') RETURNING id),
                run AS (
                    INSERT INTO import_run (dataset_id, source, checksum, title, rows_read, rows_loaded, rows_rejected,
                                            report)
                    SELECT id, 'by hand', '', 'Katalog', 0, 0, 0, '{}' FROM made RETURNING id, dataset_id)
                INSERT INTO indicator (import_id, code, title, kind, residents)
                SELECT id, 'u18_migration', 'Unter 18 mit Migrationshintergrund', 'count', true FROM run
            """)
        )
        connection.execute(
            text("""
                UPDATE dataset SET current_import_id = (SELECT max(id) FROM import_run WHERE title = 'Katalog')
                WHERE name = 'catalogue'
            """)
        )
    rows = residents_rows("stadtteil", {"A+B": {"": 17}}, indicator="u18_migration")
    load_statistics(city.writing, tmp_path, rows)
    assert split(city, "u18_migration") == {"A": {"": 13}, "B": {"": 4}}
