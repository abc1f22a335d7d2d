"""The exported map, opened from disk in a real browser without any network; every name in it means harm."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe import violations
from cards import HANDLE, hostile_cards, hostile_hits, nothing_ran
from conftest import Database
from hand_rows import rows_in
from hostile_names import CORPUS
from hostile_town import build
from playwright.sync_api import Browser, Page, expect
from service_help import settings
from visits import DRAWN, PHONE_FIRST, SIZES, Visit, chromium

from geodata.database import reading
from service.cli.folders import write_folder
from service.exports.map import static_map

__all__ = ["chromium"]  # a fixture

pytestmark = pytest.mark.e2e

WIDE, NARROW = SIZES


@pytest.fixture(scope="module")
def exported(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made, folder = new_database(), tmp_path_factory.mktemp("export")
    with rows_in(made.writing) as rows:
        build(rows)
    with reading(made.serving) as session:
        static = static_map(session, settings(), "de")
        english = static_map(session, settings(), "en")
    (folder / "karte.html").write_bytes(static.as_file())
    (folder / "map.html").write_bytes(english.as_file())
    write_folder(folder / "karte", static.as_folder())
    return {"file": folder / "karte.html", "folder": folder / "karte" / "index.html", "english": folder / "map.html"}


@pytest.fixture
def opened(chromium: Browser, exported: dict[str, Path]) -> Iterator[Callable[..., Visit]]:
    visits: list[Visit] = []

    def go(kind: str, size: tuple[int, int] = WIDE, **options: bool) -> Visit:
        made = Visit(chromium, f"file://{exported[kind].parents[0]}", size, **options)
        visits.append(made)
        made.context.set_offline(True)
        made.page.goto(exported[kind].as_uri())
        return made

    yield go
    for one in visits:
        one.context.close()


def shown_rows(page: Page) -> set[str]:
    names: list[str] = page.locator("#liste tr[data-at]:not([hidden]) > th").all_text_contents()
    return set(names)


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
def test_it_works_from_disk_without_a_network(
    opened: Callable[..., Visit], kind: str, size: tuple[int, int], tmp_path: Path
) -> None:
    seen = opened(kind, size)
    page = seen.page
    expect(page.locator(DRAWN).first).to_be_visible()
    expect(page.locator("path.leaflet-interactive").first).to_be_visible()
    expect(page.locator(".srk-status")).to_be_empty()
    expect(page.locator("[data-found]").first).to_contain_text(f"{len(CORPUS)} Orte")
    page.screenshot(path=tmp_path / f"{kind}-{size[0]}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    # A switch changes map and list alike; the list is part of the page.
    if size == NARROW:
        page.get_by_role("button", name="Auswahl", exact=True).tap()
    page.get_by_role("button", name="Keine", exact=True).click()
    page.locator("input[name=category][value=okja]").check()
    found = set(page.evaluate(f"{HANDLE}.facilities.result.found.map((one) => one.place.name)"))
    assert 0 < len(found) < len(CORPUS)
    assert len(shown_rows(page)) == len(found)
    page.get_by_role("button", name="Als Liste zeigen").click()
    if size == WIDE:
        expect(page.locator("#liste")).to_be_focused()
    seen.calm()
    # Last: it tries to read the style sheets itself.
    if size == NARROW:
        page.get_by_role("button", name="Fertig").tap()
    assert violations(page) == []


def test_levels_of_areas_are_switched(opened: Callable[..., Visit]) -> None:
    seen = opened("file")
    page, paths = seen.page, seen.page.locator("path.leaflet-interactive")
    expect(paths).to_have_count(4)
    for level, count in (("Bezirk", 2), ("Statgebiet", 8), ("Sozialraum", 2), ("Keine Gebiete", 0)):
        page.get_by_role("radio", name=level, exact=True).check()
        expect(paths).to_have_count(count)
    seen.calm()


def test_the_search_needs_no_service(opened: Callable[..., Visit]) -> None:
    seen = opened("folder")
    page = seen.page
    field = page.get_by_role("combobox")
    field.fill("größe")
    option = page.get_by_role("option").first
    expect(option).to_contain_text("Größe ẞ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup h3").last).to_contain_text("Größe ẞ")
    field.fill("gibt es nirgends")
    expect(page.get_by_text("Nichts gefunden")).to_be_visible()
    seen.calm()


def test_hostile_names_are_text_in_cards_hits_and_list(opened: Callable[..., Visit]) -> None:
    seen = opened("file")
    page = seen.page
    hostile_cards(page)
    hostile_hits(page)
    listed = page.locator("#liste th[scope=row]").all_text_contents()
    assert sorted(listed) == sorted(name.strip() for name in CORPUS)
    nothing_ran(page)
    seen.calm()


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
def test_without_javascript_there_is_the_list(opened: Callable[..., Visit], size: tuple[int, int]) -> None:
    seen = opened("file", size, java_script_enabled=False)
    page = seen.page
    expect(page.locator("#liste tr[data-at]")).to_have_count(len(CORPUS))
    expect(page.get_by_role("link", name="Liste der Angebote")).to_be_visible()
    expect(page.locator("#blatt")).to_be_hidden()


def test_it_speaks_english(opened: Callable[..., Visit]) -> None:
    seen = opened("english")
    page = seen.page
    expect(page.locator("[data-found]").first).to_have_text(
        f"{len(CORPUS)} places for children, young people and families."
    )
    assert page.locator("html").get_attribute("lang") == "en"
    for german in ("Alter", "Gebiete", "Auswahl", "Stand:", "Als Liste"):
        assert german not in page.locator("#blatt").inner_text() + page.locator("header").inner_text()
    seen.calm()
