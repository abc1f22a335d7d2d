"""Words of the planning desk for what data is called in codes: units, positions, flags, modes."""

from geodata.categories import TITLES
from geodata.controlling_offices import Offices
from geodata.indicator_words import UNITS, position_in_words

__all__ = [
    "CATEGORIES",
    "COUNTINGS",
    "FLAGS",
    "MODES",
    "SCENARIOS",
    "SUPPLY_UNITS",
    "UNITS",
    "note_of",
    "position_text",
]

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


def position_text(offices: Offices, position: str, dataset: str | None = None) -> str:
    """Return a position as a choice of a form: in words, everybody and figures without position too."""
    usual = {"total": "insgesamt", "": "ohne Unterteilung"}
    return usual.get(position) or position_in_words(offices, position, dataset)


def note_of(flag: str) -> str:
    """Return what is to be said of a value by its flag; "" for most."""
    return FLAGS.get(flag, "")


CATEGORIES = TITLES
