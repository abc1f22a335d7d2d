"""Classes of a map of numbers: which value is drawn in which class, and how the classes are called in German.

The same classes go into the map, the picture, the legend and the sentence beside them.
"""

import math
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from geodata.words import number, plain
from layers.breaks import Breaks, breaks_of

Method: TypeAlias = Literal["quantile", "equal", "natural", "pretty", "stddev"]
METHODS: tuple[Method, ...] = get_args(Method)
METHOD_TITLES: Mapping[Method, str] = MappingProxyType(
    {
        "quantile": "gleich viele Gebiete je Klasse (Quantile)",
        "equal": "gleich breite Klassen",
        "natural": "natürliche Sprünge zwischen den Werten (Jenks)",
        "pretty": "runde Grenzen in gleichem Abstand",
        "stddev": "Abstand vom Mittelwert in Standardabweichungen",
    }
)
# About a middle, the methods class how far values lie from it.
_MIRRORED_TITLES: Mapping[Method, str] = MappingProxyType(
    {**METHOD_TITLES, "stddev": "Abstand von der Mitte in Standardabweichungen"}
)
FEWEST_CLASSES, MOST_CLASSES = 2, 9
_MOST_DECIMALS = 6

Member: TypeAlias = int | Literal["zero", "missing", "suppressed"]
"""Where a value is drawn: the position of its class, or one of the three kinds of nothing."""


@dataclass(frozen=True, slots=True)
class ValueClass:
    """One class: ``lower`` belongs to it, ``upper`` does not; at the ends of the scale None.

    ``count`` says how many areas lie in it. ``step`` is its signed distance from the middle of a diverging scale
    (0: around the middle itself), or None on a scale from few to many.
    """

    lower: float | None
    upper: float | None
    label: str
    count: int
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Classes:
    """All classes of a map; ``members`` has one entry per value given, in the same order.

    ``zero`` counts values of exactly 0, which have a class of their own, or is None where 0 is a value like others.
    ``decimals`` is how values are shown, ``steps`` the largest distance from the middle of a diverging scale (else 0).
    """

    method: Method
    ranges: tuple[ValueClass, ...]
    members: tuple[Member, ...]
    zero: int | None
    missing: int
    suppressed: int
    decimals: int
    steps: int
    sentence: str


def classify(
    values: Sequence[float | None],
    suppressed: Sequence[bool] | None = None,
    method: Method = "quantile",
    count: int = 5,
    *,
    diverging_at: float | None = None,
    decimals: int | None = None,
    zero_apart: bool = True,
) -> Classes:
    """Put values into at most ``count`` (2 to 9) classes; values are in the unit shown (percent, not fractions).

    A class holds its lower limit and not its upper one: "10 bis unter 20"; the first is "unter 10", the last "20 und
    mehr". Values are classed as they are shown, rounded half up to ``decimals`` (found from the values if None), so
    that no area contradicts its label; limits are then the roundest numbers that move no value into another class.
    None and NaN are missing. Where ``suppressed`` is true the value is never looked at: limits rest on visible values
    only. With ``zero_apart`` a value of exactly 0 has a class of its own. ``diverging_at`` makes classes mirrored
    about a value, equal distances in equal strength (of many values but for those at a limit itself); there are up to
    ``count`` + 1 then if ``count`` is odd.

    Raises ValueError for an unknown method, a count out of range, an infinite value or sequences of unequal length.
    """
    hidden = [False] * len(values) if suppressed is None else list(suppressed)
    if len(hidden) != len(values):
        raise ValueError("values and suppressed are of the same length")
    if method not in METHODS:
        raise ValueError(f"not a method of classing: {method!r}")
    if not FEWEST_CLASSES <= count <= MOST_CLASSES:
        raise ValueError(f"classes are {FEWEST_CLASSES} to {MOST_CLASSES}, not {count}")
    seen = [None if hide or value is None or math.isnan(value) else value
            for value, hide in zip(values, hidden, strict=True)]  # fmt: skip
    visible = [value for value in seen if value is not None]
    if any(math.isinf(value) for value in visible):
        raise ValueError("a value to be classed is finite")
    places = _decimals(visible) if decimals is None else decimals
    # A share of 0,04 % may be shown as 0,0 %, but it is not nothing: only a true 0 is in the class of zeros. Nor does
    # rounding lift what lies below 0, or below the middle, into a class above it.
    edges = [*([0.0] if zero_apart else []), *([] if diverging_at is None else [diverging_at])]
    rounded = [None if value is None else _unit(value, places) for value in seen]
    units = [None if unit is None else unit - _lifted(value, unit, edges, places)
             for value, unit in zip(seen, rounded, strict=True)]  # fmt: skip
    zeros = [zero_apart and value == 0 for value in seen]
    classed = [unit for unit, zero in zip(units, zeros, strict=True) if unit is not None and not zero]
    centre = None if diverging_at is None else _unit(diverging_at, places)
    limits = breaks_of(classed, method, count, centre)
    members: list[Member] = []
    for unit, hide, zero in zip(units, hidden, zeros, strict=True):
        if hide:
            members.append("suppressed")
        elif unit is None:
            members.append("missing")
        elif zero:
            members.append("zero")
        else:
            members.append(bisect_right(limits.breaks, unit))
    lowered = {unit for unit, shown in zip(units, rounded, strict=True) if unit is not None and unit != shown}
    ranges = _ranges(classed, limits, places, lowered, zero_apart=zero_apart)
    return Classes(
        method,
        ranges,
        tuple(members),
        members.count("zero") if zero_apart else None,
        members.count("missing"),
        members.count("suppressed"),
        places,
        max((abs(step) for step in limits.steps or ()), default=0),
        _sentence(
            method,
            [unit for unit, zero in zip(rounded, zeros, strict=True) if unit is not None and not zero],
            len(ranges),
            count,
            places,
            diverging_at,
            single=limits.single and len(ranges) > 1,
            zeros=any(zeros),
        ),
    )


def _unit(value: float, decimals: int) -> int:
    """Return a value in units of its last decimal, rounded as geodata.words.number shows it."""
    return int(Decimal(repr(float(value))).scaleb(decimals).quantize(Decimal(1), ROUND_HALF_UP))


def _lifted(value: float | None, unit: int | None, edges: Sequence[float], decimals: int) -> bool:
    """Return whether rounding moves a value from below one of the edges onto it."""
    return value is not None and any(value < edge and unit == _unit(edge, decimals) for edge in edges)


def _decimals(values: Sequence[float]) -> int:
    """Return how many decimals show the values well: none for whole numbers, else about three digits of their range."""
    if all(float(value).is_integer() for value in values):
        return 0
    spread = max(values) - min(values) or max(abs(value) for value in values)
    return min(_MOST_DECIMALS, max(0, 2 - math.floor(math.log10(spread))))


def _ranges(
    classed: Sequence[int], limits: Breaks, decimals: int, lowered: Collection[int], *, zero_apart: bool
) -> tuple[ValueClass, ...]:
    """Return the classes between the breaks; without any value there is none.

    ``lowered`` are units that stand for values shown otherwise: no class is called after one of them.
    """
    if not classed:
        return ()
    breaks, steps = limits.breaks, limits.steps
    groups: list[list[int]] = [[] for _ in range(len(breaks) + 1)]
    for unit in classed:
        groups[bisect_right(breaks, unit)].append(unit)
    scale = 10**decimals
    ends: list[int | None] = [None, *breaks, None]
    shown = 0 if all(limit % scale == 0 for limit in breaks) else decimals
    return tuple(
        ValueClass(
            None if (lower := ends[at]) is None else lower / scale,
            None if (upper := ends[at + 1]) is None else upper / scale,
            number(group[0] / scale, decimals)
            if limits.single and group[0] not in lowered
            else _label(lower, upper, group, (decimals, shown), lowered, zero_apart=zero_apart),
            len(group),
            steps[at] if steps else None,
        )
        for at, group in enumerate(groups)
    )


def _label(
    lower: int | None,
    upper: int | None,
    group: list[int],
    decimals: tuple[int, int],
    lowered: Collection[int],
    *,
    zero_apart: bool,
) -> str:
    """Return what a class is called; one that can hold a single number, or that is the only one, by its values."""
    full, short = decimals

    def text(unit: int, places: int = short) -> str:
        return number(unit / 10**full, places)

    alone = len(set(group)) == 1 and (lower is None or lower == group[0]) and (upper is None or upper == group[0] + 1)
    if alone and group[0] not in lowered:
        return text(group[0], full)
    if lower is None and upper is None:
        return f"{text(min(group), full)} bis {text(max(group), full)}"
    # Zeros have a class of their own: one that begins at 0 holds what is more, one that spans 0 has a hole there.
    more = zero_apart and (lower == 0 or (lower is None and bool(group) and min(group) >= 0))
    hole = zero_apart and not more and (lower is None or lower < 0) and (upper is None or upper > 0)
    tail = " (ohne 0)" if hole else ""
    if upper is None:
        return f"{'über 0' if more or lower is None else f'{text(lower)} und mehr'}{tail}"
    if more or (lower is None and bool(group) and min(group) == 0):
        return f"{'über 0' if more else '0'} bis unter {text(upper)}"
    begin = "" if lower is None else f"{text(lower)} bis "
    return f"{begin}unter {text(upper)}{tail}"


def _sentence(
    method: Method,
    classed: Sequence[int],
    made: int,
    asked: int,
    decimals: int,
    diverging_at: float | None,
    *,
    single: bool,
    zeros: bool,
) -> str:
    """Return in one German sentence how the classes were made."""
    if not classed:
        return "Es gibt keine Werte, die sich in Klassen einteilen lassen."
    low, high = (number(end / 10**decimals, decimals) for end in (min(classed), max(classed)))
    apart = ["Gebiete mit 0 in eigener Klasse"] if zeros else []
    if single:
        return "; ".join([f"{made} Klassen: jeder Wert eine Klasse", *apart, f"Werte von {low} bis {high}"]) + "."
    fewer = f" statt {asked}" if made < asked and diverging_at is None and method != "pretty" else ""
    parts = [f"{'Eine' if made == 1 else made}{fewer} {'Klasse' if made == 1 and not fewer else 'Klassen'}"]
    if low != high:
        parts[0] += f": {METHOD_TITLES[method] if diverging_at is None else _MIRRORED_TITLES[method]}"
    if diverging_at is not None:
        parts.append(f"spiegelbildlich um {plain(diverging_at, decimals)}")
    parts += apart
    if method != "pretty":
        parts.append("Grenzen gerundet")
    parts += [
        "die untere Grenze gehört zur Klasse",
        f"Werte von {low} bis {high}" if low != high else f"alle Werte {low}",
    ]
    return f"{'; '.join(parts)}."
