"""Comparable areas against a loop without numpy, against renaming and reordering, and what is said of them."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from people_help import box, load_areas, load_statistics, residents_rows

from geodata.answer import Answer
from geodata.database import reading
from geodata.errors import NotFoundError, ParameterError
from geodata.similar import MOST_INDICATORS, SimilarIndicator, SimilarRequest, SimilarRow, compare, similar
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.load import Counting

if TYPE_CHECKING:
    from conftest import Database

KEYS = [f"{number:02d}" for number in range(12)]
MISSING = "05"
_random = random.Random(7)  # noqa: S311 - figures of a test
PEOPLE = {key: float(_random.randrange(100, 5000)) for key in KEYS}
ARMUT = {key: round(_random.uniform(2, 40), 1) for key in KEYS}
ALLEIN = {key: round(_random.uniform(10, 30), 1) for key in KEYS}
CATALOGUE = """
indicator = [
  { code = "armut", title = "Armutsquote", unit = "%", kind = "rate" },
  { code = "allein", title = "Alleinerziehende", unit = "%", kind = "rate" },
  { code = "gleich", title = "Überall gleich", unit = "%", kind = "rate" },
  { code = "selten", title = "Selten erhoben", unit = "%", kind = "rate" },
  { code = "wohnungen", title = "Wohnungen", kind = "count" },
]
"""
BOTH = (SimilarIndicator("armut"), SimilarIndicator("allein"))


def figures(code: str, values: dict[str, float]) -> list[dict[str, Any]]:
    return [
        {"area_level": "stadtteil", "area_key": key, "indicator": code, "position": "", "period": "2024",
         "value": value}
        for key, value in values.items()
    ]  # fmt: skip


def build(made: "Database", folder: Path, *, people: bool = True) -> "Database":
    shapes = {key: box(1000 * (i % 4), 1000 * (i // 4), 1000, 1000) for i, key in enumerate(KEYS)}
    load_areas(made.writing, folder, "stadtteil", shapes)
    load_areas(made.writing, folder, "leer", {"X": box(0, 0, 100, 100), "Y": box(200, 0, 100, 100)})
    (folder / "katalog.toml").write_text(CATALOGUE, encoding="utf-8")
    import_catalogue(made.writing, folder / "katalog.toml", CatalogueImport())
    listed = [
        *figures("armut", {key: value for key, value in ARMUT.items() if key != MISSING}),
        *figures("allein", ALLEIN),
        *figures("gleich", dict.fromkeys(KEYS, 0.1)),
        *figures("selten", {key: ARMUT[key] for key in KEYS[:3]}),
        *figures("wohnungen", PEOPLE),
        # Money is no trait of those who live there: never among the defaults.
        *figures("fee_increase_pct", ARMUT),
    ]
    if people:
        listed += residents_rows("stadtteil", {key: {"total": count} for key, count in PEOPLE.items()})
    load_statistics(made.writing, folder, listed, dataset="statistics.amt", counting=Counting("stichtag"))
    return made


@pytest.fixture(scope="module")
def city(new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory) -> "Database":
    return build(new_database(), tmp_path_factory.mktemp("city"))


def asked(database: "Database", key: str = "00", level: str = "stadtteil", **request: Any) -> Answer[SimilarRow]:
    with reading(database.serving) as session:
        return similar(session, SimilarRequest(level, key, **request))


def by_hand(
    own: str, tables: Sequence[dict[str, float]], weights: Sequence[float], people: dict[str, float]
) -> dict[str, tuple[float, list[float]]]:
    """Distance and contributions of all areas that have every indicator, reckoned one by one."""
    there = [key for key in people if all(key in table for table in tables)]
    living = sum(people[key] for key in there)
    squares: dict[str, list[float]] = {key: [] for key in there}
    for table, weight in zip(tables, weights, strict=True):
        mean = sum(people[key] * table[key] for key in there) / living
        sigma = math.sqrt(sum(people[key] * (table[key] - mean) ** 2 for key in there) / living)
        for key in there:
            difference = (table[key] - table[own]) / sigma
            squares[key].append(weight / sum(weights) * difference**2)
    return {
        key: (math.sqrt(sum(parts)), [part / sum(parts) if sum(parts) else 0.0 for part in parts])
        for key, parts in squares.items()
    }


class TestAgainstALoop:
    """The distances and contributions, by hand."""

    @pytest.mark.parametrize("weights", [(1.0, 1.0), (3.0, 0.5)])
    def test_distances_contributions_and_order(self, city: "Database", weights: tuple[float, float]) -> None:
        wanted = tuple(replace(one, weight=weight) for one, weight in zip(BOTH, weights, strict=True))
        rows = asked(city, indicators=wanted, limit=100).rows
        armut = {key: value for key, value in ARMUT.items() if key != MISSING}
        expected = by_hand("00", (armut, ALLEIN), weights, PEOPLE)
        order = sorted((key for key in expected if key != "00"), key=lambda key: (expected[key][0], key))
        assert [row.area_key for row in rows] == order
        assert [row.rank for row in rows] == list(range(1, 11))
        for row in rows:
            distance, parts = expected[row.area_key]
            assert row.distance == pytest.approx(distance, rel=1e-9)
            assert list(row.contributions) == ["armut", "allein"]
            assert list(row.contributions.values()) == pytest.approx(parts, rel=1e-9)
            assert sum(row.contributions.values()) == pytest.approx(1, rel=1e-12)
            assert row.values == {"armut": ARMUT[row.area_key], "allein": ALLEIN[row.area_key]}
            assert row.own_values == {"armut": ARMUT["00"], "allein": ALLEIN["00"]}
            assert (row.flag, row.geometry) == ("ok", None)

    def test_without_residents_every_area_counts_the_same(self, database: Any, tmp_path: Path) -> None:
        answer = asked(build(database, tmp_path, people=False), indicators=BOTH, limit=100)
        armut = {key: value for key, value in ARMUT.items() if key != MISSING}
        expected = by_hand("00", (armut, ALLEIN), (1, 1), dict.fromkeys(KEYS, 1.0))
        assert {row.area_key: row.distance for row in answer.rows} == {
            key: pytest.approx(distance, rel=1e-9) for key, (distance, _parts) in expected.items() if key != "00"
        }
        assert "alle Gebiete gleich gewichtet, weil Einwohner nicht bekannt sind" in answer.meta.method

    def test_the_worked_example(self) -> None:
        made = compare(np.array([[1.0, 2.0, 6.0]]), np.ones(1), np.full(3, 50.0), 0)
        assert made.distance == pytest.approx([0, 1 / math.sqrt(14 / 3), 5 / math.sqrt(14 / 3)])


VALUES = arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(2, 9)), elements=st.integers(-50, 50).map(lambda n: n / 4)
)


class TestKernel:
    """What must hold whatever the numbers."""

    @settings(max_examples=150, deadline=None)
    @given(values=VALUES, data=st.data())
    def test_order_and_units_do_not_matter(self, values: np.ndarray, data: st.DataObject) -> None:
        count = values.shape[1]
        people = np.array(data.draw(st.lists(st.integers(0, 900), min_size=count, max_size=count)), dtype=np.float64)
        weights = np.array(data.draw(st.lists(st.integers(1, 5), min_size=len(values), max_size=len(values))), float)
        made = compare(values, weights, people, 0)
        assert made.distance[0] == 0
        sums = made.shares.sum(axis=0)
        assert np.all(np.isclose(sums, 1) | (made.distance == 0) & (sums == 0))
        # Other names: the areas come in another order.
        order = np.array(data.draw(st.permutations(range(count))))
        turned = compare(values[:, order], weights, people[order], int(np.flatnonzero(order == 0)[0]))
        assert turned.distance == pytest.approx(made.distance[order], rel=1e-9, abs=1e-9)
        # Other units.
        scaled = compare(values * 1000 + 7, weights * 3, people * 2, 0)
        assert scaled.distance == pytest.approx(made.distance, rel=1e-6, abs=1e-6)
        # As far from here to there as from there to here.
        for other in range(count):
            assert compare(values, weights, people, other).distance[0] == pytest.approx(made.distance[other])

    @settings(max_examples=60, deadline=None)
    @given(values=VALUES, hole=st.integers(1, 8))
    def test_an_area_with_a_missing_value_is_as_if_it_were_not_there(self, values: np.ndarray, hole: int) -> None:
        hole = 1 + hole % (values.shape[1] - 1)
        people = np.arange(1.0, values.shape[1] + 1)
        holed = values.copy()
        holed[0, hole] = np.nan
        made = compare(holed, np.ones(len(values)), people, 0)
        without = compare(np.delete(values, hole, axis=1), np.ones(len(values)), np.delete(people, hole), 0)
        assert np.isnan(made.distance[hole])
        assert np.delete(made.distance, hole) == pytest.approx(without.distance)


class TestSaid:
    """Footnotes, defaults and what is refused."""

    def test_the_defaults_are_named_and_those_hardly_known_left_out(self, city: "Database") -> None:
        answer = asked(city, limit=3)
        assert list(answer.rows[0].contributions) == ["allein", "armut", "gleich"]
        assert answer.meta.method.endswith(
            "verglichen nach „Alleinerziehende“ (2024), „Armutsquote“ (2024) und „Überall gleich“ (2024), alle mit "
            "gleichem Gewicht."
        )
        assert "„Überall gleich“ (2024) ist in allen verglichenen Gebieten gleich und trägt nichts bei." in (
            answer.meta.warnings
        )
        assert {row.contributions["gleich"] for row in answer.rows} == {0}
        assert len(answer.rows) == 3
        assert answer.meta.title == "Vergleichbare Gebiete · stadtteil 00 · Ebene Stadtteil"
        assert [source.dataset for source in answer.meta.sources] == ["statistics.amt", "areas.stadtteil"]

    def test_the_area_s_own_gap_takes_an_indicator_out_of_the_defaults(self, city: "Database") -> None:
        answer = asked(city, MISSING)
        assert list(answer.rows[0].contributions) == ["allein", "gleich"]
        assert answer.meta.missing == 0

    def test_areas_without_a_value_are_counted_and_named(self, city: "Database") -> None:
        answer = asked(city, indicators=BOTH, limit=100)
        assert MISSING not in {row.area_key for row in answer.rows}
        assert answer.meta.missing == 1
        assert "Ein Gebiet ist nicht verglichen, weil mindestens ein Wert fehlt: stadtteil 05." in answer.meta.warnings

    def test_weights_stand_in_the_method(self, city: "Database") -> None:
        answer = asked(city, indicators=(replace(BOTH[0], weight=3), BOTH[1]))
        assert "„Armutsquote“ (2024) 75\N{NO-BREAK SPACE}% und „Alleinerziehende“ (2024) 25\N{NO-BREAK SPACE}%." in (
            answer.meta.method
        )

    def test_a_count_is_warned_of(self, city: "Database") -> None:
        answer = asked(city, indicators=(SimilarIndicator("wohnungen"),))
        assert any("ist eine Anzahl, kein Anteil" in warning for warning in answer.meta.warnings)

    def test_equal_areas_come_by_key_and_contribute_nothing(self, city: "Database") -> None:
        rows = asked(city, indicators=(SimilarIndicator("gleich"),), limit=4).rows
        assert [(row.area_key, row.distance, row.contributions) for row in rows] == [
            (key, 0, {"gleich": 0}) for key in KEYS[1:5]
        ]

    def test_geometry_on_request(self, city: "Database") -> None:
        assert all("Polygon" in (row.geometry or "") for row in asked(city, geometry=True).rows)

    def test_nobody_else_has_all_indicators(self, city: "Database") -> None:
        alone = (SimilarIndicator("selten"), SimilarIndicator("armut"))
        assert [row.area_key for row in asked(city, indicators=alone).rows] != []
        error = self.refused(city, MISSING, indicators=BOTH)
        assert error.parameter == "indicators"
        assert "Für stadtteil 05 gibt es keinen Wert von „Armutsquote“ (2024)" in str(error)

    def refused(self, city: "Database", *area: str, **request: Any) -> ParameterError:
        with pytest.raises(ParameterError) as caught:
            asked(city, *area, **request)
        return caught.value

    def test_wrong_requests(self, city: "Database") -> None:
        with pytest.raises(NotFoundError, match="„99“"):
            asked(city, "99")
        assert self.refused(city, "00", "kiez").parameter == "level"
        assert self.refused(city, "X", "leer").parameter == "indicators"
        assert self.refused(city, indicators=(SimilarIndicator("hunde"),)).parameter == "indicators"
        assert self.refused(city, indicators=(BOTH[0], BOTH[0])).parameter == "indicators"
        assert self.refused(city, indicators=(replace(BOTH[0], weight=0),)).parameter == "indicators"
        assert self.refused(city, indicators=(replace(BOTH[0], weight=math.nan),)).parameter == "indicators"
        many = tuple(SimilarIndicator(f"k{i}") for i in range(MOST_INDICATORS + 1))
        assert self.refused(city, indicators=many).parameter == "indicators"
        assert self.refused(city, limit=0).parameter == "limit"
        assert self.refused(city, period="gestern").parameter == "period"
        assert self.refused(city, indicators=BOTH, period="2019").parameter == "period"


def test_names_do_not_matter(city: "Database", database: Any, tmp_path: Path) -> None:
    """The same city under other keys, loaded backwards, has the same neighbours in kind."""
    renamed = {key: f"Z{99 - int(key)}" for key in KEYS}
    shapes = {renamed[key]: box(1000 * (i % 4), 1000 * (i // 4), 1000, 1000) for i, key in enumerate(KEYS)}
    load_areas(database.writing, tmp_path, "stadtteil", dict(reversed(shapes.items())))
    listed = [
        *figures("armut", {renamed[key]: value for key, value in ARMUT.items() if key != MISSING}),
        *figures("allein", {renamed[key]: value for key, value in ALLEIN.items()}),
        *residents_rows("stadtteil", {renamed[key]: {"total": count} for key, count in PEOPLE.items()}),
    ]
    random.Random(1).shuffle(listed)  # noqa: S311 - a test
    load_statistics(database.writing, tmp_path, listed, dataset="statistics.amt", counting=Counting("stichtag"))
    before, after = (
        asked(one, key, indicators=BOTH, limit=100).rows for one, key in ((city, "03"), (database, renamed["03"]))
    )
    assert [renamed[row.area_key] for row in before] == [row.area_key for row in after]
    assert [row.distance for row in before] == pytest.approx([row.distance for row in after], rel=1e-9)
    assert [row.contributions for row in before] == [pytest.approx(row.contributions, rel=1e-9) for row in after]
