"""What importers say of options and columns is put into the words of the form; what comes from files is left alone."""

import ast
import re
from collections.abc import Iterator

import pytest
from conftest import PROJECT

from geodata.figure_tables import PLACEMENT_COUNTINGS
from service.uploads.fields import FIELDS, Kind, fields_of
from service.uploads.options import read_form
from service.uploads.sentences import in_form_words

OPTION = re.compile(r"(?<![\w-])--[a-z]")
# What the command line alone can import or say.
ELSEWHERE = {"network.py", "network_rows.py", "population.py", "report.py", "sync.py", "sync_file.py"}


def said(tree: ast.AST) -> Iterator[str]:
    """The texts of a module that name an option or a command, with a sign for what is filled in."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "9" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def sentences() -> Iterator[tuple[str, str]]:
    for path in [*sorted((PROJECT / "importers").rglob("*.py")), PROJECT / "geodata" / "versions.py"]:
        if path.name in ELSEWHERE or "demo" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = {ast.get_docstring(node, clean=False) for node in ast.walk(tree)
                      if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)}  # fmt: skip
        for text in said(tree):
            spoken = OPTION.search(text) or "„import " in text
            if spoken and text not in documented and not re.fullmatch(r"--[a-z-]+", text):
                yield path.name, text


def test_no_sentence_of_an_importer_names_an_option_to_somebody_at_a_form() -> None:
    found = list(sentences())
    assert len(found) > 15, "the importers are read"
    left = [(name, text) for name, text in found if OPTION.search(in_form_words(text))]
    assert left == []


def test_sentences_are_whole() -> None:
    told = {
        "bitte das Dezimalzeichen mit --decimal , oder --decimal . angeben.":
            "bitte im Feld „Dezimalzeichen“ Komma oder Punkt wählen.",
        "Die Koordinaten sind keine Grad; sieht nach UTM-Metern aus (--crs EPSG:25832).":
            "Die Koordinaten sind keine Grad; sieht nach UTM-Metern aus "
            "(im Feld „Koordinatensystem“ dann EPSG:25832 angeben).",
        "Von 3 Blättern wurde das erste gelesen (--layer wählt).":
            "Von 3 Blättern wurde das erste gelesen (ein anderes nennt das Feld „Blatt oder Ebene der Datei“).",
        "age_to muss über age_from liegen.": "„Alter bis“ muss über „Alter ab“ liegen.",
        "Zu supply fehlt die Einheit.": "Zur Kapazität fehlt die Einheit.",
        "Der Bestand „placements“ hat bisher release = internal, die Quelle public; in einem Bestand gilt nur eines. "
        "Bitte anpassen, einen anderen Bestand wählen (--dataset) oder alles ersetzen (--replace all).":
            "Der Bestand „placements“ hat bei „Freigabe“ bisher „nur für die Planung“, diese Datei „öffentlich“; "
            "in einem Bestand gilt nur eines. Bitte anpassen, einen anderen Bestand wählen oder im Feld "
            "„Was ersetzt wird“ den ganzen Bestand.",
        "--period: „x“ ist kein Zeitraum.": "Feld „Zeitraum“: „x“ ist kein Zeitraum.",
    }  # fmt: skip
    assert {sentence: in_form_words(sentence) for sentence in told} == told


@pytest.mark.parametrize("name", ["liste--key.csv", "--crs.csv", "Stand --level --name.xlsx"])
def test_what_a_file_is_called_is_no_option(name: str) -> None:
    sentence = f"„{name}“ hat keine Spalte „--key“. Vorhanden: --level, --crs."
    assert in_form_words(sentence) == sentence


def test_one_field_of_a_name_for_each_kind() -> None:
    for kind in Kind:
        names = [field.name for field in fields_of(kind)]
        assert len(names) == len(set(names)), kind
    (counting,) = [field for field in fields_of(Kind.PLACEMENTS) if field.name == "counting"]
    assert {value for value, _title in counting.choices or ()} == {"", *PLACEMENT_COUNTINGS}
    assert "bisher" not in counting.help, "a delivery without a word counts on key dates, whatever was before"
    assert [field for field in fields_of(Kind.PLACEMENTS) if field.name == "release"]
    assert all(field.label for field in FIELDS)


def test_a_named_dataset_does_not_replace_what_the_import_needs() -> None:
    for kind, field in ((Kind.FACILITIES, "category"), (Kind.AREAS, "level")):
        with pytest.raises(ValueError, match="Bitte die") as refused:
            read_form(kind, {"dataset": f"{kind.value}.liste"})
        assert refused.value.parameter == field  # type: ignore[attr-defined]
