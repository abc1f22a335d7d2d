"""The options of an import as fields of a form: the same ones as on the command line, with words for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from geodata.categories import TITLES
from geodata.figure_tables import COUNTINGS, PLACEMENT_COUNTINGS, UNITS


class Kind(StrEnum):
    """What can be uploaded; the values are those of ``dataset.kind``."""

    FACILITIES = "facilities"
    AREAS = "areas"
    STATISTICS = "statistics"
    PLACEMENTS = "placements"


KIND_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "areas": "Gebiete",
        "facilities": "Einrichtungen",
        "statistics": "Statistik",
        "placements": "Unterbringungen",
        "population": "Einwohner im Raster",
        "network": "Wegenetz",
        "addresses": "Adressen",
        "catalogue": "Katalog",
    }
)
_ALL = frozenset(Kind)
_PLACED = frozenset({Kind.FACILITIES, Kind.AREAS})
_FIGURES = frozenset({Kind.STATISTICS, Kind.PLACEMENTS})
_COUNTED = frozenset({Kind.FACILITIES, *_FIGURES})


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``option``: its name on the command line.

    ``kinds``: for which kinds of data it is there; one name may stand for several fields, each for other kinds.
    ``choices``: (value, title) pairs, None: free text. ``basic``: most uploads need it; the others stand behind a fold.
    ``filled``: which of an earlier version's footnotes it begins with.
    """

    name: str
    label: str
    kinds: frozenset[Kind]
    option: str
    help: str = ""
    choices: Sequence[tuple[str, str]] | None = None
    type: str = "text"
    basic: bool = False
    filled: bool = False


_LEFT = ("", "wie in der Zuordnung")
_AS_BEFORE = ("", "wie in der Zuordnung oder bisher")
_RECOGNISED = ("", "erkennen")

FIELDS: Sequence[Field] = (
    Field(
        "category", "Kategorie", frozenset({Kind.FACILITIES}), "--category",
        "Für Zeilen, die selbst keine Kategorie nennen; ohne Zuordnung immer anzugeben.",
        [("", "wie in der Zuordnung"), *TITLES.items()], basic=True,
    ),
    Field(
        "level", "Gebietsebene", frozenset({Kind.AREAS, *_FIGURES}), "--level",
        "Kurzname der Ebene, etwa stadtteil oder sozialraum; bei Zahlen für Zeilen, die selbst keine nennen.",
        basic=True,
    ),
    Field(
        "period", "Zeitraum", _FIGURES, "--period",
        "Für Zeilen, die keinen nennen: 2025, 2025-H1, 2025-Q3, 2025-07 oder ein Tag.", basic=True,
    ),
    Field("mapping", "Zuordnung", _ALL, "--mapping", "Wie die Spalten der Datei heißen.", (), basic=True),
    Field(
        "dataset", "Bestand", _ALL, "--dataset",
        "Welcher Bestand ersetzt oder neu angelegt wird; leer: nach Kategorie oder Ebene.", basic=True, filled=True,
    ),
    Field("as_of", "Stand der Daten", _ALL, "--as-of", "Der Tag, für den die Angaben gelten.", type="date", basic=True),
    Field(
        "title", "Titel", _ALL, "--title", "Steht in den Quellenangaben; leer: wie bisher.", basic=True, filled=True
    ),
    Field("licence", "Lizenz", _ALL, "--licence", "Etwa dl-de/by-2-0; leer: wie bisher.", basic=True, filled=True),
    Field(
        "attribution", "Quellenangabe", _ALL, "--attribution", "Wer zu nennen ist; leer: wie bisher.", basic=True,
        filled=True,
    ),
    Field("layer", "Blatt oder Ebene der Datei", _ALL, "--layer", "Nur nötig, wenn die Datei mehrere hat."),
    Field(
        "crs", "Koordinatensystem", _PLACED, "--crs", "Etwa EPSG:25832; nur nötig, wenn die Datei es nicht selbst sagt."
    ),
    Field(
        "decimal", "Dezimalzeichen", _COUNTED, "--decimal",
        choices=[_RECOGNISED, (",", "Komma (1,5)"), (".", "Punkt (1.5)")],
    ),
    Field(
        "dash", "Ein einzelner Strich bedeutet", _COUNTED, "--dash",
        choices=[_LEFT, ("zero", "genau null"), ("missing", "keine Angabe")],
    ),
    Field("key", "Spalte mit dem Schlüssel", frozenset({Kind.AREAS}), "--key"),
    Field("name", "Spalte mit dem Namen", frozenset({Kind.AREAS}), "--name"),
    Field("level_title", "Bezeichnung der Ebene", frozenset({Kind.AREAS}), "--level-title", "Etwa „Sozialraum“."),
    Field("parent_level", "Übergeordnete Ebene", frozenset({Kind.AREAS}), "--parent-level", "Etwa bezirk."),
    Field(
        "keep_outside", "Einrichtungen außerhalb behalten bis (km)", frozenset({Kind.FACILITIES}), "--keep-outside",
        "Leer: Was außerhalb liegt, wird zurückgewiesen.",
    ),
    Field(
        "counting", "Zählweise", frozenset({Kind.STATISTICS}), "--counting", "Leer: wie in der Zuordnung oder bisher.",
        [_AS_BEFORE, *((word, word) for word in COUNTINGS)], filled=True,
    ),
    Field(
        "counting", "Zählweise", frozenset({Kind.PLACEMENTS}), "--counting",
        "Für Zeilen, die selbst keine nennen. Leer: wie in der Zuordnung, sonst am Stichtag gezählt.",
        [("", "wie in der Zuordnung, sonst am Stichtag"), *((word, word) for word in PLACEMENT_COUNTINGS)],
    ),
    Field(
        "unit", "Was gezählt wird", frozenset({Kind.STATISTICS}), "--unit", "Leer: wie in der Zuordnung oder bisher.",
        [_AS_BEFORE, *((word, word) for word in UNITS)], filled=True,
    ),
    Field(
        "scope", "Umfang", _FIGURES, "--scope",
        "Bei Statistik in Worten, was enthalten ist; bei Unterbringungen das Gebiet der Lieferung, etwa bezirk:1.",
    ),
    Field(
        "population_period", "Zeitraum der Einwohnerzahlen", frozenset({Kind.STATISTICS}), "--population-period",
        "Auf welche Einwohner sich Quoten beziehen.", filled=True,
    ),
    Field(
        "release", "Freigabe", _FIGURES, "--release",
        "Leer: wie in der Zuordnung oder bisher; beim ersten Mal öffentlich.",
        [_AS_BEFORE, ("public", "öffentlich"), ("internal", "nur für die Planung")], filled=True,
    ),
    Field(
        "replace", "Was ersetzt wird", _FIGURES, "--replace",
        choices=[("", "nur die Zeiträume der Datei"), ("all", "der ganze Bestand")],
    ),
    Field(
        "max_rejects", "Erlaubte Zurückweisungen", _ALL, "--max-rejects",
        "Zahl oder Anteil wie 5%; leer: 5 %, bei Gebieten keine. Bei mehr wird die Datei ganz abgelehnt.",
    ),
    Field(
        "max_shrink", "Erlaubte Schrumpfung", _ALL, "--max-shrink",
        "Anteil wie 30%; schrumpft der Bestand stärker, wird die Datei abgelehnt.",
    ),
    Field(
        "allow_orphans", "Auch Gebiete entfernen, auf die sich andere Daten beziehen", frozenset({Kind.AREAS}),
        "--allow-orphans", type="checkbox",
    ),
)  # fmt: skip


def fields_of(kind: Kind) -> list[Field]:
    """Return the fields of a kind of data, in their order."""
    return [field for field in FIELDS if kind in field.kinds]
