"""The parts of a German address: "Sportplatzring 71" is street and number, "22527 Hamburg" postcode and city."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

# Longer texts are no address; the patterns below need not be tried on them.
_MAX_CHARS = 300

_ONE = r"\d{1,4}(?:\s?[a-zA-Z](?!\w))?"
_JOINED = rf"(?:\s?(?:[-–—/+&,]|\b(?:bis|und|u\.)\s)\s?(?:{_ONE}|[a-zA-Z](?!\w)))*"
_NUMBER = rf"(?P<number>{_ONE}{_JOINED})"
_STREET = r"(?P<street>.*?[^\W\d_].*?)(?:\s*,)?(?:\s+|(?<=str\.)|(?<=Str\.))(?:Nr\.?\s?)?"
_AT_END = re.compile(rf"{_STREET}{_NUMBER}$")
# What follows the number without comma begins in lower case ("12 im Hof"); "17 Juni" is part of a name.
_BEFORE_WORDS = re.compile(rf"{_STREET}{_NUMBER}(?:\s*[,;].*|\s+[a-zäöü][\w-]+\b.*)$")
_ONLY_NUMBER = re.compile(rf"{_NUMBER}$")
_TOWN = re.compile(r"(?:^|[\s,;])(?:D\s?-\s?)?\d{5}(?:\s+\D.*)?$")
_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
_ADDITION = re.compile(
    r"(?<=[\da-z])\s*[,;]?\s+(?:Haus|Hs\.|Hinterhaus|Vorderhaus|Seitenflügel|Eingang|Aufgang|Gebäude|Block|Halle|Tor|"
    r"Raum|Zimmer|Erdgeschoss|Etage|EG|OG|UG|\d+\.\s?(?:OG|UG|Stock|Etage|Obergeschoss))(?!\w).*$"
)
_POSTCODE = re.compile(r"(?<!\d)(\d{5})(?!\d)")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _street_and_number(text: str) -> tuple[str | None, str | None]:
    line = _one_line(text)
    if len(line) > _MAX_CHARS:
        return line, None
    line = _TOWN.sub("", line).rstrip(" ,;")
    while line != (shorter := _BRACKETS.sub("", line)):
        line = shorter
    numbered = _ADDITION.sub("", line)
    if not re.search(r"\d", numbered):
        numbered = line
    match = _AT_END.match(numbered) or _BEFORE_WORDS.match(numbered)
    if match is not None:
        return match["street"].strip(" ,;"), match["number"].strip()
    if (alone := _ONLY_NUMBER.match(numbered)) is not None:
        return None, alone["number"].strip()
    return line.strip(" ,;") or None, None


def street(text: str) -> str | None:
    """Return the street of an address without its number: of "Straße des 17. Juni 135" "Straße des 17. Juni".

    Without number the whole text is the street ("Alter Elbtunnel"). Postcode and city behind, and an addition
    in brackets, are left out. None if nothing remains.
    """
    return _street_and_number(text)[0]


def house_number(text: str) -> str | None:
    """Return the house number as it is written: "100a-c", "1 / 3", "5" of "Am Markt 5 (Hinterhaus)"; else None."""
    return _street_and_number(text)[1]


def postcode(text: str) -> str | None:
    """Return the first number of five digits ("22527 Hamburg" -> "22527"), None if there is none."""
    match = _POSTCODE.search(text)
    return match[1] if match else None


def city(text: str) -> str | None:
    """Return what follows the postcode up to a comma ("22527 Hamburg" -> "Hamburg").

    Without postcode the whole text is the city, unless it holds a digit; None if nothing remains.
    """
    line = _one_line(text)
    match = _POSTCODE.search(line)
    if match is None:
        return None if re.search(r"\d", line) else line.strip(" ,;") or None
    return line[match.end() :].strip(" ,;").partition(",")[0].strip() or None


PARTS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {"street": street, "house_number": house_number, "postcode": postcode, "city": city}
)
