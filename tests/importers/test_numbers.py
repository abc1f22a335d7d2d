import contextlib
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers import numbers
from importers.errors import MappingError


@pytest.mark.parametrize("cell", ["", " ", ".", "/", "x", "X", "…", "...", "Keine Daten", "keine  daten", "\u00a0"])
def test_missing_marks(cell: str) -> None:
    assert numbers.is_missing(cell)
    assert not numbers.is_dash(cell)


@pytest.mark.parametrize("cell", ["-", "–", "—", " - ", "−"])
def test_a_lone_dash_is_not_a_missing_mark(cell: str) -> None:
    assert numbers.is_dash(cell)
    assert not numbers.is_missing(cell)


@pytest.mark.parametrize("cell", ["0", "-1", "xx", "..", "5.", "k.A."])
def test_neither_missing_nor_dash(cell: str) -> None:
    assert not numbers.is_missing(cell)
    assert not numbers.is_dash(cell)


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        (" 1 675 ", None, 1675),
        ("1\u00a0675", None, 1675),
        ("1\u202f675", None, 1675),
        ("- 23", None, -23),
        ("−23", None, -23),
        ("+5", None, 5),
        ("007", None, 7),
        ("1.675", ",", 1675),
        ("1.675", ".", 1.675),
        ("1,675", ",", 1.675),
        ("1,675", ".", 1675),
        ("1.675,3", ",", 1675.3),
        ("1,675.3", ".", 1675.3),
        ("12.345.678", ",", 12_345_678),
        ("0.675", ".", 0.675),
        ("0,5", ",", 0.5),
        ("1 675,25", ",", 1675.25),
        ("-1.675,5", ",", -1675.5),
    ],
)
def test_numbers_are_read_under_their_mark(cell: str, decimal: str | None, value: float) -> None:
    assert numbers.parse(cell, decimal) == value


@pytest.mark.parametrize(
    ("cell", "decimal"),
    [
        ("1.675", None),
        ("1,5", None),
        ("1.675,3", "."),
        ("1,675.3", ","),
        ("1.67", ","),
        ("0.675", ","),
        ("01.675", ","),
        ("1.6755", ","),
        ("1.675.3", ","),
        ("1,2,3", ","),
        ("abc", ","),
        ("12a", "."),
        ("", ","),
        ("-", ","),
        ("nan", "."),
        ("inf", "."),
        ("1e5", "."),
        ("0x10", "."),
        ("5.", "."),
        (".5", "."),
        ("5 %", ","),
    ],
)
def test_anything_else_is_not_a_number(cell: str, decimal: str | None) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(cell)}$"):
        numbers.parse(cell, decimal)


@pytest.mark.parametrize(
    ("cells", "decimal"),
    [
        ([], None),
        (["1", " 1 675 ", "- 23", "-", ".", "Keine Daten"], None),
        (["1,5"], ","),
        (["1.5"], "."),
        (["0.675"], "."),
        (["0,675"], ","),
        (["1.675", "1.675,3"], ","),
        (["1.675", "2,5"], ","),
        (["1.675", "0.675"], "."),
        (["1,675", "12.34"], "."),
        (["1.675.000"], ","),
        (["1,675,000"], "."),
        (["1.6755"], "."),
        (["unbekannt", "1,5"], ","),
        (["-", "–", "1,5", "x"], ","),
    ],
)
def test_the_mark_is_inferred_when_every_number_agrees(cells: list[str], decimal: str | None) -> None:
    assert numbers.infer_decimal(cells) == decimal


@pytest.mark.parametrize("cells", [["1.675"], ["1,675"], ["12", "1.675", "987.654"], ["- 1.675"]])
def test_what_could_be_either_is_refused_naming_the_option(cells: list[str]) -> None:
    with pytest.raises(MappingError, match=r"kann ein Tausenderpunkt oder ein Dezimalzeichen sein.*--decimal"):
        numbers.infer_decimal(cells)


@pytest.mark.parametrize("cells", [["1,5", "2.5"], ["1.675,3", "1,675.3"], ["0.675", "0,675"], ["1.675", "1,5", "0.5"]])
def test_mixed_marks_are_refused_naming_the_option(cells: list[str]) -> None:
    with pytest.raises(MappingError, match=r"teils mit Komma, teils mit Punkt.*--decimal"):
        numbers.infer_decimal(cells)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("9.98", 9.98), ("9,98", 9.98), ("565746.523", 565746.523), ("565746,523", 565746.523), ("5938767", 5938767.0),
     (" 53,5 ", 53.5), ("-9.98", -9.98), ("1.0E1", 10.0), ("53.548", 53.548), ("10,006", 10.006)],
)  # fmt: skip
def test_coordinates_are_never_grouped(cell: str, value: float) -> None:
    assert numbers.parse_coordinate(cell) == value


@pytest.mark.parametrize("cell", ["", "abc", "5.938.767", "1,5,5", "1.000,5", "nan", "9° 58'"])
def test_a_coordinate_that_is_no_number_is_nan(cell: str) -> None:
    assert math.isnan(numbers.parse_coordinate(cell))


def written(value: int, digits: int, mark: str, grouped: bool) -> str:
    text = f"{abs(value) / 10**digits:{',' if grouped else ''}.{digits}f}"
    if mark == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    return ("-" if value < 0 else "") + text


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 3), st.sampled_from([",", "."]), st.booleans())
def test_a_written_number_is_read_back(value: int, digits: int, mark: str, grouped: bool) -> None:
    text = written(value, digits, mark, grouped)
    assert numbers.parse(text, mark) == pytest.approx(value / 10**digits, rel=1e-12, abs=1e-12)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8), st.sampled_from([",", "."]), st.booleans())
def test_an_inferred_mark_is_the_one_it_was_written_with(values: list[int], mark: str, grouped: bool) -> None:
    cells = [written(value, 2, mark, grouped) for value in values]  # two digits never look like thousands
    assert numbers.infer_decimal(cells) == mark
    assert [numbers.parse(cell, mark) for cell in cells] == pytest.approx([value / 100 for value in values])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12), st.sampled_from([",", ".", None]))
def test_any_text_is_a_number_or_a_value_error(cell: str, decimal: str | None) -> None:
    with contextlib.suppress(ValueError):
        assert math.isfinite(numbers.parse(cell, decimal))
