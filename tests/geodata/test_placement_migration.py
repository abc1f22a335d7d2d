"""The migration to published placements: raw ones stay as they are, what is derived comes and goes."""

import uuid
from collections.abc import Iterator

import pytest
from hand_rows import rows_in
from placement_town import build, derive, drawn, place
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from geodata.cluster import Cluster
from geodata.database import make_engine
from geodata.migrate import downgrade, migrate

RAW = text("SELECT * FROM placement ORDER BY level, area_key, area_role, provider_state")


@pytest.fixture
def third(cluster: Cluster) -> Iterator[tuple[str, Engine]]:
    """A database at the revision before, with its engine."""
    name = f"srk_m_{uuid.uuid4().hex[:10]}"
    with cluster.connect("postgres") as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = cluster.url(name)
    migrate(url, "0003")
    engine = make_engine(url)
    yield url, engine
    engine.dispose()
    with cluster.connect("postgres") as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def test_placements_loaded_before_are_published_once_derived(third: tuple[str, Engine]) -> None:
    url, engine = third
    build(engine)
    with rows_in(engine) as rows:
        place(rows, drawn(7, 200)[0])
        before = rows.session.execute(RAW).all()
    migrate(url, "0004")
    with rows_in(engine) as rows:
        assert rows.session.execute(text("SELECT * FROM placement_rule_visible")).all() == [
            ("Hamburg", "bezirk", ["stadtteil", "sozialraum"], 3)]  # fmt: skip
        assert not rows.session.execute(text("SELECT * FROM placement_cell")).all()
        assert derive(rows)
        first = rows.session.execute(text("SELECT * FROM placement_visible ORDER BY 1, 2, 6, 7")).all()
        assert first
    downgrade(url, "0003")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('placement_cell')")) is None
        assert connection.scalar(text("SELECT to_regclass('placement_visible')")) is None
        assert connection.execute(RAW).all() == before
    migrate(url)
    with rows_in(engine) as rows:
        derive(rows)
        assert rows.session.execute(text("SELECT * FROM placement_visible ORDER BY 1, 2, 6, 7")).all() == first


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("placement_cell", {"value": -1}),
        ("placement_cell", {"suppressed": True}),
        ("placement_rule", {"home_state": "Atlantis"}),
        ("placement_rule", {"small": 1}),
        ("placement_rule", {"one_row": False}),
        ("placement_sheet", {"area_role": "geboren"}),
        ("placement_sheet", {"counting": "kumuliert"}),
    ],
)
def test_what_cannot_be_is_refused_by_the_tables(
    third: tuple[str, Engine], table: str, values: dict[str, object]
) -> None:
    url, engine = third
    migrate(url)
    key = {"level": "bezirk", "area_role": "zustaendig", "paragraph": "34", "counting": "stichtag",
           "period": "2021-Q3"}  # fmt: skip
    plain: dict[str, dict[str, object]] = {
        "placement_cell": {**key, "area_key": "1", "category": "Bayern", "value": 3},
        "placement_sheet": {**key, "starts": "2021-07-01", "ends": "2021-09-30", "published": True, "summed": False,
                            "datasets": []},
        "placement_rule": {"one_row": True},
    }  # fmt: skip
    with rows_in(engine) as rows:
        rows.session.execute(text("DELETE FROM placement_rule"))
        with pytest.raises(IntegrityError, match="violates check constraint"):
            rows.insert(table, **plain[table] | values)
        rows.session.rollback()
