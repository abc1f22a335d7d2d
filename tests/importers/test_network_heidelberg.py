"""Heidelberg's streets and paths: the digested network against the undigested map, networkx being the judge."""

import itertools
import random
from pathlib import Path

import networkx as nx
import numpy as np
import osmium
import pytest
from numpy.typing import NDArray
from pyproj import Geod

from geodata.network import parts_of
from importers.kinds.network_graph import Network, graph_of
from importers.report import Report
from importers.sources.osm import read_streets
from importers.sources.osm_access import BACKWARD, BIKE, FORWARD, WALK, closed_by, way_use

HEIDELBERG = Path(__file__).resolve().parents[3] / "shared" / "data" / "netz" / "heidelberg.osm.pbf"
WGS84 = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def heidelberg() -> tuple[Network, Report]:
    if not HEIDELBERG.exists():
        pytest.skip("shared/data is absent")
    report = Report("network", "network", "")
    return graph_of(read_streets(HEIDELBERG), report), report


def walk_parts(network: Network) -> NDArray[np.int64]:
    walk = (network.use & WALK) > 0
    return parts_of(network.u[walk], network.v[walk], len(network.xy))


def test_heidelberg_has_about_26700_nodes_on_foot(heidelberg: tuple[Network, Report]) -> None:
    network, _report = heidelberg
    walked = int((walk_parts(network) >= 0).sum())
    assert abs(walked - 26_700) < 300


def test_parts_are_what_networkx_finds(heidelberg: tuple[Network, Report]) -> None:
    network, _report = heidelberg
    walk = (network.use & WALK) > 0
    graph = nx.Graph(zip(network.u[walk].tolist(), network.v[walk].tolist(), strict=True))
    part = walk_parts(network)
    expected = sorted(nx.connected_components(graph), key=lambda nodes: (-len(nodes), min(nodes)))
    assert [set(np.flatnonzero(part == i).tolist()) for i in range(len(expected))] == expected
    assert set(np.flatnonzero(part < 0).tolist()) == set(range(len(network.xy))) - set(graph)


def raw_graph(mode: int) -> "nx.DiGraph[int]":
    """Every stretch of every open way, node by node, straight from the file; closed barriers between two are gone."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    stretches: nx.Graph[int] = nx.Graph()
    closed = set()
    everything = osmium.FileProcessor(str(HEIDELBERG), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for item in everything.with_filter(osmium.filter.KeyFilter("highway", "barrier")):
        if isinstance(item, osmium.osm.Node):
            if closed_by(item.tags) & mode:
                closed.add(item.id)
        elif isinstance(item, osmium.osm.Way) and (use := way_use(item.tags)):
            nodes = [(node.ref, node.lon, node.lat) for node in item.nodes]
            for (a, *at), (b, *to) in itertools.pairwise(nodes):
                metres = WGS84.inv(*at, *to)[2]
                stretches.add_edge(a, b)
                if use & (WALK if mode == WALK else FORWARD):
                    graph.add_edge(a, b, metres=metres)
                if use & (WALK if mode == WALK else BACKWARD):
                    graph.add_edge(b, a, metres=metres)
    graph.remove_nodes_from([node for node in closed if node in graph and stretches.degree(node) == 2])
    return graph


@pytest.mark.parametrize("mode", [WALK, BIKE])
def test_shortest_ways_are_those_of_the_undigested_map(heidelberg: tuple[Network, Report], mode: int) -> None:
    network, _report = heidelberg
    assert network.osm_id is not None
    raw = raw_graph(mode)
    ours: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    columns = (column.tolist() for column in (network.u, network.v, network.length_m, network.use))
    for u, v, metres, use in zip(*columns, strict=True):
        if use & (WALK if mode == WALK else FORWARD):
            ours.add_edge(u, v, metres=metres)
        if use & (WALK if mode == WALK else BACKWARD):
            ours.add_edge(v, u, metres=metres)
    single = {osm: i for i, osm in enumerate(network.osm_id.tolist())}
    twice = {osm for osm, count in zip(*np.unique(network.osm_id, return_counts=True), strict=True) if count > 1}
    chance = random.Random(7)  # noqa: S311
    candidates = sorted(osm for osm, i in single.items() if i in ours and osm not in twice and osm in raw)
    compared = 0
    for start in chance.sample(candidates, 6):
        expected = nx.single_source_dijkstra_path_length(raw, start, cutoff=6000, weight="metres")
        found = nx.single_source_dijkstra_path_length(ours, single[start], cutoff=6000, weight="metres")
        for osm in candidates:
            near = expected.get(osm, 7000)
            if near < 5999:
                assert found[single[osm]] == pytest.approx(near, abs=1e-3), (start, osm)
                compared += 1
            elif near > 6001:
                assert found.get(single[osm], 7000) > 5999
    assert compared > 2000
