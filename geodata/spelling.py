"""Names and addresses made comparable: one spelling for all the ways an area, a street or a number is written."""

import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType

MAX_NUMBER_CHARS = 30
UMLAUTS = MappingProxyType({"ä": "ae", "ö": "oe", "ü": "ue"})
_UMLAUTS = str.maketrans(dict(UMLAUTS))
# Groups: the first number, what follows it, and the end of a range ("10a-12" is 10 to 12).
_NUMBER = re.compile(r"(\d{1,5})(?!\d)([a-z]*(?:-(\d{1,5})(?!\d))?.*)", re.ASCII)
_WORD = re.compile(r"([^\W_]+)(\.?)")
_BRACKETS = re.compile(r"\([^()]*\)")
_STEPS = tuple(
    (re.compile(pattern, re.ASCII), made)
    for pattern, made in (
        (r"^[^0-9]+", ""),
        (r"(?<![a-z])bis(?=\s*\d)", "-"),
        (r"\s(?:und|u)\s+(?=\d)", "+"),
        (r"(?<=\d)\s+(?=\d)", "+"),
        (r"\s+", ""),
        (r"([+/-])[+/-]+", r"\1"),
        (r"[+/-]+(?=[a-z]{2})", ""),  # "12, Haus 3": the comma joins no second number
        (r"[+/-]+$", ""),
        (r"(?<!\d)0+(?=\d)", ""),
    )
)


def normalised(name: str) -> str:
    """Return a name as it is compared: lower case, ß as ss, umlauts written out, nothing but letters and digits.

    ``St.Pauli``, ``St. Pauli`` and ``ST PAULI`` are the same. Doing it again changes nothing.
    """
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())
    spelt = unicodedata.normalize("NFKD", composed.translate(_UMLAUTS)).casefold()
    return "".join(c for c in spelt if c.isalnum())


def _spelt_out(word: str, *, dotted: bool = False) -> str:
    """Return a normalised word without its abbreviation; ``dotted``: a full stop follows it."""
    if word == "st":
        return "sankt"
    if word == "pl" or (dotted and word.endswith("pl")):
        return f"{word[:-2]}platz"
    if word.endswith("str"):
        return f"{word}asse"
    return {"gr": "grosse", "kl": "kleine"}.get(word, word) if dotted else word


@lru_cache(maxsize=65_536)
def street_plain(text: str) -> str:
    """Return a street as it is compared: spelt out, lower case, nothing but letters and digits; may be empty.

    ``Gr. Bergstr.``, ``Große Bergstraße`` and ``GROSSE BERG-STRASSE`` are the same, ``St.`` is ``Sankt``, ``Pl.``
    is ``Platz``. Doing it again changes nothing.
    """
    words = _WORD.findall(unicodedata.normalize("NFC", text))
    return _spelt_out("".join(_spelt_out(normalised(word), dotted=bool(dot)) for word, dot in words))


@lru_cache(maxsize=65_536)
def number_plain(text: str) -> str | None:
    """Return a house number as it is compared; None if it holds none (of at most five digits).

    ``12 A`` is ``12a``; a range keeps its ends (``10 bis 12`` is ``10-12``), a list its parts (``10 und 12`` is
    ``10+12``); words behind stay (``12 Haus 3`` is ``12haus3``), what stands in brackets does not. Doing it again
    changes nothing.
    """
    line = _BRACKETS.sub(" ", unicodedata.normalize("NFC", text).casefold()).replace("½", " 1/2")
    line = re.sub(r"[&,;]", "+", re.sub(r"[–—−‐‑]", "-", line))
    line = re.sub(r"[^0-9a-z+/-]+", " ", line)
    before = None
    while line != before:
        before = line
        for pattern, made in _STEPS:
            line = pattern.sub(made, line)
    return line if _NUMBER.match(line) and len(line) <= MAX_NUMBER_CHARS else None


def number_range(plain: str) -> tuple[int, int | None, bool]:
    """Return the first number of a plain house number, the end of its range (None: none), and whether it is bare.

    Bare: the first number has no letter or word of its own (``12`` and ``12-14`` are, ``12a`` is not).
    """
    match = _NUMBER.match(plain)
    if match is None:
        raise ValueError(plain)
    return int(match[1]), int(match[3]) if match[3] else None, match[2][:1] in {"", "-", "+", "/"}


def city_plain(text: str) -> str | None:
    """Return a city's name as it is compared, its words kept apart (``hamburg altona``); None if it has no letters."""
    words = (normalised(word) for word, _dot in _WORD.findall(unicodedata.normalize("NFC", text)))
    return " ".join(word for word in words if word) or None
