"""What the tests of versions share: a little city loaded from files, and short ways to look."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from hand_rows import X0, Y0
from sqlalchemy import Engine, text

from geodata.database import lock_writers, writing
from geodata.versions import Diff, RolledBack, diff, rollback
from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.load import Limit, Rules
from importers.report import Report
from importers.sources import open_source

Box = tuple[str, str, tuple[float, float, float, float]]
DAY = dt.date(2025, 1, 1)


def query(engine: Engine, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def one(engine: Engine, sql: str, **values: Any) -> Any:
    return query(engine, sql, **values)[0][0]


def data_version(engine: Engine) -> int:
    return int(one(engine, "SELECT data_version FROM instance_state"))


def back(engine: Engine, name: str, **options: Any) -> RolledBack:
    with writing(engine) as session:
        lock_writers(session)
        return rollback(session, name, **options)


def compared(engine: Engine, name: str, **options: Any) -> Diff:
    with writing(engine) as session:
        return diff(session, name, **options)


class City:
    """Writes little files and loads them."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder

    def areas(
        self, level: str, boxes: list[tuple[str, str, tuple[float, float, float, float]]], **options: Any
    ) -> Report:
        features = []
        for key, name, (west, south, east, north) in boxes:
            ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
            shape = {"type": "Polygon", "coordinates": [[[X0 + x, Y0 + y] for x, y in ring]]}
            features.append({"type": "Feature", "properties": {"key": key, "name": name}, "geometry": shape})
        crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
        path = self.folder / f"{level}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), encoding="utf-8")
        return import_areas(self.engine, open_source(path), AreasImport(level, **options))

    def homes(self, rows: list[dict[str, Any]], **options: Any) -> Report:
        path = self.folder / "einrichtungen.csv"
        names = ["id", "name", "x", "y", "provider", "age_from", "supply", "supply_unit"]
        lines = [";".join(str(row.get(name, "")) for name in names) for row in rows]
        path.write_text("\n".join([";".join(names), *lines]) + "\n", encoding="utf-8")
        options.setdefault("rules", Rules(Limit(number=0), Limit(share=0.9)))
        wanted = FacilitiesImport("okja", crs="EPSG:25832", **options)
        return import_facilities(self.engine, open_source(path), wanted)


WEST = ("w", "West", (0, 0, 1000, 2000))
EAST = ("o", "Ost", (1000, 0, 2000, 2000))
TOWN = [("1", "Stadt", (0, 0, 2000, 2000))]


def home(number: int, x: float = 500, y: float = 500, **more: Any) -> dict[str, Any]:
    return {"id": f"a{number}", "name": f"Treff {number}", "x": X0 + x, "y": Y0 + y} | more


def small_city(engine: Engine, folder: Path) -> City:
    """Load a town of two Stadtteile and three places."""
    made = City(engine, folder)
    made.areas("bezirk", TOWN)
    made.areas("stadtteil", [WEST, EAST], parent_level="bezirk")
    made.homes([home(1), home(2, 1500), home(3, 700, 900, supply=12, supply_unit="places")])
    return made
