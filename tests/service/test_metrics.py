"""``/metrics`` and the rows of ``/api/v1/datasets``: how old the data is and what fails, and no more than that."""

import datetime as dt
import re
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, Database
from prometheus_client.parser import text_string_to_metric_families
from service_help import client_of, rows_of
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.database import writing
from geodata.viewer import Role, Viewer
from importers.kinds.areas import AreasImport, import_areas
from importers.sources import open_source

REASON = "Der Server von „https://intern.example/x“ antwortet nicht."
DAY_S = 86_400


@pytest.fixture
def failing(database: Database, tmp_path: Path) -> Database:
    """Two datasets that were loaded, of which one fails since, and one that never came in."""
    for level in ("bezirk", "land"):
        path = tmp_path / f"{level}.csv"
        path.write_text("key;name\n1;Eins\n", encoding="utf-8")
        import_areas(database.writing, open_source(path), AreasImport(level))
    with writing(database.writing) as session:
        session.execute(text("UPDATE import_run SET imported_at = now() - interval '30 days'"))
        session.execute(
            text("""
                UPDATE source_state SET checked_at = now() - interval '2 days', failed_at = now(), failure = :failure
                WHERE dataset = 'areas.bezirk'
            """),
            {"failure": REASON},
        )
        session.execute(
            text("INSERT INTO source_state (dataset, failed_at, failure) VALUES ('areas.neu', now(), :failure)"),
            {"failure": REASON},
        )
    return database


def samples(client: TestClient) -> dict[tuple[str, str | None], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    return {
        (sample.name, sample.labels.get("dataset")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_tell_age_and_failure(failing: Database) -> None:
    found = samples(client_of(failing.serving))
    now = time.time()
    assert found["srk_data_version", None] == 2
    assert {key: value for key, value in found.items() if key[0] == "srk_dataset_failing"} == {
        ("srk_dataset_failing", "areas.bezirk"): 1,
        ("srk_dataset_failing", "areas.land"): 0,
        ("srk_dataset_failing", "areas.neu"): 1,
    }
    assert found["srk_dataset_age_seconds", "areas.bezirk"] == pytest.approx(2 * DAY_S, abs=60)
    assert found["srk_dataset_age_seconds", "areas.land"] == pytest.approx(0, abs=60)
    assert found["srk_dataset_checked_timestamp_seconds", "areas.bezirk"] == pytest.approx(now - 2 * DAY_S, abs=60)
    assert found["srk_dataset_imported_timestamp_seconds", "areas.land"] == pytest.approx(now - 30 * DAY_S, abs=60)
    assert found["srk_dataset_failed_timestamp_seconds", "areas.neu"] == pytest.approx(now, abs=60)
    # What never was is absent, not 0.
    for name, dataset in (
        ("srk_dataset_age_seconds", "areas.neu"),
        ("srk_dataset_checked_timestamp_seconds", "areas.neu"),
        ("srk_dataset_imported_timestamp_seconds", "areas.neu"),
        ("srk_dataset_failed_timestamp_seconds", "areas.land"),
    ):
        assert (name, dataset) not in found


def test_metrics_tell_nothing_else(failing: Database) -> None:
    text_ = client_of(failing.serving).get("/metrics").text
    names = {line.partition("{")[0].partition(" ")[0] for line in text_.splitlines() if not line.startswith("#")}
    assert all(name.startswith("srk_") for name in names)
    assert "intern.example" not in text_
    labels = {label for family in text_string_to_metric_families(text_) for s in family.samples for label in s.labels}
    assert labels == {"dataset"}


def test_metrics_of_an_empty_database(database: Database) -> None:
    assert samples(client_of(database.serving)) == {("srk_data_version", None): 0}


def test_metrics_of_a_database_that_is_away() -> None:
    from geodata.database import make_engine

    engine = make_engine("postgresql+psycopg://srk@127.0.0.1:1/srk?connect_timeout=1")
    assert client_of(engine).get("/metrics").status_code == 503
    engine.dispose()


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["dataset"]: row for row in rows}


def test_datasets_tell_their_age(failing: Database) -> None:
    client = client_of(failing.serving)
    rows = by_name(rows_of(client, "/datasets"))
    assert set(rows) == {"areas.bezirk", "areas.land"}
    row = rows["areas.bezirk"]
    assert row["age_days"] == 2
    assert dt.datetime.fromisoformat(row["checked_at"]) < dt.datetime.fromisoformat(row["failed_at"])
    assert row["failure"] is None, "why is the office's to know"
    assert (rows["areas.land"]["age_days"], rows["areas.land"]["failed_at"]) == (0, None)
    answer = client.get("/api/v1/datasets")
    assert answer.json()["meta"]["warnings"] == [
        "Der Bestand „areas.bezirk“ ließ sich zuletzt nicht erneuern.",
        "Der Bestand „areas.neu“ ließ sich noch nie laden.",
    ]
    assert "intern.example" not in answer.text


@pytest.mark.parametrize(("role", "told"), [(Role.PLANNER, None), (Role.ADMIN, REASON)])
def test_why_is_for_administrators(failing: Database, role: Role, told: str | None) -> None:
    client = client_of(failing.serving, Viewer(role, office_areas=(("bezirk", "1"),)))
    assert by_name(rows_of(client, "/datasets"))["areas.bezirk"]["failure"] is None
    row = by_name(rows_of(client, "/datasets", version="intern"))["areas.bezirk"]
    assert row["failure"] == told
    assert row["failed_at"] is not None


def test_a_look_at_the_source_is_seen_at_once(failing: Database) -> None:
    client = client_of(failing.serving)
    first = client.get("/api/v1/datasets")
    etag = first.headers["etag"]
    assert client.get("/api/v1/datasets", headers={"If-None-Match": etag}).status_code == 304
    with writing(failing.writing) as session:
        session.execute(text("UPDATE source_state SET checked_at = now(), failed_at = NULL, failure = NULL"))
    again = client.get("/api/v1/datasets", headers={"If-None-Match": etag})
    assert again.status_code == 200
    assert by_name(again.json()["rows"])["areas.bezirk"]["age_days"] == 0


def test_the_documentation_names_every_metric_and_no_other(failing: Database) -> None:
    text_ = (PROJECT / "docs" / "betrieb.md").read_text(encoding="utf-8")
    named = set(re.findall(r"srk_(?:data|dataset)_[a-z_]+", text_))
    assert named == {name for name, _dataset in samples(client_of(failing.serving))}
