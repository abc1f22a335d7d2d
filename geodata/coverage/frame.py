"""The areas an answer speaks of: all of a level, or those a user has drawn; and which cells and places lie in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.areas import require_level
from geodata.coverage.people import NOWHERE, Ints, People
from geodata.coverage.request import DRAWN, CoverageRequest, Drawn
from geodata.errors import ParameterError
from geodata.surface_cells import Areas, owners

Flags = NDArray[np.bool_]

# Areas drawn side by side share their border but for rounding.
_TOUCHING_M2 = 10.0

WITHOUT_AREA_NAME = "ohne räumliche Zuordnung"


@dataclass(frozen=True)
class Frame:
    """The areas in the order of their keys.

    ``cells``: for each cell of the surface the number of its area, ``NOWHERE`` (−1): in none. ``unknown``: residents
    of the area are not known. ``wanted``: the areas whose rows are asked for. ``drawn``: the areas' shapes where they
    are not a level's.
    """

    level: str
    title: str
    keys: list[str]
    names: list[str]
    cells: Ints
    unknown: Flags
    wanted: Flags
    drawn: Areas | None = None

    @property
    def outside(self) -> int:
        """The number that stands for "in none of the areas" where places and sums are numbered."""
        return len(self.keys)

    def numbers(self) -> dict[str, int]:
        """Return the number of each key."""
        return {key: number for number, key in enumerate(self.keys)}

    def whole(self) -> bool:
        """Tell whether all areas of a level are asked for, so that sums over the rows are the city's."""
        return self.drawn is None and bool(self.wanted.all())


def frame_of(session: Session, request: CoverageRequest, people: People | None) -> Frame:
    """Return the areas of a request.

    Raises ``ParameterError`` for an unknown level, for an area outside of which all others lie, and for drawn areas
    that lie outside of every area there is.
    """
    if request.drawn:
        return _drawn(session, request.drawn, people)
    level = require_level(session, request.level)
    rows = session.execute(
        text("""
            SELECT key, name, geom IS NULL AS unmapped FROM area_visible
            WHERE level = :level ORDER BY key COLLATE "C"
        """),
        {"level": request.level},
    ).all()
    keys = [row.key for row in rows]
    unknown = np.array([row.unmapped for row in rows], dtype=np.bool_)
    if people is None:
        cells = np.empty(0, dtype=np.int64)
        unknown[:] = True
    else:
        cells = people.owner(session, request.level)
        if people.basis == "area":
            unknown |= np.isin(keys, list(_without_figures(session, people, request.level)))
    wanted = np.ones(len(keys), dtype=np.bool_)
    if request.area is not None:
        wanted = np.isin(keys, list(_inside(session, request.area, request.level, level.title)))
    return Frame(request.level, level.title, keys, [row.name for row in rows], cells, unknown, wanted)


def _inside(session: Session, area: tuple[str, str], level: str, title: str) -> set[str]:
    """Return the keys of a level's areas that are this area or lie in it."""
    require_level(session, area[0], "area")
    found = set(
        session.execute(
            text("""
                WITH RECURSIVE inside(level, key) AS (
                    SELECT level, key FROM area_visible WHERE level = :area_level AND key = :area_key
                    UNION
                    SELECT a.level, a.key FROM area_visible a
                    JOIN inside i ON a.parent_level = i.level AND a.parent_key = i.key
                )
                SELECT key FROM inside WHERE level = :level
            """),
            {"area_level": area[0], "area_key": area[1], "level": level},
        ).scalars()
    )
    if not found:
        raise ParameterError(
            "area", f"In „{':'.join(area)[:80]}“ liegt kein Gebiet der Ebene {title}, oder es gibt es nicht."
        )
    return found


def _without_figures(session: Session, people: People, level: str) -> set[str]:
    """Return the areas of a level whose residents are not known, because figures are missing that the surface needs.

    Only where there is no grid: each area of the surface's own level without figures is then without cells, and an
    empty place is not the same as an unknown one. Other levels: those that such an area lies in, or that lie in it.
    """
    found = session.execute(
        text("""
            WITH unknown AS (
                SELECT a.key, a.geom, ST_PointOnSurface(a.geom) AS middle FROM area_visible a
                WHERE a.level = :own AND NOT EXISTS (
                    SELECT FROM observation_visible o
                    WHERE o.indicator = 'population' AND o.scenario = 'ist' AND o.level = :own AND o.dataset = :dataset
                      AND o.period = :period AND o.area_key = a.key AND o.value IS NOT NULL))
            SELECT DISTINCT a.key FROM area_visible a JOIN unknown u
                ON CASE WHEN :level = :own THEN a.key = u.key
                        ELSE ST_Contains(a.geom, u.middle) OR ST_Contains(u.geom, ST_PointOnSurface(a.geom)) END
            WHERE a.level = :level
        """),
        {"own": people.level, "dataset": people.dataset, "period": people.period, "level": level},
    ).scalars()
    return set(found)


def _drawn(session: Session, drawn: Sequence[Drawn], people: People | None) -> Frame:
    areas = Areas(DRAWN, [one.key for one in drawn], [one.name for one in drawn],
                  np.array([one.shape for one in drawn], dtype=object))  # fmt: skip
    for number, shape in enumerate(areas.shapes):
        _require_here(session, shape, areas.names[number])
    _require_apart(areas)
    unknown = np.full(len(drawn), people is None)
    cells = np.empty(0, dtype=np.int64)
    if people is not None:
        cells = np.full(len(people.xy), NOWHERE, dtype=np.int64)
        west, south, east, north = shapely.total_bounds(areas.shapes)
        x, y = people.xy[:, 0], people.xy[:, 1]
        near = np.flatnonzero((west <= x) & (x <= east) & (south <= y) & (y <= north))
        if len(near):
            cells[near] = owners(people.xy[near], areas)
    return Frame(DRAWN, "Auswahl", areas.keys, areas.names, cells, unknown, np.ones(len(drawn), dtype=np.bool_), areas)


def _require_apart(areas: Areas) -> None:
    """Raise for areas that overlap: what lies in both would count in one of them only."""
    first, second = shapely.STRtree(areas.shapes).query(areas.shapes, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    shared = shapely.area(shapely.intersection(areas.shapes[first], areas.shapes[second]))
    if (shared > _TOUCHING_M2).any():
        worst = int(np.argmax(shared))
        raise ParameterError(
            "geometry",
            f"Die Flächen „{areas.names[first[worst]][:60]}“ und „{areas.names[second[worst]][:60]}“ überlappen sich; "
            "bitte überlappende Flächen einzeln fragen.",
        )


def _require_here(session: Session, shape: shapely.Geometry, name: str) -> None:
    here = session.execute(
        text("""
            SELECT EXISTS (SELECT FROM area_visible
                           WHERE geom && ST_GeomFromWKB(:shape, 25832)
                             AND ST_Intersects(geom, ST_GeomFromWKB(:shape, 25832)))
        """),
        {"shape": shapely.to_wkb(shape)},
    ).scalar_one()
    if not here:
        raise ParameterError("geometry", f"Die Fläche „{name[:60]}“ liegt außerhalb aller geladenen Gebiete.")
