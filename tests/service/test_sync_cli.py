"""``sozialraumkarte sync`` as the timer at night meets it: exit codes, one sentence, machine-readable, quick."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, Database

from service.cli import main

Run = Callable[..., tuple[int, str, str]]
WIDTH = 1000


class _Silent(http.server.SimpleHTTPRequestHandler):
    """The library's server of files; it knows ``If-Modified-Since``."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address at which it is served."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SRK_DATABASE_URL", database.serving_url)
    monkeypatch.setenv("SRK_ADMIN_DATABASE_URL", database.writing_url)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    return call


def bezirke(folder: Path, name: str, levels: int = 1) -> None:
    """Write a level of areas, side by side, in metres."""
    features = []
    for i in range(levels):
        west, south = 560_000 + WIDTH * i, 5_930_000
        corners = [(west, south), (west + WIDTH, south), (west + WIDTH, south + WIDTH), (west, south + WIDTH)]
        ring = [[list(corner) for corner in (*corners, corners[0])]]
        features.append({
            "type": "Feature", "properties": {"key": f"{i}", "name": f"Gebiet {i}"},
            "geometry": {"type": "Polygon", "coordinates": ring},
        })  # fmt: skip
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    whole = {"type": "FeatureCollection", "crs": crs, "features": features}
    (folder / name).write_text(json.dumps(whole), encoding="utf-8")


def listed(path: Path, url: str, count: int) -> Path:
    """Write a list of that many sources of areas, each a level of its own."""
    entries = [
        f'[[source]]\nname = "areas.e{i}"\nkind = "areas"\nlevel = "{"bezirk" if i == 0 else f"e{i}"}"\n'
        f'url = "{url}/e{i}.geojson"\n'
        for i in range(count)
    ]
    path.write_text("[http]\nattempts = 1\n\n" + "\n".join(entries), encoding="utf-8")
    return path


def test_a_night_a_quiet_night_and_a_bad_one(run: Run, site: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = site
    for i in range(3):
        bezirke(folder, f"e{i}.geojson", 2)
    sources = listed(tmp_path / "quellen.toml", url, 3)
    code, out, err = run("sync", sources)
    assert (code, err) == (0, "")
    # In the order of their arrival.
    lines = sorted(out.splitlines(), key=lambda line: (not line.startswith("areas."), line))
    assert len(lines) == 4
    assert lines[0].startswith("areas.e0: übernommen (")
    assert lines[0].endswith("s). 2 von 2 Zeilen, 0 zurückgewiesen.")
    assert lines[3].startswith("3 übernommen, 0 unverändert, 0 gescheitert, 0 übersprungen in ")

    code, out, err = run("sync", sources)
    assert (code, err) == (0, "")
    assert "0 übernommen, 3 unverändert, 0 gescheitert" in out

    (folder / "e1.geojson").unlink()
    bezirke(folder, "e2.geojson", 3)
    later = time.time() + 10
    os.utime(folder / "e2.geojson", (later, later))
    reports = tmp_path / "berichte"
    reports.mkdir()
    code, out, err = run("sync", sources, "--json", "--report", reports)
    assert code == 1
    assert err == "Fehler: Eine Quelle ließ sich nicht erneuern (von 3): areas.e1.\n"
    answer = json.loads(out)
    assert (answer["imported"], answer["unchanged"], answer["failed"], answer["skipped"]) == (1, 1, 1, 0)
    assert answer["dry_run"] is False
    by_name = {source["name"]: source for source in answer["sources"]}
    assert by_name["areas.e2"] | {"seconds": 0} == {
        "name": "areas.e2", "status": "imported", "seconds": 0, "rows": 3, "rejected": 0, "warnings": 0,
        "sentence": "3 von 3 Zeilen, 0 zurückgewiesen.",
    }  # fmt: skip
    assert by_name["areas.e1"]["status"] == "failed"
    assert "404" in by_name["areas.e1"]["sentence"]
    assert by_name["areas.e0"]["rows"] is None
    assert [path.name for path in reports.iterdir()] == ["areas.e2.json"]
    assert json.loads((reports / "areas.e2.json").read_bytes())["rows_loaded"] == 3


def test_only_and_dry_run(run: Run, site: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = site
    for i in range(2):
        bezirke(folder, f"e{i}.geojson")
    sources = listed(tmp_path / "quellen.toml", url, 2)
    code, out, err = run("sync", sources, "--only", "areas.e1", "--dry-run")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith("s (Probelauf, nichts geändert).")
    assert json.loads(run("datasets", "--json")[1])["rows"] == []
    code, out, err = run("sync", sources, "--only", "areas.e7")
    assert (code, out) == (1, "")
    assert err.startswith("Fehler: Die Quelle „areas.e7“ gibt es in „quellen.toml“ nicht, oder sie ist abgeschaltet.")
    assert err.endswith(" Möglich sind: areas.e0, areas.e1.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("fehlt.toml",), "gibt es nicht"), (("quellen.toml", "--report", "nirgends"), "kein Ordner")],
)
def test_what_cannot_begin_is_one_sentence(run: Run, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    listed(tmp_path / "quellen.toml", "http://127.0.0.1:9", 1)
    code, out, err = run("sync", *arguments)
    assert (code, out) == (1, "")
    assert words in err
    assert err.count("\n") == 1


def test_wrong_use_is_2(run: Run) -> None:
    assert run("sync")[0] == 2
    assert run("sync", "a.toml", "b.toml")[0] == 2


def test_a_quiet_night_loads_no_heavy_library(
    run: Run, site: tuple[Path, str], tmp_path: Path, database: Database
) -> None:
    """Ten unchanged sources, in a process of its own: what no source needs is not loaded for it."""
    folder, url = site
    for i in range(10):
        bezirke(folder, f"e{i}.geojson")
    sources = listed(tmp_path / "quellen.toml", url, 10)
    assert run("sync", sources)[0] == 0
    program = (
        "import sys\nfrom service.cli import main\ntry:\n    main()\nfinally:\n"
        "    print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    assert environment["SRK_DATABASE_URL"] == database.serving_url
    done = subprocess.run(
        [sys.executable, "-c", program, "sync", str(sources), "--json"], env=environment, cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["unchanged"] == 10
    loaded = set(done.stderr.split())
    assert "sqlalchemy" in loaded
    heavy = {"pandas", "pandera", "geopandas", "pyogrio", "scipy", "osmium", "owslib", "fastapi", "folium"}
    assert not loaded & heavy
