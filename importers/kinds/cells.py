"""How cells are read, where kinds of data do it alike: signs no text keeps, the marks of numbers, the lone dash."""

import math
import re
from dataclasses import dataclass

from importers import numbers
from importers.report import Report

# What a spreadsheet shows where a formula failed, in English and in German.
SPOILT = frozenset({
    "#REF!", "#BEZUG!", "#N/A", "#NV", "#VALUE!", "#WERT!", "#DIV/0!", "#NAME?", "#NUM!", "#ZAHL!", "#NULL!",
})  # fmt: skip
SPOILT_SAID = "Die Zelle zeigt den Fehler einer Formel statt eines Werts."

# Neither a page nor XML can hold them; what separates lines and columns is no harm.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Reading:
    """How numbers are written: the decimal mark (None: the file needs none) and what a lone dash says."""

    decimal: str | None
    dash: numbers.Dash | None


def read_dash(cell: str, row: int, field: str, reading: Reading, report: Report) -> float:
    """Return what a lone dash says (NaN: missing) and list it; where nothing settles it, the row is a reject."""
    if reading.dash is None:
        report.reject(
            row, field, cell, "Ein Strich kann 0 oder „fehlt“ bedeuten.",
            "Bitte mit --dash zero oder --dash missing festlegen.",
        )  # fmt: skip
        return math.nan
    zero = reading.dash is numbers.Dash.ZERO
    report.info(f"Ein Strich wurde als {'0' if zero else 'fehlend'} gelesen.", row=row, field=field, value=cell)
    return 0.0 if zero else math.nan
