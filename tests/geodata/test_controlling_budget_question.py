"""The question of the budget: what is expected of which base, UMA from spending or as printed, and who sees it."""

from typing import TYPE_CHECKING, Any

import pytest
from controlling_town import ADMIN, HELPS, PLANNER, Town, town

from geodata.controlling_budget_question import BudgetRequest, BudgetRow, budget
from geodata.database import Access, reading
from geodata.errors import ParameterError
from geodata.indicators import HIDDEN_COUNTS
from geodata.viewer import PUBLIC, Viewer

if TYPE_CHECKING:
    from conftest import Database

    from geodata.answer import Answer


def asked(database: "Database", viewer: Viewer = ADMIN, key: str = "1", **more: Any) -> "Answer[BudgetRow]":
    with reading(database.serving, Access(viewer)) as session:
        return budget(session, BudgetRequest(("bezirk", key), **more))


def years(database: "Database", **more: Any) -> dict[str, BudgetRow]:
    return {row.period: row for row in asked(database, **more).rows}


def spent(made: Town, **uma: float) -> None:
    """Spending of three years, fees that rise by 2 and 3 %, and the Budget."""
    made.dataset(HELPS, "kumuliert", "eur")
    for year, amount in (("2018", 1000.0), ("2019", 1010.0), ("2020", 1080.0)):
        made.figure(HELPS, "1", "spending_eur", "alle_hilfen", year, amount)
        made.figure(HELPS, "1", "budget_eur", "", year, 1000.0)
    for year, rise in (("2019", 2.0), ("2020", 3.0)):
        made.figure(HELPS, "1", "fee_increase_pct", "", year, rise)
    for name, value in uma.items():
        made.figure(HELPS, "1", "uma_spending_eur", "", name.removeprefix("in"), value)


def test_the_base_is_the_first_year_with_spending_unless_another_is_named(database: "Database") -> None:
    with town(database.writing) as made:
        spent(made, in2018=200.0, in2019=150.0, in2020=90.0)
    found = years(database)
    assert {year: row.expected_eur for year, row in found.items()} == {"2018": None, "2019": 1020, "2020": 1050}
    assert {row.base for row in found.values()} == {"2018"}
    last = found["2020"]
    assert (last.fee_increase_since_pct, last.steering_effect_eur, last.reduced_uma_eur) == (5, 30, 110)
    assert (last.steering_effect_net_eur, last.budget_use, last.flag) == (140, 1.08, "ok")
    of_2019 = years(database, base="2019")
    assert of_2019["2020"].expected_eur == pytest.approx(1010 * 1.03)
    assert of_2019["2020"].reduced_uma_eur == 60
    assert "Das Jahr liegt vor dem Basisjahr." in (of_2019["2018"].note or "")
    assert "Basisjahr: 2019." in asked(database, base="2019").meta.warnings


def test_a_base_without_spending_is_missing_with_its_reason(database: "Database") -> None:
    with town(database.writing) as made:
        spent(made)
        made.figure(HELPS, "1", "fee_increase_pct", "", "2018", 1.0)
    row = years(database, base="2017")["2018"]
    assert (row.expected_eur, row.steering_effect_eur) == (None, None)
    assert "Ausgaben im Basisjahr 2017: keine Angabe." in (row.note or "")


def test_a_year_without_fees_makes_what_follows_missing(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS, "kumuliert", "eur")
        for year in ("2018", "2019", "2020"):
            made.figure(HELPS, "1", "spending_eur", "alle_hilfen", year, 1000.0)
        made.figure(HELPS, "1", "fee_increase_pct", "", "2020", 3.0)
    row = years(database)["2020"]
    assert row.expected_eur is None
    assert "Steigerung der Entgelte 2019" in (row.note or "") or "Entgeltsteigerung 2019" in (row.note or "")


def test_printed_minderausgaben_hold_for_their_own_base_and_are_carried_to_later_ones(database: "Database") -> None:
    with town(database.writing) as made:
        spent(made)
        for year, less in (("2019", 50.0), ("2020", 110.0)):
            made.figure(HELPS, "1", "minderausgaben_uma_eur", "", year, less)
        made.figure(HELPS, "1", "spending_eur", "alle_hilfen", "2016", 900.0)
    own, later = years(database, base="2018"), years(database, base="2019")
    assert (own["2019"].reduced_uma_eur, own["2020"].reduced_uma_eur) == (50, 110)
    assert later["2020"].reduced_uma_eur == 60
    other = years(database, base="2016")["2020"]
    assert (other.reduced_uma_eur, other.steering_effect_net_eur) == (None, None)
    assert "beziehen sich nicht auf das Basisjahr 2016" in (other.note or "")


def test_forecast_beside_actual_and_cumulated_whatever_range_is_asked_for(database: "Database") -> None:
    with town(database.writing) as made:
        spent(made)
        for year, foreseen in (("2019", 1100.0), ("2020", 1200.0)):
            made.figure(HELPS, "1", "spending_eur", "alle_hilfen", year, foreseen, scenario="prognose")
            for scenario, staff in (("prognose", 20.0), ("ist", 10.0)):
                made.figure(HELPS, "1", "staff_cost_eur", "", year, staff, scenario=scenario)
                made.figure(HELPS, "1", "prevention_cost_eur", "", year, 5.0, scenario=scenario)
                made.figure(HELPS, "1", "base_effect_eur", "", year, 7.0, scenario=scenario)
            made.figure(HELPS, "1", "reduzierter_ausgabenzuwachs_eur", "", year, 30.0, scenario="prognose")
    (row,) = asked(database, period_from="2020").rows
    assert (row.forecast_spending_eur, row.reduced_growth_eur) == (1200, 120)
    assert (row.net_effect_eur, row.forecast_net_effect_eur) == (120 - 10 - 5 + 7, 30 - 20 - 5 + 7)
    assert row.net_effect_difference_eur == 100
    assert row.cumulated_reduced_growth_eur == 90 + 120
    assert row.cumulated_net_effect_eur == (90 - 8) + (120 - 8)
    assert row.forecast_cumulated_net_effect_eur == 24


def test_half_years_are_no_years(database: "Database") -> None:
    with town(database.writing) as made:
        spent(made)
        made.figure(HELPS, "1", "spending_eur", "alle_hilfen", "2021-H1", 500.0)
    assert list(years(database)) == ["2018", "2019", "2020"]


def test_suppressed_spending_suppresses_what_rests_on_it(database: "Database") -> None:
    with town(database.writing) as made:
        spent(made)
        made.figure(HELPS, "1", "spending_eur", "alle_hilfen", "2021", None, "suppressed")
        made.figure(HELPS, "1", "fee_increase_pct", "", "2021", 1.0)
        made.figure(HELPS, "1", "ausschoepfungsgrad_pct", "", "2021", 104.0)
        made.figure(HELPS, "1", "budget_eur", "", "2021", 1000.0)
    row = years(database)["2021"]
    assert (row.flag, row.spending_eur, row.steering_effect_eur, row.budget_use) == ("suppressed", None, None, None)
    assert row.expected_eur == pytest.approx(1060)
    # What rests on it is suppressed; a forecast that nobody made is not.
    assert set(row.suppressed_fields) == {
        "spending_eur", "steering_effect_eur", "steering_effect_net_eur", "budget_use",
    }  # fmt: skip
    assert row.forecast_spending_eur is None


def test_who_sees_spending(database: "Database") -> None:
    with town(database.writing) as made:
        spent(made)
    own = [row.spending_eur for row in asked(database, PLANNER).rows]
    assert own == [1000, 1010, 1080]
    made_public = asked(database, PUBLIC)
    assert {row.spending_eur for row in made_public.rows} == {None}
    assert {row.steering_effect_eur for row in made_public.rows} == {None}
    assert {row.budget_use for row in made_public.rows} == {None}
    assert made_public.meta.warnings[0] == HIDDEN_COUNTS
    assert asked(database, PLANNER, key="2").rows == []


@pytest.mark.parametrize(
    ("parameter", "more"),
    [("area", {"key": "9"}), ("base", {"base": "2020-H1"}), ("base", {"base": "früher"}),
     ("to", {"period_from": "2020", "period_to": "2019"}), ("from", {"period_from": "2021-Q5"})],
)  # fmt: skip
def test_wrong_requests_are_named(database: "Database", parameter: str, more: dict[str, Any]) -> None:
    with town(database.writing) as made:
        spent(made)
    with pytest.raises(ParameterError) as refused:
        asked(database, **more)
    assert refused.value.parameter == parameter
    assert str(refused.value).endswith(".")
