"""Whole quarters of the published shape against the tests' own attackers: the public and each office's planner."""

import dataclasses

import numpy as np
import pytest
from disclosure_attack import Printed, leaks
from disclosure_cubes import quarter
from scipy.optimize import Bounds, LinearConstraint, milp

from geodata.disclosure.cube import Sheet, build
from geodata.disclosure.suppress import Effort, protect

CASES = (25, 80, 250, 700, 1500, 2600)
"""From a rare kind of help to more than all of Hamburg's placements under § 34."""


def drawn(seed: int) -> list[Sheet]:
    """Every second quarter knows how the levels cross, every fifth lacks the city's row, every third has Bezirke's."""
    rng = np.random.default_rng(1000 + seed)
    shape = {"crossing": seed % 2 == 1, "city": seed % 5 != 4, "bezirke": seed % 3 == 2}
    return quarter(rng, CASES[seed % len(CASES)], **shape)


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 200))])
def test_nobody_learns_more_than_promised(seed: int) -> None:
    sheets = drawn(seed)
    pattern = protect(build(sheets))
    assert leaks(sheets, pattern) == []
    assert pattern.loss <= pattern.bound * 1.1
    assert pattern.exact or seed >= 10


def test_the_repaired_pattern_of_a_quarter_keeps_the_promise_too() -> None:
    sheets = drawn(0)
    exact, quick = protect(build(sheets)), protect(build(sheets), Effort(rounds=0))
    assert leaks(sheets, quick) == []
    assert exact.loss - 1e-9 <= quick.loss < 1.2 * exact.loss


def test_the_attacker_finds_what_is_left_open() -> None:
    sheet = drawn(2)[0]
    pattern = protect(build([sheet]))
    rng = np.random.default_rng(1)
    for cell in rng.choice(np.flatnonzero(pattern.complementary), 5, replace=False):
        less = pattern.suppressed.copy()
        less[cell] = False
        assert leaks([sheet], dataclasses.replace(pattern, suppressed=less))


def test_whole_numbers_do_not_help_the_attacker() -> None:
    sheet = drawn(1)[0]
    pattern = protect(build([sheet]))
    printed = Printed()
    printed.add_sheet(sheet, pattern)
    for office in (None, "3"):
        attack = printed.seen_by(office)
        for name in printed.small()[::3]:
            if office is not None and (printed.office[name] in {office, None}):
                continue
            for sign, bound in ((1.0, 1.0), (-1.0, -3.0)):
                pull = np.zeros(len(attack.names))
                pull[attack.at[name]] = sign
                found = milp(
                    pull,
                    integrality=np.ones(len(pull)),
                    bounds=Bounds(0, 1000),
                    constraints=LinearConstraint(attack.matrix, attack.sums, attack.sums),
                )
                assert found.fun <= bound + 1e-6
