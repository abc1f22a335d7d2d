"""The rules of disclosure control: stored by the settings, applied by whatever writes, told where they differ."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Database
from hand_rows import rows_in
from importer_help import load_city, query, write_csv
from placement_town import build, derive, place
from service_help import API, client_of, is_problem, rows_of, settings
from sqlalchemy import text

from geodata.database import lock_writers, reading, writing
from geodata.errors import ConflictError
from geodata.placement_rule import PlacementRule, read_rule
from service.cli import main
from service.cli.common import choose_stock
from service.instance import Stock, settings_of
from service.rules import apply_or_tell, apply_rules, deviations, rule_of

Run = Callable[..., tuple[int, str, str]]
BY_OFFICE = {("bezirk", "1", "zustaendig"): {"Hamburg": 40, "Bayern": 12, "Hessen": 4},
             ("bezirk", "2", "zustaendig"): {"Hamburg": 30, "Bayern": 20, "Hessen": 9}}  # fmt: skip
ROWS = [{"area_level": "bezirk", "area_key": "1", "period": "2021-Q3", "paragraph": "34", "provider_state": state,
         "cases": cases} for state, cases in (("Hamburg", 40), ("Bayern", 12), ("Hessen", 4))]  # fmt: skip


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    import os

    for name in list(os.environ):
        if name.startswith("SRK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield
    choose_stock(Stock.REAL)


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str, **given: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            patch.setenv("SRK_DATABASE_URL", database.serving_url)
            patch.setenv("SRK_ADMIN_DATABASE_URL", database.writing_url)
            for name, value in given.items():
                patch.setenv(name, value)
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main(list(arguments))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def town(database: Database) -> Database:
    """Placements of two Bezirke, derived by the rules every database begins with."""
    build(database.writing)
    with rows_in(database.writing) as rows:
        place(rows, BY_OFFICE)
        derive(rows)
    return database


def stored(database: Database) -> PlacementRule:
    with reading(database.serving) as session:
        return read_rule(session)


def data_version(database: Database) -> int:
    return int(query(database.writing, "SELECT data_version FROM instance_state")[0][0])


def hidden(database: Database) -> set[tuple[str, str]]:
    cells = "SELECT area_key, category FROM placement_cell WHERE suppressed AND level = 'bezirk'"
    return {(key, category) for key, category in query(database.writing, cells)}


def test_every_setting_is_a_rule() -> None:
    assert rule_of(settings()) == PlacementRule()
    given = settings(home_state="Bremen", home_level="stadt", published_levels=("ortsteil",), small_counts_below=5)
    assert rule_of(given) == PlacementRule("Bremen", "stadt", ("ortsteil",), 5)


@pytest.mark.parametrize("stock", [Stock.DEMO, Stock.EXAMPLES])
def test_demo_city_and_published_tables_have_rules_of_their_own(stock: Stock, database: Database) -> None:
    given = settings(home_state="Bremen", home_level="stadt", published_levels=(), small_counts_below=9, port=8123)
    assert rule_of(settings_of(given, stock)) == PlacementRule()
    assert settings_of(given, stock).port == 8123
    assert settings_of(given, Stock.REAL) is given
    assert apply_rules(database.writing, given, stock) is None
    assert stored(database) == PlacementRule()


def test_changed_rules_are_stored_and_all_that_is_published_follows(town: Database) -> None:
    before = data_version(town)
    assert apply_rules(town.writing, settings(), Stock.REAL) is None
    assert apply_rules(town.writing, settings(), Stock.REAL, anew=True) is None
    assert (data_version(town), hidden(town)) == (before, set())
    counts = apply_rules(town.writing, settings(small_counts_below=5), Stock.REAL)
    assert counts == {"unterdrückte Angaben zu Unterbringungen": len(query(
        town.writing, "SELECT FROM placement_cell WHERE suppressed"))}  # fmt: skip
    assert ("1", "Hessen") in hidden(town)
    assert stored(town).small == 5
    assert data_version(town) == before + 1
    apply_rules(town.writing, settings(home_state="Bayern"), Stock.REAL)
    (first, *_) = rows_of(client_of(town.serving, home_state="Bayern"), "/placements", level="bezirk")
    assert (first["outside_cases"], first["suppressed"]) == (44, False)
    problem = is_problem(client_of(town.serving).get(API + "/placements", params={"level": "bezirk"}), 409)
    assert "„Bayern“" in problem["detail"]


def test_levels_that_are_no_longer_published_go(database: Database) -> None:
    build(database.writing)
    with rows_in(database.writing) as rows:
        place(rows, {("stadtteil", "11", "herkunft"): {"Hamburg": 20}, ("bezirk", "1", "herkunft"): {"Hamburg": 20}})
        derive(rows)
    client = client_of(database.serving)
    assert rows_of(client, "/placements", level="stadtteil")
    apply_rules(database.writing, settings(published_levels=()), Stock.REAL)
    is_problem(client.get(API + "/placements", params={"level": "stadtteil"}), 400, "level")
    assert rows_of(client, "/placements", level="bezirk")


def test_what_was_loaded_before_there_were_rules_is_derived_once(database: Database) -> None:
    build(database.writing)
    with rows_in(database.writing) as rows:
        place(rows, BY_OFFICE)
    before = data_version(database)
    is_problem(client_of(database.serving).get(API + "/placements", params={"level": "bezirk"}), 400)
    assert apply_rules(database.writing, settings(), Stock.REAL) == {"unterdrückte Angaben zu Unterbringungen": 0}
    assert data_version(database) == before + 1
    assert rows_of(client_of(database.serving), "/placements", level="bezirk")
    assert apply_rules(database.writing, settings(), Stock.REAL) is None


def test_who_has_nothing_to_write_waits_for_nobody(town: Database) -> None:
    with writing(town.writing) as session:
        lock_writers(session)
        assert apply_rules(town.writing, settings(), Stock.REAL) is None


def test_figures_of_two_datasets_keep_the_old_rules_until_that_is_put_right(database: Database) -> None:
    build(database.writing)
    with rows_in(database.writing) as rows:
        place(rows, BY_OFFICE)
        place(rows, BY_OFFICE, dataset="placements.neu")
    given = settings(small_counts_below=5)
    with pytest.raises(ConflictError, match="zwei Beständen"):
        apply_rules(database.writing, given, Stock.REAL)
    said: list[str] = []
    apply_or_tell(database.writing, given, Stock.REAL, said.append)
    assert len(said) == 1
    assert "ließen sich nicht anwenden" in said[0]
    assert stored(database) == PlacementRule()


def test_deviations_name_the_settings() -> None:
    assert list(deviations(PlacementRule(), PlacementRule())) == []
    assert list(deviations(PlacementRule(), PlacementRule("Bremen", "stadt", ("ortsteil",), 5))) == [
        "SRK_HOME_STATE ist „Bremen“, gespeichert ist „Hamburg“",
        "SRK_HOME_LEVEL ist „stadt“, gespeichert ist „bezirk“",
        "SRK_PUBLISHED_LEVELS ist „ortsteil“, gespeichert ist „stadtteil,sozialraum“",
        "SRK_SMALL_COUNTS_BELOW ist „5“, gespeichert ist „3“",
    ]


class TestCommands:
    """Whatever writes applies the rules; ``doctor`` says where they differ."""

    def test_migrate_applies_them_and_says_so(self, run: Run, town: Database) -> None:
        code, out, _err = run("db", "migrate", SRK_SMALL_COUNTS_BELOW="5")
        assert code == 0
        assert "Die Regeln der Veröffentlichung sind angewandt. Unterdrückte Angaben zu Unterbringungen: " in out
        assert stored(town).small == 5
        assert run("db", "migrate", SRK_SMALL_COUNTS_BELOW="5")[1] == "Die Datenbank ist auf dem neuesten Stand.\n"

    def test_doctor_says_where_they_differ_and_what_to_do(self, run: Run, town: Database) -> None:
        def sentences(**given: str) -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            for finding in json.loads(run("doctor", "--json", **given)[1]):
                found.setdefault(finding["verdict"], []).append(finding["sentence"])
            return found

        assert "Kleine Fallzahlen sind nach den eingestellten Regeln geschützt." in sentences()["ok"]
        (failed,) = sentences(SRK_SMALL_COUNTS_BELOW="4", SRK_PUBLISHED_LEVELS="stadtteil")["fehlt"]
        assert "SRK_SMALL_COUNTS_BELOW ist „4“, gespeichert ist „3“" in failed
        assert "SRK_PUBLISHED_LEVELS" in failed
        assert failed.endswith("bitte „sozialraumkarte db migrate“ ausführen.")
        with writing(town.writing) as session:
            for table in ("placement_cell", "placement_sheet", "placement_pattern"):
                session.execute(text(f"DELETE FROM {table}"))
        assert any("noch nicht für Auswertungen aufbereitet" in one for one in sentences()["fehlt"])

    def test_imports_apply_them_but_a_rehearsal_does_not(self, run: Run, database: Database, tmp_path: Path) -> None:
        load_city(database.writing, tmp_path)
        file = str(write_csv(tmp_path / "unterbringungen.csv", list(ROWS)))
        given = {"SRK_SMALL_COUNTS_BELOW": "5"}
        assert run("import", "placements", file, "--dry-run", **given)[0] == 0
        assert stored(database) == PlacementRule()
        assert run("import", "placements", file, **given)[0] == 0
        assert stored(database).small == 5
        assert ("1", "Hessen") in hidden(database)
        assert run("import", "placements", file)[0] == 0
        assert stored(database) == PlacementRule()
        assert hidden(database) == set()

    def test_a_sync_applies_them(self, run: Run, database: Database, tmp_path: Path) -> None:
        load_city(database.writing, tmp_path)
        write_csv(tmp_path / "unterbringungen.csv", list(ROWS))
        plan = tmp_path / "quellen.toml"
        plan.write_text('[[source]]\nname = "placements"\nkind = "placements"\nfile = "unterbringungen.csv"\n')
        assert run("sync", str(plan), "--dry-run", SRK_SMALL_COUNTS_BELOW="5")[0] == 0
        assert stored(database) == PlacementRule()
        assert run("sync", str(plan), SRK_SMALL_COUNTS_BELOW="5")[0] == 0
        assert stored(database).small == 5
        assert ("1", "Hessen") in hidden(database)

    def test_settings_of_the_demo_city_are_shown_as_its_own(self, run: Run) -> None:
        for given in ({"SRK_HOME_STATE": "Bremen"}, {}):
            code, out, _err = run("settings", "--demo", "--json", **given)
            (row,) = [row for row in json.loads(out) if row["name"] == "SRK_HOME_STATE"]
            assert (code, row["value"], row["source"]) == (0, "Hamburg", "Datenbestand" if given else "Voreinstellung")

    @pytest.mark.parametrize(("name", "value", "word"), [
        ("SRK_HOME_STATE", "Atlantis", "kein Bundesland"), ("SRK_SMALL_COUNTS_BELOW", "1", "mindestens 2"),
        ("SRK_SMALL_COUNTS_BELOW", "drei", "keine ganze Zahl"), ("SRK_SMALL_COUNTS_BELOW", "101", "höchstens 100"),
    ])  # fmt: skip
    def test_rules_that_are_none_are_refused(self, run: Run, name: str, value: str, word: str) -> None:
        code, out, err = run("settings", **{name: value})
        assert (code, out) == (1, "")
        assert name in err
        assert word in err


def test_levels_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    from service.settings import Settings

    for given, levels in ((" stadtteil , sozialraum", ("stadtteil", "sozialraum")), ("", ()), ("kiez", ("kiez",))):
        monkeypatch.setenv("SRK_PUBLISHED_LEVELS", given)
        found: Any = Settings().published_levels
        assert found == levels
