"""What "Bestand und Bedarf" is asked: a stored Richtwert, or assumptions of one's own; and what its forms offer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import Request
from sqlalchemy.orm import Session

from geodata.areas import levels
from geodata.controlling_offices import read_offices
from geodata.coverage.request import MEASURES, OLDEST_ASKED
from geodata.errors import ParameterError
from geodata.gap_ranks import MOST_INDICATORS
from geodata.gap_request import MOST_NEED_WEIGHT, Asked, GapsRequest, NeedIndicator, filled
from geodata.indicator_values import shares_at
from geodata.indicator_words import position_in_words
from geodata.indicators import indicators_of
from geodata.standards import StandardRow, read_standards
from geodata.tables import SUPPLY_UNITS
from service.api import parameters as query
from service.context import context_of, today
from service.pages import planning_words as said
from service.pages.components import Option
from service.pages.planning_choices import (
    Narrowed,
    area_options,
    categories_of,
    category_options,
    level_of,
    level_options,
    mode_of,
    mode_options,
    narrowed,
    with_point,
)
from service.pages.planning_maps import CLASSING
from service.pages.planning_view import given, options, version_of

# So many indicators of need the form offers; an address may name more, which are then offered too.
_NEEDS = 3
_NEED_FIELDS = tuple(f"{name}{number + 1}" for number in range(MOST_INDICATORS) for name in ("need", "weight", "low"))
_ASSUMED = ("measure", "standard_value", "age_from", "age_to", "minutes", "mode", "supply_unit", "category")
_ALWAYS = ("version", "sort", "period")
SINGLE = (
    *CLASSING, "level", "standard", "standard_value", "measure", "age_from", "age_to", "minutes", "mode", "supply_unit",
    "need", "need_weight", "area", "period", "sort", "show", *_NEED_FIELDS,
)  # fmt: skip
SEVERAL = ("category",)
_MOST_STANDARD = 1e9
MEASURE_WORDS = {
    "supply": "Bestand im Gebiet, je 1.000",
    "reach": "Anteil der Erreichten",
    "catchment": "erreichbarer Bestand, je 1.000",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The question, and it with everything filled in; ``standards``: those that are stored."""

    request: GapsRequest
    asked: Asked
    standards: Sequence[StandardRow]
    narrowed: Narrowed


def wanted_of(request: Request, session: Session) -> Wanted | None:
    """Return what the address asks; None where it names no standard and none is stored.

    With a stored standard what it says of ages, ways and units need not be said; what contradicts it is refused. The
    page's shares are in percent, those of the API fractions.
    """
    standards = read_standards(session)
    code = given(request, "standard")
    value = query.decimal_number("standard_value", with_point(given(request, "standard_value")), 0, _MOST_STANDARD)
    if code is None and value is None:
        usual = _usual(standards)
        if usual is None:
            return None
        code = usual.code
    if given(request, "measure") == "reach" and value is not None:
        value = _share(value)
    level = level_of(request, levels(session))
    part = narrowed(request, session, level)
    need = _need(request)
    need_weight = query.decimal_number("need_weight", with_point(given(request, "need_weight")), 0, MOST_NEED_WEIGHT)
    made = GapsRequest(
        level=level,
        on=today(),
        categories=() if code is not None and not given(request, "category") else categories_of(request, ("okja",)),
        standard=code,
        standard_value=value,
        measure=query.one_of("measure", given(request, "measure"), MEASURES),
        age_from=query.whole_number("age_from", given(request, "age_from"), 0, OLDEST_ASKED),
        age_to=query.whole_number("age_to", given(request, "age_to"), 0, OLDEST_ASKED),
        minutes=query.whole_number("minutes", given(request, "minutes"), 1, 120),
        mode=mode_of(request),
        supply_unit=query.one_of("supply_unit", given(request, "supply_unit"), SUPPLY_UNITS),
        area=part.area,
        period=given(request, "period"),
        need=need,
        # The form always sends one, also where no indicator of need is chosen.
        need_weight=need_weight if need else None,
        pace=context_of(request).settings.pace(),
        version=version_of(request),
    )
    return _by_standard(session, Wanted(made, filled(session, made, standards), standards, part))


def _share(percent: float) -> float:
    if not 0 < percent <= 100:
        raise ParameterError("standard_value", "Der Anteil der Erreichten muss über 0 und höchstens 100 % sein.")
    # 72,3 / 100 and 0,723 are not the same float.
    return round(percent / 100, 12)


def _by_standard(session: Session, wanted: Wanted) -> Wanted:
    """Return the question by a stored standard where it assumes exactly what that one says."""
    if wanted.asked.stored is not None:
        return wanted
    for row in fitting(wanted):
        made = replace(
            wanted.request, standard=row.code, standard_value=None, categories=(), measure=None, age_from=None,
            age_to=None, minutes=None, mode=None, supply_unit=None,
        )  # fmt: skip
        try:
            asked = filled(session, made, wanted.standards)
        except ParameterError:
            continue
        if asked.coverage == wanted.asked.coverage and math.isclose(asked.value, wanted.asked.value, rel_tol=1e-9):
            return replace(wanted, request=made, asked=asked)
    return wanted


def fitting(wanted: Wanted) -> list[StandardRow]:
    """Return the stored standards for the same offers, measured the same way."""
    one = wanted.asked.coverage
    return [row for row in wanted.standards if (row.category,) == one.categories and row.measure == one.measure]


def _usual(standards: Sequence[StandardRow]) -> StandardRow | None:
    """Return the standard shown where none is chosen: of ways on foot rather than of places in an area."""
    return next((one for one in standards if one.measure == "reach"), next(iter(standards), None))


def _need(request: Request) -> tuple[NeedIndicator, ...]:
    """Return the indicators of need: as the API names them, or by the fields of the form."""
    listed = query.need_of(given(request, "need"))
    found = []
    for number in range(1, MOST_INDICATORS + 1):
        name = given(request, f"need{number}")
        if name is None:
            continue
        code, _colon, position = name.partition(":")
        weight = query.decimal_number(f"weight{number}", with_point(given(request, f"weight{number}")), 0, 1000)
        low = query.yes_no(f"low{number}", given(request, f"low{number}"))
        found.append(NeedIndicator(code, position or None, 1.0 if weight is None else weight, -1 if low else 1))
    if listed and found:
        raise ParameterError("need", "Kennzahlen des Bedarfs stehen entweder in „need“ oder in „need1“ bis „need6“.")
    return listed or tuple(found)


def parameters_of(wanted: Wanted) -> dict[str, object]:
    """Return the parameters with which the API answers the same question."""
    request, stored = wanted.request, wanted.asked.stored
    area = wanted.narrowed.text
    shared = {"level": request.level, "area": area, "period": request.period, **need_parameters(request)}
    if stored is not None:
        return {
            "standard": stored.code,
            "minutes": request.minutes,
            "mode": request.mode,
            "age_from": request.age_from,
            "age_to": request.age_to,
            **shared,
        }
    return {**assumptions_of(wanted.asked), "standard_value": _plain(wanted.asked.value), **shared}


def need_parameters(request: GapsRequest) -> dict[str, object]:
    """Return the indicators of need as parameters of API and page."""
    need = [
        f"{'-' if one.direction < 0 else ''}{one.code}{f':{one.position}' if one.position else ''}*{_plain(one.weight)}"
        for one in request.need
    ]
    weight = None if request.need_weight is None else _plain(request.need_weight)
    return {"need": ",".join(need) or None, "need_weight": weight if need else None}


def assumptions_of(asked: Asked, factor: float = 1.0) -> dict[str, object]:
    """Return the standard in force as assumptions of the page: everything it says, and its value times a factor."""
    one = asked.coverage
    ways = one.measure != "supply"
    return {
        "category": ",".join(one.categories),
        "measure": one.measure,
        "standard_value": _shown_value(asked, factor),
        "age_from": one.age_from,
        "age_to": one.age_to,
        "minutes": one.minutes if ways else None,
        "mode": one.mode if ways else None,
        "supply_unit": one.supply_unit if one.measure != "reach" else None,
    }


def _shown_value(asked: Asked, factor: float = 1.0) -> str:
    """Return the standard's value as the page's forms and links say it: a share in percent, never more than 100."""
    value = asked.value * factor
    return _plain(100 * min(value, 1.0) if asked.coverage.measure == "reach" else value)


def _plain(value: float) -> str:
    """Return a number as a parameter, without exponent and without the noise of arithmetic."""
    return f"{value:.10f}".rstrip("0").rstrip(".")


def form_values(request: Request, session: Session, wanted: Wanted) -> dict[str, object]:
    """Return what the forms are filled with: always the standard in force."""
    asked, one = wanted.asked, wanted.asked.coverage
    need = wanted.request.need
    shares = dict.fromkeys(
        [*shares_at(session, one.level), *((one.code, one.position) for one in need if one.position)]
    )
    known = indicators_of(session, {code for code, _position in shares})
    offices = read_offices(session)
    titles = {
        f"{code}:{position}" if position else code: ", ".join(
            filter(None, [known[code].title, position_in_words(offices, position)])
        )
        for code, position in shares
    }
    kept = (*_ALWAYS, *CLASSING, "need", "need_weight", *_NEED_FIELDS)
    return {
        "levels": level_options(levels(session), one.level),
        "areas": area_options(request, session, one.area),
        "standards": options(
            {
                **({} if asked.stored else {"": "eigene Annahme"}),
                **{row.code: row.title for row in wanted.standards},
            },
            asked.stored.code if asked.stored else "",
        ),
        "categories": category_options(one.categories),
        "chosen_categories": [said.CATEGORIES[category] for category in one.categories],
        "measures": options(MEASURE_WORDS, one.measure),
        "units": options(said.SUPPLY_UNITS, one.supply_unit),
        "modes": mode_options(one.mode),
        "value": _shown_value(asked),
        "needs": [_need_choice(number + 1, titles, need) for number in range(max(_NEEDS, len(need)))],
        "need_weight": _plain(asked.need_weight if need else 1),
        "has_need": bool(need),
        "notices": [*filter(None, [wanted.narrowed.notice])],
        "keep_assumptions": kept if asked.stored else (*kept, *_ASSUMED),
        "keep_view": (*_ALWAYS, "area", "level", "show"),
    }


def _need_choice(number: int, titles: dict[str, str], need: Sequence[NeedIndicator]) -> dict[str, object]:
    own = need[number - 1] if number <= len(need) else None
    name = "" if own is None else f"{own.code}:{own.position}" if own.position else own.code
    listed = {"": "keine", **titles}
    if name and name not in listed:
        # Asked for without its position, which the question finds by itself.
        fitting = [one for one in titles if one.partition(":")[0] == name]
        name = fitting[0] if fitting else name
        listed |= {name: titles.get(name, name)}
    made: list[Option] = options(listed, name)
    return {
        "options": made,
        "weight": "1" if own is None else _plain(own.weight),
        "low": options({"": "hohem Wert", "true": "niedrigem Wert"}, "true" if own and own.direction < 0 else ""),
    }
