"""The monthly list arrives: uploaded, checked, looked at, taken over, seen by everybody, and taken back."""

import csv
import io
from pathlib import Path

import pytest
from conftest import Database
from importer_help import data_version, load_city, places, state
from service_help import API, csv_rows, workbook
from sqlalchemy import text
from upload_help import (
    ADMIN,
    CHECK,
    FORM,
    PLANNER,
    app_over,
    browser,
    monthly_list,
    page,
    press,
    settled,
    upload,
    write_monthly,
)

from geodata.database import writing
from geodata.viewer import Role, Viewer

OPTIONS = {"category": "okja", "as_of": "2026-03-31", "title": "Jugendtreffs", "licence": "dl-de/by-2-0"}
HEADLINE = "409 von 412 Zeilen übernommen, 3 zurückgewiesen"


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    return database


def shown_to_everybody(app: object, path: str = "/facilities?limit=1000") -> dict[str, dict[str, object]]:
    answer = browser(app, None).get(API + path)
    assert answer.status_code == 200, answer.text
    return {row["facility_id"]: row for row in answer.json()["rows"]}


def test_the_monthly_list(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)
    before = state(city.writing)

    # From the list of datasets to the form, by links alone.
    assert FORM in page(admin, "/planung/daten").links
    assert f"{FORM}?art=facilities" in page(admin, FORM).links
    answer = upload(admin, write_monthly(tmp_path), **OPTIONS)
    assert (answer.status_code, answer.headers["location"]) == (303, CHECK)

    checked = settled(admin)
    assert f"{HEADLINE} (Probelauf, nichts geändert)." in checked.text
    assert state(city.writing) == before, "a check changes nothing"
    assert "Diesen Bestand gibt es noch nicht; alles ist neu." in checked.text
    # Each reject with row, reason and what to do; the header is row 1.
    rejected = checked.source.split("<h2>Zurückgewiesen</h2>")[1].split("</table>")[0]
    assert rejected.count("<tr") == 1 + 3
    for row in ("101", "201", "301"):
        assert f">{row}</th>" in rejected
    assert rejected.count("Die Koordinate fehlt") == 2 or rejected.count("Bitte ergänzen") == 2
    assert "außerhalb" in rejected
    assert "Feld „Einrichtungen außerhalb behalten bis (km)“" in rejected
    assert "--keep-outside" not in checked.text
    assert "In der Spalte „opening_hours“ sehen Umlaute in 412 Zellen falsch kodiert aus" in checked.text

    # The map and what is taken along say the same.
    changes = admin.get(f"{CHECK}/aenderungen.geojson").json()["features"]
    assert len(changes) == 409
    assert {one["properties"]["fate"] for one in changes} == {"added"}
    report = admin.get(f"{CHECK}/bericht.json").json()
    assert [report[name] for name in ("rows_read", "rows_loaded", "rows_rejected", "dry_run")] == [412, 409, 3, True]
    rows = csv_rows(admin.get(f"{CHECK}/bericht.csv").content)
    assert [row["row"] for row in rows] == ["101", "201", "301"]
    sheet = workbook(admin.get(f"{CHECK}/bericht.xlsx").content)["Daten"]
    assert [cell.value for cell in sheet[1]] == ["Zeile", "Feld", "Wert", "Begründung", "Was zu tun ist"]
    assert sheet.max_row == 4

    # Taken over: everybody sees it at once.
    assert not shown_to_everybody(app)
    answer = press(admin, checked, "/uebernehmen")
    assert (answer.status_code, answer.headers["location"]) == (303, CHECK)
    done = settled(admin)
    assert f"{HEADLINE}." in done.text
    assert "Karte ansehen" in done.text
    assert len(shown_to_everybody(app)) == 409
    assert data_version(city.writing) == 3
    (stored,) = [row for row in places(city.writing, "facilities.okja") if row["offer_id"] == "m007"]
    assert stored["name"] == "Jugendtreff Nr. 7"
    listed = page(browser(app, PLANNER), "/planung/daten")
    for words in ("Jugendtreffs", "facilities.okja", "31.03.2026", "dl-de/by-2-0", "409", "heute"):
        assert words in listed.text


def test_the_next_month_and_back_again(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)
    upload(admin, write_monthly(tmp_path), **OPTIONS)
    press(admin, settled(admin), "/uebernehmen")
    settled(admin)
    first = shown_to_everybody(app)

    def april() -> object:
        rows = list(monthly_list())
        rows[5][6] += 0.002  # moves
        rows[6][1] = "Jugendtreff am Ring"  # another name
        del rows[400:406]
        rows += list(monthly_list(first=413, last=417))[1:]
        return iter(rows)

    answer = upload(admin, write_monthly(tmp_path, april(), "Liste April.xlsx"), **OPTIONS | {"as_of": "2026-04-30"})  # type: ignore[arg-type]
    assert answer.status_code == 303, answer.text
    checked = settled(admin)
    assert "408 von 411 Zeilen übernommen, 3 zurückgewiesen" in checked.text
    assert "Stand: 31.03.2026 → 30.04.2026" in checked.text
    counts = checked.source.split("Was sich gegenüber der sichtbaren Fassung ändern würde</caption>")[1]
    places_row = counts.split(">Einrichtungen</th>")[1].split("</tr>")[0]
    assert [part.split("<")[0].strip() for part in places_row.split('class="zahl">')[1:]] == ["5", "1", "1", "6", "401"]
    assert "Lage: um 1" in checked.text
    assert "Name: Jugendtreff Nr. 6 → Jugendtreff am Ring" in checked.text
    by_fate: dict[str, list[dict[str, object]]] = {}
    for one in admin.get(f"{CHECK}/aenderungen.geojson").json()["features"]:
        by_fate.setdefault(one["properties"]["fate"], []).append(one["properties"])
    assert {fate: len(found) for fate, found in by_fate.items()} == {"added": 5, "moved": 1, "changed": 1, "removed": 6}
    assert by_fate["moved"][0]["before"]
    assert all(one["before"] is None for fate in ("added", "changed", "removed") for one in by_fate[fate])

    press(admin, checked, "/uebernehmen")
    done = settled(admin)
    assert len(shown_to_everybody(app)) == 408
    # The version before is one click away, from here and from the dataset's page.
    answer = press(admin, done, "/zurueck")
    assert answer.status_code == 303, answer.text
    back = page(admin, answer.headers["location"])
    assert "Sichtbar ist wieder die Fassung vom" in back.text
    # The page that says "taken over" is still open: it says what is visible, and takes nothing else back.
    old = page(admin, CHECK)
    assert "Inzwischen ist eine andere Fassung sichtbar." in old.text
    assert "zeigen ab jetzt diese Fassung" not in old.text
    assert not [form for form in old.forms if str(form["action"]).endswith("/zurueck")]
    assert shown_to_everybody(app) == first
    press(admin, page(admin, "/planung/daten/bestand/facilities.okja"), "/zurueck")
    assert len(shown_to_everybody(app)) == 408
    assert "Sichtbar ist wieder" not in page(admin, answer.headers["location"]).text, "that was the other one"
    with writing(city.writing, group="srk_owner") as session:
        found = "SELECT viewer, action, detail FROM audit WHERE action <> 'intern' ORDER BY id"
        recorded = session.execute(text(found)).all()
    assert [row.action for row in recorded] == ["upload", "upload", "rollback", "rollback"]
    assert all(row.viewer == ADMIN.scope() for row in recorded)
    assert recorded[1].detail["file"] == "Liste April.xlsx"


def test_the_same_list_again_is_nothing_to_take_over(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)
    file = write_monthly(tmp_path)
    upload(admin, file, **OPTIONS)
    first = settled(admin)
    press(admin, first, "/uebernehmen")
    settled(admin)
    version = data_version(city.writing)
    # Title and licence are left out: they stay as they are.
    upload(admin, file, category="okja", as_of="2026-03-31")
    again = settled(admin)
    assert "dasselbe wie die sichtbare Fassung" in again.text
    assert [form for form in again.forms if str(form["action"]).endswith("/uebernehmen")] == []
    identity = again.form("/verwerfen")["fields"]
    refused = admin.post(f"{CHECK}/uebernehmen", data=identity)
    assert refused.status_code == 409
    assert data_version(city.writing) == version


def test_a_file_thrown_away_leaves_no_trace(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)
    upload(admin, write_monthly(tmp_path), **OPTIONS)
    checked = settled(admin)
    held = app.state.srk_uploads.of(admin.cookies["srk_session"])
    assert held.received.path.exists()
    assert held.received.path.parent.stat().st_mode & 0o777 == 0o700
    assert app.state.srk_uploads.folder().path.stat().st_mode & 0o777 == 0o700
    before = state(city.writing)
    answer = press(admin, checked, "/verwerfen")
    assert answer.status_code == 303
    assert "Die Datei ist verworfen; geändert wurde nichts." in page(admin, answer.headers["location"]).text
    assert not held.received.path.exists()
    assert admin.get(CHECK, follow_redirects=False).headers["location"] == FORM
    assert state(city.writing) == before
    # The button of a page that is still open elsewhere does nothing any more.
    assert press(admin, checked, "/uebernehmen").status_code == 404
    assert state(city.writing) == before


def test_planners_read_the_counts_of_a_report_and_administrators_its_findings(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)
    upload(admin, write_monthly(tmp_path), **OPTIONS)
    press(admin, settled(admin), "/uebernehmen")
    settled(admin)
    planner = browser(app, PLANNER)
    dataset = page(planner, "/planung/daten/bestand/facilities.okja")
    assert not [form for form in dataset.forms if "zurueck" in str(form["action"])]
    (report,) = [link for link in dataset.links if "/bericht/" in link]
    hers, his = page(planner, report), page(admin, report)
    assert "409 von 412 Zeilen übernommen, 3 zurückgewiesen." in hers.text
    for shown in (hers, his):
        assert "Liste März.xlsx" in shown.text
        assert "Stand der Daten: 31.03.2026." in shown.text
        assert f"{report}.json" in shown.links
    told = "Die einzelnen Befunde sieht die Verwaltung"
    assert told in hers.text
    assert told not in his.text
    for words in ("Jugendtreff Nr. 300", "außerhalb", "Koordinate", "Umlaute"):
        assert words in his.text
        assert words not in hers.text
    assert "<table" not in hers.source.split("<main")[1]
    # As files: the counts for both, the rows for the administration.
    counted = planner.get(f"{report}.json").json()
    assert [counted[name] for name in ("rows_read", "rows_loaded", "rows_rejected")] == [412, 409, 3]
    assert not {"findings", "reasons", "counts"} & set(counted)
    names = next(csv.reader(io.StringIO(admin.get(f"{report}.csv").content.decode("utf-8-sig"))))
    assert names == ["row", "field", "value", "reason", "advice"]
    for ending in ("csv", "xlsx"):
        assert f"{report}.{ending}" in his.links
        assert f"{report}.{ending}" not in hers.links
        refused = planner.get(f"{report}.{ending}")
        assert refused.status_code == 403
        assert "sieht die Verwaltung" in refused.text
        assert admin.get(f"{report}.{ending}").status_code == 200
    for viewer in (None, Viewer(Role.PROVIDER, provider_key="t")):
        for ending in ("", ".json", ".csv", ".xlsx"):
            assert browser(app, viewer).get(f"{report}{ending}").status_code == 403
    assert planner.get("/planung/daten/bericht/999").status_code == 404
    assert planner.get("/planung/daten/bestand/areas.mond").status_code == 404
