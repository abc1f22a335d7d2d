"""The question "what has changed since": figures of two periods side by side, and their difference.

Compared is what is the same but for the period: area, position, scenario, unit and how was counted; the periods are of
the same length, for half a year has fewer cases than a year. Where either figure is missing or suppressed, so is the
difference; it tells nothing beyond the two figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from geodata.answer import Answer, page_after
from geodata.errors import ParameterError
from geodata.periods import kind_of, parse_period, spoken
from geodata.statistics import ObservationRow, StatisticsRequest, statistics

# No level has so many areas times positions.
_EVERYTHING = 10_000_000
_DECIMALS = 9
# From the least to the most that must be said of a difference.
_FLAGS = ("ok", "provisional", "estimated", "missing", "suppressed")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One area's figure, the figure before, and what lies between them.

    ``value`` of ``period``, ``before`` of ``compare``; ``change`` is value − before in the unit of both, ``change_pct``
    the same in percent of before (None for shares, whose change is in percentage points, and where before is 0).
    ``flag``: what is to be said of the difference; ``value_flag`` and ``before_flag`` of its parts.
    """

    area_level: str
    area_key: str
    area_name: str | None
    indicator: str
    position: str
    period: str
    compare: str
    scenario: str
    counting: str | None
    value: float | None
    before: float | None
    change: float | None
    change_pct: float | None
    flag: str
    value_flag: str
    before_flag: str
    unit: str | None
    kind: str | None
    geometry: str | None


def statistics_change(session: Session, request: StatisticsRequest, compare: str) -> Answer[ChangeRow]:
    """Return the difference of an indicator's figures between ``compare`` and the period of the request.

    Ordered like ``statistics``; ``after`` is that of its rows. Raises ``ParameterError`` as ``statistics`` does, for a
    period that is none, and where both are the same or of different length.
    """
    try:
        earlier = parse_period(compare).text
    except ValueError as error:
        raise ParameterError("compare", str(error)) from None
    everything = replace(request, limit=_EVERYTHING, after=None)
    now = statistics(session, everything)
    shown = next((row.period for row in now.rows), request.period)
    if shown == earlier:
        raise ParameterError("compare", f"„{earlier}“ ist der gezeigte Zeitraum selbst; bitte einen anderen angeben.")
    if shown is not None and kind_of(shown) != kind_of(earlier):
        raise ParameterError(
            "compare",
            f"„{earlier}“ und „{shown}“ sind Zeiträume verschiedener Länge; verglichen werden nur gleich lange.",
        )
    before = _before(session, everything, earlier)
    rows = _rows(now.rows, before.rows, earlier)
    keys = ["\n".join((row.area_key, row.position, row.counting or "")) for row in rows]
    after = None if request.after is None else "\n".join(request.after[:3])
    page, following = page_after(rows, keys, after, request.limit)
    meta = now.meta
    meta.title = f"Veränderung gegenüber {spoken(earlier)} · {meta.title}"
    meta.method = (
        f"Wert minus Wert für {spoken(earlier)}, wenn beide vorliegen und gleich gezählt sind; bei Anteilen in "
        f"Prozentpunkten. "
        f"{meta.method}"
    )
    meta.sources = list({one.dataset: one for one in (*meta.sources, *before.meta.sources)}.values())
    meta.warnings = list(dict.fromkeys([*meta.warnings, *before.meta.warnings]))
    meta.missing = sum(row.change is None for row in page)
    # The cursor is that of the figures: area, position, counting, dataset.
    meta.next = None if following is None else f"{following}\n"
    return Answer(meta, page)


def _before(session: Session, request: StatisticsRequest, earlier: str) -> Answer[ObservationRow]:
    try:
        return statistics(session, replace(request, period=earlier, geometry=False))
    except ParameterError as error:
        if error.parameter == "period":
            raise ParameterError("compare", str(error), error.allowed) from None
        raise


def _clean(value: float) -> float:
    """Return a value without the noise of subtracting decimal fractions."""
    return round(value, _DECIMALS)


def _rows(now: list[ObservationRow], before: list[ObservationRow], earlier: str) -> list[ChangeRow]:
    old: dict[tuple[str, str, str | None], list[ObservationRow]] = {}
    for one in before:
        old.setdefault((one.area_key, one.position, one.counting), []).append(one)
    made = []
    for row in now:
        was = _same_unit(row, old.get((row.area_key, row.position, row.counting), ()))
        was_flag = "missing" if was is None else was.flag
        was_value = None if was is None else was.value
        change = pct = None
        if row.value is not None and was_value is not None:
            change = _clean(row.value - was_value)
            if was_value and row.kind != "share":
                pct = _clean(100 * change / was_value)
        flag = max(row.flag, was_flag, key=_FLAGS.index)
        made.append(ChangeRow(
            row.area_level, row.area_key, row.area_name, row.indicator, row.position, row.period, earlier,
            row.scenario, row.counting, row.value, was_value, change, pct, flag, row.flag, was_flag,
            row.unit or (None if was is None else was.unit), row.kind, row.geometry,
        ))  # fmt: skip
    return made


def _same_unit(row: ObservationRow, before: Sequence[ObservationRow]) -> ObservationRow | None:
    """Return the figure before in the same unit; a figure that nobody has now has no unit, and any will do."""
    fitting = [one for one in before if one.unit == row.unit or row.dataset is None]
    return next(iter(fitting), None)
