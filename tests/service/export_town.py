"""A small city for the tests of the reports, loaded by the importers: two areas with hostile names, one suppressed."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine

from importers.kinds.areas import AreasImport, import_areas
from importers.kinds.catalogue import CatalogueImport, import_catalogue
from importers.kinds.figures import counting_of
from importers.kinds.statistics import StatisticsImport, import_statistics
from importers.load import Footnotes
from importers.mapping import Mapping as Rules
from importers.sources import open_source

HOSTILE = "=cmd|' /C calc'!A0 [x]:*?/\\ & <img src=\"http://beispiel.invalid/x.png\"> $\\frac{1}$"
LONG = "_Süd und " + "sehr lange " * 12 + "Namen"
AREAS = {"A": HOSTILE, "B": LONG}
TYPES = {"31": "ambulant", "32": "ambulant", "34": "ausserhalb_familie"}
YEARS = range(2018, 2022)
WANTED = (("quartier", "A"), ("quartier", "B"))
# The cases of § 32 in B are suppressed in that year, and so is what rests on them.
SUPPRESSED_YEAR = "2019"


def load_town(engine: Engine, folder: Path, periods: tuple[str, ...] = tuple(map(str, YEARS))) -> None:
    """Load areas, catalogue and figures; without ``periods``: of the years 2018 to 2021."""
    _import_areas(engine, folder, "stadt", {"S": "Musterstadt"}, None)
    _import_areas(engine, folder, "quartier", AREAS, "S")
    catalogue = folder / "katalog.toml"
    catalogue.write_text(
        "\n".join(
            f'[[help_type]]\ncode = "{code}"\ntitle = "§ {code} <b>Hilfe</b>"\nparagraphs = ["{code}"]\n'
            f'groups = ["{group}", "alle_hilfen"]\nunit = "hilfen"\n'
            for code, group in TYPES.items()
        ),
        encoding="utf-8",
    )
    import_catalogue(engine, catalogue, CatalogueImport(dataset="catalogue.muster"))
    for dataset, (counting, unit) in {
        "hilfen": ("mittel_12_stichtage", "hilfen"),
        "ausgaben": ("kumuliert", "eur"), "stunden": ("kumuliert", "hilfen"), "beratungen": ("kumuliert", "hilfen"),
        "einwohner": ("stichtag", "personen"), "wirkung": ("kumuliert", "eur"),
    }.items():  # fmt: skip
        source = folder / f"{dataset}.csv"
        lines = [";".join(row) for row in _rows(dataset, periods)]
        header = "area_level;area_key;indicator;position;period;value;flag;scenario"
        source.write_text("\n".join([header, *lines]), encoding="utf-8")
        rules = Rules()
        wanted = StatisticsImport(
            dataset=f"statistics.muster-{dataset}", mapping=rules, decimal=".",
            counting=counting_of(rules.dataset, counting=counting, unit=unit, scope=None, population_period=None,
                                 release=None),
            footnotes=Footnotes(title=f"Muster {dataset}", licence="CC0-1.0", attribution="Amt Muster"),
        )  # fmt: skip
        report = import_statistics(engine, open_source(source), wanted)
        assert report.rows_rejected == 0, report.findings


def _import_areas(engine: Engine, folder: Path, level: str, names: Mapping[str, str], parent: str | None) -> None:
    source = folder / f"{level}.csv"
    quoted = {key: '"' + name.replace('"', '""') + '"' for key, name in names.items()}
    rows = [f"{key};{name};{parent or ''}" for key, name in quoted.items()]
    source.write_text("\n".join(["key;name;parent_key", *rows]), encoding="utf-8")
    wanted = AreasImport(level, parent_level="stadt" if parent else None)
    import_areas(engine, open_source(source), wanted)


def _rows(dataset: str, periods: tuple[str, ...]) -> list[tuple[str, ...]]:
    made: list[tuple[str, ...]] = []
    for step, period in enumerate(periods):
        sums: dict[tuple[str, str], float] = {}
        for place, area in enumerate(AREAS):
            for (indicator, position), value in _values(dataset, step, place).items():
                hidden = (area, position, period) == ("B", "32", SUPPRESSED_YEAR) and indicator == "cases"
                flag = "suppressed" if hidden else "provisional" if period == periods[-1] else "ok"
                shown = "" if hidden else repr(value)
                made.append(("quartier", area, indicator, position, period, shown, flag, "ist"))
                sums[indicator, position] = sums.get((indicator, position), 0) + value
        for (indicator, position), value in sums.items():
            more = 7 if indicator in {"cases", "spending_eur"} and position == "alle_hilfen" else 0
            made.append(("stadt", "S", indicator, position, period, repr(value + more), "ok", "ist"))
        if dataset == "wirkung":
            foreseen = {
                "spending_eur:alle_hilfen": 9e6 + 1e5 * step,
                "staff_cost_eur:": 5e4,
                "prevention_cost_eur:": 4e4,
                "base_effect_eur:": 7e3,
                "reduzierter_ausgabenzuwachs_eur:": 2e5 * step,
            }
            for name, value in foreseen.items():
                made.append(("stadt", "S", *name.split(":"), period, repr(value), "ok", "prognose"))
    return made


def _values(dataset: str, step: int, place: int) -> dict[tuple[str, str], float]:
    """Return an area's figures in a period; the total lacks a little to its parts."""
    cases = {code: 40 + 17 * number + 5 * step + 11 * place + 0.5 for number, code in enumerate(TYPES)}
    spent = {code: value * (9000 + 1500 * number + 310 * step) for number, (code, value) in enumerate(cases.items())}
    if dataset in {"hilfen", "ausgaben"}:
        values, indicator = (cases, "cases") if dataset == "hilfen" else (spent, "spending_eur")
        groups = {
            group: sum(value for code, value in values.items() if TYPES[code] == group) for group in set(TYPES.values())
        }
        whole = {"alle_hilfen": sum(values.values()) + (2 if place else 0)}
        return {(indicator, position): value for position, value in {**values, **groups, **whole}.items()}
    if dataset == "stunden":
        return {
            ("hours", "alle_hilfen"): 9000.0 + step,
            ("hours", "gruppenangebot"): 1100.0 + 90 * step,
            ("hours", "31"): 800.0,
        }
    if dataset == "beratungen":
        return {("counselling_new", "total"): 90.0 + step, ("counselling_followed", "total"): 41.0 - step}
    if dataset == "einwohner":
        return {("population", "0-21"): 6000.0 + 130 * step + 800 * place}
    return {
        ("staff_cost_eur", ""): 3e4 + step,
        ("prevention_cost_eur", ""): 2e4,
        ("base_effect_eur", ""): 5e3,
        ("fee_increase_pct", ""): 2.5 + step / 10,
        ("budget_eur", ""): 4e6,
        ("uma_spending_eur", ""): 5e5 - 1e4 * step,
    }
