"""The public map with 5,000 facilities in the real browser: weight over the wire and time to a drawn map."""

import os
import shutil
import statistics
import time

from playwright.sync_api import sync_playwright

from bench.ground import fresh, line, serving
from bench.imports import home_area, load_facilities

PLACES = 5_000
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def run() -> None:
    """Measure and print."""
    with fresh() as bench:
        home_area(bench)
        load_facilities(bench, PLACES)
        with serving(bench) as url:
            measure(f"{url}/")


def measure(url: str) -> None:
    """Open the page several times in fresh contexts and print weight and time."""
    chromium = os.environ.get("SRK_CHROMIUM") or shutil.which("chromium")
    times, weights = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        for _ in range(6):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            weight = [0.0]
            session.on(
                "Network.loadingFinished", lambda event, w=weight: w.__setitem__(0, w[0] + event["encodedDataLength"])
            )
            started = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.wait_for_selector(".leaflet-marker-icon", timeout=30_000)
            page.wait_for_selector("path.leaflet-interactive", timeout=30_000)
            times.append(time.perf_counter() - started)
            page.wait_for_timeout(500)
            weights.append(weight[0])
            context.close()
        browser.close()
    line("Karte mit 5 000 Einrichtungen: gezeichnet nach (erster Aufruf)", f"{times[0]:.2f} s", "Ziel 2,0 s")
    line("  Median der folgenden (Server warm, Browser kalt)", f"{statistics.median(times[1:]):.2f} s")
    line("Gewicht der Seite, komprimiert, alles", f"{statistics.median(weights) / 1000:.0f} kB", "Ziel 400 kB")
