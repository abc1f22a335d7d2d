"""The report as PDF: tagged, in German, marked on every page, its numbers readable, nothing fetched from anywhere."""

import dataclasses
import io
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdf
import pytest
from conftest import PROJECT, Database
from export_town import LONG, WANTED, load_town

from geodata import words
from geodata.database import Access, reading
from geodata.viewer import Role, Version, Viewer
from service.exports.parts import INTERNAL, PUBLISHED, Report
from service.exports.pdf import to_pdf
from service.exports.report import ReportRequest, report_of

ADMIN = Access(Viewer(Role.ADMIN))


@pytest.fixture(scope="module")
def database(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = new_database()
    load_town(made.writing, tmp_path_factory.mktemp("town"))
    return made


def report(database: Database, **asked: Any) -> Report:
    with reading(database.serving, ADMIN) as session:
        return report_of(session, ReportRequest((*WANTED, ("stadt", "S")), **asked))


@pytest.fixture(scope="module")
def internal(database: Database) -> Report:
    return report(database, version=Version.INTERNAL)


@pytest.fixture(scope="module")
def body(internal: Report) -> bytes:
    return to_pdf(internal)


@pytest.fixture(scope="module")
def pdf(body: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(body))


def text_of(page: pypdf.PageObject) -> str:
    return re.sub(r"\s+", " ", page.extract_text())


def elements(pdf: pypdf.PdfReader) -> Iterator[Any]:
    """Yield every structure element of the tree, parents first."""
    waiting = [pdf.root_object["/StructTreeRoot"]]
    while waiting:
        one = waiting.pop().get_object()
        if not isinstance(one, pypdf.generic.DictionaryObject):
            continue
        if "/S" in one:
            yield one
        kids = one.get("/K", [])
        waiting += list(kids) if isinstance(kids, list) else [kids]


def test_it_is_tagged_and_says_what_it_is(pdf: pypdf.PdfReader, internal: Report) -> None:
    root = pdf.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "de"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.metadata is not None
    assert pdf.metadata.title == f"{internal.title}: {internal.subtitle}"
    assert b"pdfuaid:part" in root["/Metadata"].get_data() or b"pdfuaid" in root["/Metadata"].get_data()
    kinds = [element["/S"] for element in elements(pdf)]
    tables = [table for section in internal.sections for table in section.tables]
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") == len(internal.sections) + 2
    assert kinds.count("/Table") >= len(tables) + 1 + len(internal.notes)
    assert kinds.count("/TH") > sum(1 for table in tables for _line in table.lines())


def test_every_number_has_its_row_and_column_heading(pdf: pypdf.PdfReader) -> None:
    cells = [element for element in elements(pdf) if element["/S"] == "/TD"]
    attributes = [cell["/A"] for cell in cells]
    headed = [one for one in attributes if len(one.get("/Headers", [])) >= 2]
    assert len(headed) > 300
    # All but the single cells of facts and notes, which have the heading of their row only.
    assert all(len(one.get("/Headers", [])) >= 1 for one in attributes)


def test_charts_have_words(pdf: pypdf.PdfReader, internal: Report) -> None:
    said = [str(element["/Alt"]) for element in elements(pdf) if element["/S"] == "/Figure"]
    charts = [chart for section in internal.sections for chart in section.charts]
    assert len(said) == len(charts) == 5
    assert all("Alle Werte stehen in der Tabelle" in alt and re.search(r"\(20[0-9]{2}\)", alt) for alt in said)


@pytest.mark.parametrize(("version", "mark"), [(Version.INTERNAL, INTERNAL), (Version.PUBLISHED, PUBLISHED)])
def test_every_page_is_marked_and_numbered(database: Database, version: Version, mark: str) -> None:
    pages = pypdf.PdfReader(io.BytesIO(to_pdf(report(database, version=version)))).pages
    assert len(pages) > 5
    for number, page in enumerate(pages, start=1):
        text = text_of(page)
        assert mark in text
        assert f"Seite {number} von {len(pages)}" in text
        assert (INTERNAL in text) == (version is Version.INTERNAL)


def test_every_page_says_what_is_to_be_said_of_all_data(internal: Report) -> None:
    noted = dataclasses.replace(internal, notice="Beispieldaten – <keine> amtlichen Angaben")
    for page in pypdf.PdfReader(io.BytesIO(to_pdf(noted))).pages:
        assert "Beispieldaten – <keine> amtlichen Angaben" in text_of(page)


def test_its_numbers_are_those_of_the_tables(pdf: pypdf.PdfReader, internal: Report) -> None:
    text = " ".join(text_of(page) for page in pdf.pages).replace("\N{NO-BREAK SPACE}", " ")
    for section in internal.sections:
        assert section.title.split(" ")[0] in text
        for table in section.tables:
            for line in table.lines():
                shown = [cell.text(line.look).replace("\N{NO-BREAK SPACE}", " ") for cell in line.cells]
                assert " ".join(shown) in text, (table.title, line.title)
    # And the figure, by hand: 3rd Hilfeart of A in 2018, 74.5 cases of 12,000 €.
    assert words.number(74.5 * 12_000) in text
    assert "• zum Schutz kleiner Fallzahlen nicht ausgewiesen" in text


def test_nothing_is_linked_or_loaded_and_fonts_are_inside(pdf: pypdf.PdfReader, body: bytes) -> None:
    for page in pdf.pages:
        for reference in page.get("/Annots", []):
            assert "/A" not in reference.get_object()
        for font in (one.get_object() for one in page["/Resources"].get("/Font", {}).values()):
            inner = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3", "/FontFile"} & set(inner)
    assert "/EmbeddedFiles" not in pdf.root_object.get("/Names", {})
    assert b"/JavaScript" not in body
    assert b"/URI" not in body


def test_hostile_names_are_text(pdf: pypdf.PdfReader) -> None:
    text = " ".join(text_of(page) for page in pdf.pages)
    for part in ('<img src="http://beispiel.invalid/x.png">', "=cmd|", "$\\frac{1}$", "<b>Hilfe</b>"):
        assert part in text
    assert LONG.split()[-1] in text


def test_the_same_data_give_the_same_bytes(internal: Report, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        assert to_pdf(internal) == body
    # Nothing the layout does not know or cannot find.
    assert [record.getMessage() for record in caplog.records] == []


def test_many_periods_are_split_over_tables_and_none_is_cut_off(
    new_database: Callable[[], Database], tmp_path: Path
) -> None:
    made = new_database()
    periods = tuple(f"{year}-Q{quarter}" for year in range(2018, 2022) for quarter in range(1, 5))
    load_town(made.writing, tmp_path, periods)
    with reading(made.serving, ADMIN) as session:
        asked = report_of(session, ReportRequest((("stadt", "S"),), version=Version.INTERNAL))
    pdf = pypdf.PdfReader(io.BytesIO(to_pdf(asked)))
    text = " ".join(text_of(page) for page in pdf.pages)
    assert "Teil 1: 2018-Q1 bis" in text
    assert "bis 2021-Q4" in text
    right: list[float] = []

    def note(found: str, page: list[float], text: list[float], _font: Any, _size: float) -> None:
        if found.strip():
            right.append(text[4] * page[0] + text[5] * page[2] + page[4])

    for page in pdf.pages:
        page.extract_text(visitor_text=note)
    width = float(pdf.pages[0].mediabox.width)
    assert max(right) < width - 40


def test_setup_and_image_install_what_the_layout_needs() -> None:
    setup = (PROJECT / "scripts" / "setup.sh").read_text(encoding="utf-8")
    image = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    for package in ("libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-liberation"):
        assert package in setup
        assert package in image
