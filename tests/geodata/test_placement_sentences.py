"""What answers about placements say in sentences, and which period they are compared with."""

from dataclasses import replace
from typing import Any

import pytest
from conftest import Database

from geodata.database import Access, reading
from geodata.home_gaps import HomeGapRow
from geodata.home_request import HomeBand
from geodata.periods import accusative, kind_of, since, spoken, within
from geodata.placement_figures import Change
from geodata.placement_offer import comparable, placement_offers, usual_comparison
from geodata.placement_sentences import (
    answer_sentences,
    change_interval_text,
    change_sentence,
    highest_sentence,
    interval_text,
    none_near_sentence,
    share_sentence,
    signed,
)
from geodata.placements import PlacementRow
from geodata.proportions import Interval
from geodata.viewer import Role, Viewer


def placed(**given: Any) -> PlacementRow:
    """Hamburg-Mitte as published: 287 of 540 outside in 2021-Q3."""
    values: dict[str, Any] = dict.fromkeys(PlacementRow.__slots__)
    values |= {
        "area_level": "bezirk", "area_key": "1", "area_name": "Mitte", "period": "2021-Q3", "paragraph": "34",
        "area_role": "zustaendig", "counting": "stichtag", "cases": 540, "outside_cases": 287, "unknown_cases": 0,
        "outside_share": 287 / 540, "ci_low": 0.4893, "ci_high": 0.5732, "change_pp": 2.74, "change_ci_low": -3.02,
        "change_ci_high": 8.48, "change_secured": False, "suppressed": False, "suppressed_fields": (),
    }  # fmt: skip
    return PlacementRow(**(values | given))


def near(key: str, cases: int | None, *, none: bool | None, rank: int | None) -> HomeGapRow:
    values: dict[str, Any] = dict.fromkeys(HomeGapRow.__slots__)
    values |= {
        "area_key": key, "area_name": f"Raum {key}", "cases": cases, "none_near": none, "rank": rank,
        "bands": (HomeBand(5.0, 0, 0, 0.0),), "reason": "", "suppressed": False, "suppressed_fields": (),
    }  # fmt: skip
    return HomeGapRow(**values)


@pytest.mark.parametrize(
    ("period", "said"),
    [("2020", "2020"), ("2014-H1", "1. Halbjahr 2014"), ("2021-Q3", "3. Quartal 2021"), ("2019-07", "Juli 2019"),
     ("2019-07-31", "31.07.2019")],
)  # fmt: skip
def test_periods_as_sentences_write_them(period: str, said: str) -> None:
    assert spoken(period) == said


@pytest.mark.parametrize(
    ("period", "inside", "about", "from_then"),
    [("2020", "2020", "2020", "Seit 2020"),
     ("2014-H1", "im 1. Halbjahr 2014", "das 1. Halbjahr 2014", "Seit dem 1. Halbjahr 2014"),
     ("2021-Q3", "im 3. Quartal 2021", "das 3. Quartal 2021", "Seit dem 3. Quartal 2021"),
     ("2019-07", "im Juli 2019", "Juli 2019", "Seit Juli 2019"),
     ("2019-07-31", "am 31.07.2019", "den 31.07.2019", "Seit dem 31.07.2019")],
)  # fmt: skip
def test_when_something_was_and_since_when(period: str, inside: str, about: str, from_then: str) -> None:
    assert within(period) == inside
    assert accusative(period) == about
    assert within(period, start=True) == inside[:1].upper() + inside[1:]
    assert since(period, start=True) == from_then
    assert (change_sentence(placed(), period) or "").startswith(f"{from_then} ist der Anteil")


def test_periods_of_the_same_length_are_of_a_kind() -> None:
    kinds = {kind_of(one) for one in ("2020", "2014-H1", "2021-Q3", "2019-07", "2019-07-31")}
    assert len(kinds) == 5
    assert kind_of("2021-Q3") == kind_of("1999-Q1")
    with pytest.raises(ValueError, match="kein Zeitraum"):
        kind_of("2021-Q5")


def test_the_usual_comparison_is_two_years_before() -> None:
    offered = ["2018-Q3", "2019-Q3", "2020-Q3", "2021-Q2", "2021-Q3", "2021-Q4"]
    assert usual_comparison("2021-Q3", offered) == "2019-Q3"
    assert usual_comparison("2019-Q3", offered) == "2018-Q3"  # the nearest to it
    assert usual_comparison("2021-Q3", ["2011-Q3", "2019-Q4", "2020-Q3", "2021-Q3"]) == "2019-Q4"
    assert usual_comparison("2021-Q3", ["2018-Q3", "2020-Q3", "2021-Q3"]) == "2018-Q3"  # equally near: the earlier
    assert usual_comparison("2024", ["2021", "2023", "2024"]) == "2021"  # leap years change nothing
    assert usual_comparison("2018-Q3", offered) is None
    assert comparable("2021-Q3", offered) == ["2018-Q3", "2019-Q3", "2020-Q3", "2021-Q2"]


def test_periods_of_other_length_are_not_compared() -> None:
    assert usual_comparison("2021-Q4", ["2019", "2019-H2", "2019-12", "2021-Q4"]) is None


def test_the_share_with_counts_and_interval() -> None:
    assert share_sentence(placed(), "Hamburg") == (
        "Mitte: 287 von 540 Fällen nach §\N{NO-BREAK SPACE}34 bei Trägern außerhalb von Hamburg "
        "(53,1\N{NO-BREAK SPACE}%; 95-%-Intervall 48,9 bis 57,3\N{NO-BREAK SPACE}%)."
    )
    assert "von 535 Fällen" in share_sentence(placed(unknown_cases=5), "Hamburg")
    assert "von einem Fall" in share_sentence(placed(cases=1, outside_cases=1), "Hamburg")


def test_no_number_where_none_is_published() -> None:
    hidden = placed(cases=None, outside_share=None, suppressed_fields=("cases", "outside_share"))
    assert share_sentence(hidden, "Hamburg").endswith("ist zum Schutz kleiner Fallzahlen nicht ausgewiesen.")
    missing = placed(cases=None, outside_share=None)
    assert share_sentence(missing, "Hamburg").endswith("ist nicht bekannt.")
    nobody = placed(cases=0, outside_cases=0, outside_share=None)
    assert share_sentence(nobody, "Hamburg").startswith("Mitte: Es gibt keinen Fall")
    part = placed(outside_share=None, suppressed_fields=("outside_share",))
    assert "540 Fälle" in share_sentence(part, "Hamburg")


def test_a_change_and_whether_it_is_secured() -> None:
    said = change_sentence(placed(), "2019-Q3")
    assert said == (
        "Seit dem 3. Quartal 2019 ist der Anteil um 2,7 Prozentpunkte gestiegen. "
        "Die Veränderung ist statistisch nicht gesichert."
    )
    secured = placed(change_pp=-1.0, change_ci_low=-1.9, change_ci_high=-0.1, change_secured=True)
    assert change_sentence(secured, "2019") == (
        "Seit 2019 ist der Anteil um 1,0 Prozentpunkt gesunken. Die Veränderung ist statistisch gesichert (95 %)."
    )
    assert "gleich geblieben" in (change_sentence(placed(change_pp=0.04), "2019-Q3") or "")
    assert change_sentence(placed(change_pp=None), "2019-Q3") is None
    assert change_sentence(placed(), None) is None


@pytest.mark.parametrize(
    ("low", "high", "secured"), [(-1.0, 1.0, False), (0.0, 1.0, False), (-1.0, 0.0, False), (0.1, 1.0, True),
                                 (-2.0, -0.1, True), (None, None, None)],
)  # fmt: skip
def test_a_change_whose_interval_touches_nought_is_not_secured(low: Any, high: Any, secured: bool | None) -> None:
    unsecured = low is not None and Interval(low, high).covers(0)
    assert Change(0, 0.5, low, high, unsecured=unsecured).secured is secured


def test_where_it_is_highest_says_who_is_not_compared() -> None:
    rows = [
        placed(area_key="1", area_name="A", outside_share=0.5),
        placed(area_key="2", area_name="B", outside_share=0.50004),
        placed(area_key="3", area_name="C", outside_share=None),
        placed(area_key="ohne", area_name="ohne räumliche Zuordnung", outside_share=0.9),
    ]
    assert highest_sentence(rows) == (
        "Am höchsten ist der Anteil in A und B (50,0\N{NO-BREAK SPACE}%). "
        "Nicht verglichen: ein Gebiet ohne ausgewiesenen Wert."
    )
    assert highest_sentence(rows[:1]) is None
    per = [replace(rows[0], per_1000=1.5), replace(rows[1], per_1000=2.25)]
    assert highest_sentence(per, per_1000=True) == "Die meisten Fälle je 1.000 unter 21-Jährige hat B (2,25)."


def test_the_whole_is_told_apart_where_it_is_counted_otherwise() -> None:
    whole = placed(area_level="land", area_name="Hamburg")
    same = list(answer_sentences(whole, [placed(), placed(area_key="2")], "2019-Q3", "Hamburg", per_1000=False))
    assert same[0].startswith("Hamburg: ")
    origin = [placed(area_role="herkunft"), placed(area_role="herkunft", area_key="2")]
    other = list(answer_sentences(whole, origin, "2019-Q3", "Hamburg", per_1000=False))
    assert other[0].startswith("Hamburg (nach zuständigem Jugendamt): ")
    (alone, _change) = answer_sentences(None, [placed()], "2019-Q3", "Hamburg", per_1000=False)
    assert alone.startswith("Mitte: ")


def test_which_areas_have_no_place_near() -> None:
    rows = [near("1", 9, none=True, rank=1), near("2", 7, none=False, rank=2), near("3", None, none=True, rank=None)]
    assert none_near_sentence(rows, 2.5, published=True) == (
        "Von 2 Gebieten mit ausgewiesenen Fällen hat eines im Umkreis von 2,5 km und im Gebiet keinen freigegebenen "
        "Platz: Raum 1."
    )
    assert (
        none_near_sentence(rows[1:2], 5, published=False)
        == "Raum 2 hat im Umkreis von 5 km oder im Gebiet einen Platz."
    )
    assert none_near_sentence(rows[2:], 5, published=True) is None


def test_intervals_and_signs() -> None:
    assert interval_text(0.4893, 0.5732) == "48,9 bis 57,3\N{NO-BREAK SPACE}%"
    assert interval_text(None, None) is None
    assert change_interval_text(-3.02, 8.48) == "−3,0 bis +8,5"
    assert [signed(value) for value in (0.0, 0.04, -0.04, 2.74, -0.06)] == ["0,0", "0,0", "0,0", "+2,7", "−0,1"]


def test_what_there_is_to_ask_for(demo_database: Database) -> None:
    with reading(demo_database.serving) as session:
        offers = placement_offers(session)
    assert [(one.level, one.area_role) for one in offers if one.counting == "stichtag"] == [
        ("land", "zustaendig"), ("bezirk", "zustaendig"), ("sozialraum", "herkunft"), ("stadtteil", "herkunft"),
    ]  # fmt: skip
    assert all(one.periods[-1] == "2025-Q4" for one in offers)
    assert offers[0].periods == ("2023-Q4", "2024-Q4", "2025-Q3", "2025-Q4")
    with reading(demo_database.serving, Access(Viewer(Role.ADMIN))) as session:
        assert {one.level for one in placement_offers(session)} >= {one.level for one in offers}
