"""What the view from a point says in a sentence."""

from geodata import words
from geodata.coverage.request import Mode
from geodata.point_reach import PointReachAnswer

_WAYS: dict[Mode, str] = {
    "walk": "zu Fuß",
    "bike": "mit dem Fahrrad",
    "line": "nach Luftlinie mal Umwegfaktor zu Fuß",
}


def way_in_words(minutes: int, mode: Mode) -> str:
    """Return a limit as a sentence names it (``in höchstens 15 Minuten zu Fuß``)."""
    return f"in höchstens {words.counted(minutes, 'einer Minute', 'Minuten')} {_WAYS[mode]}"


def in_words(answer: PointReachAnswer, minutes: int, name: str) -> str:
    """Return what is reached from a point called ``name``: places, and residents where they are known."""
    places = words.counted(len(answer.rows), "eine passende Einrichtung", "passende Einrichtungen")
    verb = "ist" if len(answer.rows) == 1 else "sind"
    if not answer.rows:
        places, verb = "keine passende Einrichtung", "ist"
    said = f"Von {name} aus {verb} {way_in_words(minutes, answer.mode)} {places} zu erreichen."
    if answer.residents_total is None:
        return f"{said} Wie viele Menschen dort wohnen, ist nicht bekannt."
    total = round(answer.residents_total)
    living = words.counted(total, "ein Mensch", "Menschen") if total else "niemand"
    return f"{said} In diesem Umkreis {'wohnt' if total < 2 else 'wohnen'} {living}."
