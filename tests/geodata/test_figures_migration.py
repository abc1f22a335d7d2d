"""The migrations of figures with data: what was there stays, up and down; what only they know goes with them."""

import uuid
from collections.abc import Iterator

import pytest
from hand_rows import FACILITIES, rows_in
from sqlalchemy import Engine, text

from geodata.cluster import Cluster
from geodata.database import make_engine
from geodata.migrate import downgrade, migrate, revision_of


@pytest.fixture
def first(cluster: Cluster) -> Iterator[tuple[str, Engine]]:
    """A database at the first revision with a city, a place and a release in it."""
    name = f"srk_f_{uuid.uuid4().hex[:10]}"
    with cluster.connect("postgres") as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    migrate(cluster.url(name), "0001")
    assert revision_of(cluster, name) == "0001"
    engine = make_engine(cluster.url(name))
    with rows_in(engine) as rows:
        rows.city()
        version = rows.version(FACILITIES, "facilities")
        rows.house(version, "house", (600, 300), "protected")
        rows.insert("release", dataset_id=rows.dataset_id(FACILITIES), offer_id="house", release="internal")
        rows.link()
    yield cluster.url(name), engine
    engine.dispose()
    with cluster.connect("postgres") as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


OLD_TABLES = ("dataset", "import_run", "level", "area_registry", "area", "place", "offer", "release", "facility_area")


def held(engine: Engine) -> dict[str, list[str]]:
    """The rows of the first revision's tables in the first revision's columns."""
    run_added = "refused_digest,content_digest,counting,unit,scope,population_period"
    added = f"'{{{run_added},location_quality,spelt,spelt_address}}'::text[]"
    run = "- CASE WHEN '{table}' = 'import_run' THEN 'release' ELSE '' END"
    with engine.connect() as connection:
        return {
            table: sorted(
                connection.execute(
                    text(f"SELECT ((to_jsonb(t) - {added}) {run.format(table=table)})::text FROM {table} t")
                ).scalars()
            )
            for table in OLD_TABLES
        }


def test_up_keeps_what_was_there_and_down_keeps_it_again(first: tuple[str, Engine]) -> None:
    url, engine = first
    before = held(engine)
    migrate(url)
    assert held(engine) == before
    with engine.connect() as connection:
        assert connection.execute(text("SELECT DISTINCT release::text FROM import_run")).scalars().all() == ["public"]

    with rows_in(engine) as rows:
        figures = rows.version("statistics.hand", "statistics")
        rows.insert("observation", import_id=figures, level="bezirk", area_key="1", indicator="cases", position="31",
                    period="2024", value=3, flag="ok", starts="2024-01-01", ends="2024-12-31")  # fmt: skip
        rows.insert("source_state", dataset="statistics.hand", failure="x")
        rows.insert("merged_area", level="bezirk", key="1+2", name="Eins/Zwei", members=["1", "2"])
        people = rows.version("population", "population")
        rows.insert("population_cell", import_id=people, cell_id="c", total=1, geom="SRID=25832;POINT(565000 5935000)")
        rows.insert("surface_band", number=1, age_from=0)
        ways = rows.version("network", "network")
        rows.insert("network_node", import_id=ways, node=0, component=0, geom="SRID=25832;POINT(565000 5935000)")
    downgrade(url, "0001")
    assert held(engine) == before
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('observation')")) is None
        assert connection.scalar(text("SELECT count(*) FROM dataset_visible")) == len(before["dataset"])
    migrate(url)
    assert held(engine) == before
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM observation")) == 0


STANDARD: dict[str, object] = {
    "code": "okja_wege", "title": "Wege", "category": "okja", "measure": "reach", "value": 0.8, "unit": "share",
    "age_from": 10, "age_to": 18, "source": "Plan", "resolution": "Beschluss 1", "resolved_on": "2024-03-14",
}  # fmt: skip


def test_standards_keep_what_they_said_when_they_learn_of_minutes(first: tuple[str, Engine]) -> None:
    url, engine = first
    migrate(url, "0002")
    with rows_in(engine) as rows:
        rows.insert("standard", import_id=rows.version("catalogue", "catalogue"), **STANDARD)

    def shown() -> list[dict[str, object]]:
        with engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text("SELECT * FROM standard_visible"))]

    before = shown()
    assert len(before) == 1
    migrate(url, "0003")
    assert shown() == [before[0] | {"minutes": None, "mode": None}]
    with engine.begin() as connection:
        connection.execute(text("UPDATE standard SET minutes = 15, mode = 'walk'"))
    assert (shown()[0]["minutes"], shown()[0]["mode"]) == (15, "walk")
    downgrade(url, "0002")
    assert shown() == before
    migrate(url, "0003")
    assert shown() == [before[0] | {"minutes": None, "mode": None}]
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL ROLE srk_read"))
        assert connection.scalar(text("SELECT count(*) FROM standard_visible")) == 1


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("observation", {"value": None, "flag": "ok"}),
        ("observation", {"value": 1.0, "flag": "suppressed"}),
        ("observation", {"value": 1.0, "flag": "guessed"}),
        ("observation", {"value": float("nan"), "flag": "ok"}),
        ("observation", {"value": float("inf"), "flag": "ok"}),
        ("observation", {"value": 1.0, "flag": "ok", "scenario": "wunsch"}),
        ("placement", {"cases": -1}),
        ("placement", {"provider_state": "Atlantis"}),
        ("placement", {"area_role": "geboren"}),
        ("standard", {"minutes": 0}),
        ("standard", {"minutes": 121}),
        ("standard", {"mode": "fly"}),
    ],
)
def test_what_cannot_be_is_refused_by_the_tables(
    first: tuple[str, Engine], table: str, values: dict[str, object]
) -> None:
    from sqlalchemy.exc import IntegrityError

    url, engine = first
    migrate(url)
    plain: dict[str, dict[str, object]] = {
        "observation": {"level": "bezirk", "area_key": "1", "indicator": "population", "position": "total",
                        "period": "2024", "starts": "2024-01-01", "ends": "2024-12-31"},
        "placement": {"level": "bezirk", "area_key": "1", "period": "2021-Q3", "paragraph": "34", "cases": 3,
                      "area_role": "zustaendig", "counting": "stichtag", "provider_state": "Hamburg"},
        "standard": STANDARD | {"minutes": 120, "mode": "walk"},
    }  # fmt: skip
    with rows_in(engine) as rows:
        version = rows.version("some.data", "statistics")
        rows.insert(table, import_id=version, **plain[table], **({"value": 1, "flag": "ok"} if table == "observation"
                                                                 else {}))  # fmt: skip
        other = {"code": "other"} if table == "standard" else {"period": "2025"}
        given = plain[table] | values | other | {"import_id": version}
        with pytest.raises(IntegrityError, match="violates check constraint"):
            rows.insert(table, **given)
        rows.session.rollback()
