"""A point's view of the little town: places, residents and the area, by straight line and on a network."""

import dataclasses
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from coverage_town import BANDS, CELLS, people
from hand_rows import DAY, FACILITIES, TODAY, X0, Y0, rows_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from test_network import lay
from test_reach import EDGES, OFFICE, SPOTS, house

from geodata.coverage.frame import frame_of
from geodata.coverage.people import people_of
from geodata.coverage.places import read_places
from geodata.coverage.request import CoverageRequest, Pace
from geodata.coverage.ways import ways_of
from geodata.database import Access, reading, writing
from geodata.errors import ConflictError, ParameterError
from geodata.network import snap_cells, snap_facilities
from geodata.point_reach import PointReachAnswer, PointReachRequest, point_reach
from geodata.viewer import Viewer

if TYPE_CHECKING:
    from conftest import Database

TO_DEGREES = Transformer.from_crs(25832, 4326, always_xy=True)
TO_METRES = Transformer.from_crs(4326, 25832, always_xy=True)
CALM = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def seen(database: "Database", at: tuple[float, float], viewer: Viewer | None = None, **more: Any) -> PointReachAnswer:
    """Ask at a point in metres from the town's corner."""
    lon, lat = TO_DEGREES.transform(X0 + at[0], Y0 + at[1])
    given_: dict[str, Any] = {"on": TODAY} | more
    with reading(database.serving, Access(viewer) if viewer else None) as session:
        return point_reach(session, PointReachRequest(lon, lat, **given_))


def ids(answer: PointReachAnswer) -> list[str]:
    return [row.facility_id for row in answer.rows]


def area(answer: PointReachAnswer) -> shapely.Geometry:
    """The polygon in metres from the town's corner."""
    shape = shapely.from_geojson(answer.polygon)
    assert shape.is_valid
    assert not shape.is_empty
    return shapely.transform(shape, lambda xy: np.column_stack(TO_METRES.transform(*xy.T)) - (X0, Y0))


def residents_by_hand(keys: set[str]) -> list[tuple[int, int | None, float]]:
    return [(low, high, sum(CELLS[key][1][band] for key in keys)) for band, (low, high) in enumerate(BANDS)]


def counted(answer: PointReachAnswer) -> list[tuple[int, int | None, float]]:
    return [dataclasses.astuple(row) for row in answer.residents]  # type: ignore[misc]


@pytest.fixture(scope="module")
def town(new_database: "Callable[[], Database]") -> "Database":
    """No network; houses of several kinds."""
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        people(rows)
        made = rows.version(FACILITIES, "facilities")
        house(rows, made, "b-west", (500, 500), type="Jugendclub")
        house(rows, made, "a-west", (500, 500), category="kita", age_from=0, age_to=6)
        house(rows, made, "south", (500, 100), age_from=None, age_to=None)
        rows.place(made, "two", (900, 500), barrier_free="yes")
        rows.offer(made, "two", "two-1", category="okja", age_from=6, age_to=10)
        rows.offer(made, "two", "two-2", category="jsa", age_from=14, age_to=21, valid_to=TODAY)
        house(rows, made, "past", (500, 600), valid_to=TODAY - DAY)
        house(rows, made, "home", (600, 500), "internal")
        house(rows, made, "by-area", (700, 500), "area_only")
        rows.place(made, "mapless", None)
        rows.offer(made, "mapless", "mapless")
        rows.link()
    return database


@pytest.fixture(scope="module")
def walked(new_database: "Callable[[], Database]") -> "Database":
    """The roads of ``test_reach``, a house in the west, one in the east, one by the piece that is cut off."""
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        people(rows, {key: cell for key, cell in CELLS.items() if key})
        made = rows.version(FACILITIES, "facilities")
        house(rows, made, "west", (500, 480))
        house(rows, made, "east", (3500, 540))
        house(rows, made, "island", (3500, 1580))
        rows.link()
        lay(rows, SPOTS, EDGES)
    with writing(database.writing) as session:
        snap_cells(session)
        snap_facilities(session)
    return database


def test_by_straight_line(town: "Database") -> None:
    """In 17 minutes 1,360 m are gone, 1,046 m as the crow flies."""
    got = seen(town, (500, 500), minutes=17)
    assert got.mode == "line"
    assert ids(got) == ["a-west", "b-west", "south", "two"]  # among equals by id
    assert [row.metres for row in got.rows] == pytest.approx([0, 0, 520, 520], abs=1e-5)
    assert [row.minutes * 80 for row in got.rows] == pytest.approx([row.metres for row in got.rows], rel=1e-12)
    assert counted(got) == residents_by_hand({"111", "112", "121"})
    assert got.residents_total == sum(people_ for _low, _high, people_ in counted(got))
    shape = area(got)
    radius = 1360 / 1.3
    assert shape.area == pytest.approx(math.pi * radius**2, rel=1e-3)
    assert shape.buffer(0.2).contains(shapely.Point(500, 500).buffer(radius))
    assert "Es ist kein Wegenetz geladen; Entfernungen sind Luftlinien mal 1,3." in got.meta.warnings
    assert "zu Fuß (4,8 km/h, Luftlinie mal 1,3)" in got.meta.method
    assert "höchstens 17 Minuten" in got.meta.method


def test_a_row_says_all_that_may_be_known(town: "Database") -> None:
    (row,) = seen(town, (900, 500), minutes=1).rows
    lon, lat = TO_DEGREES.transform(X0 + 900, Y0 + 500)
    assert dataclasses.asdict(row) == {
        "dataset": FACILITIES, "facility_id": "two", "name": "Haus two", "provider": "Träger eins",
        "street": "Geheimweg", "house_number": "7", "postcode": "20095", "city": "Hamburg", "barrier_free": "yes",
        "categories": ["jsa", "okja"], "lon": pytest.approx(lon, abs=1e-6), "lat": pytest.approx(lat, abs=1e-6),
        "minutes": pytest.approx(0, abs=1e-6), "metres": pytest.approx(0, abs=1e-5),
    }  # fmt: skip


def test_within_is_up_to_and_including(town: "Database") -> None:
    """The walk is a little faster, or slower, than what 10 minutes to the southern house take."""
    (way,) = [row.metres for row in seen(town, (500, 500), minutes=17).rows if row.facility_id == "south"]
    per_hour = way * 60 / 1000 / 10
    for pace, there in ((per_hour * (1 + 1e-9), True), (per_hour * (1 - 1e-9), False)):
        assert ("south" in ids(seen(town, (500, 500), minutes=10, pace=Pace(walk_km_per_h=pace)))) == there
    # To those who live in 112 and 121 it is 1,300 m.
    for pace, keys in ((7.8 * (1 + 1e-9), {"111", "112", "121"}), (7.8 * (1 - 1e-9), {"111"})):
        got = seen(town, (500, 500), minutes=10, pace=Pace(walk_km_per_h=pace))
        assert counted(got) == residents_by_hand(keys)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"categories": ("kita",)}, ["a-west"]),
        ({"categories": ("kita", "jsa")}, ["a-west", "two"]),
        ({"types": ("Jugendclub",)}, ["b-west"]),
        ({"barrier_free": ("yes", "partly")}, ["two"]),
        ({"age_from": 10, "age_to": 14}, ["b-west", "south"]),
        ({"age_from": 18}, ["south", "two"]),
        ({"age_from": 21}, ["south"]),
        ({"age_to": 6}, ["a-west", "south"]),
        ({"categories": ("okja",), "age_from": 14}, ["b-west", "south"]),  # one and the same offer fits
        ({"on": TODAY + DAY, "categories": ("jsa",)}, []),
        ({"on": TODAY - DAY}, ["a-west", "b-west", "past", "south", "two"]),
    ],
)
def test_filters(town: "Database", asked: dict[str, Any], expected: list[str]) -> None:
    got = seen(town, (500, 500), minutes=17, **asked)
    assert sorted(ids(got)) == expected
    assert counted(got) == residents_by_hand({"111", "112", "121"})  # residents are of all ages
    ageless = any("ohne Altersangabe („Alter nicht angegeben“)" in sentence for sentence in got.meta.warnings)
    assert ageless == ("south" in expected and any(name.startswith("age") for name in asked))


def test_only_the_categories_that_fit_are_named(town: "Database") -> None:
    (row,) = seen(town, (900, 500), minutes=1, categories=("jsa",)).rows
    assert row.categories == ["jsa"]


def test_what_is_not_shown_takes_no_part(town: "Database") -> None:
    public = seen(town, (600, 500), minutes=5)
    assert not {"home", "by-area", "mapless"} & set(ids(public))
    assert "Einrichtungen ohne Freigabe sind nicht enthalten." in public.meta.warnings
    said = [sentence for sentence in public.meta.warnings if "ohne gezeigten Standort" in sentence]
    assert said == ["2 Einrichtungen ohne gezeigten Standort sind nicht enthalten, wo immer sie liegen."]
    office = seen(town, (600, 500), OFFICE, minutes=5)
    assert {"home", "by-area"} <= set(ids(office))
    assert "Eine Einrichtung ohne gezeigten Standort ist nicht enthalten, wo immer sie liegt." in office.meta.warnings


@pytest.mark.parametrize("mode", ["line", "walk"])
def test_no_distance_gives_an_unpublished_home_away(new_database: "Callable[[], Database]", mode: str) -> None:
    """Wherever the unpublished houses stand in their Stadtteil, the public sees the same from everywhere."""
    answers = []
    for at in ((500, 1500), (900, 500)):
        database = new_database()
        with rows_in(database.writing) as rows:
            rows.city()
            people(rows, {key: cell for key, cell in CELLS.items() if key})
            made = rows.version(FACILITIES, "facilities")
            house(rows, made, "west", (500, 480))
            house(rows, made, "home", at, "internal")
            house(rows, made, "refuge", at, "protected")
            house(rows, made, "by-area", at, "area_only")
            rows.link()
            lay(rows, SPOTS, EDGES)
        with writing(database.writing) as session:
            snap_cells(session)
            snap_facilities(session)
        answers.append([seen(database, spot, minutes=30, mode=mode) for spot in ((500, 500), (500, 1500), (900, 500))])
    assert answers[0] == answers[1]
    assert [ids(answer) for answer in answers[0]] == [["west"]] * 3


def test_on_the_network(walked: "Database") -> None:
    """14 minutes are 1,120 m: from 111 to 121 it is 1,000 m, to 112 1,100 m; 20 m to the house are walked too."""
    got = seen(walked, (500, 500), minutes=14)
    assert got.mode == "walk"
    assert ids(got) == ["west"]
    assert got.rows[0].metres == pytest.approx(20, abs=1e-5)
    assert counted(got) == residents_by_hand({"111", "112", "121"})
    # From 150 m beside the road only the 970 m that are left can be walked on it.
    assert counted(seen(walked, (500, 350), minutes=14)) == residents_by_hand({"111"})
    shape = area(got)
    for spot in ((500, 500), (1500, 500), (500, 1500), (1600, 500)):
        assert shapely.contains_xy(shape, *spot), spot
    for spot in ((1800, 500), (1500, 1000), (3500, 1500)):
        assert not shapely.contains_xy(shape, *spot), spot
    assert "auf dem Wegenetz, das Stück bis zum Weg eingerechnet" in got.meta.method
    assert "network" in {source.dataset for source in got.meta.sources}
    assert FACILITIES in {source.dataset for source in got.meta.sources}


def test_bicycles_go_from_the_point_with_the_traffic(walked: "Database") -> None:
    """The stretch from 121 to 211 is one-way to the east: the east is reached from the west, not the other way."""
    assert ids(seen(walked, (500, 500), minutes=60, mode="bike")) == ["west", "east"]
    eastern = seen(walked, (3500, 500), minutes=60, mode="bike")
    assert ids(eastern) == ["east"]
    assert {key for key in CELLS if key and shapely.contains_xy(area(eastern), *CELLS[key][0])} == {"211", "221"}
    assert ids(seen(walked, (3500, 500), minutes=60, mode="walk")) == ["east", "west"]


def test_a_part_that_is_cut_off_is_all_there_is(walked: "Database") -> None:
    got = seen(walked, (3500, 1500), minutes=120)
    assert ids(got) == ["island"]
    assert counted(got) == residents_by_hand({"222"})
    assert shapely.contains_xy(area(got), 3500, 1600)


def test_too_far_from_the_road_for_the_time_there_is(walked: "Database") -> None:
    """The road is 300 m away; in one minute nothing but a piece of the way there is gone."""
    got = seen(walked, (1000, 800), minutes=1)
    assert (got.rows, got.residents_total) == ([], 0)
    shape = area(got)
    assert shapely.contains_xy(shape, 1000, 800)
    assert shape.area < 20_000


def test_the_straight_line_can_be_asked_for_beside_a_network(walked: "Database") -> None:
    got = seen(walked, (500, 500), minutes=14, mode="line")
    assert got.mode == "line"
    assert got.rows[0].metres == pytest.approx(1.3 * 20, abs=1e-5)
    assert not any("Wegenetz" in sentence for sentence in got.meta.warnings)
    assert "network" not in {source.dataset for source in got.meta.sources}


def test_pages_make_up_the_whole(town: "Database") -> None:
    whole = seen(town, (500, 500), minutes=17)
    after, rows = None, []
    for _page in range(4):
        page = seen(town, (500, 500), minutes=17, limit=1, after=after)
        rows += page.rows
        after = page.meta.next
        assert (page.residents, page.polygon) == (whole.residents, whole.polygon)
    assert after is None
    assert rows == whole.rows
    with pytest.raises(ParameterError, match="Diese Seite gibt es nicht mehr") as error:
        seen(town, (500, 500), minutes=17, after=f"{FACILITIES}\nhome")
    assert error.value.parameter == "cursor"


@pytest.mark.parametrize(
    ("asked", "parameter", "said"),
    [
        ({"minutes": 0}, "minutes", "von 1 bis 120"),
        ({"minutes": 10_000}, "minutes", "von 1 bis 120"),
        ({"age_from": 10, "age_to": 10}, "age_to", "10 bis unter 10"),
        ({"age_from": -1}, "age_from", "von 0 bis 120"),
        ({"mode": "auto"}, "mode", "walk, bike, line"),
        ({"categories": ("zirkus",)}, "category", "zirkus"),
        ({"barrier_free": ("vielleicht",)}, "barrier_free", "yes, partly, no"),
        ({"lon": math.nan}, "lon", "Grad von −180 bis 180"),
        ({"lat": math.inf}, "lat", "Grad von −90 bis 90"),
        ({"lon": 181.0}, "lon", "Grad"),
        ({"lat": -90.1}, "lat", "Grad"),
        ({"lon": 13.4, "lat": 52.5}, "lon", "mehr als 5 km außerhalb aller Gebiete"),
        ({"lon": 53.55, "lat": 10.0}, "lon", "die Länge (lon) und die Breite (lat)"),
        ({"lon": 180.0, "lat": 90.0}, "lon", "außerhalb"),
    ],
)
def test_what_cannot_be_asked(walked: "Database", asked: dict[str, Any], parameter: str, said: str) -> None:
    lon, lat = TO_DEGREES.transform(X0 + 500, Y0 + 500)
    with reading(walked.serving) as session, pytest.raises(ParameterError) as error:
        point_reach(session, PointReachRequest(**({"lon": lon, "lat": lat, "on": TODAY} | asked)))
    assert error.value.parameter == parameter
    assert said in str(error.value)


def test_how_far_outside_and_off_the_road_a_point_may_lie(walked: "Database") -> None:
    """The areas end at x = 4,000, the road at x = 3,500; 5 km and 1 km are still good."""
    assert seen(walked, (8999, 500), minutes=1, mode="line").rows == []
    with pytest.raises(ParameterError, match="mehr als 5 km außerhalb"):
        seen(walked, (9001, 500), minutes=1, mode="line")
    assert ids(seen(walked, (4499, 500), minutes=120, mode="walk"))[0] == "east"
    for mode in ("walk", "bike", None):
        with pytest.raises(
            ParameterError, match=r"liegt 1,[01] km vom nächsten Weg.*höchstens 1 km.*„Luftlinie“ rechnet"
        ) as error:
            seen(walked, (4502, 400), minutes=120, mode=mode)
        assert error.value.parameter == "lon"


def test_a_network_that_is_not_loaded_is_refused(town: "Database") -> None:
    for mode in ("walk", "bike"):
        with pytest.raises(ConflictError, match=r"^Es ist kein Wegenetz geladen; .* mal 1,3\.$"):
            seen(town, (500, 500), mode=mode)
    got = seen(town, (500, 500), mode="line")
    assert not any("Wegenetz" in sentence for sentence in got.meta.warnings)


def test_a_network_without_a_way_for_bicycles(new_database: "Callable[[], Database]") -> None:
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        lay(rows, SPOTS[:2], [(0, 1, 1000, True, False, False)])
    with pytest.raises(ParameterError, match="keinen Weg mit dem Fahrrad; „Luftlinie“ rechnet"):
        seen(database, (500, 500), mode="bike")


def test_without_residents(new_database: "Callable[[], Database]") -> None:
    database = new_database()
    with rows_in(database.writing) as rows:
        rows.city()
        made = rows.version(FACILITIES, "facilities")
        house(rows, made, "west", (500, 500))
        rows.link()
    got = seen(database, (500, 500))
    assert ids(got) == ["west"]
    assert (got.residents, got.residents_total) == ([], None)
    said = "Es sind keine Einwohnerzahlen geladen; wie viele Menschen in Reichweite wohnen, fehlt deshalb."
    assert said in got.meta.warnings


def test_an_empty_house(database: "Database") -> None:
    """Nothing is loaded at all: an empty answer, no error."""
    got = seen(database, (500, 500))
    assert (got.rows, got.residents, got.mode) == ([], [], "line")
    assert area(got).area > 0


SPOT = st.tuples(st.floats(0, 4000), st.floats(0, 1400))


@CALM
@given(at=SPOT, one=st.integers(1, 120), other=st.integers(1, 120), mode=st.sampled_from(["walk", "bike", "line"]))
def test_more_time_only_adds(walked: "Database", at: tuple[float, float], one: int, other: int, mode: str) -> None:
    less, more = (seen(walked, at, minutes=minutes, mode=mode) for minutes in sorted((one, other)))
    assert more.rows[: len(less.rows)] == less.rows
    for few, many in zip(less.residents, more.residents, strict=True):
        assert few.residents <= many.residents
    # Nothing that is no number leaves a question.
    json.dumps([dataclasses.asdict(row) for row in (*more.rows, *more.residents)], allow_nan=False)
    for row in more.rows:
        assert row.minutes <= max(one, other)
    assert shapely.contains_xy(area(less), *at)


def test_where_people_live_it_is_as_coverage_says(demo_database: "Database") -> None:
    """From cells of the demo city the nearest place is as far as reach takes it to be: on foot both ways are one."""
    asked = CoverageRequest("stadtteil", TODAY, ("okja",), "reach", mode="walk")
    with reading(demo_database.serving) as session:
        surface = people_of(session)
        assert surface is not None
        places = read_places(session, asked, frame_of(session, asked, surface))
        metres = ways_of(session, asked, surface, places).travel.nearest()
        chosen = np.random.default_rng(4).choice(np.flatnonzero(metres < 3000), 8, replace=False)
        for cell in chosen.tolist():
            lon, lat = TO_DEGREES.transform(*surface.xy[cell])
            answer = point_reach(session, PointReachRequest(lon, lat, TODAY, 40, "walk", ("okja",)))
            assert answer.rows[0].metres == pytest.approx(metres[cell], rel=1e-9, abs=1e-6)


def test_a_point_at_a_part_that_is_cut_off_says_so(walked: "Database") -> None:
    said = "Der nächste Weg gehört zu einem Teil des Wegenetzes, der mit dem größten nicht verbunden ist."
    assert said in seen(walked, (3500, 1590), minutes=5).meta.warnings
    assert said not in seen(walked, (500, 500), minutes=5).meta.warnings
    assert said not in seen(walked, (3500, 1590), minutes=5, mode="line").meta.warnings
