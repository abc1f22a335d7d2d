"""A planner's committee paper on placements outside, walked in a real browser: by mouse, touch and keyboard."""

import io
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from axe import violations
from conftest import Database
from openpyxl import load_workbook
from playwright.sync_api import Page, expect
from visits import DESK_FIRST, SIZES, Visit, chromium, running, visit

from geodata.viewer import Role, Viewer

__all__ = ["chromium", "visit"]  # fixtures

pytestmark = pytest.mark.e2e

PATH = "/planung/unterbringung"
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
MITTE = f"{PATH}?level=sozialraum&area=bezirk%3A1"
SignIn = Callable[..., Visit]


@pytest.fixture(scope="module")
def served(demo_database: Database) -> Iterator[tuple[str, Callable[[], str]]]:
    with running(demo_database.serving) as (base, app):
        yield base, lambda: app.state.srk.sessions.offer(PLANNER)


@pytest.fixture
def enter(served: tuple[str, Callable[[], str]], visit: Callable[..., Visit]) -> SignIn:
    """Sign in by a one-time link, then open a page."""

    def go(path: str, size: tuple[int, int] = SIZES[0], **options: object) -> Visit:
        base, offer = served
        made = visit(base, size, path=f"/anmelden?code={offer()}", **options)
        made.page.goto(base + path)
        return made

    return go


def drawn(page: Page) -> Page:
    expect(page.locator("#map_planungskarte path.srk-area").first).to_be_attached(timeout=20_000)
    return page


def test_the_walk(enter: SignIn) -> None:
    made = enter("/planung")
    page = made.page
    page.get_by_role("main").get_by_role("link", name="Auswärtige Unterbringung (§ 34 SGB VIII)").click()
    # The newest quarter of all Bezirke, and what has become of it in two years.
    expect(page.locator("#anteile tbody tr")).to_have_count(7)
    expect(page.locator("#feld-period")).to_have_value("2025-Q4")
    expect(page.locator("#feld-compare")).to_have_value("2023-Q4")
    expect(page.locator(".antwort")).to_contain_text("Veränderung ist statistisch")
    page.locator("#feld-level").select_option("sozialraum")
    page.locator("#feld-area").select_option(label="Hamburg-Mitte")
    page.get_by_role("button", name="Anzeigen").first.click()
    page.wait_for_url("**level=sozialraum**")
    expect(page.locator("#anteile tbody tr")).to_have_count(9)
    expect(page.locator(".antwort")).to_contain_text("Am höchsten ist der Anteil in")
    expect(page.locator(".antwort")).to_contain_text("keinen freigegebenen Platz")
    # Taken along: numbers are numbers, the published version, sources and Stand in the file.
    with page.expect_download() as loading:
        page.locator(".mitnahme").get_by_role("link", name="Excel (XLSX)").click()
    book = load_workbook(io.BytesIO(loading.value.path().read_bytes()))
    heads = [cell.value for cell in book["Daten"][1]]
    cases = [row[heads.index("Fälle")].value for row in book["Daten"].iter_rows(min_row=2)]
    assert len([value for value in cases if isinstance(value, int)]) == 8
    notes = [str(cell.value) for row in book["Erläuterungen"].iter_rows() for cell in row]
    assert "Veröffentlichungsfassung" in notes
    assert any("Stand: 01.01.2026" in note for note in notes)
    with page.expect_download() as loading:
        page.get_by_role("link", name="Karte als PNG").first.click()
    assert loading.value.path().read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    # One switch.
    page.get_by_role("link", name="Fälle je 1.000 unter 21-Jährige").click()
    page.wait_for_url("**show=per_1000**")
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["level"], asked["area"]) == (["sozialraum"], ["bezirk:1"])
    expect(page.locator(".antwort")).to_contain_text("Die meisten Fälle je 1.000 unter 21-Jährige")
    page.go_back()
    expect(page.locator(".antwort")).to_contain_text("Am höchsten ist der Anteil in")
    made.calm()


def test_map_and_table_point_at_each_other(enter: SignIn) -> None:
    page = drawn(enter(MITTE).page)
    row = page.locator("#anteile tr[data-area-key]").first
    row.scroll_into_view_if_needed()
    row.hover()
    expect(row).to_have_class("srk-row-selected")


@pytest.mark.parametrize("size", DESK_FIRST, ids=["wide", "narrow"])
@pytest.mark.parametrize("path", [PATH, MITTE, "/planung/controlling?area=bezirk%3A1", "/planung/controlling/budget"])
def test_nothing_to_object_to(enter: SignIn, size: tuple[int, int], path: str) -> None:
    made = enter(path, size)
    page = made.page
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    made.calm()


def test_by_keyboard_alone(enter: SignIn) -> None:
    page = enter(PATH).page
    page.locator("#feld-level").focus()
    page.keyboard.type("Soz")
    page.keyboard.press("Tab")
    page.keyboard.type("Hamburg-M")
    page.keyboard.press("Enter")
    if "level=" not in page.url:  # a select does not send its form by Enter everywhere
        page.get_by_role("button", name="Anzeigen").first.focus()
        page.keyboard.press("Enter")
    page.wait_for_url("**level=sozialraum**")
    assert parse_qs(urlsplit(page.url).query)["area"] == ["bezirk:1"]
    link = page.get_by_role("link", name="Veränderung des Anteils")
    link.focus()
    outline = link.evaluate("(one) => getComputedStyle(one).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.wait_for_url("**show=change**")


def test_without_scripts_the_numbers_and_pictures_are_there(enter: SignIn) -> None:
    page = enter(MITTE, java_script_enabled=False).page
    expect(page.locator("#anteile tbody tr")).to_have_count(9)
    expect(page.locator("#laender tbody tr")).to_have_count(18)
    picture = page.locator(".kartenrahmen img").first
    expect(picture).to_be_visible()
    page.get_by_role("link", name="Fälle je 1.000 unter 21-Jährige").click()
    expect(page.locator(".antwort")).to_contain_text("je 1.000 unter 21-Jährige")


def test_the_page_on_paper_keeps_what_matters(enter: SignIn) -> None:
    page = enter(MITTE).page
    page.emulate_media(media="print")
    expect(page.locator("#anteile")).to_be_visible()
    expect(page.locator(".antwort").first).to_be_visible()
    expect(page.get_by_text("Veröffentlichungsfassung").first).to_be_visible()
    expect(page.get_by_role("button", name="Anzeigen").first).to_be_hidden()
    expect(page.locator(".umschalter")).to_be_hidden()
