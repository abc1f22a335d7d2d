"""The question "from where is any of these places reached": one area around all of them, along the ways there."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from geodata import words
from geodata.coverage.frame import frame_of
from geodata.coverage.people import people_of
from geodata.coverage.places import read_places, read_spots
from geodata.coverage.request import CoverageRequest, Mode, require_fitting, without_network
from geodata.coverage.travel import search_from
from geodata.coverage.ways import mode_of
from geodata.reach_polygon import Area, geojson, line_area, network_area

_CIRCLES = "Die eingezeichnete Fläche besteht aus Kreisen um die Einrichtungen."


@dataclass(frozen=True, slots=True)
class ReachArea:
    """The area from which at least one place is reached, as GeoJSON in CRS84, by which mode, and a sentence about it.

    ``polygon`` None: no place has a point that may be shown, or none lies at the network.
    """

    polygon: str | None
    mode: Mode
    sentence: str


def reach_area(session: Session, request: CoverageRequest) -> ReachArea:
    """Return the area from which a place of the request is reached within its minutes (inclusive).

    The way is the one towards the places, as in coverage by reach; the short way from a place to the network counts
    but is not drawn. Places outside of the areas asked about take part. Raises what coverage raises.
    """
    require_fitting(request)
    frame = frame_of(session, request, people_of(session))
    places = read_places(session, request, frame)
    mode, graph = mode_of(session, request.mode, without_network(request.pace))
    spots = read_spots(session, places, mode)
    limit_m = request.minutes * request.pace.metres_per_minute(mode)
    if graph is None:
        radius = limit_m / request.pace.detour_factor
        circles = [line_area((x, y), radius) for x, y in spots.xy.tolist()]
        return ReachArea(geojson(_joined(circles)) if circles else None, mode, _CIRCLES)
    near = (spots.node >= 0) & (spots.metres <= limit_m)
    if not near.any():
        return ReachArea(None, mode, "")
    node, metres = spots.node[near], spots.metres[near]
    found = search_from(graph.towards, node, metres)
    start = np.stack([spots.xy[near][0], graph.xy[node[0]]])
    shape, cell_m = network_area(replace(graph, matrix=graph.towards), found, limit_m, start)
    band = words.number(1.5 * cell_m)
    sentence = f"Die eingezeichnete Fläche zeigt die Wege mit einem Streifen von etwa {band} m zu jeder Seite."
    return ReachArea(geojson(shape), mode, sentence)


def _joined(circles: list[Area]) -> Area:
    joined: Any = shapely.union_all(circles)
    area: Area = joined
    return area
