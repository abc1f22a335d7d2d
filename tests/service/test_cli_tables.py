"""Tables of the terminal: German numbers, whole people that add up, and text that stays text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.answer import Meta, Source
from geodata.viewer import Version
from service.cli import tables
from service.cli.tables import Column, footnotes, numbers, people, percents, printable, table, texts

residents = st.floats(0, 1e6, allow_nan=False) | st.none()


def whole_number(cell: str) -> int:
    return int(cell.replace(".", ""))


@given(st.lists(residents, max_size=60))
def test_shown_people_add_up_and_are_off_by_less_than_one(values: list[float | None]) -> None:
    column = people("Einwohner", values)
    pairs = [(cell, value) for cell, value in zip(column.cells, values, strict=True) if value is not None]
    assert [cell for cell, value in zip(column.cells, values, strict=True) if value is None] == ["fehlt"] * (
        len(values) - len(pairs)
    )
    assert all(abs(whole_number(cell) - value) < 1 for cell, value in pairs)
    total = float(np.sum([value for _, value in pairs]))
    assert abs(sum(whole_number(cell) for cell, _ in pairs) - total) <= 0.5 + 1e-6


def test_missing_is_neither_nothing_nor_a_dash() -> None:
    assert numbers("x", [0.0, None, 1234.56], 1).cells == ["0,0", "fehlt", "1.234,6"]
    assert percents("x", [0.5315, None, 0.0]).cells == ["53,2 %", "fehlt", "0,0 %"]
    assert texts("x", ["a", None]).cells == ["a", ""]


def test_columns_are_aligned() -> None:
    lines = list(table([texts("Gebiet", ["Ost", "Mühlenfeld"]), numbers("Einwohner", [5, 1200])]))
    assert lines == ["Gebiet      Einwohner", "----------  ---------", "Ost                 5", "Mühlenfeld      1.200"]


@pytest.mark.parametrize(("rows", "more"), [(50, None), (51, "eine weitere Zeile"), (1250, "1.200 weitere Zeilen")])
def test_at_most_fifty_rows_and_how_many_more(rows: int, more: str | None) -> None:
    lines = list(table([numbers("n", range(rows))]))
    assert len(lines) == 2 + 50 + (more is not None)
    assert (lines[-1] == f"… und {more} (alle mit --out DATEI)") == (more is not None)


def test_empty_columns_are_left_out_and_no_rows_are_said() -> None:
    kept = tables.given([texts("leer", [None, ""]), None, numbers("n", [None, 1])])
    assert [column.heading for column in kept] == ["n"]
    assert list(table([])) == list(table([Column("n", [])])) == ["Keine Zeilen."]


def test_text_from_files_steers_no_terminal() -> None:
    bad = "[bold red]Haus[/]\x1b[31m\r\n\t\u202e\u200bx"
    (cell,) = texts("Name", [bad]).cells
    assert cell == printable(bad) == "[bold red]Haus[/] [31m     x"
    lines = list(table([texts("Name", [bad])]))
    assert all(line.isprintable() for line in lines)
    meta = Meta(bad, bad, bad, Version.PUBLISHED, [Source("x", bad, None, bad, bad)], 0, 1, [bad])
    assert all(line.isprintable() for line in footnotes(meta))
