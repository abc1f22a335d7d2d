"""German numbers: what a cell means is a property of its source, inferred only when every number agrees.

``1.675`` is 1675 in one table and 1,675 in the next. A file in which it could be either is refused.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from importers.errors import MappingError

MISSING = frozenset({"", ".", "/", "x", "…", "...", "keine daten"})
DASHES = frozenset({"-", "–", "—"})

_PLAIN = re.compile(r"[+-]?\d+")
_BLANKS = re.compile(r"[\s\u00a0\u202f]+")
_GROUPED = {
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+"),
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+"),
}
_DECIMAL = {
    ",": re.compile(r"[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+),\d+"),
    ".": re.compile(r"[+-]?(\d+|[1-9]\d{0,2}(,\d{3})+)\.\d+"),
}


class Dash(StrEnum):
    """What a lone dash in a numeric column says."""

    ZERO = "zero"
    MISSING = "missing"


def squeeze(text: str) -> str:
    """Return the text without blanks inside and around (` 1 675 ` is 1675, `- 23` is -23), minus signs unified."""
    return _BLANKS.sub("", text).replace("−", "-")


def is_missing(text: str) -> bool:
    """Tell whether the cell stands for a missing value (a lone dash does not: see ``Dash``)."""
    return _BLANKS.sub(" ", text).strip().lower() in MISSING


def is_dash(text: str) -> bool:
    """Tell whether the cell is a lone dash."""
    return squeeze(text) in DASHES


def _readings(text: str) -> set[str]:
    """Return the decimal marks under which the text is a number and which it decides between; empty if neither."""
    return {mark for mark in (",", ".") if _GROUPED[mark].fullmatch(text) or _DECIMAL[mark].fullmatch(text)}


def infer_decimal(cells: Iterable[str]) -> str | None:
    """Return the decimal mark all cells agree on, None if no cell needs one.

    Raises ``MappingError`` when they disagree or leave it open, naming the option that settles it.
    """
    possible = {",", "."}
    example = None
    for cell in cells:
        text = squeeze(cell)
        if _PLAIN.fullmatch(text) or is_missing(cell) or is_dash(cell):
            continue
        readings = _readings(text)
        if not readings:
            continue  # not a number at all: the row check names it
        example = example or cell.strip()
        possible &= readings
        if not possible:
            raise MappingError(
                f"Die Zahlen der Datei sind teils mit Komma, teils mit Punkt geschrieben (etwa „{cell.strip()}“); "
                "bitte das Dezimalzeichen mit --decimal , oder --decimal . angeben."
            )
    if example is None:
        return None
    if len(possible) == 2:
        raise MappingError(
            f"„{example}“ kann ein Tausenderpunkt oder ein Dezimalzeichen sein; "
            "bitte das Dezimalzeichen mit --decimal , oder --decimal . angeben."
        )
    return possible.pop()


def parse(cell: str, decimal: str | None) -> float:
    """Return the number in a cell under a decimal mark; raise ``ValueError`` for anything else.

    Missing marks and dashes are the caller's to decide before.
    """
    text = squeeze(cell)
    if _PLAIN.fullmatch(text):
        return float(text)
    if decimal is not None and (_GROUPED[decimal].fullmatch(text) or _DECIMAL[decimal].fullmatch(text)):
        grouping = "." if decimal == "," else ","
        return float(text.replace(grouping, "").replace(decimal, "."))
    raise ValueError(cell)


def parse_coordinate(cell: str) -> float:
    """Return a coordinate: one mark is always the decimal mark, thousands are never grouped by it."""
    text = squeeze(cell)
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    return float(text) if re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", text) else float("nan")
