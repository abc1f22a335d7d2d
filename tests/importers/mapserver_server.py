"""MapServer as a WFS 2.0: Debian's CGI program behind a small web server of this process."""

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = shutil.which("mapserv") or "/usr/lib/cgi-bin/mapserv"
_LAYER = """
  LAYER
    NAME "{name}"
    TYPE {type}
    STATUS ON
    CONNECTIONTYPE OGR
    CONNECTION "{path}"
    CONNECTIONOPTIONS "DATE_AS_STRING" "YES" END
    PROJECTION "init=epsg:{epsg}" END
    METADATA
      "wfs_title" "{name}"
      "gml_include_items" "all"
      "gml_types" "auto"
      {more}
    END
  END
"""
_MAP = """
MAP
  NAME "probe"
  EXTENT 400000 5800000 700000 6100000
  PROJECTION "init=epsg:25832" END
  WEB
    METADATA
      "wfs_title" "probe"
      "wfs_onlineresource" "http://127.0.0.1:{port}/wfs?"
      "wfs_srs" "{srs}"
      "wfs_enable_request" "*"
      "wfs_maxfeatures" "{page_rows}"
      "ows_encoding" "UTF-8"
    END
  END
{layers}
END
"""


def layer(name: str, path: Path, kind: str, epsg: int, id_column: str | None = None) -> str:
    more = f'"gml_featureid" "{id_column}"' if id_column else ""
    return _LAYER.format(name=name, path=path, type=kind, epsg=epsg, more=more)


@contextmanager
def mapserver(folder: Path, layers: list[str], page_rows: int, srs: str) -> Iterator[str]:
    """Serve layers and yield the address of the service; ``page_rows``: the most it gives at once."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mapserver.conf").write_text('CONFIG\n  ENV\n    MS_MAP_PATTERN "."\n  END\nEND\n')

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            environment = os.environ | {
                "MAPSERVER_CONFIG_FILE": str(folder / "mapserver.conf"),
                "MS_MAPFILE": str(folder / "probe.map"),
                "REQUEST_METHOD": "GET",
                "QUERY_STRING": self.path.partition("?")[2],
                "SERVER_NAME": "127.0.0.1",
            }
            answer = subprocess.run([_PROGRAM], env=environment, capture_output=True, check=True).stdout
            head, _, body = answer.replace(b"\r\n", b"\n", answer[:500].count(b"\r\n")).partition(b"\n\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        port = server.server_address[1]
        text = _MAP.format(port=port, srs=srs, page_rows=page_rows, layers="".join(layers))
        (folder / "probe.map").write_text(text)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}/wfs"
        finally:
            server.shutdown()
            thread.join()
