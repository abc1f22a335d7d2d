"""How far a rank can be trusted: the range it takes when the assumptions move, in one word.

A rank is "fest" where the range is the rank itself, "stabil" where it moves by at most a tenth of the ranked areas (at
least three ranks), else "unsicher". The thresholds are conventions of ours, said in ``RULE`` wherever the words are.
"""

from collections.abc import Sequence

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


def in_words(rows: Sequence[GapRow]) -> str:
    """Return what the ranking says: how many areas lack something, which come first, how many ranks can be trusted."""
    areas = [row for row in rows if row.area_key != WITHOUT_AREA]
    ranked = [row for row in areas if row.rank is not None]
    if not ranked:
        return "Kein Gebiet lässt sich einordnen; warum, steht in jeder Zeile."
    lacking = [row for row in ranked if row.deficit]
    if not lacking:
        return "In keinem der eingeordneten Gebiete fehlt etwas gegenüber dem Richtwert."
    first = words.listed([row.area_name for row in ranked[:_NAMED]])
    known = [steadiness(row, len(ranked)) for row in ranked]
    sure = sum(one != "unsicher" for one in known)
    return (
        f"In {words.number(len(lacking))} von {words.counted(len(ranked), 'einem Gebiet', 'Gebieten')} fehlt etwas "
        f"gegenüber dem Richtwert. An erster Stelle {'steht' if len(ranked) == 1 else 'stehen'} {first}. "
        f"{words.number(sure)} von {words.counted(len(ranked), 'einem Rang', 'Rängen')} "
        f"{'bleibt' if sure == 1 else 'bleiben'} auch bei veränderten Annahmen fest oder stabil."
    )
