"""Real servers for the importers' tests, started once: they publish Hamburg, or the demo city where that is absent."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pytest
import shapely
from importer_help import EAST, NORTH, Json, box, collection
from mapserver_server import layer, mapserver
from scripted_server import Scripted, scripted_server

from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.mapping import Mapping, read_mapping
from importers.report import Report
from importers.sources import Source, open_source

HAMBURG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hamburg"
PAGE_ROWS = 40


@dataclass(frozen=True)
class Published:
    """What the servers publish. ``probe``: a few rows of every kind of value; ``above``: what must be there before."""

    areas: Path
    areas_epsg: int
    facilities: Path
    probe: Path
    areas_mapping: Mapping
    facilities_mapping: Mapping
    above: Callable[[Any], None] = field(repr=False)

    def load_areas(self, engine: Any, source: Source, *, keep: bool = True) -> Report:
        mapping = self.areas_mapping.model_copy(update={"keep_attributes": keep})
        return import_areas(engine, source, AreasImport("stadtteil", parent_level="bezirk", mapping=mapping))

    def load_facilities(self, engine: Any, source: Source) -> Report:
        return import_facilities(engine, source, FacilitiesImport("okja", mapping=self.facilities_mapping))


def _hamburg(probe: Path) -> Published:
    def above(engine: Any) -> None:
        source = open_source(HAMBURG / "grenzen" / "bezirke.geojson")
        import_areas(engine, source, AreasImport("bezirk", mapping=read_mapping(Path("hamburg/bezirke.toml"))))

    return Published(
        HAMBURG / "grenzen" / "stadtteile.geojson", 4326, HAMBURG / "einrichtungen" / "jugendorte.geojson", probe,
        read_mapping(Path("hamburg/stadtteile.toml")), read_mapping(Path("hamburg/jugendorte.toml")), above,
    )  # fmt: skip


def _demo(folder: Path, probe: Path) -> Published:
    from importers.demo import city, files

    files.write(city.build(), folder)
    geopandas.read_file(folder / "gebiete-stadtteil.gpkg").to_file(folder / "stadtteile.geojson", driver="GeoJSON")
    table = pd.read_csv(folder / "einrichtungen-okja.csv", sep=";", dtype=str)
    points = shapely.points(table["lon"].astype(float), table["lat"].astype(float))
    frame = geopandas.GeoDataFrame(table.drop(columns=["lon", "lat", "x", "y"]), geometry=points, crs=4326)
    # To the millimetre, as offices publish them; the servers write no finer.
    frame.to_crs(25832).to_file(folder / "jugendorte.geojson", driver="GeoJSON", COORDINATE_PRECISION=3)

    def above(engine: Any) -> None:
        for level, parent in (("land", None), ("bezirk", "land")):
            source = open_source(folder / f"gebiete-{level}.gpkg")
            import_areas(engine, source, AreasImport(level, parent_level=parent, mapping=Mapping()))

    return Published(
        folder / "stadtteile.geojson", 25832, folder / "jugendorte.geojson", probe, Mapping(), Mapping(), above
    )


HOLE = [[EAST + x, NORTH + y] for x, y in ((510, 10), (510, 20), (520, 20), (520, 10), (510, 10))]
TWO = {
    "type": "MultiPolygon",
    "coordinates": [box(300, 0, 50, 50)["coordinates"], [*box(500, 0, 90, 90)["coordinates"], HOLE]],
}
# No angle brackets: newer releases of pygeoapi rewrite them on their way out.
ODD = "Größe & Straße „ß“ 100 %"
PROBE: list[tuple[Json, Json | None]] = [
    ({"id": "p1", "nr": "00123", "name": ODD, "zahl": 5, "wert": 1.5, "leer": None}, box(0, 0, 100, 50)),
    ({"id": "p2", "nr": "02101", "name": "Ænöther  Blank ", "zahl": -7, "wert": 0.25, "leer": None}, box(100, 0, 9, 5)),
    ({"id": "p3", "nr": "1E5", "name": "3", "zahl": 0, "wert": 100000.5, "leer": "da"}, TWO),
]  # fmt: skip


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("published")
    probe = folder / "probe.geojson"
    probe.write_text(json.dumps(collection(PROBE), ensure_ascii=False), encoding="utf-8")
    return _hamburg(probe) if HAMBURG.exists() else _demo(folder, probe)


@pytest.fixture(scope="session")
def pygeoapi_url(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a pygeoapi with the collections ``stadtteile``, ``jugendorte`` and ``probe``."""
    entries = [
        f"stadtteile={published.areas}={published.areas_epsg}",
        f"jugendorte={published.facilities}=25832",
        f"probe={published.probe}=25832",
    ]
    program = Path(__file__).with_name("pygeoapi_server.py")
    folder = tmp_path_factory.mktemp("pygeoapi")
    with (folder / "stderr").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, str(program), str(folder), str(PAGE_ROWS), *entries],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert child.stdout is not None
    url = child.stdout.readline().strip()
    try:
        assert url, (folder / "stderr").read_text()
        yield url
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


@pytest.fixture(scope="session")
def mapserver_url(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MapServer WFS with the same."""
    layers = [
        layer("stadtteile", published.areas, "POLYGON", published.areas_epsg),
        layer("jugendorte", published.facilities, "POINT", 25832),
        layer("probe", published.probe, "POLYGON", 25832, "id"),
    ]
    with mapserver(tmp_path_factory.mktemp("mapserver"), layers, PAGE_ROWS, "EPSG:25832 EPSG:4326") as url:
        yield url


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A server that says what the test wants."""
    with scripted_server() as server:
        yield server
