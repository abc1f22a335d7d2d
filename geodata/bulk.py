"""Columns of numbers between arrays and the database, through COPY in its binary form.

A million rows in a second, where rows as Python objects take ten. Only columns of fixed width without NULL.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy.orm import Session

# numpy's names of what the database holds: integer, bigint, double precision, boolean.
KINDS = {"i4": ">i4", "i8": ">i8", "f8": ">f8", "b": "?"}

_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)  # signature, no flags, no extension
_END = b"\xff\xff"
_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])
_POINT_WITH_SRID = 0x20000001

Column: TypeAlias = NDArray[Any]


def raw_connection(session: Session) -> "psycopg.Connection[Any]":
    """Return the driver's connection of this session's transaction."""
    return session.connection().connection.driver_connection  # type: ignore[return-value]


def points(xy: NDArray[np.float64], srid: int) -> Column:
    """Return points (shape (n, 2)) as a column for ``write_arrays``."""
    made = np.zeros(len(xy), dtype=_POINT)
    made["order"], made["kind"], made["srid"] = 1, _POINT_WITH_SRID, srid
    made["x"], made["y"] = xy[:, 0], xy[:, 1]
    return made


def _row(columns: Sequence[tuple[str, Any]]) -> "np.dtype[np.void]":
    fields: list[Any] = [("count", ">i2")]
    for name, kind in columns:
        fields += [(f"{name} width", ">i4"), (name, kind)]
    return np.dtype(fields)


def read_arrays(session: Session, query: str, columns: Mapping[str, str]) -> dict[str, Column]:
    """Return the columns of a query (no NULL; nothing bound), each by its name and kind (``KINDS``), in their order.

    Raises ``ValueError`` if the rows are not of these widths.
    """
    dtype = _row([(name, KINDS[kind]) for name, kind in columns.items()])
    with raw_connection(session).cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as copy:
        raw = b"".join(copy)
    body = len(raw) - len(_HEAD) - len(_END)
    if body % dtype.itemsize:
        raise ValueError("the query's rows hold NULL or other types than those named")
    rows = np.frombuffer(raw, dtype=dtype, offset=len(_HEAD), count=body // dtype.itemsize)
    return {name: rows[name].astype(KINDS[kind].replace(">", "=")) for name, kind in columns.items()}


def write_arrays(session: Session, table: str, columns: Mapping[str, Column]) -> None:
    """Append rows to a table (names of ours); each column is an array whose type is that of the table's column.

    ``int32`` is integer, ``int64`` bigint, ``float64`` double precision, ``bool`` boolean, ``S<n>`` text of n bytes
    in every row; points come from ``points``.
    """
    kinds = [
        (name, column.dtype if column.dtype.kind in "VS" else column.dtype.newbyteorder(">"))
        for name, column in columns.items()
    ]
    rows = np.zeros(len(next(iter(columns.values()))), dtype=_row(kinds))
    rows["count"] = len(columns)
    for name, column in columns.items():
        rows[f"{name} width"] = column.dtype.itemsize
        rows[name] = column
    listed = ", ".join(f'"{name}"' for name in columns)
    statement = f"COPY {table} ({listed}) FROM STDIN (FORMAT binary)"
    with raw_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD + rows.tobytes() + _END)
