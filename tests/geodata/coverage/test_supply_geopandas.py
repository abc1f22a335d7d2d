"""Supply against an independent reckoning: base tables, a spatial join by geopandas, grouping by pandas."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from coverage_town import asked
from sqlalchemy import Engine, text

if TYPE_CHECKING:
    from conftest import Database

ON = dt.date(2026, 6, 1)
HAMBURG = Path(__file__).resolve().parents[4] / "shared" / "data" / "hamburg"
COARSE = {"land", "bezirk", "stadtteil"}  # the release level and those that contain it


def _read(engine: Engine, sql: str, **values: Any) -> pd.DataFrame:
    with engine.connect() as connection:
        return pd.read_sql(text(sql), connection, params=values)


def _frame(engine: Engine, sql: str, **values: Any) -> gpd.GeoDataFrame:
    table = _read(engine, sql, **values)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries.from_wkb(table.pop("geom").map(bytes)), crs=25832)


def _located(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, by: str) -> pd.Series:
    """The area of each point, the lowest key on a border, ``ohne`` in none."""
    joined = gpd.sjoin(points[[by, "geometry"]], areas, how="left", predicate="intersects")
    found: pd.Series = joined.sort_values("key").groupby(by)["key"].first()
    return found.fillna("ohne")


def reckoned(engine: Engine, level: str, category: str, low: int, high: int, unit: str) -> pd.DataFrame:
    areas = _frame(
        engine,
        """SELECT a.key, ST_AsBinary(a.geom) AS geom FROM area a JOIN dataset d ON d.current_import_id = a.import_id
           WHERE a.level = :level AND a.geom IS NOT NULL""",
        level=level,
    )
    cells = _frame(engine, "SELECT cell, people, ST_AsBinary(geom) AS geom FROM surface_cell")
    bands = _read(engine, "SELECT number, age_from, age_to FROM surface_band ORDER BY number")
    bands["age_to"] = bands["age_to"].fillna(200)
    table = np.array(cells["people"].tolist())

    def people(a: float, b: float) -> np.ndarray:
        # A band that is cut counts by its years of age.
        years = (bands["age_to"].clip(upper=b) - bands["age_from"].clip(lower=a)).clip(lower=0)
        return table @ (years / (bands["age_to"] - bands["age_from"])).to_numpy()

    cells["wanted"] = people(low, high)
    population = cells.assign(key=cells["cell"].map(_located(cells, areas, "cell"))).groupby("key")["wanted"].sum()
    return _of_places(engine, level, category, low, high, unit, areas, people).join(population, how="outer").fillna(
        {"facilities": 0, "without": 0, "ageless": 0, "wanted": 0})  # fmt: skip


def _of_places(engine: Engine, level: str, category: str, low: int, high: int, unit: str, areas: gpd.GeoDataFrame,
               people: Callable[[float, float], np.ndarray]) -> pd.DataFrame:  # fmt: skip
    places = _frame(
        engine,
        """SELECT p.import_id || ':' || p.facility_id AS place, ST_AsBinary(p.geom) AS geom
           FROM place p JOIN dataset d ON d.current_import_id = p.import_id WHERE p.geom IS NOT NULL""",
    )
    offers = _read(
        engine,
        """SELECT o.import_id || ':' || o.facility_id AS place, o.category, o.age_from, o.age_to, o.supply,
                  o.supply_unit, o.service_area, o.valid_from, o.valid_to,
                  greatest(o.release, r.release)::text AS release
           FROM offer o JOIN dataset d ON d.current_import_id = o.import_id
           LEFT JOIN release r ON r.dataset_id = d.id AND r.offer_id = o.offer_id""",
    )
    for column in ("age_from", "age_to", "supply"):  # a column of nothing but NULL has no type
        offers[column] = pd.to_numeric(offers[column]).astype(float)
    offers["age_to"] = offers["age_to"].where(offers["age_to"].notna() | offers["age_from"].isna(), 200)
    exact = offers.groupby("place")["release"].agg(lambda kinds: bool((kinds == "public").all()))
    key = _located(places, areas, "place")
    shown = offers["place"].map(exact) | (level in COARSE) & offers["place"].isin(
        _placed_at_release_level(engine, places))  # fmt: skip
    from_, to = pd.to_datetime(offers["valid_from"]), pd.to_datetime(offers["valid_to"])
    on = pd.Timestamp(ON)
    fits = offers["age_from"].isna() | (offers["age_from"] < high) & (offers["age_to"] > low)
    taking = offers[
        shown & offers["release"].isin(["public", "area_only"]) & (offers["category"] == category) & fits
        & (from_.isna() | (from_ <= on)) & (to.isna() | (to >= on))
    ].copy()  # fmt: skip
    taking["key"] = taking["place"].map(key).fillna("ohne")
    taking["citywide"] = taking["service_area"].eq("citywide")
    taking.loc[taking["citywide"], "key"] = "ohne"
    city = {
        (a, b): float(people(max(a, low), min(b, high)).sum() / people(a, b).sum())
        for a, b in {(a, b) for a, b in zip(taking["age_from"], taking["age_to"], strict=True) if not np.isnan(a)}
    }
    share = [1.0 if np.isnan(a) else city[a, b] for a, b in zip(taking["age_from"], taking["age_to"], strict=True)]
    taking["amount"] = taking["supply"].where(taking["supply_unit"] == unit) * share
    home = taking[~taking["citywide"]].groupby("place")["key"].first()
    everywhere = taking["place"].map(home).fillna("ohne")
    return pd.DataFrame({
        "facilities": taking.assign(home=everywhere).groupby("home")["place"].nunique(),
        "without": taking[taking["key"] == everywhere].assign(home=everywhere).groupby(["home", "place"])["amount"]
        .count().eq(0).groupby("home").sum(),
        "ageless": taking[taking["age_from"].isna()].groupby("key")["place"].size(),
        "supply": taking.groupby("key")["amount"].sum(min_count=1),
    })  # fmt: skip


def _placed_at_release_level(engine: Engine, places: gpd.GeoDataFrame) -> set[str]:
    stadtteile = _frame(
        engine,
        """SELECT a.key, ST_AsBinary(a.geom) AS geom FROM area a JOIN dataset d ON d.current_import_id = a.import_id
           WHERE a.level = 'stadtteil'""",
    )
    own = _located(places, stadtteile, "place")
    return set(own[own != "ohne"].index)


def compare(database: "Database", level: str, category: str, low: int, high: int, unit: str) -> None:
    ours = asked(
        database.serving, level=level, categories=(category,), age_from=low, age_to=high, supply_unit=unit, on=ON
    )
    other = reckoned(database.writing, level, category, low, high, unit)
    assert set(other.index) <= set(ours)
    stated = _read(database.writing, "SELECT DISTINCT area_key FROM observation_visible WHERE indicator = 'population'")
    unknown = set(ours) - set(stated["area_key"]) if level == "stadtteil" else set()
    for key, row in ours.items():
        if key not in other.index:
            assert (row.facilities, row.supply) == (0, 0), key
            assert row.population == (None if key in unknown else 0), key
            continue
        there = other.loc[key]
        assert row.facilities == there["facilities"], key
        assert row.facilities_without_supply == there["without"], key
        assert row.ages_unknown == there["ageless"], key
        assert row.population == pytest.approx(there["wanted"], rel=1e-9, abs=1e-9), key
        expected = there["supply"]
        if np.isnan(expected):
            assert row.supply == (None if row.facilities else 0), key
        else:
            assert row.supply == pytest.approx(expected, rel=1e-9), key
            if there["wanted"] > 0:
                assert row.supply_per_1000 == pytest.approx(1000 * expected / there["wanted"], rel=1e-9), key


@pytest.mark.parametrize(
    "level",
    [
        "bezirk",
        "stadtteil",
        "statgebiet",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("land", "sozialraum")),
    ],
)
@pytest.mark.parametrize(("category", "low", "high", "unit"), [
    ("okja", 10, 18, "places"), ("okja", 6, 21, "hours_per_week"), ("kita", 3, 6, "places"), ("hze", 14, 18, "places"),
])  # fmt: skip
def test_the_demo_city(demo_database: "Database", level: str, category: str, low: int, high: int, unit: str) -> None:
    compare(demo_database, level, category, low, high, unit)


@pytest.fixture(scope="module")
def real(new_database: "Callable[[], Database]") -> "Database":
    """Hamburg's Stadtteile with their real places and residents."""
    from importer_help import load_areas

    from importers.kinds.facilities import FacilitiesImport, import_facilities
    from importers.kinds.statistics import StatisticsImport, import_statistics
    from importers.mapping import read_mapping
    from importers.sources import open_source

    made = new_database()
    for level in ("bezirk", "stadtteil"):
        name = {"bezirk": "bezirke", "stadtteil": "stadtteile"}[level]
        mapping = read_mapping(Path(f"hamburg/{name}.toml"))
        load_areas(made.writing, HAMBURG / "grenzen" / f"{name}.geojson", level, mapping=mapping)
    for category, name in (("okja", "jugendorte"), ("famfoe", "familienorte")):
        mapping = read_mapping(Path(f"hamburg/{name}.toml"))
        import_facilities(made.writing, open_source(HAMBURG / "einrichtungen" / f"{name}.geojson"),
                          FacilitiesImport(category, mapping=mapping))  # fmt: skip
    mapping = read_mapping(Path("hamburg/stadtteilprofile_2014.toml"))
    file = HAMBURG / "statistik" / "Daten_fuer_die_Stadtteilprofile_2014.csv"
    import_statistics(made.writing, open_source(file, layout=mapping.source.layout(file.name)),
                      StatisticsImport(mapping=mapping, mapping_name="stadtteilprofile_2014"))  # fmt: skip
    return made


@pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data/hamburg is not beside this checkout")
@pytest.mark.parametrize("level", ["bezirk", "stadtteil"])
@pytest.mark.parametrize(("category", "low", "high"), [("okja", 0, 18), ("famfoe", 0, 18)])
def test_hamburgs_real_places(real: "Database", level: str, category: str, low: int, high: int) -> None:
    compare(real, level, category, low, high, "places")
