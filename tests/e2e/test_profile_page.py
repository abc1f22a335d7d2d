"""The profile of an area in a real browser: calm, without violations, with its map, and of use without scripts."""

from collections.abc import Callable, Iterator

import pytest
from axe import violations
from conftest import Database
from playwright.sync_api import expect
from visits import DRAWN, PHONE_FIRST, Visit, chromium, running, visit

from geodata.viewer import Role, Viewer

__all__ = ["chromium", "visit"]  # fixtures

pytestmark = pytest.mark.e2e

PROFILE = "/gebiete/bezirk/1"
SIMILAR = "/planung/vergleichsgebiete?level=stadtteil&key=02101"
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def service(demo_database: Database) -> Iterator[tuple[str, Callable[[], str]]]:
    with running(demo_database.serving) as (address, app):
        yield address, lambda: app.state.srk.sessions.offer(Viewer(Role.PLANNER))


@pytest.mark.parametrize("size", PHONE_FIRST)
@pytest.mark.parametrize("language", ["", "?lang=en"])
def test_profile(
    service: tuple[str, Callable[[], str]], visit: Callable[..., Visit], size: tuple[int, int], language: str
) -> None:
    made = visit(service[0], size, path=f"{PROFILE}{language}")
    page = made.page
    page.wait_for_selector(DRAWN)
    assert page.locator("path.srk-outline").count() == 1
    assert violations(page) == []
    assert page.evaluate(FITS)
    for summary in page.locator("main details > summary").all():
        summary.click()
    expect(page.locator("#tabelle-einwohner")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate(FITS)
    made.calm()


def test_by_keyboard_to_a_place_and_to_an_area_within(
    service: tuple[str, Callable[[], str]], visit: Callable[..., Visit]
) -> None:
    made = visit(service[0], path="/gebiete/stadtteil/02101")
    page = made.page
    page.wait_for_selector(DRAWN)
    page.locator(DRAWN).first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".srk-popup h3")).to_be_visible()
    page.keyboard.press("Escape")
    inside = page.locator(".gebietsliste a").first
    name = inside.inner_text()
    inside.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(name)
    made.calm()


def test_without_scripts_map_tables_and_charts_are_there(
    service: tuple[str, Callable[[], str]], visit: Callable[..., Visit]
) -> None:
    page = visit(service[0], path=PROFILE, java_script_enabled=False).page
    assert page.locator(".profilkarte svg path").count() > 100, "the area and its places as a picture"
    expect(page.locator("#tabelle-einrichtungen")).to_be_visible()
    page.locator("#bild-alter summary").click()
    expect(page.locator("#tabelle-einwohner")).to_be_visible()


@pytest.mark.parametrize("size", PHONE_FIRST)
def test_similar_areas(
    service: tuple[str, Callable[[], str]], visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    base, code = service
    made = visit(base, size, path=f"/anmelden?code={code()}")
    page = made.page
    page.goto(base + SIMILAR)
    page.wait_for_selector("path.srk-area")
    assert violations(page) == []
    assert page.evaluate(FITS)
    page.select_option("#feld-limit", "10")
    page.locator("main form.filter button[type=submit]").first.click()
    expect(page.locator("tr[data-area-key]")).to_have_count(10)
    made.calm()
