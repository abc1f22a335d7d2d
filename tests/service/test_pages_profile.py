"""The profile of an area and the Vergleichsgebiete over HTTP: the questions' figures, text that stays text, the PDF."""

import io
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pypdf
import pytest
from conftest import TODAY, Database
from hand_rows import FACILITIES, rows_in, square
from hostile_names import CORPUS
from service_help import client_of, rows_of, workbook
from sqlalchemy import text
from starlette.testclient import TestClient
from test_pages_list import Shown

from geodata.database import reading
from geodata.profile import ProfileRequest, profile
from geodata.viewer import Role, Viewer
from service.pages import area_profile

PAGE = {"accept": "text/html"}
STADTTEIL = "/gebiete/stadtteil/02101"
SIMILAR = "/planung/vergleichsgebiete"


@pytest.fixture(scope="module")
def client(demo_database: Database) -> Iterator[TestClient]:
    with client_of(demo_database.serving) as made:
        yield made


@pytest.fixture(scope="module")
def planner(demo_database: Database) -> Iterator[TestClient]:
    with client_of(demo_database.serving, Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))) as made:
        yield made


def shown(client: TestClient, path: str) -> Shown:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 200, answer.text[:500]
    return Shown(answer.text)


@pytest.mark.parametrize("path", [STADTTEIL, "/gebiete/bezirk/1", "/gebiete/land/02", "/gebiete/sozialraum/S101",
                                  "/gebiete/statgebiet/02101001"])  # fmt: skip
def test_a_profile_for_every_level(client: TestClient, demo_database: Database, path: str) -> None:
    page = shown(client, path)
    _, _, level, key = path.split("/")
    with reading(demo_database.serving) as session:
        made = profile(session, ProfileRequest(level, key, TODAY))
    for part, sentences in made.said.items():
        for one in sentences:
            assert one.german() in page.text, part
    assert all(f"/gebiete/{one.level}/{one.key}" in page.links for one in made.above)
    assert all(f"/gebiete/{one.area.level}/{one.area.key}" in page.links for one in made.peers)
    assert all(f"/gebiete/{area.level}/{area.key}" in page.links for one in made.inside for area in one.areas)
    assert page.handlers == []
    answer = client.get(path, headers=PAGE)
    policy = answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "<style>" in answer.text, "only the map's own, hashed"
    assert not re.search(r"<svg[^>]*style=|<(?:path|text|rect|line|g)[^>]*style=", answer.text)
    ids = re.findall(r'\sid="([^"]+)"', answer.text)
    assert len(ids) == len(set(ids))


def test_every_file_can_be_taken_along(client: TestClient) -> None:
    page = shown(client, STADTTEIL)
    files = [link for link in page.links if "format=" in link]
    assert len(files) == 3
    for link in files:
        answer = client.get(link)
        assert answer.status_code == 200, (link, answer.text[:300])
        assert "facilities" not in link or "limit=100000" in link, "not cut at the usual thousand"
        if "xlsx" in link:
            assert workbook(answer.content)["Daten"].max_row > 1


def test_the_workbook_holds_the_tables_of_the_page(client: TestClient, demo_database: Database) -> None:
    page = shown(client, STADTTEIL)
    assert f"{STADTTEIL}.xlsx" in page.links
    answer = client.get(f"{STADTTEIL}.xlsx")
    assert 'filename="gebietsprofil-stadtteil-02101.xlsx"' in answer.headers["content-disposition"]
    book = workbook(answer.content)
    assert book.sheetnames == [
        "Einrichtungen", "Einwohner nach Alter", "Einwohner im Verlauf", "Versorgung im Vergleich",
        "Vergleichsgebiete", "Erläuterungen",
    ]  # fmt: skip
    with reading(demo_database.serving) as session:
        made = profile(session, ProfileRequest("stadtteil", "02101", TODAY))
    trend = list(book["Einwohner im Verlauf"].iter_rows(min_row=3, values_only=True))
    assert len(trend) == len(made.residents.periods), "the series, not its last period"
    compared = list(book["Versorgung im Vergleich"].iter_rows(min_row=3, values_only=True))
    assert [row[2] for row in compared] == pytest.approx([one.here.reach_share for one in made.compared])
    heads = [cell.value for cell in book["Versorgung im Vergleich"][2]]
    assert "Kapazität je 1.000: Hamburg" in heads
    assert heads[-1] == "Einrichtungen ohne Angabe: Hamburg-Altstadt"
    assert [row[-1] for row in compared] == [one.here.without_supply for one in made.compared]
    notes = {row[0]: row[1] for row in book["Erläuterungen"].iter_rows(values_only=True)}
    assert notes["Methode"] == made.meta.method


@pytest.mark.parametrize("kind", ["pdf", "xlsx"])
def test_a_file_of_a_profile_takes_no_parameters(client: TestClient, kind: str) -> None:
    answer = client.get(f"{STADTTEIL}.{kind}?x=1")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "x"


def test_only_some_pdfs_are_made_at_a_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(area_profile, "_TURNS", threading.BoundedSemaphore(1))
    monkeypatch.setattr(area_profile, "_LONGEST_WAIT_S", 0.01)
    held: list[int] = []

    def made(*_given: object) -> bytes:
        held.append(client.app.state.srk.engine.pool.checkedout())  # type: ignore[attr-defined]
        refused = client.get("/gebiete/bezirk/2.pdf")
        assert refused.status_code == 503
        assert "schon mehrere PDF-Dateien" in refused.json()["detail"]
        return b"%PDF-"

    monkeypatch.setattr("service.exports.profile_pdf.profile_pdf", made)
    assert client.get("/gebiete/bezirk/3.pdf").content == b"%PDF-"
    assert held == [0], "no connection is held while pages are set"


def test_its_links_lead_to_list_and_map_of_the_area(client: TestClient) -> None:
    page = shown(client, STADTTEIL)
    lists = [link for link in page.links if unquote(link).startswith("/angebote?area=stadtteil:02101")]
    assert lists
    listed = client.get(f"{lists[0]}&format=json").json()["rows"]
    assert len(listed) == rows_of(client, "/areas/stadtteil/02101")[0]["facilities"]
    assert any(unquote(link) == "/?area=stadtteil:02101" for link in page.links)
    places = client.get(f"{STADTTEIL}/orte.json").json()
    assert sorted(places["id"]) == sorted(row["facility_id"] for row in listed)


def test_the_profile_as_pdf(client: TestClient) -> None:
    answer = client.get("/gebiete/bezirk/1.pdf")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert 'filename="gebietsprofil-bezirk-1.pdf"' in answer.headers["content-disposition"]
    pdf = pypdf.PdfReader(io.BytesIO(answer.content))
    assert pdf.root_object["/MarkInfo"]["/Marked"]
    assert pdf.root_object["/Lang"] == "de"
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Gebietsprofil Bezirk Hamburg-Mitte"
    said = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pdf.pages))
    page = shown(client, "/gebiete/bezirk/1")
    opening = re.sub(r"\s+", " ", page.text[page.text.index("In Hamburg-Mitte leben") :][:60])
    assert opening in said.replace("\N{NO-BREAK SPACE}", " ")
    for part in ("Veröffentlichungsfassung", "Beispieldaten", "Quelle", "CC0-1.0", "Offene Kinder- und Jugendarbeit"):
        assert part in said
    for number, one in enumerate(pdf.pages, start=1):
        assert f"Seite {number} von {len(pdf.pages)}" in one.extract_text()
    figures = [one for one in _elements(pdf) if one["/S"] == "/Figure"]
    assert len(figures) == 4
    assert all(str(one["/Alt"]) for one in figures)
    again = client.get("/gebiete/bezirk/1.pdf", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def _elements(pdf: pypdf.PdfReader) -> Iterator[Any]:
    waiting = [pdf.root_object["/StructTreeRoot"]]
    while waiting:
        one = waiting.pop().get_object()
        if isinstance(one, pypdf.generic.DictionaryObject):
            if "/S" in one:
                yield one
            kids = one.get("/K", [])
            waiting += list(kids) if isinstance(kids, list) else [kids]


def test_in_english(client: TestClient) -> None:
    page = shown(client, f"{STADTTEIL}?lang=en")
    for german in ("Einrichtungen", "Wer hier lebt", "erreichen", "Vergleichsgebiete", "Entwicklung", "leben"):
        assert german not in page.text.split("Notes, sources")[0], german
    assert "280 children and young people under 18 live in Hamburg-Altstadt" in page.text
    files = (".pdf", ".xlsx")
    kept = [link for link in page.links if link.startswith(("/gebiete/", "/angebote")) and not link.endswith(files)]
    assert [link for link in kept if "lang=en" not in link] == [STADTTEIL], "only the switch back to German"


@pytest.mark.parametrize(("path", "status"), [
    ("/gebiete/stadtteil/99999", 404), ("/gebiete/mond/1", 400), ("/gebiete/stadtteil/99999.pdf", 404),
    ("/gebiete/mond/1.pdf", 400), ("/gebiete/mond/1/orte.json", 400), ("/gebiete/stadtteil/%3Cscript%3E", 404),
    ("/gebiete/stadtteil", 404),
])  # fmt: skip
def test_unknown_areas_are_said_in_a_sentence(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>" not in answer.text
    assert "Traceback" not in answer.text


def test_areas_without_map_have_a_profile(examples_database: Database) -> None:
    with reading(examples_database.serving) as session:
        found = session.execute(
            text("SELECT DISTINCT ON (level) level, key FROM area_visible ORDER BY level, key")
        ).all()
    with client_of(examples_database.serving) as client:
        for level, key in found:
            page = shown(client, f"/gebiete/{level}/{key}")
            assert "Für dieses Gebiet gibt es keine Karte" in page.text
            assert page.text.count("gibt, ist nicht bekannt: Seine Grenze ist nicht geladen.") == 2
            assert "Einrichtungen in" not in page.text, "no table that would say 0"
            assert "keine Einrichtung" not in page.text
            answer = client.get(f"/gebiete/{level}/{key}.pdf")
            assert answer.status_code == 200
            pdf = pypdf.PdfReader(io.BytesIO(answer.content))
            said = re.sub(r"\s+", " ", " ".join(one.extract_text() for one in pdf.pages))
            assert said.count("ist nicht bekannt: Seine Grenze ist nicht geladen.") == 2
            assert "Einrichtungen" not in workbook(client.get(f"/gebiete/{level}/{key}.xlsx").content).sheetnames
            listed = shown(client, f"/angebote?area={level}:{key}").text
            assert "gibt, ist nicht bekannt: Seine Grenze ist nicht geladen." in listed


def test_hostile_names_are_text(new_database: Callable[[], Database]) -> None:
    made = new_database()
    with rows_in(made.writing) as rows:
        rows.city()
        version = rows.version("areas.fremd", "areas")
        rows.level("fremd", "bezirk")
        facilities = rows.version(FACILITIES, "facilities")
        for number, name in enumerate(CORPUS):
            rows.area(version, "fremd", f"f{number}", square(100 * number, 0, 100 * number + 100, 500), ("bezirk", "1"))
            rows.session.execute(
                text("UPDATE area SET name = :name WHERE level = 'fremd' AND key = :key"),
                {"name": name, "key": f"f{number}"},
            )
            rows.place(facilities, f"h{number}", (100 * number + 50, 250), name=name, provider=name)
            rows.offer(facilities, f"h{number}", f"h{number}", "public", name=name, type=name)
        rows.link()
    with client_of(made.serving) as client:
        above = shown(client, "/gebiete/bezirk/1")
        for number, name in enumerate(CORPUS):
            page = shown(client, f"/gebiete/fremd/f{number}")
            for one in (page, above):
                assert name in one.text
                assert one.tags.isdisjoint({"img", "iframe", "object"})
                assert one.handlers == []
                assert not any(link.startswith(("javascript:", "data:")) for link in one.links)
        pdf = pypdf.PdfReader(io.BytesIO(client.get("/gebiete/fremd/f0.pdf").content))
        assert CORPUS[0] in "".join("".join(page.extract_text().split()) for page in pdf.pages)


def test_similar_areas_on_the_planning_desk(planner: TestClient) -> None:
    page = shown(planner, f"{SIMILAR}?level=stadtteil&key=02101&limit=3")
    rows = rows_of(planner, "/areas/stadtteil/02101/similar", limit=3)
    assert f"Hamburg-Altstadt ähnelt am meisten {rows[0]['area_name']}" in page.text
    listed = [row[0] for row in page.rows if row and row[0] in {one["area_name"] for one in rows}]
    assert listed == [one["area_name"] for one in rows]
    assert all(f"/gebiete/stadtteil/{one['area_key']}" in page.links for one in rows)
    files = [link for link in page.links if link.startswith("/api/v1/areas/stadtteil/02101/similar")]
    assert len(files) == 4
    for link in files:
        assert planner.get(link).status_code == 200
    weighed = (
        f"{SIMILAR}?level=stadtteil&key=02101&indicator=sgb2_u14_proz*2&indicator=alleinerziehende_proz&indicator="
    )
    other = shown(planner, weighed)
    api = rows_of(planner, "/areas/stadtteil/02101/similar", indicators="sgb2_u14_proz*2,alleinerziehende_proz")
    assert f"am meisten {api[0]['area_name']}" in other.text
    picture = planner.get(f"{SIMILAR}/karte.svg?level=stadtteil&key=02101")
    assert picture.status_code == 200
    assert picture.content.startswith(b"<?xml")


def test_similar_areas_are_for_planners_and_say_what_is_wrong(planner: TestClient, client: TestClient) -> None:
    assert client.get(SIMILAR, headers=PAGE).status_code == 403
    assert "Bitte ein Gebiet wählen" in shown(planner, SIMILAR).text
    assert "Bitte ein Gebiet wählen" in shown(planner, f"{SIMILAR}?level=bezirk&key=02101").text
    for query, parameter in (("level=mond", "level"), ("limit=0", "limit"), ("quatsch=1", "quatsch"),
                             ("level=stadtteil&key=02101&indicator=gibtesnicht", "indicators")):  # fmt: skip
        answer = planner.get(f"{SIMILAR}?{query}", headers={"accept": "application/json"})
        assert answer.status_code == 400, query
        assert answer.json()["parameter"] == parameter
    assert planner.get(f"{SIMILAR}/karte.svg", headers={"accept": "application/json"}).status_code == 400
