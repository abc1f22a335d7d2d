"""What of a quarter's placements is published together, and what ties it together."""

import numpy as np
import pytest

from geodata.disclosure.cube import Sheet, build
from geodata.figure_tables import PROVIDER_STATES
from geodata.placement_cube import is_published, make_sheet
from geodata.placement_ground import Area, Ground
from geodata.placement_rule import PlacementRule

WIDE = ("bezirk", "land")
# Two Bezirke of two Stadtteile in one Land; Sozialraum R1 lies in Bezirk 1, R2 in Bezirk 2.
WITHIN: dict[Area, dict[str, str]] = {
    ("land", "02"): {},
    **{("bezirk", key): {"land": "02"} for key in "12"},
    **{("stadtteil", key): {"bezirk": key[0], "land": "02"} for key in ("11", "12", "21", "22")},
    **{("sozialraum", f"R{key}"): {"bezirk": key, "land": "02"} for key in "12"},
}


def ground(
    within: dict[Area, dict[str, str]] | None = None,
    members: dict[Area, frozenset[str]] | None = None,
    overlaps: dict[tuple[str, str], frozenset[tuple[str, str]]] | None = None,
) -> Ground:
    return Ground(PlacementRule(), WIDE, WITHIN if within is None else within, members or {}, overlaps or {})


def counts(*keys: str, **states: int) -> dict[str, dict[str, int]]:
    given = states or {"Hamburg": 5}
    return {key: {**given, "gesamt": sum(given.values())} for key in keys}


def sheet(role: str, levels: dict[str, dict[str, dict[str, int]]], on: Ground | None = None) -> Sheet:
    made = make_sheet(on or ground(), role, levels)
    assert made is not None
    build([made])
    return made


def ties(made: Sheet) -> dict[tuple[str, str], tuple[str | None, ...]]:
    return {(one.parts, one.whole): one.of for one in made.sums}


def test_offices_are_published_by_state_and_add_up_to_the_land() -> None:
    given = {"bezirk": counts("1", "2", "ohne", Hamburg=4, Bayern=2), "land": counts("02", Hamburg=12, Bayern=7)}
    made = sheet("zustaendig", given)
    assert made.categories == PROVIDER_STATES
    assert set(made.groups["außerhalb"]) == set(PROVIDER_STATES) - {"Hamburg", "ohne Angabe"}
    bezirk = made.level("bezirk")
    assert (bezirk.areas, bezirk.offices) == (("1", "2", "ohne"), ("1", "2", None))
    assert bezirk.counts[0, [PROVIDER_STATES.index(state) for state in ("Hamburg", "Bayern")]].tolist() == [4, 2]
    assert bezirk.counts.sum() == 18
    # What lies in no Bezirk belongs to the one Land there is; a printed total may differ from the sum.
    assert ties(made) == {("bezirk", "land"): ("02", "02", "02")}
    assert made.level("land").totals is not None


def test_a_land_above_bezirke_without_parents_is_known_all_the_same() -> None:
    alone: dict[Area, dict[str, str]] = {area: {} for area in WITHIN}
    made = sheet("zustaendig", {"bezirk": counts("1", "2"), "land": counts("02")}, ground(alone))
    assert ties(made) == {("bezirk", "land"): ("02", "02")}
    several = make_sheet(ground(alone), "zustaendig", {"bezirk": counts("1", "2"), "land": counts("02", "04")})
    assert several is not None
    assert [level.name for level in several.levels] == ["land"]


def test_levels_below_the_offices_are_not_published_by_state() -> None:
    assert make_sheet(ground(), "zustaendig", {"region": counts("R1")}) is None
    assert make_sheet(ground(), "herkunft", {"statgebiet": counts("111")}) is None


def test_origin_is_published_by_home_state_or_not() -> None:
    given = counts("11", Hamburg=4) | {"12": {"Hamburg": 1, "außerhalb": 3, "Bayern": 2, "Hessen": 1, "gesamt": 4}}
    made = sheet("herkunft", {"stadtteil": given})
    assert made.categories == ("Hamburg", "außerhalb", "ohne Angabe")
    level = made.level("stadtteil")
    assert level.counts.tolist() == [[4, 0, 0], [1, 3, 0]]
    assert level.offices == ("1", "1")
    assert not made.groups


def test_levels_that_cross_are_tied_by_their_pieces_or_by_what_contains_both() -> None:
    levels = {"stadtteil": counts("11", "12", "21"), "sozialraum": counts("R1", "R2", "ohne")}
    pairs = frozenset({("R1", "11"), ("R1", "12"), ("R2", "21")})
    crossing = sheet("herkunft", levels, ground(overlaps={("sozialraum", "stadtteil"): pairs}))
    (tie,) = crossing.crossings
    assert tie.overlaps.tolist() == [[True, True, False], [False, False, True], [False, False, False]]
    # Together they are the same city, with what lies in no area.
    assert ties(crossing) == {("sozialraum", "*"): ("*", "*", "*"), ("stadtteil", "*"): ("*", "*", "*")}
    plain = sheet("herkunft", levels)
    assert not plain.crossings
    assert ties(plain)["stadtteil", "bezirk"] == ("1", "1", "2")
    assert ties(plain)["sozialraum", "bezirk"] == ("1", "2", None)
    assert np.isnan(plain.level("bezirk").counts).all()


def test_stadtteile_add_up_to_a_delivered_bezirk_and_what_cannot_be_tied_to_it_stays_out() -> None:
    within = {area: above for area, above in WITHIN.items() if area != ("stadtteil", "22")}
    levels = {"bezirk": counts("1", "2"), "stadtteil": counts("11", "12", "22", "ohne")}
    made = sheet("herkunft", levels, ground(within))
    assert made.level("stadtteil").areas == ("11", "12")
    assert ties(made) == {("stadtteil", "bezirk"): ("1", "1")}
    whole = sheet("herkunft", {"land": counts("02"), "stadtteil": counts("11", "22", "ohne")}, ground(within))
    assert ties(whole) == {("stadtteil", "land"): ("02", "02", "02")}


def test_a_merged_area_belongs_to_the_office_of_all_its_members() -> None:
    members = {("stadtteil", "11+12"): frozenset({"11", "12"}), ("stadtteil", "12+21"): frozenset({"12", "21"})}
    on = ground(members=members)
    assert sheet("herkunft", {"stadtteil": counts("11+12", "21")}, on).level("stadtteil").offices == ("1", "2")
    assert sheet("herkunft", {"stadtteil": counts("12+21", "11")}, on).level("stadtteil").offices == ("1", None)
    # Beside its own members it would be a difference everyone can take.
    assert sheet("herkunft", {"stadtteil": counts("11+12", "12", "21")}, on).level("stadtteil").areas == ("12", "21")
    assert sheet("herkunft", {"stadtteil": counts("11+12", "12+21", "22")}, on).level("stadtteil").areas == ("22",)


@pytest.mark.parametrize(
    ("period", "published"), [("2021-Q3", True), ("2021", False), ("2021-H1", False), ("2021-09", False)]
)
def test_only_quarters_are_published(period: str, published: bool) -> None:
    assert is_published(period) == published
