"""The list of places and the page of one: the same filter as the map and the API, and whatever is in a name is text."""

import json
import re
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
from service.pages.place_table import mail_link, phone_link

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
    total = 120 + 1 + len(CORPUS)
    said = f"{len(rows)} Orte." if not query else f"{len(rows)} von {total} Orten passen zur Auswahl."
    assert (said if rows else "Kein Ort passt zur Auswahl.") in page.text
    # Beside each switch stands how many it would find with all else that is asked for.
    if "category" not in query and rows:
        for code in ("okja", "famfoe"):
            alone = client.get(f"/angebote?{query}&category={code}&format=json").json()["rows"]
            assert _beside(client, query, code) == len(alone), code
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


def _beside(client: TestClient, query: str, category: str) -> int:
    """The number beside a category's switch on the list; the map's page has the same one."""
    numbers = set()
    for path in ("/angebote", "/"):
        page = client.get(f"{path}?{query}", headers=PAGE).text
        found = re.search(rf'name="category" value="{category}".*?class="anzahl">([\d.]+)<', page, re.DOTALL)
        assert found
        numbers.add(int(found[1]))
    (number,) = numbers
    return number


def test_one_place_is_said_in_the_singular(client: TestClient) -> None:
    total = 120 + 1 + len(CORPUS)
    assert f"1 von {total} Orten passt zur Auswahl." in shown(client, "/angebote?q=Ort+017").text
    assert f"1 of {total} places matches the selection." in shown(client, "/angebote?q=Ort+017&lang=en").text
    assert f"1 von {total} Orten passt zur Auswahl." in shown(client, "/?q=Ort+017").text


def test_the_last_of_several_values_counts_for_the_cache_too(client: TestClient) -> None:
    tags, found = [], []
    for query in ("age=12&age=3", "age=3&age=12"):
        answer = client.get(f"/angebote?{query}", headers=PAGE)
        tags.append(answer.headers["etag"])
        found.append(re.search(r"(\d+) von \d+ Orten", answer.text)[1])  # type: ignore[index]
        age = query.rpartition("=")[2]
        rows = client.get(f"/angebote?age={age}&format=json").json()["rows"]
        assert found[-1] == str(len(rows))
    assert tags[0] != tags[1]
    assert found[0] != found[1]


def test_unknown_parameters_make_no_other_page(client: TestClient) -> None:
    for path in ("/", "/angebote", "/angebote?age=12", f"/angebote/{FACILITIES}/o001", "/gebiete/stadtteil/12",
                 "/gebiete/stadtteil/12/orte.json", "/karte/orte.json"):  # fmt: skip
        plain = client.get(path, headers=PAGE)
        more = client.get(f"{path}{'&' if '?' in path else '?'}quatsch=1&lat=53.5", headers=PAGE)
        assert more.headers["etag"] == plain.headers["etag"], path
        assert more.content == plain.content
        assert b"quatsch" not in more.content
        assert (
            client.get(f"{path}{'&' if '?' in path else '?'}lang=en&q=1&area=bezirk:1", headers=PAGE).status_code < 300
        )


@pytest.mark.parametrize(("contact", "href"), [
    ({"phone": "040 123-45"}, "tel:04012345"), ({"phone": "+49 (0)40 123 45"}, "tel:+494012345"),
    ({"phone": "040 / 12 34"}, "tel:0401234"), ({"phone": "javascript:alert(1)"}, None), ({"phone": "110;ext=1"}, None),
    ({"phone": "0401234\n5"}, None), ({"email": "info@jugend.example.org"}, "mailto:info@jugend.example.org"),
    ({"email": "a@b.de?bcc=x@y.de"}, None), ({"email": "a@b.de,c@d.de"}, None), ({"email": "a%0Ab@c.de"}, None),
    ({"email": '"><script>@b.de'}, None), ({"email": "a@b"}, None),
])  # fmt: skip
def test_only_what_is_plainly_an_address_or_number_becomes_a_link(contact: dict[str, str], href: str | None) -> None:
    ((name, value),) = contact.items()
    made = mail_link(value) if name == "email" else phone_link(value)
    assert made == href


def test_house_numbers_and_streets_are_ordered_as_in_a_dictionary(new_database: Callable[[], Database]) -> None:
    made = new_database()
    streets = [("Zeisestraße", "1"), ("am Markt", "3"), ("Bahnweg", "12 Haus 3"), ("Bahnweg", "9"), ("Ärzteweg", "1"),
               ("Bahnweg", "12a"), ("Bahnweg", "7" * 5000), ("Bahnweg", "100")]  # fmt: skip
    with rows_in(made.writing) as rows:
        rows.city()
        version = rows.version(FACILITIES, "facilities")
        for number, (street, house) in enumerate(streets):
            rows.place(version, f"o{number}", (100, 300), street=street, house_number=house, phone="040 / 12 34",
                       email="info@b.example.org")  # fmt: skip
            rows.offer(version, f"o{number}", f"o{number}", paragraphs=["34", "35a"])
        rows.link()
    with client_of(made.serving) as client:
        page = shown(client, "/angebote?sort=address")
        listed = [row[3].partition(",")[0] for row in page.rows[1:]]
        assert [one for one in listed if "7777" not in one] == [
            "am Markt 3", "Ärzteweg 1", "Bahnweg 9", "Bahnweg 12 Haus 3", "Bahnweg 12a", "Bahnweg 100", "Zeisestraße 1",
        ]  # fmt: skip
        place = shown(client, f"/angebote/{FACILITIES}/o0")
        assert {"tel:0401234", "mailto:info@b.example.org"} <= set(place.links)
        assert "§§ 34 und 35a SGB VIII" in place.text
        method = client.get("/api/v1/facilities?area=stadtteil:11&age=1").json()["meta"]["method"]
        assert "im Gebiet stadtteil 11 (Stadtteil)" in method
        assert "im Alter von 1 Jahr (" in method


def test_a_provider_is_told_that_the_own_places_are_there(town: Database) -> None:
    own = "Einrichtungen ohne Freigabe sind nicht enthalten, außer den eigenen."
    provider = client_of(town.serving, Viewer(Role.PROVIDER, provider_key="t1"))
    for client, there in ((provider, True), (client_of(town.serving), False)):
        texts = [shown(client, path).text for path in ("/angebote", "/gebiete/stadtteil/12")]
        texts.append(str(client.get("/angebote?format=json").json()["meta"]["warnings"]))
        for text in texts:
            assert (own in text) == there
            assert text.count("Einrichtungen ohne Freigabe sind nicht enthalten") == 1


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
