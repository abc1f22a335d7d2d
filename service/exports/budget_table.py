"""The budget's table in the report: expected spending and Steuerungseffekt, Nettoeffekte forecast and actual."""

from collections.abc import Sequence

from geodata.controlling_budget_question import BudgetRow
from service.exports.lines import AMOUNT, PERCENT, SHARE, SIGNED_AMOUNT, difference
from service.exports.parts import At, Cell, Formula, Group, Key, Line, Look, Ref, Table

_STEERING: tuple[tuple[str, str, Look], ...] = (
    ("spending_eur", "Ausgaben in €", AMOUNT),
    ("fee_increase_since_pct", "Steigerung der Entgelte seit dem Basisjahr, addiert", PERCENT),
    ("expected_eur", "Erwartete Ausgaben in €", AMOUNT),
    ("steering_effect_eur", "Steuerungseffekt in €", SIGNED_AMOUNT),
    ("reduced_uma_eur", "Minderausgaben UMA in €", SIGNED_AMOUNT),
    (
        "steering_effect_net_eur",
        "Steuerungseffekt nach Abzug der UMA-Minderausgaben in € (eigene Berechnung)",
        SIGNED_AMOUNT,
    ),
    ("budget_use", "Ausschöpfungsgrad", SHARE),
)
_EFFECTS: tuple[tuple[str, str, Look], ...] = (
    ("reduced_growth_eur", "Verminderter Ausgabenzuwachs in €", SIGNED_AMOUNT),
    ("staff_cost_eur", "Personalkosten in €", AMOUNT),
    ("prevention_cost_eur", "Präventionskosten in €", AMOUNT),
    ("base_effect_eur", "Basiseffekt in €", SIGNED_AMOUNT),
    ("net_effect_eur", "Nettoeffekt in €", SIGNED_AMOUNT),
    ("cumulated_reduced_growth_eur", "Verminderter Ausgabenzuwachs in €, kumuliert", SIGNED_AMOUNT),
    ("cumulated_net_effect_eur", "Nettoeffekt in €, kumuliert", SIGNED_AMOUNT),
)
_FORECAST = "forecast_"
_MARKED = frozenset({"spending_eur", "expected_eur", "steering_effect_eur", "steering_effect_net_eur", "budget_use"})


def of_budget(rows: Sequence[BudgetRow], name: str) -> Table | None:
    """Return the budget of one area by year; None where nothing but its spending is known."""
    spent_ahead = (f"{_FORECAST}spending_eur", "Prognose der Ausgaben in €", AMOUNT)
    ahead = tuple((f"{_FORECAST}{column}", title, look) for column, title, look in _EFFECTS)
    apart = ("net_effect_difference_eur", "Nettoeffekt, Abstand zur Prognose in €", SIGNED_AMOUNT)
    parts = (
        ("Erwartete Ausgaben und Steuerungseffekt", _STEERING),
        ("Nettoeffekt: Prognose", (spent_ahead, *ahead)),
        ("Nettoeffekt: Ist", (*_EFFECTS, apart)),
    )
    groups = [
        Group(title, tuple(line for column in columns if not (line := _line(rows, *column)).empty()))
        for title, columns in parts
    ]
    known = tuple(group for group in groups if group.lines)
    if not any(line.key[0] != "spending_eur" for group in known for line in group.lines):
        return None
    base = rows[0].base
    said = f"Budget und Wirkungen (Basisjahr {base})" if base else "Budget und Wirkungen"
    return Table(name, said, tuple(row.period for row in rows), known, base)


def _line(rows: Sequence[BudgetRow], column: str, title: str, look: Look) -> Line:
    cells = []
    for row in rows:
        value: float | None = getattr(row, column)
        marked = row.flag if column in _MARKED and value is not None else "ok"
        cells.append(Cell(value, suppressed=column in row.suppressed_fields, flag=marked))
    return Line(_key(column), title, look, tuple(cells), _formulas(column))


def _formulas(column: str) -> tuple[Formula, ...]:
    prefix = _FORECAST if column.startswith(_FORECAST) else ""
    plain = column.removeprefix(prefix)
    if plain == "net_effect_eur":
        names = ("reduced_growth_eur", "staff_cost_eur", "prevention_cost_eur", "base_effect_eur")
        refs = tuple(Ref(_key(prefix + name)) for name in names)
        return (Formula("{0}-{1}-{2}+{3}", refs, lambda growth, staff, care, base: growth - staff - care + base),)
    if plain.startswith("cumulated_"):
        now, before = Ref(_key(prefix + plain.removeprefix("cumulated_"))), Ref(_key(column), At.BEFORE)
        # The first year there is has nothing before it.
        return (
            Formula("{0}+{1}", (before, now), lambda so_far, more: so_far + more),
            Formula("{0}", (now,), lambda first: first),
        )
    made = _OF_COLUMNS.get(column)
    return (made,) if made else ()


def _key(column: str) -> Key:
    return (column, "")


_OF_COLUMNS = {
    "expected_eur": Formula(
        "{0}*(1+{1})",
        (Ref(_key("spending_eur"), At.BASE), Ref(_key("fee_increase_since_pct"))),
        lambda spent, more: spent * (1 + more),
    ),
    "steering_effect_eur": difference(_key("spending_eur"), _key("expected_eur")),
    "steering_effect_net_eur": Formula(
        "{0}+{1}",
        (Ref(_key("steering_effect_eur")), Ref(_key("reduced_uma_eur"))),
        lambda effect, less: effect + less,
    ),
    "reduced_growth_eur": difference(_key(f"{_FORECAST}spending_eur"), _key("spending_eur")),
    "net_effect_difference_eur": difference(_key("net_effect_eur"), _key(f"{_FORECAST}net_effect_eur")),
}
