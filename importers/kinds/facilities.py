"""Facilities: rows of offers from any table or geodata file to one visible version of places and offers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Engine

from geodata.answer import identity_secret
from geodata.tables import CATEGORIES
from importers import geocode, numbers
from importers.ages_rule import ages_of
from importers.copying import copy_rows, staging_table
from importers.errors import MappingError
from importers.kinds import facility_rows as rows_of
from importers.kinds import facility_tables, points
from importers.kinds.cells import Reading
from importers.load import NOTHING_SAID, Footnotes, Limit, Rules, importing
from importers.mapping import Columns, Mapping, Rule, canonical, factors, require_columns, require_known, scaled
from importers.report import Report
from importers.sources import Chunk, Source

# The numbers a mapping may convert; ages are whole years.
_SCALED = ("supply", "use")


@dataclass(frozen=True, slots=True)
class FacilitiesImport:
    """What to load and how doubtful cases are decided.

    ``category``: for rows that name none. ``home_level``: outside means outside the union of its areas.
    ``keep_outside_km``: keep places outside up to that distance, without area. ``home_state``: the Land
    entered where a row names none and its place lies inside.
    """

    category: str
    home_level: str = "bezirk"
    home_state: str = "Hamburg"
    dataset: str | None = None
    crs: str | None = None
    decimal: Literal[",", "."] | None = None
    dash: Literal["zero", "missing"] | None = None
    keep_outside_km: float | None = None
    mapping: Mapping = field(default_factory=Mapping)
    footnotes: Footnotes = NOTHING_SAID
    rules: Rules = field(default_factory=lambda: Rules(max_rejects=Limit(share=0.05)))


def import_facilities(engine: Engine, source: Source, wanted: FacilitiesImport) -> Report:
    """Load offers and their places in one transaction; return the report.

    Raises ``MappingError`` when columns, numbers or CRS do not fit, ``RefusedError`` when the limits on
    rejects or shrinkage are passed. Nothing is changed then.
    """
    if wanted.category not in CATEGORIES:
        raise MappingError(f"Die Kategorie „{wanted.category}“ gibt es nicht. Möglich: {', '.join(CATEGORIES)}.")
    mapping = wanted.mapping
    info = mapping.dataset
    report = Report(
        wanted.dataset or info.name or f"facilities.{wanted.category}", "facilities", source.provenance.source
    )
    rules = _rules(wanted)
    require_columns(rules, source.columns, ("name",), source.provenance.source)
    if not mapping.identity.columns and "id" not in rules and "id" not in {c.strip().lower() for c in source.columns}:
        raise MappingError(
            f"„{source.provenance.source}“ hat keine Spalte „id“. Vorhanden: {', '.join(source.columns)}. "
            "Eine Zuordnung (--mapping) kann unter [identity] nennen, welche Spalten ein Angebot ausmachen."
        )
    reading = _reading(source, rules, wanted)
    notes = wanted.footnotes.over(info, f"Einrichtungen: {wanted.category}")
    with importing(engine, report, source.provenance, notes, wanted.rules) as job:
        facility_tables.require_home_areas(job, wanted.home_level)
        staging_table(job.session, "stage_offer", facility_tables.STAGE)
        secret = identity_secret(job.session)
        names = [name for name, _kind in facility_tables.STAGE]
        by_address = bool(geocode.loaded_addresses(job.session))
        for chunk in source.chunks():
            rows = _checked(chunk, wanted, rules, reading, source, report, secret, by_address=by_address)
            copy_rows(job.session, "stage_offer", names, rows)
        for row, why in source.bad_rows.items():
            report.rows_read += 1
            report.reject(row, None, None, why)
        for note in source.notes:
            report.info(note)
        facility_tables.load(job, wanted.home_level, wanted.home_state, wanted.keep_outside_km)
    return report


def _rules(wanted: FacilitiesImport) -> dict[str, Rule]:
    rules = dict(wanted.mapping.columns)
    require_known((*rules, *wanted.mapping.identity.columns), rows_of.COLUMNS, "Einrichtungen")
    factors(rules, _SCALED)
    return rules


def _reading(source: Source, rules: dict[str, Rule], wanted: FacilitiesImport) -> Reading:
    """Settle how numbers are written before any is read: by option, by mapping, else by the whole file."""
    dash = wanted.dash or wanted.mapping.source.dash
    decimal = wanted.decimal or wanted.mapping.source.decimal
    lower = {name.strip().lower() for name in source.columns}
    if decimal is None and any(name in rules or name in lower for name in rows_of.NUMERIC):
        cells: set[str] = set()
        for chunk in source.chunks():
            cells.update(rows_of.number_cells(canonical(chunk.columns, len(chunk.rows), rules, rows_of.NUMERIC)))
        decimal = numbers.infer_decimal(sorted(cells))  # type: ignore[assignment]
    return Reading(decimal, numbers.Dash(dash) if dash else None)


def _checked(
    chunk: Chunk,
    wanted: FacilitiesImport,
    rules: dict[str, Rule],
    reading: Reading,
    source: Source,
    report: Report,
    secret: bytes,
    *,
    by_address: bool,
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that may be staged; note the others."""
    rows = chunk.rows
    report.rows_read += len(rows)
    given = canonical(chunk.columns, len(rows), rules, rows_of.COLUMNS) | ages_of(chunk, wanted.mapping.ages, report)
    table = rows_of.parsed(given, rows, reading, report)
    for name, factor in factors(rules, _SCALED).items():
        table[name] = scaled(table[name].to_numpy(dtype=float), factor)
    table["category"] = table["category"].where(table["category"].notna(), wanted.category)
    default = np.where(table["category"] == "hze", "internal", "public")
    table["release"] = table["release"].where(table["release"].notna(), default)
    table["age_from"] = table["age_from"].where(table["age_from"].notna() | table["age_to"].isna(), 0)
    rows_of.derive_ids(table, wanted.mapping.identity.columns, secret)
    rows_of.check_rows(table, rows, report)
    metres = _points(chunk, given, table, wanted, source, report, by_address=by_address)
    refused = report.rejected_rows()
    keep = np.array([row not in refused for row in rows.tolist()])
    kept = table[keep]
    made: dict[str, list[Any]] = {
        "row": rows[keep].tolist(),
        "geom": points.as_wkb(metres[keep]),
        "location_quality": [None] * len(kept),
        "paragraphs": [f"{{{','.join(p.strip() for p in (v or '').split(';'))}}}" for v in _cells(kept["paragraphs"])],
        **{name: [None if v is None else int(v) for v in _cells(kept[name])] for name in ("age_from", "age_to")},
    }
    names = (name for name, _kind in facility_tables.STAGE)
    yield from zip(*(made[name] if name in made else _cells(kept[name]) for name in names), strict=True)


def _cells(column: "pd.Series[Any]") -> list[Any]:
    """Return a column's cells with None for what is missing."""
    return [None if value is None or value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN


def _points(
    chunk: Chunk,
    given: Columns,
    table: pd.DataFrame,
    wanted: FacilitiesImport,
    source: Source,
    report: Report,
    *,
    by_address: bool,
) -> NDArray[np.float64]:
    """Return the places' points in metres, shape (n, 2); rows without a usable one are noted as rejects.

    ``by_address``: rows that have a street instead of coordinates may wait for the geocoder; theirs are NaN.
    """
    declared = wanted.crs or wanted.mapping.source.crs
    if chunk.geometry is not None:
        declared = declared or source.provenance.crs
    metres = points.in_metres(chunk, {name: table[name] for name in points.COORDINATES}, declared, report)
    refused = report.rejected_rows()
    for i in np.flatnonzero(~np.isfinite(metres).all(axis=1)):
        row = int(chunk.rows[i])
        blank = chunk.geometry is not None or all(points.is_blank(given[name][i]) for name in points.COORDINATES)
        by_street = blank and not np.isinf(metres[i]).any() and pd.notna(table["street"].iloc[i])
        if row not in refused and not (by_street and by_address):
            report.reject(
                row, "lon", None, points.NO_COORDINATE,
                "Bitte ergänzen oder zuerst die Adressen der Stadt laden („import addresses“)." if by_street
                else "Bitte ergänzen.",
            )  # fmt: skip
    return metres
