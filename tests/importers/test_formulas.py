"""Formulas of a workbook: read as their stored result, told where none is stored, refused where they failed."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from importer_help import Database, findings, load_areas, load_city, load_facilities, lonlat, rules, write_csv

from importers.sources import formulas, open_source

NOTE = "In der Spalte „supply“ stehen 2 Formeln ohne Ergebnis, zuerst in Zeile 2; gelesen wird dort nichts."
LON, LAT = lonlat(500, 500)
HEAD = ["id", "name", "lon", "lat", "supply", "supply_unit"]


def workbook(path: Path, *rows: list[Any]) -> Path:
    """Write a workbook as a program does that calculates nothing."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def edited(path: Path, change: Callable[[str], str]) -> Path:
    """Change the sheet's XML, as another program would have written it."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    changed = change(parts[sheet].decode())
    assert changed != parts[sheet].decode()
    parts[sheet] = changed.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return path


def notes(path: Path) -> list[str]:
    return [note for note in open_source(path).notes if "Formel" in note]


def test_formulas_nobody_calculated_are_told_by_column(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "liste.xlsx", HEAD, ["a1", "Treff", LON, LAT, "=10+2", "places"],
        ["a2", "Haus", LON, LAT, 7, "places"], ["a3", '="Halle"', LON, LAT, "=3*4", "places"],
    )  # fmt: skip
    told = notes(path)
    assert told[0].startswith("In der Spalte „name“ steht eine Formel ohne Ergebnis, zuerst in Zeile 4;")
    assert told[1].startswith(NOTE)
    assert len(told) == 2


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("<c r='E2'><f>10+2</f><v>12</v></c>", 1),
        ("<c r='E2' t='str'><f>A1</f><v></v></c>", 1),  # an empty text is a result
        ("<c r='E2' t='str'><f>A1</f></c>", 2),
        ("<c r='E2'><f>A1</f><v/></c>", 2),
        ("<c r='E2'><f t='shared' si='0'/></c>", 2),
        ("<c><f>A1</f></c>", 2),  # it follows D2
        ("<c r='E2'><v>12</v></c>", 1),
    ],
)
def test_what_counts_as_a_result(tmp_path: Path, written: str, told: int) -> None:
    path = workbook(tmp_path / "liste.xlsx", HEAD, ["a1", "Treff", LON, LAT, 99, "places"],
                    ["a3", "Haus", LON, LAT, "=3*4", "places"])  # fmt: skip
    edited(path, lambda xml: xml.replace('<c r="E2" t="n"><v>99</v></c>', written.replace("'", '"')))
    (note,) = notes(path)
    assert ("2 Formeln" in note) == (told == 2)


def test_wherever_a_block_ends_and_however_names_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'<x:sheet xmlns:x="u"><x:row r="3"><x:c r="B3"><x:f>1+1</x:f></x:c></x:row></x:sheet>'
    for size in range(1, len(body) + 1):
        monkeypatch.setattr(formulas, "_BLOCK_BYTES", size)
        assert formulas.unanswered(lambda: io.BytesIO(body)) == {2: [3]}
    assert formulas.unanswered(lambda: io.BytesIO(body.replace(b"x:f>", b"x:g>"))) == {}


def test_the_import_tells_it(database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    path = workbook(
        tmp_path / "liste.xlsx", HEAD, ["a1", "Treff", LON, LAT, "=10+2", "places"],
        ["a2", "=1+1", LON, LAT, 7, "places"], ["a3", "Halle", "=10.0", LAT, "=3*4", "places"],
    )  # fmt: skip
    report = load_facilities(database.writing, path, rules=rules("90%", "100%"))
    assert (report.rows_loaded, report.rows_rejected) == (1, 2)
    assert {field for _row, field, _value, _reason in findings(report, "reject")} == {"name", "lon"}
    told = [reason for _row, _field, _value, reason in findings(report, "info") if "Formel" in reason]
    assert [reason.split("“")[0] for reason in told] == [
        f"In der Spalte „{name}" for name in ("name", "lon", "supply")
    ]  # fmt: skip
    assert report.counts["Angebote ohne Platz- oder Stundenangabe"] == 1


@pytest.mark.parametrize("shown", ["#REF!", "#NV", "#N/A", "#WERT!", "#DIV/0!"])
def test_a_formula_that_failed_is_no_value(database: Database, tmp_path: Path, shown: str) -> None:
    load_city(database.writing, tmp_path)
    good = {"id": "a1", "name": "Treff", "lon": LON, "lat": LAT, "provider": "Verein", "facility_id": "h"}
    wrong = [{"id": "a2", "name": shown}, {"id": shown}, {"id": "a4", "provider": shown}]
    rows = [good, *(good | more for more in wrong)]
    report = load_facilities(database.writing, write_csv(tmp_path / "l.csv", rows), rules=rules("90%", "100%"))  # type: ignore[arg-type]
    assert report.rows_loaded == 1
    told = {(row, field, value) for row, field, value, _reason in findings(report, "reject")}
    assert told == {(3, "name", shown), (4, "id", shown), (5, "provider", shown)}
    assert {reason for *_rest, reason in findings(report, "reject")} == {
        "Die Zelle zeigt den Fehler einer Formel statt eines Werts."
    }


def test_an_area_is_not_called_by_an_error(database: Database, tmp_path: Path) -> None:
    rows = [{"id": "1", "name": "West"}, {"id": "2", "name": "#REF!"}, {"id": "#NV", "name": "Ost"}]
    report = load_areas(database.writing, write_csv(tmp_path / "a.csv", rows), "bezirk", rules=rules("2"))  # type: ignore[arg-type]
    assert report.rows_loaded == 1
    assert [(row, field, value) for row, field, value, _why in findings(report, "reject")] == [
        (3, "name", "#REF!"), (4, "key", "#NV"),
    ]  # fmt: skip
