"""Readers beside an import: they never wait for it, and never see a mixture of two versions."""

import threading
import time
from pathlib import Path
from typing import Any

from importer_help import Database, load_city, load_facilities, lonlat, rules, write_csv
from sqlalchemy import text

from geodata.database import lock_writers, reading, writing

ROWS = 1_500


def offers(folder: Path, which: str, offset: float) -> Path:
    rows: list[dict[str, Any]] = []
    for n in range(ROWS):
        lon, lat = lonlat(5 + (n % 150) * 20 + offset, 5 + (n // 150) * 100)
        rows.append({"id": f"{which}{n}", "name": f"{which} {n}", "provider": which, "lon": lon, "lat": lat})
    return write_csv(folder / f"{which}.csv", rows)


def test_readers_see_one_version_or_the_other_and_do_not_wait(database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    files = [offers(tmp_path, "alt", 0), offers(tmp_path, "neu", 900)]
    load_facilities(database.writing, files[0])
    over = threading.Event()
    seen: set[tuple[Any, ...]] = set()
    reads = 0

    def read() -> None:
        nonlocal reads
        while not over.is_set():
            with reading(database.serving) as session:
                row = session.execute(
                    text("""
                        SELECT (SELECT array_agg(DISTINCT provider ORDER BY provider) FROM place_visible),
                               (SELECT count(*) FROM offer_visible), (SELECT count(*) FROM place_visible),
                               (SELECT count(*) FROM facility_area_visible WHERE level = 'bezirk'),
                               (SELECT count(*) FROM dataset_visible WHERE kind = 'facilities')
                    """)
                ).one()
            seen.add((tuple(row[0]), *row[1:]))
            reads += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(4):
            load_facilities(database.writing, files[(turn + 1) % 2], rules=rules("0", "100%"))
        # A writer that holds the lock and never comes to an end does not hold readers up either.
        with writing(database.writing) as session:
            lock_writers(session)
            session.execute(text("DELETE FROM facility_area"))
            before = reads
            while reads < before + 3 and reader.is_alive():
                time.sleep(0.01)
            session.rollback()
    finally:
        over.set()
        reader.join()
    assert seen == {(("alt",), ROWS, ROWS, ROWS, 1), (("neu",), ROWS, ROWS, ROWS, 1)}
