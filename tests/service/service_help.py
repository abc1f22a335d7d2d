"""What the tests of the service share: a client over a database, and readers of each format."""

import contextlib
import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyogrio
from sqlalchemy import Engine
from starlette.testclient import TestClient

from geodata.viewer import Viewer
from service.access import COOKIE
from service.app import create_app
from service.settings import Settings

PROBLEM = "application/problem+json"
API = "/api/v1"


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


def client_of(engine: Engine, viewer: Viewer | None = None, **given: Any) -> TestClient:
    """A client that sees a 500 as an answer; with a viewer it is signed in."""
    app = create_app(settings(**given), engine)
    client = TestClient(app, raise_server_exceptions=False, headers={"accept-encoding": "identity"})
    if viewer is not None:
        sign_in(client, viewer)
    return client


def sign_in(client: TestClient, viewer: Viewer) -> str:
    """Redeem a one-time link; returns its code."""
    code: str = client.app.state.srk.sessions.offer(viewer)  # type: ignore[attr-defined]
    answer = client.get("/anmelden", params={"code": code}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert COOKIE in client.cookies
    return code


def rows_of(client: TestClient, path: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = client.get(API + path, params=parameters)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def csv_rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def workbook(body: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(body))


@contextlib.contextmanager
def gpkg_file(body: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.gpkg"
        path.write_bytes(body)
        yield path


def gpkg_frame(body: bytes) -> Any:
    with gpkg_file(body) as path:
        return pyogrio.read_dataframe(path)


def is_problem(answer: Any, status: int, parameter: str | None = None) -> dict[str, Any]:
    """Assert the shape of an error and return it."""
    assert answer.status_code == status, (answer.status_code, answer.text[:400])
    assert answer.headers["content-type"] == PROBLEM
    assert "no-store" in answer.headers["cache-control"]
    body: dict[str, Any] = answer.json()
    assert set(body) <= {"type", "title", "status", "detail", "parameter", "allowed"}, body
    assert {"type", "title", "status", "detail"} <= set(body), body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"].endswith("."), body
    assert "Traceback" not in answer.text
    if parameter is not None:
        assert body["parameter"] == parameter, body
    return body
