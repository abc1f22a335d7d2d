"""The pages around the public map: a map narrowed to an area, the guide for embedding, and the way to sign in."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Database
from hand_rows import FACILITIES, rows_in
from service_help import client_of, sign_in
from starlette.testclient import TestClient
from test_pages_frame import HOSTILE, PAGE, Outline

from geodata.viewer import Role, Viewer

AREA = "stadtteil:12"


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database]) -> Database:
    made = new_database()
    with rows_in(made.writing) as rows:
        rows.city()
        version = rows.version(FACILITIES, "facilities")
        for number in range(6):
            key = f"o{number}"
            rows.place(version, key, (100 + 300 * number, 300), name=f"Ort {number}", provider="Träger")
            rows.offer(version, key, key, "public", category="okja", type="Treff")
        rows.link()
    return made


@pytest.fixture
def client(town: Database) -> Iterator[TestClient]:
    with client_of(town.serving) as made:
        yield made


def outline(client: TestClient, path: str) -> Outline:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return Outline(answer.text)


@pytest.mark.parametrize("query", [f"area={AREA}", "q=Ort+3", f"area={AREA}&q=Ort", "area=stadtteil:ohne"])
def test_a_narrowed_map_holds_what_the_list_holds(client: TestClient, query: str) -> None:
    listed = client.get(f"/angebote?{query}&format=json").json()["rows"]
    held = client.get(f"/karte/orte.json?{query}").json()
    assert sorted(held["id"]) == sorted(row["facility_id"] for row in listed)
    assert len(listed) < 6
    page = client.get(f"/?{query}", headers=PAGE)
    assert page.status_code == 200
    # The map asks for those places, keeps the parameters, and says what it leaves out.
    assert '"url": "/karte/orte.json?' in page.text
    assert '"total": 6' in page.text
    assert "Nur " in Outline(page.text).text
    assert '"kept"' not in client.get("/", headers=PAGE).text


def test_list_and_map_name_the_area(client: TestClient) -> None:
    name = client.get("/api/v1/areas/stadtteil/12").json()["rows"][0]["area_name"]
    for path in ("/", "/angebote"):
        assert f"Nur im Gebiet {name}." in outline(client, f"{path}?area={AREA}").text
        assert f"Only in the area {name}." in outline(client, f"{path}?area={AREA}&lang=en").text
        assert "Nur Orte, die in keinem Gebiet liegen." in outline(client, f"{path}?area=stadtteil:ohne").text
    links = [a["href"] for a in outline(client, f"/angebote?area={AREA}").all("a")]
    assert "/gebiete/stadtteil/12" in links
    assert f"/?area={AREA.replace(':', '%3A')}" in links


def test_the_guide_writes_a_frame_for_the_choices(client: TestClient) -> None:
    path = "/einbetten/anleitung?category=okja,hze&age=12&type=Haus,%20alt&map_lang=en&height=480"
    (frame,) = Outline(snippet(client, path)).all("iframe")
    asked = urlsplit(frame["src"] or "")
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == "http://testserver/einbetten"
    assert parse_qs(asked.query) == {
        "category": ["okja,hze"], "age": ["12"], "type": ["Haus, alt"], "lang": ["en"],
    }  # fmt: skip
    assert frame["height"] == "480"
    assert frame["title"] == "Sozialraumkarte"
    assert client.get(f"{asked.path}?{asked.query}").status_code == 200
    assert client.get(path, headers=PAGE).headers["cache-control"] == "no-store"


def snippet(client: TestClient, path: str) -> str:
    """The text of the field to copy from: what a person would paste."""
    texts: list[str] = []
    inside = False

    class Field(Outline):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            nonlocal inside
            inside = tag == "textarea"
            super().handle_starttag(tag, attrs)

        def handle_endtag(self, tag: str) -> None:
            nonlocal inside
            inside = inside and tag != "textarea"

        def handle_data(self, data: str) -> None:
            if inside:
                texts.append(data)

    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 200, answer.text
    Field(answer.text)
    return "".join(texts)


def test_a_hostile_choice_stays_an_address(client: TestClient) -> None:
    pasted = Outline(snippet(client, "/einbetten/anleitung?type=" + HOSTILE.replace("&", "%26").replace("#", "%23")))
    assert [tag for tag, _ in pasted.tags] == ["iframe"]
    assert not pasted.all("img")


def test_the_guide_says_who_may_embed(town: Database) -> None:
    only = outline(client_of(town.serving, embed_origins=("https://www.example.org",)), "/einbetten/anleitung")
    assert "https://www.example.org" in only.text
    none = outline(client_of(town.serving, embed_origins=()), "/einbetten/anleitung")
    assert "nicht in andere Seiten einbetten" in none.text
    assert not none.all("textarea")


@pytest.mark.parametrize("query", ["height=10", "height=x", "map_lang=fr", "category=quatsch"])
def test_bad_choices_are_said(client: TestClient, query: str) -> None:
    answer = client.get(f"/einbetten/anleitung?{query}", headers=PAGE)
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.text


def test_links_of_an_embedded_map_leave_the_frame(client: TestClient) -> None:
    page = outline(client, "/einbetten")
    assert page.all("base") == [{"target": "_blank"}]
    assert not page.all("nav")


def test_signing_in_has_a_page(client: TestClient) -> None:
    page = outline(client, "/anmelden")
    assert "Anmelden" in page.text
    assert [one["name"] for one in page.all("input")] == ["code"]
    wrong = client.get("/anmelden?code=falsch", headers=PAGE)
    assert wrong.status_code == 403
    assert any(a.get("href") == "/anmelden" for a in Outline(wrong.text).all("a"))
    sign_in(client, Viewer(Role.PLANNER))
    signed = outline(client, "/anmelden")
    assert "Sie sind angemeldet." in signed.text
    assert not signed.all("input")
    assert not any(a.get("href") == "/anmelden" for a in signed.all("a"))
