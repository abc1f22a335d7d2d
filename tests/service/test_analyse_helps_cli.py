"""``analyse placements|controlling|budget``: the API's answers; what is suppressed is told from what is missing."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Database
from controlling_town import ADMIN
from hand_rows import rows_in
from placement_town import build, derive, place
from service_help import API, client_of, gpkg_frame, workbook
from starlette.testclient import TestClient

from service.cli import main

Run = Callable[..., tuple[int, str, str]]
INTERNAL = {"version": "intern"}
# Every verb with options that give rows, and the API's address for the same.
SAME: dict[str, tuple[tuple[str, ...], str, dict[str, str]]] = {
    "placements": (
        ("--level", "bezirk", "--paragraph", "34", "--period", "2021-Q3", "--compare", "2019-Q3", "--area-role",
         "zustaendig", "--counting", "stichtag", "--area", "bezirk:1", "--series"),
        "/placements",
        {"level": "bezirk", "paragraph": "34", "period": "2021-Q3", "compare": "2019-Q3", "area_role": "zustaendig",
         "counting": "stichtag", "area": "bezirk:1", "series": "true"},
    ),
    "controlling": (
        ("--level", "sozialzentrum", "--from", "2018", "--to", "2020", "--area", "stadt:HB", "--base", "2014",
         "--yearly-growth", "0.05", "--scenario", "ist", "--measure", "help_density", "--city-level", "stadt",
         "--version", "intern"),
        "/controlling",
        {"level": "sozialzentrum", "from": "2018", "to": "2020", "area": "stadt:HB", "base": "2014",
         "yearly_growth": "0.05", "scenario": "ist", "measure": "help_density", "city_level": "stadt", **INTERNAL},
    ),
    "budget": (
        ("--area", "bezirk:1", "--from", "2018", "--to", "2020", "--base", "2018", "--version", "intern"),
        "/controlling/budget",
        {"area": "bezirk:1", "from": "2018", "to": "2020", "base": "2018", **INTERNAL},
    ),
}  # fmt: skip
FORMS = {"placements": ("json", "geojson", "csv", "xlsx", "gpkg"), "controlling": ("json", "csv", "xlsx"),
         "budget": ("json", "csv", "xlsx")}  # fmt: skip


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("SRK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def runner(database: Database, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    patch.setenv("SRK_DATABASE_URL", database.serving_url)
    patch.setenv("SRK_ADMIN_DATABASE_URL", database.writing_url)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["analyse", *arguments])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def run(examples_database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(examples_database, monkeypatch, capsys)


@pytest.fixture
def client(examples_database: Database) -> TestClient:
    return client_of(examples_database.serving, ADMIN)


def said(done: tuple[int, str, str]) -> str:
    code, out, err = done
    assert (code, err) == (0, ""), err
    return out


@pytest.mark.parametrize("verb", SAME)
def test_json_is_the_answer_of_the_api(run: Run, client: TestClient, verb: str) -> None:
    arguments, path, parameters = SAME[verb]
    answer = client.get(API + path, params=parameters).json()
    assert answer["rows"]
    assert json.loads(said(run(verb, *arguments, "--json"))) == answer


@pytest.mark.parametrize("verb", SAME)
def test_files_are_those_of_the_api(run: Run, client: TestClient, verb: str, tmp_path: Path) -> None:
    arguments, path, parameters = SAME[verb]
    for form in FORMS[verb]:
        file = tmp_path / f"antwort.{form}"
        assert run(verb, *arguments, "--out", str(file)) == (0, "", f"Geschrieben: {file}\n")
        answer = client.get(API + path, params=parameters | {"format": form})
        body = file.read_bytes()
        if form == "xlsx":
            mine, theirs = workbook(body), workbook(answer.content)
            assert [list(sheet.values) for sheet in mine] == [list(sheet.values) for sheet in theirs]
        elif form == "gpkg":
            assert gpkg_frame(body).equals(gpkg_frame(answer.content))
        else:
            assert body == answer.content


@pytest.mark.parametrize("verb", SAME)
def test_the_table_has_all_footnotes_and_notes(run: Run, verb: str) -> None:
    arguments = SAME[verb][0]
    answer = json.loads(said(run(verb, *arguments, "--json")))
    out = said(run(verb, *arguments))
    assert all(line.isprintable() for line in out.splitlines())
    assert out.splitlines()[0] == answer["meta"]["title"]
    plain = out.replace("\u00a0", " ")
    notes = {row["note"] for row in answer["rows"][:50] if row["note"]}
    for sentence in (answer["meta"]["method"], answer["meta"]["notice"], *answer["meta"]["warnings"], *notes):
        assert sentence.replace("\u00a0", " ") in plain


def test_a_single_row_is_shown_by_state(run: Run) -> None:
    out = said(run("placements", "--level", "bezirk"))
    lines = [line.split() for line in out.splitlines()]
    assert ["Schleswig-Holstein", "164"] in lines
    assert ["Hessen", "•"] in lines
    assert "• = zum Schutz kleiner Fallzahlen nicht ausgewiesen" in out.splitlines()
    internal = said(run("placements", "--level", "bezirk", "--version", "intern"))
    assert "•" not in internal
    assert ["Hessen", "1"] in [line.split() for line in internal.splitlines()]
    assert "Fassung: Interne Fassung" in internal


def test_numbers_are_german_and_what_no_row_has_is_left_out(run: Run) -> None:
    out = said(run("budget", "--area", "bezirk:1", "--version", "intern"))
    assert "−3.812.290" in out
    assert "Nettoeffekt (Prognose)" not in out
    out = said(run("budget", "--area", "stadt:HB", "--version", "intern"))
    assert "Nettoeffekt (Prognose)" in out
    assert "Nettoeffekt (Ist)" in out
    (row,) = [line for line in said(run("controlling", "--level", "stadt", "--area", "stadt:HB", "--from", "2020",
                                        "--version", "intern")).splitlines()
              if "Hilfen insgesamt " in line and line.startswith("HB")]  # fmt: skip
    assert "4.233" in row
    assert "109.415" in row


def test_suppressed_and_missing_numbers_are_told_apart(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build(database.writing)
    with rows_in(database.writing) as rows:
        place(rows, {("stadtteil", "11", "herkunft"): {"Hamburg": 20, "Bayern": 1},
                     ("stadtteil", "12", "herkunft"): {"Hamburg": 20, "Bayern": 12}})  # fmt: skip
        derive(rows)
    out = said(runner(database, monkeypatch, capsys)("placements", "--level", "stadtteil", "--area", "bezirk:1"))
    by_key = {line.split()[0]: line.split() for line in out.splitlines() if line[:2] in {"11", "12", "13"}}
    assert "•" in by_key["11"]
    assert "fehlt" not in by_key["11"]
    assert by_key["13"][-5:] == ["fehlt"] * 5
    assert "• = zum Schutz kleiner Fallzahlen nicht ausgewiesen" in out.splitlines()


NOT_POSSIBLE: dict[str, tuple[tuple[str, ...], str]] = {
    "level is said": (("placements",), "--level"),
    "unknown level": (("placements", "--level", "mond"), "„mond“"),
    "no quarter": (("placements", "--level", "bezirk", "--period", "2021-Q5"), "--period"),
    "unlike": (("placements", "--level", "bezirk", "--compare", "2020"), "--compare"),
    "unknown paragraph": (("placements", "--level", "bezirk", "--paragraph", "99"), "--paragraph"),
    "unknown role": (("placements", "--level", "bezirk", "--area-role", "alle"), "area_role"),
    "controlling of nothing": (("controlling",), "--level"),
    "reversed": (("controlling", "--level", "stadt", "--from", "2020", "--to", "2014"), "--to"),
    "no growth": (("controlling", "--level", "stadt", "--yearly-growth", "-1"), "--yearly-growth"),
    "no measure": (("controlling", "--level", "stadt", "--measure", "glueck"), "„glueck“"),
    "no position": (("controlling", "--level", "stadt", "--position", "99"), "„99“"),
    "no map": (("controlling", "--level", "stadt", "--out", "x.gpkg"), ".xlsx"),
    "budget of nothing": (("budget",), "--area"),
    "budget of nowhere": (("budget", "--area", "bezirk:9"), "bezirk:9"),
    "no year": (("budget", "--area", "bezirk:1", "--base", "2020-Q1"), "--base"),
}


@pytest.mark.parametrize("case", NOT_POSSIBLE)
def test_what_is_not_possible_is_said_in_one_sentence(run: Run, case: str) -> None:
    arguments, word = NOT_POSSIBLE[case]
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("Fehler: ")
    assert err.count("\n") == 1
    assert word in err


def test_another_home_state_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRK_HOME_STATE", "Bremen")
    code, _out, err = run("placements", "--level", "bezirk")
    assert code == 1
    assert "SRK_HOME_STATE" in err


def test_the_internal_version_is_recorded(run: Run, examples_database: Database) -> None:
    from sqlalchemy import text

    said(run("placements", "--level", "bezirk", "--version", "intern"))
    with examples_database.writing.connect() as connection:
        found: Any = connection.execute(text("SELECT detail FROM audit ORDER BY id DESC LIMIT 1")).scalar_one()
    assert found["request"].startswith("sozialraumkarte analyse placements --level=bezirk")
