"""Maps of numbers, flows and reach in a real browser, under the strict content security policy the service sends."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from browser_wait import until
from number_maps import (
    HAMBURG,
    HOSTILE,
    HOSTILES,
    URLS,
    NumberSite,
    city,
    feature,
    serving_numbers,
    three_by_three,
    values_of,
)
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from layers.canvas import canvas
from layers.choropleth import AreaValue, add_choropleth
from layers.classes import classify
from layers.flows import GERMANY, add_flows, flows_of
from layers.legend import class_legend_html
from layers.reach_layer import ReachBand, add_reach

pytestmark = pytest.mark.e2e

CHROMIUM = os.environ.get("SRK_CHROMIUM", "/usr/bin/chromium")
AREA = "path.srk-area"
FLOWS = {"Hamburg": 412, "Schleswig-Holstein": 188, "Niedersachsen": 97, "Berlin": None, "Bayern": 5, "Ausland": 4}


@pytest.fixture
def site() -> Iterator[tuple[NumberSite, str]]:
    with serving_numbers() as served:
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


class Visit:
    """A page of the service, and everything it complained about or asked of other hosts."""

    def __init__(
        self, browser: Browser, base: str, width: int = 1280, height: int = 900, *, go: bool = True, **given: Any
    ) -> None:
        self.page: Page = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **given
        ).new_page()
        self.base = base
        self.errors: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)
        if go:
            self.page.goto(base + "/")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.errors.append(f"asked {request.url}")

    def calm(self) -> None:
        assert self.errors == []
        assert self.page.evaluate("window.hacked") is None

    def heard(self, name: str) -> list[Any]:
        return [detail for event, detail, _ in self.page.evaluate("heard") if event == name]


def show(site: NumberSite, shapes: Any, areas: list[AreaValue], body: str = "", **given: Any) -> None:
    classes = classify([area.value for area in areas], [area.suppressed for area in areas])
    target = canvas(HAMBURG, urls=URLS, tiles=None, attribution="Amt")
    add_choropleth(target, areas, classes, shapes, title="Anteil", unit="%", urls=URLS, **given)
    site.show(target, body)


def rows(areas: list[AreaValue]) -> str:
    lines = "".join(f'<tr data-area-key="{area.key}"><th><a href="#a">Zeile {area.key}</a></th></tr>' for area in areas)
    return f"<table>{lines}</table>"


def area(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name)


def test_areas_are_drawn_in_their_classes(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, areas = three_by_three()
    site[0].json["/flaechen"] = shapes
    show(site[0], "/flaechen", [*areas, AreaValue("n", "Neuwerk", 3.0)])
    visit = Visit(chromium, site[1])
    page = visit.page
    expect(page.locator(AREA)).to_have_count(9)
    legend = page.locator(".srk-panel")
    for text in (
        "Anteil (%)",
        "keine Angabe",
        "unterdrückt",
        "über 0 bis unter",
        "30 und mehr",
        "Ohne Fläche auf der Karte: Neuwerk",
    ):
        expect(legend).to_contain_text(text)
    expect(area(page, "Billstedt: 12\xa0%, 3 von 8")).to_have_count(1)
    assert visit.heard("srk:choropleth") == [{"areas": 9, "without_shape": 1}]
    assert site[0].asked.count("/flaechen") == 1
    visit.calm()


def test_three_nothings_look_different_on_map_and_legend(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, areas = three_by_three()
    show(site[0], shapes, areas)
    visit = Visit(chromium, site[1])
    page = visit.page
    fills = {
        name: area(page, f"{name}: ").evaluate("(path) => getComputedStyle(path).fill")
        for name in ("Groß Borstel", "Hamm", "Iserbrook", "Eimsbüttel")
    }
    assert len(set(fills.values())) == 4
    assert "-missing" in fills["Groß Borstel"]
    assert "-suppressed" in fills["Hamm"]
    assert fills["Iserbrook"] == "rgb(255, 255, 255)"
    # The patterns are there, and differ in their drawing.
    found = page.evaluate(
        """(fills) => fills.map((fill) => { const id = fill.match(/#([^"')]+)/)[1];
        return document.getElementById(id).querySelector('path').getAttribute('d'); })""",
        [fills["Groß Borstel"], fills["Hamm"]],
    )
    assert len(set(found)) == 2
    swatches = page.locator(".srk-panel .srk-class rect").evaluate_all(
        "(all) => all.map((r) => getComputedStyle(r).fill)"
    )
    assert len(set(swatches)) == len(swatches)
    assert set(fills.values()) <= set(swatches)
    # And so do they to the eye: pictures of equal patches are three different ones.
    patches = {name: _patch(page, area(page, f"{name}: ")) for name in ("Groß Borstel", "Hamm", "Iserbrook")}
    assert len(set(patches.values())) == 3
    visit.calm()


def _patch(page: Page, path: Any) -> bytes:
    box = path.bounding_box()
    return page.screenshot(clip={"x": box["x"] + 5, "y": box["y"] + 8, "width": 24, "height": 24})


def test_keyboard_walks_areas_and_opens_them(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, areas = three_by_three()
    show(site[0], shapes, areas, page_url="/gebiete/{level}/{key}", level="stadtteil")
    visit = Visit(chromium, site[1])
    page = visit.page
    expect(page.locator(f"{AREA}[tabindex='0']")).to_have_count(1)
    area(page, HOSTILE).focus()
    tooltip = page.locator(".leaflet-tooltip.srk-tooltip")
    for key, name in (
        ("Home", HOSTILE), ("ArrowRight", "Altona"), ("ArrowDown", "Billstedt"), ("g", "Groß Borstel"),
        ("End", "Iserbrook"), ("ArrowRight", "Iserbrook"), ("ArrowLeft", "Hamm"), ("b", "Billstedt"),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(area(page, f"{name}: ")).to_be_focused()
        expect(tooltip.last).to_contain_text(name)
    # The focus is seen: a double line above everything.
    expect(page.locator(".srk-highlight path")).to_have_count(2)
    page.keyboard.press("Enter")
    popup = page.locator(".leaflet-popup")
    expect(popup).to_contain_text("12\xa0%")
    expect(popup).to_contain_text("3 von 8")
    expect(popup.get_by_role("link", name="Zum Gebietsprofil")).to_have_attribute("href", "/gebiete/stadtteil/1")
    page.keyboard.press("Escape")
    expect(area(page, "Billstedt: ")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(f"{AREA}:focus")).to_have_count(0)
    expect(page.locator(".srk-highlight path")).to_have_count(0)
    visit.calm()


def test_rows_and_areas_choose_each_other(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, areas = three_by_three()
    show(site[0], shapes, areas, rows(areas))
    visit = Visit(chromium, site[1])
    page = visit.page
    selected = page.locator("tr.srk-row-selected")
    area(page, "Dulsberg: ").hover()
    expect(selected).to_have_text("Zeile 3")
    page.mouse.move(2, 300)
    expect(selected).to_have_count(0)
    page.get_by_role("link", name="Zeile 4").focus()
    expect(selected).to_have_text("Zeile 4")
    expect(page.locator(".srk-highlight path")).to_have_count(2)
    drawn = page.locator(".srk-highlight path").first.bounding_box()
    there = area(page, "Eimsbüttel: ").bounding_box()
    assert drawn
    assert abs(drawn["x"] - there["x"]) < 6
    assert abs(drawn["y"] - there["y"]) < 6
    page.get_by_role("link", name="Zeile 5").hover()
    expect(selected).to_have_text("Zeile 5")
    assert visit.heard("srk:select")[0] == {"key": "3"}
    assert {"key": None} in visit.heard("srk:select")
    visit.calm()


def test_hostile_names_are_text(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, _ = three_by_three()
    for start in range(0, len(HOSTILES), 9):
        names = [text for text in HOSTILES[start : start + 9] if "\ud800" not in text]
        named = [AreaValue(str(at), name, 1.0 + at, note=name) for at, name in enumerate(names)]
        show(site[0], shapes, named, class_legend_html(classify([1.0]), title=names[0], unit=names[1]))
        visit = Visit(chromium, site[1])
        page = visit.page
        expect(page.locator(AREA)).to_have_count(9)
        labels = page.locator(AREA).evaluate_all("(all) => all.map((path) => path.getAttribute('aria-label'))")
        for one in named:
            assert any(label.startswith(one.name + ":") and label.endswith(", " + one.note) for label in labels)
        page.locator(f"{AREA}[tabindex='0']").focus()
        headings = set()
        for _ in labels:
            page.keyboard.press("Enter")
            headings.add(page.locator(".leaflet-popup h3").text_content())
            assert page.locator(".leaflet-popup-content").locator("img, script, svg").count() == 0
            page.keyboard.press("Escape")
            expect(page.locator(".leaflet-popup")).to_have_count(0)
            page.keyboard.press("ArrowRight")
        assert set(names) <= headings
        assert page.locator(".srk-classes").locator("img, script").count() == 0
        visit.calm()
        page.context.close()


def test_failed_shapes_are_said_and_can_be_tried_again(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, areas = three_by_three()
    site[0].json["/flaechen"] = shapes
    site[0].broken.add("/flaechen")
    show(site[0], "/flaechen", areas)
    visit = Visit(chromium, site[1])
    page = visit.page
    expect(page.get_by_role("status")).to_contain_text("Die Gebiete konnten nicht geladen werden.")
    site[0].broken.clear()
    page.get_by_role("button", name="Erneut versuchen").click()
    expect(page.locator(AREA)).to_have_count(9)
    expect(page.get_by_role("status")).to_be_empty()
    expect(page.get_by_role("group", name="Anteil (%)")).to_have_count(1)
    assert all("503" in error for error in visit.errors)


def test_the_mouse_does_not_take_the_keyboard_s_sign_away(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, areas = three_by_three()
    show(site[0], shapes, areas, rows(areas))
    visit = Visit(chromium, site[1])
    page = visit.page
    selected = page.locator("tr.srk-row-selected")
    area(page, "Dulsberg: ").focus()
    expect(selected).to_have_text("Zeile 3")
    # Over another area and its row the mouse has its say; beside the map and in it the sign is back at the focus.
    page.get_by_role("link", name="Zeile 5").hover()
    expect(selected).to_have_text("Zeile 5")
    page.mouse.move(2, 899)
    expect(selected).to_have_text("Zeile 3")
    expect(page.locator(".srk-highlight path")).to_have_count(2)
    area(page, "Eimsbüttel: ").hover()
    expect(selected).to_have_text("Zeile 4")
    page.mouse.move(2, 300)
    expect(selected).to_have_text("Zeile 3")
    page.get_by_role("link", name="Zeile 0").focus()
    page.mouse.move(2, 899)
    expect(selected).to_have_count(0)
    visit.calm()


def test_without_scripts_the_legend_stands(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, areas = three_by_three()
    classes = classify([one.value for one in areas], [one.suppressed for one in areas])
    show(site[0], shapes, areas, class_legend_html(classes, title="Anteil", unit="%") + rows(areas))
    visit = Visit(chromium, site[1], java_script_enabled=False)
    legend = visit.page.locator(".srk-classes")
    for text in ("0", "keine Angabe", "unterdrückt", "Quantile"):
        expect(legend).to_contain_text(text)
    expect(visit.page.locator("tr")).to_have_count(9)


def test_names_stand_where_they_fit(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, areas = three_by_three()
    show(site[0], shapes, areas, fit=(9.8, 53.42, 10.1, 53.72))
    visit = Visit(chromium, site[1])
    labels = visit.page.locator(".srk-label")
    assert set(labels.all_inner_texts()) == {one.name for one in areas if one.name != HOSTILE}
    expect(visit.page.locator(".srk-label [aria-hidden='true']")).to_have_count(8)
    for _ in range(3):
        # What is clicked while the map still moves does not count.
        visit.page.get_by_role("button", name="Herauszoomen").click()
        visit.page.wait_for_timeout(400)
    expect(labels).to_have_count(0)
    visit.calm()


def test_a_name_stands_on_the_largest_part(site: tuple[NumberSite, str], chromium: Browser) -> None:
    island, mainland = shapely.box(9.80, 53.42, 9.805, 53.423), shapely.box(9.85, 53.5, 10.05, 53.65)
    shapes = {"type": "FeatureCollection", "features": [
        feature("0", "Altona", shapely.MultiPolygon([island, mainland]))]}  # fmt: skip
    show(site[0], shapes, [AreaValue("0", "Altona", 5.0)], fit=(9.8, 53.42, 10.1, 53.72))
    visit = Visit(chromium, site[1])
    label = visit.page.locator(".srk-label span")
    expect(label).to_have_text("Altona")
    at = label.bounding_box()
    x, y = visit.page.evaluate(
        "() => { const { map, container } = window.srkMap.of(document.querySelector('.srk-map').id);"
        " const at = map.latLngToContainerPoint([53.575, 9.95]); const box = container.getBoundingClientRect();"
        " return [box.x + at.x, box.y + at.y]; }"
    )
    assert at
    assert abs(at["x"] + at["width"] / 2 - x) < 40
    assert abs(at["y"] + at["height"] / 2 - y) < 40
    visit.calm()


def test_phone(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, areas = three_by_three()
    show(site[0], shapes, areas)
    visit = Visit(chromium, site[1], 375, 700, has_touch=True)
    page = visit.page
    area(page, "Farmsen: ").tap()
    expect(page.locator(".leaflet-popup")).to_contain_text("33\xa0%")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Auswahl und Legende").tap()
    expect(page.get_by_text("unterdrückt", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    visit.calm()


def test_941_areas_are_drawn_within_a_second(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes = city(941)
    site[0].json["/flaechen"] = shapes
    show(site[0], "/flaechen", values_of(shapes), fit=HAMBURG)
    spent = []
    for _ in range(3):
        visit = Visit(chromium, site[1], go=False)
        page = visit.page
        # The page's own work, from loading to painting; what else the machine does meanwhile does not count.
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(visit.base + "/")
        until(page, "heard.some(([name]) => name === 'srk:choropleth')")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        spent.append(metrics["TaskDuration"])
        expect(page.locator(AREA)).to_have_count(941)
        visit.calm()
        page.context.close()
    assert 0.05 < min(spent) < 1.0, spent


def test_flows(site: tuple[NumberSite, str], chromium: Browser) -> None:
    target = canvas(GERMANY, urls=URLS, tiles=None, attribution="Amt")
    flows = flows_of({**FLOWS, "ohne Angabe": None})
    add_flows(target, flows, home_state="Hamburg", title="Wohin", unit="Hilfen", urls=URLS, origin=HOSTILE)
    site[0].show(target, '<table><tr data-area-key="Bayern"><th>Bayern</th></tr></table>')
    visit = Visit(chromium, site[1])
    page = visit.page
    expect(page.locator("path.srk-arc")).to_have_count(4)
    expect(page.locator("path.srk-node")).to_have_count(16)
    wide, dashed = page.locator("path.srk-arc-flow").first, page.locator("path.srk-arc-suppressed")
    expect(wide).to_have_attribute("stroke-width", "18")
    expect(dashed).to_have_attribute("stroke-dasharray", "7 6")
    expect(dashed).to_have_attribute("stroke-width", "2")
    for text in ("Bayern BY 5", "Berlin BE •", "Saarland SL 0"):
        words = text.split()
        label = page.locator(".srk-flow-label", has_text=words[0])
        expect(label.locator("strong")).to_have_text(words[2])
    expect(page.locator(".srk-beside")).to_contain_text("4 Hilfen")
    expect(page.locator(".srk-beside")).to_contain_text("unterdrückt")
    page.get_by_role("button", name="Baden-Württemberg: 0 Hilfen").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Bayern: 5 Hilfen")).to_be_focused()
    expect(page.locator("tr.srk-row-selected")).to_have_text("Bayern")
    expect(page.locator(".srk-highlight path")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup")).to_contain_text(f"Von: {HOSTILE}")
    visit.calm()


def test_flows_on_a_phone_use_short_names(site: tuple[NumberSite, str], chromium: Browser) -> None:
    target = canvas(GERMANY, urls=URLS, tiles=None, attribution="Amt")
    add_flows(target, flows_of(FLOWS), home_state="Hamburg", title="Wohin", unit="Hilfen", urls=URLS)
    site[0].show(target)
    visit = Visit(chromium, site[1], 375, 700)
    expect(visit.page.get_by_text("MV", exact=True)).to_be_visible()
    expect(visit.page.get_by_text("Mecklenburg-Vorpommern", exact=True)).to_be_hidden()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 375
    visit.calm()


def test_reach(site: tuple[NumberSite, str], chromium: Browser) -> None:
    shapes, _ = three_by_three()
    bands = [
        ReachBand(HOSTILE, shapes["features"][4]["geometry"]),
        ReachBand("fern", shapes["features"][0]["geometry"]),
    ]
    target = canvas(HAMBURG, urls=URLS, tiles=None, attribution="Amt")
    add_reach(target, bands, start=(9.95, 53.57), urls=URLS)
    site[0].show(target)
    visit = Visit(chromium, site[1])
    paths = visit.page.locator("path.srk-reach")
    expect(paths).to_have_count(2)
    looks = paths.evaluate_all(
        "(all) => all.map((p) => [p.getAttribute('stroke'), p.getAttribute('stroke-dasharray')])"
    )
    assert len({json.dumps(look) for look in looks}) == 2
    expect(visit.page.locator(".srk-panel")).to_contain_text(HOSTILE)
    expect(visit.page.locator(".srk-panel")).to_contain_text("Ausgangspunkt")
    visit.calm()
