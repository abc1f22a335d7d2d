"""The planning desk in a real browser: both widths, keyboard, without scripts, and the way to the next youth centre."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe import violations
from conftest import Database
from playwright.sync_api import Page, expect
from visits import DESK_FIRST, SIZES, Visit, chromium, running, visit

from geodata.viewer import Role, Viewer

__all__ = ["chromium", "visit"]  # fixtures

pytestmark = pytest.mark.e2e

PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
HOSTILE = '</script><img src=x onerror="window.hacked=1">{{ 7*7 }}'
# Reasons for a slower machine than the one the target is for: the suite's bound is not the benchmark's.
DRAWN_WITHIN_MS = 4000
AREAS = 942
PAGES = {
    "start": "/planung",
    "kennzahlen": "/planung/kennzahlen",
    "veraenderung": "/planung/kennzahlen?indicator=alleinerziehende_proz&compare=2024",
    "versorgung": "/planung/versorgung",
    "erreichbarkeit": "/planung/erreichbarkeit?lon=9.99&lat=53.55&minutes=20",
    "bedarf": "/planung/bedarf?version=intern&need1=alleinerziehende_proz",
}

Go = Callable[..., Visit]


@pytest.fixture(scope="module")
def demo(demo_database: Database) -> Iterator[tuple[str, Any]]:
    with running(demo_database.serving) as served:
        yield served


def signed_in(visit: Go, served: tuple[str, Any], path: str, size: tuple[int, int] = SIZES[0], **more: Any) -> Visit:
    base, app = served
    code = app.state.srk.sessions.offer(PLANNER)
    went = visit(base, size, path=f"/anmelden?code={code}", **more)
    answer = went.page.goto(base + path)
    assert answer
    assert answer.status == 200
    return went


def drawn(page: Page) -> None:
    expect(page.locator(".srk-map path.srk-area").first).to_be_attached()


@pytest.mark.parametrize("size", DESK_FIRST)
@pytest.mark.parametrize("name", list(PAGES))
def test_every_view_at_both_widths(visit: Go, demo: tuple[str, Any], name: str, size: tuple[int, int]) -> None:
    went = signed_in(visit, demo, PAGES[name], size)
    if name != "start":
        drawn(went.page)
    for details in went.page.locator("details.mehr").all():
        details.evaluate("(one) => { one.open = true; }")
    assert violations(went.page) == []
    assert went.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    went.calm()


def test_where_the_next_youth_centre_should_go(visit: Go, demo: tuple[str, Any]) -> None:
    went = signed_in(visit, demo, "/planung")
    page = went.page
    page.get_by_role("link", name="Bestand und Bedarf").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bestand und Bedarf")
    expect(page.get_by_role("heading", level=2).filter(has_text="10 bis unter 18 Jahre")).to_be_visible()
    drawn(page)
    before = page.locator("tbody").first.inner_text()
    first = page.locator("tbody tr[data-area-key]").first
    expect(first).to_contain_text("In ")
    expect(first).to_contain_text(re.compile("fest|stabil|unsicher"))
    # The row and its area light up together.
    first.hover()
    expect(page.locator(".srk-highlight path").first).to_be_attached()
    page.get_by_role("link", name="10 % niedriger").click()
    expect(page.get_by_text("72 % in höchstens 15 Minuten zu Fuß erreicht")).to_be_visible()
    drawn(page)
    assert page.locator("tbody").first.inner_text() != before
    # The colleague opens the same address and sees the same numbers.
    shown = page.locator("tbody").first.inner_text()
    other = signed_in(visit, demo, page.url.removeprefix(demo[0]))
    assert other.page.locator("tbody").first.inner_text() == shown
    # The assumptions as they stand ask the same; other minutes and another share need no indicator of need.
    page.locator("#annahmen").get_by_role("button", name="Mit diesen Annahmen rechnen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bestand und Bedarf")
    assert page.locator("tbody").first.inner_text() == shown
    page.locator("#annahmen").get_by_label("Höchstens Minuten").fill("10")
    page.locator("#annahmen").get_by_label("Angenommener Richtwert").fill("60")
    page.locator("#annahmen").get_by_role("button", name="Mit diesen Annahmen rechnen").click()
    expect(page.get_by_text("Angenommen sind 60\N{NO-BREAK SPACE}% in höchstens 10 Minuten")).to_be_visible()
    assert page.locator("tbody").first.inner_text() != shown
    # Weights move too.
    form = page.locator("#annahmen")
    expect(form).to_be_visible()
    choice = form.get_by_label("Kennzahl 1 des Bedarfs")
    choice.select_option(index=1)
    form.get_by_role("button", name="Mit diesen Annahmen rechnen").click()
    expect(page.get_by_role("heading", level=2).filter(has_text="Priorität")).to_be_visible()
    went.calm()


def test_by_keyboard_alone(visit: Go, demo: tuple[str, Any]) -> None:
    went = signed_in(visit, demo, "/planung/kennzahlen")
    page = went.page
    drawn(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#inhalt")).to_be_focused()
    # From the form to the map is one stop; arrows go from area to area, and their rows light up.
    page.locator(".srk-map path.srk-area[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("tr.srk-row-selected")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("link", name="Zum Gebietsprofil")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    went.calm()


def test_the_slider_follows_the_links(visit: Go, demo: tuple[str, Any]) -> None:
    path = "/planung/kennzahlen?indicator=cases&level=bezirk&version=intern"
    went = signed_in(visit, demo, path)
    page = went.page
    slider = page.get_by_role("slider", name="Zeitraum")
    links = page.locator(".zeitleiste a")
    assert links.count() > 2
    periods = links.evaluate_all("(all) => all.map((one) => one.textContent)")
    assert slider.get_attribute("aria-valuetext") == periods[-1]
    # Moving it says where it stands and no more (WCAG 3.2.2).
    slider.focus()
    page.evaluate("window.still = true")
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", periods[-2])
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", periods[-3])
    expect(page.locator(".schieber output")).to_have_text(periods[-3])
    assert page.evaluate("window.still")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("period="))
    expect(page.get_by_role("slider", name="Zeitraum")).to_have_attribute("aria-valuetext", periods[-3])
    # The button does the same, and so does letting go of it with the mouse.
    page.get_by_role("slider", name="Zeitraum").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Zeigen", exact=True).click()
    expect(page.locator(".zeitleiste a[aria-current]")).to_have_text(periods[-2])
    box = page.get_by_role("slider", name="Zeitraum").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.move(box["x"] - 20, box["y"] - 40)
    page.mouse.up()
    expect(page.locator(".zeitleiste a[aria-current]")).to_have_text(periods[0])
    # However many there are, the links can be reached.
    for details in page.locator(".zeitleiste details").all():
        details.evaluate("(one) => { one.open = true; }")
    expect(page.locator(".zeitleiste a").first).to_be_visible()
    went.calm()


def test_a_point_is_chosen_on_the_map(visit: Go, demo: tuple[str, Any]) -> None:
    went = signed_in(visit, demo, "/planung/erreichbarkeit")
    page = went.page
    drawn(page)
    page.get_by_text("Von einem Ort oder Punkt aus").click()
    page.get_by_role("button", name="Punkt auf der Karte wählen").click()
    box = page.locator(".srk-map").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile("lon=.*lat="))
    expect(page.get_by_text("Von diesem Punkt aus").first).to_be_visible()
    expect(page.locator(".srk-map path.srk-reach").first).to_be_attached()
    expect(page.locator(".legende").get_by_text("in höchstens 15 Minuten zu Fuß")).to_be_visible()
    went.calm()


def test_a_point_is_chosen_by_keyboard(visit: Go, demo: tuple[str, Any]) -> None:
    went = signed_in(visit, demo, "/planung/erreichbarkeit")
    page = went.page
    drawn(page)
    page.get_by_text("Von einem Ort oder Punkt aus").click()
    button = page.get_by_role("button", name="Punkt auf der Karte wählen")
    picking = page.locator(".srk-map.srk-picking")
    button.focus()
    # Held down, the key that pressed the button does not choose at once.
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(picking).to_have_count(1)
    assert page.locator(".srk-map path.srk-area").first.evaluate("(one) => getComputedStyle(one).cursor") == "crosshair"
    page.keyboard.press("Escape")
    expect(picking).to_have_count(0)
    # Called off, a click on the map opens the area's popup again, and a key chooses nothing.
    page.locator(".srk-map path.srk-area[tabindex='0']").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    button.focus()
    page.keyboard.press("Enter")
    # The map's own controls still work.
    before = page.evaluate("window.srkMap.of(document.querySelector('.srk-map').id).map.getZoom()")
    page.get_by_role("button", name="Hineinzoomen").click()
    page.wait_for_function(
        "(before) => window.srkMap.of(document.querySelector('.srk-map').id).map.getZoom() > before", arg=before
    )
    expect(picking).to_have_count(1)
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("lon=.*lat="))
    expect(page.get_by_text("Von diesem Punkt aus").first).to_be_visible()
    went.calm()


@pytest.mark.parametrize("name", ["kennzahlen", "bedarf", "erreichbarkeit"])
def test_without_scripts_the_picture_stands_for_the_map(visit: Go, demo: tuple[str, Any], name: str) -> None:
    went = signed_in(visit, demo, f"/planung/{name}?level=bezirk", java_script_enabled=False)
    page = went.page
    picture = page.locator("img.kartenbild")
    expect(picture).to_be_visible()
    # All of it, in its own proportions.
    shown, frame = picture.bounding_box(), page.locator(".kartenrahmen").bounding_box()
    assert shown
    assert frame
    assert frame["y"] <= shown["y"]
    assert shown["y"] + shown["height"] <= frame["y"] + frame["height"] + 1
    assert shown["height"] / shown["width"] == pytest.approx(
        picture.evaluate("(one) => one.naturalHeight / one.naturalWidth"), rel=0.02
    )
    assert went.page.request.get(demo[0] + str(picture.get_attribute("src"))).status == 200
    assert page.locator("tbody tr[data-area-key]").count() == 7
    page.get_by_role("button", name="Anzeigen").first.click()
    expect(page.locator("tbody tr[data-area-key]")).to_have_count(7)


def test_at_double_size_nothing_is_cut_off(visit: Go, demo: tuple[str, Any]) -> None:
    for path in ("/planung/bedarf", "/planung/kennzahlen"):
        went = signed_in(visit, demo, path, (640, 400))
        assert went.page.evaluate("document.documentElement.scrollWidth") <= 640


def test_areas_of_a_whole_city_are_drawn_soon(visit: Go, demo: tuple[str, Any]) -> None:
    went = signed_in(visit, demo, "/planung")
    page = went.page
    page.add_init_script(
        "document.addEventListener('srk:choropleth', (event) => {"
        " window.drawnAt = performance.now(); window.drawnAreas = event.detail.areas; });"
    )
    path = "/planung/kennzahlen?indicator=population&level=statgebiet&position=total"
    times = []
    for _visit in range(3):
        page.goto(demo[0] + path)
        page.wait_for_function("() => window.drawnAt")
        times.append(page.evaluate("window.drawnAt"))
        assert page.evaluate("window.drawnAreas") == AREAS
    assert min(times) < DRAWN_WITHIN_MS, times
    went.calm()


@pytest.fixture(scope="module")
def hostile(
    new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Any]]:
    from importers.kinds.areas import AreasImport, import_areas
    from importers.kinds.statistics import StatisticsImport, import_statistics
    from importers.load import Counting, Footnotes
    from importers.sources import open_source

    made, folder = new_database(), tmp_path_factory.mktemp("hostile")
    ring = [[9.9, 53.5], [10.1, 53.5], [10.1, 53.6], [9.9, 53.6], [9.9, 53.5]]
    features = [{"type": "Feature", "properties": {"key": "1", "name": HOSTILE},
                 "geometry": {"type": "Polygon", "coordinates": [ring]}}]  # fmt: skip
    areas = Path(folder / "a.geojson")
    areas.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    notes = Footnotes(HOSTILE, HOSTILE, HOSTILE)
    import_areas(made.writing, open_source(areas), AreasImport("bezirk", footnotes=notes))
    figures = Path(folder / "s.csv")
    cell = '"' + HOSTILE.replace('"', '""') + '"'
    figures.write_text(
        f"area_level,area_key,indicator,position,period,value,flag,scenario\nbezirk,1,{cell},{cell},2020,5,,ist\n",
        encoding="utf-8",
    )
    import_statistics(made.writing, open_source(figures), StatisticsImport(
        dataset="statistics.x", counting=Counting("stichtag"), footnotes=notes))  # fmt: skip
    with running(made.serving) as served:
        yield served


def test_hostile_names_are_text(visit: Go, hostile: tuple[str, Any]) -> None:
    went = signed_in(visit, hostile, "/planung/kennzahlen")
    page = went.page
    drawn(page)
    expect(page.locator("tbody tr")).to_contain_text(HOSTILE)
    expect(page.get_by_role("heading", level=2).filter(has_text="7*7")).to_contain_text(HOSTILE)
    page.locator(".srk-map path.srk-area").first.hover()
    expect(page.locator(".srk-tooltip")).to_contain_text(HOSTILE)
    svg = page.request.get(hostile[0] + "/planung/kennzahlen/karte.svg").text()
    assert "<img" not in svg
    went.calm()
