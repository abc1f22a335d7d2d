"""``sozialraumkarte export map``: what the files hold, and that no foreign folder is written over."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from conftest import Database
from hand_rows import FACILITIES, rows_in
from hostile_names import CORPUS
from hostile_town import build
from service_help import settings
from sqlalchemy import text

from geodata.database import reading
from service.cli import main
from service.exports.map import StaticMap, static_map


class Page(HTMLParser):
    """Elements with their attributes, and the bodies of scripts and styles."""

    def __init__(self, source: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.bodies: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self._into = ""
        self.feed(source.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.bodies:
            self._into = tag
            self.bodies[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._into:
            self._into = ""

    def handle_data(self, data: str) -> None:
        if self._into:
            self.bodies[self._into][-1] += data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [given for name, given in self.tags if name == tag]

    @property
    def policy(self) -> str:
        return next(str(one["content"]) for one in self.all("meta") if "http-equiv" in one)


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database]) -> Database:
    made = new_database()
    with rows_in(made.writing) as rows:
        build(rows)
        version = rows.session.execute(text("SELECT current_import_id FROM dataset WHERE name = :n"), {"n": FACILITIES})
        number = version.scalar_one()
        rows.house(number, "heim", (900, 300), "protected")
        rows.house(number, "still", (800, 300), "area_only")
        rows.link()
    return made


@pytest.fixture(scope="module")
def made(town: Database) -> StaticMap:
    with reading(town.serving) as session:
        return static_map(session, settings(), "de")


def data_of(made: StaticMap) -> dict[str, Any]:
    (body,) = (one.body for one in made.scripts if one.name == "daten.js")
    found: dict[str, Any] = json.loads(body.removeprefix("Object.assign(srkMap.files, ").removesuffix(");"))
    return found


def test_one_file_holds_everything_under_its_own_policy(made: StaticMap) -> None:
    page = Page(made.as_file())
    assert not [one for one in page.all("script") if "src" in one]
    assert [one["href"] for one in page.all("link")] == ["data:,"]
    hashes = {
        kind: {f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for body in bodies}
        for kind, bodies in page.bodies.items()
    }
    rules = {part.split()[0]: set(part.split()[1:]) for part in page.policy.split(";")}
    assert rules["default-src"] == {"'none'"}
    assert rules["script-src"] == hashes["script"]
    assert rules["style-src"] == hashes["style"]
    assert "connect-src" not in rules
    assert not page.all("img")
    assert not page.all("iframe")
    handlers = {name for _tag, given in page.tags for name in given if name.startswith("on") or name == "style"}
    assert not handlers


def test_a_folder_holds_files_that_name_each_other(made: StaticMap) -> None:
    files = made.as_folder()
    page = Page(files["index.html"])
    named = {str(one["src"]) for one in page.all("script")} | {
        str(one["href"]) for one in page.all("link") if one["rel"] == "stylesheet"
    }
    assert named == set(files) - {"index.html"}
    assert page.bodies == {"script": [""] * len(page.all("script")), "style": []}
    assert "'unsafe" not in page.policy
    for name, body in files.items():
        # Names with a colon and two slashes stand in data, licences and namespaces only; nothing is asked for there.
        if name.endswith(".css"):
            assert not re.search(rb"@import|url\(\s*['\"]?(?!data:|#)[^)]*//", body), name


def test_what_is_held_is_what_the_public_may_see(made: StaticMap) -> None:
    data = data_of(made)
    assert "heim" not in data["orte"]["id"]
    at = data["orte"]["id"].index("still")
    assert data["orte"]["lon"][at] is None
    assert not {"street", "phone", "lon", "lat", "provider_key"} & set(data["angaben"][at])
    assert len(data["angaben"]) == len(data["orte"]["id"]) == len(CORPUS) + 1
    assert {f"gebiete/{level}" for level in ("bezirk", "stadtteil", "statgebiet", "sozialraum")} <= set(data)
    assert len(data["gebiete/statgebiet"]["features"]) == 8
    assert {hit["kind"] for hit in data["suche"]} == {"area"}
    page = Page(made.as_file())
    rows = [one for one in page.all("tr") if "data-at" in one]
    assert len(rows) == len(CORPUS) + 1
    # Names are text, whatever they say. Signs that do not print are as they were.
    for name in CORPUS:
        assert "".join(name.split()) in "".join(page.text.split()), name[:40]


def test_the_same_data_makes_the_same_bytes(town: Database, made: StaticMap) -> None:
    with reading(town.serving) as session:
        again = static_map(session, settings(), "de")
    assert again.as_file() == made.as_file()


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["export", "map", *arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture
def folder(town: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SRK_DATABASE_URL", town.serving_url)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_writes_a_file_or_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--out", "karte.html") == 0
    assert "Geschrieben: karte.html" in capsys.readouterr().err
    assert 'lang="de"' in (folder / "karte.html").read_text(encoding="utf-8")
    assert run("--out", "karte", "--language", "en") == 0
    assert 'lang="en"' in (folder / "karte" / "index.html").read_text(encoding="utf-8")
    # Its own folder is renewed, whole.
    before = {path.name for path in (folder / "karte").iterdir()}
    (folder / "karte" / "daten.js").write_text("alt", encoding="utf-8")
    assert run("--out", "karte") == 0
    assert {path.name for path in (folder / "karte").iterdir()} == before
    assert "orte" in (folder / "karte" / "daten.js").read_text(encoding="utf-8")
    assert {path.name for path in folder.iterdir()} == {"karte.html", "karte"}


def test_a_foreign_folder_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "fremd").mkdir()
    (folder / "fremd" / "brief.txt").write_text("wichtig", encoding="utf-8")
    assert run("--out", "fremd") == 1
    said = capsys.readouterr().err
    assert "brief.txt" in said
    assert "Traceback" not in said
    assert [path.name for path in (folder / "fremd").iterdir()] == ["brief.txt"]
    # Nor is one of its own to which somebody has added something, nor one whose mark says nothing.
    assert run("--out", "eigen") == 0
    (folder / "eigen" / "dazu.txt").write_text("wichtig", encoding="utf-8")
    assert run("--out", "eigen") == 1
    assert (folder / "eigen" / "dazu.txt").exists()
    (folder / "leer").mkdir()
    assert run("--out", "leer") == 0
    for mark in ("kaputt", "[]", '{"made_by": "x", "files": ["brief.txt"]}'):
        (folder / "fremd" / "sozialraumkarte.json").write_text(mark, encoding="utf-8")
        assert run("--out", "fremd") == 1
    assert (folder / "fremd" / "brief.txt").read_text(encoding="utf-8") == "wichtig"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--out", "fehlt/karte"), "schreiben"),
        (("--out", "fehlt/karte.html"), "schreiben"),
        (("--out", "karte.html", "--language", "fr"), "--language"),
    ],
)
def test_what_cannot_be_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], word: str
) -> None:
    assert run(*arguments) == 1
    said = capsys.readouterr().err
    assert word in said
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []
