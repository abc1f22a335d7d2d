import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from importer_help import findings

from importers.errors import MappingError
from importers.lookup import Lookup
from importers.mapping import Mapping, require_columns, require_known
from importers.report import Report
from importers.sources.base import Chunk, objects
from importers.unpivot import LongChunk, long_chunks, slug, unpivoted

NAMES = ("area_level", "area_key", "indicator", "position", "period", "value", "flag", "scenario")


def chunk(columns: dict[str, list[Any]], first: int = 2) -> Chunk:
    count = len(next(iter(columns.values())))
    return Chunk(np.arange(first, first + count), {name: objects(values) for name, values in columns.items()})


def rows(long: LongChunk, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(long.rows.tolist(), *(long.columns[name].tolist() for name in names), strict=True))


WIDE: dict[str, list[Any]] = {
    "stadtteil": ["A", "B"],
    "kategorie": ["x", "y"],
    "jahr_2020": ["2.8", None],
    "jahr_2019": ["2.3", "."],
    "group": ["g", "g"],
}


def test_columns_that_match_a_pattern_become_rows_with_the_group_as_period() -> None:
    mapping = Mapping.model_validate(
        {
            "columns": {"area_key": "stadtteil", "indicator": {"from": "kategorie", "values": {"x": "eins"}}},
            "unpivot": {"pattern": r"^jahr_(\d{4})$", "into": "period"},
        }
    )
    long = unpivoted(chunk(WIDE), mapping, NAMES)
    assert rows(long, "area_key", "indicator", "period", "value") == [
        (2, "A", "eins", "2020", "2.8"),
        (2, "A", "eins", "2019", "2.3"),
        (3, "B", "y", "2020", None),
        (3, "B", "y", "2019", "."),
    ]
    assert long.fields.tolist() == ["jahr_2020", "jahr_2019"] * 2
    assert set(long.columns) == set(NAMES)
    assert long.columns["flag"].tolist() == [None] * 4


def test_a_pattern_may_have_several_groups() -> None:
    mapping = Mapping.model_validate(
        {"unpivot": {"pattern": r"^(\w+)_(\d{4})$", "into": ["indicator", "period"], "factor": 1000}}
    )
    long = unpivoted(chunk({"area_key": ["1"], "kosten_2020": [1.5], "kosten_2021": [2]}), mapping, NAMES)
    assert rows(long, "area_key", "indicator", "period", "value") == [
        (2, "1", "kosten", "2020", 1.5), (2, "1", "kosten", "2021", 2)]  # fmt: skip
    assert long.scaled(np.array([1.5, 2.0])).tolist() == [1500, 2000]


NAMED = {
    "columns": {"area_key": "Gebiet", "period": {"constant": "2013"}, "position": {"constant": "total"}},
    "unpivot": {
        "column": [
            {"from": "U18", "set": {"indicator": "population", "position": "0-18"}},
            {"from": "Anteil", "set": {"indicator": "share"}, "factor": 0.01},
            {"from": "Dichte (2014)", "set": {"indicator": "density", "period": "2014"}, "digits": 1},
            {"from": "fehlt", "set": {"indicator": "gone"}, "optional": True},
        ]
    },
}


def test_named_columns_set_what_they_mean_and_the_rules_fill_the_rest() -> None:
    wide = chunk({"Gebiet": ["A"], "U18": [162], "Anteil": [62.3], "Dichte (2014)": [276.4179], "Rest": [1]})
    long = unpivoted(wide, Mapping.model_validate(NAMED), NAMES)
    assert rows(long, "area_key", "indicator", "position", "period", "value") == [
        (2, "A", "population", "0-18", "2013", 162),
        (2, "A", "share", "total", "2013", 62.3),
        (2, "A", "density", "total", "2014", 276.4179),
    ]
    assert long.scaled(np.array([162, 62.3, 276.4179])).tolist() == [162, 0.623, 276.4]
    assert np.isnan(long.scaled(np.full(3, np.nan))).all()


def test_all_remaining_columns_become_indicators_with_plain_names() -> None:
    mapping = Mapping.model_validate(
        {
            "columns": {"area_key": "StatGeb"},
            "unpivot": {
                "rest": "indicator",
                "except": ["Bezirk"],
                "column": [{"from": "U18", "set": {"indicator": "population", "position": "0-18"}}],
            },
        }
    )
    wide = chunk({"StatGeb": [1], "Bezirk": ["X"], "Period": ["2020"], "U18": [5], "Ü65": [7], "GFZ %": [0.5]})
    long = unpivoted(wide, mapping, NAMES)
    assert rows(long, "area_key", "period", "indicator", "position", "value") == [
        (2, 1, "2020", "population", "0-18", 5),
        (2, 1, "2020", "ue65", None, 7),
        (2, 1, "2020", "gfz_prozent", None, 0.5),
    ]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Anteil der unter 18-Jährigen in %", "anteil_der_unter_18_jaehrigen_in_prozent"),
        (" Fläche in km²", "flaeche_in_km2"),
        ("Bev_311220", "bev_311220"),
        ("Straße & Größe (€)", "strasse_und_groesse_eur"),
        ("Bevölkerungs\u00addichte", "bevoelkerungsdichte"),
        ("Café", "cafe"),
        ("---", ""),
    ],
)
def test_a_slug_is_plain(name: str, plain: str) -> None:
    assert slug(name) == plain
    assert slug(plain) == plain


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_slug_never_has_blanks_signs_or_capitals(name: str) -> None:
    assert re.fullmatch(r"([^\W_]+(_[^\W_]+)*)?", slug(name))
    assert slug(slug(name)) == slug(name)


cells = st.one_of(st.none(), st.text(max_size=5), st.integers(), st.floats(allow_nan=False))


@given(
    st.lists(st.from_regex(r"jahr_[0-9]{4}", fullmatch=True), min_size=1, max_size=6, unique=True),
    st.integers(0, 5),
    st.data(),
)
def test_unpivoted_and_pivoted_again_is_the_table(years: list[str], count: int, data: st.DataObject) -> None:
    table = {year: data.draw(st.lists(cells, min_size=count, max_size=count)) for year in years}
    keys = [f"k{i}" for i in range(count)]
    mapping = Mapping.model_validate({"unpivot": {"pattern": r"^jahr_(.*)$", "into": "period"}})
    wide = chunk({"area_key": keys, **table}, first=7)
    long = unpivoted(wide, mapping, NAMES)
    assert len(long.rows) == count * len(years)
    again: dict[str, dict[str, Any]] = {f"jahr_{year}": {} for year in long.columns["period"]}
    for row, key, period, value in rows(long, "area_key", "period", "value"):
        assert key == keys[row - 7]
        again[f"jahr_{period}"][key] = value
    assert again == ({year: dict(zip(keys, values, strict=True)) for year, values in table.items()} if count else {})
    pieces = list(long_chunks(wide, mapping, NAMES, most=5))
    assert [row for piece in pieces for row in rows(piece, *NAMES)] == rows(long, *NAMES)
    assert all(len(piece.rows) <= max(5, len(years)) for piece in pieces)


def test_a_table_that_is_long_already_stays_as_it_is() -> None:
    mapping = Mapping.model_validate({"columns": {"value": {"from": "Wert", "factor": 1000}, "area_key": "Gebiet"}})
    long = unpivoted(chunk({"Gebiet": ["A", "B"], "Wert": ["1", None], "indicator": ["x", "y"]}), mapping, NAMES)
    assert rows(long, "area_key", "indicator", "value") == [(2, "A", "x", "1"), (3, "B", "y", None)]
    assert long.fields.tolist() == ["Wert", "Wert"]
    assert long.scaled(np.array([1.0, np.nan]))[0] == 1000
    plain = unpivoted(chunk({"VALUE": [1]}), Mapping(), NAMES)
    assert plain.fields.tolist() == ["VALUE"]
    assert plain.factors.tolist() == [1]
    assert unpivoted(chunk({"x": [1]}), Mapping(), NAMES).fields.tolist() == [None]


def test_names_are_looked_up_once_per_row_not_per_figure() -> None:
    mapping = Mapping.model_validate(
        {
            "level": "stadtteil",
            "columns": {"area_key": {"from": "stadtteil", "lookup": "area_level"}},
            "unpivot": {"pattern": r"^jahr_(\d{4})$", "into": "period"},
        }
    )
    report = Report("d", "statistics", "a.csv")
    lookup = Lookup({"stadtteil": {"02101": "A"}})
    long = unpivoted(chunk(WIDE), mapping, NAMES, lookup=lookup, report=report)
    assert long.columns["area_key"].tolist() == ["02101", "02101", None, None]
    assert [(row, field, value) for row, field, value, _why in findings(report, "reject")] == [(3, "area_key", "B")]


def wrong(unpivot: dict[str, Any], present: tuple[str, ...] = ("a", "b"), **rest: Any) -> str:
    mapping = Mapping.model_validate({"unpivot": unpivot, **rest})
    with pytest.raises(MappingError) as refused:
        require_columns(mapping.columns, present, (), "t.csv", mapping.unpivot)
    return str(refused.value)


def test_columns_that_are_missing_or_would_collide_are_named() -> None:
    assert wrong({"column": [{"from": "U18"}]}) == (
        "„t.csv“ hat keine Spalte „U18“ (gebraucht unter [[unpivot.column]]). Vorhanden: a, b."
    )
    assert "Keine passt auf das Muster „^jahr_(.*)$“" in wrong({"pattern": "^jahr_(.*)$", "into": "period"})
    assert "keine Spalte „c“ (genannt unter [unpivot] in „except“)" in wrong({"rest": "indicator", "except": ["c"]})
    assert "keine Spalte, die [unpivot] zu Zeilen" in wrong({"rest": "indicator", "except": ["a", "b"]})
    assert "keine Spalte, die [unpivot]" in wrong({"column": [{"from": "c", "optional": True}]})
    assert "„Shape_Area“ und „SHAPE_Area“ ergäben" in wrong({"rest": "indicator"}, ("Shape_Area", "SHAPE_Area"))
    assert "„a“ und „b“ ergäben" in wrong({"column": [{"from": "a"}, {"from": "b"}]})
    reads_all = {"columns": {"area_key": "a", "period": "b"}}
    assert "keine Spalte, die [unpivot] zu Zeilen" in wrong({"rest": "indicator"}, **reads_all)


def test_what_the_unpivoting_makes_counts_as_there() -> None:
    mapping = Mapping.model_validate(NAMED)
    present = ("Gebiet", "U18", "Anteil", "Dichte (2014)")
    require_columns(mapping.columns, present, ("indicator", "value", "period"), "t.csv", mapping.unpivot)
    assert set(mapping.makes()) == {"area_key", "period", "position", "indicator", "value"}
    require_known(mapping.makes(), NAMES, "Statistiken")
    with pytest.raises(MappingError, match=r"keine Spalte „area_level“"):
        require_columns(mapping.columns, present, ("area_level",), "t.csv", mapping.unpivot)
    typo = Mapping.model_validate({"unpivot": {"rest": "indikator"}})
    with pytest.raises(MappingError, match=r"„indikator“, die es bei Statistiken nicht gibt"):
        require_known(typo.makes(), NAMES, "Statistiken")


def test_a_wide_table_is_unpivoted_column_by_column_not_cell_by_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr("importers.unpivot.slug", lambda name: calls.append(name) or name)
    wide = chunk({"area_key": [str(i) for i in range(1000)], **{f"c{i}": list(range(1000)) for i in range(76)}})
    long = unpivoted(wide, Mapping.model_validate({"unpivot": {"rest": "indicator"}}), NAMES)
    assert len(long.rows) == 76_000
    assert len(calls) == 76, "the work that is done per column is not done per cell"
    assert long.columns["value"][76 * 999 : 76 * 999 + 3].tolist() == [999] * 3
