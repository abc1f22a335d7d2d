"""Statistics rows: the canonical columns, how cells become values, and the row checks (pandera)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray
from pandera.errors import SchemaErrors

from geodata.figure_tables import FLAGS, SCENARIOS
from geodata.indicators import CASES, POPULATION, TOTAL
from geodata.periods import Period
from importers.kinds.cells import SPOILT, SPOILT_SAID, Reading
from importers.kinds.facility_rows import cleaned
from importers.kinds.figures import read_numbers, read_periods
from importers.lookup import Found, Lookup
from importers.report import Report
from importers.unpivot import LongChunk

COLUMNS = ("area_level", "area_key", "indicator", "position", "period", "value", "flag", "scenario")
STAGE = (
    ("row", "int"), ("field", "text"), ("level", "text"), ("area_key", "text"), ("indicator", "text"),
    ("position", "text"), ("period", "text"), ("scenario", "text"), ("value", "float8"), ("flag", "text"),
    ("starts", "date"), ("ends", "date"),
)  # fmt: skip
KEY = ("level", "area_key", "indicator", "position", "period", "scenario")

_MAX_TEXT_CHARS = 300
_MAX_AGE = 130
_AGES = re.compile(r"([0-9]{1,3})-([0-9]{1,3})?")
_MONTH = r"(jan|feb|mär|mrz|apr|mai|jun|jul|aug|sep|okt|nov|dez)\w*"
_DATE_LIKE = re.compile(rf"\d{{4}}-\d\d-\d\d.*|\d{{1,2}}\.\s?{_MONTH}.*|{_MONTH}\W+\d+", re.IGNORECASE)
_WITHOUT_VALUE = ("suppressed", "missing")
# How many cases there were is a whole number, unless it is the mean of twelve key dates.
_MEAN = "mittel_12_stichtage"


def _among(values: tuple[str, ...]) -> pa.Check:
    return pa.Check.isin(values, error=f"Der Wert ist unbekannt; möglich sind: {', '.join(values)}.")


def _sound() -> pa.Check:
    return pa.Check(lambda s: ~s.isin(SPOILT), error=SPOILT_SAID)


def _short() -> pa.Check:
    return pa.Check(
        lambda s: s.str.len() <= _MAX_TEXT_CHARS, error=f"Der Text ist länger als {_MAX_TEXT_CHARS} Zeichen."
    )


_SCHEMA = pa.DataFrameSchema(
    {
        **{
            name: pa.Column(object, [_sound(), _short()], nullable=True)
            for name in ("level", "area_key", "indicator", "position")
        },
        "flag": pa.Column(object, _among(FLAGS), nullable=True),
        "scenario": pa.Column(object, _among(SCENARIOS), nullable=True),
    }
)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that do not say it themselves."""

    level: str | None
    period: Period | None
    counting: str | None


def checked(
    long: LongChunk, reading: Reading, defaults: Defaults, lookup: Lookup, report: Report
) -> Iterator[tuple[Any, ...]]:
    """Return the observations that may be staged (columns as in ``STAGE``); the others are noted as rejects."""
    rows, columns = long.rows, long.columns
    table = pd.DataFrame({
        name: cleaned(columns[source]) for name, source in (
            ("level", "area_level"), ("area_key", "area_key"), ("indicator", "indicator"), ("position", "position"),
            ("flag", "flag"), ("scenario", "scenario"),
        )
    })  # fmt: skip
    table["level"] = table["level"].where(table["level"].notna(), defaults.level)
    table["scenario"] = table["scenario"].fillna("ist")
    table["position"] = table["position"].fillna("").str.replace("–", "-")
    table["area_key"] = _plain_merged(table, lookup)
    fields = [str(field) if field else "value" for field in long.fields]
    value = long.scaled(read_numbers(columns["value"], rows, fields, reading, report))
    periods = read_periods(cleaned(columns["period"]), rows, defaults.period, report)
    _check_texts(table, rows, report)
    _check_values(table, value, rows, fields, defaults, report)
    table["flag"] = np.where(table["flag"].notna() & ~np.isnan(value), table["flag"], _implied(table["flag"], value))
    kept = ~np.isin(rows, list(report.rejected_rows()))
    stay = np.flatnonzero(kept)
    names = ("level", "area_key", "indicator", "position")
    texts = [table[name].to_numpy()[stay] for name in (*names, "scenario", "flag")]
    chosen = [periods[i] for i in stay]
    return zip(
        rows[stay].tolist(),
        (fields[i] for i in stay),
        *texts[:4],
        (period.text if period else None for period in chosen),
        texts[4],
        (None if number != number else number for number in value[stay].tolist()),  # noqa: PLR0124 - NaN
        texts[5],
        (period.starts if period else None for period in chosen),
        (period.ends if period else None for period in chosen),
        strict=True,
    )


def _plain_merged(table: pd.DataFrame, lookup: Lookup) -> "pd.Series[Any]":
    """Return the keys with those of merged areas in their one form: members in order."""

    def plain(level: str | None, key: str | None) -> str | None:
        if level is None or key is None or "+" not in key:
            return key
        found = lookup.find(level, key)
        return found.key if isinstance(found, Found) else key

    if not table["area_key"].astype("string").str.contains("+", regex=False).any():
        return table["area_key"]
    return pd.Series([plain(*pair) for pair in zip(table["level"], table["area_key"], strict=True)], dtype=object)


def _implied(flag: "pd.Series[Any]", value: NDArray[np.float64]) -> NDArray[Any]:
    """Return the flag of rows without one, and of rows without a value whose flag says nothing of that."""
    return np.where(np.isnan(value), np.where(flag.isin(_WITHOUT_VALUE), flag, "missing"), "ok")


def _check_texts(table: pd.DataFrame, rows: NDArray[Any], report: Report) -> None:
    missing = {
        "level": ("area_level", "Die Gebietsebene fehlt.", "Bitte ergänzen oder --level angeben."),
        "area_key": ("area_key", "Der Gebietsschlüssel fehlt.", "Bitte ergänzen; ohne Zuordnung heißt er „ohne“."),
        "indicator": ("indicator", "Die Kennzahl fehlt.", "Bitte ergänzen."),
    }
    for name, (field, why, advice) in missing.items():
        # A name that was not found has been noted already.
        refused = report.rejected_rows()
        for row in np.unique(rows[table[name].isna().to_numpy()]).tolist():
            if row not in refused:
                report.reject(row, field, None, why, advice)
    try:
        _SCHEMA.validate(table, lazy=True)
    except SchemaErrors as errors:
        for failure in errors.failure_cases.itertuples():
            field = {"level": "area_level"}.get(str(failure.column), str(failure.column))
            report.reject(int(rows[int(failure.index)]), field, failure.failure_case, str(failure.check))
    people = table["indicator"] == POPULATION
    for position in table.loc[people, "position"].unique():
        wrong = _bad_ages(position)
        if wrong is not None:
            for i in np.flatnonzero(people & (table["position"] == position)):
                report.reject(int(rows[i]), "position", position, *wrong)


def _bad_ages(position: str) -> tuple[str, str] | None:
    """Return what is wrong with the position of residents and what to do, None if nothing is."""
    match = _AGES.fullmatch(position)
    if position == TOTAL or (match and int(match[1]) < int(match[2] or _MAX_AGE) <= _MAX_AGE):
        return None
    advice = "Möglich sind von-bis (bis ausschließlich, etwa 6-10), von- (offen, etwa 65-) und total."
    if _DATE_LIKE.fullmatch(position):
        return "Das sieht nach einem Datum aus; Tabellenprogramme machen aus 6-10 den 6. Oktober.", advice
    return "Das ist keine Altersangabe.", advice


def _check_values(
    table: pd.DataFrame,
    value: NDArray[np.float64],
    rows: NDArray[Any],
    fields: list[str],
    defaults: Defaults,
    report: Report,
) -> None:
    given = ~np.isnan(value)
    flag = table["flag"]
    counts = table["indicator"].isin((POPULATION, CASES)).to_numpy()
    broken = given & (np.nan_to_num(value) % 1 != 0)
    wrong = [
        (given & flag.isin(_WITHOUT_VALUE).to_numpy(), "Als fehlend oder unterdrückt gekennzeichnet, aber mit Wert.",
         "Bitte den Wert leeren oder das Kennzeichen (flag) berichtigen."),
        (~given & flag.isin(("estimated", "provisional")).to_numpy(),
         "Als geschätzt oder vorläufig gekennzeichnet, aber ohne Wert.",
         "Bitte den Wert ergänzen oder das Kennzeichen (flag) leeren."),
        (counts & given & (value < 0), "Eine Anzahl darf nicht negativ sein.", ""),
        ((table["indicator"] == CASES).to_numpy() & broken & (defaults.counting != _MEAN),
         f"Fälle sind ganze Zahlen; Bruchteile gibt es nur im Mittel von zwölf Stichtagen (Zählweise {_MEAN}).", ""),
    ]  # fmt: skip
    for mask, why, advice in wrong:
        for i in np.flatnonzero(mask):
            report.reject(int(rows[i]), fields[i], f"{value[i]:g}", why, advice)
