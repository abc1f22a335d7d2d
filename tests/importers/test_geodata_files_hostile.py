"""Files that would have GDAL read other files of this machine, or ask servers: refused before anything is read."""

import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas
import pytest
import shapely
from importer_help import EAST, NORTH

from importers.errors import SourceError
from importers.sources import open_source, vector

ADDRESS = "Geheimweg 7"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file beside nothing of ours."""
    folder = tmp_path / "anderswo"
    folder.mkdir()
    path = folder / "secret.csv"
    path.write_text(f"name,ort\nFrauenhaus,{ADDRESS}\n", encoding="utf-8")
    return path


def refused(path: Path, **options: str) -> str:
    """Open and read a file; return the sentence it is refused with."""
    with pytest.raises(SourceError) as error:
        list(open_source(path, **options).chunks())  # type: ignore[arg-type]
    assert ADDRESS not in str(error.value)
    return str(error.value)


def frame() -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame({"key": ["1"]}, geometry=[shapely.Point(EAST, NORTH)], crs=25832)


def vrt(secret: Path) -> str:
    return (
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{secret}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )


OTHERS: dict[str, Callable[[Path], str]] = {
    "vrt": vrt,
    "csv": lambda secret: secret.read_text(encoding="utf-8"),
    "geojson": lambda _secret: '{"type": "FeatureCollection", "features": []}',
    "wfs": lambda _secret: "<OGRWFSDataSource><URL>http://127.0.0.1:9/wfs</URL></OGRWFSDataSource>",
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What GDAL has been asked."""
    calls: list[str] = []
    for name in ("list_layers", "read_info"):
        monkeypatch.setattr(vector.pyogrio, name, lambda *_args, name=name, **_more: calls.append(name))
    return calls


@pytest.mark.parametrize("what", OTHERS)
def test_a_geopackage_is_one(tmp_path: Path, secret: Path, what: str, asked: list[str]) -> None:
    path = tmp_path / "harmlos.gpkg"
    path.write_text(OTHERS[what](secret), encoding="utf-8")
    assert "keine lesbare Geodatei" in refused(path)
    assert asked == [], "some drivers ask servers as soon as they look"


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_shapefile_is_one(
    tmp_path: Path, secret: Path, what: str, zipped: bool, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame().to_file(tmp_path / "harmlos.shp")
    path = tmp_path / "harmlos.shp"
    path.write_text(OTHERS[what](secret), encoding="utf-8")
    # Lengths in its head are another check, which a file can be made to pass.
    monkeypatch.setattr(vector, "_require_whole_shapefile", lambda *_args: None)
    if zipped:
        with zipfile.ZipFile(tmp_path / "harmlos.zip", "w") as archive:
            for part in (".shp", ".shx", ".dbf", ".prj"):
                archive.write(path.with_suffix(part), f"harmlos{part}")
        path = tmp_path / "harmlos.zip"
    assert "keine lesbare Geodatei" in refused(path)
    assert asked == []


def test_gdal_must_take_it_for_what_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ort.gpkg"
    frame().to_file(path)
    assert open_source(path).columns == ("key",)
    right = vector.pyogrio.read_info
    monkeypatch.setattr(vector.pyogrio, "read_info", lambda *args, **more: right(*args, **more) | {"driver": "OGR_VRT"})
    assert "keine lesbare Geodatei" in refused(path)


def with_schema(path: Path, kind: str, sql: str, name: str = "falle") -> Path:
    """Write a GeoPackage with one layer, and one more entry in its schema, listed as a layer."""
    frame().to_file(path, layer="orte")
    database = sqlite3.connect(path)
    database.execute("PRAGMA writable_schema = ON")
    database.execute("INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES (?, 'falle', ?, 0, ?)",
                     (kind, name, sql))  # fmt: skip
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)", (name, name)
    )
    database.commit()
    database.close()
    return path


@pytest.mark.parametrize("layer", ["falle", "orte"])
@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        ("table", "CREATE VIRTUAL TABLE falle USING VirtualText('{secret}', 'UTF-8', 1, COMMA, DOUBLEQUOTE, ',')"),
        ("table", "create/**/virtual table falle using VirtualText('{secret}', 'UTF-8', 1, COMMA, DOUBLEQUOTE, ',')"),
        ("table", "CREATE VIRTUAL TABLE falle USING VirtualOGR('{secret}')"),
        ("view", "CREATE VIEW falle AS SELECT ogr_geocode('x') AS ort"),
    ],
)
def test_a_geopackage_holds_tables_only(tmp_path: Path, secret: Path, kind: str, sql: str, layer: str) -> None:
    path = with_schema(tmp_path / "harmlos.gpkg", kind, sql.format(secret=secret))
    assert "„falle“ eine Sicht oder virtuelle Tabelle" in refused(path, layer=layer)


def test_a_spatial_index_is_no_trap(tmp_path: Path) -> None:
    path = tmp_path / "orte.gpkg"
    frame().to_file(path, layer="orte")
    with sqlite3.connect(path) as database:
        indexes = database.execute("SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%USING rtree%'").fetchone()
    database.close()
    assert indexes == (1,)
    assert sum(len(chunk.rows) for chunk in open_source(path).chunks()) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["orte.gpkg"], "nothing is written beside it"


def test_what_is_no_database_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orte.gpkg"
    path.write_bytes(b"SQLite format 3\0" + bytes(4096))
    assert "keine lesbare Geodatei" in refused(path)


def test_an_archive_is_unpacked_where_it_is_told(tmp_path: Path) -> None:
    frame().to_file(tmp_path / "orte.shp")
    with zipfile.ZipFile(tmp_path / "orte.zip", "w") as archive:
        for part in (".shp", ".shx", ".dbf", ".prj"):
            archive.write(tmp_path / f"orte{part}", f"orte{part}")
    beside = tmp_path / "neben"
    beside.mkdir()
    source = open_source(tmp_path / "orte.zip", folder=beside)
    (private,) = beside.iterdir()
    assert (private / "ebene.shp").is_file()
    assert sum(len(chunk.rows) for chunk in source.chunks()) == 1
    # Whoever removes the folder removes all of it, whatever becomes of the reader.
    shutil.rmtree(beside)
    del source
    broken = tmp_path / "broken.zip"
    broken.write_bytes((tmp_path / "orte.zip").read_bytes()[:-40])
    beside.mkdir()
    with pytest.raises(SourceError):
        open_source(broken, folder=beside)
    assert list(beside.iterdir()) == []
