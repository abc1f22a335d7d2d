"""Limit, cursor and Link header: pages visit every row exactly once."""

import re
from typing import Any

import pytest
from conftest import Database
from service_help import API, client_of, csv_rows, is_problem, rows_of
from starlette.testclient import TestClient

MAX_ROWS = 700


@pytest.fixture(scope="module")
def client(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving, max_rows=MAX_ROWS, default_limit=50)


@pytest.fixture(scope="module")
def wide(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


def name_of(row: dict[str, Any]) -> tuple[str, str]:
    if "facility_id" in row:
        return row["dataset"], row["facility_id"]
    return row["area_level"], row["area_key"]


def pages(client: TestClient, path: str, **parameters: Any) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    while True:
        body = client.get(API + path, params=parameters).json()
        found.append(body["rows"])
        if body["meta"]["next"] is None:
            return found
        parameters["cursor"] = body["meta"]["next"]
        assert len(found) < 1000


CASES = [
    ("/facilities", {"limit": 101}),
    ("/facilities", {"limit": 7, "category": "okja", "age": 12, "q": "beispiel"}),
    ("/facilities", {"limit": 1, "area": "stadtteil:02101"}),
    ("/areas", {"limit": 100, "level": "statgebiet"}),
    ("/areas", {"limit": 1, "level": "bezirk"}),
    ("/areas", {"limit": 7, "level": "bezirk"}),
]


@pytest.mark.parametrize(("path", "parameters"), CASES)
def test_pages_visit_every_row_once(
    client: TestClient, wide: TestClient, path: str, parameters: dict[str, Any]
) -> None:
    everything = rows_of(wide, path, **parameters | {"limit": 100_000})
    assert everything
    found = pages(client, path, **parameters)
    assert all(len(page) == parameters["limit"] for page in found[:-1])
    assert 0 < len(found[-1]) <= parameters["limit"]
    assert [name_of(row) for page in found for row in page] == [name_of(row) for row in everything]
    assert len(found) == -(-len(everything) // parameters["limit"])


@pytest.mark.parametrize("wanted", ["json", "geojson", "csv", "xlsx", "gpkg"])
def test_link_header_leads_to_the_next_page(client: TestClient, wide: TestClient, wanted: str) -> None:
    asked = {"category": "okja,kita", "q": "Beispiel-ö & 100 %"[:9], "limit": 200, "format": wanted}
    first = client.get(API + "/facilities", params=asked)
    link = re.fullmatch(r'<([^>]+)>; rel="next"', first.headers["link"])
    assert link
    assert link[1].startswith(API + "/facilities?")
    second = client.get(link[1])
    assert second.status_code == 200, second.text
    assert second.headers["content-type"] == first.headers["content-type"]
    if wanted == "json":
        assert first.json()["meta"]["next"] in link[1]
        expected = rows_of(wide, "/facilities", **{**asked, "limit": 400, "format": "json"})
        assert [name_of(r) for r in first.json()["rows"] + second.json()["rows"]] == [name_of(r) for r in expected]


def test_link_header_visits_every_offer_in_csv(client: TestClient, wide: TestClient) -> None:
    url = API + "/facilities?format=csv&limit=300"
    seen: list[str] = []
    while url:
        answer = client.get(url)
        seen += [row["offer_id"] for row in csv_rows(answer.content)]
        link = re.match(r"<([^>]+)>", answer.headers.get("link", ""))
        url = link[1] if link else ""
    expected = [offer["id"] for row in rows_of(wide, "/facilities", limit=100_000) for offer in row["offers"]]
    assert seen == expected


def test_no_link_on_the_last_page(client: TestClient) -> None:
    answer = client.get(API + "/areas", params={"level": "bezirk"})
    assert "link" not in answer.headers
    assert answer.json()["meta"]["next"] is None


def test_link_is_kept_with_the_cached_answer(client: TestClient) -> None:
    asked = {"category": "schule", "limit": 11}
    first, again = (client.get(API + "/facilities", params=asked) for _ in range(2))
    assert first.headers["link"] == again.headers["link"]
    assert first.content == again.content


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, 50), (1, 1), (699, 699), (700, 700), (701, 700), (10**9, 700), ("9" * 17, 700), ("9" * 40, 700)],
)
def test_limit_is_clamped(client: TestClient, limit: object, expected: int) -> None:
    assert len(rows_of(client, "/facilities", **({} if limit is None else {"limit": limit}))) == expected


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "1e3", "viele", "1_0", " 5", "+5", "٣", "-" + "9" * 40])
@pytest.mark.parametrize("path", ["/facilities", "/areas?level=bezirk"])
def test_bad_limit(client: TestClient, path: str, limit: str) -> None:
    is_problem(
        client.get(API + path, params={"limit": limit, **({"level": "bezirk"} if "?" in path else {})}), 400, "limit"
    )


@pytest.mark.parametrize(
    "cursor", ["Quatsch", "!!!", "a", "abcd", "AAAA", "%%%%", "c3JrOgA", "ÄÖÜ", "=" * 8, "c3JrOg==x", "🦊", "A" * 3999]
)
@pytest.mark.parametrize("path", ["/facilities", "/areas"])
def test_bad_cursor(client: TestClient, path: str, cursor: str) -> None:
    asked = {"cursor": cursor, **({"level": "bezirk"} if path == "/areas" else {})}
    is_problem(client.get(API + path, params=asked), 400, "cursor")


def test_cursor_of_another_question_is_refused_or_harmless(client: TestClient) -> None:
    cursor = client.get(API + "/areas", params={"level": "bezirk", "limit": 1}).json()["meta"]["next"]
    is_problem(client.get(API + "/facilities", params={"cursor": cursor}), 400, "cursor")
