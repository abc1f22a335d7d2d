"""What the OpenAPI description says of answers: the rows' columns with types, and the shape of errors."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from geodata.answer import Meta

PROBLEM: dict[str, Any] = {
    "description": "Fehler nach RFC 9457; detail ist ein deutscher Satz.",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "parameter": {"type": "string"},
                    "allowed": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["type", "title", "status", "detail"],
            },
            "example": {
                "type": "about:blank",
                "title": "Ungültige Anfrage",
                "status": 400,
                "detail": "„age“ muss eine ganze Zahl von 0 bis 120 sein.",
                "parameter": "age",
            },
        }
    },
}


def _inlined(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    schema: dict[str, Any] = TypeAdapter(kind).json_schema(mode="serialization")
    # What a dataclass works out itself is served too, but pydantic does not know it.
    for name, hint in get_type_hints(kind).items() if is_dataclass(kind) else ():
        if name not in schema["properties"]:
            schema["properties"][name] = TypeAdapter(hint).json_schema(mode="serialization")
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                return resolve(definitions[reference.rsplit("/", 1)[1]])
            return {name: resolve(value) for name, value in node.items()}
        return [resolve(value) for value in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(schema)
    return resolved


def answers(row: Any, *more: int, beside: Mapping[str, Any] | None = None) -> dict[int | str, dict[str, Any]]:  # noqa: ANN401 - a row dataclass
    """Return the ``responses`` of a route whose rows are of this kind.

    ``more``: statuses of errors beyond those of every route. ``beside``: what stands in JSON beside meta and rows.
    """
    row_schema = _inlined(row)
    geometry = row_schema.get("properties", {}).pop("geometry", None)
    required = [name for name in row_schema.get("required", []) if name != "geometry"]
    row_schema["required"] = required
    # Which properties a GeoJSON feature has can be narrowed by ``fields``.
    loose = {**row_schema, "required": []}
    extra = {name: _inlined(kind) for name, kind in (beside or {}).items()}
    content: dict[str, Any] = {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"meta": _inlined(Meta), "rows": {"type": "array", "items": loose}, **extra},
                "required": ["meta", "rows", *extra],
            }
        },
        "text/csv": {"schema": {"type": "string"}},
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {"schema": {"type": "string"}},
    }
    if geometry is not None or "lon" in row_schema["properties"]:
        feature = {"type": "object", "required": ["type", "geometry", "properties"]}
        content["application/geo+json"] = {
            "schema": {
                "type": "object",
                "properties": {
                    "type": {"const": "FeatureCollection"},
                    "meta": _inlined(Meta),
                    "features": {"type": "array", "items": feature},
                },
                "required": ["type", "meta", "features"],
            }
        }
        content["application/geopackage+sqlite3"] = {"schema": {"type": "string"}}
    return {
        200: {"description": "Zeilen mit Fußnoten (meta).", "content": content},
        304: {"description": "Unverändert (If-None-Match)."},
        **dict.fromkeys((400, 403, 404, 503, *more), PROBLEM),
    }
