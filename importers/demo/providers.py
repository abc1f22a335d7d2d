"""Forty invented providers (Träger) with keys that stay the same."""

from dataclasses import dataclass

from importers.demo.dice import Dice

_NAMES = (
    *("Ahorn", "Birke", "Buche", "Distel", "Efeu", "Eiche", "Erle", "Esche", "Farn", "Fichte"),
    *("Flieder", "Ginster", "Hasel", "Heide", "Holunder", "Iris", "Kastanie", "Kiefer", "Klee", "Kornblume"),
    *("Lavendel", "Lärche", "Linde", "Löwenzahn", "Malve", "Minze", "Mohn", "Moos", "Pappel", "Primel"),
    *("Quitte", "Salbei", "Sanddorn", "Schilf", "Tanne", "Thymian", "Ulme", "Veilchen", "Weide", "Zeder"),
)
_FORMS = ("e. V.", "gGmbH", "Stiftung", "e. V.", "gGmbH")


@dataclass(frozen=True)
class Provider:
    """A provider organisation; `key` is what authorisation uses."""

    key: str
    name: str


PROVIDERS = tuple(
    Provider(f"beispiel-traeger-{number:02d}", f"Beispielträger {name} {_FORMS[number % len(_FORMS)]}")
    for number, name in enumerate(_NAMES, start=1)
)
"""All providers in the order of their keys."""

# First and last position of the providers that work in a category; a few large ones appear in several.
_ACTIVE = {"okja": (0, 18), "famfoe": (4, 22), "sha": (2, 26), "hze": (14, 36), "kita": (10, 40), "schule": (0, 6)}


def provider(category: str, dice: Dice) -> Provider:
    """Return a provider of the category; the first ones of its range come up more often."""
    active = PROVIDERS[slice(*_ACTIVE[category])]
    return dice.pick(active, [1 / (6 + rank) for rank in range(len(active))])
