"""How far people have to go: which mode, over which network, and what has no connection to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.coverage.frame import Frame
from geodata.coverage.people import NOWHERE, Floats, Ints, People
from geodata.coverage.places import Places, Spots, read_spots
from geodata.coverage.request import CoverageRequest, Mode, without_network
from geodata.coverage.travel import LineTravel, NetworkTravel, Travel
from geodata.errors import ConflictError
from geodata.network import Graph, graph_for

_NAMED = 5


@dataclass(frozen=True)
class Ways:
    """The ways from the cells of the surface to the exact places (``spots``, in their order), in metres."""

    mode: Mode
    travel: Travel
    spots: Spots
    graph: Graph | None = None
    cell_node: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def mode_of(session: Session, mode: Mode | None, sentence: str) -> tuple[Mode, Graph | None]:
    """Return the mode to go by and its network: what is asked for, else walking where there is a network.

    Raises ``ConflictError`` with this sentence where a network is asked for and none is loaded.
    """
    if mode == "line":
        return mode, None
    graph = graph_for(session, mode or "walk")
    if graph is not None:
        return mode or "walk", graph
    if mode is not None:
        raise ConflictError(sentence)
    return "line", None


def ways_of(session: Session, request: CoverageRequest, people: People, places: Places) -> Ways:
    """Return the ways of a request. Raises ``ConflictError`` where the network asked for is not loaded."""
    mode, graph = mode_of(session, request.mode, without_network(request.pace))
    spots = read_spots(session, places, mode)
    if graph is None:
        return Ways(mode, LineTravel(people.xy, spots.xy, request.pace.detour_factor), spots)
    node, metres = people.snaps(session, mode)
    return Ways(mode, NetworkTravel(graph, node, metres, spots.node, spots.metres), spots, graph, node)


def warnings(
    session: Session, ways: Ways, residents: Floats, metres: Floats, frame: Frame, places: Places
) -> Iterator[str]:
    """Yield what has no connection: cells with their residents and areas, places by name; and places without point."""
    yield from without_point(ways, places)
    if len(ways.spots.number):
        yield from _lonely_cells(frame, residents, np.isinf(metres) & (residents > 0))
    if ways.graph is not None:
        yield from _lonely_places(session, ways, places, residents)


def without_point(ways: Ways, places: Places) -> Iterator[str]:
    """Yield how many places take no part because their point is not known, or not shown to this viewer."""
    hidden = len(places.keys) - len(ways.spots.number)
    if hidden:
        yield (
            f"{words.counted(hidden, 'Eine Einrichtung', 'Einrichtungen')} ohne gezeigten Standort "
            f"{'nimmt' if hidden == 1 else 'nehmen'} an Wegen nicht teil."
        )


def _lonely_cells(frame: Frame, residents: Floats, lonely: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterator[str]:
    cells = int(lonely.sum())
    if not cells:
        return
    people = words.number(float(residents[lonely].sum()))
    owner = np.unique(frame.cells[lonely])
    names = [frame.names[i] for i in owner.tolist() if i != NOWHERE]
    where = f" in {words.listed(names, _NAMED)}" if names else ""
    yield (
        f"{words.counted(cells, 'Ein bewohnter Punkt', 'bewohnte Punkte')} der Karte ({people} Personen{where}) "
        f"{'hat' if cells == 1 else 'haben'} über das Wegenetz keine Verbindung zu einer Einrichtung."
    )


def _lonely_places(session: Session, ways: Ways, places: Places, residents: Floats) -> Iterator[str]:
    """Name the places in parts of the network in which none of the residents live."""
    assert ways.graph is not None  # noqa: S101 - the caller has looked
    homes = ways.cell_node[(residents > 0) & (ways.cell_node >= 0)]
    parts = np.unique(ways.graph.component[homes])
    node = ways.spots.node
    lonely = ways.spots.number[(node < 0) | ~np.isin(ways.graph.component[node], parts)]
    if not len(lonely):
        return
    keys = [places.keys[i] for i in lonely.tolist()]
    names = session.execute(
        text("""
            SELECT name FROM place_visible WHERE (import_id, facility_id) IN (
                SELECT * FROM unnest(CAST(:imports AS integer[]), CAST(:ids AS text[]))) ORDER BY name, facility_id
        """),
        {"imports": [key[0] for key in keys], "ids": [key[1] for key in keys]},
    ).scalars()
    yield (f"Über das Wegenetz nicht zu erreichen: {words.listed(list(names), _NAMED)}.")
