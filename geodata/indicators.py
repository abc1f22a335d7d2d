"""Indicators: what a figure means, its unit and kind, and how a share is rebuilt from counts.

The well-known ones of the contract are data here; the office's catalogue (``import catalogue``) adds others and
overrides these. A code nobody describes is shown under its own name.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import figure_tables
from geodata.answer import Answer, footnotes, read_sources
from geodata.viewer import Version

OFFICE_CATALOGUE = "catalogue"
POPULATION = "population"
CASES = "cases"
TOTAL = "total"
# The words of the contract for groups of Hilfearten; an office's catalogue may name more.
HELP_GROUPS = ("ambulant", "ausserhalb_familie", "alle_hilfen")


@dataclass(frozen=True, slots=True)
class IndicatorInfo:
    """What an indicator means.

    ``unit`` None: what the dataset counts (helps, families …) or not said. ``kind``: ``count``, ``share``, ``rate``,
    ``index``, None if nobody says. ``numerator`` and ``denominator`` are ``indicator`` or ``indicator:position``;
    their quotient times ``factor`` is the value. ``residents``: a count of residents, which the population surface
    may spread.
    """

    code: str
    title: str
    unit: str | None = None
    kind: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    factor: float = 1.0
    residents: bool = False
    description: str | None = None


def _known(*indicators: IndicatorInfo) -> Mapping[str, IndicatorInfo]:
    return MappingProxyType({indicator.code: indicator for indicator in indicators})


WELL_KNOWN = _known(
    IndicatorInfo(
        POPULATION, "Einwohnerinnen und Einwohner", "personen", "count", residents=True,
        description="Position von-bis (bis ausschließlich), von- (offen) oder total.",
    ),
    IndicatorInfo(CASES, "Fälle", None, "count", description="Position: Hilfeart, Gruppe oder gruppenangebot."),
    IndicatorInfo("spending_eur", "Ausgaben", "eur", "count"),
    IndicatorInfo("hours", "Geleistete Stunden", "stunden", "count"),
    IndicatorInfo("counselling_new", "Neue Beratungen", None, "count"),
    IndicatorInfo("counselling_followed", "Beratungen mit Folgehilfe", None, "count"),
    IndicatorInfo("budget_eur", "Budget", "eur", "count"),
    IndicatorInfo("fee_increase_pct", "Steigerung der Entgelte", "%", "rate"),
    IndicatorInfo("uma_spending_eur", "Ausgaben für unbegleitete minderjährige Ausländer", "eur", "count"),
    IndicatorInfo("refunds_eur", "Erstattungen", "eur", "count"),
    IndicatorInfo("staff_cost_eur", "Personalkosten", "eur", "count"),
    IndicatorInfo("prevention_cost_eur", "Kosten der Prävention", "eur", "count"),
    IndicatorInfo("base_effect_eur", "Basiseffekt", "eur", "count"),
)  # fmt: skip
# Figures that count single helps or young people; what everyone sees of them is decided in the database.
HIDDEN_COUNTS = (
    "Zahlen zu Hilfen sind so weit veröffentlicht, wie sich daraus keine kleinen Fallzahlen erkennen lassen; alle "
    "übrigen sieht nur die Jugendhilfeplanung für das eigene Gebiet."
)
COUNTS_HELPS = frozenset(figure_tables.COUNTS_HELPS)
# What an office does and what it costs: helps, counselling, money and rates printed of them.
_OF_WORK = frozenset({code for code in WELL_KNOWN if code != POPULATION} | set(figure_tables.PRINTED_OF_HELPS))

_CATALOGUE = """
SELECT DISTINCT ON (code) code, title, unit, kind, numerator, denominator, factor, residents, description
FROM indicator_visible WHERE CAST(:codes AS text[]) IS NULL OR code = ANY (:codes)
ORDER BY code, dataset <> :office, dataset
"""


def indicator_of(session: Session, code: str) -> IndicatorInfo:
    """Return what an indicator means: by the office's catalogue, another, the well-known ones, or only its code."""
    return indicators_of(session, [code])[code]


def indicators_of(session: Session, codes: Collection[str]) -> dict[str, IndicatorInfo]:
    """Return what several indicators mean, as ``indicator_of`` does for one."""
    made = {code: WELL_KNOWN.get(code) or IndicatorInfo(code, code) for code in codes}
    found = session.execute(text(_CATALOGUE), {"codes": sorted(codes), "office": OFFICE_CATALOGUE})
    return made | {row.code: IndicatorInfo(*row) for row in found}


def tells_of_work(info: IndicatorInfo) -> bool:
    """Tell whether an indicator speaks of helps or money (itself, or by what it is made of), not of residents."""
    parts = (part.partition(":")[0] for part in (info.numerator, info.denominator) if part)
    return info.code in _OF_WORK or info.unit == "eur" or any(part in _OF_WORK for part in parts)


def described_codes(session: Session) -> set[str]:
    """Return every code that the contract or a visible catalogue describes."""
    return set(WELL_KNOWN) | set(session.execute(text("SELECT DISTINCT code FROM indicator_visible")).scalars())


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """An indicator with visible figures: where (levels) and when (periods, latest first), in which positions."""

    indicator: str
    title: str
    unit: str | None
    kind: str | None
    levels: list[str]
    periods: list[str]
    scenarios: list[str]
    positions: list[str]
    datasets: list[str]


def indicators(session: Session, *, version: Version = Version.PUBLISHED) -> Answer[IndicatorRow]:
    """Return the indicators this viewer can ask for, by code."""
    found = session.execute(
        text("""
            SELECT DISTINCT indicator, level, period, ends, starts, scenario, position, dataset, unit
            FROM observation_visible
        """)
    ).all()
    by_code: dict[str, list[Any]] = {}
    for row in found:
        by_code.setdefault(row.indicator, []).append(row)
    meant = indicators_of(session, by_code)
    rows = [_row(meant[code], by_code[code]) for code in sorted(by_code)]
    meta = footnotes(
        session,
        title="Kennzahlen",
        method="Alle Kennzahlen mit sichtbaren Werten: auf welchen Ebenen, für welche Zeiträume und Positionen.",
        unit="Kennzahlen",
        version=version,
        sources=read_sources(session, "statistics", {row.dataset for row in found}),
        missing=sum(row.unit is None for row in rows),
        warnings=[HIDDEN_COUNTS],
    )
    return Answer(meta, rows)


def _row(meant: IndicatorInfo, found: list[Any]) -> IndicatorRow:
    units = sorted({row.unit for row in found if row.unit is not None})
    periods = {(row.ends, row.starts, row.period) for row in found}
    return IndicatorRow(
        indicator=meant.code,
        title=meant.title,
        unit=meant.unit or ("/".join(units) or None),
        kind=meant.kind,
        levels=sorted({row.level for row in found}),
        periods=[period for _ends, _starts, period in sorted(periods, reverse=True)],
        scenarios=sorted({row.scenario for row in found}),
        positions=sorted({row.position for row in found}),
        datasets=sorted({row.dataset for row in found}),
    )
