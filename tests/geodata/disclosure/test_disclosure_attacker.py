import numpy as np
import pytest

from geodata.disclosure.attacker import Breach, audit, interval
from geodata.disclosure.suppress import protect
from geodata.disclosure.table import Table, TableBuilder


def two_by_two(values: list[list[float]], *, suppressed: str = "") -> tuple[Table, np.ndarray]:
    """A table a b / c d with totals r s (rows), t u (columns), v; and the cells named."""
    builder = TableBuilder()
    (a, b), (c, d) = values
    figures = {"a": a, "b": b, "c": c, "d": d, "r": a + b, "s": c + d, "t": a + c, "u": b + d, "v": a + b + c + d}
    for name, value in figures.items():
        builder.cell((name,), value)
    for total, parts in {"r": "ab", "s": "cd", "t": "ac", "u": "bd", "v": "rs"}.items():
        builder.equal({**{(part,): 1.0 for part in parts}, (total,): -1.0})
    builder.equal({("t",): 1.0, ("u",): 1.0, ("v",): -1.0})
    builder.suppress(("a",))
    builder.keep_open(("a",), at_most=1, at_least=3)
    builder.knows("first row", [("a",), ("b",), ("r",)])
    builder.knows("second row", [("c",), ("d",), ("s",)])
    table = builder.build()
    chosen = np.array([key[0] in suppressed for key in table.keys])
    return table, chosen


def seen(table: Table, chosen: np.ndarray, cell: str, attacker: int = 0) -> tuple[float, float]:
    return interval(table, chosen, table.attackers[attacker], table.position[cell,])


def test_a_lone_suppressed_cell_is_the_difference() -> None:
    table, chosen = two_by_two([[1, 5], [7, 4]], suppressed="a")
    assert seen(table, chosen, "a") == (1, 1)
    assert audit(table, chosen) == [
        Breach("", table.position["a",], 1, 1.0, 3.0),
        Breach("second row", table.position["a",], 1, 1.0, 3.0),
    ]


def test_a_square_leaves_as_much_doubt_as_its_smallest_cells_allow() -> None:
    table, chosen = two_by_two([[1, 5], [7, 4]], suppressed="abcd")
    assert seen(table, chosen, "a") == (0, 6)
    assert seen(table, chosen, "d") == (3, 9)


def test_a_planner_takes_the_own_row_out() -> None:
    table, chosen = two_by_two([[1, 5], [7, 4]], suppressed="abcd")
    assert [one.name for one in table.attackers] == ["", "first row", "second row"]
    assert seen(table, chosen, "a", attacker=2) == (1, 1)
    assert [breach.attacker for breach in audit(table, chosen)] == ["second row"]
    table, chosen = two_by_two([[1, 5], [7, 4]], suppressed="abtu")
    assert seen(table, chosen, "a", attacker=2) == (0, 6)
    assert audit(table, chosen) == []


def test_nothing_is_promised_about_what_somebody_knows() -> None:
    table, chosen = two_by_two([[1, 5], [7, 4]], suppressed="a")
    assert "first row" not in {breach.attacker for breach in audit(table, chosen)}


def test_without_totals_there_is_no_bound() -> None:
    table, chosen = two_by_two([[1, 5], [7, 4]], suppressed="atrv")
    assert seen(table, chosen, "a") == (0, np.inf)


def test_a_remainder_known_only_within_bounds_is_doubt() -> None:
    builder = TableBuilder()
    for name, value in (("a", 2), ("b", 9), ("total", 12)):
        builder.cell((name,), value)
    builder.equal({("total",): 1.0, ("a",): -1.0, ("b",): -1.0}, slack=(0, 2))
    table = builder.build()
    chosen = np.array([key == ("a",) for key in table.keys])
    assert interval(table, chosen, table.attackers[0], table.position["a",]) == (1, 3)


def test_a_remainder_outside_its_bounds_is_refused() -> None:
    builder = TableBuilder()
    builder.cell(("a",), 2)
    builder.cell(("total",), 5)
    with pytest.raises(ValueError, match="outside"):
        builder.equal({("total",): 1.0, ("a",): -1.0}, slack=(0, 2))


def test_bounds_everybody_knows_count() -> None:
    builder = TableBuilder()
    builder.cell(("a",), 2, upper=4)
    builder.cell(("b",), 9, lower=8)
    builder.cell(("total",), 11)
    builder.equal({("a",): 1.0, ("b",): 1.0, ("total",): -1.0})
    table = builder.build()
    chosen = np.array([key != ("total",) for key in table.keys])
    assert interval(table, chosen, table.attackers[0], table.position["a",]) == (0, 3)
    assert interval(table, chosen, table.attackers[0], table.position["b",]) == (8, 11)


def test_values_nobody_has_are_free() -> None:
    builder = TableBuilder()
    builder.cell(("a",), 2)
    builder.hidden(("b",))
    builder.cell(("total",), 11)
    builder.equal({("a",): 1.0, ("b",): 1.0, ("total",): -1.0})
    table = builder.build()
    assert table.values[table.position["b",]] == pytest.approx(9)
    chosen = np.array([key == ("a",) for key in table.keys])
    assert interval(table, chosen, table.attackers[0], table.position["a",]) == (0, 11)


def test_cells_that_nothing_ties_together() -> None:
    builder = TableBuilder()
    builder.cell(("a",), 2)
    builder.hidden(("b",))
    builder.suppress(("a",))
    builder.keep_open(("a",), at_most=1, at_least=3)
    pattern = protect(builder.build())
    assert (pattern.suppressed.tolist(), pattern.exact) == ([True, False], True)
    assert protect(TableBuilder().build()).suppressed.shape == (0,)


@pytest.mark.parametrize(
    ("value", "weight", "why"), [(-1, 1, "outside"), (np.nan, 1, "outside"), (3, 0, "costs nothing")]
)
def test_impossible_cells_are_refused(value: float, weight: float, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        TableBuilder().cell(("a",), value, weight)


def test_the_same_cell_twice_is_refused() -> None:
    builder = TableBuilder()
    builder.cell(("a",), 1)
    with pytest.raises(ValueError, match="twice"):
        builder.cell(("a",), 1)
