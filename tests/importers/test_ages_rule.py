"""Target ages from ticked classes, against the plainest way to say it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from importers.ages_rule import Ages, ages_of
from importers.errors import MappingError
from importers.report import Report, Severity
from importers.sources.base import Chunk, objects

BOUNDS = [(0, 3), (3, 6), (6, 14), (14, 18), (18, 21), (21, None)]
NAMES = [f"c{i}" for i in range(len(BOUNDS))]
AGES = Ages.model_validate({
    "classes": [
        {"from": name, "age_from": low} | ({} if high is None else {"age_to": high})
        for name, (low, high) in zip(NAMES, BOUNDS, strict=True)
    ]
})  # fmt: skip


def spans(rows: list[list[Any]], ages: Ages = AGES) -> tuple[list[tuple[int | None, int | None]], Report]:
    report = Report("x", "facilities", "x")
    columns = {name: objects([row[i] for row in rows]) for i, name in enumerate(NAMES)}
    made = ages_of(Chunk(np.arange(2, len(rows) + 2), columns), ages, report)
    return list(zip(made["age_from"], made["age_to"], strict=True)), report


YES = ["ja", "Ja", " x ", "X", 1, 12.0, True, "3", "0,5", "12 %", "+1"]
NO = ["nein", "", None, 0, 0.0, False, "0", "-", "–", ".", float("nan"), "Keine Angabe", "0 %"]


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=20), st.data())
def test_from_the_lowest_to_the_end_of_the_highest(ticks: list[list[bool]], data: st.DataObject) -> None:
    rows = [[data.draw(st.sampled_from(YES if tick else NO)) for tick in row] for row in ticks]
    found, report = spans(rows)
    for tick, span in zip(ticks, found, strict=True):
        hit = [bounds for bounds, yes in zip(BOUNDS, tick, strict=True) if yes]
        assert span == ((hit[0][0], hit[-1][1]) if hit else (None, None))
    gaps = sum("1" in "".join("01"[t] for t in tick).strip("0") and "0" in "".join("01"[t] for t in tick).strip("0")
               for tick in ticks)  # fmt: skip
    assert len(list(report.of(Severity.INFO))) == gaps
    assert report.rows_rejected == 0
    assert not list(report.of(Severity.WARNING))


@pytest.mark.parametrize("cell", ["vielleicht", "ab 3", "3-5", "−", "ja, Mädchen", "<script>"])
def test_what_says_neither_makes_the_ages_unknown_and_is_told(cell: str) -> None:
    found, report = spans([["ja", cell, "ja", "", "", ""]])
    assert found == [(None, None)]
    (warning,) = report.of(Severity.WARNING)
    assert (warning.row, warning.field, warning.value) == (2, "c1", cell)


def test_further_words() -> None:
    more = AGES.model_copy(update={"yes": ("Auch",), "no": ("entfällt",)})
    assert spans([["auch", "ENTFÄLLT", "", "", "", ""]], more)[0] == [(0, 3)]


def test_a_column_the_source_lacks_is_named() -> None:
    with pytest.raises(MappingError, match=r"keine Spalte „c0“ .*Vorhanden: anders\.$"):
        ages_of(Chunk(np.array([2]), {"anders": objects(["x"])}), AGES, Report("x", "facilities", "x"))
    assert ages_of(Chunk(np.array([2]), {}), None, Report("x", "facilities", "x")) == {}


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([{"from": "a", "age_from": 3, "age_to": 6}, {"from": "b", "age_from": 0, "age_to": 3}], "aufsteigender"),
        ([{"from": "a", "age_from": 0, "age_to": 6}, {"from": "b", "age_from": 3, "age_to": 9}], "aufsteigender"),
        ([{"from": "a", "age_from": 0}, {"from": "b", "age_from": 3}], "aufsteigender"),
        ([{"from": "a", "age_from": 3, "age_to": 3}], "liegt age_to nicht über age_from"),
        ([], "at least 1 item"),
    ],
)
def test_classes_that_make_no_sense(classes: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Ages.model_validate({"classes": classes})
