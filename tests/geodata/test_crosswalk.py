import itertools
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from people_help import (
    aged,
    box,
    load_areas,
    load_grid,
    load_statistics,
    near,
    query,
    residents_rows,
    write_grid,
)

from geodata.ages import Ages
from geodata.crosswalk import Weight, distribute, weights
from geodata.database import reading
from geodata.errors import ParameterError

STADTTEILE = {"A": box(0, 0, 1000, 1000), "B": box(1000, 0, 1000, 1000), "C": box(2000, 0, 1000, 1000)}
SOZIALRAEUME = {"1": box(0, 0, 1700, 1000), "2": box(1700, 0, 800, 1000)}  # the last 500 m are in none


@pytest.fixture
def city(database: Any, tmp_path: Path) -> Any:
    load_areas(database.writing, tmp_path, "stadtteil", STADTTEILE)
    load_areas(database.writing, tmp_path, "sozialraum", SOZIALRAEUME)
    return database


def stored(database: Any) -> dict[tuple[str, str, str, str], float | None]:
    rows = query(database.writing, "SELECT source_level, source_key, target_level, target_key, weight FROM crosswalk")
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}


def spread(database: Any, folder: Path, **figures: dict[str, object]) -> None:
    load_statistics(database.writing, folder, residents_rows("stadtteil", figures))


def test_uniform_people_give_the_shares_of_area(city: Any, tmp_path: Path) -> None:
    spread(city, tmp_path, A={"total": 100}, B={"total": 200}, C={"total": 50})
    found = {key[1::2]: weight for key, weight in stored(city).items() if key[0] == "stadtteil"}
    assert found == {
        ("A", "1"): pytest.approx(1),
        ("B", "1"): pytest.approx(0.7),
        ("B", "2"): pytest.approx(0.3),
        ("C", "2"): pytest.approx(0.5),
    }
    back = {key[1::2]: weight for key, weight in stored(city).items() if key[0] == "sozialraum"}
    assert back[("1", "A")] == pytest.approx(100 / 240)
    assert sum(weight or 0 for pair, weight in back.items() if pair[0] == "1") == pytest.approx(1)


def test_tobler_gives_the_same(city: Any, tmp_path: Path) -> None:
    people = {"A": 120, "B": 340, "C": 56}
    spread(city, tmp_path, **{key: {"total": count} for key, count in people.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tobler's own dependencies
        from tobler.area_weighted import area_interpolate

        source = gpd.GeoDataFrame(
            {"people": [float(people[key]) for key in STADTTEILE]}, geometry=list(STADTTEILE.values()), crs=25832
        )
        target = gpd.GeoDataFrame(geometry=list(SOZIALRAEUME.values()), crs=25832)
        oracle = area_interpolate(source, target, extensive_variables=["people"], allocate_total=False)["people"]
    with reading(city.serving) as session:
        ours = distribute(people, weights(session, "stadtteil", "sozialraum"))
    assert ours == pytest.approx(dict(zip(SOZIALRAEUME, oracle, strict=True)))


def test_weights_of_a_source_and_the_rest_outside_are_one(city: Any, tmp_path: Path) -> None:
    spread(city, tmp_path, A={"0-18": 13, "18-": 7}, B={"0-18": 1, "18-": 9}, C={"0-18": 4, "18-": 4})
    outside = query(
        city.writing,
        """
            SELECT s.area_key, sum(p) FROM surface_cell c JOIN surface_area s USING (cell), unnest(c.people) AS p
            WHERE s.level = 'stadtteil' AND NOT EXISTS (
                SELECT FROM surface_area t WHERE t.cell = c.cell AND t.level = 'sozialraum')
            GROUP BY 1
        """,
    )
    left = defaultdict(float, {key: people for key, people in outside})
    total = aged(city.writing, "stadtteil", 0, None)
    for key in STADTTEILE:
        kept = sum(w or 0 for k, w in stored(city).items() if k[:3] == ("stadtteil", key, "sozialraum"))
        assert kept + left[key] / total[key] == pytest.approx(1)


def test_each_band_has_its_own_weight(city: Any, tmp_path: Path) -> None:
    grid = [
        near(1200, 500, 30, 30, "–", "–", "–", "–"),
        near(1800, 500, 40, 10, "–", 30, "–", "–"),
    ]
    load_grid(city.writing, write_grid(tmp_path / "gitter.csv", grid))
    rows = query(
        city.writing,
        "SELECT target_key, weight, band_weights FROM crosswalk WHERE source_key = 'B' ORDER BY target_key",
    )
    assert rows == [
        ("1", pytest.approx(3 / 7), [pytest.approx(0.75), None, pytest.approx(0), None, None]),
        ("2", pytest.approx(4 / 7), [pytest.approx(0.25), None, pytest.approx(1), None, None]),
    ]


def test_weights_of_an_age(city: Any, tmp_path: Path) -> None:
    grid = [near(1200, 500, 30, 30, "–", "–", "–", "–"), near(1800, 500, 40, 10, "–", 30, "–", "–")]
    load_grid(city.writing, write_grid(tmp_path / "gitter.csv", grid))
    with reading(city.serving) as session:
        young = weights(session, "stadtteil", "sozialraum", Ages(0, 6))
        assert young == [Weight("B", "1", pytest.approx(0.75)), Weight("B", "2", pytest.approx(0.25))]
        grown = weights(session, "stadtteil", "sozialraum", Ages(18))
        assert grown == [Weight("B", "2", pytest.approx(1))]
        assert weights(session, "stadtteil", "sozialraum", Ages(0)) == [
            Weight(row.source_key, row.target_key, pytest.approx(row.weight))
            for row in weights(session, "stadtteil", "sozialraum")
            if row.weight is not None
        ]
        with pytest.raises(ParameterError, match="nicht bekannt"):
            weights(session, "stadtteil", "sozialraum", Ages(70))


def test_a_source_without_residents_has_no_weight(city: Any, tmp_path: Path) -> None:
    spread(city, tmp_path, A={"total": 100}, B={"total": 0}, C={"total": 50})
    assert stored(city)["stadtteil", "B", "sozialraum", "1"] is None
    assert ("stadtteil", "B", "sozialraum", "2") not in stored(city)
    bands = query(city.writing, "SELECT band_weights FROM crosswalk WHERE source_key = 'B'")
    assert bands == [([None],)]
    with reading(city.serving) as session:
        by = weights(session, "stadtteil", "sozialraum")
    assert distribute({"A": 10, "B": 0, "C": 4}, by) == {"1": pytest.approx(10), "2": pytest.approx(2)}
    assert distribute({"A": 10, "B": 3, "C": 4}, by) == {"1": None, "2": pytest.approx(2)}


def test_missing_stays_missing() -> None:
    by = [Weight("A", "1", 1.0), Weight("B", "1", 0.5), Weight("B", "2", 0.5), Weight("C", "3", 1.0)]
    assert distribute({"A": 4, "B": None, "C": 1}, by) == {"1": None, "2": None, "3": 1.0}
    assert distribute({"A": 4, "C": 1}, by) == {"1": None, "2": None, "3": 1.0}


def test_no_weight_is_stored_as_zero(city: Any, tmp_path: Path) -> None:
    spread(city, tmp_path, A={"0-18": 5, "18-": 0}, B={"0-18": 0, "18-": 3}, C={"0-18": 1, "18-": 1})
    assert all(weight is None or 0 < weight <= 1 for weight in stored(city).values())
    levels = {key[0] for key in stored(city)}
    assert {key[:3:2] for key in stored(city)} == set(itertools.permutations(levels, 2))
