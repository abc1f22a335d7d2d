"""The pages around the public map: a map narrowed to an area, the guide for embedding, and the way to sign in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from address_help import address, load_list
from conftest import Database
from hand_rows import FACILITIES, rows_in
from pydantic import ValidationError
from service_help import client_of, sign_in
from sqlalchemy import text
from starlette.testclient import TestClient
from test_pages_frame import HOSTILE, PAGE, Outline

from geodata.database import reading
from geodata.viewer import Role, Viewer
from service.exports.map import static_map
from service.settings import Settings

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


def test_the_guide_keeps_and_names_what_narrows_the_map(client: TestClient) -> None:
    path = f"/einbetten/anleitung?area={AREA}&q=Ort"
    page = outline(client, path)
    hidden = {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}
    assert hidden == {"area": AREA, "q": "Ort"}
    assert "Nur im Gebiet stadtteil 12." in page.text
    assert "Nur mit „Ort“." in page.text
    (frame,) = Outline(snippet(client, path)).all("iframe")
    assert parse_qs(urlsplit(frame["src"] or "").query) == {"area": [AREA], "q": ["Ort"]}
    # The map's form leads to the list of the same places, without scripts too.
    form = outline(client, f"/?area={AREA}&q=Ort")
    hidden = {one["name"]: one["value"] for one in form.all("input") if one.get("type") == "hidden"}
    assert hidden == {"area": AREA, "q": "Ort"}


def test_the_frame_names_the_public_address(town: Database) -> None:
    behind = client_of(town.serving, public_url="https://karte.example.org/sozial")
    (frame,) = Outline(snippet(behind, "/einbetten/anleitung")).all("iframe")
    assert frame["src"] == "https://karte.example.org/sozial/einbetten"
    with pytest.raises(ValidationError, match="keine Adresse"):
        Settings(public_url='https://x.example/"><script>')


def test_the_map_says_how_many_there_are_before_any_script(client: TestClient) -> None:
    assert "6 Orte für Kinder, Jugendliche und Familien." in outline(client, "/").text
    narrowed = client.get(f"/?area={AREA}", headers=PAGE).text
    there = len(client.get(f"/angebote?area={AREA}&format=json").json()["rows"])
    assert 0 < there < 6
    assert f"{there} von 6 Orten passen zur Auswahl." in narrowed
    assert f'<span class="anzahl">{there}</span>' in narrowed
    assert "Kein Ort passt zur Auswahl." in outline(client, "/?category=-").text


def test_addresses_name_their_source_where_they_are_searched(
    new_database: Callable[[], Database], tmp_path: Path
) -> None:
    made = new_database()
    with rows_in(made.writing) as rows:
        rows.city()
    load_list(made.writing, tmp_path, [address("Musterweg", "1", 100, 100)])
    with made.writing.begin() as connection:
        connection.execute(
            text("""
                UPDATE import_run SET title = 'Adressliste', attribution = 'LGV', licence = 'dl-de/by'
                WHERE dataset_id = (SELECT id FROM dataset WHERE kind = 'addresses')
            """)
        )
    with client_of(made.serving) as client:
        for path, there in (("/", True), ("/einbetten", False)):
            page = client.get(path, headers=PAGE).text
            assert ("LGV (dl-de/by)" in page) == there, path
        assert "Adressliste, LGV" in outline(client, "/").text
    with reading(made.serving) as session:
        page = static_map(session, Settings(), "de").as_file().decode()
    assert "Adressliste, LGV" in page
    assert "Musterweg" in page


def test_an_embedded_map_sends_no_cookie(client: TestClient) -> None:
    assert len([one for one in outline(client, "/einbetten").tags if "data-anonymous" in one[1]]) == 1
    assert not [one for one in outline(client, "/").tags if "data-anonymous" in one[1]]


@pytest.mark.parametrize("target", [
    "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/\tx", "/a\nb", "javascript:alert(1)",
    "/%0d%0a\r\n", "/ä",
])  # fmt: skip
def test_signing_in_leads_nowhere_else(client: TestClient, target: str) -> None:
    code = client.app.state.srk.sessions.offer(Viewer(Role.PLANNER))  # type: ignore[attr-defined]
    answer = client.get("/anmelden", params={"code": code, "next": target}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_signing_in_leads_back_to_the_page_that_refused(client: TestClient) -> None:
    refused = client.get("/planung/bedarf?category=okja&age_from=6", headers=PAGE)
    assert refused.status_code == 403
    (link,) = [a["href"] or "" for a in Outline(refused.text).all("a") if (a["href"] or "").startswith("/anmelden?")]
    form = outline(client, link)
    hidden = {one["name"]: one["value"] or "" for one in form.all("input") if one.get("type") == "hidden"}
    assert hidden == {"next": "/planung/bedarf?category=okja&age_from=6"}
    code = client.app.state.srk.sessions.offer(Viewer(Role.PLANNER))  # type: ignore[attr-defined]
    answer = client.get("/anmelden", params={"code": code, **hidden}, follow_redirects=False)
    assert answer.headers["location"] == hidden["next"]


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
