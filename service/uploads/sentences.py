"""What importers say, for people who look at a form: phrases that name an option or a column of theirs, in words.

Only whole phrases of the importers are put into other words, so that a file name or a cell that happens to look like an
option stays what it is. A test reads the importers' sources and finds phrases that are missing here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from geodata.figure_tables import PLACEMENT_COUNTINGS

_RELEASES = {"public": "öffentlich", "internal": "nur für die Planung"}
# The words an import says of all its rows by, as fields call them.
_SAID_OF_ALL: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {"counting": ("Zählweise", {}), "unit": ("Was gezählt wird", {}), "release": ("Freigabe", _RELEASES)}
)

_PHRASES: Mapping[str, str] = MappingProxyType(
    {
        # what is to be chosen in the form
        "bitte das Dezimalzeichen mit --decimal , oder --decimal . angeben.":
            "bitte im Feld „Dezimalzeichen“ Komma oder Punkt wählen.",
        "Bitte mit --dash zero oder --dash missing festlegen.":
            "Bitte im Feld „Ein einzelner Strich bedeutet“ wählen, was gilt.",
        "bitte eine mit --layer wählen:": "bitte eine davon ins Feld „Blatt oder Ebene der Datei“ schreiben:",
        "bitte eines mit --layer wählen:": "bitte eines davon ins Feld „Blatt oder Ebene der Datei“ schreiben:",
        "(--layer wählt)": "(ein anderes nennt das Feld „Blatt oder Ebene der Datei“)",
        "; bitte --crs angeben.": "; bitte das Feld „Koordinatensystem“ ausfüllen.",
        "bitte ihr Koordinatensystem mit --crs angeben.": "bitte das Feld „Koordinatensystem“ ausfüllen.",
        "(--crs EPSG:25832)": "(im Feld „Koordinatensystem“ dann EPSG:25832 angeben)",
        "(--crs EPSG:4326)": "(im Feld „Koordinatensystem“ dann EPSG:4326 angeben)",
        "oder --keep-outside KM angeben.":
            "oder im Feld „Einrichtungen außerhalb behalten bis (km)“ eine Entfernung angeben.",
        "Bitte ergänzen oder --level angeben.": "Bitte ergänzen oder das Feld „Gebietsebene“ ausfüllen.",
        "Bitte ergänzen oder --period angeben.": "Bitte ergänzen oder das Feld „Zeitraum“ ausfüllen.",
        "(die Bezeichnung nennt --level-title)": "(die Bezeichnung nennt das Feld „Bezeichnung der Ebene“)",
        "bitte deren Ebene mit --parent-level angeben.": "bitte deren Ebene im Feld „Übergeordnete Ebene“ angeben.",
        "Namen wählen (--dataset)": "Namen ins Feld „Bestand“ schreiben",
        "einen anderen Bestand wählen (--dataset) oder alles ersetzen (--replace all).":
            "einen anderen Bestand wählen oder im Feld „Was ersetzt wird“ den ganzen Bestand.",
        "(--counting, etwa stichtag)": "(im Feld „Zählweise“ lässt es sich angeben)",
        "(--scope)": "(Feld „Umfang“)",
        "Bitte die Zeile oder --scope berichtigen.": "Bitte die Zeile oder das Feld „Umfang“ berichtigen.",
        " weniger, --max-shrink)": " weniger; Feld „Erlaubte Schrumpfung“)",
        "Mit --allow-orphans geschieht es trotzdem.":
            "Mit einem Haken bei „Auch Gebiete entfernen, auf die sich andere Daten beziehen“ geschieht es trotzdem.",
        # what can only be done elsewhere
        "Mit --mapping lässt sich eine andere Spalte zuordnen.":
            "Bitte die Spalte in der Datei so nennen oder, wenn es eine passende gibt, eine „Zuordnung“ wählen.",
        "Eine Zuordnung (--mapping) kann unter [identity] nennen, welche Spalten ein Angebot ausmachen.":
            "Bitte eine Spalte „id“ ergänzen, die jedes Angebot dauerhaft bezeichnet.",
        "bitte zuerst „import areas“ ausführen": "bitte zuerst die Gebiete hochladen",
        "Bitte zuerst „import areas“ ausführen": "Bitte zuerst die Gebiete hochladen",
        "oder zuerst „import areas“ ausführen": "oder zuerst die Gebiete hochladen",
        "laden („import areas“)": "hochladen",
        "laden („import addresses“)": "laden (auf der Kommandozeile mit „import addresses“)",
        # columns
        "age_to muss über age_from liegen.": "„Alter bis“ muss über „Alter ab“ liegen.",
        "Zu supply fehlt die Einheit.": "Zur Kapazität fehlt die Einheit.",
        "Zu use fehlt die Einheit.": "Zur Inanspruchnahme fehlt die Einheit.",
        "valid_to liegt vor valid_from.": "„Gültig bis“ liegt vor „Gültig ab“.",
        "eine eigene facility_id vergeben.": "eine eigene Nummer der Einrichtung (facility_id) vergeben.",
        "Die id fehlt.": "Die Nummer des Angebots (id) fehlt.",
    }
)  # fmt: skip


def _differing(found: re.Match[str]) -> str:
    title, words = _SAID_OF_ALL[found["name"]]
    old, new = (words.get(found[side], found[side]) for side in ("old", "new"))
    return f"hat bei „{title}“ bisher „{old}“, diese Datei „{new}“"


def _unknown(found: re.Match[str]) -> str:
    title, words = _SAID_OF_ALL[found["name"]]
    offered = PLACEMENT_COUNTINGS if found["of"] else [words.get(one, one) for one in found["known"].split(", ")]
    return f"„{found['value']}“ gibt es bei „{title}“ nicht. Möglich sind: {', '.join(offered)}."


_NAMES = "|".join(_SAID_OF_ALL)
_PATTERNS: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = (
    (re.compile(rf"hat bisher (?P<name>{_NAMES}) = (?P<old>[^,;]+), die Quelle (?P<new>[^,;]+)"), _differing),
    (
        re.compile(
            rf"„(?P<value>[^“]*)“ gibt es als (?P<name>{_NAMES})(?P<of> von Unterbringungen)? nicht\. "
            r"Möglich sind: (?P<known>[^.]*)\."
        ),
        _unknown,
    ),
    (re.compile(r"^--period: "), lambda _found: "Feld „Zeitraum“: "),
    (re.compile(r"^population_period: "), lambda _found: "Feld „Zeitraum der Einwohnerzahlen“: "),
)


def in_form_words(sentence: str) -> str:
    """Return an importer's sentence as somebody before the form reads it."""
    for phrase, words in _PHRASES.items():
        sentence = sentence.replace(phrase, words)
    for pattern, words_of in _PATTERNS:
        sentence = pattern.sub(words_of, sentence)
    return sentence
