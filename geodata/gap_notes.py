"""What stands under an answer about gaps: method, unit and warnings, in German."""

from collections.abc import Iterator, Sequence

from geodata import words
from geodata.coverage.request import CoverageRequest
from geodata.gap_ranks import STANDARD_MOVES, WEIGHT_MOVES
from geodata.gap_request import Asked
from geodata.indicator_values import IndicatorValues
from geodata.periods import spoken
from geodata.standards import UNIT_WORDS, value_in_words

_NAMED = 5
_STANDARD_MOVE = words.percent(max(STANDARD_MOVES) - 1, 0)
_WEIGHT_MOVE = words.percent(max(WEIGHT_MOVES) - 1, 0)


def unit(request: CoverageRequest) -> str:
    """Return the unit of what is needed and missing."""
    if request.measure == "reach":
        return "Personen"
    return UNIT_WORDS[request.supply_unit][1]


def method(asked: Asked, found: Sequence[IndicatorValues], covered: str) -> str:
    """Return how was computed, in one sentence; what is said of the coverage stands at its end."""
    request = asked.coverage
    demand = _value(asked)
    there = {
        "supply": "Bestand",
        "reach": "Zahl der Erreichten",
        "catchment": "Erreichbares (erreichbare Kapazität je 1.000 mal Einwohner)",
    }
    priority = "der nach Einwohnern gewichtete z-Wert des Fehlbedarfs je 1.000"
    moves = f"der Richtwert um {_STANDARD_MOVE} steigt oder fällt"
    index = ""
    if found:
        priority += f" plus {words.plain(asked.need_weight, 2)} mal Bedarfsindex"
        total = sum(one.weight for one in asked.need)
        parts = [
            f"„{_title(values)}“ {words.plain(100 * one.weight / total, 1)}\N{NO-BREAK SPACE}%"
            f"{'' if one.direction > 0 else ' (ein niedriger Wert zählt als Bedarf)'}"
            for one, values in zip(asked.need, found, strict=True)
        ]
        index = f"; Bedarfsindex ist das gewichtete Mittel der z-Werte von {words.listed(parts)}"
        if asked.need_weight:
            moves = (
                f"der Richtwert um {_STANDARD_MOVE} und die Gewichte um {_WEIGHT_MOVE} steigen oder fallen, einzeln "
                "und zusammen"
            )
    return (
        f"Nötig ist der Richtwert ({demand}) mal Einwohner, Fehlbedarf das Nötige minus {there[request.measure]}, "
        f"mindestens 0; Priorität ist {priority}{index}; Rang 1 hat die höchste Priorität, verglichen werden nur die "
        f"Gebiete dieser Antwort; die Spanne der Ränge gilt, wenn {moves}; zum Bestand: "
        f"{covered}"
    )


def _value(asked: Asked) -> str:
    request = asked.coverage
    within = None if request.measure == "supply" else request.minutes
    unit = "share" if request.measure == "reach" else request.supply_unit
    return value_in_words(request.measure, asked.value, unit, within)


def _title(values: IndicatorValues) -> str:
    position = f", {values.position_title}" if values.position_title else ""
    return f"{values.info.title}{position} ({spoken(values.period)})"


def warnings(
    asked: Asked, areas: Sequence[tuple[str, int | None, int | None]], found: Sequence[IndicatorValues], level: str
) -> Iterator[str]:
    """Yield where the standard comes from, how far the ranks are to be trusted, and what is not ranked.

    ``areas``: name, best and worst rank (None: not ranked) of each area of the answer; ``level``: its level's title.
    """
    if asked.stored is not None:
        yield asked.stored.sentence()
    else:
        yield f"Richtwert ({_value(asked)}): als Annahme eingegeben, ohne Beschluss."
    ranked = [(low, high) for _name, low, high in areas if low is not None]
    if not ranked:
        yield f"Auf der Ebene {level} lässt sich kein Gebiet einordnen."
    else:
        moves = f"Richtwert ± {_STANDARD_MOVE}" + (f", Gewichte ± {_WEIGHT_MOVE}" if asked.need_weight else "")
        stable = sum(low == high for low, high in ranked)
        yield (
            f"{words.number(stable)} von {words.number(len(ranked))} Rängen "
            f"{'bleibt' if stable == 1 else 'bleiben'} auch bei veränderten Annahmen gleich ({moves})."
        )
        if asked.coverage.measure == "reach" and asked.value * max(STANDARD_MOVES) > 1:
            yield f"Bei der Spanne der Ränge wird der Richtwert nicht über {words.percent(1, 0)} angehoben."
    left = [name for name, low, _high in areas if low is None]
    if ranked and left:
        yield (
            f"{words.counted(len(left), 'Ein Gebiet ist', 'Gebiete sind')} nicht eingeordnet, der Grund steht in der "
            f"Zeile: {words.listed(left, _NAMED)}."
        )
    for values in found:
        if values.info.kind == "count":
            yield (
                f"„{values.info.title}“ ist eine Anzahl, kein Anteil: Gebiete mit vielen Einwohnern gelten damit als "
                "bedürftiger."
            )
        if values.from_coarser:
            yield (
                f"„{values.info.title}“ gibt es nur für größere Gebiete: Innerhalb eines solchen unterscheiden sich "
                "die Werte kaum, und der Bedarfsindex mit ihnen."
            )
        if values.note:
            yield values.note
