"""Comparable areas and clusters of Hamburg's Stadtteile, from the published profiles, against plain loops."""

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import shapely
from importer_help import load_areas, query, write_csv

from geodata.clusters import ALONE, ClustersRequest, clusters
from geodata.database import reading
from geodata.errors import ParameterError
from geodata.indicator_values import shares_at, values_at
from geodata.similar import MOST_INDICATORS, SimilarRequest, similar
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.mapping import read_mapping
from importers.sources import open_source

if TYPE_CHECKING:
    from conftest import Database

HAMBURG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hamburg"
PROFILES = HAMBURG / "statistik" / "Daten_fuer_die_Stadtteilprofile_2014.csv"
pytestmark = pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data/hamburg is not beside this checkout")

YOUNG = "bev_u18_proz"


@pytest.fixture(scope="module")
def hamburg(new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory) -> "Database":
    made = new_database()
    land = write_csv(tmp_path_factory.mktemp("land") / "land.csv", [{"key": "02", "name": "Hamburg"}])
    load_areas(made.writing, land, "land", key="key", name="name")
    for level, file in (("bezirk", "bezirke"), ("stadtteil", "stadtteile"), ("ortsteil", "ortsteile")):
        mapping = read_mapping(Path(f"hamburg/{file}.toml"))
        load_areas(made.writing, HAMBURG / "grenzen" / f"{file}.geojson", level, mapping=mapping)
    import_catalogue(made.writing, Path("hamburg.toml"), CatalogueImport())
    rules = read_mapping(Path("hamburg/stadtteilprofile_2014.toml"))
    source = open_source(PROFILES, layout=rules.source.layout(PROFILES.name))
    import_statistics(made.writing, source, StatisticsImport(mapping=rules, mapping_name="stadtteilprofile_2014"))
    return made


def published(database: "Database", column: str) -> dict[str, float]:
    """Return a column of the file by key of the Stadtteil, read with pandas alone; what is merged has none."""
    frame = pd.read_csv(PROFILES, sep=";", dtype=str).iloc[:99]
    wanted = next(name for name in frame.columns if " ".join(name.split()) == column)
    keys = {name: key for name, key in query(database.writing, "SELECT name, key FROM area_visible "
                                                               "WHERE level = 'stadtteil'")}  # fmt: skip
    cells = zip(frame["Stadtgebiet"], frame[wanted].str.replace(r"\s", "", regex=True), strict=True)
    found = {keys[name]: cell for name, cell in cells if name in keys and cell != "."}
    return {key: 0.0 if cell == "-" else float(cell.replace(",", ".")) for key, cell in found.items()}


def test_clusters_by_a_loop(hamburg: "Database") -> None:
    with reading(hamburg.serving) as session:
        answer = clusters(session, ClustersRequest(YOUNG, "stadtteil"))
        assert clusters(session, ClustersRequest(YOUNG, "stadtteil")) == answer
    rows = {row.area_key: row for row in answer.rows}
    assert len(rows) == 104
    values = published(hamburg, "Anteil der unter 18-Jährigen in %")
    assert {key: row.value for key, row in rows.items() if row.value is not None} == values
    shapes = {
        key: shapely.from_wkb(geom)
        for key, geom in query(hamburg.writing, "SELECT key, ST_AsBinary(geom) FROM area_visible "
                                                "WHERE level = 'stadtteil'")
        if key in values
    }  # fmt: skip
    near: dict[str, list[str]] = {key: [] for key in values}
    for one, other in itertools.combinations(values, 2):
        if shapely.distance(shapes[one], shapes[other]) <= 1:
            near[one].append(other)
            near[other].append(one)
    there = [key for key in values if near[key]]
    mean = sum(values[key] for key in there) / len(there)
    variance = sum((values[key] - mean) ** 2 for key in there) / len(there)
    for key, around in near.items():
        row = rows[key]
        if not around:
            assert (row.flag, row.local_i) == (ALONE, None)
            continue
        lag = sum(values[other] - mean for other in around) / len(around)
        expected = (len(there) - 1) / len(there) * (values[key] - mean) * lag / variance
        assert row.local_i == pytest.approx(expected, rel=1e-9)
        assert row.neighbours == len(around)
    named = {row.area_name: row.cluster for row in answer.rows}
    # The inner city has few children.
    assert named["St. Georg"] == named["Hammerbrook"] == named["Hohenfelde"] == "niedrig-niedrig"
    assert answer.meta.missing == 104 - len(there)


def test_comparable_areas_by_a_loop(hamburg: "Database") -> None:
    with reading(hamburg.serving) as session:
        answer = similar(session, SimilarRequest("stadtteil", "02111", limit=1000))
        codes = list(answer.rows[0].values)
        assert len(codes) == MOST_INDICATORS
        assert codes == sorted(codes)
        usable = [code for code, _position in shares_at(session, "stadtteil")]
        assert set(codes) <= set(usable)
        keys = [key for (key,) in query(hamburg.writing, "SELECT key FROM area_visible WHERE level = 'stadtteil'")]
        table = {
            code: dict(zip(keys, values_at(session, "stadtteil", keys, code).values.tolist(), strict=True))
            for code in codes
        }
    living = dict(
        query(hamburg.writing, "SELECT area_key, sum(p) FROM surface_cell JOIN surface_area USING (cell), "
                               "unnest(people) AS p WHERE level = 'stadtteil' GROUP BY 1")
    )  # fmt: skip
    there = [key for key in keys if all(math.isfinite(table[code][key]) for code in codes)]
    assert {row.area_key for row in answer.rows} == set(there) - {"02111"}
    total = sum(living.get(key, 0.0) for key in there)
    squares: dict[str, dict[str, float]] = {key: {} for key in there}
    for code in codes:
        mean = sum(living.get(key, 0.0) * table[code][key] for key in there) / total
        variance = sum(living.get(key, 0.0) * (table[code][key] - mean) ** 2 for key in there) / total
        for key in there:
            squares[key][code] = (table[code][key] - table[code]["02111"]) ** 2 / variance / len(codes)
    for row in answer.rows:
        own = squares[row.area_key]
        assert row.distance == pytest.approx(math.sqrt(sum(own.values())), rel=1e-9)
        assert row.contributions == {code: pytest.approx(own[code] / sum(own.values()), rel=1e-9) for code in codes}
    assert [row.distance for row in answer.rows] == sorted(row.distance for row in answer.rows)


def test_what_only_an_estimate_would_show_is_refused(hamburg: "Database") -> None:
    """Ortsteile have no figures of their own; from their Stadtteile all would have the same share."""
    with reading(hamburg.serving) as session:
        keys = [key for (key,) in query(hamburg.writing, "SELECT key FROM area_visible WHERE level = 'ortsteil'")]
        found = values_at(session, "ortsteil", keys, YOUNG)
        assert found.from_coarser
        assert found.estimated.any()
        with pytest.raises(ParameterError, match="nur aus größeren Gebieten geschätzt"):
            clusters(session, ClustersRequest(YOUNG, "ortsteil"))
        with pytest.raises(ParameterError, match="keinen Anteil und keine Rate"):
            similar(session, SimilarRequest("ortsteil", keys[0]))
        with pytest.raises(ParameterError, match="erst ab 10 Gebieten"):
            clusters(session, ClustersRequest(YOUNG, "bezirk"))
        with pytest.raises(ParameterError, match="hat keine Karte"):
            clusters(session, ClustersRequest(YOUNG, "land"))
        assert len(similar(session, SimilarRequest("bezirk", "1", limit=10)).rows) == 6
