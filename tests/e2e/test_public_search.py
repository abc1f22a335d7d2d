"""The public map's search and what is near, in a real browser: online and in a file it finds the same."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from axe import violations
from conftest import Database
from playwright.sync_api import Browser, expect
from service_help import settings
from test_public_filters import base, loaded, query_of
from visits import PHONE_FIRST, SIZES, Visit, chromium, visit

from geodata.database import reading
from service.exports.map import static_map

__all__ = ["base", "chromium", "visit"]  # fixtures

pytestmark = pytest.mark.e2e

WIDE, NARROW = SIZES


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
def test_search_by_keyboard_and_by_touch(base: str, visit: Callable[..., Visit], size: tuple[int, int]) -> None:
    seen = visit(base, size)
    page = loaded(seen.page)
    field = page.get_by_role("combobox")
    field.fill("billst")
    options = page.get_by_role("option")
    expect(options.first).to_contain_text("Billstedt")
    assert violations(page) == []
    if size == WIDE:
        page.keyboard.press("ArrowDown")
        expect(options.first).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
    else:
        options.first.tap()
    expect(options).to_have_count(0)
    expect(field).to_have_value("Billstedt")
    assert page.evaluate("srkMap.of('map_sozialraumkarte').map.getZoom()") > 12
    # A place opens its card, and its address opens it again.
    field.fill("Jugendcafé Altona")
    place = page.get_by_role("option", name="Beispiel-Jugendcafé Altona").first
    place.tap() if size == NARROW else place.click()
    expect(page.locator(".leaflet-popup h3")).to_contain_text("Beispiel-Jugendcafé Altona")
    shared = page.url.removeprefix(base)
    assert "place=facilities.okja" in shared
    again = visit(base, size, path=shared)
    expect(again.page.locator(".leaflet-popup h3")).to_contain_text("Beispiel-Jugendcafé Altona")
    field.fill("gibt es nirgends")
    expect(page.get_by_text("Nichts gefunden")).to_be_visible()
    seen.calm()
    again.calm()


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
def test_a_street_lists_what_is_near(base: str, visit: Callable[..., Visit], size: tuple[int, int]) -> None:
    seen = visit(base, size, path="/?age=12")
    page = loaded(seen.page)
    page.get_by_role("combobox").fill("Beispiel-Ahornweg 4")
    option = page.get_by_role("option").first
    expect(option).to_contain_text("Beispiel-Ahornweg 4")
    option.tap() if size == NARROW else option.click()
    near = page.locator("#naehe")
    expect(near.get_by_role("heading")).to_have_text("In der Nähe: Beispiel-Ahornweg 4")
    expect(near.locator("li")).to_have_count(10)
    expect(near.locator(".srk-minutes").first).to_contain_text("Minute")
    shared = parse_qs(query_of(page))
    assert shared["near_name"] == ["Beispiel-Ahornweg 4"]
    assert shared["age"] == ["12"]
    names = near.locator("li span:nth-child(2)").all_inner_texts()
    again = visit(base, size, path="/?" + query_of(page))
    expect(again.page.locator("#naehe li")).to_have_count(10)
    assert again.page.locator("#naehe li span:nth-child(2)").all_inner_texts() == names
    page.go_back()
    expect(near).to_be_hidden()
    seen.calm()


@pytest.mark.parametrize("size", PHONE_FIRST, ids=lambda s: str(s[0]))
def test_near_me_only_on_a_click(base: str, visit: Callable[..., Visit], size: tuple[int, int]) -> None:
    seen = visit(
        base, size, geolocation={"longitude": 10.0, "latitude": 53.55}, permissions=["geolocation"], path="/?age=12"
    )
    page = loaded(seen.page)
    near = page.locator("#naehe")
    expect(near).to_be_hidden()
    page.get_by_role("button", name="In meiner Nähe").click()
    entries = near.locator("li")
    expect(entries).to_have_count(10)
    minutes = [int(text.split()[0]) for text in near.locator(".srk-minutes").all_inner_texts()]
    assert minutes == sorted(minutes)
    # Straight line times 1.3 at 4.8 km/h, rounded up; by the list's own points.
    rows = page.request.get(f"{base}/angebote?format=json&age=12").json()["rows"]
    first = next(row for row in rows if row["name"] == entries.first.locator("span").first.inner_text())
    metres = page.evaluate(
        f"srkMap.of('map_sozialraumkarte').map.distance([53.55, 10.0], [{first['lat']}, {first['lon']}])"
    )
    assert abs(minutes[0] - metres * 1.3 / 80) <= 1
    # Nothing about where somebody is reaches the service, nor the address that is kept, shared and sent.
    assert parse_qs(query_of(page)) == {"age": ["12"]}
    assert not any("53.55" in url for url in seen.asked)
    assert violations(page) == []
    entries.first.get_by_role("button").click()
    expect(page.locator(".leaflet-popup h3")).to_have_text(first["name"])
    # On a phone the card takes the list's room; closed, it gives it back.
    expect(near).to_be_visible(visible=size == WIDE)
    page.keyboard.press("Escape")
    expect(near).to_be_visible()
    # What was chosen before is a step back; the own position is none.
    page.go_back()
    expect(page.locator(".leaflet-popup h3")).to_have_text(first["name"])
    page.keyboard.press("Escape")
    expect(near).to_be_visible()
    near.get_by_role("button", name="schließen").click()
    expect(near).to_be_hidden()
    assert not {"near", "lat", "lon", "zoom"} & set(parse_qs(query_of(page)))
    page.get_by_role("button", name="In meiner Nähe").click()
    expect(entries).to_have_count(10)
    english = page.get_by_role("link", name="English")
    assert "53.5" not in (english.get_attribute("href") or "")
    english.click()
    expect(loaded(page).locator("html")).to_have_attribute("lang", "en")
    expect(near).to_be_hidden()
    page.reload()
    expect(loaded(page).locator("#naehe")).to_be_hidden()
    assert [url for url in (*seen.asked, page.url) if "53.55" in url or "near=" in url] == []
    # The view of another place that was searched for may be told.
    page.get_by_role("combobox").fill("Beispiel-Ahornweg 4")
    page.get_by_role("option").first.click()
    expect(near).to_be_visible()
    assert parse_qs(query_of(page))["near_name"] == ["Beispiel-Ahornweg 4"]
    seen.calm()


def test_signs_alone_are_no_search(base: str, visit: Callable[..., Visit]) -> None:
    seen = visit(base)
    page = loaded(seen.page)
    field = page.get_by_role("combobox")
    for text in ("A.", "!!", "- -"):
        field.fill(text)
        expect(page.get_by_text("Bitte mindestens zwei Buchstaben oder Ziffern eingeben.")).to_be_visible()
        field.press("Enter")
        field.fill("")
        expect(page.get_by_text("Bitte mindestens zwei")).to_have_count(0)
    assert not any("/search" in url for url in seen.asked)
    seen.calm()


def test_online_and_in_a_file_a_text_finds_the_same(
    base: str, chromium: Browser, demo_database: Database, tmp_path: Path
) -> None:
    with reading(demo_database.serving) as session:
        (tmp_path / "karte.html").write_bytes(static_map(session, settings(), "de").as_file())
    offline = Visit(chromium, f"file://{tmp_path}", WIDE)
    online = Visit(chromium, base, WIDE)
    offline.page.goto((tmp_path / "karte.html").as_uri())
    online.page.goto(f"{base}/angebote")
    name = online.page.locator("tbody th").first.inner_text()
    asked = [name, name.upper().replace(" ", "-"), "beispiel jugendcafe altona", "Beispiel-Jugendcafé St.Pauli",
             "Beispiel-Ahornweg 4", "Beispiel-Ahornw", "beispielahornweg 4", "Ahorn weg 4", "Haus d. Jugend Billst",
             "Jugendtreff Altona 22767", "kahorn", "gibt es nirgends", "%", "a.b", "Beispielplatz 37"]  # fmt: skip
    hits = 0
    for text in asked:
        listed = online.page.evaluate(
            "async (q) => (await (await fetch('/api/v1/facilities?limit=1000&q=' + encodeURIComponent(q))).json()).rows"
            ".map((row) => row.facility_id).sort()",
            text,
        )
        found = offline.page.evaluate(
            "(q) => srkMap.answer('suche/' + encodeURIComponent(q)).rows.filter((row) => row.kind === 'place')"
            ".map((row) => row.facility_id).sort()",
            text,
        )
        assert set(found) <= set(listed), text
        assert len(found) == len(listed) or len(found) >= 6, text  # the file lists eight of all that is found
        hits += len(found)
    assert hits >= 10
    streets = ["Beispiel-Ahornweg 4", "Beispiel-Ahornweg 999", "Beispiel-Ahornweg 4, 20095 Hamburg",
               "20095 Beispiel-Ahornweg 4", "Beispiel-Ahornweg Hamburg"]  # fmt: skip
    for text in streets:
        found = offline.page.evaluate(
            "(q) => srkMap.answer('suche/' + encodeURIComponent(q)).rows.filter((row) => row.kind === 'street')"
            ".map((row) => row.title)",
            text,
        )
        assert "Beispiel-Ahornweg" in found, text
    for one in (offline, online):
        one.context.close()
