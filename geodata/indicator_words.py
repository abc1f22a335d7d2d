"""Words for what figures are called in codes: their units, how was counted, and of whom or what they are."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from geodata.ages import TOTAL, Ages, parse_position
from geodata.controlling_offices import Offices, read_offices

UNITS: Mapping[str, str] = {
    "personen": "Personen",
    "hilfen": "Hilfen",
    "junge_menschen": "junge Menschen",
    "familien": "Familien",
    "haushalte": "Haushalte",
    "stunden": "Stunden",
    "eur": "€",
}
COUNTED: Mapping[str, str] = {
    "stichtag": "am Stichtag",
    "mittel_12_stichtage": "als Mittel aus zwölf Stichtagen",
    "kumuliert": "kumuliert über den Zeitraum",
    "begonnen": "begonnene im Zeitraum",
    "beendet": "beendete im Zeitraum",
}
WITHOUT_COUNTING = "Zählweise ohne Angabe"


def unit_in_words(unit: str | None) -> str:
    """Return a unit as a reader writes it; "" where it is not known."""
    return UNITS.get(unit or "", unit or "")


def shown_in(kind: str | None, unit: str | None) -> tuple[float, str]:
    """Return what values are multiplied with to be shown, and their unit: shares without one are fractions, here %."""
    return (100.0, "%") if kind == "share" and not unit else (1.0, unit_in_words(unit))


def counted_in_words(counting: str | None) -> str:
    """Return how was counted, as a title says it."""
    return COUNTED.get(counting or "", WITHOUT_COUNTING)


def ages_in_words(ages: Ages) -> str:
    """Return a span of ages as a heading names it (``ab 65 Jahren``, ``0 bis unter 18 Jahre``)."""
    return f"ab {ages.age_from} Jahren" if ages.age_to is None else f"{ages.words()} Jahre"


def position_in_words(offices: Offices, position: str | None, dataset: str | None = None) -> str:
    """Return of whom or what a figure is: an age, or a Hilfeart or group as the dataset's catalogue calls it.

    "" for everybody (``total``) and for figures without position; the code itself where nobody says what it means.
    """
    if not position or position == TOTAL:
        return ""
    title = offices.title(dataset, position)
    ages = parse_position(position)
    return title if title != position or ages is None else ages_in_words(ages)


def position_title(session: Session, position: str | None, dataset: str | None = None) -> str:
    """Return one position in words; of several read the offices once and ask ``position_in_words``."""
    if not position or position == TOTAL:
        return ""
    return position_in_words(read_offices(session), position, dataset)
