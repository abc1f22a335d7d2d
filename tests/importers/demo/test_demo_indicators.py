"""The demo's indicators and standards: sums, shares, what is hidden, that neighbours are alike, and what is loaded."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from demo_built import built
from sqlalchemy import text

from importers.demo import indicators
from importers.demo.catalogue import CATALOGUE
from importers.demo.city import DemoCity
from importers.demo.population import UNDER_18, under_18
from importers.kinds.catalogue import read_catalogue

if TYPE_CHECKING:
    from conftest import Database

LEVELS = ("land", "bezirk", "stadtteil", "statgebiet")
Figure = tuple[float | None, str]


@pytest.fixture(scope="module")
def city() -> DemoCity:
    return built()


@pytest.fixture(scope="module")
def figures(city: DemoCity) -> dict[tuple[str, str, str, str], Figure]:
    """Return value and flag by level, key, indicator and period; each is there once."""
    found: dict[tuple[str, str, str, str], Figure] = {}
    for level, key, code, position, period, value, flag in city.figures:
        assert position == ""
        assert (level, key, code, period) not in found
        assert (value == "") == (flag != "ok")
        found[level, key, code, period] = (float(value) if value else None, flag)
    return found


def test_every_area_of_every_level_has_every_figure(
    city: DemoCity, figures: Mapping[tuple[str, str, str, str], Figure]
) -> None:
    codes = {*indicators.COUNTS, *(share.code for share in indicators.SHARES)}
    assert set(figures) == {
        (level, area.key, code, period)
        for level in LEVELS for area in city.areas[level] for code in codes for period in ("2024", "2025")
    }  # fmt: skip


def test_counts_are_whole_and_add_up_over_the_levels(
    city: DemoCity, figures: Mapping[tuple[str, str, str, str], Figure]
) -> None:
    parents = {(level, area.key): area.parent_key for level in LEVELS[1:] for area in city.areas[level]}
    complete = 0
    for above, below in pairwise(LEVELS):
        parts: dict[tuple[str, str, str], list[float | None]] = defaultdict(list)
        for (level, key, code, period), (value, _flag) in figures.items():
            assert value is None or code not in indicators.COUNTS or (value >= 0 and value % 1 == 0)
            if level == below and code in indicators.COUNTS:
                parts[str(parents[level, key]), code, period].append(value)
        for (key, code, period), values in parts.items():
            known = [value for value in values if value is not None]
            whole = figures[above, key, code, period][0]
            assert whole is not None
            if len(known) == len(values):
                complete += 1
                assert sum(known) == whole
            else:
                assert sum(known) <= whole
    assert complete > 1000


def test_the_last_year_is_that_of_the_residents(
    city: DemoCity, figures: Mapping[tuple[str, str, str, str], Figure]
) -> None:
    changed = 0
    for level in LEVELS:
        for area in city.areas[level]:
            under_14 = sum(area.residents[column] for column in UNDER_18[:-1])
            assert figures[level, area.key, indicators.UNDER_14, "2025"] == (under_14, "ok")
            assert figures[level, area.key, indicators.MINORS, "2025"] == (under_18(area.residents), "ok")
            changed += figures[level, area.key, indicators.MINORS, "2024"][0] != under_18(area.residents)
    assert changed > 700


def test_shares_are_what_the_catalogue_says(figures: Mapping[tuple[str, str, str, str], Figure]) -> None:
    shares = {entry["code"]: entry for entry in tomllib.loads(CATALOGUE)["indicator"] if entry["kind"] == "share"}
    assert set(shares) == {share.code for share in indicators.SHARES}
    for (level, key, code, period), (value, flag) in figures.items():
        if code not in shares:
            continue
        numerator, numerator_flag = figures[level, key, shares[code]["numerator"], period]
        denominator, _flag = figures[level, key, shares[code]["denominator"], period]
        if numerator is None or denominator is None:
            assert (value, flag) == (None, numerator_flag)
        elif denominator == 0:
            assert (numerator, value, flag) == (0, None, "missing")
        else:
            assert value == pytest.approx(shares[code]["factor"] * numerator / denominator, rel=1e-12)
            assert 0 <= value <= 100


def test_small_counts_are_hidden_and_cannot_be_worked_out(
    figures: Mapping[tuple[str, str, str, str], Figure],
) -> None:
    hidden: dict[tuple[str, str, str], int] = defaultdict(int)
    flags: dict[str, int] = defaultdict(int)
    for (level, key, code, period), (value, flag) in figures.items():
        flags[flag] += 1
        if code in {share.numerator for share in indicators.SHARES}:
            assert value not in {1, 2}
        if flag == "suppressed":
            assert level == "statgebiet"
            hidden[key[:5], code, period] += 1
    assert hidden
    assert min(hidden.values()) >= 2
    assert 5 <= flags["missing"] <= 0.02 * flags["ok"]


def test_neighbours_are_alike(city: DemoCity, figures: Mapping[tuple[str, str, str, str], Figure]) -> None:
    areas = city.areas["statgebiet"]
    shapes = np.array([area.geometry for area in areas], dtype=object)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    left, right = left[left != right], right[left != right]
    for share in indicators.SHARES:
        values = np.array([figures["statgebiet", area.key, share.code, "2025"][0] for area in areas], dtype=np.float64)
        known = np.isfinite(values[left]) & np.isfinite(values[right])
        assert np.corrcoef(values[left[known]], values[right[known]])[0, 1] > 0.6, share.code
        assert np.nanstd(values) > 3


def test_the_catalogue_is_read_and_says_that_it_is_an_example(tmp_path: Path, city: DemoCity) -> None:
    path = tmp_path / "katalog.toml"
    path.write_text(CATALOGUE, encoding="utf-8")
    made = read_catalogue(path)
    assert {entry.code for entry in made.indicator} == {row[2] for row in city.figures}
    assert all(entry.title.endswith("(Beispieldaten)") for entry in made.indicator)
    assert all(entry.title.startswith("Beispiel-Richtwert") for entry in made.standard)
    assert {(entry.source, entry.resolution) for entry in made.standard} == {
        ("Beispieldaten", "Beispiel, kein Beschluss")
    }
    assert {(entry.category, entry.measure, entry.minutes, entry.mode) for entry in made.standard} == {
        ("okja", "supply", None, None), ("okja", "reach", 15, "walk"), ("kita", "catchment", 15, "walk"),
    }  # fmt: skip
    # A standard in a unit that no offer of its category has would measure nothing.
    for entry in made.standard:
        units = {row["supply_unit"] for row in city.facilities[entry.category]}
        assert entry.unit in {*units, "share"}


def test_the_figures_are_loaded_as_written(
    demo_database: "Database", figures: Mapping[tuple[str, str, str, str], Figure]
) -> None:
    with demo_database.serving.connect() as connection:
        found = connection.execute(
            text("""
                SELECT level, area_key, indicator, period, value, flag FROM observation_visible
                WHERE dataset = 'statistics.merkmale'
            """)
        ).all()
        standards = connection.execute(text("SELECT count(*) FROM standard_visible")).scalar_one()
    assert {tuple(row[:4]): (row.value, row.flag) for row in found} == figures
    assert standards == 3
