"""The public map's filter and addresses in a real browser, by mouse, touch and keyboard."""

import io
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pypdf
import pytest
from axe import violations
from browser_wait import until
from conftest import Database
from playwright.sync_api import Page, expect
from visits import DRAWN, SIZES, Visit, chromium, running, visit

from geodata.categories import TITLES
from geodata.viewer import Role, Viewer
from service.context import today

__all__ = ["chromium", "visit"]  # fixtures

pytestmark = pytest.mark.e2e

WIDE, NARROW = SIZES
FOUND = "srkMap.of('map_sozialraumkarte').facilities.result.found.map((one) => one.place.dataset + ' ' + one.place.id)"


@pytest.fixture(scope="module")
def base(demo_database: Database) -> Iterator[str]:
    with running(demo_database.serving) as (address, _app):
        yield address


def loaded(page: Page) -> Page:
    until(page, "srkMap.of('map_sozialraumkarte').facilities.result")
    return page


def listed(page: Page, base: str, query: str) -> list[str]:
    """Places of the list with the same parameters."""
    answer = page.request.get(f"{base}/angebote?format=json&{query}")
    assert answer.status == 200, answer.text()
    return sorted(f"{row['dataset']} {row['facility_id']}" for row in answer.json()["rows"])


def query_of(page: Page) -> str:
    return urlsplit(page.url).query


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"age": "12", "barrier_free": "yes"},
        {"age": "0"},
        {"age": "27", "category": "okja,jsa,hze"},
        {"category": "famfoe", "barrier_free": "yes,partly"},
        {"type": ["Haus der Jugend", "Kita"]},
        {"type": ["Haus der Jugend", "Kita"], "category": "okja", "age": "10"},
        {"category": "-"},
    ],
    ids=str,
)
def test_map_list_and_files_agree(base: str, visit: Callable[..., Visit], asked: dict[str, Any]) -> None:
    query = urlencode(asked, doseq=True)
    seen = visit(base, WIDE, path=f"/?{query}")
    page = loaded(seen.page)
    found = sorted(page.evaluate(FOUND))
    assert found == listed(page, base, query)
    if "type" not in asked and "category" not in asked:
        assert found
    if asked.get("category") == "-":
        assert found == []
        expect(page.locator("[data-found]")).to_have_text("Kein Ort passt zur Auswahl.")
    # Each switch says how many there would be; those of categories are what the list finds for it alone.
    for code in ("okja", "schule"):
        alone = urlencode({**asked, "category": code}, doseq=True)
        label = page.locator("label", has=page.locator(f"input[value={code}]"))
        assert int(label.locator(".anzahl").inner_text().replace(".", "")) == len(listed(page, base, alone))
    seen.calm()


def test_a_choice_is_in_the_address_and_the_way_back_undoes_it(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base)
    page = loaded(seen.page)
    expect(page.locator("path.leaflet-interactive").first).to_be_visible(timeout=30_000)
    asked = [url for url in seen.asked if "/api/" in url or "/karte/" in url]
    page.get_by_role("checkbox", name=TITLES["schule"]).uncheck()
    page.get_by_role("checkbox", name="barrierefrei", exact=True).check()
    expect(page.locator("[data-found]")).to_contain_text("von")
    assert parse_qs(query_of(page)) == {"category": ["okja,famfoe,sha,hze,kita"], "barrier_free": ["yes"]}
    count = page.locator("[data-found]").inner_text()
    now = [url for url in seen.asked if "/api/" in url or "/karte/" in url]
    assert now == asked, "switching asks the service nothing"
    shared = page.url
    page.go_back()
    expect(page.get_by_role("checkbox", name="barrierefrei", exact=True)).not_to_be_checked()
    page.go_back()
    expect(page.get_by_role("checkbox", name=TITLES["schule"])).to_be_checked()
    assert query_of(page) == ""
    page.go_forward()
    expect(page.get_by_role("checkbox", name=TITLES["schule"])).not_to_be_checked()
    # The shared address shows the same to somebody else, on a phone.
    other = visit(base, NARROW, path=shared.removeprefix(base))
    expect(other.page.locator("[data-found]")).to_have_text(count)
    other.calm()
    # The list shows the same, and leads back.
    page.goto(shared)
    loaded(page).get_by_role("button", name="Als Liste zeigen").click()
    expect(page.get_by_role("status")).to_contain_text(count.removesuffix(".")[:10])
    page.get_by_role("link", name="Auf der Karte zeigen").click()
    expect(loaded(page).locator("[data-found]")).to_have_text(count)
    page.get_by_role("button", name="Auswahl zurücksetzen").click()
    assert query_of(page) == ""
    seen.calm()


def test_keyboard_alone_filters_and_opens_a_place(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base)
    page = loaded(seen.page)
    slider = page.get_by_role("slider", name="Alter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if slider.evaluate("one => one === document.activeElement"):
            break
    expect(slider).to_be_focused()
    assert slider.get_attribute("aria-valuetext") == "alle Alter"
    for _ in range(13):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "12 Jahre"
    assert parse_qs(query_of(page)) == {"age": ["12"]}
    page.keyboard.press("Home")
    assert query_of(page) == ""
    # On to the map: one stop for all symbols, Enter opens, Escape gives the focus back.
    stop = page.locator(".leaflet-marker-pane [tabindex='0']")
    for _ in range(40):
        page.keyboard.press("Tab")
        if stop.evaluate("one => one === document.activeElement"):
            break
    expect(stop).to_be_focused()
    for _ in range(8):
        if page.locator(".leaflet-popup").count():
            break
        page.keyboard.press("Enter")
        page.wait_for_timeout(150)
    expect(page.locator(".leaflet-popup h3")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".leaflet-popup")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('.leaflet-marker-pane') !== null")
    seen.calm()


def test_the_sheet_of_a_phone(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base, NARROW)
    page = loaded(seen.page)
    opener, sheet = page.get_by_role("button", name="Auswahl", exact=True), page.locator("#blatt")
    expect(sheet).to_be_hidden()
    opener.tap()
    expect(page.get_by_role("dialog", name="Auswahl")).to_be_visible()
    expect(sheet.get_by_role("heading", name="Auswahl")).to_be_focused()
    assert violations(page) == []
    # What lies under it is out of reach.
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#blatt')")
    page.get_by_role("checkbox", name=TITLES["kita"]).tap()
    assert "category" in query_of(page)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(opener).to_be_focused()
    opener.tap()
    page.get_by_role("button", name="Fertig").tap()
    expect(sheet).to_be_hidden()
    seen.calm()


def test_a_map_of_one_area_shows_what_its_list_shows(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base, path="/angebote?area=bezirk:1&q=Beispiel")
    page = seen.page
    page.get_by_role("link", name="Auf der Karte zeigen").click()
    query = "area=bezirk:1&q=Beispiel"
    places = listed(page, base, query)
    assert places
    assert sorted(loaded(page).evaluate(FOUND)) == places
    page.get_by_role("checkbox", name="barrierefrei", exact=True).check()
    assert parse_qs(query_of(page)) == {"area": ["bezirk:1"], "q": ["Beispiel"], "barrier_free": ["yes"]}
    assert sorted(page.evaluate(FOUND)) == listed(page, base, f"{query}&barrier_free=yes")
    expect(page.locator("[data-found]")).to_contain_text(f"von {len(listed(page, base, '')):,}".replace(",", "."))
    page.get_by_role("button", name="Auswahl zurücksetzen").click()
    page.wait_for_url(f"{base}/")
    assert sorted(loaded(page).evaluate(FOUND)) == listed(page, base, "")
    seen.calm()


def test_an_area_leads_to_its_places(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base)
    page = loaded(seen.page)
    page.get_by_role("combobox").fill("Billstedt")
    page.get_by_role("option", name="Billstedt").filter(has_text="Stadtteil").click()
    popup = page.locator(".leaflet-popup")
    expect(popup.get_by_role("heading", level=3)).to_have_text("Billstedt")
    count = int(popup.locator("p").first.inner_text().split()[0])
    popup.get_by_role("link", name="Angebote in diesem Gebiet").click()
    expect(page.get_by_role("status")).to_contain_text(f"{count} von")
    expect(page.get_by_role("status")).to_contain_text("Nur im Gebiet Billstedt.")
    seen.calm()


def test_names_of_areas_stand_on_the_map(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base)
    page = loaded(seen.page)
    labels = page.locator(".srk-label span")
    expect(labels.first).to_be_visible()
    known = {row["area_name"] for row in page.request.get(f"{base}/api/v1/areas?level=stadtteil").json()["rows"]}
    assert set(labels.all_inner_texts()) <= known
    page.get_by_role("radio", name="Keine Gebiete").check()
    expect(labels).to_have_count(0)
    seen.calm()


def test_printed_the_map_is_whole_and_dated(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base, path="/?category=okja")
    page = loaded(seen.page)
    page.emulate_media(media="print")
    expect(page.locator(".nurdruck")).to_be_visible()
    for gone in (".suche", ".hauptnavigation", ".knoepfe", ".leaflet-control-zoom", ".teilen"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.locator("#blatt")).to_be_visible()
    # On paper stand the day it was made, and each source with its own Stand, folded away on the screen as it was.
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
    # Lines may break anywhere, and letters stand in one sign.
    said = unicodedata.normalize("NFKC", "".join("".join(one.extract_text() for one in printed.pages).split()))
    assert f"Erstelltam{today():%d.%m.%Y}" in said
    sources = page.locator(".quellen li").all_text_contents()
    assert sources
    for source in sources:
        assert "Stand: 01.01.2026" in source
        assert "".join(source.split()) in said
    seen.calm()


def test_a_type_that_counts_stays_in_sight(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base)
    page = loaded(seen.page)
    page.get_by_text("Nur bestimmte Arten").first.click()
    chosen = page.get_by_role("checkbox", name="Haus der Jugend")
    chosen.check()
    page.get_by_role("checkbox", name=TITLES["okja"]).uncheck()
    expect(page.locator("[data-found]")).to_have_text("Kein Ort passt zur Auswahl.")
    expect(chosen).to_be_visible()
    chosen.uncheck()
    expect(chosen).to_be_hidden()
    expect(page.locator("[data-found]")).to_contain_text("Orten passen zur Auswahl.")
    seen.calm()


def test_a_second_visit_finds_the_page_unchanged_and_whole(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base)
    for _ in range(2):
        seen.page.goto(base + "/")
        expect(seen.page.locator(DRAWN).first).to_be_visible()
    seen.calm()


def test_embedding(base: str, demo_database: Database, visit: Callable[..., Visit]) -> None:
    with running(demo_database.serving, embed_origins=("https://www.example.org",)) as (strict, app):
        seen = visit(base, path="/?category=okja")
        page = loaded(seen.page)
        page.get_by_text("Teilen und einbetten").click()
        assert page.get_by_label("Adresse dieser Ansicht").input_value() == f"{base}/?category=okja"
        # The guide takes the choices over.
        page.get_by_role("link", name="Diese Karte auf der eigenen Internetseite zeigen").click()
        expect(page.get_by_role("checkbox", name=TITLES["okja"])).to_be_checked()
        assert violations(page) == []
        snippet = page.get_by_label("Code für die eigene Seite").input_value()
        assert f'src="{base}/einbetten?category=okja"' in snippet
        # On a page of another origin it works; a strict operator's does not.
        page.route("http://other.invalid/**", lambda route: route.fulfill(body=snippet, content_type="text/html"))
        page.goto("http://other.invalid/")
        framed = page.frame_locator("iframe")
        expect(framed.locator(DRAWN).first).to_be_visible()
        expect(framed.get_by_role("checkbox", name=TITLES["kita"])).not_to_be_checked()
        assert page.context.cookies() == []
        headers = page.request.get(f"{strict}/einbetten").headers
        assert "frame-ancestors https://www.example.org" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.request.get(f"{strict}/").headers["content-security-policy"]
        code = app.state.srk.sessions.offer(Viewer(Role.PLANNER))
        planner = visit(strict, path=f"/anmelden?code={code}")
        sent: list[str] = []
        planner.page.on("request", lambda one: sent.extend(one.all_headers().get("cookie", "").split()))
        planner.page.goto(f"{strict}/")
        expect(planner.page.locator(DRAWN).first).to_be_visible()
        assert sent, "else nothing is shown by what follows"
        planner.page.goto("about:blank")
        asked: dict[str, str] = {}
        planner.page.on("request", lambda one: asked.update({one.url: one.all_headers().get("cookie", "")}))
        planner.page.goto(f"{strict}/einbetten")
        expect(planner.page.locator(DRAWN).first).to_be_visible()
        data = {url: cookie for url, cookie in asked.items() if "orte.json" in url or "/api/" in url}
        assert data
        assert set(data.values()) == {""}, "nobody is signed in on it"
        assert "Angemeldet" not in planner.page.content()
        planner.calm()


def test_english_says_nothing_in_german(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base, path="/?lang=en&age=12")
    page = loaded(seen.page)
    expect(page.locator("[data-found]")).to_contain_text("places match the selection.")
    page.get_by_text("Sources and dates").click()
    place = page.evaluate("srkMap.of('map_sozialraumkarte').facilities.result.found[0].place.name")
    page.get_by_role("combobox").fill(place)
    page.get_by_role("option", name=place).first.click()
    expect(page.locator(".leaflet-popup")).to_contain_text("As of: 1 January 2026")
    text = page.locator("main").inner_text() + page.locator("section.hinweis").inner_text()
    for german in ("Alter", "Gebiete", "Keine", "Auswahl", "Orte", "Einrichtungen", "Schulen", "Stadtteil", "Stand",
                   "Adresse", "Angebot", "keine amtlichen"):  # fmt: skip
        assert german not in text, german
    assert page.locator(".srk-map").get_attribute("aria-label") == "Map"
    # What was chosen meanwhile stays when the language is switched.
    page.get_by_role("checkbox", name="accessible", exact=True).check()
    page.get_by_role("link", name="Deutsch").click()
    assert page.locator("html").get_attribute("lang") == "de"
    assert {"age": ["12"], "barrier_free": ["yes"]}.items() <= parse_qs(query_of(page)).items()
    expect(page.get_by_role("checkbox", name="barrierefrei", exact=True)).to_be_checked()
    seen.calm()
