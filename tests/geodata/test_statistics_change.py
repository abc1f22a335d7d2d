"""What has changed between two periods: only what is the same otherwise, and nothing where a part is hidden."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import figures_town as town
import pytest

from geodata.answer import Answer
from geodata.database import reading
from geodata.errors import ParameterError
from geodata.statistics import StatisticsRequest, statistics
from geodata.statistics_change import ChangeRow, statistics_change
from importers.load import Counting

if TYPE_CHECKING:
    from conftest import Database

QUOTE = StatisticsRequest("quote", "stadtteil", position="total", period="2021")
SERIES = {  # 2019, 2021
    "11": (10.1, 12.4), "12": (20.0, 15.0), "13": (5.0, 5.0), "14": (0.0, 3.0), "21": ("", 7.0), "22": (4.0, ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def database(new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory) -> "Database":
    made, folder = new_database(), tmp_path_factory.mktemp("town")
    town.build(made.writing, folder)
    rows = [
        town.figure("stadtteil", key, "quote", "total", period, value)
        for key, both in SERIES.items()
        for period, value in zip(("2019", "2021"), both, strict=True)
        if value != ""
    ]
    rows.append(town.figure("stadtteil", "22", "quote", "total", "2021", flag="suppressed"))
    rows.append(town.figure("stadtteil", "23", "quote", "total", "2019", 1))
    town.load_figures(made.writing, folder, rows, "statistics.quote", Counting("stichtag"))
    other = [town.figure("stadtteil", "23", "quote", "total", "2021", 2)]
    town.load_figures(made.writing, folder, other, "statistics.anders", Counting("mittel_12_stichtage"))
    return made


def asked(database: "Database", request: StatisticsRequest, compare: str) -> Answer[ChangeRow]:
    with reading(database.serving) as session:
        return statistics_change(session, request, compare)


def test_differences_and_what_has_none(database: "Database") -> None:
    answer = asked(database, QUOTE, "2019")
    rows = {row.area_key: row for row in answer.rows if row.counting == "stichtag"}
    found = {key: (row.value, row.before, row.change, row.change_pct, row.flag) for key, row in rows.items()}
    assert found == {
        "11": (12.4, 10.1, 2.3, pytest.approx(100 * 2.3 / 10.1), "ok"),
        "12": (15.0, 20.0, -5.0, -25.0, "ok"),
        "13": (5.0, 5.0, 0.0, 0.0, "ok"),
        "14": (3.0, 0.0, 3.0, None, "ok"),
        "21": (7.0, None, None, None, "missing"),
        "22": (None, 4.0, None, None, "suppressed"),
        "23": (None, 1.0, None, None, "missing"),
        "24": (None, None, None, None, "missing"),
    }
    assert rows["22"].value_flag == "suppressed"
    assert rows["22"].before_flag == "ok"
    assert answer.meta.missing == sum(row.change is None for row in answer.rows)
    assert {one.dataset for one in answer.meta.sources} >= {"statistics.quote", "statistics.anders"}


def test_what_is_counted_differently_is_not_compared(database: "Database") -> None:
    rows = [row for row in asked(database, QUOTE, "2019").rows if row.area_key == "23"]
    assert {(row.counting, row.value, row.before, row.change) for row in rows} == {
        ("stichtag", None, 1.0, None), ("mittel_12_stichtage", 2.0, None, None)}  # fmt: skip


def test_it_is_antisymmetric_and_the_value_is_that_of_the_figures(database: "Database") -> None:
    there = {(row.area_key, row.counting): row for row in asked(database, QUOTE, "2019").rows}
    back = {(row.area_key, row.counting): row for row in asked(database, replace(QUOTE, period="2019"), "2021").rows}
    for key in there.keys() & back.keys():
        change, other = there[key].change, back[key].change
        assert change == (None if other is None else pytest.approx(-other))
    with reading(database.serving) as session:
        plain = statistics(session, QUOTE).rows
    assert [(row.area_key, row.value, row.flag) for row in plain] == [
        (row.area_key, row.value, row.value_flag) for row in asked(database, QUOTE, "2019").rows]  # fmt: skip


def test_pages_make_up_the_whole(database: "Database") -> None:
    whole = asked(database, QUOTE, "2019").rows
    found, after = [], None
    while True:
        page = asked(database, replace(QUOTE, limit=3, after=after), "2019")
        found += page.rows
        if page.meta.next is None:
            break
        key, position, counting, dataset = page.meta.next.split("\n")
        after = (key, position, counting, dataset)
    assert found == whole


@pytest.mark.parametrize("compare", ["2021", "1999", "gestern"])
def test_periods_that_cannot_be_compared(database: "Database", compare: str) -> None:
    with pytest.raises(ParameterError) as caught:
        asked(database, QUOTE, compare)
    assert caught.value.parameter == "compare"


@pytest.mark.parametrize("compare", ["2019-H1", "2019-12-31", "2019-Q4"])
def test_periods_of_another_length_are_refused(database: "Database", compare: str) -> None:
    with pytest.raises(ParameterError, match="verschiedener Länge") as caught:
        asked(database, QUOTE, compare)
    assert caught.value.parameter == "compare"


def test_a_figure_nobody_has_now_keeps_the_one_before(
    new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory
) -> None:
    made, folder = new_database(), tmp_path_factory.mktemp("town")
    town.build(made.writing, folder)
    # The unit is the dataset's; an area without a row has none.
    rows = [town.figure("stadtteil", key, "begonnen", "", period, value)
            for key, period, value in (("11", "2020", 3), ("12", "2020", 4), ("11", "2021", 5))]  # fmt: skip
    town.load_figures(made.writing, folder, rows, "statistics.beginn", Counting("begonnen", "personen"))
    got = asked(made, StatisticsRequest("begonnen", "stadtteil", period="2021"), "2020")
    found = {row.area_key: (row.value, row.before, row.change, row.before_flag, row.unit) for row in got.rows}
    assert found["11"] == (5, 3, 2, "ok", "personen")
    assert found["12"] == (None, 4, None, "ok", "personen")
    assert found["13"] == (None, None, None, "missing", None)
