"""How placements, controlling and budget look in a terminal: a suppressed number is told from a missing one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from geodata import words
from geodata.controlling_rows import ALL_HELPS
from service.cli.analysing_tables import area, flag
from service.cli.tables import (
    MOST_ROWS,
    SUPPRESSED,
    Column,
    column_of,
    given,
    numbers,
    percents,
    printable,
    table,
    texts,
)

if TYPE_CHECKING:
    from geodata.answer import Answer
    from geodata.controlling_budget_question import BudgetRow
    from geodata.controlling_line import ControllingRow
    from geodata.placements import PlacementRow

_NAMED = 5


def placements(answer: "Answer[PlacementRow]") -> Iterator[str]:
    """Yield the cases inside and outside, of a single row by state too, and below what is to be noted."""
    rows = answer.rows
    yield from table(given([
        *area(rows),
        texts("Zeitraum", [row.period for row in rows]),
        numbers("Fälle", column_of(rows, "cases")),
        numbers("außerhalb", column_of(rows, "outside_cases")),
        _some(rows, "unknown_cases", "ohne Angabe"),
        percents("Anteil", column_of(rows, "outside_share")),
        percents("von", column_of(rows, "ci_low")),
        percents("bis", column_of(rows, "ci_high")),
        _some(rows, "per_1000", "je 1.000", 2),
        _some_percents(rows, "begun_outside_share", "Anteil begonnene"),
        _some(rows, "distance_km", "km", 1),
        _some_percents(rows, "own_area_share", "im eigenen Gebiet"),
        _some(rows, "change_cases", "Veränderung Fälle"),
        _some(rows, "change_pp", "Prozentpunkte", 1),
        _some(rows, "change_ci_low", "von", 1),
        _some(rows, "change_ci_high", "bis", 1),
    ]))  # fmt: skip
    if len(rows) == 1 and rows[0].by_state:
        cases = rows[0].by_state.values()
        yield ""
        yield from table([
            texts("Bundesland des Trägers", rows[0].by_state),
            Column("Fälle", [SUPPRESSED if value is None else words.number(value) for value in cases]),
        ])  # fmt: skip
    yield from _notes(rows)


def controlling(answer: "Answer[ControllingRow]") -> Iterator[str]:
    """Yield the figures that any row has, and below what is to be noted."""
    rows = answer.rows
    yield from table(given([
        *area(rows),
        texts("Zeitraum", [row.period for row in rows]),
        texts("Hilfeart", [row.position_title for row in rows]),
        texts("Zählweise", [row.counting for row in rows]),
        _some(rows, "cases", "Fälle", 0 if all((row.cases or 0.0).is_integer() for row in rows) else 1),
        _some(rows, "spending_eur", "Ausgaben €"),
        _some(rows, "residents", "Jugendeinwohner"),
        _some(rows, "help_density", "je 1.000", 2),
        _some(rows, "spending_per_resident", "€ je JEW"),
        _some(rows, "spending_per_case", "€ je Fall"),
        _some(rows, "hours_per_case", "Stunden je Fall", 1),
        _some_percents(rows, "group_offer_share", "Gruppenangebote"),
        _of_all_helps(rows, _some(rows, "help_quotient", "Hilfequotient", 2)),
        _of_all_helps(rows, _some_percents(rows, "follow_up_share", "Folgehilfen")),
        _of_all_helps(rows, _some(rows, "counselling_ratio", "Beratungen je Hilfe", 2)),
        _some(rows, "change_pct", "Veränderung %", 1),
        _some(rows, "target_eur", "Zielschwelle €"),
        _some(rows, "diff_to_city", "zur Stadt", 2),
        _some(rows, "effect_pp", "Effekt (Prozentpunkte)", 2),
        flag(rows),
    ]))  # fmt: skip
    yield from _notes(rows)


def budget(answer: "Answer[BudgetRow]") -> Iterator[str]:
    """Yield spending against what was expected, then the table of net effects, both in €."""
    rows = answer.rows
    years = texts("Jahr", [row.period for row in rows])
    yield from table(given([
        years,
        _some(rows, "spending_eur", "Ausgaben"),
        _some(rows, "fee_increase_since_pct", "Entgelte %", 2),
        _some(rows, "expected_eur", "erwartet"),
        _some(rows, "steering_effect_eur", "Steuerungseffekt"),
        _some(rows, "reduced_uma_eur", "UMA weniger"),
        _some(rows, "steering_effect_net_eur", "nach Abzug UMA"),
        _some_percents(rows, "budget_use", "Ausschöpfung"),
        flag(rows),
    ]))  # fmt: skip
    for prefix, title in (("forecast_", "Prognose"), ("", "Ist")):
        effects = given([
            _some(rows, f"{prefix}reduced_growth_eur", "weniger Zuwachs"),
            _some(rows, f"{prefix}staff_cost_eur", "Personal"),
            _some(rows, f"{prefix}prevention_cost_eur", "Prävention"),
            _some(rows, f"{prefix}base_effect_eur", "Basiseffekt"),
            _some(rows, f"{prefix}net_effect_eur", "Nettoeffekt"),
            _some(rows, f"{prefix}cumulated_reduced_growth_eur", "weniger Zuwachs, kumuliert"),
            _some(rows, f"{prefix}cumulated_net_effect_eur", "Nettoeffekt, kumuliert"),
        ])  # fmt: skip
        if effects:
            yield ""
            yield f"Nettoeffekt ({title}):"
            yield from table([years, *effects])
    yield from _notes(rows)


def _some(rows: Sequence[Any], name: str, heading: str, decimals: int = 0) -> Column | None:
    """Return a column of numbers where any row has one, or would have but for disclosure control."""
    values = column_of(rows, name)
    return None if all(value is None for value in values) else numbers(heading, values, decimals)


def _of_all_helps(rows: "Sequence[ControllingRow]", column: Column | None) -> Column | None:
    """Return a column that has no meaning but for all helps together: elsewhere nothing is missing."""
    if column is None:
        return None
    cells = zip(rows, column.cells, strict=True)
    return Column(column.heading, [cell if row.position == ALL_HELPS else "" for row, cell in cells])


def _some_percents(rows: Sequence[Any], name: str, heading: str) -> Column | None:
    values = column_of(rows, name)
    return None if all(value is None for value in values) else percents(heading, values)


def _notes(rows: Iterable[Any]) -> Iterator[str]:
    """Yield what is noted of the rows that are shown, each note once with the rows it is of."""
    said: dict[str, dict[str, None]] = {}
    for row in list(rows)[:MOST_ROWS]:
        if row.note:
            said.setdefault(row.note, {})[f"{row.area_name or row.area_key} {row.period}"] = None
    if said:
        yield ""
    for note, named in said.items():
        yield printable(f"{words.listed(list(named), _NAMED)}: {note}")
