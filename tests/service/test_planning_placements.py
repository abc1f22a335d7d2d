"""The view of placements over HTTP: what stands there without a question, its switches, its files, whose eyes."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Database
from service_help import API, client_of, workbook
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from geodata.placement_offer import PlacementOffer, placement_offers
from geodata.placements import PlacementRow
from geodata.viewer import Role, Version, Viewer
from layers.flows import STATES
from service.pages import (
    planning_placements,
    planning_placements_asked,
    planning_placements_parts,
    planning_placements_tables,
)
from service.pages.components import Link

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


def test_a_change_is_never_told_backwards(planner: TestClient) -> None:
    # The form sends both: of 2025-Q4 against 2024-Q4 only the first was changed.
    said = plain(page(planner, period="2023-Q4", compare="2024-Q4"))
    assert "Seit dem" not in said
    assert "4. Quartal 2024 ist keiner. Davor ist kein solcher geladen." in said
    later = page(planner, period="2024-Q4", compare="2025-Q3")
    assert "3. Quartal 2025 ist keiner. Verglichen ist mit: 4. Quartal 2023." in plain(later)
    assert any("seit 4. Quartal 2023" in head for head in cells(later, "anteile")[0])
    # What fits is compared with as it is asked for, without a word.
    assert "Verglichen ist mit:" not in plain(page(planner, period="2025-Q4", compare="2025-Q3"))


def test_a_period_that_only_another_choice_has_is_said_and_left(planner: TestClient) -> None:
    body = page(planner, period="2023-Q4", counting="begonnen")
    assert (
        "Im 4. Quartal 2023 gibt es auf der Ebene Bezirk keine Angaben. Gezeigt ist der neueste Zeitraum: "
        "4. Quartal 2025."
    ) in plain(body)
    assert '<option value="2025-Q4" selected>' in body


def test_links_hand_on_only_periods_that_are_there(planner: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_first(session: Session) -> list[PlacementOffer]:
        return [
            replace(one, periods=one.periods[1:]) if one.area_role == "herkunft" else one
            for one in placement_offers(session)
        ]

    monkeypatch.setattr(planning_placements_asked, "placement_offers", without_first)
    body = page(planner, period="2024-Q4", compare="2023-Q4")
    switch = r'<a href="([^"]+)"[^>]*>Fälle je 1.000 unter 21-Jährige</a>'
    (href,) = re.findall(switch, body)
    assert parse_qs(urlsplit(html.unescape(href)).query) == {
        "period": ["2024-Q4"], "show": ["per_1000"], "level": ["sozialraum"],
    }  # fmt: skip
    (href,) = re.findall(switch, page(planner, period="2023-Q4"))
    assert "period" not in parse_qs(urlsplit(html.unescape(href)).query)
    assert planner.get(html.unescape(href)).status_code == 200
    # The form changes the level alone.
    assert "Gezeigt ist der neueste Zeitraum" in plain(page(planner, level="sozialraum", period="2023-Q4"))


def test_spaces_around_a_period_change_nothing(planner: TestClient) -> None:
    body = page(planner, period=" 2025-Q4", compare="2024-Q4 ")
    assert any("seit 4. Quartal 2024" in head for head in cells(body, "anteile")[0])
    assert '<option value="2025-Q4" selected>' in body


def test_a_remembered_order_never_leads_to_an_error(planner: TestClient) -> None:
    for sort in ("-change", "secured", "per_1000", "-distance"):
        heads = cells(page(planner, period="2023-Q4", sort=sort), "anteile")[0]
        assert "Anteil außerhalb ▼" in heads  # the usual order


def test_what_is_counted_and_cut_out_is_said(planner: TestClient) -> None:
    told = "nach Herkunft, am Stichtag; nur Hamburg-Mitte"
    body = page(planner, **MITTE)
    assert re.search(rf"<h2[^>]*>Anteil außerhalb, 4. Quartal 2025 \(§ 34\) <small>{told}</small></h2>", body)
    for identity in ("anteile", "naehe-tabelle"):
        assert re.search(rf'<table id="{identity}">\s*<caption>[^<]*\({told}\)</caption>', body)
    begun = page(planner, counting="begonnen")
    assert "<small>nach zuständigem Jugendamt, im Zeitraum begonnen</small>" in begun
    assert told in html.unescape(planner.get(f"{PATH}/karte.svg", params=MITTE).text)
    assert told in html.unescape(planner.get(f"{PATH}/verlauf.svg", params=MITTE).text)


def test_the_address_to_share_shows_the_same_when_there_is_more(planner: TestClient) -> None:
    body = page(planner)
    (href,) = map(html.unescape, re.findall(r'data-copy="([^"]+)"', body))
    asked = parse_qs(urlsplit(href).query)
    assert asked == {
        "level": ["bezirk"], "paragraph": ["34"], "period": ["2025-Q4"], "compare": ["2023-Q4"],
        "area_role": ["zustaendig"], "counting": ["stichtag"], "show": ["share"], "near_km": ["5"],
    }  # fmt: skip
    assert urlsplit(href).path == PATH
    assert cells(planner.get(href).text, "anteile") == cells(body, "anteile")
    images = [one for one in links(body) if "/planung/" in one]
    assert len(images) == 5
    for one in (*images, *map(html.unescape, re.findall(r'<img class="kartenbild" src="([^"]+)"', body))):
        assert parse_qs(urlsplit(one).query) == asked
    chosen = page(planner, **MITTE, method="pretty", version="intern", sort="name")
    (href,) = map(html.unescape, re.findall(r'data-copy="([^"]+)"', chosen))
    kept = parse_qs(urlsplit(href).query)
    assert (kept["method"], kept["version"], kept["area"]) == (["pretty"], ["intern"], ["bezirk:1"])


def test_the_legend_of_the_flow_map_stands_below_it(planner: TestClient) -> None:
    body = page(planner)
    assert '<div class="legende"><div id="map_laenderkarte-host"></div></div>' in body
    assert body.index('id="map_laenderkarte"') < body.index('id="map_laenderkarte-host"')


def test_one_case_is_one_case(planner: TestClient) -> None:
    for asked in ({}, MITTE, {"level": "stadtteil", "show": "per_1000"}):
        assert not re.search(r"\b1 Fälle", html.unescape(page(planner, **asked)))


def test_no_name_of_a_column_is_told(planner: TestClient) -> None:
    for version in ("veroeffentlichung", "intern"):
        said = plain(page(planner, **MITTE, version=version))
        for name in ("(places)", "(cases)", "provider_area_key", "Zeile „ohne“"):
            assert name not in said
        assert "Plätze, Fälle" in said


@pytest.mark.parametrize(
    ("periods", "word"),
    [(("2024-Q4", "2025-Q1"), "Quartal"), (("2024", "2025"), "Jahr"), (("2024", "2025-Q1"), "Zeitraum"),
     (("2025-07",), "Zeitraum")],
)  # fmt: skip
def test_what_there_is_to_choose_from_is_called_what_it_is(periods: tuple[str, ...], word: str) -> None:
    offer = PlacementOffer("bezirk", "Bezirk", "34", "zustaendig", "stichtag", periods)
    asked = planning_placements_asked.Wanted(
        None, None, "34", None, None, None, None, "share", 5.0, None, Version.PUBLISHED
    )
    view = planning_placements_asked.PlacementView(asked, [offer], offer, periods[-1], None, "bezirk", "Hamburg", {})
    assert view.period_word == word


def test_the_key_of_an_area_is_escaped_in_its_address() -> None:
    values: dict[str, Any] = dict.fromkeys(PlacementRow.__slots__)
    row = PlacementRow(**(values | {"area_level": "sozial raum", "area_key": "1/2 ü?", "area_name": "Raum"}))
    link = planning_placements_tables._name(row)
    assert isinstance(link, Link)
    assert link.href == "/gebiete/sozial%20raum/1%2F2%20%C3%BC%3F"


def test_nothing_is_asked_twice(planner: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(module: ModuleType, name: str, question: str) -> None:
        real = getattr(module, name)

        def counting(*given: Any) -> Any:
            asked.append(f"{question}, Reihe" if getattr(given[-1], "series", False) else question)
            return real(*given)

        monkeypatch.setattr(module, name, counting)

    for module in (planning_placements, planning_placements_parts):
        counted(module, "placements", "Fälle")
    counted(planning_placements, "home_gaps", "Plätze")
    counted(planning_placements_asked, "read_tree", "Gebiete")

    def questions(path: str, **more: str) -> list[str]:
        asked.clear()
        assert planner.get(path, params=more).status_code == 200
        return sorted(asked)

    # ``classes``: an answer nobody has asked for yet, so that none is taken from the cache. The areas, all of them
    # together and the series; the flow is of all together.
    assert questions(PATH, classes="7") == ["Fälle", "Fälle", "Fälle, Reihe", "Gebiete", "Plätze"]
    assert questions(f"{PATH}/karte.svg", classes="7") == ["Fälle", "Gebiete"]
    assert questions(f"{PATH}/verlauf.svg", classes="7") == ["Fälle", "Fälle, Reihe", "Gebiete"]
    assert questions(f"{PATH}/laender.svg", classes="7") == ["Fälle", "Gebiete"]


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
        ({"near_km": "5.00001"}, "„near_km“ hat höchstens 3 Nachkommastellen"),
        ({"near_sort": "name"}, "Den Parameter „near_sort“ gibt es hier nicht."),
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
    secured = {
        row[heads.index("Veränderung statistisch gesichert")].value for row in sheet["Daten"].iter_rows(min_row=2)
    }
    assert secured == {False, "•"}  # what the page's column says
    cases = [row[heads.index("Fälle")].value for row in sheet["Daten"].iter_rows(min_row=2)]
    assert {type(value) for value in cases} == {int, str}  # numbers are numbers, a suppressed one is its sign
    assert [value for value in cases if isinstance(value, str)] == ["•"]


@pytest.mark.parametrize("name", ["karte.svg", "karte.png", "laender.svg", "laender.png", "verlauf.svg"])
def test_pictures_of_the_same_parameters(planner: TestClient, name: str) -> None:
    answer = planner.get(f"{PATH}/{name}", params=MITTE)
    assert answer.status_code == 200, answer.text
    assert answer.content == planner.get(f"{PATH}/{name}", params=MITTE).content
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    stem, kind = name.split(".")
    file = f'filename="{stem}-unterbringung-veroeffentlichung.{kind}"'
    assert file in answer.headers["content-disposition"]
    if kind == "svg":
        said = html.unescape(answer.text)
        assert "Veröffentlichungsfassung" in said
        assert "Beispieldaten" in said
        assert "Stand: 01.01.2026" in said
        assert "Methode: Fälle (am Stichtag" in said
        assert "am Stichtag" in said
        internal = planner.get(f"{PATH}/{name}", params={**MITTE, "version": "intern"})
        assert "Interne Fassung" in internal.text
        assert f"{stem}-unterbringung-intern" in internal.headers["content-disposition"]


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
