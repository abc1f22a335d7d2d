import numpy as np
import pytest
from disclosure_attack import leaks
from disclosure_cubes import STATES, offices_by_state

from geodata.disclosure.cube import Level, Sheet, masks, responsible_sheet
from geodata.disclosure.measures import REST, measures, merge

LAENDER = STATES[1:16]


def thin() -> Sheet:
    """Three states, each with a single case from one Bezirk: no planner elsewhere may learn of it."""
    counts = np.array([[50.0, 20, 12, 1, 0, 0], [60, 25, 14, 0, 1, 0], [55, 30, 16, 0, 0, 1], [70, 20, 13, 3, 3, 0]])
    states = ("Hamburg", "Schleswig-Holstein", "Niedersachsen", "Bayern", "Hessen", "Saarland")
    return responsible_sheet(Level("bezirk", tuple("ABCD"), counts), states, home_state="Hamburg", city="hh")


def test_measures_are_ranked_by_what_they_lose() -> None:
    sheet = thin()
    found = measures(sheet, sheet.categories[1:])
    losses = [one.loss for one in found]
    assert losses == sorted(losses)
    assert sum(one.merged == () for one in found) == 1
    assert len(found) > 1
    for one in found:
        assert leaks([one.sheet], one.pattern) == []
        lost = masks(one.pattern, one.sheet, "land").counts[0]
        assert [name for name, gone in zip(one.sheet.categories, lost, strict=True) if gone] == list(one.without_total)
        assert one.words.endswith(".")
        assert (REST in one.words) == bool(one.merged)


def test_a_quarter_of_all_states() -> None:
    sheet = offices_by_state(np.random.default_rng(12), 300)
    found = measures(sheet, LAENDER, most=2)
    assert len(found) == 3
    for one in found:
        assert leaks([one.sheet], one.pattern) == []
        assert set(one.merged) <= set(LAENDER)


def test_where_no_total_is_lost_nothing_is_merged() -> None:
    counts = np.array([[50.0, 20, 12], [60, 25, 14], [55, 30, 16]])
    sheet = responsible_sheet(
        Level("bezirk", tuple("ABC"), counts), ("Hamburg", "Bayern", "Hessen"), home_state="Hamburg", city="hh"
    )
    (only,) = measures(sheet, ("Bayern", "Hessen"))
    assert (only.merged, only.without_total, only.loss) == ((), (), 0)
    assert only.words == "Alle Summen für das Land bleiben stehen."


def test_merging_keeps_all_sums() -> None:
    sheet = thin()
    merged = merge(sheet, ("Bayern", "Saarland"))
    assert merged.categories == ("Hamburg", "Schleswig-Holstein", "Niedersachsen", "Hessen", REST)
    assert merged.groups["außerhalb"] == ("Schleswig-Holstein", "Niedersachsen", "Hessen", REST)
    for before, after in zip(sheet.levels, merged.levels, strict=True):
        assert after.counts.sum(axis=1).tolist() == before.counts.sum(axis=1).tolist()
        assert after.counts[:, -1].tolist() == before.counts[:, [3, 5]].sum(axis=1).tolist()


def test_merging_across_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="außerhalb"):
        merge(thin(), ("Hamburg", "Bayern"))
