"""Takes the pictures of docs/bilder: each page of the demo city, 1280 and 375 pixels wide.

Usage: .venv/bin/python scripts/bilder.py [NAME …]; without names all pages of tests/e2e/pages.py that are pictured.
"""

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests"), str(PROJECT / "tests" / "e2e")]

from pages import WAITING, Eyes, ServicePage, all_pages, waiting_file  # noqa: E402 - found by the line above
from PIL import Image, ImageColor  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from visits import FLAGS, SIZES, running  # noqa: E402

from bench.ground import fresh  # noqa: E402
from geodata.database import Access, make_engine, reading  # noqa: E402
from layers.palette import STYLES  # noqa: E402
from service.demo import load_demo  # noqa: E402

FOLDER = PROJECT / "docs" / "bilder"
# What is below is more of the same table.
HIGHEST = 1800
COLOURS = 256


def main(names: Sequence[str]) -> None:
    """Load the demo city into a throwaway cluster and take its pictures."""
    with fresh() as bench:
        writing, serving = make_engine(bench.writing_url), make_engine(bench.serving_url)
        try:
            load_demo(writing, print)

            class Opened:
                def __enter__(self) -> Any:  # noqa: ANN401 - an engine
                    return writing

                def __exit__(self, *_error: object) -> None:
                    pass

            with running(serving, writing=Opened) as (base, app):
                with reading(serving, Access(Eyes.PLANNER.value)) as session:
                    listed = [
                        page for page in all_pages(session) if page.pictured and (not names or page.name in names)
                    ]
                pictures(base, app.state.srk.sessions.offer, listed, FOLDER)
        finally:
            writing.dispose()
            serving.dispose()


def pictures(base: str, offer: Callable[..., str], listed: Sequence[ServicePage], folder: Path) -> None:
    """Write ``<name>-<width>.png`` of pages of a running service; ``offer`` makes a one-time code for eyes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = os.environ.get("SRK_CHROMIUM") or shutil.which("chromium")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*sandbox, *FLAGS])
        for size in SIZES:
            for eyes in Eyes:
                own = [page for page in listed if page.eyes is eyes]
                if own:
                    _of_one(browser, base, offer(eyes.value) if eyes is not Eyes.PUBLIC else None, own, size, folder)
        browser.close()


def _of_one(
    browser: Browser, base: str, code: str | None, listed: Sequence[ServicePage], size: tuple[int, int], folder: Path
) -> None:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=width < 600,
                                  reduced_motion="reduce")  # fmt: skip
    page = context.new_page()
    if code:
        page.goto(f"{base}/anmelden?code={code}")
    for one in listed:
        if one.waiting:
            _upload(page, base)
        page.set_viewport_size({"width": width, "height": height})
        page.goto(base + one.path, wait_until="networkidle")
        page.wait_for_timeout(600)
        (folder / f"{one.name}-{width}.png").write_bytes(_picture(page, width))
    context.close()


def _picture(page: Page, width: int) -> bytes:
    tall = min(HIGHEST, page.evaluate("document.documentElement.scrollHeight"))
    shot = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": tall})
    drawn = Image.open(io.BytesIO(shot)).convert("RGB")
    # The colours of the symbols, then the commonest: what is small on the page keeps its own colour too.
    common = [colour for _count, colour in sorted(drawn.getcolors(drawn.width * drawn.height) or [], reverse=True)]
    kept = list(dict.fromkeys([*(ImageColor.getrgb(style.colour) for style in STYLES.values()), *common]))[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in kept for part in colour[:3]])
    few = drawn.quantize(palette=palette, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def _upload(page: Page, base: str) -> None:
    """Send a file, so that there is a check to be seen."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "monatsliste.csv"
        path.write_text(waiting_file(), encoding="utf-8")
        page.goto(f"{base}/planung/daten/hochladen?art=facilities")
        page.get_by_label("Datei", exact=True).set_input_files(path)
        page.get_by_label("Kategorie").select_option("okja")
        page.get_by_label("Bestand", exact=True).fill(WAITING)
        page.get_by_role("button", name="Hochladen und prüfen").click()
        page.get_by_role("heading", level=1, name="Prüfbericht").wait_for(timeout=60_000)


if __name__ == "__main__":
    main(sys.argv[1:])
