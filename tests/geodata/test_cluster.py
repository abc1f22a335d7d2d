"""The private cluster: started, shared, killed and started again, as root or as an ordinary user."""

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from geodata.cluster import Cluster

PROJECT = Path(__file__).resolve().parents[2]
NOBODY = 65534
AS_ROOT = os.geteuid() == 0


def remove(cluster: Cluster) -> None:
    with contextlib.suppress(Exception):
        cluster.stop()
    socket = cluster.status().socket
    shutil.rmtree(cluster.home, ignore_errors=True)
    if socket:
        shutil.rmtree(socket, ignore_errors=True)


def new_home(name: str = "cluster") -> Path:
    """A folder for one cluster, in a folder of its own: for root where the user postgres can reach it."""
    if AS_ROOT:
        parent = Path("/var/lib/sozialraumkarte") / f"test-{uuid.uuid4().hex[:12]}"
        parent.mkdir(parents=True)
        return parent / name
    return Path(tempfile.mkdtemp(prefix="srk-test-")) / name


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster that was not made yet; shadows the suite's own, which these tests must not disturb."""
    made = Cluster(new_home(), durable=False)
    yield made
    remove(made)
    shutil.rmtree(made.home.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    """One started cluster, in a folder with a space and an umlaut, for the tests that only look or start again."""
    made = Cluster(new_home("Jugendämter der Stadt, Süd's Daten"), durable=False)
    try:
        made.start()
        yield made
    finally:
        remove(made)
        shutil.rmtree(made.home.parent, ignore_errors=True)


def postmaster(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])


def system_identifier(cluster: Cluster) -> object:
    with cluster.connect("postgres") as connection:
        row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    assert row is not None
    return row[0]


def program(source: str, *arguments: str) -> "subprocess.Popen[str]":
    preamble = "import sys; from pathlib import Path; from geodata.cluster import Cluster\n"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", preamble + source, *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_cluster_is_made_started_and_stopped(cluster: Cluster) -> None:
    before = cluster.status()
    assert (before.exists, before.running, before.server_version) == (False, False, None)
    assert cluster.stop() is False

    cluster.start()
    up = cluster.status()
    assert (up.exists, up.running) == (True, True)
    assert up.server_version is not None
    assert up.server_version[:2].isdigit()
    assert up.data == str(cluster.home / "data")
    identity = system_identifier(cluster)
    first = postmaster(cluster)
    cluster.start()
    assert postmaster(cluster) == first

    assert cluster.stop() is True
    down = cluster.status()
    assert (down.exists, down.running) == (True, False)
    assert cluster.stop() is False

    cluster.start()
    assert system_identifier(cluster) == identity


def test_a_look_at_the_status_makes_nothing(cluster: Cluster) -> None:
    cluster.status()
    assert not cluster.home.exists()


def test_two_processes_starting_at_once_get_one_cluster(cluster: Cluster) -> None:
    source = """
cluster = Cluster(Path(sys.argv[1]), durable=False)
sys.stdin.readline()
cluster.start()
with cluster.connect("postgres") as connection:
    print(connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()[0])
"""
    starters = [program(source, str(cluster.home)) for _ in range(2)]
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("go\n")
        starter.stdin.flush()
    outcomes = [starter.communicate(timeout=60) for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0], outcomes
    assert outcomes[0][0] == outcomes[1][0] == f"{system_identifier(cluster)}\n"


USER = """
cluster = Cluster(Path(sys.argv[1]), durable=False)
with cluster.in_use():
    print("in", flush=True)
    sys.stdin.readline()
print("out", flush=True)
"""


def test_the_last_user_stops_the_cluster_and_no_other(cluster: Cluster) -> None:
    first, second = program(USER, str(cluster.home)), program(USER, str(cluster.home))
    for user in (first, second):
        assert user.stdout is not None
        assert user.stdout.readline() == "in\n"
    pid = postmaster(cluster)
    assert first.communicate("leave\n", timeout=60) == ("out\n", "")
    assert cluster.status().running
    assert postmaster(cluster) == pid
    assert second.communicate("leave\n", timeout=60) == ("out\n", "")
    assert not cluster.status().running


def test_users_leaving_at_once_leave_no_server_behind(cluster: Cluster) -> None:
    users = [program(USER, str(cluster.home)) for _ in range(3)]
    for user in users:
        assert user.stdout is not None
        assert user.stdout.readline() == "in\n"
    for user in users:
        assert user.stdin is not None
        user.stdin.write("leave\n")
        user.stdin.flush()
    outcomes = [user.communicate(timeout=60) for user in users]
    assert outcomes == [("out\n", "")] * 3
    assert not cluster.status().running


def test_a_killed_user_counts_no_longer(cluster: Cluster) -> None:
    killed = program(USER, str(cluster.home))
    assert killed.stdout is not None
    assert killed.stdout.readline() == "in\n"
    killed.kill()
    killed.communicate(timeout=60)
    assert cluster.status().running
    with cluster.in_use():
        assert cluster.status().running
    assert not cluster.status().running


def test_a_kept_cluster_outlives_its_users(cluster: Cluster) -> None:
    assert not cluster.kept()
    cluster.keep(True)
    assert cluster.kept()
    with cluster.in_use():
        pass
    assert cluster.status().running
    cluster.keep(False)
    assert not cluster.kept()
    with cluster.in_use():
        pass
    assert not cluster.status().running
    with cluster.in_use(keep_running=True):
        pass
    assert cluster.status().running


def test_an_error_inside_still_stops_the_cluster(cluster: Cluster) -> None:
    def use_and_fail() -> None:
        with cluster.in_use():
            assert cluster.status().running
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_and_fail()
    assert not cluster.status().running


def test_after_a_kill_the_cluster_starts_again_with_its_data(cluster: Cluster) -> None:
    cluster.start()
    with cluster.connect("postgres") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.execute("CHECKPOINT")
    killed = postmaster(cluster)
    os.kill(killed, signal.SIGKILL)
    cluster.start()
    assert postmaster(cluster) != killed
    with cluster.connect("postgres") as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_half_an_initdb_is_cleared_away(cluster: Cluster) -> None:
    half = cluster.home / "data.new"
    (half / "base").mkdir(parents=True)
    (half / "PG_VERSION").write_text("9.0\n")
    (half / "base" / "rubbish").write_text("rubbish")
    assert not cluster.status().exists
    cluster.start()
    assert cluster.status().running
    assert not half.exists()
    assert not (cluster.data / "base" / "rubbish").exists()


@pytest.mark.parametrize("content", ["{stranger}\n{data}\n", "not a number\n", "", "99999999\n"])
def test_a_stale_pid_file_neither_prevents_a_start_nor_hurts_the_stranger(running: Cluster, content: str) -> None:
    running.start()
    running.stop()
    stranger = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        written = content.format(stranger=stranger.pid, data=running.data)
        (running.data / "postmaster.pid").write_text(written)
        running.start()
        assert running.status().running
        assert postmaster(running) != stranger.pid
        running.stop()
        assert stranger.poll() is None
    finally:
        stranger.communicate(timeout=30)


def test_the_pid_of_this_very_process_is_a_stranger_too(running: Cluster) -> None:
    running.start()
    running.stop()
    (running.data / "postmaster.pid").write_text(f"{os.getpid()}\n{running.data}\n")
    running.start()
    assert postmaster(running) != os.getpid()


def test_a_server_that_is_slow_to_answer_is_waited_for(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server still recovering holds its pid file: pg_ctl refuses a second one, and the first comes up."""
    running.start()
    pid = postmaster(running)
    real, begun = running._answers, time.monotonic()
    monkeypatch.setattr(running, "_answers", lambda: time.monotonic() - begun > 1 and real())
    running.start()
    assert postmaster(running) == pid
    assert running.status().running


def test_a_path_with_space_umlaut_comma_and_apostrophe_works_in_the_url(running: Cluster) -> None:
    from sqlalchemy import create_engine, text

    running.start()
    engine = create_engine(running.url("postgres"))
    with engine.connect() as connection:
        assert connection.execute(text("SHOW data_directory")).scalar() == str(running.data)
    engine.dispose()


def test_the_socket_folder_is_private(running: Cluster) -> None:
    running.start()
    socket = Path(str(running.status().socket))
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(running.home.stat().st_mode) == 0o700
    assert stat.S_IMODE(running.data.stat().st_mode) == 0o700
    assert (socket / ".s.PGSQL.5432").is_socket()


def test_nothing_listens_on_tcp(running: Cluster) -> None:
    running.start()
    held = set()
    for descriptor in Path(f"/proc/{postmaster(running)}/fd").iterdir():
        with contextlib.suppress(OSError):
            held.add(str(descriptor.readlink()))
    unix = {f"socket:[{line.split()[6]}]" for line in Path("/proc/net/unix").read_text().splitlines()[1:]}
    assert held & unix, "the server's sockets cannot be seen, so their absence would prove nothing"
    for table in ("tcp", "tcp6"):
        path = Path("/proc/net") / table
        lines = path.read_text().splitlines()[1:] if path.exists() else []
        assert not held & {f"socket:[{line.split()[9]}]" for line in lines}
    with running.connect("postgres") as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.parametrize(
    "below",
    ["plain", "mit Leer und Ümlaut", "Amt, Abteilung", "/".join(["ein-sehr-tiefer-pfad-der-kein-ende-nimmt"] * 4)],
)
def test_an_ordinary_user_has_a_cluster_too(below: str) -> None:
    top = Path(tempfile.mkdtemp(prefix="srk-test-"))
    home = top / below
    made: list[str] = []
    try:
        if AS_ROOT:
            os.chown(top, NOBODY, NOBODY)
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                str(Path(__file__).with_name("ordinary_user.py")),
                str(home),
                str(os.getpid()),
            ],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        made = [socket for socket in found["sockets"] if socket]
        assert found["uid"] == (NOBODY if AS_ROOT else os.geteuid())
        assert found["before"] == [False, False]
        assert found["running"] == [True, True, True]
        assert (found["stopped"], found["finally"]) == (False, False)
        assert len(set(found["sockets"])) == 1
        assert len(os.fsencode(found["sockets"][0])) <= 90
        assert found["mode"] == 0o700
        assert found["owner"] == found["uid"]
        assert found["listen_addresses"] == [""]
    finally:
        shutil.rmtree(top, ignore_errors=True)
        for socket in made:
            shutil.rmtree(socket, ignore_errors=True)
