"""Hostile names taken in by the real importers: text on every page of the planning desk, in pictures and in files."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from conftest import Database
from hostile_names import CORPUS
from pages import Eyes
from service_help import client_of, csv_rows, workbook
from starlette.testclient import TestClient

from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.kinds.placements import PlacementsImport, import_placements
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.load import Counting, Footnotes, Limit, Rules
from importers.sources import open_source

# What no name may keep, because neither a page nor a picture can hold it, and what an importer makes of it.
CONTROL = {"\x01\x1b[31mrot": "[31mrot", "Zeile\r=1+1": "Zeile\r=1+1", "\ufffeU\uffff": "U"}
# Areas have shorter names than places.
NAMES = [name for name in CORPUS if len(name) <= 300]
ELEMENTS = {"iframe", "object", "embed", "video", "math", "base", "marquee"}
DESK = (
    "/planung/kennzahlen?indicator=population&position=0-21",
    "/planung/versorgung?level=bezirk&category=okja",
    "/planung/erreichbarkeit?level=bezirk&category=okja",
    "/planung/bedarf?level=bezirk&category=okja&standard_value=5&measure=supply",
    "/planung/unterbringung?level=bezirk&version=intern",
    "/planung/vergleichsgebiete?level=bezirk&key=001&indicator=population",
)
PICTURED = DESK[:5]


class Parsed(HTMLParser):
    """Text, elements and attributes of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.faults: list[str] = []
        self._inside = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in {"script", "style"} else ""
        given = dict(attrs)
        if tag in ELEMENTS or (tag == "img" and not str(given.get("src")).startswith("/planung/")):
            self.faults.append(tag)
        self.faults += [f"{tag} {name}" for name in given if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction"):
            value = (given.get(name) or "").strip().lower()
            if value.startswith(("javascript:", "data:text", "//")) or "evil.invalid" in value[:20]:
                self.faults.append(f"{tag} {name}={value[:60]}")

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.text += data


def square(number: int) -> dict[str, Any]:
    west, south = 9.9 + 0.01 * (number % 10), 53.5 + 0.01 * (number // 10)
    ring = [[west, south], [west + 0.01, south], [west + 0.01, south + 0.01], [west, south + 0.01], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def write_csv(path: Path, header: list[str], rows: list[list[Any]]) -> Path:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    path.write_bytes(out.getvalue().encode())
    return path


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made, folder = new_database(), tmp_path_factory.mktemp("feindlich")
    names = [*NAMES, *CONTROL]
    notes = Footnotes(CORPUS[1], CORPUS[3], CORPUS[10])
    rules = Rules(max_rejects=Limit.parse("50%", "--max-rejects"))
    features = [
        {"type": "Feature", "properties": {"key": f"{number:03}", "name": name}, "geometry": square(number)}
        for number, name in enumerate(names)
    ]
    areas = folder / "a.geojson"
    areas.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    import_areas(made.writing, open_source(areas), AreasImport("bezirk", footnotes=notes))
    places = [
        [f"h{number}", name, "okja", name[:100], name[:100], name, name, 9.905 + 0.01 * (number % 10),
         53.505 + 0.01 * (number // 10), number % 40, "places"]
        for number, name in enumerate([*CORPUS, *CONTROL])
    ]  # fmt: skip
    header = ["id", "name", "category", "type", "provider", "street", "website", "lon", "lat", "supply", "supply_unit"]
    import_facilities(
        made.writing, open_source(write_csv(folder / "f.csv", header, places)),
        FacilitiesImport("okja", footnotes=notes, rules=rules),
    )  # fmt: skip
    columns = ["area_level", "area_key", "indicator", "position", "period", "value", "flag", "scenario"]
    figures = [["bezirk", f"{number:03}", "population", "0-21", "2024", 100 + number, "", "ist"]
               for number in range(len(names))]  # fmt: skip
    figures += [["bezirk", f"{number:03}", code, code, "2024", number, "", "ist"]
                for code in (CORPUS[0], "{{ 7*7 }}") for number in range(len(names))]  # fmt: skip
    import_statistics(made.writing, open_source(write_csv(folder / "s.csv", columns, figures)), StatisticsImport(
        dataset="statistics.fremd", counting=Counting("stichtag"), footnotes=notes))  # fmt: skip
    placed = ["area_level", "area_key", "period", "paragraph", "provider_state", "cases"]
    cases = [["bezirk", f"{number:03}", "2024-Q4", "34", state, 20 + number]
             for number in range(len(names)) for state in ("Hamburg", "Schleswig-Holstein")]  # fmt: skip
    import_placements(made.writing, open_source(write_csv(folder / "p.csv", placed, cases)),
                      PlacementsImport(footnotes=notes))  # fmt: skip
    return made


@pytest.fixture(scope="module")
def planner(town: Database) -> TestClient:
    return client_of(town.serving, Eyes.PLANNER.value)


def shown_as(name: str) -> str:
    """Return a name as the importers keep it and a page's text gives it back."""
    return CONTROL.get(name, name).strip().replace("\r", "\n")


def plain(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("path", DESK, ids=lambda path: path.split("?")[0].rpartition("/")[2])
def test_the_planning_desk_shows_text(planner: TestClient, path: str) -> None:
    answer = planner.get(path)
    assert answer.status_code == 200, answer.text[:600]
    page = Parsed(answer.text)
    assert page.faults == []
    said = plain(page.text)
    names = [*NAMES, *CONTROL]
    wanted = names[1:2] if "vergleich" in path else names
    assert [name for name in wanted if plain(shown_as(name)) not in said] == []
    assert not set(answer.text) & set(map(chr, [*range(9), 11, 12, *range(14, 32)]))


@pytest.mark.parametrize("path", PICTURED, ids=lambda path: path.split("?")[0].rpartition("/")[2])
def test_pictures_are_text_too(planner: TestClient, path: str) -> None:
    at, _, query = path.partition("?")
    answer = planner.get(f"{at}/karte.svg?{query}")
    assert answer.status_code == 200, answer.text[:400]
    for one in ET.fromstring(answer.text).iter():  # noqa: S314 - our own
        name = one.tag.rpartition("}")[2]
        assert name not in {"script", "foreignObject", "image", "a"}
        assert not [key for key in one.attrib if key.lower().startswith("on")]
    drawn = planner.get(f"{at}/karte.png?{query}")
    assert drawn.status_code == 200
    assert drawn.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("path", ["/areas?level=bezirk", "/coverage?level=bezirk&category=okja", "/facilities"])
def test_files_hold_cells_not_formulas(planner: TestClient, path: str) -> None:
    sign = "&" if "?" in path else "?"
    rows = csv_rows(planner.get(f"/api/v1{path}{sign}limit=1000&format=csv").content)
    assert len(rows) >= len(NAMES)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@", "\t", "\r"))]
    book = workbook(planner.get(f"/api/v1{path}{sign}limit=1000&format=xlsx").content)
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}
    assert not [cell for cell in cells if cell.hyperlink]
    texts = {plain(str(cell.value)) for cell in cells if cell.data_type == "s"}
    assert not {plain(shown_as(name)) for name in NAMES} - texts


def test_the_datasets_page_shows_its_titles_as_text(planner: TestClient) -> None:
    for path in ("/planung/daten", "/planung/daten/bestand/facilities.okja", "/planung/daten/bestand/areas.bezirk"):
        page = Parsed(planner.get(path).text)
        assert page.faults == []
        assert plain(CORPUS[1]) in plain(page.text)
