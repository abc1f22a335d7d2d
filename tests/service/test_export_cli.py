"""``sozialraumkarte export controlling``, as a user runs it."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from conftest import Database
from export_town import load_town
from sqlalchemy import text

from service.cli import main
from service.exports.parts import INTERNAL, PUBLISHED

AREAS = ("--area", "quartier:A", "--area", "stadt:S")


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = new_database()
    load_town(made.writing, tmp_path_factory.mktemp("town"))
    return made


@pytest.fixture
def folder(town: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SRK_DATABASE_URL", town.serving_url)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["export", "controlling", *arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


def records(town: Database) -> list[tuple[str, str, str]]:
    with town.writing.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT viewer, action, detail->>'request' FROM audit"))]


def test_the_published_version_is_the_default_and_not_recorded(
    town: Database, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = records(town)
    code = run("--area", "stadt:S", "--format", "xlsx")
    said = capsys.readouterr()
    assert records(town) == before
    if code:  # what nobody outside may see makes no report
        assert "keine Zahlen zu sehen" in said.err
        return
    assert openpyxl.load_workbook(folder / "controlling.xlsx").worksheets[0]["A1"].value == PUBLISHED


def test_the_internal_version_is_written_marked_and_recorded(
    town: Database, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(records(town))
    assert run(*AREAS, "--version", "intern", "--base", "2019", "--out", "bericht.xlsx") == 0
    assert INTERNAL in capsys.readouterr().err
    made = openpyxl.load_workbook(folder / "bericht.xlsx")
    assert all(sheet["A1"].value == INTERNAL for sheet in made.worksheets)
    (record,) = records(town)[before:]
    assert record[:2] == ("admin||", "intern")
    assert "export controlling" in record[2]
    assert "quartier:A" in record[2]


def test_a_pdf_is_written(folder: Path) -> None:
    assert run(*AREAS, "--version", "intern", "--format", "pdf") == 0
    assert (folder / "controlling.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "xlsx"), "mindestens ein Gebiet angeben"),
        (("--area", "quartier:Z", "--format", "xlsx"), "Das Gebiet „quartier:Z“ gibt es nicht (Option --area)."),
        (("--area", "quartier", "--format", "xlsx"), "ebene:schlüssel"),
        ((*AREAS, "--format", "docx"), "Als Format gibt es xlsx und pdf"),
        (AREAS, "Als Format gibt es xlsx und pdf"),
        ((*AREAS, "--format", "pdf", "--out", "bericht.xlsx"), "endet nicht auf .pdf"),
        ((*AREAS, "--out", "gibt/es/nicht.pdf"), "lässt sich nicht schreiben (--out)"),
        ((*AREAS, "--format", "pdf", "--version", "geheim"), "Die Fassung „geheim“ gibt es nicht"),
        ((*AREAS, "--format", "pdf", "--base", "2014-Q9"), "ist kein Zeitraum"),
        ((*AREAS, "--format", "pdf", "--from", "1990", "--to", "1991"), "keine Zahlen"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(*arguments) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("Fehler: ")
    assert len(error.strip().splitlines()) == 1
    assert list(folder.iterdir()) == []
