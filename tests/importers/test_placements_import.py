"""Placements: counts by area, paragraph and the provider's state; who is responsible, for whom it speaks."""

from pathlib import Path
from typing import Any

import pytest
from figure_help import figures_state, load_placements, mapping
from importer_help import Database, data_version, findings, load_areas, load_city, query, rules, write_csv
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from geodata.database import Access, reading
from geodata.viewer import Role, Viewer
from importers.errors import MappingError, RefusedError
from importers.report import Report


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    regions = write_csv(tmp_path / "regionen.csv", [{"key": "R1", "name": "Region 1"}])
    load_areas(database.writing, regions, "region", key="key", name="name")
    rooms = write_csv(tmp_path / "sozialraeume.csv", [{"key": "S1", "name": "Sozialraum 1"}])
    load_areas(database.writing, rooms, "sozialraum", key="key", name="name")
    return database


def placed(state: str = "Hamburg", number: object = 10, **columns: Any) -> dict[str, Any]:
    return {"area_level": "bezirk", "area_key": "1", "period": "2021-Q3", "paragraph": "34",
            "provider_state": state, "cases": number} | columns  # fmt: skip


def current(database: Database) -> list[tuple[Any, ...]]:
    return query(database.writing, """
        SELECT p.level, p.area_key, p.area_role, p.period, p.paragraph, p.counting, p.provider_state,
               p.place_state, p.cases
        FROM dataset d JOIN placement p ON p.import_id = d.current_import_id
        ORDER BY p.level, p.area_key, p.period, p.provider_state
    """)  # fmt: skip


def deliveries(database: Database) -> list[tuple[Any, ...]]:
    return query(database.writing, """
        SELECT p.level, p.period, p.scope_level, p.scope_key
        FROM dataset d JOIN placement_delivery p ON p.import_id = d.current_import_id ORDER BY 1, 2
    """)  # fmt: skip


def reject_of(report: Report) -> tuple[Any, ...]:
    (found,) = findings(report, "reject")
    return found


def test_rows_are_loaded_with_their_defaults(city: Database, tmp_path: Path) -> None:
    rows = [
        placed("Hamburg", 306),
        placed("schleswig holstein", 181, paragraph="§ 34", counting="begonnen", place_state="Hamburg"),
        placed("AUSLAND", 0, area_key="2"),
        placed("ohne angabe", 3, area_level="stadtteil", area_key="02101"),
        placed("Thueringen", 4, area_level="region", area_key="R1", period="2021"),
        placed("Bayern", 1, area_level="sozialraum", area_key="S1"),
        placed("Berlin", 2, area_key="ohne"),
    ]
    report = load_placements(city.writing, tmp_path, rows)
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (7, 7, 0)
    assert current(city) == [
        ("bezirk", "1", "zustaendig", "2021-Q3", "34", "stichtag", "Hamburg", "", 306),
        ("bezirk", "1", "zustaendig", "2021-Q3", "34", "begonnen", "Schleswig-Holstein", "Hamburg", 181),
        ("bezirk", "2", "zustaendig", "2021-Q3", "34", "stichtag", "Ausland", "", 0),
        ("bezirk", "ohne", "zustaendig", "2021-Q3", "34", "stichtag", "Berlin", "", 2),
        ("region", "R1", "zustaendig", "2021", "34", "stichtag", "Thüringen", "", 4),
        ("sozialraum", "S1", "herkunft", "2021-Q3", "34", "stichtag", "Bayern", "", 1),
        ("stadtteil", "02101", "herkunft", "2021-Q3", "34", "stichtag", "ohne Angabe", "", 3),
    ]
    assert report.counts["Fälle"] == 497


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"area_level": "stadtteil", "area_key": "02101", "area_role": "zustaendig"}, "area_role", "immer Herkunft"),
    ({"area_level": "sozialraum", "area_key": "S1", "area_role": "zustaendig"}, "area_role", "immer Herkunft"),
    ({"area_role": "beides"}, "area_role", "möglich sind: zustaendig, herkunft"),
    ({"area_key": "9"}, "area_key", "gibt es auf der Ebene „bezirk“ nicht"),
    ({"area_level": "kiez"}, "area_level", "keine Gebiete geladen"),
    ({"area_key": ""}, "area_key", "Gebietsschlüssel fehlt"),
    ({"paragraph": ""}, "paragraph", "Paragraf fehlt"),
    ({"paragraph": "Heim"}, "paragraph", "wie „34“ oder „35a“"),
    ({"period": "2021-Q5"}, "period", "kein Zeitraum"),
    ({"counting": "kumuliert"}, "counting", "möglich sind: stichtag, begonnen"),
    ({"provider_state": ""}, "provider_state", "Bundesland des Anbieters fehlt"),
    ({"provider_state": "Niedersaxen"}, "provider_state", "möglich sind: Baden-Württemberg"),
    ({"place_state": "Mallorca"}, "place_state", "möglich sind"),
    ({"cases": ""}, "cases", "Zahl der Fälle fehlt"),
    ({"cases": "."}, "cases", "Zahl der Fälle fehlt"),
    ({"cases": "-1"}, "cases", "ganze Zahl ab 0"),
    ({"cases": "2,5"}, "cases", "ganze Zahl ab 0"),
    ({"cases": "drei"}, "cases", "keine Zahl"),
    ({"cases": str(2**31)}, "cases", "ganze Zahl ab 0"),
    ({"provider_area_level": "bezirk"}, "provider_area_key", "gehören zusammen"),
    ({"provider_area_key": "1"}, "provider_area_key", "gehören zusammen"),
    ({"provider_area_level": "bezirk", "provider_area_key": "9"}, "provider_area_key", "auf der Ebene „bezirk“ nicht"),
]


@pytest.mark.parametrize(("changed", "field", "words"), BAD, ids=lambda v: str(v)[:40])
def test_one_bad_row_is_a_reject_with_its_place(
    city: Database, tmp_path: Path, changed: dict[str, Any], field: str, words: str
) -> None:
    rows = [placed(period="2020"), placed() | changed, *[placed(paragraph=str(number)) for number in range(10, 40)]]
    report = load_placements(city.writing, tmp_path, rows)
    row, where, _value, reason = reject_of(report)
    assert (row, where) == (3, field)
    assert words in reason
    assert len(current(city)) == len(rows) - 1


def test_the_homes_of_other_cities_are_not_ours_to_check(city: Database, tmp_path: Path) -> None:
    rows = [placed("Schleswig-Holstein", 1, provider_area_level="kreis", provider_area_key="01056"),
            placed("Hamburg", 1, provider_area_level="stadtteil", provider_area_key="02101")]  # fmt: skip
    assert load_placements(city.writing, tmp_path, rows).rows_rejected == 0


def test_abbreviations_are_the_mappings_matter(city: Database, tmp_path: Path) -> None:
    states = mapping(columns={"provider_state": {"from": "Land", "values": {"SH": "Schleswig-Holstein"}},
                              "area_key": {"from": "Bezirk", "lookup": "bezirk"}}, level="bezirk")  # fmt: skip
    rows = [{"Bezirk": "West", "Land": "SH", "period": "2021-Q3", "paragraph": 34, "cases": 3}]
    load_placements(city.writing, tmp_path, rows, mapping=states)
    assert current(city) == [
        ("bezirk", "1", "zustaendig", "2021-Q3", "34", "stichtag", "Schleswig-Holstein", "", 3)]  # fmt: skip


def test_the_same_combination_twice_is_a_reject(city: Database, tmp_path: Path) -> None:
    report = load_placements(city.writing, tmp_path, [placed(), placed("HAMBURG", 11)], rules=rules("1"))
    row, _field, value, reason = reject_of(report)
    assert row == 3
    assert "Zeile 2" in reason
    assert "Hamburg" in value
    assert [row[-1] for row in current(city)] == [10]


def test_periods_are_replaced_and_others_kept(city: Database, tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [placed(), placed("Bayern"), placed(period="2021-Q2"),
                                             placed(area_level="region", area_key="R1")])  # fmt: skip
    report = load_placements(city.writing, tmp_path, [placed(number=12), placed("Bayern")], scope="bezirk:1")
    assert [(row[0], row[3], row[6], row[-1]) for row in current(city)] == [
        ("bezirk", "2021-Q2", "Hamburg", 10), ("bezirk", "2021-Q3", "Bayern", 10), ("bezirk", "2021-Q3", "Hamburg", 12),
        ("region", "2021-Q3", "Hamburg", 10)]  # fmt: skip
    assert deliveries(city) == [("bezirk", "2021-Q2", None, None), ("bezirk", "2021-Q3", "bezirk", "1"),
                                ("region", "2021-Q3", None, None)]  # fmt: skip
    assert report.counts["Angaben anderer Zeiträume, behalten"] == 2
    version = data_version(city.writing)
    again = load_placements(city.writing, tmp_path, [placed(number=12), placed("Bayern")], scope="bezirk:1")
    assert again.unchanged
    assert data_version(city.writing) == version
    load_placements(city.writing, tmp_path, [placed()], replace="all", rules=rules("5%", "90%"))
    assert len(current(city)) == 1


class TestScope:
    """For which areas a delivery speaks."""

    def test_rows_outside_are_rejects(self, city: Database, tmp_path: Path) -> None:
        rows = [placed(), placed(area_key="2"), placed(area_level="stadtteil", area_key="02102"),
                placed(area_level="stadtteil", area_key="02201"), placed("Berlin", area_key="ohne")]  # fmt: skip
        report = load_placements(city.writing, tmp_path, rows, scope="bezirk:1", rules=rules("2"))
        assert [(row, value) for row, _field, value, _reason in findings(report, "reject")] == [(3, "2"), (5, "02201")]
        assert deliveries(city) == [("bezirk", "2021-Q3", "bezirk", "1"), ("stadtteil", "2021-Q3", "bezirk", "1")]

    @pytest.mark.parametrize("scope", ["bezirk:9", "kiez:1", "bezirk", "ohne UMA"])
    def test_an_unknown_area_is_refused(self, city: Database, tmp_path: Path, scope: str) -> None:
        before = figures_state(city.writing)
        with pytest.raises(MappingError, match="--scope"):
            load_placements(city.writing, tmp_path, [placed()], scope=scope)
        assert figures_state(city.writing) == before

    def test_it_may_stand_in_the_mapping(self, city: Database, tmp_path: Path) -> None:
        load_placements(city.writing, tmp_path, [placed()], mapping=mapping(dataset={"scope": "bezirk:1"}))
        assert deliveries(city) == [("bezirk", "2021-Q3", "bezirk", "1")]


def test_too_much_that_is_wrong_changes_nothing(city: Database, tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [placed()])
    before = figures_state(city.writing)
    with pytest.raises(RefusedError, match="1 von 2"):
        load_placements(city.writing, tmp_path, [placed(), placed("Entenhausen")])
    with pytest.raises(MappingError, match="keine Spalte „cases“"):
        load_placements(city.writing, tmp_path, [{"area_level": "bezirk", "area_key": "1", "period": "2021",
                                                  "paragraph": "34", "provider_state": "Hamburg"}])  # fmt: skip
    assert figures_state(city.writing) == before


@pytest.mark.parametrize("role", list(Role))
def test_nobody_reads_them_yet(city: Database, tmp_path: Path, role: Role) -> None:
    load_placements(city.writing, tmp_path, [placed()])
    viewer = Viewer(role, "t-1" if role is Role.PROVIDER else None, (("bezirk", "1"),))
    for table in ("placement", "placement_delivery", "observation"):
        with pytest.raises(ProgrammingError, match="permission denied"), _raw(city, viewer) as session:
            session.execute(text(f"SELECT * FROM {table}"))


def _raw(city: Database, viewer: Viewer) -> Any:
    """Return a reading transaction whose errors come as they are."""
    import contextlib

    from geodata.errors import DatabaseStateError

    @contextlib.contextmanager
    def opened() -> Any:
        try:
            with reading(city.serving, Access(viewer)) as session:
                yield session
        except DatabaseStateError as error:
            raise error.__cause__ or error from None

    return opened()
