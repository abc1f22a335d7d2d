"""Invented Sozialräume: connected groups of statistische Gebiete inside one Bezirk, not bound to Stadtteil borders."""

import heapq
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from shapely import MultiPolygon

from importers.demo.dice import apportion

COUNT = 60
"""Number of Sozialräume in the whole city."""

_LEAST_PER_BEZIRK = 4
_BORDER_COST = 2.0
_ROUNDS = 3

Graph = dict[str, list[tuple[str, float]]]


def sozialraeume(cells: Mapping[str, MultiPolygon], residents: Mapping[str, int]) -> dict[str, list[str]]:
    """Return the keys of the Gebiete of each Sozialraum ("S101" is the first one of Bezirk "1").

    Both inputs are keyed by statistisches Gebiet, whose third digit is the Bezirk. Gebiete without a connection to
    the rest of their Bezirk (Neuwerk) join the Sozialraum of the nearest Gebiet.
    """
    graph = _graph(cells)
    bezirke = sorted({key[2] for key in cells})
    people = [sum(count for key, count in residents.items() if key[2] == bezirk) for bezirk in bezirke]
    extra = apportion(COUNT - _LEAST_PER_BEZIRK * len(bezirke), people)
    result: dict[str, list[str]] = {}
    for bezirk, more in zip(bezirke, extra, strict=True):
        members = [key for key in cells if key[2] == bezirk]
        groups = _groups(members, _LEAST_PER_BEZIRK + more, graph, cells)
        result |= {f"S{bezirk}{number:02d}": group for number, group in enumerate(groups, start=1)}
    return result


def _graph(cells: Mapping[str, MultiPolygon]) -> Graph:
    """Link Gebiete of one Bezirk that share a border; the cost is about 1 per cell, more across Stadtteil borders."""
    keys = list(cells)
    shapes = np.array(list(cells.values()), dtype=object)
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    width = np.sqrt(shapely.area(shapes))
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    border = shapely.length(shapely.intersection(shapes[left], shapes[right]))
    graph: Graph = {key: [] for key in keys}
    for a, b in np.column_stack([left, right])[border > 0].tolist():
        if a == b or keys[a][2] != keys[b][2]:
            continue
        cost = 2 * float(np.hypot(*(middle[a] - middle[b]))) / float(width[a] + width[b])
        graph[keys[a]].append((keys[b], cost if keys[a][:5] == keys[b][:5] else cost * _BORDER_COST))
    return graph


def _groups(members: Sequence[str], count: int, graph: Graph, cells: Mapping[str, MultiPolygon]) -> list[list[str]]:
    seeds = _scattered(members, count, graph)
    for _ in range(_ROUNDS):
        owner = _grown(seeds, graph)
        seeds = [_middle([key for key in owner if owner[key] == seed], cells) for seed in seeds]
    owner = _grown(seeds, graph)
    reached = list(owner)
    for key in members:
        if key not in owner:
            away = shapely.distance(cells[key], [cells[other] for other in reached])
            owner[key] = owner[reached[int(np.argmin(away))]]
    groups = [sorted(key for key in members if owner[key] == seed) for seed in seeds]
    return sorted(groups)


def _scattered(members: Sequence[str], count: int, graph: Graph) -> list[str]:
    """Return Gebiete that lie far from each other, starting with the first one."""
    seeds = [members[0]]
    while len(seeds) < count:
        costs = _costs(seeds, graph)
        seeds.append(max(sorted(costs), key=lambda key: costs[key][0]))
    return seeds


def _grown(seeds: Sequence[str], graph: Graph) -> dict[str, str]:
    return {key: seed for key, (_, seed) in sorted(_costs(seeds, graph).items())}


def _costs(seeds: Sequence[str], graph: Graph) -> dict[str, tuple[float, str]]:
    """Return for each Gebiet that can be reached the lowest cost and the seed it is reached from (Dijkstra)."""
    done: dict[str, tuple[float, str]] = {}
    queue = [(0.0, seed, seed) for seed in sorted(seeds)]
    while queue:
        cost, key, seed = heapq.heappop(queue)
        if key in done:
            continue
        done[key] = (cost, seed)
        for other, step in graph[key]:
            if other not in done:
                heapq.heappush(queue, (cost + step, other, seed))
    return done


def _middle(group: Sequence[str], cells: Mapping[str, MultiPolygon]) -> str:
    """Return the Gebiet nearest to the mean of the group's centroids."""
    points = shapely.get_coordinates(shapely.centroid([cells[key] for key in group]))
    away = np.hypot(*(points - points.mean(axis=0)).T)
    return group[int(np.argmin(away))]
