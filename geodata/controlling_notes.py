"""What stands under the controlling tables: method, unit and warnings, in German, and the notes of a row."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from geodata import words
from geodata.controlling_measures import MEASURES
from geodata.controlling_offices import Offices
from geodata.controlling_rows import RowKey
from geodata.controlling_values import Figure, span_of
from geodata.indicators import HIDDEN_COUNTS

UNIT = (
    "Fälle, Euro, Jugendeinwohner (0 bis unter 21); Hilfedichte je 1.000 Jugendeinwohner; Anteile als Bruch, "
    "Veränderungen in Prozent, Effekte in Prozentpunkten"
)
NO_BASE = "Ohne Basisjahr gibt es keine Veränderung, keine Zielschwelle und keinen Effekt gegen Vergleich."
_COUNTED = {
    "stichtag": "am Stichtag",
    "mittel_12_stichtage": "als Mittel aus zwölf Stichtagen",
    "kumuliert": "kumuliert",
    "begonnen": "begonnene",
    "beendet": "beendete",
    None: "ohne Angabe",
}
_SEVERAL = {"Jahr": "Jahre", "Halbjahr": "Halbjahre", "Quartal": "Quartale", "Monat": "Monate", "Tag": "Stichtage"}
_NOTHING: Mapping[str, Figure] = MappingProxyType({})
# What many offices do not report at all: said once under the table, not in every row.
_SAID_ONCE = {
    "cases": "Fälle",
    "spending": "Ausgaben",
    "hours": "Stunden",
    "group_hours": "Stunden in Gruppenangeboten",
    "ambulant": "ambulante Hilfen",
    "outside_family": "Hilfen außerhalb der Familie",
    "new": "neue Beratungen",
    "followed": "Beratungen mit Folgehilfe",
}


@dataclass(slots=True)
class Noted:
    """The notes of a row as they come: of values, and for each one that is missing the reasons and what it lacks."""

    notes: list[str] = field(default_factory=list)
    gaps: list[dict[str | None, str]] = field(default_factory=list)

    def take(self, figure: Figure, lacking: Mapping[str, Figure] = _NOTHING, *, silent: bool = False) -> float | None:
        """Return the value of a figure and note what is to be said of it.

        ``lacking``: the parts without which it cannot be made; their reasons are told, else its own. ``silent``: the
        reason is noted already.
        """
        if figure.reason is None:
            self.notes += figure.notes
        else:
            of_parts: dict[str | None, str] = {name: part.reason for name, part in lacking.items() if part.reason}
            self.gaps.append({} if silent else of_parts or {None: figure.reason})
        return figure.value

    def missing(self, unreported: Collection[str]) -> int:
        """Return how many values are missing, without those that rest on what no row has."""
        return sum(not gap.keys() & set(unreported) for gap in self.gaps)

    def text(self, unreported: Collection[str]) -> str | None:
        """Return the row's note: each sentence once; not that something is missing which no row has."""
        said = [reason for gap in self.gaps for part, reason in gap.items() if part not in unreported]
        return " ".join(dict.fromkeys((*said, *self.notes))) or None


def unreported(known: Collection[str]) -> list[str]:
    """Return the parts that no row has; ``known``: those that some row has."""
    return [part for part in _SAID_ONCE if part not in known]


def title(level: str, scenario: str) -> str:
    """Return the title of the controlling table."""
    more = {"prognose": " · Prognose", "plan": " · Plan"}.get(scenario, "")
    return f"Controlling der Hilfen zur Erziehung · Ebene {level}{more}"


def method(measure: str, yearly_growth: float) -> str:
    """Return how was computed, in one sentence."""
    chosen = MEASURES[measure]
    fit = MEASURES[chosen.against_city].title
    return (
        "Fälle, Ausgaben und Summen, wie die Quelle sie veröffentlicht, nicht aus Teilen summiert; was den Teilen zur "
        "Summe fehlt, steht als „nicht zuordenbar / Rundung“; Hilfedichte sind Fälle je 1.000 Jugendeinwohner (0 bis "
        "unter 21, veröffentlicht auf der Ebene des Gebiets), Kosten je Jugendeinwohner und je Fall die Ausgaben "
        "geteilt durch diese; die Veränderung ist die gegenüber dem Basiszeitraum und der Effekt gegen Vergleich ihr "
        f"Abstand in Prozentpunkten zur Veränderung der Stadt ohne das Gebiet ({chosen.title}); der Abstand zur Stadt "
        f"ist der des Gebiets zu ihr ({fit}); die Zielschwelle sind die Ausgaben des Basiszeitraums, um "
        f"{words.plain(100 * yearly_growth)}\N{NO-BREAK SPACE}% im Jahr gesteigert."
    )


def warnings(
    keys: Sequence[RowKey], base: str | None, cities: Sequence[str], missing_parts: Sequence[str],
    offices: Offices, datasets: Collection[str], hidden: Iterable[str],
) -> Iterator[str]:  # fmt: skip
    """Yield what a reader of the table must know; ``hidden``: what is said of figures that are not shown."""
    yield HIDDEN_COUNTS
    yield from hidden
    countings = sorted({key.counting or "" for key in keys})
    if len(countings) > 1:
        said = words.listed([_COUNTED.get(counting or None, counting) for counting in countings])
        yield f"Verschieden gezählt ({said}): Diese Zeilen sind nicht miteinander vergleichbar."
    spans = [word for word in _SEVERAL if word in {span_of(key.period) for key in keys}]
    if len(spans) > 1:
        said = words.listed([_SEVERAL[word] for word in spans])
        yield f"Verschieden lange Zeiträume ({said}): Diese Zeilen sind nicht miteinander vergleichbar."
    if base is None:
        yield NO_BASE
    if cities:
        yield f"Stadt im Vergleich: {words.listed([f'„{name}“' for name in cities])}."
    elif keys:
        yield "Es gibt kein größeres Gebiet mit Zahlen: Abstand und Effekt gegenüber der Stadt entfallen."
    if keys and missing_parts:
        yield f"In keiner Zeile angegeben: {words.listed([_SAID_ONCE[part] for part in missing_parts])}."
    yield from scopes(offices, datasets)


def scopes(offices: Offices, datasets: Collection[str]) -> Iterator[str]:
    """Yield what is in and out of each dataset, in its own words."""
    for dataset in sorted(datasets):
        said_title, scope = offices.scopes.get(dataset, ("", None))
        if scope:
            yield f"Umfang von „{said_title}“: {scope}"
