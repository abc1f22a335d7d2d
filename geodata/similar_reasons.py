"""Which areas are alike, in German sentences with the numbers in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geodata import words
from geodata.similar import SimilarRow

_NAMED = 3
# Below this an area differs in nothing that could be named.
_LEAST_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class Named:
    """An indicator as a reader knows it: values times ``factor`` are in ``unit`` ("": none is written)."""

    title: str
    factor: float = 1.0
    unit: str = ""


def headline(name: str, rows: Sequence[SimilarRow]) -> str:
    """Return which areas are most like one (``name``); ``rows`` nearest first."""
    if not rows:
        return f"Zu {name} gibt es auf dieser Ebene kein vergleichbares Gebiet: Allen anderen fehlen Werte."
    first = rows[0]
    nearest = f"{first.area_name} (Abstand {words.number(first.distance, 2)})"
    others = words.listed([row.area_name for row in rows[1:_NAMED]])
    then = f", gefolgt von {others}" if others else ""
    return f"{name} ähnelt am meisten {nearest}{then}."


def difference(row: SimilarRow, named: Mapping[str, Named]) -> str:
    """Return in what an area differs most from the one asked about; ``named``: the indicators by their names."""
    name, share = max(row.contributions.items(), key=lambda pair: pair[1], default=("", 0.0))
    if share < _LEAST_SHARE:
        return "kein Unterschied"
    own, here = row.own_values[name], row.values[name]
    way = "höher" if here > own else "niedriger"
    meant = named.get(name, Named(name))
    apart = words.plain(abs(here - own) * meant.factor, 1)
    points = "" if meant.unit != "%" else " Prozentpunkt" if apart == "1" else " Prozentpunkte"
    return f"{meant.title}: {apart}{points} {way}{_part(row, share)}"


def _part(row: SimilarRow, share: float) -> str:
    """Return how much of the distance that is, where there is more than one indicator."""
    return f" ({words.percent(share, 0)} des Abstands)" if len(row.contributions) > 1 else ""
