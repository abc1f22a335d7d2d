"""The commands that start and stop things, as a user runs them: real processes on a cluster of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import throwaway_home

from geodata.cluster import Cluster

CLI = [sys.executable, "-c", "from service.cli.main import main; main()"]


@pytest.fixture
def folder() -> Iterator[Path]:
    home = throwaway_home()
    yield home
    Cluster(home / "postgres").destroy()
    home.rmdir()


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SRK_")}
    environment |= {"SRK_DATA_DIR": str(folder), **more}
    return subprocess.run([*CLI, *arguments], env=environment, capture_output=True, text=True, check=False)


def test_start_status_migrate_and_stop(folder: Path) -> None:
    assert json.loads(run(folder, "db", "status", "--json").stdout)["running"] is False
    assert run(folder, "db", "start").returncode == 0
    status = json.loads(run(folder, "db", "status", "--json").stdout)
    assert status["running"] is True
    assert status["revision"] == status["expected_revision"]
    assert run(folder, "db", "migrate").returncode == 0
    listed = run(folder, "datasets", "--json")
    assert json.loads(listed.stdout)["rows"] == []
    assert json.loads(run(folder, "db", "status", "--json").stdout)["running"] is True, "db start outlives its users"
    assert run(folder, "db", "stop").returncode == 0
    assert json.loads(run(folder, "db", "status", "--json").stdout)["running"] is False


def test_a_given_database_is_not_started_or_stopped(folder: Path) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    for verb in ("start", "stop"):
        done = run(folder, "db", verb, SRK_DATABASE_URL=url)
        assert done.returncode == 1
        assert "startet und stoppt die Sozialraumkarte nicht" in done.stderr
    assert not (folder / "postgres").exists()


def test_commands_without_a_database_of_their_own_leave_none_running(folder: Path) -> None:
    assert run(folder, "datasets").returncode == 0
    assert json.loads(run(folder, "db", "status", "--json").stdout)["running"] is False


def test_the_service_on_loopback_offers_links_and_stops_what_it_started(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SRK_")}
    environment |= {"SRK_DATA_DIR": str(folder), "SRK_LOG_LEVEL": "error"}
    with subprocess.Popen(
        [*CLI, "serve", "--port", str(port)], env=environment, stderr=subprocess.PIPE, text=True
    ) as service:
        assert service.stderr is not None
        said = [service.stderr.readline() for _ in range(3)]
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
                    assert answer.status == 200
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("the service did not come up")
        assert json.loads(run(folder, "db", "status", "--json").stdout)["running"] is True
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=30)
    assert f"http://127.0.0.1:{port}" in said[0]
    assert "Einmal-Link Planung" in said[1]
    assert "Einmal-Link Verwaltung" in said[2]
    assert json.loads(run(folder, "db", "status", "--json").stdout)["running"] is False
