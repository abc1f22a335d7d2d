"""``sozialraumkarte import`` as its user meets it: exit codes, one plain sentence, nothing changed."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from importer_help import (
    BEZIRKE,
    STADTTEILE,
    Database,
    collection,
    data_version,
    load_city,
    lonlat,
    offer,
    places,
    query,
    state,
    visible,
    write_csv,
    write_geojson,
    write_toml,
)

PROJECT = Path(__file__).resolve().parents[2]
HAMBURG = PROJECT.parent / "shared" / "data" / "hamburg"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = new_database()
    load_city(made.writing, tmp_path_factory.mktemp("town"))
    return made


def runner(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Run:
    from service.cli import main

    monkeypatch.chdir(folder)
    monkeypatch.setenv("SRK_DATABASE_URL", database.serving_url)
    monkeypatch.setenv("SRK_ADMIN_DATABASE_URL", database.writing_url)

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["import", *(str(argument) for argument in arguments)])
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    return run


@pytest.fixture
def run(town: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``import …`` on the tiny city in this process; return exit code, stdout, stderr."""
    return runner(town, tmp_path, monkeypatch, capsys)


def one_sentence(err: str) -> str:
    assert err.startswith("Fehler: ")
    assert err.count("\n") == 1
    assert err.endswith(("\n",))
    assert "Traceback" not in err
    sentence = err.removeprefix("Fehler: ").strip()
    assert sentence.endswith((".", "?")), sentence
    return sentence


def test_two_commands_load_boundaries_and_facilities(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not HAMBURG.exists():
        pytest.skip("shared/data/hamburg is not beside this checkout")
    run = runner(database, tmp_path, monkeypatch, capsys)
    code, out, err = run(
        "areas", HAMBURG / "grenzen" / "bezirke.geojson", "--level", "bezirk", "--mapping", "hamburg/bezirke.toml"
    )
    assert (code, err) == (0, "")
    assert "areas.bezirk: 7 von 7 Zeilen übernommen, 0 zurückgewiesen." in out
    code, out, err = run(
        "facilities", HAMBURG / "einrichtungen" / "jugendorte.geojson", "--category", "okja",
        "--mapping", "hamburg/jugendorte.toml",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "facilities.okja: 173 von 173 Zeilen übernommen" in out
    assert data_version(database.writing) == 2
    assert len(places(database.writing, "facilities.okja")) == 173


def test_the_program_itself_in_a_process_of_its_own(town: Database, tmp_path: Path) -> None:
    environment = os.environ | {"SRK_DATABASE_URL": town.serving_url, "SRK_ADMIN_DATABASE_URL": town.writing_url}
    broken = tmp_path / "kaputt.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [')
    program = "from service.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "import", "areas", broken, "--level", "bezirk", "--key", "id"],
        cwd=tmp_path, env=environment | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "kein vollständiges JSON" in one_sentence(done.stderr)
    assert done.stdout == ""


def test_options_of_areas(run: Run, town: Database, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "wilder name <b>.geojson", BEZIRKE)
    code, _out, err = run(
        "areas", path, "--level", "kreis", "--level-title", "Kreise", "--key", "id", "--name", "name", "--dataset",
        "areas.kreise", "--crs", "EPSG:25832", "--title", "Kreise des Landes", "--licence", "cc-by-4.0",
        "--attribution", "Land", "--as-of", "2025-12-31",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert sorted(visible(town.writing, "kreis")) == ["1", "2"]
    notes = query(town.writing, "SELECT title, licence, attribution, as_of::text FROM dataset_visible "
                                "WHERE dataset = 'areas.kreise'")  # fmt: skip
    assert notes == [("Kreise des Landes", "cc-by-4.0", "Land", "2025-12-31")]


def test_dry_run_json_and_report(run: Run, town: Database, tmp_path: Path) -> None:
    before = state(town.writing)
    path = write_csv(tmp_path / "f.csv", [offer(n) for n in range(20)] + [offer("x", -900, 500)])
    code, out, err = run(
        "facilities", path, "--category", "sha", "--dry-run", "--json", "--report", tmp_path / "b.json"
    )
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document == json.loads((tmp_path / "b.json").read_text())
    assert (document["dry_run"], document["rows_loaded"], document["rows_rejected"]) == (True, 20, 1)
    assert document["findings"][0] == {
        "severity": "reject", "row": 22, "field": "lon", "value": "Treff x",
        "reason": "Der Ort liegt außerhalb, 900 m von West.",
        "advice": "Bitte die Koordinate prüfen, oder --keep-outside KM angeben.",
    }  # fmt: skip
    assert state(town.writing) == before


def test_a_refused_source_still_gives_its_report(run: Run, town: Database, tmp_path: Path) -> None:
    before = state(town.writing)
    path = write_csv(tmp_path / "f.csv", [offer(1), offer(2) | {"name": ""}])
    code, out, err = run("facilities", path, "--category", "sha", "--json", "--report", tmp_path / "b.json")
    assert code == 1
    assert "1 von 2 Zeilen wurden zurückgewiesen" in one_sentence(err)
    assert json.loads(out)["findings"][0]["reason"] == "Der Name fehlt."
    assert json.loads((tmp_path / "b.json").read_text())["rows_rejected"] == 1
    assert state(town.writing) == before
    code, _out, err = run("facilities", path, "--category", "sha", "--max-rejects", "50%", "--max-shrink", "100%")
    assert (code, err) == (0, "")


def test_number_options(run: Run, town: Database, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "f.csv", [offer(n, supply=cell, supply_unit="places") for n, cell in
                                          enumerate(("1.675", "-"))])  # fmt: skip
    code, _out, err = run("facilities", path, "--category", "kita")
    assert code == 1
    assert "--decimal" in one_sentence(err)
    code, _out, err = run("facilities", path, "--category", "kita", "--decimal", ",", "--dash", "zero")
    assert (code, err) == (0, "")
    assert [row["supply"] for row in places(town.writing, "facilities.kita")] == [1675, 0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("areas",),
        ("areas", "x.csv"),
        ("areas", "x.csv", "--level"),
        ("areas", "x.csv", "--level", "a", "--gibtesnicht"),
        ("facilities", "x.csv"),
        ("facilities", "x.csv", "--category", "okja", "--decimal", "x"),
        ("facilities", "x.csv", "--category", "okja", "--dash", "null"),
        ("facilities", "x.csv", "--category", "okja", "--keep-outside", "weit"),
        ("areas", "x.csv", "--level", "a", "--as-of", "gestern"),
        ("unsinn",),
    ],
)
def test_wrong_usage_is_2(run: Run, arguments: tuple[str, ...]) -> None:
    code, _out, err = run(*arguments)
    assert code == 2
    assert "Traceback" not in err


def half(folder: Path) -> Path:
    whole = write_geojson(folder / "halb.geojson", STADTTEILE)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return whole


def swapped(folder: Path) -> Path:
    document = collection(BEZIRKE, crs=None)
    for feature in document["features"]:
        feature["geometry"]["coordinates"] = [[[y, x] for x, y in ring] for ring in feature["geometry"]["coordinates"]]
    path = folder / "vertauscht.geojson"
    path.write_text(json.dumps(document))
    return path


def written(name: str, body: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(body)
        return folder / name

    return make


def climbing_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "boese.zip", "w") as archive:
        archive.writestr("../a.shp", "x")
    return folder / "boese.zip"


WRONG: list[tuple[Callable[[Path], Path], str]] = [
    (half, "abgeschnitten"),
    (swapped, "vertauschter Reihenfolge"),
    (lambda folder: write_geojson(folder / "utm.geojson", BEZIRKE, crs=4326), "UTM-Metern"),
    (lambda folder: write_csv(folder / "a.csv", [{"nummer": "1", "name": "x"}]), "hat keine Spalte „id“"),
    (lambda folder: write_csv(folder / "a.csv", [{"id": "1", "name": "x"}] * 2), "kommt mehrfach vor"),
    (written("leer.csv", b""), "ist leer"),
    (written("leer.zip", b""), "ist leer"),
    (written("lang.csv", b"id;name\n" + b"x" * 3 * 1024**2), "Zeile von mehr als 1 MiB"),
    (written("a.xlsx", b"PK\x03\x04kaputt"), "keine lesbare Excel-Datei"),
    (written("a.gpkg", b"SQLite format 3\x00kaputt"), "beschädigt"),
    (written("a.doc", b"x"), "werden nicht gelesen"),
    (climbing_zip, "aus dem Archiv hinausführt"),
    (lambda folder: folder, "ist ein Ordner"),
    (lambda folder: folder / "fehlt.csv", "gibt es nicht"),
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[said for _make, said in WRONG])
def test_wrong_input_is_1_with_a_sentence_and_nothing_changed(
    run: Run, town: Database, tmp_path: Path, make: Callable[[Path], Path], said: str
) -> None:
    before = state(town.writing)
    source = make(tmp_path)
    code, out, err = run("areas", source, "--level", "region", "--key", "id")
    assert code == 1
    assert said in one_sentence(err)
    assert out == ""
    assert state(town.writing) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mapping", "fehlt.toml"), "lässt sich nicht lesen"),
        (("--mapping", "kaputt.toml"), "kein gültiges TOML"),
        (("--max-rejects", "viele"), "--max-rejects braucht"),
        (("--max-rejects", "-1"), "--max-rejects braucht"),
        (("--max-rejects", "101%"), "--max-rejects braucht"),
        (("--max-shrink", "5"), "--max-shrink braucht einen Anteil"),
        (("--dataset", "Meine Orte"), "taugt nicht als Name"),
        (("--crs", "quatsch"), "ist unbekannt"),
        (("--category", "bad"), "Die Kategorie „bad“ gibt es nicht"),
    ],
)
def test_wrong_options_are_1_with_a_sentence(
    run: Run, town: Database, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    write_toml(tmp_path / "kaputt.toml", "[columns")
    before = state(town.writing)
    lon, lat = lonlat(500, 500)
    path = write_csv(tmp_path / "f.csv", [{"id": "1", "name": "a", "x": lon, "y": lat}])
    code, _out, err = run("facilities", path, "--category", "okja", *options)
    assert code == 1
    assert said in one_sentence(err)
    assert state(town.writing) == before


def test_a_database_that_is_not_there_is_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "postgresql+psycopg://niemand@127.0.0.1:1/nichts"
    monkeypatch.setenv("SRK_DATABASE_URL", nowhere)
    monkeypatch.setenv("SRK_ADMIN_DATABASE_URL", nowhere)
    code, _out, err = run("areas", write_geojson(tmp_path / "b.geojson", BEZIRKE), "--level", "bezirk", "--key", "id")
    assert code == 1
    assert "nicht erreichbar" in one_sentence(err)
