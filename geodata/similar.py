"""The question "which areas are like this one": areas of a level, compared by standardised indicators.

For area a, indicators i with values x_i and weights w_i (brought to the sum 1)::

    z_i(a)  = (x_i(a) − mean(x_i)) / sigma(x_i)                 0 where sigma is 0
    d(a, b) = sqrt(Σ_i w_i · (z_i(a) − z_i(b))²)
    c_i     = w_i · (z_i(a) − z_i(b))² / d(a, b)²               the contribution of i; Σ_i c_i = 1

Mean and sigma (without Bessel's correction) are over the areas of the level that have all indicators, weighted with
their residents of all ages, so that a small area counts for as much as lives in it. Only these areas are compared. The
distance counts in standard deviations: at 1, two areas differ by one in every indicator, or by more in a few.

Worked example: three areas with equally many residents, one indicator with values 1, 2 and 6. Mean 3, sigma
sqrt(14/3) = 2.160; from the first area the second is 1 / 2.160 = 0.463 away, the third 5 / 2.160 = 2.315.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import Answer, Source, footnotes, read_sources
from geodata.areas import area_sources, geometries, require_level
from geodata.coverage.people import NOWHERE, People, people_of
from geodata.errors import NotFoundError, ParameterError
from geodata.gap_ranks import z_scores
from geodata.indicator_series import NEARLY_ALL
from geodata.indicator_values import IndicatorValues, period_of, shares_at, values_at
from geodata.viewer import Version

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_INDICATORS = 12
MOST_WEIGHT = 1000.0
MOST_AREAS = 1000
_NAMED = 5
# Distances nearer to each other are equal: the noise of arithmetic is far below.
_TIE_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class SimilarIndicator:
    """An indicator to compare by; ``position`` None: the only one there is; ``weight`` > 0 among the indicators."""

    code: str
    position: str | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class SimilarRequest:
    """The ``limit`` areas of ``level`` most like the area ``key``; ``period`` None: of each indicator the latest.

    Without ``indicators``: every share, rate and index of who lives there (not of helps or money) with a value for the
    area and for nearly all others (90 %), at most twelve in the order of their codes, all with the same weight.
    """

    level: str
    key: str
    indicators: tuple[SimilarIndicator, ...] = ()
    period: str | None = None
    limit: int = 5
    geometry: bool = False
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class SimilarRow:
    """One area like the one asked about; ``rank`` 1 is the nearest, ``distance`` in standard deviations.

    ``contributions``: share of each indicator in the squared distance, sum 1; all 0 where the distance is 0. ``values``
    and ``own_values``: the indicators here and in the area asked about, by ``code`` or ``code:position``. ``flag`` is
    ``estimated`` where a value of either area is.
    """

    area_level: str
    area_key: str
    area_name: str
    rank: int
    distance: float
    contributions: dict[str, float]
    values: dict[str, float]
    own_values: dict[str, float]
    flag: str
    geometry: str | None


@dataclass(frozen=True)
class Compared:
    """Distances from one area: ``distance`` (areas,), NaN: not comparable; ``shares`` (indicators, areas).

    ``flat`` (indicators,): the areas do not differ in it, so that it contributes nothing.
    """

    distance: Floats
    shares: Floats
    flat: Flags


def compare(values: Floats, weights: Floats, residents: Floats, own: int) -> Compared:
    """Return how far every area is from the area of number ``own`` (see the module).

    ``values`` (indicators, areas), NaN: missing; ``weights`` (indicators,) > 0; ``residents`` (areas,) >= 0 weigh mean
    and sigma, equally where nobody lives in any of the areas compared. ``own`` has all indicators.
    """
    among: Flags = np.asarray(np.isfinite(values).all(axis=0))
    weigh = residents if residents[among].sum() > 0 else np.ones(len(residents))
    z = np.array([z_scores(one, weigh, among) for one in values])
    squares = (weights / weights.sum())[:, None] * np.square(z - z[:, [own]])
    squares[:, ~among] = np.nan
    total = squares.sum(axis=0)
    shares = np.divide(squares, total, out=np.zeros_like(squares), where=total > 0)
    return Compared(np.sqrt(total), shares, np.asarray(~z[:, among].any(axis=1)))


def similar(session: Session, request: SimilarRequest) -> Answer[SimilarRow]:
    """Return the areas most like one, nearest first, equal ones by key.

    Raises ``ParameterError`` for an unknown level or indicator, and where the area itself lacks a value;
    ``NotFoundError`` for an unknown area.
    """
    level = require_level(session, request.level)
    _require_fitting(request)
    period_of(request.period)
    keys, names = _areas(session, request.level)
    if request.key not in keys:
        raise NotFoundError(f"Ein Gebiet „{request.key[:60]}“ gibt es auf der Ebene {level.title} nicht.")
    own = keys.index(request.key)
    found = _given(session, request, keys) if request.indicators else _usual(session, request, keys, own)
    for values in found:
        if math.isnan(values.values[own]):
            raise ParameterError(
                "indicators",
                f"Für {names[own]} gibt es keinen Wert von {values.title}; bitte andere Kennzahlen wählen.",
            )
    weights = np.array([one.weight for one in request.indicators] or [1.0] * len(found))
    people = people_of(session)
    residents = _residents(session, request.level, len(keys), people)
    table = np.array([one.values for one in found])
    compared = compare(table, weights, residents, own)
    nearest = [
        i for i in np.lexsort((np.arange(len(keys)), compared.distance.round(_TIE_DECIMALS))).tolist()
        if i != own and math.isfinite(compared.distance[i])
    ][: request.limit]  # fmt: skip
    weighed = bool(residents[np.isfinite(compared.distance)].sum() > 0)
    meta = footnotes(
        session,
        title=f"Vergleichbare Gebiete · {names[own]} · Ebene {level.title}",
        method=_method(found, weights, weighed=weighed),
        unit="Standardabweichungen",
        version=request.version,
        sources=_sources(session, request.level, found, people if weighed else None),
        missing=int(np.isnan(compared.distance).sum()),
        warnings=list(dict.fromkeys(_warnings(found, compared, names))),
    )
    return Answer(meta, _rows(session, request, (keys, names), found, compared, (own, nearest)))


def _require_fitting(request: SimilarRequest) -> None:
    if not 1 <= request.limit <= MOST_AREAS:
        raise ParameterError("limit", f"„limit“ muss eine Zahl von 1 bis {words.number(MOST_AREAS)} sein.")
    if len(request.indicators) > MOST_INDICATORS:
        raise ParameterError(
            "indicators",
            f"„indicators“ nimmt höchstens {MOST_INDICATORS} Kennzahlen, angegeben sind {len(request.indicators)}.",
        )
    if not all(0 < one.weight <= MOST_WEIGHT for one in request.indicators):
        raise ParameterError(
            "indicators", f"Die Gewichte in „indicators“ müssen über 0 und höchstens {words.number(MOST_WEIGHT)} sein."
        )


def _areas(session: Session, level: str) -> tuple[list[str], list[str]]:
    """Return keys and names of the areas of a level, by key."""
    found = session.execute(
        text("""SELECT key, name FROM area_visible WHERE level = :level ORDER BY key COLLATE "C" """), {"level": level}
    ).all()
    return [row.key for row in found], [row.name for row in found]


def _given(session: Session, request: SimilarRequest, keys: Sequence[str]) -> list[IndicatorValues]:
    found: list[IndicatorValues] = []
    for one in request.indicators:
        try:
            values = values_at(session, request.level, keys, one.code, one.position, request.period)
        except ParameterError as error:
            if error.parameter in {"indicator", "position"}:
                raise ParameterError("indicators", str(error), error.allowed) from None
            raise
        if values.name in {other.name for other in found}:
            raise ParameterError("indicators", f"Die Kennzahl „{values.name[:60]}“ steht in „indicators“ zweimal.")
        found.append(values)
    return found


def _usual(session: Session, request: SimilarRequest, keys: Sequence[str], own: int) -> list[IndicatorValues]:
    """Return the indicators by which areas are compared where none are named."""
    found: list[IndicatorValues] = []
    for code, position in shares_at(session, request.level, social=True):
        try:
            values = values_at(session, request.level, keys, code, position, request.period)
        except ParameterError:
            # Nobody asked for this one: what is counted in different ways, or not at that time, is left aside.
            continue
        known = np.isfinite(values.values)
        if known[own] and known.sum() >= NEARLY_ALL * len(keys) and not values.from_coarser:
            found.append(values)
        if len(found) == MOST_INDICATORS:
            break
    if not found:
        raise ParameterError(
            "indicators",
            "Für dieses Gebiet und nahezu alle anderen der Ebene gibt es keinen Anteil und keine Rate gemeinsam; bitte "
            "mit indicators Kennzahlen nennen.",
        )
    return found


def _residents(session: Session, level: str, areas: int, people: People | None) -> Floats:
    """Return the residents of all ages per area by the surface; 0 where there is none."""
    if people is None:
        return np.zeros(areas)
    owner = people.owner(session, level)
    inside = owner != NOWHERE
    return np.bincount(owner[inside], people.people.sum(axis=1)[inside], areas).astype(np.float64)


def _rows(
    session: Session,
    request: SimilarRequest,
    areas: tuple[Sequence[str], Sequence[str]],
    found: Sequence[IndicatorValues],
    compared: Compared,
    which: tuple[int, Sequence[int]],
) -> list[SimilarRow]:
    keys, names = areas
    own, nearest = which
    shapes = geometries(session, request.level, [keys[i] for i in nearest]) if request.geometry else {}
    return [
        SimilarRow(
            area_level=request.level,
            area_key=keys[i],
            area_name=names[i],
            rank=rank,
            distance=float(compared.distance[i]),
            contributions={one.name: float(share) for one, share in zip(found, compared.shares[:, i], strict=True)},
            values={one.name: float(one.values[i]) for one in found},
            own_values={one.name: float(one.values[own]) for one in found},
            flag="estimated" if any(one.estimated[[i, own]].any() for one in found) else "ok",
            geometry=shapes.get(keys[i]),
        )
        for rank, i in enumerate(nearest, start=1)
    ]


def _sources(session: Session, level: str, found: Sequence[IndicatorValues], people: People | None) -> list[Source]:
    figures = {dataset for one in found for dataset in one.datasets}
    made = []
    if people is not None:
        figures |= {people.dataset} if people.dataset else set()
        made = read_sources(session, "population") if people.basis == "grid" else []
    return [*read_sources(session, "statistics", figures), *made, *area_sources(session, level)]


def _method(found: Sequence[IndicatorValues], weights: Floats, *, weighed: bool) -> str:
    shares = weights / weights.sum()
    same = bool((weights == weights[0]).all())
    named = words.listed([
        one.title if same else f"{one.title} {words.plain(100 * share, 1)}\N{NO-BREAK SPACE}%"
        for one, share in zip(found, shares, strict=True)
    ])  # fmt: skip
    how = "nach Einwohnern gewichtet" if weighed else "alle Gebiete gleich gewichtet, weil Einwohner nicht bekannt sind"
    weight = ", alle mit gleichem Gewicht" if same and len(found) > 1 else ""
    return (
        f"Abstand zweier Gebiete ist die Wurzel aus der gewichteten Summe der quadrierten Unterschiede ihrer z-Werte "
        f"(Mittel und Standardabweichung über alle Gebiete mit Werten, {how}); verglichen nach {named}{weight}."
    )


def _warnings(found: Sequence[IndicatorValues], compared: Compared, names: Sequence[str]) -> Iterator[str]:
    left = [names[i] for i in np.flatnonzero(np.isnan(compared.distance)).tolist()]
    if left:
        count = words.counted(len(left), "Ein Gebiet ist", "Gebiete sind")
        yield f"{count} nicht verglichen, weil mindestens ein Wert fehlt: {words.listed(left, _NAMED)}."
    if len(left) == len(names) - 1:
        yield "Kein anderes Gebiet hat Werte aller Kennzahlen."
    else:
        for one, flat in zip(found, compared.flat.tolist(), strict=True):
            if flat:
                yield f"{one.title} ist in allen verglichenen Gebieten gleich und trägt nichts bei."
    for one in found:
        if one.info.kind == "count":
            yield (
                f"„{one.info.title}“ ist eine Anzahl, kein Anteil: Gebiete ähneln sich darin vor allem, wenn in ihnen "
                "ähnlich viele Menschen leben."
            )
        if one.note:
            yield one.note
