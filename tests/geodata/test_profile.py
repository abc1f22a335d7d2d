"""The profile of an area: residents from the right source, what is there, shares rebuilt from counts, right grammar."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hand_rows import FACILITIES, TODAY, rows_in, square
from people_help import load_statistics, residents_rows
from sqlalchemy import text

from geodata.ages import Ages
from geodata.coverage.answer import coverage
from geodata.coverage.request import CoverageRequest
from geodata.database import reading
from geodata.errors import NotFoundError, ParameterError
from geodata.profile import Profile, ProfileRequest, profile
from geodata.profile_coverage import CategoryCount, Compared, Level, PeerLevel, categories_in
from geodata.profile_residents import EVERYBODY, UNDER_18, UNDER_21, Count, Residents
from geodata.profile_sentences import TEMPLATES, of_places, of_reach, of_residents
from geodata.viewer import Version
from importers.load import Counting

if TYPE_CHECKING:
    from conftest import Database

YOUNG = Ages(10, 18)


def of(database: "Database", level: str, key: str) -> Profile:
    with reading(database.serving) as session:
        return profile(session, ProfileRequest(level, key, TODAY))


@pytest.fixture(scope="module")
def town(new_database: Callable[[], "Database"], tmp_path_factory: pytest.TempPathFactory) -> "Database":
    """The city by hand with residents: published by age for Stadtteil 11 and 12, only under 21 for Bezirk 1."""
    made = new_database()
    folder = tmp_path_factory.mktemp("town")
    with rows_in(made.writing) as rows:
        rows.city()
        version = rows.version(FACILITIES, "facilities")
        rows.place(version, "a", (200, 200))
        rows.offer(version, "a", "a1", category="okja", age_from=6, age_to=18, supply=20, supply_unit="places")
        rows.offer(version, "a", "a2", category="okja", age_from=10, age_to=21)
        rows.place(version, "b", (300, 300))
        rows.offer(version, "b", "b1", category="kita", supply=100, supply_unit="places")
        rows.house(version, "heim", (400, 400), "protected", category="hze")
        rows.place(version, "c", (1500, 300))
        rows.offer(version, "c", "c1", category="sha", supply=8, supply_unit="hours_per_week")
        rows.link()
    rows_of = []
    for period, more in (("2022", 0), ("2024", 30)):
        rows_of += residents_rows(
            "stadtteil",
            {"11": {"0-6": 100 + more, "6-10": 80, "10-18": 120, "18-": 700}, "12": {"0-6": 50, "6-10": 40, "10-18": 60,
             "18-": 250}, "21": {"0-6": 10, "6-10": 10, "10-18": 10, "18-": 70}},
            period,
        )  # fmt: skip
    rows_of += residents_rows("stadtteil", {"12": {"0-6": 45, "6-10": 45, "10-18": 60, "18-": 250}}, "2023")
    load_statistics(made.writing, folder, rows_of, dataset="statistics.nach-alter",
                    counting=Counting(counting="stichtag", unit="personen"))  # fmt: skip
    for period, value in (("2023", 500), ("2024", 480)):
        load_statistics(made.writing, folder, residents_rows("bezirk", {"1": {"0-21": value}}, period),
                        dataset="statistics.jew", counting=Counting(counting="stichtag", unit="personen"))  # fmt: skip
    return made


def test_published_residents_by_age_with_their_history(town: "Database") -> None:
    found = of(town, "stadtteil", "11").residents
    assert (found.basis, found.period) == ("published", "2024")
    assert found.bands == (Ages(0, 6), Ages(6, 10), Ages(10, 18), Ages(18))
    assert found.of(UNDER_18) == Count(330.0)
    assert found.of(EVERYBODY) == Count(1030.0)
    assert found.of(UNDER_21).value is None, "nothing is divided by years of age"
    # 2023 is published for another Stadtteil only: a gap, not a straight line.
    assert [(period, count.value) for period, count in found.series(UNDER_18)] == [
        ("2022", 300.0), ("2023", None), ("2024", 330.0),
    ]  # fmt: skip
    assert found.trends() == [UNDER_18, Ages(0, 6), Ages(6, 10), Ages(10, 18)]


def test_where_published_figures_tell_no_ages_the_surface_does(town: "Database") -> None:
    found = of(town, "bezirk", "1").residents
    assert found.basis == "surface"
    # The surface keeps the figures of the Stadtteile.
    assert found.of(UNDER_18).value == pytest.approx(480)
    assert [(period, count.value) for period, count in found.series(UNDER_21)] == [("2023", 500.0), ("2024", 480.0)]
    assert any("Wohnpunkten" in note for note in found.notes)


def test_unknown_residents_are_missing_not_none(town: "Database") -> None:
    made = of(town, "stadtteil", "22")
    assert made.residents.of(UNDER_18).value is None
    assert made.said["residents"][0].german().endswith("ist nicht bekannt.")
    assert all(one.here.reach_share is None for one in made.compared)


def test_what_is_there_by_category(town: "Database") -> None:
    with reading(town.serving) as session:
        found = {one.category: one for one in categories_in(session, "stadtteil", "11", on=TODAY)}
    okja, kita, sha = found["okja"], found["kita"], found["sha"]
    assert (okja.places, okja.offers, okja.places_stated, okja.hours_stated, okja.unstated) == (1, 2, 20.0, None, 1)
    assert (kita.places, kita.offers, kita.places_stated) == (1, 1, 100.0)
    assert (sha.places, sha.offers, sha.places_stated, sha.hours_stated) == (0, 0, 0.0, 0.0), "elsewhere: none here"
    assert "hze" not in found, "nobody but its office knows of a protected home"


def test_figures_are_those_of_coverage_and_the_city_is_their_sum(town: "Database") -> None:
    made = of(town, "stadtteil", "11")
    with reading(town.serving) as session:
        rows = coverage(session, CoverageRequest("stadtteil", TODAY, ("okja",), measure="reach", age_from=10, age_to=18)
                        ).rows  # fmt: skip
    here = next(row for row in rows if row.area_key == "11")
    okja = next(one for one in made.compared if one.category == "okja")
    assert (okja.ages, okja.here.population, okja.here.reached) == (YOUNG, here.population, here.reached)
    assert okja.here.reach_share == here.reach_share
    # One area is not known, so the city is not either: a sum never leaves out what is missing.
    assert okja.city is not None
    assert okja.city.population is None
    assert okja.city.reach_share is None
    assert okja.city.supply == pytest.approx(sum(row.supply or 0 for row in rows))


def test_places_without_capacity_are_named_under_the_figures(town: "Database") -> None:
    made = of(town, "stadtteil", "12")
    sha = next(one for one in made.compared if one.category == "sha")
    assert (sha.supply_unit, sha.here.without_supply) == ("hours_per_week", 0)
    assert not any("ohne Angabe der" in warning for warning in made.meta.warnings)
    assert "Kapazität je 1.000: Plätze oder Wochenstunden" in made.meta.method
    with rows_in(town.writing) as rows:
        before = rows.session.execute(text("SELECT import_id, offer_id FROM offer WHERE offer_id = 'c1'")).one()
        rows.session.execute(text("UPDATE offer SET supply = NULL, supply_unit = NULL WHERE offer_id = 'c1'"))
        rows.place(before.import_id, "d", (2500, 300))
        rows.offer(before.import_id, "d", "d1", category="sha", supply=5, supply_unit="places")
        rows.link()
    try:
        warnings = of(town, "stadtteil", "12").meta.warnings
        assert (
            "Sozialräumliche Hilfen und Angebote: ohne Angabe der Plätze hier 1 von einer Einrichtung und in der "
            "ganzen Stadt 1 von 2 Einrichtungen; in der Kapazität je 1.000 fehlen sie."
        ) in warnings
    finally:
        with rows_in(town.writing) as rows:
            rows.session.execute(text("DELETE FROM facility_area WHERE facility_id = 'd'"))
            rows.session.execute(text("DELETE FROM offer WHERE offer_id = 'd1'"))
            rows.session.execute(text("DELETE FROM place WHERE facility_id = 'd'"))
            rows.session.execute(
                text("UPDATE offer SET supply = 8, supply_unit = 'hours_per_week' WHERE offer_id = 'c1'")
            )


def test_a_single_area_of_a_level_is_not_the_city(town: "Database") -> None:
    with rows_in(town.writing) as rows:
        rows.level("projekt")
        version = rows.version("areas.projekt", "areas")
        rows.area(version, "projekt", "p", square(0, 0, 100, 100))
    assert of(town, "stadtteil", "11").city is None


def test_the_hierarchy(town: "Database") -> None:
    made = of(town, "stadtteil", "11")
    assert [(one.level, one.key) for one in made.above] == [("bezirk", "1")]
    assert [[area.key for area in one.areas] for one in made.inside] == [["111", "112"]]
    assert made.city is None
    assert made.peers == []
    assert "Vergleichbare Gebiete sind nicht angegeben" in made.peers_note


def test_an_area_without_map_has_a_profile(examples_database: "Database") -> None:
    with reading(examples_database.serving) as session:
        found = session.execute(text("SELECT level, key FROM area_visible ORDER BY level, key")).all()
        assert found
        known = 0
        for level, key in found:
            made = profile(session, ProfileRequest(level, key, TODAY))
            assert made.area.geometry is None
            assert made.compared == ()
            assert made.categories == [], "what is in it nobody knows; that is not 0"
            (said,) = made.said["places"]
            assert said.german() == (
                f"Welche Einrichtungen es in {made.area.area_name} gibt, ist nicht bekannt: Seine Grenze ist nicht "
                "geladen."
            )
            known += made.residents.basis is not None
            assert all(one.german() for said in made.said.values() for one in said)
        assert known, "some tables publish residents"


def test_the_demo_city(demo_database: "Database") -> None:
    made = of(demo_database, "stadtteil", "02101")
    assert made.city == "Hamburg"
    assert len(made.peers) == 5
    assert made.residents.basis == "published"
    assert made.residents.trends() == [UNDER_21]
    for one in made.compared:
        assert one.city is not None
        assert one.peers_together is not None
        together = sum(peer.level.reached or 0 for peer in one.peers)
        everybody = sum(peer.level.population or 0 for peer in one.peers)
        assert one.peers_together.reach_share == pytest.approx(together / everybody)
        assert [peer.area_key for peer in one.peers] == [peer.area.key for peer in made.peers]
    whole = of(demo_database, "land", "02")
    assert all(one.city is None for one in whole.compared)
    for ours, theirs in zip(whole.compared, made.compared, strict=True):
        assert theirs.city is not None
        assert theirs.city.reach_share == pytest.approx(ours.here.reach_share)
    assert made.meta.version is Version.PUBLISHED
    names = [source.dataset for source in made.meta.sources]
    assert len(names) == len(set(names))


def test_what_is_not_there_is_said(town: "Database") -> None:
    with reading(town.serving) as session:
        with pytest.raises(ParameterError):
            profile(session, ProfileRequest("mond", "1", TODAY))
        with pytest.raises(NotFoundError):
            profile(session, ProfileRequest("stadtteil", "99", TODAY))


def residents(value: float | None, flag: str = "ok", total: float | None = None, span: Ages = UNDER_18) -> Residents:
    counts = {EVERYBODY: Count(total, "ok" if total is not None else "missing")}
    counts[span] = Count(value, flag)  # type: ignore[arg-type]
    return Residents("published", "2024", (), counts, ("2024",), {})


@pytest.mark.parametrize(("given", "said"), [
    (residents(14200.0), "In Billstedt leben 14.200 Kinder und Jugendliche unter 18 (2024)."),
    (residents(14200.4, total=71000.0),
     "In Billstedt leben 14.200 Kinder und Jugendliche unter 18 (2024); das sind 20,0\xa0% aller 71.000 Einwohner."),
    (residents(1.0, total=10.0), "In Billstedt lebt eine Person unter 18 (2024)."),
    (residents(0.0, total=10.0), "In Billstedt leben keine Kinder und Jugendlichen unter 18 (2024)."),
    (residents(7.0, "estimated"), "In Billstedt leben 7 Kinder und Jugendliche unter 18 (2024, geschätzt)."),
    (residents(7.0, "provisional"), "In Billstedt leben 7 Kinder und Jugendliche unter 18 (2024, vorläufig)."),
    (replace(residents(7.0), period="2020-12-31"),
     "In Billstedt leben 7 Kinder und Jugendliche unter 18 (31.12.2020)."),
    (replace(residents(7.0, "estimated"), period=""),
     "In Billstedt leben 7 Kinder und Jugendliche unter 18 (geschätzt)."),
    (residents(None, "missing"), "Wie viele Kinder und Jugendliche unter 18 in Billstedt leben, ist nicht bekannt."),
    (residents(None, "suppressed"), ("Wie viele Kinder und Jugendliche unter 18 in Billstedt leben, ist wegen kleiner "
     "Zahlen nicht veröffentlicht.")),
    (residents(300.0, span=UNDER_21), "In Billstedt leben 300 junge Menschen unter 21 (2024)."),
    (residents(1.0, span=UNDER_21), "In Billstedt lebt eine Person unter 21 (2024)."),
    (residents(400.0, span=EVERYBODY), "In Billstedt leben 400 Menschen (2024); wie alt sie sind, ist nicht bekannt."),
    (Residents(), "Wie viele Kinder und Jugendliche unter 18 in Billstedt leben, ist nicht bekannt."),
])  # fmt: skip
def test_residents_in_words(given: Residents, said: str) -> None:
    assert of_residents("Billstedt", given)[0].german() == said


@pytest.mark.parametrize(("values", "said"), [
    ((100.0, 110.0), "Von 2020 bis 2024 ist die Zahl der unter 18-Jährigen um 10 gestiegen (10,0\xa0%)."),
    ((100.0, 99.0), "Von 2020 bis 2024 ist die Zahl der unter 18-Jährigen um 1 gesunken (1,0\xa0%)."),
    ((100.0, 100.0), "Von 2020 bis 2024 ist die Zahl der unter 18-Jährigen gleich geblieben."),
    ((0.0, 5.0), None), ((None, 5.0), None), ((None, None), None),
])  # fmt: skip
def test_change_in_words(values: tuple[float | None, float | None], said: str | None) -> None:
    periods = ("2020", "2024")
    history = {(UNDER_18, period): Count(value) for period, value in zip(periods, values, strict=True)}
    found = of_residents("X", replace(residents(5.0), periods=periods, history=history))
    assert [one.german() for one in found[1:]] == ([said] if said else [])


def test_the_ends_of_a_change_are_said_with_their_doubts() -> None:
    periods = ("2013-12-31", "2021-Q3")
    history = {(UNDER_18, periods[0]): Count(100.0), (UNDER_18, periods[1]): Count(110.0, "estimated")}
    found = of_residents("X", replace(residents(5.0), periods=periods, history=history))
    assert found[1].german() == (
        "Vom 31.12.2013 bis zum 3. Quartal 2021 ist die Zahl der unter 18-Jährigen um 10 gestiegen "
        "(10,0\xa0%, geschätzt)."
    )


def level(reached: float | None, population: float | None = 100.0) -> Level:
    share = None if reached is None or not population else reached / population
    left = None if reached is None or population is None else population - reached
    return Level(population, 1, 0, None, None, reached, left, share)


@pytest.mark.parametrize(("own", "city", "peers", "places", "said"), [
    (level(80.0), level(90.0), (), 2, [("Von den 10- bis unter 18-Jährigen in X erreichen 80,0\xa0% in höchstens 15 "
     "Minuten eine Einrichtung, in Hamburg 90,0\xa0%."), "20 erreichen keine."]),
    (level(100.0), None, (level(50.0),), 2, [("Von den 10- bis unter 18-Jährigen in X erreichen 100,0\xa0% in "
     "höchstens 15 Minuten eine Einrichtung."), "Alle erreichen eine.",
     "Keines der vergleichbaren Gebiete hat einen höheren Anteil."]),
    (level(99.0), None, (level(99.5), level(None)), 0, [
     "Eine veröffentlichte Einrichtung der Kategorie „Offene Kinder- und Jugendarbeit“ gibt es in X nicht.",
     "Von den 10- bis unter 18-Jährigen in X erreichen 99,0\xa0% in höchstens 15 Minuten eine Einrichtung.",
     "Eine Person erreicht keine.", "Von den vergleichbaren Gebieten hat einen höheren Anteil: Y0 (99,5\xa0%)."]),
    (level(90.0), None, (level(95.0), level(99.5)), 1, [("Von den 10- bis unter 18-Jährigen in X erreichen 90,0\xa0% "
     "in höchstens 15 Minuten eine Einrichtung."), "10 erreichen keine.", ("Von den vergleichbaren Gebieten haben "
     "einen höheren Anteil: Y1 (99,5\xa0%) und Y0 (95,0\xa0%).")]),
    (level(100.0), None, (level(50.0), level(None), level(40.0)), 1, [("Von den 10- bis unter 18-Jährigen in X "
     "erreichen 100,0\xa0% in höchstens 15 Minuten eine Einrichtung."), "Alle erreichen eine.", ("Keines der 2 "
     "vergleichbaren Gebiete, für die es Angaben gibt, hat einen höheren Anteil.")]),
    (level(100.0), None, (level(50.0), level(None)), 1, [("Von den 10- bis unter 18-Jährigen in X erreichen "
     "100,0\xa0% in höchstens 15 Minuten eine Einrichtung."), "Alle erreichen eine.", ("Das eine vergleichbare "
     "Gebiet, für das es Angaben gibt, hat keinen höheren Anteil.")]),
    (level(None), None, (level(None),), 1, [("Wie viele der 10- bis unter 18-Jährigen in X eine Einrichtung erreichen, "
     "ist nicht bekannt.")]),
    (level(0.0, 0.0), None, (), 1, ["In X wohnen keine 10- bis unter 18-Jährigen."]),
])  # fmt: skip
def test_reach_in_words(own: Level, city: Level | None, peers: tuple[Level, ...], places: int, said: list[str]) -> None:
    known = tuple(PeerLevel(str(n), f"Y{n}", one) for n, one in enumerate(peers))
    one = Compared("okja", YOUNG, "places", own, city, None, known)
    assert [sentence.german() for sentence in of_reach("X", "Hamburg", one, places, 15)] == said


def counted(category: str, places: int) -> CategoryCount:
    return CategoryCount(category, places, places, None, None, places)


@pytest.mark.parametrize(("most", "others", "said"), [
    (6, (2, 2), "In X gibt es 10 Einrichtungen, die meisten (6) in der Kategorie „Offene Kinder- und Jugendarbeit“."),
    (3, (2, 2), ("In X gibt es 10 Einrichtungen; am häufigsten ist die Kategorie „Offene Kinder- und Jugendarbeit“ "
     "(3).")),
    (2, (2, 1), "In X gibt es 10 Einrichtungen."),
])  # fmt: skip
def test_most_are_more_than_half(most: int, others: tuple[int, int], said: str) -> None:
    there = [counted(category, n) for category, n in zip(("okja", "kita", "sha"), (most, *others), strict=True)]
    assert [one.german() for one in of_places("X", there, 10)] == [said]


def test_names_with_braces_stay_as_they_are() -> None:
    (said,) = of_places("{count} {0.__class__}", [], 0)
    assert said.german() == "In {count} {0.__class__} gibt es keine Einrichtung mit einem veröffentlichten Angebot."
    assert said.text in TEMPLATES
