"""Choices that several planning views offer: the level, the part of the city, ages, ways, the kinds of offers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request
from sqlalchemy.orm import Session

from geodata import areas as area_questions
from geodata.areas import LevelRow
from geodata.categories import TITLES
from geodata.coverage.request import MODES, MOST_MINUTES, OLDEST_ASKED, Mode
from geodata.errors import ParameterError
from geodata.figure_tables import WITHOUT_AREA
from geodata.tables import CATEGORIES
from service.api import parameters as query
from service.area_names import area_pair
from service.context import context_of
from service.pages.components import Option
from service.pages.planning_view import given, given_several, options
from service.pages.planning_words import MODES as MODE_WORDS

Row = TypeVar("Row")

# Fine enough to see something, coarse enough to have figures.
USUAL_LEVELS = ("stadtteil", "sozialraum", "bezirk")


def level_of(request: Request, there: Sequence[LevelRow]) -> str:
    """Return the level asked for, or the first usual one; raise ``ParameterError`` for one that is not there."""
    known = [row.level for row in there]
    if not known:
        raise ParameterError("level", "Es sind noch keine Gebiete geladen.")
    wanted = query.one_of("level", given(request, "level"), known)
    return wanted or next((one for one in USUAL_LEVELS if one in known), known[-1])


def level_options(there: Sequence[LevelRow], chosen: str) -> list[Option]:
    """Return the levels as choices, widest first."""
    return options({row.level: row.title for row in there}, chosen)


def area_of(request: Request) -> tuple[str, str] | None:
    """Return the area a view is narrowed to (``?area=level:key``)."""
    return area_pair("area", given(request, "area"))


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The part of the city a view is narrowed to; ``area`` None: to none. ``notice``: why it is not, though asked for.

    ``subtitle`` stands under the title of what is shown.
    """

    area: tuple[str, str] | None = None
    subtitle: str = ""
    notice: str = ""

    @property
    def text(self) -> str | None:
        """The area as a parameter."""
        return ":".join(self.area) if self.area else None


def narrowed(request: Request, session: Session, level: str) -> Narrowed:
    """Return the part of the city a view of a level is narrowed to (``?area=level:key``).

    An area in which no area of the level lies, because it is smaller, is left out with a notice; raises
    ``ParameterError`` for one that does not exist.
    """
    area = area_of(request)
    if area is None:
        return Narrowed()
    name = area_questions.names(session, area[0]).get(area[1], area[1])
    at = area_questions.require_level(session, level)
    try:
        area_questions.keys_inside(session, area, at)
    except ParameterError:
        if name == area[1]:
            raise
        return Narrowed(notice=f"In {name} liegt kein Gebiet der Ebene {at.title}; gezeigt wird die ganze Stadt.")
    return Narrowed(area, f"nur {name}")


def area_options(request: Request, session: Session, chosen: tuple[str, str] | None) -> list[Option]:
    """Return the whole city and the areas of the home level as choices of ``area``, and what is chosen besides."""
    home = context_of(request).settings.home_level
    titles = {"": "ganze Stadt"}
    titles |= {f"{home}:{key}": name for key, name in area_questions.names(session, home).items()}
    if chosen is not None and ":".join(chosen) not in titles:
        titles[":".join(chosen)] = area_questions.names(session, chosen[0]).get(chosen[1], chosen[1])
    return options(titles, ":".join(chosen) if chosen else "")


def categories_of(request: Request, usual: Sequence[str]) -> tuple[str, ...]:
    """Return the categories asked for; raise ``ParameterError`` for one that is not there."""
    wanted = given_several(request, "category")
    for one in wanted:
        query.one_of("category", one, CATEGORIES)
    return wanted or tuple(usual)


def category_options(chosen: Sequence[str]) -> list[Option]:
    """Return the categories as choices."""
    return options(TITLES, chosen)


def ages_of(request: Request, usual: tuple[int, int | None]) -> tuple[int, int | None]:
    """Return the ages asked for, from inclusive to exclusive (None: open); as usual where none is said at all."""
    said = request.query_params
    if "age_from" not in said and "age_to" not in said:
        return usual
    return (
        query.whole_number("age_from", said.get("age_from"), 0, OLDEST_ASKED) or 0,
        query.whole_number("age_to", said.get("age_to"), 0, OLDEST_ASKED),
    )


def minutes_of(request: Request, usual: int = 15) -> int:
    """Return the minutes asked for."""
    return query.whole_number("minutes", given(request, "minutes"), 1, MOST_MINUTES) or usual


def with_point(text: str | None) -> str | None:
    """Return a number as people write it, with a decimal comma, as one with a decimal point."""
    return None if text is None else text.replace(",", ".")


def mode_of(request: Request) -> Mode | None:
    """Return how people go; None: on foot where there is a network, else in a straight line."""
    return query.one_of("mode", given(request, "mode"), MODES)


def mode_options(chosen: str | None) -> list[Option]:
    """Return the ways to go as choices."""
    return options({"": "zu Fuß, ohne Wegenetz Luftlinie", **MODE_WORDS}, chosen or "")


def without_last(rows: Iterable[Row], key_of: Callable[[Row], str]) -> list[Row]:
    """Return ordered rows with what belongs to no area at their end, however they are ordered."""
    return sorted(rows, key=lambda row: key_of(row) == WITHOUT_AREA)
