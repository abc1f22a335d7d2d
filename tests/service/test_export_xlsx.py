"""The report as a workbook: numbers and formulas that agree, signs that are explained, marks on every sheet."""

import dataclasses
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import Database
from export_town import HOSTILE, LONG, SUPPRESSED_YEAR, WANTED, load_town
from openpyxl.worksheet.worksheet import Worksheet

from geodata.database import Access, reading
from geodata.viewer import Role, Version, Viewer
from service.exports.parts import INTERNAL, PUBLISHED, Report
from service.exports.report import ReportRequest, report_of
from service.exports.xlsx import to_xlsx
from service.formats import SUPPRESSED

ADMIN = Access(Viewer(Role.ADMIN))
LAST = "Quellen und Erläuterungen"


@pytest.fixture(scope="module")
def database(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = new_database()
    load_town(made.writing, tmp_path_factory.mktemp("town"))
    return made


def report(database: Database, **asked: Any) -> Report:
    with reading(database.serving, ADMIN) as session:
        return report_of(session, ReportRequest((*WANTED, ("stadt", "S")), **asked))


@pytest.fixture(scope="module")
def body(database: Database) -> bytes:
    return to_xlsx(report(database, version=Version.INTERNAL))


@pytest.fixture(scope="module")
def book(body: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(body))


@pytest.fixture(scope="module")
def values(body: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(body), data_only=True)


def recomputed(sheet: Worksheet, address: str) -> float:
    """Compute a cell by its formula: numbers, cells, + - * / ^, parentheses and SUM over a list."""
    value: Any = sheet[address].value
    if not isinstance(value, str) or not value.startswith("="):
        assert isinstance(value, int | float), (sheet.title, address, value)
        return float(value)
    text = re.sub(r"\$?([A-Z]{1,2})\$?([0-9]+)", lambda m: f'cell("{m[1]}{m[2]}")', value[1:]).replace("^", "**")
    assert re.fullmatch(r'(cell\("[A-Z]+[0-9]+"\)|SUM|[-+*/(),.0-9]|\*\*)+', text), value
    names = {"cell": lambda at: recomputed(sheet, at), "SUM": lambda *parts: sum(parts), "__builtins__": {}}
    return float(eval(text, names))  # noqa: S307 - of the signs just checked


def table(book: openpyxl.Workbook, start: str) -> Worksheet:
    (sheet,) = [sheet for sheet in book.worksheets if sheet.title.startswith(start)]
    return sheet


def rows(sheet: Worksheet) -> dict[str, list[Any]]:
    """Return a table's lines by title, of the first group they stand in."""
    made: dict[str, list[Any]] = {}
    for line in sheet.iter_rows(min_row=4, values_only=True):
        if isinstance(line[0], str):
            made.setdefault(line[0], list(line[1:]))
    return made


def test_every_formula_gives_what_is_written_beside_it(book: openpyxl.Workbook, values: openpyxl.Workbook) -> None:
    counted = 0
    for sheet in book.worksheets:
        for line in sheet.iter_rows():
            for cell in line:
                if isinstance(cell.value, str) and cell.data_type == "f":
                    written = values[sheet.title][cell.coordinate].value
                    assert written == pytest.approx(recomputed(sheet, cell.coordinate), rel=1e-9, abs=1e-9), cell
                    counted += 1
    assert counted > 200


def test_formulas_stand_where_a_planner_expects_them(book: openpyxl.Workbook) -> None:
    figures, budget = rows(table(book, "1 Kennzahlen")), rows(book["3 Budget Musterstadt"])
    for title in ("Hilfequotient (ambulant je Hilfe außerhalb der Familie)", "Kosten je Fall in €",
                  "Hilfedichte (Fälle je 1.000 Jugendeinwohner)", "Kosten je Jugendeinwohner in €",
                  "Zielschwelle der Ausgaben in €", "Veränderung der Ausgaben zum Basiszeitraum",
                  "Veränderung der Fälle zum Basiszeitraum", "Abstand zur Stadt: Hilfedichte",
                  "Abstand zur Stadt: Kosten je Jugendeinwohner in €"):  # fmt: skip
        assert all(str(value).startswith("=") for value in figures[title][:4]), title
    assert figures["Zielschwelle der Ausgaben in €"][2].endswith("^(D$5-$B$5)")
    for title in ("Erwartete Ausgaben in €", "Steuerungseffekt in €", "Nettoeffekt in €",
                  "Nettoeffekt in €, kumuliert", "Nettoeffekt, Abstand zur Prognose in €"):  # fmt: skip
        assert str(budget[title][3]).startswith("="), title
    comparison = book["Vergleich"]
    effects = [cell for line in comparison.iter_rows(values_only=True) for cell in line if "*100" in str(cell)]
    assert len(effects) >= 12
    rests = [line for line in comparison.iter_rows(values_only=True) if "nicht zuordenbar" in str(line[0])]
    assert any("SUM(" in str(cell) for line in rests for cell in line)


def test_the_growth_of_the_zielschwelle_can_be_changed(database: Database) -> None:
    made = openpyxl.load_workbook(io.BytesIO(to_xlsx(report(database, yearly_growth=0.025, version=Version.INTERNAL))))
    sheet = made["3 Kennzahlen Musterstadt"]
    assert (sheet["A3"].value, sheet["B3"].value) == ("Jährliche Steigerung der Zielschwelle", 0.025)
    assert "%" in sheet["B3"].number_format
    (row,) = [line for line in sheet.iter_rows(min_row=6) if line[0].value == "Zielschwelle der Ausgaben in €"]
    before = recomputed(sheet, row[3].coordinate)
    sheet["B3"] = 0.0
    assert recomputed(sheet, row[3].coordinate) == pytest.approx(before / 1.025**2)


def test_suppressed_is_a_dot_and_missing_is_empty(book: openpyxl.Workbook) -> None:
    sheet = table(book, "2 Hilfearten")
    hidden = rows(sheet)["§ 32 <b>Hilfe</b>"]
    place = [cell.value for cell in sheet[4]].index(int(SUPPRESSED_YEAR)) - 1
    assert hidden[place] == SUPPRESSED
    assert sum(value == SUPPRESSED for value in hidden) == 1
    # What is made from it is suppressed too, nothing else is.
    dots = [(line[0], number) for line in sheet.iter_rows(min_row=5, values_only=True)
            for number, value in enumerate(line[1:]) if value == SUPPRESSED]  # fmt: skip
    assert dots == [("§ 32 <b>Hilfe</b>", place)] * 2
    budget = rows(book["3 Budget Musterstadt"])
    assert budget["Steuerungseffekt in €"][0] is None
    for sheet in book.worksheets[1:-2]:
        said = " ".join(str(line[0]) for line in sheet.iter_rows(values_only=True))
        assert f"{SUPPRESSED}: zum Schutz kleiner Fallzahlen nicht ausgewiesen" in said
        assert "leere Zelle: keine Angabe; das ist nicht null" in said


def test_numbers_have_formats_and_what_is_not_final_is_marked(book: openpyxl.Workbook) -> None:
    sheet = table(book, "1 Kennzahlen")
    looks = {line[0].value: [cell.number_format for cell in line[1:]] for line in sheet.iter_rows(min_row=6)}
    assert looks["Ausgaben in €"][0].startswith("#,##0;")
    assert looks["Veränderung der Ausgaben zum Basiszeitraum"][1].startswith('+#,##0.0"\N{NO-BREAK SPACE}"%;')
    assert '"\N{NO-BREAK SPACE}v"' in looks["Ausgaben in €"][3]
    assert '"\N{NO-BREAK SPACE}v"' not in looks["Ausgaben in €"][2]
    # Means of key dates are shown with their decimal.
    assert looks["Fälle: Hilfen außerhalb der Familie"][0].startswith("#,##0.0")


def test_every_sheet_says_what_is_to_be_said_of_all_data(database: Database) -> None:
    notice = "Beispieldaten – keine amtlichen Angaben & " + "x" * 300
    made = openpyxl.load_workbook(io.BytesIO(to_xlsx(dataclasses.replace(report(database), notice=notice))))
    for sheet in made.worksheets:
        assert sheet["A1"].value == f"{PUBLISHED} · {notice}"
        assert sheet.oddFooter.center.text.startswith("Beispieldaten – keine amtlichen Angaben &")


@pytest.mark.parametrize(("version", "mark"), [(Version.INTERNAL, INTERNAL), (Version.PUBLISHED, PUBLISHED)])
def test_every_sheet_is_marked_and_set_up_for_printing(database: Database, version: Version, mark: str) -> None:
    made = openpyxl.load_workbook(io.BytesIO(to_xlsx(report(database, version=version))))
    other = PUBLISHED if version is Version.INTERNAL else INTERNAL
    for sheet in made.worksheets:
        assert sheet["A1"].value == mark
        assert sheet.oddHeader.left.text == mark
        assert "Seite" in sheet.oddFooter.right.text
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        assert sheet.page_setup.fitToHeight == 0  # as many pages as it takes, one page wide
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert not any(cell.value and other in str(cell.value) for line in sheet.iter_rows() for cell in line)
    tables = made.worksheets[1:-2]
    assert len(tables) == 10
    for sheet in tables:
        heading = next(row for row in range(1, 8) if sheet.cell(row, 1).value == "Zeitraum")
        assert sheet.freeze_panes == f"B{heading + 1}"
        assert sheet.print_title_rows == f"${heading}:${heading}"
        assert sheet.column_dimensions["A"].width > 40
        assert sheet.print_area.endswith(f"$E${sheet.max_row}")
    assert made.worksheets[-1].title == LAST
    assert [made.properties.title.split(":")[0], made.properties.subject] == [
        "Controlling der Hilfen zur Erziehung",
        mark,
    ]


def test_the_last_sheet_names_methods_and_sources(book: openpyxl.Workbook) -> None:
    said = {(str(line[0]), str(line[1])) for line in book[LAST].iter_rows(values_only=True) if line[0]}
    for dataset in ("muster-hilfen", "muster-ausgaben", "muster-einwohner", "muster-wirkung"):
        assert any(label == "Quelle" and f"(statistics.{dataset})" in text for label, text in said)
    assert sum(label == "Methode" for label, _text in said) == 2
    assert any(label.startswith("Fallzahl") and "unterdrückt" in label and "§ 32" in text for label, text in said)


def test_hostile_names_stay_text(body: bytes, book: openpyxl.Workbook) -> None:
    names = book.sheetnames
    assert len({name.casefold() for name in names}) == len(names)
    assert all(0 < len(name) <= 31 and not re.search(r"[\[\]:*?/\\]", name) for name in names)
    overview = book["Übersicht"]
    cells = [cell for line in overview.iter_rows() for cell in line if cell.value]
    assert any(HOSTILE in str(cell.value) and LONG in str(cell.value) for cell in cells)
    assert {cell.data_type for cell in cells} == {"s"}
    for sheet in book.worksheets:
        for line in sheet.iter_rows():
            assert all(cell.data_type == "s" for cell in line if HOSTILE in str(cell.value))
            for cell in line:
                assert cell.hyperlink is None or (cell.hyperlink.location and not cell.hyperlink.target)
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        assert not any(
            "TargetMode" in packed.read(name).decode() for name in packed.namelist() if name.endswith(".rels")
        )


def test_charts_are_native_and_leave_out_what_they_cannot_show(body: bytes, book: openpyxl.Workbook) -> None:
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        charts = [packed.read(name).decode() for name in packed.namelist() if name.startswith("xl/charts/chart")]
        drawing = packed.read("xl/drawings/drawing1.xml").decode()
    assert len(charts) == 5
    assert sum("<a:pattFill" in chart and "<c:lineChart>" in chart for chart in charts) == 3
    assert drawing.count('descr="') == 5
    assert "Balken- und Liniendiagramm" in drawing
    refs = {ref for chart in charts for ref in re.findall(r"<c:f>(.*?)</c:f>", chart)}
    assert refs
    for ref in refs:
        sheet, cells = ref.replace("&amp;", "&").rsplit("!", 1)
        name = sheet.strip("'").replace("''", "'")
        assert name in book.sheetnames
        first, _, last = cells.replace("$", "").partition(":")
        for line in book[name][f"{first}:{last or first}"]:
            assert all(cell.value != SUPPRESSED for cell in line)


def test_the_same_data_give_the_same_bytes(database: Database, body: bytes) -> None:
    assert to_xlsx(report(database, version=Version.INTERNAL)) == body


def test_quarters_have_no_zielschwelle_formula_but_its_figure(
    new_database: Callable[[], Database], tmp_path: Path
) -> None:
    made = new_database()
    load_town(made.writing, tmp_path, ("2019-Q4", "2020-Q1", "2020-Q4"))
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(report(made, version=Version.INTERNAL))))
    sheet = book["3 Kennzahlen Musterstadt"]
    assert [cell.value for cell in sheet[5]] == ["Zeitraum", "2019-Q4", "2020-Q1", "2020-Q4"]
    target = rows(sheet)["Zielschwelle der Ausgaben in €"]
    assert [value is None for value in target] == [False, True, False]
    assert not any(str(value).startswith("=") for value in target)
    assert target[2] == pytest.approx(target[0] * 1.04)
