"""The demo city is loaded once; what an older one lacks is added, and nothing else is touched."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from importers.demo import city, files
from importers.demo.network import COLUMNS
from service import demo

if TYPE_CHECKING:
    from conftest import Database


def test_a_whole_demo_is_left_alone(demo_database: "Database") -> None:
    said: list[str] = []
    with demo_database.writing.connect() as connection:
        count = "SELECT count(*) FROM import_run"
        before = connection.execute(text(count)).scalar_one()
        demo.load_demo(demo_database.writing, said.append)
        assert said == []
        assert connection.execute(text(count)).scalar_one() == before


@pytest.mark.long
def test_an_older_demo_gets_what_it_lacks(database: "Database", tmp_path: Path) -> None:
    made = city.build()
    files.write(made, tmp_path)
    for level in demo.LEVELS:
        demo._load_level(database.writing, tmp_path, level, lambda _line: None)
    demo._load_people(database.writing, tmp_path, lambda _line: None)
    for category in demo.CATEGORIES:
        demo._load_category(database.writing, tmp_path, category, lambda _line: None)
    said: list[str] = []
    demo.load_demo(database.writing, said.append)
    names = [line.strip().partition(":")[0] for line in said[1:]]
    figures = [name for name in demo.FIGURES if name != demo.YOUTH]
    assert names == [demo.YOUTH, demo.CATALOGUE, demo.INDICATORS, demo.NETWORK, demo.HELP_CATALOGUE, *figures,
                     demo.PLACEMENTS, demo.ADDRESSES]  # fmt: skip
    with database.writing.connect() as connection:
        cells, snapped, places, nodes = connection.execute(
            text("""
                SELECT (SELECT count(*) FROM surface_cell), (SELECT count(*) FROM cell_snap WHERE mode = 'bike'),
                       (SELECT count(*) FROM facility_snap WHERE mode = 'walk'), (SELECT count(*) FROM network_node)
            """)
        ).one()
    assert cells == snapped
    assert places == sum(len({row["facility_id"] for row in rows}) for rows in made.facilities.values())
    assert nodes == len({row[COLUMNS.index(end)] for row in made.ways for end in ("u", "v")})
