"""Local Moran's I against esda, a plain loop and all draws there are; and what the question says of its areas."""

import itertools
import math
import random
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from people_help import box, load_areas, load_statistics, residents_rows

from geodata.answer import Answer
from geodata.clusters import ALONE, CLUSTERS, NOT_SIGNIFICANT, ClusterRow, ClustersRequest, clusters, touching
from geodata.database import reading
from geodata.errors import ParameterError
from geodata.local_moran import differ, local_moran
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.load import Counting

if TYPE_CHECKING:
    from conftest import Database

WIDTH = 8
KEYS = [f"{number:02d}" for number in range(WIDTH * WIDTH)]


def grid(width: int, gap: float = 0.0) -> list[shapely.Polygon]:
    """Return squares of 100 m, row by row from the south-west, so many metres apart."""
    return [box(i % width * (100 + gap), i // width * (100 + gap), 100, 100) for i in range(width * width)]


def pairs(width: int) -> tuple[np.ndarray, np.ndarray]:
    return touching(grid(width))


def queen(width: int) -> set[tuple[int, int]]:
    cells = list(itertools.product(range(width), repeat=2))
    return {
        (a, b) for (a, (ya, xa)), (b, (yb, xb)) in itertools.permutations(enumerate(cells), 2)
        if max(abs(ya - yb), abs(xa - xb)) == 1
    }  # fmt: skip


class TestTouching:
    """Which areas are neighbours."""

    @pytest.mark.parametrize("gap", [0.0, 0.4, 0.7])
    def test_sides_and_corners_with_slivers_between(self, gap: float) -> None:
        first, second = touching(grid(5, gap))
        assert set(zip(first.tolist(), second.tolist(), strict=True)) == queen(5)

    def test_one_metre_joins_and_more_parts(self) -> None:
        near = [box(0, 0, 100, 100), box(101, 0, 100, 100), box(202.01, 0, 100, 100)]
        assert list(zip(*(side.tolist() for side in touching(near)), strict=True)) == [(0, 1), (1, 0)]

    def test_areas_without_map_touch_nothing(self) -> None:
        first, second = touching([None, box(0, 0, 10, 10), None, box(10, 0, 10, 10)])
        assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == [(1, 3), (3, 1)]
        assert all(len(side) == 0 for side in touching([None, None]))

    def test_libpysal_gives_the_same(self) -> None:
        import geopandas as gpd
        from libpysal.graph import Graph

        shapes = shapely.voronoi_polygons(shapely.MultiPoint(np.random.default_rng(3).random((60, 2)) * 10_000)).geoms
        listed = list(shapes)
        oracle = Graph.build_contiguity(gpd.GeoSeries(listed), rook=False)
        expected = set(oracle.adjacency.index.to_list())
        assert set(zip(*(side.tolist() for side in touching(listed)), strict=True)) == expected


class TestKernel:
    """The statistic and its p-values."""

    def test_the_worked_example(self) -> None:
        made = local_moran(np.array([1.0, 1, 5, 5]), np.array([0, 1, 1, 2, 2, 3]), np.array([1, 0, 2, 1, 3, 2]), 99)
        assert made.statistic == pytest.approx([0.75, 0, 0, 0.75])

    @settings(max_examples=15, deadline=None)
    @given(seed=st.integers(0, 2**31))
    def test_esda_and_a_loop_give_the_same_statistic(self, seed: int) -> None:
        from esda.moran import Moran_Local
        from libpysal.graph import Graph

        first, second = pairs(6)
        values = np.random.default_rng(seed).gamma(2, 3, 36)
        made = local_moran(values, first, second, 99)
        z = [(value - values.mean()) / values.std() for value in values.tolist()]
        for i in range(36):
            around = [z[b] for a, b in zip(first.tolist(), second.tolist(), strict=True) if a == i]
            assert made.statistic[i] == pytest.approx(35 / 36 * z[i] * sum(around) / len(around), rel=1e-9, abs=1e-12)
            words = CLUSTERS[int(made.quadrant[i])].split("-")
            assert words == ["hoch" if side > 0 else "niedrig" for side in (z[i], sum(around))]
        order = np.lexsort((second, first))
        graph = Graph.from_arrays(first[order], second[order], np.ones(len(order)))
        oracle = Moran_Local(values, graph, permutations=0)
        assert made.statistic == pytest.approx(oracle.Is, rel=1e-9)
        assert made.quadrant.tolist() == oracle.q.tolist()

    def test_esda_s_draws_lead_to_the_same_p(self) -> None:
        """Both draw by chance, so they agree as well as 9,999 draws do; esda's p is one-sided."""
        from esda.moran import Moran_Local
        from libpysal.graph import Graph

        first, second = pairs(6)
        order = np.lexsort((second, first))
        graph = Graph.from_arrays(first[order], second[order], np.ones(len(order)))
        values = np.random.default_rng(1).gamma(2, 3, 36)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # esda announces changes of its p-values
            oracle = np.minimum(1, 2 * Moran_Local(values, graph, permutations=9999, seed=7).p_sim)
        difference = np.abs(local_moran(values, first, second, 9999).p - oracle)
        # One standard deviation of a difference is at most 2 · sqrt(2 · 0.25 / 9999) = 0.014.
        assert difference.max() < 0.06
        assert difference.mean() < 0.02

    def test_p_is_what_all_draws_there_are_would_give(self) -> None:
        """A ring of ten areas with two neighbours each: 36 pairs can be drawn from the nine others."""
        count, draws = 10, 9999
        values = np.array([3.0, 8, 1, 1, 9, 4, 7, 2, 6, 10])
        around = [(i, (i + step) % count) for i in range(count) for step in (-1, 1)]
        first, second = (np.array(side) for side in zip(*around, strict=True))
        made = local_moran(values, first, second, draws)
        for i in range(count):
            others = [values[j] for j in range(count) if j != i]
            all_pairs = [a + b for a, b in itertools.combinations(others, 2)]
            seen = values[(i - 1) % count] + values[(i + 1) % count]
            more = sum(one >= seen for one in all_pairs) / len(all_pairs)
            less = sum(one <= seen for one in all_pairs) / len(all_pairs)
            assert made.p[i] == pytest.approx(min(1, 2 * min(more, less)), abs=0.03)

    def test_the_false_discovery_rate_is_benjamini_s_and_hochberg_s(self) -> None:
        first, second = pairs(8)
        values = np.random.default_rng(5).normal(size=64) + np.repeat([3.0, 0.0], 32)
        made = local_moran(values, first, second, 999)
        order = np.argsort(made.p)
        for level in (0.01, 0.05, 0.2):
            passing = [k for k in range(64) if made.p[order[k]] <= (k + 1) / 64 * level]
            expected = set(order[: max(passing) + 1].tolist()) if passing else set()
            assert set(np.flatnonzero(made.p_adjusted <= level).tolist()) == expected
        assert (made.p_adjusted <= 0.05).sum() > 5

    def test_chance_alone_is_hardly_ever_significant(self) -> None:
        """In 40 cities without any pattern, a finding in about one of twenty at most."""
        first, second = pairs(7)
        rng = np.random.default_rng(11)
        found = [local_moran(rng.normal(size=49), first, second, 999).p_adjusted.min() <= 0.05 for _ in range(40)]
        assert sum(found) <= 6

    def test_values_that_repeat_are_equal_however_they_are_added_up(self) -> None:
        first, second = pairs(6)
        values = np.tile([0.1, 0.3], 18)
        made = local_moran(values, first, second, 199)
        turned = np.arange(36)[::-1]
        other = local_moran(values[turned], turned[first], turned[second], 199)
        assert made.statistic == pytest.approx(other.statistic[turned])
        assert local_moran(values * 1e-7, first, second, 199).p.tolist() == made.p.tolist()

    @settings(max_examples=20, deadline=None)
    @given(order=st.permutations(range(len(queen(4)))))
    def test_the_order_of_the_pairs_does_not_matter(self, order: list[int]) -> None:
        first, second = pairs(4)
        values = np.random.default_rng(2).normal(size=16)
        made = local_moran(values, first, second, 99)
        again = local_moran(values, first[order], second[order], 99)
        assert made.p.tolist() == again.p.tolist()
        assert made.statistic.tolist() == again.statistic.tolist()

    def test_what_does_not_differ(self) -> None:
        assert not differ(np.full(5, 0.1) * 3 / 3)
        assert not differ(np.zeros(5))
        assert differ(np.array([1e9, 1e9 + 10]))


CATALOGUE = """
indicator = [
  { code = "quote", title = "Quote", unit = "%", kind = "rate" },
  { code = "gleich", title = "Gleich", unit = "%", kind = "rate" },
  { code = "wenig", title = "Wenig", unit = "%", kind = "rate" },
  { code = "zufall", title = "Zufall", unit = "%", kind = "rate" },
  { code = "jung_proz", title = "Anteil der Jungen", kind = "share", numerator = "population:0-18", denominator = "population:total" },
]
"""  # noqa: E501
MISSING, FAR = "27", "99"


def value_of(key: str) -> float:
    """High in the south-west, low in the north-east; a single high one far in the north."""
    x, y = int(key) % WIDTH, int(key) // WIDTH
    return 45.0 if key == "61" else 50.0 - 3 * (x + y) + (7 * x + 3 * y) % 5


def figures(code: str, values: Mapping[str, object]) -> list[dict[str, object]]:
    return [
        {"area_level": "gebiet", "area_key": key, "indicator": code, "position": "", "period": "2024", "value": value}
        for key, value in values.items()
    ]


def build(made: "Database", folder: Path, names: Mapping[str, str]) -> "Database":
    """The city of 8 × 8 areas and one far off, under other keys, in the order of these."""
    shapes = dict(zip(KEYS, grid(WIDTH, 0.5), strict=True)) | {FAR: box(5000, 5000, 100, 100)}
    load_areas(made.writing, folder, "gebiet", {names[key]: shapes[key] for key in sorted(shapes, key=names.get)})
    load_areas(made.writing, folder, "stadt", {"1": box(0, 0, 6000, 6000)})
    (folder / "katalog.toml").write_text(CATALOGUE, encoding="utf-8")
    import_catalogue(made.writing, folder / "katalog.toml", CatalogueImport())
    chance = random.Random(3)  # noqa: S311 - a test
    noise = [chance.random() for _ in KEYS]
    chance.shuffle(noise)
    listed = [
        *figures("quote", {names[key]: value_of(key) for key in [*KEYS, FAR] if key != MISSING}),
        *figures("gleich", {names[key]: 0.1 for key in KEYS}),
        *figures("wenig", {names[key]: value_of(key) for key in KEYS[:9]}),
        *figures("zufall", {names[key]: one for key, one in zip(KEYS, noise, strict=True)}),
        *figures("anzahl", {names[key]: round(value_of(key)) for key in KEYS}),
        *residents_rows("stadt", {"1": {"total": 6500, "0-18": 1300}}),
    ]
    load_statistics(made.writing, folder, listed, dataset="statistics.amt", counting=Counting("stichtag"))
    return made


@pytest.fixture(scope="module")
def city(new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory) -> "Database":
    return build(new_database(), tmp_path_factory.mktemp("city"), {key: key for key in [*KEYS, FAR]})


def asked(database: Any, indicator: str = "quote", level: str = "gebiet", **request: Any) -> Answer[ClusterRow]:
    with reading(database.serving) as session:
        return clusters(session, ClustersRequest(indicator, level, **request))


class TestQuestion:
    """What the answer says of areas, values and itself."""

    def test_every_area_has_its_row(self, city: "Database") -> None:
        answer = asked(city)
        assert [row.area_key for row in answer.rows] == [*KEYS, FAR]
        by_key = {row.area_key: row for row in answer.rows}
        missing, far = by_key[MISSING], by_key[FAR]
        assert (missing.flag, missing.value, missing.local_i, missing.cluster) == ("missing", None, None, None)
        assert (far.flag, far.value, far.p_value, far.significant) == (ALONE, value_of(FAR), None, None)
        assert (missing.neighbours, far.neighbours) == (None, None)
        assert by_key["00"].neighbours == 3
        assert by_key["28"].neighbours == 7, "one of the eight has no value"
        assert answer.meta.missing == 2
        assert "Ein Gebiet hat keinen Wert und zählt auch nicht als Nachbar: gebiet 27." in answer.meta.warnings
        assert any(f"nicht geprüft: gebiet {FAR}" in warning for warning in answer.meta.warnings)

    def test_high_and_low_places_are_found(self, city: "Database") -> None:
        found = {row.area_key: row for row in asked(city).rows}
        assert found["00"].cluster == found["09"].cluster == "hoch-hoch"
        assert found["63"].cluster == "niedrig-niedrig"
        assert found["61"].cluster == "hoch-niedrig"
        for row in found.values():
            if row.cluster is not None:
                assert row.significant == (row.p_adjusted <= 0.05) == (row.cluster != NOT_SIGNIFICANT)
                assert row.p_value <= row.p_adjusted
        assert {row.cluster for row in found.values()} >= {NOT_SIGNIFICANT, None}

    def test_the_loop_over_the_areas_with_values(self, city: "Database") -> None:
        rows = {row.area_key: row for row in asked(city).rows}
        there = [key for key in KEYS if key != MISSING]
        values = {key: value_of(key) for key in there}
        mean = sum(values.values()) / len(there)
        sigma = math.sqrt(sum((value - mean) ** 2 for value in values.values()) / len(there))
        near = queen(WIDTH)
        for key in there:
            around = [(values[other] - mean) / sigma for other in there if (int(key), int(other)) in near]
            expected = (len(there) - 1) / len(there) * (values[key] - mean) / sigma * sum(around) / len(around)
            assert rows[key].local_i == pytest.approx(expected, rel=1e-9)
            assert rows[key].neighbours == len(around)

    def test_the_same_again(self, city: "Database") -> None:
        assert asked(city) == asked(city)

    def test_pages_make_the_whole(self, city: "Database") -> None:
        whole, after, made = asked(city), None, []
        while True:
            page = asked(city, limit=30, after=after)
            made += page.rows
            after = page.meta.next
            if after is None:
                break
        assert made == whole.rows

    def test_geometry_on_request(self, city: "Database") -> None:
        assert all("Polygon" in (row.geometry or "") for row in asked(city, geometry=True, limit=5).rows)
        assert asked(city, limit=1).rows[0].geometry is None

    def test_the_method_and_sources(self, city: "Database") -> None:
        meta = asked(city, permutations=499, significance=0.01).meta
        assert "„Quote“ (2024)" in meta.method
        assert "499 zufälligen Vertauschungen" in meta.method
        assert "höchstens 1\N{NO-BREAK SPACE}% (Benjamini-Hochberg)." in meta.method
        assert [source.dataset for source in meta.sources] == ["statistics.amt", "areas.gebiet"]
        assert (meta.unit, meta.title) == ("%", "Räumliche Häufungen · „Quote“ (2024) · Ebene Gebiet")

    def test_chance_is_said_to_be_chance(self, city: "Database") -> None:
        answer = asked(city, "zufall", permutations=999)
        assert not any(row.significant for row in answer.rows)
        assert "Keine Häufung ist gesichert: Die Unterschiede zwischen den Gebieten können Zufall sein." in (
            answer.meta.warnings
        )
        assert any("erst ab 3 auffälligen Gebieten" in warning for warning in answer.meta.warnings)

    def test_a_count_is_warned_of_only_where_it_is_one(self, city: "Database") -> None:
        assert not any("ist eine Anzahl" in warning for warning in asked(city).meta.warnings)

    @pytest.mark.parametrize(("request_", "parameter"), [
        ({"indicator": "gleich"}, "indicator"), ({"indicator": "wenig"}, "indicator"),
        ({"indicator": "hunde"}, "indicator"), ({"level": "kiez"}, "level"), ({"period": "2019"}, "period"),
        ({"position": "0-18"}, "position"), ({"permutations": 5}, "permutations"),
        ({"permutations": 10**6}, "permutations"), ({"significance": 0.0}, "significance"),
        ({"significance": math.nan}, "significance"), ({"indicator": "jung_proz"}, "level"),
    ])  # fmt: skip
    def test_refused(self, city: "Database", request_: dict[str, Any], parameter: str) -> None:
        with pytest.raises(ParameterError) as caught:
            asked(city, **request_)
        assert caught.value.parameter == parameter
        assert str(caught.value).endswith((".", "31")), str(caught.value)


def test_names_and_order_do_not_matter(city: "Database", database: Any, tmp_path: Path) -> None:
    keys = [*KEYS, FAR]
    others = [f"K{number:03d}" for number in range(len(keys))]
    random.Random(5).shuffle(others)  # noqa: S311 - a test
    names = dict(zip(keys, others, strict=True))
    renamed = {row.area_key: row for row in asked(build(database, tmp_path, names)).rows}
    for row in asked(city).rows:
        other = renamed[names[row.area_key]]
        assert (row.value, row.cluster, row.neighbours, row.flag) == (
            other.value, other.cluster, other.neighbours, other.flag)  # fmt: skip
        assert (row.p_value, row.p_adjusted) == (other.p_value, other.p_adjusted)
        assert row.local_i == (None if other.local_i is None else pytest.approx(other.local_i, rel=1e-9))
