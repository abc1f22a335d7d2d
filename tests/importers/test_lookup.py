import csv
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from importer_help import Database, findings, load_city

from geodata.database import writing
from geodata.spelling import normalised
from importers.errors import MappingError
from importers.lookup import Ambiguous, Found, Lookup, MergedArea, Unknown, read_lookup, resolved
from importers.report import Report
from importers.rules import Rule
from importers.sources.base import objects

HAMBURG = Path(__file__).resolve().parents[3] / "shared" / "data" / "hamburg"

STADTTEILE = {
    "02104": "St. Pauli",
    "02117": "Kleiner Grasbrook",
    "02118": "Steinwerder",
    "02301": "Eimsbüttel",
    "02501": "Neustadt",
    "02601": "Neustadt",
}
BEZIRKE = {"3": "Eimsbüttel", "4": "Hamburg-Nord"}
AREAS = {"stadtteil": STADTTEILE, "bezirk": BEZIRKE, "leer": {"1": "-"}}
ALIASES: dict[str, dict[str, str | tuple[str, ...]]] = {
    "stadtteil": {
        "Kl. Grasbrook": "02117",
        "Steinwerder/Kl. Grasbrook": ("02118", "02117"),
        "Kleiner Grasbrook und Steinwerder": ("02117", "02118"),
        "Ohne Angabe": "ohne",
    }
}


@pytest.mark.parametrize(
    "same",
    [
        ("St.Pauli", "St. Pauli", "ST PAULI", "st-pauli", "St.\u00a0Pauli"),
        ("Groß Flottbek", "GROSS FLOTTBEK", "Gross-Flottbek", "gross flottbek", "GROẞ FLOTTBEK"),
        ("Eimsbüttel", "Eimsbuettel", "EIMSBÜTTEL", unicodedata.normalize("NFD", "Eimsbüttel"), " Eims büttel "),
        ("Café", "Cafe", "cafe\u0301", "CAFÉ"),
        ("Neugraben-Fischbek", "Neugraben–Fischbek", "Neugraben / Fischbek", "Neugraben\u00adFischbek"),
    ],
)
def test_one_name_in_many_spellings_is_the_same(same: tuple[str, ...]) -> None:
    assert len({normalised(name) for name in same}) == 1
    assert normalised(same[0])


@pytest.mark.parametrize(("one", "other"), [("Neuland", "Neuenland"), ("Ohe", "Öhe"), ("Altona-Nord", "Altona")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
@example("ǟ")
@example("\u212b\u2126½²ﬀ")
@example("𝐀ΐ")
@example("각")
@example("a\u0308")
def test_normalising_twice_changes_nothing_and_leaves_only_letters_and_digits(name: str) -> None:
    once = normalised(name)
    assert normalised(once) == once
    assert all(c.isalnum() for c in once)
    assert normalised(unicodedata.normalize("NFD", name)) == normalised(unicodedata.normalize("NFC", name))


@given(st.text(alphabet="abcxyzäöüßÄÖÜ .-/1239", max_size=20))
def test_case_blanks_and_signs_never_matter(name: str) -> None:
    assert normalised(name) == normalised(name.upper()) == normalised(f" {name.replace('-', ' ')}. ")


@pytest.mark.parametrize(
    ("level", "text", "answer"),
    [
        ("stadtteil", "02104", Found("02104")),
        ("stadtteil", " 02104 ", Found("02104")),
        ("stadtteil", "St.Pauli", Found("02104")),
        ("stadtteil", "Eimsbüttel", Found("02301")),
        ("bezirk", "Eimsbüttel", Found("3")),
        ("bezirk", "hamburg nord", Found("4")),
        ("stadtteil", "2104", Unknown()),
        ("stadtteil", "St. Paul", Unknown()),
        ("stadtteil", "Hamburg-Nord", Unknown()),
        ("stadtteil", "Neustadt", Ambiguous(("02501", "02601"))),
        ("stadtteil", "KL GRASBROOK", Found("02117")),
        ("stadtteil", "Steinwerder / Kl.Grasbrook", Found("02117+02118")),
        ("stadtteil", "02118+02117", Found("02117+02118")),
        ("stadtteil", "02118+02118", Unknown()),
        ("stadtteil", "02118+09999", Unknown()),
        ("stadtteil", "ohne", Found("ohne")),
        ("stadtteil", "ohne Angabe", Found("ohne")),
        ("stadtteil", "", Unknown()),
        ("leer", "-", Unknown()),
        ("leer", "–", Unknown()),
        ("sozialraum", "Eimsbüttel", Unknown()),
    ],
)
def test_areas_are_found_by_key_alias_and_name_never_by_likeness(level: str, text: str, answer: object) -> None:
    assert Lookup(AREAS, ALIASES).find(level, text) == answer


def test_merged_areas_are_remembered_once_each_when_met() -> None:
    lookup = Lookup(AREAS, ALIASES)
    assert lookup.merged == ()
    for text in ("Kleiner Grasbrook und Steinwerder", "Steinwerder/Kl. Grasbrook", "Kl. Grasbrook", "02117+02118"):
        lookup.find("stadtteil", text)
    name = "Kleiner Grasbrook und Steinwerder"
    assert lookup.merged == (MergedArea("stadtteil", "02117+02118", name, ("02117", "02118")),)
    given = Lookup(AREAS)
    given.find("stadtteil", "02117+02118")
    assert [area.name for area in given.merged] == ["Kleiner Grasbrook / Steinwerder"]


@pytest.mark.parametrize(
    ("aliases", "said"),
    [
        ({"stadtteil": {"Altland": "02999"}}, "für „Altland“ den Schlüssel „02999“, den es auf der Ebene „stadtteil“"),
        ({"stadtteil": {"Altland": ["02104", "02999"]}}, "den Schlüssel „02999“"),
        ({"stadtteil": {"Altland": ["02104", "ohne"]}}, "den Schlüssel „ohne“"),
        ({"land": {"Altland": "02104"}}, "den es auf der Ebene „land“ nicht gibt"),
        ({"stadtteil": {"Altland": []}}, "für „Altland“ keinen Schlüssel"),
        ({"stadtteil": {"--": "02104"}}, "weder Buchstaben noch Ziffern"),
        ({"stadtteil": {"Alt Land": "02104", "ALT-LAND": "02301"}}, "in anderer Schreibung"),
    ],
)
def test_aliases_that_cannot_be_are_refused(aliases: dict[str, Any], said: str) -> None:
    with pytest.raises(MappingError) as refused:
        Lookup(AREAS, aliases)
    assert said in str(refused.value)


def test_an_alias_may_be_said_twice_alike() -> None:
    lookup = Lookup(AREAS, {"stadtteil": {"Grasbrooks": ("02118", "02117"), "GRASBROOKS": ("02117", "02118")}})
    assert lookup.find("stadtteil", "grasbrooks") == Found("02117+02118")


def look_up(values: list[Any], levels: list[Any] | None = None, default: str | None = None, **rule: Any) -> Any:
    report = Report("d", "statistics", "a.csv")
    rules = {"area_key": Rule.model_validate({"from": "x", "lookup": "area_level" if levels else "stadtteil", **rule})}
    table = {"area_key": rules["area_key"].apply({"x": objects(values)}, len(values))}
    if levels:
        table["area_level"] = objects(levels)
    made = resolved(table, np.arange(2, 2 + len(values)), rules, Lookup(AREAS, ALIASES), report, level=default)
    return made["area_key"].tolist(), report


def test_names_become_keys_and_what_is_not_found_is_a_reject_with_advice() -> None:
    keys, report = look_up(["St.Pauli", "Eimsbütel", "Neustadt", None, "", "Ganz woanders", "02118"])
    assert keys == ["02104", None, None, None, None, None, "02118"]
    assert findings(report, "reject") == [
        (3, "area_key", "Eimsbütel",
         "Auf der Ebene „stadtteil“ gibt es kein Gebiet mit diesem Namen oder Schlüssel."),
        (4, "area_key", "Neustadt", "Auf der Ebene „stadtteil“ heißen mehrere Gebiete so."),
        (7, "area_key", "Ganz woanders",
         "Auf der Ebene „stadtteil“ gibt es kein Gebiet mit diesem Namen oder Schlüssel."),
    ]  # fmt: skip
    advice = [finding.advice for finding in report.findings]
    assert advice[0].startswith("Meinten Sie „Eimsbüttel“ (02301)?")
    assert "02501 oder 02601" in advice[1]
    assert advice[2].startswith("Bitte die Schreibweise berichtigen")
    assert all("[aliases.stadtteil]" in text for text in advice)


def test_each_row_may_name_its_own_level() -> None:
    keys, report = look_up(["Eimsbüttel"] * 4, ["stadtteil", "bezirk", None, "sozialraum"], default="bezirk")
    assert keys == ["02301", "3", "3", None]
    assert [reason for *_row, reason in findings(report, "reject")] == [
        "Auf der Ebene „sozialraum“ sind keine Gebiete geladen."
    ]
    keys, report = look_up(["Eimsbüttel"], [""])
    assert keys == [None]
    assert "nennt keine Ebene" in report.findings[0].reason


def test_leading_zeros_are_added_to_numbers_only_and_only_if_the_mapping_says_so() -> None:
    assert look_up([2104, 2104.0, "2104", "St. Pauli"], zfill=5)[0] == ["02104", "02104", "02104", "02104"]
    assert look_up([2104, "2104"])[0] == [None, None]


def test_no_more_than_three_names_are_advised_the_likest_first() -> None:
    areas = {"x": {str(i): f"Altendorf {i}" for i in range(9)} | {"a": "Altendorf"}}
    near = Lookup(areas).nearest("x", "Altendorff")
    assert near[0] == ("a", "Altendorf")
    assert len(near) == 3
    assert Lookup(areas).nearest("x", "?!") == ()


def test_the_lookup_is_read_from_the_visible_areas(database: Database, tmp_path: Path) -> None:
    load_city(database.writing, tmp_path)
    with writing(database.writing) as session:
        lookup = read_lookup(session, ["stadtteil"], {"bezirk": {"Westen": "1"}})
        assert lookup.find("stadtteil", "uebersee") == Found("02202")
        assert lookup.find("bezirk", "westen") == Found("1")
        assert lookup.name("bezirk", "2") == "Ost"
        everything = read_lookup(session, None)
        assert everything.find("bezirk", "Ost") == Found("2")
        assert everything.has_level("stadtteil")
        assert not everything.has_level("land")
        only = read_lookup(session, ["bezirk"])
        assert only.find("stadtteil", "Mitte") == Unknown()
        with pytest.raises(MappingError, match=r"den Schlüssel „9“"):
            read_lookup(session, None, {"bezirk": {"Norden": "9"}})


@pytest.mark.skipif(not HAMBURG.exists(), reason="shared/data/hamburg is not beside this checkout")
def test_every_name_of_the_stadtteilprofile_is_found_with_four_aliases(hamburg_database: Database) -> None:
    merged = {
        "Kleiner Grasbrook und Steinwerder": ("02117", "02118"),
        "Waltershof und Finkenwerder": ("02119", "02120"),
        "Neuland und Gut Moor": ("02702", "02703"),
        "Moorburg und Altenwerder": ("02711", "02712"),
    }
    path = HAMBURG / "statistik" / "Daten_fuer_die_Stadtteilprofile_2014.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        names = [row[0] for row in csv.reader(handle, delimiter=";")][1:]
    with writing(hamburg_database.writing) as session:
        lookup = read_lookup(session, ["stadtteil", "bezirk"], {"stadtteil": merged})
    answers = [lookup.find("stadtteil", name) for name in names[:-8]]
    keys = [answer.key for answer in answers if isinstance(answer, Found)]
    assert len(keys) == len(set(keys)) == len(answers) == 99
    members = {key for joined in keys for key in joined.split("+")}
    assert len(members) == 103, "all but Neuwerk"
    assert [area.members for area in lookup.merged] == sorted(merged.values())
    districts = [lookup.find("bezirk", name) for name in names[-8:-1]]
    assert [answer.key for answer in districts if isinstance(answer, Found)] == list("1234567")
