"""JSON rows, against the standard library's own reading of the same documents."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import HAMBURG
from importer_help import Database, load_city, offer, places, write_geojson
from remote_help import one_sentence

from importers.errors import SourceError
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.load import Limit, Rules
from importers.sources import Source, open_source
from importers.sources.base import Layout
from importers.sources.geojson import GeoJsonSource

ROWS: list[dict[str, Any]] = [
    {"key": "00123", "name": "Größe „ß“", "zahl": 5, "wert": 1.5, "ja": True, "leer": None},
    {"key": "x\u0000y", "name": "", "zahl": -7, "wert": 1e300, "ja": False, "mehr": {"a": [1, "ü"]}},
    {"name": "nur ein Name", "mehr": [1, 2]},
]


def written(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def read(path: Path, rows_path: str | None = None) -> tuple[Source, list[dict[str, Any]]]:
    source = open_source(path, layout=Layout(rows_path=rows_path))
    made = []
    for chunk in source.chunks():
        assert chunk.geometry is None
        made += [{name: chunk.columns[name][i] for name in source.columns} for i in range(len(chunk.rows))]
    return source, made


def refused(path: Path, rows_path: str | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        read(path, rows_path)
    return one_sentence(caught.value)


@pytest.mark.parametrize(
    ("wrapped", "rows_path"),
    [(ROWS, None), ({"zeilen": ROWS, "stand": "x"}, "zeilen"), ({"a": {"b": ROWS}}, "a.b"), ({"": ROWS}, "")],
)
def test_rows_are_what_they_are(tmp_path: Path, wrapped: Any, rows_path: str | None) -> None:
    path = written(tmp_path / "a.json", wrapped)
    for _again in range(2):
        source, rows = read(path, rows_path)
        assert source.columns == ("key", "name", "zahl", "wert", "ja", "leer", "mehr")
        assert rows == [
            {**ROWS[0], "mehr": None},
            {**ROWS[1], "key": "xy", "leer": None, "mehr": '{"a":[1,"ü"]}'},
            dict.fromkeys(source.columns) | {"name": "nur ein Name", "mehr": "[1,2]"},
        ]
        assert [type(row["zahl"]) for row in rows] == [int, int, type(None)]
    assert (source.provenance.format, source.provenance.crs, source.provenance.source) == ("JSON", None, "a.json")
    assert source.bad_rows == {}


def test_entries_that_are_no_objects_are_bad_rows(tmp_path: Path) -> None:
    source, rows = read(written(tmp_path / "a.json", [{"a": 1}, 7, {"a": 2}, None]))
    assert [row["a"] for row in rows] == [1, 2]
    assert [chunk.rows.tolist() for chunk in source.chunks()] == [[1, 3]]
    assert source.bad_rows == dict.fromkeys((2, 4), "Der Eintrag ist kein JSON-Objekt.")


def test_many_rows_come_in_chunks(tmp_path: Path) -> None:
    source = open_source(written(tmp_path / "a.json", [{"n": n} for n in range(120_000)]))
    chunks = list(source.chunks())
    assert [len(chunk.rows) for chunk in chunks] == [50_000, 50_000, 20_000]
    assert [value for chunk in chunks for value in chunk.columns["n"]] == list(range(120_000))
    assert chunks[-1].rows[-1] == 120_000


def test_geojson_called_json_stays_geojson(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.json", [({"a": 1}, None)])
    assert isinstance(open_source(path), GeoJsonSource)
    # The member that says what it is may stand far behind.
    document = json.loads(path.read_text())
    late = {"vorweg": "x" * 100_000, **document}
    late["type"] = late.pop("type")
    assert isinstance(open_source(written(path, late)), GeoJsonSource)
    assert "keine GeoJSON-FeatureCollection" in refused(written(path, {"type": "Feature", "properties": {}}))


@pytest.mark.parametrize(
    ("body", "rows_path", "said"),
    [
        ("[{]", None, "kein vollständiges JSON (Fehler bei Zeile 1"),
        ('[{"a": NaN}]', None, "kein vollständiges JSON"),
        ('[{"a": 1}', None, "abgeschnitten"),
        ("[]", None, "enthält keine Zeilen"),
        ("[1, 2]", None, "enthält keine Zeilen"),
        ("7", None, "keine Liste von Zeilen"),
        ('{"a": 1}', None, "keine Liste von Zeilen"),
        ('{"a": [{"b": 1}], "c": []}', None, "rows_path nennen, wo sie steht. Listen gibt es unter: a, c."),
        ('{"a": [{"b": 1}]}', "b", "unter „b“ keine Liste"),
        ('{"a": {"b": 1}}', "a.b.c", "unter „a.b.c“ keine Liste"),
        ('[{"": 1}]', None, "Spalte ohne Namen"),
        ('[{"a\\u0000": 1}]', None, "Nullzeichen"),
    ],
)
def test_what_is_no_table_is_said(tmp_path: Path, body: str, rows_path: str | None, said: str) -> None:
    (tmp_path / "a.json").write_text(body)
    assert said in refused(tmp_path / "a.json", rows_path)


def test_facilities_are_imported_from_json_rows(database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    source = open_source(written(tmp_path / "a.json", [offer(n, 100 + n, age_from=6, age_to=14) for n in range(3)]))
    wanted = FacilitiesImport("okja", rules=Rules(Limit(number=0)))
    report = import_facilities(database.writing, source, wanted)
    assert (report.rows_loaded, report.format) == (3, "JSON")
    loaded = places(database.writing, "facilities.okja")
    assert [(row["offer_id"], row["age_from"], row["age_to"]) for row in loaded] == [(f"a{n}", 6, 14) for n in range(3)]


@pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data/hamburg is not beside this checkout")
@pytest.mark.parametrize("name", ["statistische_gebiete", "stadtteile"])
def test_hamburgs_own_tables(name: str) -> None:
    path = HAMBURG / "statistik" / f"{name}.json"
    expected = json.loads(path.read_text(encoding="utf-8"))
    source, rows = read(path)
    assert [{k: v for k, v in row.items() if v is not None} for row in rows] == [
        {k: v for k, v in row.items() if v is not None} for row in expected
    ]
    assert len(rows) == {"statistische_gebiete": 941, "stadtteile": 103}[name]
    assert source.bad_rows == {}
