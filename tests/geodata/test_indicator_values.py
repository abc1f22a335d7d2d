"""Values of an indicator at any level: as published, else distributed or rebuilt from counts, else refused with why."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import figures_town as town
import geopandas as gpd
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people_help import box, load_areas, load_statistics, near, residents_rows, write_grid
from people_help import load_grid as load_census

from geodata.database import Access, reading
from geodata.errors import ParameterError
from geodata.indicator_values import IndicatorValues, shares_at, values_at
from geodata.indicators import HIDDEN_COUNTS
from geodata.viewer import PUBLIC, Role, Viewer
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.load import Counting

if TYPE_CHECKING:
    from conftest import Database

# Without a census grid residents are spread evenly, so weights are shares of area: B is 0.7 in S1 and 0.3 in S2, half
# of C is in S2, the rest of it in none.
STADTTEILE = {"A": box(0, 0, 1000, 1000), "B": box(1000, 0, 1000, 1000), "C": box(2000, 0, 1000, 1000)}
SOZIALRAEUME = {"S1": box(0, 0, 1700, 1000), "S2": box(1700, 0, 800, 1000)}
PEOPLE = {"A": 400.0, "B": 1000.0, "C": 600.0}
YOUNG = {"A": 100.0, "B": 200.0, "C": 60.0}
FOREIGN = {"A": 40.0, "B": 300.0, "C": 60.0}
CATALOGUE = """
indicator = [
  { code = "fremd", title = "Zugezogene", unit = "personen", kind = "count", residents = true },
  { code = "fremd_proz", title = "Anteil der Zugezogenen", unit = "%", kind = "share", numerator = "fremd", denominator = "population:total", factor = 100 },
  { code = "jung_proz", title = "Anteil der Jungen", unit = "%", kind = "share", numerator = "population:0-18", denominator = "population:total", factor = 100 },
  { code = "wohnungen", title = "Wohnungen", unit = "wohnungen", kind = "count" },
  { code = "sozial_proz", title = "Anteil der Sozialwohnungen", unit = "%", kind = "share", numerator = "sozialwohnungen", denominator = "wohnungen", factor = 100 },
  { code = "sozialwohnungen", title = "Sozialwohnungen", unit = "wohnungen", kind = "count" },
  { code = "status", title = "Statusindex", unit = "punkte", kind = "index" },
]
"""  # noqa: E501


def rows(level: str, code: str, figures: dict[str, Any], period: str = "2024", **more: object) -> list[dict[str, Any]]:
    return [
        {"area_level": level, "area_key": key, "indicator": code, "position": "", "period": period, "value": value,
         "flag": "", "scenario": "ist"} | more
        for key, value in figures.items()
    ]  # fmt: skip


@pytest.fixture(scope="module")
def city(new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory) -> "Database":
    made, folder = new_database(), tmp_path_factory.mktemp("werte")
    load_areas(made.writing, folder, "stadtteil", STADTTEILE)
    load_areas(made.writing, folder, "sozialraum", SOZIALRAEUME)
    catalogue = folder / "katalog.toml"
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    import_catalogue(made.writing, catalogue, CatalogueImport())
    figures = {key: {"total": PEOPLE[key], "0-18": YOUNG[key]} for key in PEOPLE}
    listed = [
        *residents_rows("stadtteil", figures),
        *rows("stadtteil", "fremd", FOREIGN),
        *rows("stadtteil", "wohnungen", {"A": 200, "B": 400, "C": 300}),
        *rows("stadtteil", "sozialwohnungen", {"A": 50, "B": 40, "C": 0}),
        *rows("stadtteil", "status", {"A": 1.5, "C": -2}),
        *rows("stadtteil", "status", {"B": ""}, flag="suppressed"),
        *rows("stadtteil", "status", {"A": 9}, "2025"),
        *rows("stadtteil", "zukunft", {"A": 9}, scenario="prognose"),
        *rows("stadtteil", "lueckenhaft", {"A": 1, "B": ""}),
        *rows("sozialraum", "grob", {"S1": 10, "S2": 4}),
    ]
    load_statistics(made.writing, folder, listed, dataset="statistics.amt", counting=Counting("stichtag"))
    return made


@pytest.fixture(scope="module")
def figures(new_database: "Callable[[], Database]", tmp_path_factory: pytest.TempPathFactory) -> "Database":
    made = new_database()
    town.build(made.writing, tmp_path_factory.mktemp("town"))
    return made


def asked(
    database: "Database", level: str, keys: list[str], code: str, *more: str | None, viewer: Viewer = PUBLIC
) -> IndicatorValues:
    with reading(database.serving, Access(viewer)) as session:
        return values_at(session, level, keys, code, *more)


def refused(database: "Database", *request: Any, viewer: Viewer = PUBLIC) -> ParameterError:
    with pytest.raises(ParameterError) as caught:
        asked(database, *request, viewer=viewer)
    return caught.value


class TestPublished:
    """The level's own figures, as their source gives them."""

    def test_values_stand_in_the_order_of_the_keys(self, city: "Database") -> None:
        found = asked(city, "stadtteil", ["C", "A", "unbekannt", "B"], "fremd")
        assert found.values == pytest.approx([60, 40, np.nan, 300], nan_ok=True)
        assert not found.estimated.any()
        assert (found.name, found.position, found.period, found.note) == ("fremd", "", "2024", None)
        assert (found.from_level, found.from_coarser) == ("stadtteil", False)
        assert found.datasets == {"statistics.amt"}
        assert found.info.unit == "personen"

    def test_a_position_is_named_where_there_are_several(self, city: "Database") -> None:
        assert asked(city, "stadtteil", ["A", "B"], "population", "0-18").values.tolist() == [100, 200]
        error = refused(city, "stadtteil", ["A"], "population")
        assert (error.parameter, error.allowed) == ("position", ("0-18", "total"))
        error = refused(city, "stadtteil", ["A"], "population", "3-6")
        assert (error.parameter, error.allowed) == ("position", ("0-18", "total"))
        error = refused(city, "stadtteil", ["A"], "fremd", "0-18")
        assert (error.parameter, "ohne Position" in str(error)) == ("position", True)

    def test_a_later_period_that_has_only_begun_is_not_meant(self, city: "Database") -> None:
        found = asked(city, "stadtteil", ["A", "B", "C"], "status")
        assert found.period == "2024"
        assert found.values == pytest.approx([1.5, np.nan, -2], nan_ok=True)
        assert found.note == (
            "Von „Statusindex“ sind die Werte für 2024 verwendet; für 2025 hat erst ein Gebiet einen Wert. "
            "Ein Wert von „Statusindex“ ist unterdrückt."
        )
        later = asked(city, "stadtteil", ["A", "B", "C"], "status", None, "2025")
        assert later.values == pytest.approx([9, np.nan, np.nan], nan_ok=True)
        assert later.note is None
        error = refused(city, "stadtteil", ["A"], "status", None, "2019")
        assert (error.parameter, error.allowed) == ("period", ("2025", "2024"))
        assert refused(city, "stadtteil", ["A"], "status", None, "2021-Q5").parameter == "period"

    def test_missing_is_not_zero(self, city: "Database") -> None:
        found = asked(city, "stadtteil", ["A", "B", "C"], "lueckenhaft")
        assert found.values == pytest.approx([1, np.nan, np.nan], nan_ok=True)
        assert found.info.kind is None

    def test_areas_reported_together_have_no_value_of_their_own(self, figures: "Database") -> None:
        found = asked(figures, "stadtteil", list(town.STADTTEILE), "wohnungen")
        known = dict(zip(town.STADTTEILE, found.values.tolist(), strict=True))
        assert {key: value for key, value in known.items() if np.isfinite(value)} == {"11": 55}
        assert found.note == (
            "Ein Wert von „Wohnungen“ ist unterdrückt. Nur gemeinsam ausgewiesen und darum ohne eigenen Wert: "
            "„Stadtteil 23 / Stadtteil 24“."
        )

    def test_residents_reported_together_are_split_and_estimated(self, figures: "Database") -> None:
        found = asked(figures, "stadtteil", list(town.STADTTEILE), "population", "total")
        assert found.estimated.tolist() == [key in {"23", "24"} for key in town.STADTTEILE]
        assert found.values[-2:].sum() == pytest.approx(town.TOGETHER)
        assert found.note is None

    def test_what_is_counted_in_different_ways_is_not_compared(self, figures: "Database") -> None:
        error = refused(figures, "stadtteil", ["11", "13"], "eigenes")
        assert error.parameter == "indicator"
        assert "verschieden gezählt und darum nicht vergleichbar" in str(error)


class TestDistributed:
    """Counts of residents at a level that has none published."""

    def test_by_hand(self, city: "Database") -> None:
        found = asked(city, "sozialraum", ["S2", "S1"], "fremd")
        assert found.values == pytest.approx([0.3 * 300 + 0.5 * 60, 40 + 0.7 * 300])
        assert found.estimated.all()
        assert (found.from_level, found.from_coarser) == ("stadtteil", False)
        assert found.note == (
            "„Zugezogene“ ist auf der Ebene Sozialraum nicht veröffentlicht; die Werte sind aus den Zahlen der Ebene "
            "Stadtteil (2024) nach Einwohnern verteilt (geschätzt)."
        )

    def test_tobler_gives_the_same(self, city: "Database") -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tobler's own dependencies
            from tobler.area_weighted import area_interpolate

            source = gpd.GeoDataFrame(
                {"n": [FOREIGN[k] for k in STADTTEILE]}, geometry=list(STADTTEILE.values()), crs=25832
            )
            target = gpd.GeoDataFrame(geometry=list(SOZIALRAEUME.values()), crs=25832)
            oracle = area_interpolate(source, target, extensive_variables=["n"], allocate_total=False)["n"]
        assert asked(city, "sozialraum", list(SOZIALRAEUME), "fremd").values == pytest.approx(oracle.to_numpy())

    def test_a_share_is_rebuilt_and_never_averaged(self, city: "Database") -> None:
        found = asked(city, "sozialraum", ["S1", "S2"], "fremd_proz")
        top, bottom = [40 + 210, 90 + 30], [400 + 700, 300 + 300]
        assert found.values == pytest.approx([100 * a / b for a, b in zip(top, bottom, strict=True)])
        averaged = (10 * 1000 + 30 * 700) / 1700  # by area
        assert found.values[0] != pytest.approx(averaged, rel=0.01)
        assert found.estimated.all()
        assert found.note is not None
        assert found.note.endswith(
            "neu gebildet aus „Zugezogene“ und „Einwohnerinnen und Einwohner“ (2024) der Ebene Stadtteil, nach "
            "Einwohnern verteilt (geschätzt)."
        )

    def test_the_level_s_own_counts_make_its_share_exactly(self, city: "Database") -> None:
        found = asked(city, "stadtteil", ["A", "B", "C"], "fremd_proz")
        assert found.values == pytest.approx([10, 30, 10])
        assert not found.estimated.any()
        homes = asked(city, "stadtteil", ["A", "B", "C"], "sozial_proz")
        assert homes.values == pytest.approx([25, 10, 0])
        assert homes.from_level == "stadtteil"

    def test_a_share_of_an_age_follows_where_that_age_lives(self, database: Any, tmp_path: Path) -> None:
        """B's minors live in the west, its grown-ups in the east."""
        load_areas(database.writing, tmp_path, "stadtteil", STADTTEILE)
        load_areas(database.writing, tmp_path, "sozialraum", SOZIALRAEUME)
        grid = [near(1200, 500, 30, 30, "–", "–", "–", "–"), near(1800, 500, 70, 10, "–", 60, "–", "–")]
        load_census(database.writing, write_grid(tmp_path / "gitter.csv", grid))
        catalogue = tmp_path / "katalog.toml"
        catalogue.write_text(
            'indicator = [{ code = "arm", title = "Arme Kinder", kind = "count", residents = true }, { code = "quote", '
            'title = "Armutsquote", kind = "share", numerator = "arm", denominator = "population:0-18" }]\n',
            encoding="utf-8",
        )
        import_catalogue(database.writing, catalogue, CatalogueImport())
        listed = [*residents_rows("stadtteil", {"B": {"0-18": 40, "18-": 60}}), *rows("stadtteil", "arm", {"B": 20})]
        load_statistics(database.writing, tmp_path, listed, dataset="statistics.amt", counting=Counting("stichtag"))
        minors = asked(database, "sozialraum", ["S1", "S2"], "population", "0-18")
        assert minors.values == pytest.approx([30, 10])
        grown = asked(database, "sozialraum", ["S1", "S2"], "population", "18-")
        assert grown.values == pytest.approx([0, 60], abs=1e-5)
        # Half of the minors are poor, wherever they live; spread by all ages the share would be 0.2 and 1.4.
        assert asked(database, "sozialraum", ["S1", "S2"], "quote").values == pytest.approx([0.5, 0.5])

    def test_a_missing_source_makes_its_targets_missing(self, database: Any, tmp_path: Path) -> None:
        load_areas(database.writing, tmp_path, "stadtteil", STADTTEILE)
        load_areas(database.writing, tmp_path, "sozialraum", SOZIALRAEUME)
        catalogue = tmp_path / "katalog.toml"
        catalogue.write_text(CATALOGUE, encoding="utf-8")
        import_catalogue(database.writing, catalogue, CatalogueImport())
        people = {key: {"total": count} for key, count in PEOPLE.items()}
        listed = [*residents_rows("stadtteil", people), *rows("stadtteil", "fremd", {"A": 40, "B": 100, "C": ""})]
        load_statistics(database.writing, tmp_path, listed, dataset="statistics.amt", counting=Counting("stichtag"))
        found = asked(database, "sozialraum", ["S1", "S2"], "fremd")
        assert found.values == pytest.approx([40 + 70, np.nan], nan_ok=True)
        share = asked(database, "sozialraum", ["S1", "S2"], "fremd_proz")
        assert share.values == pytest.approx([100 * 110 / 1100, np.nan], nan_ok=True)

    def test_from_a_coarser_level_it_says_so(self, database: Any, tmp_path: Path) -> None:
        load_areas(database.writing, tmp_path, "bezirk", {"1": box(0, 0, 3000, 1000)})
        load_areas(database.writing, tmp_path, "stadtteil", STADTTEILE)
        listed = residents_rows("bezirk", {"1": {"total": 300, "0-18": 60}})
        load_statistics(database.writing, tmp_path, listed, dataset="statistics.amt", counting=Counting("stichtag"))
        found = asked(database, "stadtteil", ["A", "B", "C"], "population", "0-18")
        assert found.values == pytest.approx([20, 20, 20])
        assert found.from_coarser
        assert "Innerhalb eines Gebiets der Ebene Bezirk ist dabei kein Unterschied bekannt." in (found.note or "")

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(keys=st.lists(st.sampled_from(["S1", "S2", "S9"]), max_size=5), code=st.sampled_from(["fremd", "jung_proz"]))
    def test_asking_for_others_changes_nothing(self, city: "Database", keys: list[str], code: str) -> None:
        alone = {key: asked(city, "sozialraum", [key], code).values[0] for key in ("S1", "S2", "S9")}
        found = asked(city, "sozialraum", keys, code)
        assert found.values == pytest.approx([alone[key] for key in keys], nan_ok=True)
        assert found.estimated.tolist() == [key != "S9" for key in keys]


class TestRefused:
    """What a level does not have and cannot get, with the reason."""

    def test_other_counts_are_not_distributed(self, city: "Database") -> None:
        error = refused(city, "sozialraum", ["S1"], "wohnungen")
        assert str(error) == (
            "„Wohnungen“ gibt es auf der Ebene Sozialraum nicht, nur auf: Stadtteil. Auf andere Ebenen verteilt werden "
            "nur Zahlen von Einwohnern, nicht Hilfen, Ausgaben oder anderes."
        )
        assert error.parameter == "indicator"

    def test_shares_of_other_counts_and_indices_are_not_averaged(self, city: "Database") -> None:
        assert "gibt es auf der Ebene Sozialraum nicht" in str(refused(city, "sozialraum", ["S1"], "status"))
        assert refused(city, "sozialraum", ["S1"], "sozial_proz").parameter == "indicator"
        assert "lassen sich nicht auf andere" in str(refused(city, "sozialraum", ["S1"], "status"))

    def test_what_is_only_forecast(self, city: "Database") -> None:
        assert "nur Prognosen oder Pläne" in str(refused(city, "stadtteil", ["A"], "zukunft"))

    def test_unknown(self, city: "Database") -> None:
        error = refused(city, "stadtteil", ["A"], "hunde")
        assert "„hunde“ gibt es keine Werte" in str(error)
        assert "fremd" in error.allowed
        assert refused(city, "kiez", ["A"], "fremd").parameter == "level"

    def test_residents_of_a_position_nobody_has(self, city: "Database") -> None:
        error = refused(city, "sozialraum", ["S1"], "population", "3-6")
        assert error.parameter == "indicator"
        assert "Zum Verteilen fehlen Werte" in str(error)
        error = refused(city, "sozialraum", ["S1"], "population")
        assert (error.parameter, error.allowed) == ("position", ("0-18", "total"))

    def test_small_counts_of_helps_are_the_office_s(self, figures: "Database") -> None:
        assert str(refused(figures, "bezirk", ["1", "2"], "hours", "31")) == HIDDEN_COUNTS
        public = asked(figures, "bezirk", ["1", "2"], "cases", "31")
        assert public.values == pytest.approx([12, np.nan], nan_ok=True)
        assert public.note == "Ein Wert von „Fälle“ ist unterdrückt."
        planner = Viewer(Role.PLANNER, office_areas=(("bezirk", "1"),))
        found = asked(figures, "bezirk", ["1", "2"], "cases", "31", viewer=planner)
        assert found.values == pytest.approx([12, np.nan], nan_ok=True)
        theirs = Viewer(Role.PLANNER, office_areas=(("bezirk", "2"),))
        assert asked(figures, "bezirk", ["1", "2"], "cases", "31", viewer=theirs).values == pytest.approx([12, 2])


def test_shares_to_compare_by(city: "Database") -> None:
    with reading(city.serving) as session:
        assert shares_at(session, "stadtteil") == [], "the index lacks one of three areas"
        assert shares_at(session, "sozialraum") == [("fremd_proz", None), ("jung_proz", None)]
        with pytest.raises(ParameterError):
            shares_at(session, "kiez")


def test_the_levels_add_up(city: "Database") -> None:
    """What S1, S2 and the rest outside hold is what the Stadtteile hold."""
    made = asked(city, "sozialraum", ["S1", "S2"], "population", "total").values.sum()
    assert made + 0.5 * PEOPLE["C"] == pytest.approx(sum(PEOPLE.values()))
