"""A city of hostile names in the running service, in a real browser: map, cards, search, list and pages of places."""

from collections.abc import Callable, Iterator

import pytest
from cards import hostile_cards, hostile_hits, nothing_ran
from conftest import Database
from hand_rows import FACILITIES, rows_in
from hostile_names import CORPUS
from hostile_town import build
from playwright.sync_api import expect
from visits import Visit, chromium, running, visit

__all__ = ["chromium", "visit"]  # fixtures

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def base(new_database: Callable[[], Database]) -> Iterator[str]:
    made = new_database()
    with rows_in(made.writing) as rows:
        build(rows)
    with running(made.serving) as (address, _app):
        yield address


def test_the_corpus_is_large_enough() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 40


def test_cards_areas_and_search(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base)
    page = seen.page
    hostile_cards(page)
    hostile_hits(page)
    page.keyboard.press("Escape")
    for level in ("Bezirk", "Statgebiet"):
        page.get_by_role("radio", name=level, exact=True).check()
        path = page.locator("path.leaflet-interactive").first
        path.focus()
        page.keyboard.press("Enter")
        heading = page.locator(".leaflet-popup h3").last
        expect(heading).to_be_visible()
        assert any(heading.text_content() == name for name in CORPUS)
    page.locator("footer summary").click()
    nothing_ran(page)
    seen.calm()


def test_list_and_pages_of_places(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base, path="/angebote")
    page = seen.page
    held: list[str] = []
    for number in (1, 2):
        page.goto(f"{base}/angebote?seite={number}")
        held += page.locator("tbody th a").all_text_contents()
        nothing_ran(page)
    assert sorted(held) == sorted(CORPUS)
    for number, name in list(enumerate(CORPUS))[::4]:
        page.goto(f"{base}/angebote/{FACILITIES}/h{number}")
        assert page.locator("h1").text_content() == name
        nothing_ran(page)
        assert page.evaluate("[...document.links].every((one) => /^(https?|tel|mailto):$/.test(one.protocol))")
    seen.calm()
