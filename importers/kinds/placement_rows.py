"""Placement rows: the canonical columns, how cells become values, and the row checks (pandera)."""

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray
from pandera.errors import SchemaErrors

from geodata.figure_tables import AREA_ROLES, PLACEMENT_COUNTINGS, PROVIDER_STATES
from geodata.periods import Period
from geodata.spelling import normalised
from importers.kinds.cells import Reading
from importers.kinds.facility_rows import cleaned
from importers.kinds.figures import read_numbers, read_periods
from importers.mapping import Columns
from importers.report import Report

COLUMNS = (
    "area_level", "area_key", "area_role", "period", "paragraph", "counting", "provider_state",
    "provider_area_level", "provider_area_key", "place_state", "cases",
)  # fmt: skip
STAGE = (
    ("row", "int"), ("level", "text"), ("area_key", "text"), ("area_role", "text"), ("period", "text"),
    ("paragraph", "text"), ("counting", "text"), ("provider_state", "text"), ("provider_area_level", "text"),
    ("provider_area_key", "text"), ("place_state", "text"), ("cases", "int"),
)  # fmt: skip
KEY = (
    "level", "period", "paragraph", "area_key", "area_role", "counting", "provider_state", "provider_area_level",
    "provider_area_key", "place_state",
)  # fmt: skip

RESPONSIBLE, ORIGIN = "zustaendig", "herkunft"
_MAX_TEXT_CHARS = 300
_MAX_CASES = 2**31 - 1
_PARAGRAPH = re.compile(r"[0-9]{1,3}[a-z]?(\.[0-9]+)?")
_SIGN = re.compile(r"^§+\s*")
_STATES = {normalised(state): state for state in PROVIDER_STATES}


def _among(values: tuple[str, ...]) -> pa.Check:
    return pa.Check.isin(values, error=f"Der Wert ist unbekannt; möglich sind: {', '.join(values)}.")


def _says(check: Any, error: str) -> pa.Check:  # noqa: ANN401 - a function of a series
    return pa.Check(check, error=error)


_SHORT = _says(lambda s: s.str.len() <= _MAX_TEXT_CHARS, f"Der Text ist länger als {_MAX_TEXT_CHARS} Zeichen.")
_SCHEMA = pa.DataFrameSchema(
    {
        "area_role": pa.Column(object, _among(AREA_ROLES), nullable=True),
        "counting": pa.Column(object, _among(PLACEMENT_COUNTINGS), nullable=True),
        "paragraph": pa.Column(
            object,
            _says(lambda s: s.str.fullmatch(_PARAGRAPH.pattern), "Ein Paragraf wird wie „34“ oder „35a“ geschrieben."),
            nullable=True,
        ),
        **{
            name: pa.Column(object, _SHORT, nullable=True)
            for name in ("area_level", "area_key", "provider_area_level", "provider_area_key")
        },
        "cases": pa.Column(
            float,
            _says(
                lambda s: (s >= 0) & (s == s.round()) & (s <= _MAX_CASES),
                "Die Zahl der Fälle ist eine ganze Zahl ab 0.",
            ),
            nullable=True,
        ),
    }
)
_REQUIRED = {
    "area_level": ("Die Gebietsebene fehlt.", "Bitte ergänzen oder --level angeben."),
    "area_key": ("Der Gebietsschlüssel fehlt.", "Bitte ergänzen; ohne Zuordnung heißt er „ohne“."),
    "paragraph": ("Der Paragraf fehlt.", "Bitte ergänzen, etwa 34."),
    "provider_state": ("Das Bundesland des Anbieters fehlt.", "Bitte ergänzen; unbekannt heißt „ohne Angabe“."),
    "cases": ("Die Zahl der Fälle fehlt.", "Bitte ergänzen; keine Fälle sind 0."),
}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that do not say it, and which levels can be responsible (``responsible``)."""

    level: str | None
    period: Period | None
    counting: str
    responsible: Collection[str]


def checked(
    table: Columns, rows: NDArray[Any], reading: Reading, defaults: Defaults, report: Report
) -> Iterator[tuple[Any, ...]]:
    """Return the rows that may be staged (columns as in ``STAGE``); the others are noted as rejects."""
    made = pd.DataFrame({name: cleaned(table[name]) for name in COLUMNS if name not in {"period", "cases"}})
    made["area_level"] = made["area_level"].where(made["area_level"].notna(), defaults.level)
    made["counting"] = made["counting"].fillna(defaults.counting)
    bare = [None if value is None else _SIGN.sub("", value) for value in made["paragraph"]]
    made["paragraph"] = pd.Series(bare, dtype=object)
    responsible = made["area_level"].isin(list(defaults.responsible))
    made["area_role"] = made["area_role"].where(
        made["area_role"].notna(), pd.Series(np.where(responsible, RESPONSIBLE, ORIGIN), dtype=object)
    )
    for name in ("provider_state", "place_state"):
        made[name] = _states(made[name], name, rows, report)
    made["cases"] = read_numbers(table["cases"], rows, ["cases"] * len(rows), reading, report)
    periods = read_periods(cleaned(table["period"]), rows, defaults.period, report)
    _check(made, rows, report)
    unfit = (made["area_role"] == RESPONSIBLE) & made["area_level"].notna() & ~responsible
    _note(made, rows, report, unfit, "area_role",
          "Zuständig kann nur ein Jugendamt sein; unterhalb davon ist ein Gebiet immer Herkunft.")  # fmt: skip
    half = made["provider_area_level"].isna() != made["provider_area_key"].isna()
    _note(made, rows, report, half, "provider_area_key",
          "Ebene und Schlüssel des Gebiets, in dem der Anbieter sitzt, gehören zusammen (provider_area_level und "
          "provider_area_key); es ist nur eines angegeben.")  # fmt: skip
    made["period"] = pd.Series([period.text if period else None for period in periods], dtype=object)
    made["row"] = rows
    stay = ~np.isin(rows, list(report.rejected_rows()))
    kept = made[stay].rename(columns={"area_level": "level"})
    for name in ("provider_area_level", "provider_area_key", "place_state"):
        kept[name] = kept[name].fillna("")
    kept["cases"] = kept["cases"].astype(int)
    return zip(*(kept[name].tolist() for name, _kind in STAGE), strict=True)


def _states(column: "pd.Series[Any]", name: str, rows: NDArray[Any], report: Report) -> "pd.Series[Any]":
    """Return states in their one spelling; upper and lower case, hyphens and umlauts written out do not matter."""
    made: list[str | None] = []
    for value, row in zip(column, rows.tolist(), strict=True):
        state = None if value is None else _STATES.get(normalised(value))
        if value is not None and state is None:
            near = difflib.get_close_matches(normalised(value), _STATES, n=1)
            meant = f"Meinten Sie „{_STATES[near[0]]}“? " if near else ""
            report.reject(
                row, name, value, f"Der Wert ist unbekannt; möglich sind: {', '.join(PROVIDER_STATES)}.",
                f"{meant}Abkürzungen kann die Zuordnung unter values auflösen.",
            )  # fmt: skip
        made.append(state)
    return pd.Series(made, index=column.index, dtype=object)


def _check(made: pd.DataFrame, rows: NDArray[Any], report: Report) -> None:
    for name, (why, advice) in _REQUIRED.items():
        refused = report.rejected_rows()
        for i in np.flatnonzero(made[name].isna()):
            if int(rows[i]) not in refused:
                report.reject(int(rows[i]), name, None, why, advice)
    try:
        _SCHEMA.validate(made, lazy=True)
    except SchemaErrors as errors:
        for failure in errors.failure_cases.itertuples():
            report.reject(int(rows[int(failure.index)]), str(failure.column), failure.failure_case, str(failure.check))


def _note(
    made: pd.DataFrame, rows: NDArray[Any], report: Report, wrong: "pd.Series[bool]", field: str, why: str
) -> None:
    for i in np.flatnonzero(wrong):
        report.reject(int(rows[i]), field, made[field].iloc[i], why)
