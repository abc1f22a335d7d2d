"""Sentences of the field in a page's language: the German text is looked up, its gaps filled as that language does."""

from geodata.ages import Ages
from geodata.categories import TITLES
from geodata.profile_sentences import Category, Filler, Named, Said, Share
from service.pages.wording import filters
from service.texts import SOURCE_LANGUAGE, texts


def spoken(sentence: Said, language: str) -> str:
    """Return a sentence in a language; one that is not translated is German throughout."""
    text = texts(language).gettext(sentence.text)
    if language == SOURCE_LANGUAGE or text == sentence.text:
        return sentence.german()
    return text.format(**{name: _filled(value, language) for name, value in sentence.values.items()})


def age_band(span: Ages, language: str) -> str:
    """Return a span of ages as the row of a table names it (``3 bis unter 6``)."""
    said = texts(language).gettext
    if span.age_to is None:
        return said("ab {lower}").format(lower=span.age_from) if span.age_from else said("alle")
    if not span.age_from:
        return said("unter {upper}").format(upper=span.age_to)
    return said("{lower} bis unter {upper}").format(lower=span.age_from, upper=span.age_to)


def _filled(value: Filler, language: str) -> str:
    writes, said = filters(language), texts(language).gettext
    if isinstance(value, Share):
        return str(writes["percent"](value.value))
    if isinstance(value, Category):
        return said(TITLES[value.code])
    if isinstance(value, Ages):
        return said("{ages}-Jährigen").format(ages=age_band(value, language))
    if isinstance(value, Named):
        return str(writes["listed"]([f"{name} ({writes['percent'](share.value)})" for name, share in value.areas]))
    return str(writes["number"](value)) if isinstance(value, int) else value
