"""What "Bestand und Bedarf" is asked: a stored Richtwert, or assumptions of one's own; and what its forms offer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import Request
from sqlalchemy.orm import Session

from geodata.areas import levels
from geodata.coverage.request import MEASURES, OLDEST_ASKED
from geodata.errors import ParameterError
from geodata.gap_request import MOST_NEED_WEIGHT, Asked, GapsRequest, NeedIndicator, filled
from geodata.indicator_values import shares_at
from geodata.indicators import indicators_of
from geodata.standards import StandardRow, read_standards
from geodata.tables import SUPPLY_UNITS
from service.api import parameters as query
from service.context import context_of, today
from service.pages import planning_words as said
from service.pages.components import Option
from service.pages.planning_choices import (
    area_of,
    area_options,
    categories_of,
    category_options,
    level_of,
    level_options,
    mode_of,
    mode_options,
)
from service.pages.planning_maps import CLASSING
from service.pages.planning_view import given, options, version_of

NEEDS = (1, 2, 3)
_NEED_FIELDS = tuple(f"{name}{number}" for number in NEEDS for name in ("need", "weight", "low"))
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


def wanted_of(request: Request, session: Session) -> Wanted | None:
    """Return what the address asks; None where it names no standard and none is stored.

    With a stored standard what it says of ages, ways and units need not be said; what contradicts it is refused.
    """
    standards = read_standards(session)
    code = given(request, "standard")
    value = query.decimal_number("standard_value", _point(given(request, "standard_value")), 0, _MOST_STANDARD)
    if code is None and value is None:
        usual = _usual(standards)
        if usual is None:
            return None
        code = usual.code
    share = value is not None and given(request, "measure") == "reach"
    made = GapsRequest(
        level=level_of(request, levels(session)),
        on=today(),
        categories=() if code is not None and not given(request, "category") else categories_of(request, ("okja",)),
        standard=code,
        standard_value=value / 100 if share and value is not None and value > 1 else value,
        measure=query.one_of("measure", given(request, "measure"), MEASURES),
        age_from=query.whole_number("age_from", given(request, "age_from"), 0, OLDEST_ASKED),
        age_to=query.whole_number("age_to", given(request, "age_to"), 0, OLDEST_ASKED),
        minutes=query.whole_number("minutes", given(request, "minutes"), 1, 120),
        mode=mode_of(request),
        supply_unit=query.one_of("supply_unit", given(request, "supply_unit"), SUPPLY_UNITS),
        area=area_of(request),
        period=given(request, "period"),
        need=_need(request),
        need_weight=query.decimal_number("need_weight", _point(given(request, "need_weight")), 0, MOST_NEED_WEIGHT),
        pace=context_of(request).settings.pace(),
        version=version_of(request),
    )
    return _by_standard(session, Wanted(made, filled(session, made), standards))


def _by_standard(session: Session, wanted: Wanted) -> Wanted:
    """Return the question by a stored standard where it assumes exactly what that one says."""
    if wanted.asked.stored is not None:
        return wanted
    for row in wanted.standards:
        made = replace(
            wanted.request, standard=row.code, standard_value=None, categories=(), measure=None, age_from=None,
            age_to=None, minutes=None, mode=None, supply_unit=None,
        )  # fmt: skip
        try:
            asked = filled(session, made)
        except ParameterError:
            continue
        if asked.coverage == wanted.asked.coverage and math.isclose(asked.value, wanted.asked.value, rel_tol=1e-9):
            return Wanted(made, asked, wanted.standards)
    return wanted


def _point(text: str | None) -> str | None:
    """Return a number as people write it, with a decimal comma, as one with a decimal point."""
    return None if text is None else text.replace(",", ".")


def _usual(standards: Sequence[StandardRow]) -> StandardRow | None:
    """Return the standard shown where none is chosen: of ways on foot rather than of places in an area."""
    return next((one for one in standards if one.measure == "reach"), next(iter(standards), None))


def _need(request: Request) -> tuple[NeedIndicator, ...]:
    """Return the indicators of need: as the API names them, or by the fields of the form."""
    listed = query.need_of(given(request, "need"))
    found = []
    for number in NEEDS:
        name = given(request, f"need{number}")
        if name is None:
            continue
        code, _colon, position = name.partition(":")
        weight = query.decimal_number(f"weight{number}", _point(given(request, f"weight{number}")), 0, 1000)
        low = query.yes_no(f"low{number}", given(request, f"low{number}"))
        found.append(NeedIndicator(code, position or None, 1.0 if weight is None else weight, -1 if low else 1))
    if listed and found:
        raise ParameterError("need", "Kennzahlen des Bedarfs stehen entweder in „need“ oder in „need1“ bis „need3“.")
    return listed or tuple(found)


def parameters_of(wanted: Wanted) -> dict[str, object]:
    """Return the parameters with which the API answers the same question."""
    request, stored = wanted.request, wanted.asked.stored
    area = ":".join(request.area) if request.area else None
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
    return {**assumptions_of(wanted.asked), **shared}


def need_parameters(request: GapsRequest) -> dict[str, object]:
    """Return the indicators of need as parameters of API and page."""
    need = [
        f"{'-' if one.direction < 0 else ''}{one.code}{f':{one.position}' if one.position else ''}*{one.weight:g}"
        for one in request.need
    ]
    weight = None if request.need_weight is None else f"{request.need_weight:g}"
    return {"need": ",".join(need) or None, "need_weight": weight if need else None}


def assumptions_of(asked: Asked, factor: float = 1.0) -> dict[str, object]:
    """Return the standard in force as assumptions: everything it says, and its value times a factor."""
    one = asked.coverage
    ways = one.measure != "supply"
    value = asked.value * factor
    return {
        "category": ",".join(one.categories),
        "measure": one.measure,
        "standard_value": f"{min(value, 1.0) if one.measure == 'reach' else value:.10g}",
        "age_from": one.age_from,
        "age_to": one.age_to,
        "minutes": one.minutes if ways else None,
        "mode": one.mode if ways else None,
        "supply_unit": one.supply_unit if one.measure != "reach" else None,
    }


def form_values(request: Request, session: Session, wanted: Wanted) -> dict[str, object]:
    """Return what the forms are filled with: always the standard in force."""
    asked, one = wanted.asked, wanted.asked.coverage
    shares = shares_at(session, one.level)
    known = indicators_of(session, {code for code, _position in shares})
    titles = {
        f"{code}:{position}" if position else code: known[code].title
        + (f", {said.position_text(position)}" if position and position != "total" else "")
        for code, position in shares
    }
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
        "value": 100 * asked.value if one.measure == "reach" else asked.value,
        "needs": [_need_choice(number, titles, wanted.request.need) for number in NEEDS],
        "need_weight": wanted.asked.need_weight if wanted.request.need else 1,
        "has_need": bool(wanted.request.need),
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
        "weight": 1 if own is None else own.weight,
        "low": options({"": "hoher Wert", "true": "niedriger Wert"}, "true" if own and own.direction < 0 else ""),
    }
