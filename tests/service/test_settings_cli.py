"""Settings and the command line: where values come from, what is never printed, how wrong use ends."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, Database
from pydantic import ValidationError

from service.cli import main
from service.cli.common import choose_stock
from service.instance import Stock
from service.settings import Settings, describe

PASSWORD = "s3hr-geheim"  # noqa: S105
URL = f"postgresql+psycopg://srk:{PASSWORD}@db.invalid:5432/srk"
NAMES = [f"SRK_{name.upper()}" for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """No setting of whoever runs the tests, and no .env but the test's own."""
    for name in list(os.environ):
        if name.startswith("SRK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield
    choose_stock(Stock.REAL)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def one_sentence(err: str) -> str:
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("Fehler: ")
    assert "Traceback" not in err
    return lines[0]


def test_environment_beats_file_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (Settings().port, Settings().home_state) == (8000, "Hamburg")
    Path(".env").write_text("SRK_PORT=8100\nSRK_HOME_STATE=Bremen\n")
    monkeypatch.setenv("SRK_PORT", "8200")
    given = Settings()
    assert (given.port, given.home_state, given.home_level) == (8200, "Bremen", "bezirk")
    sources = {row["name"]: (row["value"], row["source"]) for row in describe(given)}
    assert sources["SRK_PORT"] == ("8200", "Umgebung")
    assert sources["SRK_HOME_STATE"] == ("Bremen", ".env")
    assert sources["SRK_HOME_LEVEL"] == ("bezirk", "Voreinstellung")


def test_unknown_variables_and_comments_in_the_file_do_no_harm() -> None:
    Path(".env").write_text("# SRK_PORT=1\nFOO=1\nSRK_UNBEKANNT=1\nexport SRK_HOME_STATE=Berlin\n")
    given = Settings()
    assert (given.port, given.home_state) == (8000, "Berlin")
    sources = {row["name"]: row["source"] for row in describe(given)}
    assert sources["SRK_PORT"] == "Voreinstellung"
    assert sources["SRK_HOME_STATE"] == ".env"


def test_empty_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "ADMIN_DATABASE_URL", "DATA_DIR", "TILES_URL", "TILES_ATTRIBUTION", "OFFICE_AREAS"):
        monkeypatch.setenv(f"SRK_{name}", "")
    given = Settings()
    assert given.database_url is given.admin_database_url is given.data_dir is given.tiles_url is None
    assert given.office() == ()


def test_office_areas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRK_OFFICE_AREAS", " bezirk:1, stadtteil:02101 ,")
    assert Settings().office() == (("bezirk", "1"), ("stadtteil", "02101"))


@pytest.mark.parametrize("as_json", [False, True])
def test_secrets_are_masked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    monkeypatch.setenv("SRK_DATABASE_URL", URL)
    monkeypatch.setenv("SRK_ADMIN_DATABASE_URL", URL.replace("srk:", "admin:"))
    code, out, err = run(capsys, "settings", *(["--json"] if as_json else []))
    assert (code, err) == (0, "")
    assert PASSWORD not in out
    assert "**" in out
    assert PASSWORD not in repr(Settings())
    for name in NAMES:
        assert name in out
    if as_json:
        rows = json.loads(out)
        assert [row["name"] for row in rows] == NAMES
        assert all(set(row) == {"name", "value", "source", "help"} and row["help"] for row in rows)


BAD = [
    ("SRK_PORT", "0"), ("SRK_PORT", "abc"), ("SRK_PORT", "70000"), ("SRK_PORT", ""), ("SRK_PORT", "1.5"),
    ("SRK_MAX_ROWS", "0"), ("SRK_MAX_ROWS", "viele"), ("SRK_STATEMENT_TIMEOUT_MS", "1"), ("SRK_POOL_SIZE", "101"),
    ("SRK_CACHE_MAX_BYTES", "-1"), ("SRK_OFFICE_AREAS", "bezirk"), ("SRK_OFFICE_AREAS", "bezirk:1:2"),
    ("SRK_OFFICE_AREAS", ":1"), ("SRK_TILES_URL", "https://t.invalid/{z}/{x}/{y}.png"),
    ("SRK_ADMIN_DATABASE_URL", URL), ("SRK_DATABASE_URL", "quatsch"), ("SRK_DATABASE_URL", URL.replace("+psycopg", "")),
    ("SRK_DATABASE_URL", f"mysql://x:{PASSWORD}@y/z"), ("SRK_DATABASE_URL", URL.replace(":5432", ":port")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_bad_settings_end_with_one_german_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    code, out, err = run(capsys, "settings")
    assert (code, out) == (1, "")
    sentence = one_sentence(err)
    assert name in sentence
    assert PASSWORD not in err
    assert not any(word in sentence for word in ("should", "Input", "valid ", "error"))


def test_database_that_is_away_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRK_DATABASE_URL", f"postgresql+psycopg://srk:{PASSWORD}@127.0.0.1:1/srk")
    code, out, err = run(capsys, "datasets")
    assert (code, out) == (1, "")
    assert "nicht erreichbar" in one_sentence(err)
    assert PASSWORD not in err


def test_datasets_as_json_and_as_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, demo_database: Database
) -> None:
    monkeypatch.setenv("SRK_DATABASE_URL", demo_database.serving_url)
    code, out, err = run(capsys, "datasets", "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["meta"]["notice"] == "Beispieldaten – keine amtlichen Angaben"
    rows = {row["dataset"]: row for row in answer["rows"]}
    assert rows["facilities.kita"]["rows_loaded"] == 486
    assert rows["areas.bezirk"]["as_of"] == "2026-01-01"
    assert len(rows) == 25
    code, out, err = run(capsys, "datasets")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == answer["meta"]["notice"]
    assert len(lines) == 26
    assert any(line.startswith("facilities.kita: ") and "486 Zeilen, Stand 01.01.2026" in line for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [("quatsch",), ("settings", "--quatsch"), ("import",), ("import", "areas"), ("import", "areas", "x.geojson"),
     ("import", "facilities", "x.csv"), ("db",), ("db", "quatsch"), ("serve", "--port", "abc"),
     ("serve", "--port", "0"), ("datasets", "zuviel"), ()],
)  # fmt: skip
def test_wrong_use_is_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out + err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [("--help",), ("import", "--help"), ("import", "facilities", "--help")])
def test_help_is_no_failure(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code, out, _err = run(capsys, *arguments)
    assert code == 0
    assert "Usage" in out


def test_own_database_is_neither_started_nor_stopped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRK_DATABASE_URL", URL)
    for command in ("start", "stop"):
        code, _out, err = run(capsys, "db", command)
        assert code == 1
        assert "SRK_DATABASE_URL" in one_sentence(err)


def test_demo_is_meant_wherever_the_word_stands(capsys: pytest.CaptureFixture[str]) -> None:
    from service.cli.common import chosen_stock

    for arguments in (("--demo", "settings"), ("settings", "--demo")):
        choose_stock(Stock.REAL)
        assert run(capsys, *arguments)[0] == 0
        assert chosen_stock() is Stock.DEMO


def test_program_as_installed_exits_as_promised(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("sozialraumkarte")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SRK_")}
    for given, arguments, code in (({}, ["settings"], 0), ({"SRK_PORT": "x"}, ["settings"], 1), ({}, ["quatsch"], 2)):
        done = subprocess.run(
            [str(program), *arguments], env=clean | given, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr


def test_settings_are_frozen_and_digest_follows_what_answers_depend_on() -> None:
    given = Settings()
    with pytest.raises(ValidationError):
        given.port = 1  # type: ignore[misc]
    assert given.digest() == Settings(port=9).digest()
    assert given.digest() != Settings(max_rows=9).digest()


def test_own_cluster_lives_where_it_is_put(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SRK_DATA_DIR", str(tmp_path / "daten"))
    assert Settings().cluster_home() == tmp_path / "daten" / "postgres"


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_described_for_operators(name: str) -> None:
    assert name in (PROJECT / "docs" / "betrieb.md").read_text(encoding="utf-8")
