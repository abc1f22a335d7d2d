"""The frame of all pages: policy, caching, language, errors as pages, and the parts pages are put together from."""

import datetime as dt
import html.parser
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Database
from fastapi import APIRouter, Request, Response
from service_help import client_of
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from geodata.errors import NotFoundError, ParameterError
from geodata.viewer import Role, Viewer
from service.pages.components import (
    Column,
    DataTable,
    Kind,
    Lines,
    Link,
    Mark,
    Pager,
    Sort,
    ordered,
    sort_of,
)  # fmt: skip
from service.pages.frame import PLANNERS, Content, Frame, address, page
from service.pages.rendering import environment

PAGE = {"accept": "text/html,application/xhtml+xml"}
HOSTILE = '</script><img src=x onerror="alert(1)">{{ 7*7 }}&amp;\u202e'


def frame_of(**given: Any) -> Frame:
    values: dict[str, Any] = {
        "title": "T", "language": "de", "section": "", "role": Role.PUBLIC, "notice": None, "navigation": (),
        "languages": (), "legal": (), "urls": {}, "maps": (), "script_urls": (), "style_urls": (), "path": "/liste",
        "query": (),
    }  # fmt: skip
    return Frame(**(values | given))


def drawn(source: str, **values: Any) -> str:
    frame = values.pop("frame", frame_of())
    template = '{% import "components.html" as ui with context %}' + source
    return environment(frame.language).from_string(template).render(frame=frame, **values)


class Outline(html.parser.HTMLParser):
    """Tags with their attributes, and all text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def empty(new_database: Any) -> Database:
    made: Database = new_database()
    return made


@pytest.fixture
def client(empty: Database) -> Iterator[TestClient]:
    made = client_of(empty.serving)
    router = APIRouter()

    @router.get("/probe")
    def probe(request: Request) -> Response:
        def content(_session: Session) -> Content:
            return Content(HOSTILE, {"detail": HOSTILE})

        return page(request, "error.html", content, section="angebote", translated=True)

    @router.get("/planung/probe")
    def planned(request: Request) -> Response:
        return page(request, "error.html", lambda _s: Content("P", {"detail": "d"}), section="planung", roles=PLANNERS)

    @router.get("/scheitert")
    def failing(_request: Request) -> Response:
        raise ParameterError("sort", f"So nicht: {HOSTILE}.")

    made.app.include_router(router)  # type: ignore[attr-defined]
    yield made
    made.close()


def test_a_page_is_strict_cached_and_escaped(client: TestClient) -> None:
    answer = client.get("/probe", headers=PAGE)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "public, no-cache"
    outline = Outline(answer.text)
    assert not outline.all("img")
    assert HOSTILE in outline.text.replace("&amp;", "&amp;")
    again = client.get("/probe", headers={**PAGE, "if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert outline.all("html") == [{"lang": "de"}]
    assert [a for a in outline.all("a") if a.get("aria-current")] == [{"href": "/angebote", "aria-current": "page"}]


def test_the_language_is_in_the_address_only(client: TestClient) -> None:
    german = client.get("/probe", headers={**PAGE, "accept-language": "en"})
    english = client.get("/probe?lang=en&x=1", headers=PAGE)
    assert Outline(german.text).all("html") == [{"lang": "de"}]
    outline = Outline(english.text)
    assert outline.all("html") == [{"lang": "en"}]
    assert "Skip to content" in outline.text
    switch = next(a for a in outline.all("a") if a.get("hreflang") == "de")
    assert switch["href"] == "/probe?x=1"
    assert {a["href"] for a in outline.all("a")} >= {"/?lang=en", "/angebote?lang=en"}
    # A page that is not translated stays German, and a language that is not there is none.
    assert Outline(client.get("/probe?lang=fr", headers=PAGE).text).all("html") == [{"lang": "de"}]


def test_errors_are_pages_for_people_and_json_for_programs(client: TestClient) -> None:
    for path, status in (("/scheitert", 400), ("/gibt-es-nicht", 404), ("/planung/probe", 403)):
        shown = client.get(path, headers=PAGE)
        assert shown.status_code == status, path
        assert shown.headers["content-type"].startswith("text/html")
        assert shown.headers["cache-control"] == "no-store"
        assert not Outline(shown.text).all("img")
        told = client.get(path, headers={"accept": "application/json"})
        assert told.status_code == status
        assert told.headers["content-type"] == "application/problem+json"
        assert told.json()["detail"] in Outline(shown.text).text
    assert client.get("/api/v1/nichts", headers=PAGE).headers["content-type"] == "application/problem+json"


def test_only_planners_see_planning(empty: Database) -> None:
    planner = client_of(empty.serving, Viewer(Role.PLANNER))
    outline = Outline(planner.get("/", headers=PAGE).text)
    assert any(a.get("href") == "/planung" for a in outline.all("a"))
    assert "Angemeldet: Planung" in outline.text
    assert planner.get("/", headers=PAGE).headers["cache-control"].startswith("private")
    public = Outline(client_of(empty.serving).get("/", headers=PAGE).text)
    assert not any(a.get("href") == "/planung" for a in public.all("a"))


def test_legal_links_come_from_settings(empty: Database) -> None:
    client = client_of(empty.serving, imprint_url="https://www.example.org/impressum")
    outline = Outline(client.get("/", headers=PAGE).text)
    assert any(a.get("href") == "https://www.example.org/impressum" for a in outline.all("a"))
    assert "Datenschutz" not in outline.text


COLUMNS = (
    Column("name", "Name", header=True),
    Column("cases", "Fälle", Kind.NUMBER),
    Column("share", "Anteil", Kind.PERCENT, 1),
)


def test_a_table_tells_three_kinds_of_nothing_apart() -> None:
    rows = [
        {"name": HOSTILE, "cases": 1234, "share": 0.5},
        {"name": "B", "cases": 0, "share": Mark.SUPPRESSED},
        {"name": Link("C", "/c?a=1&b=2"), "cases": None, "share": Mark.NOT_APPLICABLE},
        {"name": Lines(["x", Link("y", "/y")]), "cases": -5, "share": 1},
    ]
    attributes = [{"data-area-key": '"><script>'}, {}, {}, {}]
    table = DataTable("Fälle", COLUMNS, rows, attributes=attributes)
    source = drawn("{{ ui.data_table(table) }}", table=table)
    outline = Outline(source)
    assert not outline.all("script")
    assert not outline.all("img")
    assert outline.all("tr")[1] == {"data-area-key": '"><script>'}
    assert HOSTILE in outline.text
    for words in ("1.234", "50,0\N{NO-BREAK SPACE}%", "fehlt", "•", "–", "−5", "wegen kleiner Fallzahl"):
        assert words in outline.text, words
    assert ">0<" in source
    assert "caption" in {tag for tag, _ in outline.tags}
    assert [th.get("scope") for th in outline.all("th")] == ["col"] * 3 + ["row"] * 4
    plain = DataTable("Fälle", COLUMNS, [{"name": "A", "cases": 1, "share": 0.1}])
    assert "zeichen" not in drawn("{{ ui.data_table(table) }}", table=plain)


def test_headings_order_rows_by_links() -> None:
    frame = frame_of(query=[("seite", "3"), ("q", "a&b"), ("sort", "name")])
    table = DataTable("T", COLUMNS, [], sort=Sort("name"))
    outline = Outline(drawn("{{ ui.data_table(table) }}", table=table, frame=frame))
    assert [a["href"] for a in outline.all("a")] == [
        "/liste?q=a%26b&sort=-name", "/liste?q=a%26b&sort=cases", "/liste?q=a%26b&sort=share",
    ]  # fmt: skip
    assert [th.get("aria-sort") for th in outline.all("th")] == ["ascending", None, None]
    assert sort_of("-cases", COLUMNS, Sort("name")) == Sort("cases", descending=True)
    assert sort_of(None, COLUMNS, Sort("name")) == Sort("name")
    with pytest.raises(ParameterError):
        sort_of("quatsch", COLUMNS, Sort("name"))


def test_rows_without_a_value_come_last_in_both_directions() -> None:
    rows: list[Any] = ["Öjendorf", None, "Altona", Mark.SUPPRESSED, "Zoo", "ottensen", "Straße", "Strasse"]
    for descending in (False, True):
        given = ordered(rows, lambda row: row, Sort("x", descending))
        assert given[-2:] == [None, Mark.SUPPRESSED]
        assert given[:-2] == sorted(
            [r for r in rows if isinstance(r, str) and r != "•"],
            key=lambda r: r.casefold().replace("ö", "o").replace("ß", "ss"),
            reverse=descending,
        )


def test_a_pager_never_leaves_the_list() -> None:
    assert Pager.of(1, 0, 50) == Pager(1, 1, 0, 0, 0)
    assert Pager.of(99, 101, 50) == Pager(3, 3, 101, 101, 101)
    assert Pager.of(2, 101, 50) == Pager(2, 3, 51, 100, 101)
    shown = drawn("{{ ui.pager(pages) }}", pages=Pager.of(2, 101, 50), frame=frame_of(query=[("q", "x")]))
    assert [a["href"] for a in Outline(shown).all("a")] == ["/liste?q=x", "/liste?q=x&seite=3"]
    assert drawn("{{ ui.pager(pages) }}", pages=Pager.of(1, 50, 50)).strip() == ""


def test_forms_hand_on_what_they_do_not_ask() -> None:
    frame = frame_of(language="en", query=[("sort", '"><b>'), ("q", "weg")])
    source = drawn('{% call ui.form("/liste", keep=["sort"]) %}<i></i>{% endcall %}', frame=frame)
    assert Outline(source).all("input") == [
        {"type": "hidden", "name": "sort", "value": '"><b>'}, {"type": "hidden", "name": "lang", "value": "en"},
    ]  # fmt: skip


def test_addresses_are_encoded() -> None:
    assert address("/gebiete/x/Ä b?", [("q", "a&b=c"), ("n", "ü")]) == "/gebiete/x/%C3%84%20b%3F?q=a%26b%3Dc&n=%C3%BC"


def test_numbers_and_days_in_both_languages() -> None:
    frame, values = frame_of(language="en"), {"n": 1234.5, "d": dt.date(2025, 12, 31)}
    german = drawn("{{ n|number(1) }} {{ 0.285|percent }} {{ d|date }} {{ none|date }} {{ (6, 14)|ages }}", **values)
    assert german == "1.234,5 28,5\N{NO-BREAK SPACE}% 31.12.2025 nicht angegeben für 6 bis unter 14 Jahre"
    english = drawn("{{ n|number(1) }} {{ d|date }} {{ (None, 14)|ages }}", frame=frame, **values)
    assert english == "1,234.5 31 December 2025 under 14 years"


def test_not_found_is_told_without_a_trace(client: TestClient) -> None:
    assert NotFoundError.__name__ not in client.get("/gibt-es-nicht", headers=PAGE).text
