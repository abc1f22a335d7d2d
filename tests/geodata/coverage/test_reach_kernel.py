"""Who is reached, and the median way: against loops written out by hand, and what must hold whatever the numbers."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.coverage.reach import Reached, medians, reached

CALM = settings(max_examples=150, deadline=None, derandomize=True, database=None)
# A cell: metres to the nearest place (None: no way), residents, number of its area (−1: in none).
Cell = tuple[int | None, int, int]
AREAS = 4
CELLS = st.lists(st.tuples(st.none() | st.integers(0, 40), st.integers(0, 30), st.integers(-1, AREAS - 1)), max_size=40)


def asked(cells: list[Cell], limit_m: float = 20, areas: int = AREAS) -> Reached:
    return reached(
        np.array([math.inf if m is None else m for m, _p, _a in cells], dtype=float),
        np.array([p for _m, p, _a in cells], dtype=float),
        np.array([a for _m, _p, a in cells], dtype=np.int64),
        areas,
        limit_m,
    )


def median_by_hand(cells: list[Cell]) -> float:
    """The smallest way within which at least half of the residents live; NaN where there is none."""
    people = sum(p for _m, p, _a in cells)
    for m in sorted({m for m, p, _a in cells if p and m is not None}):
        if sum(Fraction(p) for n, p, _a in cells if n is not None and n <= m) >= Fraction(people, 2):
            return m
    return math.nan


@CALM
@given(CELLS, st.integers(0, 41))
def test_counted_by_hand(cells: list[Cell], limit_m: int) -> None:
    found = asked(cells, limit_m)
    for area in range(AREAS + 1):
        own = [cell for cell in cells if cell[2] == (area if area < AREAS else -1)]
        there = sum(p for m, p, _a in own if m is not None and m <= limit_m)
        people = sum(p for _m, p, _a in own)
        assert found.reached[area] == there
        assert found.not_reached[area] == people - there
        assert found.population[area] == people
        assert found.unconnected[area] == sum(p for m, p, _a in own if m is None)
        assert found.median_m[area] == pytest.approx(median_by_hand(own), nan_ok=True)


@CALM
@given(CELLS, st.integers(0, 41), st.integers(0, 41))
def test_more_time_reaches_no_fewer(cells: list[Cell], one: int, other: int) -> None:
    less, more = (asked(cells, limit_m) for limit_m in sorted((one, other)))
    assert (less.reached <= more.reached).all()
    assert (less.population == more.population).all()
    assert np.array_equal(less.median_m, more.median_m, equal_nan=True)


@CALM
@given(CELLS, st.lists(st.none() | st.integers(0, 40), min_size=40, max_size=40))
def test_shorter_ways_reach_no_fewer(cells: list[Cell], others: list[int | None]) -> None:
    """Another place can only shorten the ways."""
    nearer: list[Cell] = [
        (m if n is None else n if m is None else min(m, n), p, a) for (m, p, a), n in zip(cells, others, strict=False)
    ]
    before, after = asked(cells), asked(nearer)
    assert (before.reached <= after.reached).all()
    assert (before.unconnected >= after.unconnected).all()
    shorter = np.nan_to_num(after.median_m, nan=math.inf) <= np.nan_to_num(before.median_m, nan=math.inf)
    assert shorter.all()


@CALM
@given(CELLS, st.permutations(range(AREAS)), st.randoms(use_true_random=False))
def test_order_and_numbers_of_areas_change_nothing(cells: list[Cell], number: list[int], chance: object) -> None:
    mixed: list[Cell] = [(m, p, number[a] if a >= 0 else a) for m, p, a in cells]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = asked(cells), asked(mixed)
    for name in ("population", "reached", "not_reached", "median_m", "unconnected"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert np.array_equal(ours[:AREAS], theirs[number], equal_nan=True)
        assert np.array_equal(ours[AREAS:], theirs[AREAS:], equal_nan=True)


def test_within_is_up_to_and_including() -> None:
    cells: list[Cell] = [(20, 3, 0), (21, 4, 0)]
    assert asked(cells, 20).reached[0] == 3
    assert asked(cells, np.nextafter(20, 0)).reached[0] == 0


def test_half_is_enough_for_the_median() -> None:
    assert asked([(10, 5, 0), (30, 5, 0)]).median_m[0] == 10
    assert asked([(10, 5, 0), (30, 6, 0)]).median_m[0] == 30
    assert asked([(10, 5, 0), (None, 5, 0)]).median_m[0] == 10
    assert math.isnan(asked([(10, 5, 0), (None, 6, 0)]).median_m[0])


def test_the_noise_of_sums_does_not_move_the_median() -> None:
    """Ten tenths are not quite one in binary; five of them are half of it all the same."""
    metres = np.repeat([1.0, 2.0], 5)
    for residents in (np.full(10, 0.1), np.full(10, 0.7), np.full(10, 1 / 3)):
        assert medians(metres, residents, np.zeros(10, dtype=np.int64), 1).tolist() == [1.0]
    # The same behind a large area, whose sum comes first.
    many = np.append(np.full(1000, 1234.567), np.full(10, 0.1))
    own = np.append(np.zeros(1000, dtype=np.int64), np.ones(10, dtype=np.int64))
    assert medians(np.append(np.full(1000, 5.0), metres), many, own, 2).tolist() == [5.0, 1.0]


def test_where_nobody_lives() -> None:
    found = asked([(5, 0, 0)])
    assert found.population.tolist() == [0] * (AREAS + 1)
    assert np.isnan(found.median_m).all()
    assert asked([], areas=0).reached.tolist() == [0]
