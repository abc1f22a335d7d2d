"""A large table in parts keeps the promises of the whole, and loses little more than its optimum."""

import numpy as np
import pytest
from disclosure_cubes import OFFICES, quarter

from geodata.disclosure import divide
from geodata.disclosure.attacker import audit
from geodata.disclosure.cube import build
from geodata.disclosure.divide import protect_in_parts
from geodata.disclosure.suppress import protect
from geodata.disclosure.table import Bools, Table, TableBuilder


def of_quarter(seed: int, cases: int) -> tuple[Table, Bools]:
    sheets = quarter(np.random.default_rng(seed), cases, crossing=True, bezirke=True)[1:]
    table = build(sheets)
    return table, np.array([key[1] in {"bezirk", "land"} for key in table.keys])


@pytest.mark.parametrize(
    ("seed", "cases"),
    [(1, 300), *(pytest.param(seed, 60 * seed, marks=pytest.mark.long) for seed in range(2, 30))],
)
def test_what_the_parts_promise_holds_for_the_whole(seed: int, cases: int) -> None:
    table, outer = of_quarter(seed, cases)
    assert int((~table.hidden).sum()) > divide.SMALL
    found = protect_in_parts(table, outer)
    assert audit(table, found.suppressed) == []
    assert (found.suppressed >= table.primary).all()
    assert not (found.suppressed & table.hidden).any()
    assert (found.suppressed == protect_in_parts(table, outer).suppressed).all()
    if seed > 1:
        assert found.loss < 1.35 * protect(table).loss


def test_a_small_table_gets_its_optimum() -> None:
    builder = TableBuilder()
    for area, value in (("1", 1.0), ("2", 12.0), ("3", 30.0), ("land", 43.0)):
        builder.cell((area,), value, 1.0 + value / 100)
    builder.equal({("1",): 1.0, ("2",): 1.0, ("3",): 1.0, ("land",): -1.0})
    builder.suppress(("1",))
    builder.keep_open(("1",), at_most=1.0, at_least=3.0)
    builder.knows(OFFICES[0], [])
    table = builder.build()
    found = protect_in_parts(table, np.array([key == ("land",) for key in table.keys]))
    assert found.exact
    assert found.suppressed.tolist() == [True, True, False, False]
