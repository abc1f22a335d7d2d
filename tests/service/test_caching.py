"""ETags, conditional requests, cache headers, content codings, and the cache of finished answers."""

import datetime as dt
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from conftest import Database
from service_help import API, client_of, rows_of
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.viewer import Role, Viewer
from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.sources import open_source
from service import delivery
from service.caching import ByteCache, canonical_request, matches, preferred_coding, qualities

PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
PROVIDER = Viewer(Role.PROVIDER, provider_key="beispiel-traeger-01")
ASKED = API + "/facilities?category=okja"
CSV = "id,name,category,lon,lat,release\n{rows}"


@pytest.fixture(scope="module")
def client(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


def load(database: Database, folder: Path, *names: str) -> None:
    """Load a small hand-made city: one Bezirk and these places."""
    borders = folder / "bezirk.geojson"
    borders.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"key":"1","name":"Mitte"},"geometry":'
        '{"type":"Polygon","coordinates":[[[9.9,53.5],[10.1,53.5],[10.1,53.6],[9.9,53.6],[9.9,53.5]]]}}]}'
    )
    rows = "".join(f"{i},{name},okja,{9.95 + i / 1000},53.55,public\n" for i, name in enumerate(names, 1))
    places = folder / "orte.csv"
    places.write_text(CSV.format(rows=rows))
    import_areas(database.writing, open_source(borders), AreasImport("bezirk"))
    import_facilities(database.writing, open_source(places), FacilitiesImport("okja"))


def tag(client: TestClient, url: str = ASKED, **headers: str) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["etag"]


def test_etag_is_stable_over_requests_and_services(client: TestClient, demo_database: Database) -> None:
    assert tag(client) == tag(client) == tag(client_of(demo_database.serving))
    assert tag(client, API + "/facilities?category=okja&age=5") == tag(client, API + "/facilities?age=5&category=okja")


def test_etag_changes_with_import_and_release(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, "Haus A", "Haus B")
    client = client_of(database.serving, release_level="bezirk")
    seen = [tag(client)]
    assert len(rows_of(client, "/facilities")) == 2
    load(database, tmp_path, "Haus A", "Haus B", "Haus C")
    seen.append(tag(client))
    assert len(rows_of(client, "/facilities")) == 3
    with database.writing.begin() as connection:
        connection.execute(
            text("INSERT INTO release (dataset_id, offer_id, release) SELECT id, '2', 'internal' FROM dataset "
                 "WHERE name = 'facilities.okja'")
        )  # fmt: skip
    seen.append(tag(client))
    assert [row["name"] for row in rows_of(client, "/facilities")] == ["Haus A", "Haus C"]
    with database.writing.begin() as connection:
        connection.execute(text("UPDATE release SET release = 'public'"))
    seen.append(tag(client))
    with database.writing.begin() as connection:
        connection.execute(text("UPDATE instance_state SET instance_id = gen_random_uuid()"))
    seen.append(tag(client))
    assert len(set(seen)) == len(seen)
    assert client.get(ASKED, headers={"if-none-match": seen[0]}).status_code == 200
    assert client.get(ASKED, headers={"if-none-match": seen[-1]}).status_code == 304


def test_rehearsed_import_changes_no_etag(database: Database, tmp_path: Path) -> None:
    from importers.load import Limit, Rules

    load(database, tmp_path, "Haus A")
    client = client_of(database.serving)
    before = tag(client)
    rules = Rules(Limit(share=0.05), dry_run=True)
    import_facilities(database.writing, open_source(tmp_path / "orte.csv"), FacilitiesImport("okja", rules=rules))
    assert tag(client) == before


@pytest.mark.parametrize(
    "given",
    [{"release_level": "bezirk"}, {"max_rows": 99}, {"default_limit": 7}, {"home_state": "Bremen"},
     {"home_level": "land"}, {"tiles_url": "https://tiles.invalid/{z}/{x}/{y}.png", "tiles_attribution": "X"}],
)  # fmt: skip
def test_etag_changes_with_settings(client: TestClient, demo_database: Database, given: dict[str, Any]) -> None:
    assert tag(client_of(demo_database.serving, **given)) != tag(client)


def test_etag_does_not_change_with_settings_no_answer_depends_on(client: TestClient, demo_database: Database) -> None:
    assert tag(client_of(demo_database.serving, port=9000, cache_max_bytes=0)) == tag(client)


def test_etag_changes_with_request_format_and_day(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = [ASKED, ASKED + "&age=5", ASKED + "&format=csv", ASKED + "&format=xlsx", API + "/datasets"]
    tags = [tag(client, url) for url in urls]
    tags.append(tag(client, ASKED, accept="text/csv"))
    monkeypatch.setattr(delivery, "today", lambda: dt.date(2099, 1, 1))
    tags.append(tag(client, ASKED))
    assert len(set(tags)) == len(tags)


def test_etag_changes_with_the_viewer_exactly_where_the_answer_may(client: TestClient, demo_database: Database) -> None:
    planner, provider = (client_of(demo_database.serving, viewer) for viewer in (PLANNER, PROVIDER))
    assert tag(planner) == tag(client), "the published version is the same whoever asks"
    other = client_of(demo_database.serving, Viewer(Role.PROVIDER, provider_key="beispiel-traeger-02"))
    elsewhere = client_of(demo_database.serving, Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),)))
    internal = [tag(c, ASKED + "&version=intern") for c in (planner, elsewhere)]
    found = [tag(client), tag(provider), tag(other), *internal]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("q=x%26type%3Dkita", "q=x&type=kita"),
        ("category=okja&q=a%26version%3Dveroeffentlichung", "category=okja&q=a&version=veroeffentlichung"),
        ("q=%2526", "q=%26"),
    ],
)
def test_different_questions_never_share_an_answer(client: TestClient, one: str, other: str) -> None:
    first, second = (client.get(f"{API}/facilities?{query}") for query in (one, other))
    assert first.headers["etag"] != second.headers["etag"]
    assert first.json()["meta"]["method"] != second.json()["meta"]["method"] or "version" in other


def test_a_path_is_no_query(client: TestClient) -> None:
    keys = set()
    for url in (API + "/facilities/a/b%3Fq=1", API + "/facilities/a/b?q=1", API + "/facilities/a/b%253Fq=1"):
        request = client.build_request("GET", url)
        from starlette.requests import Request

        raw = request.url.raw_path.split(b"?", 1)
        from urllib.parse import unquote

        scope = {"type": "http", "method": "GET", "headers": [], "path": unquote(raw[0].decode()),
                 "query_string": raw[1] if len(raw) > 1 else b"", "server": ("test", 80), "scheme": "http"}  # fmt: skip
        keys.add(canonical_request(Request(scope)))
    assert len(keys) == 3


@pytest.mark.parametrize(
    "sent",
    ["{t}", "W/{t}", '"x", {t}', '{t}, "y"', 'W/"a",W/{t}', ' "a" , {t} ', '"{k}-gzip"', '"{k}-br"', 'W/"{k}-br"'],
)
@pytest.mark.parametrize("url", [ASKED, ASKED + "&format=csv", "/", API + "/datasets", API + "/areas/bezirk/1"])
def test_304_on_match(client: TestClient, url: str, sent: str) -> None:
    current = tag(client, url)
    answer = client.get(url, headers={"if-none-match": sent.format(t=current, k=current.strip('"'))})
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == current
    assert "Accept" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "public, no-cache"
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("sent", ['"x"', "", "W/", '"{k}x"', '"x{k}"', '"', ",,", '"{k8}"'])
def test_200_without_match(client: TestClient, sent: str) -> None:
    key = tag(client).strip('"')
    answer = client.get(ASKED, headers={"if-none-match": sent.format(k=key, k8=key[:8])})
    assert answer.status_code == 200
    assert answer.json()["rows"]


def test_a_star_never_hides_an_answer(client: TestClient) -> None:
    """``*`` would mean "whatever you have": it is not taken for an ETag, so that nobody misses a change."""
    assert client.get(ASKED, headers={"if-none-match": "*"}).status_code == 200
    assert not matches("*", "abc")


def test_304_is_not_answered_to_what_is_not_allowed(demo_database: Database) -> None:
    planner, public = client_of(demo_database.serving, PLANNER), client_of(demo_database.serving)
    current = tag(planner, ASKED + "&version=intern")
    answer = public.get(ASKED + "&version=intern", headers={"if-none-match": current})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("viewer", "url", "expected"),
    [
        (None, ASKED, "public, no-cache"),
        (None, "/", "public, no-cache"),
        (PLANNER, ASKED, "public, no-cache"),
        (PLANNER, "/", "private, no-cache"),
        (PLANNER, ASKED + "&version=intern", "private, no-cache"),
        (PROVIDER, ASKED, "private, no-cache"),
        (PROVIDER, API + "/areas?level=bezirk", "private, no-cache"),
    ],
)
def test_cache_control_and_vary(demo_database: Database, viewer: Viewer | None, url: str, expected: str) -> None:
    answer = client_of(demo_database.serving, viewer).get(url)
    assert answer.headers["cache-control"] == expected
    assert {part.strip() for part in answer.headers["vary"].split(",")} == {
        "Accept", "Accept-Encoding", "Authorization", "Cookie"}  # fmt: skip


@pytest.mark.parametrize("url", [ASKED, ASKED + "&format=csv", ASKED + "&format=geojson", "/"])
def test_codings_carry_the_same_bytes(client: TestClient, url: str) -> None:
    plain = client.get(url, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    decoders: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "br": brotli.decompress}
    for coding, decode in decoders.items():
        for _ in range(2):  # made, then from the cache
            with client.stream("GET", url, headers={"accept-encoding": coding}) as answer:
                raw = b"".join(answer.iter_raw())
                assert answer.headers["content-encoding"] == coding
                assert int(answer.headers["content-length"]) == len(raw) < len(plain.content)
                assert decode(raw) == plain.content
                assert answer.headers["etag"] == f'{plain.headers["etag"][:-1]}-{coding}"'
                assert answer.headers["content-type"] == plain.headers["content-type"]
                assert answer.headers.get("link") == plain.headers.get("link")
                assert answer.headers["content-security-policy"] == plain.headers["content-security-policy"]


@pytest.mark.parametrize("wanted", ["xlsx", "gpkg"])
def test_what_is_compressed_already_is_not_compressed_again(client: TestClient, wanted: str) -> None:
    answer = client.get(f"{ASKED}&format={wanted}", headers={"accept-encoding": "br, gzip"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "identity"), ("", "identity"), ("gzip", "gzip"), ("br", "br"), ("gzip, br", "br"), ("GZIP", "gzip"),
        ("br;q=0, gzip", "gzip"), ("br;q=0,gzip;q=0", "identity"), ("gzip;q=0.5", "gzip"), ("br;q=x, gzip", "gzip"),
        ("deflate, zstd", "identity"), ("br; Q=0", "identity"), ("br;v=1;q=0", "identity"),
    ],
)  # fmt: skip
def test_preferred_coding(header: str | None, expected: str) -> None:
    assert preferred_coding(header) == expected


def test_qualities() -> None:
    assert qualities("a;q=0.5, b, c;q=quatsch,d;x=1;q=0.1") == {"a": 0.5, "b": 1.0, "c": 0.0, "d": 0.1}


def test_cached_answer_is_not_made_again(demo_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.api import routes

    client = client_of(demo_database.serving)
    first = client.get(ASKED)
    monkeypatch.setattr(routes, "facilities", lambda *_: pytest.fail("asked again"))
    again = client.get(ASKED)
    assert again.status_code == 200
    assert again.content == first.content
    assert {k: v for k, v in again.headers.items() if k != "x-request-id"} == {
        k: v for k, v in first.headers.items() if k != "x-request-id"}  # fmt: skip


def test_byte_cache_keeps_its_bound() -> None:
    cache = ByteCache(100)
    for number in range(10):
        cache.put(f"k{number}", "br", bytes(20))
    held = [n for n in range(10) if cache.get(f"k{n}", "br") is not None]
    assert held == [5, 6, 7, 8, 9]


def test_byte_cache_drops_what_was_used_least_recently() -> None:
    cache = ByteCache(100)
    for number in range(5):
        cache.put(f"k{number}", "br", bytes(20))
    assert cache.get("k0", "br") == bytes(20)
    cache.put("k5", "br", bytes(20))
    assert cache.get("k0", "br") is not None
    assert cache.get("k1", "br") is None


def test_byte_cache_counts_replaced_entries_once_and_tells_codings_apart() -> None:
    cache = ByteCache(100)
    for size in (25, 10, 25, 25):
        cache.put("k", "br", bytes(size))
    cache.put("k", "gzip", bytes(25))
    cache.put("l", "br", bytes(25))
    cache.put("m", "br", bytes(25))
    assert [cache.get(*key) is not None for key in (("k", "br"), ("k", "gzip"), ("l", "br"), ("m", "br"))] == [True] * 4
    cache.put("n", "br", bytes(1))
    assert cache.get("k", "br") is None


def test_byte_cache_refuses_what_would_fill_a_quarter() -> None:
    cache = ByteCache(100)
    cache.put("big", "br", bytes(26))
    assert cache.get("big", "br") is None
    cache.put("fits", "br", bytes(25))
    assert cache.get("fits", "br") is not None
    empty = ByteCache(0)
    empty.put("k", "br", b"x")
    assert empty.get("k", "br") is None


def test_byte_cache_bears_many_threads() -> None:
    import threading

    cache = ByteCache(4000)

    def work(seed: int) -> None:
        for number in range(500):
            cache.put(f"{seed}-{number % 50}", "br", bytes((number * 7 + seed) % 100))
            cache.get(f"{(seed + 1) % 4}-{number % 50}", "br")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache._bytes == sum(len(body) for body in cache._entries.values()) <= 4000
