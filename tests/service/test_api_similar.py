"""``/areas/…/similar`` and ``/statistics/clusters``: rows, formats, what may be asked, and what is refused."""

import pytest
from analysis_help import all_finite, same_in_every_format
from conftest import Database
from service_help import API, client_of, is_problem, rows_of
from starlette.testclient import TestClient

from geodata.clusters import ClustersRequest, clusters
from geodata.database import reading
from geodata.similar import SimilarIndicator, SimilarRequest, similar

SIMILAR = "/areas/stadtteil/02101/similar"
CLUSTERS = "/statistics/clusters"
BY = "sgb2_u14_proz*2,alleinerziehende_proz"
SGB2 = {"indicator": "sgb2_u14_proz", "level": "statgebiet"}


@pytest.fixture(scope="module")
def client(demo_database: Database) -> TestClient:
    return client_of(demo_database.serving)


@pytest.mark.parametrize("asked", [{}, {"indicators": BY, "limit": "50"}])
def test_similar_in_every_format(client: TestClient, asked: dict[str, str]) -> None:
    same_in_every_format(client, SIMILAR, asked)


@pytest.mark.parametrize("asked", [SGB2, {"indicator": "population", "level": "stadtteil", "position": "total"}])
def test_clusters_in_every_format(client: TestClient, asked: dict[str, str]) -> None:
    same_in_every_format(client, CLUSTERS, asked)


def test_similar_areas(client: TestClient) -> None:
    rows = rows_of(client, SIMILAR, indicators=BY)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["distance"] for row in rows] == sorted(row["distance"] for row in rows)
    for row in rows:
        assert set(row["values"]) == set(row["own_values"]) == set(row["contributions"])
        assert sum(row["contributions"].values()) == pytest.approx(1)
        assert row["area_key"] != "02101"
    assert rows[:2] == rows_of(client, SIMILAR, indicators=BY, limit=2)
    weighed = client.get(API + SIMILAR, params={"indicators": BY}).json()["meta"]["method"]
    assert "66,7" in weighed
    assert rows != rows_of(client, SIMILAR, indicators="sgb2_u14_proz,alleinerziehende_proz*2")


def test_clusters_come_in_pages(client: TestClient) -> None:
    rows = rows_of(client, CLUSTERS, **SGB2)
    assert {row["cluster"] for row in rows if row["significant"]} >= {"hoch-hoch", "niedrig-niedrig"}
    first = client.get(API + CLUSTERS, params=SGB2 | {"limit": "30"}).json()
    rest = rows_of(client, CLUSTERS, **SGB2, cursor=first["meta"]["next"])
    assert first["rows"] + rest == rows


def test_answers_are_kept(client: TestClient) -> None:
    for path, asked in ((SIMILAR, {"indicators": BY}), (CLUSTERS, SGB2)):
        first, again = (client.get(API + path, params=asked) for _ in range(2))
        assert (first.content, first.headers["etag"]) == (again.content, again.headers["etag"])
        tag = first.headers["etag"]
        assert client.get(API + path, params=asked, headers={"if-none-match": tag}).status_code == 304


def test_no_nan_and_no_infinity_leaves_the_questions(demo_database: Database) -> None:
    with reading(demo_database.serving) as session:
        for level in ("stadtteil", "statgebiet"):
            for code in ("sgb2_u14_proz", "sgb2_u14_anz"):
                assert all_finite(clusters(session, ClustersRequest(code, level))) > 10
        for indicators in ((), (SimilarIndicator("sgb2_u14_proz"),)):
            for key in ("1", "4"):
                assert all_finite(similar(session, SimilarRequest("bezirk", key, indicators, limit=50))) > 10


@pytest.mark.parametrize(("path", "status", "parameter"), [
    ("/areas/mond/1/similar", 400, "level"),
    ("/areas/stadtteil/99999/similar", 404, None),
    (SIMILAR + "?indicators=gibtesnicht", 400, "indicators"),
    (SIMILAR + "?indicators=-sgb2_u14_proz", 400, "indicators"),
    (SIMILAR + "?indicators=sgb2_u14_proz*0", 400, "indicators"),
    (SIMILAR + "?indicators=sgb2_u14_proz,sgb2_u14_proz", 400, "indicators"),
    (SIMILAR + "?indicators=*2", 400, "indicators"),
    (SIMILAR + "?limit=0", 400, "limit"),
    (SIMILAR + "?limit=51", 400, "limit"),
    (SIMILAR + "?period=neulich", 400, "period"),
    (SIMILAR + "?cursor=x", 400, "cursor"),
    (CLUSTERS, 400, "indicator"),
    (CLUSTERS + "?indicator=population", 400, "level"),
    (CLUSTERS + "?indicator=gibtesnicht&level=stadtteil", 400, "indicator"),
    (CLUSTERS + "?indicator=population&level=mond", 400, "level"),
    (CLUSTERS + "?indicator=population&level=stadtteil", 400, "position"),
    (CLUSTERS + "?indicator=sgb2_u14_proz&level=bezirk", 400, "indicator"),
    (CLUSTERS + "?indicator=sgb2_u14_proz&level=stadtteil&period=1999", 400, "period"),
    (CLUSTERS + "?indicator=sgb2_u14_proz&level=stadtteil&permutations=9", 400, "permutations"),
])  # fmt: skip
def test_bad_requests(client: TestClient, path: str, status: int, parameter: str | None) -> None:
    is_problem(client.get(API + path), status, parameter)
