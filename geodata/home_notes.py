"""What stands under an answer about homes near the areas, and beside its rows, in German."""

from collections.abc import Iterator, Sequence

import numpy as np

from geodata import placement_notes, words
from geodata.answer import WITHOUT_RELEASE
from geodata.home_places import Homes
from geodata.periods import spoken
from geodata.placement_request import Asked
from geodata.viewer import Version

_COUNTED = {"stichtag": "Fälle am Stichtag", "begonnen": "begonnene Fälle"}
_NAMED = 5


def title(asked: Asked) -> str:
    """Return the title: that of the placements the homes are set beside."""
    return f"Plätze in der Nähe · {placement_notes.title(asked)}"


def method(asked: Asked, on: str, office: str | None, bands_km: Sequence[float], near_km: float) -> str:
    """Return the method in one sentence; ``on``: the day of the offers; ``office``: title of the home level, if any."""
    request, (sheet,) = asked.request, asked.sheets
    bands = words.listed([words.plain(km, 3) for km in bands_km])
    where = f"im Gebiet, in dem Gebiet der Ebene {office}, zu dem es gehört," if office else "im Gebiet"
    return (
        f"{_COUNTED[request.counting]} ({spoken(sheet.period)}) neben den Plätzen der Angebote nach § "
        f"{request.paragraph}, die am {on} gelten (ein Angebot mit mehreren Paragrafen zählt mit allen Plätzen), "
        f"{where} und im Umkreis von {bands} km (einschließlich) Luftlinie um den Mittelpunkt der Einwohner unter "
        "21 Jahren; Rang 1 hat die "
        f"meisten Fälle unter den Gebieten ohne Platz im Umkreis von {words.plain(near_km, 3)} km, danach folgen die "
        "übrigen Gebiete mit Fällen nach deren Zahl."
    )


def of_row(
    *, merged: bool, without: int, places: float | None, local: int | None, unknown: int, occupancy: float | None
) -> Iterator[str]:
    """Yield what is to be said of one row.

    ``without``: homes of the area that state no places; ``local``: cases with providers in the area (None: not known or
    not shown), ``unknown``: cases of which no state is known; ``occupancy``: share of local places (None: not known).
    """
    if merged:
        yield "Gemeinsam ausgewiesene Gebiete: Ihre Einrichtungen stehen auch in den Zeilen der einzelnen Gebiete."
    if local is not None and not places:
        yield "Ohne Plätze oder Platzangabe im Gebiet gibt es keine Belegung."
    if occupancy is None:
        return
    if occupancy > 1:
        yield (
            "Die Belegung liegt über 100\N{NO-BREAK SPACE}%: Fälle zählen im Gebiet des Trägers, Plätze dort, wo die "
            "Einrichtung steht, und beide gelten nicht für denselben Tag."
        )
    if without:
        yield (
            f"{words.counted(without, 'Eine Einrichtung', 'Einrichtungen')} im Gebiet ohne Platzangabe: Die Belegung "
            "ist eher niedriger."
        )
    if unknown > 0:
        yield (
            f"{words.counted(unknown, 'Ein Fall', 'Fälle')} ohne Angabe des Bundeslands: Die Belegung ist eher höher."
        )


def warnings(
    asked: Asked, homes: Homes, *, inner: Sequence[str], unmapped: Sequence[str], suppressed: bool, local: bool
) -> Iterator[str]:
    """Yield what a reader has to know about an answer.

    ``inner``: names of the areas whose distances are from a point inside their borders, ``unmapped``: of those without
    borders. ``suppressed``: a number of cases is. ``local``: there are local shares the viewer may see.
    """
    version = asked.request.version
    yield WITHOUT_RELEASE
    yield _releases(version)
    if asked.request.area is not None:
        yield "Angaben über Einrichtungen in diesen Hinweisen gelten für die ganze Stadt."
    if not homes.places.keys:
        yield (
            f"Es ist keine Einrichtung mit einem Angebot nach § {asked.request.paragraph} bekannt, die hier gezeigt "
            "werden darf."
        )
    yield from _of_homes(homes)
    if inner:
        yield (
            f"Ohne bekannte Einwohner unter 21 Jahren {'ist' if len(inner) == 1 else 'sind'} "
            f"{words.listed(inner, _NAMED)}; Entfernungen gelten dort ab einem Punkt in der Fläche des Gebiets."
        )
    if unmapped:
        yield f"Ohne Fläche auf der Karte, deshalb ohne Entfernungen: {words.listed(unmapped, _NAMED)}."
    if suppressed:
        yield (
            f"Gebiete der Ebene {asked.level.title} mit unterdrückter Fallzahl haben keinen Rang und stehen nach ihrem "
            "Schlüssel geordnet am Ende."
        )
    yield from _of_local(version, local=local)


def _releases(version: Version) -> str:
    if version is Version.PUBLISHED:
        return (
            "Angebote der Hilfen zur Erziehung werden nur mit ausdrücklicher Freigabe veröffentlicht: Es kann Plätze "
            "geben, die hier fehlen."
        )
    return (
        "Nicht veröffentlichte Einrichtungen sind enthalten, soweit sie gesehen werden dürfen (in den eigenen Gebieten "
        "und außerhalb aller Gebiete), geschützte nirgends."
    )


def _of_homes(homes: Homes) -> Iterator[str]:
    places, shown = homes.places, homes.shown
    without = int(np.isnan(homes.supply).sum())
    if without:
        who = words.counted(without, "Eine Einrichtung", "Einrichtungen")
        yield f"{who} ohne Platzangabe: gezählt, aber ohne Plätze."
    citywide = int((places.citywide & places.counted[places.place]).sum())
    if citywide:
        yield (
            f"{words.counted(citywide, 'Ein Angebot', 'Angebote')} für die ganze Stadt "
            f"{'zählt' if citywide == 1 else 'zählen'} zu keinem einzelnen Gebiet (Zeile „ohne räumliche "
            "Zuordnung“), aber im Umkreis des Standorts."
        )
    coarse = int((~places.counted).sum())
    if coarse:
        yield (
            f"{words.counted(coarse, 'Eine Einrichtung', 'Einrichtungen')}, die nur mit ihrem Gebiet veröffentlicht "
            f"{'ist, erscheint' if coarse == 1 else 'sind, erscheinen'} auf dieser Ebene nicht."
        )
    hidden = int((places.counted & ~shown).sum())
    if hidden:
        yield (
            f"{words.counted(hidden, 'Eine Einrichtung', 'Einrichtungen')}, deren Standort nicht gezeigt wird oder "
            f"nicht bekannt ist, {'zählt' if hidden == 1 else 'zählen'} in keinem Umkreis."
        )


def _of_local(version: Version, *, local: bool) -> Iterator[str]:
    if version is Version.PUBLISHED:
        yield (
            "Der Anteil der Fälle bei Trägern im eigenen Gebiet und die Belegung stehen nur in der Internen Fassung: "
            "Aus ihnen ließen sich kleine Fallzahlen errechnen."
        )
    elif local:
        yield (
            "Im eigenen Gebiet ist ein Fall, dessen Träger dort seinen Sitz hat, bezogen auf die "
            "Fälle mit Angabe des Bundeslands; Belegung ist die Zahl dieser Fälle durch die Plätze im Gebiet, nur am "
            "Stichtag."
        )
    else:
        yield "Das Gebiet des Trägers ist nicht angegeben; Anteil im eigenen Gebiet und Belegung fehlen deshalb."
