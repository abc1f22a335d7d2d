"""The Stadtteilprofile of 2014 as the Statistikamt published it: one table, two files, every cell compared."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from importers import numbers
from importers.mapping import Mapping
from importers.sources.base import Layout
from importers.sources.table import CsvSource
from importers.sources.workbook import ExcelSource
from importers.unpivot import LongChunk, unpivoted

PROFILES = Path(__file__).resolve().parents[3] / "shared" / "data" / "hamburg" / "statistik"
PROFILE = "Daten_fuer_die_Stadtteilprofile_2014"
pytestmark = pytest.mark.skipif(not PROFILES.exists(), reason="shared/data/hamburg is not beside this checkout")

WHOLE = {
    "source": {
        "decimal": ",",
        "dash": "zero",
        "sections": {"bezirk": "^Hamburg-Mitte$", "land": "^Hamburg$"},
        "workbook": {"skip_rows": 1, "header_rows": 3, "title_row": 2},
    },
    "columns": {
        "area_level": {"from": "section", "default": "stadtteil"},
        "area_key": "Stadtgebiet",
        "period": {"constant": "2013"},
    },
    "unpivot": {
        "rest": "indicator",
        "column": [
            {"from": name, "set": {"indicator": name}, "digits": digits}
            for name, digits in {
                "Fläche in km²": 1, "Wohnungsgröße in m² (2013)": 1, "Wohnfläche je Einwohner/-in in m² (2013)": 1,
                "PKW-Dichte (Jan 2014)": 0,
            }.items()
        ],
    },
}  # fmt: skip


def figure(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    text = str(value or "")
    if numbers.is_missing(text):
        return float("nan")
    return 0.0 if numbers.is_dash(text) else numbers.parse(text, ",")


def test_the_stadtteilprofile_gives_the_same_figures_from_both_files() -> None:
    mapping = Mapping.model_validate(WHOLE)
    names = ("area_level", "area_key", "indicator", "period", "value")
    tables: list[dict[tuple[Any, ...], float]] = []
    for name, read in ((f"{PROFILE}.csv", CsvSource), (f"{PROFILE}.xlsx", ExcelSource)):
        source = read(PROFILES / name, layout=mapping.source.layout(name))
        (chunk,) = source.chunks()
        assert len(source.columns) == 70
        long: LongChunk = unpivoted(chunk, mapping, names)
        values = long.scaled(np.array([figure(value) for value in long.columns["value"]]))
        keys = zip(*(long.columns[part].tolist() for part in names[:-1]), strict=True)
        table = dict(zip(keys, values.tolist(), strict=True))
        assert len(table) == len(long.rows) == 107 * 68
        assert not source.bad_rows
        tables.append(table)
    first, second = tables
    assert first.keys() == second.keys()
    differing = [(key, value, second[key]) for key, value in first.items()
                 if value != second[key] and not (np.isnan(value) and np.isnan(second[key]))]  # fmt: skip
    assert differing == []
    levels = [level for level, _key, indicator, _period in first if indicator == "haushalte"]
    assert [levels.count(level) for level in ("stadtteil", "bezirk", "land")] == [99, 7, 1]
    assert first["land", "Hamburg", "bevoelkerung", "2013"] == 1_788_994
    assert first["stadtteil", "Curslack", "wanderungssaldo", "2013"] == 0, "a lone dash is zero there"
    assert first["stadtteil", "Hamburg-Altstadt", "wanderungssaldo", "2013"] == -23


def test_the_three_header_rows_of_the_stadtteilprofile_can_be_joined() -> None:
    source = ExcelSource(PROFILES / f"{PROFILE}.xlsx", layout=Layout(skip_rows=1, header_rows=3))
    assert source.columns[0] == "Stadtgebiet"
    assert source.columns[2] == (
        "Bevölkerung und Haushalte 31.12.2013 | Unter 18-Jährige | Anzahl der Kinder und Jugendlichen unter 18 Jahren"
    )
    assert source.columns[20] == "Bevölkerung und Haushalte 31.12.2013 | Fläche in km²", "equal parts count once"
    assert source.columns[-1].startswith("Infrastruktur und Verkehr | PKW-Dichte (Jan 2014) | ")
    assert next(source.chunks()).rows[0] == 5
