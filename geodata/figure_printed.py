"""Printed rates, shares and changes beside figures of helps: published only where nothing they rest on is closed.

What a source prints as a rate can be turned back: residents times a Hilfedichte are cases. So a printed figure of an
area and position is for everyone only where no figure of that area and position, of whatever period, is suppressed, and
those of its own period (and of the one a change is counted from) do not stay with the office. Of an indicator that
nobody knows, nothing of the area may be suppressed or stay with the office, nor anything of the areas that contain it:
it may be a comparison with the city.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from geodata.controlling_rows import AMBULANT, OUTSIDE_FAMILY, PUBLISHED, TOTALS
from geodata.figure_ground import FigureGround
from geodata.figure_periods import overlap, within
from geodata.figure_positions import is_whole
from geodata.figure_store import FAMILIES, HELP_UNITS
from geodata.figure_tables import PRINTED_CHANGES_OF_HELPS
from geodata.indicators import POPULATION, WELL_KNOWN, IndicatorInfo
from geodata.periods import Period, parse_period
from geodata.placement_ground import Area

_RATIOS = ("share", "rate", "index")
_WHOLE = frozenset({*TOTALS, AMBULANT, OUTSIDE_FAMILY})
_PRINTED = frozenset(code for code, _divisor in PUBLISHED.values())
_OF_THE_WHOLE = frozenset(PUBLISHED[name][0] for name in ("help_quotient", "follow_up_share", "counselling_ratio"))
# Times residents, which are known, these are a count or an amount.
_PER_RESIDENT = frozenset(PUBLISHED[name][0] for name in ("help_density", "spending_per_resident"))
# What the office as a whole has and spends; none of it is a sum of helps.
_OF_THE_OFFICE = (frozenset(WELL_KNOWN) | {POPULATION}) - frozenset(
    code for codes in FAMILIES.values() for code in codes
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which figures of an area a printed one may rest on.

    ``positions`` None: of all positions; ``counselling``: those of counselling too, in whatever position. ``periods``:
    of which periods; None: of all.
    """

    positions: Collection[str] | None
    counselling: bool = False
    periods: Collection[Period] | None = None

    def covers(self, indicator: str, position: str) -> bool:
        """Tell whether a figure is among them."""
        return (
            self.positions is None
            or position in self.positions
            or (self.counselling and indicator in FAMILIES["counselling"])
        )


@dataclass(slots=True)
class Statuses:
    """What is open to everyone, suppressed, or kept by the office: by area, then by indicator and position."""

    of: dict[Area, dict[tuple[str, str], dict[str, set[Period]]]] = field(default_factory=dict)

    @classmethod
    def read(cls, rows: Iterable[Any]) -> "Statuses":
        """Return the statuses of figures: level, area_key, indicator, position, period, status."""
        made = cls()
        periods: dict[str, Period] = {}
        for level, key, indicator, position, period, status in rows:
            when = periods.setdefault(period, parse_period(period))
            of_area = made.of.setdefault((level, key), {})
            of_area.setdefault((indicator, position), {}).setdefault(status, set()).add(when)
        return made

    def is_closed(self, area: Area, asked: Asked) -> bool:
        """Tell whether a figure of an area that is asked about is closed."""
        for (indicator, position), found in self.of.get(area, {}).items():
            if asked.covers(indicator, position) and _closed(found, asked.periods):
                return True
        return False

    def is_open(self, area: Area, asked: Asked, period: Period) -> bool:
        """Tell whether everyone sees a figure of an area that is asked about, of a time within the period."""
        return any(
            overlap(period, when)
            for (indicator, position), found in self.of.get(area, {}).items()
            if asked.covers(indicator, position)
            for when in found.get("open", ())
        )


def _closed(found: Mapping[str, Collection[Period]], periods: Collection[Period] | None) -> bool:
    kept, open_ = found.get("kept", ()), found.get("open", ())
    if "suppressed" in found or (kept and periods is None):
        return True
    # Parts of a period are kept so that the whole can be published; then they matter no more to it.
    return any(
        overlap(one, when) and not (one != when and within(one, when) and when in open_)
        for when in periods or ()
        for one in kept
    )


def is_guarded(code: str, info: IndicatorInfo, unit: str | None, *, counting: bool) -> bool:
    """Tell whether an indicator of an import that tells of helps must not be public by itself.

    ``unit``: the import's; ``counting``: it has counts of helps or amounts among its figures.
    """
    if unit in HELP_UNITS or _is_printed(code):
        return True
    if not counting or code in _OF_THE_OFFICE:
        return False
    return info.kind in _RATIOS or unit == "eur"


def printed(
    ground: FigureGround, statuses: Statuses, infos: Mapping[str, IndicatorInfo], unit: str | None, rows: Iterable[Any]
) -> Iterator[tuple[Any, ...]]:
    """Yield those of an import's guarded figures that are published; rows are the key's columns."""
    known: dict[tuple[Area, str, str, str], bool] = {}
    for row in rows:
        _import_id, level, key, code, position, period, _scenario = row
        asked = ((level, key), code, position, period)
        if asked not in known:
            known[asked] = _is_published(ground, statuses, infos[code], unit, *asked)
        if known[asked]:
            yield (*row, False)


def _is_printed(code: str) -> bool:
    return code in _PRINTED or code.startswith(tuple(pattern.rstrip("%") for pattern in PRINTED_CHANGES_OF_HELPS))


def _is_published(
    ground: FigureGround, statuses: Statuses, info: IndicatorInfo, unit: str | None,
    area: Area, code: str, position: str, period: str,
) -> bool:  # fmt: skip
    if code in _OF_THE_OFFICE:
        return True
    if not ground.is_published(area):
        return False
    if not _is_printed(code) and info.kind not in _RATIOS:
        # A count that nobody describes may be one of helps; an amount is made from those of its position.
        own = Asked(TOTALS if is_whole(position) else (position,))
        return unit not in HELP_UNITS and not statuses.is_closed(area, own)
    asked = _rests_on(code, position, period) if _is_printed(code) else Asked(None)
    # What nobody knows may be a comparison with the city; the others are made from the area's own figures.
    beside = () if _is_printed(code) else ground.containers(area)
    if any(statuses.is_closed(one, asked) for one in (area, *beside)):
        return False
    needs_more = code in _PER_RESIDENT or not _is_printed(code)
    return not needs_more or ground.is_wide(area) or statuses.is_open(area, asked, parse_period(period))


def _rests_on(code: str, position: str, period: str) -> Asked:
    """Return what a printed figure that we know rests on."""
    whole = code in _OF_THE_WHOLE or is_whole(position)
    periods: set[Period] | None = {parse_period(period)}
    for pattern in PRINTED_CHANGES_OF_HELPS:
        if code.startswith(pattern.rstrip("%")):
            try:
                since = parse_period(code.removeprefix(pattern.rstrip("%")).removesuffix("_pct"))
                periods = {parse_period(period), since}
            except ValueError:
                periods = None
    return Asked(_WHOLE if whole else (position,), whole, periods)
