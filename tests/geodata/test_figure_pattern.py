"""Which figures of helps everyone sees: computed with what changes them, and never beside what would tell them."""

from typing import TYPE_CHECKING, Any

import pytest
from controlling_town import ADMIN, HELPS, PLANNER, Town, town
from hand_rows import rows_in
from sqlalchemy import text

from geodata import figure_pattern
from geodata.database import Access, reading, writing
from geodata.derive import rebuild_published
from geodata.placement_rule import PlacementRule, store_rule
from geodata.viewer import PUBLIC, Role, Viewer

if TYPE_CHECKING:
    from conftest import Database

COSTS, PEOPLE = "statistics.kosten", "statistics.einwohner"
OTHER = Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),))
# (area, indicator, position, period) -> value, None: suppressed
Seen = dict[tuple[str, str, str, str], float | None]


def seen(database: "Database", viewer: Viewer = PUBLIC, counting: str | None = None) -> Seen:
    with reading(database.serving, Access(viewer)) as session:
        found = session.execute(
            text("""
                SELECT area_key, indicator, position, period, value FROM observation_visible
                WHERE CAST(:counting AS text) IS NULL OR counting = :counting
            """),
            {"counting": counting},
        )
        return {tuple(row[:4]): row[4] for row in found}


def derive(made: Town) -> dict[str, int]:
    return rebuild_published(made.rows.session)


def usual(made: Town) -> None:
    made.dataset(HELPS, "mittel_12_stichtage")
    for area, values in {"L": (100.0, 60.0, 40.0), "1": (60.0, 40.0, 20.0), "2": (40.0, 20.0, 20.0)}.items():
        for position, value in zip(("alle_hilfen", "ambulant", "ausserhalb_familie"), values, strict=True):
            made.figure(HELPS, area, "cases", position, "2020", value)


def test_nothing_is_published_before_it_is_derived(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
    assert seen(database) == {}
    with writing(database.writing) as session:
        assert rebuild_published(session) == {"unterdrückte Angaben zu Hilfen": 0}
    assert seen(database) == seen(database, ADMIN) != {}


def test_small_counts_take_others_along_and_only_the_own_office_sees_them(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        for area, value in (("1", 1.5), ("2", 12.0), ("L", 13.5)):
            made.figure(HELPS, area, "cases", "31", "2020", value)
        derive(made)
    public = seen(database)
    key = ("1", "cases", "31", "2020")
    assert public[key] is None
    assert sum(public[area, "cases", "31", "2020"] is None for area in ("1", "2", "L")) >= 2
    assert seen(database, PLANNER)[key] == seen(database, ADMIN)[key] == 1.5
    # Who knows Bezirk 2 exactly must not see the Land's sum.
    assert seen(database, OTHER)[key] is None
    assert seen(database, OTHER)["L", "cases", "31", "2020"] is None


def test_what_an_import_does_not_change_is_not_computed_again(database: "Database") -> None:
    def patterns() -> dict[str, Any]:
        with database.writing.connect() as connection:
            found = connection.execute(text("SELECT family || period, ctid::text || digest FROM figure_pattern"))
            return {key: stamp for key, stamp in found}

    with town(database.writing) as made:
        usual(made)
        for area, value in (("1", 500.0), ("2", 400.0)):
            made.figure(HELPS, area, "cases", "alle_hilfen", "2019", value)
        derive(made)
    first = patterns()
    before = seen(database)
    with rows_in(database.writing) as rows:
        assert rebuild_published(rows.session) == {}
        # A new version of the dataset with one period changed.
        version = rows.version(HELPS, "statistics")
        rows.session.execute(text("UPDATE import_run SET counting = 'mittel_12_stichtage', unit = 'hilfen' "
                                  "WHERE id = :id"), {"id": version})  # fmt: skip
        rows.session.execute(
            text("""
                INSERT INTO observation
                SELECT :id, level, area_key, indicator, position, period, scenario,
                       CASE WHEN period = '2019' AND area_key = '1' THEN 501 ELSE value END, flag, starts, ends
                FROM observation WHERE import_id = (
                    SELECT previous_import_id FROM dataset WHERE name = :name)
            """),
            {"id": version, "name": HELPS},
        )
        assert rebuild_published(rows.session) == {"unterdrückte Angaben zu Hilfen": 0}
    assert patterns()["cases2020"] == first["cases2020"]
    assert patterns()["cases2019"] != first["cases2019"]
    assert seen(database) == before | {("1", "cases", "alle_hilfen", "2019"): 501.0}
    with rows_in(database.writing) as rows:
        held = rows.session.execute(text("SELECT count(DISTINCT import_id) FROM observation_published")).scalar_one()
        assert held == 1, "what belongs to no current version is gone"
        rows.session.execute(text("UPDATE dataset SET current_import_id = previous_import_id WHERE name = :name"),
                             {"name": HELPS})  # fmt: skip
        rebuild_published(rows.session)
    assert seen(database) == before


def test_the_bound_is_a_rule(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.figure(HELPS, "1", "cases", "31", "2020", 4.0)
        derive(made)
    assert seen(database)["1", "cases", "31", "2020"] == 4.0
    with writing(database.writing) as session:
        assert store_rule(session, PlacementRule(small=5))
        rebuild_published(session)
    assert seen(database)["1", "cases", "31", "2020"] is None


def test_an_internal_dataset_stays_where_it_is(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.rows.session.execute(text("UPDATE import_run SET release = 'internal' WHERE title = :name"),
                                  {"name": HELPS})  # fmt: skip
        derive(made)
    assert seen(database) == {}
    assert {key[0] for key in seen(database, PLANNER)} == {"1"}


# --- Periods and ways of counting


def test_of_periods_within_each_other_the_longest_is_published(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS, "kumuliert")
        for period, value in (("2020", 50.0), ("2020-H1", 30.0), ("2020-Q1", 12.0), ("2021-Q1", 20.0)):
            made.figure(HELPS, "1", "cases", "31", period, value)
        made.dataset("statistics.tage", "stichtag")
        for period in ("2020-12-31", "2020-12", "2020-H2", "2020-11-30"):
            made.figure("statistics.tage", "1", "cases", "31", period, 25.0)
        derive(made)
    assert {key[3] for key in seen(database)} == {"2020", "2021-Q1", "2020-H2", "2020-11-30"}


def test_what_begun_and_what_was_there_are_not_published_beside_their_sum(database: "Database") -> None:
    with town(database.writing) as made:
        for counting, values in {
            "stichtag": {"2019-12-31": 20.0}, "kumuliert": {"2020": 27.0, "2018": 30.0}, "begonnen": {"2020": 7.0},
        }.items():  # fmt: skip
            made.dataset(f"statistics.{counting}", counting)
            for period, value in values.items():
                made.figure(f"statistics.{counting}", "1", "cases", "31", period, value)
        derive(made)
    assert {key[3] for key in seen(database, counting="kumuliert")} == {"2018"}
    assert {key[3] for key in seen(database, counting="begonnen")} == {"2020"}
    assert {key[3] for key in seen(database, counting="stichtag")} == {"2019-12-31"}


def test_placements_of_the_same_day_go_first(database: "Database") -> None:
    with town(database.writing) as made:
        made.dataset(HELPS)
        for period in ("2021-Q3", "2021-Q2"):
            made.figure(HELPS, "1", "cases", "31", period, 25.0)
        derive(made)
        assert figure_pattern.rebuild(made.rows.session) == {}
        version = made.rows.version("placements", "placements")
        made.rows.insert("placement", import_id=version, level="bezirk", area_key="1", area_role="zustaendig",
                         period="2021-Q3", paragraph="34", counting="stichtag", provider_state="Hamburg",
                         cases=20)  # fmt: skip
        made.rows.insert("placement_delivery", import_id=version, level="bezirk", period="2021-Q3")
        derive(made)
        withheld = made.rows.session.execute(text("SELECT period, reason FROM figure_withheld")).all()
    assert {key[3] for key in seen(database)} == {"2021-Q2"}
    assert withheld == [("2021-Q3", "placements")]


# --- Amounts, and what is printed


def test_amounts_go_with_the_cases_and_stay_open(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.dataset(COSTS, "kumuliert", "eur")
        for area, cases, spent in (("1", 2.0, 60_000.0), ("2", 12.0, 500_000.0), ("L", 14.0, 560_000.0)):
            made.figure(HELPS, area, "cases", "31", "2020", cases)
            made.figure(COSTS, area, "spending_eur", "31", "2020", spent)
        for area, spent in (("1", 1000.0), ("11", 600.0)):
            made.figure(COSTS, area, "spending_eur", "33", "2020", spent)
        made.figure(COSTS, "1", "budget_eur", "", "2020", 9000.0)
        derive(made)
    public = seen(database)
    assert public["1", "spending_eur", "31", "2020"] is None
    assert None in (public["L", "spending_eur", "31", "2020"], public["2", "spending_eur", "31", "2020"])
    # Of the Bezirk it is the office's; of a Stadtteil without cases it may be one child's.
    assert public["1", "spending_eur", "33", "2020"] == 1000.0
    assert ("11", "spending_eur", "33", "2020") not in public
    assert public["1", "budget_eur", "", "2020"] == 9000.0


def test_printed_rates_go_with_what_they_rest_on(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        made.dataset(COSTS, "kumuliert", "eur")
        made.dataset(PEOPLE, "stichtag", "personen")
        made.figure(PEOPLE, "1", "population", "0-21", "2020", 1000)
        for area, value in (("1", 1.0), ("2", 12.0)):
            made.figure(HELPS, area, "cases", "31", "2020", value)
            made.figure(HELPS, area, "hilfedichte", "31", "2020", value)
            made.figure(HELPS, area, "hilfedichte", "alle_hilfen", "2020", 30.0)
            made.figure(COSTS, area, "kosten_je_jew_eur", "31", "2020", 40.0)
            made.figure(COSTS, area, "spending_eur", "alle_hilfen", "2020", 40_000.0)
            made.figure(HELPS, area, "betreute", "", "2020", value)
        made.figure(HELPS, "11", "hilfedichte", "alle_hilfen", "2020", 0.3)
        derive(made)
    public = seen(database)
    assert ("1", "hilfedichte", "31", "2020") not in public
    assert ("1", "kosten_je_jew_eur", "31", "2020") not in public
    assert public["1", "hilfedichte", "alle_hilfen", "2020"] == 30.0
    assert public["2", "hilfedichte", "31", "2020"] == 12.0
    assert ("11", "hilfedichte", "alle_hilfen", "2020") not in public, "a rate without cases beside it is a count"
    assert not any(key[1] == "betreute" for key in public), "nobody says that it counts no helps"
    assert public["1", "population", "0-21", "2020"] == 1000


def test_a_forecast_goes_with_what_came(database: "Database") -> None:
    with town(database.writing) as made:
        usual(made)
        for area, value in (("1", 1.0), ("2", 12.0)):
            made.figure(HELPS, area, "cases", "31", "2020", value)
        for period in ("2020", "2021"):
            made.figure(HELPS, "1", "cases", "31", period, 5.0, scenario="prognose")
        derive(made)
    with reading(database.serving) as session:
        found = session.execute(text("SELECT period FROM observation_visible WHERE scenario = 'prognose'")).scalars()
        assert list(found) == ["2021"]


# --- What follows from what is not stated


@pytest.mark.parametrize("rest", [1.0, 2.0, 5.0])
def test_a_small_rest_of_what_nobody_states_is_kept_in_doubt(database: "Database", rest: float) -> None:
    """Bezirk 1 less Stadtteil 11 is Stadtteil 12; the Land less Bezirk 1 is Bezirk 2."""
    with town(database.writing) as made:
        made.dataset(HELPS)
        made.figure(HELPS, "1", "cases", "31", "2020", 20.0 + rest)
        made.figure(HELPS, "11", "cases", "31", "2020", 20.0)
        derive(made)
    public = seen(database)
    shown = [public[area, "cases", "31", "2020"] for area in ("1", "11")]
    assert (None in shown) == (rest < 3)


def test_what_the_source_suppresses_does_not_follow(database: "Database") -> None:
    with town(database.writing) as made:
        made.catalogue("catalogue", {"31": ["ambulant"], "30": ["ambulant"]})
        made.dataset(HELPS)
        for position, value in (("ambulant", 12.0), ("30", 10.0)):
            made.figure(HELPS, "1", "cases", position, "2020", value)
        made.figure(HELPS, "1", "cases", "31", "2020", None, "suppressed")
        derive(made)
    public = seen(database)
    assert public["1", "cases", "31", "2020"] is None
    assert None in (public["1", "cases", "30", "2020"], public["1", "cases", "ambulant", "2020"])


def test_few_cases_of_one_kind_only_are_kept_in_doubt(database: "Database") -> None:
    with town(database.writing) as made:
        made.catalogue("catalogue", {"31": ["ambulant"], "30": ["ambulant"]})
        made.dataset(HELPS)
        for position, value in (("ambulant", 6.0), ("30", 0.0), ("31", 6.0)):
            made.figure(HELPS, "1", "cases", position, "2020", value)
        derive(made)
    assert None in seen(database).values()
