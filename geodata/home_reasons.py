"""Why an area stands where it stands among those that lack places in homes: one German sentence with its numbers."""

from dataclasses import dataclass, field
from functools import lru_cache

from geodata import words
from geodata.figure_tables import WITHOUT_AREA
from geodata.gap_reasons import NOT_RANKED


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one area. None: not known; ``cases`` are ``suppressed`` or missing then.

    ``homes``, ``without`` (those that state no places) and ``places`` (None: none states any) are within the near
    band, ``offering`` of the homes have or may have places. ``hidden``: homes in the area whose place is not shown.
    ``nearest_km``: to the nearest home that has or may have places, which has ``stated`` them or not.
    """

    key: str
    name: str
    cases: int | None
    suppressed: bool
    mapped: bool
    homes: int
    without: int
    places: float | None
    offering: int
    hidden: int
    nearest_km: float | None
    stated: bool

    @property
    def rankable(self) -> bool:
        """Whether the area is ranked: it has cases, and what is near is known."""
        return bool(self.cases) and self.mapped

    @property
    def none_near(self) -> bool:
        """Whether no place is near; of an area without borders that says nothing."""
        return not self.offering and not self.hidden

    @property
    def lacking(self) -> bool:
        """Whether there are cases and no place near."""
        return self.rankable and self.none_near


@dataclass(frozen=True, slots=True)
class Reasons:
    """The sentences of one answer: under which paragraph, how far is near, and whether it is for everyone."""

    paragraph: str
    near_km: float
    published: bool
    _within: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_within", f"im Umkreis von {words.plain(self.near_km, 3)} km")

    def of(self, found: Found) -> str:
        """Return the sentence of one area; it says nothing of a count that is suppressed."""
        if found.key == WITHOUT_AREA:
            return f"Was in keinem Gebiet liegt, ist nirgends in der Nähe, {NOT_RANKED}."
        if found.suppressed:
            return f"Die Fallzahl von {found.name} ist zum Schutz kleiner Fallzahlen unterdrückt, {NOT_RANKED}."
        if found.cases is None:
            return f"Für {found.name} liegt keine Fallzahl vor, {NOT_RANKED}."
        if not found.cases:
            return f"In {found.name} gibt es keinen Fall, {NOT_RANKED}."
        cases = _several(found.cases, "Fall", "Fälle")
        if not found.mapped:
            return (
                f"{cases}; {found.name} hat keine Fläche auf der Karte, was in der Nähe liegt, ist nicht bekannt, "
                f"{NOT_RANKED}."
            )
        return f"{cases}, {self._none_near(found) if not found.offering else self._near(found)}."

    def _none_near(self, found: Found) -> str:
        none = f"kein {'freigegebener ' if self.published else ''}Platz nach § {self.paragraph} {self._within}"
        if found.hidden:
            return (
                f"{none}, dessen Standort gezeigt wird, aber {_homes(found.hidden)} im Gebiet, deren Standort nicht "
                "gezeigt wird"
            )
        if found.nearest_km is None:
            return f"{none} und auch keiner weiter entfernt"
        # One decimal, unless that would read as if it were within.
        decimals = 1 if round(found.nearest_km, 1) > self.near_km else 3
        away = f"liegt {words.number(found.nearest_km, decimals)} km entfernt"
        if found.stated:
            return f"{none}; der nächste Platz {away}"
        return f"{none}; die nächste Einrichtung {away} und macht keine Platzangabe"

    def _near(self, found: Found) -> str:
        under = f"nach § {self.paragraph}"
        if found.places is None:
            said = f"{_homes(found.homes)} {under} ohne Platzangabe {self._within}"
        else:
            per_case = words.number(found.places / (found.cases or 1), 2)
            said = f"{_places(found.places)} {under} {self._within} ({per_case} je Fall)"
            if found.without:
                said += f", dazu {_homes(found.without)} ohne Platzangabe"
        if found.hidden:
            said += f", im Gebiet außerdem {_homes(found.hidden)}, deren Standort nicht gezeigt wird"
        return said


# The same few counts in row after row.
@lru_cache(maxsize=4096)
def _several(count: float, one: str, several: str) -> str:
    shown = words.plain(count, 1)
    return f"{shown} {one if shown == '1' else several}"


def _places(count: float) -> str:
    return _several(count, "Platz", "Plätze")


def _homes(count: int) -> str:
    return _several(count, "Einrichtung", "Einrichtungen")
