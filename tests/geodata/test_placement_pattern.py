"""The pattern is computed with the import that changes its inputs, only then, and by stored rules."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from figure_help import load_placements
from hand_rows import rows_in
from importer_help import load_areas, load_city, query, rules, write_csv
from placement_town import build, derive, drawn, place
from sqlalchemy import text

from geodata.database import lock_writers, writing
from geodata.errors import ConflictError, ParameterError
from geodata.placement_pattern import rebuild
from geodata.placement_rule import PlacementRule, read_rule, store_rule
from geodata.versions import rollback

if TYPE_CHECKING:
    from conftest import Database

ROLE = "zustaendig"
CELLS = "SELECT level, area_key, period, category, value, published, suppressed FROM placement_cell ORDER BY 1, 2, 3, 4"


@pytest.fixture
def city(database: "Database", tmp_path: Path) -> "Database":
    """The importers' tiny city: Bezirke 1 and 2 in a Land."""
    load_areas(database.writing, write_csv(tmp_path / "land.csv", [{"id": "02", "name": "Hamburg"}]), "land",
               name="name")  # fmt: skip
    load_city(database.writing, tmp_path)
    with writing(database.writing) as session:
        session.execute(text("UPDATE level SET parent_level = 'land' WHERE level = 'bezirk'"))
        session.execute(
            text("UPDATE area SET parent_level = 'land', parent_key = '02', parent_derived = false "
                 "WHERE level = 'bezirk'")
        )  # fmt: skip
    return database


def row(key: str, state: str, cases: int, period: str = "2021-Q3", **more: Any) -> dict[str, Any]:
    return {"area_level": "bezirk", "area_key": key, "period": period, "paragraph": "34", "provider_state": state,
            "cases": cases} | more  # fmt: skip


def cells(database: "Database", period: str = "2021-Q3") -> dict[tuple[str, str, str], tuple[int, bool]]:
    found = query(
        database.writing,
        "SELECT level, area_key, category, value, suppressed FROM placement_cell WHERE period = :period AND published",
        period=period,
    )
    return {(level, key, category): (value, hidden) for level, key, category, value, hidden in found}


def stamps(database: "Database") -> dict[str, Any]:
    """Where each period's cells lie in the table: the same as before if nobody wrote them."""
    found = query(
        database.writing,
        "SELECT period, md5(string_agg(ctid::text || xmin::text, ' ' ORDER BY ctid)) FROM placement_cell GROUP BY 1",
    )
    return {period: stamp for period, stamp in found}


def test_an_import_publishes_and_adds_up_the_land(city: "Database", tmp_path: Path) -> None:
    rows = [row("1", "Hamburg", 40), row("1", "Bayern", 12), row("1", "Hessen", 2), row("2", "Hamburg", 30),
            row("2", "Bayern", 20), row("2", "Hessen", 9), row("ohne", "Bayern", 4)]  # fmt: skip
    report = load_placements(city.writing, tmp_path, rows)
    found = cells(city)
    assert report.counts["unterdrückte Angaben zu Unterbringungen"] == sum(hidden for _, hidden in found.values())
    assert found["bezirk", "1", "Hessen"] == (2, True)
    # A suppressed nought stands there too; a nought that is not suppressed needs no row.
    assert {key: value for key, (value, _hidden) in found.items() if key[0] == "land" and value} == {
        ("land", "02", "Hamburg"): 70, ("land", "02", "Bayern"): 36, ("land", "02", "Hessen"): 11,
        ("land", "02", "außerhalb"): 47, ("land", "02", "gesamt"): 117}  # fmt: skip
    sheets = query(city.writing, "SELECT level, summed, published, datasets FROM placement_sheet ORDER BY 1")
    assert sheets == [("bezirk", False, True, ["placements"]), ("land", True, True, ["placements"])]
    pattern = query(city.writing, "SELECT home_state, home_level, small, published, loss >= bound - 1e-6 "
                                  "FROM placement_pattern")  # fmt: skip
    assert pattern == [("Hamburg", "bezirk", 3, True, True)]


def test_the_land_is_added_up_from_all_its_bezirke_or_not_at_all(city: "Database", tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [row("1", "Hamburg", 40), row("1", "Bayern", 12)])
    assert {level for level, _key, _category in cells(city)} == {"bezirk"}
    # A delivery for the whole Land speaks for Bezirk 2 as well, which then has none.
    load_placements(city.writing, tmp_path, [row("1", "Hamburg", 40), row("1", "Bayern", 12)], scope="land:02")
    found = cells(city)
    assert found["bezirk", "2", "gesamt"][0] == 0
    assert found["land", "02", "gesamt"][0] == 52


def test_a_delivered_land_stays_as_delivered(city: "Database", tmp_path: Path) -> None:
    rows = [row("1", "Hamburg", 40), row("2", "Hamburg", 30), row("02", "Hamburg", 75, area_level="land")]
    load_placements(city.writing, tmp_path, rows)
    assert cells(city)["land", "02", "gesamt"] == (75, False)
    assert query(city.writing, "SELECT summed FROM placement_sheet WHERE level = 'land'") == [(False,)]


def test_only_what_changed_is_computed_again(city: "Database", tmp_path: Path) -> None:
    first = [row(key, state, number, period) for period in ("2021-Q2", "2021-Q3") for key in "12"
             for state, number in (("Hamburg", 20), ("Bayern", 7), ("Hessen", 2))]  # fmt: skip
    load_placements(city.writing, tmp_path, first)
    before, held = stamps(city), cells(city)
    load_placements(city.writing, tmp_path, [*first[6:-1], row("2", "Hessen", 11)])
    after = stamps(city)
    assert after["2021-Q2"] == before["2021-Q2"]
    assert after["2021-Q3"] != before["2021-Q3"]
    assert cells(city)["bezirk", "2", "Hessen"][0] == 11
    with writing(city.writing) as session:
        assert rebuild(session) == {}
    assert stamps(city) == after
    with writing(city.writing) as session:
        lock_writers(session)
        rollback(session, "placements")
    assert cells(city) == held
    assert stamps(city)["2021-Q2"] == before["2021-Q2"]


def test_a_quarter_no_longer_delivered_goes(city: "Database", tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [row("1", "Hamburg", 20), row("1", "Hamburg", 20, "2021-Q2")])
    load_placements(city.writing, tmp_path, [row("1", "Hamburg", 21)], replace="all", rules=rules("0", "90%"))
    for table in ("placement_cell", "placement_sheet", "placement_pattern"):
        assert query(city.writing, f"SELECT DISTINCT period FROM {table}") == [("2021-Q3",)]


def test_areas_that_hang_together_otherwise_make_a_new_pattern(database: "Database") -> None:
    build(database.writing)
    with rows_in(database.writing) as rows:
        place(rows, drawn(2, 80)[0])
        derive(rows)
        before = rows.session.execute(text("SELECT digest FROM placement_pattern")).scalar_one()
        assert derive(rows) == {}
        rows.session.execute(text("UPDATE area SET parent_key = '1' WHERE level = 'sozialraum' AND key = 'R21'"))
        assert derive(rows)
        assert rows.session.execute(text("SELECT digest FROM placement_pattern")).scalar_one() != before


def test_two_datasets_must_not_speak_for_the_same_area(city: "Database", tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [row("1", "Hamburg", 20), row("ohne", "Hamburg", 4)])
    before = query(city.writing, CELLS)
    with pytest.raises(ConflictError, match=r"„placements“ und „placements\.neu“"):
        load_placements(city.writing, tmp_path, [row("1", "Bayern", 5)], dataset="placements.neu")
    assert query(city.writing, CELLS) == before
    load_placements(city.writing, tmp_path, [row("2", "Bayern", 5), row("ohne", "Hamburg", 6)],
                    dataset="placements.zwei")  # fmt: skip
    assert cells(city)["bezirk", "2", "gesamt"][0] == 5
    assert cells(city)["bezirk", "ohne", "gesamt"][0] == 10
    assert query(city.writing, "SELECT datasets FROM placement_sheet WHERE level = 'bezirk'") == [
        (["placements", "placements.zwei"],)]  # fmt: skip


def test_the_rules_are_stored_and_another_home_state_counts_otherwise(city: "Database", tmp_path: Path) -> None:
    load_placements(city.writing, tmp_path, [row("1", "Hamburg", 20), row("1", "Bayern", 11), row("1", "Hessen", 4)])
    assert cells(city)["bezirk", "1", "außerhalb"] == (15, False)
    with writing(city.writing) as session:
        assert read_rule(session) == PlacementRule()
        assert not store_rule(session, PlacementRule())
        assert rebuild(session) == {}
        assert store_rule(session, PlacementRule(home_state="Bayern", small=5))
        rebuild(session)
    found = cells(city)
    assert found["bezirk", "1", "außerhalb"][0] == 24
    assert found["bezirk", "1", "Hessen"] == (4, True)
    assert query(city.writing, "SELECT home_state, small FROM placement_pattern") == [("Bayern", 5)]


@pytest.mark.parametrize(("rule", "field"), [(PlacementRule(home_state="Atlantis"), "home_state"),
                                             (PlacementRule(small=1), "small")])  # fmt: skip
def test_impossible_rules_are_refused(city: "Database", rule: PlacementRule, field: str) -> None:
    with writing(city.writing) as session:
        with pytest.raises(ParameterError) as refused:
            store_rule(session, rule)
        assert refused.value.parameter == field


def test_how_near_young_people_live(city: "Database", tmp_path: Path) -> None:
    def placed(key: str, state: str, cases: int, level: str = "", at: str = "") -> dict[str, Any]:
        return row(key, state, cases, area_level="stadtteil", provider_area_level=level, provider_area_key=at)

    rows = [
        # The Stadtteile are 1 km wide and side by side: 3 stay, 1 goes 1 km, 2 of Bezirk 2's elsewhere.
        placed("02101", "Hamburg", 3, "stadtteil", "02101"), placed("02101", "Hamburg", 1, "stadtteil", "02102"),
        placed("02101", "Bayern", 2, "kreis", "09162"), placed("02101", "ohne Angabe", 4),
        # Of one in Hamburg it is not known where: no share, and the distance rests on the others.
        placed("02102", "Hamburg", 1), placed("02102", "Hamburg", 1, "stadtteil", "02201"),
        placed("02201", "Hamburg", 5),
    ]  # fmt: skip
    load_placements(city.writing, tmp_path, rows)
    found = query(city.writing, "SELECT area_key, placed, distance_km, own_area_share FROM placement_near ORDER BY 1")
    assert found == [("02101", 4, pytest.approx(0.25), pytest.approx(0.5)), ("02102", 1, pytest.approx(1), None)]
