"""Sentences about a row of figures: the ends, ties, what is missing; and which figures are chosen to be shown."""

import datetime as dt

import pytest

from geodata.indicator_choices import Choice, choose
from geodata.spread import NamedFigure, spread, spread_of_change

DAY = dt.date(2020, 1, 1)


def figures(*values: float | None, hidden: int = 0) -> list[NamedFigure]:
    made = [NamedFigure(f"Gebiet {number}", value) for number, value in enumerate(values, start=1)]
    return made + [NamedFigure(f"Geheim {number}", 999.0, suppressed=True) for number in range(hidden)]


def test_ends_and_what_is_missing() -> None:
    said = spread(figures(1.04, 3.5, None, hidden=1), "%", 1)
    assert said == (
        "Am höchsten ist der Wert in Gebiet 2 (3,5\N{NO-BREAK SPACE}%), am niedrigsten in Gebiet 1 "
        "(1,0\N{NO-BREAK SPACE}%). 2 von 4 Gebieten haben einen Wert; bei einem fehlt er und bei einem ist er "
        "unterdrückt."
    )


def test_ties_are_those_of_what_is_shown() -> None:
    said = spread(figures(1.01, 1.04, 5, 7.0, 7.04), "", 1)
    assert "in Gebiet 4 und Gebiet 5 (7,0)" in said
    assert "in Gebiet 1 und Gebiet 2 (1,0)" in said
    assert "am niedrigsten in 4 Gebieten (0)" in spread(figures(0, 0, 0, 0, 1234), "", 0)
    assert "(1.234)" in spread(figures(0, 0, 0, 0, 1234), "", 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (figures(), "Für kein Gebiet gibt es hier einen Wert, der gezeigt werden kann."),
        (figures(None, hidden=1), "Für kein Gebiet gibt es hier einen Wert, der gezeigt werden kann."),
        (figures(2, 2), "In allen Gebieten mit Wert ist er gleich: 2."),
    ],
)
def test_nothing_to_compare(given: list[NamedFigure], said: str) -> None:
    assert spread(given, "", 0).strip() == said


def test_a_suppressed_value_is_not_told() -> None:
    for said in (spread(figures(1, 2, hidden=2), "", 0), spread_of_change(figures(1, 2, hidden=2), "", 0, "2019")):
        assert "999" not in said
        assert "Geheim" not in said


def test_change() -> None:
    said = spread_of_change(figures(2.0, -3.25, 0.01, None), "Prozentpunkte", 1, "2019")
    assert said.startswith(
        "Seit 2019 ist der Wert in einem Gebiet gestiegen, in einem Gebiet gesunken und in einem Gebiet gleich"
    )
    assert "gestiegen in Gebiet 1 (+2,0\N{NO-BREAK SPACE}Prozentpunkte)" in said
    assert "gesunken in Gebiet 2 (−3,3\N{NO-BREAK SPACE}Prozentpunkte)" in said


def test_what_does_not_fit_is_replaced_and_named() -> None:
    there = [
        Choice("stadtteil", "0-6", "2020", "ist", DAY, DAY),
        Choice("stadtteil", "total", "2020", "ist", DAY, DAY),
        Choice("stadtteil", "total", "2030", "prognose", DAY, DAY),
        Choice("bezirk", "total", "2019", "ist", DAY, DAY),
    ]
    open_: dict[str, str | None] = {"level": None, "position": None, "period": None, "scenario": None}

    def chosen(**wanted: str) -> tuple[str, ...]:
        got = choose(there, ("stadtteil",), **{**open_, **wanted})
        assert got is not None
        return got.level, got.position, got.period, got.scenario, *got.left_out

    assert chosen() == ("stadtteil", "total", "2020", "ist")
    assert chosen(level="bezirk") == ("bezirk", "total", "2019", "ist")
    assert chosen(level="bezirk", position="0-6") == ("bezirk", "total", "2019", "ist", "position")
    assert chosen(scenario="prognose", period="2020") == ("stadtteil", "total", "2030", "prognose", "period")
    assert chosen(level="land", position="0-6") == ("stadtteil", "0-6", "2020", "ist", "level")
    assert choose([], (), **open_) is None
