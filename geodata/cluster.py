"""The private PostGIS: a cluster of the system's own PostgreSQL packages, on a Unix socket only.

One behaviour from the laptop to the office's server. The cluster belongs to one folder; its superuser is
always ``postgres``, reachable only through a socket folder of mode 0700. PostgreSQL refuses to run as
root, so for root every program of it runs as the system user ``postgres``.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from geodata.errors import DatabaseStateError

SUPERUSER = "postgres"
_SOCKET_NAME = ".s.PGSQL.5432"
_MAX_SOCKET_BYTES = 100  # the kernel takes 107
_UNFIT_IN_SOCKET_PATH = frozenset(",\\")  # to libpq a list of hosts, to postgresql.conf an escape
_START_TIMEOUT_S = "30"
_RETRY_AFTER_CRASH_S = 10.0


@dataclass(frozen=True)
class ClusterStatus:
    """What ``db status`` reports: whether the cluster exists and answers, and where it lives."""

    exists: bool
    running: bool
    data: str
    socket: str | None
    server_version: str | None


def find_binaries() -> Path:
    """Return the folder with ``initdb`` and ``postgres``, the newest installed; raise if there is none."""
    candidates: list[Path] = []
    pg_config = shutil.which("pg_config")
    if pg_config:
        out = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        candidates.append(Path(out))
    versioned = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(versioned, key=lambda p: [int(n) for n in re.findall(r"\d+", str(p))], reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise DatabaseStateError(
        "PostgreSQL ist nicht installiert. Bitte „scripts/setup.sh“ ausführen oder SRK_DATABASE_URL setzen."
    )


class Cluster:
    """A private PostgreSQL cluster under ``home``.

    ``durable=False`` switches fsync off (tests). All methods may be called by several processes at once:
    a file lock serialises start and stop.
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home.absolute()
        self.durable = durable
        self.data = self.home / "data"
        self._as_root = os.geteuid() == 0
        self._user = "postgres" if self._as_root else None
        self._usage: int | None = None

    # -- public face -------------------------------------------------------------------------------

    def start(self) -> None:
        """Create the cluster if there is none and start it if it does not run; return when it answers."""
        if '"' in str(self.home):
            raise DatabaseStateError("Der Pfad der Datenbank darf kein Anführungszeichen enthalten (SRK_DATA_DIR).")
        self._make_home()
        with self._lock():
            if self._answers():
                return
            if not self._initialised():
                self._initialise()
            self._clear_stale_pid()
            self._launch()

    def stop(self) -> bool:
        """Stop the cluster; return False if it did not run."""
        if not self._initialised():
            return False
        with self._lock():
            return self._stop()

    def destroy(self) -> None:
        """Stop the cluster and remove it with all its data and its socket folder."""
        with contextlib.suppress(DatabaseStateError):
            self.stop()
        socket = self._socket_folder(create=False)
        for folder in filter(None, (socket, self.home)):
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def in_use(self, *, keep_running: bool = False) -> Iterator[None]:
        """Run the cluster while the block runs; the last user to leave stops it.

        A cluster started with ``db start`` (or ``keep_running``) stays. Works across processes: each
        user holds a shared lock, and whoever can turn it into an exclusive one is the last.
        """
        self._make_home()
        with (self.home / "users.lock").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            self.start()
            try:
                yield
            finally:
                if not keep_running and not self.kept():
                    with self._lock(), contextlib.suppress(BlockingIOError):
                        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        self._stop()

    def keep(self, kept: bool) -> None:
        """Remember whether the cluster is to outlive its users (``db start``) or not (``db stop``)."""
        self._make_home()
        marker = self.home / "keep"
        if kept:
            marker.touch()
        else:
            marker.unlink(missing_ok=True)

    def kept(self) -> bool:
        """Tell whether ``db start`` asked for a cluster that stays."""
        return (self.home / "keep").exists()

    def status(self) -> ClusterStatus:
        """Report without starting anything."""
        running = self._initialised() and self._answers()
        version = None
        if running:
            with self.connect("postgres") as connection:
                row = connection.execute("SHOW server_version").fetchone()
                version = str(row[0]) if row else None
        socket = self._socket_folder(create=False)
        return ClusterStatus(self._initialised(), running, str(self.data), str(socket) if socket else None, version)

    def url(self, database: str, user: str = SUPERUSER) -> str:
        """Return the SQLAlchemy URL of ``database`` through the socket."""
        folder = self._socket_folder(create=True)
        return f"postgresql+psycopg://{quote(user)}@/{quote(database)}?host={quote(str(folder), safe='')}"

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """Open a superuser connection in autocommit mode."""
        folder = self._socket_folder(create=True)
        return psycopg.connect(host=str(folder), dbname=database, user=SUPERUSER, autocommit=True, connect_timeout=5)

    # -- files -------------------------------------------------------------------------------------

    def _make_home(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if self._as_root:
            account = _postgres_account()
            os.chown(self.home, account.pw_uid, account.pw_gid)
            self.home.chmod(0o700)
            probe = subprocess.run(["/usr/bin/test", "-w", str(self.home)], user="postgres", check=False, cwd="/")
            if probe.returncode != 0:
                raise DatabaseStateError(
                    f"Der Ordner {self.home} ist für den Systembenutzer „postgres“ nicht erreichbar; "
                    "bitte SRK_DATA_DIR auf einen anderen Ordner setzen."
                )
        else:
            self.home.chmod(0o700)

    def _socket_folder(self, *, create: bool) -> Path | None:
        """Return the socket folder: short, private, and the same for every process of this cluster."""
        if self._as_root:
            digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
            folder = Path("/run/sozialraumkarte") / digest
            if create and not folder.is_dir():
                folder.parent.mkdir(mode=0o755, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
                account = _postgres_account()
                os.chown(folder, account.pw_uid, account.pw_gid)
            return folder
        folder = self.home / "s"
        fits = len(os.fsencode(folder / _SOCKET_NAME)) <= _MAX_SOCKET_BYTES
        if fits and not _UNFIT_IN_SOCKET_PATH.intersection(str(folder)):
            if create:
                folder.mkdir(mode=0o700, exist_ok=True)
            return folder
        # The path does not do for a socket: a folder of random name, remembered beside the data.
        memory = self.home / "socket.json"
        if memory.exists():
            remembered = Path(json.loads(memory.read_text())["folder"])
            if _is_private(remembered):
                return remembered
        if not create:
            return None
        fresh = Path(tempfile.mkdtemp(prefix="srk-"))
        memory.write_text(json.dumps({"folder": str(fresh)}))
        return fresh

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.home / "start.lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    # -- PostgreSQL's own programs -----------------------------------------------------------------

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "TZ": "UTC"}
        return subprocess.run(
            command,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._as_root else None,
            cwd="/",
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def _initialise(self) -> None:
        # Into a folder of its own, renamed when whole: a killed initdb leaves nothing that looks like a cluster.
        half = self.home / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        done = self._run(
            str(find_binaries() / "initdb"),
            f"--pgdata={half}",
            f"--username={SUPERUSER}",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        )
        if done.returncode != 0:
            raise DatabaseStateError(f"Der Datenbank-Cluster konnte nicht angelegt werden: {_last_line(done.stdout)}")
        with (half / "postgresql.conf").open("a") as conf:
            conf.write("include_if_exists = 'srk.conf'\n")
        shutil.rmtree(self.data, ignore_errors=True)
        half.rename(self.data)

    def _write_configuration(self) -> None:
        folder = str(self._socket_folder(create=True)).replace('"', '""').replace("'", "''")
        lines = [
            "listen_addresses = ''",
            f"unix_socket_directories = '\"{folder}\"'",
            "unix_socket_permissions = 0700",
            "port = 5432",
            "max_connections = 60",
            "shared_buffers = 256MB",
            "work_mem = 32MB",
            "maintenance_work_mem = 256MB",
            "max_wal_size = 2GB",
            "random_page_cost = 1.1",
            "jit = off",
            "log_min_messages = warning",
            "timezone = 'UTC'",
        ]
        if not self.durable:
            lines += ["fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off"]
        (self.data / "srk.conf").write_text("\n".join(lines) + "\n")
        if self._as_root:
            account = _postgres_account()
            os.chown(self.data / "srk.conf", account.pw_uid, account.pw_gid)

    def _launch(self) -> None:
        self._write_configuration()
        pg_ctl = str(find_binaries() / "pg_ctl")
        log = str(self.home / "postgres.log")
        deadline = time.monotonic() + _RETRY_AFTER_CRASH_S
        while True:
            self._run(pg_ctl, "-D", str(self.data), "-l", log, "-w", "-t", str(int(_START_TIMEOUT_S)), "start")
            # A server still recovering from a start cut short makes pg_ctl refuse a second one: it does as well.
            if self._answers():
                return
            # Children of a killed server can hold its memory for some seconds.
            if time.monotonic() > deadline:
                raise DatabaseStateError(f"Die Datenbank ließ sich nicht starten; Näheres steht in {log}.")
            time.sleep(0.3)
            self._clear_stale_pid()

    def _stop(self) -> bool:
        if not self._answers():
            return False
        stopped = self._run(str(find_binaries() / "pg_ctl"), "-D", str(self.data), "-m", "fast", "-w", "stop")
        if stopped.returncode != 0:
            raise DatabaseStateError(f"Die Datenbank ließ sich nicht anhalten: {_last_line(stopped.stdout)}")
        return True

    def _answers(self) -> bool:
        folder = self._socket_folder(create=False)
        if folder is None or not (folder / _SOCKET_NAME).exists():
            return False
        try:
            self.connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _clear_stale_pid(self) -> None:
        """Remove a ``postmaster.pid`` whose number belongs to no server of this cluster."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            pid_file.unlink(missing_ok=True)
            return
        try:
            ours = Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.data.resolve()
        except OSError:
            ours = False
        if not ours:
            pid_file.unlink(missing_ok=True)


def _postgres_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise DatabaseStateError("Der Systembenutzer „postgres“ fehlt; bitte „scripts/setup.sh“ ausführen.") from None


def _is_private(folder: Path) -> bool:
    try:
        info = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and stat.S_IMODE(info.st_mode) == 0o700


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "ohne Meldung"
