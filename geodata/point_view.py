"""A point and the ways that lead from it: where it lies, how far everything else is, and the area within reach."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.coverage.request import MODES, Mode, Pace, without_network
from geodata.coverage.travel import search_from
from geodata.coverage.ways import mode_of
from geodata.errors import ParameterError
from geodata.network import Graph, nearest_nodes
from geodata.reach_polygon import geojson, line_area, network_area

_GONE: dict[Mode, str] = {"walk": "zu Fuß", "bike": "mit dem Fahrrad", "line": "in der Luftlinie"}

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

MOST_OUTSIDE_M = 5000.0
MOST_TO_NETWORK_M = 1000.0
# Where EPSG:25832 is defined well enough to measure how far from the areas a point lies; all of Germany is inside.
_WEST, _SOUTH, _EAST, _NORTH = -10.0, 35.0, 30.0, 72.0


@dataclass(frozen=True)
class View:
    """The point (EPSG:25832) and the ways from it, which count up to ``limit_m`` (inclusive).

    On a network ``node`` is the point's node and ``node_metres`` the way from the point to each node (infinite: none);
    in a straight line ``graph`` and ``node_metres`` are None.
    """

    xy: Floats
    mode: Mode
    limit_m: float
    detour_factor: float
    graph: Graph | None = None
    node: int = -1
    node_metres: Floats | None = None

    @property
    def cut_off(self) -> bool:
        """Whether the point lies at a part of the network from which the rest cannot be reached."""
        return self.graph is not None and int(self.graph.component[self.node]) != 0

    def metres(self, xy: Floats, node: Ints, to_node: Floats) -> Floats:
        """Return the metres to points (n, 2) that are ``to_node`` metres from their nodes (−1: none).

        Infinite where there is no way. In a straight line nodes do not matter.
        """
        if self.node_metres is None:
            straight: Floats = np.hypot(xy[:, 0] - self.xy[0], xy[:, 1] - self.xy[1])
            return self.detour_factor * straight
        found = np.full(len(node), np.inf)
        there = node >= 0
        found[there] = self.node_metres[node[there]] + to_node[there]
        return found

    def envelope(self) -> tuple[float, float, float, float] | None:
        """Return a box (west, south, east, north) around everything that is reached; None: nothing is."""
        if self.graph is None or self.node_metres is None:
            centre, left = self.xy[None], np.array([self.limit_m / self.detour_factor])
        else:
            reached = self.node_metres <= self.limit_m
            centre, left = self.graph.xy[reached], self.limit_m - self.node_metres[reached]
        if not len(centre):
            return None
        # A metre for the noise of reckoning: the exact condition comes later.
        west, south = (centre - left[:, None]).min(axis=0).tolist()
        east, north = (centre + left[:, None]).max(axis=0).tolist()
        return west - 1, south - 1, east + 1, north + 1

    def area(self) -> tuple[str, str]:
        """Return the area reached as GeoJSON (CRS84), and what it shows in words."""
        if self.graph is None or self.node_metres is None:
            x, y = self.xy.tolist()
            return geojson(line_area((x, y), self.limit_m / self.detour_factor)), "die Fläche ist der Kreis darum"
        start = np.stack([self.xy, self.graph.xy[self.node]])
        shape, cell_m = network_area(self.graph, self.node_metres, self.limit_m, start)
        band = words.number(1.5 * cell_m)
        return geojson(
            shape
        ), f"die Fläche zeigt die erreichten Wege mit einem Streifen von etwa {band} m zu jeder Seite"


def view_from(session: Session, lon: float, lat: float, minutes: int, mode: Mode | None, pace: Pace) -> View:
    """Return the ways from a point (CRS84): on the network asked for, else walking where one is loaded, else lines.

    Raises ``ParameterError`` for a point that is none, that lies more than 5 km outside of all areas, or more than
    1 km from the network; ``ConflictError`` where the network asked for is not loaded.
    """
    xy = _located(session, lon, lat)
    gone, graph = mode_of(session, mode, without_network(pace))
    limit_m = minutes * pace.metres_per_minute(gone)
    if graph is None:
        return View(xy, gone, limit_m, pace.detour_factor)
    node, metres = nearest_nodes(graph, xy[None])
    if node[0] < 0:
        raise ParameterError(
            "mode", f"Im Wegenetz gibt es keinen Weg {_GONE[gone]}; „Luftlinie“ rechnet ohne Wege.", MODES
        )
    if metres[0] > MOST_TO_NETWORK_M:
        raise ParameterError(
            "lon",
            f"Der Punkt ({in_words(lon, lat)}) liegt {words.number(metres[0] / 1000, 1)} km vom nächsten Weg des "
            f"Wegenetzes entfernt, höchstens {words.plain(MOST_TO_NETWORK_M / 1000)} km sind möglich; „Luftlinie“ "
            "rechnet ohne Wege.",
        )
    found = search_from(graph.matrix, node, metres)
    return View(xy, gone, limit_m, pace.detour_factor, graph, int(node[0]), found)


def in_words(lon: float, lat: float) -> str:
    """Return a point as a sentence names it."""
    return f"Länge {words.plain(lon, 5)}, Breite {words.plain(lat, 5)}"


def _located(session: Session, lon: float, lat: float) -> Floats:
    """Return the point in EPSG:25832."""
    for name, value, most in (("lon", lon, 180), ("lat", lat, 90)):
        if not math.isfinite(value) or abs(value) > most:
            raise ParameterError(name, f"„{name}“ muss eine Zahl in Grad von −{most} bis {most} sein.")
    x = y = math.nan
    near = False
    if _WEST <= lon <= _EAST and _SOUTH <= lat <= _NORTH:
        x, y, near = session.execute(
            text("""
                SELECT ST_X(p.geom), ST_Y(p.geom),
                       EXISTS (SELECT FROM area_visible a WHERE ST_DWithin(a.geom, p.geom, :most))
                       OR NOT EXISTS (SELECT FROM area_visible a WHERE a.geom IS NOT NULL)
                FROM (SELECT ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), 25832) AS geom) p
            """),
            {"lon": lon, "lat": lat, "most": MOST_OUTSIDE_M},
        ).one()
    if not near:
        raise ParameterError(
            "lon",
            f"Der Punkt ({in_words(lon, lat)}) liegt mehr als {words.plain(MOST_OUTSIDE_M / 1000)} km außerhalb aller "
            "Gebiete; die Länge (lon) und die Breite (lat) stehen in Grad.",
        )
    return np.array([x, y])
