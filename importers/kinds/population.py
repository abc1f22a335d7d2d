"""Population: the cells of the census grid inside the home area, and with them the population surface anew."""

from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geodata.database import refresh_statistics
from geodata.derive import rebuild
from geodata.surface_cells import GROUPS
from geodata.tables import SRID
from importers import place
from importers.copying import copy_rows
from importers.errors import MappingError, RefusedError, SourceError
from importers.load import NOTHING_SAID, Footnotes, Job, Limit, Rules, check_rejects, check_shrink, importing, publish
from importers.mapping import DatasetInfo
from importers.report import Report
from importers.sources import Source, zensus

_COLUMNS = ("import_id", "cell_id", "total", *GROUPS, "geom")
# Cells this far beyond the home area's bounding box are looked at once more in metres of EPSG:25832.
_MARGIN_M = 1_000


@dataclass(frozen=True, slots=True)
class PopulationImport:
    """What to load. Only cells whose midpoint lies in an area of ``home_level`` are kept."""

    home_level: str = "bezirk"
    dataset: str | None = None
    footnotes: Footnotes = NOTHING_SAID
    rules: Rules = field(default_factory=lambda: Rules(max_rejects=Limit(share=0.05)))


@dataclass(slots=True)
class _Kept:
    """Cells taken from a chunk: row numbers, ids, midpoints in EPSG:25832 and residents (n, 6; NaN: not stated)."""

    rows: NDArray[np.int64]
    ids: NDArray[np.object_]
    metres: NDArray[np.float64]
    people: NDArray[np.float64]


def import_population(engine: Engine, source: Source, wanted: PopulationImport) -> Report:
    """Load the census grid in one transaction, rebuild the population surface, and return the report.

    Cells outside the home area are counted, not loaded; limits on rejects concern the home area's cells and rows
    whose place is unknown. Raises ``MappingError`` when columns do not fit, the home area is unknown or another
    dataset holds a grid, ``SourceError`` for a file that breaks off, ``RefusedError`` when the limits are passed or no
    cell lies in the home area. Nothing is changed then.
    """
    report = Report(wanted.dataset or "population", "population", source.provenance.source)
    columns = zensus.grid_columns(source)
    notes = wanted.footnotes.over(DatasetInfo(), "Zensus 2022: Einwohner im 100-m-Gitter")
    with importing(engine, report, source.provenance, notes, wanted.rules) as job:
        _require_only_grid(job)
        report.crs = zensus.CRS
        home = _Home(job.session, wanted.home_level)
        kept = _read(source, columns, home, report)
        if not kept and not report.rows_rejected:
            raise RefusedError(
                f"Keine Zelle liegt in den Gebieten der Ebene „{wanted.home_level}“; nichts wurde geändert.", report
            )
        _reject_duplicates(kept, columns, report)
        check_rejects(job)
        loaded = _store(job, kept)
        publish(job, loaded=loaded)
        refresh_statistics(job.session, ("population_cell",))
        report.counts |= rebuild(job.session, "population", job.import_id)
    return report


def _require_only_grid(job: Job) -> None:
    other = job.session.execute(
        text("SELECT name FROM dataset WHERE kind = 'population' AND current_import_id IS NOT NULL AND id <> :own"),
        {"own": job.dataset_id},
    ).scalar()
    if other is not None:
        raise MappingError(
            f"Das Bevölkerungsgitter liegt schon im Bestand „{other}“, und es gibt immer nur eines; bitte diesen Namen "
            f"nehmen (--dataset {other})."
        )


class _Home:
    """The home area: which midpoints lie in it, borders included."""

    def __init__(self, session: Session, level: str) -> None:
        shapes = session.execute(
            text("SELECT ST_AsBinary(geom) FROM area_visible WHERE level = :level AND geom IS NOT NULL"),
            {"level": level},
        ).scalars()
        areas = shapely.from_wkb([bytes(shape) for shape in shapes])
        if not len(areas):
            raise MappingError(
                f"Die Ebene „{level}“ hat noch keine Gebiete mit Karte; bitte zuerst diese importieren. Vom Gitter "
                "werden nur die Zellen darin behalten."
            )
        self._area = shapely.union_all(areas)
        shapely.prepare(self._area)
        west, south, east, north = Transformer.from_crs(SRID, zensus.CRS, always_xy=True).transform_bounds(
            *self._area.bounds
        )
        self._low, self._high = np.array([west, south]) - _MARGIN_M, np.array([east, north]) + _MARGIN_M

    def inside(self, midpoints: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which midpoints (EPSG:3035) lie in the home area, and those in metres of EPSG:25832."""
        near = np.asarray(((midpoints >= self._low) & (midpoints <= self._high)).all(axis=1))
        metres = place.to_metres(midpoints[near, 0], midpoints[near, 1], zensus.CRS)
        covered = shapely.intersects_xy(self._area, metres)
        near[near] = covered
        return near, metres[covered]


def _read(source: Source, columns: zensus.GridColumns, home: _Home, report: Report) -> list[_Kept]:
    kept: list[_Kept] = []
    outside = dashes = last = 0
    for chunk in source.chunks():
        last = int(chunk.rows[-1])
        rejected = report.rows_rejected
        cells = zensus.located(chunk, columns, report)
        inside, metres = home.inside(cells.midpoints)
        outside += len(inside) - len(metres)
        report.rows_read += report.rows_rejected - rejected + len(metres)
        people, sound, dashed = zensus.residents(chunk, columns, cells, inside, report)
        dashes += dashed
        if sound.any():
            kept.append(_Kept(cells.rows[inside][sound], cells.ids[inside][sound], metres[sound], people[sound]))
    if source.bad_rows and max(source.bad_rows) > last:
        raise SourceError(
            f"„{source.provenance.source}“ bricht in Zeile {max(source.bad_rows)} ab; die Datei ist wohl "
            "unvollständig. Bitte neu herunterladen."
        )
    for row, why in source.bad_rows.items():
        report.rows_read += 1
        report.reject(row, None, None, why)
    for note in source.notes:
        report.info(note)
    if not columns.groups:
        report.info("Das Gitter nennt nur die Gesamtzahl; der Altersaufbau kommt allein aus amtlichen Zahlen.")
    left_out = zensus.unused(source, columns)
    if left_out:
        report.info("Diese Spalten wurden nicht verwendet.", value=", ".join(left_out))
    report.counts |= {"Zellen außerhalb der Gebiete": outside}
    if dashes:
        report.counts["als 0 gelesene Striche"] = dashes
    return kept


def _reject_duplicates(kept: list[_Kept], columns: zensus.GridColumns, report: Report) -> None:
    ids = np.array(list(chain.from_iterable(part.ids for part in kept)), dtype=object)
    rows = np.concatenate([part.rows for part in kept]) if kept else np.empty(0, dtype=np.int64)
    _different, first, number, count = np.unique(
        ids.astype(str), return_index=True, return_inverse=True, return_counts=True
    )
    for i in np.flatnonzero(count[number] > 1).tolist():
        report.reject(
            int(rows[i]),
            columns.cell,
            ids[i],
            "Die Zelle kommt mehrfach vor.",
            f"Zuerst steht sie in Zeile {rows[first[number[i]]]}; jede darf nur einmal stehen.",
        )


def _store(job: Job, kept: list[_Kept]) -> int:
    """Write the cells that no check has rejected; return how many there are."""
    session, report = job.session, job.report
    bad = np.array(sorted(report.rejected_rows()), dtype=np.int64)
    before = session.execute(
        text("SELECT count(*) FROM population_cell WHERE import_id = :previous_id"), {"previous_id": job.previous_id}
    ).scalar_one()
    loaded = uneven = 0
    for part in kept:
        sound = ~np.isin(part.rows, bad)
        points = shapely.to_wkb(shapely.set_srid(shapely.points(part.metres[sound]), SRID), hex=True, include_srid=True)
        people = [[None if n != n else int(n) for n in row] for row in part.people[sound].tolist()]  # noqa: PLR0124 - NaN
        copy_rows(
            session,
            "population_cell",
            _COLUMNS,
            (
                (job.import_id, cell, *numbers, point)
                for cell, numbers, point in zip(part.ids[sound], people, points, strict=True)
            ),
        )
        loaded += len(people)
        uneven += int((np.abs(part.people[sound, 0] - part.people[sound, 1:].sum(axis=1)) > 0).sum())
    check_shrink(job, before, loaded)
    if uneven:
        report.counts["Zellen, deren Altersgruppen nicht ihre Gesamtzahl ergeben"] = uneven
    return loaded
