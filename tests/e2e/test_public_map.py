"""The public map of the running service in a real browser: one with the demo city, one with a hostile name in it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_wait import until
from conftest import Database
from playwright.sync_api import Page, expect
from visits import DRAWN, PHONE_FIRST, Visit, chromium, running, visit

from geodata.categories import TITLES
from geodata.viewer import Role, Viewer
from service.demo import NOTICE

__all__ = ["chromium", "visit"]  # fixtures

pytestmark = pytest.mark.e2e

HOSTILE = '<img src=x onerror="window.hacked=1">'


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


def wholly_visible(page: Page) -> None:
    """Wait until the map has slid so far that the popup is inside it."""
    until(
        page,
        """() => { const [box, map] = ['.leaflet-popup', '.srk-map'].map(
            (name) => document.querySelector(name).getBoundingClientRect());
        return box.left >= 0 && box.right <= innerWidth && box.top >= map.top && box.bottom <= map.bottom; }""",
    )


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
def test_map_draws(demo: tuple[str, Any], visit: Callable[..., Visit], size: tuple[int, int], tmp_path: Path) -> None:
    seen = visit(demo[0], size)
    page = seen.page
    expect(page.locator(DRAWN).first).to_be_visible()
    expect(page.locator("path.leaflet-interactive").first).to_be_visible()
    expect(page.locator("path.leaflet-interactive")).to_have_count(104)
    expect(page.locator(".srk-status")).to_be_empty()
    expect(page.get_by_text(NOTICE).first).to_be_visible()
    assert page.title().startswith("Sozialraumkarte")
    assert page.evaluate("document.documentElement.lang") == "de"
    page.screenshot(path=tmp_path / f"karte-{size[0]}.png")
    seen.calm()
    assert any("/karte/orte.json" in url for url in seen.asked)


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
def test_map_fills_the_page(demo: tuple[str, Any], visit: Callable[..., Visit], size: tuple[int, int]) -> None:
    seen = visit(demo[0], size)
    box = seen.page.locator(".srk-map").bounding_box()
    assert box
    assert box["height"] > size[1] / 2
    assert box["width"] == (size[0] if size[0] < 960 else size[0] - 337)
    assert box["y"] + box["height"] <= size[1], "the whole map is seen without scrolling"
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    # Nothing in the page's head and foot is cut off at the side.
    assert (
        seen.page.evaluate(
            """() => [...document.querySelectorAll('header *, footer *, .hinweis, .suche *, .treffer *')]
        .map((e) => e.getBoundingClientRect()).filter((b) => b.width && (b.left < 0 || b.right > innerWidth)).length"""
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
        assert box["height"] > 280, width
        seen.context.close()


def test_headline_counts_the_places_of_map_and_list(demo: tuple[str, Any], visit: Callable[..., Visit]) -> None:
    seen = visit(demo[0])
    page = seen.page
    rows = page.request.get(f"{demo[0]}/api/v1/facilities?limit=100000&fields=lon,categories").json()["rows"]
    number = f"{len(rows):,}".replace(",", ".")
    expect(page.locator("[data-found]")).to_have_text(f"{number} Orte für Kinder, Jugendliche und Familien.")
    unmapped = sum(row["lon"] is None for row in rows)
    assert unmapped
    expect(page.locator("[data-unmapped]")).to_contain_text(f"{unmapped} davon stehen ohne Standort")
    boxes = page.locator("input[name=category]")
    for at in range(boxes.count()):
        code = boxes.nth(at).get_attribute("value")
        shown = page.locator("label", has=page.locator(f"input[value={code}]")).locator(".anzahl").inner_text()
        assert int(shown.replace(".", "")) == sum(code in row["categories"] for row in rows), code


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
    expect(paths).to_have_count(942, timeout=30_000)
    seen.calm()


def test_category_switch(demo: tuple[str, Any], visit: Callable[..., Visit]) -> None:
    seen = visit(demo[0])
    page = seen.page
    expect(page.locator(DRAWN).first).to_be_visible()
    switches = page.locator("input[name=category]")
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


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
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


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
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
    page.locator("footer summary").click()
    expect(page.locator("footer li").first).to_contain_text(f"</script>{HOSTILE}")
    expect(page.locator(".leaflet-control-attribution")).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0
    seen.calm()


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
def test_without_javascript_there_is_a_table(
    demo: tuple[str, Any], visit: Callable[..., Visit], size: tuple[int, int], tmp_path: Path
) -> None:
    seen = visit(demo[0], size, java_script_enabled=False)
    page = seen.page
    link = page.get_by_role("link", name="Liste der Angebote")
    expect(link).to_be_in_viewport()
    page.screenshot(path=tmp_path / f"ohne-js-{size[0]}.png")
    # The filter's form leads to the list.
    page.get_by_label("Alter").select_option("12")
    page.get_by_role("checkbox", name=TITLES["schule"]).uncheck()
    page.get_by_role("button", name="Als Liste zeigen").click()
    expect(page.get_by_role("status")).to_contain_text("Orten passen zur Auswahl.")
    assert "age=12" in page.url
    assert page.get_by_role("row").count() > 40


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
    expect(seen.page.locator("#inhalt")).to_be_focused()
    seen.page.keyboard.press("Tab")
    expect(seen.page.locator(".srk-map")).to_be_focused()


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
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
