"""Gaps in a little town against numbers reckoned by hand, and what is refused, left out or said."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gaps_town
import pytest
from conftest import TODAY
from importer_help import write_toml

from geodata.answer import Answer
from geodata.database import Access, reading
from geodata.errors import ConflictError, ParameterError
from geodata.gaps import GapRow, GapsRequest, NeedIndicator, gaps
from importers.kinds.catalogue import CatalogueImport, import_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Database

SGB2 = NeedIndicator("sgb2")


@pytest.fixture(scope="module")
def town(new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory) -> "Database":
    database = new_database()
    gaps_town.build(database.writing, tmp_path_factory.mktemp("stadt"))
    return database


def ask(database: "Database", **request: Any) -> Answer[GapRow]:
    given: dict[str, Any] = {"level": "stadtteil", "on": TODAY} | request
    with reading(database.serving, Access()) as session:
        return gaps(session, GapsRequest(**given))


def rows(database: "Database", **request: Any) -> dict[str, GapRow]:
    return {row.area_key: row for row in ask(database, **request).rows}


def z(values: dict[str, float], people: dict[str, float]) -> dict[str, float]:
    """Weighted z-scores by the formula, over the areas in ``values``."""
    total = sum(people[key] for key in values)
    mean = sum(people[key] * value for key, value in values.items()) / total
    sigma = math.sqrt(sum(people[key] * (value - mean) ** 2 for key, value in values.items()) / total)
    return {key: (value - mean) / sigma for key, value in values.items()}


PEOPLE = {"A": 100.0, "B": 200.0, "C": 50.0, "D": 400.0, "G": 100.0}


def test_supply_by_hand(town: "Database") -> None:
    """50 per 1,000: A has 2 of 5, B 0 of 10, C 10 of 2.5, G 0 of 5; D does not say what it has."""
    found = rows(town, standard="plaetze")
    needed = {"A": 5, "B": 10, "C": 2.5, "D": 20, "F": 0, "G": 5}
    assert {key: row.needed for key, row in found.items() if row.needed is not None} == pytest.approx(
        needed | {"ohne": 0}
    )
    assert {key: row.deficit for key, row in found.items()} == pytest.approx(
        {"A": 3, "B": 10, "C": 0, "D": None, "E": None, "F": 0, "G": 5, "ohne": None}
    )
    per_1000 = {"A": 30.0, "B": 50.0, "C": 0.0, "G": 50.0}
    assert {key: row.deficit_per_1000 for key, row in found.items() if row.rank} == pytest.approx(per_1000)
    assert {key: row.priority for key, row in found.items() if row.rank} == pytest.approx(z(per_1000, PEOPLE))
    # Whatever the standard, B and G have nothing at all: both are first; the unranked come last, ohne at the end.
    ranks = [(row.area_key, row.rank, row.rank_low, row.rank_high) for row in ask(town, standard="plaetze").rows]
    assert ranks == [("B", 1, 1, 1), ("G", 1, 1, 1), ("A", 3, 3, 3), ("C", 4, 4, 4),
                     *((key, None, None, None) for key in ("D", "E", "F", "ohne"))]  # fmt: skip
    assert {row.standard for row in found.values()} == {50}
    assert {row.need_index for row in found.values()} == {None}
    assert found["A"].reason == (
        "Rang 3, auch bei veränderten Annahmen: In stadtteil A fehlen 3 von 5 nötigen Plätzen (30 je 1.000 der 10- bis "
        "unter 18-Jährigen)."
    )
    assert "kein Fehlbedarf" in found["C"].reason
    assert found["D"].reason == "Die Einrichtung in stadtteil D macht keine Platzangabe, deshalb nicht eingeordnet."
    assert found["E"].reason == "Die Einwohner in stadtteil E sind nicht bekannt, deshalb nicht eingeordnet."
    assert found["F"].reason == "In stadtteil F wohnt niemand dieses Alters, deshalb nicht eingeordnet."
    assert found["ohne"].reason.startswith("Was in keinem Gebiet liegt")


def test_reach_by_hand(town: "Database") -> None:
    """80 % within 800 m, straight line times 1.3: A, C, D live at a place; two of B's ten points are near enough."""
    answer = ask(town, standard="wege")
    found = {row.area_key: row for row in answer.rows}
    assert {key: row.reached for key, row in found.items() if row.reached is not None} == pytest.approx(
        {"A": 100, "B": 40, "C": 50, "D": 400, "F": 0, "G": 0, "ohne": 0}
    )
    assert {key: row.needed for key, row in found.items() if row.rank} == pytest.approx(
        {"A": 80, "B": 160, "C": 40, "D": 320, "G": 80}
    )
    deficit = {"A": 0.0, "B": 120.0, "C": 0.0, "D": 0.0, "G": 80.0}
    assert {key: row.deficit for key, row in found.items() if row.rank} == pytest.approx(deficit)
    per_1000 = {key: 1000 * value / PEOPLE[key] for key, value in deficit.items()}
    assert (found["B"].deficit_per_1000, found["G"].deficit_per_1000) == pytest.approx((600, 800))
    assert {key: row.priority for key, row in found.items() if row.rank} == pytest.approx(z(per_1000, PEOPLE))
    assert [(row.area_key, row.rank) for row in answer.rows][:5] == [("G", 1), ("B", 2), ("A", 3), ("C", 3), ("D", 3)]
    assert found["B"].reason == (
        "Rang 2, auch bei veränderten Annahmen: In stadtteil B erreichen 20,0\xa0% der 10- bis unter 18-Jährigen (40 "
        "von 200) in höchstens 10 Minuten eine Einrichtung, nötig sind 80\xa0%; es fehlen 120 Personen."
    )
    assert answer.meta.unit == "Personen"


def test_catchment_by_hand(town: "Database") -> None:
    """20 per 1,000 within 800 m, all ways alike: A's 2 places are for A and 40 of B, C's 10 for C alone."""
    found = rows(town, standard="kapazitaet", mode="line", decay="none")
    index = {"A": 2000 / 140, "B": 0.2 * 2000 / 140, "C": 200.0, "G": 0.0}
    have = {key: value * PEOPLE[key] / 1000 for key, value in index.items()}
    for key, value in index.items():
        row = found[key]
        assert row.access_index == pytest.approx(value)
        assert row.needed == pytest.approx(20 * PEOPLE[key] / 1000)
        assert row.deficit == pytest.approx(max(0, 20 * PEOPLE[key] / 1000 - have[key]))
    assert (found["G"].rank, found["C"].rank) == (1, max(row.rank or 0 for row in found.values()))
    assert "gemessen an dem, was in höchstens 10 Minuten erreichbar ist" in found["B"].reason


def test_need_moves_the_ranks(town: "Database") -> None:
    """Without need B and G are first; G has little SGB II, C much: the need index moves them apart."""
    need = (NeedIndicator("sgb2", weight=3), NeedIndicator("wohnflaeche", weight=1, direction=-1))
    answer = ask(town, standard="plaetze", need=need, need_weight=0.5)
    found = {row.area_key: row for row in answer.rows}
    ranked = {key: row for key, row in found.items() if row.rank}
    assert set(ranked) == {"A", "B", "C", "G"}
    first = z({key: gaps_town.SGB2[key] for key in ranked}, PEOPLE)
    second = z({key: gaps_town.SPACE[key] for key in ranked}, PEOPLE)
    index = {key: 0.75 * first[key] - 0.25 * second[key] for key in ranked}
    short = z({"A": 30.0, "B": 50.0, "C": 0.0, "G": 50.0}, PEOPLE)
    priority = {key: short[key] + 0.5 * index[key] for key in ranked}
    assert {key: row.need_index for key, row in ranked.items()} == pytest.approx(index)
    assert {key: row.priority for key, row in ranked.items()} == pytest.approx(priority)
    order = sorted(ranked, key=lambda key: -priority[key])
    assert [row.area_key for row in answer.rows][:4] == order
    assert [found[key].rank for key in order] == [1, 2, 3, 4]
    assert order[0] == "B"
    for row in ranked.values():
        assert (row.rank_low or 0) <= (row.rank or 0) <= (row.rank_high or 0)
        assert "; der Bedarfsindex liegt " in row.reason
    # What has no priority may have a need: its index is told relative to the areas that are ranked.
    assert found["D"].need_index is not None
    assert found["D"].rank is None
    assert found["E"].need_index is None


def test_need_without_weight_is_shown_and_changes_no_rank(town: "Database") -> None:
    plain, told = rows(town, standard="plaetze"), rows(town, standard="plaetze", need=(SGB2,), need_weight=0)
    assert {key: (row.rank, row.rank_low, row.rank_high) for key, row in told.items()} == {
        key: (row.rank, row.rank_low, row.rank_high) for key, row in plain.items()
    }
    assert told["C"].need_index is not None


def test_a_missing_indicator_leaves_an_area_out_and_says_so(town: "Database") -> None:
    answer = ask(town, standard="plaetze", need=(NeedIndicator("gaerten"),))
    found = {row.area_key: row for row in answer.rows}
    assert (found["C"].rank, found["C"].priority, found["C"].need_index) == (None, None, None)
    assert found["C"].deficit == 0
    assert found["C"].reason == "Für stadtteil C fehlt die Kennzahl „Kleingärten“, deshalb nicht eingeordnet."
    assert [row.area_key for row in answer.rows if row.rank] == ["B", "G", "A"]
    assert answer.meta.missing == 4
    said = " ".join(answer.meta.warnings)
    assert "4 Gebiete sind nicht eingeordnet, der Grund steht in der Zeile: stadtteil C, stadtteil D," in said
    assert "„Kleingärten“ ist eine Anzahl, kein Anteil" in said


def test_what_rests_on_an_estimate_is_one(town: "Database") -> None:
    need = (NeedIndicator("wohnflaeche", direction=-1),)
    flags = {key: row.flag for key, row in rows(town, standard="plaetze", need=need).items()}
    assert (flags["A"], flags["B"], flags["D"]) == ("estimated", "ok", "missing")
    assert rows(town, standard="plaetze")["A"].flag == "ok"


def test_the_order_of_indicators_changes_nothing(town: "Database") -> None:
    need = (NeedIndicator("sgb2", weight=3), NeedIndicator("wohnflaeche", weight=1, direction=-1))
    first, second = (rows(town, standard="plaetze", need=given) for given in (need, need[::-1]))
    assert list(first) == list(second)
    for key, row in first.items():
        assert row.priority == pytest.approx(second[key].priority)
        assert (row.rank, row.rank_low, row.rank_high, row.reason) == (
            second[key].rank, second[key].rank_low, second[key].rank_high, second[key].reason)  # fmt: skip


def test_a_plain_value_is_an_assumption(town: "Database") -> None:
    young = {"categories": ("okja",), "age_from": 10, "age_to": 18}
    answer = ask(town, standard_value=50.0, **young)
    assert answer.rows == ask(town, standard="plaetze").rows
    assert answer.meta.warnings[0] == ("Richtwert (50 Plätze je 1.000): als Annahme eingegeben, ohne Beschluss.")
    reach = ask(town, standard_value=0.8, measure="reach", minutes=10, mode="line", **young)
    assert reach.rows == ask(town, standard="wege").rows


def test_the_footnotes_say_what_was_done(town: "Database") -> None:
    answer = ask(town, standard="plaetze", need=(SGB2,))
    meta = answer.meta
    assert meta.title == (
        "Bestand und Bedarf · Versorgung · Offene Kinder- und Jugendarbeit · 10 bis unter 18 Jahre · Stadtteil"
    )
    assert meta.unit == "Plätze"
    assert meta.warnings[0] == (
        "Richtwert „Plätze je 1.000“: 50 Plätze je 1.000. Quelle: Jugendhilfeplan; Beschluss: Drucksache 1-23; Datum: "
        "14.03.2024."
    )
    assert any("Rängen bleib" in said and "(Richtwert ± 10\xa0%, Gewichte ± 25\xa0%)" in said for said in meta.warnings)
    for part in ("mindestens 0", "plus 1 mal Bedarfsindex", "„SGB-II-Quote (2024)“ 100\xa0%", "zum Bestand: "):
        assert part in meta.method
    assert {source.dataset for source in meta.sources} == {
        "areas.stadtteil", "catalogue", "facilities.okja", "statistics.einwohner", "statistics.merkmale",
    }  # fmt: skip
    assert len({source.dataset for source in meta.sources}) == len(meta.sources)
    assert meta.missing == sum(row.rank is None and row.area_key != "ohne" for row in answer.rows)


def test_pages_make_up_the_whole(town: "Database") -> None:
    whole = ask(town, standard="plaetze", geometry=True)
    assert whole.meta.next is None
    assert all(row.geometry for row in whole.rows if row.area_key != "ohne")
    paged, after = [], None
    for _page in range(10):
        page = ask(town, standard="plaetze", geometry=True, limit=3, after=after)
        paged += page.rows
        after = page.meta.next
        if after is None:
            break
    assert paged == whole.rows
    with pytest.raises(ParameterError, match="von vorn"):
        ask(town, standard="plaetze", after="nirgends")


def test_only_the_areas_asked_about_are_compared(town: "Database") -> None:
    one = ask(town, standard="plaetze", area=("stadtteil", "A"))
    assert [(row.area_key, row.rank, row.priority) for row in one.rows] == [("A", 1, 0.0)]
    west, east = ask(town, standard="plaetze", level="bezirk").rows[:2]
    # A to D: 2 + 10 of 37.5 needed, though D's place does not say; E's residents are missing in the other Bezirk.
    assert (west.area_key, west.rank, west.needed, west.deficit) == ("1", 1, pytest.approx(37.5), pytest.approx(25.5))
    assert "wobei 1 von 3 Einrichtungen dort keine Platzangabe macht" in west.reason
    assert (east.area_key, east.rank, east.needed) == ("2", None, None)
    assert east.reason == "Die Einwohner in bezirk 2 sind nicht bekannt, deshalb nicht eingeordnet."


def test_no_number_is_nan_or_infinite(town: "Database") -> None:
    for request in (
        {"standard": "plaetze"}, {"standard": "wege"}, {"standard": "kapazitaet"}, {"standard": "alle_alter"},
        {"standard": "plaetze", "need": (SGB2, NeedIndicator("gaerten", weight=0.5, direction=-1))},
        {"standard_value": 1e6, "categories": ("hze",)}, {"standard_value": 1e-300, "categories": ("okja",)},
    ):  # fmt: skip
        for row in ask(town, **request).rows:
            for name in GapRow.__dataclass_fields__:
                value = getattr(row, name)
                assert not isinstance(value, float) or math.isfinite(value), name


def test_next_to_no_standard_is_met_where_there_is_anything(town: "Database") -> None:
    found = rows(town, standard_value=1e-12, categories=("okja",), age_from=10, age_to=18)
    assert {key: row.deficit for key, row in found.items() if row.rank} == {"A": 0, "B": 0, "C": 0, "G": 0}
    assert {row.rank for row in found.values() if row.rank} == {1}


def test_a_category_nobody_offers_is_missing_everywhere(town: "Database") -> None:
    found = rows(town, standard_value=10.0, categories=("kita",))
    ranked = [row for row in found.values() if row.rank]
    assert {row.rank for row in ranked} == {1}
    assert all(row.deficit == row.needed for row in ranked)


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "nichts": ({}, "standard", "Vorhanden: alle_alter, kapazitaet, plaetze und wege"),
    "unbekannt": ({"standard": "x"}, "standard", "Den Richtwert „x“ gibt es nicht"),
    "Ebene": ({"standard": "plaetze", "level": "mond"}, "level", "Gebietsebene „mond“"),
    "Kategorie": ({"standard": "plaetze", "categories": ("kita",)}, "category", "gilt für category=okja, gefragt ist"),
    "Kategorien": ({"standard": "plaetze", "categories": ("okja", "kita")}, "category", "category=okja"),
    "keine Kategorie": ({"standard_value": 3.0}, "category", "Kategorie"),
    "Maß": ({"standard": "plaetze", "measure": "reach"}, "measure", "measure=supply, gefragt ist reach"),
    "Maß unbekannt": ({"standard_value": 3.0, "measure": "glück"}, "measure", "kennt den Wert „glück“ nicht"),
    "Alter": ({"standard": "plaetze", "age_from": 6}, "age_from", "age_from=10, gefragt ist 6"),
    "Alter bis": ({"standard": "plaetze", "age_to": 21}, "age_to", "age_to=18"),
    "Minuten": ({"standard": "wege", "minutes": 20}, "minutes", "minutes=10"),
    "Weg": ({"standard": "wege", "mode": "walk"}, "mode", "mode=line"),
    "Einheit": ({"standard": "plaetze", "supply_unit": "hours_per_week"}, "supply_unit", "supply_unit=places"),
    "Wert daneben": ({"standard": "plaetze", "standard_value": 40.0}, "standard_value", "standard_value=50"),
    "Wert 0": ({"standard_value": 0.0, "categories": ("okja",)}, "standard_value", "über 0"),
    "Wert negativ": ({"standard_value": -1.0, "categories": ("okja",)}, "standard_value", "über 0"),
    "Wert nan": ({"standard_value": math.nan, "categories": ("okja",)}, "standard_value", "über 0"),
    "Wert unendlich": ({"standard_value": math.inf, "categories": ("okja",)}, "standard_value", "über 0"),
    "Anteil in Prozent": ({"standard_value": 80.0, "measure": "reach", "categories": ("okja",)}, "standard_value",
                          "ein Anteil über 0 bis 1"),
    "Kennzahl": ({"standard": "plaetze", "need": (NeedIndicator("hunde"),)}, "need", "hunde"),
    "nicht auf dieser Ebene": ({"standard": "plaetze", "level": "bezirk", "need": (SGB2,)}, "need", "SGB-II-Quote"),
    "Position": ({"standard": "plaetze", "need": (NeedIndicator("sgb2", "34"),)}, "need", "34"),
    "Gewicht nan": ({"standard": "plaetze", "need": (NeedIndicator("sgb2", weight=math.nan),)}, "need", "Gewichte"),
    "Gewicht negativ": ({"standard": "plaetze", "need": (NeedIndicator("sgb2", weight=-1),)}, "need", "Gewichte"),
    "Gewicht unendlich": ({"standard": "plaetze", "need": (NeedIndicator("sgb2", weight=math.inf),)}, "need", "Gewi"),
    "alle Gewichte 0": ({"standard": "plaetze", "need": (NeedIndicator("sgb2", weight=0),)}, "need", "über 0 liegen"),
    "Richtung": ({"standard": "plaetze", "need": (NeedIndicator("sgb2", direction=2),)}, "need", "wirkt"),
    "zweimal": ({"standard": "plaetze", "need": (SGB2, SGB2)}, "need", "zweimal"),
    "sieben": ({"standard": "plaetze", "need": tuple(NeedIndicator(f"k{i}") for i in range(7))}, "need", "höchstens 6"),
    "Bedarf nan": ({"standard": "plaetze", "need": (SGB2,), "need_weight": math.nan}, "need_weight", "0 bis 100"),
    "Bedarf negativ": ({"standard": "plaetze", "need": (SGB2,), "need_weight": -1.0}, "need_weight", "0 bis 100"),
    "Bedarf ohne Kennzahl": ({"standard": "plaetze", "need_weight": 1.0}, "need_weight", "bitte need angeben"),
    "Zeitraum": ({"standard": "plaetze", "period": "1999"}, "period", "1999"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused_with_a_sentence(town: "Database", name: str) -> None:
    request, parameter, words = BAD[name]
    with pytest.raises(ParameterError) as refused:
        ask(town, **request)
    assert refused.value.parameter == parameter
    assert words in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_network_that_is_not_loaded_is_a_conflict(town: "Database") -> None:
    with pytest.raises(ConflictError, match="kein Wegenetz"):
        ask(town, standard="kapazitaet", mode="walk")


def test_what_a_standard_leaves_open_the_request_may_say(town: "Database") -> None:
    whole = rows(town, standard="alle_alter")
    young = rows(town, standard="alle_alter", age_from=10, age_to=18)
    assert (whole["A"].population, young["A"].population) == pytest.approx((480, 100))
    assert (whole["A"].supply_unit, whole["A"].needed) == ("hours_per_week", pytest.approx(1.2))
    assert rows(town, standard="kapazitaet", mode="line")["B"].access_index is not None


def test_standards_from_before_ask_for_minutes_and_units(database: "Database", tmp_path: "Path") -> None:
    gaps_town.build(database.writing, tmp_path)
    from sqlalchemy import text

    with database.writing.begin() as connection:
        connection.execute(text("UPDATE standard SET minutes = NULL, mode = NULL WHERE code = 'wege'"))
        connection.execute(text("UPDATE standard SET unit = 'Plätze' WHERE code = 'plaetze'"))
        connection.execute(text("UPDATE standard SET value = 80 WHERE code = 'kapazitaet'"))
        connection.execute(text("UPDATE standard SET measure = 'reach', unit = 'share' WHERE code = 'kapazitaet'"))
    with pytest.raises(ParameterError, match="nennt keine Minuten"):
        ask(database, standard="wege")
    assert rows(database, standard="wege", minutes=10)["B"].deficit == pytest.approx(120)
    with pytest.raises(ParameterError, match="Einheit „Plätze“"):
        ask(database, standard="plaetze")
    with pytest.raises(ParameterError, match="ein Anteil über 0 bis 1") as refused:
        ask(database, standard="kapazitaet")
    assert refused.value.parameter == "standard"
    import_catalogue(database.writing, write_toml(tmp_path / "leer.toml", gaps_town.CATALOGUE.split("[[standard]]")[0]),
                     CatalogueImport())  # fmt: skip
    with pytest.raises(ParameterError, match="Hinterlegt ist keiner"):
        ask(database)
