"""Every page of the service in the real Chromium: accessible, calm, under a strict policy, whole on a phone, enlarged.

Each group of pages is one test, which names all faults of all its pages at once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe import violations
from conftest import Database
from pages import WAITING, Eyes, ServicePage, planning_pages, public_pages, upload_pages, waiting_file
from playwright.sync_api import Browser, Page
from visits import SIZES, Visit, chromium, running

from geodata.database import Access, make_engine, reading

__all__ = ["chromium"]  # a fixture

pytestmark = pytest.mark.e2e

WIDE, NARROW = SIZES
# What remains of 1280 pixels at 200 %.
ENLARGED = (640, 400)
TABS = 25
GROUPS = {"öffentlich": public_pages, "planung": planning_pages, "daten": lambda _session: upload_pages()}

# Texts that nobody can read: beyond the edge of the window, or cut by a box that does not scroll.
CUT_OFF = """() => {
  const scrolls = (one) => ['auto', 'scroll'].includes(getComputedStyle(one).overflowX);
  const found = [];
  for (const one of document.body.querySelectorAll('*')) {
    if (one.closest('svg, .nurton, .skip, .leaflet-pane, details:not([open]), .swagger-ui')) continue;
    // A table may scroll sideways in its own frame; nothing else may.
    if (scrolls(one) && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 2
        && !one.matches('.tabelle, .nurton, .swagger-ui *, pre, textarea, input, select'))
      found.push(`quer zu rollen: ${one.tagName} ${one.className} ${one.scrollWidth} statt ${one.clientWidth}`);
    const own = [...one.childNodes].filter((node) => node.nodeType === 3);
    const text = own.map((node) => node.data.trim()).join(' ').trim();
    if (!text || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const box = one.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    let scrolling = false;
    for (let above = one; above && above !== document.body; above = above.parentElement) scrolling ||= scrolls(above);
    if (scrolling) continue;
    if (box.right > innerWidth + 1 || box.left < -1) found.push(`am Rand: ${text.slice(0, 60)}`);
    else if (getComputedStyle(one).overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1
             && getComputedStyle(one).display !== 'inline' && !['SELECT', 'OPTION', 'TEXTAREA'].includes(one.tagName))
      found.push(`abgeschnitten: ${text.slice(0, 60)}`);
  }
  return found;
}"""

# The focused element, and whether anything says that it has the focus: on it, or on what closely surrounds it.
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const said = `${one.tagName.toLowerCase()}#${one.id} ${(one.textContent || one.name || '').trim().slice(0, 40)}`;
  const marked = (el) => { const s = getComputedStyle(el);
    return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none'; };
  let seen = marked(one);
  for (let above = one.parentElement, n = 0; !seen && above && n < 2; above = above.parentElement, n += 1)
    seen = above.matches(':focus-within') && marked(above) && above !== document.body;
  const box = one.getBoundingClientRect();
  // An area gets a line around it, drawn above all others.
  const around = (other) => { const its = other.getBoundingClientRect();
    return Math.abs(its.left - box.left) < 8 && Math.abs(its.bottom - box.bottom) < 8; };
  seen ||= one instanceof SVGElement && [...document.querySelectorAll('.srk-highlight path')].some(around);
  if (!seen && one instanceof SVGElement) {
    const look = () => getComputedStyle(one).strokeWidth + getComputedStyle(one).stroke;
    const focused = look();
    one.blur();
    seen = focused !== look();
    one.focus();
  }
  // Inside a date's field the browser marks the part that has the focus.
  seen ||= one.type === 'date';
  let clipped = false;
  for (let above = one.parentElement; above; above = above.parentElement)
    clipped ||= getComputedStyle(above).clipPath !== 'none';
  const there = !clipped && box.width > 0 && box.height > 0 && box.right > 0 && box.left < innerWidth && box.bottom > 0
    && box.top < innerHeight;
  return { said, seen, there };
}"""


@pytest.fixture(scope="module")
def served(demo_database: Database) -> Iterator[tuple[str, Any]]:
    class Opened:
        def __enter__(self) -> Any:
            self.engine = make_engine(demo_database.writing_url, pool_size=2)
            return self.engine

        def __exit__(self, *_error: object) -> None:
            self.engine.dispose()

    with running(demo_database.serving, writing=Opened) as made:
        yield made


class Walk:
    """One browser for a group of pages, signed in as each page needs it."""

    def __init__(self, browser: Browser, served: tuple[str, Any], size: tuple[int, int], **options: Any) -> None:
        self.base, self.app = served
        self._make = lambda: Visit(browser, self.base, size, **options)
        self._visits: dict[Eyes, Visit] = {}
        self.faults: list[str] = []

    def visit(self, eyes: Eyes) -> Visit:
        if eyes not in self._visits:
            made = self._visits[eyes] = self._make()
            made.page.add_init_script(
                "addEventListener('securitypolicyviolation', (event) => console.error("
                "`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));"
            )
            if eyes is not Eyes.PUBLIC:
                made.page.goto(f"{self.base}/anmelden?code={self.app.state.srk.sessions.offer(eyes.value)}")
        return self._visits[eyes]

    def open(self, listed: ServicePage) -> Page:
        """Open a page until nothing moves any more; note a wrong status, a complaint, a strange request, its policy."""
        went = self.visit(listed.eyes)
        went.errors.clear()
        went.asked.clear()
        answer = went.page.goto(self.base + listed.path, wait_until="networkidle")
        assert answer
        self.expect(listed, answer.status == listed.status, f"Status {answer.status}")
        sent = answer.headers.get("content-security-policy")
        self.expect(listed, bool(sent), f"keine Content-Security-Policy: {answer.status} {answer.headers}")
        policy = {part.split()[0]: part.split()[1:] for part in (sent or "default-src *").split(";")}
        scripts = policy.get("script-src", policy["default-src"])
        self.expect(
            listed, not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(scripts), f"{policy}"
        )
        if not listed.own_styles:
            styles = policy.get("style-src", policy["default-src"])
            self.expect(listed, "'unsafe-inline'" not in styles, f"style-src {styles}")
        return went.page

    def calm(self, listed: ServicePage) -> None:
        """Note what the page complained about since it was opened, and what it asked others for."""
        went = self.visit(listed.eyes)
        refused = f"status of {listed.status} "
        said = [one for one in went.errors if listed.status == 200 or refused not in one]
        self.expect(listed, not said, f"Konsole: {said}")
        strange = [url for url in went.asked if not url.startswith((self.base + "/", "data:", "about:"))]
        self.expect(listed, not strange, f"fragt andere: {strange}")

    def expect(self, listed: ServicePage, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(f"{listed.name}: {fault}")

    def whole(self, listed: ServicePage, page: Page, width: int) -> None:
        """Note what is wider than the window or cut off."""
        wide = page.evaluate("document.documentElement.scrollWidth")
        self.expect(listed, wide <= width, f"{wide} statt {width} Pixel breit")
        cut = page.evaluate(CUT_OFF)
        self.expect(listed, not cut, f"bei {width}: {cut[:5]}")

    def close(self) -> None:
        for one in self._visits.values():
            one.context.close()


def pages_of(database: Database, group: str) -> list[ServicePage]:
    with reading(database.serving, Access(Eyes.PLANNER.value)) as session:
        return GROUPS[group](session)


def upload(page: Page, base: str, folder: Path) -> None:
    """Send a file that then waits for being confirmed."""
    path = folder / "monatsliste.csv"
    path.write_text(waiting_file(), encoding="utf-8")
    page.goto(f"{base}/planung/daten/hochladen?art=facilities")
    page.get_by_label("Datei", exact=True).set_input_files(path)
    page.get_by_label("Kategorie").select_option("okja")
    page.get_by_label("Bestand", exact=True).fill(WAITING)
    page.get_by_role("button", name="Hochladen und prüfen").click()
    page.get_by_role("heading", level=1, name="Prüfbericht").wait_for(timeout=60_000)


def no_violations(walk: Walk, listed: ServicePage, page: Page, width: int) -> None:
    # What is folded away is part of the page.
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    if not listed.own_styles:
        found = violations(page)
        walk.expect(listed, not found, f"axe bei {width}: {found}")


def tab_through(walk: Walk, listed: ServicePage, page: Page) -> None:
    """Go through the page by Tab; each stop must show that it has the focus, and be in the window."""
    # From the top, wherever the walk before has ended.
    page.evaluate("""() => {
      document.body.tabIndex = -1;
      document.body.focus();
      document.body.removeAttribute('tabindex');
      scrollTo(0, 0);
    }""")
    stops = 0
    for _step in range(TABS):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None:
            break
        stops += 1
        walk.expect(listed, at["seen"], f"Fokus unsichtbar: {at['said']}")
        walk.expect(listed, at["there"], f"Fokus nicht im Fenster: {at['said']}")
    walk.expect(listed, stops > 3, f"nur {stops} Stellen mit Tab erreichbar")


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
@pytest.mark.parametrize("turn", [0, pytest.param(1, marks=pytest.mark.long)])
def test_every_page(
    chromium: Browser, served: tuple[str, Any], demo_database: Database, size: tuple[int, int], group: str,
    turn: int, tmp_path: Path,
) -> None:  # fmt: skip
    """Each page at one of the widths, in turn; the long form looks at it at the other one too."""
    walk = Walk(chromium, served, size)
    for listed in pages_of(demo_database, group)[(SIZES.index(size) + turn) % 2 :: 2]:
        if listed.waiting:
            upload(walk.visit(listed.eyes).page, walk.base, tmp_path)
        page = walk.open(listed)
        page.locator("h1").first.wait_for(state="attached")  # the API's page is made by a script, after all is loaded
        walk.expect(listed, page.locator("h1").count() == 1, "nicht genau eine Überschrift")
        walk.whole(listed, page, size[0])
        if size == WIDE:
            if not listed.own_styles:
                tab_through(walk, listed, page)
            page.set_viewport_size({"width": ENLARGED[0], "height": ENLARGED[1]})
            walk.whole(listed, page, ENLARGED[0])
            if turn and listed.tables and not listed.own_styles:
                # Tables may stand otherwise here, with other things out of sight.
                tab_through(walk, listed, page)
            page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        elif listed.tables and not listed.own_styles:
            tab_through(walk, listed, page)
        walk.calm(listed)
        no_violations(walk, listed, page, size[0])
    walk.close()
    assert walk.faults == []


@pytest.mark.parametrize("group", ["öffentlich", pytest.param("planung", marks=pytest.mark.long)])
def test_without_javascript(chromium: Browser, served: tuple[str, Any], demo_database: Database, group: str) -> None:
    walk = Walk(chromium, served, NARROW, java_script_enabled=False)
    for listed in pages_of(demo_database, group):
        page = walk.open(listed)
        walk.expect(listed, page.locator("h1").first.is_visible() or listed.name == "schnittstelle", "ohne Überschrift")
        if listed.tables:
            rows = page.locator("table tbody tr:visible")
            walk.expect(listed, rows.count() > 0 and bool(rows.first.inner_text().strip()), "ohne Tabelle")
        went = walk.visit(listed.eyes)
        walk.expect(listed, all(url.startswith(walk.base + "/") for url in went.asked), f"fragt andere: {went.asked}")
    walk.close()
    assert walk.faults == []
