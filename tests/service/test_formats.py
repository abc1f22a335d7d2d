"""What came from a file is text in every format, whatever it looks like; every column has a German heading."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from conftest import Database
from service_help import API, client_of, csv_rows, gpkg_file, gpkg_frame, workbook
from starlette.testclient import TestClient

from geodata.areas import AreaProfile, AreaRow
from geodata.clusters import ClusterRow
from geodata.controlling_budget_question import BudgetRow
from geodata.controlling_line import ControllingRow
from geodata.coverage.request import CoverageRow
from geodata.datasets import DatasetRow
from geodata.facilities import OfferRow, PlaceRow
from geodata.gaps import GapRow
from geodata.home_gaps import HomeBand, HomeGapRow
from geodata.indicators import IndicatorRow
from geodata.placements import PlacementRow
from geodata.point_reach import PointReachRow, ReachedResidents
from geodata.similar import SimilarRow
from geodata.standards import StandardRow
from geodata.statistics import ObservationRow
from geodata.statistics_change import ChangeRow
from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.load import Footnotes
from importers.sources import open_source
from service import formats
from service.labels import LABELS, NUMBER_FORMATS

HOSTILE = [
    "=1+1", '=cmd|" /C calc"!A0', "+49 40 123", "-5 bis 3", "@SUM(A1)", '=HYPERLINK("http://x.invalid","klick")',
    "<img src=x onerror=alert(1)>", "http://x.invalid/", "internal:Daten!A1", "{=1+1}", 'Haus "Zur Linde", Hof; 2',
    "'Haus", "12", "1e5", "TRUE", "Ä\u202eÖ", "🦊 Fuchs", "a" * 300,
]  # fmt: skip
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.fixture(scope="module")
def client(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder, made = tmp_path_factory.mktemp("hostile"), new_database()
    ring = [[9.9, 53.5], [10.1, 53.5], [10.1, 53.6], [9.9, 53.6], [9.9, 53.5]]
    area = {"type": "Feature", "properties": {"key": "1", "name": "=1+1"},
            "geometry": {"type": "Polygon", "coordinates": [ring]}}  # fmt: skip
    (folder / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [area]}))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "name", "category", "type", "provider", "phone", "lon", "lat", "release"])
    for number, name in enumerate(HOSTILE):
        writer.writerow([f"{number:03}", name, "okja", name, name, "+49 40 1", 9.95 + number / 1000, 53.55, "public"])
    (folder / "f.csv").write_text(out.getvalue(), encoding="utf-8")
    notes = Footnotes("=1+1", "=1+1", "=1+1")
    import_areas(made.writing, open_source(folder / "a.geojson"), AreasImport("bezirk", footnotes=notes))
    import_facilities(made.writing, open_source(folder / "f.csv"), FacilitiesImport("okja", footnotes=notes))
    return client_of(made.serving)


def get(client: TestClient, wanted: str, path: str = "/facilities") -> Any:
    answer = client.get(API + path, params={"format": wanted})
    assert answer.status_code == 200, answer.text
    return answer


def test_csv_disarms_formulas_and_nothing_else(client: TestClient) -> None:
    rows = csv_rows(get(client, "csv").content)
    assert len(rows) == len(HOSTILE)
    for row, name in zip(rows, HOSTILE, strict=True):
        for column in ("name", "provider", "type"):
            assert row[column] == (f"'{name}" if name.startswith(DANGEROUS) else name)
        assert row["phone"] == "'+49 40 1"
        assert not any(cell.startswith(DANGEROUS) for cell in row.values())


def test_csv_keeps_negative_numbers_numbers() -> None:
    assert formats._disarmed(-5) == -5
    assert formats._disarmed(-5.5) == -5.5
    for start in DANGEROUS:
        assert formats._disarmed(f"{start}1") == f"'{start}1"
    assert formats._disarmed("") == ""
    assert formats._disarmed(None) is None


@pytest.mark.parametrize("path", ["/facilities", "/areas?level=bezirk", "/datasets", "/areas/bezirk/1"])
def test_xlsx_has_no_formula_and_no_link(client: TestClient, path: str) -> None:
    sign = "&" if "?" in path else "?"
    answer = client.get(f"{API}{path}{sign}format=xlsx")
    book = workbook(answer.content)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n", "b"}, (sheet.title, cell.coordinate, cell.value)
                assert cell.hyperlink is None
    if path == "/facilities":
        names = [row[2] for row in book["Daten"].iter_rows(min_row=2, values_only=True)]
        assert names == HOSTILE
    import zipfile

    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert not any("externalLink" in name for name in archive.namelist())
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "sheet" in name)


def test_json_geojson_and_geopackage_keep_names_letter_by_letter(client: TestClient) -> None:
    assert [row["name"] for row in get(client, "json").json()["rows"]] == HOSTILE
    assert [f["properties"]["name"] for f in get(client, "geojson").json()["features"]] == HOSTILE
    frame = gpkg_frame(get(client, "gpkg").content)
    assert list(frame["name"]) == HOSTILE
    assert list(frame["provider"]) == HOSTILE


def test_json_is_not_taken_for_a_page(client: TestClient) -> None:
    for wanted in ("json", "geojson", "csv"):
        answer = get(client, wanted)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "html" not in answer.headers["content-type"]


def test_geopackage_is_one_that_other_programs_open(client: TestClient) -> None:
    import pyogrio

    for path, kind in (
        ("/facilities", "Point"),
        ("/areas?level=bezirk", "MultiPolygon"),
        ("/areas/bezirk/1", "MultiPolygon"),
    ):
        sign = "&" if "?" in path else "?"
        with gpkg_file(client.get(f"{API}{path}{sign}format=gpkg").content) as file:
            ((name, geometry),) = pyogrio.list_layers(file)
            assert geometry == kind
            info = pyogrio.read_info(file, layer=name)
            assert info["crs"] == "EPSG:4326"
            said = " ".join((info["layer_metadata"] or {}).values())
            assert "Datenversion" in said
            assert "Fassung: Veröffentlichungsfassung" in said


def test_file_names_are_plain(client: TestClient) -> None:
    for path in ("/facilities", "/areas?level=bezirk", "/datasets", "/areas/bezirk/1"):
        sign = "&" if "?" in path else "?"
        disposition = client.get(f"{API}{path}{sign}format=csv").headers["content-disposition"]
        assert re.fullmatch(r'attachment; filename="[a-z0-9_-]+\.csv"', disposition)


FLAT = (AreaRow, AreaProfile, DatasetRow, ObservationRow, IndicatorRow, CoverageRow, GapRow, StandardRow, SimilarRow,
        ClusterRow, PointReachRow, ReachedResidents, PlacementRow, ControllingRow, BudgetRow,
        HomeGapRow, ChangeRow)  # fmt: skip


def columns() -> Iterator[str]:
    for kind in (*FLAT, PlaceRow):
        yield from (f.name for f in fields(kind) if f.name not in {"geometry", "offers"})
    yield from OfferRow.__annotations__.keys() - {"id", "name"}
    yield from ("offer_id", "offer_name")
    # Of rejected rows.
    yield from ("row", "field", "advice")
    # In tables each band has columns of its own, named after these and its distance.
    yield from (f.name for f in fields(HomeBand) if f.name != "km")


def test_every_column_has_a_german_heading() -> None:
    assert set(columns()) <= set(LABELS)


def test_headings_are_distinct_within_a_table_and_none_is_idle() -> None:
    for kind in FLAT:
        names = [LABELS[f.name] for f in fields(kind) if f.name != "geometry"]
        assert len(set(names)) == len(names)
    flat = [
        LABELS[name]
        for name in {*columns()}
        if name in {f.name for f in fields(PlaceRow)} | {*OfferRow.__annotations__}
    ]
    assert len(set(flat)) == len(flat)
    assert set(LABELS) == set(columns())


def test_numbers_have_a_look_in_a_spreadsheet_and_keep_their_value() -> None:
    from geodata.answer import Meta
    from geodata.viewer import Version

    assert set(NUMBER_FORMATS) <= set(LABELS)
    meta = Meta("T", "M.", "U", Version.PUBLISHED, [], 0, 1)
    row = {"area_key": "1", "population": 1234.56789, "reach_share": 0.53151, "nearest_m": None, "minutes": 7.25}
    table = formats.Table(meta, "t", tuple(row), [row], None)
    beside = formats.Table(meta, "Einwohner", ("age_from", "residents"), [{"age_from": 6, "residents": 12.5}], None)
    book = workbook(formats.to_xlsx(table, [beside]))
    assert book.sheetnames == ["Daten", "Einwohner", "Erläuterungen"]
    cells = book["Daten"][2]
    assert [cell.value for cell in cells] == [*row.values()]
    looks = [cell.number_format for cell in cells]
    assert looks == ["General", "#,##0.0", "0.0%", looks[3], "0.0"]
    assert [cell.value for cell in book["Einwohner"][2]] == [6, 12.5]
    named = {row[1].value for row in book["Erläuterungen"].iter_rows()}
    assert {"population", "residents"} <= named


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, None), (True, True), (0, 0), (0.5, 0.5), ("", ""), ([], ""), (["11", "13"], "11;13"),
        ({}, ""), ({"okja": 2, "kita": 1}, "okja: 2; kita: 1"),
    ],
)  # fmt: skip
def test_cells(value: object, cell: object) -> None:
    found = formats._cell(value)
    assert found == cell
    assert type(found) is type(cell)


def test_geopackage_columns_keep_missing_apart_from_zero() -> None:
    import math

    whole, mixed, gaps, words = (formats._column(v) for v in ([0, 1], [0, 0.5], [0, None], [None, "x"]))
    assert str(whole.dtype) == "int64"
    assert list(mixed) == [0.0, 0.5]
    assert gaps[0] == 0
    assert math.isnan(gaps[1])
    assert list(words) == [None, "x"]
    assert formats._column([None, None]).dtype == object


def test_xlsx_bears_texts_longer_than_a_cell_and_control_characters() -> None:
    import datetime as dt

    from geodata.answer import Meta, Source
    from geodata.viewer import Version

    meta = Meta("T", "M.", "U", Version.PUBLISHED, [Source("d", "t", dt.date(2026, 1, 2), None, None)], 0, 1)
    odd = "a\x00b\x0bc\ud7ff"
    table = formats.Table(meta, "t", ("name", "type"), [{"name": "x" * 40_000, "type": odd}], None)
    sheet = workbook(formats.to_xlsx(table))["Daten"]
    assert len(sheet.cell(2, 1).value) == 32_767
    assert str(sheet.cell(2, 2).value).startswith("a")
    assert ("Quelle", "t; Stand: 02.01.2026; Lizenz: nicht angegeben (d)") in formats.footnote_lines(meta)


def test_json_does_not_load_the_heavy_libraries() -> None:
    """Starting the service must not pay for Excel and GDAL."""
    code = "import service.formats, sys; sys.exit(bool({'xlsxwriter', 'pyogrio'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
