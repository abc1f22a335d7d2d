from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from importer_help import write_toml

from importers.errors import MappingError
from importers.mapping import (
    SHIPPED,
    Mapping,
    Rule,
    canonical,
    factors,
    read_mapping,
    require_columns,
    require_known,
    scaled,
)
from importers.parts import PARTS
from importers.sources.base import objects

COLUMNS = {
    name: objects(values)
    for name, values in {
        "id": ["02101", "02202", None],
        "adresse": ["Schulweg 12 b", "Am Markt", ""],
        "art": ["Bücherhalle", "Treff", None],
        "kurz": ["7", "", None],
        "zahl": [5, 12, None],
        "komma": [2101.0, 2.5, None],
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
        ({"from": "adresse", "part": "street"}, ["Schulweg", "Am Markt", None]),
        ({"from": "adresse", "part": "house_number", "default": "ohne"}, ["12 b", "ohne", "ohne"]),
        ({"from": "komma", "zfill": 5}, ["02101", "002.5", None]),
        ({"from": "id", "lookup": "stadtteil"}, ["02101", "02202", None]),
        ({"from": "zahl", "factor": 0.01}, [5, 12, None]),
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
        ("[dataset]\nrelease = 'alle'\n", "dataset.release: der Wert „alle“ passt hier nicht"),
        ("[columns]\nname = { from = [] }\n", "eine Regel braucht entweder „from“ oder „constant“"),
        ("[columns]\nname = { from = 'x', part = 'strasse' }\n", "columns.name.part: der Wert „strasse“ passt hier"),
        ("[columns]\nname = { from = 'x', factor = 0 }\n", "der Faktor darf nicht 0 sein"),
        ("[columns]\nname = { from = 'x', factor = inf }\n", "columns.name.factor"),
        ("[source]\nheader_rows = 0\n", "source.header_rows: der Wert „0“ passt hier nicht"),
        ("[source]\nencoding = 'klingonisch'\n", "die Zeichenkodierung „klingonisch“ wird nicht gelesen"),
        ("[source]\nencoding = 'base64'\n", "die Zeichenkodierung „base64“ wird nicht gelesen"),
        ("[source]\nfooter = '('\n", "kein gültiger regulärer Ausdruck"),
        ("[source.sections]\nx = '('\n", "kein gültiger regulärer Ausdruck"),
        ("[source]\ntitle_row = 2\n", "title_row ist größer als header_rows"),
        ("[source]\nheader_rows = 3\n[source.workbook]\ntitle_row = 4\n", "title_row ist größer"),
        ("[unpivot]\nvalue = 'x'\n", "unpivot: [unpivot] braucht „pattern“, „rest“ oder"),
        ("[unpivot]\npattern = 'a(b)'\n", "„pattern“ und „into“ gehören zusammen"),
        ("[unpivot]\nrest = 'x'\ninto = 'period'\n", "„pattern“ und „into“ gehören zusammen"),
        ("[unpivot]\npattern = 'a(b)(c)'\ninto = 'period'\n", "genau eine Gruppe"),
        ("[unpivot]\npattern = '('\ninto = 'period'\n", "kein gültiger regulärer Ausdruck"),
        ("[unpivot]\npattern = '(a)'\ninto = 'period'\nexcept = ['x']\n", "„except“ gehört zu „rest“"),
        ("[unpivot]\nrest = 'value'\n", "„value“ ist die Spalte der Werte"),
        (
            "[[unpivot.column]]\nfrom = 'a'\n[[unpivot.column]]\nfrom = 'a'\n",
            "„a“ ist unter [[unpivot.column]] zweimal",
        ),
        ("[[unpivot.column]]\nfrom = 'a'\nfactor = 0\n", "der Faktor darf nicht 0 sein"),
        ("[[unpivot.column]]\nfrom = 'a'\nset = { position = 3 }\n", "unpivot.column.0.set.position"),
        ("[columns]\nvalue = 'x'\n[unpivot]\nrest = 'indicator'\n", "„value“ kommt aus [unpivot]"),
        ("[columns]\nindicator = 'x'\n[unpivot]\nrest = 'indicator'\n", "„indicator“ kommt aus [unpivot]"),
        (
            "[columns]\na = { from = 'x', lookup = 'b' }\n[[unpivot.column]]\nfrom = 'a'\nset = { b = 'c' }\n",
            "für „a“ geht lookup nicht zusammen",
        ),
        ("[aliases]\nstadtteil = 'x'\n", "aliases.stadtteil"),
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
    # What comes from no official service has the licence of where it was found.
    others = {"stadtteilprofile_2014", "stadtteile_statistik", "statgebiete", "statistische_gebiete",
              "statistische_gebiete_sozialstatus"}  # fmt: skip
    official = path.stem not in others and not path.stem.startswith("osm_")
    assert (mapping.dataset.licence == "dl-de/by-2-0") == official
    assert (mapping.dataset.licence == "ODbL 1.0") == path.stem.startswith("osm_")
    assert mapping.dataset.licence
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


def test_a_mapping_holds_what_figures_need(tmp_path: Path) -> None:
    body = """
        level = "stadtteil"
        category = "okja"
        [dataset]
        counting = "stichtag"
        unit = "personen"
        scope = "ohne unbegleitete minderjährige Ausländer"
        population_period = "2013"
        release = "internal"
        [aliases.stadtteil]
        "Kl. Grasbrook" = "02117"
        "Steinwerder/Kl. Grasbrook" = ["02118", "02117"]
    """
    mapping = read_mapping(write_toml(tmp_path / "m.toml", body))
    assert (mapping.level, mapping.category) == ("stadtteil", "okja")
    assert mapping.aliases == {"stadtteil": {"Kl. Grasbrook": "02117", "Steinwerder/Kl. Grasbrook": ("02118", "02117")}}
    info = mapping.dataset
    assert (info.counting, info.unit, info.population_period, info.release) == (
        "stichtag", "personen", "2013", "internal")  # fmt: skip
    assert info.scope == "ohne unbegleitete minderjährige Ausländer"
    assert mapping.unpivot is None
    assert mapping.makes() == ()


@pytest.mark.parametrize(
    ("text", "street", "number"),
    [
        ("Sportplatzring 71", "Sportplatzring", "71"),
        ("Alter Elbtunnel", "Alter Elbtunnel", None),
        ("Straße des 17. Juni 135", "Straße des 17. Juni", "135"),
        ("Straße des 17. Juni", "Straße des 17. Juni", None),
        ("Grindelallee 100a-c", "Grindelallee", "100a-c"),
        ("Horner Weg 1 / 3", "Horner Weg", "1 / 3"),
        ("Am Markt 5 (Hinterhaus)", "Am Markt", "5"),
        ("Albert-Einstein-Ring 1-3 a", "Albert-Einstein-Ring", "1-3 a"),
        ("Langenhorner Markt 1-18 (LaHoMa Living Plaza)", "Langenhorner Markt", "1-18"),
        ("Lyserstraße 23-25 ", "Lyserstraße", "23-25"),
        ("Musterstr.5", "Musterstr.", "5"),
        ("Musterstr. 5, 2. OG", "Musterstr.", "5"),
        ("Musterweg 5 Haus 3", "Musterweg", "5"),
        ("Musterweg 5 im Hof", "Musterweg", "5"),
        ("Allee 5 und 7", "Allee", "5 und 7"),
        ("Hauptstr. Nr. 9", "Hauptstr.", "9"),
        ("Am Haus 5", "Am Haus", "5"),
        ("Q5, 14-22", "Q5", "14-22"),
        ("Platz der 50er Jahre", "Platz der 50er Jahre", None),
        ("Sportplatzring 71, 22527 Hamburg", "Sportplatzring", "71"),
        ("22527 Hamburg", None, None),
        ("71", None, "71"),
        ("  ", None, None),
        ("x" * 400 + " 5", "x" * 400 + " 5", None),
    ],
)
def test_an_address_is_street_and_number(text: str, street: str | None, number: str | None) -> None:
    assert (PARTS["street"](text), PARTS["house_number"](text)) == (street, number)


@pytest.mark.parametrize(
    ("text", "postcode", "city"),
    [
        ("22527 Hamburg", "22527", "Hamburg"),
        ("D-22527 Hamburg-Altona", "22527", "Hamburg-Altona"),
        (" 21039   Neu Börnsen ", "21039", "Neu Börnsen"),
        ("Sportplatzring 71, 22527 Hamburg, Deutschland", "22527", "Hamburg"),
        ("Hamburg", None, "Hamburg"),
        ("22527", "22527", None),
        ("225270 Hamburg", None, None),
        ("", None, None),
    ],
)
def test_a_place_is_postcode_and_city(text: str, postcode: str | None, city: str | None) -> None:
    assert (PARTS["postcode"](text), PARTS["city"](text)) == (postcode, city)


words = st.lists(st.sampled_from(["Am", "alten", "Müllers", "Weg", "St.", "Groß-Flottbek", "Ring"]), min_size=1)


@given(words.map(" ".join), st.from_regex(r"[1-9][0-9]{0,3}( ?[a-z])?(-[1-9][0-9]{0,2})?", fullmatch=True))
def test_street_and_number_written_together_come_apart_again(street: str, number: str) -> None:
    assert (PARTS["street"](f"{street} {number}"), PARTS["house_number"](f"{street} {number}")) == (street, number)
    assert PARTS["street"](f"{street} {number}, 22527 Hamburg") == street


@given(st.text(max_size=60))
def test_no_part_is_empty_or_invented(text: str) -> None:
    line = " ".join(text.split())
    for part in PARTS.values():
        found = part(text)
        assert found is None or (found and found in line and found == found.strip())


@given(st.decimals(-1000, 1000, places=1), st.sampled_from([0.01, 0.001, 0.1]))
def test_percent_become_the_fraction_a_person_would_write(percent: Any, factor: float) -> None:
    exact = float(percent * type(percent)(str(factor)))
    assert scaled(np.array([float(percent), np.nan]), factor)[0] == exact


def test_numbers_are_scaled_each_by_its_factor() -> None:
    made = scaled(np.array([1.5, 62.3, np.nan, 7.0]), np.array([1000.0, 0.01, 0.01, -1.0]))
    assert made[:2].tolist() == [1500.0, 0.623]
    assert np.isnan(made[2])
    assert made[3] == -7


def test_a_factor_belongs_to_numbers() -> None:
    rules = {"supply": Rule.model_validate({"from": "x", "factor": 10}), "name": Rule.model_validate({"from": "y"})}
    assert factors(rules, ("supply", "use")) == {"supply": 10}
    with pytest.raises(MappingError, match=r"„supply“ einen Faktor.*Möglich ist er bei: use"):
        factors(rules, ("use",))
    assert factors(Mapping().columns, ()) == {}
