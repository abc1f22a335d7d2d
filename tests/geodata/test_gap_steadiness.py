"""How far ranks can be trusted, and what a ranking says in a sentence."""

from dataclasses import replace

import pytest

from geodata.gap_steadiness import in_words, steadiness
from geodata.gaps import GapRow

ROW = GapRow(
    area_level="stadtteil", area_key="1", area_name="Gebiet 1", population=100.0, facilities=0,
    facilities_without_supply=0, ages_unknown=0, supply=0.0, supply_unit="places", supply_per_1000=0.0, use=None,
    use_unit="regular_users_per_week", reached=None, not_reached=None, reach_share=None, nearest_m=None,
    unconnected=None, access_index=None, flag="ok", geometry=None, standard=30.0, needed=3.0, deficit=3.0,
    deficit_per_1000=30.0, need_index=None, priority=1.0, rank=1, rank_low=1, rank_high=1, reason="",
)  # fmt: skip


def rows(*given: tuple[int | None, float]) -> list[GapRow]:
    """Areas by rank and deficit."""
    return [
        replace(ROW, area_key=str(number), area_name=f"Gebiet {number}", rank=rank, rank_low=rank, rank_high=rank,
                deficit=deficit)
        for number, (rank, deficit) in enumerate(given, start=1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("low", "rank", "high", "ranked", "word"),
    [
        (3, 3, 3, 10, "fest"),
        (3, 3, 6, 10, "stabil"),  # three ranks in any case
        (3, 3, 7, 10, "unsicher"),
        (1, 4, 4, 10, "stabil"),
        (1, 5, 5, 10, "unsicher"),
        (10, 20, 20, 100, "stabil"),  # a tenth of those ranked
        (9, 20, 20, 100, "unsicher"),
        (None, None, None, 10, None),
    ],
)
def test_how_far_a_rank_is_to_be_trusted(
    low: int | None, rank: int | None, high: int | None, ranked: int, word: str | None
) -> None:
    assert steadiness(replace(ROW, rank=rank, rank_low=low, rank_high=high), ranked) == word


def test_only_areas_that_lack_something_come_first() -> None:
    assert in_words(rows((1, 3.0), (2, 0.0), (2, 0.0), (2, 0.0)), weighed=False) == (
        "In einem von 4 Gebieten fehlt etwas gegenüber dem Richtwert. An erster Stelle steht Gebiet 1. Alle 4 Ränge "
        "bleiben auch bei veränderten Annahmen fest oder stabil."
    )


def test_where_need_counts_an_area_may_come_first_that_lacks_nothing() -> None:
    said = in_words(rows((1, 0.0), (2, 3.0), (3, 2.0), (4, 1.0)), weighed=True)
    assert "In 3 von 4 Gebieten fehlt etwas" in said
    assert "An erster Stelle steht Gebiet 1, dann Gebiet 2, dann Gebiet 3." in said


@pytest.mark.parametrize(
    ("ranks", "said"),
    [
        ((1, 1, 3, 4), "An erster Stelle stehen gleichauf Gebiet 1 und Gebiet 2, dann Gebiet 3."),
        ((1, 2, 2, 2), "An erster Stelle steht Gebiet 1, dann gleichauf Gebiet 2, Gebiet 3 und Gebiet 4."),
        ((1, 1, 1, 1, 5), "An erster Stelle stehen gleichauf 4 Gebiete."),
    ],
)
def test_equal_ranks_stand_together(ranks: tuple[int, ...], said: str) -> None:
    assert said in in_words(rows(*((rank, 1.0) for rank in ranks)), weighed=False)


def test_all_few_and_no_areas() -> None:
    assert "In allen 2 Gebieten fehlt etwas" in in_words(rows((1, 2.0), (2, 1.0)), weighed=False)
    assert in_words(rows((1, 2.0), (None, 1.0)), weighed=False) == (
        "Eingeordnet ist nur Gebiet 1; dort fehlt etwas gegenüber dem Richtwert.")  # fmt: skip
    assert "dort fehlt nichts" in in_words(rows((1, 0.0)), weighed=False)
    assert in_words(rows((1, 0.0), (1, 0.0)), weighed=True) == (
        "In keinem der eingeordneten Gebiete fehlt etwas gegenüber dem Richtwert.")  # fmt: skip
    assert in_words(rows((None, 0.0)), weighed=False) == (
        "Kein Gebiet lässt sich einordnen; warum, steht in jeder Zeile.")  # fmt: skip


def test_what_belongs_to_no_area_is_not_counted() -> None:
    without = replace(ROW, area_key="ohne", area_name="ohne räumliche Zuordnung", rank=None)
    assert "In allen 2 Gebieten" in in_words([*rows((1, 2.0), (2, 1.0)), without], weighed=False)


@pytest.mark.parametrize(
    ("shaky", "said"),
    [
        (1, "3 von 4 Rängen bleiben auch bei"),
        (3, "Einer von 4 Rängen bleibt auch bei"),
        (4, "Kein Rang bleibt auch bei"),
    ],
)
def test_how_many_ranks_can_be_trusted(shaky: int, said: str) -> None:
    made = rows((1, 4.0), (2, 3.0), (3, 2.0), (4, 1.0))
    moved = [replace(row, rank_high=row.rank + 9) if at < shaky and row.rank else row for at, row in enumerate(made)]
    assert said in in_words(moved, weighed=False)
