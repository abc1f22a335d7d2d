"""``sozialraumkarte analyse``: the same answers as the API, readable in a terminal, with errors in one sentence."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Database, throwaway_home
from hand_rows import point, rows_in
from service_help import API, client_of, csv_rows, gpkg_frame, workbook
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.cluster import Cluster
from service.cli import main
from service.cli.common import choose_stock
from service.instance import Stock

Run = Callable[..., tuple[int, str, str]]
CLI = [sys.executable, "-c", "from service.cli.main import main; main()"]
YOUNG = ("--category", "okja", "--age-from", "10", "--age-to", "18")
KITA = ("--category", "kita", "--age-from", "3", "--age-to", "6")
POINT = ("--lon", "9.99", "--lat", "53.55")
# Every verb with options that give rows, and the API's address for the same.
SAME: dict[str, tuple[tuple[str, ...], str, dict[str, str]]] = {
    "supply": (
        ("--level", "bezirk", *YOUNG, "--supply-unit", "hours_per_week", "--barrier-free", "yes,partly"),
        "/coverage",
        {"measure": "supply", "level": "bezirk", "category": "okja", "age_from": "10", "age_to": "18",
         "supply_unit": "hours_per_week", "barrier_free": "yes,partly"},
    ),
    "reach": (
        ("--level", "stadtteil", "--area", "bezirk:6", *YOUNG, "--minutes", "20", "--mode", "bike"),
        "/coverage",
        {"measure": "reach", "level": "stadtteil", "area": "bezirk:6", "category": "okja", "age_from": "10",
         "age_to": "18", "minutes": "20", "mode": "bike"},
    ),
    "catchment": (
        ("--level", "bezirk", *KITA, "--minutes", "10", "--mode", "line", "--decay", "gaussian"),
        "/coverage",
        {"measure": "catchment", "level": "bezirk", "category": "kita", "age_from": "3", "age_to": "6",
         "minutes": "10", "mode": "line", "decay": "gaussian"},
    ),
    "gaps": (
        ("--level", "stadtteil", "--area", "bezirk:6", "--standard", "beispiel-okja-stunden", "--need",
         "sgb2_u14_proz*2,-alleinerziehende_proz", "--need-weight", "0.5"),
        "/gaps",
        {"level": "stadtteil", "area": "bezirk:6", "standard": "beispiel-okja-stunden",
         "need": "sgb2_u14_proz*2,-alleinerziehende_proz", "need_weight": "0.5"},
    ),
    "point": (
        (*POINT, "--minutes", "10", "--category", "okja,kita"),
        "/reach",
        {"lon": "9.99", "lat": "53.55", "minutes": "10", "category": "okja,kita"},
    ),
    "similar": (
        ("--area", "stadtteil:02607", "--indicators", "sgb2_u14_proz*2,alleinerziehende_proz", "--limit", "4"),
        "/areas/stadtteil/02607/similar",
        {"indicators": "sgb2_u14_proz*2,alleinerziehende_proz", "limit": "4"},
    ),
    "clusters": (
        ("--indicator", "sgb2_u14_proz", "--level", "stadtteil", "--period", "2024"),
        "/statistics/clusters",
        {"indicator": "sgb2_u14_proz", "level": "stadtteil", "period": "2024"},
    ),
    "standards": ((), "/standards", {}),
}  # fmt: skip

# All formats where rows are of their own kind; the others take the same writers.
FORMS = {
    "supply": ("json", "geojson", "csv", "xlsx", "gpkg"),
    "point": ("json", "geojson", "csv", "xlsx", "gpkg"),
    "gaps": ("xlsx", "gpkg"),
    "standards": ("json", "csv", "xlsx"),
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("SRK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield
    choose_stock(Stock.REAL)


def runner(database: Database, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    patch.setenv("SRK_DATABASE_URL", database.serving_url)
    patch.setenv("SRK_ADMIN_DATABASE_URL", database.writing_url)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()  # what a service in the same process has logged
        with pytest.raises(SystemExit) as ended:
            main(["analyse", *arguments])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def run(demo_database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(demo_database, monkeypatch, capsys)


@pytest.fixture(scope="module")
def client(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


def said(done: tuple[int, str, str]) -> str:
    code, out, err = done
    assert (code, err) == (0, ""), err
    return out


def one_sentence(done: tuple[int, str, str]) -> str:
    code, out, err = done
    assert (code, out) == (1, "")
    assert err.startswith("Fehler: ")
    assert err.count("\n") == 1
    assert err.endswith(".\n")
    return err


def table_of(out: str) -> list[dict[str, str]]:
    """The first table of an output as rows by heading, cut where the rule under the headings says."""
    lines = out.splitlines()
    at = next(i for i, line in enumerate(lines) if re.fullmatch(r"-+(  -+)*", line))
    spans = [found.span() for found in re.finditer("-+", lines[at])]
    heads = [lines[at - 1][a:b].strip() for a, b in spans]
    rows = []
    for line in lines[at + 1 :]:
        if not line or line.startswith("…"):
            break
        rows.append(dict(zip(heads, [line[a:b].strip() for a, b in spans], strict=True)))
    return rows


def german(cell: str) -> float:
    return float(cell.replace(".", "").replace(",", ".").removesuffix("%"))


@pytest.mark.parametrize("verb", SAME)
def test_json_is_the_answer_of_the_api(run: Run, client: TestClient, verb: str) -> None:
    arguments, path, parameters = SAME[verb]
    answer = client.get(API + path, params=parameters)
    assert answer.status_code == 200, answer.text
    assert json.loads(said(run(verb, *arguments, "--json"))) == answer.json()
    assert answer.json()["rows"]


@pytest.mark.parametrize("verb", SAME)
def test_files_are_those_of_the_api(run: Run, client: TestClient, verb: str, tmp_path: Path) -> None:
    arguments, path, parameters = SAME[verb]
    for form in FORMS.get(verb, ("geojson", "csv")):
        file = tmp_path / f"antwort.{form.upper() if form == 'csv' else form}"
        code, out, err = run(verb, *arguments, "--out", str(file))
        assert (code, out, err) == (0, "", f"Geschrieben: {file}\n")
        answer = client.get(API + path, params=parameters | {"format": form})
        assert answer.status_code == 200, answer.text
        body = file.read_bytes()
        if form == "xlsx":
            mine, theirs = workbook(body), workbook(answer.content)
            assert mine.sheetnames == theirs.sheetnames
            for sheet in mine.sheetnames:
                assert list(mine[sheet].values) == list(theirs[sheet].values)
        elif form == "gpkg":
            assert gpkg_frame(body).equals(gpkg_frame(answer.content))
        else:
            assert body == answer.content


@pytest.mark.parametrize("verb", SAME)
def test_the_table_shows_the_rows_and_all_footnotes(run: Run, verb: str) -> None:
    arguments = SAME[verb][0]
    answer = json.loads(said(run(verb, *arguments, "--json")))
    out = said(run(verb, *arguments))
    assert all(line.isprintable() for line in out.splitlines())
    shown = table_of(out)
    assert len(shown) == min(50, len(answer["rows"]))
    assert out.splitlines()[0] == answer["meta"]["title"]
    plain = out.replace("\u00a0", " ")
    for sentence in (answer["meta"]["method"], answer["meta"]["notice"], *answer["meta"]["warnings"]):
        assert sentence.replace("\u00a0", " ") in plain
    assert all(source["title"] in out for source in answer["meta"]["sources"])


def test_numbers_of_the_table_are_those_of_the_rows(run: Run) -> None:
    arguments = SAME["supply"][0]
    rows = json.loads(said(run("supply", *arguments, "--json")))["rows"]
    shown = table_of(said(run("supply", *arguments)))
    for row, cells in zip(rows, shown, strict=True):
        assert (cells["Schlüssel"], cells["Gebiet"]) == (row["area_key"], row["area_name"])
        assert german(cells["Einrichtungen"]) == row["facilities"]
        assert german(cells["Wochenstunden"]) == pytest.approx(row["supply"], abs=0.05001)
        if row["supply_per_1000"] is None:
            assert (cells["je 1.000"], cells["Kennzeichen"]) == ("fehlt", "fehlt")
        else:
            assert german(cells["je 1.000"]) == pytest.approx(row["supply_per_1000"], abs=0.05001)


@pytest.mark.parametrize("level", ["land", "bezirk"])
def test_shown_residents_add_up_to_the_city(run: Run, level: str) -> None:
    city = json.loads(said(run("reach", "--level", "land", *YOUNG, "--json")))["rows"]
    shown = table_of(said(run("reach", "--level", level, *YOUNG)))
    for name, heading in (("population", "Einwohner"), ("not_reached", "nicht erreicht")):
        total = sum(row[name] for row in city)
        assert abs(sum(german(cells[heading]) for cells in shown) - total) <= 0.5


def test_long_tables_are_cut_and_files_are_not(run: Run, tmp_path: Path) -> None:
    out = said(run("supply", "--level", "stadtteil", *KITA))
    assert len(table_of(out)) == 50
    assert "… und 54 weitere Zeilen (alle mit --out DATEI)" in out.splitlines()
    file = tmp_path / "alles.csv"
    assert run("supply", "--level", "stadtteil", *KITA, "--out", str(file))[0] == 0
    assert len(csv_rows(file.read_bytes())) == 104
    assert len(table_of(said(run("supply", "--level", "stadtteil", *KITA, "--limit", "7")))) == 7


def test_a_drawn_area_is_what_the_area_of_that_shape_is(run: Run, client: TestClient, tmp_path: Path) -> None:
    file = tmp_path / "flaeche.geojson"
    area = client.get(f"{API}/areas/stadtteil/02601", params={"format": "geojson"}).json()["features"][0]
    file.write_text(
        json.dumps({"type": "Feature", "id": "a", "properties": {"name": "Meine"}, "geometry": area["geometry"]})
    )
    (drawn,) = json.loads(said(run("reach", "--polygon", str(file), *YOUNG, "--json")))["rows"]
    (row,) = json.loads(said(run("reach", "--level", "stadtteil", "--area", "stadtteil:02601", *YOUNG, "--json")))[
        "rows"
    ]
    assert (drawn["area_key"], drawn["area_name"]) == ("a", "Meine")
    assert drawn["facilities"] == row["facilities"]
    assert drawn["population"] == pytest.approx(row["population"], rel=1e-9)
    assert drawn["reached"] == pytest.approx(row["reached"], rel=1e-9)


def test_gaps_give_their_reasons(run: Run) -> None:
    arguments = SAME["gaps"][0]
    rows = json.loads(said(run("gaps", *arguments, "--json")))["rows"]
    lines = said(run("gaps", *arguments)).splitlines()
    reasons = [row["reason"].replace("\u00a0", " ") for row in rows]
    assert [line for line in lines if line in reasons] == reasons


def test_the_point_tells_residents_too(run: Run) -> None:
    answer = json.loads(said(run("point", *POINT, "--json")))
    out = said(run("point", *POINT))
    assert answer["polygon"]["type"] in {"Polygon", "MultiPolygon"}
    assert "Einwohner" in out
    assert answer["rows"][0]["name"] in out


def recorded(database: Database) -> list[Any]:
    with database.writing.connect() as connection:
        return list(connection.execute(text("SELECT viewer, action, detail FROM audit ORDER BY id")))


def test_internal_answers_see_more_and_are_recorded(run: Run, demo_database: Database) -> None:
    hze = ("--level", "land", "--category", "hze")
    before = len(recorded(demo_database))
    (public, *_) = json.loads(said(run("supply", *hze, "--json")))["rows"]
    assert len(recorded(demo_database)) == before
    answer = json.loads(said(run("supply", *hze, "--version", "intern", "--json")))
    assert answer["meta"]["version"] == "intern"
    assert answer["rows"][0]["facilities"] > public["facilities"]
    assert "Fassung: Interne Fassung" in said(run("supply", *hze, "--version", "intern"))
    viewer, action, detail = recorded(demo_database)[before]
    assert (viewer.split("|")[0], action) == ("admin", "intern")
    assert detail["request"].startswith("sozialraumkarte analyse supply --level=land --category=hze")


NOT_POSSIBLE = {
    "level is said": (("supply", "--category", "kita"), "--level"),
    "unknown level": (("supply", "--level", "mond", "--category", "kita"), "„mond“"),
    "category is said": (("supply", "--level", "land"), "--category"),
    "unknown category": (("reach", "--level", "land", "--category", "zirkus"), "zirkus"),
    "ages reversed": (("supply", "--level", "land", *YOUNG, "--age-from", "19"), "--age-to"),
    "way without measure": (("gaps", "--level", "land", "--category", "kita", "--minutes", "5"), "--minutes"),
    "no time": (("reach", "--level", "land", "--category", "kita", "--minutes", "0"), "--minutes"),
    "too much time": (("reach", "--level", "land", "--category", "kita", "--minutes", "10000"), "--minutes"),
    "unknown mode": (("reach", "--level", "land", "--category", "kita", "--mode", "bus"), "„bus“"),
    "unknown decay": (("catchment", "--level", "land", "--category", "kita", "--decay", "x"), "--decay"),
    "unknown version": (("supply", "--level", "land", "--category", "kita", "--version", "geheim"), "„geheim“"),
    "area that is none": (("supply", "--level", "land", "--category", "kita", "--area", "bezirk"), "ebene:schlüssel"),
    "no standard": (("gaps", "--level", "bezirk", "--category", "okja"), "standard"),
    "unknown standard": (("gaps", "--level", "bezirk", "--standard", "x"), "beispiel-okja-stunden"),
    "unknown need": (("gaps", "--level", "bezirk", "--standard", "beispiel-okja-stunden", "--need", "x"), "--need"),
    "point without lon": (("point", "--lat", "53.5"), "--lon"),
    "point elsewhere": (("point", "--lon", "13.4", "--lat", "52.5"), "Option"),
    "similar to nothing": (("similar",), "--area"),
    "similar to nowhere": (("similar", "--area", "stadtteil:xx"), "„xx“"),
    "clusters of nothing": (("clusters", "--level", "stadtteil"), "--indicator"),
    "clusters nowhere": (("clusters", "--indicator", "sgb2_u14_proz"), "--level"),
    "no such file": (("supply", "--polygon", "fehlt.geojson", "--category", "kita"), "fehlt.geojson"),
    "a folder": (("supply", "--polygon", ".", "--category", "kita"), "lässt sich nicht lesen"),
    "level and polygon": (("supply", "--polygon", "x.geojson", "--level", "land", "--category", "kita"), "--level"),
    "no format": (("supply", "--level", "land", "--category", "kita", "--out", "x.pdf"), ".xlsx"),
    "no ending": (("supply", "--level", "land", "--category", "kita", "--out", "x"), ".xlsx"),
    "no folder": (("supply", "--level", "land", "--category", "kita", "--out", "weg/x.csv"), "weg/x.csv"),
    "standards have no shape": (("standards", "--out", "x.geojson"), ".csv"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_POSSIBLE)
def test_what_is_not_possible_is_said_in_one_sentence(run: Run, case: str) -> None:
    arguments, word = NOT_POSSIBLE[case]
    assert word in one_sentence(run(*arguments))


def test_a_polygon_that_is_none_or_too_large_is_refused(run: Run, tmp_path: Path) -> None:
    bad, large = tmp_path / "bad.geojson", tmp_path / "large.geojson"
    bad.write_text("{")
    large.write_bytes(b" " * (2 * 1024**2 + 1))
    assert "--polygon" in one_sentence(run("supply", "--polygon", str(bad), *KITA))
    assert "2 MiB" in one_sentence(run("supply", "--polygon", str(large), *KITA))


@pytest.mark.parametrize("arguments", [("supply", "--age-from", "x"), ("quatsch",), ("supply", "--limit", "0"), ()])
def test_wrong_use_is_2(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert code == 2
    assert "Traceback" not in out + err


def test_without_data_it_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runner(database, monkeypatch, capsys)
    assert "--level" in one_sentence(run("supply", "--level", "bezirk", *KITA))
    out = said(run("standards"))
    assert "kein Richtwert" in out
    assert "Keine Zeilen." in out


def test_without_a_network_walking_is_refused_and_the_line_is_said(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with rows_in(database.writing) as rows:
        rows.city()
        version = rows.version("facilities.okja", "facilities")
        rows.house(version, "a", (500, 500), supply=10, supply_unit="places")
        rows.link()
        rows.insert("surface", basis="grid", notes=[])
        rows.insert("surface_band", number=1, age_from=0, age_to=None)
        for cell, at in ((1, (500, 500)), (2, (500, 1500))):
            rows.insert("surface_cell", cell=cell, geom=point(*at), people=[30.0 * cell], calibrated=True)
            rows.insert("surface_area", cell=cell, level="bezirk", area_key="1")
    run = runner(database, monkeypatch, capsys)
    asked = ("reach", "--level", "bezirk", "--area", "bezirk:1", "--category", "okja")
    sentence = "Es ist kein Wegenetz geladen; Entfernungen sind Luftlinien mal 1,3."
    assert one_sentence(run(*asked, "--mode", "walk")) == f"Fehler: {sentence}\n"
    out = said(run(*asked))
    assert sentence in out
    # The second cell is 1,000 m away in the straight line, 1,300 m on foot: beyond 15 minutes, within 17.
    assert table_of(out)[0]["erreicht"] == "33,3 %"
    assert table_of(said(run(*asked, "--minutes", "17")))[0]["erreicht"] == "100,0 %"


def test_help_is_quick_because_nothing_heavy_is_loaded() -> None:
    program = """
import sys
from service.cli.main import main
try:
    main(["analyse", "gaps", "--help"])
except SystemExit:
    pass
heavy = {"pandas", "scipy", "geopandas", "fastapi", "esda", "libpysal", "geodata.coverage", "geodata.gaps"}
assert not heavy & set(sys.modules), sorted(heavy & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--need-weight" in done.stdout


@pytest.mark.long
def test_the_demo_city_comes_by_itself() -> None:
    home = throwaway_home()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SRK_")}
    command = [*CLI, "analyse", "supply", "--level", "land", *KITA, "--demo"]
    try:
        for loaded in (True, False):
            done = subprocess.run(
                command, env=environment | {"SRK_DATA_DIR": str(home)}, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            assert "Hamburg" in done.stdout
            assert ("Beispielstadt wird angelegt" in done.stderr) == loaded
    finally:
        Cluster(home / "postgres").destroy()
        home.rmdir()
