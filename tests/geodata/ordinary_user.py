"""Drives a private cluster as a user who is not root: run as a program, prints one JSON object.

Started by root it first imports everything and then becomes ``nobody`` for good: the project and its Python may lie
where ``nobody`` cannot read.
"""

import encodings.idna  # noqa: F401 - psycopg wants it only later, when it may be out of reach
import json
import os
import sys
from pathlib import Path

from geodata.cluster import Cluster

NOBODY = 65534


def become_ordinary() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def main() -> None:
    home, stranger = Path(sys.argv[1]), sys.argv[2]
    become_ordinary()
    os.umask(0o022)
    cluster = Cluster(home, durable=False)
    before = cluster.status()
    with cluster.in_use():
        first = cluster.status()
        socket = Path(str(first.socket))
        with cluster.connect("postgres") as connection:
            shown = connection.execute("SHOW listen_addresses").fetchone()
        again = Cluster(home, durable=False).status()
    stopped = cluster.status()
    (cluster.data / "postmaster.pid").write_text(f"{stranger}\n{cluster.data}\n")
    cluster.start()
    second = cluster.status()
    mode = socket.stat().st_mode & 0o777
    owner = socket.stat().st_uid
    cluster.stop()
    found = {
        "uid": os.geteuid(),
        "before": [before.exists, before.running],
        "running": [first.running, again.running, second.running],
        "stopped": stopped.running,
        "sockets": [first.socket, again.socket, second.socket],
        "mode": mode,
        "owner": owner,
        "listen_addresses": list(shown or ()),
        "finally": cluster.status().running,
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
