"""What the tests of uploads share: a signed-in administrator's browser without JavaScript, and the monthly list."""

import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from conftest import Database
from importer_help import lonlat, write_xlsx
from service_help import settings, sign_in
from starlette.testclient import TestClient

from geodata.database import make_engine
from geodata.viewer import Role, Viewer
from service.app import create_app

ADMIN = Viewer(Role.ADMIN)
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
PAGE = {"accept": "text/html,application/xhtml+xml", "accept-encoding": "identity"}
FORM, CHECK = "/planung/daten/hochladen", "/planung/daten/pruefung"
COLUMNS = ["id", "name", "street", "house_number", "postcode", "city", "lon", "lat", "type", "opening_hours"]
ROWS = 412


def app_over(database: Database, *, may_write: bool = True, **given: Any) -> Any:
    """The service over a database, with the right to write or without."""

    class Opened:
        def __enter__(self) -> Any:
            self.engine = make_engine(database.writing_url, pool_size=2)
            return self.engine

        def __exit__(self, *_error: object) -> None:
            self.engine.dispose()

    return create_app(settings(**given), database.serving, Opened if may_write else None)


def browser(app: Any, viewer: Viewer | None = ADMIN) -> TestClient:
    """A browser of its own; several may look at one service."""
    client = TestClient(app, raise_server_exceptions=False, headers=PAGE)
    if viewer is not None:
        sign_in(client, viewer)
    return client


class Page(HTMLParser):
    """A page as somebody without JavaScript meets it: its text, links and forms."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.text = ""
        self.forms: list[dict[str, Any]] = []
        self.links: list[str] = []
        self._inside: list[str] = []
        self.feed(source)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert not [name for name in given if name.startswith("on") or name == "style"], (tag, given)
        if tag in {"script", "style"}:
            self._inside.append(tag)
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if tag == "form":
            self.forms.append({"action": given.get("action"), "method": given.get("method"), "fields": {}})
        if tag == "input" and self.forms and given.get("name") and given.get("type") not in {"checkbox", "file"}:
            self.forms[-1]["fields"][given["name"]] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()
        self.text += " " if tag not in {"a", "span", "small", "strong"} else ""

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.text += data

    def form(self, ending: str) -> dict[str, Any]:
        found = [form for form in self.forms if str(form["action"]).endswith(ending)]
        assert found, (ending, self.text)
        assert all(form == found[0] for form in found), "a button above a long table and the one below are the same"
        return found[0]


def page(client: TestClient, path: str, status: int = 200) -> Page:
    answer = client.get(path)
    assert answer.status_code == status, (answer.status_code, answer.text[:2000])
    return Page(answer.text)


def press(client: TestClient, shown: Page, ending: str, **more: str) -> Any:
    """Send a form of a page, as a click on its button does."""
    form = shown.form(ending)
    assert form["method"] == "post"
    return client.post(form["action"], data=form["fields"] | more, follow_redirects=False)


def upload(client: TestClient, file: Path, kind: str = "facilities", /, **fields: str) -> Any:
    """Fill the form and send it with a file."""
    shown = page(client, f"{FORM}?art={kind}")
    return send(client, shown, file.read_bytes(), file.name, **fields)


def send(client: TestClient, shown: Page, content: bytes, filename: str, /, **fields: str) -> Any:
    given = shown.form("/hochladen")["fields"] | fields
    return client.post(FORM, data=given, files={"datei": (filename, content)}, follow_redirects=False)


def settled(client: TestClient) -> Page:
    """Wait as the page itself does until the file is no longer at work on."""
    until = time.monotonic() + 60
    while True:
        answer = client.get(CHECK)
        assert answer.status_code == 200, answer.text[:2000]
        assert "refresh" not in answer.headers, "a page that begins anew takes the focus away"
        if "data-stand" not in answer.text:
            return Page(answer.text)
        assert time.monotonic() < until, answer.text
        time.sleep(0.02)


def monthly_list(shift: float = 0.0, *, first: int = 1, last: int = ROWS) -> Iterator[list[Any]]:
    """The rows of the department's list, header first.

    Row 7 is the 6th place and so on: the header is row 1. Umlauts are broken in the opening hours, the places
    100 and 200 have neither coordinates nor address, place 300 is in Pinneberg.
    """
    yield COLUMNS
    for number in range(first, last + 1):
        x, y = 40 + (number % 40) * 95 + shift, 40 + (number // 40) * 160
        lon, lat = lonlat(x, y)
        row = [f"m{number:03}", f"Jugendtreff Nr. {number}", f"Übungsweg {number}", str(number % 90 + 1), "20095",
               "Hamburg", lon, lat, "Haus der Jugend", "täglich für alle".encode().decode("cp1252")]  # fmt: skip
        if number in {100, 200}:
            row[2:8] = [None] * 6
        if number == 300:
            row[5:8] = ["Pinneberg", 9.796, 53.659]
        yield row


def write_monthly(folder: Path, rows: Iterator[list[Any]] | None = None, name: str = "Liste März.xlsx") -> Path:
    return write_xlsx(folder / name, list(rows or monthly_list()))
