"""From ways to a graph: junctions and ends become nodes, what lies between them one edge each.

Kept as nodes are the points where three or more stretches meet, where a way ends, where it becomes another matter
(from here on no cycling, a barrier), and points within long stretches, so that a place beside the way finds a node
near. Everything is vectorised: a Land's network is some million stretches.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.network import parts_of
from importers import place
from importers.errors import MappingError, SourceError
from importers.report import Report
from importers.sources.osm import Streets
from importers.sources.osm_access import BACKWARD, BIKE, FORWARD, WALK

# A stretch without junction gets a node about every so many metres along a way, where OSM has a point.
MAX_STRETCH_M = 400.0
# Splinters (a car park's aisle behind a private drive) would catch the places beside them and cut them off.
MIN_PART_M = 500.0
MIN_PART_SHARE = 0.001

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_SWAPPED = np.array([(bits & WALK) | (bits & FORWARD) << 1 | (bits & BACKWARD) >> 1 for bits in range(8)], np.uint8)


@dataclass(slots=True)
class Network:
    """A graph ready to be stored. ``use`` are the bits of ``osm_access`` in the direction u to v.

    ``xy`` (shape (n, 2), EPSG:25832) and ``osm_id`` (None: the nodes are not OpenStreetMap's) are per node, ``u``,
    ``v`` (node numbers from 0), ``length_m`` and ``use`` per edge.
    """

    xy: Floats
    osm_id: Ints | None
    u: Ints
    v: Ints
    length_m: Floats
    use: NDArray[np.uint8]


@dataclass(slots=True)
class _Stretches:
    """Straight stretches between OSM nodes (numbers into ``Streets.node``), each pair once, a < b."""

    a: Ints
    b: Ints
    use: NDArray[np.uint8]

    def degree(self, nodes: int) -> Ints:
        return np.bincount(self.a, minlength=nodes) + np.bincount(self.b, minlength=nodes)


def geodesic_m(lon1: Floats, lat1: Floats, lon2: Floats, lat2: Floats) -> Floats:
    """Return the distances on the ellipsoid WGS 84 in metres between points given in degrees."""
    import pyproj  # noqa: PLC0415 - only importers of networks need it here

    _azimuth, _back, metres = pyproj.Geod(ellps="WGS84").inv(lon1, lat1, lon2, lat2)
    return np.asarray(metres, dtype=np.float64)


def graph_of(streets: Streets, report: Report) -> Network:
    """Make the graph of an extract's usable ways; what was counted and left out goes into the report.

    Raises ``SourceError`` where no way has two known nodes, ``MappingError`` where none lies in Germany.
    """
    known = ~np.isnan(streets.lon)
    _require_germany(streets, known)
    position = np.searchsorted(streets.node, streets.refs)
    stretches = _stretches(streets, position, known)
    if not len(stretches.a):
        raise SourceError(f"„{streets.provenance.source}“ enthält keinen Weg, dessen Knoten alle in der Datei sind.")
    count = len(streets.node)
    junction = stretches.degree(count) != 2
    along = _along(streets, position, junction, known)
    lengths = geodesic_m(
        streets.lon[stretches.a], streets.lat[stretches.a], streets.lon[stretches.b], streets.lat[stretches.b]
    )
    origin, lengths, ignored = _split_at_barriers(streets, stretches, lengths)
    keep = np.concatenate([junction | along, np.ones(len(origin) - count, bool)])
    keep[origin[count:]] = True
    u, v, length_m, use = _contracted(stretches, lengths, keep)
    parts = parts_of(u, v, len(origin))
    large = _large_enough(parts, u, length_m)
    taken = large[parts[u]]
    u, v, length_m, use = u[taken], v[taken], length_m[taken], use[taken]
    used, packed = np.unique(np.concatenate([u, v]), return_inverse=True)
    _tell(streets, report, barriers_ignored=ignored, parts_dropped=int((~large).sum()), unknown=int((~known).sum()))
    nodes = origin[used]
    xy = place.to_metres(streets.lon[nodes], streets.lat[nodes], streets.provenance.crs or "EPSG:4326")
    return Network(xy, streets.node[nodes], packed[: len(u)], packed[len(u) :], length_m, use)


def _require_germany(streets: Streets, known: Bools) -> None:
    middle = np.array([np.nanmedian(streets.lon[known])]), np.array([np.nanmedian(streets.lat[known])])
    cause = place.implausible(*middle, "EPSG:4326")[0]
    if cause:
        raise MappingError(
            f"Das Netz in „{streets.provenance.source}“ liegt nicht in Deutschland (Mitte bei Länge "
            f"{middle[0][0]:.2f}, Breite {middle[1][0]:.2f}); bitte den Auszug prüfen."
        )


def _tell(streets: Streets, report: Report, *, barriers_ignored: int, parts_dropped: int, unknown: int) -> None:
    report.rows_read = streets.ways_read
    report.counts["Wege zu Fuß oder mit dem Rad"] = len(streets.use)
    report.counts["Sperren auf Wegen"] = int((streets.closed > 0).sum()) - barriers_ignored
    if unknown:
        report.warn(f"{unknown} Knoten von Wegen fehlen in der Datei (Rand des Auszugs); diese Stücke entfallen.")
    if streets.ferries:
        km = f"{_ferry_km(streets):.1f}".replace(".", ",")
        report.info(
            f"Fähren sind weggelassen ({len(streets.ferries)}, zusammen {km} km): Eine Überfahrt ist kein Weg zu Fuß "
            "oder mit dem Rad."
        )
    if barriers_ignored:
        report.info(
            f"Sperren an Kreuzungen gelten nicht ({barriers_ignored}): Welchen Zweig sie sperren, sagen die Daten "
            "nicht."
        )
    if parts_dropped:
        report.info(
            f"Kleine Teile ohne Verbindung zum übrigen Netz sind weggelassen ({parts_dropped}, je unter "
            f"{MIN_PART_M:.0f} m)."
        )


def _ferry_km(streets: Streets) -> float:
    metres = 0.0
    for route in streets.ferries:
        legs = geodesic_m(route[:-1, 0], route[:-1, 1], route[1:, 0], route[1:, 1])
        metres += float(np.nansum(legs))
    return metres / 1000


def _stretches(streets: Streets, position: Ints, known: Bools) -> _Stretches:
    """Cut the ways into stretches; what two ways share (a path along a square's edge) is there once, open to both."""
    a, b = position[:-1], position[1:]
    inside = np.ones(len(a), dtype=bool)
    inside[streets.start[1:-1] - 1] = False  # from one way's end to the next one's beginning there is nothing
    use = np.repeat(streets.use, np.diff(streets.start))[:-1]
    real = inside & (a != b) & known[a] & known[b]
    a, b, use = a[real], b[real], use[real]
    swap = a > b
    a, b, use = np.where(swap, b, a), np.where(swap, a, b), np.where(swap, _SWAPPED[use], use)
    order = np.lexsort((b, a))
    a, b, use = a[order], b[order], use[order]
    first = np.flatnonzero(np.r_[True, (a[1:] != a[:-1]) | (b[1:] != b[:-1])]) if len(a) else np.array([], np.int64)
    return _Stretches(a[first], b[first], np.bitwise_or.reduceat(use, first) if len(a) else use)


def _along(streets: Streets, position: Ints, junction: Bools, known: Bools) -> Bools:
    """Choose nodes within long stretches: each time another ``MAX_STRETCH_M`` of a way is full."""
    chosen = np.zeros(len(streets.node), dtype=bool)
    lon, lat = streets.lon[position], streets.lat[position]
    step = geodesic_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
    step = np.nan_to_num(np.concatenate([[0.0], step]))
    walked = np.cumsum(step)
    begins = junction[position] | ~known[position]
    begins[streets.start[:-1]] = True
    since = walked - walked[np.maximum.accumulate(np.where(begins, np.arange(len(position)), 0))]
    full = np.floor(since / MAX_STRETCH_M)
    more = np.zeros(len(position), dtype=bool)
    more[1:] = (full[1:] > full[:-1]) & ~begins[1:]
    chosen[position[more]] = True
    return chosen


def _split_at_barriers(streets: Streets, stretches: _Stretches, lengths: Floats) -> tuple[Ints, Floats, int]:
    """Cut the stretches at barriers, joining both sides by an edge of no length for whom the barrier lets through.

    Changes ``stretches``; returns for each node (copies come last) the one it stands for, the lengths with those of
    the new edges, and how many barriers are ignored because they stand where more than two stretches meet.
    """
    count = len(streets.node)
    degree = stretches.degree(count)
    closed = streets.closed
    ends = np.concatenate([stretches.a, stretches.b])
    of = np.concatenate([np.arange(len(stretches.a))] * 2)
    at = np.flatnonzero(closed[ends] > 0)
    at = at[np.argsort(ends[at], kind="stable")]
    at = at[degree[ends[at]] == 2].reshape(-1, 2)  # per barrier the two ends that meet there
    matters = (closed[ends[at[:, 0]]] & (stretches.use[of[at[:, 0]]] | stretches.use[of[at[:, 1]]])) > 0
    at = at[matters]
    barrier = ends[at[:, 0]]
    copies = count + np.arange(len(at))
    ends[at[:, 1]] = copies
    through = (WALK | BIKE) & ~closed[barrier]
    open_ = through > 0
    half = len(stretches.a)
    stretches.a = np.concatenate([ends[:half], barrier[open_]])
    stretches.b = np.concatenate([ends[half:], copies[open_]])
    stretches.use = np.concatenate([stretches.use, through[open_].astype(np.uint8)])
    lengths = np.concatenate([lengths, np.zeros(int(open_.sum()))])
    return np.concatenate([np.arange(count), barrier]), lengths, int(((closed > 0) & (degree > 2)).sum())


def _contracted(stretches: _Stretches, lengths: Floats, keep: Bools) -> tuple[Ints, Ints, Floats, NDArray[np.uint8]]:
    """Join stretches that follow each other through nodes of no interest; return u, v, metres and use of the edges.

    A loop back to its own beginning leads nowhere and is dropped.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415 - a numeric library only networks need
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    count = len(stretches.a)
    ends = np.concatenate([stretches.a, stretches.b])
    # Use as seen when leaving the node at that end along the stretch.
    leaving = np.concatenate([stretches.use, _SWAPPED[stretches.use]])
    of = np.concatenate([np.arange(count)] * 2)
    order = np.argsort(ends, kind="stable")
    passed = order[~keep[ends[order]]].reshape(-1, 2)  # the two ends that meet at each node that may go
    change = _SWAPPED[leaving[passed[:, 0]]] != leaving[passed[:, 1]]
    keep = keep.copy()
    keep[ends[passed[change, 0]]] = True
    passed = of[passed[~change]]
    joined = coo_array((np.ones(len(passed), np.int8), (passed[:, 0], passed[:, 1])), shape=(count, count)).tocsr()
    chains, chain = connected_components(joined, directed=False)
    metres = np.bincount(chain, weights=lengths, minlength=chains)
    outer = np.flatnonzero(keep[ends])
    last = outer[np.argsort(chain[of[outer]], kind="stable")].reshape(-1, 2)  # a ring without a node kept has no ends
    u, v = ends[last[:, 0]], ends[last[:, 1]]
    real = u != v
    first = last[real, 0]
    return u[real], v[real], metres[chain[of[first]]], leaving[first]


def _large_enough(parts: Ints, u: Ints, length_m: Floats) -> Bools:
    """Tell for each connected part whether it is more than a splinter."""
    size = np.bincount(parts[parts >= 0])
    metres = np.bincount(parts[u], weights=length_m, minlength=len(size))
    return np.asarray((metres >= MIN_PART_M) | (size >= MIN_PART_SHARE * size.sum()))
