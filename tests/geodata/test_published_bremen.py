"""The published tables of Bremen come out of the formulas: to the digit, or within the rounding of what is printed.

Where a table does not, each number that is off is named here with what the printed inputs give.
"""

from collections.abc import Callable

import pytest
from published_figures import as_printed, cases, figure, half_unit, printed, table, text_of

from geodata import controlling_figures as formulas
from geodata.controlling_budget import EffectYear, effects_table, forecast_beside_actual
from geodata.controlling_values import Figure, absent

GROUPS = ("ambulant", "ausserhalb_familie", "alle_hilfen")
AREAS = ("HB", "SZ1", "SZ2", "SZ3")
YEARS = tuple(str(year) for year in range(2014, 2021))
HELPS, SPENDING, COUNSELLING, EFFECTS = "bremen-hilfen", "bremen-ausgaben", "bremen-beratungen", "bremen-effekte"
# (area, position, base year) -> (computed from the printed inputs, printed)
Off = dict[tuple[str, str, str], tuple[str, str]]


def residents(area: str) -> Figure:
    return figure("bremen-jew", area, "population", "0-21", "2020-01-01")


def quotient(area: str, year: str) -> Figure:
    return formulas.help_quotient(cases(area, "ambulant", year), cases(area, "ausserhalb_familie", year))


# --- Bremen, levels


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("group", GROUPS)
def test_help_density_and_spending_per_resident_of_2020_to_the_digit(area: str, group: str) -> None:
    density = formulas.help_density(cases(area, group, "2020"), residents(area))
    text = text_of(HELPS, area, "hilfedichte", group, "2020")
    assert as_printed(density.value, text) == text
    spent = formulas.spending_per_resident(figure(SPENDING, area, "spending_eur", group, "2020"), residents(area))
    text = text_of(SPENDING, area, "kosten_je_jew_eur", group, "2020")
    assert as_printed(spent.value, text) == text


def test_help_quotients_of_all_years_to_the_digit() -> None:
    found = list(printed(HELPS, "hilfequotient"))
    assert len(found) == 28
    assert [as_printed(quotient(area, year).value, text) for area, _p, year, text in found] == [t for *_, t in found]


def test_the_residents_of_the_six_sozialzentren_are_those_of_the_city() -> None:
    six = [residents(f"SZ{number}") for number in range(1, 7)]
    assert formulas.unassigned(residents("HB"), six).value == 0


def test_groups_add_up_but_for_a_thousand_euros() -> None:
    """Of the four areas retyped, 10 of 28 sums of spending are off by one thousand; cases add up everywhere."""
    lacking = {}
    for area in AREAS:
        for year in YEARS:
            parts = [cases(area, group, year) for group in GROUPS[:2]]
            assert formulas.unassigned(cases(area, "alle_hilfen", year), parts).value == 0
            spent = [figure(SPENDING, area, "spending_eur", group, year) for group in GROUPS]
            rest = formulas.unassigned(spent[2], spent[:2]).value
            if rest:
                lacking[area, year] = rest
    assert lacking == {
        ("HB", "2018"): -1000, ("HB", "2020"): -1000, ("SZ1", "2015"): 1000, ("SZ1", "2016"): 1000,
        ("SZ1", "2018"): -1000, ("SZ2", "2018"): 1000, ("SZ2", "2019"): 1000, ("SZ3", "2016"): 1000,
        ("SZ3", "2019"): 1000, ("SZ3", "2020"): 1000,
    }  # fmt: skip


# --- Bremen, changes and Zielschwellen


def off(name: str, indicator: str, base: str, compute: Callable[[str, str, str], Figure]) -> tuple[int, Off]:
    """Return how many changes are printed, and those that the printed inputs do not give to the digit."""
    found = list(printed(name, f"{indicator}_veraenderung_{base}_pct"))
    made = {(area, position, base): (as_printed(compute(area, position, base).value, text), text)
            for area, position, _year, text in found}  # fmt: skip
    return len(found), {key: pair for key, pair in made.items() if pair[0] != pair[1]}


def change(name: str, indicator: str) -> Callable[[str, str, str], Figure]:
    return lambda area, position, base: formulas.change_pct(
        figure(name, area, indicator, position, base), figure(name, area, indicator, position, "2020")
    )


def test_changes_of_cases_to_the_digit() -> None:
    assert off(HELPS, "faelle", "2014", change(HELPS, "cases")) == (16, {})
    assert off(HELPS, "faelle", "2019", change(HELPS, "cases")) == (16, {})


def test_changes_of_help_quotients_to_the_digit_from_cases() -> None:
    from_cases = off(
        HELPS, "hilfequotient", "2014",
        lambda area, _position, base: formulas.change_pct(quotient(area, base), quotient(area, "2020")),
    )  # fmt: skip
    assert from_cases == (4, {})
    _number, from_rounded = off(HELPS, "hilfequotient", "2014", change(HELPS, "hilfequotient"))
    assert from_rounded == {
        ("HB", "alle_hilfen", "2014"): ("16.8", "16.9"),
        ("SZ1", "alle_hilfen", "2014"): ("8.3", "9.4"),
        ("SZ2", "alle_hilfen", "2014"): ("11.1", "17.6"),
        ("SZ3", "alle_hilfen", "2014"): ("0.0", "-5.4"),
    }


def test_changes_of_follow_up_shares_to_the_digit() -> None:
    assert off(COUNSELLING, "anteil_folgehilfen", "2014", change(COUNSELLING, "anteil_folgehilfen_pct")) == (4, {})


ROUNDED: dict[str, tuple[str, str, str, int, Off]] = {
    "ausgaben": (SPENDING, "spending_eur", "2014", 25, {
        ("HB", "27.2-patenschaften", "2014"): ("27.7", "27.2"),
        ("HB", "27.2-unterstuetzte-elternschaft", "2014"): ("55.9", "56.2"),
        ("HB", "33", "2014"): ("10.7", "10.8"),
        ("SZ2", "ambulant", "2014"): ("7.9", "8.0"),
    }),
    "hilfedichte": (HELPS, "hilfedichte", "2014", 12, {
        ("HB", "ambulant", "2014"): ("-0.4", "-0.2"),
        ("HB", "ausserhalb_familie", "2014"): ("-14.3", "-14.6"),
        ("HB", "alle_hilfen", "2014"): ("-6.7", "-6.8"),
        ("SZ1", "ausserhalb_familie", "2014"): ("-28.3", "-28.4"),
        ("SZ1", "alle_hilfen", "2014"): ("-24.9", "-24.8"),
        ("SZ2", "ambulant", "2014"): ("-0.8", "-0.6"),
        ("SZ2", "ausserhalb_familie", "2014"): ("-15.7", "-15.5"),
        ("SZ3", "ambulant", "2014"): ("-22.8", "-22.9"),
    }),
    "hilfedichte gegen 2019": (HELPS, "hilfedichte", "2019", 3, {
        ("HB", "ambulant", "2019"): ("3.2", "3.5"),
        ("HB", "ausserhalb_familie", "2019"): ("-0.6", "-0.9"),
    }),
    "kosten_je_jew": (SPENDING, "kosten_je_jew_eur", "2014", 13, {
        ("HB", "ambulant", "2014"): ("15.1", "15.2"),
        ("HB", "projekte_zuwendungen", "2014"): ("195.4", "194.9"),
        ("SZ2", "alle_hilfen", "2014"): ("7.7", "7.8"),
        ("SZ3", "ambulant", "2014"): ("-19.7", "-19.5"),
        ("SZ3", "ausserhalb_familie", "2014"): ("23.4", "23.5"),
    }),
    "quotient_beratungen": (COUNSELLING, "quotient_beratungen", "2014", 1, {
        ("HB", "beratungen", "2014"): ("-19.2", "-18.3"),
    }),
}  # fmt: skip


@pytest.mark.parametrize("what", ROUNDED)
def test_changes_made_from_rounded_numbers_are_off_where_named_and_never_by_more_than_the_rounding(what: str) -> None:
    name, indicator, base, number, expected = ROUNDED[what]
    code = what.split(" ", maxsplit=1)[0]
    assert off(name, code, base, change(name, indicator)) == (number, expected)
    # Spending is in euros here, printed in thousands.
    unit = 1000 if indicator == "spending_eur" else 1
    for area, position, _year, text in printed(name, f"{code}_veraenderung_{base}_pct"):
        before, now = (figure(name, area, indicator, position, year) for year in (base, "2020"))
        slack = [half_unit(text_of(name, area, indicator, position, year)) * unit for year in (base, "2020")]
        assert before.value is not None
        assert now.value is not None
        low = 100 * ((now.value - slack[1]) / (before.value + slack[0]) - 1)
        high = 100 * ((now.value + slack[1]) / (before.value - slack[0]) - 1)
        assert low - half_unit(text) <= float(text) <= high + half_unit(text), (area, position)


def test_spending_targets_are_within_the_rounding_of_the_base_year() -> None:
    wrong = {}
    found = list(printed(SPENDING, "zielschwelle_eur"))
    for area, position, _year, text in found:
        made = formulas.spending_target(figure(SPENDING, area, "spending_eur", position, "2014"), 6)
        assert made.value is not None
        # Half a thousand, six years on, and half a thousand of the printed target itself.
        assert abs(made.value - float(text)) <= 500 * 1.04**6 + 500
        if as_printed(made.value / 1000, "0") != str(int(text) // 1000):
            wrong[area, position] = as_printed(made.value / 1000, "0"), str(int(text) // 1000)
    assert len(found) == 25
    assert wrong == {
        ("HB", "27.2-patenschaften"): ("119", "120"),
        ("HB", "27.2-unterstuetzte-elternschaft"): ("437", "436"),
        ("HB", "34-35-stationaer"): ("81318", "81319"),
        ("HB", "34-betreutes-jugendwohnen"): ("8679", "8678"),
    }


def test_the_forecast_of_spending_is_the_target_of_every_year() -> None:
    base = figure(SPENDING, "HB", "spending_eur", "alle_hilfen", "2014")
    for year in range(2016, 2021):
        forecast = figure(EFFECTS, "HB", "spending_eur", "alle_hilfen", str(year), "prognose")
        made = formulas.spending_target(base, year - 2014)
        assert made.value == pytest.approx(forecast.value or 0, abs=500 * 1.04 ** (year - 2014) + 500)


# --- Bremen, effects


def effect_years(scenario: str) -> list[EffectYear]:
    def of(indicator: str, year: int) -> Figure:
        return figure(EFFECTS, "HB", indicator, "", str(year), scenario)

    return [
        EffectYear(
            year,
            figure(EFFECTS, "HB", "spending_eur", "alle_hilfen", str(year), "prognose"),
            figure(SPENDING, "HB", "spending_eur", "alle_hilfen", str(year)),
            of("staff_cost_eur", year), of("prevention_cost_eur", year), of("base_effect_eur", year),
            of("reduzierter_ausgabenzuwachs_eur", year) if scenario == "prognose" else None,
        )
        for year in range(2016, 2021)
    ]  # fmt: skip


@pytest.mark.parametrize("scenario", ["prognose", "ist"])
def test_the_table_of_effects_to_the_digit(scenario: str) -> None:
    for row in effects_table(effect_years(scenario)):
        year = str(row.year)
        growth = figure(EFFECTS, "HB", "reduzierter_ausgabenzuwachs_eur", "", year, scenario)
        assert row.reduced_growth.value == growth.value
        assert row.net_effect.value == figure(EFFECTS, "HB", "nettoeffekt_eur", "", year, scenario).value


def test_cumulated_effects() -> None:
    last = effects_table(effect_years("ist"))[-1]
    # The report's text calls the first "Nettoeffekt"; its table has the second.
    assert last.cumulated_reduced_growth.value == 17_547_000
    assert last.cumulated_net_effect.value == 16_993_000


def test_forecast_beside_actual_of_2020() -> None:
    pairs = forecast_beside_actual(*(effects_table(effect_years(scenario)) for scenario in ("prognose", "ist")))
    assert [pair.year for pair in pairs] == list(range(2016, 2021))
    assert pairs[-1].difference.value == -3_000_000 - 4_495_000


def test_the_effect_of_a_sozialzentrum_is_taken_against_the_rest_of_the_city() -> None:
    """Not printed: SZ1's cases fell by 12.4 %, those of the other five Sozialzentren together rose by 7.2 %."""
    area, city = ([cases(key, "alle_hilfen", year) for year in ("2014", "2020")] for key in ("SZ1", "HB"))
    rest = [formulas.without_area(*pair) for pair in zip(city, area, strict=True)]
    assert [one.value for one in rest] == [3142, 3368]
    made = formulas.effect_pp(*(formulas.change_pct(*pair) for pair in (area, rest, city)))
    assert made.value == pytest.approx(100 * (865 / 987 - 3368 / 3142))
    assert made.notes == ()


def test_what_is_not_printed_cannot_be_computed() -> None:
    assert ("HB", "population", "0-21", "2014", "ist") not in table("bremen-jew")
    made = formulas.help_density(cases("HB", "alle_hilfen", "2014"), absent("Jugendeinwohner 2014"))
    assert made.reason == "Jugendeinwohner 2014: keine Angabe."
