"""The views of controlling and of the budget over HTTP: the report's numbers on a page, its files, whose eyes."""

import html
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Database
from service_help import API, client_of, workbook
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.controlling_budget_question import BudgetRow
from geodata.viewer import Role, Viewer
from layers.chart_parts import CITY_LOOK
from service.exports.budget_table import of_budget
from service.pages import planning_budget, planning_controlling_tables
from service.pages.components import Mark

PATH = "/planung/controlling"
BUDGET = f"{PATH}/budget"
ADMIN = Viewer(Role.ADMIN)
BREMEN = {"level": "sozialzentrum"}


@pytest.fixture(scope="module")
def client(examples_database: Database) -> TestClient:
    return client_of(examples_database.serving, ADMIN)


def page(client: TestClient, path: str = PATH, **asked: str | list[str]) -> str:
    answer = client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.text


def plain(body: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body))).replace("\N{NO-BREAK SPACE}", " ")


def line(body: str, group: str, title: str) -> list[str]:
    """The cells of a line of the first table of the report that has this group."""
    for table in re.findall(r'<div class="tabelle tafel".*?</table>', body, re.DOTALL):
        for part in re.findall(r"<tbody>.*?</tbody>", table, re.DOTALL):
            rows = [[plain(cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
                    for row in re.findall(r"<tr.*?</tr>", part, re.DOTALL)]  # fmt: skip
            if rows[0][0] == group:
                return next(row[1:] for row in rows if row[0] == title)
    raise AssertionError(f"no group {group}")


def test_areas_beside_each_other_and_beside_the_city(client: TestClient) -> None:
    body = page(client, **BREMEN, measure="help_density")
    group = "Hilfedichte (Fälle je 1.000 Jugendeinwohner)"
    assert line(body, group, "Gröpelingen/Walle") == ["55,4", "54,2", "50,1", "44,2", "44,3", "49,2", "50,6"]
    assert line(body, group, "Stadt Bremen")[-1] == "38,7"
    assert line(body, "Abstand zur Stadt: Hilfedichte", "Gröpelingen/Walle")[-1] == "+11,9"
    assert line(body, "Effekt gegen Vergleich: Fälle, in Prozentpunkten", "Nord")[-1] == "−19,6"
    assert (
        "2020: am höchsten in Gröpelingen/Walle (50,6), am niedrigsten in Mitte/Östl. Vorstadt/Findorff (30,7). "
        "Stadt Bremen: 38,7."
    ) in plain(body)


def test_the_city_is_none_of_the_areas(client: TestClient) -> None:
    # Of these measures neither a difference to the city nor an Effekt is told.
    for measure in ("spending_per_case", "help_quotient"):
        (said,) = re.findall(
            r"2020: am höchsten in .*?\)\. Stadt Bremen: [\d.,]+\.", plain(page(client, **BREMEN, measure=measure))
        )
        assert "Stadt Bremen (" not in said


def test_the_page_says_what_the_report_says(client: TestClient) -> None:
    body = page(client, **BREMEN)
    file = client.get(f"{PATH}/bericht.xlsx", params=BREMEN)
    assert file.status_code == 200
    book = workbook(file.content)
    shown = line(body, "Kosten je Jugendeinwohner in €", "Nord")
    found = [cell.value for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert "Kosten je Jugendeinwohner in €" in found
    assert shown == ["1.460", "1.467", "1.363", "1.300", "1.340", "1.363", "1.496"]
    api = client.get(f"{API}/controlling", params={**BREMEN, "base": "2014", "limit": "9999"}).json()["rows"]
    (nord,) = [row["spending_per_resident"] for row in api
               if (row["area_name"], row["period"], row["position"]) == ("Nord", "2020", "alle_hilfen")
               and row["counting"] == "mittel_12_stichtage"]  # fmt: skip
    assert f"{nord:,.0f}".replace(",", ".") == shown[-1]


def test_the_zielschwelle_and_who_is_over_it(client: TestClient) -> None:
    said = plain(page(client, **BREMEN))
    assert "2020 liegt keines der 3 Gebiete mit Angaben über der Zielschwelle (Ausgaben 2014 plus 4 % je Jahr)." in said
    lower = plain(page(client, **BREMEN, growth_pct="2.5"))
    assert "über der Zielschwelle (Ausgaben 2014 plus 2,5 % je Jahr): Nord und Gröpelingen/Walle." in lower
    assert 'value="2.5"' in page(client, **BREMEN, growth_pct="2.5")
    later = plain(page(client, **BREMEN, base="2016"))
    assert "(Ausgaben 2016 plus 4 % je Jahr)" in later


def test_years_can_be_narrowed(client: TestClient) -> None:
    body = page(client, **BREMEN, **{"from": "2018", "to": "2019"})
    assert line(body, "Kosten je Jugendeinwohner in €", "Nord") == ["1.340", "1.363"]


def test_a_choice_of_areas(client: TestClient, examples_database: Database) -> None:
    with examples_database.serving.connect() as connection:
        found = connection.execute(text("SELECT name, key FROM area_visible WHERE level = 'sozialzentrum'")).all()
        keys = {str(row.name): str(row.key) for row in found}
    chosen = [f"sozialzentrum:{keys[name]}" for name in ("Nord", "Gröpelingen/Walle")]
    body = page(client, area=chosen)
    assert "Mitte/Östl. Vorstadt/Findorff (" not in plain(body)
    (alone,) = [page(client, area=chosen[:1])]
    assert '<details class="kapitel" open>' in alone
    assert f"/api/v1/controlling?level=sozialzentrum&amp;area=sozialzentrum%3A{keys['Nord']}" in alone
    # The API knows one area or all of a level: of two it gives no file, so none is offered.
    assert "/api/v1/controlling?" not in body


def test_each_chart_has_its_table_and_its_file(client: TestClient) -> None:
    body = page(client, **BREMEN)
    figures = re.findall(r'<figure class="bild".*?</figure>', body, re.DOTALL)
    assert len(figures) >= 4
    files = [html.unescape(href) for one in figures for href in re.findall(r'href="([^"]+\.svg[^"]*)"', one)]
    assert len(files) == len(figures)
    for one, href in zip(figures, files, strict=True):
        assert "<table" in one
        (title,) = re.findall(r"<figcaption>(.*?)</figcaption>", one)
        answer = client.get(href)
        assert answer.status_code == 200
        assert f"<title>{title}</title>" in answer.text
    for wrong in ("99", "0", "01", "0000019999", "9" * 5000, "1.5", "-1", "²", "eins"):
        assert client.get(f"{PATH}/diagramm-{wrong}.svg", params=BREMEN).status_code == 404, wrong


@pytest.mark.parametrize(("version", "said"), [("veroeffentlichung", "Veröffentlichungsfassung"),
                                               ("intern", "Interne Fassung")])  # fmt: skip
@pytest.mark.parametrize(
    ("path", "asked", "file"),
    [(f"{PATH}/diagramm-1.svg", BREMEN, "diagramm-1"), (f"{PATH}/diagramm-2.svg", BREMEN, "diagramm-2"),
     (f"{BUDGET}/ausgaben.svg", {}, "ausgaben")],
)  # fmt: skip
def test_a_chart_taken_along_says_what_it_is(
    client: TestClient, path: str, asked: dict[str, str], file: str, version: str, said: str
) -> None:
    answer = client.get(path, params={**asked, "version": version})
    assert answer.status_code == 200, answer.text
    text_of_it = html.unescape(answer.text)
    assert said in text_of_it
    assert "Veröffentlichte Zahlen" in text_of_it  # the notice of the examples
    assert re.search(r"Quelle: .*Stand: \d\d\.\d\d\.\d{4}; Lizenz: ", text_of_it)
    assert "Methode: " in text_of_it
    assert f'filename="{file}-controlling-{version}.svg"' in answer.headers["content-disposition"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.content == client.get(path, params={**asked, "version": version}).content


def test_a_chart_of_invented_data_says_so(demo_database: Database) -> None:
    demo = client_of(demo_database.serving, ADMIN)
    for path in (f"{PATH}/diagramm-1.svg", f"{BUDGET}/ausgaben.svg"):
        answer = demo.get(path)
        assert answer.status_code == 200, answer.text
        assert "Beispieldaten" in answer.text


def test_the_city_looks_the_same_in_every_chart(demo_database: Database) -> None:
    demo = client_of(demo_database.serving, ADMIN)
    body = page(demo, level="bezirk")
    charts = re.findall(r'<figure class="bild" id="diagramm-[12]">.*?</figure>', body, re.DOTALL)
    assert len(charts) == 2  # of seven areas six are in the first
    for one in charts:
        assert f'stroke="{CITY_LOOK.colour}" stroke-width="2"' in one


def test_periods_are_written_in_words(client: TestClient) -> None:
    body = page(client, level="stadtteilbuero")
    heads = re.findall(r'<th scope="col" class="zahl">([^<]+)</th>', body)
    assert "31.07.2019" in heads
    assert not re.search(r"2019-(07|12)|201[45]-H1", plain(body))
    found = plain(page(client, level="stadt"))
    assert not re.search(r"2019-(07|12)|201[45]-H1", found), found[
        max(0, found.find("-H1") - 200) : found.find("-H1") + 60
    ]


def test_no_name_of_a_column_is_told(client: TestClient) -> None:
    said = plain(page(client, **BREMEN)) + plain(page(client, BUDGET))
    for name in ("help_density", "change_pct", "effect_pp", "diff_to_city", "target_eur", "net_effect_difference_eur",
                 "budget_use", "_pct", "_pp", "(base)"):  # fmt: skip
        assert name not in said
    assert "der Abstand zur Prognose ist der Nettoeffekt minus dem der Prognose" in said
    assert "Ausschöpfungsgrad als Bruch" in said


def test_the_api_file_is_told_against_the_base_of_the_page(client: TestClient) -> None:
    body = page(client, **BREMEN)
    (href,) = [one for one in map(html.unescape, re.findall(r'href="([^"]+)"', body))
               if one.startswith(f"{API}/controlling?") and "format=xlsx" in one]  # fmt: skip
    assert "base=2014" in href
    sheet = workbook(client.get(href).content)["Daten"]
    heads = [cell.value for cell in sheet[1]]
    at = [heads.index(name) for name in ("Veränderung gegen das Basisjahr in %", "Zielschwelle in €")]
    found = [[row[one].value for one in at] for row in sheet.iter_rows(min_row=2)]
    assert all(any(values[place] is not None for values in found) for place in (0, 1))


def test_the_address_to_share_shows_the_same_when_there_is_more(client: TestClient) -> None:
    body = page(client, **BREMEN)
    (href,) = map(html.unescape, re.findall(r'data-copy="([^"]+)"', body))
    asked = parse_qs(urlsplit(href).query)
    assert asked == {
        "level": ["sozialzentrum"], "from": ["2014"], "to": ["2020"], "base": ["2014"],
        "measure": ["spending_per_resident"], "growth_pct": ["4"],
    }  # fmt: skip
    assert plain(client.get(href).text).count("2020: ") == plain(body).count("2020: ")
    for file in re.findall(r'href="([^"]+(?:diagramm-\d|bericht)[^"]+)"', body):
        assert parse_qs(urlsplit(html.unescape(file)).query) == asked
    budget = page(client, BUDGET)
    (href,) = map(html.unescape, re.findall(r'data-copy="([^"]+)"', budget))
    assert parse_qs(urlsplit(href).query) == {
        "area": ["bezirk:1"], "from": ["2017"], "to": ["2020"], "base": ["2017"],
    }  # fmt: skip


def test_the_budget_is_asked_for_years(client: TestClient) -> None:
    body = page(client, level="stadt", **{"from": "2014-H1", "to": "2015-H1", "base": "2014-H1", "version": "intern"})
    (href,) = map(html.unescape, re.findall(rf'href="({BUDGET}[^"]*)"', body))
    asked = parse_qs(urlsplit(href).query)
    assert {name: asked[name] for name in ("from", "to", "version")} == {
        "from": ["2014"], "to": ["2015"], "version": ["intern"],
    }  # fmt: skip
    assert "base" not in asked
    assert client.get(href).status_code == 200


def test_a_report_is_looked_through_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("comparisons", "chapters"):
        real = getattr(planning_controlling_tables, name)

        def counting(*given: Any, _name: str = name, _real: Any = real) -> Any:
            asked.append(_name)
            return _real(*given)

        monkeypatch.setattr(planning_controlling_tables, name, counting)
    page(client, **BREMEN, growth_pct="3.25")  # nobody has asked for it yet
    assert asked == ["comparisons", "chapters"]


def test_in_the_budget_only_what_is_suppressed_is_marked() -> None:
    values: dict[str, Any] = dict.fromkeys(BudgetRow.__slots__)
    row = BudgetRow(**(values | {
        "area_level": "bezirk", "area_key": "1", "area_name": "Mitte", "period": "2020", "flag": "suppressed",
        "expected_eur": 5.0, "suppressed_fields": ("spending_eur",),
    }))  # fmt: skip
    table = of_budget([row, replace(row, period="2021", forecast_spending_eur=3.0)], "Budget")
    assert table is not None
    spent, ahead = (table.line((name, "")) for name in ("spending_eur", "forecast_spending_eur"))
    assert spent is not None
    assert ahead is not None
    assert [cell.suppressed for cell in spent.cells] == [True, True]
    assert [(cell.value, cell.suppressed) for cell in ahead.cells] == [(None, False), (3.0, False)]
    (_title, chart), *_rest = [(one.title, one) for one in planning_budget._pictures([row], [])]
    assert chart.table is not None
    assert chart.table.rows == [{"period": "2020", "spending_eur": Mark.SUPPRESSED, "expected_eur": 5.0}]


def test_nothing_to_compare_is_said(client: TestClient) -> None:
    said = plain(page(client, level="stadt", measure="cases"))
    assert "Dazu lassen sich diese Gebiete nicht nebeneinanderstellen." in said
    assert "Alle Kennzahlen nach Gebieten" in said


@pytest.mark.parametrize("kind", ["xlsx", "pdf"])
def test_the_report_is_a_file_of_the_published_version(client: TestClient, kind: str) -> None:
    answer = client.get(f"{PATH}/bericht.{kind}", params=BREMEN)
    assert answer.status_code == 200, answer.text
    assert answer.content[:4] == {"xlsx": b"PK\x03\x04", "pdf": b"%PDF"}[kind]
    assert f'filename="controlling-veroeffentlichung.{kind}"' in answer.headers["content-disposition"]
    assert answer.headers["cache-control"].startswith("private")
    assert client.get(f"{PATH}/bericht.docx", params=BREMEN).status_code == 404


def test_the_internal_report_is_asked_for_and_logged(client: TestClient, examples_database: Database) -> None:
    def logged() -> int:
        with examples_database.writing.connect() as connection:
            found: int = connection.execute(text("SELECT count(*) FROM audit WHERE action = 'intern'")).scalar_one()
            return found

    before = logged()
    answer = client.get(f"{PATH}/bericht.xlsx", params={**BREMEN, "version": "intern"})
    assert answer.status_code == 200
    assert "controlling-intern.xlsx" in answer.headers["content-disposition"]
    assert logged() == before + 1
    assert "nicht für öffentliche Sitzungen" in page(client, **BREMEN, version="intern")


def test_the_views_are_for_planners(examples_database: Database) -> None:
    public = client_of(examples_database.serving)
    for path in (PATH, BUDGET, f"{PATH}/bericht.xlsx", f"{PATH}/bericht.pdf", f"{PATH}/diagramm-1.svg",
                 f"{BUDGET}/ausgaben.svg"):  # fmt: skip
        assert public.get(path).status_code == 403, path


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"level": "dorf"}, "Auf der Ebene „dorf“ gibt es keine Zahlen."),
        ({"measure": "alles"}, "„measure“ kennt den Wert „alles“ nicht."),
        ({"base": "abc"}, "„abc“ ist kein Zeitraum"),
        ({"from": "2020", "to": "2018"}, "endet (2018), bevor er beginnt (2020)."),
        ({"growth_pct": "viel"}, "„growth_pct“ muss eine Zahl"),
        ({"area": "sozialzentrum:nichts"}, "gibt es nicht."),
        ({"jahr": "2020"}, "Den Parameter „jahr“ gibt es hier nicht."),
    ],
)
def test_wrong_parameters_are_said_in_german(client: TestClient, asked: dict[str, str], said: str) -> None:
    answer = client.get(PATH, params=asked, headers={"accept": "text/html"})
    assert answer.status_code == 400
    assert said in plain(answer.text)


def test_the_budget_of_hamburg_mitte(client: TestClient) -> None:
    body = page(client, BUDGET)
    assert line(body, "Erwartete Ausgaben und Steuerungseffekt", "Steuerungseffekt in €") == [
        "k. A.", "−1.356.539", "−1.063.925", "−3.812.290 g",
    ]  # fmt: skip
    assert (
        "2020 wurden 3,81 Mio. € weniger ausgegeben als erwartet; nach Abzug der UMA-Minderausgaben sind es "
        "1,66 Mio. € mehr."
    ) in plain(body)
    assert "k. A. keine Angabe; das ist nicht null." in plain(body)


def test_net_effects_forecast_beside_actual(client: TestClient, examples_database: Database) -> None:
    with examples_database.serving.connect() as connection:
        key = connection.execute(text("SELECT key FROM area_visible WHERE name = 'Gröpelingen/Walle'")).scalar_one()
    body = page(client, BUDGET, area=f"sozialzentrum:{key}")
    api = client.get(f"{API}/controlling/budget", params={"area": f"sozialzentrum:{key}"}).json()["rows"]
    known = [row for row in api if row["forecast_net_effect_eur"] is not None or row["net_effect_eur"] is not None]
    beside = "Nettoeffekt nach Jahren in €: Prognose neben Ist" in plain(body)
    assert beside is bool(known)


def test_the_budget_refuses_what_is_no_year(client: TestClient) -> None:
    answer = client.get(BUDGET, params={"from": "2014-H1"}, headers={"accept": "text/html"})
    assert answer.status_code == 400
    assert "ist kein Jahr; das Budget gibt es nur nach Jahren." in plain(answer.text)
    assert client.get(f"{BUDGET}/geheim.svg").status_code == 404


def test_no_script_or_style_in_attributes(client: TestClient) -> None:
    for path in (PATH, BUDGET):
        answer = client.get(path)
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert not re.search(r"<[^>]+\s(on\w+|style)=", answer.text)
