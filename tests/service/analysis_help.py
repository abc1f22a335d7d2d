"""What the tests of the analyses share: every format against the JSON rows, numbers without NaN, drawn areas."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from service_help import API, csv_rows, gpkg_frame, workbook
from starlette.testclient import TestClient

from service.formats import MEDIA_TYPES, _cell
from service.labels import LABELS, NUMBER_FORMATS

FORMATS = [wanted.value for wanted in MEDIA_TYPES]


def same_in_every_format(
    client: TestClient, path: str, asked: Mapping[str, str], *, geometry: bool = True, refused: Sequence[str] = ()
) -> None:
    """Assert that every format says what JSON says; those ``refused`` are not offered."""
    rows = client.get(API + path, params=asked).json()["rows"]
    assert rows, path
    names = list(rows[0])
    answers = {wanted: client.get(API + path, params=asked | {"format": wanted}) for wanted in FORMATS}
    for wanted, media in MEDIA_TYPES.items():
        if wanted.value in refused:
            assert answers[wanted].status_code == 400
            continue
        assert answers[wanted].status_code == 200, answers[wanted].text
        assert answers[wanted].headers["content-type"] == media
    cells = [[_cell(row[name]) for name in names] for row in rows]
    table = csv_rows(answers["csv"].content)
    assert [[row[name] for name in names] for row in table] == [[_text(cell) for cell in row] for row in cells]
    sheet = workbook(answers["xlsx"].content)["Daten"]
    # A sheet marks what is suppressed in its place.
    listed = [name for name in names if name != "suppressed_fields"]
    assert [cell.value for cell in sheet[1]] == [LABELS[name] for name in listed]
    values = [[value for name, value in zip(names, given, strict=True) if name in listed] for given in cells]
    for row, given in zip(sheet.iter_rows(min_row=2), values, strict=True):
        for cell, value in zip(row, given, strict=True):
            # An empty text is an empty cell, and of a number 16 digits are written.
            wanted = value if value != "" else None
            found = cell.value if cell.value != "" else None
            assert found == (pytest.approx(wanted, rel=1e-14) if isinstance(wanted, float) else wanted)
        for cell, name in zip(row, listed, strict=True):
            assert sheet.column_dimensions[cell.column_letter].width > 0
            if isinstance(cell.value, float) and name in NUMBER_FORMATS:
                assert cell.number_format == NUMBER_FORMATS[name], name
    if geometry and not refused:
        features = answers["geojson"].json()["features"]
        assert [feature["properties"] for feature in features] == rows
        frame = gpkg_frame(answers["gpkg"].content)
        assert len(frame) == len(rows)
        for name in names:
            assert [_plain(value) for value in frame[name]] == [_plain(row[names.index(name)]) for row in cells], name
        drawn = [feature["geometry"] is None for feature in features]
        assert frame.geometry.isna().tolist() == drawn


def _text(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(("=", "+", "-", "@")) else text


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)) or value == "":
        return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def numbers(held: Any) -> Iterator[float]:
    """Yield every number in rows, dataclasses and collections."""
    if is_dataclass(held) and not isinstance(held, type):
        for field in fields(held):
            yield from numbers(getattr(held, field.name))
    elif isinstance(held, dict):
        for value in held.values():
            yield from numbers(value)
    elif isinstance(held, list | tuple):
        for value in held:
            yield from numbers(value)
    elif isinstance(held, int | float):
        yield held


def all_finite(held: Any) -> int:
    """Assert that there is no NaN and no infinity; return how many numbers there are."""
    found = list(numbers(held))
    assert all(math.isfinite(number) for number in found)
    # Not a numpy number either: it would be written in another way, or not at all.
    assert {type(number) for number in found} <= {int, float, bool}
    return len(found)


def feature_of(client: TestClient, level: str, key: str) -> dict[str, Any]:
    """An area's own geometry as a feature whose id is the area's key."""
    answer = client.get(f"{API}/areas/{level}/{key}", params={"format": "geojson"})
    geometry = answer.json()["features"][0]["geometry"]
    return {"type": "Feature", "id": key, "properties": {"name": f"Gezeichnet {key}"}, "geometry": geometry}


def post(client: TestClient, body: Any, path: str = "/coverage", **asked: str) -> Any:
    """Send areas; text and bytes as they are."""
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(API + path, params={"category": "okja"} | asked, content=content)
