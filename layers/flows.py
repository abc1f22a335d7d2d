"""A map of flows from one area to the Bundesländer: arcs as wide as there are cases, the numbers beside them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import folium

from geodata.words import number
from layers.canvas import Bounds
from layers.embed import Json, call
from layers.legend import MISSING_TITLE, SUPPRESSED_TITLE, ZERO_TITLE

GERMANY: Bounds = (5.9, 47.5, 15.0, 54.9)
ABROAD = "Ausland"
UNKNOWN = "ohne Angabe"
COLOUR = "#1f6aa5"
DOT = "•"
WIDEST_PX, THINNEST_PX, SUPPRESSED_PX = 18.0, 1.5, 2.0

Side: TypeAlias = Literal["left", "right", "top", "bottom"]
FlowKind: TypeAlias = Literal["own", "flow", "zero", "missing", "suppressed"]


@dataclass(frozen=True, slots=True)
class State:
    """A Bundesland: its short name, where its capital lies (degrees), and on which side of it its label has room.

    ``down`` moves the label so many px: Potsdam and Berlin, Wiesbaden and Mainz lie side by side.
    """

    code: str
    lon: float
    lat: float
    side: Side
    down: int = 0


STATES: Mapping[str, State] = MappingProxyType(
    {
        "Baden-Württemberg": State("BW", 9.18, 48.78, "bottom"),
        "Bayern": State("BY", 11.58, 48.14, "bottom"),
        "Berlin": State("BE", 13.40, 52.52, "right", -7),
        "Brandenburg": State("BB", 13.06, 52.40, "right", 12),
        "Bremen": State("HB", 8.80, 53.08, "left"),
        "Hamburg": State("HH", 10.00, 53.55, "left"),
        "Hessen": State("HE", 8.24, 50.08, "right", -3),
        "Mecklenburg-Vorpommern": State("MV", 11.41, 53.63, "right"),
        "Niedersachsen": State("NI", 9.73, 52.37, "left"),
        "Nordrhein-Westfalen": State("NW", 6.78, 51.23, "bottom"),
        "Rheinland-Pfalz": State("RP", 8.27, 50.00, "left", 5),
        "Saarland": State("SL", 6.99, 49.24, "bottom"),
        "Sachsen": State("SN", 13.74, 51.05, "bottom"),
        "Sachsen-Anhalt": State("ST", 11.63, 52.13, "bottom"),
        "Schleswig-Holstein": State("SH", 10.13, 54.32, "top"),
        "Thüringen": State("TH", 11.03, 50.98, "bottom"),
    }
)


@dataclass(frozen=True, slots=True)
class Flow:
    """How many cases go to a Bundesland, to "Ausland" or "ohne Angabe"; None is missing, or suppressed if so said."""

    state: str
    cases: int | None
    suppressed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class DrawnFlow:
    """A flow ready to be drawn: what it is, how wide its arc (0: none), its number as text and its whole sentence."""

    state: str
    kind: FlowKind
    width_px: float
    text: str
    sentence: str


def flows_of(by_state: Mapping[str, int | None]) -> list[Flow]:
    """Return a flow for each of the 16 Länder and what else is named; None is suppressed, an absent Land has none."""
    names = [*STATES, *(name for name in by_state if name not in STATES)]
    return [Flow(name, by_state.get(name, 0), name in by_state and by_state[name] is None) for name in names]


def drawn_flows(flows: Sequence[Flow], home_state: str, unit: str, one: str = "") -> list[DrawnFlow]:
    """Return the flows in their order with width and words; the home state's is the origin and has no arc.

    ``unit``: what is counted ("Hilfen"), ``one``: a single one ("Hilfe"), where that is another word.
    Widths are in proportion to cases, the largest 18 px, none under 1.5 px; a suppressed one is 2 px whatever it hides.
    Raises ValueError for a home state or a flow that is none of the Länder, "Ausland" or "ohne Angabe".
    """
    for name in (home_state, *(flow.state for flow in flows)):
        if name not in STATES and (name == home_state or name not in {ABROAD, UNKNOWN}):
            raise ValueError(f"not a Bundesland: {name!r}")
    seen = [flow.cases or 0 for flow in flows if not flow.suppressed and flow.state in STATES.keys() - {home_state}]
    return [_drawn(flow, home_state, (one or unit, unit), max(seen, default=0)) for flow in flows]


def _drawn(flow: Flow, home_state: str, units: tuple[str, str], most: int) -> DrawnFlow:
    width = 0.0
    kind: FlowKind
    if flow.suppressed:
        kind, width, text, said = "suppressed", SUPPRESSED_PX, DOT, SUPPRESSED_TITLE
    elif flow.cases is None:
        kind, text, said = "missing", "k. A.", MISSING_TITLE
    else:
        kind = "flow" if flow.cases else "zero"
        text = number(flow.cases) if flow.cases else ZERO_TITLE
        said = f"{text} {units[flow.cases != 1]}".strip()
        width = max(THINNEST_PX, WIDEST_PX * flow.cases / most) if flow.cases and most else 0.0
    if flow.state == home_state:
        width = 0.0
        kind = "own" if kind == "flow" else kind
    elif flow.state not in STATES:
        width = 0.0
    return DrawnFlow(flow.state, kind, round(width, 1), text, ", ".join(filter(None, (said, flow.note))))


def bend(home_state: str, state: str) -> tuple[float, float]:
    """Return the point (lon, lat) an arc between two capitals bends to, a third of its length left of its middle.

    It is the control point of a quadratic curve, in Mercator's projection.
    """
    (x0, y0), (x1, y1) = (_mercator(STATES[name]) for name in (home_state, state))
    x, y = (x0 + x1) / 2 - (y1 - y0) / 3, (y0 + y1) / 2 + (x1 - x0) / 3
    return round(math.degrees(x), 4), round(math.degrees(2 * math.atan(math.exp(y)) - math.pi / 2), 4)


def _mercator(state: State) -> tuple[float, float]:
    lat = math.radians(state.lat)
    return math.radians(state.lon), math.log(math.tan(math.pi / 4 + lat / 2))


def flow_legend(flows: Sequence[DrawnFlow], unit: str, one: str = "") -> list[tuple[str, str]]:
    """Return what the lines of a flow map mean as (kind, text): the widths, then zero, missing and suppressed.

    ``unit``, ``one``: see ``drawn_flows``.
    """
    most = max(flows, key=lambda flow: flow.width_px if flow.kind == "flow" else 0.0, default=None)
    lines = []
    if most is not None and most.kind == "flow" and most.width_px:
        lines.append(("flow", f"so breit: {most.text} {(one or unit) if most.text == '1' else unit}".rstrip()))
    return [
        *lines,
        ("zero", f"kein Bogen: {ZERO_TITLE}"),
        ("missing", f"k. A.: {MISSING_TITLE}"),
        ("suppressed", f"{DOT} {SUPPRESSED_TITLE}"),
    ]


def add_flows(
    target: folium.Map,
    flows: Sequence[Flow],
    *,
    home_state: str,
    title: str,
    unit: str,
    urls: Mapping[str, str],
    origin: str = "",
    one: str = "",
) -> None:
    """Add the flows from the home state to a map of GERMANY; ``origin`` names the area they come from.

    ``unit`` is what is counted ("Hilfen"), ``one`` a single one, where that is another word. "Ausland" and "ohne
    Angabe" stand beside the map, the home state's own cases at the origin. A suppressed flow is a dashed arc of
    constant width with "•", none has no arc.
    Rows of tables with ``data-area-key`` of a Land's name and its arc highlight each other, as in a choropleth.
    """
    drawn = drawn_flows(flows, home_state, unit, one)
    home = STATES[home_state]
    places: list[Json] = []
    beside: list[Json] = []
    # Wide arcs first, so that a narrow one is never hidden below.
    for flow in sorted(drawn, key=lambda one: -one.width_px):
        entry: dict[str, Json] = {
            "name": flow.state, "kind": flow.kind, "width": flow.width_px, "text": flow.text, "sentence": flow.sentence
        }  # fmt: skip
        if flow.state in STATES:
            state = STATES[flow.state]
            lon, lat = bend(home_state, flow.state)
            place: dict[str, Json] = {"code": state.code, "at": [state.lat, state.lon], "side": state.side}
            places.append(entry | place | {"down": state.down, "bend": [lat, lon] if flow.width_px else None})
        else:
            beside.append(entry)
    call(
        target,
        "flows",
        {
            "title": title,
            "unit": unit,
            "colour": COLOUR,
            "home": {"name": home_state, "at": [home.lat, home.lon], "origin": origin or home_state},
            "places": places,
            "beside": beside,
            "legend": [{"kind": kind, "title": text} for kind, text in flow_legend(drawn, unit, one)],
            "widest": WIDEST_PX,
            "bounds": GERMANY,
        },
        scripts=[("srk-roving", urls["srk-roving.js"]), ("srk-flows", urls["srk-flows.js"])],
    )
