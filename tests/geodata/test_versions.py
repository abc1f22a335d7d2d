"""Versions: what makes a new one, and the way back."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hand_rows import rows_in
from sqlalchemy import Engine, text
from version_help import (
    DAY,
    EAST,
    TOWN,
    WEST,
    City,
    back,
    compared,
    data_version,
    home,
    one,
    query,
    small_city,
)  # fmt: skip

from geodata.conflicts import ConflictError
from geodata.database import writing
from geodata.errors import NotFoundError
from geodata.versions import NoVersionBeforeError, OrphansError, content_digest
from importers.load import Footnotes, Limit, Rules
from importers.report import Report

if TYPE_CHECKING:
    from conftest import Database


@pytest.fixture
def city(database: "Database", tmp_path: Path) -> City:
    return small_city(database.writing, tmp_path)


def unattended() -> Rules:
    return Rules(Limit(number=0), Limit(share=0.9), unattended=True)


def versions_of(engine: Engine, name: str) -> list[int]:
    return [
        number
        for (number,) in query(
            engine,
            "SELECT i.id FROM import_run i JOIN dataset d ON d.id = i.dataset_id WHERE d.name = :name ORDER BY 1",
            name=name,
        )
    ]


# --- what makes a new version -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again",
    [
        lambda city: city.areas("stadtteil", [WEST, EAST], parent_level="bezirk"),
        lambda city: city.areas("stadtteil", [EAST, WEST], parent_level="bezirk"),
        lambda city: city.homes([home(1), home(2, 1500), home(3, 700, 900, supply=12, supply_unit="places")]),
        lambda city: city.homes([home(3, 700, 900, supply=12, supply_unit="places"), home(2, 1500), home(1)]),
    ],
    ids=["areas", "areas-other-order", "facilities", "facilities-other-order"],
)
def test_identical_content_makes_no_new_version(city: City, again: Callable[[City], Report]) -> None:
    engine = city.engine
    before = data_version(engine), query(engine, "SELECT name, current_import_id, previous_import_id FROM dataset")
    runs = one(engine, "SELECT count(*) FROM import_run")
    engine_time = one(engine, "SELECT clock_timestamp()")
    report = again(city)
    assert report.unchanged
    assert report.data_version is None
    assert "keine neue Fassung" in report.headline()
    assert (data_version(engine), query(engine, "SELECT name, current_import_id, previous_import_id FROM dataset")) == (
        before
    )
    assert one(engine, "SELECT count(*) FROM import_run") == runs
    assert one(engine, "SELECT checked_at FROM source_state WHERE dataset = :name", name=report.dataset) > engine_time


def test_identical_content_of_a_derived_parent_is_seen_through_the_derivation(city: City) -> None:
    engine = city.engine
    derived = query(engine, "SELECT key, parent_key, parent_derived FROM area WHERE level = 'stadtteil' ORDER BY key")
    assert derived == [("o", "1", True), ("w", "1", True)]
    held = one(engine, "SELECT current_import_id FROM dataset WHERE name = 'areas.stadtteil'")
    with writing(engine) as session:
        recomputed = content_digest(session, "areas", held)
    assert recomputed == one(engine, "SELECT content_digest FROM import_run WHERE id = :id", id=held)


def test_a_new_stand_is_a_new_version_and_only_two_are_kept(city: City) -> None:
    engine = city.engine
    rows = [home(1), home(2, 1500)]
    made = []
    for year in (2024, 2025, 2026):
        report = city.homes(rows, footnotes=Footnotes("Treffs", as_of=dt.date(year, 1, 1)))
        assert not report.unchanged
        made.append(one(engine, "SELECT current_import_id FROM dataset WHERE name = 'facilities.okja'"))
    assert len(set(made)) == 3
    assert data_version(engine) == 6
    for table in ("place", "offer", "facility_area"):
        held = {number for (number,) in query(engine, f"SELECT DISTINCT import_id FROM {table}")}
        assert held == set(made[1:]), table
    assert versions_of(engine, "facilities.okja")[-3:] == made, "the history of imports stays"
    found = compared(engine, "facilities.okja")
    assert found.notes == {"as_of": ("2025-01-01", "2026-01-01")}
    assert found.changes == []


def test_what_is_said_of_the_level_is_news_though_its_areas_are_as_they_were(
    database: "Database", tmp_path: Path
) -> None:
    city = City(database.writing, tmp_path)
    city.areas("bezirk", TOWN)
    city.areas("stadtteil", [WEST, EAST])
    assert not city.areas("stadtteil", [WEST, EAST], level_title="Viertel").unchanged
    assert one(city.engine, "SELECT title FROM level WHERE level = 'stadtteil'") == "Viertel"
    assert not city.areas("stadtteil", [WEST, EAST], parent_level="bezirk").unchanged
    parents = query(city.engine, "SELECT key, parent_key FROM area_visible WHERE level = 'stadtteil' ORDER BY key")
    assert parents == [("o", "1"), ("w", "1")]
    assert city.areas("stadtteil", [WEST, EAST], parent_level="bezirk").unchanged


def test_a_missing_value_and_an_empty_one_are_told_apart(city: City) -> None:
    assert not city.homes([home(1, age_from=0), home(2, 1500), home(3, 700, 900)]).unchanged
    assert not city.homes([home(1), home(2, 1500), home(3, 700, 900)]).unchanged


# --- the way back -------------------------------------------------------------------------------------------------


def shown(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that readers see of areas and places, links and parents included."""
    return {
        "areas": query(engine, "SELECT level, key, name, parent_level, parent_key, ST_AsText(geom) FROM area_visible "
                               "ORDER BY 1, 2"),
        "places": query(engine, "SELECT p.facility_id, p.name, ST_AsText(p.geom) FROM place p JOIN dataset d "
                                "ON d.current_import_id = p.import_id ORDER BY 1"),
        "links": query(engine, "SELECT f.facility_id, f.level, f.area_key FROM facility_area f JOIN dataset d "
                               "ON d.current_import_id = f.import_id ORDER BY 1, 2"),
    }  # fmt: skip


def test_a_rollback_brings_areas_links_and_parents_back_and_forth(city: City) -> None:
    engine = city.engine
    old = shown(engine)
    # The border between the Stadtteile moves east, past two places; a third Stadtteil reaches out of the city.
    moved = [("w", "West", (0, 0, 1600, 2000)), ("o", "Ost", (1600, 0, 2000, 2000)), ("n", "Nord", (0, 2000, 50, 2050))]
    city.areas("stadtteil", moved, parent_level="bezirk")
    new = shown(engine)
    assert old["links"] != new["links"]
    assert ("n", None) in {(row[1], row[4]) for row in new["areas"]}
    version = data_version(engine)

    done = back(engine, "areas.stadtteil")
    assert shown(engine) == old
    assert (done.dataset, done.rows, done.data_version) == ("areas.stadtteil", 2, version + 1)
    assert done.data_version == data_version(engine)
    assert done.counts["übergeordnetes Gebiet aus größter Überlappung"] == 2

    back(engine, "areas.stadtteil")
    assert shown(engine) == new
    assert data_version(engine) == version + 2


def test_a_rollback_of_the_parents_level_moves_the_children(city: City) -> None:
    engine = city.engine
    old = shown(engine)
    city.areas("bezirk", [("1", "Stadt", (0, 0, 1000, 2000)), ("2", "Neustadt", (1000, 0, 2000, 2000))])
    assert {row[1]: row[4] for row in shown(engine)["areas"] if row[0] == "stadtteil"} == {"w": "1", "o": "2"}
    back(engine, "areas.bezirk")
    assert shown(engine) == old


def test_links_made_while_a_version_was_hidden_are_right_when_it_comes_back(city: City) -> None:
    engine = city.engine
    city.homes([home(1, 100), home(4, 1900)])
    city.areas("stadtteil", [("w", "West", (0, 0, 400, 2000)), ("o", "Ost", (400, 0, 2000, 2000))],
               parent_level="bezirk")  # fmt: skip
    back(engine, "facilities.okja")
    links = {row[0]: row[2] for row in shown(engine)["links"] if row[1] == "stadtteil"}
    assert links == {"a1": "o", "a2": "o", "a3": "o"}


def test_what_was_rolled_back_comes_again_only_by_hand_or_changed(city: City) -> None:
    engine = city.engine
    bad, worse = [home(1, 600)], [home(1, 610)]
    city.homes(bad)
    back(engine, "facilities.okja")
    version = data_version(engine)
    report = city.homes(bad, rules=unattended())
    assert report.unchanged
    assert any("zurückgenommen" in finding.reason for finding in report.findings)
    assert data_version(engine) == version
    assert one(engine, "SELECT count(*) FROM offer_visible") == 3
    assert not city.homes(worse, rules=unattended()).unchanged
    assert not city.homes(bad, rules=unattended()).unchanged, "another version came between: the word is spent"
    back(engine, "facilities.okja")
    assert not city.homes(bad).unchanged, "by hand it may come"
    assert one(engine, "SELECT refused_digest FROM dataset WHERE name = 'facilities.okja'") is None


def test_a_version_from_before_digests_were_kept_is_refused_as_well(city: City) -> None:
    engine = city.engine
    bad = [home(1, 600)]
    city.homes(bad)
    with writing(engine) as session:
        session.execute(text("UPDATE import_run SET content_digest = NULL"))
    back(engine, "facilities.okja")
    assert city.homes(bad, rules=unattended()).unchanged


def test_areas_others_refer_to_are_not_rolled_away(city: City) -> None:
    engine = city.engine
    city.areas("stadtteil", [WEST, EAST, ("n", "Nord", (0, 2000, 50, 2050))], parent_level="bezirk")
    with rows_in(engine) as rows:
        made = rows.version("statistics.hand", "statistics")
        rows.insert("observation", import_id=made, level="stadtteil", area_key="n", indicator="population",
                    position="total", period="2025", value=1, flag="ok", starts=dt.date(2025, 1, 1),
                    ends=dt.date(2025, 12, 31))  # fmt: skip
    before = shown(engine), data_version(engine)
    with pytest.raises(OrphansError, match=r"^1 Gebiet fällt weg, auf das sich noch 1 Beobachtung bezieht; .*\.$"):
        back(engine, "areas.stadtteil")
    assert (shown(engine), data_version(engine)) == before
    back(engine, "areas.stadtteil", allow_orphans=True)
    assert {row[1] for row in shown(engine)["areas"]} == {"1", "w", "o"}


def test_figures_another_dataset_has_by_now_do_not_come_back(database: "Database") -> None:
    figure = {"level": "stadtteil", "area_key": "1", "indicator": "population", "position": "total", "period": "2025",
              "value": 1.0, "flag": "ok", "starts": DAY, "ends": DAY}  # fmt: skip
    with rows_in(database.writing) as rows:
        rows.level("stadtteil")
        rows.insert("observation", import_id=rows.version("statistics.a", "statistics"), **figure)
        made = rows.version("statistics.a", "statistics")
        rows.insert("observation", import_id=made, **figure | {"period": "2026"})
        rows.insert("observation", import_id=rows.version("statistics.b", "statistics"), **figure)
    version = data_version(database.writing)
    with pytest.raises(ConflictError, match=r"„statistics\.[ab]“"):
        back(database.writing, "statistics.a")
    assert data_version(database.writing) == version
    held = one(database.writing, "SELECT current_import_id FROM dataset WHERE name = 'statistics.a'")
    assert held == made


def test_sentences_where_there_is_nothing_to_go_back_to(city: City) -> None:
    for ask in (back, compared):
        with pytest.raises(NoVersionBeforeError, match=r"^Vom Bestand „areas.bezirk“ gibt es nur eine Fassung; .*\.$"):
            ask(city.engine, "areas.bezirk")
        with pytest.raises(NotFoundError, match=r"„areas.mond“ gibt es nicht\. Vorhanden: areas\.bezirk, areas\.stadt"):
            ask(city.engine, "areas.mond")


def test_an_empty_database_has_no_dataset_to_name(database: "Database") -> None:
    with pytest.raises(NotFoundError, match=r"Vorhanden: keiner\.$"):
        back(database.writing, "areas.bezirk")


def test_two_rollbacks_at_once_come_one_after_the_other(city: City) -> None:
    """The writers' lock serialises them: the second undoes the first and nothing in between is lost."""
    from concurrent.futures import ThreadPoolExecutor

    engine = city.engine
    city.homes([home(1)])
    new, version = shown(engine), data_version(engine)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: back(engine, "facilities.okja"), range(2)))
    assert shown(engine) == new
    assert data_version(engine) == version + 2
