"""Whole numbers that add up, cleaned sums, and German numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata import words
from geodata.rounding import cleaned, whole

COUNTS = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=40)


@given(COUNTS)
def test_whole_numbers_add_up_and_stay_near(values: list[float]) -> None:
    made = whole(np.array(values))
    assert abs(made.sum() - math.fsum(values)) <= 0.5 + 1e-6
    assert (np.abs(made - values) < 1 + 1e-6).all()


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
def test_whole_numbers_stay_themselves(values: list[int]) -> None:
    noisy = np.array(values, dtype=float) * (1 + 1e-15)
    assert whole(noisy).tolist() == values
    assert cleaned(noisy).tolist() == values


def test_the_largest_remainder_is_rounded_up_first() -> None:
    assert whole(np.array([1.4, 1.3, 1.3])).tolist() == [2, 1, 1]
    assert whole(np.array([0.5, 0.5])).tolist() == [1, 0]


def test_real_fractions_are_kept() -> None:
    assert cleaned(np.array([1.5, 2 + 1e-6, np.nan, np.inf])).tolist()[:2] == [1.5, 2 + 1e-6]


@pytest.mark.parametrize(("value", "decimals", "said"), [
    (1234.5, 1, "1.234,5"), (0.285, 2, "0,29"), (2.5, 0, "3"), (-0.04, 1, "0,0"), (-2, 0, "−2"),
    (1_000_000, 0, "1.000.000"), (1e-12, 1, "0,0"), (1e20, 0, "100.000.000.000.000.000.000"),
])  # fmt: skip
def test_numbers(value: float, decimals: int, said: str) -> None:
    assert words.number(value, decimals) == said


def test_lists_counts_and_percents() -> None:
    assert [words.listed(names) for names in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == ["", "A", "A und B",
                                                                                          "A, B und C"]  # fmt: skip
    assert words.listed(["A", "B", "C"], 2) == "A, B und 1 weitere"
    assert words.percent(0.5315) == "53,2\N{NO-BREAK SPACE}%"
    assert (words.plain(30.0), words.plain(37.5), words.plain(1000.25)) == ("30", "37,5", "1.000,25")
    assert (words.counted(1, "ein Ort", "Orte"), words.counted(2000, "ein Ort", "Orte")) == ("ein Ort", "2.000 Orte")
