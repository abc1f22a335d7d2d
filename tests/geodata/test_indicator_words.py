"""Words for codes: units, ages, Hilfearten, ways of counting."""

import pytest

from geodata.controlling_offices import Offices, _Catalogue
from geodata.indicator_words import counted_in_words, position_in_words, shown_in, unit_in_words

OFFICES = Offices({}, {
    "catalogue": _Catalogue({"34-35-stationaer": "Heimerziehung", "27-35": "Hilfen nach §§ 27 und 35"}, {}, {}),
    "catalogue.bremen": _Catalogue({"34-35-stationaer": "Stationäre Hilfen"}, {}, {}),
})  # fmt: skip


@pytest.mark.parametrize(
    ("position", "dataset", "said"),
    [
        (None, None, ""),
        ("", None, ""),
        ("total", None, ""),
        ("0-18", None, "0 bis unter 18 Jahre"),
        ("65-", None, "ab 65 Jahren"),
        ("34-35-stationaer", "statistics.amt", "Heimerziehung"),
        ("34-35-stationaer", "statistics.bremen", "Stationäre Hilfen"),
        ("alle_hilfen", "statistics.amt", "Hilfen insgesamt"),
        ("27-35", "statistics.amt", "Hilfen nach §§ 27 und 35"),
        ("nie-gehoert", None, "nie-gehoert"),
    ],
)
def test_positions(position: str | None, dataset: str | None, said: str) -> None:
    assert position_in_words(OFFICES, position, dataset) == said


def test_units_and_countings() -> None:
    assert [unit_in_words(one) for one in ("eur", "junge_menschen", "%", None)] == ["€", "junge Menschen", "%", ""]
    assert counted_in_words("begonnen") == "begonnene im Zeitraum"
    assert counted_in_words("") == counted_in_words(None) == "Zählweise ohne Angabe"
    assert shown_in("share", None) == (100.0, "%")
    assert shown_in("share", "%") == (1.0, "%")
    assert shown_in("count", "hilfen") == (1.0, "Hilfen")
