"""The filter of map and list: from the address to the request of the field, and to the choices of the form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import Request
from sqlalchemy.orm import Session

from geodata.areas import area_profile
from geodata.errors import NotFoundError, ParameterError
from geodata.facilities import FacilitiesRequest, PlaceCounts, place_counts
from geodata.tables import BARRIER_FREE, CATEGORIES
from layers.palette import style_of, symbol_svg
from service.api import parameters as query
from service.context import today
from service.pages.components import Option
from service.pages.wording import years
from service.texts import texts

PARAMETERS = ("category", "type", "age", "barrier_free", "area", "q")
NO_CATEGORY = "-"  # every category is switched off
LAST_AGE = 27  # the slider's end: the law's young adults
_ICON_PX = 20


@dataclass(frozen=True, slots=True)
class PlaceFilter:
    """What is asked for: the same parameters on the map, in the list and in what is taken along.

    ``nothing``: every category is switched off, so that no place fits.
    """

    categories: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    age: int | None = None
    barrier_free: tuple[str, ...] = ()
    area: tuple[str, str] | None = None
    q: str | None = None
    nothing: bool = False

    def request(self, *, limit: int) -> FacilitiesRequest:
        """Return the question of the field."""
        return FacilitiesRequest(
            on=today(),
            categories=self.categories,
            types=self.types,
            age=self.age,
            barrier_free=self.barrier_free,
            area=self.area,
            q=self.q,
            limit=limit,
        )

    def counts(self, session: Session) -> PlaceCounts:
        """Return how many places there are, how many fit, and how many would beside each switch."""
        counted = place_counts(session, self.request(limit=1))
        return replace(counted, fitting=0) if self.nothing else counted

    def parameters(self) -> dict[str, object]:
        """Return the parameters that ask for the same, for addresses."""
        area = ":".join(self.area) if self.area else None
        return {
            "category": NO_CATEGORY if self.nothing else ",".join(self.categories) or None,
            "type": list(self.types),
            "age": self.age,
            "barrier_free": ",".join(self.barrier_free) or None,
            "area": area,
            "q": self.q,
        }

    def narrowing(self) -> dict[str, str]:
        """Return the parameters that the map's form does not have: the map's places are asked for with them."""
        return {name: str(value) for name in ("area", "q") if (value := self.parameters()[name]) is not None}

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for in particular."""
        return self == PlaceFilter()


def filter_of(request: Request) -> PlaceFilter:
    """Return the filter of a page's address.

    Choices may be given several times (as a form does) or with commas, types several times only: their names may hold
    commas. Raises ``ParameterError`` for what is not there.
    """
    given = request.query_params
    for name, value in given.multi_items():
        if "\x00" in name or "\x00" in value:
            raise ParameterError(name.replace("\x00", ""), "Die Adresse enthält ein Nullzeichen.")
    categories = _several(given.getlist("category"))
    chosen = tuple(c for c in categories if c != NO_CATEGORY)
    for category in chosen:
        query.one_of("category", category, CATEGORIES)
    barrier_free = _several(given.getlist("barrier_free"))
    for value in barrier_free:
        query.one_of("barrier_free", value, BARRIER_FREE)
    return PlaceFilter(
        # All of them is the same as none in particular.
        categories=() if set(chosen) == set(CATEGORIES) else chosen,
        types=tuple(dict.fromkeys(filter(None, given.getlist("type")))),
        age=query.age_query(_last(given.getlist("age"))),
        barrier_free=barrier_free,
        area=query.area_query(_last(given.getlist("area"))),
        q=query.search_query(_last(given.getlist("q"))),
        nothing=bool(categories) and not chosen,
    )


def _several(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for value in values for part in query.listed(value)))


def _last(values: Sequence[str]) -> str | None:
    return values[-1] if values else None


@dataclass(frozen=True, slots=True)
class CategoryOption(Option):
    """A category with its symbol (our own SVG)."""

    symbol: str = ""


@dataclass(frozen=True, slots=True)
class TypeOption(Option):
    """A type with the categories it occurs in."""

    categories: str = ""


@dataclass(frozen=True, slots=True)
class FilterForm:
    """The choices of the filter's form, as ``filters.html`` draws them.

    ``categories_asked``: whether some are asked for; else all are meant.
    """

    categories: Sequence[CategoryOption]
    categories_asked: bool
    types: Sequence[TypeOption]
    types_chosen: int
    ages: Sequence[Option]
    barrier_free: Sequence[Option]


def area_sentence(session: Session, area: tuple[str, str] | None, language: str) -> str | None:
    """Return the sentence that says in which area places are asked for, or that in none; None: everywhere.

    Raises ``ParameterError`` for an unknown level.
    """
    if area is None:
        return None
    level, key = area
    said = texts(language).gettext
    try:
        area_row = area_profile(session, level, key, on=today()).rows[0]
    except NotFoundError:
        if key == "ohne":
            return said("Nur Orte, die in keinem Gebiet liegen.")
        return said("Nur im Gebiet {area}.").format(area=key)
    if area_row.geometry is None:
        unknown = said("Welche Einrichtungen es in {area} gibt, ist nicht bekannt: Seine Grenze ist nicht geladen.")
        return unknown.format(area=area_row.area_name)
    return said("Nur im Gebiet {area}.").format(area=area_row.area_name)


def form_of(wanted: PlaceFilter, counts: PlaceCounts, language: str) -> FilterForm:
    """Return the form for what there is, with what is chosen."""
    said = texts(language).gettext
    categories = [
        CategoryOption(
            code,
            said(style_of(code).title),
            not wanted.nothing and (not wanted.categories or code in wanted.categories),
            count,
            symbol=symbol_svg(style_of(code), _ICON_PX),
        )
        for code, count in counts.by_category.items()
    ]
    by_type: dict[str, list[tuple[str, int]]] = {}
    for one in counts.by_type:
        by_type.setdefault(one.type, []).append((one.category, one.places))
    types = [
        # A place that has the type in two categories would count twice: the larger number is the safe one.
        TypeOption(
            name, name, name in wanted.types, max(n for _c, n in found), categories=" ".join(c for c, _n in found)
        )
        for name, found in by_type.items()
    ]
    last = max(LAST_AGE, wanted.age or 0)
    ages = [Option("", said("alle Alter"), wanted.age is None)]
    ages += [Option(str(age), years(age, language), wanted.age == age) for age in range(last + 1)]
    access = [("yes", said("barrierefrei")), ("partly", said("teilweise barrierefrei"))]
    return FilterForm(
        categories=categories,
        categories_asked=bool(wanted.categories),
        types=types,
        types_chosen=sum(option.chosen for option in types),
        ages=ages,
        barrier_free=[Option(value, title, value in wanted.barrier_free) for value, title in access],
    )
