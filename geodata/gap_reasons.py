"""Why an area stands where it stands: one German sentence with the numbers in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from geodata import words
from geodata.ages import Ages
from geodata.coverage.request import CoverageRow, Measure
from geodata.figure_tables import WITHOUT_AREA
from geodata.standards import UNIT_WORDS

NOT_RANKED = "deshalb nicht eingeordnet"
_EVERYBODY = "Einwohnerinnen und Einwohner"
# Below this a figure keeps one decimal: "0 von 3 Plätzen" would hide a shortfall of 0.4.
_SMALL = 10
_NEARLY_THE_MEAN = 0.05


@dataclass(frozen=True, slots=True)
class Place:
    """What was found for one area besides its coverage. Ranks 0: not ranked; numbers None: not known.

    ``lacking``: titles of the indicators that are missing here.
    """

    needed: float | None
    deficit: float | None
    deficit_per_1000: float | None
    need_index: float | None
    rank: int
    low: int
    high: int
    lacking: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reasons:
    """The sentences of one answer: measured how, for which ages, within how many minutes, against which standard."""

    measure: Measure
    ages: Ages
    minutes: int
    supply_unit: str
    standard: float

    def of(self, row: CoverageRow, place: Place) -> str:
        """Return the sentence of one area."""
        if not place.rank:
            return self._why_not(row, place)
        facts = {"supply": self._supply, "reach": self._reach, "catchment": self._catchment}[self.measure](row, place)
        return f"{_rank(place)}: {facts}{_need(place)}."

    def per_1000(self) -> str:
        """Return ``je 1.000`` of whom."""
        whom = ages_in_genitive(self.ages)
        return f"je 1.000 {whom.removeprefix('der ') if self.ages.age_to is None else whom}"

    def _supply(self, row: CoverageRow, place: Place) -> str:
        assert place.needed is not None  # noqa: S101 - ranked
        assert row.supply is not None  # noqa: S101 - ranked
        if not place.deficit:
            return f"In {row.area_name} gibt es {self._amount(row.supply)}, nötig {_are(place.needed)}: kein Fehlbedarf"
        return f"In {row.area_name} {self._missing(place)}{self._unstated(row)}"

    def _catchment(self, row: CoverageRow, place: Place) -> str:
        assert place.needed is not None  # noqa: S101 - ranked
        assert place.deficit is not None  # noqa: S101 - ranked
        if not place.deficit:
            index = words.plain(row.access_index or 0.0, 1)
            return (
                f"In {row.area_name} sind {self._within()} {index} {self._several()} {self.per_1000()} erreichbar, "
                f"nötig {_are(self.standard, 2)}: kein Fehlbedarf"
            )
        return (
            f"In {row.area_name} {self._missing(place)}, gemessen an dem, was {self._within()} erreichbar ist"
            f"{self._unstated(row)}"
        )

    def _reach(self, row: CoverageRow, place: Place) -> str:
        assert row.population is not None  # noqa: S101 - ranked
        assert row.reached is not None  # noqa: S101 - ranked
        there, everyone = _shown(row.reached), _shown(row.population)
        facts = (
            f"In {row.area_name} erreichen {words.percent(row.reached / row.population)} "
            f"{ages_in_genitive(self.ages)} ({there} von {everyone}) {self._within()} eine Einrichtung, nötig sind "
            f"{words.plain(100 * self.standard, 2)}\N{NO-BREAK SPACE}%"
        )
        if not place.deficit:
            return f"{facts}: kein Fehlbedarf"
        short = _shown(place.deficit)
        return f"{facts}; es {'fehlt' if short == '1' else 'fehlen'} {short} {'Person' if short == '1' else 'Personen'}"

    def _missing(self, place: Place) -> str:
        """Return how much of what is needed is missing (``fehlen 45 von 120 nötigen Plätzen (37,5 je 1.000 …)``)."""
        assert place.needed is not None  # noqa: S101 - ranked
        assert place.deficit is not None  # noqa: S101 - ranked
        assert place.deficit_per_1000 is not None  # noqa: S101 - ranked
        short, needed = _shown(place.deficit), _shown(place.needed)
        per_1000 = words.plain(place.deficit_per_1000, 1)
        one, _several, dative = UNIT_WORDS[self.supply_unit]
        ending = "em" if self.supply_unit == "places" else "er"
        of_what = f"1 nötig{ending} {one}" if needed == "1" else f"{needed} nötigen {dative}"
        return (
            f"{'fehlt' if short == '1' else 'fehlen'} {short} von {of_what} "
            f"({'weniger als 0,1' if per_1000 == '0' else per_1000} {self.per_1000()})"
        )

    def _within(self) -> str:
        return f"in höchstens {words.counted(self.minutes, 'einer Minute', 'Minuten')}"

    def _amount(self, value: float) -> str:
        one, several, _dative = UNIT_WORDS[self.supply_unit]
        shown = _shown(value)
        return f"{shown} {one if shown == '1' else several}"

    def _several(self) -> str:
        return UNIT_WORDS[self.supply_unit][1]

    def _unstated(self, row: CoverageRow) -> str:
        """Say where what is missing may only not be stated."""
        count, all_of_them = row.facilities_without_supply, row.facilities
        if not count:
            return ""
        if all_of_them == 1:
            who = f"die Einrichtung dort keine {self._figure()} macht"
        elif count == all_of_them:
            who = f"keine der {words.number(count)} Einrichtungen dort eine {self._figure()} macht"
        else:
            some = f"{words.number(count)} von {words.number(all_of_them)} Einrichtungen dort"
            who = f"{some} keine {self._figure()} {'macht' if count == 1 else 'machen'}"
        return f", wobei {who} und der Fehlbedarf kleiner sein kann"

    def _figure(self) -> str:
        return "Platzangabe" if self.supply_unit == "places" else "Angabe der Wochenstunden"

    def _why_not(self, row: CoverageRow, place: Place) -> str:
        name = row.area_name
        if row.area_key == WITHOUT_AREA:
            return "Was in keinem Gebiet liegt oder für die ganze Stadt da ist, wird nicht eingeordnet."
        if row.population is None:
            return f"Die Einwohner in {name} sind nicht bekannt, {NOT_RANKED}."
        if row.population == 0:
            people = "niemand" if self.ages == Ages(0) else "niemand dieses Alters"
            return f"In {name} wohnt {people}, {NOT_RANKED}."
        if place.deficit is None:
            return f"{self._unknown(row)}, {NOT_RANKED}."
        listed = words.listed([f"„{title}“" for title in place.lacking])
        fail = "fehlt die Kennzahl" if len(place.lacking) == 1 else "fehlen die Kennzahlen"
        return f"Für {name} {fail} {listed}, {NOT_RANKED}."

    def _unknown(self, row: CoverageRow) -> str:
        """Return why it is not known what there is."""
        name = row.area_name
        if self.measure == "reach":
            return f"Die Erreichbarkeit in {name} ist nicht bekannt"
        if self.measure == "catchment":
            return f"Die erreichbare Kapazität in {name} ist nicht bekannt"
        if row.facilities == 1:
            return f"Die Einrichtung in {name} macht keine {self._figure()}"
        return f"Die {words.number(row.facilities)} Einrichtungen in {name} machen keine {self._figure()}"


def ages_in_genitive(ages: Ages) -> str:
    """Return of whom (``der 10- bis unter 18-Jährigen``)."""
    if ages.age_to is None:
        return f"der {_EVERYBODY} ab {ages.age_from} Jahren" if ages.age_from else f"der {_EVERYBODY}"
    if ages.age_to == ages.age_from + 1:
        return f"der {ages.age_from}-Jährigen"
    if not ages.age_from:
        return f"der unter {ages.age_to}-Jährigen"
    return f"der {ages.age_from}- bis unter {ages.age_to}-Jährigen"


def _shown(value: float) -> str:
    """Return a figure as a sentence shows it: whole, or with one decimal where small; never 0 for more than 0."""
    if 0 < value < _NEARLY_THE_MEAN:
        return "weniger als 0,1"
    return words.plain(value, 0 if value >= _SMALL else 1)


def _are(value: float, decimals: int | None = None) -> str:
    shown = _shown(value) if decimals is None else words.plain(value, decimals)
    return f"{'ist' if shown == '1' else 'sind'} {shown}"


def _rank(place: Place) -> str:
    if place.low == place.high == place.rank:
        return f"Rang {words.number(place.rank)}, auch bei veränderten Annahmen"
    low, high = words.number(place.low), words.number(place.high)
    return f"Rang {words.number(place.rank)}, bei veränderten Annahmen Rang {low} bis {high}"


def _need(place: Place) -> str:
    index = place.need_index
    if index is None:
        return ""
    if abs(index) < _NEARLY_THE_MEAN:
        return "; der Bedarfsindex liegt im Mittel"
    return f"; der Bedarfsindex liegt {words.plain(abs(index), 1)} {'über' if index > 0 else 'unter'} dem Mittel"
