"""OpenStreetMap extracts (``.osm.pbf``, ``.osm``): the ways people walk and cycle, read by libosmium.

The file is read twice: for areas that are drawn as relations, and for ways, their nodes and the barriers on them.
"""

import contextlib
import datetime as dt
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from importers.errors import SourceError
from importers.sources.base import MAX_FILE_BYTES, Provenance, checksum
from importers.sources.osm_access import closed_by, way_use

SUFFIXES = (".osm.pbf", ".pbf", ".osm")
MAX_WAY_NODES = 60_000_000
_CRS = "EPSG:4326"
_DEGREES_PER_UNIT = 1e-7


@dataclass(slots=True)
class Streets:
    """The usable ways of an extract.

    ``refs`` holds the OSM nodes of all ways one after the other, ``start`` where each way begins in it (and, last,
    its end), ``use`` the bits of ``osm_access`` per way. ``node`` are the distinct OSM node ids in ascending order
    with ``lon`` and ``lat`` in degrees (NaN: the node is not in the file) and ``closed``, whom a barrier there stops.
    ``ferries`` are lon/lat arrays, shape (n, 2), of the ferry routes that were left out. ``as_of``: the day up to
    which the extract is complete, None where it does not say.
    """

    provenance: Provenance
    refs: NDArray[np.int64]
    start: NDArray[np.int64]
    use: NDArray[np.uint8]
    node: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    closed: NDArray[np.uint8]
    ways_read: int
    as_of: dt.date | None
    ferries: list[NDArray[np.float64]] = field(default_factory=list)


def is_osm(path: Path) -> bool:
    """Tell by its name whether a file is an OpenStreetMap extract."""
    return path.name.lower().endswith(SUFFIXES)


def read_streets(path: Path) -> Streets:
    """Read the usable ways of an extract.

    Raises ``SourceError`` with a German sentence for a file that is absent, empty, damaged, too large, no OSM data,
    or that holds no way to walk or cycle.
    """
    _require_osm_file(path)
    reader = _Reader(path)
    try:
        reader.read()
    except SourceError:
        raise
    except (RuntimeError, ValueError, OSError) as error:  # what libosmium raises for broken bytes
        raise SourceError(
            f"„{path.name}“ ist beschädigt oder keine OpenStreetMap-Datei; vielleicht wurde sie abgeschnitten. "
            "Bitte den Auszug neu herunterladen."
        ) from error
    return reader.streets()


def _require_osm_file(path: Path) -> None:
    if path.is_dir():
        raise SourceError(f"„{path.name}“ ist ein Ordner; bitte eine Datei angeben.")
    if not path.is_file():
        raise SourceError(f"Die Datei „{path.name}“ gibt es nicht.")
    try:
        with path.open("rb") as handle:
            first = handle.read(64)
    except OSError as error:
        raise SourceError(f"Die Datei „{path.name}“ lässt sich nicht öffnen ({error.strerror}).") from None
    if not first:
        raise SourceError(f"Die Datei „{path.name}“ ist leer.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise SourceError(
            f"Die Datei „{path.name}“ ist größer als {MAX_FILE_BYTES // 1024**3} GiB; bitte einen kleineren "
            "Auszug nehmen, etwa den des Bundeslands."
        )


class _Reader:
    """One reading of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._refs = array("q")
        self._start = array("q", [0])
        self._use = array("B")
        self._barriers: dict[int, int] = {}
        self._ferries: list[list[int]] = []
        self._ways_read = 0
        self._nodes: Any = None
        self._as_of: dt.date | None = None

    def read(self) -> None:
        import osmium  # noqa: PLC0415 - a C++ library only this reader needs

        areas = self._areas(osmium)
        name = str(self._path)
        # libosmium keeps the coordinates of all nodes: ways may use any of them.
        both = osmium.osm.NODE | osmium.osm.WAY
        everything = osmium.FileProcessor(name, both).with_locations()
        with contextlib.suppress(ValueError):
            self._as_of = dt.datetime.fromisoformat(everything.header.get("osmosis_replication_timestamp")).date()
        for item in everything.with_filter(osmium.filter.KeyFilter("highway", "barrier", "route")):
            if isinstance(item, osmium.osm.Node):
                closed = closed_by(item.tags)
                if closed:
                    self._barriers[item.id] = closed
            elif not isinstance(item, osmium.osm.Way):
                continue
            elif "highway" in item.tags:
                areas.pop(item.id, None)
                self._take(item, way_use(item.tags))
            elif item.tags.get("route") == "ferry" and item.tags.get("foot") != "no":
                self._ferries.append([node.ref for node in item.nodes])
        if areas:
            members = osmium.FileProcessor(name, osmium.osm.WAY).with_filter(osmium.filter.IdFilter(list(areas)))
            for way in members:
                self._take(way, areas[way.id])
        self._nodes = everything.node_location_storage

    def _areas(self, osmium: Any) -> dict[int, int]:  # noqa: ANN401 - the module
        """Return the ways that bound squares drawn as relations (id -> use): the ways themselves carry no tags."""
        relations = osmium.FileProcessor(str(self._path), osmium.osm.RELATION)
        bounds: dict[int, int] = {}
        for relation in relations.with_filter(osmium.filter.KeyFilter("highway")):
            use = way_use(relation.tags) if relation.tags.get("type") == "multipolygon" else 0
            if use:
                bounds.update((member.ref, use) for member in relation.members if member.type == "w")
        return bounds

    def _take(self, way: Any, use: int) -> None:  # noqa: ANN401 - libosmium's way
        self._ways_read += 1
        if not use:
            return
        self._refs.extend([node.ref for node in way.nodes])
        self._start.append(len(self._refs))
        self._use.append(use)
        if len(self._refs) > MAX_WAY_NODES:
            raise SourceError(
                f"„{self._path.name}“ enthält zu viele Wege für ein Netz; bitte einen kleineren Auszug nehmen."
            )

    def _places(self, nodes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return longitude and latitude of nodes, shape (n, 2); NaN where the file does not hold the node."""

        def units() -> Iterator[float]:
            for node in nodes.tolist():
                try:
                    found = self._nodes.get(node)
                except KeyError:
                    yield from (np.nan, np.nan)
                else:
                    yield from (found.x, found.y)

        flat = np.fromiter(units(), dtype=np.float64, count=2 * len(nodes))
        places = flat.reshape(-1, 2) * _DEGREES_PER_UNIT
        places[(np.abs(places) > (180, 90)).any(axis=1)] = np.nan
        return places

    def streets(self) -> Streets:
        refs = np.array(self._refs, dtype=np.int64)
        nodes = np.unique(refs)
        if not len(nodes):
            raise SourceError(f"„{self._path.name}“ enthält keine Wege, die begangen oder befahren werden können.")
        places = self._places(nodes)
        if np.isnan(places).all():
            raise SourceError(
                f"„{self._path.name}“ enthält Wege, aber keine Koordinaten dazu; der Auszug muss auch die Knoten "
                "der Wege enthalten, und zwar vor ihnen."
            )
        closed = np.array([self._barriers.get(node, 0) for node in nodes.tolist()], dtype=np.uint8)
        return Streets(
            Provenance(self._path.name, checksum(self._path), "OpenStreetMap", crs=_CRS),
            refs,
            np.array(self._start, dtype=np.int64),
            np.array(self._use, dtype=np.uint8),
            nodes,
            places[:, 0],
            places[:, 1],
            closed,
            self._ways_read,
            self._as_of,
            [self._places(np.array(route, dtype=np.int64)) for route in self._ferries],
        )
