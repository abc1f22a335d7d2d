"""Errors as a log may hold them: what kind, and where they arose. Never their words.

The database quotes in its message, its DETAIL and its CONTEXT the very cell it stumbled over; other libraries quote
what they could not read. Those may be a name, an address or what somebody searched for.
"""

import traceback
from collections.abc import Iterator

import psycopg
from sqlalchemy.exc import DBAPIError


def discreet(error: BaseException) -> str:
    """Return an error and those it came from, the first one first: stack, type and, of the database's, SQLSTATE."""
    return "\n".join(_lines(error, set()))


def _lines(error: BaseException, told: set[int]) -> Iterator[str]:
    told.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in told:
        yield from _lines(before, told)
        yield "followed by"
    yield from (line.rstrip("\n") for line in traceback.format_tb(error.__traceback__))
    yield _kind(error)
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            if id(part) not in told:
                yield "which holds"
                yield from _lines(part, told)


def _kind(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error):
        state = cause.sqlstate
        # Without a state it is the connection that failed, not a statement.
        words = str(cause) if state is None and isinstance(cause, psycopg.OperationalError) else ""
        return f"{name} (SQLSTATE {state})" if state else f"{name}: {words}".removesuffix(": ")
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"  # the system's own words, without the file's name
    return name
