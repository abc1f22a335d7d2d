"""Decisions about an upload: nothing is opened by oversight, nothing is done twice, and what is said is so."""

import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas
import pytest
from conftest import Database
from importer_help import STADTTEILE, data_version, load_city, offer, query, state, write_csv, write_geojson
from service_help import workbook
from sqlalchemy import text
from upload_help import CHECK, FORM, PLANNER, app_over, browser, page, press, settled, upload

import geodata.version_preview
import importers.sources.vector
import service.uploads.work
from geodata.errors import DatabaseStateError
from geodata.viewer import Role, Viewer

Rows = list[Mapping[str, Any]]
FACILITIES: Rows = [offer(number, 100.0 * number, 500) for number in range(1, 11)]
TICK = "Ja, diese weitere Freigabe ist gewollt"
HOME = "Frauenhaus Lindenhof, Geheimweg 7"


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    return database


@pytest.fixture(scope="module")
def still(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A city that no test changes."""
    made = new_database()
    load_city(made.writing, tmp_path_factory.mktemp("city"))
    return made


def taken_over(admin: Any, file: Path, kind: str = "facilities", /, **fields: str) -> None:
    answer = upload(admin, file, kind, **fields)
    assert answer.status_code == 303, answer.text
    checked = settled(admin)
    more = {"freigabe": "ja"} if TICK in checked.text else {}
    assert press(admin, checked, "/uebernehmen", **more).status_code == 303
    assert "Übernommen" in settled(admin).text


def placements(period: str, cases: int = 4) -> Rows:
    return [{"area_level": "bezirk", "area_key": key, "period": period, "paragraph": "34", "provider_state": land,
             "cases": cases} for key in ("1", "2") for land in ("Hamburg", "Bayern")]  # fmt: skip


def population(first: int = 100) -> Rows:
    said = {"area_level": "stadtteil", "indicator": "population", "position": "total", "period": "2025"}
    keys = [area["id"] for area, _shape in STADTTEILE]
    return [{**said, "area_key": key, "value": first + number} for number, key in enumerate(keys)]


# --- releases -----------------------------------------------------------------------------------------------------


def test_placements_stay_internal(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)

    def releases() -> list[Any]:
        return query(city.writing, "SELECT release::text FROM import_run i JOIN dataset d ON d.id = i.dataset_id "
                                   "WHERE d.name = 'placements' ORDER BY i.id")  # fmt: skip

    taken_over(admin, write_csv(tmp_path / "p.csv", placements("2025-Q1")), "placements", release="internal")
    # A new quarter, and the whole anew: nobody says anything of the release, so it stays.
    taken_over(admin, write_csv(tmp_path / "p.csv", placements("2025-Q2")), "placements")
    upload(
        admin, write_csv(tmp_path / "p.csv", placements("2025-Q1", 5)), "placements", replace="all", max_shrink="60%"
    )
    checked = settled(admin)
    assert "Freigabe:" not in checked.text
    assert TICK not in checked.text
    press(admin, checked, "/uebernehmen")
    settled(admin)
    assert releases() == [("internal",)] * 3
    assert page(admin, f"{FORM}?bestand=placements").source.count('<option value="internal" selected>') == 1
    # To open it needs saying so twice.
    before = state(city.writing)
    upload(
        admin, write_csv(tmp_path / "p.csv", placements("2025-Q1", 5)), "placements", replace="all", release="public"
    )
    checked = settled(admin)
    assert "war bisher nur für die Planung sichtbar und würde öffentlich" in checked.text
    answer = press(admin, checked, "/uebernehmen")
    assert answer.status_code == 400
    assert "Bitte mit dem Haken bestätigen" in answer.text
    assert state(city.writing) == before


def test_protected_places_do_not_become_public_by_oversight(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)
    rows: Rows = [{**row, "release": "protected" if number < 3 else "public"} for number, row in enumerate(FACILITIES)]
    taken_over(admin, write_csv(tmp_path / "m.csv", rows), category="sha")
    # The next month's list has no such column.
    upload(admin, write_csv(tmp_path / "m.csv", [dict(row) for row in FACILITIES]), category="sha")
    checked = settled(admin)
    assert "Achtung: 3 Angebote wären für mehr Personen oder genauer sichtbar als bisher." in checked.text
    assert TICK in checked.text
    assert checked.source.count('name="freigabe" value="ja" required') == 2, "above the table and below"
    assert checked.source.index("Achtung: 3 Angebote") < checked.source.index("Übernehmen</button>")
    body = checked.source.split("Die Änderungen im Einzelnen</caption>")[1].split("<tbody>")[1]
    assert body.split("</tr>")[:3] == [row for row in body.split("</tr>")[:3] if "geschützt → öffentlich" in row]
    # Who sends the form without the tick is asked again; the file waits.
    before = state(city.writing)
    for given in ({}, {"freigabe": "nein"}, {"freigabe": ""}):
        answer = press(admin, checked, "/uebernehmen", **given)
        assert answer.status_code == 400
        assert 'role="alert">Bitte mit dem Haken bestätigen' in answer.text
    assert state(city.writing) == before
    press(admin, settled(admin), "/uebernehmen", freigabe="ja")
    assert "Übernommen" in settled(admin).text
    assert data_version(city.writing) == 4


def test_without_anything_opened_there_is_no_tick(still: Database, tmp_path: Path) -> None:
    admin = browser(app_over(still))
    upload(admin, write_csv(tmp_path / "m.csv", FACILITIES), category="okja")
    checked = settled(admin)
    assert TICK not in checked.text
    assert "Achtung" not in checked.text


# --- once, and what is visible now --------------------------------------------------------------------------------


def test_a_double_click_imports_once(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)
    upload(admin, write_csv(tmp_path / "m.csv", FACILITIES), category="okja")
    checked = settled(admin)
    version = data_version(city.writing)
    answers = [press(admin, checked, "/uebernehmen") for _ in range(3)]
    assert [one.status_code for one in answers] == [303] * 3
    assert "Übernommen" in settled(admin).text
    assert press(admin, checked, "/uebernehmen").status_code == 303, "also when it is done"
    settled(admin)
    assert data_version(city.writing) == version + 1
    taken_over(admin, write_csv(tmp_path / "m.csv", FACILITIES[:9]), category="okja")
    back = page(admin, "/planung/daten/bestand/facilities.okja")
    version = data_version(city.writing)
    gone = [press(admin, back, "/zurueck") for _ in range(2)]
    assert [one.status_code for one in gone] == [303] * 2
    assert gone[0].headers["location"] == gone[1].headers["location"]
    assert data_version(city.writing) == version + 1
    actions = query(city.writing, "SELECT action FROM audit WHERE action <> 'intern' ORDER BY id")
    assert actions == [("upload",), ("upload",), ("rollback",)]


@pytest.mark.parametrize("given", [{"davor": ""}, {"davor": "x"}, {"fassung": "9" * 400}, {"fassung": "-1"}])
def test_an_incomplete_form_takes_nothing_back(city: Database, tmp_path: Path, given: dict[str, str]) -> None:
    admin = browser(app_over(city))
    for rows in (FACILITIES, FACILITIES[:9]):
        taken_over(admin, write_csv(tmp_path / "m.csv", rows), category="okja")
    before = state(city.writing)
    answer = press(admin, page(admin, "/planung/daten/bestand/facilities.okja"), "/zurueck", **given)
    assert answer.status_code == 400
    assert state(city.writing) == before


def test_the_way_back_is_only_for_what_was_taken_over(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    anna, bert = browser(app), browser(app)
    taken_over(anna, write_csv(tmp_path / "m.csv", FACILITIES), category="okja")
    taken_over(anna, write_csv(tmp_path / "m.csv", FACILITIES[:9]), category="okja")
    assert page(anna, CHECK).form("/zurueck")
    taken_over(bert, write_csv(tmp_path / "m.csv", FACILITIES[:8]), category="okja")
    hers = page(anna, CHECK)
    assert "Inzwischen ist eine andere Fassung sichtbar." in hers.text
    assert "Doch nicht?" not in hers.text
    assert page(bert, CHECK).form("/zurueck")


def test_what_is_known_of_a_dataset_is_looked_up_at_the_check(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    anna, bert = browser(app), browser(app)
    fields = {"counting": "mittel_12_stichtage", "unit": "junge_menschen", "dataset": "statistics.x"}
    upload(bert, write_csv(tmp_path / "b.csv", population(200)), "statistics", dataset="statistics.x")
    first = settled(bert)
    assert "Diesen Bestand gibt es noch nicht" in first.text
    more = {"title": "Kinder", "licence": "dl-de/by-2-0", "release": "internal"}
    taken_over(anna, write_csv(tmp_path / "a.csv", population()), "statistics", **fields, **more)
    press(bert, first, "/uebernehmen")
    again = settled(bert)
    assert "Seit der Prüfung haben sich Daten geändert" in again.text
    assert "Auch Angaben zum Bestand" not in again.text
    press(bert, again, "/uebernehmen")
    settled(bert)
    (held,) = query(
        city.writing,
        """SELECT title, licence, release::text, counting, unit FROM import_run i
                                     JOIN dataset d ON d.current_import_id = i.id WHERE d.name = 'statistics.x'""",
    )
    assert held == ("Kinder", "dl-de/by-2-0", "internal", "mittel_12_stichtage", "junge_menschen")
    # On the page it is said in words.
    facts = page(bert, "/planung/daten/bestand/statistics.x").text
    for words in ("Mittel aus zwölf Stichtagen", "junge Menschen", "Freigabe nur für die Planung"):
        assert words in facts
    assert "mittel_12" not in facts
    assert "junge_menschen" not in facts


def test_somebody_between_the_look_and_the_lock(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_over(city)
    anna, bert = browser(app), browser(app)
    plain, came = service.uploads.work.visible_version, threading.Event()

    def between(*given: Any) -> Any:
        found = plain(*given)
        if not came.is_set():
            came.set()
            monkeypatch.setattr(service.uploads.work, "visible_version", plain)
            service.uploads.work.load(
                city.writing, write_csv(tmp_path / "a.csv", population()), hers.wanted, app.state.srk_uploads._home,
                None, dry_run=False,
            )  # fmt: skip
        return found

    upload(anna, write_csv(tmp_path / "a.csv", population()), "statistics", dataset="statistics.x", release="internal")
    settled(anna)
    hers = app.state.srk_uploads.of(anna.cookies["srk_session"])
    monkeypatch.setattr(service.uploads.work, "visible_version", between)
    upload(bert, write_csv(tmp_path / "b.csv", population(200)), "statistics", dataset="statistics.x")
    checked = settled(bert)
    assert came.is_set()
    assert "Diesen Bestand gibt es noch nicht" not in checked.text
    assert "Freigabe:" not in checked.text


# --- at work, and for the moment ----------------------------------------------------------------------------------


def test_a_file_is_kept_where_only_the_moment_is_wrong(
    still: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_over(still)
    admin = browser(app)
    plain = service.uploads.work.load

    def busy(*_given: Any, **_more: Any) -> Any:
        raise DatabaseStateError("Ein anderer Import hält die Datenbank gerade; bitte später.")

    monkeypatch.setattr(service.uploads.work, "load", busy)
    upload(admin, write_csv(tmp_path / "m.csv", FACILITIES), category="okja")
    shown = settled(admin)
    assert "Noch nicht geprüft" in shown.text
    assert "bitte später. Nichts wurde geändert; die Datei ist noch da." in shown.text
    held = app.state.srk_uploads.of(admin.cookies["srk_session"])
    assert held.received.path.exists()
    assert "wartet auf eine Entscheidung" in page(admin, "/planung/daten").text
    assert press(admin, shown, "/nochmal").status_code == 303
    assert "Noch nicht geprüft" in settled(admin).text
    monkeypatch.setattr(service.uploads.work, "load", plain)
    for _ in range(2):
        assert press(admin, shown, "/nochmal").status_code == 303
    assert "10 von 10 Zeilen übernommen" in settled(admin).text
    other = browser(app)
    stolen = {
        **shown.form("/nochmal")["fields"],
        "schutz": page(other, FORM + "?art=areas").forms[-1]["fields"]["schutz"],
    }
    assert other.post(f"{CHECK}/nochmal", data=stolen).status_code == 404


def test_the_pages_say_what_is_going_on(city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_over(city)
    monkeypatch.setattr("service.pages.planning_upload_check._WAIT_S", 0.0)
    admin = browser(app)
    plain, gate = service.uploads.work.load, threading.Event()

    def slow(*given: Any, **more: Any) -> Any:
        assert gate.wait(60)
        return plain(*given, **more)

    monkeypatch.setattr(service.uploads.work, "load", slow)
    upload(admin, write_csv(tmp_path / "m.csv", FACILITIES), category="okja")
    at_work = admin.get(CHECK)
    assert "refresh" not in at_work.headers
    assert "<h1>Die Datei wird geprüft</h1>" in at_work.text
    assert "http-equiv" not in at_work.text
    assert "Jetzt nachsehen" in at_work.text
    assert admin.get(f"{CHECK}/stand").json()["busy"] is True
    assert "wird gerade geprüft; eine neue ersetzt sie" in page(admin, f"{FORM}?art=areas").text
    gate.set()
    checked = settled(admin)
    assert admin.get(f"{CHECK}/stand").json() == {"busy": False, "said": None}
    gate.clear()
    press(admin, checked, "/uebernehmen")
    at_work = admin.get(CHECK)
    assert "<h1>Die Datei wird übernommen</h1>" in at_work.text
    assert "Verwerfen" not in at_work.text
    for path in (f"{FORM}?art=areas", "/planung/daten"):
        assert "wird gerade übernommen. Erst danach lässt sich eine neue hochladen." in page(admin, path).text
    gate.set()
    settled(admin)
    for viewer in (None, PLANNER, Viewer(Role.PROVIDER, provider_key="t")):
        assert browser(app, viewer).get(f"{CHECK}/stand").status_code == 403


def test_the_form_after_a_refusal_is_as_it_was_filled(still: Database, tmp_path: Path) -> None:
    admin = browser(app_over(still))
    file = write_csv(tmp_path / "m.csv", [{"a": 1}])
    upload(admin, file, category="hze", title="Heime", keep_outside="12", dataset="facilities.heime")
    refused = settled(admin)
    (again,) = [link for link in refused.links if link.startswith(f"{FORM}?")]
    shown = page(admin, again)
    given = shown.form("/hochladen")["fields"]
    assert [given[name] for name in ("title", "keep_outside", "dataset")] == ["Heime", "12", "facilities.heime"]
    assert '<option value="hze" selected>' in shown.source
    # The same address of another session is the empty form.
    assert page(browser(app_over(still)), again).form("/hochladen")["fields"]["title"] == ""


def test_a_form_without_a_file_comes_back_filled(still: Database) -> None:
    admin = browser(app_over(still))
    given = page(admin, f"{FORM}?art=facilities").form("/hochladen")["fields"]
    answer = admin.post(FORM, data=given | {"title": "Heime"}, files={"datei": ("", b"")})
    assert answer.status_code == 400
    assert "Bitte eine Datei auswählen." in answer.text
    assert 'value="Heime"' in answer.text
    assert 'href="#feld-datei"' in answer.text
    # What is uploaded is chosen by a link: there is no field to lead to.
    answer = admin.post(FORM, data=given | {"art": "mond"}, files={"datei": ("a.csv", b"id;name")})
    assert answer.status_code == 400
    assert "#feld-art" not in answer.text


# --- what was written down ----------------------------------------------------------------------------------------


def test_what_is_taken_along_is_written_down(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)
    rows: Rows = [*FACILITIES, {"id": "x", "name": HOME}]
    upload(admin, write_csv(tmp_path / "m.csv", rows), category="okja", max_rejects="1")
    checked = settled(admin)

    def noted() -> list[str]:
        return [row[0] for row in query(city.writing, "SELECT detail ->> 'request' FROM audit WHERE action = 'intern' "
                                                      "ORDER BY id")]  # fmt: skip

    for path in (
        f"{CHECK}/bericht.csv",
        f"{CHECK}/bericht.xlsx",
        f"{CHECK}/bericht.json",
        f"{CHECK}/aenderungen.geojson",
    ):
        before = len(noted())
        assert admin.get(path).status_code == 200
        assert noted()[before:] == [f"{path}?"]
    assert query(city.writing, "SELECT 1 FROM audit WHERE action = 'upload'") == [], "nothing is imported yet"
    press(admin, checked, "/uebernehmen")
    settled(admin)
    (written,) = query(city.writing, "SELECT detail FROM audit WHERE action = 'upload'")
    (current,) = query(city.writing, "SELECT current_import_id FROM dataset WHERE name = 'facilities.okja'")
    assert written[0]["import_id"] == current[0]
    report = f"/planung/daten/bericht/{current[0]}"
    for ending in ("csv", "xlsx", "json"):
        before = len(noted())
        assert admin.get(f"{report}.{ending}").status_code == 200
        assert noted()[before:] == [f"{report}.{ending}?"]


def test_an_import_that_cannot_be_written_down_stands(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)

    def full(*_given: Any) -> None:
        raise OSError("disk full")

    app.state.srk_uploads._record = full
    upload(admin, write_csv(tmp_path / "m.csv", FACILITIES), category="okja")
    assert press(admin, settled(admin), "/uebernehmen").status_code == 303
    assert "zeigen ab jetzt diese Fassung" in settled(admin).text


# --- what is cut, said and left -----------------------------------------------------------------------------------


def test_a_long_list_of_changes_says_that_it_is_cut(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_over(city)
    admin = browser(app)
    taken_over(admin, write_csv(tmp_path / "m.csv", FACILITIES), category="okja")
    monkeypatch.setattr(geodata.version_preview, "MOST_LISTED", 4)
    monkeypatch.setattr(geodata.version_preview, "MOST_SHAPES", 3)
    renamed: Rows = [{**row, "name": f"{row['name']} neu"} for row in FACILITIES]
    upload(admin, write_csv(tmp_path / "m.csv", renamed), category="okja")
    checked = settled(admin)
    assert "Die Tabelle nennt 8 von 20 Änderungen." in checked.text
    assert "Die Karte zeigt nicht alle Änderungen; 7 weitere sind nicht eingezeichnet." in checked.text
    assert "<noscript><p>Die Karte braucht JavaScript" in checked.source


def test_a_long_list_of_rejects_says_that_it_is_cut(still: Database, tmp_path: Path) -> None:
    admin = browser(app_over(still))
    rows: Rows = [*FACILITIES, *({"id": f"x{number}", "name": "Ohne Ort"} for number in range(1200))]
    upload(admin, write_csv(tmp_path / "m.csv", rows), category="okja", max_rejects="100%")
    checked = settled(admin)
    said = "Aufgeführt sind 1.000 von 1.200 Zurückweisungen; von jedem Grund nur die ersten."
    assert checked.text.count(said) == 1
    book = workbook(admin.get(f"{CHECK}/bericht.xlsx").content)
    assert said in {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    upload(admin, write_csv(tmp_path / "m.csv", rows[:12]), category="okja", max_rejects="100%")
    assert "Aufgeführt sind" not in settled(admin).text


def test_columns_and_codes_have_their_names(city: Database, tmp_path: Path) -> None:
    admin = browser(app_over(city))
    rows: Rows = [*FACILITIES, {**FACILITIES[0], "id": "x", "age_from": 12, "age_to": 6}]
    upload(admin, write_csv(tmp_path / "m.csv", rows), category="okja", max_rejects="1")
    checked = settled(admin)
    assert "Alter bis unter (age_to)" in checked.text
    assert "„Alter bis“ muss über „Alter ab“ liegen." in checked.text
    figures = {"counting": "stichtag", "unit": "personen", "dataset": "statistics.x"}
    taken_over(admin, write_csv(tmp_path / "s.csv", population()), "statistics", **figures)
    flagged: Rows = [{**row, "flag": "provisional"} for row in population()]
    upload(admin, write_csv(tmp_path / "s.csv", flagged), "statistics", **figures, population_period="2024")
    checked = settled(admin)
    assert "Kennzeichen: ohne Einschränkung → vorläufig" in checked.text
    assert "Zeitraum der Einwohnerzahlen: leer → 2024" in checked.text


def test_an_archive_is_unpacked_beside_the_upload(
    still: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_over(still)
    admin = browser(app)
    app.state.srk_uploads.folder()  # it is there before the first folder is watched
    areas = geopandas.read_file(write_geojson(tmp_path / "s.geojson", STADTTEILE))
    areas.to_file(tmp_path / "s.shp", driver="ESRI Shapefile")
    file = tmp_path / "stadtteile.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for part in tmp_path.glob("s.*"):
            if part.suffix in {".shp", ".shx", ".dbf", ".prj", ".cpg"}:
                archive.write(part, part.name)
    made: list[Path] = []
    plain = importers.sources.vector.tempfile.mkdtemp

    def watched(*given: Any, **more: Any) -> str:
        made.append(Path(plain(*given, **more)))
        return str(made[-1])

    monkeypatch.setattr(importers.sources.vector.tempfile, "mkdtemp", watched)
    upload(admin, file, "areas", level="stadtteil", key="id", name="name", parent_level="bezirk", max_shrink="100%")
    settled(admin)
    assert made
    held = app.state.srk_uploads.of(admin.cookies["srk_session"])
    assert {path.parent for path in made} == {held.received.path.parent}


# --- sources that fail --------------------------------------------------------------------------------------------


def test_why_a_source_failed_is_for_the_administration(database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    reason = f"Die Datei hat keine Spalte „name“. Vorhanden: s1, {HOME}."
    with database.writing.begin() as connection:
        connection.execute(text("""
            INSERT INTO source_state (dataset, failed_at, failure)
            VALUES ('areas.bezirk', now(), :reason), ('facilities.schutz', now(), :reason)
            ON CONFLICT (dataset) DO UPDATE SET failed_at = excluded.failed_at, failure = excluded.failure
        """), {"reason": reason})  # fmt: skip
    app = app_over(database)
    hers, his = page(browser(app), "/planung/daten"), page(browser(app, PLANNER), "/planung/daten")
    for shown in (hers, his):
        assert "Der Bestand „Gebiete: Bezirk“ ließ sich zuletzt nicht erneuern." in shown.text
        assert "Der Bestand „facilities.schutz“ ließ sich noch nie laden." in shown.text
        assert "noch nie" in shown.source.split("<tbody>")[1], "a row of its own"
        assert "2 Bestände sind geladen." in shown.text
    assert hers.text.count(reason) == 2
    for words in (HOME, "Geheimweg", "Spalte"):
        assert words not in his.text
    assert "nicht erneuern; den Grund sieht die Verwaltung." in his.text
    assert "nicht laden; den Grund sieht die Verwaltung." in his.text


@pytest.mark.parametrize("given", ["000000001" + "0" * 5000, "0", "x", "-1", "²", "99999999"])
def test_the_number_of_a_page_is_a_number(still: Database, tmp_path: Path, given: str) -> None:
    admin = browser(app_over(still))
    upload(
        admin,
        write_csv(tmp_path / "m.csv", [*FACILITIES, {"id": "x", "name": "Ohne"}]),
        category="okja",
        max_rejects="1",
    )
    settled(admin)
    for parameter in ("aenderungen", "zurueckgewiesen"):
        answer = admin.get(f"{CHECK}?{parameter}={given}")
        assert answer.status_code == 400, answer.text[:300]
        assert "eine Zahl ab 1" in answer.text
