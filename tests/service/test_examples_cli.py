"""``examples`` and ``--examples``: the published tables in a database of their own, as a user runs them."""

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
from service.cli import main
from service.cli.common import choose_stock, chosen_stock
from service.examples import NOTICE
from service.instance import Stock, uses_private_cluster
from service.settings import Settings

CLI = [sys.executable, "-c", "from service.cli.main import main; main()"]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    home = throwaway_home()
    yield home
    Cluster(home / "postgres").destroy()
    home.rmdir()


@pytest.fixture
def _real_afterwards() -> Iterator[None]:
    yield
    choose_stock(Stock.REAL)


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SRK_")}
    return kept | {"SRK_DATA_DIR": str(folder), "SRK_LOG_LEVEL": "error"}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CLI, *arguments], env=environment(folder), capture_output=True, text=True, check=False)


def test_examples_are_loaded_once_and_served_and_never_mix_with_other_stocks(folder: Path) -> None:
    first = run(folder, "examples", "--load-only")
    assert first.returncode == 0, first.stderr
    assert "Die veröffentlichten Tabellen werden geladen …" in first.stderr
    again = run(folder, "examples", "--load-only")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    listed = json.loads(run(folder, "datasets", "--json", "--examples").stdout)
    assert listed["meta"]["notice"] == NOTICE
    assert "statistics.bremen-hilfen" in {row["dataset"] for row in listed["rows"]}
    assert json.loads(run(folder, "datasets", "--json").stdout)["rows"] == []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [*CLI, "examples", "--port", str(port)], env=environment(folder), stderr=subprocess.PIPE, text=True
    ) as service:
        assert service.stderr is not None
        said = [service.stderr.readline() for _ in range(3)]
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/areas?level=sozialzentrum") as answer:
                    served = json.load(answer)
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("the service did not come up")
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=30)
    assert f"http://127.0.0.1:{port}" in said[0]
    assert ["Einmal-Link Planung" in said[1], "Einmal-Link Verwaltung" in said[2]] == [True, True]
    assert served["meta"]["notice"] == NOTICE
    assert [row["area_key"] for row in served["rows"]] == ["SZ1", "SZ2", "SZ3", "SZ4", "SZ5", "SZ6"]


def test_two_stocks_at_once_are_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["settings", "--demo", "--examples"])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Fehler: --demo und --examples")
    assert chosen_stock() is Stock.REAL


@pytest.mark.usefixtures("_real_afterwards")
def test_examples_are_meant_wherever_the_word_stands(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--examples", "settings"], ["settings", "--examples"]):
        choose_stock(Stock.REAL)
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert chosen_stock() is Stock.EXAMPLES
    assert "SRK_PORT" in capsys.readouterr().out


def test_examples_always_live_in_the_private_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRK_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert uses_private_cluster(Settings(), Stock.EXAMPLES)
    assert not uses_private_cluster(Settings(), Stock.REAL)
