"""Classes of a map of numbers: each value in the class its label says, limits round, nothing hidden looked at."""

import itertools
import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import mapclassify
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.breaks import natural_limits, roundest
from layers.classes import METHODS, Classes, Method, ValueClass, classify

# Where 941 areas lie, as shares in percent, counts, and changes below and above zero.
RNG = np.random.default_rng(11)
SHARES = [round(float(v), 1) for v in RNG.lognormal(3, 0.7, 941)]
COUNTS = [int(v) for v in RNG.negative_binomial(1, 0.05, 941)]
CHANGES = [round(float(v), 2) for v in RNG.normal(0.4, 2.5, 941)]


def shown(value: float, decimals: int) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def lies_in(one: ValueClass, value: Decimal) -> bool:
    lower = one.lower is None or Decimal(repr(one.lower)) <= value
    return lower and (one.upper is None or value < Decimal(repr(one.upper)))


def german(text: str) -> Decimal:
    return Decimal(text.replace(".", "").replace(",", ".").replace("−", "-"))


NUMBER = r"(−?[\d.]+(?:,\d+)?)"
WORDINGS = {
    f"{NUMBER} bis unter {NUMBER}": lambda value, low, high: low <= value < high,
    f"über 0 bis unter {NUMBER}": lambda value, high: 0 < value < high,
    "über 0": lambda value: value > 0,
    f"{NUMBER} bis {NUMBER}": lambda value, low, high: low <= value <= high,
    f"unter {NUMBER}": lambda value, high: value < high,
    f"{NUMBER} und mehr": lambda value, low: value >= low,
    NUMBER: lambda value, only: value == only,
}


def said_by(label: str, value: Decimal) -> bool:
    """Read a label as a person does: is the value in it?"""
    bare = label.removesuffix(" (ohne 0)")
    found = [(holds, match) for wording, holds in WORDINGS.items() if (match := re.fullmatch(wording, bare))]
    assert len(found) == 1, label
    holds, match = found[0]
    return (bare == label or value != 0) and bool(holds(value, *map(german, match.groups())))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [2, 3, 5, 7, 9])
@pytest.mark.parametrize(("values", "decimals"), [(SHARES, 1), (COUNTS, 0), (CHANGES, 2)])
def test_each_value_lies_in_the_class_whose_label_says_so(
    method: Method, count: int, values: list[float], decimals: int
) -> None:
    made = classify(values, method=method, count=count, decimals=decimals)
    assert 1 <= len(made.ranges) <= count
    for value, member in zip(values, made.members, strict=True):
        if value == 0:
            assert member == "zero"
            continue
        seen = shown(value, made.decimals)
        assert [at for at, one in enumerate(made.ranges) if lies_in(one, seen)] == [member]
        assert [at for at, one in enumerate(made.ranges) if said_by(one.label, seen)] == [member]
    assert [made.members.count(at) for at in range(len(made.ranges))] == [one.count for one in made.ranges]
    assert made.zero == values.count(0)


@given(
    values=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False), st.integers(-20, 20)), max_size=60),
    method=st.sampled_from(METHODS),
    count=st.integers(2, 9),
    centre=st.one_of(st.none(), st.integers(-10, 10)),
    apart=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_whatever_comes_all_are_classed_once_in_order(
    values: list[Any], method: Method, count: int, centre: float | None, apart: bool
) -> None:
    made = classify(values, method=method, count=count, diverging_at=centre, zero_apart=apart)
    assert len(made.members) == len(values)
    most = count + count % 2 if centre is not None else count
    assert len(made.ranges) <= most
    assert made.missing == values.count(None)
    assert sum(one.count for one in made.ranges) + (made.zero or 0) + made.missing == len(values)
    ends = [one.upper for one in made.ranges[:-1]]
    assert all(end is not None for end in ends)
    assert ends == sorted(set(ends))
    assert ends == [one.lower for one in made.ranges[1:]]
    for value, member in zip(values, made.members, strict=True):
        edges = ([0] if apart else []) + ([] if centre is None else [centre])
        if any(value is not None and value < edge == shown(value, made.decimals) for edge in edges):
            assert isinstance(member, int)
            one = made.ranges[member]
            assert not one.label.startswith("über 0"), "rounding lifts nothing over an edge"
            assert one.lower is None or any(one.lower < edge for edge in edges)
        elif isinstance(member, int):
            assert lies_in(made.ranges[member], shown(value, made.decimals))
    if made.steps:
        steps = [one.step for one in made.ranges]
        assert steps == sorted(steps)
        assert len(set(steps)) == len(steps)
    assert classify(values, method=method, count=count, diverging_at=centre, zero_apart=apart) == made


@pytest.mark.parametrize("values", [SHARES, COUNTS])
@pytest.mark.parametrize("count", [3, 5, 7])
def test_quantiles_are_those_of_mapclassify_and_rounding_moves_none(values: list[float], count: int) -> None:
    made = classify(values, method="quantile", count=count, decimals=1, zero_apart=False)
    oracle = mapclassify.Quantiles(np.array(values), k=count)
    assert list(made.members) == oracle.yb.tolist()


def squared_within(values: Sequence[float], lasts: Sequence[float]) -> float:
    """Return the squared deviations from the means of the classes that end with these values."""
    members = np.searchsorted(lasts, values, side="left")
    parts = [np.array(values)[members == at] for at in set(members.tolist())]
    return sum(float(((part - part.mean()) ** 2).sum()) for part in parts)


@pytest.mark.parametrize("count", [2, 4, 6])
def test_natural_breaks_are_as_good_as_those_of_fisher_and_jenks(count: int) -> None:
    values = [int(v) for v in np.random.default_rng(3).lognormal(4, 1, 90)]

    with pytest.warns(UserWarning, match="Numba"):
        oracle = mapclassify.FisherJenks(np.array(values, dtype=float), k=count)
    ours = squared_within(values, natural_limits(values, count))
    assert ours == pytest.approx(squared_within(values, oracle.bins[:-1].tolist()))
    made = classify(values, method="natural", count=count)
    assert len(made.ranges) == count


def test_natural_breaks_of_few_values_are_the_best_of_all() -> None:
    values = [1, 2, 2, 3, 10, 11, 13, 40, 41, 90]
    distinct = sorted(set(values))

    for count in (2, 3, 4):
        best = min(squared_within(values, lasts) for lasts in itertools.combinations(distinct[:-1], count - 1))
        assert squared_within(values, natural_limits(values, count)) == pytest.approx(best)


def test_equal_classes_are_nearly_equally_wide() -> None:
    made = classify(SHARES, method="equal", count=5)
    limits = [one.upper for one in made.ranges if one.upper is not None]
    widths = np.diff(limits)
    assert widths.max() <= 1.3 * widths.min()


def test_pretty_limits_are_round() -> None:
    made = classify(SHARES, method="pretty", count=6)
    limits = [one.upper for one in made.ranges if one.upper is not None]
    width = limits[1] - limits[0]
    assert np.diff(limits) == pytest.approx(width)
    assert width / 10 ** math.floor(math.log10(width)) in (1, 2, 5)


def test_limits_rest_on_visible_values_only() -> None:
    hidden = [at % 7 == 0 for at in range(len(SHARES))]
    one = classify(SHARES, hidden)
    other = classify([v if not h else 1e9 for v, h in zip(SHARES, hidden, strict=True)], hidden)
    none = classify([v if not h else None for v, h in zip(SHARES, hidden, strict=True)], hidden)
    assert one == other == none
    assert one.suppressed == sum(hidden)
    assert "1.000.000.000" not in other.sentence


def test_three_kinds_of_nothing_are_kept_apart() -> None:
    made = classify([None, float("nan"), 0, 0.0, 3, 8], [False, False, False, True, False, False])
    assert made.members == ("missing", "missing", "zero", "suppressed", 0, 1)
    assert (made.missing, made.zero, made.suppressed) == (2, 1, 1)


def test_zero_may_be_a_value_like_others() -> None:
    made = classify([0, 5, 10, 20, 40, 80], zero_apart=False, count=3)
    assert made.zero is None
    assert made.members[0] == 0
    assert made.ranges[0].label.startswith("0 bis unter")


def test_what_is_shown_as_zero_is_no_zero() -> None:
    made = classify([0.04, 0.0, 3.0, 8.0, 9.0], decimals=1, count=2)
    assert made.members[:2] == (0, "zero")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([], []),
        ([None, None], []),
        ([0, 0], []),
        ([3, 3, 3], ["3"]),
        ([1.5, 1.5], ["1,50"]),
        ([1, 2, 3, 0], ["1", "2", "3"]),
        ([1200, 3400], ["1.200", "3.400"]),
        ([-3, 2, 5], ["−3", "2", "5"]),
    ],
)
def test_fewer_values_than_classes(values: list[float | None], labels: list[str]) -> None:
    made = classify(values)
    assert [one.label for one in made.ranges] == labels


def test_labels_say_which_end_belongs() -> None:
    made = classify([2, 10, 12, 20, 25, 30, 31, 44, 50, 60], method="pretty", count=4)
    assert [one.label for one in made.ranges] == ["über 0 bis unter 20", "20 bis unter 40", "40 und mehr"]
    assert made.members[3] == 1


def test_diverging_classes_mirror_about_their_middle() -> None:
    made = classify(CHANGES, method="quantile", count=6, diverging_at=0)
    limits = [one.upper for one in made.ranges if one.upper is not None]
    assert limits == [-limit if limit else 0 for limit in reversed(limits)]
    assert 0 in limits
    assert [one.step for one in made.ranges] == [-3, -2, -1, 1, 2, 3]
    assert "spiegelbildlich um 0" in made.sentence


def test_one_side_only_keeps_the_strength_of_its_distance() -> None:
    made = classify([1, 2, 3, 4, 5, 6, 7, 8], method="equal", count=4, diverging_at=0)
    assert [one.step for one in made.ranges] == [1, 2]


def test_standard_deviations_have_the_mean_in_their_middle() -> None:
    values = [float(v) for v in np.random.default_rng(2).normal(50, 10, 500).round(1)]
    made = classify(values, method="stddev", count=5)
    middle = next(one for one in made.ranges if one.step == 0)
    assert middle.lower == pytest.approx(45, abs=2)
    assert middle.upper == pytest.approx(55, abs=2)
    assert [one.step for one in made.ranges] == [-2, -1, 0, 1, 2]


@pytest.mark.parametrize(
    ("low", "high", "target", "found"),
    [
        (7, 13, 9, 10),
        (87, 96, 88, 90),
        (101, 104, 104, 104),
        (101, 103, 101, 102),
        (-3, 4, 2, 0),
        (-19, -11, -14, -15),
        (5, 5, 5, 5),
    ],
)
def test_roundest(low: int, high: int, target: float, found: int) -> None:
    assert roundest(low, high, target) == found


def test_sentence_names_method_and_extent() -> None:
    made: Classes = classify([1.25, 2.5, 3, 9, 12, 1234], method="natural", decimals=2)
    assert made.sentence.startswith("5 Klassen: natürliche Sprünge")
    assert "Werte von 1,25 bis 1.234,00." in made.sentence
    assert classify([1] * 9 + [2, 3, 4, 5, 6]).sentence.startswith("3 statt 5 Klassen")
    assert "keine Werte" in classify([None]).sentence


@pytest.mark.parametrize(
    "wrong",
    [
        {"values": [1.0], "suppressed": []},
        {"values": [1.0], "method": "zufall"},
        {"values": [1.0], "count": 1},
        {"values": [1.0], "count": 10},
        {"values": [float("inf")]},
    ],
)
def test_wrong_use_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        classify(**wrong)


def test_a_suppressed_infinity_is_not_looked_at() -> None:
    assert classify([float("inf"), 1], [True, False]).members == ("suppressed", 0)


@given(
    distances=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    method=st.sampled_from(METHODS),
    count=st.integers(2, 9),
    centre=st.integers(-5, 5),
    decimals=st.integers(0, 1),
)
@settings(max_examples=200, deadline=None)
def test_equal_distances_from_the_middle_are_equally_strong(
    distances: list[int], method: Method, count: int, centre: int, decimals: int
) -> None:
    scaled = [at / 10**decimals for at in distances]
    values = [centre + sign * at for at in scaled for sign in (-1, 1)]
    made = classify(values, method=method, count=count, diverging_at=centre, decimals=decimals, zero_apart=False)
    steps = [made.ranges[member].step for member in made.members if isinstance(member, int)]
    assert len(steps) == len(values)
    for below, above in zip(steps[::2], steps[1::2], strict=True):
        assert below is not None
        assert below == -(above or 0) != 0


def test_limits_beside_the_values_are_round_on_both_sides() -> None:
    made = classify([-10, -4, -2, 3, 4, 5, 10], diverging_at=0)
    upper = {one.upper for one in made.ranges if one.upper}
    assert {-limit for limit in upper if limit < 0} <= {limit for limit in upper if limit > 0}
    assert made.ranges[made.members[0]].step == -made.ranges[made.members[-1]].step  # type: ignore[index,operator]


@pytest.mark.parametrize(("value", "label"), [(-0.04, "bis unter 0"), (0.04, "über 0 bis unter")])
@pytest.mark.parametrize("centre", [None, 0])
def test_what_rounds_to_nought_keeps_its_side(value: float, label: str, centre: float | None) -> None:
    others = [12.3, -8.1, 5.2, 3.3, -2.7, 0, 7.7, -5.5, 1.1, -0.9]
    made = classify([value, *others], diverging_at=centre, decimals=1)
    (member, *_rest) = made.members
    assert isinstance(member, int)
    one = made.ranges[member]
    assert one.label.startswith("über 0") == (value > 0 and one.lower == 0)
    assert one.lower is None or (one.lower < 0) == (value < 0) or centre is None
    if centre == 0:
        assert label in one.label
        assert made.zero == 1


def test_no_class_is_called_after_a_value_that_is_shown_otherwise() -> None:
    made = classify([-0.04, 5.0, 8.0], decimals=1)
    assert "−0,1" not in " ".join([one.label for one in made.ranges] + [made.sentence])


def test_the_sentence_says_what_was_classed() -> None:
    assert "Gebiete mit 0 in eigener Klasse" in classify([0, 0, *range(1, 40)]).sentence
    assert "Gebiete mit 0" not in classify(list(range(1, 40))).sentence
    assert "vom Mittelwert" in classify(SHARES, method="stddev").sentence
    about = classify(CHANGES, method="stddev", diverging_at=0).sentence
    assert "Mittelwert" not in about
    assert "von der Mitte" in about
    assert classify([1, 5, 9]).sentence == "3 Klassen: jeder Wert eine Klasse; Werte von 1 bis 9."
    assert "Quantile" not in classify([7, 7]).sentence
