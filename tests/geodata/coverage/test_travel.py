"""Ways from cells to places: on random little networks as networkx finds them, and in a straight line by a loop."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from graphs_help import METRES, Floats, Town, columns, towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.coverage import travel
from geodata.coverage.travel import LineTravel, NetworkTravel, Travel, search_from

CALM = settings(max_examples=120, deadline=None, derandomize=True, database=None)
FAR = 1e9


def gathered(ways: Travel, places: int, cells: int, limit_m: float) -> Floats:
    """All blocks as one table (places, cells); no place comes twice, what does not come is infinite."""
    table = np.full((places, cells), np.inf)
    seen: set[int] = set()
    for numbers, metres in ways.blocks(limit_m):
        assert metres.shape == (len(numbers), cells)
        assert not seen & set(numbers.tolist())
        seen |= set(numbers.tolist())
        table[numbers] = metres
    return table


def least(table: Floats, cells: int) -> Floats:
    return table.min(axis=0) if len(table) else np.full(cells, np.inf)


@CALM
@given(towns())
def test_the_nearest_place_is_that_of_networkx(town: Town) -> None:
    expected = least(town.ways(), len(town.cells))
    assert town.travel().nearest().tolist() == expected.tolist()


@CALM
@given(towns(), METRES)
def test_blocks_are_the_ways_of_networkx_up_to_the_limit(town: Town, limit_m: int) -> None:
    expected = town.ways()
    expected[expected > limit_m] = np.inf
    found = gathered(town.travel(), len(town.places), len(town.cells), limit_m)
    assert found.tolist() == expected.tolist()


@CALM
@given(towns(), METRES, st.integers(1, 3))
def test_it_does_not_matter_how_many_are_searched_at_once(town: Town, limit_m: int, at_once: int) -> None:
    expected = gathered(town.travel(), len(town.places), len(town.cells), limit_m)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(travel, "MAX_BLOCK_BYTES", at_once * 8 * len(town.xy))
        sizes = [len({town.places[i][0] for i in numbers}) for numbers, _metres in town.travel().blocks(limit_m)]
        assert gathered(town.travel(), len(town.places), len(town.cells), limit_m).tolist() == expected.tolist()
    assert all(size <= at_once for size in sizes)


@CALM
@given(towns(), st.randoms(use_true_random=False))
def test_renumbering_and_reordering_change_nothing(town: Town, chance: random.Random) -> None:
    number = list(range(len(town.xy)))
    chance.shuffle(number)
    renamed = [*number, -1]  # −1 stays −1
    cell_order, place_order = list(range(len(town.cells))), list(range(len(town.places)))
    edges = [(renamed[u], renamed[v], m) for u, v, m in town.edges]
    for order in (cell_order, place_order, edges):
        chance.shuffle(order)
    spots = list(town.xy)
    for old, new in enumerate(number):
        spots[new] = town.xy[old]
    other = Town(
        town.mode, spots, edges,
        [(renamed[town.cells[i][0]], town.cells[i][1]) for i in cell_order],
        [(renamed[town.places[i][0]], town.places[i][1]) for i in place_order],
    )  # fmt: skip
    assert other.travel().nearest().tolist() == town.travel().nearest()[cell_order].tolist()
    ours = gathered(town.travel(), len(town.places), len(town.cells), FAR)
    theirs = gathered(other.travel(), len(town.places), len(town.cells), FAR)
    assert theirs.tolist() == ours[place_order][:, cell_order].tolist()


@CALM
@given(towns(), st.tuples(st.integers(0, 1), st.integers(0, 300).map(float)))
def test_another_place_makes_no_way_longer_and_goes_without_a_trace(town: Town, more: tuple[int, float]) -> None:
    before = town.travel().nearest()
    with_more = replace(town, places=[*town.places, more]).travel().nearest()
    assert (with_more <= before).all()
    assert replace(town, places=[*town.places, more][:-1]).travel().nearest().tolist() == before.tolist()


@CALM
@given(towns(), METRES, METRES)
def test_a_wider_limit_only_adds(town: Town, one: int, other: int) -> None:
    narrow, wide = (gathered(town.travel(), len(town.places), len(town.cells), m) for m in sorted((one, other)))
    there = np.isfinite(narrow)
    assert (wide[there] == narrow[there]).all()
    assert (wide[~there] > min(one, other)).all()


@CALM
@given(towns())
def test_from_the_start_onwards_is_towards_the_start_turned_round(town: Town) -> None:
    """A point's view searches along the edges: the same numbers as from a cell to a place at each node."""
    for cell in town.cells:
        alone = replace(town, cells=[cell], places=[(node, 0.0) for node in range(len(town.xy))])
        onwards = search_from(town.graph().matrix, *columns([cell]))
        assert onwards.tolist() == alone.ways()[:, 0].tolist()


def test_bicycles_go_with_the_edges() -> None:
    """One street from 0 to 1: who lives at its beginning gets to its end, nobody gets back."""
    town = Town("bike", [(0, 0), (100, 0)], [(0, 1, 100.0)], [(0, 5.0), (1, 5.0)], [(1, 7.0)])
    assert town.travel().nearest().tolist() == [112, 12]
    assert replace(town, places=[(0, 7.0)]).travel().nearest().tolist() == [12, math.inf]
    assert replace(town, mode="walk", places=[(0, 7.0)]).travel().nearest().tolist() == [12, 112]


def test_both_ends_count_towards_the_limit() -> None:
    town = Town("walk", [(0, 0), (100, 0)], [(0, 1, 100.0)], [(0, 30.0)], [(1, 20.0), (1, 20.5), (1, 10.0)])
    assert gathered(town.travel(), 3, 1, 150)[:, 0].tolist() == [150, math.inf, 140]


def test_nobody_and_nothing() -> None:
    bare = Town("walk", [(0, 0), (100, 0)], [(0, 1, 100.0)], [(0, 1.0), (-1, 0.0)], [])
    assert bare.travel().nearest().tolist() == [math.inf] * 2
    assert list(bare.travel().blocks(FAR)) == []
    lost = replace(bare, places=[(-1, 0.0)])
    assert lost.travel().nearest().tolist() == [math.inf] * 2
    assert list(lost.travel().blocks(FAR)) == []
    empty = replace(bare, cells=[], places=[(0, 1.0)])
    assert empty.travel().nearest().tolist() == []
    assert [metres.shape for _numbers, metres in empty.travel().blocks(FAR)] == [(1, 0)]


SPOTS = st.lists(st.tuples(*[st.floats(-5000, 5000)] * 2), max_size=25)


@CALM
@given(SPOTS, SPOTS, st.floats(1, 3), st.floats(1, 9000))
def test_straight_lines_by_a_loop(
    cells: list[tuple[float, float]], places: list[tuple[float, float]], factor: float, limit_m: float
) -> None:
    ways = LineTravel(np.array(cells).reshape(-1, 2), np.array(places).reshape(-1, 2), factor)
    table = [[factor * math.hypot(x - a, y - b) for x, y in cells] for a, b in places]
    expected = [min((row[j] for row in table), default=math.inf) for j in range(len(cells))]
    assert ways.nearest() == pytest.approx(np.array(expected), rel=1e-12)
    found = gathered(ways, len(places), len(cells), limit_m)
    for i, row in enumerate(table):
        for j, metres in enumerate(row):
            if abs(metres - limit_m) > 1e-9 * limit_m:
                assert found[i, j] == (pytest.approx(metres, rel=1e-12) if metres <= limit_m else math.inf)


def test_straight_lines_are_up_to_and_including() -> None:
    ways = LineTravel(np.array([[0.0, 0.0]]), np.array([[300.0, 400.0], [300.0, 401.0]]), 1.25)
    assert gathered(ways, 2, 1, 625.0)[:, 0].tolist() == [625.0, math.inf]


def test_a_straight_line_block_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(2)
    ways = LineTravel(chance.uniform(0, 1000, (50, 2)), chance.uniform(0, 1000, (23, 2)), 1.3)
    whole = gathered(ways, 23, 50, FAR)
    monkeypatch.setattr(travel, "MAX_BLOCK_BYTES", 8 * 50 * 4)
    assert [len(numbers) for numbers, _metres in ways.blocks(FAR)] == [4, 4, 4, 4, 4, 3]
    assert (gathered(ways, 23, 50, FAR) == whole).all()


def test_a_larger_network_in_several_blocks() -> None:
    """A grid of streets of uneven lengths, many places at few nodes; one table of all ways is the judge."""
    chance, side = np.random.default_rng(11), 12
    spots = [(100.0 * x, 100.0 * y) for y in range(side) for x in range(side)]
    edges = [(i, i + step, float(chance.integers(100, 180))) for i in range(side * side) for step in (1, side)
             if (i + step) < side * side and (step == side or (i + 1) % side)]  # fmt: skip
    cells = [(int(chance.integers(0, 144)), float(chance.integers(0, 50))) for _ in range(30)]
    places = [(int(chance.integers(0, 20)), float(chance.integers(0, 50))) for _ in range(40)]
    town = Town("bike", spots, edges, cells, places)
    expected = town.ways()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(travel, "MAX_BLOCK_BYTES", 8 * 144 * 3)
        assert gathered(town.travel(), 40, 30, FAR).tolist() == expected.tolist()
    assert isinstance(town.travel(), NetworkTravel)
    assert town.travel().nearest().tolist() == expected.min(axis=0).tolist()
