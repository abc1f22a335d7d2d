from pathlib import Path

from conftest import throwaway_home

from geodata.cluster import Cluster


def test_destroying_leaves_nothing_behind() -> None:
    cluster = Cluster(throwaway_home(), durable=False)
    cluster.start()
    socket = Path(str(cluster.status().socket))
    assert socket.exists()
    cluster.destroy()
    assert not socket.exists()
    assert not cluster.home.exists()
    assert not cluster.status().running
