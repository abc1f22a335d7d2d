"""The sentence of each area: right numbers, right singular and plural, a reason wherever there is no rank."""

from dataclasses import replace

import pytest

from geodata.ages import Ages
from geodata.coverage.request import CoverageRow, Measure
from geodata.gap_reasons import Place, Reasons, ages_in_genitive

YOUNG = Ages(10, 18)
ROW = CoverageRow(
    area_level="stadtteil", area_key="1", area_name="Billstedt", population=1200.0, facilities=3,
    facilities_without_supply=0, ages_unknown=0, supply=75.0, supply_unit="places", supply_per_1000=62.5, use=None,
    use_unit="regular_users_per_week", reached=600.0, not_reached=600.0, reach_share=0.5, nearest_m=400.0,
    unconnected=0.0, access_index=62.5, flag="ok", geometry=None,
)  # fmt: skip
PLACE = Place(needed=120.0, deficit=45.0, deficit_per_1000=37.5, need_index=0.8, rank=3, low=2, high=5)


def said(row: CoverageRow = ROW, place: Place = PLACE, measure: Measure = "supply", **more: object) -> str:
    given: dict[str, object] = {"ages": YOUNG, "minutes": 15, "supply_unit": row.supply_unit, "standard": 100.0}
    return Reasons(measure, **(given | more)).of(row, place)  # type: ignore[arg-type]


def test_the_sentence_of_the_issue() -> None:
    assert said() == (
        "Rang 3, bei veränderten Annahmen Rang 2 bis 5: In Billstedt fehlen 45 von 120 nötigen Plätzen (37,5 je 1.000 "
        "der 10- bis unter 18-Jährigen); der Bedarfsindex liegt 0,8 über dem Mittel."
    )


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (replace(PLACE, low=3, high=3), "Rang 3, auch bei veränderten Annahmen: In"),
        (replace(PLACE, low=3), "Rang 3, bei veränderten Annahmen Rang 3 bis 5: In"),
        (replace(PLACE, rank=1200, low=1100, high=1300), "Rang 1.200, bei veränderten Annahmen Rang 1.100 bis 1.300:"),
        (replace(PLACE, need_index=-1.25), "; der Bedarfsindex liegt 1,3 unter dem Mittel."),
        (replace(PLACE, need_index=0.04), "; der Bedarfsindex liegt im Mittel."),
        (replace(PLACE, need_index=None), "Jährigen)."),
        (replace(PLACE, deficit=1.0), "fehlt 1 von 120 nötigen Plätzen"),
        (replace(PLACE, deficit=1.0, needed=1.0), "fehlt 1 von 1 nötigem Platz"),
        (replace(PLACE, deficit=0.4, needed=2.6), "fehlen 0,4 von 2,6 nötigen Plätzen"),
        (replace(PLACE, deficit=0.01, deficit_per_1000=0.02),
         "fehlen weniger als 0,1 von 120 nötigen Plätzen (weniger als 0,1 je"),
        (replace(PLACE, deficit=44.5, needed=119.5), "fehlen 45 von 120 nötigen Plätzen"),
        (replace(PLACE, deficit=1234.0, needed=23456.0), "fehlen 1.234 von 23.456 nötigen Plätzen"),
        (replace(PLACE, deficit=0.0, needed=70.0), ": In Billstedt gibt es 75 Plätze, nötig sind 70: kein Fehlbedarf;"),
        (replace(PLACE, deficit=0.0, needed=1.0), "nötig ist 1: kein Fehlbedarf"),
    ],
)  # fmt: skip
def test_supply_in_words(place: Place, words: str) -> None:
    assert words in said(place=place)


def test_hours_in_words() -> None:
    hours = replace(ROW, supply_unit="hours_per_week", supply=1.0)
    assert "fehlen 45 von 120 nötigen Wochenstunden (37,5" in said(hours)
    assert "fehlt 1 von 1 nötiger Wochenstunde" in said(hours, replace(PLACE, deficit=1.0, needed=1.0))
    assert "gibt es 1 Wochenstunde, nötig sind 0,5" in said(hours, replace(PLACE, deficit=0.0, needed=0.5))


@pytest.mark.parametrize(
    ("without", "of_all", "words"),
    [
        (1, 1, ", wobei die Einrichtung dort keine Platzangabe macht und der Fehlbedarf kleiner sein kann;"),
        (1, 3, ", wobei 1 von 3 Einrichtungen dort keine Platzangabe macht und"),
        (2, 3, ", wobei 2 von 3 Einrichtungen dort keine Platzangabe machen und"),
        (3, 3, ", wobei keine der 3 Einrichtungen dort eine Platzangabe macht und"),
    ],
)
def test_what_may_only_not_be_stated_is_said(without: int, of_all: int, words: str) -> None:
    row = replace(ROW, facilities=of_all, facilities_without_supply=without)
    assert words in said(row)
    assert words in said(row, measure="catchment")
    assert "wobei" not in said(row, measure="reach", standard=0.8)
    assert "wobei" not in said(row, replace(PLACE, deficit=0.0))


def test_reach_in_words() -> None:
    place = replace(PLACE, needed=960.0, deficit=360.0, deficit_per_1000=300.0, need_index=None)
    assert said(place=place, measure="reach", standard=0.8) == (
        "Rang 3, bei veränderten Annahmen Rang 2 bis 5: In Billstedt erreichen 50,0\xa0% der 10- bis unter 18-Jährigen "
        "(600 von 1.200) in höchstens 15 Minuten eine Einrichtung, nötig sind 80\xa0%; es fehlen 360 Personen."
    )
    assert "es fehlt 1 Person." in said(place=replace(place, deficit=1.0), measure="reach", standard=0.8)
    enough = said(place=replace(place, deficit=0.0), measure="reach", standard=0.455, minutes=1, ages=Ages(0))
    assert "50,0\xa0% der Einwohnerinnen und Einwohner (600 von 1.200) in höchstens einer Minute" in enough
    assert enough.endswith("nötig sind 45,5\xa0%: kein Fehlbedarf.")


def test_catchment_in_words() -> None:
    assert said(measure="catchment") == (
        "Rang 3, bei veränderten Annahmen Rang 2 bis 5: In Billstedt fehlen 45 von 120 nötigen Plätzen (37,5 je 1.000 "
        "der 10- bis unter 18-Jährigen), gemessen an dem, was in höchstens 15 Minuten erreichbar ist; der "
        "Bedarfsindex liegt 0,8 über dem Mittel."
    )
    enough = said(place=replace(PLACE, deficit=0.0, need_index=None), measure="catchment", standard=50.0, ages=Ages(65))
    assert enough.endswith(
        "In Billstedt sind in höchstens 15 Minuten 62,5 Plätze je 1.000 Einwohnerinnen und Einwohner ab 65 Jahren "
        "erreichbar, nötig sind 50: kein Fehlbedarf."
    )


NOT = Place(None, None, None, None, 0, 0, 0)
SHORT = replace(NOT, needed=120.0, deficit=45.0, deficit_per_1000=37.5)


@pytest.mark.parametrize(
    ("row", "place", "measure", "words"),
    [
        (replace(ROW, population=None), NOT, "supply", "Die Einwohner in Billstedt sind nicht bekannt"),
        (replace(ROW, population=0.0), NOT, "reach", "In Billstedt wohnt niemand dieses Alters"),
        (replace(ROW, facilities=1), NOT, "supply", "Die Einrichtung in Billstedt macht keine Platzangabe"),
        (ROW, NOT, "supply", "Die 3 Einrichtungen in Billstedt machen keine Platzangabe"),
        (replace(ROW, supply_unit="hours_per_week"), NOT, "supply",
         "Die 3 Einrichtungen in Billstedt machen keine Angabe der Wochenstunden"),
        (ROW, NOT, "reach", "Die Erreichbarkeit in Billstedt ist nicht bekannt"),
        (ROW, NOT, "catchment", "Die erreichbare Kapazität in Billstedt ist nicht bekannt"),
        (ROW, replace(SHORT, lacking=["A"]), "supply", "Für Billstedt fehlt die Kennzahl „A“"),
        (ROW, replace(SHORT, lacking=["A", "B"]), "supply", "Für Billstedt fehlen die Kennzahlen „A“ und „B“"),
    ],
)  # fmt: skip
def test_what_is_not_ranked_says_why(row: CoverageRow, place: Place, measure: Measure, words: str) -> None:
    assert said(row, place, measure) == f"{words}, deshalb nicht eingeordnet."


def test_what_lies_nowhere_is_not_ranked() -> None:
    assert said(replace(ROW, area_key="ohne"), NOT) == (
        "Was in keinem Gebiet liegt oder für die ganze Stadt da ist, wird nicht eingeordnet."
    )


@pytest.mark.parametrize(
    ("ages", "words"),
    [
        (Ages(0), "der Einwohnerinnen und Einwohner"),
        (Ages(65), "der Einwohnerinnen und Einwohner ab 65 Jahren"),
        (Ages(0, 3), "der unter 3-Jährigen"),
        (Ages(5, 6), "der 5-Jährigen"),
        (YOUNG, "der 10- bis unter 18-Jährigen"),
    ],
)
def test_ages_in_words(ages: Ages, words: str) -> None:
    assert ages_in_genitive(ages) == words
