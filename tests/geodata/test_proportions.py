"""Intervals of shares: the published example, an oracle, a root finder, and what holds for every share."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from geodata.proportions import Interval, Proportion, newcombe, wilson

COUNTS = st.integers(1, 5000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
SOME = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def percent(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return round(100 * interval.low, 2), round(100 * interval.high, 2)


def score_limits(hits: int, total: int, z: float) -> tuple[float, float]:
    """The shares that lie exactly z of their own standard errors from the observed one, by root finding."""
    share = hits / total

    def distance(true: float) -> float:
        return (share - true) ** 2 - z * z * true * (1 - true) / total

    # A share of 0 or 1 has no distance from itself: that root is not meant.
    low = 0.0 if hits == 0 else brentq(distance, 0.0, share - 1e-9, xtol=1e-14)
    high = 1.0 if hits == total else brentq(distance, share + 1e-9, 1.0, xtol=1e-14)
    return low, high


def test_the_published_quarters_of_hamburg_mitte() -> None:
    before, after = Proportion(617 - 306, 617), Proportion(540 - 253, 540)
    assert [round(100 * (one.share() or 0), 2) for one in (before, after)] == [50.41, 53.15]
    assert percent(wilson(before)) == (46.47, 54.34)
    assert percent(wilson(after)) == (48.93, 57.32)
    change = newcombe(before, after)
    assert percent(change) == (-3.02, 8.48)
    assert change is not None
    assert change.covers(0)
    assert round(100 * ((after.share() or 0) - (before.share() or 0)), 2) == 2.74


@SOME
@given(counts=COUNTS, confidence=st.sampled_from((0.8, 0.9, 0.95, 0.99)))
def test_wilson_is_what_scipy_says(counts: tuple[int, int], confidence: float) -> None:
    hits, total = counts
    found = wilson(Proportion(hits, total), confidence)
    oracle = binomtest(hits, total).proportion_ci(confidence, method="wilson")
    assert found is not None
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=1e-12)
    assert 0 <= found.low <= hits / total <= found.high <= 1


@SOME
@given(one=COUNTS, other=COUNTS)
def test_newcombe_is_made_of_the_score_equations_roots(one: tuple[int, int], other: tuple[int, int]) -> None:
    z = float(norm.ppf(0.975))
    (low1, high1), (low2, high2) = score_limits(*one, z), score_limits(*other, z)
    first, second = one[0] / one[1], other[0] / other[1]
    down, up = math.hypot(second - low2, high1 - first), math.hypot(high2 - second, first - low1)
    found = newcombe(Proportion(*one), Proportion(*other))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((second - first - down, second - first + up), abs=1e-9)
    turned = newcombe(Proportion(*other), Proportion(*one))
    assert turned is not None
    assert (-turned.high, -turned.low) == pytest.approx((found.low, found.high), abs=1e-12)
    assert -1 <= found.low <= found.high <= 1


@SOME
@given(counts=COUNTS)
def test_what_is_in_and_what_is_out_mirror_each_other(counts: tuple[int, int]) -> None:
    hits, total = counts
    inside, outside = wilson(Proportion(hits, total)), wilson(Proportion(total - hits, total))
    assert inside is not None
    assert outside is not None
    assert (inside.low, inside.high) == pytest.approx((1 - outside.high, 1 - outside.low), abs=1e-12)


def test_more_cases_and_less_confidence_narrow_the_interval() -> None:
    widths = [interval.high - interval.low for n in (10, 100, 1000) if (interval := wilson(Proportion(n // 2, n)))]
    assert widths == sorted(widths, reverse=True)
    wide, narrow = wilson(Proportion(5, 10), 0.99), wilson(Proportion(5, 10), 0.5)
    assert wide is not None
    assert narrow is not None
    assert wide.low < narrow.low < narrow.high < wide.high


def test_no_case_and_all_cases() -> None:
    none = Proportion(0, 0)
    assert none.share() is None
    assert wilson(none) is None
    assert newcombe(none, Proportion(1, 2)) is None
    assert newcombe(Proportion(1, 2), none) is None
    nobody, everybody = wilson(Proportion(0, 7)), wilson(Proportion(7, 7))
    assert nobody is not None
    assert everybody is not None
    assert (nobody.low, everybody.high) == (0.0, 1.0)
    assert nobody.high > 0
    assert everybody.low < 1


def test_a_limit_belongs_to_the_interval() -> None:
    assert Interval(0, 1).covers(0)
    assert Interval(-1, 0).covers(0)
    assert not Interval(0.0001, 1).covers(0)


@pytest.mark.parametrize(("hits", "total"), [(-1, 2), (3, 2), (math.nan, 2), (1, math.nan), (1, math.inf), (0, -1)])
def test_what_is_no_share_is_refused(hits: float, total: float) -> None:
    with pytest.raises(ValueError, match="no share"):
        Proportion(hits, total)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95, math.nan])
def test_a_confidence_lies_between_0_and_1(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson(Proportion(1, 2), confidence)
