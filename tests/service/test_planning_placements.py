"""The view of placements over HTTP: what stands there without a question, its switches, its files, whose eyes."""

import html
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Database
from service_help import API, client_of, workbook
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.viewer import Role, Viewer
from layers.flows import STATES

PATH = "/planung/unterbringung"
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
MITTE = {"level": "sozialraum", "area": "bezirk:1"}


@pytest.fixture(scope="module")
def planner(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving, PLANNER)


@pytest.fixture(scope="module")
def examples(examples_database: Database) -> TestClient:
    return client_of(examples_database.serving, PLANNER)


def page(client: TestClient, **asked: str) -> str:
    answer = client.get(PATH, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.text


def plain(body: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body))).replace("\N{NO-BREAK SPACE}", " ")


def cells(body: str, identity: str) -> list[list[str]]:
    """The rows of a table of the page."""
    (table,) = re.findall(rf'<table id="{identity}".*?</table>', body, re.DOTALL)
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    return [[plain(cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in rows]


def links(body: str) -> Iterator[str]:
    return map(html.unescape, re.findall(r'<a href="([^"]+)" download', body))


def test_the_published_quarter_of_hamburg_mitte(examples: TestClient) -> None:
    said = plain(page(examples))
    assert "Hamburg-Mitte: 287 von 540 Fällen nach § 34 bei Trägern außerhalb von Hamburg (53,1 %; " in said
    assert "Seit dem 3. Quartal 2019 ist der Anteil um 2,7 Prozentpunkte gestiegen." in said
    assert "Die Veränderung ist statistisch nicht gesichert." in said


def test_an_area_without_shape_is_everywhere_but_on_the_map(examples: TestClient) -> None:
    body = page(examples)
    assert "Zu diesen Gebieten sind keine Flächen geladen" in body
    assert "srk-choropleth" not in body
    (row,) = cells(body, "anteile")[1:]
    assert row[:4] == ["Hamburg-Mitte", "540", "287", "53,1 %"]
    assert row[-1] == "fehlt"  # what is near is not known
    assert ["Bayern", "0"] in [one[:2] for one in cells(body, "laender")] or ["Bayern", "•"] in cells(body, "laender")


def test_without_a_question_the_newest_quarter_of_all_offices(planner: TestClient) -> None:
    body = page(planner)
    heads, *rows = cells(body, "anteile")
    assert len(rows) == 7
    assert heads[:3] == ["Gebiet", "Fälle", "davon außerhalb"]
    assert any("seit 4. Quartal 2023" in head for head in heads)
    shares = [float(row[heads.index("Anteil außerhalb ▼")].replace(",", ".").removesuffix(" %")) for row in rows]
    assert shares == sorted(shares, reverse=True)  # the worst first
    assert {row[-2] for row in rows} <= {"ja", "nein", "•"}
    assert "Hamburg: 1.028 von 2.103 Fällen" in plain(body)


def test_page_and_api_show_the_same_numbers(planner: TestClient) -> None:
    heads, *rows = cells(page(planner, **MITTE), "anteile")
    asked = {**MITTE, "compare": "2023-Q4"}
    told = {row["area_name"]: row for row in planner.get(f"{API}/placements", params=asked).json()["rows"]}
    assert {row[0] for row in rows} == told.keys()
    for row in rows:
        one = dict(zip(heads, row, strict=True))
        cases = told[row[0]]["cases"]
        assert one["Fälle"] == ("•" if cases is None else f"{cases}")


def test_suppressed_missing_and_nought_are_three_things(planner: TestClient) -> None:
    body = page(planner, **MITTE)
    rows = cells(body, "anteile")
    assert any("•" in row for row in rows)
    legend = plain(body.split('class="legende"')[1].split("</ul>")[0])
    assert re.search(r"0 0 Gebiete.*keine Angabe 0 Gebiete unterdrückt 1 Gebiet", legend), legend
    states = dict(one[:2] for one in cells(body, "laender")[1:])
    assert {"•", "0"} <= set(states.values())
    assert set(STATES) <= states.keys()


def test_of_a_suppressed_area_nothing_is_told(planner: TestClient) -> None:
    body = page(planner, **MITTE)
    hidden = [row for row in cells(body, "anteile")[1:] if row[1] == "•"]
    assert len(hidden) == 1
    (row,) = hidden
    assert set(row[1:-1]) == {"•"}  # the last column is of homes, not of cases
    (near,) = [one for one in cells(body, "naehe-tabelle")[1:] if one[1] == row[0]]
    assert [near[at] for at in (0, 2, 5)] == ["•", "•", "•"]
    assert "zum Schutz kleiner Fallzahlen unterdrückt" in near[-1]
    assert re.search(rf'"{re.escape(row[0])}", \d+, "unterdr\\u00fcckt", ""\]', body)  # what the map is given


def test_which_areas_have_no_place_near_and_why(planner: TestClient) -> None:
    body = page(planner, **MITTE)
    assert "haben 2 im Umkreis von 5 km und im Gebiet keinen freigegebenen Platz:" in plain(body)
    _heads, *rows = cells(body, "naehe-tabelle")
    first = rows[0]
    assert (first[0], first[4]) == ("1", "keiner")
    assert "der nächste Platz liegt" in first[-1]


def test_one_switch_to_cases_per_1000(planner: TestClient) -> None:
    body = page(planner, **MITTE)
    (href,) = re.findall(r'<a href="([^"]+)">Fälle je 1.000 unter 21-Jährige</a>', body)
    asked = parse_qs(urlsplit(html.unescape(href)).query)
    assert asked == {"level": ["sozialraum"], "area": ["bezirk:1"], "show": ["per_1000"]}
    per_1000 = page(planner, **MITTE, show="per_1000")
    heads, *rows = cells(per_1000, "anteile")
    values = [float(row[heads.index("je 1.000 unter 21-Jährige ▼")].replace(",", ".")) for row in rows if row[1] != "•"]
    assert values == sorted(values, reverse=True)
    assert "Die meisten Fälle je 1.000 unter 21-Jährige hat" in plain(per_1000)
    assert "(je 1.000)" in plain(per_1000)


def test_where_there_is_no_origin_the_switch_leads_to_a_level_that_has_it(planner: TestClient) -> None:
    (href,) = re.findall(r'<a href="([^"]+)">Fälle je 1.000 unter 21-Jährige</a>', page(planner))
    assert parse_qs(urlsplit(html.unescape(href)).query) == {"show": ["per_1000"], "level": ["sozialraum"]}
    # The form changes the level alone: it is said, not refused.
    said = plain(page(planner, show="per_1000", level="bezirk"))
    assert "Auf der Ebene Bezirk sind die Fälle nur nach zuständigem Jugendamt angegeben." in said


def test_a_quarter_is_never_compared_with_itself(planner: TestClient) -> None:
    assert "seit 4. Quartal 2023" in plain(page(planner, period="2024-Q4", compare="2024-Q4"))
    first = page(planner, period="2023-Q4", show="change")
    assert "Vor diesem Zeitraum ist keiner geladen" in first
    assert "statistisch gesichert" not in plain(first)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"level": "dorf"}, "Auf der Ebene „dorf“ gibt es keine Unterbringungen."),
        ({"period": "2025-Q5"}, "ist kein Zeitraum"),
        ({"period": "2019-Q1"}, "Für „2019-Q1“ gibt es"),
        ({"compare": "2019-Q1"}, "Für „2019-Q1“ gibt es"),
        ({"area": "bezirk:99"}, "In „bezirk:99“ liegt kein Gebiet"),
        ({"flow": "sozialraum:S101"}, "Für dieses Gebiet sind die Bundesländer nicht angegeben."),
        ({"show": "alles"}, "„show“ kennt den Wert „alles“ nicht."),
        ({"near_km": "0"}, "„near_km“ muss eine Zahl"),
        ({"paragraph": "99"}, "Zu § 99 gibt es keine Unterbringungen."),
        ({"sort": "farbe"}, "Nach „farbe“ kann nicht sortiert werden."),
        ({"periode": "2025-Q4"}, "Den Parameter „periode“ gibt es hier nicht."),
    ],
)
def test_wrong_parameters_are_said_in_german(planner: TestClient, asked: dict[str, str], said: str) -> None:
    answer = planner.get(PATH, params=asked, headers={"accept": "text/html"})
    assert answer.status_code == 400
    assert said in plain(answer.text)


def test_every_file_of_the_page_opens_and_is_the_published_version(planner: TestClient) -> None:
    body = page(planner, **MITTE, sort="name", method="pretty")
    hrefs = list(links(body))
    assert len(hrefs) >= 14
    for href in hrefs:
        answer = planner.get(href)
        assert answer.status_code == 200, (href, answer.text[:300])
        assert "version=intern" not in href
    (table,) = [href for href in hrefs if "/placements?" in href and "xlsx" in href and "series" not in href]
    sheet = workbook(planner.get(table).content)
    heads = [cell.value for cell in sheet["Daten"][1]]
    cases = [row[heads.index("Fälle")].value for row in sheet["Daten"].iter_rows(min_row=2)]
    assert {type(value) for value in cases} == {int, str}  # numbers are numbers, a suppressed one is its sign
    assert [value for value in cases if isinstance(value, str)] == ["•"]


@pytest.mark.parametrize("name", ["karte.svg", "karte.png", "laender.svg", "laender.png", "verlauf.svg"])
def test_pictures_of_the_same_parameters(planner: TestClient, name: str) -> None:
    answer = planner.get(f"{PATH}/{name}", params=MITTE)
    assert answer.status_code == 200, answer.text
    assert answer.content == planner.get(f"{PATH}/{name}", params=MITTE).content
    if name in {"karte.svg", "laender.svg"}:
        said = html.unescape(answer.text)
        assert "Veröffentlichungsfassung" in said
        assert "Beispieldaten" in said
        assert "Stand: 01.01.2026" in said


def test_the_internal_version_is_asked_for_marked_and_logged(planner: TestClient, demo_database: Database) -> None:
    def logged() -> int:
        with demo_database.writing.connect() as connection:
            found: int = connection.execute(text("SELECT count(*) FROM audit WHERE action = 'intern'")).scalar_one()
            return found

    before = logged()
    body = page(planner, **MITTE, version="intern")
    assert logged() == before + 1
    assert "nicht für öffentliche Sitzungen" in body
    heads, *rows = cells(body, "anteile")
    assert all("•" not in row for row in rows)
    assert any(head.startswith("mittlere Entfernung") for head in heads)
    assert all("version=intern" in href for href in links(body))
    # Only the own office's counts are told as they are.
    own, other = (cells(page(planner, version="intern", flow=area), "laender") for area in ("bezirk:1", "bezirk:2"))
    assert all(row[1] != "•" for row in own)
    assert any(row[1] == "•" for row in other)


def test_the_view_is_for_planners(demo_database: Database) -> None:
    public = client_of(demo_database.serving)
    assert public.get(PATH).status_code == 403
    for name in ("karte.svg", "laender.svg", "verlauf.svg"):
        assert public.get(f"{PATH}/{name}").status_code == 403


def test_it_works_without_scripts_and_with_a_strict_policy(planner: TestClient) -> None:
    answer = planner.get(PATH)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert not re.search(r"<[^>]+\s(on\w+|style)=", answer.text)
    assert "<noscript><img" in answer.text
