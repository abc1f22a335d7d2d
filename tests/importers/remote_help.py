"""What the tests of remote sources share: whole tables compared, and refusals looked at."""

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from importer_help import Database, query, state

from importers.errors import SourceError
from importers.kinds.facilities import FacilitiesImport, import_facilities
from importers.load import Limit, Rules
from importers.mapping import Mapping
from importers.sources import Source, open_source
from importers.sources.http import Fetcher, HttpRules

QUICK = HttpRules(connect_timeout_s=2, read_timeout_s=1, backoff_s=0.001, attempts=3, max_bytes=4_000_000)


def areas_of(database: Database) -> list[tuple[Any, ...]]:
    return query(database.writing, """
        SELECT key, name, parent_key, attributes FROM area_visible
        WHERE level = 'stadtteil' ORDER BY key
    """)  # fmt: skip


def shapes_of(database: Database) -> dict[str, str]:
    found = query(database.writing, "SELECT key, ST_AsEWKT(geom) FROM area_visible WHERE level = 'stadtteil'")
    return {key: text for key, text in found}


def farthest_m(database: Database, others: dict[str, str]) -> float:
    """Return how far the areas of a database lie from those given as EWKT at most, in metres."""
    return max(
        query(database.writing, """
            SELECT ST_HausdorffDistance(geom, ST_GeomFromEWKT(:other)) FROM area_visible
            WHERE level = 'stadtteil' AND key = :key
        """, key=key, other=other)[0][0]
        for key, other in others.items()
    )  # fmt: skip


def offers_of(database: Database) -> list[dict[str, Any]]:
    """Return the visible offers with their places as rows without what only names the import."""
    with_places = query(database.writing, """
        SELECT to_jsonb(o) - 'import_id' || (to_jsonb(p) - 'import_id' - 'geom')
               || jsonb_build_object('east', ST_X(p.geom), 'north', ST_Y(p.geom))
        FROM dataset d JOIN offer o ON o.import_id = d.current_import_id
        JOIN place p ON p.import_id = o.import_id AND p.facility_id = o.facility_id
        WHERE d.name = 'facilities.okja' ORDER BY o.name, o.offer_id
    """)  # fmt: skip
    return [row[0] for row in with_places]


def rows_of(source: Source) -> list[dict[str, Any]]:
    """Return all rows of a source as dicts without what is missing, with their geometry under ``""``."""
    made = []
    for chunk in source.chunks():
        shapes = [None] * len(chunk.rows) if chunk.geometry is None else chunk.geometry
        for i, shape in enumerate(shapes):
            row = {name: values[i] for name, values in chunk.columns.items() if values[i] is not None}
            made.append({**row, "": shape})
    return made


def opened(url: str, **more: Any) -> Source:
    return open_source(url, fetcher=Fetcher(more.pop("rules", QUICK)), **more)


def one_sentence(error: Exception) -> str:
    """Return what an error says, sure that it is a plain German sentence without anything of Python's."""
    sentence = str(error)
    assert sentence.endswith("."), sentence
    assert not re.search(r"Error|Exception|Traceback|<class|None\b|HTTPConnection|Errno|\n", sentence), sentence
    return sentence


def refusal(url: str, **more: Any) -> str:
    """Return the sentence with which a source is refused."""
    with pytest.raises(SourceError) as caught:
        opened(url, **more)
    return one_sentence(caught.value)


def load(database: Database, url: str, **more: Any) -> Any:
    """Import a remote source of canonical facilities."""
    wanted = FacilitiesImport("okja", home_level="stadtteil", mapping=Mapping(), rules=Rules(Limit(number=0)))
    return import_facilities(database.writing, opened(url, **more), wanted)


def changes_nothing(database: Database, url: str, **more: Any) -> str:
    """Try to import a source; return the sentence it is refused with, sure that the database is as before."""
    before = state(database.writing)
    with pytest.raises(SourceError) as caught:
        load(database, url, **more)
    assert state(database.writing) == before
    return one_sentence(caught.value)


def leftovers() -> set[Path]:
    """Return the private folders of fetchers that are there now."""
    return set(Path(tempfile.gettempdir()).glob("srk-*"))
