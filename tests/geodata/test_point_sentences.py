"""What the view from a point says."""

import pytest

from geodata.answer import Meta
from geodata.coverage.request import Mode
from geodata.point_reach import PointReachAnswer, PointReachRow
from geodata.point_sentences import in_words, way_in_words

ROW = PointReachRow("d", "1", "Haus", None, None, None, None, None, None, ["okja"], 10.0, 53.5, 3.0, 240.0)
META = Meta(title="", method="", unit="", version="", sources=[], missing=0, warnings=[], data_version=1)


def answer(places: int, residents: float | None, mode: Mode = "walk") -> PointReachAnswer:
    return PointReachAnswer(META, [ROW] * places, [], residents, "", mode)


@pytest.mark.parametrize(
    ("minutes", "mode", "said"),
    [
        (15, "walk", "in höchstens 15 Minuten zu Fuß"),
        (1, "bike", "in höchstens einer Minute mit dem Fahrrad"),
        (10, "line", "in höchstens 10 Minuten nach Luftlinie mal Umwegfaktor zu Fuß"),
    ],
)
def test_the_way(minutes: int, mode: Mode, said: str) -> None:
    assert way_in_words(minutes, mode) == said


WALK = "in höchstens 15 Minuten zu Fuß"


@pytest.mark.parametrize(
    ("places", "residents", "reached", "living"),
    [
        (0, 0.2, f"ist {WALK} keine passende Einrichtung", "In diesem Umkreis wohnt niemand."),
        (1, 1.2, f"ist {WALK} eine passende Einrichtung", "In diesem Umkreis wohnt ein Mensch."),
        (3, 1234.4, f"sind {WALK} 3 passende Einrichtungen", "In diesem Umkreis wohnen 1.234 Menschen."),
        (3, None, f"sind {WALK} 3 passende Einrichtungen", "Wie viele Menschen dort wohnen, ist nicht bekannt."),
    ],
)
def test_what_is_reached(places: int, residents: float | None, reached: str, living: str) -> None:
    assert in_words(answer(places, residents), 15, "„Haus“") == f"Von „Haus“ aus {reached} zu erreichen. {living}"
