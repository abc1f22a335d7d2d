"""Columns of numbers between arrays and the database, through COPY in its binary form.

A million rows in a second, where rows as Python objects take ten. Only columns of fixed width without NULL.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy.orm import Session

# numpy's names of what the database holds: integer, bigint, double precision, boolean. Besides these, ``point`` is a
# geometry of points, and ``f8[n]`` an array of n numbers, none of them NULL.
KINDS = {"i4": ">i4", "i8": ">i8", "f8": ">f8", "b": "?"}

_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)  # signature, no flags, no extension
_END = b"\xff\xff"
# Rows that become columns at once: COPY hands out a small object a row, and to keep millions costs more than to read.
_ROWS_AT_ONCE = 65_536
_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")])
_POINT_WITH_SRID = 0x20000001
_ARRAY_HEAD = [(name, ">i4") for name in ("dimensions", "nulls", "element", "length", "first")]
_FLOAT8_OID = 701

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


def arrays(values: NDArray[np.float64]) -> Column:
    """Return rows of numbers (shape (n, m)) as a column of ``double precision[]`` for ``write_arrays``."""
    made = np.zeros(len(values), dtype=_array_of(values.shape[1]))
    made["dimensions"], made["element"], made["length"], made["first"] = 1, _FLOAT8_OID, values.shape[1], 1
    made["numbers"]["width"], made["numbers"]["value"] = 8, values
    return made


def _array_of(length: int) -> "np.dtype[np.void]":
    number = np.dtype([("width", ">i4"), ("value", ">f8")])
    return np.dtype([*_ARRAY_HEAD, ("numbers", number, (length,))])


def _layout(kind: str) -> "np.dtype[Any]":
    if kind == "point":
        return _POINT
    return _array_of(int(kind[3:-1])) if kind.startswith("f8[") else np.dtype(KINDS[kind])


def _plain(column: Column, kind: str) -> Column:
    """Return a column as ordinary numbers: (n,), points (n, 2), arrays (n, length)."""
    if kind == "point":
        return np.column_stack([column["x"], column["y"]])
    if kind.startswith("f8["):
        return np.asarray(column["numbers"]["value"], dtype=np.float64)
    return column.astype(KINDS[kind].replace(">", "="))


def _row(columns: Sequence[tuple[str, Any]]) -> "np.dtype[np.void]":
    fields: list[Any] = [("count", ">i2")]
    for name, kind in columns:
        fields += [(f"{name} width", ">i4"), (name, kind)]
    return np.dtype(fields)


def read_arrays(session: Session, query: str, columns: Mapping[str, str]) -> dict[str, Column]:
    """Return the columns of a query (no NULL; nothing bound), each by its name and kind (``KINDS``), in their order.

    Points come as (n, 2), arrays as (n, length).

    Raises ``ValueError`` if the rows are not of these widths.
    """
    dtype = _row([(name, _layout(kind)) for name, kind in columns.items()])
    parts: list[dict[str, Column]] = []
    held = bytearray()

    def take(rows: int) -> None:
        table = np.frombuffer(bytes(held[: rows * dtype.itemsize]), dtype=dtype)
        parts.append({name: _plain(table[name], kind) for name, kind in columns.items()})
        del held[: rows * dtype.itemsize]

    begun = False
    with raw_connection(session).cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as copy:
        for data in copy:
            held += data
            if not begun and len(held) >= len(_HEAD):
                del held[: len(_HEAD)]
                begun = True
            if len(held) >= _ROWS_AT_ONCE * dtype.itemsize + len(_END):
                take(_ROWS_AT_ONCE)
    rows, odd = divmod(len(held) - len(_END), dtype.itemsize)
    if odd:
        raise ValueError("the query's rows hold NULL or other types than those named")
    take(rows)
    return {name: np.concatenate([part[name] for part in parts]) for name in columns}


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
