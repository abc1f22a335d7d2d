"""The public map of the running service in a real browser: one with the demo city, one with a hostile name in it."""

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from conftest import Database
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from sqlalchemy import Engine

from geodata.categories import TITLES
from geodata.viewer import Role, Viewer
from service.app import create_app
from service.demo import NOTICE
from service.settings import Settings

pytestmark = pytest.mark.e2e

HOSTILE = '<img src=x onerror="window.hacked=1">'
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
SIZES = [(1280, 800), (375, 667)]
DRAWN = ".srk-marker, .srk-cluster"


@contextmanager
def running(engine: Engine) -> Iterator[tuple[str, Any]]:
    """Serve a database on a free port of loopback; yields its address and the app."""
    app = create_app(Settings(_env_file=None), engine)  # type: ignore[call-arg]
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
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
def demo(demo_database: Database) -> Iterator[tuple[str, Any]]:
    with running(demo_database.serving) as served:
        yield served


@pytest.fixture(scope="module")
def hostile(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from importers.kinds.areas import AreasImport, import_areas
    from importers.kinds.facilities import FacilitiesImport, import_facilities
    from importers.load import Footnotes
    from importers.sources import open_source

    made, folder = new_database(), tmp_path_factory.mktemp("hostile")
    name = HOSTILE.replace('"', '\\"')
    ring = "[[9.9,53.5],[10.1,53.5],[10.1,53.6],[9.9,53.6],[9.9,53.5]]"
    (folder / "a.geojson").write_text(
        f'{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"key":"1","name":"{name}"}},'
        f'"geometry":{{"type":"Polygon","coordinates":[{ring}]}}}}]}}'
    )
    cell = '"' + HOSTILE.replace('"', '""') + '"'
    (folder / "f.csv").write_text(
        "id,name,category,type,provider,street,website,opening_hours,lon,lat,release\n"
        f"1,{cell},okja,{cell},{cell},{cell},javascript:window.hacked=1,{cell},10.0,53.55,public\n"
    )
    notes = Footnotes(f"</script>{HOSTILE}", f"</style>{HOSTILE}", HOSTILE)
    import_areas(made.writing, open_source(folder / "a.geojson"), AreasImport("bezirk", footnotes=notes))
    import_facilities(made.writing, open_source(folder / "f.csv"), FacilitiesImport("okja", footnotes=notes))
    with running(made.serving) as (base, _app):
        yield base


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


class Visit:
    """A page, what it asked for, and what it complained about."""

    def __init__(self, browser: Browser, base: str, size: tuple[int, int] = SIZES[0], **options: Any) -> None:
        width, height = size
        self.base = base
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=width < 600, reduced_motion="reduce", **options
        )
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)

    def calm(self) -> None:
        assert self.errors == []
        assert [url for url in self.asked if not url.startswith((self.base + "/", "data:"))] == []
        assert self.page.evaluate("window.hacked") is None


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def go(base: str, size: tuple[int, int] = SIZES[0], *, path: str = "/", **options: Any) -> Visit:
        made = Visit(chromium, base, size, **options)
        opened.append(made)
        answer = made.page.goto(base + path)
        assert answer
        assert answer.status == 200
        return made

    yield go
    for made in opened:
        made.context.close()


def wholly_visible(page: Page) -> None:
    """Wait until the map has slid so far that the popup is inside it and beside the panel."""
    page.wait_for_function(
        """() => { const [box, map, panel] = ['.leaflet-popup', '.srk-map', '.srk-panel'].map(
            (name) => document.querySelector(name).getBoundingClientRect());
        const beside = box.right <= panel.left || box.top >= panel.bottom;
        return beside &&
            box.left >= 0 && box.right <= innerWidth && box.top >= map.top && box.bottom <= map.bottom; }""",
        timeout=5000,
    )


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s[0]))
def test_map_draws(demo: tuple[str, Any], visit: Callable[..., Visit], size: tuple[int, int], tmp_path: Path) -> None:
    seen = visit(demo[0], size)
    page = seen.page
    expect(page.locator(DRAWN).first).to_be_visible()
    expect(page.locator("path.leaflet-interactive").first).to_be_visible()
    expect(page.locator("path.leaflet-interactive")).to_have_count(104)
    expect(page.get_by_role("status")).to_be_empty()
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    assert page.title().startswith("Sozialraumkarte")
    assert page.evaluate("document.documentElement.lang") == "de"
    page.screenshot(path=tmp_path / f"karte-{size[0]}.png")
    seen.calm()
    assert any("/api/v1/facilities" in url for url in seen.asked)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s[0]))
def test_map_fills_the_page(demo: tuple[str, Any], visit: Callable[..., Visit], size: tuple[int, int]) -> None:
    seen = visit(demo[0], size)
    box = seen.page.locator(".srk-map").bounding_box()
    assert box
    assert box["height"] > size[1] / 2
    assert box["width"] == size[0]
    assert box["y"] + box["height"] <= size[1], "the whole map is seen without scrolling"
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    # Nothing in the page's head and foot is cut off at the side.
    assert (
        seen.page.evaluate(
            """() => [...document.querySelectorAll('header *, footer *, .hinweis, .srk-panel')].filter((e) => {
        const b = e.getBoundingClientRect(); return b.width && (b.left < 0 || b.right > innerWidth); }).length"""
        )
        == 0
    )
    viewport = seen.page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "width=device-width" in viewport
    assert "user-scalable" not in viewport
    assert "maximum-scale" not in viewport


def test_narrow_pages_do_not_scroll_sideways(demo: tuple[str, Any], visit: Callable[..., Visit]) -> None:
    for width in (320, 360, 414, 768, 1024):
        seen = visit(demo[0], (width, 640))
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        box = seen.page.locator(".srk-map").bounding_box()
        assert box
        assert box["height"] > 320, width
        seen.context.close()


def test_headline_counts_the_places_on_the_map(demo: tuple[str, Any], visit: Callable[..., Visit]) -> None:
    seen = visit(demo[0])
    rows = seen.page.request.get(f"{demo[0]}/api/v1/facilities?limit=100000&fields=lon,facility_id").json()["rows"]
    mapped = sum(row["lon"] is not None for row in rows)
    expect(seen.page.locator("header")).to_contain_text(f"{mapped:,} Orte".replace(",", "."))
    counts = [int(text.replace(".", "")) for text in seen.page.locator(".srk-count").all_text_contents()]
    assert sum(counts) == mapped


def test_policy_allows_no_inline_scripts(demo: tuple[str, Any], visit: Callable[..., Visit]) -> None:
    seen = visit(demo[0])
    answer = seen.page.request.get(demo[0] + "/")
    policy = {part.split()[0]: part.split()[1:] for part in answer.headers["content-security-policy"].split(";")}
    assert policy["default-src"] == ["'none'"]
    assert "'unsafe-inline'" not in policy["script-src"] + policy["style-src"]
    assert "'unsafe-eval'" not in policy["script-src"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert all(re.fullmatch(r"'self'|'sha256-[^']+'|'none'|data:", v) for values in policy.values() for v in values)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    # An inline script that is not the page's own does not run.
    seen.page.evaluate(
        """() => { const s = document.createElement('script'); s.textContent = 'window.hacked = 1';
        document.body.append(s); }"""
    )
    assert seen.page.evaluate("window.hacked") is None
    assert seen.context.cookies() == []


def test_level_switch(demo: tuple[str, Any], visit: Callable[..., Visit]) -> None:
    seen = visit(demo[0])
    page, paths = seen.page, seen.page.locator("path.leaflet-interactive")
    expect(paths).to_have_count(104)
    for label, count in (("Bezirk", 7), ("Sozialraum", 60), ("Keine Gebiete", 0), ("Stadtteil", 104)):
        page.get_by_role("radio", name=label, exact=True).check()
        expect(paths).to_have_count(count)
    page.get_by_role("radio", name="Statistisches Gebiet").check()
    expect(paths).to_have_count(942)
    seen.calm()


def test_category_switch(demo: tuple[str, Any], visit: Callable[..., Visit]) -> None:
    seen = visit(demo[0])
    page = seen.page
    expect(page.locator(DRAWN).first).to_be_visible()
    switches = page.locator(".srk-panel input[type=checkbox]")
    expect(switches).to_have_count(6)
    page.get_by_role("button", name="Keine", exact=True).click()
    expect(page.locator(DRAWN)).to_have_count(0)
    page.get_by_role("checkbox", name=TITLES["okja"]).check()
    expect(page.locator(DRAWN).first).to_be_visible()
    shown = page.evaluate("srkMap.of('map_sozialraumkarte').state().categories")
    assert shown == ["okja"]
    page.get_by_role("button", name="Alle", exact=True).click()
    assert len(page.evaluate("srkMap.of('map_sozialraumkarte').state().categories")) == 6
    seen.calm()


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s[0]))
def test_popup_of_a_demo_place(
    demo: tuple[str, Any], visit: Callable[..., Visit], size: tuple[int, int], tmp_path: Path
) -> None:
    seen = visit(demo[0], size)
    page = seen.page
    expect(page.locator(DRAWN).first).to_be_visible()
    lat, lon = page.evaluate(
        """async () => { const a = await (await fetch('/api/v1/facilities?q=Jugendcafé&limit=1')).json();
        return [a.rows[0].lat, a.rows[0].lon]; }"""
    )
    page.evaluate(f"map_sozialraumkarte.setView([{lat}, {lon}], 18, {{animate: false}})")
    marker = page.locator(".srk-marker[title^='Beispiel-Jugendcafé']").first
    expect(marker).to_be_visible()
    marker.tap() if size[0] < 600 else marker.click()
    popup = page.locator(".leaflet-popup")
    expect(popup.get_by_role("heading", level=3)).to_contain_text("Beispiel-Jugendcafé")
    for words in ("Träger", "Stand: 01.01.2026", "Hamburg", "Barrierefrei"):
        expect(popup).to_contain_text(words)
    wholly_visible(page)
    page.screenshot(path=tmp_path / f"popup-{size[0]}.png")
    seen.calm()


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s[0]))
def test_hostile_names_are_text(
    hostile: str, visit: Callable[..., Visit], size: tuple[int, int], tmp_path: Path
) -> None:
    seen = visit(hostile, size)
    page = seen.page
    marker = page.locator(".srk-marker")
    expect(marker).to_have_count(1)
    marker.tap() if size[0] < 600 else marker.click()
    popup = page.locator(".leaflet-popup")
    expect(popup.get_by_role("heading", level=3)).to_have_text(HOSTILE)
    expect(popup).to_contain_text(f"Träger: {HOSTILE}")
    assert page.locator("img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    wholly_visible(page)
    page.screenshot(path=tmp_path / f"hostile-{size[0]}.png")
    page.keyboard.press("Escape")
    expect(popup).to_have_count(0)
    page.locator("path.leaflet-interactive").first.focus()
    page.keyboard.press("Enter")
    expect(popup.get_by_role("heading", level=3)).to_have_text(HOSTILE)
    page.get_by_text("Quellen und Stand").click()
    expect(page.locator("footer li").first).to_contain_text(f"</script>{HOSTILE}")
    expect(page.locator(".leaflet-control-attribution")).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0
    seen.calm()


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s[0]))
def test_without_javascript_there_is_a_table(
    demo: tuple[str, Any], visit: Callable[..., Visit], size: tuple[int, int], tmp_path: Path
) -> None:
    seen = visit(demo[0], size, java_script_enabled=False)
    link = seen.page.get_by_role("link", name="als Tabelle")
    expect(link).to_be_visible()
    expect(link).to_be_in_viewport()
    seen.page.screenshot(path=tmp_path / f"ohne-js-{size[0]}.png")
    answer = seen.page.request.get(demo[0] + str(link.get_attribute("href")))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert "link" not in answer.headers, "all places, not the first thousand"
    assert len(answer.text().splitlines()) > 1200


def test_docs_load_from_here_only(demo: tuple[str, Any], visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = visit(demo[0], path="/api/docs")
    page = seen.page
    expect(page.get_by_text("/api/v1/facilities", exact=True).first).to_be_visible()
    expect(page.get_by_text("Einrichtungen und Angebote").first).to_be_visible()
    page.screenshot(path=tmp_path / "docs.png")
    seen.calm()


def test_keyboard_reaches_the_map(demo: tuple[str, Any], visit: Callable[..., Visit]) -> None:
    seen = visit(demo[0])
    seen.page.keyboard.press("Tab")
    skip = seen.page.get_by_role("link", name="Zur Karte springen")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("main")).to_be_focused()


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s[0]))
def test_signed_in_planner_sees_who_she_is_and_signs_out(
    demo: tuple[str, Any], visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    base, app = demo
    code = app.state.srk.sessions.offer(Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),)))
    seen = visit(base, size, path=f"/anmelden?code={code}")
    page = seen.page
    assert page.url == base + "/"
    expect(page.get_by_text("Angemeldet: Planung")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_text("Angemeldet: Planung")).to_have_count(0)
    assert seen.context.cookies() == []
