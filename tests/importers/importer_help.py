"""What the tests of the importers share: tiny files, a tiny city, and short ways to load and to look."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import openpyxl
from pyproj import Transformer
from sqlalchemy import Engine, text

from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.load import Limit, Rules
from importers.mapping import Mapping as ColumnMapping
from importers.report import Report
from importers.sources import open_source

EAST, NORTH = 560_000, 5_930_000  # the south-west corner of the tiny city, EPSG:25832
_DEGREES = Transformer.from_crs(25832, 4326, always_xy=True)
Json = dict[str, Any]


class Database(Protocol):
    """What the fixtures ``database`` and ``hamburg_database`` give."""

    writing: Engine
    serving: Engine
    writing_url: str
    serving_url: str


def box(x: float, y: float, width: float, height: float) -> Json:
    """Return a rectangle as GeoJSON, in metres from the corner of the city."""
    west, south = EAST + x, NORTH + y
    ring = [[west, south], [west + width, south], [west + width, south + height], [west, south + height], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def point(x: float, y: float) -> Json:
    return {"type": "Point", "coordinates": [EAST + x, NORTH + y]}


def lonlat(x: float, y: float) -> tuple[float, float]:
    """Return longitude and latitude of a point given in metres from the corner of the city."""
    lon, lat = _DEGREES.transform(EAST + x, NORTH + y)
    return round(lon, 7), round(lat, 7)


def in_degrees(geometry: Json | None) -> Json | None:
    def turned(part: Any) -> Any:
        if isinstance(part[0], int | float):
            return [*_DEGREES.transform(part[0], part[1]), *part[2:]]
        return [turned(inner) for inner in part]

    return None if geometry is None else {"type": geometry["type"], "coordinates": turned(geometry["coordinates"])}


def collection(features: Iterable[tuple[Json, Json | None]], crs: int | None = 25832) -> Json:
    """Return a FeatureCollection of (properties, geometry in metres); without ``crs`` member in degrees."""
    member = {} if crs is None else {"crs": {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{crs}"}}}
    made = [
        {"type": "Feature", "properties": props, "geometry": in_degrees(shape) if crs is None else shape}
        for props, shape in features
    ]
    return {"type": "FeatureCollection", **member, "features": made}


def write_geojson(path: Path, features: Iterable[tuple[Json, Json | None]], crs: int | None = 25832) -> Path:
    path.write_text(json.dumps(collection(features, crs), ensure_ascii=False), encoding="utf-8")
    return path


def write_csv(
    path: Path, rows: list[Mapping[str, Any]], delimiter: str = ";", encoding: str = "utf-8", columns: Any = None
) -> Path:
    """Write dicts as a table; the columns are those of all rows in order of appearance."""
    names = list(columns or dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(names)
    writer.writerows([["" if row.get(name) is None else row[name] for name in names] for row in rows])
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def write_xlsx(path: Path, rows: list[list[Any]], **more_sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for name, extra in more_sheets.items():
        other = book.create_sheet(name)
        for row in extra:
            other.append(row)
    book.save(path)
    return path


def write_toml(path: Path, body: str) -> Path:
    path.write_text(body, encoding="utf-8")
    return path


# Two Bezirke side by side, two Stadtteile in each; the third digit of the key is the Bezirk.
BEZIRKE: list[tuple[Json, Json | None]] = [
    ({"id": "1", "name": "West"}, box(0, 0, 2000, 2000)),
    ({"id": "2", "name": "Ost"}, box(2000, 0, 2000, 2000)),
]
STADTTEILE: list[tuple[Json, Json | None]] = [
    ({"id": "02101", "name": "Weststadt"}, box(0, 0, 1000, 2000)),
    ({"id": "02102", "name": "Mitte"}, box(1000, 0, 1000, 2000)),
    ({"id": "02201", "name": "Oststadt"}, box(2000, 0, 1000, 2000)),
    ({"id": "02202", "name": "Übersee"}, box(3000, 0, 1000, 2000)),
]
BY_DIGIT = ColumnMapping.model_validate({"columns": {"key": "id", "parent_key": {"from": "id", "chars": "3"}}})


def rules(rejects: str = "0", shrink: str = "30%", **more: bool) -> Rules:
    return Rules(Limit.parse(rejects, "--max-rejects"), Limit.parse(shrink, "--max-shrink"), **more)


def load_areas(engine: Engine, path: Path, level: str, *, layer: str | None = None, **options: Any) -> Report:
    options.setdefault("key", None if "mapping" in options else "id")
    return import_areas(engine, open_source(path, layer=layer), AreasImport(level, **options))


def load_facilities(engine: Engine, path: Path, category: str = "okja", **options: Any) -> Report:
    return import_facilities(engine, open_source(path), FacilitiesImport(category, **options))


def load_city(engine: Engine, folder: Path) -> None:
    """Load the tiny city: its Bezirke and Stadtteile."""
    load_areas(engine, write_geojson(folder / "bezirke.geojson", BEZIRKE), "bezirk")
    stadtteile = write_geojson(folder / "stadtteile.geojson", STADTTEILE)
    load_areas(engine, stadtteile, "stadtteil", parent_level="bezirk", mapping=BY_DIGIT)


def offer(number: int | str = 1, x: float = 500, y: float = 500, **columns: Any) -> Json:
    """Return one canonical facility row at a place in the tiny city."""
    lon, lat = lonlat(x, y)
    return {"id": f"a{number}", "name": f"Treff {number}", "lon": lon, "lat": lat, **columns}


def query(engine: Engine, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def data_version(engine: Engine) -> int:
    return int(query(engine, "SELECT data_version FROM instance_state")[0][0])


_TABLES = (
    "instance_state", "dataset", "import_run", "level", "provider", "provider_alias", "area_registry", "area", "place",
    "offer", "facility_area",
)  # fmt: skip


def state(engine: Engine) -> dict[str, str]:
    """Return a digest of every table an import writes: two equal states mean that nothing was changed."""
    return {
        table: query(engine, f"SELECT count(*) || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) "
                             f"FROM {table} t")[0][0]
        for table in _TABLES
    }  # fmt: skip


def visible(engine: Engine, level: str) -> dict[str, tuple[str, str | None]]:
    """Return the visible areas of a level: key -> (name, parent key)."""
    found = query(engine, "SELECT key, name, parent_key FROM area_visible WHERE level = :level", level=level)
    return {key: (name, parent) for key, name, parent in found}


def places(engine: Engine, dataset: str) -> list[dict[str, Any]]:
    """Return the current offers of a dataset with their places, ordered by offer id."""
    with engine.connect() as connection:
        found = connection.execute(
            text("""
                SELECT o.*, p.name AS place_name, p.provider, p.provider_key, p.street, p.house_number, p.postcode,
                       p.city, p.state, p.barrier_free, p.phone, p.email, p.website,
                       ST_X(p.geom) AS east, ST_Y(p.geom) AS north,
                       (SELECT coalesce(json_object_agg(f.level, f.area_key), '{}') FROM facility_area f
                        WHERE f.import_id = p.import_id AND f.facility_id = p.facility_id) AS areas
                FROM dataset d JOIN offer o ON o.import_id = d.current_import_id
                JOIN place p ON p.import_id = o.import_id AND p.facility_id = o.facility_id
                WHERE d.name = :dataset ORDER BY o.offer_id
            """),
            {"dataset": dataset},
        )
        return [dict(row._mapping) for row in found]


def findings(report: Report, severity: Literal["reject", "warning", "info"]) -> list[tuple[Any, ...]]:
    """Return the findings of one severity as (row, field, value, reason)."""
    return [(f.row, f.field, f.value, f.reason) for f in report.findings if f.severity.value == severity]
