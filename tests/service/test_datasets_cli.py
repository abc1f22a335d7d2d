"""``sozialraumkarte datasets``: list, compare, take back, as whoever runs the machine meets them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Database
from sqlalchemy import text

from geodata.database import writing
from importers.kinds.areas import AreasImport, import_areas
from importers.load import Limit, Rules
from importers.sources import open_source
from service.cli import main

Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.usefixtures("two_versions")


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Run:
    monkeypatch.setenv("SRK_DATABASE_URL", database.serving_url)
    monkeypatch.setenv("SRK_ADMIN_DATABASE_URL", database.writing_url)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["datasets", *arguments])
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    return call


@pytest.fixture
def two_versions(database: Database, tmp_path: Path) -> None:
    """Two versions of a table of areas: one came, one went, one changed its name."""
    rules = Rules(Limit(number=0), Limit(share=0.9))
    for names in ({"1": "West", "2": "Ost", "3": "Süd"}, {"1": "West", "2": "Osten", "4": "Nord"}):
        path = tmp_path / "bezirke.csv"
        path.write_text("key;name\n" + "".join(f"{key};{name}\n" for key, name in names.items()), encoding="utf-8")
        import_areas(database.writing, open_source(path), AreasImport("bezirk", rules=rules))


def one_sentence(err: str) -> str:
    assert err.startswith("Fehler: ")
    assert err.count("\n") == 1
    assert err.endswith(".\n")
    return err


def names(database: Database) -> set[str]:
    with writing(database.writing) as session:
        return set(session.execute(text("SELECT name FROM area_visible")).scalars())


def test_alone_it_lists(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.startswith("areas.bezirk: Gebiete: Bezirk, 3 Zeilen, Stand nicht angegeben, importiert ")
    assert out.endswith(", Quelle geprüft heute\n")
    assert run("list")[1] == run("list", "areas.bezirk")[1] == out
    assert "„areas.mond“ gibt es nicht. Vorhanden: areas.bezirk." in one_sentence(run("list", "areas.mond")[2])
    rows = json.loads(run("--json")[1])["rows"]
    assert [(row["dataset"], row["age_days"], row["failed_at"]) for row in rows] == [("areas.bezirk", 0, None)]
    assert json.loads(run("list", "--json")[1])["rows"] == rows


def test_it_tells_of_age_and_failure(run: Run, database: Database) -> None:
    with writing(database.writing) as session:
        session.execute(text("UPDATE import_run SET imported_at = now() - interval '40 days'"))
        session.execute(
            text("""
                INSERT INTO source_state (dataset, checked_at, failed_at, failure)
                VALUES ('areas.bezirk', now() - interval '3 days', now(), 'Der Server antwortet nicht.'),
                       ('areas.neu', NULL, now(), 'Die Adresse gibt es nicht.')
                ON CONFLICT (dataset) DO UPDATE SET checked_at = excluded.checked_at, failed_at = excluded.failed_at,
                    failure = excluded.failure
            """)
        )
    out = run()[1].splitlines()
    assert out[0].endswith(", Quelle geprüft vor 3 Tagen")
    assert out[1].startswith("  Erneuern zuletzt gescheitert am ")
    assert out[1].endswith(": Der Server antwortet nicht.")
    assert out[2] == "Der Bestand „areas.neu“ ließ sich noch nie laden."
    (row,) = json.loads(run("--json")[1])["rows"]
    assert (row["age_days"], row["failure"]) == (3, "Der Server antwortet nicht.")


def test_diff_names_rows_and_fields(run: Run) -> None:
    code, out, err = run("diff", "areas.bezirk")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Gebiete: 1 neu, 1 geändert, 1 entfallen",
        "  entfallen: bezirk · 3",
        "  geändert: bezirk · 2 (Name: Ost → Osten)",
        "  neu: bezirk · 4",
    ]
    answer = json.loads(run("diff", "areas.bezirk", "--json")[1])
    assert answer["counts"] == {"Gebiete": {"added": 1, "changed": 1, "removed": 1}}
    assert answer["changes"][1] == {
        "table": "Gebiete", "change": "changed", "key": "bezirk · 2", "fields": {"name": ["Ost", "Osten"]},
    }  # fmt: skip
    short = run("diff", "areas.bezirk", "--limit", "1")[1].splitlines()
    assert len(short) == 3
    assert "--limit" in short[-1]


def test_rollback_there_and_back(run: Run, database: Database) -> None:
    code, out, err = run("rollback", "areas.bezirk")
    assert (code, err) == (0, "")
    assert out.startswith("areas.bezirk: Sichtbar ist wieder die Fassung vom ")
    assert out.endswith("(3 Zeilen).\n")
    assert names(database) == {"West", "Ost", "Süd"}
    answer = json.loads(run("rollback", "areas.bezirk", "--json")[1])
    assert (answer["dataset"], answer["rows"]) == ("areas.bezirk", 3)
    assert names(database) == {"West", "Osten", "Nord"}


@pytest.mark.parametrize("verb", ["diff", "rollback"])
def test_what_cannot_be_is_one_sentence(run: Run, tmp_path: Path, database: Database, verb: str) -> None:
    path = tmp_path / "land.csv"
    path.write_text("key;name\n02;Hamburg\n", encoding="utf-8")
    import_areas(database.writing, open_source(path), AreasImport("land"))
    code, out, err = run(verb, "areas.land")
    assert (code, out) == (1, "")
    assert "nur eine Fassung" in one_sentence(err)
    code, out, err = run(verb, "areas.mond")
    assert (code, out) == (1, "")
    assert "Vorhanden: areas.bezirk, areas.land." in one_sentence(err)
    assert run(verb)[0] == 2


def test_whoever_may_only_read_takes_nothing_back(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SRK_ADMIN_DATABASE_URL")
    code, out, err = run("rollback", "areas.bezirk")
    assert (code, out) == (1, "")
    assert "SRK_ADMIN_DATABASE_URL" in one_sentence(err)
    assert names(database) == {"West", "Osten", "Nord"}
