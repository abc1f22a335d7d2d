"""How far a rank can be trusted: the range it takes when the assumptions move, in one word.

A rank is "fest" where the range is the rank itself, "stabil" where it moves by at most a tenth of the ranked areas (at
least three ranks), else "unsicher". The thresholds are conventions of ours, said in ``RULE`` wherever the words are.
"""

from collections.abc import Sequence
from itertools import groupby

from geodata import words
from geodata.figure_tables import WITHOUT_AREA
from geodata.gaps import GapRow

_SHARE, _LEAST = 0.1, 3
_NAMED = 3
RULE = (
    "Ein Rang heißt fest, wenn er bei veränderten Annahmen gleich bleibt, stabil, wenn er sich um höchstens ein "
    "Zehntel der eingeordneten Gebiete (mindestens drei Ränge) verschiebt, sonst unsicher."
)


def steadiness(row: GapRow, ranked: int) -> str | None:
    """Return how far an area's rank among so many is to be trusted; None: it has none."""
    if row.rank is None or row.rank_low is None or row.rank_high is None:
        return None
    if row.rank_low == row.rank_high:
        return "fest"
    moves = max(row.rank - row.rank_low, row.rank_high - row.rank)
    return "stabil" if moves <= max(_LEAST, _SHARE * ranked) else "unsicher"


def in_words(rows: Sequence[GapRow], *, weighed: bool) -> str:
    """Return what the ranking says: how many areas lack something, which come first, how many ranks can be trusted.

    ``weighed``: ranks also tell of need, so that an area may come first which lacks nothing itself.
    """
    areas = [row for row in rows if row.area_key != WITHOUT_AREA]
    ranked = [row for row in areas if row.rank is not None]
    if not ranked:
        return "Kein Gebiet lässt sich einordnen; warum, steht in jeder Zeile."
    lacking = [row for row in ranked if row.deficit]
    if len(ranked) == 1:
        short = "etwas" if lacking else "nichts"
        return f"Eingeordnet ist nur {ranked[0].area_name}; dort fehlt {short} gegenüber dem Richtwert."
    if not lacking:
        return "In keinem der eingeordneten Gebiete fehlt etwas gegenüber dem Richtwert."
    count = "allen" if len(lacking) == len(ranked) else f"{_of(len(lacking), 'einem')} von"
    known = [steadiness(row, len(ranked)) for row in ranked]
    return (
        f"In {count} {words.number(len(ranked))} Gebieten fehlt etwas gegenüber dem Richtwert. "
        f"{_first(ranked if weighed else lacking)} "
        f"{_sure(sum(one != 'unsicher' for one in known), len(ranked))} auch bei veränderten Annahmen fest oder stabil."
    )


def _first(rows: Sequence[GapRow]) -> str:
    """Return which areas come first; those of one rank together."""
    named: list[list[str]] = []
    for _rank, of_rank in groupby(rows, key=lambda row: row.rank):
        if sum(map(len, named)) >= _NAMED:
            break
        named.append([row.area_name for row in of_rank])
    said = ", dann ".join(
        names[0] if len(names) == 1 else f"gleichauf {words.listed(names) if len(names) <= _NAMED else _many(names)}"
        for names in named
    )
    return f"An erster Stelle {'steht' if len(named[0]) == 1 else 'stehen'} {said}."


def _many(names: Sequence[str]) -> str:
    return f"{words.number(len(names))} Gebiete"


def _sure(sure: int, ranked: int) -> str:
    if sure in {0, ranked}:
        return f"Alle {words.number(ranked)} Ränge bleiben" if sure else "Kein Rang bleibt"
    return f"{_of(sure, 'Einer')} von {words.number(ranked)} Rängen {'bleibt' if sure == 1 else 'bleiben'}"


def _of(count: int, one: str) -> str:
    return one if count == 1 else words.number(count)
