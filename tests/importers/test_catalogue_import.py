"""The catalogue: indicators, Hilfearten, Richtwerte and ranks, each refused with a sentence where it does not fit."""

from pathlib import Path

import pytest
from figure_help import figures_state, load_rows, people
from importer_help import Database, data_version, load_city, query, write_toml

from geodata.database import reading
from geodata.indicators import COUNTS_HELPS, WELL_KNOWN, indicator_of
from importers.errors import MappingError
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.report import Report

WHOLE = """
[dataset]
title = "Katalog des Jugendamts"
as_of = 2026-01-01

[[indicator]]
code = "u18_share"
title = "Anteil der unter 18-Jährigen"
unit = "%"
kind = "share"
numerator = "population:0-18"
denominator = "population:total"
factor = 100

[[indicator]]
code = "population"
title = "Bevölkerung mit Hauptwohnsitz"
unit = "personen"
kind = "count"
residents = true

[[help_group]]
code = "teilstationaer"
title = "Teilstationäre Hilfen"
composition = "§ 32"

[[help_type]]
code = "35-ambulant"
title = "Intensive Einzelbetreuung, ambulant"
paragraphs = ["35"]
variant = "ambulant"
groups = ["ambulant", "teilstationaer"]
unit = "junge_menschen"

[[standard]]
code = "okja_plaetze"
title = "Plätze der offenen Arbeit"
category = "okja"
measure = "supply"
value = 30
unit = "places"
age_from = 6
age_to = 14
source = "Jugendhilfeplan 2024"
resolution = "Drucksache 21-0815"
resolved_on = 2024-03-14

[[rank]]
dataset = "statistics.amtlich"
rank = 1
"""


def load(database: Database, folder: Path, body: str, **options: str) -> Report:
    return import_catalogue(database.writing, write_toml(folder / "katalog.toml", body), CatalogueImport(**options))


def test_everything_is_kept(database: Database, tmp_path: Path) -> None:
    report = load(database, tmp_path, WHOLE)
    assert (report.dataset, report.rows_read, report.rows_loaded) == ("catalogue", 6, 6)
    assert report.counts == {"Kennzahlen": 2, "Hilfearten": 1, "Gruppen von Hilfearten": 1, "Richtwerte": 1,
                             "Bestände mit Rang": 1}  # fmt: skip
    with reading(database.serving) as session:
        share = indicator_of(session, "u18_share")
        assert (share.kind, share.unit, share.factor, share.numerator, share.denominator) == (
            "share", "%", 100, "population:0-18", "population:total")  # fmt: skip
        assert indicator_of(session, "population").title == "Bevölkerung mit Hauptwohnsitz"
        assert indicator_of(session, "spending_eur").unit == "eur"
        unknown = indicator_of(session, "bev_irgendwas")
        assert (unknown.title, unknown.unit, unknown.kind, unknown.residents) == ("bev_irgendwas", None, None, False)
    assert query(database.writing, "SELECT code, paragraphs, variant, groups, unit FROM help_type") == [
        ("35-ambulant", ["35"], "ambulant", ["ambulant", "teilstationaer"], "junge_menschen")]  # fmt: skip
    assert query(database.writing, "SELECT source, resolution, resolved_on::text, value, age_to FROM standard") == [
        ("Jugendhilfeplan 2024", "Drucksache 21-0815", "2024-03-14", 30, 14)]  # fmt: skip
    assert query(database.writing, "SELECT dataset, rank FROM dataset_rank") == [("statistics.amtlich", 1)]
    assert [f.value for f in report.findings if f.severity.value == "warning"] == ["statistics.amtlich"]


def test_ways_of_a_standard_are_kept(database: Database, tmp_path: Path) -> None:
    catchment = WHOLE.replace('"supply"', '"catchment"').replace("age_to = 14", "age_to = 14\nminutes = 120")
    load(database, tmp_path, catchment + REACH + "mode = 'bike'\n")
    found = query(database.writing, "SELECT code, measure, unit, minutes, mode FROM standard_visible ORDER BY code")
    assert found == [("okja_plaetze", "catchment", "places", 120, None), ("okja_wege", "reach", "share", 15, "bike")]


def test_a_second_file_replaces_the_whole_and_the_same_is_no_news(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, WHOLE)
    version = data_version(database.writing)
    assert load(database, tmp_path, WHOLE).unchanged
    assert data_version(database.writing) == version
    load(database, tmp_path, '[[help_group]]\ncode = "ambulant"\ntitle = "Ambulant"\n')
    with reading(database.serving) as session:
        assert indicator_of(session, "population") == WELL_KNOWN["population"]
    assert data_version(database.writing) == version + 1


def test_the_offices_own_catalogue_goes_before_others(database: Database, tmp_path: Path) -> None:
    entry = '[[indicator]]\ncode = "{}"\ntitle = "{}"\nkind = "count"\n'
    load(database, tmp_path, entry.format("hunde", "Hunde der Stadt"), dataset="catalogue")
    load(database, tmp_path, entry.format("hunde", "Hunde") + entry.format("katzen", "Katzen"), dataset="amtlich")
    with reading(database.serving) as session:
        assert indicator_of(session, "hunde").title == "Hunde der Stadt"
        assert indicator_of(session, "katzen").title == "Katzen"


REACH = """
[[standard]]
code = "okja_wege"
title = "Wege zur offenen Arbeit"
category = "okja"
measure = "reach"
value = 0.8
unit = "share"
source = "Jugendhilfeplan 2024"
resolution = "Drucksache 21-0815"
resolved_on = 2024-03-14
minutes = 15
"""
INDICATOR = '[[indicator]]\ncode = "a"\ntitle = "A"\nkind = "count"\n'
BAD = {
    "leer": ("", "enthält keinen Eintrag"),
    "kein TOML": ("[[indicator]\n", "kein gültiges TOML"),
    "unbekannte Tabelle": ("[[kennzahl]]\ncode = 'a'\n", "kennzahl: diesen Eintrag gibt es nicht"),
    "unbekannter Eintrag": (INDICATOR + "farbe = 'rot'\n", "indicator.1.farbe: diesen Eintrag gibt es nicht"),
    "ohne Titel": ("[[indicator]]\ncode = 'a'\nkind = 'count'\n", "indicator.1.title: die Angabe fehlt"),
    "Art unbekannt": ("[[indicator]]\ncode = 'a'\ntitle = 'A'\nkind = 'summe'\n", "der Wert „summe“ passt hier nicht"),
    "zweimal": (INDICATOR * 2, "„a“ steht unter [[indicator]] zweimal"),
    "Doppelpunkt": (INDICATOR.replace('"a"', '"a:b"'), "keinen Doppelpunkt"),
    "Anteil ohne Nenner": (INDICATOR.replace("count", "share"), "braucht „numerator“ und „denominator“"),
    "halb": (INDICATOR.replace("count", "rate") + "numerator = 'population'\n", "gehören zusammen"),
    "Anzahl gebildet": (INDICATOR + "numerator = 'population'\ndenominator = 'population'\n", "nicht aus"),
    "Zähler unbekannt": (
        INDICATOR.replace("count", "share") + "numerator = 'hunde'\ndenominator = 'population:total'\n",
        "wird aus „hunde“ gebildet, das niemand beschreibt",
    ),
    "Faktor 0": (INDICATOR + "factor = 0\n", "passt hier nicht"),
    "Gruppe unbekannt": (
        "[[help_type]]\ncode = '31'\ntitle = 'SPFH'\ngroups = ['teuer']\n", "die Gruppe „teuer“, die es nicht gibt"),
    "Einheit unbekannt": ("[[help_type]]\ncode = '31'\ntitle = 'SPFH'\nunit = 'akten'\n", "die Einheit „akten“"),
    "Richtwert ohne Beschluss": (WHOLE.replace('resolution = "Drucksache 21-0815"\n', ""),
                                 "standard.1.resolution: die Angabe fehlt"),
    "Richtwert ohne Datum": (WHOLE.replace("resolved_on = 2024-03-14\n", ""), "resolved_on: die Angabe fehlt"),
    "Richtwert ohne Quelle": (WHOLE.replace('source = "Jugendhilfeplan 2024"', 'source = ""'), "source: der Wert „“"),
    "Kategorie": (WHOLE.replace('"okja"', '"disko"'), "die Kategorie „disko“"),
    "Alter": (WHOLE.replace("age_to = 14", "age_to = 6"), "„age_to“ muss über „age_from“ liegen"),
    "Einheit der Versorgung": (WHOLE.replace('unit = "places"', 'unit = "share"'),
                               "die Einheit „share“ passt nicht zu „measure = supply“; möglich: places,"),
    "Einheit der Erreichbarkeit": (REACH.replace('"share"', '"places"'), "möglich: share"),
    "Prozent statt Anteil": (REACH.replace("0.8", "80"), "ein Anteil von 0 bis 1"),
    "Erreichbarkeit ohne Minuten": (REACH.replace("minutes = 15\n", ""), "„measure = reach“ braucht „minutes“"),
    "Kapazität ohne Minuten": (WHOLE.replace('"supply"', '"catchment"'), "„measure = catchment“ braucht „minutes“"),
    "Versorgung mit Minuten": (WHOLE.replace("age_to = 14", "age_to = 14\nminutes = 15"), "gelten nicht bei"),
    "Versorgung mit Weg": (WHOLE.replace("age_to = 14", "age_to = 14\nmode = 'walk'"), "gelten nicht bei"),
    "Minuten 0": (REACH.replace("minutes = 15", "minutes = 0"), "standard.1.minutes: der Wert „0“"),
    "Minuten 121": (REACH.replace("minutes = 15", "minutes = 121"), "standard.1.minutes: der Wert „121“"),
    "Weg": (REACH + "mode = 'fliegen'\n", "standard.1.mode: der Wert „fliegen“"),
    "Wert 0": (WHOLE.replace("value = 30", "value = 0"), "standard.1.value: der Wert „0“"),
    "Wert unendlich": (WHOLE.replace("value = 30", "value = inf"), "standard.1.value"),
    "Rang zweimal": (WHOLE + "[[rank]]\ndataset = 'statistics.b'\nrank = 1\n", "„1“ steht unter [[rank]] bei rank"),
    "Bestand": ("[[rank]]\ndataset = 'Groß'\nrank = 1\n", "rank.1.dataset: der Wert „Groß“"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused_with_a_sentence(database: Database, tmp_path: Path, name: str) -> None:
    body, words = BAD[name]
    before = figures_state(database.writing)
    with pytest.raises(MappingError) as refused:
        load(database, tmp_path, body)
    said = str(refused.value)
    assert words in said
    assert said.startswith("Die Katalogdatei „katalog.toml“")
    assert said.endswith(".")
    assert figures_state(database.writing) == before


def test_an_absent_file_is_a_sentence(database: Database, tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="lässt sich nicht lesen"):
        import_catalogue(database.writing, tmp_path / "fehlt.toml", CatalogueImport())


def test_a_share_may_be_made_from_what_has_figures(database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    load_rows(database.writing, tmp_path, [people(indicator="hunde", position="")])
    body = INDICATOR.replace("count", "share") + "numerator = 'hunde'\ndenominator = 'population:total'\n"
    assert load(database, tmp_path, body).rows_loaded == 1


def test_the_database_knows_the_same_counts_of_helps(database: Database) -> None:
    said = {
        code: query(database.writing, "SELECT srk_counts_helps(:code, NULL)", code=code)[0][0] for code in WELL_KNOWN
    }
    assert {code for code, hidden in said.items() if hidden} == COUNTS_HELPS
