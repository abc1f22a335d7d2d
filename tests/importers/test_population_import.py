import json
import random
from pathlib import Path
from typing import Any

import pytest
import shapely
from importer_help import findings, write_xlsx
from people_help import (
    EAST,
    FROM_GRID,
    HEADER,
    NORTH,
    box,
    cell_row,
    load_areas,
    load_grid,
    near,
    query,
    random_grid,
    surface,
    write_grid,
)

from geodata.database import lock_writers, writing
from geodata.errors import SrkError
from geodata.versions import rollback
from importers.errors import MappingError, RefusedError, SourceError
from importers.kinds.population import PopulationImport, import_population
from importers.load import Limit, Rules
from importers.sources import open_source

CITY = {"A": box(0, 0, 1000, 1000), "B": box(1000, 0, 1000, 1000)}
DATA = ((300, 300), (700, 700), (1200, 500), (1800, 500))
LENIENT = Rules(Limit(share=0.5), Limit(share=1.0))


@pytest.fixture
def city(database: Any, tmp_path: Path) -> Any:
    load_areas(database.writing, tmp_path, "stadtteil", CITY)
    return database


def rows() -> list[list[Any]]:
    return [near(x, y, 10 + i, 2 + i, "–", 6, 2, "–") for i, (x, y) in enumerate(DATA)]


def grid_file(folder: Path, cells: list[list[Any]] | None = None, **options: Any) -> Path:
    return write_grid(folder / "gitter.csv", rows() if cells is None else cells, **options)


def cells(database: Any) -> list[tuple[Any, ...]]:
    return query(
        database.writing,
        """
            SELECT cell_id, total, under_18, from_18_to_30, from_30_to_50, from_50_to_65, from_65
            FROM population_cell c JOIN dataset d ON d.current_import_id = c.import_id ORDER BY total
        """,
    )


def unchanged(database: Any) -> None:
    assert query(database.writing, "SELECT count(*) FROM population_cell") == [(0,)]
    assert query(database.writing, "SELECT count(*) FROM dataset WHERE kind = 'population'") == [(0,)]
    assert surface(database.writing) == {}


EXPECTED = [(row[0], 10 + i, 2 + i, 0, 6, 2, 0) for i, row in enumerate(rows())]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
def test_the_published_layout_loads(city: Any, tmp_path: Path, encoding: str) -> None:
    report = load_grid(city.writing, grid_file(tmp_path, encoding=encoding))
    assert cells(city) == EXPECTED
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (4, 4, 0)
    assert report.counts["als 0 gelesene Striche"] == 8
    assert (report.encoding, report.crs) == (encoding, "EPSG:3035")
    points = query(city.writing, "SELECT cell_id, ST_X(geom), ST_Y(geom) FROM population_cell ORDER BY total")
    for (_cell, x, y), row in zip(points, rows(), strict=True):
        assert (x, y) == pytest.approx(FROM_GRID.transform(row[1], row[2]), abs=1e-6)


def test_columns_may_stand_in_any_order_and_case_with_others_between(city: Any, tmp_path: Path) -> None:
    header = [name.upper() for name in (*HEADER[::-1], "Notiz", "werterlaeuternde_Zeichen")]
    report = load_grid(city.writing, grid_file(tmp_path, [[*row[::-1], "x", ""] for row in rows()], header=header))
    assert cells(city) == EXPECTED
    assert findings(report, "info") == [(None, None, "NOTIZ", "Diese Spalten wurden nicht verwendet.")]


def test_a_workbook_loads_too(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, write_xlsx(tmp_path / "gitter.xlsx", [list(HEADER), *rows()]))
    assert cells(city) == EXPECTED


def test_the_total_alone(city: Any, tmp_path: Path) -> None:
    header = (*HEADER[:3], "Einwohner")
    load_grid(city.writing, grid_file(tmp_path, [row[:4] for row in rows()], header=header))
    assert cells(city) == [(*expected[:2], None, None, None, None, None) for expected in EXPECTED]
    assert query(city.writing, "SELECT age_from, age_to FROM surface_band") == [(0, None)]
    assert "Das Gitter nennt kein Alter" in " ".join(surface(city.writing)["notes"])


def test_what_is_not_stated_stays_missing(city: Any, tmp_path: Path) -> None:
    changed = rows()
    changed[0][4:] = [None, "", ".", "/", 2]
    load_grid(city.writing, grid_file(tmp_path, changed))
    assert cells(city)[0][1:] == (10, None, None, None, None, 2)
    people = query(city.writing, "SELECT sum(p) FROM surface_cell, unnest(people) AS p")
    assert people == [(pytest.approx(10 + 11 + 12 + 13),)]


def test_cells_outside_are_counted_not_loaded(city: Any, tmp_path: Path) -> None:
    beside = [near(5000, 5000, 10, 1, 1, 1, 1, 1), near(-500, 500, 9, 1, 1, 1, 1, 1)]
    far = cell_row(4_552_050, 2_748_050, "kaputt", *[None] * 5)
    padded = [*rows(), *beside, far]
    report = load_grid(city.writing, grid_file(tmp_path, padded))
    assert cells(city) == EXPECTED
    assert report.counts["Zellen außerhalb der Gebiete"] == 3
    assert (report.rows_read, report.rows_rejected) == (4, 0)


def test_the_filter_is_that_of_the_areas(city: Any, tmp_path: Path) -> None:
    wide = random_grid([box(-500, -500, 3000, 2000)], 500, 4)
    load_grid(city.writing, grid_file(tmp_path, wide))
    union = shapely.union_all(list(CITY.values()))
    expected = {row[0] for row in wide if union.covers(shapely.Point(FROM_GRID.transform(row[1], row[2])))}
    assert {cell[0] for cell in cells(city)} == expected
    assert 100 < len(expected) < 400


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({3: -4}, "Insgesamt_Bevoelkerung", "Eine Zahl von Menschen kann nicht negativ sein."),
        ({3: "−4"}, "Insgesamt_Bevoelkerung", "Eine Zahl von Menschen kann nicht negativ sein."),
        ({4: "2,5"}, "Unter18", "Das ist keine ganze Zahl."),
        ({4: "2.0"}, "Unter18", "Das ist keine ganze Zahl."),
        ({8: "drei"}, "a65undaelter", "Das ist keine ganze Zahl."),
        ({8: "1e3"}, "a65undaelter", "Das ist keine ganze Zahl."),
        ({3: 900_000}, "Insgesamt_Bevoelkerung", "So viele Menschen wohnen nicht auf einem Hektar."),
        (dict.fromkeys(range(3, 9)), "Insgesamt_Bevoelkerung", "Die Zelle nennt keine Einwohner."),
        ({0: "CRS3035RES100mN1E1"}, "x_mp_100m", "Gitter-Kennung und Mittelpunkt passen nicht zusammen."),
        ({0: "100mN33E43"}, "GITTER_ID_100m", "Das ist keine Kennung einer 100-m-Zelle (CRS3035RES100mN…E…)."),
        ({0: None}, "GITTER_ID_100m", "Das ist keine Kennung einer 100-m-Zelle (CRS3035RES100mN…E…)."),
        ({1: "abc"}, "x_mp_100m", "Der Mittelpunkt ist keine ganze Zahl von Metern."),
        ({1: None}, "x_mp_100m", "Der Mittelpunkt ist keine ganze Zahl von Metern."),
    ],
)
def test_a_bad_cell_is_a_reject(city: Any, tmp_path: Path, change: dict[int, object], field: str, reason: str) -> None:
    changed = rows()
    for column, value in change.items():
        changed[1][column] = value
    report = load_grid(city.writing, grid_file(tmp_path, changed), rules=LENIENT)
    assert [(row, name, why) for row, name, _value, why in findings(report, "reject")] == [(3, field, reason)]
    assert cells(city) == [row for i, row in enumerate(EXPECTED) if i != 1]
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (4, 3, 1)


def test_too_many_bad_cells_change_nothing(city: Any, tmp_path: Path) -> None:
    changed = rows()
    changed[1][3] = -4
    with pytest.raises(RefusedError, match="1 von 4 Zeilen wurden zurückgewiesen"):
        load_grid(city.writing, grid_file(tmp_path, changed))
    unchanged(city)


def test_cells_twice_are_rejects(city: Any, tmp_path: Path) -> None:
    report = load_grid(city.writing, grid_file(tmp_path, [*rows(), rows()[2]]), rules=LENIENT)
    assert [(row, why) for row, _field, _value, why in findings(report, "reject")] == [
        (4, "Die Zelle kommt mehrfach vor."),
        (6, "Die Zelle kommt mehrfach vor."),
    ]
    assert cells(city) == [row for i, row in enumerate(EXPECTED) if i != 2]


@pytest.mark.parametrize(
    ("turn", "sentence"),
    [
        (lambda row: [row[0], row[2], row[1], *row[3:]], "vertauschten Spalten"),
        (lambda row: [row[0], EAST + 50, NORTH + 50, *row[3:]], "UTM-Metern"),
        (lambda row: [row[0], "9.99321", "53.5511", *row[3:]], "nach Grad"),
        (lambda row: [row[0], "9,99321", "53,5511", *row[3:]], "nach Grad"),
    ],
)
def test_coordinates_of_another_kind_are_named(city: Any, tmp_path: Path, turn: Any, sentence: str) -> None:
    with pytest.raises(RefusedError, match=sentence):
        load_grid(city.writing, grid_file(tmp_path, [turn(row) for row in rows()]))
    unchanged(city)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (("id", *HEADER[1:]), "Es fehlen die Spalten gitter_id_100m"),
        ((*HEADER[:3], "Leute", *HEADER[4:]), "Es fehlen die Spalten Insgesamt_Bevoelkerung"),
        ((*HEADER[:8], "alt"), "es fehlen: a65undaelter"),
        ((*HEADER[:8], "UNTER18"), "bitte eine davon entfernen"),
    ],
)
def test_missing_columns_are_named(city: Any, tmp_path: Path, header: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(MappingError, match=sentence):
        load_grid(city.writing, grid_file(tmp_path, header=header))
    unchanged(city)


def test_a_file_that_breaks_off_is_refused(city: Any, tmp_path: Path) -> None:
    path = grid_file(tmp_path, random_grid(list(CITY.values()), 150, 1), encoding="cp1252")
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b";") - 6])
    with pytest.raises(SourceError, match="bricht in Zeile 151 ab"):
        load_grid(city.writing, path)
    unchanged(city)


def test_a_broken_row_in_between_is_a_reject(city: Any, tmp_path: Path) -> None:
    changed = rows()
    changed[1] = changed[1][:5]
    report = load_grid(city.writing, grid_file(tmp_path, changed), rules=LENIENT)
    assert findings(report, "reject") == [(3, None, None, "Die Zeile hat 5 statt 9 Felder.")]
    assert report.rows_loaded == 3


def test_the_areas_come_first(database: Any, tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="„stadtteil“ hat noch keine Gebiete mit Karte"):
        load_grid(database.writing, grid_file(tmp_path))
    unchanged(database)


def test_a_grid_of_another_place_is_refused(city: Any, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="Keine Zelle liegt in den Gebieten der Ebene „stadtteil“"):
        load_grid(city.writing, grid_file(tmp_path, [near(50_000, 0, 5, 1, 1, 1, 1, 1)]))
    unchanged(city)


def test_there_is_only_one_grid(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, grid_file(tmp_path))
    with pytest.raises(MappingError, match=r"--dataset population"):
        load_grid(city.writing, grid_file(tmp_path), dataset="population.neu")


def test_the_same_grid_makes_no_new_version(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, grid_file(tmp_path))
    before = query(city.writing, "SELECT data_version FROM instance_state")
    assert load_grid(city.writing, grid_file(tmp_path, rows()[::-1])).unchanged
    assert query(city.writing, "SELECT data_version FROM instance_state") == before


def test_a_grid_that_shrank_is_refused(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, grid_file(tmp_path))
    with pytest.raises(RefusedError, match="von 4 auf 2 Zeilen"):
        load_grid(city.writing, grid_file(tmp_path, rows()[:2]))
    assert cells(city) == EXPECTED


def test_a_rehearsal_changes_nothing(city: Any, tmp_path: Path) -> None:
    report = load_grid(city.writing, grid_file(tmp_path), rules=Rules(Limit(share=0.05), dry_run=True))
    assert report.rows_loaded == 4
    unchanged(city)


def test_a_rollback_brings_the_surface_back(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, grid_file(tmp_path))
    before = query(city.writing, "SELECT ST_AsText(geom), people FROM surface_cell ORDER BY cell")
    load_grid(city.writing, grid_file(tmp_path, [[*row[:3], 50, 10, 10, 10, 10, 10] for row in rows()]))
    assert query(city.writing, "SELECT ST_AsText(geom), people FROM surface_cell ORDER BY cell") != before
    with writing(city.writing) as session:
        lock_writers(session)
        rollback(session, "population")
    assert query(city.writing, "SELECT ST_AsText(geom), people FROM surface_cell ORDER BY cell") == before


def test_nobody_reads_the_raw_grid(city: Any, tmp_path: Path) -> None:
    load_grid(city.writing, grid_file(tmp_path))
    with pytest.raises(Exception, match="permission denied"):
        query(city.serving, "SELECT count(*) FROM population_cell")


def test_the_command(city: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from service.cli import main

    monkeypatch.setenv("SRK_DATABASE_URL", city.serving_url)
    monkeypatch.setenv("SRK_ADMIN_DATABASE_URL", city.writing_url)
    monkeypatch.setenv("SRK_HOME_LEVEL", "stadtteil")
    with pytest.raises(SystemExit) as ended:
        main(["import", "population", str(grid_file(tmp_path)), "--json", "--as-of", "2022-05-15"])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["dataset"], told["kind"], told["rows_loaded"]) == ("population", "population", 4)
    assert query(city.writing, "SELECT as_of::text FROM import_run WHERE title LIKE 'Zensus%'") == [("2022-05-15",)]


@pytest.mark.parametrize("cases", [60, pytest.param(1500, marks=pytest.mark.long)])
def test_damaged_files_end_in_a_sentence(city: Any, tmp_path: Path, cases: int) -> None:
    whole = grid_file(tmp_path, random_grid(list(CITY.values()), 40, 2), encoding="cp1252").read_bytes()
    draw = random.Random(cases)  # noqa: S311 - seeded on purpose
    path = tmp_path / "schaden.csv"
    refused: list[str] = []
    for _ in range(cases):
        damaged = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            start = draw.randrange(len(damaged))
            piece = bytes(draw.choice(b'0123456789-,.;NE\n\r"\x96\xe2 xA') for _ in range(draw.randint(0, 4)))
            damaged[start : start + draw.randint(0, 4)] = piece
        path.write_bytes(damaged[: draw.randint(1, len(damaged))] if draw.random() < 0.2 else damaged)
        try:
            report = load_grid(city.writing, path, rules=Rules(Limit(share=0.2), dry_run=True))
        except SrkError as error:
            refused.append(str(error))
        else:
            assert report.rows_loaded + report.rows_rejected == report.rows_read
    assert 0 < len(refused) < cases
    assert all(sentence.endswith((".", "?", ")")) for sentence in refused)
    unchanged(city)


def test_chunks_are_read_one_after_the_other(city: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importers.sources.table.CHUNK_ROWS", 7)
    wide = random_grid([box(-200, -200, 2500, 1500)], 200, 8)
    import_population(city.writing, open_source(grid_file(tmp_path, wide)), PopulationImport("stadtteil"))
    union = shapely.union_all(list(CITY.values()))
    expected = {row[0] for row in wide if union.covers(shapely.Point(FROM_GRID.transform(row[1], row[2])))}
    assert {cell[0] for cell in cells(city)} == expected
