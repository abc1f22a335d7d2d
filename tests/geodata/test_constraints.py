"""States that must not be are refused by the database itself, whoever writes."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg.errors
import pytest
from hand_rows import FACILITIES, Rows, rows_in, square
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from conftest import Database

BOWTIE = "SRID=25832;MULTIPOLYGON(((565000 5935000,566000 5936000,566000 5935000,565000 5936000,565000 5935000)))"
CHECK, FOREIGN = psycopg.errors.CheckViolation, psycopg.errors.ForeignKeyViolation
NOT_NULL, UNIQUE = psycopg.errors.NotNullViolation, psycopg.errors.UniqueViolation
WRONG_VALUE = psycopg.errors.DataError
Refusal = type[psycopg.Error]


class _Undone(Exception):  # noqa: N818 - no error: it takes the trial back
    pass


@pytest.fixture(scope="module")
def city(new_database: "Callable[[], Database]") -> "Database":
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        rows.house(made, "house", (600, 300))
        areas = rows.version("areas.more", "areas")
        for key in ("free", "other"):
            rows.insert("area_registry", level="bezirk", key=key, dataset_id=rows.dataset_id("areas.more"))
        assert areas > made
    return database


def try_out(database: "Database", act: "Callable[[Rows, int], None]", dataset: str) -> None:
    """Do something to a dataset's version and take it back; what the database refuses comes through."""
    try:
        with rows_in(database.writing) as rows:
            import_id = rows.session.execute(
                text("SELECT current_import_id FROM dataset WHERE name = :name"), {"name": dataset}
            ).scalar_one()
            act(rows, import_id)
            raise _Undone
    except _Undone:
        return


def refused(database: "Database", act: "Callable[[Rows, int], None]", dataset: str) -> psycopg.Error:
    with pytest.raises(DBAPIError) as raised:
        try_out(database, act, dataset)
    assert isinstance(raised.value.orig, psycopg.Error)
    return raised.value.orig


def offer(**values: Any) -> "Callable[[Rows, int], None]":
    return lambda rows, made: rows.offer(made, "house", values.get("offer_id", "new"), **{
        name: value for name, value in values.items() if name != "offer_id"
    })  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"age_from": 6},
        {"age_from": 0, "age_to": 1},
        {"supply": 0, "supply_unit": "places"},
        {"supply": 2.5, "supply_unit": "hours_per_week", "use": 3, "use_unit": "regular_users_per_week"},
        {"supply_unit": "places"},
        {"valid_from": dt.date(2026, 1, 1), "valid_to": dt.date(2026, 1, 1)},
        {"service_area": "citywide", "release": "protected"},
    ],
    ids=str,
)
def test_a_right_offer_is_taken(city: "Database", values: dict[str, Any]) -> None:
    try_out(city, offer(**values), FACILITIES)


@pytest.mark.parametrize(
    ("values", "refusal", "constraint"),
    [
        ({"category": "unbekannt"}, CHECK, "offer_category_known"),
        ({"category": ""}, CHECK, "offer_category_known"),
        ({"category": None}, NOT_NULL, None),
        ({"name": None}, NOT_NULL, None),
        ({"offer_id": ""}, CHECK, "offer_id_given"),
        ({"offer_id": "house"}, UNIQUE, "offer_pkey"),
        ({"supply": 1, "supply_unit": "beds"}, CHECK, "offer_supply_unit_known"),
        ({"supply": 1}, CHECK, "offer_supply_has_unit"),
        ({"supply": -1, "supply_unit": "places"}, CHECK, "offer_supply_has_unit"),
        ({"supply": float("nan"), "supply_unit": "places"}, CHECK, "offer_supply_has_unit"),
        ({"supply": float("inf"), "supply_unit": "places"}, CHECK, "offer_supply_has_unit"),
        ({"supply": float("-inf"), "supply_unit": "places"}, CHECK, "offer_supply_has_unit"),
        ({"use": 1}, CHECK, "offer_use_has_unit"),
        ({"use": float("nan"), "use_unit": "regular_users_per_week"}, CHECK, "offer_use_has_unit"),
        ({"use": float("inf"), "use_unit": "regular_users_per_week"}, CHECK, "offer_use_has_unit"),
        ({"use": 1, "use_unit": "people"}, CHECK, "offer_use_unit_known"),
        ({"age_from": 6, "age_to": 6}, CHECK, "offer_ages_ordered"),
        ({"age_from": 7, "age_to": 6}, CHECK, "offer_ages_ordered"),
        ({"age_from": -1}, CHECK, "offer_ages_ordered"),
        ({"age_to": 6}, CHECK, "offer_ages_whole"),
        ({"valid_from": dt.date(2026, 1, 2), "valid_to": dt.date(2026, 1, 1)}, CHECK, "offer_validity_ordered"),
        ({"service_area": "global"}, CHECK, "offer_service_area_known"),
        ({"release": "secret"}, WRONG_VALUE, None),
        ({"release": None}, NOT_NULL, None),
    ],
    ids=str,
)
def test_a_wrong_offer_is_refused(
    city: "Database", values: dict[str, Any], refusal: Refusal, constraint: str | None
) -> None:
    error = refused(city, offer(**values), FACILITIES)
    assert isinstance(error, refusal)
    assert error.diag.constraint_name == constraint


def test_an_offer_needs_its_place_of_the_same_version(city: "Database") -> None:
    assert isinstance(refused(city, lambda rows, made: rows.offer(made, "nowhere", "x"), FACILITIES), FOREIGN)
    assert isinstance(
        refused(city, lambda rows, _: rows.offer(rows.version(FACILITIES, "facilities"), "house", "x"), FACILITIES),
        FOREIGN,
    )


def area(**values: Any) -> "Callable[[Rows, int], None]":
    given = {"level": "bezirk", "key": "free", "name": "Frei", "geom": square(9000, 0, 9500, 500)} | values
    return lambda rows, made: rows.insert("area", import_id=made, **given)


@pytest.mark.parametrize(
    "values",
    [{}, {"geom": None}, {"parent_level": "bezirk", "parent_key": "1"}, {"key": "other", "name": "Free"}],
    ids=str,
)
def test_a_right_area_is_taken(city: "Database", values: dict[str, Any]) -> None:
    try_out(city, area(**values), "areas.more")


@pytest.mark.parametrize(
    ("values", "refusal", "constraint"),
    [
        ({"geom": BOWTIE}, CHECK, "area_geom_valid_or_null"),
        ({"geom": "SRID=25832;MULTIPOLYGON EMPTY"}, CHECK, "area_geom_valid_or_null"),
        ({"geom": "SRID=4326;MULTIPOLYGON(((9 53,10 53,10 54,9 53)))"}, WRONG_VALUE, None),
        ({"geom": "SRID=25832;LINESTRING(0 0,1 0,1 1)"}, WRONG_VALUE, None),
        ({"geom": "SRID=25832;POINT(0 0)"}, WRONG_VALUE, None),
        ({"geom": "SRID=25832;MULTIPOLYGON Z (((0 0 1,1 0 1,1 1 1,0 0 1)))"}, WRONG_VALUE, None),
        ({"name": ""}, CHECK, "area_key_and_name_given"),
        ({"name": None}, NOT_NULL, None),
        ({"key": "unregistered"}, FOREIGN, "area_level_key_fkey"),
        ({"level": "stadtteil"}, FOREIGN, "area_level_key_fkey"),
        ({"level": "unbekannt"}, FOREIGN, "area_level_key_fkey"),
        ({"parent_level": "bezirk"}, CHECK, "area_parent_whole_or_null"),
        ({"parent_key": "1"}, CHECK, "area_parent_whole_or_null"),
        ({"parent_level": "bezirk", "parent_key": "99"}, FOREIGN, "area_parent_level_parent_key_fkey"),
    ],
    ids=str,
)
def test_a_wrong_area_is_refused(
    city: "Database", values: dict[str, Any], refusal: Refusal, constraint: str | None
) -> None:
    error = refused(city, area(**values), "areas.more")
    assert isinstance(error, refusal)
    assert error.diag.constraint_name == constraint


def place(**values: Any) -> "Callable[[Rows, int], None]":
    given = {"facility_id": "new", "name": "Neu", "geom": None} | values
    return lambda rows, made: rows.insert("place", import_id=made, **given)


@pytest.mark.parametrize(
    "values", [{}, {"state": "Bayern", "barrier_free": "partly"}, {"geom": "SRID=25832;POINT(565000 5935000)"}], ids=str
)
def test_a_right_place_is_taken(city: "Database", values: dict[str, Any]) -> None:
    try_out(city, place(**values), FACILITIES)


@pytest.mark.parametrize(
    ("values", "refusal", "constraint"),
    [
        ({"facility_id": ""}, CHECK, "place_id_and_name_given"),
        ({"name": ""}, CHECK, "place_id_and_name_given"),
        ({"facility_id": "house"}, UNIQUE, "place_pkey"),
        ({"state": "Ausland"}, CHECK, "place_state_known"),
        ({"barrier_free": "ja"}, CHECK, "place_barrier_free_known"),
        ({"geom": "SRID=25832;POINT EMPTY"}, CHECK, "place_geom_not_empty"),
        ({"geom": "SRID=4326;POINT(10 53)"}, WRONG_VALUE, None),
        ({"provider_key": "unknown"}, FOREIGN, "place_provider_key_fkey"),
    ],
    ids=str,
)
def test_a_wrong_place_is_refused(
    city: "Database", values: dict[str, Any], refusal: Refusal, constraint: str | None
) -> None:
    error = refused(city, place(**values), FACILITIES)
    assert isinstance(error, refusal)
    assert error.diag.constraint_name == constraint


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("INSERT INTO dataset (name, kind) VALUES ('Groß und Klein', 'areas')", CHECK),
        ("INSERT INTO dataset (name, kind) VALUES ('plain', 'anything')", CHECK),
        ("INSERT INTO dataset (name, kind) VALUES ('facilities.hand', 'facilities')", UNIQUE),
        ("INSERT INTO instance_state (instance_id) VALUES (gen_random_uuid())", UNIQUE),
        ("INSERT INTO instance_state (one_row) VALUES (false)", CHECK),
        ("INSERT INTO level (level, title) VALUES ('Ober Ebene', 'x')", CHECK),
        ("INSERT INTO level (level, title, parent_level) VALUES ('fein', 'x', 'unbekannt')", FOREIGN),
        ("DELETE FROM level WHERE level = 'bezirk'", FOREIGN),
        ("DELETE FROM area_registry WHERE key = '111'", FOREIGN),
        ("DELETE FROM import_run", FOREIGN),
        ("UPDATE dataset SET current_import_id = 999999", FOREIGN),
        ("INSERT INTO release (dataset_id, offer_id, release) VALUES (999999, 'x', 'public')", FOREIGN),
    ],
)
def test_a_wrong_state_is_refused(city: "Database", statement: str, refusal: Refusal) -> None:
    def act(rows: Rows, _made: int) -> None:
        rows.session.execute(text(statement))

    assert isinstance(refused(city, act, FACILITIES), refusal)
