"""The real Hamburg through the shipped mappings, against counts made without any of our code."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import geopandas
import pandas as pd
import pytest
from importer_help import Database, data_version, load_areas, query, visible

from geodata.areas import AreasRequest, areas
from geodata.database import reading
from importers.load import Footnotes
from importers.mapping import read_mapping
from importers.report import Report

HAMBURG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hamburg"
pytestmark = pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data/hamburg is not beside this checkout")


def borders(level: str) -> geopandas.GeoDataFrame:
    return geopandas.read_file(HAMBURG / "grenzen" / f"{level}.geojson").to_crs(25832)


def facilities() -> geopandas.GeoDataFrame:
    names = ("jugendorte", "familienorte")
    frames = [geopandas.read_file(HAMBURG / "einrichtungen" / f"{name}.geojson").to_crs(25832) for name in names]
    return geopandas.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=25832)


def counted(database: Database, level: str) -> dict[str, int]:
    with reading(database.serving) as session:
        answer = areas(session, AreasRequest(level, on=dt.date(2026, 6, 1), geometry=False))
    return {row.area_key: row.facilities for row in answer.rows}


@pytest.mark.parametrize(("level", "file", "number"), [
    ("bezirk", "bezirke", 7), ("stadtteil", "stadtteile", 104), ("ortsteil", "ortsteile", 181)])  # fmt: skip
def test_every_area_is_loaded_with_its_key_and_name(
    hamburg_database: Database, level: str, file: str, number: int
) -> None:
    features = json.loads((HAMBURG / "grenzen" / f"{file}.geojson").read_text())["features"]
    expected = {feature["properties"]["id"]: feature["properties"]["name"] for feature in features}
    loaded = visible(hamburg_database.writing, level)
    assert {key: name for key, (name, _parent) in loaded.items()} == expected
    assert len(loaded) == number


def test_every_stadtteil_has_the_bezirk_of_its_third_digit(hamburg_database: Database) -> None:
    stadtteile = visible(hamburg_database.writing, "stadtteil")
    assert {key: parent for key, (_name, parent) in stadtteile.items()} == {key: key[2] for key in stadtteile}
    ortsteile = visible(hamburg_database.writing, "ortsteil")
    assert {key: parent for key, (_name, parent) in ortsteile.items()} == {key: key[:5] for key in ortsteile}


def test_neuwerk_overlaps_no_bezirk_and_has_one_all_the_same(hamburg_database: Database) -> None:
    overlapping = query(hamburg_database.writing, """
        SELECT count(*) FROM area_visible n JOIN area_visible b ON b.level = 'bezirk' AND ST_Intersects(b.geom, n.geom)
        WHERE n.level = 'stadtteil' AND n.name = 'Neuwerk'
    """)  # fmt: skip
    assert overlapping == [(0,)]
    assert visible(hamburg_database.writing, "stadtteil")["02121"] == ("Neuwerk", "1")


def test_the_areas_are_as_large_as_geopandas_says(hamburg_database: Database) -> None:
    stadtteile = borders("stadtteile").set_index("id").area
    loaded = query(hamburg_database.writing, "SELECT key, ST_Area(geom) FROM area_visible WHERE level = 'stadtteil'")
    assert dict(loaded) == pytest.approx(stadtteile.to_dict(), rel=1e-6)


def test_the_facilities_are_loaded_with_their_categories(hamburg_database: Database) -> None:
    runs = query(hamburg_database.writing, """
        SELECT d.name, i.rows_read, i.rows_loaded, i.rows_rejected FROM dataset d
        JOIN import_run i ON i.id = d.current_import_id WHERE d.kind = 'facilities' ORDER BY 1
    """)  # fmt: skip
    assert runs == [("facilities.famfoe", 154, 154, 0), ("facilities.okja", 173, 173, 0)]
    categories = query(hamburg_database.writing, """
        SELECT d.name, o.category, count(*) FROM dataset d JOIN offer o ON o.import_id = d.current_import_id
        GROUP BY 1, 2 ORDER BY 1, 2
    """)  # fmt: skip
    assert categories == [
        ("facilities.famfoe", "famfoe", 154), ("facilities.okja", "okja", 139), ("facilities.okja", "sonstige", 34),
    ]  # fmt: skip
    types = query(hamburg_database.writing, "SELECT DISTINCT type FROM offer WHERE category = 'sonstige'")
    assert types == [("Öffentliche Bücherhalle",)]


@pytest.mark.parametrize(("level", "file"), [
    ("stadtteil", "stadtteile"), ("bezirk", "bezirke"), ("ortsteil", "ortsteile")])  # fmt: skip
def test_counts_equal_an_independent_count(hamburg_database: Database, level: str, file: str) -> None:
    joined = geopandas.sjoin(facilities(), borders(file)[["id", "geometry"]], predicate="intersects")
    joined = joined.sort_values("id").loc[lambda frame: ~frame.index.duplicated()]
    expected = Counter(joined["id"])
    loaded = counted(hamburg_database, level)
    assert {key: n for key, n in loaded.items() if n} == dict(expected)
    assert sum(loaded.values()) == 327
    assert any(n == 0 for n in loaded.values()) == (level != "bezirk"), "an area without any is an answer"


def test_addresses_are_taken_apart(hamburg_database: Database) -> None:
    found = query(hamburg_database.writing, """
        SELECT street, house_number, postcode, city, state FROM place WHERE name = 'Haus der Jugend Tegelsbarg'
    """)  # fmt: skip
    assert found == [("Tegelsbarg", "2b", "22399", "Hamburg", "Hamburg")]
    bare = query(hamburg_database.writing, "SELECT count(*) FROM place WHERE postcode !~ '^[0-9]{5}$' OR name = ''")
    assert bare == [(0,)]


def test_the_footnotes_are_kept(hamburg_database: Database) -> None:
    notes = query(hamburg_database.writing, "SELECT DISTINCT licence FROM dataset_visible")
    assert notes == [("dl-de/by-2-0",)]
    assert query(hamburg_database.writing, "SELECT count(*) FROM dataset_visible WHERE attribution IS NULL") == [(0,)]


def test_the_same_file_again_makes_no_new_version_but_another_stand_does(
    new_database: Callable[[], Database],
) -> None:
    database = new_database()

    def load(level: str, file: str, *, stand: dt.date | None = None) -> Report:
        mapping = read_mapping(Path(f"hamburg/{file}.toml"))
        notes = Footnotes(file, as_of=stand)
        return load_areas(
            database.writing, HAMBURG / "grenzen" / f"{file}.geojson", level, mapping=mapping, footnotes=notes
        )

    load("bezirk", "bezirke")
    assert [load("stadtteil", "stadtteile").unchanged for _ in range(3)] == [False, True, True]
    assert data_version(database.writing) == 2
    for day in (1, 2):
        report = load("stadtteil", "stadtteile", stand=dt.date(2026, 1, day))
        assert (report.rows_loaded, report.rows_rejected, report.before, report.unchanged) == (104, 0, 104, False)
    assert data_version(database.writing) == 4
    # Two versions are kept, the one before them is gone.
    assert query(
        database.writing, "SELECT count(*), count(DISTINCT import_id) FROM area WHERE level = 'stadtteil'"
    ) == [(208, 2)]
    assert len(visible(database.writing, "stadtteil")) == 104
