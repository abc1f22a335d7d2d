"""Sentences about a row of figures: the ends, ties, what is missing; and which figures are chosen to be shown."""

import datetime as dt

import pytest

from geodata.indicator_choices import Choice, choose, usual_indicator
from geodata.indicators import IndicatorInfo, tells_of_work
from geodata.periods import parse_period
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
        (figures(2), "In Gebiet 1 ist der Wert 2."),
        (figures(2, None), "In Gebiet 1 ist der Wert 2. 1 von 2 Gebieten hat einen Wert; bei einem fehlt er."),
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
    helps = [Choice("bezirk", one, "2020", "ist", DAY, DAY) for one in ("31", "alle_hilfen")]
    everything = choose(helps, (), **open_)
    assert everything is not None
    assert everything.position == "alle_hilfen"
    assert chosen(level="bezirk", position="0-6") == ("bezirk", "total", "2019", "ist", "position")
    assert chosen(scenario="prognose", period="2020") == ("stadtteil", "total", "2030", "prognose", "period")
    assert chosen(level="land", position="0-6") == ("stadtteil", "0-6", "2020", "ist", "level")
    assert choose([], (), **open_) is None


def test_what_may_be_compared_is_as_long_as_early_and_counted_alike() -> None:
    def at(period: str, *countings: str) -> Choice:
        parsed = parse_period(period)
        return Choice("stadtteil", "total", period, "ist", parsed.starts, parsed.ends, countings or ("stichtag",))

    there = [at("2021"), at("2020-12-31"), at("2020"), at("2020-H2"), at("2019", "kumuliert"), at("2018")]
    got = choose(there, (), level=None, position=None, period="2020", scenario=None)
    assert got is not None
    assert [one.period for one in got.earlier] == ["2018"]
    assert [one.period for one in got.periods] == [one.period for one in there]
    newest = choose(there, (), level=None, position=None, period=None, scenario=None)
    assert newest is not None
    assert [one.period for one in newest.earlier] == ["2020", "2018"]


def test_one_way_of_counting_is_chosen() -> None:
    there = [Choice("stadtteil", "", "2020", "ist", DAY, DAY, ("kumuliert", "stichtag"))]

    def counted(counting: str | None) -> tuple[str, ...]:
        got = choose(there, (), level=None, position=None, period=None, scenario=None, counting=counting)
        assert got is not None
        return got.counting, *got.left_out

    assert counted(None) == ("kumuliert",)
    assert counted("stichtag") == ("stichtag",)
    assert counted("begonnen") == ("kumuliert", "counting")


def test_what_is_shown_first_tells_of_people_not_of_work() -> None:
    fees = IndicatorInfo("fee_increase_pct", "Entgelte", "%", "rate")
    own = IndicatorInfo("kosten", "Kosten je Kind", "eur", "rate", "spending_eur:31", "population:0-18")
    poor = IndicatorInfo("sgb2", "SGB II", "%", "share", "sgb2_n", "population:total")
    assert usual_indicator([fees, own, poor]) == poor
    assert [tells_of_work(one) for one in (fees, own, poor)] == [True, True, False]
    assert not tells_of_work(IndicatorInfo("population", "Einwohner", "personen", "count"))
