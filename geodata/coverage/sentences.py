"""What an answer about coverage says in one or two sentences, with the figures in it."""

from collections.abc import Sequence

from geodata import words
from geodata.coverage.request import CoverageRequest, CoverageRow
from geodata.figure_tables import WITHOUT_AREA
from geodata.gap_reasons import ages_in_genitive
from geodata.spread import NamedFigure, spread
from geodata.viewer import Version

_UNITS = {"places": "Plätze", "hours_per_week": "Wochenstunden"}
_NAMED = 5


def value_of(request: CoverageRequest, row: CoverageRow) -> float | None:
    """Return the measure's own value in the unit of ``unit_of``: per 1,000, or for reach in percent."""
    if request.measure == "supply":
        return row.supply_per_1000
    if request.measure == "catchment":
        return row.access_index
    return None if row.reach_share is None else 100 * row.reach_share


def unit_of(request: CoverageRequest) -> str:
    """Return the unit of ``value_of``."""
    return "%" if request.measure == "reach" else f"{_UNITS[request.supply_unit]} je 1.000"


def in_words(request: CoverageRequest, rows: Sequence[CoverageRow], decimals: int) -> str:
    """Return how the areas are covered; residents are counted over all rows, shares never averaged."""
    areas = [row for row in rows if row.area_key != WITHOUT_AREA]
    ends = spread([NamedFigure(row.area_name, value_of(request, row)) for row in areas], unit_of(request), decimals)
    return " ".join(part for part in (_together(request, rows), ends, _without(request, areas)) if part)


def _together(request: CoverageRequest, rows: Sequence[CoverageRow]) -> str:
    """Return the share of everybody who is reached: residents reached by residents, over all rows that know both."""
    if request.measure != "reach":
        return ""
    known = [(row.reached, row.population) for row in rows if row.reached is not None and row.population is not None]
    everybody = sum(people for _reached, people in known)
    if not everybody:
        return ""
    there = sum(reached for reached, _people in known)
    return (
        f"{words.percent(there / everybody)} {ages_in_genitive(request.ages)} ({words.number(there)} von "
        f"{words.number(everybody)}) erreichen in höchstens "
        f"{words.counted(request.minutes, 'einer Minute', 'Minuten')} eine Einrichtung."
    )


def _without(request: CoverageRequest, areas: Sequence[CoverageRow]) -> str:
    """Return in which areas there is no place at all; that is an answer, not a gap in the data."""
    none = [row.area_name for row in areas if row.facilities == 0]
    if request.measure != "supply" or not none:
        return ""
    released = "freigegebene " if request.version is Version.PUBLISHED else ""
    if len(none) == len(areas):
        return f"In keinem Gebiet gibt es eine {released}passende Einrichtung."
    return f"Keine {released}passende Einrichtung gibt es in {words.listed(none, _NAMED)}."
