"""What answers of controlling say in a few German sentences: where a figure is highest, who is over the target."""

from collections.abc import Callable, Mapping

from geodata import words
from geodata.controlling_budget_question import BudgetRow
from geodata.periods import within

_NAMED = 7
_MILLION = 1e6


def extremes_sentence(
    title: str, period: str, values: Mapping[str, float], write: Callable[[float], str], city: tuple[str, float] | None
) -> str | None:
    """Return where a measure is highest and lowest in a period, beside the city's; None where nothing is known.

    ``values``: by area, only of those whose figure is shown; ``write`` writes one. Equal ones, as written, are named
    together.
    """
    when = within(period)
    if not values:
        return f"{title} {when}: {city[0]} {write(city[1])}." if city else None
    beside = f" {city[0]}: {write(city[1])}." if city else ""
    if len(values) == 1:
        ((name, value),) = values.items()
        return f"{title} {when}: {name} {write(value)}.{beside}"
    high, low = write(max(values.values())), write(min(values.values()))
    if high == low:
        return f"{title} {when}: überall {high}.{beside}"
    most, least = (
        words.listed([name for name, value in values.items() if write(value) == wanted], _NAMED)
        for wanted in (high, low)
    )
    return f"{title} {when}: am höchsten in {most} ({high}), am niedrigsten in {least} ({low}).{beside}"


def target_sentence(
    period: str, base: str | None, growth: float, amounts: Mapping[str, tuple[float, float]]
) -> str | None:
    """Return which areas spend more than their Zielschwelle; None where it is known of none.

    ``amounts``: by area, spending and Zielschwelle in €; ``growth`` is a fraction (0.04).
    """
    if not amounts or base is None or base == period:
        return None
    over = [name for name, (spent, target) in amounts.items() if spent > target]
    what = f"der Zielschwelle (Ausgaben {within(base)} plus {words.plain(100 * growth)}\N{NO-BREAK SPACE}% je Jahr)"
    when = within(period, start=True)
    if len(amounts) == 1:
        ((name, (spent, target)),) = amounts.items()
        away = f"{words.number(abs(spent - target) / _MILLION, 2)} Mio. €"
        return f"{when} liegen die Ausgaben von {name} um {away} {'über' if over else 'unter'} {what}."
    if not over:
        return f"{when} liegt keines der {len(amounts)} Gebiete mit Angaben über {what}."
    areas = "liegt eines" if len(over) == 1 else f"liegen {len(over)}"
    return f"{when} {areas} von {len(amounts)} Gebieten über {what}: {words.listed(over, _NAMED)}."


def budget_sentences(rows: list[BudgetRow]) -> list[str]:
    """Return the last Steuerungseffekt and the last net effect that are known, the forecast beside it."""
    found = []
    steered = next((row for row in reversed(rows) if row.steering_effect_eur is not None and row.period != row.base),
                   None)  # fmt: skip
    if steered is not None and steered.steering_effect_eur is not None:
        less = "weniger" if steered.steering_effect_eur < 0 else "mehr"
        said = f"{steered.period} wurden {_millions(abs(steered.steering_effect_eur))} {less} ausgegeben als erwartet"
        net = steered.steering_effect_net_eur
        if net is not None:
            said += (
                f"; nach Abzug der UMA-Minderausgaben sind es {_millions(abs(net))} {'weniger' if net < 0 else 'mehr'}"
            )
        found.append(f"{said}.")
    told = next((row for row in reversed(rows) if row.cumulated_net_effect_eur is not None), None)
    ahead = next((row for row in reversed(rows) if row.forecast_cumulated_net_effect_eur is not None), None)
    if told is not None and told.cumulated_net_effect_eur is not None:
        said = f"Nettoeffekt bis {told.period}: {_millions(told.cumulated_net_effect_eur)}"
        if told.forecast_cumulated_net_effect_eur is not None:
            said += f"; vorhergesagt waren {_millions(told.forecast_cumulated_net_effect_eur)}"
        found.append(f"{said}.")
    elif ahead is not None and ahead.forecast_cumulated_net_effect_eur is not None:
        found.append(
            f"Vorhergesagter Nettoeffekt bis {ahead.period}: {_millions(ahead.forecast_cumulated_net_effect_eur)}; ein "
            "tatsächlicher ist nicht angegeben."
        )
    return found


def _millions(amount: float) -> str:
    return f"{words.number(amount / _MILLION, 2)} Mio. €"
