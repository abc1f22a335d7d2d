"""The catalogues: every text of a public page in every language, with the same values to fill in."""

import re
from pathlib import Path

import pytest

from layers.browser_assets import ASSETS
from service import messages
from service.texts import LANGUAGES, SOURCE_LANGUAGE, catalogue_path, script_texts, texts

OTHERS = [language for language in LANGUAGES if language != SOURCE_LANGUAGE]
PLACEHOLDER = re.compile(r"%\((\w+)\)s|\{(\w+)\}")


def held(text: str) -> set[str]:
    return {first or second for first, second in PLACEHOLDER.findall(text)}


@pytest.mark.parametrize("language", OTHERS)
def test_every_public_text_is_translated(language: str) -> None:
    known = texts(language)
    required = messages.required()
    assert len(required) > 120, "texts are found in templates, code and scripts"
    missing, odd = [], []
    for message in required:
        if isinstance(message, tuple):
            made = [known.ngettext(message[0], message[1], count) for count in (1, 2)]
            same = made == list(message[:2])
            german = set(message[:2])
        else:
            made, german = [known.gettext(message)], {message}
            same = made == [message] and message != "Website"
        if same:
            missing.append(message)
        if any(held(one) - set().union(*map(held, german)) for one in made):
            odd.append(message)
    assert missing == [], "python -m service.messages, then translate"
    assert odd == [], "a translation fills in what the German text does not have"


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_holds_what_the_pages_say_now(language: str) -> None:
    text = catalogue_path(language).read_text(encoding="utf-8")
    fresh = {message.id for message in messages.collected(language) if message.id}
    assert fresh
    for message in messages.required():
        assert (message[:2] if isinstance(message, tuple) else message) in fresh
    assert "fuzzy" not in text


def test_scripts_are_told_their_texts() -> None:
    scripts: list[Path] = [path for name, path in ASSETS.items() if name.startswith("srk-") and name.endswith(".js")]
    assert script_texts(SOURCE_LANGUAGE, scripts) == {}
    told = script_texts("en", scripts)
    assert told["Schließen"] == "Close"
    assert told["{n} Einrichtung"] == ["{n} place", "{n} places"]


def test_an_unknown_language_is_none() -> None:
    with pytest.raises(KeyError):
        texts("xx")
