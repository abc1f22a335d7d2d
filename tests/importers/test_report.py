"""The sentences a report begins with."""

import pytest

from importers.report import Report


def report(**more: bool) -> Report:
    made = Report("facilities.okja", "facilities", "liste.xlsx", rows_read=412, rows_loaded=409, **more)
    for row in (7, 9, 11):
        made.reject(row, "street", None, "Die Anschrift fehlt.")
    return made


@pytest.mark.parametrize(
    ("more", "added"),
    [({}, ""), ({"dry_run": True}, " (Probelauf, nichts geändert)"),
     ({"unchanged": True}, " (Inhalt wie bisher, keine neue Fassung)"),
     ({"dry_run": True, "unchanged": True}, " (Probelauf, nichts geändert)")],
)  # fmt: skip
def test_a_page_says_how_many_rows_a_terminal_also_of_what(more: dict[str, bool], added: str) -> None:
    taken = "409 von 412 Zeilen übernommen, 3 zurückgewiesen"
    assert report(**more).taken() == f"{taken}."
    assert report(**more).headline() == f"facilities.okja: {taken}{added}."
    assert next(iter(report(**more).lines())) == report(**more).headline()
