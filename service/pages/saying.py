"""Sentences of the field in a page's language: the German text is looked up, its gaps filled as that language does."""

from geodata.ages import Ages
from geodata.categories import TITLES
from geodata.periods import parse_period, short
from geodata.periods import spoken as period_in_german
from geodata.profile_sentences import (
    DOUBT_WORDS,
    Category,
    Doubt,
    Filler,
    Named,
    Said,
    Share,
    Span,
    Stand,
    in_brackets,
)
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


def period_text(period: str, language: str) -> str:
    """Return a period as a sentence or a table in a language writes it (``31.12.2013``, ``31 December 2013``)."""
    if language == SOURCE_LANGUAGE:
        return period_in_german(period)
    year, _, part = period.partition("-")
    if not part or part[0] in "QH":
        return f"{part} {year}".strip()
    starts = parse_period(period).starts
    return str(filters(language)["date"](starts)) if "-" in part else f"{starts:%B %Y}"


def period_tick(period: str, language: str) -> str:
    """Return a period as an axis writes it (``Q4/2025``, ``31.12.2013``)."""
    is_day = period.count("-") > 1
    return f"{parse_period(period).starts:%d/%m/%Y}" if is_day and language != SOURCE_LANGUAGE else short(period)


def _filled(value: Filler, language: str) -> str:
    writes, said = filters(language), texts(language).gettext
    match value:
        case Share():
            filled = writes["percent"](value.value)
        case Category():
            filled = said(TITLES[value.code])
        case Ages():
            filled = said("{ages}-Jährigen").format(ages=age_band(value, language))
        case Named():
            filled = writes["listed"]([f"{name} ({writes['percent'](share.value)})" for name, share in value.areas])
        case Span():
            first, last = period_text(value.first, language), period_text(value.last, language)
            filled = said("Von {first} bis {last}").format(first=first, last=last)
        case Stand():
            when = value.period and period_text(value.period, language)
            filled = in_brackets(when, said(DOUBT_WORDS[value.doubt]) if value.doubt else "")
        case Doubt():
            filled = f", {said(DOUBT_WORDS[value.flag])}" if value.flag else ""
        case int():
            filled = writes["number"](value)
        case _:
            filled = value
    return str(filled)
