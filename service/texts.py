"""The texts of the pages: German is the source language, other languages come from one gettext catalogue each.

A catalogue is read as it is written (``locale/<language>/LC_MESSAGES/messages.po``); nothing has to be built.
"""

import gettext
import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TypeAlias

from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LANGUAGE = "de"
LANGUAGES = {"de": "Deutsch", "en": "English"}
LOCALE = Path(__file__).parent / "locale"

# How our scripts mark texts: t('…') and tn('…', '…', count).
SCRIPT_KEYWORDS: dict[str, tuple[int, ...] | None] = {"t": None, "tn": (1, 2)}

ScriptTexts: TypeAlias = dict[str, str | list[str]]


def catalogue_path(language: str) -> Path:
    """Return where the catalogue of a language is."""
    return LOCALE / language / "LC_MESSAGES" / "messages.po"


@cache
def texts(language: str) -> gettext.NullTranslations:
    """Return the texts of a language; what is not translated stays German.

    Raises ``KeyError`` for a language that is not offered.
    """
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    if language not in LANGUAGES:
        raise KeyError(language)
    compiled = io.BytesIO()
    with catalogue_path(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def script_texts(language: str, scripts: Iterable[Path]) -> ScriptTexts:
    """Return what our scripts say in a language, by its German; empty for German.

    A text with a number is a list: for one, and for several.
    """
    if language == SOURCE_LANGUAGE:
        return {}
    known = texts(language)
    found: ScriptTexts = {}
    for path in scripts:
        for message in _said(path):
            if isinstance(message, tuple):
                found[message[0]] = [known.ngettext(*message, count) for count in (1, 2)]
            else:
                found[message] = known.gettext(message)
    return found


@cache
def _said(script: Path) -> tuple[str | tuple[str, str], ...]:
    with script.open("rb") as file:
        return tuple(
            (message[0], message[1]) if isinstance(message, tuple) else message
            for _line, message, _comments, _context in extract("javascript", file, keywords=SCRIPT_KEYWORDS)
        )
