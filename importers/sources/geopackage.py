"""What a GeoPackage may hold: tables. It is a SQLite database, and those can hold more than data.

A virtual table reads what it names, other files of this machine included, and a view calls functions, some of which
ask servers. GDAL runs both when it reads a layer, so the schema is looked at first, by SQLite alone.
"""

import contextlib
import re
import sqlite3
from pathlib import Path

from importers.errors import SourceError

# What every GeoPackage may have beside its tables: the spatial index of a layer.
_INDEX = re.compile(r'CREATE VIRTUAL TABLE ("[^"]*"|\w+) USING rtree\s*\([\w\s,"]*\)', re.IGNORECASE)


def require_tables_only(file: Path, name: str) -> None:
    """Raise ``SourceError`` for a GeoPackage with views or virtual tables other than spatial indexes."""
    try:
        # Nothing is written beside the file, and no function of the schema is trusted.
        with contextlib.closing(
            sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            written = dict(database.execute("SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view')"))
            kinds = {table: kind for _schema, table, kind, *_rest in database.execute("PRAGMA main.table_list")}
    except (sqlite3.Error, OSError, ValueError) as error:
        raise SourceError(f"„{name}“ ist beschädigt oder keine lesbare Geodatei.") from error
    # What is in one list only has been tampered with: it is taken for the worst.
    for table in kinds | written:
        kind = kinds.get(table)
        if kind not in {"table", "shadow"} and not (kind == "virtual" and _INDEX.fullmatch(str(written.get(table)))):
            raise SourceError(
                f"„{name}“ enthält mit „{table}“ eine Sicht oder virtuelle Tabelle; gelesen werden nur gewöhnliche "
                "Tabellen. Bitte die Ebene als neues GeoPackage speichern."
            )
