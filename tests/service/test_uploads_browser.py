"""An upload in the real Chromium: by keyboard, on a phone, without JavaScript, with hostile names; and the map."""

import csv
import io
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import uvicorn
from conftest import Database
from hostile_names import CORPUS
from importer_help import load_city, lonlat, write_csv
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from upload_help import ADMIN, CHECK, FORM, app_over, monthly_list, write_monthly

import service.uploads.work
from layers.browser_assets import ASSETS
from service.pages import planning_upload_check

pytestmark = pytest.mark.e2e

FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
SIZES = [(1280, 800), (375, 667)]
HOSTILE = '<img src=x onerror="window.hacked=1">{{7*7}}'
AXE = next(iter(ASSETS.values())).parents[2] / "axe-core" / "axe.min.js"


@contextmanager
def running(database: Database) -> Iterator[tuple[str, Any]]:
    """Serve a database with the right to write on a free port of loopback."""
    app = app_over(database)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < until, "the service did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", app
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("SRK_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail("no Chromium; set SRK_CHROMIUM")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*sandbox, *FLAGS])
        yield browser
        browser.close()


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Iterator[tuple[str, Any]]:
    load_city(database.writing, tmp_path)
    with running(database) as served:
        yield served


class Visit:
    """A signed-in administrator's page, what it asked for and what it complained about."""

    def __init__(self, chromium: Browser, base: str, app: Any, size: tuple[int, int], **options: Any) -> None:
        self.base = base
        self.context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=size[0] < 600, reduced_motion="reduce", **options
        )
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on(
            "console", lambda said: self.errors.append(said.text) if said.type in {"error", "warning"} else None
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"{base}/anmelden?code={app.state.srk.sessions.offer(ADMIN)}")

    def go(self, path: str) -> Page:
        answer = self.page.goto(self.base + path)
        assert answer
        assert answer.status == 200
        return self.page

    def fill(self, file: Path, **fields: str) -> Page:
        page = self.go(f"{FORM}?art=facilities")
        page.get_by_label("Datei", exact=True).set_input_files(file)
        page.get_by_label("Kategorie").select_option("okja")
        for label, value in fields.items():
            page.get_by_label(label).fill(value)
        page.get_by_role("button", name="Hochladen und prüfen").click()
        return page

    def upload(self, file: Path, **fields: str) -> Page:
        page = self.fill(file, **fields)
        expect(page.get_by_role("heading", level=1)).to_have_text("Prüfbericht", timeout=30_000)
        return page

    def calm(self) -> None:
        assert self.errors == []
        assert [url for url in self.asked if not url.startswith((self.base + "/", "data:"))] == []

    def well_built(self) -> None:
        """Nothing of WCAG 2.1 AA that a program can see is broken, and nothing is wider than the screen."""
        # Handed over by the debugger, past the page's policy, which the page itself keeps.
        self.page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
        found = self.page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
        )
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
def visit(chromium: Browser, city: tuple[str, Any]) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def go(size: tuple[int, int] = SIZES[0], **options: Any) -> Visit:
        opened.append(Visit(chromium, *city, size, **options))
        return opened[-1]

    yield go
    for made in opened:
        made.context.close()


def markers(page: Page, more: str = "") -> Locator:
    """The places on the map of what would change."""
    return page.get_by_role("region", name="Karte der Änderungen").locator(f".srk-marker{more}")


def april() -> Iterator[list[Any]]:
    rows = list(monthly_list())
    rows[5][6] += 0.002
    rows[6][1] = "Jugendtreff am Ring"
    del rows[400:406]
    return iter(rows + list(monthly_list(first=413, last=417))[1:])


@pytest.mark.parametrize(
    "size", [SIZES[0], pytest.param(SIZES[1], marks=pytest.mark.long)], ids=lambda size: str(size[0])
)
def test_every_page_of_the_walk(visit: Callable[..., Visit], size: tuple[int, int], tmp_path: Path) -> None:
    seen = visit(size)
    for path in ("/planung/daten", FORM, f"{FORM}?art=facilities", f"{FORM}?art=areas", f"{FORM}?art=statistics"):
        seen.go(path)
        seen.well_built()
    page = seen.upload(write_monthly(tmp_path))
    expect(markers(page)).to_have_count(409, timeout=30_000)
    seen.well_built()
    page.get_by_role("button", name="Übernehmen").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Übernommen", timeout=30_000)
    seen.well_built()

    page = seen.upload(write_monthly(tmp_path, april()))
    expect(markers(page)).to_have_count(13, timeout=30_000)
    seen.well_built()
    page.get_by_role("button", name="Übernehmen").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Übernommen", timeout=30_000)
    page.get_by_role("button", name="Fassung davor wieder sichtbar machen").click()
    expect(page.get_by_role("status")).to_contain_text("Sichtbar ist wieder die Fassung vom")
    seen.well_built()
    page.get_by_role("link", name="Uhr").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bericht")
    seen.well_built()
    seen.calm()


def test_the_map_by_keyboard(visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = visit()
    page = seen.upload(write_monthly(tmp_path))
    page.get_by_role("button", name="Übernehmen").first.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Übernommen", timeout=30_000)
    page = seen.upload(write_monthly(tmp_path, april()))
    drawn = markers(page)
    expect(drawn).to_have_count(13, timeout=30_000)
    assert markers(page, "[tabindex='0']").count() == 1, "one stop for the tab key"
    first = markers(page, "[tabindex='0']")
    first.focus()
    name = str(first.get_attribute("aria-label"))
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused
    assert focused != name
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    # A switch takes its kind away; the others are drawn anew and answer the keys once, not twice.
    page.get_by_role("checkbox", name="entfällt").uncheck()
    expect(drawn).to_have_count(7)
    markers(page, "[tabindex='0']").focus()
    labels = [page.evaluate("document.activeElement.getAttribute('aria-label')")]
    for _ in range(6):
        page.keyboard.press("ArrowRight")
        labels.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert len(set(labels)) == 7
    seen.calm()


def test_without_javascript(chromium: Browser, city: tuple[str, Any], tmp_path: Path) -> None:
    seen = Visit(chromium, *city, SIZES[0], java_script_enabled=False)
    page = seen.fill(write_monthly(tmp_path))
    look_again(page, "Prüfbericht")
    expect(page.locator(".antwort")).to_contain_text("409 von 412 Zeilen übernommen, 3 zurückgewiesen")
    page.get_by_role("button", name="Übernehmen").first.click()
    look_again(page, "Übernommen")
    seen.calm()
    seen.context.close()


def look_again(page: Page, heading: str) -> None:
    """Follow the link until there is a result; without scripts nothing moves by itself."""
    until = time.monotonic() + 60
    while page.get_by_role("heading", level=1).inner_text() != heading:
        assert time.monotonic() < until
        page.get_by_role("link", name="Jetzt nachsehen").click()


def test_the_page_waits_without_moving(
    visit: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain, gate = service.uploads.work.load, threading.Event()

    def slow(*given: Any, **more: Any) -> Any:
        assert gate.wait(60)
        return plain(*given, **more)

    monkeypatch.setattr(service.uploads.work, "load", slow)
    monkeypatch.setattr(planning_upload_check, "_WAIT_S", 0.0)
    seen = visit()
    page = seen.fill(write_monthly(tmp_path))
    expect(page.get_by_role("heading", level=1)).to_have_text("Die Datei wird geprüft")
    expect(page.get_by_text("erscheint von selbst")).to_be_visible()
    seen.well_built()
    button = page.get_by_role("button", name="Verwerfen")
    button.focus()
    with page.expect_response("**/pruefung/stand"), page.expect_response("**/pruefung/stand"):
        pass
    expect(button).to_be_focused()
    gate.set()
    expect(page.get_by_role("heading", level=1)).to_have_text("Prüfbericht", timeout=30_000)
    seen.calm()


def test_hostile_names_are_text(visit: Callable[..., Visit], tmp_path: Path) -> None:
    """Every name of the corpus: as place, type and opening hours, in a row that is taken and in one that is not."""
    rows: list[Mapping[str, Any]] = []
    for number, name in enumerate(CORPUS):
        lon, lat = lonlat(40 + (number % 20) * 190, 100 + number // 20 * 500)
        # A long one passes as opening hours only.
        short = name[:200]
        at = {"lon": lon, "lat": lat}
        texts = {"name": short, "type": short, "provider": short, "opening_hours": name[:2000]}
        rows.append({"id": f"n{number}", **texts, **at})
        rows.append({"id": f"z{number}", "name": short, "category": short} | at)
    file = write_csv(tmp_path / 'x" onmouseover="window.hacked=1.csv', rows)
    seen = visit()
    page = seen.go(f"{FORM}?art=facilities")
    page.get_by_label("Datei", exact=True).set_input_files(file)
    page.get_by_label("Kategorie").select_option("okja")
    page.get_by_label("Titel").fill(HOSTILE)
    page.get_by_text("Weitere Angaben").click()
    page.get_by_label("Erlaubte Zurückweisungen").fill("100%")
    page.get_by_role("button", name="Hochladen und prüfen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Prüfbericht", timeout=30_000)
    expect(markers(page)).to_have_count(len(CORPUS), timeout=30_000)

    def harmless() -> None:
        assert page.evaluate("window.hacked") is None
        # Nothing of a name is an element, an attribute or an address: the corpus is made of these.
        strange = "main :is(img, video, details[ontoggle], math, form form, a[href^='javascript' i])"
        assert page.locator(strange).count() == 0
        assert page.locator("[onerror], [onload], [onclick], [onfocus], [ontoggle], [onmouseover]").count() == 0

    for number in range(len(CORPUS)):
        markers(page).nth(number).hover(force=True)
    markers(page).first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    harmless()
    # The table of changes and that of the rejects hold every name as it is written.
    for table in ("Die Änderungen im Einzelnen", "Zurückgewiesene Zeilen"):
        shown = told(page.get_by_role("table", name=table).inner_text())
        assert [name for name in CORPUS if told(name)[:100] not in shown] == [], table
    answer = page.request.get(f"{seen.base}{CHECK}/bericht.csv")
    cells = [cell for row in csv.reader(io.StringIO(answer.text().removeprefix("\ufeff"))) for cell in row]
    assert [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t"}] == [], "no cell is a formula"
    book = openpyxl.load_workbook(io.BytesIO(page.request.get(f"{seen.base}{CHECK}/bericht.xlsx").body()))
    values = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.value for cell in values if cell.data_type == "f"] == []
    page.get_by_role("button", name="Übernehmen").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Übernommen", timeout=30_000)
    harmless()
    page.get_by_role("link", name="Zum Bestand").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    harmless()
    seen.calm()


def told(text: str) -> str:
    """A text without signs that nobody sees, and with blanks as a browser shows them."""
    return " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())


@pytest.mark.parametrize("megabytes", [2, 6])
def test_a_file_that_is_too_large_is_told_on_a_page(
    chromium: Browser, database: Database, tmp_path: Path, megabytes: int
) -> None:
    load_city(database.writing, tmp_path)
    file = tmp_path / "gross.csv"
    file.write_bytes(b"id;name\n" + b"1;" + b"x" * 1024 * 1024 * megabytes)
    with running(database) as (base, app):
        app.state.srk_uploads.most_bytes = 1024 * 1024
        seen = Visit(chromium, base, app, SIZES[0])
        page = seen.go(f"{FORM}?art=facilities")
        page.get_by_label("Datei", exact=True).set_input_files(file)
        page.get_by_label("Kategorie").select_option("okja")
        page.get_by_role("button", name="Hochladen und prüfen").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Anfrage zu groß", timeout=30_000)
        expect(page.get_by_text("größer als 1 MB")).to_be_visible()
        seen.context.close()
