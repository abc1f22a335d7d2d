"""Opens the card of every place of a public map, and tells what stands in it."""

from typing import Any

from browser_wait import until
from hostile_names import CORPUS
from playwright.sync_api import Page, expect

HANDLE = "srkMap.of('map_sozialraumkarte')"
_CARDS = f"""async () => {{
  const handle = {HANDLE};
  const said = [];
  for (const place of handle.facilities.index.places) {{
    if (place.lon === null) continue;
    handle.facilities.show(place);
    const box = handle.opened.getElement();
    for (let wait = 0; wait < 200 && !box.querySelector('dl'); wait += 1) {{
      await new Promise((done) => setTimeout(done, 10));
    }}
    said.push({{
      name: place.name, heading: box.querySelector('h3').textContent, label: box.getAttribute('aria-label'),
      provider: box.textContent.includes('Träger: ' + place.name),
      links: [...box.querySelectorAll('.srk-popup a')].map((one) => one.protocol),
    }});
  }}
  return said;
}}"""


def hostile_cards(page: Page) -> None:
    """Assert that every card of the hostile town says its names as they are, and leads to web pages only."""
    until(page, f"{HANDLE}.facilities && {HANDLE}.facilities.result")
    said: list[dict[str, Any]] = page.evaluate(_CARDS)
    assert sorted(card["name"] for card in said) == sorted(CORPUS)
    for card in said:
        assert card["heading"] == card["label"] == card["name"]
        assert card["provider"], card["name"][:60]
        assert set(card["links"]) <= {"http:", "https:", "tel:"}, card["name"][:60]


def hostile_hits(page: Page) -> None:
    """Assert that names can be searched for, and that what is found stands there as text; a third of them will do."""
    field, options = page.get_by_role("combobox"), page.get_by_role("option")
    for name in CORPUS[::3]:
        if sum(c.isalnum() for c in name) < 3:
            continue
        asked = " ".join(name[:150].split())
        field.fill(asked)
        expect(options.first).to_be_visible()
        assert page.locator("[role=option] > span:first-child").all_text_contents()
        field.fill("")
        expect(options).to_have_count(0)


def nothing_ran(page: Page) -> None:
    """Assert that no name has become an element or a handler."""
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, iframe, video, math, object, body details[ontoggle]").count() == 0
    assert page.evaluate(
        "[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())"
        ".every((name) => !name.startsWith('on'))"
    )
