"""The figures of a profile in sentences, with the right grammar for none, one and several, and for what is missing.

A sentence is a German text with named gaps and the values that fill them, so that pages can say it in another language
too; ``german()`` is the sentence as it stands in German.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from geodata import words
from geodata.ages import Ages
from geodata.categories import TITLES
from geodata.gap_reasons import ages_in_genitive
from geodata.profile_coverage import CategoryCount, Compared
from geodata.profile_residents import EVERYBODY, UNDER_18, UNDER_21, Count, Residents

_LISTED = 3


@dataclass(frozen=True, slots=True)
class Share:
    """A share (0 to 1), written in percent."""

    value: float


@dataclass(frozen=True, slots=True)
class Category:
    """A category of places, written as its title."""

    code: str


@dataclass(frozen=True, slots=True)
class Named:
    """Areas, each with its share, written as a list."""

    areas: tuple[tuple[str, Share], ...]


Filler: TypeAlias = str | int | Share | Category | Ages | Named


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence: German text with gaps ``{name}`` and what fills them. Names of areas stay as they are."""

    text: str
    values: Mapping[str, Filler] = field(default_factory=dict)

    def german(self) -> str:
        """Return the sentence in German."""
        return self.text.format(**{name: _german(value) for name, value in self.values.items()})


def _german(value: Filler) -> str:
    if isinstance(value, Share):
        return words.percent(value.value)
    if isinstance(value, Category):
        return TITLES[value.code]
    if isinstance(value, Ages):
        return ages_in_genitive(value).removeprefix("der ")
    if isinstance(value, Named):
        return words.listed([f"{name} ({words.percent(share.value)})" for name, share in value.areas])
    return words.number(value) if isinstance(value, int) else value


# Of each group of ages: not known, not published, none, one, several, several with their share of all residents.
_UNDER_18 = (
    "Wie viele Kinder und Jugendliche unter 18 in {area} leben, ist nicht bekannt.",
    "Wie viele Kinder und Jugendliche unter 18 in {area} leben, ist wegen kleiner Zahlen nicht veröffentlicht.",
    "In {area} leben keine Kinder und Jugendlichen unter 18.",
    "In {area} lebt eine Person unter 18.",
    "In {area} leben {count} Kinder und Jugendliche unter 18.",
    "In {area} leben {count} Kinder und Jugendliche unter 18; das sind {share} aller {total} Einwohner.",
)
_UNDER_21 = (
    "Wie viele junge Menschen unter 21 in {area} leben, ist nicht bekannt.",
    "Wie viele junge Menschen unter 21 in {area} leben, ist wegen kleiner Zahlen nicht veröffentlicht.",
    "In {area} leben keine jungen Menschen unter 21.",
    "In {area} lebt eine Person unter 21.",
    "In {area} leben {count} junge Menschen unter 21.",
    "In {area} leben {count} junge Menschen unter 21; das sind {share} aller {total} Einwohner.",
)
_ALL = (
    "Wie viele Menschen in {area} leben, ist nicht bekannt.",
    "Wie viele Menschen in {area} leben, ist wegen kleiner Zahlen nicht veröffentlicht.",
    "In {area} lebt niemand.",
    "In {area} lebt eine Person; das Alter ist nicht bekannt.",
    "In {area} leben {count} Menschen; wie alt sie sind, ist nicht bekannt.",
)
_MORE_18 = "Von {first} bis {last} ist die Zahl der unter 18-Jährigen um {count} gestiegen ({share})."
_FEWER_18 = "Von {first} bis {last} ist die Zahl der unter 18-Jährigen um {count} gesunken ({share})."
_SAME_18 = "Von {first} bis {last} ist die Zahl der unter 18-Jährigen gleich geblieben."
_MORE_21 = "Von {first} bis {last} ist die Zahl der unter 21-Jährigen um {count} gestiegen ({share})."
_FEWER_21 = "Von {first} bis {last} ist die Zahl der unter 21-Jährigen um {count} gesunken ({share})."
_SAME_21 = "Von {first} bis {last} ist die Zahl der unter 21-Jährigen gleich geblieben."
_TRENDS = {UNDER_18: (_MORE_18, _FEWER_18, _SAME_18), UNDER_21: (_MORE_21, _FEWER_21, _SAME_21)}
_NO_PLACE = "In {area} gibt es keine Einrichtung mit einem veröffentlichten Angebot."
_ONE_PLACE = "In {area} gibt es eine Einrichtung (Kategorie „{category}“)."
_PLACES = "In {area} gibt es {count} Einrichtungen."
_PLACES_MOST = "In {area} gibt es {count} Einrichtungen, die meisten ({most}) in der Kategorie „{category}“."
_NOWHERE = "„{category}“ gibt es in {area} nicht."
_REACH = "Von den {ages} in {area} erreichen {share} in höchstens {minutes} Minuten eine Einrichtung."
_REACH_CITY = (
    "Von den {ages} in {area} erreichen {share} in höchstens {minutes} Minuten eine Einrichtung, in {city} "
    "{city_share}."
)
_REACH_WHOLE = (
    "Von den {ages} in {area} erreichen {share} in höchstens {minutes} Minuten eine Einrichtung, in der ganzen Stadt "
    "{city_share}."
)
_REACH_UNKNOWN = "Wie viele der {ages} in {area} eine Einrichtung erreichen, ist nicht bekannt."
_REACH_NOBODY = "In {area} wohnen keine {ages}."
_ALL_REACHED = "Alle erreichen eine."
_ONE_NOT = "Eine Person erreicht keine."
_SOME_NOT = "{count} erreichen keine."
_BETTER = "Von den vergleichbaren Gebieten haben einen höheren Anteil: {names}."
_BETTER_MORE = "Von den vergleichbaren Gebieten haben einen höheren Anteil: {names}; außerdem {count} weitere."
_BEST = "Keines der vergleichbaren Gebiete hat einen höheren Anteil."

TEMPLATES: tuple[str, ...] = (
    *_UNDER_18, *_UNDER_21, *_ALL, _MORE_18, _FEWER_18, _SAME_18, _MORE_21, _FEWER_21, _SAME_21, _NO_PLACE, _ONE_PLACE,
    _PLACES, _PLACES_MOST, _NOWHERE, _REACH, _REACH_CITY, _REACH_WHOLE, _REACH_UNKNOWN, _REACH_NOBODY, _ALL_REACHED,
    _ONE_NOT, _SOME_NOT, _BETTER, _BETTER_MORE, _BEST,
)  # fmt: skip
"""Every sentence there is, for the catalogues of other languages."""


def sentences(
    area: str,
    city: str | None,
    residents: Residents,
    categories: Sequence[CategoryCount],
    places: int,
    rows: Sequence[Compared],
    minutes: int,
) -> dict[str, list[Said]]:
    """Return the sentences by part: ``residents``, ``places``, and each compared category by its code."""
    found = {"residents": of_residents(area, residents), "places": of_places(area, categories, places)}
    places_of = {one.category: one.places for one in categories}
    return found | {one.category: of_reach(area, city, one, places_of[one.category], minutes) for one in rows}


def of_residents(area: str, residents: Residents) -> list[Said]:
    """Return who lives there, and how that has changed."""
    groups = ((UNDER_18, _UNDER_18), (UNDER_21, _UNDER_21), (EVERYBODY, _ALL))
    span, texts = next(((g, t) for g, t in groups if residents.of(g).flag != "missing"), groups[0])
    said = [_population(area, residents.of(span), texts, residents.of(EVERYBODY))]
    trend = next((one for group in (UNDER_18, UNDER_21) if (one := _trend(residents, group)) is not None), None)
    return [*said, trend] if trend is not None else said


def _population(area: str, count: Count, texts: Sequence[str], everybody: Count) -> Said:
    if count.value is None:
        return Said(texts[1 if count.flag == "suppressed" else 0], {"area": area})
    shown = round(count.value)
    if shown < 2:
        return Said(texts[2 + shown], {"area": area})
    total = everybody.value
    if len(texts) > 5 and total:
        share = Share(count.value / total)
        return Said(texts[5], {"area": area, "count": shown, "share": share, "total": round(total)})
    return Said(texts[4], {"area": area, "count": shown})


def _trend(residents: Residents, span: Ages) -> Said | None:
    """Return how a group has changed from the first to the last period with a figure."""
    known = [(period, count.value) for period, count in residents.series(span) if count.value is not None]
    if len(known) < 2:
        return None
    (first, before), (last, after) = known[0], known[-1]
    more, fewer, same = _TRENDS[span]
    change = round(after) - round(before)
    when: dict[str, Filler] = {"first": first, "last": last}
    if not change or not before:
        # From nobody there is no change in percent; the table has the figures.
        return Said(same, when) if not change else None
    return Said(more if change > 0 else fewer, {**when, "count": abs(change), "share": Share(abs(change) / before)})


def of_places(area: str, categories: Sequence[CategoryCount], places: int) -> list[Said]:
    """Return how many places there are, and of which category most are."""
    there = sorted((one for one in categories if one.places), key=lambda one: -one.places)
    if not places or not there:
        return [Said(_NO_PLACE, {"area": area})]
    if places == 1:
        return [Said(_ONE_PLACE, {"area": area, "category": Category(there[0].category)})]
    first = there[0]
    if len(there) > 1 and first.places > there[1].places:
        values: dict[str, Filler] = {"area": area, "count": places, "most": first.places}
        return [Said(_PLACES_MOST, {**values, "category": Category(first.category)})]
    return [Said(_PLACES, {"area": area, "count": places})]


def of_reach(area: str, city: str | None, one: Compared, places: int, minutes: int) -> list[Said]:
    """Return how many of the young reach a place of a category, here, in the city and in comparable areas."""
    said = [] if places else [Said(_NOWHERE, {"area": area, "category": Category(one.category)})]
    values: dict[str, Filler] = {"area": area, "ages": one.ages}
    share, left = one.here.reach_share, one.here.not_reached
    if share is None or left is None:
        nobody = one.here.population == 0
        return [*said, Said(_REACH_NOBODY if nobody else _REACH_UNKNOWN, values)]
    values |= {"share": Share(share), "minutes": minutes}
    whole = None if one.city is None else one.city.reach_share
    if whole is None:
        said.append(Said(_REACH, values))
    elif city is None:
        said.append(Said(_REACH_WHOLE, {**values, "city_share": Share(whole)}))
    else:
        said.append(Said(_REACH_CITY, {**values, "city": city, "city_share": Share(whole)}))
    said.append(_left(round(left)))
    return [*said, *_better(one)]


def _left(count: int) -> Said:
    if count < 2:
        return Said(_ONE_NOT if count else _ALL_REACHED)
    return Said(_SOME_NOT, {"count": count})


def _better(one: Compared) -> list[Said]:
    if not any(peer.level.reach_share is not None for peer in one.peers):
        return []
    found = tuple((peer.area_name, Share(peer.level.reach_share or 0.0)) for peer in one.better())
    if not found:
        return [Said(_BEST)]
    # One more is named rather than counted.
    if len(found) > _LISTED + 1:
        return [Said(_BETTER_MORE, {"names": Named(found[:_LISTED]), "count": len(found) - _LISTED})]
    return [Said(_BETTER, {"names": Named(found)})]
