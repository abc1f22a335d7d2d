"""Statistics: canonical rows, what is wrong with them, periods that are replaced, and figures that meet others."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from figure_help import (
    GOOD,
    KEY_DATE,
    cases,
    figures_state,
    load_rows,
    load_statistics,
    mapping,
    observations,
    people,
)
from importer_help import (
    STADTTEILE,
    Database,
    findings,
    load_areas,
    load_city,
    query,
    rules,
    write_csv,
    write_geojson,
    write_xlsx,
)

from importers.errors import MappingError, RefusedError
from importers.kinds.figures import german
from importers.load import Counting
from importers.report import Report


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    return database


def reject_of(report: Report) -> tuple[Any, ...]:
    (found,) = findings(report, "reject")
    return found


def test_canonical_rows_are_loaded_as_they_stand(city: Database, tmp_path: Path) -> None:
    report = load_rows(city.writing, tmp_path, GOOD)
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (7, 7, 0)
    assert observations(city.writing) == {
        ("stadtteil", "02101", "population", "total", "2020", "ist"): (1000, "ok"),
        ("stadtteil", "02101", "population", "0-18", "2020", "ist"): (200, "provisional"),
        ("stadtteil", "02102", "population", "total", "2020", "ist"): (None, "suppressed"),
        ("stadtteil", "02102", "population", "0-18", "2020", "ist"): (None, "missing"),
        ("stadtteil", "ohne", "population", "total", "2020", "ist"): (7, "ok"),
        ("bezirk", "1", "population", "total", "2020", "ist"): (2007, "ok"),
        ("stadtteil", "02101", "population", "65-", "2021-Q3", "prognose"): (120, "ok"),
    }
    days = query(city.writing, "SELECT DISTINCT period, starts, ends FROM observation ORDER BY 1")
    assert days == [("2020", dt.date(2020, 1, 1), dt.date(2020, 12, 31)),
                    ("2021-Q3", dt.date(2021, 7, 1), dt.date(2021, 9, 30))]  # fmt: skip
    assert report.counts["Beobachtungen"] == 7
    assert report.counts["davon ohne Wert"] == 2


def test_how_it_counts_is_kept_with_the_version(city: Database, tmp_path: Path) -> None:
    says = Counting("kumuliert", "hilfen", "ohne UMA", "2019", "internal")
    load_rows(city.writing, tmp_path, [cases()], counting=says)
    kept = query(city.writing, """
        SELECT counting, unit, scope, population_period, release::text FROM import_run ORDER BY id DESC LIMIT 1
    """)  # fmt: skip
    assert kept == [("kumuliert", "hilfen", "ohne UMA", "2019", "internal")]


# (what is changed in a good row, field of the finding, words of its reason)
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"area_level": ""}, "area_level", "Gebietsebene fehlt"),
    ({"area_level": "kiez"}, "area_level", "keine Gebiete geladen"),
    ({"area_key": ""}, "area_key", "Gebietsschlüssel fehlt"),
    ({"area_key": "02109"}, "area_key", "gibt es auf der Ebene „stadtteil“ nicht"),
    ({"area_key": "02101+02109"}, "area_key", "gibt es auf der Ebene „stadtteil“ nicht"),
    ({"area_level": "kiez", "area_key": "ohne"}, "area_level", "keine Gebiete geladen"),
    ({"indicator": ""}, "indicator", "Kennzahl fehlt"),
    ({"indicator": "x" * 301}, "indicator", "länger als 300"),
    ({"period": ""}, "period", "Zeitraum fehlt"),
    ({"period": "2021-Q5"}, "period", "kein Zeitraum"),
    ({"period": "2019-02-30"}, "period", "kein Zeitraum"),
    ({"flag": "geheim"}, "flag", "möglich sind: ok, suppressed"),
    ({"scenario": "wunsch"}, "scenario", "möglich sind: ist, prognose, plan"),
    ({"value": "viele"}, "value", "keine Zahl"),
    ({"value": "NaN"}, "value", "keine Zahl"),
    ({"value": "inf"}, "value", "keine Zahl"),
    ({"value": "9" * 400}, "value", "keine endliche Zahl"),
    ({"value": "-"}, "value", "Strich kann 0 oder"),
    ({"value": -1}, "value", "nicht negativ"),
    ({"value": 3, "flag": "suppressed"}, "value", "aber mit Wert"),
    ({"value": "", "flag": "estimated"}, "value", "aber ohne Wert"),
    ({"position": ""}, "position", "keine Altersangabe"),
    ({"position": "18-6"}, "position", "keine Altersangabe"),
    ({"position": "unter 18"}, "position", "keine Altersangabe"),
    ({"position": "2024-10-06"}, "position", "sieht nach einem Datum aus"),
    ({"position": "06. Okt"}, "position", "sieht nach einem Datum aus"),
    ({"indicator": "cases", "position": "31", "value": -2}, "value", "nicht negativ"),
    ({"indicator": "cases", "position": "31", "value": "2,5"}, "value", "ganze Zahlen"),
]


@pytest.mark.parametrize(("changed", "field", "words"), BAD, ids=lambda v: str(v)[:40])
def test_one_bad_row_is_a_reject_with_its_place(
    city: Database, tmp_path: Path, changed: dict[str, Any], field: str, words: str
) -> None:
    rows = [people("02101"), people("02102") | changed, *[people("02201", f"{age}-{age + 1}") for age in range(20)]]
    report = load_rows(city.writing, tmp_path, rows)
    row, where, _value, reason = reject_of(report)
    assert (row, where) == (3, field)
    assert words in reason
    assert len(observations(city.writing)) == len(rows) - 1


def test_advice_names_what_was_meant(city: Database, tmp_path: Path) -> None:
    rows = [*[people("02101", f"{age}-{age + 1}") for age in range(40)], people("02110"), people("Weststatt")]
    report = load_rows(city.writing, tmp_path, rows)
    advice = {f.value: f.advice for f in report.findings if f.severity.value == "reject"}
    assert "02101 (Weststadt)" in advice["02110"]
    assert "02101 (Weststadt)" in advice["Weststatt"]


def test_the_same_figure_twice_rejects_all_but_the_first(city: Database, tmp_path: Path) -> None:
    rows = [people("02101", value=10), people("02101", value=10), people("02101", value=11), people("02102")]
    report = load_rows(city.writing, tmp_path, rows, rules=rules("50%"))
    assert [(row, "Zeile 2" in reason) for row, _field, _value, reason in findings(report, "reject")] == [
        (3, True), (4, True)]  # fmt: skip
    assert observations(city.writing)["stadtteil", "02101", "population", "total", "2020", "ist"] == (10, "ok")


def test_too_many_rejects_change_nothing(city: Database, tmp_path: Path) -> None:
    load_rows(city.writing, tmp_path, GOOD)
    before = figures_state(city.writing)
    with pytest.raises(RefusedError, match="1 von 2 Zeilen"):
        load_rows(city.writing, tmp_path, [people("02101"), people("99999")])
    with pytest.raises(RefusedError, match="keine Zeilen"):
        load_statistics(city.writing, write_csv(tmp_path / "leer.csv", [], columns=list(GOOD[0])), counting=KEY_DATE)
    with pytest.raises(MappingError, match="keine Spalte „value“"):
        load_statistics(city.writing, write_csv(tmp_path / "falsch.csv", [{"area_level": "x", "area_key": "1",
                        "indicator": "i", "period": "2020"}]))  # fmt: skip
    assert figures_state(city.writing) == before


def test_a_rehearsal_changes_nothing(city: Database, tmp_path: Path) -> None:
    before = figures_state(city.writing)
    report = load_rows(city.writing, tmp_path, GOOD, rules=rules("5%", dry_run=True))
    assert report.counts["Beobachtungen"] == 7
    assert figures_state(city.writing) == before


def test_means_of_twelve_key_dates_may_be_fractional(city: Database, tmp_path: Path) -> None:
    report = load_rows(city.writing, tmp_path, [cases(value="2,5")], counting=Counting("mittel_12_stichtage", "hilfen"))
    assert report.rows_rejected == 0
    assert list(observations(city.writing).values()) == [(2.5, "ok")]


def test_unknown_words_for_counting_are_refused(city: Database, tmp_path: Path) -> None:
    for part, words in ((("counting", "geschätzt"), "stichtag"), (("unit", "köpfe"), "junge_menschen"),
                        (("population_period", "gestern"), "2014-H1")):  # fmt: skip
        with pytest.raises(MappingError, match=words):
            load_rows(city.writing, tmp_path, GOOD, counting=None, mapping=mapping(dataset=dict([part])))


def test_helps_without_counting_are_taken_and_named(city: Database, tmp_path: Path) -> None:
    report = load_rows(city.writing, tmp_path, [cases()], counting=Counting())
    assert any("Wie gezählt wurde" in reason for *_rest, reason in findings(report, "warning"))


class TestNumbers:
    """How a file writes numbers is a property of the file."""

    def test_what_could_be_either_is_refused_naming_the_option(self, city: Database, tmp_path: Path) -> None:
        rows = [people("02101", value="1.675"), people("02102", value="12")]
        with pytest.raises(MappingError, match="--decimal"):
            load_rows(city.writing, tmp_path, rows)
        load_rows(city.writing, tmp_path, rows, decimal=",")
        assert observations(city.writing)["stadtteil", "02101", "population", "total", "2020", "ist"][0] == 1675

    def test_every_dash_is_listed(self, city: Database, tmp_path: Path) -> None:
        rows = [people("02101", value="-"), people("02102", value="–"), people("02201", value="5")]
        report = load_rows(city.writing, tmp_path, rows, dash="zero")
        assert [(row, value) for row, _field, value, reason in findings(report, "info") if "Strich" in reason] == [
            (2, "-"), (3, "–")]  # fmt: skip
        assert [value for value, _flag in observations(city.writing).values()] == [0, 0, 5]
        load_rows(city.writing, tmp_path, rows, dash="missing")
        assert sorted(str(v) for v in observations(city.writing).values()) == [
            "(5.0, 'ok')", "(None, 'missing')", "(None, 'missing')"]  # fmt: skip

    def test_numbers_of_a_workbook_stay_numbers(self, city: Database, tmp_path: Path) -> None:
        head = ["area_level", "area_key", "indicator", "position", "period", "value"]
        sheet = write_xlsx(tmp_path / "w.xlsx", [
            head, ["stadtteil", "02101", "x", None, 2014, 1.675],
            ["stadtteil", "02102", "x", None, dt.date(2019, 7, 31), 2],
            ["bezirk", 1, "x", None, "2014-H1", "."]])  # fmt: skip
        report = load_statistics(city.writing, sheet, counting=KEY_DATE)
        assert report.rows_rejected == 0
        assert observations(city.writing) == {
            ("stadtteil", "02101", "x", "", "2014", "ist"): (1.675, "ok"),
            ("stadtteil", "02102", "x", "", "2019-07-31", "ist"): (2, "ok"),
            ("bezirk", "1", "x", "", "2014-H1", "ist"): (None, "missing"),
        }

    def test_german_writing(self) -> None:
        assert [german(n) for n in (0, 999, 1862669, -1234.5, 0.1234)] == [
            "0", "999", "1.862.669", "-1.234,5", "0,123"]  # fmt: skip


class TestMappings:
    """Wide tables, names instead of keys, merged areas."""

    WIDE = mapping(
        level="stadtteil",
        source={"decimal": ",", "dash": "zero"},
        columns={"area_key": {"from": "Stadtteil", "lookup": "stadtteil"}, "period": {"from": "Jahr"}},
        unpivot={"column": [
            {"from": "gesamt", "set": {"indicator": "population", "position": "total"}},
            {"from": "u18", "set": {"indicator": "population", "position": "0-18"}},
            {"from": "Anteil", "set": {"indicator": "u18_share"}, "factor": 0.01},
        ]},
        aliases={"stadtteil": {"Oststadt und Übersee": ["02202", "02201"]}},
    )  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"Stadtteil": "Weststadt", "Jahr": 2020, "gesamt": "1 000", "u18": "-", "Anteil": "15,3"},
            {"Stadtteil": "MITTE", "Jahr": 2020, "gesamt": "500", "u18": "100", "Anteil": "."},
            {"Stadtteil": "Oststadt und Übersee", "Jahr": 2020, "gesamt": "300", "u18": "50", "Anteil": "16,7"},
        ]

    def test_a_wide_table_becomes_long(self, city: Database, tmp_path: Path) -> None:
        table = write_csv(tmp_path / "breit.csv", self.rows())
        report = load_statistics(city.writing, table, mapping=self.WIDE, mapping_name="Breit", counting=KEY_DATE)
        assert report.dataset == "statistics.breit"
        assert (report.rows_read, report.rows_loaded, report.counts["Beobachtungen"]) == (3, 3, 9)
        found = {(key[1], key[2], key[3]): value for key, value in observations(city.writing, report.dataset).items()}
        assert found["02101", "population", "total"] == (1000, "ok")
        assert found["02101", "population", "0-18"] == (0, "ok")
        assert found["02101", "u18_share", ""] == (0.153, "ok")
        assert found["02102", "u18_share", ""] == (None, "missing")
        assert found["02201+02202", "population", "total"] == (300, "ok")
        assert query(city.writing, "SELECT * FROM merged_area") == [
            ("stadtteil", "02201+02202", "Oststadt und Übersee", ["02201", "02202"])]  # fmt: skip
        dashes = [(row, field) for row, field, _value, reason in findings(report, "info") if "Strich" in reason]
        assert dashes == [(2, "u18")]

    def test_an_unknown_name_is_one_reject_with_advice(self, city: Database, tmp_path: Path) -> None:
        rows = [*self.rows(), {"Stadtteil": "Weststat", "Jahr": 2020, "gesamt": "1", "u18": "1", "Anteil": "1"}]
        table = write_csv(tmp_path / "breit.csv", rows)
        report = load_statistics(city.writing, table, mapping=self.WIDE, counting=KEY_DATE, rules=rules("1"))
        assert reject_of(report)[:3] == (5, "area_key", "Weststat")
        (finding,) = [f for f in report.findings if f.severity.value == "reject"]
        assert "Meinten Sie" in finding.advice

    def test_a_merged_key_is_written_one_way(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, [people("02202+02201"), people("02101+02102", "0-18")])
        assert {key[1] for key in observations(city.writing)} == {"02201+02202", "02101+02102"}
        assert query(city.writing, "SELECT key, name FROM merged_area ORDER BY key") == [
            ("02101+02102", "Weststadt / Mitte"), ("02201+02202", "Oststadt / Übersee")]  # fmt: skip

    def test_options_stand_in_for_columns(self, city: Database, tmp_path: Path) -> None:
        table = write_csv(tmp_path / "k.csv", [{"area_key": "02101", "indicator": "x", "value": "3"}])
        with pytest.raises(MappingError, match="area_level"):
            load_statistics(city.writing, table)
        load_statistics(city.writing, table, area_level="stadtteil", period="2014-H1")
        assert observations(city.writing) == {("stadtteil", "02101", "x", "", "2014-H1", "ist"): (3, "ok")}
        with pytest.raises(MappingError, match="--period"):
            load_statistics(city.writing, table, area_level="stadtteil", period="2014-H3")


def test_people_come_whole(city: Database, tmp_path: Path) -> None:
    rows = [people("02101", value="12,5"), people("02102", value="12,5", flag="estimated"),
            people("1", "", "3,5", area_level="bezirk", indicator="spending_eur")]  # fmt: skip
    report = load_rows(city.writing, tmp_path, rows)
    assert [row for row, *_rest, reason in findings(report, "warning") if "ganze Zahl" in reason] == [2]
    report = load_rows(
        city.writing, tmp_path, rows, dataset="statistics.mittel", counting=Counting("mittel_12_stichtage")
    )
    assert not any("ganze Zahl" in reason for *_rest, reason in findings(report, "warning"))


def test_an_area_that_is_gone_keeps_its_figures_with_a_warning(city: Database, tmp_path: Path) -> None:
    gone = write_geojson(tmp_path / "stadtteile.geojson", STADTTEILE[:3])
    load_areas(city.writing, gone, "stadtteil", rules=rules(allow_orphans=True))
    report = load_rows(city.writing, tmp_path, [people("02101"), people("02202")])
    assert [(row, value) for row, _field, value, _reason in findings(report, "warning")] == [(3, "02202")]
    assert len(observations(city.writing)) == 2


def test_a_hundred_thousand_rows_are_loaded(city: Database, tmp_path: Path) -> None:
    keys = [feature["id"] for feature, _shape in STADTTEILE]
    rows = [people(key, f"{age}-{age + 1}", age, period=str(year)) for key in keys for age in range(100)
            for year in range(1900, 2150)]  # fmt: skip
    table = write_csv(tmp_path / "viele.csv", rows)
    report = load_statistics(city.writing, table, counting=KEY_DATE)
    assert (report.rows_loaded, report.rows_rejected) == (100_000, 0)
