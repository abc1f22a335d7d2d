"""The question of placements: shares, intervals, changes, and what is said where something is missing."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hand_rows import Rows, rows_in
from placement_town import STADTTEILE, build, derive, place

from geodata.answer import Answer
from geodata.database import Access, reading
from geodata.errors import ConflictError, ParameterError
from geodata.placement_figures import UNSECURED
from geodata.placements import PlacementRow, PlacementsRequest, placements
from geodata.proportions import Proportion, newcombe, wilson
from geodata.viewer import PUBLIC, Role, Version, Viewer

if TYPE_CHECKING:
    from conftest import Database

ADMIN = Viewer(Role.ADMIN)
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))


def asked(database: "Database", viewer: Viewer = PUBLIC, **given: Any) -> Answer[PlacementRow]:
    request = PlacementsRequest(**{"level": "bezirk", **given})
    if viewer is not PUBLIC:
        request = replace(request, version=Version.INTERNAL)
    with reading(database.serving, Access(viewer)) as session:
        return placements(session, request)


def by_key(answer: Answer[PlacementRow]) -> dict[str, PlacementRow]:
    return {row.area_key: row for row in answer.rows}


def test_hamburg_mitte_s_published_table(examples_database: "Database") -> None:
    answer = asked(examples_database, period="2021-Q3", compare="2019-Q3")
    (row,) = answer.rows
    assert (row.area_level, row.area_key, row.area_name, row.period) == ("bezirk", "1", "Hamburg-Mitte", "2021-Q3")
    assert (row.cases, row.outside_cases, row.unknown_cases) == (540, 287, 0)
    assert row.outside_share is not None
    assert row.ci_low is not None
    assert row.ci_high is not None
    assert [round(100 * value, 2) for value in (row.outside_share, row.ci_low, row.ci_high)] == [53.15, 48.93, 57.32]
    assert row.change_cases == 540 - 617
    changes = (row.change_pp, row.change_ci_low, row.change_ci_high)
    assert [round(value, 2) for value in changes if value is not None] == [2.74, -3.02, 8.48]
    assert row.note is not None
    assert UNSECURED in row.note
    assert UNSECURED in answer.meta.warnings
    # The printed table has counts of 1 and 2; here they are left out, though whoever holds the report has them.
    assert row.suppressed
    assert row.by_state is not None
    assert {state for state, cases in row.by_state.items() if cases is None} == {
        "Hessen", "Mecklenburg-Vorpommern", "Saarland", "Sachsen", "Sachsen-Anhalt"}  # fmt: skip
    assert row.by_state["Schleswig-Holstein"] == 164
    assert "Gemeinsame Lösungsverantwortung" in (answer.meta.sources[0].attribution or "")


def test_the_first_quarter_of_the_published_table_and_the_series(examples_database: "Database") -> None:
    (row,) = asked(examples_database, period="2019-Q3").rows
    assert row.outside_share is not None
    assert row.ci_low is not None
    assert row.ci_high is not None
    assert [round(100 * value, 2) for value in (row.outside_share, row.ci_low, row.ci_high)] == [50.41, 46.47, 54.34]
    assert row.change_cases is row.change_pp is row.change_ci_low is None
    series = asked(examples_database, series=True, compare="2019-Q3")
    assert [(one.period, one.cases, one.change_cases) for one in series.rows] == [
        ("2019-Q3", 617, None), ("2021-Q3", 540, -77)]  # fmt: skip
    assert series.rows[0].outside_share == row.outside_share
    assert "3. Quartal 2019 bis 3. Quartal 2021" in series.meta.title
    assert asked(examples_database).rows[0].period == "2021-Q3"


def test_the_own_planner_reads_the_table_as_printed(examples_database: "Database") -> None:
    (row,) = asked(examples_database, PLANNER, period="2021-Q3").rows
    assert row.by_state == {
        "Berlin": 5, "Hamburg": 253, "Hessen": 1, "Mecklenburg-Vorpommern": 1, "Niedersachsen": 101,
        "Nordrhein-Westfalen": 8, "Rheinland-Pfalz": 3, "Saarland": 1, "Sachsen": 2, "Sachsen-Anhalt": 1,
        "Schleswig-Holstein": 164}  # fmt: skip
    assert not row.suppressed


def _people(rows: Rows, dataset: str, period: str, ends: str, values: dict[tuple[str, str], float | None]) -> None:
    version = rows.version(dataset, "statistics")
    for (key, position), value in values.items():
        rows.insert("observation", import_id=version, level="stadtteil", area_key=key, indicator="population",
                    position=position, period=period, value=value, flag="ok" if value is not None else "missing",
                    starts=ends, ends=ends)  # fmt: skip


@pytest.fixture(scope="module")
def town(new_database: "Callable[[], Database]") -> "Database":
    made = new_database()
    build(made.writing)
    with rows_in(made.writing) as rows:
        origin = {
            ("stadtteil", "11", "herkunft"): {"Hamburg": 30, "Bayern": 10, "ohne Angabe": 5},
            ("stadtteil", "12", "herkunft"): {"Hamburg": 20, "Bayern": 1},
            ("stadtteil", "13", "herkunft"): {"ohne Angabe": 12},
            ("stadtteil", "21", "herkunft"): {"Hamburg": 40, "Bayern": 2},
            ("stadtteil", "22", "herkunft"): {"Hamburg": 12, "Bayern": 9, "Ausland": 7},
            ("stadtteil", "31", "herkunft"): {"Hamburg": 0},
            ("stadtteil", "23+24", "herkunft"): {"Hamburg": 11, "Bayern": 8},
            ("stadtteil", "ohne", "herkunft"): {"Hamburg": 8, "Bayern": 4},
        }
        rows.insert("merged_area", level="stadtteil", key="23+24", name="Drei/Vier", members=["23", "24"])
        before = {area: {state: 2 * cases for state, cases in states.items()} for area, states in origin.items()
                  if area[1] not in {"12", "22"}}  # fmt: skip
        version = place(rows, origin)
        place(rows, before, period="2020-Q3", version=version)
        begun = {("stadtteil", "11", "herkunft"): {"Hamburg": 6, "Bayern": 4, "ohne Angabe": 3},
                 ("stadtteil", "12", "herkunft"): {"Hamburg": 4, "Bayern": 1}}  # fmt: skip
        place(rows, begun, counting="begonnen", version=version)
        place(rows, {("stadtteil", "11", "herkunft"): {"Hamburg": 9, "Bayern": 8}}, period="2020", version=version)
        place(rows, {("bezirk", "1", "zustaendig"): {"Hamburg": 40, "Bayern": 20}}, paragraph="35", version=version)
        young = {(key, "0-18"): 900.0 for key in STADTTEILE} | {(key, "18-21"): 100.0 for key in STADTTEILE}
        _people(rows, "statistics.neu", "2020-12-31", "2020-12-31",
                young | {("12", "0-18"): None, ("31", "0-18"): 0, ("31", "18-21"): 0})  # fmt: skip
        _people(rows, "statistics.spaeter", "2021-12-31", "2021-12-31", {(key, "0-21"): 5.0 for key in STADTTEILE})
        _people(rows, "statistics.alt", "2019-12-31", "2019-12-31", {(key, "0-21"): 7.0 for key in STADTTEILE})
        derive(rows)
    return made


def test_every_area_is_a_row_and_what_was_not_delivered_is_missing(town: "Database") -> None:
    answer = asked(town, level="stadtteil")
    keys = ["11", "12", "13", "14", "21", "22", "23", "23+24", "24", "31", "32", "33", "34", "ohne"]
    assert [row.area_key for row in answer.rows] == keys
    rows = by_key(answer)
    missing = [key for key, row in rows.items() if row.cases is None and not row.suppressed]
    assert missing == ["14", "23", "24", "32", "33", "34"]
    assert answer.meta.missing == sum(row.cases is None for row in answer.rows)
    assert all(rows[key].note == "Keine Angabe: Die Lieferung gilt nicht für dieses Gebiet." for key in missing)
    assert (rows["31"].cases, rows["31"].outside_share) == (0, None)
    assert rows["31"].note == "Ohne Fälle mit bekanntem Bundesland gibt es keinen Anteil."
    assert rows["23+24"].area_name == "Drei/Vier"
    assert rows["ohne"].area_name == "ohne räumliche Zuordnung"


def test_shares_leave_out_whose_state_nobody_says_and_abroad_is_outside(town: "Database") -> None:
    rows = by_key(asked(town, ADMIN, level="stadtteil"))
    row = rows["11"]
    assert (row.cases, row.outside_cases, row.unknown_cases, row.outside_share) == (45, 10, 5, 0.25)
    expected = wilson(Proportion(10, 40))
    assert expected is not None
    assert (row.ci_low, row.ci_high) == (expected.low, expected.high)
    assert (rows["22"].outside_cases, rows["22"].outside_share) == (16, pytest.approx(16 / 28))
    assert (rows["13"].cases, rows["13"].outside_share, rows["13"].ci_low) == (12, None, None)
    assert rows["11"].begun_outside_share == pytest.approx(0.4)
    assert rows["22"].begun_outside_share is None


def test_what_rests_on_a_suppressed_count_is_missing(town: "Database") -> None:
    rows = by_key(asked(town, level="stadtteil", compare="2020-Q3"))
    row = rows["12"]
    assert row.suppressed
    assert (row.outside_cases, row.outside_share, row.ci_low, row.begun_outside_share) == (None,) * 4
    assert row.by_state is None
    assert row.note is not None
    assert "unterdrückt" in row.note
    # 21 had 4 outside the year before and has 2 now: the change would give it away.
    assert rows["21"].outside_share is rows["21"].change_pp is rows["21"].change_ci_high is None
    raw = by_key(asked(town, PLANNER, level="stadtteil", compare="2020-Q3"))
    assert (raw["12"].outside_cases, raw["12"].suppressed) == (1, False)
    assert raw["12"].by_state == {"Bayern": 1, "Hamburg": 20}
    assert raw["21"].outside_cases is None


def test_changes_against_another_quarter(town: "Database") -> None:
    rows = by_key(asked(town, ADMIN, level="stadtteil", compare="2020-Q3"))
    row = rows["11"]
    expected = newcombe(Proportion(20, 80), Proportion(10, 40))
    assert expected is not None
    assert row.change_cases == -45
    assert (row.change_pp, row.change_ci_low, row.change_ci_high) == pytest.approx(
        (0, 100 * expected.low, 100 * expected.high)
    )
    assert row.note == UNSECURED
    assert rows["22"].change_cases is None
    assert rows["22"].note == "Für das 3. Quartal 2020 fehlt die Angabe; eine Veränderung gibt es nicht."


def test_cases_per_1000_by_origin_from_the_latest_residents_before_the_end(town: "Database") -> None:
    answer = asked(town, ADMIN, level="stadtteil")
    rows = by_key(answer)
    assert rows["11"].per_1000 == pytest.approx(45)
    assert rows["12"].per_1000 is rows["31"].per_1000 is rows["ohne"].per_1000 is None
    assert any("31.12.2020" in warning for warning in answer.meta.warnings)
    assert "Ohne Einwohner von 0 bis unter 21 Jahren: stadtteil 12, Drei/Vier und stadtteil 31." in answer.meta.warnings
    assert {source.dataset for source in answer.meta.sources} == {"placements", "statistics.neu", "areas.stadtteil"}
    assert by_key(asked(town, paragraph="35"))["1"].per_1000 is None
    older = by_key(asked(town, ADMIN, level="stadtteil", period="2020-Q3"))
    assert older["11"].per_1000 == pytest.approx(90 * 1000 / 7)


def test_pages_come_in_order_and_end(town: "Database") -> None:
    whole = asked(town, ADMIN, level="stadtteil", series=True)
    assert [(row.area_key, row.period) for row in whole.rows[:3]] == [
        ("11", "2020-Q3"), ("11", "2021-Q3"), ("12", "2020-Q3")]  # fmt: skip
    got: list[PlacementRow] = []
    after: tuple[str, str] | None = None
    while True:
        page = asked(town, ADMIN, level="stadtteil", series=True, limit=5, after=after)
        got += page.rows
        if page.meta.next is None:
            break
        key, period = page.meta.next.split("\n")
        after = key, period
    assert got == whole.rows


def test_one_area_and_what_lies_in_it(town: "Database") -> None:
    inside = asked(town, level="stadtteil", area=("bezirk", "2"), geometry=True)
    assert [row.area_key for row in inside.rows] == ["21", "22", "23", "23+24", "24"]
    assert all(row.geometry is not None for row in inside.rows)
    assert [row.area_key for row in asked(town, level="stadtteil", area=("stadtteil", "11")).rows] == ["11"]
    assert [row.area_key for row in asked(town, level="stadtteil", area=("stadtteil", "ohne")).rows] == ["ohne"]
    assert asked(town, level="stadtteil").rows[0].geometry is None


def test_years_stay_with_the_office_and_apart_from_quarters(town: "Database") -> None:
    (row,) = [row for row in asked(town, PLANNER, level="stadtteil", period="2020").rows if row.cases is not None]
    assert (row.area_key, row.cases, row.outside_cases) == ("11", 17, 8)
    # Of other offices' areas nothing is listed, as nothing of them is missing.
    assert {row.area_key for row in asked(town, PLANNER, level="stadtteil", period="2020").rows} == {
        "11", "12", "13", "14"}  # fmt: skip
    with pytest.raises(ParameterError) as refused:
        asked(town, level="stadtteil", period="2020")
    assert refused.value.allowed == ("2021-Q3", "2020-Q3")
    assert {row.period for row in asked(town, ADMIN, level="stadtteil", series=True).rows} == {"2020-Q3", "2021-Q3"}
    with pytest.raises(ParameterError, match="2020"):
        asked(town, ADMIN, level="stadtteil", compare="2020")


@pytest.mark.parametrize(
    ("given", "parameter", "words"),
    [
        ({"level": "kiez"}, "level", "gibt es nicht"),
        ({"level": "statgebiet"}, "level", "Vorhanden: bezirk und stadtteil"),
        ({"level": "stadtteil", "paragraph": "99"}, "paragraph", "Vorhanden: 34"),
        ({"level": "stadtteil", "area_role": "zustaendig"}, "area_role", "Vorhanden: herkunft"),
        ({"level": "stadtteil", "area_role": "beides"}, "area_role", "zustaendig, herkunft"),
        ({"paragraph": "35", "counting": "begonnen"}, "counting", "Vorhanden: stichtag"),
        ({"level": "stadtteil", "counting": "kumuliert"}, "counting", "stichtag, begonnen"),
        ({"level": "stadtteil", "period": "2021-Q5"}, "period", "kein Zeitraum"),
        ({"level": "stadtteil", "period": "2019-Q1"}, "period", "Vorhanden: 2021-Q3 und 2020-Q3"),
        ({"level": "stadtteil", "compare": "gestern"}, "compare", "kein Zeitraum"),
        ({"level": "stadtteil", "compare": "2021-Q3"}, "compare", "mit sich selbst"),
        ({"level": "stadtteil", "area": ("bezirk", "9")}, "area", "kein Gebiet"),
        ({"level": "stadtteil", "area": ("kiez", "1")}, "area", "gibt es nicht"),
    ],
)
def test_wrong_requests_are_refused(town: "Database", given: dict[str, Any], parameter: str, words: str) -> None:
    with pytest.raises(ParameterError) as refused:
        asked(town, **given)
    assert refused.value.parameter == parameter
    assert words in str(refused.value)


def test_another_home_state_is_refused(town: "Database") -> None:
    assert asked(town, level="stadtteil", home_state="Hamburg").rows
    with pytest.raises(ConflictError, match="„Hamburg“ als eigenem Bundesland"):
        asked(town, level="stadtteil", home_state="Bremen")


def test_without_placements_there_is_a_sentence(database: "Database") -> None:
    build(database.writing)
    with pytest.raises(ParameterError, match="keine Unterbringungen geladen"):
        asked(database)
