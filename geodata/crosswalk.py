"""Crosswalk: the share of an area's residents that lie in an area of another level, from the population surface.

For counts of residents only. A source area without residents on the surface has no weight (NULL) and nothing is
distributed from it. What lies outside the target level is the rest to 1.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages, band_factors
from geodata.bulk import raw_connection
from geodata.errors import ParameterError
from geodata.surface_cells import NOWHERE, Areas, add_up, owners

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_COLUMNS = "source_level, source_key, target_level, target_key, weight, band_weights"


def rebuild(session: Session, people: Floats, owner: Mapping[str, Ints], areas: Mapping[str, Areas]) -> int:
    """Write the weights between every ordered pair of levels anew; return how many there are.

    ``people``: residents (cells, bands); ``owner``: per level the number of each cell's area. A source without
    residents is joined, without weight, to the target area around a point on its surface.
    """
    session.execute(text("DELETE FROM crosswalk"))
    count = 0
    with raw_connection(session).cursor() as cursor, cursor.copy(f"COPY crosswalk ({_COLUMNS}) FROM STDIN") as copy:
        for source, target in permutations(sorted(areas), 2):
            rows = _weights(people, owner[source], owner[target], areas[source], areas[target])
            for source_key, target_key, weight, band_weights in rows:
                copy.write_row((source, source_key, target, target_key, weight, band_weights))
                count += 1
    return count


def _weights(
    people: Floats, source: Ints, target: Ints, sources: Areas, targets: Areas
) -> Iterator[tuple[str, str, float | None, list[float | None]]]:
    pair = np.where((source != NOWHERE) & (target != NOWHERE), source * len(targets.keys) + target, NOWHERE)
    pairs, number = np.unique(pair, return_inverse=True)
    number = number if len(pairs) and pairs[0] != NOWHERE else number - 1
    pairs = pairs[pairs != NOWHERE]
    shared = add_up(people, number, len(pairs))
    whole = add_up(people, source, len(sources.keys))
    total = whole.sum(axis=1)
    first, second = np.divmod(pairs, len(targets.keys))
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = shared.sum(axis=1) / total[first]
        band_weights = shared / whole[first]
    for i in np.flatnonzero(weight > 0).tolist():
        by_band = [None if math.isnan(share) else share for share in band_weights[i].tolist()]
        yield sources.keys[first[i]], targets.keys[second[i]], float(weight[i]), by_band
    empty = np.flatnonzero(total == 0)
    if len(empty):
        around = owners(shapely.get_coordinates(shapely.point_on_surface(sources.shapes[empty])), targets)
        for i, there in zip(empty.tolist(), around.tolist(), strict=True):
            if there != NOWHERE:
                yield sources.keys[i], targets.keys[there], None, [None] * people.shape[1]


@dataclass(frozen=True, slots=True)
class Weight:
    """The share (0 to 1) of the source area's residents that lie in the target area; None: it has no residents."""

    source_key: str
    target_key: str
    weight: float | None


def weights(session: Session, source_level: str, target_level: str, ages: Ages | None = None) -> list[Weight]:
    """Return the weights between two levels, over all ages or for a span of ages.

    Bands that the span cuts are divided evenly by years of age. Raises ``ParameterError`` where the surface has no
    such ages. Readable by every viewer.
    """
    if ages is None:
        found = session.execute(
            text("""
                SELECT source_key, target_key, weight FROM crosswalk_visible
                WHERE source_level = :source AND target_level = :target
                ORDER BY source_key COLLATE "C", target_key COLLATE "C"
            """),
            {"source": source_level, "target": target_level},
        )
        return [Weight(*row) for row in found]
    bands = session.execute(text("SELECT age_from, age_to FROM surface_band_visible ORDER BY number"))
    factors = band_factors(ages, [Ages(*band) for band in bands])
    if factors is None:
        raise ParameterError("age_from", f"Einwohner im Alter „{ages.words()}“ sind auf der Karte nicht bekannt.")
    found = session.execute(
        text("""
            WITH cell AS (
                SELECT c.cell, (SELECT sum(p * f) FROM unnest(c.people, CAST(:factors AS float8[])) AS band (p, f))
                           AS people
                FROM surface_cell_visible c),
            whole AS (
                SELECT s.area_key, sum(people) AS people FROM cell JOIN surface_area_visible s USING (cell)
                WHERE s.level = :source GROUP BY s.area_key),
            shared AS (
                SELECT s.area_key AS source_key, t.area_key AS target_key, sum(people) AS people
                FROM cell JOIN surface_area_visible s USING (cell) JOIN surface_area_visible t USING (cell)
                WHERE s.level = :source AND t.level = :target GROUP BY s.area_key, t.area_key)
            SELECT source_key, target_key, shared.people / nullif(whole.people, 0)
            FROM shared JOIN whole ON whole.area_key = shared.source_key
            WHERE shared.people > 0 OR whole.people = 0
            ORDER BY source_key COLLATE "C", target_key COLLATE "C"
        """),
        {"source": source_level, "target": target_level, "factors": factors[0]},
    )
    return [Weight(*row) for row in found]


def distribute(counts: Mapping[str, float | None], by: list[Weight]) -> dict[str, float | None]:
    """Distribute counts of residents (source key to count, None: missing) over the target areas.

    A target to which a missing count would contribute is missing (None); so is one to which a source without
    residents on the surface would contribute a count above 0. Never for shares, helps, placements or spending.
    """
    parts: defaultdict[str, list[float | None]] = defaultdict(list)
    for row in by:
        count = counts.get(row.source_key)
        if count is None or (row.weight is None and count > 0):
            parts[row.target_key].append(None)
        else:
            parts[row.target_key].append(count * (row.weight or 0.0))
    return {key: math.fsum(p for p in found if p is not None) if None not in found else None
            for key, found in parts.items()}  # fmt: skip
