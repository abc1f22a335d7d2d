"""The list of sources: strict, in German, and in an order that works."""

import re
from pathlib import Path

import pytest

from importers.errors import MappingError
from importers.sync_file import Plan, SyncSource, read_plan

OK = '[[source]]\nname = "areas.bezirk"\nkind = "areas"\nlevel = "bezirk"\nfile = "bezirke.gpkg"\n'
HOMES = '[[source]]\nname = "facilities.okja"\nkind = "facilities"\ncategory = "okja"\nfile = "o.csv"\n'


def plan(tmp_path: Path, body: str, *only: str) -> Plan:
    path = tmp_path / "quellen.toml"
    path.write_text(body, encoding="utf-8")
    return read_plan(path, only)


BAD = [
    ("", "source: die Angabe fehlt."),
    ("source = []", "source: der Wert"),
    ("[[source]]\n", "Quelle 1: name: die Angabe fehlt."),
    ("[[source]", "kein gültiges TOML"),
    (OK + "farbe = 1\n", "Quelle „areas.bezirk“: farbe: diesen Eintrag gibt es nicht."),
    (OK.replace('"areas"\n', '"gebiete"\n'), "kind: „gebiete“ gibt es hier nicht; möglich sind: areas, facilities,"),
    (OK.replace("areas.bezirk", "Areas Bezirk"), "taugt nicht als Name eines Bestands"),
    (OK.replace("file", "url"), "url beginnt mit http:// oder https://"),
    (OK + 'url = "https://example.org/x.gpkg"\n', "braucht entweder url oder file"),
    (OK.replace('file = "bezirke.gpkg"\n', ""), "braucht entweder url oder file"),
    (OK.replace('level = "bezirk"\n', ""), "bei areas fehlt level"),
    (OK + 'category = "okja"\n', "category gibt es bei areas nicht."),
    (OK + 'replace = "periods"\n', "replace gibt es bei areas nicht."),
    (HOMES + "max_rejects = -1\n", "„-1“ ist keine Grenze"),
    (HOMES + 'max_rejects = "viele"\n', "„viele“ ist keine Grenze"),
    (HOMES + 'max_shrink = "30"\n', "max_shrink ist ein Anteil"),
    (HOMES + "keep_outside = -5\n", "Quelle „facilities.okja“: keep_outside: der Wert „-5“ passt hier nicht."),
    (HOMES + 'dash = "null"\n', "möglich sind: zero, missing"),
    (OK + OK, "nennt „areas.bezirk“ zweimal"),
    (OK + 'after = ["areas.mond"]\n', "after nennt „areas.mond“, das in „quellen.toml“ nicht steht"),
    (OK + "[http]\nattempts = 0\n", "attempts: der Wert „0“ passt hier nicht."),
    (OK + "[http]\nproxy = 1\n", "proxy: diesen Eintrag gibt es nicht."),
    (
        OK + 'after = ["areas.b"]\n' + OK.replace("areas.bezirk", "areas.b") + 'after = ["areas.bezirk"]\n',
        "warten Quellen im Kreis aufeinander",
    ),
]


@pytest.mark.parametrize(("body", "words"), BAD)
def test_what_is_wrong_with_a_list_is_one_sentence(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(MappingError) as caught:
        plan(tmp_path, body)
    sentence = str(caught.value)
    assert words in sentence
    assert "quellen.toml" in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert not any(word in sentence for word in ("should", "Input", "Extra", "pydantic"))


def test_a_list_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="gibt es nicht"):
        read_plan(tmp_path / "quellen.toml")
    (tmp_path / "quellen.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MappingError, match="lässt sich nicht lesen"):
        read_plan(tmp_path / "quellen.toml")
    with pytest.raises(MappingError, match="lässt sich nicht lesen"):
        read_plan(tmp_path)


def source(name: str, kind: str, **more: str) -> str:
    file = "" if "url" in more else 'file = "x.csv"\n'
    said = "".join(f"{key} = {value if value[:1] in '[{' else repr(value)}\n" for key, value in more.items())
    return f'[[source]]\nname = "{name}"\nkind = "{kind}"\n{file}{said}'


def test_the_usual_order(tmp_path: Path) -> None:
    body = (
        source("placements", "placements")
        + source("statistics.a", "statistics")
        + source("facilities.okja", "facilities", category="okja")
        + source("areas.stadtteil", "areas", level="stadtteil", mapping="hamburg/stadtteile.toml")
        + source("areas.bezirk", "areas", level="bezirk", parent_level="land")
        + source("network", "network")
        + source("areas.land", "areas", level="land")
        + source("catalogue", "catalogue")
        + source("addresses", "addresses")
        + source("population", "population")
    )
    made = plan(tmp_path, body)
    order = [task.name for task in made.tasks]
    for task in made.tasks:
        assert all(order.index(name) < order.index(task.name) for name in task.after)
    after = {task.name: set(task.after) for task in made.tasks}
    areas = {"areas.land", "areas.bezirk", "areas.stadtteil"}
    assert after == {
        "placements": areas | {"catalogue"},
        "statistics.a": areas | {"catalogue"},
        "facilities.okja": areas | {"addresses"},
        "areas.stadtteil": {"areas.bezirk"},  # its mapping names the level above
        "areas.bezirk": {"areas.land"},
        "network": set(),
        "areas.land": set(),
        "catalogue": set(),
        "addresses": set(),
        "population": areas,
    }
    needs = {task.name: set(task.needs) for task in made.tasks}
    assert needs["facilities.okja"] == needs["population"] == {"areas.bezirk"}, "the home level, and nothing else"
    assert needs["areas.stadtteil"] == {"areas.bezirk"}
    assert needs["statistics.a"] == needs["placements"] == needs["network"] == set()


def test_figures_need_the_areas_of_their_level(tmp_path: Path) -> None:
    figures = source("statistics.a", "statistics", mapping="hamburg/regionalstatistik_bezirke.toml")
    body = OK + source("areas.land", "areas", level="land") + figures
    needs = {task.name: set(task.needs) for task in plan(tmp_path, body).tasks}
    assert needs["statistics.a"] == {"areas.bezirk"}


def test_after_replaces_the_usual_order(tmp_path: Path) -> None:
    body = OK + source("facilities.okja", "facilities", category="okja", after="[]")
    assert [task.after for task in plan(tmp_path, body).tasks] == [frozenset(), frozenset()]


def test_a_mapping_beside_the_list_goes_before_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "hamburg").mkdir()
    (tmp_path / "hamburg" / "okja.toml").write_text('category = "jsa"\n', encoding="utf-8")
    for name, category in (("hamburg/okja.toml", "jsa"), ("hamburg/asd.toml", "asd")):
        (task,) = plan(tmp_path, source("facilities.x", "facilities", mapping=name)).tasks
        assert task.mapping.category == category
        assert task.broken is None


def test_what_breaks_one_source_only_waits_until_its_turn(tmp_path: Path) -> None:
    (tmp_path / "kaputt.toml").write_text("= 1", encoding="utf-8")
    body = OK + source("facilities.a", "facilities", mapping="kaputt.toml") + source("facilities.b", "facilities")
    broken = {task.name: task.broken for task in plan(tmp_path, body).tasks}
    assert broken["areas.bezirk"] is None
    assert "kein gültiges TOML" in str(broken["facilities.a"])
    assert "fehlt category" in str(broken["facilities.b"])


def test_only_some(tmp_path: Path) -> None:
    assert [task.name for task in plan(tmp_path, OK + HOMES, "facilities.okja").tasks] == ["facilities.okja"]
    with pytest.raises(MappingError, match=r"„areas.x“ gibt es in „quellen.toml“ nicht.* Möglich sind: areas"):
        plan(tmp_path, OK + HOMES, "areas.x")
    with pytest.raises(MappingError, match="abgeschaltet"):
        plan(tmp_path, OK + HOMES + "enabled = false\n", "facilities.okja")


def test_the_example_of_the_documentation_is_a_list(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "betrieb.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    made = plan(tmp_path, body)
    assert [(task.name, task.broken) for task in made.tasks] == [("areas.stadtteil", None), ("facilities.hze", None)]
    assert made.http.read_timeout_s == 120
    table = text[text.index("| Eintrag | Bedeutung |") :]
    missing = [name for name in SyncSource.model_fields if f"`{name}" not in table]
    assert not missing
