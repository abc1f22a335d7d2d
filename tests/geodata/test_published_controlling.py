"""The published tables come out of the questions of controlling and budget, asked of the database of the examples.

What the printed inputs do not give to the digit is named here, with what they give.
"""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from conftest import Database
from published_figures import as_printed, half_unit, printed, text_of

from geodata.answer import Answer
from geodata.controlling import ControllingRequest, controlling
from geodata.controlling_budget_question import BudgetRequest, BudgetRow, budget
from geodata.controlling_figures import UNASSIGNED, WITH_THE_AREA
from geodata.controlling_line import ControllingRow
from geodata.database import Access, reading
from geodata.periods import spoken
from geodata.viewer import PUBLIC, Role, Viewer

ADMIN = Viewer(Role.ADMIN)
GROUPS = ("alle_hilfen", "ambulant", "ausserhalb_familie")
HELPS, SPENDING, COUNSELLING = "bremen-hilfen", "bremen-ausgaben", "bremen-beratungen"
Asked = Callable[..., Answer[ControllingRow]]
Rows = dict[tuple[str, str, str], ControllingRow]
# (area, position) -> (computed, printed)
Off = dict[tuple[str, str], tuple[str, str]]


@pytest.fixture(scope="module")
def ask(examples_database: Database) -> Asked:
    @cache
    def asked(level: str, viewer: Viewer = ADMIN, **more: object) -> Answer[ControllingRow]:
        with reading(examples_database.serving, Access(viewer)) as session:
            return controlling(session, ControllingRequest(level, **more))  # type: ignore[arg-type]

    return asked


@pytest.fixture(scope="module")
def bremen(ask: Asked) -> Callable[..., Rows]:
    """Rows of the city and its Sozialzentren by area, period and position."""

    def rows(**more: object) -> Rows:
        found = [row for level in ("stadt", "sozialzentrum") for row in ask(level, **more).rows]
        return {(row.area_key, row.period, row.position): row for row in found}

    return rows


@pytest.fixture(scope="module")
def years(examples_database: Database) -> Callable[[str, str], dict[str, BudgetRow]]:
    def asked(level: str, key: str) -> dict[str, BudgetRow]:
        with reading(examples_database.serving, Access(ADMIN)) as session:
            return {row.period: row for row in budget(session, BudgetRequest((level, key))).rows}

    return asked


# --- Bremen: levels


@pytest.mark.parametrize(("level", "position"), [("sozialzentrum", "alle_hilfen"), ("stadt", "ambulant")])
def test_rows_of_a_position_are_those_of_the_whole(ask: Asked, level: str, position: str) -> None:
    whole, some = ask(level, base="2014"), ask(level, base="2014", position=position)
    assert some.rows == [row for row in whole.rows if row.position.removesuffix("-nicht-zuordenbar") == position]
    assert 0 < len(some.rows) < len(whole.rows)


def test_cases_and_spending_stay_as_printed(bremen: Callable[..., Rows]) -> None:
    rows = bremen()
    cases, spending = list(printed(HELPS, "cases")), list(printed(SPENDING, "spending_eur"))
    assert (len(cases), len(spending)) == (175, 175)
    assert [rows[area, year, position].cases for area, position, year, _text in cases] == [float(t) for *_, t in cases]
    found = [rows[area, year, position].spending_eur for area, position, year, _text in spending]
    assert found == [float(text) for *_, text in spending]


@pytest.mark.parametrize(
    ("name", "indicator", "column", "number"),
    [(HELPS, "hilfedichte", "help_density", 84), (SPENDING, "kosten_je_jew_eur", "spending_per_resident", 91)],
)
def test_rates_per_resident_of_2020_are_computed_to_the_digit_those_of_other_years_are_as_printed(
    bremen: Callable[..., Rows], name: str, indicator: str, column: str, number: int
) -> None:
    rows = bremen()
    found = list(printed(name, indicator))
    assert len(found) == number
    for area, position, year, text in found:
        row = rows[area, year, position]
        assert as_printed(getattr(row, column), text) == text
        as_it_stands = getattr(row, column) == float(text)
        # No residents are printed before 2020; of projects only what they cost per resident.
        assert as_it_stands == (year != "2020" or position == "projekte_zuwendungen")
        assert ("wie veröffentlicht" in (row.note or "").split("Anteil")[0]) == as_it_stands
        assert (row.residents is None) == (year != "2020")


def test_help_quotients_of_all_years_to_the_digit(bremen: Callable[..., Rows]) -> None:
    rows = bremen()
    found = list(printed(HELPS, "hilfequotient"))
    assert len(found) == 28
    quotients = [rows[area, year, "alle_hilfen"].help_quotient for area, _position, year, _text in found]
    texts = [text for *_, text in found]
    assert [as_printed(value, text) for value, text in zip(quotients, texts, strict=True)] == texts
    # Made from cases, not read from what is printed.
    assert quotients != [float(text) for text in texts]


def test_counselling_is_as_printed_and_the_levels_are_not_known(bremen: Callable[..., Rows]) -> None:
    rows = bremen()
    for indicator, column, factor in (("anteil_folgehilfen_pct", "follow_up_share", 100),
                                      ("quotient_beratungen", "counselling_ratio", 1)):  # fmt: skip
        for area, _position, year, text in printed(COUNSELLING, indicator):
            row = rows[area, year, "alle_hilfen"]
            assert factor * getattr(row, column) == pytest.approx(float(text))
            assert "aus den Angaben nicht nachzurechnen" in (row.note or "")


def test_what_parts_lack_is_a_row_of_its_own(bremen: Callable[..., Rows]) -> None:
    rests = {key: row for key, row in bremen().items() if row.position.endswith("-nicht-zuordenbar")}
    of_all = {(area, year): row.spending_eur for (area, year, position), row in rests.items()
              if position == "alle_hilfen-nicht-zuordenbar"}  # fmt: skip
    assert of_all == {
        ("HB", "2018"): -1000, ("HB", "2020"): -1000, ("SZ1", "2015"): 1000, ("SZ1", "2016"): 1000,
        ("SZ1", "2018"): -1000, ("SZ2", "2018"): 1000, ("SZ2", "2019"): 1000, ("SZ3", "2016"): 1000,
        ("SZ3", "2019"): 1000, ("SZ3", "2020"): 1000,
    }  # fmt: skip
    # Only of the city are Hilfearten printed, so only there are they held against their groups.
    assert {area for (area, _year, position) in rests if not position.startswith("alle_hilfen")} == {"HB"}
    assert all(row.position_title.endswith(UNASSIGNED) and row.help_density is None for row in rests.values())
    rows = bremen()
    for (area, year, position), rest in rests.items():
        group = position.removesuffix("-nicht-zuordenbar")
        if group != "alle_hilfen":
            parts = [r for (a, y, p), r in rows.items() if (a, y) == (area, year) and _group_of(p) == group]
            assert len(parts) in {9, 4}
            total = rows[area, year, group]
            for column in ("cases", "spending_eur"):
                lacking = getattr(total, column) - sum(getattr(part, column) for part in parts)
                assert getattr(rest, column) == (pytest.approx(lacking) if abs(lacking) > 1e-6 else None)


def _group_of(position: str) -> str | None:
    if position[:2] in {"30", "31", "32"} or position.startswith("27.2") or position == "35-ambulant":
        return "ambulant"
    return "ausserhalb_familie" if position[:2] in {"19", "33", "34"} else None


def test_sozialzentren_without_figures_are_missing_and_not_absent(bremen: Callable[..., Rows]) -> None:
    rows = bremen()
    for key in ("SZ4", "SZ5", "SZ6"):
        row = rows[key, "2020", "alle_hilfen"]
        assert (row.cases, row.flag) == (None, "missing")
        assert row.residents is not None
        assert "Fallzahl 2020: keine Angabe." in (row.note or "")


# --- Bremen: changes, Zielschwellen, effects


def changes(rows: Rows, name: str, indicator: str, base: str) -> Iterator[tuple[str, str, float | None, str]]:
    for area, position, _year, text in printed(name, f"{indicator}_veraenderung_{base}_pct"):
        where = "alle_hilfen" if position == "beratungen" else position
        yield area, where, rows[area, "2020", where].change_pct, text


# Of rates the base is as printed, so rounded; 2020 is not.
CHANGES: dict[str, tuple[str, str, str, str, int, Off]] = {
    "cases": (HELPS, "faelle", "cases", "2014", 16, {}),
    "cases since 2019": (HELPS, "faelle", "cases", "2019", 16, {}),
    "help quotients": (HELPS, "hilfequotient", "help_quotient", "2014", 4, {}),
    "follow-up shares": (COUNSELLING, "anteil_folgehilfen", "follow_up_share", "2014", 4, {}),
    "spending": (SPENDING, "ausgaben", "spending_eur", "2014", 25, {
        ("HB", "27.2-patenschaften"): ("27.7", "27.2"),
        ("HB", "27.2-unterstuetzte-elternschaft"): ("55.9", "56.2"),
        ("HB", "33"): ("10.7", "10.8"),
        ("SZ2", "ambulant"): ("7.9", "8.0"),
    }),
    "help densities": (HELPS, "hilfedichte", "help_density", "2014", 12, {
        ("HB", "ambulant"): ("-0.4", "-0.2"),
        ("HB", "ausserhalb_familie"): ("-14.5", "-14.6"),
        ("SZ1", "ambulant"): ("-21.6", "-21.7"),
        ("SZ1", "ausserhalb_familie"): ("-28.3", "-28.4"),
        ("SZ2", "ambulant"): ("-0.7", "-0.6"),
        ("SZ2", "ausserhalb_familie"): ("-15.6", "-15.5"),
        ("SZ2", "alle_hilfen"): ("-8.6", "-8.7"),
        ("SZ3", "ausserhalb_familie"): ("-18.6", "-18.5"),
    }),
    "help densities since 2019": (HELPS, "hilfedichte", "help_density", "2019", 3, {
        ("HB", "alle_hilfen"): ("1.5", "1.6"),
        ("HB", "ambulant"): ("3.3", "3.5"),
        ("HB", "ausserhalb_familie"): ("-0.8", "-0.9"),
    }),
    "spending per resident": (SPENDING, "kosten_je_jew", "spending_per_resident", "2014", 13, {
        ("HB", "ambulant"): ("15.1", "15.2"),
        ("HB", "projekte_zuwendungen"): ("195.4", "194.9"),
        ("SZ2", "alle_hilfen"): ("7.7", "7.8"),
        ("SZ3", "ambulant"): ("-19.6", "-19.5"),
    }),
    "counselling ratio": (COUNSELLING, "quotient_beratungen", "counselling_ratio", "2014", 1, {
        ("HB", "alle_hilfen"): ("-19.2", "-18.3"),
    }),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_changes_to_the_digit_but_for_those_named(bremen: Callable[..., Rows], what: str) -> None:
    name, indicator, measure, base, number, off = CHANGES[what]
    rows = bremen(period_from="2020", period_to="2020", base=base, measure=measure)
    found = list(changes(rows, name, indicator, base))
    assert len(found) == number
    made = {(area, position): (as_printed(value, text), text) for area, position, value, text in found}
    assert {key: pair for key, pair in made.items() if pair[0] != pair[1]} == off


@pytest.mark.parametrize(
    ("what", "level"),
    [("help densities", "hilfedichte"), ("help densities since 2019", "hilfedichte"),
     ("spending per resident", "kosten_je_jew_eur")],
)  # fmt: skip
def test_changes_of_rates_are_never_off_by_more_than_the_rounding_of_what_is_printed(
    bremen: Callable[..., Rows], what: str, level: str
) -> None:
    name, indicator, measure, base, _number, _off = CHANGES[what]
    rows = bremen(period_from="2020", period_to="2020", base=base, measure=measure)
    for area, position, _value, text in changes(rows, name, indicator, base):
        now = getattr(rows[area, "2020", position], measure)
        before = text_of(name, area, level, position, base)
        # Of projects 2020 too is only known as printed.
        slack = half_unit(text_of(name, area, level, position, "2020")) if position == "projekte_zuwendungen" else 0
        low = 100 * ((now - slack) / (float(before) + half_unit(before)) - 1)
        high = 100 * ((now + slack) / (float(before) - half_unit(before)) - 1)
        assert low - half_unit(text) <= float(text) <= high + half_unit(text), (area, position)


def test_spending_targets_within_the_rounding_of_the_base_year(bremen: Callable[..., Rows]) -> None:
    rows = bremen(base="2014")
    wrong = set()
    found = list(printed(SPENDING, "zielschwelle_eur"))
    for area, position, _year, text in found:
        made = rows[area, "2020", position].target_eur
        assert made == pytest.approx(float(text), abs=500 * 1.04**6 + 500)
        if as_printed((made or 0) / 1000, "0") != str(int(text) // 1000):
            wrong.add((area, position))
    assert len(found) == 25
    assert wrong == {
        ("HB", "27.2-patenschaften"), ("HB", "27.2-unterstuetzte-elternschaft"), ("HB", "34-35-stationaer"),
        ("HB", "34-betreutes-jugendwohnen"),
    }  # fmt: skip


def test_the_growth_of_the_target_is_a_parameter(bremen: Callable[..., Rows]) -> None:
    rows = bremen(base="2014", yearly_growth=0.0)
    assert {rows["HB", str(year), "31"].target_eur for year in range(2014, 2021)} == {17_212_000}


def test_sozialzentren_against_the_city(bremen: Callable[..., Rows]) -> None:
    rows = bremen(period_from="2020", period_to="2020", base="2014", measure="cases")
    row, city = rows["SZ1", "2020", "alle_hilfen"], rows["HB", "2020", "alle_hilfen"]
    assert row.diff_to_city == pytest.approx(1000 * (865 / 21498 - 4233 / 109415))
    # Of the rest of the city: it had 4129 − 987 cases in 2014 and 4233 − 865 in 2020.
    assert row.effect_pp == pytest.approx(100 * (865 / 987 - (4233 - 865) / (4129 - 987)))
    assert (city.diff_to_city, city.effect_pp) == (None, None)
    assert WITH_THE_AREA not in (row.note or "")


def test_walle_against_bremen(ask: Asked) -> None:
    answer = ask("stadtteil", base="2011")
    (row,) = answer.rows
    assert (row.area_key, row.period, row.position, row.change_pct) == ("walle", "2012", "alle_hilfen", -5.04)
    assert as_printed(row.effect_pp, "0.00") == "-9.55"
    # Levels are not printed, so Bremen cannot be taken without Walle.
    assert WITH_THE_AREA in (row.note or "")
    assert "Stadt im Vergleich: „Stadt Bremen“." in answer.meta.warnings
    assert ask("stadtteil", base="2010").rows == []


# --- Bremerhaven, Norderstedt


def test_hours_per_case_of_bremerhaven_to_the_digit(ask: Asked) -> None:
    rows = {(row.area_key, row.period): row for row in ask("stadtteilbuero").rows if row.position == "31"}
    found = list(printed("bremerhaven-stunden", "stunden_je_massnahme"))
    assert len(rows) == len(found) == 6
    days = {"2019-07": "2019-07-31", "2019-12": "2019-12-31"}
    for area, _position, month, text in found:
        row = rows[area, days[month]]
        assert as_printed(row.hours_per_case, text) == text
        assert f"Stunden für {spoken(month)}." in (row.note or "")
        assert row.counting == "stichtag"


def test_ambulant_helps_of_bremerhaven_by_key_date(ask: Asked) -> None:
    rows = {(row.area_key, row.period, row.position): row
            for row in ask("stadtteilbuero", base="2019-07-31", measure="cases").rows}  # fmt: skip
    for area, position, day, text in printed("bremerhaven-hilfen", "cases"):
        assert rows[area, day, position].cases == float(text)
    fell = {area: as_printed(rows[area, "2019-12-31", "ambulant"].change_pct, "0.0")
            for area in ("nord", "mitte", "sued")}  # fmt: skip
    assert fell == {"nord": "-7.0", "mitte": "-9.1", "sued": "-15.8"}
    # SPFH is the only Hilfeart printed: all other ambulant helps are in the rest.
    assert rows["nord", "2019-07-31", "ambulant-nicht-zuordenbar"].cases == 143 - 77


def test_norderstedts_years_and_half_years_are_not_compared(ask: Asked) -> None:
    def of(base: str) -> dict[tuple[str, str], ControllingRow]:
        answer = ask("stadt", area=("stadt", "NOR"), base=base, measure="cases")
        assert any("Verschieden lange Zeiträume (Jahre und Halbjahre)" in said for said in answer.meta.warnings)
        assert len(answer.rows) == 28
        return {(row.period, row.position): row for row in answer.rows}

    by_year, by_half = of("2013"), of("2014-H1")
    for area, position, period, text in printed("norderstedt-hilfen", "cases"):
        assert area == "NOR"
        assert by_year[period, position].cases == float(text)
    assert as_printed(by_year["2014", "34"].change_pct, "0.0") == "18.5"
    assert as_printed(by_half["2015-H1", "34"].change_pct, "0.0") == "5.4"
    for refused in (by_year["2015-H1", "34"], by_half["2014", "34"]):
        assert refused.change_pct is None
        assert "verschieden lang" in (refused.note or "")
    # § 19 counts mother and child.
    assert {by_year["2013", position].unit for position in ("19", "34")} == {"personen", "hilfen"}


# --- Hamburg-Mitte and the effects: the budget


def test_steering_effect_of_hamburg_mitte_to_the_euro(years: Callable[[str, str], dict[str, BudgetRow]]) -> None:
    name, rows = "hamburg-mitte-budget", years("bezirk", "1")
    assert list(rows) == ["2017", "2018", "2019", "2020"]
    columns = {
        "spending_eur": ("spending_eur", "alle_hilfen", 1),
        "fee_increase_since_pct": ("entgeltsteigerung_seit_2017_pct", "", 1),
        "expected_eur": ("erwarteter_mittelabfluss_eur", "", 1),
        "steering_effect_eur": ("steuerungseffekt_eur", "", 1),
        "reduced_uma_eur": ("minderausgaben_uma_eur", "", 1),
        "budget_use": ("ausschoepfungsgrad_pct", "", 100),
    }
    for column, (indicator, position, factor) in columns.items():
        for year in ("2018", "2019", "2020"):
            text = text_of(name, "1", indicator, position, year)
            assert as_printed(getattr(rows[year], column) * factor, text) == text
    net = [as_printed(rows[year].steering_effect_net_eur, "0") for year in ("2018", "2019", "2020")]
    assert net == ["-1224152", "1602027", "1658686"]
    assert [row.flag for row in rows.values()] == ["ok", "ok", "ok", "estimated"]
    assert rows["2017"].expected_eur is None
    assert "Im Basisjahr gibt es nichts zu vergleichen." in (rows["2017"].note or "")
    assert {year: row.budget_use for year, row in years("land", "02").items()} == {
        "2017": 1.23, "2018": 1.27, "2019": 1.14, "2020": 1.14}  # fmt: skip


def test_the_table_of_effects_to_the_digit_forecast_beside_actual(
    years: Callable[[str, str], dict[str, BudgetRow]],
) -> None:
    rows = years("stadt", "HB")
    assert list(rows) == [str(year) for year in range(2014, 2021)]
    for indicator, column in (("reduzierter_ausgabenzuwachs_eur", "reduced_growth_eur"),
                              ("nettoeffekt_eur", "net_effect_eur"), ("staff_cost_eur", "staff_cost_eur"),
                              ("prevention_cost_eur", "prevention_cost_eur"),
                              ("base_effect_eur", "base_effect_eur")):  # fmt: skip
        found = list(printed("bremen-effekte", indicator))
        assert len(found) == 5
        for _area, _position, year, text in found:
            assert getattr(rows[year], column) == float(text)
    last = rows["2020"]
    assert (last.cumulated_reduced_growth_eur, last.cumulated_net_effect_eur) == (17_547_000, 16_993_000)
    assert last.forecast_net_effect_eur == 4_495_000
    assert last.forecast_cumulated_reduced_growth_eur == sum((400, 1500, 3000, 4500, 6000)) * 1000
    assert last.forecast_cumulated_net_effect_eur == sum((-573, 41, 1441, 2995, 4495)) * 1000
    assert last.net_effect_difference_eur == -3_000_000 - 4_495_000
    # Before the programme there is nothing to add up.
    assert rows["2015"].cumulated_net_effect_eur is None


# --- Who sees it


@pytest.mark.parametrize("viewer", [PUBLIC, Viewer(Role.PROVIDER, provider_key="t")])
def test_others_see_what_was_published_as_nothing_of_it_is_small(ask: Asked, viewer: Viewer) -> None:
    for level in ("stadt", "sozialzentrum", "stadtteilbuero", "bezirk"):
        seen, everything = (
            {(row.area_key, row.period, row.position): row for row in ask(level, one, base="2014").rows}
            for one in (viewer, ADMIN)
        )
        assert seen
        # The half-year lies in the year, which is published.
        left = {key: row for key, row in everything.items() if key[:2] != ("NOR", "2014-H1")}
        assert {key: row for key, row in seen.items() if key[:2] != ("NOR", "2014-H1")} == left
        assert not any(row.suppressed_fields for row in seen.values())
    said = ask("stadt", viewer).meta.warnings
    assert any(one.startswith("Fallzahlen für das 1. Halbjahr 2014 bleiben beim Jugendamt") for one in said)
    assert not any("bleiben beim Jugendamt" in one for one in ask("stadt", ADMIN).meta.warnings)
