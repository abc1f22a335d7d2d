"""Whatever bytes arrive: an expected error with a sentence and nothing changed, or a whole import; nothing else."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from importer_help import (
    BEZIRKE,
    EAST,
    NORTH,
    STADTTEILE,
    Database,
    data_version,
    load_areas,
    load_city,
    load_facilities,
    offer,
    query,
    rules,
    state,
    write_csv,
    write_geojson,
    write_xlsx,
)

from geodata.errors import SrkError
from importers.report import Report

LENIENT = rules("100%", "100%", allow_orphans=True)


def sample_csv(folder: Path) -> Path:
    rows = [offer(n, 500 + n, 500, age_from=n, supply="1.675,5", supply_unit="places", valid_from="1.2.2024")
            for n in range(4)]  # fmt: skip
    return write_csv(folder / "a.csv", rows)


def sample_geojson(folder: Path) -> Path:
    return write_geojson(folder / "a.geojson", BEZIRKE)


def frame() -> geopandas.GeoDataFrame:
    squares = [shapely.box(EAST + n, NORTH, EAST + n + 9, NORTH + 9) for n in (0, 20, 40)]
    columns = {"id": ["x1", "x2", "x3"], "name": ["eins", "zwei", "drei"], "zahl": [1, 2, None]}
    return geopandas.GeoDataFrame(columns, geometry=squares, crs=25832)


def sample_gpkg(folder: Path) -> Path:
    frame().to_file(folder / "a.gpkg")
    return folder / "a.gpkg"


def sample_xlsx(folder: Path) -> Path:
    rows = [offer(n, 500 + n, 500, age_from=n, supply=1.5, supply_unit="places") for n in range(4)]
    return write_xlsx(folder / "a.xlsx", [list(rows[0]), *(list(row.values()) for row in rows)])


def sample_zip(folder: Path) -> Path:
    frame().to_file(folder / "a.shp")
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
            archive.write((folder / "a.shp").with_suffix(part), f"a{part}")
    return folder / "a.zip"


SAMPLES = (sample_csv, sample_geojson, sample_gpkg, sample_xlsx, sample_zip)


@pytest.fixture(scope="module")
def bench(new_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> tuple[Database, Path]:
    """The tiny city, and a folder with one whole file of each format."""
    made = new_database()
    folder = tmp_path_factory.mktemp("samples")
    load_city(made.writing, folder)
    for make in SAMPLES:
        make(folder)
    return made, folder


Mutation = tuple[str, int, bytes]
PIECES = [
    b"\x00",
    b"\xff",
    b'"',
    b"\n",
    b";",
    b"-",
    b"9" * 30,
    b"{",
    b"1e999",
    b"null",
    b"\xc3",
    b"\xf0\x9f\x8f\xa0",
    b"[[[",
]
MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["put", "insert", "cut", "drop", "double"]),
        st.integers(0, 2**24),
        st.one_of(st.binary(min_size=1, max_size=4), st.sampled_from(PIECES)),
    ),
    min_size=1,
    max_size=4,
)


def mutated(raw: bytes, mutations: list[Mutation]) -> bytes:
    for kind, where, piece in mutations:
        at = where % (len(raw) + 1)
        if kind == "put":
            raw = raw[:at] + piece + raw[at + len(piece) :]
        elif kind == "insert":
            raw = raw[:at] + piece + raw[at:]
        elif kind == "cut":
            raw = raw[:at]
        elif kind == "drop":
            raw = raw[:at] + raw[at + len(piece) :]
        else:
            raw = raw[:at] + raw[max(0, at - 40) :]
    return raw


def load_any(database: Database, path: Path) -> Report:
    if path.suffix in {".csv", ".xlsx"}:
        return load_facilities(database.writing, path, rules=LENIENT, dataset="facilities.probe")
    return load_areas(database.writing, path, "probe", parent_level="bezirk", rules=LENIENT)


def stock(database: Database) -> dict[str, str]:
    """The state without its counters: that a source was looked at is noted even when nothing changes."""
    return {table: digest for table, digest in state(database.writing).items() if table != "instance_state"}


def check(bench: tuple[Database, Path], make: Callable[[Path], Path], mutations: list[Mutation]) -> None:
    database, folder = bench
    name = {"sample_csv": "a.csv", "sample_geojson": "a.geojson", "sample_gpkg": "a.gpkg", "sample_xlsx": "a.xlsx",
            "sample_zip": "a.zip"}[make.__name__]  # fmt: skip
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    (work / name).write_bytes(mutated((folder / name).read_bytes(), mutations))
    version = data_version(database.writing)
    before = state(database.writing)
    try:
        report = load_any(database, work / name)
    except SrkError as error:
        sentence = str(error)
        assert state(database.writing) == before
        assert sentence == sentence.strip()
        assert "\n" not in sentence
    else:
        # Damage to what is not read (a comment, a row's order) leaves the content as it is.
        assert data_version(database.writing) == version + (not report.unchanged)
        assert (stock(database) == {k: v for k, v in before.items() if k != "instance_state"}) == report.unchanged
        assert report.encoding != "cp1252" or any("Windows-1252" in f.reason for f in report.findings)
        bad = query(database.writing, "SELECT count(*) FROM area_visible WHERE geom IS NOT NULL "
                                      "AND (NOT ST_IsValid(geom) OR ST_IsEmpty(geom))")  # fmt: skip
        assert bad == [(0,)]


@pytest.mark.parametrize("make", SAMPLES, ids=lambda make: make.__name__)
def test_the_whole_samples_are_loaded(bench: tuple[Database, Path], make: Callable[[Path], Path]) -> None:
    version = data_version(bench[0].writing)
    check(bench, make, [])
    assert data_version(bench[0].writing) == version + 1
    check(bench, make, [])
    assert data_version(bench[0].writing) == version + 1


QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)


@settings(max_examples=200, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(st.sampled_from(SAMPLES), MUTATIONS)
def test_damaged_files_never_do_harm(
    bench: tuple[Database, Path], make: Callable[[Path], Path], mutations: list[Mutation]
) -> None:
    check(bench, make, mutations)


@pytest.mark.long
@settings(max_examples=2000, deadline=None, suppress_health_check=QUIET, database=None)
@given(st.sampled_from(SAMPLES), MUTATIONS)
def test_many_damaged_files_never_do_harm(
    bench: tuple[Database, Path], make: Callable[[Path], Path], mutations: list[Mutation]
) -> None:
    check(bench, make, mutations)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT), min_size=1, max_size=5))
def test_any_text_in_any_column_is_taken_or_named(
    bench: tuple[Database, Path], rows: list[tuple[str, str, str, str]]
) -> None:
    database, folder = bench
    made = [
        offer(n)
        | {"name": name, "provider": provider, "age_from": age, "valid_from": day, "paragraphs": day, "supply": age}
        for n, (name, provider, age, day) in enumerate(rows)
    ]
    before = state(database.writing)
    try:
        report = load_facilities(
            database.writing, write_csv(folder / "text.csv", made), rules=LENIENT, dataset="facilities.text"
        )
    except SrkError:
        assert state(database.writing) == before
    else:
        assert report.rows_loaded + report.rows_rejected == report.rows_read == len(rows)


@settings(max_examples=30, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(
    st.lists(
        st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=3, max_size=9), min_size=1, max_size=4
    )
)
def test_any_ring_is_repaired_or_rejected(bench: tuple[Database, Path], rings: list[list[tuple[float, float]]]) -> None:
    database, folder = bench
    shapes = []
    for n, ring in enumerate(rings):
        corners = [[EAST + 100 + x, NORTH + 100 + y] for x, y in ring]
        shapes.append(({"id": f"r{n}", "name": "x"}, {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}))
    path = write_geojson(folder / "ring.geojson", [*shapes, ({"id": "sicher", "name": "x"}, STADTTEILE[0][1])])
    report = load_areas(database.writing, path, "ring", rules=LENIENT)
    assert report.rows_loaded + report.rows_rejected == len(rings) + 1
