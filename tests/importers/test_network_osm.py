"""Ways of OpenStreetMap as pedestrians and cyclists meet them, drawn by hand, rule by rule; and broken files."""

import contextlib
import random
from pathlib import Path

import numpy as np
import osmium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from osm_files import Drawing, Tags, grid

from geodata.network import parts_of
from importers.errors import MappingError, SourceError
from importers.kinds.network_graph import MAX_STRETCH_M, Network, graph_of
from importers.report import Report
from importers.sources.osm import read_streets
from importers.sources.osm_access import BACKWARD, BIKE, FORWARD, WALK

BOTH = WALK | BIKE


def read(path: Path) -> tuple[Network, Report]:
    report = Report("network", "network", path.name)
    return graph_of(read_streets(path), report), report


def drawn(drawing: Drawing, folder: Path) -> tuple[Network, Report]:
    return read(drawing.save(folder / "ort.osm"))


def edges(network: Network) -> set[tuple[int, int, int]]:
    """Return the edges as (OSM node, OSM node, use), each from the lower node to the higher."""
    assert network.osm_id is not None
    found = set()
    for u, v, use in zip(network.osm_id[network.u], network.osm_id[network.v], network.use.tolist(), strict=True):
        swapped = (use & WALK) | (FORWARD if use & BACKWARD else 0) | (BACKWARD if use & FORWARD else 0)
        found.add((int(u), int(v), use) if u < v else (int(v), int(u), swapped))
    return found


RULES: list[tuple[Tags, int]] = [
    # every street, both ways
    ({"highway": "residential"}, BOTH),
    ({"highway": "primary", "sidewalk": "no"}, BOTH),
    ({"highway": "residential", "sidewalk": "separate"}, BOTH),
    ({"highway": "service", "access": "destination"}, BOTH),
    ({"highway": "track", "access": "agricultural"}, WALK),
    ({"highway": "track", "vehicle": "agricultural;forestry"}, WALK),
    ({"highway": "track", "motor_vehicle": "no"}, BOTH),
    ({"highway": "path"}, BOTH),
    # what is for one of the two
    ({"highway": "steps"}, WALK),
    ({"highway": "steps", "bicycle": "yes"}, WALK),
    ({"highway": "footway"}, WALK),
    ({"highway": "footway", "bicycle": "yes"}, BOTH),
    ({"highway": "pedestrian"}, WALK),
    ({"highway": "corridor"}, WALK),
    ({"highway": "cycleway"}, BIKE),
    ({"highway": "cycleway", "foot": "designated"}, BOTH),
    ({"highway": "cycleway", "segregated": "yes"}, BOTH),
    ({"highway": "bridleway"}, 0),
    ({"highway": "bridleway", "foot": "yes"}, WALK),
    # motor traffic only
    ({"highway": "motorway"}, 0),
    ({"highway": "motorway_link", "foot": "yes"}, 0),
    ({"highway": "trunk"}, 0),
    ({"highway": "trunk", "sidewalk": "right"}, WALK),
    ({"highway": "trunk", "foot": "yes", "bicycle": "yes"}, BOTH),
    ({"highway": "primary", "motorroad": "yes"}, 0),
    # tags of access: the mode's own wins
    ({"highway": "service", "access": "private"}, 0),
    ({"highway": "service", "access": "no"}, 0),
    ({"highway": "service", "access": "no", "foot": "yes"}, WALK),
    ({"highway": "service", "access": "no", "foot": "designated"}, WALK),
    ({"highway": "service", "access": "private", "foot": "permissive", "bicycle": "permissive"}, BOTH),
    ({"highway": "service", "access": "private", "vehicle": "destination"}, BIKE),
    ({"highway": "residential", "foot": "no"}, BIKE),
    ({"highway": "residential", "foot": "use_sidepath"}, BIKE),
    ({"highway": "residential", "bicycle": "no"}, WALK),
    ({"highway": "residential", "bicycle": "use_sidepath"}, WALK),
    ({"highway": "path", "bicycle": "dismount"}, WALK),
    ({"highway": "path", "foot": "private"}, BIKE),
    ({"highway": "path", "access": "no", "bicycle": "yes"}, BIKE),
    ({"highway": "residential", "access": "fine_gravel"}, BOTH),
    # one way only for bicycles
    ({"highway": "residential", "oneway": "yes"}, WALK | FORWARD),
    ({"highway": "residential", "oneway": "-1"}, WALK | BACKWARD),
    ({"highway": "residential", "oneway": "no"}, BOTH),
    ({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}, BOTH),
    ({"highway": "residential", "oneway": "yes", "cycleway": "opposite_lane"}, BOTH),
    ({"highway": "residential", "oneway": "yes", "cycleway:left": "lane", "cycleway:left:oneway": "-1"}, BOTH),
    ({"highway": "residential", "oneway:bicycle": "yes"}, WALK | FORWARD),
    ({"highway": "residential", "oneway": "yes", "oneway:bicycle": "-1"}, WALK | BACKWARD),
    ({"highway": "tertiary", "junction": "roundabout"}, WALK | FORWARD),
    ({"highway": "tertiary", "junction": "roundabout", "oneway": "no"}, BOTH),
    ({"highway": "footway", "oneway": "yes"}, WALK),
    # not there yet, or no way
    ({"highway": "construction", "foot": "yes"}, 0),
    ({"highway": "proposed"}, 0),
    ({"highway": "street_lamp"}, 0),
    ({"railway": "tram"}, 0),
    ({"route": "ferry", "foot": "yes"}, 0),
]


def test_ways_are_open_to_whom_their_tags_say(tmp_path: Path) -> None:
    drawing = Drawing()
    for i, (tags, _use) in enumerate(RULES):
        drawing.node(2 * i + 1, 0, 10 * i)
        drawing.node(2 * i + 2, 50, 10 * i)
        drawing.way(i + 1, [2 * i + 1, 2 * i + 2], tags)
    network, _report = drawn(drawing, tmp_path)
    found = {(u - 1) // 2: use for u, _v, use in edges(network)}
    wrong = [
        (tags, use, found.get(i, 0)) for i, (tags, use) in enumerate(RULES) if found.get(i, 0) != use
    ]  # fmt: skip
    assert not wrong
    assert len(found) == sum(use > 0 for _tags, use in RULES)


BARRIERS: list[tuple[Tags, int]] = [
    # (tags of the node, whom it stops)
    ({}, 0),
    ({"barrier": "bollard"}, 0),
    ({"barrier": "bollard", "access": "no"}, 0),
    ({"barrier": "bollard", "foot": "no"}, WALK),
    ({"barrier": "lift_gate", "access": "private"}, 0),
    ({"barrier": "cycle_barrier"}, 0),
    ({"barrier": "gate"}, 0),
    ({"barrier": "gate", "access": "yes"}, 0),
    ({"barrier": "gate", "access": "private"}, BOTH),
    ({"barrier": "gate", "access": "no"}, BOTH),
    ({"barrier": "gate", "access": "no", "foot": "yes"}, BIKE),
    ({"barrier": "gate", "access": "private", "foot": "permissive", "bicycle": "permissive"}, 0),
    ({"barrier": "gate", "locked": "yes"}, BOTH),
    ({"barrier": "gate", "locked": "yes", "foot": "yes"}, BIKE),
    ({"barrier": "gate", "foot": "no"}, WALK),
    ({"barrier": "wall"}, BOTH),
    ({"barrier": "fence"}, BOTH),
    ({"barrier": "fence", "foot": "yes"}, BIKE),
    ({"barrier": "fence", "access": "yes"}, 0),
    ({"barrier": "stile"}, BIKE),
    ({"barrier": "turnstile", "bicycle": "yes"}, 0),
    ({"barrier": "kerb"}, 0),
    ({"barrier": "yes"}, 0),
    ({"highway": "crossing"}, 0),
]


def test_barriers_stop_whom_they_stop(tmp_path: Path) -> None:
    drawing = Drawing()
    for i, (tags, _closed) in enumerate(BARRIERS):
        for k in range(3):
            drawing.node(3 * i + k + 1, 40 * k, 10 * i, **(tags if k == 1 else {}))
        drawing.way(i + 1, [3 * i + 1, 3 * i + 2, 3 * i + 3], highway="residential")
    network, report = drawn(drawing, tmp_path)
    assert network.osm_id is not None
    # A barrier has a node on either side, so an OSM node may stand for two: its ends are what counts.
    at = {int(osm): i for i, osm in enumerate(network.osm_id) if osm % 3 != 2}
    for i, (tags, closed) in enumerate(BARRIERS):
        for mode in (WALK, BIKE):
            open_ = (network.use & mode) > 0
            part = parts_of(network.u[open_], network.v[open_], len(network.xy))
            passes = part[at[3 * i + 1]] == part[at[3 * i + 3]]
            assert passes == (not closed & mode), (tags, mode)
    assert report.counts["Sperren auf Wegen"] == sum(closed > 0 for _tags, closed in BARRIERS)
    assert network.length_m.sum() == pytest.approx(80 * len(BARRIERS), rel=1e-3)


def test_a_barrier_where_ways_meet_closes_none_of_them(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.node(1, 0, 0)
    drawing.node(2, 50, 0, barrier="gate", locked="yes")
    drawing.node(3, 100, 0)
    drawing.node(4, 50, 50)
    drawing.way(1, [1, 2, 3], highway="residential")
    drawing.way(2, [2, 4], highway="footway")
    network, report = drawn(drawing, tmp_path)
    assert edges(network) == {(1, 2, BOTH), (2, 3, BOTH), (2, 4, WALK)}
    assert any("Sperren an Kreuzungen" in finding.reason for finding in report.findings)


def test_what_lies_between_junctions_is_one_edge_of_its_whole_length(tmp_path: Path) -> None:
    drawing = Drawing()
    corners = [(0, 0), (60, 0), (60, 70), (120, 70), (180, 70), (180, 0)]
    for number, (x, y) in enumerate(corners, start=1):
        drawing.node(number, x, y)
    drawing.way(1, [1, 2, 3], highway="residential")
    drawing.way(2, [5, 4, 3], highway="residential")  # against the first, and still one stretch
    drawing.way(3, [5, 6], highway="footway")  # from here on no bicycles
    network, _report = drawn(drawing, tmp_path)
    assert edges(network) == {(1, 5, BOTH), (5, 6, WALK)}
    assert network.osm_id is not None
    ends = zip(network.osm_id[network.u].tolist(), network.osm_id[network.v].tolist(), strict=True)
    lengths = dict(zip(map(frozenset, ends), network.length_m.tolist(), strict=True))
    # The ellipsoid is 0.04 % longer than the map's metres here.
    assert lengths[frozenset({1, 5})] == pytest.approx(250, rel=1e-3)
    assert lengths[frozenset({5, 6})] == pytest.approx(70, rel=1e-3)


def test_oneways_keep_their_direction_through_joined_stretches(tmp_path: Path) -> None:
    drawing = Drawing()
    for number in range(1, 8):
        drawing.node(number, 50 * number, 0)
    drawing.way(1, [1, 2, 3], highway="residential", oneway="yes")
    drawing.way(2, [5, 4, 3], highway="residential", oneway="-1")  # drawn backwards, the same direction
    drawing.way(3, [7, 6, 5], highway="residential", oneway="yes")  # towards the others
    network, _report = drawn(drawing, tmp_path)
    assert edges(network) == {(1, 5, WALK | FORWARD), (5, 7, WALK | BACKWARD)}


def test_long_stretches_have_nodes_on_the_way(tmp_path: Path) -> None:
    drawing = Drawing()
    for number in range(1, 102):
        drawing.node(number, 20 * number, 0)
    drawing.way(1, list(range(1, 102)), highway="track")
    network, _report = drawn(drawing, tmp_path)
    assert network.length_m.sum() == pytest.approx(2000, rel=1e-3)
    assert network.length_m.max() <= MAX_STRETCH_M + 20.1
    assert len(network.u) == 5


def test_a_square_is_walked_along_its_edge_even_as_a_relation(tmp_path: Path) -> None:
    drawing = Drawing()
    for number, (x, y) in enumerate([(0, 0), (100, 0), (100, 100), (0, 100), (-50, 0), (150, 100)], start=1):
        drawing.node(number, x, y)
    drawing.way(1, [1, 2, 3])
    drawing.way(2, [3, 4, 1])
    drawing.way(3, [5, 1], highway="footway")
    drawing.way(4, [3, 6], highway="footway")
    drawing.relations[1] = ([1, 2], {"type": "multipolygon", "highway": "pedestrian"})
    drawing.relations[2] = ([1, 2], {"type": "route", "highway": "residential"})
    network, _report = drawn(drawing, tmp_path)
    assert {(u, v) for u, v, _use in edges(network)} == {(1, 3), (1, 5), (3, 6)}
    assert len(network.u) == 4  # both sides of the square
    assert network.length_m.sum() == pytest.approx(500, rel=1e-3)


def test_ways_that_share_a_stretch_open_it_to_both(tmp_path: Path) -> None:
    drawing = Drawing()
    for number, (x, y) in enumerate([(0, 0), (100, 0), (100, 100)], start=1):
        drawing.node(number, x, y)
    drawing.way(1, [1, 2, 3, 1], highway="pedestrian", area="yes")
    drawing.way(2, [2, 1], highway="cycleway", oneway="yes")
    network, _report = drawn(drawing, tmp_path)
    assert edges(network) == {(1, 2, WALK | BACKWARD), (1, 2, WALK)}


def test_ferries_are_left_out_and_told(tmp_path: Path) -> None:
    drawing = grid(3)
    drawing.node(100, 1200, 200)
    drawing.way(100, [9, 100], route="ferry", foot="yes")
    network, report = drawn(drawing, tmp_path)
    assert network.osm_id is not None
    assert 100 not in network.osm_id
    told = [finding.reason for finding in report.findings if "Fähren" in finding.reason]
    assert len(told) == 1
    assert "(1, zusammen 1,0 km)" in told[0]


def test_the_extracts_rim_is_told(tmp_path: Path) -> None:
    drawing = grid(3)
    drawing.without = {9}
    network, report = drawn(drawing, tmp_path)
    assert network.osm_id is not None
    assert set(network.osm_id.tolist()) == {2, 4, 5}  # 6 and 8 are bends now, as are the corners
    assert network.length_m.sum() == pytest.approx(1000, rel=1e-3)
    assert [f.reason for f in report.findings if f.severity == "warning"] == [
        "1 Knoten von Wegen fehlen in der Datei (Rand des Auszugs); diese Stücke entfallen."
    ]


def test_splinters_go_and_islands_stay(tmp_path: Path) -> None:
    drawing = grid(50)
    for number, (x, y) in enumerate([(9000, 0), (9100, 0), (9000, 900), (9700, 900)], start=5001):
        drawing.node(number, x, y)
    drawing.way(5001, [5001, 5002], highway="service")  # 100 m
    drawing.way(5002, [5003, 5004], highway="footway")  # 700 m
    network, report = drawn(drawing, tmp_path)
    assert network.osm_id is not None
    assert {5003, 5004} <= set(network.osm_id.tolist())
    assert not {5001, 5002} & set(network.osm_id.tolist())
    assert any("Kleine Teile" in finding.reason and "(1," in finding.reason for finding in report.findings)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("leer.osm.pbf", b"", "leer"),
        ("seite.osm.pbf", b"<html><body>404</body></html>", "beschädigt"),
        ("seite.osm", b"<html><body>404</body></html>", "beschädigt"),
        ("zufall.osm.pbf", random.Random(1).randbytes(4000), "beschädigt"),  # noqa: S311
        ("halb.osm", b'<?xml version="1.0"?><osm version="0.6"><node id="1" lat="53" lon="1', "beschädigt"),
        ("zahl.osm", b'<osm version="0.6"><node id="eins" lat="53" lon="10"/></osm>', "beschädigt"),
        ("bombe.osm", b'<!DOCTYPE x [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><osm version="0.6">&b;</osm>', "beschädigt"),
        ("nichts.osm", b'<osm version="0.6"></osm>', "keine Wege"),
        ("wald.osm", Drawing(ways={1: ([1, 2], {"natural": "wood"})}).xml().encode(), "keine Wege"),
        ("ohne.osm", Drawing(ways={1: ([1, 2], {"highway": "path"})}).xml().encode(), "keine Koordinaten"),
    ],
)  # fmt: skip
def test_what_is_no_extract_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=words) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_absent_files_and_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "ordner.osm.pbf").mkdir()
    for name, words in (("fehlt.osm.pbf", "gibt es nicht"), ("ordner.osm.pbf", "ist ein Ordner")):
        with pytest.raises(SourceError, match=f"{name}.*{words}"):
            read_streets(tmp_path / name)


def test_a_network_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wien.osm"
    path.write_text(
        '<osm version="0.6"><node id="1" lat="-33.0" lon="18.0"/><node id="2" lat="-33.01" lon="18.0"/>'
        '<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="path"/></way></osm>'
    )
    with pytest.raises(MappingError, match="nicht in Deutschland"):
        read(path)


@pytest.fixture(scope="module")
def little_pbf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("pbf")
    source = grid(6).save(folder / "ort.osm")
    with osmium.SimpleWriter(str(folder / "ort.osm.pbf")) as writer:
        for item in osmium.FileProcessor(str(source)):
            writer.add(item)
    return (folder / "ort.osm.pbf").read_bytes()


def mutated_extracts_are_read_or_refused(little_pbf: bytes, folder: Path, examples: int) -> None:
    whole, _report = read(_written(folder / "ganz.osm.pbf", little_pbf))
    assert len(whole.xy) == 36 - 4  # a corner is but a bend

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        raw = bytearray(little_pbf)
        for _ in range(data.draw(st.integers(1, 4))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        length = data.draw(st.integers(0, len(raw))) if data.draw(st.booleans()) else len(raw)
        path = _written(folder / "wirr.osm.pbf", bytes(raw[:length]))
        with contextlib.suppress(SourceError, MappingError):
            network, _report = read(path)
            assert np.isfinite(network.length_m).all()

    check()


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_mutated_extracts_are_read_or_refused(little_pbf: bytes, tmp_path: Path) -> None:
    mutated_extracts_are_read_or_refused(little_pbf, tmp_path, 60)


@pytest.mark.long
def test_many_mutated_extracts_are_read_or_refused(little_pbf: bytes, tmp_path: Path) -> None:
    mutated_extracts_are_read_or_refused(little_pbf, tmp_path, 1000)
