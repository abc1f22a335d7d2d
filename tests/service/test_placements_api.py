"""``/api/v1/placements``: the same counts in every format, nothing hidden in any, errors as problems, pages, eyes."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import Database
from hand_rows import rows_in
from placement_town import build, derive, place
from service_help import API, client_of, csv_rows, gpkg_frame, is_problem, rows_of, sign_in, workbook
from sqlalchemy import text
from starlette.testclient import TestClient

from geodata.answer import Meta
from geodata.figure_tables import PROVIDER_STATES
from geodata.viewer import Role, Version, Viewer
from service import formats
from service.formats import MEDIA_TYPES, SUPPRESSED, SUPPRESSED_LINE
from service.labels import label

PATH = "/placements"
ADMIN = Viewer(Role.ADMIN)
PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
PROVIDER = Viewer(Role.PROVIDER, provider_key="t1")
MITTE = {"level": "bezirk", "period": "2021-Q3", "compare": "2019-Q3"}
RARE = {"Hessen", "Mecklenburg-Vorpommern", "Saarland", "Sachsen", "Sachsen-Anhalt"}
COLUMNS = ["area_level", "area_key", "area_name", "period", "paragraph", "area_role", "counting", "cases",
           "outside_cases", "unknown_cases", "outside_share", "ci_low", "ci_high", "per_1000", "by_state",
           "begun_outside_share", "distance_km", "own_area_share", "change_cases", "change_pp", "change_ci_low",
           "change_ci_high", "change_secured", "suppressed", "suppressed_fields", "note"]  # fmt: skip
# Hidden however the viewer asks: single states by origin, and how near young people live.
OFFICES_ONLY = {"by_state", "distance_km", "own_area_share"}

BY_OFFICE = {
    ("bezirk", "1", "zustaendig"): {"Hamburg": 50, "Bayern": 1, "Hessen": 2, "Bremen": 20},
    ("bezirk", "2", "zustaendig"): {"Hamburg": 60, "Bayern": 2, "Hessen": 1, "Bremen": 15},
    ("bezirk", "3", "zustaendig"): {"Hamburg": 70, "Bayern": 14, "Hessen": 11, "Bremen": 12},
}
# The same to everyone who reads the published counts.
SWAPPED = {area: states | {"Bayern": states["Hessen"], "Hessen": states["Bayern"]} if area[1] != "3" else states
           for area, states in BY_OFFICE.items()}  # fmt: skip
BY_ORIGIN = {
    ("stadtteil", "11", "herkunft"): {"Hamburg": 20, "Bayern": 1},
    ("stadtteil", "12", "herkunft"): {"Hamburg": 30, "Bayern": 12, "ohne Angabe": 4},
    ("stadtteil", "21", "herkunft"): {"Hamburg": 2},
    ("stadtteil", "22", "herkunft"): {"Hamburg": 20, "Bayern": 10},
    ("stadtteil", "31", "herkunft"): {"Hamburg": 0},
}
BEFORE = {
    ("stadtteil", "11", "herkunft"): {"Hamburg": 22, "Bayern": 9},
    ("stadtteil", "12", "herkunft"): {"Hamburg": 30, "Bayern": 2},
    ("stadtteil", "22", "herkunft"): {"Hamburg": 21, "Bayern": 17},
}
BEGUN = {("stadtteil", "12", "herkunft"): {"Hamburg": 4, "Bayern": 1},
         ("stadtteil", "22", "herkunft"): {"Hamburg": 4, "Bayern": 7}}  # fmt: skip


def make_town(database: Database, by_office: Mapping[tuple[str, str, str], Mapping[str, int]]) -> None:
    build(database.writing)
    with rows_in(database.writing) as rows:
        version = place(rows, {**by_office, **BY_ORIGIN})
        place(rows, BEFORE, period="2020-Q3", version=version)
        place(rows, BEGUN, counting="begonnen", version=version)
        young = rows.version("statistics.einwohner", "statistics")
        for key in ("11", "12", "21"):
            rows.insert("observation", import_id=young, level="stadtteil", area_key=key, indicator="population",
                        position="0-21", period="2020-12-31", value=1000.0, flag="ok", starts="2020-12-31",
                        ends="2020-12-31")  # fmt: skip
        # Two databases are told apart by their id alone.
        rows.session.execute(text("UPDATE instance_state SET instance_id = 'b5b5b5b5-0000-4000-8000-000000000000'"))
        derive(rows)


@pytest.fixture(scope="module")
def town(new_database: Callable[[], Database]) -> Database:
    made = new_database()
    make_town(made, BY_OFFICE)
    return made


@pytest.fixture(scope="module")
def swapped(new_database: Callable[[], Database]) -> Database:
    made = new_database()
    make_town(made, SWAPPED)
    return made


def get(client: TestClient, **asked: str) -> Any:
    answer = client.get(API + PATH, params=asked)
    assert answer.status_code == 200, answer.text
    return answer


def sheet_of(body: bytes) -> list[dict[str, Any]]:
    heads, *rows = workbook(body)["Daten"].iter_rows(values_only=True)
    return [dict(zip(map(str, heads), row, strict=True)) for row in rows]


def test_the_published_table_of_hamburg_mitte(examples_database: Database) -> None:
    answer = get(client_of(examples_database.serving), **MITTE).json()
    (row,) = answer["rows"]
    assert list(row) == COLUMNS
    assert (row["cases"], row["outside_cases"], row["change_cases"]) == (540, 287, -77)
    assert row["change_secured"] is False
    assert row["outside_share"] == pytest.approx(287 / 540)
    assert {state for state, cases in row["by_state"].items() if cases is None} == RARE
    assert (row["suppressed"], row["suppressed_fields"]) == (True, [])
    assert answer["meta"]["version"] == "veroeffentlichung"


def test_tables_have_a_column_per_state_that_can_be_summed(examples_database: Database) -> None:
    client = client_of(examples_database.serving)
    (row,) = rows_of(client, PATH, **MITTE)
    by_state = row["by_state"]
    (flat,) = csv_rows(get(client, **MITTE, format="csv").content)
    assert [name for name in flat if name in PROVIDER_STATES] == list(PROVIDER_STATES)
    assert {state: flat[state] for state in PROVIDER_STATES} == {
        state: "" if state in RARE else str(by_state.get(state, 0)) for state in PROVIDER_STATES}  # fmt: skip
    assert "by_state" not in flat
    assert flat["suppressed"] == "True"
    assert set(flat["suppressed_fields"].split(";")) == RARE
    body = get(client, **MITTE, format="xlsx").content
    (cells,) = sheet_of(body)
    assert {state: cells[state] for state in PROVIDER_STATES} == {
        state: SUPPRESSED if state in RARE else by_state.get(state, 0) for state in PROVIDER_STATES}  # fmt: skip
    numbers = [value for value in cells.values() if isinstance(value, int | float) and not isinstance(value, bool)]
    assert sum(value for state, value in cells.items() if state in PROVIDER_STATES and value != SUPPRESSED) == 540 - 6
    assert len(numbers) >= len(PROVIDER_STATES) - len(RARE) + 9
    (frame,) = gpkg_frame(get(client, **MITTE, format="gpkg").content).to_dict("records")
    assert frame["Schleswig-Holstein"] == 164
    assert all(frame[state] != frame[state] or frame[state] is None for state in RARE)


def test_the_workbook_says_what_the_sign_means_and_how_numbers_look(
    examples_database: Database, town: Database
) -> None:
    book = workbook(get(client_of(examples_database.serving), **MITTE, format="xlsx").content)
    notes = {row[0]: row[1] for row in book["Erläuterungen"].iter_rows(values_only=True)}
    assert notes[SUPPRESSED] == SUPPRESSED_LINE[1]
    sheet: Any = book["Daten"]
    heads = {cell.value: cell.column_letter for cell in sheet[1]}
    assert label("unterbringungen", "suppressed_fields") not in heads
    looks = {name: sheet[f"{heads[label('unterbringungen', name)]}2"].number_format
             for name in ("cases", "outside_share", "change_pp", "Hamburg")}  # fmt: skip
    assert looks == {"cases": "#,##0", "outside_share": "0.0%", "change_pp": "0.0", "Hamburg": "#,##0"}
    asked = {"level": "bezirk", "area": "bezirk:1", "version": "intern", "format": "xlsx"}
    open_book = workbook(get(client_of(town.serving, PLANNER), **asked).content)
    assert SUPPRESSED not in {row[0] for row in open_book["Erläuterungen"].iter_rows(values_only=True)}


@pytest.mark.parametrize("asked", [MITTE, {"level": "bezirk", "series": "true"}])
def test_every_format_is_served(examples_database: Database, asked: dict[str, str]) -> None:
    client = client_of(examples_database.serving)
    rows = rows_of(client, PATH, **asked)
    for wanted, media in MEDIA_TYPES.items():
        assert get(client, **asked, format=wanted.value).headers["content-type"] == media
    features = get(client, **asked, format="geojson").json()["features"]
    assert [feature["properties"] for feature in features] == rows
    # The published table has no map.
    assert {feature["geometry"] for feature in features} == {None}


def test_areas_with_borders_are_drawn(town: Database) -> None:
    client = client_of(town.serving)
    asked = {"level": "stadtteil", "area": "bezirk:1"}
    drawn = get(client, **asked, format="geojson").json()["features"]
    assert [feature["geometry"]["type"] for feature in drawn] == ["MultiPolygon"] * 4
    frame = gpkg_frame(get(client, **asked, format="gpkg").content)
    assert frame["area_key"].tolist() == ["11", "12", "13", "14"]
    assert not frame.geometry.isna().any()
    # By origin no state is published: there are no empty columns for them.
    assert not set(frame.columns) & set(PROVIDER_STATES)


@pytest.mark.parametrize("asked", [{"compare": "2020-Q3"}, {"period": "2020-Q3"}, {}])
def test_a_field_is_named_exactly_where_a_value_is_withheld(town: Database, asked: dict[str, str]) -> None:
    public, client = client_of(town.serving), client_of(town.serving, ADMIN)
    seen = 0
    for level in ("stadtteil", "bezirk"):
        if level == "bezirk" and asked:
            continue
        rows = rows_of(public, PATH, level=level, **asked)
        for row, whole in zip(rows, rows_of(client, PATH, level=level, version="intern", **asked), strict=True):
            withheld = {name for name in COLUMNS[7:23]
                        if row[name] is None and whole[name] is not None} - OFFICES_ONLY  # fmt: skip
            assert set(row["suppressed_fields"]) == withheld, row
            assert (not withheld) or row["suppressed"]
            assert (whole["suppressed"], whole["suppressed_fields"]) == (False, [])
            seen += len(withheld)
    assert seen


def test_a_withheld_value_is_told_from_a_missing_one_cell_by_cell(town: Database) -> None:
    client = client_of(town.serving)
    asked = {"level": "stadtteil", "compare": "2020-Q3"}
    rows = rows_of(client, PATH, **asked)
    by_key = {row["area_key"]: row for row in rows}
    sheet = sheet_of(get(client, **asked, format="xlsx").content)
    for row, cells in zip(rows, sheet, strict=True):
        for name in set(COLUMNS[7:23]) - {"by_state"}:
            cell = cells[label("unterbringungen", name)]
            assert cell == (SUPPRESSED if name in row["suppressed_fields"] else pytest.approx(row[name])), name
    assert by_key["11"]["outside_cases"] is None
    assert by_key["13"]["outside_cases"] is None
    outside = label("unterbringungen", "outside_cases")
    shown = {cells[label("unterbringungen", "area_key")]: cells[outside] for cells in sheet}
    assert (shown["11"], shown["13"]) == (SUPPRESSED, None)


def test_any_table_that_names_suppressed_fields_marks_them() -> None:
    meta = Meta("T", "M.", "U", Version.PUBLISHED, [], 0, 1)
    rows: list[dict[str, Any]] = [
        {"area_key": "1", "cases": None, "period": None, "suppressed_fields": ("cases",)},
        {"area_key": "2", "cases": 4.5, "period": None, "suppressed_fields": ()},
    ]
    table = formats.Table(meta, "controlling", tuple(rows[0]), rows, None)
    assert sheet_of(formats.to_xlsx(table)) == [
        {"Gebietsschlüssel": "1", "Fälle": SUPPRESSED, "Zeitraum": None},
        {"Gebietsschlüssel": "2", "Fälle": 4.5, "Zeitraum": None}]  # fmt: skip
    assert csv_rows(formats.to_csv(table))[0] == {
        "area_key": "1", "cases": "", "period": "", "suppressed_fields": "cases"}  # fmt: skip


@pytest.mark.parametrize(("asked", "parameter"), [
    ({"level": ""}, "level"), ({"level": "mond"}, "level"), ({"level": "statgebiet"}, "level"),
    ({"paragraph": "99"}, "paragraph"), ({"paragraph": "§ 34"}, "paragraph"),
    ({"period": "2021-Q5"}, "period"), ({"period": "1999-Q1"}, "period"), ({"period": "gestern"}, "period"),
    ({"compare": "2020"}, "compare"), ({"compare": "2021-Q3"}, "compare"), ({"compare": "2021-Q5"}, "compare"),
    ({"area_role": "zustaendig"}, "area_role"), ({"area_role": "beide"}, "area_role"),
    ({"counting": "kumuliert"}, "counting"), ({"area": "bezirk"}, "area"), ({"area": "bezirk:9"}, "area"),
    ({"area": "mond:1"}, "area"), ({"series": "ja"}, "series"), ({"format": "pdf"}, "format"),
    ({"limit": "0"}, "limit"), ({"cursor": "Quatsch"}, "cursor"), ({"version": "geheim"}, "version"),
    ({"home_state": "Bayern"}, "home_state"), ({"paragraph": "34\n"}, "paragraph"),
])  # fmt: skip
def test_errors_name_the_parameter(town: Database, asked: dict[str, str], parameter: str) -> None:
    answer = client_of(town.serving).get(API + PATH, params={"level": "stadtteil"} | asked)
    is_problem(answer, 400, parameter)


def test_errors_say_what_there_is_and_no_more(town: Database) -> None:
    client = client_of(town.serving)
    problem = is_problem(client.get(API + PATH, params={"level": "stadtteil", "period": "1999-Q1"}), 400)
    assert problem["allowed"] == ["2021-Q3", "2020-Q3"]
    assert client_of(town.serving).get(API + PATH, params={"level": "bezirk", "period": "2020-Q3"}).status_code == 400


def test_another_home_state_is_a_conflict(town: Database) -> None:
    client = client_of(town.serving, home_state="Bremen")
    assert "SRK_HOME_STATE" in is_problem(client.get(API + PATH, params={"level": "bezirk"}), 409)["detail"]


def test_without_placements_it_says_so(database: Database) -> None:
    build(database.writing)
    answer = client_of(database.serving).get(API + PATH, params={"level": "bezirk"})
    assert "keine Unterbringungen geladen" in is_problem(answer, 400, "level")["detail"]


class TestEyes:
    """Who reads what."""

    @pytest.mark.parametrize("viewer", [None, PROVIDER])
    def test_the_internal_version_is_refused(self, town: Database, viewer: Viewer | None) -> None:
        client = client_of(town.serving, viewer)
        is_problem(client.get(API + PATH, params={"level": "bezirk", "version": "intern"}), 403)

    @pytest.mark.parametrize("viewer", [PROVIDER, PLANNER, ADMIN])
    @pytest.mark.parametrize("wanted", ["json", "csv", "geojson"])
    def test_the_published_version_is_the_same_to_everyone(self, town: Database, viewer: Viewer, wanted: str) -> None:
        public, client = client_of(town.serving), client_of(town.serving, viewer)
        for level in ("land", "bezirk", "stadtteil"):
            asked = {"level": level, "format": wanted}
            assert get(client, **asked).content == get(public, **asked).content

    def test_a_planner_reads_the_own_bezirk_as_it_is(self, town: Database) -> None:
        client = client_of(town.serving, PLANNER)
        answer = get(client, level="bezirk", version="intern")
        own, *others = answer.json()["rows"]
        assert own["by_state"] == {"Bayern": 1, "Bremen": 20, "Hamburg": 50, "Hessen": 2}
        assert others == rows_of(client_of(town.serving), PATH, level="bezirk")[1:]
        assert answer.headers["cache-control"] == "private, no-cache"
        with town.writing.connect() as connection:
            recorded = connection.execute(text("SELECT detail FROM audit ORDER BY id DESC LIMIT 1")).scalar_one()
        assert "/placements" in json.dumps(recorded)

    def test_signing_out_ends_it(self, town: Database) -> None:
        client = client_of(town.serving)
        sign_in(client, PLANNER)
        assert get(client, level="bezirk", version="intern").status_code == 200
        client.post("/abmelden")
        is_problem(client.get(API + PATH, params={"level": "bezirk", "version": "intern"}), 403)


def test_pages_come_in_order_end_and_have_the_same_columns(town: Database) -> None:
    client = client_of(town.serving)
    asked = {"level": "stadtteil", "series": "true"}
    whole = rows_of(client, PATH, **asked)
    got: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    heads = set()
    while True:
        page = get(client, **asked, limit="5", **cursor).json()
        got += page["rows"]
        heads.add(get(client, **asked, limit="5", **cursor, format="csv").content.split(b"\r\n")[0])
        if page["meta"]["next"] is None:
            break
        cursor = {"cursor": page["meta"]["next"]}
    assert got == whole
    assert len(heads) == 1


def test_cursors_of_other_questions_are_refused(town: Database) -> None:
    client = client_of(town.serving)
    for held in ("srk:11", "srk:a\nb\nc"):
        cursor = base64.urlsafe_b64encode(held.encode()).decode().rstrip("=")
        is_problem(client.get(API + PATH, params={"level": "stadtteil", "cursor": cursor}), 400, "cursor")


def test_nothing_of_hidden_counts_is_in_any_answer(town: Database, swapped: Database) -> None:
    """Two towns that differ in nothing but hidden counts give everyone else the same bytes and headers, ETags too."""
    with town.writing.connect() as one, swapped.writing.connect() as other:
        raw = text("SELECT * FROM placement_cell WHERE level = 'bezirk' ORDER BY 1, 2, 3, 4, 5, 6, 7")
        assert one.execute(raw).all() != other.execute(raw).all()
    first, second = client_of(town.serving), client_of(swapped.serving)
    asked = [{"level": level, "format": wanted} | more for level in ("land", "bezirk", "stadtteil")
             for wanted in ("json", "csv", "geojson")
             for more in ({}, {"series": "true"}, {"limit": "1"}, {"compare": "2020-Q3"}, {"period": "2021-Q2"},
                          {"counting": "begonnen"}, {"area_role": "herkunft"}, {"area": "bezirk:1"},
                          {"paragraph": "35"}, {"cursor": "x"})]  # fmt: skip
    statuses = set()
    for question in asked:
        one_answer, other_answer = (client.get(API + PATH, params=question) for client in (first, second))
        assert one_answer.content == other_answer.content, question
        statuses.add(one_answer.status_code)
        heads = [{name: value for name, value in answer.headers.items() if name != "x-request-id"}
                 for answer in (one_answer, other_answer)]  # fmt: skip
        assert heads[0] == heads[1]
    assert statuses == {200, 400}
    # A planner of the own Bezirk sees its own, and of the others what everyone sees.
    planners = [client_of(database.serving, PLANNER) for database in (town, swapped)]
    rows = [rows_of(client, PATH, level="bezirk", version="intern") for client in planners]
    assert rows[0][0] != rows[1][0]
    assert rows[0][1:] == rows[1][1:]
