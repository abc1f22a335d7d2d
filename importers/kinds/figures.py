"""What observations and placements share: how their numbers are read, their areas checked, their periods replaced."""

import difflib
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from geodata.figure_tables import COUNTINGS, UNITS, WITHOUT_AREA
from geodata.periods import Period, parse_period
from importers import numbers
from importers.errors import MappingError
from importers.kinds.cells import Reading, read_dash
from importers.load import Counting, Job, check_shrink
from importers.lookup import Lookup
from importers.mapping import DatasetInfo, Mapping, canonical
from importers.report import Report
from importers.rules import is_empty
from importers.sources import Source
from importers.unpivot import planned, used_columns

Replace = Literal["all", "periods"]
_NEAREST = 3


def counting_of(
    info: DatasetInfo,
    *,
    counting: str | None = None,
    unit: str | None = None,
    scope: str | None = None,
    population_period: str | None = None,
    release: str | None = None,
) -> Counting:
    """Return how figures count: as given, else as the mapping states. Raises ``MappingError`` for unknown words."""
    says = Counting(
        counting or info.counting,
        unit or info.unit,
        scope or info.scope,
        population_period or info.population_period,
        release or info.release or "public",
    )
    for name, value, known in (("counting", says.counting, COUNTINGS), ("unit", says.unit, UNITS)):
        if value is not None and value not in known:
            raise MappingError(f"„{value}“ gibt es als {name} nicht. Möglich sind: {', '.join(known)}.")
    if says.population_period is not None:
        require_period(says.population_period, "population_period")
    if says.release not in {"public", "internal"}:
        raise MappingError(f"„{says.release}“ gibt es als release nicht. Möglich sind: public, internal.")
    return says


def require_period(value: str, name: str) -> Period:
    """Return the period an option or mapping names; raise ``MappingError`` for none."""
    try:
        return parse_period(value)
    except ValueError as error:
        raise MappingError(f"{name}: {error}") from error


def reading_of(
    source: Source,
    mapping: Mapping,
    column: str,
    decimal: Literal[",", "."] | None,
    dash: Literal["zero", "missing"] | None,
) -> Reading:
    """Settle how the numbers of a canonical column are written: by option, by mapping, else by the whole file.

    Raises ``MappingError`` where the file leaves it open.
    """
    says = dash or mapping.source.dash
    mark: str | None = decimal or mapping.source.decimal
    if mark is None:
        cells: set[str] = set()
        for chunk in source.chunks():
            for values in _number_columns(chunk.columns, len(chunk.rows), mapping, column):
                cells.update(value for value in values if isinstance(value, str))
        mark = numbers.infer_decimal(sorted(cells))
    return Reading(mark, numbers.Dash(says) if says else None)


def _number_columns(
    columns: dict[str, NDArray[Any]], count: int, mapping: Mapping, column: str
) -> Iterable[NDArray[Any]]:
    if mapping.unpivot is None:
        return [canonical(columns, count, mapping.columns, (column,))[column]]
    present = tuple(columns)
    plan = planned(mapping.unpivot, present, used_columns(mapping, present, (column,)))
    return [columns[wide.source] for wide in plan]


def read_numbers(
    values: NDArray[Any], rows: NDArray[Any], fields: Sequence[str], reading: Reading, report: Report
) -> NDArray[np.float64]:
    """Return cells as numbers, NaN where missing; every lone dash is listed, what is no number is a reject.

    ``fields``: per cell, under which name a finding is listed. Numbers the source stores as numbers stay as they are.
    """
    out = np.full(len(values), np.nan)
    cache: dict[str, float] = {}
    for i, value in enumerate(values):
        if value is None or value == "":
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            out[i] = value
            continue
        cell = str(value)
        if cell in cache:
            out[i] = cache[cell]
        elif numbers.is_dash(cell):
            out[i] = read_dash(cell, int(rows[i]), fields[i], reading, report)
        elif not numbers.is_missing(cell):
            try:
                out[i] = cache[cell] = numbers.parse(cell, reading.decimal)
            except ValueError:
                report.reject(
                    int(rows[i]), fields[i], cell, "Das ist keine Zahl.", "Bitte eine Zahl eintragen oder leeren."
                )
    for at in np.flatnonzero(np.isinf(out)).tolist():
        report.reject(int(rows[at]), fields[at], values[at], "Das ist keine endliche Zahl.", "Bitte den Wert prüfen.")
    return out


def read_periods(
    cells: Iterable[Any], rows: NDArray[Any], default: Period | None, report: Report
) -> list[Period | None]:
    """Return the period of each cell (empty: the default); what is none is a reject, listed once per row."""
    cache: dict[object, Period | str] = {}
    made: list[Period | None] = []
    told: set[int] = set()
    for cell, row in zip(cells, rows.tolist(), strict=True):
        if is_empty(cell) or cell != cell:  # noqa: PLR0124 - NaN
            if default is None and row not in told:
                told.add(row)
                report.reject(row, "period", None, "Der Zeitraum fehlt.", "Bitte ergänzen oder --period angeben.")
            made.append(default)
            continue
        if cell not in cache:
            try:
                cache[cell] = parse_period(cell)
            except ValueError as error:
                cache[cell] = str(error)
        found = cache[cell]
        if isinstance(found, str):
            if row not in told:
                told.add(row)
                report.reject(row, "period", cell, found)
            made.append(None)
        else:
            made.append(found)
    return made


def check_areas(job: Job, stage: str, lookup: Lookup) -> None:
    """Reject staged rows whose level or area is not known; warn of areas that no current version has.

    ``stage`` has the columns row, level, area_key. Known are the key ``ohne`` and the merged areas the lookup met.
    """
    levels = set(job.session.execute(text("SELECT DISTINCT level FROM area_visible")).scalars())
    merged = [f"{area.level} {area.key}" for area in lookup.merged]
    strange = job.session.execute(
        text(f"""
            SELECT s.level, s.area_key, s.rows, r.key IS NOT NULL AS registered
            FROM (SELECT level, area_key, array_agg(DISTINCT row ORDER BY row) AS rows FROM {stage} GROUP BY 1, 2) s
            LEFT JOIN area_visible a ON a.level = s.level AND a.key = s.area_key
            LEFT JOIN area_registry r ON r.level = s.level AND r.key = s.area_key
            WHERE a.key IS NULL AND NOT s.level || ' ' || s.area_key = ANY (:merged)
              AND (s.area_key <> :without OR NOT s.level = ANY (:levels))
            ORDER BY s.rows
        """),  # noqa: S608 - the table is ours
        {"merged": merged, "levels": sorted(levels), "without": WITHOUT_AREA},
    )
    keys: dict[str, dict[str, str]] = {}
    for level, key, rows, registered in strange.all():
        if level not in levels:
            known = ", ".join(sorted(levels)) or "keine"
            for row in rows:
                job.report.reject(
                    row, "area_level", level, f"Auf der Ebene „{level}“ sind keine Gebiete geladen.",
                    f"Geladene Ebenen: {known}. Bitte die Ebene berichtigen oder zuerst „import areas“ ausführen.",
                )  # fmt: skip
        elif registered:
            job.report.warn(
                f"Dieses Gebiet gibt es auf der Ebene „{level}“ nicht mehr; seine Werte bleiben ohne Namen und Karte.",
                row=rows[0], field="area_key", value=key,
            )  # fmt: skip
        else:
            if level not in keys:
                keys[level] = _keys(job, level)
            advice = _advice(level, key, keys[level], lookup)
            for row in rows:
                job.report.reject(row, "area_key", key, f"Dieses Gebiet gibt es auf der Ebene „{level}“ nicht.", advice)


def _keys(job: Job, level: str) -> dict[str, str]:
    found = job.session.execute(text("SELECT key, name FROM area_visible WHERE level = :level"), {"level": level})
    return {key: name for key, name in found}


def _advice(level: str, key: str, names: dict[str, str], lookup: Lookup) -> str:
    alike = difflib.get_close_matches(key, names, n=_NEAREST, cutoff=0.6)
    found = dict(lookup.nearest(level, key)) | {near: names[near] for near in alike}
    if not found:
        return f"Bitte den Schlüssel berichtigen; ohne räumliche Zuordnung heißt er „{WITHOUT_AREA}“."
    like = [f"{near} ({name})" for near, name in list(found.items())[:_NEAREST]]
    return f"Meinten Sie {' oder '.join(like)}? Bitte den Schlüssel berichtigen."


def note_merged(job: Job, lookup: Lookup) -> None:
    """Write down the merged areas that were met; imports only add."""
    for area in lookup.merged:
        job.session.execute(
            text("""
                INSERT INTO merged_area (level, key, name, members) VALUES (:level, :key, :name, :members)
                ON CONFLICT (level, key) DO NOTHING
            """),
            {"level": area.level, "key": area.key, "name": area.name, "members": list(area.members)},
        )
    if lookup.merged:
        names = ", ".join(f"„{area.name}“" for area in lookup.merged)
        job.report.info(f"Gemeinsam ausgewiesene Gebiete bleiben zusammengefasst: {names}.")


def drop_rejected(job: Job, stage: str) -> None:
    """Take the rows that were rejected out of the staging table."""
    rejected = sorted(job.report.rejected_rows())
    if rejected:
        job.session.execute(text(f"DELETE FROM {stage} WHERE row = ANY (:rejected)"), {"rejected": rejected})  # noqa: S608


def check_twice(job: Job, stage: str, key: Sequence[str], thing: str) -> None:
    """Reject rows whose key stands in an earlier row already; equal content does not help."""
    columns = ", ".join(key)
    twice = job.session.execute(
        text(f"""
            SELECT row, first, what FROM (
                SELECT row, min(row) OVER same AS first, row_number() OVER (same ORDER BY row) AS number,
                       concat_ws(' · ', {columns}) AS what
                FROM {stage} WINDOW same AS (PARTITION BY {columns})) s
            WHERE number > 1 ORDER BY row
        """)  # noqa: S608 - table and columns are ours
    )
    for row, first, what in twice.all():
        job.report.reject(
            row, None, what, f"{thing} steht schon in Zeile {first}.", "Bitte nur eine der Zeilen behalten."
        )


def keep_other_periods(
    job: Job, table: str, stage: str, columns: Sequence[str], replace: Replace, beside: Collection[str] = ()
) -> int:
    """Carry rows of the version before over: with ``periods`` all but the (level, period) pairs of the file.

    Refuses a file that brings much less than there was: ``all`` compares the whole, ``periods`` the pairs it
    replaces. ``beside``: other tables with the same pairs, carried over alike. Returns how many rows were kept.
    Raises ``MappingError`` where kept and new rows do not count the same.
    """
    session = job.session
    staged = session.execute(text(f"SELECT count(*) FROM {stage}")).scalar_one()  # noqa: S608
    replaced = f"(level, period) IN (SELECT DISTINCT level, period FROM {stage})" if replace == "periods" else "true"  # noqa: S608
    values = {"previous_id": job.previous_id, "import_id": job.import_id}
    before, kept = session.execute(
        text(f"""
            SELECT count(*) FILTER (WHERE {replaced}), count(*) FILTER (WHERE NOT ({replaced}))
            FROM {table} WHERE import_id = :previous_id
        """),  # noqa: S608
        values,
    ).one()
    check_shrink(job, before, staged)
    # The report counts rows of the file, the shrinkage is in figures.
    job.report.before = session.execute(
        text("SELECT rows_loaded FROM import_run WHERE id = :previous_id"), values
    ).scalar()
    if kept:
        _require_same_counting(job)
        for name in (table, *beside):
            listed = ", ".join(columns) if name == table else "level, period, scope_level, scope_key"
            session.execute(
                text(f"""
                    INSERT INTO {name} (import_id, {listed}) SELECT :import_id, {listed} FROM {name}
                    WHERE import_id = :previous_id AND NOT ({replaced})
                """),  # noqa: S608
                values,
            )
    return int(kept)


def _require_same_counting(job: Job) -> None:
    """Raise unless the kept rows count as the new ones do: they will stand under one footnote."""
    before, now = (
        job.session.execute(
            text("SELECT counting, unit, release::text, scope, population_period FROM import_run WHERE id = :id"),
            {"id": number},
        ).one()
        for number in (job.previous_id, job.import_id)
    )
    for name, old, new in zip(("counting", "unit", "release"), before[:3], now[:3], strict=True):
        if old != new:
            raise MappingError(
                f"Der Bestand „{job.report.dataset}“ hat bisher {name} = {old or 'ohne Angabe'}, die Quelle "
                f"{new or 'ohne Angabe'}; in einem Bestand gilt nur eines. Bitte anpassen, einen anderen Bestand "
                "wählen (--dataset) oder alles ersetzen (--replace all)."
            )
    for title, old, new in (("Umfang", before[3], now[3]), ("Bevölkerungsstand", before[4], now[4])):
        if old != new:
            job.report.warn(
                f"{title} „{new or 'ohne Angabe'}“ gilt nun auch für die behaltenen Zeiträume "
                f"(bisher „{old or 'ohne Angabe'}“)."
            )


def note_unread(source: Source, report: Report) -> None:
    """Note the rows the reader could not read, and what it has to say."""
    for row, why in source.bad_rows.items():
        report.rows_read += 1
        report.reject(row, None, None, why)
    for note in source.notes:
        report.info(note)


def german(number: float) -> str:
    """Return a number as a German reader writes it, thousands grouped, at most three decimals."""
    whole = f"{number:,.0f}" if float(number).is_integer() else f"{number:,.3f}".rstrip("0").rstrip(".")
    return whole.translate(str.maketrans(",.", ".,"))
