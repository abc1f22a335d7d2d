"""Numbers and lists as German sentences write them."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

_MOST_DECIMALS = 6


def number(value: float, decimals: int = 0) -> str:
    """Return a number with a dot between thousands and a decimal comma (``1.234,5``); −0 is 0.

    Halves are rounded away from zero, as a reader with a pencil does.
    """
    # By its shortest decimal form: 0.285 is meant as 0.285, not as the binary fraction just below.
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{abs(rounded):,.{decimals}f}".translate(str.maketrans(",.", ".,"))
    return f"−{text}" if rounded < 0 else text


def not_nought(value: float, decimals: int = 0) -> str:
    """Return a number, with more decimals if it would else be written as 0 without being it (``0,4``, not ``0``)."""
    return number(value, telling_decimals(value, decimals))


def telling_decimals(value: float, decimals: int) -> int:
    """Return how many decimals, at least so many, tell a value from 0."""
    while value and decimals < _MOST_DECIMALS and not number(value, decimals).strip("0,"):
        decimals += 1
    return decimals


def plain(value: float, most_decimals: int = 2) -> str:
    """Return a number with as many decimals as it needs, at most so many (``30``, ``37,5``)."""
    text = number(value, most_decimals)
    return text.rstrip("0").rstrip(",") if "," in text else text


def percent(share: float, decimals: int = 1) -> str:
    """Return a share (0 to 1) in percent (``53,2 %``)."""
    return f"{number(100 * share, decimals)}\N{NO-BREAK SPACE}%"


def listed(words: Sequence[str], most: int | None = None) -> str:
    """Return words joined as a sentence does (``A, B und C``); beyond ``most`` the rest is counted."""
    if most is not None and len(words) > most:
        return f"{', '.join(words[:most])} und {len(words) - most} weitere"
    return " und ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def counted(count: int, one: str, several: str) -> str:
    """Return a count with its noun (``eine Einrichtung``, ``3 Einrichtungen``); ``one`` carries its article."""
    return one if count == 1 else f"{number(count)} {several}"
