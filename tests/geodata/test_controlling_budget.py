"""The budget's tables by hand: what is added and not chained, what is missing and from where on."""

import pytest

from geodata.controlling_budget import (
    BudgetYear,
    EffectYear,
    budget_table,
    budget_use,
    effects_table,
    fee_increase_since,
    forecast_beside_actual,
    reduced_uma_spending,
)
from geodata.controlling_values import Figure, absent

NOTHING = absent("nichts")


def year(number: int, spending: float | None = 100, increase: float | None = 10, **more: float) -> BudgetYear:
    return BudgetYear(
        number,
        absent(f"Ausgaben {number}") if spending is None else Figure(spending),
        absent(f"Entgeltsteigerung {number}") if increase is None else Figure(increase),
        Figure(more["uma"]) if "uma" in more else absent(f"Minderausgaben UMA {number}"),
        Figure(more["budget"]) if "budget" in more else absent(f"Budget {number}"),
    )


def test_increases_are_added_and_not_chained() -> None:
    rows = budget_table(2017, [year(n) for n in (2019, 2017, 2018)])
    assert [row.year for row in rows] == [2017, 2018, 2019]
    assert [row.fee_increase_since_pct.value for row in rows] == [None, 10, 20]
    assert [row.expected.value for row in rows] == [None, pytest.approx(110), pytest.approx(120)]
    assert [row.effect.value for row in rows] == [None, pytest.approx(-10), pytest.approx(-20)]


def test_in_the_base_year_and_before_it_nothing_is_expected() -> None:
    before, base = budget_table(2017, [year(2016, uma=3), year(2017, uma=4)])
    for row, words in ((before, "vor dem Basisjahr"), (base, "Im Basisjahr")):
        for figure in (row.fee_increase_since_pct, row.expected, row.effect, row.effect_net_of_uma):
            assert figure.value is None
            assert words in (figure.reason or "")
        assert row.spending.value == 100


def test_a_year_without_increase_breaks_the_sum_from_there_on() -> None:
    rows = budget_table(2017, [year(2017), year(2018), year(2019, increase=None), year(2020)])
    assert [row.expected.value is None for row in rows] == [True, False, True, True]
    assert rows[3].effect.reason == "Entgeltsteigerung 2019: keine Angabe."
    assert fee_increase_since(2017, 2019, {2019: Figure(3)}).reason == "Entgeltsteigerung 2018: keine Angabe."


def test_a_missing_base_year_is_named() -> None:
    rows = budget_table(2017, [year(2018), year(2019)])
    assert rows[0].expected.reason == "Ausgaben im Basisjahr 2017: keine Angabe."
    assert rows[1].fee_increase_since_pct.value == 20
    rows = budget_table(2017, [year(2017, spending=None), year(2018)])
    assert rows[1].effect.reason == "Ausgaben 2017: keine Angabe."


def test_net_of_uma_and_budget_use() -> None:
    row = budget_table(2017, [year(2017), year(2018, 90, uma=25, budget=75)])[1]
    assert row.effect_net_of_uma.value == pytest.approx(90 - 110 + 25)
    assert row.budget_use.value == pytest.approx(1.2)
    without = budget_table(2017, [year(2017), year(2018)])[1]
    assert without.effect.value is not None
    assert without.effect_net_of_uma.reason == "Minderausgaben UMA 2018: keine Angabe."
    assert "Budget ist 0" in (budget_use(Figure(1), Figure(0)).reason or "")
    assert reduced_uma_spending(Figure(10), Figure(4)).value == 6


def test_an_estimate_stays_an_estimate() -> None:
    estimated = BudgetYear(2018, Figure(90, "estimated"), Figure(10), NOTHING, NOTHING)
    row = budget_table(2017, [year(2017), estimated])[1]
    assert (row.expected.flag, row.effect.flag) == ("ok", "estimated")


def effect(number: int, growth: float | None, staff: float = 1, care: float = 2, base: float = 3) -> EffectYear:
    given = absent(f"Wirkung {number}") if growth is None else Figure(growth)
    return EffectYear(number, NOTHING, NOTHING, Figure(staff), Figure(care), Figure(base), given)


def test_effects_are_cumulated_from_the_first_year() -> None:
    rows = effects_table([effect(2018, 30), effect(2016, 10), effect(2017, 20, staff=-5)])
    assert [row.net_effect.value for row in rows] == [10, 26, 30]
    assert [row.cumulated_net_effect.value for row in rows] == [10, 36, 66]
    assert [row.cumulated_reduced_growth.value for row in rows] == [10, 30, 60]


def test_growth_is_forecast_less_actual_where_none_is_stated() -> None:
    made = effects_table([EffectYear(2016, Figure(50), Figure(47), Figure(0), Figure(0), Figure(0))])
    assert made[0].net_effect.value == 3


def test_sums_end_where_a_year_is_missing_or_left_out() -> None:
    rows = effects_table([effect(2016, 10), effect(2017, None), effect(2018, 5)])
    assert [row.cumulated_net_effect.value for row in rows] == [10, None, None]
    assert rows[2].net_effect.value == 5
    rows = effects_table([effect(2016, 10), effect(2018, 5)])
    assert [row.cumulated_net_effect.value for row in rows] == [10, None]
    assert rows[1].cumulated_net_effect.reason == "Wirkung 2017: keine Angabe."


def test_forecast_stands_beside_actual() -> None:
    forecast, actual = effects_table([effect(2016, 1), effect(2017, 2)]), effects_table([effect(2017, 9)])
    pairs = forecast_beside_actual(forecast, actual)
    assert [(pair.year, pair.difference.value) for pair in pairs] == [(2016, None), (2017, 7)]
    assert pairs[0].actual is None
    assert pairs[0].forecast == forecast[0]
    assert pairs[0].difference.reason == "Ist 2016: keine Angabe."


def test_a_year_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        budget_table(2017, [year(2018), year(2018)])
    with pytest.raises(ValueError, match="twice"):
        effects_table([effect(2018, 1), effect(2018, 1)])
