"""Cases beside places in homes: counted by hand and by a plain loop, at the borders, ranked and refused."""

import math
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hand_rows import rows_in, square
from home_town import (
    ADMIN,
    ADULTS,
    CELLS,
    HOMES,
    PLANNER,
    Home,
    asked,
    build_homes,
    by_key,
)
from placement_town import STADTTEILE, build, derive, place

from geodata.errors import ParameterError
from geodata.viewer import PUBLIC

if TYPE_CHECKING:
    from conftest import Database


# Whose home is shown with its point, and whose only by its area.
SHOWN: dict[str, Callable[[Home], bool]] = {
    "public": lambda home: home.release == "public",
    "planner": lambda home: (
        home.release == "public" or (home.release != "protected" and (stadtteil_of(home) or "1")[0] == "1")
    ),
    "admin": lambda home: home.release != "protected",
}


BANDS = (0.8, 2.5, 5.0)


@pytest.fixture(scope="module")
def town(new_database: "Callable[[], Database]") -> "Database":
    made = new_database()
    build_homes(made.writing)
    return made


def centre_of(key: str) -> tuple[float, float]:
    """The centre of a Stadtteil, by a plain loop; where no young people live, a point in the middle of the square."""
    young = [(x, y, people) for x, y, people, at in CELLS if at == key]
    everyone = sum(people for _x, _y, people in young)
    if not everyone:
        return 4000.0 * (int(key[0]) - 1) + 1000 * (int(key[1]) - 1) + 500, 1000.0
    return sum(x * p for x, _y, p in young) / everyone, sum(y * p for _x, y, p in young) / everyone


def stadtteil_of(home: Home) -> str | None:
    if home.at is None or not (0 < home.at[0] < 12_000 and 0 < home.at[1] < 2000):
        return None
    return f"{int(home.at[0] // 4000) + 1}{int(home.at[0] % 4000 // 1000) + 1}"


def stock(homes: Collection[Home]) -> tuple[int, int, float | None]:
    """Homes, those that state no places, and places."""
    stated = [home.places for home in homes if home.places is not None]
    return len(homes), len(homes) - len(stated), sum(stated) if stated or not homes else None


@pytest.mark.parametrize("name", SHOWN)
def test_a_plain_loop_finds_the_same(town: "Database", name: str) -> None:
    viewer = {"public": PUBLIC, "planner": PLANNER, "admin": ADMIN}[name]
    shown = [home for home in HOMES if SHOWN[name](home)]
    listed = [home for home in HOMES if home in shown or home.release == "area_only"]
    rows = by_key(asked(town, viewer, bands_km=BANDS, near_km=2.5))
    for key in STADTTEILE:
        row, (x, y) = rows[key], centre_of(key)
        inside = [home for home in listed if not home.citywide and stadtteil_of(home) == key]
        assert (row.homes, row.homes_without_places, row.places) == stock(inside), key
        own = [home for home in listed if not home.citywide and (stadtteil_of(home) or "-")[0] == key[0]]
        assert (row.office_homes, row.office_homes_without_places, row.office_places) == stock(own), key
        assert row.office_key == key[0]
        away = {home: math.dist((x, y), home.at) for home in shown if home.at is not None}
        for band, km in zip(row.bands, BANDS, strict=True):
            near = [home for home, metres in away.items() if round(metres, 3) <= 1000 * km]
            assert (band.km, (band.homes, band.homes_without_places, band.places)) == (km, stock(near)), key
        assert row.nearest_km == pytest.approx(min(m for home, m in away.items() if home.places != 0) / 1000, abs=1e-6)
        places = row.bands[1].places
        assert row.near_places_per_case == (places / row.cases if row.cases and places is not None else None)
    rest = [home for home in listed if home.citywide or stadtteil_of(home) is None]
    assert (rows["ohne"].homes, rows["ohne"].homes_without_places, rows["ohne"].places) == stock(rest)
    assert sum(row.homes or 0 for row in rows.values()) == len(listed)
    assert {band.homes for band in rows["ohne"].bands} == {None}


def test_within_is_up_to_and_including(town: "Database") -> None:
    def at(km: float) -> int | None:
        return by_key(asked(town, bands_km=(km,)))["11"].bands[0].homes

    # 5,000 m to the metre: a weighted centre at (200, 1000), the home 3 km east and 4 km north of it.
    assert at(5.0) == 4
    assert at(4.999) == 3


def test_where_nobody_young_lives_it_is_a_point_inside(town: "Database") -> None:
    assert ADULTS[1][2] == "34"
    warnings = " ".join(asked(town).meta.warnings)
    assert "Ohne bekannte Einwohner unter 21 Jahren sind stadtteil 33 und stadtteil 34" in warnings


def test_areas_without_a_place_near_come_first(town: "Database") -> None:
    answer = asked(town, bands_km=(0.8, 5))
    order = [(row.area_key, row.rank) for row in answer.rows]
    # No place within 800 m: 24 (30 cases), 14 (20), 11 and 32 (12 each); 31 has one, 13 has one that is not shown.
    assert order[:8] == [("23", 1), ("24", 2), ("14", 3), ("11", 4), ("32", 4), ("12", 6), ("13", 7), ("31", 7)]
    assert [key for key, rank in order if rank is None] == ["21", "22", "33", "34", "ohne"]
    rows = by_key(answer)
    assert rows["23"].reason == (
        "42 Fälle, kein freigegebener Platz nach § 34 im Umkreis von 0,8 km; der nächste Platz liegt 0,9 km entfernt."
    )
    assert rows["13"].reason == (
        "20 Fälle, kein freigegebener Platz nach § 34 im Umkreis von 0,8 km, dessen Standort gezeigt wird, aber "
        "1 Einrichtung im Gebiet, deren Standort nicht gezeigt wird."
    )
    # The home in 32 that is shown by area only states 0 places: it is none near.
    assert (rows["32"].homes, rows["32"].places) == (1, 0)
    assert rows["32"].reason.endswith("im Umkreis von 0,8 km; der nächste Platz liegt 0,9 km entfernt.")
    assert rows["31"].reason == "20 Fälle, 6 Plätze nach § 34 im Umkreis von 0,8 km (0,30 je Fall)."
    assert rows["12"].reason == "30 Fälle, 1 Einrichtung nach § 34 ohne Platzangabe im Umkreis von 0,8 km."
    assert rows["33"].reason == "In stadtteil 33 gibt es keinen Fall, deshalb nicht eingeordnet."
    assert rows["34"].reason == "Für stadtteil 34 liegt keine Fallzahl vor, deshalb nicht eingeordnet."
    # With one decimal the home 1,345 m away would read as if it were within 1.3 km.
    close = by_key(asked(town, ADMIN, bands_km=(1.3, 5)))["22"].reason
    assert close == "2 Fälle, kein Platz nach § 34 im Umkreis von 1,3 km; der nächste Platz liegt 1,345 km entfernt."
    unstated = by_key(asked(town, ADMIN, bands_km=(0.05, 5)))["12"].reason
    assert unstated == (
        "30 Fälle, kein Platz nach § 34 im Umkreis von 0,05 km; die nächste Einrichtung liegt 0,1 km entfernt und "
        "macht keine Platzangabe."
    )


def test_a_home_that_states_no_places_is_near_one_that_states_none_is_not(town: "Database") -> None:
    # The home in 21 has 0 places: it is counted, and is nobody's nearest.
    rows = by_key(asked(town, ADMIN, bands_km=(0.3, 5)))
    assert (rows["21"].bands[0].homes, rows["21"].bands[0].places) == (1, 0)
    assert rows["21"].rank is not None
    assert rows["21"].reason.startswith("1 Fall, kein Platz nach § 34 im Umkreis von 0,3 km; der nächste Platz liegt ")
    assert rows["12"].bands[0].places is None
    assert rows["12"].near_places_per_case is None


def test_pages_follow_each_other(town: "Database") -> None:
    whole = asked(town).rows
    pages, after = [], None
    while True:
        answer = asked(town, limit=5, after=after)
        pages += answer.rows
        after = answer.meta.next
        if after is None:
            break
    assert pages == whole
    with pytest.raises(ParameterError, match="von vorn"):
        asked(town, after="gone")


def test_an_area_s_areas_are_compared_among_themselves(town: "Database") -> None:
    answer = asked(town, area=("bezirk", "2"))
    assert {row.area_key for row in answer.rows} == {"21", "22", "23", "24"}
    whole = by_key(asked(town))
    for row in answer.rows:
        assert replace(row, rank=None) == replace(whole[row.area_key], rank=None)
    (rest,) = asked(town, area=("stadtteil", "ohne")).rows
    assert rest == whole["ohne"]
    drawn = asked(town, geometry=True)
    assert all((row.geometry is None) == (row.area_key == "ohne") for row in drawn.rows)


def test_a_town_without_people_and_without_homes(new_database: "Callable[[], Database]") -> None:
    made = new_database()
    build(made.writing)
    with rows_in(made.writing) as rows:
        place(
            rows, {("stadtteil", "11", "herkunft"): {"Hamburg": 9}, ("statgebiet", "111", "herkunft"): {"Hamburg": 9}}
        )
        areas = rows.version("areas.insel", "areas")
        rows.level("insel")
        rows.area(areas, "insel", "I", square(-9000, 0, -8000, 2000))
        derive(rows)
    answer = asked(made)
    row = by_key(answer)["11"]
    assert (row.homes, row.places, row.bands[2].homes, row.bands[2].places, row.nearest_km) == (0, 0, 0, 0, None)
    assert row.rank == 1
    assert row.reason == (
        "9 Fälle, kein freigegebener Platz nach § 34 im Umkreis von 5 km und auch keiner weiter entfernt."
    )
    assert any("Es ist keine Einrichtung mit einem Angebot nach § 34 bekannt" in one for one in answer.meta.warnings)
    assert [row.area_key for row in asked(made, PLANNER, "statgebiet").rows][:1] == ["111"]
    with pytest.raises(ParameterError) as refused:
        asked(made, level="insel")
    assert refused.value.parameter == "level"


def test_areas_without_borders_say_so(new_database: "Callable[[], Database]") -> None:
    made = new_database()
    with rows_in(made.writing) as rows:
        rows.level("sozialzentrum")
        areas = rows.version("areas.sozialzentrum", "areas")
        for key in ("A", "B"):
            rows.area(areas, "sozialzentrum", key, None)
        rows.insert("provider", key="t1", name="Träger eins")
        homes = rows.version("facilities.heime", "facilities")
        rows.house(homes, "h", (100, 100), paragraphs=["34"], supply=4, supply_unit="places")
        place(rows, {("sozialzentrum", "A", "herkunft"): {"Hamburg": 12}})
        derive(rows)
    # Levels that are not published are the office's own.
    answer = asked(made, ADMIN, "sozialzentrum")
    row = by_key(answer)["A"]
    assert row.cases == 12
    unknown = ("homes", "places", "nearest_km", "office_key", "office_homes", "rank", "near_places_per_case")
    assert {getattr(row, name) for name in unknown} == {None}
    assert [(band.homes, band.places) for band in row.bands] == [(None, None)] * 3
    assert row.reason == (
        "12 Fälle; sozialzentrum A hat keine Fläche auf der Karte, was in der Nähe liegt, ist nicht bekannt, deshalb "
        "nicht eingeordnet."
    )
    assert any("Ohne Fläche auf der Karte" in warning for warning in answer.meta.warnings)
    assert answer.meta.missing == 2
    assert by_key(answer)["ohne"].homes == 1


def test_the_published_examples_have_cases_and_no_homes(examples_database: "Database") -> None:
    (row,) = asked(examples_database, level="bezirk").rows
    assert (row.area_name, row.cases) == ("Hamburg-Mitte", 540)
    assert (row.homes, row.rank) == (None, None)
    assert row.reason.startswith("540 Fälle; Hamburg-Mitte hat keine Fläche auf der Karte")


@pytest.mark.parametrize(("given", "parameter"), [
    ({"paragraph": "vierunddreißig"}, "paragraph"), ({"paragraph": ""}, "paragraph"),
    ({"paragraph": "33"}, "paragraph"),
    ({"bands_km": ()}, "bands_km"), ({"bands_km": (1, 2, 3, 4, 5, 6)}, "bands_km"), ({"bands_km": (5, 5)}, "bands_km"),
    ({"bands_km": (10, 5)}, "bands_km"), ({"bands_km": (0, 5)}, "bands_km"), ({"bands_km": (5, 200.1)}, "bands_km"),
    ({"bands_km": (-1,)}, "bands_km"), ({"bands_km": (math.nan,)}, "bands_km"), ({"bands_km": (math.inf,)}, "bands_km"),
    ({"bands_km": (0.0005,)}, "bands_km"), ({"near_km": 6.0}, "near_km"), ({"period": "2021-Q5"}, "period"),
    ({"period": "2020-Q1"}, "period"), ({"area_role": "geboren"}, "area_role"), ({"counting": "x"}, "counting"),
    ({"area": ("bezirk", "9")}, "area"), ({"level": "mond"}, "level"), ({"level": "statgebiet"}, "level"),
])  # fmt: skip
def test_wrong_requests_are_refused(town: "Database", given: dict[str, Any], parameter: str) -> None:
    with pytest.raises(ParameterError) as refused:
        asked(town, **given)
    assert refused.value.parameter == parameter
    assert str(refused.value).endswith(".")


def test_the_widest_band_there_may_be(town: "Database") -> None:
    row = by_key(asked(town, bands_km=(200,)))["11"]
    assert (row.bands[0].homes, row.bands[0].places) == (6, 28)


def test_every_answer_says_how_it_was_made(town: "Database") -> None:
    meta = asked(town, near_km=10).meta
    assert (
        meta.title
        == "Plätze in der Nähe · Unterbringungen nach § 34 · nach Herkunft · Ebene Stadtteil · 3. Quartal 2021"
    )
    assert "im Umkreis von 5, 10 und 20 km (einschließlich) Luftlinie um den Mittelpunkt der Einwohner" in meta.method
    assert "ohne Platz im Umkreis von 10 km" in meta.method
    assert "Einrichtungen ohne Freigabe sind nicht enthalten." in meta.warnings
    assert [source.dataset for source in meta.sources] == ["placements", "facilities.heime", "areas.stadtteil"]
    # 21 and 22 are suppressed, of 34 nothing was delivered.
    assert meta.missing == 3
