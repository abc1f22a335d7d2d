"""Reach on Altona's streets to Hamburg's real youth places, the files' own words judged by networkx."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import shapely
from conftest import HAMBURG, SHARED, Database
from graphs_help import Edge, judged
from pyproj import Transformer
from sqlalchemy import text
from ways_oracle import Judge, require_reach, require_view, scatter

from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.kinds.network import import_network
from importers.mapping import read_mapping
from importers.sources import open_source

ALTONA = SHARED / "data" / "netz" / "altona_netz.geojson"
YOUTH = HAMBURG / "einrichtungen" / "jugendorte.geojson"
BEZIRKE = HAMBURG / "grenzen" / "bezirke.geojson"
TO_METRES = Transformer.from_crs(4326, 25832, always_xy=True)
Mode = Literal["walk", "bike"]

pytestmark = pytest.mark.skipif(not (ALTONA.exists() and HAMBURG.exists()), reason="shared/data is absent")


def features(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["features"]
    return found


class Town:
    """The database, and what the files say by themselves; only the nodes' points are the database's."""

    def __init__(self, database: Database) -> None:
        self.database = database
        import_areas(
            database.writing, open_source(BEZIRKE),
            AreasImport("bezirk", mapping=read_mapping(Path("hamburg/bezirke.toml"))),
        )  # fmt: skip
        import_facilities(
            database.writing, open_source(YOUTH),
            FacilitiesImport("okja", mapping=read_mapping(Path("hamburg/jugendorte.toml"))),
        )  # fmt: skip
        import_network(database.writing, ALTONA)
        with database.writing.connect() as connection:
            nodes = connection.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM network_node ORDER BY node")).all()
        self.xy = np.array([tuple(row) for row in nodes])
        self.rows = [f["properties"] for f in features(ALTONA) if f["geometry"]["type"] == "LineString"]
        names = sorted({row[end] for row in self.rows for end in ("from", "to") if row["from"] != row["to"]})
        assert len(names) == len(self.xy)
        self.number = {name: number for number, name in enumerate(names)}
        self.places = np.array([f["geometry"]["coordinates"] for f in features(YOUTH)
                                if f["properties"]["angebotstyp"] != "Öffentliche Bücherhalle"])  # fmt: skip
        low, high = np.quantile(self.xy, [0.2, 0.8], axis=0)
        self.cells, self.people = scatter(database, low, high, 400, "bezirk")
        bezirke = [(f["properties"]["id"], shapely.from_geojson(json.dumps(f["geometry"]))) for f in features(BEZIRKE)]
        shapes = {str(key): shapely.transform(shape, lambda xy: np.column_stack(TO_METRES.transform(*xy.T)))
                  for key, shape in bezirke}  # fmt: skip
        self.owner = [next(key for key, shape in shapes.items() if shape.contains(shapely.Point(at)))
                      for at in self.cells]  # fmt: skip

    def directed(self, mode: Mode) -> list[Edge]:
        made: list[Edge] = []
        for row in self.rows:
            u, v, metres = self.number.get(row["from"]), self.number.get(row["to"]), row["length"]
            if u is not None and v is not None and u != v:
                made.append((u, v, metres))
                if mode == "walk" or not row["oneway"]:
                    made.append((v, u, metres))
        return made

    def judge(self, mode: Mode) -> Judge:
        return Judge(mode, judged(self.directed(mode)), self.xy, self.cells, self.people, self.places)


@pytest.fixture(scope="module")
def altona(new_database: Callable[[], Database]) -> Town:
    return Town(new_database())


@pytest.mark.parametrize(("mode", "minutes"), [("walk", 12), ("bike", 4)])
def test_reach_by_networkx(altona: Town, mode: Mode, minutes: int) -> None:
    assert len(set(altona.owner)) >= 2
    require_reach(altona.database, altona.judge(mode), "okja", "bezirk", altona.owner, minutes)


@pytest.mark.parametrize(("mode", "minutes"), [("walk", 20), ("bike", 8)])
def test_points_of_view_by_networkx(altona: Town, mode: Mode, minutes: int) -> None:
    judge = altona.judge(mode)
    middle = altona.cells.mean(axis=0)
    for off in (0, 300, -400):
        assert require_view(altona.database, judge, "okja", middle + off, minutes) > 3
