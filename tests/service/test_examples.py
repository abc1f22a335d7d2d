"""The published tables in their database: loaded whole, equal to what was retyped, each with its source and caveats."""

import csv
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import SHARED, TODAY, Database
from sqlalchemy import Engine, text

from geodata.areas import AreasRequest, area_profile, areas
from geodata.database import Access, reading
from geodata.datasets import datasets
from geodata.statistics import StatisticsRequest, statistics
from geodata.viewer import Role, Viewer
from importers.examples import FOLDER, LEVELS, OFFICES, PLACEMENTS, STATISTICS
from importers.load import Rules
from service import examples
from service.examples import NOTICE, load_examples

REFERENCE = SHARED / "reference"
ADMIN = Access(Viewer(Role.ADMIN))
with_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="the shared reference tables are absent")
# (level, area, indicator, position, period, scenario) -> (value, flag)
Observations = dict[tuple[str, ...], tuple[float | None, str]]

HELP_TYPES = {
    "§ 31 SPFH": "31", "§ 32 Heilpäd. Tagesgruppen": "32", "§ 30 Erziehungsbeistandschaften": "30",
    "§ 35 ISE ambulant": "35-ambulant",
    "§ 27 (2) Heilpäd. Einzelmaßnahmen": "27.2-heilpaedagogische-einzelmassnahmen",
    "§ 27 (2) Familienkrisenintervention": "27.2-familienkrisenintervention",
    "§ 27 (2) Alternative Einzelfallhilfen": "27.2-alternative-einzelfallhilfen",
    "§ 27 (2) Patenschaften": "27.2-patenschaften",
    "§ 27 (2) Unterstützte Elternschaft": "27.2-unterstuetzte-elternschaft",
    "§ 34, 35 stationär": "34-35-stationaer", "§ 33 Vollzeitpflege": "33",
    "§ 34 Betreutes Jugendwohnen": "34-betreutes-jugendwohnen", "§ 19 Vater-Mutter-Kind-Einrichtung": "19",
}  # fmt: skip
AMBULANT = {"31", "32", "30", "35-ambulant", *(code for code in HELP_TYPES.values() if code.startswith("27.2"))}
OUTSIDE_FAMILY = set(HELP_TYPES.values()) - AMBULANT
BUEROS = {"Nord": "nord", "Mitte": "mitte", "Süd": "sued"}


@pytest.fixture(scope="module")
def loaded(new_database: Callable[[], Database]) -> Database:
    made = new_database()
    load_examples(made.writing, lambda _line: None)
    return made


def query(engine: Engine, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def held(database: Database, *tables: str) -> Observations:
    """Return the observations of some datasets; no two of them may have the same figure."""
    rows = query(
        database.writing,
        "SELECT o.level, o.area_key, o.indicator, o.position, o.period, o.scenario, o.value, o.flag "
        "FROM dataset d JOIN observation o ON o.import_id = d.current_import_id WHERE d.name = ANY (:names)",
        names=[f"statistics.{name}" for name in tables],
    )
    made: Observations = {tuple(row[:6]): (row[6], row[7]) for row in rows}
    assert len(made) == len(rows)
    return made


def reference(name: str) -> Iterator[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def bremen(key: str) -> tuple[str, str]:
    return ("stadt" if key == "HB" else "sozialzentrum"), key


@with_reference
def test_bremens_figures_are_those_of_the_report(loaded: Database) -> None:
    codes = {"ausgaben_teur": "spending_eur", "fallzahl": "cases", "kosten_je_jew": "kosten_je_jew_eur",
             "anteil_folgehilfen": "anteil_folgehilfen_pct"}  # fmt: skip
    stems = {"ausgaben_teur": "ausgaben", "fallzahl": "faelle"}
    expected: Observations = {}
    for row in reference("bremen_juwe_kennzahlen"):
        factor = 1000 if row["kennzahl"].endswith("_teur") else 1
        code = codes.get(row["kennzahl"], row["kennzahl"])
        key = *bremen(row["gebiet"]), code, HELP_TYPES.get(row["position"], row["position"]), row["jahr"], "ist"
        expected[key] = float(row["wert"]) * factor, "ok"
    for row in reference("bremen_juwe_abgeleitet"):
        target = row["groesse"] == "zielschwelle_2020_teur"
        base = row["groesse"].removeprefix("veraenderung_2020_zu_").removesuffix("_prozent")
        stem = stems.get(row["kennzahl"], row["kennzahl"])
        code = "zielschwelle_eur" if target else f"{stem}_veraenderung_{base}_pct"
        key = *bremen(row["gebiet"]), code, HELP_TYPES.get(row["position"], row["position"]), "2020", "ist"
        expected[key] = float(row["wert"]) * (1000 if target else 1), "ok"
    assert len(expected) == 588 + 119
    assert held(loaded, "bremen-hilfen", "bremen-ausgaben", "bremen-beratungen") == expected


@with_reference
def test_bremens_residents_are_those_of_the_report(loaded: Database) -> None:
    expected: Observations = {
        (*bremen(row["schluessel"]), "population", "0-21", "2020-01-01", "ist"): (float(row["jew_2020_01_01"]), "ok")
        for row in reference("bremen_sozialzentren")
    }
    assert held(loaded, "bremen-jew") == expected


@with_reference
def test_bremens_effects_are_those_of_the_report_each_figure_once(loaded: Database) -> None:
    codes = {
        "personalkosten": ("staff_cost_eur", ""), "sachkosten_praevention": ("prevention_cost_eur", ""),
        "hze_kosten": ("spending_eur", "alle_hilfen"), "nettoeffekt_walle": ("base_effect_eur", ""),
        "reduzierter_ausgabenzuwachs": ("reduzierter_ausgabenzuwachs_eur", ""),
        "nettoeffekt_gesamt": ("nettoeffekt_eur", ""),
    }  # fmt: skip
    expected = {
        ("stadt", "HB", *codes[row["groesse"]], row["jahr"], scenario): (float(row[f"{scenario}_teur"]) * 1000, "ok")
        for row in reference("bremen_juwe_effekte")
        for scenario in ("prognose", "ist")
    }
    spent = {key for key in expected if key[2] == "spending_eur" and key[-1] == "ist"}
    assert len(spent) == 5
    assert held(loaded, "bremen-effekte") == {key: value for key, value in expected.items() if key not in spent}
    # What was spent stands in the report's section 3 too, to the thousand: it is held there.
    spending = held(loaded, "bremen-ausgaben")
    assert {key: spending[key] for key in spent} == {key: expected[key] for key in spent}


@with_reference
def test_walle_is_as_presented(loaded: Database) -> None:
    positions = {"ambulante Maßnahmen": "ambulante-massnahmen", "stationäre Maßnahmen": "stationaere-massnahmen",
                 "Maßnahmen insgesamt": "massnahmen-insgesamt", "SPFH": "31", "Beratungsfälle": "beratungsfaelle",
                 "Alternative Einzelfallhilfen": "27.2-alternative-einzelfallhilfen"}  # fmt: skip
    expected: Observations = {}
    for row in reference("bremen_espq"):
        spent = row["groesse"] == "Ausgaben"
        code = "ausgaben_veraenderung_2011_pct" if spent else "massnahmen_veraenderung_2011_bis_2012_pct"
        for area, column in ((("stadtteil", "walle"), "walle_prozent"), (("stadt", "HB"), "stadt_bremen_prozent")):
            key = (*area, code, "" if spent else positions[row["groesse"]], "2012", "ist")
            expected[key] = (float(row[column]), "ok") if row[column] else (None, "missing")
    assert held(loaded, "bremen-espq-massnahmen", "bremen-espq-ausgaben") == expected


@with_reference
def test_bremerhaven_is_as_reported(loaded: Database) -> None:
    helps: Observations = {}
    hours: Observations = {}
    for row in reference("bremerhaven_spfh"):
        area, month = ("stadtteilbuero", BUEROS[row["stadtteilbuero"]]), row["stichtag"][:7]
        helps[*area, "cases", "31", row["stichtag"], "ist"] = float(row["anzahl"]), "ok"
        hours[*area, "hours", "31", month, "ist"] = float(row["stunden"]), "ok"
        hours[*area, "stunden_je_massnahme", "31", month, "ist"] = float(row["stunden_je_massnahme"]), "ok"
    for row in reference("bremerhaven_ambulant"):
        key = "stadtteilbuero", BUEROS[row["stadtteilbuero"]], "cases", "ambulant", row["stichtag"], "ist"
        helps[key] = float(row["anzahl"]), "ok"
    assert held(loaded, "bremerhaven-hilfen") == helps
    assert held(loaded, "bremerhaven-stunden") == hours


@with_reference
def test_hamburg_mittes_budget_is_as_reported_and_2020_is_estimated(loaded: Database) -> None:
    columns = {
        "mittelabfluss_eur": ("bezirk", "1", "spending_eur", "alle_hilfen"),
        "ausschoepfungsgrad_mitte_prozent": ("bezirk", "1", "ausschoepfungsgrad_pct", ""),
        "ausschoepfungsgrad_fhh_prozent": ("land", "02", "ausschoepfungsgrad_pct", ""),
        "entgeltsteigerung_jahr_prozent": ("bezirk", "1", "fee_increase_pct", ""),
        "entgeltsteigerung_seit_2017_prozent": ("bezirk", "1", "entgeltsteigerung_seit_2017_pct", ""),
        "erwarteter_mittelabfluss_eur": ("bezirk", "1", "erwarteter_mittelabfluss_eur", ""),
        "steuerungseffekt_eur": ("bezirk", "1", "steuerungseffekt_eur", ""),
        "minderausgaben_uma_eur": ("bezirk", "1", "minderausgaben_uma_eur", ""),
    }
    settled = {"entgeltsteigerung_jahr_prozent", "entgeltsteigerung_seit_2017_prozent", "erwarteter_mittelabfluss_eur"}
    expected: Observations = {
        (*key, row["jahr"], "ist"): (
            float(row[column]),
            "estimated" if row["jahr"] == "2020" and column not in settled else "ok",
        )
        for row in reference("hamburg_mitte_hze_budget")
        for column, key in columns.items()
        if row[column]
    }
    assert held(loaded, "hamburg-mitte-budget") == expected


@with_reference
def test_norderstedt_is_as_reported(loaded: Database) -> None:
    expected: Observations = {
        ("stadt", "NOR", "cases", row["paragraph"], row["zeitraum"], "ist"): (float(row["faelle"]), "ok")
        for row in reference("norderstedt_hilfen")
    }
    assert held(loaded, "norderstedt-hilfen") == expected


@with_reference
def test_placements_are_as_reported(loaded: Database) -> None:
    found = query(
        loaded.writing,
        "SELECT p.period, p.paragraph, p.provider_state, p.cases, p.level, p.area_key, p.area_role, p.counting "
        "FROM dataset d JOIN placement p ON p.import_id = d.current_import_id "
        "WHERE d.name = 'placements.hamburg-mitte-34'",
    )
    rows = list(reference("hamburg_mitte_par34"))
    assert len(found) == len(rows)
    assert {row[:4] for row in found} == {
        (row["quartal"], row["paragraph"], row["anbieter_bundesland"], int(row["faelle"])) for row in rows
    }
    assert {row[4:] for row in found} == {("bezirk", "1", "zustaendig", "stichtag")}
    assert query(loaded.writing, "SELECT DISTINCT scope_level, scope_key FROM placement_delivery") == [("bezirk", "1")]


@with_reference
def test_bremens_sozialzentren_are_areas_without_map(loaded: Database) -> None:
    expected = {row["schluessel"]: row for row in reference("bremen_sozialzentren")}
    with reading(loaded.serving) as session:
        answer = areas(session, AreasRequest("sozialzentrum", TODAY))
        profile = area_profile(session, "sozialzentrum", "SZ2", on=TODAY).rows[0]
    assert {row.area_key: (row.area_name, row.parent_key) for row in answer.rows} == {
        key: (row["name"], "HB") for key, row in expected.items() if key != "HB"
    }
    assert all(row.geometry is None and row.area_km2 is None for row in answer.rows)
    assert profile.attributes == {"stadtteile": expected["SZ2"]["stadtteile"]}
    assert profile.children == {"stadtteil": 1}


def test_areas_hang_together(loaded: Database) -> None:
    found = query(loaded.writing, "SELECT level, key, name, parent_level, parent_key FROM area_visible")
    known = {(level, key): (name, parent) for level, key, name, *parent in found}
    assert known["stadt", "HB"] == ("Stadt Bremen", ["land", "04"])
    assert known["stadt", "BHV"] == ("Bremerhaven", ["land", "04"])
    assert known["stadt", "NOR"] == ("Norderstedt", ["land", "01"])
    assert known["bezirk", "1"] == ("Hamburg-Mitte", ["land", "02"])
    assert known["stadtteil", "walle"] == ("Walle", ["sozialzentrum", "SZ2"])
    assert known["stadtteilbuero", "sued"] == ("Süd", ["stadt", "BHV"])
    assert all((level == "land") == (parent == [None, None]) for (level, _key), (_name, parent) in known.items())


def test_every_dataset_has_its_source_and_says_how_it_counts(loaded: Database) -> None:
    named = {"areas": LEVELS, "catalogue": OFFICES, "statistics": STATISTICS, "placements": PLACEMENTS}
    wanted = {f"{kind}.{name}" for kind, names in named.items() for name in names}
    with reading(loaded.serving, ADMIN) as session:
        answer = datasets(session, on=TODAY)
    assert {row.dataset for row in answer.rows} == wanted
    assert answer.meta.notice == NOTICE
    assert NOTICE.startswith("Veröffentlichte Zahlen, Quelle")
    for row in answer.rows:
        assert row.as_of is not None
        assert row.licence
        assert row.attribution
        assert row.title != row.dataset
        assert row.rows_rejected == 0
    counted = dict(query(loaded.writing, "SELECT dataset, counting FROM dataset_visible WHERE kind = 'statistics'"))
    # Their sources do not say it.
    assert {name for name, counting in counted.items() if counting is None} == {
        "statistics.bremen-beratungen", "statistics.bremen-espq-massnahmen"}  # fmt: skip
    scopes = query(loaded.writing, "SELECT scope FROM dataset_visible WHERE kind = 'statistics'")
    assert all(scope and scope[0] == scope[0].strip() and "  " not in scope[0] for scope in scopes)


def test_offices_and_countings_are_not_mixed(loaded: Database) -> None:
    """No figure stands in two datasets, so none needs a rank; every code has a meaning and every type its groups."""
    twice = query(
        loaded.writing,
        "SELECT level, area_key, indicator, position, period, scenario FROM observation_current "
        "GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) > 1",
    )
    assert twice == []
    assert query(loaded.writing, "SELECT 1 FROM dataset_rank") == []
    types = {
        (dataset, code): set(groups)
        for dataset, code, groups in query(loaded.writing, "SELECT dataset, code, groups FROM help_type_visible")
    }
    bremens = {code: groups for (dataset, code), groups in types.items() if dataset == "catalogue.bremen"}
    assert bremens == {code: {"ambulant", "alle_hilfen"} for code in AMBULANT} | {
        code: {"ausserhalb_familie", "alle_hilfen"} for code in OUTSIDE_FAMILY
    }
    positions = query(
        loaded.writing, "SELECT DISTINCT position FROM observation_current WHERE indicator IN ('cases', 'spending_eur')"
    )
    groups = {code for (code,) in query(loaded.writing, "SELECT code FROM help_group_visible")}
    assert {position for (position,) in positions} <= {code for _dataset, code in types} | groups


def test_a_figure_is_answered_with_its_caveats(loaded: Database) -> None:
    with reading(loaded.serving, ADMIN) as session:
        answer = statistics(session, StatisticsRequest("hilfedichte", "sozialzentrum", "2020", position="alle_hilfen"))
    assert {row.area_key: row.value for row in answer.rows} == {
        "SZ1": 40.2, "SZ2": 50.6, "SZ3": 30.7, "SZ4": None, "SZ5": None, "SZ6": None}  # fmt: skip
    assert {row.unit for row in answer.rows if row.value is not None} == {"Hilfen je 1.000 Jugendeinwohner"}
    assert {source.dataset for source in answer.meta.sources} >= {"statistics.bremen-hilfen"}
    assert any("Unbegleitete minderjährige Ausländer sind nicht enthalten" in said for said in answer.meta.warnings)


def test_loading_again_changes_nothing_and_what_is_missing_comes_back(
    new_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_database()
    said: list[str] = []
    monkeypatch.setattr(examples, "STATISTICS", STATISTICS[:1])
    load_examples(made.writing, said.append)
    assert said[0] == "Die veröffentlichten Tabellen werden geladen …"
    assert said[-1].strip() == "placements.hamburg-mitte-34: 20 von 20 Zeilen übernommen, 0 zurückgewiesen."
    monkeypatch.undo()
    said.clear()
    load_examples(made.writing, said.append)
    assert len(said) == 1 + len(STATISTICS) - 1
    state = query(made.writing, "SELECT data_version, notice FROM instance_state")
    said.clear()
    load_examples(made.writing, said.append)
    assert said == []
    assert query(made.writing, "SELECT data_version, notice FROM instance_state") == state
    assert state[0][1] == NOTICE


def test_every_file_of_the_folder_is_loaded() -> None:
    tables = {*(f"gebiete-{level}" for level in LEVELS), *STATISTICS, *PLACEMENTS}
    assert {path.stem for path in FOLDER.glob("*.csv")} == tables
    assert {path.stem for path in FOLDER.glob("*.toml")} == tables | {f"katalog-{office}" for office in OFFICES}
    whole: Rules = examples._WHOLE
    assert whole.max_rejects.number == 0
