from pathlib import Path
from typing import Any

import pytest
from importer_help import write_toml

from importers.errors import MappingError
from importers.mapping import SHIPPED, Rule, canonical, read_mapping, require_columns, require_known
from importers.sources.base import objects

COLUMNS = {
    name: objects(values)
    for name, values in {
        "id": ["02101", "02202", None],
        "adresse": ["Schulweg 12 b", "Am Markt", ""],
        "art": ["Bücherhalle", "Treff", None],
        "kurz": ["7", "", None],
        "zahl": [5, 12, None],
    }.items()
}


def applied(**rule: Any) -> list[Any]:
    return list(Rule.model_validate(rule).apply(COLUMNS, 3))


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ({"from": "id"}, ["02101", "02202", None]),
        ({"from": "id", "chars": "3"}, ["1", "2", None]),
        ({"from": "id", "chars": "1-5"}, ["02101", "02202", None]),
        ({"from": "id", "chars": "9"}, [None, None, None]),
        ({"from": "adresse", "pattern": r"(\d+\s*[a-z]?)$"}, ["12 b", None, None]),
        ({"from": "adresse", "pattern": r"\s(\d+)", "zfill": 4}, ["0012", None, None]),
        ({"from": "adresse", "pattern": r"\s(\d+)", "default": "0"}, ["12", "0", "0"]),
        ({"from": "kurz", "zfill": 3}, ["007", "000", None]),
        ({"from": "zahl", "zfill": 2}, ["05", "12", None]),
        ({"from": "art", "values": {"Bücherhalle": "sonstige"}}, ["sonstige", "Treff", None]),
        ({"from": "art", "values": {"Bücherhalle": "sonstige"}, "default": "okja"}, ["sonstige", "okja", "okja"]),
        ({"from": "kurz", "values": {"7": "ja"}, "default": "nein"}, ["ja", "nein", "nein"]),
        ({"from": "kurz", "default": "9"}, ["7", "9", "9"]),
        ({"constant": "Hamburg"}, ["Hamburg", "Hamburg", "Hamburg"]),
        ({"from": ["kurz", "id"]}, ["7", "02202", None]),
        ({"from": ["kurz", "art", "adresse"]}, ["7", "Treff", ""]),
        ({"from": "id", "chars": "3", "values": {"1": "eins"}, "default": "andere"}, ["eins", "andere", "andere"]),
    ],
)
def test_rules_make_columns(rule: dict[str, Any], values: list[Any]) -> None:
    # Padding an empty text is the one step that makes something of nothing; empty stays empty where nothing is padded.
    if rule == {"from": "kurz", "zfill": 3}:
        values = ["007", values[1], None]
    assert applied(**rule) == values


def test_columns_are_found_by_rule_then_by_name_else_empty() -> None:
    columns = {name: objects([value]) for name, value in {" Name ": "a", "schluessel": "7", "KEY": "8"}.items()}
    table = canonical(columns, 1, {"key": Rule.model_validate({"from": "schluessel"})}, ("key", "name", "parent_key"))
    assert {name: values.tolist() for name, values in table.items()} == {
        "key": ["7"],
        "name": ["a"],
        "parent_key": [None],
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[columns\n", "kein gültiges TOML"),
        ("[spalten]\nname = 'x'\n", "spalten: diesen Eintrag gibt es nicht"),
        ("[columns]\nname = { from = 'x', muster = 'y' }\n", "columns.name.muster: diesen Eintrag gibt es nicht"),
        ("[columns]\nname = { chars = '3' }\n", "eine Regel braucht entweder „from“ oder „constant“"),
        ("[columns]\nname = { from = 'x', constant = 'y' }\n", "eine Regel braucht entweder „from“ oder „constant“"),
        ("[columns]\nname = { from = 'x', chars = '0' }\n", "chars ist eine Stelle"),
        ("[columns]\nname = { from = 'x', chars = 'drei' }\n", "chars ist eine Stelle"),
        ("[columns]\nname = { from = 'x', pattern = '(' }\n", "kein gültiger regulärer Ausdruck"),
        ("[columns]\nname = { from = 'x', pattern = 'abc' }\n", "genau eine Gruppe"),
        ("[columns]\nname = { from = 'x', pattern = '(a)(b)' }\n", "genau eine Gruppe"),
        ("[columns]\nname = 7\n", "columns.name"),
        ("[source]\ndecimal = ';'\n", "source.decimal: der Wert „;“ passt hier nicht"),
        ("[source]\ndash = 'null'\n", "source.dash: der Wert „null“ passt hier nicht"),
        ("[dataset]\nas_of = 'gestern'\n", "dataset.as_of"),
    ],
)
def test_a_bad_mapping_is_refused_with_a_sentence(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        read_mapping(write_toml(tmp_path / "m.toml", body))
    sentence = str(refused.value)
    assert said in sentence
    assert "m.toml" in sentence
    assert "\n" not in sentence
    assert "Extra inputs" not in sentence


@pytest.mark.parametrize("name", ["gibt-es-nicht.toml", "."])
def test_a_mapping_that_cannot_be_read_is_named(name: str) -> None:
    with pytest.raises(MappingError, match=r"lässt sich nicht lesen"):
        read_mapping(Path(name))


def test_a_mapping_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alt.toml"
    path.write_bytes('[dataset]\ntitle = "Äcker"\n'.encode("cp1252"))
    with pytest.raises(MappingError, match=r"lässt sich nicht lesen"):
        read_mapping(path)


@pytest.mark.parametrize("path", sorted(SHIPPED.rglob("*.toml")), ids=lambda path: path.stem)
def test_shipped_mappings_are_valid_and_found_by_short_name(path: Path) -> None:
    mapping = read_mapping(path.relative_to(SHIPPED))
    assert mapping.columns
    assert mapping.dataset.licence == "dl-de/by-2-0"
    assert mapping.dataset.attribution


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    rule = {"key": Rule.model_validate({"from": "schluessel"})}
    with pytest.raises(MappingError) as refused:
        require_columns(rule, ("id", "name"), ("key", "name"), "gebiete.csv")
    assert str(refused.value) == (
        "„gebiete.csv“ hat keine Spalte „schluessel“ (gebraucht für „key“). Vorhanden: id, name."
    )
    with pytest.raises(MappingError, match=r"hat keine Spalte „key“. Vorhanden: id, name. Mit --mapping"):
        require_columns({}, ("id", "name"), ("key", "name"), "gebiete.csv")
    require_columns({}, (" Key ", "NAME"), ("key", "name"), "gebiete.csv")


def test_a_canonical_column_that_does_not_exist_is_refused() -> None:
    require_known(["key"], ("key", "name"), "Gebieten")
    with pytest.raises(MappingError, match=r"„schluessel“, die es bei Gebieten nicht gibt. Möglich sind: key, name"):
        require_known(["key", "schluessel"], ("key", "name"), "Gebieten")
