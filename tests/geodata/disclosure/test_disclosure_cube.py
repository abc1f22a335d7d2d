import dataclasses

import numpy as np
import pytest
from disclosure_attack import Attack, Printed, leaks
from disclosure_cubes import STATES, quarter

from geodata.disclosure.attacker import audit
from geodata.disclosure.cube import Crossing, Level, Rule, Sheet, Sums, build, masks, origin_sheet, responsible_sheet
from geodata.disclosure.suppress import Effort, Pattern, protect


def sheet_of(counts: list[list[float]], *, offices: bool = True) -> Sheet:
    areas = tuple("ABCDEFGH"[: len(counts)])
    states = ("Hamburg", "Bayern", "Hessen", "Sachsen")[: len(counts[0])]
    sheet = responsible_sheet(
        Level("bezirk", areas, np.array(counts, dtype=float)), states, home_state="Hamburg", city="hh"
    )
    if offices:
        return sheet
    levels = tuple(dataclasses.replace(level, offices=()) for level in sheet.levels)
    return dataclasses.replace(sheet, levels=levels)


def protected(*sheets: Sheet) -> Pattern:
    pattern = protect(build(sheets))
    assert audit(pattern.table, pattern.suppressed) == []
    assert leaks(sheets, pattern) == []
    return pattern


def shown(pattern: Pattern) -> set[tuple[str, ...]]:
    return {key for key, gone in zip(pattern.table.keys, pattern.suppressed, strict=True) if gone}


def test_without_small_counts_everything_is_published() -> None:
    pattern = protected(sheet_of([[40, 3, 5], [30, 0, 12], [9, 8, 7]]))
    assert not pattern.suppressed.any()
    assert (pattern.loss, pattern.exact) == (0, True)


def test_small_counts_and_nothing_else_are_primary() -> None:
    pattern = protected(sheet_of([[40, 1, 5], [30, 2, 3], [9, 8, 0]]))
    values = pattern.table.values[pattern.table.primary]
    assert sorted(values) == [1, 2]


def test_means_of_key_dates_are_small_below_three() -> None:
    pattern = protected(sheet_of([[40.5, 2.9, 5.25], [30.1, 3.0, 0.4], [9.6, 8.2, 7.7]]))
    assert sorted(pattern.table.values[pattern.table.primary]) == [0.4, 2.9]


def test_planners_cost_more_than_the_public() -> None:
    counts = [[40, 1, 15, 11], [30, 12, 13, 9], [19, 18, 14, 16]]
    public, all_ = protected(sheet_of(counts, offices=False)), protected(sheet_of(counts))
    assert public.loss < all_.loss
    # What does for the public alone gives the small count away to a planner: the tests' attacker sees it.
    careless = Pattern(all_.table, public.suppressed, public.loss, public.bound, public.exact)
    assert leaks([sheet_of(counts)], careless)


def test_where_no_inner_cell_helps_the_totals_go() -> None:
    sheet = sheet_of([[40, 1, 15], [30, 12, 20]])
    pattern = protected(sheet)
    land = masks(pattern, sheet, "land")
    # The planner of B takes B's row out of the Land's: what hides A's small count is the Land's totals only.
    assert land.counts[0, 1]
    assert masks(pattern, sheet, "bezirk").counts[0, 1]


def test_one_single_area_loses_its_totals() -> None:
    sheet = Sheet("a", ("x", "y"), (Level("l", ("1",), np.array([[1.0, 20.0]])),))
    pattern = protected(sheet)
    assert pattern.complementary.sum() == 1
    lonely = Sheet("a", ("x",), (Level("l", ("1",), np.array([[1.0]])),))
    assert protected(lonely).suppressed.all()


def test_every_complementary_suppression_is_needed() -> None:
    rng = np.random.default_rng(2)
    for _ in range(5):
        pattern = protected(sheet_of(rng.poisson(4, (4, 4)).tolist()))
        for cell in np.flatnonzero(pattern.complementary):
            less = pattern.suppressed.copy()
            less[cell] = False
            assert audit(pattern.table, less)


def test_a_small_area_wholly_in_one_category_is_kept_in_doubt() -> None:
    counts = np.array([[0.0, 6.0], [20, 14], [12, 30], [9, 11]])
    sheet = origin_sheet([Level("stadtteil", tuple("abcd"), counts)], ("Hamburg", "außerhalb"))
    pattern = protected(sheet)
    assert not pattern.table.primary.any()
    assert 0 < pattern.suppressed.sum() <= 2
    assert {key[2] for key in shown(pattern)} == {"a"}
    assert not protect(build([sheet], Rule(sensitive_below=6))).suppressed.any()
    # An area in which nobody lives tells nothing.
    empty = dataclasses.replace(sheet, levels=(Level("stadtteil", tuple("abcd"), counts * [[0], [1], [1], [1]]),))
    assert not protected(empty).suppressed.any()


def test_an_area_wholly_outside_is_sensitive_though_spread_over_states() -> None:
    pattern = protected(sheet_of([[0, 4, 3, 0], [20, 14, 9, 12], [30, 9, 11, 8]]))
    assert {key[2] for key in shown(pattern)} >= {"A"}


def test_an_office_that_knows_an_area_needs_no_protection_from_it() -> None:
    counts = np.array([[0.0, 6.0], [20, 14]])
    mine = origin_sheet([Level("stadtteil", ("a", "b"), counts, offices=("1", "2"))], ("Hamburg", "außerhalb"))
    assert protected(mine).suppressed.sum() <= 2


def test_differences_between_levels_give_nothing_away() -> None:
    # Sozialraum s is made of the Stadtteile a and b: less b it is a.
    fine = Level("stadtteil", ("a", "b", "c"), np.array([[1.0, 12], [20, 14], [17, 18]]))
    wide = Level("sozialraum", ("s", "t"), np.array([[21.0, 26], [17, 18]]))
    tie = Crossing("sozialraum", "stadtteil", np.array([[True, True, False], [False, False, True]]))
    apart = origin_sheet([fine, wide], ("Hamburg", "außerhalb"))
    tied = origin_sheet([fine, wide], ("Hamburg", "außerhalb"), crossings=[tie])
    careless, careful = protected(apart), protected(tied)
    assert careless.loss < careful.loss
    assert leaks([tied], careless)


def test_levels_that_contradict_each_other_are_still_protected() -> None:
    fine = Level("stadtteil", ("a", "b"), np.array([[1.0, 12], [20, 14]]))
    wide = Level("sozialraum", ("s",), np.array([[23.0, 26]]))
    tie = Crossing("sozialraum", "stadtteil", np.array([[True, True]]))
    pattern = protect(build([origin_sheet([fine, wide], ("Hamburg", "außerhalb"), crossings=[tie])]))
    assert audit(pattern.table, pattern.suppressed) == []
    assert pattern.suppressed.sum() > 2


def test_printed_totals_may_differ_from_their_parts() -> None:
    counts = np.array([[40.0, 1, 5], [30, 12, 13]])
    sheet = Sheet("a", ("x", "y", "z"), (Level("l", ("1", "2"), counts, totals=np.array([48.0, 55.0])),))
    known = protect(build([sheet]))
    assert audit(known.table, known.suppressed) == []
    assert known.complementary.sum() == 1
    vague = dataclasses.replace(sheet, levels=(dataclasses.replace(sheet.levels[0], slack=(-3.0, 3.0)),))
    assert protect(build([vague])).complementary.sum() == 0


def test_missing_figures_stay_missing_and_protect() -> None:
    counts = np.array([[40.0, 1, np.nan], [30, 12, 13]])
    sheet = Sheet("a", ("x", "y", "z"), (Level("l", ("1", "2"), counts),))
    pattern = protect(build([sheet]))
    assert shown(pattern) == {("a", "l", "1", "category", "y")}
    assert not masks(pattern, sheet, "l").counts[0, 2]


def test_masks_stand_where_the_counts_do() -> None:
    sheet = sheet_of([[40, 1, 5, 8], [30, 12, 2, 9], [9, 8, 7, 6]])
    pattern = protected(sheet)
    for level in sheet.levels:
        mask = masks(pattern, sheet, level.name)
        assert mask.counts.shape == level.counts.shape
        assert mask.counts[(level.counts > 0) & (level.counts < 3)].all()
        assert mask.totals.shape == (len(level.areas),)
        assert mask.groups.shape == (len(level.areas), 1)
    assert pattern.suppressed.sum() == sum(
        part.sum() for name in ("bezirk", "land") for part in dataclasses.astuple(masks(pattern, sheet, name))
    )


def test_a_pattern_taken_as_given_is_left_as_it_is() -> None:
    for sheet in quarter(np.random.default_rng(3), 300):
        pattern = protect(build([sheet]))
        again = protect(dataclasses.replace(pattern.table, primary=pattern.suppressed))
        assert (again.suppressed == pattern.suppressed).all()
        assert not again.complementary.any()


@pytest.mark.parametrize("effort", [Effort(), Effort(rounds=0)])
def test_the_order_of_areas_and_states_does_not_matter(effort: Effort) -> None:
    rng = np.random.default_rng(8)
    (sheet, _) = quarter(rng, 250)
    bezirk = sheet.level("bezirk")
    rows, columns = rng.permutation(7), rng.permutation(len(STATES))
    mixed = responsible_sheet(
        Level("bezirk", tuple(bezirk.areas[row] for row in rows), bezirk.counts[rows][:, columns]),
        tuple(STATES[column] for column in columns),
        home_state="Hamburg",
        city="hh",
    )
    one, other = protect(build([sheet]), effort), protect(build([mixed]), effort)
    assert shown(one) == shown(other)
    assert masks(other, mixed, "bezirk").counts.tolist() == (
        masks(one, sheet, "bezirk").counts[rows][:, columns].tolist()
    )


def test_sheets_do_not_change_each_other() -> None:
    sheets = quarter(np.random.default_rng(6), 60)
    together = shown(protect(build(sheets)))
    assert together == shown(protect(build(reversed(sheets))))
    assert {key for key in together if key[0] == "zustaendig"} == shown(protect(build(sheets[:1])))


def test_the_threshold_is_a_parameter() -> None:
    table = build([sheet_of([[40, 1, 15, 4], [30, 12, 13, 9], [19, 18, 14, 16]])], Rule(small=5))
    pattern = protect(table)
    assert sorted(table.values[table.primary]) == [1, 4]
    assert {(aim.at_most, aim.at_least) for aim in table.aims} == {(1, 5)}
    assert audit(table, pattern.suppressed) == []


def test_shapes_that_do_not_fit_are_refused() -> None:
    counts = np.ones((2, 2)) * 5
    with pytest.raises(ValueError, match="shape"):
        build([Sheet("a", ("x",), (Level("l", ("1", "2"), counts),))])
    with pytest.raises(ValueError, match="offices"):
        build([Sheet("a", ("x", "y"), (Level("l", ("1", "2"), counts, offices=("1",)),))])
    with pytest.raises(ValueError, match="outside"):
        build([Sheet("a", ("x", "y"), (Level("l", ("1", "2"), -counts),))])
    level = Level("l", ("1", "2"), counts)
    with pytest.raises(ValueError, match="overlaps"):
        build([Sheet("a", ("x", "y"), (level,), crossings=(Crossing("l", "l", np.ones((1, 2), dtype=bool)),))])
    with pytest.raises(KeyError):
        build([Sheet("a", ("x", "y"), (level,), sums=(Sums("l", "m", ("1", "1")),))])


def test_the_tests_attacker_solves_by_hand() -> None:
    # x + y = 7, y + z = 9, with z known to be 4: y is 5 and x is 2; without, x reaches from 0 to 7.
    equations = [([("x",), ("y",)], [("s",)]), ([("y",), ("z",)], [("t",)])]
    held = {("x",): np.nan, ("y",): np.nan, ("z",): np.nan, ("s",): 7.0, ("t",): 9.0}
    assert Attack(held, equations).interval(("x",)) == pytest.approx((0, 7))
    assert Attack({**held, ("z",): 4.0}, equations).interval(("x",)) == pytest.approx((2, 2))
    assert Printed().small() == []
