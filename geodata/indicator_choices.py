"""What can be asked of published figures: which indicators there are, and where, of whom and when each has figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.indicators import POPULATION, IndicatorInfo, indicators_of, tells_of_work
from geodata.periods import kind_of

ACTUAL = "ist"
# Shown first where nobody has chosen: what compares areas of different size.
_COMPARABLE = ("share", "rate", "index")
_EVERYBODY = ("total", "alle_hilfen")


@dataclass(frozen=True, slots=True)
class Choice:
    """One set of figures of an indicator: at a level, in a position, for a period (from ``starts`` to ``ends``).

    ``countings``: how it was counted, in order, "" where nobody says; ``dataset``: one that has such figures.
    """

    level: str
    position: str
    period: str
    scenario: str
    starts: date
    ends: date
    countings: tuple[str, ...] = ("",)
    dataset: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Figures counted in one way, chosen from those there are.

    ``left_out``: names of what was asked for and is not there; ``periods``: all choices that differ from this one only
    in their period, latest first.
    """

    choice: Choice
    counting: str
    left_out: tuple[str, ...]
    periods: tuple[Choice, ...]

    @property
    def level(self) -> str:
        """The level."""
        return self.choice.level

    @property
    def position(self) -> str:
        """Of whom or what the figures are."""
        return self.choice.position

    @property
    def period(self) -> str:
        """The period."""
        return self.choice.period

    @property
    def scenario(self) -> str:
        """What was, or what is forecast or planned."""
        return self.choice.scenario

    @property
    def earlier(self) -> list[Choice]:
        """Those of ``periods`` that this one may be compared with: counted alike, as long, and over before."""
        return [
            one for one in self.periods
            if one.ends < self.choice.ends
            and kind_of(one.period) == kind_of(self.period)
            and self.counting in one.countings
        ]  # fmt: skip


def known_indicators(session: Session) -> list[IndicatorInfo]:
    """Return the indicators that have visible figures, by title."""
    codes = list(session.execute(text("SELECT DISTINCT indicator FROM observation_visible")).scalars())
    return sorted(indicators_of(session, codes).values(), key=lambda one: (one.title.casefold(), one.code))


def usual_indicator(known: Sequence[IndicatorInfo]) -> IndicatorInfo | None:
    """Return what is shown where nobody has chosen: the first share or rate of residents, else residents, else any."""
    comparable = [one for one in known if one.kind in _COMPARABLE and not tells_of_work(one)]
    residents = [one for one in known if one.code == POPULATION]
    return next(iter((*comparable, *residents, *known)), None)


def choices(session: Session, indicator: str) -> list[Choice]:
    """Return the sets of figures of an indicator that this viewer may see, latest first."""
    found = session.execute(
        text("""
            SELECT level, position, period, scenario, starts, ends,
                   array_agg(DISTINCT coalesce(counting, '')) AS countings, min(dataset) AS dataset
            FROM observation_visible WHERE indicator = :indicator
            GROUP BY level, position, period, scenario, starts, ends
            ORDER BY ends DESC, starts DESC, period, level, position, scenario
        """),
        {"indicator": indicator},
    )
    return [
        Choice(
            row.level, row.position, row.period, row.scenario, row.starts, row.ends, tuple(row.countings), row.dataset
        )
        for row in found
    ]


def choose(
    there: Sequence[Choice],
    usual_levels: Sequence[str],
    *,
    level: str | None,
    position: str | None,
    period: str | None,
    scenario: str | None,
    counting: str | None = None,
) -> Chosen | None:
    """Return the set of figures that fits best what is asked for; None where there is none at all.

    Level comes first, then scenario, position, period and counting: each is taken as asked for where it is there, else
    as usual (the first of ``usual_levels``; what was, not what is forecast; everybody or the first position; the latest
    period; the first way of counting), and its name is among ``left_out``.
    """
    if not there:
        return None
    left_out: list[str] = []

    def fitting(name: str, wanted: str | None, usual: Sequence[str], found: Sequence[str]) -> str:
        if wanted in found:
            return str(wanted)
        if wanted is not None:
            left_out.append(name)
        return next((one for one in usual if one in found), found[0])

    at = fitting("level", level, usual_levels, [one.level for one in there])
    there = [one for one in there if one.level == at]
    how = fitting("scenario", scenario, (ACTUAL,), [one.scenario for one in there])
    there = [one for one in there if one.scenario == how]
    whom = fitting("position", position, _EVERYBODY, sorted({one.position for one in there}))
    there = [one for one in there if one.position == whom]
    when = fitting("period", period, (), [one.period for one in there])
    choice = next(one for one in there if one.period == when)
    counted = fitting("counting", counting, (), choice.countings)
    return Chosen(choice, counted, tuple(left_out), tuple(there))
