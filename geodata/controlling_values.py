"""The values that controlling works with: a number and how it was counted, or the reason why there is none.

Missing is not zero: whatever is made from a value that is missing or suppressed is missing or suppressed too and
carries its reason on. What was counted differently is not compared; the reason says what differs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite

from geodata.figure_tables import FLAGS
from geodata.periods import Period, spoken

WITHOUT_VALUE = frozenset({"suppressed", "missing"})
_COUNTING_WORDS: dict[str | None, str] = {
    "stichtag": "am Stichtag",
    "mittel_12_stichtage": "als Mittel aus zwölf Stichtagen",
    "kumuliert": "kumuliert",
    "begonnen": "begonnene",
    "beendet": "beendete",
    None: "ohne Angabe",
}
_SPANS = {4: "Jahr", 7: "Monat", 10: "Tag"}


@dataclass(frozen=True, slots=True)
class Basis:
    """How a number came about.

    ``period``: what it is for. ``counting`` and ``unit``: as the ``dataset`` says, None if it says nothing.
    ``composition``: the codes of the Hilfearten in a group, None for anything that is no group. ``scope``: what is in
    and out, in the dataset's words. ``since``: of a change, the period it is counted from.
    """

    period: Period
    dataset: str | None = None
    counting: str | None = None
    unit: str | None = None
    composition: frozenset[str] | None = None
    scope: str | None = None
    since: Period | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, or none and why.

    ``flag`` is one of ``figure_tables.FLAGS``. Exactly where it is ``suppressed`` or ``missing`` there is no ``value``,
    and a ``reason``: a German sentence. ``notes``: German sentences that belong to the value. ``basis`` None: a plain
    amount, of which nobody says how it was counted. Raises ``ValueError`` where these contradict each other.
    """

    value: float | None
    flag: str = "ok"
    reason: str | None = None
    basis: Basis | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.flag not in FLAGS:
            raise ValueError(f"unknown flag {self.flag!r}")
        without = self.flag in WITHOUT_VALUE
        if without != (self.value is None) or without != (self.reason is not None):
            raise ValueError("a value, or a reason and a flag that says so")
        if self.value is not None and not isfinite(self.value):
            raise ValueError("the value is not finite")


def observed(value: float | None, flag: str, what: str, basis: Basis | None = None) -> Figure:
    """Return an observation as a figure; ``what`` names it in the reason for a missing one ("Fallzahl 2014")."""
    if value is not None:
        return Figure(value, flag, basis=basis)
    return absent(what, suppressed=flag == "suppressed", basis=basis)


def absent(what: str, *, suppressed: bool = False, basis: Basis | None = None) -> Figure:
    """Return the figure of something that nobody states, or that is suppressed."""
    if suppressed:
        return Figure(None, "suppressed", f"{what}: zum Schutz der Betroffenen unterdrückt (•).", basis)
    return Figure(None, "missing", f"{what}: keine Angabe.", basis)


def refused(reason: str, *parts: Figure, basis: Basis | None = None) -> Figure:
    """Return the figure of what cannot be made from these parts.

    It counts as suppressed where a part is: the reason must not tell what the part would be.
    """
    return Figure(None, "suppressed" if _suppressed(parts) else "missing", reason, basis)


def computed(
    make: Callable[..., float], *parts: Figure, basis: Basis | None = None, notes: tuple[str, ...] = ()
) -> Figure:
    """Return what ``make`` makes of the parts' values; without all of them a missing figure with their reasons.

    The result is suppressed where a part is, else missing where one is, else estimated, else provisional. The parts'
    notes are kept, those given follow.
    """
    reasons = dict.fromkeys(part.reason for part in parts if part.reason is not None)
    if reasons:
        return refused(" ".join(reasons), *parts, basis=basis)
    try:
        made = make(*(part.value for part in parts))
    except OverflowError:
        made = float("inf")
    if not isfinite(made):
        return refused("Die Zahl ist zu groß und lässt sich nicht berechnen.", basis=basis)
    flags = {part.flag for part in parts}
    flag = next((flag for flag in ("estimated", "provisional") if flag in flags), "ok")
    said = dict.fromkeys((*(note for part in parts for note in part.notes), *notes))
    return Figure(made, flag, basis=basis, notes=tuple(said))


def divided(numerator: Figure, denominator: Figure, factor: float, empty: str, notes: tuple[str, ...] = ()) -> Figure:
    """Return numerator ÷ denominator × factor, counted as the numerator is.

    ``empty``: the reason where the denominator is 0 (or below, which is no denominator either).
    """
    if denominator.value is not None and numerator.value is not None and denominator.value <= 0:
        return refused(empty, basis=numerator.basis)
    return computed(
        lambda over, under: over / under * factor, numerator, denominator, basis=numerator.basis, notes=notes
    )


def incomparable(one: Figure, other: Figure) -> str | None:
    """Return why two figures must not be set against each other (a German sentence), None if they may.

    They must be counted alike, in the same unit, of a group of the same Hilfearten, over spans of equal length (key
    dates have none). What nobody says the counting of is comparable within its dataset only, which counts in one way.
    Two plain amounts are comparable.
    """
    if one.basis is None and other.basis is None:
        return None
    if one.basis is None or other.basis is None or not _counting_known(one.basis, other.basis):
        return "Wie gezählt wurde, ist nicht angegeben; solche Zahlen werden nicht verglichen."
    what = _difference(one.basis, other.basis)
    return what and f"{what}; die Zahlen werden nicht verglichen."


def _counting_known(mine: Basis, theirs: Basis) -> bool:
    same_dataset = mine.dataset is not None and mine.dataset == theirs.dataset
    return same_dataset or None not in {mine.counting, theirs.counting}


def _difference(mine: Basis, theirs: Basis) -> str | None:
    """Return in what two ways of counting differ, as a German main clause; None if in nothing."""
    if mine.counting != theirs.counting:
        return f"Gezählt ist verschieden ({' und '.join(_COUNTING_WORDS[b.counting] for b in (mine, theirs))})"
    if mine.unit != theirs.unit:
        return f"Gezählt ist Verschiedenes ({' und '.join(b.unit or 'ohne Angabe' for b in (mine, theirs))})"
    if mine.composition != theirs.composition:
        return "Die Gruppen bestehen aus verschiedenen Hilfearten"
    spans = [span_of(b.period) for b in (mine, theirs)]
    if mine.counting != "stichtag" and spans[0] != spans[1]:
        return f"Die Zeiträume sind verschieden lang ({' und '.join(spans)})"
    return None


def other_time(one: Figure, other: Figure) -> str | None:
    """Return the reason why two figures are not for the same period (of changes: since the same), None if they are."""
    if one.basis is None or other.basis is None:
        return None
    for mine, theirs in ((one.basis.period, other.basis.period), (one.basis.since, other.basis.since)):
        if mine != theirs:
            periods = " und ".join(spoken(period.text) if period else "ohne Angabe" for period in (mine, theirs))
            return f"Die Zahlen gehören zu verschiedenen Zeiträumen ({periods}) und werden nicht verglichen."
    return None


def other_scope(one: Figure, other: Figure) -> tuple[str, ...]:
    """Return the footnote for two figures whose datasets leave different things out; nothing where they do not."""
    if one.basis is None or other.basis is None or one.basis.scope == other.basis.scope:
        return ()
    return ("Was in den Zahlen enthalten ist, unterscheidet sich; bitte den Umfang der Bestände beachten.",)


def span_of(period: Period) -> str:
    """Return how long a period is, as a German noun."""
    if "-H" in period.text:
        return "Halbjahr"
    return "Quartal" if "-Q" in period.text else _SPANS[len(period.text)]


def with_notes(figure: Figure, *notes: str) -> Figure:
    """Return the figure with further footnotes, each once."""
    return replace(figure, notes=tuple(dict.fromkeys((*figure.notes, *notes))))


def _suppressed(parts: tuple[Figure, ...]) -> bool:
    return any(part.flag == "suppressed" for part in parts)
