"""An invented network of ways, as an edge list: walked both ways, cycled with some one-way streets and stairs.

The nodes stand on a jittered lattice that is the closer the more people live there. A river, a canal and a railway
can be crossed at few places only, so the way is often much longer than the straight line. Neuwerk and one Gebiet more
have ways of their own without connection to the rest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import LineString, MultiPolygon

from geodata.network import parts_of
from importers.demo.dice import Dice
from importers.demo.facts import NEUWERK

COLUMNS = ("u", "v", "length", "u_x", "u_y", "v_x", "v_y", "oneway", "bike")
"""Columns of the edge list; x, y and length in metres."""

CRS = "EPSG:25832"
"""The CRS of x and y."""

CUT_OFF = (f"{NEUWERK}001", "02120004")
"""Gebiete whose ways lead nowhere else."""

_TOPIC = 6
_STEP_M = 125.0
_JITTER = 0.32
# Every fourth place of the lattice has a node, every second one where people live near, each where many do.
_FAR, _NEAR, _DENSE = 4, 2, 1
_NEAR_M, _DENSE_NEAR_M = 400.0, 220.0
_DENSE_PER_HA = 25.0
_WITHOUT_EDGE = 0.10
_DIAGONAL = 0.06
_CURVED = 0.22
_ONEWAY, _STAIRS = 0.06, 0.02
_TURNED = 0.5  # of the edges are named against the lattice, which matters where they are one-way
_STRIDE = 10**6  # between the columns of the lattice where a place is one number


@dataclass(frozen=True)
class Barrier:
    """A line (EPSG:25832) that only few ways cross: one near each of `crossings` (share of its length).

    Every `on_foot`-th crossing is not for bicycles (0: all are).
    """

    line: LineString
    crossings: tuple[float, ...]
    on_foot: int = 0


BARRIERS = (
    Barrier(  # the river, from west to east
        LineString([
            (540_000, 5_935_500), (552_000, 5_932_900), (558_500, 5_932_100), (565_500, 5_932_500),
            (569_500, 5_929_800), (574_000, 5_924_800), (580_500, 5_921_000), (595_000, 5_914_000),
        ]),
        (0.36, 0.452, 0.478, 0.53, 0.57, 0.66, 0.77),
        on_foot=3,
    ),
    Barrier(  # a canal from the north to the river
        LineString([(572_500, 5_953_500), (568_500, 5_945_500), (566_300, 5_940_000), (565_500, 5_932_500)]),
        tuple(number / 20 for number in range(1, 20)),
        on_foot=4,
    ),
    Barrier(  # a railway from west to east, north of the river
        LineString([(548_500, 5_938_500), (559_500, 5_935_900), (566_500, 5_934_500), (584_500, 5_941_500)]),
        tuple(number / 34 for number in range(1, 34)),
        on_foot=3,
    ),
    Barrier(  # a railway south of the river
        LineString([(566_800, 5_931_500), (565_600, 5_924_500), (562_500, 5_918_000)]),
        tuple(number / 11 for number in range(1, 11)),
        on_foot=4,
    ),
)  # fmt: skip
"""What parts the city."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class _Nodes:
    """Nodes: place on the lattice (n, 2), point in metres (n, 2), whether in a Gebiet that is cut off (its number)."""

    at: Ints
    xy: Floats
    island: Ints


def ways(
    gebiete: Mapping[str, MultiPolygon], residents: Mapping[str, int], grid: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Return the edges as rows of text under `COLUMNS`, without splinters: all nodes but those cut off hang together.

    `gebiete` (EPSG:25832) and `residents` (persons) are keyed by statistisches Gebiet; `grid` are the rows of the
    census grid (midpoints in EPSG:3035).
    """
    nodes = _nodes(gebiete, residents, grid)
    dice = Dice(_TOPIC, 0)
    edges = _links(nodes, dice)
    edges, on_foot = _uncrossed(edges, nodes, dice)
    part = parts_of(edges[:, 0], edges[:, 1], len(nodes.xy))
    used = _kept_parts(part, nodes)[edges[:, 0]]
    return list(_rows(edges[used], on_foot[used], nodes.xy, dice))


def _nodes(
    gebiete: Mapping[str, MultiPolygon], residents: Mapping[str, int], grid: Sequence[tuple[str, ...]]
) -> _Nodes:
    from scipy.spatial import cKDTree  # noqa: PLC0415 - heavy

    to_metres = Transformer.from_crs(3035, 25832, always_xy=True)
    inhabited = cKDTree(
        np.column_stack(to_metres.transform([int(row[1]) for row in grid], [int(row[2]) for row in grid]))
    )
    places, points, islands = [], [], []
    for key, shape in gebiete.items():
        at = _lattice(shape)
        away = inhabited.query(at * _STEP_M)[0]
        dense = residents[key] / (shape.area / 10_000) >= _DENSE_PER_HA
        every = np.where(away <= _NEAR_M, _NEAR, _FAR)
        if dense:
            every = np.where(away <= _DENSE_NEAR_M, _DENSE, every)
        if key in CUT_OFF:
            every[:] = _NEAR
        at = at[(at % every[:, None] == 0).all(axis=1)]
        off = (2 * Dice(_TOPIC, int(key)).many(len(at), 2) - 1) * _JITTER
        places.append(at)
        points.append(np.round((at + off) * _STEP_M, 1))
        islands.append(np.full(len(at), CUT_OFF.index(key) + 1 if key in CUT_OFF else 0))
    at, order = np.unique(np.concatenate(places), axis=0, return_index=True)
    return _Nodes(at, np.concatenate(points)[order], np.concatenate(islands)[order])


def _lattice(shape: MultiPolygon) -> Ints:
    """Return the places of the lattice (whole steps) that lie in the shape."""
    west, south, east, north = (bound / _STEP_M for bound in shape.bounds)
    x, y = np.arange(np.ceil(west), east + 1), np.arange(np.ceil(south), north + 1)
    at = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
    inside: Ints = at[shapely.contains_xy(shape, at * _STEP_M)].astype(np.int64).reshape(-1, 2)
    return inside


def _links(nodes: _Nodes, dice: Dice) -> Ints:
    """Return edges (node, node) to the next node east and north, less some, and a few to the north-east."""
    code = nodes.at[:, 0] * _STRIDE + nodes.at[:, 1]  # ascending, as the nodes are
    found = [
        _next(code, step, far, dice.many(len(code)) < chance)
        for step, far, chance in ((_STRIDE, _FAR, 1 - _WITHOUT_EDGE), (1, _FAR, 1 - _WITHOUT_EDGE),
                                  (_STRIDE + 1, 1, _DIAGONAL))
    ]  # fmt: skip
    edges = np.concatenate(found)
    inside: Ints = edges[nodes.island[edges[:, 0]] == nodes.island[edges[:, 1]]]
    return inside


def _next(code: Ints, step: int, far: int, wanted: Flags) -> Ints:
    """Link each wanted node to the next one that lies at most `far` steps away."""
    target = np.full(len(code), -1)
    for number in range(far, 0, -1):
        at = np.minimum(np.searchsorted(code, code + number * step), len(code) - 1)
        target = np.where(code[at] == code + number * step, at, target)
    start = np.flatnonzero(wanted & (target >= 0))
    return np.column_stack([start, target[start]])


def _uncrossed(edges: Ints, nodes: _Nodes, dice: Dice) -> tuple[Ints, Flags]:
    """Return the edges without those that cross a barrier where there is no crossing, and which are for feet only."""
    ends = nodes.xy[edges]
    lines, middle = shapely.linestrings(ends), shapely.points(ends.mean(axis=1))
    kept = np.ones(len(edges), dtype=bool)
    on_foot = dice.many(len(edges)) < _STAIRS
    for barrier in BARRIERS:
        shapely.prepare(barrier.line)
        crossing = np.flatnonzero(shapely.intersects(barrier.line, lines))
        along = shapely.line_locate_point(barrier.line, middle[crossing], normalized=True)
        kept[crossing] = False
        for number, share in enumerate(barrier.crossings, start=1):
            bridge = crossing[np.argmin(np.abs(along - share))]
            kept[bridge] = True
            on_foot[bridge] = bool(barrier.on_foot) and number % barrier.on_foot == 0
    return edges[kept], on_foot[kept]


def _kept_parts(part: Ints, nodes: _Nodes) -> Flags:
    """Tell which nodes stay: of the city and of each Gebiet cut off those of the largest part."""
    kept = np.zeros(len(part), dtype=bool)
    for island in range(len(CUT_OFF) + 1):
        own = (nodes.island == island) & (part >= 0)
        kept |= own & (part == np.bincount(part[own]).argmax())
    return kept


def _rows(edges: Ints, on_foot: Flags, xy: Floats, dice: Dice) -> Iterator[tuple[str, ...]]:
    turned = dice.many(len(edges)) < _TURNED
    edges = np.where(turned[:, None], edges[:, ::-1], edges)
    apart = xy[edges[:, 1]] - xy[edges[:, 0]]
    straight = np.sqrt((apart * apart).sum(axis=1))
    # Rounded up, so that no way is shorter than the straight line.
    length = np.ceil(straight * (1 + _CURVED * dice.many(len(edges)) ** 2) * 10) / 10
    oneway = (dice.many(len(edges)) < _ONEWAY) & ~on_foot
    _used, number = np.unique(edges, return_inverse=True)
    names = number.reshape(edges.shape) + 1
    for i, ends in enumerate(xy[edges].reshape(-1, 4).tolist()):
        told = (f"{value:.1f}" for value in (length[i], *ends))
        yield str(names[i, 0]), str(names[i, 1]), *told, "yes" if oneway[i] else "", "no" if on_foot[i] else ""
