"""Which periods and countings are not published beside others: none of them follows from those that are."""

from itertools import combinations, product

import numpy as np
import pytest

from geodata.figure_periods import Counted, Why, withheld_amounts, withheld_cases
from geodata.periods import parse_period


def counted(*written: str) -> list[Counted]:
    """Return ways of counting and periods from what is written like ``kumuliert 2020``."""
    return [(way, parse_period(period)) for way, _, period in (one.rpartition(" ") for one in written)]


@pytest.mark.parametrize(
    ("there", "placed", "withheld"),
    [
        (["stichtag 2020", "stichtag 2020-12-31", "stichtag 2020-Q3"], [], {"stichtag 2020-12-31": Why.PERIOD}),
        (["kumuliert 2020", "kumuliert 2020-07"], [], {"kumuliert 2020-07": Why.PERIOD}),
        (["kumuliert 2020-H1", "kumuliert 2020-H2"], [], {}),
        (["kumuliert 2020", "begonnen 2020-Q1"], [], {"kumuliert 2020": Why.COUNTING}),
        (["kumuliert 2020", "stichtag 2020"], [], {}),
        ([" 2020", "stichtag 2020-Q1"], [], {" 2020": Why.COUNTING}),
        ([" 2020", " 2020-H1"], [], {" 2020-H1": Why.PERIOD}),
        (["begonnen 2020", "beendet 2020", "stichtag 2020"], [], {}),
        (["begonnen 2020", "beendet 2020", "stichtag 2019", "stichtag 2020"], [],
         {"begonnen 2020": Why.COUNTING, "beendet 2020": Why.COUNTING}),
        (["mittel_12_stichtage 2020", *(f"stichtag 2020-{month:02}" for month in range(1, 12))], [],
         {"mittel_12_stichtage 2020": Why.COUNTING}),
        (["mittel_12_stichtage 2020", "stichtag 2020-06", "stichtag 2020-12"], [], {}),
        (["stichtag 2020-12-31", "stichtag 2020-Q3", "kumuliert 2020"], ["stichtag 2020-Q4"],
         {"stichtag 2020-12-31": Why.PLACEMENTS}),
        (["begonnen 2020", "kumuliert 2020", "stichtag 2020"], ["begonnen 2020-Q4"],
         {"begonnen 2020": Why.PLACEMENTS, "kumuliert 2020": Why.PLACEMENTS}),
    ],
)  # fmt: skip
def test_cases(there: list[str], placed: list[str], withheld: dict[str, Why]) -> None:
    found = withheld_cases(counted(*there), counted(*placed))
    assert {f"{way} {period.text}": why for (way, period), why in found.items()} == withheld


@pytest.mark.parametrize(
    ("there", "withheld"),
    [
        (["kumuliert 2020", "kumuliert 2020-Q1", "kumuliert 2021"], {"kumuliert 2020-Q1": Why.PERIOD}),
        (["kumuliert 2020", "mittel_12_stichtage 2020"], {"mittel_12_stichtage 2020": Why.COUNTING}),
    ],
)
def test_amounts(there: list[str], withheld: dict[str, Why]) -> None:
    found = withheld_amounts(counted(*there))
    assert {f"{way} {period.text}": why for (way, period), why in found.items()} == withheld


# What was there on the last day before and on the last day of the periods; what was there, began and ended in them.
WAYS = ["stichtag 2019-12-31", "stichtag 2020-06-30", "stichtag 2020-12-31", "kumuliert 2020", "kumuliert 2020-H1",
        "begonnen 2020", "begonnen 2020-H1", "beendet 2020", "beendet 2020-H1"]  # fmt: skip


def in_numbers() -> np.ndarray:
    """Return each way as a sum of: there at first, begun and ended in either half."""
    first, begun, ended = np.eye(5)[0], np.eye(5)[1:3], np.eye(5)[3:]
    middle = first + begun[0] - ended[0]
    return np.array([
        first, middle, middle + begun[1] - ended[1], first + begun.sum(axis=0), first + begun[0],
        begun.sum(axis=0), begun[0], ended.sum(axis=0), ended[0],
    ])  # fmt: skip


def test_nothing_withheld_follows_from_what_is_published() -> None:
    """Every choice of ways: whatever is withheld is no difference of published ones (a sum is no harm)."""
    rows = in_numbers()
    for number in range(2, len(WAYS) + 1):
        for chosen in combinations(range(len(WAYS)), number):
            there = counted(*(WAYS[one] for one in chosen))
            withheld = withheld_cases(there, [])
            shown = [one for one, way in zip(chosen, there, strict=True) if way not in withheld]
            for one in chosen:
                others = [other for other in shown if other != one]
                assert not _is_difference(rows, one, others), ([WAYS[at] for at in chosen], WAYS[one])


def _is_difference(rows: np.ndarray, one: int, others: list[int]) -> bool:
    return any(
        (np.array(signs) @ rows[list(used)] == rows[one]).all()
        for size in (2, 3)
        for used in combinations(others, size)
        for signs in product((1, -1), repeat=size)
        if -1 in signs
    )
