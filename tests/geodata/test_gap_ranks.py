"""The kernel of gaps against plain loops, and what must hold whatever the numbers are."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geodata.gap_ranks import (
    MOST_INDICATORS,
    STANDARD_MOVES,
    TIE,
    WEIGHT_MOVES,
    Need,
    Ranked,
    Standard,
    deficits,
    rank_areas,
    ranks,
    z_scores,
)


# The oracle: one area at a time, with lists and loops, from the formulas of the docstring.
def plain_z(values: list[float], weights: list[float]) -> list[float]:
    total = math.fsum(weights)
    mean = math.fsum(w * v for w, v in zip(weights, values, strict=True)) / total
    sigma = math.sqrt(math.fsum(w * (v - mean) ** 2 for w, v in zip(weights, values, strict=True)) / total)
    if sigma <= 1e-9 * max(map(abs, values), default=0.0):
        return [0.0] * len(values)
    return [(v - mean) / sigma for v in values]


def plain_ranks(priority: list[float]) -> list[int]:
    """Rank 1 + how many lie clearly above: further than the tie, over a chain of neighbours."""
    descending = sorted(priority, reverse=True)
    first = {}
    for place, value in enumerate(descending, start=1):
        before = descending[place - 2] if place > 1 else math.inf
        first[place] = place if before - value > TIE else first[place - 1]
    return [first[descending.index(value) + 1] for value in priority]


def plain_priority(
    value: float, per: float, people: list[float], have: list[float], need: list[list[float]], weights: list[float],
    whole: float,
) -> list[float]:  # fmt: skip
    short = [max(0.0, value * p / per - h) / p * 1000 for p, h in zip(people, have, strict=True)]
    made = plain_z(short, people)
    total = sum(map(abs, weights))
    for own, weight in zip(need, weights, strict=True):
        for i, z in enumerate(plain_z(own, people)):
            made[i] += whole * weight / total * z
    return made


def plain_scenarios(need: Need, share: bool, value: float) -> list[tuple[float, float, list[float]]]:
    """Every assumption at its middle or its ends: all corners, and each alone."""
    weights = need.weights.tolist()
    ends = [STANDARD_MOVES, WEIGHT_MOVES, *([WEIGHT_MOVES] * len(weights))]
    moves = {tuple(corner) for corner in itertools.product(*ends)} | {(1.0,) * len(ends)}
    for i, both in enumerate(ends):
        moves |= {tuple(end if j == i else 1.0 for j in range(len(ends))) for end in both}
    most = 1.0 if share else math.inf
    return [
        (min(value * first, most), need.weight * second, [w * f for w, f in zip(weights, rest, strict=True)])
        for first, second, *rest in moves
    ]


def random_case(seed: int, areas: int, indicators: int, share: bool) -> tuple[Standard, list[float], list[float], Need]:
    rng = random.Random(seed)  # noqa: S311 - seeded on purpose
    people = [rng.uniform(1, 900) for _ in range(areas)]
    value = rng.uniform(0.5, 0.99) if share else rng.uniform(5, 80)
    per = 1.0 if share else 1000.0
    have = [rng.uniform(0, 1.4) * value * p / per for p in people]
    need = Need(
        np.array([[rng.gauss(10, 4) for _ in range(areas)] for _ in range(indicators)]),
        np.array([rng.choice((-1, 1)) * rng.uniform(0.2, 3) for _ in range(indicators)]),
        rng.uniform(0.2, 2),
    )
    return Standard(value, per, 1.0 if share else math.inf), people, have, need


@pytest.mark.parametrize(("indicators", "share"), [(1, False), (2, True), (3, False), (MOST_INDICATORS, False)])
@pytest.mark.parametrize("seed", range(3))
def test_ranks_and_their_range_agree_with_plain_loops(seed: int, indicators: int, share: bool) -> None:
    standard, people, have, need = random_case(seed, 23, indicators, share)
    got = rank_areas(standard, np.array(people), np.array(have), need)
    lists = need.indicators.tolist()
    base = plain_priority(standard.value, standard.per, people, have, lists, need.weights.tolist(), need.weight)
    assert got.priority == pytest.approx(base, rel=1e-9, abs=1e-12)
    assert got.rank.tolist() == plain_ranks(base)
    needed = [standard.value * p / standard.per for p in people]
    assert got.needed == pytest.approx(needed, rel=1e-12)
    assert got.deficit == pytest.approx([max(0.0, n - h) for n, h in zip(needed, have, strict=True)], rel=1e-9)
    assert got.deficit_per_1000 == pytest.approx(
        [1000 * max(0.0, n - h) / p for n, h, p in zip(needed, have, people, strict=True)], rel=1e-9
    )
    index = np.array(plain_priority(0.0, 1.0, people, have, lists, need.weights.tolist(), 1.0))
    assert got.need_index == pytest.approx(index, rel=1e-9, abs=1e-12)
    every = [
        plain_ranks(plain_priority(value, standard.per, people, have, lists, weights, whole))
        for value, whole, weights in plain_scenarios(need, share, standard.value)
    ]
    assert got.low.tolist() == [min(column) for column in zip(*every, strict=True)]
    assert got.high.tolist() == [max(column) for column in zip(*every, strict=True)]


def test_without_need_only_the_standard_moves() -> None:
    standard, people, have, _need = random_case(7, 30, 1, False)
    got = rank_areas(standard, np.array(people), np.array(have))
    every = [
        plain_ranks(plain_priority(standard.value * factor, 1000, people, have, [], [], 0))
        for factor in (1, *STANDARD_MOVES)
    ]
    assert got.rank.tolist() == every[0]
    assert got.low.tolist() == [min(column) for column in zip(*every, strict=True)]
    assert got.high.tolist() == [max(column) for column in zip(*every, strict=True)]
    assert np.isnan(got.need_index).all()
    assert (got.low < got.high).any()  # or the test would show nothing


def test_numbers_by_hand() -> None:
    """Four areas of 100, 300, 100 and 500 people; 40 per 1,000; a need indicator of 1, 2, 3 and 2."""
    people, have = np.array([100.0, 300, 100, 500]), np.array([1.0, 12, 5, 10])
    got = rank_areas(Standard(40.0), people, have, Need(np.array([[1.0, 2, 3, 2]]), np.array([2.0]), 0.5))
    assert got.needed.tolist() == [4, 12, 4, 20]
    assert got.deficit.tolist() == [3, 0, 0, 10]
    assert got.deficit_per_1000.tolist() == [30, 0, 0, 20]
    # Mean (100·30 + 500·20) / 1000 = 13; variance 0.1·17² + 0.3·13² + 0.1·13² + 0.5·7² = 121, sigma 11.
    short = [17 / 11, -13 / 11, -13 / 11, 7 / 11]
    # Mean 2; variance 0.1·1 + 0.1·1 = 0.2.
    index = [-1 / math.sqrt(0.2), 0, 1 / math.sqrt(0.2), 0]
    assert got.need_index == pytest.approx(index)
    assert got.priority == pytest.approx([s + 0.5 * i for s, i in zip(short, index, strict=True)])
    # 0.427, −1.182, −0.064, 0.636
    assert got.rank.tolist() == [2, 4, 3, 1]


def test_what_is_missing_is_not_ranked_and_changes_nobody_else() -> None:
    standard, people, have, need = random_case(3, 12, 2, False)
    alone = rank_areas(standard, np.array(people), np.array(have), need)
    nan = math.nan
    more = [(nan, 5.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0), (50.0, nan, 1.0, 1.0), (50.0, 5.0, nan, 1.0)]
    grown = rank_areas(
        standard,
        np.array([*people, *(row[0] for row in more)]),
        np.array([*have, *(row[1] for row in more)]),
        Need(np.hstack([need.indicators, np.array([row[2:] for row in more]).T]), need.weights, need.weight),
    )
    for name in Ranked.__slots__:
        np.testing.assert_array_equal(getattr(grown, name)[:12], getattr(alone, name))
    assert grown.rank[12:].tolist() == grown.low[12:].tolist() == grown.high[12:].tolist() == [0, 0, 0, 0]
    assert np.isnan(grown.priority[12:]).all()
    assert np.isnan(grown.needed[12:]).tolist() == [True, False, False, False]
    assert np.isnan(grown.deficit[12:]).tolist() == [True, False, True, False]
    assert np.isnan(grown.deficit_per_1000[12:]).tolist() == [True, True, True, False]
    assert np.isnan(grown.need_index[12:]).tolist() == [False, False, False, True]


def test_nothing_to_rank_is_no_error() -> None:
    for people in (np.array([]), np.array([math.nan, 0.0])):
        got = rank_areas(Standard(30.0), people, np.zeros(len(people)))
        assert got.rank.tolist() == [0] * len(people)


def test_noise_makes_neither_deficit_nor_order() -> None:
    people = np.array([100.0, 300.0, 700.0, 1100.0])
    needed = Standard(0.8, 1.0, 1.0).needed(people)
    assert needed.tolist() == [80, 240, 560, 880]
    assert deficits(needed, people * 0.8).tolist() == [0, 0, 0, 0]
    # The same deficit per 1,000 everywhere, but for the last bits.
    got = rank_areas(Standard(37.7), people, people * 0.0111)
    assert got.priority.tolist() == [0, 0, 0, 0]
    assert got.rank.tolist() == got.low.tolist() == got.high.tolist() == [1, 1, 1, 1]


def test_a_share_never_moves_beyond_all() -> None:
    """At 100 % there is no more to reach: moving the standard up changes no deficit."""
    people = np.array([100.0, 100, 100])
    got = rank_areas(Standard(1.0, 1.0, 1.0), people, np.array([90.0, 95, 100]))
    assert got.deficit.tolist() == [10, 5, 0]
    assert (got.rank.tolist(), got.low.tolist(), got.high.tolist()) == ([1, 2, 3], [1, 1, 1], [1, 2, 3])


def test_ties_share_the_better_rank() -> None:
    assert ranks(np.array([1.0, 3.0, 1.0 + 1e-12, 3.0, 0.0])).tolist() == [3, 1, 3, 1, 5]
    assert ranks(np.array([2.0])).tolist() == [1]


def test_z_scores_are_weighted_and_have_no_unit() -> None:
    values, weights, everywhere = np.array([1.0, 2, 6]), np.array([2.0, 1, 1]), np.ones(3, dtype=bool)
    got = z_scores(values, weights, everywhere)
    assert float(got @ weights) == pytest.approx(0, abs=1e-12)
    assert float(np.square(got) @ weights) == pytest.approx(weights.sum())
    for unit in (1e-300, 1e-9, 1e6, 1e300):
        assert z_scores(values * unit, weights, everywhere) == pytest.approx(got)


AREAS = st.integers(2, 9)
# In thousandths: numbers that differ by their last bits only are for the test of noise.
PEOPLE = st.integers(500, 5_000_000).map(lambda thousandths: thousandths / 1000)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Standard, np.ndarray, np.ndarray, Need]:
    count, indicators = draw(AREAS), draw(st.integers(0, 3))
    columns = st.lists(st.integers(0, 40).map(float), min_size=count, max_size=count)
    return (
        Standard(draw(st.integers(1, 200)) / 2),
        np.array(draw(st.lists(PEOPLE, min_size=count, max_size=count))),
        np.array(draw(columns)),
        Need(
            np.array(draw(st.lists(columns, min_size=indicators, max_size=indicators))).reshape(indicators, count),
            np.array(draw(st.lists(st.sampled_from((-2.0, 0.5, 1.0, 3.0)), min_size=indicators, max_size=indicators))),
            draw(st.sampled_from((0.0, 0.5, 1.0, 2.0))),
        ),
    )


def all_the_same(first: Ranked, second: Ranked, order: np.ndarray | slice = slice(None)) -> None:
    for name in ("needed", "deficit", "deficit_per_1000", "need_index", "priority"):
        np.testing.assert_allclose(getattr(second, name), getattr(first, name)[order], rtol=1e-9, atol=1e-9)
    for name in ("rank", "low", "high"):
        assert getattr(second, name).tolist() == getattr(first, name)[order].tolist()


def clear_cut(case: tuple[Standard, np.ndarray, np.ndarray, Need]) -> None:
    """Leave out what a last bit could decide: priorities that differ by about as much as makes a tie."""
    standard, people, have, need = case
    base = rank_areas(standard, people, have, need).priority
    apart = np.abs(base[:, None] - base[None, :])
    assume(not ((apart > TIE / 100) & (apart < TIE * 100)).any())


@settings(max_examples=60, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_areas_changes_nothing(
    case: tuple[Standard, np.ndarray, np.ndarray, Need], rnd: random.Random
) -> None:
    clear_cut(case)
    standard, people, have, need = case
    order = np.array(rnd.sample(range(len(people)), len(people)))
    turned = rank_areas(
        standard, people[order], have[order], Need(need.indicators[:, order], need.weights, need.weight)
    )
    all_the_same(rank_areas(*case), turned, order)


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from((1e-6, 0.1, 7.0, 1000.0)))
def test_the_scale_of_the_weights_and_the_unit_of_an_indicator_change_nothing(
    case: tuple[Standard, np.ndarray, np.ndarray, Need], factor: float
) -> None:
    clear_cut(case)
    standard, people, have, need = case
    first = rank_areas(*case)
    all_the_same(first, rank_areas(standard, people, have, Need(need.indicators, need.weights * factor, need.weight)))
    shifted = Need(need.indicators * factor, need.weights, need.weight)
    all_the_same(first, rank_areas(standard, people, have, shifted))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_ranks_are_a_permutation_with_ties_and_lie_in_their_range(
    case: tuple[Standard, np.ndarray, np.ndarray, Need],
) -> None:
    got = rank_areas(*case)
    count = len(got.rank)
    for rank in got.rank.tolist():
        assert rank == 1 + sum(other < rank for other in got.rank.tolist())
    assert (got.low <= got.rank).all()
    assert (got.rank <= got.high).all()
    assert got.low.min() >= 1
    assert got.high.max() <= count
    for name in ("needed", "deficit", "deficit_per_1000", "priority"):
        assert np.isfinite(getattr(got, name)).all()


@settings(max_examples=40, deadline=None)
@given(cases())
def test_next_to_no_standard_leaves_no_deficit(case: tuple[Standard, np.ndarray, np.ndarray, Need]) -> None:
    _standard, people, have, need = case
    got = rank_areas(Standard(1e-12), people, have + 1e-3, Need(need.indicators, need.weights, 0.0))
    assert got.deficit.tolist() == [0.0] * len(people)
    assert set(got.rank.tolist()) == {1}


@settings(max_examples=40, deadline=None)
@given(cases())
def test_a_greater_standard_never_needs_less(case: tuple[Standard, np.ndarray, np.ndarray, Need]) -> None:
    standard, people, have, need = case
    first, second = rank_areas(*case), rank_areas(Standard(standard.value * 1.5), people, have, need)
    assert (second.needed >= first.needed).all()
    assert (second.deficit >= first.deficit).all()


@pytest.mark.parametrize("areas", [941, 11_000])
def test_all_of_hamburg_and_all_of_germany_can_be_ranked(areas: int) -> None:
    standard, people, have, need = random_case(1, areas, MOST_INDICATORS, False)
    made = rank_areas(standard, np.array(people), np.array(have), need)
    assert len(made.rank) == areas
    ranked = made.rank[made.rank > 0]
    assert len(ranked) > areas / 2
    assert ranked.min() == 1
