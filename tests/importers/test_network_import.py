"""Networks into the database: edge lists and extracts, their reports, versions and what is refused."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from osm_files import EAST, NORTH, grid
from pyproj import Transformer
from scipy.sparse.csgraph import dijkstra
from sqlalchemy import Engine, text

from geodata.database import reading, writing
from geodata.network import Graph, Mode, load_graph
from geodata.versions import rollback
from importers.errors import MappingError, RefusedError, SourceError
from importers.kinds.network import NetworkImport, import_network
from importers.load import Limit, Rules
from importers.mapping import Mapping as ColumnMapping
from importers.report import Report, Severity
from importers.sources import open_source

ALTONA = Path(__file__).resolve().parents[3] / "shared" / "data" / "netz" / "altona_netz.geojson"
_DEGREES = Transformer.from_crs(25832, 4326, always_xy=True)
Row = Mapping[str, Any]

# A square of 100 m with one diagonal: a-b-c-d-a and a-c.
CORNERS = {"a": (0, 0), "b": (100, 0), "c": (100, 100), "d": (0, 100)}
SQUARE: list[Row] = [
    {"u": "a", "v": "b", "length": 100, "oneway": "yes"},
    {"u": "b", "v": "c", "length": 110.5},
    {"u": "c", "v": "d", "length": 100, "oneway": "-1"},
    {"u": "d", "v": "a", "length": 100, "bike": "no"},
    {"u": "a", "v": "c", "length": 142, "walk": "no"},
]


def rows_any(rejects: str = "0", **more: bool) -> Rules:
    return Rules(Limit.parse(rejects, "--max-rejects"), Limit.parse("30%", "--max-shrink"), **more)


STRICT = NetworkImport(rules=rows_any())
LOOSE = NetworkImport(rules=rows_any("90%"))


def edge_csv(path: Path, rows: list[Row], *, degrees: bool = True, delimiter: str = ";") -> Path:
    names = ("u_lon", "u_lat", "v_lon", "v_lat") if degrees else ("u_x", "u_y", "v_x", "v_y")
    columns = list(dict.fromkeys([*(name for row in rows for name in row), *names]))
    lines = [delimiter.join(columns)]
    for row in rows:
        at: dict[str, str] = {}
        for end, x_name, y_name in (("u", *names[:2]), ("v", *names[2:])):
            if row.get(end) in CORNERS:
                x, y = CORNERS[row[end]]
                east, north = (EAST + x, NORTH + y) if not degrees else _DEGREES.transform(EAST + x, NORTH + y)
                at |= {x_name: f"{east:.7f}", y_name: f"{north:.7f}"}
        lines.append(delimiter.join(str(row.get(name, at.get(name, ""))) for name in columns))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def edge_geojson(path: Path, rows: list[Row], *, nodes: bool = False) -> Path:
    """Write lines from u to v; the row's ``line`` replaces them."""
    features = []
    for row in rows:
        line = row.get("line", [CORNERS[row[end]] for end in ("u", "v")])
        geometry = {"type": "LineString", "coordinates": [[EAST + x, NORTH + y] for x, y in line]}
        properties = {name: value for name, value in row.items() if name != "line"}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    if nodes:
        for name, (x, y) in CORNERS.items():
            spot = {"type": "Point", "coordinates": [EAST + x, NORTH + y]}
            features.append({"type": "Feature", "properties": {"osmid": name}, "geometry": spot})
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), encoding="utf-8")
    return path


def fetch(engine: Engine, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def graph(engine: Engine, mode: Mode) -> Graph:
    with reading(engine) as session:
        found = load_graph(session, mode)
    assert found is not None
    return found


def distances(engine: Engine, mode: Mode) -> dict[tuple[str, str], float]:
    """Return the network's distances between the corners of the square, by name."""
    found = graph(engine, mode)
    name = {(EAST + x, NORTH + y): corner for corner, (x, y) in CORNERS.items()}
    names = [name[(round(x), round(y))] for x, y in found.xy.tolist()]
    metres = dijkstra(found.matrix)
    return {(a, b): float(metres[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if a != b}


def check_square(engine: Engine) -> None:
    walk, bike = distances(engine, "walk"), distances(engine, "bike")
    assert walk[("a", "c")] == pytest.approx(200)  # the diagonal is for bicycles only
    assert all(walk[(a, b)] == walk[(b, a)] for a, b in walk)
    assert walk[("a", "b")] == pytest.approx(100)
    assert bike[("a", "b")] == pytest.approx(100)
    assert bike[("b", "a")] == pytest.approx(110.5 + 142)  # not against the oneway
    assert bike[("d", "c")] == pytest.approx(100)
    assert bike[("c", "d")] == np.inf  # the way back is closed, and d-a is no cycling
    assert bike[("a", "c")] == pytest.approx(142)


def reasons(report: Report, severity: Severity = Severity.REJECT) -> dict[int | None, str]:
    """Return what was found per row, all of it."""
    found: dict[int | None, str] = {}
    for finding in report.of(severity):
        found[finding.row] = f"{found.get(finding.row, '')} {finding.reason}".strip()
    return found


@pytest.mark.parametrize("form", ["degrees", "metres", "geojson", "from_to"])
def test_an_edge_list_is_the_network_it_says(database: Any, tmp_path: Path, form: str) -> None:
    if form == "geojson":
        path, wanted = edge_geojson(tmp_path / "netz.geojson", SQUARE, nodes=True), STRICT
    elif form == "from_to":
        turned = [
            {**row, "u": max(row["u"], row["v"]), "v": min(row["u"], row["v"]), "from": row["u"], "to": row["v"],
             "line": [CORNERS[row["u"]], CORNERS[row["v"]]]}
            for row in SQUARE
        ]  # fmt: skip
        path, wanted = edge_geojson(tmp_path / "netz.geojson", turned), STRICT
    else:
        path = edge_csv(tmp_path / "netz.csv", SQUARE, degrees=form == "degrees")
        wanted = NetworkImport(rules=rows_any(), crs=None if form == "degrees" else "EPSG:25832")
    report = import_network(database.writing, path, wanted)
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (5, 5, 0)
    assert (report.counts["Knoten"], report.counts["Kanten"]) == (4, 5)
    check_square(database.serving)
    if form == "geojson":
        assert "Punkte sind Knoten und werden nicht als Kanten gelesen (4)." in reasons(report, Severity.INFO)[None]


def test_an_opened_source_with_a_mapping_loads_too(database: Any, tmp_path: Path) -> None:
    path = edge_csv(tmp_path / "netz.csv", SQUARE)
    head, _, body = path.read_text(encoding="utf-8").partition("\n")
    renamed = head.replace("u;v;length", "anfang;ende;meter", 1)
    assert renamed != head
    path.write_text(f"{renamed}\n{body}", encoding="utf-8")
    mapping = ColumnMapping.model_validate(
        {
            "dataset": {"title": "Radnetz", "licence": "dl-de/by-2-0", "as_of": "2026-01-01"},
            "columns": {"u": "anfang", "v": "ende", "length": "meter"},
        }
    )
    import_network(database.writing, open_source(path), NetworkImport(mapping=mapping, rules=rows_any()))
    check_square(database.serving)
    assert fetch(database.writing, "SELECT title, licence, as_of::text FROM import_run") == [
        ("Radnetz", "dl-de/by-2-0", "2026-01-01")
    ]


BAD_ROWS: list[tuple[Row, str]] = [
    ({"u": "a", "v": "b", "length": ""}, "Die Länge fehlt oder ist keine Zahl."),
    ({"u": "a", "v": "b", "length": "lang"}, "Die Länge fehlt oder ist keine Zahl."),
    ({"u": "a", "v": "b", "length": "nan"}, "Die Länge fehlt oder ist keine Zahl."),
    ({"u": "a", "v": "b", "length": "-100"}, "Die Länge ist negativ."),
    ({"u": "a", "v": "b", "length": "90"}, "Die Länge ist kürzer als die Luftlinie zwischen den Knoten."),
    (
        {"u": "a", "v": "b", "length": "0,1"},
        "Die Länge ist kürzer als die Luftlinie; sieht nach Kilometern aus (gebraucht werden Meter).",
    ),
    ({"u": "", "v": "b", "length": "100"}, "Der Knoten fehlt."),
    ({"u": "a", "v": "b", "length": "100", "oneway": "?"}, "Der Wert ist unbekannt; möglich sind: yes, no, -1."),
    ({"u": "a", "v": "b", "length": "100", "walk": "-1"}, "Der Wert ist unbekannt; möglich sind: yes, no."),
    ({"u": "a", "v": "b", "length": "100", "u_lon": ""}, "Die Koordinate eines Knotens fehlt oder ist keine Zahl."),
    ({"u": "a", "v": "b", "length": "100", "u_lon": "53.5", "u_lat": "9.9"}, "vertauschter Reihenfolge"),
    (
        {"u": "a", "v": "b", "length": "9000", "u_lon": "9.95", "u_lat": "53.55"},
        "Der Knoten liegt in einer früheren Zeile an einem anderen Ort.",
    ),
    ({"u": "a", "v": "b", "length": "100", "from": "a", "to": "c"}, "„from“ und „to“ sind andere Knoten"),
]  # fmt: skip


def test_rows_that_are_no_edges_are_named(database: Any, tmp_path: Path) -> None:
    good = [{**row, "length": str(row["length"]).replace(".", ",")} for row in SQUARE]
    path = edge_csv(tmp_path / "netz.csv", good + [row for row, _reason in BAD_ROWS])
    report = import_network(database.writing, path, LOOSE)
    found = reasons(report)
    first = 2 + len(SQUARE)
    for row, (given, reason) in enumerate(BAD_ROWS, start=first):
        assert reason in found.get(row, ""), (given, found.get(row))
    assert (report.rows_rejected, report.rows_loaded) == (len(BAD_ROWS), len(SQUARE))
    check_square(database.serving)


def test_rounded_lengths_and_loops_are_borne(database: Any, tmp_path: Path) -> None:
    rows = [*SQUARE, {"u": "a", "v": "a", "length": 40}, {"u": "b", "v": "d", "length": 141}]
    path = edge_csv(tmp_path / "netz.csv", rows)
    report = import_network(database.writing, path, STRICT)
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (7, 6, 0)
    assert any("Schleifen" in reason for reason in reasons(report, Severity.INFO).values())


def test_numbers_that_could_be_either_are_refused(database: Any, tmp_path: Path) -> None:
    path = edge_csv(tmp_path / "netz.csv", [{"u": "a", "v": "b", "length": "1.675"}])
    with pytest.raises(MappingError, match="--decimal"):
        import_network(database.writing, path, STRICT)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("netz.csv", "u;v\na;b\n", "keine Spalte „length“"),
        ("netz.csv", "u;v;length\na;b;10\n", "wo die Knoten liegen"),
        ("netz.csv", "u;v;length;u_x;u_y;v_x;v_y\na;b;10;1;1;2;2\n", "--crs"),
        ("netz.csv", "u;v;length;u_lon;u_lat;v_lon;v_lat\n", "keine Zeilen"),
        ("netz.csv", "u;v;length;u_lon;u_lat;v_lon;v_lat\na;b;x;10;53;10;53\n", "zurückgewiesen"),
        ("netz.csv", "u;v;length;u_lon;u_lat;v_lon;v_lat\na;a;0;10;53;10;53\n", "keine brauchbare Kante"),
        ("netz.geojson", '{"type": "FeatureCollection", "features": [', "kein vollständiges JSON"),
        ("netz.osm.pbf", "\x00\x01\x02\x03\x04\x05", "beschädigt"),
        ("netz.doc", "u;v;length", "nicht gelesen"),
    ],
)
def test_what_is_refused_changes_nothing(database: Any, tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / "gut").mkdir()
    import_network(database.writing, edge_csv(tmp_path / "gut" / "netz.csv", SQUARE), STRICT)
    before = stored(database.writing)
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises((SourceError, MappingError, RefusedError), match=words) as caught:
        import_network(database.writing, tmp_path / name, STRICT)
    assert "\n" not in str(caught.value)
    assert stored(database.writing) == before


def stored(engine: Engine) -> list[Any]:
    return [
        fetch(engine, f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t")
        for table in ("network_node", "network_edge", "facility_snap", "cell_snap", "dataset", "import_run")
    ]


def test_versions_are_kept_compared_and_taken_back(database: Any, tmp_path: Path) -> None:
    whole = edge_csv(tmp_path / "netz.csv", SQUARE)
    assert import_network(database.writing, whole, STRICT).data_version == 1
    assert import_network(database.writing, whole, STRICT).unchanged
    assert len(fetch(database.writing, "SELECT id FROM import_run")) == 1
    rehearsal = edge_csv(tmp_path / "probe.csv", SQUARE[:4])
    import_network(database.writing, rehearsal, NetworkImport(rules=rows_any(dry_run=True)))
    check_square(database.serving)
    import_network(database.writing, rehearsal, STRICT)
    assert distances(database.serving, "bike")[("a", "c")] == pytest.approx(210.5)
    with writing(database.writing) as session:
        rollback(session, "network")
    check_square(database.serving)
    with pytest.raises(RefusedError, match="schrumpfen"):
        import_network(database.writing, edge_csv(tmp_path / "rest.csv", SQUARE[:2]), STRICT)
    check_square(database.serving)


def test_there_is_only_one_network(database: Any, tmp_path: Path) -> None:
    path = edge_csv(tmp_path / "netz.csv", SQUARE)
    import_network(database.writing, path, STRICT)
    with pytest.raises(MappingError, match="--dataset network"):
        import_network(database.writing, path, NetworkImport(dataset="network.zwei"))
    check_square(database.serving)


def test_an_extract_carries_its_footnotes_and_parts(database: Any, tmp_path: Path) -> None:
    drawing = grid(6)
    for number, (x, y) in enumerate([(5000, 0), (5900, 0)], start=101):
        drawing.node(number, x, y)
    drawing.way(101, [101, 102], highway="path")
    report = import_network(database.writing, drawing.save(tmp_path / "ort.osm"))
    assert report.format == "OpenStreetMap"
    assert report.counts["zusammenhängende Teile (zu Fuß)"] == 2
    assert (report.counts["Knoten"], report.counts["Kanten"]) == (34, 57)
    assert report.counts["Kilometer zu Fuß"] == 7
    assert fetch(database.writing, "SELECT title, licence, attribution FROM import_run") == [
        ("Wegenetz (OpenStreetMap)", "ODbL 1.0", "© OpenStreetMap-Mitwirkende")
    ]
    parts = fetch(database.writing, "SELECT component, count(*) FROM network_node GROUP BY 1 ORDER BY 1")
    assert parts == [(0, 32), (1, 2)]
    spots = "SELECT round(ST_X(geom)), round(ST_Y(geom)) FROM network_node WHERE osm_id IN (2, 102) ORDER BY osm_id"
    at = fetch(database.writing, spots)
    assert at == [(EAST + 100, NORTH), (EAST + 5900, NORTH)]


@pytest.mark.skipif(not ALTONA.exists(), reason="shared/data is absent")
def test_altona_is_what_its_file_says(database: Any) -> None:
    report = import_network(database.writing, ALTONA, STRICT)
    features = json.loads(ALTONA.read_text(encoding="utf-8"))["features"]
    rows = [f["properties"] for f in features if f["geometry"]["type"] == "LineString"]
    assert report.rows_read == len(rows) == 3269
    walk: nx.Graph[str] = nx.Graph()
    bike: nx.DiGraph[str] = nx.DiGraph()
    for row in rows:
        for net, pairs in ((walk, 1), (bike, 2 - bool(row["oneway"]))):
            for a, b in ((row["from"], row["to"]), (row["to"], row["from"]))[:pairs]:
                if a != b and row["length"] < net.get_edge_data(a, b, {"metres": np.inf})["metres"]:
                    net.add_edge(a, b, metres=row["length"])
    node_at = {
        f["properties"]["osmid"]: f["geometry"]["coordinates"] for f in features if f["geometry"]["type"] == "Point"
    }
    to_metres = Transformer.from_crs(4326, 25832, always_xy=True)
    for mode, net in (("walk", walk), ("bike", bike)):
        found = graph(database.serving, mode)  # type: ignore[arg-type]
        assert len(found.reachable) == len(net)
        assert found.component.max() + 1 == nx.number_weakly_connected_components(nx.DiGraph(net))
        number = {name: i for i, name in enumerate(sorted(walk))}
        for name in list(net)[:50]:
            assert found.xy[number[name]] == pytest.approx(to_metres.transform(*node_at[str(name)]), abs=0.01)
        for start in list(net)[:5]:
            metres = dijkstra(found.matrix, indices=number[start])
            expected = nx.single_source_dijkstra_path_length(net, start, weight="metres")
            for name in net:
                assert metres[number[name]] == pytest.approx(expected.get(name, np.inf), abs=1e-4)
