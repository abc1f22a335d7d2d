"""What is wrong is said as problem+json with a German sentence; nothing of it is ever a 500."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Database
from service_help import API, PROBLEM, client_of, is_problem
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.testclient import TestClient

from geodata.categories import TITLES
from geodata.viewer import Role, Viewer

LISTS = {"/datasets": {}, "/areas": {"level": "bezirk"}, "/facilities": {}, "/areas/bezirk/1": {},
         "/facilities/facilities.kita/beispiel-kita-0001": {}}  # fmt: skip


@pytest.fixture(scope="module")
def client(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


BAD: list[tuple[str, dict[str, Any], str]] = [
    *[("/facilities", {"age": v}, "age") for v in ("-1", "abc", "121", "1.5", "9" * 30, "NaN", "१", " 5", "1_0")],
    *[("/facilities", {"bbox": v}, "bbox") for v in (
        "garbage", "1,2,3", "1,2,3,4,5", "inf,0,1,1", "nan,nan,nan,nan", "10,53,9,54", "9,54,10,53", "9,53,9,54",
        "-181,0,1,1", "0,-86,1,1", "1;2;3;4", ",,,", "0,0,1,-inf", "1e999,0,1,1")],
    *[("/facilities", {"limit": v}, "limit") for v in ("0", "-5", "x")],
    *[("/facilities", {"area": v}, "area") for v in (
        "x", ":", "bezirk:", ":1", "unbekannt:1", "' OR 1=1 --:1", "bezirk 1")],
    *[("/facilities", {"category": v}, "category") for v in ("quatsch", "okja,quatsch", "OKJA", "okja;kita")],
    *[("/facilities", {"barrier_free": v}, "barrier_free") for v in ("ja", "yes,ja", "true")],
    *[("/facilities", {"fields": v}, "fields") for v in ("quatsch", "name,quatsch", "geometry")],
    *[(path, {"format": v}, "format") for path in LISTS for v in ("pdf", "JSON", "html")],
    *[(path, {"version": v}, "version") for path in LISTS for v in ("foo", "Intern", "public")],
    ("/datasets", {"format": "geojson"}, "format"),
    ("/datasets", {"format": "gpkg"}, "format"),
    ("/areas", {}, "level"),
    ("/areas", {"level": ""}, "level"),
    *[("/areas", {"level": v}, "level") for v in ("foo", "Bezirk", "bezirk;", "bezirk' --")],
    *[("/areas", {"level": "bezirk", "parent": v}, "parent") for v in ("x", ":1", "land:")],
    *[("/areas", {"level": "bezirk", "simplify_m": v}, "simplify_m") for v in ("-1", "abc", "1001", "0.5")],
    ("/areas/foo/1", {}, "level"),
    ("/facilities", {"q": "x" * 201}, "q"),
    *[(path, {"unbekannt": "1"}, "unbekannt") for path in LISTS],
    ("/facilities", {"Age": "5"}, "Age"),
    ("/facilities", {"level": "bezirk"}, "level"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "asked", "parameter"), BAD, ids=lambda v: str(v)[:40])
def test_bad_values_are_explained(client: TestClient, path: str, asked: dict[str, Any], parameter: str) -> None:
    needed = {k: v for k, v in LISTS.get(path, {}).items() if k not in asked and parameter != k}
    body = is_problem(client.get(API + path, params={**needed, **asked}), 400, parameter)
    assert body["title"] == "Ungültige Anfrage"
    assert body["type"] == "about:blank"


def parameters_of(client: TestClient) -> Iterator[tuple[str, str]]:
    for path, operations in client.get("/api/openapi.json").json()["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", []):
            if path.startswith(API) and parameter["in"] == "query":
                known = path.replace("{level}/{key}", "bezirk/1").replace(
                    "{dataset}/{facility_id}", "facilities.kita/x"
                )
                yield known.removeprefix(API), parameter["name"]


def test_no_parameter_bears_nul_length_or_repetition(client: TestClient) -> None:
    tried = 0
    for path, name in parameters_of(client):
        needed = {k: v for k, v in LISTS.get(path, {}).items() if k != name}
        for value in ("\x00", "a\x00b", "x" * 10_000, "0" * 10_000, "bezirk:" + "x" * 10_000):
            body = is_problem(client.get(API + path, params={**needed, name: value}), 400, name)
            assert len(body["detail"]) < 500
        is_problem(client.get(API + path, params=[*needed.items(), (name, "1"), (name, "1")]), 400, name)
        tried += 1
    assert tried > 20


@pytest.mark.parametrize(
    "value", ["\ud7ff", "🦊", "'", '"', "\\", "%", "%%", "<script>", "\r\n", "\x1f", "ä" * 150, "{}"]
)
def test_odd_texts_never_break_anything(client: TestClient, value: str) -> None:
    for path, name in parameters_of(client):
        needed = {k: v for k, v in LISTS.get(path, {}).items() if k != name}
        answer = client.get(API + path, params={**needed, name: value})
        assert answer.status_code in {200, 400, 404}, (path, name, answer.text)
        if answer.status_code != 200:
            is_problem(answer, answer.status_code)


@pytest.mark.parametrize("query", ["%ff%fe", "age=%", "=", "&&&", "=1", "age", "age=5;age=6", "q=%00", "%00=1"])
def test_broken_queries(client: TestClient, query: str) -> None:
    answer = client.get(f"{API}/facilities?{query}")
    if answer.status_code != 200:
        is_problem(answer, 400)


def test_what_is_allowed_is_named(client: TestClient) -> None:
    body = is_problem(client.get(API + "/facilities?category=quatsch"), 400, "category")
    assert body["allowed"] == list(TITLES)
    assert all(category in body["detail"] for category in TITLES)
    assert is_problem(client.get(API + "/areas?level=foo"), 400, "level")["allowed"] == [
        "land", "bezirk", "sozialraum", "stadtteil", "statgebiet"]  # fmt: skip
    assert is_problem(client.get(API + "/datasets?format=gpkg"), 400, "format")["allowed"] == ["json", "csv", "xlsx"]
    assert is_problem(client.get(API + "/datasets?x=1"), 400, "x")["allowed"] == ["format", "version"]
    assert set(is_problem(client.get(API + "/facilities?version=x"), 400, "version")["allowed"]) == {
        "veroeffentlichung", "intern"}  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "/nirgends", "/api", "/api/v1", "/api/v2/areas", "/api/v1/areas/bezirk/999", "/api/v1/areas/bezirk/1/2",
        "/api/v1/facilities/nirgends/x", "/api/v1/facilities/facilities.kita/nirgends",
        "/api/v1/facilities/facilities.kita/" + "x" * 10_000, "/static/0/srk-map.js", "/static/0/../../app.py",
        "/static/x/%2e%2e%2fapp.py", "/api/v1/areas/bezirk/%00", "/api/v1/areas/%00/1",
        "/api/v1/facilities/%00/x", "/api/v1/facilities/facilities.kita/beispiel-kita-0001%00", "/wp-login.php",
        "/api/v1/areas/bezirk/%ff", "/.env",
    ],
)  # fmt: skip
def test_not_found(client: TestClient, path: str) -> None:
    assert is_problem(client.get(path), 404)["title"] == "Nicht gefunden"


def test_what_is_not_released_is_not_told_from_what_is_not_there(client: TestClient) -> None:
    import demo_truth as truth

    hidden = next(o for o in truth.offers() if not any(
        x.published for x in truth.offers() if x.place == o.place))  # fmt: skip
    one = client.get(f"{API}/facilities/{hidden.dataset}/{hidden.row['facility_id']}")
    other = client.get(f"{API}/facilities/{hidden.dataset}/nirgends")
    assert is_problem(one, 404) == is_problem(other, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [*(API + path for path in LISTS), "/", "/health", "/ready", "/anmelden"])
def test_method_not_allowed(client: TestClient, path: str, method: str) -> None:
    answer = client.request(method, path)
    is_problem(answer, 405)
    assert "GET" in answer.headers["allow"]


def test_every_route_speaks_one_language_of_errors(client: TestClient) -> None:
    """Wherever a route answers with an error at all, its shape is the documented one."""
    seen = 0
    described = [
        *client.get("/api/openapi.json").json()["paths"],
        "/",
        "/anmelden",
        "/abmelden",
        "/api/docs",
        "/static/0/x",
    ]
    for path in (re.sub(r"\{[^}]+\}", "quatsch", path) for path in described):
        for query in ("", "?quatsch=1", "?format=pdf"):
            for method in ("GET", "POST", "DELETE"):
                answer = client.request(method, path + query, follow_redirects=False)
                assert answer.status_code < 500, (method, path)
                if answer.status_code >= 400:
                    is_problem(answer, answer.status_code)
                    seen += 1
    assert seen > 30


def test_internal_version_with_odd_texts_is_logged_not_broken(demo_database: Database) -> None:
    client = client_of(demo_database.serving, Viewer(Role.ADMIN))
    for value in ("\x00", "🦊", "\x01\x1f", "'"):
        for path in ("/facilities", "/areas/bezirk/"):
            asked = {"version": "intern", **({"q": value} if path == "/facilities" else {})}
            from urllib.parse import quote

            answer = client.get(API + path + ("" if path == "/facilities" else quote(value)), params=asked)
            assert answer.status_code in {200, 400, 404}, (value, answer.text)


class _Broken:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def execution_options(self, **_options: object) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("geheim: Passwort"), 500), (PoolTimeoutError("QueuePool limit"), 503)]
)
def test_what_nobody_foresaw_tells_nothing(error: Exception, status: int) -> None:
    client = client_of(_Broken(error))  # type: ignore[arg-type]
    answer = client.get(API + "/datasets")
    is_problem(answer, status)
    assert "geheim" not in answer.text
    assert "QueuePool" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_slow_question_is_a_503(demo_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import text

    from service.api import routes

    client = client_of(demo_database.serving, statement_timeout_ms=100)
    monkeypatch.setattr(routes, "datasets", lambda s, **_: s.execute(text("SELECT pg_sleep(5)")))
    answer = client.get(API + "/datasets")
    assert "zu lange" in is_problem(answer, 503)["detail"]


def test_database_that_is_away() -> None:
    from geodata.database import make_engine

    engine = make_engine("postgresql+psycopg://srk@127.0.0.1:1/srk?connect_timeout=1")
    client = client_of(engine)
    for path in (API + "/datasets", "/ready", "/"):
        is_problem(client.get(path), 503)
    assert client.get("/health").json() == {"status": "ok"}
    engine.dispose()


def test_empty_database_is_not_ready_but_answers(database: Database) -> None:
    client = client_of(database.serving)
    assert "keine Daten" in is_problem(client.get("/ready"), 503)["detail"]
    assert client.get("/").status_code == 200
    assert client.get(API + "/facilities").json()["rows"] == []
    assert client.get(API + "/datasets").json()["rows"] == []
    assert "keine Gebiete" in is_problem(client.get(API + "/areas?level=bezirk"), 400, "level")["detail"]


def test_ready_and_health(client: TestClient) -> None:
    assert client.get("/ready").json() == {"status": "ready"}
    assert client.get("/health").json() == {"status": "ok"}


ACCEPT = [
    (None, "application/json"),
    ("*/*", "application/json"),
    ("application/geo+json", "application/geo+json"),
    ("text/csv", "text/csv; charset=utf-8"),
    ("text/csv;charset=utf-8", "text/csv; charset=utf-8"),
    ("TEXT/CSV", "text/csv; charset=utf-8"),
    ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
    ("application/geo+json, application/json;q=0.9", "application/geo+json"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("application/geopackage+sqlite3", "application/geopackage+sqlite3"),
    ("application/json;q=0.1, text/csv;q=0.9", "text/csv; charset=utf-8"),
    ("text/csv;q=0, application/json", "application/json"),
    ("text/csv;q=quatsch", "application/json"),
    ("", "application/json"),
    (",;,;q=", "application/json"),
]  # fmt: skip


@pytest.mark.parametrize(("accept", "expected"), ACCEPT)
def test_accept(client: TestClient, accept: str | None, expected: str) -> None:
    answer = client.get(API + "/areas?level=bezirk", headers={} if accept is None else {"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == expected
    assert "Accept" in answer.headers["vary"]


def test_format_beats_accept(client: TestClient) -> None:
    answer = client.get(API + "/areas?level=bezirk&format=csv", headers={"accept": "application/json"})
    assert answer.headers["content-type"].startswith("text/csv")


def test_errors_are_problems_whatever_is_accepted(client: TestClient) -> None:
    answer = client.get(API + "/areas?level=foo&format=csv", headers={"accept": "text/csv"})
    assert answer.headers["content-type"] == PROBLEM
