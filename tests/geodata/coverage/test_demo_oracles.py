"""Reach and catchment of the demo city against networkx and PySAL's access, from the base tables on."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from access.fca import two_stage_fca
from access.weights import step_fn
from coverage_town import asked
from sqlalchemy import Engine, text

if TYPE_CHECKING:
    from conftest import Database

ON = dt.date(2026, 6, 1)
LOW, HIGH = 10, 18
AGES = {"age_from": LOW, "age_to": HIGH}
METRES_PER_MINUTE = {"walk": 80.0, "bike": 250.0}


def _read(engine: Engine, sql: str, **values: Any) -> pd.DataFrame:
    with engine.connect() as connection:
        return pd.read_sql(text(sql), connection, params=values)


def _graph(engine: Engine, mode: str) -> nx.DiGraph:
    """The network towards the places: each edge turned round."""
    graph = nx.DiGraph()
    edges = _read(engine, "SELECT u, v, length_m, walk, bike_forward, bike_backward FROM network_edge")
    for edge in edges.itertuples(index=False):
        forward, backward = (edge.walk, edge.walk) if mode == "walk" else (edge.bike_forward, edge.bike_backward)
        for start, end, open_ in ((edge.u, edge.v, forward), (edge.v, edge.u, backward)):
            if open_ and edge.length_m < graph.get_edge_data(end, start, {"m": np.inf})["m"]:
                graph.add_edge(end, start, m=edge.length_m)
    return graph


def _cells(engine: Engine, level: str, mode: str) -> pd.DataFrame:
    cells = _read(
        engine,
        """SELECT c.cell, s.node, s.distance_m, a.area_key
           FROM surface_cell c LEFT JOIN cell_snap s ON s.cell = c.cell AND s.mode = :mode
           LEFT JOIN surface_area a ON a.cell = c.cell AND a.level = :level ORDER BY c.cell""",
        level=level, mode=mode,
    )  # fmt: skip
    cells["people"] = _aged(engine, LOW, HIGH)
    return cells


def _places(engine: Engine, category: str, mode: str) -> pd.DataFrame:
    """The public's places with a matching offer, their nodes, and what their offers for just these ages supply."""
    return _read(
        engine,
        """SELECT o.import_id || ':' || o.facility_id AS place, s.node, s.distance_m,
                  sum(o.supply) FILTER (WHERE o.supply_unit = 'hours_per_week'
                                          AND o.service_area IS DISTINCT FROM 'citywide') AS hours
           FROM offer o JOIN dataset d ON d.current_import_id = o.import_id
           JOIN facility_snap s ON s.import_id = o.import_id AND s.facility_id = o.facility_id AND s.mode = :mode
           WHERE o.category = :category
             AND (o.age_from IS NULL OR o.age_from < :high AND (o.age_to IS NULL OR o.age_to > :low))
             AND (o.valid_from IS NULL OR o.valid_from <= :on) AND (o.valid_to IS NULL OR o.valid_to >= :on)
             AND NOT EXISTS (SELECT FROM offer other WHERE other.import_id = o.import_id
                                 AND other.facility_id = o.facility_id AND other.release <> 'public')
           GROUP BY 1, 2, 3""",
        category=category, mode=mode, low=LOW, high=HIGH, on=ON,
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["walk", "bike"])
def test_reach_by_networkx(demo_database: "Database", mode: str) -> None:
    engine = demo_database.writing
    graph, cells, places = _graph(engine, mode), _cells(engine, "stadtteil", mode), _places(engine, "okja", mode)
    graph.add_edges_from(("start", int(n), {"m": m}) for n, m in
                         places.groupby("node")["distance_m"].min().items())  # fmt: skip
    way = nx.single_source_dijkstra_path_length(graph, "start", weight="m")
    cells["m"] = [way.get(n, np.inf) + m for n, m in zip(cells["node"], cells["distance_m"], strict=True)]
    ours = asked(demo_database.serving, measure="reach", mode=mode, minutes=12, on=ON, **AGES)
    limit = 12 * METRES_PER_MINUTE[mode]
    assert len(ours) >= 104
    lost = 0.0
    for key, own in cells.groupby(cells["area_key"].fillna("ohne")):
        row = ours[str(key)]
        people = own["people"].sum()
        assert row.population == pytest.approx(people, rel=1e-9, abs=1e-9)
        assert row.reached == pytest.approx(own["people"][own["m"] <= limit].sum(), rel=1e-9, abs=1e-9)
        unconnected = own["people"][np.isinf(own["m"])].sum()
        assert row.unconnected == pytest.approx(unconnected, rel=1e-9, abs=1e-9)
        lost += unconnected
        if people > 0:
            sorted_ = own[own["people"] > 0].sort_values("m")
            half = sorted_["m"][sorted_["people"].cumsum() >= people / 2 * (1 - 1e-12)].iloc[0]
            assert row.nearest_m == (None if np.isinf(half) else pytest.approx(half, rel=1e-9))
    assert lost > 0, "the demo has cells that are cut off"


def _pairs(
    graph: nx.DiGraph, places: pd.DataFrame, cells: pd.DataFrame, limit: float
) -> Iterator[tuple[str, int, float]]:
    at = {node: own for node, own in cells.groupby("node")}
    for place in places.itertuples(index=False):
        for node, metres in nx.single_source_dijkstra_path_length(graph, place.node, cutoff=limit, weight="m").items():
            if node in at:
                for cell, snap in zip(at[node]["cell"], at[node]["distance_m"], strict=True):
                    whole = metres + snap + place.distance_m
                    if whole <= limit:
                        yield place.place, cell, whole


def _aged(engine: Engine, low: int, high: int) -> np.ndarray:
    """The residents of each cell of an age; a band that is cut counts by its years."""
    bands = _read(engine, "SELECT age_from, age_to FROM surface_band ORDER BY number").fillna(999)
    cells = _read(engine, "SELECT people FROM surface_cell ORDER BY cell")
    years = (bands["age_to"].clip(upper=high) - bands["age_from"].clip(lower=low)).clip(lower=0)
    people: np.ndarray = np.array(cells["people"].tolist()) @ (years / (bands["age_to"] - bands["age_from"])).to_numpy()
    return people


def test_catchment_by_pysal_access(demo_database: "Database") -> None:
    """Kitas' places for those of 3 to under 6: each class of ages is one run of access, and the classes add up."""
    engine, low, high = demo_database.writing, 3, 6
    graph, cells = _graph(engine, "walk"), _cells(engine, "stadtteil", "walk")
    cells["people"] = _aged(engine, low, high)
    offers = _read(
        engine,
        """SELECT o.import_id || ':' || o.facility_id AS place, s.node, s.distance_m, sum(o.supply) AS supply,
                  coalesce(o.age_from, :low) AS age_from, coalesce(o.age_to, :high) AS age_to
           FROM offer o JOIN dataset d ON d.current_import_id = o.import_id
           JOIN facility_snap s ON s.import_id = o.import_id AND s.facility_id = o.facility_id AND s.mode = 'walk'
           WHERE o.category = 'kita' AND o.supply_unit = 'places' AND o.supply IS NOT NULL
             AND o.service_area IS DISTINCT FROM 'citywide'
             AND (o.age_from IS NULL OR o.age_from < :high AND o.age_to > :low)
             AND (o.valid_from IS NULL OR o.valid_from <= :on) AND (o.valid_to IS NULL OR o.valid_to >= :on)
             AND NOT EXISTS (SELECT FROM offer other WHERE other.import_id = o.import_id
                                 AND other.facility_id = o.facility_id AND other.release <> 'public')
           GROUP BY 1, 2, 3, 5, 6""",
        on=ON, low=low, high=high,
    )  # fmt: skip
    minutes, limit = 9, 9 * METRES_PER_MINUTE["walk"]
    sites = offers.drop_duplicates("place")
    table = pd.DataFrame(_pairs(graph, sites, cells, limit), columns=["dest", "origin", "cost"])
    weight = step_fn({limit / 3: 1.0, 2 * limit / 3: 0.68, limit: 0.22})
    cells["index"] = 0.0
    for (own_low, own_high), own in offers.groupby(["age_from", "age_to"]):
        people = pd.DataFrame({"people": _aged(engine, int(own_low), int(own_high))}, index=cells["cell"].to_numpy())
        places = own.set_index("place")[["supply"]]
        found = two_stage_fca(
            people.rename_axis("geoid"), places.rename_axis("geoid"), table[table["dest"].isin(places.index)],
            max_cost=limit, demand_index=True, demand_name="people", supply_index=True, supply_name="supply",
            weight_fn=weight,
        )  # fmt: skip
        cells["index"] += 1000 * cells["cell"].map(found).fillna(0.0)
    ours = asked(demo_database.serving, categories=("kita",), measure="catchment", mode="walk", minutes=minutes,
                 age_from=low, age_to=high, on=ON)  # fmt: skip
    compared = 0
    for key, area in cells.groupby(cells["area_key"].fillna("ohne")):
        people_there = area["people"].sum()
        if people_there > 0:
            expected = (area["people"] * area["index"]).sum() / people_there
            assert ours[str(key)].access_index == pytest.approx(expected, rel=1e-9, abs=1e-9)
            compared += expected > 0
    assert compared > 50
