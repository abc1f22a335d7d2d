"""How the pages write numbers, dates and ages; German by default, the same words as the answers of the field."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from geodata import words
from service.texts import SOURCE_LANGUAGE, texts

_SWAPPED = str.maketrans(",.", ".,")


def years(age: int, language: str = SOURCE_LANGUAGE) -> str:
    """Return an age in full years (``12 Jahre``); 0 is "unter 1 Jahr"."""
    known = texts(language)
    if age == 0:
        return known.ngettext("unter {n} Jahr", "unter {n} Jahren", 1).format(n=1)
    return known.ngettext("{n} Jahr", "{n} Jahre", age).format(n=age)


def filters(language: str) -> dict[str, Callable[..., Any]]:
    """Return the template filters of a language, by name: ``number``, ``plain``, ``percent``, ``date``, ``ages``."""
    german = language == SOURCE_LANGUAGE
    known = texts(language)

    def localised(text: str) -> str:
        return text if german else text.translate(_SWAPPED)

    def number(value: float, decimals: int = 0) -> str:
        """Write thousands and decimals (``1.234,5``)."""
        return localised(words.number(value, decimals))

    def plain(value: float, most_decimals: int = 2) -> str:
        """Write as many decimals as needed."""
        return localised(words.plain(value, most_decimals))

    def percent(share: float, decimals: int = 1) -> str:
        """Write a share (0 to 1) in percent."""
        return localised(words.percent(share, decimals))

    def date(value: dt.date | str | None) -> str:
        """Write a day (``31.12.2025``); None is "nicht angegeben"."""
        if value is None or value == "":
            return known.gettext("nicht angegeben")
        day = dt.date.fromisoformat(value[:10]) if isinstance(value, str) else value
        return f"{day:%d.%m.%Y}" if german else f"{day.day} {day:%B %Y}"

    def ages(span: tuple[int | None, int | None]) -> str:
        """Write ages from (inclusive) to (exclusive), either open; the same words as srk-detail.js."""
        lower, upper = span
        if lower is None and upper is None:
            return known.gettext("Alter nicht angegeben")
        if upper is None:
            if not lower:
                return known.gettext("für jedes Alter")
            return known.ngettext("ab {n} Jahr", "ab {n} Jahren", lower).format(n=lower)
        if not lower:
            return known.ngettext("unter {n} Jahr", "unter {n} Jahren", upper).format(n=upper)
        return known.gettext("für {lower} bis unter {upper} Jahre").format(lower=lower, upper=upper)

    def listed(items: Sequence[str]) -> str:
        """Write words as a sentence does (``A, B und C``)."""
        joined = known.gettext("und")
        return f" {joined} ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)

    return {"number": number, "plain": plain, "percent": percent, "date": date, "ages": ages, "listed": listed}
