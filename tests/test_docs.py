"""The examples of the documentation are imported as they stand, and give what the text says."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import PROJECT
from docs_help import WALK, Fence, fences, save, saved_by_qgis, table, text_of
from mapserver_server import layer, mapserver
from scripted_server import said, scripted_server
from sqlalchemy import Engine, text

from importers.sync_file import read_plan
from service.cli.main import main

if TYPE_CHECKING:
    from conftest import Database

PAGE_ROWS = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a reader who saves the files of the documents."""
    return tmp_path_factory.mktemp("leser")


@pytest.fixture(scope="module")
def web(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Real servers that publish the Bezirke of the documents: address in the documents -> address here."""
    bezirke = save(next(fence for fence in fences(WALK[0]) if fence.info == "bezirke.geojson"), folder)
    program = PROJECT / "tests" / "importers" / "pygeoapi_server.py"
    made = tmp_path_factory.mktemp("server")
    with ExitStack() as stack:
        log = stack.enter_context((made / "stderr").open("wb"))
        entries = [str(made), str(PAGE_ROWS), f"bezirke={bezirke}=4326"]
        child = subprocess.Popen(
            [sys.executable, str(program), *entries], stdout=subprocess.PIPE, stderr=log, text=True
        )
        stack.callback(child.wait)
        stack.callback(child.terminate)
        assert child.stdout is not None
        stack.enter_context(child.stdout)
        wfs = stack.enter_context(
            mapserver(made / "mapserver", [layer("bezirke", bezirke, "POLYGON", 4326)], PAGE_ROWS, "EPSG:25832")
        )
        files = stack.enter_context(scripted_server())
        files.put("/bezirke.geojson", said(bezirke.read_bytes()))
        api = child.stdout.readline().strip()
        assert api, (made / "stderr").read_text()
        yield {
            "https://daten.example.org/api": api,
            "https://daten.example.org/wfs": wfs,
            "https://daten.example.org/dateien": files.url,
        }


class Reader:
    """Runs commands as a reader types them; ``told`` is what those of the last block printed."""

    def __init__(self, folder: Path, web: dict[str, str]) -> None:
        self.folder = folder
        self.web = web
        self.told: list[str] = []
        self.commands = 0

    def follow(self, fence: Fence, name: str) -> None:
        if fence.is_file:
            path = save(fence, self.folder)
            if path.name == "stadtteile.geojson":
                saved_by_qgis(self.folder, path.stem)
        elif fence.language == "sh" and fence.info in {"laden", "scheitert"}:
            expected = int(fence.info == "scheitert")
            self.told = [line for words in fence.commands() for line in self.run(words, expected).splitlines()]
        elif fence.language == "text" and fence.info == "bericht":
            require_told(fence.body.splitlines(), self.told, name)

    def run(self, words: list[str], expected: int) -> str:
        for there, here in self.web.items():
            words = [word.replace(there, here) for word in words]
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(out), pytest.raises(SystemExit) as ended:
            main(words)
        assert (ended.value.code or 0) == expected, f"{words}\n{out.getvalue()}"
        self.commands += 1
        return out.getvalue()


def require_told(printed: list[str], told: list[str], name: str) -> None:
    """Each printed line must be the beginning of a line that was told, or of its sentence, in this order."""
    rest = iter(told)
    for line in printed:
        found = any(said.removeprefix("Fehler: ").startswith(line) for said in rest)
        assert found, f"{name}: „{line}“ steht nicht, oder nicht an dieser Stelle, in\n" + "\n".join(told)


@pytest.fixture(scope="module")
def walked(new_database: "Callable[[], Database]", folder: Path, web: dict[str, str]) -> "Database":
    """The database of a reader who has followed all examples in order."""
    made = new_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SRK_DATABASE_URL", made.serving_url)
        patch.setenv("SRK_ADMIN_DATABASE_URL", made.writing_url)
        reader = Reader(folder, web)
        for name in WALK:
            for fence in fences(name):
                reader.follow(fence, name)
    assert reader.commands > 30
    return made


def query(engine: Engine, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def shown(value: object) -> str:
    """Return a value as the documents print it."""
    if value is None:
        return ""
    return f"{value:g}".replace(".", ",") if isinstance(value, float) else str(value)


def test_a_list_becomes_what_the_text_says(walked: "Database") -> None:
    printed = table("zuordnungen.md", "name", "category", "street")
    found = query(
        walked.writing,
        "SELECT o.name, o.category, p.street, p.house_number, p.postcode, p.city, p.email, o.facility_id, o.supply "
        "FROM dataset d JOIN offer o ON o.import_id = d.current_import_id "
        "JOIN place p USING (import_id, facility_id) WHERE d.name = 'facilities.liste' ORDER BY o.facility_id",
    )
    assert [[shown(cell) for cell in row] for row in found] == [list(row.values()) for row in printed]


def test_ticked_ages_become_what_the_text_says(walked: "Database") -> None:
    found = query(
        walked.writing,
        "SELECT o.name, o.age_from, o.age_to FROM dataset d JOIN offer o ON o.import_id = d.current_import_id "
        "WHERE d.name = 'facilities.gruppen' ORDER BY o.offer_id",
    )
    printed = table("zuordnungen.md", "name", "age_from", "age_to")
    assert [[shown(cell) for cell in row] for row in found] == [list(row.values()) for row in printed]


def figures(database: "Database", dataset: str) -> dict[tuple[str, ...], float | None]:
    found = query(
        database.writing,
        "SELECT level, area_key, indicator, position, period, value FROM dataset d "
        "JOIN observation o ON o.import_id = d.current_import_id WHERE d.name = :dataset",
        dataset=dataset,
    )
    return {row[:5]: row[5] for row in found}


def test_a_wide_table_becomes_what_the_text_says(walked: "Database") -> None:
    printed = table("zuordnungen.md", "indicator", "position", "value")
    found = {key[2:4]: value for key, value in figures(walked, "statistics.breit").items() if key[1] == "11"}
    assert {key: shown(value) for key, value in found.items()} == {
        (row["indicator"], row["position"]): row["value"] for row in printed
    }


def test_the_other_tables_hold_what_their_files_say(walked: "Database") -> None:
    assert figures(walked, "statistics.vereine") == {
        ("stadtteil", "11", "vereine", "", "2022"): 12, ("stadtteil", "11", "vereine", "", "2023"): 14,
        ("stadtteil", "12", "vereine", "", "2022"): 7, ("stadtteil", "12", "vereine", "", "2023"): None,
    }  # fmt: skip
    assert {key[1]: value for key, value in figures(walked, "statistics.spielflaechen").items()} == {
        "11": 10, "12": 7, "21+22": 12, "22": 3, "ohne": 2,
    }  # fmt: skip
    assert {(*key[:2], key[2]): value for key, value in figures(walked, "statistics.uebersicht").items()} == {
        ("stadtteil", "11", "vereinsheime"): 3, ("stadtteil", "11", "tagespflege"): 40,
        ("stadtteil", "12", "vereinsheime"): 1, ("stadtteil", "12", "tagespflege"): 0,
        ("bezirk", "1", "vereinsheime"): 4, ("bezirk", "1", "tagespflege"): 40,
    }  # fmt: skip
    assert {(key[1], key[3], key[4]): value for key, value in figures(walked, "statistics.kinder").items()} == {
        ("11", "0-3", "2024"): 4, ("11", "3-6", "2024"): 9, ("12", "0-3", "2024"): 3, ("12", "3-6", "2024"): None,
    }  # fmt: skip
    # The last step of its section took the second year back.
    assert {key[4] for key in figures(walked, "statistics.hilfen")} == {"2023"}


def test_the_worked_example_of_the_surface(walked: "Database") -> None:
    """The printed factors and cells are recomputed by hand, and are what the surface holds."""
    *cells, area = [list(row.values()) for row in table("datenquellen.md", "", "Gitter, unter 18")]
    grid = [[int(cell) for cell in row[1:3]] for row in (*cells, area)]
    assert [sum(column) for column in zip(*grid[:-1], strict=True)] == grid[-1]
    official = figures(walked, "statistics.einwohner")
    under, everyone = (official["stadtteil", "11", "population", p, "2024-12-31"] for p in ("0-18", "total"))
    assert under is not None
    assert everyone is not None
    young, old = under / grid[-1][0], (everyone - under) / grid[-1][1]
    assert cells[0][3] == f"× {under:g}/{grid[-1][0]}, × {everyone - under:g}/{grid[-1][1]}"
    expected = [[a * young, b * old, a * young + b * old] for a, b in grid]
    assert [[float(cell) for cell in row[4:]] for row in (*cells, area)] == expected
    held = query(
        walked.writing,
        """
            SELECT sum(u.people) FILTER (WHERE b.age_to <= 18), sum(u.people) FILTER (WHERE b.age_from >= 18),
                   sum(u.people)
            FROM surface_area s JOIN surface_cell c USING (cell),
                 unnest(c.people) WITH ORDINALITY AS u (people, number)
                 JOIN (SELECT *, row_number() OVER (ORDER BY number) AS place FROM surface_band) b
                 ON b.place = u.number
            WHERE s.level = 'stadtteil' AND s.area_key = '11' GROUP BY c.cell ORDER BY 3 DESC
        """,
    )
    assert np.array(held) == pytest.approx(np.array(expected[:-1]))
    ((weight,),) = query(
        walked.writing, "SELECT weight FROM crosswalk WHERE source_key = '11' AND target_level = 'sozialraum'"
    )
    assert weight == pytest.approx(expected[1][2] / expected[2][2])
    assert "60 / 150 = 0,4." in text_of("datenquellen.md")
    split = query(
        walked.writing,
        "SELECT area_key, position, value FROM observation_split WHERE indicator = 'population' ORDER BY 1, 2",
    )
    assert split == [("21", "0-18", 6), ("21", "total", 36), ("22", "0-18", 2), ("22", "total", 12)]


def test_the_printed_list_of_sources_is_one(tmp_path: Path) -> None:
    plan = read_plan(save(next(fence for fence in fences(WALK[0]) if fence.info == "quellen.toml"), tmp_path))
    assert [(task.name, task.broken) for task in plan.tasks] == [("areas.bezirk", None), ("areas.stadtteil", None)]
