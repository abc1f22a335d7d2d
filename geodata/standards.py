"""The question "which Richtwerte are there": what the office has laid down, with source, Beschluss and date."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import Answer, footnotes, read_sources
from geodata.errors import ParameterError
from geodata.indicators import OFFICE_CATALOGUE
from geodata.viewer import Version

# The units as words beside a number: singular, plural, dative plural.
UNIT_WORDS = {
    "places": ("Platz", "Plätze", "Plätzen"),
    "hours_per_week": ("Wochenstunde", "Wochenstunden", "Wochenstunden"),
}
_MODE_WORDS = {"walk": "zu Fuß", "bike": "mit dem Fahrrad", "line": "zu Fuß nach Luftlinie"}
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class StandardRow:
    """A Richtwert. ``value`` per 1,000 residents in ``unit`` (``places``, ``hours_per_week``), for reach a share.

    Ages are ``age_from`` inclusive to ``age_to`` exclusive; both None: the standard names none. ``minutes`` and
    ``mode``: within which way (None: not said; never for supply).
    """

    code: str
    title: str
    category: str
    measure: str
    value: float
    unit: str
    age_from: int | None
    age_to: int | None
    minutes: int | None
    mode: str | None
    source: str
    resolution: str
    resolved_on: date
    dataset: str

    def sentence(self) -> str:
        """Return the standard with where it comes from, as a footnote says it."""
        return (
            f"Richtwert „{self.title}“: {value_in_words(self.measure, self.value, self.unit, self.minutes, self.mode)}."
            f" Quelle: {self.source}; Beschluss: {self.resolution}; Datum: {self.resolved_on:%d.%m.%Y}."
        )


# Several catalogues may name one code; the office's own goes first, as with indicators.
_STANDARDS = """
SELECT DISTINCT ON (code COLLATE "C") code, title, category, measure, value, unit, age_from, age_to, minutes, mode,
       source, resolution, resolved_on, dataset
FROM standard_visible ORDER BY code COLLATE "C", dataset <> :office, dataset
"""


def read_standards(session: Session) -> list[StandardRow]:
    """Return the standards that are stored, by code."""
    return [StandardRow(*row) for row in session.execute(text(_STANDARDS), {"office": OFFICE_CATALOGUE})]


def standards(session: Session, version: Version = Version.PUBLISHED) -> Answer[StandardRow]:
    """Return the standards that are stored, by code; none is shipped, so there may be none."""
    rows = read_standards(session)
    meta = footnotes(
        session,
        title="Richtwerte",
        method="Richtwerte mit Quelle, Beschluss und Datum, wie sie im Katalog des Jugendamts stehen; mitgeliefert ist "
        "keiner.",
        unit="je Richtwert: Plätze oder Wochenstunden je 1.000, oder ein Anteil (0 bis 1)",
        version=version,
        sources=read_sources(session, "catalogue", {row.dataset for row in rows}),
        missing=0,
        warnings=[] if rows else [_none_stored()],
    )
    return Answer(meta, rows)


def standard_of(session: Session, code: str) -> StandardRow:
    """Return one standard by its code; raise ``ParameterError`` naming what there is."""
    rows = read_standards(session)
    for row in rows:
        if row.code == code:
            return row
    if not rows:
        raise ParameterError("standard", _none_stored())
    codes = [row.code for row in rows]
    raise ParameterError(
        "standard",
        f"Den Richtwert „{code[:60]}“ gibt es nicht. Vorhanden: {words.listed(codes, _MOST_NAMED)}.",
        codes,
    )


def value_in_words(measure: str, value: float, unit: str, minutes: int | None = None, mode: str | None = None) -> str:
    """Return what a standard demands (``30 Plätze je 1.000``, ``80 % in höchstens 15 Minuten zu Fuß erreicht``)."""
    way = f" {_MODE_WORDS[mode]}" if mode is not None else ""
    within = "" if minutes is None else f" in höchstens {words.counted(minutes, 'einer Minute', 'Minuten')}{way}"
    if measure == "reach":
        return f"{words.plain(100 * value, 2)}\N{NO-BREAK SPACE}%{within} erreicht"
    one, several, _dative = UNIT_WORDS.get(unit, (unit, unit, unit))
    number = words.plain(value, 4)
    return f"{number} {one if number == '1' else several} je 1.000{within and f' erreichbar{within}'}"


def _none_stored() -> str:
    return (
        "Es ist kein Richtwert hinterlegt. Richtwerte des Jugendamts kommen mit einem Katalog herein (siehe "
        "docs/datenquellen.md)."
    )
