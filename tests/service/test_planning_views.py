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
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.load import Counting
from service.pages.planning_views import VIEWS

PAGE = {"accept": "text/html"}
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
BEFORE = {"11": 99.0, "12": 201.0}
CATALOGUE = """
indicator = [
    { code = "wohnungen", title = "Wohnungen", unit = "wohnungen", kind = "count" },
    { code = "quote_pct", title = "Quote", unit = "%", kind = "rate" },
    { code = "anteil", title = "Anteil", kind = "share", numerator = "wohnungen", denominator = "population:total" },
]
help_group = [{ code = "gruppe_a", title = "Hilfen der Gruppe A" }]
"""
OWN = ("kennzahlen", "versorgung", "erreichbarkeit", "bedarf")
POPULATION = "/planung/kennzahlen?indicator=population&level=stadtteil&position=total"


@pytest.fixture(scope="module")
def demo(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving, PLANNER)


@pytest.fixture(scope="module")
def small(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made, folder = new_database(), tmp_path_factory.mktemp("town")
    town.build(made.writing, folder)
    before = [town.figure("stadtteil", key, "population", "total", "2019", value) for key, value in BEFORE.items()]
    town.load_figures(made.writing, folder, before, "statistics.vorjahr", Counting("stichtag"))
    rates = [
        town.figure("stadtteil", key, indicator, "", period, value)
        for indicator, values in {"quote_pct": (("2021", 12.5), ("2022", 14.0)), "anteil": (("2021", 0.25),)}.items()
        for period, value in values
        for key in town.STADTTEILE
    ]
    town.load_figures(made.writing, folder, rates, "statistics.quoten", Counting("stichtag"))
    flows = [
        town.figure("stadtteil", "11", "begonnene", position, period, value)
        for position, period, value in (
            ("", "2021", 3),
            ("", "2021-H1", 1),
            ("gruppe_a", "2021", 5),
            ("gruppe_a", "2020", 9),
            ("gruppe_a", "2019", 7),
        )
    ]
    town.load_figures(made.writing, folder, flows, "statistics.beginn", Counting("begonnen"))
    (folder / "katalog.toml").write_text(CATALOGUE, encoding="utf-8")
    import_catalogue(made.writing, folder / "katalog.toml", CatalogueImport())
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


@pytest.mark.parametrize("narrowed", ["level=bezirk", "level=stadtteil&area=bezirk:1"])
@pytest.mark.parametrize("slug", OWN)
def test_what_can_be_taken_along_is_what_is_shown(demo: TestClient, slug: str, narrowed: str) -> None:
    body = page(demo, f"/planung/{slug}?{narrowed}")
    everything = {key or "ohne": cells for key, cells in table(body)}
    shown = {key: cells for key, cells in everything.items() if key != "ohne"}
    assert len(shown) == (7 if narrowed == "level=bezirk" else 19)
    files = links(body, "/api/v1/")
    assert {dict(parse_qsl(urlsplit(one).query))["format"] for one in files if "format" in one} == {
        "csv", "xlsx", "geojson", "gpkg"}  # fmt: skip
    for one in files:
        assert demo.get(one).status_code == 200, one
    rows = {row["area_key"]: row for row in csv_rows(demo.get(next(one for one in files if "csv" in one)).content)}
    assert set(rows) == set(everything)
    column = {"kennzahlen": "value", "versorgung": "supply_per_1000", "erreichbarkeit": "reach_share",
              "bedarf": "deficit_per_1000"}[slug]  # fmt: skip
    for key, cells in shown.items():
        if rows[key][column] == "":
            assert cells[3 if slug == "bedarf" else 1] in {"fehlt", "•", "–"}
            continue
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
    body = page(figures, f"{POPULATION}&compare=2019")
    found = {key: row[1:3] for key, row in table(body)}
    assert (found["11"], found["12"]) == (["1", "1,0"], ["−1", "−0,5"])
    assert "Seit 2019 ist der Wert in einem Gebiet gestiegen, in einem Gebiet gesunken" in body
    assert all("statistics/change" in one for one in links(body, "format=csv"))
    assert "spiegelbildlich um 0" in body


def selected(body: str, name: str) -> dict[str, bool]:
    """The values of a select of the page, and which is chosen."""
    inside = re.search(rf'<select id="feld-{name}".*?</select>', body, re.DOTALL)
    assert inside, name
    return {value: bool(chosen) for value, chosen in re.findall(r'<option value="([^"]*)"( selected)?', inside[0])}


@pytest.mark.parametrize(
    ("period", "compare"),
    [("2019", "2020"), ("2019", "2019"), ("2020", "2019-12-31")],  # later, the same, of another length
)
def test_a_change_is_never_read_backwards(figures: TestClient, period: str, compare: str) -> None:
    body = page(figures, f"{POPULATION}&period={period}&compare={compare}")
    assert "Mit dem gewählten Zeitraum lässt sich hier nicht vergleichen" in body
    assert "gestiegen" not in body
    if period == "2020":
        assert selected(body, "compare") == {"": True, "2019": False}
    else:
        assert 'id="feld-compare"' not in body


def test_the_time_line_drops_a_comparison_that_would_look_ahead(figures: TestClient) -> None:
    body = page(figures, "/planung/kennzahlen?indicator=begonnene&position=gruppe_a&compare=2020")
    steps = [dict(parse_qsl(urlsplit(one).query)) for one in links(body.partition('class="zeitleiste"')[2], "period=")]
    assert [(one["period"], one.get("compare")) for one in steps[:3]] == [
        ("2019", None), ("2020", None), ("2021", "2020")]  # fmt: skip


def test_halves_are_not_compared_with_years(figures: TestClient) -> None:
    path = f"{API}/statistics/change?indicator=begonnene&level=stadtteil&period=2021&compare=2021-H1"
    answer = figures.get(path)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "compare"
    assert "verschiedener Länge" in answer.json()["detail"]


def test_figures_without_position_are_taken_along_without_the_others(figures: TestClient) -> None:
    body = page(figures, "/planung/kennzahlen?indicator=begonnene&position=ohne&period=2021")
    rows = csv_rows(figures.get(links(body, "format=csv")[0]).content)
    assert {row["position"] for row in rows} == {""}
    assert {key: row[1] for key, row in table(body)}["11"] == "3"
    assert float({row["area_key"]: row["value"] for row in rows}["11"]) == 3


@pytest.mark.parametrize(
    ("counting", "key", "value", "said"),
    [("stichtag", "13", "0,5", "am Stichtag gezählt"), ("mittel_12_stichtage", "11", "0,25", "Mittel aus zwölf")],
)
def test_one_way_of_counting_is_shown_named_and_taken_along(
    figures: TestClient, counting: str, key: str, value: str, said: str
) -> None:
    body = page(figures, f"/planung/kennzahlen?indicator=eigenes&counting={counting}")
    rows = csv_rows(figures.get(links(body, "format=csv")[0]).content)
    assert {row["counting"] for row in rows} == {counting}
    shown = {key or "ohne": row for key, row in table(body)}
    assert {row["area_key"] for row in rows} == set(shown)
    assert [one for one, row in shown.items() if row[1] != "fehlt"] == [key]
    assert float(shown[key][1].replace(",", ".")) == pytest.approx(float(value.replace(",", ".")), abs=0.051)
    assert said in re.findall(r'<h2 class="bildtitel">(.*?)</h2>', body)[0]
    # The footnotes are those of what is shown.
    assert "Verschieden gezählte Werte" not in body
    assert selected(body, "counting")[counting]


def test_rates_change_by_percentage_points(figures: TestClient) -> None:
    body = page(figures, "/planung/kennzahlen?indicator=quote_pct&compare=2021")
    assert float(dict(table(body))["11"][1].replace(",", ".")) == 1.5
    assert "Prozentpunkte" in body
    # 12 percent more would be another thing.
    assert "sort=change_pct" not in body
    shares = page(figures, "/planung/kennzahlen?indicator=anteil")
    assert float(dict(table(shares))["11"][1].replace(",", ".")) == 25


def test_areas_alike_show_shares_in_percent(figures: TestClient) -> None:
    body = page(figures, "/planung/vergleichsgebiete?level=stadtteil&key=11&indicator=anteil&limit=1")
    row = re.search(r"Anteil \(%\)</th>.*?</tr>", body, re.DOTALL)
    assert row
    assert re.findall(r">\s*([\d,]+)\s*</td>", row[0]) == ["25", "25"]
    quote = page(figures, "/planung/vergleichsgebiete?level=stadtteil&key=11&indicator=begonnene:gruppe_a")
    assert "begonnene, Hilfen der Gruppe A" in quote


def test_positions_have_the_names_of_the_catalogue(figures: TestClient) -> None:
    body = page(figures, "/planung/kennzahlen?indicator=begonnene&position=gruppe_a")
    assert "Hilfen der Gruppe A, 2021" in body
    assert '<option value="gruppe_a" selected>Hilfen der Gruppe A</option>' in body
    assert "gruppe_a" not in re.sub(r"<[^>]*>", "", body.partition("<main")[2].partition("<script")[0])
    assert figures.get(links(body, "format=csv")[0].replace("format=csv", "format=json")).json()["meta"]["title"] == (
        "begonnene · Hilfen der Gruppe A · Ebene Stadtteil · 2021 · begonnene im Zeitraum")  # fmt: skip


def test_what_belongs_to_no_area_stands_last(figures: TestClient) -> None:
    for sort in ("name", "-name", "value", "-value"):
        assert [key for key, _row in table(page(figures, f"{POPULATION}&sort={sort}"))][-1] is None


def test_the_picture_of_reach_shows_what_the_page_shows(demo: TestClient) -> None:
    path = "/planung/erreichbarkeit/karte.svg"
    assert "Erreichbar von einem Punkt" in demo.get(f"{path}?lon=9.99&lat=53.55&minutes=10").text
    assert "Erreichte Fläche" in demo.get(f"{path}?show=area").text
    neither = demo.get(path).text
    assert "Erreichbar von einem Punkt" not in neither
    assert "Erreichte Fläche" not in neither


@pytest.mark.parametrize("slug", OWN)
def test_the_part_of_the_city_is_named(demo: TestClient, slug: str) -> None:
    body = page(demo, f"/planung/{slug}?level=stadtteil&area=bezirk:1")
    assert "<small>nur Hamburg-Mitte</small>" in body
    assert "nur Hamburg-Mitte" in demo.get(f"/planung/{slug}/karte.svg?level=stadtteil&area=bezirk:1").text
    assert "nur Hamburg-Mitte" not in page(demo, f"/planung/{slug}?level=stadtteil")


@pytest.mark.parametrize("slug", OWN)
def test_a_part_smaller_than_the_areas_is_left_out_with_a_word(demo: TestClient, slug: str) -> None:
    body = page(demo, f"/planung/{slug}?level=bezirk&area=stadtteil:02104")
    assert "liegt kein Gebiet der Ebene Bezirk; gezeigt wird die ganze Stadt" in body
    assert len([key for key, _row in table(body) if key is not None]) == 7
    assert page(demo, f"/planung/{slug}?level=bezirk&area=stadtteil:99999", 400)


def test_periods_are_spoken_of_as_people_do(figures: TestClient) -> None:
    body = page(figures, f"{POPULATION}&period=2019-12-31")
    assert "31.12.2019" in re.findall(r'<h2 class="bildtitel">(.*?)</h2>', body)[0]
    assert '<option value="2019-12-31" selected>31.12.2019</option>' in body
    assert "2019-12-31<" not in body


def test_choices_that_do_not_fit_are_replaced_with_a_word(figures: TestClient) -> None:
    body = page(figures, "/planung/kennzahlen?indicator=wohnungen&level=bezirk&position=0-18&period=1999&compare=1998")
    assert body.count('class="meldung"') == 4
    assert '<option value="stadtteil" selected>' in body


def test_periods_are_links_in_their_order(figures: TestClient) -> None:
    body = page(figures, POPULATION)
    found = [dict(parse_qsl(urlsplit(one).query))["period"] for one in links(body, "period=")]
    assert found[:3] == ["2019", "2019-12-31", "2020"]


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


def test_a_point_may_be_written_with_decimal_commas(demo: TestClient) -> None:
    body = page(demo, "/planung/erreichbarkeit?lon=9,99&lat=53,55")
    assert "Von diesem Punkt aus" in body
    assert body.partition('name="lon"')[2].partition(">")[0] == ' type="text" value="9.99"'


def test_the_area_around_all_is_ticked_only_where_it_is_drawn(demo: TestClient) -> None:
    assert 'name="show" value="area" checked' in page(demo, "/planung/erreichbarkeit?show=area")
    assert 'name="show" value="area" checked' not in page(demo, "/planung/erreichbarkeit?show=area&lon=9.99&lat=53.55")


def test_that_places_are_left_out_is_known_before_those_without_point_are(
    demo: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Es sind nicht alle Orte aufgeführt"
    assert said not in page(demo, "/planung/erreichbarkeit?category=hze")
    every = len(re.findall(r'<option value="facilities', page(demo, "/planung/erreichbarkeit?category=okja")))
    monkeypatch.setattr("service.pages.planning_reach._MOST_PLACES", every - 1)
    # Other minutes, for the answer of before may be kept.
    assert said in page(demo, "/planung/erreichbarkeit?category=okja&minutes=16")


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
    other = demo.get("/planung/bedarf", params=asked | {"standard_value": "70,5"}, headers=PAGE).text
    assert "70,5\N{NO-BREAK SPACE}% in höchstens 15 Minuten" in other


@pytest.mark.parametrize(("percent", "share"), [("1", 0.01), ("0,5", 0.005), ("100", 1.0), ("72.3", 0.723)])
def test_the_share_reached_is_always_in_percent(demo: TestClient, percent: str, share: float) -> None:
    asked = {"level": "bezirk", "category": "okja", "measure": "reach", "standard_value": percent, "minutes": "20"}
    body = demo.get("/planung/bedarf", params=asked, headers=PAGE).text
    query = dict(parse_qsl(urlsplit(links(body, "format=csv")[0]).query))
    assert float(query["standard_value"]) == share
    assert f'name="standard_value" type="number" value="{percent.replace(",", ".")}"' in body
    lower = dict(parse_qsl(urlsplit(links(body, "/planung/bedarf?category")[0]).query))
    assert float(lower["standard_value"]) == pytest.approx(90 * share)
    said = page(demo, "/planung/bedarf?measure=reach&category=okja&standard_value=101", 400)
    assert "höchstens 100 %" in said


def test_numbers_in_forms_keep_their_digits(demo: TestClient) -> None:
    asked = {"level": "bezirk", "category": "okja", "measure": "supply", "standard_value": "1000000",
             "need_weight": "1", "need1": "alleinerziehende_proz", "weight1": "0,1234567"}  # fmt: skip
    body = demo.get("/planung/bedarf", params=asked, headers=PAGE).text
    assert 'value="1000000"' in body
    assert 'value="0.1234567"' in body
    query = dict(parse_qsl(urlsplit(links(body, "format=csv")[0]).query))
    assert query["standard_value"] == "1000000"
    assert query["need"] == "alleinerziehende_proz*0.1234567"


def form(body: str, identity: str) -> dict[str, str | list[str]]:
    """What a form of the page sends as it stands."""
    inside = re.search(rf'<form[^>]*id="{identity}".*?</form>', body, re.DOTALL)
    assert inside
    sent: dict[str, str | list[str]] = {}
    for name, options in re.findall(r'<select[^>]*name="([^"]*)".*?>(.*?)</select>', inside[0], re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        assert chosen
        sent[name] = chosen[1]
    for tag in re.findall(r"<input[^>]*>", inside[0]):
        given = {name: html.unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if given.get("type") != "checkbox":
            sent[given["name"]] = given["value"]
        elif tag.endswith(" checked>"):
            sent.setdefault(given["name"], []).append(given["value"])  # type: ignore[union-attr]
    return sent


def test_the_form_as_it_stands_asks_the_same(demo: TestClient) -> None:
    for path in ("?standard=beispiel-okja-weg", "?standard=beispiel-okja-stunden&level=bezirk"):
        body = page(demo, f"/planung/bedarf{path}")
        sent = form(body, "annahmen")
        assert sent["need_weight"] == "1"
        assert sent["need1"] == ""
        answer = demo.get("/planung/bedarf", params=sent, headers=PAGE)
        assert answer.status_code == 200, answer.text[:2000]
        assert ranks(answer.text) == ranks(body)


def test_a_form_keeps_what_it_does_not_offer(demo: TestClient) -> None:
    need = ("alleinerziehende_proz", "bev_u18_migrationshintergrund_proz", "sgb2_u14_proz", "population:0-21")
    body = page(demo, f"/planung/bedarf?need={','.join(need)}&need_weight=2")
    assert (
        '<option value="population:0-21" selected>Einwohnerinnen und Einwohner, 0 bis unter 21 Jahre</option>' in body
    )
    sent = form(body, "annahmen")
    assert [sent[f"need{number}"] for number in (1, 2, 3, 4)] == list(need)
    again = demo.get("/planung/bedarf", params=sent, headers=PAGE).text
    assert ranks(again) == ranks(body)
    query: dict[str, Any] = dict(parse_qsl(urlsplit(links(again, "format=csv")[0]).query))
    assert [one.partition("*")[0] for one in query["need"].split(",")] == list(need)


def test_forms_keep_the_period(demo: TestClient) -> None:
    path = "/planung/bedarf?standard=beispiel-okja-weg"
    there = re.search(r"Möglich ist nur „([^“]*)“", html.unescape(page(demo, f"{path}&period=1999", 400)))
    assert there
    body = page(demo, f"{path}&period={there[1]}")
    forms = re.findall(r'<form class="filter".*?</form>', body, re.DOTALL)
    assert len(forms) == 2
    assert all(f'name="period" value="{there[1]}"' in one for one in forms)


def test_there_is_a_way_back_from_other_offers(demo: TestClient) -> None:
    body = page(demo, "/planung/bedarf?category=kita&measure=supply&standard_value=300&supply_unit=places&level=bezirk")
    back = links(body, "standard=beispiel-okja-weg")
    assert back
    assert ranks(page(demo, back[0])) == ranks(page(demo, "/planung/bedarf?standard=beispiel-okja-weg&level=bezirk"))


def test_unranked_areas_say_so_on_the_map(demo: TestClient) -> None:
    # Where nobody lives nothing is ranked.
    body = page(demo, "/planung/bedarf?level=statgebiet&standard=beispiel-okja-weg")
    unranked = [key for key, row in table(body) if key is not None and row[0] == "–"]
    assert unranked
    assert "nicht eingeordnet; der Grund steht in der Tabelle" in body


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
    assert "Zu diesen Gebieten sind keine Flächen geladen; die Zahlen stehen in der Tabelle." in body
    assert 'class="kartenrahmen"' not in body
    assert list(table(body))
