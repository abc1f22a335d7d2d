"""Reading ahead: the population surface and the network are large, and the first who asks should not wait for them."""

import threading

import structlog
from sqlalchemy import Engine

from geodata.areas import levels
from geodata.coverage.people import people_of
from geodata.database import reading
from geodata.errors import SrkError
from geodata.network import graph_for

_log = structlog.get_logger()


def start(engine: Engine) -> threading.Thread:
    """Begin to read beside the starting service; return the thread that does it."""
    thread = threading.Thread(target=read_ahead, args=(engine,), name="warming", daemon=True)
    thread.start()
    return thread


def read_ahead(engine: Engine) -> None:
    """Read what coverage needs of every level and of walking; what cannot be read now is read when asked for.

    The libraries of maps of numbers come first: they take seconds to import, which is no visitor's matter.
    """
    import mapclassify  # noqa: F401, PLC0415 - for its being there
    import matplotlib.figure  # noqa: F401, PLC0415

    try:
        with reading(engine) as session:
            people = people_of(session)
            if people is None:
                return
            for level in levels(session):
                people.owner(session, level.level)
            if graph_for(session, "walk") is not None:
                people.snaps(session, "walk")
    except SrkError as error:
        _log.warning("not read ahead", reason=str(error))
