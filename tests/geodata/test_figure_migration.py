"""The migration to published figures: until they are derived, nothing that tells of helps is public."""

import uuid
from collections.abc import Iterator

import pytest
from controlling_town import HELPS, Town, town
from hand_rows import rows_in
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from geodata.cluster import Cluster
from geodata.database import make_engine, reading, writing
from geodata.derive import rebuild_published
from geodata.migrate import SERVING_LOGIN, downgrade, migrate

COSTS = "statistics.kosten"
RAW = text("SELECT * FROM observation ORDER BY import_id, level, area_key, indicator, position")


@pytest.fixture
def fourth(cluster: Cluster) -> Iterator[tuple[str, Engine, Engine]]:
    """A database at the revision before, with engines to write and to read it as the service does."""
    name = f"srk_m_{uuid.uuid4().hex[:10]}"
    with cluster.connect("postgres") as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = cluster.url(name)
    migrate(url, "0004")
    engines = make_engine(url), make_engine(cluster.url(name, SERVING_LOGIN))
    yield url, *engines
    for engine in engines:
        engine.dispose()
    with cluster.connect("postgres") as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def write(made: Town) -> None:
    made.dataset(HELPS)
    made.dataset(COSTS, "kumuliert", "eur")
    made.dataset("statistics.einwohner", "stichtag", "personen")
    version = made.rows.version("catalogue", "catalogue")
    made.rows.insert("indicator", import_id=version, code="kosten_je_tag", title="Kosten je Tag", kind="rate")
    for area, value in (("1", 12.0), ("2", 2.0)):
        made.figure(HELPS, area, "cases", "31", "2020", value)
        made.figure(COSTS, area, "spending_eur", "31", "2020", 9000 * value)
        made.figure(COSTS, area, "kosten_je_jew_eur", "31", "2020", 9 * value)
        made.figure(COSTS, area, "kosten_je_tag", "31", "2020", 25.0)
        made.figure(COSTS, area, "budget_eur", "", "2020", 1000.0)
        made.figure("statistics.einwohner", area, "population", "total", "2020", 1000)


def seen(engine: Engine) -> dict[tuple[str, str], float | None]:
    with reading(engine) as session:
        found = session.execute(text("SELECT indicator, area_key, value FROM observation_visible"))
        return {(indicator, key): value for indicator, key, value in found}


def test_up_and_down_and_up_again(fourth: tuple[str, Engine, Engine]) -> None:
    url, engine, serving = fourth
    with town(engine) as made:
        write(made)
        raw = made.rows.session.execute(RAW).all()
    before = seen(serving)
    assert ("kosten_je_jew_eur", "2") in before, "residents times this are the spending for two children"
    assert ("cases", "1") not in before
    migrate(url, "0005")
    waiting = seen(serving)
    assert {code for code, _area in waiting} == {"population", "budget_eur"}
    with writing(engine) as session:
        assert rebuild_published(session)
    published = seen(serving)
    assert published["cases", "1"] == 12
    assert published["cases", "2"] is None
    assert published["spending_eur", "2"] is None
    assert ("kosten_je_jew_eur", "2") not in published
    assert published["kosten_je_jew_eur", "1"] == 108
    assert published["budget_eur", "2"] == 1000
    downgrade(url, "0004")
    assert seen(serving) == before
    with engine.connect() as connection:
        assert connection.execute(RAW).all() == raw
        for gone in ("observation_published", "observation_guarded", "figure_pattern", "figure_withheld_visible"):
            assert connection.scalar(text("SELECT to_regclass(:name)"), {"name": gone}) is None
    migrate(url)
    assert seen(serving) == waiting
    with writing(engine) as session:
        rebuild_published(session)
    assert seen(serving) == published


def test_a_reason_that_nobody_knows_is_refused(fourth: tuple[str, Engine, Engine]) -> None:
    url, engine, _serving = fourth
    migrate(url)
    with rows_in(engine) as rows:
        with pytest.raises(IntegrityError, match="violates check constraint"):
            rows.insert("figure_withheld", family="cases", counting="", period="2020", level="land", reason="Laune")
        rows.session.rollback()
