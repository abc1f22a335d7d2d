"""Places from OpenStreetMap as tables, by the shipped mappings: inside is taken, outside named, as pandas counts."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from importer_help import BY_DIGIT, STADTTEILE, Database, findings, load_areas, query, write_geojson

from importers.errors import RefusedError
from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.load import Limit, Rules
from importers.mapping import read_mapping
from importers.sources import open_source

HAMBURG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hamburg"
needs_hamburg = pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data/hamburg is not beside this checkout")
FILES = [
    ("childcare", "osm_kinderbetreuung", "kita"),
    ("kindergartens", "osm_kindergaerten", "kita"),
    ("schools", "osm_schulen", "schule"),
    ("playgrounds", "osm_spielplaetze", "spielplatz"),
    ("libraries", "osm_bibliotheken", "sonstige"),
    ("community-centers", "osm_gemeinschaftszentren", "sonstige"),
]


@pytest.fixture(scope="module")
def city(new_database: Callable[[], Database]) -> Database:
    made = new_database()
    for level, file in (("bezirk", "bezirke"), ("stadtteil", "stadtteile"), ("ortsteil", "ortsteile")):
        mapping = read_mapping(Path(f"hamburg/{file}.toml"))
        import_areas(
            made.writing, open_source(HAMBURG / "grenzen" / f"{file}.geojson"), AreasImport(level, mapping=mapping)
        )
    return made


@needs_hamburg
@pytest.mark.parametrize(("file", "mapping", "category"), FILES)
def test_inside_is_taken_and_outside_named(city: Database, file: str, mapping: str, category: str) -> None:
    path = HAMBURG / "osm_orte" / f"{file}-details-2026-02.csv"
    rules = Rules(Limit(share=0.5))
    wanted = FacilitiesImport("sonstige", mapping=read_mapping(Path(f"hamburg/{mapping}.toml")), rules=rules)
    report = import_facilities(city.writing, open_source(path), wanted)

    # The file's own word on where each place lies: an Ortsteil, or 0 for outside.
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    outside = table[table["geojson_feature_id"] == "0"]
    assert report.rejected_rows() == {int(index) + 2 for index in outside.index}
    assert {reason.split(",")[0] for _row, _field, _value, reason in findings(report, "reject")} == {
        "Der Ort liegt außerhalb"
    }
    loaded = query(
        city.writing,
        """
        SELECT o.offer_id, o.category, p.name, p.street, p.house_number, f.area_key
        FROM dataset d JOIN offer o ON o.import_id = d.current_import_id
        JOIN place p ON p.import_id = o.import_id AND p.facility_id = o.facility_id
        LEFT JOIN facility_area f ON f.import_id = p.import_id AND f.facility_id = p.facility_id
            AND f.level = 'ortsteil'
        WHERE d.name = :name
        """,
        name=f"facilities.{mapping}",
    )
    inside = table[table["geojson_feature_id"] != "0"].set_index("id")
    assert {row[0] for row in loaded} == set(inside.index)
    assert {row[1] for row in loaded} == {category}
    for key, _category, name, street, number, _ortsteil in loaded:
        said = inside.loc[key]
        assert name == (said["name"].strip() or name)
        assert " ".join(filter(None, (street, number))).replace(" ", "") in said["street"].replace(" ", "")


@needs_hamburg
def test_the_official_shape_in_metres_is_named_and_its_heights_reported(city: Database) -> None:
    path = HAMBURG / "statistik" / "amtliche_stadtteile_zwei.json"
    mapping = read_mapping(Path("hamburg/stadtteile_oaf.toml"))
    with pytest.raises(RefusedError, match="sieht nach UTM-Metern aus"):
        import_areas(city.writing, open_source(path), AreasImport("amtlich", mapping=mapping))
    wanted = AreasImport("amtlich", mapping=mapping, crs="EPSG:25832")
    report = import_areas(city.writing, open_source(path), wanted)
    assert report.rows_loaded == 2
    assert [reason for _row, _field, _value, reason in findings(report, "info")] == [
        "Höhenangaben (3D) wurden weggelassen."
    ]
    same = query(
        city.writing,
        """
        SELECT ST_Area(ST_Intersection(a.geom, b.geom)) / ST_Area(ST_Union(a.geom, b.geom))
        FROM area_visible a JOIN area_visible b ON b.level = 'stadtteil' AND b.name = a.name
        WHERE a.level = 'amtlich'
        """,
    )
    assert len(same) == 2
    assert all(share > 0.99 for (share,) in same)


@needs_hamburg
def test_neuwerk_is_reported_far_out(city: Database) -> None:
    mapping = read_mapping(Path("hamburg/stadtteile.toml"))
    source = open_source(HAMBURG / "grenzen" / "stadtteile.geojson")
    report = import_areas(city.writing, source, AreasImport("stadtteil", mapping=mapping))
    assert [value for _row, field, value, _why in findings(report, "warning") if field == "parent_key"] == [
        "02121 Neuwerk, darüber 1 Hamburg-Mitte"
    ]


def test_an_area_outside_the_one_named_above_it_is_a_warning(database: Database, tmp_path: Path) -> None:
    bezirke = [({"id": "1", "name": "West"}, STADTTEILE[0][1]), ({"id": "2", "name": "Ost"}, STADTTEILE[2][1])]
    load_areas(database.writing, write_geojson(tmp_path / "b.geojson", bezirke), "bezirk")
    moved = [
        ({"id": "02101", "name": "richtig"}, STADTTEILE[0][1]),
        ({"id": "02102", "name": "verirrt"}, STADTTEILE[2][1]),
    ]
    path = write_geojson(tmp_path / "s.geojson", moved)
    report = load_areas(database.writing, path, "stadtteil", parent_level="bezirk", mapping=BY_DIGIT)
    assert [(row, value) for row, field, value, _why in findings(report, "warning") if field == "parent_key"] == [
        (2, "02102 verirrt, darüber 1 West")
    ]
    assert report.rows_loaded == 2
