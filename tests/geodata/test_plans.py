"""The spatial index serves every viewer: a view that hid it would turn each map move into a scan of everything."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hand_rows import FACILITIES, TODAY, X0, Y0, rows_in
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.database import OWNER, Access, reading, writing
from geodata.facilities import FacilitiesRequest, facilities, statement
from geodata.viewer import Role, Viewer

if TYPE_CHECKING:
    from conftest import Database

PLACES, AREAS = 20_000, 5_000
VIEWERS = [
    Viewer(),
    Viewer(Role.PROVIDER, provider_key="t3"),
    Viewer(Role.PLANNER, office_areas=(("stadtteil", "7"), ("stadtteil", "8"))),
    Viewer(Role.ADMIN),
]
# Everything lies on a square of 100 km; the box looked at is one of 5 km in its middle.
BOX = f"ST_MakeEnvelope({X0 + 50_000}, {Y0 + 50_000}, {X0 + 55_000}, {Y0 + 55_000}, 25832)"


@pytest.fixture(scope="module")
def crowded(new_database: "Callable[[], Database]") -> "Database":
    database = new_database()
    with rows_in(database.writing) as rows:
        run = rows.session.execute
        rows.level("stadtteil")
        made, grid = rows.version(FACILITIES, "facilities"), rows.version("areas.stadtteil", "areas")
        values: dict[str, Any] = {"made": made, "grid": grid, "x": X0, "y": Y0, "places": PLACES, "areas": AREAS}
        run(text("INSERT INTO provider SELECT 't' || i, 'Träger ' || i FROM generate_series(0, 9) i"))
        run(text("INSERT INTO area_registry SELECT 'stadtteil', i::text, dataset_id FROM generate_series(1, :areas) i, "
                 "import_run WHERE id = :grid"), values)  # fmt: skip
        run(
            text("""
                INSERT INTO area (import_id, level, key, name, geom)
                SELECT :grid, 'stadtteil', i::text, 'Gebiet ' || i,
                       ST_Multi(ST_MakeEnvelope(:x + (i % 71) * 1400, :y + (i / 71) * 1400,
                                                :x + (i % 71 + 1) * 1400, :y + (i / 71 + 1) * 1400, 25832))
                FROM generate_series(1, :areas) i
            """),
            values,
        )
        run(
            text("""
                INSERT INTO place (import_id, facility_id, name, provider_key, geom)
                SELECT :made, i::text, 'Haus ' || i, 't' || i % 10,
                       ST_SetSRID(ST_MakePoint(:x + (i * 7919) % 100000, :y + (i * 104729) % 100000), 25832)
                FROM generate_series(1, :places) i
            """),
            values,
        )
        run(
            text("""
                INSERT INTO offer (import_id, offer_id, facility_id, name, category, release)
                SELECT :made, i::text, i::text, 'Angebot ' || i, 'okja',
                       ('{public,public,public,area_only,internal,protected}'::release_level[])[i % 6 + 1]
                FROM generate_series(1, :places) i
            """),
            values,
        )
        assert rows.link() > PLACES / 2
    with writing(database.writing, group=OWNER) as session:
        session.execute(text("ANALYZE"))
    return database


def plan(session: Session, sql: str, values: dict[str, Any] | None = None) -> str:
    assert session.scalar(text("SHOW enable_seqscan")) == "on"
    return "\n".join(session.execute(text(f"EXPLAIN {sql}"), values or {}).scalars())


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.role)
def test_points_in_a_box_come_from_the_spatial_index(crowded: "Database", viewer: Viewer) -> None:
    with reading(crowded.serving, Access(viewer)) as session:
        shown = plan(session, f"SELECT facility_id FROM place_point_visible WHERE geom && {BOX}")
        assert "place_geom_gist" in shown, shown
        assert "Seq Scan on place" not in shown, shown
        whole = plan(session, "SELECT facility_id FROM place_point_visible")
        assert "place_geom_gist" not in whole


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.role)
def test_points_within_a_distance_come_from_the_spatial_index(crowded: "Database", viewer: Viewer) -> None:
    with reading(crowded.serving, Access(viewer)) as session:
        near = f"ST_DWithin(geom, ST_SetSRID(ST_MakePoint({X0 + 50_000}, {Y0 + 50_000}), 25832), 1000)"
        shown = plan(session, f"SELECT facility_id FROM place_point_visible WHERE {near}")
        assert "place_geom_gist" in shown, shown


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.role)
def test_areas_in_a_box_come_from_the_spatial_index(crowded: "Database", viewer: Viewer) -> None:
    with reading(crowded.serving, Access(viewer)) as session:
        shown = plan(session, f"SELECT key FROM area_visible WHERE geom && {BOX}")
        assert "area_geom_gist" in shown, shown
        assert "Seq Scan on area " not in shown, shown


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.role)
def test_the_question_itself_uses_the_spatial_index(crowded: "Database", viewer: Viewer) -> None:
    with reading(crowded.serving, Access(viewer)) as session:
        row = session.execute(
            text(f"SELECT ST_XMin(g), ST_YMin(g), ST_XMax(g), ST_YMax(g) FROM ST_Transform({BOX}, 4326) g")
        ).one()
        west, south, east, north = row
        request = FacilitiesRequest(TODAY, bbox=(west, south, east, north))
        sql, values, _ = statement(request)
        shown = plan(session, sql, values)
        assert "place_geom_gist" in shown, shown
        assert facilities(session, request).rows


@pytest.fixture(scope="module")
def counted(new_database: "Callable[[], Database]") -> "Database":
    """Many residents and some helps of the same areas, in many years."""
    database = new_database()
    with rows_in(database.writing) as rows:
        run = rows.session.execute
        rows.level("stadtteil")
        people, helps = (rows.version(f"statistics.{name}", "statistics") for name in ("einwohner", "hilfen"))
        run(text("UPDATE import_run SET counting = 'stichtag', unit = 'hilfen' WHERE id = :id"), {"id": helps})
        for version, code, areas, years in ((people, "population", 1000, 60), (helps, "cases", 200, 60)):
            run(
                text("""
                    INSERT INTO observation (import_id, level, area_key, indicator, position, period, value, flag,
                                             starts, ends)
                    SELECT :version, 'stadtteil', a::text, :code, '', (1960 + y)::text, 10, 'ok',
                           make_date(1960 + y, 1, 1), make_date(1960 + y, 12, 31)
                    FROM generate_series(1, :areas) a, generate_series(1, :years) y
                """),
                {"version": version, "code": code, "areas": areas, "years": years},
            )
        run(text("INSERT INTO observation_published SELECT import_id, level, area_key, indicator, position, period, "
                 "scenario, area_key::int % 3 = 0 FROM observation WHERE indicator = 'cases'"))  # fmt: skip
    with writing(database.writing, group=OWNER) as session:
        session.execute(text("ANALYZE"))
    return database


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.role)
@pytest.mark.parametrize(("code", "areas"), [("population", 1000), ("cases", 200)])
def test_figures_of_a_period_come_from_the_index(counted: "Database", viewer: Viewer, code: str, areas: int) -> None:
    asked = f"observation_visible WHERE indicator = '{code}' AND level = 'stadtteil' AND period = '2000'"
    with reading(counted.serving, Access(viewer)) as session:
        shown = plan(session, f"SELECT area_key, value FROM {asked}")
        assert "observation_asked" in shown, shown
        assert "Seq Scan on observation " not in shown, shown
        assert "Seq Scan on observation_published" not in shown, shown
        assert session.execute(text(f"SELECT count(*) FROM {asked}")).scalar_one() == areas
