"""Statistics among others: periods that are replaced, figures that two datasets have, totals that do not fit."""

from pathlib import Path

import pytest
from figure_help import GOOD, KEY_DATE, figures_state, load_rows, observations, people
from importer_help import Database, data_version, findings, load_city, rules

from geodata.conflicts import ConflictError, conflicts, require_no_conflicts
from geodata.database import reading, writing
from importers.errors import MappingError, RefusedError
from importers.load import Counting
from importers.report import Report


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    load_city(database.writing, tmp_path)
    return database


class TestPeriods:
    """Replacing periods: exactly the (level, period) pairs in the file."""

    def test_other_periods_and_levels_are_kept(self, city: Database, tmp_path: Path) -> None:
        first = [people("02101", value=1), people("02102", value=2), people("02101", value=3, period="2021"),
                 people("1", value=4, area_level="bezirk")]  # fmt: skip
        load_rows(city.writing, tmp_path, first)
        report = load_rows(city.writing, tmp_path, [people("02101", value=10), people("02201", value=20)])
        found = {(key[0], key[1], key[4]): value for key, (value, _flag) in observations(city.writing).items()}
        assert found == {("stadtteil", "02101", "2020"): 10, ("stadtteil", "02201", "2020"): 20,
                         ("stadtteil", "02101", "2021"): 3, ("bezirk", "1", "2020"): 4}  # fmt: skip
        assert report.counts["Beobachtungen anderer Zeiträume, behalten"] == 2
        report = load_rows(city.writing, tmp_path, [people("02101", value=10)], replace="all", rules=rules("5%", "90%"))
        assert len(observations(city.writing)) == 1
        assert "Beobachtungen anderer Zeiträume, behalten" not in report.counts

    def test_the_same_again_is_no_new_version(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, GOOD)
        version = data_version(city.writing)
        report = load_rows(city.writing, tmp_path, list(reversed(GOOD)))
        assert report.unchanged
        report = load_rows(city.writing, tmp_path, [row for row in GOOD if row["period"] == "2020"])
        assert report.unchanged, "what the file does not bring is kept as it was"
        assert data_version(city.writing) == version

    def test_shrinkage_is_of_the_pairs_only(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, [people("02101", f"{age}-{age + 1}") for age in range(100)])
        new_year = [people("02101", f"{age}-{age + 1}", period="2021") for age in range(10)]
        load_rows(city.writing, tmp_path, new_year)
        before = figures_state(city.writing)
        with pytest.raises(RefusedError, match="von 10 auf 6 Zeilen schrumpfen"):
            load_rows(city.writing, tmp_path, new_year[:6])
        assert figures_state(city.writing) == before
        load_rows(city.writing, tmp_path, new_year[:7])
        with pytest.raises(RefusedError, match="von 107 auf 10 "):
            load_rows(city.writing, tmp_path, new_year, replace="all")

    @pytest.mark.parametrize("now", [Counting("kumuliert"), Counting("stichtag", "hilfen"),
                                     Counting("stichtag", release="internal")])  # fmt: skip
    def test_kept_rows_do_not_change_their_meaning(self, city: Database, tmp_path: Path, now: Counting) -> None:
        load_rows(city.writing, tmp_path, [people("02101")])
        before = figures_state(city.writing)
        with pytest.raises(MappingError, match="--replace all"):
            load_rows(city.writing, tmp_path, [people("02101", period="2021")], counting=now)
        assert figures_state(city.writing) == before
        load_rows(city.writing, tmp_path, [people("02101")], counting=now)  # nothing is kept: it may count anew

    def test_a_new_scope_is_named_where_rows_are_kept(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, [people("02101")])
        report = load_rows(city.writing, tmp_path, [people("02101", period="2021")],
                           counting=Counting("stichtag", scope="ohne UMA"))  # fmt: skip
        assert any("Umfang „ohne UMA“" in reason for *_rest, reason in findings(report, "warning"))


class TestConflicts:
    """The same figure in two datasets."""

    def test_a_second_dataset_with_the_same_figure_is_refused(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, [people("02101"), people("02102")], dataset="statistics.alt")
        before = figures_state(city.writing)
        with pytest.raises(RefusedError, match=r"2 Werte stehen schon im Bestand „statistics\.alt“") as refused:
            load_rows(city.writing, tmp_path, [people("02101", value=5), people("02102")], dataset="statistics.neu")
        assert "stadtteil · 02101 · population · total · 2020" in str(refused.value)
        assert figures_state(city.writing) == before

    def test_other_counting_period_or_scenario_is_no_conflict(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, [people("02101")], dataset="statistics.alt")
        others = [people("02101", period="2021"), people("02101", scenario="plan"), people("02101", "0-18"),
                  people("02102")]  # fmt: skip
        load_rows(city.writing, tmp_path, others, dataset="statistics.neu")
        load_rows(city.writing, tmp_path, [people("02101")], dataset="statistics.drei", counting=Counting("kumuliert"))
        with writing(city.writing) as session:
            assert conflicts(session) == []
            require_no_conflicts(session)

    def test_ranked_datasets_may_meet_and_the_better_one_is_shown(self, city: Database, tmp_path: Path) -> None:
        from importers.kinds.catalogue import CatalogueImport, import_catalogue

        load_rows(city.writing, tmp_path, [people("02101", value=1)], dataset="statistics.alt")
        ranks = tmp_path / "rang.toml"
        ranks.write_text(
            '[[rank]]\ndataset = "statistics.alt"\nrank = 2\n[[rank]]\ndataset = "statistics.neu"\nrank = 1\n'
        )
        import_catalogue(city.writing, ranks, CatalogueImport())
        load_rows(city.writing, tmp_path, [people("02101", value=2)], dataset="statistics.neu")
        with reading(city.serving) as session:
            shown = session.connection().exec_driver_sql("SELECT dataset, value FROM observation_visible").all()
        assert shown == [("statistics.neu", 2)]
        before = figures_state(city.writing)
        ranks.write_text('[[rank]]\ndataset = "statistics.alt"\nrank = 2\n')
        with pytest.raises(RefusedError, match="Ohne Rangfolge"):
            import_catalogue(city.writing, ranks, CatalogueImport())
        assert figures_state(city.writing) == before

    def test_the_error_is_one_sentence_a_planner_understands(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, [people("02101")], dataset="statistics.alt")
        with writing(city.writing) as session:
            dataset = (
                session.connection()
                .exec_driver_sql(
                    "INSERT INTO dataset (name, kind) VALUES ('statistics.neu', 'statistics') RETURNING id"
                )
                .scalar_one()
            )
            run = session.connection().exec_driver_sql(f"""
                INSERT INTO import_run (dataset_id, source, checksum, title, counting, rows_read, rows_loaded,
                    rows_rejected, report) VALUES ({dataset}, 'x', 'x', 'x', 'stichtag', 1, 1, 0, '{{}}') RETURNING id
            """).scalar_one()  # fmt: skip
            session.connection().exec_driver_sql(f"""
                INSERT INTO observation SELECT {run}, level, area_key, indicator, position, period, scenario, value,
                    flag, starts, ends FROM observation
            """)  # fmt: skip
            with pytest.raises(ConflictError, match=r"Ein Wert steht schon im Bestand „statistics\.alt“"):
                require_no_conflicts(session, run)


class TestTotals:
    """Totals that differ between levels are named with both numbers, never reconciled."""

    FULL = tuple(people(key, value=value) for key, value in
                 (("02101", 1000), ("02102", 500), ("02201", 300), ("02202", 62)))  # fmt: skip

    def warnings(self, report: Report) -> list[str]:
        return [reason for *_rest, reason in findings(report, "warning")]

    def test_two_levels_in_one_file(self, city: Database, tmp_path: Path) -> None:
        bezirke = [people("1", value=1500, area_level="bezirk"), people("2", value=404, area_level="bezirk")]
        report = load_rows(city.writing, tmp_path, [*self.FULL, *bezirke])
        (sentence,) = self.warnings(report)
        assert sentence == (
            "Einwohnerinnen und Einwohner, total, 2020: Die Summe der Bezirke (1.904) weicht von der der Stadtteile "
            "(1.862) ab."
        )
        assert len(observations(city.writing)) == 6

    def test_equal_totals_say_nothing(self, city: Database, tmp_path: Path) -> None:
        bezirke = [people("1", value=1500, area_level="bezirk"), people("2", value=362, area_level="bezirk")]
        assert self.warnings(load_rows(city.writing, tmp_path, [*self.FULL, *bezirke])) == []

    def test_another_dataset_and_missing_parts_are_named(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, [*self.FULL], dataset="statistics.stadtteile")
        bezirke = [people("1", value=1500, area_level="bezirk"), people("2", value="", area_level="bezirk")]
        report = load_rows(city.writing, tmp_path, bezirke, dataset="statistics.bezirke")
        (sentence,) = self.warnings(report)
        assert sentence == (
            "Einwohnerinnen und Einwohner, total, 2020: Die Summe der Bezirke (1.500) weicht von der der Stadtteile im "
            "Bestand „statistics.stadtteile“ (1.862) ab (ohne Wert ist 1 der Bezirke)."
        )

    def test_levels_of_one_dataset_that_came_one_after_the_other(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, [*self.FULL])
        report = load_rows(city.writing, tmp_path, [people(key, value=1000, area_level="bezirk") for key in "12"])
        (sentence,) = self.warnings(report)
        assert "Die Summe der Bezirke (2.000) weicht von der der Stadtteile (1.862) ab." in sentence

    def test_what_says_nothing_is_not_compared(self, city: Database, tmp_path: Path) -> None:
        load_rows(city.writing, tmp_path, [*self.FULL], dataset="statistics.stadtteile")
        for rows, counting in (
            ([people("1", value=1, area_level="bezirk")], Counting("kumuliert")),  # counted otherwise
            ([people("1", value=1, area_level="bezirk", period="2021")], KEY_DATE),
            ([people("1", value=1, area_level="bezirk", scenario="plan")], KEY_DATE),
        ):
            report = load_rows(city.writing, tmp_path, rows, counting=counting, replace="all", dataset="statistics.b")
            assert self.warnings(report) == []
        rates = [people("1", value=1, area_level="bezirk", indicator="quote", position=""),
                 people("02101", value=7, indicator="quote", position="")]  # fmt: skip
        assert self.warnings(load_rows(city.writing, tmp_path, rates, dataset="statistics.c")) == []

    def test_merged_areas_and_no_area_are_part_of_the_sum(self, city: Database, tmp_path: Path) -> None:
        rows = [people("02101+02102", value=1500), people("02201", value=300), people("02202", value=52),
                people("ohne", value=10), people("1", value=1500, area_level="bezirk"),
                people("2", value=362, area_level="bezirk")]  # fmt: skip
        assert self.warnings(load_rows(city.writing, tmp_path, rows)) == []

    def test_zeros_that_may_be_suppressed(self, city: Database, tmp_path: Path) -> None:
        rows = [people("02101", "total", 4), people("02101", "0-18", 0), people("02101", "6-10", 0),
                people("02102", "total", 100), people("02102", "6-10", 0),
                people("02201", "total", 99), people("02201", "6-10", 0),
                people("02202", "total", 0), people("02202", "0-18", 0)]  # fmt: skip
        report = load_rows(city.writing, tmp_path, rows)
        warned = [(row, reason) for row, _field, _value, reason in findings(report, "warning")]
        assert [row for row, _reason in warned] == [3, 6]
        assert all("vielleicht unterdrückt" in reason for _row, reason in warned)
