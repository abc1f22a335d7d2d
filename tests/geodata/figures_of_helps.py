"""A town with figures of helps on all levels, drawn at random, for attackers.

The areas are those of ``placement_town``. Everything is drawn on the pieces of ground where a Stadtteil and a
Sozialraum overlap, so that levels hang together; printed totals of the Land have a little more than their parts, and
what lies in no Bezirk is stated. Two Stadtteile of Bezirk 1 are reported together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import placement_town as ground
from hand_rows import Rows, rows_in
from sqlalchemy import Engine, text

from geodata.derive import rebuild_published
from geodata.periods import parse_period

LAND, BEZIRKE, STADTTEILE, RAEUME, PIECES = ground.LAND, ground.BEZIRKE, ground.STADTTEILE, ground.RAEUME, ground.PIECES
KINDS = {"30": "ambulant", "31": "ambulant", "35-ambulant": "ambulant", "33": "ausserhalb_familie",
         "34": "ausserhalb_familie", "19": "ausserhalb_familie"}  # fmt: skip
GROUPS = ("ambulant", "ausserhalb_familie")
ALL = "alle_hilfen"
POSITIONS = (*KINDS, *GROUPS, ALL)
MERGED = "11+12"
REPORTED = (MERGED, *STADTTEILE[2:])
AREAS = {"land": (LAND,), "bezirk": (*BEZIRKE, "ohne"), "stadtteil": REPORTED, "sozialraum": RAEUME}

# level, area, indicator, position
Name = tuple[str, str, str, str]
# dataset, counting, period
Table = tuple[str, str, str]


@dataclass
class Truth:
    """All figures as the office has them, by dataset, counting and period; what belongs to no level is left over."""

    figures: dict[Table, dict[Name, float]] = field(default_factory=dict)
    population: dict[tuple[str, str], float] = field(default_factory=dict)
    printed: dict[tuple[str, str, str, str, str], float] = field(default_factory=dict)


def members(area: str) -> tuple[str, ...]:
    return tuple(area.split("+"))


def pieces_of(level: str, area: str) -> list[int]:
    """Return the numbers of the pieces an area consists of."""
    if level == "land":
        return list(range(len(PIECES)))
    if level == "bezirk":
        return [at for at, (_raum, teil) in enumerate(PIECES) if teil[0] == area]
    side = 0 if level == "sozialraum" else 1
    return [at for at, piece in enumerate(PIECES) if piece[side] in members(area)]


def office_of(level: str, area: str) -> str | None:
    if level == "land" or area == "ohne":
        return None
    return {"bezirk": area, "stadtteil": area[0], "sozialraum": area[1:2]}[level]


def draw(seed: int, cases: int) -> Truth:
    """Draw key dates, means and cumulated cases of two years with a half, counselling, hours, spending, and rates."""
    rng = np.random.default_rng(seed)
    truth = Truth()
    chances = rng.dirichlet(np.full(len(PIECES) * len(KINDS), 0.5))

    def counts(number: int) -> np.ndarray:
        return rng.multinomial(number, chances).reshape(len(PIECES), len(KINDS)).astype(float)

    first, second = counts(cases), counts(round(cases * 1.1))
    mean = second + np.where(second > 0, rng.integers(-5, 6, second.shape) / 12, 0.0)
    half = np.minimum(first, np.round(first * 0.6))
    for dataset, counting, period, table in (
        ("statistics.stichtag", "stichtag", "2019-12-31", first),
        ("statistics.stichtag", "stichtag", "2020-12-31", second),
        ("statistics.mittel", "mittel_12_stichtage", "2020", mean),
        ("statistics.kumuliert", "kumuliert", "2020", second + half),
        ("statistics.kumuliert", "kumuliert", "2020-H1", half),
    ):
        truth.figures[dataset, counting, period] = dict(_with_sums(rng, "cases", table, slack=3.0))
    new = counts(cases)
    told = truth.figures["statistics.beratung", "kumuliert", "2020"] = dict(_whole("counselling_new", new))
    told |= dict(_whole("counselling_followed", np.floor(new * 0.5)))
    tariff = rng.uniform(9_000, 61_000, second.shape)
    truth.figures["statistics.kosten", "kumuliert", "2020"] = dict(
        _with_sums(rng, "spending_eur", np.round(mean * tariff, 2), slack=100_000.0)
    )
    truth.figures["statistics.stunden", "kumuliert", "2020"] = dict(
        _with_sums(rng, "hours", mean * rng.uniform(0.5, 60, second.shape), slack=20.0)
    )
    for level, areas in AREAS.items():
        for area in areas:
            if area != "ohne":
                truth.population[level, area] = float(rng.integers(900, 5000) * len(pieces_of(level, area)))
    _print(truth)
    return truth


def _with_sums(
    rng: np.random.Generator, indicator: str, table: np.ndarray, slack: float
) -> Iterable[tuple[Name, float]]:
    """Yield figures of all areas and positions; ``slack``: so much more may the Land's printed figures have."""
    nowhere = np.round(table[rng.integers(len(PIECES))] * 0.5)
    for level, areas in AREAS.items():
        for area in areas:
            row = nowhere if area == "ohne" else table[pieces_of(level, area)].sum(axis=0)
            if level == "land":
                row = row + nowhere + np.where(row > 20, np.floor(rng.uniform(0, slack, row.shape)), 0.0)
            by_kind = dict(zip(KINDS, row.tolist(), strict=True))
            for kind, value in by_kind.items():
                # A Hilfeart that an area has none of is not always stated.
                if value or level != "stadtteil" or rng.random() < 0.5:
                    yield (level, area, indicator, kind), value
            sums = {group: sum(value for kind, value in by_kind.items() if KINDS[kind] == group) for group in GROUPS}
            for group, value in sums.items():
                yield (level, area, indicator, group), value
            # Now and then a case is in no group.
            more = float(rng.random() < 0.2) if level != "land" else 0.0
            yield (level, area, indicator, ALL), sum(sums.values()) + more


def _whole(indicator: str, table: np.ndarray) -> Iterable[tuple[Name, float]]:
    for level, areas in AREAS.items():
        for area in areas:
            if area != "ohne":
                yield (level, area, indicator, ""), float(table[pieces_of(level, area)].sum())


def _print(truth: Truth) -> None:
    """Print rates without rounding, the worst case."""
    cases = truth.figures["statistics.mittel", "mittel_12_stichtage", "2020"]
    before = truth.figures["statistics.stichtag", "stichtag", "2019-12-31"]
    spent = truth.figures["statistics.kosten", "kumuliert", "2020"]
    hours = truth.figures["statistics.stunden", "kumuliert", "2020"]
    told = truth.figures["statistics.beratung", "kumuliert", "2020"]
    for (level, area, _indicator, position), value in cases.items():
        residents = truth.population.get((level, area))
        made: dict[str, tuple[str, float]] = {}
        if residents:
            made["hilfedichte"] = position, 1000 * value / residents
            made["kosten_je_jew_eur"] = position, spent.get((level, area, "spending_eur", position), 0.0) / residents
        if value:
            made["stunden_je_massnahme"] = position, hours.get((level, area, "hours", position), 0.0) / value
        if before.get((level, area, "cases", position)):
            change = value / before[level, area, "cases", position]
            made["faelle_veraenderung_2019_pct"] = position, 100 * (change - 1)
        if position == ALL and residents:
            inside, outside = (cases[level, area, "cases", group] for group in GROUPS)
            if outside:
                made["hilfequotient"] = ALL, inside / outside
            new = told[level, area, "counselling_new", ""]
            if new and value:
                made["anteil_folgehilfen_pct"] = "", 100 * told[level, area, "counselling_followed", ""] / new
                made["quotient_beratungen"] = "", new / value
        for code, (where, rate) in made.items():
            truth.printed[level, area, code, where, "2020"] = rate


def load(engine: Engine, truth: Truth, *, placements: bool = False) -> None:
    """Write the town's areas and figures, and derive what is published; with ``placements`` of the last quarter."""
    ground.build(engine)
    with rows_in(engine) as rows:
        rows.insert("merged_area", level="stadtteil", key=MERGED, name="Elf und Zwölf", members=list(members(MERGED)))
        catalogue = rows.version("catalogue", "catalogue")
        for code, group in KINDS.items():
            rows.insert("help_type", import_id=catalogue, code=code, title=code, groups=[group, ALL])
        for group in (*GROUPS, ALL):
            rows.insert("help_group", import_id=catalogue, code=group, title=group)
        rows.insert("indicator", import_id=catalogue, code="stunden_je_massnahme", title="Stunden je Hilfe",
                    kind="rate")  # fmt: skip
        versions: dict[str, int] = {}
        for (dataset, counting, period), figures in truth.figures.items():
            if dataset not in versions:
                unit = "eur" if dataset == "statistics.kosten" else "hilfen"
                versions[dataset] = _version(rows, dataset, counting, unit)
            write(rows, versions[dataset], period, figures)
        printed = versions["statistics.mittel"]
        for (level, area, code, position, period), value in truth.printed.items():
            at = versions["statistics.kosten"] if code == "kosten_je_jew_eur" else printed
            write(rows, at, period, {(level, area, code, position): value})
        people = _version(rows, "statistics.einwohner", "stichtag", "personen")
        write(rows, people, "2020",
              {(*area, "population", "0-21"): number for area, number in truth.population.items()})  # fmt: skip
        # Nothing below the published levels: a figure of a statistisches Gebiet stays where it is.
        write(rows, versions["statistics.stichtag"], "2020-12-31", {("statgebiet", "111", "cases", ALL): 40.0})
        if placements:
            ground.place(rows, ground.drawn(1, 400)[0], period="2020-Q4")
        rebuild_published(rows.session)


def _version(rows: Rows, dataset: str, counting: str, unit: str) -> int:
    made = rows.version(dataset, "statistics")
    rows.session.execute(
        text("UPDATE import_run SET counting = :counting, unit = :unit WHERE id = :id"),
        {"counting": counting, "unit": unit, "id": made},
    )
    return made


def write(rows: Rows, version: int, period: str, figures: dict[Name, float]) -> None:
    """Write figures of a period into a version."""
    when = parse_period(period)
    rows.session.execute(
        text("""
            INSERT INTO observation (import_id, level, area_key, indicator, position, period, value, flag, starts, ends)
            VALUES (:version, :level, :area, :indicator, :position, :period, :value, 'ok', :starts, :ends)
        """),
        [
            {"version": version, "level": level, "area": area, "indicator": indicator, "position": position,
             "period": period, "value": value, "starts": when.starts, "ends": when.ends}
            for (level, area, indicator, position), value in figures.items()
        ],
    )  # fmt: skip
