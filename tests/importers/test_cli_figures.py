"""``import statistics``, ``import placements`` and ``import catalogue`` as their user meets them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from figure_help import figures_state, observations, people
from importer_help import Database, load_city, query, write_csv, write_toml

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    return database


@pytest.fixture
def run(city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    from service.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SRK_DATABASE_URL", city.serving_url)
    monkeypatch.setenv("SRK_ADMIN_DATABASE_URL", city.writing_url)

    def called(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["import", *(str(argument) for argument in arguments)])
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    return called


def test_statistics_with_their_options(run: Run, city: Database, tmp_path: Path) -> None:
    table = write_csv(
        tmp_path / "hilfen.csv", [{"area_key": "1", "indicator": "cases", "position": "31", "value": "1.675"}]
    )
    code, _out, err = run("statistics", table, "--level", "bezirk", "--period", "2021-Q3")
    assert code == 1
    assert "--decimal" in err
    code, out, err = run("statistics", table, "--level", "bezirk", "--period", "2021-Q3", "--decimal", ",",
                         "--counting", "stichtag", "--unit", "hilfen", "--scope", "ohne UMA", "--release", "internal",
                         "--title", "Hilfen", "--as-of", "2021-10-01", "--json")  # fmt: skip
    assert (code, err) == (0, "")
    assert json.loads(out)["rows_loaded"] == 1
    assert observations(city.writing) == {("bezirk", "1", "cases", "31", "2021-Q3", "ist"): (1675, "ok")}
    kept = query(city.writing, "SELECT title, as_of::text, counting, unit, scope, release::text FROM import_run "
                               "ORDER BY id DESC LIMIT 1")  # fmt: skip
    assert kept == [("Hilfen", "2021-10-01", "stichtag", "hilfen", "ohne UMA", "internal")]


def test_a_mapping_names_the_dataset(run: Run, city: Database, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "breit.csv", [{"Ort": "Weststadt", "jahr_2019": 5, "jahr_2020": 6}])
    body = ('level = "stadtteil"\n[columns]\narea_key = { from = "Ort", lookup = "stadtteil" }\n'
            'indicator = { constant = "hunde" }\n'
            '[unpivot]\npattern = \'^jahr_(\\d{4})$\'\ninto = "period"\n')  # fmt: skip
    code, out, _err = run("statistics", table, "--mapping", write_toml(tmp_path / "Hunde.toml", body))
    assert code == 0, out
    assert len(observations(city.writing, "statistics.hunde")) == 2
    assert "Beobachtungen: 2" in out


@pytest.mark.parametrize(("arguments", "words"), [
    (["--counting", "gefühlt"], "counting"), (["--unit", "köpfe"], "unit"), (["--release", "geheim"], "release"),
    (["--period", "2021-Q5"], "kein Zeitraum"), (["--population-period", "gestern"], "population_period"),
    (["--max-rejects", "viele"], "--max-rejects"), (["--mapping", "fehlt.toml"], "fehlt.toml"),
])  # fmt: skip
def test_what_cannot_be_meant_is_one_sentence(
    run: Run, city: Database, tmp_path: Path, arguments: list[str], words: str
) -> None:
    before = figures_state(city.writing)
    code, out, err = run("statistics", write_csv(tmp_path / "w.csv", [people()]), *arguments)
    assert (code, out) == (1, "")
    assert words in err
    assert err.count("\n") == 1
    assert figures_state(city.writing) == before


@pytest.mark.parametrize("body", [b"", b"\x00\x01\x02", b"PK\x03\x04kaputt", b"eine Zeile ohne Spalten\n"])
def test_a_wrong_file_is_one_sentence(run: Run, city: Database, tmp_path: Path, body: bytes) -> None:
    (tmp_path / "w.csv").write_bytes(body)
    before = figures_state(city.writing)
    for command in ("statistics", "placements"):
        code, _out, err = run(command, "w.csv")
        assert code == 1
        assert err.startswith("Fehler: ")
        assert err.count("\n") == 1
    assert figures_state(city.writing) == before


def test_a_refused_file_leaves_its_report(run: Run, city: Database, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "w.csv", [people(), people("02109")])
    code, _out, err = run("statistics", table, "--report", tmp_path / "bericht.json")
    assert code == 1
    assert "1 von 2 Zeilen" in err
    report: dict[str, Any] = json.loads((tmp_path / "bericht.json").read_text())
    (reject,) = (f for f in report["findings"] if f["severity"] == "reject")
    assert (reject["row"], reject["field"], reject["value"]) == (3, "area_key", "02109")
    code, _out, _err = run("statistics", table, "--max-rejects", "1", "--dry-run")
    assert code == 0
    assert observations(city.writing) == {}


def test_placements_with_their_options(run: Run, city: Database, tmp_path: Path) -> None:
    table = write_csv(
        tmp_path / "u.csv", [{"area_key": "1", "paragraph": "34", "provider_state": "Bayern", "cases": 3}]
    )
    code, out, err = run("placements", table, "--level", "bezirk", "--period", "2021-Q3", "--scope", "bezirk:1",
                         "--counting", "begonnen")  # fmt: skip
    assert (code, err) == (0, "")
    assert "Fälle: 3" in out
    assert query(city.writing, "SELECT level, area_role, counting, provider_state, cases FROM placement") == [
        ("bezirk", "zustaendig", "begonnen", "Bayern", 3)]  # fmt: skip
    assert query(city.writing, "SELECT scope_level, scope_key FROM placement_delivery") == [("bezirk", "1")]


def test_the_shipped_catalogue_by_its_name(run: Run, city: Database, tmp_path: Path) -> None:
    code, out, err = run("catalogue", "hamburg.toml")
    assert (code, err) == (0, "")
    assert "catalogue.hamburg" in out
    assert query(city.writing, "SELECT name, kind FROM dataset WHERE kind = 'catalogue'") == [
        ("catalogue.hamburg", "catalogue")]  # fmt: skip
    code, _out, err = run("catalogue", write_toml(tmp_path / "k.toml", "[[indicator]]\ncode = 'a'\n"))
    assert code == 1
    assert "die Angabe fehlt" in err
