"""The area from which any place is reached: against the view from a single point, and against circles."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from geodata.coverage.answer import coverage
from geodata.coverage.people import people_of
from geodata.coverage.request import CoverageRequest, Pace
from geodata.coverage.sentences import in_words
from geodata.database import reading
from geodata.facilities import FacilitiesRequest, facilities
from geodata.point_reach import PointReachRequest, point_reach
from geodata.reach_area import ReachArea, reach_area
from geodata.reach_polygon import tolerance_m
from service.context import today

if TYPE_CHECKING:
    from conftest import Database

CELL_M = 50
TO_METRES = Transformer.from_crs(4326, 25832, always_xy=True)


def asked(database: "Database", **more: Any) -> ReachArea:
    given: dict[str, Any] = {"level": "stadtteil", "on": today(), "categories": ("okja",), "measure": "reach"} | more
    with reading(database.serving) as session:
        return reach_area(session, CoverageRequest(**given))


def shape(polygon: str | None) -> shapely.Geometry:
    assert polygon is not None
    made = shapely.from_geojson(polygon)
    assert made.is_valid
    return shapely.transform(made, lambda xy: np.column_stack(TO_METRES.transform(*xy.T)))


def points(database: "Database", **more: Any) -> list[tuple[float, float]]:
    with reading(database.serving) as session:
        rows = facilities(session, FacilitiesRequest(on=today(), categories=("okja",), limit=10_000, **more)).rows
    return [(row.lon, row.lat) for row in rows if row.lon is not None and row.lat is not None]


def test_it_joins_what_is_seen_from_each_place(demo_database: "Database") -> None:
    with reading(demo_database.serving) as session:
        types = sorted({str(o["type"]) for row in facilities(session, FacilitiesRequest(
            on=today(), categories=("okja",), limit=10_000)).rows for o in row.offers if o["type"]})  # fmt: skip
        rarest = min(types, key=lambda one: len(points(demo_database, types=(one,))))
        own = [
            shape(point_reach(session, PointReachRequest(lon, lat, today(), minutes=10)).polygon)
            for lon, lat in points(demo_database, types=(rarest,))
        ]
    found = asked(demo_database, types=(rarest,), minutes=10)
    assert found.mode == "walk"
    joined = shapely.union_all(own)
    both = shape(found.polygon)
    # Its raster is coarser: it holds what each place sees, and nothing far from that.
    assert joined.difference(both).area < 0.01 * joined.area
    assert both.difference(joined.buffer(tolerance_m(CELL_M))).is_empty
    assert len(own) > 1


@pytest.mark.parametrize("mode", ["walk", "bike", "line"])
def test_more_time_only_adds(demo_database: "Database", mode: str) -> None:
    small, large = (shape(asked(demo_database, minutes=minutes, mode=mode).polygon) for minutes in (4, 12))
    assert small.area < large.area
    assert small.difference(large.buffer(60)).area < 0.01 * small.area


def test_in_a_straight_line_it_is_circles(demo_database: "Database") -> None:
    pace = Pace()
    radius = 5 * pace.metres_per_minute("line") / pace.detour_factor
    at = np.column_stack(TO_METRES.transform(*np.array(points(demo_database)).T))
    circles = shapely.union_all(shapely.buffer(shapely.points(at), radius, quad_segs=64))
    found = shape(asked(demo_database, minutes=5, mode="line").polygon)
    assert found.symmetric_difference(circles).area < 0.002 * circles.area


def test_who_is_reached_lives_inside(demo_database: "Database") -> None:
    """In a straight line the residents inside are those whom coverage calls reached."""
    request = CoverageRequest("stadtteil", today(), ("okja",), measure="reach", minutes=10, mode="line")
    area = shape(asked(demo_database, minutes=10, mode="line").polygon)
    with reading(demo_database.serving) as session:
        people = people_of(session)
        answer = coverage(session, request)
    assert people is not None
    inside = shapely.contains_xy(area, people.xy[:, 0], people.xy[:, 1])
    reached = sum(row.reached or 0 for row in answer.rows)
    assert people.people[inside].sum() == pytest.approx(reached, rel=0.005)
    assert in_words(request, answer.rows, 1).startswith(
        f"{round(1000 * reached / people.people.sum()) / 10:.1f}".replace(".", ",")
    )


def test_nothing_is_reached_without_places(demo_database: "Database") -> None:
    assert asked(demo_database, categories=("netzwerk",)).polygon is None
