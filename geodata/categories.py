"""The categories of places and their German titles, in the order in which they are shown."""

from collections.abc import Mapping
from types import MappingProxyType

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "okja": "Offene Kinder- und Jugendarbeit",
        "famfoe": "Familienförderung",
        "sha": "Sozialräumliche Hilfen und Angebote",
        "hze": "Hilfen zur Erziehung",
        "jsa": "Jugendsozialarbeit",
        "asd": "Allgemeiner Sozialer Dienst",
        "kita": "Kindertagesbetreuung",
        "schule": "Schulen",
        "spielplatz": "Spielplätze",
        "netzwerk": "Netzwerke",
        "sonstige": "Sonstige Orte",
    }
)
