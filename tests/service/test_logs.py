"""What the logs hold of an error: where it arose and of what kind, never what somebody typed or a list holds."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geodata.database import reading, writing
from geodata.discreet import discreet
from importers.copying import copy_rows, staging_table
from service import logs

if TYPE_CHECKING:
    from conftest import Database

ADDRESS = "Geheimweg 7"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """What the service has logged since, by its own configuration."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    before, factory = structlog.get_config(), logging.getLogRecordFactory()
    logs.configure("INFO")
    yield written.getvalue
    structlog.configure(**before)
    logging.setLogRecordFactory(factory)


def wrong_type(database: "Database") -> None:
    with reading(database.serving) as session:
        session.execute(text("SELECT CAST(:place AS int)"), {"place": ADDRESS})


def stored_twice(database: "Database") -> None:
    # The database's DETAIL quotes the key that is there already.
    with writing(database.writing) as session:
        for _ in range(2):
            session.execute(text("INSERT INTO provider (key, name) VALUES (:key, 'x')"), {"key": ADDRESS})


def copied(database: "Database") -> None:
    # Its CONTEXT quotes the line, and COPY goes past SQLAlchemy.
    with writing(database.writing) as session:
        staging_table(session, "stage_x", (("row", "int"),))
        copy_rows(session, "stage_x", ["row"], [(ADDRESS,)])


def no_number(_database: "Database") -> None:
    float(ADDRESS)


def wrapped(database: "Database") -> None:
    try:
        stored_twice(database)
    except DBAPIError as error:
        raise RuntimeError(f"mit {ADDRESS}") from error


FAILING: dict[str, tuple[Callable[[Any], None], str]] = {
    "type": (wrong_type, "22P02"),
    "key": (stored_twice, "23505"),
    "copy": (copied, "22P02"),
    "python": (no_number, "ValueError"),
    "wrapped": (wrapped, "23505"),
}


@pytest.mark.parametrize("how", FAILING)
def test_an_error_is_told_without_its_words(database: "Database", lines: Callable[[], str], how: str) -> None:
    fail, kind = FAILING[how]
    log: Any = structlog.get_logger()
    words = ""
    try:
        fail(database)
    except Exception as error:
        words = f"{error} {error.__cause__}"
        log.exception("upload failed", error=type(error).__name__)
        # The server tells of the same error by the standard library.
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    assert ADDRESS in words, "there is something to hide"
    told = lines()
    assert ADDRESS not in told
    event = json.loads(told.splitlines()[0])
    assert kind in event["exception"]
    assert f"in {fail.__name__}" in event["exception"], "where it arose"
    assert (event["event"], event["level"]) == ("upload failed", "error")
    assert "exc_info" not in event


def test_records_of_others_carry_the_stack(lines: Callable[[], str]) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.getLogger("srk-test")
    logger.addHandler(handler)
    try:
        float(ADDRESS)
    except ValueError:
        logger.exception("Exception in ASGI application")
    finally:
        logger.removeHandler(handler)
    assert "ValueError" in written.getvalue()
    assert "test_records_of_others_carry_the_stack" in written.getvalue()
    assert ADDRESS not in written.getvalue() + lines()


def test_errors_of_the_database_do_not_hold_what_was_sent(database: "Database") -> None:
    with pytest.raises(DBAPIError) as error, reading(database.serving) as session:
        session.execute(text("SELECT 1 / CAST(:zero AS int), CAST(:place AS text)"), {"zero": 0, "place": ADDRESS})
    assert "SELECT 1" in str(error.value)
    assert ADDRESS not in str(error.value)


def test_without_an_error_nothing_is_added(lines: Callable[[], str]) -> None:
    log: Any = structlog.get_logger()
    log.info("request", path="/karte")
    event = orjson.loads(lines())
    assert event.keys() == {"event", "path", "level", "timestamp"}
    assert logs.discreet_error(None, "error", {"event": "odd", "exc_info": True}) == {"event": "odd"}


def test_several_errors_at_once_and_errors_of_the_system() -> None:
    def failed() -> BaseException:
        try:
            raise FileNotFoundError(2, "No such file or directory", f"/home/{ADDRESS}.csv")
        except OSError as error:
            return error

    told = discreet(ExceptionGroup(ADDRESS, [failed(), ValueError(ADDRESS)]))
    assert "FileNotFoundError: No such file or directory" in told
    assert "ValueError" in told
    assert ADDRESS not in told
    # An error that is its own cause ends all the same.
    error = ValueError(ADDRESS)
    error.__context__ = KeyError(ADDRESS)
    error.__context__.__context__ = error
    assert discreet(error).splitlines() == ["builtins.KeyError", "followed by", "builtins.ValueError"]


def test_a_connection_that_fails_says_how() -> None:
    from geodata.database import make_engine

    engine = make_engine("postgresql+psycopg://srk@127.0.0.1:1/srk?connect_timeout=1")
    with pytest.raises(DBAPIError) as error:
        engine.connect()
    engine.dispose()
    assert "Connection refused" in discreet(error.value)
