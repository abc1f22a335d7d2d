"""Tables as offices publish them: several header rows, merged cells, sections, notes below, odd encodings."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from importer_help import write_xlsx

from importers.errors import SourceError
from importers.mapping import Mapping
from importers.sources import merged
from importers.sources.base import Layout
from importers.sources.header import column_names, filled_right, title
from importers.sources.table import CsvSource
from importers.sources.workbook import ExcelSource

# One table, once as an office's workbook would be exported to CSV, once with really merged cells.
ROWS: list[list[Any]] = [
    ["Bevölkerung in der Stadt", None, None, None, None],
    ["Gebiet", "Bevölkerung", None, "Soziales", None],
    [None, "ins-\ngesamt", "Unter 18-\nJährige", "Arbeits\u00adlose", "SGB II\n(Dez 2013)"],
    ["Altstadt", 1675, 162, 71, 4],
    ["Neustadt", 12301, 1334, 577, 77],
    ["Bezirk Mitte", 13976, 1496, 648, 81],
    ["Quelle: erfunden", None, None, None, None],
    ["Altland", 1, 1, 1, 1],
]
MERGED = ("A1:E1", "A2:A3", "B2:C2", "D2:E2")
TITLES = ("Gebiet", "Bevölkerung | ins-gesamt", "Bevölkerung | Unter 18-Jährige", "Soziales | Arbeitslose",
          "Soziales | SGB II (Dez 2013)")  # fmt: skip
MESSY = Layout(header_rows=2, skip_rows=1, footer="^Quelle")


def as_csv(folder: Path, rows: list[list[Any]] = ROWS, name: str = "a.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    lines = [";".join("" if v is None else f'"{v}"' if "\n" in str(v) else str(v) for v in row) for row in rows]
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def as_book(folder: Path, rows: list[list[Any]] = ROWS, ranges: tuple[str, ...] = MERGED) -> Path:
    path = folder / "a.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for found in ranges:
        sheet.merge_cells(found)
    book.save(path)
    return path


def read_csv(folder: Path, layout: Layout, rows: list[list[Any]] = ROWS) -> CsvSource:
    return CsvSource(as_csv(folder, rows), layout)


def read_book(folder: Path, layout: Layout, rows: list[list[Any]] = ROWS) -> ExcelSource:
    return ExcelSource(as_book(folder, rows, MERGED if rows is ROWS else ()), layout=layout)


def body(source: CsvSource | ExcelSource) -> dict[int, list[str | None]]:
    """Return row number -> cells as text ("" for None)."""
    made: dict[int, list[str | None]] = {}
    for chunk in source.chunks():
        for i, row in enumerate(chunk.rows.tolist()):
            made[row] = ["" if v is None else str(v) for v in (column[i] for column in chunk.columns.values())]
    return made


BOTH = pytest.mark.parametrize("read", [read_csv, read_book])


@BOTH
def test_header_rows_are_joined_and_notes_end_the_table(tmp_path: Path, read: Callable[..., Any]) -> None:
    source = read(tmp_path, MESSY)
    assert source.columns == TITLES
    assert body(source) == {
        4: ["Altstadt", "1675", "162", "71", "4"],
        5: ["Neustadt", "12301", "1334", "577", "77"],
        6: ["Bezirk Mitte", "13976", "1496", "648", "81"],
    }
    assert body(source) == body(source), "a source can be read twice"
    assert source.notes == ["Ab Zeile 7 folgen Anmerkungen; sie wurden nicht gelesen."]


@BOTH
def test_one_row_of_the_header_can_give_the_names(tmp_path: Path, read: Callable[..., Any]) -> None:
    source = read(tmp_path, Layout(header_rows=2, skip_rows=1, title_row=2, footer="^Quelle"), [
        ROWS[0], ["Gebiet", *ROWS[1][1:]], ["Gebiet", *ROWS[2][1:]], *ROWS[3:],
    ])  # fmt: skip
    assert source.columns == ("Gebiet", "ins-gesamt", "Unter 18-Jährige", "Arbeitslose", "SGB II (Dez 2013)")
    assert list(body(source)) == [4, 5, 6]


def test_a_cell_merged_downwards_names_its_column_in_every_row(tmp_path: Path) -> None:
    source = read_book(tmp_path, Layout(header_rows=2, skip_rows=1, title_row=2))
    assert source.columns[0] == "Gebiet"


@BOTH
def test_sections_say_what_follows_and_bare_headings_are_no_rows(tmp_path: Path, read: Callable[..., Any]) -> None:
    rows = [["Gebiet", "Zahl"], ["Altstadt", 1], ["Bezirke", None], ["Mitte", 3], ["Stadt", 3]]
    source = read(tmp_path, Layout(sections=(("bezirk", "^Bezirke$"), ("land", "^Stadt$"))), rows=rows)
    assert source.columns == ("Gebiet", "Zahl", "section")
    assert body(source) == {2: ["Altstadt", "1", ""], 4: ["Mitte", "3", "bezirk"], 5: ["Stadt", "3", "land"]}
    again = [chunk.columns["section"].tolist() for chunk in source.chunks()]
    assert again == [[None, "bezirk", "land"]], "every reading begins outside the sections"
    with pytest.raises(SourceError, match=r"hat schon eine Spalte „section“"):
        read(tmp_path, Layout(sections=(("x", "y"),)), rows=[["section", "b"], [1, 2]])


@BOTH
def test_titles_that_stand_twice_after_joining_are_refused(tmp_path: Path, read: Callable[..., Any]) -> None:
    rows = [["Gebiet", "Zahl", None], ["Gebiet", "a", "a"], ["X", 1, 2]]
    with pytest.raises(SourceError, match=r"Die Spalte „Zahl \| a“ kommt in der Kopfzeile mehrfach vor"):
        read(tmp_path, Layout(header_rows=2), rows)
    with pytest.raises(SourceError, match=r"Spalte ohne Namen"):
        read(tmp_path, Layout(header_rows=2), [["Gebiet", None, "Zahl"], ["", None, "a"], ["X", 1, 2]])


@BOTH
def test_nothing_below_the_skipped_rows_is_refused(tmp_path: Path, read: Callable[..., Any]) -> None:
    with pytest.raises(SourceError) as refused:
        read(tmp_path, Layout(skip_rows=50))
    assert "50 übersprungenen" in str(refused.value) or "In Zeile 51 ist kein Trennzeichen" in str(refused.value)


def test_a_gap_is_filled_from_the_left_only_above_a_title() -> None:
    assert filled_right([["a", "", "", "b", ""], ["1", "2", "", "3"]]) == [
        ["a", "a", "", "b", ""], ["1", "2", "", "3", ""]]  # fmt: skip
    assert filled_right([["a", "", "c"]]) == [["a", "", "c"]]
    assert filled_right([]) == []


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("Unter 18-\nJährige", "Unter 18-Jährige"),
        ("Unter 18-\r\n  Jährige", "Unter 18-Jährige"),
        ("Bevölkerungs\u00ad\u00addichte", "Bevölkerungsdichte"),
        ("Anteil\nin %", "Anteil in %"),
        ("  65-Jährige   und\tÄltere\u00a0", "65-Jährige und Ältere"),
        ("Kosten -\nohne Miete", "Kosten - ohne Miete"),
        (2019, "2019"),
        (None, ""),
    ],
)
def test_titles_are_one_line(cell: object, line: str) -> None:
    assert title(cell) == line
    assert title(line) == line


@given(st.lists(st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=3, max_size=3), min_size=1, max_size=3))
def test_a_title_has_every_part_once_in_order(rows: list[list[str]]) -> None:
    try:
        names = column_names(rows, Layout(header_rows=len(rows)), "t")
    except SourceError:
        return
    for i, name in enumerate(names):
        parts = name.split(" | ")
        assert len(parts) == len(set(parts))
        assert parts == list(dict.fromkeys(row[i] for row in rows if row[i]))


BODY: list[list[Any]] = [["Bezirk", "Gebiet", "a", "b"], ["Mitte", "Altstadt", 1, None], [None, "Neustadt", 2, 9],
                         [None, None, None, None], ["Nord", "Heide", None, 4]]  # fmt: skip


def test_merged_cells_of_the_body_have_their_value_everywhere_if_wanted(tmp_path: Path) -> None:
    path = as_book(tmp_path, BODY, ("A2:A4", "C2:D2", "C3:D3"))
    filled = ExcelSource(path, layout=Layout(fill_merged=True))
    assert body(filled) == {
        2: ["Mitte", "Altstadt", "1", "1"],
        3: ["Mitte", "Neustadt", "2", "2"],
        5: ["Nord", "Heide", "", "4"],
    }
    assert body(ExcelSource(path))[3] == ["", "Neustadt", "2", ""]


def test_a_title_merged_into_the_body_fills_no_rows(tmp_path: Path) -> None:
    source = ExcelSource(as_book(tmp_path, BODY, ("B1:B3",)), layout=Layout(fill_merged=True))
    assert body(source)[2] == ["Mitte", "", "1", ""]


def with_sheet_xml(path: Path, change: Callable[[str], str]) -> Path:
    made = path.with_name("b.xlsx")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in archive.namelist():
            raw = archive.read(name)
            if name.startswith("xl/worksheets/sheet"):
                raw = change(raw.decode()).encode()
            changed.writestr(name, raw)
    return made


@pytest.mark.parametrize(
    ("refs", "said"),
    [
        (["A2:XFD1048576"] * 3, "überlappen sich"),
        (["A2:D5", "A2:D5"], "überlappen sich"),
        (["A2"], None),
        (["A2:A3", "F20:ZZ4000"], None),
        (["Unsinn"], "keine lesbare Excel-Datei"),
        (["A:B"], "keine lesbare Excel-Datei"),
    ],
)
def test_merged_ranges_that_cannot_be_are_refused_and_cost_nothing(
    tmp_path: Path, refs: list[str], said: str | None
) -> None:
    cells = "".join(f'<mergeCell ref="{ref}"/>' for ref in refs)
    more = f"</sheetData><mergeCells>{cells}</mergeCells>"
    path = with_sheet_xml(as_book(tmp_path, BODY, ()), lambda xml: xml.replace("</sheetData>", more))
    if said is None:
        assert len(body(ExcelSource(path, layout=Layout(fill_merged=True)))) == 3
        return
    with pytest.raises(SourceError) as refused:
        ExcelSource(path, layout=Layout(fill_merged=True))
    assert said in str(refused.value)


def test_too_many_merged_ranges_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged, "MAX_RANGES", 2)
    with pytest.raises(SourceError, match=r"mehr als 2 verbundene Zellbereiche"):
        read_book(tmp_path, MESSY)


def test_entities_in_a_sheet_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "aaaaaaaaaa"><!ENTITY y "&x;&x;">]>'
    path = with_sheet_xml(
        as_book(tmp_path), lambda xml: f"{bomb}{xml.partition('?>')[2] if xml.startswith('<?xml') else xml}"
    )
    with pytest.raises(SourceError, match=r"keine lesbare Excel-Datei"):
        ExcelSource(path, layout=MESSY)


@pytest.mark.parametrize("claimed", ["A1", "A1:XFD1048576"])
def test_what_a_sheet_claims_of_its_size_does_not_count(tmp_path: Path, claimed: str) -> None:
    def change(xml: str) -> str:
        assert '<dimension ref="A1:D5"' in xml
        return xml.replace('<dimension ref="A1:D5"', f'<dimension ref="{claimed}"')

    path = with_sheet_xml(as_book(tmp_path, BODY, ()), change)
    assert body(ExcelSource(path))[3] == ["", "Neustadt", "2", "9"]


def test_a_row_far_below_the_last_possible_is_refused(tmp_path: Path) -> None:
    path = with_sheet_xml(as_book(tmp_path, BODY, ()), lambda xml: xml.replace('<row r="5"', '<row r="900000000"'))
    with pytest.raises(SourceError, match=r"mehr als 1048576 Zeilen"):
        ExcelSource(path)


def test_the_sheet_is_named_by_the_layout(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["a"], [1]], Zweites=[["b"], [2]])
    assert ExcelSource(path, layout=Layout(sheet="Zweites")).columns == ("b",)
    assert ExcelSource(path, sheet="Sheet", layout=Layout(sheet="Zweites")).columns == ("a",)


@pytest.mark.parametrize(
    ("encoding", "wanted"), [("cp850", "cp850"), ("utf-16", "utf-16"), ("utf-8-sig", "utf-8"), ("cp1252", "cp1252")]
)
def test_the_encoding_can_be_given(tmp_path: Path, encoding: str, wanted: str) -> None:
    source = CsvSource(as_csv(tmp_path, [["Größe", "b"], ["Öl", 1]], encoding=encoding), Layout(encoding=wanted))
    assert source.columns == ("Größe", "b")
    assert body(source) == {2: ["Öl", "1"]}
    assert source.notes == []


def test_an_encoding_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = as_csv(tmp_path, [["Größe", "b"], ["Öl", 1]], encoding="cp1252")
    with pytest.raises(SourceError, match=r"lässt sich nicht als „utf-8“ lesen"):
        CsvSource(path, Layout(encoding="utf-8"))
    with pytest.raises(SourceError, match=r"lässt sich nicht als „utf-16“ lesen|Nullbytes"):
        CsvSource(path, Layout(encoding="utf-16"))
    with pytest.raises(SourceError, match=r"Zeichenkodierung „klingonisch“ gibt es nicht"):
        CsvSource(path, Layout(encoding="klingonisch"))


def test_the_delimiter_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Titel; mit; Zeichen\na|b;c\n1|2;3\n")
    source = CsvSource(path, Layout(delimiter="|", skip_rows=1))
    assert source.columns == ("a", "b;c")
    assert body(source) == {3: ["1", "2;3"]}


def test_skipped_lines_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('Ein "Titel, der nicht schließt\n;;;;\na;b\n1;2\n3\n')
    source = CsvSource(path, Layout(skip_rows=2))
    assert body(source) == {4: ["1", "2"]}
    assert source.bad_rows == {5: "Die Zeile hat 1 statt 2 Felder."}


def test_a_mapping_says_the_layout_and_what_differs_in_a_workbook() -> None:
    info = Mapping.model_validate({
        "source": {
            "header_rows": 2, "footer": "^Quelle", "delimiter": ";", "encoding": "ISO-8859-1", "layer": "Blatt 2",
            "sections": {"bezirk": "^Bezirk"}, "workbook": {"skip_rows": 1, "header_rows": 3, "title_row": 2},
        }
    }).source  # fmt: skip
    plain = Layout(header_rows=2, footer="^Quelle", delimiter=";", encoding="iso8859-1", sheet="Blatt 2",
                   sections=(("bezirk", "^Bezirk"),))  # fmt: skip
    assert info.layout() == info.layout("a.csv") == plain
    book = info.layout(Path("Ordner/A.XLSX"))
    assert (book.skip_rows, book.header_rows, book.title_row) == (1, 3, 2)
    assert (book.footer, book.sections, book.sheet) == (plain.footer, plain.sections, "Blatt 2")
    assert Mapping().source.layout() == Layout()
    assert Mapping.model_validate({"source": {"sheet": "a", "layer": "b"}}).source.layout().sheet == "a"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=6), st.integers(0, 20)), min_size=1, max_size=4),
    st.sampled_from([MESSY, Layout(header_rows=3, fill_merged=True), Layout(sections=(("x", "^Bezirk"),))]),
)
def test_damaged_tables_give_rows_or_a_sentence_never_anything_else(
    tmp_path: Path, book: bool, cuts: list[tuple[int, bytes, int]], layout: Layout
) -> None:
    def damaged(raw: bytes) -> bytes:
        for at, put, gone in cuts:
            at %= len(raw)  # noqa: PLW2901 - anywhere in what is left
            raw = raw[:at] + put + raw[at + gone :] + b"."
        return raw

    try:
        if book:
            path = with_sheet_xml(as_book(tmp_path), lambda xml: damaged(xml.encode()).decode("latin-1"))
            body(ExcelSource(path, layout=layout))
        else:
            path = as_csv(tmp_path)
            path.write_bytes(damaged(path.read_bytes()))
            body(CsvSource(path, layout))
    except SourceError as refused:
        sentence = str(refused)
    else:
        sentence = "gelesen."
    assert "\n" not in sentence
    assert sentence.endswith((".", "?"))
