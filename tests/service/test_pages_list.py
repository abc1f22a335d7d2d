"""The list of places and the page of one: the same filter as the map and the API, and whatever is in a name is text."""

import json
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from conftest import Database
from hand_rows import FACILITIES, rows_in
from hostile_names import CORPUS
from service_help import client_of, csv_rows, workbook
from starlette.testclient import TestClient

from geodata.viewer import Role, Viewer

PAGE = {"accept": "text/html"}


class Shown(HTMLParser):
    """Links, cells by row, tags and all text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.handlers: list[str] = []
        self._in_cell = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        self.handlers += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database]) -> Database:
    made = new_database()
    with rows_in(made.writing) as rows:
        rows.city()
        version = rows.version(FACILITIES, "facilities")
        for number in range(120):
            key = f"o{number:03}"
            at = (100 + 30 * number, 300)
            rows.place(version, key, at, name=f"Ort {number:03}", provider=f"Träger {number % 7}")
            rows.offer(
                version, key, key, "public", category="okja" if number % 2 else "famfoe", type=f"Art, {number % 3}",
                age_from=number % 20, age_to=None if number % 5 else number % 20 + 6,
            )  # fmt: skip
        rows.house(version, "still", (800, 300), "area_only")
        rows.house(version, "heim", (900, 300), "protected")
        for number, name in enumerate(CORPUS):
            rows.place(version, f"h/{number} ä?#", (1500, 500), name=name, provider=name, website=name)
            rows.offer(version, f"h/{number} ä?#", f"h{number}", "public", name=name, type=name, opening_hours=name)
        rows.link()
    return made


@pytest.fixture
def client(town: Database) -> Iterator[TestClient]:
    with client_of(town.serving) as made:
        yield made


def shown(client: TestClient, path: str) -> Shown:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return Shown(answer.text)


def test_pages_in_order_hold_every_place_once(client: TestClient) -> None:
    total = len(client.get("/angebote?format=json").json()["rows"])
    assert total == 120 + 1 + len(CORPUS)
    for sort in ("name", "-name", "provider", "-area", "category", "address", "barrier_free"):
        names: list[str] = []
        number = 1
        while True:
            page = shown(client, f"/angebote?sort={sort}&seite={number}")
            names += [row[0] for row in page.rows[1:]]
            if not any(f"seite={number + 1}" in link for link in page.links):
                break
            number += 1
        assert len(names) == total, sort
        ours = [name for name in names if name.startswith("Ort ")]
        assert len(set(ours)) == 120
        if sort.endswith("name"):
            assert ours == sorted(ours, reverse=sort.startswith("-"))


@pytest.mark.parametrize(
    "query",
    ["", "age=12", "category=okja&age=3", "type=Art%2C+1", "type=Art%2C+1&type=Art%2C+2&category=famfoe", "q=Ort+01",
     "area=stadtteil:12", "barrier_free=yes", "category=-", "category=okja&category=famfoe"],
)  # fmt: skip
def test_files_hold_exactly_what_is_listed(client: TestClient, query: str) -> None:
    rows = client.get(f"/angebote?{query}&format=json").json()["rows"]
    keys = {(row["dataset"], row["facility_id"]) for row in rows}
    page = shown(client, f"/angebote?{query}&seite=1")
    assert f"{len(rows)} " in page.text or not rows
    files = [link for link in page.links if "format=" in link]
    assert len(files) == 3
    for link in files:
        answer = client.get(link)
        assert answer.status_code == 200
        if "csv" in link:
            assert {(r["dataset"], r["facility_id"]) for r in csv_rows(answer.content)} == keys
        elif "geojson" in link:
            assert len(answer.json()["features"]) == len(keys)
        else:
            assert workbook(answer.content)["Daten"].max_row == 1 + sum(len(row["offers"]) for row in rows)
    if "area" not in query and "category=-" not in query and "type" not in query:
        api = client.get(f"/api/v1/facilities?limit=1000&{query.replace('&category=', ',')}").json()["rows"]
        assert {(row["dataset"], row["facility_id"]) for row in api} == keys


def test_hostile_names_are_text_in_list_and_page(client: TestClient) -> None:
    rows = client.get("/angebote?format=json&area=stadtteil:12").json()["rows"]
    held = [row for row in rows if row["facility_id"].startswith("h/")]
    assert len(held) == len(CORPUS)
    listed = shown(client, "/angebote?area=stadtteil:12&sort=name")
    pages = [listed, shown(client, "/angebote?area=stadtteil:12&seite=2")]
    text = "".join(page.text for page in pages)
    for row in held:
        assert row["name"] in text
        path = f"/angebote/{row['dataset']}/{quote(row['facility_id'])}"
        assert any(path in page.links for page in pages), path
        one = shown(client, path)
        pages.append(one)
        assert row["name"] in one.text
        assert not any(link.startswith(("javascript:", "data:")) for link in one.links)
    for page in pages:
        assert page.tags.isdisjoint({"img", "iframe"})
        assert page.handlers == []
        # The only scripts would be ours; pages of the list have none.
        assert "script" not in page.tags


def test_a_place_tells_what_the_viewer_may_know(town: Database, client: TestClient) -> None:
    quiet = shown(client, f"/angebote/{FACILITIES}/still")
    assert "Für diesen Ort wird kein Standort gezeigt." in quiet.text
    assert "Geheimweg" not in quiet.text
    hidden = client.get(f"/angebote/{FACILITIES}/heim", headers=PAGE)
    assert hidden.status_code == 404
    assert "nicht freigegeben" in hidden.text
    # The page of the office shows no more: it is the Veröffentlichungsfassung.
    planner = client_of(town.serving, Viewer(Role.ADMIN))
    assert planner.get(f"/angebote/{FACILITIES}/heim", headers=PAGE).status_code == 404
    open_place = shown(client, f"/angebote/{FACILITIES}/o001")
    assert "Geheimweg 7, 20095 Hamburg" in open_place.text
    assert any("place=facilities.hand" in link for link in open_place.links)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("age=x", "age"), ("age=-1", "age"), ("category=quatsch", "category"), ("barrier_free=vielleicht", "barrier_free"),
     ("area=stadtteil", "area"), ("area=nirgends:1", "area"), ("sort=quatsch", "sort"), ("seite=0", "seite"),
     ("format=docx", "format"), ("q=" + "x" * 300, "q"), ("type=a%00b", "type")],
)  # fmt: skip
def test_bad_parameters_are_said_in_a_sentence(client: TestClient, query: str, parameter: str) -> None:
    told = client.get(f"/angebote?{query}", headers={"accept": "application/json"})
    assert told.status_code == 400, told.text
    assert told.json()["parameter"] == parameter
    page = client.get(f"/angebote?{query}", headers=PAGE)
    assert page.status_code == 400
    assert page.headers["content-type"].startswith("text/html")
    if parameter not in {"sort", "seite", "format"}:
        assert client.get(f"/?{query}", headers=PAGE).status_code == 400


def test_the_map_knows_the_same_places(client: TestClient) -> None:
    held = client.get("/karte/orte.json")
    data: dict[str, Any] = held.json()
    rows = client.get("/angebote?format=json").json()["rows"]
    assert sorted(data["id"]) == sorted(row["facility_id"] for row in rows)
    at = data["id"].index("still")
    assert (data["lon"][at], data["lat"][at]) == (None, None)
    assert "heim" not in data["id"]
    assert json.dumps(data)
    again = client.get("/karte/orte.json", headers={"if-none-match": held.headers["etag"]})
    assert again.status_code == 304
    # A 304 renews the headers of what the browser holds: it must not bring another policy.
    page = client.get("/", headers=PAGE)
    unchanged = client.get("/", headers={**PAGE, "if-none-match": page.headers["etag"]})
    assert unchanged.status_code == 304
    assert "content-security-policy" not in unchanged.headers
