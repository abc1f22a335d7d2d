"""Who sees what: one-time links, sessions, roles, the internal version and its record."""

import time
from collections import Counter
from typing import Any

import demo_truth as truth
import pytest
from conftest import Database
from service_help import API, client_of, is_problem, rows_of, sign_in
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.viewer import PUBLIC, Role, Viewer
from service.access import COOKIE, Sessions
from service.context import today

OFFICE = (("bezirk", "1"),)
PLANNER = Viewer(Role.PLANNER, office_areas=OFFICE)
ADMIN = Viewer(Role.ADMIN)
PROVIDER = Viewer(Role.PROVIDER, provider_key="beispiel-traeger-01")
PATHS = ["/datasets", "/areas?level=bezirk", "/areas/bezirk/1", "/facilities",
         "/facilities/facilities.kita/beispiel-kita-0001"]  # fmt: skip


@pytest.fixture
def public(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


@pytest.fixture
def planner(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving, PLANNER)


def offers_of(client: TestClient, **parameters: Any) -> set[tuple[str, str]]:
    rows = rows_of(client, "/facilities", limit=100_000, **parameters)
    return {(row["dataset"], offer["id"]) for row in rows for offer in row["offers"]}


def expected(*, whole: Any) -> set[tuple[str, str]]:
    """Valid offers that are published, or that this viewer may see whatever their release."""
    return {(o.dataset, o.row["id"]) for o in truth.offers() if o.valid(today()) and (o.published or whole(o))}


def test_link_works_once(public: TestClient) -> None:
    code = sign_in(public, PLANNER)
    public.cookies.clear()
    again = public.get("/anmelden", params={"code": code}, follow_redirects=False)
    assert "schon benutzt" in is_problem(again, 403)["detail"]
    assert "set-cookie" not in again.headers


def test_without_a_code_it_is_asked_for(public: TestClient) -> None:
    answer = public.get("/anmelden", params={"code": ""}, follow_redirects=False)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "set-cookie" not in answer.headers
    assert "Anmelden" in answer.text


@pytest.mark.parametrize("code", [" ", "falsch", "x" * 10_000, "\x00", "🦊"])
def test_wrong_codes_open_nothing(public: TestClient, code: str) -> None:
    answer = public.get("/anmelden", params={"code": code}, follow_redirects=False)
    is_problem(answer, 403)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_cookie_is_out_of_reach_of_scripts_and_other_sites(public: TestClient, scheme: str, secure: bool) -> None:
    code = public.app.state.srk.sessions.offer(PLANNER)  # type: ignore[attr-defined]
    answer = public.get(f"{scheme}://testserver/anmelden", params={"code": code}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(COOKIE + "=")
    given = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= given
    assert ("secure" in given) == secure
    assert answer.headers["location"] == "/"
    assert answer.headers["cache-control"] == "no-store"
    assert code not in cookie


def test_sign_out_closes_the_session(planner: TestClient) -> None:
    token = planner.cookies[COOKIE]
    assert planner.get(API + "/facilities?version=intern").status_code == 200
    answer = planner.post("/abmelden", follow_redirects=False)
    assert answer.status_code == 303
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert COOKIE not in planner.cookies
    planner.cookies.set(COOKIE, token)
    is_problem(planner.get(API + "/facilities?version=intern"), 403)


def test_sign_out_is_no_link(planner: TestClient) -> None:
    is_problem(planner.get("/abmelden"), 405)
    assert planner.get(API + "/facilities?version=intern").status_code == 200


@pytest.mark.parametrize("token", ["", "falsch", "x" * 5000])
def test_made_up_sessions_are_the_public(public: TestClient, token: str) -> None:
    public.cookies.set(COOKIE, token)
    is_problem(public.get(API + "/datasets?version=intern"), 403)
    assert public.get(API + "/datasets").status_code == 200


def test_sessions_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(lifetime_s=60)
    token = sessions.redeem(sessions.offer(PLANNER))
    assert token
    assert sessions.viewer(token) == PLANNER
    now = time.monotonic()
    monkeypatch.setattr("service.access.time.monotonic", lambda: now + 61)
    assert sessions.viewer(token) == PUBLIC
    monkeypatch.undo()
    assert sessions.viewer(token) == PUBLIC, "an ended session does not come back"


def test_sessions_are_their_own() -> None:
    sessions = Sessions(lifetime_s=60)
    codes = [sessions.offer(viewer) for viewer in (PLANNER, ADMIN, PROVIDER)]
    assert len(set(codes)) == 3
    tokens = [sessions.redeem(code) for code in codes]
    assert [sessions.viewer(token) for token in tokens] == [PLANNER, ADMIN, PROVIDER]
    sessions.close(tokens[1])
    sessions.close(None)
    assert [sessions.viewer(token) for token in tokens] == [PLANNER, PUBLIC, PROVIDER]
    assert sessions.viewer(None) == PUBLIC


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("viewer", [None, PROVIDER], ids=["public", "provider"])
def test_internal_version_is_not_for_everybody(demo_database: Database, viewer: Viewer | None, path: str) -> None:
    client = client_of(demo_database.serving, viewer)
    for wanted in ("json", "csv", "xlsx"):
        sign = "&" if "?" in path else "?"
        body = is_problem(client.get(f"{API}{path}{sign}version=intern&format={wanted}"), 403)
        assert "Jugendhilfeplanung" in body["detail"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("viewer", [PLANNER, ADMIN], ids=["planner", "admin"])
def test_default_version_is_the_public_answer(
    demo_database: Database, public: TestClient, viewer: Viewer, path: str
) -> None:
    mine, theirs = client_of(demo_database.serving, viewer).get(API + path), public.get(API + path)
    assert mine.status_code == 200
    assert mine.content == theirs.content
    assert mine.headers["etag"] == theirs.headers["etag"]
    assert mine.json()["meta"]["version"] == "veroeffentlichung"


def test_public_sees_what_is_published(public: TestClient) -> None:
    assert offers_of(public) == expected(whole=lambda _: False)


def test_planner_sees_internal_offers_of_the_own_office_only(planner: TestClient, public: TestClient) -> None:
    def whole(offer: truth.Offer) -> bool:
        areas = truth.areas_of().get(offer.place, {})
        return not areas or areas.get("bezirk") == "1"

    found = offers_of(planner, version="intern")
    assert found == expected(whole=whole)
    more = found - offers_of(public)
    by_id = {(o.dataset, o.row["id"]): o for o in truth.offers()}
    # An area_only home outside the city appears to nobody else: it lies in no area.
    assert {by_id[name].row["release"] for name in more} == {"area_only", "internal", "protected"}
    elsewhere = {truth.areas_of().get(by_id[name].place, {}).get("bezirk") for name in more}
    assert elsewhere <= {"1", None}
    assert "1" in elsewhere


def test_planner_sees_exact_places_in_the_own_office_only(planner: TestClient) -> None:
    by_id = {(o.dataset, o.row["id"]): o for o in truth.offers()}
    shown = hidden = 0
    for row in rows_of(planner, "/facilities", limit=100_000, version="intern"):
        offers = [by_id[row["dataset"], offer["id"]] for offer in row["offers"]]
        if all(offer.row["release"] == "public" for offer in offers):
            continue
        own = truth.areas_of().get(offers[0].place, {}).get("bezirk") in {"1", None}
        assert (row["lon"] is not None) == own
        shown += own
        hidden += not own
    assert shown > 5
    assert hidden > 5


def test_planner_without_office_sees_what_the_public_sees(demo_database: Database) -> None:
    client = client_of(demo_database.serving, Viewer(Role.PLANNER))
    assert offers_of(client, version="intern") == expected(whole=lambda _: False)


def test_admin_sees_everything(demo_database: Database) -> None:
    assert offers_of(client_of(demo_database.serving, ADMIN), version="intern") == expected(whole=lambda _: True)


def test_provider_sees_the_own_offers_too(demo_database: Database, public: TestClient) -> None:
    hidden = Counter(o.row["provider_key"] for o in truth.offers() if not o.published and o.valid(today()))
    key = hidden.most_common(1)[0][0]
    found = offers_of(client_of(demo_database.serving, Viewer(Role.PROVIDER, provider_key=key)))
    assert found == expected(whole=lambda o: o.row["provider_key"] == key)
    assert len(found - offers_of(public)) == hidden[key] > 0


def test_internal_answers_are_marked_and_not_kept_by_others(planner: TestClient) -> None:
    answer = planner.get(API + "/facilities?version=intern")
    assert answer.json()["meta"]["version"] == "intern"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "Cookie" in answer.headers["vary"]


def test_the_public_never_gets_a_planners_cached_answer(demo_database: Database) -> None:
    client = client_of(demo_database.serving, PLANNER)
    internal = client.get(API + "/facilities?category=hze&limit=1000&version=intern").content
    client.cookies.clear()
    assert client.get(API + "/facilities?category=hze&limit=1000").content != internal
    is_problem(client.get(API + "/facilities?category=hze&limit=1000&version=intern"), 403)


def test_internal_downloads_are_recorded(demo_database: Database, planner: TestClient) -> None:
    def record() -> list[Any]:
        with demo_database.writing.begin() as connection:
            connection.execute(text("SET LOCAL ROLE srk_owner"))
            return list(connection.execute(text("SELECT viewer, action, detail FROM audit ORDER BY id")))

    before = len(record())
    url = API + "/facilities?version=intern&category=okja&format=csv"
    for _ in range(2):  # the second comes from the cache and is taken along all the same
        assert planner.get(url).status_code == 200
    planner.get(API + "/facilities?category=okja")
    client_of(demo_database.serving).get(url)
    new = record()[before:]
    assert [(row.viewer, row.action) for row in new] == [(PLANNER.scope(), "intern")] * 2
    for row in new:
        assert row.detail["request"].startswith(API + "/facilities?")
        for part in ("version=intern", "category=okja", "format=csv"):
            assert part in row.detail["request"]


def test_page_says_who_is_signed_in(planner: TestClient, public: TestClient) -> None:
    assert "Angemeldet: Planung" in planner.get("/").text
    assert "Abmelden" in planner.get("/").text
    assert "Angemeldet" not in public.get("/").text


def test_scopes_differ_exactly_when_the_view_does() -> None:
    viewers = [PUBLIC, PLANNER, ADMIN, PROVIDER, Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),)),
               Viewer(Role.PROVIDER, provider_key="b"), Viewer(Role.PLANNER)]  # fmt: skip
    assert len({viewer.scope() for viewer in viewers}) == len(viewers)
    two = (("bezirk", "1"), ("bezirk", "2"))
    assert Viewer(Role.PLANNER, office_areas=two).scope() == Viewer(Role.PLANNER, office_areas=two[::-1]).scope()
