"""Hamburg's published figures through the shipped mappings, against the same files read with pandas and json alone."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from figure_help import load_statistics, observations
from importer_help import Database, findings, load_areas, query, write_csv

from geodata.database import reading
from geodata.indicators import indicators_of
from geodata.statistics import StatisticsRequest, statistics
from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.catalogue import CatalogueImport, import_catalogue, read_catalogue
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.mapping import SHIPPED, Mapping, read_mapping, require_columns, require_known
from importers.report import Report
from importers.sources import open_source
from importers.unpivot import planned, used_columns

HAMBURG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hamburg"
FIGURES = HAMBURG / "statistik"
PROFILES = "statistics.stadtteilprofile_2014"
pytestmark = pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data/hamburg is not beside this checkout")

MERGED = {
    "Kleiner Grasbrook und Steinwerder": "02117+02118", "Waltershof und Finkenwerder": "02119+02120",
    "Neuland und Gut Moor": "02702+02703", "Moorburg und Altenwerder": "02711+02712",
}  # fmt: skip


def mapped(name: str) -> Mapping:
    return read_mapping(Path(f"hamburg/{name}.toml"))


def load(database: Database, file: str, mapping: str) -> Report:
    rules = mapped(mapping)
    source = open_source(FIGURES / file, layout=rules.source.layout(file))
    return import_statistics(database.writing, source, StatisticsImport(mapping=rules, mapping_name=mapping))


@pytest.fixture(scope="module")
def places(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> tuple[Database, Report]:
    """Bezirke, Stadtteile, the Land and the statistische Gebiete, and the catalogue; with the Gebiete's report."""
    made = new_database()
    land = write_csv(tmp_path_factory.mktemp("land") / "land.csv", [{"key": "02", "name": "Hamburg"}])
    load_areas(made.writing, land, "land", key="key", name="name")
    for level, file in (("bezirk", "bezirke"), ("stadtteil", "stadtteile")):
        load_areas(made.writing, HAMBURG / "grenzen" / f"{file}.geojson", level, mapping=mapped(file))
    gebiete = import_areas(
        made.writing, open_source(FIGURES / "statistische_gebiete.json"),
        AreasImport("statgebiet", mapping=mapped("statgebiete")),
    )  # fmt: skip
    import_catalogue(made.writing, Path("hamburg.toml"), CatalogueImport())
    return made, gebiete


@pytest.fixture(scope="module")
def loaded(places: tuple[Database, Report]) -> tuple[Database, dict[str, Report]]:
    """All of the figures in one database, each file by its shipped mapping."""
    database, _gebiete = places
    reports = {
        mapping: load(database, file, mapping)
        for file, mapping in (
            ("Daten_fuer_die_Stadtteilprofile_2014.csv", "stadtteilprofile_2014"),
            ("statistische_gebiete.json", "statistische_gebiete"),
            ("statistische_gebiete.json", "statistische_gebiete_sozialstatus"),
            ("stadtteile.json", "stadtteile_statistik"),
            ("regionalstatistik_zwei_stadtteile.json", "regionalstatistik_kategorien"),
        )
    }
    return database, reports


def keys(database: Database, level: str) -> dict[str, str]:
    return dict(query(database.writing, "SELECT name, key FROM area_visible WHERE level = :level", level=level))


def raw_rows(file: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((FIGURES / file).read_text(encoding="utf-8"))
    return rows


def test_nothing_is_rejected(loaded: tuple[Database, dict[str, Report]]) -> None:
    _database, reports = loaded
    assert {name: (report.rows_read, report.rows_rejected) for name, report in reports.items()} == {
        "stadtteilprofile_2014": (107, 0), "statistische_gebiete": (941, 0),
        "statistische_gebiete_sozialstatus": (941, 0), "stadtteile_statistik": (103, 0),
        "regionalstatistik_kategorien": (126, 0)}  # fmt: skip


class TestGebiete:
    """941 statistische Gebiete without a map."""

    def test_they_lie_in_their_stadtteile(self, places: tuple[Database, Report]) -> None:
        database, _report = places
        of = {name.replace("St. ", "St."): key for name, key in keys(database, "stadtteil").items()}
        expected = {str(r["StatGeb"]): of[r["Stadtteil"]] for r in raw_rows("statistische_gebiete.json")}
        found = query(
            database.writing, "SELECT key, parent_key, geom IS NULL FROM area_visible WHERE level = 'statgebiet'"
        )
        assert {key: parent for key, parent, _bare in found} == expected
        assert len(found) == 941
        assert all(bare for *_rest, bare in found)

    def test_sixteen_numbers_differ_and_are_named(
        self, places: tuple[Database, Report], loaded: tuple[Database, dict[str, Report]]
    ) -> None:
        differing = {f"{r['StatGeb']} / {r['STATGEB_AL']}" for r in raw_rows("statistische_gebiete.json")
                     if r["StatGeb"] != r["STATGEB_AL"]}  # fmt: skip
        assert len(differing) == 16
        for report in (places[1], loaded[1]["statistische_gebiete"]):
            named = {value for _row, field, value, _why in findings(report, "warning") if field == "StatGeb"}
            assert named == differing

    def test_every_figure_is_the_files(self, loaded: tuple[Database, dict[str, Report]]) -> None:
        database, reports = loaded
        found = observations(database.writing, "statistics.statistische_gebiete")
        raw = raw_rows("statistische_gebiete.json")
        left_out = {"json_featuretype", "Bezirk", "Stadtteil", "StatGeb", "STATGEB_AL", "Shape_Leng", "Shape_Area",
                    "Soz_Status"}  # fmt: skip
        figures = [name for name in raw[0] if name not in left_out]
        assert len(found) == 941 * len(figures) == reports["statistische_gebiete"].counts["Beobachtungen"]
        by_area: dict[str, dict[tuple[str, str], float | None]] = {}
        for (_level, key, indicator, position, _period, _scenario), (value, _flag) in found.items():
            by_area.setdefault(key, {})[indicator, position] = value
        names = {"Bev_311220": ("population", "total"), "U18": ("population", "0-18"), "Ü65": ("population", "65-"),
                 "Ausl": ("bev_auslaender_anz", ""), "BGF": ("bgf", ""), "PV_Geb_all": ("pv_geb_all", ""),
                 "SP_perEW15": ("sp_perew15", ""), "Haushgr": ("hau_haushaltgroesse_avg", "")}  # fmt: skip
        for row in raw:
            assert {name: by_area[str(row["StatGeb"])][at] for name, at in names.items()} == {
                name: row[name] for name in names}  # fmt: skip
        empty = sum(row.get(name) is None for row in raw for name in figures)
        assert sum(value is None for value, _flag in found.values()) == empty > 0

    def test_zeros_that_may_be_suppressed_are_named(self, loaded: tuple[Database, dict[str, Report]]) -> None:
        zeros = {number for number, r in enumerate(raw_rows("statistische_gebiete.json"), start=1)
                 if r["U18"] == 0 and r["Bev_311220"] > 0}  # fmt: skip
        assert len(zeros) == 28
        warned = {row for row, field, _value, why in findings(loaded[1]["statistische_gebiete"], "warning")
                  if field == "U18" and "unterdrückt" in why}  # fmt: skip
        assert warned == zeros

    def test_the_social_status_is_a_step(self, loaded: tuple[Database, dict[str, Report]]) -> None:
        found = observations(loaded[0].writing, "statistics.statistische_gebiete_sozialstatus")
        steps = {"hoch": 4.0, "mittel": 3.0, "niedrig": 2.0, "sehr niedr": 1.0, "": None}
        expected = {str(r["StatGeb"]): steps[r["Soz_Status"]] for r in raw_rows("statistische_gebiete.json")}
        assert {key[1]: value for key, (value, _flag) in found.items()} == expected


def test_totals_that_differ_between_levels_are_named(loaded: tuple[Database, dict[str, Report]]) -> None:
    stadtteile, gebiete = raw_rows("stadtteile.json"), raw_rows("statistische_gebiete.json")
    assert sum(r["Bev_311220"] for r in stadtteile) == 1_862_669
    assert sum(r["Bev_311220"] for r in gebiete) == 1_897_917
    said = [why for *_rest, why in findings(loaded[1]["stadtteile_statistik"], "warning")]
    assert (
        "Einwohnerinnen und Einwohner, total, 2020-12-31: Die Summe der Stadtteile (1.862.669) weicht von der der "
        "statistischen Gebiete im Bestand „statistics.statistische_gebiete“ (1.897.917) ab (ohne Wert ist 1 der "
        "Stadtteile)."
    ) in said
    kept = observations(loaded[0].writing, "statistics.stadtteile_statistik")
    assert sum(value for key, (value, _f) in kept.items() if key[2:4] == ("population", "total")) == 1_862_669


class TestProfiles:
    """The Stadtteilprofile: three header rows, merged Stadtteile, and three levels in one table."""

    def numbers(self) -> pd.DataFrame:
        """Return the CSV's cells as numbers, NaN for a point, 0 for a dash; the index is (level, name)."""
        frame = pd.read_csv(FIGURES / "Daten_fuer_die_Stadtteilprofile_2014.csv", sep=";", dtype=str)
        names = frame.pop("Stadtgebiet")
        level = ["stadtteil"] * 99 + ["bezirk"] * 7 + ["land"]
        plain = frame.map(lambda cell: re.sub(r"\s", "", cell))
        made = plain.map(lambda c: float("nan") if c == "." else 0.0 if c == "-" else float(c.replace(",", ".")))
        made.index = pd.MultiIndex.from_arrays([level, names])
        return made

    def test_every_cell_is_there(self, loaded: tuple[Database, dict[str, Report]]) -> None:
        database, _reports = loaded
        expected = self.numbers()
        plan = [(column.source, column.made) for column in mapped("stadtteilprofile_2014").unpivot.column]  # type: ignore[union-attr]
        title = {" ".join(name.split()): name for name in expected.columns}
        found = observations(database.writing, PROFILES)
        assert len(found) == expected.size == 107 * 68
        known = {level: keys(database, level) for level in ("stadtteil", "bezirk", "land")}
        for (level, name), row in expected.iterrows():  # type: ignore[misc]
            key = MERGED.get(name) or known[level][name]
            for source, made in plan:
                value, flag = found[level, key, made["indicator"], made.get("position", ""), made["period"], "ist"]
                cell = row[title[source]]
                assert (value is None and flag == "missing") if pd.isna(cell) else (value, flag) == (cell, "ok")

    def test_csv_and_workbook_give_the_same(self, loaded: tuple[Database, dict[str, Report]]) -> None:
        database, _reports = loaded
        of_csv = observations(database.writing, PROFILES)
        report = load(database, "Daten_fuer_die_Stadtteilprofile_2014.xlsx", "stadtteilprofile_2014")
        assert observations(database.writing, PROFILES) == of_csv
        assert report.unchanged

    def test_both_lone_dashes_are_zero_and_listed(self, loaded: tuple[Database, dict[str, Report]]) -> None:
        database, reports = loaded
        listed = [(field, why) for _row, field, _value, why in findings(reports["stadtteilprofile_2014"], "info")
                  if "Strich" in why]  # fmt: skip
        assert [field for field, _why in listed] == ["Wanderungssaldo", "Fortzüge in das Hamburger Umland"]
        found = observations(database.writing, PROFILES)
        curslack = keys(database, "stadtteil")["Curslack"]
        assert found["stadtteil", curslack, "bevb_diff_zuzuege_fortzuege_anz", "", "2013", "ist"] == (0, "ok")

    def test_four_names_are_stadtteil_and_bezirk(self, loaded: tuple[Database, dict[str, Report]]) -> None:
        found = observations(loaded[0].writing, PROFILES)
        for name, of_stadtteil, of_bezirk in (("Eimsbüttel", "02304", "3"), ("Wandsbek", "02510", "5"),
                                              ("Bergedorf", "02602", "6"), ("Harburg", "02701", "7")):  # fmt: skip
            assert keys(loaded[0], "stadtteil")[name] != of_bezirk
            small, large = (
                found[level, key, "population", "total", "2013-12-31", "ist"][0]
                for level, key in (("stadtteil", keys(loaded[0], "stadtteil")[name]), ("bezirk", of_bezirk))
            )
            assert small < large, of_stadtteil

    def test_merged_stadtteile_are_split_for_residents_only(self, loaded: tuple[Database, dict[str, Report]]) -> None:
        with reading(loaded[0].serving) as session:
            people = statistics(session, StatisticsRequest("population", "stadtteil", "2013-12-31", position="total"))
            flats = statistics(session, StatisticsRequest(
                "wohn_sozialwohnungen_anz", "stadtteil", "2014-01"))  # fmt: skip
        by_key = {row.area_key: row for row in people.rows}
        assert len(people.rows) == 104
        parts = [by_key[key] for key in ("02711", "02712")]
        assert [row.flag for row in parts] == ["estimated", "estimated"]
        assert sum(row.value or 0 for row in parts) == pytest.approx(732)
        assert any("geschätzt aufgeteilt" in warning for warning in people.meta.warnings)
        together = {row.area_key: row for row in flats.rows}
        assert together["02711+02712"].area_name == "Moorburg und Altenwerder"
        assert together["02711"].value is None
        assert any("Nur gemeinsam ausgewiesen" in warning for warning in flats.meta.warnings)


def test_categories_by_year_become_periods(loaded: tuple[Database, dict[str, Report]]) -> None:
    database, _reports = loaded
    found = observations(database.writing, "statistics.regionalstatistik_kategorien")
    features = json.loads((FIGURES / "regionalstatistik_zwei_stadtteile.json").read_text())["features"]
    names = keys(database, "stadtteil")
    years = range(2012, 2021)
    assert len(found) == len(features) * len(years)
    u18 = {(names[p["stadtteil"]], str(year)): float(p[f"jahr_{year}"]) if f"jahr_{year}" in p else None
           for p in (f["properties"] for f in features) if p["kategorie"] == "Bevölkerung unter 18 Jahren"
           for year in years}  # fmt: skip
    assert {(key[1], key[4]): value for key, (value, _f) in found.items() if key[2:4] == ("population", "0-18")} == u18
    given = sum(f"jahr_{year}" in f["properties"] for f in features for year in years)
    assert sum(value is not None for value, _flag in found.values()) == given


def test_a_share_among_the_counts_is_noticed(loaded: tuple[Database, dict[str, Report]]) -> None:
    """The source gives "SGB III Empfänger insgesamt" as the share of single households."""
    features = json.loads((FIGURES / "regionalstatistik_zwei_stadtteile.json").read_text())["features"]
    given = [(number, f["properties"]) for number, f in enumerate(features, start=1)]
    wrong = {number for number, p in given if p["kategorie"].startswith("SGB III (")}
    assert [p["jahr_2020"] for number, p in given if number in wrong] == ["68.6", "64.2"]
    warned = {row for row, _field, _value, why in findings(loaded[1]["regionalstatistik_kategorien"], "warning")
              if "keine ganze Zahl" in why}  # fmt: skip
    assert warned >= wrong


# (mapping, id of the layer in official_layer_schemas.json)
LAYERS = [("regionalstatistik_stadtteile", "31240"), ("regionalstatistik_bezirke", "31271"),
          ("regionalstatistik_hamburg", "31270"), ("bevoelkerungsprognose_stadtteile", "34896"),
          ("bevoelkerungsprognose_bezirke", "34897"), ("bevoelkerungsprognose_hamburg", "34898")]  # fmt: skip


def fields_of(layer: str) -> dict[str, str]:
    schemas = json.loads((HAMBURG / "official_layer_schemas.json").read_text(encoding="utf-8"))
    found: dict[str, str] = next(entry["gfiAttributes"] for entry in schemas if entry["id"] == layer)
    return found


@pytest.mark.parametrize(("name", "layer"), LAYERS)
def test_mappings_fit_the_published_fields(name: str, layer: str) -> None:
    mapping, present = mapped(name), tuple(fields_of(layer))
    columns = ("area_level", "area_key", "indicator", "position", "period", "value", "flag", "scenario")
    require_known(mapping.makes(), columns, "Statistiken")
    require_columns(mapping.columns, present, ("area_key", "indicator", "period", "value"), layer, mapping.unpivot)
    assert mapping.unpivot is not None
    plan = planned(mapping.unpivot, present, used_columns(mapping, present, columns))
    assert all(column.source in present for column in mapping.unpivot.column)
    left = set(present) - {wide.source for wide in plan} - {s for r in mapping.columns.values() for s in r.sources()}
    assert left <= {"verwaltungseinheit", "stadtteil_nr", "bezirk_nr", "bezirk"}


def test_every_age_field_is_the_position_its_title_says() -> None:
    """Titles such as "Bevölkerung 6 bis 9 Jahre" (inclusive) and "… von 6 bis unter 12 Jahren" (exclusive)."""
    mapping = mapped("regionalstatistik_stadtteile")
    assert mapping.unpivot is not None
    positions = {column.source: column.made["position"] for column in mapping.unpivot.column}
    seen = 0
    for field, title in fields_of("31240").items():
        if not title.startswith("Bevölkerung") or "Anteil" in title or re.search("männlich|weiblich|Migration", title):
            continue
        if title == "Bevölkerung":
            expected = "total"
        elif found := re.search(r"(\d+) bis unter (\d+)", title):
            expected = f"{found[1]}-{found[2]}"
        elif found := re.search(r"(\d+) bis (\d+)", title):
            expected = f"{found[1]}-{int(found[2]) + 1}"
        elif found := re.search(r"unter (\d+)", title):
            expected = f"0-{found[1]}"
        elif found := re.search(r"über (\d+)", title):
            expected = f"{int(found[1]) + 1}-"
        else:
            expected = re.sub(r".*?(\d+) Jahre und älter", r"\1-", title)
        assert positions[field] == expected, title
        seen += 1
    assert seen == len(positions) == 41


def test_a_row_of_the_service_is_loaded(loaded: tuple[Database, dict[str, Report]], tmp_path: Path) -> None:
    """A hand-made row with every field of the service, in both wide mappings."""
    database, _reports = loaded
    row: dict[str, Any] = {name: number for number, name in enumerate(fields_of("31240"), start=100)}
    row |= {"jahr": 2022, "verwaltungseinheit": "stadtteile", "stadtteil": "St.Pauli", "bezirk": "Hamburg-Mitte",
            "bev_u18_proz": "12.5", "arb_arbeitslose_15_bis_24_anz": "Keine Daten",
            "wohn_sozialwohnungen_anz": "x"}  # fmt: skip
    name = "regionalstatistik_stadtteile"
    table = write_csv(tmp_path / "r.csv", [row])
    load_statistics(database.writing, table, mapping=mapped(name), mapping_name=name)
    found = observations(database.writing, "statistics.regionalstatistik_stadtteile")
    assert len(found) == 165 - 6
    pauli = keys(database, "stadtteil")["St. Pauli"]
    assert found["stadtteil", pauli, "population", "6-10", "2022", "ist"] == (row["bev_6_bis_9"], "ok")
    assert found["stadtteil", pauli, "bev_u18_proz", "", "2022", "ist"] == (12.5, "ok")
    assert found["stadtteil", pauli, "arb_arbeitslose_15_bis_24_anz", "", "2022", "ist"] == (None, "missing")
    forecast = {name: number for number, name in enumerate(fields_of("34898"), start=5)} | {"jahr": 2035}
    name = "bevoelkerungsprognose_hamburg"
    table = write_csv(tmp_path / "p.csv", [forecast])
    load_statistics(database.writing, table, mapping=mapped(name), mapping_name=name)
    found = observations(database.writing, "statistics.bevoelkerungsprognose_hamburg")
    assert found["land", "02", "population", "6-18", "2035", "prognose"] == (forecast["gesamt_6_17"], "ok")


def test_every_indicator_of_the_service_is_described(loaded: tuple[Database, dict[str, Report]]) -> None:
    described = {entry.code for entry in read_catalogue(Path("hamburg.toml")).indicator}
    mapping = mapped("regionalstatistik_stadtteile")
    assert mapping.unpivot is not None
    present = tuple(fields_of("31240"))
    made = {wide.made["indicator"] for wide in planned(mapping.unpivot, present, frozenset({"jahr", "stadtteil"}))}
    assert made - described == {"population"}
    profiles = mapped("stadtteilprofile_2014").unpivot
    assert profiles is not None
    assert {column.made["indicator"] for column in profiles.column} - described == {"population"}
    with reading(loaded[0].serving) as session:
        share = indicators_of(session, ["bev_u18_proz"])["bev_u18_proz"]
        parts = {
            part: {
                row.area_key: row.value
                for row in statistics(
                    session, StatisticsRequest("population", "stadtteil", "2013-12-31", position=part)
                ).rows
            }
            for part in ("0-18", "total")
        }
        shares = statistics(session, StatisticsRequest("bev_u18_proz", "stadtteil", "2013-12-31")).rows
    assert (share.numerator, share.denominator, share.factor) == ("population:0-18", "population:total", 100)
    rebuilt = 0
    for row in shares:
        young, everybody = parts["0-18"].get(row.area_key), parts["total"].get(row.area_key)
        if row.value is not None and young is not None and everybody:
            assert row.value == pytest.approx(100 * young / everybody, abs=0.051)
            rebuilt += 1
    assert rebuilt >= 90


def test_shipped_mappings_name_their_footnotes() -> None:
    names = ["stadtteilprofile_2014", "statistische_gebiete", "statgebiete", "stadtteile_statistik",
             *(path.stem for path in SHIPPED.glob("hamburg/regionalstatistik_*.toml")),
             *(path.stem for path in SHIPPED.glob("hamburg/bevoelkerungsprognose_*.toml")),
             *(path.stem for path in SHIPPED.glob("hamburg/betreuungsquote_*.toml"))]  # fmt: skip
    assert len(names) == 13
    for name in names:
        info = mapped(name).dataset
        assert info.title, name
        assert info.attribution, name
        assert info.counting == "stichtag" or name == "statgebiete"
