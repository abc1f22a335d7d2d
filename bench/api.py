"""How much the service adds to the database: its GeoJSON against the same rows' json_agg in psql."""

import statistics
import time
import urllib.request

import orjson
from sqlalchemy import text

from bench.ground import fresh, line, median, serving
from bench.imports import home_area, load_facilities
from geodata.database import make_engine
from geodata.facilities import FacilitiesRequest, statement
from service.context import today

PLACES = 10_000


def run() -> None:
    """Measure and print."""
    with fresh() as bench:
        home_area(bench)
        load_facilities(bench, PLACES)
        sql, values, _words = statement(FacilitiesRequest(on=today(), limit=PLACES))
        bound = str(
            text(sql)
            .bindparams(**values)
            .compile(dialect=make_engine(bench.serving_url).dialect, compile_kwargs={"literal_binds": True})
        ).replace("%%", "%")
        # The same rows: the statement gives metres and the area's key, the answer degrees and the area's name.
        rows = f"""
            SELECT s.*, a.name AS area_name, ST_X(g.p) AS lon, ST_Y(g.p) AS lat FROM ({bound}) s
            CROSS JOIN LATERAL (SELECT ST_Transform(ST_SetSRID(ST_MakePoint(s.x, s.y), 25832), 4326) AS p OFFSET 0) g
            LEFT JOIN area_visible a ON a.level = 'stadtteil' AND a.key = s.area_key
        """
        peer = median(5, lambda: bench.psql(f"SET ROLE srk_read; SELECT json_agg(t) FROM ({rows}) t"))
        cold, repeated = [], []
        with serving(bench) as url:
            for number in range(6):
                # A limit of its own makes each request a new question to the cache; the rows stay the same.
                path = f"{url}/api/v1/facilities?format=geojson&limit={PLACES + number}"
                for measured in (cold, repeated):
                    started = time.perf_counter()
                    with urllib.request.urlopen(path) as answer:
                        body = answer.read()
                    measured.append(time.perf_counter() - started)
                    assert len(orjson.loads(body)["features"]) == PLACES
        ours = statistics.median(cold[1:])
        line("psql json_agg, 10 000 Einrichtungen", f"{1000 * peer.wall_s:.0f} ms")
        line(
            "GET /facilities?format=geojson, 10 000, kalt",
            f"{1000 * ours:.0f} ms",
            f"Verhältnis {ours / peer.wall_s:.2f}, Ziel 1,5",
        )
        line("  dasselbe aus dem Zwischenspeicher", f"{1000 * statistics.median(repeated[1:]):.0f} ms")
