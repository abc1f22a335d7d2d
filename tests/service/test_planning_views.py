"""The planning desk: who may see it, versions, Kennzahlen, Versorgung, Erreichbarkeit, Bestand und Bedarf as pages."""

import html
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import figures_town as town
import pytest
from conftest import Database
from service_help import API, client_of, csv_rows
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.viewer import Role, Viewer
from service.pages.planning_views import VIEWS

PAGE = {"accept": "text/html"}
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
OWN = ("kennzahlen", "versorgung", "erreichbarkeit", "bedarf")
POPULATION = "/planung/kennzahlen?indicator=population&level=stadtteil&position=total"


@pytest.fixture(scope="module")
def demo(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving, PLANNER)


@pytest.fixture(scope="module")
def small(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = new_database()
    town.build(made.writing, tmp_path_factory.mktemp("town"))
    return made


@pytest.fixture(scope="module")
def figures(small: Database) -> TestClient:
    return client_of(small.serving, PLANNER)


def page(client: TestClient, path: str, status: int = 200) -> str:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == status, answer.text[:2000]
    return answer.text


def table(body: str) -> Iterator[tuple[str | None, list[str]]]:
    """The rows of the first table: the area's key, and the cells as text."""
    first = body.partition("<tbody")[2].partition("</tbody>")[0]
    for attributes, cells in re.findall(r"<tr([^>]*)>(.*?)</tr>", first, re.DOTALL):
        key = re.search(r'data-area-key="([^"]*)"', attributes)
        texts = [re.sub(r"<[^>]*>", " ", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", cells, re.DOTALL)]
        yield key and key[1], [" ".join(html.unescape(one).split()) for one in texts]


def links(body: str, part: str) -> list[str]:
    return [html.unescape(href) for href in re.findall(r'href="([^"]*)"', body) if part in href]


def legend(body: str) -> dict[str, str]:
    found = re.findall(r'<li class="srk-class">.*?<span>(.*?)</span> <span class="srk-count">(.*?)</span>', body)
    return {html.unescape(title): count for title, count in found}


@pytest.mark.parametrize("slug", ["", *(f"/{slug}" for slug in OWN)])
def test_only_planners_see_it(demo_database: Database, demo: TestClient, slug: str) -> None:
    path = f"/planung{slug}"
    for viewer in (None, Viewer(Role.PROVIDER, provider_key="x")):
        assert client_of(demo_database.serving, viewer).get(path, headers=PAGE).status_code == 403
    body = page(demo, path)
    # The navigation leads to every view, and says where we are.
    for view in VIEWS:
        assert f'href="{view.href}"' in body
    assert ('aria-current="page"' in body.partition('class="ansichten"')[2].partition("</nav>")[0]) == bool(slug)


@pytest.mark.parametrize("slug", OWN)
def test_pictures_are_for_planners_too(demo_database: Database, demo: TestClient, slug: str) -> None:
    path = f"/planung/{slug}/karte.svg"
    assert client_of(demo_database.serving).get(path).status_code == 403
    answer = demo.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")
    # The same classes as on the page, the version, and the notice of the demo.
    said = html.unescape(re.sub(r"<[^>]*>", " ", answer.text))
    for title in legend(page(demo, f"/planung/{slug}")):
        assert title in said
    assert "Veröffentlichungsfassung" in said
    assert "Beispieldaten – keine amtlichen Angaben" in said
    assert demo.get(f"/planung/{slug}/karte.gif").status_code == 404


def test_a_picture_as_png(demo: TestClient) -> None:
    answer = demo.get("/planung/bedarf/karte.png")
    assert answer.content.startswith(b"\x89PNG")
    assert answer.headers["content-disposition"] == 'attachment; filename="karte-bedarf-veroeffentlichung.png"'


@pytest.mark.parametrize("slug", OWN)
def test_what_can_be_taken_along_is_what_is_shown(demo: TestClient, slug: str) -> None:
    body = page(demo, f"/planung/{slug}?level=bezirk")
    shown = {key: cells for key, cells in table(body) if key is not None}
    assert len(shown) == 7
    files = links(body, "/api/v1/")
    assert {dict(parse_qsl(urlsplit(one).query))["format"] for one in files if "format" in one} == {
        "csv", "xlsx", "geojson", "gpkg"}  # fmt: skip
    for one in files:
        assert demo.get(one).status_code == 200, one
    rows = {row["area_key"]: row for row in csv_rows(demo.get(next(one for one in files if "csv" in one)).content)}
    assert set(rows) >= set(shown)
    column = {"kennzahlen": "value", "versorgung": "supply_per_1000", "erreichbarkeit": "reach_share",
              "bedarf": "deficit_per_1000"}[slug]  # fmt: skip
    for key, cells in shown.items():
        value = float(rows[key][column]) * (100 if column == "reach_share" else 1)
        written = cells[3 if slug == "bedarf" else 1].replace(".", "").replace(",", ".")
        assert value == pytest.approx(float(written), abs=0.51 if "." not in written else 0.051)


@pytest.mark.parametrize("slug", OWN)
@pytest.mark.parametrize(
    "wrong",
    ["levle=bezirk", "level=kreis", "level=bezirk&level=stadtteil", "method=zufall", "classes=1", "area=bezirk",
     "version=geheim", "sort=farbe", "area=bezirk%00:1"],
)  # fmt: skip
def test_wrong_parameters_are_said_in_german(demo: TestClient, slug: str, wrong: str) -> None:
    body = page(demo, f"/planung/{slug}?{wrong}", 400)
    assert "<h1>" in body
    assert "Traceback" not in body


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("kennzahlen?indicator=unsinn", "gibt es hier nicht"),
        ("kennzahlen?period=gestern", "kein Zeitraum"),
        ("kennzahlen?compare=gestern", "kein Zeitraum"),
        ("versorgung?category=zoo", "zoo"),
        ("versorgung?measure=reach", "measure"),
        ("versorgung?age_from=18&age_to=6", "leer"),
        ("erreichbarkeit?minutes=500", "120"),
        ("erreichbarkeit?lon=10", "Länge und Breite"),
        ("erreichbarkeit?lon=0&lat=0", "außerhalb"),
        ("erreichbarkeit?place=kein/ort", "gibt es nicht"),
        ("erreichbarkeit?show=alles", "show"),
        ("bedarf?standard=unsinn", "gibt es nicht"),
        ("bedarf?standard=beispiel-okja-weg&age_from=3", "Richtwert"),
        ("bedarf?need1=unsinn", "unsinn"),
        ("bedarf?need=x&need1=y", "need"),
        ("bedarf?show=farbe", "show"),
    ],
)
def test_what_each_view_refuses(demo: TestClient, path: str, said: str) -> None:
    assert said in html.unescape(page(demo, f"/planung/{path}", 400))


@pytest.mark.parametrize("slug", OWN)
def test_the_internal_version_is_marked_logged_and_kept_in_links(
    demo_database: Database, demo: TestClient, slug: str
) -> None:
    def logged() -> int:
        with demo_database.writing.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM audit WHERE action = 'intern'")).scalar_one())

    before = logged()
    body = page(demo, f"/planung/{slug}?version=intern")
    assert "enthält kleine Fallzahlen, nicht für öffentliche Sitzungen" in body
    assert all("version=intern" in one for one in links(body, "/api/v1/"))
    assert 'name="version" value="intern"' in body
    assert demo.get(f"/planung/{slug}/karte.svg?version=intern").status_code == 200
    assert logged() == before + 2
    assert "nicht für öffentliche Sitzungen" not in page(demo, f"/planung/{slug}")


def test_suppressed_missing_and_zero_are_three_things(figures: TestClient) -> None:
    body = page(figures, "/planung/kennzahlen?indicator=wohnungen&level=stadtteil")
    cells = {key: row for key, row in table(body)}
    assert cells["11"][1:] == ["55", "vorläufig"]
    assert cells["12"][1] == "•"
    assert cells["14"][1] == "fehlt"
    assert "wegen kleiner Fallzahl nicht veröffentlicht" in body
    assert {"0", "keine Angabe", "unterdrückt"} <= set(legend(body))
    assert legend(body)["unterdrückt"] == "1 Gebiet"
    assert legend(body)["0"] == "0 Gebiete"
    # Two areas that are reported together have no shape of their own.
    assert "Ohne Fläche auf der Karte" in body


def test_areas_without_figures_of_their_own_are_not_invented(figures: TestClient) -> None:
    body = page(figures, POPULATION)
    cells = {key: row for key, row in table(body)}
    assert {key: row[1] for key, row in cells.items() if key in town.TOTAL} == {
        key: f"{value:.0f}" for key, value in town.TOTAL.items()}  # fmt: skip
    assert cells[None][:2] == ["ohne räumliche Zuordnung", "7"]
    assert cells["23"][2] == "geschätzt"


def test_change_between_two_periods(figures: TestClient) -> None:
    body = page(figures, f"{POPULATION}&compare=2019-12-31")
    assert {key: row[1:3] for key, row in table(body)}["11"] == ["1", "1,0"]
    assert "Seit 2019-12-31 ist der Wert in einem Gebiet gestiegen, in 0 Gebieten gesunken" in body
    assert all("statistics/change" in one for one in links(body, "format=csv"))
    assert "spiegelbildlich um 0" in body


def test_choices_that_do_not_fit_are_replaced_with_a_word(figures: TestClient) -> None:
    body = page(figures, "/planung/kennzahlen?indicator=wohnungen&level=bezirk&position=0-18&period=1999&compare=1998")
    assert body.count('class="meldung"') == 4
    assert '<option value="stadtteil" selected>' in body


def test_periods_are_links_in_their_order(figures: TestClient) -> None:
    body = page(figures, POPULATION)
    found = [dict(parse_qsl(urlsplit(one).query))["period"] for one in links(body, "period=")]
    assert found[:2] == ["2019-12-31", "2020"]


def test_an_area_narrows_map_and_table(demo: TestClient) -> None:
    whole, part = (
        {key for key, _cells in table(page(demo, f"/planung/erreichbarkeit?level=stadtteil{area}"))}
        for area in ("", "&area=bezirk:1")
    )
    assert part < whole


def test_coverage_within_reach_is_another_measure(demo: TestClient) -> None:
    base = "/planung/versorgung?level=bezirk&category=kita&age_from=3&age_to=6&supply_unit=places"
    supply, catchment = page(demo, base), page(demo, f"{base}&measure=catchment&minutes=10")
    assert "Plätze je 1.000" in supply
    assert {row[0]: row[1] for _key, row in table(supply)} != {row[0]: row[1] for _key, row in table(catchment)}
    assert all("minutes=10" in one for one in links(catchment, "/api/v1/coverage"))


def test_the_view_from_a_place(demo: TestClient) -> None:
    chosen = re.search(r'<option value="(facilities\.okja/[^"]*)"', page(demo, "/planung/erreichbarkeit"))
    assert chosen
    body = page(demo, f"/planung/erreichbarkeit?place={chosen[1]}&minutes=20")
    assert f'<option value="{chosen[1]}" selected>' in body
    assert "Einrichtungen in Reichweite von" in body
    assert "srkMap.reach" in body
    lines = links(body, "/api/v1/reach")
    assert demo.get(next(one for one in lines if "geojson" in one)).json()["features"][0]["geometry"]
    assert "srkMap.reach" in page(demo, "/planung/erreichbarkeit?show=area")
    assert "srkMap.reach" not in page(demo, "/planung/erreichbarkeit")


def ranks(body: str) -> dict[str | None, str]:
    return {key: row[0] for key, row in table(body)}


def test_the_ranking_and_its_reasons(demo: TestClient) -> None:
    body = page(demo, "/planung/bedarf?standard=beispiel-okja-weg")
    rows = demo.get(API + "/gaps", params={"level": "stadtteil", "standard": "beispiel-okja-weg"}).json()["rows"]
    shown = list(table(body))
    assert [key or "ohne" for key, _cells in shown] == [row["area_key"] for row in rows]
    for (_key, cells), row in zip(shown, rows, strict=True):
        assert cells[2].endswith(" ".join(row["reason"].split()))
        assert cells[0] == ("–" if row["rank"] is None else str(row["rank"]))
        if row["rank"] is not None and row["rank_low"] != row["rank_high"]:
            assert cells[1].startswith(f"{row['rank_low']} bis {row['rank_high']}: ")
    assert f'href="/gebiete/stadtteil/{rows[0]["area_key"]}"' in body


def test_moving_the_standard_is_an_assumption_and_there_is_a_way_back(demo: TestClient) -> None:
    body = page(demo, "/planung/bedarf?standard=beispiel-okja-stunden&level=bezirk")
    lower, higher = links(body, "standard_value=")
    assert dict(parse_qsl(urlsplit(lower).query))["standard_value"] == "10.8"
    moved = page(demo, higher)
    assert "13,2 Wochenstunden je 1.000" in moved
    assert "ein Beschluss liegt dem nicht zugrunde" in moved
    back = links(moved, "standard=beispiel-okja-stunden")
    assert ranks(page(demo, back[0])) == ranks(body)


def test_assumptions_equal_to_a_standard_are_the_standard(demo: TestClient) -> None:
    asked = {"level": "bezirk", "category": "okja", "measure": "reach", "standard_value": "80", "age_from": "10",
             "age_to": "18", "minutes": "15", "mode": "walk"}  # fmt: skip
    same = demo.get("/planung/bedarf", params=asked, headers=PAGE).text
    assert "Quelle: Beispieldaten" in same
    assert ranks(same) == ranks(page(demo, "/planung/bedarf?standard=beispiel-okja-weg&level=bezirk"))
    other = demo.get("/planung/bedarf", params=asked | {"standard_value": "0,7"}, headers=PAGE).text
    assert "70\N{NO-BREAK SPACE}% in höchstens 15 Minuten" in other


def test_need_and_its_weights_move_ranks(demo: TestClient) -> None:
    plain = page(demo, "/planung/bedarf?standard=beispiel-okja-stunden")
    need = "need1=alleinerziehende_proz&weight1=2&need2=bev_u18_migrationshintergrund_proz&low2=true"
    weighted = page(demo, f"/planung/bedarf?standard=beispiel-okja-stunden&{need}&need_weight=3")
    assert ranks(plain) != ranks(weighted)
    assert "Standardabweichungen" in weighted
    query: dict[str, Any] = dict(parse_qsl(urlsplit(links(weighted, "format=csv")[0]).query))
    assert query["need"] == "alleinerziehende_proz*2,-bev_u18_migrationshintergrund_proz*1"
    assert query["need_weight"] == "3"


def test_without_a_stored_standard_one_is_asked_for(small: Database) -> None:
    client = client_of(small.serving, PLANNER)
    assert "kein Richtwert hinterlegt" in page(client, "/planung/bedarf")
    assert client.get("/planung/bedarf/karte.svg", headers=PAGE).status_code == 400


def test_an_empty_house_answers(database: Database) -> None:
    client = client_of(database.serving, PLANNER)
    assert "noch keine Statistiken geladen" in page(client, "/planung/kennzahlen")
    for slug in ("versorgung", "erreichbarkeit"):
        assert "noch keine Gebiete geladen" in page(client, f"/planung/{slug}", 400)


def test_areas_without_shapes_work_but_for_the_map(examples_database: Database) -> None:
    client = client_of(examples_database.serving, PLANNER)
    body = page(client, "/planung/kennzahlen")
    assert "keine Flächen geladen" in body or "srk-map" in body
    assert list(table(body))
