"""What is in the controlling report: the questions' own figures, each in its place, and nothing silently left out."""

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Database
from sqlalchemy.orm import Session

from geodata.controlling import ControllingRequest, controlling
from geodata.controlling_budget_question import BudgetRequest, budget
from geodata.database import Access, reading
from geodata.errors import NotFoundError, ParameterError
from geodata.viewer import Role, Version, Viewer
from service.exports.parts import INTERNAL, MISSING, PUBLISHED, Report, Table
from service.exports.report import MOST_AREAS, ReportRequest, report_of

ADMIN = Access(Viewer(Role.ADMIN))
NORD, GROEPELINGEN, MITTE = ("sozialzentrum", "SZ1"), ("sozialzentrum", "SZ2"), ("sozialzentrum", "SZ3")
BREMEN, HAMBURG_MITTE = ("stadt", "HB"), ("bezirk", "1")
# Line of the report -> (what is asked for, column of the answer)
COLUMNS = {
    "spending_change": ("spending_eur", "change_pct"), "cases_change": ("cases", "change_pct"),
    "spending_diff": ("spending_eur", "diff_to_city"), "cases_diff": ("cases", "diff_to_city"),
    "spending_effect": ("spending_eur", "effect_pp"), "cases_effect": ("cases", "effect_pp"),
}  # fmt: skip


@pytest.fixture(scope="module")
def session(examples_database: Database) -> Iterator[Session]:
    with reading(examples_database.serving, ADMIN) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(session: Session) -> Report:
    areas = (NORD, GROEPELINGEN, MITTE, BREMEN, HAMBURG_MITTE, ("stadtteilbuero", "nord"), ("sozialzentrum", "SZ4"))
    return report_of(session, ReportRequest(areas, version=Version.INTERNAL))


def tables(report: Report, start: str) -> list[Table]:
    return [table for section in report.sections for table in section.tables if table.title.startswith(start)]


def answer(
    session: Session, area: tuple[str, str], base: str, measure: str = "spending_eur"
) -> dict[tuple[str, ...], Any]:
    found = controlling(session, ControllingRequest(area[0], area=area, base=base, measure=measure, limit=10_000))
    return {(row.position, row.period, row.counting or ""): row for row in found.rows if row.area_key == area[1]}


@pytest.mark.parametrize(
    ("number", "area", "base"), [(0, NORD, "2014"), (3, BREMEN, "2014"), (4, HAMBURG_MITTE, "2017")]
)
def test_every_figure_is_the_questions(
    session: Session, report: Report, number: int, area: tuple[str, str], base: str
) -> None:
    table = tables(report, "Kennzahlen")[number]
    counting = "kumuliert" if area == HAMBURG_MITTE else "mittel_12_stichtage"
    assert table.base == base
    asked = {measure: answer(session, area, base, measure) for measure in ("spending_eur", "cases")}
    seen = 0
    for line in table.lines():
        measure, subject = line.key
        if subject == "city":
            continue
        wanted, column = COLUMNS.get(measure, ("spending_eur", measure))
        for period, cell in zip(table.periods, line.cells, strict=True):
            row = asked[wanted][subject or "alle_hilfen", period, counting]
            assert cell.value == getattr(row, column), (line.title, period)
            seen += cell.value is not None
    # And the other way round: what the question knows of all helps is in the table.
    known = [
        getattr(row, column)
        for row in asked["spending_eur"].values() if row.position == "alle_hilfen" and row.counting == counting
        for column in (
            "cases", "spending_eur", "residents", "help_density", "spending_per_resident", "spending_per_case",
            "help_quotient", "follow_up_share", "counselling_ratio", "change_pct", "target_eur", "diff_to_city",
            "effect_pp",
        )
    ]  # fmt: skip
    assert seen >= sum(value is not None for value in known) > 0


def test_the_tables_of_hilfearten_hold_every_case_and_every_euro(session: Session, report: Report) -> None:
    table = next(table for table in tables(report, "Hilfearten (Mittel") if "Stadt Bremen" in table.name)
    shown = {
        (line.key, period): cell.value
        for line in table.lines()
        for period, cell in zip(table.periods, line.cells, strict=True)
    }
    rows = [row for row in answer(session, BREMEN, "2014").values() if row.counting == "mittel_12_stichtage"]
    assert len(rows) > 100
    for row in rows:
        assert shown.get((("cases", row.position), row.period)) == row.cases
        assert shown.get((("spending_eur", row.position), row.period)) == row.spending_eur
    # A group stands before its Hilfearten, and what these lack after them.
    order = [line.key[1] for line in table.groups[1].lines]
    ambulant, outside = order.index("ambulant"), order.index("ausserhalb_familie")
    assert order[0] == "alle_hilfen"
    assert ambulant < order.index("31") < order.index("ambulant-nicht-zuordenbar") < outside < order.index("33")


def test_areas_are_compared_within_their_city_and_with_it(session: Session, report: Report) -> None:
    (comparison,) = [section for section in report.sections if section.title == "Vergleich der Gebiete"]
    (table,) = comparison.tables
    (density,) = [group for group in table.groups if group.title.startswith("Hilfedichte")]
    assert [line.title for line in density.lines] == [
        "Nord (Sozialzentrum)", "Gröpelingen/Walle", "Mitte/Östl. Vorstadt/Findorff", "Stadt Bremen"]  # fmt: skip
    assert [cell.value for cell in density.lines[1].cells] == [
        answer(session, GROEPELINGEN, "2014")["alle_hilfen", year, "mittel_12_stichtage"].help_density
        for year in table.periods
    ]
    assert not any("Hamburg" in line.title for line in table.lines())


def test_counting_is_never_mixed_and_said(report: Report) -> None:
    for section in report.sections:
        titles = [table.title for table in section.tables if table.title.startswith(("Kennzahlen", "Hilfearten"))]
        assert len(titles) == len(set(titles))
    (bremerhaven,) = [section for section in report.sections if section.title == "Nord (Stadtteilbüro)"]
    (types,) = bremerhaven.tables
    assert types.title == "Hilfearten (am Stichtag, Stichtage)"
    assert types.periods == ("2019-07-31", "2019-12-31")
    hours = next(line for line in types.lines() if line.key == ("hours_per_case", "31"))
    assert all(cell.value is not None and 0 < cell.value < 100 for cell in hours.cells)


def test_the_budget_is_the_questions(session: Session, report: Report) -> None:
    for table, area in zip(tables(report, "Budget"), (BREMEN, HAMBURG_MITTE), strict=True):
        rows = budget(session, BudgetRequest(area)).rows
        assert table.periods == tuple(row.period for row in rows)
        shown = {line.key[0]: [cell.value for cell in line.cells] for line in table.lines()}
        for column in BREMEN_COLUMNS if area == BREMEN else HAMBURG_COLUMNS:
            assert shown[column] == [getattr(row, column) for row in rows], column
    cumulated = next(line for line in tables(report, "Budget")[0].lines() if line.key[0] == "cumulated_net_effect_eur")
    assert [cell.text(cumulated.look) for cell in cumulated.cells][:3] == [MISSING, MISSING, "+3.420.000"]
    assert cumulated.cells[-1].value == 16_993_000
    # What is estimated says so.
    steered = next(line for line in tables(report, "Budget")[1].lines() if line.key[0] == "steering_effect_eur")
    assert [cell.text(steered.look) for cell in steered.cells] == [
        MISSING, "−1.356.539", "−1.063.925", "−3.812.290\N{NO-BREAK SPACE}g"]  # fmt: skip


BREMEN_COLUMNS = ("spending_eur", "forecast_net_effect_eur", "net_effect_eur", "cumulated_net_effect_eur",
                  "cumulated_reduced_growth_eur", "net_effect_difference_eur", "forecast_spending_eur")  # fmt: skip
HAMBURG_COLUMNS = ("spending_eur", "expected_eur", "steering_effect_eur", "reduced_uma_eur", "steering_effect_net_eur",
                   "budget_use", "fee_increase_since_pct")  # fmt: skip


def test_facts_notes_and_sources(session: Session, report: Report) -> None:
    facts = dict(report.facts)
    assert facts["Basiszeitraum"] == "Stadt Bremen: 2014; Hamburg-Mitte: 2017; Nord (Stadtteilbüro): 31.07.2019"
    assert facts["Hinweis"].startswith("Veröffentlichte Zahlen, Quelle")
    assert facts["Stand der neuesten Quelle"] == "17.01.2022"
    assert facts["Fassung"] == INTERNAL == report.mark()
    assert report.sections[-1].remarks == (
        "Zu Süd sind in diesem Zeitraum und in dieser Fassung keine Zahlen zu sehen.",
    )
    notes = {one.title: one.entries for one in report.notes}
    said = " ".join(text for entries in notes.values() for entry in entries for text in entry)
    asked = controlling(session, ControllingRequest("stadt", area=BREMEN, base="2014", limit=10_000)).meta
    for warning in asked.warnings:
        assert warning in said
    for source in asked.sources:
        assert f"({source.dataset})" in said
    assert list(notes)[-1] == "Quellen"
    # Each note once, where it holds beside it.
    (density,) = [entry for entry in notes["Anmerkungen zu einzelnen Zahlen"] if entry[0].startswith("Hilfedichte wie")]
    assert "2014–2019" in density[1]
    assert not any(column in said for column in ("change_pct", "effect_pp", "diff_to_city", "target_eur"))


def test_the_published_version_says_so(session: Session) -> None:
    made = report_of(session, ReportRequest((NORD,), base="2015", period_from="2016", period_to="2018"))
    assert (made.internal, made.mark()) == (False, PUBLISHED)
    (table, _types) = made.sections[-1].tables
    assert table.periods == ("2016", "2017", "2018")
    assert table.base == "2015"


@pytest.mark.parametrize(
    ("request_", "parameter", "said"),
    [
        (ReportRequest(()), "area", "mindestens ein Gebiet"),
        (ReportRequest((("sozialzentrum", "SZ99"),)), "area", "Das Gebiet „sozialzentrum:SZ99“ gibt es nicht."),
        (ReportRequest((("nirgends", "1"),)), "area", "gibt es nicht"),
        (ReportRequest(tuple(("stadt", str(number)) for number in range(MOST_AREAS + 1))), "area", "höchstens 40"),
        (ReportRequest((NORD,), base="2014-H3"), "base", "kein Zeitraum"),
        (ReportRequest((NORD,), period_from="2019", period_to="2015"), "to", "bevor er beginnt"),
        (ReportRequest((NORD,), yearly_growth=-1.5), "yearly_growth", "Bruch über −1"),
        (ReportRequest((NORD,), scenario="traum"), "scenario", "gibt es nicht"),
        (ReportRequest((NORD,), city_level="nirgends"), "city_level", "nirgends"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    session: Session, request_: ReportRequest, parameter: str, said: str
) -> None:
    with pytest.raises(ParameterError, match=said) as refused:
        report_of(session, request_)
    assert refused.value.parameter == parameter


def test_without_figures_there_is_no_report(session: Session) -> None:
    with pytest.raises(NotFoundError, match="keine Zahlen"):
        report_of(session, ReportRequest((("sozialzentrum", "SZ4"),)))
    with pytest.raises(NotFoundError, match="keine Zahlen"):
        report_of(session, ReportRequest((NORD,), period_from="1990", period_to="1991"))
