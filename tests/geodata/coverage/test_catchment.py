import doctest
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from access.fca import two_stage_fca
from access.weights import step_fn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geodata.coverage import catchment
from geodata.coverage.catchment import Access, Supply, access, per_area
from geodata.coverage.decay import Decay, parse_decay

Floats = NDArray[np.float64]
PACE = 80.0
DECAYS = ("bands", "gaussian", "none", "7:1,15:0.4")


class Town:
    """A random town: ways, offers with their classes of age, and residents."""

    def __init__(self, seed: int, *, cells: int = 40, places: int = 9, classes: int = 3, offers: int = 14) -> None:
        rng = np.random.default_rng(seed)
        # Round numbers, so that ways end exactly at bounds too; a tenth leads nowhere.
        self.metres = rng.integers(0, 24, (places, cells)) * 100.0
        self.metres[rng.random(self.metres.shape) < 0.1] = np.inf
        self.demand = rng.integers(0, 30, (cells, classes)) * (rng.random((cells, classes)) > 0.3) * 0.5
        self.supply = Supply(
            rng.integers(0, places, offers), rng.integers(0, classes, offers), rng.integers(0, 50, offers) * 1.0
        )
        self.rng = rng

    def blocks(self, size: int = 4) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        for start in range(0, len(self.metres), size):
            rows = self.metres[start : start + size]
            yield np.arange(start, start + len(rows)), rows

    def access(self, decay: str = "bands", supply: Supply | None = None) -> Access:
        return access(self.blocks(), PACE, parse_decay(decay, 15), supply or self.supply, self.demand)


def by_hand(town: Town, decay: Decay) -> Floats:
    """The equations as they stand, one number at a time."""
    places, cells = town.metres.shape
    weight = [
        [float(decay.weights(np.array([town.metres[j, i] / PACE]))[0]) for i in range(cells)] for j in range(places)
    ]
    index = np.zeros(cells)
    for place, group, amount in zip(town.supply.place, town.supply.group, town.supply.amount, strict=True):
        sought = sum(weight[place][i] * town.demand[i, group] for i in range(cells))
        if sought > 0:
            for i in range(cells):
                index[i] += 1000 * weight[place][i] * amount / sought
    return index


def pysal(metres: Floats, supply: Floats, people: Floats, steps: dict[float, float]) -> Floats:
    """PySAL's (enhanced) two-step floating catchment area over the same table of ways; 0 where it gives nothing."""
    place, cell = (axis.ravel() for axis in np.indices(metres.shape))
    cost = pd.DataFrame({"origin": cell, "dest": place, "cost": metres.ravel() / PACE})
    cells = pd.DataFrame({"people": people}, index=pd.Index(np.arange(len(people)), name="geoid"))
    places = pd.DataFrame({"places": supply}, index=pd.Index(np.arange(len(supply)), name="geoid"))
    found = two_stage_fca(
        cells, places, cost, max_cost=15, demand_index=True, demand_name="people", supply_index=True,
        supply_name="places", weight_fn=step_fn(steps),
    )  # fmt: skip
    return found.reindex(range(len(people))).fillna(0).to_numpy() * 1000


def test_the_example_of_the_docstring() -> None:
    assert doctest.testmod(catchment).attempted > 5
    assert doctest.testmod(catchment).failed == 0


def test_four_cells_by_hand() -> None:
    # First place: 44·1 + 50·0.68 + 100·0.22 = 100 compete for 30; second: 100·0.68 + 32·1 = 100 for 20.
    metres = np.array([[400.0, 800.0, 1200.0, 1600.0], [2000.0, 1300.0, 800.0, 160.0]])
    children = np.array([44.0, 50.0, 100.0, 32.0])
    supply = Supply(np.array([1, 0]), np.array([0, 0]), np.array([20.0, 30.0]))
    got = access([(np.array([0, 1]), metres)], 80, parse_decay("bands", 15), supply, children[:, None])
    assert got.index == pytest.approx([300, 204, 0.22 * 300 + 0.68 * 200, 200], rel=1e-12)
    assert (got.unused, got.unused_supply) == (0, 0)
    areas = per_area(got.index, children, np.array([0, 0, 1, -1]), 3)
    assert areas[[0, 1, 3]] == pytest.approx([(13_200 + 10_200) / 94, 202, 200], rel=1e-12)
    assert np.isnan(areas[2])


@pytest.mark.parametrize("steps", [{5.0: 1.0, 10.0: 0.68, 15.0: 0.22}, {15.0: 1.0}, {7.0: 1.0, 15.0: 0.4}])
@pytest.mark.parametrize("seed", range(4))
def test_pysal_finds_the_same(steps: dict[float, float], seed: int) -> None:
    town = Town(seed, cells=300, places=40, classes=1, offers=60)
    supply = np.bincount(town.supply.place, weights=town.supply.amount, minlength=40)
    got = access(town.blocks(), PACE, Decay("bands", tuple(steps), tuple(steps.values())), town.supply, town.demand)
    metres = np.where(np.isinf(town.metres), 1e9, town.metres)
    assert got.index == pytest.approx(pysal(metres, supply, town.demand[:, 0], steps), rel=1e-9, abs=1e-12)


def test_classes_of_age_are_pysals_areas_one_after_the_other() -> None:
    town, steps = Town(11, cells=200, places=30, offers=80), {5.0: 1.0, 10.0: 0.68, 15.0: 0.22}
    metres = np.where(np.isinf(town.metres), 1e9, town.metres)
    wanted = np.zeros(200)
    for group in range(3):
        own = town.supply.group == group
        supply = np.bincount(town.supply.place[own], weights=town.supply.amount[own], minlength=30)
        wanted += pysal(metres, supply, town.demand[:, group], steps)
    assert town.access().index == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(DECAYS))
def test_the_equations_one_number_at_a_time(seed: int, decay: str) -> None:
    town = Town(seed, cells=15, places=4, classes=2, offers=6)
    assert town.access(decay).index == pytest.approx(by_hand(town, parse_decay(decay, 15)), rel=1e-9, abs=1e-9)


@given(st.integers(0, 10**6))
def test_one_catchment_over_everything_is_supply_per_resident(seed: int) -> None:
    town = Town(seed, classes=1)
    town.metres = np.minimum(town.metres, 1200)
    town.demand[0] = 1
    got = town.access("none")
    assert got.index == pytest.approx(1000 * town.supply.amount.sum() / town.demand.sum(), rel=1e-12)
    owner = town.rng.integers(0, 3, len(got.index))
    areas = per_area(got.index, town.demand[:, 0], owner, 3)
    assert areas[~np.isnan(areas)] == pytest.approx(1000 * town.supply.amount.sum() / town.demand.sum(), rel=1e-12)


@given(st.integers(0, 10**6), st.sampled_from(DECAYS))
def test_what_is_offered_arrives(seed: int, decay: str) -> None:
    town = Town(seed, classes=1)
    got = town.access(decay)
    arrived = got.index @ town.demand[:, 0] / 1000
    assert arrived + got.unused_supply == pytest.approx(town.supply.amount.sum(), rel=1e-9)
    owner = town.rng.integers(-1, 5, len(got.index))
    areas = per_area(got.index, town.demand[:, 0], owner, 5)
    people = np.array([town.demand[owner == area, 0].sum() for area in (0, 1, 2, 3, 4, -1)])
    assert np.isnan(areas).tolist() == (people == 0).tolist()
    assert np.nansum(areas * people) / 1000 == pytest.approx(arrived, rel=1e-9)


@given(st.integers(0, 10**6), st.sampled_from(DECAYS))
def test_more_supply_never_lowers(seed: int, decay: str) -> None:
    town = Town(seed)
    before = town.access(decay).index
    place, group = int(town.rng.integers(0, 9)), int(town.rng.integers(0, 3))
    more = Supply(
        np.append(town.supply.place, place), np.append(town.supply.group, group), np.append(town.supply.amount, 7.0)
    )
    after = town.access(decay, more)
    assert (after.index >= before - 1e-9 * before).all()
    town.supply = more
    assert after.index == pytest.approx(by_hand(town, parse_decay(decay, 15)), rel=1e-9, abs=1e-9)


@given(st.integers(0, 10**6), st.sampled_from(DECAYS))
def test_order_and_numbers_do_not_matter(seed: int, decay: str) -> None:
    town, other = Town(seed), Town(seed)
    offers, places, cells, classes = (
        town.rng.permutation(n) for n in (len(town.supply.place), *town.metres.shape, town.demand.shape[1])
    )
    other.metres = town.metres[places][:, cells]
    other.demand = town.demand[cells][:, classes]
    other.supply = Supply(
        np.argsort(places)[town.supply.place[offers]],
        np.argsort(classes)[town.supply.group[offers]],
        town.supply.amount[offers],
    )
    ours, theirs = town.access(decay), other.access(decay)
    assert theirs.index == pytest.approx(ours.index[cells], rel=1e-9, abs=1e-12)
    assert theirs.unused == ours.unused
    # Blocks may come in any order and size, with places in any order.
    order = town.rng.permutation(len(town.metres))
    mixed = [(np.array([j]), town.metres[[j]]) for j in order[:3]] + [(order[3:], town.metres[order[3:]])]
    again = access(mixed, PACE, parse_decay(decay, 15), town.supply, town.demand)
    assert again.index == pytest.approx(ours.index, rel=1e-9, abs=1e-12)


@given(st.integers(0, 10**6), st.sampled_from(DECAYS))
def test_two_halves_are_a_whole(seed: int, decay: str) -> None:
    town, split = Town(seed), Town(seed)
    split.metres = np.vstack([town.metres, town.metres])
    half = town.supply.amount / 2
    split.supply = Supply(
        np.concatenate([town.supply.place, town.supply.place + 9]),
        np.concatenate([town.supply.group, town.supply.group]),
        np.concatenate([half, half]),
    )
    ours, theirs = town.access(decay), split.access(decay)
    assert theirs.index == pytest.approx(ours.index, rel=1e-9, abs=1e-12)
    assert theirs.unused == 2 * ours.unused
    assert theirs.unused_supply == pytest.approx(ours.unused_supply)


def test_offers_nobody_gets_to_are_counted_and_give_nothing() -> None:
    metres = np.array([[100.0, 100.0], [np.inf, np.nan], [1200.1, 5000.0]])
    demand = np.array([[5.0, 0.0], [5.0, 0.0]])
    supply = Supply(np.array([0, 0, 1, 2, 3, 1]), np.array([0, 1, 0, 0, 0, 0]), np.array([20.0, 3.0, 4.0, 5.0, 6.0, 0]))
    got = access([(np.arange(3), metres)], PACE, parse_decay("bands", 15), supply, demand)
    assert got.index == pytest.approx([2000, 2000])
    # One is for an age of which nobody lives there, one unconnected, one too far, one without any ways; 0 is no supply.
    assert (got.unused, got.unused_supply) == (4, 18)


@pytest.mark.parametrize("blocks", [[], [(np.arange(2), np.full((2, 3), np.inf))]])
def test_without_places_everyone_has_nothing(blocks: list[tuple[NDArray[np.int64], Floats]]) -> None:
    none = Supply(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    got = access(blocks, PACE, parse_decay("bands", 15), none, np.ones((3, 2)))
    assert got.index.tolist() == [0, 0, 0]
    assert (got.unused, got.unused_supply) == (0, 0)


def test_without_residents_there_is_no_mean() -> None:
    assert np.isnan(per_area(np.empty(0), np.empty(0), np.empty(0, np.int64), 2)).tolist() == [True] * 3
