"""Nothing that users can name is left out of the documentation, and nothing it names is missing in the program."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from conftest import PROJECT
from docs_help import DOCS, Fence, backticked, fences, prose, table, text_of
from pydantic import BaseModel
from typer.main import get_command

from geodata.indicators import WELL_KNOWN
from importers.ages_rule import AgeClass, Ages
from importers.kinds import address_rows, facility_rows, network_rows, placement_rows, statistics_rows
from importers.kinds.catalogue import Catalogue, HelpGroupEntry, HelpTypeEntry, IndicatorEntry, RankEntry, StandardEntry
from importers.mapping import DatasetInfo, Identity, Mapping, Rule, SourceInfo, TableInfo, read_mapping
from importers.sources.http import HttpRules
from importers.sources.ogc_api import is_collection
from importers.sources.wfs import is_wfs
from importers.sync_file import HttpLimits, Kind, SyncSource
from importers.unpivot import Unpivot, UnpivotColumn
from service.cli.main import app
from service.settings import Settings

ALL = ("README.md", *sorted(path.name for path in DOCS.glob("*.md")))
MAPPING_PARTS = (Mapping, DatasetInfo, SourceInfo, TableInfo, Rule, Unpivot, UnpivotColumn, Ages, AgeClass, Identity)
CATALOGUE_PARTS = (Catalogue, IndicatorEntry, HelpTypeEntry, HelpGroupEntry, StandardEntry, RankEntry)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("zuordnungen.md", MAPPING_PARTS),
        ("datenquellen.md", CATALOGUE_PARTS),
        ("datenquellen.md", (SyncSource, HttpLimits)),
    ],
)
def test_every_key_of_the_files_is_described(name: str, parts: tuple[type[BaseModel], ...]) -> None:
    written = backticked(name) | {word for fence in fences(name) for word in re.findall(r"\w+", fence.body)}
    for part in parts:
        keys = {field.alias or key for key, field in part.model_fields.items()}
        assert not keys - written, f"{part.__name__}: {sorted(keys - written)}"


def test_every_canonical_column_is_described() -> None:
    written = backticked("datenquellen.md")
    kinds = (facility_rows, statistics_rows, placement_rows, address_rows, network_rows)
    columns = {column for kind in kinds for column in kind.COLUMNS} | {"key", "name", "parent_key"}
    assert not columns - written


def test_every_word_a_column_may_hold_is_named() -> None:
    from geodata import figure_tables as figure
    from geodata import tables as place

    words = {
        *figure.FLAGS, *figure.SCENARIOS, *figure.COUNTINGS, *figure.UNITS, *figure.INDICATOR_KINDS, *figure.AREA_ROLES,
        *place.CATEGORIES, *place.BARRIER_FREE, *place.SERVICE_AREAS, *place.SUPPLY_UNITS, *place.USE_UNITS,
        *(level.value for level in place.ReleaseLevel), *WELL_KNOWN,
    }  # fmt: skip
    assert not words - backticked("datenquellen.md")


def test_every_shipped_mapping_and_list_is_named() -> None:
    shipped = {path.stem for path in (PROJECT / "importers" / "mappings" / "hamburg").glob("*.toml")}
    named = {word for row in table("datenquellen.md", "Zuordnung", "wofür") for word in _codes(row["Zuordnung"])}
    assert named == shipped
    for path in [*(PROJECT / "sources").glob("*.toml"), *(PROJECT / "importers" / "catalogues").glob("*.toml")]:
        assert path.name in text_of("datenquellen.md")


def _codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_table_of_the_sync_file_says_which_kind_takes_what() -> None:
    rows = table("datenquellen.md", "Eintrag einer Quelle", "gilt für")
    kinds = set(get_args(Kind))
    tabular = kinds - {"population", "catalogue"}
    examples: dict[str, Any] = {
        "url": "https://x.example/", "file": "x.csv", "after": ["x"], "enabled": True, "as_of": "2026-01-01",
        "max_rejects": "5%", "max_shrink": "5%", "allow_orphans": True, "keep_outside": 1.0, "decimal": ",",
        "dash": "zero", "replace": "all", "allow_wider_release": True,
    }  # fmt: skip
    for row in rows:
        said = set(_codes(row["gilt für"])) & kinds
        said = kinds if row["gilt für"] == "alle" else tabular if "alle Tabellen" in row["gilt für"] else said
        for key in set(_codes(row["Eintrag einer Quelle"])) - {"name", "kind", "file"}:
            taken = {kind for kind in kinds if _takes(kind, key, examples.get(key, "x"))}
            assert taken == said, key


def _takes(kind: str, key: str, value: object) -> bool:
    needed = {"name": "x", "kind": kind} | ({"level": "x"} if kind == "areas" else {})
    place = {} if key == "url" else {"file": "x.csv"}
    try:
        SyncSource.model_validate(needed | place | {key: value})
    except ValueError:
        return False
    return True


def test_the_printed_limits_are_those_of_the_program() -> None:
    rules = HttpRules()
    for row in table("datenquellen.md", "Eintrag", "Bedeutung", "ohne Angabe"):
        values = [
            str(value).lower().removesuffix(".0") for value in (getattr(rules, k) for k in _codes(row["Eintrag"]))
        ]
        assert values == row["ohne Angabe"].split(", ")


def test_findings_are_quoted_as_the_program_says_them() -> None:
    """Each sentence of the table stands in the program, ``…`` for what it fills in."""
    rooms = [*(PROJECT / "importers").rglob("*.py"), *(PROJECT / "geodata").glob("*.py")]
    program = "\n".join(path.read_text(encoding="utf-8") for path in rooms)
    joined = re.sub(r'"\s*\n\s*f?"', "", program)
    for row in table("datenquellen.md", "Befund", "Was zu tun ist"):
        for sentence in re.findall(r"„((?:[^„“]|„[^“]*“)+)“", row["Befund"]):
            pattern = r"[^\n]*?".join(re.escape(part) for part in re.split("…", sentence))
            assert re.search(pattern, joined), sentence


def test_every_kind_of_file_is_named() -> None:
    source = (PROJECT / "importers" / "sources" / "opening.py").read_text(encoding="utf-8")
    endings = set(re.findall(r'"(\.[a-z]+)"', source)) | {".osm", ".pbf"}
    assert endings
    assert not {ending for ending in endings if f"{ending}`" not in text_of("datenquellen.md")}


def leaf(words: list[str]) -> Any:
    """Return the command that words name; fail for one there is not."""
    command: Any = get_command(app)
    for word in words:
        inner = getattr(command, "commands", None)
        if inner is None:
            break
        if not word.startswith("-"):
            assert word in inner, " ".join(words)
            command = inner[word]
    return command


def options_of(command: Any) -> set[str]:
    names = (name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts))
    return {name for name in names if name.startswith("--")}


def commands(path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with the words that name it."""
    command = leaf(list(path))
    yield path, command
    for name in getattr(command, "commands", {}):
        yield from commands((*path, name))


def printed_commands(name: str) -> list[list[str]]:
    """Return the commands a document prints, in blocks of any kind and in running text."""
    blocks = [fence.body for fence in fences(name) if fence.language in {"", "sh"}]
    inline = [code for code in re.findall(r"`([^`\n]+)`", prose(name)) if code.startswith("sozialraumkarte ")]
    return Fence("sh", None, "\n".join([*blocks, *inline])).commands()


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_option_in_the_documents_exists(name: str) -> None:
    for words in printed_commands(name):
        known = options_of(leaf(words)) | {"--demo", "--examples"}
        assert not {w for w in words if w.startswith("--")} - known, words
    anywhere = {option for _path, command in commands() for option in options_of(command)}
    inline = re.findall(r"`([^`\n]+)`", prose(name))
    named = {found[0] for code in inline if (found := re.match(r"--[a-z-]+", code))}
    assert not named - anywhere - {"--demo", "--examples"}


def test_every_option_of_the_importers_is_described() -> None:
    written = backticked("datenquellen.md") | {w for words in printed_commands("datenquellen.md") for w in words}
    for path, command in commands():
        if path[:1] in {("import",), ("sync",)}:
            described = written | {option.replace("--", "--no-", 1) for option in written} | {"--help"}
            assert not options_of(command) - described, path
            assert not path[1:] or f"import {path[1]}" in text_of("datenquellen.md")


def test_addresses_of_services_are_read_as_such() -> None:
    for words in printed_commands("datenquellen.md"):
        for word in words:
            if word.startswith("https://api.hamburg.de/"):
                assert is_collection(word)
            elif word.startswith("https://geodienste.hamburg.de/"):
                assert is_wfs(word)


@pytest.mark.parametrize("name", ALL)
def test_shipped_mappings_in_commands_are_there(name: str) -> None:
    for word in re.findall(r"\bhamburg/[a-z0-9_]+\.toml", text_of(name)):
        assert word == "hamburg/NAME.toml" or read_mapping(Path(word))


def test_every_setting_is_described() -> None:
    missing = [name for name in Settings.model_fields if f"`SRK_{name.upper()}`" not in text_of("betrieb.md")]
    assert not missing


@pytest.mark.parametrize("name", ALL)
def test_links_and_pictures_are_there(name: str) -> None:
    here = PROJECT if name == "README.md" else DOCS
    for target, _, anchor in (found.partition("#") for found in re.findall(r"\]\(([^)]+)\)", text_of(name))):
        if target.startswith("http"):
            continue
        path = here / target if target else here / name
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(prose(path.name)), f"{target}#{anchor}"


def anchors(body: str) -> set[str]:
    """Return the anchors of a document's headings, as they are made of them: small, blanks as hyphens, no signs."""
    heads = re.findall(r"^#+ (.+)$", body, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
