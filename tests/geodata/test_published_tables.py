"""The published tables of Hamburg-Mitte, Bremerhaven and Norderstedt, and of Walle, come out of the formulas."""

import pytest
from published_figures import as_printed, cases, figure, printed, table, text_of

from geodata import controlling_figures as formulas
from geodata.controlling_budget import BudgetYear, budget_table, effect_net_of_uma
from geodata.controlling_values import Figure, absent
from geodata.proportions import Proportion, newcombe, wilson
from importers.examples import FOLDER

BUDGET = "hamburg-mitte-budget"


# --- Hamburg-Mitte, § 34

PRINTED_SHARES = {
    "2019-Q3": {"Hamburg": "49.59", "Schleswig-Holstein": "29.34", "Niedersachsen": "17.99",
                "Nordrhein-Westfalen": "1.13", "Berlin": "0.81", "Hessen": "0.32", "Mecklenburg-Vorpommern": "0.32",
                "Sachsen-Anhalt": "0.32", "Bremen": "0.16"},
    "2021-Q3": {"Hamburg": "46.85", "Schleswig-Holstein": "30.37", "Niedersachsen": "18.70",
                "Nordrhein-Westfalen": "1.48", "Berlin": "0.93", "Rheinland-Pfalz": "0.56", "Sachsen": "0.37",
                "Hessen": "0.19", "Mecklenburg-Vorpommern": "0.19", "Saarland": "0.19", "Sachsen-Anhalt": "0.19"},
}  # fmt: skip


def placed() -> dict[str, dict[str, int]]:
    lines = (FOLDER / "hamburg-mitte-34.csv").read_text(encoding="utf-8").splitlines()
    columns = lines[0].split(";")
    made: dict[str, dict[str, int]] = {}
    for line in lines[1:]:
        row = dict(zip(columns, line.split(";"), strict=True))
        made.setdefault(row["period"], {})[row["provider_state"]] = int(row["cases"])
    return made


def test_shares_of_placements_by_state_to_the_digit() -> None:
    for quarter, states in placed().items():
        total = sum(states.values())
        assert total == {"2019-Q3": 617, "2021-Q3": 540}[quarter]
        found = {s: as_printed(100 * (Proportion(n, total).share() or 0), "0.00") for s, n in states.items()}
        assert found == PRINTED_SHARES[quarter]


def test_placements_outside_with_their_intervals() -> None:
    outside = {q: Proportion(sum(n for s, n in states.items() if s != "Hamburg"), sum(states.values()))
               for q, states in placed().items()}  # fmt: skip
    assert (outside["2019-Q3"].hits, outside["2021-Q3"].hits) == (311, 287)
    limits = {q: wilson(one) for q, one in outside.items()}
    change = newcombe(outside["2019-Q3"], outside["2021-Q3"])
    assert limits["2019-Q3"] is not None
    assert limits["2021-Q3"] is not None
    assert change is not None
    numbers = (*(v for q in outside for v in (outside[q].share(), limits[q].low, limits[q].high)),
               change.low, change.high)  # fmt: skip
    assert [as_printed(100 * (v or 0), "0.00") for v in numbers] == [
        "50.41", "46.47", "54.34", "53.15", "48.93", "57.32", "-3.02", "8.48"]  # fmt: skip
    assert as_printed(100 * ((outside["2021-Q3"].share() or 0) - (outside["2019-Q3"].share() or 0)), "0.00") == "2.74"


# --- Hamburg-Mitte, budget


def budget_years() -> list[BudgetYear]:
    def known(indicator: str, position: str, year: int) -> Figure:
        found = table(BUDGET).get(("1", indicator, position, str(year), "ist"))
        return found[0] if found else absent(f"{indicator} {year}")

    return [
        BudgetYear(year, known("spending_eur", "alle_hilfen", year), known("fee_increase_pct", "", year),
                   known("minderausgaben_uma_eur", "", year), absent(f"Budget {year}"))
        for year in range(2017, 2021)
    ]  # fmt: skip


def test_expected_spending_and_steering_effect_to_the_euro() -> None:
    base, *rows = budget_table(2017, budget_years())
    assert base.effect.reason == "Im Basisjahr gibt es nichts zu vergleichen."
    for row in rows:
        for indicator, made in (
            ("entgeltsteigerung_seit_2017_pct", row.fee_increase_since_pct),
            ("erwarteter_mittelabfluss_eur", row.expected),
            ("steuerungseffekt_eur", row.effect),
        ):
            text = text_of(BUDGET, "1", indicator, "", str(row.year))
            assert as_printed(made.value, text) == text
    assert [row.effect.flag for row in rows] == ["ok", "ok", "estimated"]
    # Only shares of the budget are printed: the budget itself cannot be told from them.
    assert all(row.budget_use.value is None for row in rows)


def test_steering_effect_net_of_uma() -> None:
    """Not printed in the source."""
    rows = budget_table(2017, budget_years())[1:]
    # Of the printed effects to the euro; of those not rounded 2020 is half a euro off the printed one, not more.
    of_printed = [
        effect_net_of_uma(figure(BUDGET, "1", "steuerungseffekt_eur", "", str(row.year)), row.reduced_uma).value
        for row in rows
    ]
    assert of_printed == [-1_224_152, 1_602_027, 1_658_686]
    for row, expected in zip(rows, of_printed, strict=True):
        assert row.effect_net_of_uma.value == pytest.approx(expected, abs=0.5)


# --- Bremen, Walle (ESPQ)


def test_walle_against_bremen() -> None:
    name, indicator = "bremen-espq-ausgaben", "ausgaben_veraenderung_2011_pct"
    walle, city = (figure(name, area, indicator, "", "2012") for area in ("walle", "HB"))
    made = formulas.effect_pp(walle, absent("Ausgaben ohne Walle"), city)
    assert as_printed(made.value, "0.00") == "-9.55"
    # Levels are not printed, so Bremen cannot be taken without Walle.
    assert made.notes == (formulas.WITH_THE_AREA,)


def test_counselling_cases_of_bremen_are_not_printed() -> None:
    name, indicator = "bremen-espq-massnahmen", "massnahmen_veraenderung_2011_bis_2012_pct"
    walle, city = (figure(name, area, indicator, "beratungsfaelle", "2012") for area in ("walle", "HB"))
    made = formulas.effect_pp(walle, absent("Beratungsfälle ohne Walle"), city)
    assert made.value is None
    family = [figure(name, area, indicator, "31", "2012") for area in ("walle", "HB")]
    assert formulas.effect_pp(family[0], absent("ohne Walle"), family[1]).value == pytest.approx(-57.0)


# --- Bremerhaven and Norderstedt


def test_hours_per_case_of_bremerhaven_to_the_digit() -> None:
    found = list(printed("bremerhaven-stunden", "stunden_je_massnahme"))
    assert len(found) == 6
    days = {"2019-07": "2019-07-31", "2019-12": "2019-12-31"}
    for area, position, month, text in found:
        made = formulas.hours_per_case(
            figure("bremerhaven-stunden", area, "hours", position, month),
            figure("bremerhaven-hilfen", area, "cases", position, days[month]),
        )
        assert as_printed(made.value, text) == text


def test_hours_of_another_month_are_not_taken() -> None:
    made = formulas.hours_per_case(
        figure("bremerhaven-stunden", "nord", "hours", "31", "2019-12"),
        figure("bremerhaven-hilfen", "nord", "cases", "31", "2019-07-31"),
    )
    assert made.value is None


def test_ambulant_helps_of_bremerhaven_fell_everywhere_but_spfh_did_not() -> None:
    def changed(area: str, position: str) -> float:
        days = ("2019-07-31", "2019-12-31")
        made = formulas.change_pct(*(figure("bremerhaven-hilfen", area, "cases", position, day) for day in days))
        assert made.value is not None
        return made.value

    assert {area: as_printed(changed(area, "ambulant"), "0.0") for area in ("nord", "mitte", "sued")} == {
        "nord": "-7.0", "mitte": "-9.1", "sued": "-15.8"}  # fmt: skip
    assert all(changed(area, "31") > 0 for area in ("nord", "mitte", "sued"))


def test_norderstedts_half_years_are_compared_with_half_years_only() -> None:
    def helps(period: str) -> Figure:
        return figure("norderstedt-hilfen", "NOR", "cases", "34", period)

    assert as_printed(formulas.change_pct(helps("2013"), helps("2014")).value, "0.0") == "18.5"
    assert as_printed(formulas.change_pct(helps("2014-H1"), helps("2015-H1")).value, "0.0") == "5.4"
    refused = formulas.change_pct(helps("2014"), helps("2015-H1"))
    assert refused.value is None
    assert "Jahr und Halbjahr" in (refused.reason or "")


def test_offices_and_countings_are_not_compared() -> None:
    bremen, norderstedt = cases("HB", "33", "2014"), figure("norderstedt-hilfen", "NOR", "cases", "33", "2014")
    made = formulas.difference(bremen, norderstedt)
    assert made.value is None
    assert "als Mittel aus zwölf Stichtagen und kumuliert" in (made.reason or "")
