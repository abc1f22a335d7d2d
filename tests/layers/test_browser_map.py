"""The map in a real browser, under the strict content security policy the service sends."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_data import HOSTILE, LOTS, MANY
from browser_site import Site, serving
from browser_wait import until
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from layers.palette import STYLES

pytestmark = pytest.mark.e2e

CHROMIUM = os.environ.get("SRK_CHROMIUM", "/usr/bin/chromium")


@pytest.fixture
def site() -> Iterator[tuple[Site, str]]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"no Chromium at {CHROMIUM}; set SRK_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


class Watch:
    """A page and everything it complained about or asked of other hosts."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.foreign.append(request.url)

    def calm(self) -> None:
        assert self.errors == []
        assert self.foreign == []
        assert self.page.evaluate("window.hacked") is None


def opened(browser: Browser, base: str, width: int = 1280, height: int = 800, *, touch: bool = False) -> Watch:
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=touch, reduced_motion="reduce")
    watch = Watch(context.new_page(), base)
    watch.page.goto(base + "/")
    expect(watch.page.locator(".srk-marker, .srk-cluster").first).to_be_visible()
    return watch


def shown(page: Page) -> list[str]:
    """Names of the places drawn as a symbol of their own, and the numbers of clusters."""
    names = page.locator(".srk-marker").evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    return sorted([*names, *page.locator(".srk-cluster").all_text_contents()])


def test_map_draws_and_asks_nobody_else(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1])
    page = watch.page
    expect(page.locator(".srk-marker")).to_have_count(3)
    assert sorted(page.locator(".srk-cluster").all_text_contents()) == ["12", "3"]
    expect(page.get_by_role("button", name="Hineinzoomen")).to_be_visible()
    expect(page.locator(".leaflet-control-attribution")).to_contain_text(HOSTILE)
    assert page.locator(".leaflet-control-attribution a, .leaflet-control-attribution svg").count() == 0
    assert not any("images/" in path for path in site[0].asked)
    assert site[0].asked.count("/orte") == 1
    assert page.evaluate("srkMap.of('map_sozialraumkarte').state().categories.length") == len(STYLES)
    watch.calm()


def test_category_switch_hides_markers(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1])
    page = watch.page
    page.get_by_role("checkbox", name="Schulen").uncheck()
    page.get_by_role("checkbox", name="Hilfen zur Erziehung").uncheck()
    expect(page.locator(".srk-cluster")).to_have_count(0)
    both = page.locator(".srk-marker[title^='<img']")
    expect(both).to_have_attribute("title", f"{HOSTILE}, {STYLES['okja'].title}")
    page.get_by_role("checkbox", name=STYLES["okja"].title).uncheck()
    expect(page.locator(".srk-marker")).to_have_count(2)
    expect(both).to_have_attribute("aria-label", f"{HOSTILE}, {STYLES['kita'].title}")
    page.get_by_role("button", name="Keine").click()
    expect(page.locator(".srk-marker")).to_have_count(0)
    expect(page.locator("[data-found]")).to_have_text("Kein Ort passt zur Auswahl.")
    page.get_by_role("button", name="Alle").click()
    expect(page.locator(".srk-marker")).to_have_count(3)
    watch.calm()


def test_a_map_without_forms_shows_all_places_and_names_the_symbols(site: tuple[Site, str], chromium: Browser) -> None:
    site[0].with_forms = False
    watch = opened(chromium, site[1])
    expect(watch.page.locator(".srk-marker")).to_have_count(3)
    for title in (STYLES["okja"].title, STYLES["kita"].title):
        expect(watch.page.locator(".srk-legend").get_by_text(title, exact=True)).to_be_visible()
    watch.calm()


def test_popup_by_mouse_shows_hostile_texts_as_text(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1])
    page = watch.page
    page.locator(".srk-marker[title^='<img']").click()
    popup = page.locator(".leaflet-popup")
    expect(popup.get_by_role("heading", level=3)).to_have_text(HOSTILE)
    for text in (
        "für 6 bis unter 14 Jahre", "unter 3 Jahren", "Öffnungszeiten: Mo-Fr 14-20 Uhr",
        "Musterweg 3a, 22111 Hamburg", "Träger: Träger " + HOSTILE, "Stand: 01.01.2026", "Stand: 31.12.2025",
    ):  # fmt: skip
        expect(popup).to_contain_text(text)
    expect(popup.locator("dd", has_text="teilweise")).to_be_visible()
    link = popup.get_by_role("link", name="example.org/haus")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(popup.get_by_role("link", name="Alle Angaben")).to_have_attribute("href", "/ort/d%2F1/f%201")
    assert popup.locator("img").count() == 0
    watch.calm()


def test_places_at_one_spot_are_listed(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1])
    page = watch.page
    page.locator(".srk-cluster", has_text=re.compile("^3$")).click()
    popup = page.locator(".leaflet-popup")
    expect(popup.get_by_role("heading", level=3)).to_have_text("3 Einrichtungen an dieser Stelle")
    popup.get_by_role("button", name="Gruppe 1").click()
    expect(popup.get_by_role("heading", level=3)).to_have_text("Gruppe 1")
    expect(popup).to_contain_text("konnten nicht geladen werden")
    assert all("404" in error for error in watch.errors)


def test_popup_by_keyboard_gives_the_focus_back(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1])
    page = watch.page
    marker = page.get_by_role("button", name="Haus der Jugend, Offene")
    # One stop for the tab key; the arrow keys go from symbol to symbol, from the top down.
    expect(page.locator(".leaflet-marker-pane [tabindex='0']")).to_have_count(1)
    page.locator(".leaflet-marker-pane [tabindex='0']").focus()
    for _ in range(6):
        if marker.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    expect(marker).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Haus der Jugend")).to_be_focused()
    expect(page.locator(".leaflet-popup")).to_contain_text("javascript:window.hacked=1")
    assert page.locator(".leaflet-popup-content a[href^='javascript']").count() == 0
    page.keyboard.press("Escape")
    expect(page.locator(".leaflet-popup")).to_have_count(0)
    expect(marker).to_be_focused()
    watch.calm()


def test_details_that_cannot_be_loaded_are_said(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1])
    watch.page.locator(".srk-marker[title^='Kita']").click()
    expect(watch.page.locator(".leaflet-popup")).to_contain_text("Kita Sonnenblume")
    expect(watch.page.locator(".leaflet-popup")).to_contain_text("konnten nicht geladen werden")
    assert all("404" in error for error in watch.errors)


def test_level_is_fetched_once_when_first_shown(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1])
    page = watch.page
    paths = page.locator("path.leaflet-interactive")
    expect(paths).to_have_count(0)
    assert "/flaechen/stadtteil" not in site[0].asked
    page.get_by_label("Stadtteile").check()
    expect(paths).to_have_count(2)
    page.get_by_label("Bezirke").check()
    expect(paths).to_have_count(1)
    page.get_by_label("Keine Gebiete").check()
    expect(paths).to_have_count(0)
    page.get_by_label("Stadtteile").check()
    expect(paths).to_have_count(2)
    assert site[0].asked.count("/flaechen/stadtteil") == 1
    first = page.get_by_role("button", name=f"Altona {HOSTILE}: 1 Einrichtung insgesamt", exact=True)
    first.focus()
    expect(page.locator(".leaflet-tooltip")).to_have_text(f"Altona {HOSTILE}: 1 Einrichtung insgesamt")
    page.keyboard.press("ArrowRight")
    # The one before fades, so for a moment there are two.
    expect(page.locator(".leaflet-tooltip")).to_have_count(1)
    expect(page.locator(".leaflet-tooltip")).to_have_text("Billstedt: 12 Einrichtungen insgesamt")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Zum Gebietsprofil")).to_have_attribute("href", "/gebiete/stadtteil/1")
    watch.calm()


def test_failed_level_is_said_and_can_be_tried_again(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1])
    page = watch.page
    site[0].broken.add("/flaechen/stadtteil")
    page.get_by_label("Stadtteile").check()
    expect(page.locator(".srk-status")).to_contain_text("Stadtteile: Die Grenzen konnten nicht geladen werden.")
    site[0].broken.clear()
    page.get_by_role("button", name="Erneut versuchen").click()
    expect(page.locator("path.leaflet-interactive")).to_have_count(2)
    expect(page.locator(".srk-status")).to_be_empty()
    assert all("503" in error for error in watch.errors)


def test_phone(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1], 375, 700, touch=True)
    page = watch.page
    panel = page.get_by_role("button", name="Auswahl und Legende")
    expect(panel).to_have_attribute("aria-expanded", "false")
    panel.tap()
    box = page.locator(".srk-panel").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 375
    assert box["y"] + box["height"] <= 700
    panel.tap()
    page.locator(".srk-marker[title^='<img']").tap()
    expect(page.locator(".leaflet-popup")).to_contain_text("Stand: 01.01.2026")
    # The map slides until the popup is wholly visible.
    until(
        page,
        """() => { const box = document.querySelector('.leaflet-popup').getBoundingClientRect();
        return box.left >= 0 && box.right <= 375 && box.top >= 0 && box.bottom <= 700; }""",
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    watch.calm()


def test_ages_in_german(site: tuple[Site, str], chromium: Browser) -> None:
    watch = opened(chromium, site[1])
    said = watch.page.evaluate(
        "[[6, 14], [6, null], [null, 3], [0, 3], [null, null], [0, null], [1, null], [0, 1], [17, 18]]"
        ".map(([from, to]) => srkMap.ageText(from, to))"
    )
    assert said == [
        "für 6 bis unter 14 Jahre", "ab 6 Jahren", "unter 3 Jahren", "unter 3 Jahren", "Alter nicht angegeben",
        "für jedes Alter", "ab 1 Jahr", "unter 1 Jahr", "für 17 bis unter 18 Jahre",
    ]  # fmt: skip


def test_five_thousand_places_switch_quickly(site: tuple[Site, str], chromium: Browser) -> None:
    site[0].places = LOTS
    watch = opened(chromium, site[1])
    page = watch.page
    # What the page computes for one switch, up to the painted frame: processor time, since others share the machine.
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def computed_s() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    spent = []
    for _ in range(6):
        before = computed_s()
        page.evaluate(
            """() => new Promise((done) => { document.querySelector('input[value="okja"]').click();
            requestAnimationFrame(() => setTimeout(done)); })"""
        )
        spent.append(computed_s() - before)
    assert sorted(spent)[2] < 0.1, spent
    state = page.evaluate(
        """() => new Promise((done) => {
        document.addEventListener('srk:facilities', (event) => done(event.detail), { once: true });
        document.querySelector('select[name="age"]').dispatchEvent(new Event('input', { bubbles: true })); })"""
    )
    assert state == {"total": MANY, "mapped": MANY, "found": MANY, "shown": MANY}
    # Only what is in view stands in the document.
    assert page.locator(".srk-marker, .srk-cluster").count() < 600
    watch.calm()
