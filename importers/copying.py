"""Rows into a staging table by COPY: the fast way in, inside the import's own transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.bulk import raw_connection


def staging_table(session: Session, name: str, columns: Sequence[tuple[str, str]]) -> None:
    """Create an empty temporary table of ours (name, [(column, type)]) that goes with the transaction."""
    listed = ", ".join(f'"{column}" {kind}' for column, kind in columns)
    session.execute(text(f"DROP TABLE IF EXISTS pg_temp.{name}"))
    session.execute(text(f"CREATE TEMPORARY TABLE {name} ({listed}) ON COMMIT DROP"))


def copy_rows(session: Session, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Stream rows into the staging table; None is NULL."""
    listed = ", ".join(f'"{column}"' for column in columns)
    with raw_connection(session).cursor() as cursor, cursor.copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
