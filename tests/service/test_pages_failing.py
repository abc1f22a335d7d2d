"""What goes wrong is told to a browser on a page, in its language, whatever it is; and a NUL in a path is no place."""

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Database
from fastapi import APIRouter, Request, Response
from service_help import API, client_of, is_problem
from starlette.testclient import TestClient

from geodata.database import writing
from geodata.datasets import set_notice
from geodata.viewer import Role, Viewer
from service.demo import NOTICE
from service.errors import TEXTS
from service.pages.rendering import SAFE_HEADERS
from service.texts import texts

PAGE = {"accept": "text/html,application/xhtml+xml"}
UNEXPECTED = "Ein unerwarteter Fehler ist aufgetreten; er wurde protokolliert."


@pytest.fixture(scope="module")
def demo(new_database: Any) -> Database:
    made: Database = new_database()
    with writing(made.writing) as session:
        set_notice(session, NOTICE)
    return made


@pytest.fixture
def client(demo: Database) -> Iterator[TestClient]:
    made = client_of(demo.serving)
    router = APIRouter()

    @router.get("/bricht")
    @router.get("/api/v1/bricht")
    @router.get("/planung/bricht")
    def breaks(_request: Request) -> Response:
        raise OSError("Geheimweg 7")

    made.app.include_router(router)  # type: ignore[attr-defined]
    quiet = TestClient(made.app, raise_server_exceptions=False)
    yield quiet
    quiet.close()


@pytest.mark.parametrize("path", ["/bricht", "/planung/bricht"])
def test_an_unexpected_error_is_a_page(client: TestClient, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Interner Fehler</h1>" in answer.text
    assert UNEXPECTED in answer.text
    assert "Geheimweg" not in answer.text
    assert "Traceback" not in answer.text
    assert {name: answer.headers[name] for name in SAFE_HEADERS} == SAFE_HEADERS
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    # Programs read what they always did, and so does a browser where not even that page can be made.
    assert is_problem(client.get(path), 500)["detail"] == UNEXPECTED
    assert is_problem(client.get("/api/v1/bricht", headers=PAGE), 500)["detail"] == UNEXPECTED

    def broken(*_given: Any, **_more: Any) -> Any:
        raise RuntimeError("no template")

    monkeypatch.setattr("service.pages.failing.bare_page", broken)
    assert is_problem(client.get(path, headers=PAGE), 500)["detail"] == UNEXPECTED


def test_an_address_that_cannot_be_one_is_a_page(client: TestClient) -> None:
    for path in ("/planung/daten/bericht/abc", "/planung/daten/bericht/abc.csv"):
        answer = client.get(path, headers=PAGE)
        assert answer.status_code == 404, path
        assert "<h1>Nicht gefunden</h1>" in answer.text
        assert "import_id" not in answer.text
        is_problem(client.get(path), 400, "import_id")


NUL = ("/gebiete/stadtteil/%00", "/gebiete/%00/1", "/gebiete/stadtteil/%00.pdf", "/gebiete/stadtteil/1%00/orte.json",
       "/angebote/x/%00", "/angebote/%00/x", "/%00", "/planung/daten/bestand/%00", "/static/%00/x.js")  # fmt: skip


@pytest.mark.parametrize("path", NUL)
def test_a_nul_in_a_path_is_no_place(demo_database: Database, path: str) -> None:
    client = client_of(demo_database.serving, Viewer(Role.ADMIN))
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 404, answer.text[:1000]
    is_problem(client.get(path), 404)


def test_a_nul_in_a_path_of_the_api(demo_database: Database) -> None:
    client = client_of(demo_database.serving)
    for path in ("/areas/bezirk/%00", "/areas/%00/1", "/facilities/facilities.kita/%00"):
        is_problem(client.get(API + path), 404)


def test_errors_and_signing_in_carry_the_notice_once_it_is_known(client: TestClient) -> None:
    assert NOTICE not in client.get("/nirgends", headers=PAGE).text, "no database is asked for an error"
    assert NOTICE in client.get("/angebote", headers=PAGE).text
    for path, status in (("/nirgends", 404), ("/bricht", 500), ("/anmelden", 200), ("/planung", 403)):
        answer = client.get(path, headers=PAGE)
        assert answer.status_code == status
        assert NOTICE in answer.text, path
    english = client.get("/nirgends?lang=en", headers=PAGE).text
    assert "Sample data – no official figures" in english


def test_errors_in_another_language(client: TestClient) -> None:
    answer = client.get("/nirgends?lang=en", headers=PAGE)
    assert answer.status_code == 404
    assert '<html lang="en">' in answer.text
    assert "<h1>Not found</h1>" in answer.text
    assert "<p>There is no such address here.</p>" in answer.text
    assert "To the map" in answer.text
    # What only German says is marked as German.
    asked = client.get("/gebiete/stadtteil/mond?lang=en", headers=PAGE)
    assert asked.status_code in {400, 404}
    assert '<p lang="de">' in asked.text
    # The planning desk is German, and an unknown language is.
    assert '<html lang="de">' in client.get("/planung/bricht?lang=en", headers=PAGE).text
    assert '<html lang="de">' in client.get("/nirgends?lang=xx", headers=PAGE).text
    assert is_problem(client.get("/nirgends?lang=en"), 404)["title"] == "Nicht gefunden", "programs read one language"


def test_all_that_is_always_said_is_translated() -> None:
    known = texts("en").gettext
    assert [text for text in TEXTS if known(text) == text] == []
