"""Placements that are internal are read by the own office only: nothing they have a part in is published."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from figure_help import load_placements, mapping
from importer_help import load_city, query, rules, write_csv
from sqlalchemy import text

from geodata.database import Access, lock_writers, reading, writing
from geodata.errors import ParameterError
from geodata.placements import PlacementsRequest, placements
from geodata.versions import rollback
from geodata.viewer import PUBLIC, Role, Viewer
from importers.errors import MappingError

if TYPE_CHECKING:
    from conftest import Database

PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))


@pytest.fixture
def city(database: "Database", tmp_path: Path) -> "Database":
    load_city(database.writing, tmp_path)
    return database


def row(key: str, cases: int, paragraph: str = "34", **more: Any) -> dict[str, Any]:
    return {"area_level": "bezirk", "area_key": key, "period": "2021-Q3", "paragraph": paragraph,
            "provider_state": "Hamburg", "cases": cases} | more  # fmt: skip


def seen(database: "Database", viewer: Viewer = PUBLIC) -> dict[tuple[str, str], int]:
    """Return visible totals by paragraph and area."""
    with reading(database.serving, Access(viewer)) as session:
        found = session.execute(
            text("SELECT paragraph, area_key, value FROM placement_visible WHERE category = 'gesamt'")
        ).all()
    return {(paragraph, key): value for paragraph, key, value in found}


def releases(database: "Database") -> set[str]:
    return {release for (release,) in query(
        database.writing, "SELECT i.release::text FROM dataset d JOIN import_run i ON i.id = d.current_import_id "
                          "WHERE d.kind = 'placements'")}  # fmt: skip


def test_a_delivery_is_public_unless_it_says_otherwise(city: "Database", tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [row("1", 40)])
    assert releases(city) == {"public"}
    assert seen(city) == {("34", "1"): 40}


@pytest.mark.parametrize("how", [{"release": "internal"}, {"mapping": mapping(dataset={"release": "internal"})}])
def test_of_an_internal_one_nothing_is_published(city: "Database", tmp_path: Path, how: dict[str, Any]) -> None:
    load_placements(city.writing, tmp_path, [row("1", 40), row("2", 30), row("02101", 9, area_level="stadtteil")],
                    **how)  # fmt: skip
    assert releases(city) == {"internal"}
    assert seen(city) == {}
    assert seen(city, PLANNER) == {("34", "1"): 40, ("34", "02101"): 9}
    assert query(city.writing, "SELECT published, cells, suppressed FROM placement_pattern") == [(False, 0, 0)]
    with reading(city.serving) as session, pytest.raises(ParameterError, match="keine Unterbringungen geladen"):
        placements(session, PlacementsRequest("bezirk"))


def test_an_option_goes_before_the_mapping(city: "Database", tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [row("1", 40)], release="public",
                    mapping=mapping(dataset={"release": "internal"}))  # fmt: skip
    assert releases(city) == {"public"}
    with pytest.raises(MappingError, match="public, internal"):
        load_placements(city.writing, tmp_path, [row("1", 41)], release="geheim")


def test_what_an_internal_dataset_has_a_part_in_is_not_published_either(city: "Database", tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [row("1", 40), row("1", 20, "35")])
    assert seen(city) == {("34", "1"): 40, ("35", "1"): 20}
    load_placements(city.writing, tmp_path, [row("2", 30)], dataset="placements.zwei", release="internal")
    # Of § 34 one dataset is internal, of § 35 none.
    assert seen(city) == {("35", "1"): 20}
    load_placements(city.writing, tmp_path, [row("2", 30)], dataset="placements.zwei", replace="all")
    assert seen(city) == {("34", "1"): 40, ("34", "2"): 30, ("35", "1"): 20}


def test_the_same_counts_under_another_release_are_published_anew(city: "Database", tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [row("1", 40)], release="internal")
    assert seen(city) == {}
    with pytest.raises(MappingError, match="release = internal"):
        load_placements(city.writing, tmp_path, [row("1", 40), row("1", 3, period="2021-Q2")][1:])
    report = load_placements(city.writing, tmp_path, [row("1", 40)], replace="all", rules=rules("0"))
    assert not report.unchanged
    assert seen(city) == {("34", "1"): 40}
    with writing(city.writing) as session:
        lock_writers(session)
        rollback(session, "placements")
    assert seen(city) == {}


def test_the_command_takes_the_release(
    city: "Database", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from service.cli import main

    monkeypatch.setenv("SRK_DATABASE_URL", city.serving_url)
    monkeypatch.setenv("SRK_ADMIN_DATABASE_URL", city.writing_url)
    file = write_csv(tmp_path / "unterbringungen.csv", [row("1", 40)])
    with pytest.raises(SystemExit) as ended:
        main(["import", "placements", str(file), "--release", "internal"])
    assert (ended.value.code or 0, capsys.readouterr().err) == (0, "")
    assert releases(city) == {"internal"}
