"""What the tests of ``sync`` share: a tiny city behind a web server that knows ETags, and ways to run and to look."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from importer_help import BEZIRKE, STADTTEILE, Json, collection, offer, query
from scripted_server import Answer, Handler, Scripted, said
from sqlalchemy import Engine

from importers.sync import Outcome, Status, sync
from importers.sync_file import read_plan
from importers.sync_kinds import Home

HOME = Home("bezirk", "Hamburg")
BY_DIGIT = 'columns = { key = "id", name = "name", parent_key = { from = "id", chars = "3" } }\n'
CSV = ["id", "name", "lon", "lat"]


def etagged(body: Any, etag: str, kind: str = "application/geo+json") -> Callable[[Handler], Answer]:
    """Answer with the body, or that it is as it was to whoever knows its ETag."""

    def reply(handler: Handler) -> Answer:
        if handler.headers.get("If-None-Match") == etag:
            return Answer(status=304, headers={"ETag": etag})
        return said(body, kind, headers={"ETag": etag})

    return reply


def table(rows: Iterable[Json]) -> bytes:
    made = list(rows)
    names = list(dict.fromkeys([*CSV, *(name for row in made for name in row)]))
    return "\n".join([";".join(names), *(";".join(str(row.get(n, "")) for n in names) for row in made)]).encode()


class Web:
    """The tiny city on a server, and a list of sources that names it."""

    def __init__(self, server: Scripted, folder: Path, engine: Engine) -> None:
        self.server = server
        self.folder = folder
        self.engine = engine
        (folder / "stadtteile.toml").write_text(BY_DIGIT, encoding="utf-8")
        self.areas("bezirke", BEZIRKE)
        self.areas("stadtteile", STADTTEILE)
        self.homes([offer(1), offer(2, 1500), offer(3, 2500)])
        self.list = folder / "quellen.toml"
        self.write(self.stadtteile(), self.bezirke(), self.treffs())

    def areas(self, name: str, features: Any, etag: str = '"1"') -> None:
        self.server.put(f"/{name}.geojson", etagged(collection(features), etag))

    def homes(self, rows: Iterable[Json], etag: str = '"1"') -> None:
        self.server.put("/treffs.csv", etagged(table(rows), etag, "text/csv"))

    def bezirke(self, **more: Any) -> Json:
        return {"name": "areas.bezirk", "kind": "areas", "level": "bezirk", "url": f"{self.server.url}/bezirke.geojson",
                "mapping": "plain.toml"} | more  # fmt: skip

    def stadtteile(self, **more: Any) -> Json:
        return {"name": "areas.stadtteil", "kind": "areas", "level": "stadtteil", "parent_level": "bezirk",
                "url": f"{self.server.url}/stadtteile.geojson", "mapping": "stadtteile.toml"} | more  # fmt: skip

    def treffs(self, **more: Any) -> Json:
        return {"name": "facilities.okja", "kind": "facilities", "category": "okja",
                "url": f"{self.server.url}/treffs.csv"} | more  # fmt: skip

    def write(self, *sources: Json, **http: Any) -> Path:
        (self.folder / "plain.toml").write_text('columns = { key = "id", name = "name" }\n', encoding="utf-8")
        given = {name: value for name, value in ({"attempts": 1, "read_timeout_s": 5} | http).items()}
        lines = ["[http]", *(f"{name} = {json.dumps(value)}" for name, value in given.items())]
        for source in sources:
            lines += ["", "[[source]]", *(f"{name} = {json.dumps(value)}" for name, value in source.items())]
        self.list.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.list

    def run(self, *only: str, **options: Any) -> dict[str, Outcome]:
        options.setdefault("app_version", "1")
        self.server.asked.clear()
        outcomes = sync(self.engine, read_plan(self.list, only), HOME, **options)
        return {outcome.name: outcome for outcome in outcomes}

    def asked(self, path: str) -> list[dict[str, str]]:
        """Return the headers of the requests of a path in the last run."""
        return [headers for asked, headers in self.server.asked if asked.partition("?")[0] == path]


def statuses(outcomes: dict[str, Outcome]) -> dict[str, Status]:
    return {name: outcome.status for name, outcome in outcomes.items()}


def source_state(engine: Engine) -> dict[str, tuple[Any, ...]]:
    """Return of each source: checked?, failed?, why."""
    found = query(engine, "SELECT dataset, checked_at IS NOT NULL, failed_at IS NOT NULL, failure FROM source_state")
    return {name: tuple(rest) for name, *rest in found}


def links(engine: Engine, level: str = "stadtteil") -> dict[str, str]:
    """Return the area of each visible place."""
    return dict(query(engine, """
        SELECT f.facility_id, f.area_key FROM facility_area f JOIN dataset d ON d.current_import_id = f.import_id
        WHERE f.level = :level
    """, level=level))  # type: ignore[arg-type]  # fmt: skip
