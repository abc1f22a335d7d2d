"""What stands at the end of the report: how to read it, notes on single figures, methods, warnings, sources.

Method, warnings and sources are the words of the answers themselves.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from geodata import words
from geodata.answer import Meta
from geodata.controlling_budget_question import BudgetRow
from geodata.controlling_line import ControllingRow
from geodata.periods import parse_period, spoken
from service.cli.tables import printable
from service.exports.parts import Notes
from service.formats import SUPPRESSED_LINE, footnote_lines

_BOTH_COMPARED = (
    "Veränderung und Effekt gegen Vergleich stehen für Ausgaben und Fälle; der Abstand zur Stadt ist bei den Ausgaben "
    "der der Kosten je Jugendeinwohner, bei den Fällen der der Hilfedichte."
)
# After a full stop, which that of "1. Halbjahr" is none.
_SENTENCE = re.compile(r"(?<=\.) (?!Halbjahr |Quartal )(?=[A-ZÄÖÜ„])")
# Positions named in one note; the others are counted.
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Told:
    """An answer's footnotes and the names of the areas it is about."""

    meta: Meta
    areas: tuple[str, ...]


def legend(missing: str) -> Notes:
    """Return how the tables are read; ``missing``: what stands where nothing is known."""
    return Notes("Zeichen in den Tabellen", (
        SUPPRESSED_LINE,
        (missing, "keine Angabe; das ist nicht null. Den Grund nennen die Anmerkungen."),
        ("g", "geschätzt"),
        ("v", "vorläufig"),
    ))  # fmt: skip


def methods(title: str, told: Sequence[Told], *, compared: bool = False) -> Notes:
    """Return method, warnings and number of missing values of several answers to the same question.

    What not all of them say is said with the names of the areas. ``compared``: tell what is compared with what.
    """
    merged = replace(
        told[0].meta, warnings=list(_warnings(told)), sources=[], missing=sum(one.meta.missing for one in told)
    )
    entries = [(label, text) for label, text in footnote_lines(merged)
               if label not in {"Titel", "Einheit", "Fassung", "Datenversion"}]  # fmt: skip
    if compared:
        place = next(number for number, (label, _text) in enumerate(entries) if label == "Methode") + 1
        entries.insert(place, ("Vergleiche", _BOTH_COMPARED))
    return Notes(title, tuple((label, printable(text)) for label, text in entries))


def sources(metas: Sequence[Meta]) -> Notes:
    """Return every source once, with Stand and licence, and the data version."""
    every = {source.dataset: source for meta in metas for source in meta.sources}
    merged = replace(metas[0], sources=[every[name] for name in sorted(every)], warnings=[])
    entries = [line for line in footnote_lines(merged) if line[0] in {"Quelle", "Datenversion"}]
    return Notes("Quellen", tuple((label, printable(text)) for label, text in entries))


def row_notes(
    rows: Iterable[ControllingRow], budgets: Iterable[BudgetRow], names: Mapping[tuple[str, str], str]
) -> Notes | None:
    """Return the notes of the rows, each sentence once with where it holds; None without any.

    A sentence that names its row's own period is told once for all periods. ``names``: of the areas.
    """
    where: dict[str, _Places] = {}
    for row in rows:
        for sentence in _SENTENCE.split(row.note or ""):
            _placed(where, sentence, row.period).add(
                names[row.area_level, row.area_key], row.position_title, row.period
            )
    for budget in budgets:
        for sentence in _SENTENCE.split(budget.note or ""):
            _placed(where, sentence, budget.period).add(
                names[budget.area_level, budget.area_key], "Budget", budget.period
            )
    where.pop("", None)
    entries = [(places.sentence(general), places.text()) for general, places in where.items()]
    return Notes("Anmerkungen zu einzelnen Zahlen", tuple(entries)) if entries else None


@dataclass(slots=True)
class _Places:
    """Where a sentence holds: the periods by area and position; ``first``: as the first row says it."""

    first: str
    at: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def add(self, area: str, position: str, period: str) -> None:
        self.at.setdefault(area, {}).setdefault(printable(position), set()).add(period)

    def sentence(self, general: str) -> str:
        periods = {period for positions in self.at.values() for held in positions.values() for period in held}
        return printable(general if len(periods) > 1 else self.first)

    def text(self) -> str:
        """Return the areas, in each the positions, and the periods; what they share is said once."""
        alike: dict[str, list[str]] = {}
        for area, positions in self.at.items():
            alike.setdefault(_rows(positions), []).append(area)
        return "; ".join(f"{words.listed(areas)}: {rows}" for rows, areas in alike.items())


def _placed(where: dict[str, _Places], sentence: str, period: str) -> _Places:
    general = re.sub(rf" {re.escape(spoken(period))}(?=:| \()", " im jeweiligen Zeitraum", sentence)
    return where.setdefault(general, _Places(sentence))


def _rows(positions: Mapping[str, Collection[str]]) -> str:
    """Return positions with their periods in words; positions of the same periods share them."""
    by_periods: dict[tuple[str, ...], list[str]] = {}
    for position, periods in positions.items():
        by_periods.setdefault(tuple(sorted(periods, key=parse_period)), []).append(position)
    return "; ".join(f"{words.listed(names, _MOST_NAMED)} ({_span(periods)})" for periods, names in by_periods.items())


def _span(periods: Sequence[str]) -> str:
    """Return periods in words: years that follow one another as a span."""
    years = [int(period) for period in periods if period.isdecimal()]
    if len(years) == len(periods) > 2 and years == list(range(years[0], years[-1] + 1)):
        return f"{years[0]}–{years[-1]}"
    return ", ".join(map(spoken, periods))


def _warnings(told: Sequence[Told]) -> Iterator[str]:
    every: dict[str, list[str]] = {}
    for one in told:
        for warning in one.meta.warnings:
            every.setdefault(warning, []).extend(one.areas)
    names = {name for one in told for name in one.areas}
    for warning, areas in every.items():
        # Of a dataset's scope it does not matter which area it is said of.
        everywhere = set(areas) == names or warning.startswith("Umfang von ")
        yield warning if everywhere else f"{words.listed(list(dict.fromkeys(areas)))}: {warning}"
