import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from importer_help import (
    EAST,
    NORTH,
    Database,
    findings,
    load_areas,
    load_city,
    load_facilities,
    lonlat,
    offer,
    places,
    point,
    query,
    rules,
    state,
    write_csv,
    write_geojson,
    write_xlsx,
)

from importers.errors import MappingError, RefusedError, SourceError
from importers.kinds import facility_tables
from importers.mapping import Mapping
from importers.report import Report

Load = Callable[..., tuple[Report, list[dict[str, Any]]]]
LENIENT = rules("100%", "100%")


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The tiny city without facilities; every test loads a dataset of its own."""
    made = new_database()
    load_city(made.writing, tmp_path_factory.mktemp("town"))
    return made


@pytest.fixture
def load(town: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Load:
    """Load rows (a CSV, or a file) as this test's own dataset; return the report and what is visible of it."""
    name = f"facilities.t{abs(hash(request.node.nodeid))}"

    def loaded(rows: list[dict[str, Any]] | Path, **options: Any) -> tuple[Report, list[dict[str, Any]]]:
        path = rows if isinstance(rows, Path) else write_csv(tmp_path / "f.csv", rows)
        options.setdefault("dataset", name)
        options.setdefault("rules", LENIENT)
        report = load_facilities(town.writing, path, **options)
        return report, places(town.writing, options["dataset"])

    return loaded


def reasons(report: Report) -> list[tuple[Any, Any, str]]:
    """Return the rejects as (row, field, reason)."""
    return [(row, field, why) for row, field, _value, why in findings(report, "reject")]


def test_a_full_row_is_loaded_as_it_is(load: Load) -> None:
    columns = {
        "facility_id": "haus", "category": "famfoe", "type": "Eltern-Kind-Zentrum", "provider": "Verein e. V.",
        "provider_key": "verein", "street": "Schulweg", "house_number": "12 b", "postcode": "01067", "city": "Hamburg",
        "state": "Sachsen", "paragraphs": "11; 13;16", "age_from": "6", "age_to": "12", "supply": "1.675,5",
        "supply_unit": "places", "use": "20", "use_unit": "regular_users_per_week", "service_area": "citywide",
        "opening_hours": "Mo–Fr", "barrier_free": "partly", "phone": "040 1", "email": "a@b.de",
        "website": "https://x.de", "release": "area_only", "valid_from": "2024-01-31", "valid_to": "31.12.2025",
        "as_of": "1.2.2024",
    }  # fmt: skip
    report, rows = load([offer(1, **columns)])
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (1, 1, 0)
    row = rows[0]
    expected = columns | {
        "paragraphs": ["11", "13", "16"], "age_from": 6, "age_to": 12, "supply": 1675.5, "use": 20.0, "name": "Treff 1",
    }  # fmt: skip
    for name in ("valid_from", "valid_to", "as_of"):
        row[name] = row[name].isoformat()
    expected |= {"valid_to": "2025-12-31", "as_of": "2024-02-01"}
    assert {name: row[name] for name in expected} == expected
    assert row["areas"] == {"bezirk": "1", "stadtteil": "02101"}
    assert (row["east"], row["north"]) == pytest.approx((EAST + 500, NORTH + 500), abs=0.05)
    assert report.counts == {"Einrichtungen": 1, "Angebote ohne Platz- oder Stundenangabe": 0}


def test_a_bare_row_has_only_what_it_says(load: Load) -> None:
    report, (row,) = load([offer(1)])
    assert row["category"] == "okja"
    assert row["release"] == "public"
    assert row["state"] == "Hamburg"
    assert row["facility_id"] == row["offer_id"] == "a1"
    for name in ("age_from", "age_to", "supply", "use", "provider", "provider_key", "valid_to", "barrier_free"):
        assert row[name] is None
    assert row["paragraphs"] == []
    assert report.counts["Angebote ohne Platz- oder Stundenangabe"] == 1


BY_NAME = Mapping.model_validate({"identity": {"columns": ["name", "street"]}})


def test_ids_are_derived_from_the_identity(load: Load) -> None:
    rows = [offer(n) | {"id": None, "street": street} for n, street in ((1, "A"), (1, "B"), (2, None))]
    _report, first = load(rows, mapping=BY_NAME)
    ids = {row["offer_id"] for row in first}
    assert len(ids) == 3
    assert all(len(one) == 16 for one in ids)
    moved = [row | {"lon": row["lon"] + 0.001, "phone": "1"} for row in reversed(rows)]
    _report, second = load(moved, mapping=BY_NAME)
    assert {row["offer_id"] for row in second} == ids, "only the identity columns make an id"


def test_the_parts_of_an_identity_do_not_run_together(load: Load) -> None:
    rows = [offer() | {"id": "", "name": "ab", "street": "c"}, offer() | {"id": "", "name": "a", "street": "bc"}]
    report, _rows = load(rows, mapping=BY_NAME)
    assert report.rows_rejected == 0


def test_the_same_identity_twice_is_a_reject(load: Load) -> None:
    report, rows = load([offer(1) | {"id": None}, offer(2) | {"id": None}, offer(1) | {"id": None}], mapping=BY_NAME)
    assert reasons(report) == [(4, "id", "Die id steht schon in Zeile 2.")]
    assert len(rows) == 2


def test_given_ids_stay_and_win(load: Load) -> None:
    report, rows = load([offer("0007"), offer(2) | {"id": None}, offer("0007")], mapping=BY_NAME)
    ids = {row["name"]: row["offer_id"] for row in rows}
    assert ids["Treff 0007"] == "a0007"
    assert len(ids["Treff 2"]) == 16
    assert reasons(report) == [(4, "id", "Die id steht schon in Zeile 2.")]


def test_without_id_and_identity_the_source_is_refused(town: Database, load: Load) -> None:
    row = offer()
    del row["id"]
    before = state(town.writing)
    with pytest.raises(MappingError, match=r"hat keine Spalte „id“.*\[identity\]"):
        load([row])
    with pytest.raises(MappingError, match=r"„hausnummer“, die es bei Einrichtungen nicht gibt"):
        load([row], mapping=Mapping.model_validate({"identity": {"columns": ["hausnummer"]}}))
    with pytest.raises(MappingError, match=r"hat keine Spalte „name“"):
        load([{"id": "1", "lon": 10, "lat": 53}])
    assert state(town.writing) == before
    numeric = Mapping.model_validate({"identity": {"columns": ["name", "age_from", "lon"]}})
    report, rows = load([row, row | {"age_from": 6}], mapping=numeric)
    assert (report.rows_rejected, len(rows)) == (0, 2)
    report, _rows = load([offer(1), offer(2) | {"id": " "}])
    assert reasons(report) == [(3, "id", "Die id fehlt.")]


def test_several_offers_share_a_place(load: Load) -> None:
    report, rows = load([offer(n, facility_id="haus", age_from=n) for n in (1, 2, 3)])
    assert [row["facility_id"] for row in rows] == ["haus"] * 3
    assert [row["age_from"] for row in rows] == [1, 2, 3]
    assert report.counts["Einrichtungen"] == 1


def test_rows_of_one_place_must_agree(load: Load) -> None:
    rows = [
        offer(1, facility_id="h", provider="A"), offer(2, facility_id="h", provider="B"),
        offer(3, 600, 500, facility_id="h", provider="A"), offer(4, 500.5, 500, facility_id="h", provider="A"),
        offer(5, facility_id="h", provider="A", provider_key="k"),
    ]  # fmt: skip
    report, kept = load(rows)
    assert reasons(report) == [
        (3, "facility_id", "Die Zeile nennt für dieselbe Einrichtung einen anderen Träger als Zeile 2."),
        (4, "facility_id", "Die Zeile nennt für dieselbe Einrichtung einen anderen Ort als Zeile 2."),
        (6, "facility_id", "Die Zeile nennt für dieselbe Einrichtung einen anderen Träger als Zeile 2."),
    ]
    assert [row["offer_id"] for row in kept] == ["a1", "a4"]


def test_provider_keys_come_from_the_alias_table_never_by_similarity(town: Database, load: Load) -> None:
    names = ["Jugend e.V.", "  jugend   E.V. ", "Jugend e. V.", "Jugend eV", None, "Jugend e.V."]
    keys = [None, None, None, None, None, "amtlich-1"]
    _report, rows = load(
        [offer(n, provider=a, provider_key=k) for n, (a, k) in enumerate(zip(names, keys, strict=True))]
    )
    made = [row["provider_key"] for row in rows]
    assert made[0] == made[1]
    assert made[0].startswith("t-")
    assert len({made[0], made[2], made[3]}) == 3
    assert made[4] is None
    assert made[5] == "amtlich-1"
    _report, again = load([offer(9, provider="JUGEND E.V.")])
    assert again[0]["provider_key"] == made[0]
    with town.writing.begin() as connection:
        connection.exec_driver_sql("UPDATE provider_alias SET provider_key = 'amtlich-1' WHERE alias = 'jugend ev'")
    _report, corrected = load([offer(9, provider="Jugend eV")])
    assert corrected[0]["provider_key"] == "amtlich-1"


@pytest.mark.parametrize(
    ("given", "stored"),
    [((6, 12), (6, 12)), ((6, None), (6, None)), ((None, 12), (0, 12)), ((None, None), (None, None)), ((0, 1), (0, 1)),
     (("6,0", "120"), (6, 120))],
)  # fmt: skip
def test_ages(load: Load, given: tuple[Any, Any], stored: tuple[Any, Any]) -> None:
    _report, rows = load([offer(1, age_from=given[0], age_to=given[1])])
    assert (rows[0]["age_from"], rows[0]["age_to"]) == stored


@pytest.mark.parametrize(
    ("columns", "field", "why"),
    [
        ({"name": ""}, "name", "Der Name fehlt."),
        ({"age_from": 12, "age_to": 6}, "age_to", "age_to muss über age_from liegen."),
        ({"age_from": 6, "age_to": 6}, "age_to", "age_to muss über age_from liegen."),
        ({"age_to": 0}, "age_to", "age_to muss über age_from liegen."),
        ({"age_from": -1}, "age_from", "Ein Alter ist eine ganze Zahl von 0 bis 120."),
        ({"age_from": "6,5"}, "age_from", "Ein Alter ist eine ganze Zahl von 0 bis 120."),
        ({"age_to": 121}, "age_to", "Ein Alter ist eine ganze Zahl von 0 bis 120."),
        ({"age_from": "sechs"}, "age_from", "Das ist keine Zahl."),
        ({"supply": 5}, "supply_unit", "Zu supply fehlt die Einheit."),
        ({"supply": -5, "supply_unit": "places"}, "supply", "Der Wert darf nicht negativ sein."),
        ({"use": 5}, "use_unit", "Zu use fehlt die Einheit."),
        ({"supply": "viele", "supply_unit": "places"}, "supply", "Das ist keine Zahl."),
        ({"supply": "9" * 400, "supply_unit": "places"}, "supply", "Der Wert darf nicht negativ sein."),
        ({"category": "schwimmbad"}, "category", "Der Wert ist unbekannt; möglich sind: okja"),
        ({"category": "OKJA"}, "category", "Der Wert ist unbekannt"),
        ({"state": "Preußen"}, "state", "Der Wert ist unbekannt; möglich sind: Baden-Württemberg"),
        ({"supply": 5, "supply_unit": "Plätze"}, "supply_unit", "Der Wert ist unbekannt; möglich sind: places"),
        ({"use": 5, "use_unit": "kinder"}, "use_unit", "Der Wert ist unbekannt"),
        ({"service_area": "global"}, "service_area", "Der Wert ist unbekannt"),
        ({"barrier_free": "ja"}, "barrier_free", "Der Wert ist unbekannt; möglich sind: yes, partly, no."),
        ({"release": "offen"}, "release", "Der Wert ist unbekannt; möglich sind: public"),
        ({"paragraphs": "§ 11"}, "paragraphs", "Paragrafen werden wie „11;13“ geschrieben."),
        ({"paragraphs": "11,13"}, "paragraphs", "Paragrafen werden wie „11;13“ geschrieben."),
        ({"paragraphs": "{11}"}, "paragraphs", "Paragrafen werden wie „11;13“ geschrieben."),
        ({"email": "keine"}, "email", "Das ist keine E-Mail-Adresse."),
        ({"valid_from": "31.02.2024"}, "valid_from", "Das ist kein Datum."),
        ({"valid_to": "2024-13-01"}, "valid_to", "Das ist kein Datum."),
        ({"as_of": "gestern"}, "as_of", "Das ist kein Datum."),
        ({"as_of": "2024-01-011"}, "as_of", "Das ist kein Datum."),
        ({"as_of": "0000-01-01"}, "as_of", "Das ist kein Datum."),
        ({"valid_from": "2024-2-1", "valid_to": "2024-01-31"}, "valid_to", "valid_to liegt vor valid_from."),
        ({"id": "i" * 501}, "id", "Der Text ist länger als 500 Zeichen."),
        ({"provider": "p" * 501}, "provider", "Der Text ist länger als 500 Zeichen."),
        ({"street": "s" * 20_001}, "street", "Der Text ist länger als 20000 Zeichen."),
        ({"lon": ""}, "lon", "Die Koordinate fehlt oder ist keine Zahl."),
        ({"lat": "53° 30'"}, "lon", "Die Koordinate fehlt oder ist keine Zahl."),
        ({"lon": 53.5, "lat": 10.0}, "lon", "sieht nach vertauschter Reihenfolge"),
        ({"lon": EAST, "lat": NORTH}, "lon", "sieht nach UTM-Metern aus"),
        ({"lon": 0, "lat": 0}, "lon", "Die Koordinaten liegen nicht in Deutschland."),
        ({"lon": "9" * 400}, "lon", "Die Koordinaten"),
    ],
)
def test_bad_rows_are_rejects_with_row_field_and_reason(
    load: Load, columns: dict[str, Any], field: str, why: str
) -> None:
    report, rows = load([offer(1), offer(2) | columns, offer(3)])
    assert [row["offer_id"] for row in rows] == ["a1", "a3"]
    assert report.rows_rejected == 1
    row, named, reason = reasons(report)[0]
    assert (row, named) == (3, field)
    assert why in reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("given", "stored"),
    [("2024-02-29", "2024-02-29"), ("29.02.2024", "2024-02-29"), ("1.2.2024", "2024-02-01"),
     ("2024-02-29T12:30:00Z", "2024-02-29"), ("2024-02-29 00:00:00", "2024-02-29"), ("2024-2-1", "2024-02-01"),
     ("31.12.9999", "9999-12-31"), ("2024/02/29", "2024-02-29")],
)  # fmt: skip
def test_dates_are_german_or_iso(load: Load, given: str, stored: str) -> None:
    _report, rows = load([offer(1, valid_to=given)])
    assert rows[0]["valid_to"].isoformat() == stored


def test_paragraphs(load: Load) -> None:
    texts = ["11;13", "34", "35a", "27.2", " 11 ; 13 ", None]
    _report, rows = load([offer(n, paragraphs=text) for n, text in enumerate(texts)])
    assert [row["paragraphs"] for row in rows] == [["11", "13"], ["34"], ["35a"], ["27.2"], ["11", "13"], []]


def test_a_place_outside_is_a_reject_with_its_distance(load: Load) -> None:
    rows = [offer(1), offer(2, -250, 500), offer(3, 5500, 1000), offer(4, 4000.4, 2000.3)]
    report, kept = load(rows)
    rejected = findings(report, "reject")
    assert [(row, value, why) for row, _field, value, why in rejected] == [
        (3, "Treff 2", "Der Ort liegt außerhalb, 250 m von West."),
        (4, "Treff 3", "Der Ort liegt außerhalb, 1,5 km von Ost."),
        (5, "Treff 4", rejected[2][3]),
    ]
    assert next(f.advice for f in report.findings if f.row == 3).startswith("Bitte die Koordinate prüfen")
    assert [row["offer_id"] for row in kept] == ["a1"]
    with pytest.raises(RefusedError, match=r"3 von 4 Zeilen wurden zurückgewiesen \(erlaubt: 5 %\).*außerhalb"):
        load(rows, rules=rules("5%", "100%"))


def test_hze_outside_is_kept_without_area(load: Load) -> None:
    rows = [
        offer(1, -50_000, 500, category="hze"), offer(2, 500, 500, category="hze"), offer(3, -50_000, 500),
        offer(4, -70_000, 0, category="hze", facility_id="h", state="Niedersachsen"),
        offer(5, -70_000, 0, facility_id="h"),
    ]  # fmt: skip
    report, kept = load(rows)
    assert [row["offer_id"] for row in kept] == ["a1", "a2", "a4", "a5"]
    assert kept[0]["areas"] == {}
    assert kept[0]["state"] is None, "outside nothing is known of the Land"
    assert kept[1]["state"] == "Hamburg"
    assert kept[2]["state"] == "Niedersachsen"
    assert [row["release"] for row in kept] == ["internal", "internal", "internal", "public"]
    assert report.counts["Angebote außerhalb, ohne Gebiet behalten"] == 3
    assert reasons(report)[0][0] == 4


def test_keep_outside_keeps_up_to_the_distance(load: Load) -> None:
    rows = [{"id": str(n), "name": "x", "x": EAST - away, "y": NORTH} for n, away in enumerate((1000, 1001, 5000))]
    report, kept = load(rows, keep_outside_km=1.0, crs="EPSG:25832")
    assert [row["offer_id"] for row in kept] == ["0"]
    assert kept[0]["areas"] == {}
    assert report.rows_rejected == 2
    _report, kept = load(rows, keep_outside_km=5.0, crs="EPSG:25832")
    assert len(kept) == 3


def test_x_and_y_need_a_crs(town: Database, load: Load) -> None:
    rows = [{"id": "1", "name": "a", "x": f"{EAST + 500},25", "y": NORTH + 500}]
    before = state(town.writing)
    with pytest.raises(MappingError, match=r"Koordinaten in x und y; bitte ihr Koordinatensystem mit --crs"):
        load(rows)
    with pytest.raises(MappingError, match=r"„EPSG:1“ ist unbekannt"):
        load(rows, crs="EPSG:1")
    assert state(town.writing) == before
    report, kept = load(rows, crs="EPSG:25832")
    assert (kept[0]["east"], kept[0]["north"]) == (EAST + 500.25, NORTH + 500)
    assert report.crs == "EPSG:25832"
    lon, lat = lonlat(500, 500)
    report, _kept = load([{"id": "1", "name": "a", "x": lon, "y": lat}, *rows], crs="EPSG:25832")
    assert "sehen nach Grad aus" in reasons(report)[0][2]
    mapped = Mapping.model_validate({"source": {"crs": "EPSG:25832"}})
    assert load(rows, mapping=mapped)[1]


def test_rows_may_mix_degrees_and_metres(load: Load) -> None:
    rows = [offer(1), {"id": "a2", "name": "b", "x": EAST + 500, "y": NORTH + 500}]
    _report, kept = load(rows, crs="EPSG:25832")
    assert kept[0]["east"] == pytest.approx(kept[1]["east"], abs=0.05)


def test_every_level_is_linked_by_the_point(load: Load) -> None:
    rows = [{"id": str(n), "name": "x", "x": EAST + x, "y": NORTH + y} for n, (x, y) in enumerate(
        [(500, 500), (1000, 500), (2000, 500), (0, 0), (4000, 2000)])]  # fmt: skip
    _report, kept = load(rows, crs="EPSG:25832")
    assert [(row["areas"]["bezirk"], row["areas"]["stadtteil"]) for row in kept] == [
        ("1", "02101"), ("1", "02101"), ("1", "02102"), ("1", "02101"), ("2", "02202"),
    ]  # fmt: skip


def test_geodata_points_and_areas(load: Load, tmp_path: Path) -> None:
    shapes = [
        ({"id": "1", "name": "Punkt", "barrier_free": True, "age_from": 6, "as_of": "2024-01-31"}, point(500, 500)),
        ({"id": "2", "name": "Fläche", "barrier_free": None, "age_from": None, "as_of": None},
         {"type": "Polygon", "coordinates": [[[EAST, NORTH], [EAST + 10, NORTH], [EAST, NORTH + 10], [EAST, NORTH]]]}),
        ({"id": "3", "name": "ohne", "barrier_free": False, "age_from": 7, "as_of": None}, None),
    ]  # fmt: skip
    report, kept = load(write_geojson(tmp_path / "f.geojson", shapes))
    assert [row["offer_id"] for row in kept] == ["1", "2"]
    assert [row["age_from"] for row in kept] == [6, None]
    assert [row["barrier_free"] for row in kept] == ["yes", None]
    assert kept[0]["as_of"].isoformat() == "2024-01-31"
    assert reasons(report) == [(3, "lon", "Die Koordinate fehlt oder ist keine Zahl.")]
    assert findings(report, "info")[0] == (
        2,
        None,
        None,
        "Statt einer Fläche oder Linie wurde ein Punkt darin genommen.",
    )


def test_default_release_is_public_but_for_hze(load: Load) -> None:
    rows = [
        offer(1),
        offer(2, category="hze"),
        offer(3, category="hze", release="public"),
        offer(4, release="protected"),
    ]
    _report, kept = load(rows)
    assert [row["release"] for row in kept] == ["public", "internal", "public", "protected"]
    _report, kept = load([offer(1)], category="hze")
    assert (kept[0]["category"], kept[0]["release"]) == ("hze", "internal")


def test_a_dash_says_what_the_option_says(load: Load) -> None:
    rows = [offer(1, supply="–", supply_unit="places"), offer(2, supply="3", supply_unit="places")]
    report, kept = load(rows)
    assert reasons(report) == [(2, "supply", "Ein Strich kann 0 oder „fehlt“ bedeuten.")]
    assert "--dash" in report.findings[0].advice
    report, kept = load(rows, dash="zero")
    assert [row["supply"] for row in kept] == [0.0, 3.0]
    assert findings(report, "info") == [(2, "supply", "–", "Ein Strich wurde als 0 gelesen.")]
    report, kept = load(rows, mapping=Mapping.model_validate({"source": {"dash": "missing"}}))
    assert [row["supply"] for row in kept] == [None, 3.0]
    assert findings(report, "info") == [(2, "supply", "–", "Ein Strich wurde als fehlend gelesen.")]


@pytest.mark.parametrize("mark", [".", "/", "x", "…", "Keine Daten", ""])
def test_missing_is_not_zero(load: Load, mark: str) -> None:
    _report, kept = load([offer(1, supply=mark, supply_unit="places"), offer(2, supply="5", supply_unit="places")])
    assert [row["supply"] for row in kept] == [None, 5.0]


def test_numbers_follow_the_file_or_the_option(load: Load) -> None:
    def supplies(*cells: str, **options: Any) -> list[float]:
        rows = [offer(n, supply=cell, supply_unit="places") for n, cell in enumerate(cells)]
        return [row["supply"] for row in load(rows, **options)[1]]

    assert supplies(" 1 675 ", "3") == [1675, 3]
    assert supplies("1.675", "2,5") == [1675, 2.5]
    assert supplies("0.675", "1.675") == [0.675, 1.675]
    with pytest.raises(MappingError, match=r"„1\.675“ kann ein Tausenderpunkt .*--decimal"):
        supplies("1.675", "12")
    with pytest.raises(MappingError, match=r"teils mit Komma, teils mit Punkt.*--decimal"):
        supplies("1,5", "2.5")
    assert supplies("1.675", decimal=",") == [1675]
    assert supplies("1.675", decimal=".") == [1.675]
    assert supplies("1.675", mapping=Mapping.model_validate({"source": {"decimal": "."}})) == [1.675]


def test_numbers_of_a_workbook_or_json_are_never_read_again(load: Load, tmp_path: Path) -> None:
    row = offer(1, supply=1.675, supply_unit="places", age_from=6.0)
    _report, kept = load(write_xlsx(tmp_path / "f.xlsx", [list(row), list(row.values())]))
    assert (kept[0]["supply"], kept[0]["age_from"]) == (1.675, 6)
    props = {"id": 7, "name": "x", "supply": 1.675, "supply_unit": "places"}
    _report, kept = load(write_geojson(tmp_path / "f.geojson", [(props, point(5, 5))]))
    assert (kept[0]["supply"], kept[0]["offer_id"]) == (1.675, "7")


def test_five_percent_of_rejects_are_borne(town: Database, load: Load) -> None:
    good = [offer(n) for n in range(19)]
    bad = offer("b") | {"name": ""}
    report, kept = load([*good, bad], rules=rules("5%"))
    assert (report.rows_rejected, len(kept)) == (1, 19)
    before = state(town.writing)
    with pytest.raises(RefusedError, match=r"1 von 19 Zeilen wurden zurückgewiesen \(erlaubt: 5 %\)"):
        load([*good[:18], bad], rules=rules("5%"))
    assert state(town.writing) == before


def test_shrinking_dry_run_and_versions(town: Database, load: Load) -> None:
    for count in (10, 9, 8):
        report, kept = load([offer(n) for n in range(count)], rules=rules("5%"), dataset="facilities.versionen")
        assert len(kept) == count
    before = state(town.writing)
    with pytest.raises(RefusedError, match=r"von 8 auf 5 Zeilen schrumpfen"):
        load([offer(n) for n in range(5)], rules=rules("5%"), dataset="facilities.versionen")
    report, kept = load([offer(n) for n in range(20)], rules=rules("5%", dry_run=True), dataset="facilities.versionen")
    assert (report.rows_loaded, report.before, len(kept)) == (20, 8, 8)
    assert state(town.writing) == before
    for table in ("offer", "place", "facility_area"):
        found = query(
            town.writing,
            f"SELECT count(DISTINCT t.import_id) FROM {table} t JOIN import_run i ON i.id = t.import_id "
            "JOIN dataset d ON d.id = i.dataset_id WHERE d.name = 'facilities.versionen'",
        )
        assert found == [(2,)], table


HOSTILE = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)",
    "'; DROP TABLE offer; --", "\u202eknilb\u202c \u2066x\u2069", "Ж漢字🏠‍👩‍👧", "a" * 10_000, "{{ 7*7 }} ${x} %s {0}",
    "\\N", "\\.", "NULL", "nan", "Zeile\nzwei\tdrei", "\"doppelt\" 'einfach' „deutsch“",
]  # fmt: skip


def test_hostile_names_are_text(town: Database, load: Load) -> None:
    report, kept = load([offer(f"{n:02}") | {"name": name, "street": name} for n, name in enumerate(HOSTILE)])
    assert report.rows_rejected == 0
    assert [row["name"] for row in kept] == HOSTILE
    assert [row["street"] for row in kept] == HOSTILE
    assert [row["place_name"] for row in kept] == HOSTILE
    assert query(town.writing, "SELECT count(*) > 0 FROM offer") == [(True,)]


def test_control_characters_are_dropped(load: Load, tmp_path: Path) -> None:
    names = ["a\x07b\x1b[31m", "vor\x00nach"]
    props = [({"id": str(n), "name": name, "age_from": "alt\x00y"}, point(5, 5)) for n, name in enumerate(names)]
    props.append(({"id": "3", "name": "gut", "age_from": None}, point(5, 5)))
    report, kept = load(write_geojson(tmp_path / "f.geojson", props))
    assert [row["name"] for row in kept] == ["gut"]
    assert [field for _row, field, _why in reasons(report)] == ["age_from", "age_from"]
    load([offer(1) | {"name": "a\x07b\x1b[31m"}])
    _report, kept = load([offer(1) | {"name": "a\x07b\x1b[31m"}])
    assert kept[0]["name"] == "ab[31m"


def test_nul_bytes_in_a_table_are_refused(load: Load, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "n.csv", [offer(1) | {"name": "vor\x00nach"}])
    with pytest.raises(SourceError, match=r"enthält Nullbytes"):
        load(path)


def test_the_report_is_plain_json(load: Load) -> None:
    report, _kept = load([offer(1), offer(2) | {"age_from": "x" * 300}, offer(3) | {"supply": "-"}], dash="zero")
    document = json.loads(json.dumps(report.to_json()))
    assert set(document) == {
        "dataset", "kind", "source", "checksum", "format", "encoding", "crs", "dry_run", "unchanged", "rows_read",
        "rows_loaded", "rows_rejected", "rows_before", "data_version", "counts", "reasons", "findings",
    }  # fmt: skip
    assert document["source"] == "f.csv"
    assert document["kind"] == "facilities"
    assert len(document["checksum"]) == 64
    assert (document["rows_read"], document["rows_loaded"], document["rows_rejected"]) == (3, 1, 2)
    assert set(document["reasons"]) == {"reject", "warning", "info"}
    assert set(document["findings"][0]) == {"severity", "row", "field", "value", "reason", "advice"}
    assert all(len(finding["value"] or "") <= 201 for finding in document["findings"])


def test_unknown_mapping_columns_and_categories_are_refused(town: Database, load: Load) -> None:
    before = state(town.writing)
    with pytest.raises(MappingError, match=r"„titel“, die es bei Einrichtungen nicht gibt"):
        load([offer(1)], mapping=Mapping.model_validate({"columns": {"titel": "name"}}))
    with pytest.raises(MappingError, match=r"hat keine Spalte „strasse“ \(gebraucht für „street“\)"):
        load([offer(1)], mapping=Mapping.model_validate({"columns": {"street": "strasse"}}))
    with pytest.raises(MappingError, match=r"Die Kategorie „bad“ gibt es nicht. Möglich: okja"):
        load([offer(1)], category="bad")
    with pytest.raises(MappingError, match=r"taugt nicht als Name"):
        load([offer(1)], dataset="Meine Orte")
    with pytest.raises(MappingError, match=r"Auf der Ebene „land“ sind noch keine Gebiete mit Grenzen"):
        load([offer(1)], home_level="land")
    with pytest.raises(MappingError, match=r"ist von anderer Art"):
        load([offer(1)], dataset="areas.bezirk")
    assert state(town.writing) == before


def test_areas_without_map_do_not_say_what_is_inside(database: Database, tmp_path: Path) -> None:
    load_areas(database.writing, write_csv(tmp_path / "b.csv", [{"key": "1", "name": "a"}]), "bezirk", key=None)
    with pytest.raises(MappingError, match=r"noch keine Gebiete mit Grenzen"):
        load_facilities(database.writing, write_csv(tmp_path / "f.csv", [offer(1)]))


@pytest.mark.parametrize("step", ["publish", "rebuild", "_provider_keys", "_check_outside"])
def test_an_import_stopped_in_the_middle_changes_nothing(
    town: Database, load: Load, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    before = state(town.writing)
    with monkeypatch.context() as patch:
        patch.setattr(facility_tables, step, fail)
        with pytest.raises(KeyboardInterrupt):
            load([offer(1, provider="Neuer Träger")])
    assert state(town.writing) == before
    assert load([offer(1)])[1]


def test_a_file_of_nothing_but_rejects_is_refused_with_a_sentence(town: Database, load: Load) -> None:
    before = state(town.writing)
    with pytest.raises(RefusedError, match="2 von 2 Zeilen wurden zurückgewiesen"):
        load([offer(1, name=""), offer(2, name="")])
    assert state(town.writing) == before
