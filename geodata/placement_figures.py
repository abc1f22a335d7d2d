"""What follows from an area's counts of placements: shares, intervals, changes. What rests on nothing known is None."""

from collections.abc import Mapping
from dataclasses import dataclass

from geodata.figure_tables import PROVIDER_STATES, UNKNOWN_STATE
from geodata.placement_tables import OUTSIDE, TOTAL
from geodata.proportions import Interval, Proportion, newcombe, wilson

_SHARE = ("outside_share", "ci_low", "ci_high")
_CHANGED_SHARE = ("change_pp", "change_ci_low", "change_ci_high", "change_secured")
UNSECURED = "Die Veränderung ist statistisch nicht gesichert."


@dataclass(frozen=True, slots=True)
class Counts:
    """An area's cases as one viewer may see them; None: suppressed.

    Of the ``cases`` are ``outside`` the home state, of ``unknown`` nobody says. ``by_state``: the provider's states
    with cases (or suppressed ones); None where states are not published. ``suppressed``: something of the area is.
    ``proportion``: those outside among those whose state is known; it rests on the cases in and outside the home state
    alone.
    """

    cases: int | None
    outside: int | None
    unknown: int | None
    by_state: Mapping[str, int | None] | None
    suppressed: bool
    proportion: Proportion | None

    def share(self) -> float | None:
        """Return the share outside (0 to 1); None where a part is suppressed or there is no case."""
        return None if self.proportion is None else self.proportion.share()

    def interval(self) -> Interval | None:
        """Return Wilson's 95 % interval of the share."""
        return None if self.proportion is None else wilson(self.proportion)


def counts_of(categories: Mapping[str, int | None], home_state: str, *, states: bool) -> Counts:
    """Return the counts of an area from its categories; one that is not there is 0, one that is None suppressed.

    ``states``: the categories name every state with cases.
    """
    listed = {state: categories[state] for state in PROVIDER_STATES if state in categories} if states else None
    home, outside = categories.get(home_state, 0), categories.get(OUTSIDE, 0)
    return Counts(
        categories[TOTAL],
        outside,
        categories.get(UNKNOWN_STATE, 0),
        listed,
        None in categories.values(),
        None if home is None or outside is None else Proportion(outside, home + outside),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """The change from a comparison period: cases, and the share in percentage points with Newcombe's 95 % interval.

    None: one of the two is suppressed or missing, or has no case. ``unsecured``: the interval covers 0.
    """

    cases: int | None = None
    pp: float | None = None
    low: float | None = None
    high: float | None = None
    unsecured: bool = False

    @property
    def secured(self) -> bool | None:
        """Whether the interval leaves out 0; None: it is not known."""
        return None if self.low is None else not self.unsecured


def change_between(before: Counts | None, after: Counts) -> Change:
    """Return the change from one period to another; of what is missing in either None."""
    if before is None:
        return Change()
    cases = None if before.cases is None or after.cases is None else after.cases - before.cases
    first, second = before.proportion, after.proportion
    between = None if first is None or second is None else newcombe(first, second)
    shares = before.share(), after.share()
    if between is None or shares[0] is None or shares[1] is None:
        return Change(cases)
    return Change(cases, 100 * (shares[1] - shares[0]), 100 * between.low, 100 * between.high, between.covers(0))


def suppressed_fields(
    now: Counts | None, before: Counts | None, begun: Counts | None, *, with_residents: bool
) -> tuple[str, ...]:
    """Return the fields of a row that are None because a count is suppressed, and not because nothing is known.

    ``before``: of the period changes are counted from, ``begun``: of placements begun; ``with_residents``: the area's
    residents are known.
    """
    found: list[str] = []
    if now is not None:
        counted = {"cases": now.cases, "outside_cases": now.outside, "unknown_cases": now.unknown}
        found += [name for name, value in counted.items() if value is None]
        found += _SHARE if now.proportion is None else ()
        found += ("per_1000",) if with_residents and now.cases is None else ()
    if begun is not None and begun.proportion is None:
        found.append("begun_outside_share")
    if now is not None and before is not None:
        found += ("change_cases",) if now.cases is None or before.cases is None else ()
        proportions = (now.proportion, before.proportion)
        # Where the other has no case either way, there is nothing to be told from the suppressed one.
        if None in proportions and all(one is None or one.share() is not None for one in proportions):
            found += _CHANGED_SHARE
    return tuple(found)
