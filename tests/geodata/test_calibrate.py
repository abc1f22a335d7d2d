import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geodata.ages import Ages, bands, parse_position
from geodata.calibrate import Fitted, fit, runs

# The age fields of Hamburg's regional statistics.
HAMBURG = (
    "0-3", "0-6", "0-15", "0-18", "0-21", "3-6", "6-10", "6-12", "12-18", "10-14", "14-18", "15-25", "18-25", "16-26",
    "65-", "total",
)  # fmt: skip


def spans(*positions: str) -> list[Ages]:
    found = [parse_position(position) for position in positions]
    assert None not in found
    return [span for span in found if span is not None]


def fitted(prior: list[list[float]], positions: list[str], figures: list[list[float]]) -> Fitted:
    listed = spans(*positions)
    return fit(np.array(prior), bands(listed), listed, np.array(figures))


def test_plain_scaling() -> None:
    made = fitted([[1.0, 3.0]], ["0-18", "18-"], [[10.0, 30.0]])
    assert made.people.tolist() == [[10.0, 30.0]]
    assert made.bounded.all()
    assert not made.contradicted.any()


def test_a_total_alone_keeps_the_prior_structure() -> None:
    made = fit(np.array([[1.0, 3.0]]), [Ages(0, 18), Ages(18)], [Ages(0)], np.array([[40.0]]))
    assert made.people[0] == pytest.approx([10.0, 30.0])


def test_overlapping_spans_against_the_known_solution() -> None:
    # Proportional fitting multiplies one factor per figure: low = a, shared = a · b, high = b.
    listed = spans("0-6", "3-9")
    made = fit(np.ones((1, 3)), bands(listed), listed, np.array([[10.0, 20.0]]))
    low, shared, high = made.people[0]
    assert low + shared == pytest.approx(10)
    assert shared + high == pytest.approx(20)
    assert low * high == pytest.approx(shared, rel=1e-4)


def test_missing_figures_leave_the_prior() -> None:
    made = fitted([[5.0, 7.0], [5.0, 7.0]], ["0-18", "18-"], [[np.nan, np.nan], [10.0, np.nan]])
    assert made.people[0] == pytest.approx([5.0, 7.0])
    assert made.people[1] == pytest.approx([10.0, 7.0])
    assert made.bounded.tolist() == [False, False]


def test_the_finer_figures_win() -> None:
    made = fitted([[1.0, 1.0]], ["0-18", "18-", "total"], [[10.0, 30.0, 50.0]])
    assert made.people[0] == pytest.approx([10.0, 30.0])
    assert made.contradicted.tolist() == [[False, False, True]]
    falling = fitted([[1.0, 1.0]], ["0-15", "0-18"], [[100.0, 90.0]])
    assert falling.people[0] == pytest.approx([100.0, 0.0], abs=1e-6)
    assert falling.contradicted.tolist() == [[False, True]]


def test_zero_is_a_figure() -> None:
    made = fitted([[4.0, 6.0]], ["0-18", "total"], [[0.0, 80.0]])
    assert made.people[0] == pytest.approx([0.0, 80.0])


def test_people_where_the_prior_has_none() -> None:
    made = fitted([[0.0, 6.0]], ["0-18", "18-"], [[12.0, 5.0]])
    assert made.people[0] == pytest.approx([12.0, 5.0])


def test_no_areas() -> None:
    assert fit(np.zeros((0, 1)), [Ages(0)], [Ages(0)], np.zeros((0, 1))).people.shape == (0, 1)


def sums(people: NDArray[np.float64], cut: list[Ages], listed: list[Ages]) -> NDArray[np.float64]:
    return np.column_stack([people[:, run].sum(axis=1) for run in runs(cut, listed)])


@pytest.mark.parametrize("whole", [False, True])
def test_all_overlapping_figures_of_a_city_are_kept_exactly(whole: bool) -> None:
    listed = spans(*HAMBURG)
    cut = bands([*listed, Ages(30), Ages(50)])
    rng = np.random.default_rng(3)
    true = rng.integers(0, 300, (400, len(cut))).astype(float)
    true[rng.random(true.shape) < 0.2] = 0
    figures = sums(true, cut, listed)
    made = fit(rng.random(true.shape) * 40, cut, listed, figures, whole=whole)
    assert np.abs(sums(made.people, cut, listed) - figures).max() < 1e-6
    assert (made.people >= 0).all()
    assert not made.contradicted.any()
    assert not whole or (made.people == np.round(made.people)).all()


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 50), min_size=6, max_size=6), min_size=1, max_size=3),
    st.sets(st.tuples(st.integers(0, 5), st.integers(1, 6)).filter(lambda p: p[0] < p[1]), min_size=1, max_size=8),
    st.integers(0, 2**31),
)
def test_any_consistent_figures_are_kept(true: list[list[int]], wanted: set[tuple[int, int]], seed: int) -> None:
    listed = [Ages(*pair) for pair in sorted(wanted)]
    cut = bands([Ages(year, year + 1) for year in range(6)])
    rng = np.random.default_rng(seed)
    table = np.array(true, dtype=np.float64)
    figures = sums(table, cut, listed)
    figures[rng.random(figures.shape) < 0.2] = np.nan
    made = fit(rng.random(table.shape), cut, listed, figures)
    known = ~np.isnan(figures)
    assert np.abs(sums(made.people, cut, listed)[known] - figures[known]).max(initial=0) < 1e-6
    assert (made.people >= 0).all()


@settings(deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 5), st.integers(1, 6)).filter(lambda p: p[0] < p[1]),
        st.integers(0, 40),
        min_size=1,
        max_size=8,
    )
)
def test_contradicting_figures_still_give_people(figures: dict[tuple[int, int], int]) -> None:
    listed = [Ages(*pair) for pair in figures]
    cut = bands([Ages(year, year + 1) for year in range(6)])
    values = np.array([list(figures.values())], dtype=np.float64)
    made = fit(np.ones((1, 6)), cut, listed, values)
    assert np.isfinite(made.people).all()
    assert (made.people >= 0).all()
    kept = ~made.contradicted[0]
    assert np.abs(sums(made.people, cut, listed)[0] - values[0])[kept].max(initial=0) < 1e-6
    finest = min(range(len(listed)), key=lambda n: (listed[n].end - listed[n].age_from, -listed[n].age_from))
    assert kept[finest]
