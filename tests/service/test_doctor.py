import json
from typing import TYPE_CHECKING

import pytest

from service.cli.main import main

if TYPE_CHECKING:
    from conftest import Database


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **settings: str
) -> tuple[int, dict[str, list[str]]]:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    found: dict[str, list[str]] = {}
    for finding in json.loads(capsys.readouterr().out):
        found.setdefault(finding["verdict"], []).append(finding["sentence"])
    return int(ended.value.code or 0), found


def test_a_well_set_up_service_lacks_nothing(
    demo_database: "Database", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = run(
        monkeypatch,
        capsys,
        SRK_DATABASE_URL=demo_database.serving_url,
        SRK_ADMIN_DATABASE_URL=demo_database.writing_url,
        SRK_OFFICE_AREAS="bezirk:1",
    )
    assert code == 0
    assert set(found) == {"ok"}


def test_it_names_what_is_missing(
    database: "Database", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = run(monkeypatch, capsys, SRK_DATABASE_URL=database.writing_url)
    assert code == 1
    assert found["fehlt"] == ["Es sind noch keine Daten geladen."]
    warnings = " ".join(found["warnung"])
    assert "SRK_ADMIN_DATABASE_URL" in warnings
    assert "darf mehr als lesen" in warnings


def test_an_unreachable_database_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = run(monkeypatch, capsys, SRK_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert code == 1
    assert found["fehlt"] == ["Die Datenbank ist nicht erreichbar."]
