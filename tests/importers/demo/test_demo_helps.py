"""The demo's helps: sums over positions and levels, against what is missing, and what controlling makes of them."""

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from demo_built import built

from geodata.controlling import ControllingRequest, controlling
from geodata.controlling_budget_question import BudgetRequest, budget
from geodata.database import Access, reading
from geodata.viewer import Role, Version, Viewer
from importers.demo import helps, population
from importers.demo.catalogue import HELP_CATALOGUE
from importers.demo.city import LAND_KEY, DemoCity
from importers.kinds.catalogue import read_catalogue

if TYPE_CHECKING:
    from conftest import Database

ADMIN = Viewer(Role.ADMIN)
LAST = str(helps.YEARS[-1])
ALL, AMBULANT, OUTSIDE, GROUP_OFFERS = "alle_hilfen", "ambulant", "ausserhalb_familie", "gruppenangebot"
# (level, key, indicator, position, period, scenario) -> value
Figures = dict[tuple[str, str, str, str, str, str], float | None]


@pytest.fixture(scope="module")
def city() -> DemoCity:
    return built()


@pytest.fixture(scope="module")
def figures(city: DemoCity) -> Figures:
    found: Figures = {}
    for rows in (city.youth, *city.helps.values()):
        for level, key, indicator, position, period, value, flag, scenario in rows:
            assert (value == "") == (flag == "missing")
            assert flag in {"ok", "missing", "provisional"}
            assert (level, key, indicator, position, period, scenario) not in found
            found[level, key, indicator, position, period, scenario] = float(value) if value else None
    return found


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, ...]]:
    """Return the groups of each Hilfeart as the importer reads the catalogue."""
    path = tmp_path_factory.mktemp("katalog") / "katalog-hilfen.toml"
    path.write_text(HELP_CATALOGUE, encoding="utf-8")
    return {entry.code: entry.groups for entry in read_catalogue(path).help_type}


def test_every_area_has_every_figure_of_every_year(
    city: DemoCity, figures: Figures, types: dict[str, tuple[str, ...]]
) -> None:
    groups = {ALL, AMBULANT, OUTSIDE, GROUP_OFFERS}
    areas = {level: {area.key for area in city.areas[level]} for level in city.areas}
    for indicator in ("cases", "spending_eur"):
        found = {(level, key, position, period) for level, key, code, position, period, scenario in figures
                 if (code, scenario) == (indicator, "ist")}  # fmt: skip
        assert found == {(level, key, position, str(year)) for level in helps.LEVELS for key in areas[level]
                         for position in (groups if level == "sozialraum" else {*types, *groups})
                         for year in helps.YEARS}  # fmt: skip
    assert len(types) == 12


def test_groups_are_the_sums_of_their_hilfearten(figures: Figures, types: dict[str, tuple[str, ...]]) -> None:
    members = {group: [code for code, groups in types.items() if group in groups] for group in (ALL, AMBULANT, OUTSIDE)}
    assert sorted(members[AMBULANT] + members[OUTSIDE]) == sorted(members[ALL])
    checked = 0
    for (level, key, indicator, position, period, scenario), value in figures.items():
        if position not in members or indicator not in {"cases", "spending_eur"} or scenario != "ist":
            continue
        if level == "sozialraum":
            assert (level, key, indicator, members[position][0], period, scenario) not in figures
            continue
        parts = [figures[level, key, indicator, code, period, scenario] for code in members[position]]
        made = sum(part or 0 for part in parts)
        assert value is not None
        if (level, position) == ("land", ALL):
            assert 1.002 < value / made < 1.006, "what belongs to no Hilfeart"
        else:
            assert value == pytest.approx(made, rel=1e-9)
        checked += 1
    assert checked > 300


def test_larger_areas_are_the_sums_of_the_smaller(city: DemoCity, figures: Figures) -> None:
    offices = {area.key: area.parent_key for area in city.areas["sozialraum"]}
    sums: dict[tuple[str, str, str, str, str, str], list[float | None]] = defaultdict(list)
    for (level, key, code, position, period, scenario), value in figures.items():
        what = (code, position, period, scenario)
        if level == "sozialraum":
            sums["bezirk", str(offices[key]), *what].append(value)
        elif level == "bezirk":
            sums["land", LAND_KEY, *what].append(value)
    checked = 0
    for name, parts in sums.items():
        whole = figures.get(name)
        more = name[0] == "land" and name[2:4] in {("spending_eur", ALL), ("cases", ALL)}
        if name not in figures or more:
            assert more or name[0] == "land", "budgets are told of Bezirke only"
        elif None in parts:
            assert whole is None
        else:
            assert whole == pytest.approx(sum(part or 0 for part in parts), rel=1e-9)
            checked += 1
    assert checked > 500


def test_jugendeinwohner_are_those_of_the_population_in_the_last_year(city: DemoCity, figures: Figures) -> None:
    columns = (*population.UNDER_18, "einwohner_18_21")
    for level in helps.RESIDENT_LEVELS:
        for area in city.areas[level]:
            told = [figures[level, area.key, "population", "0-21", str(year), "ist"] for year in helps.YEARS]
            assert told[-1] == sum(area.residents[column] for column in columns)
            assert all(value is not None and value >= 0 for value in told)
    land = [figures["land", LAND_KEY, "population", "0-21", str(year), "ist"] or 0 for year in helps.YEARS]
    assert land == sorted(land)


def test_hours_and_counselling_are_parts_of_their_wholes(figures: Figures) -> None:
    missing = 0
    for (level, key, indicator, position, period, scenario), value in figures.items():
        if indicator == "hours" and position == GROUP_OFFERS:
            whole = figures[level, key, "hours", AMBULANT, period, scenario]
            assert (value is None) == (whole is None)
            missing += value is None
            assert value is None or whole is None or 0 < value < 0.3 * whole
        if indicator == "counselling_followed":
            new = figures[level, key, "counselling_new", position, period, scenario]
            assert value is not None
            assert new is not None
            assert 0.2 * new < value < 0.6 * new or new < 20
    assert missing > 2, "of one Bezirk and year nobody has the hours"


def test_cases_are_means_of_twelve_key_dates(figures: Figures) -> None:
    values = [value for (_level, _key, indicator, *_more), value in figures.items() if indicator == "cases"]
    twelfths = [12 * value for value in values if value is not None]
    assert all(abs(number - round(number)) < 1e-6 for number in twelfths)
    assert any(number % 12 for number in map(round, twelfths))


def test_residential_helps_are_as_many_as_placements(city: DemoCity, figures: Figures) -> None:
    placed = sum(int(row[-1]) for row in city.placements
                 if row[0] == "bezirk" and row[3:6] == ("2025-Q4", "34", "stichtag"))  # fmt: skip
    told = sum(figures["land", LAND_KEY, "cases", code, LAST, "ist"] or 0
               for code in ("34", "34-betreutes-jugendwohnen"))  # fmt: skip
    assert placed == pytest.approx(told, rel=0.1)


def test_controlling_has_every_figure_and_the_programme_shows(demo_database: "Database") -> None:
    asked = ControllingRequest("bezirk", period_from=LAST, base="2019", version=Version.INTERNAL)
    with reading(demo_database.serving, Access(ADMIN)) as session:
        answer = controlling(session, asked)
    whole = {row.area_key: row for row in answer.rows if row.position == ALL and len(row.area_key) == 1}
    assert len(whole) == 7
    for row in whole.values():
        assert row.flag == "provisional"
        assert row.help_density is not None
        assert 25 < row.help_density < 50
        assert row.spending_per_resident is not None
        assert 600 < row.spending_per_resident < 1_300
        assert row.help_quotient is not None
        assert 1.5 < row.help_quotient < 4
        assert None not in {row.follow_up_share, row.counselling_ratio, row.change_pct, row.effect_pp, row.target_eur}
    effects = {key: row.effect_pp or 0.0 for key, row in whole.items()}
    assert min(effects, key=lambda key: effects[key]) == helps.OFFICE_WITH_PROGRAMME
    assert effects[helps.OFFICE_WITH_PROGRAMME] < -5
    group_offers = [row.group_offer_share for row in answer.rows if row.position == AMBULANT]
    assert all(share is not None and 0.05 < share < 0.25 for share in group_offers)
    rests = [row for row in answer.rows if row.position.endswith("-nicht-zuordenbar") or row.area_key not in whole]
    (rest,) = rests
    assert (rest.position, rest.cases and rest.cases > 3, rest.spending_eur and rest.spending_eur > 1e5) == (
        ALL,
        True,
        True,
    )
    assert not any("nicht miteinander vergleichbar" in warning for warning in answer.meta.warnings)


def test_the_budget_of_the_office_with_a_programme_is_whole(demo_database: "Database") -> None:
    with reading(demo_database.serving, Access(ADMIN)) as session:
        own = budget(session, BudgetRequest(("bezirk", helps.OFFICE_WITH_PROGRAMME), version=Version.INTERNAL)).rows
        other = budget(session, BudgetRequest(("bezirk", "3"), version=Version.INTERNAL)).rows
    assert [row.period for row in own] == [row.period for row in other] == [str(year) for year in helps.YEARS]
    for row in (*own[1:], *other[1:]):
        assert None not in {row.spending_eur, row.expected_eur, row.steering_effect_eur, row.reduced_uma_eur,
                            row.steering_effect_net_eur, row.budget_use}  # fmt: skip
        assert row.budget_use is not None
        assert 0.9 < row.budget_use < 1.15
    assert own[-1].cumulated_net_effect_eur is not None
    assert own[-1].cumulated_net_effect_eur > 0
    assert own[-1].forecast_cumulated_net_effect_eur is not None
    assert all(row.net_effect_eur is None for row in other)
