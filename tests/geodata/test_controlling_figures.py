"""Controlling figures by hand, and everything that must not become a number."""

import math
from typing import Any

import numpy as np
import pytest

from geodata import controlling_figures as formulas
from geodata.controlling_values import Basis, Figure, absent, computed, incomparable, observed, other_scope, span_of
from geodata.periods import parse_period

YEAR = Basis(parse_period("2020"), "statistics.a", "mittel_12_stichtage", "hilfen")
KEEP = object()


def figure(value: float | None, period: str = "2020", flag: Any = KEEP, **basis: Any) -> Figure:
    given: dict[str, Any] = {"dataset": "statistics.a", "counting": "mittel_12_stichtage", "unit": "hilfen"} | basis
    flag = ("ok" if value is not None else "missing") if flag is KEEP else flag
    return observed(value, flag, f"Fallzahl {period}", Basis(parse_period(period), **given))


def euros(value: float | None, period: str = "2020") -> Figure:
    return figure(value, period, dataset="statistics.b", counting="kumuliert", unit="eur")


def test_rates_and_quotients_by_hand() -> None:
    assert formulas.help_density(figure(4233), figure(109415)).value == pytest.approx(38.687566)
    assert formulas.spending_per_resident(euros(151_854_000), figure(109415)).value == pytest.approx(1387.872)
    assert formulas.spending_per_case(euros(151_854_000), figure(4233)).value == pytest.approx(35873.8483)
    assert formulas.help_quotient(figure(2464), figure(1769)).value == pytest.approx(1.39287733)
    assert formulas.follow_up_share(figure(43), figure(100)).value == pytest.approx(0.43)
    assert formulas.counselling_ratio(figure(21, counting="begonnen"), figure(100)).value == pytest.approx(0.21)
    assert formulas.change_pct(figure(200, "2014"), figure(150)).value == pytest.approx(-25)
    assert formulas.spending_target(euros(100), 6).value == pytest.approx(126.5319018496)
    assert formulas.spending_target(euros(100), 0).value == 100
    assert formulas.spending_target(euros(100), 2, 0.1).value == pytest.approx(121)
    assert formulas.difference(figure(17.5), figure(16.2)).value == pytest.approx(1.3)
    assert formulas.without_area(figure(10), figure(10)).value == 0
    assert formulas.unassigned(euros(10), [euros(4), euros(5)]).value == pytest.approx(1)


def test_the_share_of_group_offers_meets_its_target_at_15_percent() -> None:
    share = formulas.group_offer_share(figure(15, unit="stunden"), figure(100, unit="stunden"))
    assert share.value == pytest.approx(0.15)
    assert formulas.target_met(share) is True
    assert formulas.target_met(Figure(0.1499)) is False
    assert formulas.target_met(Figure(0.2), 0.25) is False
    assert formulas.target_met(absent("Stunden")) is None


ZERO = {
    "help_density": (formulas.help_density, "Jugendeinwohner ist 0"),
    "spending_per_resident": (formulas.spending_per_resident, "Jugendeinwohner ist 0"),
    "spending_per_case": (formulas.spending_per_case, "keine Fälle"),
    "hours_per_case": (formulas.hours_per_case, "keine Fälle"),
    "help_quotient": (formulas.help_quotient, "keine Hilfen außerhalb der Familie"),
    "follow_up_share": (formulas.follow_up_share, "keine neuen Beratungen"),
    "counselling_ratio": (formulas.counselling_ratio, "keine Fälle"),
    "group_offer_share": (formulas.group_offer_share, "keine Stunden"),
}


@pytest.mark.parametrize("name", ZERO)
@pytest.mark.parametrize("over", [0, 5])
def test_nothing_is_divided_by_zero(name: str, over: float) -> None:
    formula, words = ZERO[name]
    made = formula(figure(over), figure(0))
    assert (made.value, made.flag) == (None, "missing")
    assert words in (made.reason or "")
    assert (made.reason or "").endswith(".")


@pytest.mark.parametrize("name", ZERO)
@pytest.mark.parametrize(("flag", "words"), [("missing", "keine Angabe"), ("suppressed", "unterdrückt")])
def test_what_is_missing_stays_missing_with_its_reason(name: str, flag: str, words: str) -> None:
    formula = ZERO[name][0]
    for parts in ((figure(None, flag=flag), figure(3)), (figure(3), figure(None, flag=flag))):
        made = formula(*parts)
        assert (made.value, made.flag) == (None, flag)
        assert words in (made.reason or "")
    both = formula(figure(None, flag="missing"), figure(None, flag="suppressed"))
    assert both.flag == "suppressed"
    # Whether the one is 0 must not tell anything of the other.
    assert "unterdrückt" in (formula(figure(None, flag="suppressed"), figure(0)).reason or "")


def test_the_weaker_flag_and_the_notes_go_with_the_value() -> None:
    noted = Figure(1.0, "provisional", notes=("a", "b"))
    made = computed(lambda x, y, z: x + y + z, noted, Figure(1.0, "estimated", notes=("b",)), Figure(1.0), notes=("c",))
    assert (made.value, made.flag, made.notes) == (3.0, "estimated", ("a", "b", "c"))
    assert computed(lambda x: x, noted).flag == "provisional"
    assert computed(lambda x: x * 1e308, Figure(1e10)).flag == "missing"
    assert formulas.spending_target(Figure(1.0), 10**6).reason == (
        "Die Zahl ist zu groß und lässt sich nicht berechnen.")  # fmt: skip


@pytest.mark.parametrize(
    ("value", "flag", "reason"),
    [(None, "ok", None), (1.0, "missing", "x"), (None, "missing", None), (1.0, "ok", "x"), (math.nan, "ok", None),
     (1.0, "gut", None), (math.inf, "ok", None)],
)  # fmt: skip
def test_a_figure_that_contradicts_itself_cannot_be_made(value: float | None, flag: str, reason: str | None) -> None:
    with pytest.raises(ValueError, match=r"flag|finite"):
        Figure(value, flag, reason)


DIFFERENT = [
    ({"counting": "kumuliert"}, "verschieden gezählt|Gezählt ist verschieden", True),
    ({"unit": "familien"}, "Gezählt ist Verschiedenes", True),
    ({"composition": frozenset({"31", "32"})}, "verschiedenen Hilfearten", True),
    ({"dataset": "statistics.b", "counting": None}, "nicht angegeben", True),
    ({"dataset": "statistics.b"}, "", False),
]


@pytest.mark.parametrize(("other", "words", "differs"), DIFFERENT)
def test_what_is_counted_differently_is_not_compared(other: dict[str, Any], words: str, differs: bool) -> None:
    comparisons = (
        formulas.change_pct(figure(10, "2014"), figure(12, **other)),
        formulas.difference(figure(10), figure(12, **other)),
        formulas.without_area(figure(20), figure(12, **other)),
    )
    for made in comparisons:
        assert (made.value is None) is differs
        assert any(word in (made.reason or "") for word in words.split("|"))


def test_half_years_are_not_compared_with_years_but_with_half_years() -> None:
    kumuliert = {"counting": "kumuliert"}
    year, half = figure(64, "2014", **kumuliert), figure(56, "2014-H1", **kumuliert)
    made = formulas.change_pct(year, half)
    assert made.value is None
    assert "verschieden lang (Jahr und Halbjahr)" in (made.reason or "")
    assert formulas.change_pct(half, figure(59, "2015-H1", **kumuliert)).value == pytest.approx(5.357142857)
    on_days = [figure(5, period, counting="stichtag") for period in ("2019-12-31", "2020-Q3")]
    assert formulas.change_pct(*on_days).value == 0
    assert [span_of(parse_period(text)) for text in ("2020", "2020-H2", "2020-Q3", "2020-07", "2020-07-31")] == [
        "Jahr", "Halbjahr", "Quartal", "Monat", "Tag"]  # fmt: skip


def test_unknown_counting_is_comparable_within_its_dataset_only() -> None:
    unknown = [figure(3, period, counting=None) for period in ("2019", "2020")]
    assert formulas.change_pct(*unknown).value == 0
    nameless = [figure(3, period, counting=None, dataset=None) for period in ("2019", "2020")]
    assert "nicht angegeben" in (incomparable(*nameless) or "")
    assert incomparable(Figure(1), Figure(2)) is None
    assert incomparable(Figure(1), figure(2)) is not None


def test_a_different_scope_is_a_footnote() -> None:
    made = formulas.difference(figure(3, scope="ohne UMA"), figure(1, scope="mit UMA"))
    assert made.value == 2
    assert made.notes == other_scope(figure(3, scope="a"), figure(3))
    assert len(made.notes) == 1


def test_a_change_needs_a_base() -> None:
    assert "0" in (formulas.change_pct(figure(0, "2014"), figure(5)).reason or "")
    assert "negativ" in (formulas.change_pct(euros(-377, "2016"), euros(411, "2017")).reason or "")
    gone = formulas.change_pct(absent("Fallzahl 2014", basis=figure(1, "2014").basis), figure(5))
    assert gone.reason == "Fallzahl 2014: keine Angabe."
    assert formulas.spending_target(euros(5), -1).value is None
    with pytest.raises(ValueError, match="growth"):
        formulas.spending_target(euros(5), 1, -1.0)


def test_periods_must_fit() -> None:
    hours = figure(1507.6, "2019-07", counting="kumuliert", unit="stunden")
    cases = figure(77, "2019-07-31", counting="stichtag")
    assert formulas.hours_per_case(hours, cases).value == pytest.approx(19.579220779)
    late = formulas.hours_per_case(hours, figure(77, "2019-08-01", counting="stichtag"))
    assert "verschiedenen Zeiträumen" in (late.reason or "")
    for formula in (formulas.help_quotient, formulas.follow_up_share, formulas.counselling_ratio, formulas.difference):
        assert "verschiedenen Zeiträumen" in (formula(figure(3, "2019"), figure(4)).reason or "")
    since = [formulas.change_pct(figure(10, base), figure(11)) for base in ("2014", "2019")]
    assert "(2014 und 2019)" in (formulas.difference(*since).reason or "")


def test_families_and_young_people_in_one_quotient_are_a_footnote() -> None:
    made = formulas.help_quotient(figure(3, unit="familien"), figure(4, unit="junge_menschen"))
    assert made.value == 0.75
    assert made.notes == ("Ambulante Hilfen und Hilfen außerhalb der Familie sind in verschiedenen Einheiten gezählt.",)


def test_more_than_there_can_be_is_no_share() -> None:
    assert "kann nicht stimmen" in (formulas.follow_up_share(figure(5), figure(4)).reason or "")
    assert "kann nicht stimmen" in (formulas.group_offer_share(figure(5), figure(4)).reason or "")
    assert "mehr als die Stadt" in (formulas.without_area(figure(4), figure(5)).reason or "")


def test_the_effect_takes_the_city_without_the_area_and_else_says_so() -> None:
    area = formulas.change_pct(figure(100, "2014"), figure(90))
    city_before, city_now = figure(500, "2014"), figure(540)
    city = formulas.change_pct(city_before, city_now)
    rest = formulas.change_pct(
        formulas.without_area(city_before, figure(100, "2014")), formulas.without_area(city_now, figure(90))
    )
    made = formulas.effect_pp(area, rest, city)
    assert made.value == pytest.approx(-10 - 12.5)
    assert made.notes == ()
    missing = absent("Fälle ohne das Gebiet")
    whole = formulas.effect_pp(area, missing, city)
    assert whole.value == pytest.approx(-10 - 8)
    assert whole.notes == (formulas.WITH_THE_AREA,)
    assert formulas.effect_pp(area, missing, absent("Stadt")).reason is not None
    assert formulas.effect_pp(absent("Gebiet", suppressed=True, basis=area.basis), rest, city).flag == "suppressed"


def test_the_effect_of_random_cities_is_that_of_a_loop_over_their_other_areas() -> None:
    dice = np.random.default_rng(5)
    for _ in range(50):
        before = dice.integers(1, 400, 6).tolist()
        now = dice.integers(0, 400, 6).tolist()
        city = figure(sum(before), "2014"), figure(sum(now))
        for i in range(6):
            area = figure(before[i], "2014"), figure(now[i])
            rest = [formulas.without_area(*pair) for pair in zip(city, area, strict=True)]
            made = formulas.effect_pp(*(formulas.change_pct(*pair) for pair in (area, rest, city)))
            others = [sum(values[j] for j in range(6) if j != i) for values in (before, now)]
            expected = 100 * (now[i] / before[i] - others[1] / others[0])
            assert made.value == pytest.approx(expected, abs=1e-9)


def test_what_parts_lack_is_not_known_where_a_part_is_missing() -> None:
    lacking = formulas.unassigned(euros(10), [euros(4), euros(None)])
    assert lacking.value is None
    assert formulas.unassigned(figure(10, composition=frozenset("ab")), [figure(4), figure(8)]).value == -2
    assert formulas.unassigned(euros(10), []).value == 10
    assert "verschiedenen Zeiträumen" in (formulas.unassigned(euros(10), [euros(3, "2019")]).reason or "")
