import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from address_help import address, load_addresses, load_list
from importer_help import (
    EAST,
    NORTH,
    Database,
    Json,
    data_version,
    findings,
    load_areas,
    load_city,
    load_facilities,
    lonlat,
    offer,
    point,
    query,
    rules,
    write_csv,
    write_geojson,
    write_xlsx,
)
from shapely.geometry import Point

from importers.errors import MappingError, RefusedError
from importers.kinds import addresses
from importers.kinds.addresses import AddressesImport, import_addresses
from importers.mapping import Mapping
from importers.report import Report
from importers.sources import open_source

LENIENT = rules("100%", "100%")
Load = Callable[..., tuple[Report, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = new_database()
    load_city(made.writing, tmp_path_factory.mktemp("town"))
    return made


def held(database: Database, dataset: str) -> list[dict[str, Any]]:
    """Return the current addresses of a dataset in their order; x and y from the corner of the city."""
    names = ("street", "house_number", "postcode", "city", "street_plain", "number_plain", "x", "y")
    found = query(
        database.writing,
        "SELECT street, house_number, postcode, city, street_plain, number_plain, ST_X(geom), ST_Y(geom) "
        "FROM address a JOIN dataset d ON d.current_import_id = a.import_id WHERE d.name = :dataset ORDER BY number",
        dataset=dataset,
    )
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return [row | {"x": round(row["x"] - EAST, 1), "y": round(row["y"] - NORTH, 1)} for row in rows]


@pytest.fixture
def load(town: Database, tmp_path: Path) -> Load:
    """Load rows (a CSV, or a file) as this test's own dataset; return the report and what is visible of it."""
    name = f"addresses.t{abs(hash(tmp_path))}"

    def loaded(rows: list[Json] | Path, **options: Any) -> tuple[Report, list[dict[str, Any]]]:
        path = rows if isinstance(rows, Path) else write_csv(tmp_path / "a.csv", rows)
        options.setdefault("dataset", name)
        options.setdefault("rules", LENIENT)
        report = load_addresses(town.writing, path, **options)
        return report, held(town, options["dataset"])

    return loaded


EXPECTED = {
    "street": "Sportplatzring", "house_number": "71 A", "postcode": "22527", "city": "Hamburg",
    "street_plain": "sportplatzring", "number_plain": "71a", "x": 500.0, "y": 600.0,
}  # fmt: skip


def test_an_address_is_loaded_as_it_is(load: Load) -> None:
    report, rows = load([address("Sportplatzring", "71 A", 500, 600, "22527")])
    assert rows == [EXPECTED]
    assert (report.rows_read, report.rows_loaded, report.rows_rejected, report.crs) == (1, 1, 0, "EPSG:25832")
    assert report.counts == {"Straßen": 1}
    assert report.kind == "addresses"


def test_degrees_geodata_and_workbooks_say_the_same(load: Load, tmp_path: Path) -> None:
    lon, lat = lonlat(500, 600)
    text = {name: EXPECTED[name] for name in ("street", "house_number", "postcode", "city")}
    numbers = text | {"postcode": 22527}
    gpkg = tmp_path / "a.gpkg"
    gpd.GeoDataFrame([text], geometry=[Point(EAST + 500, NORTH + 600)], crs=25832).to_file(gpkg)
    sources = [
        write_csv(tmp_path / "d.csv", [text | {"lon": lon, "lat": lat}]),
        write_geojson(tmp_path / "m.geojson", [(text, point(500, 600))]),
        write_geojson(tmp_path / "d.geojson", [(numbers, point(500, 600))], crs=None),
        write_xlsx(tmp_path / "a.xlsx", [[*numbers, "lon", "lat"], [*numbers.values(), lon, lat]]),
        gpkg,
    ]
    for source in sources:
        _report, rows = load(source, crs=None, dataset=f"addresses.{source.stem}_{source.suffix[1:]}")
        assert rows == [EXPECTED], source.name


def test_a_mapping_splits_one_column(load: Load) -> None:
    mapping = Mapping.model_validate({
        "columns": {
            "street": {"from": "adresse", "part": "street"},
            "house_number": {"from": "adresse", "part": "house_number"},
            "postcode": {"from": "ort", "part": "postcode"},
            "city": {"from": "ort", "part": "city"},
        },
        "source": {"crs": "EPSG:25832"},
        "dataset": {"name": "addresses.zerlegt", "title": "Adressliste", "licence": "dl-de/by-2-0"},
    })  # fmt: skip
    row = {"adresse": "Sportplatzring 71 A", "ort": "22527 Hamburg", "x": EAST + 500, "y": NORTH + 600}
    report, rows = load([row], mapping=mapping, crs=None, dataset="addresses.zerlegt")
    assert rows == [EXPECTED]
    assert report.dataset == "addresses.zerlegt"


def test_what_is_missing_or_wrong_in_the_layout_is_refused(town: Database, load: Load) -> None:
    before = data_version(town.writing)
    row = address("A", "1", 1, 1)
    with pytest.raises(MappingError, match=r"hat keine Spalte „house_number“"):
        load([{name: value for name, value in row.items() if name != "house_number"}])
    with pytest.raises(MappingError, match=r"„hausnr“, die es bei Adressen nicht gibt"):
        load([row], mapping=Mapping.model_validate({"columns": {"hausnr": "house_number"}}))
    with pytest.raises(MappingError, match=r"Koordinatensystem mit --crs"):
        load([row], crs=None)
    with pytest.raises(MappingError, match=r"ist von anderer Art"):
        load([row], dataset="areas.bezirk")
    with pytest.raises(RefusedError, match=r"1 von 1 Zeilen wurden zurückgewiesen.*Die Koordinate fehlt"):
        load([row | {"x": None}])
    assert data_version(town.writing) == before


@pytest.mark.parametrize(
    ("columns", "field", "why"),
    [
        ({"street": ""}, "street", "Die Straße fehlt."),
        ({"street": " - "}, "street", "Das ist kein Straßenname."),
        ({"street": "s" * 201}, "street", "Der Text ist länger als 200 Zeichen."),
        ({"street": "ﷺ" * 100}, "street", "Das ist kein Straßenname."),
        ({"house_number": None}, "house_number", "Die Hausnummer fehlt."),
        ({"house_number": "ohne"}, "house_number", "Das ist keine Hausnummer"),
        ({"house_number": "1234567"}, "house_number", "Das ist keine Hausnummer"),
        ({"house_number": "2024-12-10"}, "house_number", "Das ist ein Datum"),
        ({"postcode": "1067"}, "postcode", "Eine Postleitzahl hat fünf Ziffern."),
        ({"postcode": "D-22527"}, "postcode", "Eine Postleitzahl hat fünf Ziffern."),
        ({"city": "c" * 201}, "city", "Der Text ist länger als 200 Zeichen."),
        ({"x": ""}, "lon", "Die Koordinate fehlt oder ist keine Zahl."),
        ({"x": "östlich"}, "lon", "Die Koordinate fehlt oder ist keine Zahl."),
        ({"x": NORTH, "y": EAST}, "lon", "sieht nach vertauschter Reihenfolge"),
        ({"x": 10, "y": 53}, "lon", "sehen nach Grad aus"),
    ],
)
def test_bad_rows_are_rejects(load: Load, columns: dict[str, Any], field: str, why: str) -> None:
    report, rows = load([address("A", "1", 1, 1), address("B", "1", 1, 1) | columns, address("C", "1", 1, 1)])
    assert [row["street"] for row in rows] == ["A", "C"]
    found = findings(report, "reject")
    assert {row for row, *_ in found} == {3}
    assert any(named == field and why in reason for _row, named, _value, reason in found)


def test_a_date_in_a_workbook_is_no_house_number(load: Load, tmp_path: Path) -> None:
    columns = ["street", "house_number", "x", "y"]
    rows = [columns, ["A", dt.datetime(2024, 12, 10), EAST, NORTH], ["A", 10, EAST, NORTH]]  # noqa: DTZ001 - as Excel has it
    report, kept = load(write_xlsx(tmp_path / "a.xlsx", rows))
    assert [row["house_number"] for row in kept] == ["10"]
    assert "Das ist ein Datum" in findings(report, "reject")[0][3]


def test_the_same_address_twice(load: Load) -> None:
    report, rows = load([
        address("Weg", "1", 100, 100), address("WEG", " 1", 150, 100), address("Weg", "1", 151, 100),
        address("Weg", "1", 100, 100, "20002"), address("Weg", "1", 900, 100, "20001", "Kiel"),
        address("Weg", "1", 900, 100, None), address("Weg", "1", 900, 100, None), address("Weg", "1", 100, 100),
        address("Weg", "1", 100, 100, "20001", "HAMBURG"),
    ])  # fmt: skip
    assert len(rows) == 4
    assert [(row, why) for row, _field, _value, why in findings(report, "reject")] == [
        (4, "Die Adresse steht schon in Zeile 2, 51 m entfernt.")
    ]
    assert [row for row, *_ in findings(report, "info")] == [3, 8, 9, 10]
    assert report.counts == {"Wiederholte Adressen": 4, "Straßen": 1}
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (9, 4, 1)


def test_addresses_outside_are_kept_and_counted(load: Load, database: Database, tmp_path: Path) -> None:
    rows = [
        address("A", "1", 4000, 2000),
        address("A", "2", 4001, 2000),
        address("A", "3", -9000, 0, "25421", "Pinneberg"),
    ]
    report, kept = load(rows)
    assert len(kept) == 3
    assert report.counts["Adressen außerhalb, behalten"] == 2
    assert load_list(database.writing, tmp_path, rows).counts == {"Straßen": 1}, "no areas: nothing is outside"
    load_areas(database.writing, write_csv(tmp_path / "b.csv", [{"key": "1", "name": "a"}]), "bezirk", key=None)
    report = load_list(database.writing, tmp_path, rows[:2], rules=LENIENT)
    assert report.counts == {"Straßen": 1}, "areas without a map do not say what is outside"


def test_the_order_of_rows_makes_no_new_version(town: Database, load: Load) -> None:
    rows = [address(f"Weg {n}", str(n), n, n) for n in range(1, 20)]
    first, _kept = load(rows, dataset="addresses.versionen")
    version = data_version(town.writing)
    again, _kept = load(rows[::-1], dataset="addresses.versionen")
    assert (first.unchanged, again.unchanged) == (False, True)
    assert data_version(town.writing) == version
    load([*rows, address("Neu", "1", 1, 1)], dataset="addresses.versionen")
    load([*rows, address("Neu", "2", 1, 1)], dataset="addresses.versionen")
    assert data_version(town.writing) == version + 2
    kept = query(
        town.writing,
        "SELECT count(*) FROM address a JOIN import_run i ON i.id = a.import_id JOIN dataset d ON d.id = i.dataset_id "
        "WHERE d.name = 'addresses.versionen' GROUP BY a.import_id",
    )
    assert kept == [(20,), (20,)], "the visible version and the one before"
    with pytest.raises(RefusedError, match=r"von 20 auf 3 Zeilen schrumpfen"):
        load(rows[:3], rules=rules("5%"), dataset="addresses.versionen")
    report, _kept = load(rows, rules=rules("5%", dry_run=True), dataset="addresses.versionen")
    assert (report.dry_run, report.rows_loaded, data_version(town.writing)) == (True, 19, version + 2)


@pytest.mark.parametrize("step", ["_once_each", "_load", "publish", "refresh_statistics"])
def test_an_import_stopped_in_the_middle_changes_nothing(
    town: Database, load: Load, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    def seen() -> list[tuple[Any, ...]]:
        return query(town.writing, "SELECT (SELECT count(*) FROM address), (SELECT count(*) FROM import_run), "
                                   "(SELECT count(*) FROM dataset)")  # fmt: skip

    before = seen()
    with monkeypatch.context() as patch:
        patch.setattr(addresses, step, fail)
        with pytest.raises(KeyboardInterrupt):
            load([address("A", "1", 1, 1)])
    assert seen() == before


HOSTILE = [
    "<script>alert(1)</script>", "'; DROP TABLE address; --", "=HYPERLINK(\"http://x\")", "{{ 7*7 }} ${x} %s {0}",
    "\\N a", "NULL", "Ж漢字🏠", "\u202eknilb\u202c", "\"doppelt\" 'einfach' „deutsch“", "Zeile\nzwei\tdrei",
]  # fmt: skip


def test_hostile_streets_are_text(town: Database, load: Load) -> None:
    report, rows = load([address(text, "1", n, n, None, text) for n, text in enumerate(HOSTILE)])
    assert report.rows_rejected == 0
    assert {row["street"] for row in rows} == {row["city"] for row in rows} == set(HOSTILE)
    report, _rows = load([address("A", "1", 1, 1), *(address("A", f"1{text}", 1, 1, text) for text in HOSTILE)])
    assert report.rows_rejected == len(HOSTILE)
    assert query(town.writing, "SELECT count(*) > 0 FROM address") == [(True,)]


def test_what_was_loaded_places_facilities_from_then_on(database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    path = write_csv(tmp_path / "f.csv", [offer(1) | {"lon": None, "street": "Weg", "house_number": "1"}, offer(2)])
    before = load_facilities(database.writing, path, rules=LENIENT)
    assert (before.rows_loaded, before.rows_rejected) == (1, 1)
    load_list(database.writing, tmp_path, [address("Weg", "1", 700, 700)])
    row = offer(1) | {"lon": None, "lat": None, "street": "Weg", "house_number": "1"}
    after = load_facilities(database.writing, write_csv(tmp_path / "f.csv", [row, offer(2)]), rules=LENIENT)
    assert (after.rows_loaded, after.rows_rejected) == (2, 0)
    found = query(
        database.writing,
        "SELECT f.level, f.area_key FROM facility_area f JOIN dataset d ON d.current_import_id = f.import_id "
        "WHERE f.facility_id = 'a1' ORDER BY 1",
    )
    assert found == [("bezirk", "1"), ("stadtteil", "02101")]


def test_the_command(
    town: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from service.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SRK_DATABASE_URL", town.serving_url)
    monkeypatch.setenv("SRK_ADMIN_DATABASE_URL", town.writing_url)
    path = write_csv(tmp_path / "a.csv", [address("Weg", "1", 1, 1), address("Weg", "2", 1, 1)])

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["import", "addresses", *map(str, arguments)])
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    code, out, err = run(
        path, "--crs", "EPSG:25832", "--dataset", "addresses.cli", "--title", "Liste", "--as-of", "2026-01-01"
    )
    assert (code, err) == (0, "")
    assert out.startswith("addresses.cli: 2 von 2 Zeilen übernommen, 0 zurückgewiesen.")
    assert len(held(town, "addresses.cli")) == 2
    code, _out, err = run(path)
    assert code == 1
    assert err.startswith("Fehler: Die Quelle hat Koordinaten in x und y")
    assert err.count("\n") == 1
    code, out, _err = run(path, "--crs", "EPSG:25832", "--dataset", "addresses.cli", "--title", "Liste", "--as-of",
                          "2026-01-01", "--json")  # fmt: skip
    assert code == 0
    assert '"unchanged": true' in out


def test_the_default_dataset_and_limit(database: Database, tmp_path: Path) -> None:
    good = [address("Weg", str(n), n, n) for n in range(1, 20)]
    path = write_csv(tmp_path / "a.csv", [*good, address("Weg", "ohne", 1, 1)])
    report = import_addresses(database.writing, open_source(path), AddressesImport(crs="EPSG:25832"))
    assert (report.dataset, report.rows_loaded, report.rows_rejected) == ("addresses", 19, 1)
    path = write_csv(tmp_path / "a.csv", [*good[:18], address("Weg", "ohne", 1, 1)])
    with pytest.raises(RefusedError, match=r"1 von 19 Zeilen wurden zurückgewiesen \(erlaubt: 5 %\)"):
        import_addresses(database.writing, open_source(path), AddressesImport(crs="EPSG:25832"))
