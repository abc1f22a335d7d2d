"""The question of figures: every area has its row, what is missing says so, and nobody sees what is not for them."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import figures_town as town
import pytest

from geodata.answer import Answer
from geodata.database import Access, reading
from geodata.errors import ParameterError
from geodata.figure_notes import SMALL_SUPPRESSED
from geodata.indicators import HIDDEN_COUNTS, indicators
from geodata.periods import parse_period
from geodata.statistics import After, ObservationRow, StatisticsRequest, statistics
from geodata.viewer import PUBLIC, Role, Version, Viewer

if TYPE_CHECKING:
    from conftest import Database

PLANNER = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
TOTAL = StatisticsRequest("population", "stadtteil", position="total")


@pytest.fixture(scope="module")
def database(new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory) -> "Database":
    made = new_database()
    town.build(made.writing, tmp_path_factory.mktemp("town"))
    return made


def asked(database: "Database", request: StatisticsRequest, viewer: Viewer = PUBLIC) -> Answer[ObservationRow]:
    with reading(database.serving, Access(viewer)) as session:
        return statistics(session, request)


def values(answer: Answer[ObservationRow]) -> dict[str, tuple[float | None, str]]:
    return {row.area_key: (row.value, row.flag) for row in answer.rows}


def test_every_area_has_its_row_and_no_area_comes_last(database: "Database") -> None:
    answer = asked(database, TOTAL)
    found = values(answer)
    assert list(found) == [*town.STADTTEILE, "ohne"]
    assert found["14"] == (None, "missing")
    assert found["ohne"] == (town.WITHOUT, "ok")
    assert {key: found[key] for key in town.TOTAL} == {key: (value, "ok") for key, value in town.TOTAL.items()}
    assert answer.meta.missing == 1
    by_key = {row.area_key: row for row in answer.rows}
    assert by_key["14"].dataset is None
    assert by_key["11"].dataset == town.AMTLICH
    assert by_key["ohne"].area_name == "ohne räumliche Zuordnung"
    assert (by_key["11"].unit, by_key["11"].kind, by_key["11"].counting) == ("personen", "count", "stichtag")


def test_the_latest_period_is_meant_where_none_is_named(database: "Database") -> None:
    assert {row.period for row in asked(database, TOTAL).rows} == {"2020"}
    assert {row.period for row in asked(database, replace(TOTAL, scenario="prognose")).rows} == {"2030"}
    past = values(asked(database, replace(TOTAL, period="2019-12-31")))
    assert past["11"] == (99, "ok")
    assert sum(value is None for value, _flag in past.values()) == 7


def test_residents_of_areas_reported_together_are_split_and_say_so(database: "Database") -> None:
    answer = asked(database, TOTAL)
    found = values(answer)
    assert "23+24" not in found, "listed with its parts it would count twice"
    assert {flag for _value, flag in (found["23"], found["24"])} == {"estimated"}
    assert sum(found[key][0] or 0 for key in ("23", "24")) == pytest.approx(town.TOGETHER)
    assert any("geschätzt aufgeteilt: „Stadtteil 23 / Stadtteil 24“" in warning for warning in answer.meta.warnings)
    assert sum(value or 0 for value, _flag in found.values()) == pytest.approx(
        sum(town.TOTAL.values()) + town.TOGETHER + town.WITHOUT)  # fmt: skip


def test_other_figures_stay_together(database: "Database") -> None:
    answer = asked(database, StatisticsRequest("wohnungen", "stadtteil"))
    found = values(answer)
    assert found["23+24"] == (9, "ok")
    assert found["23"] == found["24"] == (None, "missing")
    assert found["11"] == (55, "provisional")
    assert found["12"] == (None, "suppressed")
    assert list(found)[-1] == "24", "without figures for no area there is no row for it"
    assert "Ein Wert ist unterdrückt." in answer.meta.warnings
    assert any("Nur gemeinsam ausgewiesen: „Stadtteil 23 / Stadtteil 24“" in w for w in answer.meta.warnings)
    assert answer.meta.unit == "wohnungen"
    assert answer.meta.missing == 7


def test_the_footnotes_name_only_what_was_used(database: "Database") -> None:
    answer = asked(database, TOTAL)
    assert [source.dataset for source in answer.meta.sources] == [town.AMTLICH, "areas.stadtteil"]
    assert "Umfang von „Amtliche Zahlen“: nur Hauptwohnsitz" in answer.meta.warnings
    assert answer.meta.title == "Einwohnerinnen und Einwohner · Ebene Stadtteil · 2020"
    assert answer.meta.method.endswith(".")


def test_all_positions_stand_side_by_side(database: "Database") -> None:
    answer = asked(database, StatisticsRequest("population", "stadtteil"))
    assert [(row.area_key, row.position) for row in answer.rows[:4]] == [
        ("11", "0-18"), ("11", "total"), ("12", "0-18"), ("12", "total")]  # fmt: skip
    young = {row.area_key: row.value for row in answer.rows if row.position == "0-18"}
    assert young == {key: town.YOUNG.get(key) for key in town.STADTTEILE}


def test_one_way_of_counting_alone(database: "Database") -> None:
    answer = asked(database, StatisticsRequest("eigenes", "stadtteil", counting="stichtag"))
    assert {row.counting for row in answer.rows} == {"stichtag"}
    assert {row.area_key: row.value for row in answer.rows if row.value is not None} == {"13": 0.5}
    assert len(answer.rows) == len(town.STADTTEILE)
    assert answer.meta.title == "eigenes · Ebene Stadtteil · 2020 · am Stichtag"
    # Nothing is said of what is not there.
    assert not any("Verschieden gezählte" in one for one in answer.meta.warnings)
    assert town.OTHER_COUNTING not in {one.dataset for one in answer.meta.sources}
    for counting in ("kumuliert", ""):
        with pytest.raises(ParameterError) as caught:
            asked(database, StatisticsRequest("eigenes", "stadtteil", counting=counting))
        assert caught.value.parameter == "counting"
        assert list(caught.value.allowed) == ["mittel_12_stichtage", "stichtag"]


def test_what_is_counted_differently_is_never_mixed(database: "Database") -> None:
    answer = asked(database, StatisticsRequest("eigenes", "stadtteil"))
    assert len(answer.rows) == 2 * len(town.STADTTEILE)
    stated = {(row.counting, row.area_key): row.value for row in answer.rows if row.value is not None}
    assert stated == {("stichtag", "13"): 0.5, ("mittel_12_stichtage", "11"): 0.25}
    assert any("nicht vergleichbar" in warning for warning in answer.meta.warnings)
    assert answer.rows[0].unit is None
    assert answer.meta.unit == "ohne Angabe"


class TestArea:
    """Only one area, or those inside it."""

    @pytest.mark.parametrize(("area", "expected"), [
        (("bezirk", "1"), ["11", "12", "13", "14"]), (("bezirk", "2"), ["21", "22", "23", "24"]),
        (("stadtteil", "13"), ["13"]), (("stadtteil", "ohne"), ["ohne"])])  # fmt: skip
    def test_inside(self, database: "Database", area: tuple[str, str], expected: list[str]) -> None:
        assert list(values(asked(database, replace(TOTAL, area=area)))) == expected

    def test_a_merged_area_counts_where_all_its_parts_lie(self, database: "Database") -> None:
        flats = StatisticsRequest("wohnungen", "stadtteil", area=("bezirk", "2"))
        assert "23+24" in values(asked(database, flats))
        assert "23+24" not in values(asked(database, replace(flats, area=("bezirk", "1"))))
        assert "23+24" not in values(asked(database, replace(flats, area=("stadtteil", "23"))))

    @pytest.mark.parametrize("area", [("bezirk", "9"), ("kiez", "1"), ("bezirk", "ohne")])
    def test_unknown(self, database: "Database", area: tuple[str, str]) -> None:
        with pytest.raises(ParameterError) as refused:
            asked(database, replace(TOTAL, area=area))
        assert refused.value.parameter == "area"

    def test_an_area_finer_than_the_level_holds_none_of_it(self, database: "Database") -> None:
        with pytest.raises(ParameterError, match="liegt kein Gebiet der Ebene Bezirk"):
            asked(database, StatisticsRequest("population", "bezirk", area=("stadtteil", "11")))


WRONG = [
    (replace(TOTAL, level="kiez"), "level", ["bezirk", "stadtteil"]),
    (replace(TOTAL, indicator="hunde"), "indicator", ["cases", "eigenes", "population", "wohnungen"]),
    (StatisticsRequest("wohnungen", "bezirk"), "level", ["stadtteil"]),
    (replace(TOTAL, scenario="wunsch"), "scenario", ["ist", "prognose", "plan"]),
    (replace(TOTAL, scenario="plan"), "scenario", ["ist", "prognose"]),
    (replace(TOTAL, position="6-10"), "position", ["0-18", "total"]),
    (replace(TOTAL, period="2018"), "period", ["2020", "2019-12-31"]),
    (replace(TOTAL, period="2021-Q5"), "period", ["2030", "2020", "2019-12-31"]),
]


@pytest.mark.parametrize(("request_", "parameter", "allowed"), WRONG)
def test_what_is_not_there_is_said_with_what_is(
    database: "Database", request_: StatisticsRequest, parameter: str, allowed: list[str]
) -> None:
    with pytest.raises(ParameterError) as refused:
        asked(database, request_)
    assert refused.value.parameter == parameter
    assert set(refused.value.allowed) == set(allowed)
    assert str(refused.value).endswith(".")


class TestHelps:
    """Everyone sees counts of helps but for small ones; the own office sees its own as they are."""

    CASES = StatisticsRequest("cases", "bezirk", version=Version.INTERNAL)
    OTHERS = (
        PUBLIC,
        Viewer(Role.PROVIDER, provider_key="t1"),
        Viewer(Role.PLANNER, office_areas=(("stadtteil", "12"),)),
    )

    @pytest.mark.parametrize("viewer", OTHERS)
    def test_others_see_what_is_published_and_that_small_ones_are_suppressed(
        self, database: "Database", viewer: Viewer
    ) -> None:
        answer = asked(database, self.CASES, viewer)
        assert values(answer) == {"1": (12, "ok"), "2": (None, "suppressed")}
        assert answer.rows[0].unit == "hilfen"
        assert answer.meta.missing == 1
        assert HIDDEN_COUNTS in answer.meta.warnings
        assert SMALL_SUPPRESSED.format(small=3) in answer.meta.warnings
        inside = values(asked(database, replace(self.CASES, level="stadtteil"), viewer))
        assert inside["11"] == (4, "ok")
        assert {inside[key] for key in inside if key != "11"} == {(None, "missing")}
        assert "21" in inside, "where figures are published, areas are listed as for anybody"

    @pytest.mark.parametrize("viewer", OTHERS)
    def test_others_do_not_learn_whether_there_are_any_that_are_not_published(
        self, database: "Database", viewer: Viewer
    ) -> None:
        for request in (replace(self.CASES, indicator="counselling_new"), replace(self.CASES, indicator="hours")):
            answer = asked(database, request, viewer)
            assert answer.rows == []
            assert answer.meta.warnings == [HIDDEN_COUNTS]
            assert answer.meta.sources == []

    def test_the_office_sees_its_own(self, database: "Database") -> None:
        answer = asked(database, self.CASES, Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),)))
        assert values(answer) == {"1": (12, "ok"), "2": (2, "ok")}
        assert HIDDEN_COUNTS in answer.meta.warnings
        assert SMALL_SUPPRESSED.format(small=3) not in answer.meta.warnings
        theirs = asked(database, self.CASES, PLANNER)
        assert values(theirs) == {"1": (12, "ok"), "2": (None, "suppressed")}

    def test_the_admin_sees_all(self, database: "Database") -> None:
        assert values(asked(database, self.CASES, Viewer(Role.ADMIN))) == {"1": (12, "ok"), "2": (2, "ok")}

    def test_the_list_of_indicators(self, database: "Database") -> None:
        with reading(database.serving) as session:
            rows = {row.indicator: row for row in indicators(session).rows}
        assert set(rows) == {"cases", "eigenes", "population", "wohnungen"}
        people = rows["population"]
        assert people.levels == ["bezirk", "stadtteil"]
        assert people.periods == ["2030", "2020", "2019-12-31"]
        assert people.scenarios == ["ist", "prognose"]
        assert people.positions == ["0-18", "total"]
        assert (rows["wohnungen"].title, rows["wohnungen"].unit) == ("Wohnungen", "wohnungen")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("indicator", ["population", "eigenes", "wohnungen"])
def test_pages_visit_every_row_once(database: "Database", limit: int, indicator: str) -> None:
    whole = StatisticsRequest(indicator, "stadtteil")
    expected = asked(database, whole).rows
    seen: list[ObservationRow] = []
    after: After | None = None
    for _page in range(len(expected) + 1):
        answer = asked(database, replace(whole, limit=limit, after=after))
        seen += answer.rows
        if answer.meta.next is None:
            break
        key, position, counting, dataset = answer.meta.next.split("\n")
        after = (key, position, counting, dataset)
    assert seen == expected


def test_geometry_comes_when_asked_and_for_areas_together_too(database: "Database") -> None:
    import shapely

    assert {row.geometry for row in asked(database, TOTAL).rows} == {None}
    rows = {
        row.area_key: row.geometry
        for row in asked(database, StatisticsRequest("wohnungen", "stadtteil", geometry=True)).rows
    }
    shapes = {key: shapely.from_geojson(geometry) for key, geometry in rows.items()}
    assert all(shape.geom_type == "MultiPolygon" for shape in shapes.values())
    together = shapely.union(shapes["23"], shapes["24"])
    assert shapes["23+24"].symmetric_difference(together).area < 1e-9
    assert {row.area_key: row.geometry for row in asked(database, replace(TOTAL, geometry=True)).rows}["ohne"] is None


@pytest.mark.parametrize(("text", "starts", "ends"), [
    ("2020", "2020-01-01", "2020-12-31"), ("2014-H1", "2014-01-01", "2014-06-30"),
    ("2014-H2", "2014-07-01", "2014-12-31"), ("2021-Q1", "2021-01-01", "2021-03-31"),
    ("2021-Q3", "2021-07-01", "2021-09-30"), ("2021-Q4", "2021-10-01", "2021-12-31"),
    ("2020-02", "2020-02-01", "2020-02-29"), ("2019-07-31", "2019-07-31", "2019-07-31"),
])  # fmt: skip
def test_periods(text: str, starts: str, ends: str) -> None:
    period = parse_period(text)
    assert (period.text, period.starts.isoformat(), period.ends.isoformat()) == (text, starts, ends)


def test_periods_as_spreadsheets_write_them() -> None:
    import datetime as dt

    for value in (2014, 2014.0, "2014.0", " 2014 "):
        assert parse_period(value).text == "2014"
    for value in (dt.date(2019, 7, 31), dt.datetime(2019, 7, 31), "2019-07-31T00:00:00", "2019-07-31 00:00"):  # noqa: DTZ001
        assert parse_period(value).text == "2019-07-31"


@pytest.mark.parametrize("value", [
    "", "20", "1675", "2021-Q5", "2021-Q0", "2014-H3", "2019-13", "2019-00", "2019-02-30", "2019-7", "19-07-31",
    "2021Q3",
    "2013/2014", "2014.5", 2014.5, True, None, "2019-07-31T12:00:00", "２０２０", "20２０", "31.07.2019", float("nan"),
])  # fmt: skip
def test_what_is_no_period(value: object) -> None:
    with pytest.raises(ValueError, match="ist kein Zeitraum; geschrieben wird er wie"):
        parse_period(value)
