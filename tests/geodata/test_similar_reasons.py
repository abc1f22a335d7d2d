"""Which areas are alike, in sentences."""

from dataclasses import replace

import pytest

from geodata.similar import SimilarRow
from geodata.similar_reasons import Named, difference, headline

ROW = SimilarRow(
    area_level="stadtteil", area_key="2", area_name="Horn", rank=1, distance=0.456,
    contributions={"a": 0.75, "b": 0.25}, values={"a": 30.0, "b": 1.0}, own_values={"a": 27.5, "b": 2.0}, flag="ok",
    geometry=None,
)  # fmt: skip
NAMED = {"a": Named("Alleinerziehende", unit="%"), "b": Named("Bewegung")}


def test_the_nearest_and_those_that_follow() -> None:
    others = [replace(ROW, area_name=name) for name in ("Hamm", "Rothenburgsort", "Veddel")]
    assert headline("Billstedt", [ROW]) == "Billstedt ähnelt am meisten Horn (Abstand 0,46)."
    assert headline("Billstedt", [ROW, *others]) == (
        "Billstedt ähnelt am meisten Horn (Abstand 0,46), gefolgt von Hamm und Rothenburgsort.")  # fmt: skip
    assert headline("Billstedt", []).startswith("Zu Billstedt gibt es auf dieser Ebene kein vergleichbares Gebiet")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ROW, "Alleinerziehende: 2,5 Prozentpunkte höher (75\N{NO-BREAK SPACE}% des Abstands)"),
        (replace(ROW, values={"a": 26.5, "b": 1.0}),
         "Alleinerziehende: 1 Prozentpunkt niedriger (75\N{NO-BREAK SPACE}% des Abstands)"),
        (replace(ROW, contributions={"b": 1.0}), "Bewegung: 1 niedriger"),
        (replace(ROW, contributions={"a": 0.0, "b": 0.0}), "kein Unterschied"),
        (replace(ROW, contributions={}), "kein Unterschied"),
    ],
)  # fmt: skip
def test_the_greatest_difference(row: SimilarRow, said: str) -> None:
    assert difference(row, NAMED) == said


def test_fractions_are_told_in_percent() -> None:
    row = replace(ROW, contributions={"a": 1.0}, values={"a": 0.31}, own_values={"a": 0.275})
    assert difference(row, {"a": Named("Anteil", 100.0, "%")}) == "Anteil: 3,5 Prozentpunkte höher"


def test_an_indicator_nobody_names_stands_under_its_code() -> None:
    assert difference(replace(ROW, contributions={"a": 1.0}), {}) == "a: 2,5 höher"
