"""The figures of a profile in sentences, with the right grammar for none, one and several, and for what is missing.

A sentence is a German text with named gaps and the values that fill them, so that pages can say it in another language
too; ``german()`` is the sentence as it stands in German.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from geodata import periods, words
from geodata.ages import Ages
from geodata.categories import TITLES
from geodata.gap_reasons import ages_in_genitive
from geodata.profile_coverage import CategoryCount, Compared
from geodata.profile_residents import DOUBTS, EVERYBODY, UNDER_18, UNDER_21, Count, Residents

_LISTED = 3
DOUBT_WORDS = MappingProxyType({"estimated": "geschätzt", "provisional": "vorläufig"})


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


@dataclass(frozen=True, slots=True)
class Span:
    """From one period to another, as a sentence begins with it."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Stand:
    """What a figure is to be taken for, in brackets behind it: its period and whether it is estimated or provisional.

    Where both are not given nothing is written. ``doubt`` is a key of ``DOUBT_WORDS``, or "".
    """

    period: str
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """That a figure in brackets is estimated or provisional, behind it; nothing where it is neither."""

    flag: str = ""


Filler: TypeAlias = str | int | Share | Category | Ages | Named | Span | Stand | Doubt


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence: German text with gaps ``{name}`` and what fills them. Names of areas stay as they are."""

    text: str
    values: Mapping[str, Filler] = field(default_factory=dict)

    def german(self) -> str:
        """Return the sentence in German."""
        return self.text.format(**{name: _german(value) for name, value in self.values.items()})


def _german(value: Filler) -> str:
    match value:
        case Share():
            said = words.percent(value.value)
        case Category():
            said = TITLES[value.code]
        case Ages():
            said = ages_in_genitive(value).removeprefix("der ")
        case Named():
            said = words.listed([f"{name} ({words.percent(share.value)})" for name, share in value.areas])
        case Span():
            said = _from_to(value)
        case Stand():
            said = in_brackets(value.period and periods.spoken(value.period), DOUBT_WORDS.get(value.doubt, ""))
        case Doubt():
            said = f", {DOUBT_WORDS[value.flag]}" if value.flag else ""
        case int():
            said = words.number(value)
        case _:
            said = value
    return said


def _from_to(span: Span) -> str:
    first, last = periods.spoken(span.first), periods.spoken(span.last)
    # A year and a month have no article: "Von Juli 2019", but "Vom 31.12.2019", "Vom 3. Quartal 2021".
    return f"{'Vom' if '.' in first else 'Von'} {first} bis {'zum ' if '.' in last else ''}{last}"


def in_brackets(*parts: str) -> str:
    """Return what is given in brackets, with the space before them; nothing where nothing is."""
    given = ", ".join(part for part in parts if part)
    return f" ({given})" if given else ""


# Of each group of ages: not known, not published, none, one, several, several with their share of all residents.
_UNDER_18 = (
    "Wie viele Kinder und Jugendliche unter 18 in {area} leben, ist nicht bekannt.",
    "Wie viele Kinder und Jugendliche unter 18 in {area} leben, ist wegen kleiner Zahlen nicht veröffentlicht.",
    "In {area} leben keine Kinder und Jugendlichen unter 18{stand}.",
    "In {area} lebt eine Person unter 18{stand}.",
    "In {area} leben {count} Kinder und Jugendliche unter 18{stand}.",
    "In {area} leben {count} Kinder und Jugendliche unter 18{stand}; das sind {share} aller {total} Einwohner.",
)
_UNDER_21 = (
    "Wie viele junge Menschen unter 21 in {area} leben, ist nicht bekannt.",
    "Wie viele junge Menschen unter 21 in {area} leben, ist wegen kleiner Zahlen nicht veröffentlicht.",
    "In {area} leben keine jungen Menschen unter 21{stand}.",
    "In {area} lebt eine Person unter 21{stand}.",
    "In {area} leben {count} junge Menschen unter 21{stand}.",
    "In {area} leben {count} junge Menschen unter 21{stand}; das sind {share} aller {total} Einwohner.",
)
_ALL = (
    "Wie viele Menschen in {area} leben, ist nicht bekannt.",
    "Wie viele Menschen in {area} leben, ist wegen kleiner Zahlen nicht veröffentlicht.",
    "In {area} lebt niemand{stand}.",
    "In {area} lebt eine Person{stand}; das Alter ist nicht bekannt.",
    "In {area} leben {count} Menschen{stand}; wie alt sie sind, ist nicht bekannt.",
)
_MORE_18 = "{span} ist die Zahl der unter 18-Jährigen um {count} gestiegen ({share}{doubt})."
_FEWER_18 = "{span} ist die Zahl der unter 18-Jährigen um {count} gesunken ({share}{doubt})."
_SAME_18 = "{span} ist die Zahl der unter 18-Jährigen gleich geblieben{stand}."
_MORE_21 = "{span} ist die Zahl der unter 21-Jährigen um {count} gestiegen ({share}{doubt})."
_FEWER_21 = "{span} ist die Zahl der unter 21-Jährigen um {count} gesunken ({share}{doubt})."
_SAME_21 = "{span} ist die Zahl der unter 21-Jährigen gleich geblieben{stand}."
_TRENDS = {UNDER_18: (_MORE_18, _FEWER_18, _SAME_18), UNDER_21: (_MORE_21, _FEWER_21, _SAME_21)}
_PLACES_UNKNOWN = "Welche Einrichtungen es in {area} gibt, ist nicht bekannt: Seine Grenze ist nicht geladen."
_NO_PLACE = "In {area} gibt es keine Einrichtung mit einem veröffentlichten Angebot."
_ONE_PLACE = "In {area} gibt es eine Einrichtung (Kategorie „{category}“)."
_PLACES = "In {area} gibt es {count} Einrichtungen."
_PLACES_MOST = "In {area} gibt es {count} Einrichtungen, die meisten ({most}) in der Kategorie „{category}“."
_PLACES_OFTEN = "In {area} gibt es {count} Einrichtungen; am häufigsten ist die Kategorie „{category}“ ({most})."
# One that is not released may be there all the same.
_NOWHERE = "Eine veröffentlichte Einrichtung der Kategorie „{category}“ gibt es in {area} nicht."
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
_BETTER_ONE = "Von den vergleichbaren Gebieten hat einen höheren Anteil: {names}."
_BETTER = "Von den vergleichbaren Gebieten haben einen höheren Anteil: {names}."
_BETTER_MORE = "Von den vergleichbaren Gebieten haben einen höheren Anteil: {names}; außerdem {count} weitere."
_BEST = "Keines der vergleichbaren Gebiete hat einen höheren Anteil."
_BEST_KNOWN = "Keines der {count} vergleichbaren Gebiete, für die es Angaben gibt, hat einen höheren Anteil."
_BEST_KNOWN_ONE = "Das eine vergleichbare Gebiet, für das es Angaben gibt, hat keinen höheren Anteil."

TEMPLATES: tuple[str, ...] = (
    *_UNDER_18, *_UNDER_21, *_ALL, _MORE_18, _FEWER_18, _SAME_18, _MORE_21, _FEWER_21, _SAME_21, _PLACES_UNKNOWN,
    _NO_PLACE, _ONE_PLACE, _PLACES, _PLACES_MOST, _PLACES_OFTEN, _NOWHERE, _REACH, _REACH_CITY, _REACH_WHOLE,
    _REACH_UNKNOWN, _REACH_NOBODY, _ALL_REACHED, _ONE_NOT, _SOME_NOT, _BETTER_ONE, _BETTER, _BETTER_MORE, _BEST,
    _BEST_KNOWN, _BEST_KNOWN_ONE,
)  # fmt: skip
"""Every sentence there is, for the catalogues of other languages."""


def sentences(
    area: str,
    city: str | None,
    residents: Residents,
    categories: Sequence[CategoryCount],
    places: int | None,
    rows: Sequence[Compared],
    minutes: int,
) -> dict[str, list[Said]]:
    """Return the sentences by part: ``residents``, ``places``, and each compared category by its code.

    ``places`` None: what is there is not known.
    """
    found = {"residents": of_residents(area, residents), "places": of_places(area, categories, places)}
    places_of = {one.category: one.places for one in categories}
    return found | {one.category: of_reach(area, city, one, places_of[one.category], minutes) for one in rows}


def of_residents(area: str, residents: Residents) -> list[Said]:
    """Return who lives there, and how that has changed."""
    groups = ((UNDER_18, _UNDER_18), (UNDER_21, _UNDER_21), (EVERYBODY, _ALL))
    span, texts = next(((g, t) for g, t in groups if residents.of(g).flag != "missing"), groups[0])
    said = [_population(area, residents.of(span), texts, residents.of(EVERYBODY), residents.period)]
    trend = next((one for group in (UNDER_18, UNDER_21) if (one := _trend(residents, group)) is not None), None)
    return [*said, trend] if trend is not None else said


def _population(area: str, count: Count, texts: Sequence[str], everybody: Count, period: str) -> Said:
    if count.value is None:
        return Said(texts[1 if count.flag == "suppressed" else 0], {"area": area})
    shown = round(count.value)
    values: dict[str, Filler] = {"area": area, "stand": Stand(period, _doubt(count))}
    if shown < 2:
        return Said(texts[2 + shown], values)
    total = everybody.value
    if len(texts) > 5 and total:
        values |= {"share": Share(count.value / total), "total": round(total)}
        return Said(texts[5], {**values, "count": shown, "stand": Stand(period, _doubt(count, everybody))})
    return Said(texts[4], {**values, "count": shown})


def _doubt(*counts: Count) -> str:
    """Return the first doubt there is about figures, "" where there is none."""
    flags = {count.flag for count in counts}
    return next((flag for flag in DOUBTS if flag in flags), "")


def _trend(residents: Residents, span: Ages) -> Said | None:
    """Return how a group has changed from the first to the last period with a figure."""
    known = [(period, count, count.value) for period, count in residents.series(span) if count.value is not None]
    if len(known) < 2:
        return None
    (first, start, before), (last, end, after) = known[0], known[-1]
    more, fewer, same = _TRENDS[span]
    change = round(after) - round(before)
    doubt = _doubt(start, end)
    when: dict[str, Filler] = {"span": Span(first, last)}
    if not change or not before:
        # From nobody there is no change in percent; the table has the figures.
        return Said(same, {**when, "stand": Stand("", doubt)}) if not change else None
    by: dict[str, Filler] = {"count": abs(change), "share": Share(abs(change) / before), "doubt": Doubt(doubt)}
    return Said(more if change > 0 else fewer, {**when, **by})


def of_places(area: str, categories: Sequence[CategoryCount], places: int | None) -> list[Said]:
    """Return how many places there are, and of which category most are; ``places`` None: nobody knows."""
    if places is None:
        return [Said(_PLACES_UNKNOWN, {"area": area})]
    there = sorted((one for one in categories if one.places), key=lambda one: -one.places)
    if not places or not there:
        return [Said(_NO_PLACE, {"area": area})]
    if places == 1:
        return [Said(_ONE_PLACE, {"area": area, "category": Category(there[0].category)})]
    first = there[0]
    if len(there) > 1 and first.places > there[1].places:
        values: dict[str, Filler] = {"area": area, "count": places, "most": first.places}
        text = _PLACES_MOST if 2 * first.places > places else _PLACES_OFTEN
        return [Said(text, {**values, "category": Category(first.category)})]
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
    known = sum(peer.level.reach_share is not None for peer in one.peers)
    if not known:
        return []
    found = tuple((peer.area_name, Share(share)) for peer, share in one.better())
    if not found:
        if known == len(one.peers):
            return [Said(_BEST)]
        return [Said(_BEST_KNOWN_ONE) if known == 1 else Said(_BEST_KNOWN, {"count": known})]
    # One more is named rather than counted.
    if len(found) > _LISTED + 1:
        return [Said(_BETTER_MORE, {"names": Named(found[:_LISTED]), "count": len(found) - _LISTED})]
    return [Said(_BETTER_ONE if len(found) == 1 else _BETTER, {"names": Named(found)})]
