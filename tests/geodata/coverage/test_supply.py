"""Supply in a little town: what counts where, what is missing, what is zero, and who sees it."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import shapely
from coverage_town import answer, asked, changed, people, residents
from hand_rows import DAY, FACILITIES, TODAY, X0, Y0, Rows, rows_in
from sqlalchemy import text

from geodata.ages import Ages
from geodata.coverage.request import DRAWN, Drawn
from geodata.errors import ConflictError, ParameterError
from geodata.viewer import Role, Viewer

if TYPE_CHECKING:
    from conftest import Database

YOUNG = {"age_from": 10, "age_to": 18}
OFFICE = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))


def houses(rows: Rows, made: int) -> None:
    """What can happen to an offer happens to one of them."""
    places = {"supply_unit": "places"}
    rows.house(made, "own-ages", (200, 500), age_from=10, age_to=18, supply=40, use=33.0,
               use_unit="regular_users_per_week", **places)  # fmt: skip
    rows.house(made, "wider-ages", (300, 500), age_from=6, age_to=18, supply=60, **places)
    rows.house(made, "no-figure", (400, 500), age_from=10, age_to=14)
    rows.house(made, "hours", (200, 1500), age_from=10, age_to=18, supply=12, supply_unit="hours_per_week")
    rows.house(made, "ageless", (2500, 500), supply=30, **places)
    rows.house(made, "too-young", (2600, 500), age_from=0, age_to=10, supply=99, **places)
    rows.house(made, "ended", (2600, 600), age_from=10, age_to=18, supply=99, valid_to=TODAY - DAY, **places)
    rows.house(made, "only-unfigured", (1500, 500), age_from=14)
    rows.house(made, "citywide", (500, 600), age_from=10, age_to=18, supply=7, service_area="citywide", **places)
    rows.house(made, "outside", (9000, 9000), age_from=10, age_to=18, supply=5, **places)
    rows.house(made, "other", (500, 500), category="kita", age_from=3, age_to=6, supply=80, **places)
    rows.house(made, "by-area", (600, 600), "area_only", age_from=10, age_to=18, supply=16, **places)
    rows.house(made, "home", (700, 600), "internal", age_from=10, age_to=18, supply=9, **places)
    rows.place(made, "two", (3500, 1500))
    rows.offer(made, "two", "two-a", age_from=10, age_to=14, supply=10, **places)
    rows.offer(made, "two", "two-b", age_from=14, age_to=18, **places)


@pytest.fixture(scope="module")
def town(new_database: "Callable[[], Database]") -> "Database":
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        people(rows)
        houses(rows, rows.version(FACILITIES, "facilities"))
        rows.link()
    return database


def test_supply_by_hand(town: "Database") -> None:
    rows = asked(town.serving, **YOUNG)
    assert list(rows) == ["11", "12", "21", "22", "ohne"]
    wider = 60 * residents("", Ages(10, 18)) / residents("", Ages(6, 18))
    eleven = rows["11"]
    assert eleven.population == 120
    assert eleven.facilities == 5  # own-ages, wider-ages, no-figure, hours, by-area
    assert eleven.facilities_without_supply == 2
    assert eleven.supply == pytest.approx(40 + wider + 16, rel=1e-12)
    assert eleven.supply_per_1000 == pytest.approx(1000 * (56 + wider) / 120, rel=1e-12)
    assert (eleven.use, eleven.use_unit, eleven.supply_unit) == (33, "regular_users_per_week", "places")
    assert (rows["21"].facilities, rows["21"].ages_unknown, rows["21"].supply) == (1, 1, 30)
    assert (rows["22"].facilities, rows["22"].facilities_without_supply, rows["22"].supply) == (1, 0, 10)
    assert rows["11"].flag == "estimated"  # no official figures stand behind this surface


def test_missing_is_not_zero(town: "Database") -> None:
    rows = asked(town.serving, **YOUNG)
    twelve = rows["12"]  # a house stands there and states nothing
    assert (twelve.facilities, twelve.facilities_without_supply) == (1, 1)
    assert (twelve.supply, twelve.supply_per_1000, twelve.use, twelve.flag) == (None, None, None, "missing")
    empty = asked(town.serving, level="statgebiet", **YOUNG)
    assert (empty["112"].facilities, empty["112"].supply, empty["112"].supply_per_1000) == (1, None, None)
    assert (empty["212"].facilities, empty["212"].supply, empty["212"].supply_per_1000) == (0, 0, 0)
    nobody = empty["221"]  # no house and nobody of these ages: 0 places, but no ratio
    assert (nobody.population, nobody.supply, nobody.supply_per_1000, nobody.flag) == (0, 0, None, "missing")


@pytest.mark.parametrize("level", ["bezirk", "stadtteil", "statgebiet", "sozialraum"])
@pytest.mark.parametrize("ages", [{}, YOUNG, {"age_from": 6, "age_to": 14}, {"age_from": 18}])
def test_sums_over_any_level_are_the_city(town: "Database", level: str, ages: dict[str, int]) -> None:
    rows = asked(town.serving, level=level, **ages).values()
    wanted = Ages(ages.get("age_from", 0), ages.get("age_to"))
    assert math.fsum(row.population or 0 for row in rows) == pytest.approx(residents("", wanted), rel=1e-12)
    city = asked(town.serving, level="bezirk", **ages).values()
    hidden = level in {"statgebiet", "sozialraum"} and wanted.age_from < 18  # by-area appears at Stadtteil and above
    assert sum(row.facilities for row in rows) == sum(row.facilities for row in city) - hidden
    supply = math.fsum(row.supply or 0 for row in rows)
    less = 16 * _share(Ages(10, 18), wanted) if hidden else 0
    assert supply == pytest.approx(math.fsum(row.supply or 0 for row in city) - less, rel=1e-12)


def _share(own: Ages, wanted: Ages) -> float:
    both = Ages(max(own.age_from, wanted.age_from), int(min(own.end, wanted.end)))
    return residents("", both) / residents("", own)


def test_parts_of_an_age_range_add_up_to_the_whole(town: "Database") -> None:
    parts = [asked(town.serving, age_from=low, age_to=high) for low, high in ((6, 10), (10, 14), (14, 18))]
    whole = asked(town.serving, age_from=6, age_to=18)
    # The house without ages counts whole each time.
    assert sum(part["11"].supply or 0 for part in parts) == pytest.approx(whole["11"].supply, rel=1e-12)
    assert [part["21"].supply for part in parts] == [30 + 99 * _share(Ages(0, 10), Ages(6, 10)), 30, 30]


def test_what_is_for_the_whole_city_is_no_areas_supply(town: "Database") -> None:
    rows = asked(town.serving, level="bezirk", **YOUNG)
    assert (rows["ohne"].facilities, rows["ohne"].supply, rows["ohne"].population) == (2, 12, 7)
    said = answer(town.serving, **YOUNG).meta.warnings
    assert any("für die ganze Stadt" in sentence for sentence in said)


def test_hours_are_another_unit(town: "Database") -> None:
    rows = asked(town.serving, supply_unit="hours_per_week", **YOUNG)
    assert (rows["11"].supply, rows["11"].supply_unit, rows["11"].facilities_without_supply) == (
        12,
        "hours_per_week",
        4,
    )
    assert (rows["22"].supply, rows["22"].flag) == (None, "missing")


def test_only_what_the_viewer_may_see_takes_part(town: "Database") -> None:
    public, office = asked(town.serving, **YOUNG), asked(town.serving, OFFICE, **YOUNG)
    assert (public["11"].facilities, office["11"].facilities) == (5, 6)
    assert office["11"].supply == pytest.approx((public["11"].supply or 0) + 9, rel=1e-12)
    gebiete = asked(town.serving, level="statgebiet", **YOUNG)["111"], asked(
        town.serving, OFFICE, level="statgebiet", **YOUNG)["111"]  # fmt: skip
    assert [row.facilities for row in gebiete] == [3, 5]
    said = answer(town.serving, level="statgebiet", **YOUNG).meta.warnings
    assert any(
        sentence.startswith("Eine Einrichtung, die nur mit ihrem Gebiet veröffentlicht ist") for sentence in said
    )


def test_only_the_areas_asked_for(town: "Database") -> None:
    assert list(asked(town.serving, area=("bezirk", "2"), **YOUNG)) == ["21", "22"]
    whole = asked(town.serving, **YOUNG)
    assert asked(town.serving, area=("bezirk", "2"), **YOUNG)["21"] == whole["21"]


def test_pages_are_the_whole(town: "Database") -> None:
    keys: list[str] = []
    after = None
    while True:
        page = answer(town.serving, level="statgebiet", limit=3, after=after, **YOUNG)
        keys += [row.area_key for row in page.rows]
        after = page.meta.next
        if after is None:
            break
    assert keys == [*sorted(keys[:-1]), "ohne"]
    assert len(keys) == 9


@pytest.mark.parametrize(("request_", "parameter"), [
    ({"age_from": 18, "age_to": 10}, "age_to"), ({"age_from": 18, "age_to": 18}, "age_to"),
    ({"age_from": -1}, "age_from"),
    ({"age_to": 121}, "age_to"), ({"minutes": 0}, "minutes"), ({"minutes": 10_000}, "minutes"),
    ({"level": "kiez"}, "level"), ({"categories": ("club",)}, "category"), ({"categories": ()}, "category"),
    ({"measure": "glück"}, "measure"), ({"mode": "fly"}, "mode"), ({"supply_unit": "beds"}, "supply_unit"),
    ({"period": "1999"}, "period"), ({"area": ("bezirk", "9")}, "area"), ({"area": ("kiez", "9")}, "area"),
    ({"barrier_free": ("vielleicht",)}, "barrier_free"),
])  # fmt: skip
def test_bad_requests(town: "Database", request_: dict[str, Any], parameter: str) -> None:
    with pytest.raises(ParameterError) as raised:
        asked(town.serving, **request_)
    assert raised.value.parameter == parameter
    assert str(raised.value).endswith(".")


def test_a_category_without_any_place_is_an_answer(town: "Database") -> None:
    got = answer(town.serving, categories=("jsa",), **YOUNG)
    assert {(row.facilities, row.supply) for row in got.rows} == {(0, 0)}
    assert any("keine passende Einrichtung" in sentence for sentence in got.meta.warnings)
    assert got.meta.missing == 0


def test_the_day_decides(town: "Database") -> None:
    yesterday = asked(town.serving, on=TODAY - DAY, **YOUNG)
    assert yesterday["21"].facilities == asked(town.serving, **YOUNG)["21"].facilities + 1


def test_ages_nobody_knows_are_missing(town: "Database") -> None:
    got = answer(town.serving, age_from=30)
    assert {row.population for row in got.rows} == {None}
    assert {row.flag for row in got.rows} == {"missing"}
    assert any("nicht bekannt" in sentence for sentence in got.meta.warnings)


def test_without_people_and_without_maps(new_database: "Callable[[], Database]") -> None:
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        houses(rows, rows.version(FACILITIES, "facilities"))
        rows.level("dienst")
        rows.area(rows.version("areas.dienst", "areas"), "dienst", "1", None)
        rows.link()
    got = asked(database.serving, **YOUNG)
    assert (got["11"].population, got["11"].supply_per_1000, got["11"].flag) == (None, None, "missing")
    assert got["11"].facilities == 5
    with pytest.raises(ConflictError, match="Einwohnerzahlen"):
        asked(database.serving, measure="reach", **YOUNG)
    unmapped = asked(database.serving, level="dienst", **YOUNG)
    assert (unmapped["1"].facilities, unmapped["1"].population) == (0, None)
    assert sum(row.facilities for row in unmapped.values()) == sum(row.facilities for row in got.values()) - 1


def test_a_new_import_makes_the_answer_new(new_database: "Callable[[], Database]") -> None:
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        people(rows)
    assert asked(database.serving)["11"].population == 570
    with rows_in(database.writing) as rows:
        rows.session.execute(text("UPDATE surface_cell SET people[1] = people[1] + 1"))
        changed(rows)
    assert asked(database.serving)["11"].population == 572


def drawn(key: str, west: float, south: float, east: float, north: float) -> Drawn:
    return Drawn(key, f"Fläche {key}", shapely.box(X0 + west, Y0 + south, X0 + east, Y0 + north))


def test_drawn_areas_count_like_areas(town: "Database") -> None:
    """Drawn along the borders of two Stadtteile they have their residents and what is shown there exactly."""
    shapes = (drawn("a", 0, 0, 1000, 2000), drawn("b", 1000, 0, 2000, 2000))
    got = answer(town.serving, level=DRAWN, drawn=shapes, geometry=True, **YOUNG)
    level = asked(town.serving, **YOUNG)
    assert [(row.area_level, row.area_key, row.area_name) for row in got.rows] == [
        (DRAWN, "a", "Fläche a"), (DRAWN, "b", "Fläche b")]  # fmt: skip
    assert [row.population for row in got.rows] == [level["11"].population, level["12"].population]
    # What appears by area only lies in no drawn area.
    assert [row.facilities for row in got.rows] == [level["11"].facilities - 1, level["12"].facilities]
    assert got.rows[0].supply == pytest.approx((level["11"].supply or 0) - 16, rel=1e-12)
    assert all(row.geometry for row in got.rows)
    assert any("gelten für die ganze Stadt" in sentence for sentence in got.meta.warnings)
    assert not any("Zeile „ohne räumliche Zuordnung“" in sentence for sentence in got.meta.warnings)


def test_drawn_areas_that_overlap_or_lie_outside_are_refused(town: "Database") -> None:
    for shapes, said in (
        ((drawn("a", 0, 0, 1000, 1000), drawn("b", 900, 0, 2000, 1000)), "überlappen sich"),
        ((drawn("a", 50_000, 0, 51_000, 1000),), "liegt außerhalb aller geladenen Gebiete"),
    ):
        with pytest.raises(ParameterError, match=said) as raised:
            asked(town.serving, level=DRAWN, drawn=shapes, **YOUNG)
        assert raised.value.parameter == "geometry"
