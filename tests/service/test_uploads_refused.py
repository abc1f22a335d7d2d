"""Uploads that are refused: wrong files, bad rows, wrong fields, too large, hostile names; each told in a sentence."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Database
from importer_help import load_city, offer, state, write_csv
from importer_help import write_xlsx as write_book
from upload_help import CHECK, FORM, app_over, browser, page, send, settled, upload

from service.uploads.folder import harmless

LIST = [offer(number, 100.0 * number, 500) for number in range(1, 11)]


@pytest.fixture(scope="module")
def still(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A city that no test changes."""
    made = new_database()
    load_city(made.writing, tmp_path_factory.mktemp("city"))
    return made


@pytest.fixture(scope="module")
def desk(still: Database) -> Any:
    """A service over that city for the tests that ask nothing special of it."""
    return app_over(still)


def csv_file(folder: Path, rows: list[dict[str, Any]] | None = None, name: str = "liste.csv") -> Path:
    return write_csv(folder / name, rows or LIST)  # type: ignore[arg-type]


def refused(admin: Any, file: Path, kind: str = "facilities", **fields: str) -> str:
    answer = upload(admin, file, kind, **fields)
    assert answer.status_code == 303, answer.text
    shown = settled(admin)
    assert "Nicht angenommen" in shown.text
    assert not [form for form in shown.forms if str(form["action"]).endswith("/uebernehmen")]
    assert admin.get(CHECK).text.count("Traceback") == 0
    return shown.text


def test_wrong_files_are_told_in_a_sentence(still: Database, tmp_path: Path) -> None:
    app = app_over(still)
    admin = browser(app)
    before = state(still.writing)
    files = {
        "leer.csv": (b"", "„leer.csv“ ist leer"),
        "bild.png": (b"\x89PNG", "Dateien mit der Endung „.png“ werden nicht gelesen"),
        "ohne-endung": (b"id;name", "Dateien mit der Endung „“ werden nicht gelesen"),
        "doch-excel.csv": (b"PK\x03\x04" + b"x" * 50, "Excel- oder ZIP-Datei mit der Endung einer Textdatei"),
        "kaputt.xlsx": (b"PK\x03\x04" + b"x" * 50, "keine lesbare Excel-Datei"),
        "kopf.csv": (b"id;name;lon;lat\n", "enthält keine Zeilen"),
        "spalte.csv": (b"a;b\n1;2\n", "hat keine Spalte „name“"),
        "kaputt.geojson": (b"{", "kaputt.geojson"),
    }
    for name, (content, words) in files.items():
        file = tmp_path / name
        file.write_bytes(content)
        assert words in refused(admin, file, category="okja"), name
        held = app.state.srk_uploads.of(admin.cookies["srk_session"])
        assert not held.received.path.exists(), "a refused file is not kept"
    assert state(still.writing) == before


def test_too_many_bad_rows_refuse_the_file_with_its_report(still: Database, tmp_path: Path) -> None:
    rows = [*LIST, {"id": "x", "name": "Ohne Ort"}]
    admin = browser(app_over(still))
    said = refused(admin, csv_file(tmp_path, rows), category="okja")
    assert "1 von 11 Zeilen wurden zurückgewiesen (erlaubt: 5 %)" in said
    assert "Die Koordinate fehlt" in said
    assert "Zurückgewiesene Zeilen (CSV)" in said
    # One bad row is borne where the office says so.
    upload(admin, csv_file(tmp_path, rows), category="okja", max_rejects="1")
    assert "10 von 11 Zeilen übernommen, 1 zurückgewiesen" in settled(admin).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"category": ""}, "Bitte die Kategorie angeben"),
        ({"category": "x"}, "Diese Auswahl gibt es nicht"),
        ({"mapping": "../../service/settings.py"}, "Diese Zuordnung gibt es nicht"),
        ({"mapping": "hamburg/stadtteile.toml"}, "Diese Zuordnung gibt es nicht"),
        ({"as_of": "31.12.2025"}, "kein Datum"),
        ({"max_rejects": "viele"}, "„Erlaubte Zurückweisungen“ braucht eine Zahl"),
        ({"max_shrink": "3"}, "Anteil wie „30%“"),
        ({"keep_outside": "nan"}, "Zahl von Kilometern"),
        ({"dataset": "x" * 400}, "zu lang"),
        ({"title": "a\x00b"}, "Steuerzeichen"),
        ({"art": "population"}, "Bitte sagen, was hochgeladen wird"),
    ],
)
def test_wrong_fields_bring_the_form_back(desk: Any, tmp_path: Path, fields: dict[str, str], words: str) -> None:
    admin = browser(desk)
    kept = set(desk.state.srk_uploads.folder().path.glob("*/*"))
    answer = upload(admin, csv_file(tmp_path), **{"category": "okja", "title": "Mein Titel"} | fields)
    assert answer.status_code == 400
    assert words in answer.text
    assert 'role="alert"' in answer.text
    if "title" not in fields and "art" not in fields:
        assert 'value="Mein Titel"' in answer.text, "what was filled in stays"
    assert set(desk.state.srk_uploads.folder().path.glob("*/*")) == kept


def test_what_is_no_form_with_a_file(desk: Any) -> None:
    admin = browser(desk)
    fields = page(admin, f"{FORM}?art=facilities").form("/hochladen")["fields"]
    assert admin.post(FORM, data=fields).status_code == 400
    assert admin.post(FORM, content=b"{}", headers={"content-type": "application/json"}).status_code == 400
    broken = {"content-type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x\r\nContent-Dis", b"--x\r\n\r\n\r\n--x--"):
        assert admin.post(FORM, content=body, headers=broken).status_code in {400, 403}
    assert admin.post(FORM, content=b"", headers={"content-type": "multipart/form-data"}).status_code == 400
    assert admin.get(f"{FORM}?art=mond").status_code == 400
    for name in ("areas.mond", "%00", "a%00b", "%0a"):
        assert admin.get(f"{FORM}?bestand={name}").status_code == 404
    assert admin.get(f"{CHECK}?aenderungen=x", follow_redirects=False).status_code == 303


def test_a_file_too_large_is_refused_before_it_is_read(still: Database) -> None:
    app = app_over(still, upload_max_mb=1)
    admin = browser(app)
    shown = page(admin, f"{FORM}?art=facilities")
    assert "höchstens 1 MB" in shown.text
    answer = send(admin, shown, b"x" * (2 * 1024**2), "gross.csv", category="okja")
    assert answer.status_code == 413
    assert "größer als 1 MB" in answer.text
    assert "SRK_UPLOAD_MAX_MB" in answer.text
    # A body that does not say how long it is ends where the limit is, not where it ends.
    sent = 0

    def endless() -> Any:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="datei"; filename="a.csv"\r\n\r\n'
        while sent < 50 * 1024**2:
            sent += 65536
            yield b"x" * 65536

    answer = admin.post(FORM, content=endless(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 413
    assert list(app.state.srk_uploads.folder().path.glob("*/*")) == []


def test_a_workbook_that_unpacks_to_a_flood_is_refused(still: Database, tmp_path: Path) -> None:
    bomb = tmp_path / "bombe.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (11 * 1024**2))
    assert bomb.stat().st_size < 100_000
    said = refused(browser(app_over(still, upload_max_mb=1)), bomb, category="okja")
    assert "entpackt größer als 10 MB" in said


@pytest.mark.parametrize(
    "name",
    ["../../../etc/cron.d/liste.csv", "C:\\Büro\\Liste.csv", '"><img src=x onerror=alert(1)>.csv', "=cmd|calc.csv",
     "a\u202evsc.csv", ".csv.csv", "x" * 1000 + ".csv", "%2e%2e%2fliste.csv", "a\r\nSet-Cookie: x=1.csv",
     "-rf.csv", "null\x00.csv", "🦊.csv"],
)  # fmt: skip
def test_hostile_file_names_are_only_names(desk: Any, tmp_path: Path, name: str) -> None:
    admin = browser(desk)
    shown = page(admin, f"{FORM}?art=facilities")
    answer = send(admin, shown, csv_file(tmp_path).read_bytes(), name, category="okja")
    if answer.status_code == 400:  # a name that no part of a form can carry
        return
    assert answer.status_code == 303, answer.text
    held = desk.state.srk_uploads.of(admin.cookies["srk_session"])
    folder = desk.state.srk_uploads.folder().path
    assert held.received.path.parent.parent == folder
    assert held.received.name == harmless(held.received.name), "cleaning again changes nothing"
    assert "<img" not in admin.get(CHECK).text
    assert "10 von 10 Zeilen übernommen" in settled(admin).text
    answer = admin.get(f"{CHECK}/bericht.json")
    assert answer.json()["source"] == held.received.name
    assert "set-cookie" not in answer.headers


def test_names_are_made_harmless() -> None:
    assert harmless("Liste März 2026.XLSX") == "Liste März 2026.xlsx"
    assert harmless("a/b\\c.csv") == "c.csv"
    assert harmless("") == harmless("...") == "datei"
    assert harmless(".csv") == "csv"
    assert harmless("ä" * 500 + ".gpkg") == "ä" * 80 + ".gpkg"
    assert harmless("a.{x}") == "a._x_"
    for name in ("a\u202eb.csv", "a\nb.csv", "a|b.csv", "a\x00b"):
        assert harmless(name).isprintable()


def test_a_workbook_with_a_chosen_sheet(desk: Any, tmp_path: Path) -> None:
    rows = [list(LIST[0]), *[list(row.values()) for row in LIST]]
    book = write_book(tmp_path / "mappe.xlsx", [["leer"]], Liste=rows)
    admin = browser(desk)
    assert "hat keine Spalte" in refused(admin, book, category="okja")
    upload(admin, book, category="okja", layer="Liste")
    assert "10 von 10 Zeilen übernommen" in settled(admin).text


def test_a_file_that_leads_elsewhere_is_not_followed(desk: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("id,name,lon,lat\n1,Geheimweg 7,9.99,53.55\n", encoding="utf-8")
    layer = f"<SrcDataSource>{secret}</SrcDataSource><SrcLayer>secret</SrcLayer>"
    vrt = f'<OGRVRTDataSource><OGRVRTLayer name="a">{layer}</OGRVRTLayer></OGRVRTDataSource>'
    admin = browser(desk)
    for name, content in (("harmlos.gpkg", vrt), ("harmlos.gpkg", f"CSV:{secret}")):
        file = tmp_path / name
        file.write_text(content, encoding="utf-8")
        assert "keine lesbare Geodatei" in refused(admin, file, category="okja")
    with zipfile.ZipFile(tmp_path / "harmlos.zip", "w") as archive:
        for part in (".shp", ".shx", ".dbf"):
            archive.writestr(f"harmlos{part}", vrt)
    assert "Geheimweg" not in refused(admin, tmp_path / "harmlos.zip", category="okja")


def test_formulas_without_a_result_are_told(desk: Any, tmp_path: Path) -> None:
    rows: list[list[Any]] = [[*LIST[0], "supply", "supply_unit"], *[[*row.values(), 5, "places"] for row in LIST]]
    rows[1][4], rows[2][4] = "=2+3", "#REF!"
    admin = browser(desk)
    upload(admin, write_book(tmp_path / "mappe.xlsx", rows), category="okja", max_rejects="1")
    checked = settled(admin)
    assert "9 von 10 Zeilen übernommen, 1 zurückgewiesen" in checked.text
    assert "In der Spalte „supply“ steht eine Formel ohne Ergebnis, zuerst in Zeile 2" in checked.text
    assert "#REF!" in checked.text
    assert "Kapazität (supply)" in checked.text
