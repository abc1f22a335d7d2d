"""How long a night takes in which nothing changed: ten sources behind a web server, the program's start included."""

import functools
import http.server
import threading
from pathlib import Path

import shapely

from bench.ground import CLI, facilities_csv, fresh, line, median, timed

SOURCES = 10
_ROWS = 2_000
_BOX = (9.7, 53.4, 10.2, 53.7)


class _Silent(http.server.SimpleHTTPRequestHandler):
    """The library's server of files: it knows ``If-Modified-Since``."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


def run() -> None:
    """Measure and print."""
    with fresh() as bench:
        handler = functools.partial(_Silent, directory=str(bench.folder))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            listed = _list(bench.folder, f"http://127.0.0.1:{server.server_address[1]}")
            command = [CLI, "sync", str(listed)]
            first = timed(command, env=bench.environment())
            quiet = median(5, lambda: timed(command, env=bench.environment()))
            server.shutdown()
        line(f"sync: {SOURCES} Quellen zum ersten Mal", f"{first.wall_s:.2f} s {first.peak_mib:.0f} MiB")
        line(f"sync: {SOURCES} Quellen, nichts Neues", f"{quiet.wall_s:.2f} s {quiet.peak_mib:.0f} MiB", "Ziel 3 s")


def _list(folder: Path, url: str) -> Path:
    """Write one Bezirk and tables of facilities in it, and the list of sources that names them."""
    geometry = shapely.to_geojson(shapely.box(*_BOX))
    (folder / "bezirk.geojson").write_text(
        f'{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"key":"1","name":"Eins"}},'
        f'"geometry":{geometry}}}]}}',
        encoding="utf-8",
    )
    entries = [f'[[source]]\nname = "areas.bezirk"\nkind = "areas"\nlevel = "bezirk"\nurl = "{url}/bezirk.geojson"\n']
    for number in range(1, SOURCES):
        facilities_csv(folder / f"e{number}.csv", _ROWS, _BOX)
        entries.append(
            f'[[source]]\nname = "facilities.e{number}"\nkind = "facilities"\ncategory = "okja"\n'
            f'url = "{url}/e{number}.csv"\n'
        )
    path = folder / "quellen.toml"
    path.write_text("\n".join(entries), encoding="utf-8")
    return path
