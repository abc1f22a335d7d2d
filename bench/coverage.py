"""How long coverage takes: supply against bare SQL, reach against the bare search of the network, catchments.

"Cold" is an answer that is not in the cache of answers, from a service that has read the surface and the network
before; the first request after a start, which reads them, is shown apart. A repeat is the same request once more.
"""

import json
import statistics
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse.csgraph import dijkstra
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench.coverage_city import City, load_city, load_country
from bench.ground import Bench, fresh, line, median, serving
from geodata.coverage.answer import coverage
from geodata.coverage.frame import frame_of
from geodata.coverage.people import people_of
from geodata.coverage.places import read_places, read_spots
from geodata.coverage.reach import reached
from geodata.coverage.request import CoverageRequest, Measure
from geodata.coverage.travel import NetworkTravel
from geodata.database import make_engine, reading
from geodata.network import graph_for
from service.context import today

AGES = (6, 18)
MINUTES = 15
_TARGETS = {"supply": "Ziel 60 ms", "reach": "Ziel 400 ms", "catchment": "Ziel 1 500 ms"}
_WORDS = {"supply": "Versorgung", "reach": "Erreichbarkeit zu Fuß", "catchment": "Einzugsbereiche zu Fuß"}
_RUNS = 15


def run() -> None:
    """Measure and print."""
    city()
    many_places()
    growth()
    country()


def city() -> None:
    """Measure 941 areas, 40,000 cells, 100,000 nodes, and 1,300 places of which 325 are of the category asked for."""
    with fresh() as bench:
        load_city(bench, City())
        line("Stadt: 941 Gebiete, 40 000 Zellen, 99 847 Knoten, 325 von 1 300 Orten", "")
        peer = median(_RUNS, lambda: bench.psql(f"SET ROLE srk_read; {bare_sql(bench)}"))
        line("Versorgung, bloßes SQL in psql", f"{1000 * peer.wall_s:.0f} ms")
        with serving(bench) as url:
            first = _asked(url, "supply")
            line("Versorgung, erste Anfrage nach dem Start", f"{1000 * first:.0f} ms")
            line("Erreichbarkeit, erste Anfrage nach dem Start", f"{1000 * _asked(url, 'reach'):.0f} ms")
            for measure, target in _TARGETS.items():
                cold, repeated = _cold_and_repeated(url, measure)
                against = f"; Verhältnis {cold / peer.wall_s:.2f}, Ziel 1,3" if measure == "supply" else ""
                line(f"{_WORDS[measure]}, kalt", f"{1000 * cold:.0f} ms", target + against)
                line("  dasselbe aus dem Zwischenspeicher", f"{1000 * repeated:.1f} ms", "Ziel 10 ms")
            line("Speicher des Dienstes danach (Höchststand)", _memory(url), "Ziel 1 GiB")
        where_reach_goes(bench)
        _same_answers(bench)


def many_places() -> None:
    """Measure the same city with 5,000 places, 1,250 of the category asked for."""
    with fresh() as bench:
        load_city(bench, City(places=5_000))
        _measured(bench, "1 250 von 5 000 Orten", _TARGETS)


def growth() -> None:
    """Show 1×, 4× and 16× the cells, over the same number of areas, nodes and places."""
    for cells in (10_000, 40_000, 160_000):
        with fresh() as bench:
            load_city(bench, City(cells=cells))
            _measured(bench, f"{cells // 1000} 000 Zellen", _TARGETS)


def country() -> None:
    """Measure Germany's size, in a straight line."""
    with fresh() as bench:
        load_country(bench)
        with serving(bench) as url:
            line("Land: 11 000 Gebiete, 3 Mio. Zellen, 100 000 Orte, Luftlinie", "")
            for measure in ("supply", "reach"):
                first = _asked(url, measure, level="gemeinde", mode="line")
                cold, repeated = _cold_and_repeated(url, measure, level="gemeinde", mode="line", runs=3)
                line(f"  {_WORDS[measure]}, erste Anfrage", f"{first:.1f} s", "Ziel 8 s")
                line(f"  {_WORDS[measure]}, kalt", f"{cold:.1f} s", "Ziel 8 s")
                line("    dasselbe aus dem Zwischenspeicher", f"{1000 * repeated:.0f} ms")
            line("  Speicher des Dienstes danach (Höchststand)", _memory(url), "Ziel 3 GiB")


def _measured(bench: Bench, name: str, measures: Iterable[str]) -> None:
    with serving(bench) as url:
        found = []
        for measure in measures:
            _asked(url, measure)
            cold, _repeated = _cold_and_repeated(url, measure, runs=5)
            found.append(f"{1000 * cold:.0f}")
        line(f"{name}: {', '.join(_WORDS[m].split()[0] for m in measures)}, kalt", f"{' / '.join(found)} ms")
        line("  Speicher des Dienstes danach (Höchststand)", _memory(url))


def where_reach_goes(bench: Bench) -> None:
    """Show the parts of a cold answer about reach, each alone and in this process, with surface and network read."""
    engine = make_engine(bench.serving_url)
    asked = request("reach")
    try:
        with reading(engine) as session:
            started = time.perf_counter()
            people = people_of(session)
            _part("Bevölkerungsfläche lesen (einmal je Datenstand)", time.perf_counter() - started)
            assert people is not None
            started = time.perf_counter()
            people.owner(session, asked.level)
            _part("Gebiete der Zellen lesen (einmal je Datenstand)", time.perf_counter() - started)
            started = time.perf_counter()
            graph = graph_for(session, "walk")
            _part("Wegenetz lesen (einmal je Netz)", time.perf_counter() - started)
            assert graph is not None
            started = time.perf_counter()
            node, metres = people.snaps(session, "walk")
            _part("Anbindung der Zellen lesen (einmal je Datenstand)", time.perf_counter() - started)
            frame = frame_of(session, asked, people)
            places = read_places(session, asked, frame)
            spots = read_spots(session, places, "walk")
            travel = NetworkTravel(graph, node, metres, spots.node, spots.metres)
            targets = np.unique(spots.node[spots.node >= 0])
            _part("ganze Frage ohne HTTP und JSON", _timed(lambda: _ask(engine, asked)))
            _part("  Gebiete (SQL)", _timed(lambda: frame_of(session, asked, people)))
            _part("  Angebote (SQL)", _timed(lambda: read_places(session, asked, frame)))
            _part("  Standorte und ihre Knoten (SQL)", _timed(lambda: read_spots(session, places, "walk")))
            _part("  Wege vom nächsten Ort zu allen Zellen", _timed(travel.nearest))
            bare = _timed(lambda: dijkstra(graph.matrix, indices=targets, min_only=True))
            _part("    davon bloße Suche im Netz", bare)
            way_m, residents = travel.nearest(), people.of(asked.ages)
            assert residents is not None
            limit_m = asked.minutes * asked.pace.metres_per_minute("walk")
            kernel = _timed(lambda: reached(way_m, residents, frame.cells, len(frame.keys), limit_m))
            _part("  Anteil und Median je Gebiet", kernel)
    finally:
        engine.dispose()


def _part(name: str, seconds: float) -> None:
    line(f"  {name}", f"{1000 * seconds:.0f} ms")


def _timed(work: Callable[[], object]) -> float:
    work()
    found = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def _ask(engine: Engine, asked: CoverageRequest) -> object:
    with reading(engine) as session:
        return coverage(session, asked)


def request(measure: Measure) -> CoverageRequest:
    """Return the question the benchmark asks, as the service would put it."""
    return CoverageRequest(
        "statgebiet", today(), ("okja",), measure, age_from=AGES[0], age_to=AGES[1], minutes=MINUTES,
        mode=None if measure == "supply" else "walk",
    )  # fmt: skip


def _asked(url: str, measure: str, number: int = 0, *, level: str = "statgebiet", mode: str = "walk") -> float:
    """Return the seconds a request takes at the client; ``number`` makes it a question of its own to the cache."""
    values: dict[str, Any] = {
        "level": level, "category": "okja", "measure": measure, "age_from": AGES[0], "age_to": AGES[1],
        "limit": 20_000 + number,
    }  # fmt: skip
    values |= {} if measure == "supply" else {"minutes": MINUTES, "mode": mode}
    started = time.perf_counter()
    with urllib.request.urlopen(f"{url}/api/v1/coverage?{urllib.parse.urlencode(values)}") as answer:
        body = answer.read()
    took = time.perf_counter() - started
    assert len(json.loads(body)["rows"]) > 900
    return took


def _cold_and_repeated(
    url: str, measure: str, *, level: str = "statgebiet", mode: str = "walk", runs: int = _RUNS
) -> tuple[float, float]:
    cold, repeated = [], []
    for number in range(1, runs + 1):
        cold.append(_asked(url, measure, number, level=level, mode=mode))
        repeated.append(_asked(url, measure, number, level=level, mode=mode))
    return statistics.median(cold), statistics.median(repeated)


def _memory(url: str) -> str:
    """Return the peak memory of the process that serves this address."""
    port = f"\0--port\0{urllib.parse.urlsplit(url).port}\0"
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if port in (folder / "cmdline").read_text(encoding="utf-8"):
                status = dict(row.split(":", 1) for row in (folder / "status").read_text().splitlines())
                return f"{int(status['VmHWM'].split()[0]) / 1024:.0f} MiB"
        except OSError:
            continue  # ended meanwhile, or somebody else's
    raise RuntimeError("the service has ended")


def bare_sql(bench: Bench) -> str:
    """Return the plain statement that answers ``supply``: residents, places and supply per area, prorated by age."""
    low, high = AGES
    engine = make_engine(bench.serving_url)
    try:
        with reading(engine) as session:
            bands = session.execute(
                text("SELECT number, age_from, age_to FROM surface_band_visible ORDER BY number")
            ).all()
    finally:
        engine.dispose()
    inside = [f"c.people[{b.number}]" for b in bands if b.age_from >= low and b.age_to is not None and b.age_to <= high]
    sums = ", ".join(f"sum(people[{b.number}])" for b in bands)

    def of_ages(age_from: str, age_to: str) -> str:
        """Residents of an age range over the whole surface, bands cut evenly by years."""
        share = f"greatest(0.0, least({age_to}, b.age_to) - greatest({age_from}, b.age_from)) / (b.age_to - b.age_from)"
        return f"(SELECT sum(b.people * {share}) FROM band b)"

    return f"""
        WITH band AS MATERIALIZED (
            SELECT b.age_from, coalesce(b.age_to, 1000) AS age_to, whole.people[b.number] AS people
            FROM surface_band_visible b, (SELECT ARRAY[{sums}] AS people FROM surface_cell_visible) whole
        ), residents AS (
            SELECT s.area_key, sum({" + ".join(inside)}) AS population
            FROM surface_area_visible s JOIN surface_cell_visible c USING (cell)
            WHERE s.level = 'statgebiet' GROUP BY s.area_key
        ), offers AS (
            SELECT f.area_key, o.import_id, o.facility_id, o.age_from, o.use,
                   CASE WHEN o.supply_unit = 'places' THEN o.supply END
                       * {of_ages(f"greatest(o.age_from, {low})", f"least(o.age_to, {high})")}
                       / {of_ages("o.age_from", "o.age_to")} AS supply
            FROM offer_visible o
            JOIN place_visible p ON p.import_id = o.import_id AND p.facility_id = o.facility_id
            JOIN facility_area_visible f
                ON f.import_id = o.import_id AND f.facility_id = o.facility_id AND f.level = 'statgebiet'
            WHERE o.category = 'okja' AND o.age_from < {high} AND o.age_to > {low}
              AND (o.valid_from IS NULL OR o.valid_from <= current_date)
              AND (o.valid_to IS NULL OR o.valid_to >= current_date)
        ), supply AS (
            SELECT area_key, count(DISTINCT (import_id, facility_id)) AS facilities, sum(supply) AS supply,
                   count(*) FILTER (WHERE supply IS NULL) AS without,
                   count(*) FILTER (WHERE age_from IS NULL) AS ageless
            FROM offers GROUP BY area_key
        )
        SELECT a.key, a.name, r.population, coalesce(s.facilities, 0), s.without, s.ageless,
               CASE WHEN s.facilities IS NULL THEN 0 ELSE s.supply END AS supply,
               1000 * CASE WHEN s.facilities IS NULL THEN 0 ELSE s.supply END / nullif(r.population, 0)
        FROM area_visible a
        LEFT JOIN residents r ON r.area_key = a.key
        LEFT JOIN supply s ON s.area_key = a.key
        WHERE a.level = 'statgebiet' ORDER BY a.key COLLATE "C"
    """


def _same_answers(bench: Bench) -> None:
    """Make sure that the peer answers the same question."""
    engine = make_engine(bench.serving_url)
    try:
        with reading(engine) as session:
            _compare(session, bare_sql(bench))
    finally:
        engine.dispose()


def _compare(session: Session, statement: str) -> None:
    theirs = {row[0]: (row[2] or 0, row[3], row[6]) for row in session.connection().exec_driver_sql(statement).all()}
    rows = [row for row in coverage(session, request("supply")).rows if row.area_key in theirs]
    ours = {row.area_key: (row.population or 0, row.facilities, row.supply) for row in rows}
    assert ours.keys() == theirs.keys()
    table = np.array([[ours[key], theirs[key]] for key in ours], dtype=float)
    np.testing.assert_allclose(table[:, 0], table[:, 1], rtol=1e-9, atol=1e-9)
