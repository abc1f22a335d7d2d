import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas
import pytest
import shapely
from importer_help import (
    BEZIRKE,
    BY_DIGIT,
    EAST,
    NORTH,
    STADTTEILE,
    Database,
    box,
    data_version,
    findings,
    load_areas,
    load_city,
    load_facilities,
    offer,
    places,
    query,
    rules,
    state,
    visible,
    write_csv,
    write_geojson,
    write_xlsx,
)

from geodata import derive, surface
from importers.errors import MappingError, RefusedError
from importers.kinds import area_tables
from importers.kinds import areas as areas_module
from importers.mapping import Mapping
from importers.sources import Source


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    return database


def versions(database: Database, dataset: str) -> list[int]:
    found = query(
        database.writing,
        "SELECT DISTINCT a.import_id FROM area a JOIN import_run i ON i.id = a.import_id "
        "JOIN dataset d ON d.id = i.dataset_id WHERE d.name = :dataset ORDER BY 1",
        dataset=dataset,
    )
    return [row[0] for row in found]


def test_areas_are_loaded_with_parents_by_the_key_rule(city: Database) -> None:
    assert visible(city.writing, "bezirk") == {"1": ("West", None), "2": ("Ost", None)}
    assert visible(city.writing, "stadtteil") == {
        "02101": ("Weststadt", "1"), "02102": ("Mitte", "1"), "02201": ("Oststadt", "2"), "02202": ("Übersee", "2"),
    }  # fmt: skip
    area = query(city.writing, "SELECT key, ST_Area(geom), ST_SRID(geom), GeometryType(geom) FROM area_visible "
                               "WHERE level = 'stadtteil' ORDER BY key")  # fmt: skip
    assert [row[0] for row in area] == ["02101", "02102", "02201", "02202"]
    assert {row[1:] for row in area} == {(2_000_000.0, 25832, "MULTIPOLYGON")}
    assert query(city.writing, "SELECT level, title, parent_level FROM level ORDER BY 1") == [
        ("bezirk", "Bezirk", None),
        ("stadtteil", "Stadtteil", "bezirk"),
    ]
    assert data_version(city.writing) == 2


def test_the_key_rule_wins_over_the_overlap(city: Database, tmp_path: Path) -> None:
    moved = [({"id": "02199", "name": "liegt im Osten, gehört zum Westen"}, box(3000, 0, 100, 100))]
    load_areas(
        city.writing, write_geojson(tmp_path / "o.geojson", moved), "ortsteil", parent_level="bezirk", mapping=BY_DIGIT
    )
    assert visible(city.writing, "ortsteil")["02199"][1] == "1"


def test_parents_by_largest_overlap_where_none_is_given(city: Database, tmp_path: Path) -> None:
    blocks = [
        ({"id": "a", "name": "mehr im Osten"}, box(1500, 0, 1200, 100)),
        ({"id": "b", "name": "Hälfte"}, box(1900, 200, 200, 100)),
        ({"id": "c", "name": "berührt nur"}, box(4000, 0, 100, 100)),
        ({"id": "d", "name": "Insel"}, box(90_000, 0, 100, 100)),
        ({"id": "e", "name": "Faden"}, box(3999.995, 1000, 500, 100)),
    ]
    path = write_geojson(tmp_path / "s.geojson", blocks)
    report = load_areas(city.writing, path, "sozialraum", parent_level="bezirk")
    assert {key: parent for key, (_name, parent) in visible(city.writing, "sozialraum").items()} == {
        "a": "2", "b": "1", "c": None, "d": None, "e": None,
    }  # fmt: skip
    assert report.counts["übergeordnetes Gebiet aus größter Überlappung"] == 2
    lonely = [value for _row, field, value, _why in findings(report, "warning") if field == "parent_key"]
    assert lonely == ["c berührt nur", "d Insel", "e Faden"]


def test_an_unknown_parent_is_a_reject(city: Database, tmp_path: Path) -> None:
    odd = [*STADTTEILE, ({"id": "02901", "name": "Niemandsland"}, box(0, 3000, 10, 10))]
    path = write_geojson(tmp_path / "s.geojson", odd)
    before = state(city.writing)
    with pytest.raises(RefusedError, match=r"1 von 5 Zeilen wurden zurückgewiesen") as refused:
        load_areas(city.writing, path, "stadtteil", parent_level="bezirk", mapping=BY_DIGIT)
    assert findings(refused.value.report, "reject") == [
        (5, "parent_key", "9", "Das übergeordnete Gebiet gibt es auf „bezirk“ nicht.")
    ]
    assert state(city.writing) == before


def test_the_parent_level_must_be_there_and_above(city: Database, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "b.geojson", BEZIRKE)
    before = state(city.writing)
    with pytest.raises(MappingError, match=r"„land“ hat noch keine Gebiete"):
        load_areas(city.writing, path, "bezirk", parent_level="land")
    with pytest.raises(MappingError, match=r"„stadtteil“ liegt unter „bezirk“"):
        load_areas(city.writing, path, "bezirk", parent_level="stadtteil")
    with pytest.raises(MappingError, match=r"„bezirk“ liegt unter „bezirk“"):
        load_areas(city.writing, path, "bezirk", parent_level="bezirk")
    named = [{"key": "x", "name": "X", "parent_key": "1"}]
    with pytest.raises(MappingError, match=r"bitte deren Ebene mit --parent-level angeben"):
        load_areas(city.writing, write_csv(tmp_path / "a.csv", named), "region", key=None)
    assert state(city.writing) == before


def test_an_unknown_level_is_created_with_its_title(database: Database, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", BEZIRKE)
    load_areas(database.writing, path, "lor", level_title="Lebensweltlich orientierte Räume")
    assert query(database.writing, "SELECT title FROM level WHERE level = 'lor'") == [
        ("Lebensweltlich orientierte Räume",)
    ]
    load_areas(database.writing, path, "lor")
    assert query(database.writing, "SELECT title FROM level WHERE level = 'lor'")[0][0].startswith("Lebensweltlich")


@pytest.mark.parametrize(
    "option", [{"level": "Stadtteil"}, {"level": "a b"}, {"level": "1a"}, {"dataset": "Meine Gebiete"}, {"dataset": ""}]
)
def test_names_that_do_not_do_are_refused(database: Database, tmp_path: Path, option: dict[str, str]) -> None:
    path = write_geojson(tmp_path / "a.geojson", BEZIRKE)
    before = state(database.writing)
    level = option.get("level", "bezirk")
    if option.get("dataset") == "":
        load_areas(database.writing, path, level, dataset="")
        assert query(database.writing, "SELECT name FROM dataset") == [("areas.bezirk",)]
        return
    with pytest.raises(MappingError, match=r"taugt nicht als Name"):
        load_areas(database.writing, path, level, dataset=option.get("dataset"))
    assert state(database.writing) == before


def test_two_versions_are_kept_and_one_is_seen(city: Database, tmp_path: Path) -> None:
    first = versions(city, "areas.stadtteil")
    seen = []
    for turn in range(1, 4):
        renamed = [({**props, "name": f"{props['name']} {turn}"}, shape) for props, shape in STADTTEILE]
        path = write_geojson(tmp_path / "s.geojson", renamed)
        report = load_areas(city.writing, path, "stadtteil", parent_level="bezirk", mapping=BY_DIGIT)
        assert report.before == 4
        assert report.data_version == 2 + turn == data_version(city.writing)
        assert visible(city.writing, "stadtteil")["02101"][0] == f"Weststadt {turn}"
        assert len(visible(city.writing, "stadtteil")) == 4
        seen.append(versions(city, "areas.stadtteil"))
    assert [len(kept) for kept in seen] == [2, 2, 2]
    assert seen[0][0] == first[0]
    assert first[0] not in seen[1]
    current, previous = query(
        city.writing, "SELECT current_import_id, previous_import_id FROM dataset WHERE name = 'areas.stadtteil'"
    )[0]
    assert [previous, current] == seen[2]
    runs = query(city.writing, "SELECT rows_read, rows_loaded, rows_rejected, report->>'rows_loaded' FROM import_run")
    assert set(runs) == {(2, 2, 0, "2"), (4, 4, 0, "4")}


def test_a_dry_run_reports_and_changes_nothing(city: Database, tmp_path: Path) -> None:
    before = state(city.writing)
    more = [*STADTTEILE, ({"id": "02203", "name": "Neu"}, box(0, 5000, 10, 10))]
    path = write_geojson(tmp_path / "s.geojson", more)
    report = load_areas(
        city.writing, path, "stadtteil", parent_level="bezirk", mapping=BY_DIGIT, rules=rules(dry_run=True)
    )
    assert state(city.writing) == before
    assert (report.rows_read, report.rows_loaded, report.before, report.dry_run) == (5, 5, 4, True)
    assert report.data_version is None, "no version was made"
    assert "Probelauf, nichts geändert" in report.headline()
    load_areas(city.writing, path, "ganz_neu", level_title="Neu", rules=rules(dry_run=True))
    assert state(city.writing) == before


def test_max_rejects_is_a_number_or_a_share(city: Database, tmp_path: Path) -> None:
    rows = [{"key": str(n), "name": f"Block {n}" if n != 3 else ""} for n in range(10)]
    path = write_csv(tmp_path / "b.csv", rows)
    before = state(city.writing)
    for limit in ("0", "9%"):
        with pytest.raises(RefusedError, match=r"1 von 10 Zeilen .*Häufigster Grund .*Der Name fehlt.*Zeile 5"):
            load_areas(city.writing, path, "region", key=None, rules=rules(limit))
    assert state(city.writing) == before
    for limit in ("1", "10%"):
        report = load_areas(city.writing, path, "region", key=None, rules=rules(limit))
        assert (report.rows_loaded, report.rows_rejected) == (9, 1)
    assert "3" not in visible(city.writing, "region")


def test_nothing_but_rejects_is_refused_whatever_the_limit(database: Database, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "b.csv", [{"key": "", "name": "a"}, {"key": "", "name": "b"}])
    with pytest.raises(RefusedError, match=r"2 von 2 Zeilen"):
        load_areas(database.writing, path, "region", key=None, rules=rules("100%"))
    (tmp_path / "kopf.csv").write_text("key;name\n")
    with pytest.raises(RefusedError, match=r"enthält keine Zeilen"):
        load_areas(database.writing, tmp_path / "kopf.csv", "region", key=None)
    assert data_version(database.writing) == 0


def test_a_shrinking_source_is_refused(city: Database, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "s.geojson", STADTTEILE[:2])
    before = state(city.writing)
    options: dict[str, Any] = {"parent_level": "bezirk", "mapping": BY_DIGIT}
    with pytest.raises(RefusedError, match=r"von 4 auf 2 Zeilen schrumpfen .*--max-shrink"):
        load_areas(city.writing, path, "stadtteil", **options)
    assert state(city.writing) == before
    load_areas(city.writing, path, "stadtteil", rules=rules(shrink="50%"), **options)
    assert sorted(visible(city.writing, "stadtteil")) == ["02101", "02102"]


def test_orphans_are_refused_unless_allowed(city: Database, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "b.geojson", BEZIRKE[:1])
    before = state(city.writing)
    with pytest.raises(RefusedError, match=r"1 Gebiet fällt weg, auf das sich noch 2 andere .*--allow-orphans"):
        load_areas(city.writing, path, "bezirk", rules=rules(shrink="100%"))
    assert state(city.writing) == before
    report = load_areas(city.writing, path, "bezirk", rules=rules(shrink="100%", allow_orphans=True))
    assert sorted(visible(city.writing, "bezirk")) == ["1"]
    assert any("fällt weg" in reason for *_rest, reason in findings(report, "warning"))


def test_a_key_belongs_to_one_dataset(city: Database, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "s.geojson", STADTTEILE[:1])
    before = state(city.writing)
    with pytest.raises(RefusedError, match=r"gehört schon zum Bestand „areas.stadtteil“"):
        load_areas(city.writing, path, "stadtteil", dataset="areas.andere")
    with pytest.raises(MappingError, match=r"enthält die Ebene „stadtteil“"):
        load_areas(city.writing, path, "ortsteil", dataset="areas.stadtteil", rules=rules(shrink="100%"))
    assert state(city.writing) == before
    load_areas(city.writing, write_csv(tmp_path / "n.csv", [{"key": "n", "name": "Neu"}]), "stadtteil",
               dataset="areas.nachbarn", key=None)  # fmt: skip
    assert len(visible(city.writing, "stadtteil")) == 5


def test_a_dataset_of_another_kind_is_not_overwritten(city: Database, tmp_path: Path) -> None:
    load_facilities(city.writing, write_csv(tmp_path / "f.csv", [offer()]))
    with pytest.raises(MappingError, match=r"„facilities.okja“ ist von anderer Art"):
        load_areas(city.writing, write_geojson(tmp_path / "a.geojson", BEZIRKE), "bezirk", dataset="facilities.okja")


def test_duplicate_keys_are_refused(database: Database, tmp_path: Path) -> None:
    twice = [BEZIRKE[0], ({"id": "1", "name": "Noch ein Westen"}, box(2000, 0, 10, 10))]
    with pytest.raises(RefusedError, match=r"Der Schlüssel kommt mehrfach vor") as refused:
        load_areas(database.writing, write_geojson(tmp_path / "b.geojson", twice), "bezirk")
    assert [row[:3] for row in findings(refused.value.report, "reject")] == [(1, "key", "1"), (2, "key", "1")]
    assert data_version(database.writing) == 0


def test_areas_without_geometry_from_a_table(database: Database, tmp_path: Path) -> None:
    rows = [{"key": "007", "name": "Sieben"}, {"key": "08", "name": "Acht"}]
    report = load_areas(database.writing, write_csv(tmp_path / "r.csv", rows), "region", key=None)
    assert report.counts == {"Gebiete ohne Karte": 2, "verknüpfte Einrichtungen": 0}
    assert visible(database.writing, "region") == {"007": ("Sieben", None), "08": ("Acht", None)}
    assert query(database.writing, "SELECT count(geom) FROM area") == [(0,)]
    assert report.crs is None


def test_leading_zeros_survive_every_format(database: Database, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"id": ["00101", "00102"], "name": ["a", "b"]},
        geometry=[shapely.box(EAST + n, NORTH, EAST + n + 1, NORTH + 1) for n in (0, 5)], crs=25832,
    )  # fmt: skip
    frame.to_file(tmp_path / "a.gpkg")
    frame.to_file(tmp_path / "a.shp")
    frame.to_crs(4326).to_file(tmp_path / "a.geojson")
    write_csv(tmp_path / "a.csv", [{"id": "00101", "name": "a"}, {"id": "00102", "name": "b"}])
    write_xlsx(tmp_path / "a.xlsx", [["id", "name"], ["00101", "a"], ["00102", "b"]])
    for ending in ("gpkg", "shp", "geojson", "csv", "xlsx"):
        load_areas(database.writing, tmp_path / f"a.{ending}", ending)
        assert sorted(visible(database.writing, ending)) == ["00101", "00102"]
    numbers = write_xlsx(tmp_path / "n.xlsx", [["nr", "name"], [101, "a"], [102.0, "b"]])
    padded = Mapping.model_validate({"columns": {"key": {"from": "nr", "zfill": 5}}})
    load_areas(database.writing, numbers, "aus_zahlen", mapping=padded)
    assert sorted(visible(database.writing, "aus_zahlen")) == ["00101", "00102"]


def bow_tie() -> dict[str, Any]:
    ring = [[EAST, NORTH], [EAST + 200, NORTH + 100], [EAST + 200, NORTH], [EAST, NORTH + 100], [EAST, NORTH]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_a_bow_tie_is_repaired_and_reported(database: Database, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "b.geojson", [({"id": "1", "name": "Schleife"}, bow_tie()), BEZIRKE[1]])
    report = load_areas(database.writing, path, "bezirk")
    assert (report.rows_loaded, report.rows_rejected) == (2, 0)
    (row, field, value, why) = findings(report, "warning")[0]
    assert (row, field) == (1, "geometry")
    assert value.startswith("Self-intersection")
    assert why == "Ungültige Fläche repariert; sie misst jetzt 10000 m²."
    assert query(database.writing, "SELECT round(ST_Area(geom)) FROM area_visible WHERE key = '1'") == [(10000,)]


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"type": "Point", "coordinates": [EAST, NORTH]}, "Die Geometrie ist keine Fläche."),
        ({"type": "LineString", "coordinates": [[EAST, NORTH], [EAST + 9, NORTH]]}, "Die Geometrie ist keine Fläche."),
        ({"type": "MultiPolygon", "coordinates": []}, "Die Geometrie ist leer."),
        ({"type": "Polygon", "coordinates": [[[EAST, NORTH]] * 4]}, "Die Fläche ist ungültig und nicht zu reparieren."),
        (
            {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [EAST, NORTH]}]},
            "Die Geometrie enthält keine Fläche.",
        ),
    ],
)
def test_what_is_no_area_is_a_reject(database: Database, tmp_path: Path, shape: dict[str, Any], said: str) -> None:
    path = write_geojson(tmp_path / "b.geojson", [({"id": "1", "name": "x"}, shape), BEZIRKE[1]])
    report = load_areas(database.writing, path, "bezirk", rules=rules("1"))
    assert [why for *_rest, why in findings(report, "reject")] == [said]
    assert sorted(visible(database.writing, "bezirk")) == ["2"]


def test_a_collection_of_overlapping_areas_becomes_one(database: Database, tmp_path: Path) -> None:
    parts = {"type": "GeometryCollection", "geometries": [box(0, 0, 10, 10), box(5, 0, 10, 10)]}
    path = write_geojson(tmp_path / "b.geojson", [({"id": "1", "name": "x"}, parts)])
    load_areas(database.writing, path, "bezirk")
    assert query(database.writing, "SELECT ST_Area(geom) FROM area_visible") == [(150.0,)]


def test_overlaps_are_warned_of(database: Database, tmp_path: Path) -> None:
    shapes = [
        ({"id": "1", "name": "a"}, box(0, 0, 100, 100)),
        ({"id": "2", "name": "b"}, box(90, 0, 100, 100)),
        ({"id": "3", "name": "c"}, box(190, 0, 100, 100)),
        ({"id": "4", "name": "d"}, box(289.995, 0, 100, 100)),
    ]
    report = load_areas(database.writing, write_geojson(tmp_path / "b.geojson", shapes), "bezirk")
    assert findings(report, "warning") == [(1, "geometry", "1 und 2: 1000 m²", "Gebiete einer Ebene überlappen sich.")]
    assert report.counts["Überlappungen"] == 1


def test_heights_are_dropped_with_a_note(database: Database, tmp_path: Path) -> None:
    ring = [[x, y, 12.5] for x, y in box(0, 0, 10, 10)["coordinates"][0]]
    path = write_geojson(
        tmp_path / "b.geojson", [({"id": "1", "name": "x"}, {"type": "Polygon", "coordinates": [ring]})]
    )
    report = load_areas(database.writing, path, "bezirk")
    assert "Höhenangaben (3D) wurden weggelassen." in [why for *_rest, why in findings(report, "info")]
    assert query(database.writing, "SELECT ST_NDims(geom) FROM area_visible") == [(2,)]


def swapped(folder: Path) -> Path:
    from importer_help import collection

    document = collection(BEZIRKE, crs=None)
    for feature in document["features"]:
        feature["geometry"]["coordinates"] = [[[y, x] for x, y in ring] for ring in feature["geometry"]["coordinates"]]
    path = folder / "falsch.geojson"
    path.write_text(json.dumps(document))
    return path


def metres_called_degrees(folder: Path) -> Path:
    return write_geojson(folder / "falsch.geojson", BEZIRKE, crs=4326)


def degrees_called_metres(folder: Path) -> Path:
    from importer_help import collection

    document = collection(BEZIRKE, crs=None)
    document["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    path = folder / "falsch.geojson"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (swapped, "vertauschter Reihenfolge"),
        (metres_called_degrees, "sieht nach UTM-Metern aus"),
        (degrees_called_metres, "sehen nach Grad aus, nicht nach Metern"),
    ],
)
def test_coordinates_that_cannot_be_are_refused_with_the_likely_cause(
    city: Database, tmp_path: Path, make: Callable[[Path], Path], said: str
) -> None:
    path = make(tmp_path)
    before = state(city.writing)
    with pytest.raises(RefusedError, match=said):
        load_areas(city.writing, path, "bezirk")
    assert state(city.writing) == before


def test_a_corner_at_the_end_of_the_world_is_a_reject(database: Database, tmp_path: Path) -> None:
    wild = {"type": "Polygon", "coordinates": [[[9, 53], [11, 53], [10, 1e308], [10, -1e308], [9, 53]]]}
    document = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"id": "1", "name": "x"}, "geometry": wild}],
    }
    (tmp_path / "a.geojson").write_text(json.dumps(document))
    with pytest.raises(RefusedError, match=r"1 von 1 Zeilen"):
        load_areas(database.writing, tmp_path / "a.geojson", "bezirk")


def test_a_shapefile_without_crs_needs_the_option(database: Database, tmp_path: Path) -> None:
    square = shapely.box(EAST, NORTH, EAST + 10, NORTH + 10)
    geopandas.GeoDataFrame({"id": ["1"], "name": ["a"]}, geometry=[square], crs=25832).to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with pytest.raises(MappingError, match=r"nennt kein Koordinatensystem; bitte --crs angeben"):
        load_areas(database.writing, tmp_path / "a.shp", "bezirk")
    with pytest.raises(MappingError, match=r"Das Koordinatensystem „EPSG:999999“ ist unbekannt"):
        load_areas(database.writing, tmp_path / "a.shp", "bezirk", crs="EPSG:999999")
    report = load_areas(database.writing, tmp_path / "a.shp", "bezirk", crs="EPSG:25832")
    assert report.crs == "EPSG:25832"
    assert query(database.writing, "SELECT ST_Area(geom) FROM area_visible") == [(100.0,)]


def test_a_table_without_key_column_is_refused(database: Database, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [{"nummer": "1", "name": "a"}])
    with pytest.raises(MappingError, match=r"„a.csv“ hat keine Spalte „key“. Vorhanden: nummer, name"):
        load_areas(database.writing, path, "region", key=None)
    with pytest.raises(MappingError, match=r"„a.csv“ hat keine Spalte „id“"):
        load_areas(database.writing, path, "region")
    typo = Mapping.model_validate({"columns": {"schluessel": "nummer"}})
    with pytest.raises(MappingError, match=r"„schluessel“, die es bei Gebieten nicht gibt"):
        load_areas(database.writing, path, "region", mapping=typo)


def test_ragged_rows_count_as_rejects(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key;name\n1;eins\n2\n")
    with pytest.raises(RefusedError, match=r"1 von 2 Zeilen"):
        load_areas(database.writing, tmp_path / "a.csv", "region", key=None)
    report = load_areas(database.writing, tmp_path / "a.csv", "region", key=None, rules=rules("1"))
    assert (report.rows_read, report.rows_loaded) == (2, 1)


def test_attributes_are_kept_on_request_and_stay_text(database: Database, tmp_path: Path) -> None:
    props = {"id": "1", "name": "<b>x</b>", "bemerkung": "=cmd()|'\"; DROP TABLE area;\u202e", "zahl": 7, "leer": None}
    path = write_geojson(tmp_path / "a.geojson", [(props, box(0, 0, 10, 10))])
    keep = Mapping.model_validate({"keep_attributes": True, "columns": {"key": "id"}})
    load_areas(database.writing, path, "bezirk", mapping=keep)
    assert query(database.writing, "SELECT name, attributes FROM area_visible") == [
        ("<b>x</b>", {"bemerkung": props["bemerkung"], "zahl": 7, "leer": None})
    ]


def test_names_and_keys_that_are_too_long_are_rejects(database: Database, tmp_path: Path) -> None:
    rows = [{"key": "k" * 501, "name": "a"}, {"key": "ä" * 500, "name": "ö" * 500}]
    report = load_areas(database.writing, write_csv(tmp_path / "a.csv", rows), "region", key=None, rules=rules("1"))
    assert findings(report, "reject")[0][3] == "Schlüssel oder Name ist länger als 500 Zeichen."
    assert visible(database.writing, "region") == {"ä" * 500: ("ö" * 500, None)}


def fail(*_arguments: object, **_options: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (areas_module, "copy_rows"),
        (areas_module, "check_rejects"),
        (area_tables, "check"),
        (area_tables, "warn_of_overlaps"),
        (area_tables, "publish"),
        (derive, "link_facilities"),
        (derive, "parents_by_overlap"),
        (surface, "rebuild"),
    ],
)
def test_an_import_stopped_in_the_middle_changes_nothing(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
) -> None:
    before = state(city.writing)
    path = write_geojson(tmp_path / "s.geojson", [({**p, "name": "neu"}, shape) for p, shape in STADTTEILE])
    with monkeypatch.context() as patch:
        patch.setattr(module, step, fail)
        with pytest.raises(KeyboardInterrupt):
            load_areas(city.writing, path, "stadtteil", parent_level="bezirk", mapping=BY_DIGIT)
    assert state(city.writing) == before
    load_areas(city.writing, path, "stadtteil", parent_level="bezirk", mapping=BY_DIGIT)
    assert visible(city.writing, "stadtteil")["02101"][0] == "neu"


class Breaking:
    """A source whose file ends in the middle of reading."""

    def __init__(self, source: Source) -> None:
        self.provenance, self.columns, self.notes, self.bad_rows = source.provenance, source.columns, [], {}
        self._source = source

    def chunks(self) -> Iterator[Any]:
        yield from self._source.chunks()
        raise OSError("Platte weg")


def test_a_source_that_breaks_off_changes_nothing(city: Database, tmp_path: Path) -> None:
    from importers.kinds.areas import AreasImport, import_areas
    from importers.sources import open_source

    before = state(city.writing)
    source = Breaking(open_source(write_geojson(tmp_path / "b.geojson", BEZIRKE)))
    with pytest.raises(OSError, match=r"Platte weg"):
        import_areas(city.writing, source, AreasImport("bezirk", key="id"))
    assert state(city.writing) == before


def test_new_borders_link_the_facilities_anew(city: Database, tmp_path: Path) -> None:
    spots = [{"id": str(n), "name": "x", "x": EAST + x, "y": NORTH + 500} for n, x in enumerate((500, 1500, 2000))]
    load_facilities(city.writing, write_csv(tmp_path / "f.csv", spots), crs="EPSG:25832")
    before = [row["areas"] for row in places(city.writing, "facilities.okja")]
    assert before == [
        {"bezirk": "1", "stadtteil": "02101"},
        {"bezirk": "1", "stadtteil": "02102"},
        {"bezirk": "1", "stadtteil": "02102"},  # on the border: the lowest key
    ]
    moved = [
        (STADTTEILE[0][0], box(0, 0, 1800, 2000)),
        (STADTTEILE[1][0], box(1800, 0, 200, 2000)),
        *STADTTEILE[2:],
    ]
    path = write_geojson(tmp_path / "s.geojson", moved)
    report = load_areas(city.writing, path, "stadtteil", parent_level="bezirk", mapping=BY_DIGIT)
    assert report.counts["verknüpfte Einrichtungen"] == 3
    after = [row["areas"]["stadtteil"] for row in places(city.writing, "facilities.okja")]
    assert after == ["02101", "02101", "02102"]
    load_areas(city.writing, write_geojson(tmp_path / "r.geojson", BEZIRKE), "region")
    assert [row["areas"]["region"] for row in places(city.writing, "facilities.okja")] == ["1", "1", "1"]


def test_the_stored_report_is_the_whole_report(city: Database, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "s.geojson", [*STADTTEILE[:3], ({"id": "02203", "name": "Neu"}, STADTTEILE[3][1])])
    report = load_areas(city.writing, path, "stadtteil", parent_level="bezirk", mapping=BY_DIGIT)
    stored = query(city.writing, "SELECT report FROM import_run ORDER BY id DESC LIMIT 1")[0][0]
    assert "verknüpfte Einrichtungen" in stored["counts"]
    assert stored == json.loads(json.dumps(report.to_json()))
