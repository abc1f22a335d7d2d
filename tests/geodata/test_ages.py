import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.ages import Ages, band_factors, bands, parse_position, share_of, tiling

SPAN = st.tuples(st.integers(0, 8), st.one_of(st.none(), st.integers(1, 9))).filter(
    lambda pair: pair[1] is None or pair[0] < pair[1]
)
OLD = 10  # stands for the years of an open end when ages are counted one by one


def years(span: Ages) -> list[int]:
    """Which single years of age a span holds; the last one stands for all that is older."""
    return [int(span.age_from <= year < span.end) for year in range(OLD + 1)]


def name(pair: tuple[int, int | None]) -> str:
    return f"{pair[0]}-{'' if pair[1] is None else pair[1]}"


@pytest.mark.parametrize(
    ("position", "ages"),
    [
        ("0-18", Ages(0, 18)),
        ("65-", Ages(65)),
        ("total", Ages(0)),
        ("18-18", None),
        ("18-15", None),
        ("unter18", None),
        ("", None),
        ("-3", None),
        ("0-18 ", None),
    ],
)
def test_positions_are_read_strictly(position: str, ages: Ages | None) -> None:
    assert parse_position(position) == ages


def test_a_difference_is_an_exact_tiling() -> None:
    found = tiling(Ages(15, 18), ["0-18", "0-15", "total"])
    assert found is not None
    assert (dict(found.factors), found.estimated) == ({"0-18": 1.0, "0-15": -1.0}, False)


def test_fewest_positions_then_fewest_differences() -> None:
    single = tiling(Ages(0, 18), ["0-3", "3-18", "0-18", "0-21", "18-21"])
    assert single is not None
    assert dict(single.factors) == {"0-18": 1.0}
    sums = tiling(Ages(0, 18), ["0-3", "3-18", "0-21", "18-21"])
    assert sums is not None
    assert dict(sums.factors) == {"0-3": 1.0, "3-18": 1.0}


def test_open_ends() -> None:
    adults = tiling(Ages(18), ["total", "0-18"])
    assert adults is not None
    assert dict(adults.factors) == {"total": 1.0, "0-18": -1.0}
    assert tiling(Ages(70), ["total", "65-"]) is None
    assert tiling(Ages(70, 80), ["65-"]) is None


def test_proration_divides_the_narrowest_span() -> None:
    found = tiling(Ages(7, 9), ["6-10", "0-18", "total"])
    assert found is not None
    assert (dict(found.factors), found.estimated) == ({"6-10": 0.5}, True)
    mixed = tiling(Ages(3, 8), ["0-3", "0-6", "6-10"])
    assert mixed is not None
    assert dict(mixed.factors) == pytest.approx({"0-6": 1.0, "0-3": -1.0, "6-10": 0.5})
    assert mixed.estimated


def test_nothing_to_go_by() -> None:
    assert tiling(Ages(0, 18), []) is None
    assert tiling(Ages(0, 18), ["20-30"]) is None
    assert tiling(Ages(0, 18), ["0-15"]) is None


@given(SPAN, st.sets(SPAN, max_size=5))
def test_exact_tilings_are_those_of_brute_force(
    wanted: tuple[int, int | None], spans: set[tuple[int, int | None]]
) -> None:
    positions = [name(span) for span in sorted(spans, key=str)]
    target = years(Ages(*wanted))
    columns = [years(Ages(*span)) for span in sorted(spans, key=str)]
    fewest = math.inf
    for signs in itertools.product((-1, 0, 1), repeat=len(columns)):
        if [sum(s * c[year] for s, c in zip(signs, columns, strict=True)) for year in range(OLD + 1)] == target:
            fewest = min(fewest, sum(map(abs, signs)))
    found = tiling(Ages(*wanted), positions)
    if math.isinf(fewest):
        assert found is None or found.estimated
    else:
        assert found is not None
        assert not found.estimated
        assert sum(map(abs, found.factors.values())) == fewest


@given(SPAN, st.sets(SPAN, max_size=6))
def test_every_tiling_is_right_for_evenly_spread_people(
    wanted: tuple[int, int | None], spans: set[tuple[int, int | None]]
) -> None:
    found = tiling(Ages(*wanted), [name(span) for span in spans])
    if found is not None:
        count = sum(sum(years(parse_position(position) or Ages(0))) * f for position, f in found.factors.items())
        assert count == pytest.approx(sum(years(Ages(*wanted))))


@given(st.sets(SPAN, min_size=1, max_size=6))
def test_bands_tile_what_the_spans_cover(spans: set[tuple[int, int | None]]) -> None:
    given_spans = [Ages(*span) for span in spans]
    cut = bands(given_spans)
    covered = [max(column) for column in zip(*map(years, given_spans), strict=True)]
    assert [sum(column) for column in zip(*map(years, cut), strict=True)] == covered
    for span in given_spans:
        found = band_factors(span, cut)
        assert found is not None
        assert not found[1]
        assert set(found[0]) <= {0.0, 1.0}


def test_band_factors_divide_closed_bands_only() -> None:
    cut = [Ages(0, 6), Ages(6, 18), Ages(18)]
    assert band_factors(Ages(3, 12), cut) == ([0.5, 0.5, 0.0], True)
    assert band_factors(Ages(18), cut) == ([0.0, 0.0, 1.0], False)
    assert band_factors(Ages(18, 21), cut) is None
    assert band_factors(Ages(0, 6), [Ages(3, 6)]) is None
    assert band_factors(Ages(0, 9), [Ages(0, 3), Ages(6, 9)]) is None


def test_shares_of_an_open_band() -> None:
    assert share_of(Ages(65), Ages(65, 80), 95) == 0.5
    assert share_of(Ages(65), Ages(80), 95) == 0.5
    assert share_of(Ages(0, 18), Ages(0, 3), 95) == pytest.approx(1 / 6)
    assert share_of(Ages(0, 18), Ages(18), 95) == 0
