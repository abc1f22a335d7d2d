"""Run pygeoapi on a free port of this machine: ``pygeoapi_server.py FOLDER [page rows] name=file.geojson=epsg …``.

Prints its address when it is ready to serve, and serves until it is ended.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

import yaml

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
METRES = "http://www.opengis.net/def/crs/EPSG/0/25832"


def collection(name: str, path: str, epsg: str) -> dict[str, Any]:
    return {
        "type": "collection",
        "title": name,
        "description": name,
        "keywords": [name],
        "links": [],
        "extents": {"spatial": {"bbox": [8, 53, 11, 54.5], "crs": CRS84}},
        "providers": [
            {
                "type": "feature",
                "name": "GeoJSON",
                "data": path,
                "id_field": "id",
                "crs": [CRS84, METRES],
                "storage_crs": METRES if epsg == "25832" else CRS84,
            }
        ],
    }


def config(url: str, page_rows: int, published: list[str]) -> dict[str, Any]:
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": 0},
            "url": url,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "gzip": True,
            "languages": ["de-DE"],
            "limits": {"default_items": 10, "max_items": page_rows, "on_exceed": "throttle"},
            "map": {"url": "", "attribution": ""},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {"title": "t", "description": "t", "keywords": ["t"], "keywords_type": "theme",
                               "terms_of_service": "t", "url": url},
            "license": {"name": "dl-de/by-2-0", "url": url},
            "provider": {"name": "t", "url": url},
            "contact": {"name": "t"},
        },
        "resources": {entry.split("=")[0]: collection(*entry.split("=")) for entry in published},
    }  # fmt: skip


def main() -> None:
    folder, page_rows, *published = sys.argv[1:]
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings, openapi = Path(folder) / "pygeoapi.yml", Path(folder) / "openapi.yml"
    settings.write_text(yaml.safe_dump(config(url, int(page_rows), published)))
    os.environ["PYGEOAPI_CONFIG"], os.environ["PYGEOAPI_OPENAPI"] = str(settings), str(openapi)
    from pygeoapi.openapi import get_oas

    openapi.write_text(
        yaml.safe_dump(get_oas(config(url, int(page_rows), published), fail_on_invalid_collection=False))
    )
    from pygeoapi.flask_app import APP, BLUEPRINT
    from werkzeug.serving import make_server

    if "pygeoapi" not in APP.blueprints:
        APP.register_blueprint(BLUEPRINT)
    listening.listen(64)
    server = make_server("127.0.0.1", 0, APP, threaded=True, fd=listening.fileno())
    print(url, flush=True)  # noqa: T201 - tells the parent
    server.serve_forever()


if __name__ == "__main__":
    main()
