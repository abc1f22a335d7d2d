"""The formats of an answer: one table of rows, five ways to write it. What came from a file is text in all of them."""

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson

from geodata.answer import Answer, Meta
from service.labels import LOOKS, label, look


class Format(StrEnum):
    """The formats a client can ask for."""

    JSON = "json"
    GEOJSON = "geojson"
    CSV = "csv"
    XLSX = "xlsx"
    GPKG = "gpkg"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.GEOJSON: "application/geo+json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.GPKG: "application/geopackage+sqlite3",
}

_ORJSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_DATACLASS
# A cell that begins so would be run as a formula by a spreadsheet program.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# Rows in which counts may be suppressed name here the columns that are; tables for people mark them instead.
_SUPPRESSED_FIELDS = "suppressed_fields"
SUPPRESSED = "•"
SUPPRESSED_LINE = (SUPPRESSED, "zum Schutz kleiner Fallzahlen nicht ausgewiesen")


@dataclass(frozen=True, slots=True)
class Table:
    """An answer flattened for rows and cells: names of the columns, rows, and one GeoJSON geometry per row or None."""

    meta: Meta
    name: str
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    geometries: Sequence[str | None] | None


def properties_of(rows: Sequence[Any], only: frozenset[str] | None = None) -> list[dict[str, Any]]:
    """Return row dataclasses as JSON properties without their geometry; ``only`` keeps those names."""
    if not rows:
        return []
    given = [f.name for f in fields(rows[0])]
    names = [name for name in given if name != "geometry" and (only is None or name in only)]
    if len(names) < 2:  # attrgetter gives a bare value for one name
        return [{name: getattr(row, name) for name in names} for row in rows]
    values = attrgetter(*names)
    return [dict(zip(names, values(row), strict=True)) for row in rows]


def table_of(answer: Answer[Any], name: str, kind: type) -> Table:
    """Flatten an answer whose rows, of the dataclass ``kind``, have scalar columns and perhaps a ``geometry``."""
    names = [f.name for f in fields(kind)]
    geometries = [row.geometry for row in answer.rows] if "geometry" in names else None
    columns = tuple(column for column in names if column != "geometry")
    return Table(answer.meta, name, columns, properties_of(answer.rows), geometries)


def to_json(meta: Meta, rows: Iterable[Mapping[str, Any]], beside: Mapping[str, Any] | None = None) -> bytes:
    """Write ``{"meta": …, "rows": […]}`` and what stands beside them."""
    return orjson.dumps({"meta": asdict(meta), "rows": list(rows), **(beside or {})}, option=_ORJSON)


def to_geojson(meta: Meta, features: Iterable[tuple[Mapping[str, Any], Any]]) -> bytes:
    """Write a FeatureCollection with ``meta`` beside the features; geometry is a dict, GeoJSON text or None."""
    listed = [
        {
            "type": "Feature",
            "geometry": orjson.Fragment(geometry) if isinstance(geometry, str) else geometry,
            "properties": properties,
        }
        for properties, geometry in features
    ]
    body = {"type": "FeatureCollection", "meta": asdict(meta), "features": listed}
    return orjson.dumps(body, option=_ORJSON)


def to_csv(table: Table) -> bytes:
    """Write CSV (UTF-8 with BOM, comma, decimal point, RFC 4180); text that looks like a formula is disarmed.

    A file without footnotes must still say that its data is invented: the notice of a demo database is a column.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    notice = [table.meta.notice] if table.meta.notice else []
    writer.writerow([*table.columns, *(["notice"] if notice else [])])
    for row in table.rows:
        writer.writerow([*(_disarmed(_cell(row[column])) for column in table.columns), *notice])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def to_xlsx(table: Table, beside: Sequence[Table] = ()) -> bytes:
    """Write a workbook: the rows with German headings, then those of the tables beside, last the footnotes.

    A number that is suppressed is ``SUPPRESSED``, with its own footnote; one that is missing is an empty cell.
    """
    import xlsxwriter  # noqa: PLC0415 - only this format pays for it

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    numbers = {look: book.add_format({"num_format": look}) for look in LOOKS}
    numbers[SUPPRESSED] = book.add_format({"align": "right"})
    columns: dict[str, str] = {}
    marked = False
    for sheet_name, one in (("Daten", table), *((other.name, other) for other in beside)):
        shown = [name for name in one.columns if name != _SUPPRESSED_FIELDS]
        _write_sheet(book.add_worksheet(sheet_name), one, shown, bold, numbers)
        marked = marked or any(row.get(_SUPPRESSED_FIELDS) for row in one.rows)
        columns |= {name: label(one.name, name) for name in shown if name not in columns}
    notes = book.add_worksheet("Erläuterungen")
    notes.set_column(0, 0, 24)
    notes.set_column(1, 1, 100)
    lines = [*footnote_lines(table.meta), *([SUPPRESSED_LINE] if marked else [])]
    for number, (title, value) in enumerate(lines):
        notes.write_string(number, 0, title, bold)
        notes.write_string(number, 1, value, wrapped)
    offset = len(lines) + 1
    notes.write_string(offset, 0, "Spalte", bold)
    notes.write_string(offset, 1, "Feldname der Schnittstelle", bold)
    for number, (name, heading) in enumerate(columns.items(), start=offset + 1):
        notes.write_string(number, 0, heading)
        notes.write_string(number, 1, name)
    book.close()
    return buffer.getvalue()


def _write_sheet(sheet: Any, table: Table, shown: Sequence[str], bold: Any, numbers: Mapping[str, Any]) -> None:  # noqa: ANN401 - xlsxwriter
    for column, name in enumerate(shown):
        heading = label(table.name, name)
        sheet.write_string(0, column, heading, bold)
        # As the whole column, so that what a user adds below looks alike; values stay what they are.
        sheet.set_column(column, column, max(10, min(40, len(heading) + 2)), numbers.get(look(table.name, name) or ""))
    for number, row in enumerate(table.rows, start=1):
        hidden = row.get(_SUPPRESSED_FIELDS) or ()
        for column, name in enumerate(shown):
            if name in hidden:
                sheet.write_string(number, column, SUPPRESSED, numbers[SUPPRESSED])
            else:
                _write(sheet, number, column, _cell(row[name]))
    sheet.freeze_panes(1, 0)
    if shown:
        sheet.autofilter(0, 0, max(len(table.rows), 1), len(shown) - 1)


def to_gpkg(table: Table) -> bytes:
    """Write a GeoPackage layer (CRS84, EPSG:4326) with the footnotes as its description."""
    import numpy as np  # noqa: PLC0415
    import pyogrio.raw  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    shapes = shapely.from_geojson(np.array(list(table.geometries or [None] * len(table.rows)), dtype=object))
    kinds = {int(kind) for kind in shapely.get_type_id(shapes)} - {-1}
    kind = "Point" if kinds == {0} else "MultiPolygon" if kinds <= {3, 6} and kinds else "Unknown"
    data = [_column([_cell(row[name]) for row in table.rows]) for name in table.columns]
    description = "\n".join(f"{label}: {value}" for label, value in footnote_lines(table.meta))
    with tempfile.TemporaryDirectory(prefix="srk-") as folder:
        path = Path(folder) / "antwort.gpkg"
        pyogrio.raw.write(
            path,
            shapely.to_wkb(shapes),
            data,
            list(table.columns),
            layer=table.name,
            driver="GPKG",
            geometry_type=kind,
            promote_to_multi=kind == "MultiPolygon",
            crs="EPSG:4326",
            layer_metadata={"DESCRIPTION": description},
            layer_options={"DESCRIPTION": description, "IDENTIFIER": table.meta.title},
        )
        return path.read_bytes()


def footnote_lines(meta: Meta) -> list[tuple[str, str]]:
    """Return the footnotes as (label, text), the same words everywhere."""
    lines = [("Titel", meta.title)]
    if meta.notice:
        lines.append(("Hinweis", meta.notice))
    lines += [("Methode", meta.method), ("Einheit", meta.unit)]
    version = {"veroeffentlichung": "Veröffentlichungsfassung", "intern": "Interne Fassung"}[meta.version.value]
    lines += [("Fassung", version), ("Fehlende Werte", str(meta.missing))]
    lines += [("Hinweis", warning) for warning in meta.warnings]
    for source in meta.sources:
        stand = f"{source.as_of:%d.%m.%Y}" if source.as_of else "nicht angegeben"
        licence = source.licence or "nicht angegeben"
        holder = f", {source.attribution}" if source.attribution else ""
        lines.append(("Quelle", f"{source.title}{holder}; Stand: {stand}; Lizenz: {licence} ({source.dataset})"))
    lines.append(("Datenversion", str(meta.data_version)))
    return lines


def _cell(value: Any) -> Any:  # noqa: ANN401 - cells are what rows hold
    """Return a value as a single cell: number, text, date or None."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ";".join(str(part) for part in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {part}" for name, part in value.items())
    return str(asdict(value) if is_dataclass(value) and not isinstance(value, type) else value)


def _disarmed(value: Any) -> Any:  # noqa: ANN401 - a cell
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _write(sheet: Any, row: int, column: int, value: Any) -> None:  # noqa: ANN401 - a worksheet, a cell
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    elif value is not None:
        sheet.write_string(row, column, value[:32_767])  # a cell of Excel holds no more


def _column(values: list[Any]) -> Any:  # noqa: ANN401 - an array
    import numpy as np  # noqa: PLC0415

    given = [v for v in values if v is not None]
    if given and all(isinstance(v, int | float) and not isinstance(v, bool) for v in given):
        if len(given) == len(values) and all(isinstance(v, int) for v in given):
            return np.array(values, dtype=np.int64)
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return np.array([None if v is None else str(v) for v in values], dtype=object)
