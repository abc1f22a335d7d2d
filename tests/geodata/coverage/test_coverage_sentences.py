"""What an answer about coverage says in a sentence."""

import datetime as dt
from dataclasses import replace

import pytest

from geodata.coverage.request import CoverageRequest, CoverageRow
from geodata.coverage.sentences import in_words, unit_of, value_of
from geodata.viewer import Version

ASKED = CoverageRequest("stadtteil", dt.date(2025, 1, 1), ("okja",), age_from=6, age_to=18)
REACH = replace(ASKED, measure="reach")
ROW = CoverageRow(
    area_level="stadtteil", area_key="1", area_name="Horn", population=200.0, facilities=1,
    facilities_without_supply=0, ages_unknown=0, supply=4.0, supply_unit="places", supply_per_1000=20.0, use=None,
    use_unit="regular_users_per_week", reached=50.0, not_reached=150.0, reach_share=0.25, nearest_m=400.0,
    unconnected=0.0, access_index=12.5, flag="ok", geometry=None,
)  # fmt: skip
BARE = replace(ROW, area_key="2", area_name="Hamm", population=600.0, facilities=0, supply_per_1000=0.0,
               reached=0.0, reach_share=0.0)  # fmt: skip
WITHOUT = replace(ROW, area_key="ohne", area_name="ohne räumliche Zuordnung", facilities=0, population=None,
                  reached=None, reach_share=None)  # fmt: skip


def test_values_and_units_of_each_measure() -> None:
    catchment = replace(ASKED, measure="catchment", supply_unit="hours_per_week")
    assert [(value_of(one, ROW), unit_of(one)) for one in (ASKED, REACH, catchment)] == [
        (20.0, "Plätze je 1.000"), (25.0, "%"), (12.5, "Wochenstunden je 1.000")]  # fmt: skip
    assert value_of(REACH, WITHOUT) is None


def test_everybody_is_counted_not_averaged() -> None:
    said = in_words(REACH, [ROW, BARE, WITHOUT], 1)
    # 50 of 800, where the mean of the shares would be 12.5 %.
    assert said.startswith(
        "6,3\N{NO-BREAK SPACE}% der 6- bis unter 18-Jährigen (50 von 800) erreichen in höchstens 15 Minuten"
    )
    assert "In Horn ist der Wert 25,0\N{NO-BREAK SPACE}%." in in_words(REACH, [ROW, WITHOUT], 1)
    assert "erreichen" not in in_words(REACH, [WITHOUT], 1)


@pytest.mark.parametrize(
    ("version", "word"), [(Version.PUBLISHED, "freigegebene passende"), (Version.INTERNAL, "passende")]
)
def test_where_there_is_no_place(version: Version, word: str) -> None:
    asked = replace(ASKED, version=version)
    assert f"Keine {word} Einrichtung gibt es in Hamm." in in_words(asked, [ROW, BARE, WITHOUT], 1)
    assert f"In keinem Gebiet gibt es eine {word} Einrichtung." in in_words(asked, [BARE, WITHOUT], 1)
    assert "Einrichtung gibt" not in in_words(asked, [ROW], 1)
    # What is reached from elsewhere needs no place of its own.
    assert "Einrichtung gibt" not in in_words(replace(asked, measure="catchment"), [BARE], 1)
