"""Address rows: canonical columns, row checks (pandera), and both spellings: as given and as compared."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from geodata.spelling import MAX_NUMBER_CHARS, number_plain, street_plain
from importers.kinds import points
from importers.kinds.cells import SPOILT, SPOILT_SAID
from importers.kinds.facility_rows import cleaned
from importers.mapping import Rule, canonical
from importers.report import Report
from importers.sources import Chunk

TEXTS = ("street", "house_number", "postcode", "city")
COLUMNS = (*TEXTS, *points.COORDINATES)
STAGE = (
    ("row", "int"), ("street", "text"), ("house_number", "text"), ("postcode", "text"), ("city", "text"),
    ("street_plain", "text"), ("number_plain", "text"), ("geom", "geometry(Point, 25832)"),
)  # fmt: skip

MAX_TEXT_CHARS = 200
# The database indexes it; some letters are spelt out to several.
_MAX_PLAIN_CHARS = 500
_MISSING = {"street": "Die Straße fehlt.", "house_number": "Die Hausnummer fehlt."}


def _says(check: Any, error: str) -> pa.Check:  # noqa: ANN401 - a function of a column
    return pa.Check(check, error=error)


_SHORT = _says(lambda s: s.str.len() <= MAX_TEXT_CHARS, f"Der Text ist länger als {MAX_TEXT_CHARS} Zeichen.")

SCHEMA = pa.DataFrameSchema(
    {
        "street": pa.Column(object, nullable=True, checks=[_SHORT, _says(lambda s: ~s.isin(SPOILT), SPOILT_SAID)]),
        "house_number": pa.Column(object, nullable=True, checks=[_SHORT, _says(
            lambda s: ~s.str.match(r"\d{4}-\d{2}-\d{2}"),
            "Das ist ein Datum: Eine Tabellenkalkulation hat die Hausnummer verwandelt.")]),
        "postcode": pa.Column(object, nullable=True, checks=[_says(
            lambda s: s.str.fullmatch(r"[0-9]{5}"), "Eine Postleitzahl hat fünf Ziffern.")]),
        "city": pa.Column(object, nullable=True, checks=[_SHORT]),
        "street_plain": pa.Column(object, nullable=True, checks=[_says(
            lambda s: s.str.len().between(1, _MAX_PLAIN_CHARS), "Das ist kein Straßenname.")]),
    }
)  # fmt: skip
_ADVICE = {
    "house_number": "Bitte berichtigen.",
    "postcode": "Fehlt die führende Null, ergänzt sie eine Zuordnung mit zfill = 5.",
}


def checked(chunk: Chunk, rules: Mapping[str, Rule], declared: str | None, report: Report) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that may be staged (as ``STAGE`` names their columns); the others are noted as rejects.

    ``declared``: the CRS of geometry or of ``x`` and ``y``.
    """
    rows = chunk.rows
    report.rows_read += len(rows)
    given = canonical(chunk.columns, len(rows), rules, COLUMNS)
    table = pd.DataFrame({name: cleaned(given[name]) for name in TEXTS})
    table["street_plain"] = _each(table["street"], street_plain)
    table["number_plain"] = _each(table["house_number"], number_plain)
    _check(table, rows.tolist(), report)
    metres = points.in_metres(
        chunk, {name: points.coordinates(given[name]) for name in points.COORDINATES}, declared, report
    )
    refused = report.rejected_rows()
    for i in np.flatnonzero(~np.isfinite(metres).all(axis=1)):
        if int(rows[i]) not in refused:
            report.reject(int(rows[i]), "lon", None, points.NO_COORDINATE, "Bitte ergänzen.")
    refused = report.rejected_rows()
    columns = (table[name].tolist() for name in (*TEXTS, "street_plain", "number_plain"))
    for number, *texts, geom in zip(rows.tolist(), *columns, points.as_wkb(metres), strict=True):
        if number not in refused:
            yield (number, *texts, geom)


def _each(column: "pd.Series[Any]", made: Any) -> "pd.Series[Any]":  # noqa: ANN401 - text to text or None
    return pd.Series([None if value is None else made(value) for value in column], dtype=object)


def _check(table: pd.DataFrame, rows: list[int], report: Report) -> None:
    for name, why in _MISSING.items():
        for i in np.flatnonzero(table[name].isna()):
            report.reject(
                rows[i], name, None, why,
                "Bitte ergänzen; steht sie mit in der Straße, trennt eine Zuordnung (part) beides."
                if name == "house_number" else "Bitte ergänzen.",
            )  # fmt: skip
    try:
        SCHEMA.validate(table, lazy=True)
    except SchemaErrors as errors:
        for failure in errors.failure_cases.itertuples():
            at = int(failure.index)
            name = str(failure.column).replace("_plain", "")
            report.reject(rows[at], name, table[name].iloc[at], str(failure.check), _ADVICE.get(name, ""))
    wrong = table["house_number"].notna() & table["number_plain"].isna()
    for i in np.flatnonzero(wrong):
        report.reject(
            rows[i], "house_number", table["house_number"].iloc[i],
            f"Das ist keine Hausnummer: eine Zahl mit bis zu fünf Ziffern, zusammen bis {MAX_NUMBER_CHARS} Zeichen.",
        )  # fmt: skip
