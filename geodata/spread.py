"""What a row of figures says in a sentence: where they are highest and lowest, how many rise and how many fall."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from geodata import words

_NAMED = 3


@dataclass(frozen=True, slots=True)
class NamedFigure:
    """An area's name and figure in the unit shown; None: missing. A suppressed one's value is never looked at."""

    name: str
    value: float | None
    suppressed: bool = False

    @property
    def known(self) -> float | None:
        """The figure as far as it may be told."""
        return None if self.suppressed else self.value


def with_unit(value: float, decimals: int, unit: str) -> str:
    """Return a figure with its unit (``12,5 %``, ``1.204 Personen``)."""
    return f"{words.number(value, decimals)}{f'{chr(0xA0)}{unit}' if unit else ''}"


def spread(figures: Sequence[NamedFigure], unit: str, decimals: int) -> str:
    """Return where the figures are highest and lowest, and how many areas have one; figures count as they are shown."""
    known = [(one.known, one.name) for one in figures if one.known is not None]
    if not known:
        return "Für kein Gebiet gibt es hier einen Wert, der gezeigt werden kann."
    if len(known) == 1:
        value, name = known[0]
        return f"In {name} ist der Wert {with_unit(value, decimals, unit)}. {_known(figures, 1)}".rstrip()
    high, low = (_at_end(known, end, decimals) for end in (max, min))
    if high[0] == low[0]:
        said = f"In allen Gebieten mit Wert ist er gleich: {with_unit(high[0], decimals, unit)}."
        return f"{said} {_known(figures, len(known))}"
    return (
        f"Am höchsten ist der Wert in {high[1]} ({with_unit(high[0], decimals, unit)}), am niedrigsten in {low[1]} "
        f"({with_unit(low[0], decimals, unit)}). {_known(figures, len(known))}"
    )


def spread_of_change(figures: Sequence[NamedFigure], unit: str, decimals: int, since: str) -> str:
    """Return in how many areas the figure rose and fell since a period, and where most."""
    known = [(one.known, one.name) for one in figures if one.known is not None]
    if not known:
        return f"Für kein Gebiet gibt es für beide Zeiträume einen Wert; was sich seit {since} verändert hat, fehlt."
    shown = [_rounded(value, decimals) for value, _name in known]
    rose, fell = (sum(value > 0 for value in shown), sum(value < 0 for value in shown))
    same = len(shown) - rose - fell
    counts = f"Seit {since} ist der Wert in {_areas(rose)} gestiegen, in {_areas(fell)} gesunken"
    counts += f" und in {_areas(same)} gleich geblieben." if same else "."
    ends = []
    if rose:
        value, names = _at_end(known, max, decimals)
        ends.append(f"am stärksten gestiegen in {names} (+{with_unit(value, decimals, unit)})")
    if fell:
        value, names = _at_end(known, min, decimals)
        ends.append(f"am stärksten gesunken in {names} ({with_unit(value, decimals, unit)})")
    most = words.listed(ends)
    said = f" {most[0].upper()}{most[1:]}." if most else ""
    return f"{counts}{said} {_known(figures, len(known))}"


def _rounded(value: float, decimals: int) -> float:
    """Return a value as ``words.number`` shows it, to be compared."""
    return float(words.number(value, decimals).replace(".", "").replace(",", ".").replace("−", "-"))


def _at_end(
    known: Sequence[tuple[float, str]], end: Callable[[Sequence[float]], float], decimals: int
) -> tuple[float, str]:
    """Return the highest or lowest figure as shown, and who has it."""
    shown = [_rounded(value, decimals) for value, _name in known]
    value = end(shown)
    names = [name for one, (_value, name) in zip(shown, known, strict=True) if one == value]
    return value, words.listed(names) if len(names) <= _NAMED else _areas(len(names))


def _areas(count: int) -> str:
    return words.counted(count, "einem Gebiet", "Gebieten")


def _known(figures: Sequence[NamedFigure], known: int) -> str:
    """Return how many areas have a figure, and why others have none."""
    if known == len(figures):
        return ""
    hidden = sum(one.suppressed for one in figures)
    missing = len(figures) - known - hidden
    why = []
    if missing:
        why.append(f"bei {_of(missing)} fehlt er")
    if hidden:
        why.append(f"bei {_of(hidden)} ist er unterdrückt")
    there = words.number(known)
    return f"{there} von {_areas(len(figures))} {'hat' if known == 1 else 'haben'} einen Wert; {words.listed(why)}."


def _of(count: int) -> str:
    return "einem" if count == 1 else words.number(count)
