"""What stands under an answer about coverage: title, method, unit and warnings, in German."""

from collections.abc import Iterator

from geodata import words
from geodata.answer import WITHOUT_RELEASE
from geodata.categories import TITLES
from geodata.coverage.decay import parse_decay
from geodata.coverage.frame import Frame
from geodata.coverage.people import People
from geodata.coverage.places import Places
from geodata.coverage.request import CoverageRequest, Mode, Pace
from geodata.coverage.supply import Supplied

UNITS = {"places": "Plätze", "hours_per_week": "Wochenstunden"}
_FIGURES = {"places": "Platzangabe", "hours_per_week": "Angabe der Wochenstunden"}
_NAMES = {"supply": "Versorgung", "reach": "Erreichbarkeit", "catchment": "Erreichbare Kapazität"}


def ages_in_words(request: CoverageRequest) -> str:
    """Return the ages asked for as a title names them."""
    return "alle Altersjahre" if not request.age_from and request.age_to is None else f"{request.ages.words()} Jahre"


def title(request: CoverageRequest, level_title: str) -> str:
    """Return the title of an answer."""
    categories = words.listed([TITLES[category] for category in request.categories])
    measure = _NAMES[request.measure]
    if request.measure == "reach":
        measure += f" in {request.minutes} Minuten"
    return " · ".join((measure, categories, ages_in_words(request), level_title))


def unit(request: CoverageRequest) -> str:
    """Return the unit of the measure's own value."""
    if request.measure == "reach":
        return "Anteil (0 bis 1)"
    return f"{UNITS[request.supply_unit]} je 1.000 Einwohnerinnen und Einwohner"


def pace_in_words(pace: Pace, mode: Mode) -> str:
    """Return how people go (``zu Fuß (4,8 km/h) auf dem Wegenetz``)."""
    walk, bike = words.plain(pace.walk_km_per_h), words.plain(pace.bike_km_per_h)
    if mode == "line":
        return f"zu Fuß ({walk} km/h, Luftlinie mal {words.plain(pace.detour_factor)})"
    return f"mit dem Fahrrad ({bike} km/h) auf dem Wegenetz" if mode == "bike" else (
        f"zu Fuß ({walk} km/h) auf dem Wegenetz"
    )  # fmt: skip


def method(request: CoverageRequest, mode: Mode | None, which: str) -> str:
    """Return the method in one sentence; ``mode`` None: no ways were gone. ``which``: which offers take part."""
    people = f"der Einwohnerinnen und Einwohner ({ages_in_words(request)})"
    how = "" if mode is None else pace_in_words(request.pace, mode)
    if mode in {"walk", "bike"}:
        how += ", das Stück bis zum Weg eingerechnet"
    within = f"höchstens {words.counted(request.minutes, 'eine Minute', 'Minuten')}"
    if request.measure == "reach":
        said = (
            f"Anteil {people}, deren Wohnpunkt {within} von der nächsten passenden Einrichtung liegt, wo immer diese "
            f"steht; {how}; der mittlere Weg ist der Median der Einwohner"
        )
    elif request.measure == "catchment":
        said = (
            f"{UNITS[request.supply_unit]} der Einrichtungen in {within} Entfernung, geteilt durch alle, die im Alter "
            f"des Angebots darum konkurrieren, je 1.000, gemittelt über {people[4:]} (E2SFCA); {how}; "
            f"{parse_decay(request.decay, request.minutes).words().rstrip('.')}"
        )
    else:
        said = (
            f"{UNITS[request.supply_unit]} der Einrichtungen im Gebiet, anteilig für die gefragten Altersjahre nach "
            f"dem Altersaufbau aller Einwohner, je 1.000 {people[4:]}"
        )
    return f"{said}; Einrichtungen mit einem passenden Angebot: {which}."


def warnings(
    request: CoverageRequest, frame: Frame, places: Places, supply: Supplied, people: People | None, *, estimated: bool
) -> Iterator[str]:
    """Yield what a reader has to know about the places and the residents of an answer."""
    yield WITHOUT_RELEASE
    if not frame.whole():
        yield "Angaben über Einrichtungen und Wohnpunkte in diesen Hinweisen gelten für die ganze Stadt."
    if not places.keys:
        yield "Es ist keine passende Einrichtung bekannt; die Versorgung ist überall 0."
    yield from _of_places(request, places, supply, whole=frame.whole())
    if people is None:
        yield "Es sind keine Einwohnerzahlen geladen; Werte je Einwohner fehlen deshalb."
    elif not people.knows(request.ages):
        yield f"Einwohner im Alter „{request.ages.words()}“ sind auf der Karte nicht bekannt; sie fehlen deshalb."
    elif estimated:
        yield (
            f"Einwohner im Alter „{request.ages.words()}“ sind geschätzt: Die amtlichen Altersgruppen lassen sich "
            "nicht genau dazu zusammensetzen."
        )
    unknown = [name for name, missing in zip(frame.names, frame.unknown.tolist(), strict=True) if missing]
    if unknown and people is not None:
        yield f"Die Einwohner sind nicht bekannt in: {words.listed(unknown, 5)}."


def _of_places(request: CoverageRequest, places: Places, supply: Supplied, *, whole: bool) -> Iterator[str]:
    without = int(supply.without.sum())
    if without and request.measure != "reach":
        yield (
            f"{words.counted(without, 'Eine Einrichtung', 'Einrichtungen')} ohne "
            f"{_FIGURES[request.supply_unit]}: gezählt, aber ohne Kapazität."
        )
    ageless = int(supply.ageless.sum())
    if ageless:
        yield (
            f"{words.counted(ageless, 'Ein Angebot', 'Angebote')} ohne Altersangabe („Alter nicht angegeben“): "
            f"{'mit der ganzen Kapazität ' if request.measure != 'reach' else ''}für das gefragte Alter gezählt."
        )
    row = " (Zeile „ohne räumliche Zuordnung“)" if whole else ""
    citywide = int((places.citywide & places.counted[places.place]).sum())
    if citywide:
        yield (
            f"{words.counted(citywide, 'Ein Angebot', 'Angebote')} für die ganze Stadt "
            f"{'zählt' if citywide == 1 else 'zählen'} zu keinem einzelnen Gebiet{row}."
        )
    coarse = int((~places.counted).sum())
    if coarse:
        yield (
            f"{words.counted(coarse, 'Eine Einrichtung', 'Einrichtungen')}, die nur mit ihrem Gebiet veröffentlicht "
            f"{'ist, erscheint' if coarse == 1 else 'sind, erscheinen'} auf dieser Ebene nicht."
        )
    if supply.unshared and request.measure != "reach":
        yield (
            f"{words.counted(supply.unshared, 'Ein Angebot lässt', 'Angebote lassen')} sich nicht nach Alter aufteilen "
            "und zählen ohne Kapazität, weil die Einwohner dieses Alters nicht bekannt sind."
        )


def unused(offers: int, supply: float, supply_unit: str) -> str:
    """Return that offers reach nobody of their ages, or that nobody can get to them."""
    return (
        f"{words.counted(offers, 'Ein Angebot', 'Angebote')} ({words.plain(supply, 1)} {UNITS[supply_unit]}) "
        f"{'hat' if offers == 1 else 'haben'} niemanden des eigenen Alters im Einzugsgebiet."
    )
