"""The pages in the real browser, 5,000 facilities and 942 areas: weight, time, memory; plain Folium beside them."""

import contextlib
import csv
import os
import re
import shutil
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from pyproj import Transformer

from bench.folium_page import folium_page, serving_bytes
from bench.ground import CLI, Bench, facilities_csv, fresh, line, timed
from geodata.database import make_engine, reading, writing
from geodata.facilities import FacilitiesRequest, place_counts
from geodata.surface_cells import read_areas
from service.context import today
from service.demo import load_demo

PLACES, AREAS = 5_000, 942
RUNS = 5
SIZE = {"width": 1280, "height": 800}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_VIEWS = {
    "Kennzahlen": "/planung/kennzahlen?indicator=population&level=statgebiet&position=total",
    "Versorgung": "/planung/versorgung?level=statgebiet",
    "Erreichbarkeit": "/planung/erreichbarkeit?level=statgebiet",
    "Bestand und Bedarf": "/planung/bedarf?level=statgebiet",
}
_LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/anmelden\?code=(\S+)")

# Looks once a frame; what is drawn counts when the frame after it has begun.
_WATCH = """
(() => {
  const look = () => {
    if (!window.srkBenchDrawn && document.readyState !== 'loading' && (%s))
      requestAnimationFrame(() => { window.srkBenchDrawn = performance.now(); });
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
_OURS = (
    "document.querySelector('.srk-marker, .srk-cluster') && document.querySelector('path.leaflet-interactive') && "
    "srkMap.of('map_sozialraumkarte').facilities.result"
)
_SWITCH = """async (category) => {
  const box = document.querySelector(`input[name="category"][value="${category}"]`);
  const layer = srkMap.of('map_sozialraumkarte').facilities;
  const before = layer.result.found.length;
  const started = performance.now();
  box.click();
  while (layer.result.found.length === before) await new Promise((done) => setTimeout(done, 0));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - started;
}"""
_SHAPES = "path, .leaflet-marker-icon"
_NUMBERS = "document.addEventListener('srk:choropleth', (event) => { window.srkBenchAreas = event.detail.areas; });"


def run() -> None:
    """Measure and print."""
    with fresh() as bench:
        load(bench)
        with served(bench) as (url, code), sync_playwright() as playwright:
            chromium = os.environ.get("SRK_CHROMIUM") or shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
            ours = public_map(browser, url)
            areas = switching(browser, url)
            for circles in (False, True):
                body, shapes = folium_page(url, circles=circles)
                with serving_bytes(body) as plain:
                    theirs = measured(browser, plain, f"document.querySelectorAll('{_SHAPES}').length >= {shapes}", 3)
                compared(ours, theirs, areas, "Kreise" if circles else "übliche Zeichen")
            choropleth(browser, url, code)
            browser.close()


def load(bench: Bench) -> None:
    """Load the demo city and as many more places as make 5,000."""
    engine = make_engine(bench.writing_url)
    try:
        load_demo(engine, lambda _line: None)
        with writing(engine) as session:
            city = shapely.union_all(np.array(list(read_areas(session)["bezirk"].shapes), dtype=object))
        with reading(engine) as session:
            there = place_counts(session, FacilitiesRequest(today())).places
    finally:
        engine.dispose()
    source = bench.folder / "einrichtungen.csv"
    more_places(source, city, PLACES - there)
    command = [CLI, "import", "facilities", str(source), "--category", "okja", "--dataset", "facilities.messung"]
    timed(command, env=bench.environment())


def more_places(path: Path, city: shapely.Geometry, count: int) -> None:
    """Write that many generated places inside a city (EPSG:25832)."""
    rng = np.random.default_rng(21)
    west, south, east, north = city.bounds
    shapely.prepare(city)
    points = np.empty((0, 2))
    while len(points) < count:
        more = rng.uniform((west, south), (east, north), (count * 4, 2))
        points = np.concatenate([points, more[shapely.contains_xy(city, more)]])
    points = points[:count]
    lon, lat = Transformer.from_crs(25832, 4326, always_xy=True).transform(*points.T)
    facilities_csv(path, count, (0.0, 0.0, 1.0, 1.0))
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter=";"))
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), delimiter=";")
        writer.writeheader()
        for row, x, y in zip(rows, lon.tolist(), lat.tolist(), strict=True):
            writer.writerow(row | {"lon": f"{x:.7f}", "lat": f"{y:.7f}"})


@contextlib.contextmanager
def served(bench: Bench) -> Iterator[tuple[str, str]]:
    """Run the real service; yield its address and a one-time code of a planner."""
    environment = {**bench.environment(), "SRK_LOG_LEVEL": "error"}
    command = [CLI, "serve", "--port", str(free_port())]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        found = next(filter(None, map(_LINK.search, process.stderr or ())))
        url, code = found.groups()
        for _ in range(200):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/ready"):
                break
            time.sleep(0.1)
        yield url, code
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """Return a free port of loopback."""
    import socket  # noqa: PLC0415 - only here

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Measured:
    """What visits of one address took: milliseconds cold and warm, bytes over the wire, bytes of the heap."""

    def __init__(self) -> None:
        self.first = 0.0
        self.cold: list[float] = []
        self.warm: list[float] = []
        self.weight: list[float] = []
        self.heap: list[float] = []


def measured(browser: Browser, url: str, drawn: str, runs: int = RUNS) -> Measured:
    """Open an address in fresh contexts, and again in the same ones."""
    made = Measured()
    for number in range(runs + 1):
        with visiting(browser, drawn) as (page, session, weight):
            page.goto(url, wait_until="commit")
            took = drawn_after(page)
            page.wait_for_timeout(500)
            if number == 0:
                made.first = took
            else:
                made.cold.append(took)
                made.weight.append(weight[0])
            made.heap.append(heap(session))
            page.goto(url, wait_until="commit")
            made.warm.append(drawn_after(page))
    return made


@contextlib.contextmanager
def visiting(browser: Browser, drawn: str) -> Iterator[tuple[Page, CDPSession, list[float]]]:
    """Yield a page that notes when it is drawn, its debugger, and the bytes that have come over the wire."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    page.add_init_script(_WATCH % drawn)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    weight = [0.0]
    session.on("Network.loadingFinished", lambda event: weight.__setitem__(0, weight[0] + event["encodedDataLength"]))
    yield page, session, weight
    context.close()


def drawn_after(page: Page) -> float:
    """Return when the page was drawn, in milliseconds after its navigation began."""
    for _ in range(6_000):
        with contextlib.suppress(Exception):  # between two documents there is nothing to ask
            if found := page.evaluate("window.srkBenchDrawn || 0"):
                return float(found)
        page.wait_for_timeout(10)
    raise RuntimeError("nothing drawn within a minute")


def heap(session: CDPSession) -> float:
    """Return what the page's scripts hold after a collection, in bytes."""
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    found = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in found if one["name"] == "JSHeapUsedSize"))


def public_map(browser: Browser, url: str) -> Measured:
    """Measure the public map: first call, cold, warm, weight."""
    made = measured(browser, f"{url}/", _OURS)
    median = statistics.median
    line("Karte, 5 000 Einrichtungen: erster Aufruf überhaupt", f"{made.first / 1000:.2f} s", "Ziel 2,0 s")
    line("  Browser kalt, Dienst warm (Median)", f"{median(made.cold) / 1000:.2f} s", "Ziel 2,0 s")
    line("  Browser warm (Median)", f"{median(made.warm) / 1000:.2f} s", "Ziel 0,7 s")
    line("  Gewicht mit allem, komprimiert", f"{median(made.weight) / 1000:.0f} kB", "Ziel 500 kB")
    return made


def switching(browser: Browser, url: str) -> float:
    """Switch categories off and on, with all places and the 942 areas on the map; return what these areas weigh."""
    with visiting(browser, _OURS) as (page, session, weight):
        page.goto(f"{url}/", wait_until="commit")
        drawn_after(page)
        before = weight[0]
        page.locator("input[type=radio][value=statgebiet]").check()
        while page.locator("path.leaflet-interactive").count() < AREAS:
            page.wait_for_timeout(20)
        page.wait_for_timeout(500)
        times = [page.evaluate(_SWITCH, category) for category in ("okja", "okja", "kita", "kita", "sha", "sha") * 3]
        line("Kategorie umschalten, 942 Gebiete gezeigt (Median, Höchstwert)",
             f"{statistics.median(times):.0f} ms, {max(times):.0f} ms", "Ziel 100 ms")  # fmt: skip
        added = weight[0] - before
        line("  die 942 Gebiete dazu, komprimiert", f"{added / 1000:.0f} kB")
        line("  Speicher der Skripte danach", f"{heap(session) / 1e6:.0f} MB", "Ziel 200 MB")
    return added


def compared(ours: Measured, theirs: Measured, areas: float, kind: str) -> None:
    """Set plain Folium beside ours; its Leaflet comes from the same place, its other libraries are not counted.

    ``areas``: what our 942 areas weigh when they are switched on; Folium's page has them in it.
    """
    median = statistics.median
    weight, time = median(theirs.weight), median(theirs.cold)
    line(f"Dasselbe mit bloßem Folium, {kind}, alles in der Seite: kalt", f"{time / 1000:.2f} s",
         f"Verhältnis {median(ours.cold) / time:.2f}, Ziel 0,25")  # fmt: skip
    line("  Browser warm", f"{median(theirs.warm) / 1000:.2f} s",
         f"Verhältnis {median(ours.warm) / median(theirs.warm):.2f}")  # fmt: skip
    line("  Gewicht, komprimiert", f"{weight / 1000:.0f} kB",
         f"Verhältnis {(median(ours.weight) + areas) / weight:.2f}, Ziel 0,25")  # fmt: skip
    line("  Speicher der Skripte", f"{median(theirs.heap) / 1e6:.0f} MB",
         f"unserer {median(ours.heap) / 1e6:.0f} MB")  # fmt: skip


def choropleth(browser: Browser, url: str, code: str) -> None:
    """Measure maps of numbers of 942 areas with their tables: each number of classes is an answer of its own."""
    with visiting(browser, "window.srkBenchAreas") as (page, _session, _weight):
        page.add_init_script(_NUMBERS)
        page.goto(f"{url}/anmelden?code={code}")
        for title, path in _VIEWS.items():
            times = [_area_map(page, f"{url}{path}&classes={classes}") for classes in (5, 3, 4, 6, 7, 8)]
            size = page.evaluate("performance.getEntriesByType('navigation')[0].encodedBodySize")
            again = [_area_map(page, f"{url}{path}&classes=8") for _ in range(RUNS)]
            line(f"{title}, 942 Gebiete mit Tabelle: erster Aufruf", f"{times[0] / 1000:.2f} s")
            line("  mit anderen Angaben (Median)", f"{statistics.median(times[1:]) / 1000:.2f} s", "Ziel 1,0 s")
            line("  noch einmal dasselbe (Median)", f"{statistics.median(again) / 1000:.2f} s", "Ziel 1,0 s")
            line("  Gewicht der Seite ohne ihre Dateien", f"{size / 1000:.0f} kB")


def _area_map(page: Page, address: str) -> float:
    page.goto(address, wait_until="commit")
    took = drawn_after(page)
    drawn = page.evaluate("window.srkBenchAreas")
    assert drawn == AREAS, drawn
    page.wait_for_timeout(300)
    return took
