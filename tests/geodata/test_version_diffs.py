"""Differences of two versions: told row by row, for every kind of data, against a plain comparison."""

import itertools
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hand_rows import X0, Y0, Rows, point, rows_in, square
from sqlalchemy import text
from version_help import DAY, EAST, City, back, compared, home, small_city

import geodata.figure_tables
import geodata.surface_tables  # noqa: F401 - their tables join the metadata
from geodata.tables import Base
from geodata.versions import TABLES, Versioned, content_digest

if TYPE_CHECKING:
    from conftest import Database

DERIVED = {"facility_area", "facility_snap", "observation_split"}
# What is released of the visible versions; made anew with them, so that no version holds rows of its own there.
RELEASED = {"observation_published", "observation_guarded"}


@pytest.fixture
def city(database: "Database", tmp_path: Path) -> City:
    return small_city(database.writing, tmp_path)


# --- what differs -------------------------------------------------------------------------------------------------


def test_the_differences_of_facilities(city: City) -> None:
    city.homes([
        home(1, provider="Verein"),
        home(3, 710, 900, supply=15, supply_unit="places"),
        home(4, 300),
    ])  # fmt: skip
    found = compared(city.engine, "facilities.okja")
    assert found.counts == {
        "Angebote": {"added": 1, "changed": 1, "removed": 1},
        "Einrichtungen": {"added": 1, "changed": 2, "removed": 1},
    }
    by_key = {(change.table, change.key): (change.change, change.fields) for change in found.changes}
    assert by_key["Angebote", "a3"] == ("changed", {"supply": (12, 15)})
    assert by_key["Angebote", "a4"] == ("added", {})
    assert by_key["Angebote", "a2"] == ("removed", {})
    assert by_key["Einrichtungen", "a1"][1]["provider"] == (None, "Verein")
    assert by_key["Einrichtungen", "a3"][1] == {
        "geom": (f"POINT({X0 + 700} {Y0 + 900})", f"POINT({X0 + 710} {Y0 + 900})")
    }
    assert found.notes == {}


def test_the_differences_of_areas_leave_out_what_is_derived(city: City) -> None:
    city.areas("stadtteil", [("w", "Westen", (0, 0, 1000, 1999)), EAST], parent_level="bezirk")
    found = compared(city.engine, "areas.stadtteil")
    assert found.counts == {"Gebiete": {"added": 0, "changed": 1, "removed": 0}}
    (change,) = found.changes
    assert change.key == "stadtteil · w"
    assert change.fields == {
        "name": ("West", "Westen"),
        "geom": ("MULTIPOLYGON, 2000000 m², 5 Ecken", "MULTIPOLYGON, 1999000 m², 5 Ecken"),
    }
    # Other parents are no change of this dataset.
    city.areas("bezirk", [("1", "Stadt", (0, 0, 1000, 2000)), ("2", "Neustadt", (1000, 0, 2000, 2000))])
    assert compared(city.engine, "areas.stadtteil").counts == found.counts


def test_no_more_than_the_limit_is_listed_but_all_are_counted(city: City) -> None:
    city.homes([home(i, 10 + i) for i in range(10, 60)])
    found = compared(city.engine, "facilities.okja", limit=7)
    assert found.counts["Angebote"] == {"added": 50, "changed": 0, "removed": 3}
    assert len(found.changes) == 14
    assert found.limit == 7


# --- every kind, by an oracle -------------------------------------------------------------------------------------

KEY = object()  # a value that makes the row: one per row
COUNTER = object()  # another each time a row is written, whatever it says
_COUNT = itertools.count()
CELL = {"geom": point(5, 5)}
# Of each table a row (KEY: what differs from row to row) and the changes it may undergo, (column, value) each.
SAMPLES: dict[str, tuple[dict[str, Any], list[tuple[str, Any]]]] = {
    "area": ({"level": "stadtteil", "key": KEY, "name": "n", "attributes": "{}", "geom": square(0, 0, 10, 10)},
             [("name", "m"), ("attributes", '{"a": 1}'), ("geom", square(0, 0, 10, 10.01)), ("geom", None)]),
    "place": ({"facility_id": KEY, "name": "n", "geom": point(1, 1)},
              [("name", "m"), ("phone", ""), ("location_quality", 0.8), ("geom", point(1, 1.001)), ("geom", None)]),
    "offer": ({"offer_id": KEY, "facility_id": KEY, "name": "n", "category": "okja", "release": "public"},
              [("release", "internal"), ("paragraphs", ["11"]), ("age_from", 0), ("valid_to", DAY)]),
    "observation": ({"level": "stadtteil", "area_key": KEY, "indicator": "i", "position": "", "period": "2025",
                     "value": 1.0, "flag": "ok", "starts": DAY, "ends": DAY},
                    [("value", 1.0000001), ("value", 0.0), ("flag", "estimated")]),
    "placement": ({"level": "bezirk", "period": "2025-Q1", "paragraph": "34", "area_key": KEY,
                   "area_role": "zustaendig", "counting": "stichtag", "provider_state": "Hamburg", "cases": 3},
                  [("cases", 4), ("cases", 0)]),
    "placement_delivery": ({"level": "bezirk", "period": KEY}, [("scope_level", "bezirk")]),
    "population_cell": ({"cell_id": KEY, "total": 3} | CELL, [("total", None), ("under_18", 0)]),
    "network_edge": ({"edge": KEY, "u": 0, "v": 1, "length_m": 5.0, "walk": True, "bike_forward": True,
                      "bike_backward": False}, [("walk", False), ("length_m", 5.5)]),
    "network_node": ({"node": KEY, "component": 0} | CELL, [("component", 1), ("osm_id", 7), ("geom", point(5, 6))]),
    "address": ({"number": COUNTER, "street": "s", "house_number": "1", "street_plain": KEY, "number_plain": "1"}
                | CELL, [("house_number", "1 a"), ("geom", point(4, 5))]),
    "indicator": ({"code": KEY, "title": "t", "kind": "count"}, [("kind", "rate"), ("residents", True)]),
    "help_type": ({"code": KEY, "title": "t"}, [("paragraphs", ["31"]), ("variant", "x")]),
    "help_group": ({"code": KEY, "title": "t"}, [("composition", "x")]),
    "standard": ({"code": KEY, "title": "t", "category": "okja", "measure": "supply", "value": 1.0, "unit": "places",
                  "source": "s", "resolution": "r", "resolved_on": DAY}, [("value", 2.0), ("age_to", 18)]),
    "dataset_rank": ({"dataset": KEY, "rank": 1}, [("rank", 2)]),
}  # fmt: skip


def test_every_table_of_versions_is_known() -> None:
    versioned = {table.table for tables in TABLES.values() for table in tables}
    with_import = {name for name, table in Base.metadata.tables.items() if "import_id" in table.columns}
    assert versioned == with_import - RELEASED
    assert {table.table for tables in TABLES.values() for table in tables if table.derived} == DERIVED
    assert versioned - DERIVED == set(SAMPLES)
    for tables in TABLES.values():
        for table in tables:
            key = {column.name for column in Base.metadata.tables[table.table].primary_key} - {"import_id"}
            # An address is what is written on letters; its number is only a counter.
            assert table.derived or set(table.key) == key or table.left_out == ("number",), table.table


def _row(table: str, number: int, changed: tuple[str, Any] | None) -> dict[str, Any]:
    numeric = {"network_edge", "network_node"}
    base, _changes = SAMPLES[table]
    key: Any = number if table in numeric else f"k{number}"
    made = {name: key if value is KEY else value for name, value in base.items()}
    made |= {name: next(_COUNT) for name, value in base.items() if value is COUNTER}
    if changed is not None:
        made[changed[0]] = changed[1]
        if changed == ("scope_level", "bezirk"):
            made["scope_key"] = "1"
    return made


def _key(table: Versioned, number: int) -> str:
    row = {"scenario": "ist"} | _row(table.table, number, None)
    return " · ".join(str(row.get(name, "")) for name in table.key)


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_the_differences_of_every_kind_against_a_comparison_row_by_row(database: "Database", kind: str) -> None:
    chance = random.Random(kind)  # noqa: S311
    tables = [table for table in TABLES[kind] if not table.derived]
    # An offer needs its place and a network its nodes (0 to n - 1) on both sides.
    whole = {"offer", "place", "network_node"}
    expected: dict[str, dict[str, int]] = {}
    fields: dict[tuple[str, str], str] = {}
    with rows_in(database.writing) as rows:
        rows.level("stadtteil")
        old, new = (rows.version(f"{kind}.hand", kind) for _ in range(2))
        # Parents first: the tables are listed children first.
        for table in reversed(tables):
            changes = SAMPLES[table.table][1]
            counted = {"added": 0, "changed": 0, "removed": 0}
            for number in range(40):
                fate = chance.choice(["same", "changed"] + ["added", "removed"] * (table.table not in whole))
                change = chance.choice(changes) if fate == "changed" else None
                if fate != "added":
                    _insert(rows, table.table, old, _row(table.table, number, None))
                if fate != "removed":
                    _insert(rows, table.table, new, _row(table.table, number, change))
                if fate != "same":
                    counted[fate] += 1
                if change is not None:
                    fields[table.title, _key(table, number)] = change[0]
            expected[table.title] = counted
    found = compared(database.writing, f"{kind}.hand")
    assert found.counts == expected
    for change in found.changes:
        if change.change == "changed":
            assert fields[change.table, change.key] in change.fields, change
    back(database.writing, f"{kind}.hand")
    turned = compared(database.writing, f"{kind}.hand")
    assert turned.counts == {
        title: {"added": n["removed"], "changed": n["changed"], "removed": n["added"]} for title, n in expected.items()
    }


def _insert(rows: Rows, table: str, import_id: int, values: dict[str, Any]) -> None:
    if table == "area":
        rows.session.execute(
            text("INSERT INTO area_registry (level, key, dataset_id) SELECT :level, :key, dataset_id FROM import_run "
                 "WHERE id = :id ON CONFLICT DO NOTHING"),
            {"level": values["level"], "key": values["key"], "id": import_id},
        )  # fmt: skip
    rows.insert(table, import_id=import_id, **values)


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_any_change_of_any_kind_makes_another_digest_and_order_makes_none(database: "Database", kind: str) -> None:
    tables = [table.table for table in TABLES[kind] if not table.derived]
    with rows_in(database.writing) as rows:
        rows.level("stadtteil")
        first, turned = (rows.version(f"{kind}.hand", kind) for _ in range(2))
        for table in reversed(tables):
            for number in range(3):
                _insert(rows, table, first, _row(table, number, None))
                _insert(rows, table, turned, _row(table, 2 - number, None))
        digest = content_digest(rows.session, kind, first)
        assert content_digest(rows.session, kind, turned) == digest
        for table in reversed(tables):
            for change in SAMPLES[table][1]:
                made = rows.version(f"{kind}.hand", kind)
                for other in reversed(tables):
                    for number in range(3):
                        hit = change if other == table and number == 1 else None
                        _insert(rows, other, made, _row(other, number, hit))
                assert content_digest(rows.session, kind, made) != digest, (table, change)
        # A row twice is not the row once: the digest counts.
        short = rows.version(f"{kind}.hand", kind)
        for table in reversed(tables):
            _insert(rows, table, short, _row(table, 0, None))
        assert content_digest(rows.session, kind, short) != digest
