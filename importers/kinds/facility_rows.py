"""Facility rows: the canonical columns, how their texts become values, and the row checks (pandera).

Vectorised over chunks; whatever a row lacks is noted with row, field, value, reason and what to do.
"""

import datetime as dt
import hmac
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray
from pandera.errors import SchemaErrors

from geodata.tables import BARRIER_FREE, CATEGORIES, SERVICE_AREAS, STATES, SUPPLY_UNITS, USE_UNITS, ReleaseLevel
from importers import numbers
from importers.kinds.cells import CONTROL, SPOILT, SPOILT_SAID, Reading, read_dash
from importers.kinds.points import COORDINATES, coordinates
from importers.mapping import Columns
from importers.report import Report

COLUMNS = (
    "id", "facility_id", "name", "category", "type", "provider", "provider_key", "street", "house_number", "postcode",
    "city", "state", "lon", "lat", "x", "y", "paragraphs", "age_from", "age_to", "supply", "supply_unit", "use",
    "use_unit", "service_area", "opening_hours", "barrier_free", "phone", "email", "website", "release", "valid_from",
    "valid_to", "as_of",
)  # fmt: skip
NUMERIC = ("age_from", "age_to", "supply", "use")
DATES = ("valid_from", "valid_to", "as_of")
TEXTS = tuple(c for c in COLUMNS if c not in (*NUMERIC, *COORDINATES, *DATES))

MAX_TEXT_CHARS = 20_000
MAX_KEY_CHARS = 500
MAX_AGE = 120
_GERMAN_DATE = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})")
_ISO_DATE = re.compile(r"(?P<year>\d{4})([-/])(?P<month>\d{1,2})\2(?P<day>\d{1,2})([T ]\d{2}:\d{2}.*)?")
_PARAGRAPH = re.compile(r"\d{1,3}[a-z]?(\.\d+)?")


def _within(values: Iterable[str]) -> str:
    return f"Der Wert ist unbekannt; möglich sind: {', '.join(values)}."


def _among(values: tuple[str, ...]) -> pa.Check:
    return pa.Check.isin(values, error=_within(values))


def _says(check: Callable[[Any], Any], error: str) -> pa.Check:
    return pa.Check(check, error=error)


# An id or a name "#REF!" is none.
_SOUND = _says(lambda s: ~s.isin(SPOILT), SPOILT_SAID)


def _text(*checks: pa.Check, required: bool = False) -> pa.Column:
    # NULL where required is noted by hand: pandera's own words are not a planner's.
    short = _says(lambda s: s.str.len() <= MAX_TEXT_CHARS, f"Der Text ist länger als {MAX_TEXT_CHARS} Zeichen.")
    return pa.Column(object, checks=[_SOUND, short, *checks], nullable=True, required=required)


# What the database indexes must stay short.
_KEYS = ("id", "facility_id", "provider", "provider_key")
_SHORT = _says(lambda s: s.str.len() <= MAX_KEY_CHARS, f"Der Text ist länger als {MAX_KEY_CHARS} Zeichen.")
_RELEASES = tuple(level.value for level in ReleaseLevel)

SCHEMA = pa.DataFrameSchema(
    {
        "category": _text(_among(CATEGORIES)),
        "state": _text(_among(STATES)),
        "supply_unit": _text(_among(SUPPLY_UNITS)),
        "use_unit": _text(_among(USE_UNITS)),
        "service_area": _text(_among(SERVICE_AREAS)),
        "barrier_free": _text(_among(BARRIER_FREE)),
        "release": _text(_among(_RELEASES)),
        "paragraphs": _text(
            _says(
                lambda s: s.str.split(";").map(lambda parts: all(_PARAGRAPH.fullmatch(p.strip()) for p in parts)),
                "Paragrafen werden wie „11;13“ geschrieben.",
            )
        ),
        "email": _text(_says(lambda s: s.str.fullmatch(r"[^@\s]+@[^@\s]+"), "Das ist keine E-Mail-Adresse.")),
        **{name: _text(_SHORT) for name in _KEYS},
        **{name: _text() for name in TEXTS if name not in {
            *_KEYS, "category", "state", "supply_unit", "use_unit", "service_area", "barrier_free", "release",
            "paragraphs", "email"}},
        **{name: pa.Column(float, nullable=True, checks=[
            _says(lambda s: (s >= 0) & (s <= MAX_AGE) & (s == s.round()),
                  f"Ein Alter ist eine ganze Zahl von 0 bis {MAX_AGE}.")]) for name in ("age_from", "age_to")},
        **{name: pa.Column(float, nullable=True, checks=[
            _says(lambda s: (s >= 0) & np.isfinite(s), "Der Wert darf nicht negativ sein.")])
           for name in ("supply", "use")},
    },
    checks=[],
)  # fmt: skip


def cleaned(column: NDArray[Any]) -> "pd.Series[Any]":
    """Return a column as stripped text without control characters; empty becomes None."""
    return pd.Series([None if value is None else _clean(value) for value in column], dtype=object)


def _clean(value: object) -> str | None:
    if type(value) is str and value.isprintable():  # nearly every cell; the long way is for the rest
        return value.strip() or None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if not np.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    text = CONTROL.sub("", str(value)).strip()
    return text or None


def number_cells(columns: Columns) -> Iterable[str]:
    """Yield the text cells whose decimal mark is to be recognised; real numbers of the source are not re-read."""
    for name in NUMERIC:
        yield from {value for value in columns[name] if isinstance(value, str)}


def parsed(columns: Columns, rows: NDArray[Any], reading: Reading, report: Report) -> pd.DataFrame:
    """Return canonical rows as values: texts, floats (NaN = missing), ISO dates; note what cannot be read.

    Numbers the source stores as numbers are taken as they are.
    """
    table = pd.DataFrame({name: cleaned(columns[name]) for name in TEXTS})
    for name in NUMERIC:
        table[name] = _numbers(columns[name], name, rows, reading, report)
    for name in COORDINATES:
        table[name] = coordinates(columns[name])
    for name in DATES:
        table[name] = _dates(cleaned(columns[name]), name, rows, report)
    return table


def _numbers(
    column: NDArray[Any], name: str, rows: NDArray[Any], reading: Reading, report: Report
) -> NDArray[np.float64]:
    out = np.full(len(column), np.nan)
    cache: dict[str, float] = {}
    for i, value in enumerate(column):
        if value is None or value != value:  # noqa: PLR0124 - NaN
            continue
        if isinstance(value, int | float):
            out[i] = float(value)
        elif numbers.is_dash(value):
            out[i] = read_dash(value, int(rows[i]), name, reading, report)
        elif value in cache:
            out[i] = cache[value]
        elif not numbers.is_missing(value):
            try:
                out[i] = cache[value] = numbers.parse(value, reading.decimal)
            except ValueError:
                report.reject(
                    int(rows[i]), name, value, "Das ist keine Zahl.", "Bitte eine Zahl eintragen oder leeren."
                )
    return out


def _dates(column: "pd.Series[Any]", name: str, rows: NDArray[Any], report: Report) -> "pd.Series[Any]":
    cache: dict[str, str | None] = {}
    out: list[str | None] = []
    for i, value in enumerate(column):
        if value is None or value != value:  # noqa: PLR0124 - NaN
            out.append(None)
            continue
        if value not in cache:
            cache[value] = _iso_date(value)
        if cache[value] is None:
            report.reject(int(rows[i]), name, value, "Das ist kein Datum.", "Bitte als JJJJ-MM-TT schreiben.")
        out.append(cache[value])
    return pd.Series(out, index=column.index, dtype=object)


def _iso_date(text: str) -> str | None:
    match = _GERMAN_DATE.fullmatch(text) or _ISO_DATE.fullmatch(text)
    try:
        return match and dt.date(int(match["year"]), int(match["month"]), int(match["day"])).isoformat()
    except ValueError:
        return None


def check_rows(table: pd.DataFrame, rows: NDArray[Any], report: Report) -> None:
    """Run the row checks; rows that fail are noted as rejects. ``table`` is what ``parsed`` returned, index 0…n-1."""
    for name, why in (("name", "Der Name fehlt."), ("category", "Die Kategorie fehlt."), ("id", "Die id fehlt.")):
        for i in np.flatnonzero(table[name].isna()):
            report.reject(int(rows[i]), name, None, why, "Bitte ergänzen.")
    try:
        SCHEMA.validate(table[[*TEXTS, *NUMERIC]], lazy=True)
    except SchemaErrors as errors:
        for failure in errors.failure_cases.itertuples():
            report.reject(int(rows[int(failure.index)]), str(failure.column), failure.failure_case, str(failure.check))
    _note(table, rows, report, table["age_from"] >= table["age_to"], "age_to", "age_to muss über age_from liegen.")
    for value, unit in (("supply", "supply_unit"), ("use", "use_unit")):
        bare = table[value].notna() & table[unit].isna()
        _note(table, rows, report, bare, unit, f"Zu {value} fehlt die Einheit.")
    backwards = table["valid_from"].notna() & table["valid_to"].notna()
    backwards &= table["valid_from"].fillna("") > table["valid_to"].fillna("")
    _note(table, rows, report, backwards, "valid_to", "valid_to liegt vor valid_from.")


def _note(
    table: pd.DataFrame, rows: NDArray[Any], report: Report, wrong: "pd.Series[bool]", field: str, why: str
) -> None:
    for i in np.flatnonzero(wrong):
        report.reject(int(rows[i]), field, table[field].iloc[i], why)


def derive_ids(table: pd.DataFrame, identity: tuple[str, ...], secret: bytes) -> None:
    """Fill empty ``id`` from the ``identity`` columns and empty ``facility_id`` from ``id``.

    A keyed digest: without the instance's ``secret`` nobody can try all addresses of a district to find the one
    a shown id was made from.
    """
    empty = table["id"].isna()
    if empty.any() and identity:
        parts = table.loc[empty, list(identity)].map(lambda value: "" if pd.isna(value) else str(value))
        joined = parts.agg("\x1f".join, axis=1)
        known = joined.str.replace("\x1f", "") != ""
        digests = joined.map(lambda text: hmac.new(secret, text.encode(), "sha256").hexdigest()[:16])
        table.loc[empty, "id"] = digests.where(known, None)
    table["facility_id"] = table["facility_id"].where(table["facility_id"].notna(), table["id"])
