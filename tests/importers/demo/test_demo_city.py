import csv
import math
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from demo_built import built
from pyproj import Transformer

from importers.demo import borders, facts, files, offers, population
from importers.demo.city import LAND_KEY, LEVELS, DemoArea, DemoCity, build
from importers.demo.dice import apportion
from importers.demo.facilities import COLUMNS
from importers.demo.places import HZE_OUTSIDE
from importers.demo.providers import PROVIDERS

CONTRACT_HEADER = (
    "id, facility_id, name, category, type, provider, provider_key, street, house_number, postcode, city, state, lon, "
    "lat, x, y, paragraphs, age_from, age_to, supply, supply_unit, use, use_unit, service_area, opening_hours, "
    "barrier_free, phone, email, website, release, valid_from, valid_to, as_of"
)
CONTRACT_COLUMNS = CONTRACT_HEADER.split(", ")
SQUARE_KM = 1_000_000


@pytest.fixture(scope="module")
def city() -> DemoCity:
    return built()


@pytest.fixture(scope="module")
def rows(city: DemoCity) -> list[Mapping[str, str]]:
    return [row for category in city.facilities.values() for row in category]


def shapes(city: DemoCity, level: str) -> list[shapely.MultiPolygon]:
    return [area.geometry for area in city.areas[level]]


def by_key(city: DemoCity, level: str) -> dict[str, DemoArea]:
    return {area.key: area for area in city.areas[level]}


def members(city: DemoCity) -> dict[str, list[str]]:
    """Return the Gebiete inside each Sozialraum, found by geometry."""
    tree = shapely.STRtree(shapes(city, "sozialraum"))
    inner = shapely.point_on_surface(shapes(city, "statgebiet"))
    found: dict[str, list[str]] = {area.key: [] for area in city.areas["sozialraum"]}
    for gebiet, sozialraum in tree.query(inner, predicate="within").T:
        found[city.areas["sozialraum"][sozialraum].key].append(city.areas["statgebiet"][gebiet].key)
    return found


def test_levels_have_their_counts_and_keys(city: DemoCity) -> None:
    assert tuple(city.areas) == LEVELS
    counts = {level: len(areas) for level, areas in city.areas.items()}
    assert counts == {"land": 1, "bezirk": 7, "stadtteil": 104, "statgebiet": 942, "sozialraum": 60}
    patterns = {"land": "02", "bezirk": "[1-7]", "stadtteil": r"02[1-7]\d\d", "statgebiet": r"02[1-7]\d{5}"}
    patterns["sozialraum"] = r"S[1-7]\d\d"
    for level, areas in city.areas.items():
        keys = [area.key for area in areas]
        assert len(set(keys)) == len(keys)
        assert all(re.fullmatch(patterns[level], key) for key in keys)
    for stadtteil in facts.stadtteile():
        gebiete = [key for key in by_key(city, "statgebiet") if key.startswith(stadtteil.key)]
        assert gebiete == [f"{stadtteil.key}{number:03d}" for number in range(1, stadtteil.gebiete + 1)]


@pytest.mark.parametrize(
    ("level", "above"),
    [("bezirk", "land"), ("stadtteil", "bezirk"), ("statgebiet", "stadtteil"), ("sozialraum", "bezirk")],
)
def test_a_parent_contains_its_children_and_nothing_else(city: DemoCity, level: str, above: str) -> None:
    parents = by_key(city, above)
    areas = dict.fromkeys(parents, 0.0)
    people: Counter[str] = Counter()
    for area in city.areas[level]:
        assert area.parent_key is not None
        assert parents[area.parent_key].geometry.covers(area.geometry)
        areas[area.parent_key] += area.geometry.area
        people[area.parent_key] += area.residents[population.TOTAL]
    for key, parent in parents.items():
        assert areas[key] == pytest.approx(parent.geometry.area, abs=1)
        assert people[key] == parent.residents[population.TOTAL]


def test_keys_say_the_parent(city: DemoCity) -> None:
    assert city.areas["land"][0].parent_key is None
    assert {area.parent_key for area in city.areas["bezirk"]} == {LAND_KEY}
    assert all(area.parent_key == area.key[2] for area in city.areas["stadtteil"])
    assert all(area.parent_key == area.key[:5] for area in city.areas["statgebiet"])
    assert all(area.parent_key == area.key[1] for area in city.areas["sozialraum"])


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_tiles_the_city(city: DemoCity, level: str) -> None:
    cells = np.array(shapes(city, level), dtype=object)
    assert all(isinstance(cell, shapely.MultiPolygon) and cell.is_valid and not cell.is_empty for cell in cells)
    land = city.areas["land"][0].geometry
    assert sum(cell.area for cell in cells) == pytest.approx(land.area, abs=1)
    assert shapely.union_all(cells).symmetric_difference(land).area < 1
    left, right = shapely.STRtree(cells).query(cells, predicate="intersects")
    left, right = left[left < right], right[left < right]
    assert shapely.area(shapely.intersection(cells[left], cells[right])).sum() < 1
    assert shapely.coverage_is_valid(cells)


def test_vertices_lie_on_the_grid_and_are_few(city: DemoCity) -> None:
    vertices = shapely.get_coordinates(shapes(city, "statgebiet"))
    assert np.array_equal(vertices, np.round(vertices / borders.GRID_M) * borders.GRID_M)
    assert len(shapely.to_geojson(shapely.GeometryCollection(shapes(city, "statgebiet")))) < 1_500_000


def test_the_outline_is_plausible_and_without_holes(city: DemoCity) -> None:
    island, mainland = sorted(city.areas["land"][0].geometry.geoms, key=lambda part: part.area)
    assert 700 < mainland.area / SQUARE_KM < 900
    assert island.area / SQUARE_KM < 10
    assert not mainland.interiors


def test_the_real_centres_lie_in_their_stadtteil(city: DemoCity) -> None:
    centres = shapely.points(borders.centres(facts.stadtteile()))
    assert shapely.contains(shapes(city, "stadtteil"), centres).all()


def test_neuwerk_lies_far_out(city: DemoCity) -> None:
    stadtteile = by_key(city, "stadtteil")
    island = stadtteile.pop(facts.NEUWERK)
    nearest = min(area.geometry.distance(island.geometry) for area in stadtteile.values())
    assert nearest > 70_000
    assert island.parent_key == "1"
    assert island.residents[population.TOTAL] == 30


def test_sozialraeume_hold_each_gebiet_once_and_cross_stadtteile(city: DemoCity) -> None:
    groups = members(city)
    assert sorted(key for group in groups.values() for key in group) == sorted(by_key(city, "statgebiet"))
    sizes = Counter(key[:5] for key in by_key(city, "statgebiet"))
    crossing = 0
    for group in groups.values():
        parts = Counter(key[:5] for key in group)
        crossing += len(parts) > 1 and any(parts[key] < sizes[key] for key in parts)
        assert {key[2] for key in group} == {group[0][2]}
    assert crossing >= 10


def test_sozialraeume_are_connected_apart_from_the_island_and_finkenwerder(city: DemoCity) -> None:
    parted = [area.key for area in city.areas["sozialraum"] if len(area.geometry.geoms) > 1]
    assert len(parted) == 1
    assert parted[0].startswith("S1")


def test_residents_add_up_at_every_level(city: DemoCity) -> None:
    land = city.areas["land"][0].residents
    for areas in city.areas.values():
        assert population.added(area.residents for area in areas) == land
        for area in areas:
            assert tuple(area.residents) == population.COLUMNS
            assert min(area.residents.values()) >= 0
            groups = (*population.UNDER_18, *population.ADULTS)
            assert area.residents[population.TOTAL] == sum(area.residents[column] for column in groups)
    for key, group in members(city).items():
        gebiete = by_key(city, "statgebiet")
        assert by_key(city, "sozialraum")[key].residents == population.added(gebiete[m].residents for m in group)


def test_residents_of_a_stadtteil_are_the_facts(city: DemoCity) -> None:
    areas = by_key(city, "stadtteil")
    for stadtteil in facts.stadtteile():
        assert areas[stadtteil.key].residents[population.TOTAL] == stadtteil.residents
        assert population.under_18(areas[stadtteil.key].residents) == stadtteil.residents_u18


def test_what_is_invented_says_so(city: DemoCity, rows: list[Mapping[str, str]]) -> None:
    for level in ("statgebiet", "sozialraum"):
        assert all(area.name.startswith("Beispiel") for area in city.areas[level])
    for row in rows:
        assert row["name"].startswith("Beispiel-")
        assert row["provider"].startswith("Beispielträger ")
        assert row["street"].startswith("Beispiel")
        assert row["city"] == "Hamburg" or row["city"].startswith("Beispielstadt")
        assert row["phone"] == "" or re.fullmatch(r"040 000 \d\d \d\d", row["phone"])
        assert row["email"] in {"", "info@beispiel.invalid"}
        assert row["website"] == "" or row["website"].startswith("https://beispiel.invalid/")


def test_rows_are_canonical(rows: list[Mapping[str, str]]) -> None:
    assert list(COLUMNS) == CONTRACT_COLUMNS
    allowed = {
        "supply_unit": {"", "places", "hours_per_week"},
        "use_unit": {"", "regular_users_per_week"},
        "service_area": {"local", "citywide"},
        "barrier_free": {"yes", "partly", "no", ""},
        "release": {"public", "area_only", "internal", "protected"},
        "as_of": {"2026-01-01"},
    }
    for row in rows:
        assert tuple(row) == COLUMNS
        assert all(isinstance(value, str) and value == value.strip() for value in row.values())
        assert not {value.lower() for value in row.values()} & {"nan", "none", "null"}
        assert all(row[column] in values for column, values in allowed.items())
        assert bool(row["supply"]) == bool(row["supply_unit"])
        assert bool(row["use"]) == bool(row["use_unit"])
        assert row["supply"] == "" or int(row["supply"]) > 0
        assert re.fullmatch(r"(\d+\w?(;\d+\w?)*)?", row["paragraphs"])
        assert re.fullmatch(r"\d{5}", row["postcode"])
        assert re.fullmatch(r"\d+\.\d{6}", row["lon"])
        assert re.fullmatch(r"\d+\.\d{6}", row["lat"])
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)


def test_ages_and_dates_run_forwards(rows: list[Mapping[str, str]]) -> None:
    for row in rows:
        assert row["age_from"] or not row["age_to"]
        assert not row["age_to"] or int(row["age_from"]) < int(row["age_to"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["valid_from"])
        assert row["valid_to"] == "" or row["valid_from"] < row["valid_to"]
        assert row["valid_to"] == "" or row["valid_to"].startswith("2024-")
    assert 0.03 < sum(not row["age_from"] for row in rows) / len(rows) < 0.08
    assert any(row["age_from"] and not row["age_to"] for row in rows)
    assert 3 <= sum(bool(row["valid_to"]) for row in rows) <= 25


def test_places_by_category(city: DemoCity) -> None:
    places = {category: {row["facility_id"] for row in rows} for category, rows in city.facilities.items()}
    assert {category: len(ids) for category, ids in places.items()} == offers.PLACES
    several = [Counter(row["facility_id"] for row in rows) for rows in city.facilities.values()]
    share = sum(count > 1 for counter in several for count in counter.values()) / sum(map(len, several))
    assert share == pytest.approx(0.12, abs=0.03)
    assert max(count for counter in several for count in counter.values()) <= 3
    assert all({row["category"] for row in rows} == {category} for category, rows in city.facilities.items())


def test_offers_of_one_place_share_address_provider_and_release(rows: list[Mapping[str, str]]) -> None:
    shared = ("name", "provider_key", "street", "house_number", "lon", "lat", "release", "valid_from", "valid_to")
    seen: dict[str, tuple[str, ...]] = {}
    for row in rows:
        values = tuple(row[column] for column in shared)
        assert seen.setdefault(row["facility_id"], values) == values


def test_points_lie_in_the_stadtteil_they_name_or_well_outside(city: DemoCity, rows: list[Mapping[str, str]]) -> None:
    to_metres = Transformer.from_crs("OGC:CRS84", "EPSG:25832", always_xy=True)
    land = city.areas["land"][0].geometry
    stadtteile = {area.name: area.geometry for area in city.areas["stadtteil"]}
    outside = set()
    for row in rows:
        x, y = to_metres.transform(float(row["lon"]), float(row["lat"]))
        assert math.isfinite(x)
        point = shapely.Point(x, y)
        if row["state"] == "Hamburg":
            named = [name for name in stadtteile if re.search(rf" {re.escape(name)}( \d+)?$", row["name"])]
            assert any(stadtteile[name].contains(point) for name in named)
        else:
            outside.add(row["facility_id"])
            assert row["category"] == "hze"
            assert row["state"] in {"Schleswig-Holstein", "Niedersachsen", "Mecklenburg-Vorpommern"}
            assert 5_000 < land.distance(point) < 120_000
    assert len(outside) == HZE_OUTSIDE


def test_release_follows_the_kind(city: DemoCity, rows: list[Mapping[str, str]]) -> None:
    hze = Counter(row["release"] for row in city.facilities["hze"])
    assert set(hze) == {"public", "area_only", "internal", "protected"}
    assert hze["internal"] > len(city.facilities["hze"]) / 2
    protected = {"Inobhutnahme", "Mutter-Kind-Einrichtung"}
    assert protected <= {row["type"] for row in rows}
    assert all((row["type"] in protected) == (row["release"] == "protected") for row in rows)
    assert 1 <= sum(row["release"] == "area_only" for row in city.facilities["okja"]) <= 10


def test_every_doubtful_case_of_supply_occurs_among_what_the_public_sees(city: DemoCity) -> None:
    seen = {category: [row for row in rows if row["release"] in {"public", "area_only"}]
            for category, rows in city.facilities.items()}  # fmt: skip
    okja, kita = seen["okja"], seen["kita"]
    for rows, unit in ((okja, "hours_per_week"), (kita, "places")):
        assert any(row["supply_unit"] == unit for row in rows)
        assert any(not row["supply"] for row in rows)
        assert any(row["supply"] and not row["age_from"] for row in rows)
        assert any(row["supply"] and row["valid_to"] for row in rows)
    assert any(row["supply"] and row["service_area"] == "citywide" for row in okja)
    assert any(row["supply"] and row["release"] == "area_only" for row in okja)
    assert any(row["use"] and not row["supply"] for row in okja)
    assert any(row["age_from"] and not row["age_to"] for row in okja)


def test_some_large_stadtteile_have_no_youth_centre(city: DemoCity) -> None:
    places = " ".join(row["name"] for row in city.facilities["okja"])
    large = [area.name for area in city.areas["stadtteil"] if population.under_18(area.residents) > 3000]
    assert sum(name not in places for name in large) >= 3


def test_providers_have_stable_keys(rows: list[Mapping[str, str]]) -> None:
    assert [one.key for one in PROVIDERS] == [f"beispiel-traeger-{number:02d}" for number in range(1, 41)]
    names = {one.key: one.name for one in PROVIDERS}
    assert len(set(names.values())) == 40
    assert all(names[row["provider_key"]] == row["provider"] for row in rows)
    assert len({row["provider_key"] for row in rows}) >= 35


def test_two_builds_are_equal(city: DemoCity) -> None:
    assert build() == city


def test_files_hold_the_city_and_are_the_same_each_time(city: DemoCity, tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "b", tmp_path / "c"
    files.write(city, first)
    files.write(city, second)
    files.write(city, second)
    names = {f"gebiete-{level}.gpkg" for level in LEVELS} | {f"einrichtungen-{c}.csv" for c in offers.PLACES}
    names |= {"einwohner.csv", "zensus-gitter.csv", "merkmale.csv", "katalog.toml", "wegenetz.csv"}
    names |= {f"hilfen-{name}.csv" for name in ("faelle", "ausgaben", "stunden", "beratungen", "budget")}
    names |= {"jugendeinwohner.csv", "katalog-hilfen.toml", "unterbringungen.csv", "anschriften.csv"}
    assert {path.name for path in first.iterdir()} == names
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    for level, areas in city.areas.items():
        path = first / f"gebiete-{level}.gpkg"
        assert len(pyogrio.list_layers(path)) == 1
        assert pyogrio.read_info(path)["crs"] == "EPSG:25832"
        frame = pyogrio.read_dataframe(path)
        assert list(frame.columns) == ["key", "name", "parent_key", "flaeche_ha", "geometry"]
        assert list(frame["key"]) == [area.key for area in areas]
        assert list(frame["flaeche_ha"]) == [round(area.geometry.area / 10_000) for area in areas]
        assert shapely.equals_exact(frame.geometry.to_numpy(), shapes(city, level), 0).all()
    for category, written in city.facilities.items():
        with (first / f"einrichtungen-{category}.csv").open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle, delimiter=";")
            assert reader.fieldnames == CONTRACT_COLUMNS
            assert list(reader) == list(written)


def test_the_file_of_residents_holds_every_age_of_every_published_level(city: DemoCity, tmp_path: Path) -> None:
    files.write(city, tmp_path)
    with (tmp_path / "einwohner.csv").open(encoding="utf-8", newline="") as handle:
        found = list(csv.DictReader(handle, delimiter=";"))
    positions = ["total", "0-3", "3-6", "6-10", "10-14", "14-18", "18-21", "21-27", "27-"]
    assert {row["position"] for row in found} == set(positions)
    assert {(row["indicator"], row["period"], row["flag"]) for row in found} == {("population", "2025", "ok")}
    written = {(row["area_level"], row["area_key"], row["position"]): int(row["value"]) for row in found}
    assert len(written) == len(found)
    expected = {
        (level, area.key, position): area.residents[column]
        for level in files.LEVELS_WITH_RESIDENTS
        for area in city.areas[level]
        for column, position in zip(population.COLUMNS, positions, strict=True)
    }
    assert written == expected


def test_the_census_grid_lies_in_the_city_and_is_about_right(city: DemoCity) -> None:
    assert list(city.grid) == sorted(set(city.grid))
    to_metres = Transformer.from_crs("EPSG:3035", "EPSG:25832", always_xy=True)
    cells = np.array([(int(row[1]), int(row[2])) for row in city.grid])
    assert (cells % 100 == 50).all()
    assert [row[0] for row in city.grid] == [f"CRS3035RES100mN{y - 50}E{x - 50}" for x, y in cells.tolist()]
    points = shapely.points(np.column_stack(to_metres.transform(cells[:, 0], cells[:, 1])))
    inside = shapely.STRtree(points).query(shapes(city, "statgebiet"), predicate="contains")
    assert len(set(inside[1].tolist())) == len(points) == inside.shape[1]
    totals = np.array([int(row[3]) for row in city.grid])
    assert 3 <= totals.min() <= totals.max() < 1000
    groups = np.array([[0 if part == "–" else int(part) for part in row[4:]] for row in city.grid])
    assert not np.isin(groups, (1, 2)).any()
    land = city.areas["land"][0].residents
    assert totals.sum() == pytest.approx(land[population.TOTAL], rel=0.01)
    assert groups[:, 0].sum() == pytest.approx(population.under_18(land), rel=0.01)
    assert (groups.sum(axis=1) != totals).any()


def test_apportion_is_exact() -> None:
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(0, [1, 2]) == [0, 0]
    assert apportion(3, [0, 0]) == [2, 1]
    assert apportion(7, [0, 1, 1]) == [0, 4, 3]
