"""Flows to the Bundesländer: widths in proportion, suppressed and none told apart, nothing hidden."""

import json
import math
import re
from typing import Any

import pytest
from number_maps import HOSTILE, URLS

from geodata.tables import STATES as LAENDER
from layers.canvas import canvas, parts
from layers.flows import (
    GERMANY,
    STATES,
    SUPPRESSED_PX,
    THINNEST_PX,
    WIDEST_PX,
    Flow,
    add_flows,
    bend,
    drawn_flows,
    flow_legend,
    flows_of,
)

CASES = {"Hamburg": 412, "Schleswig-Holstein": 180, "Niedersachsen": 90, "Bayern": 1, "Berlin": None, "Ausland": 4}


def rendered(**given: Any) -> Any:
    target = canvas(GERMANY, urls=URLS, tiles=None, attribution="")
    flows = given.pop("flows", flows_of(CASES))
    add_flows(target, flows, home_state="Hamburg", title="T", unit="Hilfen", urls=URLS, **given)
    found = re.search(r'srkMap\.flows\("map_sozialraumkarte", (.*)\);', parts(target).script)
    assert found
    return json.loads(found[1])


def test_all_laender_are_known_and_inside_the_map() -> None:
    assert set(STATES) == set(LAENDER)
    west, south, east, north = GERMANY
    assert all(west < state.lon < east and south < state.lat < north for state in STATES.values())
    assert len({state.code for state in STATES.values()}) == 16


def test_widths_are_in_proportion() -> None:
    width = {flow.state: flow.width_px for flow in drawn_flows(flows_of(CASES), "Hamburg", "Hilfen")}
    assert width["Schleswig-Holstein"] == WIDEST_PX
    assert width["Niedersachsen"] == WIDEST_PX / 2
    assert width["Bayern"] == THINNEST_PX
    assert width["Berlin"] == SUPPRESSED_PX
    assert width["Hamburg"] == width["Hessen"] == width["Ausland"] == 0


def test_a_suppressed_flow_says_nothing_of_what_it_hides() -> None:
    small, large = (
        drawn_flows([Flow("Berlin", cases, suppressed=True), Flow("Bayern", 10)], "Hamburg", "Hilfen")
        for cases in (1, 4711)
    )
    assert small == large
    assert small[0].text == "•"
    assert small[0].kind == "suppressed"


def test_zero_missing_and_suppressed_differ_and_are_named() -> None:
    drawn = drawn_flows([Flow("Berlin", 0), Flow("Bayern", None), Flow("Hessen", None, True)], "Hamburg", "Hilfen")
    assert [(flow.kind, flow.text, flow.sentence) for flow in drawn] == [
        ("zero", "0", "0 Hilfen"), ("missing", "k. A.", "keine Angabe"), ("suppressed", "•", "unterdrückt"),
    ]  # fmt: skip
    assert [kind for kind, _ in flow_legend(drawn, "Hilfen")] == ["zero", "missing", "suppressed"]
    assert ("flow", "so breit: 180 Hilfen") in flow_legend(drawn_flows(flows_of(CASES), "Hamburg", "Hilfen"), "Hilfen")


def test_one_case_is_said_as_one() -> None:
    drawn = drawn_flows(flows_of({"Bayern": 1, "Hessen": 0, "Ausland": 2}), "Hamburg", "Fälle", "Fall")
    said = {flow.state: flow.sentence for flow in drawn}
    assert (said["Bayern"], said["Hessen"], said["Ausland"]) == ("1 Fall", "0 Fälle", "2 Fälle")
    assert ("flow", "so breit: 1 Fall") in flow_legend(drawn, "Fälle", "Fall")
    data = rendered(flows=flows_of({"Bayern": 1}), one="Hilfe")
    assert [place["sentence"] for place in data["places"] if place["name"] == "Bayern"] == ["1 Hilfe"]
    assert "so breit: 1 Hilfe" in {entry["title"] for entry in data["legend"]}


def test_no_flow_at_all_has_no_arc() -> None:
    assert all(flow.width_px == 0 for flow in drawn_flows(flows_of({"Hamburg": 3}), "Hamburg", "Hilfen"))


def test_arcs_bend_to_their_left_by_a_sixth() -> None:
    for state in STATES.keys() - {"Hamburg"}:
        points = [_mercator(STATES["Hamburg"].lon, STATES["Hamburg"].lat), _mercator(*bend("Hamburg", state)),
                  _mercator(STATES[state].lon, STATES[state].lat)]  # fmt: skip
        (x0, y0), (x1, y1), (x2, y2) = points
        long = math.hypot(x2 - x0, y2 - y0)
        left = ((x2 - x0) * (y1 - y0) - (y2 - y0) * (x1 - x0)) / long
        # The control point is a third of the length away, so the curve itself half of that.
        assert left == pytest.approx(long / 3, rel=2e-3)


def _mercator(lon: float, lat: float) -> tuple[float, float]:
    return math.radians(lon), math.asinh(math.tan(math.radians(lat)))


def test_abroad_and_unknown_stand_beside_the_map() -> None:
    data = rendered(flows=flows_of({**CASES, "ohne Angabe": None}), origin=HOSTILE)
    assert [entry["name"] for entry in data["beside"]] == ["Ausland", "ohne Angabe"]
    assert len(data["places"]) == 16
    assert sum(place["bend"] is not None for place in data["places"]) == 4
    assert data["home"]["origin"] == HOSTILE


@pytest.mark.parametrize(("home", "state"), [("Bremerhaven", "Bayern"), ("Hamburg", "Utopia"), ("Ausland", "Bayern")])
def test_an_unknown_land_is_refused(home: str, state: str) -> None:
    with pytest.raises(ValueError, match="not a Bundesland"):
        drawn_flows([Flow(state, 1)], home, "Hilfen")
