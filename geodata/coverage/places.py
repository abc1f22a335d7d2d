"""The offers that take part: visible to the viewer, valid on the day, of the categories, for the ages.

Each condition comes with its sentence (``geodata.facilities``), so that the footnote cannot disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.ages import Ages
from geodata.coverage.frame import Frame
from geodata.coverage.people import Floats, Ints
from geodata.coverage.request import CoverageRequest
from geodata.facilities import Clause, FacilitiesRequest, offer_clauses, place_clauses
from geodata.surface_cells import NOWHERE, owners

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Places:
    """Places with at least one matching offer, in the order of (import, id), and these offers.

    Of places: ``keys`` (import id, facility id), ``datasets``, ``area`` (number in the frame, ``len(frame.keys)``:
    in none), ``counted``: takes part at this level (what appears by area only does not at finer ones). Of offers:
    ``place`` (number), ``span`` (number in ``spans``; the ages asked for where the offer names none), ``supply`` and
    ``use`` (NaN: not stated), ``citywide``, ``ageless``.
    """

    keys: list[tuple[int, str]]
    datasets: list[str]
    area: Ints
    counted: Flags
    place: Ints
    spans: list[Ages]
    span: Ints
    supply: Floats
    use: Floats
    citywide: Flags
    ageless: Flags
    sentence: str


@dataclass(frozen=True, slots=True)
class Spots:
    """Where exact places are: ``number`` (in ``Places.keys``), ``xy`` (EPSG:25832), ``node`` (−1: none), ``metres``."""

    number: Ints
    xy: Floats
    node: Ints
    metres: Floats


def overlap_clause(ages: Ages) -> Clause:
    """Return the condition that an offer ``o`` is for at least one of these ages (or names none)."""
    if ages.age_from == 0 and ages.age_to is None:
        return Clause("true", {}, "")
    return Clause(
        "(o.age_from IS NULL OR (CAST(:wanted_to AS integer) IS NULL OR o.age_from < :wanted_to)"
        " AND (o.age_to IS NULL OR o.age_to > :wanted_from))",
        {"wanted_from": ages.age_from, "wanted_to": ages.age_to},
        f"für {ages.words()} Jahre (Angebote ohne Altersangabe eingeschlossen)",
    )


_OFFERS = """
SELECT p.import_id, p.facility_id, p.dataset, p.exact, f.area_key, o.age_from, o.age_to,
       CASE WHEN o.supply_unit = :unit THEN o.supply END AS supply, o.use,
       coalesce(o.service_area = 'citywide', false) AS citywide
FROM offer_visible o
JOIN place_visible p ON p.import_id = o.import_id AND p.facility_id = o.facility_id
LEFT JOIN facility_area_visible f ON f.import_id = o.import_id AND f.facility_id = o.facility_id AND f.level = :level
WHERE {conditions}
"""
_COARSE = """
SELECT EXISTS (SELECT FROM level_closure c WHERE c.level = srk_release_level() AND c.ancestor = :level)
"""


def read_places(session: Session, request: CoverageRequest, frame: Frame) -> Places:
    """Return the places and offers that take part. Raises ``ParameterError`` for an unknown category or value."""
    clauses = _clauses(request)
    values: dict[str, Any] = {"unit": request.supply_unit, "level": frame.level}
    for clause in clauses:
        values |= clause.values
    query = _OFFERS.format(conditions=" AND ".join(clause.sql for clause in clauses))
    rows = session.execute(text(query), values).all()
    # Sorted here: the database would sort by language.
    rows = sorted(rows, key=lambda row: (row[0], row[1]))
    coarse = bool(session.execute(text(_COARSE), {"level": frame.level}).scalar_one())
    return _places(rows, request, frame, coarse, "; ".join(c.sentence for c in clauses if c.sentence))


def _clauses(request: CoverageRequest) -> list[Clause]:
    chosen = FacilitiesRequest(
        on=request.on, categories=request.categories, types=request.types, barrier_free=request.barrier_free
    )
    return [*offer_clauses(chosen), overlap_clause(request.ages), *place_clauses(chosen)]


def _places(rows: Sequence[Any], request: CoverageRequest, frame: Frame, coarse: bool, sentence: str) -> Places:
    keys: list[tuple[int, str]] = []
    datasets, counted, area = [], [], []
    place, span = [], []
    spans: dict[Ages, int] = {}
    supply, use, citywide, ageless = [], [], [], []
    number = frame.numbers()
    for import_id, facility_id, dataset, exact, area_key, age_from, age_to, supplied, used, whole_city in rows:
        if not keys or keys[-1] != (import_id, facility_id):
            keys.append((import_id, facility_id))
            datasets.append(dataset)
            # What appears by area only, appears at the release level and those that contain it.
            counted.append(exact or (coarse and frame.drawn is None))
            area.append(number.get(area_key, frame.outside))
        own = request.ages if age_from is None else Ages(age_from, age_to)
        place.append(len(keys) - 1)
        span.append(spans.setdefault(own, len(spans)))
        supply.append(np.nan if supplied is None else supplied)
        use.append(np.nan if used is None else used)
        citywide.append(whole_city)
        ageless.append(age_from is None)
    return Places(
        keys, datasets, np.array(area, dtype=np.int64), np.array(counted, dtype=np.bool_),
        np.array(place, dtype=np.int64), list(spans), np.array(span, dtype=np.int64), np.array(supply, dtype=float),
        np.array(use, dtype=float), np.array(citywide, dtype=np.bool_), np.array(ageless, dtype=np.bool_), sentence,
    )  # fmt: skip


def read_spots(session: Session, places: Places, mode: str) -> Spots:
    """Return where the exact places are, and their nodes in the network (in a straight line: none)."""
    found = session.execute(
        text("""
            SELECT g.import_id, g.facility_id, ST_X(g.geom) AS x, ST_Y(g.geom) AS y, s.node, s.distance_m
            FROM place_point_visible g
            LEFT JOIN facility_snap_visible s
                ON s.import_id = g.import_id AND s.facility_id = g.facility_id AND s.mode = :mode
            WHERE (g.import_id, g.facility_id) IN (SELECT * FROM unnest(CAST(:imports AS integer[]),
                                                                       CAST(:ids AS text[])))
        """),
        {"mode": mode, "imports": [key[0] for key in places.keys], "ids": [key[1] for key in places.keys]},
    ).all()
    number = {key: i for i, key in enumerate(places.keys)}
    made = sorted(
        (number[import_id, facility_id], x, y, -1 if node is None else node, np.nan if m is None else m)
        for import_id, facility_id, x, y, node, m in found
    )
    table = np.array(made, dtype=float).reshape(-1, 5)
    return Spots(table[:, 0].astype(np.int64), table[:, 1:3], table[:, 3].astype(np.int64), table[:, 4])


def areas_of_spots(spots: Spots, frame: Frame, places: int) -> Ints:
    """Return for each place the number of the drawn area its point lies in; the frame's ``outside``: in none."""
    area = np.full(places, frame.outside, dtype=np.int64)
    if frame.drawn is not None and len(spots.xy):
        own = owners(spots.xy, frame.drawn)
        area[spots.number] = np.where(own == NOWHERE, frame.outside, own)
    return area
