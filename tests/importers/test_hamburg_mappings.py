"""Hamburg's services: the shipped list and mappings against the official fields, and against rows as they come."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from importer_help import BEZIRKE, Database, box, findings, load_areas, places, point, query, visible, write_geojson

from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.load import Limit, Rules
from importers.mapping import SHIPPED, Mapping, read_mapping
from importers.report import Report
from importers.sources import open_source
from importers.sync_file import Plan, SyncSource, read_plan

PROJECT = Path(__file__).resolve().parents[2]
SCHEMAS = PROJECT.parent / "shared" / "data" / "hamburg" / "official_layer_schemas.json"
LIST = PROJECT / "sources" / "hamburg.toml"
# Named in the facts about the services, but not in the list of official fields.
UNKNOWN = {"facilities.sha.jugend_aktiv_plus"}
schemas_needed = pytest.mark.skipif(not SCHEMAS.exists(), reason="shared/data/hamburg is not beside this checkout")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan(LIST)


@pytest.fixture(scope="module")
def fields() -> dict[tuple[str, str], set[str]]:
    """Return (address, layer or collection) -> official fields."""
    layers = json.loads(SCHEMAS.read_bytes())
    return {
        (layer["url"], layer["featureType"] or layer["collection"]): set(layer["gfiAttributes"]) for layer in layers
    }


def layer_of(source: SyncSource) -> tuple[str, str]:
    assert source.url is not None
    if "/collections/" in source.url:
        base, _, collection = source.url.partition("/collections/")
        return base, collection
    assert source.layer is not None
    return source.url, source.layer


def read_by(mapping: Mapping) -> set[str]:
    """Return the columns of the source a mapping names."""
    names = {name for rule in mapping.columns.values() for name in rule.sources()}
    names |= set(mapping.ages.sources() if mapping.ages else ())
    if mapping.unpivot is not None:
        names |= {column.source for column in mapping.unpivot.column if not column.optional}
    return names


# --- the list -----------------------------------------------------------------------------------------------------


def test_the_list_is_whole_and_every_mapping_is_there(plan: Plan) -> None:
    assert len(plan.tasks) > 45
    assert [task.name for task in plan.tasks if task.broken] == []
    for task in plan.tasks:
        assert task.source.mapping is None or (SHIPPED / task.source.mapping).exists(), task.name
        assert task.url is None or urlsplit(task.url).scheme == "https", task.name
        assert task.path is None or task.path.exists(), task.name
        if task.source.kind in {"areas", "facilities", "statistics"}:
            assert task.mapping.dataset.licence == "dl-de/by-2-0", task.name
            assert "Hamburg" in (task.mapping.dataset.attribution or ""), task.name
            assert task.source.title or task.mapping.dataset.title


def test_nothing_hangs_on_more_than_the_areas_it_needs(plan: Plan) -> None:
    for task in plan.tasks:
        if task.source.kind == "facilities":
            assert task.needs == {"areas.bezirk"}


@schemas_needed
def test_every_field_a_mapping_names_is_official(plan: Plan, fields: dict[tuple[str, str], set[str]]) -> None:
    checked = 0
    for task in plan.tasks:
        if task.source.kind == "catalogue" or task.name in UNKNOWN:
            continue
        known = fields[layer_of(task.source)]
        missing = read_by(task.mapping) - known
        assert not missing, f"{task.name}: {missing}"
        checked += 1
    assert checked > 40


@schemas_needed
def test_every_official_layer_of_the_services_is_in_the_list(
    plan: Plan, fields: dict[tuple[str, str], set[str]]
) -> None:
    named = {layer_of(task.source) for task in plan.tasks if task.source.url is not None}
    # Of these nothing is asked: advice on day care, and the education atlas (its figures repeat the others).
    left_out = ("Beratung_Kitabetreuung", "bildungsatlas")
    missing = {layer for layer in fields if layer not in named and not any(word in layer[0] for word in left_out)}
    assert missing == set()
    by_service: dict[str, int] = {}
    for url, _layer in named:
        by_service[url.rpartition("/")[2]] = by_service.get(url.rpartition("/")[2], 0) + 1
    assert by_service["HH_WFS_OKJA"] == 18
    assert by_service["HH_WFS_Familien_Angebote"] == 9
    assert by_service["wfs_sozialraeumliche_angebote_der_jugend_und_familienhilfe"] == 5


@pytest.mark.parametrize("path", sorted((SHIPPED / "hamburg").glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_reads(path: Path) -> None:
    mapping = read_mapping(path)
    assert mapping.dataset.title
    assert mapping.dataset.attribution


# --- rows as the services bring them ------------------------------------------------------------------------------

OKJA = {
    "einrichtung": "Haus der Jugend Beispiel", "adresse": "Sportplatzring 71", "ort": "22527 Hamburg",
    "typ_der_einrichtung": "Haus der Jugend", "traeger": "Beispielträger", "durchsch_stammnutzer": 80,
    "kinder_0_bis_unter3_jahre": 0, "kinder_3_bis_unter_6_jahre": 0, "kinder_6_bis_unter_10_jahre": 12,
    "kinder_10_bis_unter_14_jahre": 30, "jugendliche_14_bis_unter_18_jahre": 20,
    "junge_erwachsene_18_bis_unter_27_jahre": 3, "erwachsene_ueber_27_jahre": None, "angebotsstunden_pro_jahr": 1300,
    "e_mail_einrichtung": "haus@example.org, zweite@example.org", "telefonnummer_einrichtung": "040 1",
    "link_einrichtung": "https://example.org",
}  # fmt: skip
FAMILY = {
    "kategorie_2": "Elternschule", "einrichtung": "Elternschule Beispiel", "adresse": "Am Markt 5 (Hinterhaus)",
    "ort": "20095 Hamburg", "link": None, "e_mail": "nur telefonisch", "telefonnummer": "040 2", "traeger": "Träger",
}  # fmt: skip
SAJF = {
    "name_des_angebotes": "Familienrat Nord", "adresse": "Grindelallee 100a-c", "ort": "20146 Hamburg",
    "schwerpunkte": "Familienrat", "zielgruppe_alter_0_2_jahre": "nein", "zielgruppe_alter_3_5_jahre": "ja",
    "zielgruppe_alter_6_13_jahre": "ja", "zielgruppe_alter_14_17_jahre": None, "zielgruppe_alter_18_21_jahre": "",
    "zielgruppe_alter_ueber_21_jahre": "nein", "e_mail_einrichtung": "a@b.de",
    "name_durchfuehrender_traeger": "Verein", "projektbeginn": "01.09.2013", "projektende": "unbefristet",
}  # fmt: skip
SCHOOL = {
    "schul_id": "5040-0", "schulname": "Schule Beispiel", "schulform": "Grundschule",
    "adresse_strasse_hausnr": "Schulweg 1", "adresse_ort": "22527 Hamburg", "anzahl_schueler": "579 an zwei Standorten",
    "schul_telefonnr": "040 3", "schul_email": "schule@example.org", "schul_homepage": None,
}  # fmt: skip
ASD = {"einrichtung_name": "ASD West", "adresse": "Amtsweg 2", "ort": "22527 Hamburg", "internet": None,
       "mail": "asd@example.org"}  # fmt: skip
JAP = {"einrichtung": "Jugend Aktiv", "traeger": "Verein", "adresse": "Weg 3", "ort": "22527 Hamburg",
       "kapazitaet_wert": 12}  # fmt: skip


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = new_database()
    load_areas(made.writing, write_geojson(tmp_path_factory.mktemp("town") / "bezirke.geojson", BEZIRKE), "bezirk")
    return made


def load(town: Database, folder: Path, name: str, *rows: dict[str, Any], rejects: str = "0") -> tuple[Report, Any]:
    mapping = read_mapping(Path(f"hamburg/{name}.toml"))
    assert mapping.category is not None
    shapes = [point(500 + 10 * i, 500) for i in range(len(rows))]
    path = write_geojson(folder / "ebene.geojson", zip(rows, shapes, strict=True))
    rules = Rules(Limit.parse(rejects, "x"), Limit(share=1.0))
    wanted = FacilitiesImport(mapping.category, dataset=f"facilities.{name}", mapping=mapping, rules=rules)
    report = import_facilities(town.writing, open_source(path), wanted)
    return report, places(town.writing, f"facilities.{name}")


def test_okja(town: Database, tmp_path: Path) -> None:
    _report, (row,) = load(town, tmp_path, "okja", OKJA)
    assert (row["name"], row["category"], row["type"]) == ("Haus der Jugend Beispiel", "okja", "Haus der Jugend")
    assert (row["street"], row["house_number"], row["postcode"], row["city"]) == (
        "Sportplatzring", "71", "22527", "Hamburg",
    )  # fmt: skip
    assert (row["age_from"], row["age_to"]) == (6, 27)
    assert (row["supply"], row["supply_unit"]) == (25.0, "hours_per_week"), "1,300 hours a year are 25 a week"
    assert (row["use"], row["use_unit"]) == (80.0, "regular_users_per_week")
    assert (row["paragraphs"], row["release"], row["service_area"]) == (["11"], "public", None)
    assert (row["email"], row["website"]) == ("haus@example.org", "https://example.org")


def test_okja_without_figures_has_none_and_not_zero(town: Database, tmp_path: Path) -> None:
    ages = {name: None for name in OKJA if "_jahre" in name}
    nothing = OKJA | ages | {"durchsch_stammnutzer": "-", "angebotsstunden_pro_jahr": None}
    zero = nothing | {"einrichtung": "Anderes", "durchsch_stammnutzer": 0, "angebotsstunden_pro_jahr": 0}
    _report, rows = load(town, tmp_path, "okja", nothing, zero)
    by_name = {row["name"]: row for row in rows}
    empty = by_name["Haus der Jugend Beispiel"]
    assert (empty["supply"], empty["use"], empty["age_from"], empty["age_to"]) == (None, None, None, None)
    assert (by_name["Anderes"]["supply"], by_name["Anderes"]["use"]) == (0.0, 0.0)


def test_jsa(town: Database, tmp_path: Path) -> None:
    row = {name: value for name, value in OKJA.items() if name != "erwachsene_ueber_27_jahre"}
    _report, (made,) = load(town, tmp_path, "jsa", row)
    assert (made["category"], made["paragraphs"], made["age_to"]) == ("jsa", ["13"], 27)
    assert made["supply"] == 25.0


def test_family_places_and_those_of_the_whole_city(town: Database, tmp_path: Path) -> None:
    _report, (near,) = load(town, tmp_path, "familienangebote", FAMILY)
    assert (near["category"], near["type"], near["service_area"]) == ("famfoe", "Elternschule", None)
    assert (near["street"], near["house_number"], near["email"]) == ("Am Markt", "5", None)
    _report, (wide,) = load(town, tmp_path, "familienangebote_ueberregional", FAMILY)
    assert wide["service_area"] == "citywide"


def test_sajf_ages_are_inclusive_and_an_open_end_is_no_date(town: Database, tmp_path: Path) -> None:
    other = SAJF | {"name_des_angebotes": "B", "zielgruppe_alter_18_21_jahre": "ja", "projektende": "2031-12-31"}
    old = SAJF | {"name_des_angebotes": "C", "zielgruppe_alter_ueber_21_jahre": "x"}
    report, rows = load(town, tmp_path, "sajf", SAJF, other, old)
    by_name = {row["name"]: row for row in rows}
    first = by_name["Familienrat Nord"]
    assert (first["age_from"], first["age_to"]) == (3, 14)
    assert (str(first["valid_from"]), first["valid_to"]) == ("2013-09-01", None)
    assert (by_name["B"]["age_from"], by_name["B"]["age_to"], str(by_name["B"]["valid_to"])) == (3, 21, "2031-12-31")
    assert (by_name["C"]["age_from"], by_name["C"]["age_to"]) == (3, None), "21 and older: an open end"
    assert [row for row, *_rest in findings(report, "info")].count(2) == 1, "the gap before 18 is told"


def test_schools_asd_jugend_aktiv_plus_and_kitas(town: Database, tmp_path: Path) -> None:
    many = SCHOOL | {"schul_id": "5040-1", "anzahl_schueler": "1.023"}
    _report, rows = load(town, tmp_path, "schulen", SCHOOL, many)
    by_id = {row["offer_id"]: row for row in rows}
    assert (by_id["5040-0"]["use"], by_id["5040-1"]["use"]) == (579.0, None), "what could be 1 or 1,023 is neither"
    assert by_id["5040-0"]["supply"] is None
    _report, (asd,) = load(town, tmp_path, "asd", ASD)
    assert (asd["category"], asd["name"], asd["street"]) == ("asd", "ASD West", "Amtsweg")
    _report, (jap,) = load(town, tmp_path, "jugend_aktiv_plus", JAP)
    assert (jap["category"], jap["supply"], jap["supply_unit"]) == ("sha", 12.0, "places")
    _report, kitas = load(town, tmp_path, "kita", {"gid": 7}, {"gid": 8})
    assert [(row["offer_id"], row["category"], row["supply"]) for row in kitas] == [
        ("7", "kita", None),
        ("8", "kita", None),
    ]


def test_a_field_the_service_no_longer_has_is_named(town: Database, tmp_path: Path) -> None:
    from importers.errors import MappingError

    for gone in ("einrichtung", "kinder_3_bis_unter_6_jahre"):
        with pytest.raises(MappingError, match=rf"keine Spalte „{gone}“ .*Vorhanden: "):
            load(town, tmp_path, "okja", {name: value for name, value in OKJA.items() if name != gone})


# --- areas --------------------------------------------------------------------------------------------------------


def areas(town: Database, folder: Path, name: str, level: str, features: Any) -> Report:
    mapping = read_mapping(Path(f"hamburg/{name}.toml"))
    path = write_geojson(folder / f"{name}.geojson", features)
    return import_areas(town.writing, open_source(path), AreasImport(level, mapping=mapping))


def test_borders_of_the_ogc_api(database: Database, tmp_path: Path) -> None:
    land = [({"fhh": "FHH"}, box(0, 0, 4000, 2000)), ({"fhh": "FHH"}, box(9000, 0, 10, 10))]
    report = areas(database, tmp_path, "landesgrenze_oaf", "land", land)
    assert (report.rows_loaded, visible(database.writing, "land")) == (1, {"02": ("Hamburg", None)})
    bezirke = [({"bezirk": p["id"], "bezirk_name": p["name"]}, shape) for p, shape in BEZIRKE]
    areas(database, tmp_path, "bezirke_oaf", "bezirk", bezirke)
    stadtteile = [
        ({"bezirk": "1", "bezirk_name": "West", "stadtteil_name": "Weststadt", "stadtteil_schluessel": "02101",
          "stadtteil_nummer": "101"}, box(0, 0, 1000, 2000)),
    ]  # fmt: skip
    areas(database, tmp_path, "stadtteile_oaf", "stadtteil", stadtteile)
    assert visible(database.writing, "bezirk") == {"1": ("West", None), "2": ("Ost", None)}
    assert visible(database.writing, "stadtteil") == {"02101": ("Weststadt", "1")}


def part(name: str, bezirk: str, number: str, shape: Any) -> Any:
    return {"sozialraumname": name, "bezirksname": bezirk, "stadtteilnummer": number}, shape


def test_sozialraeume_in_parts_become_one_area_each(town: Database, tmp_path: Path) -> None:
    parts = [
        part("Hafen", "West", "101", box(0, 0, 500, 2000)),
        part("Markt", "West", "101", box(500, 0, 500, 2000)),
        part("Hafen", "West", "102", box(1000, 0, 1000, 2000)),
        part("Wiese", "Ost", "201", box(2000, 0, 2000, 2000)),
    ]
    report = areas(town, tmp_path, "sozialraeume", "sozialraum", parts)
    assert (report.rows_read, report.rows_loaded) == (3, 3)
    assert any("2 Zeilen wurden nach ihrem Schlüssel vereint" in reason for *_rest, reason in findings(report, "info"))
    found = query(town.writing, "SELECT key, parent_key, round(ST_Area(geom)) FROM area_visible "
                                "WHERE level = 'sozialraum' ORDER BY key")  # fmt: skip
    assert found == [("Hafen", "1", 3_000_000), ("Markt", "1", 1_000_000), ("Wiese", "2", 4_000_000)]
    assert not list(findings(report, "warning"))


def test_a_name_in_two_bezirke_is_not_joined_but_refused(town: Database, tmp_path: Path) -> None:
    from importers.errors import RefusedError

    twins = [part("Mitte", "West", "101", box(0, 0, 500, 500)), part("Mitte", "Ost", "201", box(2000, 0, 500, 500))]
    with pytest.raises(RefusedError, match="Der Schlüssel kommt mehrfach vor"):
        areas(town, tmp_path, "sozialraeume", "sozialraum", twins)
