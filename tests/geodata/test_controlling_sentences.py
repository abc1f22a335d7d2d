"""What answers of controlling say in sentences."""

from typing import Any

import pytest

from geodata.controlling_budget_question import BudgetRow
from geodata.controlling_sentences import budget_sentences, extremes_sentence, target_sentence


def whole(value: float) -> str:
    return f"{value:.0f}"


def budget(period: str, **given: Any) -> BudgetRow:
    values: dict[str, Any] = dict.fromkeys(BudgetRow.__slots__)
    return BudgetRow(**(values | {"period": period, "base": "2017", "flag": "ok"} | given))


def test_highest_and_lowest_beside_the_city() -> None:
    values = {"A": 10.0, "B": 30.4, "C": 29.6}
    assert extremes_sentence("Hilfedichte", "2020", values, whole, ("Stadt", 20.0)) == (
        "Hilfedichte 2020: am höchsten in B und C (30), am niedrigsten in A (10). Stadt: 20."
    )
    assert extremes_sentence("Hilfedichte", "2020", {"A": 1.0}, whole, None) == "Hilfedichte 2020: A 1."
    assert extremes_sentence("Hilfedichte", "2020", {"A": 1.0, "B": 1.1}, whole, None) == "Hilfedichte 2020: überall 1."
    assert extremes_sentence("Hilfedichte", "2020", {}, whole, None) is None
    assert extremes_sentence("Hilfedichte", "2020", {}, whole, ("Stadt", 2.0)) == "Hilfedichte 2020: Stadt 2."


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ({"A": (2e6, 1e6)}, "2020 liegen die Ausgaben von A um 1,00 Mio. € über der Zielschwelle (Ausgaben 2014"),
        ({"A": (1e6, 1.5e6)}, "2020 liegen die Ausgaben von A um 0,50 Mio. € unter der Zielschwelle"),
        ({"A": (1.0, 1.0), "B": (2.0, 1.0)}, "2020 liegt eines von 2 Gebieten über der Zielschwelle"),
        ({"A": (3.0, 1.0), "B": (2.0, 1.0)}, "2020 liegen 2 von 2 Gebieten über der Zielschwelle"),
        ({"A": (1.0, 1.0), "B": (0.0, 1.0)}, "2020 liegt keines der 2 Gebiete mit Angaben über der Zielschwelle"),
    ],
)
def test_who_is_over_the_target(amounts: dict[str, tuple[float, float]], said: str) -> None:
    assert (target_sentence("2020", "2014", 0.04, amounts) or "").startswith(said)


def test_there_is_no_target_in_the_base_year() -> None:
    assert target_sentence("2014", "2014", 0.04, {"A": (1.0, 1.0)}) is None
    assert target_sentence("2014", None, 0.04, {"A": (1.0, 1.0)}) is None
    assert target_sentence("2020", "2014", 0.04, {}) is None


def test_the_budget_in_two_sentences() -> None:
    rows = [
        budget("2017", steering_effect_eur=0.0),
        budget("2020", steering_effect_eur=-3.81e6, steering_effect_net_eur=1.66e6, cumulated_net_effect_eur=2e6,
               forecast_cumulated_net_effect_eur=-1e6),
        budget("2021"),
    ]  # fmt: skip
    assert budget_sentences(rows) == [
        (
            "2020 wurden 3,81 Mio. € weniger ausgegeben als erwartet; nach Abzug der UMA-Minderausgaben sind es "
            "1,66 Mio. € mehr."
        ),
        "Nettoeffekt bis 2020: 2,00 Mio. €; vorhergesagt waren −1,00 Mio. €.",
    ]
    assert budget_sentences(rows[:1]) == []
    (ahead,) = budget_sentences([budget("2022", forecast_cumulated_net_effect_eur=5e5)])
    assert ahead == "Vorhergesagter Nettoeffekt bis 2022: 0,50 Mio. €; ein tatsächlicher ist nicht angegeben."
