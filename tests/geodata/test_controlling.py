"""The question of controlling: what belongs together stands together, what does not is never compared silently."""

from typing import TYPE_CHECKING, Any

import pytest
from controlling_town import ADMIN, HELPS, PLANNER, Town, town

from geodata.answer import Answer
from geodata.controlling import ControllingRequest, controlling
from geodata.controlling_line import ControllingRow
from geodata.controlling_notes import NO_BASE
from geodata.database import Access, reading
from geodata.errors import ParameterError
from geodata.indicators import HIDDEN_COUNTS
from geodata.viewer import PUBLIC, Viewer

if TYPE_CHECKING:
    from conftest import Database

COSTS, PEOPLE = "statistics.kosten", "statistics.einwohner"


def asked(database: "Database", level: str = "bezirk", viewer: Viewer = ADMIN, **more: Any) -> Answer[ControllingRow]:
    with reading(database.serving, Access(viewer)) as session:
        return controlling(session, ControllingRequest(level, **more))


def rows(database: "Database", level: str = "bezirk", **more: Any) -> dict[tuple[str, str, str], ControllingRow]:
    answer = asked(database, level, **more)
    made = {(row.area_key, row.period, row.position): row for row in answer.rows}
    assert len(made) == len(answer.rows)
    return made


def usual(made: Town) -> None:
    """Helps, spending and residents of the city and its Bezirke in two years."""
    made.dataset(HELPS, "mittel_12_stichtage")
    made.dataset(COSTS, "kumuliert", "eur")
    made.dataset(PEOPLE, "stichtag", "personen")
    for year, factor in (("2019", 1.0), ("2020", 1.1)):
        for area, cases, spent in (("L", 100.0, 1000.0), ("1", 60.0, 550.0), ("2", 35.0, 400.0)):
            grown = 1.0 if area == "1" else factor
            made.figure(HELPS, area, "cases", "alle_hilfen", year, cases * grown)
            made.figure(COSTS, area, "spending_eur", "alle_hilfen", year, spent * grown)
            made.figure(PEOPLE, area, "population", "0-21", f"{year}-01-01", cases * 50)


# --- What belongs to a row


def test_a_row_has_its_cases_amounts_and_residents(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
    row = rows(database)["1", "2020", "alle_hilfen"]
    assert (row.area_level, row.area_name, row.position_title) == ("bezirk", "bezirk 1", "Hilfen insgesamt")
    assert (row.counting, row.unit, row.flag) == ("mittel_12_stichtage", "hilfen", "ok")
    assert (row.cases, row.spending_eur, row.residents) == (60, 550, 3000)
    assert (row.help_density, row.spending_per_resident) == (20, pytest.approx(550 / 3000))
    assert row.spending_per_case == pytest.approx(550 / 60)
    assert (row.change_pct, row.target_eur, row.effect_pp) == (None, None, None)
    assert "Jugendeinwohner vom 01.01.2020." in (row.note or "")


def test_amounts_of_a_key_date_are_those_of_the_shortest_period_around_it(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        made.dataset(COSTS, "kumuliert", None)
        made.figure(HELPS, "1", "cases", "31", "2021-03-31", 10)
        for period, hours in (("2021-03", 30), ("2021-Q1", 90), ("2021-04", 99)):
            made.figure(COSTS, "1", "hours", "31", period, hours)
        made.figure(COSTS, "1", "spending_eur", "31", "2021", 1200)
    found = rows(database)
    day = found["1", "2021-03-31", "31"]
    assert (day.hours_per_case, day.spending_eur, day.spending_per_case) == (3, 1200, 120)
    assert "Stunden für März 2021." in (day.note or "").replace("Geleistete ", "")
    assert "Ausgaben für 2021." in (day.note or "")
    # What belongs to no key date has its own row, without cases.
    assert {key[1] for key in found if key[0] == "1"} == {"2021-03-31", "2021-Q1", "2021-04"}
    assert found["1", "2021-04", "31"].cases is None


def test_amounts_of_a_year_are_not_those_of_its_halves(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS, "kumuliert")
        made.dataset(COSTS, "kumuliert", "eur")
        made.figure(HELPS, "1", "cases", "31", "2021-H1", 10)
        made.figure(COSTS, "1", "spending_eur", "31", "2021", 1200)
    found = rows(database)
    assert found["1", "2021-H1", "31"].spending_eur is None
    assert (found["1", "2021", "31"].spending_eur, found["1", "2021", "31"].cases) == (1200, None)


def test_every_counting_has_its_own_row(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS, "stichtag")
        made.dataset("statistics.kumuliert", "kumuliert")
        for year, on_the_day, all_year in (("2019", 10, 30), ("2020", 12, 33)):
            made.figure(HELPS, "1", "cases", "31", year, on_the_day)
            made.figure("statistics.kumuliert", "1", "cases", "31", year, all_year)
    answer = asked(database, base="2019", measure="cases", period_from="2020")
    of_one = {row.counting: row for row in answer.rows if row.area_key == "1"}
    assert {counting: row.cases for counting, row in of_one.items()} == {"stichtag": 12, "kumuliert": 33}
    assert {counting: row.change_pct for counting, row in of_one.items()} == {
        "stichtag": pytest.approx(20), "kumuliert": pytest.approx(10)}  # fmt: skip
    told = "Verschieden gezählt (kumuliert und am Stichtag): Diese Zeilen sind nicht miteinander vergleichbar."
    assert told in answer.meta.warnings


def test_of_an_amount_counted_in_two_ways_none_is_taken(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        for name, counting, value in ((COSTS, "kumuliert", 100), ("statistics.plan", None, 200)):
            made.dataset(name, counting, "eur")
            made.figure(name, "1", "spending_eur", "31", "2020", value)
        made.figure(HELPS, "1", "cases", "31", "2020", 5)
    row = rows(database)["1", "2020", "31"]
    assert (row.cases, row.spending_eur, row.spending_per_case) == (5, None, None)
    assert "verschieden gezählt" in (row.note or "")


def test_jugendeinwohner_are_put_together_exactly_or_not_at_all(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        made.dataset(PEOPLE, "stichtag", "personen")
        for area in ("1", "2"):
            made.figure(HELPS, area, "cases", "31", "2020", 9)
        for position, people in (("0-18", 800), ("18-21", 100), ("21-", 5000)):
            made.figure(PEOPLE, "1", "population", position, "2020", people)
        made.figure(PEOPLE, "2", "population", "0-25", "2020", 1000)
    found = rows(database)
    assert (found["1", "2020", "31"].residents, found["1", "2020", "31"].help_density) == (900, 10)
    # A fraction of the 0 to under 25 would be an estimate.
    assert found["2", "2020", "31"].residents is None
    assert "Jugendeinwohner 2020: keine Angabe." in (found["2", "2020", "31"].note or "")


def test_jugendeinwohner_are_of_the_period_else_of_its_first_day_there_is_else_of_what_contains_it(
    database: "Database",
) -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        made.dataset(PEOPLE, "stichtag", "personen")
        for period in ("2018", "2019", "2020", "2021-Q3", "2022"):
            made.figure(HELPS, "1", "cases", "31", period, 9)
        for period, people in (("2018", 1), ("2018-01-01", 2), ("2019-12-31", 3), ("2019-06-30", 4), ("2020-01-01", 5),
                               ("2021", 6), ("2021-12-31", 7), ("2023", 8)):  # fmt: skip
            made.figure(PEOPLE, "1", "population", "0-21", period, people)
    found = {period: row.residents for (area, period, _p), row in rows(database).items() if area == "1"}
    assert found == {"2018": 1, "2019": 4, "2020": 5, "2021-Q3": 6, "2022": None}


def test_counselling_and_group_offers(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        made.dataset("statistics.beratung", "begonnen", "familien")
        made.dataset("statistics.stunden", "kumuliert", None)
        for position, cases in (("alle_hilfen", 80), ("ambulant", 50), ("ausserhalb_familie", 20)):
            made.figure(HELPS, "1", "cases", position, "2020", cases)
        made.figure("statistics.beratung", "1", "counselling_new", "", "2020", 40)
        made.figure("statistics.beratung", "1", "counselling_followed", "", "2020", 10)
        for position, hours in (("alle_hilfen", 400), ("ambulant", 300), ("gruppenangebot", 45)):
            made.figure("statistics.stunden", "1", "hours", position, "2020", hours)
    found = rows(database)
    row = found["1", "2020", "alle_hilfen"]
    assert (row.help_quotient, row.follow_up_share, row.counselling_ratio) == (2.5, 0.25, 0.5)
    assert (row.hours_per_case, row.group_offer_share) == (5, 0.1125)
    ambulant = found["1", "2020", "ambulant"]
    assert (ambulant.group_offer_share, ambulant.help_quotient) == (0.15, None)
    assert found["1", "2020", "ausserhalb_familie"].group_offer_share is None
    # No rest is made up: 80 stays 80 though the groups have 70.
    assert (row.cases, found["1", "2020", "alle_hilfen-nicht-zuordenbar"].cases) == (80, 10)


def test_the_quotient_stands_on_all_helps_though_nobody_counted_them(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        made.figure(HELPS, "1", "cases", "ambulant", "2020", 30)
        made.figure(HELPS, "1", "cases", "ausserhalb_familie", "2020", 0)
        made.figure(HELPS, "2", "cases", "ambulant", "2020", 30)
        made.figure(HELPS, "2", "cases", "ausserhalb_familie", "2020", 20)
    found = rows(database)
    two = found["2", "2020", "alle_hilfen"]
    assert (two.cases, two.help_quotient) == (None, 1.5)
    one = found["1", "2020", "alle_hilfen"]
    assert one.help_quotient is None
    assert "Es gibt keine Hilfen außerhalb der Familie" in (one.note or "")


# --- Missing, suppressed, not comparable


def test_division_by_nobody_is_missing_with_its_reason(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        made.dataset(COSTS, "kumuliert", "eur")
        made.dataset(PEOPLE, "stichtag", "personen")
        made.figure(HELPS, "1", "cases", "31", "2020", 0)
        made.figure(COSTS, "1", "spending_eur", "31", "2020", 100)
        made.figure(PEOPLE, "1", "population", "0-21", "2020", 0)
    row = rows(database)["1", "2020", "31"]
    assert (row.cases, row.help_density, row.spending_per_case) == (0, None, None)
    assert "Die Zahl der Jugendeinwohner ist 0" in (row.note or "")
    assert "Es gibt keine Fälle" in (row.note or "")


def test_suppressed_stays_suppressed_and_is_not_told_by_what_is_printed(database: "Database") -> None:
    with town(database.writing) as made:
        made.catalogue("catalogue", {"31": ["ambulant"], "30": ["ambulant"]})
        made.dataset(HELPS)
        made.dataset(PEOPLE, "stichtag", "personen")
        for position, value in (("ambulant", 12), ("30", 10)):
            made.figure(HELPS, "1", "cases", position, "2020", value)
        made.figure(HELPS, "1", "cases", "31", "2020", None, "suppressed")
        made.figure(HELPS, "1", "cases", "31", "2019", 20)
        made.figure(HELPS, "1", "hilfedichte", "31", "2020", 2.0)
        made.figure(PEOPLE, "1", "population", "0-21", "2020", 1000)
    found = rows(database, base="2019", measure="cases")
    row = found["1", "2020", "31"]
    assert (row.cases, row.flag, row.help_density, row.change_pct) == (None, "suppressed", None, None)
    assert row.suppressed_fields == (
        "cases", "change_pct", "help_density", "hours_per_case", "spending_per_case",
    )  # fmt: skip
    assert "zum Schutz der Betroffenen unterdrückt (•)." in (row.note or "")
    assert ("1", "2020", "ambulant-nicht-zuordenbar") not in found


def test_a_missing_base_is_missing_with_its_reason_and_none_asked_for_is_said_once(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
    answer = asked(database, base="2010")
    assert {row.change_pct for row in answer.rows} == {None}
    assert "Ausgaben 2010: keine Angabe." in (answer.rows[0].note or "")
    without = asked(database)
    assert NO_BASE in without.meta.warnings
    assert not any("Basis" in (row.note or "") for row in without.rows)


def test_groups_of_other_hilfearten_are_not_compared(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.catalogue("catalogue.hilfen", {"31": ["ambulant"]})
        made.catalogue("catalogue.stadt", {"31": ["ambulant"], "32": ["ambulant"]})
        made.dataset("statistics.stadt", "mittel_12_stichtage")
        made.figure("statistics.stadt", "L", "cases", "ambulant", "2020", 50)
        made.figure("statistics.stadt", "L", "cases", "31", "2020", 30)
        made.figure(HELPS, "1", "cases", "ambulant", "2020", 20)
        made.figure(HELPS, "1", "cases", "31", "2020", 20)
    found = rows(database, measure="cases")
    group, kind = found["1", "2020", "ambulant"], found["1", "2020", "31"]
    assert group.diff_to_city is None
    assert "Die Gruppen bestehen aus verschiedenen Hilfearten" in (group.note or "")
    assert kind.diff_to_city == pytest.approx(1000 * (20 / 3000 - 30 / 5000))


def test_estimated_and_provisional_figures_mark_their_row(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        made.dataset(COSTS, "kumuliert", "eur")
        for year, flag in (("2019", "provisional"), ("2020", "ok")):
            made.figure(HELPS, "1", "cases", "31", year, 5, flag)
            made.figure(COSTS, "1", "spending_eur", "31", year, 50, "estimated" if year == "2020" else "ok")
    flags = {row.period: row.flag for row in asked(database).rows if row.area_key == "1"}
    assert flags == {"2019": "provisional", "2020": "estimated"}


# --- Against the city


def test_effect_is_taken_against_the_city_without_the_area(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
    found = rows(database, base="2019", period_from="2020")
    row = found["1", "2020", "alle_hilfen"]
    assert row.change_pct == 0
    # The rest of the city spent 450 and then 1100 − 550.
    assert row.effect_pp == pytest.approx(-100 * (550 / 450 - 1))
    assert row.target_eur == pytest.approx(550 * 1.04)
    assert row.diff_to_city == pytest.approx(550 / 3000 - 1100 / 5000)
    by_density = rows(database, base="2019", period_from="2020", measure="help_density")["1", "2020", "alle_hilfen"]
    assert by_density.effect_pp == pytest.approx(-100 * ((110 - 60) / 2000 / (40 / 2000) - 1))


def test_the_city_is_the_widest_area_with_figures_or_the_level_asked_for(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.figure(HELPS, "11", "cases", "alle_hilfen", "2020", 10)
        made.figure(PEOPLE, "11", "population", "0-21", "2020", 1000)
    for more, city, cases, residents in (({}, "land L", 110, 5000), ({"city_level": "bezirk"}, "bezirk 1", 60, 3000)):
        answer = asked(database, "stadtteil", measure="cases", area=("bezirk", "1"), period_from="2020", **more)
        row = next(row for row in answer.rows if row.area_key == "11")
        assert row.diff_to_city == pytest.approx(10 - 1000 * cases / residents)
        assert f"Stadt im Vergleich: „{city}“." in answer.meta.warnings


def test_a_planner_is_told_that_the_comparison_is_the_own_bezirk(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.figure(HELPS, "11", "cases", "alle_hilfen", "2020", 10)
    answer = asked(database, "stadtteil", PLANNER)
    assert {row.area_key for row in answer.rows} == {"11", "12"}
    assert "Stadt im Vergleich: „bezirk 1“." in answer.meta.warnings
    assert {row.area_key for row in asked(database, "bezirk", PLANNER).rows} == {"1"}


def test_nobody_else_learns_that_there_are_helps(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
    answer = asked(database, viewer=PUBLIC, base="2019")
    assert answer.rows == []
    assert answer.meta.warnings[0] == HIDDEN_COUNTS
    assert answer.meta.sources == [source for source in answer.meta.sources if source.dataset.startswith("areas.")]


# --- What parts lack


def test_what_areas_lack_to_the_city_is_a_row_at_the_end(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.without_area(HELPS, "cases", "alle_hilfen", "2020", 3.0)
    answer = asked(database)
    found = {(row.area_key, row.period): row for row in answer.rows}
    assert list(dict.fromkeys(row.area_key for row in answer.rows)) == ["1", "2", "ohne", "L-nicht-zuordenbar"]
    rest = found["L-nicht-zuordenbar", "2020"]
    assert rest.area_name == "land L: nicht zuordenbar / Rundung"
    assert rest.cases == pytest.approx(110 - 60 - 38.5 - 3)
    assert rest.spending_eur == pytest.approx(1100 - 550 - 440)
    assert found["L-nicht-zuordenbar", "2019"].cases == pytest.approx(5)
    # Of some areas only, nothing lacks; nor where one of them is not known.
    assert not any("nicht-zuordenbar" in row.area_key for row in asked(database, area=("bezirk", "1")).rows)


def test_nothing_lacks_where_a_part_is_not_known(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        for area, value in (("L", 100), ("1", 60)):
            made.figure(HELPS, area, "cases", "31", "2020", value)
        made.figure(HELPS, "2", "cases", "31", "2020", None, "suppressed")
    assert not any("nicht-zuordenbar" in row.area_key for row in asked(database).rows)


# --- Range, pages, wrong requests


def test_only_periods_that_lie_in_the_range_are_told(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS, "kumuliert")
        for period in ("2019", "2020-H1", "2020", "2021", "2020-07-01"):
            made.figure(HELPS, "1", "cases", "31", period, 5)

    def periods(first: str | None, last: str | None) -> list[str]:
        return [r.period for r in asked(database, period_from=first, period_to=last).rows if r.area_key == "1"]

    assert periods(None, None) == ["2019", "2020-H1", "2020-07-01", "2020", "2021"]
    assert periods("2020", "2020") == ["2020-H1", "2020-07-01", "2020"]
    assert periods("2020-07-01", None) == ["2020-07-01", "2021"]


def test_pages_put_together_are_the_whole(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.catalogue("catalogue", {"31": ["ambulant", "alle_hilfen"], "30": ["ambulant", "alle_hilfen"]})
        for position, value in (("31", 20), ("30", 30), ("ambulant", 51)):
            made.figure(HELPS, "1", "cases", position, "2020", value)
        made.without_area(HELPS, "cases", "alle_hilfen", "2020", 3.0)
    whole = asked(database).rows
    assert len(whole) >= 15
    for limit in (1, 2, 5, len(whole) - 1):
        got: list[ControllingRow] = []
        after: Any = None
        while True:
            answer = asked(database, limit=limit, after=after)
            got += answer.rows
            if answer.meta.next is None:
                break
            assert len(answer.rows) == limit
            after = tuple(answer.meta.next.split("\n"))
        keys = [(row.area_key, row.period, row.position, row.counting, row.cases) for row in got]
        assert keys == [(row.area_key, row.period, row.position, row.counting, row.cases) for row in whole]
    assert asked(database, limit=len(whole)).meta.next is None


def test_a_forecast_is_asked_for_by_name(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.figure(COSTS, "1", "spending_eur", "alle_hilfen", "2020", 999, scenario="prognose")
    answer = asked(database, scenario="prognose")
    assert [(row.spending_eur, row.cases) for row in answer.rows if row.area_key == "1"] == [(999, None)]
    assert answer.meta.title.endswith("Prognose")


@pytest.mark.parametrize(
    ("parameter", "more"),
    [
        ("level", {"level": "mond"}), ("area", {"area": ("bezirk", "9")}), ("area", {"area": ("stadtteil", "11")}),
        ("scenario", {"scenario": "traum"}), ("measure", {"measure": "glueck"}), ("from", {"period_from": "gestern"}),
        ("to", {"period_to": "2021-Q5"}), ("to", {"period_from": "2021", "period_to": "2020"}),
        ("base", {"base": "immer"}), ("yearly_growth", {"yearly_growth": -1.0}),
        ("yearly_growth", {"yearly_growth": float("nan")}), ("city_level", {"city_level": "mond"}),
        ("cursor", {"after": ("9", "2020", "31", "")}), ("cursor", {"after": ("1", "immer", "31", "")}),
        ("position", {"position": "99-erfunden"}),
    ],
)  # fmt: skip
def test_wrong_requests_are_named(database: "Database", parameter: str, more: dict[str, Any]) -> None:
    with town(database.writing) as made:
        usual(made)
    with pytest.raises(ParameterError) as refused:
        asked(database, **({"level": "bezirk"} | more))
    assert refused.value.parameter == parameter
    assert str(refused.value).endswith((".", "%."))


def test_method_names_what_is_compared(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
    meta = asked(database, base="2019", yearly_growth=0.025).meta
    assert "um 2,5\N{NO-BREAK SPACE}% im Jahr gesteigert" in meta.method
    assert "(Ausgaben)" in meta.method
    assert "(Kosten je Jugendeinwohner)" in meta.method
    assert [source.dataset for source in meta.sources] == [PEOPLE, HELPS, COSTS, "areas.bezirk"]
