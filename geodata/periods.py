"""Periods as the outside writes them: a year, half, quarter, month or day, and the days they begin and end on."""

import calendar
import datetime as dt
import re
from dataclasses import dataclass

_YEAR = re.compile(r"(?P<year>(?:19|20|21)[0-9]{2})")
_HALF = re.compile(_YEAR.pattern + r"-H(?P<half>[12])")
_QUARTER = re.compile(_YEAR.pattern + r"-Q(?P<quarter>[1-4])")
_MONTH = re.compile(_YEAR.pattern + r"-(?P<month>[0-9]{2})")
_DAY = re.compile(_YEAR.pattern + r"-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
# What a spreadsheet makes of a date or of a year.
_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]00:00(:00(\.0+)?)?")
_FLOAT_YEAR = re.compile(r"([0-9]{4})\.0+")
_MONTHS = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
           "Dezember")  # fmt: skip
_EXAMPLES = "2020, 2014-H1, 2021-Q3, 2019-07 oder 2019-07-31"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A period: its first and last day (both inclusive) and how it is written."""

    ends: dt.date
    starts: dt.date
    text: str


def parse_period(value: object) -> Period:
    """Return the period a cell names.

    Read are ``2020``, ``2014-H1``, ``2021-Q3``, ``2019-07`` and ``2019-07-31``; besides what spreadsheets make of
    them: a year as a number (2014 or 2014.0) and a date without time of day. Raises ``ValueError`` with a German
    sentence for anything else, such as ``2021-Q5``.
    """
    text = _text_of(value)
    for pattern, days in (
        (_YEAR, lambda m: _months(m, 1, 12)),
        (_HALF, lambda m: _months(m, 6 * int(m["half"]) - 5, 6)),
        (_QUARTER, lambda m: _months(m, 3 * int(m["quarter"]) - 2, 3)),
        (_MONTH, lambda m: _months(m, int(m["month"]), 1)),
        (_DAY, _one_day),
    ):
        match = pattern.fullmatch(text)
        if match:
            try:
                starts, ends = days(match)
            except ValueError:
                break
            return Period(ends, starts, text)
    raise ValueError(f"„{text[:60]}“ ist kein Zeitraum; geschrieben wird er wie {_EXAMPLES}.")


def spoken(period: str) -> str:
    """Return a period as sentences write it (``4. Quartal 2025``, ``2. Halbjahr 2014``, ``Juli 2019``)."""
    year, _, part = period.partition("-")
    if not part:
        return year
    if part[0] in "QH":
        return f"{part[1]}. {'Quartal' if part[0] == 'Q' else 'Halbjahr'} {year}"
    month, _, day = part.partition("-")
    return f"{day}.{month}.{year}" if day else f"{_MONTHS[int(month) - 1]} {year}"


def within(period: str, *, start: bool = False) -> str:
    """Return when something was, as sentences say it (``2020``, ``im 4. Quartal 2025``, ``am 31.07.2019``).

    ``start``: a sentence begins with it.
    """
    said = f"{('', 'im ', 'am ')[period.count('-')]}{spoken(period)}"
    return _capital(said) if start else said


def since(period: str, *, start: bool = False) -> str:
    """Return since when, as sentences say it (``seit 2019``, ``seit dem 3. Quartal 2019``, ``seit Juli 2019``).

    ``start``: a sentence begins with it.
    """
    part = period.partition("-")[2]
    article = "dem " if part[:1] in {"Q", "H"} or "-" in part else ""
    said = f"seit {article}{spoken(period)}"
    return _capital(said) if start else said


def accusative(period: str) -> str:
    """Return a period as it stands after ``für`` (``2020``, ``das 4. Quartal 2025``, ``Juli 2019``, ``den …``)."""
    part = period.partition("-")[2]
    article = "das " if part[:1] in {"Q", "H"} else "den " if "-" in part else ""
    return f"{article}{spoken(period)}"


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def short(period: str) -> str:
    """Return a period as an axis writes it (``Q4/2025``, ``H2/2014``, ``07/2019``); others as they are said."""
    year, _, part = period.partition("-")
    if not part or "-" in part:
        return spoken(period)
    return f"{part}/{year}"


def kind_of(period: str) -> str:
    """Return what periods of the same length share (all quarters: ``0000-Q0``); only such are told against another."""
    return re.sub(r"\d", "0", parse_period(period).text)


def when(period: str) -> float:
    """Return when a period ends, in years (2025-Q4: 2026.0). Raises ``ValueError`` for what is no period."""
    next_day = parse_period(period).ends + dt.timedelta(days=1)
    days = (dt.date(next_day.year + 1, 1, 1) - dt.date(next_day.year, 1, 1)).days
    return next_day.year + (next_day.timetuple().tm_yday - 1) / days


def _text_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time.min else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    for pattern in (_STAMP, _FLOAT_YEAR):
        match = pattern.fullmatch(text)
        if match:
            return match[1]
    return text


def _months(match: re.Match[str], first: int, count: int) -> tuple[dt.date, dt.date]:
    year, last = int(match["year"]), first + count - 1
    starts = dt.date(year, first, 1)
    return starts, dt.date(year, last, calendar.monthrange(year, last)[1])


def _one_day(match: re.Match[str]) -> tuple[dt.date, dt.date]:
    day = dt.date(int(match["year"]), int(match["month"]), int(match["day"]))
    return day, day
