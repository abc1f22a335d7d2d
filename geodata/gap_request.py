"""What is asked about gaps: a stored standard fills in what the request leaves open, and may not be contradicted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from geodata import words
from geodata.coverage.request import MEASURES, MODES, CoverageRequest, Measure, Mode, Pace
from geodata.errors import ParameterError
from geodata.figure_tables import MOST_PER_1000
from geodata.gap_ranks import MOST_INDICATORS, Standard
from geodata.standards import StandardRow, read_standards, standard_of
from geodata.tables import SUPPLY_UNITS
from geodata.viewer import Version

MOST_WEIGHT = 1000.0
MOST_NEED_WEIGHT = 100.0
_USUAL_PACE = Pace()


@dataclass(frozen=True, slots=True)
class NeedIndicator:
    """An indicator of need: ``position`` None: the only one there is; ``weight`` >= 0 among the indicators.

    ``direction`` 1: a higher value means more need, −1: a lower one does.
    """

    code: str
    position: str | None = None
    weight: float = 1.0
    direction: int = 1


@dataclass(frozen=True, slots=True)
class GapsRequest:
    """Gaps of the areas of ``level`` against a standard: the stored one of code ``standard``, or a plain value.

    What is None is filled in from the stored standard, and may not contradict it; without one ``measure`` is supply,
    ages are all, ``minutes`` 15, ``supply_unit`` places. ``standard_value``: supply per 1,000, or for reach a share.
    ``need_weight`` None: 1 where ``need`` is given, else 0. ``period``: of residents and indicators; None: of residents
    the one there is, of each indicator the latest. ``area`` is (level, key): only it or the areas inside it are
    shown and compared. ``after`` is the key of the last row of the page before. The rest is as in ``CoverageRequest``.
    """

    level: str
    on: date
    categories: tuple[str, ...] = ()
    standard: str | None = None
    standard_value: float | None = None
    measure: str | None = None
    age_from: int | None = None
    age_to: int | None = None
    minutes: int | None = None
    mode: Mode | None = None
    supply_unit: str | None = None
    decay: str | None = None
    area: tuple[str, str] | None = None
    period: str | None = None
    need: tuple[NeedIndicator, ...] = ()
    need_weight: float | None = None
    pace: Pace = _USUAL_PACE
    geometry: bool = False
    limit: int | None = None
    after: str | None = None
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with everything filled in; ``stored`` None: the standard is a plain value, decided by nobody."""

    coverage: CoverageRequest
    value: float
    stored: StandardRow | None
    need: tuple[NeedIndicator, ...]
    need_weight: float

    @property
    def standard(self) -> Standard:
        """The standard as ranks are computed with it: a share never moves beyond 1."""
        return Standard(self.value, 1.0, 1.0) if self.coverage.measure == "reach" else Standard(self.value)


def filled(session: Session, request: GapsRequest, standards: Sequence[StandardRow] = ()) -> Asked:
    """Return the request with everything filled in; raise ``ParameterError`` for what does not fit.

    ``standards``: those that are stored, where they were read before.
    """
    if request.standard is None and request.standard_value is None:
        there = [row.code for row in read_standards(session)]
        offered = f"Vorhanden: {words.listed(there, 10)}." if there else "Hinterlegt ist keiner."
        raise ParameterError(
            "standard",
            f"Bitte mit standard einen Richtwert nennen oder mit standard_value einen Wert annehmen. {offered}",
            there,
        )
    stored = None
    if request.standard is not None:
        read = [row for row in standards if row.code == request.standard]
        stored = read[0] if read else standard_of(session, request.standard)
    made = _of_stored(request, stored) if stored is not None else _of_value(request)
    value = stored.value if stored is not None else request.standard_value
    _require_value(value or 0.0, made.measure, "standard_value" if stored is None else "standard")
    _require_need(request)
    weight = request.need_weight if request.need_weight is not None else float(bool(request.need))
    return Asked(made, value or 0.0, stored, request.need, weight)


def _of_value(request: GapsRequest) -> CoverageRequest:
    made = CoverageRequest(
        request.level, request.on, request.categories, mode=request.mode, decay=request.decay, area=request.area,
        period=request.period, pace=request.pace, geometry=request.geometry, version=request.version,
        measure=_measure(request.measure or "supply"), age_from=request.age_from or 0, age_to=request.age_to,
    )  # fmt: skip
    return replace(
        made,
        minutes=made.minutes if request.minutes is None else request.minutes,
        supply_unit=made.supply_unit if request.supply_unit is None else request.supply_unit,
    )


def _of_stored(request: GapsRequest, stored: StandardRow) -> CoverageRequest:
    """Fill what is open from the stored standard; raise for what contradicts it, or what it lacks."""
    said: dict[str, tuple[object, object]] = {
        "category": (request.categories or None, (stored.category,)),
        "measure": (request.measure, stored.measure),
        "standard_value": (request.standard_value, stored.value),
        "minutes": (request.minutes, stored.minutes),
        "mode": (request.mode, stored.mode),
        "supply_unit": (request.supply_unit, stored.unit if stored.measure != "reach" else None),
    }
    if stored.age_from is not None or stored.age_to is not None:
        said["age_from"] = (request.age_from, stored.age_from or 0)
        said["age_to"] = (request.age_to, "offen" if stored.age_to is None else stored.age_to)
    for name, (wanted, own) in said.items():
        if wanted is not None and own is not None and wanted != own:
            raise ParameterError(
                name,
                f"Der Richtwert „{stored.code}“ gilt für {name}={_plain(own)}, gefragt ist {_plain(wanted)}. Bitte "
                f"{name} weglassen oder einen anderen Richtwert wählen.",
                [_plain(own)],
            )
    if stored.unit not in (("share",) if _is_reach(stored) else SUPPLY_UNITS):
        raise ParameterError("standard", _unusable(stored, f"der Einheit „{stored.unit[:60]}“"))
    if stored.measure != "supply" and request.minutes is None and stored.minutes is None:
        raise ParameterError("minutes", f"Der Richtwert „{stored.code}“ nennt keine Minuten; bitte minutes angeben.")
    if stored.measure == "supply":
        for name in ("minutes", "mode", "decay"):
            if getattr(request, name) is not None:
                raise ParameterError(
                    name,
                    f"Der Richtwert „{stored.code}“ misst die Versorgung im Gebiet; {name} hat dabei keine Wirkung.",
                )
    by_stored = stored.age_from is not None or stored.age_to is not None
    return _of_value(replace(
        request,
        categories=(stored.category,),
        measure=stored.measure,
        age_from=stored.age_from if by_stored else request.age_from,
        age_to=stored.age_to if by_stored else request.age_to,
        minutes=stored.minutes if request.minutes is None else request.minutes,
        mode=request.mode or _mode(stored),
        supply_unit=request.supply_unit if _is_reach(stored) else stored.unit,
    ))  # fmt: skip


def _is_reach(stored: StandardRow) -> bool:
    return stored.measure == "reach"


def _unusable(stored: StandardRow, what: str) -> str:
    return (
        f"Mit {what} des Richtwerts „{stored.code}“ lässt sich nicht rechnen; bitte den Katalog berichtigen und neu "
        "einlesen."
    )


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)[:60]


def _measure(value: str) -> Measure:
    for known in MEASURES:
        if known == value:
            return known
    raise ParameterError(
        "measure", f"„measure“ kennt den Wert „{value[:60]}“ nicht. Möglich sind: {', '.join(MEASURES)}.", MEASURES
    )


def _mode(stored: StandardRow) -> Mode | None:
    return next((mode for mode in MODES if mode == stored.mode), None)


def _require_value(value: float, measure: Measure, parameter: str) -> None:
    most = 1 if measure == "reach" else MOST_PER_1000
    if not 0 < value <= most:
        meant = (
            "ein Anteil über 0 bis 1 sein, etwa 0.8 für 80 %"
            if measure == "reach"
            else f"eine Zahl über 0 bis {words.number(most)} sein (je 1.000)"
        )
        raise ParameterError(parameter, f"Der Richtwert muss {meant}.")


def _require_need(request: GapsRequest) -> None:
    if len(request.need) > MOST_INDICATORS:
        raise ParameterError(
            "need", f"„need“ nimmt höchstens {MOST_INDICATORS} Kennzahlen, angegeben sind {len(request.need)}."
        )
    twice = [one for i, one in enumerate(request.need) if (one.code, one.position) in _named(request.need[:i])]
    if twice:
        raise ParameterError("need", f"Die Kennzahl „{twice[0].code[:60]}“ steht in „need“ zweimal.")
    if not all(0 <= one.weight <= MOST_WEIGHT for one in request.need):
        raise ParameterError(
            "need", f"Die Gewichte in „need“ müssen Zahlen von 0 bis {words.number(MOST_WEIGHT)} sein."
        )
    if request.need and not sum(one.weight for one in request.need) > 0:
        raise ParameterError("need", "Mindestens ein Gewicht in „need“ muss über 0 liegen.")
    if any(one.direction not in (-1, 1) for one in request.need):
        raise ParameterError("need", "Eine Kennzahl in „need“ wirkt mit hohem Wert (1) oder mit niedrigem (-1).")
    if request.need_weight is None:
        return
    if not 0 <= request.need_weight <= MOST_NEED_WEIGHT:
        raise ParameterError(
            "need_weight", f"„need_weight“ muss eine Zahl von 0 bis {words.number(MOST_NEED_WEIGHT)} sein."
        )
    if request.need_weight and not request.need:
        raise ParameterError("need_weight", "„need_weight“ braucht Kennzahlen des Bedarfs; bitte need angeben.")


def _named(need: Sequence[NeedIndicator]) -> set[tuple[str, str | None]]:
    return {(one.code, one.position) for one in need}
