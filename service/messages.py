"""Collects every text of the pages into the catalogues: ``python -m service.messages`` after a text has changed.

Texts are marked in templates (``{% trans %}``, ``_()``), in the code of the pages (``gettext``, ``ngettext``) and in
our scripts (``t``, ``tn``). Categories and levels are data with fixed titles; they are named in ``_FIXED``.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from geodata.categories import TITLES
from geodata.profile_sentences import TEMPLATES as PROFILE_SENTENCES
from service.demo import NOTICE as DEMO_NOTICE
from service.errors import TEXTS as ERROR_TEXTS
from service.examples import NOTICE as EXAMPLES_NOTICE
from service.texts import LANGUAGES, SCRIPT_KEYWORDS, SOURCE_LANGUAGE, catalogue_path

Message: TypeAlias = str | tuple[str, ...]

_ROOT = Path(__file__).parents[1]
_PYTHON_KEYWORDS: dict[str, tuple[int, ...] | None] = {"gettext": None, "said": None, "ngettext": (1, 2)}
_TEMPLATE_KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2)}
_JINJA = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "silent": "false"}
_KINDS: tuple[tuple[str, str, dict[str, tuple[int, ...] | None]], ...] = (
    ("service/templates/**/*.html", "jinja2", _TEMPLATE_KEYWORDS),
    ("service/pages/**/*.py", "python", _PYTHON_KEYWORDS),
    ("layers/assets/srk-*.js", "javascript", SCRIPT_KEYWORDS),
    ("service/static/srk-*.js", "javascript", SCRIPT_KEYWORDS),
)
# What pages show of the field's own words; asked for by value, so that no extraction finds them.
_FIXED: tuple[tuple[str, Iterable[str]], ...] = (
    ("geodata/categories.py", TITLES.values()),
    ("geodata/profile_sentences.py", PROFILE_SENTENCES),
    ("service/demo.py", ("Land", "Bezirk", "Stadtteil", "Statistisches Gebiet", "Sozialraum", "Ortsteil")),
    ("service/demo.py", (DEMO_NOTICE,)),
    ("service/examples.py", (EXAMPLES_NOTICE,)),
    ("service/errors.py", ERROR_TEXTS),
)
# Pages that only signed-in planners see are German.
_GERMAN_ONLY = ("service/templates/planung", "service/pages/planning")


def found() -> Iterator[tuple[str, Message]]:
    """Yield every text with the file it stands in, in the order of the files; a text with a number is a pair."""
    for pattern, method, keywords in _KINDS:
        for path in sorted(_ROOT.glob(pattern)):
            options = _JINJA if method == "jinja2" else {}
            with path.open("rb") as file:
                for _line, message, _comments, _context in extract(method, file, keywords=keywords, options=options):
                    yield path.relative_to(_ROOT).as_posix(), message
    for name, words in _FIXED:
        for word in words:
            yield name, word


def required() -> set[Message]:
    """Return the texts that every language must have: all but those of pages for planners alone."""
    return {message for name, message in found() if not name.startswith(_GERMAN_ONLY)}


def collected(language: str) -> Catalog:
    """Return the catalogue of a language with all texts there are now, translated as far as it was."""
    template = Catalog(project="sozialraumkarte", charset="utf-8")
    for name, message in found():
        template.add(message, locations=[(name, 0)])
    path = catalogue_path(language)
    with path.open("rb") as file:
        held = read_po(file, locale=language)
    created = held.creation_date
    held.update(template, no_fuzzy_matching=True)
    held.creation_date = created  # only texts that change change the file
    held.obsolete.clear()
    return held


def renew() -> None:
    """Write the catalogues anew."""
    for language in LANGUAGES:
        if language != SOURCE_LANGUAGE:
            made = collected(language)
            with catalogue_path(language).open("wb") as file:
                write_po(file, made, width=110, include_lineno=False, sort_by_file=False, omit_header=False)


if __name__ == "__main__":
    renew()
