import datetime as dt
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from importer_help import EAST, NORTH, collection, lonlat, point, write_csv, write_geojson, write_xlsx

from importers.errors import SourceError
from importers.sources import Chunk, Source, base, open_source
from importers.sources.table import CsvSource

ROWS: list[dict[str, Any]] = [
    {"key": "00123", "name": "Größe; „Straße“", "anzahl": 5, "wert": 1.5, "leer": None},
    {"key": "02101", "name": 'Zeile\nmit "Umbruch", Komma', "anzahl": -7, "wert": 0.25, "leer": None},
    {"key": "x1", "name": "Ænöther\tTab", "anzahl": 0, "wert": 1e6 + 0.5, "leer": "da"},
]
PLACES = [(100.0, 200.0), (300.0, 400.0), (-50.0, 10.5)]


def read(path: Path, layer: str | None = None) -> tuple[Source, list[Chunk]]:
    source = open_source(path, layer=layer)
    return source, list(source.chunks())


def table(chunks: list[Chunk]) -> list[dict[str, Any]]:
    """Return the rows as dicts; "" and None are the same (a table has no other way to say it)."""
    made: list[dict[str, Any]] = []
    for chunk in chunks:
        made += [{name: values[i] for name, values in chunk.columns.items()} for i in range(len(chunk.rows))]
    return [{str(k): (None if v == "" else v) for k, v in row.items()} for row in made]


def as_text(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: None if v is None else str(v) for k, v in row.items()} for row in rows]


def features() -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    return [(row, point(x, y)) for row, (x, y) in zip(ROWS, PLACES, strict=True)]


def frame() -> geopandas.GeoDataFrame:
    places = [shapely.Point(EAST + x, NORTH + y) for x, y in PLACES]
    return geopandas.GeoDataFrame(ROWS, geometry=places, crs=25832)


def geojson_with_crs(folder: Path) -> Path:
    return write_geojson(folder / "a.geojson", features())


def geojson_without_crs(folder: Path) -> Path:
    return write_geojson(folder / "b.geojson", features(), crs=None)


def geojson_crs84(folder: Path) -> Path:
    document = collection(features(), crs=None)
    document["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    path = folder / "c.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(document).encode())
    return path


def gpkg(folder: Path) -> Path:
    frame().to_file(folder / "a.gpkg", layer="orte")
    return folder / "a.gpkg"


def shapefile(folder: Path) -> Path:
    frame().to_file(folder / "a.shp", encoding="utf-8")
    return folder / "a.shp"


def zipped_shapefile(folder: Path) -> Path:
    inner = shapefile(folder)
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
            archive.write(inner.with_suffix(part), f"daten/orte{part.upper() if part == '.dbf' else part}")
        archive.writestr("liesmich.txt", "nicht gemeint")
    return path


@pytest.mark.parametrize(
    ("make", "crs", "kind"),
    [
        (geojson_with_crs, "urn:ogc:def:crs:EPSG::25832", "GeoJSON"),
        (geojson_without_crs, "OGC:CRS84", "GeoJSON"),
        (geojson_crs84, "urn:ogc:def:crs:OGC:1.3:CRS84", "GeoJSON"),
        (gpkg, "EPSG:25832", "GPKG"),
        (shapefile, "EPSG:25832", "ESRI Shapefile"),
        (zipped_shapefile, "EPSG:25832", "ESRI Shapefile"),
    ],
)
def test_every_geodata_format_yields_the_same_rows(
    tmp_path: Path, make: Callable[[Path], Path], crs: str, kind: str
) -> None:
    path = make(tmp_path)
    source, chunks = read(path)
    assert source.columns == ("key", "name", "anzahl", "wert", "leer")
    assert source.provenance.crs == crs
    assert source.provenance.format == kind
    assert source.provenance.source == path.name
    assert source.provenance.checksum == base.checksum(path)
    assert table(chunks) == ROWS
    assert [n for chunk in chunks for n in chunk.rows.tolist()] == [1, 2, 3]
    geometry = chunks[0].geometry
    assert geometry is not None
    expected = [lonlat(x, y) if "25832" not in crs else (EAST + x, NORTH + y) for x, y in PLACES]
    assert np.allclose([(p.x, p.y) for p in geometry], expected, atol=1e-6)
    assert table(list(source.chunks())) == ROWS, "a source can be read twice"


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize(("encoding", "said"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252")])
def test_delimiter_and_encoding_are_recognised(tmp_path: Path, delimiter: str, encoding: str, said: str) -> None:
    path = write_csv(tmp_path / "a.csv", ROWS, delimiter, encoding)
    source, chunks = read(path)
    assert source.columns == ("key", "name", "anzahl", "wert", "leer")
    assert as_text(table(chunks)) == as_text(ROWS)
    assert source.provenance.encoding == said
    assert source.provenance.format == "CSV"
    assert any("Windows-1252" in note for note in source.notes) == (encoding == "cp1252")
    assert chunks[0].rows.tolist() == [2, 3, 4]
    assert not source.bad_rows


def test_tsv_and_trailing_delimiters_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("key\tname\t\t\n1\teins\t\t\n\n2\tzwei\n")
    source, chunks = read(path)
    assert source.columns == ("key", "name")
    assert table(chunks) == [{"key": "1", "name": "eins"}, {"key": "2", "name": "zwei"}]
    assert chunks[0].rows.tolist() == [2, 4], "rows count as a spreadsheet does"


def test_ragged_rows_are_noted_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key;name\n1;eins\n2\n3;drei;zuviel\n4;vier\n")
    source, chunks = read(path)
    assert table(chunks) == [{"key": "1", "name": "eins"}, {"key": "4", "name": "vier"}]
    assert source.bad_rows == {3: "Die Zeile hat 1 statt 2 Felder.", 4: "Die Zeile hat 3 statt 2 Felder."}


def test_doubly_encoded_umlauts_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key;name\n1;MÃ¼ller\n")
    source, _chunks = read(path)
    assert any("doppelt kodiert" in note for note in source.notes)


def test_a_workbook_keeps_numbers_and_writes_dates_as_iso(tmp_path: Path) -> None:
    rows = [
        ["key", "name", "ab", "um", "wert", "ganz", "ja", "leer", None],
        ["00123", "Größe", dt.date(2024, 2, 29), dt.datetime(2024, 1, 2, 3, 4), 1.5, 7, True, None],  # noqa: DTZ001 - as Excel has it
        [None] * 8,
        [123, "=1+1", None, None, 2.0, 10**17, False, " x "],
    ]
    source, chunks = read(write_xlsx(tmp_path / "a.xlsx", rows, Zweites=[["nicht"], ["das"]]))
    assert source.columns == ("key", "name", "ab", "um", "wert", "ganz", "ja", "leer")
    assert [n for chunk in chunks for n in chunk.rows.tolist()] == [2, 4]
    first, second = table(chunks)
    assert first == {
        "key": "00123", "name": "Größe", "ab": "2024-02-29", "um": "2024-01-02 03:04:00", "wert": 1.5, "ganz": 7,
        "ja": True, "leer": None,
    }  # fmt: skip
    assert second["key"] == 123
    assert second["name"] is None, "a formula without stored result is empty"
    assert second["wert"] == 2
    assert isinstance(second["wert"], int), "a key stored as 2.0 is 2"
    assert any("Von 2 Blättern" in note for note in source.notes)
    _source, other = read(tmp_path / "a.xlsx", layer="Zweites")
    assert table(other) == [{"nicht": "das"}]
    with pytest.raises(SourceError, match=r"hat kein Blatt „Drittes“. Vorhanden: Sheet, Zweites"):
        open_source(tmp_path / "a.xlsx", layer="Drittes")


def test_a_cell_too_large_for_any_number_stays_text(tmp_path: Path) -> None:
    plain = write_xlsx(tmp_path / "a.xlsx", [["key"], [4711]])
    huge = "9" * 400
    with zipfile.ZipFile(plain) as archive, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as changed:
        for name in archive.namelist():
            changed.writestr(name, archive.read(name).replace(b"<v>4711</v>", f"<v>{huge}</v>".encode()))
    assert table(read(tmp_path / "b.xlsx")[1]) == [{"key": huge}]


def test_several_layers_need_a_choice(tmp_path: Path) -> None:
    path = gpkg(tmp_path)
    frame().head(1).to_file(path, layer="andere")
    with pytest.raises(SourceError, match=r"mehrere Ebenen; bitte eine mit --layer wählen: orte, andere"):
        open_source(path)
    with pytest.raises(SourceError, match=r"hat keine Ebene „dritte“. Vorhanden: orte, andere"):
        open_source(path, layer="dritte")
    assert len(table(read(path, "andere")[1])) == 1
    assert len(table(read(path, "orte")[1])) == 3


def test_several_shapefiles_in_a_zip_need_a_choice(tmp_path: Path) -> None:
    inner = shapefile(tmp_path)
    path = tmp_path / "zwei.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for stem in ("eins", "zwei"):
            for part in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
                archive.write(inner.with_suffix(part), f"{stem}{part}")
    with pytest.raises(SourceError, match=r"mehrere Shapefiles; bitte eines mit --layer wählen: eins, zwei"):
        open_source(path)
    with pytest.raises(SourceError, match=r"kein Shapefile „drei“"):
        open_source(path, layer="drei")
    assert table(read(path, "zwei")[1]) == ROWS


def test_heights_are_dropped_with_a_note(tmp_path: Path) -> None:
    high = [({"key": "1"}, {"type": "Point", "coordinates": [EAST, NORTH, 17.5]})]
    three_d = geopandas.GeoDataFrame({"key": ["1"]}, geometry=[shapely.Point(EAST, NORTH, 17.5)], crs=25832)
    three_d.to_file(tmp_path / "h.gpkg")
    for path in (write_geojson(tmp_path / "h.geojson", high), tmp_path / "h.gpkg"):
        source, chunks = read(path)
        assert chunks[0].geometry is not None
        assert not shapely.has_z(chunks[0].geometry).any()
        assert "Höhenangaben (3D) wurden weggelassen." in source.notes


def test_a_large_file_is_read_piecewise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importers.sources import table as table_module
    from importers.sources import vector, workbook

    for module in (vector, workbook, table_module):
        monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    sheet = write_xlsx(tmp_path / "s.xlsx", [list(ROWS[0]), *(list(row.values()) for row in ROWS)])
    for path in (gpkg(tmp_path), zipped_shapefile(tmp_path), write_csv(tmp_path / "a.csv", ROWS), sheet):
        _source, chunks = read(path)
        assert [len(chunk.rows) for chunk in chunks] == [2, 1]
        numbers = np.concatenate([chunk.rows for chunk in chunks]).tolist()
        assert numbers == list(range(numbers[0], numbers[0] + 3))
        assert as_text(table(chunks))[2]["key"] == "x1"


def refused(path: Path) -> str:
    """Open and read the path, which must be refused; return the sentence."""
    with pytest.raises(SourceError) as why:
        list(open_source(path).chunks())
    sentence = str(why.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", "?")), sentence
    assert len(sentence) < 500
    return sentence


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "ist ein Ordner" in refused(tmp_path)
    assert "gibt es nicht" in refused(tmp_path / "fehlt.csv")
    for name in ("leer.csv", "leer.zip", "leer.geojson", "leer.xlsx", "leer.gpkg", "leer.shp"):
        (tmp_path / name).touch()
        assert f"„{name}“ ist leer" in refused(tmp_path / name)
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    assert "Endung „.pdf“ werden nicht gelesen" in refused(tmp_path / "a.pdf")
    assert "ist keine gewöhnliche Datei" in refused(Path("/dev/null"))
    odd = tmp_path / b"\xff.csv".decode(errors="surrogateescape")
    assert "Dateiname" in refused(odd)


def test_a_geojson_cut_in_half_is_refused(tmp_path: Path) -> None:
    path = geojson_with_crs(tmp_path)
    whole = path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert "kein vollständiges JSON" in refused(path)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[]", "keine GeoJSON-FeatureCollection"),
        ('{"type": "Feature", "geometry": null, "properties": {}}', "keine GeoJSON-FeatureCollection"),
        ('{"type": "FeatureCollection"}', "keine Liste von Objekten"),
        ('{"type": "FeatureCollection", "features": [1]}', "keine Liste von Objekten"),
        ('{"type": "FeatureCollection", "features": []}', "enthält keine Objekte"),
        ('{"type": "FeatureCollection", "features": [NaN]}', "kein vollständiges JSON"),
        ("\x00" * 50, "kein vollständiges JSON"),
    ],
)
def test_json_that_is_no_feature_collection_is_refused(tmp_path: Path, body: str, said: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(body)
    assert said in refused(path)


def test_truncated_binary_files_are_refused(tmp_path: Path) -> None:
    book = write_xlsx(tmp_path / "a.xlsx", [["key", "name"], ["1", "eins"]])
    for path in (gpkg(tmp_path), book, zipped_shapefile(tmp_path), tmp_path / "a.shp", tmp_path / "a.dbf"):
        whole = path.read_bytes()
        opened = path.with_suffix(".shp") if path.suffix == ".dbf" else path
        for cut in (10, len(whole) // 2, len(whole) - 40):
            path.write_bytes(whole[:cut])
            assert "lesbare" in refused(opened)
        path.write_bytes(whole)


def test_a_shapefile_without_its_parts_is_refused(tmp_path: Path) -> None:
    path = shapefile(tmp_path)
    path.with_suffix(".shx").unlink()
    assert "fehlt die Datei „a.shx“" in refused(path)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(path, "b.shp")
    assert "fehlt die Datei „b.shx“" in refused(tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("liesmich.txt", "nichts")
    assert "kein Shapefile" in refused(tmp_path / "c.zip")


@pytest.mark.parametrize(
    "name", ["../boese.shp", "ordner/../../boese.shp", "/etc/boese.shp", "..\\boese.shp", "C:\\b.shp"]
)
def test_a_zip_that_leads_out_of_itself_is_refused(tmp_path: Path, name: str) -> None:
    inner = zipped_shapefile(tmp_path)
    with zipfile.ZipFile(inner, "a") as archive:
        archive.writestr(name, "böse")
    before = sorted(path for path in tmp_path.parent.rglob("*"))
    assert "aus dem Archiv hinausführt" in refused(inner)
    assert sorted(path for path in tmp_path.parent.rglob("*")) == before


def declare_large(path: Path, size: int) -> None:
    """Let every entry of a zip claim to unpack to ``size`` bytes."""
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        found = raw.find(mark)
        while found >= 0:
            raw[found + at : found + at + 4] = struct.pack("<I", size)
            found = raw.find(mark, found + 4)
    path.write_bytes(raw)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    book = write_xlsx(tmp_path / "a.xlsx", [["key"], ["1"]])
    for path in (zipped_shapefile(tmp_path), book):
        declare_large(path, 0xF0000000)
        assert "entpackt größer als 1 GiB" in refused(path)


def test_a_corrupt_member_of_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kaputt.zip"
    inner = shapefile(tmp_path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"0123456789" * 1000)
        for part in (".shx", ".dbf"):
            archive.write(inner.with_suffix(part), f"a{part}")
    raw = bytearray(path.read_bytes())
    raw[35:60] = b"\xff" * 25
    path.write_bytes(raw)
    assert "kein lesbares ZIP-Archiv" in refused(path)


def test_a_line_of_200_mb_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    path = tmp_path / "lang.csv"
    block = b"a" * 1024**2
    with path.open("wb") as handle:
        handle.write(b"key;name\n")
        for _ in range(200):
            handle.write(block)
    try:
        assert "Zeile von mehr als 1 MiB" in refused(path)
    finally:
        path.unlink()


def test_a_sparse_file_of_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nichts.csv"
    with path.open("wb") as handle:
        handle.truncate(200 * 1024**2)
    assert "Nullbytes" in refused(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("key;name\n1;eins\n".encode(encoding))
    sentence = refused(path)
    assert "UTF-16" in sentence or "Nullbytes" in sentence


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'key;name\n1;"offen\n2;zwei\n', "vielleicht fehlt ein schlie\u00dfendes Anf\u00fchrungszeichen"),
        (b'key;name\n1;"zu" viel\n', "vielleicht fehlt ein schlie\u00dfendes Anf\u00fchrungszeichen"),
        (b"key;name;key\n1;2;3\n", "Spalte „key“ kommt in der Kopfzeile mehrfach vor"),
        (b"key;;name\n1;2;3\n", "Spalte ohne Namen"),
        (b"\n\nkey;name\n", "kein Trennzeichen"),
        (b"nur ein Satz\n", "kein Trennzeichen"),
        (b"key;name\n1;\x81\x8d\n", "weder UTF-8 noch Windows-1252"),
        (b"PK\x03\x04;;;", "Excel- oder ZIP-Datei"),
        (b"key;name\n1;a\x00b\n", "Nullbytes"),
    ],
)
def test_broken_tables_are_refused(tmp_path: Path, body: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(body)
    assert said in refused(path)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["key", "key"], ["1", "2"]], "mehrfach"),
        ([["key", None, "name"], ["1", "2", "3"]], "Spalte ohne Namen"),
        ([], "Das Blatt ist leer"),
    ],
)
def test_broken_sheets_are_refused(tmp_path: Path, rows: list[list[Any]], said: str) -> None:
    assert said in refused(write_xlsx(tmp_path / "a.xlsx", rows))


def test_wrong_endings_are_refused(tmp_path: Path) -> None:
    body = write_csv(tmp_path / "a.csv", ROWS).read_bytes()
    for ending in (".xlsx", ".gpkg", ".zip", ".geojson"):
        path = tmp_path / f"a{ending}"
        path.write_bytes(body)
        refused(path)
    (tmp_path / "c.csv").write_bytes(write_xlsx(tmp_path / "c.xlsx", [["a"], ["b"]]).read_bytes())
    assert "Endung einer Textdatei" in refused(tmp_path / "c.csv")


def test_the_limits_protect_the_memory() -> None:
    assert base.MAX_LINE_BYTES <= 1024**2
    assert base.MAX_UNPACKED_BYTES <= 1024**3
    assert base.MAX_GEOJSON_BYTES < 300 * 1024**2
    assert CsvSource.__doc__
