"""Engines and transactions: who may do what is set anew, for that transaction only, each time one begins.

Role and viewer are set with ``set_config(..., true)`` (SET LOCAL) in the session's after-begin event, so
that nothing outlives its transaction in the pool. A reading transaction is REPEATABLE READ and READ ONLY:
an answer, its footnotes and its data version come from one moment.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg.errors
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, SessionTransaction

from geodata.errors import DatabaseStateError, SrkError
from geodata.viewer import PUBLIC, Viewer

READ_GROUP = "srk_read"
WRITE_GROUP = "srk_write"
OWNER = "srk_owner"

# One number for the whole project: the advisory lock that serialises writers.
WRITER_LOCK = 0x53524B


_TOO_LONG = "Die Abfrage hat zu lange gedauert und wurde abgebrochen; bitte enger eingrenzen."


class QueryTimeoutError(SrkError, TimeoutError):
    """A question took longer than ``statement_timeout_ms``."""


@dataclass(frozen=True)
class Access:
    """What a transaction may see: the viewer, and the level at which ``area_only`` offers appear."""

    viewer: Viewer = PUBLIC
    release_level: str = "stadtteil"


def make_engine(url: str, *, pool_size: int = 8, pool_timeout_s: float = 10.0) -> Engine:
    """Return an engine over psycopg 3 with a checked, bounded pool."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout_s,
        pool_pre_ping=True,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # an error's words end in logs; what was sent may be a name or an address
        connect_args={"connect_timeout": 5, "application_name": "sozialraumkarte"},
    )


def _begin_with(settings: Mapping[str, str], session: Session) -> None:
    """Give ``session`` these transaction-local settings each time a transaction begins."""
    names = list(settings)
    columns = ", ".join(f"set_config(:n{i}, :v{i}, true)" for i in range(len(names)))
    values: dict[str, Any] = {f"n{i}": name for i, name in enumerate(names)}
    values |= {f"v{i}": settings[name] for i, name in enumerate(names)}
    statement = text(f"SELECT {columns}")

    @event.listens_for(session, "after_begin")
    def _after_begin(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
        connection.execute(statement, values)


@contextlib.contextmanager
def reading(engine: Engine, access: Access | None = None, *, statement_timeout_ms: int = 15_000) -> Iterator[Session]:
    """Open one consistent, read-only transaction with the rights of ``srk_read`` and the viewer's eyes."""
    access = access or Access()
    viewer = access.viewer
    with _named_errors(), Session(_snapshots(engine)) as session:
        _begin_with(
            {
                "role": READ_GROUP,
                "statement_timeout": str(statement_timeout_ms),
                "srk.viewer_role": viewer.role.value,
                "srk.viewer_provider": viewer.provider_key or "",
                "srk.viewer_areas": ",".join(f"{level}:{key}" for level, key in viewer.office_areas),
                "srk.release_level": access.release_level,
            },
            session,
        )
        yield session


def _snapshots(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextlib.contextmanager
def writing(engine: Engine, *, group: str = WRITE_GROUP) -> Iterator[Session]:
    """Open one writing transaction; it commits when the block ends well and leaves no trace otherwise.

    ``group=OWNER`` is for maintenance (ANALYZE); imports use the default.
    """
    with _named_errors(), Session(engine) as session:
        _begin_with({"role": group, "statement_timeout": "0", "lock_timeout": "60000"}, session)
        with session.begin():
            yield session


@contextlib.contextmanager
def unhurried(session: Session, timeout_ms: int = 120_000) -> Iterator[None]:
    """Let what is read once per state of the data take longer than an answer may."""
    usual = session.execute(text("SHOW statement_timeout")).scalar_one()
    if usual == "0":  # no limit: an import
        yield
        return
    session.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(timeout_ms)})
    yield
    session.execute(text("SELECT set_config('statement_timeout', :usual, true)"), {"usual": usual})


def refresh_statistics(session: Session, tables: Iterable[str]) -> None:
    """Let the planner know the sizes of tables (names of ours) that this writing transaction has filled.

    Done inside the transaction: what is derived from the new rows is then planned for their number. Only the owner
    may do it, so the role is changed for that moment.
    """
    session.execute(text("SELECT set_config('role', :owner, true)"), {"owner": OWNER})
    for table in tables:
        session.execute(text(f"ANALYZE {table}"))
    session.execute(text("SELECT set_config('role', :group, true)"), {"group": WRITE_GROUP})


def lock_writers(session: Session) -> None:
    """Wait for the place of the one writer; held until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})


@contextlib.contextmanager
def _named_errors() -> Iterator[None]:
    """Turn the failures an operator can act on into errors with a sentence."""
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseStateError("Der Dienst ist gerade ausgelastet; bitte gleich noch einmal.") from error
    except psycopg.errors.QueryCanceled as error:  # of a COPY, which goes past SQLAlchemy
        raise QueryTimeoutError(_TOO_LONG) from error
    except DBAPIError as error:
        cause = error.orig
        if isinstance(cause, psycopg.errors.QueryCanceled):
            raise QueryTimeoutError(_TOO_LONG) from error
        if isinstance(cause, psycopg.errors.LockNotAvailable):
            raise DatabaseStateError("Ein anderer Import hält die Datenbank gerade; bitte später.") from error
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            raise DatabaseStateError(
                "Dieser Datenbank-Zugang darf das nicht; für Importe bitte SRK_ADMIN_DATABASE_URL setzen."
            ) from error
        if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedObject):
            raise DatabaseStateError(
                "Die Datenbank ist nicht eingerichtet; bitte „sozialraumkarte db migrate“ ausführen."
            ) from error
        if isinstance(error, OperationalError) and (
            error.connection_invalidated or not getattr(cause, "sqlstate", None)
        ):
            raise DatabaseStateError("Die Datenbank ist nicht erreichbar.") from error
        raise
