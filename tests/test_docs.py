"""The documentation is tested: its examples are read as they stand, and every command and setting is described."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import PROJECT
from typer.main import get_command

from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.mapping import read_mapping
from importers.sources import open_source
from service.cli.main import app
from service.settings import Settings

if TYPE_CHECKING:
    from conftest import Database

DOCS = PROJECT / "docs"


def blocks(name: str, language: str) -> list[str]:
    text = (DOCS / name).read_text(encoding="utf-8")
    found = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found, f"no {language} example in {name}"
    return found


def test_the_examples_of_data_load(database: "Database", tmp_path: Path) -> None:
    areas_csv, facilities_csv = blocks("datenquellen.md", "csv")
    home = tmp_path / "bezirk.geojson"
    ring = "[[[9.7,53.4],[10.3,53.4],[10.3,53.7],[9.7,53.7],[9.7,53.4]]]"
    home.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"key":"1","name":"Eins"},'
        f'"geometry":{{"type":"Polygon","coordinates":{ring}}}}}]}}'
    )
    import_areas(database.writing, open_source(home), AreasImport("bezirk"))
    (tmp_path / "areas.csv").write_text(areas_csv, encoding="utf-8")
    report = import_areas(
        database.writing, open_source(tmp_path / "areas.csv"), AreasImport("stadtteil", parent_level="bezirk")
    )
    assert (report.rows_loaded, report.rows_rejected) == (2, 0)
    (tmp_path / "facilities.csv").write_text(facilities_csv, encoding="utf-8")
    report = import_facilities(database.writing, open_source(tmp_path / "facilities.csv"), FacilitiesImport("okja"))
    assert (report.rows_loaded, report.rows_rejected, report.counts["Einrichtungen"]) == (2, 0, 1)


def test_the_example_of_a_mapping_is_one(tmp_path: Path) -> None:
    for number, body in enumerate(blocks("datenquellen.md", "toml")):
        path = tmp_path / f"{number}.toml"
        path.write_text(body, encoding="utf-8")
        assert read_mapping(path).columns


def test_every_setting_is_described() -> None:
    text = (DOCS / "betrieb.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"`SRK_{name.upper()}`" not in text]
    assert not missing


def test_every_command_in_the_documents_exists() -> None:
    commands: dict[str, object] = get_command(app).commands  # type: ignore[attr-defined]
    for path in (PROJECT / "README.md", *DOCS.glob("*.md")):
        for name in re.findall(r"sozialraumkarte ([a-z]+)(?= |`|$)", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert name in commands, f"{path.name}: {name}"


@pytest.mark.parametrize("path", ["README.md", "docs/betrieb.md", "docs/datenquellen.md", "docs/benchmarks.md"])
def test_links_and_pictures_are_there(path: str) -> None:
    file = PROJECT / path
    for target in re.findall(r"\]\(([^)#]+)\)", file.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (file.parent / target).exists(), target
