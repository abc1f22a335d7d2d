"""Roles, extensions and migrations: bringing any PostGIS to the state the code expects.

Roles belong to the cluster, not to a database, so they are made here, idempotently, and never dropped;
migrations only GRANT. Everything in the database is owned by the plain role ``srk_owner``.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import psycopg.errors
from psycopg import sql
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, NotSupportedError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from geodata.cluster import Cluster
from geodata.database import OWNER, READ_GROUP, WRITE_GROUP, WRITER_LOCK
from geodata.errors import DatabaseStateError

if TYPE_CHECKING:
    from alembic.config import Config

SERVING_LOGIN = "srk_app"
_GROUPS = (OWNER, READ_GROUP, WRITE_GROUP)


def config(connection: Connection | None = None) -> "Config":
    """Return Alembic's configuration, bound to ``connection`` where one is given."""
    from alembic.config import Config  # noqa: PLC0415 - only migrations pay for Alembic's import

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.set_main_option("path_separator", "os")
    if connection is not None:
        made.attributes["connection"] = connection
    return made


def revision_of(cluster: Cluster, database: str) -> str | None:
    """Return the revision a database of the private cluster is at; None if it is missing or empty."""
    try:
        with cluster.connect(database) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return None
    return str(row[0]) if row else None


def revision_of_url(url: str) -> str | None:
    """Return the revision of the database behind ``url``; None if it was never migrated."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT to_regclass('schema_revision') IS NOT NULL")).scalar()
            if not found:
                return None
            row = connection.execute(text("SELECT version_num FROM schema_revision")).scalar()
            return None if row is None else str(row)
    except OperationalError as error:
        raise DatabaseStateError("Die Datenbank ist nicht erreichbar.") from error
    finally:
        engine.dispose()


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database behind ``url`` to ``revision``: groups, extension, migrations, in that order.

    ``url`` needs the right to create roles and the extension, unless both are there already.
    """
    from alembic import command  # noqa: PLC0415

    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            # Two migrations of one database at once: the second waits and finds everything done.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
            _ensure_groups(connection)
            _ensure_extensions(connection)
            connection.execute(text(f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER}"))
            connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {READ_GROUP}, {WRITE_GROUP}"))
            database = connection.dialect.identifier_preparer.quote(engine.url.database or "postgres")
            connection.execute(text(f"GRANT TEMPORARY ON DATABASE {database} TO {WRITE_GROUP}"))
            connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
            command.upgrade(config(connection), revision)
    except OperationalError as error:
        raise DatabaseStateError("Die Datenbank ist nicht erreichbar.") from error
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Take the database back to ``revision``; what the newer revisions added is dropped with its data."""
    from alembic import command  # noqa: PLC0415

    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
        command.downgrade(config(connection), revision)
    engine.dispose()


def prepare_private_database(cluster: Cluster, database: str) -> None:
    """Create ``database`` in the private cluster if it is not there, and bring it to the newest revision."""
    with cluster.connect("postgres") as connection:
        for statement in (f'CREATE DATABASE "{database}"', f"CREATE ROLE {SERVING_LOGIN} LOGIN"):
            try:
                connection.execute(statement)
            except (
                psycopg.errors.DuplicateDatabase,
                psycopg.errors.DuplicateObject,
                psycopg.errors.UniqueViolation,
            ):
                continue
    migrate(cluster.url(database))
    with cluster.connect(database) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITER_LOCK,))
        connection.execute(f"GRANT {READ_GROUP} TO {SERVING_LOGIN}")


def make_serving_login(url: str, login: str, password: str) -> None:
    """Create (or give a new password to) a login that has the reading group's rights and no others."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, psycopg.Connection)  # noqa: S101 - for the type checker
            known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": login})
            statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                sql.SQL("ALTER" if known else "CREATE"), sql.Identifier(login), sql.Literal(password)
            )
            raw.execute(statement)
            raw.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(READ_GROUP), sql.Identifier(login)))
    except psycopg.Error as error:
        # The statement holds the password: nothing of it goes into the message.
        raise DatabaseStateError(f"Der Datenbank-Zugang „{login}“ ließ sich nicht anlegen.") from error
    finally:
        engine.dispose()


def _ensure_groups(connection: Connection) -> None:
    for group in _GROUPS:
        try:
            with connection.begin_nested():
                if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": group}):
                    connection.execute(text(f"CREATE ROLE {group} NOLOGIN"))
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
                raise DatabaseStateError(
                    f"Die Rolle „{group}“ fehlt, und dieser Zugang darf sie nicht anlegen. "
                    f"Bitte als Verwalter einmal ausführen: CREATE ROLE {group} NOLOGIN;"
                ) from error
            # Another database of the same cluster may be migrated at the same moment.
            if not isinstance(error.orig, psycopg.errors.DuplicateObject | psycopg.errors.UniqueViolation):
                raise
        member = connection.scalar(text("SELECT pg_has_role(current_user, :name, 'MEMBER')"), {"name": group})
        if not member:
            connection.execute(text(f"GRANT {group} TO CURRENT_USER"))


# PostGIS for all that is spatial, pg_trgm for the geocoder (a trusted one: whoever may create here may add it).
_EXTENSIONS = ("postgis", "pg_trgm")


def _ensure_extensions(connection: Connection) -> None:
    for name in _EXTENSIONS:
        if connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = :name"), {"name": name}):
            continue
        try:
            with connection.begin_nested():
                connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {name}"))
        except (ProgrammingError, NotSupportedError) as error:
            raise DatabaseStateError(
                f"Die Erweiterung {name} fehlt in dieser Datenbank, und dieser Zugang darf sie nicht anlegen. "
                f"Bitte als Verwalter einmal ausführen: CREATE EXTENSION {name};"
            ) from error
