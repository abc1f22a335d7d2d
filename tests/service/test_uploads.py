"""Uploads: who may, what is refused and how it is told, two at once, and nothing changes before the confirmation."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, Database
from importer_help import STADTTEILE, box, data_version, load_city, offer, state, visible, write_csv, write_geojson
from service_help import API
from upload_help import (
    CHECK,
    FORM,
    PLANNER,
    app_over,
    browser,
    page,
    press,
    settled,
    upload,
)

from geodata.viewer import Role, Viewer
from service.uploads.folder import PrivateFolder

LIST = [offer(number, 100.0 * number, 500) for number in range(1, 11)]


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


def csv_file(folder: Path, rows: list[dict[str, Any]] | None = None, name: str = "liste.csv") -> Path:
    return write_csv(folder / name, rows or LIST)  # type: ignore[arg-type]


# --- who may ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewer", [None, Viewer(Role.PROVIDER, provider_key="t"), PLANNER],
                         ids=["public", "provider", "planner"])  # fmt: skip
def test_only_administrators_upload(still: Database, tmp_path: Path, viewer: Viewer | None) -> None:
    app = app_over(still)
    before = state(still.writing)
    admin = browser(app)
    stolen = page(admin, f"{FORM}?art=facilities").form("/hochladen")["fields"]
    client = browser(app, viewer)
    for path in (FORM, CHECK, f"{CHECK}/aenderungen.geojson", f"{CHECK}/bericht.json"):
        answer = client.get(path, follow_redirects=False)
        assert answer.status_code == 403, path
        assert "nur die Verwaltung" in answer.text
    content = csv_file(tmp_path).read_bytes()
    answer = client.post(FORM, data=stolen | {"category": "okja"}, files={"datei": ("liste.csv", content)})
    assert answer.status_code == 403
    for path in (f"{CHECK}/uebernehmen", f"{CHECK}/verwerfen", "/planung/daten/bestand/areas.bezirk/zurueck"):
        assert client.post(path, data=stolen).status_code == 403, path
    assert state(still.writing) == before


@pytest.mark.parametrize("viewer", [None, Viewer(Role.PROVIDER, provider_key="t")], ids=["public", "provider"])
def test_datasets_are_for_planners(still: Database, viewer: Viewer | None) -> None:
    client = browser(app_over(still), viewer)
    for path in ("/planung/daten", "/planung/daten/bestand/areas.bezirk", "/planung/daten/bericht/1"):
        assert client.get(path).status_code == 403, path


def test_the_list_of_datasets_for_a_planner(still: Database) -> None:
    shown = page(browser(app_over(still), PLANNER), "/planung/daten")
    assert "2 Bestände sind geladen. Zu jedem" in shown.text
    assert "Gebiete: Bezirk" in shown.text
    assert FORM not in shown.links
    assert "abgeschaltet" not in shown.text


@pytest.mark.parametrize("token", [None, "", "falsch", "0" * 64, "ü", "other"])
def test_a_form_of_another_session_is_refused(still: Database, tmp_path: Path, token: str | None) -> None:
    app = app_over(still)
    admin, other = browser(app), browser(app)
    if token == "other":  # noqa: S105 - a stand-in
        token = page(other, f"{FORM}?art=facilities").form("/hochladen")["fields"]["schutz"]
    fields = {"art": "facilities", "category": "okja"} | ({} if token is None else {"schutz": token})
    content = csv_file(tmp_path).read_bytes()
    answer = admin.post(FORM, data=fields, files={"datei": ("liste.csv", content)}, follow_redirects=False)
    assert answer.status_code == 403
    assert "gehört nicht zu Ihrer Anmeldung" in answer.text
    assert app.state.srk_uploads.of(admin.cookies["srk_session"]) is None
    assert list(app.state.srk_uploads.folder().path.glob("*/*")) == [], "nothing is kept"
    upload(admin, csv_file(tmp_path), category="okja")
    checked = settled(admin)
    given = checked.form("/uebernehmen")["fields"]
    wrong = {"datei": given["datei"]} | ({} if token is None else {"schutz": token})
    before = state(still.writing)
    assert admin.post(f"{CHECK}/uebernehmen", data=wrong).status_code == 403
    assert admin.post(f"{CHECK}/verwerfen", data=wrong).status_code == 403
    name = "/planung/daten/bestand/areas.bezirk/zurueck"
    assert admin.post(name, data=wrong | {"fassung": "1"}).status_code == 403
    assert state(still.writing) == before
    assert "Prüfbericht" in settled(admin).text


def test_nothing_happens_by_a_link(still: Database) -> None:
    admin = browser(app_over(still))
    for path in (f"{CHECK}/uebernehmen", f"{CHECK}/verwerfen", "/planung/daten/bestand/areas.bezirk/zurueck"):
        assert admin.get(path).status_code == 405


def test_without_the_right_to_write_it_says_how_to_get_it(still: Database, tmp_path: Path) -> None:
    admin = browser(app_over(still, may_write=False))
    for path in ("/planung/daten", FORM, f"{FORM}?art=facilities"):
        shown = page(admin, path)
        assert "SRK_ADMIN_DATABASE_URL" in shown.text
        assert not [form for form in shown.forms if str(form["action"]).startswith("/planung")]
    content = csv_file(tmp_path).read_bytes()
    answer = admin.post(FORM, data={"art": "facilities"}, files={"datei": ("liste.csv", content)})
    assert "abgeschaltet" in answer.text
    assert not page(admin, "/planung/daten/bestand/areas.bezirk").forms[1:]


# --- the four kinds -----------------------------------------------------------------------------------------------


def test_areas_are_checked_against_those_there_are(city: Database, tmp_path: Path) -> None:
    changed = [*STADTTEILE[:3], ({"id": "02202", "name": "Überseestadt"}, box(3000, 0, 900, 2000))]
    file = write_geojson(tmp_path / "neu.geojson", changed)
    admin = browser(app_over(city))
    form = page(admin, f"{FORM}?bestand=areas.stadtteil").form("/hochladen")["fields"]
    assert (form["art"], form["level"], form["dataset"]) == ("areas", "stadtteil", "areas.stadtteil")
    answer = upload(admin, file, "areas", level="stadtteil", key="id", name="name", parent_level="bezirk")
    assert answer.status_code == 303, answer.text
    checked = settled(admin)
    assert "Name: Übersee → Überseestadt" in checked.text
    assert "Grenze: 200 ha, 5 Ecken → 180 ha, 5 Ecken" in checked.text
    features = admin.get(f"{CHECK}/aenderungen.geojson").json()["features"]
    (only,) = [one for one in features if one["properties"]["name"] == "Überseestadt"]
    assert only["geometry"]["type"] == "MultiPolygon"
    assert only["properties"]["before"]["type"] == "MultiPolygon"
    press(admin, checked, "/uebernehmen")
    settled(admin)
    assert visible(city.writing, "stadtteil")["02202"][0] == "Überseestadt"


def test_figures_have_no_map_but_a_table(city: Database, tmp_path: Path) -> None:
    rows = [{"area_level": "stadtteil", "area_key": area["id"], "indicator": "population", "position": "total",
             "period": "2025", "value": 100 + number} for number, (area, _shape) in enumerate(STADTTEILE)]  # fmt: skip
    admin = browser(app_over(city))
    fields = {"counting": "stichtag", "unit": "personen", "dataset": "statistics.einwohner", "title": "Einwohner"}
    answer = upload(admin, write_csv(tmp_path / "e.csv", rows), "statistics", **fields)  # type: ignore[arg-type]
    assert answer.status_code == 303, answer.text
    checked = settled(admin)
    assert "4 von 4 Zeilen übernommen" in checked.text
    assert "Auf einer Karte ist davon nichts zu zeigen" in checked.text
    assert "stadtteil · 02101 · population · total · 2025 · ist" in checked.text
    press(admin, checked, "/uebernehmen")
    settled(admin)
    rows[1]["value"] = 250
    # How it counts, and its title, stay as they were said the first time.
    upload(admin, write_csv(tmp_path / "e.csv", rows), "statistics", dataset="statistics.einwohner")  # type: ignore[arg-type]
    checked = settled(admin)
    assert "Wert: 101 → 250" in checked.text
    assert "Auch Angaben zum Bestand" not in checked.text


def test_placements_too(city: Database, tmp_path: Path) -> None:
    rows = [{"area_level": "bezirk", "area_key": key, "period": "2025-Q1", "paragraph": "34", "provider_state": state,
             "cases": 4} for key in ("1", "2") for state in ("Hamburg", "Bayern")]  # fmt: skip
    admin = browser(app_over(city))
    answer = upload(admin, write_csv(tmp_path / "p.csv", rows), "placements")  # type: ignore[arg-type]
    assert answer.status_code == 303, answer.text
    checked = settled(admin)
    assert "4 von 4 Zeilen übernommen" in checked.text
    press(admin, checked, "/uebernehmen")
    assert "Übernommen" in settled(admin).text


# --- two at once, and what comes between --------------------------------------------------------------------------


def test_two_administrators_at_once(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    anna, bert = browser(app), browser(app)
    upload(anna, csv_file(tmp_path), category="okja")
    upload(bert, csv_file(tmp_path, [offer(1, 700, 700), *LIST[1:]]), category="okja")
    hers, his = settled(anna), settled(bert)
    # Neither sees or moves the other's file.
    other = bert.post(
        f"{CHECK}/verwerfen",
        data=his.form("/verwerfen")["fields"] | {"datei": hers.form("/verwerfen")["fields"]["datei"]},
    )
    assert other.status_code == 404
    press(anna, hers, "/uebernehmen")
    assert "Übernommen" in settled(anna).text
    # His check is out of date: he is asked again, with what would change now.
    press(bert, his, "/uebernehmen")
    again = settled(bert)
    assert "Seit der Prüfung haben sich Daten geändert" in again.text
    assert "verlegt" in again.text
    assert len(browser(app, None).get(API + "/facilities").json()["rows"]) == 10
    version = data_version(city.writing)
    press(bert, again, "/uebernehmen")
    assert "Übernommen" in settled(bert).text
    assert data_version(city.writing) == version + 1
    # Both saw the version before on their pages; only the first click takes it back.
    shown = [page(one, "/planung/daten/bestand/facilities.okja") for one in (anna, bert)]
    assert press(anna, shown[0], "/zurueck").status_code == 303
    late = press(bert, shown[1], "/zurueck")
    assert late.status_code == 303, "what he asks for is so already"
    assert "Sichtbar ist wieder die Fassung vom" in page(bert, late.headers["location"]).text
    assert data_version(city.writing) == version + 2
    # With another version in between nothing is taken back that nobody looked at.
    upload(anna, csv_file(tmp_path, LIST[:9]), category="okja")
    press(anna, settled(anna), "/uebernehmen")
    settled(anna)
    late = press(bert, shown[1], "/zurueck")
    assert late.status_code == 409
    assert "inzwischen eine andere Fassung" in late.text
    assert data_version(city.writing) == version + 3


def test_what_was_checked_is_what_is_imported(city: Database, tmp_path: Path) -> None:
    app = app_over(city)
    admin = browser(app)
    upload(admin, csv_file(tmp_path), category="okja")
    checked = settled(admin)
    path = app.state.srk_uploads.of(admin.cookies["srk_session"]).received.path
    path.write_bytes(path.read_bytes().replace(b"Treff 1", b"Treff X"))
    before = state(city.writing)
    press(admin, checked, "/uebernehmen")
    assert "hat sich verändert" in settled(admin).text
    assert state(city.writing) == before


def test_signing_out_takes_the_file_along(still: Database, tmp_path: Path) -> None:
    app = app_over(still)
    admin = browser(app)
    upload(admin, csv_file(tmp_path), category="okja")
    settled(admin)
    token = admin.cookies["srk_session"]
    path = app.state.srk_uploads.of(token).received.path
    admin.post("/abmelden")
    assert not path.exists()
    assert app.state.srk_uploads.of(token) is None


def test_a_file_is_kept_for_a_time_only(still: Database, tmp_path: Path) -> None:
    app = app_over(still)
    app.state.srk_uploads._kept_s = 0.6  # an hour is too long for a test
    admin = browser(app)
    upload(admin, csv_file(tmp_path), category="okja")
    app.state.srk_uploads._kept_s = 3600
    upload_of = app.state.srk_uploads.of(admin.cookies["srk_session"])
    until = time.monotonic() + 20
    while upload_of.received.path.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    there = admin.get(CHECK, follow_redirects=False).headers["location"]
    assert "nach einer Stunde ohne Entscheidung gelöscht" in page(admin, there).text
    # Of a file that was never there, or of one discarded, nothing is said.
    other = browser(app)
    assert other.get(CHECK, follow_redirects=False).headers["location"] == FORM
    upload(admin, csv_file(tmp_path, name="zwei.csv"), category="okja")
    press(admin, settled(admin), "/verwerfen")
    assert admin.get(CHECK, follow_redirects=False).headers["location"] == FORM


def test_a_new_file_takes_the_place_of_the_one_before(still: Database, tmp_path: Path) -> None:
    app = app_over(still)
    admin = browser(app)
    upload(admin, csv_file(tmp_path), category="okja")
    settled(admin)
    first = app.state.srk_uploads.of(admin.cookies["srk_session"])
    assert "wartet auf eine Entscheidung" in page(admin, f"{FORM}?art=facilities").text
    upload(admin, csv_file(tmp_path, name="zwei.csv"), category="okja")
    assert "zwei.csv" in settled(admin).text
    assert not first.received.path.exists()


# --- the end of the process ---------------------------------------------------------------------------------------

_CHECKING = """
import sys, time
sys.path[:0] = [{project!r}, {service!r}, {importers!r}, {tests!r}]
from types import SimpleNamespace
from pathlib import Path
from geodata.database import make_engine
from upload_help import app_over, browser, settled, upload
database = SimpleNamespace(writing_url={writing!r}, serving=make_engine({serving!r}))
app = app_over(database)
admin = browser(app)
upload(admin, Path({file!r}), category="okja")
assert "Prüfbericht" in settled(admin).text
print(app.state.srk_uploads.folder().path, flush=True)
time.sleep(120)
"""
_HOLDING = """
import sys, time
sys.path.insert(0, {project!r})
from service.uploads.folder import PrivateFolder
folder = PrivateFolder()
folder.place_for("liste.csv").write_text("id;name")
print(folder.path, flush=True)
try:
    time.sleep(120)
except KeyboardInterrupt:
    pass
"""


def child(source: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, cwd=PROJECT)


def last_line(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("/"):
            return Path(line.strip())
    raise AssertionError(process.wait())


def test_killed_between_check_and_confirmation(city: Database, tmp_path: Path) -> None:
    before = state(city.writing)
    tests = PROJECT / "tests"
    source = _CHECKING.format(
        project=str(PROJECT), service=str(tests / "service"), importers=str(tests / "importers"), tests=str(tests),
        writing=city.writing_url, serving=city.serving_url, file=str(csv_file(tmp_path)),
    )  # fmt: skip
    with child(source) as process:
        folder = last_line(process)
        assert list(folder.glob("*/liste.csv"))
        process.send_signal(signal.SIGKILL)
    assert state(city.writing) == before
    # What a killed process leaves is cleared when the next begins; a living one's stays.
    living = PrivateFolder()
    next_one = PrivateFolder()
    assert not folder.exists()
    assert living.path.exists()
    assert living.path != next_one.path
    assert living.path.stat().st_uid == os.geteuid()


def test_an_orderly_end_leaves_nothing() -> None:
    with child(_HOLDING.format(project=str(PROJECT))) as process:
        folder = last_line(process)
        assert list(folder.glob("*/liste.csv"))
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert not folder.exists()
