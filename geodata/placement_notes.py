"""What stands under an answer about placements, and beside its rows, in German."""

from collections.abc import Iterator, Sequence

from geodata import words
from geodata.figure_notes import SMALL_SUPPRESSED
from geodata.periods import accusative, spoken
from geodata.placement_figures import UNSECURED, Change, Counts
from geodata.placement_request import Asked
from geodata.placement_residents import Residents
from geodata.viewer import Version

_COUNTED = {"stichtag": "am Stichtag des Zeitraums", "begonnen": "im Zeitraum begonnene"}
ROLES = {"zustaendig": "nach zuständigem Jugendamt", "herkunft": "nach Herkunft"}
_NAMED = 5


def title(asked: Asked) -> str:
    """Return the title of an answer."""
    periods = spoken(asked.sheets[0].period)
    if len(asked.sheets) > 1:
        periods += f" bis {spoken(asked.sheets[-1].period)}"
    if asked.compare is not None:
        periods += f" (Vergleich: {spoken(asked.compare.period)})"
    paragraph = f"Unterbringungen nach § {asked.request.paragraph}"
    return " · ".join((paragraph, ROLES[asked.area_role], f"Ebene {asked.level.title}", periods))


def method(asked: Asked) -> str:
    """Return the method in one sentence."""
    return (
        f"Fälle ({_COUNTED[asked.request.counting]}) {ROLES[asked.area_role]}; außerhalb sind Fälle bei einem Träger "
        f"aus einem anderen Bundesland als {asked.rule.home_state} oder im Ausland; der Anteil außerhalb ist auf die "
        "Fälle mit Angabe des Bundeslands bezogen, mit Intervall nach Wilson (95 %), seine Veränderung mit Intervall "
        "nach Newcombe (95 %)."
    )


def of_row(
    asked: Asked, counts: Counts | None, before: Counts | None, change: Change, *, compared: bool
) -> Iterator[str]:
    """Yield what is to be said of one row: why something is missing, and what a change is worth."""
    if counts is None:
        yield "Keine Angabe: Die Lieferung gilt nicht für dieses Gebiet."
        return
    if counts.suppressed:
        yield "Kleine Fallzahlen sind unterdrückt; was auf ihnen beruht, fehlt."
    if counts.proportion is not None and counts.share() is None:
        yield "Ohne Fälle mit bekanntem Bundesland gibt es keinen Anteil."
    if not compared or asked.compare is None:
        return
    if before is None:
        yield f"Für {accusative(asked.compare.period)} fehlt die Angabe; eine Veränderung gibt es nicht."
    elif before.suppressed:
        yield f"Für {accusative(asked.compare.period)} sind kleine Fallzahlen unterdrückt."
    if change.unsecured:
        yield UNSECURED


def warnings(
    asked: Asked,
    unsecured: int,
    rows: int,
    residents: Residents | None,
    *,
    suppressed: bool,
    missing_residents: Sequence[str],
) -> Iterator[str]:
    """Yield what a reader has to know about an answer; ``unsecured`` of its ``rows`` have a change that is not."""
    yield (
        "Vollerhebung: Alle Fälle sind gezählt. Das Intervall zeigt, wie stark der Anteil bei dieser Fallzahl zufällig "
        "schwanken kann."
    )
    if asked.compare is not None and asked.request.counting == "stichtag":
        yield (
            "Viele junge Menschen sind in beiden Zeiträumen gezählt; das Intervall der Veränderung ist deshalb eher "
            "zu breit als zu schmal."
        )
    if unsecured:
        yield UNSECURED if rows == 1 else f"{UNSECURED} Das gilt für {words.number(unsecured)} von {rows} Zeilen."
    if suppressed:
        yield SMALL_SUPPRESSED.format(small=asked.rule.small)
    yield "Das Bundesland ist das des Trägers; es sagt nichts über die Entfernung und den Ort der Unterbringung."
    if any(one.summed for one in asked.sheets):
        yield f"Die Ebene {asked.level.title} ist die Summe der Gebiete, die in ihr liegen."
    yield from _of_origin(asked, residents, missing_residents)


def _of_origin(asked: Asked, residents: Residents | None, missing: Sequence[str]) -> Iterator[str]:
    if asked.area_role != "herkunft":
        yield "Fälle je 1.000 Einwohner, Entfernung und Anteil im eigenen Gebiet gibt es nur nach Herkunft."
        return
    if residents is None:
        yield (
            f"Für die Ebene {asked.level.title} sind keine Einwohner von 0 bis unter 21 Jahren veröffentlicht; Fälle "
            "je 1.000 fehlen deshalb."
        )
    else:
        yield f"Fälle je 1.000 Einwohner von 0 bis unter 21 Jahren (Stand der Einwohner: {spoken(residents.period)})."
        if missing:
            yield f"Ohne Einwohner von 0 bis unter 21 Jahren: {words.listed(missing, _NAMED)}."
        if residents.estimated:
            yield "Einwohner gemeinsam ausgewiesener Gebiete sind geschätzt aufgeteilt."
    if asked.request.version is Version.PUBLISHED:
        yield (
            "Entfernung und Anteil im eigenen Gebiet stehen nur in der Internen Fassung: Aus ihnen ließen sich kleine "
            "Fallzahlen errechnen."
        )
    else:
        yield (
            "Die Entfernung ist die mittlere Luftlinie zwischen Punkten im Gebiet der Herkunft und dem des Trägers; "
            "Fälle ohne Gebiet des Trägers sind darin nicht enthalten."
        )
