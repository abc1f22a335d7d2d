"""How long placements take: a quarter with its comparison out of 2 million rows, and what disclosure control adds.

Questions are asked in this process, each in a transaction of its own, over a connection that is there: nothing is kept
from one to the next. The peer is plain SQL over the same connection.
"""

import csv
import gc
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from bench.ground import CLI, Bench, fresh, line, polygons, timed
from bench.people import figures_csv
from geodata import placement_pattern
from geodata.bulk import raw_connection
from geodata.database import Access, lock_writers, make_engine, reading, writing
from geodata.figure_tables import PROVIDER_STATES
from geodata.placements import PlacementsRequest, placements
from geodata.viewer import PUBLIC, Role, Version, Viewer
from importers.kinds.placements import PlacementsImport, import_placements
from importers.sources import open_source
from service.demo import load_demo

AREAS, ROWS = 941, 2_000_000
NEWEST, BEFORE = "2025-Q4", "2024-Q4"
_LEVEL = "statgebiet"
_COLUMNS = (
    "level, period, paragraph, area_key, area_role, counting, provider_state, provider_area_level, provider_area_key, "
    "place_state, cases"
)
_RUNS = 15
_TARGET_MS, _BARE_MS, _PATTERN_S = 60, 11, 10
_CASES = 2_300
_SEEDS = (1, 2, 3)

# The same figures as the answer has, from the same derived table: cases, outside, unknown, and those of the comparison.
_BARE = """
    SELECT a.key, a.name, now.cases, now.outside, now.home, old.cases, old.outside, old.home,
           now.cases - old.cases AS change
    FROM area_visible a
    LEFT JOIN ({quarter}) now ON now.area_key = a.key AND now.period = :newest
    LEFT JOIN ({quarter}) old ON old.area_key = a.key AND old.period = :before
    WHERE a.level = :level ORDER BY a.key
"""
_DERIVED = """
    SELECT area_key, period, max(value) FILTER (WHERE category = 'gesamt') AS cases,
           max(value) FILTER (WHERE category = 'außerhalb') AS outside,
           max(value) FILTER (WHERE category = 'Hamburg') AS home
    FROM placement_cell
    WHERE level = :level AND area_role = 'herkunft' AND paragraph = '34' AND counting = 'stichtag'
      AND period IN (:newest, :before)
    GROUP BY area_key, period
"""
_RAW = """
    SELECT area_key, period, sum(cases) AS cases,
           sum(cases) FILTER (WHERE provider_state NOT IN ('Hamburg', 'ohne Angabe')) AS outside,
           sum(cases) FILTER (WHERE provider_state = 'Hamburg') AS home
    FROM placement p JOIN dataset d ON d.current_import_id = p.import_id
    WHERE level = :level AND area_role = 'herkunft' AND paragraph = '34' AND counting = 'stichtag'
      AND period IN (:newest, :before)
    GROUP BY area_key, period
"""


def run() -> None:
    """Measure and print."""
    gc.set_threshold(200_000, 50, 100)  # as the service does
    many_rows()
    patterns()


def many_rows() -> None:
    """Measure a quarter with its comparison for 941 areas, for those who may read them as they are."""
    with fresh() as bench:
        keys = _areas(bench)
        engine, owner = make_engine(bench.serving_url), make_engine(bench.writing_url)
        try:
            periods = _load(owner, keys)
            rows = _value(owner, "SELECT count(*) FROM placement")
            line(f"Unterbringungen: {rows:,} Zeilen, {AREAS} Gebiete, {periods} Quartale".replace(",", " "), "")
            with writing(owner) as session:
                lock_writers(session)
                line("  alles Abgeleitete neu", f"{_timed(lambda: placement_pattern.rebuild(session)):.1f} s")
            with writing(owner) as session:
                lock_writers(session)
                again = _timed(lambda: placement_pattern.rebuild(session))
                line("  dasselbe, wenn sich nichts geändert hat", f"{again:.1f} s")
            with owner.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
            values = {"level": _LEVEL, "newest": NEWEST, "before": BEFORE}
            bare = {
                name: _median(partial(_rows, owner, _BARE.format(quarter=sql), values))
                for name, sql in (("abgeleitet", _DERIVED), ("roh", _RAW))
            }
            line("  bloßes SQL aus den abgeleiteten Zahlen", f"{1000 * bare['abgeleitet']:.0f} ms", f"{_BARE_MS} ms")
            line("  bloßes SQL aus den rohen Zeilen", f"{1000 * bare['roh']:.0f} ms")
            for name, viewer in (
                ("Verwaltung", Viewer(Role.ADMIN)),
                ("eigenes Amt", Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))),
            ):
                asked = PlacementsRequest(_LEVEL, period=NEWEST, compare=BEFORE, version=Version.INTERNAL)
                first = _timed(partial(_ask, engine, asked, viewer))
                found = _median(partial(_ask, engine, asked, viewer))
                told = f"Ziel {_TARGET_MS} ms; Verhältnis {found / bare['abgeleitet']:.1f}"
                line(f"  Quartal mit Vergleich, {name}", f"{1000 * found:.0f} ms", told)
                line("    allererste Frage über eine neue Verbindung", f"{1000 * first:.0f} ms")
            _same(engine, owner, values)
        finally:
            engine.dispose()
            owner.dispose()


def patterns() -> None:
    """Measure the pattern of the demo's quarters and of drawn ones of Hamburg's size, and what it costs an answer."""
    with fresh() as bench:
        engine, owner = make_engine(bench.serving_url), make_engine(bench.writing_url)
        try:
            load_demo(owner, lambda _line: None)
            line("Muster der Beispielstadt, je Quartal und Zählung (7 Bezirke × 18, 104 und 60 Gebiete × 3)", "")
            cubes = "SELECT period, counting FROM placement_pattern ORDER BY period, counting"
            for period, counting in _rows(owner, cubes):
                line(f"  {period}, {counting}", f"{_rebuilt(owner, period, counting):.1f} s", f"Ziel {_PATTERN_S} s")
            for seed in _SEEDS:
                took, left_out, cells = _quarter_imported(owner, bench.folder / f"quartal{seed}.csv", seed)
                line(f"  ausgelostes Quartal {seed}, ganzer Import", f"{took:.1f} s", f"Ziel {_PATTERN_S} s")
                line("    unterdrückt", f"{left_out} von {cells}")
            _answers(engine, owner)
        finally:
            engine.dispose()
            owner.dispose()


def _areas(bench: Bench) -> list[str]:
    """Load one Bezirk and 941 areas in it, with residents by age; return their keys."""
    shapes = bench.folder / "zellen.gpkg"
    polygons(shapes, AREAS)
    keys = [f"{number:06d}" for number in range(AREAS)]
    (bench.folder / "bezirk.csv").write_text("key;name\n1;Bezirk 1\n", encoding="utf-8")
    figures_csv(bench.folder / "einwohner.csv", _LEVEL, keys)
    for command in (
        ("areas", "bezirk.csv", "--level", "bezirk"),
        ("areas", "zellen.gpkg", "--level", _LEVEL),
        ("statistics", "einwohner.csv"),
    ):
        kind, name, *options = command
        timed([CLI, "import", kind, str(bench.folder / name), *options], env=bench.environment())
    return keys


def _load(owner: Engine, keys: Sequence[str]) -> int:
    """Write the raw rows straight into their tables: each area and quarter with every state; return the quarters."""
    rng = np.random.default_rng(21)
    states = list(PROVIDER_STATES)
    periods = [f"{year}-Q{quarter}" for year in range(2025, 1990, -1) for quarter in (4, 3, 2, 1)]
    periods = periods[: -(-ROWS // (len(keys) * len(states)))]
    with writing(owner) as session:
        lock_writers(session)
        # Where the areas lie matters to the office's own planner.
        session.execute(
            text("UPDATE area SET parent_level = 'bezirk', parent_key = '1' WHERE level = :level"), {"level": _LEVEL}
        )
        dataset = session.execute(
            text("INSERT INTO dataset (name, kind) VALUES ('placements', 'placements') RETURNING id")
        ).scalar_one()
        version = session.execute(
            text("""
                INSERT INTO import_run (dataset_id, source, checksum, title, release, rows_read, rows_loaded,
                                        rows_rejected, report)
                VALUES (:dataset, 'bench', '', 'Bank', 'public', 0, 0, 0, '{}') RETURNING id
            """),
            {"dataset": dataset},
        ).scalar_one()
        with (
            raw_connection(session).cursor() as cursor,
            cursor.copy(f"COPY placement (import_id, {_COLUMNS}) FROM STDIN") as copy,
        ):
            for period in periods:
                drawn = rng.poisson(rng.gamma(0.6, 2.0, (len(keys), len(states)))).tolist()
                for key, cases in zip(keys, drawn, strict=True):
                    for state, count in zip(states, cases, strict=True):
                        copy.write_row((version, _LEVEL, period, "34", key, "herkunft", "stichtag", state, "", "", "",
                                        count))  # fmt: skip
        session.execute(
            text("""
                INSERT INTO placement_delivery (import_id, level, period)
                SELECT :id, :level, unnest(CAST(:periods AS text[]))
            """),
            {"id": version, "level": _LEVEL, "periods": periods},
        )
        session.execute(
            text("UPDATE dataset SET current_import_id = :id WHERE id = :dataset"), {"id": version, "dataset": dataset}
        )
        session.execute(text("ANALYZE placement"))
    return len(periods)


def _rebuilt(owner: Engine, period: str, counting: str) -> float:
    """Return the seconds that the pattern of one cube takes in the transaction of an import."""
    with writing(owner) as session:
        lock_writers(session)
        session.execute(
            text("DELETE FROM placement_pattern WHERE period = :period AND counting = :counting"),
            {"period": period, "counting": counting},
        )
        return _timed(lambda: placement_pattern.rebuild(session))


def _quarter_imported(owner: Engine, path: Path, seed: int) -> tuple[float, int, int]:
    """Import a drawn quarter of its own; return seconds, suppressed cells, and all of them."""
    period = f"2030-Q{seed}"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(("area_level", "area_key", "period", "paragraph", "provider_state", "cases"))
        writer.writerows(_drawn(owner, period, seed))
    wanted = PlacementsImport(dataset="placements.bank", scope="land:02")
    took = _timed(lambda: import_placements(owner, open_source(path), wanted))
    found = _rows(owner, "SELECT suppressed, cells FROM placement_pattern WHERE period = :period", {"period": period})
    return took, found[0][0], found[0][1]


def _drawn(owner: Engine, period: str, seed: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a quarter: where young people come from is drawn by residents, where they go by a long tail."""
    rng = np.random.default_rng(seed)
    gebiete = _rows(owner, """
        SELECT g.parent_key, r.key, o.value FROM area_visible g
        JOIN area_visible r ON r.level = 'sozialraum' AND ST_Contains(r.geom, ST_PointOnSurface(g.geom))
        JOIN observation_current o ON o.level = g.level AND o.area_key = g.key
        WHERE g.level = 'statgebiet' AND o.indicator = 'population' AND o.position = '10-14' AND o.period = '2025'
        ORDER BY g.key
    """)  # fmt: skip
    weights = np.array([row[2] for row in gebiete], dtype=np.float64) * rng.gamma(1.0, 1.0, len(gebiete))
    tail = 0.4 ** np.arange(len(PROVIDER_STATES)) + 0.002
    order = ["Hamburg", *rng.permutation([state for state in PROVIDER_STATES if state != "Hamburg"]).tolist()]
    counts: Counter[tuple[str, str, str]] = Counter()
    for origin, state in zip(
        rng.choice(len(gebiete), _CASES, p=weights / weights.sum()).tolist(),
        rng.choice(len(order), _CASES, p=tail / tail.sum()).tolist(),
        strict=True,
    ):
        stadtteil, raum, _residents = gebiete[origin]
        for level, key in (("bezirk", stadtteil[2]), ("stadtteil", stadtteil), ("sozialraum", raum)):
            counts[level, key, order[state]] += 1
    for (level, key, state), count in sorted(counts.items()):
        yield level, key, period, "34", state, str(count)


def _answers(engine: Engine, owner: Engine) -> None:
    """Show the public's answers with the pattern and, over the same rows, without it."""
    found: dict[str, list[float]] = {}
    for _ in range(2):
        for level in ("bezirk", "stadtteil", "sozialraum"):
            asked = PlacementsRequest(level, period=NEWEST, compare=BEFORE)
            found.setdefault(level, []).append(_median(partial(_ask, engine, asked, PUBLIC)))
        with writing(owner) as session:
            session.execute(text("UPDATE placement_cell SET suppressed = false"))
        with owner.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE placement_cell"))
    for level, (with_it, without) in found.items():
        told = f"ohne Muster {1000 * without:.1f} ms"
        line(f"  Antwort für alle, Ebene {level}, mit Vergleich", f"{1000 * with_it:.1f} ms", told)


def _ask(engine: Engine, asked: PlacementsRequest, viewer: Viewer) -> object:
    with reading(engine, Access(viewer)) as session:
        return placements(session, asked)


def _same(engine: Engine, owner: Engine, values: dict[str, str]) -> None:
    """Make sure that the peers answer the same question."""
    with reading(engine, Access(Viewer(Role.ADMIN))) as session:
        asked = PlacementsRequest(_LEVEL, period=NEWEST, compare=BEFORE, version=Version.INTERNAL)
        ours = [
            (row.area_key, row.cases, row.outside_cases, row.change_cases) for row in placements(session, asked).rows
        ]
    for sql in (_DERIVED, _RAW):
        theirs = _rows(owner, _BARE.format(quarter=sql), values)
        assert ours == [(row[0], row[2], row[3] or 0, row[8]) for row in theirs]


def _rows(owner: Engine, sql: str, values: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
    with owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values or {})]


def _value(owner: Engine, sql: str) -> int:
    with owner.connect() as connection:
        return int(connection.execute(text(sql)).scalar_one())


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _median(work: Callable[[], object]) -> float:
    work()
    return statistics.median(_timed(work) for _ in range(_RUNS))
