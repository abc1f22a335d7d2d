"""Words of the planning desk for what data is called in codes: units, positions, flags, modes."""

from collections.abc import Mapping

from geodata.ages import parse_position
from geodata.categories import TITLES

UNITS: Mapping[str, str] = {
    "personen": "Personen",
    "hilfen": "Hilfen",
    "junge_menschen": "junge Menschen",
    "familien": "Familien",
    "haushalte": "Haushalte",
    "stunden": "Stunden",
    "eur": "€",
}
SUPPLY_UNITS = {"places": "Plätze", "hours_per_week": "Wochenstunden"}
MODES = {"walk": "zu Fuß", "bike": "mit dem Fahrrad", "line": "Luftlinie mal Umwegfaktor"}
FLAGS = {"estimated": "geschätzt", "provisional": "vorläufig"}
SCENARIOS = {"ist": "Ist", "prognose": "Prognose", "plan": "Plan"}
COUNTINGS = {
    "stichtag": "am Stichtag gezählt",
    "mittel_12_stichtage": "Mittel aus zwölf Stichtagen",
    "kumuliert": "über den Zeitraum kumuliert",
    "begonnen": "begonnene",
    "beendet": "beendete",
    "": "Zählweise nicht angegeben",
}


def unit_text(unit: str | None) -> str:
    """Return a unit as a reader writes it; "" where it is not known."""
    return UNITS.get(unit or "", unit or "")


def position_text(position: str) -> str:
    """Return a position in words: ages, or the code itself where it stands for something else."""
    if position == "total":
        return "insgesamt"
    ages = parse_position(position)
    if ages is None:
        return position or "ohne Unterteilung"
    return f"ab {ages.age_from} Jahren" if ages.age_to is None else f"{ages.words()} Jahre"


def note_of(flag: str) -> str:
    """Return what is to be said of a value by its flag; "" for most."""
    return FLAGS.get(flag, "")


CATEGORIES = TITLES
