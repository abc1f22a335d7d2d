"""Whatever stands in the cells of figures: a sentence or a report, never a traceback, never half a version."""

from pathlib import Path
from typing import Any

import pytest
from figure_help import KEY_DATE, figures_state
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from importer_help import Database, load_city, rules, write_csv, write_xlsx

from geodata.errors import SrkError
from importers.kinds.placement_rows import COLUMNS as PLACEMENT_COLUMNS
from importers.kinds.placements import PlacementsImport, import_placements
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.kinds.statistics_rows import COLUMNS
from importers.report import Report
from importers.sources import open_source

PLAUSIBLE = {
    "area_level": ["stadtteil", "bezirk", "", "kiez"], "area_key": ["02101", "02102+02101", "ohne", "1", "", "02101+"],
    "indicator": ["population", "cases", "x", ""], "position": ["total", "0-18", "65-", "31", ""],
    "period": ["2020", "2021-Q3", "2019-07-31", "", 2020, 2020.0], "value": ["1.675", "1,5", "-", ".", "", 3, -1, 2.5],
    "flag": ["", "ok", "suppressed", "missing", "estimated"], "scenario": ["", "ist", "plan"],
    "area_role": ["", "zustaendig", "herkunft"], "paragraph": ["34", "§ 35a", ""], "counting": ["", "stichtag"],
    "provider_state": ["Hamburg", "ohne angabe", "SH"], "provider_area_level": ["", "bezirk"],
    "provider_area_key": ["", "1", "9"], "place_state": ["", "Bayern"], "cases": ["0", "12", "1.000", "-", "", 3],
}  # fmt: skip
ODD = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12),
    st.sampled_from(["=1+1", "\x00", "\u202e", "1e400", "9" * 400, "NaN", "−5", "1 675", "١٢", "2020-02-30", "0-999",
                     "+", "a+b", "'; DROP TABLE observation; --", "{}", "\\N", "None", "True"]),
)  # fmt: skip


GOOD = {
    "area_level": "stadtteil", "area_key": "02101", "indicator": "population", "position": "total", "period": "2020",
    "value": 3, "flag": "", "scenario": "", "area_role": "", "paragraph": "34", "counting": "",
    "provider_state": "Hamburg", "provider_area_level": "", "provider_area_key": "", "place_state": "", "cases": 3,
}  # fmt: skip


@st.composite
def tables(draw: st.DrawFn, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return good rows of which each has a few other cells, plausible or odd; every second table has a hopeless row."""
    made = []
    for number in range(draw(st.integers(1, 6))):
        row: dict[str, Any] = {name: GOOD[name] for name in columns} | {"period": str(1990 + number)}
        for name in draw(st.lists(st.sampled_from(columns), max_size=6)):
            row[name] = draw(st.one_of(st.sampled_from(PLAUSIBLE[name]), ODD))
        made.append(row)
    if draw(st.booleans()):
        made.append(made[-1] | {"period": "kein Zeitraum"})
    return made


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    return database


def tried(
    database: Database, path: Path, rows: list[dict[str, Any]], kind: str, columns: tuple[str, ...], options: Any
) -> Report | None:
    if path.suffix == ".csv":
        write_csv(path, rows, columns=columns)
    else:
        plain = [[None if isinstance(v, str) and not v.isprintable() else v for v in row.values()] for row in rows]
        write_xlsx(path, [list(columns), *plain])
    before = figures_state(database.writing)
    limit = rules("100%", "100%")
    try:
        if kind == "statistics":
            report = import_statistics(database.writing, open_source(path), StatisticsImport(
                counting=KEY_DATE, rules=limit, **options))  # fmt: skip
        else:
            report = import_placements(database.writing, open_source(path), PlacementsImport(rules=limit, **options))
    except SrkError as error:
        said = str(error)
    else:
        assert report.rows_loaded + report.rows_rejected == report.rows_read
        assert all(finding.reason for finding in report.findings)
        return report
    assert said.endswith("."), said
    assert figures_state(database.writing) == before
    return None


OPTIONS = st.fixed_dictionaries({
    "decimal": st.sampled_from([",", ".", None]), "dash": st.sampled_from([None, "zero", "missing"]),
    "replace": st.sampled_from(["periods", "all"]), "period": st.sampled_from([None, "2021-Q3"]),
    "area_level": st.sampled_from([None, "stadtteil"]),
})  # fmt: skip
CALM = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


def run(city: Database, folder: Path, examples: int, **more: Any) -> None:
    @settings(max_examples=examples, **CALM, **more)
    @given(data=st.data(), kind=st.sampled_from(["statistics", "placements"]),
           suffix=st.sampled_from([".csv", ".xlsx"]), options=OPTIONS)  # fmt: skip
    def odd_cells(data: st.DataObject, kind: str, suffix: str, options: dict[str, Any]) -> None:
        columns = COLUMNS if kind == "statistics" else PLACEMENT_COLUMNS
        report = tried(city, folder / f"seltsam{suffix}", data.draw(tables(columns)), kind, columns, options)
        taken.append(report is not None and report.rows_loaded > 0)

    taken: list[bool] = []
    odd_cells()
    assert 0.1 < sum(taken) / len(taken) < 0.9, "some are taken, some refused"


def test_odd_cells(city: Database, tmp_path: Path) -> None:
    run(city, tmp_path, 40, derandomize=True)


@pytest.mark.long
def test_odd_cells_long(city: Database, tmp_path: Path) -> None:
    run(city, tmp_path, 600)
